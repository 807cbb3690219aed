//! Catalogs from wherever they are: price lists as files, and the catalog database.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carafe_inventory::catalog::{ExchangeRate, Imported, PriceFile, Request, import_lists, merge};
use carafe_model::catalog::Snapshot;
use carafe_model::finding::Finding;
use carafe_model::snapshot::{self, SealedSnapshot};
use carafe_model::units::Currency;

use crate::files::{self, FileError};
use crate::settings;
use crate::store::catalog::{CatalogError, CatalogLocation, CatalogStore, Part};
use crate::store::postgres::DatabaseUrl;

/// What is wrong with a catalog database: code, summary, what to do.
pub const CODES: [(&str, &str, &str); 3] = [
    (
        "CAT-3001",
        "the catalog database cannot be used",
        "check the path or address, and that the server can be reached",
    ),
    (
        "CAT-3002",
        "the address of a catalog database is wrong",
        "write it as postgres://USER@HOST:PORT/DATABASE",
    ),
    (
        "CAT-3003",
        "nothing was imported into the catalog database yet",
        "import price lists with `carafe catalog import FILE… --catalog DATABASE`",
    ),
];

/// The format of parts that hold exchange rates.
pub const RATES: &str = "exchange-rates";
/// How a file of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";
/// What findings call the standard streams.
const STDIN_NAME: &str = "standard input";

/// A database that a text names: an address, `env:NAME` for a variable with one, or a file of SQLite that is there.
///
/// # Errors
/// `CAT-3002` for an address that is none.
pub fn location(path: &Path) -> Result<Option<CatalogLocation>, Box<Finding>> {
    let text = path.to_string_lossy();
    let refuse = |what: String| {
        let help =
            "write postgres://USER@HOST:PORT/DATABASE without the password, or name a variable with env:NAME";
        Box::new(Finding::error("CAT-3002", what).help(help))
    };
    if let Some(name) = text.strip_prefix("env:") {
        let Some(value) = settings::variable(name).filter(|value| !value.is_empty()) else {
            return Err(refuse(format!("the variable {name} is not set")));
        };
        return match DatabaseUrl::is_one(&value) {
            true => match DatabaseUrl::secret(&value) {
                Ok(url) => Ok(Some(CatalogLocation::Database(Box::new(url)))),
                Err(error) => Err(refuse(error.to_string())),
            },
            false => location(Path::new(&value)),
        };
    }
    if DatabaseUrl::is_one(&text) {
        return match DatabaseUrl::public(&text) {
            Ok(url) => Ok(Some(CatalogLocation::Database(Box::new(url)))),
            Err(error) => Err(refuse(error.to_string())),
        };
    }
    let mut start = [0; SQLITE.len()];
    let is_database =
        File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == SQLITE);
    Ok(is_database.then(|| CatalogLocation::File(path.to_owned())))
}

/// The catalog of a database; `None` when the path names none.
pub fn from_database(path: &Path, revision: Option<i64>) -> Option<(Option<SealedSnapshot>, Vec<Finding>)> {
    match location(path) {
        Ok(None) => None,
        Ok(Some(location)) => Some(match wait(load(&location, revision)) {
            Ok((number, parts)) => join(&format!("revision-{number}"), parts),
            Err(error) => (None, vec![finding(&error)]),
        }),
        Err(finding) => Some((None, vec![*finding])),
    }
}

async fn load(location: &CatalogLocation, revision: Option<i64>) -> Result<(i64, Vec<Part>), CatalogError> {
    CatalogStore::open(location, false).await?.load(revision).await
}

/// What is said when a database does not do what it was asked.
pub fn finding(error: &CatalogError) -> Finding {
    let (code, _, help) = match error {
        CatalogError::Empty { .. } => CODES[2],
        CatalogError::Newer { .. } | CatalogError::NoRevision { .. } | CatalogError::Unusable { .. } => {
            CODES[0]
        }
    };
    Finding::error(code, error.to_string()).help(help)
}

/// Waits for what a database answers, on whatever thread this is.
pub fn wait<F: Future>(future: F) -> F::Output {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.block_on(future),
        Err(_) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the operating system gives a program its first thread")
            .block_on(future),
    }
}

