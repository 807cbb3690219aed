//! OpenStack, by the plug-in `terraform-provider-openstack/openstack`.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect = Dialect {
    provider: "openstack",
    plugin: ("openstack", "terraform-provider-openstack/openstack"),
    version: "~> 3.0",
    write,
};

fn write(site: &Site<'_>, draft: &mut Draft) {
    draft.provider = Body::default().set("region", raw("var.region"));
    for action in &site.actions {
        one(site, draft, action);
    }
}

fn outside(draft: &mut Draft) -> super::hcl::Expr {
    draft.ask("external_network_id", "string", "The network that leads outside.", None)
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, .. } => {
            let network =
                Body::default().set("name", name).set("tags", raw("[for k, v in var.tags : \"${k}=${v}\"]"));
            draft.main.resource("openstack_networking_network_v2", &id, network);
            let router = Body::default().set("name", name).set("external_network_id", outside(draft));
            draft.main.resource("openstack_networking_router_v2", &id, router);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let subnet = Body::default()
                .set("name", name)
                .set("network_id", site.at("openstack_networking_network_v2", Kind::Network, network, "id"))
                .set("cidr", cidr)
                .set("ip_version", raw("4"));
            draft.main.resource("openstack_networking_subnet_v2", &id, subnet);
            let interface = Body::default()
                .set("router_id", site.at("openstack_networking_router_v2", Kind::Network, network, "id"))
                .set("subnet_id", raw(format!("openstack_networking_subnet_v2.{id}.id")));
            draft.main.resource("openstack_networking_router_interface_v2", &id, interface);
        }
        Action::SecurityGroup { name, rules, .. } => {
            let group = Body::default().set("name", name).set("description", "Managed by the plan");
            draft.main.resource("openstack_networking_secgroup_v2", &id, group);
            for (number, rule) in rules.iter().enumerate() {
                let mut body = Body::default()
                    .set("direction", "ingress")
                    .set("ethertype", if rule.source.contains(':') { "IPv6" } else { "IPv4" });
                if rule.protocol != "*" {
                    body = body.set("protocol", &rule.protocol);
                }
                if let (Some(from), "tcp" | "udp") = (rule.from_port, rule.protocol.as_str()) {
                    body =
                        body.set("port_range_min", from).set("port_range_max", rule.to_port.unwrap_or(from));
                }
                let body = body
                    .set("remote_ip_prefix", &rule.source)
                    .set("security_group_id", raw(format!("openstack_networking_secgroup_v2.{id}.id")));
                draft.main.resource(
                    "openstack_networking_secgroup_rule_v2",
                    &format!("{id}_{}", number + 1),
                    body,
                );
            }
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            draft.main.resource(
                "openstack_compute_keypair_v2",
                &id,
                Body::default().set("name", name).set("public_key", key),
            );
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
                .map(|group| site.at("openstack_networking_secgroup_v2", Kind::SecurityGroup, group, "id"));
            let network = site.network_of(subnet).unwrap_or_default();
            let fixed = Body::default()
                .set("subnet_id", site.at("openstack_networking_subnet_v2", Kind::Subnet, subnet, "id"));
            let port = Body::default()
                .set("name", name)
                .set("network_id", site.at("openstack_networking_network_v2", Kind::Network, network, "id"))
                .set("security_group_ids", list(groups))
                .with("fixed_ip", fixed);
            draft.main.resource("openstack_networking_port_v2", &id, port);
            let image = draft.image(image);
            let mut machine = Body::default()
                .set("name", name)
                .set("flavor_name", instance_type)
                .set("key_pair", site.at("openstack_compute_keypair_v2", Kind::KeyPair, key_pair, "name"))
                .set("metadata", raw("var.tags"));
            match root_disk_gib {
                Some(size) => {
                    let root = Body::default()
                        .set("uuid", image)
                        .set("source_type", "image")
                        .set("destination_type", "volume")
                        .set("boot_index", raw("0"))
                        .set("volume_size", size.0)
                        .may("volume_type", root_disk_class.as_ref())
                        .set("delete_on_termination", true);
                    machine = machine.with("block_device", root);
                }
                None => machine = machine.set("image_id", image),
            }
            let network = Body::default().set("port", raw(format!("openstack_networking_port_v2.{id}.id")));
            draft.main.resource("openstack_compute_instance_v2", &id, machine.with("network", network));
            let address = raw(format!("openstack_compute_instance_v2.{id}.access_ip_v4"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let disk = Body::default()
                .set("name", name)
                .set("size", size_gib.0)
                .may("volume_type", class.as_ref())
                .set("metadata", raw("var.tags"));
            draft.main.resource("openstack_blockstorage_volume_v3", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("instance_id", site.at("openstack_compute_instance_v2", Kind::Machine, machine, "id"))
                .set("volume_id", site.at("openstack_blockstorage_volume_v3", Kind::Disk, disk, "id"));
            draft.main.resource("openstack_compute_volume_attach_v2", &id, attachment);
        }
        Action::PublicAddress { machine, .. } => {
            let pool = draft.ask(
                "external_network_name",
                "string",
                "The name of the network that leads outside.",
                None,
            );
            draft.main.resource("openstack_networking_floatingip_v2", &id, Body::default().set("pool", pool));
            let address = raw(format!("openstack_networking_floatingip_v2.{id}.address"));
            let association = Body::default()
                .set("floating_ip", address.clone())
                .set("port_id", site.at("openstack_networking_port_v2", Kind::Machine, machine, "id"));
            draft.main.resource("openstack_networking_floatingip_associate_v2", &id, association);
            draft.tell(
                &format!("{id}_public_address"),
                &format!("The public address of {machine}."),
                address,
            );
        }
        Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } => {
            let subnet_id = || site.at("openstack_networking_subnet_v2", Kind::Subnet, subnet, "id");
            let protocol = protocol.to_uppercase();
            let balancer = Body::default().set("name", name).set("vip_subnet_id", subnet_id());
            draft.main.resource("openstack_lb_loadbalancer_v2", &id, balancer);
            let listener = Body::default()
                .set("name", name)
                .set("loadbalancer_id", raw(format!("openstack_lb_loadbalancer_v2.{id}.id")))
                .set("protocol", &protocol)
                .set("protocol_port", *port);
            draft.main.resource("openstack_lb_listener_v2", &id, listener);
            let pool = Body::default()
                .set("name", name)
                .set("listener_id", raw(format!("openstack_lb_listener_v2.{id}.id")))
                .set("protocol", &protocol)
                .set("lb_method", "ROUND_ROBIN");
            draft.main.resource("openstack_lb_pool_v2", &id, pool);
            let pool_id = || raw(format!("openstack_lb_pool_v2.{id}.id"));
            for member in members {
                let body = Body::default()
                    .set("pool_id", pool_id())
                    .set(
                        "address",
                        site.at("openstack_compute_instance_v2", Kind::Machine, member, "access_ip_v4"),
                    )
                    .set("protocol_port", *member_port)
                    .set("subnet_id", subnet_id());
                let name = format!("{id}_{}", site.id(Kind::Machine, member));
                draft.main.resource("openstack_lb_member_v2", &name, body);
            }
            let check = health_check.as_ref();
            let monitor = Body::default()
                .set("pool_id", pool_id())
                .set("type", &check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()))
                .set("delay", check.and_then(|check| check.interval_seconds).unwrap_or(10))
                .set("timeout", check.and_then(|check| check.timeout_seconds).unwrap_or(5))
                .set("max_retries", check.and_then(|check| check.threshold).unwrap_or(3));
            draft.main.resource("openstack_lb_monitor_v2", &id, monitor);
            if *public {
                let pool = draft.ask(
                    "external_network_name",
                    "string",
                    "The name of the network that leads outside.",
                    None,
                );
                let address = Body::default()
                    .set("pool", pool)
                    .set("port_id", raw(format!("openstack_lb_loadbalancer_v2.{id}.vip_port_id")));
                draft.main.resource("openstack_networking_floatingip_v2", &format!("{id}_lb"), address);
                let value = raw(format!("openstack_networking_floatingip_v2.{id}_lb.address"));
                draft.tell(&format!("{id}_public_address"), &format!("The public address of {name}."), value);
            }
        }
        Action::KubernetesCluster { name, key_pair, instance_type, nodes, .. } => {
            let template =
                draft.ask("cluster_template_id", "string", "The template of Kubernetes clusters.", None);
            let cluster = Body::default()
                .set("name", name)
                .set("cluster_template_id", template)
                .set("keypair", site.at("openstack_compute_keypair_v2", Kind::KeyPair, key_pair, "name"))
                .set("flavor", instance_type)
                .set("node_count", *nodes);
            draft.main.resource("openstack_containerinfra_cluster_v1", &id, cluster);
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}
