//! The control plane as the contract wants it, and as connections of all kinds.

use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use carafe::drivers::Driver;
use carafe::drivers::connections::{Connections, read};
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::{Action, ImageQuery};
use carafe_model::units::{Mib, Vcpus};
use serde_json::json;
use tempfile::TempDir;

use crate::contract;
use crate::server::OpenStack;

/// A server, and the key that its machines let in.
pub struct World<'s> {
    pub server: &'s OpenStack,
    pub folder: TempDir,
}

impl World<'_> {
    pub fn new(server: &OpenStack) -> World<'_> {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "somebody@somewhere", "-f"])
            .arg(&key)
            .status();
        assert!(made.expect("ssh-keygen can be started").success());
        World { server, folder }
    }

    /// The file with the public key.
    pub fn public_key(&self) -> PathBuf {
        self.folder.path().join("key.pub")
    }

    /// The text of a connection; `change` replaces settings.
    pub fn connection(&self, change: &[(&str, &str)]) -> String {
        let key = self.public_key().display().to_string();
        let mut settings: Vec<(&str, &str)> = vec![
            ("name", "lab"),
            ("provider", "openstack"),
            ("driver", "openstack"),
            ("auth_url", self.server.variable("OS_AUTH_URL")),
            ("username", self.server.variable("OS_USERNAME")),
            ("password", "env:OS_PASSWORD"),
            ("project", self.server.variable("OS_PROJECT_NAME")),
            ("public_key", &key),
        ];
        for (name, value) in change {
            settings.retain(|(known, _)| known != name);
            settings.push((name, value));
        }
        settings.retain(|(_, value)| !value.is_empty());
        let lines = settings.iter().map(|(name, value)| format!("{name} = {value:?}\n"));
        format!("[[connection]]\n{}", lines.collect::<String>())
    }

    /// A driver by a connection; `password` is what `env:OS_PASSWORD` stands for.
    pub fn open(&self, change: &[(&str, &str)], password: &str) -> Arc<dyn Driver> {
        let file = self.folder.path().join("connections.toml");
        let (connections, findings) = read(&file.display().to_string(), &self.connection(change));
        assert_eq!(findings, []);
        let opened = Connections::open(&connections, &|_| Some(password.to_owned())).expect("it opens");
        opened.driver(&"openstack".into(), &"RegionOne".into()).expect("it serves it").clone()
    }

    /// The driver with the password it has.
    pub fn with(&self, change: &[(&str, &str)]) -> Arc<dyn Driver> {
        self.open(change, self.server.variable("OS_PASSWORD"))
    }
}

impl contract::World for World<'_> {
    fn driver(&self) -> Arc<dyn Driver> {
        self.with(&[])
    }

    fn denied(&self) -> Arc<dyn Driver> {
        self.open(&[], "not the password")
    }

    fn place(&self) -> (ProviderName, RegionName) {
        ("openstack".into(), "RegionOne".into())
    }

    fn instance_type(&self) -> (&'static str, Vcpus, Mib) {
        ("m1.small", Vcpus(1), Mib(2048))
    }

    fn image(&self) -> ImageQuery {
        let (family, name) = (OsFamily::Linux, "Ubuntu 22.04.3 LTS".to_owned());
        ImageQuery { family, name, version: None, architecture: Architecture::X86_64 }
    }

    fn plant<'a>(&'a self, action: &'a Action) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        let Action::KeyPair { name } = action else { panic!("only key pairs are planted") };
        let key = self.public_key().display().to_string();
        self.server.order(&format!("keypair create --public-key {key} {name}"));
        Box::pin(std::future::ready(()))
    }

    fn lose_next_reply(&self) {
        self.server.faults(&json!([
            {"service": "network", "method": "POST|DELETE", "path": "/networks", "agent": "^carafe", "drop": true, "times": 1},
        ]));
    }

    fn make_next_slow(&self) -> bool {
        false
    }

    fn between_looks(&self) -> Duration {
        Duration::from_millis(500)
    }
}
