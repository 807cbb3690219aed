//! A worker: takes steps of queued runs from a journal that many machines share, and carries them out.
//!
//! Each step is carried out by the same loop and protocol as a whole run, on a graph of that one step and under a lease of
//! its own. No worker is special: any of them takes any step that its connections serve, and whichever comes first closes
//! a run in which nothing is left to do. A worker that falls silent loses its leases. What it may still send to a cloud
//! after that is bounded by `Guarded`, and made harmless by the key of the call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::Step;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::backward::Backward;
use super::commands::{read_plan, replay};
use super::events::Event;
use super::forward::Forward;
use super::graph::Graph;
use super::ledger::Ledger;
use super::queue::{conclude, confirm_of};
use super::run::{Engine, Parts};
use super::{ExecutorError, Options, State, Stop};
use crate::drivers::connections::{Binding, Connections};
use crate::run_id::RunId;
use crate::store::postgres::{Claim, Settled, Wanted};
use crate::store::{Journal, JournalError, PgJournal, Phase, RunRecord};

mod guarded;

use guarded::Guarded;

/// How often the queue is looked at although nothing was heard of it.
const POLL: Duration = Duration::from_secs(2);

/// What a worker is.
pub struct Worker<'w> {
    /// Where its steps come from.
    pub journal: &'w PgJournal,
    /// The clouds it can reach.
    pub connections: &'w Connections,
    /// How steps are carried out: `parallelism` says how many at a time, and what a person confirmed comes with the run.
    pub options: &'w Options,
    /// Whether it ends once nothing is queued that it could work on.
    pub until_idle: bool,
}

/// Something that a worker tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something happened to a step of a run.
    Step {
        /// The run.
        run: RunId,
        /// What.
        event: Event,
    },
    /// A step was lost to another worker, and is left.
    Lost {
        /// The run.
        run: RunId,
        /// The step.
        step: StepId,
    },
    /// A step could not be carried out; after a while another worker takes it.
    Failed {
        /// The run.
        run: RunId,
        /// The step.
        step: StepId,
        /// Why.
        why: String,
    },
    /// A run is bound to other clouds than this worker's; its steps are left to others.
    Elsewhere {
        /// The run.
        run: RunId,
    },
    /// Nothing is left to do in a run.
    Closed {
        /// The run.
        run: RunId,
    },
    /// The journal cannot be reached for now.
    Away {
        /// Why.
        why: String,
    },
}

/// Listens to a worker.
pub type NewsListener<'l> = &'l mut (dyn FnMut(News) + Send);

/// A step and its run.
type Key = (RunId, StepId);

/// A step that is being carried out.
struct Active {
    fence: i64,
    switch: watch::Sender<Stop>,
    /// Until when the lease surely holds, by this machine's monotonic clock.
    holds_until: Arc<Mutex<Instant>>,
}

/// What the loop of a worker and its heart share.
#[derive(Default)]
struct Shared {
    active: Mutex<BTreeMap<Key, Active>>,
    /// The heart is to beat now.
    hurry: Notify,
}

impl Shared {
    fn active(&self) -> MutexGuard<'_, BTreeMap<Key, Active>> {
        self.active.lock().expect("nothing panics while it holds the steps")
    }
}

/// Beats until it is dropped.
struct Heart(JoinHandle<()>);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A plan that steps were taken of, read once.
struct Known {
    record: RunRecord,
    plan: Plan,
}

