//! Plans an estate and prints one line of JSON: the month, its bound and gap, and the seconds the planner alone took.
//!
//! ```text
//! plan_estate ESTATE.json SNAPSHOT [POLICY.toml]
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a command-line example reads files and the clock; the library does not"
)]

use std::time::Instant;

use carafe_model::estate::Estate;
use carafe_model::policy::Policy;
use carafe_model::units::Quantity;
use carafe_model::{document, policy_file, snapshot};
use carafe_planner::{Options, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| {
        arguments.next().ok_or(format!("usage: plan_estate ESTATE SNAPSHOT [POLICY]: no {what}"))
    };
    let (estate, prices, policy) = (next("estate")?, next("snapshot")?, next("policy").ok());
    let (read, findings) = document::read::<Estate>(&estate, &std::fs::read(&estate)?);
    let read = read.ok_or_else(|| format!("{estate}: {findings:?}"))?;
    let prices =
        snapshot::open(&prices, &std::fs::read(&prices)?).map_err(|finding| finding.summary.to_string())?;
    let policy = match policy {
        Some(file) => policy_file::read(&file, &std::fs::read_to_string(&file)?).0,
        None => Policy::default(),
    };
    let options = Options {
        estate_sha256: String::new(),
        policy_sha256: String::new(),
        gap: Quantity(0),
        stop: &|| false,
    };
    let start = Instant::now();
    let plan = plan(&read, &prices, &policy, &options);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "hosts": plan.placements.len(),
            "monthly": plan.totals.monthly,
            "lower_bound": plan.bound.lower_bound,
            "gap": plan.bound.gap,
            "proven": plan.bound.proven,
            "seconds": seconds,
        })
    );
    Ok(())
}
