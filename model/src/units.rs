//! Quantities with a unit, and exact money.
//!
//! A [`Rate`] is what one unit of something costs and a [`Quantity`] how many units are used; only their product is
//! [`Money`]. All three are integers: money and rates count billionths of one currency, quantities count millionths of
//! one unit. Nothing here is a float, and in documents all three are decimal strings, so that no reader rounds them.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Hours in a billing month, by the convention of every large provider (8,760 ÷ 12).
pub const HOURS_PER_MONTH: i64 = 730;

/// Memory in mebibytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Mib(pub u64);

/// Disk capacity in gibibytes, rounded up where a source is finer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Gib(pub u64);

/// A count of virtual processors (hardware threads).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Vcpus(pub u32);

impl Mib {
    /// Converts whole gibibytes.
    pub const fn from_gib(gib: u64) -> Mib {
        Mib(gib.saturating_mul(1024))
    }
}

/// An amount of money: billionths of the document's one currency. Sums of any estate fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i128);

/// The price of one unit (an hour, a GiB-month, a GiB): billionths of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

/// How many units are used: millionths of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub i64);

const MONEY_DIGITS: u32 = 9;
const QUANTITY_DIGITS: u32 = 6;

impl Money {
    /// No money at all.
    pub const ZERO: Money = Money(0);

    /// Multiplies by a whole number, for example months of a horizon.
    pub fn times(self, factor: u32) -> Money {
        Money(self.0 * i128::from(factor))
    }

    /// Divides by a whole number, to the nearest billionth, halves to even.
    ///
    /// # Panics
    /// If `divisor` is zero.
    pub fn divided_by(self, divisor: u32) -> Money {
        Money(div_half_even(self.0, i128::from(divisor)))
    }

    /// Converts to another currency; see [`Rate::converted`]. `None` when the result does not fit.
    pub fn converted(self, per_unit: Rate) -> Option<Money> {
        Some(Money(div_half_even(self.0.checked_mul(i128::from(per_unit.0))?, 1_000_000_000)))
    }

    /// The value as a float, for drawing and for ratios; never for arithmetic on money.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Quantity {
    /// A whole number of units; `None` when it does not fit.
    pub fn from_units(units: i64) -> Option<Quantity> {
        units.checked_mul(1_000_000).map(Quantity)
    }

    /// One month of a thing billed by the hour.
    pub const MONTH: Quantity = Quantity(HOURS_PER_MONTH * 1_000_000);

    /// The value as a float, for drawing only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Rate {
    /// What `quantity` units cost: to the nearest billionth, halves to even.
    pub fn times(self, quantity: Quantity) -> Money {
        Money(div_half_even(i128::from(self.0) * i128::from(quantity.0), 1_000_000))
    }

    /// Converts to another currency. `per_unit` is how much of the target one unit of the source buys, in billionths.
    ///
    /// Returns `None` when the result does not fit.
    pub fn converted(self, per_unit: Rate) -> Option<Rate> {
        i64::try_from(div_half_even(i128::from(self.0) * i128::from(per_unit.0), 1_000_000_000))
            .ok()
            .map(Rate)
    }

    /// The value as a float, for drawing only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// Divides to the nearest integer, halves to even, so that sums of many rounded lines do not drift.
fn div_half_even(numerator: i128, divisor: i128) -> i128 {
    // Processors divide 64 bits themselves, and nearly every figure fits.
    let (floor, rest) = match (i64::try_from(numerator), i64::try_from(divisor)) {
        (Ok(numerator), Ok(divisor)) if divisor > 0 => {
            (i128::from(numerator.div_euclid(divisor)), i128::from(numerator.rem_euclid(divisor)))
        }
        _ => (numerator.div_euclid(divisor), numerator.rem_euclid(divisor)),
    };
    match (rest * 2).cmp(&divisor.abs()) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    }
}

/// Why a decimal could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point and an optional leading minus.
    #[error("not a decimal number")]
    Syntax,
    /// More digits behind the point than the unit keeps.
    #[error("more digits behind the point than are kept")]
    TooFine,
    /// The number does not fit.
    #[error("the number is too large")]
    TooLarge,
}

/// Reads a plain decimal (`-12.5`) as an integer count of `10^-digits`.
fn parse_scaled(text: &str, digits: u32) -> Result<i128, DecimalError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && fraction.is_empty() || unsigned.ends_with('.') {
        return Err(DecimalError::Syntax);
    }
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Syntax);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > digits as usize {
        return Err(DecimalError::TooFine);
    }
    let mut value: i128 = 0;
    let padding = std::iter::repeat_n(b'0', digits as usize - fraction.len());
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    Ok(if negative { -value } else { value })
}

