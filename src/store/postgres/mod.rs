//! The journal in PostgreSQL, which many machines share.
//!
//! It keeps the same tables and promises as the one in SQLite. What a lock file does there, a lease does here
//! (`session`), and [`queue`] hands out single steps to workers. Every statement may be sent again after the connection
//! broke, because its effect is guarded by a fence, by a state it moves from, or by the number of an event; so a server
//! that restarts is waited for instead of ending a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use carafe_model::ids::StepId;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{Row as _, SqlSafeStr as _};

use super::columns::{Columns, columns, damaged, event, phase, phase_name};
use super::{Answer, Entry, Journal, JournalError, Lease, LoadedRun, NewRun, Phase, RunRecord};
use crate::run_id::RunId;

pub mod queue;

pub mod url;

mod session;

pub use queue::{Bell, Claim, Held, Queued, QueuedStep, Settled, Wanted};
pub use url::{DatabaseUrl, UrlError};

use session::Session;

/// What makes the tables, in order; never changed after a release.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "journal", include_str!("../../../migrations/postgres/0001_journal.sql")),
    (2, "queue", include_str!("../../../migrations/postgres/0002_queue.sql")),
];

/// How long a lease lasts unless it is renewed; it is renewed three times as often.
pub const LEASE: Duration = Duration::from_secs(30);

/// How long opening waits for a server: long enough for one that is far away, short enough for a wrong address.
const TO_OPEN: Duration = Duration::from_secs(10);

/// How long a statement is sent again while the server cannot be reached: as long as a restart takes.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(250);

/// Connections of one process: the calls of a worker share them.
const MOST_CONNECTIONS: u32 = 8;

/// A journal in a PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PgJournal {
    pool: PgPool,
    shown: String,
    /// This process in words, for others to read.
    holder: String,
    lease: Duration,
}

/// Why a statement did not do what it should: the journal's own reasons, or the database's.
enum Failure {
    Journal(JournalError),
    Database(sqlx::Error),
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        Failure::Journal(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        Failure::Database(error)
    }
}

