//! Making: from the first steps to the last, lower waves first.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use carafe_model::steps::Action;

use super::events::Event;
use super::journal::State;
use super::run::{AFTER_LOSS, Call, Direction, Engine, MOST_LOSSES, Reply};
use super::{Confirm, ExecutorError};
use crate::drivers::{
    Ability, DriverError, ErrorKind, IdempotencyKey, Kind, Observed, Outcome, Resource, Status,
};
use crate::store::StepEvent;

/// How often a resource that is being created is looked at, and how far apart: 30 minutes in all.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
const MOST_LOOKS: u32 = 360;

/// Makes everything up to a wave.
pub(super) struct Forward<'c> {
    confirm: &'c Confirm,
    wave: Option<u32>,
    /// How many steps each step still waits for.
    missing: Vec<usize>,
    /// By wave and place in the plan, so that a lower wave is never overtaken by a higher one that is ready too.
    ready: BTreeSet<(u32, usize)>,
    /// Steps whose intent was open when the run was taken up. Nothing is made before all are observed.
    to_recover: VecDeque<usize>,
    recovering: BTreeSet<usize>,
}

impl<'c> Forward<'c> {
    pub(super) fn new(engine: &Engine<'_, '_>, confirm: &'c Confirm, wave: Option<u32>) -> Forward<'c> {
        let graph = engine.graph;
        let missing = |step: usize| {
            graph.after[step].iter().filter(|needed| !engine.ledger.state(**needed).is_done()).count()
        };
        let mut forward = Forward {
            confirm,
            wave,
            missing: (0..graph.len()).map(missing).collect(),
            ready: BTreeSet::new(),
            to_recover: VecDeque::new(),
            recovering: BTreeSet::new(),
        };
        for step in 0..graph.len() {
            if engine.ledger.state(step).is_open() {
                forward.to_recover.push_back(step);
                forward.recovering.insert(step);
            } else if !engine.ledger.state(step).is_done() {
                forward.offer(engine, step);
            }
        }
        forward
    }

    /// Makes a step ready if nothing it waits for is missing and its wave was asked for.
    fn offer(&mut self, engine: &Engine<'_, '_>, step: usize) {
        let wave = engine.graph.steps[step].wave;
        if self.missing[step] == 0 && self.wave.is_none_or(|last| wave <= last) {
            self.ready.insert((wave, step));
        }
    }

    fn done(&mut self, engine: &Engine<'_, '_>, step: usize) {
        let graph = engine.graph;
        for &dependent in &graph.dependents[step] {
            self.missing[dependent] -= 1;
            self.offer(engine, dependent);
        }
    }

    fn begin(&mut self, engine: &mut Engine<'_, '_>, step: usize) -> Result<(), ExecutorError> {
        let action = &engine.graph.steps[step].action;
        match Kind::of(action) {
            None => self.ask_person(engine, step, action),
            Some(kind) => {
                if engine.driver(step)?.capabilities().of(kind) == Some(Ability::Adopts) {
                    engine.call(step, Call::Observe, Duration::ZERO);
                } else {
                    engine.record(step, StepEvent::Intent)?;
                    engine.call(step, Call::Ensure, Duration::ZERO);
                }
                Ok(())
            }
        }
    }

    fn ask_person(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        action: &Action,
    ) -> Result<(), ExecutorError> {
        match self.confirm.by(&engine.graph.steps[step].id) {
            Some(by) => {
                engine.record(step, StepEvent::Confirmed { by: by.to_owned() })?;
                self.done(engine, step);
            }
            None if engine.ledger.state(step) == State::Waiting => {}
            None => {
                let message = match action {
                    Action::Manual { text, .. } => text.to_string(),
                    other => other.name().to_owned(),
                };
                engine.record(step, StepEvent::Waiting { message })?;
            }
        }
        Ok(())
    }

    fn ensured(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        reply: Result<Outcome, DriverError>,
    ) -> Result<(), ExecutorError> {
        match reply {
            Ok(outcome) => match &outcome.resource().status {
                Status::Ready => {
                    let resource = outcome.resource().id.clone();
                    let event = match outcome {
                        Outcome::Made(_) => StepEvent::Made { resource },
                        Outcome::Adopted(_) => StepEvent::Adopted { resource },
                        Outcome::AlreadyThere(_) => StepEvent::AlreadyThere { resource },
                    };
                    self.finish(engine, step, event)
                }
                Status::Creating => self.look_again(engine, step),
                Status::Broken(message) => engine.record(step, broken(message)),
            },
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
                if engine.call_after_throttle(step, Call::Ensure, retry_after) {
                    return Ok(());
                }
                engine.record(step, refused(ErrorKind::Throttled { retry_after }, message))
            }
            Err(DriverError { kind: ErrorKind::Unknown, message }) => {
                engine.attempts[step].lost += 1;
                engine.record(step, StepEvent::Lost { message })?;
                engine.call(step, Call::Observe, Duration::ZERO);
                Ok(())
            }
            Err(DriverError { kind, message }) => engine.record(step, refused(kind, message)),
        }
    }

