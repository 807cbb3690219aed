//! `carafe resume`.

use carafe_model::ids::StepId;

use super::Context;
use super::execution::{self, TargetArgs, TellArgs};
use super::journal::JournalArg;
use super::run_report;
use super::telling::Teller;
use super::worker::QueueArgs;
use crate::error::{Error, Exit};
use crate::executor::{self, OnDrift, Options, queue};
use crate::store::postgres::LEASE;

/// Go on with a run that stands still
///
/// What the journal cannot tell is asked of the cloud before anything is made, so nothing is made twice. What the run
/// made before is looked at first; when something of it is gone or was changed, --on-drift says what is done.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe resume --connections connections.toml
  carafe resume 20261120-093015-5f0c21aa --simulate --confirm all
  carafe resume --simulate --confirm aws/ap-northeast-2/manual/erp-db-1-data
  carafe resume --connections connections.toml --on-drift repair")]
pub(super) struct Args {
    /// The run; the only open one when absent
    run: Option<String>,
    /// Confirm a step that a person has done, or all of them
    #[arg(long, value_name = "STEP|all")]
    confirm: Vec<String>,
    /// Remove what there is of a step and make it again, or run its hook again
    #[arg(long, value_name = "STEP", conflicts_with = "queue")]
    retry: Vec<String>,
    /// Take what bears the name of a step as it is
    #[arg(long, value_name = "STEP", conflicts_with = "queue")]
    adopt: Vec<String>,
    /// What to do when something is no longer as the run left it
    #[arg(long, value_enum, default_value_t)]
    on_drift: OnDriftArg,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    tell: TellArgs,
}

/// What to do when something is no longer as a run left it.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum OnDriftArg {
    /// Say so and stop
    #[default]
    Stop,
    /// Make what is gone again
    Repair,
    /// Do not look
    Ignore,
}

impl From<OnDriftArg> for OnDrift {
    fn from(arg: OnDriftArg) -> OnDrift {
        match arg {
            OnDriftArg::Stop => OnDrift::Stop,
            OnDriftArg::Repair => OnDrift::Repair,
            OnDriftArg::Ignore => OnDrift::Ignore,
        }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let journal = args.journal.open(context)?;
    let run = execution::pick_open(args.run.as_ref(), &journal, context)?;
    let connections = args.target.open(&args.journal, context)?;
    let steps = |names: &[String]| names.iter().map(|name| StepId(name.clone())).collect();
    let options = Options {
        parallelism: args.target.parallelism(),
        confirm: execution::confirmation(&args.confirm),
        retry: steps(&args.retry),
        adopt: steps(&args.adopt),
        on_drift: args.on_drift.into(),
        checks_first: true,
        hands: execution::hands(&args.target),
    };
    let mut teller = Teller::new(context, args.tell.json);
    let mut tell = |event| teller.tell(event);
    let stop = context.stop.listen();
    let typed = execution::typed(&args.target, &args.journal);
    if args.queue.queue {
        let shared = args.journal.open_shared(context, LEASE)?;
        context
            .wait(queue::enqueue_again(&run, false, &options, &connections, &shared))
            .map_err(|error| execution::shown(error, context, typed.clone()))?;
        return args.queue.follow(&run, &shared, context, &args.tell, (&args.target, &args.journal));
    }
    let report = context
        .wait(executor::resume(&run, &options, &connections, &journal, &mut tell, stop))
        .map_err(|error| execution::shown(error, context, typed.clone()))?;
    teller.finish()?;
    run_report::end(context, &args.tell, &report, &journal, &typed)?;
    execution::conclude(context, &report, &args.journal, &args.target)?;
    Ok(Exit::Done)
}
