//! KT Cloud (D1), by the plug-in of OpenStack: its machines, images and disks speak OpenStack's APIs, its networks, public
//! addresses and load balancers an API of its own that no plug-in speaks. Written from documentation alone.

use carafe_model::steps::Action;

use super::Dialect;
use super::draft::{Draft, Site};
use super::hcl::{Body, Expr, raw};
use crate::drivers::Kind;

pub(super) const DIALECT: Dialect = Dialect {
    provider: "kt",
    plugin: ("openstack", "terraform-provider-openstack/openstack"),
    version: "~> 3.0",
    write,
};

fn write(site: &Site<'_>, draft: &mut Draft) {
    let services = [("compute", "server"), ("image", "image"), ("volumev3", "volume")];
    let addresses = services.map(|(service, path)| {
        (service.to_owned(), Expr::from(&format!("https://api.ucloudbiz.olleh.com/d1/{path}/")))
    });
    draft.provider = Body::default()
        .set("auth_url", "https://api.ucloudbiz.olleh.com/d1/identity")
        .set("endpoint_overrides", Expr::Map(addresses.into()));
    for action in &site.actions {
        one(site, draft, action);
    }
}

fn one(site: &Site<'_>, draft: &mut Draft, action: &Action) {
    let kind = Kind::of(action).expect("only resources are here");
    let id = site.id(kind, action.name());
    match action {
        Action::Network { name, .. }
        | Action::Subnet { name, .. }
        | Action::SecurityGroup { name, .. }
        | Action::PublicAddress { name, .. }
        | Action::LoadBalancer { name, .. }
        | Action::KubernetesCluster { name, .. } => draft.untold.push(format!(
            "{} \"{name}\" is left out: KT Cloud makes it in its console or by an API that no plug-in speaks",
            kind.words()
        )),
        Action::KeyPair { name } => {
            let key = draft.public_key();
            let pair = Body::default().set("name", name).set("public_key", key);
            draft.main.resource("openstack_compute_keypair_v2", &id, pair);
        }
        Action::Machine {
            name,
            instance_type,
            image,
            subnet,
            key_pair,
            root_disk_gib,
            root_disk_class,
            ..
        } => {
            let tier = draft.ask(
                &format!("network_id_{}", site.id(Kind::Subnet, subnet)),
                "string",
                &format!("The network of the tier that stands for subnet {subnet}."),
                None,
            );
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
                .set("key_pair", site.at("openstack_compute_keypair_v2", Kind::KeyPair, key_pair, "name"))
                .set("metadata", raw("var.tags"))
                .with("block_device", root)
                .with("network", Body::default().set("uuid", tier));
            draft.main.resource("openstack_compute_instance_v2", &id, machine);
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
        Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {}
    }
}
