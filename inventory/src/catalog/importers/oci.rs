//! Oracle Cloud: the public price list. Shapes are sold as OCPUs and GiB, at the same price in every region.
//!
//! <https://docs.oracle.com/iaas/Content/Billing/Tasks/signingup_topic-Estimating_Costs.htm> (`cetools/api/v1/products`).
//! A flexible shape can have any size, so it is entered in those that fit one, two, four, eight and sixteen GiB to a
//! thread. An OCPU is a core: two threads on x86, one on Arm.

use carafe_model::catalog::{Reach, ServiceKind, Term};
use carafe_model::finding::Place;
use carafe_model::host::{Architecture, Media};
use carafe_model::units::{Mib, Rate};
use serde_json::Value;

use super::common::{self, list, member, per};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::listing::{Machine, Slot};
use crate::catalog::places;

/// The list as its API gives it.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"currencyCodeLocalizations\"") || head.contains("\"partNumber\"")
}

/// A flexible shape: how its OCPUs and memory are called in the list, threads in an OCPU, and most OCPUs and GiB.
struct Flexible {
    shape: &'static str,
    words: &'static str,
    threads: u32,
    most_ocpus: u32,
    most_gib: u32,
    architecture: Architecture,
}

const fn flexible(
    shape: &'static str,
    words: &'static str,
    (threads, most_ocpus, most_gib): (u32, u32, u32),
    architecture: Architecture,
) -> Flexible {
    Flexible { shape, words, threads, most_ocpus, most_gib, architecture }
}

const FLEXIBLE: [Flexible; 7] = [
    flexible("VM.Standard3.Flex", "Compute - Standard - X9", (2, 32, 512), Architecture::X86_64),
    flexible("VM.Standard.E4.Flex", "Compute - Standard - E4", (2, 64, 1024), Architecture::X86_64),
    flexible("VM.Standard.E5.Flex", "Compute - Standard - E5", (2, 94, 1049), Architecture::X86_64),
    flexible("VM.Standard.E6.Flex", "Compute - Standard - E6", (2, 94, 1049), Architecture::X86_64),
    flexible("VM.Optimized3.Flex", "Compute - Optimized - X9", (2, 18, 256), Architecture::X86_64),
    flexible("VM.Standard.A1.Flex", "Compute - Ampere A1", (1, 80, 512), Architecture::Arm64),
    flexible("VM.Standard.A2.Flex", "Compute - Standard - A2", (1, 78, 946), Architecture::Arm64),
];
/// Prices by where they begin.
type Tiers = Vec<(u64, Rate)>;

/// Sizes in which flexible shapes are entered.
const OCPUS: [u32; 9] = [1, 2, 3, 4, 8, 12, 16, 24, 32];
const GIB_A_THREAD: [u32; 5] = [1, 2, 4, 8, 16];

/// Reads the list.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        common::documents(file, findings, |page: Value, name, findings| {
            let updated = member(&page, "lastUpdated").unwrap_or_default();
            let as_of = common::date(&updated, request.as_of).to_owned();
            if common::is_dated(&as_of, name, findings) {
                read_page(&page, &as_of, name, listing, findings);
            }
        });
    }
}

