//! What a simulated cloud holds in the end.

use std::path::Path;

use serde_json::{Value, json};

/// What exists, with the one run that owns all of it called "run"; fails if anything was ever made twice.
pub fn cloud(path: &Path, context: &str) -> Value {
    let text = std::fs::read_to_string(path).expect("a simulated cloud");
    let mut cloud: Value = serde_json::from_str(&text).expect("JSON");
    for count in cloud["made"].as_array().expect("counts") {
        assert_eq!(count["times"], 1, "{context}: {}", count["slot"]);
    }
    let mut runs = Vec::new();
    for item in cloud["items"].as_array_mut().expect("items") {
        let item = item["item"].as_object_mut().expect("an item");
        // How many looks it took to become ready is no part of what it is.
        item.remove("creating");
        let run = item["owner"]["run"].take();
        assert!(run.is_string(), "{context}: {item:?} is nobody's");
        item["owner"]["run"] = json!("run");
        runs.push(run);
    }
    runs.dedup();
    assert!(runs.len() <= 1, "{context}: {runs:?}");
    cloud
}
