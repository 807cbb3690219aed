//! What clouds sell, with prices: the columns the planner reads.
//!
//! A [`Snapshot`] is frozen: places in its lists are the only references between its parts, and its hash names it for
//! ever. It is sorted, so that the same rows give the same bytes in whatever order they were read.

use serde::{Deserialize, Serialize};

use crate::host::{Architecture, Media, OsFamily};
use crate::ids::{ProviderName, RateId, RegionName};
use crate::idx::{Idx, IdxVec};
use crate::snapshot::columns;
use crate::units::{Currency, Mib, Rate, Vcpus};

/// A dated, hashed catalog. `model::snapshot` reads and writes its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Name for people, for example `starter-2026-11`.
    pub id: String,
    /// The one currency of every rate in it.
    pub currency: Currency,
    /// Where prices come from; every price points here.
    pub sources: IdxVec<PriceSource>,
    /// Providers, by name.
    pub providers: IdxVec<Provider>,
    /// Regions, by provider and name.
    pub regions: IdxVec<Region>,
    /// Instance types, by provider and name; those that no offer names are known but have no price.
    pub instance_types: IdxVec<InstanceType>,
    /// Machines for sale, by region and instance type.
    pub offers: Offers,
    /// Block storage, by region and class.
    pub disks: Vec<DiskPrice>,
    /// Outgoing traffic, by region and reach.
    pub transfers: Vec<TransferPrice>,
    /// Everything billed by the hour beside machines, by region and kind.
    pub services: Vec<ServicePrice>,
    /// Operating system licences, by provider and system.
    pub licences: Vec<LicencePrice>,
    /// Measured round trips, by region pair.
    pub latencies: Vec<Latency>,
    /// Certifications that regions hold, by region and name.
    pub certifications: Vec<Certification>,
    /// List prices of what is sold by other units, by region, kind, name, unit and step.
    pub unit_prices: Vec<UnitPrice>,
}

/// Where a price comes from and when it was true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PriceSource {
    /// The list, API or document.
    pub name: String,
    /// The date it was true, as precisely as the source tells: `2026-08-13`, `2026-08`, or `2026`.
    pub as_of: String,
    /// Anything that qualifies the figure, for example `rounded to 0.01`; empty when nothing does.
    pub quality: String,
}

/// Someone who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its name, for example `aws`.
    pub name: ProviderName,
}

/// A place where a provider sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Whose it is.
    pub provider: Idx<Provider>,
    /// The provider's name for it.
    pub name: RegionName,
    /// A name for people, for example `Seoul (KR)`.
    pub display: String,
    /// ISO 3166 alpha-2 country, capital letters; empty when unknown.
    pub country: String,
    /// Its zones; empty when unknown.
    pub zones: Vec<String>,
    /// Latitude and longitude in millionths of a degree.
    pub coordinates: Option<(i32, i32)>,
}

/// A machine shape that a provider names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceType {
    /// Whose it is.
    pub provider: Idx<Provider>,
    /// The provider's name for it, for example `m5.large`.
    pub name: String,
    /// The provider's family, for example `m5`; empty when unknown.
    pub family: String,
    /// Instruction set.
    pub architecture: Architecture,
    /// Hardware threads.
    pub vcpus: Vcpus,
    /// Memory.
    pub memory: Mib,
    /// Accelerators; `None` when the source does not tell.
    pub gpus: Option<u32>,
    /// Model of the accelerators; empty when there are none or it is unknown.
    pub gpu_model: String,
    /// Whether processor time is rationed by credits; `None` when the source does not tell.
    pub burstable: Option<bool>,
    /// What it may use of its processors all day where time is rationed, in thousandths of a hardware thread; `None`
    /// when it is not rationed or not known.
    pub baseline_milli: Option<u32>,
    /// Network throughput it keeps up, in Mbit/s: the baseline where the source tells one, else the most; `None` when
    /// it tells neither.
    pub network_mbps: Option<u32>,
}

