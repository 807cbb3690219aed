//! What outlives the process: the journal, as a trait small enough that another database can keep it.
//!
//! The journal keeps what it is told and decides nothing: which events may follow which is `executor::journal`'s
//! business. It makes two promises. [`Journal::append`] returns only when the entries will survive a power cut. And
//! nobody writes with an outdated view: every write carries a [`Lease`] whose fence is refused once a newer lease was
//! given, and every [`Entry`] says which event of its step it is, and is refused when that one is written already.
//!
//! A lease is for a whole run, where one process does all of it, or for one step, where many workers share a run.

use schemars::JsonSchema;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use carafe_model::ids::StepId;
use serde::{Deserialize, Serialize};

use crate::run_id::RunId;

pub mod sqlite;

pub mod postgres;

pub mod memory;

pub mod catalog;

mod columns;

mod lock;

pub use memory::MemoryJournal;
pub use postgres::PgJournal;
pub use sqlite::SqliteJournal;

/// What a journal answers, later. Boxed, so that the executor works with whichever journal it is given.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

/// Keeps runs and what happened in them.
pub trait Journal: Send + Sync {
    /// Writes down a new run and locks it.
    ///
    /// Errors: [`JournalError::Unfinished`] when the same plan has a run that is neither finished nor destroyed.
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease>;

    /// Locks a run for this process, for as long as the lease lives.
    ///
    /// A lock whose holder has died is free. Errors: [`JournalError::Locked`] while another process holds it,
    /// [`JournalError::NoRun`].
    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease>;

    /// Appends entries, all or none, and returns when they are safe on disk.
    ///
    /// Errors: [`JournalError::Fenced`] when somebody else has locked the run or step since, when the lease is for
    /// another step, or when an entry's place among the events of its step is taken.
    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()>;

    /// Moves the run to a phase, and changes how far it is to go.
    ///
    /// Errors: as [`Journal::append`]; [`JournalError::Unfinished`] as [`Journal::create`].
    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()>;

    /// Writes down which clouds the run is carried out on, in the executor's words.
    ///
    /// Errors: as [`Journal::append`].
    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()>;

    /// All runs, the oldest first.
    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>>;

    /// One run with its plan and everything that happened, in order. Errors: [`JournalError::NoRun`].
    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun>;

    /// Who holds a run's lock, in words; `None` when nobody does.
    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>>;
}

/// Whichever journal the user named.
impl Journal for Box<dyn Journal> {
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease> {
        (**self).create(run)
    }

    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease> {
        (**self).lock(run)
    }

    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()> {
        (**self).append(lease, entries)
    }

    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()> {
        (**self).set_phase(lease, phase, wave)
    }

    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()> {
        (**self).bind(lease, binding)
    }

    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>> {
        (**self).runs()
    }

    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun> {
        (**self).load(run)
    }

    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>> {
        (**self).holder(run)
    }
}

/// A run that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its name.
    pub run: RunId,
    /// The plan's name.
    pub plan: String,
    /// SHA-256 of the plan document it was started with.
    pub plan_sha256: String,
    /// The plan document, so that a run can go on without the file.
    pub plan_json: String,
    /// The last wave that is to be done; `None` for all.
    pub wave: Option<u32>,
    /// Which clouds it is carried out on, in the executor's words.
    pub binding: String,
    /// When, in milliseconds since 1970.
    pub started: i64,
}

/// A run as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its name.
    pub run: RunId,
    /// The plan's name.
    pub plan: String,
    /// SHA-256 of the plan document it was started with.
    pub plan_sha256: String,
    /// The last wave that is to be done; `None` for all.
    pub wave: Option<u32>,
    /// Which clouds it is carried out on, in the executor's words; empty when that was not written down.
    pub binding: String,
    /// How far it is.
    pub phase: Phase,
    /// When it began, in milliseconds since 1970.
    pub started: i64,
}

/// A run with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedRun {
    /// The run.
    pub record: RunRecord,
    /// The plan document it carries out.
    pub plan_json: String,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// How far a run is, in the large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not everything is done.
    Open,
    /// Everything is done.
    Finished,
    /// It is being undone.
    Destroying,
    /// It is undone.
    Destroyed,
}

