//! The index of a batch: a page that sums up, sorts and links every report, and a table for spreadsheets.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use carafe_model::batch::{Batch, Row, State};
use carafe_model::finding::Place;
use carafe_model::language::{Language, Said, Sentence, figures};
use carafe_model::units::{Currency, Money};

use crate::compare::html::STYLE;
use crate::render::html::base64_of_sha256;
use crate::views::sum;
use crate::words::visible;

const SCRIPT: &str = include_str!("../../templates/batch/sort.js");

#[derive(Template)]
#[template(path = "batch/index.html")]
struct Page<'a> {
    lang: Language,
    style: &'a str,
    style_hash: String,
    script: &'a str,
    script_hash: String,
    lead: String,
    skipped: String,
    sums_note: String,
    sums: Vec<SumView>,
    heads: Vec<Head>,
    rows: Vec<RowView>,
    broken: Vec<Broken>,
}

struct Head {
    title: &'static str,
    sort: String,
    is_number: bool,
}

struct SumView {
    policy: String,
    catalog: String,
    complete: usize,
    monthly: String,
    horizon: String,
    cheapest: usize,
    is_least: bool,
}

struct RowView {
    estate: String,
    policy: String,
    catalog: String,
    state: String,
    state_key: &'static str,
    is_bad: bool,
    hosts: String,
    monthly: String,
    monthly_key: String,
    is_least: bool,
    horizon: String,
    horizon_key: String,
    gap: String,
    gap_key: String,
    providers: String,
    found: String,
    found_key: String,
    report: String,
    plan: String,
}

struct Broken {
    name: String,
    findings: Vec<(String, String, String, String)>,
}

/// Writes the page. Links are relative, so that the whole folder can be moved.
pub fn html(batch: &Batch, language: Language) -> String {
    let least = least_of_estates(batch);
    let count = |state| batch.rows.iter().filter(|row| row.state == state).count();
    let estates: BTreeSet<&str> = batch.rows.iter().map(|row| row.estate.as_str()).collect();
    let lead = Said::new("batch.lead")
        .with("n", batch.rows.len())
        .with("estates", estates.len())
        .with("done", count(State::Done))
        .with("unplaced", count(State::Unplaced))
        .with("broken", count(State::Broken));
    let skipped = match batch.skipped {
        0 => String::new(),
        files => language.say(&Said::new("batch.skipped").with("n", files)),
    };
    let (sums, sums_note) = sums(batch, language, &least);
    let heads = [
        ("batch.estate", false),
        ("batch.policy", false),
        ("batch.catalog", false),
        ("batch.state", false),
        ("batch.hosts", true),
        ("batch.month", true),
        ("batch.horizon", true),
        ("batch.gap", true),
        ("batch.providers", false),
        ("batch.findings", false),
    ];
    let heads = heads.into_iter().map(|(key, is_number)| {
        let title = language.word(key);
        Head { title, sort: language.say(&Said::new("batch.sort").with("name", title)), is_number }
    });
    Page {
        lang: language,
        style: STYLE,
        style_hash: base64_of_sha256(STYLE),
        script: SCRIPT,
        script_hash: base64_of_sha256(SCRIPT),
        lead: language.say(&lead),
        skipped,
        sums_note,
        sums,
        heads: heads.collect(),
        rows: batch.rows.iter().map(|row| row_view(row, language, &least)).collect(),
        broken: batch
            .rows
            .iter()
            .filter(|row| row.state == State::Broken)
            .map(|row| broken(row, language))
            .collect(),
    }
    .render()
    .expect("writing to a string does not fail")
}

/// The least month of each estate among its complete plans, where not all of them cost the same.
fn least_of_estates(batch: &Batch) -> BTreeMap<(&str, Currency), Money> {
    let mut months: BTreeMap<(&str, Currency), Vec<Money>> = BTreeMap::new();
    for row in batch.rows.iter().filter(|row| row.state == State::Done) {
        if let Some(figures) = &row.figures {
            months.entry((&row.estate, figures.currency)).or_default().push(figures.monthly);
        }
    }
    months.retain(|_, months| months.iter().min() != months.iter().max());
    months.into_iter().filter_map(|(estate, months)| Some((estate, months.into_iter().min()?))).collect()
}

fn is_least(row: &Row, least: &BTreeMap<(&str, Currency), Money>) -> bool {
    row.state == State::Done
        && row.figures.as_ref().is_some_and(|figures| {
            least.get(&(row.estate.as_str(), figures.currency)) == Some(&figures.monthly)
        })
}

