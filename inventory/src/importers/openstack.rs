//! Lists of OpenStack: answers of its APIs, and what `openstack … list -f json` prints (flat, with display names).
//!
//! Sizes come from the flavor, inside the server since microversion 2.47 or from the list of flavors. A server that boots
//! from a volume has an empty image and no disk of its flavor. Codes: `INV-5xxx`.

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Direction, Disk, Nic};
use carafe_model::units::{Gib, Mib};
use serde_json::Value;

use super::cloud::{GroupRule, Listener, Listing, Machine, Peer, listener_protocol, ports, volume};
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, MemberRef, RawEstate, RawHost};
use crate::text::{clip, one_line};

/// The lists of the APIs, by the name they come under.
const LISTS: [&str; 10] = [
    "servers",
    "flavors",
    "images",
    "volumes",
    "ports",
    "networks",
    "subnets",
    "security_groups",
    "loadbalancers",
    "members",
];

/// Whether it is one of the lists, with a word that only OpenStack has.
pub fn sniff(glance: &Glance<'_>) -> bool {
    const WORDS: [&str; 9] = [
        "OS-EXT-",
        "\"tenant_id\"",
        "\"project_id\"",
        "os-extended-volumes",
        "os-flavor-access",
        "\"links\"",
        "openstack",
        "\"network_id\"",
        "\"attachments\"",
    ];
    let is_list = LISTS.iter().any(|list| glance.is_json_with(&[list]));
    let is_flat = glance.is_json_with(&["ID", "Name", "Status", "Networks"])
        || glance.is_json_with(&["ID", "Name", "Size", "Attached to"])
        || glance.is_json_with(&["ID", "Name", "RAM", "VCPUs"])
        || glance.is_json_with(&["ID", "MAC Address", "Fixed IP Addresses"]);
    is_flat || is_list && WORDS.iter().any(|word| glance.says(word))
}

/// A size by name: hardware threads, memory, disk.
struct Size {
    vcpus: Option<At<u64>>,
    memory: Option<At<Mib>>,
    disk: Option<At<u64>>,
}

