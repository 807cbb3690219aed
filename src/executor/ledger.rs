//! What is known of every step: the journal's entries, added up.

use carafe_model::ids::StepId;
use carafe_model::steps::{Action, Step};

use super::graph::Graph;
use super::journal::{Illegal, State, next};
use crate::drivers::Kind;
use crate::store::{Entry, StepEvent};

/// What is known of one step.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) state: State,
    /// How many events it has.
    pub(super) events: u32,
    /// Whether the cloud was ever asked to make it: then only a removal can be sure that it is not there.
    pub(super) asked: bool,
    /// Whether there is anything to take back once it was asked for.
    pub(super) leaves: bool,
    pub(super) resource: Option<String>,
    /// Kind and words of the refusal that the step stands at.
    pub(super) error: Option<(String, String)>,
    /// What is waited for, who confirmed, what came of it, or why it was kept.
    pub(super) note: Option<String>,
}

/// What is known of every step of a plan.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) accounts: Vec<Account>,
}

/// Why entries do not add up.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum LedgerError {
    #[error("it names step {0}, which its plan does not have")]
    Stranger(StepId),
    #[error("step {step}: {illegal}")]
    Illegal { step: StepId, illegal: Illegal },
}

impl Ledger {
    /// Nothing has happened.
    pub(super) fn new(graph: &Graph) -> Ledger {
        let blank = |step: &Step| Account {
            state: State::Pending,
            events: 0,
            asked: false,
            leaves: Kind::of(&step.action).is_some()
                || matches!(&step.action, Action::Hook { undo: Some(_), .. }),
            resource: None,
            error: None,
            note: None,
        };
        Ledger { accounts: graph.steps.iter().map(blank).collect() }
    }

    /// Adds up what happened.
    pub(super) fn replay(graph: &Graph, entries: &[Entry]) -> Result<Ledger, LedgerError> {
        let mut ledger = Ledger::new(graph);
        for entry in entries {
            let step = graph.index(&entry.step).ok_or_else(|| LedgerError::Stranger(entry.step.clone()))?;
            ledger.record(step, &entry.event).map_err(|illegal| {
                let step = entry.step.clone();
                LedgerError::Illegal { step, illegal }
            })?;
        }
        Ok(ledger)
    }

    pub(super) fn state(&self, step: usize) -> State {
        self.accounts[step].state
    }

    /// How many resources in the cloud may be the run's own.
    pub(super) fn owned(&self) -> usize {
        let adopted = |step: &usize| self.state(*step) == State::Adopted;
        (0..self.accounts.len()).filter(|step| self.may_be_there(*step) && !adopted(step)).count()
    }

    /// Adds one event.
    pub(super) fn record(&mut self, step: usize, event: &StepEvent) -> Result<(), Illegal> {
        let account = &mut self.accounts[step];
        account.state = next(account.state, event)?;
        account.events += 1;
        account.error = None;
        account.note = None;
        match event {
            StepEvent::Intent => account.asked = true,
            StepEvent::Made { resource }
            | StepEvent::Adopted { resource }
            | StepEvent::AlreadyThere { resource } => account.resource = Some(resource.clone()),
            StepEvent::Refused { error, message } | StepEvent::RemoveRefused { error, message } => {
                account.error = Some((error.clone(), message.clone()));
            }
            StepEvent::Lost { message } | StepEvent::RemoveLost { message } => {
                account.error = Some(("unknown".to_owned(), message.clone()));
            }
            StepEvent::Waiting { message } | StepEvent::Kept { message } | StepEvent::Passed { message } => {
                account.note = Some(message.clone());
            }
            StepEvent::Confirmed { by } => account.note = Some(by.clone()),
            StepEvent::Absent | StepEvent::Removed => account.resource = None,
            StepEvent::RemoveIntent => {}
        }
        Ok(())
    }

    /// Whether something of this run may be in the cloud for a step.
    pub(super) fn may_be_there(&self, step: usize) -> bool {
        let account = &self.accounts[step];
        account.asked
            && account.leaves
            && match account.state {
                State::Pending
                | State::Waiting
                | State::Making
                | State::Unknown
                | State::Made
                | State::Adopted
                | State::AlreadyThere
                | State::Passed
                | State::Failed
                | State::Removing
                | State::RemovalUnknown
                | State::RemovalFailed => true,
                State::Confirmed | State::Removed | State::Kept => false,
            }
    }
}
