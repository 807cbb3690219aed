//! Carries a plan out, survives whatever happens on the way, and undoes it again.
//!
//! A plan's steps are a graph. Each call to a cloud is preceded by an intent in the journal ([`journal`] holds the
//! protocol), so that a run can be taken up after any accident: what the journal cannot tell, the cloud is asked. A
//! failure stops only what depends on it. Applying the same plan again finds what the first run made, because the key of
//! each call is made of the plan and the step and not of the run: it adopts everything and makes nothing, and since it
//! owns nothing, destroying it removes nothing.
//!
//! **What others build on.** A step stands where [`journal::next`] puts it, and nothing but its events moves it; a record
//! of the journal is one such event with its step, its place among the step's events (`nth`, from 1) and the fence of
//! the lease it was written under. The [`Journal`] trait refuses a record whose lease is outdated or whose place is
//! taken, so that two processes with different views of a step can never both go on. A lease is for a whole run (this
//! module) or for one step (many workers on one run); the protocol is the same, because steps meet only in their order.
//!
//! This module is the whole interface; `run` is the loop behind it, `forward` and `backward` its two directions.
//! The executor formats nothing and asks nobody: it tells [`Event`]s, and what a person has confirmed it is told.

use std::collections::BTreeSet;

use carafe_model::document::{self, Document};
use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::Action;
use tokio::sync::watch;

use crate::drivers::Kind;
use crate::drivers::connections::Connections;
use crate::run_id::{RunId, now, rfc3339};
use crate::store::{Journal, JournalError, Lease, LoadedRun, MemoryJournal, NewRun, Phase};

pub mod journal;

pub mod events;

pub mod report;

mod graph;

mod ledger;

mod run;

mod forward;

mod backward;

mod dry_run;

pub use dry_run::{Change, DryRun, DryStep};
pub use events::Event;
pub use graph::CODES;
pub use journal::State;
pub use report::{RunReport, RunState, RunStatus, StepError, StepStatus};

use backward::Backward;
use forward::Forward;
use graph::Graph;
use ledger::Ledger;
use run::{Engine, Parts};

/// Listens to a run.
pub type Listener<'l> = &'l mut (dyn FnMut(Event) + Send);

/// What is to be carried out.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// SHA-256 of the plan document as it was read; it names the plan.
    pub plan_sha256: &'a str,
    /// The last wave to do, wave 0 always; `None` for all.
    pub wave: Option<u32>,
    /// How many calls may be under way at a time; at least one is.
    pub parallelism: usize,
    /// Which of a person's steps are confirmed.
    pub confirm: Confirm,
}

/// Which of a person's steps are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// None: the run waits at each of them.
    #[default]
    None,
    /// These.
    Steps(BTreeSet<StepId>),
    /// All.
    All,
}

impl Confirm {
    /// By what a step is confirmed, as the journal keeps it; `None` if it is not.
    fn by(&self, step: &StepId) -> Option<&'static str> {
        match self {
            Confirm::None => None,
            Confirm::Steps(steps) => steps.contains(step).then_some("confirmed by name"),
            Confirm::All => Some("confirmed with all others"),
        }
    }
}

/// The graph of a plan that may be carried out: its steps fit together, and it passed its own check.
fn sound(plan: &Plan) -> Result<Graph<'_>, ExecutorError> {
    if plan.findings.iter().any(|finding| finding.code == carafe_planner::UNSOUND) {
        return Err(ExecutorError::Unfit(vec![graph::error(
            "RUN-009",
            "the plan did not pass its own check".to_owned(),
        )]));
    }
    Graph::build(&plan.steps).map_err(ExecutorError::Unfit)
}

/// Whether a run is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// Go on.
    #[default]
    Go,
    /// Begin nothing more; wait for the calls under way and write down what came of them.
    Drain,
    /// Drop the calls under way as well. Their intents stay open, and `resume` asks the cloud about them.
    Abort,
}

/// A switch that stops a run, and what the run listens to.
pub fn stop_switch() -> (watch::Sender<Stop>, watch::Receiver<Stop>) {
    watch::channel(Stop::Go)
}

/// Why the executor did not come to a report.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The plan or its connections are not fit to be carried out. Nothing was begun.
    #[error("the plan cannot be carried out as it is: {} problems were found", .0.len())]
    Unfit(Vec<Finding>),
    /// Another process is at work on the run.
    #[error("run {run} is held by {holder}")]
    Locked {
        /// The run.
        run: RunId,
        /// By whom, in words.
        holder: String,
    },
    /// The plan has a run that is not over: it is to be resumed, or destroyed to the end.
    #[error("this plan has an unfinished run, {run}")]
    Unfinished {
        /// The run.
        run: RunId,
        /// Whether it was being undone.
        destroying: bool,
    },
    /// The run is being undone or is undone, so it cannot go on.
    #[error("run {run} {}", if *.destroyed { "is destroyed" } else { "is being destroyed" })]
    Undone {
        /// The run.
        run: RunId,
        /// Whether nothing of it is left.
        destroyed: bool,
    },
    /// The journal knows no such run.
    #[error("the journal knows no run {0}")]
    NoRun(RunId),
    /// The journal failed. What was asked of a cloud before is intended in it, so `resume` finds out.
    #[error(transparent)]
    Journal(JournalError),
    /// The journal and the plan in it do not fit together, or an invariant of the executor does not hold.
    #[error("this is a bug in Carafe, or the journal was changed by hand: {0}")]
    Broken(String),
}

