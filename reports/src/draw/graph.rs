//! The dependency graph: a box for each place with its hosts, and a line for each edge.
//!
//! Boxes stand beside each other; hosts stand below each other in their box. Edges within a place run on its left side,
//! edges between places run from side to side. What an edge costs is in the table below the figure.

use askama::Template;

use crate::views::network::{Edge, Network};
use crate::words::clipped;

const BOX_WIDTH: i64 = 190;
const GAP: i64 = 110;
const HEAD: i64 = 44;
const NODE_HEIGHT: i64 = 24;
const NODE_PITCH: i64 = 30;
const MARGIN: i64 = 30;
/// Columns of text that fit into a node.
const COLUMNS: usize = 22;
/// Colours there are; further places use them again.
const COLOURS: usize = 6;

#[derive(Template)]
#[template(path = "svg/graph.svg")]
struct Graph<'a> {
    title: &'a str,
    description: String,
    width: i64,
    height: i64,
    boxes: Vec<PlaceBox>,
    edges: Vec<Line>,
}

struct PlaceBox {
    x: i64,
    height: i64,
    name: String,
    count: String,
    colour: usize,
    nodes: Vec<Node>,
}

struct Node {
    y: i64,
    text_y: i64,
    name: String,
}

struct Line {
    path: String,
    class: &'static str,
}

/// Draws a graph.
pub(crate) fn graph(title: &str, network: &Network) -> String {
    let x_of = |place: usize| MARGIN + place as i64 * (BOX_WIDTH + GAP);
    let boxes: Vec<PlaceBox> = network
        .places
        .iter()
        .enumerate()
        .map(|(place, of)| {
            let node = |(row, name): (usize, &String)| {
                let y = HEAD + row as i64 * NODE_PITCH;
                Node { y, text_y: y + 16, name: clipped(name, COLUMNS) }
            };
            PlaceBox {
                x: x_of(place),
                height: HEAD + of.hosts.len().max(1) as i64 * NODE_PITCH,
                name: clipped(&of.name, COLUMNS + 2),
                count: of.count.clone(),
                colour: place % COLOURS,
                nodes: of.hosts.iter().enumerate().map(node).collect(),
            }
        })
        .collect();
    let height = boxes.iter().map(|place| place.height).max().unwrap_or(0) + MARGIN;
    let described: Vec<String> = network.places.iter().map(|p| format!("{}: {}", p.name, p.count)).collect();
    Graph {
        title,
        description: format!("{}. {}", described.join("; "), network.summary),
        width: x_of(boxes.len()) - GAP + MARGIN,
        height,
        edges: network.edges.iter().map(|edge| line(edge, x_of)).collect(),
        boxes,
    }
    .render()
    .expect("writing to a string does not fail")
}

fn line(edge: &Edge, x_of: impl Fn(usize) -> i64) -> Line {
    let y =
        |host: Option<usize>| host.map_or(HEAD / 2, |row| HEAD + row as i64 * NODE_PITCH + NODE_HEIGHT / 2);
    let (from, to) = (edge.from, edge.to);
    let (y_from, y_to) = (y(from.1), y(to.1));
    let class = match (edge.is_inside, edge.monthly.0) {
        (true, _) => "edge",
        (false, 0) => "edge across",
        (false, _) => "edge across costly",
    };
    let path = if edge.is_inside {
        let x = x_of(from.0) + 8;
        let bow = 16 + (y_to - y_from).abs() / 12;
        format!("M{x} {y_from}C{} {y_from} {} {y_to} {x} {y_to}", x - bow, x - bow)
    } else {
        let (x_from, x_to) = if from.0 < to.0 {
            (x_of(from.0) + BOX_WIDTH - 8, x_of(to.0) + 8)
        } else {
            (x_of(from.0) + 8, x_of(to.0) + BOX_WIDTH - 8)
        };
        let middle = (x_from + x_to) / 2;
        format!("M{x_from} {y_from}C{middle} {y_from} {middle} {y_to} {x_to} {y_to}")
    };
    Line { path, class }
}
