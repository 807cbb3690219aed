//! Makes a problem smaller without losing an optimum.
//!
//! Three things go. **Regions that another beats**: if every node that may be in `s` may be in `r` of the same provider for
//! no more, opening `r` costs no more and sending from it costs no more, then moving all of `s` to `r` saves or costs
//! nothing. **Labels that another beats at its worst**: a label that costs a node more than another one does with all the
//! traffic it could ever pay and with its region and provider opened for this node alone (the dead ends of Desmet and
//! others, "The dead-end elimination theorem", 1992). **Nodes that are alike** and that no edge joins to others: one node
//! with the costs of all of them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::solve::problem::{Labelling, Problem};

/// A smaller problem, and the way back.
pub struct Presolved {
    /// What is left to solve.
    pub problem: Problem,
    /// By node of the original: its node in `problem`.
    node: Vec<u32>,
}

impl Presolved {
    /// A labelling of the smaller problem as one of the original, which costs the same.
    pub fn restore(&self, found: Labelling) -> Labelling {
        Labelling {
            labels: self.node.iter().map(|node| found.labels[*node as usize]).collect(),
            cost: found.cost,
        }
    }
}

/// Makes a problem smaller. Capacities tie nodes together in a way that none of this knows, so with them it stays whole.
pub fn presolve(problem: &Problem) -> Presolved {
    let (mut small, node) = if problem.capacities.is_empty() {
        merge_alike(problem)
    } else {
        (problem.clone(), (0..problem.nodes.len() as u32).collect())
    };
    if !problem.has_rules() {
        let beaten = beaten_regions(&small);
        if beaten.contains(&true) {
            small.nodes.par_iter_mut().for_each(|node| node.retain(|(label, _)| !beaten[*label as usize]));
        }
        if !problem.has_limits() {
            drop_dead_ends(&mut small);
        }
    }
    Presolved { problem: small, node }
}

/// Nodes without edges and with the same costs become one.
fn merge_alike(problem: &Problem) -> (Problem, Vec<u32>) {
    let incidence = problem.incidence();
    let mut known: BTreeMap<&[(u32, i64)], u32> = BTreeMap::new();
    let mut node_of: Vec<u32> = Vec::with_capacity(problem.nodes.len());
    // By new node: the first old one and how many there are.
    let mut kept: Vec<(usize, i64)> = Vec::new();
    for (node, costs) in problem.nodes.iter().enumerate() {
        let next = kept.len() as u32;
        let merged = if incidence.of(node).is_empty() { *known.entry(costs).or_insert(next) } else { next };
        if merged == next {
            kept.push((node, 0));
        }
        kept[merged as usize].1 += 1;
        node_of.push(merged);
    }
    let nodes = kept
        .par_iter()
        .map(|&(node, times)| {
            problem.nodes[node].iter().map(|&(label, cost)| (label, cost * times)).collect()
        })
        .collect();
    let mut edges = problem.edges.clone();
    for edge in &mut edges {
        edge.a = node_of[edge.a as usize];
        edge.b = node_of[edge.b as usize];
    }
    let small = Problem {
        places: problem.places.clone(),
        nodes,
        edges,
        open_region: problem.open_region.clone(),
        open_provider: problem.open_provider.clone(),
        max_regions: problem.max_regions,
        max_providers: problem.max_providers,
        tables: problem.tables.clone(),
        capacities: Vec::new(),
        uses: Vec::new(),
    };
    (small, node_of)
}

/// By label: whether another region of its provider can take everything it has.
fn beaten_regions(problem: &Problem) -> Vec<bool> {
    let places = &problem.places;
    let n = places.n_labels();
    let mut beaten = vec![false; n];
    if places.has_zones() {
        return beaten;
    }
    let no_dearer_to_open =
        |r: u32, s: u32| problem.open_region[places.region_of(r)] <= problem.open_region[places.region_of(s)];
    let mut pairs: Vec<(u32, u32)> = (0..n as u32)
        .flat_map(|r| (0..n as u32).map(move |s| (r, s)))
        .filter(|&(r, s)| r != s && places.provider_of(r) == places.provider_of(s) && no_dearer_to_open(r, s))
        .collect();
    let mut cost_of = vec![None; n];
    for node in &problem.nodes {
        for &(label, cost) in node {
            cost_of[label as usize] = Some(cost);
        }
        pairs.retain(|&(r, s)| match (cost_of[r as usize], cost_of[s as usize]) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(in_r), Some(in_s)) => in_r <= in_s,
        });
        for &(label, _) in node {
            cost_of[label as usize] = None;
        }
    }
    let mut cheaper_class: BTreeMap<(u32, u32), bool> = BTreeMap::new();
    let mut sends_for_less = |c: u32, d: u32| {
        *cheaper_class.entry((c, d)).or_insert_with(|| {
            let less = |tariff: &crate::solve::problem::Tariff| {
                let (by_c, by_d) = (tariff.by_class[c as usize], tariff.by_class[d as usize]);
                by_c[1] <= by_d[1] && by_c[2] <= by_d[2]
            };
            c == d || problem.edges.iter().all(|edge| less(&edge.a_pays) && less(&edge.b_pays))
        })
    };
    pairs.retain(|&(r, s)| sends_for_less(places.class[r as usize], places.class[s as usize]));
    // Of two that beat each other the first stays. Whoever beats a beaten one beats what that one beats.
    let beats: std::collections::BTreeSet<(u32, u32)> = pairs.iter().copied().collect();
    for &(r, s) in &pairs {
        if r < s || !beats.contains(&(s, r)) {
            beaten[s as usize] = true;
        }
    }
    beaten
}

/// Drops the labels of every node that another of its labels beats whatever the other nodes do.
fn drop_dead_ends(problem: &mut Problem) {
    let incidence = problem.incidence();
    let (places, edges) = (&problem.places, &problem.edges);
    let (open_region, open_provider) = (&problem.open_region, &problem.open_provider);
    problem.nodes.par_iter_mut().enumerate().for_each(|(node, costs)| {
        // What the other ends pay at most, and what this one pays at most by class.
        let mut others_pay = 0;
        let mut pays = vec![0i64; places.n_classes];
        for &place in incidence.of(node) {
            let edge = &edges[place as usize];
            let (own, other) = if edge.a as usize == node {
                (&edge.a_pays, &edge.b_pays)
            } else {
                (&edge.b_pays, &edge.a_pays)
            };
            others_pay += other.by_class.iter().flatten().copied().max().unwrap_or(0);
            for (pays, tariff) in pays.iter_mut().zip(&own.by_class) {
                *pays += tariff.iter().copied().max().unwrap_or(0);
            }
        }
        let at_worst = |&(label, cost): &(u32, i64)| {
            cost + others_pay
                + pays[places.class[label as usize] as usize]
                + open_region[places.region_of(label)]
                + open_provider[places.provider_of(label)]
        };
        if let Some(ceiling) = costs.iter().map(at_worst).min() {
            costs.retain(|(_, cost)| *cost <= ceiling);
        }
    });
}
