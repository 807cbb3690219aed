//! Processor, memory, disks and operating system of a collected host.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::Finding;
use carafe_model::host::{Disk, Firmware, Gpu, Media, Power};
use carafe_model::inside::{Filesystem, Hardware, Inside};
use carafe_model::units::{Gib, Mib};

use super::sections::Sections;
use super::{below, section_of};
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawHost};
use crate::text::known;

/// Fills in what the machine is made of; what the model of hosts has no place for is returned.
pub(super) fn read(
    host: &mut RawHost,
    target: &At<String>,
    sections: &Sections<'_>,
    findings: &mut Vec<Finding>,
) -> Inside {
    let place = below(&host.place, "machine");
    let text = |key| sections.value("machine", key);
    let number = |key| text(key).and_then(|value| value.parse::<u64>().ok());
    let at = |value: &str| At::new(value.to_owned(), place.clone());
    let hostname = text("hostname").filter(|name| !matches!(*name, "localhost" | "localhost.localdomain"));
    host.name = Some(hostname.map_or_else(|| target.clone(), at));
    if hostname.is_some_and(|name| name != target.value) {
        host.labels.insert("ssh".to_owned(), target.clone());
    }
    host.machine_id = text("machine_id").map(at);
    host.identities.extend(text("product_uuid").map(str::to_owned));
    host.architecture =
        text("architecture").map(|name| At::new(normalise::architecture(name), place.clone()));
    host.vcpus = number("threads").and_then(|count| limits::vcpus(At::new(count, place.clone()), findings));
    host.cpu_model = text("cpu_model").map(at);
    let memory = number("memory_kib").map(|kib| Mib(kib.div_ceil(1024)));
    host.memory = memory.and_then(|mib| limits::memory(At::new(mib, place.clone()), findings));
    host.firmware = match text("firmware") {
        Some("uefi") => Some(At::new(Firmware::Uefi, place.clone())),
        Some("bios") => Some(At::new(Firmware::Bios, place.clone())),
        Some(_) | None => None,
    };
    host.power = Some(At::new(Power::On, place.clone()));
    let field = |key: &str| {
        let value =
            sections.lines("os-release").iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.map(|value| value.trim().trim_matches(['"', '\''])).unwrap_or_default()
    };
    if sections.lines("os-release").iter().any(|line| line.starts_with("ID=") || line.starts_with("NAME=")) {
        let name = known(field("PRETTY_NAME")).unwrap_or(field("NAME"));
        let os = normalise::os_release(field("ID"), field("ID_LIKE"), name, known(field("VERSION_ID")));
        host.os = Some(At::new(os, below(&host.place, "os-release")));
    } else if let Some(system) = text("system") {
        host.os = Some(At::new(normalise::os(system), place.clone()));
    }
    let gpus: Vec<&str> = sections.lines("gpu").iter().filter_map(|line| line.strip_prefix("GPU ")).collect();
    if let Some(first) = gpus.first() {
        let model = first.split_once(": ").map_or(*first, |(_, model)| model);
        let model = model.split(" (UUID").next().and_then(known).map(str::to_owned);
        let count = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
        host.gpu = Some(At::new(Gpu { count, model }, below(&host.place, "gpu")));
    }
    let filesystems = filesystems(sections);
    host.disks = section_of(&host.place, "disks", disks(sections, &filesystems));
    let small = |key| number(key).and_then(|count| u32::try_from(count).ok());
    let hardware = Hardware {
        vendor: text("sys_vendor").map(str::to_owned),
        product: text("product_name").map(str::to_owned),
        serial: text("product_serial").map(str::to_owned),
        // For a physical machine systemd says "none", which elsewhere means that nothing is known.
        virtualisation: sections
            .lines("machine")
            .iter()
            .find_map(|line| line.strip_prefix("virtualisation "))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        sockets: small("sockets"),
        cores: small("cores"),
        numa_nodes: small("numa_nodes"),
    };
    Inside {
        kernel: text("kernel").map(str::to_owned),
        hardware: (hardware != Hardware::default()).then_some(hardware),
        filesystems: filesystems.into_iter().map(|(_, filesystem)| filesystem).collect(),
        ..Inside::default()
    }
}

