//! What is there under a name, whose it is, and how it differs from what is wanted.

use carafe_model::steps::{Action, AllowRule};
use serde_json::Value;

use super::clouds::{Clusters, Networks};
use super::shape::{rows, text, whole};
use super::{Spider, name_id, owner, path_of};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Resource, Status, Target};

/// A resource in Spider, or in the cloud behind it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Spider's name of it; the cloud's where Spider does not know it.
    pub(super) name_id: String,
    /// What the cloud calls it.
    pub(super) id: String,
    /// Whose it is.
    pub(super) owner: Option<Ownership>,
    /// Whether Spider knows it; what it has lost sight of is found by its tags.
    pub(super) registered: bool,
    /// Spider's name of the network, for a subnet; of the disk, for an attachment.
    pub(super) within: String,
    /// As Spider tells it.
    pub(super) info: Value,
}

/// Tag of a disk with its attachment's name, run and key.
pub(super) const TAG_ATTACHMENT: &str = "carafe-attachment";

impl Spider {
    /// What exists under the target's name.
    pub(super) async fn find(&self, target: &Target) -> Result<Option<Found>, DriverError> {
        let place = (target.provider.as_str(), target.region.as_str());
        let mut found = match &target.action {
            Action::Attachment { disk, .. } => self.find_attachment(place, target, disk).await?,
            Action::PublicAddress { machine, .. } => self.find_address(place, machine).await?,
            Action::Subnet { name, network, .. } => {
                let around = self.named(place, Kind::Network, network).await?;
                around
                    .and_then(|around| self.subnets(place, &around.info).find(|(found, _)| found == name))
                    .map(|f| f.1)
            }
            _ => self.named(place, target.kind, target.name()).await?,
        };
        // The key is made of the plan and the step, so the same key is the same step.
        if let Some(owner) = found.as_mut().and_then(|found| found.owner.as_mut())
            && owner.key == target.owner.key
        {
            owner.step = target.owner.step.clone();
        }
        Ok(found)
    }