impl From<JournalError> for ExecutorError {
    fn from(error: JournalError) -> ExecutorError {
        match error {
            JournalError::Locked { run, holder } => ExecutorError::Locked { run, holder },
            JournalError::Unfinished { run, holder: Some(holder), .. } => {
                ExecutorError::Locked { run, holder }
            }
            JournalError::Unfinished { run, phase, holder: None } => {
                ExecutorError::Unfinished { run, destroying: phase == Phase::Destroying }
            }
            JournalError::NoRun { run } => ExecutorError::NoRun(run),
            other @ (JournalError::Newer { .. }
            | JournalError::Fenced { .. }
            | JournalError::Damaged { .. }
            | JournalError::Unusable { .. }) => ExecutorError::Journal(other),
        }
    }
}

/// Says what [`apply`] would do, reading the target and changing nothing. All findings at once.
///
/// # Errors
/// [`ExecutorError::Unfit`] when the plan or its connections are not fit to be carried out.
pub async fn dry_run(
    request: &Request<'_>,
    connections: &Connections,
    on_event: Listener<'_>,
) -> Result<DryRun, ExecutorError> {
    let graph = sound(request.plan)?;
    let findings = unconnected(&graph, connections, request.wave);
    if !findings.is_empty() {
        return Err(ExecutorError::Unfit(findings));
    }
    let verdicts = dry_run::Verdicts::default();
    let previews =
        connections.map(|inner| std::sync::Arc::new(dry_run::Preview::new(inner, verdicts.clone())));
    // The same loop as apply's, into a journal that is forgotten; what it would say of its pretence is not passed on.
    let scratch = MemoryJournal::new();
    let new = new_run(request);
    let lease = scratch.create(&new).await?;
    let mut order = Vec::new();
    let mut listen = |event: Event| {
        if let Event::Step { step, event } = event
            && matches!(event, crate::store::StepEvent::Intent | crate::store::StepEvent::Confirmed { .. })
        {
            on_event(Event::Looking { step: step.clone() });
            order.push(step);
        }
    };
    let (_switch, stop) = stop_switch();
    let parts = Parts {
        plan_sha256: request.plan_sha256.to_owned(),
        connections: &previews,
        journal: &scratch,
        lease: &lease,
        parallelism: request.parallelism,
        on_event: &mut listen,
        stop,
    };
    let mut engine = Engine::new(&graph, Ledger::new(graph.len()), parts);
    let mut forward = Forward::new(&engine, &Confirm::All, request.wave);
    engine.drive(&mut forward).await?;
    drop(engine);
    let mut dry_run = dry_run::conclude(&request.plan.name, &graph, &order, &verdicts);
    dry_run::check_quotas(&mut dry_run, connections).await;
    Ok(dry_run)
}

/// Carries a plan out, as far as it goes without a person.
///
/// A run that did every wave it was asked for and was asked for no more goes on when the same plan is applied again with
/// a later wave; any other unfinished run of the plan is in the way.
///
/// # Errors
/// [`ExecutorError::Unfit`] before anything is begun, [`ExecutorError::Unfinished`] and [`ExecutorError::Locked`] when the
/// plan has a run already, [`ExecutorError::Journal`] when the journal fails on the way.
pub async fn apply(
    request: &Request<'_>,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let graph = sound(request.plan)?;
    check_fit(&graph, connections, &request.confirm, request.wave)?;
    let lease = match journal.create(&new_run(request)).await {
        Ok(lease) => lease,
        Err(JournalError::Unfinished { run, phase: Phase::Open, holder: None }) => {
            return next_wave(&run, request, connections, journal, on_event, stop).await;
        }
        Err(error) => return Err(error.into()),
    };
    let parts = Parts {
        plan_sha256: request.plan_sha256.to_owned(),
        connections,
        journal,
        lease: &lease,
        parallelism: request.parallelism,
        on_event,
        stop,
    };
    let engine = Engine::new(&graph, Ledger::new(graph.len()), parts);
    go_forward(engine, &request.plan.name, &request.confirm, request.wave, journal, &lease).await
}

