//! What vCenter answers over SOAP (`RetrievePropertiesEx`, `QueryPerf`) and REST (tags), by the vSphere Web Services API
//! (<https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/>).
//!
//! Codes: `INV-801x`.

mod devices;

mod history;

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Architecture, Firmware, Power};
use carafe_model::units::Mib;
use serde_json::Value;

use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::text::{clip, counted, known, one_line};
use crate::xml::{self, Element};

/// A managed object with the properties that were asked for.
struct Object<'x> {
    file: &'x str,
    element: &'x Element,
    properties: BTreeMap<&'x str, &'x Element>,
}

impl<'x> Object<'x> {
    fn of(file: &'x str, element: &'x Element) -> Option<(&'x str, &'x str, Object<'x>)> {
        let reference = element.child("obj")?;
        let properties = element
            .children("propSet")
            .filter_map(|set| Some((set.path_text("name")?, set.child("val")?)))
            .collect();
        Some((reference.attribute("type")?, reference.text.trim(), Object { file, element, properties }))
    }

    fn place(&self) -> Place {
        Place::file(self.file).row(self.element.line)
    }

    fn value(&self, property: &str) -> Option<&'x Element> {
        self.properties.get(property).copied()
    }

    fn text(&self, property: &str) -> Option<At<String>> {
        let value = self.value(property)?;
        Some(At::new(known(value.text.trim())?.to_owned(), Place::file(self.file).row(value.line)))
    }

    /// The object that a property refers to.
    fn reference(&self, property: &str) -> Option<&'x str> {
        self.value(property).map(|value| value.text.trim())
    }
}

/// The objects of all answers: by kind, then by reference.
type Objects<'x> = BTreeMap<&'x str, BTreeMap<&'x str, Object<'x>>>;

