//! A CSV table out of untrusted bytes: plain or gzip, bounded, every cell with its place.

use std::borrow::Cow;
use std::io::Read;

use carafe_model::finding::{Finding, Place};

use super::findings::{Findings, clip};
use crate::InputFile;

/// The most that the files of one import may hold or unfold to together. The largest public price list in this format
/// is about 40 MB.
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
            let summary =
                format!("the file unpacks to more than the {largest} bytes that are left for one import");
            return Err(refuse("CAT-1008", summary, "import fewer files at once, or split it by provider"));
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
        let _ = reader(without_mark(&text)).read_record(&mut header);
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

    /// At most so many rows are below the header.
    pub fn most_rows(&self) -> usize {
        self.text.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// Shows every row below the header that has as many cells as the header.
    pub fn rows(&self, findings: &mut Findings, mut each: impl FnMut(&Row<'_>, &mut Findings)) {
        let text = without_mark(&self.text);
        let mut reader = reader(text);
        let mut record = csv::StringRecord::new();
        let mut lines = Lines { text: text.as_bytes(), offset: 0, line: 1 };
        let mut header_seen = false;
        while reader.read_record(&mut record).expect("text in memory, any number of cells") {
            if !std::mem::replace(&mut header_seen, true) {
                continue;
            }
            let start = record.position().expect("records that are read have a place").byte();
            let row = Row { file: self.file, line: lines.of_record_at(start), cells: &record };
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

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// Counts lines. The reader's own count is of where it began to look, which with blank lines and with the line ends of
/// Windows is above the record.
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
        let passed = &self.text[self.offset..start + blank];
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.offset = start + blank;
        self.line
    }
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn refusal(bytes: &[u8], largest: u64) -> String {
        text(&InputFile { name: "f", bytes }, largest).expect_err("must be refused").code
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn what_is_not_a_table_is_told_apart() {
        for (bytes, code) in [
            (&b""[..], "CAT-1013"),
            (b" \r\n", "CAT-1013"),
            (b"\xef\xbb\xbf", "CAT-1013"),
            (b"<!doctype html><title>Sign in</title>", "CAT-1004"),
            (b"\xef\xbb\xbf\n <?xml version=\"1.0\"?>", "CAT-1004"),
            (b"{\"Items\":[]}", "CAT-1005"),
            (b"[1]", "CAT-1005"),
            (b"provider,region\naws,\xff", "CAT-1006"),
            (b"p\0r\0o\0v\xff\xfe", "CAT-1006"),
        ] {
            assert_eq!(refusal(bytes, 100), code, "{bytes:?}");
            assert_eq!(refusal(&gzip(bytes), 100), code, "packed {bytes:?}");
        }
    }

    #[test]
    fn damaged_and_oversized_gzip_is_refused_and_memory_stays_bounded() {
        let packed = gzip(b"provider,region\n");
        for cut in 2..packed.len() {
            assert_eq!(refusal(&packed[..cut], 100), "CAT-1007", "cut at {cut}");
        }
        assert_eq!(refusal(&gzip(&vec![b'a'; 1_000_000]), 1000), "CAT-1008");
        let whole = text(&InputFile { name: "f", bytes: &packed }, 16).expect("fits to the byte");
        assert_eq!(whole, "provider,region\n");
    }

    #[test]
    fn every_row_knows_its_line_and_a_torn_one_is_left_out() {
        let csv = "\u{feff}Provider , region\r\naws,\"a\nb\"\r\n\r\ngcp\r\noci, c ,d\r\nibm, e \r\n";
        let table = Table::new("f", csv.into());
        let (provider, region) = (table.column("provider"), table.column("region"));
        let mut findings = Findings::default();
        let mut seen = Vec::new();
        table.rows(&mut findings, |row, _| {
            seen.push((row.line, row.text(provider).to_owned(), row.text(region).to_owned()));
        });
        let row = |line, provider: &str, region: &str| (line, provider.to_owned(), region.to_owned());
        assert_eq!(seen, [row(2, "aws", "a\nb"), row(7, "ibm", "e")]);
        let torn: Vec<_> = findings.finish().into_iter().map(|f| (f.code, f.place.row)).collect();
        assert_eq!(torn, [("CAT-1012".to_owned(), Some(5)), ("CAT-1012".to_owned(), Some(6))]);
    }
}
