//! What a batch is made of: the files that a manifest names, or those of a folder by what is in them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use carafe_model::document::Document;
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::policy_file::manifest::{self, Pattern};

use crate::files::{self, FileError};
use crate::inputs::{self, ReadFile};

/// The manifest of a folder.
pub const MANIFEST: &str = "batch.toml";

/// A thing under a name, of one file or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Unique among its kind.
    pub name: String,
    /// Its files.
    pub files: Vec<PathBuf>,
}

impl Source {
    fn one(path: PathBuf) -> Source {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Source { name: stem, files: vec![path] }
    }

    /// Reads its files.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(&self, limit: u64) -> Result<Vec<ReadFile>, FileError> {
        inputs::files(&self.files, limit)
    }
}

/// All that a batch is made of.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The estates.
    pub estates: Vec<Source>,
    /// The policies.
    pub policies: Vec<Source>,
    /// The catalogs.
    pub catalogs: Vec<Source>,
    /// Files of a folder that are none of these.
    pub skipped: u32,
    /// What is wrong with the manifest.
    pub findings: Vec<Finding>,
}

/// Finds what a manifest or a folder asks for; `out` is left out, wherever it is.
///
/// # Errors
/// When the manifest or a folder cannot be read.
pub fn find(path: &Path, out: &Path, limit: u64) -> Result<Found, FileError> {
    let in_folder = path.join(MANIFEST);
    let mut found = match path.is_dir() {
        true if in_folder.is_file() => of_manifest(&in_folder, limit)?,
        true => of_folder(path, out)?,
        false => of_manifest(path, limit)?,
    };
    for list in [&mut found.estates, &mut found.policies, &mut found.catalogs] {
        list.sort_by(|a, b| (&a.name, &a.files).cmp(&(&b.name, &b.files)));
        give_own_names(list);
    }
    if found.estates.is_empty() && found.findings.is_empty() {
        found.findings.push(
            Finding::error("BAT-002", "there is no estate")
                .at(carafe_model::finding::Place::file(files::display_name(path)))
                .help(manifest::CODES[1].2),
        );
    }
    Ok(found)
}

/// Lets files of one name in several folders keep apart by the names of their folders.
fn give_own_names(list: &mut [Source]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for source in list {
        let mut folder = source.files.first().and_then(|file| file.parent());
        while taken.contains(&source.name) {
            let name = folder.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            source.name = if name.is_empty() {
                format!("{}-2", source.name)
            } else {
                format!("{name}-{}", source.name)
            };
            folder = folder.and_then(Path::parent);
        }
        taken.insert(source.name.clone());
    }
}

fn of_manifest(path: &Path, limit: u64) -> Result<Found, FileError> {
    let text = files::read_text(path, limit)?;
    let (manifest, findings) = manifest::read(&files::display_name(path), &text);
    let mut found = Found { findings, ..Found::default() };
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    let Found { estates, policies, catalogs, findings, .. } = &mut found;
    for (patterns, list) in
        [(&manifest.estates, &mut *estates), (&manifest.policies, policies), (&manifest.catalogs, catalogs)]
    {
        for pattern in patterns {
            list.extend(fitting(&base, pattern, findings)?.into_iter().map(Source::one));
        }
    }
    for (name, patterns) in &manifest.named {
        let mut of_estate = Vec::new();
        for pattern in patterns {
            of_estate.extend(fitting(&base, pattern, findings)?);
        }
        if estates.iter().any(|estate| estate.name == *name) {
            let place = patterns.first().map(|pattern| pattern.place.clone()).unwrap_or_default();
            findings.push(
                Finding::error("BAT-003", format!("there is another estate \"{name}\""))
                    .at(place)
                    .help(manifest::CODES[2].2),
            );
        }
        estates.push(Source { name: name.clone(), files: of_estate });
    }
    Ok(found)
}

