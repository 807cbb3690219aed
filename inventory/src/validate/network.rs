//! Checks of what the network side of an estate writes as text: addresses, networks, ports.

use carafe_model::finding::Finding;

use super::View;
use crate::normalise::{are_ports, is_address};
use crate::text::clip;

pub(super) fn check_1212_addresses_can_be_read(view: &mut View<'_>) {
    for (index, host) in view.estate.hosts.iter().enumerate() {
        for (at, nic) in host.nics.iter().enumerate() {
            for (entry, address) in nic.addresses.iter().enumerate() {
                if !is_address(address) {
                    view.tell(
                        format!("/hosts/{index}/nics/{at}/addresses/{entry}"),
                        Finding::error("INV-1212", format!("\"{}\" is not an IP address", clip(address)))
                            .host(clip(host.id.as_str()))
                            .help("write it as 10.0.0.5/24 or fd00::5/64"),
                    );
                }
            }
        }
    }
}

pub(super) fn check_1213_networks_can_be_read(view: &mut View<'_>) {
    let not_a_network = |text: &str| {
        Finding::error("INV-1213", format!("\"{}\" is not a network", clip(text)))
            .help("write it as 10.0.0.0/24; in firewall rules * stands for every network")
    };
    let estate = view.estate;
    for (index, host) in estate.hosts.iter().enumerate() {
        let id = clip(host.id.as_str());
        for (at, rule) in host.firewall.iter().enumerate() {
            for (field, text) in [("source", &rule.source), ("destination", &rule.destination)] {
                if text != "*" && !is_address(text) {
                    let pointer = format!("/hosts/{index}/firewall/{at}/{field}");
                    view.tell(pointer, not_a_network(text).host(id.clone()));
                }
            }
        }
        for (at, route) in host.routes.iter().enumerate() {
            if !is_address(&route.destination) {
                let pointer = format!("/hosts/{index}/routes/{at}/destination");
                view.tell(pointer, not_a_network(&route.destination).host(id.clone()));
            }
        }
    }
    for (index, cluster) in estate.clusters.iter().enumerate() {
        for (field, cidr) in [("pod_cidr", &cluster.pod_cidr), ("service_cidr", &cluster.service_cidr)] {
            // A cluster with two address families writes both, with a comma between them.
            if let Some(text) =
                cidr.as_ref().filter(|text| !text.split(',').all(|part| is_address(part.trim())))
            {
                view.tell(format!("/clusters/{index}/{field}"), not_a_network(text));
            }
        }
    }
}

pub(super) fn check_1214_ports_can_be_read(view: &mut View<'_>) {
    let estate = view.estate;
    for (index, host) in estate.hosts.iter().enumerate() {
        for (at, rule) in host.firewall.iter().enumerate().filter(|(_, rule)| !are_ports(&rule.ports)) {
            view.tell(
                format!("/hosts/{index}/firewall/{at}/ports"),
                Finding::error("INV-1214", format!("\"{}\" are not ports", clip(&rule.ports)))
                    .host(clip(host.id.as_str()))
                    .help("write 443, 80,443, 1024-65535, or * for all"),
            );
        }
    }
    let zero = || Finding::error("INV-1214", "0 is not a port").help("ports go from 1 to 65535");
    for (index, balancer) in estate.load_balancers.iter().enumerate() {
        for (field, port) in [("port", balancer.port), ("member_port", balancer.member_port)] {
            if port == 0 {
                view.tell(format!("/load_balancers/{index}/{field}"), zero());
            }
        }
    }
    for (index, _) in estate.flows.iter().enumerate().filter(|(_, flow)| flow.port == Some(0)) {
        view.tell(format!("/flows/{index}/port"), zero());
    }
}
