//! Many estates under many policies: what is found, what is done again, and what a broken one does to the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Folder;

fn estate(number: usize) -> String {
    format!(
        r#"{{"carafe": "estate/1", "name": "estate {number}", "hosts": [
        {{"id": "a", "name": "a", "vcpus": {}, "memory_mib": {}, "architecture": "x86_64",
          "disks": [{{"name": "sda", "size_gib": {}}}]}},
        {{"id": "b", "name": "b", "vcpus": 2, "memory_mib": 4096, "architecture": "x86_64",
          "disks": [{{"name": "sda", "size_gib": 30}}]}}],
        "flows": [{{"from": {{"host": "a"}}, "to": {{"host": "b"}}, "gib_month": "20"}}]}}"#,
        2 + number % 6,
        4096 * (1 + number % 3),
        40 + number
    )
}

/// A folder of good estates, one that is cut, one in Korean, one that no tool wrote, and two policies.
fn folder(good: usize) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("in/deep")).expect("what the test has made");
    for number in 0..good {
        folder.write(&format!("in/deep/estate-{number:02}.json"), estate(number));
    }
    folder.write("in/cut.json", &estate(0)[..100]);
    folder.write("in/한국 <b>&\"서버.json", estate(3));
    folder.write("in/=cmd.json", r#"{"onpremiseInfraModel": {"nodes": []}}"#);
    folder.write("in/any.toml", "");
    folder.write("in/korea.toml", "[targets]\ncountries = [\"KR\"]\n");
    folder.write("in/notes.md", "Not an estate.");
    folder
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("what the test has made") {
            let path = entry.expect("what the test has made").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name =
                    path.strip_prefix(folder).expect("what the test has made").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(path).expect("what the test has made"));
            }
        }
    }
    found
}

fn states(index: &Value, state: &str) -> Vec<String> {
    let rows =
        index["rows"].as_array().expect("what the test has made").iter().filter(|row| row["state"] == state);
    rows.map(|row| {
        format!(
            "{}/{}",
            row["estate"].as_str().expect("what the test has made"),
            row["policy"].as_str().expect("what the test has made")
        )
    })
    .collect()
}

#[test]
fn a_broken_estate_is_a_row_and_the_others_are_planned() {
    let folder = folder(2);
    let ended = folder.run("batch in -o out");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let index = folder.json("out/index.json");
    assert_eq!(states(&index, "broken").len(), 2, "{index}");
    assert_eq!(
        states(&index, "done"),
        [
            "=cmd/any",
            "=cmd/korea",
            "estate-00/any",
            "estate-00/korea",
            "estate-01/any",
            "estate-01/korea",
            "한국 <b>&\"서버/any",
            "한국 <b>&\"서버/korea"
        ]
    );
    let cut = index["rows"].as_array().unwrap().iter().find(|row| row["estate"] == "cut").unwrap();
    assert_eq!(cut["findings"][0]["code"], "DOC-001");
    assert!(cut["findings"][0]["place"]["file"].as_str().unwrap().ends_with("cut.json"));
    assert_eq!(index["skipped"], 1);
    // Each plan is what `plan` makes of the same files.
    folder.done("plan in/deep/estate-01.json --policy in/korea.toml -o alone.json");
    assert_eq!(folder.read("alone.json"), folder.read("out/estate-01/korea/plan.json"));
    let html = folder.read("out/index.html");
    assert!(
        html.contains("./estate-01/korea/report.html") && !html.contains("<b>&\"서버"),
        "links, and names as text"
    );
    let csv = folder.read("out/index.csv");
    assert_eq!(csv.lines().count(), 1 + index["rows"].as_array().unwrap().len());
    assert!(!csv.lines().any(|line| line.starts_with('=')), "{csv}");
    assert_eq!(folder.run("batch in -o out --fail-on never").code, 0);
    let korean = folder.done("batch in -o out --fail-on never --lang ko").stdout;
    assert!(korean.contains("만들지 못함") && korean.contains("완성"), "{korean}");
    assert!(!korean.contains("complete") && !korean.contains("without"), "{korean}");
    assert!(folder.read("out/index.html").contains("여러 자산의 계획"));
}

