//! AWS Price List: offers as JSON, read as a stream.
//!
//! <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html>. One region of EC2 has a quarter of a
//! gigabyte, so nothing is held but the products that a plan can be priced with. That products stand before terms is a
//! promise of the format; terms without products are told.

use std::collections::BTreeMap;
use std::fmt;

use carafe_model::finding::{Finding, Place};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::aws_csv;
use super::aws_state::{Attributes, AwsOffer, Dimension, PlanRate, TermAttributes};
use super::common;
use super::{Findings, Listing, Opened, Request};

/// Offers say what they are; savings plans and answers of the API are known by their members.
pub(super) fn recognises(head: &str) -> bool {
    match head.starts_with('{') {
        true => {
            head.contains("\"offerCode\"")
                || head.contains("SavingsPlans\"")
                || head.contains("\"discountedRate\"")
                || head.contains("\"PriceList\"") && head.contains("serviceCode")
        }
        false => aws_csv::recognises(head),
    }
}

/// Reads offers.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        let name = file.name;
        if !file.head.starts_with('{') {
            aws_csv::read(file, request, listing, findings);
            continue;
        }
        let mut offer = AwsOffer::new(name, request.as_of, listing, findings);
        let mut reader = serde_json::Deserializer::from_reader(file.text);
        if let Err(error) = (Document { offer: &mut offer }).deserialize(&mut reader) {
            findings.push(*common::refused(name, error));
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Product {
    sku: String,
    product_family: String,
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OfferTerm {
    price_dimensions: BTreeMap<String, PriceDimension>,
    term_attributes: TermAttributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PriceDimension {
    unit: String,
    begin_range: String,
    price_per_unit: BTreeMap<String, String>,
}

impl PriceDimension {
    /// The line in the one currency it is quoted in.
    fn read(self) -> Option<Dimension> {
        let (currency, price) = self.price_per_unit.into_iter().next()?;
        Some(Dimension { unit: self.unit, from: self.begin_range, price, currency })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SavingsPlan {
    sku: String,
    lease_contract_length: Lease,
    rates: Vec<PlanRate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lease {
    duration: u32,
}

/// One answer of GetProducts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PriceListItem {
    product: Product,
    publication_date: String,
    terms: ItemTerms,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ItemTerms {
    on_demand: BTreeMap<String, OfferTerm>,
    reserved: BTreeMap<String, OfferTerm>,
}

fn on_demand(offer: &mut AwsOffer<'_>, sku: &str, terms: BTreeMap<String, OfferTerm>) {
    for term in terms.into_values() {
        for dimension in term.price_dimensions.into_values().filter_map(PriceDimension::read) {
            offer.on_demand(sku, &dimension);
        }
    }
}

fn reserved(offer: &mut AwsOffer<'_>, sku: &str, terms: BTreeMap<String, OfferTerm>) {
    for term in terms.into_values() {
        let dimensions: Vec<Dimension> =
            term.price_dimensions.into_values().filter_map(PriceDimension::read).collect();
        offer.reserved(sku, &term.term_attributes, &dimensions);
    }
}

/// The whole document.
struct Document<'s, 'a> {
    offer: &'s mut AwsOffer<'a>,
}

/// A part of it that is shown entry by entry and never held.
struct Part<'s, 'a> {
    offer: &'s mut AwsOffer<'a>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Products,
    Terms,
    OnDemand,
    Reserved,
    SavingsPlans,
    PriceList,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an offer of the AWS Price List")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let offer = self.offer;
        let mut has_products = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "publicationDate" => {
                    let published: String = map.next_value()?;
                    offer.published = common::date(&published, &offer.published).to_owned();
                }
                "products" => {
                    has_products = true;
                    map.next_value_seed(Part { offer, what: What::Products })?;
                }
                "terms" => {
                    if !has_products {
                        let finding = Finding::error("CAT-2203", "the terms stand before the products");
                        let help = "use the file as AWS publishes it, without sorting its members";
                        offer.findings.push(finding.at(Place::file(offer.file).at("/terms")).help(help));
                    }
                    map.next_value_seed(Part { offer, what: What::Terms })?;
                }
                "PriceList" => map.next_value_seed(Part { offer, what: What::PriceList })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        common::is_dated(&offer.published, offer.file, offer.findings);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("products or terms")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let offer = self.offer;
        while let Some(key) = map.next_key::<String>()? {
            match self.what {
                What::Products => {
                    let product: Product = map.next_value()?;
                    offer.product(&key, &product.product_family, &product.attributes);
                }
                What::Terms => match key.as_str() {
                    "OnDemand" => map.next_value_seed(Part { offer, what: What::OnDemand })?,
                    "Reserved" => map.next_value_seed(Part { offer, what: What::Reserved })?,
                    "savingsPlan" => map.next_value_seed(Part { offer, what: What::SavingsPlans })?,
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                    }
                },
                What::OnDemand if offer.has(&key) => on_demand(offer, &key, map.next_value()?),
                What::Reserved if offer.has(&key) => reserved(offer, &key, map.next_value()?),
                What::OnDemand | What::Reserved | What::SavingsPlans | What::PriceList => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let offer = self.offer;
        match self.what {
            // A plan for one family of machines has the same shape as one for all, and is not what flex means.
            What::Products => {
                while let Some(product) = list.next_element::<Product>()? {
                    if product.product_family == "EC2InstanceSavingsPlans" {
                        offer.skip_plan(product.sku);
                    }
                }
            }
            What::SavingsPlans => {
                while let Some(plan) = list.next_element::<SavingsPlan>()? {
                    if offer.skips_plan(&plan.sku) {
                        continue;
                    }
                    for rate in &plan.rates {
                        offer.savings_plan(plan.lease_contract_length.duration, rate);
                    }
                }
            }
            What::PriceList => {
                while let Some(item) = list.next_element::<serde_json::Value>()? {
                    // The API wraps each item into a text; people who unwrap them keep the items.
                    let read: Result<PriceListItem, _> = match item {
                        serde_json::Value::String(text) => serde_json::from_str(&text),
                        item => serde_json::from_value(item),
                    };
                    match read {
                        Ok(item) => price_list_item(offer, item),
                        Err(error) => offer.findings.push(*common::refused(offer.file, error)),
                    }
                }
            }
            What::Terms | What::OnDemand | What::Reserved => {
                while list.next_element::<IgnoredAny>()?.is_some() {}
            }
        }
        Ok(())
    }
}

fn price_list_item(offer: &mut AwsOffer<'_>, item: PriceListItem) {
    offer.published = common::date(&item.publication_date, &offer.published).to_owned();
    let sku = item.product.sku;
    offer.product(&sku, &item.product.product_family, &item.product.attributes);
    on_demand(offer, &sku, item.terms.on_demand);
    reserved(offer, &sku, item.terms.reserved);
}
