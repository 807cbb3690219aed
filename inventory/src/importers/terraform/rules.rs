//! Resources that are groups of rules, with the rules inside or as resources of their own.

use carafe_model::finding::Finding;
use carafe_model::host::Direction;

use super::Object;
use crate::importers::cloud::{GroupRule, Listing, Peer, ports};
use crate::json::Node;
use crate::normalise;
use crate::text::clip;

/// Adds a group or a rule; `false` when the resource is neither.
pub(super) fn add(object: &Object<'_>, listing: &mut Listing, findings: &mut Vec<Finding>) -> bool {
    let attributes = &object.attributes;
    match object.kind {
        "aws_security_group" => {
            for (list, direction) in [("ingress", Direction::Inbound), ("egress", Direction::Outbound)] {
                for rule in attributes.each_at(list) {
                    let rules = aws_rules(&rule, direction, findings);
                    listing.groups.entry(object.id()).or_default().extend(rules);
                }
            }
            let name = object.text(&["name"]).unwrap_or_default();
            listing.groups.entry(name).or_default();
        }
        "aws_security_group_rule" => {
            let direction = object.text(&["type"]).as_deref().and_then(normalise::direction);
            if let (Some(group), Some(direction)) = (object.text(&["security_group_id"]), direction) {
                let rules = aws_rules(attributes, direction, findings);
                listing.groups.entry(group).or_default().extend(rules);
            }
        }
        "aws_vpc_security_group_ingress_rule" | "aws_vpc_security_group_egress_rule" => {
            let inbound = object.kind.contains("ingress");
            let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
            let peers = attributes.words_at(&["cidr_ipv4", "cidr_ipv6"]).map(|at| at.value);
            let other = object.text(&["referenced_security_group_id"]);
            let protocol = protocol(attributes, &["ip_protocol"]);
            let range = range(attributes, "from_port", "to_port", &protocol);
            push(object.text(&["security_group_id"]), listing, direction, &protocol, &range, peers, other);
        }
        "openstack_networking_secgroup_rule_v2" => {
            let direction = object.text(&["direction"]).as_deref().and_then(normalise::direction);
            let protocol = protocol(attributes, &["protocol"]);
            let range = range(attributes, "port_range_min", "port_range_max", &protocol);
            let prefix = object.text(&["remote_ip_prefix"]);
            let other = object.text(&["remote_group_id"]);
            let prefix = prefix.or_else(|| other.is_none().then(|| "*".to_owned()));
            if let Some(direction) = direction {
                push(
                    object.text(&["security_group_id"]),
                    listing,
                    direction,
                    &protocol,
                    &range,
                    prefix,
                    other,
                );
            }
        }
        "alicloud_security_group_rule" => {
            let direction = object.text(&["type"]).as_deref().and_then(normalise::direction);
            let protocol = protocol(attributes, &["ip_protocol"]);
            let range = match object.text(&["port_range"]).unwrap_or_default().split_once('/') {
                Some(("-1", _)) | None => "*".to_owned(),
                Some((from, to)) => ports(from.parse().ok(), to.parse().ok()),
            };
            let is_allowed = object.text(&["policy"]).is_none_or(|policy| policy == "accept");
            if let Some(direction) = direction.filter(|_| is_allowed) {
                let cidr = object.text(&["cidr_ip"]);
                let other = object.text(&["source_security_group_id"]);
                push(object.text(&["security_group_id"]), listing, direction, &protocol, &range, cidr, other);
            }
        }
        "ncloud_access_control_group_rule" => {
            let group = object.text(&["access_control_group_no"]);
            for (list, direction) in [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)] {
                for rule in attributes.each_at(list) {
                    let protocol = protocol(&rule, &["protocol"]);
                    let range =
                        normalise::ports(rule.words_at(&["port_range"]).map(|at| at.value).as_deref());
                    let range = range.unwrap_or_else(|| "*".to_owned());
                    let cidr = rule.words_at(&["ip_block"]).map(|at| at.value);
                    let other = rule.words_at(&["source_access_control_group_no"]).map(|at| at.value);
                    push(group.clone(), listing, direction, &protocol, &range, cidr, other);
                }
            }
        }
        "azurerm_network_security_group" => {
            for rule in attributes.each_at("security_rule") {
                azure_rule(&object.id(), &rule, listing);
            }
        }
        "azurerm_network_security_rule" => {
            if let Some(group) = object.text(&["network_security_group_name"]) {
                azure_rule(&group, attributes, listing);
            }
        }
        "google_compute_firewall" => google_rules(object, listing),
        _ => return false,
    }
    true
}

