//! The tables as a workbook whose totals are formulas over the bill, so that who doubts a figure can change its parts.
//!
//! Texts are written as texts, never as formulas; names from outside stand in no formula. The workbook carries no time
//! of its making, so the same plan gives the same bytes. Spreadsheet programs keep 15 digits of a figure; the CSV and
//! JSON forms keep all.

use std::collections::BTreeMap;

use carafe_model::language::Language;
use carafe_model::plan::Plan;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet,
    XlsxError,
};

use crate::views::tables::{Cell, Table, tables};
use crate::voice::Voice;
use crate::words::{clipped, visible};

/// Characters that a cell holds at most; Excel allows 32,767.
const MOST_CHARACTERS: usize = 32_000;
/// Rows that a sheet holds at most, with its head and its total.
const MOST_ROWS: usize = 1_048_570;

struct Formats {
    head: Format,
    text: Format,
    wrapped: Format,
    count: Format,
    money: Format,
    rate: Format,
    quantity: Format,
    percent: Format,
    total_text: Format,
    total: Format,
}

/// Writes the report as a workbook.
///
/// # Panics
/// Never: what the writer refuses (too many rows, too long a text) is cut before and said.
pub fn xlsx(plan: &Plan, language: Language) -> Vec<u8> {
    let voice = Voice::new(plan, language);
    write(&voice).expect("rows, texts and names of sheets are within what a workbook holds")
}

fn write(voice: &Voice<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(
        &DocProperties::new()
            .set_title(clipped(&visible(&voice.plan.name), 200))
            .set_creation_datetime(&made),
    );
    let tables = tables(voice);
    let formats = formats(voice);
    let titles: BTreeMap<&str, String> =
        tables.iter().map(|table| (table.name, sheet_title(&table.title))).collect();
    let bill = tables.iter().find(|table| table.name == "bill").expect("there is a bill");
    let sums = Sums { title: titles["bill"].clone(), last: last_row(bill) };
    for table in &tables {
        let sheet = book.add_worksheet().set_name(&titles[table.name])?;
        sheet_of(sheet, voice, table, &formats, &sums)?;
    }
    book.save_to_buffer()
}

/// Where the bill stands, for formulas of other sheets.
struct Sums {
    title: String,
    last: usize,
}

impl Sums {
    /// The cells of a column of the bill, from another sheet.
    fn range(&self, column: char) -> String {
        format!("'{}'!${column}$2:${column}${}", self.title.replace('\'', "''"), self.last)
    }
}

/// The last row of a table's figures, counted from 1 with the head.
fn last_row(table: &Table) -> usize {
    table.rows.len().clamp(1, MOST_ROWS) + 1
}

/// A name that a sheet may have: 31 characters, some of them not allowed.
fn sheet_title(title: &str) -> String {
    let allowed: String =
        title.chars().map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c }).take(31).collect();
    allowed.trim().to_owned()
}

fn formats(voice: &Voice<'_>) -> Formats {
    let money = match voice.plan.currency.decimals() {
        0 => "#,##0",
        _ => "#,##0.00",
    };
    let text = Format::new().set_align(FormatAlign::Top).set_num_format("@");
    let total = Format::new().set_bold().set_border_top(FormatBorder::Thin);
    Formats {
        head: Format::new()
            .set_bold()
            .set_text_wrap()
            .set_background_color(Color::RGB(0x00E4_E9EE))
            .set_border_bottom(FormatBorder::Thin),
        wrapped: text.clone().set_text_wrap(),
        text,
        count: Format::new().set_num_format("#,##0").set_align(FormatAlign::Top),
        money: Format::new().set_num_format(money).set_align(FormatAlign::Top),
        rate: Format::new().set_num_format("#,##0.00#######").set_align(FormatAlign::Top),
        quantity: Format::new().set_num_format("#,##0.######").set_align(FormatAlign::Top),
        percent: Format::new().set_num_format("0.00####%").set_align(FormatAlign::Top),
        total_text: total.clone(),
        total: total.set_num_format(money),
    }
}

fn sheet_of(
    sheet: &mut Worksheet,
    voice: &Voice<'_>,
    table: &Table,
    formats: &Formats,
    sums: &Sums,
) -> Result<(), XlsxError> {
    let n_columns = table.columns.len();
    for (place, column) in table.columns.iter().enumerate() {
        let at = place as u16;
        sheet.write_string_with_format(0, at, &column.title, &formats.head)?;
        sheet.set_column_width(at, width(table, place))?;
    }
    sheet.set_freeze_panes(1, u16::from(n_columns > 4))?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    let rows = table.rows.len().min(MOST_ROWS);
    for (row, cells) in table.rows.iter().take(rows).enumerate() {
        for (place, cell) in cells.iter().enumerate() {
            let at = (row as u32 + 1, place as u16);
            match formula(table, row, place, sums) {
                Some(formula) => {
                    let format = match (table.name, &cells[0]) {
                        ("summary", Cell::Text(key)) if key == "gap" => &formats.percent,
                        _ => &formats.money,
                    };
                    let formula = Formula::new(formula).set_result(plain(cell));
                    sheet.write_formula_with_format(at.0, at.1, formula, format)?;
                }
                None => write_cell(sheet, at, cell, formats)?,
            }
        }
    }
    if rows > 0 && table.name != "summary" {
        sheet.autofilter(0, 0, rows as u32, n_columns as u16 - 1)?;
    }
    totals(sheet, voice, table, formats, rows)
}

