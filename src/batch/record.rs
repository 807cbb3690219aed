//! What says that a row is finished: a file beside its plan and report, written last.

use std::path::Path;

use carafe_model::batch::Row;
use carafe_model::document;
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};

/// The name of a plan.
pub const PLAN: &str = "plan.json";
/// The name of a report.
pub const REPORT: &str = "report.html";
/// The name of a record.
pub const RECORD: &str = "record.json";

/// No record is larger; what is larger is none.
const LARGEST: u64 = 1 << 20;

/// That a row is finished, and from what.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    carafe: String,
    /// A hash of everything the files are made from.
    inputs: String,
    /// Name and SHA-256 of each file.
    outputs: Vec<(String, String)>,
    row: Row,
}

const HEADER: &str = "batch-record/1";

impl Record {
    /// Of files that were just written.
    pub fn new(inputs: &str, outputs: &[(&str, Vec<u8>)], row: &Row) -> Record {
        let outputs = outputs.iter().map(|(name, bytes)| ((*name).to_owned(), document::sha256(bytes)));
        Record {
            carafe: HEADER.to_owned(),
            inputs: inputs.to_owned(),
            outputs: outputs.collect(),
            row: row.clone(),
        }
    }

    /// The row of a folder that is finished: made from the same inputs, with every file as it was written.
    pub fn finished(folder: &Path, inputs: &str) -> Option<Row> {
        let bytes = files::read_filled(&folder.join(RECORD), LARGEST).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        let is_whole = |(name, sha256): &(String, String)| {
            let is_ours = [PLAN, REPORT].contains(&name.as_str());
            is_ours
                && files::read(&folder.join(name), u64::MAX)
                    .is_ok_and(|bytes| document::sha256(&bytes) == *sha256)
        };
        let is_finished =
            record.carafe == HEADER && record.inputs == inputs && record.outputs.iter().all(is_whole);
        is_finished.then_some(record.row)
    }

    /// Writes it; from here on the row is finished.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        let mut text = serde_json::to_string_pretty(self).expect("string keys and no failing parts");
        text.push('\n');
        files::write(&folder.join(RECORD), text.as_bytes())
    }

    /// Takes the record and its files away, so that nothing old is taken for new.
    ///
    /// # Errors
    /// When a file is there and cannot be removed.
    pub fn forget(folder: &Path) -> Result<(), FileError> {
        // The record goes first: without it the others mean nothing.
        for name in [RECORD, PLAN, REPORT] {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
                Err(source) => return Err(FileError::Unwritable { path, source }),
            }
        }
        Ok(())
    }
}
