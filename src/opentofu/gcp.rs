//! Google Cloud, by the plug-in `hashicorp/google`.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "gcp", plugin: ("google", "hashicorp/google"), version: "~> 7.0", write };

fn write(site: &Site<'_>, draft: &mut Draft) {
    let project = draft.ask("project", "string", "The project that pays.", None);
    draft.provider = Body::default().set("project", project).set("region", raw("var.region"));
    for action in &site.actions {
        one(site, draft, action);
    }
}

/// The zone of a subnet's machines: Google's subnets reach all zones of a region, so the plan's choice is on the subnet.
fn zone(site: &Site<'_>, draft: &mut Draft, subnet: Option<&str>) -> Expr {
    let planned = site.actions.iter().find_map(|action| match action {
        Action::Subnet { name, zone, .. } if Some(name.as_str()) == subnet => zone.as_ref(),
        _ => None,
    });
    match planned {
        Some(zone) => zone.into(),
        None => draft.ask(
            "zone",
            "string",
            "Where machines and disks are made for which the plan names no zone.",
            None,
        ),
    }
}

fn subnet_of<'p>(site: &Site<'p>, machine: &str) -> Option<&'p str> {
    site.actions.iter().find_map(|action| match action {
        Action::Machine { name, subnet, .. } if name == machine => Some(subnet.as_str()),
        _ => None,
    })
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, .. } => {
            let network = Body::default().set("name", name).set("auto_create_subnetworks", false);
            draft.main.resource("google_compute_network", &id, network);
        }
        Action::Subnet { name, network, cidr, .. } => {
            let subnet = Body::default()
                .set("name", name)
                .set("network", site.at("google_compute_network", Kind::Network, network, "id"))
                .set("ip_cidr_range", cidr)
                .set("region", raw("var.region"));
            draft.main.resource("google_compute_subnetwork", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            for (number, rule) in rules.iter().enumerate() {
                let mut allow = Body::default()
                    .set("protocol", if rule.protocol == "*" { "all" } else { rule.protocol.as_str() });
                if let Some(from) = rule.from_port {
                    let ports = match rule.to_port {
                        Some(to) if to != from => format!("{from}-{to}"),
                        _ => from.to_string(),
                    };
                    allow = allow.set("ports", list([(&ports).into()]));
                }
                let body = Body::default()
                    .set("name", &format!("{name}-{}", number + 1))
                    .set("network", site.at("google_compute_network", Kind::Network, network, "id"))
                    .set("direction", "INGRESS")
                    .set("source_ranges", list([(&rule.source).into()]))
                    .set("target_tags", list([name.into()]))
                    .with("allow", allow);
                draft.main.resource("google_compute_firewall", &format!("{id}_{}", number + 1), body);
            }
        }
        // A key is metadata of a machine.
        Action::KeyPair { .. } => drop(draft.public_key()),
        Action::Machine {
            name,
            instance_type,
            image,
            subnet,
            security_groups,
            root_disk_gib,
            root_disk_class,
            ..
        } => {
            let root = Body::default()
                .set("image", draft.image(image))
                .may("size", root_disk_gib.map(|size| size.0))
                .may("type", root_disk_class.as_ref());
            let mut interface = Body::default()
                .set("subnetwork", site.at("google_compute_subnetwork", Kind::Subnet, subnet, "id"));
            if let Some(address) = site.address_of(name) {
                let address = site.at("google_compute_address", Kind::PublicAddress, address, "address");
                interface = interface.with("access_config", Body::default().set("nat_ip", address));
            }
            let key = vec![("ssh-keys".to_owned(), raw("\"carafe:${var.public_key}\""))];
            draft.public_key();
            let machine = Body::default()
                .set("name", name)
                .set("machine_type", instance_type)
                .set("zone", zone(site, draft, Some(subnet)))
                .set("tags", list(security_groups.iter().map(Expr::from)))
                .set("labels", raw("var.tags"))
                .set("metadata", Expr::Map(key))
                .with("boot_disk", Body::default().with("initialize_params", root))
                .with("network_interface", interface)
                // Disks are plugged in by resources of their own.
                .with("lifecycle", Body::default().set("ignore_changes", list([raw("attached_disk")])));
            draft.main.resource("google_compute_instance", &id, machine);
            let address = raw(format!("google_compute_instance.{id}.network_interface[0].network_ip"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let subnet = site.machine_of(name).and_then(|(machine, _)| subnet_of(site, machine));
            let disk = Body::default()
                .set("name", name)
                .set("size", size_gib.0)
                .may("type", class.as_ref())
                .set("zone", zone(site, draft, subnet))
                .set("labels", raw("var.tags"));
            draft.main.resource("google_compute_disk", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("disk", site.at("google_compute_disk", Kind::Disk, disk, "id"))
                .set("instance", site.at("google_compute_instance", Kind::Machine, machine, "id"));
            draft.main.resource("google_compute_attached_disk", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let address = Body::default().set("name", name).set("region", raw("var.region"));
            draft.main.resource("google_compute_address", &id, address);
            let value = raw(format!("google_compute_address.{id}.address"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } => {
            balancer(
                site,
                draft,
                &id,
                (name, subnet, *public),
                (protocol, *port, *member_port),
                members,
                health_check.as_ref(),
            );
        }
        Action::KubernetesCluster { name, version, subnets, instance_type, nodes, .. } => {
            let mut cluster = Body::default()
                .set("name", name)
                .set("location", raw("var.region"))
                .set("remove_default_node_pool", true)
                .set("initial_node_count", raw("1"))
                .may("min_master_version", version.as_ref())
                .set("resource_labels", raw("var.tags"));
            if let Some(subnet) = subnets.first() {
                cluster = cluster
                    .set("subnetwork", site.at("google_compute_subnetwork", Kind::Subnet, subnet, "id"));
                if let Some(network) = site.network_of(subnet) {
                    cluster = cluster
                        .set("network", site.at("google_compute_network", Kind::Network, network, "id"));
                }
            }
            draft.main.resource("google_container_cluster", &id, cluster);
            let zone = zone(site, draft, subnets.first().map(String::as_str));
            let pool = Body::default()
                .set("name", "nodes")
                .set("cluster", raw(format!("google_container_cluster.{id}.id")))
                // A pool of a region has its nodes in each of its zones; the plan counts them all.
                .set("node_locations", list([zone]))
                .set("node_count", *nodes)
                .with("node_config", Body::default().set("machine_type", instance_type));
            draft.main.resource("google_container_node_pool", &id, pool);
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

fn balancer(
    site: &Site<'_>,
    draft: &mut Draft,
    id: &str,
    (name, subnet, public): (&str, &str, bool),
    (protocol, port, member_port): (&str, u16, u16),
    members: &[String],
    health_check: Option<&carafe_model::estate::HealthCheck>,
) {
    if port != member_port {
        draft.untold.push(format!(
            "load balancer \"{name}\" listens on port {port}, and Google's pass it on to the same port, not to {member_port}"
        ));
    }
    let scheme = if public { "EXTERNAL" } else { "INTERNAL" };
    let asked = health_check.and_then(|check| check.port).unwrap_or(member_port);
    let is_http = health_check.is_some_and(|check| check.protocol == "http");
    let check = Body::default()
        .set("name", name)
        .set("region", raw("var.region"))
        .may("check_interval_sec", health_check.and_then(|check| check.interval_seconds))
        .may("timeout_sec", health_check.and_then(|check| check.timeout_seconds))
        .may("healthy_threshold", health_check.and_then(|check| check.threshold))
        .with(
            if is_http { "http_health_check" } else { "tcp_health_check" },
            Body::default().set("port", asked),
        );
    draft.main.resource("google_compute_region_health_check", id, check);
    let zone = zone(site, draft, Some(subnet));
    let instances =
        members.iter().map(|member| site.at("google_compute_instance", Kind::Machine, member, "self_link"));
    let group = Body::default().set("name", name).set("zone", zone).set("instances", list(instances));
    draft.main.resource("google_compute_instance_group", id, group);
    let backend = Body::default()
        .set("group", raw(format!("google_compute_instance_group.{id}.self_link")))
        .set("balancing_mode", "CONNECTION");
    let service = Body::default()
        .set("name", name)
        .set("region", raw("var.region"))
        .set("protocol", &protocol.to_uppercase())
        .set("load_balancing_scheme", scheme)
        .set("health_checks", list([raw(format!("google_compute_region_health_check.{id}.id"))]))
        .with("backend", backend);
    draft.main.resource("google_compute_region_backend_service", id, service);
    let mut rule = Body::default()
        .set("name", name)
        .set("region", raw("var.region"))
        .set("ip_protocol", &protocol.to_uppercase())
        .set("load_balancing_scheme", scheme)
        .set("ports", list([(&port.to_string()).into()]))
        .set("backend_service", raw(format!("google_compute_region_backend_service.{id}.id")));
    if !public {
        rule = rule.set("subnetwork", site.at("google_compute_subnetwork", Kind::Subnet, subnet, "id"));
        if let Some(network) = site.network_of(subnet) {
            rule = rule.set("network", site.at("google_compute_network", Kind::Network, network, "id"));
        }
    }
    draft.main.resource("google_compute_forwarding_rule", id, rule);
    let address = raw(format!("google_compute_forwarding_rule.{id}.ip_address"));
    draft.tell(&format!("{id}_address"), &format!("The address of {name}."), address);
}
