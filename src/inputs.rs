//! Documents from files: what is refused becomes a finding, what fails is an error.

use std::path::{Path, PathBuf};

use carafe_inventory::InputFile;
use carafe_model::catalog::Snapshot;
use carafe_model::document::{self, Document};
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::policy::Policy;
use carafe_model::policy_file;
use carafe_model::snapshot::{self, SealedSnapshot};

use crate::error::Error;
use crate::files::{self, FileError};

/// Lets a refused file become a finding, and a failure an error.
///
/// # Errors
/// When the operating system failed.
fn refused<T>(result: Result<T, FileError>, findings: &mut Vec<Finding>) -> Result<Option<T>, FileError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_failure() => Err(error),
        Err(error) => {
            findings.push(error.to_finding());
            Ok(None)
        }
    }
}

/// Reads a document.
///
/// Returns what could be read together with the bytes' findings; `None` when nothing could be used.
///
/// # Errors
/// When the file cannot be read.
pub fn document<D: Document>(path: &Path, limit: u64) -> Result<(Option<D>, Vec<Finding>), FileError> {
    let mut findings = Vec::new();
    let Some(bytes) = refused(files::read_filled(path, limit), &mut findings)? else {
        return Ok((None, findings));
    };
    Ok(document::read(&files::display_name(path), &bytes))
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

/// Reads a policy and the SHA-256 of its file; without a file it is the default one.
///
/// A policy with any mistake is none: a rule that is left out would change what the user demands.
///
/// # Errors
/// When the file cannot be read.
pub fn policy(path: Option<&Path>, limit: u64) -> Result<(Option<Policy>, String, Vec<Finding>), FileError> {
    let mut findings = Vec::new();
    let text = match path {
        Some(path) => refused(files::read_text(path, limit), &mut findings)?.unwrap_or_default(),
        None => String::new(),
    };
    let name = path.map(files::display_name).unwrap_or_default();
    let (policy, found) = policy_file::read(&name, &text);
    findings.extend(found);
    Ok((findings.is_empty().then_some(policy), document::sha256(text.as_bytes()), findings))
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

/// Reads files for an importer; those that are refused are left out with a finding.
///
/// # Errors
/// When a file cannot be read.
pub fn files(paths: &[PathBuf], limit: u64) -> Result<(Vec<ReadFile>, Vec<Finding>), FileError> {
    let mut findings = Vec::new();
    let mut read = Vec::new();
    for path in paths {
        if let Some(bytes) = refused(files::read_filled(path, limit), &mut findings)? {
            read.push(ReadFile { name: files::display_name(path), bytes });
        }
    }
    Ok((read, findings))
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

/// Reads a catalog: a snapshot file, a folder of price lists, or the one built in when there is no path.
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
    let mut findings = Vec::new();
    let Some(bytes) = refused(files::read_filled(path, limit), &mut findings)? else {
        return Ok((None, findings));
    };
    match snapshot::open(&files::display_name(path), &bytes) {
        Ok(sealed) => Ok((Some(sealed), findings)),
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
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => all.extend(files::list(path)?.into_iter().filter(|file| is_table(file))),
            false => all.push(path.clone()),
        }
    }
    let (read, mut findings) = files(&all, limit)?;
    let input: Vec<InputFile<'_>> = read.iter().map(ReadFile::as_input).collect();
    let (catalog, found) = carafe_inventory::catalog::import(&input, format, id);
    findings.extend(found);
    Ok((catalog, findings))
}

/// Whether a file of a folder is a table: what explains the tables may stand beside them.
fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}

/// What a catalog is called after: the file or folder it is read from.
pub fn catalog_id(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let stem = whole.file_stem().filter(|_| !files::is_standard_stream(path));
    stem.map_or_else(|| "catalog".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
