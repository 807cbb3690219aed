//! What the graph tells: hosts that form an app, hosts nobody needs, and hosts that are hard to move. Codes: `INV-65xx`.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{Endpoint, Estate};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Host, Os, OsFamily, Power};
use carafe_model::units::Quantity;
use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::visit::EdgeRef as _;

use super::{DependencyGraph, NodeKind};
use crate::text::{clip, counted};

/// A group of hosts that look like one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// A name made from what the hosts have in common.
    pub name: String,
    /// Places in [`Estate::hosts`], in order.
    pub hosts: Vec<usize>,
    /// Why they belong together.
    pub reason: String,
}

impl Proposal {
    /// The proposal as a finding, with its hosts and the reason.
    pub fn to_finding(&self, estate: &Estate) -> Finding {
        const MOST: usize = 12;
        let names: Vec<String> =
            self.hosts.iter().take(MOST).map(|at| clip(estate.hosts[*at].id.as_str())).collect();
        let more = self.hosts.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Finding::info(
            "INV-6507",
            format!(
                "look like one app \"{}\": {}{more}; {}",
                clip(&self.name),
                names.join(", "),
                self.reason
            ),
        )
        .help("set \"app\" of these hosts in an estate document if they belong together")
    }
}

/// Rounds of handing on labels; they settle after a few.
const ROUNDS: usize = 30;

/// Apps among the hosts that belong to none: hosts that call each other in a circle, and else those that speak more to
/// each other than to others.
///
/// Services that a large part of the estate uses (names, time, backup, monitoring) hold no group together and are left out.
pub fn apps(estate: &Estate, graph: &DependencyGraph) -> Vec<Proposal> {
    let hosts = estate.hosts.len();
    let is_free = |at: usize| estate.hosts[at].app.is_none();
    let shared = shared_services(hosts, graph);
    let host_of = |node: &super::Node| match node.kind {
        NodeKind::Host(at) => Some(at),
        NodeKind::External | NodeKind::LoadBalancer | NodeKind::Cluster | NodeKind::Group(_) => None,
    };
    // Both directions hold hosts together; what is known to be much holds more, and a flow of unknown volume still does.
    let mut neighbours: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); hosts];
    for edge in graph.graph.edge_references() {
        let ends = (host_of(&graph.graph[edge.source()]), host_of(&graph.graph[edge.target()]));
        let (Some(from), Some(to)) = ends else { continue };
        if from == to || shared.contains(&from) || shared.contains(&to) || !is_free(from) || !is_free(to) {
            continue;
        }
        let gib = u64::try_from(edge.weight().volume.unwrap_or(0) / 1_000_000).unwrap_or(0);
        let weight = 4 + u64::from(gib.saturating_add(1).ilog2());
        for (one, other) in [(from, to), (to, from)] {
            *neighbours[one].entry(other).or_default() += weight;
        }
    }
    let circles = circles(hosts, graph, &shared);
    let mut label: Vec<usize> = (0..hosts).map(|at| circles.get(&at).copied().unwrap_or(at)).collect();
    for _ in 0..ROUNDS {
        let mut has_changed = false;
        for at in 0..hosts {
            let mut weights: BTreeMap<usize, u64> = BTreeMap::new();
            for (other, weight) in &neighbours[at] {
                *weights.entry(label[*other]).or_default() += weight;
            }
            // Of equals the own label stays, and else the smallest wins, so that rounds come to an end.
            let own = weights.get(&label[at]).copied().unwrap_or(0);
            let best = weights.iter().max_by_key(|(label, weight)| (**weight, std::cmp::Reverse(**label)));
            if let Some((best, _)) =
                best.filter(|(best, weight)| **weight > own || (**weight == own && **best < label[at]))
            {
                label[at] = *best;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, label) in label.iter().enumerate().filter(|(at, _)| !neighbours[*at].is_empty()) {
        groups.entry(*label).or_default().push(at);
    }
    let mut proposals: Vec<Proposal> = Vec::new();
    let mut taken = BTreeSet::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let in_circle = group.iter().filter(|at| circles.contains_key(at)).count();
        let (mut inside, mut across) = (0_u64, 0_u64);
        for at in &group {
            for (other, weight) in &neighbours[*at] {
                if group.binary_search(other).is_ok() { inside += weight } else { across += 2 * weight }
            }
        }
        let share = inside * 100 / (inside + across).max(1);
        let mut reason =
            format!("{share} % of their connections stay among these {}", counted(group.len(), "host"));
        if in_circle > 1 {
            reason = format!("{in_circle} of them call each other in a circle, and {reason}");
        }
        let base = common_name(&group, &estate.hosts);
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        proposals.push(Proposal { name, hosts: group, reason });
    }
    proposals
}

/// Hosts that more than a third of a larger estate speaks to, or more than fifty others.
fn shared_services(hosts: usize, graph: &DependencyGraph) -> BTreeSet<usize> {
    const SMALL: usize = 12;
    let most = (hosts / 3).clamp(SMALL, 50);
    graph
        .graph
        .node_indices()
        .filter_map(|node| {
            let NodeKind::Host(at) = graph.graph[node].kind else { return None };
            (graph.graph.edges_directed(node, Direction::Incoming).count() > most).then_some(at)
        })
        .collect()
}

