//! Alibaba Cloud, by the plug-in `aliyun/alicloud`.

use carafe_model::steps::{Action, AllowRule};

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect = Dialect {
    provider: "alibaba",
    plugin: ("alicloud", "aliyun/alicloud"),
    // Since 1.262 every argument below has the name that is written here.
    version: "~> 1.262",
    write,
};

fn write(site: &Site<'_>, draft: &mut Draft) {
    draft.provider = Body::default().set("region", raw("var.region"));
    for action in &site.actions {
        one(site, draft, action);
    }
}

fn tagged() -> Expr {
    raw("var.tags")
}

/// The zone of a subnet, which Alibaba Cloud does not choose itself.
fn zone(site: &Site<'_>, draft: &mut Draft, subnet: &str) -> Expr {
    match site.zone_of(subnet) {
        Some(zone) => zone.into(),
        None => draft.ask(
            "zone",
            "string",
            "Where subnets are made for which the plan names no zone, for example \"ap-northeast-2a\".",
            None,
        ),
    }
}

fn rule(rule: &AllowRule, group: Expr) -> Body {
    let protocol = if rule.protocol == "*" { "all" } else { rule.protocol.as_str() };
    let ports = match (rule.from_port, protocol) {
        (Some(from), "tcp" | "udp") => format!("{from}/{}", rule.to_port.unwrap_or(from)),
        (None, "tcp" | "udp") => "1/65535".to_owned(),
        _ => "-1/-1".to_owned(),
    };
    let source = if rule.source.contains(':') { "ipv6_cidr_ip" } else { "cidr_ip" };
    Body::default()
        .set("security_group_id", group)
        .set("type", "ingress")
        .set("ip_protocol", protocol)
        .set("port_range", &ports)
        .set("nic_type", "intranet")
        .set(source, &rule.source)
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            let network = Body::default().set("vpc_name", name).set("cidr_block", cidr).set("tags", tagged());
            draft.main.resource("alicloud_vpc", &id, network);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let zone = zone(site, draft, name);
            let subnet = Body::default()
                .set("vswitch_name", name)
                .set("vpc_id", site.at("alicloud_vpc", Kind::Network, network, "id"))
                .set("cidr_block", cidr)
                .set("zone_id", zone)
                .set("tags", tagged());
            draft.main.resource("alicloud_vswitch", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            let group = Body::default()
                .set("security_group_name", name)
                .set("vpc_id", site.at("alicloud_vpc", Kind::Network, network, "id"))
                .set("tags", tagged());
            draft.main.resource("alicloud_security_group", &id, group);
            for (number, allowed) in rules.iter().enumerate() {
                let group = raw(format!("alicloud_security_group.{id}.id"));
                let name = format!("{id}_{}", number + 1);
                draft.main.resource("alicloud_security_group_rule", &name, rule(allowed, group));
            }
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let pair =
                Body::default().set("key_pair_name", name).set("public_key", key).set("tags", tagged());
            draft.main.resource("alicloud_ecs_key_pair", &id, pair);
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
                .map(|group| site.at("alicloud_security_group", Kind::SecurityGroup, group, "id"));
            let image = draft.image(image);
            let machine = Body::default()
                .set("instance_name", name)
                .set("instance_type", instance_type)
                .set("image_id", image)
                .set("vswitch_id", site.at("alicloud_vswitch", Kind::Subnet, subnet, "id"))
                .set("security_groups", list(groups))
                .set("key_name", site.at("alicloud_ecs_key_pair", Kind::KeyPair, key_pair, "key_pair_name"))
                .may("system_disk_category", root_disk_class.as_ref())
                .may("system_disk_size", root_disk_gib.map(|size| size.0))
                .set("tags", tagged());
            draft.main.resource("alicloud_instance", &id, machine);
            let address = raw(format!("alicloud_instance.{id}.primary_ip_address"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let place = site.machine_of(name).and_then(|(machine, _)| site.subnet_of(machine));
            let zone = zone(site, draft, place.unwrap_or_default());
            let disk = Body::default()
                .set("disk_name", name)
                .set("zone_id", zone)
                .may("category", class.as_ref())
                .set("size", size_gib.0)
                .set("tags", tagged());
            draft.main.resource("alicloud_ecs_disk", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("disk_id", site.at("alicloud_ecs_disk", Kind::Disk, disk, "id"))
                .set("instance_id", site.at("alicloud_instance", Kind::Machine, machine, "id"));
            draft.main.resource("alicloud_ecs_disk_attachment", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let address = Body::default()
                .set("address_name", name)
                .set("internet_charge_type", "PayByTraffic")
                .set("tags", tagged());
            draft.main.resource("alicloud_eip_address", &id, address);
            let association = Body::default()
                .set("allocation_id", raw(format!("alicloud_eip_address.{id}.id")))
                .set("instance_id", site.at("alicloud_instance", Kind::Machine, machine, "id"));
            draft.main.resource("alicloud_eip_association", &id, association);
            let value = raw(format!("alicloud_eip_address.{id}.ip_address"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { .. } => balancer(site, draft, &id, action),
        Action::KubernetesCluster {
            name,
            version,
            subnets,
            security_groups,
            key_pair,
            instance_type,
            nodes,
        } => {
            let pods = draft.ask("pod_cidr", "string", "Addresses of pods, outside the network.", None);
            let services =
                draft.ask("service_cidr", "string", "Addresses of services, outside the network.", None);
            let switches =
                || list(subnets.iter().map(|name| site.at("alicloud_vswitch", Kind::Subnet, name, "id")));
            let cluster = Body::default()
                .set("name", name)
                .set("cluster_spec", "ack.pro.small")
                .may("version", version.as_ref())
                .set("vswitch_ids", switches())
                .set("pod_cidr", pods)
                .set("service_cidr", services)
                .set("new_nat_gateway", false)
                .set("tags", tagged())
                .with("addons", Body::default().set("name", "flannel"));
            draft.main.resource("alicloud_cs_managed_kubernetes", &id, cluster);
            let groups = security_groups
                .iter()
                .map(|group| site.at("alicloud_security_group", Kind::SecurityGroup, group, "id"));
            let pool = Body::default()
                .set("node_pool_name", name)
                .set("cluster_id", raw(format!("alicloud_cs_managed_kubernetes.{id}.id")))
                .set("vswitch_ids", switches())
                .set("security_group_ids", list(groups))
                .set("instance_types", list([instance_type.into()]))
                .set("key_name", site.at("alicloud_ecs_key_pair", Kind::KeyPair, key_pair, "key_pair_name"))
                .set("desired_size", &nodes.to_string())
                .set("tags", tagged());
            draft.main.resource("alicloud_cs_kubernetes_node_pool", &id, pool);
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

/// A Network Load Balancer, which stands in at least two zones.
fn balancer(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } =
        action
    else {
        return;
    };
    let network = site.network_of(subnet).unwrap_or_default();
    let vpc = || site.at("alicloud_vpc", Kind::Network, network, "id");
    let first = Body::default()
        .set("vswitch_id", site.at("alicloud_vswitch", Kind::Subnet, subnet, "id"))
        .set("zone_id", zone(site, draft, subnet));
    let second = Body::default()
        .set(
            "vswitch_id",
            draft.ask(
                "second_vswitch_id",
                "string",
                "A subnet of the same network in another zone: load balancers stand in two at least.",
                None,
            ),
        )
        .set("zone_id", draft.ask("second_zone", "string", "The zone of that subnet.", None));
    let balancer = Body::default()
        .set("load_balancer_name", name)
        .set("address_type", if *public { "Internet" } else { "Intranet" })
        .set("vpc_id", vpc())
        .set("tags", tagged())
        .with("zone_mappings", first)
        .with("zone_mappings", second);
    draft.main.resource("alicloud_nlb_load_balancer", id, balancer);
    let check = health_check.as_ref();
    let kind = if check.is_some_and(|check| check.protocol.starts_with("http")) { "HTTP" } else { "TCP" };
    let health = Body::default()
        .set("health_check_enabled", true)
        .set("health_check_type", kind)
        .set("health_check_connect_port", check.and_then(|check| check.port).unwrap_or(*member_port))
        .may("health_check_interval", check.and_then(|check| check.interval_seconds))
        .may("health_check_connect_timeout", check.and_then(|check| check.timeout_seconds))
        .may("healthy_threshold", check.and_then(|check| check.threshold))
        .may("unhealthy_threshold", check.and_then(|check| check.threshold));
    let protocol = protocol.to_uppercase();
    let group = Body::default()
        .set("server_group_name", name)
        .set("server_group_type", "Instance")
        .set("vpc_id", vpc())
        .set("protocol", &protocol)
        .set("tags", tagged())
        .with("health_check", health);
    draft.main.resource("alicloud_nlb_server_group", id, group);
    let group = || raw(format!("alicloud_nlb_server_group.{id}.id"));
    for member in members {
        let server = Body::default()
            .set("server_group_id", group())
            .set("server_type", "Ecs")
            .set("server_id", site.at("alicloud_instance", Kind::Machine, member, "id"))
            .set("port", *member_port);
        let label = format!("{id}_{}", site.id(Kind::Machine, member));
        draft.main.resource("alicloud_nlb_server_group_server_attachment", &label, server);
    }
    let listener = Body::default()
        .set("load_balancer_id", raw(format!("alicloud_nlb_load_balancer.{id}.id")))
        .set("listener_protocol", &protocol)
        .set("listener_port", *port)
        .set("server_group_id", group());
    draft.main.resource("alicloud_nlb_listener", id, listener);
    let value = raw(format!("alicloud_nlb_load_balancer.{id}.dns_name"));
    draft.tell(&format!("{id}_name"), &format!("The DNS name of {name}."), value);
}
