//! From placements to the graph of things to do.
//!
//! Names come from host ids and are the same for the same estate, so that a second run finds what the first made. Per
//! region in use there is one network with as many subnets as its machines need, and one key pair; per host a security
//! group made from its firewall, or from the flows that reach it where no firewall is known.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{Estate, Flow};
use carafe_model::finding::Finding;
use carafe_model::host::{Architecture, Host, OsFamily};
use carafe_model::ids::{HostId, ProviderName, RegionName, StepId};
use carafe_model::language::Said;
use carafe_model::plan::{Placement, Wave};
use carafe_model::policy::Policy;
use carafe_model::steps::{Action, ImageQuery, Step};
use carafe_model::units::Quantity;

use crate::firewall::{allow_rules, flows_to};
use crate::resource_names::ResourceNames;

/// Machines in one subnet: a /20 has 4,096 addresses, of which providers keep up to five.
const MACHINES_PER_SUBNET: usize = 4_000;

type Place = (ProviderName, RegionName);

struct Writer<'a> {
    estate: &'a Estate,
    hosts: BTreeMap<&'a HostId, &'a Host>,
    /// Hosts that become nodes of a cluster.
    workers: BTreeSet<&'a HostId>,
    /// The flows that reach each host.
    flows_to: BTreeMap<&'a HostId, Vec<&'a Flow>>,
    steps: Vec<Step>,
    wave_of: BTreeMap<&'a HostId, u32>,
    names: ResourceNames,
    findings: Vec<Finding>,
}

/// Writes the steps, in an order in which each comes after what it stands on, and what was found on the way.
pub fn steps(
    estate: &Estate,
    policy: &Policy,
    placements: &[Placement],
    waves: &[Wave],
) -> (Vec<Step>, Vec<Finding>) {
    let mut by_place: BTreeMap<Place, Vec<&Placement>> = BTreeMap::new();
    for placement in placements {
        by_place.entry((placement.provider.clone(), placement.region.clone())).or_default().push(placement);
    }
    let wave_of = waves.iter().flat_map(|wave| wave.hosts.iter().map(|host| (host, wave.number))).collect();
    let mut names = ResourceNames::default();
    // Hosts first, so that their plain names are theirs.
    for host in &estate.hosts {
        names.of(host.id.as_str(), "");
    }
    let mut writer = Writer {
        estate,
        hosts: estate.hosts.iter().map(|host| (&host.id, host)).collect(),
        workers: estate.clusters.iter().flat_map(|cluster| &cluster.workers).collect(),
        flows_to: flows_to(estate),
        steps: Vec::new(),
        wave_of,
        names,
        findings: Vec::new(),
    };
    let taken = second_octets(estate);
    let free = (0..=255u8).map(|step| step.wrapping_add(64)).filter(|octet| !taken.contains(octet));
    // With every block taken the first is as good as any: the dry run reports the clash.
    let mut octets = free.chain(std::iter::repeat(64));
    for (place, hosts) in &by_place {
        let octet = octets.next().expect("the repetition has no end");
        writer.region(place, hosts, octet);
        if policy.opening.nat_gateway {
            writer.nat_gateway(place);
        }
    }
    writer.order_by_wave(waves, placements);
    (writer.steps, writer.findings)
}

impl<'a> Writer<'a> {
    fn push(
        &mut self,
        place: &Place,
        wave: u32,
        host: Option<&HostId>,
        after: Vec<StepId>,
        action: Action,
    ) -> StepId {
        let kind = action.kind().replace('_', "-");
        let id = StepId(format!("{}/{}/{kind}/{}", place.0, place.1, action.name()));
        self.steps.push(Step {
            id: id.clone(),
            wave,
            provider: place.0.clone(),
            region: place.1.clone(),
            host: host.cloned(),
            after,
            action,
        });
        id
    }

    fn region(&mut self, place: &Place, hosts: &[&Placement], octet: u8) {
        let estate_name = &self.estate.name;
        let network = self.names.of(estate_name, "net");
        let key_pair = self.names.of(estate_name, "key");
        let cidr = format!("10.{octet}.0.0/16");
        let network_step = self.push(place, 0, None, vec![], Action::Network { name: network.clone(), cidr });
        let key_step = self.push(place, 0, None, vec![], Action::KeyPair { name: key_pair.clone() });
        let mut by_zone: BTreeMap<Option<&str>, Vec<&HostId>> = BTreeMap::new();
        for placement in hosts {
            by_zone.entry(placement.zone.as_deref()).or_default().push(&placement.host);
        }
        let mut subnets = Vec::new();
        let mut subnet_of: BTreeMap<&HostId, usize> = BTreeMap::new();
        for (zone, of_zone) in &by_zone {
            for machines in of_zone.chunks(MACHINES_PER_SUBNET) {
                // A /16 has room for sixteen; what is beyond shares the last one.
                if subnets.len() < 16 {
                    let name = self.names.of(estate_name, &format!("subnet-{}", subnets.len() + 1));
                    let cidr = format!("10.{octet}.{}.0/20", subnets.len() * 16);
                    let (network, zone) = (network.clone(), zone.map(str::to_owned));
                    let action = Action::Subnet { name: name.clone(), network, cidr, zone };
                    subnets.push((self.push(place, 0, None, vec![network_step.clone()], action), name));
                }
                subnet_of.extend(machines.iter().map(|host| (*host, subnets.len() - 1)));
            }
        }
        let mut machine_steps: BTreeMap<&HostId, StepId> = BTreeMap::new();
        for placement in hosts {
            let Some(&host) = self.hosts.get(&placement.host) else { continue };
            if self.workers.contains(&host.id) {
                continue;
            }
            let (subnet_step, subnet) = &subnets[subnet_of[&placement.host]];
            let base = [network_step.clone(), key_step.clone(), subnet_step.clone()];
            let id = self.machine(place, placement, host, &network, subnet, &key_pair, &base);
            machine_steps.insert(&host.id, id);
        }
        self.load_balancers(place, &subnets[0].1, &machine_steps);
        self.clusters(place, hosts, &network, &subnets[0], (&key_step, &key_pair), &network_step);
    }

