//! Naver Cloud Platform (VPC), by the plug-in `NaverCloudPlatform/ncloud`.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "ncp", plugin: ("ncloud", "NaverCloudPlatform/ncloud"), version: "~> 4.0", write };

/// The longest name that NCP takes.
const LONGEST_NAME: usize = 30;

fn write(site: &Site<'_>, draft: &mut Draft) {
    draft.provider = Body::default().set("region", raw("var.region")).set("support_vpc", true);
    for action in &site.actions {
        if action.name().len() > LONGEST_NAME {
            draft.untold.push(format!(
                "the name \"{}\" is longer than the {LONGEST_NAME} characters that NCP takes",
                action.name()
            ));
        }
        one(site, draft, action);
    }
}

fn zone(draft: &mut Draft) -> Expr {
    draft.ask(
        "zone",
        "string",
        "Where subnets are made for which the plan names no zone, for example \"KR-1\".",
        None,
    )
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            draft.main.resource(
                "ncloud_vpc",
                &id,
                Body::default().set("name", name).set("ipv4_cidr_block", cidr),
            );
        }
        Action::Subnet { name, network, cidr, zone: planned, .. } => {
            let zone = planned.as_ref().map_or_else(|| zone(draft), Expr::from);
            let subnet = Body::default()
                .set("name", name)
                .set("vpc_no", site.at("ncloud_vpc", Kind::Network, network, "id"))
                .set("subnet", cidr)
                .set("zone", zone)
                .set(
                    "network_acl_no",
                    site.at("ncloud_vpc", Kind::Network, network, "default_network_acl_no"),
                )
                .set("subnet_type", "PUBLIC")
                .set("usage_type", "GEN");
            draft.main.resource("ncloud_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            let vpc = site.at("ncloud_vpc", Kind::Network, network, "id");
            draft.main.resource(
                "ncloud_access_control_group",
                &id,
                Body::default().set("name", name).set("vpc_no", vpc),
            );
            let mut all = Body::default()
                .set("access_control_group_no", raw(format!("ncloud_access_control_group.{id}.id")));
            for rule in rules {
                let protocols = match rule.protocol.as_str() {
                    "tcp" => &["TCP"][..],
                    "udp" => &["UDP"],
                    "icmp" => &["ICMP"],
                    _ => &["TCP", "UDP", "ICMP"],
                };
                let ports = match (rule.from_port, rule.to_port) {
                    (Some(from), Some(to)) if from != to => format!("{from}-{to}"),
                    (Some(from), _) => from.to_string(),
                    (None, _) => "1-65535".to_owned(),
                };
                for protocol in protocols {
                    let body = Body::default().set("protocol", *protocol).set("ip_block", &rule.source);
                    all = all.with(
                        "inbound",
                        if *protocol == "ICMP" { body } else { body.set("port_range", &ports) },
                    );
                }
            }
            for protocol in ["TCP", "UDP"] {
                let out = Body::default()
                    .set("protocol", protocol)
                    .set("ip_block", "0.0.0.0/0")
                    .set("port_range", "1-65535");
                all = all.with("outbound", out);
            }
            draft.main.resource("ncloud_access_control_group_rule", &id, all);
        }
        Action::KeyPair { name } => {
            draft.main.resource("ncloud_login_key", &id, Body::default().set("key_name", name));
            draft.untold.push(format!(
                "NCP makes key pair \"{name}\" itself, so its private key is in the state of the module"
            ));
        }
        Action::Machine { name, instance_type, image, subnet, security_groups, key_pair, .. } => {
            let groups = security_groups
                .iter()
                .map(|group| site.at("ncloud_access_control_group", Kind::SecurityGroup, group, "id"));
            let interface = Body::default()
                .set("name", name)
                .set("subnet_no", site.at("ncloud_subnet", Kind::Subnet, subnet, "id"))
                .set("access_control_groups", list(groups));
            draft.main.resource("ncloud_network_interface", &id, interface);
            let first = Body::default()
                .set("network_interface_no", raw(format!("ncloud_network_interface.{id}.id")))
                .set("order", raw("0"));
            let machine = Body::default()
                .set("name", name)
                .set("subnet_no", site.at("ncloud_subnet", Kind::Subnet, subnet, "id"))
                .set("server_image_number", draft.image(image))
                .set("server_spec_code", instance_type)
                .set("login_key_name", site.at("ncloud_login_key", Kind::KeyPair, key_pair, "key_name"))
                .with("network_interface", first);
            draft.main.resource("ncloud_server", &id, machine);
            let address = raw(format!("ncloud_network_interface.{id}.private_ip"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => match site.machine_of(name) {
            Some((machine, _)) => {
                let disk = Body::default()
                    .set("name", name)
                    .set("size", size_gib.0)
                    .may("volume_type", class.as_ref())
                    .set("server_instance_no", site.at("ncloud_server", Kind::Machine, machine, "id"));
                draft.main.resource("ncloud_block_storage", &id, disk);
            }
            None => draft
                .untold
                .push(format!("disk \"{name}\" is left out: NCP makes a disk with its machine only")),
        },
        // NCP plugs a disk in when it makes it.
        Action::Attachment { .. } => {}
        Action::PublicAddress { machine, .. } => {
            let server = site.at("ncloud_server", Kind::Machine, machine, "id");
            draft.main.resource("ncloud_public_ip", &id, Body::default().set("server_instance_no", server));
            let value = raw(format!("ncloud_public_ip.{id}.public_ip"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } => {
            let network = site.network_of(subnet).unwrap_or_default();
            let lb_subnet =
                draft.ask("load_balancer_subnet_no", "string", "A subnet whose usage type is LOADB.", None);
            let balancer = Body::default()
                .set("name", name)
                .set("type", "NETWORK")
                .set("network_type", if *public { "PUBLIC" } else { "PRIVATE" })
                .set("subnet_no_list", list([lb_subnet]));
            draft.main.resource("ncloud_lb", &id, balancer);
            let check = health_check.as_ref();
            let health = Body::default()
                .set("protocol", &check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()))
                .set("port", check.and_then(|check| check.port).unwrap_or(*member_port))
                .may("cycle", check.and_then(|check| check.interval_seconds))
                .may("up_threshold", check.and_then(|check| check.threshold));
            let protocol = protocol.to_uppercase();
            let group = Body::default()
                .set("name", name)
                .set("vpc_no", site.at("ncloud_vpc", Kind::Network, network, "id"))
                .set("protocol", &protocol)
                .set("port", *member_port)
                .set("target_type", "VSVR")
                .with("health_check", health);
            draft.main.resource("ncloud_lb_target_group", &id, group);
            let group = || raw(format!("ncloud_lb_target_group.{id}.id"));
            let servers = members.iter().map(|member| site.at("ncloud_server", Kind::Machine, member, "id"));
            let targets =
                Body::default().set("target_group_no", group()).set("target_no_list", list(servers));
            draft.main.resource("ncloud_lb_target_group_attachment", &id, targets);
            let listener = Body::default()
                .set("load_balancer_no", raw(format!("ncloud_lb.{id}.id")))
                .set("protocol", &protocol)
                .set("port", *port)
                .set("target_group_no", group());
            draft.main.resource("ncloud_lb_listener", &id, listener);
            draft.tell(
                &format!("{id}_name"),
                &format!("The DNS name of {name}."),
                raw(format!("ncloud_lb.{id}.domain")),
            );
        }
        Action::KubernetesCluster { name, .. } => {
            draft.untold.push(format!("Kubernetes cluster \"{name}\" is left out: NCP wants subnets for it that the plan does not have"));
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}
