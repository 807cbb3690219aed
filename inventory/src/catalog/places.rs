//! What price lists leave out although everybody knows it: where a region is, and which currencies there are.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use carafe_model::catalog::Region;
use carafe_model::units::Currency;

use super::decimal;
use super::listing::unknown_region;

/// Providers' regions with city, country and coordinates, from the providers' own pages of regions (2026).
const REGIONS: &str = include_str!("../../catalog/regions.csv");

/// The currencies of ISO 4217 in which a cloud has ever been billed, or a rate card may be written.
const CURRENCIES: &[&str] = &[
    "AED", "ARS", "AUD", "BDT", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP",
    "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KES", "KRW", "KWD", "KZT", "LKR",
    "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "OMR", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
    "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "UYU", "UZS", "VND", "ZAR",
];

/// The currency of a code, if there is one.
pub(super) fn currency(code: &str) -> Option<Currency> {
    let code = code.trim().to_ascii_uppercase();
    CURRENCIES.contains(&code.as_str()).then(|| code.parse().expect("three capital letters"))
}

/// A region as it is commonly known; one that is not has nothing but its name.
pub(super) fn region(provider: &str, name: &str) -> Region {
    known().get(&(provider.to_owned(), name.to_owned())).cloned().unwrap_or_else(|| unknown_region(name))
}

/// The regions of a provider that are commonly known, in order of name.
pub(super) fn regions_of(provider: &str) -> Vec<&'static str> {
    let first = (provider.to_owned(), String::new());
    let of = known().range(first..).take_while(|((owner, _), _)| owner == provider);
    of.map(|((_, name), _)| name.as_str()).collect()
}

fn known() -> &'static BTreeMap<(String, String), Region> {
    static KNOWN: OnceLock<BTreeMap<(String, String), Region>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut reader = csv::Reader::from_reader(REGIONS.as_bytes());
        let known = reader.records().map(|row| {
            let row = row.expect("a test reads every row");
            let degrees = |at: usize| i32::try_from(decimal::scaled(&row[at], 6).ok()?.value).ok();
            let region = Region {
                display: row[2].to_owned(),
                country: row[3].to_owned(),
                coordinates: degrees(4).zip(degrees(5)),
                ..unknown_region(&row[1])
            };
            ((row[0].to_owned(), row[1].to_owned()), region)
        });
        known.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_known_by_provider_and_name() {
        assert_eq!(region("aws", "ap-northeast-2").country, "KR");
        assert_eq!(region("alibaba", "ap-northeast-2").country, "KR");
        assert_eq!(region("azure", "germanywestcentral").country, "DE");
        assert_eq!(region("aws", "nowhere-1").country, "");
        for row in csv::Reader::from_reader(REGIONS.as_bytes()).records() {
            let row = row.expect("a row of six cells");
            assert_eq!(region(&row[0], &row[1]).country, row[3], "{row:?}");
        }
    }

    #[test]
    fn a_currency_that_nobody_knows_is_none() {
        assert_eq!(currency("krw").map(|known| known.to_string()), Some("KRW".to_owned()));
        for other in ["", "XYZ", "US$", "usdt"] {
            assert_eq!(currency(other), None, "{other}");
        }
    }
}
