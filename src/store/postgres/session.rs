//! Who holds a run, where no lock file reaches.
//!
//! A holder keeps a connection of its own with an advisory lock on it, and renews its lease by it. When its process ends,
//! however that happens, the server drops the connection and the lock with it, and the run is free at once. When the
//! process hangs or the network swallows it, the connection may stand for hours; then the lease runs out, and the fence
//! refuses whatever it writes after somebody else has taken the run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use carafe_model::document::sha256;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::task::JoinHandle;

use super::{Failure, PgJournal, text};
use crate::run_id::{RunId, now};
use crate::store::{JournalError, Lease};

/// A connection that is about to end may be seen for a moment longer.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// A connection that holds an advisory lock of its own.
pub(super) struct Session {
    pub(super) key: i64,
    connection: PgConnection,
    journal: PgJournal,
}

/// Ends the session, and with it the lease, when it is dropped.
struct Heart(JoinHandle<()>);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    pub(super) async fn begin(
        mut connection: PgConnection,
        journal: PgJournal,
    ) -> Result<Session, sqlx::Error> {
        let key = new_key(&journal.holder);
        take_advisory_lock(&mut connection, key).await?;
        Ok(Session { key, connection, journal })
    }

    /// Keeps the lease of a run alive until it is dropped.
    pub(super) fn hold(self, run: RunId, fence: i64) -> Lease {
        let heart = Heart(tokio::spawn(self.beat(run.clone(), fence)));
        Lease::new(run, fence, heart)
    }

    /// Renews the lease until it is lost to somebody else; a broken connection is made again.
    async fn beat(self, run: RunId, fence: i64) {
        let Session { key, connection, journal } = self;
        let mut connection = Some(connection);
        let mut ticks = tokio::time::interval(journal.lease / 3);
        loop {
            ticks.tick().await;
            if connection.is_none()
                && let Ok(fresh) = journal.pool.acquire().await
            {
                let mut fresh = fresh.detach();
                if take_advisory_lock(&mut fresh, key).await.is_ok() {
                    connection = Some(fresh);
                }
            }
            let Some(alive) = &mut connection else { continue };
            let renewed = sqlx::query(
                "UPDATE run SET held_until = clock_timestamp() + make_interval(secs => $1)
                 WHERE id = $2 AND fence = $3",
            )
            .bind(journal.lease.as_secs_f64())
            .bind(run.as_str())
            .bind(fence)
            .execute(&mut *alive)
            .await;
            match renewed {
                Ok(done) if done.rows_affected() == 0 => return,
                Ok(_) => {}
                Err(_) => {
                    if let Some(broken) = connection.take() {
                        let _ = broken.close_hard().await;
                    }
                }
            }
        }
    }
}

impl PgJournal {
    pub(super) async fn lock_run(&self, run: &RunId) -> Result<Lease, JournalError> {
        let mut tries = 1;
        loop {
            match self.patiently(|| self.try_lock_run(run)).await {
                Err(JournalError::Locked { .. }) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                other => return other,
            }
        }
    }

    async fn try_lock_run(&self, run: &RunId) -> Result<Lease, Failure> {
        let session = self.session().await?;
        let mut transaction = self.pool.begin().await?;
        // Claims wait for this, so that no worker takes a step between the look and the lock.
        self.stop_claims(&mut transaction).await?;
        if let Some(holder) = self.holder_in(&mut transaction, run).await? {
            return Err(JournalError::Locked { run: run.clone(), holder }.into());
        }
        sqlx::query("DELETE FROM step_queue WHERE run = $1")
            .bind(run.as_str())
            .execute(&mut *transaction)
            .await?;
        let fence: i64 = sqlx::query_scalar(
            "UPDATE run SET fence = fence + 1, holder = $1, session = $2,
                            held_until = clock_timestamp() + make_interval(secs => $3)
             WHERE id = $4 RETURNING fence",
        )
        .bind(&self.holder)
        .bind(session.key)
        .bind(self.lease.as_secs_f64())
        .bind(run.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(session.hold(run.clone(), fence))
    }

    pub(super) async fn holder_of(&self, run: &RunId) -> Result<Option<String>, Failure> {
        let mut transaction = self.pool.begin().await?;
        self.holder_in(&mut transaction, run).await
    }

    /// Who is at work on a run, in words: the process that holds it, or the queue, or workers that still have steps of it.
    async fn holder_in(&self, connection: &mut PgConnection, run: &RunId) -> Result<Option<String>, Failure> {
        // Whoever can take a holder's advisory lock has found that its connection is gone. Taken for this transaction only.
        let row = sqlx::query(
            "SELECT CASE WHEN held_until > clock_timestamp() AND NOT pg_try_advisory_xact_lock(session)
                         THEN holder END AS holder,
                    queued
             FROM run WHERE id = $1",
        )
        .bind(run.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| JournalError::NoRun { run: run.clone() })?;
        let holder: Option<String> = sqlx::Row::try_get(&row, "holder")?;
        if holder.is_some() {
            return Ok(holder);
        }
        let queued: bool = sqlx::Row::try_get(&row, "queued")?;
        let workers = sqlx::query(
            "SELECT DISTINCT worker FROM step_queue
             WHERE run = $1 AND state = 'open' AND leased_until > clock_timestamp() ORDER BY worker",
        )
        .bind(run.as_str())
        .fetch_all(&mut *connection)
        .await?;
        let workers: Vec<String> = workers.iter().map(|row| text(row, "worker")).collect::<Result<_, _>>()?;
        Ok(match (queued, workers.as_slice()) {
            (false, []) => None,
            (false, workers) => Some(list(workers)),
            (true, []) => Some("the queue, where no worker has a step of it under way".to_owned()),
            (true, workers) => Some(format!("the queue, with {}", list(workers))),
        })
    }
}

/// A few names, and how many more there are.
fn list(names: &[String]) -> String {
    const LISTED: usize = 3;
    let shown = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

async fn take_advisory_lock(connection: &mut PgConnection, key: i64) -> Result<(), sqlx::Error> {
    // Found dead within half a minute, not after the two hours of TCP's own patience.
    let quick = "SELECT set_config('tcp_keepalives_idle', '10', FALSE),
                        set_config('tcp_keepalives_interval', '5', FALSE),
                        set_config('tcp_keepalives_count', '4', FALSE)";
    sqlx::query(quick).execute(&mut *connection).await?;
    // Waited for: an earlier connection of this lease may not be gone yet, or somebody may be looking whether it is.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(key).execute(&mut *connection).await.map(drop)
}

/// A key that no other session has.
fn new_key(holder: &str) -> i64 {
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let count = BEGUN.fetch_add(1, Ordering::Relaxed);
    let digest = sha256(format!("{holder} {count} {}", now()).as_bytes());
    // The highest bit is left, and with it the keys that have a meaning of their own.
    i64::from_str_radix(&digest[..15], 16).expect("fifteen hexadecimal digits fit")
}

/// This process, for people to find it.
pub(super) fn this_process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let process = std::process::id();
    match host.trim() {
        "" => format!("process {process}"),
        host => format!("process {process} on {host}"),
    }
}
