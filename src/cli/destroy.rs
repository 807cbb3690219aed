//! `carafe destroy`.

use super::Context;
use super::execution::{self, TargetArgs, TellArgs};
use super::journal::JournalArg;
use super::run_report;
use super::telling::Teller;
use super::worker::QueueArgs;
use crate::error::{Error, Exit, plural};
use crate::executor::{self, Options, RunState, RunStatus, queue};
use crate::run_id::RunId;
use crate::store::Journal;
use crate::store::postgres::LEASE;

/// Undo a run: remove everything it made, in reverse
///
/// What the run only adopted is left, and so is anything that somebody else made since. Before machines, disks or
/// clusters are removed, the name of the plan is asked for; on a simulated cloud there is nothing to lose.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe destroy --simulate
  carafe destroy 20261120-093015-5f0c21aa --connections connections.toml
  carafe destroy --connections connections.toml --no-input --auto-approve --destroy-data erp")]
pub(super) struct Args {
    /// The run; the only one that owns anything when absent
    run: Option<String>,
    /// Do not ask before removing anything that holds no data
    #[arg(long)]
    auto_approve: bool,
    /// Do not ask before removing machines, disks and clusters with what is on them; names the run's plan
    #[arg(long, value_name = "PLAN")]
    destroy_data: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    tell: TellArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let journal = args.journal.open(context)?;
    let status = pick(args.run.as_ref(), &journal, context)?;
    let run = status.run.clone();
    let connections = args.target.open(&args.journal, context)?;
    approve(args, &status, context)?;
    let mut teller = Teller::new(context, args.tell.json);
    let mut tell = |event| teller.tell(event);
    let stop = context.stop.listen();
    let typed = execution::typed(&args.target, &args.journal);
    let options = Options {
        parallelism: args.target.parallelism(),
        hands: execution::hands(&args.target),
        ..Options::default()
    };
    if args.queue.queue {
        let shared = args.journal.open_shared(context, LEASE)?;
        context
            .wait(queue::enqueue_again(&run, true, &options, &connections, &shared))
            .map_err(|error| execution::shown(error, context, typed.clone()))?;
        return args.queue.follow(&run, &shared, context, &args.tell, (&args.target, &args.journal));
    }
    let report = context
        .wait(executor::destroy(&run, &options, &connections, &journal, &mut tell, stop))
        .map_err(|error| execution::shown(error, context, typed.clone()))?;
    teller.finish()?;
    run_report::end(context, &args.tell, &report, &journal, &typed)?;
    execution::conclude(context, &report, &args.journal, &args.target)?;
    Ok(Exit::Done)
}

/// Asks for what this command needs: a yes, and the name of the plan where data would be lost.
fn approve(args: &Args, run: &RunStatus, context: &Context) -> Result<(), Error> {
    let what = format!("this removes {} of run {}", plural(run.owned, "resource", "resources"), run.run);
    if run.holding_data.is_empty() || args.target.is_simulated() {
        return execution::approve(context, &what, args.auto_approve);
    }
    let what = format!(
        "{what}, of which {} data",
        plural(run.holding_data.len(), "machine, disk or cluster holds", "machines, disks and clusters hold")
    );
    match &args.destroy_data {
        Some(name) if *name == run.plan => execution::approve(context, &what, args.auto_approve),
        Some(name) => Err(Error::usage(
            format!("--destroy-data names \"{name}\", and the run is of \"{}\"", run.plan),
            "name the plan whose data is to be lost",
        )),
        None => execution::approve_by_name(context, &what, &run.plan, "--destroy-data"),
    }
}

/// The run that is meant: the one named, else the only one that owns anything.
fn pick(named: Option<&String>, journal: &dyn Journal, context: &Context) -> Result<RunStatus, Error> {
    let asked = named.map(|name| RunId::from(name.as_str()));
    let mut runs = context
        .wait(executor::status(asked.as_ref(), journal))
        .map_err(|error| execution::shown(error, context, String::new()))?;
    if asked.is_none() {
        // A process that ended between its last removal and the last line of its journal owns nothing and is not over.
        runs.retain(|run| run.owned > 0 || matches!(run.state, RunState::PartlyDestroyed { .. }));
    }
    let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    match names.len() {
        1 => Ok(runs.remove(0)),
        0 => Err(Error::failed(
            "no run of this journal owns anything",
            "see `carafe status` for what was done",
        )),
        _ => Err(Error::usage("several runs own something", format!("name one of {}", names.join(", ")))),
    }
}
