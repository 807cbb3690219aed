//! What the trait promises.

use std::time::Duration;

use carafe::run_id::RunId;
use carafe::store::postgres::{DatabaseUrl, LEASE};
use carafe::store::{
    Entry, Journal, JournalError, Lease, MemoryJournal, NewRun, PgJournal, Phase, SqliteJournal, StepEvent,
};

use crate::servers::postgres::Postgres;

pub fn new_run(run: &str, plan_sha256: &str) -> NewRun {
    NewRun {
        run: run.into(),
        plan: "erp".to_owned(),
        plan_sha256: plan_sha256.to_owned(),
        plan_json: "{}".to_owned(),
        wave: Some(2),
        binding: "on nothing".to_owned(),
        started: 7,
    }
}

fn every_event() -> Vec<StepEvent> {
    let text = |text: &str| text.to_owned();
    vec![
        StepEvent::Intent,
        StepEvent::Made { resource: text("m-1") },
        StepEvent::Adopted { resource: text("m-2") },
        StepEvent::AlreadyThere { resource: text("m-3") },
        StepEvent::Passed { message: text("port 443 answers") },
        StepEvent::Refused { error: text("quota"), message: text("no more 서버") },
        StepEvent::Lost { message: text("cut off") },
        StepEvent::Absent,
        StepEvent::Waiting { message: text("copy the data") },
        StepEvent::Confirmed { by: text("--auto-approve") },
        StepEvent::RemoveIntent,
        StepEvent::Removed,
        StepEvent::Kept { message: text("adopted") },
        StepEvent::RemoveRefused { error: text("conflict"), message: text("in use") },
        StepEvent::RemoveLost { message: text("cut off") },
    ]
}

pub fn entries() -> Vec<Entry> {
    let entry = |(at, event)| Entry { step: "a/step".into(), nth: at as u32 + 1, event, at: at as i64 };
    every_event().into_iter().enumerate().map(entry).collect()
}

/// Opens the journal in a database.
pub async fn open(url: &str) -> PgJournal {
    PgJournal::open(&DatabaseUrl::public(url).expect("an address"), LEASE).await.expect("the server runs")
}

/// The promises of the trait; every journal is put through them.
async fn check_promises(journal: &dyn Journal) {
    let lease = journal.create(&new_run("r1", "sha")).await.expect("the first run of the plan");
    journal.append(&lease, &entries()).await.expect("we hold the run");
    journal.append(&lease, &[]).await.expect("nothing to write is fine");
    assert_eq!(journal.load(&"r1".into()).await.expect("it exists").entries, entries());

    let outdated = journal.append(&lease, &entries()[..1]).await.expect_err("that event is written");
    assert!(matches!(outdated, JournalError::Fenced { .. }), "{outdated:?}");
    let other_step = Lease::of_step("r1".into(), "another".into(), lease.fence, ());
    let next = Entry { nth: entries().len() as u32 + 1, ..entries().remove(0) };
    let fenced = journal.append(&other_step, &[next]).await.expect_err("the lease is for another step");
    assert!(matches!(fenced, JournalError::Fenced { .. }), "{fenced:?}");
    journal.bind(&lease, "on something").await.expect("we hold it");
    assert_eq!(journal.load(&"r1".into()).await.expect("it exists").record.binding, "on something");

    let held = journal.lock(&"r1".into()).await.expect_err("we hold it ourselves");
    assert!(matches!(held, JournalError::Locked { .. }), "{held:?}");
    assert!(journal.holder(&"r1".into()).await.expect("it exists").is_some());
    let twin = journal.create(&new_run("r2", "sha")).await.expect_err("r1 is not over");
    let JournalError::Unfinished { run, holder: Some(_), phase: Phase::Open } = twin else {
        panic!("{twin:?}")
    };
    assert_eq!(run.as_str(), "r1");
    journal.create(&new_run("r3", "other")).await.expect("another plan");

    drop(lease);
    // A database learns a moment later than a lock file that the holder has ended.
    while journal.holder(&"r1".into()).await.expect("it exists").is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lease = journal.lock(&"r1".into()).await.expect("nobody holds it");
    let stale = Lease::new("r1".into(), lease.fence - 1, ());
    let fenced = journal.append(&stale, &entries()).await.expect_err("it was locked since");
    assert!(matches!(fenced, JournalError::Fenced { .. }), "{fenced:?}");
    let fenced = journal.bind(&stale, "elsewhere").await.expect_err("it was locked since");
    assert!(matches!(fenced, JournalError::Fenced { .. }), "{fenced:?}");
    let fenced = journal.set_phase(&stale, Phase::Finished, None).await.expect_err("it was locked since");
    assert!(matches!(fenced, JournalError::Fenced { .. }), "{fenced:?}");
    assert_eq!(journal.load(&"r1".into()).await.expect("it exists").entries.len(), entries().len());

    journal.set_phase(&lease, Phase::Destroying, Some(3)).await.expect("we hold it");
    assert!(journal.create(&new_run("r4", "sha")).await.is_err(), "a run that is being undone is not over");
    journal.set_phase(&lease, Phase::Destroyed, None).await.expect("we hold it");
    journal.create(&new_run("r4", "sha")).await.expect("r1 is over");
    let runs = journal.runs().await.expect("readable");
    let shown: Vec<_> = runs.iter().map(|run| (run.run.as_str(), run.phase, run.wave)).collect();
    assert_eq!(
        shown,
        [("r1", Phase::Destroyed, None), ("r3", Phase::Open, Some(2)), ("r4", Phase::Open, Some(2))]
    );

    let blocked = journal.set_phase(&lease, Phase::Destroying, None).await.expect_err("r4 is not over");
    assert!(matches!(&blocked, JournalError::Unfinished { run, .. } if run.as_str() == "r4"), "{blocked:?}");

    for unknown in ["r9", "../../etc/passwd"] {
        let unknown: RunId = unknown.into();
        assert!(matches!(journal.lock(&unknown).await, Err(JournalError::NoRun { .. })));
        assert!(matches!(journal.load(&unknown).await, Err(JournalError::NoRun { .. })));
    }
}

#[tokio::test]
async fn a_journal_in_memory_keeps_the_promises() {
    check_promises(&MemoryJournal::new()).await;
}

#[tokio::test]
async fn a_journal_in_a_file_keeps_the_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    check_promises(&SqliteJournal::open(&folder.path().join("deep/journal.db")).await.expect("new")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_in_postgresql_keeps_the_promises() {
    let server = Postgres::start();
    check_promises(&open(&server.database()).await).await;
}
