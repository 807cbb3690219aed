//! The catalog database: every import that was ever made, in SQLite or PostgreSQL, with one schema and one set of queries.
//!
//! A part is what one import of one format said: a sealed snapshot, or exchange rates. It is stored as it came, named by
//! its hash, and never changes. A revision lists the parts that make up the whole catalog at one time. An import adds its
//! parts and one revision in one transaction, so whoever is killed meanwhile leaves the previous catalog whole; importing
//! the same again adds nothing. Since parts are bytes and joining them is pure, both databases give the same snapshot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use carafe_model::document::sha256;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};
use tokio::sync::Mutex;

use super::postgres::DatabaseUrl;

/// What makes the tables, in order; never changed after a release.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/catalog/0001_catalog.sql")];
/// Which of them were made. A table of its own, because a journal may live in the same database.
const MIGRATED: &str = "CREATE TABLE IF NOT EXISTS catalog_migration (version BIGINT PRIMARY KEY)";

/// Where a catalog database is.
#[derive(Debug)]
pub enum CatalogLocation {
    /// A file of SQLite.
    File(PathBuf),
    /// A server.
    Database(Box<DatabaseUrl>),
}

/// What one import said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The format it was read from; what is imported later in the same format replaces it where it covers all of it.
    pub format: String,
    /// What it speaks of, sorted: `provider/region` and the like.
    pub covers: BTreeSet<String>,
    /// The sealed snapshot, or the exchange rates.
    pub body: Vec<u8>,
}

/// The catalog at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number, from 1.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub made: i64,
    /// What was done, in words.
    pub what: String,
    /// How many parts it has.
    pub parts: i64,
}

/// Why the catalog database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Written by a newer program.
    #[error("the catalog {catalog} was written by a newer Carafe")]
    Newer {
        /// Where it is, without credentials.
        catalog: String,
    },
    /// There is no such revision.
    #[error("the catalog {catalog} has no revision {revision}")]
    NoRevision {
        /// Where it is.
        catalog: String,
        /// The number that was asked for.
        revision: i64,
    },
    /// Nothing was imported yet.
    #[error("nothing was imported into the catalog {catalog}")]
    Empty {
        /// Where it is.
        catalog: String,
    },
    /// The operating system or the database failed.
    #[error("the catalog {catalog} cannot be used: {message}")]
    Unusable {
        /// Where it is, without credentials.
        catalog: String,
        /// What went wrong.
        message: String,
    },
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// The same statements for both: their rows and arguments are types of their own.
macro_rules! on {
    ($connection:expr, |$it:ident| $body:expr) => {
        match $connection {
            Connection::Sqlite($it) => $body,
            Connection::Postgres($it) => $body,
        }
    };
}

/// An open catalog database.
pub struct CatalogStore {
    shown: String,
    connection: Mutex<Connection>,
}

impl CatalogStore {
    /// Opens a catalog database and makes its tables where they are missing. A file is made only when asked for.
    ///
    /// # Errors
    /// [`CatalogError::Newer`], or [`CatalogError::Unusable`] when it is no catalog or cannot be reached.
    pub async fn open(location: &CatalogLocation, make: bool) -> Result<CatalogStore, CatalogError> {
        let shown = match location {
            CatalogLocation::File(path) => path.display().to_string(),
            CatalogLocation::Database(url) => url.shown().to_owned(),
        };
        let unusable = |error: &dyn std::fmt::Display| unusable(&shown, error);
        let connection = match location {
            CatalogLocation::File(path) => {
                if make {
                    make_folder(path).map_err(|error| unusable(&error))?;
                }
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(make)
                    // One file and nothing beside it, so that a catalog can be copied and handed on.
                    .journal_mode(SqliteJournalMode::Delete)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(std::time::Duration::from_secs(60));
                SqliteConnection::connect_with(&options).await.map(Connection::Sqlite)
            }
            CatalogLocation::Database(url) => {
                PgConnection::connect_with(&url.options).await.map(Connection::Postgres)
            }
        };
        let mut connection = connection.map_err(|error| unusable(&error))?;
        let versions = migrate(&mut connection).await.map_err(|error| unusable(&error))?;
        if versions > MIGRATIONS.len() as i64 {
            return Err(CatalogError::Newer { catalog: shown });
        }
        Ok(CatalogStore { shown, connection: Mutex::new(connection) })
    }

