//! From merged hosts to an estate: every reference finds its host, and what several files say of one thing is united.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use carafe_model::estate::{Endpoint, Estate, Flow, KubernetesCluster, LoadBalancer, Source};
use carafe_model::finding::{Finding, Place};
use carafe_model::ids::{AppId, HostId};

use crate::merge::{FileRead, Merged};
use crate::normalise::bare_address;
use crate::precedence::Ranks;
use crate::raw::{At, MemberRef, RawLoadBalancer};
use crate::text::{clip, host_id};

/// Builds the estate. A reference to a host or app that does not exist is `INV-1201` and left out.
pub fn estate(
    name: &str,
    sources: Vec<Source>,
    files: Vec<FileRead>,
    merged: Merged,
    ranks: &Ranks<'_>,
    findings: &mut Vec<Finding>,
) -> Estate {
    let names = Names::of(&merged);
    let mut today = BTreeMap::new();
    let mut apps = BTreeMap::new();
    let mut flows = BTreeMap::new();
    let mut balancers = BTreeMap::new();
    let mut clusters: BTreeMap<_, At<KubernetesCluster>> = BTreeMap::new();
    for (file, read) in files.into_iter().enumerate() {
        let mut lookup = Lookup { names: &names, file, ranks, findings };
        if let Some(cost) = read.raw.today {
            lookup.define(&mut today, (), cost, "today's cost");
        }
        for app in read.raw.apps {
            lookup.define(&mut apps, app.value.id.clone(), app, "an app");
        }
        for flow in read.raw.flows {
            lookup.flow(&mut flows, flow);
        }
        for balancer in read.raw.load_balancers {
            let balancer = lookup.load_balancer(balancer);
            lookup.define(&mut balancers, balancer.value.id.clone(), balancer, "a load balancer");
        }
        for cluster in read.raw.clusters {
            let cluster = lookup.cluster(cluster);
            match clusters.get_mut(&cluster.value.id) {
                Some(known) => extend_cluster(&mut known.value, cluster.value),
                None => drop(clusters.insert(cluster.value.id.clone(), cluster)),
            }
        }
    }
    let mut estate = Estate::empty(name);
    estate.sources = sources;
    estate.today = today.into_values().next().map(|at| at.value);
    estate.apps = apps.into_values().map(|at| at.value).collect();
    estate.flows = flows.into_values().map(|at| at.value).collect();
    estate.load_balancers = balancers.into_values().map(|at| at.value).collect();
    estate.clusters = clusters.into_values().map(|at| at.value).collect();
    for merged in merged.hosts {
        let mut host = merged.host;
        let is_app = |id: &AppId| estate.apps.binary_search_by(|app| app.id.cmp(id)).is_ok();
        if let Some(app) = host.app.take_if(|app| !is_app(&app.value)) {
            findings.push(
                Finding::error("INV-1201", format!("the app \"{}\" is not listed", clip(app.value.as_str())))
                    .at(app.place)
                    .host(clip(merged.id.as_str()))
                    .help("add it to \"apps\", with its id and name; until then the host belongs to none"),
            );
        }
        estate.hosts.push(host.into_host(merged.id, merged.name));
    }
    estate.hosts.sort_by(|one, other| one.id.cmp(&other.id));
    estate
}

fn extend_cluster(known: &mut KubernetesCluster, more: KubernetesCluster) {
    let lists = [(&mut known.control_plane, more.control_plane), (&mut known.workers, more.workers)];
    for (hosts, more) in lists {
        hosts.extend(more);
        hosts.sort();
        hosts.dedup();
    }
    known.version = known.version.take().or(more.version);
    known.pod_cidr = known.pod_cidr.take().or(more.pod_cidr);
    known.service_cidr = known.service_cidr.take().or(more.service_cidr);
}

/// All that a reference may call a host.
struct Names<'m> {
    merged: &'m Merged,
    by_id: BTreeMap<&'m str, usize>,
    by_name: BTreeMap<String, Vec<usize>>,
    by_address: BTreeMap<IpAddr, Vec<usize>>,
}

impl<'m> Names<'m> {
    fn of(merged: &'m Merged) -> Names<'m> {
        let mut names =
            Names { merged, by_id: BTreeMap::new(), by_name: BTreeMap::new(), by_address: BTreeMap::new() };
        for (index, host) in merged.hosts.iter().enumerate() {
            names.by_id.insert(host.id.as_str(), index);
            names.by_name.entry(host_id(&host.name)).or_default().push(index);
            let nics = host.host.nics.iter().flat_map(|nics| &nics.value);
            for address in nics.flat_map(|nic| &nic.addresses).filter_map(|text| bare_address(text)) {
                names.by_address.entry(address).or_default().push(index);
            }
        }
        names
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.by_id.get(name).copied().or_else(|| only(self.by_name.get(&host_id(name))))
    }
}

fn only(found: Option<&Vec<usize>>) -> Option<usize> {
    match found.map(Vec::as_slice) {
        Some([one]) => Some(*one),
        Some(_) | None => None,
    }
}

struct Lookup<'a, 'm> {
    names: &'a Names<'m>,
    file: usize,
    ranks: &'a Ranks<'a>,
    findings: &'a mut Vec<Finding>,
}

impl Lookup<'_, '_> {
    /// Keeps the definition of a thing whose file goes before the other; a difference is `INV-1105`.
    fn define<K: Ord, T: PartialEq>(
        &mut self,
        known: &mut BTreeMap<K, At<T>>,
        key: K,
        new: At<T>,
        what: &str,
    ) {
        let Some(have) = known.get_mut(&key) else {
            known.insert(key, new);
            return;
        };
        if have.value != new.value {
            let new_wins = self.ranks.later_wins(what, &have.place, &new.place);
            let kept = if new_wins { &new } else { &*have };
            self.findings.push(
                Finding::warning("INV-1105", format!("{what} is described twice and differently"))
                    .at(new.place.clone())
                    .help(format!(
                        "the description at {} is kept; the first is at {}",
                        kept.place, have.place
                    )),
            );
            if new_wins {
                *have = new;
            }
        }
    }