impl Worker<'_> {
    /// Works until it is told to stop, or, where asked for, until it is idle.
    ///
    /// # Errors
    /// [`ExecutorError::Journal`] when the journal cannot be used at the start; later failures are waited out.
    pub async fn work(
        &self,
        on_news: NewsListener<'_>,
        mut stop: watch::Receiver<Stop>,
    ) -> Result<(), ExecutorError> {
        let mut bell = self.journal.listen().await?;
        let shared = Arc::new(Shared::default());
        let (tell, mut news) = mpsc::unbounded_channel();
        let _heart = Heart(tokio::spawn(beat(self.journal.clone(), shared.clone(), tell.clone())));
        let mut known: BTreeMap<RunId, Arc<Known>> = BTreeMap::new();
        let mut elsewhere: Vec<RunId> = Vec::new();
        let mut steps: JoinSet<(Key, Result<(), ExecutorError>)> = JoinSet::new();
        loop {
            let asked = *stop.borrow_and_update();
            if asked == Stop::Go {
                match self.take(&mut steps, &shared, &mut known, &mut elsewhere, &tell).await {
                    Ok(0) if steps.is_empty() && self.until_idle && news.is_empty() => return Ok(()),
                    Ok(_) => {}
                    Err(error) => on_news(News::Away { why: error.to_string() }),
                }
            } else {
                for active in shared.active().values() {
                    active.switch.send_replace(asked);
                }
                if steps.is_empty() {
                    break;
                }
            }
            tokio::select! {
                Some(ended) = steps.join_next() => {
                    // All that have ended by now, so that one claim fills all the room there is.
                    let mut next = Some(ended);
                    while let Some(ended) = next {
                        let (key, ended) = ended.map_err(|error| ExecutorError::Broken(error.to_string()))?;
                        shared.active().remove(&key);
                        if let Some(told) = failure(key, ended) {
                            on_news(told);
                        }
                        next = steps.try_join_next();
                    }
                }
                Some(told) = news.recv() => on_news(told),
                left = bell.ring() => if left { shared.hurry.notify_one() },
                _ = stop.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            while let Ok(told) = news.try_recv() {
                on_news(told);
            }
        }
        while let Ok(told) = news.try_recv() {
            on_news(told);
        }
        Ok(())
    }

    /// Takes steps for which there is room, or else closes runs in which nothing is left to do. Says how much it found.
    async fn take(
        &self,
        steps: &mut JoinSet<(Key, Result<(), ExecutorError>)>,
        shared: &Arc<Shared>,
        known: &mut BTreeMap<RunId, Arc<Known>>,
        elsewhere: &mut Vec<RunId>,
        tell: &mpsc::UnboundedSender<News>,
    ) -> Result<usize, ExecutorError> {
        let room = self.options.parallelism.max(1).saturating_sub(steps.len());
        if room == 0 {
            return Ok(0);
        }
        let served = self.connections.served();
        let limits = |provider: &_, region: &_| self.connections.limits(provider, region).at_once;
        let wanted = Wanted { served: served.as_deref(), room, limits: &limits, not: elsewhere };
        let asked_at = Instant::now();
        let claims = self.journal.claim(&wanted).await?;
        let mut found = claims.len();
        for claim in claims {
            let run = claim.lease.run.clone();
            let plan = match known.get(&run) {
                Some(plan) => plan.clone(),
                None => {
                    let loaded = self.journal.load(&run).await?;
                    let plan = read_plan(&run, &loaded.plan_json)?;
                    let plan = Arc::new(Known { record: loaded.record, plan });
                    known.insert(run.clone(), plan.clone());
                    plan
                }
            };
            let Some(wanted) =
                plan.plan.steps.iter().find(|step| Some(&step.id) == claim.lease.step.as_ref())
            else {
                return Err(ExecutorError::Broken(format!("run {run} has a step that is not in its plan")));
            };
            if !self.reaches(&plan.record, wanted) {
                self.journal.settle(&claim.lease, &Settled::Open).await?;
                if !elsewhere.contains(&run) {
                    elsewhere.push(run.clone());
                    let _ = tell.send(News::Elsewhere { run });
                }
                continue;
            }
            self.begin(claim, wanted, &plan, asked_at, steps, shared, tell);
        }
        if found == 0 {
            while let Some(lease) = self.journal.take_idle().await? {
                conclude(self.journal, &lease).await?;
                known.remove(&lease.run);
                let _ = tell.send(News::Closed { run: lease.run.clone() });
                found += 1;
            }
        }
        Ok(found)
    }

    /// Whether the step's cloud is the one that its run is bound to.
    fn reaches(&self, record: &RunRecord, step: &Step) -> bool {
        let named = self.connections.binding([(&step.provider, &step.region)]);
        Binding::parse(&record.binding).is_none_or(|bound| bound.differences(&named).is_empty())
    }

    #[expect(clippy::too_many_arguments, reason = "what a step needs, handed on as it came")]
    fn begin(
        &self,
        claim: Claim,
        step: &Step,
        plan: &Arc<Known>,
        asked_at: Instant,
        steps: &mut JoinSet<(Key, Result<(), ExecutorError>)>,
        shared: &Shared,
        tell: &mpsc::UnboundedSender<News>,
    ) {
        let key = (claim.lease.run.clone(), step.id.clone());
        let (switch, stop) = watch::channel(Stop::Go);
        let holds_until = Arc::new(Mutex::new(asked_at + self.journal.lease()));
        let guard = holds_until.clone();
        let margin = self.journal.lease() / 10;
        let work = OneStep {
            journal: self.journal.clone(),
            connections: self.connections.map(|inner| Arc::new(Guarded::new(inner, guard.clone(), margin))),
            options: Options { parallelism: 1, confirm: confirm_of(&claim.confirm), ..self.options.clone() },
            // What it stands on is done, or it would not have been given out.
            step: Step { after: Vec::new(), ..step.clone() },
            frees: frees(&plan.plan, step, claim.phase),
            plan_sha256: plan.record.plan_sha256.clone(),
            tell: tell.clone(),
        };
        shared.active().insert(key.clone(), Active { fence: claim.lease.fence, switch, holds_until });
        steps.spawn(async move { (key, work.carry_out(claim, stop).await) });
    }
}

