//! What can be done with plans and runs: try, apply, resume, destroy, look.

use std::collections::BTreeSet;

use carafe_model::document::{self, Document};
use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::Action;
use tokio::sync::watch;

use super::backward::Backward;
use super::forward::Forward;
use super::graph::{self, Graph};
use super::ledger::Ledger;
use super::run::{Engine, Parts};
use super::surroundings;
use super::survey::{DriftKind, Survey};
use super::{
    Confirm, Drift, DryRun, Event, ExecutorError, Listener, OnDrift, Options, Request, RunReport, RunState,
    RunStatus, State, Stop, sound, stop_switch,
};
use super::{dry_run as rehearsal, report};
use crate::drivers::Kind;
use crate::drivers::connections::{Binding, Connections};
use crate::run_id::{RunId, now, rfc3339};
use crate::store::{
    Entry, Journal, JournalError, Lease, LoadedRun, MemoryJournal, NewRun, Phase, RunRecord, StepEvent,
};

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
    let findings = unconnected(&graph, connections, |step| up_to(&graph, step, request.wave));
    if !findings.is_empty() {
        return Err(ExecutorError::Unfit(findings));
    }
    let verdicts = rehearsal::Verdicts::default();
    let previews =
        connections.map(|inner| std::sync::Arc::new(rehearsal::Preview::new(inner, verdicts.clone())));
    // The same loop as apply's, into a journal that is forgotten; what it would say of its pretence is not passed on.
    let scratch = MemoryJournal::new();
    let lease = scratch.create(&new_run(request, &Binding::default())).await?;
    let mut order = Vec::new();
    let mut listen = |event: Event| {
        if let Event::Step { step, event } = event
            && matches!(event, StepEvent::Intent | StepEvent::Confirmed { .. })
        {
            on_event(Event::Looking { step: step.clone() });
            order.push(step);
        }
    };
    let (_switch, stop) = stop_switch();
    let options =
        Options { parallelism: request.options.parallelism, confirm: Confirm::All, ..Options::default() };
    let parts = Parts {
        plan_sha256: request.plan_sha256,
        connections: &previews,
        options: &options,
        journal: &scratch,
        lease: &lease,
        on_event: &mut listen,
        stop,
    };
    let mut engine = Engine::new(&graph, Ledger::new(&graph), parts);
    let mut forward = Forward::new(&engine, request.wave);
    engine.drive(&mut forward).await?;
    drop(engine);
    let mut dry_run = rehearsal::conclude(&request.plan.name, &graph, &order, &verdicts);
    let plan = request.plan;
    surroundings::look_around(&mut dry_run, plan, request.plan_sha256, &graph, connections).await;
    Ok(dry_run)
}

/// Carries a plan out, as far as it goes without a person.
///
/// A run that did every wave it was asked for and was asked for no more goes on when the same plan is applied again with
/// a later wave; any other unfinished run of the plan is in the way. When a run did all of the plan, it is looked at
/// whether everything is still as that run left it, and no other run begins.
///
/// # Errors
/// [`ExecutorError::Unfit`] before anything is begun, [`ExecutorError::Unfinished`], [`ExecutorError::Locked`] and
/// [`ExecutorError::Elsewhere`] when the plan has a run already, [`ExecutorError::Journal`] when the journal fails.
pub async fn apply(
    request: &Request<'_>,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let graph = sound(request.plan)?;
    check_fit(&graph, connections, &request.options, request.wave)?;
    let binding = binding(&graph, connections);
    if let Some(record) = finished(request, &binding, journal).await? {
        return look_again(&record.run, request, connections, journal, on_event, stop).await;
    }
    let lease = match journal.create(&new_run(request, &binding)).await {
        Ok(lease) => lease,
        Err(JournalError::Unfinished { run, phase: Phase::Open, holder: None }) => {
            return next_wave(&run, request, connections, journal, on_event, stop).await;
        }
        Err(error) => return Err(error.into()),
    };
    let parts = Parts {
        plan_sha256: request.plan_sha256,
        connections,
        options: &request.options,
        journal,
        lease: &lease,
        on_event,
        stop,
    };
    let engine = Engine::new(&graph, Ledger::new(&graph), parts);
    go_forward(engine, &request.plan.name, request.wave, Vec::new(), journal, &lease).await
}

