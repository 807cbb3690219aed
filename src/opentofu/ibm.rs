//! IBM Cloud (VPC), by the plug-in `IBM-Cloud/ibm`.

use carafe_model::steps::{Action, AllowRule};

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "ibm", plugin: ("ibm", "IBM-Cloud/ibm"), version: "~> 2.0", write };

fn write(site: &Site<'_>, draft: &mut Draft) {
    draft.provider = Body::default().set("region", raw("var.region"));
    for action in &site.actions {
        if !is_name(action.name()) {
            draft.untold.push(format!(
                "IBM Cloud takes lower-case letters, digits and hyphens, at most 63, as a name, and the plan says \
                 \"{}\"",
                action.name()
            ));
        }
        one(site, draft, action);
    }
}

/// Whether IBM Cloud takes it as the name of something in a VPC.
fn is_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Tags are words here.
fn tagged() -> Expr {
    raw("[for k, v in var.tags : \"${k}:${v}\"]")
}

/// The zone of a subnet, which IBM Cloud does not choose itself.
fn zone(site: &Site<'_>, draft: &mut Draft, subnet: &str) -> Expr {
    match site.zone_of(subnet) {
        Some(zone) => zone.into(),
        None => draft.ask(
            "zone",
            "string",
            "Where subnets are made for which the plan names no zone, for example \"jp-tok-1\".",
            None,
        ),
    }
}

fn network(site: &Site<'_>, subnet: &str) -> Expr {
    site.at("ibm_is_vpc", Kind::Network, site.network_of(subnet).unwrap_or_default(), "id")
}

