//! The rules of this repository that no compiler checks. Each test lists everything that breaks its rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates that take bytes and give values: they reach nothing outside.
const PURE: [&str; 4] = ["model", "inventory", "planner", "reports"];

/// Third-party crates that reach outside.
const OUTSIDE: [&str; 6] = ["tokio", "async-std", "sqlx", "reqwest", "hyper", "ureq"];

/// How a pure crate would reach outside or say something on its own.
const IMPURE: [&str; 14] = [
    "std::fs",
    "std::env",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::io::std",
    "Instant",
    "SystemTime",
    "println!",
    "eprintln!",
    "print!(",
    "dbg!",
    "rand::",
];

/// What the clippy.toml of every pure crate bans, so that an editor says so before this test does.
const BANNED: [&str; 5] = [
    "std::env::var",
    "std::fs::read",
    "std::fs::write",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
];

/// Crates in the lock file, our own included; raise it in the commit that needs more, and say why there.
const MOST_CRATES: usize = 347;

const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the repository, without what is built or made by running.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            match path.is_dir() {
                true if ["target", ".git", "carafe-demo"].contains(&name.as_str()) => {}
                true => folders.push(path),
                // In a second working tree it is a file, and not part of the repository either.
                false if name == ".git" => {}
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn with_extension(folder: &str, extension: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == extension)).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path as people write it: from the root of the repository.
fn short(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").display().to_string()
}

