//! Microsoft Azure, by the plug-in `hashicorp/azurerm`.

use carafe_model::host::OsFamily;
use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, list, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect =
    Dialect { provider: "azure", plugin: ("azurerm", "hashicorp/azurerm"), version: "~> 4.0", write };

/// The lowest priority number that a rule may have, and how far apart rules are.
const FIRST_PRIORITY: usize = 100;

fn group_name() -> Expr {
    raw("azurerm_resource_group.main.name")
}

/// What nearly every resource has.
fn named(name: &str) -> Body {
    Body::default()
        .set("name", name)
        .set("resource_group_name", group_name())
        .set("location", raw("var.region"))
        .set("tags", raw("var.tags"))
}

fn write(site: &Site<'_>, draft: &mut Draft) {
    let subscription = draft.ask("subscription_id", "string", "The subscription that pays.", None);
    draft.provider = Body::default().set("subscription_id", subscription).with("features", Body::default());
    let name = draft.ask(
        "resource_group_name",
        "string",
        "The resource group that is made for everything.",
        Some("carafe".into()),
    );
    let group =
        Body::default().set("name", name).set("location", raw("var.region")).set("tags", raw("var.tags"));
    draft.main.resource("azurerm_resource_group", "main", group);
    for action in &site.actions {
        one(site, draft, action);
    }
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, cidr } => {
            draft.main.resource(
                "azurerm_virtual_network",
                &id,
                named(name).set("address_space", list([cidr.into()])),
            );
        }
        Action::Subnet { name, network, cidr, .. } => {
            let subnet = Body::default()
                .set("name", name)
                .set("resource_group_name", group_name())
                .set(
                    "virtual_network_name",
                    site.at("azurerm_virtual_network", Kind::Network, network, "name"),
                )
                .set("address_prefixes", list([cidr.into()]));
            draft.main.resource("azurerm_subnet", &id, subnet);
        }
        Action::SecurityGroup { name, rules, .. } => {
            let mut group = named(name);
            for (number, rule) in rules.iter().enumerate() {
                let protocol = match rule.protocol.as_str() {
                    "tcp" => "Tcp",
                    "udp" => "Udp",
                    "icmp" => "Icmp",
                    _ => "*",
                };
                let ports = match (rule.from_port, rule.to_port) {
                    (Some(from), Some(to)) if from != to => format!("{from}-{to}"),
                    (Some(from), _) => from.to_string(),
                    (None, _) => "*".to_owned(),
                };
                let body = Body::default()
                    .set("name", &format!("rule-{}", number + 1))
                    .set("priority", FIRST_PRIORITY + 10 * number)
                    .set("direction", "Inbound")
                    .set("access", "Allow")
                    .set("protocol", protocol)
                    .set("source_port_range", "*")
                    .set("destination_port_range", &ports)
                    .set("source_address_prefix", &rule.source)
                    .set("destination_address_prefix", "*");
                group = group.with("security_rule", body);
            }
            draft.main.resource("azurerm_network_security_group", &id, group);
        }
        Action::KeyPair { name } => {
            let key = draft.public_key();
            draft.main.resource("azurerm_ssh_public_key", &id, named(name).set("public_key", key));
        }
        Action::Machine { name, .. } => {
            machine(site, draft, action, &id);
            let address = raw(format!("azurerm_network_interface.{id}.private_ip_address"));
            draft.tell(&format!("{id}_private_address"), &format!("The private address of {name}."), address);
        }
        Action::Disk { name, class, size_gib, .. } => {
            let disk = named(name)
                .set("storage_account_type", class.as_deref().unwrap_or("StandardSSD_LRS"))
                .set("create_option", "Empty")
                .set("disk_size_gb", size_gib.0);
            draft.main.resource("azurerm_managed_disk", &id, disk);
        }
        Action::Attachment { disk, machine, .. } => {
            let attachment = Body::default()
                .set("managed_disk_id", site.at("azurerm_managed_disk", Kind::Disk, disk, "id"))
                .set("virtual_machine_id", machine_id(site, machine))
                .set("lun", site.machine_of(disk).map_or(0, |(_, before)| before))
                .set("caching", "ReadOnly");
            draft.main.resource("azurerm_virtual_machine_data_disk_attachment", &id, attachment);
        }
        Action::PublicAddress { name, machine } => {
            let address = named(name).set("allocation_method", "Static").set("sku", "Standard");
            draft.main.resource("azurerm_public_ip", &id, address);
            let value = raw(format!("azurerm_public_ip.{id}.ip_address"));
            draft.tell(&format!("{id}_public_address"), &format!("The public address of {machine}."), value);
        }
        Action::LoadBalancer { name, subnet, public, protocol, port, member_port, members, health_check } => {
            let front = Body::default().set("name", "front");
            let front = match public {
                true => {
                    let address = named(name).set("allocation_method", "Static").set("sku", "Standard");
                    draft.main.resource("azurerm_public_ip", &format!("{id}_lb"), address);
                    let value = raw(format!("azurerm_public_ip.{id}_lb.ip_address"));
                    draft.tell(
                        &format!("{id}_public_address"),
                        &format!("The public address of {name}."),
                        value,
                    );
                    front.set("public_ip_address_id", raw(format!("azurerm_public_ip.{id}_lb.id")))
                }
                false => front.set("subnet_id", site.at("azurerm_subnet", Kind::Subnet, subnet, "id")),
            };
            let balancer = named(name).set("sku", "Standard").with("frontend_ip_configuration", front);
            draft.main.resource("azurerm_lb", &id, balancer);
            let of_balancer = || {
                Body::default().set("name", name).set("loadbalancer_id", raw(format!("azurerm_lb.{id}.id")))
            };
            draft.main.resource("azurerm_lb_backend_address_pool", &id, of_balancer());
            let check = health_check.as_ref();
            let protocol_of_check =
                check.map_or("Tcp", |check| if check.protocol == "http" { "Http" } else { "Tcp" });
            let probe = of_balancer()
                .set("protocol", protocol_of_check)
                .set("port", check.and_then(|check| check.port).unwrap_or(*member_port))
                .may("request_path", (protocol_of_check == "Http").then_some("/"))
                .may("interval_in_seconds", check.and_then(|check| check.interval_seconds))
                .may("probe_threshold", check.and_then(|check| check.threshold));
            draft.main.resource("azurerm_lb_probe", &id, probe);
            let rule = of_balancer()
                .set("protocol", if protocol == "udp" { "Udp" } else { "Tcp" })
                .set("frontend_port", *port)
                .set("backend_port", *member_port)
                .set("frontend_ip_configuration_name", "front")
                .set(
                    "backend_address_pool_ids",
                    list([raw(format!("azurerm_lb_backend_address_pool.{id}.id"))]),
                )
                .set("probe_id", raw(format!("azurerm_lb_probe.{id}.id")));
            draft.main.resource("azurerm_lb_rule", &id, rule);
            for member in members {
                let association = Body::default()
                    .set(
                        "network_interface_id",
                        site.at("azurerm_network_interface", Kind::Machine, member, "id"),
                    )
                    .set("ip_configuration_name", "first")
                    .set("backend_address_pool_id", raw(format!("azurerm_lb_backend_address_pool.{id}.id")));
                let name = format!("{id}_{}", site.id(Kind::Machine, member));
                draft.main.resource(
                    "azurerm_network_interface_backend_address_pool_association",
                    &name,
                    association,
                );
            }
        }
        Action::KubernetesCluster { name, version, subnets, instance_type, nodes, .. } => {
            let mut pool =
                Body::default().set("name", "nodes").set("vm_size", instance_type).set("node_count", *nodes);
            if let Some(subnet) = subnets.first() {
                pool = pool.set("vnet_subnet_id", site.at("azurerm_subnet", Kind::Subnet, subnet, "id"));
            }
            let cluster = named(name)
                .set("dns_prefix", name)
                .may("kubernetes_version", version.as_ref())
                .with("default_node_pool", pool)
                .with("identity", Body::default().set("type", "SystemAssigned"));
            draft.main.resource("azurerm_kubernetes_cluster", &id, cluster);
        }
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}

