//! Versioned JSON documents: how every arrow between the parts of Carafe is written and read.
//!
//! The first field of each is `"carafe": "<kind>/<version>"`. Reading collects every problem it can reach: an entry of
//! a list that cannot be read is left out with a finding, and the rest is read all the same.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, Place};
use crate::units::clip;

mod duplicates;

mod shape;

/// A document with a kind and a version of its own.
pub trait Document: Serialize + DeserializeOwned + JsonSchema {
    /// The kind, for example `estate`.
    const KIND: &'static str;
    /// The version this program writes, and the newest it reads.
    const VERSION: u32;

    /// The value of the field `carafe`.
    fn header() -> String {
        format!("{}/{}", Self::KIND, Self::VERSION)
    }

    /// Writes the document as indented JSON with a line break at the end; same value, same bytes.
    fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("documents have string keys and no failing parts");
        text.push('\n');
        text
    }

    /// The JSON Schema (draft 2020-12) of the document.
    fn schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}

/// What is wrong with a document: code, summary, what to do. [`read`] finds these.
pub const CODES: [(&str, &str, &str); 6] = [
    (
        "DOC-001",
        "not JSON",
        "the message gives line and column; a file that ends too early must be copied or exported again",
    ),
    ("DOC-002", "a document of another kind", "give the command the kind of document it asks for"),
    ("DOC-003", "a document of a newer version", "install a newer Carafe"),
    ("DOC-004", "a value of the wrong shape", "`carafe schema` prints what is expected there"),
    ("DOC-005", "more is wrong than is listed", "mend what is listed and read the file again"),
    ("DOC-006", "an object has a key twice, and only the last counts", "remove all but one of them"),
];

/// How many findings about the shape of one document are listed before reading gives up.
const MOST_FINDINGS: usize = 200;

/// Reads a document from the bytes of `file`.
///
/// Returns `None` when nothing could be read. A broken value that may be absent is left out, and otherwise the list
/// entry it is in, each with an error finding: `DOC-001` not JSON, `DOC-002` another kind, `DOC-003` a newer version,
/// `DOC-004` a value of the wrong shape, `DOC-005` more is wrong than is listed, `DOC-006` a key twice.
pub fn read<D: Document>(file: &str, bytes: &[u8]) -> (Option<D>, Vec<Finding>) {
    let mut findings = Vec::new();
    let document = parse(file, bytes, &mut findings).and_then(|value| {
        let (document, found) = from_value(file, value);
        findings.extend(found);
        document
    });
    (document, findings)
}

/// Parses JSON. A syntax error becomes `DOC-001` with line and column, and `None`; a key that an object has twice
/// becomes `DOC-006`.
pub fn parse(file: &str, bytes: &[u8], findings: &mut Vec<Finding>) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match duplicates::parse(bytes) {
        Ok((value, twice)) => {
            findings.extend(twice.iter().map(|path| {
                let key = path.last().map_or("", String::as_str);
                Finding::error(
                    "DOC-006",
                    format!("the key \"{}\" is there twice; the last counts", clip(key)),
                )
                .at(Place::file(file).at(to_pointer(path)))
                .help("remove all but one of them")
            }));
            Some(value)
        }
        Err(error) => {
            findings.push(not_json(file, &error));
            None
        }
    }
}

fn not_json(file: &str, error: &serde_json::Error) -> Finding {
    let help = match error.classify() {
        serde_json::error::Category::Eof => "the file ends too early; copy or export it again",
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Data => {
            "the file must hold one JSON value; check it with a JSON formatter"
        }
    };
    let message = error.to_string();
    let what = match error.is_eof() {
        true => "it ends in the middle",
        false => message.split(" at line ").next().unwrap_or_default(),
    };
    let place = Place::file(file)
        .row(u32::try_from(error.line()).unwrap_or(u32::MAX))
        .column(error.column().to_string());
    Finding::error("DOC-001", format!("not JSON: {}", clip(what))).at(place).help(help)
}

