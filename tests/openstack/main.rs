//! The driver `openstack` on a real control plane. `./test openstack` runs it.
//!
//! One test, as everything shares the control plane, whose start takes longest.

#[path = "../drivers/contract/mod.rs"]
mod contract;
mod plan;
mod program;
mod refusals;
#[path = "../servers/openstack.rs"]
mod server;
mod world;

use program::{Program, seen};
use serde_json::json;
use server::OpenStack;
use world::World;

/// What this control plane cannot show: networks are there at once, and it has no Magnum.
const LEFT_OUT: [&str; 2] = ["creating before ready", "Kubernetes cluster"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_keeps_its_promises_on_a_real_control_plane() {
    let server = OpenStack::start();
    let world = World::new(&server);
    let nothing = seen(&world);
    assert_eq!(contract::suite(&world).await, LEFT_OUT);
    server.order("keypair delete cf-person");
    assert_eq!(seen(&world), nothing, "the contract leaves only what a person made");
    refusals::everything_that_can_be_known_is_told_before(&world).await;
    a_plan_is_carried_out_on_a_bad_day(&world, &nothing);
}

/// Services are slow, busy, and lose what they had to say.
fn a_plan_is_carried_out_on_a_bad_day(world: &World<'_>, nothing: &[String]) {
    let program = Program::new(world);
    let ours = "^carafe";
    world.server.faults(&json!([
        {"service": "compute", "method": "POST", "path": "/servers$", "agent": ours, "drop": true, "times": 1},
        {"service": "compute", "method": "POST", "path": "/servers$", "agent": ours, "status": 503, "times": 1},
        {"service": "network", "method": "POST", "path": "/(networks|security-groups|ports)$", "agent": ours,
         "drop": true, "after": 1, "times": 2},
        {"service": "network", "method": "GET", "path": "/subnets", "agent": ours, "status": 503, "times": 3},
        {"service": "network", "path": "/floatingips", "agent": ours, "delay": 1.5, "times": 6},
        {"service": "volume", "method": "POST", "path": "/volumes$", "agent": ours, "drop": true, "times": 1},
        {"service": "compute", "method": "POST", "path": "/os-volume_attachments$", "agent": ours, "drop": true,
         "times": 1},
        {"service": "load-balancer", "method": "POST", "path": "/loadbalancers$", "agent": ours, "drop": true,
         "times": 1},
        {"service": "identity", "method": "POST", "path": "/tokens", "agent": ours, "status": 503, "times": 1},
        // A token that has ended.
        {"service": "compute", "method": "GET", "path": "/flavors", "agent": ours, "status": 401, "times": 1},
        {"service": "volume", "method": "GET", "path": ".", "agent": ours, "status": 429,
         "headers": {"Retry-After": "1"}, "times": 2},
        {"service": "virt", "op": "spawn", "name": "^erp-1$", "delay": 4},
    ]));
    program.carried_out("apply");
    let whole = seen(world);
    let expected = [
        "address plugged",
        "address plugged",
        "group erp-sg",
        "keypair erp-key",
        "loadbalancer erp-lb ACTIVE",
        "network erp-net",
        "router erp-net ACTIVE",
        "server erp-1 ACTIVE",
        "server erp-2 ACTIVE",
        "subnet erp-back 10.70.16.0/20",
        "subnet erp-front 10.70.0.0/20",
        // What erp-2 boots from, as its flavor brings too small a disk.
        "volume  in-use 3 standard",
        "volume erp-1-d1 in-use 5 standard",
        "volume erp-2-d1 in-use 6 fast",
    ];
    let told: Vec<&String> = whole.iter().filter(|line| !line.starts_with("port ")).collect();
    assert_eq!(told, expected, "nothing is doubled and nothing is missing");
    world.server.faults(&json!([
        {"service": "compute", "method": "DELETE", "path": "/servers/", "agent": ours, "drop": true, "times": 1},
        {"service": "network", "method": "DELETE", "path": ".", "agent": ours, "status": 503, "times": 2},
        {"service": "volume", "method": "DELETE", "path": "/volumes/", "agent": ours, "drop": true, "times": 1},
        {"service": "load-balancer", "method": "DELETE", "path": ".", "agent": ours, "drop": true, "times": 1},
    ]));
    program.carried_out("destroy");
    world.server.faults(&json!([]));
    assert_eq!(seen(world), nothing, "nothing is left over");
}