/// Something that happened to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which step.
    pub step: StepId,
    /// Which event of its step it is, from 1.
    pub nth: u32,
    /// What happened.
    pub event: StepEvent,
    /// When, in milliseconds since 1970; nothing is decided by it.
    pub at: i64,
}

/// What can happen to a step. Texts are for people, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum StepEvent {
    /// The cloud is about to be asked to make it.
    Intent,
    /// It was made.
    Made {
        /// What the cloud calls it.
        resource: String,
    },
    /// It existed before, made by another run or a person, and stays theirs.
    Adopted {
        /// What the cloud calls it.
        resource: String,
    },
    /// It existed before, made by this run.
    AlreadyThere {
        /// What the cloud calls it.
        resource: String,
    },
    /// What was to be run or checked ended well.
    Passed {
        /// What came of it.
        message: String,
    },
    /// The cloud refused, and nothing was made; or what was to be run or checked did not end well.
    Refused {
        /// The kind of refusal.
        error: String,
        /// What the cloud said.
        message: String,
    },
    /// Nobody knows what came of it.
    Lost {
        /// What is known.
        message: String,
    },
    /// The cloud was observed, or a person looked, and nothing of ours is there.
    Absent,
    /// A person has to do something first.
    Waiting {
        /// What, in a sentence.
        message: String,
    },
    /// A person's step is confirmed.
    Confirmed {
        /// By what.
        by: String,
    },
    /// The cloud is about to be asked to remove it.
    RemoveIntent,
    /// It is gone.
    Removed,
    /// It stays, because it is not ours.
    Kept {
        /// Why it is not.
        message: String,
    },
    /// The cloud refused to remove it.
    RemoveRefused {
        /// The kind of refusal.
        error: String,
        /// What the cloud said.
        message: String,
    },
    /// Nobody knows whether it was removed.
    RemoveLost {
        /// What is known.
        message: String,
    },
}

/// The right to write to a run or to one of its steps, until it is dropped.
pub struct Lease {
    /// Which run.
    pub run: RunId,
    /// The only step it is for; `None` for the whole run.
    pub step: Option<StepId>,
    /// The number that tells this lease from every other of the same run or step; a later one has a greater number.
    pub fence: i64,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// A lease of a whole run that is given back when `guard` is dropped.
    pub fn new(run: RunId, fence: i64, guard: impl Any + Send + Sync) -> Lease {
        Lease { run, step: None, fence, _guard: Box::new(guard) }
    }

    /// A lease of one step that is given back when `guard` is dropped.
    pub fn of_step(run: RunId, step: StepId, fence: i64, guard: impl Any + Send + Sync) -> Lease {
        Lease { run, step: Some(step), fence, _guard: Box::new(guard) }
    }

    /// Whether entries are all about what the lease is for.
    pub fn covers(&self, entries: &[Entry]) -> bool {
        self.step.as_ref().is_none_or(|step| entries.iter().all(|entry| entry.step == *step))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("run", &self.run)
            .field("step", &self.step)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

/// Why the journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Written by a newer program, whose rules this one does not know.
    #[error("the journal {journal} was written by a newer Carafe (its version is {found})")]
    Newer {
        /// Where the journal is, without credentials.
        journal: String,
        /// Its version.
        found: i64,
    },
    /// Another process works on the run.
    #[error("run {run} is held by {holder}")]
    Locked {
        /// The run.
        run: RunId,
        /// By whom, in words.
        holder: String,
    },
    /// The same plan has a run that is not over.
    #[error("this plan has an unfinished run, {run}")]
    Unfinished {
        /// That run.
        run: RunId,
        /// How far it is.
        phase: Phase,
        /// Who is at work on it, if anybody is.
        holder: Option<String>,
    },
    /// There is no such run.
    #[error("the journal knows no run {run}")]
    NoRun {
        /// The name that was asked for.
        run: RunId,
    },
    /// The run was taken over by somebody else in the meantime.
    #[error("run {run} was taken over by another process")]
    Fenced {
        /// The run.
        run: RunId,
    },
    /// What is in the journal makes no sense.
    #[error("the journal is damaged: {message}")]
    Damaged {
        /// What makes no sense.
        message: String,
    },
    /// The operating system or the database failed.
    #[error("the journal {journal} cannot be used: {message}")]
    Unusable {
        /// Where the journal is, without credentials.
        journal: String,
        /// What went wrong.
        message: String,
    },
}
