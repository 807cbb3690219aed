//! Everything that can be wrong with an account or its cloud: each is told as what it is, before anything is made where
//! reading can tell.

use std::sync::Arc;

use carafe::drivers::{Driver, DriverError, ErrorKind, IdempotencyKey, Kind, Ownership, Target};
use carafe_model::steps::Action;
use serde_json::{Value, json};

use crate::contract::World as _;
use crate::contract::names::network;
use crate::plan;
use crate::program::Program;
use crate::world::{REGION, World};

fn target(action: Action) -> Target {
    let step = format!("{}/{}", action.kind(), action.name()).as_str().into();
    Target {
        provider: "aws".into(),
        region: REGION.into(),
        kind: Kind::of(&action).expect("a resource"),
        owner: Ownership { run: "run-1".into(), key: IdempotencyKey::new("plan", &step), step },
        action,
    }
}

fn machine(world: &World, instance_type: &str) -> Target {
    let (_, vcpus, memory_mib) = world.instance_type();
    target(Action::Machine {
        name: "m".into(),
        instance_type: instance_type.into(),
        vcpus,
        memory_mib,
        image: world.image(),
        subnet: "s".into(),
        security_groups: vec!["g".into()],
        key_pair: "k".into(),
        root_disk_gib: None,
        root_disk_class: None,
    })
}

async fn access_refused(driver: Arc<dyn Driver>) -> DriverError {
    driver.access().await.expect_err("it cannot be reached")
}

/// The one thing that the dry run says against a target.
async fn told(world: &World, target: &Target) -> DriverError {
    let mut told = world.driver().check(target).await.expect("readable");
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_way_in_is_told_as_what_it_is() {
    let world = World::start();
    const SECRET: &str = "hunter2-hunter2";
    let https = world.server.variable("AWS_ENDPOINT_URL").replace("http://", "https://");
    for (what, change, secret, is, says) in [
        (
            "wrong endpoint",
            &[("endpoint", "http://127.0.0.1:9")][..],
            SECRET,
            "throttled",
            "cannot be reached",
        ),
        ("no TLS", &[("endpoint", https.as_str())], SECRET, "invalid", "cannot be trusted"),
        ("wrong secret", &[], SECRET, "denied", "not the one of the access key id"),
        ("wrong key", &[("access_key_id", "AKIAWRONG")], "testing", "denied", "InvalidClientTokenId"),
        ("not a region", &[("endpoint", ""), ("region_name", "a/b")], SECRET, "invalid", "is no region"),
    ] {
        let refused = access_refused(world.open(change, secret)).await;
        assert_eq!(refused.kind.name(), is, "{what}: {refused}");
        assert!(refused.message.contains(says), "{what}: {refused}");
        assert!(!refused.message.contains(SECRET), "{what}: {refused}");
    }
    let token = world.folder.path().join("token");
    std::fs::write(&token, "expired").expect("writable");
    let token = format!("file:{}", token.display());
    let expired = access_refused(world.with(&[("session_token", &token)])).await;
    assert_eq!(expired.kind, ErrorKind::Denied, "{expired}");
    assert!(expired.message.contains("ExpiredToken"), "{expired}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_refused_is_told_before_it_is_tried() {
    let world = World::start();
    let faults = |rules: Value| world.server.faults(&rules);

    let gone = told(&world, &machine(&world, "m9.large")).await;
    assert_eq!(gone.kind, ErrorKind::NotFound, "{gone}");

    let none = r#"<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet/></DescribeInstanceTypeOfferingsResponse>"#;
    faults(json!([{"action": "DescribeInstanceTypeOfferings", "status": 200, "body": none}]));
    let nowhere = told(&world, &machine(&world, "m5.large")).await;
    assert_eq!(nowhere.kind, ErrorKind::NoCapacity, "{nowhere}");

    faults(json!([{"service": "servicequotas", "status": 200, "body": r#"{"Quota": {"Value": 0.0}}"#}]));
    for target in [target(network("n")), machine(&world, "m5.large")] {
        let full = told(&world, &target).await;
        assert_eq!(full.kind, ErrorKind::Quota, "{full}");
        assert!(full.message.contains("may have 0"), "{full}");
    }

    let mut no_image = machine(&world, "m5.large");
    if let Action::Machine { image, .. } = &mut no_image.action {
        image.name = "Ubuntu 10.04 LTS".into();
    }
    faults(json!([]));
    let missing = told(&world, &no_image).await;
    assert_eq!(missing.kind, ErrorKind::NotFound, "{missing}");
    assert!(missing.message.contains("\"images\" setting"), "{missing}");

    faults(json!([{"action": "DryRun:.*", "code": "UnauthorizedOperation", "status": 403}]));
    for target in [target(network("n")), machine(&world, "m5.large")] {
        let denied = told(&world, &target).await;
        assert_eq!(denied.kind, ErrorKind::Denied, "{denied}");
    }

    faults(json!([]));
    let (provider, region) = world.place();
    let types = ["m5.large".to_owned(), "m9.large".to_owned()];
    let sold = world.driver().sales(&provider, &region, &types).await.expect("readable");
    assert_eq!(sold.keys().collect::<Vec<_>>(), ["m5.large"]);
    let quotas = world.driver().quotas(&provider, &region).await.expect("readable");
    assert_eq!(quotas[&Kind::PublicAddress].limit, 5);
    assert_eq!((quotas[&Kind::Network].limit, quotas[&Kind::Network].used), (5, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_in_the_act_is_told_as_what_it_is() {
    let world = World::start();
    let network = target(network("n"));
    for (code, status, is) in [
        ("RequestLimitExceeded", 503, "throttled"),
        ("VpcLimitExceeded", 400, "quota"),
        ("UnauthorizedOperation", 403, "denied"),
        ("InsufficientInstanceCapacity", 500, "no_capacity"),
        ("InternalError", 500, "unknown"),
    ] {
        world.server.faults(&json!([{"action": "CreateVpc", "code": code, "status": status}]));
        let refused = world.driver().ensure(&network).await.expect_err("it is refused");
        assert_eq!(refused.kind.name(), is, "{refused}");
    }
    // What only reads is asked again, so that a cloud which is busy for a moment goes unnoticed.
    world.server.faults(
        &json!([{"action": "DescribeVpcs", "code": "RequestLimitExceeded", "status": 503, "times": 2}]),
    );
    world.driver().observe(&network).await.expect("the third time");
    world.server.faults(&json!([{"action": "DescribeVpcs", "code": "RequestLimitExceeded", "status": 503}]));
    let busy = world.driver().observe(&network).await.expect_err("always");
    assert_eq!(busy.kind.name(), "throttled", "{busy}");
}

#[test]
fn what_the_account_may_not_do_is_told_by_the_dry_run_of_a_plan() {
    let world = World::start();
    world
        .server
        .faults(&json!([{"action": "DryRun:CreateVpc", "code": "UnauthorizedOperation", "status": 403}]));
    let program = Program::new(&world, &plan::whole());
    let refused = program.run(&["apply", "plan.json", "--dry-run"]);
    let said =
        String::from_utf8_lossy(&refused.stdout).into_owned() + &String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("UnauthorizedOperation") && said.contains("erp-net"), "{said}");
    assert_eq!(world.seen(), Vec::<String>::new());
}
