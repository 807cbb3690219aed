//! Everything of a kind that carries an owner: what Spider knows, and what only the cloud has.

use carafe_model::steps::Action;
use serde_json::Value;

use super::clouds::{Clusters, Networks};
use super::find::Found;
use super::shape::rows;
use super::{Spider, path_of};
use crate::drivers::{DriverError, Kind, Resource, Status};

impl Spider {
    /// Owned resources of a kind in the connection's region, with Carafe's names.
    pub(super) async fn inventory(&self, kind: Kind) -> Result<Vec<(Resource, Found)>, DriverError> {
        let facts = self.facts().await?;
        // In the words of plans, as steps are named in them.
        let place = (self.cloud.provider, facts.region.as_str());
        let known: Vec<(String, Found)> = match kind {
            Kind::Network if self.cloud.networks == Networks::One => return Ok(Vec::new()),
            Kind::LoadBalancer if !self.cloud.load_balancers => return Ok(Vec::new()),
            Kind::KubernetesCluster if self.cloud.clusters == Clusters::None => return Ok(Vec::new()),
            // A machine's public address is made and removed with it, and is nobody's by itself.
            Kind::PublicAddress => return Ok(Vec::new()),
            Kind::Subnet => {
                let networks = self.session.get(&["vpc"]).await?;
                rows(&networks, "vpc").flat_map(|network| self.subnets(place, network)).collect()
            }
            Kind::Attachment => {
                let disks = self.all(place, Kind::Disk).await?;
                disks
                    .iter()
                    .filter_map(|(name, disk)| self.attachment(place, disk, &format!("{name}-at")))
                    .collect()
            }
            Kind::Network
            | Kind::SecurityGroup
            | Kind::KeyPair
            | Kind::Machine
            | Kind::Disk
            | Kind::LoadBalancer
            | Kind::KubernetesCluster => {
                let mut all = self.all(place, kind).await?;
                if facts.tagged(kind) {
                    all.extend(self.lost(place, kind).await?);
                }
                all
            }
        };
        let mut owned = Vec::new();
        for (name, found) in known {
            if found.owner.is_none() {
                continue;
            }
            // How each machine is doing would be a call for each.
            let status =
                if kind == Kind::Machine { Status::Ready } else { self.status(kind, None, &found).await? };
            let resource = Resource { id: found.id.clone(), kind, name, owner: found.owner.clone(), status };
            owned.push((resource, found));
        }
        Ok(owned)
    }

    /// Everything of a kind with a path of its own that Spider knows.
    async fn all(&self, place: (&str, &str), kind: Kind) -> Result<Vec<(String, Found)>, DriverError> {
        let path = path_of(kind).expect("a kind with a path").path;
        let listed: Value = self.session.get(&[path]).await?;
        Ok(rows(&listed, path).map(|info| self.found(place, kind, info.clone())).collect())
    }

    /// The subnet that a machine is in, by Carafe's name; `None` when there is no such machine.
    pub(super) async fn subnet_of(
        &self,
        place: (&str, &str),
        machine: &str,
    ) -> Result<Option<String>, DriverError> {
        let Some(found) = self.named(place, Kind::Machine, machine).await? else { return Ok(None) };
        let name = super::name_id(&found.info, "SubnetIID");
        let plain = super::owner::of_name(name, Kind::Subnet, place);
        Ok(Some(plain.map_or_else(|| name.to_owned(), |(name, _)| name)))
    }
}

/// Whether an action names a subnet that its machines must be in, on clouds whose balancers reach no further.
pub(super) fn balanced(action: &Action) -> Option<(&str, &[String])> {
    match action {
        Action::LoadBalancer { subnet, members, .. } => Some((subnet, members)),
        _ => None,
    }
}
