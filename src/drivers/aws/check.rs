//! What would be refused, as far as reading tells, and as far as AWS says in a dry run of its own.

use carafe_model::steps::Action;

use super::client::{EC2, Query};
use super::site::Site;
use super::xml::text;
use super::{balancers, clusters};
use crate::drivers::cidr::Cidr;
use crate::drivers::{DriverError, ErrorKind, Kind, Target};

/// The longest name, which is the value of a tag, and the longest of security groups and key pairs.
const LONGEST_NAME: usize = 255;

fn invalid(what: String) -> DriverError {
    ErrorKind::Invalid.because(what)
}

impl Site<'_> {
    /// Everything against a target that is not there yet, apart from what it stands on not being there.
    pub(super) async fn refusals(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let mut told = Vec::new();
        let name = target.name();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            told.push(invalid(format!("a name has 1 to {LONGEST_NAME} characters on AWS")));
        }
        told.extend(self.quota_refusal(target.kind).await?);
        match &target.action {
            Action::Network { cidr, .. } => match block(cidr, 16, 28) {
                Ok(_) => told.extend(self.denial("CreateVpc", Query::new().set("CidrBlock", cidr)).await?),
                Err(refusal) => told.push(refusal),
            },
            Action::Subnet { network, cidr, zone, .. } => {
                told.extend(self.subnet_refusals(target, network, cidr, zone.as_deref()).await?);
            }
            Action::SecurityGroup { network, rules, .. } => {
                for rule in rules {
                    let is_block = rule.source.parse::<std::net::IpAddr>().is_ok()
                        || rule.source.contains(':')
                        || Cidr::parse(&rule.source).is_some();
                    if !is_block {
                        told.push(invalid(format!("\"{}\" is not a block of addresses", rule.source)));
                    }
                    if !["tcp", "udp", "icmp", "*"].contains(&rule.protocol.as_str()) {
                        told.push(invalid(format!(
                            "a rule is about tcp, udp, icmp or *, not {}",
                            rule.protocol
                        )));
                    }
                }
                if name.starts_with("sg-") {
                    told.push(invalid(
                        "the name of a security group does not begin with sg- on AWS".to_owned(),
                    ));
                }
                if let Some(around) = self.standing(target, Kind::Network, network).await? {
                    let query = Query::new()
                        .set("GroupName", name)
                        .set("GroupDescription", "asked whether it may be made")
                        .set("VpcId", around.id);
                    told.extend(self.denial("CreateSecurityGroup", query).await?);
                }
            }
            Action::KeyPair { .. } => match self.key_query(target) {
                Ok(query) => told.extend(self.denial("ImportKeyPair", query).await?),
                Err(refusal) => told.push(refusal),
            },
            Action::Machine { .. } => told.extend(self.machine_refusals(target).await?),
            Action::Disk { zone, .. } => {
                told.extend(match zone {
                    Some(zone) => self.zone_refusal(zone).await?,
                    None => None,
                });
                if told.is_empty() {
                    told.extend(self.denial("CreateVolume", self.disk_query(target).await?).await?);
                }
            }
            Action::PublicAddress { .. } => {
                told.extend(self.denial("AllocateAddress", Site::address_query(target)).await?);
            }
            Action::LoadBalancer { .. } => told.extend(balancers::refusals(&target.action)),
            Action::KubernetesCluster { subnets, instance_type, .. } => {
                if !clusters::is_name(name) {
                    told.push(invalid(
                        "the name of a cluster has up to 100 letters, digits, hyphens and underscores on AWS"
                            .to_owned(),
                    ));
                }
                if subnets.is_empty() {
                    told.push(invalid("a cluster needs a subnet".to_owned()));
                }
                told.extend(self.roles().err());
                told.extend(self.machine_type(instance_type).await.err().map(passed_on).transpose()?);
            }
            Action::Attachment { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        Ok(told)
    }

    /// Asks AWS whether it would let the account make something; what it says of anything but permissions and limits is
    /// told better elsewhere.
    async fn denial(&self, action: &str, query: Query) -> Result<Option<DriverError>, DriverError> {
        match self.cloud.client.dry_run(&self.region, EC2, action, &query).await {
            Ok(()) => Ok(None),
            Err(error) => match error.kind {
                ErrorKind::Denied | ErrorKind::Quota | ErrorKind::NoCapacity => Ok(Some(error)),
                ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Invalid => Ok(None),
                ErrorKind::Throttled { .. } | ErrorKind::Unknown => Err(error),
            },
        }
    }

    async fn subnet_refusals(
        &self,
        target: &Target,
        network: &str,
        cidr: &str,
        zone: Option<&str>,
    ) -> Result<Vec<DriverError>, DriverError> {
        let mut told = Vec::new();
        if let Some(zone) = zone {
            told.extend(self.zone_refusal(zone).await?);
        }
        let asked = match block(cidr, 16, 28) {
            Ok(asked) => asked,
            Err(refusal) => {
                told.push(refusal);
                return Ok(told);
            }
        };
        let Some(around) = self.standing(target, Kind::Network, network).await? else { return Ok(told) };
        let whole = text(&around.info, "cidrBlock");
        if Cidr::parse(whole).is_some_and(|whole| !whole.contains(asked)) {
            told.push(invalid(format!("{cidr} is not inside network \"{network}\"")));
            return Ok(told);
        }
        let query = Query::new().filter("vpc-id", [around.id.as_str()]);
        let siblings = self.all("DescribeSubnets", &query, "subnetSet").await?;
        let clash = siblings.iter().find(|sibling| {
            Cidr::parse(text(sibling, "cidrBlock")).is_some_and(|other| other.overlaps(asked))
        });
        if let Some(clash) = clash {
            let what = format!("{cidr} overlaps subnet {}", text(clash, "subnetId"));
            told.push(ErrorKind::Conflict.because(what));
        }
        if told.is_empty() {
            let query = Query::new().set("VpcId", around.id).set("CidrBlock", cidr);
            told.extend(self.denial("CreateSubnet", query).await?);
        }
        Ok(told)
    }

    async fn zone_refusal(&self, zone: &str) -> Result<Option<DriverError>, DriverError> {
        let zones = self.zones().await?;
        Ok((!zones.iter().any(|known| known == zone)).then(|| {
            let what = format!("{} has no zone {zone}, only {}", self.region, zones.join(", "));
            ErrorKind::NotFound.because(what)
        }))
    }

    async fn machine_refusals(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let Action::Machine { instance_type, vcpus, memory_mib, image, subnet, .. } = &target.action else {
            return Ok(Vec::new());
        };
        let mut told = Vec::new();
        let image = match self.image(image).await {
            Ok(image) => Some(image),
            Err(error) => {
                told.push(passed_on(error)?);
                None
            }
        };
        match self.machine_type(instance_type).await {
            Ok(offers) => {
                if offers.vcpus < u64::from(vcpus.0) || offers.memory < memory_mib.0 {
                    told.push(invalid(format!(
                        "instance type {instance_type} offers {} virtual CPUs and {} MiB, and {} and {} are needed",
                        offers.vcpus, offers.memory, vcpus.0, memory_mib.0
                    )));
                }
                if let Some(image) = &image
                    && !offers.architectures.contains(&image.architecture)
                {
                    told.push(invalid(format!(
                        "instance type {instance_type} runs {}, and image {} is of {}",
                        offers.architectures.join(", "),
                        image.id,
                        image.architecture
                    )));
                }
                told.extend(self.offer_refusal(target, instance_type, subnet).await?);
                told.extend(self.vcpu_refusal(instance_type, offers.vcpus).await?);
            }
            Err(error) => told.push(passed_on(error)?),
        }
        if told.is_empty() {
            told.extend(self.denial("RunInstances", self.machine_query(target).await?).await?);
        }
        Ok(told)
    }

    /// Why a zone would not take a machine of a type; not every zone has every type.
    async fn offer_refusal(
        &self,
        target: &Target,
        instance_type: &str,
        subnet: &str,
    ) -> Result<Option<DriverError>, DriverError> {
        let zones = self.zones_of(instance_type).await?;
        let standing = self.standing(target, Kind::Subnet, subnet).await?;
        let zone = standing.map(|subnet| text(&subnet.info, "availabilityZone").to_owned());
        let refused = match &zone {
            Some(zone) => !zones.contains(zone),
            None => zones.is_empty(),
        };
        Ok(refused.then(|| {
            let place = zone.as_deref().unwrap_or(&self.region);
            let there = match zones.is_empty() {
                true => "no zone does".to_owned(),
                false => format!("these do: {}", zones.into_iter().collect::<Vec<_>>().join(", ")),
            };
            ErrorKind::NoCapacity
                .because(format!("{place} does not offer instance type {instance_type}; {there}"))
        }))
    }
}

/// A block of addresses of a size that AWS takes.
fn block(cidr: &str, largest: u32, smallest: u32) -> Result<Cidr, DriverError> {
    let Some(block) = Cidr::parse(cidr) else {
        return Err(invalid(format!("\"{cidr}\" is not a block of IPv4 addresses")));
    };
    let prefix = cidr.split_once('/').and_then(|(_, prefix)| prefix.parse().ok()).unwrap_or(0);
    match (largest..=smallest).contains(&prefix) {
        true => Ok(block),
        false => {
            Err(invalid(format!("a block has from /{largest} to /{smallest} on AWS, and {cidr} has not")))
        }
    }
}

/// A refusal is told with the others; what could not be read ends the check.
fn passed_on(error: DriverError) -> Result<DriverError, DriverError> {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::NoCapacity | ErrorKind::Invalid | ErrorKind::Quota => Ok(error),
        ErrorKind::Denied | ErrorKind::Throttled { .. } | ErrorKind::Conflict | ErrorKind::Unknown => {
            Err(error)
        }
    }
}
