//! Numbers as exports write them: with group signs and decimal signs of many countries, and with units.

use carafe_model::units::{Mib, Quantity};

/// Which sign stands before the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalSign {
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

/// Counts what the numbers of one file say about their decimal sign, so that it is decided once per file.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignVotes {
    points: usize,
    commas: usize,
}

impl SignVotes {
    /// Counts one number, if it can be read in one way only.
    pub fn see(&mut self, text: &str) {
        // What has neither sign has no vote, and most cells have none.
        if !text.bytes().any(|byte| matches!(byte, b'.' | b',')) {
            return;
        }
        let Some(parts) = Parts::split(text) else { return };
        match parts.sign() {
            Sign::Certain(DecimalSign::Point) => self.points += 1,
            Sign::Certain(DecimalSign::Comma) => self.commas += 1,
            Sign::Absent | Sign::Ambiguous(_) | Sign::Broken => {}
        }
    }

    /// The majority; `None` when there is none.
    pub fn decide(self) -> Option<DecimalSign> {
        match self.points.cmp(&self.commas) {
            std::cmp::Ordering::Greater => Some(DecimalSign::Point),
            std::cmp::Ordering::Less => Some(DecimalSign::Comma),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// A number as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its value; digits finer than a millionth are cut off.
    pub value: Quantity,
    /// What stands behind it, lower case: `mb`, `%`.
    pub unit: Option<String>,
    /// The text has two readings and the file does not say which is meant.
    pub ambiguous: bool,
}

/// Why a text is not a number that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number in any style.
    #[error("not a number")]
    Unreadable,
    /// Below zero where only a size or a count makes sense.
    #[error("negative")]
    Negative,
    /// A fraction where only whole numbers make sense.
    #[error("not a whole number")]
    Fraction,
    /// Larger than any such thing is.
    #[error("too large")]
    TooLarge,
    /// A unit where there should be none, or one that is not of size.
    #[error("a unit that does not belong here")]
    Unit,
}

/// Reads a number. A lone sign before three digits (`1,234`) is read as the file's majority has it; without a majority
/// it is a group sign, since exports group the large numbers and have no reason for exactly three decimals.
///
/// # Errors
/// [`NumberError::Unreadable`] or [`NumberError::TooLarge`].
pub fn parse(text: &str, style: Option<DecimalSign>) -> Result<Number, NumberError> {
    let parts = Parts::split(text).ok_or(NumberError::Unreadable)?;
    let (decimal, ambiguous) = match parts.sign() {
        Sign::Broken => return Err(NumberError::Unreadable),
        Sign::Absent => (None, false),
        Sign::Certain(sign) => (Some(sign), false),
        Sign::Ambiguous(if_group) => (Some(style.unwrap_or(if_group)), style.is_none()),
    };
    let (group, point) = match decimal {
        Some(DecimalSign::Comma) => ('.', ','),
        Some(DecimalSign::Point) | None => (',', '.'),
    };
    let (whole, fraction) = parts.digits.split_once(point).unwrap_or((&parts.digits, ""));
    let whole = whole.replace(group, "");
    let fraction: String = fraction.chars().take(6).collect();
    let sign = if parts.negative { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let value = format!("{sign}{whole}{point}{fraction}").parse().map_err(|error| match error {
        carafe_model::units::DecimalError::TooLarge => NumberError::TooLarge,
        _ => NumberError::Unreadable,
    })?;
    Ok(Number { value, unit: parts.unit, ambiguous })
}

impl Number {
    /// The number as a count.
    ///
    /// # Errors
    /// When it is negative, or has a fraction or a unit.
    pub fn count(&self) -> Result<u64, NumberError> {
        if self.unit.is_some() {
            return Err(NumberError::Unit);
        }
        let millionths = u64::try_from(self.value.0).map_err(|_| NumberError::Negative)?;
        if millionths % 1_000_000 != 0 {
            return Err(NumberError::Fraction);
        }
        Ok(millionths / 1_000_000)
    }

    /// The number as memory or capacity; without a unit of its own it counts MiB. A rest below one MiB counts as one.
    /// Sources say MB and mean MiB.
    ///
    /// # Errors
    /// When it is negative, too large, or its unit is not one of size.
    pub fn mib(&self) -> Result<Mib, NumberError> {
        let value = u128::try_from(self.value.0).map_err(|_| NumberError::Negative)?;
        let (times, over) = match self.unit.as_deref() {
            Some("kb" | "kib" | "k") => (1, 1024),
            None | Some("mb" | "mib" | "m") => (1, 1),
            Some("gb" | "gib" | "g") => (1024, 1),
            Some("tb" | "tib" | "t") => (1024 * 1024, 1),
            Some(_) => return Err(NumberError::Unit),
        };
        let mib = (value * times).div_ceil(over * 1_000_000);
        u64::try_from(mib).map(Mib).map_err(|_| NumberError::TooLarge)
    }
}

/// A number taken apart, group signs that are spaces already gone.
struct Parts {
    negative: bool,
    digits: String,
    unit: Option<String>,
}

enum Sign {
    Absent,
    Certain(DecimalSign),
    /// Either reading is possible; holds the one in which the sign groups.
    Ambiguous(DecimalSign),
    Broken,
}

impl Parts {
    fn split(text: &str) -> Option<Parts> {
        // The longest number with a unit that means anything; longer texts are not looked at.
        const LONGEST: usize = 64;
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let (negative, text) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let is_space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',') || is_space(c)))
            .unwrap_or(text.len());
        let (body, unit) = text.split_at(end);
        let body = body.trim_end_matches(is_space);
        let grouped_well =
            body.split(is_space).skip(1).all(|group| group.split(['.', ',']).next().map_or(0, str::len) == 3);
        if !body.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')) || !grouped_well {
            return None;
        }
        let unit = unit.trim();
        Some(Parts {
            negative,
            digits: body.chars().filter(|c| !is_space(*c)).collect(),
            unit: (!unit.is_empty()).then(|| unit.to_lowercase()),
        })
    }

    fn sign(&self) -> Sign {
        let count = |sign| self.digits.matches(sign).count();
        match (count(','), count('.')) {
            (0, 0) => Sign::Absent,
            (1, 0) => self.lone(',', DecimalSign::Comma, DecimalSign::Point),
            (0, 1) => self.lone('.', DecimalSign::Point, DecimalSign::Comma),
            (_, 0) => self.grouped(',', '.', DecimalSign::Point),
            (0, _) => self.grouped('.', ',', DecimalSign::Comma),
            (_, 1) if self.digits.rfind('.') > self.digits.rfind(',') => {
                self.grouped(',', '.', DecimalSign::Point)
            }
            (1, _) => self.grouped('.', ',', DecimalSign::Comma),
            _ => Sign::Broken,
        }
    }

    fn lone(&self, sign: char, as_decimal: DecimalSign, as_group: DecimalSign) -> Sign {
        let (whole, fraction) = self.digits.split_once(sign).expect("the sign was counted");
        if fraction.is_empty() {
            return Sign::Broken;
        }
        if fraction.len() != 3 || !(1..=3).contains(&whole.len()) || whole.starts_with('0') {
            return Sign::Certain(as_decimal);
        }
        Sign::Ambiguous(as_group)
    }

    fn grouped(&self, group: char, point: char, result: DecimalSign) -> Sign {
        let whole = self.digits.split(point).next().unwrap_or_default();
        let mut groups = whole.split(group);
        let first_fits = groups.next().is_some_and(|first| (1..=3).contains(&first.len()));
        if first_fits && groups.all(|group| group.len() == 3) { Sign::Certain(result) } else { Sign::Broken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, style: Option<DecimalSign>, expected: &str) {
        let found = match parse(text, style) {
            Ok(number) => format!(
                "{}{}{}",
                number.value,
                number.unit.map(|unit| format!(" {unit}")).unwrap_or_default(),
                if number.ambiguous { "?" } else { "" }
            ),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn numbers_are_read_in_every_style() {
        for (text, expected) in [
            ("1234", "1234"),
            ("1,234.5", "1234.5"),
            ("1.234,5", "1234.5"),
            ("1 234", "1234"),
            ("1\u{a0}234\u{a0}567,25", "1234567.25"),
            ("1'234", "1234"),
            ("1.234.567", "1234567"),
            ("12,5", "12.5"),
            ("0,500", "0.5"),
            (",5", "0.5"),
            ("-3", "-3"),
            ("4,096 MB", "4096 mb?"),
            ("1,234", "1234?"),
            ("1.234", "1234?"),
            ("50 %", "50 %"),
            ("0.1234567", "0.123456"),
            ("", "not a number"),
            ("VM", "not a number"),
            ("12 34", "not a number"),
            ("1,23,456.5", "not a number"),
            ("1.2.3,4,5", "not a number"),
            ("5.", "not a number"),
            ("99999999999999", "too large"),
        ] {
            check(text, None, expected);
        }
        check("1,234", Some(DecimalSign::Comma), "1.234");
        check("1,234", Some(DecimalSign::Point), "1234");
        check("1.234", Some(DecimalSign::Comma), "1234");
    }

    #[test]
    fn the_file_decides_by_majority() {
        let mut votes = SignVotes::default();
        for text in ["1,234", "12,5", "1.234.567", "0.5"] {
            votes.see(text);
        }
        assert_eq!(votes.decide(), Some(DecimalSign::Comma));
    }

    #[test]
    fn sizes_scale_by_their_unit_and_round_up() {
        for (text, mib) in [("1024", Ok(1024)), ("2 GB", Ok(2048)), ("1 TiB", Ok(1 << 20)), ("1 KB", Ok(1))] {
            assert_eq!(parse(text, None).unwrap().mib(), mib.map(Mib), "{text}");
        }
        assert_eq!(parse("-1", None).unwrap().mib(), Err(NumberError::Negative));
        assert_eq!(parse("8 sockets", None).unwrap().mib(), Err(NumberError::Unit));
        assert_eq!(parse("1.5", None).unwrap().count(), Err(NumberError::Fraction));
        assert_eq!(parse("100 apples", None).unwrap().count(), Err(NumberError::Unit));
    }
}