fn read_page(page: &Value, as_of: &str, file: &str, listing: &mut Listing, findings: &mut Findings) {
    let mut rate_of = |words: &str, metric: &str| {
        let all = list(page, "items").iter().enumerate();
        let mut found = all.filter(|(_, item)| {
            let named = member(item, "displayName").is_some_and(|name| name.eq_ignore_ascii_case(words));
            let counted = member(item, "metricName").is_some_and(|name| name.eq_ignore_ascii_case(metric));
            named && counted
        });
        let (nth, item) = found.next()?;
        // Two currencies may be quoted; dollars go first, as every other list is in them.
        let quoted = list(item, "currencyCodeLocalizations");
        let is_dollar = |quoted: &&Value| member(quoted, "currencyCode").as_deref() == Some("USD");
        let quoted = quoted.iter().find(is_dollar).or_else(|| quoted.first())?;
        let place = || Place::file(file).at(format!("/items/{nth}"));
        if !listing.speaks(&member(quoted, "currencyCode")?, place, findings) {
            return None;
        }
        // The tiers of an allowance: what is paid beyond it is the price.
        let mut paid = Vec::new();
        for price in list(quoted, "prices") {
            let model = member(price, "model").unwrap_or_default();
            let rate = common::rate(&member(price, "value")?, place, findings)?;
            if model == "PAY_AS_YOU_GO" && rate.0 > 0 {
                let from = member(price, "rangeMin").and_then(|text| text.split('.').next()?.parse().ok());
                paid.push((from.unwrap_or(0u64), rate));
            }
        }
        paid.sort_unstable();
        (!paid.is_empty()).then_some(paid)
    };
    let first = |paid: Option<Vec<(u64, Rate)>>| paid.map(|paid| paid[0].1);
    let shapes: Vec<_> = FLEXIBLE
        .iter()
        .map(|shape| {
            let ocpu = first(rate_of(&format!("{} - OCPU", shape.words), "OCPU Per Hour"));
            let gib = first(rate_of(&format!("{} - Memory", shape.words), "Gigabyte Per Hour"));
            (shape, ocpu.zip(gib))
        })
        .collect();
    let storage = first(rate_of("Storage - Block Volume - Storage", "Gigabyte Storage Capacity Per Month"));
    let units = first(rate_of(
        "Storage - Block Volume - Performance Units",
        "Performance Units Per Gigabyte Per Month",
    ));
    let balancer = first(rate_of("Load Balancer Base", "Load Balancer Hour"));
    let cluster = first(rate_of("OCI Kubernetes Engine - Enhanced Cluster", "Cluster Per Hour"));
    let egress: Vec<(&[&str], Option<Tiers>)> = EGRESS
        .iter()
        .map(|(words, countries)| (*countries, rate_of(words, "Gigabyte Outbound Data Transfer Per Month")))
        .collect();

    let source = listing.source("Oracle Cloud price list", as_of, "");
    for name in places::regions_of("oci") {
        let country = places::region("oci", name).country;
        let region = listing.region("oci", name);
        let place = || Place::file(file);
        for (shape, rates) in &shapes {
            let Some((ocpu, gib)) = rates else { continue };
            for (ocpus, memory) in sizes(shape) {
                let rate = Rate(ocpu.0 * i64::from(ocpus) + gib.0 * i64::from(memory));
                let machine = listing.machine(
                    "oci",
                    &format!("{}:{ocpus}ocpu-{memory}gb", shape.shape),
                    Machine {
                        family: shape.shape.to_owned(),
                        architecture: Some(shape.architecture),
                        vcpus: Some(ocpus * shape.threads),
                        memory: Some(Mib::from_gib(u64::from(memory))),
                        gpus: Some(0),
                        burstable: Some(false),
                        ..Machine::default()
                    },
                );
                listing.quote((region, machine), Slot::Term(Term::OnDemand), (rate, source), place, findings);
                // Preemptible capacity is half of the list price, by Oracle's own page.
                let spot = (per(rate, 2), source);
                listing.quote((region, machine), Slot::Term(Term::Spot), spot, place, findings);
            }
        }
        if let (Some(storage), Some(units)) = (storage, units) {
            for (class, media, performance) in [
                ("Lower Cost", Media::Hdd, 0),
                ("Balanced", Media::Ssd, 10),
                ("Higher Performance", Media::Ssd, 20),
            ] {
                let rate = Rate(storage.0 + units.0 * performance);
                listing.disk(region, class, media, (rate, source), (50, 32_768));
            }
        }
        if let Some(rate) = balancer {
            let quote = Some((rate, source));
            listing.service(region, ServiceKind::LoadBalancer, "Flexible Load Balancer", quote, None);
        }
        if let Some(rate) = cluster {
            let quote = Some((rate, source));
            listing.service(region, ServiceKind::KubernetesControlPlane, "OKE enhanced", quote, None);
        }
        let tiers = egress.iter().find(|(countries, _)| countries.contains(&country.as_str()));
        if let Some((_, Some(tiers))) = tiers {
            listing.transfer(region, Reach::Internet, 0, (Rate(0), source));
            for (from, rate) in tiers {
                listing.transfer(region, Reach::Internet, *from, (*rate, source));
            }
        }
    }
}

/// Outgoing traffic by the part of the world.
const EGRESS: [(&str, &[&str]); 3] = [
    (
        "Outbound Data Transfer - Originating in North America, Europe, and UK",
        &["US", "CA", "MX", "GB", "DE", "NL", "FR", "ES", "IT", "SE", "CH", "RS", "IE", "NO", "PL"],
    ),
    (
        "Outbound Data Transfer - Originating in APAC, Japan, and South America",
        &["JP", "KR", "SG", "AU", "IN", "ID", "MY", "TH", "PH", "NZ", "TW", "BR", "CL", "CO", "AR", "PE"],
    ),
    (
        "Outbound Data Transfer - Originating in Middle East and Africa",
        &["AE", "SA", "IL", "QA", "ZA", "MA", "KE", "EG"],
    ),
];

/// The sizes in which a shape is entered: OCPUs and GiB.
fn sizes(shape: &Flexible) -> impl Iterator<Item = (u32, u32)> + '_ {
    let ocpus = OCPUS.into_iter().filter(|ocpus| *ocpus <= shape.most_ocpus);
    ocpus.flat_map(move |ocpus| {
        let memory = GIB_A_THREAD.into_iter().map(move |gib| gib * ocpus * shape.threads);
        memory.filter(|gib| *gib <= shape.most_gib).map(move |gib| (ocpus, gib))
    })
}