/// For how long a machine is paid for in advance.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Term {
    /// By the hour, no promise.
    #[serde(rename = "on-demand")]
    OnDemand,
    /// By the hour, may be taken away.
    #[serde(rename = "spot")]
    Spot,
    /// One year, for this instance type (reserved instance, resource commitment).
    #[serde(rename = "1yr")]
    OneYear,
    /// Three years, for this instance type.
    #[serde(rename = "3yr")]
    ThreeYears,
    /// One year of spending (savings plan).
    #[serde(rename = "1yr-flex")]
    OneYearFlex,
    /// Three years of spending (savings plan).
    #[serde(rename = "3yr-flex")]
    ThreeYearsFlex,
}

impl Term {
    /// Every term, in the order in which ties are decided.
    pub const ALL: [Term; 6] = [
        Term::OnDemand,
        Term::OneYear,
        Term::OneYearFlex,
        Term::ThreeYears,
        Term::ThreeYearsFlex,
        Term::Spot,
    ];

    /// The name in policies, plans and rate ids.
    pub const fn name(self) -> &'static str {
        match self {
            Term::OnDemand => "on-demand",
            Term::Spot => "spot",
            Term::OneYear => "1yr",
            Term::ThreeYears => "3yr",
            Term::OneYearFlex => "1yr-flex",
            Term::ThreeYearsFlex => "3yr-flex",
        }
    }

    /// The months that are paid for whether used or not.
    pub const fn months(self) -> u32 {
        match self {
            Term::OnDemand | Term::Spot => 0,
            Term::OneYear | Term::OneYearFlex => 12,
            Term::ThreeYears | Term::ThreeYearsFlex => 36,
        }
    }

    /// The term of a name.
    pub fn parse(name: &str) -> Option<Term> {
        Term::ALL.into_iter().find(|term| term.name() == name)
    }
}

/// Machines for sale as columns of equal length, sorted by region, then instance type.
///
/// Rates are per hour with a Linux that costs nothing extra; a rate of zero in a column means that the source gives
/// none (a price of zero never gets in).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Offers {
    /// Where.
    #[serde(with = "columns")]
    pub region: Vec<Idx<Region>>,
    /// What.
    #[serde(with = "columns")]
    pub instance_type: Vec<Idx<InstanceType>>,
    /// Which source the rates are from.
    #[serde(with = "columns")]
    pub source: Vec<Idx<PriceSource>>,
    /// By the hour.
    #[serde(with = "columns")]
    pub on_demand: Vec<Rate>,
    /// Interruptible.
    #[serde(with = "columns")]
    pub spot: Vec<Rate>,
    /// One year, this type.
    #[serde(with = "columns")]
    pub one_year: Vec<Rate>,
    /// Three years, this type.
    #[serde(with = "columns")]
    pub three_years: Vec<Rate>,
    /// One year of spending.
    #[serde(with = "columns")]
    pub one_year_flex: Vec<Rate>,
    /// Three years of spending.
    #[serde(with = "columns")]
    pub three_years_flex: Vec<Rate>,
    /// By the hour with Windows included.
    #[serde(with = "columns")]
    pub windows: Vec<Rate>,
    /// Which source the Windows rate is from; meaningless where there is none.
    #[serde(with = "columns")]
    pub windows_source: Vec<Idx<PriceSource>>,
}

/// One machine for sale: a row of [`Offers`], used only as the target of an index.
#[derive(Debug)]
pub enum Offer {}

