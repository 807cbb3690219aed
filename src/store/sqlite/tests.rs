use super::*;
use crate::store::StepEvent;

fn new_run(run: &str) -> NewRun {
    NewRun {
        run: run.into(),
        plan: "erp".to_owned(),
        plan_sha256: "sha".to_owned(),
        plan_json: "{}".to_owned(),
        wave: Some(2),
        binding: String::new(),
        started: 7,
    }
}

fn entries() -> Vec<Entry> {
    let made = StepEvent::Made { resource: "m-1".to_owned() };
    let entry = |(at, event)| Entry { step: "a/step".into(), nth: at as u32 + 1, event, at: at as i64 };
    [StepEvent::Intent, made].into_iter().enumerate().map(entry).collect()
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let journal = SqliteJournal::open(&path).await.expect("new");
    let lease = journal.create(&new_run("r1")).await.expect("the first run of the plan");
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
    for text in ["x".to_owned(), "a letter to somebody\n".repeat(500)] {
        std::fs::write(&path, &text).expect("writable");
        let error = SqliteJournal::open(&path).await.err().expect("no journal");
        assert!(matches!(error, JournalError::Unusable { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), text);
    }
}

#[tokio::test]
async fn an_event_this_program_does_not_know_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.expect("new");
    drop(journal.create(&new_run("r1")).await.expect("the first run"));
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
    let lease = journal.create(&new_run("r1")).await.expect("the first run");
    let entry = |nth| Entry { step: "s".into(), nth, event: StepEvent::Intent, at: 0 };
    let many: Vec<Entry> = (1..=ENTRIES_A_STATEMENT as u32 * 2 + 1).map(entry).collect();
    journal.append(&lease, &many).await.expect("we hold the run");
    assert_eq!(journal.load(&"r1".into()).await.expect("it exists").entries.len(), many.len());
}
