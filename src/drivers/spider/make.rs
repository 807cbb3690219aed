//! The calls that make something, and what they stand on.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_model::host::OsFamily;
use carafe_model::steps::{Action, AllowRule};
use reqwest::Method;
use serde_json::{Value, json};

use super::clouds::{Clusters, Networks};
use super::facts::Facts;
use super::find::{Found, TAG_ATTACHMENT};
use super::shape::{rows, text};
use super::{Spider, name_id, owner, path_of};
use crate::drivers::{DriverError, ErrorKind, Kind, Target};

/// How far apart a cluster is looked at that its nodes wait for.
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);

/// What a target stands on, by Spider's names.
#[derive(Debug, Default)]
pub(super) struct Needs {
    network: String,
    subnets: Vec<String>,
    groups: Vec<String>,
    key_pair: String,
    machines: Vec<String>,
    disk: String,
}

/// The file of a private key.
pub(super) fn key_file(keys: &Path, name: &str) -> PathBuf {
    keys.join(format!("{name}.pem"))
}

/// A rule as Spider writes it.
pub(super) fn rule(rule: &AllowRule) -> Value {
    let (protocol, from, to) = match rule.protocol.as_str() {
        "*" => ("ALL", -1, -1),
        "icmp" => ("ICMP", -1, -1),
        protocol => {
            let from = rule.from_port.map_or(1, i32::from);
            let to = rule.to_port.or(rule.from_port).map_or(65535, i32::from);
            (if protocol == "udp" { "UDP" } else { "TCP" }, from, to)
        }
    };
    json!({
        "Direction": "inbound", "IPProtocol": protocol, "FromPort": from.to_string(), "ToPort": to.to_string(),
        "CIDR": rule.source,
    })
}