/// Goes on with a run that stands still. What the journal cannot tell is observed before anything is made.
///
/// # Errors
/// As [`apply`], and [`ExecutorError::NoRun`], [`ExecutorError::Undone`].
pub async fn resume(
    run: &RunId,
    confirm: Confirm,
    parallelism: usize,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let lease = journal.lock(run).await?;
    let loaded = journal.load(run).await?;
    let wave = loaded.record.wave;
    take_up(loaded, &lease, wave, &confirm, parallelism, connections, journal, on_event, stop).await
}

/// Removes everything a run made, in reverse; what it adopted is left. May be interrupted and repeated.
///
/// # Errors
/// As [`resume`]. A destroyed run is no error: there is nothing left to do.
pub async fn destroy(
    run: &RunId,
    parallelism: usize,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let lease = journal.lock(run).await?;
    let LoadedRun { record, plan_json, entries } = journal.load(run).await?;
    let plan = read_plan(run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &entries)?;
    if record.phase == Phase::Destroyed {
        return Ok(report(&graph, &ledger, Phase::Destroyed, record.wave, run, &plan.name));
    }
    let findings = unconnected(&graph, connections, record.wave);
    if !findings.is_empty() {
        return Err(ExecutorError::Unfit(findings));
    }
    journal.set_phase(&lease, Phase::Destroying, record.wave).await?;
    let parts = Parts {
        plan_sha256: record.plan_sha256,
        connections,
        journal,
        lease: &lease,
        parallelism,
        on_event,
        stop,
    };
    let mut engine = Engine::new(&graph, ledger, parts);
    let there = (0..graph.len()).filter(|step| engine.ledger.may_be_there(*step)).count();
    engine.say(Event::RunStarted { run: run.clone(), plan: plan.name.clone(), steps: there, done: 0 });
    let mut backward = Backward::new(&engine);
    engine.drive(&mut backward).await?;
    let over = (0..graph.len()).all(|step| !engine.ledger.may_be_there(step));
    let phase = if over { Phase::Destroyed } else { Phase::Destroying };
    if over {
        journal.set_phase(&lease, phase, record.wave).await?;
    }
    let report = report(&graph, &engine.ledger, phase, record.wave, run, &plan.name);
    engine.finish(Event::RunEnded { run: run.clone(), state: report.state.clone() });
    Ok(report)
}

/// Tells how runs stand, the oldest first, or how one does. Asks no cloud and waits for nobody.
///
/// # Errors
/// [`ExecutorError::NoRun`], [`ExecutorError::Journal`].
pub async fn status(run: Option<&RunId>, journal: &dyn Journal) -> Result<Vec<RunStatus>, ExecutorError> {
    let runs = match run {
        Some(run) => vec![run.clone()],
        None => journal.runs().await?.into_iter().map(|record| record.run).collect(),
    };
    let mut statuses = Vec::new();
    for run in runs {
        let LoadedRun { record, plan_json, entries } = journal.load(&run).await?;
        let holder = journal.holder(&run).await?;
        let plan = read_plan(&run, &plan_json)?;
        let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
        let ledger = replay(&graph, &entries)?;
        let (state, steps) = report::summarise(&graph, &ledger, record.phase, record.wave);
        let state = if holder.is_some() { RunState::Running } else { state };
        statuses.push(RunStatus {
            run,
            plan: record.plan,
            plan_sha256: record.plan_sha256,
            started: rfc3339(record.started),
            holder,
            state,
            steps,
        });
    }
    Ok(statuses)
}

/// `apply` met a run of the same plan: it goes on if that run did all it was asked for.
async fn next_wave(
    run: &RunId,
    request: &Request<'_>,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let lease = journal.lock(run).await?;
    let loaded = journal.load(run).await?;
    let graph = Graph::build(&request.plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &loaded.entries)?;
    let (state, _) = report::summarise(&graph, &ledger, loaded.record.phase, loaded.record.wave);
    let RunState::WaveDone { wave: done } = state else {
        return Err(ExecutorError::Unfinished { run: run.clone(), destroying: false });
    };
    let wave = request.wave.map(|wave| wave.max(done));
    journal.set_phase(&lease, Phase::Open, wave).await?;
    let Request { confirm, parallelism, .. } = request;
    take_up(loaded, &lease, wave, confirm, *parallelism, connections, journal, on_event, stop).await
}

#[expect(clippy::too_many_arguments, reason = "what a run needs, handed on as it came")]
async fn take_up(
    loaded: LoadedRun,
    lease: &Lease,
    wave: Option<u32>,
    confirm: &Confirm,
    parallelism: usize,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let LoadedRun { record, plan_json, entries } = loaded;
    match record.phase {
        Phase::Open | Phase::Finished => {}
        Phase::Destroying => return Err(ExecutorError::Undone { run: record.run, destroyed: false }),
        Phase::Destroyed => return Err(ExecutorError::Undone { run: record.run, destroyed: true }),
    }
    let plan = read_plan(&record.run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &entries)?;
    check_fit(&graph, connections, confirm, wave)?;
    let plan_sha256 = record.plan_sha256;
    let parts = Parts { plan_sha256, connections, journal, lease, parallelism, on_event, stop };
    let engine = Engine::new(&graph, ledger, parts);
    go_forward(engine, &plan.name, confirm, wave, journal, lease).await
}