    fn observed(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        reply: Result<Option<Observed>, DriverError>,
    ) -> Result<(), ExecutorError> {
        match reply {
            Ok(found) if engine.ledger.state(step).is_open() => self.resolve(engine, step, found),
            Ok(Some(Observed { resource: Resource { owner: None, .. }, .. })) => {
                engine.record(step, StepEvent::Intent)?;
                engine.call(step, Call::Ensure, Duration::ZERO);
                Ok(())
            }
            // Nothing, or what another plan owns: a person has to make one that can be taken over.
            Ok(_) => self.wait_for_person_to_make(engine, step),
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
                if engine.call_after_throttle(step, Call::Observe, retry_after) {
                    return Ok(());
                }
                Self::cannot_see(engine, step, ErrorKind::Throttled { retry_after }, message)
            }
            Err(DriverError { kind: ErrorKind::Unknown, message }) => {
                let lost = engine.attempts[step].lost + 1;
                engine.attempts[step].lost = lost;
                if lost < MOST_LOSSES {
                    engine.call(step, Call::Observe, AFTER_LOSS * lost);
                    return Ok(());
                }
                Self::cannot_see(engine, step, ErrorKind::Unknown, message)
            }
            Err(DriverError { kind, message }) => Self::cannot_see(engine, step, kind, message),
        }
    }

    /// Closes an open intent by what exists.
    fn resolve(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        found: Option<Observed>,
    ) -> Result<(), ExecutorError> {
        let capabilities = engine.driver(step)?.capabilities();
        let ability = Kind::of(&engine.graph.steps[step].action).and_then(|kind| capabilities.of(kind));
        let key = IdempotencyKey::new(&engine.plan_sha256, &engine.graph.steps[step].id);
        let ours = match &found {
            None => None,
            Some(Observed { resource, .. }) => match &resource.owner {
                Some(owner) if owner.key == key => Some(owner.run == engine.run),
                None if ability == Some(Ability::Adopts) => Some(false),
                Some(_) | None => None,
            },
        };
        let (Some(by_this_run), Some(Observed { resource, differences })) = (ours, found) else {
            if engine.attempts[step].lost >= MOST_LOSSES {
                let message = "its reply was lost again and again, and nothing of it is there".to_owned();
                return engine.record(step, refused(ErrorKind::Unknown, message));
            }
            engine.record(step, StepEvent::Absent)?;
            self.offer(engine, step);
            return Ok(());
        };
        match resource.status {
            Status::Creating => self.look_again(engine, step),
            Status::Broken(message) => engine.record(step, broken(&message)),
            Status::Ready if !differences.is_empty() => {
                let message = format!("it exists with other settings: {}", differences.join(", "));
                engine.record(step, refused(ErrorKind::Conflict, message))
            }
            Status::Ready if by_this_run => {
                self.finish(engine, step, StepEvent::Made { resource: resource.id })
            }
            Status::Ready => self.finish(engine, step, StepEvent::Adopted { resource: resource.id }),
        }
    }

    fn finish(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        event: StepEvent,
    ) -> Result<(), ExecutorError> {
        engine.record(step, event)?;
        self.done(engine, step);
        Ok(())
    }

    fn look_again(&mut self, engine: &mut Engine<'_, '_>, step: usize) -> Result<(), ExecutorError> {
        let observations = engine.attempts[step].observed + 1;
        engine.attempts[step].observed = observations;
        if observations > MOST_LOOKS {
            let minutes = BETWEEN_LOOKS.as_secs() * u64::from(MOST_LOOKS) / 60;
            let message = format!("it is still being created after {minutes} minutes");
            return engine.record(step, StepEvent::Lost { message });
        }
        engine.say(Event::Creating { step: engine.graph.steps[step].id.clone(), observations });
        engine.call(step, Call::Observe, BETWEEN_LOOKS);
        Ok(())
    }

    fn wait_for_person_to_make(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
    ) -> Result<(), ExecutorError> {
        if engine.ledger.state(step) == State::Waiting {
            return Ok(());
        }
        let wanted = &engine.graph.steps[step];
        let kind = Kind::of(&wanted.action).map_or("resource", Kind::words);
        let message = format!(
            "{}/{} lets only a person make a {kind}. Make \"{}\" there by hand, then resume.",
            wanted.provider,
            wanted.region,
            wanted.action.name()
        );
        engine.record(step, StepEvent::Waiting { message })
    }

    /// The target could not be read. An open intent stays in doubt; a step that nothing was asked for has failed.
    fn cannot_see(
        engine: &mut Engine<'_, '_>,
        step: usize,
        kind: ErrorKind,
        message: String,
    ) -> Result<(), ExecutorError> {
        if engine.ledger.state(step).is_open() {
            return engine.record(step, StepEvent::Lost { message });
        }
        // The protocol knows refusals only of what was intended; no call stands behind this intent.
        engine.record(step, StepEvent::Intent)?;
        engine.record(step, refused(kind, message))
    }
}

impl Direction for Forward<'_> {
    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError> {
        while engine.has_room() {
            let Some(step) = self.to_recover.pop_front() else { break };
            engine.call(step, Call::Observe, Duration::ZERO);
        }
        if !self.recovering.is_empty() {
            return Ok(());
        }
        while let Some(&(wave, step)) = self.ready.first() {
            let needs_call = Kind::of(&engine.graph.steps[step].action).is_some();
            if needs_call && !engine.has_room() {
                break;
            }
            self.ready.remove(&(wave, step));
            self.begin(engine, step)?;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        reply: Reply,
    ) -> Result<(), ExecutorError> {
        let planned = engine.planned_calls();
        match reply {
            Reply::Ensured(reply) => self.ensured(engine, step, reply)?,
            Reply::Observed(reply) => self.observed(engine, step, reply)?,
            Reply::NotAsked => {}
            Reply::Removed(_) => {
                return Err(ExecutorError::Broken("nothing is removed on the way forwards".into()));
            }
        }
        // A step is recovered once its answer led to no further call about it.
        if engine.planned_calls() == planned {
            self.recovering.remove(&step);
        }
        Ok(())
    }
}

fn refused(kind: ErrorKind, message: String) -> StepEvent {
    StepEvent::Refused { error: kind.name().to_owned(), message }
}

fn broken(message: &str) -> StepEvent {
    StepEvent::Refused { error: "broken".to_owned(), message: format!("the cloud gave up on it: {message}") }
}
