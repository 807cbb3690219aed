//! The estate as a graph: who speaks to whom, which hosts form an app, which stand idle, and pictures of it.
//!
//! [`DependencyGraph::of`] builds it; [`findings`](analysis::findings) and [`apps`](analysis::apps) look at it; [`draw`]
//! writes it as DOT, Mermaid, GraphML or SVG. A picture of many hosts shows groups, one of few shows each.

pub mod analysis;

pub mod draw;

mod svg;

use std::collections::BTreeMap;

use carafe_model::estate::{Endpoint, Estate, Flow};
use petgraph::graph::{DiGraph, NodeIndex};

/// What a node of the graph stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A host of the estate, by its place in [`Estate::hosts`].
    Host(usize),
    /// Something outside the estate.
    External,
    /// A load balancer.
    LoadBalancer,
    /// A Kubernetes cluster.
    Cluster,
    /// Hosts taken together: how many.
    Group(usize),
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Unique in the graph.
    pub id: String,
    /// What people read.
    pub label: String,
    /// What it stands for.
    pub kind: NodeKind,
    /// The group it belongs to: its app, or else none.
    pub group: Option<String>,
}

/// Traffic between two nodes, all ports taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// Protocols and ports, in order: `tcp/5432`.
    pub ports: Vec<String>,
    /// Millionths of a GiB a month in both directions; `None` when no volume is known.
    pub volume: Option<i64>,
}

/// Hosts, what is around them, and the traffic between them.
#[derive(Clone, Debug, Default)]
pub struct DependencyGraph {
    /// Nodes and edges; edges go from the one who opens connections.
    pub graph: DiGraph<Node, Edge>,
}

impl DependencyGraph {
    /// The graph of an estate, each host a node of its own.
    pub fn of(estate: &Estate) -> DependencyGraph {
        let mut building = Building::default();
        for (at, host) in estate.hosts.iter().enumerate() {
            building.node(Node {
                id: format!("host:{}", host.id),
                label: host.name.clone(),
                kind: NodeKind::Host(at),
                group: host.app.as_ref().map(ToString::to_string),
            });
        }
        for flow in &estate.flows {
            let (from, to) = (building.endpoint(&flow.from), building.endpoint(&flow.to));
            building.flow(from, to, flow);
        }
        for balancer in &estate.load_balancers {
            let id = format!("load-balancer:{}", balancer.id);
            let label = balancer.id.to_string();
            let from = building.node(Node { id, label, kind: NodeKind::LoadBalancer, group: None });
            for member in &balancer.members {
                let to = building.endpoint(&Endpoint::Host(member.clone()));
                building.edge(from, to, &format!("{}/{}", balancer.protocol, balancer.member_port), None);
            }
        }
        for cluster in &estate.clusters {
            let id = format!("cluster:{}", cluster.id);
            let label = cluster.id.to_string();
            let from = building.node(Node { id, label, kind: NodeKind::Cluster, group: None });
            for member in cluster.control_plane.iter().chain(&cluster.workers) {
                let to = building.endpoint(&Endpoint::Host(member.clone()));
                building.edge(from, to, "node", None);
            }
        }
        DependencyGraph { graph: building.graph }
    }

    /// The same with the hosts of each group as one node; hosts without a group keep by the group that `of_host` gives.
    pub fn grouped(&self, of_host: impl Fn(usize) -> Option<String>) -> DependencyGraph {
        let mut building = Building::default();
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        let group_of = |node: &Node| match node.kind {
            NodeKind::Host(at) => {
                Some(node.group.clone().or_else(|| of_host(at)).unwrap_or_else(|| "others".to_owned()))
            }
            NodeKind::External | NodeKind::LoadBalancer | NodeKind::Cluster | NodeKind::Group(_) => None,
        };
        for group in self.graph.node_weights().filter_map(group_of) {
            *sizes.entry(group).or_default() += 1;
        }
        let mut of_node = BTreeMap::new();
        for at in self.graph.node_indices() {
            let node = &self.graph[at];
            let new = match group_of(node) {
                Some(group) => {
                    let count = sizes.get(&group).copied().unwrap_or_default();
                    let label = format!("{group} ({count})");
                    Node { id: format!("group:{group}"), label, kind: NodeKind::Group(count), group: None }
                }
                None => node.clone(),
            };
            of_node.insert(at, building.node(new));
        }
        for edge in self.graph.edge_indices() {
            let Some((from, to)) = self.graph.edge_endpoints(edge) else { continue };
            let (from, to) = (of_node[&from], of_node[&to]);
            if from != to {
                for port in &self.graph[edge].ports {
                    building.edge(from, to, port, None);
                }
                building.edge(from, to, "", self.graph[edge].volume);
            }
        }
        DependencyGraph { graph: building.graph }
    }
}

#[derive(Default)]
struct Building {
    graph: DiGraph<Node, Edge>,
    nodes: BTreeMap<String, NodeIndex>,
    edges: BTreeMap<(NodeIndex, NodeIndex), petgraph::graph::EdgeIndex>,
}

impl Building {
    fn node(&mut self, node: Node) -> NodeIndex {
        if let Some(known) = self.nodes.get(&node.id) {
            return *known;
        }
        let id = node.id.clone();
        let at = self.graph.add_node(node);
        self.nodes.insert(id, at);
        at
    }

    fn endpoint(&mut self, endpoint: &Endpoint) -> NodeIndex {
        let (id, label) = match endpoint {
            // A host that an estate refers to and does not list is drawn as what it is: outside.
            Endpoint::Host(host) => (format!("host:{host}"), host.to_string()),
            Endpoint::External(name) => (format!("external:{name}"), name.clone()),
        };
        self.node(Node { id, label, kind: NodeKind::External, group: None })
    }

    fn flow(&mut self, from: NodeIndex, to: NodeIndex, flow: &Flow) {
        let protocol = flow.protocol.as_deref().unwrap_or("any");
        let port = flow.port.map_or_else(|| protocol.to_owned(), |port| format!("{protocol}/{port}"));
        let volumes = [flow.gib_month, flow.gib_month_back].into_iter().flatten();
        let volume = volumes.map(|quantity| quantity.0).reduce(i64::saturating_add);
        self.edge(from, to, &port, volume);
    }

    fn edge(&mut self, from: NodeIndex, to: NodeIndex, port: &str, volume: Option<i64>) {
        let graph = &mut self.graph;
        let at = *self.edges.entry((from, to)).or_insert_with(|| graph.add_edge(from, to, Edge::default()));
        let edge = &mut graph[at];
        if let (false, Err(place)) =
            (port.is_empty(), edge.ports.binary_search_by(|known| known.as_str().cmp(port)))
        {
            edge.ports.insert(place, port.to_owned());
        }
        if let Some(more) = volume {
            edge.volume = Some(edge.volume.unwrap_or(0).saturating_add(more));
        }
    }
}
