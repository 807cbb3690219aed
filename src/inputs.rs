//! Documents from files. A file that cannot be read as a whole is an error; what is wrong in it are findings.

use std::path::{Path, PathBuf};

use carafe_inventory::InputFile;
use carafe_model::catalog::Snapshot;
use carafe_model::constraints::Unavailable;
use carafe_model::document::{self, Document};
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::plan::Plan;
use carafe_model::plan_check;
use carafe_model::policy::{Policy, SizingStrategy};
use carafe_model::policy_file;
use carafe_model::snapshot::{self, SealedSnapshot};

use crate::catalogs;
use crate::error::Error;
use crate::files::{self, FileError};

/// Reads a document.
///
/// Returns what could be read together with the bytes' findings; `None` when nothing could be used.
///
/// # Errors
/// When the file cannot be read.
pub fn document<D: Document>(path: &Path, limit: u64) -> Result<(Option<D>, Vec<Finding>), FileError> {
    Ok(document::read(&files::display_name(path), &files::read_filled(path, limit)?))
}

/// Reads a plan and checks that it agrees with itself.
///
/// # Errors
/// When the file cannot be read.
pub fn plan(path: &Path, limit: u64) -> Result<(Option<Plan>, Vec<Finding>), FileError> {
    let (plan, mut findings) = document::<Plan>(path, limit)?;
    // A plan with an entry left out contradicts itself only because of that.
    if let (Some(plan), true) = (&plan, findings.is_empty()) {
        findings.extend(plan_check::check(&files::display_name(path), plan));
    }
    Ok((plan, findings))
}

/// The value of a reading whose findings were accepted.
///
/// # Errors
/// When nothing at all could be read.
pub fn usable<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| {
        Error::failed("nothing could be read that is of use", "mend what the findings above tell of")
    })
}

/// A policy as it was read.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// What could be read; not to be planned with when there are findings.
    policy: Policy,
    /// SHA-256 of the file; of nothing without one.
    pub sha256: String,
    /// What is wrong in it.
    pub findings: Vec<Finding>,
    name: String,
    text: String,
}

impl PolicyFile {
    /// The policy of a text; `name` is what findings call it.
    pub fn of(name: String, text: String) -> PolicyFile {
        let (policy, findings) = policy_file::read(&name, &text);
        PolicyFile { policy, sha256: document::sha256(text.as_bytes()), findings, name, text }
    }

    /// Adds the entries of a price book that stands in a file of its own, behind those of the policy. The hash then is
    /// that of both hashes, one after the other.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_price_book(&mut self, path: &Path, limit: u64) -> Result<(), FileError> {
        let text = files::read_text(path, limit)?;
        let (entries, findings) = policy_file::read_price_book(&files::display_name(path), &text);
        self.policy.price_book.extend(entries);
        self.findings.extend(findings);
        let both = format!("{}{}", self.sha256, document::sha256(text.as_bytes()));
        self.sha256 = document::sha256(both.as_bytes());
        Ok(())
    }

    /// Adds what the drivers of some connections cannot make. The hash then is that of the hash and of what is added.
    pub fn add_unavailable(&mut self, unavailable: Vec<Unavailable>) {
        for entry in &unavailable {
            let names = entry.services.iter().map(|service| service.name()).collect::<Vec<_>>().join(" ");
            self.sha256 = document::sha256(format!("{}{} {names}", self.sha256, entry.provider).as_bytes());
        }
        self.policy.unavailable.extend(unavailable);
    }

    /// Sizes hosts in another way than the policy says, if it says another. The hash then is that of the hash and the way.
    pub fn size_by(&mut self, strategy: SizingStrategy) {
        if self.policy.sizing.strategy != strategy {
            self.policy.sizing.strategy = strategy;
            let way = match strategy {
                SizingStrategy::AsIs => "as-is",
                SizingStrategy::Measured => "measured",
            };
            self.sha256 = document::sha256(format!("{}{way}", self.sha256).as_bytes());
        }
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The policy. One with any mistake is none: a rule that is left out would change what the user demands.
    pub fn usable(&self) -> Option<&Policy> {
        self.findings.is_empty().then_some(&self.policy)
    }

    /// What can be said of its names and terms before planning, even while it has other mistakes.
    pub fn names(&self, estate: &Estate, catalog: &Snapshot) -> Vec<Finding> {
        let mut found = carafe_planner::names::check(estate, catalog, &self.policy);
        self.place(&mut found);
        found
    }

    /// Gives findings about keys of the policy their file, row and column.
    pub fn place(&self, findings: &mut [Finding]) {
        for finding in findings {
            let place = &finding.place;
            let is_ours =
                place.file.is_none() && place.pointer.as_ref().is_some_and(|key| !key.starts_with('/'));
            if let Some(key) = place.pointer.as_ref().filter(|_| is_ours && !self.name.is_empty()) {
                finding.place = policy_file::place_of(&self.name, &self.text, key);
            }
        }
    }
}

