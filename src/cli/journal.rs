//! `--journal`: a file on this machine, or a database that many machines share.

use std::path::PathBuf;
use std::time::Duration;

use super::Context;
use super::execution::quoted;
use crate::error::Error;
use crate::files;
use crate::settings;
use crate::store::postgres::{self, DatabaseUrl, UrlError};
use crate::store::{Journal, PgJournal, SqliteJournal};

/// Which journal a command reads or writes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct JournalArg {
    /// The journal that keeps what was done: a file, postgres://…, or env:NAME for a variable that holds either;
    /// by default journal.db in carafe's folder below $XDG_STATE_HOME
    #[arg(long, value_name = "JOURNAL")]
    journal: Option<PathBuf>,
}

/// Where a journal is.
enum Location {
    File(PathBuf),
    Database(Box<DatabaseUrl>),
}

impl JournalArg {
    fn location(&self, context: &Context) -> Result<Location, Error> {
        let Some(named) = &self.journal else {
            return context.settings.default_journal().map(Location::File).ok_or_else(|| {
                Error::usage(
                    "there is no folder to keep a journal in",
                    "set HOME or XDG_STATE_HOME, or name a journal with --journal",
                )
            });
        };
        let Some(text) = named.to_str() else { return Ok(Location::File(named.clone())) };
        let (text, read): (_, fn(&str) -> _) = match text.strip_prefix("env:") {
            None => (text.to_owned(), DatabaseUrl::public),
            Some(name) => match settings::variable(name).filter(|value| !value.is_empty()) {
                Some(value) => (value, DatabaseUrl::secret),
                None => {
                    return Err(Error::usage(
                        format!("--journal names the variable {name}, which is not set"),
                        "set it to the path or the postgres:// address of the journal",
                    ));
                }
            },
        };
        if !DatabaseUrl::is_one(&text) {
            return Ok(Location::File(PathBuf::from(text)));
        }
        read(&text).map(|url| Location::Database(Box::new(url))).map_err(|error| {
            let help = match error {
                UrlError::Password => {
                    "leave the password out and set PGPASSWORD or PGPASSFILE, or put the whole address into a \
                     variable and name it with --journal env:NAME"
                }
                UrlError::Scheme | UrlError::Setting(_) | UrlError::Malformed(_) => {
                    "write it as postgres://USER@HOST:PORT/DATABASE, for example with ?sslmode=verify-full"
                }
            };
            Error::usage(error.to_string(), help)
        })
    }

    /// The file of the simulated cloud that belongs to the journal.
    pub(super) fn simulated_cloud(&self, context: &Context) -> Result<PathBuf, Error> {
        match self.location(context)? {
            // The folder of the journal is made with the journal; whoever only looks needs neither.
            Location::File(path) => Ok(path.with_extension("cloud.json")),
            Location::Database(_) => {
                let Some(folder) = &context.settings.state_dir else {
                    return Err(Error::usage(
                        "there is no folder to keep a simulated cloud in",
                        "set HOME or XDG_STATE_HOME, or name a connection of the driver fake with --connections",
                    ));
                };
                std::fs::create_dir_all(folder)
                    .map_err(|source| files::FileError::Unwritable { path: folder.clone(), source })?;
                Ok(folder.join("simulated.cloud.json"))
            }
        }
    }

    /// The file of the journal; `None` for a database.
    pub(super) fn file(&self, context: &Context) -> Result<Option<PathBuf>, Error> {
        match self.location(context)? {
            Location::File(path) => Ok(Some(path)),
            Location::Database(_) => Ok(None),
        }
    }

    /// Opens the journal, and makes it where there is none.
    pub(super) fn open_or_make(&self, context: &Context) -> Result<Box<dyn Journal>, Error> {
        match self.location(context)? {
            Location::File(path) => {
                // Only the folder that is Carafe's own is made.
                if self.journal.is_none()
                    && let Some(folder) = path.parent()
                {
                    std::fs::create_dir_all(folder)
                        .map_err(|source| files::FileError::Unwritable { path: folder.to_owned(), source })?;
                }
                Ok(Box::new(context.wait(SqliteJournal::open(&path))?))
            }
            Location::Database(url) => Ok(Box::new(context.wait(PgJournal::open(&url, postgres::LEASE))?)),
        }
    }

    /// Opens a journal that is there.
    pub(super) fn open(&self, context: &Context) -> Result<Box<dyn Journal>, Error> {
        match self.open_if_there(context)? {
            Some(journal) => Ok(journal),
            None => Err(Error::failed(
                "there is no journal yet",
                "nothing was applied with it yet; name the journal that you applied with by --journal",
            )),
        }
    }

    /// Opens a journal; without one `None`, unless the user named it.
    pub(super) fn open_if_there(&self, context: &Context) -> Result<Option<Box<dyn Journal>>, Error> {
        match self.location(context)? {
            Location::File(path) if path.exists() => {
                Ok(Some(Box::new(context.wait(SqliteJournal::open(&path))?)))
            }
            Location::File(path) if self.journal.is_some() => Err(files::FileError::Missing { path }.into()),
            Location::File(_) => Ok(None),
            Location::Database(url) => {
                Ok(Some(Box::new(context.wait(PgJournal::open(&url, postgres::LEASE))?)))
            }
        }
    }

    /// Opens the journal that workers share, with leases that last so long.
    pub(super) fn open_shared(&self, context: &Context, lease: Duration) -> Result<PgJournal, Error> {
        match self.location(context)? {
            Location::Database(url) => Ok(context.wait(PgJournal::open(&url, lease))?),
            Location::File(_) => Err(Error::usage(
                "workers share a journal in PostgreSQL, and this one is a file",
                "name a database with --journal postgres://USER@HOST/DATABASE",
            )),
        }
    }

    /// What to add to a command so that it uses the same journal.
    pub(super) fn typed(&self) -> String {
        self.journal.as_ref().map(|path| format!(" --journal {}", quoted(path))).unwrap_or_default()
    }
}
