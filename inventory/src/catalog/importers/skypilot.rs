//! SkyPilot: the table of machines of one cloud (`catalogs/v?/<cloud>/vms.csv`).
//!
//! A row is a machine in a zone or region, with its price and its spot price; the table does not say which cloud or day it
//! is of. A machine is as dear as in its dearest zone.

use carafe_model::catalog::Term;
use carafe_model::finding::{Finding, Place};

use super::aws_csv;
use super::common;
use super::{Findings, Listing, Opened, Request};
use crate::catalog::decimal;
use crate::catalog::listing::{Machine, Slot};

/// The header of every cloud's table begins alike.
pub(super) fn recognises(head: &str) -> bool {
    let line = head.lines().next().unwrap_or_default();
    line.starts_with("InstanceType,") && line.contains("SpotPrice")
}

/// Reads tables.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    for file in files {
        let name = file.name;
        let Some(provider) = request.provider else {
            let finding = Finding::error("CAT-2208", "the table does not say which cloud it is of");
            findings.push(
                finding.at(Place::file(name)).help("name it with --provider, for example --provider aws"),
            );
            continue;
        };
        if !common::is_dated(request.as_of, name, findings)
            || !listing.speaks("USD", || Place::file(name), findings)
        {
            continue;
        }
        let source = listing.source("SkyPilot catalog", request.as_of, "");
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(file.text);
        let header = rows.headers().cloned().unwrap_or_default();
        let column = |wanted: &str| header.iter().position(|name| name.trim() == wanted);
        let [kind, vcpus, memory, price, spot, region, zone, arch, gpus, gpu] = [
            "InstanceType",
            "vCPUs",
            "MemoryGiB",
            "Price",
            "SpotPrice",
            "Region",
            "AvailabilityZone",
            "Arch",
            "AcceleratorCount",
            "AcceleratorName",
        ]
        .map(column);
        for (nth, row) in rows.records().enumerate() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    findings.push(*aws_csv::refused(name, error));
                    continue;
                }
            };
            let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default().trim();
            // Rows of accelerators that are sold on their own have no machine.
            if cell(kind).is_empty() || cell(region).is_empty() {
                continue;
            }
            let count =
                |text: &str| decimal::scaled(text, 3).ok().filter(|n| n.value > 0 && n.value % 1000 == 0);
            let machine = listing.machine(
                provider,
                cell(kind),
                Machine {
                    architecture: common::architecture(cell(arch))
                        .or(Some(carafe_model::host::Architecture::X86_64)),
                    vcpus: count(cell(vcpus)).and_then(|number| u32::try_from(number.value / 1000).ok()),
                    memory: common::gib(cell(memory)),
                    gpus: Some(
                        count(cell(gpus))
                            .and_then(|number| u32::try_from(number.value / 1000).ok())
                            .unwrap_or(0),
                    ),
                    gpu_model: cell(gpu).to_owned(),
                    ..Machine::default()
                },
            );
            let place_of = listing.region(provider, cell(region));
            if !cell(zone).is_empty() {
                listing.describe_region(place_of, "", "", &[cell(zone).to_owned()]);
            }
            for (at, column, term) in [(price, "Price", Term::OnDemand), (spot, "SpotPrice", Term::Spot)] {
                let place = || Place::file(name).row(nth as u32 + 2).column(column);
                if cell(at).is_empty() {
                    continue;
                }
                let Some(rate) = common::rate(cell(at), place, findings) else { continue };
                let known = listing.sale(place_of, machine);
                let dearest = known.on_demand.is_none_or(|(known, _)| rate > known);
                if term == Term::Spot || dearest {
                    if term == Term::OnDemand {
                        known.on_demand = None;
                    }
                    listing.quote((place_of, machine), Slot::Term(term), (rate, source), place, findings);
                }
            }
        }
    }
}