/// Reads the lists of one cloud together; `None` when none is usable.
pub fn read(files: &[InputFile<'_>], _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let values: Vec<(&str, Value)> = files
        .iter()
        .filter_map(|file| Some((file.name, document::parse(file.name, file.bytes, findings)?)))
        .collect();
    let (first, _) = values.first()?;
    let roots = || values.iter().map(|(name, value)| Node::root(name, value));
    // The lists of the command line have no name of their own; what their entries have tells them apart.
    let list = |name: &'static str, flat: &'static [&'static str]| {
        roots().flat_map(move |root| {
            let is_flat = root.find("0").is_some_and(|entry| flat.iter().all(|key| entry.get(key).is_some()));
            if is_flat { root.each() } else { root.each_at(name) }
        })
    };
    let mut flavors = BTreeMap::new();
    for found in list("flavors", &["ID", "RAM", "VCPUs"]) {
        let flavor = flavor(&found, findings);
        for key in found.words_at(&["id", "ID"]).into_iter().chain(found.words_at(&["name", "Name"])) {
            let Size { vcpus, memory, disk } = &flavor;
            let same = Size { vcpus: vcpus.clone(), memory: memory.clone(), disk: disk.clone() };
            flavors.entry(key.value).or_insert(same);
        }
    }
    let images: BTreeMap<String, Node<'_>> = list("images", &["ID", "Disk Format"])
        .filter_map(|image| Some((image.words_at(&["id", "ID"])?.value, image)))
        .collect();
    let networks: BTreeMap<String, String> = list("networks", &["ID", "Name", "Subnets"])
        .filter_map(|net| Some((net.words_at(&["id", "ID"])?.value, net.words_at(&["name", "Name"])?.value)))
        .collect();
    let mut listing = Listing::default();
    for found in list("servers", &["ID", "Status", "Networks"]) {
        listing.machines.push(server(&found, &flavors, &images, findings));
    }
    let index: BTreeMap<String, usize> =
        listing.machines.iter().enumerate().map(|(at, machine)| (machine.host.key.clone(), at)).collect();
    for found in list("volumes", &["ID", "Size", "Attached to"]) {
        add_volume(&found, &index, &mut listing, findings);
    }
    add_ports(list("ports", &["ID", "MAC Address", "Fixed IP Addresses"]), &index, &networks, &mut listing);
    for group in list("security_groups", &[]) {
        let rules: Vec<GroupRule> = group.each_at("security_group_rules").iter().filter_map(rule).collect();
        let names = group.words_at(&["id"]).into_iter().chain(group.words_at(&["name"]));
        let names: Vec<String> = names.map(|at| at.value).collect();
        if let [id, name] = names.as_slice() {
            let again = group.each_at("security_group_rules").iter().filter_map(rule).collect();
            listing.groups.entry(name.clone()).or_insert(again);
            listing.groups.insert(id.clone(), rules);
        }
    }
    for (name, value) in &values {
        load_balancers(&Node::root(name, value), &mut listing, findings);
    }
    Some(listing.finish(&Place::file(*first), findings))
}

fn flavor(found: &Node<'_>, findings: &mut Vec<Finding>) -> Size {
    let mut count = |keys: [&str; 2]| {
        let key = keys.into_iter().find(|key| found.get(key).is_some())?;
        found.count(key, findings)
    };
    Size {
        vcpus: count(["vcpus", "VCPUs"]),
        memory: count(["ram", "RAM"]).map(|at| at.map(Mib)),
        disk: count(["disk", "Disk"]),
    }
}

fn server(
    found: &Node<'_>,
    flavors: &BTreeMap<String, Size>,
    images: &BTreeMap<String, Node<'_>>,
    findings: &mut Vec<Finding>,
) -> Machine {
    let id = found.words_at(&["id", "ID"]);
    let key = id.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    let mut host = RawHost::new(key, found.place());
    host.name = found.words_at(&["name", "Name"]).or_else(|| id.clone());
    // Nova gives the machine its own id as the SMBIOS UUID.
    host.identities = id.iter().filter_map(|at| normalise::identity(&at.value)).collect();
    host.machine_id = id;
    let own = found.find("flavor").map(|node| flavor(&node, findings));
    let named = found
        .words_at(&["flavor/id", "flavor/original_name", "Flavor", "Flavor Name", "flavor"])
        .and_then(|at| flavors.get(at.value.split(" (").next().unwrap_or_default()));
    let pick =
        |read: fn(&Size) -> Option<At<u64>>| own.as_ref().and_then(read).or_else(|| named.and_then(read));
    host.vcpus = pick(|f| f.vcpus.clone()).and_then(|count| limits::vcpus(count, findings));
    let memory = pick(|f| f.memory.clone().map(|at| at.map(|mib| mib.0)));
    host.memory = memory.and_then(|at| limits::memory(at.map(Mib), findings));
    let from_image = found.words_at(&["image/id", "Image", "Image Name"]);
    let disk = pick(|f| f.disk.clone()).filter(|at| at.value > 0 && from_image.is_some());
    if let Some(image) = from_image.as_ref().and_then(|at| images.get(&at.value)) {
        let text = |paths: &[&str]| image.words_at(paths).map(|at| at.value);
        let name = text(&["name", "Name"]).unwrap_or_default();
        let os = match text(&["os_distro"]) {
            Some(distro) => normalise::os_release(&distro, "", &name, text(&["os_version"]).as_deref()),
            None => normalise::os(&name),
        };
        host.os = Some(At::new(os, image.place()));
        host.architecture = image
            .words_at(&["architecture", "hw_architecture"])
            .map(|at| at.map(|text| normalise::architecture(&text)));
        host.firmware = image
            .words_at(&["hw_firmware_type"])
            .and_then(|at| normalise::firmware(&at.value).map(|it| at.map(|_| it)));
    } else if let Some(name) = found.words_at(&["Image", "Image Name"]) {
        host.os = Some(name.map(|name| normalise::os(&name)));
    }
    host.power = found
        .words_at(&["status", "Status"])
        .and_then(|at| normalise::power(&at.value).map(|it| at.map(|_| it)));
    for (paths, label) in [
        (&["OS-EXT-AZ:availability_zone", "Availability Zone"][..], "zone"),
        (&["flavor/original_name", "Flavor", "Flavor Name"], crate::shapes::LABEL),
        (&["tenant_id", "project_id", "Project ID"], "project"),
    ] {
        host.labels.extend(found.words_at(paths).map(|at| (label.to_owned(), at)));
    }
    for (key, value) in found.find("metadata").map(|node| node.members()).unwrap_or_default() {
        host.labels.extend(value.words().map(|at| (one_line(key), at.map(|text| one_line(&text)))));
    }
    let mut machine = Machine { host, ..Machine::default() };
    if let Some(size) = disk {
        let size_gib = limits::disk(size.map(Gib), findings);
        machine.disks.push(Disk { name: "root".to_owned(), size_gib, ..Disk::default() });
    }
    for volume in found.each_at("os-extended-volumes:volumes_attached") {
        machine.volumes.extend(volume.words_at(&["id"]).map(|at| (at.value, None)));
    }
    addresses(found, &mut machine);
    let groups = found.each_at("security_groups");
    machine.groups = groups.iter().filter_map(|group| Some(group.words_at(&["name"])?.value)).collect();
    machine.groups.sort();
    machine.groups.dedup();
    machine
}

/// Interfaces from the addresses of a server, by hardware address; floating ones make it public.
fn addresses(found: &Node<'_>, machine: &mut Machine) {
    let mut nics: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let nets = found.find("addresses").or_else(|| found.find("Networks"));
    for (network, list) in nets.iter().flat_map(|node| node.members()) {
        for entry in list.each() {
            let Some(ip) = entry.words_at(&["addr"]).or_else(|| entry.words()) else { continue };
            if !normalise::is_address(&ip.value) {
                continue;
            }
            if entry.words_at(&["OS-EXT-IPS:type"]).is_some_and(|at| at.value == "floating") {
                machine.host.public_address = Some(ip.map(|_| true));
                continue;
            }
            let mac = entry.words_at(&["OS-EXT-IPS-MAC:mac_addr"]).and_then(|at| normalise::mac(&at.value));
            nics.entry((network.to_owned(), mac.unwrap_or_default())).or_default().push(ip.value);
        }
    }
    // Older clients print one text: `net=10.0.0.5, 10.0.0.6; other=10.1.0.5`.
    if let Some(text) = nets.and_then(|node| node.words()) {
        for part in text.value.split(';') {
            let (network, ips) = part.split_once('=').unwrap_or(("", part));
            let ips = normalise::addresses(ips);
            nics.entry((network.trim().to_owned(), String::new())).or_default().extend(ips);
        }
    }
    for (number, ((network, mac), addresses)) in nics.into_iter().enumerate() {
        machine.nics.push(Nic {
            name: format!("nic {}", number + 1),
            mac: (!mac.is_empty()).then_some(mac),
            addresses,
            network: (!network.is_empty()).then_some(network),
        });
    }
}

fn add_volume(
    found: &Node<'_>,
    index: &BTreeMap<String, usize>,
    listing: &mut Listing,
    findings: &mut Vec<Finding>,
) {
    let Some(id) = found.words_at(&["id", "ID"]) else { return };
    let name = found.words_at(&["name", "Name"]).map_or_else(|| id.value.clone(), |at| at.value);
    let size = if found.get("size").is_some() {
        found.count("size", findings)
    } else {
        found.count("Size", findings)
    };
    let mut disk = volume(name, size, findings);
    let kind = found.words_at(&["volume_type", "Type"]).map(|at| at.value).unwrap_or_default();
    disk.media = normalise::media(&kind);
    let is_boot = found.find("bootable").is_some_and(|node| {
        node.value.as_bool() == Some(true)
            || node.value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    });
    let attachments = found.find("attachments").or_else(|| found.find("Attached to"));
    for entry in attachments.iter().flat_map(|node| node.each()) {
        let server = entry.words_at(&["server_id"]).map(|at| at.value).unwrap_or_default();
        let Some(machine) = index.get(&server).map(|at| &mut listing.machines[*at]) else { continue };
        let device = entry.words_at(&["device"]).map(|at| at.value);
        let is_known = machine.volumes.iter().position(|(known, _)| *known == id.value);
        let entry = (id.value.clone(), device);
        match is_known {
            Some(at) => machine.volumes[at] = entry,
            None => machine.volumes.push(entry),
        }
        if is_boot && machine.disks.is_empty() {
            let at = machine.volumes.iter().position(|(known, _)| *known == id.value).unwrap_or(0);
            let boot = machine.volumes.remove(at);
            machine.volumes.insert(0, boot);
        }
    }
    listing.volumes.insert(id.value, At::new(disk, id.place));
}

/// Ports say more exactly than servers which address is on which interface, and which groups hold for it.
fn add_ports<'v>(
    ports: impl Iterator<Item = Node<'v>>,
    index: &BTreeMap<String, usize>,
    networks: &BTreeMap<String, String>,
    listing: &mut Listing,
) {
    let mut replaced = std::collections::BTreeSet::new();
    for port in ports {
        let device = port.words_at(&["device_id", "Device ID"]).map(|at| at.value).unwrap_or_default();
        let Some(at) = index.get(&device).copied() else { continue };
        let machine = &mut listing.machines[at];
        if replaced.insert(at) {
            machine.nics.clear();
        }
        let fixed = port.find("fixed_ips").or_else(|| port.find("Fixed IP Addresses"));
        let ips = fixed.iter().flat_map(|node| node.each());
        let network = port.words_at(&["network_id", "Network ID"]).map(|at| at.value);
        machine.nics.push(Nic {
            name: format!("nic {}", machine.nics.len() + 1),
            mac: port.words_at(&["mac_address", "MAC Address"]).and_then(|at| normalise::mac(&at.value)),
            addresses: ips.filter_map(|ip| Some(ip.words_at(&["ip_address"])?.value)).collect(),
            network: network.map(|id| networks.get(&id).cloned().unwrap_or(id)),
        });
        let groups = port.find("security_groups").map(|node| node.all_words()).unwrap_or_default();
        if !groups.is_empty() {
            machine.groups.retain(|group| normalise::identity(group).is_some());
            machine.groups.extend(groups);
            machine.groups.sort();
            machine.groups.dedup();
        }
    }
}

