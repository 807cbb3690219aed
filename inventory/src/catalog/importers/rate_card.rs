//! An operator's own prices: for clouds whose API tells none (OpenStack, NHN, KT, private ones), in any currency.
//!
//! One form in two spellings. CSV has a header and one row for each price; TOML has one `[[price]]` for each, and what
//! stands above the first of them holds for all. `docs/formats/rate-card.md` tells the columns. A price per vCPU and GiB
//! makes a price for every machine of known size that has none of its own, whichever file of the import names it.

use std::collections::BTreeMap;

use carafe_model::catalog::{Reach, ServiceKind, Term};
use carafe_model::finding::{Finding, Place, nearest};
use carafe_model::host::{Architecture, Media, OsFamily};
use carafe_model::units::{HOURS_PER_MONTH, Rate};

use super::aws_csv;
use super::common::{self, per};
use super::{Findings, Listing, Opened, Request};
use crate::catalog::findings::clip;
use crate::catalog::listing::{Machine, Quote, Slot, licence};

/// The columns that there are.
const COLUMNS: [&str; 15] = [
    "provider",
    "region",
    "display",
    "country",
    "item",
    "name",
    "vcpus",
    "memory_gib",
    "arch",
    "price",
    "unit",
    "currency",
    "from_gib",
    "as_of",
    "source",
];
/// What can have a price.
const ITEMS: [&str; 15] = [
    "machine",
    "vcpu",
    "memory",
    "disk",
    "disk-hdd",
    "egress",
    "inter-region",
    "inter-zone",
    "address",
    "load-balancer",
    "nat",
    "kubernetes",
    "windows",
    "rhel",
    "sles",
];

/// A table with items and currencies, or TOML with prices.
pub(super) fn recognises(head: &str) -> bool {
    let header = head.lines().next().unwrap_or_default().to_lowercase();
    let has = |name: &str| header.split(',').any(|column| column.trim() == name);
    head.contains("[[price]]") || has("item") && has("price") && has("provider")
}

/// A price and where it stands.
struct Row {
    cells: BTreeMap<String, String>,
    place: Place,
}

/// What a vCPU and a GiB cost in a region.
type Units = BTreeMap<(String, String), (Option<Quote>, Option<Quote>)>;

/// Reads cards.
pub(super) fn read(
    files: Vec<Opened<'_>>,
    request: &Request<'_>,
    listing: &mut Listing,
    findings: &mut Findings,
) {
    let mut units = Units::new();
    for file in files {
        let rows = match file.head.contains("[[price]]") {
            true => toml_rows(file, findings),
            false => csv_rows(file, findings),
        };
        for row in rows {
            read_row(&row, request, listing, &mut units, findings);
        }
    }
    for ((provider, region), (vcpu, memory)) in units {
        let (Some(vcpu), Some(memory)) = (vcpu, memory) else {
            let what = format!(
                "{}/{}: a price per vCPU needs one per GiB beside it",
                clip(&provider),
                clip(&region)
            );
            findings.push(
                Finding::warning("CAT-2302", what).help("give both; a price of 0 says that it is free"),
            );
            continue;
        };
        listing.price_by_size(&provider, &region, vcpu, memory);
    }
}

fn csv_rows(file: Opened<'_>, findings: &mut Findings) -> Vec<Row> {
    let name = file.name;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.text);
    let header: Vec<String> = reader
        .headers()
        .map(|row| row.iter().map(|cell| cell.trim().to_lowercase()).collect())
        .unwrap_or_default();
    for column in header.iter().filter(|column| !COLUMNS.contains(&column.as_str())) {
        let what = format!("the rate card has no column \"{}\"", clip(column));
        let help = match nearest(column, COLUMNS) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the columns are: {}", COLUMNS.join(", ")),
        };
        findings.push(Finding::warning("CAT-1010", what).at(Place::file(name).row(1)).help(help));
    }
    let mut rows = Vec::new();
    for (nth, row) in reader.records().enumerate() {
        match row {
            Ok(row) => {
                let cells =
                    header.iter().cloned().zip(row.iter().map(|cell| cell.trim().to_owned())).collect();
                rows.push(Row { cells, place: Place::file(name).row(nth as u32 + 2) });
            }
            Err(error) => findings.push(*aws_csv::refused(name, error)),
        }
    }
    rows
}

fn toml_rows(mut file: Opened<'_>, findings: &mut Findings) -> Vec<Row> {
    let name = file.name;
    let mut text = String::new();
    // A card is written by a person; what is larger than this was generated and is better kept as CSV.
    let read = std::io::Read::read_to_string(&mut std::io::Read::take(&mut file.text, 16 << 20), &mut text);
    if let Err(error) = read {
        findings.push(*crate::catalog::stream::broken(name, &error));
        return Vec::new();
    }
    let document: toml::Table = match text.parse() {
        Ok(document) => document,
        Err(error) => {
            let message = error.message().to_owned();
            let row =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            let finding = Finding::error("CAT-2301", format!("the TOML cannot be read: {}", clip(&message)));
            findings.push(finding.at(Place::file(name).row(row as u32)).help("mend the line"));
            return Vec::new();
        }
    };
    let plain = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(format!("{number}")),
        toml::Value::Datetime(date) => Some(date.to_string()),
        toml::Value::Boolean(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    };
    let cells_of = |table: &toml::Table| {
        let cells = table.iter().filter_map(|(key, value)| Some((key.clone(), plain(value)?)));
        cells.collect::<BTreeMap<String, String>>()
    };
    let above = cells_of(&document);
    let prices = document.get("price").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut rows = Vec::new();
    for (nth, price) in prices.iter().filter_map(toml::Value::as_table).enumerate() {
        let mut cells = above.clone();
        cells.extend(cells_of(price));
        for key in cells.keys().filter(|key| !COLUMNS.contains(&key.as_str())) {
            let what = format!("the rate card has no key \"{}\"", clip(key));
            findings
                .push(Finding::warning("CAT-1010", what).at(Place::file(name).at(format!("price[{nth}]"))));
        }
        rows.push(Row { cells, place: Place::file(name).at(format!("price[{nth}]")) });
    }
    rows
}

