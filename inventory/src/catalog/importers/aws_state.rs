//! What an AWS offer means, whether it came as JSON or as CSV: which products are kept, and what their terms cost.
//!
//! Most products of the EC2 offer are variants nobody plans with: dedicated tenancy (6 to 10 % dearer), capacity that is
//! reserved but unused (zero), software that is installed (SQL Server). They share the instance type with the plain
//! machine, so a reader that does not tell them apart finds zeros and wrong rates.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{Reach, ServiceKind, Term, UnitKind};
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::host::{Architecture, Media, OsFamily};
use carafe_model::units::Rate;
use serde::Deserialize;

use super::common::{self, HOURS_A_YEAR, per};
use crate::catalog::findings::{Findings, clip};
use crate::catalog::listing::{Listing, Machine, Slot};

/// The attributes of a product that decide what it is. Names are those of the JSON offers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Attributes {
    pub instance_type: String,
    pub region_code: String,
    pub from_region_code: String,
    pub vcpu: String,
    pub memory: String,
    pub operating_system: String,
    pub pre_installed_sw: String,
    pub tenancy: String,
    pub capacitystatus: String,
    pub license_model: String,
    pub marketoption: String,
    pub network_performance: String,
    pub physical_processor: String,
    pub gpu: String,
    pub volume_api_name: String,
    pub volume_type: String,
    pub servicecode: String,
    pub database_engine: String,
    pub deployment_option: String,
    pub usagetype: String,
    pub operation: String,
    pub group: String,
    pub transfer_type: String,
    pub to_location: String,
}

/// What a product is.
#[derive(Clone, Debug)]
enum Good {
    Machine(u32, u32, Slot),
    Disk(u32, &'static str, Media, (u32, u32)),
    Transfer(u32, Reach),
    Service(u32, ServiceKind, &'static str),
    Unit(u32, UnitKind, String),
}

/// One line of a price: what is counted, from where on, and what it costs.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub unit: String,
    pub from: String,
    pub price: String,
    pub currency: String,
}

/// How long a reservation binds, and what kind it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct TermAttributes {
    pub lease_contract_length: String,
    pub purchase_option: String,
    pub offering_class: String,
}

/// Classes of EBS that count as the disk of a server, with what they are made of and their sizes.
const DISKS: [(&str, Media, (u32, u32)); 3] =
    [("gp3", Media::Ssd, (1, 16_384)), ("gp2", Media::Ssd, (1, 16_384)), ("st1", Media::Hdd, (125, 16_384))];

/// The products that were kept, by SKU.
pub(super) struct AwsOffer<'a> {
    pub file: &'a str,
    pub published: String,
    pub listing: &'a mut Listing,
    pub findings: &'a mut Findings,
    products: BTreeMap<String, Good>,
    skipped_plans: BTreeSet<String>,
}

