//! What clouds sell: price lists in, a [`Snapshot`] and findings out.
//!
//! [`import`] is the way in; [`CATALOG_IMPORTERS`] lists the formats it reads. The one that matters most is
//! `normalised`, Carafe's own set of CSV tables: the [`starter`] catalog inside the program is written in it, and so is
//! a rate card of one's own. A price that cannot be true (zero, negative, a placeholder) never gets into a snapshot:
//! the machine stays known but unpriced, and a finding says where and why. [`CODES`] lists all that can be found.
//!
//! Nothing here reads files or the clock. Read `normalised/mod.rs` first.

mod codes;
mod decimal;
mod findings;
mod normalised;
mod starter;
mod summary;
mod table;

use carafe_model::catalog::Snapshot;
use carafe_model::finding::{Finding, nearest};

pub use codes::CODES;
pub use starter::{STARTER_FILES, STARTER_ID, starter};
pub use summary::{CatalogSummary, ProviderSummary, summary};

use crate::InputFile;
use findings::Findings;

/// A format of price lists.
pub struct CatalogImporter {
    /// Its name, for `--as`.
    pub name: &'static str,
    /// What it reads, in one line.
    pub summary: &'static str,
    /// Reads all files of one catalog.
    read: fn(&[InputFile<'_>], &str, &mut Findings) -> Option<Snapshot>,
}

/// Every format of price lists that can be imported.
pub const CATALOG_IMPORTERS: &[CatalogImporter] = &[CatalogImporter {
    name: "normalised",
    summary: "Carafe's own CSV tables (regions, specs, prices, …), plain or gzip, known by their headers",
    read: normalised::read,
}];

/// Reads price lists of one format into a snapshot called `id`, with everything worth knowing about them.
///
/// The snapshot is `None` when the format is unknown (`CAT-1001`) or nothing usable came of the files (`CAT-1002`).
/// Rows that cannot be used are left out and reported, each with its place.
pub fn import(files: &[InputFile<'_>], format: &str, id: &str) -> (Option<Snapshot>, Vec<Finding>) {
    let Some(importer) = CATALOG_IMPORTERS.iter().find(|importer| importer.name == format) else {
        let names: Vec<&str> = CATALOG_IMPORTERS.iter().map(|importer| importer.name).collect();
        let help = match nearest(format, names.iter().copied()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("the formats are: {}", names.join(", ")),
        };
        let summary = format!("there is no catalog format called \"{}\"", findings::clip(format));
        return (None, vec![Finding::error("CAT-1001", summary).help(help)]);
    };
    let mut findings = Findings::default();
    let snapshot = (importer.read)(files, id, &mut findings);
    (snapshot, findings.finish())
}
