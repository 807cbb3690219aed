//! `carafe resume`.

use super::Context;
use super::execution::{self, JournalArg, TargetArgs, Teller};
use super::output::Format;
use crate::error::{Error, Exit};
use crate::executor;
use crate::store::Phase;

/// Go on with a run that stands still
///
/// What the journal cannot tell is asked of the cloud before anything is made, so nothing is made twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe resume --connections connections.toml
  carafe resume 20261120-093015-5f0c21aa --simulate --confirm all
  carafe resume --simulate --confirm aws/ap-northeast-2/manual/erp-db-1-data")]
pub(super) struct Args {
    /// The run; the only open one when absent
    run: Option<String>,
    /// Confirm a step that a person has done, or all of them
    #[arg(long, value_name = "STEP|all")]
    confirm: Vec<String>,
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
    let run = execution::pick(args.run.as_ref(), &[Phase::Open], &journal, context)?;
    let connections = args.target.open(&args.journal, context)?;
    let confirm = execution::confirmation(&args.confirm);
    let mut teller = Teller::new(context);
    let mut tell = |event| teller.tell(event);
    let (parallelism, stop) = (args.target.parallelism(), context.stop.listen());
    let report = context
        .wait(executor::resume(&run, confirm, parallelism, &connections, &journal, &mut tell, stop))
        .map_err(|error| execution::shown(error, context))?;
    drop(teller);
    execution::print_report(context, args.format, &report)?;
    execution::conclude(context, &report, &args.journal, &args.target)?;
    Ok(Exit::Done)
}
