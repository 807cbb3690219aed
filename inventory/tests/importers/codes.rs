//! The list of codes says all that can be found, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use carafe_inventory::CODES;

/// Collects every `INV-0000` in the sources, apart from the list itself.
#[expect(clippy::disallowed_methods, reason = "a test may read the sources it is about")]
fn codes_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in folder.read_dir().expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            codes_in(&path, found);
        } else if path.file_name().is_some_and(|name| name != "codes.rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for (start, _) in text.match_indices("\"INV-") {
                found.insert(text[start + 1..].split('"').next().unwrap_or_default().to_owned());
            }
        }
    }
}

#[test]
fn every_code_is_listed_once_and_used() {
    let mut used = BTreeSet::new();
    codes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    let listed: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert!(listed.is_sorted_by(|one, other| one < other), "in order, each once");
    assert_eq!(listed, used.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn every_code_says_what_to_do_in_sentences() {
    for (code, text) in CODES {
        assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{code}: {text}");
    }
}
