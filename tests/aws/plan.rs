//! A plan with every kind of resource, in two zones, as `carafe apply` reads it.

use serde_json::{Value, json};

use crate::world::REGION;

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
    format!("aws/{REGION}/{}/{name}", kind.replace('_', "-"))
}

fn step(after: &[(&str, &str)], action: Value) -> Value {
    let (kind, name) = (action["kind"].as_str().expect("a kind"), action["name"].as_str().expect("a name"));
    let after: Vec<String> = after.iter().map(|(kind, name)| id(kind, name)).collect();
    json!({
        "id": id(kind, name), "wave": 1, "provider": "aws", "region": REGION, "after": after, "action": action,
    })
}

/// Two machines in two zones, each with a data disk, a public address, a load balancer over both and a cluster.
pub fn whole() -> Value {
    let image = json!({"family": "linux", "name": "Ubuntu 22.04.3 LTS", "architecture": "x86_64"});
    let rule = json!({"protocol": "tcp", "from_port": 8080, "to_port": 8080, "source": "10.70.0.0/16"});
    let machine = |name: &str, subnet: &str| {
        json!({
            "kind": "machine", "name": name, "instance_type": "m5.large", "vcpus": 2, "memory_mib": 8192,
            "image": image, "subnet": subnet, "security_groups": ["erp-sg"], "key_pair": "erp-key",
            "root_disk_gib": 30, "root_disk_class": "gp3",
        })
    };
    let net = [("network", "erp-net")];
    let under = |subnet| [("subnet", subnet), ("security_group", "erp-sg"), ("key_pair", "erp-key")];
    let disk = |name: &str, zone: &str| json!({"kind": "disk", "name": name, "size_gib": 50, "zone": zone});
    let attachment = |name: &str, disk: &str, machine: &str| {
        step(
            &[("disk", disk), ("machine", machine)],
            json!({"kind": "attachment", "name": name, "disk": disk, "machine": machine}),
        )
    };
    let subnet = |name: &str, cidr: &str, zone: &str| {
        step(&net, json!({"kind": "subnet", "name": name, "network": "erp-net", "cidr": cidr, "zone": zone}))
    };
    let steps = [
        step(&[], json!({"kind": "network", "name": "erp-net", "cidr": "10.70.0.0/16"})),
        step(&[], json!({"kind": "key_pair", "name": "erp-key"})),
        subnet("erp-a", "10.70.0.0/20", "us-east-1a"),
        subnet("erp-b", "10.70.16.0/20", "us-east-1b"),
        step(
            &net,
            json!({"kind": "security_group", "name": "erp-sg", "network": "erp-net", "rules": [rule]}),
        ),
        step(&under("erp-a"), machine("erp-1", "erp-a")),
        step(&under("erp-b"), machine("erp-2", "erp-b")),
        step(&[], disk("erp-1-d1", "us-east-1a")),
        step(&[], disk("erp-2-d1", "us-east-1b")),
        attachment("erp-1-at", "erp-1-d1", "erp-1"),
        attachment("erp-2-at", "erp-2-d1", "erp-2"),
        step(
            &[("machine", "erp-1")],
            json!({"kind": "public_address", "name": "erp-1-ip", "machine": "erp-1"}),
        ),
        step(
            &[("machine", "erp-1"), ("machine", "erp-2")],
            json!({
                "kind": "load_balancer", "name": "erp-lb", "subnet": "erp-a", "public": true, "protocol": "tcp",
                "port": 80, "member_port": 8080, "members": ["erp-1", "erp-2"],
                "health_check": {"protocol": "http", "interval_seconds": 5, "timeout_seconds": 3, "threshold": 3},
            }),
        ),
        step(
            &under("erp-a"),
            json!({
                "kind": "kubernetes_cluster", "name": "erp-k8s", "subnets": ["erp-a"],
                "security_groups": ["erp-sg"], "key_pair": "erp-key", "instance_type": "m5.large", "nodes": 2,
            }),
        ),
    ];
    let mut plan: Value = serde_json::from_str(BLANK).expect("JSON");
    plan["steps"] = json!(steps);
    plan
}

/// The same without the cluster, which takes longest.
pub fn without_cluster() -> Value {
    let mut plan = whole();
    let steps = plan["steps"].as_array_mut().expect("a list");
    steps.retain(|step| step["action"]["kind"] != "kubernetes_cluster");
    plan
}

/// What AWS's own client sees of [`without_cluster`].
pub fn applied_without_cluster() -> Vec<&'static str> {
    APPLIED.iter().copied().filter(|line| !line.contains("erp-k8s")).collect()
}

/// What AWS's own client sees when all of it is made.
pub const APPLIED: &[&str] = &[
    "address erp-1-ip given",
    "balancer erp-lb network internet-facing",
    "cluster erp-k8s ACTIVE ACTIVE 2",
    "gateway erp-net 1",
    "group erp-sg 1",
    "key erp-key",
    "machine erp-1 running m5.large us-east-1a",
    "machine erp-2 running m5.large us-east-1b",
    "network erp-net 10.70.0.0/16",
    "subnet erp-a 10.70.0.0/20 us-east-1a",
    "subnet erp-b 10.70.16.0/20 us-east-1b",
    // Of the cluster, whose other subnet is in one zone alone.
    "subnet erp-k8s 10.70.255.240/28 us-east-1b",
    "targets erp-lb 2",
    "volume erp-1 in-use 30 gp3",
    "volume erp-1-d1 in-use 50 gp3",
    "volume erp-2 in-use 30 gp3",
    "volume erp-2-d1 in-use 50 gp3",
];
