//! Tables of text, from workbooks and from delimited files alike: every cell keeps its row and its column.

use std::collections::BTreeMap;
use std::ops::Range;

use carafe_model::finding::{Finding, Place};
use carafe_model::units::{Mib, Quantity};

use crate::json::bad_number;
use crate::number::{self, DecimalSign, Number, NumberError};
use crate::raw::At;
use crate::text::{Heading, clip, known, one_line};

/// What a column is called here, and how its heading may be written: see [`Heading::key`].
pub type ColumnNames = (&'static str, &'static [&'static str]);

/// A table whose first row holds headings.
pub struct Table {
    /// Where the sheet is.
    pub place: Place,
    pub(crate) columns: Vec<Column>,
    /// The texts of all cells, one behind the other: a table has millions, and each on its own would be an allocation.
    texts: String,
    cells: Vec<Cell>,
    /// The rows behind the headings.
    pub rows: Vec<Row>,
    /// How the numbers of this sheet that are texts are written.
    pub sign: Option<DecimalSign>,
}

/// A column that is kept.
pub(crate) struct Column {
    /// What it is called here; `None` for one that nobody asked for.
    pub(crate) name: Option<&'static str>,
    pub(crate) heading: String,
    /// The heading as findings call it.
    told: String,
    pub(crate) unit: Option<String>,
}

/// One row.
pub struct Row {
    /// Its number in the sheet, from 1 with the headings.
    pub number: u32,
    /// Which cells of the table are its own: those that hold something.
    cells: Range<usize>,
}

/// One cell.
struct Cell {
    column: u32,
    /// How much of the table's text it is.
    length: u32,
    start: usize,
    /// Whether the sheet holds it as a number, so that its decimal sign is a point.
    is_number: bool,
}

/// A cell read as a number.
pub struct NumberCell<'t> {
    /// The number, or why it is none.
    pub value: Result<Number, NumberError>,
    /// What the cell says.
    pub text: &'t str,
    /// Where it stands.
    pub place: Place,
}

impl Column {
    pub(crate) fn read(
        heading: &str,
        sheet: &str,
        wanted: &'static [ColumnNames],
        keep_others: fn(&str) -> bool,
    ) -> Option<Column> {
        let Heading { key, unit } = Heading::parse(heading);
        let sheet = sheet.to_lowercase();
        let key = key.strip_prefix(&sheet).filter(|rest| !rest.is_empty()).unwrap_or(&key);
        let name = wanted.iter().find(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name);
        (name.is_some() || keep_others(key)).then(|| Column {
            name,
            heading: heading.trim().to_owned(),
            told: clip(heading.trim()),
            unit,
        })
    }
}

impl Table {
    /// A table with nothing in it yet.
    pub(crate) fn empty(place: Place) -> Table {
        Table {
            place,
            columns: Vec::new(),
            texts: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            sign: None,
        }
    }

    /// Begins a row, so that one of which no cell is kept is there all the same.
    pub(crate) fn begin(&mut self, number: u32) {
        let at = self.cells.len();
        self.rows.push(Row { number, cells: at..at });
    }

    /// Adds a cell to the last row, or to a new one where the last has another number.
    pub(crate) fn push(&mut self, number: u32, column: usize, text: &str, is_number: bool) {
        // A cell beyond four gigabytes would be larger than any file that is read.
        let (Ok(length), Ok(column)) = (u32::try_from(text.len()), u32::try_from(column)) else { return };
        let at = self.cells.len();
        self.cells.push(Cell { column, length, start: self.texts.len(), is_number });
        self.texts.push_str(text);
        match self.rows.last_mut().filter(|last| last.number == number) {
            Some(last) => last.cells.end = at + 1,
            None => self.rows.push(Row { number, cells: at..at + 1 }),
        }
    }

    /// The cells of a row: where the column of each stands, what it says, and whether the sheet holds it as a number.
    fn cells<'t>(&'t self, row: &Row) -> impl Iterator<Item = (usize, &'t str, bool)> + use<'t> {
        let cells = self.cells.get(row.cells.clone()).unwrap_or_default();
        cells.iter().map(|cell| {
            let text = &self.texts[cell.start..cell.start + cell.length as usize];
            (cell.column as usize, text, cell.is_number)
        })
    }

    /// The first cell of a row in a column of this name.
    fn named<'t>(&'t self, row: &Row, name: &str) -> Option<(usize, &'t str, bool)> {
        self.cells(row).find(|(at, ..)| self.columns[*at].name == Some(name))
    }

    /// Whether the sheet has a column.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == Some(name))
    }

    /// The headings of the columns that nobody asked for.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.name.is_none()).map(|column| column.heading.as_str())
    }

    /// The cells of a row in columns that nobody asked for, with their headings.
    pub fn other_cells<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = (&'t str, &'t str, Place)> {
        self.cells(row)
            .filter(|(at, ..)| self.columns[*at].name.is_none())
            .map(|(at, text, _)| (self.columns[at].heading.as_str(), text, self.cell_place(row, at)))
    }

    /// The columns that nobody asked for: where each stands and what its heading says.
    pub fn other_columns(&self) -> impl Iterator<Item = (usize, Heading)> {
        let others = self.columns.iter().enumerate().filter(|(_, column)| column.name.is_none());
        others.map(|(at, column)| (at, Heading::parse(&column.heading)))
    }

    /// What the heading of a column says.
    pub fn heading(&self, name: &str) -> Option<&str> {
        let column = self.columns.iter().find(|column| column.name == Some(name))?;
        Some(&column.heading)
    }

    /// Calls the column of this heading by a name, as if it had been asked for; `false` when there is none.
    pub fn name_column(&mut self, heading: &str, name: &'static str) -> bool {
        let key = Heading::parse(heading).key;
        let column = self.columns.iter_mut().find(|column| Heading::parse(&column.heading).key == key);
        column.map(|column| column.name = Some(name)).is_some()
    }

    /// What a row says in columns that nobody asked for and that `keep` wants by their [`Heading::key`], as labels.
    pub fn labels(&self, row: &Row, keep: impl Fn(&str) -> bool) -> BTreeMap<String, At<String>> {
        let mut labels = BTreeMap::new();
        for (heading, text, place) in self.other_cells(row) {
            if let Some(value) = known(text).filter(|_| keep(&Heading::parse(heading).key)) {
                let label = one_line(&heading.trim_matches('*').to_lowercase());
                labels.entry(label).or_insert_with(|| At::new(one_line(value), place));
            }
        }
        labels
    }

    /// A cell as a number, by where its column stands.
    pub fn number_at<'t>(&'t self, row: &Row, column: usize) -> Option<NumberCell<'t>> {
        self.as_number(row, self.cells(row).find(|(at, ..)| *at == column)?)
    }

    fn as_number<'t>(&'t self, row: &Row, cell: (usize, &'t str, bool)) -> Option<NumberCell<'t>> {
        let (at, text, is_number) = cell;
        let sign = if is_number { Some(DecimalSign::Point) } else { self.sign };
        let value = number::parse(text, sign).map(|number| {
            let unit = number.unit.or_else(|| self.columns[at].unit.clone());
            Number { unit, ..number }
        });
        Some(NumberCell { value, text, place: self.cell_place(row, at) })
    }

    /// Where a row stands.
    pub fn row_place(&self, row: &Row) -> Place {
        self.place.clone().row(row.number)
    }

    fn cell_place(&self, row: &Row, column: usize) -> Place {
        self.row_place(row).column(self.columns[column].told.clone())
    }

    /// A cell and its place; where a heading stands twice, the first of its cells that holds something.
    pub fn cell<'t>(&'t self, row: &Row, name: &str) -> Option<(&'t str, Place)> {
        let (at, text, _) = self.named(row, name)?;
        Some((text, self.cell_place(row, at)))
    }

    /// What a cell says, for those who need not tell its place.
    pub fn words<'t>(&'t self, row: &Row, name: &str) -> Option<&'t str> {
        self.named(row, name).map(|(_, text, _)| text)
    }

    /// A cell as a number, its unit taken from the heading where it has none itself.
    pub fn number<'t>(&'t self, row: &Row, name: &str) -> Option<NumberCell<'t>> {
        self.as_number(row, self.named(row, name)?)
    }

    /// A cell as text that says something.
    pub fn text(&self, row: &Row, name: &str) -> Option<At<String>> {
        let (text, place) = self.cell(row, name)?;
        known(text).map(|text| At::new(text.to_owned(), place))
    }

    /// A cell as a count; what is none is `INV-1004` or `INV-1005`.
    pub fn count(&self, row: &Row, name: &str, findings: &mut Vec<Finding>) -> Option<At<u64>> {
        read_number(self.number(row, name)?, Number::count, findings)
    }

    /// A cell as a size, in MiB where neither it nor its heading names another unit.
    pub fn mib(&self, row: &Row, name: &str, findings: &mut Vec<Finding>) -> Option<At<Mib>> {
        read_number(self.number(row, name)?, Number::mib, findings)
    }

    /// A cell as a size, in this unit where neither it nor its heading names one.
    pub fn size(&self, row: &Row, name: &str, unit: &str, findings: &mut Vec<Finding>) -> Option<At<Mib>> {
        read_size(self.number(row, name)?, unit, findings)
    }

    /// A cell as a plain number, whatever its unit.
    pub fn quantity(&self, row: &Row, name: &str, findings: &mut Vec<Finding>) -> Option<At<Quantity>> {
        read_number(self.number(row, name)?, |number| Ok(number.value), findings)
    }
}

