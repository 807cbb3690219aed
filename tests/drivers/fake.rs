//! The simulated cloud keeps the contract, and goes wrong exactly when it is told to.

use std::pin::Pin;
use std::sync::Arc;

use carafe::drivers::fake::{Effect, Fake, Fault, Rules};
use carafe::drivers::{
    Ability, Driver, ErrorKind, IdempotencyKey, Kind, Outcome, Ownership, Removal, Sale, Status, Target,
};
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::{Action, ImageQuery};
use carafe_model::units::{Mib, Vcpus};

use crate::contract::{World, suite};

const PROVIDER: &str = "aws";
const REGION: &str = "ap-northeast-2";

fn target(run: &str, plan: &str, action: Action) -> Target {
    let step = format!("{}/{}", action.kind(), action.name()).as_str().into();
    Target {
        provider: PROVIDER.into(),
        region: REGION.into(),
        kind: Kind::of(&action).expect("a resource"),
        owner: Ownership { run: run.into(), key: IdempotencyKey::new(plan, &step), step },
        action,
    }
}

fn network(name: &str) -> Action {
    Action::Network { name: name.into(), cidr: "10.0.0.0/16".into() }
}

fn subnet(name: &str, cidr: &str) -> Action {
    Action::Subnet { name: name.into(), network: "main".into(), cidr: cidr.into(), zone: None }
}

async fn kind_of_refusal(driver: &dyn Driver, target: &Target) -> ErrorKind {
    driver.ensure(target).await.expect_err("it must be refused").kind
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let sales = Some([("small".to_owned(), Sale::default())].into());
    let images = Some([OsFamily::Linux].into());
    let fake = Fake::with_rules(Rules { sales, images, ..Rules::default() });
    let left_out = suite(&Simulated { fake }).await;
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[test]
fn it_makes_every_kind() {
    let fake = Fake::new();
    for kind in Kind::ALL {
        assert_eq!(fake.capabilities().of(kind), Some(Ability::Makes), "{kind}");
    }
}

struct Simulated {
    fake: Fake,
}

impl World for Simulated {
    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(self.fake.clone())
    }
    fn denied(&self) -> Arc<dyn Driver> {
        Arc::new(Fake::with_rules(Rules { denied: true, ..Rules::default() }))
    }
    fn place(&self) -> (ProviderName, RegionName) {
        (PROVIDER.into(), REGION.into())
    }
    fn instance_type(&self) -> (&'static str, Vcpus, Mib) {
        ("small", Vcpus(2), Mib(4096))
    }
    fn image(&self) -> ImageQuery {
        let (family, name) = (OsFamily::Linux, "Ubuntu 24.04 LTS".to_owned());
        ImageQuery { family, name, version: None, architecture: Architecture::X86_64 }
    }
    fn plant<'a>(&'a self, action: &'a Action) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        self.fake.plant(PROVIDER, REGION, action.clone(), None);
        Box::pin(std::future::ready(()))
    }
    fn lose_next_reply(&self) {
        self.fake.forget_faults();
        self.fake.fault_at(1, Fault::LoseReply);
    }
    fn make_next_slow(&self) -> bool {
        self.fake.forget_faults();
        self.fake.fault_at(1, Fault::Creating(2));
        true
    }
}

#[tokio::test]
async fn the_fake_counts_its_quota_and_shows_it() {
    let rules = Rules { quotas: [(Kind::KeyPair, 1)].into(), ..Rules::default() };
    let fake = Fake::with_rules(rules);
    let key = |name: &str| target("run-1", "plan", Action::KeyPair { name: name.into() });
    fake.ensure(&key("a")).await.expect("one fits");
    assert_eq!(kind_of_refusal(&fake, &key("b")).await, ErrorKind::Quota);
    let quota = fake.quotas(&PROVIDER.into(), &REGION.into()).await.expect("readable")[&Kind::KeyPair];
    assert_eq!((quota.limit, quota.used), (1, 1));
    fake.remove(&key("a")).await.expect("it is ours");
    fake.ensure(&key("b")).await.expect("there is room again");
}

#[tokio::test]
async fn the_fake_fails_at_the_call_it_is_told_to() {
    let fake = Fake::new();
    fake.fault_at(1, Fault::Refuse(ErrorKind::NoCapacity.because("none left")));
    fake.fault_at(2, Fault::LoseReply);
    fake.fault_at(4, Fault::Creating(2));
    let network = target("run-1", "plan", network("main"));
    assert_eq!(kind_of_refusal(&fake, &network).await, ErrorKind::NoCapacity);
    assert_eq!(fake.observe(&network).await, Err(ErrorKind::Unknown.because("the reply was lost")));
    fake.fault_at(3, Fault::LoseReply);
    assert_eq!(kind_of_refusal(&fake, &network).await, ErrorKind::Unknown);
    let effects: Vec<Effect> = fake.calls().iter().map(|call| call.effect).collect();
    assert_eq!(effects, [Effect::Nothing, Effect::Nothing, Effect::Made], "a lost reply hides a real effect");

    let slow = target("run-1", "plan", subnet("front", "10.0.1.0/24"));
    let made = fake.ensure(&slow).await.expect("its network is there");
    assert_eq!(made.resource().status, Status::Creating);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let seen = fake.observe(&slow).await.expect("readable").expect("it exists");
        statuses.push(seen.resource.status);
    }
    assert_eq!(statuses, [Status::Creating, Status::Ready]);
}

#[tokio::test]
async fn the_fake_takes_over_what_only_a_person_can_make() {
    let mut rules = Rules::default();
    rules.kinds.insert(Kind::SecurityGroup, Ability::Adopts);
    let fake = Fake::with_rules(rules);
    let action = Action::SecurityGroup { name: "web".into(), network: "main".into(), rules: Vec::new() };
    let group = target("run-1", "plan", action.clone());
    assert_eq!(kind_of_refusal(&fake, &group).await, ErrorKind::NotFound);
    fake.plant(PROVIDER, REGION, action, None);
    assert!(matches!(fake.ensure(&group).await, Ok(Outcome::Adopted(_))));
    assert_eq!(fake.remove(&group).await, Ok(Removal::NotOurs));
}

#[tokio::test]
async fn two_processes_see_one_cloud_in_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cloud.json");
    let (one, two) = (Fake::open(path.clone()).expect("new"), Fake::open(path.clone()).expect("new"));
    let network = target("run-1", "plan", network("main"));
    one.ensure(&network).await.expect("nothing is in the way");
    assert!(matches!(two.ensure(&network).await, Ok(Outcome::AlreadyThere(_))));
    assert_eq!(two.remove(&network).await, Ok(Removal::Removed));
    assert_eq!(one.observe(&network).await, Ok(None));

    std::fs::write(&path, "{").expect("writable");
    let error = one.observe(&network).await.expect_err("the file is broken");
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(Fake::open(path).is_err());
}
