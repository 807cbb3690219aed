//! Resources that are machines, their volumes and their interfaces.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;
use carafe_model::host::{Disk, Media, Nic};
use carafe_model::units::{Gib, Mib};

use super::Object;
use super::kinds::{ATTACHMENTS, SERVERS, ServerKind, VOLUMES};
use crate::importers::cloud::{Listing, Machine, volume};
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawHost};
use crate::shapes::Shapes;
use crate::text::one_line;

/// Adds a machine; `false` when the resource is none.
pub(super) fn add(
    object: &Object<'_>,
    flavors: &BTreeMap<String, &Object<'_>>,
    shapes: &mut Shapes<'_>,
    listing: &mut Listing,
    findings: &mut Vec<Finding>,
) -> bool {
    let Some(kind) = SERVERS.iter().find(|known| known.kind == object.kind) else { return false };
    let attributes = &object.attributes;
    let place = attributes.place();
    let id = object.id();
    let mut host = RawHost::new(id.clone(), place.clone());
    let name = attributes.words_at(kind.names);
    host.name = Some(name.unwrap_or_else(|| At::new(object.local_name().to_owned(), place.clone())));
    host.identities = normalise::identity(&id).into_iter().collect();
    host.machine_id = Some(At::new(id, place.clone()));
    let mut count = |paths: &[&str]| {
        let path = paths.iter().find(|path| attributes.find(path).is_some())?;
        attributes.count_at(path, findings)
    };
    let (vcpus, memory) = (count(kind.vcpus), count(kind.memory));
    host.vcpus = vcpus.and_then(|count| limits::vcpus(count, findings));
    host.memory = memory.and_then(|at| limits::memory(at.map(Mib), findings));
    let shape = attributes.words_at(kind.shape).map(|at| at.map(|text| last_part(&text).to_owned()));
    match shape {
        Some(shape) if kind.provider == "openstack" => {
            if let Some(flavor) = flavors.get(&shape.value) {
                let vcpus = flavor.attributes.count("vcpus", findings);
                host.vcpus = vcpus.and_then(|count| limits::vcpus(count, findings));
                let memory = flavor.attributes.count("ram", findings);
                host.memory = memory.and_then(|at| limits::memory(at.map(Mib), findings));
            }
            shapes.fit(&mut host, kind.provider, shape);
        }
        Some(shape) => shapes.fit(&mut host, kind.provider, shape),
        None => {}
    }
    host.os = attributes.words_at(kind.os).map(|at| at.map(|text| normalise::os(last_part(&text))));
    if object.kind == "azurerm_windows_virtual_machine" {
        host.os = Some(At::new(normalise::os("Windows Server"), place.clone()));
    }
    host.power =
        attributes.words_at(kind.power).and_then(|at| normalise::power(&at.value).map(|it| at.map(|_| it)));
    host.public_address = attributes
        .words_at(kind.public)
        .filter(|at| normalise::is_address(&at.value))
        .map(|at| at.map(|_| true));
    host.labels.insert("resource".to_owned(), At::new(object.address.clone(), place));
    host.labels.extend(attributes.words_at(kind.zone).map(|at| ("zone".to_owned(), at)));
    for (key, value) in attributes.find(kind.tags).map(|node| node.members()).unwrap_or_default() {
        if let Some(at) = value.words().filter(|_| key != "Name") {
            host.labels.entry(one_line(key)).or_insert_with(|| at.map(|text| one_line(&text)));
        }
    }
    let mut machine = Machine { host, ..Machine::default() };
    disks(object, kind, &mut machine, listing, findings);
    nics(object, kind, &mut machine);
    for path in kind.groups {
        machine.groups.extend(attributes.find(path).map(|node| node.all_words()).unwrap_or_default());
    }
    listing.machines.push(machine);
    true
}

