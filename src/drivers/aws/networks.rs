//! Networks and subnets: VPCs with the internet gateway, and the route to it, that are parts of them here.

use carafe_inventory::xml::Element;
use carafe_model::steps::Action;

use super::client::Query;
use super::owner::{self, PART};
use super::site::{Found, Site, named};
use super::xml::{rows, text};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

/// Everything outside the network.
const EVERYWHERE: &str = "0.0.0.0/0";

/// Whether a gateway is plugged into a network.
fn plugged(gateway: &Found, network: &str) -> bool {
    rows(&gateway.info, "attachmentSet").any(|plug| text(plug, "vpcId") == network)
}

/// Whether a table of routes sends what goes outside to a gateway.
fn leads_out(table: &Element, gateway: &str) -> bool {
    rows(table, "routeSet")
        .any(|route| text(route, "destinationCidrBlock") == EVERYWHERE && text(route, "gatewayId") == gateway)
}

impl Site<'_> {
    pub(super) async fn networks(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let listed = self.all("DescribeVpcs", &named(name), "vpcSet").await?;
        let mut networks: Vec<Found> = listed.into_iter().map(|vpc| Found::of(vpc, "vpcId")).collect();
        let gateways = self.gateways(name).await?;
        let owned: Vec<&str> = networks
            .iter()
            .filter(|network| network.owner.is_some())
            .map(|network| network.id.as_str())
            .collect();
        let tables = match owned.is_empty() {
            true => Vec::new(),
            false => self.main_tables(&owned).await?,
        };
        for network in &mut networks {
            if text(&network.info, "state") == "pending" {
                network.status = Status::Creating;
            }
            let Some(owner) = &network.owner else { continue };
            let gateway =
                gateways.iter().find(|gateway| gateway.is_for(owner) && plugged(gateway, &network.id));
            network.complete = gateway.is_some_and(|gateway| {
                tables.iter().any(|table| text(table, "vpcId") == network.id && leads_out(table, &gateway.id))
            });
        }
        // A gateway whose network is gone is what was left of one.
        let orphans = gateways.into_iter().filter(|gateway| {
            !networks.iter().any(|network| gateway.owner.as_ref().is_some_and(|owner| network.is_for(owner)))
        });
        let orphans: Vec<Found> = orphans.map(|gateway| Found { complete: false, ..gateway }).collect();
        networks.extend(orphans);
        Ok(networks)
    }

    /// Gateways that are parts of networks.
    async fn gateways(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let query = named(name).filter(&format!("tag:{PART}"), ["network"]);
        let listed = self.all("DescribeInternetGateways", &query, "internetGatewaySet").await?;
        Ok(listed.into_iter().map(|gateway| Found::of(gateway, "internetGatewayId")).collect())
    }

    async fn main_tables(&self, networks: &[&str]) -> Result<Vec<Element>, DriverError> {
        let query =
            Query::new().filter("vpc-id", networks.iter().copied()).filter("association.main", ["true"]);
        self.all("DescribeRouteTables", &query, "routeTableSet").await
    }

    pub(super) async fn make_network(&self, target: &Target, cidr: &str) -> Result<(), DriverError> {
        let tags = owner::tags(&target.owner, target.name(), &[]);
        let made = self.ec2("CreateVpc", &Query::new().set("CidrBlock", cidr).tagged("vpc", &tags)).await?;
        let id = text(&made, "vpc/vpcId").to_owned();
        match self.complete_network(&target.owner, target.name(), &id).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.kind == ErrorKind::Unknown => Err(refusal),
            Err(refusal) => match self.clear_own(&target.owner, target.name()).await {
                Ok(()) => Err(refusal),
                Err(error) => Err(ErrorKind::Unknown.because(format!("{refusal}, and then: {error}"))),
            },
        }
    }

    /// Takes back what there is of a network, so that a refusal leaves nothing.
    async fn clear_own(&self, owner: &Ownership, name: &str) -> Result<(), DriverError> {
        for found in self.networks(Some(name)).await?.iter().filter(|found| found.is_for(owner)) {
            self.clear_network(found).await?;
        }
        Ok(())
    }

    /// Makes what a network lacks of its parts.
    pub(super) async fn complete_network(
        &self,
        owner: &Ownership,
        name: &str,
        network: &str,
    ) -> Result<(), DriverError> {
        // Managed Kubernetes wants its nodes to have names.
        let query = Query::new().set("VpcId", network).set("EnableDnsHostnames.Value", "true");
        self.ec2("ModifyVpcAttribute", &query).await?;
        let left = self.gateways(Some(name)).await?.into_iter().find(|gateway| gateway.is_for(owner));
        let gateway = match left {
            Some(gateway) => gateway,
            None => {
                let tags = owner::tags(owner, name, &[(PART, "network")]);
                let query = Query::new().tagged("internet-gateway", &tags);
                let made = self.ec2("CreateInternetGateway", &query).await?;
                let made = made.child("internetGateway").cloned().unwrap_or_default();
                Found::of(made, "internetGatewayId")
            }
        };
        if !plugged(&gateway, network) {
            let query = Query::new().set("InternetGatewayId", &gateway.id).set("VpcId", network);
            self.ec2("AttachInternetGateway", &query).await?;
        }
        let tables = self.main_tables(&[network]).await?;
        let Some(table) = tables.first() else {
            return Err(ErrorKind::NotFound.because(format!("network \"{name}\" has no table of routes")));
        };
        if !leads_out(table, &gateway.id) {
            let query = Query::new()
                .set("RouteTableId", text(table, "routeTableId"))
                .set("DestinationCidrBlock", EVERYWHERE)
                .set("GatewayId", &gateway.id);
            self.ec2("CreateRoute", &query).await?;
        }
        Ok(())
    }

    pub(super) async fn clear_network(&self, found: &Found) -> Result<(), DriverError> {
        let is_gateway = found.part() == "network";
        if !is_gateway {
            // The gateway would be gone by the time AWS refuses to remove the network.
            let inside = Query::new().filter("vpc-id", [found.id.as_str()]);
            let subnets = self.all("DescribeSubnets", &inside, "subnetSet").await?;
            let groups = self.all("DescribeSecurityGroups", &inside, "securityGroupInfo").await?;
            let group = groups.iter().find(|group| text(group, "groupName") != "default");
            let user = subnets.first().map(|subnet| ("subnet", text(subnet, "subnetId")));
            let user = user.or(group.map(|group| ("security group", text(group, "groupName"))));
            if let Some((kind, name)) = user {
                let what = format!("network \"{}\" is in use by {kind} {name}", found.name);
                return Err(ErrorKind::Conflict.because(what));
            }
        }
        if let Some(owner) = &found.owner {
            for gateway in self.gateways(Some(&found.name)).await? {
                if gateway.is_for(owner) && (is_gateway == (gateway.id == found.id)) {
                    self.clear_gateway(&gateway).await?;
                }
            }
        }
        if is_gateway { Ok(()) } else { self.gone("DeleteVpc", "VpcId", &found.id).await }
    }

    async fn clear_gateway(&self, gateway: &Found) -> Result<(), DriverError> {
        for plug in rows(&gateway.info, "attachmentSet") {
            let query = Query::new().set("InternetGatewayId", &gateway.id).set("VpcId", text(plug, "vpcId"));
            match self.ec2("DetachInternetGateway", &query).await {
                // Another call was faster.
                Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.gone("DeleteInternetGateway", "InternetGatewayId", &gateway.id).await
    }

    /// Subnets; those that are parts of something else are left out.
    pub(super) async fn subnets(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let listed = self.all("DescribeSubnets", &named(name), "subnetSet").await?;
        let found = listed.into_iter().map(subnet).filter(|subnet| subnet.part().is_empty());
        Ok(found.collect())
    }

    pub(super) async fn make_subnet(
        &self,
        target: &Target,
        network: &Found,
        cidr: &str,
        zone: Option<&str>,
    ) -> Result<(), DriverError> {
        let zone = match zone {
            Some(zone) => zone.to_owned(),
            None => self.usual_zone().await?,
        };
        let query = Query::new()
            .set("VpcId", &network.id)
            .set("CidrBlock", cidr)
            .set("AvailabilityZone", zone)
            .tagged("subnet", &owner::tags(&target.owner, target.name(), &[]));
        self.ec2("CreateSubnet", &query).await.map(drop)
    }

    /// Zones that the account may use, sorted.
    pub(super) async fn zones(&self) -> Result<Vec<String>, DriverError> {
        if let Some(known) = self.cloud.cache().zones.get(&self.region) {
            return Ok(known.clone());
        }
        let query = Query::new().filter("state", ["available"]);
        let listed = self.all("DescribeAvailabilityZones", &query, "availabilityZoneInfo").await?;
        let usual = |zone: &&Element| {
            ["", "availability-zone"].contains(&text(zone, "zoneType"))
                && text(zone, "optInStatus") != "not-opted-in"
        };
        let mut zones: Vec<String> =
            listed.iter().filter(usual).map(|zone| text(zone, "zoneName").to_owned()).collect();
        zones.sort();
        self.cloud.cache().zones.insert(self.region.clone(), zones.clone());
        Ok(zones)
    }

    /// The zone of what a plan puts into none: always the same, as disks and machines in two cannot meet.
    pub(super) async fn usual_zone(&self) -> Result<String, DriverError> {
        if let Some(zone) = &self.cloud.zone {
            return Ok(zone.clone());
        }
        self.zones().await?.into_iter().next().ok_or_else(|| {
            ErrorKind::NoCapacity.because(format!("the account may use no zone of {}", self.region))
        })
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
        let block = text(&found.info, "cidrBlock");
        Ok(match &target.action {
            Action::Network { cidr, .. } => differs("cidr", block, cidr).into_iter().collect(),
            Action::Subnet { network, cidr, zone, .. } => {
                let within = self.standing(target, Kind::Network, network).await?;
                let elsewhere = within
                    .filter(|within| within.id != text(&found.info, "vpcId"))
                    .map(|_| format!("it is not in network {network}"));
                let is = text(&found.info, "availabilityZone");
                let zone = zone.as_deref().and_then(|zone| differs("zone", is, zone));
                [elsewhere, differs("cidr", block, cidr), zone].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        })
    }
}

/// What EC2 says about a subnet.
pub(super) fn subnet(info: Element) -> Found {
    let status = if text(&info, "state") == "pending" { Status::Creating } else { Status::Ready };
    Found { status, ..Found::of(info, "subnetId") }
}
