//! Nova: machines, each with the Neutron port that puts it into its subnet.
//!
//! The port is made first, because only a port says which subnet of a network a machine is in, and removed last. A port
//! whose machine is missing is what is left of one.

use carafe_model::steps::Action;
use carafe_model::units::Gib;
use serde_json::{Value, json};

use super::flavors::MachineType;
use super::json::{rows, text, whole};
use super::owner;
use super::site::{Found, Patience, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Status, Target};

/// Nova tells a server from any other by this much of its name at most, and takes no longer one.
pub(super) const LONGEST_NAME: usize = 255;

/// The class and size of a disk of its own that a machine boots from; `None` boots from what the flavor brings.
pub(super) fn root_volume(
    flavor: &MachineType,
    size: Option<Gib>,
    class: Option<&str>,
    least: u64,
) -> Option<u64> {
    let wanted = size.map_or(0, |size| size.0).max(least);
    let size = size.map_or(flavor.disk, |size| size.0).max(least).max(1);
    (class.is_some() || flavor.disk < wanted || flavor.disk == 0).then_some(size)
}

impl Site<'_> {
    pub(super) async fn servers(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        // Nova reads the name as a regular expression.
        let escaped = name.map(escaped);
        let query: Vec<(&str, &str)> = escaped.iter().map(|name| ("name", name.as_str())).collect();
        let listed = self.all(Service::Compute, &["servers", "detail"], &query, "servers").await?;
        let mut servers = Vec::new();
        for mut info in listed {
            if name.is_some_and(|name| text(&info, "name") != name) {
                continue;
            }
            if text(&info, "status") == "ERROR" && info["fault"].is_null() {
                info["fault"] = self.fault_of(text(&info, "id")).await?;
            }
            servers.push(server(info));
        }
        let ports = self.neutron("ports", "ports", name, &[]).await?;
        let orphans = ports.into_iter().filter(|port| {
            port.more.get("part").is_some_and(|part| part == "machine")
                && !servers.iter().any(|server| port.owner.as_ref().is_some_and(|owner| server.is_for(owner)))
        });
        let orphans: Vec<Found> = orphans.map(|port| Found { complete: false, ..port }).collect();
        servers.extend(orphans);
        Ok(servers)
    }

    /// Why a machine is in error, which Nova does not say in its lists, and a moment later than that it is.
    async fn fault_of(&self, id: &str) -> Result<Value, DriverError> {
        match self.get(Service::Compute, &["servers", id], &[]).await {
            Ok(mut told) => Ok(told["server"]["fault"].take()),
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(Value::Null),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn make_machine(&self, target: &Target) -> Result<(), DriverError> {
        let Action::Machine {
            name,
            instance_type,
            vcpus,
            memory_mib,
            image,
            subnet,
            security_groups,
            key_pair,
            root_disk_gib,
            root_disk_class,
        } = &target.action
        else {
            unreachable!("only machines are made here")
        };
        let subnet = self.needed(target, Kind::Subnet, subnet).await?;
        let mut groups = Vec::new();
        for group in security_groups {
            groups.push(self.needed(target, Kind::SecurityGroup, group).await?.id);
        }
        let key_pair = self.needed(target, Kind::KeyPair, key_pair).await?;
        let flavor = self.flavor(instance_type, *vcpus, *memory_mib, true).await?;
        let image = self.image(image).await?;
        let port = self.port_for(target, &subnet, &groups).await?;
        let mut server = json!({
            "name": name, "flavorRef": flavor.id, "key_name": key_pair.id, "networks": [{"port": port.id}],
            "metadata": owner::metadata(&target.owner),
        });
        let class = root_disk_class.as_deref();
        match root_volume(&flavor, *root_disk_gib, class, image.least_gib) {
            Some(size) => {
                let mut volume = json!({
                    "boot_index": 0, "uuid": image.id, "source_type": "image", "destination_type": "volume",
                    "volume_size": size, "delete_on_termination": true,
                });
                if let Some(class) = class {
                    volume["volume_type"] = class.into();
                }
                server["block_device_mapping_v2"] = json!([volume]);
            }
            None => server["imageRef"] = image.id.as_str().into(),
        }
        if let Some(zone) = subnet.more.get("zone") {
            server["availability_zone"] = zone.as_str().into();
        }
        match self.post(Service::Compute, &["servers"], &json!({"server": server})).await {
            Ok(_) => Ok(()),
            Err(refusal) => Err(self.take_back(Service::Network, &["ports", &port.id], refusal).await),
        }
    }

    /// The port of a machine: the one that an earlier call left, or a new one.
    async fn port_for(
        &self,
        target: &Target,
        subnet: &Found,
        groups: &[String],
    ) -> Result<Found, DriverError> {
        let ports = self.neutron("ports", "ports", Some(target.name()), &[]).await?;
        let left = ports.into_iter().find(|port| {
            port.is_for(&target.owner)
                && rows(&port.info, "fixed_ips").any(|ip| text(ip, "subnet_id") == subnet.id)
        });
        if let Some(port) = left {
            return Ok(port);
        }
        let body = json!({
            "name": target.name(), "network_id": text(&subnet.info, "network_id"),
            "fixed_ips": [{"subnet_id": subnet.id}], "security_groups": groups,
            "description": owner::words(&target.owner, &[("part", "machine")]),
        });
        self.make_in_neutron("ports", "port", &target.owner, body).await
    }

    /// In what a machine differs from what is wanted. Where flavors are matched by size, another name is no difference.
    pub(super) fn machine_differences(&self, target: &Target, found: &Found) -> Vec<String> {
        let Action::Machine { instance_type, key_pair, .. } = &target.action else { return Vec::new() };
        let mut told = Vec::new();
        let is = text(&found.info, "flavor/original_name");
        if !self.cloud.flavors.by_size() && is != instance_type {
            told.push(format!("its flavor is {is} instead of {instance_type}"));
        }
        let is = text(&found.info, "key_name");
        if is != key_pair {
            told.push(format!("its key pair is {is} instead of {key_pair}"));
        }
        told
    }

    pub(super) async fn clear_machine(&self, found: &Found) -> Result<(), DriverError> {
        if !found.more.contains_key("part") {
            let volumes = rows(&found.info, "os-extended-volumes:volumes_attached");
            if volumes.filter(|volume| volume["delete_on_termination"] == false).count() > 0 && !found.leaving
            {
                let what = format!("machine \"{}\" has a data disk attached to it", found.name);
                return Err(ErrorKind::Conflict.because(what));
            }
            self.delete(Service::Compute, &["servers", &found.id]).await?;
            let mut patience = Patience::with(format!("machine \"{}\"", found.name));
            while let Some(server) = self.look(Service::Compute, &["servers", &found.id]).await? {
                let server = &server["server"];
                match (text(server, "status"), text(server, "OS-EXT-STS:task_state")) {
                    ("DELETED" | "SOFT_DELETED", _) => break,
                    ("ERROR", "") if !matches!(found.status, Status::Broken(_)) => {
                        let what = format!("machine \"{}\" cannot be removed: {}", found.name, why(server));
                        return Err(ErrorKind::Unknown.because(what));
                    }
                    _ => patience.wait().await?,
                }
            }
        }
        let Some(owner) = &found.owner else { return Ok(()) };
        for port in self.neutron("ports", "ports", Some(&found.name), &[]).await? {
            if port.is_for(owner) && text(&port.info, "device_id").is_empty() {
                self.delete(Service::Network, &["ports", &port.id]).await?;
            }
        }
        Ok(())
    }

    /// The address of a machine in its subnet.
    pub(super) fn address_of(&self, machine: &Found) -> Result<String, DriverError> {
        let networks = machine.info["addresses"].as_object().into_iter().flatten();
        let mut fixed = networks
            .flat_map(|(_, addresses)| addresses.as_array().into_iter().flatten())
            .filter(|address| text(address, "OS-EXT-IPS:type") != "floating")
            .map(|address| text(address, "addr").to_owned());
        fixed.next().ok_or_else(|| {
            let what = format!("machine \"{}\" has no address yet", machine.name);
            ErrorKind::Throttled { retry_after: std::time::Duration::from_secs(3) }.because(what)
        })
    }
}

fn server(info: Value) -> Found {
    let marks = owner::of_metadata(&info["metadata"]);
    let status = text(&info, "status").to_owned();
    let leaving = ["DELETED", "SOFT_DELETED"].contains(&status.as_str())
        || text(&info, "OS-EXT-STS:task_state") == "deleting";
    let status = match status.as_str() {
        "BUILD" | "REBUILD" | "RESIZE" | "MIGRATING" | "UNKNOWN" => Status::Creating,
        "ERROR" => Status::Broken(why(&info)),
        _ => Status::Ready,
    };
    Found {
        status,
        leaving,
        created: text(&info, "created").to_owned(),
        ..Found::marked(info.clone(), marks)
    }
}

/// What Nova says about a machine that failed.
fn why(server: &Value) -> String {
    let said = text(server, "fault/message");
    let code = whole(server, "fault/code").map(|code| format!(" ({code})")).unwrap_or_default();
    match said {
        "" => "Nova says that it is in error, and not why".to_owned(),
        said if said.contains("No valid host") => {
            format!(
                "no host of the cloud has room for it, or none fits the flavor and the zone: {said}{code}"
            )
        }
        said => format!("Nova says: {said}{code}"),
    }
}

fn escaped(name: &str) -> String {
    let mut pattern = String::from("^");
    for c in name.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('$');
    pattern
}
