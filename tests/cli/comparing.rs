//! Plans held against each other, scenarios of one estate, and plans against what exists.

use carafe_model::units::Money;
use serde_json::Value;

use crate::support::Folder;

/// Two hosts that talk to each other, the second hostile in name.
const ESTATE: &str = r#"{"carafe": "estate/1", "name": "<b>shop</b>", "hosts": [
    {"id": "db-1", "name": "<script>alert(1)</script>", "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64",
     "disks": [{"name": "sda", "size_gib": 80}, {"name": "sdb", "size_gib": 200}]},
    {"id": "web-1", "name": "=web-1", "vcpus": 2, "memory_mib": 4096, "architecture": "x86_64",
     "disks": [{"name": "sda", "size_gib": 40}]}],
    "flows": [{"from": {"host": "web-1"}, "to": {"host": "db-1"}, "gib_month": "50"},
              {"from": {"host": "web-1"}, "to": {"external": "internet"}, "gib_month": "100"}]}"#;

const SCENARIOS: &str = "
[[scenario]]
name = \"Japan & <i>only</i>\"
policy.targets.countries = [\"JP\"]
[[scenario]]
name = \"Japan, a year ahead\"
extends = \"Japan & <i>only</i>\"
policy.pricing.terms = [\"1yr\"]
[[scenario]]
name = \"nowhere\"
policy.targets.countries = [\"AQ\"]
[generate]
max_providers = 1
horizon_months = [12]
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    folder.write("policy.toml", "[targets]\ncountries = [\"KR\"]\n");
    folder.write("scenarios.toml", SCENARIOS);
    folder
}

fn money(value: &Value) -> i128 {
    value.as_str().expect("a decimal string").parse::<Money>().expect("money").0
}

/// What hosts and shared lines make of a column's difference.
fn explained(comparison: &Value, column: usize) -> i128 {
    let sum = |changes: &Value| -> i128 {
        changes.as_array().into_iter().flatten().map(|change| money(&change["costs_more"])).sum()
    };
    let hosts = comparison["hosts"]
        .as_array()
        .expect("what the test has made")
        .iter()
        .map(|host| sum(&host["fates"][column]["changes"]));
    let shared = comparison["shared"]
        .as_array()
        .expect("what the test has made")
        .iter()
        .map(|shared| sum(&shared["columns"][column]));
    hosts.chain(shared).sum()
}

#[test]
fn what_differs_adds_up_to_the_difference_to_the_last_digit() {
    let folder = folder();
    folder.write("jp.toml", "[targets]\ncountries = [\"JP\"]\n[opening]\nregion_monthly = 10\n");
    folder.done("plan estate.json --policy policy.toml -o kr.json");
    folder.done("plan estate.json --policy jp.toml -o jp.json");
    let text = folder.done("compare kr.json jp.json -o cmp.json --report cmp.html");
    let comparison = folder.json("cmp.json");
    let (first, second) = (&comparison["columns"][0]["figures"], &comparison["columns"][1]["figures"]);
    assert_eq!(money(&second["costs_more"]), money(&second["monthly"]) - money(&first["monthly"]));
    assert_eq!(explained(&comparison, 1), money(&second["costs_more"]));
    assert_ne!(money(&second["costs_more"]), 0, "the example says something");
    assert_eq!(comparison["alike"]["estate"], true);
    assert_eq!(comparison["alike"]["policy"], false);
    assert!(text.stdout.contains("1 kr.json") && text.stdout.contains("2 jp.json"), "{}", text.stdout);
    folder.done("compare kr.json jp.json -o again.json --report again.html");
    assert_eq!(folder.read("cmp.html"), folder.read("again.html"));
    assert_eq!(folder.read("cmp.json"), folder.read("again.json"));
    let json = folder.done("compare kr.json jp.json --format json").json();
    assert_eq!(json, comparison);
}

#[test]
fn other_prices_and_another_estate_are_said() {
    let folder = folder();
    folder.write("other.json", ESTATE.replace("\"vcpus\": 2", "\"vcpus\": 8"));
    folder.done("plan estate.json -o a.json");
    folder.done("plan other.json -o b.json");
    let text = folder.done("compare a.json b.json").stdout;
    assert!(text.contains("different estates"), "{text}");
    assert!(folder.done("compare a.json b.json --lang ko").stdout.contains("서로 다른 자산"));
    let alone = folder.run("compare a.json");
    assert_eq!(alone.code, 2, "{}", alone.stderr);
    folder.write(
        "krw.toml",
        "[pricing]\ncurrency = \"KRW\"\nexchange = { from = \"USD\", rate = 1400, date = \"2026-01-01\", source = \"bank\" }\n",
    );
    folder.done("plan estate.json --policy krw.toml -o c.json");
    let unlike = folder.run("compare a.json c.json --report cmp.html");
    assert_eq!(unlike.code, 4, "{}", unlike.stderr);
    assert!(unlike.stderr.contains("CMP-001") && !folder.has("cmp.html"));
}

#[test]
fn scenarios_are_columns_and_one_that_fits_nothing_says_why() {
    let folder = folder();
    let line = "compare --scenarios scenarios.toml estate.json --policy policy.toml";
    let text = folder.done(&format!("{line} --report cmp.html -o cmp.json --plans plans")).stdout;
    assert!(text.contains("nowhere does not place every host"), "{text}");
    let comparison = folder.json("cmp.json");
    let columns = comparison["columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "base",
            "Japan & <i>only</i>",
            "Japan, a year ahead",
            "nowhere",
            "max_providers=1",
            "horizon_months=12"
        ]
    );
    assert_eq!(columns[2]["changes"][1], "targets.countries = [\"JP\"]");
    assert!(columns[3]["infeasible"].as_str().unwrap().contains("2 hosts have no place"), "{}", columns[3]);
    assert_eq!(comparison["alike"]["horizon"], false);
    for column in [1, 2, 4, 5] {
        assert_eq!(
            explained(&comparison, column),
            money(&columns[column]["figures"]["costs_more"]),
            "{column}"
        );
    }
    // The same plan as the policy itself gives, under the same name.
    folder.done("plan estate.json --policy policy.toml -o kr.json");
    let plan = folder.json("kr.json");
    assert_eq!(columns[0]["figures"]["monthly"], plan["totals"]["monthly"]);
    assert_eq!(folder.json("plans/01-base.json")["bill"], plan["bill"]);
    let front = &comparison["fronts"][0]["points"];
    let on_front = front.as_array().unwrap().iter().filter(|point| point["is_on_front"] == true).count();
    assert!(on_front >= 1, "{front}");
    let html = folder.read("cmp.html");
    assert!(!html.contains("<script") && !html.contains("<i>only"), "no script, and names are text");
    assert!(html.contains("Japan &#38; &#60;i&#62;only"), "names are shown as they are");
}

#[test]
fn mistakes_in_scenarios_are_told_and_nothing_is_written() {
    let folder = folder();
    folder.write("scenarios.toml", "[[scenario]]\nname = \"a\"\npolicy.targets.contries = [\"KR\"]\n");
    let line = "compare --scenarios scenarios.toml estate.json --report cmp.html";
    let ended = folder.run(line);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("scenarios.toml, row 3, column 16") && ended.stderr.contains("\"countries\"")
    );
    folder.write(
        "scenarios.toml",
        "[[scenario]]\nname = \"a\"\npolicy.targets.countries = [\"AQ\"]\nextends = \"base\"\n",
    );
    folder.write("policy.toml", "[targets]\ncountries = [\"AQ\"]\n");
    let none = folder.run(&format!("{line} --policy policy.toml"));
    assert_eq!(none.code, 3, "{}", none.stderr);
    assert!(folder.has("cmp.html"), "the reasons are written");
}

