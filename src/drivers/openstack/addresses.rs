//! Neutron's floating addresses: of a machine, or as the public side of a load balancer.

use carafe_model::steps::Action;
use serde_json::json;

use super::json::{rows, text};
use super::owner;
use super::site::{Found, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

impl Site<'_> {
    /// Floating addresses have no name; the description bears it. Those that are part of something else are left out.
    pub(super) async fn addresses(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let mut found = self.floating().await?;
        found.retain(|found| !found.more.contains_key("part"));
        found.retain(|found| name.is_none_or(|name| found.name == name));
        Ok(found)
    }

    async fn floating(&self) -> Result<Vec<Found>, DriverError> {
        let mut listed = self.neutron("floatingips", "floatingips", None, &[]).await?;
        for found in &mut listed {
            found.name = found.more.get("name").cloned().unwrap_or_default();
            if text(&found.info, "status") == "ERROR" {
                found.status = Status::Broken("Neutron says that the address is in error".to_owned());
            }
        }
        Ok(listed)
    }

    /// Addresses that are part of load balancers.
    pub(super) async fn balancer_addresses(&self) -> Result<Vec<Found>, DriverError> {
        let mut found = self.floating().await?;
        found.retain(|found| found.more.get("part").is_some_and(|part| part == "load-balancer"));
        Ok(found)
    }

    pub(super) async fn make_address(&self, target: &Target, machine: &str) -> Result<(), DriverError> {
        let machine = self.needed(target, Kind::Machine, machine).await?;
        let ports = self.neutron("ports", "ports", None, &[("device_id", &machine.id)]).await?;
        let Some(port) = ports.first() else {
            let what = format!("machine \"{}\" has no port for an address", machine.name);
            return Err(ErrorKind::NotFound.because(what));
        };
        self.float(&target.owner, &[("name", target.name())], &port.id).await
    }

    /// Takes an address of the external network and gives it to a port, in one call.
    pub(super) async fn float(
        &self,
        owner: &Ownership,
        more: &[(&str, &str)],
        port: &str,
    ) -> Result<(), DriverError> {
        let external = self.external_network().await?.ok_or_else(no_outside)?;
        let body = json!({
            "floating_network_id": external, "port_id": port, "description": owner::words(owner, more),
        });
        self.make_in_neutron("floatingips", "floatingip", owner, body).await.map(drop)
    }

    pub(super) async fn address_differences(
        &self,
        target: &Target,
        found: &Found,
    ) -> Result<Vec<String>, DriverError> {
        let Action::PublicAddress { machine, .. } = &target.action else { return Ok(Vec::new()) };
        let Some(server) = self.standing(target, Kind::Machine, machine).await? else {
            return Ok(vec![format!("machine {machine} is not there")]);
        };
        let ports = self.neutron("ports", "ports", None, &[("device_id", &server.id)]).await?;
        let is_its = ports.iter().any(|port| port.id == text(&found.info, "port_id"));
        Ok(if is_its { Vec::new() } else { vec![format!("it is not the address of {machine}")] })
    }

    pub(super) async fn clear_address(&self, found: &Found) -> Result<(), DriverError> {
        self.delete(Service::Network, &["floatingips", &found.id]).await
    }

    /// How many addresses the external network has left; `None` when the account may not know.
    pub(super) async fn addresses_left(&self) -> Result<Option<u64>, DriverError> {
        let Some(external) = self.external_network().await? else { return Ok(None) };
        let path = ["network-ip-availabilities", &external];
        match self.get(Service::Network, &path, &[]).await {
            Ok(told) => {
                let subnets = rows(&told, "network_ip_availability/subnet_ip_availability");
                let left = subnets.filter_map(|subnet| {
                    let (total, used) = (subnet["total_ips"].as_u64()?, subnet["used_ips"].as_u64()?);
                    (subnet["ip_version"] == 4).then(|| total.saturating_sub(used))
                });
                Ok(Some(left.sum()))
            }
            Err(DriverError { kind: ErrorKind::NotFound | ErrorKind::Denied, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What to say when public addresses are wanted and there is no network for them.
pub(super) fn no_outside() -> DriverError {
    ErrorKind::NotFound.because(
        "the project sees no external network, so there are no public addresses; ask who runs the cloud for one",
    )
}
