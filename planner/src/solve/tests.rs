//! The solver against brute force on tiny problems with everything on.

use proptest::prelude::*;

use super::problem::{Edge, NEVER, PairTable, Places, Problem, Tariff, Use};
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
    /// Up to five places, some of them zones of one region, and everything that a problem can have.
    fn any_problem()(
        n_labels in 1usize..6,
        n_nodes in 1usize..6,
    )(
        steps in prop::collection::vec((0u32..3, prop::bool::weighted(0.3)), n_labels),
        class in prop::collection::vec(0u32..2, n_labels),
        costs in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, 0i64..100), n_labels), n_nodes),
        edges in prop::collection::vec((0..n_nodes, 0..n_nodes, prop::array::uniform12(0i64..60), prop::option::weighted(0.2, 0u32..2)), 0..8),
        open_region in prop::collection::vec(prop_oneof![Just(0i64), 0i64..80], n_labels),
        open_provider in prop::collection::vec(prop_oneof![Just(0i64), 0i64..80], 3),
        max_regions in prop::option::weighted(0.3, 1u32..4),
        max_providers in prop::option::weighted(0.3, 1u32..3),
        pairs in prop::collection::vec(prop_oneof![4 => Just(NEVER), 4 => Just(0i64), 2 => 0i64..50], 2 * n_labels * n_labels),
        capacities in prop_oneof![Just(Vec::new()), prop::collection::vec(0i64..12, 1..3)],
        amounts in prop::collection::vec(0i64..6, n_nodes * n_labels * 2),
    ) -> Problem {
        let n_labels = steps.len();
        // Providers in order; a place may be another zone of the region before it.
        let mut provider: Vec<u32> = steps.iter().map(|(provider, _)| *provider).collect();
        provider.sort_unstable();
        let mut region: Vec<u32> = Vec::new();
        for (label, (_, is_zone)) in steps.iter().enumerate() {
            let next = match region.last() {
                None => 0,
                Some(last) if *is_zone && provider[label] == provider[label - 1] => *last,
                Some(last) => last + 1,
            };
            region.push(next);
        }
        let mut seen = std::collections::BTreeSet::new();
        let edges = edges
            .into_iter()
            .filter(|(a, b, ..)| a != b && seen.insert((*a.min(b), *a.max(b))))
            .map(|(a, b, c, table)| Edge {
                a: a as u32,
                b: b as u32,
                a_pays: Tariff { by_class: Box::new([[c[0], c[1], c[2]], [c[3], c[4], c[5]]]) },
                b_pays: Tariff { by_class: Box::new([[c[6], c[7], c[8]], [c[9], c[10], c[11]]]) },
                table,
            })
            .collect();
        let nodes: Vec<Vec<(u32, i64)>> = costs
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
        let uses = if capacities.is_empty() {
            Vec::new()
        } else {
            let of = |node: usize, label: u32, capacity: usize| Use {
                label,
                capacity: capacity as u32,
                amount: amounts[(node * n_labels + label as usize) * 2 + capacity],
            };
            let all = |(node, labels): (usize, &Vec<(u32, i64)>)| {
                labels
                    .iter()
                    .flat_map(|&(label, _)| (0..capacities.len()).map(move |c| of(node, label, c)))
                    .filter(|found| found.amount > 0)
                    .collect()
            };
            nodes.iter().enumerate().map(all).collect()
        };
        let table = |number: usize| {
            PairTable::of_costs(n_labels, |r, s| pairs[(number * n_labels + r as usize) * n_labels + s as usize])
        };
        Problem {
            tables: [table(0), table(1)].into(),
            open_region: open_region[..=*region.last().expect("a label") as usize].to_vec(),
            places: Places { region, provider, class, n_classes: 2 }.into(),
            nodes,
            edges,
            open_provider,
            max_regions,
            max_providers,
            capacities,
            uses,
        }
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
    let mut problem = Problem::about(Places::of_regions(vec![1, 1, 2], vec![0, 0, 0], 2));
    problem.nodes = vec![vec![(2, 0)], vec![(0, 32), (1, 49)], vec![(0, 14), (1, 0)], vec![(0, 23), (1, 18)]];
    problem.open_region = vec![18, 21, 0];
    problem.open_provider = vec![0, 2, 0];
    let solution = solve(&problem, &EXACT);
    let optimum = brute_force(&problem);
    assert_eq!(solution.labelling.map(|found| found.cost), optimum);
    assert_eq!(Some(solution.bound), optimum);
}
