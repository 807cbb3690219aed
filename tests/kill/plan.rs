//! A plan of more than sixty steps with every kind of resource and a person's steps, in one region of one provider, so
//! that one simulated cloud counts all its calls.

use std::path::Path;

use serde_json::{Value, json};

pub const PROVIDER: &str = "aws";
pub const REGION: &str = "ap-northeast-2";

/// What a plan holds besides its steps.
const BLANK: &str = r#"{"carafe": "plan/1", "name": "erp", "currency": "USD",
    "catalog": {"id": "none", "sha256": "", "as_of": "2026-01-01", "oldest": "2026-01-01"},
    "estate_sha256": "", "policy_sha256": "",
    "totals": {"monthly": "0", "monthly_low": "0", "monthly_high": "0", "one_time": "0",
        "horizon_months": 36, "horizon": "0"},
    "bound": {"objective": "0", "lower_bound": "0", "gap": "0", "proven": true},
    "placements": [], "unplaced": [], "bill": [], "price_sources": [], "waves": [],
    "findings": [], "assumptions": []}"#;

/// Writes the plan to a file and returns how many of its steps make something.
pub fn write(path: &Path) -> usize {
    let steps = steps();
    assert!(steps.len() >= 60, "{} steps", steps.len());
    let resources = steps.iter().filter(|step| step["action"]["kind"] != "manual").count();
    let mut plan: Value = serde_json::from_str(BLANK).expect("JSON");
    plan["steps"] = json!(steps);
    std::fs::write(path, plan.to_string()).expect("a temporary file");
    resources
}

fn id(kind: &str, name: &str) -> String {
    format!("{PROVIDER}/{REGION}/{kind}/{name}")
}

fn step(wave: u32, after: &[String], action: Value) -> Value {
    let (kind, name) = (action["kind"].as_str().expect("a kind"), action["name"].as_str().expect("a name"));
    json!({
        "id": id(kind, name), "wave": wave, "provider": PROVIDER, "region": REGION, "after": after, "action": action,
    })
}

fn steps() -> Vec<Value> {
    let network = id("network", "main");
    let mut steps = vec![
        step(0, &[], json!({"kind": "network", "name": "main", "cidr": "10.0.0.0/16"})),
        step(0, &[], json!({"kind": "key_pair", "name": "key"})),
    ];
    for side in 0..3 {
        let (name, cidr) = (format!("side-{side}"), format!("10.0.{side}.0/24"));
        let subnet = json!({"kind": "subnet", "name": name, "network": "main", "cidr": cidr});
        steps.push(step(0, std::slice::from_ref(&network), subnet));
        let rule = json!({"protocol": "tcp", "from_port": 443, "to_port": 443, "source": "0.0.0.0/0"});
        let group = json!({"kind": "security_group", "name": name, "network": "main", "rules": [rule]});
        steps.push(step(0, std::slice::from_ref(&network), group));
    }
    for number in 0..15 {
        steps.extend(machine(number));
    }
    for number in 0..6 {
        let machine = format!("m{number}");
        let address = json!({"kind": "public_address", "name": format!("p{number}"), "machine": machine});
        steps.push(step(1, &[id("machine", &machine)], address));
    }
    let copied: Vec<String> = (0..7).map(|number| id("attachment", &format!("a{number}"))).collect();
    steps.push(step(
        1,
        &copied,
        json!({"kind": "manual", "name": "copy", "text": "Copy the data of wave 1."}),
    ));
    let balancer = json!({
        "kind": "load_balancer", "name": "web", "subnet": "side-0", "public": true, "protocol": "tcp", "port": 443,
        "member_port": 8443, "members": ["m0", "m3"],
    });
    steps.push(step(1, &[id("subnet", "side-0"), id("machine", "m0"), id("machine", "m3")], balancer));
    let cluster = json!({
        "kind": "kubernetes_cluster", "name": "apps", "subnets": ["side-0", "side-1"], "security_groups": ["side-1"],
        "key_pair": "key", "instance_type": "m5.large", "nodes": 3,
    });
    let under = [
        id("subnet", "side-0"),
        id("subnet", "side-1"),
        id("security_group", "side-1"),
        id("key_pair", "key"),
    ];
    steps.push(step(2, &[under.as_slice(), &[id("manual", "copy")]].concat(), cluster));
    steps
}

fn machine(number: usize) -> [Value; 3] {
    let (name, disk, side) = (format!("m{number}"), format!("d{number}"), format!("side-{}", number % 3));
    let wave = if number < 7 { 1 } else { 2 };
    let image =
        json!({"family": "linux", "name": "Ubuntu 22.04 LTS", "version": "22.04", "architecture": "x86_64"});
    let machine = json!({
        "kind": "machine", "name": name, "instance_type": "m5.large", "vcpus": 2, "memory_mib": 8192, "image": image,
        "subnet": side, "security_groups": [side], "key_pair": "key",
    });
    let under = [id("subnet", &side), id("security_group", &side), id("key_pair", "key")];
    let attachment =
        json!({"kind": "attachment", "name": format!("a{number}"), "disk": disk, "machine": name});
    [
        step(wave, &under, machine),
        step(wave, &[], json!({"kind": "disk", "name": disk, "size_gib": 100})),
        step(wave, &[id("machine", &name), id("disk", &disk)], attachment),
    ]
}
