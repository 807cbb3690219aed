//! Several Linux hosts as network namespaces, each with its own sshd, and real programs that talk to each other. The
//! script beside this file makes them and ends them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Hosts that run. They end with the value.
pub struct SshHosts {
    folder: TempDir,
    net: String,
    prefix: String,
    config: PathBuf,
}

impl SshHosts {
    /// Starts the hosts of the script's own example: a shop of three tiers, its cache, and an old machine.
    pub fn start() -> SshHosts {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        // Far enough from the next process for the few that one test program starts.
        let own = std::process::id() * 4 + STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            tempfile::Builder::new().prefix("carafe-hosts-").tempdir().expect("a folder for the hosts");
        let mut hosts = SshHosts {
            folder,
            // A network and names of their own, so that two runs of the tests do not meet.
            net: format!("10.{}.{}", 64 + own / 250 % 64, own % 250),
            prefix: format!("c{}", own % 100_000),
            config: PathBuf::new(),
        };
        let output = hosts.script(&["up"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "the hosts do not start; this needs root, and: apt-get install openssh-server iproute2 iptables nginx-light \
             redis-server postgresql python3 curl\n{said}"
        );
        let printed = String::from_utf8(output.stdout).expect("a path");
        hosts.config = PathBuf::from(printed.lines().last().expect("the path of ssh's configuration"));
        hosts
    }

    /// The configuration of ssh that knows the hosts by name.
    pub fn ssh_config(&self) -> &Path {
        &self.config
    }

    /// Runs a command in a host, as root and without SSH.
    pub fn run(&self, host: &str, command: &[&str]) -> String {
        let output = self.script(&[&["run", host], command].concat());
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn script(&self, arguments: &[&str]) -> Output {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/ssh-hosts"))
            .args(arguments)
            .env("SSHH_STATE", self.folder.path())
            .env("SSHH_NET", &self.net)
            .env("SSHH_PREFIX", &self.prefix)
            .output()
            .expect("the script can be started")
    }
}

impl Drop for SshHosts {
    fn drop(&mut self) {
        self.script(&["down"]);
    }
}
