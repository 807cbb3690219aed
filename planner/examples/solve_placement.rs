//! Solves a placement instance in JSON and prints one line of JSON: objective, bound, gap, whether proven, seconds.
//!
//! ```text
//! solve_placement FILE.json[.xz] --variant potts|egress|full [--opening-factor K] [--max-regions N] [--max-providers N]
//!                 [--gap 0.000001] [--time-limit SECONDS]
//! ```
//!
//! The instance: `prov[label]`, `unary[node][label]` integer cents a month (-1: not allowed), `edges[[source, sink]]`,
//! `gb[edge]`, `creg[p]` and `cnet[p]` cents a GB that leaves a region inside provider `p`, or `p` itself,
//! `open_region[label]` and `open_provider[p]` cents a month. Money in the answer is in units of 100 cents.

use std::collections::BTreeMap;

use carafe_planner::solve::problem::{Edge, Places, Problem, Tariff};
use serde_json::Value;

mod common;

/// Cents are kept in millionths, so that fractional volumes lose nothing that matters.
const SCALE: f64 = 1e6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = common::Options::read(
        "solve_placement FILE.json[.xz] --variant potts|egress|full [--opening-factor K] [--max-regions N] \
         [--max-providers N] [--gap G] [--time-limit SECONDS]",
        &["variant", "opening-factor", "max-regions", "max-providers"],
    )?;
    let limit = |name: &str| options.text(name).map(str::parse::<u32>).transpose();
    let instance: Value = serde_json::from_slice(&options.bytes()?)?;
    let variant = options.text("variant").unwrap_or("egress");
    if !["potts", "egress", "full"].contains(&variant) {
        return Err(format!("{variant} is no variant; there are potts, egress and full").into());
    }
    let mut problem = read(&instance, variant, options.number("opening-factor", 1.0)?);
    problem.max_regions = limit("max-regions")?;
    problem.max_providers = limit("max-providers")?;
    common::answer(&problem, &options, |cost| cost as f64 / SCALE / 100.0)
}

fn read(instance: &Value, variant: &str, factor: f64) -> Problem {
    let numbers = |name: &str| -> Vec<f64> {
        let list = instance[name].as_array().expect("a list");
        list.iter().map(|v| v.as_f64().expect("a number")).collect()
    };
    let scaled = |cents: f64| (cents * SCALE).round() as i64;
    let provider: Vec<u32> = numbers("prov").iter().map(|p| *p as u32).collect();
    let n_providers = provider.iter().max().map_or(0, |p| *p as usize + 1);
    let (inside, outside) = match variant {
        "potts" => (vec![5.0; n_providers], vec![5.0; n_providers]),
        _ => (numbers("creg"), numbers("cnet")),
    };
    let nodes = instance["unary"].as_array().expect("a list").iter().map(|row| {
        let row = row.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number"));
        row.enumerate()
            .filter(|(_, cents)| *cents >= 0.0)
            .map(|(l, cents)| (l as u32, scaled(cents)))
            .collect()
    });
    let mut merged: BTreeMap<(u32, u32), [f64; 2]> = BTreeMap::new();
    for (edge, gb) in instance["edges"].as_array().expect("a list").iter().zip(numbers("gb")) {
        let end = |place: usize| edge[place].as_u64().expect("a node") as u32;
        let (source, sink) = (end(0), end(1));
        let volumes = merged.entry((source.min(sink), source.max(sink))).or_default();
        volumes[usize::from(source > sink)] += gb;
    }
    let edges = merged.into_iter().filter(|((a, b), _)| a != b).map(|((a, b), [from_a, from_b])| {
        let tariff = |gb: f64| Tariff {
            by_class: inside.iter().zip(&outside).map(|(i, o)| [0, scaled(i * gb), scaled(o * gb)]).collect(),
        };
        Edge { a, b, a_pays: tariff(from_a), b_pays: tariff(from_b), table: None }
    });
    let edges = edges.collect();
    let mut problem = Problem::about(Places::of_regions(provider.clone(), provider, n_providers));
    problem.nodes = nodes.collect();
    problem.edges = edges;
    if variant == "full" {
        let opening = |name: &str| numbers(name).iter().map(|cents| scaled(cents * factor)).collect();
        problem.open_region = opening("open_region");
        problem.open_provider = opening("open_provider");
    }
    problem
}
