//! Google Cloud: SKUs of the Billing Catalog, and the machine types whose price they add up to.
//!
//! <https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list>. Google sells cores and GiB, not machines,
//! so a machine has a price only where both are known. The catalog has prices for regions in which a type cannot be had;
//! `compute.machineTypes` says where it can.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{Reach, Term};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Architecture, Media};
use carafe_model::units::{Mib, Rate};
use serde_json::Value;

use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::decimal;
use crate::catalog::listing::{Machine, Slot, SourceIdx};

/// SKUs of the catalog, or machine types.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"serviceRegions\"") || head.contains("\"pricingInfo\"") || head.contains("\"guestCpus\"")
}

/// What a SKU sells of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Core,
    Gib,
    /// The whole machine: the smallest shared ones.
    Machine,
}

/// A price by family, part, term and region.
type Parts = BTreeMap<(String, Part, Term, String), (Rate, SourceIdx)>;

/// Disks by how their SKU is described.
const DISKS: [(&str, &str, Media); 3] = [
    ("Balanced PD Capacity", "pd-balanced", Media::Ssd),
    ("SSD backed PD Capacity", "pd-ssd", Media::Ssd),
    ("Storage PD Capacity", "pd-standard", Media::Hdd),
];

/// A type of machine and where it can be had.
struct Kind {
    family: String,
    cores: u32,
    memory: Mib,
    regions: BTreeSet<String>,
}

/// Reads both kinds of files together.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let mut parts = Parts::new();
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let first = files.first().map_or("", |file| file.name).to_owned();
    for file in files {
        common::documents(file, findings, |page: Value, name, findings| {
            let whole = page.as_array().map_or(&[][..], Vec::as_slice);
            for (nth, sku) in whole.iter().chain(list(&page, "skus")).enumerate() {
                if sku.get("pricingInfo").is_some() {
                    read_sku(sku, nth, name, request, &mut parts, listing, findings);
                }
            }
            // A list of one zone, of all zones, or of bare types.
            let scopes = page.get("items").and_then(Value::as_object);
            let scoped = scopes.into_iter().flat_map(|zones| zones.values());
            let of_scopes = scoped.flat_map(|zone| list(zone, "machineTypes"));
            for kind in list(&page, "items").iter().chain(whole).chain(of_scopes) {
                read_type(kind, &mut kinds);
            }
        });
    }
    if kinds.is_empty() || parts.is_empty() {
        let missing = if kinds.is_empty() { "machine types" } else { "SKUs with prices" };
        let finding =
            Finding::error("CAT-2205", format!("Google's prices need a list of {missing} beside them"));
        let help = "import the SKUs of the Billing Catalog and the answer of compute.machineTypes.aggregatedList together";
        findings.push(finding.at(Place::file(first.clone())).help(help));
    }
    for (name, kind) in &kinds {
        enter(name, kind, &parts, &first, listing, findings);
    }
}

fn enter(name: &str, kind: &Kind, parts: &Parts, file: &str, listing: &mut Listing, findings: &mut Findings) {
    let is_arm = matches!(kind.family.as_str(), "t2a" | "c4a" | "n4a" | "a4x");
    let machine = listing.machine(
        "gcp",
        name,
        Machine {
            family: kind.family.clone(),
            architecture: Some(if is_arm { Architecture::Arm64 } else { Architecture::X86_64 }),
            vcpus: Some(kind.cores),
            memory: Some(kind.memory),
            burstable: Some(matches!(name, "e2-micro" | "e2-small" | "e2-medium" | "f1-micro" | "g1-small")),
            ..Machine::default()
        },
    );
    // The shared machines have a part of the cores that they show.
    let core_thousandths = match name {
        "e2-micro" => 250,
        "e2-small" => 500,
        "e2-medium" => 1000,
        _ => i128::from(kind.cores) * 1000,
    };
    for region in &kind.regions {
        let place = || Place::file(file).at(format!("/skus/{name}/{region}"));
        let at = (listing.region("gcp", region), machine);
        for term in [Term::OnDemand, Term::Spot, Term::OneYear, Term::ThreeYears] {
            let part =
                |family: &str, part| parts.get(&(family.to_owned(), part, term, region.clone())).copied();
            let quote = match part(name, Part::Machine) {
                Some(quote) => Some(quote),
                None => {
                    part(&kind.family, Part::Core).zip(part(&kind.family, Part::Gib)).map(|(core, gib)| {
                        let of_cores = i128::from(core.0.0) * core_thousandths / 1000;
                        let of_memory = (i128::from(gib.0.0) * i128::from(kind.memory.0) + 512) / 1024;
                        (Rate(i64::try_from(of_cores + of_memory).unwrap_or(0)), core.1)
                    })
                }
            };
            if let Some(quote) = quote {
                listing.quote(at, Slot::Term(term), quote, place, findings);
            }
        }
    }
}

fn read_type(kind: &Value, kinds: &mut BTreeMap<String, Kind>) {
    let (Some(name), Some(cores), Some(memory)) =
        (member(kind, "name"), whole(kind, "guestCpus"), whole(kind, "memoryMb"))
    else {
        return;
    };
    let zone = member(kind, "zone").unwrap_or_default();
    let zone = zone.rsplit('/').next().unwrap_or_default();
    let Some((region, _)) = zone.rsplit_once('-') else { return };
    let family = name.split('-').next().unwrap_or_default().to_owned();
    let known = kinds.entry(name).or_insert_with(|| Kind {
        family,
        cores,
        memory: Mib(u64::from(memory)),
        regions: BTreeSet::new(),
    });
    known.regions.insert(region.to_owned());
}

