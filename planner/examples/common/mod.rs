//! What the solver's examples share: options, the clock, and one line of JSON as the answer.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a command-line example reads files and the clock; the library does not"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read as _;
use std::time::{Duration, Instant};

use carafe_planner::solve::problem::Problem;
use carafe_planner::solve::{Effort, solve};

/// A file and `--name value` behind it.
pub struct Options {
    /// The first argument.
    pub file: String,
    named: BTreeMap<String, String>,
}

impl Options {
    /// Those of the command line; `known` are the names there are.
    pub fn read(usage: &str, known: &[&str]) -> Result<Options, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        let file = arguments.next().ok_or_else(|| format!("usage: {usage}"))?;
        let mut named = BTreeMap::new();
        while let Some(name) = arguments.next() {
            let bare = name.trim_start_matches("--").to_owned();
            if !known.contains(&bare.as_str()) && !["gap", "time-limit"].contains(&bare.as_str()) {
                return Err(format!("{name} is not known; usage: {usage}").into());
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            named.insert(bare, value);
        }
        Ok(Options { file, named })
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// A number.
    pub fn number(&self, name: &str, default: f64) -> Result<f64, std::num::ParseFloatError> {
        self.text(name).map_or(Ok(default), str::parse)
    }

    /// The bytes of the file, unpacked when its name ends with `.xz`.
    pub fn bytes(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let read = std::fs::read(&self.file).map_err(|error| format!("{}: {error}", self.file))?;
        if !self.file.ends_with(".xz") {
            return Ok(read);
        }
        let mut unpacked = Vec::new();
        lzma_rust2::XzReader::new(read.as_slice(), true).read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }
}

/// Solves and prints one line; `amount` turns a cost of the problem into that of the instance. The objective is computed
/// again from the labels before it is printed.
pub fn answer(
    problem: &Problem,
    options: &Options,
    amount: impl Fn(i64) -> f64,
) -> Result<(), Box<dyn Error>> {
    let asked = options.number("gap", 1e-6)?;
    let start = Instant::now();
    let deadline = Duration::from_secs_f64(options.number("time-limit", 60.0)?);
    let effort = Effort {
        gap_millionths: (asked * 1e6) as i64,
        exact_work: 0,
        most_work: u64::MAX,
        stop: &|| start.elapsed() > deadline,
    };
    let solution = solve(problem, &effort);
    let seconds = start.elapsed().as_secs_f64();
    let bound = (solution.bound < carafe_planner::solve::problem::NEVER).then(|| amount(solution.bound));
    let Some(found) = solution.labelling else {
        let infeasible = bound.is_none();
        println!(
            "{}",
            serde_json::json!({
                "objective": null, "lower_bound": bound, "gap": null, "proven": infeasible, "infeasible": infeasible,
                "seconds": seconds,
            })
        );
        return Ok(());
    };
    if problem.cost(&found.labels) != Some(found.cost) {
        return Err("the objective does not hold when it is computed again".into());
    }
    let (objective, bound) = (amount(found.cost), amount(solution.bound));
    let gap =
        if found.cost == solution.bound { 0.0 } else { (objective - bound) / objective.abs().max(1e-9) };
    println!(
        "{}",
        serde_json::json!({
            "objective": objective, "lower_bound": bound, "gap": gap, "proven": gap <= asked, "seconds": seconds,
        })
    );
    Ok(())
}
