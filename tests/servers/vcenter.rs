//! VMware's simulator of a vCenter, as Debian packages it. The script beside this file builds and starts it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A vCenter that runs. It ends with the value.
pub struct Center {
    folder: TempDir,
    child: Child,
    /// Where it listens: `https://127.0.0.1:PORT`.
    pub url: String,
}

impl Center {
    /// Starts one that lets `reader` in with the password `hunter2`.
    pub fn start(flags: &[&str], inventory: Option<&str>) -> Center {
        let folder = tempfile::Builder::new().prefix("carafe-vcenter-").tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a free port")
            .local_addr()
            .expect("bound")
            .port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/vcenter-sim");
        let (ready, log) = (folder.path().join("ready"), folder.path().join("log"));
        let errors = std::fs::File::create(&log).expect("writable");
        let mut command = Command::new(script);
        command.args([
            "--",
            "-tls",
            "-user",
            "reader",
            "-password",
            "hunter2",
            "-l",
            &format!("127.0.0.1:{port}"),
        ]);
        command
            .arg("-authority")
            .arg(folder.path().join("ca.pem"))
            .arg("-ready")
            .arg(&ready)
            .args(flags)
            .stdout(Stdio::null())
            .stderr(errors);
        if let Some(text) = inventory {
            let path = folder.path().join("inventory.json");
            std::fs::write(&path, text).expect("writable");
            command.arg("-inventory").arg(path);
        }
        let child = command.spawn().expect("the script can be started");
        let mut center = Center { folder, child, url: format!("https://127.0.0.1:{port}") };
        // The first start builds it.
        for _ in 0..3_000 {
            // The file is written just before it listens.
            if ready.exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return center;
            }
            if let Ok(Some(status)) = center.child.try_wait() {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                panic!(
                    "the simulator does not start ({status}); as root: tests/servers/vcenter-sim --install\n{said}"
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("the simulator does not begin to listen");
    }

    /// The certificate of the authority that signed the one it shows.
    pub fn certificate(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A folder for the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
