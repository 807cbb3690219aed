//! What importers of JSON share: documents one by one, numbers without floats, prices with their place.

use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::host::Architecture;
use carafe_model::units::{DecimalError, Mib, Rate};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::catalog::decimal;
use crate::catalog::findings::{Findings, clip};
use crate::catalog::stream::{self, Opened};

/// Hours of a year of 365 days, by which providers divide what is paid for one in advance.
pub(super) const HOURS_A_YEAR: i64 = 8_760;

/// Shows every document of a file: one, or several behind one another, as pages are often kept.
pub(super) fn documents<T: DeserializeOwned>(
    file: Opened<'_>,
    findings: &mut Findings,
    mut each: impl FnMut(T, &str, &mut Findings),
) {
    let name = file.name;
    for document in serde_json::Deserializer::from_reader(file.text).into_iter::<T>() {
        match document {
            Ok(document) => each(document, name, findings),
            Err(error) => {
                findings.push(*refused(name, error));
                return;
            }
        }
    }
}

/// What is said of JSON that cannot be read.
pub(super) fn refused(file: &str, error: serde_json::Error) -> Box<Finding> {
    let place = Place::file(file).row(error.line() as u32).column(error.column().to_string());
    let said = |code, what: String, help: &str| Box::new(Finding::error(code, what).at(place).help(help));
    match error.classify() {
        Category::Io => stream::broken(file, &error.into()),
        Category::Eof => {
            said("CAT-2001", "the JSON is cut short".to_owned(), "download or copy the file again")
        }
        Category::Syntax | Category::Data => said(
            "CAT-2004",
            format!("this is not the JSON of this format: {}", clip(&error.to_string())),
            "name the format with --as, or download the file again",
        ),
    }
}

/// The text of a value that is a text or a number; numbers as they were most probably written.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            // The shortest decimal that is this float is what stood in the file, up to fifteen digits.
            (None, Some(float)) => format!("{float}"),
            (None, None) => number.to_string(),
        }),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a member.
pub(super) fn member(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(text).filter(|text| !text.is_empty())
}

/// A member as a whole number.
pub(super) fn whole(value: &Value, key: &str) -> Option<u32> {
    let text = member(value, key)?;
    let number = decimal::scaled(&text, 3).ok()?.value;
    (number > 0 && number % 1000 == 0).then(|| u32::try_from(number / 1000).ok()).flatten()
}

/// A member that holds a list; anything else is an empty one.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Reads a price; one that cannot be read is told. Prices of zero and below are read too, and judged later.
pub(super) fn rate(text: &str, place: impl FnOnce() -> Place, findings: &mut Findings) -> Option<Rate> {
    // Some lists write very small prices with an exponent.
    let plain = match text.contains(['e', 'E']) {
        true => text.parse::<f64>().ok().filter(|price| price.is_finite()).map(|price| format!("{price}")),
        false => None,
    };
    match decimal::rate(plain.as_deref().unwrap_or(text)) {
        Ok((rate, rounded)) => {
            if rounded {
                let place = place();
                let file = place.file.unwrap_or_default();
                let summary = "prices with more than nine decimals were rounded, halves to even";
                findings.tally("CAT-1105", Severity::Info, summary, &file, "");
            }
            Some(rate)
        }
        Err(DecimalError::TooLarge | DecimalError::Syntax | DecimalError::TooFine) => {
            let finding = Finding::error("CAT-1101", format!("a price cannot be read: \"{}\"", clip(text)));
            findings.push(finding.at(place()).help("write a plain decimal with a point, such as 0.0416"));
            None
        }
    }
}

/// A price for a time or size as a price for its part, to the nearest billionth, halves up.
pub(super) fn per(rate: Rate, parts: i64) -> Rate {
    Rate((rate.0 + parts / 2).div_euclid(parts))
}

/// GiB as text, with an optional unit and separators of thousands.
pub(super) fn gib(text: &str) -> Option<Mib> {
    let number = text.trim().trim_end_matches("GiB").trim_end_matches("GB").trim().replace(',', "");
    decimal::gib_to_mib(&number).ok().filter(|memory| memory.0 > 0)
}

/// The instruction set by any of its usual names.
pub(super) fn architecture(text: &str) -> Option<Architecture> {
    let text = text.to_ascii_lowercase();
    if ["arm64", "aarch64", "arm"].contains(&text.as_str()) {
        return Some(Architecture::Arm64);
    }
    ["x86_64", "x86-64", "amd64", "x64", "x86", "i386 or x86_64"]
        .contains(&text.as_str())
        .then_some(Architecture::X86_64)
}

/// The date of a moment as it is written everywhere: the first ten characters, when they are one; else the other.
pub(super) fn date<'a>(moment: &'a str, other: &'a str) -> &'a str {
    match moment.get(..10) {
        Some(day) if crate::catalog::normalised::is_date(day) => day,
        _ => other,
    }
}

/// Says that a list has no date of its own and none was given.
pub(super) fn is_dated(as_of: &str, file: &str, findings: &mut Findings) -> bool {
    if as_of.is_empty() {
        let finding = Finding::error("CAT-2006", "the price list tells no date, so its prices are left out");
        findings.push(finding.at(Place::file(file)).help("say of which day it is with --as-of 2026-11-22"));
    }
    !as_of.is_empty()
}
