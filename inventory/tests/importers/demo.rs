//! The estate of `examples/korean-erp`, which the demo and the documentation use.

use carafe_model::policy_file;

use crate::support::{check, pretty};

const HONEYBEE: &[u8] = include_bytes!("../../../examples/korean-erp/honeybee.json");
const ANNOTATIONS: &[u8] = include_bytes!("../../../examples/korean-erp/annotations.json");
const POLICY: &str = include_str!("../../../examples/korean-erp/policy.toml");

const TOLD: [&str; 2] = ["info INV-2003 honeybee.json", "info INV-2005 honeybee.json"];

#[test]
fn the_demo_is_whole_and_without_a_complaint() {
    let files = [("honeybee.json", HONEYBEE), ("annotations.json", ANNOTATIONS)];
    let estate = check(&files, &[], &TOLD).expect("an estate");
    assert_eq!(estate.hosts.len(), 16);
    let mut hosts = estate.hosts.iter();
    assert_eq!(hosts.clone().filter(|host| host.stays_because.is_some()).count(), 1);
    assert!(hosts.clone().all(|host| host.labels.contains_key("tier") && !host.nics.is_empty()));
    assert!(hosts.all(|host| host.vcpus.is_some() && host.memory_mib.is_some()));
    assert!(estate.load_balancers.iter().all(|balancer| balancer.members.len() == 3));
    assert!(estate.today.is_some());
    assert_eq!((estate.apps.len(), estate.flows.len()), (3, 44));
}

#[test]
fn the_order_of_the_files_does_not_matter_here() {
    let files = [("honeybee.json", HONEYBEE), ("annotations.json", ANNOTATIONS)];
    let mut one = check(&files, &[], &TOLD).expect("an estate");
    let mut other = check(&[files[1], files[0]], &[], &TOLD).expect("an estate");
    one.sources.clear();
    other.sources.clear();
    assert_eq!(pretty(&one), pretty(&other));
}

#[test]
fn the_policy_of_the_demo_has_no_mistake() {
    let (policy, findings) = policy_file::read("policy.toml", POLICY);
    assert_eq!(findings, []);
    assert_eq!(policy.rules.len(), 2);
}
