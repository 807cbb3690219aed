//! Longest round trips of flows: from the flows themselves and from the policy's flow rules.
//!
//! Between two hosts that move, a budget binds the two places together. Where one end does not move, it becomes a
//! demand on the other end alone, if somebody said where the fixed end is.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::constraints::FlowRule;
use carafe_model::estate::{Endpoint, Estate, Flow};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::Host;
use carafe_model::ids::HostId;
use carafe_model::policy::Policy;
use carafe_model::units::Quantity;

use crate::concerns::Near;
use crate::groups::{Mover, host_of, replaced_by_managed};
use crate::latency::Point;
use crate::traffic::end_name;

/// A longest round trip between two movers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget {
    /// Place of one end in the movers; the smaller of the two.
    pub a: usize,
    /// Place of the other.
    pub b: usize,
    /// Microseconds there and back.
    pub micros: u32,
}

/// The budgets between movers, by their ends; the tightest of each pair.
pub fn between(estate: &Estate, policy: &Policy, movers: &[Mover<'_>]) -> Vec<Budget> {
    let ends = Ends::new(estate, movers);
    let mut used = vec![false; policy.flow_rules.len()];
    let mut between: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for flow in &estate.flows {
        if let (Some(a), Some(b)) = (ends.mover(&flow.from), ends.mover(&flow.to))
            && a != b
            && let Some(micros) = budget(flow, policy, &ends, &mut used)
        {
            let tightest = between.entry((a.min(b), a.max(b))).or_insert(micros);
            *tightest = (*tightest).min(micros);
        }
    }
    between.into_iter().map(|((a, b), micros)| Budget { a, b, micros }).collect()
}

/// Writes the budgets to fixed ends into the movers' rules, and says which cannot be kept for want of a location and
/// which flow rules match nothing.
pub fn to_fixed_ends(
    estate: &Estate,
    policy: &Policy,
    movers: &mut [Mover<'_>],
    findings: &mut Vec<Finding>,
) {
    let mut used = vec![false; policy.flow_rules.len()];
    let mut near: Vec<(usize, Near)> = Vec::new();
    let ends = Ends::new(estate, movers);
    for flow in &estate.flows {
        let Some(micros) = budget(flow, policy, &ends, &mut used) else { continue };
        let (mover, fixed) = match (ends.mover(&flow.from), ends.mover(&flow.to)) {
            (Some(mover), None) => (mover, &flow.to),
            (None, Some(mover)) => (mover, &flow.from),
            (Some(_), Some(_)) | (None, None) => continue,
        };
        let host = ends.host(fixed);
        // What replaces a control plane answers in the region of its workers.
        if host.is_some_and(|host| ends.managed.contains(&host.id)) {
            continue;
        }
        match location(policy, fixed, host) {
            Some(point) => near.push((mover, Near { point, micros })),
            None => findings.push(
                Finding::warning(
                    "PLN-0108",
                    format!(
                        "where {} is is not known, so its longest round trip is not kept",
                        end_name(fixed)
                    ),
                )
                .host(estate.hosts[movers[mover].host].id.as_str())
                .help("add a [[location]] with its latitude and longitude to the policy"),
            ),
        }
    }
    for (mover, demand) in near {
        movers[mover].rules.near.push(demand);
    }
    for mover in movers {
        mover.rules.near.sort();
        mover.rules.near.dedup();
    }
    for (place, _) in used.iter().enumerate().filter(|(_, used)| !**used) {
        findings.push(
            Finding::warning("PLN-0102", "the flow rule matches no flow of the estate")
                .at(Place::default().at(format!("flow_rule[{place}]")))
                .help("check both ends; a rule holds for flows that the estate lists, in either direction"),
        );
    }
}

/// What the ends of flows are.
struct Ends<'e> {
    hosts: BTreeMap<&'e HostId, &'e Host>,
    movers: BTreeMap<&'e HostId, usize>,
    /// Control planes that a managed one replaces.
    managed: BTreeSet<&'e HostId>,
}

impl<'e> Ends<'e> {
    fn new(estate: &'e Estate, movers: &[Mover<'_>]) -> Ends<'e> {
        Ends {
            hosts: estate.hosts.iter().map(|host| (&host.id, host)).collect(),
            movers: movers
                .iter()
                .enumerate()
                .map(|(place, mover)| (&estate.hosts[mover.host].id, place))
                .collect(),
            managed: estate.clusters.iter().flat_map(replaced_by_managed).collect(),
        }
    }

    fn host(&self, end: &Endpoint) -> Option<&'e Host> {
        host_of(end).and_then(|id| self.hosts.get(id)).copied()
    }

    fn mover(&self, end: &Endpoint) -> Option<usize> {
        host_of(end).and_then(|id| self.movers.get(id)).copied()
    }
}

/// The tightest budget of a flow in microseconds; notes the rules that match it.
fn budget(flow: &Flow, policy: &Policy, ends: &Ends<'_>, used: &mut [bool]) -> Option<u32> {
    let (from, to) = (ends.host(&flow.from), ends.host(&flow.to));
    let meets = |rule: &FlowRule| {
        rule.from.fits(&flow.from, from) && rule.to.fits(&flow.to, to)
            || rule.from.fits(&flow.to, to) && rule.to.fits(&flow.from, from)
    };
    let mut tightest = flow.max_rtt_ms;
    for (rule, used) in policy.flow_rules.iter().zip(used) {
        if meets(rule) {
            *used = true;
            tightest = Some(tightest.map_or(rule.max_rtt_ms, |known| known.min(rule.max_rtt_ms)));
        }
    }
    // Millionths of a millisecond to microseconds, rounded down: the plan never takes longer than was asked for.
    tightest.map(|Quantity(millionths)| u32::try_from((millionths / 1_000).max(0)).unwrap_or(u32::MAX))
}

/// Where something is that does not move; the last location that matches wins, as with rules.
fn location(policy: &Policy, end: &Endpoint, host: Option<&Host>) -> Option<Point> {
    let found = policy.locations.iter().rfind(|location| location.matches.fits(end, host))?;
    let millionths = |degrees: Quantity| i32::try_from(degrees.0).ok();
    Some((millionths(found.latitude)?, millionths(found.longitude)?))
}
