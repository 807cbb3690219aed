//! Amazon Web Services, by the plug-in `hashicorp/aws`.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, quoted, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "aws", plugin: ("aws", "hashicorp/aws"), version: "~> 6.0", write };

/// The longest name of a load balancer and of its targets.
const LONGEST_BALANCER: usize = 32;

fn tags(name: &str) -> Expr {
    raw(format!("merge(var.tags, {{ Name = {} }})", quoted(name)))
}

fn write(site: &Site<'_>, draft: &mut Draft) {
    draft.provider = Body::default().set("region", raw("var.region"));
    for action in &site.actions {
        one(site, draft, action);
    }
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            let vpc = Body::default()
                .set("cidr_block", cidr)
                .set("enable_dns_hostnames", true)
                .set("tags", tags(name));
            draft.main.resource("aws_vpc", &id, vpc);
            let vpc_id = raw(format!("aws_vpc.{id}.id"));
            draft.main.resource(
                "aws_internet_gateway",
                &id,
                Body::default().set("vpc_id", vpc_id).set("tags", tags(name)),
            );
            let route = Body::default()
                .set("route_table_id", raw(format!("aws_vpc.{id}.main_route_table_id")))
                .set("destination_cidr_block", "0.0.0.0/0")
                .set("gateway_id", raw(format!("aws_internet_gateway.{id}.id")));
            draft.main.resource("aws_route", &id, route);
        }
        Action::Subnet { name, network, cidr, zone } => {
            let subnet = Body::default()
                .set("vpc_id", site.at("aws_vpc", Kind::Network, network, "id"))
                .set("cidr_block", cidr)
                .may("availability_zone", zone.as_ref())
                .set("tags", tags(name));
            draft.main.resource("aws_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            let mut group = Body::default()
                .set("name", name)
                .set("description", "Managed by the plan")
                .set("vpc_id", site.at("aws_vpc", Kind::Network, network, "id"))
                .set("tags", tags(name));
            for rule in rules {
                let all = rule.protocol == "*";
                let (from, to) = match rule.protocol.as_str() {
                    "*" => (raw("0"), raw("0")),
                    "icmp" => (raw("-1"), raw("-1")),
                    _ => (
                        rule.from_port.unwrap_or(0).into(),
                        rule.to_port.or(rule.from_port).unwrap_or(u16::MAX).into(),
                    ),
                };
                let ranges = if rule.source.contains(':') { "ipv6_cidr_blocks" } else { "cidr_blocks" };
                let ingress = Body::default()
                    .set("protocol", if all { "-1" } else { rule.protocol.as_str() })
                    .set("from_port", from)
                    .set("to_port", to)
                    .set(ranges, list([(&rule.source).into()]));
                group = group.with("ingress", ingress);
            }
            let egress = Body::default()
                .set("protocol", "-1")
                .set("from_port", raw("0"))
                .set("to_port", raw("0"))
                .set("cidr_blocks", list(["0.0.0.0/0".into()]));
            draft.main.resource("aws_security_group", &id, group.with("egress", egress));
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let pair = Body::default().set("key_name", name).set("public_key", key).set("tags", tags(name));
            draft.main.resource("aws_key_pair", &id, pair);
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
                .map(|group| site.at("aws_security_group", Kind::SecurityGroup, group, "id"));
            let root = Body::default()
                .may("volume_size", root_disk_gib.map(|size| size.0))
                .may("volume_type", root_disk_class.as_ref())
                .set("encrypted", true);
            let machine = Body::default()
                .set("ami", draft.image(image))
                .set("instance_type", instance_type)
                .set("subnet_id", site.at("aws_subnet", Kind::Subnet, subnet, "id"))
                .set("vpc_security_group_ids", list(groups))
                .set("key_name", site.at("aws_key_pair", Kind::KeyPair, key_pair, "key_name"))
                .set("tags", tags(name))
                .with("root_block_device", root)
                .with("metadata_options", Body::default().set("http_tokens", "required"));
            draft.main.resource("aws_instance", &id, machine);
            let address = raw(format!("aws_instance.{id}.private_ip"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let zone = match site.machine_of(name) {
                Some((machine, _)) => site.at("aws_instance", Kind::Machine, machine, "availability_zone"),
                None => draft.ask("zone", "string", "Where disks are made that no machine has.", None),
            };
            let disk = Body::default()
                .set("availability_zone", zone)
                .set("size", size_gib.0)
                .may("type", class.as_ref())
                .set("encrypted", true)
                .set("tags", tags(name));
            draft.main.resource("aws_ebs_volume", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let place = site.machine_of(disk).map_or(0, |(_, before)| before);
            // From f to p are the letters that AWS recommends for data disks.
            let letter = char::from(b'f' + u8::try_from(place.min(10)).expect("at most ten"));
            let attachment = Body::default()
                .set("device_name", &format!("/dev/sd{letter}"))
                .set("volume_id", site.at("aws_ebs_volume", Kind::Disk, disk, "id"))
                .set("instance_id", site.at("aws_instance", Kind::Machine, machine, "id"));
            draft.main.resource("aws_volume_attachment", &id, attachment);
            if place > 10 {
                draft.untold.push(format!("machine \"{machine}\" has more data disks than device names"));
            }
        }
        Action::PublicAddress { name, machine } => {
            let address = Body::default()
                .set("domain", "vpc")
                .set("instance", site.at("aws_instance", Kind::Machine, machine, "id"))
                .set("tags", tags(name));
            draft.main.resource("aws_eip", &id, address);
            let value = raw(format!("aws_eip.{id}.public_ip"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } => {
            let short: String = name.chars().take(LONGEST_BALANCER).collect();
            if short != *name {
                draft.untold.push(format!("load balancer \"{name}\" is called \"{short}\", as AWS takes {LONGEST_BALANCER} characters"));
            }
            let protocol = protocol.to_uppercase();
            let balancer = Body::default()
                .set("name", &short)
                .set("load_balancer_type", "network")
                .set("internal", !public)
                .set("subnets", list([site.at("aws_subnet", Kind::Subnet, subnet, "id")]))
                .set("tags", tags(name));
            draft.main.resource("aws_lb", &id, balancer);
            let check = health_check.as_ref();
            let health = Body::default()
                .set("protocol", &check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()))
                .set("port", &check.and_then(|check| check.port).unwrap_or(*member_port).to_string())
                .may("interval", check.and_then(|check| check.interval_seconds))
                .may("timeout", check.and_then(|check| check.timeout_seconds))
                .may("healthy_threshold", check.and_then(|check| check.threshold));
            let network = site.network_of(subnet).unwrap_or_default();
            let group = Body::default()
                .set("name", &short)
                .set("port", *member_port)
                .set("protocol", &protocol)
                .set("vpc_id", site.at("aws_vpc", Kind::Network, network, "id"))
                .set("tags", tags(name))
                .with("health_check", health);
            draft.main.resource("aws_lb_target_group", &id, group);
            let target_group = || raw(format!("aws_lb_target_group.{id}.arn"));
            let forward = Body::default().set("type", "forward").set("target_group_arn", target_group());
            let listener = Body::default()
                .set("load_balancer_arn", raw(format!("aws_lb.{id}.arn")))
                .set("port", *port)
                .set("protocol", &protocol)
                .with("default_action", forward);
            draft.main.resource("aws_lb_listener", &id, listener);
            for member in members {
                let attachment = Body::default()
                    .set("target_group_arn", target_group())
                    .set("target_id", site.at("aws_instance", Kind::Machine, member, "id"));
                let name = format!("{id}_{}", site.id(Kind::Machine, member));
                draft.main.resource("aws_lb_target_group_attachment", &name, attachment);
            }
            draft.tell(
                &format!("{id}_name"),
                &format!("The DNS name of {name}."),
                raw(format!("aws_lb.{id}.dns_name")),
            );
        }
        Action::KubernetesCluster {
            name, version, subnets, security_groups, instance_type, nodes, ..
        } => {
            let subnets =
                || list(subnets.iter().map(|subnet| site.at("aws_subnet", Kind::Subnet, subnet, "id")));
            let groups = security_groups
                .iter()
                .map(|group| site.at("aws_security_group", Kind::SecurityGroup, group, "id"));
            let role = draft.ask("eks_cluster_role_arn", "string", "The role that EKS works as.", None);
            let node_role = draft.ask("eks_node_role_arn", "string", "The role of the nodes of EKS.", None);
            let config = Body::default().set("subnet_ids", subnets()).set("security_group_ids", list(groups));
            let cluster = Body::default()
                .set("name", name)
                .may("version", version.as_ref())
                .set("role_arn", role)
                .set("tags", tags(name))
                .with("vpc_config", config);
            draft.main.resource("aws_eks_cluster", &id, cluster);
            let scaling =
                Body::default().set("desired_size", *nodes).set("min_size", *nodes).set("max_size", *nodes);
            let group = Body::default()
                .set("cluster_name", raw(format!("aws_eks_cluster.{id}.name")))
                .set("node_group_name", "nodes")
                .set("node_role_arn", node_role)
                .set("subnet_ids", subnets())
                .set("instance_types", list([instance_type.into()]))
                .set("tags", tags(name))
                .with("scaling_config", scaling);
            draft.main.resource("aws_eks_node_group", &id, group);
            draft.tell(
                &format!("{id}_endpoint"),
                &format!("The endpoint of {name}."),
                raw(format!("aws_eks_cluster.{id}.endpoint")),
            );
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}
