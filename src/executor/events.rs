//! Everything that happens while a plan is carried out, for whoever listens: a terminal, a log, a report.

use carafe_model::ids::StepId;
use schemars::JsonSchema;
use serde::Serialize;

use super::report::RunState;
use super::survey::Drift;
use crate::run_id::RunId;
use crate::store::StepEvent;

/// Something that happened. The executor formats nothing; listeners do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A run began or goes on.
    RunStarted {
        /// The run.
        run: RunId,
        /// The plan's name.
        plan: String,
        /// How many steps it has up to the wave that was asked for.
        steps: usize,
        /// How many of them are done already.
        done: usize,
    },
    /// Something is safe in the journal.
    Step {
        /// About which step.
        step: StepId,
        /// What.
        event: StepEvent,
    },
    /// The target is being read for a step.
    Looking {
        /// For which step.
        step: StepId,
    },
    /// The cloud asks for patience; the step goes on by itself.
    Throttled {
        /// Which step waits.
        step: StepId,
        /// How long, in milliseconds.
        wait_ms: u64,
        /// How often it has been told to wait, this time included.
        attempt: u32,
    },
    /// The cloud is still at work on a resource; it is observed again by itself.
    Creating {
        /// For which step.
        step: StepId,
        /// How often it was observed.
        observations: u32,
        /// For how long it has been waited for, in seconds.
        seconds: u64,
    },
    /// No more steps are begun; the calls under way are waited for.
    Draining {
        /// How many calls are under way.
        calls: usize,
    },
    /// What the run did before is no longer as it left it.
    Drifted {
        /// What has become of which step.
        drift: Drift,
    },
    /// The run stands still, for good or for now.
    RunEnded {
        /// The run.
        run: RunId,
        /// How it stands.
        state: RunState,
    },
}

/// The version of an event as a line of JSON.
pub const EVENTS: &str = "events/1";

/// An event as a line of JSON: what happened, with when, in which run, and the version of this form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "events/1")]
pub struct EventLine<'a> {
    /// Always `events/1`.
    pub carafe: &'static str,
    /// When it was told, in UTC, by the clock of the machine; nothing is decided by it.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event,
}

/// The JSON Schema of one line.
pub fn schema() -> serde_json::Value {
    serde_json::to_value(schemars::schema_for!(EventLine<'static>)).expect("a schema is JSON")
}
