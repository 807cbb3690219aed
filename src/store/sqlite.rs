//! The journal in SQLite.
//!
//! Write-ahead log with full synchronisation: a committed entry is on disk before `append` returns, also through a power
//! cut. One connection, because there is one writer: a pool would only add ways to wait.

use std::path::{Path, PathBuf};

use carafe_model::ids::StepId;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder, Row as _, SqlSafeStr as _, Sqlite};
use tokio::sync::Mutex;

use super::columns::{Columns, columns, damaged, event, phase, phase_name};
use super::lock::{FileLock, Try, open_private};
use super::{Answer, Entry, Journal, JournalError, Lease, LoadedRun, NewRun, Phase, RunRecord};
use crate::run_id::RunId;

/// Nine values an entry; SQLite takes at most 32,766 in one statement.
const ENTRIES_A_STATEMENT: usize = 3_600;

/// What makes the tables, in order; never changed after a release.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "journal", include_str!("../../migrations/sqlite/0001_journal.sql")),
    (2, "binding and order", include_str!("../../migrations/sqlite/0002_binding_and_order.sql")),
];

/// A journal in a file that only its owner may read.
pub struct SqliteJournal {
    path: PathBuf,
    connection: Mutex<SqliteConnection>,
}

impl SqliteJournal {
    /// Opens the journal in a file, and makes the file and its folder if there are none.
    ///
    /// # Errors
    /// [`JournalError::Newer`] for the journal of a newer program, [`JournalError::Unusable`] if it is no journal or the
    /// operating system refuses.
    pub async fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
        let unusable = |error: &dyn std::fmt::Display| unusable(path, error);
        make_folder(path).map_err(|error| unusable(&error))?;
        refuse_strangers(path).map_err(|error| unusable(&error))?;
        // The log and the shared memory that SQLite puts beside the file get the file's permissions.
        open_private(path).map_err(|error| unusable(&error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let mut connection =
            SqliteConnection::connect_with(&options).await.map_err(|error| unusable(&error))?;
        // Two processes that open a new journal at once must not both make its tables.
        let opening = open_private(&beside(path, "opening")).map_err(|error| unusable(&error))?;
        opening.lock().map_err(|error| unusable(&error))?;
        migrator().run(&mut connection).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => {
                JournalError::Newer { journal: path.display().to_string(), found }
            }
            other => unusable(&other),
        })?;
        drop(opening);
        Ok(SqliteJournal { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// The file it is in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn unusable(&self, error: sqlx::Error) -> JournalError {
        unusable(&self.path, &error)
    }

    fn lock_path(&self, run: &RunId) -> PathBuf {
        beside(&self.path, run.as_str())
    }

    fn lock_file(&self, run: &RunId) -> Result<FileLock, JournalError> {
        match FileLock::take(&self.lock_path(run)) {
            Ok(Try::Locked(lock)) => Ok(lock),
            Ok(Try::Held(holder)) => Err(JournalError::Locked { run: run.clone(), holder }),
            Err(error) => Err(unusable(&self.path, &error)),
        }
    }

    async fn create_run(&self, run: &NewRun) -> Result<Lease, JournalError> {
        let lock = self.lock_file(&run.run)?;
        let mut connection = self.connection.lock().await;
        let inserted = sqlx::query(
            "INSERT INTO run (id, plan, plan_sha256, plan_json, wave, binding, phase, fence, started)
             VALUES (?, ?, ?, ?, ?, ?, 'open', 1, ?)",
        )
        .bind(run.run.as_str())
        .bind(&run.plan)
        .bind(&run.plan_sha256)
        .bind(&run.plan_json)
        .bind(run.wave)
        .bind(&run.binding)
        .bind(run.started)
        .execute(&mut *connection)
        .await;
        match inserted {
            Ok(_) => Ok(Lease::new(run.run.clone(), 1, lock)),
            Err(error) => Err(self.in_the_way(&mut connection, &run.plan_sha256, error).await?),
        }
    }

    /// Why a run could not become unfinished: another run of its plan that is, or else the error itself.
    async fn in_the_way(
        &self,
        connection: &mut SqliteConnection,
        plan_sha256: &str,
        error: sqlx::Error,
    ) -> Result<JournalError, JournalError> {
        if !error.as_database_error().is_some_and(|error| error.is_unique_violation()) {
            return Ok(self.unusable(error));
        }
        let row = sqlx::query(
            "SELECT id, phase FROM run WHERE plan_sha256 = ? AND phase IN ('open', 'destroying')",
        )
        .bind(plan_sha256)
        .fetch_optional(connection)
        .await
        .map_err(|error| self.unusable(error))?;
        let Some(row) = row else { return Ok(self.unusable(error)) };
        let run = RunId(text(&row, "id")?);
        let holder = self.holder_of(&run)?;
        Ok(JournalError::Unfinished { run, phase: phase(&text(&row, "phase")?)?, holder })
    }

    fn holder_of(&self, run: &RunId) -> Result<Option<String>, JournalError> {
        FileLock::holder(&self.lock_path(run)).map_err(|error| unusable(&self.path, &error))
    }

    async fn lock_run(&self, run: &RunId) -> Result<Lease, JournalError> {
        // A name that is no run's must not become the name of a file.
        self.record(run).await?;
        let lock = self.lock_file(run)?;
        let mut connection = self.connection.lock().await;
        let row = sqlx::query("UPDATE run SET fence = fence + 1 WHERE id = ? RETURNING fence")
            .bind(run.as_str())
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| self.unusable(error))?;
        Ok(Lease::new(run.clone(), number(&row, "fence")?, lock))
    }

