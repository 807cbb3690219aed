//! Puts the user's own steps between those of a plan.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use carafe_model::plan::Plan;
use carafe_model::steps::Step;

use super::file::{Attached, CODES, When};

/// The same plan with everything attached to it. Several things at one moment happen in the order of the file.
///
/// # Errors
/// `HOK-008` for everything that is attached to what the plan does not have.
pub fn attach(plan: &Plan, attached: &[Attached]) -> Result<Plan, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut plan = plan.clone();
    let mut in_order: Vec<&Attached> = attached.iter().collect();
    // From the inside out: what happens around a step belongs to its wave, and what happens around a wave to the run.
    in_order.sort_by_key(|attached| match &attached.when {
        When::BeforeStep(_) | When::AfterStep(_) => (0, 0),
        When::AfterWave(wave) => (1, wave.saturating_mul(2)),
        When::BeforeWave(wave) => (1, wave.saturating_mul(2).saturating_sub(1)),
        When::BeforeRun => (2, 0),
        When::AfterRun => (3, 0),
    });
    let mut last: BTreeMap<&When, usize> = BTreeMap::new();
    for one in in_order {
        let place = match last.get(&one.when) {
            Some(previous) => Some(behind(&plan.steps, *previous)),
            None => place_of(&plan.steps, &one.when),
        };
        match place {
            Some(place) => {
                last.insert(&one.when, plan.steps.len());
                insert(&mut plan.steps, one, place);
            }
            None => findings.push(
                Finding::error("HOK-008", format!("\"{}\" is attached to nothing", one.action.name()))
                    .at(one.place.clone())
                    .help(CODES[7].2),
            ),
        }
    }
    if findings.is_empty() { Ok(plan) } else { Err(findings) }
}

/// Where something goes: its wave, what it waits for, and what waits for it.
struct Between {
    wave: u32,
    /// A step whose place in the cloud it borrows: it makes nothing there.
    beside: usize,
    after: Vec<StepId>,
    before: Vec<usize>,
}

/// Between a step and all that waits for it.
fn behind(steps: &[Step], step: usize) -> Between {
    let id = &steps[step].id;
    let before = (0..steps.len()).filter(|other| steps[*other].after.contains(id)).collect();
    Between { wave: steps[step].wave, beside: step, after: vec![id.clone()], before }
}

fn place_of(steps: &[Step], when: &When) -> Option<Between> {
    let last = steps.iter().map(|step| step.wave).max()?;
    match when {
        When::BeforeStep(id) => {
            let beside = steps.iter().position(|step| step.id == *id)?;
            let Step { wave, after, .. } = &steps[beside];
            Some(Between { wave: *wave, beside, after: after.clone(), before: vec![beside] })
        }
        When::AfterStep(id) => steps.iter().position(|step| step.id == *id).map(|step| behind(steps, step)),
        When::BeforeRun => {
            Some(Between { wave: 0, beside: 0, after: Vec::new(), before: firsts(steps, |_| true) })
        }
        When::AfterRun => {
            Some(Between { wave: last, beside: 0, after: lasts(steps, |_| true), before: Vec::new() })
        }
        When::BeforeWave(wave) | When::AfterWave(wave) => {
            let beside = steps.iter().position(|step| step.wave == *wave)?;
            let is_before = matches!(when, When::BeforeWave(_));
            let earlier = |other: u32| if is_before { other < *wave } else { other <= *wave };
            let after = lasts(steps, earlier);
            Some(Between { wave: *wave, beside, after, before: firsts(steps, |other| !earlier(other)) })
        }
    }
}

/// Of the steps of some waves, those that wait for none of them.
fn firsts(steps: &[Step], within: impl Fn(u32) -> bool) -> Vec<usize> {
    let names: BTreeSet<&StepId> =
        steps.iter().filter(|step| within(step.wave)).map(|step| &step.id).collect();
    let first = |step: &Step| within(step.wave) && !step.after.iter().any(|needed| names.contains(needed));
    (0..steps.len()).filter(|step| first(&steps[*step])).collect()
}

/// Of the steps of some waves, those that none of them waits for.
fn lasts(steps: &[Step], within: impl Fn(u32) -> bool) -> Vec<StepId> {
    let needed: BTreeSet<&StepId> =
        steps.iter().filter(|step| within(step.wave)).flat_map(|step| &step.after).collect();
    let last = |step: &&Step| within(step.wave) && !needed.contains(&step.id);
    steps.iter().filter(last).map(|step| step.id.clone()).collect()
}

fn insert(steps: &mut Vec<Step>, one: &Attached, place: Between) {
    let id = StepId(format!("{}/{}", one.action.kind(), one.action.name()));
    for later in place.before {
        steps[later].after.push(id.clone());
    }
    let beside = &steps[place.beside];
    steps.push(Step {
        id,
        wave: place.wave,
        provider: beside.provider.clone(),
        region: beside.region.clone(),
        host: None,
        after: place.after,
        action: one.action.clone(),
    });
}
