//! A CSV table out of untrusted bytes: plain or gzip, bounded, every cell with its place.

use std::borrow::Cow;
use std::io::Read;

use carafe_model::finding::{Finding, Place};

use super::findings::{Findings, clip};
use crate::InputFile;

/// The most a compressed file may unfold to. The largest public price list in this format is about 40 MB.
pub(super) const LARGEST_TEXT: u64 = 1 << 30;

const GZIP: &[u8] = &[0x1f, 0x8b];

/// The text of a file, unpacked if it is gzip.
///
/// # Errors
/// A finding when it is empty, damaged, too large, not UTF-8, or another format that people mistake for CSV.
pub(super) fn text<'a>(file: &InputFile<'a>, largest: u64) -> Result<Cow<'a, str>, Box<Finding>> {
    let refuse = |code, summary: String, help: &str| {
        Box::new(Finding::error(code, summary).at(Place::file(file.name)).help(help))
    };
    let bytes = if file.bytes.starts_with(GZIP) {
        let mut unpacked = Vec::new();
        let outcome =
            flate2::read::MultiGzDecoder::new(file.bytes).take(largest + 1).read_to_end(&mut unpacked);
        if outcome.is_err() {
            let help = "download or copy the file again";
            return Err(refuse("CAT-1007", "the gzip file is cut short or damaged".to_owned(), help));
        }
        if unpacked.len() as u64 > largest {
            let summary = format!("the file unpacks to more than {largest} bytes");
            return Err(refuse("CAT-1008", summary, "split it by provider"));
        }
        Cow::Owned(unpacked)
    } else {
        Cow::Borrowed(file.bytes)
    };
    let not_utf8 = || {
        let summary = "the file is not UTF-8 text".to_owned();
        refuse("CAT-1006", summary, "save it as CSV with the encoding UTF-8")
    };
    let text = match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| not_utf8())?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| not_utf8())?),
    };
    match text.trim_start_matches('\u{feff}').trim_start().bytes().next() {
        None => Err(refuse("CAT-1013", "the file is empty".to_owned(), "give a CSV table with a header row")),
        Some(b'<') => Err(refuse(
            "CAT-1004",
            "this is a web page or XML, not CSV".to_owned(),
            "download the file itself; a login or error page may have been saved in its place",
        )),
        Some(b'{' | b'[') => Err(refuse(
            "CAT-1005",
            "this is JSON, not CSV".to_owned(),
            "give CSV tables; a finished snapshot needs no import, pass it as the catalog itself",
        )),
        Some(_) => Ok(text),
    }
}

/// A table with a header row.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// The file as the user named it.
    pub file: &'a str,
    /// The names in its first row, trimmed, in lower case.
    pub header: Vec<String>,
    text: Cow<'a, str>,
}

/// A column of one table: where it stands, if the table has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    at: Option<usize>,
}

impl<'a> Table<'a> {
    /// Reads the header.
    pub fn new(file: &'a str, text: Cow<'a, str>) -> Table<'a> {
        let mut header = csv::StringRecord::new();
        // A header that cannot be read has no columns, which no kind of table accepts.
        let _ = reader(&text).read_record(&mut header);
        let header = header.iter().map(|name| name.trim().to_lowercase()).collect();
        Table { file, header, text }
    }

    /// Whether there is such a column.
    pub fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    /// Finds a column once, so that cells are found without comparing names.
    pub fn column(&self, name: &'static str) -> Column {
        Column { name, at: self.header.iter().position(|column| column == name) }
    }

    /// Shows every row below the header that has as many cells as the header.
    pub fn rows(&self, findings: &mut Findings, mut each: impl FnMut(&Row<'_>, &mut Findings)) {
        let mut reader = reader(&self.text);
        let mut record = csv::StringRecord::new();
        let mut header_seen = false;
        while reader.read_record(&mut record).expect("text in memory, any number of cells") {
            if !std::mem::replace(&mut header_seen, true) {
                continue;
            }
            let line = record.position().map_or(0, |position| position.line());
            let row = Row { file: self.file, line: u32::try_from(line).unwrap_or(u32::MAX), cells: &record };
            if record.len() == self.header.len() {
                each(&row, findings);
                continue;
            }
            let summary = format!("the row has {} cells, the header {}", record.len(), self.header.len());
            let help = "put cells that contain commas or quotation marks in quotation marks";
            let place = Place::file(self.file).row(row.line);
            findings.push(Finding::error("CAT-1012", summary).at(place).help(help));
        }
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    let text = text.trim_start_matches('\u{feff}');
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// One row of a table.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The file as the user named it.
    pub file: &'a str,
    /// Its line, from 1 with the header.
    pub line: u32,
    cells: &'a csv::StringRecord,
}

impl Row<'_> {
    /// The text of a cell, trimmed; empty when the table lacks the column.
    pub fn text(&self, column: Column) -> &str {
        column.at.and_then(|at| self.cells.get(at)).unwrap_or_default().trim()
    }

    /// Where a cell stands.
    pub fn place(&self, column: Column) -> Place {
        Place::file(self.file).row(self.line).column(column.name)
    }

    /// A finding about a cell that quotes it.
    pub fn error(&self, code: &str, column: Column, what: &str) -> Finding {
        Finding::error(code, format!("{what}: \"{}\"", clip(self.text(column)))).at(self.place(column))
    }

    /// A finding about a cell that is used or dropped without losing the row.
    pub fn warning(&self, code: &str, column: Column, what: &str) -> Finding {
        Finding::warning(code, format!("{what}: \"{}\"", clip(self.text(column)))).at(self.place(column))
    }
}
