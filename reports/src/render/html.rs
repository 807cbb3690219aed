//! The whole plan as one self-contained HTML file.
//!
//! The file asks for nothing from outside and its content security policy forbids that it does: the only style and the
//! only script that run are those whose hash the policy names, so that no name in a plan can ever become code.

use askama::Template;
use carafe_model::document::sha256;
use carafe_model::plan::Plan;

use crate::draw;
use crate::views::Block;
use crate::views::answer::{Answer, MOST_PLACES};
use crate::views::bill::{Bill, SourceView};
use crate::views::costs::{self, Split};
use crate::views::findings::{FindingView, Method, findings};
use crate::views::placements::{Homeless, PlacementView, RunnerUpView, placements, staying, unplaced};
use crate::views::road::{WaveView, waves};

const STYLE: &str = include_str!("../../../templates/html/report.css");
const SCRIPT: &str = include_str!("../../../templates/html/report.js");

#[derive(Template)]
#[template(path = "html/report.html")]
struct Page<'a> {
    style: &'a str,
    style_hash: String,
    script: &'a str,
    script_hash: String,
    answer: Answer,
    charts: Vec<Chart>,
    placements: Vec<Block<PlacementView>>,
    staying: Vec<Homeless>,
    unplaced: Vec<Homeless>,
    waves: Vec<WaveView>,
    bill: Bill,
    findings: Vec<Block<FindingView>>,
    method: Method,
}

struct Chart {
    title: String,
    split: Split,
    svg: String,
}

/// Writes the report as HTML. Each part of a plan is read a fixed number of times, so a plan of 10,000 hosts is fine.
pub fn html(plan: &Plan) -> String {
    let charts = costs::splits(plan)
        .into_iter()
        .map(|split| {
            let title = format!("Monthly cost by {}", split.by);
            let svg = draw::bars::bars(&format!("chart-{}", split.by), &title, &costs::bars(plan, &split));
            Chart { title, split, svg }
        })
        .collect();
    Page {
        style: STYLE,
        style_hash: base64_of_sha256(STYLE),
        script: SCRIPT,
        script_hash: base64_of_sha256(SCRIPT),
        answer: Answer::new(plan),
        charts,
        placements: placements(plan),
        staying: staying(plan),
        unplaced: unplaced(plan),
        waves: waves(plan),
        bill: Bill::new(plan),
        findings: findings(plan),
        method: Method::new(plan),
    }
    .render()
    .expect("writing to a string does not fail")
}

/// The hash of an inline style or script as a content security policy writes it.
fn base64_of_sha256(text: &str) -> String {
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