    async fn append_entries(&self, lease: &Lease, entries: &[Entry]) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Ok(());
        }
        let fenced = || JournalError::Fenced { run: lease.run.clone() };
        if !lease.covers(entries) {
            return Err(fenced());
        }
        let mut connection = self.connection.lock().await;
        let mut transaction =
            connection.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.unusable(error))?;
        let held = sqlx::query("SELECT 1 FROM run WHERE id = ? AND fence = ?")
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|error| self.unusable(error))?;
        if held.is_none() {
            return Err(fenced());
        }
        for entries in entries.chunks(ENTRIES_A_STATEMENT) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO step_event (run, step, nth, fence, event, resource, error, detail, at) ",
            );
            insert.push_values(entries, |mut values, entry| {
                let Columns { event, resource, error, detail } = columns(&entry.event);
                values
                    .push_bind(lease.run.as_str())
                    .push_bind(entry.step.as_str())
                    .push_bind(entry.nth)
                    .push_bind(lease.fence)
                    .push_bind(event)
                    .push_bind(resource)
                    .push_bind(error)
                    .push_bind(detail)
                    .push_bind(entry.at);
            });
            insert.build().execute(&mut *transaction).await.map_err(|error| {
                let taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
                if taken { fenced() } else { self.unusable(error) }
            })?;
        }
        transaction.commit().await.map_err(|error| self.unusable(error))
    }

    async fn update_phase(&self, lease: &Lease, phase: Phase, wave: Option<u32>) -> Result<(), JournalError> {
        let (record, _) = self.record(&lease.run).await?;
        let mut connection = self.connection.lock().await;
        let done = sqlx::query("UPDATE run SET phase = ?, wave = ? WHERE id = ? AND fence = ?")
            .bind(phase_name(phase))
            .bind(wave)
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .execute(&mut *connection)
            .await;
        match done {
            Ok(done) if done.rows_affected() == 0 => Err(JournalError::Fenced { run: lease.run.clone() }),
            Ok(_) => Ok(()),
            Err(error) => Err(self.in_the_way(&mut connection, &record.plan_sha256, error).await?),
        }
    }

    async fn update_binding(&self, lease: &Lease, binding: &str) -> Result<(), JournalError> {
        let mut connection = self.connection.lock().await;
        let done = sqlx::query("UPDATE run SET binding = ? WHERE id = ? AND fence = ?")
            .bind(binding)
            .bind(lease.run.as_str())
            .bind(lease.fence)
            .execute(&mut *connection)
            .await
            .map_err(|error| self.unusable(error))?;
        match done.rows_affected() {
            0 => Err(JournalError::Fenced { run: lease.run.clone() }),
            _ => Ok(()),
        }
    }

    async fn record(&self, run: &RunId) -> Result<(RunRecord, String), JournalError> {
        let mut connection = self.connection.lock().await;
        let row = sqlx::query(
            "SELECT id, plan, plan_sha256, wave, binding, phase, started, plan_json FROM run WHERE id = ?",
        )
        .bind(run.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| self.unusable(error))?
        .ok_or_else(|| JournalError::NoRun { run: run.clone() })?;
        Ok((run_record(&row)?, text(&row, "plan_json")?))
    }

    async fn load_run(&self, run: &RunId) -> Result<LoadedRun, JournalError> {
        let (record, plan_json) = self.record(run).await?;
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT step, nth, event, resource, error, detail, at FROM step_event WHERE run = ? ORDER BY seq",
        )
        .bind(run.as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.unusable(error))?;
        let entries = rows.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(LoadedRun { record, plan_json, entries })
    }

    async fn all_runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query(
            "SELECT id, plan, plan_sha256, wave, binding, phase, started FROM run ORDER BY started, id",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.unusable(error))?;
        rows.iter().map(run_record).collect()
    }
}