fn rule(rule: &AllowRule, group: Expr) -> Body {
    let protocol = if rule.protocol == "*" { "any" } else { rule.protocol.as_str() };
    let body = Body::default()
        .set("group", group)
        .set("direction", "inbound")
        .set("remote", &rule.source)
        .set("protocol", protocol);
    match (rule.from_port, protocol) {
        (Some(from), "tcp" | "udp") => {
            body.set("port_min", from).set("port_max", rule.to_port.unwrap_or(from))
        }
        (None, "tcp" | "udp") => body.set("port_min", raw("1")).set("port_max", raw("65535")),
        _ => body,
    }
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, .. } => {
            let network = Body::default()
                .set("name", name)
                // Addresses are given out zone by zone, with the subnets.
                .set("address_prefix_management", "manual")
                .set("tags", tagged());
            draft.main.resource("ibm_is_vpc", &id, network);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let vpc = || site.at("ibm_is_vpc", Kind::Network, network, "id");
            let place = zone(site, draft, name);
            let prefix = Body::default()
                .set("name", name)
                .set("vpc", vpc())
                .set("zone", place.clone())
                .set("cidr", cidr);
            draft.main.resource("ibm_is_vpc_address_prefix", &id, prefix);
            let subnet = Body::default()
                .set("name", name)
                .set("vpc", vpc())
                .set("zone", place)
                // The block by way of its prefix, so that the prefix is there first.
                .set("ipv4_cidr_block", raw(format!("ibm_is_vpc_address_prefix.{id}.cidr")))
                .set("tags", tagged());
            draft.main.resource("ibm_is_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            let group = Body::default()
                .set("name", name)
                .set("vpc", site.at("ibm_is_vpc", Kind::Network, network, "id"))
                .set("tags", tagged());
            draft.main.resource("ibm_is_security_group", &id, group);
            let group = || raw(format!("ibm_is_security_group.{id}.id"));
            for (number, allowed) in rules.iter().enumerate() {
                let label = format!("{id}_{}", number + 1);
                draft.main.resource("ibm_is_security_group_rule", &label, rule(allowed, group()));
            }
            // Without a rule for what goes out, nothing does.
            let out = Body::default()
                .set("group", group())
                .set("direction", "outbound")
                .set("remote", "0.0.0.0/0")
                .set("protocol", "any");
            draft.main.resource("ibm_is_security_group_rule", &format!("{id}_out"), out);
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let kind = raw("startswith(var.public_key, \"ssh-ed25519\") ? \"ed25519\" : \"rsa\"");
            let pair = Body::default()
                .set("name", name)
                .set("public_key", key)
                .set("type", kind)
                .set("tags", tagged());
            draft.main.resource("ibm_is_ssh_key", &id, pair);
        }
        Action::Machine {
            name,
            instance_type,
            image,
            subnet,
            security_groups,
            key_pair,
            root_disk_gib,
            root_disk_class,
            ..
        } => {
            let groups = security_groups
                .iter()
                .map(|group| site.at("ibm_is_security_group", Kind::SecurityGroup, group, "id"));
            let key = site.at("ibm_is_ssh_key", Kind::KeyPair, key_pair, "id");
            let interface = Body::default()
                .set("subnet", site.at("ibm_is_subnet", Kind::Subnet, subnet, "id"))
                .set("security_groups", list(groups));
            let image = draft.image(image);
            let mut machine = Body::default()
                .set("name", name)
                .set("vpc", network(site, subnet))
                .set("zone", zone(site, draft, subnet))
                .set("profile", instance_type)
                .set("image", image)
                .set("keys", list([key]))
                .set("tags", tagged())
                .with("primary_network_interface", interface);
            if root_disk_gib.is_some() || root_disk_class.is_some() {
                let root = Body::default()
                    .may("size", root_disk_gib.map(|size| size.0))
                    .may("profile", root_disk_class.as_ref());
                machine = machine.with("boot_volume", root);
            }
            draft.main.resource("ibm_is_instance", &id, machine);
            let address =
                raw(format!("ibm_is_instance.{id}.primary_network_interface[0].primary_ip[0].address"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let place = site.machine_of(name).and_then(|(machine, _)| site.subnet_of(machine));
            let zone = zone(site, draft, place.unwrap_or_default());
            let disk = Body::default()
                .set("name", name)
                .set("zone", zone)
                .set("profile", class.as_deref().unwrap_or("general-purpose"))
                .set("capacity", size_gib.0)
                .set("tags", tagged());
            draft.main.resource("ibm_is_volume", &id, disk);
        }
        Action::Attachment { name, disk, machine } => {
            let attachment = Body::default()
                .set("name", name)
                .set("instance", site.at("ibm_is_instance", Kind::Machine, machine, "id"))
                .set("volume", site.at("ibm_is_volume", Kind::Disk, disk, "id"))
                // Otherwise detaching destroys the disk, and what is on it.
                .set("delete_volume_on_attachment_delete", false);
            draft.main.resource("ibm_is_instance_volume_attachment", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let machine_id = site.id(Kind::Machine, machine);
            let address = Body::default()
                .set("name", name)
                .set("target", raw(format!("ibm_is_instance.{machine_id}.primary_network_interface[0].id")))
                .set("tags", tagged());
            draft.main.resource("ibm_is_floating_ip", &id, address);
            let value = raw(format!("ibm_is_floating_ip.{id}.address"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { .. } => balancer(site, draft, &id, action),
        Action::KubernetesCluster {
            name, version, subnets, instance_type, nodes, security_groups, ..
        } => {
            let groups = security_groups
                .iter()
                .map(|group| site.at("ibm_is_security_group", Kind::SecurityGroup, group, "id"));
            let mut cluster = Body::default()
                .set("name", name)
                .set("vpc_id", network(site, subnets.first().map_or("", String::as_str)))
                .set("flavor", instance_type)
                // So many in each zone.
                .set("worker_count", *nodes)
                .may("kube_version", version.as_ref())
                .set("security_groups", list(groups))
                .set("tags", tagged());
            for subnet in subnets {
                let place = Body::default()
                    .set("name", zone(site, draft, subnet))
                    .set("subnet_id", site.at("ibm_is_subnet", Kind::Subnet, subnet, "id"));
                cluster = cluster.with("zones", place);
            }
            draft.main.resource("ibm_container_vpc_cluster", &id, cluster);
            if subnets.len() > 1 {
                draft.untold.push(format!(
                    "Kubernetes cluster \"{name}\" gets {nodes} nodes in each of its {} zones, as IBM Cloud counts \
                     them by zone",
                    subnets.len()
                ));
            }
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

/// A network load balancer, which IBM Cloud calls by its profile.
fn balancer(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } =
        action
    else {
        return;
    };
    let subnets = list([site.at("ibm_is_subnet", Kind::Subnet, subnet, "id")]);
    let balancer = Body::default()
        .set("name", name)
        .set("type", if *public { "public" } else { "private" })
        .set("profile", "network-fixed")
        .set("subnets", subnets)
        .set("tags", tagged());
    draft.main.resource("ibm_is_lb", id, balancer);
    let lb = || raw(format!("ibm_is_lb.{id}.id"));
    let check = health_check.as_ref();
    let timeout = check.and_then(|check| check.timeout_seconds).unwrap_or(2);
    let wanted = check.and_then(|check| check.interval_seconds).unwrap_or(5);
    // IBM Cloud wants the interval to be longer than the timeout.
    let delay = wanted.max(timeout + 1);
    if delay > wanted {
        draft.untold.push(format!(
            "load balancer \"{name}\" looks at its members every {delay} seconds, not every {wanted}, as that has to \
             be longer than the timeout"
        ));
    }
    let pool = Body::default()
        .set("name", name)
        .set("lb", lb())
        .set("algorithm", "round_robin")
        .set("protocol", protocol)
        .set("health_type", check.map_or("tcp", |check| check.protocol.as_str()))
        .set("health_delay", delay)
        .set("health_timeout", timeout)
        .set("health_retries", check.and_then(|check| check.threshold).unwrap_or(2))
        .set("health_monitor_port", check.and_then(|check| check.port).unwrap_or(*member_port));
    draft.main.resource("ibm_is_lb_pool", id, pool);
    for member in members {
        let body = Body::default()
            .set("lb", lb())
            .set("pool", raw(format!("ibm_is_lb_pool.{id}.pool_id")))
            .set("port", *member_port)
            .set("target_id", site.at("ibm_is_instance", Kind::Machine, member, "id"));
        let label = format!("{id}_{}", site.id(Kind::Machine, member));
        draft.main.resource("ibm_is_lb_pool_member", &label, body);
    }
    let listener = Body::default()
        .set("lb", lb())
        .set("port", *port)
        .set("protocol", protocol)
        .set("default_pool", raw(format!("ibm_is_lb_pool.{id}.pool_id")));
    draft.main.resource("ibm_is_lb_listener", id, listener);
    let value = raw(format!("ibm_is_lb.{id}.hostname"));
    draft.tell(&format!("{id}_name"), &format!("The DNS name of {name}."), value);
}
