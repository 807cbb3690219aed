//! Live collection. Over SSH: real servers, real programs that talk to each other, and hosts that misbehave; the other
//! collectors each have a module.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use carafe_model::estate::{Endpoint, Estate};
use serde_json::Value;

mod kubernetes;

mod libvirt;

mod prometheus;

mod vsphere;

#[path = "../catalog/web.rs"]
mod web;

#[path = "../servers/ssh_hosts.rs"]
mod ssh_hosts;

#[path = "../servers/sshd.rs"]
mod sshd;

use ssh_hosts::SshHosts;
use sshd::Sshd;

const HOSTS: [&str; 5] = ["web1", "app1", "db1", "cache1", "old1"];

fn carafe(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
    command.args(["inventory", "collect", "ssh", "--ssh-config"]).arg(config).args(arguments);
    command.stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The flows of an estate as `from to protocol/port`.
fn edges(estate: &Estate) -> Vec<String> {
    let name = |end: &Endpoint| match end {
        Endpoint::Host(id) => id.to_string(),
        Endpoint::External(name) => format!("({name})"),
    };
    let protocol = |flow: &carafe_model::estate::Flow| flow.protocol.clone().unwrap_or_default();
    estate
        .flows
        .iter()
        .map(|flow| {
            format!(
                "{} {} {}/{}",
                name(&flow.from),
                name(&flow.to),
                protocol(flow),
                flow.port.unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn the_edges_are_those_that_the_hosts_have_and_each_host_tells_what_it_is() {
    let hosts = SshHosts::start();
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("collection.json");
    // The hosts share their files with the machine, so what the tests themselves make is left out.
    let files = |host: &str| -> BTreeSet<String> {
        let found = hosts.run(host, &["find", "/tmp", "/var/tmp", "/root", "-xdev", "-maxdepth", "2"]);
        let is_own = |line: &&str| ["/tmp/.tmp", "/tmp/carafe-"].iter().any(|own| line.starts_with(own));
        found.lines().filter(|line| !is_own(line)).map(str::to_owned).collect()
    };
    let before = files("web1");
    let watched = ["--for", "4s", "--every", "2s", "--collection", kept.to_str().expect("a path")];
    let output = carafe(hosts.ssh_config(), &HOSTS).args(watched).output().expect("carafe can be started");
    assert!(output.status.success(), "{}", said(&output));
    let after = files("web1");
    let left: Vec<&String> = after.difference(&before).collect();
    assert!(left.is_empty(), "left on the host: {left:?}");
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    assert_eq!(edges(&estate), ["app1 cache1 tcp/6379", "app1 db1 tcp/5432", "web1 app1 tcp/8080"]);
    for flow in &estate.flows {
        let both = flow.gib_month.zip(flow.gib_month_back).expect("this kernel counts bytes");
        assert!(both.0.0 > 0 && both.1.0 > 0, "{flow:?}");
    }
    let host = |name: &str| estate.hosts.iter().find(|host| host.name == name).expect("a collected host");
    let inside = |name: &str| host(name).inside.as_ref().expect("it was looked into");
    let systems: Vec<&str> =
        HOSTS.iter().map(|name| host(name).os.as_ref().expect("os-release").name.as_str()).collect();
    assert_eq!(
        systems,
        [
            "Debian GNU/Linux 12 (bookworm)",
            "Ubuntu 22.04.4 LTS",
            "Rocky Linux 9.3 (Blue Onyx)",
            "Debian GNU/Linux 12 (bookworm)",
            "CentOS Linux 7 (Core)"
        ]
    );
    let stores = |name: &str| -> Vec<(String, Vec<u16>)> {
        inside(name).data_stores.iter().map(|store| (store.kind.clone(), store.ports.clone())).collect()
    };
    assert_eq!(stores("db1"), [("postgresql".to_owned(), vec![5432])]);
    assert_eq!(stores("cache1"), [("redis".to_owned(), vec![6379])]);
    assert!(inside("db1").data_stores[0].version.as_ref().is_some_and(|version| version.starts_with("15.")));
    assert_eq!(inside("db1").data_stores[0].data_mib, None, "its folder may not be read by this user");
    let web = inside("web1").services.iter().find(|service| service.port == 80).expect("nginx listens");
    assert_eq!((web.process.as_deref(), web.package.as_deref()), (Some("nginx"), Some("nginx")));
    let job =
        inside("app1").scheduled.iter().find(|job| job.program == "/opt/nightly.sh").expect("its cron job");
    assert_eq!(job.schedule.as_deref(), Some("15 2 * * *"));
    assert!(inside("app1").packages.iter().any(|package| package.name == "openssh-server"));
    let usage = host("old1").usage.as_ref().expect("it was watched");
    assert!(usage.cpu_percent.is_some() && usage.memory_mib.is_some() && usage.network_mbps.is_some());
    assert_eq!(host("old1").nics.len(), 1);

    let again = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "import", "--name", "estate"])
        .arg(&kept)
        .output()
        .expect("carafe can be started");
    let again: Estate = serde_json::from_slice(&again.stdout).expect("an estate");
    assert_eq!((again.hosts, again.flows), (estate.hosts, estate.flows));
}

#[test]
fn a_packet_filter_and_the_data_of_a_store_are_told_to_the_administrator() {
    let hosts = SshHosts::start();
    hosts.run(
        "db1",
        &["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "5432", "-s", "10.0.0.0/8", "-j", "ACCEPT"],
    );
    hosts.run("db1", &["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "5432", "-j", "DROP"]);
    let output = carafe(hosts.ssh_config(), &["root@db1"]).output().expect("carafe can be started");
    assert!(output.status.success(), "{}", said(&output));
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    let host = &estate.hosts[0];
    assert_eq!((host.id.as_str(), host.labels["ssh"].as_str()), ("db1", "root@db1"));
    let ports: Vec<&str> = host.firewall.iter().map(|rule| rule.ports.as_str()).collect();
    assert_eq!(ports, ["5432", "5432", "*"]);
    assert_eq!(host.firewall[0].source, "10.0.0.0/8");
    let store = &host.inside.as_ref().expect("it was looked into").data_stores[0];
    assert!(store.data_mib.is_some_and(|data| data.0 > 20), "{store:?}");
}

/// A host as the script tells it, with a name to be filled in.
const RECORDED: &str = "\
#@ rights\nuser\n#@ machine\nhostname @NAME@\nkernel 6.1.0\nsystem Linux\narchitecture x86_64\nmachine_id @ID@\n\
threads 4\nmemory_kib 8000000\n#@ os-release\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n\
#@ disks\ndisk sda 41943040 0\n#@ addresses\n2: eth0 inet 192.0.2.1/24\n#@ samples\nat 10.00\ncpu 1 2 3 4\n#@ end\n";

#[test]
fn two_hundred_hosts_take_little_memory_and_bad_ones_cost_only_themselves() {
    let recorded = tempfile::Builder::new().prefix("carafe-recorded-").tempdir().expect("a folder");
    let file = recorded.path().join("output");
    std::fs::write(&file, RECORDED).expect("a recording");
    let answers = format!(
        "id=$(echo $HOST_NAME | md5sum | cut -c1-32); sed \"s/@NAME@/$HOST_NAME/; s/@ID@/$id/\" {}",
        file.display()
    );
    let server = Sshd::start(&[
        &answers,
        "sleep 600",
        "yes",
        "head -c 300000 /dev/urandom",
        "echo '#@ machine'; sleep 1; kill -9 $PPID",
    ]);
    let mut names: Vec<(String, usize)> = (0..190).map(|number| (format!("many{number}"), 0)).collect();
    let bad = [("floods", 2), ("babbles", 3), ("breaks", 4), ("refuses", 99)];
    names.extend(bad.map(|(name, port)| (name.to_owned(), port)));
    names.extend((0..6).map(|number| (format!("floods{number}"), 2)));
    let config = server.ssh_config(&names);
    let list: PathBuf = server.path("hosts");
    std::fs::write(&list, names.iter().map(|(name, _)| format!("{name}\n")).collect::<String>())
        .expect("a list");
    let estate = server.path("estate.json");
    let child = carafe(&config, &["--format", "json", "--timeout", "10m", "--hosts"])
        .arg(&list)
        .arg("-o")
        .arg(&estate)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("carafe can be started");
    let status = format!("/proc/{}/status", child.id());
    let watching = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            peak = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB").max(peak);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        peak
    });
    let output = child.wait_with_output().expect("carafe comes to an end");
    assert!(output.status.success(), "{}", said(&output));
    let peak = watching.join().expect("it only reads");
    assert!((1..400 << 10).contains(&peak), "{peak} KiB were used at most");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["hosts"], 190);
    let findings = answer["findings"].as_array().expect("a list");
    for (name, code) in [
        ("floods", "COL-1003"),
        ("floods4", "COL-1003"),
        ("babbles", "COL-1004"),
        ("breaks", "COL-1004"),
        ("refuses", "COL-1001"),
    ] {
        let of_host: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["host"] == name)
            .map(|finding| finding["code"].as_str().expect("a code"))
            .collect();
        assert_eq!(of_host, [code], "{name}: {answer}");
    }
}

#[test]
fn a_host_that_hangs_is_given_up_when_its_time_is_over() {
    let server = Sshd::start(&["sleep 600"]);
    let config = server.ssh_config(&[("hangs".to_owned(), 0)]);
    let output = carafe(&config, &["hangs", "--timeout", "5s"]).output().expect("carafe can be started");
    assert_eq!(output.status.code(), Some(1), "no host was collected");
    assert!(said(&output).contains("COL-1002"), "{}", said(&output));
}

#[test]
fn a_name_that_ssh_would_take_for_an_option_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("ran");
    let list = folder.path().join("hosts");
    std::fs::write(&list, format!("-oProxyCommand=touch {}\n", mark.display())).expect("a list");
    let output =
        carafe(Path::new("/dev/null"), &["--hosts"]).arg(&list).output().expect("carafe can be started");
    assert!(!output.status.success());
    assert!(said(&output).contains("COL-1001"), "{}", said(&output));
    assert!(!mark.exists());
}
