//! `carafe worker`.

use std::time::Duration;

use serde_json::json;

use super::Context;
use super::execution::{self, TargetArgs, TellArgs};
use super::findings;
use super::journal::JournalArg;
use super::output::{Format, clean};
use super::run_report;
use super::telling::Teller;
use crate::error::{Error, Exit};
use crate::executor::worker::{News, Worker};
use crate::executor::{Event, Options, queue};
use crate::run_id::RunId;
use crate::store::{PgJournal, StepEvent};

/// Carry out steps of queued runs, beside any number of other workers
///
/// Workers share a journal in PostgreSQL. Each takes steps that are ready from the runs that were queued with
/// `carafe apply --queue`, and reaches clouds by its own connections file, with credentials of its own machine. A worker
/// that dies, hangs or is cut off loses its steps to the others after --lease seconds. The first Ctrl-C or SIGTERM lets the
/// calls under way end and gives the rest back; the second ends at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe worker --journal postgres://carafe@db.example/carafe --connections connections.toml
  carafe worker --journal env:CARAFE_JOURNAL --connections connections.toml --parallelism 32
  carafe worker --journal postgres://carafe@db.example/carafe --simulate --until-idle")]
pub(super) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    /// After how many seconds of silence the steps of this worker are given to others
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    lease: u64,
    /// End when there is nothing that this worker could do
    #[arg(long)]
    until_idle: bool,
}

/// Whether workers are to do it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct QueueArgs {
    /// Leave the steps to workers that share the journal, and tell what they do; Ctrl-C takes the run off the queue
    #[arg(long)]
    pub(super) queue: bool,
    /// With --queue, print the name of the run and do not wait
    #[arg(long, requires = "queue")]
    detach: bool,
}

impl QueueArgs {
    /// Tells what workers do about a run, and ends as the command would that did it all by itself.
    pub(super) fn follow(
        self,
        run: &RunId,
        journal: &PgJournal,
        context: &Context,
        tell: &TellArgs,
        typed: (&TargetArgs, &JournalArg),
    ) -> Result<Exit, Error> {
        if self.detach {
            match tell.format {
                Format::Text => context.out.data(&format!("{run}\n"))?,
                Format::Json => context.out.json(&findings::to_json(&[], json!({ "queued": run })))?,
            }
            return Ok(Exit::Done);
        }
        let mut teller = Teller::new(context, tell.json);
        let stop = context.stop.listen();
        let report = context
            .wait(queue::follow(run, journal, &mut |event| teller.tell(event), stop))
            .map_err(|error| execution::shown(error, context, execution::typed(typed.0, typed.1)))?;
        teller.finish()?;
        run_report::end(context, tell, &report, journal, &execution::typed(typed.0, typed.1))?;
        execution::conclude(context, &report, typed.1, typed.0)?;
        Ok(Exit::Done)
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let journal = args.journal.open_shared(context, Duration::from_secs(args.lease))?;
    let connections = args.target.open(&args.journal, context)?;
    let options = Options {
        parallelism: args.target.parallelism(),
        checks_first: true,
        hands: execution::hands(&args.target),
        ..Options::default()
    };
    let worker = Worker {
        journal: &journal,
        connections: &connections,
        options: &options,
        until_idle: args.until_idle,
    };
    context.out.say(&format!("working on what is queued in {}", clean(journal.shown())));
    let stop = context.stop.listen();
    context
        .wait(worker.work(&mut |news| tell(context, &news), stop))
        .map_err(|error| execution::shown(error, context, args.journal.typed()))?;
    Ok(Exit::Done)
}

/// One line for what others would ask about; the rest with --verbose.
fn tell(context: &Context, news: &News) {
    match news {
        News::Step { run, event } => {
            let Event::Step { step, event } = event else { return };
            let (loud, what) = match event {
                StepEvent::Intent | StepEvent::RemoveIntent | StepEvent::Absent => return,
                StepEvent::Made { resource } => (true, format!("made {resource}")),
                StepEvent::Adopted { resource } => (true, format!("adopted {resource}")),
                StepEvent::AlreadyThere { resource } => (true, format!("{resource} is there already")),
                StepEvent::Passed { message } => (true, format!("passed: {message}")),
                StepEvent::Confirmed { by } => (false, format!("confirmed: {by}")),
                StepEvent::Removed => (true, "removed".to_owned()),
                StepEvent::Kept { message } => (true, format!("kept: {message}")),
                StepEvent::Refused { error, message } | StepEvent::RemoveRefused { error, message } => {
                    (true, format!("refused ({error}): {message}"))
                }
                StepEvent::Lost { message } | StepEvent::RemoveLost { message } => {
                    (false, format!("unknown: {message}"))
                }
                StepEvent::Waiting { message } => (true, format!("waits for a person: {message}")),
            };
            let line = clean(&format!("{run} {step}: {what}"));
            if loud { context.out.say(&line) } else { context.out.detail(&line) }
        }
        News::Lost { run, step } => {
            context.out.say(&clean(&format!("{run} {step}: another worker has it now")));
        }
        News::Failed { run, step, why } => {
            context.out.say(&clean(&format!("{run} {step}: left for a while, because {why}")));
        }
        News::Elsewhere { run } => context.out.say(&clean(&format!(
            "{run}: left to others, because it is carried out on other clouds than those of this worker"
        ))),
        News::Closed { run } => context.out.say(&clean(&format!("{run}: nothing is left for workers to do"))),
        News::Away { why } => context.out.say(&clean(&format!("{why}; trying again"))),
    }
}