fn sums(
    batch: &Batch,
    language: Language,
    least: &BTreeMap<(&str, Currency), Money>,
) -> (Vec<SumView>, String) {
    let currencies: BTreeSet<Currency> =
        batch.rows.iter().filter_map(|row| row.figures.as_ref()).map(|figures| figures.currency).collect();
    let Some(currency) = currencies.first().copied() else { return (Vec::new(), String::new()) };
    let estates: BTreeSet<&str> = batch.rows.iter().map(|row| row.estate.as_str()).collect();
    let unfinished: BTreeSet<&str> =
        batch.rows.iter().filter(|row| row.state != State::Done).map(|row| row.estate.as_str()).collect();
    let mut by_policy: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    for row in &batch.rows {
        by_policy.entry((&row.policy, &row.catalog)).or_default().push(row);
    }
    let is_one = currencies.len() == 1;
    let mut totals: Vec<(Money, SumView)> = by_policy
        .into_iter()
        .map(|((policy, catalog), rows)| {
            let counted = rows.iter().filter(|row| !unfinished.contains(row.estate.as_str()));
            let figures = || counted.clone().filter_map(|row| row.figures.as_ref());
            let monthly = sum(figures().map(|figures| figures.monthly));
            let written = |amount| if is_one { language.money(amount, currency) } else { "–".to_owned() };
            let view = SumView {
                policy: visible(policy),
                catalog: visible(catalog),
                complete: rows.iter().filter(|row| row.state == State::Done).count(),
                monthly: written(monthly),
                horizon: written(sum(figures().map(|figures| figures.horizon))),
                cheapest: rows.iter().filter(|row| is_least(row, least)).count(),
                is_least: false,
            };
            (monthly, view)
        })
        .collect();
    let cheapest = totals.iter().map(|(monthly, _)| *monthly).min();
    let dearest = totals.iter().map(|(monthly, _)| *monthly).max();
    for (monthly, view) in &mut totals {
        view.is_least = is_one && Some(*monthly) == cheapest && cheapest != dearest;
    }
    let note = match is_one {
        true => language.say(
            &Said::new("batch.sums-note")
                .with("n", estates.len() - unfinished.len())
                .with("all", estates.len()),
        ),
        false => language.word("batch.currencies").to_owned(),
    };
    (totals.into_iter().map(|(_, view)| view).collect(), note)
}

fn row_view(row: &Row, language: Language, least: &BTreeMap<(&str, Currency), Money>) -> RowView {
    let of = row.figures.as_ref();
    let text = |of: Option<String>| of.unwrap_or_default();
    let [errors, warnings, notes] = row.counts;
    let found =
        Said::new("batch.found").with("errors", errors).with("warnings", warnings).with("notes", notes);
    let link = |file: &str| row.folder.as_ref().map(|folder| format!("{}/{file}", encoded(folder)));
    RowView {
        estate: visible(&row.estate),
        policy: visible(&row.policy),
        catalog: visible(&row.catalog),
        state: state(row, language),
        state_key: row.state.name(),
        is_bad: row.state != State::Done,
        hosts: text(of.map(|figures| (figures.placed + figures.staying + figures.unplaced).to_string())),
        monthly: text(of.map(|figures| language.money(figures.monthly, figures.currency))),
        monthly_key: text(of.map(|figures| figures.monthly.to_string())),
        is_least: is_least(row, least),
        horizon: text(of.map(|figures| language.money(figures.horizon, figures.currency))),
        horizon_key: text(of.map(|figures| figures.horizon.to_string())),
        gap: text(of.map(|of| figures::percent(of.gap, language.signs()))),
        gap_key: text(of.map(|of| of.gap.to_string())),
        providers: text(of.map(|figures| visible(&figures.providers.join(", ")))),
        found: language.say(&found),
        found_key: format!("{errors:09}{warnings:09}{notes:09}"),
        report: text(link("report.html")),
        plan: text(link("plan.json")),
    }
}

/// How far a row came, in words.
pub fn state(row: &Row, language: Language) -> String {
    match row.state {
        State::Done => language.word("batch.state-done").to_owned(),
        State::Unplaced => {
            let hosts = row.figures.as_ref().map_or(0, |figures| figures.unplaced);
            language.say(&Said::new("batch.state-unplaced").with("n", hosts))
        }
        State::Broken => language.word("batch.state-broken").to_owned(),
    }
}

