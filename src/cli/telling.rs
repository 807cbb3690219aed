//! How a run is told while it happens: to people on standard error, to programs as lines of JSON on standard output.

use carafe_model::ids::StepId;

use super::Context;
use super::output::clean;
use super::progress::Bar;
use crate::error::{Error, plural};
use crate::executor::events::{EVENTS, EventLine};
use crate::executor::{Drift, DriftKind, Event};
use crate::run_id::{now, rfc3339};
use crate::store::StepEvent;

/// Tells on standard error what happens while it happens.
pub(super) struct Teller<'a> {
    context: &'a Context,
    bar: Option<Bar>,
    /// Whether standard output gets every event as a line of JSON.
    lines: bool,
    unwritable: Option<Error>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(context: &'a Context, lines: bool) -> Teller<'a> {
        Teller { context, bar: None, lines, unwritable: None }
    }

    /// Whether everything could be told on standard output.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.unwritable.map_or(Ok(()), Err)
    }

    pub(super) fn tell(&mut self, event: Event) {
        if self.lines && self.unwritable.is_none() {
            let line = EventLine { carafe: EVENTS, at: rfc3339(now()), event: &event };
            let text = serde_json::to_string(&line).expect("an event is serialisable") + "\n";
            // A run does not stop because nobody listens any more.
            self.unwritable = self.context.out.data(&text).err();
        }
        match event {
            Event::RunStarted { run, steps, done, .. } => {
                self.line(
                    false,
                    &format!("run {run}: {}, {done} done already", plural(steps, "step", "steps")),
                );
                self.bar = Some(Bar::start(&self.context.out, steps.saturating_sub(done)));
            }
            Event::Step { step, event } => self.step(&step, &event),
            Event::Looking { step } => self.line(true, &format!("looking at {step}")),
            Event::Throttled { step, wait_ms, .. } => {
                self.line(true, &format!("{step}: asked to wait {wait_ms} ms"));
            }
            Event::Creating { step, seconds, .. } => {
                // Every look would be too much, and silence for half an hour too little.
                let loud = seconds > 0 && seconds % 300 == 0;
                self.line(!loud, &format!("{step}: not ready yet after {seconds} seconds"));
            }
            Event::Drifted { drift } => self.line(false, &drifted(&drift)),
            Event::Draining { calls } => {
                self.line(
                    false,
                    &format!("stopping: waiting for {} under way", plural(calls, "call", "calls")),
                );
            }
            Event::RunEnded { .. } => self.bar = None,
        }
    }

    fn step(&self, step: &StepId, event: &StepEvent) {
        let (ends, loud, text) = match event {
            StepEvent::Intent | StepEvent::RemoveIntent | StepEvent::Absent => return,
            StepEvent::Made { resource } => (true, false, format!("made {resource}")),
            StepEvent::Adopted { resource } => (true, false, format!("adopted {resource}")),
            StepEvent::AlreadyThere { resource } => (true, false, format!("{resource} is there already")),
            StepEvent::Passed { message } => (true, false, format!("passed: {message}")),
            StepEvent::Confirmed { by } => (true, false, format!("confirmed: {by}")),
            StepEvent::Removed => (true, false, "removed".to_owned()),
            StepEvent::Kept { message } => (true, true, format!("kept: {message}")),
            StepEvent::Refused { error, message } | StepEvent::RemoveRefused { error, message } => {
                (true, true, format!("refused ({error}): {message}"))
            }
            StepEvent::Lost { message } | StepEvent::RemoveLost { message } => {
                (true, true, format!("unknown: {message}"))
            }
            StepEvent::Waiting { message } => (true, false, format!("waits for a person: {message}")),
        };
        if ends && let Some(bar) = &self.bar {
            bar.advance();
        }
        self.line(!loud, &format!("{step}: {text}"));
    }

    fn line(&self, detail: bool, text: &str) {
        let print = || match detail {
            true => self.context.out.detail(&clean(text)),
            false => self.context.out.say(&clean(text)),
        };
        match &self.bar {
            Some(bar) => bar.above(print),
            None => print(),
        }
    }
}

/// What has become of something that a run left behind.
pub(super) fn drifted(drift: &Drift) -> String {
    let what = match drift.what {
        DriftKind::Gone => "is gone",
        DriftKind::Changed => "was changed",
        DriftKind::Replaced => "is no longer this run's",
        DriftKind::Unreadable => "cannot be read",
    };
    match drift.details.is_empty() {
        true => format!("{} {what}", drift.step),
        false => format!("{} {what}: {}", drift.step, drift.details.join(", ")),
    }
}