impl PgJournal {
    /// Opens the journal in a database, and makes its tables if there are none. Leases last for `lease`.
    ///
    /// # Errors
    /// [`JournalError::Newer`] for the journal of a newer program, [`JournalError::Unusable`] if the database cannot be
    /// reached or is not ours to use.
    pub async fn open(url: &DatabaseUrl, lease: Duration) -> Result<PgJournal, JournalError> {
        let shown = url.shown().to_owned();
        let unusable = |message: String| JournalError::Unusable { journal: shown.clone(), message };
        let pool = PgPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .acquire_timeout(TO_OPEN)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // A commit that is not on disk is no commit here, whatever the database is set to.
                    let set = "SELECT set_config('synchronous_commit', 'on', FALSE)
                               WHERE current_setting('synchronous_commit') IN ('off', 'local')";
                    sqlx::query(set).execute(&mut *connection).await.map(drop)
                })
            })
            .connect_with(url.options.clone().application_name("carafe"))
            .await
            .map_err(|error| unusable(in_words(&error)))?;
        migrator().run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => JournalError::Newer { journal: shown.clone(), found },
            other => unusable(other.to_string()),
        })?;
        Ok(PgJournal { pool, shown: shown.clone(), holder: session::this_process(), lease })
    }

    /// The database in words, without user and password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// How long a lease lasts unless it is renewed.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    fn unusable(&self, error: &sqlx::Error) -> JournalError {
        JournalError::Unusable { journal: self.shown.clone(), message: in_words(error) }
    }

    /// Does something that is harmless to repeat, again and again while the server cannot be reached.
    async fn patiently<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, JournalError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let begun = Instant::now();
        loop {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(Failure::Journal(error)) => return Err(error),
                Err(Failure::Database(error)) if will_pass(&error) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                Err(Failure::Database(error)) => return Err(self.unusable(&error)),
            }
        }
    }

    /// Begins the session that a lease lives in; one is needed for each run that is held.
    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::begin(self.pool.acquire().await?.detach(), self.clone()).await?)
    }

    async fn create_run(&self, run: &NewRun) -> Result<Lease, Failure> {
        let session = self.session().await?;
        let inserted = sqlx::query(
            "INSERT INTO run (id, plan, plan_sha256, plan_json, wave, binding, phase, fence, started,
                              holder, session, held_until)
             VALUES ($1, $2, $3, $4, $5, $6, 'open', 1, $7, $8, $9,
                     clock_timestamp() + make_interval(secs => $10))",
        )
        .bind(run.run.as_str())
        .bind(&run.plan)
        .bind(&run.plan_sha256)
        .bind(&run.plan_json)
        .bind(run.wave.map(i64::from))
        .bind(&run.binding)
        .bind(run.started)
        .bind(&self.holder)
        .bind(session.key)
        .bind(self.lease.as_secs_f64())
        .execute(&self.pool)
        .await;
        match inserted {
            Ok(_) => Ok(session.hold(run.run.clone(), 1)),
            Err(error) if is_taken(&error) => {
                // An earlier attempt of ours may have been committed with its reply lost; it is resumed by its name.
                Err(self.in_the_way(&run.plan_sha256, error).await?.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why a run could not become unfinished: another run of its plan that is, or else the error itself.
    async fn in_the_way(&self, plan_sha256: &str, error: sqlx::Error) -> Result<JournalError, Failure> {
        let row = sqlx::query(
            "SELECT id, phase FROM run WHERE plan_sha256 = $1 AND phase IN ('open', 'destroying')",
        )
        .bind(plan_sha256)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(self.unusable(&error)) };
        let run = RunId(text(&row, "id")?);
        let holder = self.holder_of(&run).await?;
        Ok(JournalError::Unfinished { run, phase: phase(&text(&row, "phase")?)?, holder })
    }

    /// `tried` says whether an earlier attempt of the same call may have been committed.
    async fn append_entries(
        &self,
        lease: &Lease,
        entries: &[Entry],
        tried: &AtomicBool,
    ) -> Result<(), Failure> {
        let tried = tried.swap(true, Ordering::Relaxed);
        if entries.is_empty() {
            return Ok(());
        }
        if !lease.covers(entries) {
            return Err(fenced(lease).into());
        }
        let rows: Vec<Columns> = entries.iter().map(|entry| columns(&entry.event)).collect();
        // The lease is looked at and kept in place by the same statement that writes: one round trip, one commit.
        let held = match &lease.step {
            None => "SELECT 1 FROM run WHERE id = $1 AND fence = $2 AND $3::text IS NULL FOR SHARE",
            Some(_) => "SELECT 1 FROM step_queue WHERE run = $1 AND fence = $2 AND step = $3 FOR SHARE",
        };
        let insert = format!(
            "WITH held AS ({held})
             INSERT INTO step_event (run, step, nth, fence, event, resource, error, detail, at)
             SELECT $1, e.step, e.nth, $2, e.event, e.resource, e.error, e.detail, e.at
             FROM held, UNNEST($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
                               $10::bigint[]) WITH ORDINALITY
                  AS e (step, nth, event, resource, error, detail, at, place)
             ORDER BY e.place"
        );
        let steps: Vec<&str> = entries.iter().map(|entry| entry.step.as_str()).collect();
        let places: Vec<i64> = entries.iter().map(|entry| i64::from(entry.nth)).collect();
        let inserted = sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .bind(lease.step.as_ref().map(StepId::as_str))
            .bind(&steps)
            .bind(&places)
            .bind(rows.iter().map(|row| row.event).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.resource).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.error).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.detail).collect::<Vec<_>>())
            .bind(entries.iter().map(|entry| entry.at).collect::<Vec<_>>())
            .execute(&self.pool)
            .await;
        match inserted {
            Ok(done) if done.rows_affected() > 0 => Ok(()),
            Ok(_) => Err(fenced(lease).into()),
            Err(error) if is_taken(&error) => {
                let ours = tried && self.are_there(lease, &steps, &places).await?;
                if ours { Ok(()) } else { Err(fenced(lease).into()) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether entries were written under this very lease: by an attempt whose reply was lost.
    async fn are_there(&self, lease: &Lease, steps: &[&str], places: &[i64]) -> Result<bool, Failure> {
        let row = sqlx::query(
            "SELECT count(*) AS there FROM step_event
             JOIN UNNEST($3::text[], $4::bigint[]) AS e (step, nth) USING (step, nth)
             WHERE run = $1 AND fence = $2",
        )
        .bind(lease.run.as_str())
        .bind(lease.fence)
        .bind(steps)
        .bind(places)
        .fetch_one(&self.pool)
        .await?;
        Ok(usize::try_from(number(&row, "there")?) == Ok(steps.len()))
    }

    async fn update_phase(&self, lease: &Lease, phase: Phase, wave: Option<u32>) -> Result<(), Failure> {
        let done = sqlx::query("UPDATE run SET phase = $1, wave = $2 WHERE id = $3 AND fence = $4")
            .bind(phase_name(phase))
            .bind(wave.map(i64::from))
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .execute(&self.pool)
            .await;
        match done {
            Ok(done) if done.rows_affected() == 0 => Err(fenced(lease).into()),
            Ok(_) => Ok(()),
            Err(error) if is_taken(&error) => {
                let (record, _) = self.record(&lease.run).await?;
                Err(self.in_the_way(&record.plan_sha256, error).await?.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update_binding(&self, lease: &Lease, binding: &str) -> Result<(), Failure> {
        let done = sqlx::query("UPDATE run SET binding = $1 WHERE id = $2 AND fence = $3")
            .bind(binding)
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 0 { Err(fenced(lease).into()) } else { Ok(()) }
    }

    async fn record(&self, run: &RunId) -> Result<(RunRecord, String), Failure> {
        let row = sqlx::query(
            "SELECT id, plan, plan_sha256, wave, binding, phase, started, plan_json FROM run WHERE id = $1",
        )
        .bind(run.as_str())
        .fetch_optional(&self.pool)
        .await?
        .ok_or_else(|| JournalError::NoRun { run: run.clone() })?;
        Ok((run_record(&row)?, text(&row, "plan_json")?))
    }

    async fn load_run(&self, run: &RunId) -> Result<LoadedRun, Failure> {
        let (record, plan_json) = self.record(run).await?;
        let rows = sqlx::query(
            "SELECT step, nth, event, resource, error, detail, at FROM step_event WHERE run = $1 ORDER BY seq",
        )
        .bind(run.as_str())
        .fetch_all(&self.pool)
        .await?;
        let entries = rows.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(LoadedRun { record, plan_json, entries })
    }

    async fn all_runs(&self) -> Result<Vec<RunRecord>, Failure> {
        let rows = sqlx::query(
            "SELECT id, plan, plan_sha256, wave, binding, phase, started FROM run ORDER BY started, id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(run_record).collect::<Result<_, _>>()?)
    }
}

impl Journal for PgJournal {
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease> {
        Box::pin(self.patiently(|| self.create_run(run)))
    }

    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease> {
        Box::pin(self.lock_run(run))
    }

    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()> {
        Box::pin(async move {
            let tried = AtomicBool::new(false);
            self.patiently(|| self.append_entries(lease, entries, &tried)).await
        })
    }

    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()> {
        Box::pin(self.patiently(move || self.update_phase(lease, phase, wave)))
    }

    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()> {
        Box::pin(self.patiently(|| self.update_binding(lease, binding)))
    }

    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>> {
        Box::pin(self.patiently(|| self.all_runs()))
    }

    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun> {
        Box::pin(self.patiently(|| self.load_run(run)))
    }

    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>> {
        Box::pin(self.patiently(|| self.holder_of(run)))
    }
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// Whether an error says something about the connection or the moment, and nothing about the statement.
fn will_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Shut down, starting up, too many connections, deadlock, serialisation; class 08 is the connection.
            ["57P01", "57P02", "57P03", "53300", "40001", "40P01"].contains(&&*code) || code.starts_with("08")
        }),
        _ => false,
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// What went wrong, without sqlx's own preface.
fn in_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "the server does not answer".to_owned(),
        other => other.to_string(),
    }
}

fn fenced(lease: &Lease) -> JournalError {
    JournalError::Fenced { run: lease.run.clone() }
}

fn text(row: &PgRow, column: &str) -> Result<String, JournalError> {
    row.try_get(column).map_err(damaged)
}

fn number(row: &PgRow, column: &str) -> Result<i64, JournalError> {
    row.try_get(column).map_err(damaged)
}

fn run_record(row: &PgRow) -> Result<RunRecord, JournalError> {
    let wave: Option<i64> = row.try_get("wave").map_err(damaged)?;
    Ok(RunRecord {
        run: RunId(text(row, "id")?),
        plan: text(row, "plan")?,
        plan_sha256: text(row, "plan_sha256")?,
        wave: wave.map(u32::try_from).transpose().map_err(damaged)?,
        binding: text(row, "binding")?,
        phase: phase(&text(row, "phase")?)?,
        started: number(row, "started")?,
    })
}

fn entry(row: &PgRow) -> Result<Entry, JournalError> {
    let optional = |column| row.try_get::<Option<String>, _>(column).map_err(damaged);
    let event = event(&text(row, "event")?, optional("resource")?, optional("error")?, optional("detail")?)?;
    let nth = u32::try_from(number(row, "nth")?).map_err(damaged)?;
    Ok(Entry { step: StepId(text(row, "step")?), nth, event, at: number(row, "at")? })
}
