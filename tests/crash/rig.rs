//! A cloud, a journal and a plan, and the accidents that befall them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use carafe::drivers::connections::Connections;
use carafe::drivers::fake::{Effect, Fake, Item, Rules, Slot};
use carafe::executor::{
    self, Confirm, Event, ExecutorError, Options, Request, RunReport, RunState, RunStatus, Stop, stop_switch,
};
use carafe::run_id::RunId;
use carafe::store::{
    Answer, Entry, Journal, JournalError, Lease, LoadedRun, MemoryJournal, NewRun, Phase, RunRecord,
    SqliteJournal,
};
use carafe_model::plan::Plan;
use tokio::sync::Notify;

use crate::plan::plan;

/// When the process ends: before a write reached the journal, or after. Or the write fails, as on a full disk or a
/// file that may only be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
    Fails,
}

/// A journal at one of whose writes the process ends: the write never returns.
pub struct StoppingJournal {
    inner: Arc<dyn Journal>,
    writes: AtomicU64,
    stop_at: AtomicU64,
    when: When,
    /// Whether the clock jumps, by hours and in both directions.
    jumps: AtomicBool,
    stopped: Notify,
}

impl StoppingJournal {
    /// The entries as a machine with a bad clock writes them.
    fn jumped(&self, entries: &[Entry]) -> Vec<Entry> {
        let mut entries = entries.to_vec();
        if self.jumps.load(Ordering::Relaxed) {
            for (place, entry) in entries.iter_mut().enumerate() {
                let write = self.writes.load(Ordering::Relaxed) as i64;
                entry.at =
                    (write * 7_919 + place as i64 * 104_729) % 1_000_003 * 3_600_000 - 1_800_000_000_000;
            }
        }
        entries
    }

    async fn write<T>(&self, write: Answer<'_, T>) -> Result<T, JournalError> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let here = number == self.stop_at.load(Ordering::Relaxed);
        if here && self.when == When::Fails {
            let message = "no space is left on the device".to_owned();
            return Err(JournalError::Unusable { journal: "journal.db".to_owned(), message });
        }
        if here && self.when == When::Before {
            return self.stop().await;
        }
        // A disk takes its time: whatever does not wait for it goes on here.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let written = write.await;
        if here {
            let _held_until_dropped = written;
            return self.stop().await;
        }
        written
    }

    async fn stop<T>(&self) -> T {
        self.stopped.notify_one();
        std::future::pending().await
    }
}

impl Journal for StoppingJournal {
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease> {
        Box::pin(self.write(self.inner.create(run)))
    }
    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease> {
        Box::pin(self.write(self.inner.lock(run)))
    }
    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()> {
        Box::pin(async move {
            let entries = self.jumped(entries);
            self.write(self.inner.append(lease, &entries)).await
        })
    }
    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()> {
        Box::pin(self.write(self.inner.set_phase(lease, phase, wave)))
    }
    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()> {
        Box::pin(self.write(self.inner.bind(lease, binding)))
    }
    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>> {
        self.inner.runs()
    }
    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun> {
        self.inner.load(run)
    }
    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>> {
        self.inner.holder(run)
    }
}

/// How an attempt ended: with a report, or with the process.
#[derive(Debug)]
pub enum End {
    Stopped,
    Report(Box<RunReport>),
    Error(ExecutorError),
}

impl End {
    /// The state in the report of an attempt that came to one.
    pub fn state(self) -> RunState {
        match self {
            End::Report(report) => report.state,
            other => panic!("no report: {other:?}"),
        }
    }

    pub fn is_stopped(&self) -> bool {
        matches!(self, End::Stopped)
    }
}

/// Hears what happens, and can stop the run.
pub type StoppingListener<'l> = dyn FnMut(&Event, &dyn Fn(Stop)) + Send + 'l;

pub struct Rig {
    pub fake: Fake,
    pub connections: Connections,
    pub journal: StoppingJournal,
    pub plan: Plan,
    pub plan_sha256: String,
    pub confirm: Confirm,
    pub wave: Option<u32>,
    pub parallelism: usize,
    pub options: Options,
    _folder: Option<tempfile::TempDir>,
}

impl Rig {
    pub fn new() -> Rig {
        Rig::build(Fake::new(), Arc::new(MemoryJournal::new()), None)
    }

    pub fn with_rules(rules: Rules) -> Rig {
        Rig::build(Fake::with_rules(rules), Arc::new(MemoryJournal::new()), None)
    }

    pub async fn on_disk() -> Rig {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("new");
        Rig::build(Fake::new(), Arc::new(journal), Some(folder))
    }

