//! Reads the manifest of a batch: which estates, policies and catalogs, as files or patterns.

use toml::de::DeTable;

use super::DIALECT;
use crate::finding::{Finding, Place};
use crate::toml_reader::{Reader, join};
use crate::units::clip;

/// What is wrong with a manifest or a folder of a batch: code, summary, what to do.
pub const CODES: [(&str, &str, &str); 3] = [
    ("BAT-001", "a pattern fits no file", "check the spelling; patterns are relative to the manifest"),
    ("BAT-002", "there is no estate", "name estates in the manifest, or put them into the folder"),
    ("BAT-003", "two estates, policies or catalogs have the same name", "give one of them a name of its own"),
];

/// What a manifest asks for. Paths are as they are written, relative to the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Estates, each a file or a pattern.
    pub estates: Vec<Pattern>,
    /// Estates with a name, each of one file or more that are merged.
    pub named: Vec<(String, Vec<Pattern>)>,
    /// Policies, each a file or a pattern; none means the default policy.
    pub policies: Vec<Pattern>,
    /// Catalogs, each a snapshot file or a folder of price lists; none means the catalog that is built in.
    pub catalogs: Vec<Pattern>,
}

/// A file or a pattern, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As it is written: `*` stands for any run of characters but `/`, `**` for any folders.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// Reads a manifest. Any finding is an error; codes are those of policies.
pub fn read(file: &str, text: &str) -> (Manifest, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &DIALECT);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = reader.place(error.span().map_or(0, |span| span.start), "");
        reader.findings.push(
            Finding::error("POL-001", format!("not TOML: {}", clip(error.message())))
                .at(place)
                .help("see docs/formats/batch.md for a whole example"),
        );
    }
    let mut manifest = Manifest::default();
    if !errors.is_empty() {
        return (manifest, reader.findings);
    }
    let mut root = reader.table("", 0, root.into_inner());
    let Manifest { estates, named, policies, catalogs } = &mut manifest;
    for (key, patterns) in [("estates", estates), ("policies", policies), ("catalogs", catalogs)] {
        for (start, text) in reader.strings(&mut root, key).unwrap_or_default() {
            patterns.push(Pattern { text, place: reader.place(start, key) });
        }
    }
    if let Some(value) = reader.take(&mut root, "estate") {
        for (place, entry) in reader.array(&root, "estate", value).into_iter().flatten().enumerate() {
            let Some(mut table) = reader.as_table(&format!("estate[{place}]"), entry) else { continue };
            let name = reader.string(&mut table, "name").unwrap_or_default();
            let path = join(&table.path, "files");
            let files = reader.strings(&mut table, "files").unwrap_or_default();
            let files: Vec<Pattern> = files
                .into_iter()
                .map(|(start, text)| Pattern { text, place: reader.place(start, &path) })
                .collect();
            if name.trim().is_empty() || files.is_empty() {
                let place = reader.place(table.start, &table.path);
                reader.findings.push(
                    Finding::error("POL-004", "an estate needs a name and files")
                        .at(place)
                        .help("name = \"erp\", files = [\"export.json\", \"annotations.json\"]"),
                );
            }
            reader.finish(table);
            named.push((name, files));
        }
    }
    reader.finish(root);
    (manifest, reader.findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_with_its_places_and_mistakes() {
        let (manifest, findings) = read(
            "b.toml",
            "estates = [\"e/*.json\"]\npolicies = [\"p.toml\"]\n[[estate]]\nname = \"erp\"\nfiles = [\"a\", \"b\"]\n",
        );
        assert_eq!(findings, []);
        assert_eq!(manifest.estates[0].place.to_string(), "b.toml, row 1, column 12, estates");
        assert_eq!((manifest.named[0].0.as_str(), manifest.named[0].1.len()), ("erp", 2));
        let (_, findings) = read("b.toml", "estate = []\nestatess = [\"a\"]\n[[policies]]\n");
        let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, ["POL-003", "POL-002"], "{findings:?}");
    }
}
