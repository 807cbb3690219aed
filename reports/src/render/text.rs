//! The short answer as plain text, for a terminal.

use carafe_model::plan::{Placement, Plan};
use carafe_model::units::Money;

use crate::figures::{self, Amount};
use crate::views::answer::{Answer, Comparison, MOST_PLACES};
use crate::views::placements::size;
use crate::words::{clipped, columns, counted, listed, visible};

/// Narrower than this nothing can be said.
const NARROWEST: usize = 40;
/// The most placements that are listed; of a larger plan the dearest are.
const MOST_ROWS: usize = 40;
/// The most hosts without a place that are listed.
const MOST_UNPLACED: usize = 10;
/// Columns between two cells.
const GUTTER: usize = 2;
/// The narrowest a cell of words gets before a whole column is left out.
const NARROWEST_CELL: usize = 10;

/// Says a plan in `width` columns (at least 40): the answer, the placements, what has no place, and how many findings.
///
/// Lines end with a line feed and hold no terminal codes. Figures are never cut; names are, with an ellipsis.
pub fn text(plan: &Plan, width: usize) -> String {
    let width = width.max(NARROWEST);
    let answer = Answer::new(plan);
    let mut out = String::new();
    paragraph(&mut out, width, "", &format!("{}: {}.", answer.name, answer.hosts));
    out.push('\n');
    facts(&mut out, width, &answer);
    for warning in &answer.warnings {
        paragraph(&mut out, width, "! ", warning);
    }
    placements(&mut out, width, plan);
    unplaced(&mut out, width, plan);
    let findings: Vec<String> = answer.findings.iter().map(|(_, count)| count.clone()).collect();
    let findings = if findings.is_empty() { "none".to_owned() } else { listed(&findings) };
    out.push('\n');
    paragraph(&mut out, width, "", &format!("Findings: {findings}."));
    out
}

fn facts(out: &mut String, width: usize, answer: &Answer) {
    let currency = &answer.currency;
    let mut monthly = format!("{currency} {}", answer.monthly.shown);
    if let Some((low, high)) = &answer.range {
        monthly.push_str(&format!(", between {} and {}", low.shown, high.shown));
    }
    let horizon = format!("{currency} {}, with {} once", answer.horizon.shown, answer.one_time.shown);
    let facts = [
        ("A month".to_owned(), monthly),
        (counted(answer.months as usize, "month"), horizon),
        ("Saving".to_owned(), saving(answer)),
        ("Bound".to_owned(), format!("{}. {}", answer.proof.headline, answer.proof.sentence)),
        ("Where".to_owned(), places(answer)),
        ("Prices".to_owned(), answer.prices.clone()),
    ];
    let label_width = facts.iter().map(|(label, _)| columns(label)).max().unwrap_or_default() + GUTTER;
    for (label, fact) in facts {
        let label = padded_right(&label, label_width);
        paragraph(out, width, &label, &fact);
    }
}

fn places(answer: &Answer) -> String {
    let mut places: Vec<String> = answer
        .places
        .iter()
        .take(MOST_PLACES)
        .map(|place| format!("{} to {}/{}", figures::count(place.hosts), place.provider_name, place.region))
        .collect();
    if places.is_empty() {
        return "nowhere".to_owned();
    }
    if answer.places.len() > MOST_PLACES {
        places.push(counted(answer.places.len() - MOST_PLACES, "other place"));
    }
    listed(&places)
}

fn saving(answer: &Answer) -> String {
    let currency = &answer.currency;
    match &answer.today {
        None => "today's cost is not known".to_owned(),
        Some(Comparison { direction: "the same", today, .. }) => {
            format!("none: today's {currency} {} is the same", today.shown)
        }
        Some(Comparison { direction, difference, percent, today, .. }) => {
            let percent = percent.as_ref().map_or(String::new(), |percent| format!(" ({percent})"));
            format!(
                "{currency} {} a month{percent} {direction} than today's {}",
                difference.shown, today.shown
            )
        }
    }
}

/// Which placements are listed, and in which order.
fn listed_placements(plan: &Plan) -> (Vec<&Placement>, Option<String>) {
    let mut listed: Vec<&Placement> = plan.placements.iter().collect();
    if listed.len() <= MOST_ROWS {
        return (listed, None);
    }
    listed.sort_by_key(|placement| std::cmp::Reverse(placement.monthly));
    let rest = figures::count(listed.len() - MOST_ROWS);
    listed.truncate(MOST_ROWS);
    (listed, Some(format!("These {MOST_ROWS} cost the most; {rest} more are in the plan.")))
}

