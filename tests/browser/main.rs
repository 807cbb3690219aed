//! The HTML report of the demo in a real browser: nothing fetched, nothing cut off, readable in both themes, on paper
//! and with a keyboard or a screen reader. Pictures for people are left in the target folder, under `tmp`.

mod axe;
mod chromium;
mod comparison;
#[path = "../../reports/tests/fixture/mod.rs"]
mod fixture;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use carafe_model::document;
use carafe_model::language::Language;
use carafe_model::plan::{Plan, Totals};
use carafe_model::units::Money;
use serde_json::{Value, json};

use chromium::{Chromium, file_url};

/// A telephone, a window of half a screen, and a wide screen, in CSS pixels.
const WIDTHS: [u32; 3] = [380, 900, 1600];
/// What the margins leave of A4, in CSS pixels.
const PAPER: u32 = 688;
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Roles that mean nothing to a screen reader without a name.
const NAMED_ROLES: [&str; 8] = ["button", "image", "img", "link", "region", "table", "textbox", "combobox"];

/// Everything that is wrong with a page, each with the look it was found in.
fn complaints(browser: &mut Chromium, page: &Path) -> Vec<String> {
    browser.look(1600, "screen", "light");
    browser.open(page);
    let mut found = Vec::new();
    let looks = WIDTHS.iter().flat_map(|width| SCHEMES.map(|scheme| (*width, "screen", scheme)));
    // Chromium prints with the light scheme whatever the user prefers.
    for (width, media, scheme) in looks.chain([(PAPER, "print", "light")]) {
        browser.look(width, media, scheme);
        let audit = browser.evaluate(include_str!("audit.js"));
        for complaint in audit.as_array().expect("the audit returns a list") {
            let complaint = complaint.as_str().expect("of sentences");
            found.push(format!("{complaint} ({width} px, {media}, {scheme})"));
        }
    }
    found.extend(nameless(browser));
    found.extend(trouble(browser, page));
    found
}

/// What the accessibility tree holds without a name.
fn nameless(browser: &mut Chromium) -> Vec<String> {
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().expect("a tree has nodes");
    let of_role = |node: &&Value| NAMED_ROLES.iter().any(|role| node["role"]["value"] == **role);
    nodes
        .iter()
        .filter(|node| node["ignored"] == json!(false))
        .filter(of_role)
        .filter(|node| node["name"]["value"].as_str().is_none_or(|name| name.trim().is_empty()))
        .map(|node| format!("name: a {} has none", node["role"]["value"]))
        .collect()
}

/// Errors that the page caused, and everything it asked for besides itself.
fn trouble(browser: &Chromium, page: &Path) -> Vec<String> {
    let own = file_url(page);
    let mut found = Vec::new();
    for call in browser.events("Runtime.consoleAPICalled") {
        found.push(format!("console: {}", call["args"]));
    }
    for thrown in browser.events("Runtime.exceptionThrown") {
        found.push(format!("exception: {}", thrown["exceptionDetails"]["exception"]["description"]));
    }
    for entry in browser.events("Log.entryAdded") {
        found.push(format!("log: {}", entry["entry"]["text"]));
    }
    for request in browser.events("Network.requestWillBeSent") {
        let url = request["request"]["url"].as_str().unwrap_or_default();
        if url != own && !url.starts_with("data:") {
            found.push(format!("network: the page asks for {url}"));
        }
    }
    found
}

/// The folder that outlives the test run, for pictures.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn demo(folder: &Path) -> (PathBuf, Plan) {
    let output = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .arg("demo")
        .arg(folder)
        .output()
        .expect("the program was just built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(folder.join("plan.json")).expect("the demo writes a plan");
    let (plan, findings) = document::read::<Plan>("plan.json", &bytes);
    assert_eq!(findings, []);
    (folder.join("report.html"), plan.expect("no findings"))
}

