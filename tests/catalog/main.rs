//! The catalog database and what fills it: imports into SQLite and PostgreSQL, kills, and lists from an HTTP server.

#[path = "../servers/mod.rs"]
mod servers;

mod kill;
mod signed;
mod sync;
mod web;

use std::path::Path;
use std::process::{Command, Output};

use servers::postgres::{Postgres, Shutdown};

/// Runs the program in a folder, with nothing of the environment but what it is given.
pub fn carafe(folder: &Path, arguments: &[&str]) -> Output {
    carafe_with(folder, arguments, &[("CARAFE_TEST_KEY", "sesame".to_owned())])
}

/// The same with these variables.
pub fn carafe_with(folder: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("the program starts")
}

/// The same for what must end well; what it printed.
pub fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = carafe(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}\n{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned() + &said
}

/// A rate card of one provider; prices in its currency.
pub fn card(provider: &str, region: &str, currency: &str, as_of: &str, machines: &[(&str, &str)]) -> String {
    let mut text = "provider,region,country,item,name,vcpus,memory_gib,price,currency,as_of\n".to_owned();
    for (name, price) in machines {
        text += &format!("{provider},{region},KR,machine,{name},4,16,{price},{currency},{as_of}\n");
    }
    text
}

fn fill(folder: &Path, database: &str) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("writable");
    write("usd.csv", card("acme", "r1", "USD", "2026-10-01", &[("a.large", "0.2"), ("b.large", "0.3")]));
    write("krw.csv", card("nhn", "KR1", "KRW", "2026-10-01", &[("m2", "200")]));
    write("later.csv", card("acme", "r1", "USD", "2026-11-01", &[("a.large", "0.25"), ("c.large", "0.1")]));
    let database = ["--catalog", database];
    let run = |arguments: &[&str]| done(folder, &[arguments, &database].concat());
    run(&["catalog", "import", "usd.csv"]);
    run(&["catalog", "import", "krw.csv"]);
    run(&["catalog", "fx", "KRW", "USD", "0.0007", "--as-of", "2026-10-01", "--source", "a bank"]);
    run(&["catalog", "import", "later.csv"]);
}

#[test]
fn the_same_imports_give_the_same_bytes_from_sqlite_and_from_postgresql() {
    let mut server = Postgres::start();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let url = server.database();
    fill(folder, "catalog.db");
    fill(folder, &url);
    for revision in ["2", "3", "4"] {
        let never = ["--fail-on", "never", "--revision", revision];
        done(folder, &[&["catalog", "snapshot", "--catalog", "catalog.db", "-o", "a"][..], &never].concat());
        done(folder, &[&["catalog", "snapshot", "--catalog", &url, "-o", "b"][..], &never].concat());
        let read = |name: &str| std::fs::read(folder.join(name)).expect("written");
        assert_eq!(read("a"), read("b"), "revision {revision}");
    }
    server.stop(Shutdown::Fast);
    server.start_again();
    let found = done(folder, &["catalog", "find", "--country", "kr", "--catalog", &url, "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    let names: Vec<_> = found["found"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| (m["name"].as_str(), m["hour"].as_str()))
        .collect();
    assert_eq!(
        names,
        [(Some("c.large"), Some("0.1")), (Some("m2"), Some("0.14")), (Some("a.large"), Some("0.25"))]
    );
}

#[test]
fn an_import_that_says_nothing_new_adds_nothing_and_history_can_be_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fill(folder, "catalog.db");
    let again = done(folder, &["catalog", "import", "later.csv", "--catalog", "catalog.db"]);
    assert!(again.contains("has all of it already"), "{again}");
    let history = done(folder, &["catalog", "history", "--catalog", "catalog.db", "--format", "json"]);
    let history: serde_json::Value = serde_json::from_str(&history).expect("JSON");
    assert_eq!(history["revisions"].as_array().map(Vec::len), Some(4));
    let diff = done(folder, &["catalog", "diff", "3", "4", "--catalog", "catalog.db", "--format", "json"]);
    let diff: serde_json::Value = serde_json::from_str(&diff).expect("JSON");
    let acme = &diff["changes"]["providers"]["acme"];
    let counts = ["rose", "fell", "appeared", "vanished"].map(|key| acme[key].as_u64());
    assert_eq!(counts, [Some(1), Some(0), Some(1), Some(1)], "{diff}");
    // Without the rate, what is in won is left out and told.
    let early =
        carafe(folder, &["catalog", "snapshot", "--catalog", "catalog.db", "--revision", "2", "-o", "s"]);
    assert_eq!(early.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&early.stderr).contains("CAT-2401"));
}

#[test]
fn what_is_no_catalog_database_is_told_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("notes.txt"), "mine").expect("writable");
    std::fs::write(folder.join("usd.csv"), card("acme", "r1", "USD", "2026-10-01", &[("a", "0.2")]))
        .expect("writable");
    let refused = carafe(folder, &["catalog", "import", "usd.csv", "--catalog", "notes.txt"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(folder.join("notes.txt")).expect("still there"), "mine");
    let absent = carafe(folder, &["catalog", "history", "--catalog", "none.db"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(!folder.join("none.db").exists(), "looking makes nothing");
    let secret = carafe(folder, &["catalog", "show", "--catalog", "postgres://me:hunter2@localhost/x"]);
    let said = String::from_utf8_lossy(&secret.stderr).into_owned();
    assert!(said.contains("CAT-3002") && !said.contains("hunter2"), "{said}");
}