fn placements(out: &mut String, width: usize, plan: &Plan) {
    if plan.placements.is_empty() {
        return;
    }
    let (listed, rest) = listed_placements(plan);
    let heading = ["Host", "Offer", "Gives", "Where", "Term"].map(str::to_owned);
    let words: Vec<[String; 5]> = std::iter::once(heading)
        .chain(listed.iter().map(|placement| {
            [
                visible(placement.host.as_str()),
                visible(&placement.offer),
                size(placement.vcpus, placement.memory_mib),
                visible(&format!("{}/{}", placement.provider, placement.region)),
                placement.term.name().to_owned(),
            ]
        }))
        .collect();
    let figures: Vec<String> = std::iter::once(format!("{} a month", plan.currency))
        .chain(listed.iter().map(|placement| shown(plan, placement.monthly)))
        .collect();
    let figure_width = figures.iter().map(|figure| columns(figure)).max().unwrap_or_default();
    let widths = fit(natural_widths(&words), width - figure_width);
    out.push('\n');
    for (cells, figure) in words.iter().zip(&figures) {
        for (cell, cell_width) in cells.iter().zip(widths) {
            if cell_width > 0 {
                out.push_str(&padded_right(&clipped(cell, cell_width), cell_width + GUTTER));
            }
        }
        out.push_str(&" ".repeat(figure_width - columns(figure)));
        out.push_str(figure);
        out.push('\n');
    }
    if let Some(rest) = rest {
        paragraph(out, width, "", &rest);
    }
}

fn shown(plan: &Plan, amount: Money) -> String {
    Amount::new(amount, plan.currency).shown
}

fn natural_widths<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    widths
}

/// Makes cells and their gutters fit: the widest shrink first; when that is not enough, what matters least goes.
/// A width of 0 leaves a column out.
fn fit(mut widths: [usize; 5], room: usize) -> [usize; 5] {
    const LEAST_IMPORTANT_FIRST: [usize; 4] = [2, 4, 1, 3];
    let mut expendable = LEAST_IMPORTANT_FIRST.into_iter();
    loop {
        let taken: usize = widths.iter().filter(|width| **width > 0).map(|width| width + GUTTER).sum();
        if taken <= room {
            return widths;
        }
        let widest = widths.iter_mut().max().expect("there are five columns");
        if *widest > NARROWEST_CELL {
            *widest = widest.saturating_sub(taken - room).max(*widest - 1).max(NARROWEST_CELL);
        } else if let Some(column) = expendable.next() {
            widths[column] = 0;
        } else {
            widths[0] = room.saturating_sub(GUTTER).max(1);
            return widths;
        }
    }
}

fn unplaced(out: &mut String, width: usize, plan: &Plan) {
    if plan.unplaced.is_empty() {
        return;
    }
    out.push_str("\nWithout a place:\n");
    for unplaced in plan.unplaced.iter().take(MOST_UNPLACED) {
        let reason = unplaced.reasons.first().map_or("the plan gives no reason", |reason| reason.as_str());
        let host = clipped(&visible(unplaced.host.as_str()), width / 2);
        paragraph(out, width, "  ", &format!("{host}: {}", visible(reason)));
    }
    if plan.unplaced.len() > MOST_UNPLACED {
        let rest = figures::count(plan.unplaced.len() - MOST_UNPLACED);
        paragraph(out, width, "  ", &format!("{rest} more are in the plan."));
    }
}

fn padded_right(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Writes a text behind a label, broken between words; later lines stand below the first word.
fn paragraph(out: &mut String, width: usize, label: &str, text: &str) {
    let indent = columns(label);
    let mut used = indent;
    out.push_str(label);
    let mut is_first = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = clipped(word, width - indent);
        let needed = columns(&word) + usize::from(!is_first);
        if !is_first && used + needed > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent + columns(&word);
        } else {
            if !is_first {
                out.push(' ');
            }
            used += needed;
        }
        out.push_str(&word);
        is_first = false;
    }
    out.push('\n');
}