/// The text of a PDF, page by page.
fn pages(pdf: &Path) -> Vec<String> {
    let output = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8"])
        .arg(pdf)
        .arg("-")
        .output()
        .expect("pdftotext is not installed: apt-get install poppler-utils");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("asked for UTF-8");
    text.split_terminator('\u{c}').map(str::to_owned).collect()
}

#[test]
fn the_report_of_the_demo_is_fit_to_hand_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (report, _) = demo(folder.path());
    let mut browser = Chromium::start();
    let found = complaints(&mut browser, &report);
    for width in WIDTHS {
        for scheme in SCHEMES {
            browser.look(width, "screen", scheme);
            let picture = pictures().join(format!("{width}-{scheme}.png"));
            std::fs::write(picture, browser.screenshot()).expect("the target folder can be written");
        }
    }
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
}

#[test]
fn names_made_to_break_it_leave_the_report_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.html");
    std::fs::write(&report, carafe_reports::html(&fixture::hostile(), Language::ENGLISH))
        .expect("a temporary file");
    let found = complaints(&mut Chromium::start(), &report);
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_figures_in_the_page_are_those_of_the_plan() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (report, plan) = demo(folder.path());
    let mut browser = Chromium::start();
    browser.look(1600, "screen", "light");
    browser.open(&report);
    let figures =
        browser.evaluate("[...document.querySelectorAll('data')].map((d) => [d.value, d.textContent])");
    let figures: Vec<(Money, Money)> = serde_json::from_value::<Vec<(String, String)>>(figures)
        .expect("pairs of texts")
        .iter()
        .map(|(exact, shown)| (exact.parse().expect("an exact figure"), parse_shown(shown)))
        .collect();
    let half_of_the_last_digit = Money(10i128.pow(9 - plan.currency.decimals()) / 2);
    for (exact, shown) in &figures {
        let difference = Money((exact.0 - shown.0).abs());
        assert!(difference <= half_of_the_last_digit, "{shown} is shown for {exact}");
    }
    let exact: BTreeSet<Money> = figures.iter().map(|(exact, _)| *exact).collect();
    let Totals { monthly, one_time, horizon, .. } = plan.totals;
    let of_hosts = plan.placements.iter().map(|placement| placement.monthly);
    for money in [monthly, one_time, horizon].into_iter().chain(of_hosts) {
        assert!(exact.contains(&money), "{money} is not in the page");
    }
    let text = browser.evaluate("document.documentElement.textContent");
    let text = text.as_str().expect("a text");
    for line in &plan.bill {
        assert!(text.contains(line.rate_id.as_str()), "{} is not in the page", line.rate_id);
    }
}

#[test]
fn the_report_can_be_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (report, plan) = demo(folder.path());
    let mut browser = Chromium::start();
    // Printed by somebody who reads dark pages: paper stays white.
    browser.look(1600, "", "dark");
    browser.open(&report);
    let pdf = pictures().join("report.pdf");
    std::fs::write(&pdf, browser.print()).expect("the target folder can be written");
    let pages = pages(&pdf);
    assert!(!pages.is_empty());
    let all = pages.concat();
    let shown = browser
        .evaluate(&format!("document.querySelector('data[value=\"{}\"]').textContent", plan.totals.monthly));
    let shown = shown.as_str().expect("a text");
    assert!(pages[0].contains(shown), "the month is not on the first page");
    for placement in &plan.placements {
        assert!(all.contains(placement.host.as_str()), "{} is not on paper", placement.host);
    }
}

/// Reads a figure as the report writes it for people.
fn parse_shown(shown: &str) -> Money {
    let plain = shown.replace(',', "").replace('\u{2212}', "-");
    plain.parse().unwrap_or_else(|error| panic!("{shown:?}: {error}"))
}

