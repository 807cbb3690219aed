//! The dependency graph: who sends to whom, where both are, and what their edge costs.

use std::collections::BTreeMap;

use carafe_model::units::{Money, Quantity};

use super::sum;
use crate::voice::Voice;
use crate::words::visible;

/// More hosts than this are drawn as one node for each place.
const MOST_HOSTS: usize = 60;
/// More edges than this are drawn between places only.
const MOST_EDGES: usize = 150;
/// Edges that cost something and are listed; the others are summed up.
const MOST_LISTED: usize = 25;

/// The graph.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Where hosts are, in the order of the answer; what is outside comes last.
    pub places: Vec<Place>,
    /// What is drawn.
    pub edges: Vec<Edge>,
    /// Edges that cost something, the dearest first.
    pub costly: Vec<CostlyEdge>,
    /// What the edges that are not listed cost, in a sentence; empty when all are.
    pub rest: String,
    /// How many flows there are and what they cost, in a sentence.
    pub summary: String,
}

/// A place with its hosts.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// How many hosts are there, in words; empty for what is outside.
    pub count: String,
    /// Hosts that are drawn; empty when there are too many.
    pub hosts: Vec<String>,
}

/// An edge between two drawn nodes.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Place and host of the sender; no host where only places are drawn.
    pub from: (usize, Option<usize>),
    /// Place and host of the receiver.
    pub to: (usize, Option<usize>),
    /// Whether both are in one place.
    pub is_inside: bool,
    /// What it costs a month.
    pub monthly: Money,
}

/// An edge that costs something.
#[derive(Clone, Debug)]
pub struct CostlyEdge {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// Between which places.
    pub between: String,
    /// How much, in words.
    pub volume: String,
    /// What it costs a month.
    pub monthly: crate::figures::Amount,
}

impl Network {
    /// Reads the graph of a plan.
    pub fn new(voice: &Voice<'_>) -> Network {
        let plan = voice.plan;
        if plan.flows.is_empty() {
            return Network::default();
        }
        let mut places: Vec<Place> = Vec::new();
        let mut place_of_name: BTreeMap<String, usize> = BTreeMap::new();
        let mut place_of: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let many = plan.placements.len() > MOST_HOSTS || plan.flows.len() > MOST_EDGES;
        let mut counts: Vec<usize> = Vec::new();
        for placement in &plan.placements {
            let name = voice.place(&placement.provider, &placement.region);
            let place = *place_of_name.entry(name.clone()).or_insert_with(|| {
                places.push(Place { name, count: String::new(), hosts: Vec::new() });
                counts.push(0);
                places.len() - 1
            });
            place_of.insert(placement.host.as_str(), (place, counts[place]));
            counts[place] += 1;
            if !many {
                places[place].hosts.push(visible(placement.host.as_str()));
            }
        }
        for (place, count) in places.iter_mut().zip(&counts) {
            place.count = voice.n("answer.hosts", *count);
        }
        let outside = places.len();
        let mut outside_hosts: Vec<String> = Vec::new();
        let mut edges: BTreeMap<_, Money> = BTreeMap::new();
        for flow in &plan.flows {
            let Some(&(from_place, from_host)) = place_of.get(flow.from.as_str()) else { continue };
            let (to_place, to_host) = match place_of.get(flow.to.as_str()) {
                Some(&place) => place,
                None => {
                    let name = visible(&flow.to);
                    let known = outside_hosts.iter().position(|known| *known == name);
                    let place = known.unwrap_or_else(|| {
                        outside_hosts.push(name);
                        outside_hosts.len() - 1
                    });
                    (outside, place)
                }
            };
            let node = |place: usize, host: usize| (place, (!many).then_some(host));
            let ends = (node(from_place, from_host), node(to_place, to_host));
            if ends.0 != ends.1 {
                let cost = edges.entry(ends).or_default();
                *cost = sum([*cost, flow.monthly]);
            }
        }
        if !outside_hosts.is_empty() {
            let name = voice.w("network.outside").to_owned();
            let hosts = if many { Vec::new() } else { outside_hosts };
            places.push(Place { name, count: String::new(), hosts });
        }
        let edges = edges
            .into_iter()
            .map(|((from, to), monthly)| Edge { from, to, is_inside: from.0 == to.0, monthly })
            .collect();
        let (costly, rest) = costly(voice, &places, &place_of, outside);
        Network { places, edges, costly, rest, summary: summary(voice) }
    }
}

fn summary(voice: &Voice<'_>) -> String {
    let flows = &voice.plan.flows;
    let total = sum(flows.iter().map(|flow| flow.monthly));
    let n_costly = flows.iter().filter(|flow| flow.monthly != Money::ZERO).count();
    let said = carafe_model::language::Said::new("network.summary").with("n", flows.len());
    voice.say(&said.with("costly", n_costly).with("x", voice.money(total)))
}

fn costly(
    voice: &Voice<'_>,
    places: &[Place],
    place_of: &BTreeMap<&str, (usize, usize)>,
    outside: usize,
) -> (Vec<CostlyEdge>, String) {
    let mut flows: Vec<_> = voice.plan.flows.iter().filter(|flow| flow.monthly != Money::ZERO).collect();
    flows.sort_by_key(|flow| std::cmp::Reverse(flow.monthly));
    let place = |host: &str| place_of.get(host).map_or(outside, |place| place.0);
    let name = |place: usize| places.get(place).map_or("", |place| place.name.as_str());
    let listed = flows.iter().take(MOST_LISTED).map(|flow| CostlyEdge {
        from: visible(flow.from.as_str()),
        to: visible(&flow.to),
        between: format!("{} → {}", name(place(flow.from.as_str())), name(place(&flow.to))),
        volume: volume(voice, flow.gib, flow.is_assumed),
        monthly: voice.amount(flow.monthly),
    });
    let listed = listed.collect();
    let left = flows.get(MOST_LISTED..).unwrap_or_default();
    let rest = if left.is_empty() {
        String::new()
    } else {
        let total = sum(left.iter().map(|flow| flow.monthly));
        let said = carafe_model::language::Said::new("network.rest").with("n", left.len());
        voice.say(&said.with("x", voice.money(total)))
    };
    (listed, rest)
}

fn volume(voice: &Voice<'_>, gib: Quantity, is_assumed: bool) -> String {
    let key = if is_assumed { "network.assumed" } else { "network.known" };
    voice.x(key, &voice.quantity(gib))
}
