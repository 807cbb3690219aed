//! Draws the conclusions of what is decided: openings that are certain, limits that are reached, labels that a rule no
//! longer allows.

use crate::solve::dual::{Dual, Opening};
use crate::solve::problem::{Incidence, Problem};

/// Shrinks domains until nothing follows any more; `None` when a node or a rule has nothing left.
pub fn propagate(problem: &Problem, incidence: &Incidence, dual: &mut Dual<'_>) -> Option<()> {
    loop {
        let mut changed = openings(problem, dual)?;
        changed |= limits(problem, dual)?;
        if problem.has_rules() {
            changed |= tables(problem, incidence, dual)?;
            changed |= capacities(problem, dual)?;
        }
        if !changed {
            return Some(());
        }
    }
}

/// What every label of a node needs is open.
fn openings(problem: &Problem, dual: &mut Dual<'_>) -> Option<bool> {
    if !problem.has_openings() && !problem.has_limits() {
        let everyone = (0..problem.nodes.len()).all(|node| !dual.domain(node).is_empty());
        return everyone.then_some(false);
    }
    let places = &problem.places;
    let mut changed = false;
    for node in 0..problem.nodes.len() {
        let domain = dual.domain(node);
        let &first = domain.first()?;
        let (region, provider) = (places.region_of(first), places.provider_of(first));
        let one_region = domain.iter().all(|label| places.region_of(*label) == region);
        let one_provider = domain.iter().all(|label| places.provider_of(*label) == provider);
        if one_region && dual.region_state(region) == Opening::Undecided {
            dual.open_region(region);
            changed = true;
        }
        if one_provider && dual.provider_state(provider) == Opening::Undecided {
            dual.open_provider(provider);
            changed = true;
        }
    }
    Some(changed)
}

/// When as many are open as may be, the others are closed.
fn limits(problem: &Problem, dual: &mut Dual<'_>) -> Option<bool> {
    let n_open = |states: &[Opening]| states.iter().filter(|state| **state == Opening::Open).count() as u32;
    let mut changed = false;
    if let Some(most) = problem.max_regions {
        let states = dual.state_region.clone();
        if n_open(&states) > most {
            return None;
        }
        if n_open(&states) == most && states.contains(&Opening::Undecided) {
            dual.close(|region| states[region] == Opening::Undecided);
            changed = true;
        }
    }
    if let Some(most) = problem.max_providers {
        let states = dual.state_provider.clone();
        if n_open(&states) > most {
            return None;
        }
        if n_open(&states) == most {
            for (provider, _) in states.iter().enumerate().filter(|(_, state)| **state == Opening::Undecided)
            {
                dual.close_provider(provider);
                changed = true;
            }
        }
    }
    Some(changed)
}

/// A label needs, across every edge with a table, a label that the table does not refuse.
fn tables(problem: &Problem, incidence: &Incidence, dual: &mut Dual<'_>) -> Option<bool> {
    let mut changed = false;
    let mut waiting: Vec<usize> = (0..problem.nodes.len()).rev().collect();
    while let Some(node) = waiting.pop() {
        let mut keep = vec![true; dual.domain(node).len()];
        for &place in incidence.of(node) {
            let edge = &problem.edges[place as usize];
            if edge.table.is_none() {
                continue;
            }
            let other = edge.other(node as u32) as usize;
            let is_a = edge.a as usize == node;
            for (keep, &label) in keep.iter_mut().zip(dual.domain(node)) {
                *keep &= dual.domain(other).iter().any(|&partner| {
                    let (r, s) = if is_a { (label, partner) } else { (partner, label) };
                    !problem.refuses(edge, r, s)
                });
            }
        }
        if !keep.contains(&true) {
            return None;
        }
        if dual.retain(node, &keep) > 0 {
            changed = true;
            let edges = incidence.of(node).iter().map(|place| &problem.edges[*place as usize]);
            waiting.extend(
                edges.filter(|edge| edge.table.is_some()).map(|edge| edge.other(node as u32) as usize),
            );
        }
    }
    Some(changed)
}

/// What nodes take of a capacity at least leaves the rest to each; a label that needs more goes.
fn capacities(problem: &Problem, dual: &mut Dual<'_>) -> Option<bool> {
    if problem.capacities.is_empty() {
        return Some(false);
    }
    let n = problem.capacities.len();
    let mut certain = vec![0i64; n];
    let mut least_of: Vec<Vec<(u32, i64)>> = Vec::with_capacity(problem.nodes.len());
    for node in 0..problem.nodes.len() {
        let domain = dual.domain(node);
        // Only a capacity that every label takes from is taken from for certain.
        let mut least: std::collections::BTreeMap<u32, (usize, i64)> = std::collections::BTreeMap::new();
        for &label in domain {
            for found in problem.uses_of(node, label) {
                let known = least.entry(found.capacity).or_insert((0, i64::MAX));
                *known = (known.0 + 1, known.1.min(found.amount));
            }
        }
        let least: Vec<(u32, i64)> = least
            .into_iter()
            .filter(|(_, (labels, _))| *labels == domain.len())
            .map(|(capacity, (_, amount))| (capacity, amount))
            .collect();
        for &(capacity, amount) in &least {
            certain[capacity as usize] += amount;
        }
        least_of.push(least);
    }
    if certain.iter().zip(&problem.capacities).any(|(load, most)| load > most) {
        return None;
    }
    let mut changed = false;
    for (node, least) in least_of.iter().enumerate() {
        let fits = |label: u32| {
            problem.uses_of(node, label).iter().all(|found| {
                let own = least.iter().find(|(capacity, _)| *capacity == found.capacity).map_or(0, |l| l.1);
                certain[found.capacity as usize] - own + found.amount
                    <= problem.capacities[found.capacity as usize]
            })
        };
        let keep: Vec<bool> = dual.domain(node).iter().map(|label| fits(*label)).collect();
        if !keep.contains(&true) {
            return None;
        }
        changed |= dual.retain(node, &keep) > 0;
    }
    Some(changed)
}
