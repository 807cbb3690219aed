//! How a command ends: every error becomes a message, a next step and an exit code here, and only here.

use carafe_model::finding::Finding;

use crate::executor::ExecutorError;
use crate::files::FileError;
use crate::store::JournalError;

/// The exit codes of the program. They are part of its interface and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line is wrong; or, with `apply --dry-run --detailed-exitcode`, there is something to do.
    Usage,
    /// No feasible plan.
    NoFeasiblePlan,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Partly applied, resumable.
    PartlyApplied,
    /// Undone.
    Undone,
    /// Locked by another run.
    Locked,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// Every exit code with its meaning, in the order of the numbers.
    pub const ALL: [(Exit, &str); 9] = [
        (Exit::Done, "done"),
        (
            Exit::Failed,
            "failed; also when a file cannot be read at all (missing, a folder, empty, too large, not text) or not written",
        ),
        (
            Exit::Usage,
            "the command line is wrong; or changes are due, with `apply --dry-run --detailed-exitcode`",
        ),
        (Exit::NoFeasiblePlan, "no feasible plan: at least one host has no place"),
        (Exit::Findings, "findings at or above `--fail-on`; nothing was written"),
        (Exit::PartlyApplied, "partly applied; `carafe resume` goes on"),
        (Exit::Undone, "the run has been undone"),
        (Exit::Locked, "locked by another run"),
        (Exit::Interrupted, "interrupted"),
    ];

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NoFeasiblePlan => 3,
            Exit::Findings => 4,
            Exit::PartlyApplied => 5,
            Exit::Undone => 6,
            Exit::Locked => 7,
            Exit::Interrupted => 130,
        }
    }
}

/// Why a command did not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Arguments that cannot be right together, or here.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to type instead.
        help: String,
    },
    /// Anything else that did not work.
    #[error("{what}")]
    Failed {
        /// What did not work.
        what: String,
        /// What to do.
        help: String,
    },
    /// Findings, shown already, that the user does not accept.
    #[error("stopped by {}; nothing was written", plural(*count, "finding", "findings"))]
    Findings {
        /// How many are at or above `--fail-on`.
        count: usize,
    },
    /// Findings, shown already, about a plan or its connections that cannot be carried out as they are.
    #[error("stopped by {}; nothing was begun", plural(*count, "finding", "findings"))]
    Unfit {
        /// How many.
        count: usize,
    },
    /// Rows of a batch for which no plan was made; everything else was written.
    #[error("{} not made; everything else is written", plural(*rows, "plan was", "plans were"))]
    Broken {
        /// How many.
        rows: usize,
    },
    /// A plan that leaves hosts without a place; it was written all the same.
    #[error("{} no place", plural(*hosts, "host has", "hosts have"))]
    Unplaced {
        /// How many.
        hosts: usize,
    },
    /// A run that stands still before its end, with the command that goes on.
    #[error("{what}")]
    PartlyApplied {
        /// What is left.
        what: String,
        /// How to go on.
        help: String,
    },
    /// The executor did not come to a report.
    #[error("{error}")]
    Executor {
        /// Why not.
        error: ExecutorError,
        /// What the user typed to name the target and the journal, to be repeated in what is typed next.
        typed: String,
    },
    /// The user pressed Ctrl-C, or the machine is going down.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Something that did not work, and what to do.
    pub fn failed(what: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Failed { what: what.into(), help: help.into() }
    }

    /// Arguments that cannot be right, and what to type instead.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Usage { what: what.into(), help: help.into() }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Findings { .. } | Error::Unfit { .. } | Error::Broken { .. } => Exit::Findings,
            Error::Usage { .. } => Exit::Usage,
            // A file that cannot be taken as a whole is a failure, whatever --fail-on says; what is in it are findings.
            Error::File(_) | Error::Failed { .. } => Exit::Failed,
            Error::Unplaced { .. } => Exit::NoFeasiblePlan,
            Error::PartlyApplied { .. } => Exit::PartlyApplied,
            Error::Executor { error, .. } => match error {
                ExecutorError::Unfit(_) => Exit::Findings,
                ExecutorError::Elsewhere { .. } => Exit::Usage,
                ExecutorError::Locked { .. } | ExecutorError::Journal(JournalError::Fenced { .. }) => {
                    Exit::Locked
                }
                ExecutorError::Unfinished { .. } => Exit::PartlyApplied,
                ExecutorError::Undone { .. } => Exit::Undone,
                ExecutorError::NoRun(_) | ExecutorError::Journal(_) | ExecutorError::Broken(_) => {
                    Exit::Failed
                }
            },
            Error::Interrupted => Exit::Interrupted,
        }
    }

    /// What to do about it; `None` when the user knows.
    pub fn help(&self) -> Option<String> {
        match self {
            Error::File(error) => error.to_finding().help.map(|help| help.to_string()),
            Error::Usage { help, .. } | Error::Failed { help, .. } | Error::PartlyApplied { help, .. } => {
                Some(help.clone())
            }
            Error::Executor { error, typed } => Some(executor_help(error, typed)),
            Error::Findings { .. } => Some(
                "mend what is listed, or go on without the values it is about by adding --fail-on never"
                    .to_owned(),
            ),
            Error::Unfit { .. } => Some("mend what is listed, then try again".to_owned()),
            Error::Broken { .. } => Some(
                "the index tells why; mend that and run the same command again, which does only what is missing"
                    .to_owned(),
            ),
            Error::Unplaced { .. } => Some(
                "the plan lists for each of them what every offer lacked; loosen the policy there".to_owned(),
            ),
            Error::Interrupted => None,
        }
    }

    /// The finding that says the same with a code and a place, where there is one.
    pub fn to_finding(&self) -> Option<Finding> {
        match self {
            Error::File(error) => Some(error.to_finding()),
            Error::Usage { .. }
            | Error::Failed { .. }
            | Error::Findings { .. }
            | Error::Unfit { .. }
            | Error::Unplaced { .. }
            | Error::Broken { .. }
            | Error::PartlyApplied { .. }
            | Error::Executor { .. }
            | Error::Interrupted => None,
        }
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Error {
        Error::Executor { error: error.into(), typed: String::new() }
    }
}