/// Filesystems by mount point, each with the kernel's name of what it lies on.
fn filesystems(sections: &Sections<'_>) -> Vec<(String, Filesystem)> {
    let mut found = Vec::new();
    for line in sections.lines("filesystems") {
        // Device, what it is a link to, its kind where df tells it, size, used, available in KiB, percent, mount point.
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [device, target, rest @ ..] = fields.as_slice() else { continue };
        let (kind, rest) = match rest {
            [kind, rest @ ..] if kind.parse::<u64>().is_err() => (Some(*kind), rest),
            rest => (None, rest),
        };
        let [size, used, _, _, mount @ ..] = rest else { continue };
        let (Ok(size), Ok(used)) = (size.parse::<u64>(), used.parse::<u64>()) else { continue };
        // Bind mounts put single files of one filesystem in several places; only folders it is mounted on count.
        let name = target.rsplit('/').next().unwrap_or(target).to_owned();
        found.push((
            name,
            Filesystem {
                mount_point: mount.join(" "),
                device: (*device).to_owned(),
                kind: kind.map(str::to_owned),
                size_mib: Mib(size.div_ceil(1024)),
                used_mib: Mib(used.div_ceil(1024)),
            },
        ));
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    let mut devices = BTreeSet::new();
    found.retain(|(name, _)| devices.insert(name.clone()));
    found
}

/// Disks, the one below `/` first. What is used of a disk is told only where every filesystem on it lies on it alone.
fn disks(sections: &Sections<'_>, filesystems: &[(String, Filesystem)]) -> Vec<Disk> {
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut disks: Vec<Disk> = Vec::new();
    for line in sections.lines("disks") {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["disk", name, sectors, rest @ ..] => {
                let Ok(sectors) = sectors.parse::<u64>() else { continue };
                // Virtual disks call themselves rotating whatever they lie on.
                let is_virtual = name.starts_with("vd") || name.starts_with("xvd");
                let media = match rest {
                    ["0"] if !is_virtual => Some(Media::Ssd),
                    ["1"] if !is_virtual => Some(Media::Hdd),
                    _ => None,
                };
                disks.push(Disk {
                    name: (*name).to_owned(),
                    size_gib: Some(Gib(sectors.div_ceil(2 * 1024 * 1024))),
                    media,
                    ..Disk::default()
                });
            }
            ["on", name, parent] => drop(below.entry(name).or_default().insert(parent)),
            _ => {}
        }
    }
    let mut used: BTreeMap<&str, u64> = BTreeMap::new();
    let mut shared: BTreeSet<&str> = BTreeSet::new();
    let mut boot = None;
    for (name, filesystem) in filesystems {
        let roots = roots(name, &below);
        if filesystem.mount_point == "/" {
            boot = roots.first().copied();
        }
        match roots.as_slice() {
            [only] => *used.entry(only).or_default() += filesystem.used_mib.0,
            several => shared.extend(several),
        }
    }
    for disk in &mut disks {
        let alone = !shared.contains(disk.name.as_str());
        disk.used_gib = used.get(disk.name.as_str()).filter(|_| alone).map(|mib| Gib(mib.div_ceil(1024)));
    }
    disks.sort_by_key(|disk| (boot != Some(disk.name.as_str()), disk.name.clone()));
    disks
}

/// The disks at the bottom of a partition, volume or array.
fn roots<'t>(name: &'t str, below: &BTreeMap<&'t str, BTreeSet<&'t str>>) -> Vec<&'t str> {
    let mut left = vec![name];
    let mut met = BTreeSet::new();
    let mut roots = BTreeSet::new();
    while let Some(name) = left.pop() {
        if met.insert(name) {
            match below.get(name) {
                Some(parents) => left.extend(parents),
                None => drop(roots.insert(name)),
            }
        }
    }
    roots.into_iter().collect()
}
