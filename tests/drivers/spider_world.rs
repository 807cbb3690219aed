//! CB-Spider with its MOCK driver, as the contract and some tests of its own want it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use carafe::drivers::connections::{Connections, read};
use carafe::drivers::secret::{Secret, SecretRef};
use carafe::drivers::spider::api_of;
use carafe::drivers::spider::setup::{Registration, register};
use carafe::drivers::{Driver, IdempotencyKey, Kind, Outcome, Ownership, Removal, Status, Target};
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::{Action, ImageQuery};
use carafe_model::units::{Mib, Vcpus};
use reqwest::Method;
use serde_json::json;

use crate::contract::World;
use crate::exchange::Exchange;

/// What MOCK cannot show: everything is ready at once, and public addresses come with machines.
pub const LEFT_OUT: [&str; 2] = ["creating before ready", "public address"];

const CONNECTION: &str = "carafe-contract";

/// A server on which the connection config [`CONNECTION`] is registered.
pub struct Mock {
    pub exchange: Exchange,
    keys: tempfile::TempDir,
    user: String,
    password: String,
}

impl Mock {
    /// As the environment says who may ask; a recording does not care.
    pub async fn new(exchange: Exchange) -> Mock {
        let variable =
            |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
        let mock = Mock {
            exchange,
            keys: tempfile::tempdir().expect("a folder"),
            user: variable("CARAFE_SPIDER_USER", "default"),
            password: variable("CARAFE_SPIDER_PASSWORD", "default"),
        };
        let secret = secret(&mock.password);
        let api = api_of(&mock.exchange.url, Some(&mock.user), Some(&secret), &[]).expect("a good address");
        let credential = [("MockName".to_owned(), self::secret("carafe-contract"))];
        let wanted = Registration {
            cloud: "MOCK",
            connection: CONNECTION,
            region: "default",
            zone: None,
            credential: &credential,
        };
        let registered = register(&api, &wanted).await.expect("it can be registered");
        let whats: Vec<&str> = registered.iter().map(|registered| registered.what).collect();
        assert_eq!(whats, ["driver", "credential", "region", "connectionconfig"]);
        let again = register(&api, &wanted).await.expect("it is there");
        assert!(again.iter().all(|registered| registered.was_there), "{again:?}");
        mock.clean_up().await;
        mock
    }

    /// Removes what the contract has a person make.
    pub async fn clean_up(&self) {
        let _ = self.ask(Method::DELETE, "keypair/cf-person", json!({})).await;
    }

    async fn ask(&self, method: Method, path: &str, info: serde_json::Value) -> u16 {
        let body = json!({"ConnectionName": CONNECTION, "ReqInfo": info});
        let client = carafe::http::client().expect("a client");
        let asking =
            client.request(method, format!("{}/spider/{path}", self.exchange.url)).body(body.to_string());
        let asking =
            asking.header("content-type", "application/json").basic_auth(&self.user, Some(&self.password));
        asking.send().await.expect("an answer").status().as_u16()
    }

    fn open(&self, password: &str) -> Arc<dyn Driver> {
        let text = format!(
            "[[connection]]\nname = \"mock\"\nprovider = \"mock\"\ndriver = \"spider\"\ncloud = \"MOCK\"\n\
             endpoint = \"{}\"\nconnection = \"{CONNECTION}\"\nuser = \"{}\"\npassword = \"env:PASSWORD\"\nkeys = {:?}\n",
            self.exchange.url,
            self.user,
            self.keys.path()
        );
        let (connections, findings) = read("connections.toml", &text);
        assert_eq!(findings, []);
        let opened = Connections::open(&connections, &|_| Some(password.to_owned())).expect("it opens");
        opened.driver(&"mock".into(), &"default".into()).expect("it serves MOCK").clone()
    }

    fn target(&self, run: &str, action: Action) -> Target {
        let step =
            format!("mock/default/{}/{}", action.kind().replace('_', "-"), action.name()).as_str().into();
        let (provider, region) = self.place();
        let owner = Ownership { run: run.into(), key: IdempotencyKey::new("plan", &step), step };
        Target { provider, region, kind: Kind::of(&action).expect("a resource"), owner, action }
    }
}

/// A secret that says this.
pub fn secret(text: &str) -> Secret {
    let reference = SecretRef::parse("env:SECRET").expect("a name");
    reference.fetch(&|_| Some(text.to_owned())).expect("it is set")
}

