//! The protocol of a step: which event may follow which, as one pure function.
//!
//! An event is written to the journal before anything is done because of it. Whatever the moment a process dies in, the
//! journal then says one of three things about a step: nothing was asked of the cloud, something was asked and the
//! answer is here, or something was asked and only the cloud knows. In the last case ([`State::Making`],
//! [`State::Unknown`]) there is no way on but to observe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::StepEvent;

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is asked of the cloud, and nothing of ours is there.
    Pending,
    /// A person has to do something first.
    Waiting,
    /// The cloud was or is about to be asked to make it.
    Making,
    /// Nobody knows whether it was made.
    Unknown,
    /// Done: this run made it.
    Made,
    /// Done: another run or a person made it, and it stays theirs.
    Adopted,
    /// Done: this run had made it before.
    AlreadyThere,
    /// Done: a person's step was confirmed.
    Confirmed,
    /// Done: what was to be run or checked ended well.
    Passed,
    /// The cloud refused, or what was to be run or checked did not end well.
    Failed,
    /// The cloud was or is about to be asked to remove it.
    Removing,
    /// Nobody knows whether it was removed.
    RemovalUnknown,
    /// The cloud refused to remove it.
    RemovalFailed,
    /// It is gone.
    Removed,
    /// It was left, because it is not ours.
    Kept,
}

impl State {
    /// Every state.
    pub const ALL: [State; 15] = [
        State::Pending,
        State::Waiting,
        State::Making,
        State::Unknown,
        State::Made,
        State::Adopted,
        State::AlreadyThere,
        State::Confirmed,
        State::Passed,
        State::Failed,
        State::Removing,
        State::RemovalUnknown,
        State::RemovalFailed,
        State::Removed,
        State::Kept,
    ];

    /// Whether what the step wants is there, so that others can stand on it.
    pub const fn is_done(self) -> bool {
        match self {
            State::Made | State::Adopted | State::AlreadyThere | State::Confirmed | State::Passed => true,
            State::Pending
            | State::Waiting
            | State::Making
            | State::Unknown
            | State::Failed
            | State::Removing
            | State::RemovalUnknown
            | State::RemovalFailed
            | State::Removed
            | State::Kept => false,
        }
    }

    /// Whether the journal cannot say what the cloud holds, so that it must be observed.
    pub const fn is_open(self) -> bool {
        match self {
            State::Making | State::Unknown => true,
            State::Pending
            | State::Waiting
            | State::Made
            | State::Adopted
            | State::AlreadyThere
            | State::Confirmed
            | State::Passed
            | State::Failed
            | State::Removing
            | State::RemovalUnknown
            | State::RemovalFailed
            | State::Removed
            | State::Kept => false,
        }
    }
}

/// An event that may not happen in a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a step that is {state:?}")]
pub struct Illegal {
    /// Where the step stood.
    pub state: State,
    /// What was to happen.
    pub event: StepEvent,
}

