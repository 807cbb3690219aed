//! A comparison as plain text, for a terminal: the matrix, in as many parts as its width asks for.

use carafe_model::comparison::{Column, Comparison, Fate};
use carafe_model::language::{Language, Said};

use super::matrix::{Row, Teller};
use crate::words::{clipped, columns, visible};

/// Columns between two cells.
const GUTTER: usize = 2;
/// The widest a column of words may be.
const WIDEST: usize = 36;
/// The most plans whose every figure is told; of more, the most important figures are.
const MOST_BESIDE: usize = 4;
/// The most hosts that are listed.
const MOST_HOSTS: usize = 20;

/// Says a comparison in `width` columns (at least 40). Plans that do not fit beside each other go below each other, the
/// first one always beside them. Figures are never cut; names and lists are, with an ellipsis.
pub fn text(comparison: &Comparison, language: Language, width: usize) -> String {
    let teller = Teller { comparison, language };
    let width = width.max(40);
    let mut out = String::new();
    paragraph(&mut out, width, &teller.lead());
    for notice in teller.notices() {
        paragraph(&mut out, width, &format!("! {notice}"));
    }
    for (place, column) in comparison.columns.iter().enumerate() {
        if let Some(why) = &column.infeasible {
            let said = Said::new("compare.infeasible")
                .with("name", visible(&column.name))
                .with("why", teller.sentence(why));
            paragraph(&mut out, width, &format!("{}: {}", place + 1, language.say(&said)));
        }
    }
    let groups = teller.groups();
    let rows: Vec<&Row> = groups.iter().flat_map(|group| &group.rows).collect();
    let heads: Vec<String> = comparison
        .columns
        .iter()
        .enumerate()
        .map(|(place, column)| format!("{} {}", place + 1, teller.name(column)))
        .collect();
    match heads.len() <= MOST_BESIDE {
        true => {
            tables(&mut out, width, &heads, &rows);
            hosts(&mut out, width, &teller);
        }
        false => overview(&mut out, width, &teller),
    }
    for live in &comparison.live {
        out.push('\n');
        let name = comparison
            .columns
            .get(live.column as usize)
            .map(|column| teller.name(column))
            .unwrap_or_default();
        let counts: Vec<String> = live
            .counts
            .iter()
            .map(|count| {
                format!("{} {}", change_word(language, &count.change), language.count(count.steps as usize))
            })
            .collect();
        paragraph(
            &mut out,
            width,
            &format!("{} · {name}: {}", language.word("compare.live"), counts.join(", ")),
        );
        for step in
            live.steps.iter().filter(|step| step.change != "make" && step.change != "manual").take(MOST_HOSTS)
        {
            let line = format!("  {} {}", change_word(language, &step.change), visible(step.step.as_str()));
            paragraph(&mut out, width, &[vec![line], step.details.clone()].concat().join("; "));
        }
        for beyond in live.beyond.iter().take(MOST_HOSTS) {
            let line = format!(
                "  {} {}/{} {}",
                language.word("compare.beyond"),
                beyond.region,
                beyond.kind,
                beyond.name
            );
            paragraph(&mut out, width, &visible(&line));
        }
    }
    out
}

/// What a change of a dry run is called.
pub(super) fn change_word(language: Language, change: &str) -> String {
    language.try_say(&Said::new(&format!("compare.change.{change}"))).unwrap_or_else(|| visible(change))
}

