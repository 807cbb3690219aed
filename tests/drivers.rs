//! One suite that every driver passes: what [`Driver`](carafe::drivers::Driver) promises, driver by driver.
//!
//! A driver that needs a service takes part by giving `open_for_tests` a way to reach one.

use std::sync::Arc;

use carafe::drivers::connections::Settings;
use carafe::drivers::fake::{Effect, Fake, Fault, Rules};
use carafe::drivers::{
    Ability, DRIVERS, Driver, ErrorKind, IdempotencyKey, Kind, Outcome, Ownership, Removal, Status, Target,
};
use carafe::run_id::RunId;
use carafe_model::steps::Action;

const PROVIDER: &str = "aws";
const REGION: &str = "ap-northeast-2";

fn open_for_tests() -> Vec<(&'static str, Arc<dyn Driver>)> {
    let opened: Vec<_> = DRIVERS
        .iter()
        .map(|entry| (entry.name, (entry.open)(&Settings::default()).expect("it opens without settings")))
        .collect();
    assert!(!opened.is_empty());
    opened
}

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
async fn making_is_idempotent_by_key_and_tells_whose_it_is() {
    for (name, driver) in open_for_tests() {
        let first = target("run-1", "plan", network("main"));
        assert_eq!(driver.observe(&first).await, Ok(None), "{name}");
        let made = driver.ensure(&first).await.expect("nothing is in the way");
        let Outcome::Made(resource) = &made else { panic!("{name}: {made:?}") };
        assert_eq!(resource.owner.as_ref(), Some(&first.owner), "{name}");

        let again = driver.ensure(&first).await;
        assert_eq!(again, Ok(Outcome::AlreadyThere(resource.clone())), "{name}");
        let other_run = target("run-2", "plan", network("main"));
        let adopted = driver.ensure(&other_run).await;
        assert_eq!(adopted, Ok(Outcome::Adopted(resource.clone())), "{name}");

        let seen = driver.observe(&other_run).await.expect("readable").expect("it exists");
        assert_eq!((&seen.resource, seen.differences.len()), (resource, 0), "{name}");
    }
}

#[tokio::test]
async fn what_another_plan_made_is_neither_taken_nor_removed() {
    for (name, driver) in open_for_tests() {
        let theirs = target("run-1", "their plan", network("main"));
        driver.ensure(&theirs).await.expect("nothing is in the way");
        let ours = target("run-2", "our plan", network("main"));
        assert_eq!(kind_of_refusal(&*driver, &ours).await, ErrorKind::Conflict, "{name}");
        assert_eq!(driver.remove(&ours).await, Ok(Removal::NotOurs), "{name}");
        // The same plan in another run adopted it at most: it stays with the run that made it.
        let adopter = target("run-3", "their plan", network("main"));
        assert_eq!(driver.remove(&adopter).await, Ok(Removal::NotOurs), "{name}");
        assert_eq!(driver.remove(&theirs).await, Ok(Removal::Removed), "{name}");
        assert_eq!(driver.remove(&theirs).await, Ok(Removal::Absent), "{name}");
    }
}

#[tokio::test]
async fn other_settings_under_the_same_key_are_a_conflict_and_are_told() {
    for (name, driver) in open_for_tests() {
        driver.ensure(&target("run-1", "plan", network("main"))).await.expect("nothing is in the way");
        let changed = Action::Network { name: "main".into(), cidr: "10.1.0.0/16".into() };
        let changed = target("run-1", "plan", changed);
        assert_eq!(kind_of_refusal(&*driver, &changed).await, ErrorKind::Conflict, "{name}");
        let seen = driver.observe(&changed).await.expect("readable").expect("it exists");
        assert_eq!(seen.differences.len(), 1, "{name}: {:?}", seen.differences);
    }
}

#[tokio::test]
async fn nothing_is_made_without_what_it_needs_nor_removed_while_it_is_needed() {
    for (name, driver) in open_for_tests() {
        let subnet = target("run-1", "plan", subnet("front", "10.0.1.0/24"));
        assert_eq!(kind_of_refusal(&*driver, &subnet).await, ErrorKind::NotFound, "{name}");
        // Whether the network exists yet is not the question when a plan is checked.
        assert_eq!(driver.check(&subnet).await, Ok(vec![]), "{name}");
        let network = target("run-1", "plan", network("main"));
        driver.ensure(&network).await.expect("it needs nothing");
        driver.ensure(&subnet).await.expect("its network is there");
        let refused = driver.remove(&network).await.expect_err("the subnet is in it");
        assert_eq!(refused.kind, ErrorKind::Conflict, "{name}");
        assert_eq!(driver.remove(&subnet).await, Ok(Removal::Removed), "{name}");
        assert_eq!(driver.remove(&network).await, Ok(Removal::Removed), "{name}");
    }
}

#[tokio::test]
async fn addresses_are_inside_their_network_and_beside_one_another() {
    for (name, driver) in open_for_tests() {
        driver.ensure(&target("run-1", "plan", network("main"))).await.expect("it needs nothing");
        driver.ensure(&target("run-1", "plan", subnet("a", "10.0.0.0/20"))).await.expect("it fits");
        for (cidr, refusal) in [
            ("10.0.15.0/24", ErrorKind::Conflict),
            ("10.0.0.0/16", ErrorKind::Conflict),
            ("10.1.0.0/24", ErrorKind::Invalid),
            ("10.0.16.1/24", ErrorKind::Invalid),
            ("everything", ErrorKind::Invalid),
        ] {
            let clashing = target("run-1", "plan", subnet("b", cidr));
            let told: Vec<ErrorKind> =
                driver.check(&clashing).await.expect("readable").iter().map(|error| error.kind).collect();
            assert_eq!(told, [refusal], "{name}: {cidr} is told before it is tried");
            assert_eq!(kind_of_refusal(&*driver, &clashing).await, refusal, "{name}: {cidr}");
        }
        driver.ensure(&target("run-1", "plan", subnet("b", "10.0.16.0/24"))).await.expect("it fits");
    }
}

#[tokio::test]
async fn what_a_run_owns_is_listed_by_its_tags() {
    for (name, driver) in open_for_tests() {
        driver.ensure(&target("run-1", "plan", network("main"))).await.expect("free");
        driver.ensure(&target("run-1", "plan", Action::KeyPair { name: "k".into() })).await.expect("free");
        driver.ensure(&target("run-2", "other", Action::KeyPair { name: "j".into() })).await.expect("free");
        let names = async |run: Option<&RunId>, region: &str| {
            let listed = driver.list(&PROVIDER.into(), &region.into(), run).await.expect("readable");
            listed.into_iter().map(|resource| resource.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Some(&"run-1".into()), REGION).await, ["main", "k"], "{name}");
        assert_eq!(names(None, REGION).await, ["main", "j", "k"], "{name}");
        assert!(names(None, "elsewhere").await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn every_kind_can_be_made_in_some_way() {
    for (name, driver) in open_for_tests() {
        let kinds = &driver.capabilities().kinds;
        for kind in Kind::ALL {
            assert_eq!(kinds.get(&kind), Some(&Ability::Makes), "{name}: {kind}");
        }
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
