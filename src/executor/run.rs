//! The loop that every run goes through, forwards and backwards: pick what is ready, write down what is intended, call,
//! write down what came of it.
//!
//! One turn of the loop writes everything that came in and everything that goes out next in one commit, so that many
//! calls at a time share one wait for the disk. Calls are started only after that commit. A direction
//! ([`forward`](super::forward), [`backward`](super::backward)) decides what is ready and what an answer means.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::events::Event;
use super::graph::Graph;
use super::ledger::Ledger;
use super::{ExecutorError, Stop};
use crate::drivers::connections::Connections;
use crate::drivers::{self, Driver, DriverError, ErrorKind, Observed, Outcome, Removal, Target};
use crate::run_id::{RunId, now};
use crate::store::{Entry, Journal, Lease, StepEvent};

/// Longer than any cloud takes for one call; a call that takes longer is as good as lost.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// A cloud that asks for a longer wait is asked again all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often a step is told to wait before it counts as refused.
pub(super) const MOST_THROTTLES: u32 = 10;
/// How often a step may lose a reply, or fail to be observed, before a person is asked.
pub(super) const MOST_LOSSES: u32 = 3;
/// The wait before a call whose reply was lost is followed up, times the number of losses.
pub(super) const AFTER_LOSS: Duration = Duration::from_secs(2);

/// What is asked of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Ensure,
    Observe,
    Remove,
}

/// What a driver answered.
#[derive(Debug)]
pub(super) enum Reply {
    Ensured(Result<Outcome, DriverError>),
    Observed(Result<Option<Observed>, DriverError>),
    Removed(Result<Removal, DriverError>),
    /// The run was stopped while the call still waited for its turn.
    NotAsked,
}

/// How often a step was put off, by reason.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempts {
    pub(super) throttled: u32,
    pub(super) lost: u32,
    pub(super) observed: u32,
}

/// Which way a run goes.
pub(super) trait Direction {
    /// Takes what is ready, as long as the engine has room for calls.
    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError>;

    /// Makes something of an answer.
    fn answer(&mut self, engine: &mut Engine<'_, '_>, step: usize, reply: Reply)
    -> Result<(), ExecutorError>;
}

/// A run in motion.
pub(super) struct Engine<'e, 'p> {
    pub(super) graph: &'e Graph<'p>,
    pub(super) ledger: Ledger,
    pub(super) attempts: Vec<Attempts>,
    pub(super) run: RunId,
    pub(super) plan_sha256: String,
    pub(super) connections: &'e Connections,
    journal: &'e dyn Journal,
    lease: &'e Lease,
    parallelism: usize,
    on_event: &'e mut (dyn FnMut(Event) + Send),
    stop: watch::Receiver<Stop>,
    draining: bool,
    unwritten: Vec<Entry>,
    unsaid: Vec<Event>,
    planned: Vec<(usize, Call, Duration)>,
    calls: JoinSet<(usize, Reply)>,
}

/// What an engine is built from, besides the graph and the ledger.
pub(super) struct Parts<'e> {
    pub(super) plan_sha256: String,
    pub(super) connections: &'e Connections,
    pub(super) journal: &'e dyn Journal,
    pub(super) lease: &'e Lease,
    pub(super) parallelism: usize,
    pub(super) on_event: &'e mut (dyn FnMut(Event) + Send),
    pub(super) stop: watch::Receiver<Stop>,
}

impl<'e, 'p> Engine<'e, 'p> {
    pub(super) fn new(graph: &'e Graph<'p>, ledger: Ledger, parts: Parts<'e>) -> Engine<'e, 'p> {
        Engine {
            graph,
            ledger,
            attempts: vec![Attempts::default(); graph.len()],
            run: parts.lease.run.clone(),
            plan_sha256: parts.plan_sha256,
            connections: parts.connections,
            journal: parts.journal,
            lease: parts.lease,
            parallelism: parts.parallelism.max(1),
            on_event: parts.on_event,
            stop: parts.stop,
            draining: false,
            unwritten: Vec::new(),
            unsaid: Vec::new(),
            planned: Vec::new(),
            calls: JoinSet::new(),
        }
    }

    /// Goes on until nothing is ready and nothing is under way, or until the run is stopped.
    pub(super) async fn drive(&mut self, direction: &mut dyn Direction) -> Result<(), ExecutorError> {
        loop {
            let stop = *self.stop.borrow_and_update();
            match stop {
                Stop::Go => direction.pick(self)?,
                Stop::Drain => self.drain(),
                Stop::Abort => {
                    // What is under way keeps its open intent: only observing can tell what became of it.
                    self.calls.shutdown().await;
                    self.planned.clear();
                    return self.commit().await;
                }
            }
            self.commit().await?;
            self.start_calls()?;
            if self.calls.is_empty() {
                return Ok(());
            }
            let mut joined = tokio::select! {
                joined = self.calls.join_next() => joined,
                () = changed(&mut self.stop) => continue,
            };
            while let Some(finished) = joined {
                let (step, reply) = finished.map_err(|error| ExecutorError::Broken(error.to_string()))?;
                direction.answer(self, step, reply)?;
                joined = self.calls.try_join_next();
            }
        }
    }

