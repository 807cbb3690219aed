//! Removing: from the last steps to the first, each only when nothing that stood on it is left.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ExecutorError;
use super::journal::State;
use super::run::{AFTER_LOSS, Call, Direction, Engine, MOST_LOSSES, Reply};
use crate::drivers::{DriverError, ErrorKind, Removal};
use crate::store::StepEvent;

/// Removes whatever a run may have made. What it adopted stays with its owner.
pub(super) struct Backward {
    /// How many steps that stand on each step are not gone yet.
    standing: Vec<usize>,
    /// By wave and place in the plan; the last goes first.
    ready: BTreeSet<(u32, usize)>,
}

impl Backward {
    pub(super) fn new(engine: &Engine<'_, '_>) -> Backward {
        let graph = engine.graph;
        let standing: Vec<usize> = graph.dependents.iter().map(Vec::len).collect();
        let free = (0..graph.len()).filter(|step| standing[*step] == 0);
        let ready = free.map(|step| (graph.steps[step].wave, step)).collect();
        Backward { standing, ready }
    }

    fn gone(&mut self, engine: &Engine<'_, '_>, step: usize) {
        let graph = engine.graph;
        for &below in &graph.after[step] {
            self.standing[below] -= 1;
            if self.standing[below] == 0 {
                self.ready.insert((graph.steps[below].wave, below));
            }
        }
    }

    fn remove(engine: &mut Engine<'_, '_>, step: usize, delay: Duration) -> Result<(), ExecutorError> {
        engine.record(step, StepEvent::RemoveIntent)?;
        engine.call(step, Call::Remove, delay);
        Ok(())
    }
}

impl Direction for Backward {
    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError> {
        while let Some(&(wave, step)) = self.ready.last() {
            let there = engine.ledger.may_be_there(step);
            let adopted = engine.ledger.state(step) == State::Adopted;
            if there && !adopted && !engine.has_room() {
                break;
            }
            self.ready.remove(&(wave, step));
            if there && !adopted {
                Self::remove(engine, step, Duration::ZERO)?;
                continue;
            }
            if adopted {
                let message = "it was there before this run, and stays with whoever made it".to_owned();
                engine.record(step, StepEvent::Kept { message })?;
            }
            self.gone(engine, step);
        }
        Ok(())
    }

    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        reply: Reply,
    ) -> Result<(), ExecutorError> {
        let reply = match reply {
            Reply::Removed(reply) => reply,
            Reply::NotAsked => return Ok(()),
            Reply::Ensured(_) | Reply::Observed(_) => {
                return Err(ExecutorError::Broken("nothing is made on the way backwards".to_owned()));
            }
        };
        match reply {
            Ok(Removal::Removed | Removal::Absent) => {
                engine.record(step, StepEvent::Removed)?;
                self.gone(engine, step);
            }
            Ok(Removal::NotOurs) => {
                let message = "what bears its name is not this run's".to_owned();
                engine.record(step, StepEvent::Kept { message })?;
                self.gone(engine, step);
            }
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
                if !engine.call_after_throttle(step, Call::Remove, retry_after) {
                    engine.record(step, refused(ErrorKind::Throttled { retry_after }, message))?;
                }
            }
            Err(DriverError { kind: ErrorKind::Unknown, message }) => {
                engine.record(step, StepEvent::RemoveLost { message })?;
                let lost = engine.attempts[step].lost + 1;
                engine.attempts[step].lost = lost;
                if lost < MOST_LOSSES && !engine.is_draining() {
                    Self::remove(engine, step, AFTER_LOSS * lost)?;
                }
            }
            Err(DriverError { kind, message }) => engine.record(step, refused(kind, message))?,
        }
        Ok(())
    }
}

fn refused(kind: ErrorKind, message: String) -> StepEvent {
    StepEvent::RemoveRefused { error: kind.name().to_owned(), message }
}
