//! Facts that Ansible gathers: a file of one host (`setup --tree`, fact caches), or what `ansible all -m setup` prints.

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Disk, Media, Nic, Os};
use carafe_model::units::{Gib, Mib};
use serde_json::Value;

use crate::encoding;
use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::text::{clip, counted};

/// Whether it has facts, wrapped or bare, or lines that `ansible` prints before them.
pub fn sniff(glance: &Glance<'_>) -> bool {
    let bare = ["ansible_hostname", "ansible_architecture", "ansible_memtotal_mb", "ansible_distribution"];
    glance.is_json_with(&["ansible_facts"])
        || bare.iter().any(|fact| glance.is_json_with(&[fact]))
        || matches!(glance.form, Form::Json(_)) && glance.says("\"ansible_facts\"")
        || glance.says(" | SUCCESS => {")
}

/// Reads facts; `None` when there are none.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let text = encoding::text(file, findings);
    let mut estate = RawEstate::default();
    if !text.trim_start().starts_with(['{', '[']) {
        printed(file, &text, &mut estate, findings);
    } else {
        let value = document::parse(file.name, text.as_bytes(), findings)?;
        let root = Node::root(file.name, &value);
        if is_facts(&root) {
            estate.hosts.extend(host("", &root, root.place(), findings));
        } else {
            // A dump of several hosts, each under its name.
            for (name, entry) in root.members() {
                estate.hosts.extend(host(name, &entry, entry.place(), findings));
            }
        }
    }
    if estate.hosts.is_empty() {
        findings.push(
            Finding::error("INV-4013", "no facts of any host")
                .at(Place::file(file.name))
                .help("gather them with: ansible all -m setup --tree facts/"),
        );
        return None;
    }
    Some(estate)
}

fn is_facts(node: &Node<'_>) -> bool {
    node.get("ansible_facts").is_some()
        || node.get("ansible_architecture").is_some()
        || node.get("ansible_hostname").is_some()
}

/// What `ansible` prints: `name | SUCCESS => {` and the facts up to a closing brace at the start of a line.
fn printed(file: &InputFile<'_>, text: &str, estate: &mut RawEstate, findings: &mut Vec<Finding>) {
    let mut lines = text.lines().enumerate();
    let (mut unreachable, mut first) = (0, None);
    while let Some((at, line)) = lines.next() {
        let Some((name, outcome)) = line.split_once(" | ") else { continue };
        let row = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if !outcome.starts_with("SUCCESS") {
            unreachable += usize::from(outcome.contains("=>"));
            first.get_or_insert((row, clip(name)));
            continue;
        }
        let mut body = String::from("{");
        for (_, line) in lines.by_ref() {
            body.push_str(line);
            body.push('\n');
            if line.starts_with('}') {
                break;
            }
        }
        let place = Place::file(file.name).row(row);
        let Ok(value) = serde_json::from_str::<Value>(&body) else {
            findings.push(
                Finding::error("INV-4014", format!("the facts of \"{}\" are no JSON", clip(name)))
                    .at(place)
                    .help("left out; gather them with: ansible all -m setup --tree facts/"),
            );
            continue;
        };
        estate.hosts.extend(host(name, &Node::root(file.name, &value), place, findings));
    }
    if let Some((row, name)) = first.filter(|_| unreachable > 0) {
        findings.push(
            Finding::warning(
                "INV-4015",
                format!("not reached by Ansible: {}, the first \"{name}\"", counted(unreachable, "host")),
            )
            .at(Place::file(file.name).row(row))
            .help("they are not in the estate; gather their facts again"),
        );
    }
}

