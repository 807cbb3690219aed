//! Documents from files: what is refused becomes a finding, what fails is an error.

use std::path::{Path, PathBuf};

use carafe_model::document::{self, Document};
use carafe_model::finding::Finding;
use carafe_model::policy::Policy;
use carafe_model::policy_file;

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
/// # Errors
/// When the file cannot be read.
pub fn policy(path: Option<&Path>, limit: u64) -> Result<(Policy, String, Vec<Finding>), FileError> {
    let mut findings = Vec::new();
    let text = match path {
        Some(path) => refused(files::read_text(path, limit), &mut findings)?.unwrap_or_default(),
        None => String::new(),
    };
    let name = path.map(files::display_name).unwrap_or_default();
    let (policy, found) = policy_file::read(&name, &text);
    findings.extend(found);
    Ok((policy, document::sha256(text.as_bytes()), findings))
}

/// A file with all of its bytes.
#[derive(Debug)]
pub struct ReadFile {
    /// How findings call it.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
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
