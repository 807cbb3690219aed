//! `carafe connections`: writing the file and testing what is in it.

use crate::support::Folder;

const FILE: &str = r#"
[[connection]]
name = "good"
provider = "ncp"
driver = "fake"

[[connection]]
name = "denied"
provider = "aws"
driver = "fake"
token = "env:TOKEN"

[[connection]]
name = "nowhere"
provider = "gcp"
driver = "spider"
endpoint = "http://127.0.0.1:9"
connection = "seoul"
cloud = "GCP"

[[connection]]
name = "unset"
provider = "kt"
driver = "fake"
token = "env:NOT_SET_AT_ALL"
"#;

#[test]
fn a_new_file_explains_every_driver_and_an_old_one_is_kept() {
    let folder = Folder::new();
    let written = folder.run("connections init --driver spider");
    assert_eq!(written.code, 0, "{}", written.stderr);
    let text = folder.read("connections.toml");
    assert!(text.contains("\n[[connection]]\nname = \"spider\""));
    let again = folder.run("connections init");
    assert_eq!(again.code, 1);
    assert_eq!(folder.read("connections.toml"), text);
    let printed = folder.run("connections init --output -");
    assert!(printed.stdout.contains("# [[connection]]"), "{}", printed.stdout);
    assert_eq!(folder.run("connections init --driver moon").code, 2);
}

#[test]
fn every_connection_is_tested_whatever_becomes_of_the_first() {
    let folder = Folder::new();
    folder.write("connections.toml", FILE);
    let mut command = folder.command(["connections", "check", "--format", "json"]);
    let output = command.env("TOKEN", "denied").output().expect("it runs");
    assert_eq!(output.status.code(), Some(4));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = told["connections"].as_array().expect("a list");
    let works: Vec<(&str, bool)> =
        rows.iter().map(|row| (row["name"].as_str().unwrap_or(""), row["works"] == true)).collect();
    assert_eq!(works, [("good", true), ("denied", false), ("nowhere", false), ("unset", false)]);
    let codes: Vec<&str> = told["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["code"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(codes, ["CON-011", "CON-010", "CON-008"]);

    let one = folder.run("connections check good");
    assert_eq!(one.code, 0, "{}", one.stderr);
    assert!(
        one.stdout.contains("ncp/*") && one.stdout.contains("good makes network, subnet"),
        "{}",
        one.stdout
    );
    assert_eq!(folder.run("connections check none").code, 2);
    let empty = folder.run("connections check --connections missing.toml");
    assert_eq!(empty.code, 1);
}

#[test]
fn only_a_connection_of_cb_spider_is_registered_and_no_secret_is_typed() {
    let folder = Folder::new();
    folder.write("connections.toml", FILE);
    let other = folder.run("connections register good --credential A=env:TOKEN");
    assert_eq!(other.code, 2, "{}", other.stderr);
    let typed = folder.run("connections register nowhere --credential ClientSecret=hunter2");
    assert_eq!(typed.code, 2, "{}", typed.stderr);
    assert!(typed.stderr.contains("a secret is named, never written down"), "{}", typed.stderr);
    let silent = folder.run("connections register nowhere");
    assert_eq!(silent.code, 1, "{}", silent.stderr);
    assert!(silent.stderr.contains("cannot be reached"), "{}", silent.stderr);
}

#[test]
fn a_cloud_that_does_not_answer_is_told_once_and_not_for_every_step() {
    let folder = crate::carried_out::planned();
    let places: Vec<String> = folder.json("plan.json")["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| step["provider"].as_str().expect("text").to_owned())
        .collect();
    folder.write(
        "connections.toml",
        format!(
            "[[connection]]\nname = \"down\"\nprovider = \"{}\"\ndriver = \"openstack\"\nauth_url = \"http://127.0.0.1:9/v3\"\n\
             username = \"u\"\npassword = \"env:HOME\"\nproject = \"p\"\n",
            places[0]
        ),
    );
    let dry = folder.run("apply plan.json --dry-run --connections connections.toml --format json");
    assert_eq!(dry.code, 4, "{}", dry.stderr);
    let told = dry.json();
    let findings = told["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{told}");
    assert_eq!(findings[0]["code"], "RUN-105");
    let summary = findings[0]["summary"].as_str().expect("text");
    assert!(summary.contains(" steps: ") && summary.contains("cannot be reached"), "{summary}");
}
