//! The part of a problem that messages left undecided, as a problem of its own.
//!
//! Where a labelling costs exactly what the bound says, nothing is left to gain: the difference between the two sits at a
//! few nodes, edges and opening costs. Those nodes, with the costs that the messages left them, are a smaller problem;
//! its optimum and the bound of everything else add up to a bound of the whole. If the answer fits what lies around it,
//! the whole is solved; otherwise the neighbours that it disagrees with join. This is the idea of Savchynskyy, Kappes,
//! Swoboda and Schnörr ("Global MAP-optimality by shrinking the combinatorial search area with convex relaxation", 2013).

use crate::solve::dual::{Dual, Opening};
use crate::solve::problem::{Edge, Labelling, NEVER, Problem};
use crate::solve::reach::Reach;
use crate::solve::search::{Moves, improve};
use crate::solve::{Effort, Solution, solve_parts};

/// A kernel is not worth its own problem when it has more than this share of all labels, in tenths.
const MOST_TENTHS: usize = 6;

/// Solves what a bound left open. Returns the best labelling and bound, no worse than those given; `None` when the
/// undecided part is too large a share of the whole to be solved apart.
pub fn solve_undecided(
    problem: &Problem,
    dual: &Dual<'_>,
    best: &Labelling,
    bound: i64,
    effort: &Effort<'_>,
) -> Option<Solution> {
    let incidence = problem.incidence();
    let mut scratch = Reach::new(problem);
    let mut inside = vec![false; problem.nodes.len()];
    let mut best = best.clone();
    let mut bound = bound;
    let mut around = best.labels.clone();
    let most_cells: usize = problem.nodes.iter().map(Vec::len).sum::<usize>() * MOST_TENTHS / 10;
    loop {
        let grew = grow(problem, dual, &around, &mut inside);
        let cells: usize =
            (0..inside.len()).filter(|node| inside[*node]).map(|node| dual.domain(node).len()).sum();
        if bound >= best.cost || !grew || (effort.stop)() {
            return Some(Solution { labelling: Some(best), bound });
        }
        if cells > most_cells {
            return None;
        }
        let nodes: Vec<usize> = (0..inside.len()).filter(|node| inside[*node]).collect();
        let Some((kernel, outside)) = cut_out(problem, dual, &nodes, &inside, &mut scratch) else {
            // Nothing within the domains is left: nothing is cheaper than the best.
            return Some(Solution { bound: best.cost, labelling: Some(best) });
        };
        let solution = solve_parts(&kernel, effort);
        if solution.bound < NEVER {
            bound = bound.max(outside + solution.bound);
        }
        let Some(found) = solution.labelling else {
            return Some(Solution { labelling: Some(best), bound });
        };
        for (node, label) in nodes.iter().zip(&found.labels) {
            around[*node] = *label;
        }
        if let Some(found) = improve(problem, &incidence, &around, Moves::Nodes)
            && found.cost < best.cost
        {
            best = found;
        }
    }
}

/// Adds every node outside at which a labelling costs more than the bound says. Returns whether there were any.
fn grow(problem: &Problem, dual: &Dual<'_>, labels: &[u32], inside: &mut [bool]) -> bool {
    let mut more: Vec<usize> = Vec::new();
    let place = |node: usize| dual.domain(node).binary_search(&labels[node]).ok();
    for (node, is_inside) in inside.iter().enumerate() {
        let slack = match (place(node), dual.least(node)) {
            (Some(place), Some(least)) => dual.theta(node)[place] - least,
            _ => NEVER,
        };
        if !is_inside && slack > 0 {
            more.push(node);
        }
    }
    for (number, edge) in problem.edges.iter().enumerate() {
        let (a, b) = (edge.a as usize, edge.b as usize);
        if inside[a] && inside[b] {
            continue;
        }
        let slack = match (place(a), place(b)) {
            _ if problem.refuses(edge, labels[a], labels[b]) => NEVER,
            (Some(in_a), Some(in_b)) => {
                problem.edge_cost(edge, labels[a], labels[b])
                    - dual.moved(number, a)[in_a]
                    - dual.moved(number, b)[in_b]
            }
            _ => NEVER,
        };
        if slack > 0 {
            more.extend([a, b]);
        }
    }
    if problem.has_openings() {
        more.extend(payers(problem, dual, labels));
    }
    let mut grew = false;
    for node in more {
        grew |= !std::mem::replace(&mut inside[node], true);
    }
    grew
}

