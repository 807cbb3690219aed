//! The loop that every run goes through, forwards and backwards: pick what is ready, write down what is intended, call,
//! write down what came of it.
//!
//! One turn of the loop writes everything that came in and everything that goes out next in one commit, so that many
//! calls at a time share one wait for the disk. Calls are started only after that commit. A direction
//! ([`forward`](super::forward), [`backward`](super::backward)) decides what is ready and what an answer means.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use carafe_model::steps::{Action, Call, Step};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::conduct::{self, Answer, Ask, Case, Decision, Next, Tries, Way};
use super::events::Event;
use super::graph::Graph;
use super::hands::{Ended, Errand, Hands};
use super::lanes::{Lanes, Room};
use super::ledger::Ledger;
use super::{ExecutorError, Options, Stop};
use crate::drivers::connections::Connections;
use crate::drivers::{self, Ability, Driver, DriverError, ErrorKind, IdempotencyKey, Kind, Target};
use crate::run_id::{RunId, now};
use crate::store::{Entry, Journal, Lease, StepEvent};

/// How long after its own end a hook's call is given up.
const GRACE: Duration = Duration::from_secs(30);

/// What a call came to.
#[derive(Debug)]
struct Reply {
    step: usize,
    answer: Answer,
}

/// What a run asks for next, and what it makes of answers.
pub(super) trait Direction: Send {
    /// Which way it goes.
    fn way(&self) -> Way;

    /// Takes what is ready, as long as the engine has room for calls.
    fn pick(&mut self, engine: &mut Engine<'_, '_>) -> Result<(), ExecutorError>;

    /// Makes something of an answer.
    fn answer(
        &mut self,
        engine: &mut Engine<'_, '_>,
        step: usize,
        answer: Answer,
    ) -> Result<(), ExecutorError>;
}

/// A run in motion.
pub(super) struct Engine<'e, 'p> {
    pub(super) graph: &'e Graph<'p>,
    pub(super) ledger: Ledger,
    pub(super) tries: Vec<Tries>,
    pub(super) run: RunId,
    connections: &'e Connections,
    hands: Arc<dyn Hands>,
    keys: Vec<IdempotencyKey>,
    checks_first: bool,
    journal: &'e dyn Journal,
    lease: &'e Lease,
    lanes: Lanes,
    on_event: &'e mut (dyn FnMut(Event) + Send),
    stop: watch::Receiver<Stop>,
    /// Whether a finished run was opened again.
    pub(super) reopened: bool,
    stopped: bool,
    draining: bool,
    unwritten: Vec<Entry>,
    unsaid: Vec<Event>,
    /// Calls that have room and are started after the next commit.
    planned: Vec<(usize, Ask)>,
    /// Calls that wait for room, by lane.
    due: Vec<VecDeque<(usize, Ask)>>,
    /// Calls that wait for their moment.
    put_off: Vec<(usize, Ask, Duration)>,
    sleeping: JoinSet<(usize, Ask)>,
    calls: JoinSet<Reply>,
    /// The next moment at which a lane that was full of calls for now has room again.
    wake: Option<Instant>,
}

/// What an engine is built from, besides the graph and the ledger.
pub(super) struct Parts<'e> {
    pub(super) plan_sha256: &'e str,
    pub(super) connections: &'e Connections,
    pub(super) options: &'e Options,
    pub(super) journal: &'e dyn Journal,
    pub(super) lease: &'e Lease,
    pub(super) on_event: &'e mut (dyn FnMut(Event) + Send),
    pub(super) stop: watch::Receiver<Stop>,
}

