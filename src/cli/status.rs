//! `carafe status`.

use serde_json::json;

use super::Context;
use super::execution;
use super::findings;
use super::journal::JournalArg;
use super::output::{Format, clean};
use super::table::{Side, Table};
use crate::error::{Error, Exit};
use crate::executor::{self, RunStatus};
use crate::run_id::RunId;

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
    #[command(flatten)]
    journal: JournalArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let asked = args.run.as_deref().map(RunId::from);
    let runs = match args.journal.open_if_there(context)? {
        Some(journal) => context
            .wait(executor::status(asked.as_ref(), &journal))
            .map_err(|error| execution::shown(error, context, String::new()))?,
        None if asked.is_none() => Vec::new(),
        None => return args.journal.open(context).map(|_| Exit::Done),
    };
    match args.format {
        Format::Json => context.out.json(&findings::to_json(&[], json!({ "runs": runs })))?,
        Format::Text if asked.is_some() => context.out.data(&runs.iter().map(one).collect::<String>())?,
        Format::Text if runs.is_empty() => context.out.data("no runs yet\n")?,
        Format::Text => context.out.data(&all(&runs))?,
    }
    Ok(Exit::Done)
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