impl Journal for SqliteJournal {
    fn create<'a>(&'a self, run: &'a NewRun) -> Answer<'a, Lease> {
        Box::pin(self.create_run(run))
    }

    fn lock<'a>(&'a self, run: &'a RunId) -> Answer<'a, Lease> {
        Box::pin(self.lock_run(run))
    }

    fn append<'a>(&'a self, lease: &'a Lease, entries: &'a [Entry]) -> Answer<'a, ()> {
        Box::pin(self.append_entries(lease, entries))
    }

    fn set_phase<'a>(&'a self, lease: &'a Lease, phase: Phase, wave: Option<u32>) -> Answer<'a, ()> {
        Box::pin(self.update_phase(lease, phase, wave))
    }

    fn bind<'a>(&'a self, lease: &'a Lease, binding: &'a str) -> Answer<'a, ()> {
        Box::pin(self.update_binding(lease, binding))
    }

    fn runs<'a>(&'a self) -> Answer<'a, Vec<RunRecord>> {
        Box::pin(self.all_runs())
    }

    fn load<'a>(&'a self, run: &'a RunId) -> Answer<'a, LoadedRun> {
        Box::pin(self.load_run(run))
    }

    fn holder<'a>(&'a self, run: &'a RunId) -> Answer<'a, Option<String>> {
        Box::pin(async { self.record(run).await.and_then(|_| self.holder_of(run)) })
    }
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// Refuses a file that is no database. SQLite itself takes one that is shorter than a page for an empty one.
fn refuse_strangers(path: &Path) -> std::io::Result<()> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut start = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, MAGIC.len() as u64), &mut start)?;
    match start.is_empty() || start == MAGIC {
        true => Ok(()),
        false => Err(std::io::Error::other("it is not a journal; its first bytes are not those of SQLite")),
    }
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The lock file of a name, beside the journal.
fn beside(path: &Path, name: &str) -> PathBuf {
    let mut file = path.as_os_str().to_owned();
    file.push(format!(".{name}.lock"));
    file.into()
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> JournalError {
    JournalError::Unusable { journal: path.display().to_string(), message: error.to_string() }
}

fn text(row: &SqliteRow, column: &str) -> Result<String, JournalError> {
    row.try_get(column).map_err(damaged)
}

fn number(row: &SqliteRow, column: &str) -> Result<i64, JournalError> {
    row.try_get(column).map_err(damaged)
}

fn run_record(row: &SqliteRow) -> Result<RunRecord, JournalError> {
    Ok(RunRecord {
        run: RunId(text(row, "id")?),
        plan: text(row, "plan")?,
        plan_sha256: text(row, "plan_sha256")?,
        wave: row.try_get("wave").map_err(damaged)?,
        binding: text(row, "binding")?,
        phase: phase(&text(row, "phase")?)?,
        started: number(row, "started")?,
    })
}

fn entry(row: &SqliteRow) -> Result<Entry, JournalError> {
    let optional = |column| row.try_get::<Option<String>, _>(column).map_err(damaged);
    let event = event(&text(row, "event")?, optional("resource")?, optional("error")?, optional("detail")?)?;
    let nth = u32::try_from(number(row, "nth")?).map_err(damaged)?;
    Ok(Entry { step: StepId(text(row, "step")?), nth, event, at: number(row, "at")? })
}

#[cfg(test)]
mod tests;
