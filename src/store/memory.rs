//! A journal that ends with the process: what a dry run writes to, and what tests read without a file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use carafe_model::ids::StepId;

use super::{Answer, Entry, Journal, JournalError, Lease, LoadedRun, NewRun, Phase, RunRecord};
use crate::run_id::RunId;

/// Keeps the same promises as the journal in a file, except that nothing survives.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    runs: BTreeMap<RunId, Held>,
    locked: BTreeSet<RunId>,
}

struct Held {
    loaded: LoadedRun,
    /// How many events each step has.
    counts: BTreeMap<StepId, u32>,
    fence: i64,
}

struct Guard {
    journal: MemoryJournal,
    run: RunId,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.journal.inner().locked.remove(&self.run);
    }
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> MemoryJournal {
        MemoryJournal::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it holds the journal")
    }

    fn lock_run(&self, run: &RunId) -> Result<Lease, JournalError> {
        let mut inner = self.inner();
        if inner.locked.contains(run) {
            return Err(JournalError::Locked { run: run.clone(), holder: "this process".to_owned() });
        }
        let held = inner.runs.get_mut(run).ok_or_else(|| JournalError::NoRun { run: run.clone() })?;
        held.fence += 1;
        let fence = held.fence;
        inner.locked.insert(run.clone());
        Ok(Lease::new(run.clone(), fence, Guard { journal: self.clone(), run: run.clone() }))
    }
}

impl Inner {
    /// What a lease gives the right to change.
    fn held(&mut self, lease: &Lease) -> Result<&mut Held, JournalError> {
        match self.runs.get_mut(&lease.run) {
            Some(held) if held.fence == lease.fence => Ok(held),
            Some(_) => Err(JournalError::Fenced { run: lease.run.clone() }),
            None => Err(JournalError::NoRun { run: lease.run.clone() }),
        }
    }

    fn append(&mut self, lease: &Lease, entries: &[Entry]) -> Result<(), JournalError> {
        let held = self.held(lease)?;
        let mut counts: BTreeMap<&StepId, u32> = BTreeMap::new();
        for entry in entries {
            let before = held.counts.get(&entry.step).copied().unwrap_or_default();
            let count = counts.entry(&entry.step).or_insert(before);
            *count += 1;
            if entry.nth != *count || !lease.covers(entries) {
                return Err(JournalError::Fenced { run: lease.run.clone() });
            }
        }
        held.counts.extend(counts.into_iter().map(|(step, count)| (step.clone(), count)));
        held.loaded.entries.extend_from_slice(entries);
        Ok(())
    }

    fn insert(&mut self, run: &NewRun) -> Result<(), JournalError> {
        self.check_only_unfinished(&run.run, &run.plan_sha256)?;
        let record = RunRecord {
            run: run.run.clone(),
            plan: run.plan.clone(),
            plan_sha256: run.plan_sha256.clone(),
            wave: run.wave,
            binding: run.binding.clone(),
            phase: Phase::Open,
            started: run.started,
        };
        let loaded = LoadedRun { record, plan_json: run.plan_json.clone(), entries: Vec::new() };
        self.runs.insert(run.run.clone(), Held { loaded, counts: BTreeMap::new(), fence: 0 });
        Ok(())
    }

    /// Refuses a second unfinished run of a plan.
    fn check_only_unfinished(&self, run: &RunId, plan_sha256: &str) -> Result<(), JournalError> {
        let other = self.runs.values().map(|held| &held.loaded.record).find(|record| {
            record.run != *run && record.plan_sha256 == plan_sha256 && is_unfinished(record.phase)
        });
        match other {
            None => Ok(()),
            Some(record) => Err(JournalError::Unfinished {
                run: record.run.clone(),
                phase: record.phase,
                holder: self.locked.contains(&record.run).then(|| "this process".to_owned()),
            }),
        }
    }
}

fn is_unfinished(phase: Phase) -> bool {
    match phase {
        Phase::Open | Phase::Destroying => true,
        Phase::Finished | Phase::Destroyed => false,
    }
}

// Nothing happens before an answer is awaited, as with a journal that has to go to a disk.
impl Journal for MemoryJournal {
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease> {
        Box::pin(async move {
            self.inner().insert(run)?;
            self.lock_run(&run.run)
        })
    }

    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease> {
        Box::pin(async move { self.lock_run(run) })
    }

    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()> {
        Box::pin(async move { self.inner().append(lease, entries) })
    }

    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut inner = self.inner();
            let plan_sha256 = inner.held(lease)?.loaded.record.plan_sha256.clone();
            if is_unfinished(phase) {
                inner.check_only_unfinished(&lease.run, &plan_sha256)?;
            }
            let record = &mut inner.held(lease)?.loaded.record;
            (record.phase, record.wave) = (phase, wave);
            Ok(())
        })
    }

    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            binding.clone_into(&mut self.inner().held(lease)?.loaded.record.binding);
            Ok(())
        })
    }

    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>> {
        Box::pin(
            async move { Ok(self.inner().runs.values().map(|held| held.loaded.record.clone()).collect()) },
        )
    }

    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun> {
        Box::pin(async move {
            let loaded = self.inner().runs.get(run).map(|held| held.loaded.clone());
            loaded.ok_or_else(|| JournalError::NoRun { run: run.clone() })
        })
    }

    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let held = self.inner().locked.contains(run);
            Ok(held.then(|| "this process".to_owned()))
        })
    }
}
