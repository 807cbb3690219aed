//! Numbers as people write them: exact integers, rounded once, with the signs of a language.

use crate::units::{Currency, Mib, Money, Quantity, Rate};

const MONEY_DIGITS: u32 = 9;
const QUANTITY_DIGITS: u32 = 6;

/// The signs that a language writes numbers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    /// Between whole and fraction.
    pub decimal: String,
    /// Between groups of three digits.
    pub thousands: String,
}

/// An amount rounded to the decimals of its currency, halves to even.
pub fn money(amount: Money, currency: Currency, signs: &Signs) -> String {
    let decimals = currency.decimals();
    let rounded = divided_half_even(amount.0, 10i128.pow(MONEY_DIGITS - decimals));
    separated(rounded, decimals, decimals, signs)
}

/// Every digit of an amount, with at least the decimals of its currency.
pub fn exact_money(amount: Money, currency: Currency, signs: &Signs) -> String {
    separated(amount.0, MONEY_DIGITS, currency.decimals(), signs)
}

/// Every digit of a rate, with at least the decimals of its currency.
pub fn rate(rate: Rate, currency: Currency, signs: &Signs) -> String {
    separated(i128::from(rate.0), MONEY_DIGITS, currency.decimals(), signs)
}

/// Every digit of a quantity.
pub fn quantity(quantity: Quantity, signs: &Signs) -> String {
    separated(i128::from(quantity.0), QUANTITY_DIGITS, 0, signs)
}

/// A whole number.
pub fn count(number: usize, signs: &Signs) -> String {
    grouped(number as u128, signs)
}

/// Memory: whole or quarter gibibytes as such, everything else rounded to a hundredth; below one in mebibytes.
pub fn memory(mib: Mib, signs: &Signs) -> String {
    if mib.0 < 1024 {
        return format!("{} MiB", mib.0);
    }
    let hundredths = divided_half_even(i128::from(mib.0) * 100, 1024);
    format!("{} GiB", separated(hundredths, 2, 0, signs))
}

/// What share of a whole a part is, in percent to one decimal; `None` when the whole is not positive.
pub fn share(part: Money, whole: Money, signs: &Signs) -> Option<String> {
    if whole.0 <= 0 {
        return None;
    }
    let permille = divided_half_even(part.0.checked_mul(1000)?, whole.0);
    Some(format!("{}%", separated(permille, 1, 1, signs)))
}

/// A ratio as a percentage, every digit of it: `0.0012` is `0.12%`.
pub fn percent(ratio: Quantity, signs: &Signs) -> String {
    format!("{}%", separated(i128::from(ratio.0), QUANTITY_DIGITS - 2, 0, signs))
}

/// Divides by a positive number to the nearest integer, halves to even.
pub fn divided_half_even(value: i128, divisor: i128) -> i128 {
    let floor = value.div_euclid(divisor);
    let remainder = value.rem_euclid(divisor);
    match remainder.cmp(&(divisor - remainder)) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    }
}

/// Writes `value × 10^-digits` with no more decimals than needed, but at least `least`.
fn separated(value: i128, digits: u32, least: u32, signs: &Signs) -> String {
    let scale = 10u128.pow(digits);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "\u{2212}" } else { "" };
    let fraction = format!("{:0width$}", magnitude % scale, width = digits as usize);
    let needed = fraction.trim_end_matches('0').len().max(least as usize);
    let whole = grouped(magnitude / scale, signs);
    match &fraction[..needed.min(digits as usize)] {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}{}{fraction}", signs.decimal),
    }
}

fn grouped(whole: u128, signs: &Signs) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(&signs.thousands);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    const WON: &str = "KRW";

    fn signs() -> &'static Signs {
        Language::ENGLISH.signs()
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
            let shown = money(amount.parse().unwrap(), currency.parse().unwrap(), signs());
            assert_eq!(shown, expected, "{amount} {currency}");
        }
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        for amount in [Money(i128::MAX), Money(i128::MIN)] {
            let written = money(amount, Currency::USD, signs());
            assert!(written.contains("170,141,183,460,469,231,731,687,303,715.88"), "{written}");
            assert!(exact_money(amount, Currency::USD, signs()).len() > 40);
        }
        assert_eq!(share(Money(i128::MAX), Money(1), signs()), None);
    }

    #[test]
    fn exact_figures_keep_every_digit() {
        let usd = Currency::USD;
        assert_eq!(exact_money("1140.1".parse().unwrap(), usd, signs()), "1,140.10");
        assert_eq!(exact_money("0.123456789".parse().unwrap(), usd, signs()), "0.123456789");
        assert_eq!(exact_money("12".parse().unwrap(), WON.parse().unwrap(), signs()), "12");
        assert_eq!(rate("0.0416".parse().unwrap(), usd, signs()), "0.0416");
        assert_eq!(quantity("1200.5".parse().unwrap(), signs()), "1,200.5");
    }

    #[test]
    fn ratios_are_percentages() {
        assert_eq!(percent("0.001234".parse().unwrap(), signs()), "0.1234%");
        assert_eq!(percent("0".parse().unwrap(), signs()), "0%");
        assert_eq!(share(Money(1), Money(3), signs()).unwrap(), "33.3%");
        assert_eq!(share(Money(3), Money(0), signs()), None);
    }

    #[test]
    fn memory_is_said_in_gibibytes() {
        for (mib, expected) in
            [(512, "512 MiB"), (16384, "16 GiB"), (3840, "3.75 GiB"), (15999, "15.62 GiB"), (1024, "1 GiB")]
        {
            assert_eq!(memory(Mib(mib), signs()), expected);
        }
    }
}
