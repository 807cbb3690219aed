//! Numbers as people read them: decimals of the currency, thousands separators, exact integer rounding.

use std::fmt;

use carafe_model::units::{Currency, Mib, Money, Quantity, Rate};

const MONEY_DIGITS: u32 = 9;
const QUANTITY_DIGITS: u32 = 6;

/// An amount of money twice: as it is shown, rounded to the decimals of its currency, and exactly.
///
/// In HTML it writes itself as a `data` element that carries the exact figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Rounded, with thousands separators, for example `4,218.37`.
    pub shown: String,
    /// Every digit, without separators, for example `4218.3654`.
    pub exact: String,
    /// Whether the two differ in value.
    pub is_rounded: bool,
}

impl Amount {
    /// Writes an amount of a currency.
    pub fn new(amount: Money, currency: Currency) -> Amount {
        let decimals = currency.decimals();
        let rounded = divided_half_even(amount.0, 10i128.pow(MONEY_DIGITS - decimals));
        Amount {
            shown: separated(rounded, decimals, decimals),
            exact: amount.to_string(),
            is_rounded: amount.0 % 10i128.pow(MONEY_DIGITS - decimals) != 0,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<data value=\"{}\"", self.exact)?;
        if self.is_rounded {
            write!(f, " title=\"exactly {}\"", self.exact)?;
        }
        write!(f, ">{}</data>", self.shown)
    }
}

/// Both figures hold only digits, separators and a sign, so nothing in them can end the element.
impl askama::filters::HtmlSafe for Amount {}

/// Every digit of an amount, with thousands separators and at least the decimals of its currency.
pub fn exact(amount: Money, currency: Currency) -> String {
    separated(amount.0, MONEY_DIGITS, currency.decimals())
}

/// Every digit of a rate, with thousands separators and at least the decimals of its currency.
pub fn rate(rate: Rate, currency: Currency) -> String {
    separated(i128::from(rate.0), MONEY_DIGITS, currency.decimals())
}

/// Every digit of a quantity, with thousands separators.
pub fn quantity(quantity: Quantity) -> String {
    separated(i128::from(quantity.0), QUANTITY_DIGITS, 0)
}

/// A whole number with thousands separators.
pub fn count(number: usize) -> String {
    grouped(number as u128)
}

/// How many digits stand behind the point.
pub fn decimals(figure: &str) -> usize {
    figure.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// Memory: whole or quarter gibibytes as such, everything else rounded to a hundredth; below one in mebibytes.
pub fn memory(mib: Mib) -> String {
    if mib.0 < 1024 {
        return format!("{} MiB", mib.0);
    }
    let hundredths = divided_half_even(i128::from(mib.0) * 100, 1024);
    format!("{} GiB", separated(hundredths, 2, 0))
}

/// What share of a whole a part is, in percent to one decimal; `None` when the whole is not positive.
pub fn share(part: Money, whole: Money) -> Option<String> {
    if whole.0 <= 0 {
        return None;
    }
    let permille = divided_half_even(part.0.checked_mul(1000)?, whole.0);
    Some(format!("{}%", separated(permille, 1, 1)))
}

/// A ratio as a percentage, every digit of it: `0.0012` is `0.12%`.
pub fn percent(ratio: Quantity) -> String {
    format!("{}%", separated(i128::from(ratio.0), QUANTITY_DIGITS - 2, 0))
}

/// Divides by a positive number to the nearest integer, halves to even.
fn divided_half_even(value: i128, divisor: i128) -> i128 {
    let floor = value.div_euclid(divisor);
    let remainder = value.rem_euclid(divisor);
    match remainder.cmp(&(divisor - remainder)) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    }
}

/// Writes `value × 10^-digits` with thousands separators and no more decimals than needed, but at least `least`.
fn separated(value: i128, digits: u32, least: u32) -> String {
    let scale = 10u128.pow(digits);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "\u{2212}" } else { "" };
    let fraction = format!("{:0width$}", magnitude % scale, width = digits as usize);
    let needed = fraction.trim_end_matches('0').len().max(least as usize);
    let whole = grouped(magnitude / scale);
    match &fraction[..needed.min(digits as usize)] {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

fn grouped(whole: u128) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WON: &str = "KRW";

    fn shown(amount: &str, currency: &str) -> String {
        Amount::new(amount.parse().unwrap(), currency.parse().unwrap()).shown
    }

    #[test]
    fn money_has_the_decimals_of_its_currency_and_separators() {
        for (amount, currency, expected) in [
            ("0", "USD", "0.00"),
            ("4218.365", "USD", "4,218.36"),
            ("4218.375", "USD", "4,218.38"),
            ("999.995000001", "USD", "1,000.00"),
            ("-1234567.891", "USD", "\u{2212}1,234,567.89"),
            ("-0.004", "USD", "0.00"),
            ("5812000.5", WON, "5,812,000"),
            ("5812001.5", WON, "5,812,002"),
            ("100", WON, "100"),
        ] {
            assert_eq!(shown(amount, currency), expected, "{amount} {currency}");
        }
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        for amount in [Money(i128::MAX), Money(i128::MIN)] {
            let written = Amount::new(amount, Currency::USD);
            assert!(
                written.shown.contains("170,141,183,460,469,231,731,687,303,715.88"),
                "{}",
                written.shown
            );
            assert!(exact(amount, Currency::USD).len() > 40);
        }
        assert_eq!(share(Money(i128::MAX), Money(1)), None);
    }

    #[test]
    fn exact_figures_keep_every_digit() {
        let usd = Currency::USD;
        assert_eq!(exact("1140.1".parse().unwrap(), usd), "1,140.10");
        assert_eq!(exact("0.123456789".parse().unwrap(), usd), "0.123456789");
        assert_eq!(exact("12".parse().unwrap(), WON.parse().unwrap()), "12");
        assert_eq!(rate("0.0416".parse().unwrap(), usd), "0.0416");
        assert_eq!(quantity("1200.5".parse().unwrap()), "1,200.5");
    }

    #[test]
    fn ratios_are_percentages() {
        assert_eq!(percent("0.001234".parse().unwrap()), "0.1234%");
        assert_eq!(percent("0".parse().unwrap()), "0%");
        assert_eq!(share(Money(1), Money(3)).unwrap(), "33.3%");
        assert_eq!(share(Money(3), Money(0)), None);
    }

    #[test]
    fn memory_is_said_in_gibibytes() {
        for (mib, expected) in
            [(512, "512 MiB"), (16384, "16 GiB"), (3840, "3.75 GiB"), (15999, "15.62 GiB"), (1024, "1 GiB")]
        {
            assert_eq!(memory(Mib(mib)), expected);
        }
    }
}
