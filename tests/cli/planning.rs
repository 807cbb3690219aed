//! Plans made by the program: exact, repeatable, and honest about what has no place.

use serde_json::Value;

use crate::support::{Folder, ended};

/// Three hosts that talk, of which one is far too large for any offer when `memory` says so.
fn estate(memory: u64) -> String {
    format!(
        r#"{{"carafe": "estate/1", "name": "shop", "hosts": [
        {{"id": "web-1", "name": "web-1", "architecture": "x86_64", "vcpus": 2, "memory_mib": 4096,
          "os": {{"family": "linux", "name": "Ubuntu 22.04"}}, "disks": [{{"name": "sda", "size_gib": 40}}]}},
        {{"id": "app-1", "name": "app-1", "architecture": "x86_64", "vcpus": 3, "memory_mib": 7000,
          "os": {{"family": "windows", "name": "Windows Server 2019"}}, "disks": [{{"name": "c", "size_gib": 127}}]}},
        {{"id": "db-1", "name": "db-1", "architecture": "x86_64", "vcpus": 8, "memory_mib": {memory},
          "os": {{"family": "linux", "name": "Rocky Linux 9"}}, "disks": [{{"name": "sda", "size_gib": 333}}]}}],
        "flows": [
        {{"from": {{"host": "web-1"}}, "to": {{"host": "app-1"}}, "gib_month": "33.3", "gib_month_back": "123.456"}},
        {{"from": {{"host": "app-1"}}, "to": {{"host": "db-1"}}, "gib_month": "77", "gib_month_back": "700.001"}},
        {{"from": {{"external": "internet"}}, "to": {{"host": "web-1"}}, "gib_month": "9", "gib_month_back": "1500"}}]}}"#
    )
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("estate.json", estate(32_768));
    folder
}

/// A decimal string as an exact count of its 10^-9.
fn billionths(decimal: &Value) -> i128 {
    let text = decimal.as_str().unwrap_or_else(|| panic!("money is a string, not {decimal}"));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 9, "{text}");
    format!("{whole}{fraction:0<9}").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_bill_adds_up_to_the_last_digit() {
    let folder = folder();
    folder.done("plan estate.json -o plan.json");
    let plan = folder.json("plan.json");
    let lines = plan["bill"].as_array().expect("a bill");
    assert!(lines.len() > 5, "{lines:#?}");
    let sum: i128 = lines.iter().map(|line| billionths(&line["monthly"])).sum();
    assert_eq!(sum, billionths(&plan["totals"]["monthly"]));
    let months = i128::from(plan["totals"]["horizon_months"].as_i64().expect("months"));
    let horizon = sum * months + billionths(&plan["totals"]["one_time"]);
    assert_eq!(horizon, billionths(&plan["totals"]["horizon"]));
}

#[test]
fn the_same_input_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = folder();
    let plan = |name: &str, threads: &str| {
        let mut command =
            folder.command(["plan", "estate.json", "-o", name, "--report", &format!("{name}.html")]);
        command.env("RAYON_NUM_THREADS", threads);
        assert_eq!(ended(command).code, 0);
        (folder.read(name), folder.read(&format!("{name}.html")))
    };
    let first = plan("a.json", "1");
    assert_eq!(plan("b.json", "1"), first, "twice");
    assert_eq!(plan("c.json", "8"), first, "with eight threads");
}

#[test]
fn the_plan_names_what_it_was_made_of() {
    let folder = folder();
    folder.write("policy.toml", "[targets]\nproviders = [\"aws\", \"gcp\"]\n");
    folder.done("plan estate.json --policy policy.toml -o plan.json");
    let plan = folder.json("plan.json");
    let policy = std::fs::read(folder.path("policy.toml")).unwrap();
    assert_eq!(plan["policy_sha256"], carafe_model::document::sha256(&policy));
    for placement in plan["placements"].as_array().unwrap() {
        assert!(["aws", "gcp"].contains(&placement["provider"].as_str().unwrap()), "{placement}");
    }
    let catalog = folder.done("catalog show --format json").json();
    assert_eq!(plan["catalog"]["sha256"], catalog["catalog"]["sha256"]);
    folder.done("plan estate.json -o free.json");
    assert_eq!(folder.json("free.json")["policy_sha256"], carafe_model::document::sha256(b""));
    assert_eq!(folder.json("free.json")["estate_sha256"], plan["estate_sha256"]);
}

