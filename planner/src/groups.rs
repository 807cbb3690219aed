//! Which hosts move, which stay, and which must share a region.

use std::collections::BTreeMap;

use carafe_model::constraints::{Level, Service};
use carafe_model::estate::{Endpoint, Estate, KubernetesCluster};
use carafe_model::finding::Finding;
use carafe_model::ids::HostId;
use carafe_model::language::{Said, Sentence};
use carafe_model::plan::Staying;
use carafe_model::policy::Policy;
use petgraph::unionfind::UnionFind;

use crate::concerns::Rules;
use crate::demand::{Need, Shape, need};
use crate::joint::{Tie, zoned};

/// A host that moves.
#[derive(Debug)]
pub struct Mover<'a> {
    /// Place in the estate's list of hosts.
    pub host: usize,
    /// What holds for it.
    pub rules: Rules<'a>,
    /// What it needs.
    pub need: Need,
}

/// Hosts by what becomes of them.
#[derive(Debug, Default)]
pub struct Roles<'a> {
    /// Hosts to place, in the order of the estate.
    pub movers: Vec<Mover<'a>>,
    /// Hosts that stay, or that something replaces.
    pub staying: Vec<Staying>,
    /// Hosts that cannot be placed whatever is sold, with the reasons.
    pub unknown: Vec<(HostId, Vec<Sentence>)>,
    /// What was found on the way.
    pub findings: Vec<Finding>,
}

/// Sorts the hosts of an estate.
pub fn roles<'a>(estate: &'a Estate, policy: &'a Policy) -> Roles<'a> {
    let mut roles = Roles::default();
    // Where everything can be made, it does not matter what anybody needs, and hosts are alike more often.
    let mut needs = if policy.unavailable.is_empty() { BTreeMap::new() } else { needs(estate) };
    for (place, host) in estate.hosts.iter().enumerate() {
        let rules = policy.for_host(host);
        if let Some(reason) = rules.stays_because {
            roles.staying.push(Staying { host: host.id.clone(), reason: reason.into() });
        } else {
            match need(host, &rules, policy, &mut roles.findings) {
                Ok(need) => {
                    let rules = Rules {
                        host: rules,
                        near: Vec::new(),
                        needs: needs.remove(&host.id).unwrap_or_default(),
                    };
                    roles.movers.push(Mover { host: place, rules, need });
                }
                Err(reasons) => roles.unknown.push((host.id.clone(), reasons)),
            }
        }
    }
    replace_control_planes(estate, &mut roles);
    level_workers(estate, &mut roles.movers);
    roles
}

/// What hosts need beside their machines, each list sorted.
fn needs(estate: &Estate) -> BTreeMap<&HostId, Vec<Service>> {
    let mut needs: BTreeMap<&HostId, Vec<Service>> = BTreeMap::new();
    let addressed = estate.hosts.iter().filter(|host| host.public_address).map(|host| &host.id);
    let balanced = estate.load_balancers.iter().flat_map(|lb| &lb.members);
    let clustered = estate.clusters.iter().flat_map(|cluster| &cluster.workers);
    for (service, hosts) in [
        (Service::LoadBalancer, balanced.collect::<Vec<_>>()),
        (Service::PublicAddress, addressed.collect()),
        (Service::Kubernetes, clustered.collect()),
    ] {
        for host in hosts {
            let of_host = needs.entry(host).or_default();
            if of_host.last() != Some(&service) {
                of_host.push(service);
            }
        }
    }
    needs
}

/// The control-plane hosts of a cluster that a managed control plane replaces: those that run no workloads.
pub fn replaced_by_managed(cluster: &KubernetesCluster) -> impl Iterator<Item = &HostId> {
    cluster.control_plane.iter().filter(|host| !cluster.workers.contains(host))
}

/// Takes out the control planes of clusters whose workers move: what manages them there is not a host.
fn replace_control_planes(estate: &Estate, roles: &mut Roles<'_>) {
    for cluster in &estate.clusters {
        let moves = |host: &HostId| roles.movers.iter().any(|mover| estate.hosts[mover.host].id == *host);
        if !cluster.workers.iter().any(moves) {
            continue;
        }
        let replaced: Vec<&HostId> = replaced_by_managed(cluster).filter(|host| moves(host)).collect();
        roles.movers.retain(|mover| !replaced.contains(&&estate.hosts[mover.host].id));
        let reason: Sentence = Said::new("staying.control-plane").with("cluster", cluster.id.as_str()).into();
        roles
            .staying
            .extend(replaced.into_iter().map(|host| Staying { host: host.clone(), reason: reason.clone() }));
    }
}

