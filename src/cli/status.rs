//! `carafe status`.

use std::path::PathBuf;
use std::time::Duration;

use carafe_reports::run_html;
use serde_json::json;

use super::Context;
use super::execution;
use super::findings;
use super::journal::JournalArg;
use super::output::{Format, clean};
use super::run_report;
use super::table::{Side, Table};
use crate::error::{Error, Exit};
use crate::executor::{self, RunReport, RunStatus};
use crate::files;
use crate::run_id::RunId;
use crate::store::Journal;

/// Show how runs stand, by the journal alone
///
/// Without a run all runs are listed, the oldest first. No cloud is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe status
  carafe status 20261120-093015-5f0c21aa -v
  carafe status --format json | jq '.runs[] | select(.state.state != \"done\")'")]
pub(super) struct Args {
    /// The run; all of them when absent
    run: Option<String>,
    /// Show it again every second, until nobody is at work
    #[arg(long)]
    watch: bool,
    /// Write the run as one HTML file
    #[arg(long, value_name = "FILE", requires = "run")]
    report: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    if args.watch {
        return watch(args, context);
    }
    let runs = read(args, context)?;
    if let (Some(path), [run]) = (&args.report, runs.as_slice())
        && let Some(journal) = args.journal.open_if_there(context)?
    {
        let loaded = context.wait(journal.load(&run.run))?;
        let report = RunReport {
            run: run.run.clone(),
            plan: run.plan.clone(),
            state: run.state.clone(),
            steps: run.steps.clone(),
            done_now: 0,
            stopped: false,
            drift: Vec::new(),
        };
        let page = run_report::of_run(&report, &loaded, &format!(" {}{}", run.target, args.journal.typed()));
        files::write(path, run_html(&page).as_bytes())?;
    }
    show(args, context, &runs)?;
    Ok(Exit::Done)
}

/// Shows runs whenever they have changed, until nobody is at work on any.
fn watch(args: &Args, context: &Context) -> Result<Exit, Error> {
    let mut before = None;
    loop {
        let runs = read(args, context)?;
        if before.as_ref() != Some(&runs) {
            show(args, context, &runs)?;
        }
        if !runs.iter().any(|run| run.holder.is_some()) {
            return Ok(Exit::Done);
        }
        before = Some(runs);
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// How often a run that is watched is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

fn read(args: &Args, context: &Context) -> Result<Vec<RunStatus>, Error> {
    let asked = args.run.as_deref().map(RunId::from);
    let runs = match args.journal.open_if_there(context)? {
        Some(journal) => context
            .wait(executor::status(asked.as_ref(), &journal))
            .map_err(|error| execution::shown(error, context, String::new()))?,
        None if asked.is_none() => Vec::new(),
        // Opening what is not there says so, and what to do.
        None => args.journal.open(context).map(|_| Vec::new())?,
    };
    Ok(runs)
}

fn show(args: &Args, context: &Context, runs: &[RunStatus]) -> Result<(), Error> {
    match args.format {
        Format::Json => context.out.json(&findings::to_json(&[], json!({ "runs": runs }))),
        Format::Text if args.run.is_some() => context.out.data(&runs.iter().map(one).collect::<String>()),
        Format::Text if runs.is_empty() => context.out.data("no runs yet\n"),
        Format::Text => context.out.data(&all(runs)),
    }
}

fn one(run: &RunStatus) -> String {
    let holder = run.holder.as_ref().map(|holder| format!(", held by {}", clean(holder))).unwrap_or_default();
    let target = match run.target.is_empty() {
        true => String::new(),
        false => format!(", on {}", clean(&run.target)),
    };
    format!(
        "{}run {} of {}, begun {}{holder}{target}\n{}\n",
        execution::steps_table(run.steps.iter()),
        run.run,
        clean(&run.plan),
        run.started,
        execution::sentence(&run.state, &run.steps),
    )
}

fn all(runs: &[RunStatus]) -> String {
    let mut table = Table::new(&[
        ("run", Side::Left),
        ("plan", Side::Left),
        ("begun", Side::Left),
        ("state", Side::Left),
    ]);
    for run in runs {
        table.row([
            run.run.to_string(),
            run.plan.clone(),
            run.started.clone(),
            execution::sentence(&run.state, &run.steps),
        ]);
    }
    table.render()
}
