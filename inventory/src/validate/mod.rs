//! Looks over an estate: checks that stand alone, each a function named after its code.

mod hosts;

mod network;

mod references;

use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place};

/// Runs every check. `file` is what findings call the estate; their pointers lead into it as a document.
pub fn validate(estate: &Estate, file: &str) -> Vec<Finding> {
    let mut view = View { estate, file, findings: Vec::new() };
    for check in CHECKS {
        check(&mut view);
    }
    view.findings
}

/// Every check, in the order in which findings are told.
const CHECKS: &[fn(&mut View<'_>)] = &[
    references::check_1201_references_exist,
    references::check_1203_ids_are_unique,
    references::check_1215_flows_have_two_ends,
    references::check_1216_load_balancers_have_members,
    references::check_1217_clusters_have_workers,
    references::check_1218_there_are_hosts,
    references::check_1219_amounts_are_not_negative,
    hosts::check_1202_names_are_usable,
    hosts::check_1221_names_do_not_repeat,
    hosts::check_1222_names_can_be_seen,
    hosts::check_1204_memory_is_plausible,
    hosts::check_1205_vcpus_are_plausible,
    hosts::check_1206_disks_are_plausible,
    hosts::check_1207_disks_hold_what_they_hold,
    hosts::check_1208_architecture_is_known,
    hosts::check_1209_vcpus_are_known,
    hosts::check_1210_memory_is_known,
    hosts::check_1211_disks_are_known,
    hosts::check_1220_usage_is_plausible,
    hosts::check_1223_use_is_at_most_what_there_is,
    network::check_1212_addresses_can_be_read,
    network::check_1213_networks_can_be_read,
    network::check_1214_ports_can_be_read,
];

/// An estate being looked over.
struct View<'e> {
    estate: &'e Estate,
    file: &'e str,
    findings: Vec<Finding>,
}

impl View<'_> {
    /// Tells a finding about something at a JSON pointer.
    fn tell(&mut self, pointer: impl Into<String>, finding: Finding) {
        self.findings.push(finding.at(Place::file(self.file).at(pointer)));
    }
}
