//! Solves uncapacitated facility location in the form of the OR-Library (Beasley, 1990) and prints one line of JSON.
//!
//! ```text
//! solve_ufl FILE [--gap 0.000001] [--time-limit SECONDS]
//! ```
//!
//! The file: how many facilities and customers; for each facility its capacity, which is not looked at and may be the
//! word `capacity`, and its fixed cost; for each customer its demand, which the costs hold already, and what serving it
//! costs from each facility. A facility is a region, its fixed cost what opening the region costs, a customer a node.

use carafe_planner::solve::problem::{Places, Problem};

mod common;

/// Costs are kept in hundred-thousandths: the files have up to five places behind the point.
const SCALE: f64 = 1e5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = common::Options::read("solve_ufl FILE [--gap G] [--time-limit SECONDS]", &[])?;
    let text = String::from_utf8(options.bytes()?)?;
    let problem = read(&text)?;
    common::answer(&problem, &options, |cost| cost as f64 / SCALE)
}

fn read(text: &str) -> Result<Problem, String> {
    let mut words = text.split_ascii_whitespace().enumerate();
    let mut word = |what: &str| words.next().ok_or_else(|| format!("the file ends before {what}"));
    let mut number = |what: &str| {
        let (place, word) = word(what)?;
        let parsed = word.parse::<f64>().ok().filter(|value| value.is_finite());
        // Some files have the word instead of a capacity.
        let parsed = parsed.or((what == "a capacity" && word == "capacity").then_some(0.0));
        parsed.ok_or_else(|| format!("word {}, {word:?}, is not {what}", place + 1))
    };
    let cost = |value: f64| (value * SCALE).round() as i64;
    let facilities = number("how many facilities there are")? as u32;
    let customers = number("how many customers there are")? as usize;
    let mut open_region = Vec::new();
    for _ in 0..facilities {
        number("a capacity")?;
        open_region.push(cost(number("a fixed cost")?));
    }
    let mut problem =
        Problem::about(Places::of_regions(vec![0; facilities as usize], vec![0; facilities as usize], 1));
    problem.open_region = open_region;
    for _ in 0..customers {
        number("a demand")?;
        let costs = (0..facilities).map(|facility| Ok((facility, cost(number("a cost of serving")?))));
        problem.nodes.push(costs.collect::<Result<_, String>>()?);
    }
    Ok(problem)
}
