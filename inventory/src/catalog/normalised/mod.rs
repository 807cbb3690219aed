//! The importer `normalised`: Carafe's own catalog format, a set of CSV tables (`docs/formats/catalog.md`).
//!
//! A table is known by its header, so that files may have any name and any number of files may hold the same kind.
//! Regions and instance types are read first; every other row points at them. What comes out does not depend on the
//! order of files or rows: everything is sorted, and of rows that speak of the same thing the newest counts.

mod base;
pub(super) mod baselines;
mod cells;
mod certifications;
mod latencies;
mod licences;
mod offers;
mod services;

mod storage;
mod transfers;

use carafe_model::catalog::Snapshot;
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::units::Currency;

use super::findings::{Findings, clip};
use super::outliers;
use super::sources::Sources;
use super::table::{self, Table};
use crate::InputFile;
use base::Base;

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Regions,
    Specs,
    Prices,
    WindowsPrices,
    Storage,
    Egress,
    Services,
    Kubernetes,
    Licences,
    Latency,
    Certifications,
    /// Figures computed from the others, which the planner computes itself.
    Derived,
}

/// The columns by which a kind of table is known.
struct Shape {
    kind: Kind,
    /// As the documentation calls it.
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

/// Every kind of table. The documentation of the format lists the same columns; a test compares them.
const SHAPES: &[Shape] = &[
    Shape {
        kind: Kind::Regions,
        name: "regions",
        required: &["provider", "region", "display", "country"],
        optional: &["zone_count", "zones", "lat", "lon", "price_rows", "source"],
    },
    Shape {
        kind: Kind::Specs,
        name: "specs",
        required: &["provider", "spec", "arch", "vcpu", "memory_gib"],
        optional: &[
            "family",
            "gpu_count",
            "gpu_model",
            "local_disk_gb",
            "network_gbps",
            "network_baseline_gbps",
            "burstable",
            "baseline_vcpus",
            "source",
        ],
    },
    Shape {
        kind: Kind::Prices,
        name: "prices",
        required: &["provider", "region", "spec", "usd_per_hour_linux_ondemand", "source", "as_of"],
        optional: &[
            "usd_spot",
            "usd_1yr",
            "usd_3yr",
            "usd_1yr_flex",
            "usd_3yr_flex",
            "offered",
            "native_currency",
            "native_price",
            "quality",
            "spot_as_of",
            "commit_basis",
        ],
    },
    Shape {
        kind: Kind::WindowsPrices,
        name: "windows_prices",
        required: &["provider", "region", "spec", "usd_per_hour_windows", "source", "as_of"],
        optional: &["usd_per_hour_linux", "quality"],
    },
    Shape {
        kind: Kind::Storage,
        name: "storage",
        required: &["provider", "region", "service", "disk_type", "usd_per_gb_month", "source", "as_of"],
        optional: &[
            "usd_per_iops_month",
            "usd_per_mbps_month",
            "media",
            "smallest_gib",
            "largest_gib",
            "notes",
            "quality",
        ],
    },
    Shape {
        kind: Kind::Egress,
        name: "egress",
        required: &["provider", "region", "direction", "tier_from_gb", "usd_per_gb", "source", "as_of"],
        optional: &["tier_to_gb", "notes", "quality"],
    },
    Shape {
        kind: Kind::Services,
        name: "loadbalancer or publicip_nat",
        required: &["provider", "region", "service", "charge", "usd", "unit", "source", "as_of"],
        optional: &["notes", "quality"],
    },
    Shape {
        kind: Kind::Kubernetes,
        name: "k8s",
        required: &["provider", "region", "service", "charge", "usd_per_hour", "source", "as_of"],
        optional: &["notes", "quality"],
    },
    Shape {
        kind: Kind::Licences,
        name: "os_surcharge",
        required: &[
            "provider",
            "os",
            "vcpu_min",
            "usd_per_vcpu_hour",
            "usd_per_instance_hour",
            "source",
            "as_of",
        ],
        optional: &["vcpu_max", "basis", "quality"],
    },
    Shape {
        kind: Kind::Latency,
        name: "latency",
        required: &["provider_a", "region_a", "provider_b", "region_b", "rtt_ms"],
        optional: &["suspect"],
    },
    Shape {
        kind: Kind::Certifications,
        name: "certifications",
        required: &["provider", "region", "certification", "source", "as_of"],
        optional: &["notes"],
    },
    Shape {
        kind: Kind::Derived,
        name: "discounts",
        required: &["provider", "scheme", "discount_median"],
        optional: &[],
    },
    Shape {
        kind: Kind::Derived,
        name: "region_factors",
        required: &["provider", "region", "base_region", "median_ratio"],
        optional: &[],
    },
];

/// Whether a file begins like a table of this set.
pub(super) fn recognises(head: &str) -> bool {
    let header = head.lines().next().unwrap_or_default().to_lowercase();
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    SHAPES.iter().any(|shape| {
        let present = shape.required.iter().filter(|name| columns.contains(name)).count();
        present * 10 >= shape.required.len() * 6
    })
}

/// Whether a text is a date, as precise as it may be.
pub(super) fn is_date(text: &str) -> bool {
    cells::is_date(text)
}

/// Reads a set of tables; `None` when no region or no instance type came of them.
pub(super) fn read(files: &[InputFile<'_>], id: &str, findings: &mut Findings) -> Option<Snapshot> {
    let mut tables: Vec<(Kind, Table<'_>)> = Vec::new();
    // One budget for all files together: many small ones that each unpack to the most are a bomb as well.
    let mut left = table::LARGEST_TEXT;
    for file in files {
        match table::text(file, left) {
            Ok(text) => {
                left = left.saturating_sub(text.len() as u64);
                let table = Table::new(file.name, text);
                tables.extend(recognise(&table, findings).map(|kind| (kind, table)));
            }
            Err(finding) => findings.push(*finding),
        }
    }
    let of = |kind: Kind| -> Vec<&Table<'_>> {
        tables.iter().filter(|(is, _)| *is == kind).map(|(_, table)| table).collect()
    };

    let base = Base::read(&of(Kind::Regions), &of(Kind::Specs), findings);
    if base.regions.is_empty() || base.instance_types.is_empty() {
        let missing = if base.regions.is_empty() { "regions" } else { "specs" };
        let summary = format!("no catalog came of these files: no usable row of a {missing} table");
        let help =
            "a catalog needs at least a regions, a specs and a prices table; see docs/formats/catalog.md";
        findings.push(Finding::error("CAT-1002", summary).help(help));
        return None;
    }
    let mut sources = Sources::default();
    let offers = offers::read(&of(Kind::Prices), &of(Kind::WindowsPrices), &base, &mut sources, findings);
    let disks = storage::read(&of(Kind::Storage), &base, &mut sources, findings);
    let transfers = transfers::read(&of(Kind::Egress), &base, &mut sources, findings);
    let services = services::read(&of(Kind::Services), &of(Kind::Kubernetes), &base, &mut sources, findings);
    let licences = licences::read(&of(Kind::Licences), &base, &mut sources, findings);
    let latencies = latencies::read(&of(Kind::Latency), &base, findings);
    let certifications = certifications::read(&of(Kind::Certifications), &base, findings);

    let mut snapshot = Snapshot {
        id: id.to_owned(),
        currency: Currency::USD,
        sources: Vec::new().into(),
        providers: base.providers,
        regions: base.regions,
        instance_types: base.instance_types,
        offers,
        disks,
        transfers,
        services,
        licences,
        latencies,
        certifications,
        unit_prices: Vec::new(),
    };
    outliers::refuse(&mut snapshot, findings);
    sources.settle(&mut snapshot);
    Some(snapshot)
}

/// Tells what a table is about, and what is odd about its header.
fn recognise(table: &Table<'_>, findings: &mut Findings) -> Option<Kind> {
    let missing = |shape: &Shape| -> Vec<&str> {
        shape.required.iter().copied().filter(|column| !table.has(column)).collect()
    };
    let complete = SHAPES.iter().filter(|shape| missing(shape).is_empty());
    let Some(shape) = complete.max_by_key(|shape| shape.required.len()) else {
        findings.push(unrecognised(table, missing));
        return None;
    };
    if shape.kind == Kind::Derived {
        let summary = format!("the {} table is computed from other tables and was not loaded", shape.name);
        findings.push(Finding::info("CAT-1011", summary).at(Place::file(table.file)));
        return None;
    }
    for name in &table.header {
        if !shape.required.iter().chain(shape.optional).any(|known| known == name) {
            let summary = "columns that this table does not have were ignored";
            findings.tally("CAT-1010", Severity::Info, summary, table.file, name);
        }
    }
    Some(shape.kind)
}

/// Says which columns keep a table from being of the kind it resembles most.
fn unrecognised(table: &Table<'_>, missing: impl Fn(&Shape) -> Vec<&'static str>) -> Finding {
    let likeness = |shape: &&Shape| {
        let present = |columns: &[&str]| columns.iter().filter(|column| table.has(column)).count();
        (present(shape.required) * 100 / shape.required.len(), present(shape.optional))
    };
    // Reversed, so that of equally likely kinds the first is named.
    let nearest = SHAPES.iter().rev().max_by_key(likeness).expect("there are kinds of tables");
    let place = Place::file(table.file).row(1);
    if likeness(&nearest).0 >= 60 {
        let lacks = missing(nearest).join(", ");
        let summary = format!("the {} table lacks the required columns {lacks}", nearest.name);
        return Finding::error("CAT-1009", summary).at(place).help("add them; see docs/formats/catalog.md");
    }
    let header = clip(&table.header.join(", "));
    let summary = format!("no kind of catalog table has the header \"{header}\"");
    Finding::error("CAT-1003", summary).at(place).help("see docs/formats/catalog.md for the tables there are")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTATION: &str = include_str!("../../../../docs/formats/catalog.md");

    /// The columns that the documentation gives a table: name and whether it is required.
    fn documented(section: &str) -> Vec<(String, bool)> {
        let cells = |line: &str| line.trim_matches('|').split(" | ").map(|c| c.trim().to_owned()).collect();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let of_row = |row: &str| -> Vec<(String, bool)> {
            let cells: Vec<String> = cells(row);
            let names = cells[0].split(", ").map(|name| name.trim_matches('`').to_owned());
            names.map(|name| (name, cells[1] == "yes")).collect()
        };
        rows.flat_map(of_row).collect()
    }

    #[test]
    fn the_documentation_lists_exactly_the_columns_that_are_known() {
        for shape in SHAPES.iter().filter(|shape| shape.kind != Kind::Derived) {
            let name =
                if shape.kind == Kind::Services { "loadbalancer and publicip_nat" } else { shape.name };
            let heading = format!("\n## {name}\n");
            let section = DOCUMENTATION.split_once(&heading).unwrap_or_else(|| panic!("no section {name}")).1;
            let mut told = documented(section.split("\n## ").next().expect("a first part"));
            let columns = |columns: &[&str], required| -> Vec<(String, bool)> {
                columns.iter().map(|column| ((*column).to_owned(), required)).collect()
            };
            let mut known = [columns(shape.required, true), columns(shape.optional, false)].concat();
            told.sort();
            known.sort();
            assert_eq!(told, known, "{name}");
        }
    }

    #[test]
    fn the_examples_of_the_documentation_are_a_catalog() {
        let examples: Vec<&str> = DOCUMENTATION
            .split("```csv\n")
            .skip(1)
            .map(|rest| rest.split_once("```").expect("a closed block").0)
            .collect();
        let files: Vec<InputFile<'_>> =
            examples.iter().map(|text| InputFile { name: "example", bytes: text.as_bytes() }).collect();
        let mut findings = Findings::default();
        let snapshot = read(&files, "documented", &mut findings).expect("a catalog");
        assert_eq!(findings.finish(), []);
        let parts = [
            snapshot.offers.len(),
            snapshot.disks.len(),
            snapshot.transfers.len(),
            snapshot.services.len(),
            snapshot.licences.len(),
            snapshot.latencies.len(),
            snapshot.certifications.len(),
        ];
        assert_eq!(parts, [1, 1, 1, 3, 1, 1, 1]);
    }

    #[test]
    fn no_two_kinds_of_table_can_be_mistaken_for_each_other() {
        for shape in SHAPES {
            let header = shape.required.join(",");
            let mut findings = Findings::default();
            let kind = recognise(&Table::new("f", header.as_str().into()), &mut findings);
            assert_eq!(kind, (shape.kind != Kind::Derived).then_some(shape.kind), "{}", shape.name);
        }
    }
}
