//! What both forms say of interfaces, routes, firewalls and operating systems, under different keys.

use carafe_model::finding::{Finding, Place};
use carafe_model::host::{FirewallRule, Nic, Os, Route};

use crate::json::Node;
use crate::normalise;
use crate::raw::At;
use crate::text::clip;

/// A list, unless it is empty: an empty one and none at all say the same.
pub(super) fn some<T>(list: Vec<T>, place: Place) -> Option<At<Vec<T>>> {
    (!list.is_empty()).then(|| At::new(list, place))
}

/// Reads an interface; `None` when it means something on its own host only.
pub(super) fn nic(
    node: &Node<'_>,
    name: &str,
    mac: &str,
    addresses: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<Nic> {
    let name = node.text(name, findings).map(|at| at.value).unwrap_or_default();
    if normalise::is_internal_interface(&name) {
        return None;
    }
    let mut nic = Nic { name, ..Nic::default() };
    nic.mac = node.text(mac, findings).and_then(|at| normalise::mac(&at.value));
    for key in addresses {
        for address in node.texts(key, findings) {
            if !normalise::is_address(&address.value) {
                findings.push(bad_address(&address));
            } else if normalise::bare_address(&address.value).is_some_and(normalise::is_reachable) {
                nic.addresses.push(address.value);
            }
        }
    }
    Some(nic)
}

fn bad_address(address: &At<String>) -> Finding {
    Finding::error("INV-1212", format!("\"{}\" is not an IP address", clip(&address.value)))
        .at(address.place.clone())
        .help("the address was left out; write it as 10.0.0.5/24")
}

/// Reads a route; `None` for those of internal interfaces, and with `INV-1213` for a destination that is no network.
pub(super) fn route(
    destination: At<String>,
    gateway: Option<At<String>>,
    interface: Option<At<String>>,
    metric: Option<u32>,
    findings: &mut Vec<Finding>,
) -> Option<Route> {
    let interface = interface.map(|at| at.value);
    if interface.as_deref().is_some_and(normalise::is_internal_interface) {
        return None;
    }
    let written = match destination.value.as_str() {
        "default" => "0.0.0.0/0",
        other => other,
    };
    if !normalise::is_address(written) {
        findings.push(
            Finding::error("INV-1213", format!("\"{}\" is not a network", clip(written)))
                .at(destination.place)
                .help("the route was left out; write the destination as 10.0.0.0/24"),
        );
        return None;
    }
    let gateway = gateway
        .map(|at| at.value)
        .filter(|text| normalise::bare_address(text).is_some_and(|address| !address.is_unspecified()));
    Some(Route { destination: written.to_owned(), gateway, interface, metric })
}

/// The metric of a route; -1 and other impossible ones are as good as none.
pub(super) fn metric(route: &Node<'_>) -> Option<u32> {
    route.get("metric").and_then(|node| node.value.as_u64()).and_then(|metric| u32::try_from(metric).ok())
}

/// What a form calls the parts of a firewall rule.
pub(super) struct RuleKeys {
    pub(super) source: &'static str,
    pub(super) destination: &'static str,
    pub(super) ports: &'static str,
}

/// Reads a firewall rule; one that cannot be understood whole is `INV-2010` and left out.
pub(super) fn rule(node: &Node<'_>, keys: &RuleKeys, findings: &mut Vec<Finding>) -> Option<FirewallRule> {
    let mut text = |key: &str| node.text(key, findings).map(|at| at.value);
    let (source, destination) = (text(keys.source), text(keys.destination));
    let (ports, protocol) = (text(keys.ports), text("protocol"));
    let (direction, action) = (text("direction"), text("action"));
    let rule = (|| {
        Ok(FirewallRule {
            direction: direction
                .as_deref()
                .and_then(normalise::direction)
                .ok_or(("direction", &direction))?,
            action: action.as_deref().and_then(normalise::action).ok_or(("action", &action))?,
            protocol: normalise::protocol(protocol.as_deref()),
            source: normalise::network(source.as_deref()).ok_or((keys.source, &source))?,
            destination: normalise::network(destination.as_deref())
                .ok_or((keys.destination, &destination))?,
            ports: normalise::ports(ports.as_deref()).ok_or((keys.ports, &ports))?,
        })
    })();
    rule.map_err(|(key, written): (&str, &Option<String>)| {
        let what = match written {
            Some(written) => format!("\"{}\" cannot be read as {key} of a firewall rule", clip(written)),
            None => format!("a firewall rule has no {key}"),
        };
        findings.push(
            Finding::error("INV-2010", what)
                .at(node.place())
                .help("the rule was left out; add it by hand, since the order of rules decides"),
        );
    })
    .ok()
}

/// Reads an operating system; `keys` name its id, the ids it is like, its long name, its short name and its version.
pub(super) fn os(node: &Node<'_>, keys: &[&str; 5], findings: &mut Vec<Finding>) -> Option<At<Os>> {
    let [id, like, pretty, name, version] = keys.map(|key| node.text(key, findings).map(|at| at.value));
    let long_name = pretty.or(name);
    if id.is_none() && long_name.is_none() {
        return None;
    }
    let os = normalise::os_release(
        &id.unwrap_or_default(),
        &like.unwrap_or_default(),
        &long_name.unwrap_or_default(),
        version.as_deref(),
    );
    Some(At::new(os, node.place()))
}
