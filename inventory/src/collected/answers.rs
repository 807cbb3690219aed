//! What an API or a program answered, kept word for word, for the importer that reads its format.
//!
//! `{"carafe_collection": "kubernetes/1", "answers": [{"name": …, "text": …}]}`. The names of the answers are those of
//! the files in findings.

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::vsphere;
use crate::glance::Glance;
use crate::importer::Reading;
use crate::importers::{kubernetes, libvirt};
use crate::input::InputFile;
use crate::raw::RawEstate;
use crate::text::clip;

type Reader = fn(&[InputFile<'_>], &Reading<'_>, &mut Vec<Finding>) -> Option<RawEstate>;

/// The kinds of collections with the reader of their answers, as an importer has it for files.
const KINDS: [(&str, Reader); 3] =
    [("kubernetes/1", kubernetes::read), ("libvirt/1", libvirt::read), ("vsphere/1", vsphere::read)];

/// Answers in the order in which they came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Collection {
    /// Kind and version of this document, for example `kubernetes/1`.
    pub carafe_collection: String,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked, in a few words.
    pub name: String,
    /// The answer itself.
    pub text: String,
}

impl Collection {
    /// A collection from a source such as `kubernetes`.
    pub fn new(source: &str, answers: Vec<Answer>) -> Collection {
        Collection { carafe_collection: format!("{source}/1"), answers }
    }
}

/// Whether it is a collection of answers.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["carafe_collection", "answers"])
}

/// Reads a collection with the reader of its kind (`INV-8002` when there is none, `INV-8005` when there is nothing
/// in it).
pub fn read(file: &InputFile<'_>, with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let value = document::parse(file.name, file.bytes, findings)?;
    let kind = value.get("carafe_collection").and_then(Value::as_str).unwrap_or_default();
    let Some((_, reader)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        findings.push(
            Finding::error("INV-8002", "the file is no collection of a kind that this version knows")
                .at(Place::file(file.name).at("/carafe_collection"))
                .help("collect again, or read the file with the version that wrote it"),
        );
        return None;
    };
    let entries = value.get("answers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let answers: Vec<(String, String)> = entries
        .iter()
        .filter_map(|entry| Some((clip(&text(entry, "name")?), text(entry, "text")?)))
        .collect();
    drop(value);
    if answers.is_empty() {
        findings.push(
            Finding::error("INV-8005", "the collection has no answers")
                .at(Place::file(file.name).at("/answers"))
                .help("collect again"),
        );
        return None;
    }
    let files: Vec<InputFile<'_>> =
        answers.iter().map(|(name, text)| InputFile { name, bytes: text.as_bytes() }).collect();
    reader(&files, with, findings)
}
