use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use carafe_model::steps::{Action, Step};

use super::file::{When, read};
use super::*;

fn hands() -> RealHands {
    RealHands::new(Arc::new(|name: &str| (name == "TOKEN").then(|| "hunter2".to_owned())))
}

fn step(call: &Call, timeout_s: u32) -> Step {
    Step {
        id: "hook/dns".into(),
        wave: 2,
        provider: "aws".into(),
        region: "r".into(),
        host: None,
        after: Vec::new(),
        action: Action::Hook {
            name: "dns".into(),
            run: call.clone(),
            verify: None,
            undo: None,
            repeat: false,
            timeout_s,
        },
    }
}

async fn ended(call: Call, timeout_s: u32) -> Ended {
    let (step, run) = (step(&call, timeout_s), "run-1".into());
    let errand = Errand { step: &step, run: &run, key: "k-1", purpose: "run", call: &call, timeout_s };
    hands().call(errand).await
}

fn command(script: &str) -> Call {
    Call::Command {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        secrets: BTreeMap::from([("DNS_TOKEN".to_owned(), "env:TOKEN".to_owned())]),
    }
}

#[tokio::test]
async fn a_command_is_told_what_it_is_for_and_its_secret_is_not_repeated() {
    let script = r#"read -r told; echo "$CARAFE_RUN $CARAFE_STEP $CARAFE_WAVE $CARAFE_KEY"; echo "$told" |
        grep -c '"key":"k-1"'; echo "token $DNS_TOKEN" >&2"#;
    let Ended::Well(text) = ended(command(script), 20).await else { panic!("it ends with 0") };
    assert!(text.contains("run-1 hook/dns 2 k-1 | 1"), "{text}");
    assert!(text.contains("token [secret]") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn how_a_command_ends_is_told_apart() {
    let Ended::Badly(text) = ended(command("echo no; exit 3"), 20).await else { panic!("it ends with 3") };
    assert_eq!(text, "ended with 3: no");
    let Ended::Unknown(text) = ended(command("sleep 60 & sleep 60"), 1).await else { panic!("too long") };
    assert!(text.contains("within 1 second"), "{text}");
    let nothing = Call::Command { command: vec!["/no/such/program".into()], secrets: BTreeMap::new() };
    assert!(matches!(ended(nothing, 1).await, Ended::Badly(_)));
    let Ended::Well(text) = ended(command("yes | head -c 9000000"), 20).await else { panic!("it ends") };
    assert!(text.len() < 3 * MOST_OUTPUT, "{} bytes are kept", text.len());
}

/// Answers one request with a status and gives what was asked.
fn serve(status: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
    let answered = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        let mut asked = Vec::new();
        let mut chunk = [0; 4096];
        while !String::from_utf8_lossy(&asked).contains("\"purpose\"") {
            let read = stream.read(&mut chunk).expect("a request");
            if read == 0 {
                break;
            }
            asked.extend_from_slice(&chunk[..read]);
        }
        let body = "token hunter2";
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).expect("somebody listens");
        String::from_utf8_lossy(&asked).into_owned()
    });
    (url, answered)
}

fn request(url: String) -> Call {
    let secrets = BTreeMap::from([("authorization".to_owned(), "env:TOKEN".to_owned())]);
    Call::Http { method: "POST".into(), url, secrets, expect: Vec::new() }
}

#[tokio::test]
async fn a_request_carries_its_key_and_its_secret_and_is_judged_by_its_status() {
    let (url, asked) = serve("200 OK");
    let Ended::Well(text) = ended(request(url), 20).await else { panic!("200 is well") };
    assert_eq!(text, "answered 200: token [secret]");
    let asked = asked.join().expect("it answered");
    for expected in ["idempotency-key: k-1", "authorization: hunter2", "\"carafe\":\"hook/1\""] {
        assert!(asked.contains(expected), "{asked}");
    }
    let (url, _) = serve("404 Not Found");
    assert!(matches!(ended(request(url), 20).await, Ended::Badly(_)));
    let (url, _) = serve("503 Busy");
    assert!(matches!(ended(request(url), 20).await, Ended::Unknown(_)), "nobody knows how far it came");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    assert!(matches!(ended(request(format!("http://{closed}/")), 20).await, Ended::Badly(_)));
}