    fn build(fake: Fake, inner: Arc<dyn Journal>, folder: Option<tempfile::TempDir>) -> Rig {
        let (plan, plan_sha256) = plan();
        Rig {
            connections: Connections::with_driver(Arc::new(fake.clone())),
            fake,
            journal: StoppingJournal {
                inner,
                writes: AtomicU64::new(0),
                stop_at: AtomicU64::new(0),
                when: When::Before,
                jumps: AtomicBool::new(false),
                stopped: Notify::new(),
            },
            plan,
            plan_sha256,
            confirm: Confirm::All,
            wave: None,
            parallelism: 4,
            options: Options::default(),
            _folder: folder,
        }
    }

    /// What is safe in the journal, past the accidents.
    pub fn safe(&self) -> Arc<dyn Journal> {
        self.journal.inner.clone()
    }

    /// Lets the clock of the machine jump.
    pub fn let_the_clock_jump(&self) {
        self.journal.jumps.store(true, Ordering::Relaxed);
    }

    /// Ends the process at a write of the journal, counted from now.
    pub fn stop_at_write(&mut self, write: u64, when: When) {
        self.journal.writes.store(0, Ordering::Relaxed);
        self.journal.stop_at.store(write, Ordering::Relaxed);
        self.journal.when = when;
    }

    pub fn request(&self) -> Request<'_> {
        Request { plan: &self.plan, plan_sha256: &self.plan_sha256, wave: self.wave, options: self.options() }
    }

    /// How this rig carries out.
    pub fn options(&self) -> Options {
        Options { parallelism: self.parallelism, confirm: self.confirm.clone(), ..self.options.clone() }
    }

    pub async fn apply(&self) -> End {
        self.apply_listening(&mut |_, _| {}).await
    }

    /// Applies, and lets a listener stop the run.
    pub async fn apply_listening(&self, listen: &mut StoppingListener<'_>) -> End {
        let (switch, stop) = stop_switch();
        let throw = move |stop| {
            switch.send_replace(stop);
        };
        let mut on_event = |event: Event| listen(&event, &throw);
        let request = self.request();
        self.until_stopped(executor::apply(&request, &self.connections, &self.journal, &mut on_event, stop))
            .await
    }

    pub async fn resume(&self, run: &RunId) -> End {
        let (_switch, stop) = stop_switch();
        let options = self.options();
        let mut deaf = |_| {};
        let resumed = executor::resume(run, &options, &self.connections, &self.journal, &mut deaf, stop);
        self.until_stopped(resumed).await
    }

    pub async fn destroy(&self, run: &RunId) -> End {
        let (_switch, stop) = stop_switch();
        let options = self.options();
        let mut deaf = |_| {};
        let destroyed = executor::destroy(run, &options, &self.connections, &self.journal, &mut deaf, stop);
        self.until_stopped(destroyed).await
    }

    /// Dropping the attempt is what the death of its process is to everything outside it.
    async fn until_stopped(&self, attempt: impl Future<Output = Result<RunReport, ExecutorError>>) -> End {
        tokio::select! {
            biased;
            () = self.fake.stopped() => End::Stopped,
            () = self.journal.stopped.notified() => End::Stopped,
            ended = attempt => match ended {
                Ok(report) => End::Report(Box::new(report)),
                Err(error) => End::Error(error),
            },
        }
    }

    /// The only run, if there is one.
    pub async fn run(&self) -> Option<RunId> {
        let runs = self.journal.runs().await.expect("readable");
        assert!(runs.len() <= 1, "{runs:?}");
        runs.into_iter().next().map(|record| record.run)
    }

    /// Does what a user does after an accident: applies if there is no run yet, and resumes if there is.
    pub async fn go_on(&self) -> End {
        match self.run().await {
            Some(run) => self.resume(&run).await,
            None => self.apply().await,
        }
    }

    pub async fn status(&self) -> RunStatus {
        let mut all = executor::status(None, &self.journal).await.expect("readable");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// What exists, whatever the run that made it is called.
    pub fn cloud(&self) -> BTreeMap<Slot, Item> {
        let mut items = self.fake.cloud().items().clone();
        for item in items.values_mut() {
            if let Some(owner) = &mut item.owner {
                owner.run = "run".into();
            }
        }
        items
    }

    /// That nothing was made twice, not even with a removal in between.
    pub fn assert_nothing_doubled(&self, context: &str) {
        let doubled: Vec<_> =
            self.fake.cloud().made().clone().into_iter().filter(|(_, times)| *times > 1).collect();
        assert_eq!(doubled, [], "{context}");
    }

    /// How many calls changed the cloud so far.
    pub fn effects(&self) -> usize {
        self.fake.calls().iter().filter(|call| call.effect != Effect::Nothing).count()
    }
}

/// The cloud of a run that nothing happened to.
pub async fn undisturbed() -> BTreeMap<Slot, Item> {
    let rig = Rig::new();
    assert_eq!(rig.apply().await.state(), RunState::Done);
    rig.cloud()
}
