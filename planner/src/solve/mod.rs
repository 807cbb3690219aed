//! Solves the placement problem: a labelling, and a lower bound that no labelling can beat.
//!
//! What no optimum needs is dropped first ((`presolve`)). Independent parts are solved apart and in parallel, each by
//! message passing ([`dual`]) for the bound and local search ([`search`]) for the labelling; where the two do not meet,
//! what is undecided becomes a smaller problem ((`kernel`)), and what is left is closed by branch and bound ([`branch`]).
//! On a tree of traffic without opening costs the first pass of messages is already exact, as dynamic programming is.

pub mod problem;

mod presolve;

mod reach;

pub mod dual;

mod opening;

mod excess;

mod certain;

mod propagate;

pub mod search;

mod kernel;

pub mod branch;

use rayon::prelude::*;

use problem::{Edge, Labelling, NEVER, Problem};

/// How much may be done.
pub struct Effort<'a> {
    /// A gap, in millionths of the objective, that counts as proven once `exact_work` is spent.
    pub gap_millionths: i64,
    /// Labels looked at before a gap above zero is accepted.
    pub exact_work: u64,
    /// Labels looked at before any gap is accepted.
    pub most_work: u64,
    /// Asked now and then; `true` ends the work with what there is.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The cheapest labelling found; `None` when none was found that obeys the limits.
    pub labelling: Option<Labelling>,
    /// No labelling costs less; [`NEVER`] when there is none at all.
    pub bound: i64,
}

/// Solves a problem. Every node must have at least one label.
pub fn solve(problem: &Problem, effort: &Effort<'_>) -> Solution {
    let small = presolve::presolve(problem);
    let found = solve_parts(&small.problem, effort);
    let labelling = found.labelling.map(|found| small.restore(found));
    debug_assert!(labelling.as_ref().is_none_or(|found| problem.cost(&found.labels) == Some(found.cost)));
    Solution { labelling, bound: found.bound }
}

/// Solves a problem as it is, independent parts of it apart.
fn solve_parts(problem: &Problem, effort: &Effort<'_>) -> Solution {
    if problem.nodes.is_empty() {
        return Solution { labelling: Some(Labelling { labels: Vec::new(), cost: 0 }), bound: 0 };
    }
    if problem.is_coupled() {
        return branch::solve(problem, effort);
    }
    let parts = components(problem);
    let solved: Vec<Solution> = parts.par_iter().map(|part| branch::solve(&part.problem, effort)).collect();
    let is_hopeless = solved.iter().any(|solution| solution.bound >= NEVER);
    let bound = if is_hopeless { NEVER } else { solved.iter().map(|solution| solution.bound).sum() };
    let mut labels = vec![0; problem.nodes.len()];
    for (part, solution) in parts.iter().zip(solved) {
        let Some(found) = solution.labelling else { return Solution { labelling: None, bound } };
        for (node, label) in part.nodes.iter().zip(found.labels) {
            labels[*node] = label;
        }
    }
    let cost = problem.cost(&labels).expect("each part's labelling obeys every rule there is");
    Solution { labelling: Some(Labelling { labels, cost }), bound }
}

struct Component {
    nodes: Vec<usize>,
    problem: Problem,
}

/// The parts that no traffic joins, each a problem of its own, by their first node.
fn components(problem: &Problem) -> Vec<Component> {
    let mut sets = petgraph::unionfind::UnionFind::<usize>::new(problem.nodes.len());
    for edge in &problem.edges {
        sets.union(edge.a as usize, edge.b as usize);
    }
    let mut component_of_set = vec![usize::MAX; problem.nodes.len()];
    let mut place_in_component = vec![0u32; problem.nodes.len()];
    let mut components: Vec<Component> = Vec::new();
    for (node, costs) in problem.nodes.iter().enumerate() {
        let set = sets.find(node);
        if component_of_set[set] == usize::MAX {
            component_of_set[set] = components.len();
            let shared = Problem { nodes: Vec::new(), edges: Vec::new(), ..copy_of_labels(problem) };
            components.push(Component { nodes: Vec::new(), problem: shared });
        }
        let component = &mut components[component_of_set[set]];
        place_in_component[node] = component.nodes.len() as u32;
        component.nodes.push(node);
        component.problem.nodes.push(costs.clone());
    }
    for edge in &problem.edges {
        let component = &mut components[component_of_set[sets.find(edge.a as usize)]];
        component.problem.edges.push(Edge {
            a: place_in_component[edge.a as usize],
            b: place_in_component[edge.b as usize],
            ..edge.clone()
        });
    }
    components
}

/// A problem about the same places, without nodes.
fn copy_of_labels(problem: &Problem) -> Problem {
    Problem {
        places: problem.places.clone(),
        nodes: Vec::new(),
        edges: Vec::new(),
        open_region: problem.open_region.clone(),
        open_provider: problem.open_provider.clone(),
        max_regions: problem.max_regions,
        max_providers: problem.max_providers,
        tables: problem.tables.clone(),
        capacities: Vec::new(),
        uses: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