impl Offers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.region.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.region.is_empty()
    }

    /// The hourly rate of an offer for a term; `None` when it is not sold or not known.
    pub fn rate(&self, offer: Idx<Offer>, term: Term) -> Option<Rate> {
        let column = match term {
            Term::OnDemand => &self.on_demand,
            Term::Spot => &self.spot,
            Term::OneYear => &self.one_year,
            Term::ThreeYears => &self.three_years,
            Term::OneYearFlex => &self.one_year_flex,
            Term::ThreeYearsFlex => &self.three_years_flex,
        };
        known(column[offer.usize()])
    }

    /// The column of a term.
    pub fn term_mut(&mut self, term: Term) -> &mut Vec<Rate> {
        match term {
            Term::OnDemand => &mut self.on_demand,
            Term::Spot => &mut self.spot,
            Term::OneYear => &mut self.one_year,
            Term::ThreeYears => &mut self.three_years,
            Term::OneYearFlex => &mut self.one_year_flex,
            Term::ThreeYearsFlex => &mut self.three_years_flex,
        }
    }

    /// Keeps the rows that are marked; there is one mark for each.
    pub fn retain(&mut self, keep: &[bool]) {
        fn column<T>(column: &mut Vec<T>, keep: &[bool]) {
            let mut marks = keep.iter();
            column.retain(|_| *marks.next().expect("one mark for each row"));
        }
        column(&mut self.region, keep);
        column(&mut self.instance_type, keep);
        column(&mut self.source, keep);
        for term in Term::ALL {
            column(self.term_mut(term), keep);
        }
        column(&mut self.windows, keep);
        column(&mut self.windows_source, keep);
    }

    /// The hourly on-demand rate with Windows included.
    pub fn windows_rate(&self, offer: Idx<Offer>) -> Option<Rate> {
        known(self.windows[offer.usize()])
    }
}

fn known(rate: Rate) -> Option<Rate> {
    (rate.0 > 0).then_some(rate)
}

/// A class of block storage in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskPrice {
    /// Where.
    pub region: Idx<Region>,
    /// The provider's name for it, for example `gp3`.
    pub class: String,
    /// What it is made of.
    pub media: Media,
    /// Price of one GiB for a month.
    pub gib_month: Rate,
    /// Smallest disk sold, in GiB; zero when unknown.
    pub smallest_gib: u32,
    /// Largest disk sold, in GiB; zero when unknown.
    pub largest_gib: u32,
    /// Which source.
    pub source: Idx<PriceSource>,
}

/// How far traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reach {
    /// To another zone of the region.
    InterZone,
    /// To another region of the provider.
    InterRegion,
    /// To anywhere else.
    Internet,
}

impl Reach {
    /// The name in rate ids.
    pub const fn name(self) -> &'static str {
        match self {
            Reach::InterZone => "inter-zone",
            Reach::InterRegion => "inter-region",
            Reach::Internet => "internet",
        }
    }
}

/// What traffic out of a region costs, by volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferPrice {
    /// Where it leaves.
    pub region: Idx<Region>,
    /// How far it goes.
    pub reach: Reach,
    /// Tiers of a month, by ascending start; the first starts at zero. A rate of zero is a free allowance.
    pub tiers: Vec<TransferTier>,
    /// Which source.
    pub source: Idx<PriceSource>,
}

/// A tier of outgoing traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferTier {
    /// GiB a month from which it holds.
    pub from_gib: u64,
    /// Price of one GiB.
    pub gib: Rate,
}

impl TransferPrice {
    /// The rate of the first tier that is not free, or zero when all are free.
    pub fn first_paid(&self) -> Rate {
        self.tiers.iter().map(|tier| tier.gib).find(|rate| rate.0 > 0).unwrap_or_default()
    }
}

/// What is billed by the hour beside machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKind {
    /// A layer-4 load balancer.
    LoadBalancer,
    /// A public IPv4 address.
    PublicAddress,
    /// A NAT gateway.
    NatGateway,
    /// The control plane of a managed Kubernetes cluster.
    KubernetesControlPlane,
}

impl ServiceKind {
    /// The name in rate ids.
    pub const fn name(self) -> &'static str {
        match self {
            ServiceKind::LoadBalancer => "load-balancer",
            ServiceKind::PublicAddress => "address",
            ServiceKind::NatGateway => "nat",
            ServiceKind::KubernetesControlPlane => "kubernetes",
        }
    }
}

/// The price of a service in a region. Zero is a real price here: some are free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePrice {
    /// Where.
    pub region: Idx<Region>,
    /// What.
    pub kind: ServiceKind,
    /// The provider's name for it, for example `Network LB`.
    pub name: String,
    /// Price of an hour.
    pub hour: Rate,
    /// Price of one GiB that passes through, where that is billed and known.
    pub gib: Option<Rate>,
    /// Which source.
    pub source: Idx<PriceSource>,
}

/// What is sold by the unit and not placed by a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UnitKind {
    /// Operations per second of block storage above those that its capacity includes.
    DiskIops,
    /// Throughput of block storage above what its capacity includes.
    DiskThroughput,
    /// Object storage.
    ObjectStorage,
    /// A managed database.
    Database,
}

