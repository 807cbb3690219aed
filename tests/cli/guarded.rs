//! Inputs that would be destroyed, plans that were changed by hand, and mistakes that must be told with their place.

use serde_json::{Value, json};

use crate::support::Folder;

const ESTATE: &str = r#"{"carafe": "estate/1", "name": "shop", "hosts": [
    {"id": "web-1", "name": "web-1", "vcpus": 2, "memory_mib": 4096, "architecture": "x86_64",
     "disks": [{"name": "sda", "size_gib": 40}]},
    {"id": "db-1", "name": "db-1", "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64",
     "disks": [{"name": "sda", "size_gib": 80}]}],
    "flows": [{"from": {"host": "web-1"}, "to": {"host": "db-1"}, "gib_month": "50"}]}"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    folder
}

/// Runs a line that must end so, and looks for words on standard error.
#[track_caller]
fn told(folder: &Folder, line: &str, code: i32, words: &[&str]) {
    let ended = folder.run(line);
    assert_eq!(ended.code, code, "carafe {line}\n{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "carafe {line}: no {word}\n{}", ended.stderr);
    }
}

#[test]
fn nothing_is_written_over_an_input_or_another_output() {
    let folder = folder();
    folder.write("policy.toml", "");
    for line in [
        "plan estate.json -o estate.json",
        "plan estate.json -o ./estate.json",
        "plan estate.json --report estate.json",
        "plan estate.json --policy policy.toml -o policy.toml",
        "plan estate.json -o new.json --report new.json",
        "plan estate.json -o new.json --report ./new.json",
        "inventory import estate.json -o estate.json",
        "catalog import prices -o prices/prices.csv",
    ] {
        std::fs::create_dir_all(folder.path("prices")).unwrap();
        told(&folder, line, 2, &["= help: "]);
        assert_eq!(folder.read("estate.json"), ESTATE, "{line}");
        assert!(!folder.has("new.json"), "{line}");
    }
    folder.done("plan estate.json -o plan.json");
    let plan = folder.read("plan.json");
    told(&folder, "report plan.json --html plan.json", 2, &["plan.json"]);
    assert_eq!(folder.read("plan.json"), plan);
    folder.done("plan estate.json -o plan.json");
    folder.done("plan estate.json -o /dev/null --report /dev/null");
}

#[cfg(unix)]
#[test]
fn links_do_not_hide_that_two_paths_are_one_file() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    std::fs::create_dir(folder.path("deep")).unwrap();
    symlink(folder.path("estate.json"), folder.path("link.json")).unwrap();
    symlink(folder.path("."), folder.path("deep/back")).unwrap();
    for line in [
        "plan estate.json -o link.json",
        "plan link.json -o estate.json",
        "plan estate.json -o deep/back/estate.json",
        "plan estate.json -o deep/../estate.json",
        "plan estate.json -o deep/back/new.json --report new.json",
    ] {
        told(&folder, line, 2, &[]);
        assert_eq!(folder.read("estate.json"), ESTATE, "{line}");
    }
    assert!(!folder.has("new.json"));
}

/// Changes a plan, and expects every command that reads one to refuse it at this place.
#[track_caller]
fn tampered(folder: &Folder, code: &str, pointer: &str, change: impl FnOnce(&mut Value)) {
    let mut plan = folder.json("plan.json");
    change(&mut plan);
    folder.write("changed.json", plan.to_string());
    for line in ["report changed.json --html out.html", "apply changed.json --dry-run --simulate"] {
        told(
            folder,
            line,
            4,
            &[&format!("error[{code}]"), &format!("changed.json, {pointer}"), "carafe plan"],
        );
        assert!(!folder.has("out.html"));
    }
}