    /// The host that this file means by a key of its own, by an id, or by a name only one host has.
    fn host(&mut self, key: &HostId, place: &Place) -> Option<HostId> {
        let own = self.names.merged.keys[self.file].get(key.as_str()).copied();
        let Some(index) = own.or_else(|| self.names.named(key.as_str())) else {
            self.findings.push(unknown_host(key.as_str(), place.clone()));
            return None;
        };
        Some(self.names.merged.hosts[index].id.clone())
    }

    fn endpoint(&mut self, endpoint: Endpoint, place: &Place) -> Option<Endpoint> {
        match endpoint {
            Endpoint::Host(key) => self.host(&key, place).map(Endpoint::Host),
            Endpoint::External(name) => Some(Endpoint::External(name)),
        }
    }

    /// Adds a flow; a second one between the same ends on the same port fills in what the first leaves open.
    fn flow(&mut self, flows: &mut BTreeMap<FlowKey, At<Flow>>, flow: At<Flow>) {
        let ends = [("from", flow.value.from.clone()), ("to", flow.value.to.clone())]
            .map(|(end, endpoint)| self.endpoint(endpoint, &below(&flow.place, end)));
        let [Some(from), Some(to)] = ends else { return };
        let mut flow = flow.map(|flow| Flow { from, to, ..flow });
        let Flow { from, to, protocol, port, .. } = flow.value.clone();
        let key = (from, to, protocol, port);
        if let Some(known) = flows.get_mut(&key) {
            known.value.gib_month = known.value.gib_month.or(flow.value.gib_month);
            known.value.gib_month_back = known.value.gib_month_back.or(flow.value.gib_month_back);
            flow.value.gib_month = flow.value.gib_month.or(known.value.gib_month);
            flow.value.gib_month_back = flow.value.gib_month_back.or(known.value.gib_month_back);
            known.value.max_rtt_ms = known.value.max_rtt_ms.or(flow.value.max_rtt_ms);
            flow.value.max_rtt_ms = flow.value.max_rtt_ms.or(known.value.max_rtt_ms);
        }
        self.define(flows, key, flow, "a flow");
    }

    fn load_balancer(&mut self, balancer: At<RawLoadBalancer>) -> At<LoadBalancer> {
        let RawLoadBalancer { mut known, members } = balancer.value;
        let mut seen = BTreeSet::new();
        for member in members {
            let found = match member.value {
                MemberRef::Key(key) => self.host(&key, &member.place),
                MemberRef::Address { ip, name } => {
                    self.listening(ip.as_deref(), name.as_deref(), &member.place)
                }
            };
            if let Some(host) = found.filter(|host| seen.insert(host.clone())) {
                known.members.push(host);
            }
        }
        At::new(known, balancer.place)
    }

    /// The host with this address, or else with this name.
    fn listening(&mut self, ip: Option<&str>, name: Option<&str>, place: &Place) -> Option<HostId> {
        let address = ip.and_then(bare_address);
        let by_address = address.and_then(|address| only(self.names.by_address.get(&address)));
        let Some(index) = by_address.or_else(|| name.and_then(|name| self.names.named(name))) else {
            let called: Vec<&str> = [name, ip].into_iter().flatten().collect();
            self.findings.push(unknown_host(&called.join(", "), place.clone()));
            return None;
        };
        Some(self.names.merged.hosts[index].id.clone())
    }

    fn cluster(&mut self, cluster: At<KubernetesCluster>) -> At<KubernetesCluster> {
        let place = cluster.place;
        let mut known = cluster.value;
        for hosts in [&mut known.control_plane, &mut known.workers] {
            let keys = std::mem::take(hosts);
            hosts.extend(keys.iter().filter_map(|key| self.host(key, &place)));
            hosts.sort();
        }
        At::new(known, place)
    }
}

/// What makes two flows one.
type FlowKey = (Endpoint, Endpoint, Option<String>, Option<u16>);

fn below(place: &Place, member: &str) -> Place {
    let pointer = place.pointer.clone().unwrap_or_default();
    place.clone().at(format!("{pointer}/{member}"))
}

fn unknown_host(called: &str, place: Place) -> Finding {
    Finding::error("INV-1201", format!("there is no host \"{}\"", clip(called)))
        .at(place)
        .help("use the id of a host of this estate; until then the reference is left out")
}
