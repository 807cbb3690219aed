//! A plan with every kind of step, over two providers and three waves.

use carafe_model::document::{self, sha256};
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::{Action, AllowRule, ImageQuery, Step};
use carafe_model::units::{Gib, Mib, Vcpus};

/// Where the plan's two halves go.
pub const PLACES: [(&str, &str); 2] = [("aws", "ap-northeast-2"), ("ncp", "kr")];

/// The plan and its SHA-256.
pub fn plan() -> (Plan, String) {
    let steps: Vec<Step> = PLACES.iter().flat_map(|(provider, region)| half(provider, region)).collect();
    assert!(steps.len() >= 60);
    let mut plan = blank();
    plan.steps = steps;
    let sha = sha256(serde_json::to_string(&plan).expect("it is serialisable").as_bytes());
    (plan, sha)
}

/// Everything that stands on a step, itself included.
pub fn standing_on(plan: &Plan, step: &StepId) -> Vec<StepId> {
    let mut found = vec![step.clone()];
    let mut read = 0;
    while read < found.len() {
        for other in &plan.steps {
            if other.after.contains(&found[read]) && !found.contains(&other.id) {
                found.push(other.id.clone());
            }
        }
        read += 1;
    }
    found
}

fn blank() -> Plan {
    let text = r#"{"carafe": "plan/1", "name": "erp", "currency": "USD",
        "catalog": {"id": "none", "sha256": "", "as_of": "2026-01-01", "oldest": "2026-01-01"},
        "estate_sha256": "", "policy_sha256": "",
        "totals": {"monthly": "0", "monthly_low": "0", "monthly_high": "0", "one_time": "0",
            "horizon_months": 36, "horizon": "0"},
        "bound": {"objective": "0", "lower_bound": "0", "gap": "0", "proven": true},
        "placements": [], "unplaced": [], "bill": [], "price_sources": [], "waves": [], "steps": [],
        "findings": [], "assumptions": []}"#;
    let (plan, findings) = document::read("plan.json", text.as_bytes());
    assert_eq!(findings, []);
    plan.expect("it has no findings")
}

struct Half<'h> {
    provider: &'h str,
    region: &'h str,
    steps: Vec<Step>,
}

impl Half<'_> {
    fn add(&mut self, wave: u32, action: Action, after: &[&str]) {
        let id = |name: &str| StepId(format!("{}/{}/{name}", self.provider, self.region));
        let step = Step {
            id: id(&format!("{}/{}", action.kind(), action.name())),
            wave,
            provider: self.provider.into(),
            region: self.region.into(),
            host: None,
            after: after.iter().map(|name| id(name)).collect(),
            action,
        };
        self.steps.push(step);
    }
}

fn half(provider: &str, region: &str) -> Vec<Step> {
    let mut half = Half { provider, region, steps: Vec::new() };
    let network = "main".to_owned();
    half.add(0, Action::Network { name: network.clone(), cidr: "10.0.0.0/16".into() }, &[]);
    half.add(0, Action::KeyPair { name: "key".into() }, &[]);
    for (place, name) in ["front", "back"].into_iter().enumerate() {
        let cidr = format!("10.0.{place}.0/24");
        let subnet = Action::Subnet { name: name.into(), network: network.clone(), cidr, zone: None };
        half.add(0, subnet, &["network/main"]);
        let rules = vec![AllowRule {
            protocol: "tcp".into(),
            from_port: Some(443),
            to_port: Some(443),
            source: "0.0.0.0/0".into(),
        }];
        let group = Action::SecurityGroup { name: name.into(), network: network.clone(), rules };
        half.add(0, group, &["network/main"]);
    }
    for number in 0..7 {
        machine(&mut half, number);
    }
    let address = Action::PublicAddress { name: "web".into(), machine: "m0".into() };
    half.add(1, address, &["machine/m0"]);
    let balancer = Action::LoadBalancer {
        name: "web".into(),
        subnet: "front".into(),
        public: true,
        protocol: "tcp".into(),
        port: 443,
        member_port: 8443,
        members: vec!["m0".into(), "m1".into()],
        health_check: None,
    };
    half.add(1, balancer, &["subnet/front", "machine/m0", "machine/m1"]);
    let copy = Action::Manual { name: "copy".into(), text: "Copy the data of wave 1.".into(), gib: None };
    half.add(1, copy, &["attachment/a0", "attachment/a1"]);
    let cluster = Action::KubernetesCluster {
        name: "apps".into(),
        version: None,
        subnets: vec!["front".into(), "back".into()],
        security_groups: vec!["back".into()],
        key_pair: "key".into(),
        instance_type: "m5.large".into(),
        nodes: 3,
    };
    let under = ["subnet/front", "subnet/back", "security_group/back", "key_pair/key", "manual/copy"];
    half.add(2, cluster, &under);
    half.steps
}

fn machine(half: &mut Half<'_>, number: usize) {
    let wave = if number < 2 { 1 } else { 2 };
    let side = if number.is_multiple_of(2) { "front" } else { "back" };
    let (name, disk) = (format!("m{number}"), format!("d{number}"));
    let action = Action::Machine {
        name: name.clone(),
        instance_type: "m5.large".into(),
        vcpus: Vcpus(2),
        memory_mib: Mib::from_gib(8),
        image: ImageQuery {
            family: OsFamily::Linux,
            name: "Ubuntu 22.04 LTS".into(),
            version: Some("22.04".into()),
            architecture: Architecture::X86_64,
        },
        subnet: side.into(),
        security_groups: vec![side.into()],
        key_pair: "key".into(),
        root_disk_gib: None,
        root_disk_class: None,
    };
    let under = [format!("subnet/{side}"), format!("security_group/{side}"), "key_pair/key".to_owned()];
    half.add(wave, action, &under.iter().map(String::as_str).collect::<Vec<_>>());
    half.add(wave, Action::Disk { name: disk.clone(), class: None, size_gib: Gib(100), zone: None }, &[]);
    let attachment =
        Action::Attachment { name: format!("a{number}"), disk: disk.clone(), machine: name.clone() };
    half.add(wave, attachment, &[&format!("machine/{name}"), &format!("disk/{disk}")]);
}
