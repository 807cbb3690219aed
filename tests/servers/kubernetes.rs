//! A real Kubernetes API server with its controllers, scheduler and etcd, and nodes that are made up. The script beside this
//! file builds and starts them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A control plane that runs. It ends with the value.
pub struct Cluster {
    folder: TempDir,
    port: u16,
}

impl Cluster {
    /// Starts one with three nodes.
    pub fn start() -> Cluster {
        let folder = tempfile::Builder::new().prefix("carafe-kube-").tempdir().expect("a folder");
        // Five ports are used, from this one on.
        let port = u16::try_from(26_000 + std::process::id() % 600 * 5).expect("below 29,000");
        let cluster = Cluster { folder, port };
        let output = cluster.script(&[]).output().expect("the script can be started");
        assert!(
            output.status.success(),
            "the control plane does not start; as root: tests/servers/kube-up --install, then --build\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        cluster
    }

    /// A file that the script made: certificates, tokens, kubeconfig.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Address of the API server.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Makes objects of one kind, each given in JSON, as the administrator.
    pub fn make(&self, path: &str, objects: &[String]) {
        let list = self.path("objects");
        let url = format!("{}{path}", self.url());
        let entries: String = objects
            .iter()
            .map(|object| format!("url = \"{url}\"\ndata = {object:?}\nheader = \"Content-Type: application/json\"\noutput = /dev/null\nnext\n"))
            .collect();
        let token = std::fs::read_to_string(self.path("pki/admin.token")).expect("the script made it");
        let common = format!(
            "cacert = {:?}\nheader = \"Authorization: Bearer {}\"\nfail\nsilent\nshow-error\n",
            self.path("pki/ca.crt"),
            token.trim()
        );
        // Options hold up to the next request, so each repeats those that all have.
        let text = entries.replace("output = /dev/null\n", &format!("output = /dev/null\n{common}"));
        std::fs::write(&list, text.trim_end_matches("next\n")).expect("writable");
        let output = Command::new("curl").arg("--config").arg(&list).output().expect("curl can be started");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/kube-up"));
        command.args(arguments).env("KUBE_STATE", self.folder.path()).env("KUBE_PORT", self.port.to_string());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What does not end is found by the next look at the machine; a panic here would hide why a test failed.
        let _ = self.script(&["--down"]).status();
    }
}