/// Reads a document from an already parsed value; see [`read`].
pub fn from_value<D: Document>(file: &str, mut value: Value) -> (Option<D>, Vec<Finding>) {
    if let Err(finding) = check_header::<D>(file, &value) {
        return (None, vec![*finding]);
    }
    if let Ok(document) = D::deserialize(&value) {
        return (Some(document), Vec::new());
    }
    let schema = D::schema();
    let mut walk = shape::Walk::new(file, D::KIND, &schema, MOST_FINDINGS);
    let is_usable = walk.keep(&schema, &mut value);
    let is_full = walk.is_full();
    let (mut findings, mut removed) = (walk.findings, walk.removed);
    if is_full {
        findings.push(more_is_wrong(file));
    }
    if is_full || !is_usable {
        return (None, findings);
    }
    // What the schema cannot say is found by reading. Entries are taken out as they fail, so later pointers would shift:
    // each list keeps where its entries stood.
    loop {
        let error = match serde_path_to_error::deserialize::<_, D>(&value) {
            Ok(document) => return (Some(document), findings),
            Err(error) => error,
        };
        let path: Vec<String> = error.path().iter().map(segment).collect();
        let entry = match path.as_slice() {
            [list, place, ..] => place.parse::<usize>().ok().map(|place| (list.clone(), place)),
            _ => None,
        };
        let mut pointer = path.clone();
        if let Some((list, place)) = &entry {
            pointer[1] = original_place(&mut removed, list, *place).to_string();
        }
        findings.push(
            Finding::error("DOC-004", clip_summary(&error.inner().to_string()))
                .at(Place::file(file).at(to_pointer(&pointer)))
                .help(format!("`carafe schema {}` prints what is expected", D::KIND)),
        );
        let Some((list, place)) = entry else { return (None, findings) };
        if findings.len() >= MOST_FINDINGS {
            findings.push(more_is_wrong(file));
            return (None, findings);
        }
        match value.get_mut(&list).and_then(Value::as_array_mut) {
            Some(entries) if place < entries.len() => drop(entries.remove(place)),
            _ => return (None, findings),
        }
    }
}

fn more_is_wrong(file: &str) -> Finding {
    Finding::error("DOC-005", "more is wrong than is listed")
        .at(Place::file(file))
        .help("mend what is listed and read the file again")
}