/// The last part of a path: resources of Google are URLs.
fn last_part(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

fn disks(
    object: &Object<'_>,
    kind: &ServerKind,
    machine: &mut Machine,
    listing: &mut Listing,
    findings: &mut Vec<Finding>,
) {
    let attributes = &object.attributes;
    let boot_path = kind.boot_size.iter().find(|path| attributes.find(path).is_some());
    let boot_size = boot_path.and_then(|path| attributes.count_at(path, findings));
    let boot_id = attributes.words_at(kind.boot_volume).map(|at| last_part(&at.value).to_owned());
    match (boot_id, boot_size) {
        (Some(id), size) => {
            add_known(listing, &id, size, attributes.place(), findings);
            machine.volumes.push((id, Some("boot".to_owned())));
        }
        (None, Some(size)) => machine.disks.push(volume("boot".to_owned(), Some(size), findings)),
        // A machine that names no disk has one all the same; its size is not known.
        (None, None) if kind.boot_size.is_empty() => {}
        (None, None) => machine.disks.push(Disk { name: "boot".to_owned(), ..Disk::default() }),
    }
    for (list, size, id, device) in kind.disks {
        for (number, entry) in attributes.each_at(list).iter().enumerate() {
            let size =
                if size.is_empty() { None } else { entry.count_at(size, findings).filter(|at| at.value > 0) };
            let name = entry.words_at(&[device]).map(|at| at.value);
            match entry.words_at(&[id]).map(|at| last_part(&at.value).to_owned()) {
                Some(id) => {
                    add_known(listing, &id, size, entry.place(), findings);
                    machine.volumes.push((id, name));
                }
                None => {
                    let name = name.unwrap_or_else(|| format!("{list} {}", number + 1));
                    machine.disks.push(volume(name, size, findings));
                }
            }
        }
    }
}

/// A volume that only its machine tells of; what a resource of its own says goes before.
fn add_known(
    listing: &mut Listing,
    id: &str,
    size: Option<At<u64>>,
    place: carafe_model::finding::Place,
    findings: &mut Vec<Finding>,
) {
    if let (Some(size), false) = (size, listing.volumes.contains_key(id)) {
        let disk = volume(id.to_owned(), Some(size), findings);
        listing.volumes.insert(id.to_owned(), At::new(disk, place));
    }
}

fn nics(object: &Object<'_>, kind: &ServerKind, machine: &mut Machine) {
    let words = |paths: &[&str]| -> Vec<String> {
        let found = paths.iter().filter_map(|path| object.attributes.find(path)).map(|node| node.all_words());
        found.into_iter().find(|words| !words.is_empty()).unwrap_or_default()
    };
    let mut nics = normalise::nics(&words(kind.ips).join(";"), &words(kind.macs).join(";"));
    if let Some(first) = nics.first_mut() {
        first.network = object.text(kind.network).map(|network| last_part(&network).to_owned());
    }
    machine.nics.append(&mut nics);
}

/// Adds a volume; `false` when the resource is none.
pub(super) fn add_volume(object: &Object<'_>, listing: &mut Listing, findings: &mut Vec<Finding>) -> bool {
    let Some(known) = VOLUMES.iter().find(|known| known.kind == object.kind) else {
        return false;
    };
    let id = last_part(&object.id()).to_owned();
    let name = object.text(known.names).unwrap_or_else(|| object.local_name().to_owned());
    let size = object.attributes.count_at(known.size, findings);
    let mut disk = volume(name, size, findings);
    let kind = object.text(&[known.media]).unwrap_or_default().to_lowercase();
    disk.media = match () {
        () if kind.contains("ssd")
            || kind.starts_with("gp")
            || kind.starts_with("io")
            || kind.contains("premium") =>
        {
            Some(Media::Ssd)
        }
        () if kind.contains("hdd")
            || matches!(kind.as_str(), "st1" | "sc1" | "standard" | "standard_lrs" | "pd-standard") =>
        {
            Some(Media::Hdd)
        }
        () => None,
    };
    listing.volumes.insert(id, At::new(disk, object.attributes.place()));
    true
}

/// Joins a volume to its machine, where the resource does that.
pub(super) fn attach(object: &Object<'_>, listing: &mut Listing) {
    let Some((_, volume, machine, device)) = ATTACHMENTS.iter().find(|(kind, ..)| *kind == object.kind)
    else {
        return;
    };
    let (Some(volume), Some(machine)) = (object.text(&[volume]), object.text(&[machine])) else { return };
    let volume = last_part(&volume).to_owned();
    let is_meant = |known: &&mut Machine| {
        known.host.key == machine
            || known.host.key.ends_with(&format!("/{machine}"))
            || machine.ends_with(&format!("/{}", known.host.key))
    };
    let found = listing.machines.iter_mut().find(is_meant);
    if let Some(found) = found.filter(|found| found.volumes.iter().all(|(known, _)| *known != volume)) {
        found.volumes.push((volume, object.text(&[device])));
    }
}

/// Interfaces that are resources of their own: Azure's, and OpenStack's ports.
pub(super) fn join_interfaces(objects: &[Object<'_>], listing: &mut Listing) {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for object in objects {
        let Some(at) = listing.machines.iter().position(|machine| machine.host.key == object.id()) else {
            continue;
        };
        let ids =
            object.attributes.find("network_interface_ids").map(|node| node.all_words()).unwrap_or_default();
        let ports = object
            .attributes
            .each_at("network")
            .into_iter()
            .filter_map(|net| Some(net.words_at(&["port"])?.value));
        owners.extend(ids.into_iter().chain(ports).map(|id| (id, at)));
    }
    for object in objects {
        let (ips, network): (Vec<String>, _) = match object.kind {
            "azurerm_network_interface" => {
                let configurations = object.attributes.each_at("ip_configuration");
                let ips =
                    configurations.iter().filter_map(|c| Some(c.words_at(&["private_ip_address"])?.value));
                (ips.collect(), configurations.iter().find_map(|c| Some(c.words_at(&["subnet_id"])?.value)))
            }
            "openstack_networking_port_v2" => {
                let ips =
                    object.attributes.find("all_fixed_ips").map(|node| node.all_words()).unwrap_or_default();
                (ips, object.text(&["network_id"]))
            }
            _ => continue,
        };
        let Some(machine) = owners.get(&object.id()).map(|at| &mut listing.machines[*at]) else { continue };
        let mac = object.text(&["mac_address"]).and_then(|mac| normalise::mac(&mac));
        let known = machine.nics.iter_mut().find(|nic| nic.addresses.iter().any(|ip| ips.contains(ip)));
        let network = network.map(|network| last_part(&network).to_owned());
        match known {
            Some(nic) => {
                nic.mac = nic.mac.take().or(mac);
                nic.network = nic.network.take().or(network);
            }
            None => {
                let name = format!("nic {}", machine.nics.len() + 1);
                machine.nics.push(Nic { name, mac, addresses: ips, network });
            }
        }
        let groups = object.attributes.find("all_security_group_ids").map(|node| node.all_words());
        machine.groups.extend(groups.unwrap_or_default());
    }
}

/// A host that a node pool makes: its size by its instance type, its one disk by the pool.
pub(super) fn worker(name: &str, disk: Option<u64>, place: &carafe_model::finding::Place) -> Machine {
    let mut host = RawHost::new(name, place.clone());
    host.name = Some(At::new(name.to_owned(), place.clone()));
    let size_gib = disk.map(Gib).filter(|size| *size > Gib(0) && *size <= limits::LARGEST_DISK);
    let disks = vec![Disk { name: "boot".to_owned(), size_gib, ..Disk::default() }];
    Machine { host, disks, ..Machine::default() }
}
