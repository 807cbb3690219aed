//! The order of the move: what others depend on goes first, what belongs together goes together.
//!
//! A unit is an app, or a host without one, joined with everything that must share a region with it. Whoever opens a
//! connection depends on whom it is opened to. Units that depend on each other in a circle move in one wave; the others
//! move once everything they depend on has moved, so that no wave waits for a later one.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::Estate;
use carafe_model::ids::HostId;
use carafe_model::language::Said;
use carafe_model::plan::Wave;
use petgraph::Direction;
use petgraph::algo::{condensation, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;

use crate::groups::{Group, Mover, host_of};

/// Orders the movers into waves.
pub fn waves(estate: &Estate, movers: &[Mover<'_>], groups: &[Group]) -> Vec<Wave> {
    let units = units(estate, movers, groups);
    let mut graph: DiGraph<usize, ()> = DiGraph::new();
    let n_units = units.iter().max().map_or(0, |most| most + 1);
    let nodes: Vec<NodeIndex> = (0..n_units).map(|unit| graph.add_node(unit)).collect();
    let unit_of: BTreeMap<&HostId, usize> =
        movers.iter().zip(&units).map(|(mover, unit)| (&estate.hosts[mover.host].id, *unit)).collect();
    let mut seen = BTreeSet::new();
    for flow in &estate.flows {
        let unit = |end| host_of(end).and_then(|host| unit_of.get(host)).copied();
        if let (Some(from), Some(to)) = (unit(&flow.from), unit(&flow.to))
            && from != to
            && seen.insert((from, to))
        {
            graph.add_edge(nodes[to], nodes[from], ());
        }
    }
    let circles = condensation(graph, true);
    let order = toposort(&circles, None).expect("a condensation has no circles");
    let mut level: BTreeMap<NodeIndex, u32> = BTreeMap::new();
    let mut wave_of_unit = vec![0; n_units];
    for node in order {
        let before = circles.edges_directed(node, Direction::Incoming).map(|edge| level[&edge.source()] + 1);
        let wave = before.max().unwrap_or(1);
        level.insert(node, wave);
        for &unit in &circles[node] {
            wave_of_unit[unit] = wave;
        }
    }
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (mover, unit) in units.iter().enumerate() {
        members.entry(wave_of_unit[*unit]).or_default().push(mover);
    }
    let last = members.len();
    members.into_iter().map(|(number, members)| wave(estate, movers, number, last, &members)).collect()
}

/// The unit of each mover, numbered by first member.
fn units(estate: &Estate, movers: &[Mover<'_>], groups: &[Group]) -> Vec<usize> {
    let mut sets = UnionFind::<usize>::new(movers.len());
    for group in groups {
        for pair in group.movers.windows(2) {
            sets.union(pair[0], pair[1]);
        }
    }
    let mut first_of_app = BTreeMap::new();
    for (place, mover) in movers.iter().enumerate() {
        if let Some(app) = &estate.hosts[mover.host].app {
            let first = *first_of_app.entry(app).or_insert(place);
            sets.union(first, place);
        }
    }
    let mut number_of_set = BTreeMap::new();
    (0..movers.len())
        .map(|mover| {
            let next = number_of_set.len();
            *number_of_set.entry(sets.find(mover)).or_insert(next)
        })
        .collect()
}

fn wave(estate: &Estate, movers: &[Mover<'_>], number: u32, last: usize, members: &[usize]) -> Wave {
    let hosts: Vec<HostId> =
        members.iter().map(|mover| estate.hosts[movers[*mover].host].id.clone()).collect();
    let apps: BTreeSet<&str> = members
        .iter()
        .filter_map(|mover| estate.hosts[movers[*mover].host].app.as_ref())
        .map(|app| app.as_str())
        .collect();
    let name = if apps.is_empty() {
        format!("Wave {number}")
    } else {
        format!("Wave {number}: {}", apps.into_iter().collect::<Vec<_>>().join(", "))
    };
    let reason = if last == 1 {
        "wave.at-once"
    } else if number == 1 {
        "wave.first"
    } else {
        "wave.later"
    };
    Wave { number, name, hosts, reason: Said::new(reason).into() }
}
