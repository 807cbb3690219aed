//! A second opinion on problems too large for brute force: the same optimum from a mixed-integer program.
//!
//! The program is the compact form of the labelling problem. With `x[i][r]` for "node i has label r", an edge needs for
//! each end and label two more columns: one that is at least "this end has r and the other has not", which pays the
//! inter-region price, and one that is at least "this end has r and the other is not of r's provider", which pays what
//! the internet costs more. Its solver works in floats, so it is asked for the value only, to the nearest unit.

use carafe_planner::solve::problem::{Edge, Places, Problem, Tariff};
use carafe_planner::solve::{Effort, solve};
use good_lp::{Expression, ProblemVariables, Solution, SolverModel, Variable, constraint, microlp, variable};
use proptest::prelude::*;

/// The optimum by the mixed-integer program; `None` when it is infeasible.
fn by_program(problem: &Problem) -> Option<i64> {
    let mut variables = ProblemVariables::new();
    let mut objective = Expression::from(0);
    let n_labels = problem.places.provider.len();
    let region_used: Vec<Variable> = (0..n_labels).map(|_| variables.add(variable().binary())).collect();
    let provider_used: Vec<Variable> =
        problem.open_provider.iter().map(|_| variables.add(variable().binary())).collect();
    let x: Vec<Vec<Option<Variable>>> = problem
        .nodes
        .iter()
        .map(|node| {
            let mut row = vec![None; n_labels];
            for &(label, cost) in node {
                let column = variables.add(variable().binary());
                objective += cost as f64 * column;
                row[label as usize] = Some(column);
            }
            row
        })
        .collect();
    let mut constraints = Vec::new();
    for edge in &problem.edges {
        let ends = [(edge.a, edge.b, &edge.a_pays), (edge.b, edge.a, &edge.b_pays)];
        for (here, there, pays) in ends {
            for (label, column) in x[here as usize].iter().enumerate() {
                let Some(column) = *column else { continue };
                let [_, inside, outside] = pays.by_class[problem.places.class[label] as usize];
                let leaves = variables.add(variable().min(0));
                let leaves_provider = variables.add(variable().min(0));
                objective += inside as f64 * leaves + (outside - inside) as f64 * leaves_provider;
                let same = x[there as usize][label].map_or(Expression::from(0), Expression::from);
                constraints.push(constraint!(leaves >= column - same));
                let of_provider: Expression = x[there as usize]
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| problem.places.provider[*other] == problem.places.provider[label])
                    .filter_map(|(_, other)| *other)
                    .sum();
                constraints.push(constraint!(leaves_provider >= column - of_provider));
            }
        }
    }
    for row in &x {
        constraints.push(constraint!(row.iter().flatten().sum::<Expression>() == 1));
        for (label, column) in row.iter().enumerate() {
            if let Some(column) = *column {
                constraints.push(constraint!(column <= region_used[label]));
            }
        }
    }
    for (label, used) in region_used.iter().enumerate() {
        objective += problem.open_region[label] as f64 * *used;
        constraints.push(constraint!(*used <= provider_used[problem.places.provider[label] as usize]));
    }
    for (used, cost) in provider_used.iter().zip(&problem.open_provider) {
        objective += *cost as f64 * *used;
    }
    for (used, most) in [(&region_used, problem.max_regions), (&provider_used, problem.max_providers)] {
        if let Some(most) = most {
            constraints.push(constraint!(used.iter().sum::<Expression>() <= most as f64));
        }
    }
    let mut model = variables.minimise(objective.clone()).using(microlp);
    for constraint in constraints {
        model = model.with(constraint);
    }
    Some(model.solve().ok()?.eval(objective).round() as i64)
}

prop_compose! {
    fn any_problem()(
        provider in prop::collection::vec(0u32..3, 7),
        class in prop::collection::vec(0u32..2, 7),
        costs in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, 0i64..100), 7), 9),
        edges in prop::collection::btree_map((0u32..9, 0u32..9), prop::array::uniform4((0i64..30, 0i64..30)), 4..14),
        open_region in prop::collection::vec(0i64..60, 7),
        open_provider in prop::collection::vec(0i64..60, 3),
        max_regions in prop::option::weighted(0.3, 2u32..4),
        max_providers in prop::option::weighted(0.3, 1u32..3),
    ) -> Problem {
        // The program needs the internet to be no cheaper than another region, as it is in every price list.
        let tariff = |costs: &[(i64, i64)]| Tariff {
            by_class: costs.iter().map(|(inside, more)| [0, *inside, inside + more]).collect(),
        };
        let edges = edges.into_iter().filter(|((a, b), _)| a < b).map(|((a, b), costs)| Edge {
            a,
            b,
            a_pays: tariff(&costs[..2]),
            b_pays: tariff(&costs[2..]),
            table: None,
        });
        let nodes = costs.iter().map(|row| {
            let known = row.iter().enumerate().filter_map(|(label, cost)| cost.map(|cost| (label as u32, cost)));
            let node: Vec<(u32, i64)> = known.collect();
            if node.is_empty() { vec![(0, 7)] } else { node }
        });
        let mut provider = provider;
        provider.sort_unstable();
        Problem {
            nodes: nodes.collect(),
            edges: edges.collect(),
            open_region,
            open_provider,
            max_regions,
            max_providers,
            ..Problem::about(Places::of_regions(provider, class, 2))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_mixed_integer_program_finds_the_same_optimum(problem in any_problem()) {
        let effort = Effort { gap_millionths: 0, exact_work: u64::MAX, most_work: u64::MAX, stop: &|| false };
        let solution = solve(&problem, &effort);
        prop_assert_eq!(solution.labelling.as_ref().map(|found| found.cost), by_program(&problem));
        if let Some(found) = solution.labelling {
            prop_assert_eq!(solution.bound, found.cost);
        }
    }
}
