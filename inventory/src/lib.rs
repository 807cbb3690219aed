//! Carafe's inventory: bytes in, documents and findings out.
//!
//! [`import`] reads files of any known format into one estate. Its way is on one screen below: each file is recognised
//! by an entry of [`IMPORTERS`] and read into raw hosts, in which everything is optional and keeps its place ([`raw`]);
//! the same machine in several files becomes one host ([`merge`]); references find their hosts ([`resolve`]); and the
//! result is looked over ([`validate()`]). [`catalog`] does the same for what clouds sell.
//!
//! Nothing here touches the world: no files, no network, no clock. No bytes can make it panic, loop, or use memory out
//! of proportion; whatever is wrong becomes a finding with a code of [`CODES`], and all findings come at once.

pub mod input;

mod codes;

pub mod importer;

pub mod raw;

pub mod importers;

pub mod collected;

pub mod json;

pub mod yaml;

pub mod encoding;

pub mod glance;

pub mod table;

pub mod delimited;

pub mod workbook;

pub mod xml;

pub mod shapes;

pub mod series;

pub mod names;

pub mod flows;

pub mod usage;

pub mod anonymise;

pub mod graph;

pub mod text;

pub mod number;

pub mod normalise;

pub mod limits;

pub mod merge;

mod unite;

pub mod resolve;

pub mod precedence;

pub mod overrides;

mod validate;

pub mod catalog;

use std::collections::BTreeMap;

use carafe_model::document::{parse, sha256};
use carafe_model::estate::{Estate, Source};
use carafe_model::finding::{Finding, Place, nearest};
use carafe_model::ids::HostId;
use carafe_model::overrides::Overrides;

pub use codes::CODES;
pub use glance::Glance;
pub use importer::{IMPORTERS, Importer, Read, Reading};
pub use input::InputFile;
pub use precedence::Precedence;
pub use validate::validate;

use importers::honeybee::looks_like_json;
use merge::FileRead;
use precedence::Ranks;
use text::clip;

/// What came of an import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The estate; `None` when no file could be used.
    pub estate: Option<Estate>,
    /// All that was found, in the order of the files and then of the whole.
    pub findings: Vec<Finding>,
}

/// How an import is wanted, where it is not as usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The format of every file; recognised in each when absent.
    pub format: Option<&'a str>,
    /// What readers may need beside the files.
    pub reading: Reading<'a>,
    /// Which source goes before which; the first file, and what a person wrote, when absent.
    pub precedence: Option<&'a Precedence>,
    /// Changes by hand and the file they are from, put on what was imported.
    pub overrides: Option<(&'a Overrides, &'a str)>,
}

