//! AWS Price List: offers as CSV, five lines of metadata and then one row for each line of a price.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Place};

use super::aws_state::{Attributes, AwsOffer, Dimension, TermAttributes};
use super::common;
use super::{Findings, Listing, Opened, Request};
use crate::catalog::stream;

/// The first line of metadata.
pub(super) fn recognises(head: &str) -> bool {
    head.starts_with("\"FormatVersion\"") || head.starts_with("FormatVersion,")
}

/// A reservation whose lines may stand far apart.
type Reservations = BTreeMap<(String, String), (TermAttributes, Vec<Dimension>)>;

/// Reads one offer.
pub(super) fn read(file: Opened<'_>, request: &Request<'_>, listing: &mut Listing, findings: &mut Findings) {
    let name = file.name;
    let mut offer = AwsOffer::new(name, request.as_of, listing, findings);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.text);
    let mut row = csv::StringRecord::new();
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    let mut reservations = Reservations::new();
    loop {
        match rows.read_record(&mut row) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                offer.findings.push(*refused(name, error));
                break;
            }
        }
        if columns.is_empty() {
            match &row[0] {
                "Publication Date" => {
                    let published = row.get(1).unwrap_or_default();
                    offer.published = common::date(published, &offer.published).to_owned();
                }
                "SKU" => columns = row.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect(),
                _ => {}
            }
            continue;
        }
        read_row(&row, &columns, &mut offer, &mut reservations);
    }
    for ((sku, _), (term, dimensions)) in reservations {
        offer.reserved(&sku, &term, &dimensions);
    }
    common::is_dated(&offer.published, name, offer.findings);
    if columns.is_empty() {
        let finding = Finding::error("CAT-2001", "the table ends before its header");
        findings.push(finding.at(Place::file(name)).help("download the offer again"));
    }
}

fn read_row(
    row: &csv::StringRecord,
    columns: &BTreeMap<String, usize>,
    offer: &mut AwsOffer<'_>,
    reservations: &mut Reservations,
) {
    let cell = |name: &str| columns.get(name).and_then(|at| row.get(*at)).unwrap_or_default();
    let owned = |name: &str| cell(name).to_owned();
    let sku = cell("SKU");
    if !offer.has(sku) {
        let attributes = Attributes {
            instance_type: owned("Instance Type"),
            region_code: owned("Region Code"),
            from_region_code: owned("From Region Code"),
            vcpu: owned("vCPU"),
            memory: owned("Memory"),
            operating_system: owned("Operating System"),
            pre_installed_sw: owned("Pre Installed S/W"),
            tenancy: owned("Tenancy"),
            capacitystatus: owned("CapacityStatus"),
            license_model: owned("License Model"),
            marketoption: owned("MarketOption"),
            network_performance: owned("Network Performance"),
            physical_processor: owned("Physical Processor"),
            gpu: owned("GPU"),
            volume_api_name: owned("Volume API Name"),
            volume_type: owned("Volume Type"),
            servicecode: owned("serviceCode"),
            database_engine: owned("Database Engine"),
            deployment_option: owned("Deployment Option"),
            usagetype: owned("usageType"),
            operation: owned("operation"),
            group: owned("Group"),
            transfer_type: owned("Transfer Type"),
            to_location: owned("To Location"),
        };
        offer.product(sku, cell("Product Family"), &attributes);
    }
    if !offer.has(sku) {
        return;
    }
    let dimension = Dimension {
        unit: owned("Unit"),
        from: owned("StartingRange"),
        price: owned("PricePerUnit"),
        currency: owned("Currency"),
    };
    match cell("TermType") {
        "OnDemand" => offer.on_demand(sku, &dimension),
        "Reserved" => {
            let term = TermAttributes {
                lease_contract_length: owned("LeaseContractLength"),
                purchase_option: owned("PurchaseOption"),
                offering_class: owned("OfferingClass"),
            };
            let key = (sku.to_owned(), owned("OfferTermCode"));
            reservations.entry(key).or_insert_with(|| (term, Vec::new())).1.push(dimension);
        }
        _ => {}
    }
}

/// What is said of a table that cannot be read on.
pub(super) fn refused(file: &str, error: csv::Error) -> Box<Finding> {
    let row = error.position().map_or(1, |place| place.line() as u32);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => stream::broken(file, &error),
        csv::ErrorKind::Utf8 { .. } => {
            let finding = Finding::error("CAT-1006", "the file is not UTF-8 text");
            Box::new(finding.at(Place::file(file).row(row)).help("save it with the encoding UTF-8"))
        }
        other => {
            let finding = Finding::error("CAT-1012", format!("the row cannot be read: {other:?}"));
            Box::new(finding.at(Place::file(file).row(row)).help("download the file again"))
        }
    }
}
