//! Neutron: networks with their router to the outside, and subnets.
//!
//! Neutron knows no address block of a network; it is kept in the network's description. A network that shall have public
//! addresses needs a router with a gateway to an external network, which is a part of it here: it is made after the
//! network and removed before it, and each subnet is plugged into it.

use carafe_model::steps::Action;
use reqwest::Method;
use serde_json::{Value, json};

use super::json::{rows, text};
use super::owner;
use super::site::{Found, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

const NEUTRON: Service = Service::Network;
/// Owners of the ports by which routers are plugged into subnets: plain, distributed, highly available.
const ROUTER_PORTS: [&str; 3] = [
    "network:router_interface",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
];

impl Site<'_> {
    /// What Neutron lists in this project, of a name or all.
    pub(super) async fn neutron(
        &self,
        path: &str,
        key: &str,
        name: Option<&str>,
        more: &[(&str, &str)],
    ) -> Result<Vec<Found>, DriverError> {
        let project = self.project().await?;
        let mut query = vec![("project_id", project.as_str())];
        query.extend(name.map(|name| ("name", name)));
        query.extend(more);
        Ok(self.all(NEUTRON, &[path], &query, key).await?.into_iter().map(Found::described).collect())
    }

    /// Makes something in Neutron and repeats its owner in tags.
    pub(super) async fn make_in_neutron(
        &self,
        path: &str,
        key: &str,
        owner: &Ownership,
        body: Value,
    ) -> Result<Found, DriverError> {
        let mut answer = self.post(NEUTRON, &[path], &json!({key: body})).await?;
        let made = Found::described(answer[key].take());
        // The description says whose it is already; a cloud without tags is one without this help for people.
        let tags = json!({"tags": owner::tags(owner)});
        let _ = self.change(NEUTRON, Method::PUT, &[path, &made.id, "tags"], &tags).await;
        Ok(made)
    }

    /// The network that public addresses are of; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when there are several and the connection names none, [`ErrorKind::NotFound`] when the one
    /// it names is not there.
    pub(super) async fn external_network(&self) -> Result<Option<String>, DriverError> {
        let found = self.all(NEUTRON, &["networks"], &[("router:external", "true")], "networks").await?;
        let ids = |name: &str| {
            found.iter().find(|network| text(network, "name") == name || text(network, "id") == name)
        };
        let names = || {
            let mut names: Vec<&str> = found.iter().map(|network| text(network, "name")).collect();
            names.sort_unstable();
            names.join(", ")
        };
        if let Some(named) = &self.cloud.external_network {
            let Some(network) = ids(named) else {
                let what = format!("there is no external network \"{named}\", only: {}", names());
                return Err(ErrorKind::NotFound.because(what));
            };
            return Ok(Some(text(network, "id").to_owned()));
        }
        let default = found.iter().find(|network| network["is_default"] == true);
        match (default, found.as_slice()) {
            (Some(only), _) | (None, [only]) => Ok(Some(text(only, "id").to_owned())),
            (None, []) => Ok(None),
            (None, _) => Err(ErrorKind::Invalid.because(format!(
                "there are several external networks ({}); name one in the connection's \"external_network\" setting",
                names()
            ))),
        }
    }

    pub(super) async fn networks(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let mut networks = self.neutron("networks", "networks", name, &[]).await?;
        let routers = self.neutron("routers", "routers", name, &[]).await?;
        for network in &mut networks {
            network.status = match text(&network.info, "status") {
                "BUILD" => Status::Creating,
                "ERROR" => Status::Broken("Neutron says that the network is in error".to_owned()),
                _ => Status::Ready,
            };
            network.complete = network.more.get("router").is_none_or(|flag| flag != "1")
                || network.owner.as_ref().is_none_or(|owner| routers.iter().any(|r| r.is_for(owner)));
        }
        // A router whose network is gone is what was left of one.
        let orphans = routers.into_iter().filter(|router| {
            router.more.get("part").is_some_and(|part| part == "network")
                && !networks.iter().any(|network| router.owner.as_ref().is_some_and(|o| network.is_for(o)))
        });
        let orphans: Vec<Found> = orphans.map(|router| Found { complete: false, ..router }).collect();
        networks.extend(orphans);
        Ok(networks)
    }

    pub(super) async fn make_network(&self, target: &Target, cidr: &str) -> Result<(), DriverError> {
        let external = self.external_network().await?;
        let routed = if external.is_some() { "1" } else { "0" };
        let body = json!({
            "name": target.name(),
            "description": owner::words(&target.owner, &[("cidr", cidr), ("router", routed)]),
        });
        let network = self.make_in_neutron("networks", "network", &target.owner, body).await?;
        match self.complete_network(target).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.take_back(NEUTRON, &["networks", &network.id], refusal).await),
        }
    }

    /// Makes the router of a network.
    pub(super) async fn complete_network(&self, target: &Target) -> Result<(), DriverError> {
        let Some(external) = self.external_network().await? else { return Ok(()) };
        let body = json!({
            "name": target.name(),
            "description": owner::words(&target.owner, &[("part", "network")]),
            "external_gateway_info": {"network_id": external},
        });
        self.make_in_neutron("routers", "router", &target.owner, body).await.map(drop)
    }

    pub(super) async fn clear_network(&self, found: &Found) -> Result<(), DriverError> {
        let is_router = found.more.contains_key("part");
        if !is_router {
            // The router would be gone by the time Neutron refuses to remove the network.
            let subnets = self.neutron("subnets", "subnets", None, &[("network_id", &found.id)]).await?;
            if let Some(subnet) = subnets.first() {
                let what = format!("network \"{}\" is in use by subnet \"{}\"", found.name, subnet.name);
                return Err(ErrorKind::Conflict.because(what));
            }
        }
        if let Some(owner) = &found.owner {
            for router in self.neutron("routers", "routers", Some(&found.name), &[]).await? {
                if router.is_for(owner) && (is_router == (router.id == found.id)) {
                    self.delete(NEUTRON, &["routers", &router.id]).await?;
                }
            }
        }
        if is_router { Ok(()) } else { self.delete(NEUTRON, &["networks", &found.id]).await }
    }

    pub(super) async fn subnets(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let mut subnets = self.neutron("subnets", "subnets", name, &[]).await?;
        let asked: Vec<(&str, &str)> = ROUTER_PORTS.iter().map(|owner| ("device_owner", *owner)).collect();
        let interfaces = match subnets.is_empty() {
            true => Vec::new(),
            false => self.neutron("ports", "ports", None, &asked).await?,
        };
        for subnet in &mut subnets {
            let plugged = interfaces
                .iter()
                .any(|port| rows(&port.info, "fixed_ips").any(|ip| text(ip, "subnet_id") == subnet.id));
            subnet.complete = plugged || subnet.more.get("router").is_none_or(|flag| flag != "1");
        }
        Ok(subnets)
    }

    pub(super) async fn make_subnet(
        &self,
        target: &Target,
        network: &Found,
        cidr: &str,
        zone: Option<&str>,
    ) -> Result<(), DriverError> {
        let routed = network.more.get("router").map_or("0", String::as_str);
        let mut more = vec![("router", routed)];
        more.extend(zone.map(|zone| ("zone", zone)));
        let body = json!({
            "name": target.name(), "network_id": network.id, "ip_version": 4, "cidr": cidr,
            "description": owner::words(&target.owner, &more),
        });
        let subnet = self.make_in_neutron("subnets", "subnet", &target.owner, body).await?;
        match self.complete_subnet(&subnet).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.take_back(NEUTRON, &["subnets", &subnet.id], refusal).await),
        }
    }

    /// Plugs a subnet into the router of its network.
    pub(super) async fn complete_subnet(&self, subnet: &Found) -> Result<(), DriverError> {
        if subnet.more.get("router").is_none_or(|flag| flag != "1") {
            return Ok(());
        }
        let network = self.get(NEUTRON, &["networks", text(&subnet.info, "network_id")], &[]).await?;
        let network = Found::described(network["network"].clone());
        let router = self.router_of(&network).await?.ok_or_else(|| {
            ErrorKind::NotFound.because(format!("network \"{}\" has lost its router", network.name))
        })?;
        let body = json!({"subnet_id": subnet.id});
        let path = ["routers", &router.id, "add_router_interface"];
        self.change(NEUTRON, Method::PUT, &path, &body).await.map(drop)
    }

    async fn router_of(&self, network: &Found) -> Result<Option<Found>, DriverError> {
        let routers = self.neutron("routers", "routers", Some(&network.name), &[]).await?;
        Ok(routers
            .into_iter()
            .find(|router| network.owner.as_ref().is_some_and(|owner| router.is_for(owner))))
    }

    pub(super) async fn clear_subnet(&self, found: &Found) -> Result<(), DriverError> {
        let in_subnet = format!("subnet_id={}", found.id);
        let ports = self.all(NEUTRON, &["ports"], &[("fixed_ips", &in_subnet)], "ports").await?;
        let (routers, others): (Vec<_>, Vec<_>) =
            ports.iter().partition(|port| ROUTER_PORTS.contains(&text(port, "device_owner")));
        if let Some(port) = others.iter().find(|port| text(port, "device_owner") != "network:dhcp") {
            let name = Some(text(port, "name")).filter(|name| !name.is_empty()).unwrap_or(text(port, "id"));
            let what = format!("subnet \"{}\" is in use by the port of {name}", found.name);
            return Err(ErrorKind::Conflict.because(what));
        }
        for port in routers {
            let path = ["routers", text(port, "device_id"), "remove_router_interface"];
            match self.change(NEUTRON, Method::PUT, &path, &json!({"subnet_id": found.id})).await {
                // Another call was faster.
                Err(DriverError { kind: ErrorKind::NotFound, .. }) => {}
                result => drop(result?),
            }
        }
        self.delete(NEUTRON, &["subnets", &found.id]).await
    }

    /// In what a network or subnet differs from what is wanted.
    pub(super) async fn network_differences(
        &self,
        target: &Target,
        found: &Found,
    ) -> Result<Vec<String>, DriverError> {
        let differs = |what: &str, is: &str, wanted: &str| {
            (is != wanted).then(|| format!("{what} is {is} instead of {wanted}"))
        };
        Ok(match &target.action {
            Action::Network { cidr, .. } => {
                let is = found.more.get("cidr").map_or("not set", String::as_str);
                differs("cidr", is, cidr).into_iter().collect()
            }
            Action::Subnet { network, cidr, zone, .. } => {
                let within = self.standing(target, Kind::Network, network).await?;
                let is = text(&found.info, "network_id");
                let elsewhere = within
                    .filter(|within| within.id != is)
                    .map(|_| format!("it is not in network {network}"));
                let is_zone = found.more.get("zone").map_or("", String::as_str);
                let zone = differs("zone", is_zone, zone.as_deref().unwrap_or_default());
                let cidr = differs("cidr", text(&found.info, "cidr"), cidr);
                [elsewhere, cidr, zone].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        })
    }
}