/// Reads the answers of one vCenter together; `None` when there is no machine in them.
pub(super) fn read(
    files: &[InputFile<'_>],
    _: &Reading<'_>,
    findings: &mut Vec<Finding>,
) -> Option<RawEstate> {
    let mut trees = Vec::new();
    let mut tags = Vec::new();
    for file in files {
        let text = String::from_utf8_lossy(file.bytes);
        if text.trim_start().starts_with(['{', '[']) {
            tags.extend(document::parse(file.name, file.bytes, findings).map(|value| (file.name, value)));
            continue;
        }
        match xml::parse(&text) {
            Ok(roots) => trees.push((file.name, roots)),
            Err(error) => findings.push(
                Finding::error("INV-8011", format!("an answer cannot be read: {}", clip(&error.what)))
                    .at(Place::file(file.name).row(error.line))
                    .help("it was left out; collect again"),
            ),
        }
    }
    let roots = || trees.iter().flat_map(|(name, roots)| roots.iter().map(move |root| (*name, root)));
    let mut objects: Objects<'_> = BTreeMap::new();
    let mut center = None;
    for (name, root) in roots() {
        for element in root.all("objects") {
            if let Some((kind, reference, object)) = Object::of(name, element) {
                objects.entry(kind).or_default().insert(reference, object);
            }
        }
        let about = root.all("about").into_iter().next();
        center = center.or_else(|| about.and_then(|about| about.path_text("instanceUuid")));
    }
    let none = BTreeMap::new();
    let machines = objects.get("VirtualMachine").unwrap_or(&none);
    let custom = custom_fields(&objects);
    let tagged = tagged(&tags);
    let mut history = history::read(roots().map(|(_, root)| root), &objects);
    let mut estate = RawEstate::default();
    let mut left_out = Vec::new();
    for (reference, machine) in machines {
        let name = machine.text("name").map(|at| at.value).unwrap_or_default();
        let is_template = machine.text("config.template").is_some_and(|at| at.value == "true");
        if is_template || name.starts_with("vCLS-") || name.starts_with("vCLS (") {
            left_out.push(name);
            continue;
        }
        let mut host = host(reference, center, machine, &objects, findings);
        let mut label = |key: &str, value: &str| {
            if let (key, Some(value)) = (one_line(key), known(value)) {
                host.labels.entry(key).or_insert_with(|| At::new(one_line(value), machine.place()));
            }
        };
        for (key, value) in custom_values(machine, &custom) {
            label(key, value);
        }
        for (category, tag) in tagged.get(*reference).into_iter().flatten() {
            label(category, tag);
        }
        host.usage = history
            .remove(*reference)
            .and_then(|use_of| use_of.usage())
            .map(|it| At::new(it, machine.place()));
        estate.hosts.push(host);
    }
    if let Some(first) = left_out.first() {
        let what = format!(
            "templates and vSphere's own agents, left out: {}, the first \"{}\"",
            counted(left_out.len(), "machine"),
            clip(first)
        );
        findings.push(
            Finding::info("INV-8012", what).at(Place::file(files[0].name)).help("nothing needs to be done"),
        );
    }
    if estate.hosts.is_empty() {
        findings.push(
            Finding::error("INV-8013", "vCenter names no machine")
                .at(Place::file(files[0].name))
                .help("the user may lack the right to read them; give it the role Read-only on all objects"),
        );
        return None;
    }
    Some(estate)
}

fn host(
    reference: &str,
    center: Option<&str>,
    machine: &Object<'_>,
    objects: &Objects<'_>,
    findings: &mut Vec<Finding>,
) -> RawHost {
    let mut host = RawHost::new(reference.to_owned(), machine.place());
    host.name = machine.text("name");
    // As RVTools writes it, so that its export names the same machine.
    host.machine_id = Some(At::new(
        center.map_or_else(|| reference.to_owned(), |center| format!("{center}/{reference}")),
        machine.place(),
    ));
    host.identities = ["config.uuid", "config.instanceUuid"]
        .iter()
        .filter_map(|property| normalise::identity(&machine.text(property)?.value))
        .collect();
    let number = |property: &str| {
        machine.text(property).and_then(|at| Some(At::new(at.value.parse::<u64>().ok()?, at.place)))
    };
    host.vcpus = number("config.hardware.numCPU").and_then(|count| limits::vcpus(count, findings));
    host.memory = number("config.hardware.memoryMB").and_then(|mib| limits::memory(mib.map(Mib), findings));
    let os = machine.text("guest.guestFullName").or_else(|| machine.text("config.guestFullName"));
    let words = os.as_ref().map(|at| at.value.to_lowercase()).unwrap_or_default();
    let is_arm = words.contains("arm64") || words.contains("aarch64");
    // ESXi itself runs on x86_64, bar a preview for Arm whose guests name it in their system.
    let architecture = if is_arm { Architecture::Arm64 } else { Architecture::X86_64 };
    host.architecture = Some(At::new(architecture, machine.place()));
    host.os = os.map(|at| at.map(|text| normalise::os(&text)));
    host.firmware = machine.text("config.firmware").and_then(|at| match at.value.as_str() {
        "bios" => Some(at.map(|_| Firmware::Bios)),
        "efi" => Some(at.map(|_| Firmware::Uefi)),
        _ => None,
    });
    host.power = machine.text("runtime.powerState").and_then(|at| match at.value.as_str() {
        "poweredOn" => Some(at.map(|_| Power::On)),
        "poweredOff" => Some(at.map(|_| Power::Off)),
        "suspended" => Some(at.map(|_| Power::Suspended)),
        _ => None,
    });
    for (property, label) in [("guest.hostName", "dns-name"), ("config.annotation", "annotation")] {
        host.labels
            .extend(machine.text(property).map(|at| (label.to_owned(), at.map(|text| one_line(&text)))));
    }
    for (label, name) in surroundings(machine, objects) {
        host.labels.insert(label.to_owned(), At::new(one_line(&name), machine.place()));
    }
    devices::read(machine, objects, &mut host, findings);
    host
}

fn named(objects: &Objects<'_>, kind: &str, reference: &str) -> Option<String> {
    Some(objects.get(kind)?.get(reference)?.text("name")?.value)
}

/// Where a machine is: its hypervisor with its model, cluster, resource pool, folder, data center and first data store.
fn surroundings(machine: &Object<'_>, objects: &Objects<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let get = |kind: &str, reference: &str| objects.get(kind)?.get(reference);
    let mut add = |label, name: Option<String>| found.extend(name.map(|name| (label, name)));
    if let Some((reference, host)) = machine
        .reference("runtime.host")
        .and_then(|reference| Some((reference, get("HostSystem", reference)?)))
    {
        add("esxi-host", named(objects, "HostSystem", reference));
        add("esxi-version", host.text("config.product.fullName").map(|at| at.value));
        add("esxi-cpu", host.text("summary.hardware.cpuModel").map(|at| at.value));
        add(
            "cluster",
            host.reference("parent").and_then(|parent| named(objects, "ClusterComputeResource", parent)),
        );
    }
    let pool =
        machine.reference("resourcePool").and_then(|reference| named(objects, "ResourcePool", reference));
    // Every cluster has one pool of this name, which says nothing.
    add("resource-pool", pool.filter(|name| name != "Resources"));
    let stores = machine.value("datastore").map(|value| value.inside.as_slice()).unwrap_or_default();
    add("datastore", stores.first().and_then(|store| named(objects, "Datastore", store.text.trim())));
    let mut at = machine.reference("parent");
    let folder = at.and_then(|reference| named(objects, "Folder", reference));
    add("folder", folder.filter(|name| name != "vm"));
    // No tree of folders is deeper.
    for _ in 0..64 {
        let Some(reference) = at else { break };
        if let Some(name) = named(objects, "Datacenter", reference) {
            add("datacenter", Some(name));
            break;
        }
        at = get("Folder", reference).and_then(|folder| folder.reference("parent"));
    }
    found
}

/// Names of custom attributes by their key.
fn custom_fields<'x>(objects: &Objects<'x>) -> BTreeMap<&'x str, &'x str> {
    let managers = objects.get("CustomFieldsManager").into_iter().flat_map(BTreeMap::values);
    let fields = managers.filter_map(|manager| manager.value("field")).flat_map(|value| &value.inside);
    fields.filter_map(|field| Some((field.path_text("key")?, field.path_text("name")?))).collect()
}

