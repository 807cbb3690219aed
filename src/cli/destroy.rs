//! `carafe destroy`.

use super::Context;
use super::execution::{self, JournalArg, TargetArgs, Teller};
use super::output::Format;
use crate::error::{Error, Exit};
use crate::executor;
use crate::store::Phase;

/// Undo a run: remove everything it made, in reverse
///
/// What the run only adopted is left, and so is anything that somebody else made since.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe destroy --simulate
  carafe destroy 20261120-093015-5f0c21aa --connections connections.toml --auto-approve")]
pub(super) struct Args {
    /// The run; the only one that is not undone when absent
    run: Option<String>,
    /// Do not ask before removing anything
    #[arg(long)]
    auto_approve: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let journal = args.journal.open(context)?;
    let there = [Phase::Open, Phase::Finished, Phase::Destroying];
    let run = execution::pick(args.run.as_ref(), &there, &journal, context)?;
    let connections = args.target.open(&args.journal, context)?;
    let what = format!("this removes everything that run {run} made");
    execution::approve(context, &what, args.auto_approve)?;
    let mut teller = Teller::new(context);
    let mut tell = |event| teller.tell(event);
    let (parallelism, stop) = (args.target.parallelism(), context.stop.listen());
    let report = context
        .wait(executor::destroy(&run, parallelism, &connections, &journal, &mut tell, stop))
        .map_err(|error| execution::shown(error, context))?;
    drop(teller);
    execution::print_report(context, args.format, &report)?;
    execution::conclude(context, &report, &args.journal, &args.target)?;
    Ok(Exit::Done)
}