    /// A person sets the gateway up: drivers do not make any.
    fn nat_gateway(&mut self, place: &Place) {
        let network = self.names.of(&self.estate.name, "net");
        let after = vec![StepId(format!("{}/{}/network/{network}", place.0, place.1))];
        let name = self.names.of(&self.estate.name, "nat");
        let text = Said::new("task.nat").with("network", network);
        self.push(place, 0, None, after, Action::Manual { name, text: text.into(), gib: None });
    }

    /// Machine, disks, address and data of one host. Returns the machine's step.
    #[expect(clippy::too_many_arguments, reason = "a machine stands on that many things")]
    fn machine(
        &mut self,
        place: &Place,
        placement: &Placement,
        host: &Host,
        network: &str,
        subnet: &str,
        key_pair: &str,
        base: &[StepId; 3],
    ) -> StepId {
        let wave = self.wave_of.get(&host.id).copied().unwrap_or(1);
        let id = host.id.as_str();
        let name = self.names.of(id, "");
        let group = self.names.of(id, "sg");
        let flows = self.flows_to.get(&host.id).map_or(&[][..], Vec::as_slice);
        let rules = allow_rules(flows, host, &mut self.findings);
        let action = Action::SecurityGroup { name: group.clone(), network: network.to_owned(), rules };
        let group_step = self.push(place, wave, Some(&host.id), vec![base[0].clone()], action);
        let os = host.os.as_ref();
        let root = placement.disks.first();
        let action = Action::Machine {
            name: name.clone(),
            instance_type: placement.offer.clone(),
            vcpus: placement.demand.vcpus,
            memory_mib: placement.demand.memory_mib,
            image: ImageQuery {
                family: os.map_or(OsFamily::Linux, |os| os.family),
                name: os.map(|os| os.name.clone()).unwrap_or_default(),
                version: os.and_then(|os| os.version.clone()),
                architecture: host.architecture.unwrap_or(Architecture::X86_64),
            },
            subnet: subnet.to_owned(),
            security_groups: vec![group],
            key_pair: key_pair.to_owned(),
            root_disk_gib: root.map(|disk| disk.size_gib),
            root_disk_class: root.and_then(|disk| disk.class.clone()),
        };
        let after = vec![base[1].clone(), base[2].clone(), group_step];
        let machine_step = self.push(place, wave, Some(&host.id), after, action);
        let mut ready = vec![machine_step.clone()];
        for (number, disk) in placement.disks.iter().enumerate().skip(1) {
            let disk_name = self.names.of(id, &format!("d{number}"));
            let action = Action::Disk {
                name: disk_name.clone(),
                class: disk.class.clone(),
                size_gib: disk.size_gib,
                zone: placement.zone.clone(),
            };
            let disk_step = self.push(place, wave, Some(&host.id), vec![], action);
            let attachment = self.names.of(id, &format!("d{number}-at"));
            let action = Action::Attachment { name: attachment, disk: disk_name, machine: name.clone() };
            ready.push(self.push(place, wave, Some(&host.id), vec![disk_step, machine_step.clone()], action));
        }
        if host.public_address {
            let action = Action::PublicAddress { name: self.names.of(id, "ip"), machine: name.clone() };
            self.push(place, wave, Some(&host.id), vec![machine_step.clone()], action);
        }
        let gib: u64 =
            host.disks.iter().filter_map(|disk| disk.used_gib.or(disk.size_gib)).map(|gib| gib.0).sum();
        let gib = i64::try_from(gib).ok().filter(|gib| *gib > 0).and_then(Quantity::from_units);
        let copying = Said::new(if gib.is_some() { "task.copy-gib" } else { "task.copy" })
            .with("host", host.name.as_str())
            .with("machine", name.as_str());
        let copying = match gib {
            Some(gib) => copying.with("gib", gib),
            None => copying,
        };
        let action = Action::Manual { name: self.names.of(id, "data"), text: copying.into(), gib };
        self.push(place, wave, Some(&host.id), ready, action);
        machine_step
    }

