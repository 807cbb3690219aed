//! Azure: pages of the Retail Prices API, and the Resource SKUs that say how large a machine is and where it is sold.
//!
//! <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>. Its traps: rows of Windows,
//! Cloud Services, Spot and Low Priority share the name of the machine; the price of a reservation is that of the whole
//! term although its unit says `1 Hour`; regions that have not opened list a cent; and a price says nothing about whether
//! the machine can be had.

use std::collections::BTreeMap;

use carafe_model::catalog::{Reach, ServiceKind, Term};
use carafe_model::finding::{Place, Severity};
use carafe_model::host::{Media, OsFamily};
use carafe_model::units::Rate;
use serde_json::Value;

use super::common::{self, HOURS_A_YEAR, list, member, per};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::listing::{Machine, Slot, SourceIdx};

/// Pages of prices, or answers about SKUs.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"armSkuName\"")
        || head.contains("\"BillingCurrency\"")
        || head.contains("\"resourceType\"") && head.contains("\"capabilities\"")
}

/// A managed disk: product, tier, class, GiB of the tier, what it is made of, sizes.
type Disk = (&'static str, &'static str, &'static str, i64, Media, (u32, u32));

/// Managed disks that stand for a class: the tier nearest to a server's disk.
const DISKS: [Disk; 3] = [
    ("Premium SSD Managed Disks", "P10 LRS", "Premium SSD", 128, Media::Ssd, (4, 32_767)),
    ("Standard SSD Managed Disks", "E30 LRS", "Standard SSD", 1024, Media::Ssd, (4, 32_767)),
    ("Standard HDD Managed Disks", "S10 LRS", "Standard HDD", 128, Media::Hdd, (32, 32_767)),
];

/// Reads pages and SKUs, SKUs in whatever place they stand.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let mut has_skus = false;
    let mut sold: BTreeMap<(u32, u32), bool> = BTreeMap::new();
    for file in files {
        common::documents(file, findings, |page: Value, name, findings| {
            // Pages of prices have Items, answers about SKUs have a value, and people keep the bare lists.
            let whole = page.as_array().map_or(&[][..], Vec::as_slice);
            let items = whole.iter().chain(list(&page, "Items")).chain(list(&page, "value"));
            let currency = member(&page, "BillingCurrency");
            for (nth, item) in items.enumerate() {
                if item.get("armSkuName").is_some() {
                    price(item, nth, currency.as_deref(), name, request, listing, findings);
                } else if item.get("capabilities").is_some() {
                    has_skus = true;
                    sku(item, listing, &mut sold);
                }
            }
        });
    }
    if has_skus {
        listing.withhold_unless("azure", &sold);
    }
}