/// The first finding of a row, with its code and place, in words; empty where there is none.
pub fn why(row: &Row, language: Language) -> String {
    let Some(finding) = row.findings.first() else { return String::new() };
    let place = match finding.place == Place::default() {
        true => String::new(),
        false => format!(" ({})", finding.place),
    };
    format!("{}: {}{place}", finding.code, sentence(&finding.summary, language))
}

fn sentence(sentence: &Sentence, language: Language) -> String {
    let said = sentence.said().and_then(|said| language.try_say(said));
    said.unwrap_or_else(|| sentence.to_string())
}

fn broken(row: &Row, language: Language) -> Broken {
    let say = |text: &Sentence| visible(&sentence(text, language));
    let findings = row.findings.iter().map(|finding| {
        let help = finding.help.as_ref().map(&say).unwrap_or_default();
        (visible(&finding.code), say(&finding.summary), visible(&finding.place.to_string()), help)
    });
    Broken {
        name: visible(&format!("{} · {} · {}", row.estate, row.policy, row.catalog)),
        findings: findings.collect(),
    }
}

/// A relative path as a link writes it (RFC 3986): what could mean something else is written as bytes.
fn encoded(path: &str) -> String {
    let mut link = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                link.push(char::from(byte))
            }
            other => link.push_str(&format!("%{other:02X}")),
        }
    }
    // A first part with a colon would be read as a scheme; encoded it has none, and the dot keeps it relative.
    format!("./{link}")
}

/// Writes the rows as CSV (RFC 4180) for spreadsheets: exact figures, and no cell that one of them would run.
pub fn csv(batch: &Batch) -> String {
    let heads = [
        "estate",
        "policy",
        "catalog",
        "state",
        "currency",
        "monthly",
        "monthly_low",
        "monthly_high",
        "one_time",
        "horizon_months",
        "horizon",
        "today",
        "lower_bound",
        "gap",
        "proven",
        "placed",
        "staying",
        "unplaced",
        "providers",
        "regions",
        "errors",
        "warnings",
        "notes",
        "first_finding",
        "folder",
    ];
    let mut text = heads.join(",") + "\r\n";
    for row in &batch.rows {
        let of = row.figures.as_ref();
        let get = |of: Option<String>| of.unwrap_or_default();
        let first = row.findings.first().map(|f| format!("{}: {}", f.code, f.summary));
        let words =
            [row.estate.clone(), row.policy.clone(), row.catalog.clone(), row.state.name().to_owned()];
        let mut cells: Vec<String> = words.iter().map(|word| harmless(word)).collect();
        cells.extend([
            get(of.map(|f| f.currency.to_string())),
            get(of.map(|f| f.monthly.to_string())),
            get(of.map(|f| f.monthly_low.to_string())),
            get(of.map(|f| f.monthly_high.to_string())),
            get(of.map(|f| f.one_time.to_string())),
            get(of.map(|f| f.horizon_months.to_string())),
            get(of.map(|f| f.horizon.to_string())),
            get(of.and_then(|f| f.today).map(|today| today.to_string())),
            get(of.map(|f| f.lower_bound.to_string())),
            get(of.map(|f| f.gap.to_string())),
            get(of.map(|f| f.proven.to_string())),
            get(of.map(|f| f.placed.to_string())),
            get(of.map(|f| f.staying.to_string())),
            get(of.map(|f| f.unplaced.to_string())),
            harmless(&get(of.map(|f| f.providers.join(" ")))),
            harmless(&get(of.map(|f| f.regions.join(" ")))),
        ]);
        cells.extend(row.counts.map(|count| count.to_string()));
        cells.extend([harmless(&get(first)), harmless(&get(row.folder.clone()))]);
        let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&(quoted.join(",") + "\r\n"));
    }
    text
}

/// A text that no spreadsheet takes for a formula, with its invisible characters written out.
fn harmless(text: &str) -> String {
    let text = visible(text);
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        Some(_) | None => text,
    }
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_link_leaves_the_folder() {
        for hostile in ["=1+1", "+A1", "-A1", "@SUM(A1)", "  =1"] {
            assert!(harmless(hostile).starts_with('\''), "{hostile}");
        }
        assert_eq!(harmless("web"), "web");
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(encoded("javascript:x/한"), "./javascript%3Ax/%ED%95%9C");
    }
}
