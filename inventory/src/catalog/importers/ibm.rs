//! IBM Cloud: profiles of VPC machines in the Global Catalog, each with its pricing.
//!
//! A profile (`metadata.other.profile.default_config`) and its prices (`/{id}/pricing`) are two answers; `catalog sync`
//! keeps them together as `{"profile": …, "pricing": …}`. Older profiles are priced by the hour of the machine, newer ones
//! by vCPU and GiB.

use carafe_model::catalog::Term;
use carafe_model::finding::{Place, Severity};
use carafe_model::units::{Mib, Rate};
use serde_json::Value;

use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::findings::clip;
use crate::catalog::listing::{Machine, Slot};

/// Entries of the catalog.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"charge_unit\"")
        || head.contains("\"deployment_location\"")
        || head.contains("\"default_config\"")
}

/// Reads entries.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        common::documents(file, findings, |answer: Value, name, findings| {
            let whole = answer.as_array().map_or(&[][..], Vec::as_slice);
            let single = (!answer.is_array() && answer.get("resources").is_none()).then_some(&answer);
            for (nth, entry) in whole.iter().chain(list(&answer, "resources")).chain(single).enumerate() {
                read_entry(entry, nth, name, request, listing, findings);
            }
        });
    }
}

fn read_entry(
    entry: &Value,
    nth: usize,
    file: &str,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let profile = entry.get("profile").unwrap_or(entry);
    let Some(name) = member(profile, "name") else { return };
    let config = profile.pointer("/metadata/other/profile/default_config").unwrap_or(&Value::Null);
    let (vcpus, memory) = (whole(config, "cpu"), whole(config, "ram"));
    let maker = member(config, "vcpu_architecture")
        .or_else(|| member(config, "vcpu_manufacturer"))
        .unwrap_or_default();
    let is_mainframe = maker == "s390x" || maker == "ibm";
    let machine = listing.machine(
        "ibm",
        &name,
        Machine {
            architecture: Some(match is_mainframe {
                true => carafe_model::host::Architecture::Other,
                false => carafe_model::host::Architecture::X86_64,
            }),
            vcpus,
            memory: memory.map(|gib| Mib::from_gib(u64::from(gib))),
            gpus: Some(whole(config, "gpu_count").unwrap_or(0)),
            gpu_model: member(config, "gpu_model").unwrap_or_default(),
            network_mbps: whole(config, "bandwidth"),
            ..Machine::default()
        },
    );
    let pricing = entry.get("pricing").unwrap_or(entry);
    let locations = list(pricing, "resources").iter().chain(pricing.get("metrics").map(|_| pricing));
    for location in locations {
        let Some(region) =
            member(location, "deployment_location").or_else(|| request.region.map(str::to_owned))
        else {
            let summary = "prices without a deployment location were left out; name it with --region";
            findings.tally("CAT-2206", Severity::Warning, summary, file, &clip(&name));
            continue;
        };
        let mut hourly = Rate(0);
        for metric in list(location, "metrics") {
            let unit = member(metric, "charge_unit")
                .or_else(|| member(metric, "charge_unit_name"))
                .unwrap_or_default();
            let count = match unit.to_ascii_uppercase() {
                unit if unit.contains("VCPU") => vcpus,
                unit if unit.contains("GB_HOURS") || unit.contains("MEMORY") || unit.contains("RAM") => {
                    memory
                }
                unit if unit.contains("INSTANCE") => Some(1),
                _ => None,
            };
            let Some(count) = count else { continue };
            let amounts = list(metric, "amounts");
            // The price of the United States is the list price; other countries' are that in their currency.
            let american = amounts.iter().find(|amount| member(amount, "country").as_deref() == Some("USA"));
            let Some(amount) = american.or_else(|| amounts.first()) else { continue };
            let place = || Place::file(file).at(format!("/{nth}/pricing/metrics"));
            let Some(text) = list(amount, "prices").first().and_then(|tier| member(tier, "price")) else {
                continue;
            };
            if !listing.speaks(&member(amount, "currency").unwrap_or_default(), place, findings) {
                return;
            }
            let Some(rate) = common::rate(&text, place, findings) else { return };
            hourly += Rate(rate.0.saturating_mul(i64::from(count)));
        }
        let started = member(location, "effective_from").or_else(|| member(pricing, "effective_from"));
        let as_of = common::date(request.as_of, started.as_deref().unwrap_or_default()).to_owned();
        if !common::is_dated(&as_of, file, findings) {
            return;
        }
        let source = listing.source("IBM Cloud Global Catalog", &as_of, "");
        let at = (listing.region("ibm", &region), machine);
        let place = || Place::file(file).at(format!("/{nth}/pricing"));
        listing.quote(at, Slot::Term(Term::OnDemand), (hourly, source), place, findings);
    }
}
