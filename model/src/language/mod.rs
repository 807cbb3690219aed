//! The languages Carafe speaks to people, each one file of patterns.
//!
//! A sentence that reaches people is kept as a key and its arguments ([`Said`]), never taken apart again: [`Language::say`]
//! puts it into words. Files are in `languages/` beside this crate; adding a language is one file there and one line in
//! [`LANGUAGES`]. [`template`] says what a pattern may hold.

pub mod figures;
mod said;
pub mod template;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::Table;
use toml::Value;

pub use said::{Arg, Phrasebook, Said, SaidAs, Sentence};

use crate::units::{Currency, Money};
use figures::Signs;

/// A language: its place in [`LANGUAGES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(usize);

/// Code (BCP 47), own name and file of every language; the first is the one that plans are written in.
pub const LANGUAGES: [(&str, &str, &str); 2] = [
    ("en", "English", include_str!("../../languages/en.toml")),
    ("ko", "한국어", include_str!("../../languages/ko.toml")),
];

struct Words {
    patterns: BTreeMap<String, String>,
    signs: Signs,
}

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let read = |(code, _, file): (&str, &str, &str)| {
        let table: Table = file.parse().unwrap_or_else(|error| panic!("language {code}: {error}"));
        let mut patterns = BTreeMap::new();
        flatten(String::new(), table, &mut patterns);
        let sign =
            |key: &str| patterns.get(key).cloned().unwrap_or_else(|| panic!("language {code} has no {key}"));
        let signs = Signs { decimal: sign("format.decimal"), thousands: sign("format.thousands") };
        Words { patterns, signs }
    };
    LANGUAGES.into_iter().map(read).collect()
});

fn flatten(prefix: String, table: Table, patterns: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::String(pattern) => drop(patterns.insert(key, pattern)),
            Value::Table(table) => flatten(key, table, patterns),
            other => panic!("{key} is a {}, not a pattern", other.type_str()),
        }
    }
}

impl Language {
    /// The language plans are written in.
    pub const ENGLISH: Language = Language(0);

    /// Every language.
    pub fn all() -> impl Iterator<Item = Language> {
        (0..LANGUAGES.len()).map(Language)
    }

    /// The language of a code such as `ko`.
    pub fn of_code(code: &str) -> Option<Language> {
        LANGUAGES.iter().position(|(known, _, _)| *known == code).map(Language)
    }

