//! Tencent Cloud, by the plug-in `tencentcloudstack/tencentcloud`.

use carafe_model::steps::{Action, AllowRule};

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect = Dialect {
    provider: "tencent",
    plugin: ("tencentcloud", "tencentcloudstack/tencentcloud"),
    version: "~> 1.83",
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

/// The zone of a subnet, which Tencent Cloud does not choose itself.
fn zone(site: &Site<'_>, draft: &mut Draft, subnet: &str) -> Expr {
    match site.zone_of(subnet) {
        Some(zone) => zone.into(),
        None => draft.ask(
            "zone",
            "string",
            "Where subnets are made for which the plan names no zone, for example \"ap-seoul-1\".",
            None,
        ),
    }
}

/// The longest name of a key pair.
const LONGEST_KEY: usize = 25;

/// The name of a key pair as Tencent Cloud takes it.
fn key_name(name: &str) -> String {
    let taken = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(taken).take(LONGEST_KEY).collect()
}

fn network(site: &Site<'_>, subnet: &str) -> Expr {
    site.at("tencentcloud_vpc", Kind::Network, site.network_of(subnet).unwrap_or_default(), "id")
}

fn rule(rule: &AllowRule) -> Body {
    let protocol = if rule.protocol == "*" { "ALL".to_owned() } else { rule.protocol.to_uppercase() };
    let ports = match (rule.from_port, rule.to_port, protocol.as_str()) {
        (Some(from), Some(to), "TCP" | "UDP") if from != to => format!("{from}-{to}"),
        (Some(from), _, "TCP" | "UDP") => from.to_string(),
        _ => "ALL".to_owned(),
    };
    let source = if rule.source.contains(':') { "ipv6_cidr_block" } else { "cidr_block" };
    Body::default()
        .set("action", "ACCEPT")
        .set(source, &rule.source)
        .set("protocol", &protocol)
        .set("port", &ports)
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            let network = Body::default().set("name", name).set("cidr_block", cidr).set("tags", tagged());
            draft.main.resource("tencentcloud_vpc", &id, network);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let zone = zone(site, draft, name);
            let subnet = Body::default()
                .set("name", name)
                .set("vpc_id", site.at("tencentcloud_vpc", Kind::Network, network, "id"))
                .set("cidr_block", cidr)
                .set("availability_zone", zone)
                .set("tags", tagged());
            draft.main.resource("tencentcloud_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, rules, .. } => {
            let group = Body::default().set("name", name).set("tags", tagged());
            draft.main.resource("tencentcloud_security_group", &id, group);
            let mut all =
                Body::default().set("security_group_id", raw(format!("tencentcloud_security_group.{id}.id")));
            for allowed in rules {
                all = all.with("ingress", rule(allowed));
            }
            // Without a rule for what goes out, nothing does.
            let out = Body::default()
                .set("action", "ACCEPT")
                .set("cidr_block", "0.0.0.0/0")
                .set("protocol", "ALL")
                .set("port", "ALL");
            draft.main.resource("tencentcloud_security_group_rule_set", &id, all.with("egress", out));
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let taken = key_name(name);
            if taken != *name {
                draft.untold.push(format!(
                    "key pair \"{name}\" is called \"{taken}\", as Tencent Cloud takes letters, digits and underscores, \
                     at most {LONGEST_KEY}"
                ));
            }
            let pair = Body::default().set("key_name", &taken).set("public_key", key).set("tags", tagged());
            draft.main.resource("tencentcloud_key_pair", &id, pair);
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
                .map(|group| site.at("tencentcloud_security_group", Kind::SecurityGroup, group, "id"));
            let key = site.at("tencentcloud_key_pair", Kind::KeyPair, key_pair, "id");
            let image = draft.image(image);
            let machine = Body::default()
                .set("instance_name", name)
                .set("availability_zone", zone(site, draft, subnet))
                .set("instance_type", instance_type)
                .set("image_id", image)
                .set("vpc_id", network(site, subnet))
                .set("subnet_id", site.at("tencentcloud_subnet", Kind::Subnet, subnet, "id"))
                .set("orderly_security_groups", list(groups))
                .set("key_ids", list([key]))
                .may("system_disk_type", root_disk_class.as_ref())
                .may("system_disk_size", root_disk_gib.map(|size| size.0))
                .set("tags", tagged());
            draft.main.resource("tencentcloud_instance", &id, machine);
            let address = raw(format!("tencentcloud_instance.{id}.private_ip"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let place = site.machine_of(name).and_then(|(machine, _)| site.subnet_of(machine));
            let zone = zone(site, draft, place.unwrap_or_default());
            let disk = Body::default()
                .set("storage_name", name)
                .set("availability_zone", zone)
                .set("storage_type", class.as_deref().unwrap_or("CLOUD_PREMIUM"))
                .set("storage_size", size_gib.0)
                .set("tags", tagged());
            draft.main.resource("tencentcloud_cbs_storage", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("storage_id", site.at("tencentcloud_cbs_storage", Kind::Disk, disk, "id"))
                .set("instance_id", site.at("tencentcloud_instance", Kind::Machine, machine, "id"));
            draft.main.resource("tencentcloud_cbs_storage_attachment", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let address = Body::default()
                .set("name", name)
                .set("internet_charge_type", "TRAFFIC_POSTPAID_BY_HOUR")
                .set(
                    "internet_max_bandwidth_out",
                    draft.ask(
                        "bandwidth_mbps",
                        "number",
                        "How much a public address lets out, in Mbit/s.",
                        Some(raw("100")),
                    ),
                )
                .set("tags", tagged());
            draft.main.resource("tencentcloud_eip", &id, address);
            let association = Body::default()
                .set("eip_id", raw(format!("tencentcloud_eip.{id}.id")))
                .set("instance_id", site.at("tencentcloud_instance", Kind::Machine, machine, "id"));
            draft.main.resource("tencentcloud_eip_association", &id, association);
            let value = raw(format!("tencentcloud_eip.{id}.public_ip"));
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
            let pods = draft.ask("cluster_cidr", "string", "Addresses of pods, outside the network.", None);
            let vpc = || network(site, subnets.first().map_or("", String::as_str));
            let cluster = Body::default()
                .set("cluster_name", name)
                .set("vpc_id", vpc())
                .set("cluster_cidr", pods)
                .may("cluster_version", version.as_ref())
                .set("cluster_deploy_type", "MANAGED_CLUSTER")
                .set("tags", tagged());
            draft.main.resource("tencentcloud_kubernetes_cluster", &id, cluster);
            let groups = security_groups
                .iter()
                .map(|group| site.at("tencentcloud_security_group", Kind::SecurityGroup, group, "id"));
            let key = site.at("tencentcloud_key_pair", Kind::KeyPair, key_pair, "id");
            let config = Body::default()
                .set("instance_type", instance_type)
                .set("orderly_security_group_ids", list(groups))
                .set("key_ids", list([key]));
            let places = subnets.iter().map(|name| site.at("tencentcloud_subnet", Kind::Subnet, name, "id"));
            let pool = Body::default()
                .set("name", name)
                .set("cluster_id", raw(format!("tencentcloud_kubernetes_cluster.{id}.id")))
                .set("vpc_id", vpc())
                .set("subnet_ids", list(places))
                .set("min_size", *nodes)
                .set("max_size", *nodes)
                .set("desired_capacity", *nodes)
                .with("auto_scaling_config", config);
            draft.main.resource("tencentcloud_kubernetes_node_pool", &id, pool);
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

fn balancer(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } =
        action
    else {
        return;
    };
    let mut balancer = Body::default()
        .set("clb_name", name)
        .set("network_type", if *public { "OPEN" } else { "INTERNAL" })
        .set("vpc_id", network(site, subnet));
    if !public {
        balancer = balancer.set("subnet_id", site.at("tencentcloud_subnet", Kind::Subnet, subnet, "id"));
    }
    draft.main.resource("tencentcloud_clb_instance", id, balancer.set("tags", tagged()));
    let clb = || raw(format!("tencentcloud_clb_instance.{id}.id"));
    let check = health_check.as_ref();
    let http = protocol == "tcp" && check.is_some_and(|check| check.protocol.starts_with("http"));
    let mut listener = Body::default()
        .set("clb_id", clb())
        .set("listener_name", name)
        .set("protocol", &protocol.to_uppercase())
        .set("port", *port)
        .set("health_check_switch", true)
        .may("health_check_interval_time", check.and_then(|check| check.interval_seconds))
        .may("health_check_time_out", check.and_then(|check| check.timeout_seconds))
        .may("health_check_health_num", check.and_then(|check| check.threshold))
        .may("health_check_unhealth_num", check.and_then(|check| check.threshold))
        .may("health_check_port", check.and_then(|check| check.port));
    if http {
        listener = listener
            .set("health_check_type", "HTTP")
            .set("health_check_http_version", "HTTP/1.1")
            .set("health_check_http_path", "/");
    }
    draft.main.resource("tencentcloud_clb_listener", id, listener);
    let mut attachment = Body::default()
        .set("clb_id", clb())
        .set("listener_id", raw(format!("tencentcloud_clb_listener.{id}.listener_id")));
    for member in members {
        let target = Body::default()
            .set("instance_id", site.at("tencentcloud_instance", Kind::Machine, member, "id"))
            .set("port", *member_port);
        attachment = attachment.with("targets", target);
    }
    draft.main.resource("tencentcloud_clb_attachment", id, attachment);
    let value = raw(format!("tencentcloud_clb_instance.{id}.clb_vips"));
    draft.tell(&format!("{id}_addresses"), &format!("The addresses of {name}."), value);
}
