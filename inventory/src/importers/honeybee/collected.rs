//! The form as collected: snake_case, memory in MiB, one document per connection.

use carafe_model::finding::Finding;
use carafe_model::host::{Disk, Gpu, Route};
use carafe_model::units::{Gib, Mib};

use super::network::{self, RuleKeys};
use super::refined::{hardware_threads, used_space};
use super::{ModelReading, groups};
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawHost};

impl ModelReading<'_> {
    /// Reads the document of one connection: one host.
    pub(super) fn collected(&mut self, infra: &Node<'_>) {
        let Some(compute) = infra.object("compute", self.findings) else { return };
        let mut host = RawHost::new(groups::key(infra), infra.place());
        if let Some(system) = compute.object("os", self.findings) {
            self.system(&system, &mut host);
        }
        if let Some(resource) = compute.object("compute_resource", self.findings) {
            self.resource(&resource, &mut host);
        }
        if let Some(network) = infra.object("network", self.findings)
            && let Some(own) = network.object("host", self.findings)
        {
            self.network(&own, &mut host);
        }
        if let Some(gpu) = infra.object("gpu", self.findings) {
            self.gpu(&gpu, &mut host);
        }
        if let Some(csp) = infra.object("csp", self.findings) {
            self.cloud(&csp, &mut host);
        }
        let haproxy = infra.object("haproxy", self.findings);
        let version = haproxy.and_then(|haproxy| haproxy.text("version", self.findings));
        self.tally.haproxies += usize::from(version.is_some());
        if host.name.is_none() && host.machine_id.is_none() && host.vcpus.is_none() && host.memory.is_none() {
            self.findings.push(
                Finding::error("INV-2009", "a connection without anything collected").at(infra.place()).help(
                    "the import of this connection failed in cm-honeybee; run it again and export again",
                ),
            );
            return;
        }
        self.estate.hosts.push(host);
    }

    fn system(&mut self, system: &Node<'_>, host: &mut RawHost) {
        let findings = &mut *self.findings;
        if let Some(node) = system.object("node", findings) {
            host.name = node.text("hostname", findings);
            host.machine_id = node.text("machineid", findings);
        }
        if let Some(kernel) = system.object("kernel", findings) {
            let architecture = kernel.text("architecture", findings);
            host.architecture = architecture.map(|at| at.map(|text| normalise::architecture(&text)));
        }
        if let Some(os) = system.object("os", findings) {
            host.os = network::os(&os, &["id", "id_like", "pretty_name", "name", "version_id"], findings);
        }
    }

    fn resource(&mut self, resource: &Node<'_>, host: &mut RawHost) {
        let findings = &mut *self.findings;
        if let Some(cpu) = resource.object("cpu", findings) {
            host.cpu_model = cpu.text("model", findings);
            let (sockets, threads) = (cpu.count("cpus", findings), cpu.count("threads", findings));
            let vcpus = hardware_threads(sockets, threads, &mut self.tally.no_sockets);
            host.vcpus = vcpus.and_then(|count| limits::vcpus(count, findings));
        }
        if let Some(memory) = resource.object("memory", findings) {
            let size = memory.count("size", findings);
            host.memory = size.and_then(|mib| limits::memory(mib.map(Mib), findings));
        }
        let root = resource.object("root_disk", findings).map(|disk| self.collected_disk(&disk, "root"));
        let mut disks = vec![root.unwrap_or_else(|| Disk { name: "root".to_owned(), ..Disk::default() })];
        for (at, disk) in resource.list("data_disk", self.findings).iter().enumerate() {
            disks.push(self.collected_disk(disk, &format!("data-{}", at + 1)));
        }
        host.disks = Some(At::new(disks, resource.place()));
    }

    fn collected_disk(&mut self, disk: &Node<'_>, fallback: &str) -> Disk {
        let findings = &mut *self.findings;
        let name = disk.text("name", findings).or_else(|| disk.text("label", findings));
        let size = disk.count("size", findings).and_then(|at| limits::disk(at.map(Gib), findings));
        let used = disk.count("used", findings).map(|at| at.value);
        let free = disk.count("available", findings).map(|at| at.value);
        Disk {
            name: name.map_or_else(|| fallback.to_owned(), |name| name.value),
            size_gib: size,
            used_gib: used_space(size, used, free),
            media: disk.text("type", findings).and_then(|media| normalise::media(&media.value)),
            ..Disk::default()
        }
    }

    fn network(&mut self, own: &Node<'_>, host: &mut RawHost) {
        let findings = &mut *self.findings;
        let mut nics = Vec::new();
        for interface in own.list("network_interface", findings) {
            match network::nic(&interface, "interface", "mac_address", &["address"], findings) {
                Some(nic) => nics.push(nic),
                None => self.tally.internal_interfaces += 1,
            }
        }
        host.nics = network::some(nics, own.place());
        let routes = own.list("route", findings);
        let routes = routes.iter().filter_map(|route| self.collected_route(route)).collect();
        host.routes = network::some(routes, own.place());
        let keys = RuleKeys { source: "src", destination: "dst", ports: "dst_ports" };
        let rules = own.list("firewall_rule", self.findings);
        let rules = rules.iter().filter_map(|rule| network::rule(rule, &keys, self.findings)).collect();
        host.firewall = network::some(rules, own.place());
    }

    fn collected_route(&mut self, route: &Node<'_>) -> Option<Route> {
        let findings = &mut *self.findings;
        let destination = route.text("destination", findings)?;
        let mask = route.text("netmask", findings).map(|at| at.value);
        let destination = match mask.as_deref().and_then(prefix_length) {
            Some(length) if !destination.value.contains('/') => {
                destination.map(|address| format!("{address}/{length}"))
            }
            Some(_) | None => destination,
        };
        let gateway = route.text("next_hop", findings);
        let interface = route.text("interface", findings);
        network::route(destination, gateway, interface, network::metric(route), findings)
    }

    fn gpu(&mut self, gpu: &Node<'_>, host: &mut RawHost) {
        let findings = &mut *self.findings;
        let cards = gpu.list("nvidia", findings);
        let Some(first) = cards.first() else { return };
        let model = first
            .object("device_attribute", findings)
            .and_then(|attribute| attribute.text("product_name", findings))
            .map(|at| at.value);
        let count = u32::try_from(cards.len()).unwrap_or(u32::MAX);
        host.gpu = Some(At::new(Gpu { count, model }, gpu.place()));
    }

    /// What the cloud says of a host that runs on one already.
    fn cloud(&mut self, csp: &Node<'_>, host: &mut RawHost) {
        let findings = &mut *self.findings;
        if let Some(tags) = csp.object("tags", findings)
            && let Some(members) = tags.value.as_object()
        {
            for key in members.keys() {
                if let Some(value) = tags.text(key, findings) {
                    host.labels.insert(key.clone(), value);
                }
            }
        }
        let labels = [
            ("provider", "source-provider"),
            ("region", "source-region"),
            ("zone", "source-zone"),
            ("vm_spec", "source-instance-type"),
        ];
        for (key, label) in labels {
            if let Some(value) = csp.text(key, findings) {
                host.labels.insert(label.to_owned(), value);
            }
        }
        if let Some(address) = csp.text("public_ip", findings)
            && normalise::is_address(&address.value)
        {
            host.public_address = Some(address.map(|_| true));
        }
    }
}

/// The prefix length that `255.255.255.0` or `/64` stands for.
fn prefix_length(mask: &str) -> Option<u32> {
    if let Some(length) = mask.strip_prefix('/') {
        return length.parse().ok().filter(|length| *length <= 128);
    }
    let bits = mask.parse::<std::net::Ipv4Addr>().ok().map(u32::from)?;
    (bits.count_ones() == bits.leading_ones()).then(|| bits.leading_ones())
}

#[cfg(test)]
mod tests {
    use super::prefix_length;

    #[test]
    fn masks_become_prefix_lengths() {
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("0.0.0.0", Some(0)),
            ("/64", Some(64)),
            ("255.0.255.0", None),
            ("", None),
            ("/999", None),
        ] {
            assert_eq!(prefix_length(mask), length, "{mask}");
        }
    }
}
