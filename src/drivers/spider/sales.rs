//! What is for sale in the connection's region, and for how much.

use std::collections::BTreeMap;

use carafe_model::ids::RegionName;
use carafe_model::units::{Currency, Rate};
use serde_json::Value;

use super::Spider;
use super::shape::{rows, text};
use crate::drivers::{DriverError, Sale};

impl Spider {
    pub(super) async fn sales_in(
        &self,
        region: &RegionName,
        types: &[String],
    ) -> Result<BTreeMap<String, Sale>, DriverError> {
        let facts = self.facts().await?;
        if facts.region != region.as_str() {
            return Ok(BTreeMap::new());
        }
        let specs = self.session.get(&["vmspec"]).await?;
        let mut sales: BTreeMap<String, Sale> = rows(&specs, "vmspec")
            .map(|spec| text(spec, "Name"))
            .filter(|name| types.iter().any(|wanted| wanted == name))
            .map(|name| (name.to_owned(), Sale::default()))
            .collect();
        if facts.has_prices() && !sales.is_empty() {
            let prices =
                self.session.get_with(&["priceinfo", "vm", &facts.region], &[("simple", "")]).await?;
            for row in rows(&prices, "PriceList") {
                if let (Some(sale), Some((rate, currency))) = (
                    sales.get_mut(text(row, "ProductInfo.VMSpecName")),
                    hourly(&row["PriceInfo"]["OnDemand"]),
                ) {
                    // Where zones differ, the dearest is what a budget must hold.
                    let told = sale.hourly.entry("on-demand".to_owned()).or_insert(rate);
                    *told = (*told).max(rate);
                    sale.currency = Some(currency);
                }
            }
        }
        Ok(sales)
    }
}

/// A price for an hour; `None` for any other unit, and for what is no price.
fn hourly(price: &Value) -> Option<(Rate, Currency)> {
    let unit = text(price, "Unit").to_lowercase();
    let per_hour =
        ["hour", "1 hour", "perhour", "per hour", "hourly", "hrs", "1 hrs", "h"].contains(&unit.as_str());
    let rate: Rate = text(price, "Price").trim().parse().ok().filter(|rate: &Rate| per_hour && rate.0 > 0)?;
    Some((rate, text(price, "Currency").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_price_for_an_hour_counts() {
        let price =
            |unit: &str, price: &str| hourly(&json!({"Unit": unit, "Price": price, "Currency": "USD"}));
        assert_eq!(price("Hrs", "0.1040000000").map(|(rate, _)| rate), "0.104".parse().ok());
        assert!(price("PerHour", "0.2").is_some());
        for (unit, text) in
            [("PerYear", "100"), ("Hrs", "0.0000000000"), ("Hrs", "-1"), ("Hrs", "NA"), ("", "1")]
        {
            assert_eq!(price(unit, text), None, "{unit} {text}");
        }
    }
}
