//! Runs that workers share: put into the queue, followed, and closed.

use std::collections::BTreeSet;
use std::time::Duration;

use carafe_model::ids::StepId;
use tokio::sync::watch;

use super::commands::{binding, check_bound, check_fit, new_run, read_plan, replay, report, unconnected};
use super::events::Event;
use super::graph::Graph;
use super::ledger::Ledger;
use super::{
    Confirm, ExecutorError, Listener, Options, Request, RunReport, RunState, State, Stop, report, sound,
};
use crate::drivers::connections::Connections;
use crate::run_id::RunId;
use crate::store::postgres::{Queued, QueuedStep};
use crate::store::{Journal, JournalError, Lease, LoadedRun, PgJournal, Phase};

/// How often a followed run is looked at although nothing was heard of it.
const POLL: Duration = Duration::from_secs(1);

/// How far back a follower reads again, because workers commit their entries out of order.
const READ_AGAIN: i64 = 1_000;

/// Writes a run of a plan down and gives it to the workers. A run that did all the waves it was asked for goes on.
///
/// # Errors
/// As [`apply`](super::apply).
pub async fn enqueue(
    request: &Request<'_>,
    connections: &Connections,
    journal: &PgJournal,
) -> Result<RunId, ExecutorError> {
    let graph = sound(request.plan)?;
    check_fit(&graph, connections, &request.options, request.wave)?;
    let lease = match journal.create(&new_run(request, &binding(&graph, connections))).await {
        Ok(lease) => lease,
        Err(JournalError::Unfinished { run, phase: Phase::Open, holder: None }) => {
            return enqueue_next_wave(&run, request, connections, journal).await;
        }
        Err(error) => return Err(error.into()),
    };
    let run = lease.run.clone();
    let steps = forward_steps(&graph, &Ledger::new(&graph), request.wave);
    journal.enqueue(lease, &steps, &queued(&request.options)).await?;
    Ok(run)
}

