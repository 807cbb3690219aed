//! Flows as the planner prices them: who sends how much to whom, each direction by itself.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{Endpoint, Estate};
use carafe_model::ids::HostId;
use carafe_model::units::Quantity;

use crate::assumed;
use crate::groups::{Mover, replaced_by_managed};

/// Traffic that one mover sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Place of the sender in the movers.
    pub from: usize,
    /// Who receives it.
    pub to: Receiver,
    /// GiB a month; what is counted with when that is unknown.
    pub gib: Quantity,
    /// Whether the volume is known.
    pub is_known: bool,
    /// What people call the receiver.
    pub to_name: String,
    /// The flow in words, `from → to`, for the bill.
    pub name: String,
}

/// Who receives traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Another mover, by place.
    Mover(usize),
    /// A host that does not move, or anything outside the estate: reached over the internet.
    Outside,
}

/// Everything that movers send, in the order of the estate's flows. What others send to them is free.
pub fn sendings(estate: &Estate, movers: &[Mover<'_>]) -> Vec<Sending> {
    let place_of: BTreeMap<&HostId, usize> =
        movers.iter().enumerate().map(|(place, mover)| (&estate.hosts[mover.host].id, place)).collect();
    let managed: BTreeSet<&HostId> = estate
        .clusters
        .iter()
        .filter(|cluster| cluster.workers.iter().any(|worker| place_of.contains_key(worker)))
        .flat_map(replaced_by_managed)
        .collect();
    let place = |end: &Endpoint| match end {
        Endpoint::Host(host) => place_of.get(host).copied(),
        Endpoint::External(_) => None,
    };
    let mut sendings = Vec::new();
    for flow in &estate.flows {
        let directions =
            [(&flow.from, &flow.to, flow.gib_month), (&flow.to, &flow.from, flow.gib_month_back)];
        for (from, to, gib) in directions {
            let Some(sender) = place(from) else { continue };
            // What replaces a control plane answers in the region of its workers.
            if matches!(to, Endpoint::Host(host) if managed.contains(host)) {
                continue;
            }
            let receiver = match place(to) {
                Some(receiver) if receiver == sender => continue,
                Some(receiver) => Receiver::Mover(receiver),
                None => Receiver::Outside,
            };
            let port = flow.port.map(|port| format!(":{port}")).unwrap_or_default();
            sendings.push(Sending {
                from: sender,
                to: receiver,
                gib: gib.unwrap_or(assumed::FLOW_GIB.quantities()[1]),
                is_known: gib.is_some(),
                to_name: end_name(to).to_owned(),
                name: format!("{} → {}{}", end_name(from), end_name(to), port),
            });
        }
    }
    sendings
}

/// What people call an end of a flow.
pub fn end_name(end: &Endpoint) -> &str {
    match end {
        Endpoint::Host(host) => host.as_str(),
        Endpoint::External(name) => name,
    }
}
