//! The tables as CSV (RFC 4180): one file for each, UTF-8 with a byte-order mark, so that spreadsheet programs read it.
//!
//! A text that a spreadsheet program would take for a formula gets an apostrophe in front: one that begins with `=`,
//! `+`, `-`, `@` or an invisible character. Figures are plain decimals with every digit.

use carafe_model::language::Language;
use carafe_model::plan::Plan;

use crate::views::tables::{Cell, tables};
use crate::voice::Voice;
use crate::words::visible;

/// Writes every table as a file: its name, and what is in it.
pub fn csv(plan: &Plan, language: Language) -> Vec<(String, Vec<u8>)> {
    let voice = Voice::new(plan, language);
    let files = tables(&voice).into_iter().map(|table| {
        let mut text = String::from("\u{feff}");
        let heads = table.columns.iter().map(|column| Cell::from(column.title.as_str()));
        row(&mut text, &heads.collect::<Vec<_>>());
        table.rows.iter().for_each(|cells| row(&mut text, cells));
        (format!("{}.csv", table.name), text.into_bytes())
    });
    files.collect()
}

fn row(out: &mut String, cells: &[Cell]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&written(cell));
    }
    out.push_str("\r\n");
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => quoted(&harmless(text)),
        Cell::Count(number) => number.to_string(),
        Cell::Money(amount) => amount.to_string(),
        Cell::Rate(rate) => rate.to_string(),
        Cell::Quantity(quantity) => quantity.to_string(),
    }
}

/// A text that no spreadsheet program takes for a formula.
fn harmless(text: &str) -> String {
    let shown = visible(text);
    let begins = shown.trim_start().chars().next();
    let looks_like_a_formula =
        begins.is_some_and(|c| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}\u{2212}⟨".contains(c));
    if looks_like_a_formula { format!("'{shown}") } else { shown }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r', ';', '\t']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_a_formula() {
        for text in ["=1+1", " @SUM(A1)", "-2", "\t=1", "+1", "\u{200b}=1", "＝1"] {
            assert!(harmless(text).starts_with('\''), "{text}");
        }
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(written(&Cell::Text("=1+1".to_owned())), "'=1+1");
        assert_eq!(written(&Cell::Text("db-1".to_owned())), "db-1");
    }
}
