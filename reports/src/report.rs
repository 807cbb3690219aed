//! The one list of reports.

use carafe_model::language::Language;
use carafe_model::plan::Plan;

use crate::render;

/// A form in which a plan can be said.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// What the command line calls it.
    pub name: &'static str,
    /// The usual end of its file name, without the dot.
    pub extension: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Writes the whole file. It cannot fail: a report needs nothing but the plan.
    pub render: fn(&Plan, Language) -> Vec<u8>,
}

/// Columns of the text report when it is written to a file.
const FILE_WIDTH: usize = 100;

/// Every report, in the order in which help lists them.
pub const REPORTS: &[Report] = &[
    Report {
        name: "html",
        extension: "html",
        summary: "the whole plan in one self-contained file, to read, print and hand on",
        render: |plan, language| render::html::html(plan, language).into_bytes(),
    },
    Report {
        name: "xlsx",
        extension: "xlsx",
        summary: "a workbook whose totals are formulas over the bill",
        render: render::xlsx::xlsx,
    },
    Report {
        name: "json",
        extension: "json",
        summary: "the same tables for programs, every digit kept",
        render: |plan, language| render::json::json(plan, language).into_bytes(),
    },
    Report {
        name: "markdown",
        extension: "md",
        summary: "the answer and its tables for wikis and tickets",
        render: |plan, language| render::markdown::markdown(plan, language).into_bytes(),
    },
    Report {
        name: "text",
        extension: "txt",
        summary: "the short answer in plain text",
        render: |plan, language| render::text::text(plan, FILE_WIDTH, language).into_bytes(),
    },
];

impl Report {
    /// The report of a name.
    pub fn named(name: &str) -> Option<&'static Report> {
        REPORTS.iter().find(|report| report.name == name)
    }
}
