use super::*;
use crate::store::MemoryJournal;

fn new_run(run: &str, plan_sha256: &str) -> NewRun {
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

fn entries() -> Vec<Entry> {
    let entry = |(at, event)| Entry { step: "a/step".into(), nth: at as u32 + 1, event, at: at as i64 };
    every_event().into_iter().enumerate().map(entry).collect()
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
    assert_eq!(journal.holder(&"r1".into()).await.expect("it exists"), None);
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
async fn every_journal_keeps_the_promises_of_the_trait() {
    check_promises(&MemoryJournal::new()).await;
    let folder = tempfile::tempdir().expect("a folder");
    check_promises(&SqliteJournal::open(&folder.path().join("deep/journal.db")).await.expect("new")).await;
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("new");
    let lease = journal.create(&new_run("r1", "sha")).await.expect("the first run of the plan");
    journal.append(&lease, &entries()).await.expect("we hold the run");
    #[cfg(unix)]
    for file in std::fs::read_dir(folder.path()).expect("readable") {
        use std::os::unix::fs::PermissionsExt;
        let file = file.expect("readable");
        let mode = file.metadata().expect("readable").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
    let again = SqliteJournal::open(&path).await.expect("two may read");
    assert!(matches!(again.lock(&"r1".into()).await, Err(JournalError::Locked { .. })));
    drop((lease, journal));
    let loaded = again.load(&"r1".into()).await.expect("it exists");
    assert_eq!((loaded.plan_json.as_str(), loaded.entries), ("{}", entries()));
}

#[tokio::test]
async fn commits_are_synchronised_in_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("new");
    let mut connection = journal.connection.lock().await;
    let row = sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await.expect("readable");
    assert_eq!(row.get::<i64, _>(0), 2, "FULL");
    let row = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await.expect("readable");
    assert_eq!(row.get::<String, _>(0), "wal");
}

#[tokio::test]
async fn the_journal_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("new");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'later', TRUE, x'00', 0)",
    )
    .execute(&mut *journal.connection.lock().await)
    .await
    .expect("writable");
    drop(journal);
    let error = SqliteJournal::open(&path).await.err().expect("newer");
    assert!(matches!(error, JournalError::Newer { found: 99, .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_journal_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let text = "a letter to somebody, long enough not to be taken for an empty file\n".repeat(50);
    std::fs::write(&path, &text).expect("writable");
    let error = SqliteJournal::open(&path).await.err().expect("no journal");
    assert!(matches!(error, JournalError::Unusable { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).expect("readable"), text);
}

#[tokio::test]
async fn an_event_this_program_does_not_know_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("new");
    drop(journal.create(&new_run("r1", "sha")).await.expect("the first run"));
    sqlx::query("INSERT INTO step_event (run, step, nth, event, at) VALUES ('r1', 's', 1, 'danced', 0)")
        .execute(&mut *journal.connection.lock().await)
        .await
        .expect("writable");
    let error = journal.load(&"r1".into()).await.expect_err("nobody knows the event");
    assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn more_entries_than_one_statement_takes_are_written_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("new");
    let lease = journal.create(&new_run("r1", "sha")).await.expect("the first run");
    let entry = |nth| Entry { step: "s".into(), nth, event: StepEvent::Intent, at: 0 };
    let many: Vec<Entry> = (1..=ENTRIES_A_STATEMENT as u32 * 2 + 1).map(entry).collect();
    journal.append(&lease, &many).await.expect("we hold the run");
    assert_eq!(journal.load(&"r1".into()).await.expect("it exists").entries.len(), many.len());
}
