//! Every form says the same figures, and no text of a plan does anything in any of them.

mod fixture;

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use carafe_model::document;
use carafe_model::language::Language;
use carafe_model::plan::Plan;
use carafe_model::units::Money;
use carafe_reports::{ReportDocument, csv, html, json, markdown, text, xlsx};

fn korean() -> Language {
    Language::of_code("ko").expect("what the test has made")
}

fn report(plan: &Plan) -> ReportDocument {
    let (report, findings) =
        document::read::<ReportDocument>("report.json", json(plan, Language::ENGLISH).as_bytes());
    assert_eq!(findings, []);
    report.expect("what the test has made")
}

fn rows<'r>(report: &'r ReportDocument, name: &str) -> &'r [BTreeMap<String, String>] {
    &report.tables.iter().find(|table| table.name == name).expect("what the test has made").rows
}

fn total(rows: &[BTreeMap<String, String>], column: &str) -> Money {
    rows.iter()
        .filter_map(|row| row.get(column))
        .map(|figure| figure.parse::<Money>().expect("what the test has made"))
        .sum()
}

#[test]
fn the_tables_add_up_to_the_plan() {
    let plan = fixture::sample();
    let report = report(&plan);
    assert_eq!(total(rows(&report, "bill"), "monthly"), plan.totals.monthly);
    assert_eq!(total(rows(&report, "bill"), "low"), plan.totals.monthly_low);
    assert_eq!(total(rows(&report, "bill"), "high"), plan.totals.monthly_high);
    for by in ["provider", "region", "component"] {
        let part: Vec<_> = rows(&report, "costs").iter().filter(|row| row["by"] == by).cloned().collect();
        assert_eq!(total(&part, "monthly"), plan.totals.monthly, "{by}");
    }
    assert_eq!(rows(&report, "placements").len(), plan.placements.len());
    assert_eq!(rows(&report, "steps").len(), plan.steps.len());
    assert_eq!(rows(&report, "findings").len(), plan.findings.len());
}

#[test]
fn csv_holds_what_json_holds() {
    for plan in [fixture::sample(), fixture::hostile()] {
        let report = report(&plan);
        let files = csv(&plan, Language::ENGLISH);
        assert_eq!(files.len(), report.tables.len());
        for (table, (name, bytes)) in report.tables.iter().zip(&files) {
            assert_eq!(*name, format!("{}.csv", table.name));
            let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).expect("a byte-order mark");
            let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(bytes);
            let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            assert_eq!(heads.len(), table.columns.len());
            let records: Vec<_> = reader.records().map(|record| record.unwrap()).collect();
            assert_eq!(records.len(), table.rows.len(), "{name}");
            for (record, row) in records.iter().zip(&table.rows) {
                for (head, cell) in heads.iter().zip(record) {
                    let begins = cell.trim_start().chars().next();
                    let is_figure = cell.parse::<Money>().is_ok();
                    assert!(
                        is_figure || !begins.is_some_and(|c| "=+-@".contains(c)),
                        "{name} {head}: {cell}"
                    );
                    assert!(!cell.contains(['\u{202e}', '\u{0}', '\u{1b}']), "{name} {head}");
                }
                let figures = |text: &str| text.parse::<Money>().ok();
                let in_csv: Money = record.iter().filter_map(figures).sum();
                let in_json: Money = row.values().filter_map(|text| figures(text)).sum();
                assert_eq!(in_csv, in_json, "{name}");
            }
        }
    }
}

#[test]
fn the_workbook_holds_what_json_holds() {
    let plan = fixture::sample();
    let report = report(&plan);
    for language in [Language::ENGLISH, korean()] {
        let bytes = xlsx(&plan, language);
        assert!(bytes == xlsx(&plan, language), "the same plan gives the same bytes");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        let names = book.sheet_names().to_vec();
        assert_eq!(names.len(), report.tables.len());
        for (name, table) in names.iter().zip(&report.tables) {
            let range = book.worksheet_range(name).unwrap();
            for (place, row) in table.rows.iter().enumerate() {
                let sum_of = |figures: &mut dyn Iterator<Item = f64>| figures.sum::<f64>();
                let cells = (0..range.width()).filter_map(|column| match range.get((place + 1, column)) {
                    Some(Data::Float(figure)) => Some(*figure),
                    Some(Data::Int(figure)) => Some(*figure as f64),
                    _ => None,
                });
                let in_book = sum_of(&mut cells.into_iter());
                let texts = ["name", "catalog", "proof", "currency", "code"];
                let figures = row.iter().filter(|(key, _)| !texts.contains(&key.as_str()));
                let in_json = sum_of(&mut figures.filter_map(|(_, text)| text.parse::<f64>().ok()));
                assert!(
                    (in_book - in_json).abs() < 1e-6 * in_json.abs().max(1.0),
                    "{name} row {place}: {in_book} {in_json}"
                );
            }
        }
        let formulas = book.worksheet_formula(&names[0]).unwrap();
        assert!(formulas.cells().filter(|(_, _, formula)| formula.contains("SUM(")).count() >= 3);
    }
}

#[test]
fn hostile_texts_are_harmless_and_legible_in_every_form() {
    let mut plan = fixture::hostile();
    let long = format!("=cmd|' /C calc'!A0 {}", "긴글 ".repeat(21_000));
    plan.placements[0].host = long.as_str().into();
    plan.unplaced[0].reasons = vec![long.as_str().into()];
    for language in [Language::ENGLISH, korean()] {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(xlsx(&plan, language))).unwrap();
        for name in book.sheet_names().to_vec() {
            for (_, _, formula) in book.worksheet_formula(&name).unwrap().cells() {
                assert!(!formula.contains("cmd") && !formula.contains("alert"), "{name}: {formula}");
            }
        }
        let text = text(&plan, 80, language);
        assert!(!text.contains(['\u{1b}', '\u{0}', '\u{202e}']));
        let markdown = markdown(&plan, language);
        assert!(!markdown.contains("<script") && !markdown.contains("](javascript"));
        assert!(markdown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        let page = html(&plan, language);
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("긴글 긴글"));
        json(&plan, language);
    }
}

#[test]
fn an_empty_plan_has_every_form() {
    let mut plan = fixture::sample();
    plan.placements.clear();
    plan.bill.clear();
    plan.waves.clear();
    plan.steps.clear();
    plan.findings.clear();
    plan.price_sources.clear();
    plan.today = None;
    for language in [Language::ENGLISH, korean()] {
        assert!(!xlsx(&plan, language).is_empty());
        assert!(!markdown(&plan, language).is_empty());
        assert_eq!(csv(&plan, language).len(), 13);
    }
}

#[test]
fn what_markdown_leaves_out_is_counted() {
    let plan = fixture::of_size(250);
    let written = markdown(&plan, Language::ENGLISH);
    assert!(written.contains("50 more rows are in the other forms of the report."));
    // Placements, lines of the bill and waves each stop at 200 rows.
    assert_eq!(written.matches("| host-").count(), 3 * 200);
}