impl UnitKind {
    /// The name in tables and documents.
    pub const fn name(self) -> &'static str {
        match self {
            UnitKind::DiskIops => "disk-iops",
            UnitKind::DiskThroughput => "disk-throughput",
            UnitKind::ObjectStorage => "object-storage",
            UnitKind::Database => "database",
        }
    }
}

/// A list price for one unit of something, by the provider's own name and unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPrice {
    /// Where.
    pub region: Idx<Region>,
    /// What it belongs to.
    pub kind: UnitKind,
    /// The provider's name for it, for example `gp3` or `db.m5.large PostgreSQL Single-AZ`.
    pub name: String,
    /// The provider's unit, for example `IOPS-Mo`, `GB-Mo` or `Hrs`.
    pub unit: String,
    /// Units a month from which the price holds; zero for the first step.
    pub from: u64,
    /// Price of one unit. Zero is a free allowance.
    pub rate: Rate,
    /// Which source.
    pub source: Idx<PriceSource>,
}

/// What an operating system adds to the price of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicencePrice {
    /// Whose.
    pub provider: Idx<Provider>,
    /// Which system.
    pub os: OsFamily,
    /// Smallest machine the row holds for.
    pub vcpus_from: Vcpus,
    /// Largest machine the row holds for; `None` for any.
    pub vcpus_to: Option<Vcpus>,
    /// Price of an hour for each hardware thread.
    pub vcpu_hour: Rate,
    /// Price of an hour for the machine.
    pub machine_hour: Rate,
    /// Which source.
    pub source: Idx<PriceSource>,
}

/// A measured round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Asked from here.
    pub from: Idx<Region>,
    /// Answered from here.
    pub to: Idx<Region>,
    /// Round trip in microseconds.
    pub rtt_micros: u32,
    /// Whether it is faster than light in fibre, so cannot be true.
    pub suspect: bool,
}

/// A certification that a region holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certification {
    /// Where.
    pub region: Idx<Region>,
    /// What it is called, for example `CSAP`.
    pub name: String,
    /// Who says so.
    pub source: String,
    /// The date it was true, as precisely as the source tells.
    pub as_of: String,
}

impl Snapshot {
    /// The rate id of an offer's machine for a term: `aws/ap-northeast-2/m5.large/on-demand`.
    pub fn machine_rate_id(&self, offer: Idx<Offer>, term: Term) -> RateId {
        let region = self.offers.region[offer.usize()];
        let instance_type = &self.instance_types[self.offers.instance_type[offer.usize()]];
        RateId(format!("{}/{}/{}", self.region_path(region), instance_type.name, term.name()))
    }

    /// The rate id of a disk class: `aws/us-east-1/disk/gp3`.
    pub fn disk_rate_id(&self, disk: &DiskPrice) -> RateId {
        RateId(format!("{}/disk/{}", self.region_path(disk.region), disk.class))
    }

    /// The rate id of outgoing traffic: `aws/us-east-1/egress/internet`.
    pub fn transfer_rate_id(&self, transfer: &TransferPrice) -> RateId {
        RateId(format!("{}/egress/{}", self.region_path(transfer.region), transfer.reach.name()))
    }

    /// The rate id of a service: `aws/us-east-1/load-balancer/Network LB`.
    pub fn service_rate_id(&self, service: &ServicePrice) -> RateId {
        RateId(format!("{}/{}/{}", self.region_path(service.region), service.kind.name(), service.name))
    }

    /// `provider/region`, as policies write it.
    pub fn region_path(&self, region: Idx<Region>) -> String {
        let region = &self.regions[region];
        format!("{}/{}", self.providers[region.provider].name, region.name)
    }

    /// The oldest and the newest date of any price in it; empty when nothing has a date.
    pub fn price_dates(&self) -> (&str, &str) {
        let dates =
            || self.sources.iter().map(|source| source.as_of.as_str()).filter(|date| !date.is_empty());
        (dates().min().unwrap_or_default(), dates().max().unwrap_or_default())
    }
}
