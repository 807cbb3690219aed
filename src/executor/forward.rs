//! Making: from the first steps to the last, lower waves first.

use std::collections::{BTreeSet, VecDeque};

use super::ExecutorError;
use super::conduct::{self, Answer, BETWEEN_LOOKS, Next, Way};
use super::events::Event;
use super::journal::State;
use super::run::{Direction, Engine};

/// Makes everything up to a wave.
pub(super) struct Forward {
    wave: Option<u32>,
    /// How many steps each step still waits for.
    missing: Vec<usize>,
    /// For each lane, by wave and place in the plan, so that a lower wave is never overtaken by a higher one that is
    /// ready too.
    ready: Vec<BTreeSet<(u32, usize)>>,
    /// Steps that the end of a process left open. Nothing is made before all of them are cleared up.
    to_recover: VecDeque<usize>,
    recovering: BTreeSet<usize>,
}

impl Forward {
    pub(super) fn new(engine: &Engine<'_, '_>, wave: Option<u32>) -> Forward {
        let graph = engine.graph;
        let missing = |step: usize| {
            graph.after[step].iter().filter(|needed| !engine.ledger.state(**needed).is_done()).count()
        };
        let mut forward = Forward {
            wave,
            missing: (0..graph.len()).map(missing).collect(),
            ready: vec![BTreeSet::new(); engine.lane_count()],
            to_recover: VecDeque::new(),
            recovering: BTreeSet::new(),
        };
        for step in 0..graph.len() {
            match engine.ledger.state(step) {
                State::Making
                | State::Unknown
                | State::Removing
                | State::RemovalUnknown
                | State::RemovalFailed => {
                    forward.to_recover.push_back(step);
                    forward.recovering.insert(step);
                }
                State::Pending | State::Waiting | State::Failed | State::Removed => {
                    forward.offer(engine, step);
                }
                State::Made
                | State::Adopted
                | State::AlreadyThere
                | State::Confirmed
                | State::Passed
                | State::Kept => {}
            }
        }
        forward
    }

    /// Makes a step ready if nothing it waits for is missing and its wave was asked for. What stands on something that
    /// is made again may be done already.
    fn offer(&mut self, engine: &Engine<'_, '_>, step: usize) {
        let wave = engine.graph.steps[step].wave;
        let done = engine.ledger.state(step).is_done();
        if !done && self.missing[step] == 0 && self.wave.is_none_or(|last| wave <= last) {
            self.ready[engine.lane(step)].insert((wave, step));
        }
    }

    /// What follows from a decision that was written down.
    fn after(&mut self, engine: &Engine<'_, '_>, step: usize, next: Next) {
        match next {
            Next::Ask(..) => return,
            Next::Again => self.offer(engine, step),
            Next::Rest if engine.ledger.state(step).is_done() => {
                for &dependent in &engine.graph.dependents[step] {
                    self.missing[dependent] -= 1;
                    self.offer(engine, dependent);
                }
            }
            Next::Rest => {}
        }
        self.recovering.remove(&step);
    }

    /// The lowest ready step of those lanes that have room.
    fn first(&self, engine: &mut Engine<'_, '_>) -> Option<(usize, (u32, usize))> {
        let heads = self.ready.iter().enumerate();
        let mut heads: Vec<_> =
            heads.filter_map(|(lane, ready)| ready.first().map(|head| (*head, lane))).collect();
        heads.sort_unstable();
        heads.into_iter().find(|(_, lane)| engine.has_room(*lane)).map(|(head, lane)| (lane, head))
    }
}

impl Direction for Forward {
    fn way(&self) -> Way {
        Way::Forward
    }

    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError> {
        while let Some(step) = self.to_recover.pop_front() {
            let case = engine.case(step, Way::Forward)?;
            let state = engine.ledger.state(step);
            let decision = conduct::recover(&case, state, &mut engine.tries[step]);
            let next = engine.follow(step, decision)?;
            self.after(engine, step, next);
        }
        if !self.recovering.is_empty() {
            return Ok(());
        }
        while let Some((lane, head)) = self.first(engine) {
            self.ready[lane].remove(&head);
            let step = head.1;
            let case = engine.case(step, Way::Forward)?;
            let state = engine.ledger.state(step);
            let decision = conduct::begin(&case, state, &mut engine.tries[step]);
            let next = engine.follow(step, decision)?;
            self.after(engine, step, next);
        }
        Ok(())
    }

    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        answer: Answer,
    ) -> Result<(), ExecutorError> {
        let case = engine.case(step, Way::Forward)?;
        let state = engine.ledger.state(step);
        let looks = engine.tries[step].looks;
        let decision = conduct::answered(&case, state, &mut engine.tries[step], answer);
        if engine.tries[step].looks > looks && decision.next != Next::Rest {
            engine.say(Event::Creating {
                step: case.step.id.clone(),
                observations: looks + 1,
                seconds: BETWEEN_LOOKS.as_secs() * u64::from(looks),
            });
        }
        let next = engine.follow(step, decision)?;
        self.after(engine, step, next);
        Ok(())
    }
}
