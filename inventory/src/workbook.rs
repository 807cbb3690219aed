//! Workbooks (XLSX) as tables of text. No workbook unpacks beyond measure.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, Xlsx};
use carafe_model::finding::{Finding, Place};

use crate::input::InputFile;
use crate::number::SignVotes;
use crate::table::{Column, ColumnNames, Table};
use crate::text::clip;

/// An open workbook.
pub struct Workbook<'a> {
    xlsx: Xlsx<Cursor<&'a [u8]>>,
    file: &'a str,
    /// How many more bytes of cell text may be kept: one long text can stand in a million cells at no cost to the file.
    text_left: usize,
}

/// Whether the bytes start like a workbook, new or old.
pub fn looks_like_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || is_compound_file(bytes)
}

/// The container of both old workbooks and workbooks with a password.
fn is_compound_file(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

/// How much a workbook of this many bytes may unpack to. Real ones unpack to some twenty times their size.
fn unpacked_limit(size: usize) -> u64 {
    const ALWAYS: u64 = 16 << 20;
    const NEVER_MORE: u64 = 512 << 20;
    (size as u64).saturating_mul(200).clamp(ALWAYS, NEVER_MORE)
}

impl<'a> Workbook<'a> {
    /// Opens a workbook.
    ///
    /// # Errors
    /// `INV-3002` with a password or in the old form, `INV-3003` damaged, `INV-3004` unpacks beyond measure.
    pub fn open(file: &InputFile<'a>) -> Result<Workbook<'a>, Box<Finding>> {
        let place = Place::file(file.name);
        if is_compound_file(file.bytes) {
            return Err(Box::new(
                Finding::error("INV-3002", "the workbook has a password, or is in the old form (.xls)")
                    .at(place)
                    .help("open it, take the password off, and save it as .xlsx"),
            ));
        }
        let limit = unpacked_limit(file.bytes.len());
        if unpacks_beyond(file.bytes, limit) {
            return Err(Box::new(too_much(place)));
        }
        match Xlsx::new(Cursor::new(file.bytes)) {
            Ok(xlsx) => {
                let text_left = usize::try_from(limit).unwrap_or(usize::MAX);
                Ok(Workbook { xlsx, file: file.name, text_left })
            }
            Err(error) => Err(Box::new(damaged(&error, place))),
        }
    }

    /// The names of its sheets.
    pub fn sheets(&self) -> Vec<String> {
        self.xlsx.sheet_names()
    }

    /// Reads a sheet. Of its columns those are kept that are `wanted`; others too when `keep_others` says so of their
    /// `Heading::key`. The name of the sheet before a heading (`vInfoCPUs`) is not part of it.
    ///
    /// # Errors
    /// `INV-3003` when the sheet is damaged, `INV-3004` when it holds more text than the file can mean.
    pub fn table(
        &mut self,
        sheet: &str,
        wanted: &'static [ColumnNames],
        keep_others: fn(&str) -> bool,
    ) -> Result<Table, Box<Finding>> {
        let place = Place::file(self.file).sheet(clip(sheet));
        let mut reader =
            self.xlsx.worksheet_cells_reader(sheet).map_err(|error| damaged(&error, place.clone()))?;
        let mut table = Table::empty(place.clone());
        let mut votes = SignVotes::default();
        // Which kept column stands at which column of the sheet.
        let mut kept: Vec<Option<usize>> = Vec::new();
        let mut header_row = None;
        let mut text = String::new();
        while let Some(found) = reader.next_cell().map_err(|error| damaged(&error, place.clone()))? {
            let (row, at) = found.get_position();
            let at = at as usize;
            let is_heading = header_row.is_none_or(|header| header == row);
            let column = kept.get(at).copied().flatten().filter(|_| !is_heading);
            if !is_heading && column.is_none() {
                continue;
            }
            text.clear();
            let Some(is_number) = write_cell(found.get_value(), &mut text) else { continue };
            self.text_left = match self.text_left.checked_sub(text.len()) {
                Some(left) => left,
                None => return Err(Box::new(too_much(place))),
            };
            let Some(column) = column else {
                header_row = Some(row);
                // Excel has 16,384 columns; what claims to stand behind them is a mistake or an attack.
                if let Some(column) = Column::read(&text, sheet, wanted, keep_others).filter(|_| at < 16_384)
                {
                    kept.resize(kept.len().max(at + 1), None);
                    kept[at] = Some(table.columns.len());
                    table.columns.push(column);
                }
                continue;
            };
            if !is_number {
                votes.see(&text);
            }
            table.push(row.saturating_add(1), column, &text, is_number);
        }
        table.sign = votes.decide();
        Ok(table)
    }
}

fn unpacks_beyond(bytes: &[u8], limit: u64) -> bool {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return false };
    let mut left = limit;
    for index in 0..archive.len() {
        let Ok(member) = archive.by_index(index) else { continue };
        let mut member = member.take(left.saturating_add(1));
        // A member that breaks off is found again, and told, when its sheet is read; here only its size matters.
        let _ = std::io::copy(&mut member, &mut std::io::sink());
        left = match left.checked_sub(left.saturating_add(1) - member.limit()) {
            Some(left) => left,
            None => return true,
        };
    }
    false
}

fn too_much(place: Place) -> Finding {
    Finding::error("INV-3004", "the workbook unpacks to far more than such a file can mean")
        .at(place)
        .help("this is how a malicious file looks; if it is a real export, split it")
}

fn damaged(error: &calamine::XlsxError, place: Place) -> Finding {
    Finding::error("INV-3003", format!("the workbook cannot be read: {}", clip(&error.to_string())))
        .at(place)
        .help("copy or export it again; it opens in no spreadsheet program either if it is damaged")
}

/// Writes what a cell says; `None` when it says nothing, otherwise whether the sheet holds it as a number.
fn write_cell(value: &DataRef<'_>, text: &mut String) -> Option<bool> {
    let (written, is_number) = match value {
        DataRef::Int(number) => (write!(text, "{number}"), true),
        DataRef::Float(number) => (write!(text, "{number}"), true),
        DataRef::String(words) => (text.write_str(words), false),
        DataRef::SharedString(words) => (text.write_str(words), false),
        DataRef::Bool(value) => (write!(text, "{value}"), false),
        DataRef::DateTime(date) => (write!(text, "{}", date.as_f64()), true),
        DataRef::DateTimeIso(words) | DataRef::DurationIso(words) => (text.write_str(words), false),
        DataRef::Error(_) | DataRef::Empty => return None,
    };
    written.ok().map(|()| is_number)
}
