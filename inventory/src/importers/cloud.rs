//! What the listings of all clouds have in common: machines, and beside them volumes, groups of rules and load balancers
//! that refer to each other by id.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{KubernetesCluster, LoadBalancer};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Action, Direction, Disk, FirewallRule, Nic};
use carafe_model::ids::{ClusterId, HostId, LoadBalancerId};
use carafe_model::units::Gib;

use crate::limits;
use crate::normalise;
use crate::raw::{At, MemberRef, RawEstate, RawHost, RawLoadBalancer};
use crate::text::{clip, counted, host_id};

/// A machine whose volumes and rules are not looked up yet.
#[derive(Default)]
pub(super) struct Machine {
    /// Its values; the key is its id in the cloud.
    pub host: RawHost,
    /// Disks of its own, the boot disk first.
    pub disks: Vec<Disk>,
    /// Volumes by id, and the device each is on.
    pub volumes: Vec<(String, Option<String>)>,
    /// Its interfaces.
    pub nics: Vec<Nic>,
    /// Groups of rules, by id or name.
    pub groups: Vec<String>,
}

/// One rule of a group.
pub(super) struct GroupRule {
    pub direction: Direction,
    pub protocol: String,
    pub ports: String,
    pub peer: Peer,
}

/// The other end of a rule.
pub(super) enum Peer {
    /// A network in CIDR notation, or `*`.
    Network(String),
    /// All machines of a group.
    Group(String),
}

/// One listener of a load balancer, and where its traffic goes.
pub(super) struct Listener {
    pub name: String,
    pub protocol: String,
    pub port: u16,
    pub public: bool,
    /// Groups of members, by id.
    pub pools: Vec<String>,
    pub software: String,
    pub place: Place,
}

/// Members behind a load balancer.
#[derive(Default)]
pub(super) struct Pool {
    pub port: Option<u16>,
    pub members: Vec<At<MemberRef>>,
}

/// A managed cluster, and as many workers as its node pools have.
pub(super) struct Cluster {
    pub name: String,
    pub version: Option<String>,
    pub workers: Vec<HostId>,
    pub place: Place,
}

/// All that the listings of one cloud say.
#[derive(Default)]
pub(super) struct Listing {
    pub machines: Vec<Machine>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, At<Disk>>,
    /// Rules by id and by name of their group.
    pub groups: BTreeMap<String, Vec<GroupRule>>,
    pub listeners: Vec<Listener>,
    pub pools: BTreeMap<String, Pool>,
    pub clusters: Vec<Cluster>,
}

/// A volume of a size in GiB.
pub(super) fn volume(name: String, size: Option<At<u64>>, findings: &mut Vec<Finding>) -> Disk {
    let size_gib = size.and_then(|at| limits::disk(at.map(Gib), findings));
    Disk { name, size_gib, ..Disk::default() }
}

/// Ports of a rule as clouds give them; both absent or the whole range is every port.
pub(super) fn ports(from: Option<u64>, to: Option<u64>) -> String {
    match (from, to) {
        (None, _) | (Some(0), Some(0) | Some(65_535)) => "*".to_owned(),
        (Some(from), to) if to.is_none_or(|to| to == from) => from.to_string(),
        (Some(from), to) => format!("{}-{}", from.max(1), to.unwrap_or(from)),
    }
}