/// The files that a pattern fits, by name; a path without `*` is itself, whether it is there or not.
fn fitting(base: &Path, pattern: &Pattern, findings: &mut Vec<Finding>) -> Result<Vec<PathBuf>, FileError> {
    if !pattern.text.contains('*') {
        return Ok(vec![base.join(&pattern.text)]);
    }
    let parts: Vec<&str> = pattern.text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let start = if pattern.text.starts_with('/') { PathBuf::from("/") } else { base.to_owned() };
    let mut fit = Vec::new();
    descend(&start, &parts, &mut fit)?;
    fit.sort();
    fit.dedup();
    if fit.is_empty() {
        findings.push(
            Finding::error("BAT-001", format!("\"{}\" fits no file", pattern.text))
                .at(pattern.place.clone())
                .help(manifest::CODES[0].2),
        );
    }
    Ok(fit)
}

fn descend(folder: &Path, parts: &[&str], fit: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    if *part == "**" {
        descend(folder, rest, fit)?;
    }
    if !part.contains('*') {
        let next = folder.join(part);
        match (rest.is_empty(), next.is_dir()) {
            (true, false) if next.exists() => fit.push(next),
            (false, true) => descend(&next, rest, fit)?,
            (true, _) | (false, false) => {}
        }
        return Ok(());
    }
    for (name, path, is_folder) in entries(folder)? {
        match (*part, is_folder) {
            ("**", true) => descend(&path, parts, fit)?,
            (pattern, _) if !carafe_model::policy::fits(pattern, &name) => {}
            (_, false) if rest.is_empty() => fit.push(path),
            (_, true) if !rest.is_empty() => descend(&path, rest, fit)?,
            (_, true | false) => {}
        }
    }
    Ok(())
}

/// Name, path and whether it is a folder of everything in a folder that is not hidden, by name. Links to folders are not
/// followed, so that no circle is walked.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, bool)>, FileError> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let refused = |source| FileError::Unreadable { path: here.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(here).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(refused)?;
        let path = folder.join(entry.file_name());
        if !name.starts_with('.') && (kind.is_dir() || path.is_file()) {
            found.push((name, path, kind.is_dir()));
        }
    }
    found.sort();
    Ok(found)
}

fn of_folder(folder: &Path, out: &Path) -> Result<Found, FileError> {
    let mut found = Found::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for (_, path, is_folder) in entries(&folder)? {
            if is_folder {
                if !files::are_same(&path, out) {
                    folders.push(path);
                }
                continue;
            }
            match kind_of_file(&path) {
                Kind::Estate => found.estates.push(Source::one(path)),
                Kind::Policy => found.policies.push(Source::one(path)),
                Kind::Catalog => found.catalogs.push(Source::one(path)),
                Kind::Other => found.skipped = found.skipped.saturating_add(1),
            }
        }
    }
    Ok(found)
}

enum Kind {
    Estate,
    Policy,
    Catalog,
    Other,
}

/// What a file of a folder is, by how it begins. What ends like an estate and cannot be told is taken for a broken one.
fn kind_of_file(path: &Path) -> Kind {
    const NEAR: u64 = 64 * 1024;
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(NEAR).read_to_end(&mut start));
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = path.display().to_string();
    let file = carafe_inventory::InputFile { name: &name, bytes: &start };
    match extension.as_str() {
        "snapshot" => Kind::Catalog,
        "toml" => {
            let text = String::from_utf8_lossy(&start);
            let has = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
            let is_other = ["[[connection]]", "[[scenario]]", "[generate]", "[[estate]]", "estates"];
            if is_other.into_iter().any(has) { Kind::Other } else { Kind::Policy }
        }
        _ if read.is_err() => Kind::Estate,
        "json" => match kind_of_document(&start) {
            Some(kind) if kind != Estate::KIND => Kind::Other,
            Some(_) | None => Kind::Estate,
        },
        "xlsx" => Kind::Estate,
        _ => {
            let glance = carafe_inventory::Glance::at(file);
            let is_estate = carafe_inventory::IMPORTERS.iter().any(|importer| (importer.sniff)(&glance));
            if is_estate { Kind::Estate } else { Kind::Other }
        }
    }
}

/// The kind that a document of Carafe says it is, by its beginning.
pub(super) fn kind_of_document(bytes: &[u8]) -> Option<String> {
    const NEAR: usize = 1024;
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(NEAR)]);
    let (_, after) = start.split_once("\"carafe\"")?;
    let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(value.split(['/', '"']).next()?.to_owned())
}
