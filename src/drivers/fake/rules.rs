//! Rules of the simulated cloud that `connections.toml` writes as lists in a text.

use std::collections::BTreeMap;

use carafe_model::host::OsFamily;
use carafe_model::units::{Currency, Rate};

use super::Rules;
use crate::drivers::connections::Settings;
use crate::drivers::{DriverError, ErrorKind, Sale};

/// Takes up the settings `sales`, `images` and `licences`.
pub(super) fn from_texts(rules: &mut Rules, settings: &Settings) -> Result<(), DriverError> {
    if let Some(text) = settings.text("sales") {
        rules.sales = Some(entries(text).map(sale).collect::<Result<_, _>>()?);
    }
    if let Some(text) = settings.text("images") {
        rules.images = Some(entries(text).map(family).collect::<Result<_, _>>()?);
    }
    if let Some(text) = settings.text("licences") {
        rules.licences = entries(text)
            .map(|entry| {
                let (name, count) = entry.split_once('=').ok_or_else(|| wrong(entry, "windows=2"))?;
                Ok((family(name)?, count.trim().parse().map_err(|_| wrong(entry, "windows=2"))?))
            })
            .collect::<Result<_, DriverError>>()?;
    }
    Ok(())
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// `type`, `type=count`, `type@rate` or `type=count@rate`.
fn sale(entry: &str) -> Result<(String, Sale), DriverError> {
    let wrong = || wrong(entry, "m5.large=3@0.096");
    let (rest, rate) = match entry.split_once('@') {
        Some((rest, rate)) => (rest, Some(rate.trim().parse::<Rate>().map_err(|_| wrong())?)),
        None => (entry, None),
    };
    let (name, free) = match rest.split_once('=') {
        Some((name, count)) => (name, Some(count.trim().parse().map_err(|_| wrong())?)),
        None => (rest, None),
    };
    let hourly: BTreeMap<String, Rate> =
        rate.map(|rate| ("on-demand".to_owned(), rate)).into_iter().collect();
    let currency = rate.and_then(|_| "USD".parse::<Currency>().ok());
    Ok((name.trim().to_owned(), Sale { free, hourly, currency }))
}

fn family(name: &str) -> Result<OsFamily, DriverError> {
    let name = name.trim();
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|_| wrong(name, "linux, rhel, sles, windows or other"))
}

fn wrong(entry: &str, example: &str) -> DriverError {
    ErrorKind::Invalid.because(format!("\"{entry}\" cannot be read; write for example {example}"))
}
