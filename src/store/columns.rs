//! How events and phases are written in the columns of a database, the same in every database.

use super::{JournalError, Phase, StepEvent};

/// The columns of an event.
pub(super) struct Columns<'e> {
    pub(super) event: &'static str,
    pub(super) resource: Option<&'e str>,
    pub(super) error: Option<&'e str>,
    pub(super) detail: Option<&'e str>,
}

/// A phase as its column.
pub(super) const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::Finished => "finished",
        Phase::Destroying => "destroying",
        Phase::Destroyed => "destroyed",
    }
}

/// A column as a phase.
pub(super) fn phase(name: &str) -> Result<Phase, JournalError> {
    [Phase::Open, Phase::Finished, Phase::Destroying, Phase::Destroyed]
        .into_iter()
        .find(|phase| phase_name(*phase) == name)
        .ok_or_else(|| damaged(format!("\"{name}\" is not a phase of a run")))
}

/// An event as columns.
pub(super) fn columns(event: &StepEvent) -> Columns<'_> {
    let mut columns = Columns { event: "", resource: None, error: None, detail: None };
    columns.event = match event {
        StepEvent::Intent => "intent",
        StepEvent::Made { resource } => {
            columns.resource = Some(resource);
            "made"
        }
        StepEvent::Adopted { resource } => {
            columns.resource = Some(resource);
            "adopted"
        }
        StepEvent::AlreadyThere { resource } => {
            columns.resource = Some(resource);
            "already_there"
        }
        StepEvent::Passed { message } => {
            columns.detail = Some(message);
            "passed"
        }
        StepEvent::Refused { error, message } => {
            columns.error = Some(error);
            columns.detail = Some(message);
            "refused"
        }
        StepEvent::Lost { message } => {
            columns.detail = Some(message);
            "lost"
        }
        StepEvent::Absent => "absent",
        StepEvent::Waiting { message } => {
            columns.detail = Some(message);
            "waiting"
        }
        StepEvent::Confirmed { by } => {
            columns.detail = Some(by);
            "confirmed"
        }
        StepEvent::RemoveIntent => "remove_intent",
        StepEvent::Removed => "removed",
        StepEvent::Kept { message } => {
            columns.detail = Some(message);
            "kept"
        }
        StepEvent::RemoveRefused { error, message } => {
            columns.error = Some(error);
            columns.detail = Some(message);
            "remove_refused"
        }
        StepEvent::RemoveLost { message } => {
            columns.detail = Some(message);
            "remove_lost"
        }
    };
    columns
}

/// Columns as an event.
pub(super) fn event(
    name: &str,
    resource: Option<String>,
    error: Option<String>,
    detail: Option<String>,
) -> Result<StepEvent, JournalError> {
    let needed = |value: Option<String>, column: &str| {
        value.ok_or_else(|| damaged(format!("an event \"{name}\" has no {column}")))
    };
    let resource = || needed(resource.clone(), "resource");
    let error = || needed(error.clone(), "error");
    let message = || needed(detail.clone(), "detail");
    Ok(match name {
        "intent" => StepEvent::Intent,
        "made" => StepEvent::Made { resource: resource()? },
        "adopted" => StepEvent::Adopted { resource: resource()? },
        "already_there" => StepEvent::AlreadyThere { resource: resource()? },
        "passed" => StepEvent::Passed { message: message()? },
        "refused" => StepEvent::Refused { error: error()?, message: message()? },
        "lost" => StepEvent::Lost { message: message()? },
        "absent" => StepEvent::Absent,
        "waiting" => StepEvent::Waiting { message: message()? },
        "confirmed" => StepEvent::Confirmed { by: message()? },
        "remove_intent" => StepEvent::RemoveIntent,
        "removed" => StepEvent::Removed,
        "kept" => StepEvent::Kept { message: message()? },
        "remove_refused" => StepEvent::RemoveRefused { error: error()?, message: message()? },
        "remove_lost" => StepEvent::RemoveLost { message: message()? },
        unknown => return Err(damaged(format!("\"{unknown}\" is not an event of a step"))),
    })
}

/// What is in the database makes no sense.
pub(super) fn damaged(message: impl std::fmt::Display) -> JournalError {
    JournalError::Damaged { message: message.to_string() }
}