impl<'e, 'p> Engine<'e, 'p> {
    pub(super) fn new(graph: &'e Graph<'p>, ledger: Ledger, parts: Parts<'e>) -> Engine<'e, 'p> {
        let lanes = Lanes::new(graph, parts.connections, parts.options.parallelism);
        let wish =
            |step: &carafe_model::steps::Step| Tries { wish: parts.options.wish(step), ..Tries::default() };
        Engine {
            graph,
            ledger,
            tries: graph.steps.iter().map(wish).collect(),
            run: parts.lease.run.clone(),
            connections: parts.connections,
            hands: parts.options.hands.clone(),
            keys: graph.steps.iter().map(|step| IdempotencyKey::new(parts.plan_sha256, &step.id)).collect(),
            checks_first: parts.options.checks_first,
            journal: parts.journal,
            lease: parts.lease,
            due: vec![VecDeque::new(); lanes.len()],
            lanes,
            on_event: parts.on_event,
            stop: parts.stop,
            reopened: false,
            stopped: false,
            draining: false,
            unwritten: Vec::new(),
            unsaid: Vec::new(),
            planned: Vec::new(),
            put_off: Vec::new(),
            sleeping: JoinSet::new(),
            calls: JoinSet::new(),
            wake: None,
        }
    }

    /// Goes on until nothing is ready and nothing is under way, or until the run is stopped.
    pub(super) async fn drive(&mut self, direction: &mut dyn Direction) -> Result<(), ExecutorError> {
        loop {
            self.wake = None;
            let stop = *self.stop.borrow_and_update();
            match stop {
                Stop::Go => {
                    self.start_due();
                    direction.pick(self)?;
                }
                Stop::Drain => self.drain().await,
                Stop::Abort => {
                    // What is under way keeps its open intent: only observing can tell what became of it.
                    self.stopped = true;
                    self.sleeping.shutdown().await;
                    self.calls.shutdown().await;
                    self.planned.clear();
                    return self.commit().await;
                }
            }
            self.commit().await?;
            self.start_calls(direction.way())?;
            if self.calls.is_empty() && self.sleeping.is_empty() && self.wake.is_none() {
                return Ok(());
            }
            let wake = self.wake;
            tokio::select! {
                Some(finished) = self.calls.join_next() => {
                    let mut joined = Some(finished);
                    while let Some(finished) = joined {
                        let Reply { step, answer } =
                            finished.map_err(|error| ExecutorError::Broken(error.to_string()))?;
                        self.lanes.end(self.lanes.of(step));
                        self.mind_throttle(step, &answer);
                        direction.answer(self, step, answer)?;
                        joined = self.calls.try_join_next();
                    }
                }
                Some(woken) = self.sleeping.join_next() => {
                    let mut joined = Some(woken);
                    while let Some(woken) = joined {
                        let (step, ask) =
                            woken.map_err(|error| ExecutorError::Broken(error.to_string()))?;
                        self.due[self.lanes.of(step)].push_back((step, ask));
                        joined = self.sleeping.try_join_next();
                    }
                }
                () = until(wake) => {}
                () = changed(&mut self.stop) => {}
            }
        }
    }

