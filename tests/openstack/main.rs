//! The driver `openstack` on a real control plane. `./test openstack` runs it.
//!
//! One test, as everything shares the control plane, whose start takes longest.

#[path = "../drivers/contract/mod.rs"]
mod contract;
#[path = "../servers/openstack.rs"]
mod server;
mod world;

use server::OpenStack;
use world::World;

/// What this control plane cannot show: networks are there at once, and it has no Magnum.
const LEFT_OUT: [&str; 2] = ["creating before ready", "Kubernetes cluster"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_keeps_its_promises_on_a_real_control_plane() {
    let server = OpenStack::start();
    let world = World::new(&server);
    assert_eq!(contract::suite(&world).await, LEFT_OUT);
}
