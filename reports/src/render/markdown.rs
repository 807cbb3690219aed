//! The report as Markdown (CommonMark with tables), for wikis, tickets and pull requests.

use carafe_model::language::Language;
use carafe_model::plan::Plan;

use crate::views::answer::Answer;
use crate::views::tables::{Cell, tables};
use crate::voice::Voice;
use crate::words::visible;

/// Tables that are left to the other forms: they are long, and nobody reads them in a ticket.
const LEFT_OUT: [&str; 3] = ["steps", "flows", "waves"];
/// The most rows of a table; further ones are counted.
const MOST_ROWS: usize = 200;

/// Writes the report as Markdown.
pub fn markdown(plan: &Plan, language: Language) -> String {
    let voice = Voice::new(plan, language);
    let answer = Answer::new(&voice);
    let mut out = format!("# {}: {}\n\n{}\n", voice.w("page.plan"), cell(&answer.name), cell(&answer.lead));
    out.push_str(&format!("\n**{}.** {}\n", cell(&answer.proof.headline), cell(&answer.proof.sentence)));
    for warning in &answer.warnings {
        out.push_str(&format!("\n> {}\n", cell(warning)));
    }
    for table in tables(&voice).iter().filter(|table| !LEFT_OUT.contains(&table.name)) {
        if table.rows.is_empty() {
            continue;
        }
        out.push_str(&format!("\n## {}\n\n", cell(&table.title)));
        let heads: Vec<String> = table.columns.iter().map(|column| cell(&column.title)).collect();
        out.push_str(&format!("| {} |\n", heads.join(" | ")));
        let is_number = |place: usize| {
            let known = table.rows.iter().map(|row| &row[place]).find(|cell| **cell != Cell::Empty);
            known.is_some_and(|cell| !matches!(cell, Cell::Text(_)))
        };
        let rules: Vec<&str> =
            (0..heads.len()).map(|place| if is_number(place) { "---:" } else { "---" }).collect();
        out.push_str(&format!("| {} |\n", rules.join(" | ")));
        for row in table.rows.iter().take(MOST_ROWS) {
            let cells: Vec<String> = row.iter().map(|cell| written(&voice, cell)).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        if table.rows.len() > MOST_ROWS {
            let rest = voice.n("sheet.rest", table.rows.len() - MOST_ROWS);
            out.push_str(&format!("\n{rest}\n"));
        }
    }
    out
}

fn written(voice: &Voice<'_>, value: &Cell) -> String {
    match value {
        Cell::Empty => String::new(),
        Cell::Text(text) => cell(text),
        Cell::Count(number) => voice.count(usize::try_from(*number).unwrap_or(usize::MAX)),
        Cell::Money(amount) => voice.exact(*amount),
        Cell::Rate(rate) => voice.rate(*rate),
        Cell::Quantity(quantity) => voice.quantity(*quantity),
    }
}

/// A text in which no character means anything to Markdown or HTML.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // A link that a viewer makes by itself is not one that the report made.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(cell("<b>|`x`|[a](javascript:b)"), "&lt;b&gt;\\|\\`x\\`\\|\\[a\\](javascript&#58;b)");
        assert_eq!(cell("a\nb"), "a b");
    }
}