/// Joins the parts of a revision: in the one currency of all of them, else in dollars.
pub fn join(id: &str, parts: Vec<Part>) -> (Option<SealedSnapshot>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut catalogs = Vec::new();
    let mut rates = Vec::new();
    for part in parts {
        if part.format == RATES {
            rates.extend(serde_json::from_slice::<Vec<ExchangeRate>>(&part.body).unwrap_or_default());
            continue;
        }
        match snapshot::open(&part.format, &part.body) {
            Ok(sealed) => catalogs.push(sealed.catalog),
            Err(finding) => findings.push(*finding),
        }
    }
    let first = catalogs.first().map(|catalog: &Snapshot| catalog.currency).unwrap_or_default();
    let is_one = catalogs.iter().all(|catalog| catalog.currency == first);
    let (joined, told) = merge(id, catalogs, if is_one { first } else { Currency::USD }, &rates);
    findings.extend(told);
    (joined.map(|joined| snapshot::seal(joined).0), findings)
}

/// Exchange rates as a part of a catalog: one for each pair of currencies, so that a newer one takes an older one's place.
pub fn rates_part(rate: &ExchangeRate) -> Part {
    Part {
        format: RATES.to_owned(),
        covers: [format!("{}/{}", rate.from, rate.to)].into(),
        body: serde_json::to_vec(&[rate]).expect("texts and numbers"),
    }
}

/// What was imported as parts of a catalog.
pub fn parts_of(imported: Vec<Imported>) -> Vec<Part> {
    let part = |imported: Imported| {
        let catalog = imported.snapshot;
        let mut covers: std::collections::BTreeSet<String> =
            catalog.regions.indices().map(|region| catalog.region_path(region)).collect();
        covers.extend(catalog.providers.iter().map(|provider| provider.name.to_string()));
        Part { format: imported.format.to_owned(), covers, body: snapshot::seal(catalog).1 }
    };
    imported.into_iter().map(part).collect()
}

/// The files that paths stand for; of a folder those that are `wanted`.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_of(paths: &[PathBuf], wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, FileError> {
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => all.extend(files::list(path)?.into_iter().filter(|file| wanted(file))),
            false => all.push(path.clone()),
        }
    }
    Ok(all)
}

/// Whether a file of a folder may be a price list.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".csv", ".json", ".jsonl", ".toml"].iter().any(|ending| name.ends_with(ending))
}

/// Reads price lists as streams. Lists that tell no date are of the day their file was written.
///
/// # Errors
/// When a file cannot be opened or is larger than the limit.
pub fn import(
    paths: &[PathBuf],
    format: Option<&str>,
    request: &Request<'_>,
    limit: u64,
) -> Result<(Vec<Imported>, Vec<Finding>), FileError> {
    let paths = files_of(paths, is_list)?;
    let names: Vec<String> = paths.iter().map(|path| files::display_name(path)).collect();
    let mut opened = Vec::new();
    let mut newest = UNIX_EPOCH;
    for (path, name) in paths.iter().zip(&names) {
        if files::is_standard_stream(path) {
            opened.push(PriceFile { name: STDIN_NAME, bytes: Box::new(std::io::stdin().lock().take(limit)) });
            continue;
        }
        let refused = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => FileError::Missing { path: path.clone() },
            _ => FileError::Unreadable { path: path.clone(), source },
        };
        let file = File::open(path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        if metadata.len() > limit {
            return Err(FileError::TooLarge { path: path.clone(), limit });
        }
        newest = newest.max(metadata.modified().unwrap_or(UNIX_EPOCH));
        opened.push(PriceFile { name, bytes: Box::new(file) });
    }
    let written = if newest > UNIX_EPOCH { date(newest) } else { String::new() };
    let as_of = if request.as_of.is_empty() { written.as_str() } else { request.as_of };
    Ok(import_lists(opened, format, &Request { as_of, ..*request }))
}

/// The day of a moment, in UTC.
pub fn date(moment: SystemTime) -> String {
    let millis = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis();
    crate::run_id::rfc3339(i64::try_from(millis).unwrap_or(i64::MAX))[..10].to_owned()
}
