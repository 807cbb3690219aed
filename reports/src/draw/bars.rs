//! Horizontal bars, each below its label.
//!
//! The figure has no view box: heights are pixels and widths are percentages, so that it fills its place from a phone
//! to a wide screen while its words keep their size.

use askama::Template;

use crate::views::costs::Part;
use crate::words::{clipped, columns};

/// Pixels from one bar to the next.
const PITCH: usize = 40;
/// Pixels from the top of a row to the baseline of its label.
const BASELINE: usize = 15;
/// Pixels from the top of a row to its bar.
const BAR_TOP: usize = 22;
/// Columns that a label and its figure share on a small phone, with a gap between them.
const ROW_COLUMNS: usize = 45;
/// The least a label gets of them.
const LABEL_COLUMNS: usize = 12;

#[derive(Template)]
#[template(path = "svg/bars.svg")]
struct Chart<'a> {
    id: &'a str,
    title: &'a str,
    description: String,
    height: usize,
    bars: Vec<Bar>,
}

struct Bar {
    label: String,
    figure: String,
    baseline: usize,
    top: usize,
    width: String,
}

/// Draws parts of a whole. `id` is unique in the page; the description names every part with its figure.
pub(crate) fn bars(id: &str, title: &str, parts: &[Part]) -> String {
    let largest = parts.iter().map(|part| part.monthly.to_f64()).fold(0.0, f64::max);
    let bars = parts.iter().enumerate().map(|(row, part)| Bar {
        label: clipped(&part.label, ROW_COLUMNS.saturating_sub(columns(&figure(part))).max(LABEL_COLUMNS)),
        figure: figure(part),
        baseline: row * PITCH + BASELINE,
        top: row * PITCH + BAR_TOP,
        width: percentage(part.monthly.to_f64(), largest),
    });
    let described: Vec<String> =
        parts.iter().map(|part| format!("{}: {}", part.label, figure(part))).collect();
    Chart { id, title, description: described.join("; "), height: parts.len() * PITCH, bars: bars.collect() }
        .render()
        .expect("writing to a string does not fail")
}

fn figure(part: &Part) -> String {
    match part.share.as_str() {
        "" => part.amount.shown.clone(),
        share => format!("{} · {share}", part.amount.shown),
    }
}

/// How long a bar is. What costs anything at all is at least visible; credits have no bar.
fn percentage(value: f64, largest: f64) -> String {
    if value <= 0.0 || largest <= 0.0 {
        return "0%".to_owned();
    }
    format!("{:.2}%", (value / largest * 100.0).clamp(0.3, 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_to_the_largest() {
        assert_eq!(percentage(25.0, 50.0), "50.00%");
        assert_eq!(percentage(50.0, 50.0), "100.00%");
        assert_eq!(percentage(0.000_001, 50.0), "0.30%");
        assert_eq!(percentage(-3.0, 50.0), "0%");
        assert_eq!(percentage(0.0, 0.0), "0%");
    }
}