    /// What does not change about a step.
    pub(super) fn case(&self, step: usize, way: Way) -> Result<Case<'e>, ExecutorError> {
        let graph: &'e Graph<'p> = self.graph;
        let ability = match Kind::of(&graph.steps[step].action) {
            None => None,
            // A kind that the driver lacks stopped the run before it began, or is refused by the driver itself.
            Some(kind) => Some(self.driver(step)?.capabilities().of(kind).unwrap_or(Ability::Makes)),
        };
        Ok(Case {
            step: &graph.steps[step],
            ability,
            key: self.keys[step].clone(),
            run: &self.lease.run,
            way,
            checks_first: self.checks_first,
        })
    }

    /// The lane of a step, and how many lanes there are.
    pub(super) fn lane(&self, step: usize) -> usize {
        self.lanes.of(step)
    }

    /// How many lanes there are.
    pub(super) fn lane_count(&self) -> usize {
        self.lanes.len()
    }

    /// Whether another call may begin on a lane; if not for a while yet, the engine wakes when it may.
    pub(super) fn has_room(&mut self, lane: usize) -> bool {
        match self.lanes.room(lane, Instant::now()) {
            Room::Now => self.due[lane].is_empty(),
            Room::Later => false,
            Room::At(moment) => {
                self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment)));
                false
            }
        }
    }

    /// Begins to count anew; what a person wants done stays.
    pub(super) fn forget_tries(&mut self) {
        for tries in &mut self.tries {
            *tries = Tries { wish: tries.wish, ..Tries::default() };
        }
    }

    /// Whether the run has been told to stop.
    pub(super) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether the run was told to stop before it came to its end.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped || self.draining
    }

    /// Writes down what was decided and plans what is asked; `true` when the step is to begin again.
    pub(super) fn follow(&mut self, step: usize, decision: Decision) -> Result<Next, ExecutorError> {
        for event in decision.events {
            self.record(step, event)?;
        }
        if let Next::Ask(ask, wait) = decision.next {
            self.ask(step, ask, wait);
        }
        Ok(decision.next)
    }

    /// Plans a call for after the next commit; while draining, nothing new is planned.
    pub(super) fn ask(&mut self, step: usize, ask: Ask, wait: Duration) {
        if self.draining {
            return;
        }
        match ask {
            Ask::Observe | Ask::Check | Ask::Verify | Ask::Probe => {
                self.say(Event::Looking { step: self.graph.steps[step].id.clone() });
            }
            Ask::Ensure | Ask::Remove | Ask::Run | Ask::Undo => {}
        }
        let lane = self.lanes.of(step);
        if !wait.is_zero() {
            self.put_off.push((step, ask, wait));
        } else if self.has_room(lane) {
            self.lanes.begin(lane, Instant::now());
            self.planned.push((step, ask));
        } else {
            self.due[lane].push_back((step, ask));
        }
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
    fn driver(&self, step: usize) -> Result<&'e Arc<dyn Driver>, ExecutorError> {
        let step = &self.graph.steps[step];
        self.connections
            .driver(&step.provider, &step.region)
            .ok_or_else(|| ExecutorError::Broken(format!("no connection serves step {}", step.id)))
    }

    pub(super) async fn commit(&mut self) -> Result<(), ExecutorError> {
        if !self.unwritten.is_empty() {
            self.journal.append(self.lease, &self.unwritten).await?;
            self.unwritten.clear();
        }
        for event in self.unsaid.drain(..) {
            (self.on_event)(event);
        }
        Ok(())
    }

    /// What waited for room goes before what is new.
    fn start_due(&mut self) {
        for lane in 0..self.due.len() {
            while !self.due[lane].is_empty() {
                match self.lanes.room(lane, Instant::now()) {
                    Room::Now => {}
                    Room::Later => break,
                    Room::At(moment) => {
                        self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment)));
                        break;
                    }
                }
                let Some((step, ask)) = self.due[lane].pop_front() else { break };
                self.lanes.begin(lane, Instant::now());
                self.planned.push((step, ask));
            }
        }
    }

    fn start_calls(&mut self, way: Way) -> Result<(), ExecutorError> {
        for (step, ask, wait) in std::mem::take(&mut self.put_off) {
            self.sleeping.spawn(async move {
                tokio::time::sleep(wait).await;
                (step, ask)
            });
        }
        for (step, ask) in std::mem::take(&mut self.planned) {
            let wanted = &self.graph.steps[step];
            let call = match Kind::of(&wanted.action) {
                Some(kind) => {
                    let target = Target::new(wanted, &self.run, self.keys[step].clone())
                        .ok_or_else(|| ExecutorError::Broken(format!("step {} is a person's", wanted.id)))?;
                    let driver = self.driver(step)?.clone();
                    Prepared::Driver { driver, target: Box::new(target), longest: conduct::deadline(kind) }
                }
                None => Prepared::Hands {
                    hands: self.hands.clone(),
                    step: Box::new(wanted.clone()),
                    run: self.run.clone(),
                    key: self.keys[step].clone(),
                },
            };
            let span = tracing::debug_span!("call", step = %wanted.id, ask = ?ask, way = ?way);
            self.calls.spawn(async move { Reply { step, answer: call.ask(ask).await } }.instrument(span));
        }
        Ok(())
    }

    /// A cloud that asks one call to wait is left alone by the others as well.
    fn mind_throttle(&mut self, step: usize, answer: &Answer) {
        let error = match answer {
            Answer::Checked(Err(error))
            | Answer::Ensured(Err(error))
            | Answer::Observed(Err(error))
            | Answer::Removed(Err(error)) => error,
            Answer::Checked(Ok(_))
            | Answer::Ensured(Ok(_))
            | Answer::Observed(Ok(_))
            | Answer::Removed(Ok(_))
            | Answer::Ran(_)
            | Answer::Verified(_)
            | Answer::Undone(_)
            | Answer::Probed(_) => return,
        };
        let ErrorKind::Throttled { retry_after } = error.kind else { return };
        let wait = retry_after.min(conduct::LONGEST_WAIT);
        self.lanes.leave_alone(self.lanes.of(step), Instant::now() + wait);
        self.say(Event::Throttled {
            step: self.graph.steps[step].id.clone(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            attempt: self.tries[step].throttled + 1,
        });
    }

    async fn drain(&mut self) {
        if !self.draining {
            self.draining = true;
            for (step, _) in std::mem::take(&mut self.planned) {
                self.lanes.end(self.lanes.of(step));
            }
            self.put_off.clear();
            self.due.iter_mut().for_each(VecDeque::clear);
            self.sleeping.shutdown().await;
            self.say(Event::Draining { calls: self.calls.len() });
        }
    }
}

