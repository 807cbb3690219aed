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
mod diff;
mod find;
mod findings;
mod gates;
mod importers;
mod listing;
mod merge;
mod normalised;
mod outliers;
mod places;
mod sources;
mod starter;
mod stream;
mod summary;
mod table;

use std::io::Read as _;

use carafe_model::catalog::Snapshot;
use carafe_model::finding::{Finding, Place, nearest};

pub use codes::CODES;
pub use diff::{CatalogDiff, PlanChange, PriceChange, ProviderChange, diff, plan_change};
pub use find::{Found, Quality, Wanted, find, quality};
pub use importers::{CATALOG_IMPORTERS, CatalogImporter, Request};
pub use merge::{ExchangeRate, exchange, merge};
pub use starter::{STARTER_FILES, STARTER_ID, starter};
pub use stream::PriceFile;
pub use summary::{CatalogSummary, ProviderSummary, summary};

use crate::InputFile;
use findings::Findings;
use listing::Listing;
use stream::Opened;

/// Reads tables of Carafe's own format into a snapshot called `id`, with everything worth knowing about them.
///
/// The snapshot is `None` when the format is unknown (`CAT-1001`) or nothing usable came of the files (`CAT-1002`).
/// Rows that cannot be used are left out and reported, each with its place.
pub fn import(files: &[InputFile<'_>], format: &str, id: &str) -> (Option<Snapshot>, Vec<Finding>) {
    if format == NORMALISED {
        let mut findings = Findings::default();
        let snapshot = normalised::read(files, id, &mut findings);
        return (snapshot, findings.finish());
    }
    let files = files.iter().map(|file| PriceFile { name: file.name, bytes: Box::new(file.bytes) });
    let request = Request { id, ..Request::default() };
    let (snapshots, findings) = import_lists(files.collect(), Some(format), &request);
    (snapshots.into_iter().next().map(|imported| imported.snapshot), findings)
}

/// Whether a text is a day: `2026-11-20`.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && normalised::is_date(text)
}

/// What all files of one format came to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The name of the format.
    pub format: &'static str,
    /// What they say together.
    pub snapshot: Snapshot,
}

/// The format that is Carafe's own.
const NORMALISED: &str = "normalised";

/// Reads price lists as streams: of one format, or of whatever each file is. There is a snapshot for each format, since
/// lists of two formats may be in two currencies; [`merge()`] makes one of them.
///
/// There is none when the format is unknown (`CAT-1001`) or nothing usable came of the files (`CAT-1002`).
pub fn import_lists(
    files: Vec<PriceFile<'_>>,
    format: Option<&str>,
    request: &Request<'_>,
) -> (Vec<Imported>, Vec<Finding>) {
    let mut findings = Findings::default();
    let named = match format.map(importer_called).transpose() {
        Ok(named) => named,
        Err(finding) => return (Vec::new(), vec![*finding]),
    };
    let mut groups: Vec<Vec<Opened<'_>>> = CATALOG_IMPORTERS.iter().map(|_| Vec::new()).collect();
    let first = files.first().map_or("", |file| file.name).to_owned();
    for file in files {
        match stream::open(file) {
            Ok(file) => match named.or_else(|| recognise(&file.head)) {
                Some(at) => groups[at].push(file),
                None => findings.push(unrecognised(&file)),
            },
            Err(finding) => findings.push(*finding),
        }
    }
    let mut snapshots = Vec::new();
    for (importer, group) in CATALOG_IMPORTERS.iter().zip(groups) {
        if group.is_empty() {
            continue;
        }
        let Some(read) = importer.read else {
            let snapshot = read_tables(group, request.id, &mut findings);
            snapshots.extend(snapshot.map(|snapshot| Imported { format: importer.name, snapshot }));
            continue;
        };
        let name = group[0].name.to_owned();
        let mut listing = Listing::default();
        read(group, request, &mut listing, &mut findings);
        match listing.finish(request.id, &name, &mut findings) {
            Some(snapshot) => snapshots.push(Imported { format: importer.name, snapshot }),
            None => {
                let summary = format!("nothing of the format {} is in the file", importer.name);
                let finding = Finding::error("CAT-2008", summary).at(Place::file(name));
                findings.push(finding.help("name another format with --as, or ask the provider again"));
            }
        }
    }
    if snapshots.is_empty() {
        let summary = "no catalog came of these files: nothing in them is usable";
        let help = "mend what the findings above tell of, or name the format with --as";
        findings.push(Finding::error("CAT-1002", summary).at(Place::file(first)).help(help));
    }
    (snapshots, findings.finish())
}

fn importer_called(name: &str) -> Result<usize, Box<Finding>> {
    CATALOG_IMPORTERS.iter().position(|importer| importer.name == name).ok_or_else(|| {
        let names: Vec<&str> = CATALOG_IMPORTERS.iter().map(|importer| importer.name).collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("the formats are: {}", names.join(", ")),
        };
        let summary = format!("there is no catalog format called \"{}\"", findings::clip(name));
        Box::new(Finding::error("CAT-1001", summary).help(help))
    })
}

fn recognise(head: &str) -> Option<usize> {
    CATALOG_IMPORTERS.iter().position(|importer| (importer.recognises)(head))
}

fn unrecognised(file: &Opened<'_>) -> Finding {
    let line = findings::clip(file.head.lines().next().unwrap_or_default());
    let summary = format!("no known price list begins like this: {line}");
    let names: Vec<&str> = CATALOG_IMPORTERS.iter().map(|importer| importer.name).collect();
    let help = format!("name the format with --as; there are {}", names.join(", "));
    Finding::error("CAT-2005", summary).at(Place::file(file.name)).help(help)
}

/// Reads tables, which point at one another and so are held as a whole.
fn read_tables(files: Vec<Opened<'_>>, id: &str, findings: &mut Findings) -> Option<Snapshot> {
    let mut left = table::LARGEST_TEXT;
    let mut texts = Vec::new();
    for file in files {
        let mut text = Vec::new();
        match file.text.take(left + 1).read_to_end(&mut text) {
            Ok(_) => {
                left = left.saturating_sub(text.len() as u64);
                texts.push((file.name, text));
            }
            Err(error) => findings.push(*stream::broken(file.name, &error)),
        }
    }
    let files: Vec<InputFile<'_>> =
        texts.iter().map(|(name, text)| InputFile { name, bytes: text }).collect();
    normalised::read(&files, id, findings)
}