/// A machine with its network interface.
fn machine(site: &Site<'_>, draft: &mut Draft, action: &Action, id: &str) {
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
        unreachable!("a machine")
    };
    let mut address = Body::default()
        .set("name", "first")
        .set("subnet_id", site.at("azurerm_subnet", Kind::Subnet, subnet, "id"))
        .set("private_ip_address_allocation", "Dynamic");
    if let Some(public) = site.address_of(name) {
        address = address
            .set("public_ip_address_id", site.at("azurerm_public_ip", Kind::PublicAddress, public, "id"));
    }
    draft.main.resource("azurerm_network_interface", id, named(name).with("ip_configuration", address));
    for (number, group) in security_groups.iter().enumerate() {
        if number > 0 {
            draft.untold.push(format!(
                "machine \"{name}\" has more than one security group, and Azure takes one: {group}"
            ));
            continue;
        }
        let association = Body::default()
            .set("network_interface_id", raw(format!("azurerm_network_interface.{id}.id")))
            .set(
                "network_security_group_id",
                site.at("azurerm_network_security_group", Kind::SecurityGroup, group, "id"),
            );
        draft.main.resource("azurerm_network_interface_security_group_association", id, association);
    }
    let root = Body::default()
        .set("caching", "ReadWrite")
        .set("storage_account_type", root_disk_class.as_deref().unwrap_or("StandardSSD_LRS"))
        .may("disk_size_gb", root_disk_gib.map(|size| size.0));
    let machine = named(name)
        .set("size", instance_type)
        .set("network_interface_ids", list([raw(format!("azurerm_network_interface.{id}.id"))]))
        .set("source_image_id", draft.image(image));
    if image.family == OsFamily::Windows {
        let password =
            draft.ask_secret("admin_password", "The password of the administrator of Windows machines.");
        let short: String = name.chars().take(15).collect();
        let machine = machine
            .set("computer_name", &short)
            .set("admin_username", "carafe")
            .set("admin_password", password);
        draft.main.resource("azurerm_windows_virtual_machine", id, machine.with("os_disk", root));
        return;
    }
    let login = Body::default()
        .set("username", "carafe")
        .set("public_key", site.at("azurerm_ssh_public_key", Kind::KeyPair, key_pair, "public_key"));
    let machine = machine.set("admin_username", "carafe").with("admin_ssh_key", login).with("os_disk", root);
    draft.main.resource("azurerm_linux_virtual_machine", id, machine);
}

/// The id of a machine, which is of one resource type or of another by its system.
fn machine_id(site: &Site<'_>, name: &str) -> Expr {
    let is_windows = site.actions.iter().any(|action| {
        matches!(action, Action::Machine { name: found, image, .. } if found == name && image.family == OsFamily::Windows)
    });
    let resource =
        if is_windows { "azurerm_windows_virtual_machine" } else { "azurerm_linux_virtual_machine" };
    site.at(resource, Kind::Machine, name, "id")
}
