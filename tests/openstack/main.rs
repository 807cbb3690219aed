//! The driver `openstack` on a real control plane. `./test openstack` runs it.
//!
//! One test, as everything shares the control plane, whose start takes longest.

#[path = "../drivers/contract/mod.rs"]
mod contract;
mod plan;
mod program;
#[path = "../servers/openstack.rs"]
mod server;
mod world;

use program::{Program, seen};
use server::OpenStack;
use world::World;

/// What this control plane cannot show: networks are there at once, and it has no Magnum.
const LEFT_OUT: [&str; 2] = ["creating before ready", "Kubernetes cluster"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_keeps_its_promises_on_a_real_control_plane() {
    let server = OpenStack::start();
    let world = World::new(&server);
    let before = seen(&world);
    assert_eq!(contract::suite(&world).await, LEFT_OUT);
    a_plan_is_carried_out_and_undone(&world, &before);
}

/// As another client sees it.
fn a_plan_is_carried_out_and_undone(world: &World<'_>, before: &[String]) {
    let program = Program::new(world);
    program.done("apply");
    let applied = seen(world);
    for expected in [
        "network erp-net",
        "subnet erp-front 10.70.0.0/20",
        "router erp-net ACTIVE",
        "keypair erp-key",
        "server erp-1 ACTIVE",
        "server erp-2 ACTIVE",
        "volume erp-1-d1 in-use 5 standard",
        "volume erp-2-d1 in-use 6 fast",
        "loadbalancer erp-lb ACTIVE",
    ] {
        assert!(applied.iter().any(|seen| seen == expected), "{expected}: {applied:?}");
    }
    let addresses = applied.iter().filter(|seen| *seen == "address true").count();
    assert_eq!(addresses, 2, "of a machine and of the load balancer: {applied:?}");
    // The third volume is the one that erp-2 boots from, as its flavor brings too small a disk.
    assert_eq!(applied.iter().filter(|seen| seen.starts_with("volume")).count(), 3, "{applied:?}");
    program.done("destroy");
    assert_eq!(seen(world), before, "nothing is left over");
}
