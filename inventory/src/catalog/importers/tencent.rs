//! Tencent Cloud: `DescribeZoneInstanceConfigInfos`, which tells sizes and prices of a region in one answer.
//!
//! Prices are rounded to a cent, which is much for small machines. Where a machine costs less the longer it runs, the
//! first step is the list price.

use carafe_model::catalog::Term;
use carafe_model::finding::{Finding, Place};
use carafe_model::units::Mib;
use serde_json::Value;

use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::listing::{Machine, Slot};

/// Prices below this are off by more than a tenth when they are rounded to a cent.
const COARSE: i64 = 50_000_000;

/// The answer of the call.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"InstanceTypeQuotaSet\"")
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
            let said = answer.get("Response").unwrap_or(&answer);
            if let Some(error) = said.get("Error") {
                let message = common::member(error, "Message").unwrap_or_default();
                let what = format!("the answer is a refusal: {}", crate::catalog::findings::clip(&message));
                let finding = Finding::error("CAT-2007", what).at(Place::file(name));
                findings.push(finding.help("ask again with other credentials"));
            }
            for (nth, item) in list(said, "InstanceTypeQuotaSet").iter().enumerate() {
                read_item(item, nth, name, request, listing, findings);
            }
        });
    }
}

fn read_item(
    item: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let (Some(name), Some(zone)) = (member(item, "InstanceType"), member(item, "Zone")) else { return };
    let Some((region, _)) = zone.rsplit_once('-') else { return };
    let machine = listing.machine(
        "tencent",
        &name,
        Machine {
            family: member(item, "InstanceFamily").unwrap_or_default(),
            architecture: Some(match name.starts_with("SR") {
                true => carafe_model::host::Architecture::Arm64,
                false => carafe_model::host::Architecture::X86_64,
            }),
            vcpus: whole(item, "Cpu"),
            memory: whole(item, "Memory").map(|gib| Mib::from_gib(u64::from(gib))),
            gpus: Some(whole(item, "Gpu").or_else(|| whole(item, "GpuCount")).unwrap_or(0)),
            ..Machine::default()
        },
    );
    let region = listing.region("tencent", region);
    listing.describe_region(region, "", "", std::slice::from_ref(&zone));
    if member(item, "Status").is_some_and(|status| status != "SELL") {
        return;
    }
    let term = match member(item, "InstanceChargeType").as_deref() {
        Some("POSTPAID_BY_HOUR") | None => Term::OnDemand,
        Some("SPOTPAID") => Term::Spot,
        Some(_) => return,
    };
    let price = item.get("Price").unwrap_or(&Value::Null);
    let place = || Place::file(file).at(format!("/Response/InstanceTypeQuotaSet/{nth}/Price"));
    // Spot is a discount on the list price; everything else is the list price itself.
    let key = if term == Term::Spot { "UnitPriceDiscount" } else { "UnitPrice" };
    let Some(text) = member(price, key) else { return };
    let is_hourly = member(price, "ChargeUnit").is_none_or(|unit| unit == "HOUR");
    // The international site quotes in dollars; its answers do not say so.
    if !is_hourly
        || !common::is_dated(request.as_of, file, findings)
        || !listing.speaks(&member(price, "Currency").unwrap_or("USD".into()), place, findings)
    {
        return;
    }
    let Some(rate) = common::rate(&text, place, findings) else { return };
    let quality = if rate.0 < COARSE { "rounded to 0.01" } else { "" };
    let source = listing.source("Tencent Cloud DescribeZoneInstanceConfigInfos", request.as_of, quality);
    listing.quote((region, machine), Slot::Term(term), (rate, source), place, findings);
}