/// The same plan met a run that did all it was asked for: it goes on to a later wave.
async fn enqueue_next_wave(
    run: &RunId,
    request: &Request<'_>,
    connections: &Connections,
    journal: &PgJournal,
) -> Result<RunId, ExecutorError> {
    let lease = journal.lock(run).await?;
    let LoadedRun { record, plan_json, entries } = journal.load(run).await?;
    let plan = read_plan(run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    check_bound(&record, &graph, connections)?;
    let ledger = replay(&graph, &entries)?;
    let (state, _) = report::summarise(&graph, &ledger, record.phase, record.wave);
    let RunState::WaveDone { wave: done } = state else {
        return Err(ExecutorError::Unfinished { run: run.clone(), destroying: false });
    };
    let wave = request.wave.map(|wave| wave.max(done));
    journal.set_phase(&lease, Phase::Open, wave).await?;
    journal.enqueue(lease, &forward_steps(&graph, &ledger, wave), &queued(&request.options)).await?;
    Ok(run.clone())
}

/// Gives a run that stands still to the workers, to go on or to be undone. A run that they have already is left to them.
///
/// # Errors
/// As [`resume`](super::resume) and [`destroy`](super::destroy).
pub async fn enqueue_again(
    run: &RunId,
    destroy: bool,
    options: &Options,
    connections: &Connections,
    journal: &PgJournal,
) -> Result<(), ExecutorError> {
    if !destroy && journal.is_queued(run).await? {
        return Ok(());
    }
    let lease = journal.lock(run).await?;
    let LoadedRun { record, plan_json, entries } = journal.load(run).await?;
    let plan = read_plan(run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &entries)?;
    let bound = check_bound(&record, &graph, connections)?;
    let steps = match (destroy, record.phase) {
        (true, Phase::Destroyed) => return Ok(()),
        (true, Phase::Open | Phase::Finished | Phase::Destroying) => {
            let findings = unconnected(&graph, connections, |step| ledger.may_be_there(step));
            if !findings.is_empty() {
                return Err(ExecutorError::Unfit(findings));
            }
            journal.set_phase(&lease, Phase::Destroying, record.wave).await?;
            backward_steps(&graph, &ledger)
        }
        (false, Phase::Open | Phase::Finished) => {
            check_fit(&graph, connections, options, record.wave)?;
            journal.bind(&lease, &bound.to_json()).await?;
            forward_steps(&graph, &ledger, record.wave)
        }
        (false, Phase::Destroying) => {
            return Err(ExecutorError::Undone { run: run.clone(), destroyed: false });
        }
        (false, Phase::Destroyed) => {
            return Err(ExecutorError::Undone { run: run.clone(), destroyed: true });
        }
    };
    journal.enqueue(lease, &steps, &queued(options)).await?;
    Ok(())
}

/// Tells what workers do about a run until it leaves the queue, and then how it stands.
///
/// The first stop takes the run off the queue and waits until the workers have given its steps back; the second leaves.
///
/// # Errors
/// [`ExecutorError::NoRun`], [`ExecutorError::Journal`].
pub async fn follow(
    run: &RunId,
    journal: &PgJournal,
    on_event: Listener<'_>,
    mut stop: watch::Receiver<Stop>,
) -> Result<RunReport, ExecutorError> {
    let mut bell = journal.listen().await?;
    let loaded = journal.load(run).await?;
    let plan = read_plan(run, &loaded.plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let before = replay(&graph, &loaded.entries)?;
    let mut told: BTreeSet<(StepId, u32)> =
        loaded.entries.iter().map(|entry| (entry.step.clone(), entry.nth)).collect();
    let undoing = loaded.record.phase == Phase::Destroying;
    let asked_for = |step: &usize| loaded.record.wave.is_none_or(|wave| graph.steps[*step].wave <= wave);
    let done = |ledger: &Ledger| match undoing {
        true => before.owned() - ledger.owned().min(before.owned()),
        false => (0..graph.len()).filter(asked_for).filter(|step| ledger.state(*step).is_done()).count(),
    };
    let steps = if undoing { before.owned() } else { (0..graph.len()).filter(asked_for).count() };
    on_event(Event::RunStarted { run: run.clone(), plan: plan.name.clone(), steps, done: done(&before) });
    let (mut place, mut stopping) = (0, Stop::Go);
    loop {
        let (last, entries) = journal.entries_after(run, place - READ_AGAIN).await?;
        place = last.max(place);
        for entry in entries {
            if told.insert((entry.step.clone(), entry.nth)) {
                on_event(Event::Step { step: entry.step, event: entry.event });
            }
        }
        let asked = *stop.borrow_and_update();
        if asked != stopping {
            if asked == Stop::Drain {
                journal.dequeue(run).await?;
                on_event(Event::Draining { calls: 0 });
            }
            stopping = asked;
        }
        if stopping == Stop::Abort || journal.holder(run).await?.is_none() {
            break;
        }
        tokio::select! {
            _ = bell.ring() => {}
            _ = stop.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let LoadedRun { record, entries, .. } = journal.load(run).await?;
    for entry in &entries {
        if told.insert((entry.step.clone(), entry.nth)) {
            on_event(Event::Step { step: entry.step.clone(), event: entry.event.clone() });
        }
    }
    let ledger = replay(&graph, &entries)?;
    let mut report = report(&graph, &ledger, record.phase, record.wave, run, &plan.name);
    report.done_now = done(&ledger).saturating_sub(done(&before));
    report.stopped = stopping != Stop::Go;
    on_event(Event::RunEnded { run: run.clone(), state: report.state.clone() });
    Ok(report)
}

/// Writes down how far a run has come in which workers have nothing left to do.
pub(super) async fn conclude(journal: &PgJournal, lease: &Lease) -> Result<(), ExecutorError> {
    let LoadedRun { record, plan_json, entries } = journal.load(&lease.run).await?;
    let plan = read_plan(&lease.run, &plan_json)?;
    let graph = Graph::build(&plan.steps).map_err(ExecutorError::Unfit)?;
    let ledger = replay(&graph, &entries)?;
    let phase = match record.phase {
        Phase::Destroying if ledger.owned() == 0 => Phase::Destroyed,
        Phase::Open => {
            let (state, _) = report::summarise(&graph, &ledger, Phase::Open, record.wave);
            if state == RunState::Done { Phase::Finished } else { Phase::Open }
        }
        Phase::Finished | Phase::Destroying | Phase::Destroyed => record.phase,
    };
    if phase != record.phase {
        journal.set_phase(lease, phase, record.wave).await?;
    }
    Ok(())
}

/// What is left to make, up to a wave.
fn forward_steps(graph: &Graph<'_>, ledger: &Ledger, wave: Option<u32>) -> Vec<QueuedStep> {
    let is_left = |step: &usize| {
        let asked_for = wave.is_none_or(|wave| graph.steps[*step].wave <= wave);
        asked_for && !ledger.state(*step).is_done() && ledger.state(*step) != State::Kept
    };
    let mut left: Vec<usize> = (0..graph.len()).filter(is_left).collect();
    left.sort_by_key(|step| (graph.steps[*step].wave, *step));
    let missing =
        |step: usize| graph.after[step].iter().filter(|needed| !ledger.state(**needed).is_done()).count();
    left.iter().enumerate().map(|(rank, step)| queued_step(graph, *step, rank, missing(*step))).collect()
}

/// All steps, the last first: what leaves nothing behind passes its turn on.
fn backward_steps(graph: &Graph<'_>, ledger: &Ledger) -> Vec<QueuedStep> {
    let is_gone = |step: usize| matches!(ledger.state(step), State::Removed | State::Kept);
    let mut left: Vec<usize> = (0..graph.len()).filter(|step| !is_gone(*step)).collect();
    left.sort_by_key(|step| std::cmp::Reverse((graph.steps[*step].wave, *step)));
    let missing = |step: usize| graph.dependents[step].iter().filter(|above| !is_gone(**above)).count();
    left.iter().enumerate().map(|(rank, step)| queued_step(graph, *step, rank, missing(*step))).collect()
}

fn queued_step(graph: &Graph<'_>, step: usize, rank: usize, missing: usize) -> QueuedStep {
    let wanted = &graph.steps[step];
    QueuedStep {
        step: wanted.id.clone(),
        provider: wanted.provider.clone(),
        region: wanted.region.clone(),
        rank,
        missing,
    }
}

fn queued(options: &Options) -> Queued {
    let confirm = match &options.confirm {
        Confirm::None => String::new(),
        Confirm::All => "all".to_owned(),
        Confirm::Steps(steps) => serde_json::to_string(steps).expect("names are serialisable"),
    };
    Queued { at_most: u32::try_from(options.parallelism.max(1)).unwrap_or(u32::MAX), confirm }
}

/// What a queued run says of confirmations.
pub(super) fn confirm_of(text: &str) -> Confirm {
    match text {
        "" => Confirm::None,
        "all" => Confirm::All,
        steps => serde_json::from_str(steps).map_or(Confirm::None, Confirm::Steps),
    }
}
