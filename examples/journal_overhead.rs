//! Measures what the journal costs a step: `cargo run --release --example journal_overhead [STEPS] [PARALLELISM]`.
//!
//! The same plan of independent steps is applied to the simulated cloud twice, once with the journal in memory and once
//! with the one on disk. The difference, divided by the number of steps, is what keeping the journal costs.

use std::path::Path;
use std::time::{Duration, Instant};

use carafe::drivers::connections::Connections;
use carafe::executor::{self, Confirm, Options, Request, RunState};
use carafe::store::{Journal, MemoryJournal, SqliteJournal};
use carafe_model::document;
use carafe_model::plan::Plan;

const BLANK: &str = r#"{"carafe": "plan/1", "name": "bench", "currency": "USD",
    "catalog": {"id": "none", "sha256": "", "as_of": "2026-01-01", "oldest": "2026-01-01"},
    "estate_sha256": "", "policy_sha256": "",
    "totals": {"monthly": "0", "monthly_low": "0", "monthly_high": "0", "one_time": "0",
        "horizon_months": 36, "horizon": "0"},
    "bound": {"objective": "0", "lower_bound": "0", "gap": "0", "proven": true},
    "placements": [], "unplaced": [], "bill": [], "price_sources": [], "waves": [], "steps": STEPS,
    "findings": [], "assumptions": []}"#;

fn plan(steps: usize) -> Plan {
    let step = |number| {
        format!(
            r#"{{"id": "key/{number}", "wave": 0, "provider": "aws", "region": "us-east-1",
                "action": {{"kind": "key_pair", "name": "key-{number}"}}}}"#
        )
    };
    let steps: Vec<String> = (0..steps).map(step).collect();
    let text = BLANK.replace("STEPS", &format!("[{}]", steps.join(",")));
    document::read("plan.json", text.as_bytes()).0.expect("the plan is well formed")
}

async fn measure(plan: &Plan, parallelism: usize, journal: &dyn Journal) -> Duration {
    let connections = Connections::simulated(None).expect("nothing is read from a file");
    let options = Options { parallelism, confirm: Confirm::All, ..Options::default() };
    let request = Request { plan, plan_sha256: "bench", wave: None, options };
    let (_switch, stop) = executor::stop_switch();
    let begun = Instant::now();
    let report = executor::apply(&request, &connections, journal, &mut |_| {}, stop).await;
    let took = begun.elapsed();
    assert_eq!(report.expect("nothing is in the way").state, RunState::Done);
    took
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<usize>().expect("a number"));
    let steps = arguments.next().unwrap_or(10_000);
    let parallelism = arguments.next().unwrap_or(64);
    let plan = plan(steps);
    let folder = tempfile::tempdir_in(Path::new(".")).expect("the current folder is writable");
    let on_disk = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("it is new");
    let memory = measure(&plan, parallelism, &MemoryJournal::new()).await;
    let disk = measure(&plan, parallelism, &on_disk).await;
    let overhead = disk.saturating_sub(memory).as_micros() / steps.max(1) as u128;
    #[expect(clippy::print_stdout, reason = "this is what the measurement is for")]
    {
        println!("{steps} steps, {parallelism} at a time: {memory:.2?} in memory, {disk:.2?} on disk");
        println!("the journal costs {overhead} µs a step");
    }
}
