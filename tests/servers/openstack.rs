//! An OpenStack control plane of Debian's packages on the loopback interface, with faults on request.
//!
//! `tests/servers/openstack-up -h` says what of it is real: the services and their databases are, the hypervisor, the
//! switches and the volumes below them are not. A start takes about a minute and two GiB of memory. With `OSUP_STATE` set
//! the one in that folder is used, and left running.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// How many ports it takes from the first.
const PORTS: u16 = 13;

/// A control plane. It ends with the value.
pub struct OpenStack {
    state: PathBuf,
    first_port: u16,
    /// What `OS_…` variables say about the way in.
    variables: BTreeMap<String, String>,
    /// Absent where somebody else started it.
    _folder: Option<TempDir>,
}

impl OpenStack {
    /// Starts one and waits until all of its services answer.
    pub fn start() -> OpenStack {
        let named = |name| std::env::var(name).ok();
        let (folder, state, first_port) = match named("OSUP_STATE") {
            Some(state) => {
                let port = named("OSUP_PORT_BASE").and_then(|port| port.parse().ok()).unwrap_or(21000);
                (None, PathBuf::from(state), port)
            }
            None => {
                let folder =
                    tempfile::Builder::new().prefix("carafe-openstack-").tempdir().expect("a folder");
                let state = folder.path().join("state");
                (Some(folder), state, free_ports())
            }
        };
        let mut server = OpenStack { state, first_port, variables: BTreeMap::new(), _folder: folder };
        let begun = server.script("openstack-up");
        let said = String::from_utf8_lossy(&begun.stderr);
        assert!(
            begun.status.success(),
            "openstack-up failed (try tests/servers/openstack-up --install):\n{said}"
        );
        let printed = String::from_utf8(begun.stdout).expect("UTF-8");
        let pairs = printed.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        server.variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        server.faults(&Value::Array(Vec::new()));
        server
    }

    fn script(&self, name: &str) -> Output {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name);
        let mut command = Command::new(path);
        command.env("OSUP_STATE", &self.state).env("OSUP_PORT_BASE", self.first_port.to_string());
        command.output().expect("bash can be started")
    }

    /// What a variable such as `OS_AUTH_URL` says.
    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).unwrap_or_else(|| panic!("openstack-up prints no {name}"))
    }

    /// Has the services misbehave from the next request on, as `openstack-up -h` says; an empty list ends it.
    pub fn faults(&self, rules: &Value) {
        let path = self.state.join("faults.json");
        let aside = path.with_extension("new");
        std::fs::write(&aside, rules.to_string()).expect("writable");
        std::fs::rename(aside, path).expect("writable");
    }

    /// Has the client of the OpenStack project do several things, as the user of the tests, and reads its JSON. All of
    /// it is one process, as that one takes a second to start.
    pub fn client<const N: usize>(&self, lines: [&str; N]) -> [Value; N] {
        let asked: String = lines.iter().map(|line| format!("{line} -f json\n")).collect();
        let done = self.clients(&asked, &[]);
        let answers: Vec<Value> = serde_json::Deserializer::from_str(&done)
            .into_iter()
            .map(|answer| answer.expect("JSON"))
            .collect();
        answers.try_into().unwrap_or_else(|answers| panic!("{lines:?}: {answers:?}"))
    }

    /// Has the client do something for which there is no answer to read.
    pub fn order(&self, line: &str) {
        self.clients(&format!("{line}\n"), &[]);
    }

    /// The same as the administrator, for several things.
    pub fn administer(&self, lines: &[&str]) {
        let admin = [
            ("OS_USERNAME", self.variable("OSUP_ADMIN_USERNAME")),
            ("OS_PASSWORD", self.variable("OSUP_ADMIN_PASSWORD")),
        ];
        self.clients(&(lines.join("\n") + "\n"), &admin);
    }

    fn clients(&self, lines: &str, more: &[(&str, &str)]) -> String {
        let mut command = Command::new("openstack");
        command.envs(&self.variables).envs(more.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the package python3-openstackclient brings it");
        child.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("it reads");
        let done = child.wait_with_output().expect("our own child");
        let complaint = String::from_utf8_lossy(&done.stderr);
        // In this mode it goes on after a failure, and its status tells nothing.
        assert!(done.status.success() && complaint.trim().is_empty(), "openstack {lines}:\n{complaint}");
        String::from_utf8(done.stdout).expect("text")
    }
}

impl Drop for OpenStack {
    fn drop(&mut self) {
        if self._folder.is_some() {
            let ended = self.script("openstack-down");
            if !ended.status.success() && !std::thread::panicking() {
                panic!("openstack-down failed:\n{}", String::from_utf8_lossy(&ended.stderr));
            }
        }
    }
}

/// The first of so many ports in a row that nobody listens on.
fn free_ports() -> u16 {
    let starts = (0..400).map(|step| 21000 + step * 20 + (std::process::id() % 20) as u16);
    let is_free =
        |first: &u16| (*first..*first + PORTS).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    starts.into_iter().find(is_free).expect("a row of free ports")
}
