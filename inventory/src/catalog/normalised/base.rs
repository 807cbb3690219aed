//! Providers, regions and instance types: what every price points at.

use std::cell::Cell;
use std::collections::BTreeMap;
#[expect(
    clippy::disallowed_types,
    reason = "names are looked up in it, and nothing is read off its order"
)]
use std::collections::HashMap;

use carafe_model::catalog::{InstanceType, Provider, Region};
use carafe_model::finding::Severity;
use carafe_model::host::Architecture;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::idx::{Idx, IdxVec};
use carafe_model::units::{Mib, Vcpus};

use super::baselines;
use crate::catalog::decimal;
use crate::catalog::findings::{Findings, clip};
use crate::catalog::table::{Column, Row, Table};

/// The lists in their final order, and where each name stands in them.
#[derive(Debug, Default)]
pub(super) struct Base {
    pub providers: IdxVec<Provider>,
    pub regions: IdxVec<Region>,
    pub instance_types: IdxVec<InstanceType>,
    names: BTreeMap<String, Names>,
    /// How many prices rows for many regions may still become.
    prices_left: Cell<usize>,
}

/// How many prices all rows that hold for many regions may become together. Real lists make a few thousand; without an
/// end, a small file of such rows beside many regions would fill the memory.
const MOST_SPREAD_PRICES: usize = 100_000;

/// What is known of one provider.
#[derive(Debug)]
pub(super) struct Names {
    provider: Idx<Provider>,
    regions: BTreeMap<String, Idx<Region>>,
    #[expect(
        clippy::disallowed_types,
        reason = "names are looked up in it, and nothing is read off its order"
    )]
    instance_types: HashMap<String, Idx<InstanceType>>,
}

impl Names {
    /// The place of a region.
    pub fn region(&self, name: &str) -> Option<Idx<Region>> {
        self.regions.get(name).copied()
    }

    /// The place of an instance type.
    pub fn instance_type(&self, name: &str) -> Option<Idx<InstanceType>> {
        self.instance_types.get(name).copied()
    }
}

/// How exactly a row says where it holds; the more exact one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precision {
    /// Every region of the provider.
    Provider,
    /// A group of regions.
    Group,
    /// One region.
    Region,
}

/// Groups of regions that price lists name, as the countries whose regions belong to them.
const GROUPS: &[(&str, &str, &[&str])] = &[
    (
        "oci",
        "North America, Europe, UK",
        &["US", "CA", "MX", "GB", "DE", "NL", "FR", "ES", "IT", "SE", "CH", "RS", "IE", "NO", "PL"],
    ),
    (
        "oci",
        "APAC, Japan, South America",
        &["JP", "KR", "SG", "AU", "IN", "ID", "MY", "TH", "PH", "NZ", "TW", "BR", "CL", "CO", "AR", "PE"],
    ),
    ("oci", "Middle East, Africa", &["AE", "SA", "IL", "QA", "ZA", "MA", "KE", "EG"]),
];

impl Base {
    /// Reads the tables of regions and of instance types.
    pub fn read(regions: &[&Table<'_>], specs: &[&Table<'_>], findings: &mut Findings) -> Base {
        let regions = read_regions(regions, findings);
        let types = read_types(specs, findings);
        let mut base = Base { prices_left: Cell::new(MOST_SPREAD_PRICES), ..Base::default() };
        let mut providers: Vec<&String> = regions.keys().chain(types.keys()).collect();
        providers.sort();
        providers.dedup();
        for name in providers {
            let provider = base.providers.push(Provider { name: ProviderName(name.clone()) });
            let of_provider =
                Names { provider, regions: BTreeMap::new(), instance_types: Default::default() };
            base.names.insert(name.clone(), of_provider);
        }
        for (provider, regions) in regions {
            let names = base.names.get_mut(&provider).expect("entered above");
            for (name, region) in regions {
                let place = base.regions.push(Region { provider: names.provider, ..region });
                names.regions.insert(name, place);
            }
        }
        for (provider, types) in types {
            let names = base.names.get_mut(&provider).expect("entered above");
            for (name, instance_type) in types {
                let place =
                    base.instance_types.push(InstanceType { provider: names.provider, ..instance_type });
                names.instance_types.insert(name, place);
            }
        }
        base
    }

    /// The place of a provider.
    pub fn provider(&self, name: &str) -> Option<Idx<Provider>> {
        self.names.get(name).map(|names| names.provider)
    }

    /// What is known of a provider.
    pub fn names(&self, provider: &str) -> Option<&Names> {
        self.names.get(provider)
    }

    /// The place of a region.
    pub fn region(&self, provider: &str, name: &str) -> Option<Idx<Region>> {
        self.names(provider)?.region(name)
    }

