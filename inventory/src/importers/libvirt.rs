//! Domains of libvirt (`virsh dumpxml`), and what tells the sizes of their disks: the XML of volumes
//! (`virsh vol-dumpxml`), the JSON of `qemu-img info --output=json`, or what `virsh domstats --raw --block` prints.
//!
//! The XML of a domain has no sizes of disks. Codes: `INV-5xxx`.

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Disk, Firmware, Gpu, Nic};
use carafe_model::units::{Gib, Mib};

use crate::encoding;
use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::text::{clip, known, one_line};
use crate::xml::{self, Element};

/// How the answer of `virsh domstats --raw` begins.
const STATS: &str = "Domain: '";

/// Whether it is a domain, in whatever wrapper, or tells sizes of its disks.
pub fn sniff(glance: &Glance<'_>) -> bool {
    match &glance.form {
        Form::Xml(root) => {
            matches!(root.as_str(), "domain" | "domains" | "domstatus" | "domainsnapshot" | "volume")
        }
        Form::Json(_) => glance.is_json_with(&["virtual-size", "filename"]),
        Form::Table(_) => glance.head.starts_with(STATS),
        Form::Workbook | Form::Other => false,
    }
}

/// Reads domains and the sizes of their disks together; `None` when there is no domain.
pub fn read(files: &[InputFile<'_>], _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let mut trees = Vec::new();
    let mut sizes = BTreeMap::new();
    for file in files {
        let text = encoding::text(file, findings);
        if text.trim_start().starts_with('{') {
            image_size(file.name, &text, &mut sizes, findings);
            continue;
        }
        if text.trim_start().starts_with(STATS) {
            block_sizes(&text, &mut sizes);
            continue;
        }
        match xml::parse(&text) {
            Ok(roots) => trees.push((file.name, roots)),
            Err(error) => findings.push(
                Finding::error("INV-5012", format!("the XML cannot be read: {}", clip(&error.what)))
                    .at(Place::file(file.name).row(error.line))
                    .help("write it again with: virsh dumpxml NAME"),
            ),
        }
    }
    let all = || trees.iter().flat_map(|(name, roots)| roots.iter().map(move |root| (*name, root)));
    for (_, root) in all() {
        for volume in root.all("volume") {
            let bytes = volume.child("capacity").and_then(|capacity| mib_of(capacity, "bytes"));
            let names = [volume.path_text("key"), volume.path_text("target/path"), volume.path_text("name")];
            for name in names.into_iter().flatten() {
                sizes.extend(bytes.map(|size| (name.to_owned(), size)));
            }
        }
    }
    let mut estate = RawEstate::default();
    let mut unsized_disks = Vec::new();
    for (name, root) in all() {
        for domain in root.all("domain") {
            // The inactive form inside the status of a snapshot repeats the domain.
            estate.hosts.push(host(name, domain, &sizes, &mut unsized_disks, findings));
        }
    }
    if let Some((place, disk)) = unsized_disks.first() {
        findings.push(
            Finding::warning(
                "INV-5013",
                format!(
                    "the sizes of {} disks are unknown, the first \"{}\"",
                    unsized_disks.len(),
                    clip(disk)
                ),
            )
            .at(place.clone())
            .help("give what qemu-img info --output=json or virsh vol-dumpxml prints of them too"),
        );
    }
    if estate.hosts.is_empty() {
        findings.push(
            Finding::error("INV-5014", "no domain")
                .at(Place::file(files[0].name))
                .help("write domains with: virsh dumpxml NAME"),
        );
        return None;
    }
    Some(estate)
}

/// Size of a disk image, by its path.
fn image_size(file: &str, text: &str, sizes: &mut BTreeMap<String, Mib>, findings: &mut Vec<Finding>) {
    let Some(value) = document::parse(file, text.as_bytes(), findings) else { return };
    let bytes = value.get("virtual-size").and_then(serde_json::Value::as_u64);
    let name = value.get("filename").and_then(serde_json::Value::as_str);
    if let (Some(bytes), Some(name)) = (bytes, name) {
        sizes.insert(name.to_owned(), Mib(bytes.div_ceil(1 << 20)));
    }
}

/// Sizes of the disks of running machines, by their paths: `block.0.path=…` with `block.0.capacity=…` (bytes).
fn block_sizes(text: &str, sizes: &mut BTreeMap<String, Mib>) {
    let mut path: Option<(&str, &str)> = None;
    for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
        if let Some(disk) = key.strip_suffix(".path") {
            path = Some((disk, value));
        } else if let (Some(disk), Some((of, path))) = (key.strip_suffix(".capacity"), path)
            && disk == of
            && let Ok(bytes) = value.parse::<u64>()
        {
            sizes.entry(path.to_owned()).or_insert(Mib(bytes.div_ceil(1 << 20)));
        }
    }
}