    /// Adds what was imported, all or nothing; `None` when everything is there already. Of the same format, a part that
    /// covers all of an older one takes its place.
    ///
    /// # Errors
    /// [`CatalogError::Unusable`]; then nothing was added.
    pub async fn import(&self, new: &[Part], what: &str, made: i64) -> Result<Option<i64>, CatalogError> {
        let mut connection = self.connection.lock().await;
        let outcome = add(&mut connection, new, what, made).await;
        if outcome.is_err() {
            // The error is what matters; a connection that cannot even roll back is closed with the program.
            let _ = on!(&mut *connection, |it| sqlx::query("ROLLBACK").execute(it).await.map(|_| ()));
        }
        outcome.map_err(|error| unusable(&self.shown, &error))
    }

    /// All revisions, the oldest first.
    ///
    /// # Errors
    /// [`CatalogError::Unusable`].
    pub async fn revisions(&self) -> Result<Vec<Revision>, CatalogError> {
        const REVISIONS: &str =
            "SELECT id, made, what, (SELECT COUNT(*) FROM catalog_member WHERE revision = id) AS parts
             FROM catalog_revision ORDER BY id";
        let mut connection = self.connection.lock().await;
        let read = on!(&mut *connection, |it| sqlx::query(REVISIONS).fetch_all(it).await.and_then(|rows| {
            let revision = |row: &dyn Values| {
                Ok(Revision {
                    id: row.number("id")?,
                    made: row.number("made")?,
                    what: row.text("what")?,
                    parts: row.number("parts")?,
                })
            };
            rows.iter().map(|row| revision(row)).collect::<Result<Vec<_>, sqlx::Error>>()
        }));
        read.map_err(|error| unusable(&self.shown, &error))
    }

    /// The parts of a revision in order; of the newest when none is named.
    ///
    /// # Errors
    /// [`CatalogError::NoRevision`], [`CatalogError::Empty`], [`CatalogError::Unusable`].
    pub async fn load(&self, revision: Option<i64>) -> Result<(i64, Vec<Part>), CatalogError> {
        let mut connection = self.connection.lock().await;
        let newest = newest(&mut connection).await.map_err(|error| unusable(&self.shown, &error))?;
        let catalog = || self.shown.clone();
        let wanted = match (revision, newest) {
            (_, None) => return Err(CatalogError::Empty { catalog: catalog() }),
            (Some(wanted), Some(newest)) if !(1..=newest).contains(&wanted) => {
                return Err(CatalogError::NoRevision { catalog: catalog(), revision: wanted });
            }
            (Some(wanted), Some(_)) => wanted,
            (None, Some(newest)) => newest,
        };
        let parts = parts(&mut connection, wanted).await.map_err(|error| unusable(&self.shown, &error))?;
        Ok((wanted, parts))
    }
}

/// Values of a row by name, whatever database it is from.
trait Values {
    fn number(&self, name: &str) -> Result<i64, sqlx::Error>;
    fn text(&self, name: &str) -> Result<String, sqlx::Error>;
    fn bytes(&self, name: &str) -> Result<Vec<u8>, sqlx::Error>;
}

macro_rules! values {
    ($($row:ty),*) => {$(
        impl Values for $row {
            fn number(&self, name: &str) -> Result<i64, sqlx::Error> {
                self.try_get(name)
            }
            fn text(&self, name: &str) -> Result<String, sqlx::Error> {
                self.try_get(name)
            }
            fn bytes(&self, name: &str) -> Result<Vec<u8>, sqlx::Error> {
                self.try_get(name)
            }
        }
    )*};
}
values!(sqlx::sqlite::SqliteRow, sqlx::postgres::PgRow);

async fn migrate(connection: &mut Connection) -> Result<i64, sqlx::Error> {
    const VERSION: &str = "SELECT COALESCE(MAX(version), 0) AS version FROM catalog_migration";
    let known = on!(&mut *connection, |it| sqlx::query(VERSION)
        .fetch_one(it)
        .await
        .and_then(|row| row.number("version")));
    // Whoever only reads a finished catalog writes nothing; a table that is missing is an error here and made below.
    if let Some(known) = known.ok().filter(|known| *known >= MIGRATIONS.len() as i64) {
        return Ok(known);
    }
    // Of two programs that open a new catalog at once, one makes its tables and the other waits.
    begin(connection, false).await?;
    on!(&mut *connection, |it| sqlx::query(MIGRATED).execute(it).await.map(|_| ()))?;
    let found = on!(&mut *connection, |it| sqlx::query(VERSION)
        .fetch_one(it)
        .await
        .and_then(|row| row.number("version")))?;
    for (nth, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        on!(&mut *connection, |it| sqlx::raw_sql(*migration).execute(it).await.map(|_| ()))?;
        const DONE: &str = "INSERT INTO catalog_migration (version) VALUES ($1)";
        let version = nth as i64 + 1;
        on!(&mut *connection, |it| sqlx::query(DONE).bind(version).execute(it).await.map(|_| ()))?;
    }
    commit(connection).await?;
    Ok(found)
}