fn custom_values<'x>(machine: &Object<'x>, names: &BTreeMap<&'x str, &'x str>) -> Vec<(&'x str, &'x str)> {
    let values = machine.value("customValue").map(|value| value.inside.as_slice()).unwrap_or_default();
    let pair = |value: &'x Element| Some((*names.get(value.path_text("key")?)?, value.path_text("value")?));
    values.iter().filter_map(pair).collect()
}

/// Tags of machines, each with its category, by reference. One answer holds a tag, its category and what it is attached
/// to; older versions wrap each in `value`.
fn tagged(answers: &[(&str, Value)]) -> BTreeMap<String, Vec<(String, String)>> {
    let mut tagged: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (file, value) in answers {
        let root = Node::root(file, value);
        let name = |of: &str| {
            root.words_at(&[&format!("{of}/value/name"), &format!("{of}/name")]).map(|at| at.value)
        };
        let (Some(tag), Some(category)) = (name("tag"), name("category")) else { continue };
        let attached = root.find("attached/value").or_else(|| root.find("attached"));
        for object in attached.iter().flat_map(|node| node.each()) {
            if object.words_at(&["type"]).is_some_and(|at| at.value == "VirtualMachine")
                && let Some(id) = object.words_at(&["id"])
            {
                tagged.entry(id.value).or_default().push((category.clone(), tag.clone()));
            }
        }
    }
    tagged
}
