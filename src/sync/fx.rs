//! Exchange rates of the European Central Bank, in the shape of the Frankfurter API: base, date, and rates.

use carafe_inventory::catalog::ExchangeRate;
use carafe_model::units::Rate;
use serde_json::Value;

use super::fetch::{Fetcher, SyncError, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://api.frankfurter.dev";

/// What a dollar buys of every currency there is a rate for.
///
/// # Errors
/// [`SyncError`] when the rates cannot be had or read.
pub async fn exchange_rates(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<ExchangeRate>, SyncError> {
    let page = url(&format!("{}/v1/latest?base=USD", endpoint(wish, ENDPOINT)))?;
    let (_, answer) = fetcher.json(&page, None).await?;
    let host = page.host_str().unwrap_or_default().to_owned();
    let (Some(base), Some(as_of), Some(rates)) = (
        answer.get("base").and_then(Value::as_str),
        answer.get("date").and_then(Value::as_str),
        answer.get("rates").and_then(Value::as_object),
    ) else {
        return Err(SyncError::Answer { host, message: "it has no base, date and rates".into() });
    };
    let rate = |(code, value): (&String, &Value)| {
        // The shortest decimal that is this float is what the bank published.
        let rate: Rate = format!("{}", value.as_f64()?).parse().ok()?;
        (rate.0 > 0).then(|| ExchangeRate {
            from: base.to_owned(),
            to: code.clone(),
            as_of: as_of.to_owned(),
            source: format!("European Central Bank by {host}"),
            rate: rate.0,
        })
    };
    Ok(rates.iter().filter_map(rate).collect())
}