    /// A resource of a kind with a path of its own, or a subnet of any network, by Carafe's name of it.
    pub(super) async fn named(
        &self,
        place: (&str, &str),
        kind: Kind,
        name: &str,
    ) -> Result<Option<Found>, DriverError> {
        let facts = self.facts().await?;
        if kind == Kind::Subnet {
            let networks = self.session.get(&["vpc"]).await?;
            let mut all = rows(&networks, "vpc").flat_map(|network| self.subnets(place, network));
            return Ok(all.find(|(found, _)| found == name).map(|(_, found)| found));
        }
        let path = path_of(kind).expect("only kinds with a path are looked for by name").path;
        if facts.tagged(kind) {
            match self.session.get(&[path, name]).await {
                Ok(info) => return Ok(Some(self.found(place, kind, info).1)),
                Err(DriverError { kind: ErrorKind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
            return Ok(self
                .lost(place, kind)
                .await?
                .into_iter()
                .find(|(found, _)| found == name)
                .map(|(_, f)| f));
        }
        let listed = self.session.get(&[path]).await?;
        let mut all = rows(&listed, path).map(|info| self.found(place, kind, info.clone()));
        if let Some((_, found)) = all.find(|(found, _)| found == name) {
            return Ok(Some(found));
        }
        match (kind, self.cloud.networks) {
            (Kind::Network, Networks::One) => self.only_network().await,
            _ => Ok(None),
        }
    }

    /// The one network of a cloud that has one, when Spider does not know it yet.
    async fn only_network(&self) -> Result<Option<Found>, DriverError> {
        let all = self.session.get(&["allvpcinfo"]).await?;
        let mut unknown = rows(&all, "AllListInfo.OnlyCSPInfoList");
        Ok(match (unknown.next(), unknown.next()) {
            (Some(info), None) => Some(Found {
                name_id: String::new(),
                id: text(info, "IId.SystemId").to_owned(),
                owner: None,
                registered: false,
                within: String::new(),
                info: info.clone(),
            }),
            _ => None,
        })
    }

    /// Resources of a kind that the cloud has with our tags and Spider does not know, with Carafe's names.
    pub(super) async fn lost(
        &self,
        place: (&str, &str),
        kind: Kind,
    ) -> Result<Vec<(String, Found)>, DriverError> {
        let path = path_of(kind).expect("only kinds with a path can be lost").path;
        let all = self.session.get(&[&format!("all{path}info")]).await?;
        let ours = rows(&all, "AllListInfo.OnlyCSPInfoList").filter_map(|info| {
            let (name, owner) = owner::of_tags(info, kind, place)?;
            let id = text(info, "IId.SystemId").to_owned();
            let found = Found {
                name_id: text(info, "IId.NameId").to_owned(),
                id,
                owner: Some(owner),
                registered: false,
                within: String::new(),
                info: info.clone(),
            };
            Some((name, found))
        });
        Ok(ours.collect())
    }

    /// What Spider tells of a resource that it knows, with Carafe's name of it.
    pub(super) fn found(&self, place: (&str, &str), kind: Kind, info: Value) -> (String, Found) {
        let name_id = text(&info, "IId.NameId").to_owned();
        let told = owner::of_tags(&info, kind, place).or_else(|| owner::of_name(&name_id, kind, place));
        let name = match owner::of_name(&name_id, kind, place) {
            Some((name, _)) => name,
            None => name_id.clone(),
        };
        let owner = told.map(|(_, owner)| owner);
        let id = text(&info, "IId.SystemId").to_owned();
        (name, Found { name_id, id, owner, registered: true, within: String::new(), info })
    }

    /// The subnets of a network, with Carafe's names.
    pub(super) fn subnets<'v>(
        &'v self,
        place: (&'v str, &'v str),
        network: &Value,
    ) -> impl Iterator<Item = (String, Found)> + use<'v> {
        let within = text(network, "IId.NameId").to_owned();
        let all: Vec<Value> = rows(network, "SubnetInfoList").cloned().collect();
        all.into_iter().map(move |info| {
            let (name, found) = self.found(place, Kind::Subnet, info);
            (name, Found { within: within.clone(), ..found })
        })
    }

    async fn find_attachment(
        &self,
        place: (&str, &str),
        target: &Target,
        disk: &str,
    ) -> Result<Option<Found>, DriverError> {
        let disk = self.named(place, Kind::Disk, disk).await?;
        Ok(disk.and_then(|disk| self.attachment(place, &disk, target.name())).map(|(_, mut found)| {
            // Without a tag of its own an attachment belongs to the run that made the disk, for the step that asks.
            if let (Some(owner), false) = (&mut found.owner, has_attachment_tag(&found.info)) {
                owner.key = target.owner.key.clone();
            }
            found
        }))
    }

    /// The attachment of a disk, if it has one; `name` is what it is called where no tag says so.
    pub(super) fn attachment(
        &self,
        place: (&str, &str),
        disk: &Found,
        name: &str,
    ) -> Option<(String, Found)> {
        let machine = name_id(&disk.info, "OwnerVM");
        if machine.is_empty() {
            return None;
        }
        let tag = rows(&disk.info, "TagList").find(|tag| text(tag, "Key") == TAG_ATTACHMENT);
        let told = tag.and_then(|tag| owner::of_name(text(tag, "Value"), Kind::Attachment, place));
        let (name, owner) = match told {
            Some((name, owner)) => (name, Some(owner)),
            None => (name.to_owned(), disk.owner.clone()),
        };
        let found = Found {
            name_id: disk.name_id.clone(),
            id: format!("{}@{machine}", disk.id),
            owner,
            registered: true,
            within: disk.name_id.clone(),
            info: disk.info.clone(),
        };
        Some((name, found))
    }

    async fn find_address(&self, place: (&str, &str), machine: &str) -> Result<Option<Found>, DriverError> {
        let Some(machine) = self.named(place, Kind::Machine, machine).await? else { return Ok(None) };
        let address = text(&machine.info, "PublicIP").to_owned();
        let is_there = !address.is_empty() && address != "NA";
        Ok(is_there.then_some(Found { id: address, owner: None, ..machine }))
    }

    /// The resource as the rest of Carafe knows it.
    pub(super) async fn resource(&self, target: &Target, found: &Found) -> Result<Resource, DriverError> {
        Ok(Resource {
            id: found.id.clone(),
            kind: target.kind,
            name: target.name().to_owned(),
            owner: found.owner.clone(),
            status: self.status(target.kind, Some(target), found).await?,
        })
    }

    /// Whether it can be used. Reads the state of a machine; everything else tells its own.
    pub(super) async fn status(
        &self,
        kind: Kind,
        target: Option<&Target>,
        found: &Found,
    ) -> Result<Status, DriverError> {
        if !found.registered && found.owner.is_some() {
            return Ok(Status::Broken(
                "CB-Spider has lost sight of it; resume takes it up again with --retry".to_owned(),
            ));
        }
        Ok(match kind {
            Kind::Machine => {
                let answer = self.session.get(&["vmstatus", &found.name_id]).await?;
                match text(&answer, "Status") {
                    "Creating" | "Resuming" | "Rebooting" => Status::Creating,
                    status @ ("Failed" | "Terminated" | "Terminating" | "NotExist") => {
                        Status::Broken(format!("the machine is {}", status.to_lowercase()))
                    }
                    _ => Status::Ready,
                }
            }
            Kind::Disk => match text(&found.info, "Status") {
                "Creating" => Status::Creating,
                "Error" => Status::Broken("the disk is in error".to_owned()),
                _ => Status::Ready,
            },
            Kind::KubernetesCluster => match text(&found.info, "Status") {
                "Creating" | "Updating" => Status::Creating,
                "Active"
                    if self.cloud.clusters == Clusters::NodesAfter
                        && rows(&found.info, "NodeGroupList").next().is_none() =>
                {
                    Status::Broken("it has no nodes yet; resume adds them with --retry".to_owned())
                }
                "Active" => Status::Ready,
                status => Status::Broken(format!("the cluster is {}", status.to_lowercase())),
            },
            Kind::KeyPair if target.is_some_and(|target| self.lost_key(target, found)) => Status::Broken(
                "its private key was lost with the reply; resume makes it anew with --retry".to_owned(),
            ),
            Kind::Network
            | Kind::Subnet
            | Kind::SecurityGroup
            | Kind::KeyPair
            | Kind::Attachment
            | Kind::PublicAddress
            | Kind::LoadBalancer => Status::Ready,
        })
    }

    /// Whether a key pair of this very run has no private key in the folder for them.
    pub(super) fn lost_key(&self, target: &Target, found: &Found) -> bool {
        let ours = found.owner.as_ref() == Some(&target.owner);
        ours && self.keys.as_ref().is_some_and(|keys| !super::make::key_file(keys, target.name()).exists())
    }

    /// How a resource differs from what is wanted, in sentences.
    pub(super) fn differences(&self, target: &Target, found: &Found) -> Vec<String> {
        if !found.registered {
            // Spider tells of it in the cloud's names, which say nothing about ours.
            return Vec::new();
        }
        let info = &found.info;
        let mut told = Vec::new();
        let mut compare = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                told.push(format!("{what} is {is} instead of {wanted}"));
            }
        };
        // A name in Spider may be long; what counts is the name it was made from.
        let plain = |name: &str, kind| {
            owner::of_name(name, kind, ("", "")).map_or_else(|| name.to_owned(), |(name, _)| name)
        };
        let names = |path: &str, kind| {
            let mut names: Vec<String> =
                rows(info, path).map(|iid| plain(text(iid, "NameId"), kind)).collect();
            names.sort();
            names.join(", ")
        };
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names.join(", ")
        };
        match &target.action {
            Action::Network { cidr, .. } => {
                if self.cloud.networks == Networks::Makes {
                    compare("the block of addresses", text(info, "IPv4_CIDR"), cidr);
                }
            }
            Action::Subnet { cidr, zone, .. } => {
                compare("the block of addresses", text(info, "IPv4_CIDR"), cidr);
                if let Some(zone) = zone.as_deref().filter(|_| self.cloud.zones) {
                    compare("the zone", text(info, "Zone"), zone);
                }
            }
            Action::SecurityGroup { network, rules, .. } => {
                compare("the network", &plain(text(info, "VpcIID.NameId"), Kind::Network), network);
                let mut is: Vec<String> =
                    rows(info, "SecurityRules").filter(|rule| is_inbound(rule)).map(said).collect();
                let mut wanted: Vec<String> =
                    rules.iter().map(|rule| said(&super::make::rule(rule))).collect();
                for rules in [&mut is, &mut wanted] {
                    rules.sort();
                    rules.dedup();
                }
                compare("the set of rules", &is.join(", "), &wanted.join(", "));
            }
            Action::Machine { instance_type, subnet, security_groups, key_pair, .. } => {
                compare("the instance type", text(info, "VMSpecName"), instance_type);
                compare("the subnet", &plain(text(info, "SubnetIID.NameId"), Kind::Subnet), subnet);
                compare("the key pair", &plain(text(info, "KeyPairIId.NameId"), Kind::KeyPair), key_pair);
                compare(
                    "the set of security groups",
                    &names("SecurityGroupIIds", Kind::SecurityGroup),
                    &sorted(security_groups),
                );
            }
            Action::Disk { class, size_gib, .. } => {
                compare("the size in GB", text(info, "DiskSize"), &size_gib.0.to_string());
                if let Some(class) = class {
                    compare("the class", text(info, "DiskType"), class);
                }
            }
            Action::Attachment { machine, .. } => {
                compare("the machine", &plain(name_id(info, "OwnerVM"), Kind::Machine), machine);
            }
            Action::LoadBalancer { public, protocol, port, member_port, members, .. } => {
                compare("the type", text(info, "Type"), if *public { "PUBLIC" } else { "INTERNAL" });
                compare("the protocol", &text(info, "Listener.Protocol").to_lowercase(), protocol);
                compare("the port", text(info, "Listener.Port"), &port.to_string());
                compare("the members' port", text(info, "VMGroup.Port"), &member_port.to_string());
                compare("the set of members", &names("VMGroup.VMs", Kind::Machine), &sorted(members));
            }
            Action::KubernetesCluster { version, instance_type, nodes, .. } => {
                if let Some(version) = version.as_deref().filter(|_| !text(info, "Version").is_empty()) {
                    let is = text(info, "Version");
                    let same = is.starts_with(version) || version.starts_with(is);
                    compare("the version", if same { version } else { is }, version);
                }
                if let Some(group) = rows(info, "NodeGroupList").next() {
                    compare("the instance type", text(group, "VMSpecName"), instance_type);
                    let is = whole(group, "DesiredNodeSize").unwrap_or_default();
                    compare("the number of nodes", &is.to_string(), &nodes.to_string());
                }
            }
            Action::KeyPair { .. }
            | Action::PublicAddress { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        told
    }
}

fn has_attachment_tag(info: &Value) -> bool {
    rows(info, "TagList").any(|tag| text(tag, "Key") == TAG_ATTACHMENT)
}

fn is_inbound(rule: &Value) -> bool {
    text(rule, "Direction").eq_ignore_ascii_case("inbound")
}

/// A rule in words that are the same for the same rule.
fn said(rule: &Value) -> String {
    let protocol = text(rule, "IPProtocol").to_lowercase();
    let ports = match (text(rule, "FromPort"), text(rule, "ToPort")) {
        _ if protocol == "all" || protocol == "icmp" => String::new(),
        ("-1", _) | (_, "-1") => " 1-65535".to_owned(),
        (from, to) => format!(" {from}-{to}"),
    };
    format!("{protocol}{ports} from {}", text(rule, "CIDR"))
}

/// Whether Spider can say a rule: it knows four protocols and IPv4.
pub(super) fn is_sayable(rule: &AllowRule) -> bool {
    ["tcp", "udp", "icmp", "*"].contains(&rule.protocol.as_str()) && !rule.source.contains(':')
}
