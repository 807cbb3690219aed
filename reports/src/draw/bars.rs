//! Horizontal bars, each below its label: parts of a whole, a waterfall, or a Gantt chart.
//!
//! The figure has no view box: heights are pixels and widths are percentages, so that it fills its place from a phone
//! to a wide screen while its words keep their size.

use askama::Template;

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

/// A bar with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Its figure, in words.
    pub figure: String,
    /// Where it begins, as a part of the width.
    pub from: f64,
    /// Where it ends, as a part of the width.
    pub to: f64,
    /// What it stands for; the words say so too.
    pub tone: Tone,
}

/// What a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The plan.
    Plan,
    /// A part of it.
    Part,
    /// What is today.
    Today,
    /// A saving.
    Good,
    /// An extra cost.
    Care,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Plan => "bar",
            Tone::Part => "bar part",
            Tone::Today => "bar today",
            Tone::Good => "bar good",
            Tone::Care => "bar care",
        }
    }
}

#[derive(Template)]
#[template(path = "svg/bars.svg")]
struct Chart<'a> {
    id: &'a str,
    title: &'a str,
    description: String,
    height: usize,
    bars: Vec<Row<'a>>,
}

struct Row<'a> {
    label: String,
    figure: &'a str,
    baseline: usize,
    top: usize,
    from: String,
    width: String,
    class: &'static str,
}

/// Draws bars. `id` is unique in the page; the description names every bar with its figure.
pub(crate) fn bars(id: &str, title: &str, bars: &[Bar]) -> String {
    let rows = bars.iter().enumerate().map(|(row, bar)| Row {
        label: clipped(&bar.label, ROW_COLUMNS.saturating_sub(columns(&bar.figure)).max(LABEL_COLUMNS)),
        figure: &bar.figure,
        baseline: row * PITCH + BASELINE,
        top: row * PITCH + BAR_TOP,
        from: format!("{:.2}%", place(bar.from) * 100.0),
        width: width(bar.from, bar.to),
        class: bar.tone.class(),
    });
    let described: Vec<String> = bars.iter().map(|bar| format!("{}: {}", bar.label, bar.figure)).collect();
    Chart { id, title, description: described.join("; "), height: bars.len() * PITCH, bars: rows.collect() }
        .render()
        .expect("writing to a string does not fail")
}

fn place(part: f64) -> f64 {
    if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 }
}

/// How long a bar is. What is anything at all is at least visible; credits have no bar.
fn width(from: f64, to: f64) -> String {
    let length = (place(to) - place(from)) * 100.0;
    if length <= 0.0 {
        return "0%".to_owned();
    }
    format!("{:.2}%", length.max(0.3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_part_and_never_leave_the_figure() {
        assert_eq!(width(0.0, 0.5), "50.00%");
        assert_eq!(width(0.25, 1.0), "75.00%");
        assert_eq!(width(0.0, 1e-9), "0.30%");
        assert_eq!(width(0.0, -0.1), "0%");
        assert_eq!(width(0.0, f64::NAN), "0%");
        assert_eq!(place(7.0), 1.0);
    }
}
