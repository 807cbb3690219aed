//! Which source goes before which where two say different things of one host.
//!
//! What a person wrote goes before what tools found, and otherwise what was read first. A user may say another order, for
//! everything or for one field.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Place};

use crate::importer::Importer;
use crate::text::clip;

/// The fields of a host for which an order of their own can be given, as the estate calls them.
pub const FIELDS: [&str; 20] = [
    "app",
    "architecture",
    "cpu_model",
    "disks",
    "firewall",
    "firmware",
    "gpu",
    "inside",
    "labels",
    "memory_mib",
    "monthly_cost",
    "name",
    "nics",
    "os",
    "power",
    "public_address",
    "routes",
    "stays_because",
    "usage",
    "vcpus",
];

/// An order of sources: formats or names of files, the one that is believed first at the front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precedence {
    all: Vec<String>,
    by_field: BTreeMap<String, Vec<String>>,
}

impl Precedence {
    /// Reads orders as users write them: `ansible,rvtools`, or `memory_mib=ansible,rvtools` for one field.
    ///
    /// # Errors
    /// What is wrong, in words for the user.
    pub fn read<S: AsRef<str>>(texts: &[S]) -> Result<Precedence, String> {
        let mut read = Precedence::default();
        for text in texts {
            let text = text.as_ref();
            let (field, sources) = match text.split_once('=') {
                Some((field, sources)) => (Some(field.trim()), sources),
                None => (None, text),
            };
            let sources: Vec<String> = sources.split(',').map(|name| name.trim().to_owned()).collect();
            if sources.iter().any(String::is_empty) {
                return Err(format!("\"{}\" has a source without a name", clip(text)));
            }
            match field {
                None => read.all.extend(sources),
                Some(field) if FIELDS.contains(&field) => {
                    read.by_field.entry(field.to_owned()).or_default().extend(sources);
                }
                Some(field) => {
                    let fields = FIELDS.join(", ");
                    return Err(format!("a host has no field \"{}\"; the fields are {fields}", clip(field)));
                }
            }
        }
        Ok(read)
    }
}

/// The place of every file in the order of sources.
pub struct Ranks<'p> {
    precedence: &'p Precedence,
    files: BTreeMap<String, &'static Importer>,
}

impl<'p> Ranks<'p> {
    /// With no files yet.
    pub fn of(precedence: &'p Precedence) -> Ranks<'p> {
        Ranks { precedence, files: BTreeMap::new() }
    }

    /// Remembers what a file was read by.
    pub fn add(&mut self, file: &str, importer: &'static Importer) {
        self.files.insert(file.to_owned(), importer);
    }

    /// Whether a later account of a field goes before the one that is there.
    pub fn later_wins(&self, field: &str, there: &Place, later: &Place) -> bool {
        let (there, later) = (self.rank(field, there), self.rank(field, later));
        later < there || later == there && later == BY_HAND
    }

    fn rank(&self, field: &str, place: &Place) -> usize {
        let file = place.file.as_deref().unwrap_or_default();
        let importer = self.files.get(file);
        let order = self.precedence.by_field.get(field).unwrap_or(&self.precedence.all);
        let named = order.iter().position(|source| is_meant(source, file, importer.copied()));
        match (named, importer) {
            (Some(place), _) => 1 + place,
            (None, Some(importer)) if importer.by_hand => BY_HAND,
            (None, Some(_) | None) => 1 + order.len(),
        }
    }

    /// `INV-1107` for every name in the order that is no source of this import.
    pub fn tell_unused(&self, findings: &mut Vec<Finding>) {
        let orders = std::iter::once(&self.precedence.all).chain(self.precedence.by_field.values());
        for source in orders.flatten() {
            if !self.files.iter().any(|(file, importer)| is_meant(source, file, Some(importer))) {
                findings.push(
                    Finding::warning("INV-1107", format!("no file of this import is \"{}\"", clip(source)))
                        .help("name formats or files that are imported in the order of precedence"),
                );
            }
        }
    }
}

/// The place of what a person wrote, before all that is named.
const BY_HAND: usize = 0;

/// Whether a name in an order means a file: by the format it was read by, by its path, or by its name without folders.
fn is_meant(source: &str, file: &str, importer: Option<&Importer>) -> bool {
    let bare = file.rsplit(['/', '\\']).next().unwrap_or(file);
    source == file || source == bare || importer.is_some_and(|importer| importer.name == source)
}