fn rule(found: &Node<'_>) -> Option<GroupRule> {
    let text = |key: &str| found.words_at(&[key]).map(|at| at.value);
    let number = |key: &str| found.get(key).and_then(|node| node.value.as_u64());
    let protocol = normalise::protocol(text("protocol").as_deref());
    let peer = match text("remote_group_id") {
        Some(group) => Peer::Group(group),
        None => {
            let prefix = text("remote_ip_prefix").filter(|prefix| prefix != "::/0");
            Peer::Network(normalise::network(prefix.as_deref())?)
        }
    };
    let ports = match protocol.as_str() {
        "tcp" | "udp" => ports(number("port_range_min"), number("port_range_max")),
        _ => "*".to_owned(),
    };
    let direction = normalise::direction(&text("direction")?)?;
    // Rules for outgoing traffic to anywhere are the default of every group and say nothing.
    let is_default =
        direction == Direction::Outbound && protocol == "*" && matches!(&peer, Peer::Network(n) if n == "*");
    (!is_default).then_some(GroupRule { direction, protocol, ports, peer })
}

/// Octavia's tree (`/status`) or its list with everything inside.
fn load_balancers(root: &Node<'_>, listing: &mut Listing, findings: &mut Vec<Finding>) {
    let tree = root.find("statuses/loadbalancer").into_iter();
    for balancer in root.each_at("loadbalancers").into_iter().chain(tree) {
        let name = balancer.words_at(&["name", "id"]).map(|at| at.value).unwrap_or_default();
        for listener in balancer.each_at("listeners") {
            let Some(port) = listener.get("protocol_port").and_then(|node| node.value.as_u64()) else {
                if listener.words_at(&["name"]).is_some() {
                    findings.push(
                        Finding::warning(
                            "INV-5005",
                            format!("the listener of \"{}\" has no port", clip(&name)),
                        )
                        .at(listener.place())
                        .help("left out; give the answer that lists listeners with their ports"),
                    );
                }
                continue;
            };
            let mut pools = Vec::new();
            for pool in listener.each_at("pools") {
                let id = pool.words_at(&["id"]).map_or_else(|| pool.place().to_string(), |at| at.value);
                let entry = listing.pools.entry(id.clone()).or_default();
                for member in pool.each_at("members") {
                    entry.port = entry
                        .port
                        .or_else(|| u16::try_from(member.get("protocol_port")?.value.as_u64()?).ok());
                    let Some(ip) = member.words_at(&["address"]) else { continue };
                    let name = member.words_at(&["name"]).map(|at| at.value);
                    entry.members.push(ip.map(|ip| MemberRef::Address { ip: Some(ip), name }));
                }
                pools.push(id);
            }
            let protocol = listener.words_at(&["protocol"]).map(|at| at.value).unwrap_or_default();
            listing.listeners.push(Listener {
                name: name.clone(),
                protocol: listener_protocol(&protocol),
                port: u16::try_from(port).unwrap_or(u16::MAX),
                public: false,
                pools,
                software: "octavia".to_owned(),
                place: listener.place(),
            });
        }
    }
}
