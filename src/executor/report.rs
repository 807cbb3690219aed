//! How a run stands, as data: for `status`, for the end of a run, for reports.

use carafe_model::ids::{HostId, ProviderName, RegionName, StepId};
use schemars::JsonSchema;
use serde::Serialize;

use super::graph::Graph;
use super::journal::State;
use super::ledger::Ledger;
use super::survey::Drift;
use crate::run_id::RunId;
use crate::store::Phase;

/// How a run stands when the executor comes back from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// The plan's name.
    pub plan: String,
    /// How it stands in the large.
    pub state: RunState,
    /// How each step stands, in the order of the plan.
    pub steps: Vec<StepStatus>,
    /// How many steps were done or undone by this command.
    pub done_now: usize,
    /// Whether it was told to stop before it came to its end.
    pub stopped: bool,
    /// What is no longer as the run left it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
}

/// How a run stands by the journal alone; no cloud is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// The run.
    pub run: RunId,
    /// The plan's name.
    pub plan: String,
    /// SHA-256 of the plan document.
    pub plan_sha256: String,
    /// When it began, in UTC.
    pub started: String,
    /// What is typed to work on the clouds it is carried out on; empty when that was not written down.
    pub target: String,
    /// How many resources in the cloud may be the run's own.
    pub owned: usize,
    /// Steps whose resources may be the run's own.
    pub owning: Vec<StepId>,
    /// Those of them that hold data.
    pub holding_data: Vec<StepId>,
    /// Who is at work on it now, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How it stands in the large.
    pub state: RunState,
    /// How each step stands, in the order of the plan.
    pub steps: Vec<StepStatus>,
}

/// How a run stands in the large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// A process is at work on it.
    Running,
    /// Every step is done.
    Done,
    /// Every step up to a wave is done, and more was not asked for; `apply` with a later wave goes on.
    WaveDone {
        /// The last wave that is done.
        wave: u32,
    },
    /// Nothing more can be done without a person; `resume` goes on.
    Partly {
        /// Steps that the cloud refused.
        failed: usize,
        /// Steps that wait for one of the others counted here.
        blocked: usize,
        /// Steps that a person has to do or confirm.
        waiting: usize,
        /// Steps of which even observing could not tell how they stand.
        unknown: usize,
    },
    /// What it made is no longer as it left it, and it was not told to go on all the same.
    Drifted {
        /// Steps that drifted.
        steps: usize,
    },
    /// What the journal holds of it cannot be made sense of.
    Unreadable {
        /// Why not.
        message: String,
    },
    /// It was stopped while there was more to do; `resume` goes on.
    Interrupted {
        /// Steps that could have been done.
        left: usize,
        /// Steps that the cloud refused.
        failed: usize,
    },
    /// Undoing has begun and is not finished; `destroy` goes on.
    PartlyDestroyed {
        /// Steps whose resources may still be there.
        left: usize,
    },
    /// Nothing of it is left.
    Destroyed {
        /// Resources that were left because they are not the run's.
        kept: usize,
    },
}

/// How a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepStatus {
    /// The step.
    pub id: StepId,
    /// Its wave.
    pub wave: u32,
    /// Where.
    pub provider: ProviderName,
    /// Where.
    pub region: RegionName,
    /// The host it is done for, where it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The kind of resource, or `manual`.
    pub kind: &'static str,
    /// The name of the resource, or what a person does.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// What the cloud calls the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Why it failed or is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// What is waited for, who confirmed, or why it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The step whose failure, doubt or wait keeps this one from beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<StepId>,
}

/// Why a step failed or is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepError {
    /// The kind of refusal, for example `quota`.
    pub kind: String,
    /// What the cloud said.
    pub message: String,
}

/// How the run stands in the large and step by step. `wave` is the last that was asked for.
pub(super) fn summarise(
    graph: &Graph,
    ledger: &Ledger,
    phase: Phase,
    wave: Option<u32>,
) -> (RunState, Vec<StepStatus>) {
    let blockers = blockers(graph, ledger);
    let steps = graph.steps.iter().enumerate().map(|(index, step)| {
        let account = &ledger.accounts[index];
        StepStatus {
            id: step.id.clone(),
            wave: step.wave,
            provider: step.provider.clone(),
            region: step.region.clone(),
            host: step.host.clone(),
            kind: step.action.kind(),
            name: step.action.name().to_owned(),
            state: account.state,
            resource: account.resource.clone(),
            error: account.error.clone().map(|(kind, message)| StepError { kind, message }),
            note: account.note.clone(),
            blocked_by: blockers[index].map(|blocker| graph.steps[blocker].id.clone()),
        }
    });
    let state = match phase {
        Phase::Open | Phase::Finished => forward(graph, ledger, &blockers, wave),
        Phase::Destroying => RunState::PartlyDestroyed {
            left: (0..graph.len()).filter(|step| ledger.may_be_there(*step)).count(),
        },
        Phase::Destroyed => RunState::Destroyed {
            kept: ledger.accounts.iter().filter(|account| account.state == State::Kept).count(),
        },
    };
    (state, steps.collect())
}

fn forward(graph: &Graph, ledger: &Ledger, blockers: &[Option<usize>], wave: Option<u32>) -> RunState {
    let (mut failed, mut blocked, mut waiting, mut unknown, mut left) = (0, 0, 0, 0, 0);
    let asked_for = |step: &usize| wave.is_none_or(|wave| graph.steps[*step].wave <= wave);
    for step in (0..graph.len()).filter(asked_for) {
        match ledger.state(step) {
            State::Made | State::Adopted | State::AlreadyThere | State::Confirmed | State::Passed => {}
            State::Failed | State::RemovalFailed => failed += 1,
            State::Waiting => waiting += 1,
            State::Unknown | State::RemovalUnknown => unknown += 1,
            State::Pending if blockers[step].is_some() => blocked += 1,
            State::Pending | State::Making | State::Removing | State::Removed | State::Kept => left += 1,
        }
    }
    if left > 0 {
        return RunState::Interrupted { left, failed };
    }
    if failed + blocked + waiting + unknown > 0 {
        return RunState::Partly { failed, blocked, waiting, unknown };
    }
    match wave {
        Some(wave) if ledger.accounts.iter().any(|account| !account.state.is_done()) => {
            RunState::WaveDone { wave }
        }
        _ => RunState::Done,
    }
}

/// For each pending step the first step at the root of what keeps it from beginning.
fn blockers(graph: &Graph, ledger: &Ledger) -> Vec<Option<usize>> {
    let mut blockers = vec![None; graph.len()];
    for &step in &graph.order {
        if ledger.state(step) != State::Pending {
            continue;
        }
        blockers[step] = graph.after[step].iter().find_map(|&needed| match ledger.state(needed) {
            State::Failed
            | State::Unknown
            | State::Waiting
            | State::RemovalUnknown
            | State::RemovalFailed => Some(needed),
            State::Pending => blockers[needed],
            State::Making
            | State::Made
            | State::Adopted
            | State::AlreadyThere
            | State::Confirmed
            | State::Passed
            | State::Removing
            | State::Removed
            | State::Kept => None,
        });
    }
    blockers
}
