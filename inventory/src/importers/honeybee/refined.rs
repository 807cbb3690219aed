//! The refined form: camelCase, sizes in whole GiB.

use std::collections::BTreeMap;

use carafe_model::host::{Disk, Route};
use carafe_model::units::{Gib, Mib};

use super::network::{self, RuleKeys};
use super::{ModelReading, groups};
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawHost};

impl ModelReading<'_> {
    /// Reads what stands inside the envelope.
    pub(super) fn refined(&mut self, model: &Node<'_>) {
        let first = self.estate.hosts.len();
        let (mut nodes, mut old) = (model.list("nodes", self.findings), false);
        if model.get("nodes").is_none() {
            nodes = model.list("servers", self.findings);
            old = model.get("servers").is_some();
        }
        self.tally.old_names += usize::from(old);
        for node in &nodes {
            let host = self.host(node);
            self.estate.hosts.push(host);
        }
        let gateways = self.default_gateways(model);
        for host in &mut self.estate.hosts[first..] {
            add_default_route(host, &gateways);
        }
        groups::load_balancers(model, &mut self.estate, self.findings);
        groups::cluster(model, &nodes, &mut self.estate, self.findings);
    }

    fn host(&mut self, node: &Node<'_>) -> RawHost {
        let findings = &mut *self.findings;
        let mut host = RawHost::new(groups::key(node), node.place());
        host.name = node.text("hostname", findings);
        host.machine_id = node.text("machineId", findings);
        if let Some(role) = node.text("role", findings) {
            host.labels.insert("role".to_owned(), role);
        }
        if let Some(cpu) = node.object("cpu", findings) {
            host.architecture =
                cpu.text("architecture", findings).map(|at| at.map(|text| normalise::architecture(&text)));
            host.cpu_model = cpu.text("model", findings);
            let (sockets, threads) = (cpu.count("cpus", findings), cpu.count("threads", findings));
            let vcpus = hardware_threads(sockets, threads, &mut self.tally.no_sockets);
            host.vcpus = vcpus.and_then(|count| limits::vcpus(count, findings));
        }
        if let Some(memory) = node.object("memory", findings)
            && let Some(gib) = memory.count("totalSize", findings)
        {
            host.memory = limits::memory(gib.map(Mib::from_gib), findings);
            self.tally.whole_gib += usize::from(host.memory.is_some());
        }
        let root = node.object("rootDisk", findings).map(|disk| self.disk(&disk, "root"));
        let mut disks = vec![root.unwrap_or_else(|| Disk { name: "root".to_owned(), ..Disk::default() })];
        for (at, disk) in node.list("dataDisks", self.findings).iter().enumerate() {
            disks.push(self.disk(disk, &format!("data-{}", at + 1)));
        }
        host.disks = Some(At::new(disks, node.place()));
        let findings = &mut *self.findings;
        let mut nics = Vec::new();
        for interface in node.list("interfaces", findings) {
            let addresses = ["ipv4CidrBlocks", "ipv6CidrBlocks"];
            match network::nic(&interface, "name", "macAddress", &addresses, findings) {
                Some(nic) => nics.push(nic),
                None => self.tally.internal_interfaces += 1,
            }
        }
        host.nics = network::some(nics, node.place());
        let routes = node.list("routingTable", findings);
        let routes = routes.iter().filter_map(|route| self.route(route)).collect();
        host.routes = network::some(routes, node.place());
        let keys = RuleKeys { source: "srcCIDR", destination: "dstCIDR", ports: "dstPorts" };
        let rules = node.list("firewallTable", self.findings);
        let rules = rules.iter().filter_map(|rule| network::rule(rule, &keys, self.findings)).collect();
        host.firewall = network::some(rules, node.place());
        if let Some(os) = node.object("os", self.findings) {
            let keys = ["id", "idLike", "prettyName", "name", "versionId"];
            host.os = network::os(&os, &keys, self.findings);
        }
        host
    }

    fn disk(&mut self, disk: &Node<'_>, fallback: &str) -> Disk {
        let findings = &mut *self.findings;
        let name = disk.text("label", findings).map_or_else(|| fallback.to_owned(), |label| label.value);
        let media = disk.text("type", findings).and_then(|media| normalise::media(&media.value));
        let size = disk.count("totalSize", findings).and_then(|at| limits::disk(at.map(Gib), findings));
        let used = disk.count("used", findings).map(|at| at.value);
        let free = disk.count("available", findings).map(|at| at.value);
        Disk { name, size_gib: size, used_gib: used_space(size, used, free), media, ..Disk::default() }
    }

    fn route(&mut self, route: &Node<'_>) -> Option<Route> {
        let findings = &mut *self.findings;
        let interface = route.text("interface", findings);
        let link_scope = route.text("scope", findings).is_some_and(|scope| scope.value == "link");
        let gateway = route.text("gateway", findings).filter(|_| !link_scope);
        let metric = network::metric(route);
        network::route(route.text("destination", findings)?, gateway, interface, metric, findings)
    }

    /// The default gateway of each machine by its machine id.
    fn default_gateways(&mut self, model: &Node<'_>) -> BTreeMap<String, Route> {
        let mut gateways = BTreeMap::new();
        let Some(network) = model.object("network", self.findings) else { return gateways };
        let Some(ipv4) = network.object("ipv4Networks", self.findings) else { return gateways };
        for gateway in ipv4.list("defaultGateways", self.findings) {
            let findings = &mut *self.findings;
            let Some(machine) = gateway.text("machineId", findings) else { continue };
            let Some(ip) = gateway.text("ip", findings).filter(|ip| normalise::is_address(&ip.value)) else {
                continue;
            };
            let route = Route {
                destination: "0.0.0.0/0".to_owned(),
                gateway: Some(ip.value),
                interface: gateway.text("interfaceName", findings).map(|name| name.value),
                metric: None,
            };
            gateways.entry(machine.value).or_insert(route);
        }
        gateways
    }
}

