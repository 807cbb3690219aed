//! The driver `aws` on moto, which the tests start: the contract, a plan that is applied, killed, resumed and destroyed,
//! and everything that can be wrong with an account.

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
