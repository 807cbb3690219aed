//! One SSH server on the loopback interface whose ports behave as told: well, or badly in some way of their own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The server. It ends with the value.
pub struct Sshd {
    folder: TempDir,
    process: Child,
    ports: Vec<u16>,
}

impl Sshd {
    /// Starts a server with a port for each command, which runs there whatever is asked.
    pub fn start(commands: &[&str]) -> Sshd {
        let folder =
            tempfile::Builder::new().prefix("carafe-sshd-").tempdir().expect("a folder for the server");
        let path = |name: &str| folder.path().join(name);
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path(key))
                .status()
                .expect("ssh-keygen can be started: apt-get install openssh-client");
            assert!(made.success(), "ssh-keygen failed");
        }
        let held: Vec<TcpListener> =
            commands.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let ports: Vec<u16> = held.iter().map(|held| held.local_addr().expect("bound").port()).collect();
        drop(held);
        let mut config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nUsePAM no\nStrictModes no\nPidFile none\nPasswordAuthentication no\n\
             MaxStartups 500\nAcceptEnv HOST_NAME\n",
            path("host").display(),
            path("user.pub").display()
        );
        config.extend(ports.iter().map(|port| format!("ListenAddress 127.0.0.1:{port}\n")));
        for (port, command) in ports.iter().zip(commands) {
            config.push_str(&format!("Match LocalPort {port}\n  ForceCommand {command}\n"));
        }
        std::fs::write(path("sshd_config"), config).expect("a configuration");
        // The server keeps its unprivileged half here; Debian makes it when the service starts.
        std::fs::create_dir_all("/run/sshd").expect("the tests of SSH need root");
        let log = std::fs::File::create(path("log")).expect("a log");
        let process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd can be started: apt-get install openssh-server");
        let mut server = Sshd { folder, process, ports };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", server.ports[0])).is_err() {
            let ended = server.process.try_wait().expect("our own child");
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(30), "sshd does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Where files for its commands may lie.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a configuration of ssh in which these names are the ports of the server, by their number.
    pub fn ssh_config(&self, names: &[(String, usize)]) -> PathBuf {
        let mut config = String::new();
        for (name, port) in names {
            let port = self.ports.get(*port).copied().unwrap_or(1);
            config.push_str(&format!("Host {name}\n  Port {port}\n  SetEnv HOST_NAME={name}\n"));
        }
        config.push_str(&format!(
            "Host *\n  HostName 127.0.0.1\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             StrictHostKeyChecking no\n  UserKnownHostsFile {}\n  LogLevel ERROR\n",
            self.path("user").display(),
            Path::new("/dev/null").display()
        ));
        let path = self.path("ssh_config");
        std::fs::write(&path, config).expect("a configuration");
        path
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
