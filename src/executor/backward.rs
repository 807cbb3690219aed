//! Removing: from the last steps to the first, each only when nothing that stood on it is left.

use std::collections::BTreeSet;

use super::ExecutorError;
use super::conduct::{self, Answer, Next, Way};
use super::journal::State;
use super::run::{Direction, Engine};
use crate::store::StepEvent;

/// Removes whatever a run may have made. What it adopted stays with its owner.
pub(super) struct Backward {
    /// How many steps that stand on each step are not gone yet.
    standing: Vec<usize>,
    /// For each lane, by wave and place in the plan; the last goes first.
    ready: Vec<BTreeSet<(u32, usize)>>,
    /// Steps that leave nothing, whose turn has come.
    empty: Vec<usize>,
}

impl Backward {
    pub(super) fn new(engine: &Engine<'_, '_>) -> Backward {
        let graph = engine.graph;
        let standing: Vec<usize> = graph.dependents.iter().map(Vec::len).collect();
        let mut backward =
            Backward { standing, ready: vec![BTreeSet::new(); engine.lane_count()], empty: Vec::new() };
        for step in 0..graph.len() {
            if backward.standing[step] == 0 {
                backward.offer(engine, step);
            }
        }
        backward
    }

    fn offer(&mut self, engine: &Engine<'_, '_>, step: usize) {
        if engine.ledger.may_be_there(step) && engine.ledger.state(step) != State::Adopted {
            self.ready[engine.lane(step)].insert((engine.graph.steps[step].wave, step));
        } else {
            self.empty.push(step);
        }
    }

    fn gone(&mut self, engine: &Engine<'_, '_>, step: usize) {
        for &below in &engine.graph.after[step] {
            self.standing[below] -= 1;
            if self.standing[below] == 0 {
                self.offer(engine, below);
            }
        }
    }

    fn last(&self, engine: &mut Engine<'_, '_>) -> Option<(usize, (u32, usize))> {
        let tails = self.ready.iter().enumerate();
        let mut tails: Vec<_> =
            tails.filter_map(|(lane, ready)| ready.last().map(|tail| (*tail, lane))).collect();
        tails.sort_unstable();
        tails.into_iter().rev().find(|(_, lane)| engine.has_room(*lane)).map(|(tail, lane)| (lane, tail))
    }

    fn after(&mut self, engine: &Engine<'_, '_>, step: usize, next: Next) {
        match (next, engine.ledger.state(step)) {
            (Next::Rest, State::Removed | State::Kept) => self.gone(engine, step),
            (Next::Rest | Next::Again | Next::Ask(..), _) => {}
        }
    }
}

impl Direction for Backward {
    fn way(&self) -> Way {
        Way::Back
    }

    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError> {
        loop {
            while let Some(step) = self.empty.pop() {
                if engine.ledger.state(step) == State::Adopted {
                    let message = "it was there before this run, and stays with whoever made it".to_owned();
                    engine.record(step, StepEvent::Kept { message })?;
                }
                self.gone(engine, step);
            }
            let Some((lane, tail)) = self.last(engine) else { return Ok(()) };
            self.ready[lane].remove(&tail);
            let step = tail.1;
            match conduct::begin_removal(&engine.case(step, Way::Back)?) {
                Some(decision) => {
                    let next = engine.follow(step, decision)?;
                    self.after(engine, step, next);
                }
                None => self.empty.push(step),
            }
        }
    }

    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        answer: Answer,
    ) -> Result<(), ExecutorError> {
        let case = engine.case(step, Way::Back)?;
        let state = engine.ledger.state(step);
        let mut decision = conduct::answered(&case, state, &mut engine.tries[step], answer);
        // What was stopped does not say that it is about to ask again.
        if engine.is_draining() {
            decision.events.retain(|event| *event != StepEvent::RemoveIntent);
        }
        let next = engine.follow(step, decision)?;
        self.after(engine, step, next);
        Ok(())
    }
}