/// Goes on with a run that stands still. What the journal cannot tell is observed before anything is made.
///
/// # Errors
/// As [`apply`], and [`ExecutorError::NoRun`], [`ExecutorError::Undone`].
pub async fn resume(
    run: &RunId,
    options: &Options,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let lease = journal.lock(run).await?;
    let loaded = journal.load(run).await?;
    let wave = loaded.record.wave;
    take_up(loaded, &lease, wave, options, connections, journal, on_event, stop).await
}

/// Removes everything a run made, in reverse; what it adopted is left. May be interrupted and repeated.
///
/// # Errors
/// As [`resume`]. A destroyed run is no error: there is nothing left to do.
pub async fn destroy(
    run: &RunId,
    options: &Options,
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
    check_bound(&record, &graph, connections)?;
    let findings = unconnected(&graph, connections, |step| ledger.may_be_there(step));
    if !findings.is_empty() {
        return Err(ExecutorError::Unfit(findings));
    }
    journal.set_phase(&lease, Phase::Destroying, record.wave).await?;
    let parts = Parts {
        plan_sha256: &record.plan_sha256,
        connections,
        options,
        journal,
        lease: &lease,
        on_event,
        stop,
    };
    let mut engine = Engine::new(&graph, ledger, parts);
    let there = engine.ledger.owned();
    engine.say(Event::RunStarted { run: run.clone(), plan: plan.name.clone(), steps: there, done: 0 });
    let mut backward = Backward::new(&engine);
    engine.drive(&mut backward).await?;
    let left = engine.ledger.owned();
    let phase = if left == 0 { Phase::Destroyed } else { Phase::Destroying };
    if left == 0 {
        journal.set_phase(&lease, phase, record.wave).await?;
    }
    let mut report = report(&graph, &engine.ledger, phase, record.wave, run, &plan.name);
    report.done_now = there - left;
    report.stopped = engine.was_stopped();
    engine.finish(Event::RunEnded { run: run.clone(), state: report.state.clone() });
    Ok(report)
}

/// Tells how runs stand, the oldest first, or how one does. Asks no cloud and waits for nobody. A run that the journal
/// holds in a way that makes no sense is told as [`RunState::Unreadable`] and keeps no other from being told.
///
/// # Errors
/// [`ExecutorError::NoRun`], and [`ExecutorError::Journal`] when the journal as a whole cannot be read.
pub async fn status(run: Option<&RunId>, journal: &dyn Journal) -> Result<Vec<RunStatus>, ExecutorError> {
    let mut records = journal.runs().await?;
    if let Some(run) = run {
        records.retain(|record| record.run == *run);
        if records.is_empty() {
            return Err(ExecutorError::NoRun(run.clone()));
        }
    }
    let mut statuses = Vec::new();
    for record in records {
        let typed = Binding::parse(&record.binding).map(|binding| binding.typed).unwrap_or_default();
        let mut status = RunStatus {
            run: record.run.clone(),
            plan: record.plan.clone(),
            plan_sha256: record.plan_sha256.clone(),
            started: rfc3339(record.started),
            target: typed,
            owned: 0,
            owning: Vec::new(),
            holding_data: Vec::new(),
            holder: journal.holder(&record.run).await.unwrap_or_default(),
            state: RunState::Running,
            steps: Vec::new(),
        };
        match summary(&record, journal).await {
            Ok(Summary { state, steps, owning, holding_data }) => {
                status.owned = owning.len();
                (status.owning, status.holding_data) = (owning, holding_data);
                let state = if status.holder.is_some() { RunState::Running } else { state };
                (status.state, status.steps) = (state, steps);
            }
            Err(error) => status.state = RunState::Unreadable { message: error.to_string() },
        }
        statuses.push(status);
    }
    Ok(statuses)
}

