//! CB-Spider: `vmspec`, `priceinfo/vm`, `regionzone` and `vmimage`.
//!
//! Everything is text, `-1` and `NA` mean unknown. Its prices of Google are scraped from web pages and wrong as often as
//! not, and its prices of Alibaba are after promotions, so both carry that with them; sizes of Google and Azure collected
//! before August 2026 are MB that are called MiB, which is told, and used as written since it is never too large.

use carafe_model::catalog::Term;
use carafe_model::finding::{Place, Severity};
use carafe_model::units::Mib;
use serde_json::Value;

use super::common::{self, HOURS_A_YEAR, list, member, per, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::findings::clip;
use crate::catalog::listing::{Machine, Slot};

/// Answers by their one member.
pub(super) fn recognises(head: &str) -> bool {
    let names = ["\"CloudName\"", "\"vmspec\"", "\"regionzone\"", "\"OSArchitecture\"", "\"MemSizeMiB\""];
    names.iter().any(|name| head.contains(name))
}

/// Reads answers, sizes and regions before prices in whatever order they are given.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        common::documents(file, findings, |answer: Value, name, findings| {
            if !list(&answer, "image").is_empty() {
                let summary = "images have no price; the list of images was not loaded";
                findings.tally("CAT-2207", Severity::Info, summary, name, "");
            }
            let provider = member(&answer, "CloudName")
                .map(|name| name.to_lowercase())
                .or_else(|| request.provider.map(str::to_owned));
            let Some(provider) = provider else {
                let summary = "the answer does not say which cloud it is of; name it with --provider";
                return findings.tally("CAT-2208", Severity::Error, summary, name, "");
            };
            for region in list(&answer, "regionzone") {
                regions(&provider, region, listing);
            }
            for spec in list(&answer, "vmspec") {
                size(&provider, spec, name, listing, findings);
            }
            for (nth, price) in list(&answer, "PriceList").iter().enumerate() {
                price_of(&provider, &answer, price, nth, name, request, listing, findings);
            }
        });
    }
}

fn known(text: Option<String>) -> Option<String> {
    text.filter(|text| !matches!(text.as_str(), "-1" | "NA" | ""))
}

fn regions(provider: &str, region: &Value, listing: &mut Listing) {
    let Some(name) = member(region, "Name") else { return };
    let place = listing.region(provider, &name);
    let is_open = |zone: &&Value| member(zone, "Status").as_deref() != Some("Unavailable");
    let zones: Vec<String> = list(region, "ZoneList")
        .iter()
        .filter(is_open)
        .filter_map(|zone| known(member(zone, "Name")))
        .collect();
    let display = known(member(region, "DisplayName")).unwrap_or_default();
    listing.describe_region(place, &display, "", &zones);
}

fn size(
    provider: &str,
    spec: &Value,
    file: &str,
    listing: &mut Listing,
    findings: &mut Findings,
) -> Option<u32> {
    let name = member(spec, "Name")?;
    let memory =
        known(member(spec, "MemSizeMiB")).and_then(|text| text.split('.').next()?.parse().ok()).map(Mib);
    if memory.is_some_and(|memory| memory.0.is_multiple_of(1000) && !memory.0.is_multiple_of(1024)) {
        let summary =
            "memory sizes look like GiB divided by 1.024; used as written, which is never too large";
        findings.tally("CAT-1209", Severity::Info, summary, file, &clip(&name));
    }
    // Architecture, where a driver tells it, stands among its own words.
    let own = list(spec, "KeyValueList")
        .iter()
        .find(|pair| member(pair, "Key").is_some_and(|key| key.to_lowercase().contains("architecture")));
    let architecture = own.and_then(|pair| member(pair, "Value")).and_then(|text| {
        ["arm64", "aarch64", "x86_64", "x64"]
            .iter()
            .find(|known| text.to_lowercase().contains(*known))
            .and_then(|known| common::architecture(known))
    });
    let gpus = list(spec, "Gpu");
    let count = gpus.iter().filter_map(|gpu| whole(gpu, "Count")).sum();
    let says = Machine {
        architecture: architecture.or(Some(carafe_model::host::Architecture::X86_64)),
        vcpus: spec.get("VCpu").and_then(|vcpu| whole(vcpu, "Count")),
        memory,
        gpus: Some(count),
        gpu_model: gpus.first().and_then(|gpu| known(member(gpu, "Model"))).unwrap_or_default(),
        ..Machine::default()
    };
    Some(listing.machine(provider, &name, says))
}

#[expect(clippy::too_many_arguments, reason = "a price stands at the bottom of all that it means")]
fn price_of(
    provider: &str,
    answer: &Value,
    price: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let place = || Place::file(file).at(format!("/PriceList/{nth}/PriceInfo/OnDemand"));
    let Some(region) = member(answer, "RegionName").or_else(|| request.region.map(str::to_owned)) else {
        return;
    };
    let product = price.get("ProductInfo").unwrap_or(&Value::Null);
    let machine =
        match product.get("VMSpecInfo").and_then(|spec| size(provider, spec, file, listing, findings)) {
            Some(machine) => machine,
            None => match member(product, "VMSpecName") {
                Some(name) => listing.machine(provider, &name, Machine::default()),
                None => return,
            },
        };
    let quoted = price.pointer("/PriceInfo/OnDemand").unwrap_or(&Value::Null);
    let Some(text) = known(member(quoted, "Price")) else { return };
    let currency = member(quoted, "Currency").unwrap_or_default();
    if !common::is_dated(request.as_of, file, findings) || !listing.speaks(&currency, place, findings) {
        return;
    }
    let Some(rate) = common::rate(&text, place, findings) else { return };
    let rate = match member(quoted, "Unit").unwrap_or_default().to_lowercase() {
        unit if unit.contains("year") || unit.contains("yr") => per(rate, HOURS_A_YEAR),
        unit if unit.contains("month") => per(rate, carafe_model::units::HOURS_PER_MONTH),
        _ => rate,
    };
    let quality = match provider {
        "gcp" => "scraped from web pages by CB-Spider; prefer the Billing Catalog",
        "alibaba" => "after promotions (TradePrice)",
        _ => "",
    };
    if !quality.is_empty() {
        let summary = "prices that CB-Spider collects in a way that makes them doubtful; prefer the provider's own list";
        findings.tally("CAT-2209", Severity::Warning, summary, file, provider);
    }
    let source = listing.source("CB-Spider priceinfo", request.as_of, quality);
    let at = (listing.region(provider, &region), machine);
    listing.quote(at, Slot::Term(Term::OnDemand), (rate, source), place, findings);
}