/// Gives all workers of a cluster the demand of the largest: a group of nodes is made of one kind of machine.
fn level_workers(estate: &Estate, movers: &mut [Mover<'_>]) {
    for cluster in &estate.clusters {
        let is_worker = |mover: &&mut Mover<'_>| cluster.workers.contains(&estate.hosts[mover.host].id);
        let mut workers: Vec<&mut Mover<'_>> = movers.iter_mut().filter(is_worker).collect();
        let vcpus = workers.iter().map(|mover| mover.need.shape.vcpus).max();
        let memory = workers.iter().map(|mover| mover.need.shape.memory).max();
        let class = workers.first().map(|mover| mover.need.shape.class.clone());
        let (Some(vcpus), Some(memory), Some(class)) = (vcpus, memory, class) else { continue };
        for mover in &mut workers {
            mover.need.shape = Shape { vcpus, memory, class: class.clone() };
            mover.need.demand.vcpus = vcpus;
            mover.need.demand.memory_mib = memory;
        }
    }
}

/// Hosts that must share a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Places in [`Roles::movers`], ascending.
    pub movers: Vec<usize>,
    /// Places in the estate's list of load balancers whose members these are.
    pub load_balancers: Vec<usize>,
    /// Places in the estate's list of clusters whose workers these are.
    pub clusters: Vec<usize>,
    /// Places in the policy's list of groups that tie these together.
    pub rules: Vec<usize>,
}

/// Groups movers by load balancer, cluster and the policy's groups; by first member. Every mover is in exactly one group.
pub fn groups(estate: &Estate, policy: &Policy, movers: &[Mover<'_>]) -> Vec<Group> {
    let place_of: BTreeMap<&HostId, usize> =
        movers.iter().enumerate().map(|(place, mover)| (&estate.hosts[mover.host].id, place)).collect();
    let mut sets = UnionFind::<usize>::new(movers.len());
    let zoned = zoned(estate, policy, movers);
    let mut first: Vec<(Bond, Option<usize>)> = Vec::new();
    for (bond, level, hosts) in bonds(estate, policy, &place_of, movers) {
        let is_zoned = hosts.iter().any(|mover| zoned.contains(mover));
        if level == Level::Zone || level == Level::Region && !is_zoned {
            for pair in hosts.windows(2) {
                sets.union(pair[0], pair[1]);
            }
        }
        first.push((bond, hosts.first().copied()));
    }
    let mut group_of_set: BTreeMap<usize, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for mover in 0..movers.len() {
        let group = *group_of_set.entry(sets.find(mover)).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[group].movers.push(mover);
    }
    for (bond, first) in first {
        let Some(first) = first else { continue };
        let group = &mut groups[group_of_set[&sets.find(first)]];
        match bond {
            Bond::LoadBalancer(place) => group.load_balancers.push(place),
            Bond::Cluster(place) => group.clusters.push(place),
            Bond::Rule(place) => group.rules.push(place),
        }
    }
    groups
}

/// The groups that share a region or provider without being one group: those a rule about zones may put apart, and
/// those that share a provider alone.
pub fn ties(estate: &Estate, policy: &Policy, movers: &[Mover<'_>], groups: &[Group]) -> Vec<Tie> {
    let place_of: BTreeMap<&HostId, usize> =
        movers.iter().enumerate().map(|(place, mover)| (&estate.hosts[mover.host].id, place)).collect();
    let mut group_of = vec![0; movers.len()];
    for (place, group) in groups.iter().enumerate() {
        group.movers.iter().for_each(|mover| group_of[*mover] = place);
    }
    let bonds = bonds(estate, policy, &place_of, movers).into_iter();
    let ties = bonds.map(|(_, level, hosts)| {
        let mut groups: Vec<usize> = hosts.iter().map(|mover| group_of[*mover]).collect();
        groups.sort();
        groups.dedup();
        Tie { level, groups }
    });
    ties.filter(|tie| tie.groups.len() > 1).collect()
}

/// What ties hosts together, by its place in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bond {
    LoadBalancer(usize),
    Cluster(usize),
    Rule(usize),
}

/// Everything that ties movers together: what they share, and who they are, ascending.
fn bonds(
    estate: &Estate,
    policy: &Policy,
    place_of: &BTreeMap<&HostId, usize>,
    movers: &[Mover<'_>],
) -> Vec<(Bond, Level, Vec<usize>)> {
    let places = |hosts: &mut dyn Iterator<Item = &HostId>| {
        let mut places: Vec<usize> = hosts.filter_map(|host| place_of.get(host).copied()).collect();
        places.sort();
        places.dedup();
        places
    };
    let load_balancers = estate.load_balancers.iter().enumerate().map(|(place, balancer)| {
        (Bond::LoadBalancer(place), Level::Region, places(&mut balancer.members.iter()))
    });
    let clusters = estate.clusters.iter().enumerate().map(|(place, cluster)| {
        let hosts = places(&mut cluster.workers.iter().chain(&cluster.control_plane));
        (Bond::Cluster(place), Level::Region, hosts)
    });
    let rules = policy.groups.iter().enumerate().filter_map(|(place, rule)| {
        let fits = |mover: &usize| rule.matches.fits(&estate.hosts[movers[*mover].host]);
        Some((Bond::Rule(place), rule.same?, (0..movers.len()).filter(fits).collect()))
    });
    load_balancers.chain(clusters).chain(rules).collect()
}

/// The host at one end of a flow, if that end is a host.
pub fn host_of(end: &Endpoint) -> Option<&HostId> {
    match end {
        Endpoint::Host(host) => Some(host),
        Endpoint::External(_) => None,
    }
}
