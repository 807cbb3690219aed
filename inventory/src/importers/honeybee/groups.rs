//! What hosts of the refined form are together: load balancers and a Kubernetes cluster.

use std::collections::BTreeMap;

use carafe_model::estate::{HealthCheck, KubernetesCluster, LoadBalancer};
use carafe_model::finding::Finding;
use carafe_model::ids::{ClusterId, HostId, LoadBalancerId};

use crate::json::Node;
use crate::normalise;
use crate::raw::{At, MemberRef, RawEstate, RawLoadBalancer};
use crate::text::host_id;

/// What a file calls a host: its place, which nothing else in the file has.
pub(super) fn key(node: &Node<'_>) -> String {
    node.place().pointer.unwrap_or_default()
}

/// Reads `nlbs`; one without a usable listener is `INV-2011` and left out.
pub(super) fn load_balancers(model: &Node<'_>, estate: &mut RawEstate, findings: &mut Vec<Finding>) {
    let nodes = model.list("nlbs", findings);
    let names: BTreeMap<String, String> = estate
        .hosts
        .iter()
        .filter_map(|host| Some((host.machine_id.as_ref()?.value.clone(), host.name.as_ref()?.value.clone())))
        .collect();
    for node in nodes {
        match load_balancer(&node, &names, findings) {
            Ok(balancer) => estate.load_balancers.push(At::new(balancer, node.place())),
            Err(what) => findings.push(
                Finding::error("INV-2011", format!("a load balancer {what}"))
                    .at(node.place())
                    .help("it was left out; add it by hand in an estate document"),
            ),
        }
    }
}

fn load_balancer(
    node: &Node<'_>,
    names: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Result<RawLoadBalancer, &'static str> {
    let listener = node.object("listener", findings).ok_or("has no listener")?;
    let backend = node.object("backend", findings).ok_or("has no backend")?;
    let port = port(&listener, "port", findings).ok_or("listens on no port")?;
    let protocol = listener.text("protocol", findings).map_or("tcp".to_owned(), |at| at.value.to_lowercase());
    let address = listener.text("bindAddress", findings).map(|at| at.value);
    let mut members = Vec::new();
    let mut member_port = None;
    for server in backend.list("servers", findings) {
        let own_port = self::port(&server, "port", findings);
        if let (Some(first), Some(other)) = (member_port, own_port)
            && first != other
        {
            findings.push(
                Finding::warning(
                    "INV-2012",
                    format!("members listen on different ports, {first} and {other}"),
                )
                .at(server.place())
                .help("one port for all is kept, the first; let the members listen on the same port"),
            );
        }
        member_port = member_port.or(own_port);
        let ip = server.text("ip", findings).map(|at| at.value);
        let name = server.text("name", findings).map(|at| at.value);
        members.push(At::new(MemberRef::Address { ip, name }, server.place()));
    }
    let name = backend.text("name", findings).map_or_else(|| "load-balancer".to_owned(), |at| at.value);
    let runs_on = node.text("hostMachineId", findings).and_then(|id| names.get(&id.value));
    let software = node.text("software", findings).map(|software| match runs_on {
        Some(host) => format!("{} on {host}", software.value),
        None => software.value,
    });
    let known = LoadBalancer {
        id: LoadBalancerId(format!("{}-{port}", host_id(&name))),
        protocol,
        port,
        public: address.is_none_or(|address| is_public(&address)),
        members: Vec::new(),
        member_port: member_port.unwrap_or(port),
        software,
        health_check: health_check(node, findings),
    };
    Ok(RawLoadBalancer { known, members })
}

/// `*` listens to everybody; an address does when it is not a private one.
fn is_public(address: &str) -> bool {
    match normalise::bare_address(address) {
        None => true,
        Some(ip) if ip.is_unspecified() => true,
        Some(std::net::IpAddr::V4(v4)) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local()),
        Some(std::net::IpAddr::V6(v6)) => {
            !(v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local())
        }
    }
}

fn health_check(node: &Node<'_>, findings: &mut Vec<Finding>) -> Option<HealthCheck> {
    let check = node.object("healthCheck", findings)?;
    if check.boolean("enabled", findings) == Some(false) {
        return None;
    }
    let mut number = |key: &str| {
        let count = check.count(key, findings).filter(|at| at.value > 0);
        count.and_then(|at| u32::try_from(at.value).ok())
    };
    let (interval, timeout, threshold) = (number("interval"), number("timeout"), number("threshold"));
    Some(HealthCheck {
        protocol: check.text("protocol", findings).map_or("tcp".to_owned(), |at| at.value.to_lowercase()),
        port: port(&check, "port", findings),
        interval_seconds: interval,
        timeout_seconds: timeout,
        threshold,
    })
}

/// A port from 1; zero says that another one is meant.
fn port(node: &Node<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<u16> {
    let port = node.count(key, findings).filter(|port| port.value > 0)?;
    match u16::try_from(port.value) {
        Ok(port) => Some(port),
        Err(_) => {
            findings.push(
                Finding::error("INV-1214", format!("{} is not a port", port.value))
                    .at(port.place)
                    .help("ports go from 1 to 65535; the value was left out"),
            );
            None
        }
    }
}

/// Reads `k8sCluster` and the roles of nodes. Roles without a cluster make one, with `INV-2013`.
pub(super) fn cluster(
    model: &Node<'_>,
    nodes: &[Node<'_>],
    estate: &mut RawEstate,
    findings: &mut Vec<Finding>,
) {
    // Roles were read with the hosts, so a second reading must not tell its findings again.
    let with_role = |role: &str| -> Vec<HostId> {
        let fits = |node: &&Node<'_>| {
            node.get("role").and_then(|found| found.value.as_str()).is_some_and(|found| found == role)
        };
        nodes.iter().filter(fits).map(|node| HostId(key(node))).collect()
    };
    let (control_plane, workers) = (with_role("control-plane"), with_role("worker"));
    let described = model.object("k8sCluster", findings);
    if described.is_none() && control_plane.is_empty() && workers.is_empty() {
        return;
    }
    let place = described.as_ref().unwrap_or(model).place();
    if described.is_none() {
        findings.push(
            Finding::info("INV-2013", "hosts have roles in a Kubernetes cluster that is not described")
                .at(place.clone())
                .help("they were taken as one cluster named \"kubernetes\""),
        );
    }
    let mut text = |key: &str| described.as_ref()?.text(key, findings).map(|at| at.value);
    let cluster = KubernetesCluster {
        id: ClusterId(text("name").map_or_else(|| "kubernetes".to_owned(), |name| host_id(&name))),
        version: text("version").map(|version| version.trim_start_matches('v').to_owned()),
        pod_cidr: text("podCIDR"),
        service_cidr: text("serviceCIDR"),
        control_plane,
        workers,
    };
    estate.clusters.push(At::new(cluster, place));
}