fn sku(item: &Value, listing: &mut Listing, sold: &mut BTreeMap<(u32, u32), bool>) {
    if member(item, "resourceType").as_deref() != Some("virtualMachines") {
        return;
    }
    let Some(name) = member(item, "name") else { return };
    let capability = |wanted: &str| {
        let mut all = list(item, "capabilities").iter();
        all.find(|known| member(known, "name").as_deref() == Some(wanted))
            .and_then(|known| member(known, "value"))
    };
    let number = |wanted: &str| capability(wanted).and_then(|text| text.parse().ok());
    let family = member(item, "family").unwrap_or_default();
    let says = Machine {
        architecture: capability("CpuArchitectureType").and_then(|text| common::architecture(&text)),
        // Sizes with constrained cores have fewer to run on than are licensed.
        vcpus: number("vCPUsAvailable").or_else(|| number("vCPUs")),
        memory: capability("MemoryGB").and_then(|text| common::gib(&text)),
        gpus: Some(number("GPUs").unwrap_or(0)),
        burstable: Some(name.starts_with("Standard_B")),
        family,
        ..Machine::default()
    };
    let machine = listing.machine("azure", &name, says);
    let is_restricted = |region: &str| {
        list(item, "restrictions").iter().any(|restriction| {
            member(restriction, "type").as_deref() == Some("Location")
                && list(restriction, "values")
                    .iter()
                    .any(|value| value.as_str().is_some_and(|known| same(known, region)))
        })
    };
    for location in list(item, "locations").iter().filter_map(Value::as_str) {
        let region = listing.region("azure", &location.to_lowercase());
        let zones: Vec<String> = list(item, "locationInfo")
            .iter()
            .flat_map(|info| list(info, "zones"))
            .filter_map(|zone| zone.as_str().map(str::to_owned))
            .collect();
        listing.describe_region(region, "", "", &zones);
        sold.insert((region, machine), !is_restricted(location));
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn price(
    item: &Value,
    nth: usize,
    currency: Option<&str>,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let field = |key: &str| member(item, key).unwrap_or_default();
    let place = || Place::file(file).at(format!("/Items/{nth}/retailPrice"));
    let (product, sku, region) = (field("productName"), field("skuName"), field("armRegionName"));
    let code = member(item, "currencyCode").or_else(|| currency.map(str::to_owned)).unwrap_or("USD".into());
    let kind = field("type");
    if region.is_empty() || kind == "DevTestConsumption" || !listing.speaks(&code, place, findings) {
        return;
    }
    let Some(listed) = common::rate(&field("retailPrice"), place, findings) else { return };
    let started = field("effectiveStartDate");
    let as_of = common::date(request.as_of, common::date(&started, "")).to_owned();
    if !common::is_dated(&as_of, file, findings) {
        return;
    }
    let region = listing.region("azure", &region);
    let source = listing.source("Azure Retail Prices API", &as_of, "");
    let (service, meter, unit) = (field("serviceName"), field("meterName"), field("unitOfMeasure"));
    if service != "Virtual Machines" {
        if kind == "Consumption" {
            beside(listing, region, (&service, &product, &sku, &meter, &unit), item, (listed, source));
        }
        return;
    }
    let arm = field("armSkuName");
    let is_machine = arm.starts_with("Standard_") || arm.starts_with("Basic_");
    if !is_machine || product.contains("Cloud Services") || sku.contains("Low Priority") || unit != "1 Hour" {
        let summary = "prices of Cloud Services, Low Priority and dedicated hosts were not loaded";
        return findings.tally("CAT-2201", Severity::Info, summary, file, "");
    }
    let machine = listing.machine("azure", &arm, Machine::default());
    let is_windows = product.contains("Windows");
    let at = (region, machine);
    if kind == "Reservation" {
        let (term, years) = match field("reservationTerm").as_str() {
            "1 Year" => (Term::OneYear, 1),
            "3 Years" => (Term::ThreeYears, 3),
            _ => return,
        };
        let quote = (per(listed, HOURS_A_YEAR * years), source);
        return listing.quote(at, Slot::Term(term), quote, place, findings);
    }
    let slot = match (is_windows, sku.contains("Spot")) {
        (true, true) => return,
        (false, true) => Slot::Term(Term::Spot),
        (true, false) => Slot::With(OsFamily::Windows),
        (false, false) => Slot::Term(Term::OnDemand),
    };
    listing.quote(at, slot, (listed, source), place, findings);
    if is_windows {
        return;
    }
    for plan in list(item, "savingsPlan") {
        let term = match member(plan, "term").as_deref() {
            Some("1 Year") => Term::OneYearFlex,
            Some("3 Years") => Term::ThreeYearsFlex,
            _ => continue,
        };
        let Some(text) = member(plan, "retailPrice") else { continue };
        let Some(rate) = common::rate(&text, place, findings) else { continue };
        listing.quote(at, Slot::Term(term), (rate, source), place, findings);
    }
}

/// Disks, traffic and what is billed by the hour beside machines.
fn beside(
    listing: &mut Listing,
    region: u32,
    (service, product, sku, meter, unit): (&str, &str, &str, &str, &str),
    item: &Value,
    (rate, source): (Rate, SourceIdx),
) {
    let disk = DISKS.iter().find(|disk| disk.0 == product && disk.1 == sku);
    if let Some((_, _, class, gib, media, limits)) =
        disk.filter(|_| meter.ends_with("Disk") || meter.ends_with("Disks"))
    {
        return listing.disk(region, class, *media, (per(rate, *gib), source), *limits);
    }
    let from: u64 =
        member(item, "tierMinimumUnits").and_then(|text| text.split('.').next()?.parse().ok()).unwrap_or(0);
    let (hour, gib) = match unit {
        "1 Hour" => (Some((rate, source)), None),
        "1 GB" => (None, Some((rate, source))),
        _ => return,
    };
    match (service, product, meter) {
        ("Bandwidth", "Rtn Preference: MGN", "Standard Data Transfer Out") if unit == "1 GB" => {
            listing.transfer(region, Reach::Internet, from, (rate, source));
        }
        ("Bandwidth", _, "Inter-Availability Zone Data Transfer Out") if unit == "1 GB" => {
            listing.transfer(region, Reach::InterZone, from, (rate, source));
        }
        ("Bandwidth", "Bandwidth Inter-Region", "Intra Continent Data Transfer Out") if unit == "1 GB" => {
            listing.transfer(region, Reach::InterRegion, from, (rate, source));
        }
        ("Load Balancer", _, "Standard Included LB Rules and Outbound Rules" | "Standard Data Processed") => {
            listing.service(region, ServiceKind::LoadBalancer, "Standard Load Balancer", hour, gib);
        }
        ("NAT Gateway", _, "Standard Gateway" | "Standard Data Processed") => {
            listing.service(region, ServiceKind::NatGateway, "NAT Gateway", hour, gib);
        }
        ("Virtual Network", "IP Addresses", "Standard IPv4 Static Public IP") => {
            listing.service(region, ServiceKind::PublicAddress, "Public IP Standard static", hour, gib);
        }
        ("Azure Kubernetes Service", _, "Standard Uptime SLA") => {
            listing.service(region, ServiceKind::KubernetesControlPlane, "AKS Standard", hour, gib);
        }
        _ => {}
    }
}
