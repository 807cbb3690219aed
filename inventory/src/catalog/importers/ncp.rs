//! Naver Cloud: `getProductPriceList` of the Billing API, which tells a machine's size beside its price.
//!
//! <https://api.ncloud-docs.com/docs/en/platform-listprice-getproductpricelist>. Prices are in the currency that was asked
//! for (`payCurrency`), won unless one says otherwise.

use carafe_model::catalog::Term;
use carafe_model::finding::Place;
use carafe_model::units::Mib;
use serde_json::Value;

use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::listing::{Machine, Slot};

/// The answer of the call.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("getProductPriceListResponse") || head.contains("\"productPriceList\"")
}

/// Reads answers.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        common::documents(file, findings, |answer: Value, name, findings| {
            let said = answer.get("getProductPriceListResponse").unwrap_or(&answer);
            for (nth, product) in list(said, "productPriceList").iter().enumerate() {
                read_product(product, nth, name, request, listing, findings);
            }
        });
    }
}

/// A code that the API writes as a text or as an object of code and name.
fn code(value: Option<&Value>) -> String {
    value.and_then(|value| common::text(value).or_else(|| member(value, "code"))).unwrap_or_default()
}

fn read_product(
    product: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let kind = code(product.get("productItemKind"));
    let is_server = kind.is_empty() || kind == "SVR" || kind == "VSVR" || kind.contains("SERVER");
    let vcpus = whole(product, "cpuCount");
    if !is_server || vcpus.is_none() {
        return;
    }
    let Some(name) = member(product, "productName").or_else(|| member(product, "productCode")) else {
        return;
    };
    let machine = listing.machine(
        "ncp",
        &name,
        Machine {
            architecture: Some(carafe_model::host::Architecture::X86_64),
            vcpus,
            // In bytes.
            memory: member(product, "memorySize")
                .and_then(|text| text.parse::<u64>().ok())
                .map(|bytes| Mib(bytes >> 20)),
            gpus: Some(whole(product, "gpuCount").unwrap_or(0)),
            ..Machine::default()
        },
    );
    for (at, price) in list(product, "priceList").iter().enumerate() {
        let place = || Place::file(file).at(format!("/productPriceList/{nth}/priceList/{at}/price"));
        let region = price.get("region").and_then(|region| member(region, "regionCode"));
        let Some(region) = region.or_else(|| request.region.map(str::to_owned)) else { continue };
        // A flat rate for an hour; a month is another row, and a condition (stopped, first year free) another price.
        let unit = code(price.get("unit"));
        let is_hourly = unit.contains("HOUR") || unit.contains("USAGE_TIME") || unit.contains("TIME");
        let has_condition = !code(price.get("conditionType")).is_empty();
        if !is_hourly || has_condition {
            continue;
        }
        let currency = code(price.get("payCurrency"));
        let currency = if currency.is_empty() { "KRW".to_owned() } else { currency };
        let Some(text) = member(price, "price") else { continue };
        let started = member(price, "startDate").unwrap_or_default();
        let as_of = common::date(request.as_of, common::date(&started, "")).to_owned();
        if !common::is_dated(&as_of, file, findings) || !listing.speaks(&currency, place, findings) {
            return;
        }
        let Some(rate) = common::rate(&text, place, findings) else { continue };
        let source = listing.source("Naver Cloud Billing API", &as_of, "");
        let at = (listing.region("ncp", &region), machine);
        listing.quote(at, Slot::Term(Term::OnDemand), (rate, source), place, findings);
    }
}
