//! Delimited text (CSV with comma, semicolon or tabulator; RFC 4180 quotes) as tables.

use std::borrow::Cow;

use carafe_model::finding::{Finding, Place};
use csv::StringRecord;

use crate::encoding;
use crate::input::InputFile;
use crate::number::{DecimalSign, SignVotes};
use crate::table::{Column, ColumnNames, Table};
use crate::text::{Heading, clip};

/// A delimited file whose first row holds headings.
pub struct Delimited<'a> {
    /// Where the file is.
    pub place: Place,
    /// Its headings, as written.
    pub headings: Vec<String>,
    text: Cow<'a, str>,
    separator: u8,
}

impl<'a> Delimited<'a> {
    /// Opens a file.
    pub fn open(file: &InputFile<'a>, findings: &mut Vec<Finding>) -> Delimited<'a> {
        let text = encoding::text(file, findings);
        let separator = separator(first_line(&text));
        let headings = headings_with(&text, separator);
        Delimited { place: Place::file(file.name), headings, text, separator }
    }

    /// Where a column stands, by the keys its heading may have.
    pub fn column(&self, keys: &[&str]) -> Option<usize> {
        self.headings.iter().position(|text| keys.contains(&Heading::parse(text).key.as_str()))
    }

    /// How the numbers of the file are written, by the majority of the cells that tell.
    pub fn sign(&self) -> Option<DecimalSign> {
        let mut votes = SignVotes::default();
        self.each_row(&mut Vec::new(), |_, record| record.iter().for_each(|cell| votes.see(cell)));
        votes.decide()
    }

    /// Shows every row below the headings, with its line. A row with more cells than headings is `INV-1011` and left
    /// out, since its values would stand in the wrong columns; one with fewer lacks what is at the end.
    pub fn each_row(&self, findings: &mut Vec<Finding>, mut each: impl FnMut(u32, &StringRecord)) {
        let text = without_mark(&self.text);
        let mut reader = reader(text, self.separator);
        let mut record = StringRecord::new();
        let mut lines = Lines { text: text.as_bytes(), offset: 0, line: 1 };
        let (mut torn, mut first_torn) = (0_usize, None);
        let mut is_header = true;
        // Text in memory with any number of cells cannot fail to be read.
        while reader.read_record(&mut record).unwrap_or(false) {
            if std::mem::take(&mut is_header) {
                continue;
            }
            let start = record.position().map_or(0, csv::Position::byte);
            let line = lines.of_record_at(start);
            if record.iter().skip(self.headings.len()).any(|cell| !cell.trim().is_empty()) {
                torn += 1;
                first_torn.get_or_insert(line);
            } else if record.iter().any(|cell| !cell.trim().is_empty()) {
                each(line, &record);
            }
        }
        if let Some(line) = first_torn {
            findings.push(
                Finding::error(
                    "INV-1011",
                    format!("rows with more cells than headings: {torn}, the first here"),
                )
                .at(self.place.clone().row(line))
                .help("left out; put cells that hold the separator or quotation marks in quotation marks"),
            );
        }
    }

    /// Reads the whole file. Of its columns those are kept that are `wanted`; others too when `keep_others` says so of
    /// their [`Heading::key`].
    pub fn table(
        &self,
        wanted: &'static [ColumnNames],
        keep_others: fn(&str) -> bool,
        findings: &mut Vec<Finding>,
    ) -> Table {
        let mut table = Table::empty(self.place.clone());
        let kept: Vec<Option<usize>> = self
            .headings
            .iter()
            .map(|heading| {
                table.columns.push(Column::read(heading, "", wanted, keep_others)?);
                Some(table.columns.len() - 1)
            })
            .collect();
        let mut votes = SignVotes::default();
        self.each_row(findings, |number, record| {
            table.begin(number);
            for (cell, column) in record.iter().zip(&kept) {
                let text = cell.trim();
                if let (Some(column), false) = (column, text.is_empty()) {
                    votes.see(text);
                    table.push(number, *column, text, false);
                }
            }
        });
        table.sign = votes.decide();
        table
    }
}

/// The headings of a delimited text, as written.
pub fn headings(text: &str) -> Vec<String> {
    headings_with(text, separator(first_line(text)))
}

fn headings_with(text: &str, separator: u8) -> Vec<String> {
    let mut record = StringRecord::new();
    // A header that cannot be read has no columns.
    let _ = reader(without_mark(text), separator).read_record(&mut record);
    record.iter().map(|heading| heading.trim().to_owned()).collect()
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes())
}

