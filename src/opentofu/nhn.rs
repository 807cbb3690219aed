//! NHN Cloud, by the plug-in `nhn-cloud/nhncloud`. Its APIs are OpenStack's apart from the networks.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "nhn", plugin: ("nhncloud", "nhn-cloud/nhncloud"), version: "~> 1.0", write };

fn write(site: &Site<'_>, draft: &mut Draft) {
    let user = draft.ask("user_name", "string", "The NHN Cloud ID.", None);
    let tenant = draft.ask("tenant_id", "string", "The tenant, as \"Set API Endpoint\" shows it.", None);
    let password = draft.ask_secret("password", "The API password, as \"Set API Endpoint\" sets it.");
    draft.provider = Body::default()
        .set("region", raw("var.region"))
        .set("auth_url", "https://api-identity-infrastructure.nhncloudservice.com/v2.0")
        .set("user_name", user)
        .set("tenant_id", tenant)
        .set("password", password);
    for action in &site.actions {
        one(site, draft, action);
    }
}

/// A public address, and the port it belongs to.
fn address(draft: &mut Draft, id: &str, port: Expr) -> Expr {
    let pool = draft.ask(
        "floating_ip_pool",
        "string",
        "The pool of public addresses.",
        Some("Public Network".into()),
    );
    draft.main.resource("nhncloud_networking_floatingip_v2", id, Body::default().set("pool", pool));
    let address = raw(format!("nhncloud_networking_floatingip_v2.{id}.address"));
    let association = Body::default().set("floating_ip", address.clone()).set("port_id", port);
    draft.main.resource("nhncloud_networking_floatingip_associate_v2", id, association);
    address
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            let network = Body::default().set("name", name).set("cidrv4", cidr);
            draft.main.resource("nhncloud_networking_vpc_v2", &id, network);
            let vpc = raw(format!("nhncloud_networking_vpc_v2.{id}.id"));
            let table = Body::default().set("name", name).set("vpc_id", vpc);
            draft.main.resource("nhncloud_networking_routingtable_v2", &id, table);
            let gateway = draft.ask(
                "internet_gateway_id",
                "string",
                "The internet gateway, which only the console makes. Without it nothing is reached from outside.",
                Some(raw("null")),
            );
            let way_out = Body::default()
                .set("count", raw("var.internet_gateway_id == null ? 0 : 1"))
                .set("routingtable_id", raw(format!("nhncloud_networking_routingtable_v2.{id}.id")))
                .set("gateway_id", gateway);
            draft.main.resource("nhncloud_networking_routingtable_attach_gateway_v2", &id, way_out);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let table = site.at("nhncloud_networking_routingtable_v2", Kind::Network, network, "id");
            let subnet = Body::default()
                .set("name", name)
                .set("vpc_id", site.at("nhncloud_networking_vpc_v2", Kind::Network, network, "id"))
                .set("cidr", cidr)
                .set("routingtable_id", table);
            draft.main.resource("nhncloud_networking_vpcsubnet_v2", &id, subnet);
        }
        Action::SecurityGroup { name, rules, .. } => {
            draft.main.resource("nhncloud_networking_secgroup_v2", &id, Body::default().set("name", name));
            for (number, rule) in rules.iter().enumerate() {
                if rule.source.contains(':') {
                    draft.untold.push(format!(
                        "rule {} of security group \"{name}\" is left out: NHN Cloud knows IPv4 only",
                        number + 1
                    ));
                    continue;
                }
                let mut body = Body::default().set("direction", "ingress").set("ethertype", "IPv4");
                if rule.protocol != "*" {
                    body = body.set("protocol", &rule.protocol);
                }
                if let (Some(from), "tcp" | "udp") = (rule.from_port, rule.protocol.as_str()) {
                    body =
                        body.set("port_range_min", from).set("port_range_max", rule.to_port.unwrap_or(from));
                }
                let group = raw(format!("nhncloud_networking_secgroup_v2.{id}.id"));
                let body = body.set("remote_ip_prefix", &rule.source).set("security_group_id", group);
                let label = format!("{id}_{}", number + 1);
                draft.main.resource("nhncloud_networking_secgroup_rule_v2", &label, body);
            }
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let pair = Body::default().set("name", name).set("public_key", key);
            draft.main.resource("nhncloud_compute_keypair_v2", &id, pair);
        }
        Action::Machine { .. } => machine(site, draft, &id, action),
        Action::Disk { name, class, size_gib, .. } => {
            let place = site.machine_of(name).and_then(|(machine, _)| site.subnet_of(machine));
            let disk = Body::default()
                .set("name", name)
                .set("size", size_gib.0)
                .may("volume_type", class.as_ref())
                .may("availability_zone", place.and_then(|subnet| site.zone_of(subnet)));
            draft.main.resource("nhncloud_blockstorage_volume_v2", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("instance_id", site.at("nhncloud_compute_instance_v2", Kind::Machine, machine, "id"))
                .set("volume_id", site.at("nhncloud_blockstorage_volume_v2", Kind::Disk, disk, "id"));
            draft.main.resource("nhncloud_compute_volume_attach_v2", &id, attachment);
        }
        Action::PublicAddress { machine, .. } => {
            let port = site.at("nhncloud_networking_port_v2", Kind::Machine, machine, "id");
            let value = address(draft, &id, port);
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { .. } => balancer(site, draft, &id, action),
        Action::KubernetesCluster { name, .. } => draft.untold.push(format!(
            "Kubernetes cluster \"{name}\" is left out: NHN Cloud wants an image and add-ons for its nodes that the \
             plan does not have"
        )),
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

fn machine(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::Machine {
        name,
        instance_type,
        image,
        subnet,
        security_groups,
        key_pair,
        root_disk_gib,
        root_disk_class,
        ..
    } = action
    else {
        return;
    };
    let network = site.network_of(subnet).unwrap_or_default();
    let fixed = Body::default()
        .set("subnet_id", site.at("nhncloud_networking_vpcsubnet_v2", Kind::Subnet, subnet, "id"));
    let groups = security_groups
        .iter()
        .map(|group| site.at("nhncloud_networking_secgroup_v2", Kind::SecurityGroup, group, "id"));
    let port = Body::default()
        .set("name", name)
        .set("network_id", site.at("nhncloud_networking_vpc_v2", Kind::Network, network, "id"))
        .set("security_group_ids", list(groups))
        .with("fixed_ip", fixed);
    draft.main.resource("nhncloud_networking_port_v2", id, port);
    let root = Body::default()
        .set("uuid", draft.image(image))
        .set("source_type", "image")
        .set("destination_type", "volume")
        .set("boot_index", raw("0"))
        .may("volume_size", root_disk_gib.map(|size| size.0))
        .may("volume_type", root_disk_class.as_ref())
        .set("delete_on_termination", true);
    let machine = Body::default()
        .set("name", name)
        .set("flavor_name", instance_type)
        .set("key_pair", site.at("nhncloud_compute_keypair_v2", Kind::KeyPair, key_pair, "name"))
        .may("availability_zone", site.zone_of(subnet))
        .set("metadata", raw("var.tags"))
        .with("network", Body::default().set("port", raw(format!("nhncloud_networking_port_v2.{id}.id"))))
        .with("block_device", root);
    draft.main.resource("nhncloud_compute_instance_v2", id, machine);
    let address = raw(format!("nhncloud_compute_instance_v2.{id}.access_ip_v4"));
    draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
}

fn balancer(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } =
        action
    else {
        return;
    };
    if protocol != "tcp" {
        draft.untold.push(format!(
            "load balancer \"{name}\" is left out: NHN Cloud balances TCP and HTTP, not {protocol}"
        ));
        return;
    }
    let subnet_id = || site.at("nhncloud_networking_vpcsubnet_v2", Kind::Subnet, subnet, "id");
    let balancer = Body::default().set("name", name).set("vip_subnet_id", subnet_id());
    draft.main.resource("nhncloud_lb_loadbalancer_v2", id, balancer);
    let listener = Body::default()
        .set("name", name)
        .set("loadbalancer_id", raw(format!("nhncloud_lb_loadbalancer_v2.{id}.id")))
        .set("protocol", "TCP")
        .set("protocol_port", *port);
    draft.main.resource("nhncloud_lb_listener_v2", id, listener);
    let pool = Body::default()
        .set("name", name)
        .set("listener_id", raw(format!("nhncloud_lb_listener_v2.{id}.id")))
        .set("protocol", "TCP")
        .set("lb_method", "ROUND_ROBIN")
        .set("member_port", *member_port);
    draft.main.resource("nhncloud_lb_pool_v2", id, pool);
    let pool_id = || raw(format!("nhncloud_lb_pool_v2.{id}.id"));
    for member in members {
        let body = Body::default()
            .set("pool_id", pool_id())
            .set("subnet_id", subnet_id())
            .set("address", site.at("nhncloud_compute_instance_v2", Kind::Machine, member, "access_ip_v4"))
            .set("protocol_port", *member_port);
        let label = format!("{id}_{}", site.id(Kind::Machine, member));
        draft.main.resource("nhncloud_lb_member_v2", &label, body);
    }
    let check = health_check.as_ref();
    let timeout = check.and_then(|check| check.timeout_seconds).unwrap_or(5);
    let monitor = Body::default()
        .set("name", name)
        .set("pool_id", pool_id())
        .set("type", &check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()))
        // The time between two looks is longer than the time one may take.
        .set("delay", check.and_then(|check| check.interval_seconds).unwrap_or(10).max(timeout + 1))
        .set("timeout", timeout)
        .set("max_retries", check.and_then(|check| check.threshold).unwrap_or(3))
        .set("health_check_port", check.and_then(|check| check.port).unwrap_or(*member_port));
    draft.main.resource("nhncloud_lb_monitor_v2", id, monitor);
    if *public {
        let port = raw(format!("nhncloud_lb_loadbalancer_v2.{id}.vip_port_id"));
        let value = address(draft, &format!("{id}_lb"), port);
        draft.tell(&format!("{id}_public_address"), &format!("The public address of {name}."), value);
    }
}
