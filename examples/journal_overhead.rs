//! Measures what the journal costs a step: `cargo run --release --example journal_overhead [STEPS] [PARALLELISM] [URL]`.
//!
//! The same plan of independent steps is applied to the simulated cloud with the journal in memory and with the one on
//! disk; given the address of an empty PostgreSQL database, with that one too, and once more through its queue by one
//! worker. The difference to the journal in memory, divided by the number of steps, is what keeping the journal costs.

use std::path::Path;
use std::time::{Duration, Instant};

use carafe::drivers::connections::Connections;
use carafe::executor::worker::Worker;
use carafe::executor::{self, Confirm, Options, Request, RunState, queue};
use carafe::store::postgres::{DatabaseUrl, LEASE};
use carafe::store::{Journal, MemoryJournal, PgJournal, Phase, SqliteJournal};
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

fn options(parallelism: usize) -> Options {
    Options { parallelism, confirm: Confirm::All, ..Options::default() }
}

fn connections() -> Connections {
    Connections::simulated(None).expect("nothing is read from a file")
}

async fn measure(plan: &Plan, parallelism: usize, journal: &dyn Journal) -> Duration {
    let request = Request { plan, plan_sha256: "bench", wave: None, options: options(parallelism) };
    let (_switch, stop) = executor::stop_switch();
    let begun = Instant::now();
    let report = executor::apply(&request, &connections(), journal, &mut |_| {}, stop).await;
    let took = begun.elapsed();
    assert_eq!(report.expect("nothing is in the way").state, RunState::Done);
    took
}

/// The same through the queue, by one worker.
async fn measure_queue(plan: &Plan, parallelism: usize, journal: &PgJournal) -> Duration {
    let (connections, options) = (connections(), options(parallelism));
    let request = Request { plan, plan_sha256: "queue", wave: None, options: options.clone() };
    let (_switch, stop) = executor::stop_switch();
    let begun = Instant::now();
    let run = queue::enqueue(&request, &connections, journal).await.expect("nothing is in the way");
    let worker = Worker { journal, connections: &connections, options: &options, until_idle: true };
    worker.work(&mut |_| {}, stop).await.expect("the server runs");
    let took = begun.elapsed();
    assert_eq!(journal.load(&run).await.expect("it is there").record.phase, Phase::Finished);
    took
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(default, |number| number.parse().expect("a number"));
    let (steps, parallelism) = (number(10_000), number(64));
    let plan = plan(steps);
    let memory = measure(&plan, parallelism, &MemoryJournal::new()).await;
    let told = |journal: &str, took: Duration| {
        let overhead = took.saturating_sub(memory).as_micros() / steps.max(1) as u128;
        #[expect(clippy::print_stdout, reason = "this is what the measurement is for")]
        {
            println!("{journal}: {took:.2?}, {overhead} µs a step more than in memory");
        }
    };
    told(&format!("{steps} steps, {parallelism} at a time, in memory"), memory);
    let folder = tempfile::tempdir_in(Path::new(".")).expect("the current folder is writable");
    let on_disk = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("it is new");
    told("on disk", measure(&plan, parallelism, &on_disk).await);
    if let Some(url) = arguments.next() {
        let url = DatabaseUrl::public(&url).expect("the address of a database");
        let journal = PgJournal::open(&url, LEASE).await.expect("the server runs");
        told("in PostgreSQL", measure(&plan, parallelism, &journal).await);
        told("in PostgreSQL, by a worker", measure_queue(&plan, parallelism, &journal).await);
    }
}
