//! What a plan as a whole takes of the project's quotas: sizes, and the parts that come along with what a plan names.

use carafe_model::steps::Action;
use serde_json::Value;

use super::capacity::quota;
use super::flavors::MachineType;
use super::servers::root_volume;
use super::site::{Service, Site};
use crate::drivers::{DriverError, ErrorKind, Quota};

/// What is taken together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    vcpus: u64,
    memory_mib: u64,
    disks: u64,
    /// Volumes that machines boot from.
    root_volumes: u64,
    gib: u64,
    routers: u64,
    ports: u64,
    rules: u64,
    addresses: u64,
    /// Public addresses that come with load balancers.
    balancer_addresses: u64,
}

/// Neutron gives every group two rules that let everything out.
const RULES_OF_A_GROUP: u64 = 2;

impl Site<'_> {
    /// Why the project cannot have all of these together, apart from what each kind's own quota tells.
    pub(super) async fn shortages(&self, wanted: &[Action]) -> Result<Vec<DriverError>, DriverError> {
        let mut taken = Taken::default();
        for action in wanted {
            self.take(action, &mut taken).await?;
        }
        let mut told = Vec::new();
        let mut tell = |what: &str, needed: u64, quota: Option<Quota>| {
            let Some(quota) = quota else { return };
            let left = quota.limit.saturating_sub(quota.used);
            if needed > left {
                told.push(ErrorKind::Quota.because(format!(
                    "the plan takes {needed} {what}, and of the project's {} there are {left} left",
                    quota.limit
                )));
            }
        };
        let nova = self.nova_limits().await?;
        tell("vCPUs", taken.vcpus, quota(&nova, "maxTotalCores", "totalCoresUsed"));
        tell("MiB of memory", taken.memory_mib, quota(&nova, "maxTotalRAMSize", "totalRAMUsed"));
        if taken.gib > 0 && self.has(Service::Volume).await? {
            let cinder = self.cinder_limits().await?;
            let gib = quota(&cinder, "maxTotalVolumeGigabytes", "totalGigabytesUsed");
            tell("GiB of disks, with those that machines boot from", taken.gib, gib);
            if taken.root_volumes > 0 {
                let all = taken.disks + taken.root_volumes;
                let volumes = quota(&cinder, "maxTotalVolumes", "totalVolumesUsed");
                tell("disks, with those that machines boot from", all, volumes);
            }
        }
        let neutron = self.neutron_quota().await?;
        let of =
            |name: &str| neutron.as_ref().and_then(|told: &Value| quota(told.get(name)?, "limit", "used"));
        tell("ports", taken.ports, of("port"));
        tell("rules of security groups", taken.rules, of("security_group_rule"));
        if taken.balancer_addresses > 0 {
            let all = taken.addresses + taken.balancer_addresses;
            tell("public addresses, with those of load balancers", all, of("floatingip"));
        }
        tell("routers", taken.routers, of("router"));
        // A router has an address outside of its own.
        let outside = taken.addresses + taken.balancer_addresses + taken.routers;
        if let Some(left) = unless_refused(self.addresses_left().await)?.flatten()
            && outside > left
        {
            told.push(ErrorKind::NoCapacity.because(format!(
                "the plan takes {outside} addresses of the external network, with those of routers, and there are \
                 {left} left"
            )));
        }
        Ok(told)
    }

    async fn take(&self, action: &Action, taken: &mut Taken) -> Result<(), DriverError> {
        match action {
            Action::Network { .. } => {
                if matches!(self.external_network().await, Ok(Some(_))) {
                    taken.routers += 1;
                }
            }
            // The router's way into it.
            Action::Subnet { .. } => taken.ports += 1,
            Action::SecurityGroup { rules, .. } => taken.rules += RULES_OF_A_GROUP + rules.len() as u64,
            Action::Machine {
                instance_type,
                vcpus,
                memory_mib,
                image,
                root_disk_gib,
                root_disk_class,
                ..
            } => {
                taken.ports += 1;
                // A flavor or image that is missing is told where its machine is looked at, and counts as the plan says.
                let found = self.flavor(instance_type, *vcpus, *memory_mib, false).await;
                let flavor = unless_refused(found)?.unwrap_or_else(|| MachineType {
                    id: String::new(),
                    name: instance_type.clone(),
                    vcpus: u64::from(vcpus.0),
                    memory_mib: memory_mib.0,
                    disk: 0,
                });
                taken.vcpus += flavor.vcpus;
                taken.memory_mib += flavor.memory_mib;
                let least = unless_refused(self.image(image).await)?.map_or(0, |image| image.least_gib);
                if let Some(size) = root_volume(&flavor, *root_disk_gib, root_disk_class.as_deref(), least) {
                    taken.root_volumes += 1;
                    taken.gib += size;
                }
            }
            Action::Disk { size_gib, .. } => {
                taken.disks += 1;
                taken.gib += size_gib.0;
            }
            Action::PublicAddress { .. } => taken.addresses += 1,
            Action::LoadBalancer { public, .. } => {
                taken.ports += 1;
                taken.balancer_addresses += u64::from(*public);
            }
            Action::KeyPair { .. }
            | Action::Attachment { .. }
            | Action::KubernetesCluster { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        Ok(())
    }
}

/// What was found; `None` where there is none, as against what could not be read.
fn unless_refused<T>(found: Result<T, DriverError>) -> Result<Option<T>, DriverError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind {
            ErrorKind::NotFound | ErrorKind::NoCapacity | ErrorKind::Invalid | ErrorKind::Quota => Ok(None),
            ErrorKind::Denied | ErrorKind::Throttled { .. } | ErrorKind::Conflict | ErrorKind::Unknown => {
                Err(error)
            }
        },
    }
}