/// What stands most often between the headings, outside quotation marks.
fn separator(line: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == *separator);
        }
    }
    // Of equals the first is taken, as in a header of one column.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| separator)
}

/// Counts lines: the reader's own count is of where it began to look, which with blank lines is above the record.
struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the record that the reader found when it looked from `start` on; starts must ascend.
    fn of_record_at(&mut self, start: u64) -> u32 {
        let start = usize::try_from(start).map_or(self.text.len(), |start| start.min(self.text.len()));
        let blank = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.offset..start + blank).unwrap_or_default();
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.offset = self.offset.max(start + blank);
        self.line
    }
}

/// `INV-1009`: the columns that were kept as labels, those that `keep` wants by their [`Heading::key`].
pub fn kept_as_labels(table: &Table, keep: impl Fn(&str) -> bool, findings: &mut Vec<Finding>) {
    const MOST: usize = 20;
    let kept = table.others().filter(|heading| keep(&Heading::parse(heading).key));
    let columns: Vec<String> = kept.take(MOST).map(clip).collect();
    if !columns.is_empty() {
        findings.push(
            Finding::info("INV-1009", format!("columns kept as labels: {}", columns.join(", ")))
                .at(table.place.clone())
                .help("rules of the policy can match on them"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[ColumnNames] = &[("name", &["name"]), ("size", &["size"])];

    fn read(text: &str) -> (Table, Vec<Finding>) {
        let mut findings = Vec::new();
        let file = InputFile { name: "f", bytes: text.as_bytes() };
        let table = Delimited::open(&file, &mut findings).table(COLUMNS, |_| true, &mut findings);
        (table, findings)
    }

    #[test]
    fn separators_quotes_and_line_breaks_in_cells_are_understood() {
        for text in [
            "\u{feff}Name,Size (GB),Note\r\n\r\n\"a, b\",\"1,5\",\"two\nlines\"\r\nc,2\r\n",
            "Name;Size (GB);Note\n\n\"a, b\";1,5;\"two\nlines\"\nc;2\n",
            "*Name\tSize (in GB)\tNote\n\na, b\t1,5\t\"two\nlines\"\nc\t2",
        ] {
            let (table, findings) = read(text);
            assert_eq!(findings, [], "{text:?}");
            let names: Vec<_> =
                table.rows.iter().map(|row| table.cell(row, "name").expect("a name").0).collect();
            assert_eq!(names, ["a, b", "c"], "{text:?}");
            let lines: Vec<u32> = table.rows.iter().map(|row| row.number).collect();
            assert_eq!(lines, [3, 5], "{text:?}");
            let size = table.mib(&table.rows[0], "size", &mut Vec::new()).expect("a size");
            assert_eq!(size.value.0, 1536, "{text:?}");
            let others: Vec<_> =
                table.other_cells(&table.rows[0]).map(|(heading, text, _)| (heading, text)).collect();
            assert_eq!(others, [("Note", "two\nlines")], "{text:?}");
        }
    }

    #[test]
    fn a_row_with_too_many_cells_is_left_out_and_told() {
        let (table, findings) = read("name,size\na,1,2\nb,2,,\nc\n");
        assert_eq!(table.rows.len(), 2);
        let told: Vec<_> =
            findings.iter().map(|finding| (finding.code.as_str(), finding.place.row)).collect();
        assert_eq!(told, [("INV-1011", Some(2))]);
    }
}