fn read_row(
    row: &Row,
    request: &Request<'_>,
    listing: &mut Listing,
    units: &mut Units,
    findings: &mut Findings,
) {
    let cell = |name: &str| row.cells.get(name).map_or("", String::as_str);
    let or = |name: &str, other: Option<&str>| match cell(name) {
        "" => other.unwrap_or_default().to_owned(),
        text => text.to_owned(),
    };
    let (provider, region) = (or("provider", request.provider), or("region", request.region));
    if provider.is_empty() || region.is_empty() {
        let finding = Finding::error("CAT-1204", "a price without provider or region is left out");
        return findings.push(finding.at(row.place.clone()).help("fill in both"));
    }
    let item = cell("item");
    if !ITEMS.contains(&item) {
        let what = format!("a rate card prices no \"{}\"", clip(item));
        let help = match nearest(item, ITEMS) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the items are: {}", ITEMS.join(", ")),
        };
        return findings.push(Finding::error("CAT-2303", what).at(row.place.clone()).help(help));
    }
    let place_of = listing.region(&provider, &region);
    listing.describe_region(place_of, cell("display"), cell("country"), &[]);
    let machine = (item == "machine" || !cell("vcpus").is_empty()).then(|| {
        listing.machine(
            &provider,
            cell("name"),
            Machine {
                architecture: Some(common::architecture(cell("arch")).unwrap_or(Architecture::X86_64)),
                vcpus: cell("vcpus").parse().ok(),
                memory: common::gib(cell("memory_gib")),
                gpus: Some(0),
                ..Machine::default()
            },
        )
    });
    if let Some(machine) = machine {
        // Known to be sold here, even where only its size has a price.
        listing.sale(place_of, machine);
    }
    if cell("price").is_empty() {
        return;
    }
    let as_of = or("as_of", Some(request.as_of));
    let place = || row.place.clone();
    let file = row.place.file.clone().unwrap_or_default();
    if !common::is_dated(&as_of, &file, findings) || !listing.speaks(cell("currency"), place, findings) {
        return;
    }
    let Some(listed) = common::rate(cell("price"), place, findings) else { return };
    if listed.0 < 0 {
        let finding = Finding::error("CAT-1103", "a negative price is not used");
        return findings.push(finding.at(place()).help("correct the figure or leave the cell empty"));
    }
    let rate = match (item, cell("unit")) {
        (
            "disk" | "disk-hdd" | "egress" | "inter-region" | "inter-zone",
            "" | "GB" | "GiB" | "GB-month" | "GiB-month" | "month",
        ) => listed,
        (_, "" | "hour") => listed,
        (_, "month") => per(listed, HOURS_PER_MONTH),
        (_, "year") => per(listed, common::HOURS_A_YEAR),
        (_, other) => {
            let what = format!("the price is in a unit that is not expected: \"{}\"", clip(other));
            let help = "write hour, month or year; GB for traffic, GB-month for disks";
            return findings.push(Finding::error("CAT-1502", what).at(place()).help(help));
        }
    };
    let source = listing.source(&or("source", Some("rate card")), &as_of, "");
    let quote: Quote = (rate, source);
    let from = cell("from_gib").parse().unwrap_or(0);
    let name = match cell("name") {
        "" => item,
        name => name,
    };
    let of_region = units.entry((provider.clone(), region));
    match item {
        "machine" => {
            let machine = machine.expect("entered above");
            listing.quote((place_of, machine), Slot::Term(Term::OnDemand), quote, place, findings);
        }
        "vcpu" => of_region.or_default().0 = Some(quote),
        "memory" => of_region.or_default().1 = Some(quote),
        "disk" => listing.disk(place_of, name, Media::Ssd, quote, (0, 0)),
        "disk-hdd" => listing.disk(place_of, name, Media::Hdd, quote, (0, 0)),
        "egress" => listing.transfer(place_of, Reach::Internet, from, quote),
        "inter-region" => listing.transfer(place_of, Reach::InterRegion, from, quote),
        "inter-zone" => listing.transfer(place_of, Reach::InterZone, from, quote),
        "address" => listing.service(place_of, ServiceKind::PublicAddress, name, Some(quote), None),
        "load-balancer" => listing.service(place_of, ServiceKind::LoadBalancer, name, Some(quote), None),
        "nat" => listing.service(place_of, ServiceKind::NatGateway, name, Some(quote), None),
        "kubernetes" => {
            listing.service(place_of, ServiceKind::KubernetesControlPlane, name, Some(quote), None)
        }
        "windows" => listing.licence(&provider, licence(OsFamily::Windows, rate, Rate(0), source)),
        "rhel" => listing.licence(&provider, licence(OsFamily::Rhel, rate, Rate(0), source)),
        "sles" => listing.licence(&provider, licence(OsFamily::Sles, rate, Rate(0), source)),
        _ => {}
    }
}