fn protocol(node: &Node<'_>, paths: &[&str]) -> String {
    let text = node.words_at(paths).map(|at| at.value);
    normalise::protocol(text.as_deref().filter(|text| *text != "-1"))
}

/// Ports of a rule; those of ICMP are types.
fn range(node: &Node<'_>, from: &str, to: &str, protocol: &str) -> String {
    let number = |key: &str| node.get(key).and_then(|node| node.value.as_u64());
    match protocol {
        "tcp" | "udp" => ports(number(from), number(to)),
        _ => "*".to_owned(),
    }
}

fn push(
    group: Option<String>,
    listing: &mut Listing,
    direction: Direction,
    protocol: &str,
    range: &str,
    cidr: Option<String>,
    other: Option<String>,
) {
    let Some(group) = group else { return };
    let cidr = cidr.filter(|cidr| !cidr.is_empty());
    let network = cidr.and_then(|cidr| normalise::network(Some(if cidr == "::/0" { "*" } else { &cidr })));
    let peers = network.map(Peer::Network).into_iter().chain(other.map(Peer::Group));
    let rules = peers.map(|peer| GroupRule {
        direction,
        protocol: protocol.to_owned(),
        ports: range.to_owned(),
        peer,
    });
    listing.groups.entry(group).or_default().extend(rules);
}

fn aws_rules(rule: &Node<'_>, direction: Direction, findings: &mut Vec<Finding>) -> Vec<GroupRule> {
    let protocol = protocol(rule, &["protocol"]);
    let range = range(rule, "from_port", "to_port", &protocol);
    let mut peers = Vec::new();
    for list in ["cidr_blocks", "ipv6_cidr_blocks"] {
        for cidr in rule.each_at(list) {
            let Some(text) = cidr.words() else { continue };
            match normalise::network(Some(if text.value == "::/0" { "*" } else { &text.value })) {
                Some(network) => peers.push(Peer::Network(network)),
                None => findings.push(
                    Finding::error("INV-1213", format!("\"{}\" is not a network", clip(&text.value)))
                        .at(text.place)
                        .help("the rule was left out; add it by hand"),
                ),
            }
        }
    }
    let groups = rule.find("security_groups").map(|node| node.all_words()).unwrap_or_default();
    peers.extend(groups.into_iter().map(Peer::Group));
    peers.extend(rule.words_at(&["source_security_group_id"]).map(|at| Peer::Group(at.value)));
    peers
        .into_iter()
        .map(|peer| GroupRule { direction, protocol: protocol.clone(), ports: range.clone(), peer })
        .collect()
}

/// Rules of Azure that allow; those that deny stand behind the default, which denies all the same.
fn azure_rule(group: &str, rule: &Node<'_>, listing: &mut Listing) {
    let text = |key: &str| rule.words_at(&[key]).map(|at| at.value);
    if text("access").is_none_or(|access| !access.eq_ignore_ascii_case("allow")) {
        return;
    }
    let Some(direction) = text("direction").as_deref().and_then(normalise::direction) else { return };
    let protocol = normalise::protocol(text("protocol").as_deref());
    let range = normalise::ports(text("destination_port_range").as_deref()).unwrap_or_else(|| "*".to_owned());
    let prefix = match direction {
        Direction::Inbound => text("source_address_prefix"),
        Direction::Outbound => text("destination_address_prefix"),
    };
    // Names such as Internet or VirtualNetwork stand for networks that change.
    let prefix = prefix.map(|prefix| if normalise::is_address(&prefix) { prefix } else { "*".to_owned() });
    push(
        Some(group.to_owned()),
        listing,
        direction,
        &protocol,
        &range,
        prefix.or(Some("*".to_owned())),
        None,
    );
}

fn google_rules(object: &Object<'_>, listing: &mut Listing) {
    let attributes = &object.attributes;
    let direction = object.text(&["direction"]).as_deref().and_then(normalise::direction);
    let direction = direction.unwrap_or(Direction::Inbound);
    let list = match direction {
        Direction::Inbound => "source_ranges",
        Direction::Outbound => "destination_ranges",
    };
    let peers = attributes.find(list).map(|node| node.all_words()).unwrap_or_default();
    let Some(network) = object.text(&["network"]) else { return };
    for rule in attributes.each_at("allow") {
        let protocol = protocol(&rule, &["protocol"]);
        let all = rule.find("ports").map(|node| node.all_words()).unwrap_or_default();
        let range = normalise::ports(Some(&all.join(","))).unwrap_or_else(|| "*".to_owned());
        for peer in &peers {
            push(Some(network.clone()), listing, direction, &protocol, &range, Some(peer.clone()), None);
        }
    }
}
