//! What was found wrong or worth knowing: a code, a place, and how to mend it.
//!
//! A reader never stops at the first problem: it returns what it could read and every finding. A finding of severity
//! [`Severity::Error`] means that the value it speaks of was not used.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::language::Sentence;

/// How much a finding matters; later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// Used as it stands, but look at it.
    Warning,
    /// Not usable; the value, row or file was left out.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// Where a value stands. Absent parts do not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file as the user named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The sheet of a workbook, or the member of an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Line or row, counted from 1 with the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Column: its header in tables, its number from 1 in text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// JSON pointer (RFC 6901) or dotted TOML key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Place {
    /// A place in a file.
    pub fn file(name: impl Into<String>) -> Place {
        Place { file: Some(name.into()), ..Place::default() }
    }

    /// The same place, at a JSON pointer or TOML key.
    pub fn at(mut self, pointer: impl Into<String>) -> Place {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same place, at a row (from 1).
    pub fn row(mut self, row: u32) -> Place {
        self.row = Some(row);
        self
    }

    /// The same place, in a column.
    pub fn column(mut self, column: impl Into<String>) -> Place {
        self.column = Some(column.into());
        self
    }

    /// The same place, in a sheet.
    pub fn sheet(mut self, sheet: impl Into<String>) -> Place {
        self.sheet = Some(sheet.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.file.clone(),
            self.sheet.as_ref().map(|s| format!("sheet \"{s}\"")),
            self.row.map(|r| format!("row {r}")),
            self.column.as_ref().map(|c| format!("column {c}")),
            self.pointer.clone(),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// One thing found, with a stable code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable code, for example `INV-1203`; the letters name the part that found it, listed in `docs/errors.md`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one line, lower case, without a full stop.
    pub summary: Sentence,
    /// Where.
    #[serde(default, skip_serializing_if = "is_nowhere")]
    pub place: Place,
    /// The host it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Sentence>,
}

fn is_nowhere(place: &Place) -> bool {
    *place == Place::default()
}

impl Finding {
    /// A finding of a severity, nowhere yet.
    pub fn new(code: &str, severity: Severity, summary: impl Into<Sentence>) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            summary: summary.into(),
            place: Place::default(),
            host: None,
            help: None,
        }
    }

    /// Something that was not usable.
    pub fn error(code: &str, summary: impl Into<Sentence>) -> Finding {
        Finding::new(code, Severity::Error, summary)
    }

    /// Something used as it stands that deserves a look.
    pub fn warning(code: &str, summary: impl Into<Sentence>) -> Finding {
        Finding::new(code, Severity::Warning, summary)
    }

    /// Something worth knowing.
    pub fn info(code: &str, summary: impl Into<Sentence>) -> Finding {
        Finding::new(code, Severity::Info, summary)
    }

    /// Says where.
    pub fn at(mut self, place: Place) -> Finding {
        self.place = place;
        self
    }

    /// Says which host.
    pub fn host(mut self, host: impl Into<String>) -> Finding {
        self.host = Some(host.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<Sentence>) -> Finding {
        self.help = Some(help.into());
        self
    }
}

/// The worst severity among findings; `None` when there are none.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|f| f.severity).max()
}

/// The known name nearest to a mistyped one, if any is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&typed.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len().max(typed.len()) / 3)
        .min()
        .map(|(_, name)| name)
}