/// `typed` begins with a space where it is not empty.
fn executor_help(error: &ExecutorError, typed: &str) -> String {
    match error {
        ExecutorError::Unfit(_) => "mend what is listed and apply the plan again".to_owned(),
        ExecutorError::Locked { run, .. } => {
            format!("wait until it is done; `carafe status {run}{}` tells how far it is", journal_of(typed))
        }
        ExecutorError::Unfinished { run, destroying: false } => {
            format!("go on with `carafe resume {run}{typed}`, or undo it with `carafe destroy {run}{typed}`")
        }
        ExecutorError::Unfinished { run, destroying: true } => {
            format!("undo the rest with `carafe destroy {run}{typed}`")
        }
        ExecutorError::Undone { destroyed: true, .. } => "apply the plan again for a new run".to_owned(),
        ExecutorError::Undone { run, destroyed: false } => {
            format!("undo the rest with `carafe destroy {run}{typed}`")
        }
        ExecutorError::Elsewhere { run, typed: right, .. } => format!(
            "name the clouds that it is on: carafe resume {run} {right}{0}, or carafe destroy {run} {right}{0}",
            journal_of(typed)
        ),
        ExecutorError::NoRun(_) => "`carafe status` lists the runs of the journal".to_owned(),
        ExecutorError::Journal(JournalError::Newer { .. }) => "install the newer Carafe".to_owned(),
        ExecutorError::Journal(_) => format!(
            "make the journal usable again (`carafe doctor` looks at it); all that was begun is in it, so then: \
             carafe resume{typed}, or carafe destroy{typed}"
        ),
        ExecutorError::Broken(_) => "please report it, with the journal".to_owned(),
    }
}

/// The part of what was typed that names the journal.
fn journal_of(typed: &str) -> &str {
    typed.find(" --journal").map_or("", |start| &typed[start..])
}

/// A count with its noun.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_listed_once_each_and_in_order() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    }
}
