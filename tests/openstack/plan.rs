//! A plan with every kind of resource that OpenStack makes, as `carafe apply` reads it.

use serde_json::{Value, json};

/// What a plan holds besides its steps.
const BLANK: &str = r#"{"carafe": "plan/1", "name": "erp", "currency": "USD",
    "catalog": {"id": "none", "sha256": "", "as_of": "2026-01-01", "oldest": "2026-01-01"},
    "estate_sha256": "", "policy_sha256": "",
    "totals": {"monthly": "0", "monthly_low": "0", "monthly_high": "0", "one_time": "0",
        "horizon_months": 36, "horizon": "0"},
    "bound": {"objective": "0", "lower_bound": "0", "gap": "0", "proven": true},
    "placements": [], "unplaced": [], "bill": [], "price_sources": [], "waves": [],
    "findings": [], "assumptions": []}"#;

fn id(kind: &str, name: &str) -> String {
    format!("openstack/RegionOne/{}/{name}", kind.replace('_', "-"))
}

fn step(after: &[(&str, &str)], action: Value) -> Value {
    let (kind, name) = (action["kind"].as_str().expect("a kind"), action["name"].as_str().expect("a name"));
    let after: Vec<String> = after.iter().map(|(kind, name)| id(kind, name)).collect();
    json!({
        "id": id(kind, name), "wave": 1, "provider": "openstack", "region": "RegionOne", "after": after,
        "action": action,
    })
}

/// How many resources [`plan`] makes.
pub const RESOURCES: usize = 13;

/// Two machines, one with a disk of its own to boot from, a data disk, a public address and a load balancer.
/// `instance_type` and `image` are what the machines are made of.
pub fn plan(instance_type: &str, image: &str) -> Value {
    let image = json!({"family": "linux", "name": image, "architecture": "x86_64"});
    let rule = json!({"protocol": "tcp", "from_port": 8080, "to_port": 8080, "source": "10.70.0.0/16"});
    let machine = |name: &str, root: u64| {
        json!({
            "kind": "machine", "name": name, "instance_type": instance_type, "vcpus": 1, "memory_mib": 512,
            "image": image, "subnet": "erp-front", "security_groups": ["erp-sg"], "key_pair": "erp-key",
            "root_disk_gib": root,
        })
    };
    let under = [("subnet", "erp-front"), ("security_group", "erp-sg"), ("key_pair", "erp-key")];
    let steps = [
        step(&[], json!({"kind": "network", "name": "erp-net", "cidr": "10.70.0.0/16"})),
        step(&[], json!({"kind": "key_pair", "name": "erp-key"})),
        step(
            &[("network", "erp-net")],
            json!({"kind": "subnet", "name": "erp-front", "network": "erp-net", "cidr": "10.70.0.0/20"}),
        ),
        step(
            &[("network", "erp-net")],
            json!({"kind": "subnet", "name": "erp-back", "network": "erp-net", "cidr": "10.70.16.0/20"}),
        ),
        step(
            &[("network", "erp-net")],
            json!({"kind": "security_group", "name": "erp-sg", "network": "erp-net", "rules": [rule]}),
        ),
        step(&under, machine("erp-1", 1)),
        step(&under, machine("erp-2", 3)),
        step(&[], json!({"kind": "disk", "name": "erp-1-d1", "size_gib": 5})),
        step(&[], json!({"kind": "disk", "name": "erp-2-d1", "size_gib": 6, "class": "fast"})),
        step(
            &[("disk", "erp-1-d1"), ("machine", "erp-1")],
            json!({"kind": "attachment", "name": "erp-1-at", "disk": "erp-1-d1", "machine": "erp-1"}),
        ),
        step(
            &[("disk", "erp-2-d1"), ("machine", "erp-2")],
            json!({"kind": "attachment", "name": "erp-2-at", "disk": "erp-2-d1", "machine": "erp-2"}),
        ),
        step(
            &[("machine", "erp-1")],
            json!({"kind": "public_address", "name": "erp-1-ip", "machine": "erp-1"}),
        ),
        step(
            &[("machine", "erp-1"), ("machine", "erp-2")],
            json!({
                "kind": "load_balancer", "name": "erp-lb", "subnet": "erp-front", "public": true, "protocol": "tcp",
                "port": 80, "member_port": 8080, "members": ["erp-1", "erp-2"],
                "health_check": {"protocol": "http", "interval_seconds": 5, "timeout_seconds": 3, "threshold": 3},
            }),
        ),
    ];
    assert_eq!(steps.len(), RESOURCES);
    let mut plan: Value = serde_json::from_str(BLANK).expect("JSON");
    plan["steps"] = json!(steps);
    plan
}
