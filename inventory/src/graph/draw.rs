//! The graph in the forms that other programs read: DOT, Mermaid, GraphML, and a picture.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use carafe_model::estate::Estate;
use carafe_model::units::Quantity;
use petgraph::graph::NodeIndex;

use super::analysis::Proposal;
use super::svg;
use super::{DependencyGraph, Edge, Node, NodeKind};

/// A form in which a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A picture (SVG).
    Svg,
    /// The language of Graphviz.
    Dot,
    /// The language of Mermaid, which wikis and repositories draw.
    Mermaid,
    /// GraphML, for yEd, Gephi and others.
    GraphMl,
}

/// Above so many hosts a picture shows groups instead of hosts.
pub const MOST_HOSTS: usize = 60;

/// Writes the graph of an estate. `grouped` shows groups instead of hosts, or leaves it to the number of hosts.
pub fn write(
    estate: &Estate,
    graph: &DependencyGraph,
    proposals: &[Proposal],
    form: Form,
    grouped: Option<bool>,
) -> String {
    let proposed: BTreeMap<usize, &str> = proposals
        .iter()
        .flat_map(|proposal| proposal.hosts.iter().map(|at| (*at, proposal.name.as_str())))
        .collect();
    let of_host = |at: usize| proposed.get(&at).map(|name| format!("{name}?"));
    let few = grouped.map_or(estate.hosts.len() <= MOST_HOSTS, |grouped| !grouped);
    let shown = if few { with_proposals(graph, of_host) } else { graph.grouped(of_host) };
    match form {
        Form::Svg => svg::write(&without_hubs(shown), &estate.name),
        Form::Dot => dot(&shown, &estate.name),
        Form::Mermaid => mermaid(&shown),
        Form::GraphMl => graphml(&shown),
    }
}

/// Takes out the lines of what nearly everybody outside speaks with, such as the internet, where there is much to draw: they
/// would hide all others. Whoever speaks with it has its name in its box instead.
fn without_hubs(mut shown: DependencyGraph) -> DependencyGraph {
    const HUB: usize = 24;
    let graph = &mut shown.graph;
    if graph.node_count() <= MOST_HOSTS {
        return shown;
    }
    let is_hub = |at: &NodeIndex| {
        graph[*at].kind == NodeKind::External && graph.neighbors_undirected(*at).count() > HUB
    };
    let hubs: BTreeSet<NodeIndex> = graph.node_indices().filter(is_hub).collect();
    let mut tags: BTreeMap<NodeIndex, BTreeSet<String>> = BTreeMap::new();
    for edge in graph.edge_indices() {
        let Some((from, to)) = graph.edge_endpoints(edge) else { continue };
        if hubs.contains(&from) {
            tags.entry(to).or_default().insert(format!("from {}", graph[from].label));
        }
        if hubs.contains(&to) {
            tags.entry(from).or_default().insert(format!("to {}", graph[to].label));
        }
    }
    graph.retain_edges(|graph, edge| {
        graph.edge_endpoints(edge).is_some_and(|(from, to)| !hubs.contains(&from) && !hubs.contains(&to))
    });
    for (at, tags) in tags {
        let tags: Vec<String> = tags.into_iter().collect();
        let group = graph[at].group.take();
        graph[at].group = Some(group.into_iter().chain(tags).collect::<Vec<_>>().join(", "));
    }
    for at in hubs {
        graph[at].group = Some("named in boxes".to_owned());
    }
    shown
}

fn with_proposals(graph: &DependencyGraph, of_host: impl Fn(usize) -> Option<String>) -> DependencyGraph {
    let mut graph = graph.clone();
    for node in graph.graph.node_weights_mut() {
        if let (NodeKind::Host(at), None) = (&node.kind, &node.group) {
            node.group = of_host(*at);
        }
    }
    graph
}

/// What an edge says: a few ports, and the volume where it is known.
pub(super) fn edge_label(edge: &Edge) -> String {
    const MOST: usize = 3;
    let ports: Vec<&str> = edge.ports.iter().take(MOST).map(String::as_str).collect();
    let more = edge.ports.len().saturating_sub(MOST);
    let mut label = ports.join(", ");
    if more > 0 {
        let _ = write!(label, " +{more}");
    }
    if let Some(volume) = edge.volume {
        let rounded = Quantity((volume + 50_000) / 100_000 * 100_000);
        let _ = write!(label, " {rounded} GiB");
    }
    label.trim().to_owned()
}

pub(super) fn class(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Host(_) => "host",
        NodeKind::External => "external",
        NodeKind::LoadBalancer => "load-balancer",
        NodeKind::Cluster => "cluster",
        NodeKind::Group(_) => "group",
    }
}

/// Nodes by their group, those without one first.
fn by_group(graph: &DependencyGraph) -> BTreeMap<Option<&str>, Vec<usize>> {
    let mut groups: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for at in graph.graph.node_indices() {
        groups.entry(graph.graph[at].group.as_deref()).or_default().push(at.index());
    }
    groups
}