/// What waits for a step, by the way its run goes.
fn frees(plan: &Plan, step: &Step, phase: Phase) -> Vec<StepId> {
    match phase {
        Phase::Destroying | Phase::Destroyed => step.after.clone(),
        Phase::Open | Phase::Finished => {
            let dependents = plan.steps.iter().filter(|other| other.after.contains(&step.id));
            dependents.map(|other| other.id.clone()).collect()
        }
    }
}

/// What is told about a step that was not carried out to its end.
fn failure((run, step): Key, ended: Result<(), ExecutorError>) -> Option<News> {
    match ended {
        Ok(()) => None,
        Err(ExecutorError::Journal(JournalError::Fenced { .. })) => Some(News::Lost { run, step }),
        Err(error) => Some(News::Failed { run, step, why: error.to_string() }),
    }
}

/// Renews the leases of all steps under way, and stops those that are lost or no longer wanted.
async fn beat(journal: PgJournal, shared: Arc<Shared>, tell: mpsc::UnboundedSender<News>) {
    let mut ticks = tokio::time::interval(journal.lease() / 3);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.hurry.notified() => {}
        }
        let leases: Vec<(RunId, StepId, i64)> = {
            let active = shared.active();
            active.iter().map(|((run, step), active)| (run.clone(), step.clone(), active.fence)).collect()
        };
        if leases.is_empty() {
            continue;
        }
        // Counted from before the question, because the answer may have taken its time.
        let asked_at = Instant::now();
        let held = match tokio::time::timeout(journal.lease() / 3, journal.renew(&leases)).await {
            Ok(Ok(held)) => held,
            Ok(Err(error)) => {
                let _ = tell.send(News::Away { why: error.to_string() });
                continue;
            }
            Err(_) => continue,
        };
        let queued: BTreeMap<Key, bool> =
            held.into_iter().map(|held| ((held.run, held.step), held.queued)).collect();
        for (run, step, fence) in leases {
            let active = shared.active();
            let key = (run, step);
            let Some(active) = active.get(&key).filter(|active| active.fence == fence) else { continue };
            match queued.get(&key) {
                Some(true) => {
                    let mut holds_until = active.holds_until.lock().expect("nothing panics while it is held");
                    *holds_until = asked_at + journal.lease();
                }
                Some(false) => drop(active.switch.send_replace(Stop::Drain)),
                None => drop(active.switch.send_replace(Stop::Abort)),
            }
        }
    }
}

/// One step on its way.
struct OneStep {
    journal: PgJournal,
    connections: Connections,
    options: Options,
    step: Step,
    frees: Vec<StepId>,
    plan_sha256: String,
    tell: mpsc::UnboundedSender<News>,
}

impl OneStep {
    async fn carry_out(self, claim: Claim, stop: watch::Receiver<Stop>) -> Result<(), ExecutorError> {
        let Claim { lease, phase, .. } = claim;
        let entries = self.journal.entries_of(&lease.run, std::slice::from_ref(&self.step.id)).await?;
        let steps = [self.step];
        let graph = Graph::build(&steps).map_err(ExecutorError::Unfit)?;
        let ledger = replay(&graph, &entries)?;
        let (run, tell) = (lease.run.clone(), self.tell);
        let mut on_event = move |event| drop(tell.send(News::Step { run: run.clone(), event }));
        let parts = Parts {
            plan_sha256: &self.plan_sha256,
            connections: &self.connections,
            options: &self.options,
            journal: &self.journal,
            lease: &lease,
            on_event: &mut on_event,
            stop,
        };
        let mut engine = Engine::new(&graph, ledger, parts);
        match phase {
            Phase::Destroying | Phase::Destroyed => {
                let mut backward = Backward::new(&engine);
                engine.drive(&mut backward).await?;
            }
            Phase::Open | Phase::Finished => {
                let mut forward = Forward::new(&engine, None);
                engine.drive(&mut forward).await?;
            }
        }
        let settled = match (is_over(&engine.ledger, phase), engine.was_stopped()) {
            (true, _) => Settled::Done { frees: self.frees },
            (false, true) => Settled::Open,
            (false, false) => Settled::Stuck,
        };
        drop(engine);
        self.journal.settle(&lease, &settled).await?;
        Ok(())
    }
}

/// Whether there is nothing left to do about the only step of a ledger.
fn is_over(ledger: &Ledger, phase: Phase) -> bool {
    match phase {
        Phase::Destroying | Phase::Destroyed => ledger.state(0) == State::Kept || !ledger.may_be_there(0),
        Phase::Open | Phase::Finished => ledger.state(0).is_done(),
    }
}