fn add_default_route(host: &mut RawHost, gateways: &BTreeMap<String, Route>) {
    let machine = host.machine_id.as_ref().map(|id| id.value.as_str());
    let Some(route) = machine.and_then(|machine| gateways.get(machine)) else { return };
    let place = host.place.clone();
    let routes = &mut host.routes.get_or_insert_with(|| At::new(Vec::new(), place)).value;
    if !routes.iter().any(|known| known.destination == route.destination) {
        routes.insert(0, route.clone());
    }
}

/// Sockets times threads of each; threads are unknown when none are reported.
pub(super) fn hardware_threads(
    sockets: Option<At<u64>>,
    threads: Option<At<u64>>,
    no_sockets: &mut usize,
) -> Option<At<u64>> {
    let threads = threads.filter(|threads| threads.value > 0)?;
    let sockets = sockets.map_or(0, |sockets| sockets.value);
    *no_sockets += usize::from(sockets == 0);
    Some(threads.map(|threads| threads.saturating_mul(sockets.max(1))))
}

/// Space in use: the collector writes zero for both figures where it could not look.
pub(super) fn used_space(size: Option<Gib>, used: Option<u64>, free: Option<u64>) -> Option<Gib> {
    match (used.filter(|used| *used > 0), free.filter(|free| *free > 0), size) {
        (Some(used), _, _) => Some(Gib(used)),
        (None, Some(free), Some(Gib(size))) => size.checked_sub(free).map(Gib),
        (None, _, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_used_and_nothing_free_is_unknown() {
        assert_eq!(used_space(Some(Gib(100)), Some(0), Some(0)), None);
        assert_eq!(used_space(Some(Gib(100)), Some(0), Some(100)), Some(Gib(0)));
        assert_eq!(used_space(Some(Gib(100)), Some(40), None), Some(Gib(40)));
        assert_eq!(used_space(None, None, Some(5)), None);
    }
}