/// Hosts in a circle of calls, with the smallest host of their circle: strongly connected components of more than one.
fn circles(hosts: usize, graph: &DependencyGraph, shared: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
    let mut calls = petgraph::graph::DiGraph::<usize, ()>::new();
    let nodes: Vec<_> = (0..hosts).map(|at| calls.add_node(at)).collect();
    for edge in graph.graph.edge_references() {
        if let (NodeKind::Host(from), NodeKind::Host(to)) =
            (&graph.graph[edge.source()].kind, &graph.graph[edge.target()].kind)
            && !shared.contains(from)
            && !shared.contains(to)
        {
            calls.add_edge(nodes[*from], nodes[*to], ());
        }
    }
    let mut circles = BTreeMap::new();
    for component in tarjan_scc(&calls).into_iter().filter(|component| component.len() > 1) {
        let smallest = component.iter().map(|node| calls[*node]).min().unwrap_or_default();
        circles.extend(component.iter().map(|node| (calls[*node], smallest)));
    }
    circles
}

/// What the names of most hosts begin with, up to a separator; else the name of the first host.
fn common_name(group: &[usize], hosts: &[Host]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for at in group {
        let first = hosts[*at].name.split(['-', '_', '.']).next().unwrap_or_default();
        *counts.entry(first.trim_end_matches(|c: char| c.is_ascii_digit())).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name)));
    match most.filter(|(name, count)| **count * 2 >= group.len() && name.len() > 1) {
        Some((name, _)) => crate::text::host_id(name),
        None => hosts[group[0]].id.to_string(),
    }
}

/// Systems that their makers no longer mend, by words of the name and the last version concerned, as of November 2026.
const ENDED: [(&str, OsFamily, u32); 8] = [
    ("windows server", OsFamily::Windows, 2012),
    ("red hat", OsFamily::Rhel, 7),
    ("rhel", OsFamily::Rhel, 7),
    ("centos", OsFamily::Linux, 8),
    ("debian", OsFamily::Linux, 11),
    ("ubuntu", OsFamily::Linux, 20),
    ("suse linux enterprise", OsFamily::Sles, 12),
    ("amazon linux", OsFamily::Linux, 2),
];

/// Whether standard support of a system has ended.
pub fn has_ended(os: &Os) -> bool {
    let name = os.name.to_lowercase();
    let version = os
        .version
        .as_deref()
        .and_then(|version| version.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
    let known = ENDED.iter().find(|(words, family, _)| *family == os.family && name.contains(words));
    // CentOS Stream goes on where CentOS has ended.
    let goes_on = name.contains("stream");
    matches!((known, version), (Some((_, _, last)), Some(version)) if version <= *last) && !goes_on
}

/// What deserves a look before anything is planned: old systems, idle and unused machines, disks that tie hosts together.
pub fn findings(estate: &Estate, graph: &DependencyGraph, file: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = |at: usize| Place::file(file).at(format!("/hosts/{at}"));
    let degrees: BTreeMap<usize, usize> = graph
        .graph
        .node_indices()
        .filter_map(|node| match graph.graph[node].kind {
            NodeKind::Host(at) => Some((at, graph.graph.neighbors_undirected(node).count())),
            NodeKind::External | NodeKind::LoadBalancer | NodeKind::Cluster | NodeKind::Group(_) => None,
        })
        .collect();
    // Where traffic was not collected, a host without any says nothing.
    let speaking: BTreeSet<&str> = estate
        .flows
        .iter()
        .flat_map(|flow| [&flow.from, &flow.to])
        .filter_map(|end| match end {
            Endpoint::Host(id) => Some(id.as_str()),
            Endpoint::External(_) => None,
        })
        .collect();
    let has_traffic = speaking.len() * 2 >= estate.hosts.len() && !speaking.is_empty();
    for (at, host) in estate.hosts.iter().enumerate() {
        let id = clip(host.id.as_str());
        let mut say = |finding: Finding| found.push(finding.at(place(at)).host(id.clone()));
        if let Some(os) = host.os.as_ref().filter(|os| has_ended(os)) {
            say(Finding::warning(
                "INV-6501",
                format!("standard support of its system has ended: {}", clip(&os.name)),
            )
            .help("plan a new system with the move, or buy extended support"));
        }
        if host.power == Some(Power::Off) {
            say(Finding::info("INV-6502", "it is switched off")
                .help("leave it behind if nobody needs it; it is planned like any other as long as it is in the estate"));
        } else if let Some(usage) = &host.usage {
            let below =
                |limit: i64, value: Option<Quantity>| value.is_some_and(|value| value.0 < limit * 1_000_000);
            let is_idle = below(5, usage.cpu_percent.map(|cpu| cpu.max))
                && below(1, usage.network_mbps.map(|net| net.max));
            if usage.coverage_percent >= 20 && usage.window_hours >= 24 && is_idle {
                say(Finding::info(
                    "INV-6503",
                    format!(
                        "idle: below 5 % of its processors and 1 Mbit/s in all of {} hours",
                        usage.window_hours
                    ),
                )
                .help("ask its owner whether it is needed"));
            }
        }
        if has_traffic && host.power != Some(Power::Off) && degrees.get(&at) == Some(&0) {
            say(Finding::info("INV-6504", "nobody speaks to it, and it speaks to nobody")
                .help("leave it behind if it is not needed; or its traffic was not collected"));
        }
        let shared = host.disks.iter().filter(|disk| disk.shared).count();
        if shared > 0 {
            say(Finding::warning("INV-6505", format!("shares {} with other hosts", counted(shared, "disk")))
                .help("move the hosts that share it together, onto storage that several machines may use"));
        }
        let raw = host.disks.iter().filter(|disk| disk.raw).count();
        if raw > 0 {
            say(Finding::warning(
                "INV-6506",
                format!("has {} mapped from storage", counted(raw, "raw disk")),
            )
            .help("copy it from inside the system; it is no file that could be taken as an image"));
        }
    }
    found
}
