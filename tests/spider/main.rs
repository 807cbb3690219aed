//! The driver `spider` on a real CB-Spider with its MOCK driver. `./test spider` runs it; it is not part of all tests,
//! because nobody can start the server for it.
//!
//! `CARAFE_SPIDER_URL` says where the server is, `CARAFE_SPIDER_USER` and `CARAFE_SPIDER_PASSWORD` who may ask. With
//! `CARAFE_RECORD` set, the exchanges are written to tests/drivers/recorded.

use std::path::{Path, PathBuf};

#[path = "../drivers/contract/mod.rs"]
mod contract;
#[path = "../drivers/exchange.rs"]
mod exchange;
mod site;
#[path = "../drivers/spider_world.rs"]
mod spider_world;

use exchange::Exchange;
use spider_world::{LEFT_OUT, Mock};

async fn server(tags: bool) -> Mock {
    let url = std::env::var("CARAFE_SPIDER_URL")
        .expect("set CARAFE_SPIDER_URL to a CB-Spider, as ./test --help says");
    Mock::new(Exchange::live(&url, tags).await).await
}

/// Writes down what was asked and answered; to the repository when that is wanted.
fn record(world: &Mock, name: &str) -> PathBuf {
    let folder = match std::env::var_os("CARAFE_RECORD") {
        Some(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/recorded"),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
    };
    let path = folder.join(format!("{name}.jsonl"));
    world.exchange.record(&path);
    path
}

/// One test, as all parts share the server's one simulated cloud.
#[tokio::test]
async fn it_keeps_the_contract_and_takes_up_what_was_lost() {
    for (tags, name) in [(true, "contract"), (false, "contract-by-name")] {
        let world = server(tags).await;
        assert_eq!(contract::suite(&world).await, LEFT_OUT);
        world.clean_up().await;
        record(&world, name);
    }

    let world = server(true).await;
    spider_world::take_up_what_was_lost(&world).await;
    let recording = record(&world, "lost");

    // What was written down is enough to play the same again.
    let world = Mock::new(Exchange::recorded(&recording).await).await;
    spider_world::take_up_what_was_lost(&world).await;
    assert_eq!(world.exchange.left(), 0);
}

#[tokio::test]
async fn a_site_is_made_resumed_and_destroyed() {
    let variable = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let url = std::env::var("CARAFE_SPIDER_URL")
        .expect("set CARAFE_SPIDER_URL to a CB-Spider, as ./test --help says");
    let user = variable("CARAFE_SPIDER_USER", "default");
    let password = variable("CARAFE_SPIDER_PASSWORD", "default");
    site::is_made_resumed_and_destroyed(&url, &user, &password, spider_world::secret).await;
}