impl<'a> AwsOffer<'a> {
    /// An offer of which nothing has been read.
    pub fn new(
        file: &'a str,
        as_of: &str,
        listing: &'a mut Listing,
        findings: &'a mut Findings,
    ) -> AwsOffer<'a> {
        AwsOffer {
            file,
            published: as_of.to_owned(),
            listing,
            findings,
            products: BTreeMap::new(),
            skipped_plans: BTreeSet::new(),
        }
    }

    /// Whether a product was kept.
    pub fn has(&self, sku: &str) -> bool {
        self.products.contains_key(sku)
    }

    /// Keeps a product if a plan can be priced with it.
    pub fn product(&mut self, sku: &str, family: &str, attributes: &Attributes) {
        let Some(good) = self.good(family, attributes) else { return };
        if self.products.insert(sku.to_owned(), good).is_some() {
            let finding = Finding::warning("CAT-2202", format!("the SKU {} is listed twice", clip(sku)));
            let place = Place::file(self.file).at(format!("/products/{}", clip(sku)));
            self.findings.push(finding.at(place).help("the last one counts; download the offer again"));
        }
    }

    fn good(&mut self, family: &str, product: &Attributes) -> Option<Good> {
        let mut region = |code: &str| (!code.is_empty()).then(|| self.listing.region("aws", code));
        match family {
            "Compute Instance" | "Compute Instance (bare metal)" => {
                let region = region(&product.region_code)?;
                self.machine(region, product)
            }
            "Storage" if product.servicecode == "AmazonS3" && !product.volume_type.is_empty() => {
                let region = region(&product.region_code)?;
                Some(Good::Unit(region, UnitKind::ObjectStorage, product.volume_type.clone()))
            }
            "System Operation" if product.group == "EBS IOPS" && !product.volume_api_name.is_empty() => {
                let region = region(&product.region_code)?;
                Some(Good::Unit(region, UnitKind::DiskIops, product.volume_api_name.clone()))
            }
            "Provisioned Throughput" if !product.volume_api_name.is_empty() => {
                let region = region(&product.region_code)?;
                Some(Good::Unit(region, UnitKind::DiskThroughput, product.volume_api_name.clone()))
            }
            "Database Instance" if !product.instance_type.is_empty() => {
                let parts = [
                    &product.instance_type,
                    &product.database_engine,
                    &product.deployment_option,
                    &product.license_model,
                ];
                let name: Vec<&str> =
                    parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
                Some(Good::Unit(region(&product.region_code)?, UnitKind::Database, name.join(", ")))
            }
            "Storage" => {
                let (name, media, sizes) =
                    DISKS.into_iter().find(|(name, ..)| *name == product.volume_api_name)?;
                Some(Good::Disk(region(&product.region_code)?, name, media, sizes))
            }
            "Data Transfer" => {
                let reach = match (product.transfer_type.as_str(), product.to_location.as_str()) {
                    ("AWS Outbound", "External") => Reach::Internet,
                    ("InterRegion Outbound", _) => Reach::InterRegion,
                    ("IntraRegion", _) => Reach::InterZone,
                    _ => return None,
                };
                let code = match product.from_region_code.is_empty() {
                    true => &product.region_code,
                    false => &product.from_region_code,
                };
                Some(Good::Transfer(region(code)?, reach))
            }
            "Load Balancer-Network" if product.usagetype.ends_with("LoadBalancerUsage") => {
                Some(Good::Service(region(&product.region_code)?, ServiceKind::LoadBalancer, "Network LB"))
            }
            "NAT Gateway" if product.usagetype.contains("NatGateway-") => {
                Some(Good::Service(region(&product.region_code)?, ServiceKind::NatGateway, "NAT Gateway"))
            }
            _ if product.usagetype.ends_with("PublicIPv4:InUseAddress") => {
                Some(Good::Service(region(&product.region_code)?, ServiceKind::PublicAddress, "Public IPv4"))
            }
            _ if product.usagetype.ends_with("AmazonEKS-Hours:perCluster") => {
                Some(Good::Service(region(&product.region_code)?, ServiceKind::KubernetesControlPlane, "EKS"))
            }
            _ => None,
        }
    }

    fn machine(&mut self, region: u32, product: &Attributes) -> Option<Good> {
        let is_plain = product.tenancy == "Shared"
            && matches!(product.capacitystatus.as_str(), "Used" | "")
            && matches!(product.pre_installed_sw.as_str(), "NA" | "")
            && matches!(product.marketoption.as_str(), "OnDemand" | "")
            && product.license_model != "Bring your own license";
        let slot = match product.operating_system.as_str() {
            "Linux" => Slot::Term(Term::OnDemand),
            "Windows" => Slot::With(OsFamily::Windows),
            "RHEL" => Slot::With(OsFamily::Rhel),
            "SUSE" => Slot::With(OsFamily::Sles),
            _ => return None,
        };
        if !is_plain || product.instance_type.is_empty() {
            let summary = "products of dedicated tenancy, unused capacity, or with software were not loaded";
            self.findings.tally("CAT-2201", Severity::Info, summary, self.file, "");
            return None;
        }
        let is_arm = product.physical_processor.contains("Graviton");
        let says = Machine {
            architecture: Some(if is_arm { Architecture::Arm64 } else { Architecture::X86_64 }),
            vcpus: product.vcpu.parse().ok(),
            memory: common::gib(&product.memory),
            gpus: Some(product.gpu.parse().unwrap_or(0)),
            burstable: Some(product.instance_type.starts_with('t')),
            network_mbps: mbps(&product.network_performance),
            ..Machine::default()
        };
        let machine = self.listing.machine("aws", &product.instance_type, says);
        Some(Good::Machine(region, machine, slot))
    }

    /// Reads one line of an on-demand term.
    pub fn on_demand(&mut self, sku: &str, dimension: &Dimension) {
        let Some(good) = self.products.get(sku).cloned() else { return };
        let place = || Place::file(self.file).at(format!("/terms/OnDemand/{}", clip(sku)));
        if !self.listing.speaks(&dimension.currency, place, self.findings) {
            return;
        }
        let Some(rate) = common::rate(&dimension.price, place, self.findings) else { return };
        let source = self.listing.source("AWS Price List", &self.published, "");
        let quote = (rate, source);
        match good {
            Good::Machine(region, machine, slot) if dimension.unit == "Hrs" => {
                self.listing.quote((region, machine), slot, quote, place, self.findings);
            }
            Good::Disk(region, name, media, sizes) if dimension.unit == "GB-Mo" => {
                self.listing.disk(region, name, media, quote, sizes);
            }
            Good::Transfer(region, reach) if dimension.unit == "GB" => {
                let from = dimension.from.parse().unwrap_or(0);
                self.listing.transfer(region, reach, from, quote);
            }
            Good::Service(region, kind, name) => match dimension.unit.as_str() {
                "Hrs" | "Hours" => self.listing.service(region, kind, name, Some(quote), None),
                "GB" => self.listing.service(region, kind, name, None, Some(quote)),
                _ => {}
            },
            Good::Unit(region, kind, name) => {
                let from = dimension.from.parse().unwrap_or(0);
                self.listing.unit_price(region, kind, &name, &dimension.unit, from, quote);
            }
            Good::Machine(..) | Good::Disk(..) | Good::Transfer(..) => {
                let summary = "prices in units that are not expected were left out";
                self.findings.tally(
                    "CAT-2204",
                    Severity::Warning,
                    summary,
                    self.file,
                    &clip(&dimension.unit),
                );
            }
        }
    }

    /// Reads a reservation: what is paid in advance is spread over its hours, so that all kinds compare.
    pub fn reserved(&mut self, sku: &str, term: &TermAttributes, dimensions: &[Dimension]) {
        let Some(Good::Machine(region, machine, Slot::Term(Term::OnDemand))) = self.products.get(sku) else {
            return;
        };
        let (region, machine) = (*region, *machine);
        let (slot, years) = match (term.lease_contract_length.as_str(), term.offering_class.as_str()) {
            ("1yr", "standard") => (Term::OneYear, 1),
            ("3yr", "standard") => (Term::ThreeYears, 3),
            _ => return,
        };
        let place = || Place::file(self.file).at(format!("/terms/Reserved/{}", clip(sku)));
        let mut hourly = Rate(0);
        for dimension in dimensions {
            if !self.listing.speaks(&dimension.currency, place, self.findings) {
                return;
            }
            let Some(rate) = common::rate(&dimension.price, place, self.findings) else { return };
            hourly += match dimension.unit.as_str() {
                "Quantity" => per(rate, HOURS_A_YEAR * years),
                _ => rate,
            };
        }
        let quality = "commitments: Standard, the cheapest way of paying";
        let source = self.listing.source("AWS Price List", &self.published, quality);
        self.listing.quote((region, machine), Slot::Term(slot), (hourly, source), place, self.findings);
    }

    /// Remembers a savings plan that holds for one family of machines only.
    pub fn skip_plan(&mut self, sku: String) {
        self.skipped_plans.insert(sku);
    }

    /// Whether a savings plan is not to be read.
    pub fn skips_plan(&self, sku: &str) -> bool {
        self.skipped_plans.contains(sku)
    }

    /// Reads one rate of a Compute Savings Plan.
    pub fn savings_plan(&mut self, years: u32, rate: &PlanRate) {
        let is_plain = rate.discounted_operation == "RunInstances"
            && rate.discounted_usage_type.contains("BoxUsage:")
            && rate.unit == "Hrs";
        if !is_plain || rate.discounted_region_code.is_empty() {
            return;
        }
        let slot = match years {
            1 => Term::OneYearFlex,
            3 => Term::ThreeYearsFlex,
            _ => return,
        };
        let place = || Place::file(self.file).at(format!("/terms/savingsPlan/{}", clip(&rate.rate_code)));
        let currency = &rate.discounted_rate.currency;
        if !self.listing.speaks(currency, place, self.findings) {
            return;
        }
        let Some(price) = common::rate(&rate.discounted_rate.price, place, self.findings) else { return };
        let source = self.listing.source("AWS Price List", &self.published, "savings plans: Compute");
        let region = self.listing.region("aws", &rate.discounted_region_code);
        let named = rate.discounted_usage_type.rsplit("BoxUsage:").next().unwrap_or_default();
        let machine = self.listing.machine("aws", named, Machine::default());
        self.listing.quote((region, machine), Slot::Term(slot), (price, source), place, self.findings);
    }
}

/// What a savings plan makes of one rate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PlanRate {
    discounted_usage_type: String,
    discounted_operation: String,
    discounted_region_code: String,
    rate_code: String,
    unit: String,
    discounted_rate: PlanPrice,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlanPrice {
    price: String,
    currency: String,
}

/// `Up to 10 Gigabit`, `25 Gigabit`, `12500 Megabit` in Mbit/s; words such as `High` say nothing.
fn mbps(text: &str) -> Option<u32> {
    let number = text.trim_start_matches("Up to ").split(' ').next()?;
    let number: f64 = number.parse().ok().filter(|number| *number > 0.0 && *number < 1e6)?;
    match (text.contains("Gigabit"), text.contains("Megabit")) {
        (true, _) => Some((number * 1000.0) as u32),
        (false, true) => Some(number as u32),
        (false, false) => None,
    }
}
