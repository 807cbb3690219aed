//! An amount of money as a page shows it: rounded to be read, exact to be checked.

use std::fmt;

use carafe_model::language::{Language, figures};
use carafe_model::units::{Currency, Money};

const MONEY_DIGITS: u32 = 9;

/// An amount of money twice: as it is shown, rounded to the decimals of its currency, and exactly.
///
/// In HTML it writes itself as a `data` element that carries the exact figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Rounded, with the signs of the language, for example `4,218.37`.
    pub shown: String,
    /// Every digit, with a point and no separators, for example `4218.3654`.
    pub exact: String,
    /// Whether the two differ in value.
    pub is_rounded: bool,
}

impl Amount {
    /// Writes an amount of a currency.
    pub fn new(amount: Money, currency: Currency, language: Language) -> Amount {
        Amount {
            shown: figures::money(amount, currency, language.signs()),
            exact: amount.to_string(),
            is_rounded: amount.0 % 10i128.pow(MONEY_DIGITS - currency.decimals()) != 0,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_rounded {
            write!(f, "<data value=\"{0}\" title=\"= {0}\">{1}</data>", self.exact, self.shown)
        } else {
            write!(f, "<data value=\"{}\">{}</data>", self.exact, self.shown)
        }
    }
}

/// Both figures hold only digits, separators and a sign, so nothing in them can end the element.
impl askama::filters::HtmlSafe for Amount {}

/// How many digits stand behind the point.
pub fn decimals(figure: &str, language: Language) -> usize {
    figure.rsplit_once(language.signs().decimal.as_str()).map_or(0, |(_, fraction)| fraction.len())
}
