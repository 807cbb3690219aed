//! The driver `spider` on exchanges that were recorded from CB-Spider 0.13 with its MOCK driver.
//!
//! `./test spider` runs the same on a real server, and records anew when CARAFE_RECORD is set.

use std::path::{Path, PathBuf};

use carafe::drivers::connections::{Connections, read};

use crate::exchange::Exchange;
use crate::spider_world::{LEFT_OUT, Mock, take_up_what_was_lost};

pub fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/recorded").join(format!("{name}.jsonl"))
}

#[tokio::test]
async fn it_keeps_the_contract_with_tags_and_without() {
    for name in ["contract", "contract-by-name"] {
        let world = Mock::new(Exchange::recorded(&recording(name)).await).await;
        assert_eq!(crate::contract::suite(&world).await, LEFT_OUT, "{name}");
        world.clean_up().await;
        assert_eq!(world.exchange.left(), 0, "the recording {name} goes on");
    }
}

#[tokio::test]
async fn a_machine_that_spider_lost_sight_of_is_found_by_its_tags() {
    let world = Mock::new(Exchange::recorded(&recording("lost")).await).await;
    take_up_what_was_lost(&world).await;
    assert_eq!(world.exchange.left(), 0, "the recording goes on");
}

#[test]
fn settings_that_cannot_work_are_told_before_anything_is_asked() {
    let open = |more: &str| {
        let text = format!(
            "[[connection]]\nname = \"a\"\nprovider = \"aws\"\ndriver = \"spider\"\nconnection = \"c\"\n{more}"
        );
        let (connections, findings) = read("c.toml", &text);
        let opened = Connections::open(&connections, &|_| Some("secret-of-mine".to_owned())).err();
        let all: Vec<String> = findings
            .into_iter()
            .chain(opened.into_iter().flatten())
            .map(|finding| finding.summary.to_string())
            .collect();
        assert!(!all.join(" ").contains("secret-of-mine"));
        all.join("; ")
    };
    let good = "endpoint = \"http://127.0.0.1:1024\"\ncloud = \"AWS\"\npassword = \"env:P\"\n";
    assert_eq!(open(good), "");
    for (settings, told) in [
        ("endpoint = \"http://a\"\n", "\"cloud\" is missing"),
        ("endpoint = \"http://a\"\ncloud = \"MOON\"\n", "cloud \"MOON\" is none of Spider's: AWS, AZURE"),
        ("endpoint = \"a\"\ncloud = \"AWS\"\n", "endpoint is not a web address"),
        ("endpoint = \"http://u:p@a\"\ncloud = \"AWS\"\n", "endpoint holds a user name or a password"),
        ("endpoint = \"http://a\"\ncloud = \"AWS\"\nimages = \"ubuntu\"\n", "\"ubuntu\" in images is not"),
        (
            "endpoint = \"http://a\"\ncloud = \"AWS\"\npassword = \"hunter2\"\n",
            "this must be the name of a secret",
        ),
    ] {
        assert!(open(settings).contains(told), "{settings}: {}", open(settings));
    }
}
