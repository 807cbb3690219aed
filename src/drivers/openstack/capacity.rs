//! How much there is left: quotas of the project, and what the hosts of the cloud have.

use std::collections::BTreeMap;

use carafe_model::units::{Mib, Vcpus};
use serde_json::Value;

use super::flavors::MachineType;
use super::json::{text, whole};
use super::site::{Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Quota, Sale};

/// What quotas Neutron calls our kinds.
const OF_NEUTRON: [(Kind, &str); 4] = [
    (Kind::Network, "network"),
    (Kind::Subnet, "subnet"),
    (Kind::SecurityGroup, "security_group"),
    (Kind::PublicAddress, "floatingip"),
];

/// A limit with what is used of it; `None` when there is none.
pub(super) fn quota(info: &Value, limit: &str, used: &str) -> Option<Quota> {
    Some(Quota { limit: whole(info, limit)?, used: whole(info, used).unwrap_or_default() })
}

impl Site<'_> {
    /// Limits of the project by kind.
    pub(super) async fn quotas(&self) -> Result<BTreeMap<Kind, Quota>, DriverError> {
        let mut quotas = BTreeMap::new();
        let neutron = self.neutron_quota().await?;
        for (kind, name) in OF_NEUTRON {
            quotas.extend(neutron.as_ref().and_then(|told| {
                let is = told.get(name)?;
                Some((kind, quota(is, "limit", "used")?))
            }));
        }
        let nova = self.nova_limits().await?;
        quotas.extend(
            quota(&nova, "maxTotalInstances", "totalInstancesUsed").map(|quota| (Kind::Machine, quota)),
        );
        if let Some(limit) = whole(&nova, "maxTotalKeypairs") {
            let used = self.key_pairs(None).await?.len() as u64;
            quotas.insert(Kind::KeyPair, Quota { limit, used });
        }
        if self.has(Service::Volume).await? {
            let cinder = self.cinder_limits().await?;
            quotas.extend(
                quota(&cinder, "maxTotalVolumes", "totalVolumesUsed").map(|quota| (Kind::Disk, quota)),
            );
        }
        if let Some(limit) = self.balancer_limit().await? {
            let used = self.balancer_count().await?;
            quotas.insert(Kind::LoadBalancer, Quota { limit, used });
        }
        Ok(quotas)
    }

    /// Neutron's quotas with their use; `None` where the account may not read them.
    pub(super) async fn neutron_quota(&self) -> Result<Option<Value>, DriverError> {
        let project = self.project().await?;
        match self.get(Service::Network, &["quotas", &project, "details"], &[]).await {
            Ok(mut told) => Ok(Some(told["quota"].take())),
            Err(DriverError { kind: ErrorKind::Denied | ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn nova_limits(&self) -> Result<Value, DriverError> {
        let mut told = self.get(Service::Compute, &["limits"], &[]).await?;
        Ok(told["limits"]["absolute"].take())
    }

    pub(super) async fn cinder_limits(&self) -> Result<Value, DriverError> {
        let mut told = self.get(Service::Volume, &["limits"], &[]).await?;
        Ok(told["limits"]["absolute"].take())
    }

    async fn balancer_limit(&self) -> Result<Option<u64>, DriverError> {
        if !self.has(Service::Balancer).await? {
            return Ok(None);
        }
        let project = self.project().await?;
        match self.get(Service::Balancer, &["lbaas", "quotas", &project], &[]).await {
            Ok(told) => {
                // Older releases write it in one word.
                Ok(whole(&told, "quota/load_balancer").or(whole(&told, "quota/loadbalancer")))
            }
            Err(DriverError { kind: ErrorKind::Denied | ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Why the project may not have one more of a kind.
    pub(super) async fn quota_refusals(&self, kind: Kind) -> Result<Vec<DriverError>, DriverError> {
        let region = &self.region;
        let full = |what: &str, quota: Option<Quota>| {
            quota.filter(|quota| quota.used >= quota.limit).map(|quota| {
                ErrorKind::Quota.because(format!(
                    "the project may have {} of {what} in {region}, and has {}; ask for a higher quota",
                    quota.limit, quota.used
                ))
            })
        };
        let neutron = |told: &Option<Value>, name: &str| {
            told.as_ref().and_then(|told| quota(told.get(name)?, "limit", "used"))
        };
        let mut told = Vec::new();
        match kind {
            Kind::Network => {
                let quotas = self.neutron_quota().await?;
                told.extend(full("kind network", neutron(&quotas, "network")));
                if self.external_network().await.is_ok_and(|external| external.is_some()) {
                    told.extend(full("kind router", neutron(&quotas, "router")));
                }
            }
            Kind::Subnet => {
                told.extend(full("kind subnet", neutron(&self.neutron_quota().await?, "subnet")));
            }
            Kind::SecurityGroup => {
                let quotas = self.neutron_quota().await?;
                told.extend(full("kind security group", neutron(&quotas, "security_group")));
            }
            Kind::PublicAddress => {
                told.extend(full("kind public address", neutron(&self.neutron_quota().await?, "floatingip")));
                if self.addresses_left().await? == Some(0) {
                    let what = format!("the external network in {region} has no address left");
                    told.push(ErrorKind::NoCapacity.because(what));
                }
            }
            Kind::KeyPair => {
                let limit = whole(&self.nova_limits().await?, "maxTotalKeypairs");
                let used = self.key_pairs(None).await?.len() as u64;
                told.extend(full("kind key pair", limit.map(|limit| Quota { limit, used })));
            }
            Kind::Machine => {
                let limits = self.nova_limits().await?;
                told.extend(full("kind machine", quota(&limits, "maxTotalInstances", "totalInstancesUsed")));
                told.extend(full("kind port", neutron(&self.neutron_quota().await?, "port")));
            }
            Kind::Disk => {
                let limits = self.cinder_limits().await?;
                told.extend(full("kind disk", quota(&limits, "maxTotalVolumes", "totalVolumesUsed")));
            }
            Kind::LoadBalancer => {
                if let Some(limit) = self.balancer_limit().await? {
                    let used = self.balancer_count().await?;
                    told.extend(full("kind load balancer", Some(Quota { limit, used })));
                }
            }
            Kind::Attachment | Kind::KubernetesCluster => {}
        }
        Ok(told)
    }

    /// Why the project may not have that much more compute.
    pub(super) async fn compute_refusals(
        &self,
        flavor: &MachineType,
    ) -> Result<Vec<DriverError>, DriverError> {
        let limits = self.nova_limits().await?;
        let short = |what: &str, limit: &str, used: &str, wanted: u64| {
            let quota = quota(&limits, limit, used)?;
            let left = quota.limit.saturating_sub(quota.used);
            (left < wanted).then(|| {
                ErrorKind::Quota.because(format!(
                    "flavor {} takes {wanted} {what}, and of the project's {} in {} there are {left} left; ask for a \
                     higher quota",
                    flavor.name, quota.limit, self.region
                ))
            })
        };
        let cores = short("vCPUs", "maxTotalCores", "totalCoresUsed", flavor.vcpus);
        let memory = short("MiB of memory", "maxTotalRAMSize", "totalRAMUsed", flavor.memory_mib);
        Ok(cores.into_iter().chain(memory).collect())
    }

    /// Why a disk of a class and size cannot be had.
    pub(super) async fn disk_refusals(
        &self,
        class: Option<&str>,
        size: u64,
    ) -> Result<Vec<DriverError>, DriverError> {
        let mut told = Vec::new();
        if !self.has(Service::Volume).await? {
            let what =
                format!("the catalogue of region {} has no Cinder, so there are no disks", self.region);
            return Ok(vec![ErrorKind::Invalid.because(what)]);
        }
        if let Some(class) = class {
            let types = self.all(Service::Volume, &["types"], &[], "volume_types").await?;
            let mut names: Vec<&str> = types.iter().map(|kind| text(kind, "name")).collect();
            if !names.contains(&class) {
                names.sort_unstable();
                let what = format!("there is no class {class} of disks here, only {}", names.join(", "));
                told.push(ErrorKind::NotFound.because(what));
            }
        }
        let limits = self.cinder_limits().await?;
        if let Some(quota) = quota(&limits, "maxTotalVolumeGigabytes", "totalGigabytesUsed") {
            let left = quota.limit.saturating_sub(quota.used);
            if left < size {
                let what = format!(
                    "a disk of {size} GiB is wanted, and of the project's {} GiB in {} there are {left} left; ask for \
                     a higher quota",
                    quota.limit, self.region
                );
                told.push(ErrorKind::Quota.because(what));
            }
        }
        Ok(told)
    }

    /// Which instance types there are, and how many more machines of each the hosts have room for, where the account may
    /// ask Placement. Clouds of one's own have no price list.
    pub(super) async fn sales(&self, types: &[String]) -> Result<BTreeMap<String, Sale>, DriverError> {
        let mut sales = BTreeMap::new();
        for name in types {
            // Sizes are not known here: whether a flavor is large enough is a question about a machine.
            match self.flavor(name, Vcpus(0), Mib(0), false).await {
                Ok(flavor) => {
                    let free = if flavor.id.is_empty() || flavor.name != *name {
                        None
                    } else {
                        self.room(&flavor).await?
                    };
                    sales.insert(name.clone(), Sale { free, ..Sale::default() });
                }
                Err(DriverError { kind: ErrorKind::NoCapacity, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sales)
    }

    /// How many machines of a flavor the hosts have room for; `None` when the account may not know.
    async fn room(&self, flavor: &MachineType) -> Result<Option<u64>, DriverError> {
        if !self.has(Service::Placement).await? {
            return Ok(None);
        }
        let mut takes = vec![("VCPU", flavor.vcpus), ("MEMORY_MB", flavor.memory_mib)];
        takes.extend(Some(("DISK_GB", flavor.disk)).filter(|(_, disk)| *disk > 0));
        let asked: Vec<String> = takes.iter().map(|(class, amount)| format!("{class}:{amount}")).collect();
        let query = [("resources", asked.join(","))];
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let told = match self.get(Service::Placement, &["allocation_candidates"], &query).await {
            Ok(told) => told,
            Err(DriverError { kind: ErrorKind::Denied, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let hosts = told["provider_summaries"].as_object().into_iter().flatten();
        let room = hosts.map(|(_, host)| {
            let of_class = takes.iter().filter(|(_, amount)| *amount > 0).map(|(class, amount)| {
                let is = &host["resources"][class];
                let left = whole(is, "capacity")
                    .unwrap_or_default()
                    .saturating_sub(whole(is, "used").unwrap_or_default());
                left / amount
            });
            of_class.min().unwrap_or_default()
        });
        Ok(Some(room.sum()))
    }
}