#[test]
fn a_plan_that_was_changed_by_hand_is_refused_where_it_was_changed() {
    let folder = folder();
    folder.done("plan estate.json -o plan.json");
    folder.done("report plan.json");
    let t = |code, pointer, change: &dyn Fn(&mut Value)| tampered(&folder, code, pointer, change);
    t("PLC-001", "/bill/0/monthly", &|plan| plan["bill"][0]["quantity"] = json!("1"));
    t("PLC-001", "/bill/0/range", &|plan| {
        plan["bill"][0]["range"] = json!({"low": "0", "high": "0", "unknown": "all"});
    });
    t("PLC-002", "/totals/monthly", &|plan| plan["totals"]["monthly"] = json!("1"));
    t("PLC-002", "/totals/monthly_low", &|plan| plan["totals"]["monthly_low"] = json!("1"));
    t("PLC-002", "/totals/horizon", &|plan| plan["totals"]["horizon_months"] = json!(1));
    t("PLC-002", "/totals/monthly", &|plan| drop(plan["bill"].as_array_mut().unwrap().pop()));
    t("PLC-003", "/bound/lower_bound", &|plan| plan["bound"]["lower_bound"] = json!("999999"));
    t("PLC-003", "/bound/gap", &|plan| plan["bound"]["lower_bound"] = json!("0.5"));
    t("PLC-005", "/waves/1/hosts/0", &|plan| drop(plan["placements"].as_array_mut().unwrap().remove(0)));
    t("PLC-006", "/bill/", &|plan| drop(plan["placements"].as_array_mut().unwrap().remove(0)));
    t("PLC-004", "/placements/2/host", &|plan| {
        let twin = plan["placements"][0].clone();
        plan["placements"].as_array_mut().unwrap().push(twin);
    });
    t("PLC-006", "/placements/1/monthly", &|plan| plan["placements"][1]["monthly"] = json!("0"));
    t("PLC-007", "/bill/0/source", &|plan| plan["bill"][0]["source"] = json!(77));
    t("PLC-007", "/steps/0/after/0", &|plan| plan["steps"][0]["after"] = json!(["nothing"]));
    t("PLC-007", "/steps/0/after", &|plan| {
        let last = plan["steps"].as_array().unwrap().last().unwrap()["id"].clone();
        plan["steps"][0]["after"] = json!([last]);
    });
}

#[test]
fn amounts_at_the_edge_of_what_fits_do_not_break_the_check() {
    let folder = folder();
    folder.done("plan estate.json -o plan.json");
    let most = "170141183460469231731687303715.884105727";
    let mut plan = folder.json("plan.json");
    for line in plan["bill"].as_array_mut().unwrap() {
        line["monthly"] = json!(most);
    }
    plan["totals"]["monthly"] = json!(most);
    plan["bound"] = json!({"objective": most, "lower_bound": format!("-{most}"), "gap": "0", "proven": true});
    folder.write("changed.json", plan.to_string());
    told(&folder, "report changed.json", 4, &["PLC-001", "PLC-003"]);
}

#[test]
fn a_missing_exchange_rate_stops_the_plan_whatever_is_accepted() {
    let folder = folder();
    let line = "plan estate.json --policy policy.toml -o plan.json --report report.html --fail-on never";
    folder.write("policy.toml", "[pricing]\ncurrency = \"KRW\"\n");
    told(&folder, line, 4, &["error[PLN-0104]", "policy.toml, row 2, column", "from USD to KRW"]);
    folder.write(
        "policy.toml",
        "[pricing]\ncurrency = \"KRW\"\nexchange = { from = \"EUR\", rate = 1500, date = \"2026-01-01\", source = \"bank\" }\n",
    );
    told(&folder, line, 4, &["error[PLN-0104]", "policy.toml, row 3", "the policy's rate is from EUR"]);
    folder.write(
        "policy.toml",
        "[pricing]\ncurrency = \"KRW\"\nexchange = { rate = 1500, date = \"2026-01-01\", source = \"bank\" }\n",
    );
    told(
        &folder,
        line.trim_end_matches(" --fail-on never"),
        4,
        &["error[POL-004]", "policy.toml, row 3", "the currency it is from"],
    );
    assert!(!folder.has("plan.json") && !folder.has("report.html"));
}

