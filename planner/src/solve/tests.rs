//! The solver against brute force on tiny problems with everything on.

use proptest::prelude::*;

use super::problem::{Edge, NEVER, Problem};
use super::{Effort, solve};

const EXACT: Effort<'_> =
    Effort { gap_millionths: 0, exact_work: u64::MAX, most_work: u64::MAX, stop: &|| false };

fn brute_force(problem: &Problem) -> Option<i64> {
    let mut choice = vec![0usize; problem.nodes.len()];
    let mut best: Option<i64> = None;
    loop {
        let labels: Vec<u32> =
            problem.nodes.iter().zip(&choice).map(|(node, place)| node[*place].0).collect();
        if let Some(cost) = problem.cost(&labels) {
            best = Some(best.map_or(cost, |least| least.min(cost)));
        }
        let mut digit = 0;
        loop {
            if digit == choice.len() {
                return best;
            }
            choice[digit] += 1;
            if choice[digit] < problem.nodes[digit].len() {
                break;
            }
            choice[digit] = 0;
            digit += 1;
        }
    }
}

prop_compose! {
    fn any_problem()(
        n_labels in 1usize..6,
        n_nodes in 1usize..6,
    )(
        provider in prop::collection::vec(0u32..3, n_labels),
        class in prop::collection::vec(0u32..2, n_labels),
        costs in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, 0i64..100), n_labels), n_nodes),
        edges in prop::collection::vec((0..n_nodes, 0..n_nodes, prop::array::uniform8(0i64..60)), 0..8),
        open_label in prop::collection::vec(prop_oneof![Just(0i64), 0i64..80], n_labels),
        open_provider in prop::collection::vec(prop_oneof![Just(0i64), 0i64..80], 3),
        max_labels in prop::option::weighted(0.3, 1u32..4),
        max_providers in prop::option::weighted(0.3, 1u32..3),
    ) -> Problem {
        let mut seen = std::collections::BTreeSet::new();
        let edges = edges
            .into_iter()
            .filter(|(a, b, _)| a != b && seen.insert((*a.min(b), *a.max(b))))
            .map(|(a, b, c)| Edge {
                a: a as u32,
                b: b as u32,
                inside_a: Box::new([c[0], c[1]]),
                outside_a: Box::new([c[2], c[3]]),
                inside_b: Box::new([c[4], c[5]]),
                outside_b: Box::new([c[6], c[7]]),
            })
            .collect();
        let nodes = costs
            .into_iter()
            .map(|row| {
                let mut node: Vec<(u32, i64)> =
                    row.iter().enumerate().filter_map(|(l, c)| c.map(|c| (l as u32, c))).collect();
                if node.is_empty() {
                    node.push((0, 7));
                }
                node
            })
            .collect();
        Problem { provider, class, n_classes: 2, nodes, edges, open_label, open_provider, max_labels, max_providers }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn the_optimum_is_found_and_proven(problem in any_problem()) {
        let solution = solve(&problem, &EXACT);
        match brute_force(&problem) {
            Some(optimum) => {
                let found = solution.labelling.expect("there is one");
                prop_assert_eq!(problem.cost(&found.labels), Some(found.cost));
                prop_assert_eq!(found.cost, optimum);
                prop_assert_eq!(solution.bound, optimum);
            }
            None => {
                prop_assert_eq!(solution.labelling, None);
                prop_assert!(solution.bound >= NEVER);
            }
        }
    }

    #[test]
    fn a_bound_cut_short_is_still_a_bound(problem in any_problem(), work in 0u64..200) {
        let effort = Effort { gap_millionths: 0, exact_work: work, most_work: work, stop: &|| false };
        let solution = solve(&problem, &effort);
        if let Some(optimum) = brute_force(&problem) {
            prop_assert!(solution.bound <= optimum);
            if let Some(found) = solution.labelling {
                prop_assert!(found.cost >= optimum);
            }
        }
    }
}

/// Problems that were once solved wrongly.
#[test]
fn what_once_went_wrong() {
    let problem = Problem {
        provider: vec![1, 2, 1],
        class: vec![0, 0, 0],
        n_classes: 2,
        nodes: vec![vec![(1, 0)], vec![(0, 32), (2, 49)], vec![(0, 14), (2, 0)], vec![(0, 23), (2, 18)]],
        edges: vec![],
        open_label: vec![18, 0, 21],
        open_provider: vec![0, 2, 0],
        max_labels: None,
        max_providers: None,
    };
    let solution = solve(&problem, &EXACT);
    assert_eq!(solution.labelling.map(|found| found.cost), Some(89));
    assert_eq!(solution.bound, 89);
}
