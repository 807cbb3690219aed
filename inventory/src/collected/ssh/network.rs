//! Interfaces and routes of a collected host, from `ip`.

use carafe_model::host::{Nic, Route};

use super::sections::Sections;
use crate::normalise;

/// Interfaces that reach beyond the host, by `ip -o link` and `ip -o addr`.
pub(super) fn nics(sections: &Sections<'_>) -> Vec<Nic> {
    let mut nics: Vec<Nic> = Vec::new();
    for line in sections.lines("addresses") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, name, rest @ ..] = words.as_slice() else { continue };
        let name = name.trim_end_matches(':').split('@').next().unwrap_or_default();
        if name.is_empty() || normalise::is_internal_interface(name) {
            continue;
        }
        let index = nics.iter().position(|nic| nic.name == name).unwrap_or_else(|| {
            nics.push(Nic { name: name.to_owned(), ..Nic::default() });
            nics.len() - 1
        });
        let nic = &mut nics[index];
        match rest {
            ["inet" | "inet6", address, ..] => {
                let reachable = normalise::bare_address(address).is_some_and(normalise::is_reachable);
                if reachable && normalise::is_address(address) {
                    nic.addresses.push((*address).to_owned());
                }
            }
            rest => {
                let mac = rest.iter().skip_while(|word| **word != "link/ether").nth(1);
                nic.mac = mac.and_then(|mac| normalise::mac(mac)).or(nic.mac.take());
            }
        }
    }
    // An interface that was never given an address carries nothing, whatever the kernel module behind it.
    nics.retain(|nic| !nic.addresses.is_empty());
    nics
}

/// The routing table, by `ip route` and `ip -6 route`.
pub(super) fn routes(sections: &Sections<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut is_v6 = false;
    for line in sections.lines("routes") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |key: &str| words.iter().skip_while(|word| **word != key).nth(1).copied();
        let Some(first) = words.first() else { continue };
        is_v6 = is_v6 || line.contains(':');
        let destination = match *first {
            "default" if is_v6 => "::/0".to_owned(),
            "default" => "0.0.0.0/0".to_owned(),
            network => match normalise::network(Some(network)) {
                Some(network) if network != "*" && !network.starts_with("fe80:") => network,
                // Words such as "unreachable" or "multicast" begin routes that lead nowhere.
                Some(_) | None => continue,
            },
        };
        let interface = after("dev");
        if interface.is_some_and(normalise::is_internal_interface) {
            continue;
        }
        routes.push(Route {
            destination,
            gateway: after("via").filter(|hop| normalise::is_address(hop)).map(str::to_owned),
            interface: interface.map(str::to_owned),
            metric: after("metric").and_then(|metric| metric.parse().ok()),
        });
    }
    routes
}