/// Reads files into one estate of this name. Without a `format` each file's own is recognised.
///
/// What the first file says of a host stays and later files fill in what is missing; but a document of Carafe itself
/// goes before the others, since a person wrote it. Hosts are sorted by id, so the order of rows does not matter.
pub fn import(files: &[InputFile<'_>], format: Option<&str>, name: &str) -> Import {
    import_as(files, name, &Wanted { format, ..Wanted::default() })
}

/// The same as it is wanted.
pub fn import_as(files: &[InputFile<'_>], name: &str, wanted: &Wanted<'_>) -> Import {
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    let mut reads = Vec::new();
    let usual = Precedence::default();
    let mut ranks = Ranks::of(wanted.precedence.unwrap_or(&usual));
    for (importer, files) in grouped(files, wanted.format, &mut findings) {
        files.iter().for_each(|file| ranks.add(file.name, importer));
        let raw = match importer.read {
            Read::Each(read) => read(&files[0], &wanted.reading, &mut findings),
            Read::Together(read) => read(&files, &wanted.reading, &mut findings),
        };
        let Some(mut raw) = raw else { continue };
        sources.append(&mut raw.sources);
        sources.extend(files.iter().map(|file| source(file, importer)));
        reads.push(FileRead { raw, importer });
    }
    ranks.tell_unused(&mut findings);
    if reads.is_empty() {
        return Import { estate: None, findings };
    }
    let merged = merge::hosts(&mut reads, &ranks, &mut findings);
    let places: BTreeMap<HostId, Place> =
        merged.hosts.iter().map(|host| (host.id.clone(), host.host.place.clone())).collect();
    let mut estate = resolve::estate(name, sources, reads, merged, &ranks, &mut findings);
    if let Some((changes, file)) = wanted.overrides {
        overrides::apply(&mut estate, changes, file, &mut findings);
    }
    let mut of_whole = validate(&estate, name);
    // Merging tells of names that repeat, with the place of each.
    of_whole.retain(|finding| finding.code != "INV-1221");
    for finding in &mut of_whole {
        finding.place = place_in_source(&finding.place, &estate, &places, files);
    }
    findings.extend(of_whole);
    Import { estate: Some(estate), findings }
}

/// The files by importer, in order; files that are read together stand at the place of the first of them.
fn grouped<'a>(
    files: &[InputFile<'a>],
    format: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Vec<(&'static Importer, Vec<InputFile<'a>>)> {
    let mut groups: Vec<(&'static Importer, Vec<InputFile<'a>>)> = Vec::new();
    for file in files {
        let Some(importer) = recognise(file, format, findings) else { continue };
        let same = groups.iter_mut().find(|(known, _)| known.name == importer.name);
        match (same, &importer.read) {
            (Some((_, group)), Read::Together(_)) => group.push(*file),
            (Some(_) | None, Read::Each(_) | Read::Together(_)) => groups.push((importer, vec![*file])),
        }
    }
    groups
}

/// Where a value of the estate stands in the files it was read from: its host's place, or else the only file.
fn place_in_source(
    place: &Place,
    estate: &Estate,
    hosts: &BTreeMap<HostId, Place>,
    files: &[InputFile<'_>],
) -> Place {
    let pointer = place.pointer.as_deref().unwrap_or_default();
    let of_host = pointer.strip_prefix("/hosts/").and_then(|rest| {
        let (index, field) = rest.split_once('/').unwrap_or((rest, ""));
        let source = hosts.get(&estate.hosts.get(index.parse::<usize>().ok()?)?.id)?.clone();
        // Only an estate document calls its fields as the estate does.
        let is_estate = source.pointer.as_ref().is_some_and(|pointer| pointer.starts_with("/hosts/"));
        match (&source.pointer, is_estate && !field.is_empty()) {
            (Some(host), true) => Some(source.clone().at(format!("{host}/{field}"))),
            (Some(_) | None, _) => Some(source),
        }
    });
    match (of_host, files) {
        (Some(place), _) => place,
        (None, [only]) => Place::file(only.name),
        (None, _) => Place::default(),
    }
}

/// The importer of the asked format, or else of the first format the file looks like.
fn recognise(
    file: &InputFile<'_>,
    format: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Option<&'static Importer> {
    let names = || IMPORTERS.iter().map(|importer| importer.name);
    let place = Place::file(file.name);
    if let Some(format) = format {
        let found = IMPORTERS.iter().find(|importer| importer.name == format);
        if found.is_none() {
            let help = match nearest(format, names()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the formats are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let what = format!("there is no format \"{}\"", clip(format));
            findings.push(Finding::error("INV-1001", what).at(place).help(help));
        }
        return found;
    }
    let glance = Glance::at(*file);
    let found = IMPORTERS.iter().find(|importer| (importer.sniff)(&glance));
    if found.is_none() {
        let before = findings.len();
        if looks_like_json(file.bytes) && parse(file.name, file.bytes, findings).is_none() {
            return None;
        }
        findings.truncate(before);
        findings.push(match () {
            () if file.bytes.is_empty() => {
                Finding::error("INV-1010", "the file is empty").at(place).help("copy or export it again")
            }
            () => Finding::error("INV-1002", "no importer knows this file").at(place).help(format!(
                "the formats are {}; name one if it is one of them",
                names().collect::<Vec<_>>().join(", ")
            )),
        });
    }
    found
}

fn source(file: &InputFile<'_>, importer: &Importer) -> Source {
    let name = file.name.rsplit(['/', '\\']).next().unwrap_or(file.name);
    Source { file: name.to_owned(), format: importer.name.to_owned(), sha256: sha256(file.bytes) }
}
