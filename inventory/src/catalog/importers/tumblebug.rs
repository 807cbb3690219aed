//! CB-Tumblebug: specs as JSON (`recommendSpec`, `resources/spec`), or its own `cloudspec.csv`.
//!
//! A price of -1 is unknown. Prices of Google are scraped and right in less than half of the rows; memory of Google and
//! Azure is 2.4 % low. Both are told; sizes are used as written, since they are never too large.

use carafe_model::catalog::Term;
use carafe_model::finding::{Place, Severity};
use carafe_model::units::Mib;
use serde_json::{Map, Value};

use super::aws_csv;
use super::common::{self, list, member, whole};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::findings::clip;
use crate::catalog::listing::{Machine, Slot};

/// Specs by their own name of a provider's name.
pub(super) fn recognises(head: &str) -> bool {
    head.contains("\"cspSpecName\"")
        || head
            .lines()
            .next()
            .is_some_and(|line| line.contains("cspSpecName") && line.contains("costPerHour"))
}

/// Reads specs.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        if file.head.starts_with(['{', '[']) {
            common::documents(file, findings, |answer: Value, name, findings| {
                let whole = answer.as_array().map_or(&[][..], Vec::as_slice);
                for (nth, spec) in whole.iter().chain(list(&answer, "spec")).enumerate() {
                    let place = || Place::file(name).at(format!("/{nth}/costPerHour"));
                    read_spec(spec, name, place, request, listing, findings);
                }
            });
            continue;
        }
        let name = file.name;
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(file.text);
        let header = rows.headers().cloned().unwrap_or_default();
        for (nth, row) in rows.records().enumerate() {
            match row {
                Ok(row) => {
                    let cells = header.iter().zip(row.iter());
                    let pairs = cells.map(|(key, cell)| (key.trim().to_owned(), Value::from(cell.trim())));
                    let spec = Value::Object(pairs.collect::<Map<_, _>>());
                    let place = || Place::file(name).row(nth as u32 + 2).column("costPerHour");
                    read_spec(&spec, name, place, request, listing, findings);
                }
                Err(error) => findings.push(*aws_csv::refused(name, error)),
            }
        }
    }
}

fn read_spec(
    spec: &Value,
    file: &str,
    place: impl Fn() -> Place,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let (Some(provider), Some(name)) = (member(spec, "providerName"), member(spec, "cspSpecName")) else {
        return;
    };
    let Some(region) = member(spec, "regionName").filter(|region| region != "-" && region != "all") else {
        return;
    };
    let (provider, region) = (provider.to_lowercase(), region);
    let memory = member(spec, "memoryGiB").and_then(|text| common::gib(&text));
    let is_short = |memory: Mib| memory.0.is_multiple_of(1000) && !memory.0.is_multiple_of(1024);
    if memory.is_some_and(is_short) {
        let summary =
            "memory sizes look like GiB divided by 1.024; used as written, which is never too large";
        findings.tally("CAT-1209", Severity::Info, summary, file, &clip(&name));
    }
    let machine = listing.machine(
        &provider,
        &name,
        Machine {
            architecture: member(spec, "architecture").and_then(|text| common::architecture(&text)),
            vcpus: whole(spec, "vCPU"),
            memory,
            gpus: Some(whole(spec, "acceleratorCount").unwrap_or(0)),
            gpu_model: member(spec, "acceleratorModel").unwrap_or_default(),
            ..Machine::default()
        },
    );
    let region = listing.region(&provider, &region);
    let Some(text) = member(spec, "costPerHour") else { return };
    if text.starts_with("-1") {
        let summary = "machines with the cost -1, which means unknown, stay unpriced";
        return findings.tally("CAT-1111", Severity::Info, summary, file, &clip(&name));
    }
    let currency = member(spec, "currency").unwrap_or("USD".into());
    if !common::is_dated(request.as_of, file, findings) || !listing.speaks(&currency, &place, findings) {
        return;
    }
    let Some(rate) = common::rate(&text, &place, findings) else { return };
    let quality = match provider.as_str() {
        "gcp" => "scraped from web pages by CB-Spider; prefer the Billing Catalog",
        "alibaba" => "after promotions (TradePrice)",
        _ => "",
    };
    if !quality.is_empty() {
        let summary = "prices that CB-Spider collects in a way that makes them doubtful; prefer the provider's own list";
        findings.tally("CAT-2209", Severity::Warning, summary, file, &provider);
    }
    let source = listing.source("CB-Tumblebug specs", request.as_of, quality);
    listing.quote((region, machine), Slot::Term(Term::OnDemand), (rate, source), &place, findings);
}
