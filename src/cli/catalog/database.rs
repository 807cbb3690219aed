//! `--catalog` of the commands that write to a catalog database, and what they share.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use carafe_model::finding::Finding;

use crate::catalogs;
use crate::cli::Context;
use crate::error::Error;
use crate::store::catalog::{CatalogError, CatalogLocation, CatalogStore, Part};

/// Which catalog database a command writes to.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct DatabaseArg {
    /// The catalog database: a file, postgres://…, or env:NAME for a variable that holds either; by default
    /// catalog.db in carafe's folder below $XDG_DATA_HOME
    #[arg(long, value_name = "DATABASE")]
    pub catalog: Option<PathBuf>,
}

impl DatabaseArg {
    /// Where it is, whether it exists or not.
    pub fn location(&self, context: &Context) -> Result<CatalogLocation, Error> {
        let path = match &self.catalog {
            Some(path) => path.clone(),
            None => context.settings.default_catalog().ok_or_else(|| {
                let help = "set HOME or XDG_DATA_HOME, or name a database with --catalog";
                Error::usage("there is no folder to keep a catalog in", help)
            })?,
        };
        match catalogs::location(&path).map_err(|finding| said(&finding))? {
            Some(location) => Ok(location),
            None if path.is_dir() => {
                Err(Error::usage("--catalog names a folder, where a database is wanted", "name a file"))
            }
            None if path.metadata().is_ok_and(|metadata| metadata.len() > 0) => Err(Error::usage(
                format!("{} is not a catalog database", path.display()),
                "name another file; one that does not exist is made",
            )),
            None => Ok(CatalogLocation::File(path)),
        }
    }

    /// Opens it, and makes it where it is missing and `make` says so.
    pub fn open(&self, context: &Context, make: bool) -> Result<CatalogStore, Error> {
        let location = self.location(context)?;
        context.wait(CatalogStore::open(&location, make)).map_err(|error| failed(&error))
    }

    /// Adds parts, and says in words what came of it.
    pub fn add(&self, context: &Context, parts: &[Part], what: &str) -> Result<Option<i64>, Error> {
        let store = self.open(context, true)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        context.wait(store.import(parts, what, now)).map_err(|error| failed(&error))
    }
}

/// A failure of a database as commands tell it.
pub(super) fn failed(error: &CatalogError) -> Error {
    said(&catalogs::finding(error))
}

fn said(finding: &Finding) -> Error {
    let help = finding.help.as_ref().map(ToString::to_string).unwrap_or_default();
    Error::failed(finding.summary.to_string(), help)
}