/// Takes a size out of a cell, in this unit where neither the cell nor its heading names one.
pub(crate) fn read_size(
    mut cell: NumberCell<'_>,
    unit: &str,
    findings: &mut Vec<Finding>,
) -> Option<At<Mib>> {
    if let Ok(number) = &mut cell.value {
        number.unit.get_or_insert_with(|| unit.to_owned());
    }
    read_number(cell, Number::mib, findings)
}

/// Takes what a cell means out of its number, with a finding where it has two readings or none.
pub(crate) fn read_number<T>(
    cell: NumberCell<'_>,
    read: impl Fn(&Number) -> Result<T, NumberError>,
    findings: &mut Vec<Finding>,
) -> Option<At<T>> {
    known(cell.text)?;
    let value = cell.value.and_then(|number| {
        if number.ambiguous {
            findings.push(
                Finding::warning("INV-1008", format!("\"{}\" was read with a group sign", clip(cell.text)))
                    .at(cell.place.clone())
                    .help("no other number of the table shows its decimal sign; write it without signs if that is wrong"),
            );
        }
        read(&number)
    });
    match value {
        Ok(value) => Some(At::new(value, cell.place)),
        Err(error) => {
            findings.push(bad_number(cell.text, error, cell.place));
            None
        }
    }
}
