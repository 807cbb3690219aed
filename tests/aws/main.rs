//! The driver `aws` on moto, which the tests start: the contract, a plan that is applied, killed, resumed and destroyed,
//! and everything that can be wrong with an account.

use std::collections::BTreeMap;

mod accidents;
#[path = "../drivers/contract/mod.rs"]
mod contract;
mod plan;
mod program;
mod refusals;
#[path = "../servers/aws.rs"]
mod server;
mod world;

use program::Program;
use world::World;

/// What this emulator cannot show: networks are there at once.
const LEFT_OUT: [&str; 1] = ["creating before ready"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_keeps_its_promises() {
    let world = World::start();
    assert_eq!(contract::suite(&world).await, LEFT_OUT);
    // The contract has a person make this one.
    assert_eq!(world.seen(), ["key cf-person"], "nothing is left over");
}

#[test]
fn a_plan_is_applied_in_one_command_and_destroyed_to_nothing() {
    let world = World::start();
    let program = Program::new(&world, &plan::whole());
    program.done("apply");
    assert_eq!(world.seen(), plan::APPLIED);
    program.done("destroy");
    assert_eq!(world.seen(), Vec::<String>::new());
}

/// How many lines of each kind AWS's own client shows for the demo estate: fifteen hosts, each with a disk to boot from,
/// ten data disks and two load balancers.
const DEMO: [(&str, usize); 9] = [
    ("balancer", 2),
    ("gateway", 1),
    ("group", 15),
    ("key", 1),
    ("machine", 15),
    ("network", 1),
    ("subnet", 1),
    ("targets", 2),
    ("volume", 25),
];

#[test]
fn the_demo_estate_is_moved_in_one_command_and_destroyed_to_nothing() {
    let world = World { region: "ap-northeast-2", ..World::start() };
    let program = Program::demo(&world);
    program.done("apply");
    let mut counts = BTreeMap::new();
    for line in world.seen() {
        let kind = line.split(' ').next().expect("a word").to_owned();
        assert!(!line.starts_with("machine") || line.contains(" running "), "{line}");
        assert!(!line.starts_with("volume") || line.contains(" in-use "), "{line}");
        *counts.entry(kind).or_insert(0) += 1;
    }
    let counts: Vec<(&str, usize)> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, DEMO);
    program.done("destroy");
    assert_eq!(world.seen(), Vec::<String>::new());
}