/// What the journal's entries of a run come to.
struct Summary {
    state: RunState,
    steps: Vec<report::StepStatus>,
    owning: Vec<StepId>,
    holding_data: Vec<StepId>,
}

async fn summary(record: &RunRecord, journal: &dyn Journal) -> Result<Summary, ExecutorError> {
    let LoadedRun { plan_json, entries, .. } = journal.load(&record.run).await?;
    let plan = read_plan(&record.run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &entries)?;
    let (state, steps) = report::summarise(&graph, &ledger, record.phase, record.wave);
    let owned = |step: &usize| ledger.may_be_there(*step) && ledger.state(*step) != State::Adopted;
    let holds_data = |step: &usize| Kind::of(&graph.steps[*step].action).is_some_and(Kind::holds_data);
    let owning: Vec<usize> = (0..graph.len()).filter(owned).collect();
    let names =
        |steps: &[usize]| -> Vec<StepId> { steps.iter().map(|step| graph.steps[*step].id.clone()).collect() };
    let with_data: Vec<usize> = owning.iter().copied().filter(holds_data).collect();
    Ok(Summary { state, steps, owning: names(&owning), holding_data: names(&with_data) })
}

/// A run that did all of this very plan on these very clouds.
async fn finished(
    request: &Request<'_>,
    binding: &Binding,
    journal: &dyn Journal,
) -> Result<Option<RunRecord>, ExecutorError> {
    let mut records = journal.runs().await?;
    records.retain(|record| {
        record.phase == Phase::Finished
            && record.plan_sha256 == request.plan_sha256
            && Binding::parse(&record.binding).is_some_and(|bound| bound.differences(binding).is_empty())
    });
    Ok(records.pop())
}