    /// Its code, as HTML wants it in `lang`.
    pub fn code(self) -> &'static str {
        LANGUAGES[self.0].0
    }

    /// What its speakers call it.
    pub fn name(self) -> &'static str {
        LANGUAGES[self.0].1
    }

    /// The pattern of a key, if the language has one.
    pub fn pattern(self, key: &str) -> Option<&'static str> {
        WORDS[self.0].patterns.get(key).map(String::as_str)
    }

    /// Every key with its pattern, in order.
    pub fn patterns(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        WORDS[self.0].patterns.iter().map(|(key, pattern)| (key.as_str(), pattern.as_str()))
    }

    /// A word or sentence without arguments. A key that no file has is shown as it is; a test fails on it first.
    pub fn word(self, key: &str) -> &'static str {
        self.pattern(key).or_else(|| Language::ENGLISH.pattern(key)).unwrap_or_else(|| {
            debug_assert!(false, "no pattern for {key}");
            "?"
        })
    }

    /// A key with arguments, in words; `None` where no file has the key, which a document from elsewhere can name.
    pub fn try_say(self, said: &Said) -> Option<String> {
        let pattern = self.pattern(&said.key).or_else(|| Language::ENGLISH.pattern(&said.key))?;
        Some(template::fill(self, pattern, &said.args))
    }

    /// A key with arguments, in words.
    pub fn say(self, said: &Said) -> String {
        self.try_say(said).unwrap_or_else(|| {
            debug_assert!(false, "no pattern for {}", said.key);
            said.key.clone()
        })
    }

    /// The signs that numbers are written with.
    pub fn signs(self) -> &'static Signs {
        &WORDS[self.0].signs
    }

    /// An amount with its currency, rounded to the decimals of the currency: `USD 4,218.37`, `₩5,812,000`.
    pub fn money(self, amount: Money, currency: Currency) -> String {
        self.with_currency(&figures::money(amount, currency, self.signs()), currency)
    }

    /// A figure that is written already, with its currency.
    pub fn with_currency(self, figure: &str, currency: Currency) -> String {
        let key = format!("format.currency.{currency}");
        match self.pattern(&key) {
            Some(pattern) => match figure.strip_prefix('\u{2212}') {
                Some(rest) => format!("\u{2212}{}", pattern.replace("{n}", rest)),
                None => pattern.replace("{n}", figure),
            },
            None => format!("{currency} {figure}"),
        }
    }

    /// A whole number.
    pub fn count(self, number: usize) -> String {
        figures::count(number, self.signs())
    }

    /// `a`, `a and b`, `a, b and c`.
    pub fn list(self, items: &[String]) -> String {
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [all @ .., last] => {
                format!("{}{}{last}", all.join(self.word("format.list")), self.word("format.list-last"))
            }
        }
    }

    /// A date such as `2026-11-22` as people write it; what is not one is shown as it is.
    pub fn date(self, date: &str) -> String {
        let parts: Vec<&str> = date.split('-').collect();
        let [year, month, day] = parts[..] else { return date.to_owned() };
        let (Ok(_), Ok(month_number @ 1..=12), Ok(day @ 1..=31)) =
            (year.parse::<u16>(), month.parse::<u8>(), day.parse::<u8>())
        else {
            return date.to_owned();
        };
        let name = self.word(MONTHS[usize::from(month_number) - 1]);
        self.word("format.date")
            .replace("{year}", year)
            .replace("{month}", name)
            .replace("{day}", &day.to_string())
    }
}

const MONTHS: [&str; 12] = [
    "format.month.01",
    "format.month.02",
    "format.month.03",
    "format.month.04",
    "format.month.05",
    "format.month.06",
    "format.month.07",
    "format.month.08",
    "format.month.09",
    "format.month.10",
    "format.month.11",
    "format.month.12",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn korean() -> Language {
        Language::of_code("ko").unwrap()
    }

    #[test]
    fn every_language_has_the_same_keys_and_the_same_holes() {
        let english: BTreeMap<_, _> = Language::ENGLISH.patterns().collect();
        for language in Language::all() {
            let own: BTreeMap<_, _> =
                language.patterns().filter(|(key, _)| !key.starts_with("codes.")).collect();
            let keys = |of: &BTreeMap<&'static str, &'static str>| of.keys().copied().collect::<Vec<_>>();
            assert_eq!(keys(&own), keys(&english), "{}", language.code());
            for (key, pattern) in own {
                assert_eq!(
                    template::holes(pattern).unwrap_or_else(|error| panic!("{key}: {error}")),
                    template::holes(english[key]).unwrap(),
                    "{} {key}",
                    language.code()
                );
            }
        }
    }

    #[test]
    fn money_and_dates_are_written_as_their_readers_do() {
        let amount: Money = "-5812000.5".parse().unwrap();
        for (code, english, korean_form) in [
            ("USD", "\u{2212}USD 5,812,000.50", "\u{2212}US$5,812,000.50"),
            ("KRW", "\u{2212}KRW 5,812,000", "\u{2212}₩5,812,000"),
            ("JPY", "\u{2212}JPY 5,812,000", "\u{2212}JP¥5,812,000"),
            ("CNY", "\u{2212}CNY 5,812,000.50", "\u{2212}CN¥5,812,000.50"),
            ("EUR", "\u{2212}EUR 5,812,000.50", "\u{2212}€5,812,000.50"),
        ] {
            let currency = code.parse().unwrap();
            assert_eq!(Language::ENGLISH.money(amount, currency), english);
            assert_eq!(korean().money(amount, currency), korean_form);
        }
        assert_eq!(Language::ENGLISH.date("2026-11-02"), "2 November 2026");
        assert_eq!(korean().date("2026-11-02"), "2026년 11월 2일");
        assert_eq!(korean().date("last week"), "last week");
    }
}