impl Spider {
    /// Looks up what the target stands on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the first thing that is not there.
    pub(super) async fn needs(&self, target: &Target) -> Result<Needs, DriverError> {
        let place = (target.provider.as_str(), target.region.as_str());
        let mut needs = Needs::default();
        let need = async |kind: Kind, name: &str| match self.named(place, kind, name).await? {
            Some(found) if found.registered => Ok(found),
            Some(found) if kind == Kind::Network && self.cloud.networks == Networks::One => {
                self.register_network(target, name, found).await
            }
            _ => Err(ErrorKind::NotFound.because(format!(
                "{} \"{}\" needs {} \"{name}\", which does not exist",
                target.kind.words(),
                target.name(),
                kind.words()
            ))),
        };
        match &target.action {
            Action::Subnet { network, .. } | Action::SecurityGroup { network, .. } => {
                needs.network = need(Kind::Network, network).await?.name_id;
            }
            Action::Machine { subnet, security_groups, key_pair, .. } => {
                let subnet = need(Kind::Subnet, subnet).await?;
                (needs.network, needs.subnets) = (subnet.within, vec![subnet.name_id]);
                for group in security_groups {
                    needs.groups.push(need(Kind::SecurityGroup, group).await?.name_id);
                }
                needs.key_pair = need(Kind::KeyPair, key_pair).await?.name_id;
            }
            Action::Attachment { disk, machine, .. } => {
                needs.disk = need(Kind::Disk, disk).await?.name_id;
                needs.machines = vec![need(Kind::Machine, machine).await?.name_id];
            }
            Action::LoadBalancer { subnet, members, .. } => {
                needs.network = need(Kind::Subnet, subnet).await?.within;
                for member in members {
                    needs.machines.push(need(Kind::Machine, member).await?.name_id);
                }
            }
            Action::KubernetesCluster { subnets, security_groups, key_pair, .. } => {
                for subnet in subnets {
                    let subnet = need(Kind::Subnet, subnet).await?;
                    needs.network = subnet.within;
                    needs.subnets.push(subnet.name_id);
                }
                for group in security_groups {
                    needs.groups.push(need(Kind::SecurityGroup, group).await?.name_id);
                }
                needs.key_pair = need(Kind::KeyPair, key_pair).await?.name_id;
            }
            Action::Network { .. }
            | Action::KeyPair { .. }
            | Action::Disk { .. }
            | Action::PublicAddress { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        Ok(needs)
    }

    /// Makes it, and answers with what Spider says it made.
    pub(super) async fn make(
        &self,
        target: &Target,
        facts: &Facts,
        needs: &Needs,
    ) -> Result<Found, DriverError> {
        let tagged = facts.tagged(target.kind);
        let name = if tagged { target.name().to_owned() } else { owner::long_name(target) };
        let tags =
            if tagged { owner::tags(target, self.cloud.slash_in_tags) } else { Value::Array(Vec::new()) };
        let post = async |path: &[&str], mut info: Value| {
            info["Name"] = name.clone().into();
            info["TagList"] = tags.clone();
            self.session.change(Method::POST, path, Some(info)).await
        };
        let answer = match &target.action {
            Action::Network { cidr, .. } => {
                post(&["vpc"], json!({"IPv4_CIDR": cidr, "SubnetInfoList": []})).await?
            }
            Action::Subnet { cidr, zone, .. } => {
                let mut info = json!({"IPv4_CIDR": cidr});
                if let Some(zone) = zone.as_deref().filter(|_| self.cloud.zones) {
                    info["Zone"] = zone.into();
                }
                let network = post(&["vpc", &needs.network, "subnet"], info).await?;
                let subnet =
                    rows(&network, "SubnetInfoList").find(|subnet| text(subnet, "IId.NameId") == name);
                subnet.cloned().ok_or_else(|| {
                    ErrorKind::Unknown.because("CB-Spider says that it made the subnet and does not list it")
                })?
            }
            Action::SecurityGroup { rules, .. } => {
                let mut all: Vec<Value> = rules.iter().map(rule).collect();
                // Clouds differ in what they let out when nothing is said.
                all.push(json!({
                    "Direction": "outbound", "IPProtocol": "ALL", "FromPort": "-1", "ToPort": "-1", "CIDR": "0.0.0.0/0",
                }));
                post(&["securitygroup"], json!({"VPCName": needs.network, "SecurityRules": all})).await?
            }
            Action::KeyPair { .. } => {
                let mut answer = post(&["keypair"], json!({})).await?;
                // Taken out, so that no copy of it goes any further.
                let private = answer["PrivateKey"].take();
                self.keep_key(target.name(), private.as_str().unwrap_or_default())?;
                answer
            }
            Action::Machine { instance_type, image, root_disk_gib, root_disk_class, .. } => {
                let size = root_disk_gib.map(|size| size.0.to_string()).unwrap_or_default();
                let mut info = json!({
                    "ImageType": "PublicImage", "ImageName": self.image(image).await?, "VMSpecName": instance_type,
                    "VPCName": needs.network, "SubnetName": needs.subnets[0], "SecurityGroupNames": needs.groups,
                    "KeyPairName": needs.key_pair, "RootDiskType": root_disk_class.as_deref().unwrap_or_default(),
                    "RootDiskSize": size,
                });
                if let (OsFamily::Windows, Some(password)) = (image.family, &self.windows_password) {
                    // Spider logs in to Windows by password, and takes no other user than this one.
                    info["VMUserId"] = "Administrator".into();
                    info["VMUserPasswd"] = password.expose().into();
                }
                post(&["vm"], info).await?
            }
            Action::Disk { class, size_gib, .. } => {
                let info = json!({
                    "DiskType": class.as_deref().unwrap_or_default(), "DiskSize": size_gib.0.to_string(),
                });
                post(&["disk"], info).await?
            }
            Action::Attachment { .. } => self.attach(target, facts, needs).await?,
            Action::LoadBalancer {
                public, protocol, port, member_port, members: _, health_check, ..
            } => {
                let protocol = protocol.to_uppercase();
                let check = health_check.as_ref();
                let or_default = |number: Option<u32>| number.map_or("default".to_owned(), |n| n.to_string());
                let info = json!({
                    "VPCName": needs.network, "Type": if *public { "PUBLIC" } else { "INTERNAL" }, "Scope": "REGION",
                    "Listener": {"Protocol": protocol, "Port": port.to_string()},
                    "VMGroup": {"Protocol": protocol, "Port": member_port.to_string(), "VMs": needs.machines},
                    "HealthChecker": {
                        "Protocol": check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()),
                        "Port": check.and_then(|check| check.port).unwrap_or(*member_port).to_string(),
                        "Interval": or_default(check.and_then(|check| check.interval_seconds)),
                        "Timeout": or_default(check.and_then(|check| check.timeout_seconds)),
                        "Threshold": or_default(check.and_then(|check| check.threshold)),
                    },
                });
                post(&["nlb"], info).await?
            }
            Action::KubernetesCluster { version, .. } => {
                let groups = match self.cloud.clusters {
                    Clusters::NodesAfter => Vec::new(),
                    Clusters::WithNodes | Clusters::None => vec![self.node_group(target, needs)],
                };
                let info = json!({
                    "Version": version.as_deref().unwrap_or_default(), "VPCName": needs.network,
                    "SubnetNames": needs.subnets, "SecurityGroupNames": needs.groups, "NodeGroupList": groups,
                });
                let answer = post(&["cluster"], info).await?;
                match self.cloud.clusters {
                    Clusters::NodesAfter => self.add_nodes(target, needs, &name).await?,
                    Clusters::WithNodes | Clusters::None => answer,
                }
            }
            Action::PublicAddress { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {
                return Err(ErrorKind::Invalid.because(format!("CB-Spider makes no {}", target.kind.words())));
            }
        };
        Ok(Found {
            name_id: name,
            id: match target.kind {
                Kind::Attachment => {
                    format!("{}@{}", text(&answer, "IId.SystemId"), name_id(&answer, "OwnerVM"))
                }
                _ => text(&answer, "IId.SystemId").to_owned(),
            },
            owner: Some(target.owner.clone()),
            registered: true,
            within: needs.network.clone(),
            info: answer,
        })
    }

    /// The tag comes first: an attachment without it would be nobody's.
    async fn attach(&self, target: &Target, facts: &Facts, needs: &Needs) -> Result<Value, DriverError> {
        if facts.tagged(Kind::Attachment) && self.cloud.slash_in_tags {
            let tag = |more: Value| {
                let mut info = json!({"ResourceType": "disk", "ResourceName": needs.disk});
                info.as_object_mut()
                    .expect("an object")
                    .extend(more.as_object().cloned().unwrap_or_default());
                Some(info)
            };
            let disk = self.session.get(&["disk", &needs.disk]).await?;
            if rows(&disk, "TagList").any(|tag| text(tag, "Key") == TAG_ATTACHMENT) {
                self.session.change(Method::DELETE, &["tag", TAG_ATTACHMENT], tag(json!({}))).await?;
            }
            let value = json!({"Tag": {"Key": TAG_ATTACHMENT, "Value": owner::long_name(target)}});
            self.session.change(Method::POST, &["tag"], tag(value)).await?;
        }
        let info = json!({"VMName": needs.machines[0]});
        self.session.change(Method::PUT, &["disk", &needs.disk, "attach"], Some(info)).await
    }

    fn node_group(&self, target: &Target, needs: &Needs) -> Value {
        let Action::KubernetesCluster { instance_type, nodes, .. } = &target.action else {
            unreachable!("only clusters have nodes")
        };
        let nodes = nodes.to_string();
        // Azure allows twelve lower-case letters and digits and no more.
        json!({
            "Name": "nodes", "VMSpecName": instance_type, "KeyPairName": needs.key_pair, "OnAutoScaling": "false",
            "DesiredNodeSize": nodes, "MinNodeSize": nodes, "MaxNodeSize": nodes,
        })
    }

    /// Waits until the cluster is active, and gives it its nodes.
    async fn add_nodes(&self, target: &Target, needs: &Needs, name: &str) -> Result<Value, DriverError> {
        loop {
            let cluster = self.session.get(&["cluster", name]).await?;
            match text(&cluster, "Status") {
                "Active" => break,
                "Creating" | "Updating" => tokio::time::sleep(BETWEEN_LOOKS).await,
                status => {
                    let what = format!("cluster \"{}\" is {}", target.name(), status.to_lowercase());
                    return Err(ErrorKind::Unknown.because(what));
                }
            }
        }
        let nodes = self.node_group(target, needs);
        self.session.change(Method::POST, &["cluster", name, "nodegroup"], Some(nodes)).await
    }

    /// Finishes what an earlier call of this plan left half made.
    pub(super) async fn complete(&self, target: &Target, found: &Found) -> Result<(), DriverError> {
        if target.kind == Kind::KubernetesCluster
            && self.cloud.clusters == Clusters::NodesAfter
            && rows(&found.info, "NodeGroupList").next().is_none()
        {
            let needs = self.needs(target).await?;
            self.add_nodes(target, &needs, &found.name_id).await?;
        }
        Ok(())
    }

    /// Writes a private key where only this user reads it.
    fn keep_key(&self, name: &str, key: &str) -> Result<(), DriverError> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let path = key_file(keys, name);
        let write = || {
            std::fs::create_dir_all(keys)?;
            // A key of an earlier key pair of that name opens nothing any more.
            let aside = path.with_extension("part");
            let _ = std::fs::remove_file(&aside);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
            file.write_all(key.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&aside, &path)
        };
        write().map_err(|error: std::io::Error| {
            let what = format!(
                "the key pair was made and its private key cannot be kept in {}: {error}",
                path.display()
            );
            ErrorKind::Unknown.because(what)
        })
    }

    /// Makes Spider know a resource again that it has lost sight of.
    pub(super) async fn register(&self, target: &Target, found: &Found) -> Result<(), DriverError> {
        let path = path_of(target.kind).expect("only kinds with a path can be lost").path;
        let mut info = json!({"Name": target.name(), "CSPId": found.id});
        let network = name_id(&found.info, "VpcIID");
        if !network.is_empty() {
            info["VPCName"] = network.into();
        }
        if target.kind == Kind::Disk {
            info["Zone"] = text(&found.info, "Zone").into();
        }
        self.session.change(Method::POST, &[&format!("reg{path}")], Some(info)).await.map(drop)
    }

    async fn register_network(
        &self,
        target: &Target,
        name: &str,
        found: Found,
    ) -> Result<Found, DriverError> {
        let info = json!({"Name": name, "CSPId": found.id});
        let info = self.session.change(Method::POST, &["regvpc"], Some(info)).await?;
        let place = (target.provider.as_str(), target.region.as_str());
        Ok(self.found(place, Kind::Network, info).1)
    }
}