/// `apply` met a run that did all of the plan: whatever drifted is told, or made good if that is wished.
async fn look_again(
    run: &RunId,
    request: &Request<'_>,
    connections: &Connections,
    journal: &dyn Journal,
    on_event: Listener<'_>,
    stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let lease = journal.lock(run).await?;
    let loaded = journal.load(run).await?;
    let options = match request.options.on_drift {
        OnDrift::Ignore => Options { on_drift: OnDrift::Stop, ..request.options.clone() },
        OnDrift::Stop | OnDrift::Repair => request.options.clone(),
    };
    let wave = loaded.record.wave;
    take_up(loaded, &lease, wave, &options, connections, journal, on_event, stop).await
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
    let plan = read_plan(run, &loaded.plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    check_bound(&loaded.record, &graph, connections)?;
    let ledger = replay(&graph, &loaded.entries)?;
    let (state, _) = report::summarise(&graph, &ledger, loaded.record.phase, loaded.record.wave);
    let RunState::WaveDone { wave: done } = state else {
        return Err(ExecutorError::Unfinished { run: run.clone(), destroying: false });
    };
    let wave = request.wave.map(|wave| wave.max(done));
    journal.set_phase(&lease, Phase::Open, wave).await?;
    take_up(loaded, &lease, wave, &request.options, connections, journal, on_event, stop).await
}

#[expect(clippy::too_many_arguments, reason = "what a run needs, handed on as it came")]
async fn take_up(
    loaded: LoadedRun,
    lease: &Lease,
    wave: Option<u32>,
    options: &Options,
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
    let bound = check_bound(&record, &graph, connections)?;
    check_fit(&graph, connections, options, wave)?;
    if bound.to_json() != record.binding {
        journal.bind(lease, &bound.to_json()).await?;
    }
    let parts =
        Parts { plan_sha256: &record.plan_sha256, connections, options, journal, lease, on_event, stop };
    let mut engine = Engine::new(&graph, ledger, parts);
    let mut drift = Vec::new();
    if options.on_drift != OnDrift::Ignore {
        let mut survey = Survey::new(&engine);
        engine.drive(&mut survey).await?;
        survey.found.sort_by_key(|(step, _)| *step);
        let stops = options.on_drift == OnDrift::Stop && !survey.found.is_empty();
        for (step, found) in survey.found {
            engine.say(Event::Drifted { drift: found.clone() });
            if found.what == DriftKind::Gone && options.on_drift == OnDrift::Repair {
                reopen(&mut engine, record.phase, lease, wave, journal).await?;
                engine.record(step, StepEvent::Absent)?;
            }
            drift.push(found);
        }
        engine.forget_tries();
        if stops {
            engine.commit().await?;
            let mut report = report(&graph, &engine.ledger, record.phase, wave, &record.run, &plan.name);
            report.state = RunState::Drifted { steps: drift.len() };
            report.drift = drift;
            engine.finish(Event::RunEnded { run: record.run, state: report.state.clone() });
            return Ok(report);
        }
    }
    go_forward(engine, &plan.name, wave, drift, journal, lease).await
}

/// A run that was finished and is to make something again is open again.
async fn reopen(
    engine: &mut Engine<'_, '_>,
    phase: Phase,
    lease: &Lease,
    wave: Option<u32>,
    journal: &dyn Journal,
) -> Result<(), ExecutorError> {
    if phase == Phase::Finished && !engine.reopened {
        journal.set_phase(lease, Phase::Open, wave).await?;
        engine.reopened = true;
    }
    Ok(())
}

async fn go_forward(
    mut engine: Engine<'_, '_>,
    plan: &str,
    wave: Option<u32>,
    drift: Vec<Drift>,
    journal: &dyn Journal,
    lease: &Lease,
) -> Result<RunReport, ExecutorError> {
    let graph = engine.graph;
    let asked_for: Vec<usize> =
        (0..graph.len()).filter(|step| wave.is_none_or(|wave| graph.steps[*step].wave <= wave)).collect();
    let done = |engine: &Engine<'_, '_>| {
        asked_for.iter().filter(|step| engine.ledger.state(**step).is_done()).count()
    };
    let before = done(&engine);
    engine.say(Event::RunStarted {
        run: lease.run.clone(),
        plan: plan.to_owned(),
        steps: asked_for.len(),
        done: before,
    });
    let mut forward = Forward::new(&engine, wave);
    engine.drive(&mut forward).await?;
    let mut report = report(graph, &engine.ledger, Phase::Open, wave, &lease.run, plan);
    report.done_now = done(&engine).saturating_sub(before);
    report.stopped = engine.was_stopped();
    report.drift = drift;
    if report.state == RunState::Done {
        journal.set_phase(lease, Phase::Finished, wave).await?;
    }
    engine.finish(Event::RunEnded { run: lease.run.clone(), state: report.state.clone() });
    Ok(report)
}

pub(super) fn new_run(request: &Request<'_>, binding: &Binding) -> NewRun {
    let started = now();
    NewRun {
        run: RunId::begin(started, request.plan_sha256),
        plan: request.plan.name.clone(),
        plan_sha256: request.plan_sha256.to_owned(),
        plan_json: request.plan.to_json(),
        wave: request.wave,
        binding: binding.to_json(),
        started,
    }
}

/// Which clouds a plan would be carried out on with these connections.
pub(super) fn binding(graph: &Graph, connections: &Connections) -> Binding {
    let steps = graph.steps.iter().filter(|step| Kind::of(&step.action).is_some());
    connections.binding(steps.map(|step| (&step.provider, &step.region)))
}

/// Refuses other clouds than those a run is bound to; gives the binding with what is newly connected.
pub(super) fn check_bound(
    record: &RunRecord,
    graph: &Graph,
    connections: &Connections,
) -> Result<Binding, ExecutorError> {
    let named = binding(graph, connections);
    let Some(mut bound) = Binding::parse(&record.binding) else { return Ok(named) };
    let differences = bound.differences(&named);
    if !differences.is_empty() {
        let told = |(place, was, is): &(&str, &str, &str)| format!("{place} is on {was}, not on {is}");
        return Err(ExecutorError::Elsewhere {
            run: record.run.clone(),
            typed: bound.typed.clone(),
            places: differences.iter().map(told).collect(),
        });
    }
    for (place, cloud) in named.places {
        bound.places.entry(place).or_insert(cloud);
    }
    Ok(bound)
}

pub(super) fn read_plan(run: &RunId, plan_json: &str) -> Result<Plan, ExecutorError> {
    match document::read::<Plan>("the journal's plan", plan_json.as_bytes()) {
        (Some(plan), findings) if findings.is_empty() => Ok(plan),
        _ => Err(ExecutorError::Broken(format!("the plan of run {run} cannot be read"))),
    }
}

pub(super) fn replay(graph: &Graph, entries: &[Entry]) -> Result<Ledger, ExecutorError> {
    Ledger::replay(graph, entries).map_err(|error| ExecutorError::Broken(error.to_string()))
}

pub(super) fn report(
    graph: &Graph,
    ledger: &Ledger,
    phase: Phase,
    wave: Option<u32>,
    run: &RunId,
    plan: &str,
) -> RunReport {
    let (state, steps) = report::summarise(graph, ledger, phase, wave);
    RunReport {
        run: run.clone(),
        plan: plan.to_owned(),
        state,
        steps,
        done_now: 0,
        stopped: false,
        drift: Vec::new(),
    }
}

/// `RUN-006` for every place without a connection that a step asked for needs.
pub(super) fn unconnected(
    graph: &Graph,
    connections: &Connections,
    asked_for: impl Fn(usize) -> bool,
) -> Vec<Finding> {
    let mut places = BTreeSet::new();
    let mut findings = Vec::new();
    for (index, step) in graph.steps.iter().enumerate() {
        if Kind::of(&step.action).is_some()
            && asked_for(index)
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
pub(super) fn check_fit(
    graph: &Graph,
    connections: &Connections,
    options: &Options,
    wave: Option<u32>,
) -> Result<(), ExecutorError> {
    let mut findings = unconnected(graph, connections, |step| up_to(graph, step, wave));
    for (index, step) in graph.steps.iter().enumerate() {
        let (Some(kind), Some(driver)) =
            (Kind::of(&step.action), connections.driver(&step.provider, &step.region))
        else {
            continue;
        };
        if up_to(graph, index, wave) && driver.capabilities().of(kind).is_none() {
            let what = format!("{}: {} has no {}", step.id, step.provider, kind.words());
            findings.push(graph::error("RUN-007", what).at(graph::place(index, "action")));
        }
    }
    let known = |step| graph.index(step).map(|index| &graph.steps[index].action);
    if let Confirm::Steps(steps) = &options.confirm {
        for step in steps.iter().filter(|step| known(step).is_none_or(|action| Kind::of(action).is_some())) {
            let what = format!("{step} is not a step that a person confirms");
            findings.push(graph::error("RUN-008", what));
        }
    }
    for step in &options.retry {
        if known(step).is_none_or(|action| matches!(action, Action::Manual { .. } | Action::Approval { .. }))
        {
            findings.push(graph::error("RUN-010", format!("{step} is not a step that can be tried again")));
        }
    }
    for step in &options.adopt {
        if known(step).is_none_or(|action| Kind::of(action).is_none()) {
            findings.push(graph::error("RUN-010", format!("{step} makes nothing that can be adopted")));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(ExecutorError::Unfit(findings)) }
}

fn up_to(graph: &Graph, step: usize, wave: Option<u32>) -> bool {
    wave.is_none_or(|wave| graph.steps[step].wave <= wave)
}