fn write_cell(
    sheet: &mut Worksheet,
    at: (u32, u16),
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => {
            let shown = visible(text);
            let n_characters = shown.chars().count();
            let shown = match n_characters > MOST_CHARACTERS {
                true => {
                    let kept: String = shown.chars().take(MOST_CHARACTERS).collect();
                    format!("{kept}… ({MOST_CHARACTERS}/{n_characters})")
                }
                false => shown,
            };
            let format = if n_characters > 60 { &formats.wrapped } else { &formats.text };
            sheet.write_string_with_format(at.0, at.1, shown, format)?;
        }
        Cell::Count(number) => {
            sheet.write_number_with_format(at.0, at.1, *number as f64, &formats.count)?;
        }
        Cell::Money(amount) => {
            sheet.write_number_with_format(at.0, at.1, amount.to_f64(), &formats.money)?;
        }
        Cell::Rate(rate) => {
            sheet.write_number_with_format(at.0, at.1, rate.to_f64(), &formats.rate)?;
        }
        Cell::Quantity(quantity) => {
            sheet.write_number_with_format(at.0, at.1, quantity.to_f64(), &formats.quantity)?;
        }
    }
    Ok(())
}

/// The formula of a cell, where it follows from others. `row` is from 0, below the head.
fn formula(table: &Table, row: usize, column: usize, sums: &Sums) -> Option<String> {
    let key = table.columns[column].key;
    // A spreadsheet counts rows from 1 and the head is the first.
    let here = row + 2;
    match (table.name, key) {
        // The same rounding as the plan's, in a program that keeps 15 digits.
        ("bill", "monthly") => Some(format!("=ROUND(G{here}*I{here},9)")),
        ("costs", "monthly") if table.rows[row][0] == Cell::from("component") => {
            Some(format!("=SUMIFS({},{},C{here})", sums.range('M'), sums.range('A')))
        }
        ("months", "saved") if table.rows[row][1] != Cell::Empty => Some(format!("=B{here}-C{here}")),
        ("summary", "value") => summary(table, row, sums),
        _ => None,
    }
}

fn summary(table: &Table, row: usize, sums: &Sums) -> Option<String> {
    let place = |key: &str| {
        let row = table.rows.iter().position(|row| row[0] == Cell::from(key))?;
        Some(format!("C{}", row + 2))
    };
    let Cell::Text(key) = &table.rows[row][0] else { return None };
    let formula = match key.as_str() {
        "monthly" => format!("=SUM({})", sums.range('M')),
        "monthly_low" => format!("=SUM({})", sums.range('N')),
        "monthly_high" => format!("=SUM({})", sums.range('O')),
        "horizon" => format!("={}*{}+{}", place("monthly")?, place("horizon_months")?, place("one_time")?),
        "saved" => format!("={}-{}", place("today")?, place("monthly")?),
        "saved_over_horizon" => {
            format!("={}*{}-{}", place("today")?, place("horizon_months")?, place("horizon")?)
        }
        "gap" => {
            let (total, least) = (place("monthly")?, place("lower_bound")?);
            format!("=IF({total}>0,ROUNDUP(ROUND(({total}-{least})/{total},12),6),0)")
        }
        _ => return None,
    };
    Some(formula)
}

/// What a formula comes to, for programs that do not calculate.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Count(number) => number.to_string(),
        Cell::Money(amount) => amount.to_string(),
        Cell::Rate(rate) => rate.to_string(),
        Cell::Quantity(quantity) => quantity.to_string(),
    }
}

/// A total below the tables whose rows are parts of one whole.
fn totals(
    sheet: &mut Worksheet,
    voice: &Voice<'_>,
    table: &Table,
    formats: &Formats,
    rows: usize,
) -> Result<(), XlsxError> {
    if !["placements", "bill", "flows"].contains(&table.name) || rows == 0 {
        return Ok(());
    }
    // One row is left free, so that sorting and filtering leave the total where it is.
    let at = rows as u32 + 2;
    sheet.write_string_with_format(at, 0, voice.w("table.total"), &formats.total_text)?;
    for (place, column) in table.columns.iter().enumerate() {
        if !["monthly", "low", "high"].contains(&column.key) {
            continue;
        }
        let letter = char::from(b'A' + place as u8);
        let total = table.rows.iter().take(rows).fold(0i128, |total, row| match &row[place] {
            Cell::Money(amount) => total.saturating_add(amount.0),
            Cell::Empty | Cell::Text(_) | Cell::Count(_) | Cell::Rate(_) | Cell::Quantity(_) => total,
        });
        // Only what the filter shows, as people expect of a total below a filter.
        let formula = Formula::new(format!("=SUBTOTAL(109,{letter}2:{letter}{})", rows + 1))
            .set_result(carafe_model::units::Money(total).to_string());
        sheet.write_formula_with_format(at, place as u16, formula, &formats.total)?;
    }
    Ok(())
}

/// As wide as what stands in the first rows, within bounds.
fn width(table: &Table, place: usize) -> f64 {
    let columns = |cell: &Cell| match cell {
        Cell::Text(text) => crate::words::columns(&clipped(&visible(text), 60)),
        Cell::Empty => 0,
        Cell::Count(_) | Cell::Money(_) | Cell::Rate(_) | Cell::Quantity(_) => 14,
    };
    let widest = table.rows.iter().take(200).map(|row| columns(&row[place])).max().unwrap_or(0);
    let head = crate::words::columns(&table.columns[place].title).min(24);
    (widest.max(head) as f64 + 2.0).clamp(8.0, 60.0)
}