    /// The regions that a row of a smaller table holds for: one, those of a named group, or, for `all`, every one.
    /// A row for regions that the catalog does not have is counted.
    pub fn regions_of(
        &self,
        row: &Row<'_>,
        columns: PlaceColumns,
        findings: &mut Findings,
    ) -> (Precision, Vec<Idx<Region>>) {
        let (provider, region) = (row.text(columns.provider), row.text(columns.region));
        if let Some(place) = self.region(provider, region) {
            return (Precision::Region, vec![place]);
        }
        let group = GROUPS.iter().find(|(of, name, _)| *of == provider && *name == region);
        let of_provider =
            self.names.get(provider).into_iter().flat_map(|names| names.regions.values().copied());
        let (precision, regions): (Precision, Vec<_>) = match group {
            Some((_, _, countries)) => {
                let inside = |place: &Idx<Region>| countries.contains(&self.regions[*place].country.as_str());
                (Precision::Group, of_provider.filter(inside).collect())
            }
            None if region == "all" => (Precision::Provider, of_provider.collect()),
            None => (Precision::Region, Vec::new()),
        };
        if regions.is_empty() {
            let summary = "rows for regions that the regions table does not have were left out";
            let name = format!("{}/{}", clip(provider), clip(region));
            findings.tally("CAT-1203", Severity::Warning, summary, row.file, &name);
        }
        let spread = if precision == Precision::Region { 0 } else { regions.len() };
        let Some(left) = self.prices_left.get().checked_sub(spread) else {
            let what = "the files hold too many rows that each hold for many regions; this one is left out";
            findings.push(row.error("CAT-1211", columns.region, what).help("name the region in each row"));
            return (precision, Vec::new());
        };
        self.prices_left.set(left);
        (precision, regions)
    }
}

/// The columns that say where a row holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlaceColumns {
    pub provider: Column,
    pub region: Column,
}

impl PlaceColumns {
    /// Finds them in a table.
    pub fn of(table: &Table<'_>) -> PlaceColumns {
        PlaceColumns { provider: table.column("provider"), region: table.column("region") }
    }
}

type ByProvider<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Enters something under its provider and name; a second one of the same name is reported and left out.
fn enter<T>(
    entered: &mut ByProvider<T>,
    (provider, name): (Column, Column),
    item: T,
    row: &Row<'_>,
    findings: &mut Findings,
) {
    let of_provider = entered.entry(row.text(provider).to_owned()).or_default();
    if of_provider.contains_key(row.text(name)) {
        let finding = row.warning("CAT-1106", name, "listed before; the first row counts");
        findings.push(finding.help("remove one of the two rows"));
        return;
    }
    of_provider.insert(row.text(name).to_owned(), item);
}

fn read_regions(tables: &[&Table<'_>], findings: &mut Findings) -> ByProvider<Region> {
    let mut regions = ByProvider::new();
    for table in tables {
        let [provider, name, display, country] =
            ["provider", "region", "display", "country"].map(|name| table.column(name));
        let [zones, latitude, longitude] = ["zones", "lat", "lon"].map(|name| table.column(name));
        table.rows(findings, |row, findings| {
            if row.text(provider).is_empty() || row.text(name).is_empty() {
                let finding = row.error("CAT-1204", name, "a region without provider or name is left out");
                return findings.push(finding.help("fill in both cells"));
            }
            let region = Region {
                provider: Idx::new(0),
                name: RegionName(row.text(name).to_owned()),
                display: row.text(display).to_owned(),
                country: country_code(row, country, findings),
                zones: sorted_zones(row.text(zones)),
                coordinates: coordinates(row, latitude, longitude, findings),
            };
            enter(&mut regions, (provider, name), region, row, findings);
        });
    }
    regions
}

fn country_code(row: &Row<'_>, column: Column, findings: &mut Findings) -> String {
    let code = row.text(column);
    if code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return code.to_owned();
    }
    let finding = row.warning("CAT-1205", column, "the country of the region is unknown");
    let help =
        "write its ISO 3166 code of two capital letters; residency rules cannot be met there without it";
    findings.push(finding.help(help));
    String::new()
}

fn sorted_zones(text: &str) -> Vec<String> {
    let mut zones: Vec<String> =
        text.split('|').map(str::trim).filter(|zone| !zone.is_empty()).map(str::to_owned).collect();
    zones.sort();
    zones.dedup();
    zones
}

fn coordinates(
    row: &Row<'_>,
    latitude: Column,
    longitude: Column,
    findings: &mut Findings,
) -> Option<(i32, i32)> {
    if row.text(latitude).is_empty() && row.text(longitude).is_empty() {
        return None;
    }
    let mut millionths = |column: Column, largest: i64| {
        let degrees = decimal::scaled(row.text(column), 6).ok().map(|number| number.value);
        let inside = degrees.filter(|value| value.abs() <= largest * 1_000_000);
        if inside.is_none() {
            let finding = row.warning("CAT-1206", column, "not a latitude or longitude in degrees");
            findings
                .push(finding.help("write degrees with a point, such as 37.5665, or leave both cells empty"));
        }
        inside.and_then(|value| i32::try_from(value).ok())
    };
    let (latitude, longitude) = (millionths(latitude, 90), millionths(longitude, 180));
    latitude.zip(longitude)
}

