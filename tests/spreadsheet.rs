//! LibreOffice opens the workbook, calculates it anew and comes to the plan's totals.
//!
//! Every cached result is taken out of the workbook first, and one price in the bill is doubled in a second round, so
//! that what is read is what LibreOffice has calculated.

#[expect(dead_code, reason = "the tests of the reports use what is not used here")]
#[path = "../reports/tests/fixture/mod.rs"]
mod fixture;

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::Command;

use carafe_model::language::Language;
use carafe_model::plan::Plan;
use carafe_model::units::Money;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The workbook with each sheet's text changed.
fn changed(workbook: &[u8], change: impl Fn(&str, String) -> String) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(workbook)).expect("a workbook is a ZIP archive");
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..from.len() {
        let mut member = from.by_index(place).expect("a readable member");
        let name = member.name().expect("a member has a name").into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("a readable member");
        if name.starts_with("xl/worksheets/") {
            let text = String::from_utf8(bytes).expect("sheets are UTF-8");
            bytes = change(&name, text).into_bytes();
        }
        to.start_file(name, SimpleFileOptions::default()).expect("a member can be written");
        to.write_all(&bytes).expect("a member can be written");
    }
    to.finish().expect("an archive can be ended").into_inner()
}

/// A sheet without the results that stand beside its formulas.
fn without_results(sheet: String) -> String {
    let mut kept = String::with_capacity(sheet.len());
    let mut rest = sheet.as_str();
    while let Some(place) = rest.find("</f><v>") {
        let (before, after) = rest.split_at(place + "</f>".len());
        kept.push_str(before);
        rest = after.split_once("</v>").expect("a value ends").1;
    }
    kept + rest
}

/// The summary as LibreOffice calculates it, by key.
fn calculated(folder: &Path, workbook: &[u8]) -> BTreeMap<String, String> {
    let file = folder.join("report.xlsx");
    std::fs::write(&file, workbook).expect("a temporary file");
    let output = Command::new("soffice")
        .arg(format!("-env:UserInstallation=file://{}/profile", folder.display()))
        .args([
            "--headless",
            "--norestore",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false",
            "--outdir",
        ])
        .arg(folder)
        .arg(&file)
        .output()
        .expect("LibreOffice is not installed: apt-get install libreoffice-calc-nogui");
    let said = String::from_utf8_lossy(&output.stderr);
    let written = std::fs::read_to_string(folder.join("report.csv"))
        .unwrap_or_else(|error| panic!("LibreOffice has written nothing: {error}\n{said}"));
    written
        .lines()
        .filter_map(|line| {
            let (key, rest) = line.split_once(',')?;
            let (_, value) = rest.rsplit_once(',')?;
            Some((key.to_owned(), value.trim_matches('"').to_owned()))
        })
        .collect()
}

fn figure(summary: &BTreeMap<String, String>, key: &str) -> f64 {
    let written = summary.get(key).unwrap_or_else(|| panic!("{key} is not in {summary:?}"));
    // A share may come as a percentage, as its cell shows it.
    let (digits, divisor) =
        written.strip_suffix('%').map_or((written.as_str(), 1.0), |digits| (digits, 100.0));
    let figure: f64 = digits.parse().unwrap_or_else(|error| panic!("{key}: {written}: {error}"));
    figure / divisor
}

fn agrees(summary: &BTreeMap<String, String>, key: &str, expected: Money) {
    let (calculated, expected) = (figure(summary, key), expected.to_f64());
    assert!((calculated - expected).abs() < 1e-6, "{key}: {calculated}, the plan says {expected}");
}

fn totals_agree(plan: &Plan, summary: &BTreeMap<String, String>) {
    let totals = &plan.totals;
    agrees(summary, "monthly", totals.monthly);
    agrees(summary, "monthly_low", totals.monthly_low);
    agrees(summary, "monthly_high", totals.monthly_high);
    agrees(summary, "horizon", totals.horizon);
    let today = plan.today.as_ref().expect("the sample knows today's cost").monthly;
    agrees(summary, "saved", today - totals.monthly);
    assert!((figure(summary, "gap") - plan.bound.gap.to_f64()).abs() < 1e-6);
}

#[test]
fn libreoffice_comes_to_the_same_totals() {
    let plan = fixture::sample();
    for language in Language::all() {
        let workbook = carafe_reports::xlsx(&plan, language);
        let bare = changed(&workbook, |_, sheet| without_results(sheet));
        let folder = tempfile::tempdir().expect("a temporary folder");
        totals_agree(&plan, &calculated(folder.path(), &bare));
    }
}

#[test]
fn a_changed_quantity_changes_the_totals() {
    let plan = fixture::sample();
    let workbook = carafe_reports::xlsx(&plan, Language::ENGLISH);
    let line = &plan.bill[0];
    let cell = format!("<v>{}</v>", line.quantity);
    let doubled = changed(&workbook, |name, sheet| {
        let sheet = without_results(sheet);
        // The bill is the fifth sheet; its first line is in the second row.
        match name.ends_with("sheet5.xml") {
            true => sheet.replacen(&cell, &format!("<v>{}</v>", line.quantity.to_f64() * 2.0), 1),
            false => sheet,
        }
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    agrees(&calculated(folder.path(), &doubled), "monthly", plan.totals.monthly + line.monthly);
}
