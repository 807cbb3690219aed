//! Solves a pairwise model in the UAI format, as the UAI inference competitions use it, and prints one line of JSON.
//!
//! ```text
//! solve_uai FILE.uai [--gap 0.000001] [--time-limit SECONDS]
//! ```
//!
//! `MARKOV` or `BAYES`, how many variables, how many values each has, how many factors, the variables of each, then for
//! each the number of its entries and the entries, the last variable counting fastest. An entry is a potential and costs
//! `-ln(potential)`; zero is refused. Where all costs are whole numbers but for rounding (potentials made as `exp(-cost)`),
//! they are counted as whole numbers, else in millionths. Factors of more than two variables are not supported.

use std::collections::BTreeMap;

use carafe_planner::solve::problem::{Edge, NEVER, PairTable, Places, Problem, Tariff};

mod common;

/// How far from a whole number a cost may be that was meant to be one.
const ROUNDING: f64 = 1e-4;
/// Parts of one in which other costs are counted.
const MILLION: f64 = 1e6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = common::Options::read("solve_uai FILE.uai [--gap G] [--time-limit SECONDS]", &[])?;
    let text = String::from_utf8(options.bytes()?)?;
    let model = Model::read(&text)?;
    let (problem, constant, unit) = model.problem();
    common::answer(&problem, &options, |cost| (cost + constant) as f64 / unit)
}

/// A model as the file has it, its potentials as costs; infinite is refused.
struct Model {
    sizes: Vec<usize>,
    factors: Vec<(Vec<usize>, Vec<f64>)>,
}

impl Model {
    fn read(text: &str) -> Result<Model, String> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        if !["MARKOV", "BAYES"].contains(&kind) {
            return Err("the file begins with neither MARKOV nor BAYES".to_owned());
        }
        let mut next = |what: &str| words.next().ok_or_else(|| format!("the file ends before {what}"));
        let mut count = |what: &str| -> Result<usize, String> {
            let word = next(what)?;
            word.parse().map_err(|_| format!("{word:?} is not {what}"))
        };
        let n = count("the number of variables")?;
        let sizes: Vec<usize> = (0..n).map(|_| count("a number of values")).collect::<Result<_, _>>()?;
        let n_factors = count("the number of factors")?;
        let mut scopes = Vec::new();
        for _ in 0..n_factors {
            let arity = count("how many variables a factor has")?;
            if arity > 2 {
                return Err(format!("a factor has {arity} variables; at most two are supported"));
            }
            let scope: Vec<usize> = (0..arity).map(|_| count("a variable")).collect::<Result<_, _>>()?;
            if scope.iter().any(|variable| *variable >= n) {
                return Err("a factor is about a variable that there is not".to_owned());
            }
            scopes.push(scope);
        }
        let mut factors = Vec::new();
        for scope in scopes {
            let expected: usize = scope.iter().map(|variable| sizes[*variable]).product();
            let entries: usize = next("a number of entries")?.parse().map_err(|_| "no number of entries")?;
            if entries != expected {
                return Err(format!("a factor has {entries} entries and its variables {expected}"));
            }
            let mut costs = Vec::with_capacity(entries);
            for _ in 0..entries {
                let word = next("an entry")?;
                let potential: f64 = word.parse().map_err(|_| format!("{word:?} is no potential"))?;
                if potential.is_nan() || potential < 0.0 || potential.is_infinite() {
                    return Err(format!("{word} is no potential"));
                }
                costs.push(-potential.ln());
            }
            factors.push((scope, costs));
        }
        Ok(Model { sizes, factors })
    }

    /// The problem, what is to be added to its costs, and how many of its units are one.
    ///
    /// A value is a label, a label a region of its own that costs nothing to open; all costs are in tables of pairs.
    fn problem(&self) -> (Problem, i64, f64) {
        let finite = || self.factors.iter().flat_map(|(_, costs)| costs).filter(|cost| cost.is_finite());
        let is_whole = finite().all(|cost| (cost - cost.round()).abs() < ROUNDING);
        let unit = if is_whole { 1.0 } else { MILLION };
        let scaled = |cost: f64| if cost.is_finite() { (cost * unit).round() as i64 } else { NEVER };
        let add = |a: i64, b: i64| a.saturating_add(b).min(NEVER);
        let mut constant = 0;
        let mut own: Vec<Vec<i64>> = self.sizes.iter().map(|size| vec![0; *size]).collect();
        let mut pairs: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
        for (scope, costs) in &self.factors {
            match scope[..] {
                [] => constant += costs.first().map_or(0, |cost| scaled(*cost)),
                [variable] => {
                    for (sum, cost) in own[variable].iter_mut().zip(costs) {
                        *sum = add(*sum, scaled(*cost));
                    }
                }
                [a, b] if a == b => {
                    let size = self.sizes[a];
                    for (value, sum) in own[a].iter_mut().enumerate() {
                        *sum = add(*sum, scaled(costs[value * size + value]));
                    }
                }
                [a, b] => {
                    let (n_a, n_b) = (self.sizes[a], self.sizes[b]);
                    let sums = pairs.entry((a.min(b), a.max(b))).or_insert_with(|| vec![0; n_a * n_b]);
                    for (place, cost) in costs.iter().enumerate() {
                        let (x, y) = (place / n_b, place % n_b);
                        let at = if a < b { place } else { y * n_a + x };
                        sums[at] = add(sums[at], scaled(*cost));
                    }
                }
                _ => unreachable!("the reader refuses larger factors"),
            }
        }
        // Costs of nothing at least, as the solver wants them.
        let mut lower = |costs: &mut [i64]| {
            let least = costs.iter().copied().filter(|cost| *cost < NEVER).min().unwrap_or(0);
            costs.iter_mut().filter(|cost| **cost < NEVER).for_each(|cost| *cost -= least);
            constant += least;
        };
        own.iter_mut().for_each(|costs| lower(costs));
        pairs.values_mut().for_each(|costs| lower(costs));
        let most = self.sizes.iter().copied().max().unwrap_or(0);
        let mut problem = Problem::about(Places::of_regions(vec![0; most], vec![0; most], 1));
        problem.nodes = own
            .iter()
            .map(|costs| (0..).zip(costs.iter().copied()).filter(|(_, cost)| *cost < NEVER).collect())
            .collect();
        let mut tables = Vec::new();
        for ((a, b), costs) in &pairs {
            let (n_a, n_b) = (self.sizes[*a] as u32, self.sizes[*b] as u32);
            let table = Some(tables.len() as u32);
            tables.push(PairTable::of_costs(most, |r, s| match r < n_a && s < n_b {
                true => costs[(r * n_b + s) as usize],
                false => NEVER,
            }));
            problem.edges.push(Edge {
                a: *a as u32,
                b: *b as u32,
                a_pays: Tariff::nothing(1),
                b_pays: Tariff::nothing(1),
                table,
            });
        }
        problem.tables = tables.into();
        (problem, constant, unit)
    }
}