impl Listing {
    /// Looks up volumes, rules and members, and makes hosts of the machines.
    pub fn finish(self, place: &Place, findings: &mut Vec<Finding>) -> RawEstate {
        let mut users: BTreeMap<String, usize> = BTreeMap::new();
        for (id, _) in self.machines.iter().flat_map(|machine| &machine.volumes) {
            *users.entry(id.clone()).or_default() += 1;
        }
        let unused: Vec<&str> = self
            .volumes
            .iter()
            .filter(|(id, _)| !users.contains_key(id.as_str()))
            .map(|(_, volume)| volume.value.name.as_str())
            .collect();
        if let Some(first) = unused.first() {
            let volumes = counted(unused.len(), "volume");
            findings.push(
                Finding::warning(
                    "INV-5001",
                    format!("attached to no machine: {volumes}, the first \"{}\"", clip(first)),
                )
                .at(place.clone())
                .help("left out; they cost money today, and nothing needs them in the target"),
            );
        }
        let addresses = self.addresses_of_groups();
        let mut lost_rules = BTreeSet::new();
        let mut estate = RawEstate::default();
        for machine in self.machines {
            let Machine { mut host, mut disks, volumes, nics, groups } = machine;
            let mut seen = BTreeSet::new();
            for (id, device) in volumes.into_iter().filter(|(id, _)| seen.insert(id.clone())) {
                let known = self.volumes.get(&id).map(|at| at.value.clone());
                let shared = users.get(&id).is_some_and(|count| *count > 1);
                let mut disk = known.unwrap_or_else(|| Disk { name: id, ..Disk::default() });
                disk.name = device.unwrap_or(disk.name);
                disk.shared |= shared;
                disks.push(disk);
            }
            let rules = groups.iter().filter_map(|group| self.groups.get(group)).flatten();
            let rules: Vec<FirewallRule> =
                rules.flat_map(|rule| expand(rule, &addresses, &mut lost_rules)).collect();
            let place = host.place.clone();
            let own = host.disks.take();
            host.disks = own.or_else(|| (!disks.is_empty()).then(|| At::new(disks, place.clone())));
            host.firewall = (!rules.is_empty()).then(|| At::new(rules, place.clone()));
            host.nics = (!nics.is_empty()).then(|| At::new(nics, place));
            estate.hosts.push(host);
        }
        if let Some(first) = lost_rules.first() {
            findings.push(
                Finding::warning(
                    "INV-5002",
                    format!(
                        "rules name groups that no machine is in: {}, the first \"{}\"",
                        lost_rules.len(),
                        clip(first)
                    ),
                )
                .at(place.clone())
                .help("left out, since nothing can come from there; list all machines if some are missing"),
            );
        }
        balancers(self.listeners, &self.pools, &mut estate, findings);
        for cluster in self.clusters {
            let known = KubernetesCluster {
                id: ClusterId(host_id(&cluster.name)),
                version: cluster.version,
                control_plane: Vec::new(),
                workers: cluster.workers,
                pod_cidr: None,
                service_cidr: None,
            };
            estate.clusters.push(At::new(known, cluster.place));
        }
        estate
    }

    /// The addresses of all machines of each group: what a rule that names a group means.
    fn addresses_of_groups(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut addresses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for machine in &self.machines {
            for group in &machine.groups {
                let of_group = addresses.entry(group.clone()).or_default();
                let all = machine.nics.iter().flat_map(|nic| &nic.addresses);
                of_group.extend(all.filter_map(|address| normalise::network(address.split('/').next())));
            }
        }
        addresses
    }
}

fn expand(
    rule: &GroupRule,
    groups: &BTreeMap<String, BTreeSet<String>>,
    lost: &mut BTreeSet<String>,
) -> Vec<FirewallRule> {
    let peers: Vec<String> = match &rule.peer {
        Peer::Network(network) => vec![network.clone()],
        Peer::Group(group) => match groups.get(group).filter(|addresses| !addresses.is_empty()) {
            Some(addresses) => addresses.iter().cloned().collect(),
            None => {
                lost.insert(group.clone());
                Vec::new()
            }
        },
    };
    peers
        .into_iter()
        .map(|peer| {
            let (source, destination) = match rule.direction {
                Direction::Inbound => (peer, "*".to_owned()),
                Direction::Outbound => ("*".to_owned(), peer),
            };
            FirewallRule {
                direction: rule.direction,
                action: Action::Allow,
                protocol: rule.protocol.clone(),
                source,
                destination,
                ports: rule.ports.clone(),
            }
        })
        .collect()
}

fn balancers(
    listeners: Vec<Listener>,
    pools: &BTreeMap<String, Pool>,
    estate: &mut RawEstate,
    findings: &mut Vec<Finding>,
) {
    for listener in listeners {
        let found: Vec<&Pool> = listener.pools.iter().filter_map(|id| pools.get(id)).collect();
        let members: Vec<At<MemberRef>> = found.iter().flat_map(|pool| pool.members.clone()).collect();
        if members.is_empty() {
            findings.push(
                Finding::warning(
                    "INV-5003",
                    format!("a load balancer has no members: \"{}\"", clip(&listener.name)),
                )
                .at(listener.place)
                .help("left out; list its members too, or add it by hand"),
            );
            continue;
        }
        let port = found.iter().find_map(|pool| pool.port);
        let known = LoadBalancer {
            id: LoadBalancerId(host_id(&format!("{}-{}", listener.name, listener.port))),
            protocol: listener.protocol,
            port: listener.port,
            public: listener.public,
            members: Vec::new(),
            member_port: port.unwrap_or(listener.port),
            software: Some(listener.software),
            health_check: None,
        };
        estate.load_balancers.push(At::new(RawLoadBalancer { known, members }, listener.place));
    }
}

/// A protocol of a listener as an estate has it: `tcp`, `udp`, `http` or `https`.
pub(super) fn listener_protocol(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" | "terminated_https" | "tls" => "https",
        "udp" | "quic" => "udp",
        _ => "tcp",
    }
    .to_owned()
}