fn tables(out: &mut String, width: usize, heads: &[String], rows: &[&Row]) {
    let label_width = rows.iter().map(|row| columns(&row.label)).max().unwrap_or_default().min(width / 2);
    let width_of = |column: usize| {
        let cells = rows.iter().map(|row| {
            let taken = columns(&row.cells[column].text) + usize::from(row.cells[column].is_least) * 2;
            if row.is_number { taken } else { taken.min(WIDEST) }
        });
        cells.chain([columns(&heads[column]).min(WIDEST)]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(width_of).collect();
    for part in parts(&widths, label_width, width) {
        out.push('\n');
        line(out, label_width, "", part.iter().map(|c| (clipped(&heads[*c], widths[*c]), widths[*c], true)));
        for row in rows {
            let cells = part.iter().map(|c| {
                let cell = &row.cells[*c];
                let mark = if cell.is_least { "* " } else { "" };
                (format!("{mark}{}", clipped(&cell.text, widths[*c])), widths[*c], row.is_number)
            });
            line(out, label_width, &row.label, cells);
        }
    }
}

/// A line for each plan.
fn overview(out: &mut String, width: usize, teller: &Teller<'_>) {
    let (rows, names) = teller.overview();
    let marked = |cell: &super::matrix::Cell| match cell.is_least {
        true => format!("* {}", cell.text),
        false => cell.text.clone(),
    };
    let widths: Vec<usize> = rows
        .iter()
        .map(|row| {
            row.cells.iter().map(|cell| columns(&marked(cell))).max().unwrap_or_default().max(WIDEST_HEAD)
        })
        .collect();
    // Columns that do not fit are left out from the right; what a plan is called and costs always stands.
    let mut taken = names.iter().map(|name| columns(name)).max().unwrap_or_default().min(width / 3);
    let name_width = taken;
    let mut shown = 0;
    for width_of in &widths {
        if shown > 0 && taken + GUTTER + width_of > width {
            break;
        }
        taken += GUTTER + width_of;
        shown += 1;
    }
    out.push('\n');
    let cells = rows.iter().zip(&widths).take(shown);
    line(
        out,
        name_width,
        "",
        cells.clone().map(|(row, wide)| (clipped(&row.label, *wide), *wide, row.is_number)),
    );
    for (place, name) in names.iter().enumerate() {
        let cells = cells
            .clone()
            .map(|(row, wide)| (clipped(&marked(&row.cells[place]), *wide), *wide, row.is_number));
        line(out, name_width, name, cells);
    }
    out.push('\n');
    paragraph(out, width, teller.language.word("compare.full"));
}

/// Columns that a heading of the overview gets at least.
const WIDEST_HEAD: usize = 16;

/// Which columns stand beside each other. The first is repeated in every part that has room for it, because the others are
/// held against it.
fn parts(widths: &[usize], label_width: usize, width: usize) -> Vec<Vec<usize>> {
    let fits = |part: &[usize]| {
        label_width + part.iter().map(|column| GUTTER + widths[*column]).sum::<usize>() <= width
    };
    let mut parts = vec![vec![0]];
    for column in 1..widths.len() {
        let last = parts.last_mut().expect("there is one from the beginning");
        last.push(column);
        if !fits(last) {
            last.pop();
            parts.push(if fits(&[0, column]) { vec![0, column] } else { vec![column] });
        }
    }
    parts
}

fn line(
    out: &mut String,
    label_width: usize,
    label: &str,
    cells: impl Iterator<Item = (String, usize, bool)>,
) {
    let label = clipped(label, label_width);
    let mut text = format!("{label}{}", " ".repeat(label_width.saturating_sub(columns(&label))));
    for (cell, width, is_right) in cells {
        let space = " ".repeat(width.saturating_sub(columns(&cell)));
        text.push_str(&" ".repeat(GUTTER));
        text.push_str(&if is_right { format!("{space}{cell}") } else { format!("{cell}{space}") });
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

fn hosts(out: &mut String, width: usize, teller: &Teller<'_>) {
    let (comparison, language) = (teller.comparison, teller.language);
    if comparison.columns.len() < 2 {
        return;
    }
    out.push('\n');
    let said = Said::new("compare.hosts-differ")
        .with("n", comparison.hosts.len())
        .with("alike", comparison.hosts_alike);
    paragraph(out, width, &language.say(&said));
    for difference in comparison.hosts.iter().take(MOST_HOSTS) {
        paragraph(out, width, &visible(difference.host.as_str()));
        for (place, fate) in difference.fates.iter().enumerate() {
            if let Some(fate) = fate {
                out.push_str(&format!(
                    "{}\n",
                    clipped(&format!("  {} {}", place + 1, fate_in_words(teller, fate)), width)
                ));
            }
        }
    }
    if comparison.hosts.len() > MOST_HOSTS {
        let more = Said::new("compare.more-hosts").with("n", comparison.hosts.len() - MOST_HOSTS);
        paragraph(out, width, &language.say(&more));
    }
}

/// What becomes of a host, in a line.
pub(super) fn fate_in_words(teller: &Teller<'_>, fate: &Fate) -> String {
    let language = teller.language;
    match fate {
        Fate::Placed { provider, region, offer, term, monthly, .. } => {
            let place = format!("{provider}/{region} {offer}, {term}");
            format!("{}: {}", visible(&place), teller.money(*monthly))
        }
        Fate::Staying { reason, .. } => {
            format!("{}: {}", language.word("compare.stays"), teller.sentence(reason))
        }
        Fate::Unplaced { reasons, .. } => {
            let reason = reasons.first().map(|reason| teller.sentence(reason)).unwrap_or_default();
            format!("{}: {reason}", language.word("compare.no-place"))
        }
        Fate::Unknown { .. } => language.word("compare.not-in-plan").to_owned(),
    }
}

/// Whether any plan places every host.
pub fn is_feasible(comparison: &Comparison) -> bool {
    comparison.columns.iter().any(|column| Column::feasible(column).is_some())
}

fn paragraph(out: &mut String, width: usize, text: &str) {
    let mut taken = 0;
    for word in text.split(' ') {
        let wide = columns(word);
        if taken > 0 && taken + 1 + wide > width {
            out.push('\n');
            taken = 0;
        } else if taken > 0 {
            out.push(' ');
            taken += 1;
        }
        out.push_str(word);
        taken += wide;
    }
    out.push('\n');
}