fn write_scaled(f: &mut fmt::Formatter<'_>, value: i128, digits: u32) -> fmt::Result {
    let scale = 10u128.pow(digits);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let fraction = format!("{:0width$}", magnitude % scale, width = digits as usize);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    f.pad_integral(true, "", &format!("{sign}{}{point}{fraction}", magnitude / scale))
}

macro_rules! decimal {
    ($type:ident, $inner:ty, $digits:expr, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_scaled(f, i128::from(self.0), $digits)
            }
        }
        impl std::str::FromStr for $type {
            type Err = DecimalError;
            fn from_str(text: &str) -> Result<Self, DecimalError> {
                <$inner>::try_from(parse_scaled(text, $digits)?)
                    .map($type)
                    .map_err(|_| DecimalError::TooLarge)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    return <$inner>::deserialize(deserializer).map($type);
                }
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(|error| {
                    serde::de::Error::custom(format!("{:?}: {error}; write {}", clip(&text), $what))
                })
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$", "description": $what })
            }
        }
        impl Add for $type {
            type Output = $type;
            fn add(self, other: $type) -> $type {
                $type(self.0 + other.0)
            }
        }
        impl Sub for $type {
            type Output = $type;
            fn sub(self, other: $type) -> $type {
                $type(self.0 - other.0)
            }
        }
        impl Neg for $type {
            type Output = $type;
            fn neg(self) -> $type {
                $type(-self.0)
            }
        }
        impl AddAssign for $type {
            fn add_assign(&mut self, other: $type) {
                self.0 += other.0;
            }
        }
        impl Sum for $type {
            fn sum<I: Iterator<Item = $type>>(items: I) -> $type {
                items.fold($type(0), |total, item| total + item)
            }
        }
    };
}

decimal!(Money, i128, MONEY_DIGITS, "money as a decimal string, such as \"12.5\", with up to nine decimals");
decimal!(
    Rate,
    i64,
    MONEY_DIGITS,
    "a price as a decimal string, such as \"0.0416\", with up to nine decimals"
);
decimal!(
    Quantity,
    i64,
    QUANTITY_DIGITS,
    "a quantity as a decimal string, such as \"120.5\", with up to six decimals"
);

/// The first characters of a text from outside, so that a message stays a line.
pub(crate) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The US dollar, in which most providers quote.
    pub const USD: Currency = Currency(*b"USD");

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII letters are let in")
    }

    /// How many decimals people write: none for won and yen, two for the rest.
    pub fn decimals(&self) -> u32 {
        match self.code() {
            "KRW" | "JPY" | "VND" | "CLP" => 0,
            _ => 2,
        }
    }
}

impl Default for Currency {
    fn default() -> Self {
        Currency::USD
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl std::str::FromStr for Currency {
    type Err = CurrencyError;
    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|l| l.is_ascii_uppercase()) => Ok(Currency([*a, *b, *c])),
            _ => Err(CurrencyError),
        }
    }
}

/// A currency that is not three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters, such as USD or KRW")]
pub struct CurrencyError;

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("{:?}: {error}", clip(&text))))
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly_and_written_without_padding() {
        for (text, nanos) in [("0", 0), ("12.5", 12_500_000_000), ("-0.000000001", -1), (".5", 500_000_000)] {
            assert_eq!(text.parse(), Ok(Money(nanos)), "{text}");
        }
        assert_eq!(Money(12_500_000_000).to_string(), "12.5");
        assert_eq!(Money(-1).to_string(), "-0.000000001");
        assert_eq!(Quantity::MONTH.to_string(), "730");
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in ["", "-", ".", "1.", "1,5", "1e3", "+1", " 1", "1 ", "0x1", "NaN", "--1", "1.2.3"] {
            assert_eq!(text.parse::<Money>(), Err(DecimalError::Syntax), "{text}");
        }
        assert_eq!("0.0000000001".parse::<Money>(), Err(DecimalError::TooFine));
        assert_eq!("9".repeat(50).parse::<Money>(), Err(DecimalError::TooLarge));
        assert_eq!("9999999999999".parse::<Rate>(), Err(DecimalError::TooLarge));
    }

    #[test]
    fn halves_round_to_even() {
        let half = Quantity(500_000);
        assert_eq!(Rate(1).times(half), Money(0));
        assert_eq!(Rate(3).times(half), Money(2));
        assert_eq!(Rate(-1).times(half), Money(0));
        assert_eq!(Rate(-3).times(half), Money(-2));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in any::<i64>()) {
            prop_assert_eq!(Rate(nanos).to_string().parse(), Ok(Rate(nanos)));
            prop_assert_eq!(Quantity(nanos).to_string().parse(), Ok(Quantity(nanos)));
        }

        #[test]
        fn rounding_is_never_off_by_more_than_half(n in any::<i64>(), d in 1i64..1_000_000) {
            let q = div_half_even(n.into(), d.into());
            prop_assert!((q * i128::from(d) - i128::from(n)).abs() * 2 <= i128::from(d));
        }
    }
}