#[test]
fn findings_about_a_policy_have_row_and_column_and_come_at_once() {
    let folder = folder();
    folder.write(
        "policy.toml",
        "[targets]\nproviders = [\"awss\"]\n[opening]\nregion_monthly = -1\n[sizing]\nheadroom = { cpu = 0.5 }\n\
         [[rule]]\nvcpus = 2\n[[rule]]\nmatch = { host = \"nobody\" }\nburstable = false\n",
    );
    let ended = folder.run("plan estate.json --policy policy.toml -o plan.json");
    assert_eq!(ended.code, 4);
    for place in [
        "row 2, column 13, targets.providers",
        "row 4, column 18, opening.region_monthly",
        "row 6, column 20, sizing.headroom.cpu",
        "row 7, column 1, rule[0]",
        "row 10, column 9, rule[1].match",
    ] {
        assert!(ended.stderr.contains(&format!("policy.toml, {place}")), "{place}\n{}", ended.stderr);
    }
    assert!(ended.stderr.contains("PLN-0101") && ended.stderr.contains("PLN-0102"), "{}", ended.stderr);
}

#[test]
fn an_estate_with_mistakes_is_told_all_of_them_in_plain_words() {
    let folder = Folder::new();
    folder.write(
        "estate.json",
        r#"{"carafe": "estate/1", "name": "n", "hosts": [
        {"id": "a", "name": "web", "vcpu": 2, "vcpus": "4", "memory_mib": 0},
        {"id": "b", "name": "web", "vcpus": 2, "vcpus": 3, "memory_mib": 4096},
        {"id": "c", "name": "w\u200beb", "vcpus": 2, "memory_mib": 4096}]}"#,
    );
    let ended = folder.run("plan estate.json -o plan.json");
    assert_eq!(ended.code, 4);
    for words in [
        "did you mean \"vcpus\"?",
        "a whole number is wanted, this is a text",
        "write it without quotes: 4",
        "error[DOC-006]",
        "estate.json, /hosts/1/vcpus",
        "error[INV-1204]",
        "estate.json, /hosts/0/memory_mib",
        "warning[INV-1221]",
        "estate.json, /hosts/1/name",
        "warning[INV-1222]",
        "w⟨U+200B⟩eb",
    ] {
        assert!(ended.stderr.contains(words), "no {words}\n{}", ended.stderr);
    }
    for word in ["u32", "u64", "invalid type", "deserialize", "expected one of"] {
        assert!(!ended.stderr.contains(word), "{word}\n{}", ended.stderr);
    }
}

#[test]
fn findings_of_an_import_name_the_file_and_not_the_estate() {
    let folder = Folder::new();
    folder.write("list.json", r#"[{"hostname": "web", "machineId": "m-1"}]"#);
    told(&folder, "inventory import list.json -o e.json", 4, &["error[INV-2002]", "list.json"]);
    folder.write(
        "one.json",
        r#"{"onpremiseInfraModel": {"nodes": [{"hostname": "db1", "machineId": "m-1"}]}}"#,
    );
    let line = "inventory import one.json --name erp -o e.json --fail-on warning";
    told(&folder, line, 4, &["INV-1209", "one.json, /onpremiseInfraModel/nodes/0"]);
    assert!(!folder.run(line).stderr.contains("┌─ erp"));
    folder.write(
        "none.json",
        r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "a", "name": "a", "memory_mib": 0}]}"#,
    );
    told(&folder, "inventory import none.json -o e.json", 0, &["INV-1204", "none.json, /hosts/0/memory_mib"]);
}

#[test]
fn what_cannot_be_written_is_named_as_the_user_named_it() {
    let folder = folder();
    folder.done("man --dir new/man1");
    assert!(folder.has("new/man1/carafe-plan.1"));
    folder.write("file", "");
    told(&folder, "man --dir file/man1", 1, &["IO-009", "file/man1"]);
    #[cfg(target_os = "linux")]
    {
        let ended = folder.run("plan estate.json -o /proc/plan.json");
        assert_eq!(ended.code, 1);
        assert!(
            ended.stderr.contains("/proc/plan.json") && !ended.stderr.contains(".carafe-"),
            "{}",
            ended.stderr
        );
    }
}
