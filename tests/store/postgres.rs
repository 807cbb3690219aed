//! What is PostgreSQL's own: leases that end with a connection or with time, and a server that restarts.

use std::time::Duration;

use carafe::store::postgres::DatabaseUrl;
use carafe::store::{Entry, Journal, JournalError, PgJournal, Phase};

use crate::promises::{entries, new_run, open};
use crate::servers::postgres::{Postgres, Shutdown};

/// The name of the database in an address.
fn name(url: &str) -> String {
    url.split(['/', '?']).nth(3).expect("a database").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_free_as_soon_as_its_holder_has_ended() {
    let server = Postgres::start();
    let url = server.database();
    let (first, second) = (open(&url).await, open(&url).await);
    let lease = first.create(&new_run("r1", "sha")).await.expect("new");
    let locked = second.lock(&"r1".into()).await.expect_err("it is held");
    let JournalError::Locked { holder, .. } = locked else { panic!("{locked:?}") };
    assert!(holder.starts_with(&format!("process {}", std::process::id())), "{holder}");
    drop(lease);
    second.lock(&"r1".into()).await.expect("free, long before the lease would have run out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_hangs_loses_the_run_and_cannot_write_any_more() {
    let server = Postgres::start();
    let url = server.database();
    let (first, second) = (open(&url).await, open(&url).await);
    let lease = first.create(&new_run("r1", "sha")).await.expect("new");
    // As if the process had stood still for longer than its lease: the connection is there, the renewal is overdue.
    server.sql(&name(&url), "UPDATE run SET held_until = clock_timestamp() - interval '1 second'");
    let taken = second.lock(&"r1".into()).await.expect("the lease has run out");
    let late = first.append(&lease, &entries()).await.expect_err("it was taken over");
    assert!(matches!(late, JournalError::Fenced { .. }), "{late:?}");
    second.append(&taken, &entries()).await.expect("it is ours now");
    let late = first.set_phase(&lease, Phase::Finished, None).await.expect_err("it was taken over");
    assert!(matches!(late, JournalError::Fenced { .. }), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_is_waited_for_and_nothing_is_lost_or_written_twice() {
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        let mut server = Postgres::start();
        let journal = open(&server.database()).await;
        let lease = journal.create(&new_run("r1", "sha")).await.expect("new");
        let entries = entries();
        let (before, after) = entries.split_at(4);
        journal.append(&lease, before).await.expect("we hold it");
        server.stop(how);
        let (appended, _server) = tokio::join!(journal.append(&lease, after), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::task::spawn_blocking(move || {
                server.start_again();
                server
            })
            .await
            .expect("it starts")
        });
        appended.expect("the server came back");
        assert_eq!(journal.load(&"r1".into()).await.expect("there").entries, entries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_make_the_tables_at_once() {
    let server = Postgres::start();
    let url = server.database();
    let opened: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { open(&url).await.runs().await.expect("readable").len() })
        })
        .collect();
    for opened in opened {
        assert_eq!(opened.await.expect("no panic"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_synchronised_whatever_the_server_is_set_to() {
    let server = Postgres::start_with(&[
        "fsync=off",
        "synchronous_commit=off",
        "wal_writer_delay=10s",
        "bgwriter_delay=10s",
    ]);
    let url = server.database();
    let journal = open(&url).await;
    let lease = journal.create(&new_run("r1", "sha")).await.expect("new");
    // What a connection is set to cannot be seen from outside, but what was not flushed is lost with the power.
    journal.append(&lease, &entries()).await.expect("we hold the run");
    let unflushed = "SELECT pg_current_wal_insert_lsn() = pg_current_wal_flush_lsn()";
    assert_eq!(server.sql(&name(&url), unflushed), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_says_why_without_the_password() {
    let lease = Duration::from_secs(30);
    let server = Postgres::start();
    let nowhere = server.url("nowhere").replace("postgres@", "postgres:s3cret@");
    let refused = PgJournal::open(&DatabaseUrl::secret(&nowhere).expect("an address"), lease).await;
    let refused = refused.expect_err("there is no such database").to_string();
    assert!(refused.contains("database \"nowhere\" does not exist"), "{refused}");
    assert!(!refused.contains("s3cret"), "{refused}");

    let url = server.database();
    drop(open(&url).await);
    server.sql(&name(&url), "INSERT INTO _sqlx_migrations VALUES (99, 'later', now(), TRUE, 'x', 0)");
    let newer = PgJournal::open(&DatabaseUrl::public(&url).expect("an address"), lease).await;
    assert!(matches!(newer, Err(JournalError::Newer { found: 99, .. })), "{newer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_entries_are_written_whole() {
    let server = Postgres::start();
    let journal = open(&server.database()).await;
    let lease = journal.create(&new_run("r1", "sha")).await.expect("new");
    let entry = |nth| Entry { nth, ..entries().remove(0) };
    let many: Vec<Entry> = (1..=20_000).map(entry).collect();
    journal.append(&lease, &many).await.expect("we hold the run");
    assert_eq!(journal.load(&"r1".into()).await.expect("there").entries.len(), many.len());
}
