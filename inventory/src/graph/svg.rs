//! A picture of the graph: columns from those who call to those who are called; wider lines carry more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use petgraph::algo::tarjan_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef as _;

use super::draw::{class, edge_label, escaped};
use super::{DependencyGraph, NodeKind};

const BOX_WIDTH: f64 = 170.0;
const BOX_HEIGHT: f64 = 34.0;
const GAP: f64 = 14.0;
const COLUMN_GAP: f64 = 130.0;
const MARGIN: f64 = 24.0;
const TITLE: f64 = 40.0;

/// Boxes in one column; more of one rank stand in columns of their own beside it.
const TALLEST: usize = 40;

/// How many letters fit into a box.
const LETTERS: usize = 22;

const STYLE: &str = "text{font:12px sans-serif;fill:#1c2733}.title{font-size:16px;font-weight:bold}.port{font-size:10px;fill:#51606f}\
rect,ellipse{stroke:#51606f;fill:#f5f8fb}.external rect{fill:#fff;stroke-dasharray:4 3}.load-balancer rect{fill:#e8f1e4}.cluster rect{fill:#efe6f6}\
.group rect{fill:#e3edf7;stroke-width:1.5}path{fill:none;stroke:#7c8ea0}.unknown{stroke-dasharray:5 4}.tag{font-size:10px;fill:#51606f}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.port,.tag{fill:#9fb0c0}rect{fill:#18222c;stroke:#9fb0c0}.external rect{fill:#0e151b}.load-balancer rect{fill:#1d2b1a}.cluster rect{fill:#281f33}.group rect{fill:#17283a}}";

/// Writes the picture.
pub(super) fn write(graph: &DependencyGraph, name: &str) -> String {
    let places = places(graph);
    let right = places.values().map(|(x, _)| x + BOX_WIDTH).fold(BOX_WIDTH, f64::max) + MARGIN;
    let bottom = places.values().map(|(_, y)| y + BOX_HEIGHT).fold(BOX_HEIGHT, f64::max) + MARGIN;
    let mut text = String::new();
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {right:.0} {bottom:.0}\" width=\"{right:.0}\" height=\"{bottom:.0}\" role=\"img\" aria-label=\"{}\">\n\
         <style>{STYLE}</style>\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" style=\"fill:#7c8ea0;stroke:none\"/></marker></defs>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"24\">{}</text>\n",
        escaped(name),
        escaped(name)
    );
    let largest = graph.graph.edge_weights().filter_map(|edge| edge.volume).max().unwrap_or(1).max(1);
    // Many lines can be told apart only without words on them; these stand in their titles.
    let has_words = graph.graph.edge_count() <= 20;
    for edge in graph.graph.edge_references() {
        let (from, to) = (places[&edge.source()], places[&edge.target()]);
        line(&mut text, from, to, edge.weight(), largest, has_words);
    }
    for at in graph.graph.node_indices() {
        let node = &graph.graph[at];
        let (x, y) = places[&at];
        let label = shortened(&node.label);
        let round = if node.kind == NodeKind::External { BOX_HEIGHT / 2.0 } else { 4.0 };
        let group = node.group.as_deref().map(shortened);
        let (baseline, tag) = match &group {
            Some(group) => {
                let tag = format!(
                    "<text class=\"tag\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                    x + 10.0,
                    y + 29.0,
                    escaped(group)
                );
                (y + 15.0, tag)
            }
            None => (y + 21.0, String::new()),
        };
        let _ = writeln!(
            text,
            "<g class=\"{}\"><title>{}</title><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"{round}\"/>\
             <text x=\"{:.0}\" y=\"{baseline:.0}\">{}</text>{tag}</g>",
            class(node),
            escaped(&node.label),
            x + 10.0,
            escaped(&label)
        );
    }
    text.push_str("</svg>\n");
    text
}

