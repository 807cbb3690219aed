//! Why a host goes where it goes, what would have to give way for another place, and which demands clash.

use carafe_model::units::Money;
use serde_json::Value;

use crate::support::Folder;

const ESTATE: &str = r#"{"carafe": "estate/1", "name": "shop", "hosts": [
    {"id": "db-1", "name": "db-1", "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64", "labels": {"tier": "db"},
     "disks": [{"name": "sda", "size_gib": 80}, {"name": "sdb", "size_gib": 200}]},
    {"id": "web-1", "name": "web-1", "vcpus": 2, "memory_mib": 4096, "architecture": "x86_64",
     "disks": [{"name": "sda", "size_gib": 40}]}],
    "flows": [{"from": {"host": "web-1"}, "to": {"host": "db-1"}, "gib_month": "50"},
              {"from": {"host": "web-1"}, "to": {"external": "internet"}, "gib_month": "100"}]}"#;

fn folder(policy: &str) -> Folder {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    folder.write("policy.toml", policy);
    folder
}

fn planned() -> Folder {
    let folder = folder("[targets]\ncountries = [\"KR\", \"JP\"]\n");
    folder.done("plan estate.json --policy policy.toml --gap 0 -o plan.json");
    folder
}

fn money(value: &Value) -> i128 {
    value.as_str().expect("a decimal string").parse::<Money>().expect("money").0
}

#[test]
fn another_place_costs_what_a_plan_with_the_host_there_costs() {
    let folder = planned();
    let why = "explain plan.json db-1 --estate estate.json --policy policy.toml --format json --why-not";
    let answer = folder.done(&format!("{why} aws/ap-northeast-2")).json();
    let answer = &answer["why_not"];
    folder.write(
        "there.toml",
        "[targets]\ncountries = [\"KR\", \"JP\"]\n[[rule]]\nmatch = { host = \"db-1\" }\nregions = [\"aws/ap-northeast-2\"]\n",
    );
    folder.done("plan estate.json --policy there.toml --gap 0 -o there.json");
    let (plan, there) = (folder.json("plan.json"), folder.json("there.json"));
    let more = money(&there["totals"]["monthly"]) - money(&plan["totals"]["monthly"]);
    assert_eq!(answer["monthly"], there["totals"]["monthly"]);
    assert_eq!(money(&answer["costs_more"]), more);
    assert!(more >= 0 && answer["fitting"].as_u64() > Some(0), "{answer}");
    let refused = folder.done(&format!("{why} aws/us-east-1")).json();
    assert_eq!(refused["why_not"]["fitting"], 0);
    let reasons = refused["why_not"]["refused"].as_array().expect("a list");
    assert!(reasons.iter().any(|reason| reason["text"].to_string().contains("countries")), "{reasons:?}");
    assert_eq!(refused["why_not"]["monthly"], Value::Null);
}

#[test]
fn a_constraint_costs_what_the_plan_without_it_saves() {
    let folder = planned();
    let asked =
        "explain plan.json --estate estate.json --policy policy.toml --constraints --sensitivity --pareto";
    let answer = folder.done(&format!("{asked} --format json")).json();
    let constraints = answer["what_if"]["constraints"].as_array().expect("a list");
    let countries =
        constraints.iter().find(|found| found["key"] == "targets.countries").expect("it is asked");
    folder.done("plan estate.json --gap 0 -o free.json");
    let (plan, free) = (folder.json("plan.json"), folder.json("free.json"));
    let saved = money(&plan["totals"]["monthly"]) - money(&free["totals"]["monthly"]);
    assert_eq!(money(&countries["costs"]["found"]), saved);
    assert!(saved >= 0, "a looser policy is never dearer");
    let text = folder.done(asked).stdout;
    for expected in ["What constraints cost", "Other prices", "stays the cheapest", "round trip"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for front in answer["what_if"]["fronts"].as_array().expect("a list") {
        let months: Vec<i128> = front["points"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|p| money(&p["outcome"]["monthly"]))
            .collect();
        assert!(months.is_sorted_by(|a, b| a >= b), "more of the other thing is never dearer: {front}");
    }
    folder.done("plan estate.json --policy policy.toml --gap 0 --what-if -o asked.json --report asked.html");
    let beside = folder.json("asked.json");
    assert_eq!(beside["totals"], plan["totals"]);
    assert!(folder.read("asked.html").contains("Money a month against the longest round trip"));
}

#[test]
fn nothing_is_answered_about_a_plan_of_other_documents() {
    let folder = planned();
    let without = folder.run("explain plan.json --estate estate.json --constraints");
    assert_eq!(without.code, 1);
    assert!(without.stderr.contains("another policy"), "{}", without.stderr);
    folder.write("other.json", ESTATE.replace("8192", "4096"));
    let other = folder.run("explain plan.json --estate other.json --policy policy.toml --constraints");
    assert!(other.code == 1 && other.stderr.contains("another estate"), "{}", other.stderr);
    folder.done("plan estate.json --policy policy.toml --sizing measured --gap 0 -o measured.json");
    let untold = folder.run("explain measured.json --estate estate.json --policy policy.toml --constraints");
    assert_eq!(untold.code, 1, "it was sized in another way: {}", untold.stderr);
    folder.done(
        "explain measured.json --estate estate.json --policy policy.toml --sizing measured --constraints",
    );
    assert_eq!(folder.run("explain plan.json nobody").code, 2);
}

#[test]
fn demands_that_clash_are_named_with_the_cheapest_way_out() {
    let folder = folder(
        "[targets]\nmax_providers = 1\n[[rule]]\nmatch = { host = \"db-1\" }\nproviders = [\"aws\"]\n\
         [[rule]]\nmatch = { host = \"web-1\" }\nproviders = [\"gcp\"]\n",
    );
    let ended = folder.run("plan estate.json --policy policy.toml --format json -o plan.json");
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let plan = folder.json("plan.json");
    let findings = plan["findings"].as_array().expect("a list");
    let keys: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["code"] == "PLN-0405")
        .filter_map(|finding| finding["place"]["pointer"].as_str().or(finding["place"]["at"].as_str()))
        .collect();
    assert_eq!(findings.iter().filter(|finding| finding["code"] == "PLN-0405").count(), 3, "{keys:?}");
    let whole = findings.iter().find(|finding| finding["code"] == "PLN-0402").expect("what clashes");
    for named in ["at most 1 provider", "only aws may be used", "only gcp may be used"] {
        assert!(whole["summary"].to_string().contains(named), "{whole}");
    }
    assert!(whole["help"].to_string().contains("the cheapest way out"), "{whole}");
}