#[test]
fn the_audit_sees_every_kind_of_fault() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/faulty.html");
    let mut browser = Chromium::start();
    let found = complaints(&mut browser, &page);
    for (kind, look) in [
        ("overflow:", "380 px"),
        ("contrast:", "screen, light"),
        ("contrast: 1.", "Faint by night only.\" (1600 px, screen, dark)"),
        ("contrast: 1.", "Faint on paper only.\" (688 px, print, light)"),
        ("contrast: 1.", "unreadable"),
        ("keyboard:", "scrolls sideways"),
        ("language:", ""),
        ("title:", ""),
        ("landmarks:", ""),
        ("headings:", "A level is left out"),
        ("tables:", "no caption"),
        ("tables:", "scope"),
        ("ids:", "twice"),
        ("links:", "Leads nowhere"),
        ("name:", "link"),
        ("name:", "image"),
        ("console:", "said on purpose"),
        ("exception:", "nothing is not defined"),
        ("log:", ""),
        ("network:", "http://127.0.0.1:9/"),
        ("network:", "missing.png"),
    ] {
        let seen = found.iter().any(|complaint| complaint.starts_with(kind) && complaint.contains(look));
        assert!(seen, "not seen: {kind} {look}\n{}", found.join("\n"));
    }
    let elsewhere =
        |complaint: &&String| complaint.contains("Faint by night") && complaint.contains("light)");
    assert_eq!(found.iter().find(elsewhere), None);
}

#[test]
fn axe_finds_nothing_in_either_language_or_theme() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, plan) = demo(folder.path());
    let mut browser = Chromium::start();
    let mut found = Vec::new();
    let hostile = folder.path().join("hostile.html");
    std::fs::write(&hostile, carafe_reports::html(&fixture::hostile(), Language::ENGLISH))
        .expect("a temporary file");
    browser.look(1600, "screen", "light");
    browser.open(&hostile);
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
    found.extend(axe::violations(&mut browser).into_iter().map(|v| format!("hostile names: {v}")));
    for language in Language::all() {
        let report = folder.path().join(format!("demo-{}.html", language.code()));
        std::fs::write(&report, carafe_reports::html(&plan, language)).expect("a temporary file");
        for (width, scheme) in [(1600, "light"), (380, "dark")] {
            browser.look(width, "screen", scheme);
            browser.open(&report);
            browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
            let violations = axe::violations(&mut browser);
            found.extend(violations.into_iter().map(|v| format!("{} {scheme}: {v}", language.code())));
            let picture = pictures().join(format!("demo-{}-{width}.png", language.code()));
            std::fs::write(picture, browser.screenshot()).expect("the target folder can be written");
        }
    }
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

#[test]
fn tables_are_filtered_and_sorted_and_links_lead_somewhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (report, _) = demo(folder.path());
    let mut browser = Chromium::start();
    browser.look(1600, "screen", "light");
    browser.open(&report);
    let seen = browser.evaluate(include_str!("reader.js"));
    for what in ["filtered", "static", "sorted", "focus", "byName", "anchor"] {
        assert_eq!(seen[what], json!(true), "{what}: {seen}");
    }
    assert_eq!(seen["none"], json!(0), "{seen}");
    assert_eq!(seen["aria"], json!("descending"), "{seen}");
    assert_eq!(trouble(&browser, &report), [""; 0]);
}

#[test]
fn ten_thousand_hosts_are_found_and_every_explanation_is_reached() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("large.html");
    std::fs::write(&report, carafe_reports::html(&fixture::of_size(10_000), Language::ENGLISH))
        .expect("a temporary file");
    let mut browser = Chromium::start();
    browser.look(1600, "screen", "light");
    browser.open(&report);
    let found = browser.evaluate(
        r##"(() => {
  const part = document.querySelector("#placements .sortable");
  const filter = part.querySelector("input");
  filter.value = "host-09999";
  filter.dispatchEvent(new Event("input"));
  const rows = [...part.querySelectorAll("table")].at(-1).tBodies;
  const said = part.querySelector("output").textContent;
  const why = rows[0].querySelector("a").getAttribute("href");
  return [rows.length, said, !!document.querySelector(why)];
})()"##,
    );
    assert_eq!(found, json!([1, "1 of 10,000 shown", true]));
    assert_eq!(trouble(&browser, &report), [""; 0]);
}
