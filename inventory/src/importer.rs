//! The one list of estate formats, and what each brings.

use carafe_model::finding::Finding;

use crate::importers::{carafe, honeybee, rvtools};
use crate::input::InputFile;
use crate::raw::RawEstate;

/// A format that estates are read from.
pub struct Importer {
    /// What users call it, for example with `--as`.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Whether a person writes such files, so that what they say goes before what tools found.
    pub by_hand: bool,
    /// Whether the file looks like this format, at a glance.
    pub sniff: fn(&InputFile<'_>) -> bool,
    /// Reads a file of this format; `None` when nothing in it can be used. Never panics, whatever the bytes.
    pub read: fn(&InputFile<'_>, &mut Vec<Finding>) -> Option<RawEstate>,
}

/// Every format, in the order in which they are tried: the more particular first.
pub const IMPORTERS: &[Importer] = &[
    Importer {
        name: "carafe",
        summary: "Carafe's own estate document (JSON, estate/1), also to add by hand what an export lacks",
        by_hand: true,
        sniff: carafe::sniff,
        read: carafe::read,
    },
    Importer {
        name: "honeybee",
        summary: "on-premises infrastructure model of cm-honeybee (JSON), refined or as collected",
        by_hand: false,
        sniff: honeybee::sniff,
        read: honeybee::read,
    },
    Importer {
        name: "rvtools",
        summary: "RVTools workbook of a VMware estate (XLSX)",
        by_hand: false,
        sniff: rvtools::sniff,
        read: rvtools::read,
    },
];
