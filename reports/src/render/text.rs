//! The short answer as plain text, for a terminal.

use carafe_model::language::{Language, Said};
use carafe_model::plan::{Placement, Plan};
use carafe_model::units::Money;

use crate::views::answer::{Answer, MOST_PLACES, no_comparison, percent};
use crate::voice::Voice;
use crate::words::{clipped, columns, visible};

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
pub fn text(plan: &Plan, width: usize, language: Language) -> String {
    let width = width.max(NARROWEST);
    let voice = Voice::new(plan, language);
    let answer = Answer::new(&voice);
    let mut out = String::new();
    paragraph(&mut out, width, "", &format!("{}: {}.", answer.name, answer.hosts));
    out.push('\n');
    facts(&mut out, width, &voice, &answer);
    for warning in &answer.warnings {
        paragraph(&mut out, width, "! ", warning);
    }
    placements(&mut out, width, &voice);
    unplaced(&mut out, width, &voice);
    let findings = match answer.findings.is_empty() {
        true => voice.w("text.no-findings").to_owned(),
        false => voice.list(&answer.findings),
    };
    out.push('\n');
    paragraph(&mut out, width, "", &format!("{}: {findings}.", voice.w("nav.findings")));
    out
}

fn facts(out: &mut String, width: usize, voice: &Voice<'_>, answer: &Answer) {
    let totals = &voice.plan.totals;
    let mut monthly = voice.money(totals.monthly);
    if totals.monthly_low != totals.monthly || totals.monthly_high != totals.monthly {
        let (low, high) = (voice.money(totals.monthly_low), voice.money(totals.monthly_high));
        let range = Said::new("text.between").with("low", low).with("high", high);
        monthly = format!("{monthly}, {}", voice.say(&range));
    }
    let once = voice.x("text.once", &voice.money(totals.one_time));
    let horizon = format!("{}, {once}", voice.money(totals.horizon));
    let is_extra = answer.today.as_ref().is_some_and(|today| today.saved.0 < 0);
    let saving_label = if is_extra { "text.extra" } else { "text.saving" };
    let facts = [
        (voice.w("text.month").to_owned(), monthly),
        (voice.n("text.months", totals.horizon_months as usize), horizon),
        (voice.w(saving_label).to_owned(), saving(voice, answer)),
        (voice.w("text.bound").to_owned(), format!("{}. {}", answer.proof.headline, answer.proof.sentence)),
        (voice.w("text.where").to_owned(), places(voice, answer)),
        (voice.w("text.prices").to_owned(), answer.prices.clone()),
    ];
    let label_width = facts.iter().map(|(label, _)| columns(label)).max().unwrap_or_default() + GUTTER;
    for (label, fact) in facts {
        let label = padded_right(&label, label_width);
        paragraph(out, width, &label, &fact);
    }
}

fn places(voice: &Voice<'_>, answer: &Answer) -> String {
    let place = |place: &crate::views::answer::PlaceCount| {
        let name = format!("{}/{}", place.provider_name, place.region);
        voice.say(&Said::new("text.place").with("n", place.hosts).with("x", name))
    };
    let mut places: Vec<String> = answer.places.iter().take(MOST_PLACES).map(place).collect();
    if places.is_empty() {
        return voice.w("text.nowhere").to_owned();
    }
    if answer.places.len() > MOST_PLACES {
        places.push(voice.n("answer.more-places", answer.places.len() - MOST_PLACES));
    }
    voice.list(&places)
}

fn saving(voice: &Voice<'_>, answer: &Answer) -> String {
    let Some(today) = &answer.today else { return no_comparison(voice) };
    let key = match today.saved.0.signum() {
        1 => "text.less",
        0 => "text.same",
        _ => "text.more",
    };
    let percent = percent(voice, today).map_or(String::new(), |percent| format!(" ({percent})"));
    let said = Said::new(key)
        .with("x", voice.magnitude(today.saved))
        .with("percent", percent)
        .with("today", voice.money(today.today));
    voice.say(&said)
}

/// Which placements are listed, and in which order.
fn listed_placements<'p>(voice: &Voice<'p>) -> (Vec<&'p Placement>, Option<String>) {
    let mut listed: Vec<&Placement> = voice.plan.placements.iter().collect();
    if listed.len() <= MOST_ROWS {
        return (listed, None);
    }
    listed.sort_by_key(|placement| std::cmp::Reverse(placement.monthly));
    let rest = Said::new("text.dearest").with("most", MOST_ROWS).with("n", listed.len() - MOST_ROWS);
    listed.truncate(MOST_ROWS);
    (listed, Some(voice.say(&rest)))
}

fn placements(out: &mut String, width: usize, voice: &Voice<'_>) {
    if voice.plan.placements.is_empty() {
        return;
    }
    let (listed, rest) = listed_placements(voice);
    let heading = ["table.host", "table.offer", "text.gives", "table.where", "table.term"]
        .map(|key| voice.w(key).to_owned());
    let words: Vec<[String; 5]> = std::iter::once(heading)
        .chain(listed.iter().map(|placement| {
            [
                visible(placement.host.as_str()),
                visible(&placement.offer),
                voice.size(placement.vcpus, placement.memory_mib),
                visible(&format!("{}/{}", placement.provider, placement.region)),
                placement.term.name().to_owned(),
            ]
        }))
        .collect();
    let figures: Vec<String> = std::iter::once(voice.x("table.monthly", voice.plan.currency.code()))
        .chain(listed.iter().map(|placement| shown(voice, placement.monthly)))
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

fn shown(voice: &Voice<'_>, amount: Money) -> String {
    voice.amount(amount).shown
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

fn unplaced(out: &mut String, width: usize, voice: &Voice<'_>) {
    let unplaced = &voice.plan.unplaced;
    if unplaced.is_empty() {
        return;
    }
    out.push_str(&format!("\n{}:\n", voice.w("left.unplaced")));
    for unplaced in unplaced.iter().take(MOST_UNPLACED) {
        let reason = match unplaced.reasons.first() {
            Some(reason) => voice.text(reason),
            None => voice.w("placements.no-reason").to_owned(),
        };
        let host = clipped(&visible(unplaced.host.as_str()), width / 2);
        paragraph(out, width, "  ", &format!("{host}: {reason}"));
    }
    if unplaced.len() > MOST_UNPLACED {
        let rest = voice.n("text.more-in-plan", unplaced.len() - MOST_UNPLACED);
        paragraph(out, width, "  ", &rest);
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