/// The state after an event.
///
/// Making: `Intent` opens, an outcome closes, `Lost` leaves it open until an observation closes it; `Absent` is the one
/// way back to asking again, also from a step that was done once and has drifted. A person who looks is an observer too:
/// `Confirmed` closes whatever is open. Removing needs no observation in between, because asking again to remove is one:
/// what is gone is reported as gone. It may begin from every state in which something of ours might be there, and from
/// `Pending`, because a request that was lost and found absent may still take effect late. What was removed may be made
/// again: a stuck resource is retried in that way.
///
/// # Errors
/// If the event may not happen: the journal is damaged, or the program has a bug.
pub fn next(state: State, event: &StepEvent) -> Result<State, Illegal> {
    use State as S;
    use StepEvent as E;
    match (state, event) {
        (S::Pending | S::Waiting | S::Failed | S::Removed, E::Intent) => Ok(S::Making),
        (S::Pending | S::Failed, E::Waiting { .. }) => Ok(S::Waiting),
        (S::Pending | S::Waiting | S::Failed, E::Confirmed { .. }) => Ok(S::Confirmed),
        (S::Making | S::Unknown, E::Confirmed { .. }) => Ok(S::Confirmed),

        (S::Making | S::Unknown, E::Made { .. }) => Ok(S::Made),
        (S::Making | S::Unknown, E::Adopted { .. }) => Ok(S::Adopted),
        (S::Making | S::Unknown, E::AlreadyThere { .. }) => Ok(S::AlreadyThere),
        (S::Making | S::Unknown, E::Passed { .. }) => Ok(S::Passed),
        (S::Making | S::Unknown, E::Refused { .. }) => Ok(S::Failed),
        (S::Making | S::Unknown, E::Lost { .. }) => Ok(S::Unknown),
        (S::Making | S::Unknown, E::Absent) => Ok(S::Pending),
        (S::Made | S::Adopted | S::AlreadyThere, E::Absent) => Ok(S::Pending),

        (S::Pending | S::Waiting | S::Making | S::Unknown | S::Failed, E::RemoveIntent) => Ok(S::Removing),
        (S::Made | S::AlreadyThere | S::Passed, E::RemoveIntent) => Ok(S::Removing),
        (S::Removing | S::RemovalUnknown | S::RemovalFailed, E::RemoveIntent) => Ok(S::Removing),

        (S::Removing, E::Removed) => Ok(S::Removed),
        (S::Removing | S::Adopted, E::Kept { .. }) => Ok(S::Kept),
        (S::Removing, E::RemoveRefused { .. }) => Ok(S::RemovalFailed),
        (S::Removing, E::RemoveLost { .. }) => Ok(S::RemovalUnknown),

        // Everything else is illegal; `every_pair_is_judged` holds the whole table, so nothing hides behind this arm.
        (state, event) => Err(Illegal { state, event: event.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<(&'static str, StepEvent)> {
        let text = || "x".to_owned();
        vec![
            ("intent", StepEvent::Intent),
            ("made", StepEvent::Made { resource: text() }),
            ("adopted", StepEvent::Adopted { resource: text() }),
            ("there", StepEvent::AlreadyThere { resource: text() }),
            ("passed", StepEvent::Passed { message: text() }),
            ("refused", StepEvent::Refused { error: text(), message: text() }),
            ("lost", StepEvent::Lost { message: text() }),
            ("absent", StepEvent::Absent),
            ("waiting", StepEvent::Waiting { message: text() }),
            ("confirmed", StepEvent::Confirmed { by: text() }),
            ("remove", StepEvent::RemoveIntent),
            ("removed", StepEvent::Removed),
            ("kept", StepEvent::Kept { message: text() }),
            ("rrefused", StepEvent::RemoveRefused { error: text(), message: text() }),
            ("rlost", StepEvent::RemoveLost { message: text() }),
        ]
    }

    /// The protocol as a table: rows are states, columns events in the order of `events`; `-` is illegal.
    const TABLE: &str = "
                    intent made adopted there        passed refused lost    absent  waiting confirmed remove   removed kept rrefused      rlost
    Pending         Making -    -       -            -      -       -       -       Waiting Confirmed Removing -       -    -             -
    Waiting         Making -    -       -            -      -       -       -       -       Confirmed Removing -       -    -             -
    Making          -      Made Adopted AlreadyThere Passed Failed  Unknown Pending -       Confirmed Removing -       -    -             -
    Unknown         -      Made Adopted AlreadyThere Passed Failed  Unknown Pending -       Confirmed Removing -       -    -             -
    Made            -      -    -       -            -      -       -       Pending -       -         Removing -       -    -             -
    Adopted         -      -    -       -            -      -       -       Pending -       -         -        -       Kept -             -
    AlreadyThere    -      -    -       -            -      -       -       Pending -       -         Removing -       -    -             -
    Confirmed       -      -    -       -            -      -       -       -       -       -         -        -       -    -             -
    Passed          -      -    -       -            -      -       -       -       -       -         Removing -       -    -             -
    Failed          Making -    -       -            -      -       -       -       Waiting Confirmed Removing -       -    -             -
    Removing        -      -    -       -            -      -       -       -       -       -         Removing Removed Kept RemovalFailed RemovalUnknown
    RemovalUnknown  -      -    -       -            -      -       -       -       -       -         Removing -       -    -             -
    RemovalFailed   -      -    -       -            -      -       -       -       -       -         Removing -       -    -             -
    Removed         Making -    -       -            -      -       -       -       -       -         -        -       -    -             -
    Kept            -      -    -       -            -      -       -       -       -       -         -        -       -    -             -
    ";

    #[test]
    fn every_pair_is_judged() {
        let mut rows = TABLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let columns = rows.by_ref().find(|row| !row.is_empty()).expect("a header");
        let names: Vec<&str> = events().iter().map(|(name, _)| *name).collect();
        assert_eq!(columns, names);
        let rows: Vec<Vec<&str>> = rows.filter(|row| !row.is_empty()).collect();
        assert_eq!(rows.len(), State::ALL.len());
        for (row, state) in rows.iter().zip(State::ALL) {
            assert_eq!(row[0], format!("{state:?}"));
            assert_eq!(row.len(), events().len() + 1);
            for (expected, (name, event)) in row[1..].iter().zip(events()) {
                let found = next(state, &event).map_or("-".to_owned(), |state| format!("{state:?}"));
                assert_eq!(found, *expected, "{state:?} and {name}");
            }
        }
    }

    #[test]
    fn nothing_is_asked_twice_without_an_answer_or_an_observation_in_between() {
        for state in State::ALL.into_iter().filter(|state| state.is_open()) {
            assert!(next(state, &StepEvent::Intent).is_err(), "{state:?}");
        }
    }

    #[test]
    fn what_is_adopted_is_never_removed() {
        assert!(next(State::Adopted, &StepEvent::RemoveIntent).is_err());
        assert!(next(State::Kept, &StepEvent::RemoveIntent).is_err());
    }
}
