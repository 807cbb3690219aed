//! Two lines over months: what staying and what moving has cost by then, with the month in which they meet.
//!
//! Lines stand in a figure that stretches with the page; words stand around it and keep their size.

use askama::Template;

/// What is drawn.
pub(crate) struct Lines<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The same in words.
    pub description: String,
    /// Months on the horizontal axis.
    pub months: u32,
    /// What moving has cost at the start and at the end.
    pub plan: (f64, f64),
    /// The least and the most it can have cost at the end.
    pub range: (f64, f64),
    /// What staying has cost at the end, where that is known.
    pub staying: Option<f64>,
    /// The month of pay-back with its words.
    pub pay_back: Option<(f64, String)>,
    /// Words at the ends of the axes: nothing, the top figure, the first and the last month.
    pub axes: [String; 4],
}

#[derive(Template)]
#[template(path = "svg/lines.svg")]
struct Chart<'a> {
    title: &'a str,
    description: &'a str,
    band: String,
    plan: String,
    staying: String,
    mark: String,
    mark_label: String,
    mark_anchor: &'static str,
    mark_is_late: bool,
    axes: &'a [String; 4],
}

/// Draws them.
pub(crate) fn lines(lines: &Lines<'_>) -> String {
    let top = [lines.plan.0, lines.plan.1, lines.range.1, lines.staying.unwrap_or(0.0)]
        .into_iter()
        .fold(f64::MIN_POSITIVE, f64::max);
    let y = |value: f64| {
        let part = value / top;
        100.0 - if part.is_finite() { part.clamp(0.0, 1.0) * 100.0 } else { 0.0 }
    };
    let (start, end) = (y(lines.plan.0), y(lines.plan.1));
    let mark = lines.pay_back.as_ref().map(|(month, _)| {
        let part = month / f64::from(lines.months.max(1)) * 100.0;
        if part.is_finite() { part.clamp(0.0, 100.0) } else { 0.0 }
    });
    Chart {
        title: lines.title,
        description: &lines.description,
        band: format!("0,{start:.2} 100,{:.2} 100,{:.2}", y(lines.range.1), y(lines.range.0)),
        plan: format!("0,{start:.2} 100,{end:.2}"),
        staying: lines.staying.map(|staying| format!("0,100 100,{:.2}", y(staying))).unwrap_or_default(),
        mark: mark.map(|mark| format!("{mark:.2}")).unwrap_or_default(),
        mark_label: lines.pay_back.as_ref().map(|(_, label)| label.clone()).unwrap_or_default(),
        mark_anchor: if mark.is_some_and(|mark| mark > 60.0) { "end" } else { "start" },
        mark_is_late: mark.is_some_and(|mark| mark > 60.0),
        axes: &lines.axes,
    }
    .render()
    .expect("writing to a string does not fail")
}