#[tokio::test]
async fn a_look_tells_everything_that_is_not_well() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let open = listener.local_addr().expect("bound").port();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let tcp = |port| Probe::Tcp { address: "127.0.0.1".into(), port };
    assert!(matches!(hands().look(&[tcp(open)]).await, Ended::Well(_)));
    let Ended::Badly(text) = hands().look(&[tcp(closed), tcp(open), tcp(closed)]).await else {
        panic!("closed")
    };
    assert_eq!(text.matches(&format!("port {closed} of 127.0.0.1: ")).count(), 2, "{text}");
    let key = "ssh-ed25519 AAAA".to_owned();
    let ssh = Probe::SshHostKey { address: "127.0.0.1".into(), port: closed, key };
    assert!(matches!(hands().look(&[ssh]).await, Ended::Badly(_)));
}

/// A real SSH server with a key of its own; it ends with the value.
struct Sshd {
    process: std::process::Child,
    port: u16,
    key: String,
    _folder: tempfile::TempDir,
}

impl Sshd {
    fn start() -> Sshd {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
            .arg(&key)
            .status()
            .expect("OpenSSH is installed: apt-get install openssh-server");
        assert!(made.success());
        // As root it insists on the folder that its service would have made.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        let process = std::process::Command::new("/usr/sbin/sshd")
            .args(["-D", "-q", "-f", "/dev/null", "-o", "PidFile=none", "-o", "ListenAddress=127.0.0.1"])
            .args(["-p", &port.to_string(), "-h"])
            .arg(&key)
            .spawn()
            .expect("OpenSSH's server is installed: apt-get install openssh-server");
        let key = std::fs::read_to_string(key.with_extension("pub")).expect("it was made");
        let begun = std::time::Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "sshd does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Sshd { process, port, key: key.trim().to_owned(), _folder: folder }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_host_key_is_the_one_that_was_told_or_the_look_fails() {
    let server = Sshd::start();
    let look = async |key: &str| {
        let address = "127.0.0.1".to_owned();
        hands().look(&[Probe::SshHostKey { address, port: server.port, key: key.to_owned() }]).await
    };
    let ended = look(&server.key).await;
    assert!(matches!(ended, Ended::Well(_)), "{ended:?}");
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (key, told) in [(other, "another ssh-ed25519 key"), ("ssh-rsa AAAA", "no ssh-rsa key")] {
        let Ended::Badly(text) = look(key).await else { panic!("{key} is not its key") };
        assert!(text.contains(told), "{text}");
    }
}

const GOOD: &str = r#"carafe = "hooks/1"
[[hook]]
name = "dns"
when = "after wave 1"
command = ["./switch"]
verify_url = "https://dns.example.com/state"
undo = ["./back"]
secrets = { TOKEN = "env:TOKEN" }
[[check]]
name = "web"
when = "after step a"
tcp = ["erp.example.com:443"]
ssh = [{ address = "10.0.0.4", key = "ssh-ed25519 AAAA" }]
http = [{ url = "https://erp.example.com/health" }]
[[approval]]
name = "go"
when = "before wave 2"
text = "Wave 2 may begin."
"#;

#[test]
fn a_hooks_file_is_read() {
    let (attached, findings) = read("hooks.toml", GOOD);
    assert_eq!(findings, []);
    let whens: Vec<&When> = attached.iter().map(|one| &one.when).collect();
    assert_eq!(whens, [&When::AfterWave(1), &When::AfterStep("a".into()), &When::BeforeWave(2)]);
    let Action::Check { probes, .. } = &attached[1].action else { panic!("a check") };
    assert_eq!(probes.len(), 3);
}

#[test]
fn all_mistakes_of_a_hooks_file_are_told_at_once() {
    let text = "[[hook]]\nname = \"a\"\nwhen = \"sometimes\"\nurl = \"ftp://x\"\nsecrets = { T = \"hunter2\" }\n\
                [[hook]]\nwhen = \"before run\"\nx = 1\n[[check]]\nname = \"c\"\nwhen = \"after run\"\ntcp = [\"x\"]\n";
    let (_, findings) = read("h.toml", text);
    let found: Vec<String> =
        findings.iter().map(|f| format!("{} {}", f.code, f.place.row.unwrap_or_default())).collect();
    assert_eq!(
        found,
        [
            "HOK-004 1",
            "HOK-005 1",
            "HOK-004 4",
            "HOK-007 5",
            "HOK-005 6",
            "HOK-005 6",
            "HOK-002 8",
            "HOK-005 9",
            "HOK-004 12"
        ]
    );
    assert!(findings.iter().all(|finding| !finding.summary.to_string().contains("hunter2")));
}
