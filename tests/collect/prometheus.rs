//! Use from a real Prometheus that watches a real node_exporter, over TLS with an authority of its own and a password.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use carafe_model::document::Document;
use carafe_model::estate::Estate;
use carafe_model::host::Host;

use crate::web::{Says, Web};

/// A program that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Running {
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running(started.unwrap_or_else(|error| {
        panic!("{command:?}: {error}; install it: apt-get install prometheus prometheus-node-exporter")
    }))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port()
}

fn sh(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn estate_of(names: &[&str]) -> Estate {
    let bytes = names.iter().map(|name| format!("{name}\n")).collect::<String>();
    let table = format!("Server name\n{bytes}");
    let file = carafe_inventory::InputFile { name: "hosts.csv", bytes: table.as_bytes() };
    carafe_inventory::import(&[file], Some("csv"), "estate").estate.expect("a table of names")
}

fn collect(url: &str, estate: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "collect", "prometheus", url, "--estate"])
        .arg(estate)
        .args(more)
        .env("METRICS_SECRET", "hunter2")
        .output()
        .expect("carafe can be started")
}

#[test]
fn a_real_server_tells_the_use_of_a_real_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let (node, port) = (free_port(), free_port());
    sh(
        folder.path(),
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 -subj /CN=localhost -extensions v3_req \
         -addext subjectAltName=DNS:localhost,IP:127.0.0.1",
    );
    let hash = sh(
        folder.path(),
        "python3 -W ignore -c \"import crypt; print(crypt.crypt('hunter2', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))\"",
    );
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("writable");
    write(
        "prometheus.yml",
        format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: node\n  static_configs:\n  - targets: \
             ['127.0.0.1:{node}']\n    labels: {{instance: 'web1.example:9100'}}\n"
        ),
    );
    write(
        "web.yml",
        format!(
            "tls_server_config: {{cert_file: ca.pem, key_file: key.pem}}\nbasic_auth_users: {{ann: '{hash}'}}\n"
        ),
    );
    let _exporter =
        start(Command::new("prometheus-node-exporter").arg(format!("--web.listen-address=127.0.0.1:{node}")));
    let _server = start(
        Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--web.config.file=web.yml", "--storage.tsdb.path=data"])
            .arg("--query.max-samples=300")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder.path()),
    );
    let path = folder.path().join("estate.json");
    std::fs::write(&path, estate_of(&["web1", "db1"]).to_json()).expect("writable");
    let url = format!("https://localhost:{port}");
    let ca = folder.path().join("ca.pem");
    let ca = ca.to_str().expect("a path");
    let login =
        ["--user", "ann", "--secret", "env:METRICS_SECRET", "--ca", ca, "--for", "90s", "--every", "1s"];
    let mut measured: Option<Host> = None;
    let mut said = String::new();
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(500));
        let output = collect(&url, &path, &login);
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            continue;
        }
        let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
        assert!(
            estate.hosts.iter().all(|host| host.name != "db1" || host.usage.is_none()),
            "nobody measured it"
        );
        measured = estate.hosts.into_iter().find(|host| {
            host.usage.as_ref().is_some_and(|usage| usage.cpu_percent.is_some() && usage.memory_mib.is_some())
        });
        if measured.is_some() {
            break;
        }
    }
    let usage = measured.unwrap_or_else(|| panic!("it was measured: {said}")).usage.expect("just seen");
    let memory = usage.memory_mib.expect("measured").max.0 / 1_000_000;
    let total: i64 =
        sh(folder.path(), "awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo").parse().expect("MiB");
    assert!((1..=total).contains(&memory), "{memory} of {total} MiB");
    assert!((0..=100_000_000).contains(&usage.cpu_percent.expect("measured").max.0));
    assert!(usage.coverage_percent <= 100 && usage.window_hours == 1);

    // A wrong password, a certificate that nobody trusts, and a server that is something else.
    let wrong =
        ["--user", "ann", "--secret", "cmd:echo hunter3", "--ca", ca, "--for", "10s", "--every", "1s"];
    for (more, part) in
        [(&wrong[..], "status 401"), (&["--for", "10s", "--every", "1s"], "cannot be trusted")]
    {
        let output = collect(&url, &path, more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(part), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[test]
fn a_piece_that_is_too_large_is_asked_in_halves() {
    let web = Web::start(|asked| {
        let number = |key: &str| -> i64 {
            let at = asked.path.find(&format!("&{key}=")).expect("every question has it") + key.len() + 2;
            asked.path[at..].split('&').next().expect("a value").parse().expect("a number")
        };
        let (start, end, step) = (number("start"), number("end"), number("step"));
        if (end - start) / step > 300 {
            let error = "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"query processing would load too many samples\"}";
            return Says { body: error.to_owned(), ..Says::status(422) };
        }
        if !asked.path.contains("MemTotal") {
            return Says::ok("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}");
        }
        let points = |value: i64| -> String {
            let all: Vec<String> =
                (0..=(end - start) / step).map(|at| format!("[{},\"{value}\"]", start + at * step)).collect();
            all.join(",")
        };
        let series = |name: &str, value: i64| {
            format!(
                "{{\"metric\":{{\"__name__\":\"{name}\",\"instance\":\"web1:9100\"}},\"values\":[{}]}}",
                points(value)
            )
        };
        Says::ok(format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{},{}]}}}}",
            series("node_memory_MemTotal_bytes", 8 << 30),
            series("node_memory_MemAvailable_bytes", 6 << 30)
        ))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("estate.json");
    std::fs::write(&path, estate_of(&["web1"]).to_json()).expect("writable");
    let output = collect(&web.url, &path, &["--for", "168h"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    let usage = estate.hosts[0].usage.as_ref().expect("it was measured");
    assert_eq!((usage.window_hours, usage.coverage_percent), (168, 100));
    assert_eq!(usage.memory_mib.expect("measured").p95.0, 2_048_000_000);
    assert!(web.asked().len() > 24, "three queries of nine pieces");
}