#[test]
fn the_table_fits_any_width() {
    let folder = folder();
    let line = "compare --scenarios scenarios.toml estate.json --policy policy.toml";
    for columns in ["44", "70", "100", "160"] {
        for (extra, language) in [("", "en"), (" -q", "ko")] {
            let mut command = folder.command(format!("{line}{extra} --lang {language}").split(' '));
            command.env("COLUMNS", columns);
            let text = crate::support::ended(command).stdout;
            let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap_or_default();
            // A figure and a name are never cut, so the narrowest terminals may be run over by one of them.
            assert!(widest <= columns.parse::<usize>().unwrap().max(60), "{widest} of {columns}\n{text}");
        }
    }
}

#[test]
fn a_plan_is_held_against_what_exists() {
    let folder = folder();
    folder.done("plan estate.json --policy policy.toml -o plan.json");
    let before = folder.done("compare plan.json --live --simulate --format json").json();
    let counts = |comparison: &Value, change: &str| -> u64 {
        let counts = comparison["live"][0]["counts"].as_array().unwrap();
        counts
            .iter()
            .filter(|count| count["change"] == change)
            .map(|count| count["steps"].as_u64().unwrap())
            .sum()
    };
    assert!(counts(&before, "make") > 0 && counts(&before, "exists") == 0, "{}", before["live"]);
    folder.done("apply plan.json --simulate --auto-approve");
    let after = folder.done("compare plan.json --live --simulate --format json --report live.html").json();
    assert!(counts(&after, "exists") > 0 && counts(&after, "make") == 0, "{}", after["live"]);
    folder.write(
        "less.json",
        ESTATE
            .replace("\"id\": \"web-1\"", "\"id\": \"web-2\"")
            .replace("\"host\": \"web-1\"", "\"host\": \"web-2\""),
    );
    folder.done("plan less.json --policy policy.toml -o less-plan.json");
    let other = folder.run("compare less-plan.json --live --simulate --format json");
    let beyond = other.json()["live"][0]["beyond"].clone();
    let names: Vec<&str> =
        beyond.as_array().unwrap().iter().map(|beyond| beyond["name"].as_str().unwrap()).collect();
    assert!(names.iter().any(|name| name.contains("web-1")), "{names:?}");
    assert!(folder.read("live.html").contains("Against what exists"));
}