/// Reads a policy; without a file it is the default one.
///
/// # Errors
/// When the file cannot be read.
pub fn policy(path: Option<&Path>, limit: u64) -> Result<PolicyFile, FileError> {
    let text = match path {
        Some(path) => files::read_text(path, limit)?,
        None => String::new(),
    };
    Ok(PolicyFile::of(path.map(files::display_name).unwrap_or_default(), text))
}

/// A file with all of its bytes.
#[derive(Debug)]
pub struct ReadFile {
    /// How findings call it.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl ReadFile {
    /// The same as importers take it.
    pub fn as_input(&self) -> InputFile<'_> {
        InputFile { name: &self.name, bytes: &self.bytes }
    }
}

/// Reads files for an importer.
///
/// # Errors
/// When a file cannot be read.
pub fn files(paths: &[PathBuf], limit: u64) -> Result<Vec<ReadFile>, FileError> {
    let read = |path: &PathBuf| {
        Ok(ReadFile { name: files::display_name(path), bytes: files::read_filled(path, limit)? })
    };
    paths.iter().map(read).collect()
}

/// The files of an import; a folder stands for the exports in it, which are told by the ends of their names.
///
/// # Errors
/// When a folder cannot be listed.
pub fn exports(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    expand(paths, &["csv", "json", "tfstate", "tsv", "txt", "xlsx", "xml", "yaml", "yml"])
}

/// The logs that are given; a folder stands for those in it.
///
/// # Errors
/// When a folder cannot be listed.
pub fn logs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    expand(paths, &["csv", "gz", "json", "log", "tsv", "txt"])
}

/// The files themselves, and those of folders whose names end in one of the ends.
fn expand(paths: &[PathBuf], ends: &[&str]) -> Result<Vec<PathBuf>, FileError> {
    let is_one = |path: &PathBuf| {
        let end = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        ends.contains(&end.as_str())
    };
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => all.extend(files::list(path)?.into_iter().filter(is_one)),
            false => all.push(path.clone()),
        }
    }
    Ok(all)
}

/// Reads an estate and judges it.
///
/// # Errors
/// When the file cannot be read.
pub fn estate(path: &Path, limit: u64) -> Result<(Option<Estate>, Vec<Finding>), FileError> {
    let (estate, mut findings) = document::<Estate>(path, limit)?;
    for finding in &mut findings {
        // An export of another tool is what people try first: another JSON, or no JSON from its first byte on.
        let no_json = finding.place.row == Some(1) && finding.place.column.as_deref() == Some("1");
        if finding.code == "DOC-002" || (finding.code == "DOC-001" && no_json) {
            finding.help = Some(
                "this command reads estate documents; make one with `carafe inventory import FILE… -o estate.json`"
                    .into(),
            );
        }
    }
    if let Some(estate) = &estate {
        findings.extend(carafe_inventory::validate(estate, &files::display_name(path)));
    }
    Ok((estate, findings))
}

/// Reads a catalog: a snapshot file, a catalog database, a folder of price lists, or the one built in when there is no path.
///
/// # Errors
/// When a file cannot be read.
pub fn catalog(path: Option<&Path>, limit: u64) -> Result<(Option<SealedSnapshot>, Vec<Finding>), FileError> {
    let Some(path) = path else {
        return Ok((Some(snapshot::seal(carafe_inventory::catalog::starter()).0), Vec::new()));
    };
    if path.is_dir() {
        let paths = [path.to_owned()];
        let (catalog, findings) = import_catalog(&paths, FOLDER_FORMAT, &catalog_id(path), limit)?;
        return Ok((catalog.map(|catalog| snapshot::seal(catalog).0), findings));
    }
    if let Some(found) = catalogs::from_database(path, None) {
        return Ok(found);
    }
    match snapshot::open(&files::display_name(path), &files::read_filled(path, limit)?) {
        Ok(sealed) => Ok((Some(sealed), Vec::new())),
        Err(finding) => Ok((None, vec![*finding])),
    }
}

/// The format that a folder given as a catalog is read as.
const FOLDER_FORMAT: &str = "normalised";

/// Reads price lists; a folder stands for the tables in it (`*.csv` and `*.csv.gz`).
///
/// # Errors
/// When a file cannot be read.
pub fn import_catalog(
    paths: &[PathBuf],
    format: &str,
    id: &str,
    limit: u64,
) -> Result<(Option<Snapshot>, Vec<Finding>), FileError> {
    let all = catalogs::files_of(paths, is_table)?;
    let read = files(&all, limit)?;
    let input: Vec<InputFile<'_>> = read.iter().map(ReadFile::as_input).collect();
    Ok(carafe_inventory::catalog::import(&input, format, id))
}

/// Whether a file of a folder is a table: what explains the tables may stand beside them.
pub fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}

/// What a catalog is called after: the file or folder it is read from.
pub fn catalog_id(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let stem = whole.file_stem().filter(|_| !files::is_standard_stream(path));
    stem.map_or_else(|| "catalog".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