impl World for Mock {
    fn driver(&self) -> Arc<dyn Driver> {
        self.open(&self.password)
    }

    fn denied(&self) -> Arc<dyn Driver> {
        self.open("not the password")
    }

    fn place(&self) -> (ProviderName, RegionName) {
        ("mock".into(), "default".into())
    }

    fn instance_type(&self) -> (&'static str, Vcpus, Mib) {
        ("mock-vmspec-01", Vcpus(4), Mib(32768))
    }

    fn image(&self) -> ImageQuery {
        let (family, name) = (OsFamily::Linux, "Ubuntu 18.04.6 LTS".to_owned());
        ImageQuery { family, name, version: None, architecture: Architecture::X86_64 }
    }

    fn plant<'a>(&'a self, action: &'a Action) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            let Action::KeyPair { name } = action else { panic!("only key pairs are planted: {action:?}") };
            assert_eq!(self.ask(Method::POST, "keypair", json!({"Name": name})).await, 200);
        })
    }

    fn lose_next_reply(&self) {
        self.exchange.lose_next_reply();
    }

    fn make_next_slow(&self) -> bool {
        false
    }

    fn between_looks(&self) -> Duration {
        Duration::from_millis(50)
    }
}

/// Spider forgets a machine that the cloud still has, as it does when its own waiting fails.
pub async fn take_up_what_was_lost(world: &Mock) {
    use crate::contract::names;

    let driver = world.driver();
    let (instance_type, vcpus, memory_mib) = world.instance_type();
    let machine = Action::Machine {
        name: "cf-vm".into(),
        instance_type: instance_type.into(),
        vcpus,
        memory_mib,
        image: world.image(),
        subnet: "cf-sub".into(),
        security_groups: vec!["cf-sg".into()],
        key_pair: "cf-key".into(),
        root_disk_gib: None,
        root_disk_class: None,
    };
    let base = [
        names::network("cf-net"),
        names::subnet("cf-sub", "cf-net", "10.40.1.0/24"),
        names::group("cf-sg", "cf-net", &[(22, 22)]),
        names::key_pair("cf-key"),
    ];
    let mut made = Vec::new();
    for action in base.into_iter().chain([machine]) {
        let target = world.target("run-1", action);
        let outcome = driver.ensure(&target).await.expect("nothing is in the way");
        made.push((target, outcome.resource().id.clone()));
    }
    let key = std::fs::read_to_string(world.keys.path().join("cf-key.pem")).expect("the key was kept");
    assert!(!key.is_empty());

    assert_eq!(world.ask(Method::DELETE, "regvm/cf-vm", json!({})).await, 200);
    let (machine, id) = made.last().expect("a machine").clone();
    let seen = driver.observe(&machine).await.expect("readable").expect("the cloud has it");
    assert_eq!((&seen.resource.id, seen.resource.owner.as_ref()), (&id, Some(&machine.owner)));
    assert!(matches!(seen.resource.status, Status::Broken(_)), "{seen:?}");
    let listed =
        driver.list(&machine.provider, &machine.region, Some(&"run-1".into())).await.expect("readable");
    let kinds: BTreeMap<Kind, usize> = listed.iter().fold(BTreeMap::new(), |mut kinds, found| {
        *kinds.entry(found.kind).or_default() += 1;
        kinds
    });
    assert_eq!(kinds.get(&Kind::Machine), Some(&1), "{listed:?}");

    // Asking for it again takes it up; nothing is made twice.
    let again = driver.ensure(&machine).await.expect("it is taken up");
    let Outcome::AlreadyThere(resource) = &again else { panic!("{again:?}") };
    assert_eq!(resource.id, id);
    let seen = driver.observe(&machine).await.expect("readable").expect("it is there");
    assert_eq!((&seen.resource.status, seen.differences.len()), (&Status::Ready, 0), "{seen:?}");

    // Lost once more, and removed where only the cloud has it.
    assert_eq!(world.ask(Method::DELETE, "regvm/cf-vm", json!({})).await, 200);
    for (target, _) in made.iter().rev() {
        assert_eq!(driver.remove(target).await, Ok(Removal::Removed), "{:?}", target.action);
    }
    assert!(!world.keys.path().join("cf-key.pem").exists(), "a key that opens nothing is not kept");
}
