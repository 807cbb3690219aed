//! Cells that several tables share: prices and where they come from.

use carafe_model::catalog::PriceSource;
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::idx::Idx;
use carafe_model::units::{DecimalError, Rate};

use crate::catalog::decimal;
use crate::catalog::findings::{Findings, clip};
use crate::catalog::sources::Sources;
use crate::catalog::table::{Column, Row, Table};

/// What a price cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Price {
    /// Nothing: the source gives no price.
    Blank,
    /// Something unusable, which has been reported.
    Refused,
    /// A price.
    Known(Rate),
}

impl Price {
    /// The price, if there is a usable one.
    pub fn known(self) -> Option<Rate> {
        match self {
            Price::Known(rate) => Some(rate),
            Price::Blank | Price::Refused => None,
        }
    }
}

/// Whether a price of zero can be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    /// Some are free: an allowance, a basic control plane.
    Free,
    /// Nobody gives it away, so a zero means that the source failed.
    Wrong,
}

/// Reads a price and reports it when it cannot be true.
pub(super) fn price(row: &Row<'_>, column: Column, zero: Zero, findings: &mut Findings) -> Price {
    let text = row.text(column);
    if text.is_empty() {
        return Price::Blank;
    }
    let (code, what, help) = match decimal::rate(text) {
        Ok((rate, _)) if rate.0 < 0 => {
            ("CAT-1103", "a negative price is not used", "correct the figure or leave the cell empty")
        }
        // A price that rounds to nothing is as useless as nothing.
        Ok((Rate(0), rounded)) if zero == Zero::Wrong || rounded => {
            ("CAT-1102", "a price of zero is not used", "leave the cell empty when there is no price")
        }
        Ok((rate, rounded)) => {
            if rounded {
                let summary = "prices with more than nine decimals were rounded, halves to even";
                findings.tally("CAT-1105", Severity::Info, summary, row.file, "");
            }
            return Price::Known(rate);
        }
        Err(DecimalError::TooLarge) => {
            ("CAT-1101", "a price is too large to be one", "check the unit of the figure")
        }
        Err(DecimalError::Syntax | DecimalError::TooFine) => (
            "CAT-1101",
            "a price cannot be read",
            "write a plain decimal with a point, such as 0.0416, without currency sign or unit",
        ),
    };
    findings.push(row.error(code, column, what).help(help));
    Price::Refused
}

/// What is said of a row about something that another row has priced: order must not matter, so dates decide.
pub(super) fn priced_twice(row: &Row<'_>, column: Column) -> Finding {
    priced_twice_at(row.place(column), row.text(column))
}

/// The same of a row that was read before; `name` is what its cell says.
pub(super) fn priced_twice_at(place: Place, name: &str) -> Finding {
    let what = "priced in another row too; the newest row counts, of equally new ones the dearest";
    let finding = Finding::warning("CAT-1112", format!("{what}: \"{}\"", clip(name)));
    finding.at(place).help("remove one of the two rows")
}

/// The columns that say where a price comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceColumns {
    source: Column,
    as_of: Column,
    quality: Column,
    notes: Column,
}

impl SourceColumns {
    /// Finds them in a table.
    pub fn of(table: &Table<'_>) -> SourceColumns {
        SourceColumns {
            source: table.column("source"),
            as_of: table.column("as_of"),
            quality: table.column("quality"),
            notes: table.column(if table.has("basis") { "basis" } else { "notes" }),
        }
    }

    /// The source of a row, with remarks of the reader added to what qualifies its figure; reports a row without one.
    pub fn read(
        &self,
        row: &Row<'_>,
        remarks: &[String],
        sources: &mut Sources,
        findings: &mut Findings,
    ) -> Option<Idx<PriceSource>> {
        let (name, as_of) = (row.text(self.source), row.text(self.as_of));
        if name.is_empty() {
            let finding = row.error("CAT-1109", self.source, "a price without a source is not used");
            findings.push(finding.help("name the list, API or document in the column source"));
            return None;
        }
        if !is_date(as_of) {
            let finding = row.error("CAT-1109", self.as_of, "a price without a date is not used");
            findings.push(finding.help("write the date as 2026-08-13, 2026-08 or 2026"));
            return None;
        }
        let said = [row.text(self.quality), row.text(self.notes)];
        let parts = || said.into_iter().chain(remarks.iter().map(String::as_str));
        if let Some(same) = sources
            .last()
            .filter(|(_, last)| last.name == name && last.as_of == as_of && is_joined(&last.quality, parts()))
        {
            return Some(same.0);
        }
        let mut quality = String::new();
        for part in parts() {
            if !part.is_empty() {
                quality.push_str(if quality.is_empty() { "" } else { "; " });
                quality.push_str(part);
            }
        }
        Some(sources.intern(name, as_of, quality))
    }
}

/// Whether a text is these parts, joined as [`SourceColumns::read`] does.
fn is_joined<'a>(text: &str, parts: impl Iterator<Item = &'a str>) -> bool {
    let mut rest = Some(text);
    for (nth, part) in parts.filter(|part| !part.is_empty()).enumerate() {
        let after = rest.and_then(|rest| if nth == 0 { Some(rest) } else { rest.strip_prefix("; ") });
        rest = after.and_then(|after| after.strip_prefix(part));
    }
    rest == Some("")
}

/// `2026`, `2026-08` or `2026-08-13`, nothing else.
pub(super) fn is_date(text: &str) -> bool {
    let part = |part: &str, length: usize, largest: u32| {
        let whole = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        whole && part.parse().is_ok_and(|number: u32| (1..=largest).contains(&number))
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|year| part(year, 4, 9999))
        && parts.next().is_none_or(|month| part(month, 2, 12))
        && parts.next().is_none_or(|day| part(day, 2, 31))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{is_date, is_joined};

    #[test]
    fn parts_are_compared_as_they_are_joined() {
        assert!(is_joined("", [].into_iter()) && is_joined("a", ["", "a", ""].into_iter()));
        assert!(is_joined("a; b", ["a", "b"].into_iter()));
        for other in ["", "a", "ab", "a; b; c", "a; b; ", "b; a"] {
            assert!(!is_joined(other, ["a", "b"].into_iter()), "{other}");
        }
    }

    #[test]
    fn dates_are_as_precise_as_the_source_tells() {
        for date in ["2026", "2026-08", "2026-08-13"] {
            assert!(is_date(date), "{date}");
        }
        for other in ["", "26", "2026-13", "2026-00", "2026-08-32", "2026-8", "13.08.2026", "2026-08-13-1"] {
            assert!(!is_date(other), "{other}");
        }
    }
}