/// A size with its unit, which is bytes, KiB, or, of `KB` and its kin, thousands.
fn mib_of(element: &Element, default: &str) -> Option<Mib> {
    let number: u128 = element.text.trim().parse().ok()?;
    let unit = element.attribute("unit").unwrap_or(default);
    let bytes: u128 = match unit {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    u64::try_from(number.checked_mul(bytes)?.div_ceil(1 << 20)).ok().map(Mib)
}

fn host(
    file: &str,
    domain: &Element,
    sizes: &BTreeMap<String, Mib>,
    unsized_disks: &mut Vec<(Place, String)>,
    findings: &mut Vec<Finding>,
) -> RawHost {
    let at = |element: &Element| Place::file(file).row(element.line);
    let text = |path: &str| {
        let element = domain.path(path)?;
        Some(At::new(known(&element.text)?.to_owned(), at(element)))
    };
    let uuid = text("uuid");
    let name = text("name");
    let key = uuid.as_ref().or(name.as_ref()).map(|at| at.value.clone()).unwrap_or_default();
    let mut host = RawHost::new(format!("{file} {} {key}", domain.line), at(domain));
    host.name = name;
    host.identities = uuid.iter().filter_map(|at| normalise::identity(&at.value)).collect();
    host.machine_id = uuid;
    if let Some(vcpu) = domain.child("vcpu") {
        let count = vcpu.attribute("current").unwrap_or(&vcpu.text).trim().parse::<u64>();
        match count {
            Ok(count) => host.vcpus = limits::vcpus(At::new(count, at(vcpu)), findings),
            Err(_) => findings.push(
                Finding::error("INV-1004", format!("\"{}\": not a number", clip(&vcpu.text)))
                    .at(at(vcpu))
                    .help("the value was left out and counts as unknown"),
            ),
        }
    }
    let memory = domain.child("currentMemory").or_else(|| domain.child("memory"));
    host.memory = memory.and_then(|element| {
        let size = mib_of(element, "KiB").map(|size| At::new(size, at(element)));
        if size.is_none() {
            findings.push(
                Finding::error("INV-1004", format!("\"{}\": not a size of memory", clip(&element.text)))
                    .at(at(element))
                    .help("the value was left out and counts as unknown"),
            );
        }
        limits::memory(size?, findings)
    });
    if let Some(kind) = domain.path("os/type") {
        let architecture = kind.attribute("arch").map(normalise::architecture);
        host.architecture = architecture.map(|value| At::new(value, at(kind)));
    }
    let is_uefi = domain.path("os").and_then(|os| os.attribute("firmware")) == Some("efi")
        || domain.path("os/loader").is_some_and(|loader| loader.attribute("type") == Some("pflash"))
        || domain.path("os/nvram").is_some();
    if let Some(os) = domain.child("os") {
        let firmware = if is_uefi { Firmware::Uefi } else { Firmware::Bios };
        host.firmware = Some(At::new(firmware, at(os)));
    }
    host.cpu_model = text("cpu/model");
    if let Some(element) = domain.path("metadata/libosinfo/os") {
        host.os = element.attribute("id").map(|id| At::new(os_of(id), at(element)));
    }
    for (path, label) in [("title", "title"), ("description", "annotation")] {
        host.labels.extend(text(path).map(|at| (label.to_owned(), at.map(|text| one_line(&text)))));
    }
    let Some(devices) = domain.child("devices") else { return host };
    let disks: Vec<Disk> = devices
        .children("disk")
        .filter(|disk| disk.attribute("device").is_none_or(|kind| matches!(kind, "disk" | "lun")))
        .map(|disk| read_disk(disk, sizes, &at(disk), unsized_disks, findings))
        .collect();
    host.disks = (!disks.is_empty()).then(|| At::new(disks, at(devices)));
    let nics: Vec<Nic> =
        devices.children("interface").enumerate().map(|(at, nic)| read_nic(at, nic)).collect();
    host.nics = (!nics.is_empty()).then(|| At::new(nics, at(devices)));
    let passed: Vec<&Element> =
        devices.children("hostdev").filter(|dev| dev.attribute("type") == Some("pci")).collect();
    if let Some(first) = passed.first() {
        findings.push(
            Finding::warning("INV-5015", "a device of the hypervisor is passed through to the machine")
                .at(at(first))
                .host(clip(host.name.as_ref().map_or("", |name| &name.value)))
                .help("no cloud has this device; if it is an accelerator, say so with \"gpu\" in an estate document"),
        );
    }
    let mediated = devices.children("hostdev").filter(|dev| dev.attribute("type") == Some("mdev")).count();
    let count = u32::try_from(mediated).unwrap_or(u32::MAX);
    host.gpu = (count > 0).then(|| At::new(Gpu { count, model: None }, at(devices)));
    host
}

/// A system by libosinfo's name for it: `http://redhat.com/rhel/8.6`.
fn os_of(id: &str) -> carafe_model::host::Os {
    let parts: Vec<&str> = id.trim_end_matches('/').rsplit('/').take(2).collect();
    let (version, family) =
        (parts.first().copied().unwrap_or_default(), parts.get(1).copied().unwrap_or_default());
    let family = if family == "win" { "windows" } else { family };
    normalise::os(format!("{family} {version}").trim_end_matches(" unknown").trim())
}

fn read_disk(
    disk: &Element,
    sizes: &BTreeMap<String, Mib>,
    place: &Place,
    unsized_disks: &mut Vec<(Place, String)>,
    findings: &mut Vec<Finding>,
) -> Disk {
    let source = disk.child("source");
    let get = |name: &str| source.and_then(|source| source.attribute(name));
    let path = ["file", "dev", "volume", "name"].into_iter().find_map(get).unwrap_or_default();
    let target = disk.child("target").and_then(|target| target.attribute("dev")).unwrap_or(path);
    let size = sizes.get(path).map(|size| At::new(limits::gib(*size), place.clone()));
    if size.is_none() {
        unsized_disks
            .push((place.clone(), if path.is_empty() { target.to_owned() } else { path.to_owned() }));
    }
    Disk {
        name: target.to_owned(),
        size_gib: size.and_then(|size: At<Gib>| limits::disk(size, findings)),
        shared: disk.child("shareable").is_some(),
        raw: disk.attribute("type") == Some("block") && disk.attribute("device") == Some("lun"),
        ..Disk::default()
    }
}

fn read_nic(at: usize, nic: &Element) -> Nic {
    let source = nic.child("source");
    let network = ["network", "bridge", "dev"].into_iter().find_map(|name| source?.attribute(name));
    let mac = nic.child("mac").and_then(|mac| mac.attribute("address")).and_then(normalise::mac);
    let addresses = nic.children("ip").filter_map(|ip| ip.attribute("address")).map(str::to_owned);
    Nic {
        name: format!("nic {}", at + 1),
        mac,
        addresses: addresses.filter(|address| normalise::is_address(address)).collect(),
        network: network.map(str::to_owned),
    }
}