fn read_types(tables: &[&Table<'_>], findings: &mut Findings) -> ByProvider<InstanceType> {
    let mut types = ByProvider::new();
    for table in tables {
        let [provider, name, family] = ["provider", "spec", "family"].map(|name| table.column(name));
        let [arch, vcpu, memory] = ["arch", "vcpu", "memory_gib"].map(|name| table.column(name));
        let [gpus, gpu_model, burstable] =
            ["gpu_count", "gpu_model", "burstable"].map(|name| table.column(name));
        let [network, network_baseline, baseline] =
            ["network_gbps", "network_baseline_gbps", "baseline_vcpus"].map(|name| table.column(name));
        table.rows(findings, |row, findings| {
            if row.text(provider).is_empty() || row.text(name).is_empty() {
                let finding =
                    row.error("CAT-1204", name, "an instance type without provider or name is left out");
                return findings.push(finding.help("fill in both cells"));
            }
            let Some((vcpus, memory)) = size(row, vcpu, memory, findings) else { return };
            let instance_type = InstanceType {
                provider: Idx::new(0),
                name: row.text(name).to_owned(),
                family: row.text(family).to_owned(),
                architecture: architecture(row, arch, findings),
                vcpus,
                memory,
                gpus: accelerators(row, gpus, findings),
                gpu_model: Some(row.text(gpu_model)).filter(|model| *model != "NA").unwrap_or("").to_owned(),
                burstable: flag(row.text(burstable)),
                baseline_milli: thousandths(row, baseline, findings)
                    .or_else(|| baselines::known(row.text(provider), row.text(name))),
                network_mbps: thousandths(row, network_baseline, findings)
                    .or_else(|| thousandths(row, network, findings)),
            };
            enter(&mut types, (provider, name), instance_type, row, findings);
        });
    }
    types
}

/// A decimal in thousandths, rounded down; a cell that is no positive number is reported and counts as unknown.
fn thousandths(row: &Row<'_>, column: Column, findings: &mut Findings) -> Option<u32> {
    let text = row.text(column);
    if text.is_empty() {
        return None;
    }
    let read = decimal::scaled(text, 6).ok().and_then(|number| u32::try_from(number.value / 1_000).ok());
    if read.is_none_or(|value| value == 0) {
        let finding =
            row.warning("CAT-1212", column, "a throughput or baseline cannot be read; used as unknown");
        findings.push(finding.help("write a positive decimal number, or leave the cell empty"));
    }
    read.filter(|value| *value > 0)
}

/// The size of a machine; one of unknown size is of no use and is reported.
fn size(row: &Row<'_>, vcpu: Column, memory: Column, findings: &mut Findings) -> Option<(Vcpus, Mib)> {
    let vcpus = row.text(vcpu).parse().ok().filter(|count| *count > 0).map(Vcpus);
    if vcpus.is_none() {
        let finding = row.error("CAT-1207", vcpu, "an instance type without a count of vCPUs is left out");
        findings.push(finding.help("write a whole number of hardware threads"));
    }
    let mib = decimal::gib_to_mib(row.text(memory)).ok().filter(|memory| memory.0 > 0);
    if mib.is_none() {
        let finding = row.error("CAT-1207", memory, "an instance type without a size of memory is left out");
        findings.push(finding.help("write GiB as a decimal number, such as 3.75"));
    }
    // Dividing MiB by 1.024 is a known mistake of collectors: 16 GiB becomes 15.625. A few sizes look like it by nature.
    let looks_divided = |mib: &Mib| mib.0.is_multiple_of(1000) && !mib.0.is_multiple_of(1024);
    if mib.as_ref().is_some_and(looks_divided) {
        let summary =
            "memory sizes look like GiB divided by 1.024; used as written, which is never too large";
        findings.tally("CAT-1209", Severity::Info, summary, row.file, row.text(memory));
    }
    vcpus.zip(mib)
}

fn architecture(row: &Row<'_>, column: Column, findings: &mut Findings) -> Architecture {
    match row.text(column) {
        "x86_64" => Architecture::X86_64,
        "arm64" => Architecture::Arm64,
        other => {
            let summary = "instance types with an unknown instruction set are kept, but fit no host";
            let name = if other.is_empty() { "none given" } else { other };
            findings.tally("CAT-1208", Severity::Info, summary, row.file, name);
            Architecture::Other
        }
    }
}

/// The number of accelerators. A share of one, such as 0.25, is neither none nor one, so it counts as not told.
fn accelerators(row: &Row<'_>, column: Column, findings: &mut Findings) -> Option<u32> {
    let text = row.text(column);
    if let Ok(count) = text.parse() {
        return Some(count);
    }
    if !text.is_empty() {
        let summary = "counts of accelerators that are not whole numbers are kept as unknown";
        findings.tally("CAT-1210", Severity::Info, summary, row.file, text);
    }
    None
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}
