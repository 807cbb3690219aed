//! What `docs/formats/` says is true: schemas are what the code says, and every example is read and written back.
//!
//! `CARAFE_UPDATE_DOCS=1 cargo test --test formats` renews the schemas.

use std::path::{Path, PathBuf};

use carafe::drivers::connections::{self, SettingKind};
use carafe::drivers::{DRIVERS, DriverEntry};
use carafe::hooks;
use carafe_model::batch::Batch;
use carafe_model::comparison::Comparison;
use carafe_model::document::{self, Document};
use carafe_model::estate::Estate;
use carafe_model::overrides::Overrides;
use carafe_model::plan::Plan;
use carafe_model::policy::Policy;
use carafe_model::units::Money;
use carafe_model::{policy_file, snapshot};
use carafe_reports::ReportDocument;

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(page(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The first block of a language in a page.
fn example(name: &str, language: &str) -> String {
    let text = read(name);
    let (_, from_block) = text.split_once(&format!("```{language}\n")).expect("the page has an example");
    let (block, _) = from_block.split_once("```").expect("the block ends");
    block.to_owned()
}

fn check_schema<D: Document>() {
    check_text(&format!("{}.schema.json", D::KIND), &D::schema());
}

fn check_text(name: &str, schema: &serde_json::Value) {
    let mut fresh = serde_json::to_string_pretty(schema).expect("a schema is JSON");
    fresh.push('\n');
    if std::env::var_os("CARAFE_UPDATE_DOCS").is_some() {
        std::fs::write(page(name), &fresh).expect("docs can be written");
    }
    assert!(
        read(name) == fresh,
        "docs/formats/{name} is stale: CARAFE_UPDATE_DOCS=1 cargo test --test formats renews it"
    );
}

#[test]
fn schemas_are_what_the_code_says() {
    check_schema::<Estate>();
    check_schema::<Policy>();
    check_schema::<Plan>();
    check_schema::<ReportDocument>();
    check_schema::<Comparison>();
    check_schema::<Batch>();
    check_schema::<Overrides>();
    check_text("events.schema.json", &carafe::executor::events::schema());
    check_text("dry-run.schema.json", &carafe::executor::dry_run_schema());
}

#[test]
fn the_example_of_hooks_is_read_whole() {
    let (attached, findings) = hooks::file::read("hooks.toml", &example("hooks.md", "toml"));
    assert_eq!(findings, []);
    let kinds: Vec<&str> = attached.iter().map(|attached| attached.action.kind()).collect();
    assert_eq!(kinds, ["hook", "hook", "check", "approval"]);
}

#[test]
fn the_example_of_an_event_is_a_line() {
    use carafe::executor::events::{EVENTS, Event, EventLine};
    let event = Event::Step {
        step: "aws/ap-northeast-2/network/erp".into(),
        event: carafe::store::StepEvent::Made { resource: "vpc-1".to_owned() },
    };
    let line = EventLine { carafe: EVENTS, at: "2026-11-20T09:30:15Z".to_owned(), event: &event };
    assert_eq!(serde_json::to_string(&line).expect("it is JSON") + "\n", example("events.md", "json"));
}

#[test]
fn the_example_of_an_estate_is_one() {
    let text = example("estate.md", "json");
    let (estate, findings) = document::read::<Estate>("estate.md", text.as_bytes());
    assert_eq!(findings, []);
    assert_eq!(estate.expect("no findings").to_json(), text);
}

#[test]
fn the_example_of_overrides_is_what_was_edited() {
    let text = example("overrides.md", "json");
    let (overrides, findings) = document::read::<Overrides>("overrides.md", text.as_bytes());
    assert_eq!(findings, []);
    let overrides = overrides.expect("no findings");
    assert_eq!(overrides.to_json(), text);
    let (base, _) = document::read::<Estate>("estate.md", example("estate.md", "json").as_bytes());
    let base = base.expect("an estate");
    let (mut edited, mut told) = (base.clone(), Vec::new());
    carafe_inventory::overrides::apply(&mut edited, &overrides, "overrides.md", &mut told);
    assert_eq!(told, []);
    let mut again = carafe_inventory::overrides::between(&base, &edited);
    for (change, written) in again.changes.iter_mut().zip(&overrides.changes) {
        change.because.clone_from(&written.because);
    }
    assert_eq!(again, overrides);
}

#[test]
fn the_example_of_a_policy_is_one_and_names_every_section() {
    let text = example("policy.md", "toml");
    let (policy, findings) = policy_file::read("policy.md", &text);
    assert_eq!(findings, []);
    let written = serde_json::to_value(&policy).expect("a policy is JSON");
    for section in written.as_object().expect("of sections").keys() {
        assert!(text.contains(&format!("{section}]")) || text.contains(&format!("{section} =")), "{section}");
    }
}

#[test]
fn the_values_called_defaults_are_the_defaults() {
    let (policy, _) = policy_file::read("policy.md", &example("policy.md", "toml"));
    let default = Policy::default();
    assert_eq!(policy.sizing, default.sizing);
    assert_eq!(policy.licences, default.licences);
    assert_eq!(policy.opening, default.opening);
    assert_eq!(policy.migration, default.migration);
    assert_eq!(policy.pricing.terms, default.pricing.terms);
    assert_eq!(policy.pricing.horizon_months, default.pricing.horizon_months);
}

#[test]
fn the_example_of_a_plan_is_one_and_adds_up() {
    let text = example("plan.md", "json");
    let (plan, findings) = document::read::<Plan>("plan.md", text.as_bytes());
    assert_eq!(findings, []);
    let plan = plan.expect("no findings");
    assert_eq!(plan.to_json(), text);
    for line in &plan.bill {
        assert_eq!(line.rate.times(line.quantity), line.monthly, "{}", line.rate_id);
    }
    let sum: Money = plan.bill.iter().map(|line| line.monthly).sum();
    assert_eq!(sum, plan.totals.monthly);
    assert_eq!(sum.times(plan.totals.horizon_months) + plan.totals.one_time, plan.totals.horizon);
}

#[test]
fn the_example_of_a_snapshot_is_its_first_line() {
    let (_, file) =
        snapshot::seal(carafe_model::catalog::Snapshot { id: "x".to_owned(), ..Default::default() });
    let end = file.iter().position(|byte| *byte == b'\n').expect("a first line");
    let line = std::str::from_utf8(&file[..end]).expect("of text");
    let (before, rest) = line.split_once("\"sha256\":\"").expect("with a hash");
    let (_, after) = rest.split_once('"').expect("that ends");
    let expected = format!("{before}\"sha256\":\"…\"{after}\n<{} bytes>\n", file.len() - end - 1);
    assert_eq!(example("snapshot.md", "text"), expected);
}

#[test]
fn the_example_of_connections_is_read_whole_and_every_setting_is_listed() {
    let (read_connections, findings) =
        connections::read("connections.toml", &example("connections.md", "toml"));
    assert_eq!(findings, []);
    assert_eq!(read_connections.len(), 2);
    let row = |driver: &DriverEntry, setting: &connections::Setting| {
        let kind = match setting.kind {
            SettingKind::Text => "text",
            SettingKind::File => "file",
            SettingKind::Secret => "secret",
            SettingKind::Whole => "whole number",
        };
        format!("| `{}` | `{}` | {kind} | {} |", driver.name, setting.name, setting.summary)
    };
    let expected: Vec<String> =
        DRIVERS.iter().flat_map(|driver| driver.settings.iter().map(|s| row(driver, s))).collect();
    let text = read("connections.md");
    let listed: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_examples_of_scenarios_and_of_a_manifest_are_read() {
    let providers = ["aws".to_owned(), "ncp".to_owned()];
    let text = example("scenarios.md", "toml");
    let (scenarios, findings) = policy_file::scenarios::read("scenarios.toml", &text, "", &providers);
    assert_eq!(findings, []);
    assert!(scenarios.len() > 8, "{} scenarios", scenarios.len());
    let (manifest, findings) = policy_file::manifest::read("batch.toml", &example("batch.md", "toml"));
    assert_eq!(findings, []);
    assert_eq!((manifest.estates.len(), manifest.named.len()), (2, 1));
}