fn edges(graph: &DependencyGraph) -> impl Iterator<Item = (usize, usize, &Edge)> {
    graph.graph.raw_edges().iter().map(|edge| (edge.source().index(), edge.target().index(), &edge.weight))
}

fn dot(graph: &DependencyGraph, name: &str) -> String {
    let quoted = |text: &str| {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let mut text =
        format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n", quoted(name));
    for (number, (group, nodes)) in by_group(graph).into_iter().enumerate() {
        if let Some(group) = group {
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label={};", quoted(group));
        }
        for at in nodes {
            let node = &graph.graph[NodeIndex::new(at)];
            let shape = match node.kind {
                NodeKind::Host(_) => "box",
                NodeKind::External => "ellipse",
                NodeKind::LoadBalancer => "diamond",
                NodeKind::Cluster => "hexagon",
                NodeKind::Group(_) => "box3d",
            };
            let _ = writeln!(text, "    n{at} [label={}, shape={shape}];", quoted(&node.label));
        }
        if group.is_some() {
            text.push_str("  }\n");
        }
    }
    for (from, to, edge) in edges(graph) {
        let _ = writeln!(text, "  n{from} -> n{to} [label={}];", quoted(&edge_label(edge)));
    }
    text.push_str("}\n");
    text
}

fn mermaid(graph: &DependencyGraph) -> String {
    // Mermaid has no escapes but entities, written with # instead of &.
    let quoted = |text: &str| {
        let mut escaped = String::new();
        for c in text.chars() {
            match c {
                '"' | '#' | '<' | '>' | '&' | '`' | '|' | '[' | ']' | '{' | '}' | '\\' => {
                    let _ = write!(escaped, "#{};", u32::from(c));
                }
                c if c.is_control() => escaped.push(' '),
                c => escaped.push(c),
            }
        }
        format!("\"{escaped}\"")
    };
    let mut text = "flowchart LR\n".to_owned();
    for (number, (group, nodes)) in by_group(graph).into_iter().enumerate() {
        if let Some(group) = group {
            let _ = writeln!(text, "  subgraph g{number}[{}]", quoted(group));
        }
        for at in nodes {
            let node = &graph.graph[NodeIndex::new(at)];
            let label = quoted(&node.label);
            let _ = match node.kind {
                NodeKind::Host(_) => writeln!(text, "    n{at}[{label}]"),
                NodeKind::External => writeln!(text, "    n{at}([{label}])"),
                NodeKind::LoadBalancer => writeln!(text, "    n{at}{{{label}}}"),
                NodeKind::Cluster => writeln!(text, "    n{at}{{{{{label}}}}}"),
                NodeKind::Group(_) => writeln!(text, "    n{at}[[{label}]]"),
            };
        }
        if group.is_some() {
            text.push_str("  end\n");
        }
    }
    for (from, to, edge) in edges(graph) {
        let label = edge_label(edge);
        let _ = match label.is_empty() {
            true => writeln!(text, "  n{from} --> n{to}"),
            false => writeln!(text, "  n{from} -->|{}| n{to}", quoted(&label)),
        };
    }
    text
}

/// Text between tags and in attributes, without characters that XML does not allow.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

fn graphml(graph: &DependencyGraph) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
        <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
        <key id=\"kind\" for=\"node\" attr.name=\"kind\" attr.type=\"string\"/>\n\
        <key id=\"group\" for=\"node\" attr.name=\"group\" attr.type=\"string\"/>\n\
        <key id=\"ports\" for=\"edge\" attr.name=\"ports\" attr.type=\"string\"/>\n\
        <key id=\"gib\" for=\"edge\" attr.name=\"gib_month\" attr.type=\"double\"/>\n\
        <graph id=\"estate\" edgedefault=\"directed\">\n"
        .to_owned();
    for at in graph.graph.node_indices() {
        let node = &graph.graph[at];
        let _ = write!(
            text,
            "<node id=\"n{}\"><data key=\"label\">{}</data><data key=\"kind\">{}</data>",
            at.index(),
            escaped(&node.label),
            class(node)
        );
        if let Some(group) = &node.group {
            let _ = write!(text, "<data key=\"group\">{}</data>", escaped(group));
        }
        text.push_str("</node>\n");
    }
    for (number, (from, to, edge)) in edges(graph).enumerate() {
        let ports = escaped(&edge.ports.join(", "));
        let _ = write!(
            text,
            "<edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\"><data key=\"ports\">{ports}</data>"
        );
        if let Some(volume) = edge.volume {
            let _ = write!(text, "<data key=\"gib\">{}</data>", Quantity(volume));
        }
        text.push_str("</edge>\n");
    }
    text.push_str("</graph>\n</graphml>\n");
    text
}
