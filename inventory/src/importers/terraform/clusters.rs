//! Resources that are managed Kubernetes: clusters, and node pools that become as many hosts as they hold.

use carafe_model::finding::{Finding, Place};
use carafe_model::ids::HostId;

use super::Object;
use super::machines::worker;
use crate::importers::cloud::{Cluster, Listing};
use crate::raw::At;
use crate::shapes::Shapes;

/// A cluster: kind; name; version.
const CLUSTERS: &[(&str, &[&str], &[&str])] = &[
    ("aws_eks_cluster", &["name"], &["version"]),
    ("azurerm_kubernetes_cluster", &["name"], &["kubernetes_version"]),
    ("google_container_cluster", &["name"], &["master_version", "min_master_version"]),
    ("openstack_containerinfra_cluster_v1", &["name"], &["coe_version"]),
    ("alicloud_cs_managed_kubernetes", &["name"], &["version"]),
    ("ncloud_nks_cluster", &["name"], &["k8s_version"]),
];

/// A pool of nodes: kind; where its cluster is named; provider; instance type; count; disk in GiB; name.
struct PoolKind {
    kind: &'static str,
    cluster: &'static [&'static str],
    provider: &'static str,
    shape: &'static [&'static str],
    count: &'static [&'static str],
    disk: &'static [&'static str],
    name: &'static [&'static str],
}

const POOLS: &[PoolKind] = &[
    PoolKind {
        kind: "aws_eks_node_group",
        cluster: &["cluster_name"],
        provider: "aws",
        shape: &["instance_types/0"],
        count: &["scaling_config/0/desired_size"],
        disk: &["disk_size"],
        name: &["node_group_name"],
    },
    PoolKind {
        kind: "azurerm_kubernetes_cluster",
        cluster: &["name"],
        provider: "azure",
        shape: &["default_node_pool/0/vm_size"],
        count: &["default_node_pool/0/node_count"],
        disk: &["default_node_pool/0/os_disk_size_gb"],
        name: &["default_node_pool/0/name"],
    },
    PoolKind {
        kind: "azurerm_kubernetes_cluster_node_pool",
        cluster: &["kubernetes_cluster_id"],
        provider: "azure",
        shape: &["vm_size"],
        count: &["node_count"],
        disk: &["os_disk_size_gb"],
        name: &["name"],
    },
    PoolKind {
        kind: "google_container_node_pool",
        cluster: &["cluster"],
        provider: "gcp",
        shape: &["node_config/0/machine_type"],
        count: &["node_count", "initial_node_count"],
        disk: &["node_config/0/disk_size_gb"],
        name: &["name"],
    },
    PoolKind {
        kind: "openstack_containerinfra_cluster_v1",
        cluster: &["name"],
        provider: "openstack",
        shape: &["flavor"],
        count: &["node_count"],
        disk: &["docker_volume_size"],
        name: &["stack_id"],
    },
    PoolKind {
        kind: "alicloud_cs_kubernetes_node_pool",
        cluster: &["cluster_id"],
        provider: "alibaba",
        shape: &["instance_types/0"],
        count: &["desired_size", "node_count"],
        disk: &["system_disk_size"],
        name: &["node_pool_name", "name"],
    },
    PoolKind {
        kind: "ncloud_nks_node_pool",
        cluster: &["cluster_uuid"],
        provider: "ncp",
        shape: &["server_spec_code", "product_code"],
        count: &["node_count"],
        disk: &["storage_size"],
        name: &["node_pool_name"],
    },
];

/// Adds clusters and their workers; returns the kinds of resources that were read.
pub(super) fn add(
    objects: &[Object<'_>],
    shapes: &mut Shapes<'_>,
    listing: &mut Listing,
    findings: &mut Vec<Finding>,
) -> Vec<&'static str> {
    let mut read = Vec::new();
    let mut keys: Vec<Vec<String>> = Vec::new();
    for object in objects {
        let Some((kind, names, versions)) = CLUSTERS.iter().find(|(kind, ..)| *kind == object.kind) else {
            continue;
        };
        read.push(*kind);
        let name = object.text(names).unwrap_or_else(|| object.local_name().to_owned());
        keys.push(vec![object.id(), name.clone(), object.text(&["uuid"]).unwrap_or_default()]);
        let version = object.text(versions);
        let place = object.attributes.place();
        listing.clusters.push(Cluster { name, version, workers: Vec::new(), place });
    }
    for object in objects {
        for pool in POOLS.iter().filter(|pool| pool.kind == object.kind) {
            read.push(pool.kind);
            let owner = object.text(pool.cluster).unwrap_or_default();
            let is_meant = |keys: &Vec<String>| keys.iter().any(|key| !key.is_empty() && *key == owner);
            let at = keys.iter().position(is_meant);
            let workers = workers(object, pool, &owner, shapes, listing, findings);
            match at {
                Some(at) => listing.clusters[at].workers.extend(workers),
                None if workers.is_empty() => {}
                None => {
                    let name = owner.rsplit('/').next().unwrap_or(&owner).to_owned();
                    let place = object.attributes.place();
                    keys.push(vec![owner]);
                    listing.clusters.push(Cluster { name, version: None, workers, place });
                }
            }
        }
    }
    read
}

fn workers(
    object: &Object<'_>,
    pool: &PoolKind,
    cluster: &str,
    shapes: &mut Shapes<'_>,
    listing: &mut Listing,
    findings: &mut Vec<Finding>,
) -> Vec<HostId> {
    /// Managed clusters hold some thousands of nodes; more is a mistake in the file.
    const MOST: u64 = 5_000;
    let attributes = &object.attributes;
    let mut number = |paths: &[&str]| {
        let path = paths.iter().find(|path| attributes.find(path).is_some())?;
        attributes.count_at(path, findings)
    };
    let (count, disk) = (number(pool.count), number(pool.disk));
    let Some(count) = count else {
        findings.push(no_count(&attributes.place()));
        return Vec::new();
    };
    let name = object.text(pool.name).unwrap_or_else(|| object.local_name().to_owned());
    let cluster = cluster.rsplit('/').next().unwrap_or(cluster);
    let mut ids = Vec::new();
    for number in 1..=count.value.min(MOST) {
        let key = format!("{cluster}-{name}-{number}");
        let mut machine = worker(&key, disk.as_ref().map(|at| at.value), &attributes.place());
        if let Some(shape) = attributes.words_at(pool.shape) {
            shapes.fit(&mut machine.host, pool.provider, shape);
        }
        machine.host.os = Some(At::new(crate::normalise::os("Linux"), attributes.place()));
        ids.push(HostId(key));
        listing.machines.push(machine);
    }
    ids
}

/// `INV-5009`.
fn no_count(place: &Place) -> Finding {
    Finding::warning("INV-5009", "a pool of nodes does not say how many it has")
        .at(place.clone())
        .help("its nodes were left out; add them by hand")
}