/// The lines of a Rust file that are code of the program: no comments, nothing from `#[cfg(test)]` on.
fn program_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(place, line)| (place + 1, line))
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Lines of the program below `folder` that hold one of `needles`, as `file:line: needle`.
fn uses(folder: &str, needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in with_extension(folder, "rs") {
        if short(&path).ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        for (number, line) in program_lines(&text) {
            for needle in needles.iter().filter(|needle| line.contains(**needle)) {
                found.push(format!("{}:{number}: {needle}", short(&path)));
            }
        }
    }
    found
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

/// The platform of this machine: what other platforms would need was never downloaded.
fn platform() -> String {
    let output =
        Command::new("rustc").arg("-vV").current_dir(root()).output().expect("rustc built this test");
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc knows its host").to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            &platform(),
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Names of the crates that each crate is built with, development left out, by package id.
fn dependencies(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a resolved graph");
    let normal = |dependency: &&Value| {
        dependency["dep_kinds"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    nodes
        .iter()
        .map(|node| {
            let needed = node["deps"].as_array().into_iter().flatten().filter(normal);
            let ids = needed.map(|dependency| dependency["pkg"].as_str().expect("an id")).collect();
            (node["id"].as_str().expect("an id"), ids)
        })
        .collect()
}

fn names(metadata: &Value) -> BTreeMap<&str, &str> {
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| (package["id"].as_str().expect("an id"), package["name"].as_str().expect("a name")))
        .collect()
}

/// What a member of the workspace is built with, all the way down.
fn closure<'m>(metadata: &'m Value, member: &str) -> BTreeSet<&'m str> {
    let names = names(metadata);
    let dependencies = dependencies(metadata);
    let (start, _) = names.iter().find(|(_, name)| **name == member).expect("a member of the workspace");
    let mut seen = BTreeSet::new();
    let mut left = vec![*start];
    while let Some(id) = left.pop() {
        for next in &dependencies[id] {
            if seen.insert(*next) {
                left.push(next);
            }
        }
    }
    seen.into_iter().map(|id| names[id]).collect()
}

#[test]
fn pure_crates_are_built_with_nothing_that_reaches_outside() {
    let metadata = metadata();
    let mut broken = Vec::new();
    for folder in PURE {
        let built_with = closure(&metadata, &format!("carafe-{folder}"));
        broken.extend(
            OUTSIDE.iter().filter(|name| built_with.contains(**name)).map(|n| format!("{folder}: {n}")),
        );
    }
    assert!(closure(&metadata, "carafe").contains("sqlx"), "the graph is not read as it should be");
    assert_none(&broken, "model, inventory, planner and reports stay free of these crates:");
}

#[test]
fn crates_use_only_what_is_below_them() {
    let metadata = metadata();
    let mut broken = Vec::new();
    for folder in PURE {
        let built_with = closure(&metadata, &format!("carafe-{folder}"));
        let ours = built_with.iter().filter(|name| name.starts_with("carafe"));
        broken
            .extend(ours.filter(|name| **name != "carafe-model").map(|name| format!("{folder} uses {name}")));
    }
    assert_none(&broken, "inventory, planner and reports use model and nothing else of ours:");
}

#[test]
fn pure_crates_read_no_file_no_clock_and_no_environment_and_print_nothing() {
    let broken: Vec<String> =
        PURE.iter().flat_map(|folder| uses(&format!("{folder}/src"), &IMPURE)).collect();
    assert_none(&broken, "time, randomness and bytes are arguments of the pure crates:");
}

#[test]
fn pure_crates_ban_the_same_in_clippy() {
    let mut broken = Vec::new();
    for folder in PURE {
        let path = root().join(folder).join("clippy.toml");
        let file: toml::Table = read(&path).parse().expect("TOML");
        let methods = file.get("disallowed-methods").and_then(|list| list.as_array());
        let banned: BTreeSet<&str> =
            methods.into_iter().flatten().filter_map(|entry| entry.get("path")?.as_str()).collect();
        broken.extend(
            BANNED.iter().filter(|path| !banned.contains(**path)).map(|path| format!("{folder}: {path}")),
        );
        // The nearest file replaces the one in the root, so what that says has to be said again.
        for key in ["allow-unwrap-in-tests", "allow-expect-in-tests"] {
            if file.get(key).and_then(|value| value.as_bool()) != Some(true) {
                broken.push(format!("{folder}: {key}"));
            }
        }
    }
    assert_none(&broken, "missing in clippy.toml:");
}

#[test]
fn inside_the_program_nothing_points_upwards() {
    let mut broken = Vec::new();
    for (folder, forbidden) in [
        ("src/drivers", ["crate::cli", "crate::executor", "crate::store"]),
        ("src/store", ["crate::cli", "crate::executor::run", "crate::drivers"]),
        ("src/executor", ["crate::cli", "crate::settings", "crate::error"]),
    ] {
        broken.extend(uses(folder, &forbidden));
    }
    assert_none(&broken, "see the arrows in docs/ARCHITECTURE.md:");
}

#[test]
fn sql_is_written_only_in_the_store_and_the_environment_read_only_in_the_settings() {
    let sql = ["sqlx", "SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE"];
    let mut broken = uses("src", &sql);
    broken.retain(|place| !place.starts_with("src/store/"));
    let mut environment = uses("src", &["env::var"]);
    environment.retain(|place| !place.starts_with("src/settings.rs"));
    broken.extend(environment);
    assert_none(&broken, "one place each:");
}

#[test]
fn files_stay_short() {
    let mut broken = Vec::new();
    for path in with_extension(".", "rs") {
        let lines = read(&path).lines().count();
        if lines > MOST_LINES {
            broken.push(format!("{}: {lines} lines", short(&path)));
        }
    }
    assert_none(&broken, &format!("no Rust file is longer than {MOST_LINES} lines:"));
}

#[test]
fn nothing_is_left_out_or_silenced() {
    // Put together from halves, so that this file passes its own test.
    let forbidden =
        [["to", "do!("], ["unimpl", "emented!("], ["#[ign", "ore"], ["#[al", "low("], ["#![al", "low("]];
    let forbidden = forbidden.map(|halves| halves.concat());
    let mut broken = Vec::new();
    for path in with_extension(".", "rs") {
        for (place, line) in read(&path).lines().enumerate() {
            for word in forbidden.iter().filter(|word| line.contains(*word)) {
                broken.push(format!("{}:{}: {word}", short(&path), place + 1));
            }
        }
    }
    assert_none(&broken, "finish it, run it, or use #[expect(…, reason = \"…\")]:");
}

#[test]
fn our_types_are_called_by_the_words_of_the_glossary() {
    let foreign = ["Instance", "Flavor", "Flavour", "Spec", "Task", "Job", "Diag"];
    let mut broken = Vec::new();
    for path in with_extension(".", "rs") {
        let file = short(&path);
        // What a cloud calls its own things stays in the file that speaks its language.
        if file.ends_with("wire.rs") {
            continue;
        }
        for (place, line) in read(&path).lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let declares = words.by_ref().any(|word| ["struct", "enum", "trait"].contains(&word));
            if declares && words.next().is_some_and(|name| foreign.contains(&name)) {
                broken.push(format!("{file}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    assert_none(&broken, "docs/GLOSSARY.md has one word for one thing:");
}

#[test]
fn texts_speak_of_carafe_and_not_of_how_it_was_written() {
    let forbidden = [
        ["/wo", "rk/"],
        ["sha", "red/reference"],
        ["sha", "red/prices"],
        [".lib", "rary"],
        ["style-", "anchors"],
        ["des", "ign.md"],
        ["crates", ".io"],
        ["np", "mjs"],
        ["py", "pi.org"],
        ["clau", "de"],
        ["anthr", "opic"],
        ["chat", "gpt"],
        ["open", "ai"],
        ["lorem ", "ipsum"],
    ];
    let forbidden = forbidden.map(|halves| halves.concat());
    let mut broken = Vec::new();
    for path in files(".") {
        let file = short(&path);
        // The lock file names where crates come from in a form that cargo decides.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if file == "Cargo.lock" {
            continue;
        }
        for (place, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            for word in forbidden.iter().filter(|word| line.contains(*word)) {
                broken.push(format!("{file}:{}: {word}", place + 1));
            }
            let is_prose = file.ends_with(".md") || file.ends_with(".html");
            if is_prose && line.chars().any(|letter| ('\u{1F000}'..='\u{1FAFF}').contains(&letter)) {
                broken.push(format!("{file}:{}: a picture letter", place + 1));
            }
        }
    }
    assert_none(&broken, "these do not belong here:");
}

#[test]
fn no_merge_was_left_half_done() {
    let marks = ["<", ">"].map(|sign| format!("{} ", sign.repeat(7)));
    let mut left = Vec::new();
    for path in files("") {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let marked = |line: &&str| marks.iter().any(|mark| line.starts_with(mark.as_str()));
        left.extend(text.lines().filter(marked).map(|line| format!("{}: {line}", short(&path))));
    }
    assert_none(&left, "both sides of a merge are still there");
}

#[test]
fn the_lock_file_grows_only_on_purpose() {
    let crates = read(&root().join("Cargo.lock")).matches("[[package]]").count();
    assert!(crates <= MOST_CRATES, "{crates} crates, more than {MOST_CRATES}");
}

/// Whether any Rust file of a crate names another crate.
fn names_crate(folder: &str, name: &str) -> bool {
    let identifier = name.replace('-', "_");
    let own = ["src", "tests", "examples", "benches"].map(|part| root().join(folder).join(part));
    let mut sources =
        own.iter().filter(|part| part.exists()).flat_map(|part| with_extension(&short(part), "rs"));
    sources.any(|path| read(&path).contains(&identifier))
}

#[test]
fn every_dependency_of_the_workspace_is_used_and_every_crate_takes_its_lints() {
    let manifest = |path: &str| -> toml::Table { read(&root().join(path)).parse().expect("TOML") };
    let workspace = manifest("Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().expect("members").iter();
    let folders = members.map(|member| member.as_str().expect("a folder")).chain(["."]);
    let mut used = BTreeSet::new();
    let mut broken = Vec::new();
    for folder in folders {
        let manifest = manifest(&format!("{folder}/Cargo.toml"));
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = manifest.get(section).and_then(|section| section.as_table());
            for (name, value) in dependencies.into_iter().flatten() {
                used.insert(name.clone());
                if !names_crate(folder, name) {
                    broken.push(format!("{folder}: {name} is listed and not named in the code"));
                }
                if value.get("workspace").and_then(|value| value.as_bool()) != Some(true) {
                    broken.push(format!("{folder}: {name} has a version of its own"));
                }
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(|value| value.as_bool()) != Some(true) {
            broken.push(format!("{folder}: [lints] workspace = true is missing"));
        }
    }
    let listed = workspace["workspace"]["dependencies"].as_table().expect("dependencies");
    broken
        .extend(listed.keys().filter(|name| !used.contains(*name)).map(|name| format!("{name} is not used")));
    assert_none(&broken, "in Cargo.toml:");
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let names: Vec<String> = with_extension("docs/decisions", "md").iter().map(|path| short(path)).collect();
    let mut broken = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let file = name.trim_start_matches("docs/decisions/");
        let title = read(&root().join(name)).lines().next().unwrap_or_default().to_owned();
        if !file.starts_with(&format!("{:04}-", place + 1)) || !title.starts_with("# ") {
            broken.push(format!("{name}: expected number {:04} and a title", place + 1));
        }
    }
    assert!(!names.is_empty(), "there are no decisions");
    assert_none(&broken, "a number of four digits and a title:");
}

#[test]
fn the_architecture_page_is_short_and_names_every_folder_of_code() {
    let page = read(&root().join("docs/ARCHITECTURE.md"));
    assert!(page.lines().count() < 300, "{} lines", page.lines().count());
    let mut folders = BTreeSet::new();
    for crate_folder in PURE.iter().chain(&["."]) {
        for path in with_extension(&format!("{crate_folder}/src"), "rs") {
            folders.insert(
                short(path.parent().expect("a file is in a folder")).trim_start_matches("./").to_owned(),
            );
        }
    }
    let missing = folders.iter().filter(|folder| !page.contains(&format!("`{folder}/"))).cloned();
    assert_none(&missing.collect::<Vec<_>>(), "docs/ARCHITECTURE.md does not say what these are for:");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in with_extension(".", "md") {
        let text = read(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let outside = target.is_empty() || target.starts_with("http");
            if !outside && !path.parent().expect("a file is in a folder").join(target).exists() {
                broken.push(format!("{}: {link}", short(&path)));
            }
        }
    }
    // Messages and comments send people to pages as well.
    for path in with_extension(".", "rs") {
        let text = read(&path);
        let page = |rest: &str| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c)).next().map(str::to_owned)
        };
        for page in text.split("docs/").skip(1).filter_map(page).filter(|page| page.ends_with(".md")) {
            if !root().join("docs").join(&page).exists() {
                broken.push(format!("{}: docs/{page}", short(&path)));
            }
        }
    }
    assert_none(&broken, "links that lead nowhere:");
}
