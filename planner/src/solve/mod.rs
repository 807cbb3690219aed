//! Solves the placement problem: a labelling, and a lower bound that no labelling can beat.
//!
//! Independent parts of the problem are solved apart and in parallel ([`solve`]); each by message passing ([`dual`]) for
//! the bound, local search ([`search`]) for the labelling, and branch and bound ([`branch`]) for what is left between.
//! On a tree of traffic without opening costs the first pass of messages is already exact, as dynamic programming is.

pub mod problem;

pub mod dual;

mod opening;

pub mod search;

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
    if problem.nodes.is_empty() {
        return Solution { labelling: Some(Labelling { labels: Vec::new(), cost: 0 }), bound: 0 };
    }
    if problem.is_coupled() {
        return branch::solve(problem, effort);
    }
    let parts = components(problem);
    let solved: Vec<Solution> = parts.par_iter().map(|part| branch::solve(&part.problem, effort)).collect();
    let mut labels = vec![0; problem.nodes.len()];
    let mut bound = 0i64;
    for (part, solution) in parts.iter().zip(solved) {
        let Some(found) = solution.labelling else { return Solution { labelling: None, bound: NEVER } };
        for (node, label) in part.nodes.iter().zip(found.labels) {
            labels[*node] = label;
        }
        bound += solution.bound;
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

fn copy_of_labels(problem: &Problem) -> Problem {
    Problem {
        provider: problem.provider.clone(),
        class: problem.class.clone(),
        n_classes: problem.n_classes,
        nodes: Vec::new(),
        edges: Vec::new(),
        open_label: problem.open_label.clone(),
        open_provider: problem.open_provider.clone(),
        max_labels: problem.max_labels,
        max_providers: problem.max_providers,
    }
}

#[cfg(test)]
mod tests;
