//! Carries a plan out, survives whatever happens on the way, and undoes it again.
//!
//! A plan's steps are a graph. Each call to a cloud is preceded by an intent in the journal ([`journal`] holds the
//! protocol), so that a run can be taken up after any accident: what the journal cannot tell, the cloud is asked. A
//! failure stops only what depends on it. Applying the same plan again finds what the first run made, because the key of
//! each call is made of the plan and the step and not of the run: it adopts everything and makes nothing, and since it
//! owns nothing, destroying it removes nothing.
//!
//! **What others build on.** A step stands where [`journal::next`] puts it, and nothing but its events moves it; a record
//! of the journal is one such event with its step, its place among the step's events (`nth`, from 1) and the fence of
//! the lease it was written under. The `Journal` trait refuses a record whose lease is outdated or whose place is
//! taken, so that two processes with different views of a step can never both go on. A lease is for a whole run (this
//! module) or for one step (many workers on one run); the protocol is the same, because steps meet only in their order.
//!
//! [`conduct`] says what comes next for one step and is as pure as the protocol; `run` is the loop of a whole run, and
//! `forward`, `backward` and `survey` are what it can go about. This module is the whole interface.
//! The executor formats nothing and asks nobody: it tells [`Event`]s, and what a person has confirmed it is told.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::{Action, Step};
use tokio::sync::watch;

use crate::run_id::RunId;
use crate::store::{JournalError, Phase};

pub mod journal;

pub mod conduct;

pub mod hands;

pub mod events;

pub mod report;

mod survey;

mod graph;

mod ledger;

mod lanes;

mod run;

mod forward;

mod backward;

mod dry_run;

mod surroundings;

mod commands;

pub mod queue;

pub mod worker;

pub use commands::{apply, destroy, dry_run, resume, status};
pub use dry_run::{Change, DryRun, DryStep, Stray, schema as dry_run_schema};
pub use events::Event;
pub use graph::CODES;
pub use journal::State;
pub use report::{RunReport, RunState, RunStatus, StepError, StepStatus};
pub use survey::{Drift, DriftKind};

use conduct::Wish;
use graph::Graph;
use hands::{Hands, TiedHands};

/// Listens to a run.
pub type Listener<'l> = &'l mut (dyn FnMut(Event) + Send);

/// What is to be carried out.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// SHA-256 of the plan document as it was read; it names the plan.
    pub plan_sha256: &'a str,
    /// The last wave to do, wave 0 always; `None` for all.
    pub wave: Option<u32>,
    /// How.
    pub options: Options,
}

/// How a run is carried out.
#[derive(Clone)]
pub struct Options {
    /// How many calls may be under way at a time; at least one is.
    pub parallelism: usize,
    /// Which of a person's steps are confirmed.
    pub confirm: Confirm,
    /// Steps whose remains are removed before they are made again; hooks that are run again.
    pub retry: BTreeSet<StepId>,
    /// Steps for which whatever bears the name is taken as it is.
    pub adopt: BTreeSet<StepId>,
    /// What is done about what has changed since the run left it.
    pub on_drift: OnDrift,
    /// Whether the cloud is asked what it would refuse just before each thing is made.
    pub checks_first: bool,
    /// What runs hooks and looks at what was moved.
    pub hands: Arc<dyn Hands>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            parallelism: 1,
            confirm: Confirm::None,
            retry: BTreeSet::new(),
            adopt: BTreeSet::new(),
            on_drift: OnDrift::Ignore,
            checks_first: false,
            hands: Arc::new(TiedHands),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("parallelism", &self.parallelism)
            .field("confirm", &self.confirm)
            .field("retry", &self.retry)
            .field("adopt", &self.adopt)
            .field("on_drift", &self.on_drift)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// What is wanted of a step beyond what the plan says.
    pub fn wish(&self, step: &Step) -> Wish {
        match self.confirm.by(step) {
            _ if self.retry.contains(&step.id) => Wish::Retry,
            _ if self.adopt.contains(&step.id) => Wish::Adopt,
            Some(by) => Wish::Confirmed(by),
            None => Wish::None,
        }
    }
}

/// What is done about what has changed since the run left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// It is told, and nothing is done before a person has decided.
    #[default]
    Stop,
    /// What is gone is made again; what has other settings is told and left.
    Repair,
    /// Nobody looks.
    Ignore,
}

