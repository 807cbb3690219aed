//! Moto, an emulator of AWS, on the loopback interface, with faults on request. `tests/servers/aws-up -h` says what of it
//! is stricter than moto itself.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// An emulator with one account. It ends with the value.
pub struct Aws {
    state: PathBuf,
    port: u16,
    /// What `AWS_…` variables say about the way in.
    variables: BTreeMap<String, String>,
    _folder: TempDir,
}

impl Aws {
    /// Starts one, empty but for what every account of AWS has.
    pub fn start() -> Aws {
        let folder = tempfile::Builder::new().prefix("carafe-aws-").tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let state = folder.path().join("state");
        let mut server = Aws { state, port, variables: BTreeMap::new(), _folder: folder };
        let begun = server.script(&[]);
        let said = String::from_utf8_lossy(&begun.stderr);
        assert!(begun.status.success(), "aws-up failed (try tests/servers/aws-up --install):\n{said}");
        let printed = String::from_utf8(begun.stdout).expect("UTF-8");
        let pairs = printed.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        server.variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        server
    }

    fn script(&self, words: &[&str]) -> Output {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/aws-up");
        let mut command = Command::new(path);
        command.args(words).env("AWSUP_STATE", &self.state).env("AWSUP_PORT", self.port.to_string());
        command.env("AWSUP_DELAY", "0.3").output().expect("bash can be started")
    }

    /// What a variable such as `AWS_ENDPOINT_URL` says.
    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).unwrap_or_else(|| panic!("aws-up prints no {name}"))
    }

    /// Has the services misbehave from the next request on, as `aws-up -h` says; an empty list ends it.
    pub fn faults(&self, rules: &Value) {
        let path = self.state.join("faults.json");
        let aside = path.with_extension("new");
        std::fs::write(&aside, rules.to_string()).expect("writable");
        std::fs::rename(aside, path).expect("writable");
    }

    /// Whether a call hangs; asking makes the answer no again.
    pub fn hangs(&self) -> bool {
        std::fs::remove_file(self.state.join("hangs")).is_ok()
    }

    /// Runs a program in Python with boto3, the client of AWS's own, and reads what it prints.
    pub fn boto3(&self, program: &Path, words: &[&str]) -> String {
        let usual = || {
            let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")));
            home.expect("a home").join("carafe-tests/moto-5.2.5")
        };
        let venv = std::env::var_os("AWSUP_VENV").map_or_else(usual, PathBuf::from);
        let mut command = Command::new(venv.join("bin/python"));
        let done = command.arg(program).args(words).envs(&self.variables).output().expect("aws-up made it");
        assert!(done.status.success(), "{words:?}:\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8")
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        let ended = self.script(&["--down"]);
        if !ended.status.success() && !std::thread::panicking() {
            panic!("aws-up --down failed:\n{}", String::from_utf8_lossy(&ended.stderr));
        }
    }
}
