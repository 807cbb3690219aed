//! Resources that make up load balancers: balancer, listener, group of members, and members.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;

use super::Object;
use crate::importers::cloud::{Listener, Listing, listener_protocol};
use crate::importers::ec2::member;
use crate::raw::At;

/// A resource that listens: kind; balancer; port; protocol; groups of members.
const LISTENERS: &[(&str, &str, &str, &str, &[&str])] = &[
    (
        "aws_lb_listener",
        "load_balancer_arn",
        "port",
        "protocol",
        &["default_action/0/target_group_arn", "default_action/0/forward/0/target_group/0/arn"],
    ),
    ("azurerm_lb_rule", "loadbalancer_id", "frontend_port", "protocol", &["backend_address_pool_ids"]),
    ("openstack_lb_listener_v2", "loadbalancer_id", "protocol_port", "protocol", &["id"]),
    ("alicloud_slb_listener", "load_balancer_id", "frontend_port", "protocol", &["load_balancer_id"]),
    ("ncloud_lb_listener", "load_balancer_no", "port", "protocol", &["target_group_no"]),
    ("google_compute_forwarding_rule", "id", "port_range", "ip_protocol", &["target", "backend_service"]),
];

/// A resource with the port of its members: kind; group; port.
const PORTS: &[(&str, &str, &str)] = &[
    ("aws_lb_target_group", "id", "port"),
    ("azurerm_lb_rule", "backend_address_pool_ids/0", "backend_port"),
    ("openstack_lb_member_v2", "pool_id", "protocol_port"),
    ("alicloud_slb_listener", "load_balancer_id", "backend_port"),
    ("ncloud_lb_target_group", "id", "port"),
];

/// A resource that names members: kind; group; members.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("aws_lb_target_group_attachment", "target_group_arn", "target_id"),
    ("openstack_lb_member_v2", "pool_id", "address"),
    ("alicloud_slb_attachment", "load_balancer_id", "instance_ids"),
    ("alicloud_slb_backend_server", "load_balancer_id", "backend_servers"),
    ("ncloud_lb_target_group_attachment", "target_group_no", "target_no_list"),
    ("google_compute_target_pool", "id", "instances"),
];

/// Other resources that belong to load balancers.
const OTHERS: &[&str] = &[
    "alicloud_slb_load_balancer",
    "aws_lb",
    "azurerm_lb",
    "azurerm_lb_backend_address_pool",
    "azurerm_network_interface_backend_address_pool_association",
    "ncloud_lb",
    "openstack_lb_loadbalancer_v2",
    "openstack_lb_pool_v2",
];

/// Whether the resource is part of a load balancer.
pub(super) fn is_one(object: &Object<'_>) -> bool {
    LISTENERS.iter().any(|(kind, ..)| *kind == object.kind)
        || PORTS.iter().any(|(kind, ..)| *kind == object.kind)
        || MEMBERS.iter().any(|(kind, ..)| *kind == object.kind)
        || OTHERS.contains(&object.kind)
}

/// Joins them all.
pub(super) fn add(objects: &[Object<'_>], listing: &mut Listing, findings: &mut Vec<Finding>) {
    let by_id: BTreeMap<String, &Object<'_>> = objects
        .iter()
        .filter(|object| is_one(object))
        .flat_map(|object| {
            let arn = object.text(&["arn", "self_link"]);
            arn.into_iter().chain([object.id()]).map(move |id| (id, object))
        })
        .collect();
    for object in objects {
        add_port(object, listing, findings);
        add_members(object, objects, listing);
    }
    // OpenStack: members are in a pool, and the pool says which listener is before it.
    for pool in objects.iter().filter(|object| object.kind == "openstack_lb_pool_v2") {
        if let (Some(listener), Some(members)) =
            (pool.text(&["listener_id"]), listing.pools.remove(&pool.id()))
        {
            listing.pools.insert(listener, members);
        }
    }
    for object in objects {
        let Some((_, balancer, port, protocol, pools)) =
            LISTENERS.iter().find(|(kind, ..)| *kind == object.kind)
        else {
            continue;
        };
        // Google writes a range of ports, of which the first is taken.
        let port = object.text(&[port]).and_then(|text| text.split('-').next()?.parse::<u16>().ok());
        let Some(port) = port.filter(|port| *port > 0) else { continue };
        let owner = object.text(&[balancer]).and_then(|id| by_id.get(&id).copied()).unwrap_or(object);
        let name =
            owner.text(&["name", "load_balancer_name"]).unwrap_or_else(|| owner.local_name().to_owned());
        let attributes = &owner.attributes;
        let is_internal = attributes.get("internal").and_then(|node| node.value.as_bool());
        let words = owner.text(&["address_type", "load_balancing_scheme", "network_type"]);
        let public =
            is_internal.map(|internal| !internal).or(words
                .map(|words| ["internet", "external", "public"].contains(&words.to_lowercase().as_str())));
        let has_public_ip = || attributes.find("frontend_ip_configuration/0/public_ip_address_id").is_some();
        let nodes = pools.iter().filter_map(|path| object.attributes.find(path));
        listing.listeners.push(Listener {
            name,
            protocol: listener_protocol(&object.text(&[protocol]).unwrap_or_default()),
            port,
            public: public.unwrap_or_else(has_public_ip),
            pools: nodes.flat_map(|node| node.all_words()).collect(),
            software: owner.kind.to_owned(),
            place: object.attributes.place(),
        });
    }
}

fn add_port(object: &Object<'_>, listing: &mut Listing, findings: &mut Vec<Finding>) {
    for (_, group, port) in PORTS.iter().filter(|(kind, ..)| *kind == object.kind) {
        let Some(group) = object.text(&[group]) else { continue };
        let port = object.attributes.count_at(port, findings).and_then(|at| u16::try_from(at.value).ok());
        let pool = listing.pools.entry(group).or_default();
        pool.port = pool.port.or(port.filter(|port| *port > 0));
    }
}

fn add_members(object: &Object<'_>, objects: &[Object<'_>], listing: &mut Listing) {
    let attributes = &object.attributes;
    for (_, group, members) in MEMBERS.iter().filter(|(kind, ..)| *kind == object.kind) {
        let (Some(group), Some(list)) = (object.text(&[group]), attributes.find(members)) else { continue };
        let servers =
            list.each().into_iter().filter_map(|entry| entry.words_at(&["server_id"])).map(|at| at.value);
        let ids: Vec<String> = list.all_words().into_iter().chain(servers).collect();
        let known = |id: &str| {
            // Google names machines of a pool as zone and name.
            let name = id.rsplit('/').next().unwrap_or(id);
            let is_meant = |key: &str| key == id || key.rsplit('/').next() == Some(name);
            listing.machines.iter().map(|machine| machine.host.key.as_str()).find(|key| is_meant(key))
        };
        let members: Vec<_> =
            ids.iter().map(|id| At::new(member(known(id).unwrap_or(id)), list.place())).collect();
        listing.pools.entry(group).or_default().members.extend(members);
    }
    if object.kind == "azurerm_network_interface_backend_address_pool_association" {
        let (Some(pool), Some(interface)) =
            (object.text(&["backend_address_pool_id"]), object.text(&["network_interface_id"]))
        else {
            return;
        };
        let uses = |machine: &&Object<'_>| {
            let ids = machine.attributes.find("network_interface_ids").map(|node| node.all_words());
            ids.is_some_and(|ids| ids.contains(&interface))
        };
        if let Some(machine) = objects.iter().find(uses) {
            let entry = At::new(member(&machine.id()), attributes.place());
            listing.pools.entry(pool).or_default().members.push(entry);
        }
    }
}