/// Begins a transaction that no other writer can be in at the same time.
async fn begin(connection: &mut Connection, has_tables: bool) -> Result<(), sqlx::Error> {
    match connection {
        Connection::Sqlite(it) => sqlx::query("BEGIN IMMEDIATE").execute(it).await.map(|_| ()),
        Connection::Postgres(it) => {
            sqlx::query("BEGIN").execute(&mut *it).await?;
            // A number that stands for catalogs of this program; nothing else in the database uses it.
            sqlx::query("SELECT pg_advisory_xact_lock(7166152073021)").execute(&mut *it).await?;
            match has_tables {
                true => {
                    sqlx::query("LOCK TABLE catalog_revision IN EXCLUSIVE MODE").execute(it).await.map(|_| ())
                }
                false => Ok(()),
            }
        }
    }
}

async fn commit(connection: &mut Connection) -> Result<(), sqlx::Error> {
    on!(connection, |it| sqlx::query("COMMIT").execute(it).await.map(|_| ()))
}

async fn newest(connection: &mut Connection) -> Result<Option<i64>, sqlx::Error> {
    const NEWEST: &str = "SELECT COALESCE(MAX(id), 0) AS id FROM catalog_revision";
    let id = on!(connection, |it| sqlx::query(NEWEST).fetch_one(it).await.and_then(|row| row.number("id")))?;
    Ok((id > 0).then_some(id))
}

async fn parts(connection: &mut Connection, revision: i64) -> Result<Vec<Part>, sqlx::Error> {
    const PARTS: &str = "SELECT format, covers, body FROM catalog_member JOIN catalog_part ON part = sha256
         WHERE revision = $1 ORDER BY position";
    on!(connection, |it| sqlx::query(PARTS).bind(revision).fetch_all(it).await.and_then(|rows| {
        let part = |row: &dyn Values| {
            Ok(Part {
                format: row.text("format")?,
                covers: row.text("covers")?.lines().map(str::to_owned).collect(),
                body: row.bytes("body")?,
            })
        };
        rows.iter().map(|row| part(row)).collect()
    }))
}

async fn add(
    connection: &mut Connection,
    new: &[Part],
    what: &str,
    made: i64,
) -> Result<Option<i64>, sqlx::Error> {
    begin(connection, true).await?;
    const MEMBERS: &str = "SELECT part, format, covers FROM catalog_member JOIN catalog_part ON part = sha256
         WHERE revision = $1 ORDER BY position";
    let last = newest(connection).await?.unwrap_or(0);
    let before =
        on!(&mut *connection, |it| sqlx::query(MEMBERS).bind(last).fetch_all(it).await.and_then(|rows| {
            let member = |row: &dyn Values| Ok((row.text("part")?, row.text("format")?, row.text("covers")?));
            rows.iter().map(|row| member(row)).collect::<Result<Vec<_>, sqlx::Error>>()
        }))?;
    let mut members: Vec<(String, String, String)> = before.clone();
    for part in new {
        let hash = sha256(&part.body);
        if members.iter().any(|(known, ..)| *known == hash) {
            continue;
        }
        members.retain(|(_, format, covers)| {
            *format != part.format || !covers.lines().all(|line| part.covers.contains(line))
        });
        let covers = part.covers.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        const PART: &str = "INSERT INTO catalog_part (sha256, format, covers, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (sha256) DO NOTHING";
        on!(&mut *connection, |it| sqlx::query(PART)
            .bind(&hash)
            .bind(&part.format)
            .bind(&covers)
            .bind(&part.body)
            .execute(it)
            .await
            .map(|_| ()))?;
        members.push((hash, part.format.clone(), covers));
    }
    if members == before {
        commit(connection).await?;
        return Ok(None);
    }
    let id = last + 1;
    const REVISION: &str = "INSERT INTO catalog_revision (id, made, what) VALUES ($1, $2, $3)";
    on!(&mut *connection, |it| sqlx::query(REVISION)
        .bind(id)
        .bind(made)
        .bind(what)
        .execute(it)
        .await
        .map(|_| ()))?;
    const MEMBER: &str = "INSERT INTO catalog_member (revision, position, part) VALUES ($1, $2, $3)";
    for (position, (part, ..)) in members.iter().enumerate() {
        let position = position as i64;
        on!(&mut *connection, |it| sqlx::query(MEMBER)
            .bind(id)
            .bind(position)
            .bind(part)
            .execute(it)
            .await
            .map(|_| ()))?;
    }
    commit(connection).await?;
    Ok(Some(id))
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}

fn unusable(catalog: &str, error: &dyn std::fmt::Display) -> CatalogError {
    CatalogError::Unusable { catalog: catalog.to_owned(), message: error.to_string() }
}
