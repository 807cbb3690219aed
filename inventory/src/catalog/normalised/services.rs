//! The tables `loadbalancer`, `publicip_nat` and `k8s`: what is billed by the hour beside machines.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use carafe_model::catalog::ServiceKind::{KubernetesControlPlane, LoadBalancer, NatGateway, PublicAddress};
use carafe_model::catalog::{PriceSource, Region, ServiceKind, ServicePrice};
use carafe_model::finding::Severity;
use carafe_model::idx::Idx;
use carafe_model::units::Rate;

use super::base::{Base, PlaceColumns, Precision};
use super::cells::{SourceColumns, Zero, price, priced_twice};
use crate::catalog::findings::{Findings, clip};
use crate::catalog::sources::Sources;
use crate::catalog::table::{Column, Row, Table};

/// What a charge is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Billed for every hour.
    Hour,
    /// Billed for every hour it is not in use; in use it is free, which is the price that counts here.
    HourUnused,
    /// Billed for what passes through.
    Gib,
}

/// The charge that counts for a kind of service, by provider, service and charge as price lists name them; `*` stands
/// for any provider that has no line of its own for that kind, and for any service. Where a provider sells several
/// grades, this is the layer-4 load balancer, the static regional address, and the control plane with a service level.
const CHARGES: &[(ServiceKind, &str, &str, &str, Charge)] = &[
    (LoadBalancer, "aws", "Network LB", "base", Charge::Hour),
    (
        LoadBalancer,
        "azure",
        "Standard Load Balancer",
        "Standard Included LB Rules and Outbound Rules",
        Charge::Hour,
    ),
    (LoadBalancer, "azure", "Standard Load Balancer", "Standard Data Processed", Charge::Gib),
    (LoadBalancer, "gcp", "Cloud Load Balancing", "forwarding rules (first 5)", Charge::Hour),
    // Inbound costs the same; a GiB passes in one direction.
    (LoadBalancer, "gcp", "Cloud Load Balancing", "outbound data processed", Charge::Gib),
    (LoadBalancer, "alibaba", "CLB (internet-facing)", "instance fee", Charge::Hour),
    (LoadBalancer, "tencent", "CLB", "instance fee", Charge::Hour),
    (LoadBalancer, "ibm", "LB for VPC", "instance", Charge::Hour),
    (LoadBalancer, "ibm", "LB for VPC", "data processed", Charge::Gib),
    (LoadBalancer, "oci", "Flexible Load Balancer", "base", Charge::Hour),
    (LoadBalancer, "*", "*", "load balancer", Charge::Hour),
    (LoadBalancer, "*", "*", "load balancer data", Charge::Gib),
    (PublicAddress, "aws", "Public IPv4", "address", Charge::Hour),
    (PublicAddress, "azure", "Public IP Standard static (regional)", "address", Charge::Hour),
    (PublicAddress, "gcp", "External IPv4 (attached to VM)", "address", Charge::Hour),
    (PublicAddress, "alibaba", "EIP", "configuration fee", Charge::HourUnused),
    (PublicAddress, "tencent", "EIP (idle only)", "address", Charge::HourUnused),
    (PublicAddress, "ibm", "Floating IP", "address", Charge::Hour),
    (PublicAddress, "ncp", "Public IP", "address", Charge::Hour),
    (PublicAddress, "*", "*", "address", Charge::Hour),
    (NatGateway, "aws", "NAT Gateway", "gateway", Charge::Hour),
    (NatGateway, "aws", "NAT Gateway", "data processed", Charge::Gib),
    (NatGateway, "azure", "NAT Gateway", "gateway", Charge::Hour),
    (NatGateway, "azure", "NAT Gateway", "data processed", Charge::Gib),
    (NatGateway, "gcp", "Cloud NAT", "gateway (per source figure)", Charge::Hour),
    (NatGateway, "gcp", "Cloud NAT", "data processed", Charge::Gib),
    (NatGateway, "tencent", "NAT Gateway small", "gateway", Charge::Hour),
    (NatGateway, "ibm", "Public Gateway", "gateway", Charge::Hour),
    (NatGateway, "*", "*", "gateway", Charge::Hour),
    (NatGateway, "*", "*", "gateway data", Charge::Gib),
    (KubernetesControlPlane, "aws", "EKS", "standard support", Charge::Hour),
    (KubernetesControlPlane, "azure", "AKS", "Standard (Uptime SLA)", Charge::Hour),
    (KubernetesControlPlane, "gcp", "GKE", "cluster management fee", Charge::Hour),
    (KubernetesControlPlane, "alibaba", "ACK Pro managed", "cluster fee", Charge::Hour),
    // Up to twenty machines: the smallest grade with room for a cluster that is in earnest.
    (KubernetesControlPlane, "tencent", "TKE managed L20", "cluster fee", Charge::Hour),
    (KubernetesControlPlane, "oci", "OKE enhanced", "cluster fee", Charge::Hour),
    (KubernetesControlPlane, "*", "*", "cluster fee", Charge::Hour),
];