/// Which of a person's steps are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// None: the run waits at each of them.
    #[default]
    None,
    /// These; hooks and checks may be among them.
    Steps(BTreeSet<StepId>),
    /// All that wait for a person.
    All,
}

impl Confirm {
    /// By what a step is confirmed, as the journal keeps it; `None` if it is not.
    fn by(&self, step: &Step) -> Option<&'static str> {
        match self {
            Confirm::None => None,
            Confirm::Steps(steps) => steps.contains(&step.id).then_some("confirmed by name"),
            Confirm::All => matches!(step.action, Action::Manual { .. } | Action::Approval { .. })
                .then_some("confirmed with all others"),
        }
    }
}

/// The graph of a plan that may be carried out: its steps fit together, and it passed its own check.
fn sound(plan: &Plan) -> Result<Graph<'_>, ExecutorError> {
    if plan.findings.iter().any(|finding| finding.code == carafe_planner::UNSOUND) {
        return Err(ExecutorError::Unfit(vec![graph::error(
            "RUN-009",
            "the plan did not pass its own check".to_owned(),
        )]));
    }
    Graph::build(&plan.steps).map_err(ExecutorError::Unfit)
}

/// Whether a run is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// Go on.
    #[default]
    Go,
    /// Begin nothing more; wait for the calls under way and write down what came of them.
    Drain,
    /// Drop the calls under way as well. Their intents stay open, and `resume` asks the cloud about them.
    Abort,
}

/// A switch that stops a run, and what the run listens to.
pub fn stop_switch() -> (watch::Sender<Stop>, watch::Receiver<Stop>) {
    watch::channel(Stop::Go)
}

/// Why the executor did not come to a report.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The plan or its connections are not fit to be carried out. Nothing was begun.
    #[error("the plan cannot be carried out as it is: {} problems were found", .0.len())]
    Unfit(Vec<Finding>),
    /// Another process is at work on the run.
    #[error("run {run} is held by {holder}")]
    Locked {
        /// The run.
        run: RunId,
        /// By whom, in words.
        holder: String,
    },
    /// The plan has a run that is not over: it is to be resumed, or destroyed to the end.
    #[error("this plan has an unfinished run, {run}")]
    Unfinished {
        /// The run.
        run: RunId,
        /// Whether it was being undone.
        destroying: bool,
    },
    /// The run is being undone or is undone, so it cannot go on.
    #[error("run {run} {}", if *.destroyed { "is destroyed" } else { "is being destroyed" })]
    Undone {
        /// The run.
        run: RunId,
        /// Whether nothing of it is left.
        destroyed: bool,
    },
    /// The run is bound to other clouds than those it was to go on with.
    #[error("run {run} is carried out elsewhere: {}", .places.join("; "))]
    Elsewhere {
        /// The run.
        run: RunId,
        /// What is typed to work on the right ones.
        typed: String,
        /// Each place with where it is and what was named instead.
        places: Vec<String>,
    },
    /// The journal knows no such run.
    #[error("the journal knows no run {0}")]
    NoRun(RunId),
    /// The journal failed. What was asked of a cloud before is intended in it, so `resume` finds out.
    #[error(transparent)]
    Journal(JournalError),
    /// The journal and the plan in it do not fit together, or an invariant of the executor does not hold.
    #[error("this is a bug in Carafe, or the journal was changed by hand: {0}")]
    Broken(String),
}

impl From<JournalError> for ExecutorError {
    fn from(error: JournalError) -> ExecutorError {
        match error {
            JournalError::Locked { run, holder } => ExecutorError::Locked { run, holder },
            JournalError::Unfinished { run, holder: Some(holder), .. } => {
                ExecutorError::Locked { run, holder }
            }
            JournalError::Unfinished { run, phase, holder: None } => {
                ExecutorError::Unfinished { run, destroying: phase == Phase::Destroying }
            }
            JournalError::NoRun { run } => ExecutorError::NoRun(run),
            other @ (JournalError::Newer { .. }
            | JournalError::Fenced { .. }
            | JournalError::Damaged { .. }
            | JournalError::Unusable { .. }) => ExecutorError::Journal(other),
        }
    }
}
