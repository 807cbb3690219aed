//! Tables for people: columns as wide as what stands in them.

use unicode_width::UnicodeWidthStr;

use super::output::{Tone, clean};

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a header.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[(&str, Side)]) -> Table {
        Table {
            columns: columns.iter().map(|(title, side)| ((*title).to_owned(), *side)).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row; its cells are made safe for a terminal.
    ///
    /// # Panics
    /// If it has another number of cells than the table has columns.
    pub fn row<const CELLS: usize>(&mut self, cells: [String; CELLS]) {
        assert_eq!(CELLS, self.columns.len(), "a cell for every column");
        self.rows.push(cells.iter().map(|cell| clean(cell)).collect());
    }

    /// The lines of the table, each with a line break.
    pub fn render(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].width());
            cells.chain([self.columns[column].0.width()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &String>| {
            let padded = cells.zip(&self.columns).zip(&widths).map(|((cell, (_, side)), width)| {
                let space = " ".repeat(width - cell.width());
                match side {
                    Side::Left => format!("{cell}{space}"),
                    Side::Right => format!("{space}{cell}"),
                }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let header = Tone::Strong.paint(&line(&mut self.columns.iter().map(|(title, _)| title)));
        let rows = self.rows.iter().map(|row| line(&mut row.iter()));
        [header].into_iter().chain(rows).map(|line| line + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        let mut table = Table::new(&[("host", Side::Left), ("GiB", Side::Right)]);
        table.row(["재고-db".to_owned(), "8".to_owned()]);
        table.row(["web".to_owned(), "128".to_owned()]);
        let plain = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(plain, "host     GiB\n재고-db    8\nweb      128\n");
    }
}
