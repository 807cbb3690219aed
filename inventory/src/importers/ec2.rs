//! What `aws ec2 describe-instances`, `describe-volumes`, `describe-security-groups` and `aws elbv2 describe-…` answer.
//!
//! Sizes of machines come from the catalog, sizes of disks from describe-volumes. Codes: `INV-5xxx`.

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Direction, Media, Nic, Os, OsFamily, Power};
use serde_json::Value;

use super::cloud::{GroupRule, Listener, Listing, Machine, Peer, listener_protocol, ports, volume};
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::normalise;
use crate::raw::{At, MemberRef, RawEstate, RawHost};
use crate::shapes::Shapes;
use crate::text::{clip, counted, one_line};

/// The outermost names of the answers that are read.
const ANSWERS: [&str; 7] = [
    "Reservations",
    "Volumes",
    "SecurityGroups",
    "LoadBalancers",
    "Listeners",
    "TargetGroups",
    "TargetHealthDescriptions",
];

/// Whether the outermost object is one of the answers.
pub fn sniff(glance: &Glance<'_>) -> bool {
    ANSWERS.iter().any(|answer| glance.is_json_with(&[answer]))
}

/// Reads the answers of one account together; `None` when none is usable.
pub fn read(files: &[InputFile<'_>], with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let values: Vec<(&str, Value)> = files
        .iter()
        .filter_map(|file| Some((file.name, document::parse(file.name, file.bytes, findings)?)))
        .collect();
    let (first, _) = values.first()?;
    let mut shapes = Shapes::new(with);
    let mut listing = Listing::default();
    let mut gone = 0;
    for (name, value) in &values {
        let root = Node::root(name, value);
        for found in root.each_at("Reservations").iter().flat_map(|entry| entry.each_at("Instances")) {
            match found.words_at(&["State/Name"]).map(|at| at.value).as_deref() {
                Some("terminated" | "shutting-down") => gone += 1,
                Some(_) | None => listing.machines.push(machine(&found, &mut shapes, findings)),
            }
        }
        for found in root.each_at("Volumes") {
            let Some(id) = found.words_at(&["VolumeId"]) else { continue };
            let mut disk = volume(id.value.clone(), found.count("Size", findings), findings);
            let kind = found.words_at(&["VolumeType"]).map(|at| at.value).unwrap_or_default();
            disk.media = match kind.as_str() {
                "st1" | "sc1" | "standard" => Some(Media::Hdd),
                "gp2" | "gp3" | "io1" | "io2" => Some(Media::Ssd),
                _ => None,
            };
            listing.volumes.insert(id.value, At::new(disk, id.place));
        }
        for group in root.each_at("SecurityGroups") {
            let Some(id) = group.words_at(&["GroupId"]) else { continue };
            let mut rules = rules(&group, "IpPermissions", Direction::Inbound, findings);
            rules.extend(self::rules(&group, "IpPermissionsEgress", Direction::Outbound, findings));
            listing.groups.insert(id.value, rules);
        }
    }
    listeners(&values, &mut listing, findings);
    shapes.say(findings);
    if gone > 0 {
        findings.push(
            Finding::info("INV-5004", format!("terminated, and left out: {}", counted(gone, "machine")))
                .at(Place::file(*first))
                .help("nothing needs to be done"),
        );
    }
    Some(listing.finish(&Place::file(*first), findings))
}

fn machine(found: &Node<'_>, shapes: &mut Shapes<'_>, findings: &mut Vec<Finding>) -> Machine {
    let id = found.words_at(&["InstanceId"]);
    let key = id.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    let mut host = RawHost::new(key, found.place());
    for tag in found.each_at("Tags") {
        let (Some(key), Some(value)) = (tag.words_at(&["Key"]), tag.words_at(&["Value"])) else { continue };
        match key.value.as_str() {
            "Name" => host.name = Some(value),
            // The provider's own tags say how a machine was made, not what it is for.
            key if key.starts_with("aws:") => {}
            _ => drop(host.labels.insert(one_line(&key.value), value.map(|text| one_line(&text)))),
        }
    }
    host.name = host.name.take().or_else(|| id.clone());
    host.machine_id = id;
    host.architecture =
        found.words_at(&["Architecture"]).map(|at| at.map(|text| normalise::architecture(&text)));
    let cores = found.find("CpuOptions").and_then(|cpu| {
        let cores = cpu.count("CoreCount", findings)?;
        let threads = cpu.count("ThreadsPerCore", findings)?;
        Some(cores.map(|cores| cores.saturating_mul(threads.value)))
    });
    host.vcpus = cores.and_then(|count| crate::limits::vcpus(count, findings));
    if let Some(kind) = found.words_at(&["InstanceType"]) {
        shapes.fit(&mut host, "aws", kind);
    }
    host.os = found.words_at(&["PlatformDetails", "Platform"]).map(|at| at.map(|text| os(&text)));
    host.power =
        found.words_at(&["State/Name"]).and_then(|at| normalise::power(&at.value).map(|it| at.map(|_| it)));
    host.power = host.power.take().filter(|at| matches!(at.value, Power::On | Power::Off | Power::Suspended));
    host.firmware = found
        .words_at(&["CurrentInstanceBootMode", "BootMode"])
        .and_then(|at| normalise::firmware(&at.value).map(|it| at.map(|_| it)));
    host.public_address = found.words_at(&["PublicIpAddress"]).map(|at| at.map(|_| true));
    for (path, label) in
        [("Placement/AvailabilityZone", "zone"), ("VpcId", "vpc"), ("InstanceLifecycle", "lifecycle")]
    {
        host.labels.extend(found.words_at(&[path]).map(|at| (label.to_owned(), at)));
    }
    let mut machine = Machine { host, ..Machine::default() };
    let root = found.words_at(&["RootDeviceName"]).map(|at| at.value);
    for mapping in found.each_at("BlockDeviceMappings") {
        let Some(volume) = mapping.words_at(&["Ebs/VolumeId"]) else { continue };
        let device = mapping.words_at(&["DeviceName"]).map(|at| at.value);
        let at = if device == root && root.is_some() { 0 } else { machine.volumes.len() };
        machine.volumes.insert(at, (volume.value, device));
    }
    for (number, interface) in found.each_at("NetworkInterfaces").iter().enumerate() {
        let addresses = interface.each_at("PrivateIpAddresses");
        let mut addresses: Vec<String> =
            addresses.iter().filter_map(|entry| Some(entry.words_at(&["PrivateIpAddress"])?.value)).collect();
        addresses.retain(|address| normalise::is_address(address));
        machine.nics.push(Nic {
            name: format!("eth{number}"),
            mac: interface.words_at(&["MacAddress"]).and_then(|at| normalise::mac(&at.value)),
            addresses,
            network: interface.words_at(&["SubnetId"]).map(|at| at.value),
        });
    }
    if let (true, Some(ip)) = (machine.nics.is_empty(), found.words_at(&["PrivateIpAddress"])) {
        machine.nics = normalise::nics(&ip.value, "");
    }
    let groups = found.each_at("SecurityGroups");
    machine.groups = groups.iter().filter_map(|group| Some(group.words_at(&["GroupId"])?.value)).collect();
    machine
}

/// The system by what the licence is billed as: `Linux/UNIX`, `Red Hat Enterprise Linux`, `Windows with SQL Server`.
fn os(details: &str) -> Os {
    match details {
        "Linux/UNIX" => Os { family: OsFamily::Linux, name: "Linux".to_owned(), version: None },
        "windows" => Os { family: OsFamily::Windows, name: "Windows".to_owned(), version: None },
        "SUSE Linux" => Os { family: OsFamily::Sles, name: details.to_owned(), version: None },
        _ => normalise::os(details),
    }
}

fn rules(group: &Node<'_>, list: &str, direction: Direction, findings: &mut Vec<Finding>) -> Vec<GroupRule> {
    let mut rules = Vec::new();
    for entry in group.each_at(list) {
        let protocol = entry.words_at(&["IpProtocol"]).map(|at| at.value);
        let protocol = normalise::protocol(protocol.as_deref().filter(|text| *text != "-1"));
        let from = entry.find("FromPort").and_then(|node| node.value.as_i64());
        let to = entry.find("ToPort").and_then(|node| node.value.as_i64());
        let positive = |port: Option<i64>| port.and_then(|port| u64::try_from(port).ok());
        // For ICMP the numbers are types, not ports.
        let ports = match protocol.as_str() {
            "tcp" | "udp" => ports(positive(from), positive(to)),
            _ => "*".to_owned(),
        };
        let mut peers = Vec::new();
        for (ranges, member) in [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")] {
            for range in entry.each_at(ranges) {
                let Some(cidr) = range.words_at(&[member]) else { continue };
                match normalise::network(Some(if cidr.value == "::/0" { "*" } else { &cidr.value })) {
                    Some(network) => peers.push(Peer::Network(network)),
                    None => findings.push(
                        Finding::error("INV-1213", format!("\"{}\" is not a network", clip(&cidr.value)))
                            .at(cidr.place)
                            .help("the rule was left out; add it by hand"),
                    ),
                }
            }
        }
        let groups = entry.each_at("UserIdGroupPairs");
        peers.extend(groups.iter().filter_map(|pair| Some(Peer::Group(pair.words_at(&["GroupId"])?.value))));
        for peer in peers {
            rules.push(GroupRule { direction, protocol: protocol.clone(), ports: ports.clone(), peer });
        }
    }
    rules
}

/// Load balancers: what each answer says is joined by the names (ARN) of balancers and target groups.
fn listeners(values: &[(&str, Value)], listing: &mut Listing, findings: &mut Vec<Finding>) {
    let roots = || values.iter().map(|(name, value)| Node::root(name, value));
    let mut balancers = std::collections::BTreeMap::new();
    for balancer in roots().flat_map(|root| root.each_at("LoadBalancers")) {
        let Some(arn) = balancer.words_at(&["LoadBalancerArn"]) else { continue };
        let name = balancer.words_at(&["LoadBalancerName"]).unwrap_or_else(|| arn.clone()).value;
        let public = balancer.words_at(&["Scheme"]).is_some_and(|at| at.value == "internet-facing");
        let kind = balancer.words_at(&["Type"]).map_or_else(|| "load balancer".to_owned(), |at| at.value);
        balancers.insert(arn.value, (name, public, kind));
    }
    for group in roots().flat_map(|root| root.each_at("TargetGroups")) {
        let Some(arn) = group.words_at(&["TargetGroupArn"]) else { continue };
        let port = group.count("Port", findings).and_then(|at| u16::try_from(at.value).ok());
        listing.pools.entry(arn.value).or_default().port = port;
    }
    for (name, value) in values {
        let root = Node::root(name, value);
        let entries = root.each_at("TargetHealthDescriptions");
        // The answer does not repeat which group was asked for, so people add it; without it the only group is meant.
        let asked = root.words_at(&["TargetGroupArn"]).map(|at| at.value);
        let only = || match listing.pools.len() {
            1 => listing.pools.keys().next().cloned(),
            _ => None,
        };
        let Some(group) = asked.or_else(only).filter(|_| !entries.is_empty()) else {
            if !entries.is_empty() {
                findings.push(
                    Finding::warning("INV-5005", "members of a target group, but not of which")
                        .at(root.place())
                        .help("add its name as \"TargetGroupArn\" beside \"TargetHealthDescriptions\""),
                );
            }
            continue;
        };
        let pool = listing.pools.entry(group).or_default();
        for entry in &entries {
            let Some(id) = entry.words_at(&["Target/Id"]) else { continue };
            pool.members.push(id.map(|id| member(&id)));
        }
    }
    for found in roots().flat_map(|root| root.each_at("Listeners")) {
        let arn = found.words_at(&["LoadBalancerArn"]).map(|at| at.value).unwrap_or_default();
        let port = found.count("Port", findings).and_then(|at| u16::try_from(at.value).ok());
        let (Some((name, public, kind)), Some(port)) = (balancers.get(&arn), port) else { continue };
        let actions = found.each_at("DefaultActions");
        let pools = actions.iter().filter_map(|action| Some(action.words_at(&["TargetGroupArn"])?.value));
        listing.listeners.push(Listener {
            name: name.clone(),
            protocol: listener_protocol(
                &found.words_at(&["Protocol"]).map(|at| at.value).unwrap_or_default(),
            ),
            port,
            public: *public,
            pools: pools.collect(),
            software: format!("aws {kind}"),
            place: found.place(),
        });
    }
}

/// A member by its id or, of target groups by address, by that.
pub(super) fn member(id: &str) -> MemberRef {
    match normalise::bare_address(id) {
        Some(_) => MemberRef::Address { ip: Some(id.to_owned()), name: None },
        None => MemberRef::Key(id.into()),
    }
}
