//! Whether every resource that a step names is made by a step of the same region.

use std::collections::BTreeSet;

use carafe_model::finding::{Finding, Place};
use carafe_model::plan::Plan;
use carafe_model::steps::Action;

use super::CODES;
use crate::drivers::Kind;

/// The names in a plan that lead nowhere, as findings at the steps that have them.
pub(super) fn broken(plan: &Plan) -> Vec<Finding> {
    let made: BTreeSet<_> = plan
        .steps
        .iter()
        .filter_map(|step| Some((&step.provider, &step.region, Kind::of(&step.action)?, step.action.name())))
        .collect();
    let mut findings = Vec::new();
    for (place, step) in plan.steps.iter().enumerate() {
        for (kind, name) in named(&step.action) {
            if !made.contains(&(&step.provider, &step.region, kind, name)) {
                let what = format!("{} names {kind} \"{name}\", which no step makes there", step.id);
                let at = Place::default().at(format!("/steps/{place}/action"));
                findings.push(Finding::error(CODES[3].0, what).at(at).help(CODES[3].2));
            }
        }
    }
    findings
}

/// The resources that an action names, besides its own.
fn named(action: &Action) -> Vec<(Kind, &str)> {
    fn all(kind: Kind, names: &[String]) -> impl Iterator<Item = (Kind, &str)> {
        names.iter().map(move |name| (kind, name.as_str()))
    }
    match action {
        Action::Subnet { network, .. } | Action::SecurityGroup { network, .. } => {
            vec![(Kind::Network, network)]
        }
        Action::Machine { subnet, security_groups, key_pair, .. } => {
            let base = [(Kind::Subnet, subnet.as_str()), (Kind::KeyPair, key_pair.as_str())];
            base.into_iter().chain(all(Kind::SecurityGroup, security_groups)).collect()
        }
        Action::Attachment { disk, machine, .. } => vec![(Kind::Disk, disk), (Kind::Machine, machine)],
        Action::PublicAddress { machine, .. } => vec![(Kind::Machine, machine)],
        Action::LoadBalancer { subnet, members, .. } => {
            [(Kind::Subnet, subnet.as_str())].into_iter().chain(all(Kind::Machine, members)).collect()
        }
        Action::KubernetesCluster { subnets, security_groups, key_pair, .. } => {
            [(Kind::KeyPair, key_pair.as_str())]
                .into_iter()
                .chain(all(Kind::Subnet, subnets))
                .chain(all(Kind::SecurityGroup, security_groups))
                .collect()
        }
        Action::Network { .. }
        | Action::KeyPair { .. }
        | Action::Disk { .. }
        | Action::Manual { .. }
        | Action::Hook { .. }
        | Action::Check { .. }
        | Action::Approval { .. } => Vec::new(),
    }
}