async fn go_forward(
    mut engine: Engine<'_, '_>,
    plan: &str,
    confirm: &Confirm,
    wave: Option<u32>,
    journal: &dyn Journal,
    lease: &Lease,
) -> Result<RunReport, ExecutorError> {
    let graph = engine.graph;
    let asked_for: Vec<usize> =
        (0..graph.len()).filter(|step| wave.is_none_or(|wave| graph.steps[*step].wave <= wave)).collect();
    engine.say(Event::RunStarted {
        run: lease.run.clone(),
        plan: plan.to_owned(),
        steps: asked_for.len(),
        done: asked_for.iter().filter(|step| engine.ledger.state(**step).is_done()).count(),
    });
    let mut forward = Forward::new(&engine, confirm, wave);
    engine.drive(&mut forward).await?;
    let report = report(graph, &engine.ledger, Phase::Open, wave, &lease.run, plan);
    if report.state == RunState::Done {
        journal.set_phase(lease, Phase::Finished, wave).await?;
    }
    engine.finish(Event::RunEnded { run: lease.run.clone(), state: report.state.clone() });
    Ok(report)
}

fn new_run(request: &Request<'_>) -> NewRun {
    let started = now();
    NewRun {
        run: RunId::begin(started, request.plan_sha256),
        plan: request.plan.name.clone(),
        plan_sha256: request.plan_sha256.to_owned(),
        plan_json: request.plan.to_json(),
        wave: request.wave,
        binding: String::new(),
        started,
    }
}

fn read_plan(run: &RunId, plan_json: &str) -> Result<Plan, ExecutorError> {
    match document::read::<Plan>("the journal's plan", plan_json.as_bytes()) {
        (Some(plan), findings) if findings.is_empty() => Ok(plan),
        _ => Err(ExecutorError::Broken(format!("the plan of run {run} cannot be read"))),
    }
}

fn replay(graph: &Graph, entries: &[crate::store::Entry]) -> Result<Ledger, ExecutorError> {
    Ledger::replay(graph, entries).map_err(|error| ExecutorError::Broken(error.to_string()))
}

fn report(
    graph: &Graph,
    ledger: &Ledger,
    phase: Phase,
    wave: Option<u32>,
    run: &RunId,
    plan: &str,
) -> RunReport {
    let (state, steps) = report::summarise(graph, ledger, phase, wave);
    RunReport { run: run.clone(), plan: plan.to_owned(), state, steps }
}

/// `RUN-006` for every place without a connection.
fn unconnected(graph: &Graph, connections: &Connections, wave: Option<u32>) -> Vec<Finding> {
    let mut places = BTreeSet::new();
    let mut findings = Vec::new();
    for (index, step) in graph.steps.iter().enumerate() {
        let asked_for = Kind::of(&step.action).is_some() && wave.is_none_or(|wave| step.wave <= wave);
        if asked_for
            && connections.driver(&step.provider, &step.region).is_none()
            && places.insert((&step.provider, &step.region))
        {
            let what = format!("no connection serves {}/{}", step.provider, step.region);
            findings.push(graph::error("RUN-006", what).at(graph::place(index, "provider")));
        }
    }
    findings
}

/// Everything that can be known to go wrong without asking a cloud: `RUN-006` to `RUN-008`.
fn check_fit(
    graph: &Graph,
    connections: &Connections,
    confirm: &Confirm,
    wave: Option<u32>,
) -> Result<(), ExecutorError> {
    let mut findings = unconnected(graph, connections, wave);
    for (index, step) in graph.steps.iter().enumerate() {
        let (Some(kind), Some(driver)) =
            (Kind::of(&step.action), connections.driver(&step.provider, &step.region))
        else {
            continue;
        };
        if wave.is_none_or(|wave| step.wave <= wave) && driver.capabilities().of(kind).is_none() {
            let what = format!("{}: {} has no {}", step.id, step.provider, kind.words());
            findings.push(graph::error("RUN-007", what).at(graph::place(index, "action")));
        }
    }
    if let Confirm::Steps(steps) = confirm {
        for step in steps {
            let known = graph.index(step).map(|index| &graph.steps[index].action);
            if !matches!(known, Some(Action::Manual { .. })) {
                let what = format!("{step} is not a step that a person confirms");
                findings.push(graph::error("RUN-008", what));
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(ExecutorError::Unfit(findings)) }
}
