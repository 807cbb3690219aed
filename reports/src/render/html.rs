//! The whole plan as one self-contained HTML file.
//!
//! The file asks for nothing from outside and its content security policy forbids that it does: the only style and the
//! only script that run are those whose hash the policy names, so that no name in a plan can ever become code.

use askama::Template;
use carafe_model::document::sha256;
use carafe_model::language::Language;
use carafe_model::plan::Plan;

use crate::draw::{bars::bars, graph::graph};
use crate::views::answer::{Answer, MOST_PLACES};
use crate::views::bill::{Bill, SourceView};
use crate::views::costs::{self, Split};
use crate::views::findings::{FindingView, Method, findings};
use crate::views::months::Months;
use crate::views::network::Network;
use crate::views::placements::{Homeless, Placements, RunnerUpView, staying, unplaced};
use crate::views::road::{WaveView, gantt, waves};
use crate::views::sensitivity::Sensitivity;
use crate::voice::Voice;

const STYLE: &str = include_str!("../../../templates/html/report.css");
const SCRIPT: &str = include_str!("../../../templates/html/report.js");

/// Words that are explained at the end, each with its meaning.
const GLOSSARY: [(&str, &str); 16] = [
    ("word.estate", "meaning.estate"),
    ("word.host", "meaning.host"),
    ("word.offer", "meaning.offer"),
    ("word.placement", "meaning.placement"),
    ("word.term", "meaning.term"),
    ("word.policy", "meaning.policy"),
    ("word.bill", "meaning.bill"),
    ("word.rate-id", "meaning.rate-id"),
    ("word.snapshot", "meaning.snapshot"),
    ("word.lower-bound", "meaning.lower-bound"),
    ("word.gap", "meaning.gap"),
    ("word.horizon", "meaning.horizon"),
    ("word.wave", "meaning.wave"),
    ("word.step", "meaning.step"),
    ("word.finding", "meaning.finding"),
    ("word.units", "meaning.units"),
];

#[derive(Template)]
#[template(path = "html/report.html")]
struct Page<'a> {
    v: &'a Voice<'a>,
    currency: &'a str,
    style: String,
    style_hash: String,
    script: String,
    script_hash: String,
    answer: Answer,
    charts: Vec<Chart>,
    figures: Vec<Figure>,
    months: Option<Months>,
    placements: Placements,
    staying: Vec<Homeless>,
    unplaced: Vec<Homeless>,
    network: Network,
    graph: String,
    waves: Vec<WaveView>,
    gantt: String,
    sensitivity: Sensitivity,
    bill: Bill,
    findings: Vec<FindingView>,
    method: Method,
}

struct Chart {
    split: Split,
    svg: String,
}

struct Figure {
    title: &'static str,
    svg: String,
    notes: Vec<&'static str>,
}

/// Writes the report as HTML, in a language. Each part of a plan is read a fixed number of times, so a plan of 10,000
/// hosts is fine.
pub fn html(plan: &Plan, language: Language) -> String {
    let v = Voice::new(plan, language);
    let splits = costs::splits(&v);
    let by_component = splits.iter().find(|split| split.by == "component");
    let waterfall = by_component.map(|split| costs::waterfall(&v, split)).unwrap_or_default();
    let figure = |id: &str, key: &str, drawn: &[_], notes: &[&str]| Figure {
        title: v.w(key),
        svg: bars(id, v.w(key), drawn),
        notes: notes.iter().map(|key| v.w(key)).collect(),
    };
    let figures = if plan.placements.is_empty() {
        Vec::new()
    } else {
        vec![
            figure("waterfall", "costs.waterfall", &waterfall, &["costs.waterfall-how"]),
            figure("sizing", "costs.sizing", &costs::sizing(&v), &["costs.sizing-how"]),
            figure("terms", "costs.terms", &costs::terms(&v), &["costs.terms-how"]),
        ]
    };
    let charts = splits
        .into_iter()
        .map(|split| {
            let svg = bars(&format!("chart-{}", split.by), split.title, &costs::bars(&v, &split));
            Chart { split, svg }
        })
        .collect();
    let network = Network::new(&v);
    let waves = waves(&v);
    let (style, script) = (style(&v), script(&v));
    Page {
        currency: plan.currency.code(),
        style_hash: base64_of_sha256(&style),
        style,
        script_hash: base64_of_sha256(&script),
        script,
        answer: Answer::new(&v),
        charts,
        figures,
        months: Months::new(&v),
        placements: Placements::new(&v),
        staying: staying(&v),
        unplaced: unplaced(&v),
        graph: graph(v.w("network.title"), &network),
        network,
        gantt: bars("gantt", v.w("waves.gantt"), &gantt(&waves)),
        waves,
        sensitivity: Sensitivity::new(&v),
        bill: Bill::new(&v),
        findings: findings(&v),
        method: Method::new(&v),
        v: &v,
    }
    .render()
    .expect("writing to a string does not fail")
}

/// The style sheet with the labels that cells get on a narrow screen, where tables become cards.
fn style(v: &Voice<'_>) -> String {
    const CARDS: [(&str, &[&str]); 4] = [
        ("placements", &["", "table.needs", "table.offer", "table.where", "table.term", "table.month"]),
        ("lines", &["", "table.item", "table.quantity", "table.rate", "table.source", "table.month"]),
        ("steps", &["table.step", "table.kind", "", "table.what", "table.where", "table.after"]),
        ("findings", &["table.severity", "table.what", "table.where", "table.to-do"]),
    ];
    let mut style = STYLE.to_owned();
    style.push_str("@media screen and (max-width: 48rem) {\n");
    for (table, keys) in CARDS {
        for (place, key) in keys.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
            // The words are ours: nothing from outside reaches the style sheet.
            let (column, word) = (place + 1, v.w(key).replace(['"', '\\', '<'], ""));
            style.push_str(&format!(
                "  .{table} tbody td:nth-child({column})::before {{ content: \"{word}\"; }}\n"
            ));
        }
    }
    style.push_str("}\n");
    style
}

/// The script with its few words.
fn script(v: &Voice<'_>) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("WORD_FILTER", "script.filter"),
        ("WORD_SHOWN", "script.shown"),
        ("WORD_FIRST", "script.first"),
        ("WORD_MORE", "script.more"),
        ("WORD_RESULTS", "script.results"),
    ];
    WORDS.into_iter().fold(SCRIPT.to_owned(), |script, (name, key)| {
        script.replace(name, &v.w(key).replace(['"', '\\', '<'], ""))
    })
}

/// The hash of an inline style or script as a content security policy writes it.
pub(crate) fn base64_of_sha256(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let hex = sha256(text.as_bytes());
    let bits: Vec<u32> = hex
        .chars()
        .map(|digit| digit.to_digit(16).expect("a hash is written in hexadecimal"))
        .flat_map(|digit| (0..4).rev().map(move |place| digit >> place & 1))
        .collect();
    let mut encoded: String = bits
        .chunks(6)
        .map(|six| {
            let value = (0..6).fold(0, |value, place| value << 1 | six.get(place).unwrap_or(&0));
            char::from(ALPHABET[value as usize])
        })
        .collect();
    encoded.push('=');
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_the_standard_does() {
        // The hash of nothing, as in the examples of RFC 9530 and every base64 tool.
        assert_eq!(base64_of_sha256(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