#[test]
fn a_host_without_a_place_is_told_by_the_exit_code_and_the_plan_is_written() {
    let folder = Folder::new();
    folder.write("estate.json", estate(60_000_000));
    let ended = folder.run("plan estate.json -o plan.json");
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("1 host has no place"), "{}", ended.stderr);
    let plan = folder.json("plan.json");
    assert_eq!(plan["unplaced"][0]["host"], "db-1");
    assert!(!plan["unplaced"][0]["reasons"].as_array().unwrap().is_empty());
    assert_eq!(plan["placements"].as_array().unwrap().len(), 2);
}

#[test]
fn the_answer_goes_where_the_plan_does_not() {
    let folder = folder();
    let answer = folder.done("plan estate.json -o plan.json");
    assert!(answer.stdout.contains("A month") && answer.stderr.contains("wrote plan.json"));
    assert!(answer.stderr.contains("built-in catalog"), "{}", answer.stderr);
    let document = folder.done("plan estate.json -o -");
    assert_eq!(document.stdout, folder.read("plan.json"));
    let json = folder.done("plan estate.json --format json").json();
    assert_eq!(json["totals"], folder.json("plan.json")["totals"]);
    assert_eq!(json["unplaced"], 0);
    for both in ["--format json -o -", "--format json --report -", "-o - --report -"] {
        assert_eq!(folder.run(&format!("plan estate.json {both}")).code, 2, "{both}");
    }
    assert!(folder.done("report plan.json").stdout.contains("A month"));
    folder.done("report plan.json --html report.html");
    assert_eq!(folder.read("report.html"), folder.done("report plan.json --html -").stdout);
}

#[test]
fn a_snapshot_gives_the_plan_that_its_folder_gives() {
    let folder = folder();
    std::fs::create_dir(folder.path("prices")).unwrap();
    for (name, text) in carafe_inventory::catalog::STARTER_FILES {
        std::fs::write(folder.path("prices").join(name), text).unwrap();
    }
    folder.write("prices/README.md", "What the tables mean.");
    let imported = folder.done("catalog import prices --as normalised -o c.snapshot --format json").json();
    let shown = folder.done("catalog show --catalog c.snapshot --format json").json();
    assert_eq!(imported["catalog"], shown["catalog"]);
    assert!(shown["catalog"]["offers"].as_u64().is_some_and(|offers| offers > 500));
    folder.done("plan estate.json --catalog prices -o a.json");
    folder.done("plan estate.json --catalog c.snapshot -o b.json");
    assert_eq!(folder.read("a.json"), folder.read("b.json"));
    let mut bytes = std::fs::read(folder.path("c.snapshot")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(folder.path("c.snapshot"), bytes).unwrap();
    let damaged = folder.run("plan estate.json --catalog c.snapshot -o c.json");
    assert_eq!(damaged.code, 4);
    assert!(damaged.stderr.contains("CAT-0003") && !folder.has("c.json"), "{}", damaged.stderr);
}

#[test]
fn a_plan_keeps_to_what_the_connections_it_is_for_can_make() {
    let folder = Folder::new();
    let estate: Value = serde_json::from_str(&estate(32_768)).expect("JSON");
    let mut estate = estate;
    estate["load_balancers"] = serde_json::json!([{
        "id": "front", "protocol": "tcp", "port": 443, "public": true, "members": ["web-1"], "member_port": 443
    }]);
    folder.write("estate.json", estate.to_string());
    folder.write("policy.toml", "[targets]\nproviders = [\"oci\"]\n");
    // CB-Spider has no load balancers for Oracle Cloud. Nobody listens there: capabilities are known without asking.
    folder.write(
        "connections.toml",
        "[[connection]]\nname = \"oci\"\nprovider = \"oci\"\ndriver = \"spider\"\ncloud = \"ORACLE\"\n\
         endpoint = \"http://127.0.0.1:9\"\nconnection = \"oci-seoul\"\n",
    );
    folder.done("plan estate.json --policy policy.toml -o free.json");
    assert_eq!(folder.json("free.json")["unplaced"], serde_json::json!([]));
    let command = "plan estate.json --policy policy.toml --connections connections.toml -o bound.json";
    assert_eq!(folder.run(command).code, 3);
    let bound = folder.json("bound.json");
    assert_eq!(bound["unplaced"][0]["host"], "web-1", "{}", bound["unplaced"]);
    assert!(bound["unplaced"].to_string().contains("cannot be made"), "{}", bound["unplaced"]);
    assert_ne!(bound["policy_sha256"], folder.json("free.json")["policy_sha256"]);
}