/// What counts for a charge.
#[derive(Debug)]
struct Figure {
    precision: Precision,
    service: String,
    rate: Rate,
    source: Idx<PriceSource>,
}

type Figures = BTreeMap<(Idx<Region>, ServiceKind), Figure>;

/// Reads the tables; prices come sorted by region and kind.
pub(super) fn read(
    services: &[&Table<'_>],
    kubernetes: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Vec<ServicePrice> {
    let (mut hours, mut gibs) = (Figures::new(), Figures::new());
    for table in services {
        read_table(table, "usd", base, [&mut hours, &mut gibs], sources, findings);
    }
    for table in kubernetes {
        read_table(table, "usd_per_hour", base, [&mut hours, &mut gibs], sources, findings);
    }
    let with_gib = |((region, kind), hour): ((Idx<Region>, ServiceKind), Figure)| {
        let gib = gibs.get(&(region, kind)).filter(|gib| gib.service == hour.service);
        ServicePrice {
            region,
            kind,
            name: hour.service,
            hour: hour.rate,
            gib: gib.map(|gib| gib.rate),
            source: hour.source,
        }
    };
    hours.into_iter().map(with_gib).collect()
}

fn read_table(
    table: &Table<'_>,
    rate_column: &'static str,
    base: &Base,
    [hours, gibs]: [&mut Figures; 2],
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let place_columns = PlaceColumns::of(table);
    let source_columns = SourceColumns::of(table);
    let [service, charge, unit] = ["service", "charge", "unit"].map(|name| table.column(name));
    let rate_column = table.column(rate_column);
    table.rows(findings, |row, findings| {
        let provider = row.text(place_columns.provider);
        let Some((kind, counted)) = charge_of(provider, row.text(service), row.text(charge)) else {
            let summary = "charges that no part of a plan is priced with were not loaded";
            let name = format!("{} {} {}", clip(provider), clip(row.text(service)), clip(row.text(charge)));
            return findings.tally("CAT-1501", Severity::Info, summary, row.file, &name);
        };
        if table.has("unit") && !is_unit(row.text(unit), counted) {
            let finding = row.error("CAT-1502", unit, "a charge in a unit that is not expected is left out");
            return findings
                .push(finding.help("write hour for what is billed by time and GB for what passes through"));
        }
        let Some(listed) = price(row, rate_column, Zero::Free, findings).known() else { return };
        let (precision, regions) = base.regions_of(row, place_columns, findings);
        let (rate, remarks, figures) = match counted {
            Charge::Hour => (listed, Vec::new(), &mut *hours),
            Charge::HourUnused => (Rate(0), vec!["free while in use".to_owned()], &mut *hours),
            Charge::Gib => (listed, Vec::new(), &mut *gibs),
        };
        let Some(source) = source_columns.read(row, &remarks, sources, findings) else { return };
        for region in regions {
            let figure = Figure { precision, service: row.text(service).to_owned(), rate, source };
            keep(figures, (region, kind), figure, (row, charge), sources, findings);
        }
    });
}

/// What a charge is, by the lines for its provider or, where that has none for the kind, by those for any.
fn charge_of(provider: &str, service: &str, charge: &str) -> Option<(ServiceKind, Charge)> {
    let own = CHARGES.iter().find(|line| (line.1, line.2, line.3) == (provider, service, charge));
    let any = || {
        CHARGES.iter().find(|line| {
            let named =
                |other: &&(ServiceKind, &str, &str, &str, Charge)| other.0 == line.0 && other.1 == provider;
            line.1 == "*" && line.3 == charge && !CHARGES.iter().any(|other| named(&other))
        })
    };
    own.or_else(any).map(|line| (line.0, line.4))
}

fn is_unit(unit: &str, counted: Charge) -> bool {
    match counted {
        Charge::Hour | Charge::HourUnused => matches!(unit, "hour" | "1 Hour"),
        Charge::Gib => matches!(unit, "GB" | "GiB" | "1 GB"),
    }
}

/// Enters a figure; the more exact one wins, then the newest, then the dearest.
fn keep(
    figures: &mut Figures,
    place: (Idx<Region>, ServiceKind),
    figure: Figure,
    (row, charge): (&Row<'_>, Column),
    sources: &Sources,
    findings: &mut Findings,
) {
    let Some(known) = figures.get_mut(&place) else {
        figures.insert(place, figure);
        return;
    };
    let order = figure.precision.cmp(&known.precision);
    if order == Ordering::Equal {
        findings.push(priced_twice(row, charge));
    }
    let rank =
        |figure: &Figure| (sources.as_of(figure.source).to_owned(), figure.rate, figure.service.clone());
    if order.then_with(|| rank(&figure).cmp(&rank(known))) == Ordering::Greater {
        *known = figure;
    }
}