fn check_header<D: Document>(file: &str, value: &Value) -> Result<(), Box<Finding>> {
    let place = Place::file(file).at("/carafe");
    let expected = D::header();
    let other_kind = |what: String| {
        Box::new(
            Finding::error("DOC-002", what)
                .at(place.clone())
                .help(format!("the first field of this document is \"carafe\": \"{expected}\"")),
        )
    };
    let Some(header) = value.get("carafe").and_then(Value::as_str) else {
        return Err(other_kind(format!("this is not a Carafe {} document", D::KIND)));
    };
    let Some((kind, version)) = header.split_once('/') else {
        return Err(other_kind(format!("\"{}\" is not a kind and a version", clip(header))));
    };
    if kind != D::KIND {
        return Err(other_kind(format!(
            "a document of kind \"{}\", where {} is wanted",
            clip(kind),
            D::KIND
        )));
    }
    match version.parse::<u32>() {
        Ok(version) if version == D::VERSION => Ok(()),
        Ok(version) if version > D::VERSION => Err(Box::new(
            Finding::error("DOC-003", format!("{} version {version} is newer than this program", D::KIND))
                .at(place)
                .help(format!("this program reads up to version {}; install a newer Carafe", D::VERSION)),
        )),
        _ => Err(other_kind(format!("\"{}\" is not a version of {}", clip(header), D::KIND))),
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    match segment {
        serde_path_to_error::Segment::Seq { index } => index.to_string(),
        serde_path_to_error::Segment::Map { key } => key.clone(),
        serde_path_to_error::Segment::Enum { variant } => variant.clone(),
        serde_path_to_error::Segment::Unknown => "?".to_owned(),
    }
}

/// A JSON pointer (RFC 6901) from its unescaped parts.
pub fn to_pointer<S: AsRef<str>>(parts: &[S]) -> String {
    parts
        .iter()
        .map(|part| format!("/{}", clip(part.as_ref()).replace('~', "~0").replace('/', "~1")))
        .collect()
}

/// Where the entry now at `place` stood before earlier ones were taken out; remembers that it goes too.
fn original_place(removed: &mut Vec<(String, Vec<usize>)>, list: &str, place: usize) -> usize {
    let gone = match removed.iter().position(|(name, _)| name == list) {
        Some(found) => &mut removed[found].1,
        None => {
            removed.push((list.to_owned(), Vec::new()));
            &mut removed.last_mut().expect("just pushed").1
        }
    };
    let mut original = place;
    for &earlier in gone.iter() {
        if earlier <= original {
            original += 1;
        }
    }
    let at = gone.partition_point(|&earlier| earlier < original);
    gone.insert(at, original);
    original
}

fn clip_summary(text: &str) -> String {
    const LONGEST: usize = 200;
    let first_line = text.lines().next().unwrap_or_default();
    first_line.chars().take(LONGEST).collect()
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::Estate;

    fn codes_and_places(text: &str) -> Vec<(String, String)> {
        let (_, findings) = read::<Estate>("e.json", text.as_bytes());
        findings.iter().map(|f| (f.code.clone(), f.place.to_string())).collect()
    }

    fn expect(text: &str, expected: &[(&str, &str)]) {
        let found = codes_and_places(text);
        let found: Vec<(&str, &str)> = found.iter().map(|(c, p)| (c.as_str(), p.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_way_of_being_wrong_has_a_code_and_a_place() {
        expect("{\"carafe\": \"estate/1\",", &[("DOC-001", "e.json, row 1, column 22")]);
        expect("[]", &[("DOC-002", "e.json, /carafe")]);
        expect("{\"carafe\": \"plan/1\"}", &[("DOC-002", "e.json, /carafe")]);
        expect("{\"carafe\": \"estate/one\"}", &[("DOC-002", "e.json, /carafe")]);
        expect("{\"carafe\": \"estate/2\"}", &[("DOC-003", "e.json, /carafe")]);
        expect("{\"carafe\": \"estate/1\", \"name\": 3, \"hosts\": []}", &[("DOC-004", "e.json, /name")]);
    }

    #[test]
    fn every_mistake_is_told_in_plain_words_with_a_suggestion() {
        let text = r#"{"carafe": "estate/1", "name": "n", "hosts": [
            {"id": "a", "name": "a", "vcpu": 2, "vcpus": "4", "memory_mib": 1.5, "architecture": "x86-64",
             "monthly_cost": 12.5, "disks": [{"name": 1}, {"name": "b"}]}, {"name": "c", "vcpus": -1}],
            "flows": [{"from": {"hots": "a"}, "to": {"external": "net"}, "gib_month": "ten"}]}"#;
        let (estate, findings) = read::<Estate>("e.json", text.as_bytes());
        let told: Vec<String> = findings
            .iter()
            .map(|f| format!("{}: {} ({})", f.place, f.summary, f.help.as_deref().unwrap_or_default()))
            .collect();
        let expected = [
            "e.json, /flows/0/from: \"hots\" is not known here (did you mean \"host\"?)",
            "e.json, /flows/0/gib_month: \"ten\": ",
            "e.json, /hosts/0/architecture: \"x86-64\" is not known here (did you mean \"x86_64\"?)",
            "e.json, /hosts/0/disks/0/name: a text in quotes is wanted, this is a whole number",
            "e.json, /hosts/0/memory_mib: a whole number is wanted, this is a decimal number",
            "e.json, /hosts/0/monthly_cost: a decimal in quotes is wanted, this is a decimal number (write it in quotes: \"12.5\")",
            "e.json, /hosts/0/vcpu: unknown field \"vcpu\" (did you mean \"vcpus\"?)",
            "e.json, /hosts/0/vcpus: a whole number is wanted, this is a text (write it without quotes: 4)",
            "e.json, /hosts/1/vcpus: -1 is out of range (a whole number from 0 to 4294967295)",
            "e.json, /hosts/1: the field \"id\" is missing",
        ];
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{told}\n{expected}");
        }
        let estate = estate.expect("the rest is read");
        assert_eq!((estate.hosts.len(), estate.hosts[0].disks.len(), estate.flows.len()), (1, 1, 0));
    }

    #[test]
    fn a_key_that_is_there_twice_is_told_where_it_is() {
        let text = r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "a", "id": "b", "name": "a"}], "name": "m"}"#;
        expect(text, &[("DOC-006", "e.json, /hosts/0/id"), ("DOC-006", "e.json, /name")]);
    }

    #[test]
    fn all_broken_entries_are_listed_where_they_stood_and_the_rest_is_read() {
        let text = r#"{"carafe": "estate/1", "name": "n", "hosts": [
            {"id": "a", "name": "a", "vcpus": -1}, {"id": "b", "name": "b"},
            {"id": "c", "name": "c", "memory_mib": "8"}, {"id": "d", "name": "d", "ram": 8}]}"#;
        expect(
            text,
            &[
                ("DOC-004", "e.json, /hosts/0/vcpus"),
                ("DOC-004", "e.json, /hosts/2/memory_mib"),
                ("DOC-004", "e.json, /hosts/3/ram"),
            ],
        );
        let (estate, _) = read::<Estate>("e.json", text.as_bytes());
        let names: Vec<String> =
            estate.expect("the rest is read").hosts.into_iter().map(|h| h.name).collect();
        assert_eq!(names, ["a", "b", "c", "d"], "what may be absent takes nobody with it");
    }
}
