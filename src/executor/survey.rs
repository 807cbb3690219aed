//! Looking: whether everything that a run did is still as it left it.

use carafe_model::ids::StepId;
use schemars::JsonSchema;
use serde::Serialize;

use super::ExecutorError;
use super::conduct::{self, Answer, Ask, Way};
use super::journal::State;
use super::run::{Direction, Engine};
use crate::drivers::{DriverError, ErrorKind, Kind};

/// A step whose resource is no longer as the run left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    /// The step.
    pub step: StepId,
    /// What has become of it.
    pub what: DriftKind,
    /// More about it: what differs, who owns it now, why it cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What has become of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// It is gone.
    Gone,
    /// It has other settings.
    Changed,
    /// Something else bears its name.
    Replaced,
    /// It cannot be read.
    Unreadable,
}

/// Observes every resource that is done.
pub(super) struct Survey {
    left: Vec<usize>,
    pub(super) found: Vec<(usize, Drift)>,
}

impl Survey {
    pub(super) fn new(engine: &Engine<'_, '_>) -> Survey {
        let done = |step: &usize| match engine.ledger.state(*step) {
            State::Made | State::Adopted | State::AlreadyThere => true,
            State::Pending
            | State::Waiting
            | State::Making
            | State::Unknown
            | State::Confirmed
            | State::Passed
            | State::Failed
            | State::Removing
            | State::RemovalUnknown
            | State::RemovalFailed
            | State::Removed
            | State::Kept => false,
        };
        Survey { left: (0..engine.graph.len()).rev().filter(done).collect(), found: Vec::new() }
    }

    fn drift(&mut self, engine: &Engine<'_, '_>, step: usize, what: DriftKind, details: Vec<String>) {
        self.found.push((step, Drift { step: engine.graph.steps[step].id.clone(), what, details }));
    }
}

impl Direction for Survey {
    fn way(&self) -> Way {
        Way::Forward
    }

    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError> {
        while let Some(&step) = self.left.last() {
            if Kind::of(&engine.graph.steps[step].action).is_some() {
                if !engine.has_room(engine.lane(step)) {
                    return Ok(());
                }
                engine.ask(step, Ask::Observe, std::time::Duration::ZERO);
            }
            self.left.pop();
        }
        Ok(())
    }

    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        answer: Answer,
    ) -> Result<(), ExecutorError> {
        let Answer::Observed(answer) = answer else {
            return Err(ExecutorError::Broken("a survey only observes".to_owned()));
        };
        let case = engine.case(step, Way::Forward)?;
        match answer {
            Ok(None) => self.drift(engine, step, DriftKind::Gone, Vec::new()),
            Ok(Some(found)) => {
                let ours = found.resource.owner.as_ref().is_none_or(|owner| owner.key == case.key);
                let adopted = engine.ledger.state(step) == State::Adopted;
                if !ours || (found.resource.owner.is_none() && !adopted) {
                    let whose = match &found.resource.owner {
                        Some(owner) => format!("run {} of another plan made it", owner.run),
                        None => "it does not bear this run's tags".to_owned(),
                    };
                    self.drift(engine, step, DriftKind::Replaced, vec![whose]);
                } else if !found.differences.is_empty() && !adopted {
                    self.drift(engine, step, DriftKind::Changed, found.differences);
                }
            }
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
                engine.tries[step].throttled += 1;
                match engine.tries[step].throttled <= conduct::MOST_THROTTLES {
                    true => engine.ask(step, Ask::Observe, retry_after.min(conduct::LONGEST_WAIT)),
                    false => self.drift(engine, step, DriftKind::Unreadable, vec![message]),
                }
            }
            Err(DriverError { kind: ErrorKind::Unknown, message }) => {
                engine.tries[step].lost += 1;
                let lost = engine.tries[step].lost;
                match lost < conduct::MOST_LOSSES {
                    true => engine.ask(step, Ask::Observe, conduct::pause(case.run, &case.step.id, lost)),
                    false => self.drift(engine, step, DriftKind::Unreadable, vec![message]),
                }
            }
            Err(DriverError { message, .. }) => {
                self.drift(engine, step, DriftKind::Unreadable, vec![message]);
            }
        }
        Ok(())
    }
}