fn host(name: &str, entry: &Node<'_>, place: Place, findings: &mut Vec<Finding>) -> Option<RawHost> {
    let facts = entry.get("ansible_facts").unwrap_or_else(|| entry.clone());
    // Some caches leave out the prefix.
    let get = |fact: &str| facts.get(&format!("ansible_{fact}")).or_else(|| facts.get(fact));
    let text = |fact: &str| get(fact).and_then(|node| node.words());
    if get("architecture").is_none() && get("hostname").is_none() && get("distribution").is_none() {
        return None;
    }
    let mut host = RawHost::new(name, place.clone());
    let given = (!name.is_empty()).then(|| At::new(name.to_owned(), place.clone()));
    host.name = text("hostname").or_else(|| text("nodename")).or(given);
    host.machine_id = text("machine_id").or_else(|| text("product_uuid"));
    host.identities = [text("product_uuid"), text("machine_id")]
        .into_iter()
        .flatten()
        .filter_map(|at| normalise::identity(&at.value))
        .collect();
    host.architecture = text("architecture").map(|at| at.map(|text| normalise::architecture(&text)));
    let number = |fact: &str| Some(At::new(get(fact)?.value.as_u64()?, get(fact)?.place()));
    let threads = number("processor_nproc").or_else(|| number("processor_vcpus"));
    host.vcpus = threads.and_then(|count| limits::vcpus(count, findings));
    // Number, maker and model of each processor come one after the other.
    host.cpu_model = get("processor").and_then(|node| {
        let words = node.all_words();
        let model = words.into_iter().find(|word| word.len() > 3 && word.contains(' '))?;
        Some(At::new(model, node.place()))
    });
    host.memory = number("memtotal_mb").and_then(|at| limits::memory(at.map(Mib), findings));
    host.os = text("distribution").map(|at| {
        at.map(|name| {
            let version = text("distribution_version").map(|at| at.value);
            let full = version.as_ref().map_or_else(|| name.clone(), |version| format!("{name} {version}"));
            // Ansible's names of licensed systems have no spaces.
            let known = normalise::os(match name.as_str() {
                "RedHat" => "Red Hat Enterprise Linux",
                "SLES" | "SLES_SAP" => "SUSE Linux Enterprise Server",
                other => other,
            });
            Os { name: full, version, family: known.family }
        })
    });
    host.power = Some(At::new(carafe_model::host::Power::On, place.clone()));
    host.disks = disks(get("devices"), get("mounts"), findings).map(|list| At::new(list, place.clone()));
    host.nics = nics(&facts, get("interfaces")).map(|list| At::new(list, place.clone()));
    for (fact, label) in [
        ("kernel", "kernel"),
        ("virtualization_type", "virtualization"),
        ("system_vendor", "maker"),
        ("product_name", "model"),
    ] {
        host.labels.extend(text(fact).filter(|at| at.value != "NA").map(|at| (label.to_owned(), at)));
    }
    Some(host)
}

/// Whole disks of the machine: no loops, memory disks, drives for media, or what is made of other disks.
fn disks(
    devices: Option<Node<'_>>,
    mounts: Option<Node<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Disk>> {
    const NO_DISKS: [&str; 8] = ["loop", "ram", "sr", "dm-", "md", "fd", "zram", "nbd"];
    let mut disks = Vec::new();
    for (name, device) in devices?.members() {
        if NO_DISKS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let number = |key: &str| device.words_at(&[key]).and_then(|at| at.value.parse::<u64>().ok());
        let exact =
            number("sectors").zip(number("sectorsize")).map(|(count, size)| count.saturating_mul(size));
        let written = || {
            device.words_at(&["size"]).and_then(|at| crate::number::parse(&at.value, None).ok()?.mib().ok())
        };
        let size = match exact {
            Some(bytes) => Some(limits::gib(Mib(bytes.div_ceil(1 << 20)))),
            None => written().map(limits::gib),
        };
        let used: u64 = mounts
            .iter()
            .flat_map(|node| node.each())
            .filter(|mount| {
                let device = mount.words_at(&["device"]).map(|at| at.value).unwrap_or_default();
                device.strip_prefix("/dev/").is_some_and(|device| device.starts_with(name))
            })
            .filter_map(|mount| {
                let total = mount.get("size_total")?.value.as_u64()?;
                total.checked_sub(mount.get("size_available")?.value.as_u64()?)
            })
            .fold(0, u64::saturating_add);
        let size_gib = size.and_then(|size| limits::disk(At::new(size, device.place()), findings));
        let media = match number("rotational") {
            Some(0) => Some(Media::Ssd),
            Some(_) => Some(Media::Hdd),
            None => None,
        };
        let used_gib = Some(Gib(used.div_ceil(1 << 30))).filter(|used| used.0 > 0);
        disks.push(Disk { name: name.to_owned(), size_gib, used_gib, media, ..Disk::default() });
    }
    disks.sort_by(|one, other| one.name.cmp(&other.name));
    (!disks.is_empty()).then_some(disks)
}

fn nics(facts: &Node<'_>, names: Option<Node<'_>>) -> Option<Vec<Nic>> {
    let mut nics = Vec::new();
    for name in names?.all_words() {
        if normalise::is_internal_interface(&name) {
            continue;
        }
        // Facts write names with underscores for what variables cannot hold.
        let fact = name.replace(['-', '.', ':'], "_");
        let Some(found) = facts.get(&format!("ansible_{fact}")).or_else(|| facts.get(&fact)) else {
            continue;
        };
        let mut addresses = Vec::new();
        let of_four = found.get("ipv4").into_iter().chain(found.each_at("ipv4_secondaries"));
        for entry in of_four.chain(found.each_at("ipv6")) {
            let Some(ip) = entry.words_at(&["address"]) else { continue };
            let prefix = entry.words_at(&["prefix"]).map(|at| format!("/{}", at.value)).unwrap_or_default();
            let address = format!("{}{prefix}", ip.value);
            if normalise::is_address(&address)
                && normalise::bare_address(&address).is_some_and(normalise::is_reachable)
            {
                addresses.push(address);
            }
        }
        let mac = found.words_at(&["macaddress"]).and_then(|at| normalise::mac(&at.value));
        if mac.is_some() || !addresses.is_empty() {
            nics.push(Nic { name, mac, addresses, network: None });
        }
    }
    (!nics.is_empty()).then_some(nics)
}
