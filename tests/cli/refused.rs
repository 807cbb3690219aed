//! Input that cannot be used: a coded finding with its place, an exit code, no output file, no panic.

use crate::support::Folder;

#[track_caller]
fn refused(folder: &Folder, line: &str, exit: i32, code: &str, place: &str) {
    let before = folder.names();
    let ended = folder.run(line);
    assert_eq!(ended.code, exit, "carafe {line}\n{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("error[{code}]")), "carafe {line}\n{}", ended.stderr);
    assert!(ended.stderr.contains(place), "carafe {line}: no {place}\n{}", ended.stderr);
    assert!(ended.stderr.contains("= help: "), "carafe {line}\n{}", ended.stderr);
    assert_eq!(folder.names(), before, "carafe {line} leaves nothing behind");
}

#[test]
fn what_is_no_readable_file_has_a_code_of_its_own() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder")).unwrap();
    folder.write("empty.json", "");
    refused(&folder, "inventory show missing.json", 1, "IO-001", "missing.json");
    refused(&folder, "inventory show folder", 1, "IO-003", "folder");
    refused(&folder, "inventory show empty.json", 1, "IO-006", "empty.json");
    refused(&folder, "inventory show -", 1, "IO-006", "standard input");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_without_a_writer_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap();
    assert!(made.success());
    refused(&folder, "inventory show pipe", 1, "IO-004", "pipe");
}

#[test]
fn a_file_of_two_gigabytes_is_refused_before_it_is_read() {
    let folder = Folder::new();
    // The file is sparse: it has a length and no content.
    std::fs::File::create(folder.path("huge.json")).unwrap().set_len(2 << 30).unwrap();
    refused(&folder, "inventory show huge.json", 1, "IO-005", "huge.json");
    folder.write("small.json", "{}  ");
    refused(&folder, "--max-input-size 3B inventory show small.json", 1, "IO-005", "small.json");
}

#[test]
fn documents_that_are_not_what_they_should_be() {
    let folder = Folder::new();
    folder.write("cut.json", r#"{"carafe": "estate/1", "name": "cut", "hosts": [{"id": "#);
    folder.write("newer.json", r#"{"carafe": "estate/2", "name": "newer", "hosts": []}"#);
    folder.write("plan.json", r#"{"carafe": "plan/1"}"#);
    refused(&folder, "inventory show cut.json", 4, "DOC-001", "cut.json, row 1, column");
    refused(&folder, "inventory show newer.json", 4, "DOC-003", "newer.json, /carafe");
    refused(&folder, "inventory show plan.json", 4, "DOC-002", "plan.json, /carafe");
}

#[test]
fn going_on_in_spite_of_findings_uses_what_could_be_read() {
    let folder = Folder::new();
    folder.write(
        "estate.json",
        r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "a", "name": "a", "vcpus": -1}, {"id": "b", "name": "b"}]}"#,
    );
    refused(&folder, "inventory show estate.json", 4, "DOC-004", "estate.json, /hosts/0/vcpus");
    let shown = folder.done("inventory show estate.json --fail-on never --format json").json();
    assert_eq!(shown["hosts"].as_array().unwrap().len(), 2);
    assert_eq!(shown["hosts"][0]["vcpus"], serde_json::Value::Null, "what was wrong counts as unknown");
    folder.write("cut.json", "{");
    let nothing = folder.run("inventory show cut.json --fail-on never");
    assert_eq!(nothing.code, 1, "{}", nothing.stderr);
}

const GOOD: &str = r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "a", "name": "a", "vcpus": 2,
    "memory_mib": 4096}]}"#;

#[test]
fn a_policy_with_any_mistake_is_none() {
    let folder = Folder::new();
    folder.write("estate.json", GOOD);
    folder.write("policy.toml", "[targets]\nprovider = [\"aws\"]\ncountries = [\"Korea\"]\n");
    let line = "plan estate.json --policy policy.toml -o plan.json --report report.html";
    refused(&folder, line, 4, "POL-002", "policy.toml, row 2");
    refused(&folder, line, 4, "POL-004", "policy.toml, row 3");
    assert!(folder.run(line).stderr.contains("providers"), "the nearest key is named");
    let anyway = folder.run(&format!("{line} --fail-on never"));
    assert_eq!(anyway.code, 1, "a demand that is left out would change the plan\n{}", anyway.stderr);
    assert!(!folder.has("plan.json"));
}

#[test]
fn an_export_of_another_tool_is_told_from_an_estate() {
    let folder = Folder::new();
    folder.write("export.csv", "VM,CPUs\nweb,2\n");
    folder.write("export.json", "{\"onpremiseInfraModel\": {}}");
    refused(&folder, "plan export.csv -o plan.json", 4, "DOC-001", "export.csv");
    refused(&folder, "plan export.json -o plan.json", 4, "DOC-002", "export.json");
    assert!(folder.run("plan export.csv").stderr.contains("carafe inventory import"));
}

#[test]
fn what_cannot_be_written_is_told_and_nothing_is_half_written() {
    let folder = Folder::new();
    folder.write("estate.json", GOOD);
    refused(&folder, "plan estate.json -o nowhere/plan.json", 1, "IO-008", "nowhere/plan.json");
    std::fs::create_dir(folder.path("taken")).unwrap();
    refused(&folder, "plan estate.json -o taken", 1, "IO-009", "taken");
}
