//! What would be refused, as far as reading tells.

use carafe_model::steps::Action;

use super::addresses::no_outside;
use super::balancers;
use super::owner;
use super::servers::{LONGEST_NAME, root_volume};
use super::site::{Service, Site};
use crate::drivers::cidr::Cidr;
use crate::drivers::{DriverError, ErrorKind, Kind, Target};

impl Site<'_> {
    /// Everything against a target that is not there yet, apart from what it stands on not being there.
    pub(super) async fn refusals(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let mut told = Vec::new();
        let token = self.cloud.keystone.token().await?;
        if !token.roles.is_empty() && token.roles.iter().all(|role| role == "reader") {
            let what = format!("in project \"{}\" the account may read and not write", token.project_name);
            told.push(ErrorKind::Denied.because(what));
        }
        let service = service(target.kind);
        if target.kind == Kind::KubernetesCluster || !self.has(service).await? {
            let what = format!(
                "region {} has no {}: its catalogue lists no {}",
                self.region,
                target.kind.words(),
                service.words()
            );
            told.push(ErrorKind::Invalid.because(what));
            return Ok(told);
        }
        let name = target.name();
        let described =
            owner::words(&target.owner, &[("name", name), ("part", "load-balancer"), ("router", "1")]);
        if name.is_empty()
            || name.chars().count() > LONGEST_NAME
            || described.chars().count() > owner::LONGEST
        {
            let what = "a name has at least one character, and with the step's no more than OpenStack's descriptions \
                        hold, which is 255";
            told.push(ErrorKind::Invalid.because(what));
        }
        told.extend(self.quota_refusals(target.kind).await?);
        match &target.action {
            Action::Network { cidr, .. } => {
                if Cidr::parse(cidr).is_none() {
                    let what = format!("\"{cidr}\" is not a block of IPv4 addresses");
                    told.push(ErrorKind::Invalid.because(what));
                }
                told.extend(self.external_network().await.err().map(passed_on).transpose()?);
            }
            Action::Subnet { network, cidr, zone, .. } => {
                told.extend(self.block_refusal(target, network, cidr).await?);
                if let Some(zone) = zone {
                    told.extend(self.zone_refusal(zone).await?);
                }
            }
            Action::SecurityGroup { rules, .. } => {
                for rule in rules {
                    let block = rule.source.parse::<std::net::IpAddr>().is_ok()
                        || rule.source.contains(':')
                        || Cidr::parse(&rule.source).is_some();
                    if !block {
                        let what = format!("\"{}\" is not a block of addresses", rule.source);
                        told.push(ErrorKind::Invalid.because(what));
                    }
                }
            }
            Action::KeyPair { .. } => told.extend(self.public_key().err()),
            Action::Machine { .. } => told.extend(self.machine_refusals(target).await?),
            Action::Disk { class, size_gib, .. } => {
                told.extend(self.disk_refusals(class.as_deref(), size_gib.0).await?);
            }
            Action::PublicAddress { .. } => match self.external_network().await {
                Ok(Some(_)) => {}
                Ok(None) => told.push(no_outside()),
                Err(error) => told.push(passed_on(error)?),
            },
            Action::LoadBalancer { public, .. } => {
                told.extend(balancers::refusals(&target.action));
                if *public {
                    told.extend(self.quota_refusals(Kind::PublicAddress).await?);
                    if self.external_network().await.is_ok_and(|external| external.is_none()) {
                        told.push(no_outside());
                    }
                }
            }
            Action::Attachment { .. }
            | Action::KubernetesCluster { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        Ok(told)
    }

    async fn block_refusal(
        &self,
        target: &Target,
        network: &str,
        cidr: &str,
    ) -> Result<Option<DriverError>, DriverError> {
        let Some(block) = Cidr::parse(cidr) else {
            let what = format!("\"{cidr}\" is not a block of IPv4 addresses");
            return Ok(Some(ErrorKind::Invalid.because(what)));
        };
        let Some(around) = self.standing(target, Kind::Network, network).await? else { return Ok(None) };
        let whole = around.more.get("cidr").and_then(|cidr| Cidr::parse(cidr));
        if whole.is_some_and(|whole| !whole.contains(block)) {
            let what = format!("{cidr} is not inside network \"{network}\"");
            return Ok(Some(ErrorKind::Invalid.because(what)));
        }
        let siblings = self.neutron("subnets", "subnets", None, &[("network_id", &around.id)]).await?;
        let clash = siblings.iter().find(|sibling| {
            Cidr::parse(super::json::text(&sibling.info, "cidr")).is_some_and(|other| other.overlaps(block))
        });
        Ok(clash
            .map(|clash| ErrorKind::Conflict.because(format!("{cidr} overlaps subnet \"{}\"", clash.name))))
    }

    async fn zone_refusal(&self, zone: &str) -> Result<Option<DriverError>, DriverError> {
        let zones =
            self.all(Service::Compute, &["os-availability-zone"], &[], "availabilityZoneInfo").await?;
        let names: Vec<&str> = zones.iter().map(|zone| super::json::text(zone, "zoneName")).collect();
        match zones.iter().find(|found| super::json::text(found, "zoneName") == zone) {
            Some(found) if found["zoneState"]["available"] == false => {
                Ok(Some(ErrorKind::NoCapacity.because(format!("zone {zone} is not available"))))
            }
            Some(_) => Ok(None),
            None => {
                let what = format!("{} has no zone {zone}, only {}", self.region, names.join(", "));
                Ok(Some(ErrorKind::NotFound.because(what)))
            }
        }
    }

    async fn machine_refusals(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let Action::Machine {
            instance_type, vcpus, memory_mib, image, root_disk_gib, root_disk_class, ..
        } = &target.action
        else {
            return Ok(Vec::new());
        };
        let mut told = Vec::new();
        let flavor = match self.flavor(instance_type, *vcpus, *memory_mib, false).await {
            Ok(flavor) => Some(flavor),
            Err(error) => {
                told.push(passed_on(error)?);
                None
            }
        };
        let image = match self.image(image).await {
            Ok(image) => Some(image),
            Err(error) => {
                told.push(passed_on(error)?);
                None
            }
        };
        let Some(flavor) = flavor else { return Ok(told) };
        told.extend(self.compute_refusals(&flavor).await?);
        let class = root_disk_class.as_deref();
        let least = image.map_or(0, |image| image.least_gib);
        if let Some(size) = root_volume(&flavor, *root_disk_gib, class, least) {
            told.extend(self.disk_refusals(class, size).await?);
            if class.is_some() && self.nova_version().await? < 67 {
                let what =
                    "Nova here is older than Stein and takes no class for the disk that a machine boots from";
                told.push(ErrorKind::Invalid.because(what));
            }
        }
        Ok(told)
    }
}

/// Which service makes a kind.
const fn service(kind: Kind) -> Service {
    match kind {
        Kind::Network | Kind::Subnet | Kind::SecurityGroup | Kind::PublicAddress => Service::Network,
        Kind::KeyPair | Kind::Machine | Kind::Attachment | Kind::KubernetesCluster => Service::Compute,
        Kind::Disk => Service::Volume,
        Kind::LoadBalancer => Service::Balancer,
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
