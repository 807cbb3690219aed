//! Disks and interfaces of a machine, from its virtual hardware and from what VMware Tools tell of its inside.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;
use carafe_model::host::{Disk, Gpu, Nic};
use carafe_model::units::{Gib, Mib};

use super::{Object, Objects, named};
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawHost};
use crate::text::known;
use crate::xml::Element;

/// Fills in what the hardware says.
pub(super) fn read(
    machine: &Object<'_>,
    objects: &Objects<'_>,
    host: &mut RawHost,
    findings: &mut Vec<Finding>,
) {
    let Some(hardware) = machine.value("config.hardware.device") else { return };
    let devices = hardware.inside.as_slice();
    let is = |device: &Element, kind: &str| device.attribute("type").is_some_and(|it| it.ends_with(kind));
    let place = machine.place();
    // A bus that several machines share makes its disks shared.
    let shared_buses: Vec<&str> = devices
        .iter()
        .filter(|device| device.path_text("sharedBus").is_some_and(|bus| bus != "noSharing"))
        .filter_map(|device| device.path_text("key"))
        .collect();
    let used = used(machine);
    let disks: Vec<Disk> = devices
        .iter()
        .filter(|device| is(device, "VirtualDisk"))
        .map(|device| {
            let number = |path: &str| device.path_text(path)?.parse::<u64>().ok();
            let size = number("capacityInBytes")
                .map(|bytes| Mib(bytes.div_ceil(1 << 20)))
                .or_else(|| number("capacityInKB").map(|kib| Mib(kib.div_ceil(1 << 10))));
            let backing = device.child("backing");
            let shares = backing.and_then(|backing| backing.path_text("sharing"));
            let bus = device.path_text("controllerKey");
            let raw = backing.and_then(|it| it.attribute("type")).is_some_and(|it| it.contains("RawDisk"));
            let bytes = device.path_text("key").and_then(|key| used.get(key));
            Disk {
                name: device.path_text("deviceInfo/label").unwrap_or("disk").to_owned(),
                size_gib: size
                    .and_then(|size| limits::disk(At::new(limits::gib(size), place.clone()), findings)),
                used_gib: bytes.map(|bytes| Gib(bytes.div_ceil(1 << 30))),
                shared: shares == Some("sharingMultiWriter")
                    || bus.is_some_and(|bus| shared_buses.contains(&bus)),
                raw,
                ..Disk::default()
            }
        })
        .collect();
    host.disks = (!disks.is_empty()).then(|| At::new(disks, place.clone()));
    let inside = machine.value("guest.net").map(|value| value.inside.as_slice()).unwrap_or_default();
    let nics: Vec<Nic> = devices
        .iter()
        .filter(|device| device.child("macAddress").is_some())
        .map(|device| nic(device, inside, objects))
        .collect();
    let none = nics.iter().all(|nic| nic.addresses.is_empty());
    host.nics = (!nics.is_empty()).then(|| At::new(nics, place.clone()));
    // Some tools tell the main address only.
    if let (true, Some(address), Some(nics)) = (none, machine.text("guest.ipAddress"), &mut host.nics) {
        nics.value[0].addresses.extend(Some(address.value).filter(|ip| normalise::is_address(ip)));
    }
    let vgpus: Vec<&str> = devices
        .iter()
        .filter(|device| is(device, "VirtualPCIPassthrough"))
        .filter_map(|device| device.path_text("backing/vgpu"))
        .collect();
    if let Some(model) = vgpus.first() {
        let count = u32::try_from(vgpus.len()).unwrap_or(u32::MAX);
        host.gpu = Some(At::new(Gpu { count, model: Some((*model).to_owned()) }, place));
    }
}

/// Bytes in use by the key of the disk, where the tools say which file systems are on it. A file system over several disks
/// is on none of them alone.
fn used<'x>(machine: &Object<'x>) -> BTreeMap<&'x str, u64> {
    let mut used = BTreeMap::new();
    for system in machine.value("guest.disk").map(|value| value.inside.as_slice()).unwrap_or_default() {
        let number = |path: &str| system.path_text(path)?.parse::<u64>().ok();
        let keys: Vec<&str> = system.children("mappings").filter_map(|it| it.path_text("key")).collect();
        if let ([key], Some(capacity), Some(free)) =
            (keys.as_slice(), number("capacity"), number("freeSpace"))
        {
            *used.entry(*key).or_insert(0_u64) += capacity.saturating_sub(free);
        }
    }
    used
}

fn nic(device: &Element, inside: &[Element], objects: &Objects<'_>) -> Nic {
    let mac = device.path_text("macAddress").and_then(normalise::mac);
    let same = |guest: &&Element| {
        let key =
            device.path_text("key").is_some() && guest.path_text("deviceConfigId") == device.path_text("key");
        key || mac.is_some() && guest.path_text("macAddress").and_then(normalise::mac) == mac
    };
    let guest = inside.iter().find(same);
    let backing = device.child("backing");
    let reference = |path: &str| backing.and_then(|backing| backing.path_text(path));
    let network = reference("port/portgroupKey")
        .and_then(|key| named(objects, "DistributedVirtualPortgroup", key))
        .or_else(|| named(objects, "Network", reference("network")?))
        .or_else(|| reference("deviceName").map(str::to_owned))
        .or_else(|| guest?.path_text("network").map(str::to_owned));
    Nic {
        name: device.path_text("deviceInfo/label").unwrap_or("nic").to_owned(),
        mac,
        addresses: guest.map(addresses).unwrap_or_default(),
        network: network.filter(|name| known(name).is_some()),
    }
}

/// Addresses with their prefix lengths where they are told, without those that mean nothing outside of the machine.
fn addresses(guest: &Element) -> Vec<String> {
    let detailed: Vec<String> = guest
        .path("ipConfig")
        .into_iter()
        .flat_map(|config| config.children("ipAddress"))
        .filter_map(|entry| {
            let address = entry.path_text("ipAddress")?;
            let prefix = entry.path_text("prefixLength");
            Some(prefix.map_or_else(|| address.to_owned(), |prefix| format!("{address}/{prefix}")))
        })
        .collect();
    let plain = || guest.children("ipAddress").map(|entry| entry.text.trim().to_owned()).collect();
    let mut found: Vec<String> = if detailed.is_empty() { plain() } else { detailed };
    found.retain(|address| normalise::bare_address(address).is_some_and(normalise::is_reachable));
    found
}