    /// Whether another call may begin.
    pub(super) fn has_room(&self) -> bool {
        self.calls.len() + self.planned.len() < self.parallelism
    }

    /// Whether the run has been told to stop.
    pub(super) fn is_draining(&self) -> bool {
        self.draining
    }

    /// How many calls are planned for after the next commit.
    pub(super) fn planned_calls(&self) -> usize {
        self.planned.len()
    }

    /// Plans a call for after the next commit; while draining, nothing new is planned.
    pub(super) fn call(&mut self, step: usize, call: Call, delay: Duration) {
        if self.draining {
            return;
        }
        if call == Call::Observe {
            self.say(Event::Looking { step: self.graph.steps[step].id.clone() });
        }
        self.planned.push((step, call, delay));
    }

    /// Plans a call again after the cloud asked for patience; `false` when it has asked too often.
    pub(super) fn call_after_throttle(&mut self, step: usize, call: Call, retry_after: Duration) -> bool {
        let attempt = self.attempts[step].throttled + 1;
        if attempt > MOST_THROTTLES {
            return false;
        }
        self.attempts[step].throttled = attempt;
        let wait = retry_after.min(LONGEST_WAIT);
        self.say(Event::Throttled {
            step: self.graph.steps[step].id.clone(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            attempt,
        });
        self.call(step, call, wait);
        true
    }

    /// Adds an event to the ledger now and to the journal with the next commit.
    pub(super) fn record(&mut self, step: usize, event: StepEvent) -> Result<(), ExecutorError> {
        let id = &self.graph.steps[step].id;
        self.ledger
            .record(step, &event)
            .map_err(|illegal| ExecutorError::Broken(format!("step {id}: {illegal}")))?;
        self.unsaid.push(Event::Step { step: id.clone(), event: event.clone() });
        let nth = self.ledger.accounts[step].events;
        self.unwritten.push(Entry { step: id.clone(), nth, event, at: now() });
        Ok(())
    }

    /// Tells the listener with the next commit.
    pub(super) fn say(&mut self, event: Event) {
        self.unsaid.push(event);
    }

    /// Tells the listener the last thing there is to tell.
    pub(super) fn finish(self, event: Event) {
        (self.on_event)(event);
    }

    /// The driver that speaks for a step.
    pub(super) fn driver(&self, step: usize) -> Result<&'e Arc<dyn Driver>, ExecutorError> {
        let step = &self.graph.steps[step];
        self.connections
            .driver(&step.provider, &step.region)
            .ok_or_else(|| ExecutorError::Broken(format!("no connection serves step {}", step.id)))
    }

    /// What a step asks for.
    fn target(&self, step: usize) -> Result<Target, ExecutorError> {
        let step = &self.graph.steps[step];
        Target::new(step, &self.run, &self.plan_sha256)
            .ok_or_else(|| ExecutorError::Broken(format!("step {} is a person's", step.id)))
    }

    async fn commit(&mut self) -> Result<(), ExecutorError> {
        if !self.unwritten.is_empty() {
            self.journal.append(self.lease, &self.unwritten).await?;
            self.unwritten.clear();
        }
        for event in self.unsaid.drain(..) {
            (self.on_event)(event);
        }
        Ok(())
    }

    fn start_calls(&mut self) -> Result<(), ExecutorError> {
        for (step, call, delay) in std::mem::take(&mut self.planned) {
            let (target, driver) = (self.target(step)?, self.driver(step)?.clone());
            let mut stop = self.stop.clone();
            self.calls.spawn(async move {
                if !delay.is_zero() {
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        () = stopped(&mut stop) => return (step, Reply::NotAsked),
                    }
                }
                (step, ask(&*driver, &target, call).await)
            });
        }
        Ok(())
    }

    fn drain(&mut self) {
        if !self.draining {
            self.draining = true;
            self.planned.clear();
            self.say(Event::Draining { calls: self.calls.len() });
        }
    }
}

async fn ask(driver: &dyn Driver, target: &Target, call: Call) -> Reply {
    match call {
        Call::Ensure => Reply::Ensured(in_time(driver.ensure(target)).await),
        Call::Observe => Reply::Observed(in_time(driver.observe(target)).await),
        Call::Remove => Reply::Removed(in_time(driver.remove(target)).await),
    }
}

async fn in_time<T>(reply: drivers::Reply<'_, T>) -> Result<T, DriverError> {
    let minutes = DEADLINE.as_secs() / 60;
    tokio::time::timeout(DEADLINE, reply)
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Unknown.because(format!("no reply within {minutes} minutes"))))
}

/// Returns when the run is told something new; never, once nobody is left who could tell.
async fn changed(stop: &mut watch::Receiver<Stop>) {
    if stop.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Returns when the run is told to stop.
async fn stopped(stop: &mut watch::Receiver<Stop>) {
    while *stop.borrow_and_update() == Stop::Go {
        changed(stop).await;
    }
}
