//! The table `os_surcharge`: what an operating system adds to the price of a machine.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use carafe_model::catalog::{LicencePrice, Provider};
use carafe_model::finding::Severity;
use carafe_model::host::OsFamily;
use carafe_model::idx::Idx;
use carafe_model::units::{Rate, Vcpus};

use super::base::Base;
use super::cells::{Price, SourceColumns, Zero, price, priced_twice};
use crate::catalog::findings::{Findings, clip};
use crate::catalog::sources::Sources;
use crate::catalog::table::{Column, Row, Table};

/// The systems that are loaded. Editions for SAP and figures for some regions only have no place in a plan yet.
const SYSTEMS: &[(&str, OsFamily)] =
    &[("rhel", OsFamily::Rhel), ("sles", OsFamily::Sles), ("windows", OsFamily::Windows)];

/// Reads the tables; licences come sorted by provider, system and size.
pub(super) fn read(
    tables: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Vec<LicencePrice> {
    let mut licences: BTreeMap<(Idx<Provider>, OsFamily, Vcpus), LicencePrice> = BTreeMap::new();
    for table in tables {
        let source_columns = SourceColumns::of(table);
        let [provider, os] = ["provider", "os"].map(|name| table.column(name));
        let [vcpu_min, vcpu_max] = ["vcpu_min", "vcpu_max"].map(|name| table.column(name));
        let rate_columns = ["usd_per_vcpu_hour", "usd_per_instance_hour"].map(|name| table.column(name));
        table.rows(findings, |row, findings| {
            let Some((_, os)) = SYSTEMS.iter().find(|(name, _)| *name == row.text(os)) else {
                let summary = "licences of systems that Carafe does not tell apart were not loaded";
                return findings.tally("CAT-1601", Severity::Info, summary, row.file, &clip(row.text(os)));
            };
            let Some(provider_place) = base.provider(row.text(provider)) else {
                let what = "a licence of a provider that has neither region nor instance type is left out";
                let finding = row.error("CAT-1201", provider, what);
                return findings.push(finding.help("correct the name of the provider"));
            };
            let Some((vcpus_from, vcpus_to)) = sizes(row, vcpu_min, vcpu_max, findings) else { return };
            let [per_vcpu, per_machine] = rate_columns.map(|column| price(row, column, Zero::Free, findings));
            let (vcpu_hour, machine_hour) = match (per_vcpu, per_machine) {
                (Price::Refused, _) | (_, Price::Refused) => return,
                (Price::Blank, Price::Blank) => {
                    let what = "a licence without a price is left out";
                    let finding = row.error("CAT-1602", rate_columns[0], what);
                    return findings.push(finding.help("give the price per vCPU, per machine, or both"));
                }
                (vcpu, machine) => (vcpu.known().unwrap_or(Rate(0)), machine.known().unwrap_or(Rate(0))),
            };
            let Some(source) = source_columns.read(row, &[], sources, findings) else { return };
            let licence = LicencePrice {
                provider: provider_place,
                os: *os,
                vcpus_from,
                vcpus_to,
                vcpu_hour,
                machine_hour,
                source,
            };
            match licences.entry((provider_place, *os, vcpus_from)) {
                Entry::Vacant(entry) => {
                    entry.insert(licence);
                }
                Entry::Occupied(mut entry) => {
                    findings.push(priced_twice(row, vcpu_min));
                    let rank = |licence: &LicencePrice| {
                        let dearness = (licence.vcpu_hour, licence.machine_hour, licence.vcpus_to);
                        (sources.as_of(licence.source).to_owned(), dearness)
                    };
                    if rank(&licence) > rank(entry.get()) {
                        entry.insert(licence);
                    }
                }
            }
        });
    }
    licences.into_values().collect()
}

/// The sizes of machine that a row holds for.
fn sizes(
    row: &Row<'_>,
    smallest: Column,
    largest: Column,
    findings: &mut Findings,
) -> Option<(Vcpus, Option<Vcpus>)> {
    let from = row.text(smallest).parse().ok().map(Vcpus);
    let to = match row.text(largest) {
        "" => Some(None),
        text => text.parse().ok().map(|count| Some(Vcpus(count))),
    };
    let sizes = from.zip(to).filter(|(from, to)| to.is_none_or(|to| to >= *from));
    if sizes.is_none() {
        let finding = row.error("CAT-1603", smallest, "a licence for sizes that cannot be read is left out");
        findings.push(finding.help("write whole numbers of vCPUs, the smaller one first"));
    }
    sizes
}