fn shortened(text: &str) -> String {
    match text.chars().nth(LETTERS) {
        Some(_) => text.chars().take(LETTERS - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

fn line(
    text: &mut String,
    from: (f64, f64),
    to: (f64, f64),
    edge: &super::Edge,
    largest: i64,
    has_words: bool,
) {
    #[expect(clippy::cast_precision_loss, reason = "the width of a line")]
    let share = edge.volume.map_or(0.0, |volume| (volume as f64 / largest as f64).sqrt());
    let width = 1.0 + 4.0 * share;
    let class = if edge.volume.is_none() { " class=\"unknown\"" } else { "" };
    let middle = |y: f64| y + BOX_HEIGHT / 2.0;
    let (start, end) = ((from.0 + BOX_WIDTH, middle(from.1)), (to.0, middle(to.1)));
    let path = if to.0 > from.0 {
        let bend = (end.0 - start.0) / 2.0;
        format!(
            "M{:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}",
            start.0,
            start.1,
            start.0 + bend,
            start.1,
            end.0 - bend,
            end.1,
            end.0,
            end.1
        )
    } else {
        // Within a column or back: out on the right and in on the right.
        let (end_x, out) = (to.0 + BOX_WIDTH, from.0.max(to.0) + BOX_WIDTH + 48.0);
        format!(
            "M{:.0} {:.0}C{out:.0} {:.0} {out:.0} {:.0} {end_x:.0} {:.0}",
            start.0, start.1, start.1, end.1, end.1
        )
    };
    let label = edge_label(edge);
    let _ = write!(
        text,
        "<g><title>{}</title><path{class} d=\"{path}\" stroke-width=\"{width:.1}\" marker-end=\"url(#end)\"/>",
        escaped(&label)
    );
    if has_words && to.0 > from.0 {
        // Near the end, where lines that begin together have parted.
        let (x, y) = (start.0 + (end.0 - start.0) * 0.62, start.1 + (end.1 - start.1) * 0.70 - 4.0);
        let _ = write!(
            text,
            "<text class=\"port\" x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\">{}</text>",
            escaped(&label)
        );
    }
    text.push_str("</g>\n");
}

/// The upper left corner of every box.
fn places(graph: &DependencyGraph) -> BTreeMap<NodeIndex, (f64, f64)> {
    let ranks = ranks(graph);
    let mut columns: BTreeMap<usize, Vec<NodeIndex>> = BTreeMap::new();
    for at in graph.graph.node_indices() {
        columns.entry(ranks[&at]).or_default().push(at);
    }
    // Boxes of one group stand together; groups stand at the height of those who call them.
    let mut height: BTreeMap<NodeIndex, f64> = BTreeMap::new();
    for column in columns.values_mut() {
        let key = |at: &NodeIndex| {
            let callers: Vec<f64> = graph
                .graph
                .neighbors_undirected(*at)
                .filter_map(|other| height.get(&other).copied())
                .collect();
            #[expect(clippy::cast_precision_loss, reason = "a few callers")]
            let count = callers.len().max(1) as f64;
            let mean = callers.iter().sum::<f64>() / count;
            // What has no lines stands first, so that others stand beside those whom they call.
            let has_lines = graph.graph.neighbors_undirected(*at).next().is_some();
            (
                mean + f64::from(u8::from(has_lines)),
                graph.graph[*at].group.clone(),
                graph.graph[*at].label.clone(),
            )
        };
        let mut keyed: Vec<_> = column.iter().map(|at| (key(at), *at)).collect();
        keyed.sort_by(|(one, a), (other, b)| {
            one.0.total_cmp(&other.0).then_with(|| (&one.1, &one.2, a).cmp(&(&other.1, &other.2, b)))
        });
        *column = keyed.into_iter().map(|(_, at)| at).collect();
        for (number, at) in column.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "some thousand boxes")]
            height.insert(*at, number as f64);
        }
    }
    let tallest = columns.values().map(|column| column.len().min(TALLEST)).max().unwrap_or(1);
    let mut places = BTreeMap::new();
    let mut x = MARGIN;
    for column in columns.values() {
        for part in column.chunks(TALLEST) {
            #[expect(clippy::cast_precision_loss, reason = "at most as many as a column holds")]
            let top = TITLE + (tallest - part.len()) as f64 * (BOX_HEIGHT + GAP) / 2.0;
            for (number, at) in part.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "at most as many as a column holds")]
                let y = top + number as f64 * (BOX_HEIGHT + GAP);
                places.insert(*at, (x, y));
            }
            x += BOX_WIDTH + if column.len() > TALLEST { 30.0 } else { COLUMN_GAP };
        }
        if column.len() > TALLEST {
            x += COLUMN_GAP - 30.0;
        }
    }
    places
}

/// The column of every node: one more than the furthest of those who call it, circles taken as one.
fn ranks(graph: &DependencyGraph) -> BTreeMap<NodeIndex, usize> {
    let components = tarjan_scc(&graph.graph);
    let mut component_of = BTreeMap::new();
    for (number, component) in components.iter().enumerate() {
        component_of.extend(component.iter().map(|at| (*at, number)));
    }
    let mut rank = vec![0_usize; components.len()];
    // Tarjan's components come with those who are called first.
    for (number, component) in components.iter().enumerate().rev() {
        for at in component {
            for called in graph.graph.neighbors(*at) {
                let other = component_of[&called];
                if other != number {
                    rank[other] = rank[other].max(rank[number] + 1);
                }
            }
        }
    }
    component_of.into_iter().map(|(at, component)| (at, rank[component])).collect()
}
