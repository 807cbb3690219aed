//! Alibaba Cloud: `DescribeInstanceTypes` for sizes, `DescribePrice` for prices, `DescribeSpotPriceHistory` for spot.
//!
//! An answer of DescribePrice does not say what was asked, so it is kept inside `{"request": {"RegionId": …,
//! "InstanceType": …}, "response": …}`, as `catalog sync` writes it. The list price is `OriginalPrice`; `TradePrice`,
//! which other collectors keep, is after promotions. The China site quotes in CNY, the international one in USD.

use carafe_model::catalog::Term;
use carafe_model::finding::Place;
use serde_json::Value;

use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::listing::{Machine, Slot};

/// Answers of these calls, with or without what was asked.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"InstanceTypeId\"")
        || head.contains("\"OriginalPrice\"") && head.contains("\"InstanceType\"")
        || head.contains("\"SpotPrices\"")
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
            let whole = answer.as_array().map_or(&[][..], Vec::as_slice);
            let single = (!answer.is_array()).then_some(&answer);
            for (nth, answer) in whole.iter().chain(single).enumerate() {
                let asked = answer.get("request").unwrap_or(answer);
                let said = answer.get("response").unwrap_or(answer);
                for kind in list(said.get("InstanceTypes").unwrap_or(&Value::Null), "InstanceType") {
                    instance_type(kind, listing);
                }
                price(asked, said, nth, name, request, listing, findings);
                spot(asked, said, name, request, listing, findings);
            }
        });
    }
}

fn instance_type(kind: &Value, listing: &mut Listing) {
    let Some(name) = member(kind, "InstanceTypeId") else { return };
    listing.machine(
        "alibaba",
        &name,
        Machine {
            family: member(kind, "InstanceTypeFamily").unwrap_or_default(),
            architecture: member(kind, "CpuArchitecture").and_then(|text| common::architecture(&text)),
            vcpus: whole(kind, "CpuCoreCount"),
            memory: member(kind, "MemorySize").and_then(|text| common::gib(&text)),
            gpus: Some(whole(kind, "GPUAmount").unwrap_or(0)),
            gpu_model: member(kind, "GPUSpec").unwrap_or_default(),
            burstable: member(kind, "InstanceTypeFamily").map(|family| family.starts_with("ecs.t")),
            // In kbit/s.
            network_mbps: whole(kind, "InstanceBandwidthTx").map(|kbit| kbit / 1000).filter(|mbit| *mbit > 0),
        },
    );
}

fn price(
    asked: &Value,
    said: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let price = said.get("PriceInfo").and_then(|info| info.get("Price")).unwrap_or(&Value::Null);
    let (Some(region), Some(name), Some(listed)) =
        (member(asked, "RegionId"), member(asked, "InstanceType"), member(price, "OriginalPrice"))
    else {
        return;
    };
    let place = || Place::file(file).at(format!("/{nth}/response/PriceInfo/Price/OriginalPrice"));
    let currency = member(price, "Currency").unwrap_or_default();
    let is_dated = common::is_dated(request.as_of, file, findings);
    if !is_dated || !listing.speaks(&currency, place, findings) {
        return;
    }
    let Some(rate) = common::rate(&listed, place, findings) else { return };
    let source = listing.source("Alibaba Cloud DescribePrice", request.as_of, "");
    let at = (listing.region("alibaba", &region), listing.machine("alibaba", &name, Machine::default()));
    listing.quote(at, Slot::Term(Term::OnDemand), (rate, source), place, findings);
}

fn spot(
    asked: &Value,
    said: &Value,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let history = list(said.get("SpotPrices").unwrap_or(&Value::Null), "SpotPriceType");
    let Some(region) = member(asked, "RegionId") else { return };
    for (nth, spot) in history.iter().enumerate() {
        let (Some(name), Some(text)) = (member(spot, "InstanceType"), member(spot, "SpotPrice")) else {
            continue;
        };
        let place = || Place::file(file).at(format!("/SpotPrices/SpotPriceType/{nth}"));
        let moment = member(spot, "Timestamp").unwrap_or_default();
        let as_of = common::date(&moment, request.as_of).to_owned();
        let currency = member(said, "Currency").unwrap_or("USD".into());
        if !common::is_dated(&as_of, file, findings) || !listing.speaks(&currency, place, findings) {
            return;
        }
        let Some(rate) = common::rate(&text, place, findings) else { continue };
        let source = listing.source("Alibaba Cloud DescribeSpotPriceHistory", &as_of, "");
        let at = (listing.region("alibaba", &region), listing.machine("alibaba", &name, Machine::default()));
        listing.quote(at, Slot::Term(Term::Spot), (rate, source), place, findings);
    }
}
