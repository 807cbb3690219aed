//! The emulator as the contract wants it, and as connections of all kinds.

use std::path::{Path, PathBuf};
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
use crate::server::Aws;

/// Where everything is made.
pub const REGION: &str = "us-east-1";

/// A server, and the key that its machines let in.
pub struct World {
    pub server: Aws,
    pub folder: TempDir,
    /// Which region [`World::seen`] looks at.
    pub region: &'static str,
}

impl World {
    pub fn start() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "somebody@somewhere", "-f"])
            .arg(&key)
            .status();
        assert!(made.expect("ssh-keygen can be started").success());
        World { server: Aws::start(), folder, region: REGION }
    }

    /// The file with the public key.
    pub fn public_key(&self) -> PathBuf {
        self.folder.path().join("key.pub")
    }

    /// The text of a connection; `change` replaces settings.
    pub fn connection(&self, change: &[(&str, &str)]) -> String {
        let key = self.public_key().display().to_string();
        let mut settings: Vec<(&str, &str)> = vec![
            ("name", "emulator"),
            ("provider", "aws"),
            ("driver", "aws"),
            ("endpoint", self.server.variable("AWS_ENDPOINT_URL")),
            ("access_key_id", "testing"),
            ("secret_access_key", "env:CARAFE_AWS_SECRET"),
            ("public_key", &key),
            ("cluster_role", "arn:aws:iam::123456789012:role/eks-cluster"),
            ("node_role", "arn:aws:iam::123456789012:role/eks-node"),
        ];
        for (name, value) in change {
            settings.retain(|(known, _)| known != name);
            settings.push((name, value));
        }
        settings.retain(|(_, value)| !value.is_empty());
        let lines = settings.iter().map(|(name, value)| format!("{name} = {value:?}\n"));
        format!("[[connection]]\n{}", lines.collect::<String>())
    }

    /// A driver by a connection; `secret` is what every `env:` stands for.
    pub fn open(&self, change: &[(&str, &str)], secret: &str) -> Arc<dyn Driver> {
        let file = self.folder.path().join("connections.toml");
        let (connections, findings) = read(&file.display().to_string(), &self.connection(change));
        assert_eq!(findings, []);
        let opened = Connections::open(&connections, &|_| Some(secret.to_owned())).expect("it opens");
        opened.driver(&"aws".into(), &REGION.into()).expect("it serves it").clone()
    }

    /// The driver with the key it has.
    pub fn with(&self, change: &[(&str, &str)]) -> Arc<dyn Driver> {
        self.open(change, self.server.variable("AWS_SECRET_ACCESS_KEY"))
    }

    /// What AWS's own client sees, a line for each resource.
    pub fn seen(&self) -> Vec<String> {
        let told = self.server.boto3(&client(), &["seen", self.region]);
        told.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
    }
}

fn client() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/client.py")
}

impl contract::World for World {
    fn driver(&self) -> Arc<dyn Driver> {
        self.with(&[])
    }

    fn denied(&self) -> Arc<dyn Driver> {
        self.open(&[], "not the secret")
    }

    fn place(&self) -> (ProviderName, RegionName) {
        ("aws".into(), REGION.into())
    }

    fn instance_type(&self) -> (&'static str, Vcpus, Mib) {
        ("m5.large", Vcpus(2), Mib(8192))
    }

    fn image(&self) -> ImageQuery {
        let (family, name) = (OsFamily::Linux, "Ubuntu 22.04.3 LTS".to_owned());
        ImageQuery { family, name, version: None, architecture: Architecture::X86_64 }
    }

    fn plant<'a>(&'a self, action: &'a Action) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        let Action::KeyPair { name } = action else { panic!("only key pairs are planted") };
        let key = self.public_key().display().to_string();
        self.server.boto3(&client(), &["import-key", REGION, name, &key]);
        Box::pin(std::future::ready(()))
    }

    fn lose_next_reply(&self) {
        let lost = json!([
            {"service": "ec2", "action": "CreateVpc|DeleteVpc", "agent": "^carafe", "drop": true, "times": 1},
        ]);
        self.server.faults(&lost);
    }

    fn make_next_slow(&self) -> bool {
        false
    }

    fn between_looks(&self) -> Duration {
        Duration::from_millis(100)
    }
}
