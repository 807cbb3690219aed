//! Checks of how the parts of an estate fit together.

use std::collections::BTreeSet;

use carafe_model::estate::Endpoint;
use carafe_model::finding::Finding;
use carafe_model::ids::HostId;

use super::View;
use crate::text::clip;

pub(super) fn check_1201_references_exist(view: &mut View<'_>) {
    let estate = view.estate;
    let hosts: BTreeSet<&str> = estate.hosts.iter().map(|host| host.id.as_str()).collect();
    let apps: BTreeSet<&str> = estate.apps.iter().map(|app| app.id.as_str()).collect();
    let mut wrong: Vec<(String, &str, &str)> = Vec::new();
    for (index, host) in estate.hosts.iter().enumerate() {
        if let Some(app) = host.app.as_ref().filter(|app| !apps.contains(app.as_str())) {
            wrong.push((format!("/hosts/{index}/app"), "app", app.as_str()));
        }
    }
    let host = |pointer: String, id: &HostId| {
        (!hosts.contains(id.as_str())).then(|| (pointer, "host", id.0.clone()))
    };
    let mut lost = Vec::new();
    for (index, flow) in estate.flows.iter().enumerate() {
        for (field, end) in [("from", &flow.from), ("to", &flow.to)] {
            match end {
                Endpoint::Host(id) => lost.extend(host(format!("/flows/{index}/{field}/host"), id)),
                Endpoint::External(_) => {}
            }
        }
    }
    for (index, balancer) in estate.load_balancers.iter().enumerate() {
        for (at, id) in balancer.members.iter().enumerate() {
            lost.extend(host(format!("/load_balancers/{index}/members/{at}"), id));
        }
    }
    for (index, cluster) in estate.clusters.iter().enumerate() {
        for (field, ids) in [("control_plane", &cluster.control_plane), ("workers", &cluster.workers)] {
            for (at, id) in ids.iter().enumerate() {
                lost.extend(host(format!("/clusters/{index}/{field}/{at}"), id));
            }
        }
    }
    let wrong = wrong.into_iter().map(|(pointer, kind, id)| (pointer, kind, id.to_owned()));
    for (pointer, kind, id) in wrong.chain(lost) {
        view.tell(
            pointer,
            Finding::error("INV-1201", format!("there is no {kind} \"{}\"", clip(&id)))
                .help(format!("use the id of a {kind} of this estate, or add it")),
        );
    }
}

pub(super) fn check_1203_ids_are_unique(view: &mut View<'_>) {
    let estate = view.estate;
    let hosts: Vec<&str> = estate.hosts.iter().map(|host| host.id.as_str()).collect();
    let apps: Vec<&str> = estate.apps.iter().map(|app| app.id.as_str()).collect();
    let balancers: Vec<&str> = estate.load_balancers.iter().map(|balancer| balancer.id.as_str()).collect();
    let clusters: Vec<&str> = estate.clusters.iter().map(|cluster| cluster.id.as_str()).collect();
    for (list, ids) in
        [("hosts", hosts), ("apps", apps), ("load_balancers", balancers), ("clusters", clusters)]
    {
        let mut seen = BTreeSet::new();
        for (index, id) in ids.into_iter().enumerate() {
            if !seen.insert(id) {
                view.tell(
                    format!("/{list}/{index}/id"),
                    Finding::error("INV-1203", format!("the id \"{}\" is taken already", clip(id)))
                        .help("give each entry an id of its own"),
                );
            }
        }
    }
}

pub(super) fn check_1215_flows_have_two_ends(view: &mut View<'_>) {
    for (index, flow) in view.estate.flows.iter().enumerate() {
        let what = match (&flow.from, &flow.to) {
            (Endpoint::Host(from), Endpoint::Host(to)) if from == to => "a flow from a host to itself",
            (Endpoint::External(_), Endpoint::External(_)) => "a flow that touches no host",
            (Endpoint::Host(_) | Endpoint::External(_), _) => continue,
        };
        view.tell(
            format!("/flows/{index}"),
            Finding::warning("INV-1215", what).help("it costs nothing and decides nothing; take it out"),
        );
    }
}

pub(super) fn check_1216_load_balancers_have_members(view: &mut View<'_>) {
    for (index, balancer) in view.estate.load_balancers.iter().enumerate() {
        if balancer.members.is_empty() {
            view.tell(
                format!("/load_balancers/{index}/members"),
                Finding::warning(
                    "INV-1216",
                    format!("the load balancer \"{}\" has no members", clip(balancer.id.as_str())),
                )
                .help("add the hosts behind it; until then it has no region to go to"),
            );
        }
    }
}

pub(super) fn check_1217_clusters_have_workers(view: &mut View<'_>) {
    for (index, cluster) in view.estate.clusters.iter().enumerate() {
        if cluster.workers.is_empty() {
            view.tell(
                format!("/clusters/{index}/workers"),
                Finding::warning(
                    "INV-1217",
                    format!("the cluster \"{}\" has no workers", clip(cluster.id.as_str())),
                )
                .help("add the hosts that run its workloads"),
            );
        }
    }
}

pub(super) fn check_1218_there_are_hosts(view: &mut View<'_>) {
    if view.estate.hosts.is_empty() {
        view.tell(
            "/hosts",
            Finding::warning("INV-1218", "the estate has no hosts")
                .help("there is nothing to plan; give a file that lists machines"),
        );
    }
}

pub(super) fn check_1219_amounts_are_not_negative(view: &mut View<'_>) {
    let estate = view.estate;
    let mut wrong = Vec::new();
    for (index, flow) in estate.flows.iter().enumerate() {
        let amounts = [
            ("gib_month", flow.gib_month),
            ("gib_month_back", flow.gib_month_back),
            ("max_rtt_ms", flow.max_rtt_ms),
        ];
        for (field, amount) in amounts {
            if amount.is_some_and(|amount| amount.0 < 0) {
                wrong.push(format!("/flows/{index}/{field}"));
            }
        }
    }
    for (index, host) in estate.hosts.iter().enumerate() {
        if host.monthly_cost.is_some_and(|cost| cost.0 < 0) {
            wrong.push(format!("/hosts/{index}/monthly_cost"));
        }
    }
    if estate.today.as_ref().is_some_and(|today| today.monthly.0 < 0) {
        wrong.push("/today/monthly".to_owned());
    }
    for pointer in wrong {
        view.tell(
            pointer,
            Finding::error("INV-1219", "an amount below zero")
                .help("traffic and cost start at zero; leave the field out where it is unknown"),
        );
    }
}
