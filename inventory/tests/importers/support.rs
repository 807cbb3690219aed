//! What the tests of importers share.

use carafe_inventory::{Import, InputFile, import};
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;

/// Imports files given as name and bytes.
pub fn import_all(files: &[(&str, &[u8])]) -> Import {
    let files: Vec<InputFile<'_>> = files.iter().map(|(name, bytes)| InputFile { name, bytes }).collect();
    import(&files, None, "test")
}

/// A finding on one line: severity, code and place.
pub fn line(finding: &Finding) -> String {
    format!("{} {} {}", finding.severity, finding.code, finding.place)
}

/// Imports files and compares the findings, apart from those of the codes in `but`; returns the estate.
#[track_caller]
pub fn check(files: &[(&str, &[u8])], but: &[&str], expected: &[&str]) -> Option<Estate> {
    let Import { estate, findings } = import_all(files);
    let told = findings.iter().filter(|finding| !but.contains(&finding.code.as_str()));
    let lines: Vec<String> = told.map(line).collect();
    assert_eq!(lines, expected, "{findings:#?}");
    estate
}

/// The codes of the checks that say a host lacks what the planner needs; most fixtures are too small to have it all.
pub const INCOMPLETE: [&str; 4] = ["INV-1208", "INV-1209", "INV-1210", "INV-1211"];

/// A value as indented JSON, for snapshots.
pub fn pretty<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("plain data")
}