#[test]
fn a_second_run_does_only_what_has_changed() {
    let folder = folder(3);
    folder.run("batch in -o out");
    let first = contents(&folder.path("out"));
    let again = folder.run("batch in -o out");
    assert!(again.stdout.contains("10 finished before"), "{}", again.stdout);
    assert_eq!(contents(&folder.path("out")), first);
    folder.write("in/deep/estate-01.json", estate(9));
    std::fs::write(folder.path("out/estate-02/any/report.html"), "edited").unwrap();
    let changed = folder.run("batch in -o out");
    assert!(changed.stdout.contains("7 finished before"), "{}", changed.stdout);
    let second = contents(&folder.path("out"));
    assert_eq!(second["estate-02/any/report.html"], first["estate-02/any/report.html"], "made again");
    assert_ne!(second["estate-01/any/plan.json"], first["estate-01/any/plan.json"]);
    folder.write("in/deep/estate-01.json", "{");
    folder.run("batch in -o out");
    assert!(!folder.has("out/estate-01/any/plan.json"), "what is broken now leaves nothing old behind");
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    let folder = folder(7);
    for jobs in [1, 2, 5] {
        folder.run(&format!("batch in -o out-{jobs} --jobs {jobs}"));
    }
    let one = contents(&folder.path("out-1"));
    assert!(one.len() > 40, "{} files", one.len());
    assert_eq!(one, contents(&folder.path("out-2")));
    assert_eq!(one, contents(&folder.path("out-5")));
    assert!(!one.keys().any(|name| name.contains(".part")), "nothing half written");
}

#[cfg(unix)]
#[test]
fn a_run_that_was_killed_goes_on() {
    let folder = folder(12);
    let mut command = folder.command(["batch", "in", "-o", "out", "--jobs", "1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Killed as soon as the first row is finished, which is well before the last.
    while !folder.has("out/estate-00/any/record.json") && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.has("out/index.html"), "it was killed in the middle");
    let ended = folder.run("batch in -o out --jobs 2");
    let before: usize =
        ended.stdout.split(" finished before").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(before >= 1, "{}", ended.stdout);
    folder.run("batch in -o whole");
    let parts = |contents: BTreeMap<String, Vec<u8>>| -> BTreeMap<String, Vec<u8>> {
        contents.into_iter().filter(|(name, _)| !name.contains(".part")).collect()
    };
    assert_eq!(parts(contents(&folder.path("out"))), contents(&folder.path("whole")));
}

#[test]
fn a_manifest_names_estates_of_several_files_and_patterns() {
    let folder = folder(2);
    folder.write(
        "more.json",
        r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "c", "name": "c", "vcpus": 1, "memory_mib": 1024}]}"#,
    );
    folder.write(
        "b.toml",
        "estates = [\"in/**/estate-*.json\", \"missing.json\"]\npolicies = [\"in/*.toml\"]\n\
         [[estate]]\nname = \"both\"\nfiles = [\"in/deep/estate-00.json\", \"more.json\"]\n",
    );
    let ended = folder.run("batch b.toml -o out --format json");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let index = ended.json();
    assert_eq!(states(&index, "broken"), ["missing/any", "missing/korea"]);
    let both = index["rows"].as_array().unwrap().iter().find(|row| row["estate"] == "both").unwrap();
    assert_eq!(both["figures"]["placed"], 3, "{both}");
    folder.write("b.toml", "estate = []\npolicie = [\"x\"]\nestates = [\"none/*.json\"]\n");
    let wrong = folder.run("batch b.toml -o out2");
    assert_eq!(wrong.code, 4);
    assert!(wrong.stderr.contains("POL-002") && wrong.stderr.contains("b.toml, row 2"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("BAT-001") && !folder.has("out2"), "{}", wrong.stderr);
    assert_eq!(folder.run("batch in -o in").code, 2);
    assert_eq!(folder.run("batch nowhere -o out3").code, 1);
}