fn read_sku(
    sku: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    parts: &mut Parts,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let category = sku.get("category").unwrap_or(&Value::Null);
    let (group, usage) = (
        member(category, "resourceGroup").unwrap_or_default(),
        member(category, "usageType").unwrap_or_default(),
    );
    let description = member(sku, "description").unwrap_or_default();
    let Some(info) = list(sku, "pricingInfo").last() else { return };
    let place = || Place::file(file).at(format!("/skus/{nth}"));
    let effective = member(info, "effectiveTime").unwrap_or_default();
    let as_of = common::date(request.as_of, common::date(&effective, "")).to_owned();
    let expression = info.get("pricingExpression").unwrap_or(&Value::Null);
    let unit = member(expression, "usageUnit").unwrap_or_default();
    let term = match usage.as_str() {
        "OnDemand" => Term::OnDemand,
        "Preemptible" => Term::Spot,
        "Commit1Yr" => Term::OneYear,
        "Commit3Yr" => Term::ThreeYears,
        _ => return,
    };
    let part = part(&description, &group, &unit);
    let disk = DISKS.iter().find(|disk| unit == "GiBy.mo" && description.starts_with(disk.0));
    let is_egress = description.starts_with("Network Internet Data Transfer Out from") && unit == "GiBy";
    let is_zonal = description.starts_with("Network Inter Zone Data Transfer Out") && unit == "GiBy";
    if part.is_none() && disk.is_none() && !is_egress && !is_zonal {
        return;
    }
    if !common::is_dated(&as_of, file, findings) {
        return;
    }
    let source = listing.source("Google Cloud Billing Catalog", &as_of, "");
    for tier in list(expression, "tieredRates") {
        let price = tier.get("unitPrice").unwrap_or(&Value::Null);
        let currency = member(price, "currencyCode").unwrap_or("USD".into());
        if !listing.speaks(&currency, place, findings) {
            return;
        }
        let Some(rate) = units_and_nanos(price) else { continue };
        let from: u64 = member(tier, "startUsageAmount")
            .and_then(|text| text.split('.').next()?.parse().ok())
            .unwrap_or(0);
        for region in list(sku, "serviceRegions").iter().filter_map(Value::as_str) {
            if let Some((family, part)) = &part {
                let known =
                    parts.entry((family.clone(), *part, term, region.to_owned())).or_insert((rate, source));
                *known = (rate, source).max(*known);
                continue;
            }
            let place = listing.region("gcp", region);
            match disk {
                Some((_, class, media)) => listing.disk(place, class, *media, (rate, source), (10, 65_536)),
                None => {
                    let reach = if is_egress { Reach::Internet } else { Reach::InterZone };
                    listing.transfer(place, reach, from, (rate, source));
                }
            }
        }
    }
}

/// Which family a SKU is of, and what of it: `N2 Instance Core running in Seoul`, `Commitment v1: N2 Ram in …`, `Spot
/// Preemptible N2D AMD Instance Ram running in …`.
fn part(description: &str, group: &str, unit: &str) -> Option<(String, Part)> {
    let is_excluded = ["Custom", "Sole Tenancy", "Extended", "Premium", "Reserved", "Dws", "DWS"]
        .iter()
        .any(|word| description.contains(word));
    if is_excluded {
        return None;
    }
    let part = match (group, unit) {
        ("F1Micro", "h") => return Some(("f1-micro".into(), Part::Machine)),
        ("G1Small", "h") => return Some(("g1-small".into(), Part::Machine)),
        ("CPU", "h") => Part::Core,
        ("RAM", "GiBy.h") => Part::Gib,
        // The first generation has groups of its own.
        ("N1Standard", "h") => return Some(("n1".into(), Part::Core)),
        ("N1Standard", "GiBy.h") => return Some(("n1".into(), Part::Gib)),
        _ => return None,
    };
    let words = description
        .trim_start_matches("Spot Preemptible ")
        .trim_start_matches("Preemptible ")
        .trim_start_matches("Commitment v1: ");
    let first = words.split(' ').next()?;
    let family = match first {
        "Compute" if words.starts_with("Compute optimized") => "c2".to_owned(),
        "Memory" if words.starts_with("Memory-optimized") => "m1".to_owned(),
        // Commitments of the first generation name no family at all.
        "Cpu" | "Ram" | "CPU" => "n1".to_owned(),
        other => other.to_lowercase(),
    };
    let is_family = family.len() <= 4
        && family.starts_with(|letter: char| letter.is_ascii_lowercase())
        && family.contains(|letter: char| letter.is_ascii_digit());
    is_family.then_some((family, part))
}

/// `{"units": "1", "nanos": 250000000}`.
fn units_and_nanos(price: &Value) -> Option<Rate> {
    let units = decimal::rate(&member(price, "units").unwrap_or("0".into())).ok()?.0;
    let nanos = price.get("nanos").and_then(Value::as_i64).unwrap_or(0);
    units.0.checked_add(nanos).map(Rate)
}
