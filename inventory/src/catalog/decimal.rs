//! Exact decimals from text.
//!
//! Price lists write more digits than a [`Rate`] keeps (a tier price divided by its size, a month divided by its hours),
//! so unlike `Rate::from_str`, which refuses them, these rounds to the nearest billionth, halves to even, and say so.

use carafe_model::units::{DecimalError, Mib, Rate};

/// A number counted in `10^-digits`, and whether digits were rounded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub value: i64,
    pub rounded: bool,
}

/// Reads a plain decimal such as `-12.5`; no exponent, no thousands separator, no unit.
pub(super) fn scaled(text: &str, digits: usize) -> Result<Scaled, DecimalError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || unsigned.ends_with('.') {
        return Err(DecimalError::Syntax);
    }
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Syntax);
    }
    let (kept, cut) = fraction.split_at(fraction.len().min(digits));
    let padding = std::iter::repeat_n(b'0', digits - kept.len());
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i64::from(digit - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    let cut = cut.trim_end_matches('0');
    let up = match cut.as_bytes() {
        [] => false,
        [b'5'] => value % 2 == 1,
        [first, ..] => *first >= b'5',
    };
    let value = value.checked_add(i64::from(up)).ok_or(DecimalError::TooLarge)?;
    Ok(Scaled { value: if negative { -value } else { value }, rounded: !cut.is_empty() })
}

/// Reads a price and tells whether it was rounded to a billionth.
pub(super) fn rate(text: &str) -> Result<(Rate, bool), DecimalError> {
    scaled(text, 9).map(|number| (Rate(number.value), number.rounded))
}

/// Reads GiB with decimals as MiB, rounded down, so that a machine never seems larger than it is.
pub(super) fn gib_to_mib(text: &str) -> Result<Mib, DecimalError> {
    let billionths = scaled(text, 9)?;
    let gib = u64::try_from(billionths.value).map_err(|_| DecimalError::Syntax)?;
    // Rounding up at the tenth decimal cannot reach the next MiB unless the text means that MiB.
    u64::try_from(u128::from(gib) * 1024 / 1_000_000_000).map(Mib).map_err(|_| DecimalError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_keep_nine_decimals_and_halves_go_to_even() {
        for (text, nanos, rounded) in [
            ("0.0416", 41_600_000, false),
            ("12", 12_000_000_000, false),
            (".5", 500_000_000, false),
            ("0.1234567890000", 123_456_789, false),
            ("0.1234567895", 123_456_790, true),
            ("0.1234567885", 123_456_788, true),
            ("0.12345678851", 123_456_789, true),
            ("0.12345678849", 123_456_788, true),
            ("-0.0000000015", -2, true),
            ("0.0000000001", 0, true),
        ] {
            assert_eq!(rate(text), Ok((Rate(nanos), rounded)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in
            ["", "-", ".", "1.", "1,5", "1e-3", "+1", " 1", "$1", "-0.21%", "NaN", "--1", "1.2.3", "１"]
        {
            assert_eq!(rate(text), Err(DecimalError::Syntax), "{text}");
        }
        assert_eq!(rate("9999999999999"), Err(DecimalError::TooLarge));
        assert_eq!(rate(&"9".repeat(5000)), Err(DecimalError::TooLarge));
    }

    #[test]
    fn memory_is_never_overstated() {
        for (text, mib) in [("8", 8192), ("3.75", 3840), ("61.44", 62914), ("0.0009", 0), ("15.259", 15625)] {
            assert_eq!(gib_to_mib(text), Ok(Mib(mib)), "{text}");
        }
        assert_eq!(gib_to_mib("-1"), Err(DecimalError::Syntax));
    }
}