    fn load_balancers(&mut self, place: &Place, subnet: &str, machines: &BTreeMap<&HostId, StepId>) {
        for load_balancer in &self.estate.load_balancers {
            let members: Vec<&HostId> =
                load_balancer.members.iter().filter(|m| machines.contains_key(m)).collect();
            if members.is_empty() {
                continue;
            }
            let wave = members.iter().filter_map(|host| self.wave_of.get(host)).max().copied().unwrap_or(1);
            let after = members.iter().map(|host| machines[host].clone()).collect();
            let action = Action::LoadBalancer {
                name: self.names.of(load_balancer.id.as_str(), "lb"),
                subnet: subnet.to_owned(),
                public: load_balancer.public,
                // Layer 4 everywhere: what http and https balancers do above that stays with the members.
                protocol: if load_balancer.protocol == "udp" { "udp" } else { "tcp" }.to_owned(),
                port: load_balancer.port,
                member_port: load_balancer.member_port,
                members: members.iter().map(|host| self.names.of(host.as_str(), "")).collect(),
                health_check: load_balancer.health_check.clone(),
            };
            self.push(place, wave, None, after, action);
        }
    }

    fn clusters(
        &mut self,
        place: &Place,
        hosts: &[&Placement],
        network: &str,
        subnet: &(StepId, String),
        key: (&StepId, &str),
        network_step: &StepId,
    ) {
        for cluster in &self.estate.clusters {
            let nodes: Vec<&&Placement> =
                hosts.iter().filter(|p| cluster.workers.contains(&p.host)).collect();
            let Some(largest) = nodes.iter().max_by_key(|p| (p.vcpus, p.memory_mib, &p.host)) else {
                continue;
            };
            let wave = nodes.iter().filter_map(|p| self.wave_of.get(&p.host)).max().copied().unwrap_or(1);
            let id = cluster.id.as_str();
            let name = self.names.of(id, "k8s");
            let group = self.names.of(id, "k8s-sg");
            let action =
                Action::SecurityGroup { name: group.clone(), network: network.to_owned(), rules: vec![] };
            let group_step = self.push(place, wave, None, vec![network_step.clone()], action);
            let action = Action::KubernetesCluster {
                name: name.clone(),
                version: cluster.version.clone(),
                subnets: vec![subnet.1.clone()],
                security_groups: vec![group],
                key_pair: key.1.to_owned(),
                instance_type: largest.offer.clone(),
                nodes: nodes.len() as u32,
            };
            let cluster_step =
                self.push(place, wave, None, vec![subnet.0.clone(), key.0.clone(), group_step], action);
            let text =
                Said::new("task.cluster").with("cluster", cluster.id.as_str()).with("name", name.as_str());
            let action = Action::Manual { name: self.names.of(id, "k8s-data"), text: text.into(), gib: None };
            self.push(place, wave, None, vec![cluster_step], action);
        }
    }

    /// Puts waves one after the other, each ended by a task that the next one waits for: nothing of a wave is made, and
    /// paid for, before the wave before it is over.
    fn order_by_wave(&mut self, waves: &[Wave], placements: &[Placement]) {
        let mut by_wave: BTreeMap<u32, Vec<Step>> = BTreeMap::new();
        for step in std::mem::take(&mut self.steps) {
            by_wave.entry(step.wave).or_default().push(step);
        }
        self.steps = by_wave.remove(&0).unwrap_or_default();
        let mut over: Option<StepId> = None;
        for wave in waves {
            let mut of_wave = by_wave.remove(&wave.number).unwrap_or_default();
            let own: BTreeSet<StepId> = of_wave.iter().map(|step| step.id.clone()).collect();
            for step in &mut of_wave {
                if !step.after.iter().any(|before| own.contains(before)) {
                    step.after.extend(over.clone());
                }
            }
            let stood_on: BTreeSet<&StepId> = of_wave.iter().flat_map(|step| &step.after).collect();
            let last =
                of_wave.iter().map(|step| &step.id).filter(|id| !stood_on.contains(id)).cloned().collect();
            self.steps.extend(of_wave);
            over = self.switch_over(wave, placements, last).or(over);
        }
    }

    fn switch_over(&mut self, wave: &Wave, placements: &[Placement], after: Vec<StepId>) -> Option<StepId> {
        let first = placements.iter().find(|placement| wave.hosts.contains(&placement.host))?;
        let place = (first.provider.clone(), first.region.clone());
        let action = Action::Manual {
            name: format!("switch-over-wave-{}", wave.number),
            text: Said::new("task.switch-over").with("n", wave.hosts.len()).with("wave", wave.number).into(),
            gib: None,
        };
        Some(self.push(&place, wave.number, None, after, action))
    }
}

/// Second octets of the 10.0.0.0/8 addresses in use: new networks avoid them, so that both sides can be routed.
fn second_octets(estate: &Estate) -> BTreeSet<u8> {
    let addresses = estate.hosts.iter().flat_map(|host| &host.nics).flat_map(|nic| &nic.addresses);
    addresses
        .filter_map(|address| {
            let mut octets = address.split(['.', '/']);
            (octets.next() == Some("10")).then(|| octets.next()?.parse().ok()).flatten()
        })
        .collect()
}