/// A call that is ready to be made, with all it needs.
enum Prepared {
    Driver { driver: Arc<dyn Driver>, target: Box<Target>, longest: Duration },
    Hands { hands: Arc<dyn Hands>, step: Box<Step>, run: RunId, key: IdempotencyKey },
}

impl Prepared {
    async fn ask(self, ask: Ask) -> Answer {
        match self {
            Prepared::Driver { driver, target, longest } => ask_driver(&*driver, &target, longest, ask).await,
            Prepared::Hands { hands, step, run, key } => ask_hands(&*hands, &step, &run, &key.0, ask).await,
        }
    }
}

/// Asks a driver, for as long as one call may take. Hands' questions are none of a driver's.
pub(super) async fn ask_driver(driver: &dyn Driver, target: &Target, longest: Duration, ask: Ask) -> Answer {
    match ask {
        Ask::Check => Answer::Checked(in_time(longest, driver.check(target)).await),
        Ask::Ensure => Answer::Ensured(in_time(longest, driver.ensure(target)).await),
        Ask::Remove => Answer::Removed(in_time(longest, driver.remove(target)).await),
        Ask::Observe | Ask::Run | Ask::Verify | Ask::Undo | Ask::Probe => {
            Answer::Observed(in_time(longest, driver.observe(target)).await)
        }
    }
}

/// Asks the user's hook, or looks.
pub(super) async fn ask_hands(hands: &dyn Hands, step: &Step, run: &RunId, key: &str, ask: Ask) -> Answer {
    let none = || Ended::Badly("there is nothing to call".to_owned());
    let (calls, timeout_s) = match &step.action {
        Action::Hook { run, verify, undo, timeout_s, .. } => {
            ((Some(run), verify.as_ref(), undo.as_ref()), *timeout_s)
        }
        Action::Check { probes, .. } => return Answer::Probed(hands.look(probes).await),
        _ => return Answer::Probed(none()),
    };
    let call = async |purpose: &'static str, call: Option<&Call>| {
        let Some(call) = call else { return none() };
        let errand = Errand { step, run, key, purpose, call, timeout_s };
        let longest = Duration::from_secs(u64::from(timeout_s)) + GRACE;
        tokio::time::timeout(longest, hands.call(errand))
            .await
            .unwrap_or_else(|_| Ended::Unknown(format!("it did not end within {timeout_s} seconds")))
    };
    match ask {
        Ask::Verify => Answer::Verified(call("verify", calls.1).await),
        Ask::Undo => Answer::Undone(call("undo", calls.2).await),
        Ask::Run | Ask::Check | Ask::Ensure | Ask::Observe | Ask::Remove | Ask::Probe => {
            Answer::Ran(call("run", calls.0).await)
        }
    }
}

async fn in_time<T>(longest: Duration, reply: drivers::Reply<'_, T>) -> Result<T, DriverError> {
    let minutes = longest.as_secs() / 60;
    tokio::time::timeout(longest, reply)
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Unknown.because(format!("no reply within {minutes} minutes"))))
}

/// Returns at a moment; never without one.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Returns when the run is told something new; never, once nobody is left who could tell.
async fn changed(stop: &mut watch::Receiver<Stop>) {
    if stop.changed().await.is_err() {
        std::future::pending().await
    }
}
