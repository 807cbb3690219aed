//! Oracle Cloud Infrastructure, by the plug-in `oracle/oci`; names were checked against the documentation of 8.28.

use carafe_model::steps::{Action, AllowRule};

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "oci", plugin: ("oci", "oracle/oci"), version: ">= 7.0, < 9.0", write };

const GROUP: &str = "oci_core_network_security_group";
const BALANCER: &str = "oci_network_load_balancer_network_load_balancer";
const SET: &str = "oci_network_load_balancer_backend_set";

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
        Action::Network { name, cidr } => network(draft, &id, name, cidr),
        Action::Subnet { name, network, cidr, zone: _ } => {
            let subnet = named(draft, name)
                .set("vcn_id", site.at("oci_core_vcn", Kind::Network, network, "id"))
                .set("cidr_block", cidr);
            draft.main.resource("oci_core_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, network, rules } => {
            let group =
                named(draft, name).set("vcn_id", site.at("oci_core_vcn", Kind::Network, network, "id"));
            draft.main.resource(GROUP, &id, group);
            let of = || Body::default().set("network_security_group_id", raw(format!("{GROUP}.{id}.id")));
            for (place, rule) in rules.iter().enumerate() {
                let name = format!("{id}_in_{}", place + 1);
                draft.main.resource(&format!("{GROUP}_security_rule"), &name, ingress(of(), rule));
            }
            let out = of()
                .set("direction", "EGRESS")
                .set("protocol", "all")
                .set("destination", "0.0.0.0/0")
                .set("destination_type", "CIDR_BLOCK");
            draft.main.resource(&format!("{GROUP}_security_rule"), &format!("{id}_out"), out);
        }
        // Keys belong to machines here: each carries the public half in its metadata.
        Action::KeyPair { .. } => drop(draft.public_key()),
        Action::Machine { .. } => machine(site, draft, &id, action),
        Action::Disk { name, class, size_gib, .. } => {
            let domain = domain(site, draft, site.machine_of(name).and_then(|(of, _)| site.subnet_of(of)));
            let disk = named(draft, name)
                .set("availability_domain", domain)
                .set("size_in_gbs", size_gib.0)
                .may("vpus_per_gb", class.as_deref().and_then(performance));
            draft.main.resource("oci_core_volume", &id, disk);
        }
        Action::Attachment { name, disk, machine } => {
            let attachment = Body::default()
                .set("display_name", name)
                .set("attachment_type", "paravirtualized")
                .set("instance_id", site.at("oci_core_instance", Kind::Machine, machine, "id"))
                .set("volume_id", site.at("oci_core_volume", Kind::Disk, disk, "id"));
            draft.main.resource("oci_core_volume_attachment", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let subnet = site.subnet_of(machine).unwrap_or_default();
            let private = Body::default()
                .set("ip_address", site.at("oci_core_instance", Kind::Machine, machine, "private_ip"))
                .set("subnet_id", site.at("oci_core_subnet", Kind::Subnet, subnet, "id"));
            draft.main.block("data", &["oci_core_private_ips", &id], private);
            let private = raw(format!("data.oci_core_private_ips.{id}.private_ips[0].id"));
            let address = named(draft, name).set("lifetime", "RESERVED").set("private_ip_id", private);
            draft.main.resource("oci_core_public_ip", &id, address);
            let value = raw(format!("oci_core_public_ip.{id}.ip_address"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { .. } => load_balancer(site, draft, &id, action),
        Action::KubernetesCluster { .. } => cluster(site, draft, &id, action),
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

fn compartment(draft: &mut Draft) -> Expr {
    draft.ask("compartment_id", "string", "The compartment that everything is made in.", None)
}

/// What nearly everything here bears: its compartment, its name and its tags.
fn named(draft: &mut Draft, name: &str) -> Body {
    Body::default()
        .set("compartment_id", compartment(draft))
        .set("display_name", name)
        .set("freeform_tags", raw("var.tags"))
}

/// The zone of a subnet; a variable where the plan names none.
fn domain(site: &Site<'_>, draft: &mut Draft, subnet: Option<&str>) -> Expr {
    match subnet.and_then(|subnet| site.zone_of(subnet)) {
        Some(zone) => zone.into(),
        None => {
            let words = "The availability domain of everything for which the plan names no zone.";
            draft.ask("availability_domain", "string", words, None)
        }
    }
}

/// Volume performance units per GiB, by the class in price lists.
fn performance(class: &str) -> Option<&'static str> {
    Some(match class.to_lowercase().as_str() {
        "lower cost" => "0",
        "balanced" => "10",
        "higher performance" => "20",
        "ultra high performance" => "30",
        _ => return None,
    })
}

fn network(draft: &mut Draft, id: &str, name: &str, cidr: &str) {
    let body = named(draft, name).set("cidr_blocks", list([cidr.into()]));
    draft.main.resource("oci_core_vcn", id, body);
    let of = |attribute: &str| raw(format!("oci_core_vcn.{id}.{attribute}"));
    // The list that comes with a network lets everybody reach port 22; only the groups of the plan are to count.
    let list = Body::default()
        .set("compartment_id", compartment(draft))
        .set("manage_default_resource_id", of("default_security_list_id"));
    draft.main.resource("oci_core_default_security_list", id, list);
    let gateway = named(draft, name).set("vcn_id", of("id"));
    draft.main.resource("oci_core_internet_gateway", id, gateway);
    let route = Body::default()
        .set("destination", "0.0.0.0/0")
        .set("destination_type", "CIDR_BLOCK")
        .set("network_entity_id", raw(format!("oci_core_internet_gateway.{id}.id")));
    let routes = Body::default()
        .set("compartment_id", compartment(draft))
        .set("manage_default_resource_id", of("default_route_table_id"))
        .with("route_rules", route);
    draft.main.resource("oci_core_default_route_table", id, routes);
}

fn ingress(body: Body, rule: &AllowRule) -> Body {
    let protocol = match rule.protocol.as_str() {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        _ => "all",
    };
    let body = body
        .set("direction", "INGRESS")
        .set("protocol", protocol)
        .set("source", &rule.source)
        .set("source_type", "CIDR_BLOCK");
    let options = match protocol {
        "6" => "tcp_options",
        "17" => "udp_options",
        _ => return body,
    };
    match rule.from_port {
        Some(from) => {
            let range = Body::default().set("min", from).set("max", rule.to_port.unwrap_or(from));
            body.with(options, Body::default().with("destination_port_range", range))
        }
        None => body,
    }
}

/// A shape and, where its size is free, its processors and GiB of memory: `VM.Standard.E4.Flex:2ocpu-16gb`.
fn with_shape(body: Body, instance_type: &str, names: (&str, &str)) -> Body {
    let (shape, size) = instance_type.split_once(':').unwrap_or((instance_type, ""));
    let size = size.split_once("ocpu-").and_then(|(processors, memory)| {
        Some((processors.parse::<u64>().ok()?, memory.strip_suffix("gb")?.parse::<u64>().ok()?))
    });
    let body = body.set(names.0, shape);
    match size {
        Some((processors, memory)) => {
            body.with(names.1, Body::default().set("ocpus", processors).set("memory_in_gbs", memory))
        }
        None => body,
    }
}

fn groups(site: &Site<'_>, names: &[String]) -> Expr {
    list(names.iter().map(|name| site.at(GROUP, Kind::SecurityGroup, name, "id")))
}

fn machine(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::Machine {
        name,
        instance_type,
        image,
        subnet,
        security_groups,
        root_disk_gib,
        root_disk_class,
        key_pair: _,
        vcpus: _,
        memory_mib: _,
    } = action
    else {
        return;
    };
    let vnic = Body::default()
        .set("assign_public_ip", "false")
        .set("subnet_id", site.at("oci_core_subnet", Kind::Subnet, subnet, "id"))
        .set("nsg_ids", groups(site, security_groups));
    let source = Body::default()
        .set("source_type", "image")
        .set("source_id", draft.image(image))
        .may("boot_volume_size_in_gbs", root_disk_gib.map(|gib| gib.0))
        .may("boot_volume_vpus_per_gb", root_disk_class.as_deref().and_then(performance));
    let metadata = vec![("ssh_authorized_keys".to_owned(), draft.public_key())];
    let domain = domain(site, draft, Some(subnet));
    let body = named(draft, name).set("availability_domain", domain).set("metadata", Expr::Map(metadata));
    let body = with_shape(body, instance_type, ("shape", "shape_config"))
        .with("create_vnic_details", vnic)
        .with("source_details", source);
    draft.main.resource("oci_core_instance", id, body);
    let address = raw(format!("oci_core_instance.{id}.private_ip"));
    draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
}

fn load_balancer(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } =
        action
    else {
        return;
    };
    let balancer = named(draft, name)
        .set("is_private", !public)
        .set("subnet_id", site.at("oci_core_subnet", Kind::Subnet, subnet, "id"));
    draft.main.resource(BALANCER, id, balancer);
    let of = || Body::default().set("network_load_balancer_id", raw(format!("{BALANCER}.{id}.id")));
    let check = health_check.as_ref();
    let milliseconds = |seconds: Option<u32>| seconds.map(|seconds| u64::from(seconds) * 1000);
    let health = Body::default()
        .set("protocol", &check.map_or("TCP".to_owned(), |check| check.protocol.to_uppercase()))
        .set("port", check.and_then(|check| check.port).unwrap_or(*member_port))
        .may("interval_in_millis", milliseconds(check.and_then(|check| check.interval_seconds)))
        .may("timeout_in_millis", milliseconds(check.and_then(|check| check.timeout_seconds)))
        .may("retries", check.and_then(|check| check.threshold));
    let set = of().set("name", "members").set("policy", "FIVE_TUPLE").with("health_checker", health);
    draft.main.resource(SET, id, set);
    let set = || raw(format!("{SET}.{id}.name"));
    let listener = of()
        .set("name", "listener")
        .set("default_backend_set_name", set())
        .set("port", *port)
        .set("protocol", &protocol.to_uppercase());
    draft.main.resource("oci_network_load_balancer_listener", id, listener);
    for (place, member) in members.iter().enumerate() {
        let backend = of()
            .set("backend_set_name", set())
            .set("port", *member_port)
            .set("target_id", site.at("oci_core_instance", Kind::Machine, member, "id"));
        let label = format!("{id}_{}", place + 1);
        draft.main.resource("oci_network_load_balancer_backend", &label, backend);
    }
    let addresses = raw(format!("{BALANCER}.{id}.ip_addresses"));
    draft.tell(&format!("{id}_addresses"), &format!("The addresses of {name}."), addresses);
}

fn cluster(site: &Site<'_>, draft: &mut Draft, id: &str, action: &Action) {
    let Action::KubernetesCluster {
        name,
        version,
        subnets,
        security_groups,
        instance_type,
        nodes,
        key_pair: _,
    } = action
    else {
        return;
    };
    let Some(subnet) = subnets.first() else {
        draft.untold.push(format!("Kubernetes cluster \"{name}\" is left out: it is in no subnet"));
        return;
    };
    let today = version.as_ref().map(|version| format!("; today it is {version}")).unwrap_or_default();
    let words =
        format!("The Kubernetes version of {name} as Oracle writes it, for example \"v1.33.1\"{today}.");
    let version = draft.ask(&format!("{id}_version"), "string", &words, None);
    let in_subnet = || site.at("oci_core_subnet", Kind::Subnet, subnet, "id");
    let network = site.network_of(subnet).unwrap_or_default();
    let endpoint = Body::default().set("is_public_ip_enabled", true).set("subnet_id", in_subnet());
    let cluster = Body::default()
        .set("compartment_id", compartment(draft))
        .set("name", name)
        .set("kubernetes_version", version.clone())
        .set("vcn_id", site.at("oci_core_vcn", Kind::Network, network, "id"))
        .set("freeform_tags", raw("var.tags"))
        .with("endpoint_config", endpoint);
    draft.main.resource("oci_containerengine_cluster", id, cluster);
    let image = draft.ask("node_image_id", "string", "The image that nodes of clusters boot.", None);
    let place = Body::default()
        .set("availability_domain", domain(site, draft, Some(subnet)))
        .set("subnet_id", in_subnet());
    let config = Body::default()
        .set("size", *nodes)
        .set("nsg_ids", groups(site, security_groups))
        .with("placement_configs", place);
    let pool = Body::default()
        .set("compartment_id", compartment(draft))
        .set("cluster_id", raw(format!("oci_containerengine_cluster.{id}.id")))
        .set("name", name)
        .set("kubernetes_version", version)
        .set("ssh_public_key", draft.public_key())
        .set("freeform_tags", raw("var.tags"));
    let pool = with_shape(pool, instance_type, ("node_shape", "node_shape_config"))
        .with("node_config_details", config)
        .with("node_source_details", Body::default().set("source_type", "IMAGE").set("image_id", image));
    draft.main.resource("oci_containerengine_node_pool", id, pool);
}