/// The nodes that pay for a place in use that is not paid for by those who use it, and for one that is not in use.
fn payers(problem: &Problem, dual: &Dual<'_>, labels: &[u32]) -> Vec<usize> {
    let places = &problem.places;
    let mut unpaid_region: Vec<Option<i64>> = vec![None; problem.open_region.len()];
    let mut unpaid_provider: Vec<Option<i64>> = vec![None; problem.open_provider.len()];
    for (node, label) in labels.iter().enumerate() {
        let (region, provider) = (places.region_of(*label), places.provider_of(*label));
        let paid = dual.domain(node).binary_search(label).map_or(0, |place| dual.pays_region(node)[place]);
        *unpaid_region[region].get_or_insert(problem.open_region[region]) -= paid;
        *unpaid_provider[provider].get_or_insert(problem.open_provider[provider]) -=
            dual.pays_provider(node, provider);
    }
    let is_open = |unpaid: &[Option<i64>], place: usize| unpaid[place].is_some_and(|unpaid| unpaid > 0);
    (0..labels.len())
        .filter(|&node| {
            let pays_region = dual.domain(node).iter().zip(dual.pays_region(node)).any(|(label, paid)| {
                let region = places.region_of(*label);
                *paid > 0
                    && dual.region_state(region) == Opening::Undecided
                    && is_open(&unpaid_region, region)
            });
            pays_region
                || (0..problem.open_provider.len()).any(|provider| {
                    dual.pays_provider(node, provider) > 0
                        && dual.provider_state(provider) == Opening::Undecided
                        && is_open(&unpaid_provider, provider)
                })
        })
        .collect()
}

/// The problem of the nodes inside, with what the messages from outside left them, and the bound of all the rest. `None`
/// when a node or an edge has nothing left.
fn cut_out(
    problem: &Problem,
    dual: &Dual<'_>,
    nodes: &[usize],
    inside: &[bool],
    scratch: &mut Reach,
) -> Option<(Problem, i64)> {
    let mut place = vec![0u32; inside.len()];
    for (number, &node) in nodes.iter().enumerate() {
        place[node] = number as u32;
    }
    let has_openings = problem.has_openings();
    let own = |node: usize| -> Vec<(u32, i64)> {
        let paid = |at: usize, label: u32| {
            if has_openings {
                dual.pays_region(node)[at] + dual.pays_provider(node, problem.places.provider_of(label))
            } else {
                0
            }
        };
        let cells = dual.domain(node).iter().zip(dual.theta(node)).enumerate();
        cells.map(|(at, (&label, theta))| (label, theta - paid(at, label))).collect()
    };
    let mut costs: Vec<Vec<(u32, i64)>> = nodes.iter().map(|node| own(*node)).collect();
    let mut edges = Vec::new();
    let mut outside = dual.constant;
    for (number, edge) in problem.edges.iter().enumerate() {
        let (a, b) = (edge.a as usize, edge.b as usize);
        if !(inside[a] && inside[b]) {
            outside += dual.edge_bound(number, scratch)?;
            continue;
        }
        for end in [a, b] {
            for ((_, cost), moved) in costs[place[end] as usize].iter_mut().zip(dual.moved(number, end)) {
                *cost -= moved;
            }
        }
        edges.push(Edge { a: place[a], b: place[b], ..edge.clone() });
    }
    let mut open_region = problem.open_region.clone();
    let mut open_provider = problem.open_provider.clone();
    for (region, cost) in open_region.iter_mut().enumerate() {
        if dual.region_state(region) != Opening::Undecided {
            *cost = 0;
        }
    }
    for (provider, cost) in open_provider.iter_mut().enumerate() {
        if dual.provider_state(provider) != Opening::Undecided {
            *cost = 0;
        }
    }
    for node in (0..inside.len()).filter(|node| !inside[*node]) {
        outside += dual.least(node)?;
        if has_openings {
            less_what_it_pays(problem, dual, node, &mut open_region, &mut open_provider);
        }
    }
    let kernel = Problem {
        places: problem.places.clone(),
        nodes: costs,
        edges,
        open_region,
        open_provider,
        max_regions: None,
        max_providers: None,
        tables: problem.tables.clone(),
        capacities: Vec::new(),
        uses: Vec::new(),
    };
    Some((kernel, outside))
}

/// What a node outside pays is already in the costs of its labels, so the kernel pays only what is left.
fn less_what_it_pays(
    problem: &Problem,
    dual: &Dual<'_>,
    node: usize,
    open_region: &mut [i64],
    open_provider: &mut [i64],
) {
    let mut last = usize::MAX;
    for (label, paid) in dual.domain(node).iter().zip(dual.pays_region(node)) {
        let region = problem.places.region_of(*label);
        if region != last && dual.region_state(region) == Opening::Undecided {
            open_region[region] -= paid;
        }
        last = region;
    }
    for (provider, cost) in open_provider.iter_mut().enumerate() {
        if dual.provider_state(provider) == Opening::Undecided {
            *cost -= dual.pays_provider(node, provider);
        }
    }
}
