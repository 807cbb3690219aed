//! Lower bounds: message passing over nodes, edges and opening costs.
//!
//! The cost of the problem is moved around between nodes, edges and opening costs without ever changing the cost of any
//! labelling. What the parts cost at least, each for itself, then adds up to a lower bound; moving cost so that this sum
//! grows is the dual problem. Over edges it is the sequential reweighted message passing of Kolmogorov ("A new look at
//! reweighted message passing", 2015), which for pairs of nodes is his TRW-S (2006). For opening costs it is the dual
//! ascent of Erlenkotter ("A dual-based procedure for uncapacitated facility location", 1978): a node pays towards
//! opening a place as long as that raises the cheapest label it has.
//!
//! Every step is done in integers and keeps the sum exactly, so [`Dual::bound`] is a bound whatever was rounded away.
//! Limits and capacities are not moved around: leaving them out only makes the bound weaker.

use std::rc::Rc;

use crate::solve::problem::{Incidence, NEVER, Problem};
use crate::solve::reach::{Reach, Sender};

/// What never changes while cost is moved: whose edges are where, and where everybody's numbers begin.
#[derive(Debug)]
struct Layout {
    incidence: Incidence,
    /// By node: where its labels begin in the arrays over labels.
    node: Vec<usize>,
    /// By edge: where the numbers of its ends begin in `moved`.
    end: Vec<[usize; 2]>,
}

/// A way of having moved the cost around.
///
/// Arrays over labels hold the labels of one node after another, as many as it began with; the first `len` of them are
/// still in its domain.
#[derive(Clone, Debug)]
pub struct Dual<'p> {
    pub(super) problem: &'p Problem,
    layout: Rc<Layout>,
    len: Vec<u32>,
    label: Vec<u32>,
    /// What each label of the domain costs now, with everything moved to it.
    theta: Vec<i64>,
    /// `theta` of each node when it was last visited, with what all its edges had to say. Kept only for opening costs.
    marginal: Vec<i64>,
    /// What each edge has moved to its ends, by place in that end's domain.
    moved: Vec<i64>,
    /// What each node pays towards opening a region, the same for all its labels there. Empty without opening costs.
    pays_region: Vec<i64>,
    /// What each node pays towards opening a provider, by provider. Empty without opening costs.
    pays_provider: Vec<i64>,
    /// Opening cost that nobody pays yet.
    pub(super) left_region: Vec<i64>,
    pub(super) left_provider: Vec<i64>,
    /// Opening costs that are certain.
    pub constant: i64,
    pub(super) state_region: Vec<Opening>,
    pub(super) state_provider: Vec<Opening>,
    /// Scratch space: what a node gives to every edge ahead.
    share: Vec<i64>,
}

/// What is known about the use of a region or provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// May be used.
    Undecided,
    /// Is paid for, used or not.
    Open,
    /// Is not used.
    Closed,
}

impl<'p> Dual<'p> {
    /// Nothing moved yet.
    pub fn new(problem: &'p Problem) -> Dual<'p> {
        let mut node = Vec::with_capacity(problem.nodes.len() + 1);
        let mut cells = 0;
        for labels in &problem.nodes {
            node.push(cells);
            cells += labels.len();
        }
        node.push(cells);
        let mut n_moved = 0;
        let mut place_of = |end: u32| {
            let begins = n_moved;
            n_moved += problem.nodes[end as usize].len();
            begins
        };
        let end = problem.edges.iter().map(|edge| [place_of(edge.a), place_of(edge.b)]).collect();
        let theta: Vec<i64> = problem.nodes.iter().flatten().map(|&(_, cost)| cost).collect();
        let has_openings = problem.has_openings();
        let if_openings = |n: usize| if has_openings { vec![0; n] } else { Vec::new() };
        Dual {
            layout: Rc::new(Layout { incidence: problem.incidence(), node, end }),
            len: problem.nodes.iter().map(|labels| labels.len() as u32).collect(),
            label: problem.nodes.iter().flatten().map(|&(label, _)| label).collect(),
            marginal: if has_openings { theta.clone() } else { Vec::new() },
            theta,
            moved: vec![0; n_moved],
            pays_region: if_openings(cells),
            pays_provider: if_openings(problem.nodes.len() * problem.open_provider.len()),
            left_region: problem.open_region.clone(),
            left_provider: problem.open_provider.clone(),
            constant: 0,
            state_region: vec![Opening::Undecided; problem.open_region.len()],
            state_provider: vec![Opening::Undecided; problem.open_provider.len()],
            share: Vec::new(),
            problem,
        }
    }

    /// The same with arrays no longer than what is left.
    pub fn compact(&self) -> Dual<'p> {
        let mut node = Vec::with_capacity(self.len.len() + 1);
        let mut cells = 0;
        for len in &self.len {
            node.push(cells);
            cells += *len as usize;
        }
        node.push(cells);
        let mut n_moved = 0;
        let mut place_of = |end: u32| {
            let begins = n_moved;
            n_moved += self.len[end as usize] as usize;
            begins
        };
        let end = self.problem.edges.iter().map(|edge| [place_of(edge.a), place_of(edge.b)]).collect();
        let moved = (0..self.problem.edges.len())
            .flat_map(|edge| [0, 1].map(|end| &self.moved[self.moved_cells(edge, end)]))
            .flatten()
            .copied()
            .collect();
        let has_openings = !self.pays_region.is_empty();
        Dual {
            label: self.left_of(&self.label),
            theta: self.left_of(&self.theta),
            marginal: if has_openings { self.left_of(&self.marginal) } else { Vec::new() },
            pays_region: if has_openings { self.left_of(&self.pays_region) } else { Vec::new() },
            moved,
            layout: Rc::new(Layout { incidence: self.layout.incidence.clone(), node, end }),
            ..self.clone()
        }
    }

    fn left_of<T: Copy>(&self, all: &[T]) -> Vec<T> {
        (0..self.len.len()).flat_map(|node| &all[self.cells(node)]).copied().collect()
    }

    /// How many numbers it holds.
    pub fn n_cells(&self) -> usize {
        self.label.len() + self.moved.len()
    }

    fn cells(&self, node: usize) -> std::ops::Range<usize> {
        let first = self.layout.node[node];
        first..first + self.len[node] as usize
    }

    fn moved_cells(&self, edge: usize, end: usize) -> std::ops::Range<usize> {
        let first = self.layout.end[edge][end];
        let edge = &self.problem.edges[edge];
        let node = if end == 0 { edge.a } else { edge.b };
        first..first + self.len[node as usize] as usize
    }

    /// Labels a node may still take.
    pub fn domain(&self, node: usize) -> &[u32] {
        &self.label[self.cells(node)]
    }

    /// What the labels of a node's domain cost now.
    pub fn theta(&self, node: usize) -> &[i64] {
        &self.theta[self.cells(node)]
    }

    pub(super) fn theta_mut(&mut self, node: usize) -> &mut [i64] {
        let cells = self.cells(node);
        &mut self.theta[cells]
    }

    pub(super) fn marginal(&self, node: usize) -> &[i64] {
        &self.marginal[self.cells(node)]
    }

    pub(super) fn marginal_mut(&mut self, node: usize) -> &mut [i64] {
        let cells = self.cells(node);
        &mut self.marginal[cells]
    }

    pub(super) fn pays_region(&self, node: usize) -> &[i64] {
        &self.pays_region[self.cells(node)]
    }

    pub(super) fn pays_region_mut(&mut self, node: usize) -> &mut [i64] {
        let cells = self.cells(node);
        &mut self.pays_region[cells]
    }

    pub(super) fn pays_provider(&self, node: usize, provider: usize) -> i64 {
        self.pays_provider[node * self.left_provider.len() + provider]
    }

    pub(super) fn pays_provider_mut(&mut self, node: usize, provider: usize) -> &mut i64 {
        &mut self.pays_provider[node * self.left_provider.len() + provider]
    }

    /// What an edge has moved to the labels of one of its ends.
    pub(super) fn moved(&self, edge: usize, node: usize) -> &[i64] {
        let end = usize::from(self.problem.edges[edge].a as usize != node);
        &self.moved[self.moved_cells(edge, end)]
    }

    /// Whether nodes pay a region's opening cost, but for a hundredth at most.
    pub fn is_paid(&self, region: usize) -> bool {
        self.left_region[region] <= self.problem.open_region[region] / 100
    }

    /// What is known about a region.
    pub fn region_state(&self, region: usize) -> Opening {
        self.state_region[region]
    }

    /// What is known about a provider.
    pub fn provider_state(&self, provider: usize) -> Opening {
        self.state_provider[provider]
    }

    /// What a node's cheapest label costs now; `None` when it has no label left.
    pub fn least(&self, node: usize) -> Option<i64> {
        self.theta(node).iter().copied().min()
    }

    /// The bound right after [`Dual::sweep`]: then every edge's own minimum is zero at least.
    pub fn bound_after_sweep(&self) -> i64 {
        (0..self.len.len())
            .map(|node| self.least(node))
            .try_fold(self.constant, |total, least| Some(total + least?))
            .unwrap_or(NEVER)
    }

    /// No labelling within the domains costs less. [`NEVER`] when there is none.
    pub fn bound(&self, scratch: &mut Reach) -> i64 {
        let mut total = self.bound_after_sweep();
        if total >= NEVER {
            return NEVER;
        }
        for edge in 0..self.problem.edges.len() {
            match self.edge_bound(edge, scratch) {
                Some(least) => total += least,
                None => return NEVER,
            }
        }
        total
    }

    /// What an edge costs at least now; `None` when its table refuses everything that is left.
    pub(super) fn edge_bound(&self, place: usize, scratch: &mut Reach) -> Option<i64> {
        let edge = &self.problem.edges[place];
        let to_b = &self.moved[self.moved_cells(place, 1)];
        let sender = Sender {
            labels: self.domain(edge.a as usize),
            moved: &self.moved[self.moved_cells(place, 0)],
            is_a: true,
        };
        let mut least = NEVER;
        scratch.send(self.problem, edge, sender, self.domain(edge.b as usize), |place, cost| {
            if cost < NEVER {
                least = least.min(cost - to_b[place]);
            }
        });
        (least < NEVER).then_some(least)
    }

    /// One pass over all nodes and back. Fills `rounded` with a labelling found on the way, when there is one to fill.
    pub fn sweep(&mut self, scratch: &mut Reach, mut rounded: Option<&mut [u32]>, pays: bool) {
        let n = self.len.len();
        for node in 0..n {
            self.visit(node, true, scratch, pays);
            if let Some(rounded) = rounded.as_deref_mut() {
                rounded[node] = self.round(node, rounded);
            }
            self.push(node, true);
        }
        for node in (0..n).rev() {
            self.visit(node, false, scratch, pays);
            self.push(node, false);
        }
    }

    /// Collects from the edges behind, then settles opening costs.
    fn visit(&mut self, node: usize, forward: bool, scratch: &mut Reach, pays: bool) {
        let layout = Rc::clone(&self.layout);
        for &place in layout.incidence.of(node) {
            let edge = &self.problem.edges[place as usize];
            let other = edge.other(node as u32) as usize;
            if (other < node) == forward {
                self.collect(place as usize, other, node, scratch);
            }
        }
        if pays {
            self.pay(node);
        }
        if !self.marginal.is_empty() {
            let cells = self.cells(node);
            self.marginal[cells.clone()].copy_from_slice(&self.theta[cells]);
        }
    }

    /// Moves to the receiving end what the edge costs at least for each of its labels.
    fn collect(&mut self, place: usize, from: usize, to: usize, scratch: &mut Reach) {
        let edge = &self.problem.edges[place];
        let from_a = edge.a as usize == from;
        let (sent, received) =
            (self.moved_cells(place, usize::from(!from_a)), self.moved_cells(place, usize::from(from_a)));
        // The end `a` of an edge lies before its end `b`.
        let (sent, received) = if from_a {
            let (before, after) = self.moved.split_at_mut(received.start);
            (&before[sent], &mut after[..received.len()])
        } else {
            let (before, after) = self.moved.split_at_mut(sent.start);
            (&after[..sent.len()], &mut before[received])
        };
        let first = self.layout.node[to];
        let n = self.len[to] as usize;
        let theta = &mut self.theta[first..first + n];
        let begins = self.layout.node[from];
        let sender = Sender { labels: &self.label[begins..begins + sent.len()], moved: sent, is_a: from_a };
        scratch.send(self.problem, edge, sender, &self.label[first..first + n], |place, least| {
            // A label that the edge refuses keeps what it had: any amount keeps the sum.
            if least < NEVER {
                theta[place] += least - received[place];
                received[place] = least;
            }
        });
    }

    /// Gives the edges ahead their share of what each label costs above the cheapest.
    fn push(&mut self, node: usize, forward: bool) {
        let layout = Rc::clone(&self.layout);
        let edges = layout.incidence.of(node);
        let is_ahead =
            |place: u32| (self.problem.edges[place as usize].other(node as u32) as usize > node) == forward;
        let ahead = edges.iter().filter(|place| is_ahead(**place)).count();
        if ahead == 0 {
            return;
        }
        let shares = ahead.max(edges.len() - ahead) as i64;
        let cells = self.cells(node);
        let theta = &mut self.theta[cells.clone()];
        let Some(least) = theta.iter().copied().min() else { return };
        self.share.clear();
        self.share.extend(theta.iter().map(|theta| (theta - least) / shares));
        for &place in edges.iter().filter(|place| is_ahead(**place)) {
            let end = usize::from(self.problem.edges[place as usize].a as usize != node);
            let first = layout.end[place as usize][end];
            for (moved, share) in self.moved[first..].iter_mut().zip(&self.share) {
                *moved -= share;
            }
        }
        for (theta, share) in theta.iter_mut().zip(&self.share) {
            *theta -= share * ahead as i64;
        }
    }

    /// Lets a node pay towards opening costs as much as raises its cheapest label, and no more.
    fn pay(&mut self, node: usize) {
        if self.pays_region.is_empty() || self.len[node] == 0 {
            return;
        }
        self.take_back(node);
        let places = &self.problem.places;
        let cells = self.cells(node);
        let labels = &self.label[cells.clone()];
        let theta = &mut self.theta[cells.clone()];
        let pays = &mut self.pays_region[cells];
        let n_providers = self.left_provider.len();
        let pays_provider = &mut self.pays_provider[node * n_providers..(node + 1) * n_providers];
        // The level that can be reached: no label may need more than what is left of its region's and provider's cost.
        let reachable = labels.iter().zip(theta.iter()).map(|(label, theta)| {
            theta
                + self.left_region[places.region_of(*label)]
                + self.left_provider[places.provider_of(*label)]
        });
        let level = reachable.min().expect("a node has a label");
        let mut at = 0;
        while at < labels.len() {
            let region = places.region_of(labels[at]);
            let provider = places.provider_of(labels[at]);
            let end =
                at + labels[at..].iter().take_while(|label| places.region_of(**label) == region).count();
            let needs = theta[at..end].iter().map(|theta| level - theta).max().unwrap_or(0).max(0);
            let paid = needs.min(self.left_region[region]);
            self.left_region[region] -= paid;
            pays[at..end].fill(paid);
            pays_provider[provider] = pays_provider[provider].max(needs - paid);
            at = end;
        }
        for ((label, theta), paid) in labels.iter().zip(theta).zip(pays) {
            *theta += *paid + pays_provider[places.provider_of(*label)];
        }
        for (left, paid) in self.left_provider.iter_mut().zip(pays_provider.iter()) {
            *left -= paid;
        }
    }

    /// Gives a node back what it pays.
    fn take_back(&mut self, node: usize) {
        let places = &self.problem.places;
        let cells = self.cells(node);
        let n_providers = self.left_provider.len();
        let pays_provider = &mut self.pays_provider[node * n_providers..(node + 1) * n_providers];
        let mut last = usize::MAX;
        for cell in cells {
            let (region, provider) =
                (places.region_of(self.label[cell]), places.provider_of(self.label[cell]));
            let paid = std::mem::take(&mut self.pays_region[cell]);
            self.theta[cell] -= paid + pays_provider[provider];
            if region != last {
                self.left_region[region] += paid;
                last = region;
            }
        }
        for (left, paid) in self.left_provider.iter_mut().zip(pays_provider) {
            *left += std::mem::take(paid);
        }
    }

    /// The best label of a node, given the labels of the nodes before it.
    fn round(&self, node: usize, before: &[u32]) -> u32 {
        let problem = self.problem;
        let edges = self.layout.incidence.of(node);
        let behind = |place: &&u32| (problem.edges[**place as usize].other(node as u32) as usize) < node;
        let mut best = (true, NEVER, 0);
        for (place, &label) in self.domain(node).iter().enumerate() {
            let mut cost = self.theta(node)[place];
            let mut refused = false;
            for &edge_place in edges.iter().filter(behind) {
                let edge = &problem.edges[edge_place as usize];
                let is_a = edge.a as usize == node;
                let other = before[edge.other(node as u32) as usize];
                let (r, s) = if is_a { (label, other) } else { (other, label) };
                let first = self.layout.end[edge_place as usize][usize::from(!is_a)];
                cost += problem.edge_cost(edge, r, s) - self.moved[first + place];
                refused |= problem.refuses(edge, r, s);
            }
            if (refused, cost) < (best.0, best.1) {
                best = (refused, cost, label);
            }
        }
        best.2
    }

    /// Drops labels that no labelling cheaper than `ceiling` uses. Returns how many were dropped.
    ///
    /// Taking a label costs at least the bound plus what the label costs above the node's cheapest.
    pub fn drop_hopeless(&mut self, bound: i64, ceiling: i64) -> usize {
        let mut dropped = 0;
        for node in 0..self.len.len() {
            let Some(least) = self.least(node) else { continue };
            if self.theta(node).iter().all(|theta| bound.saturating_add(theta - least) < ceiling) {
                continue;
            }
            let keep: Vec<bool> =
                self.theta(node).iter().map(|theta| bound.saturating_add(theta - least) < ceiling).collect();
            dropped += self.retain(node, &keep);
        }
        dropped
    }

    /// Keeps only some labels of a node. Returns how many went.
    pub(super) fn retain(&mut self, node: usize, keep: &[bool]) -> usize {
        let n_kept = keep.iter().filter(|keep| **keep).count();
        let gone = keep.len() - n_kept;
        if gone == 0 {
            return 0;
        }
        let cells = self.cells(node);
        if !self.pays_region.is_empty() {
            self.give_back_lost(node, keep);
            keep_places(&mut self.pays_region[cells.clone()], keep);
            keep_places(&mut self.marginal[cells.clone()], keep);
        }
        keep_places(&mut self.label[cells.clone()], keep);
        keep_places(&mut self.theta[cells], keep);
        let layout = Rc::clone(&self.layout);
        for &place in layout.incidence.of(node) {
            let end = usize::from(self.problem.edges[place as usize].a as usize != node);
            let cells = self.moved_cells(place as usize, end);
            keep_places(&mut self.moved[cells], keep);
        }
        self.len[node] = n_kept as u32;
        gone
    }

    /// Returns what a node pays for regions and providers of which it keeps no label.
    fn give_back_lost(&mut self, node: usize, keep: &[bool]) {
        let places = &self.problem.places;
        let cells = self.cells(node);
        let labels = &self.label[cells.clone()];
        let mut at = 0;
        while at < labels.len() {
            let region = places.region_of(labels[at]);
            let end =
                at + labels[at..].iter().take_while(|label| places.region_of(**label) == region).count();
            if !keep[at..end].contains(&true) {
                self.left_region[region] += self.pays_region[cells.start + at];
            }
            at = end;
        }
        for provider in 0..self.left_provider.len() {
            let is_its = |label: &&u32| places.provider_of(**label) == provider;
            let keeps = labels.iter().zip(keep).any(|(label, keep)| *keep && is_its(&label));
            if !keeps {
                let paid = &mut self.pays_provider[node * self.left_provider.len() + provider];
                self.left_provider[provider] += std::mem::take(paid);
            }
        }
    }

    /// Leaves a node one label, or takes one away from it.
    pub fn restrict(&mut self, node: usize, label: u32, only: bool) {
        let keep: Vec<bool> = self.domain(node).iter().map(|have| (*have == label) == only).collect();
        self.retain(node, &keep);
    }

    /// Decides that a region is paid for.
    pub fn open_region(&mut self, region: usize) {
        self.state_region[region] = Opening::Open;
        self.constant += self.problem.open_region[region];
        self.left_region[region] = 0;
        if self.pays_region.is_empty() {
            return;
        }
        for node in 0..self.len.len() {
            for cell in self.cells(node) {
                if self.problem.places.region_of(self.label[cell]) == region {
                    self.theta[cell] -= std::mem::take(&mut self.pays_region[cell]);
                }
            }
        }
    }

    /// Decides that a provider is paid for.
    pub fn open_provider(&mut self, provider: usize) {
        self.state_provider[provider] = Opening::Open;
        self.constant += self.problem.open_provider[provider];
        self.left_provider[provider] = 0;
        if self.pays_provider.is_empty() {
            return;
        }
        for node in 0..self.len.len() {
            let paid = std::mem::take(self.pays_provider_mut(node, provider));
            for cell in self.cells(node) {
                if self.problem.places.provider_of(self.label[cell]) == provider {
                    self.theta[cell] -= paid;
                }
            }
        }
    }

    /// Decides that some regions are not used.
    pub fn close(&mut self, is_closed: impl Fn(usize) -> bool) {
        for region in 0..self.state_region.len() {
            if is_closed(region) {
                self.state_region[region] = Opening::Closed;
            }
        }
        let problem = self.problem;
        for node in 0..self.len.len() {
            let keep: Vec<bool> =
                self.domain(node).iter().map(|label| !is_closed(problem.places.region_of(*label))).collect();
            self.retain(node, &keep);
        }
    }

    /// Decides that a provider is not used.
    pub fn close_provider(&mut self, provider: usize) {
        self.state_provider[provider] = Opening::Closed;
        let places = &self.problem.places;
        let mut is_its = vec![false; self.state_region.len()];
        for label in 0..places.n_labels() as u32 {
            is_its[places.region_of(label)] |= places.provider_of(label) == provider;
        }
        self.close(|region| is_its[region]);
    }
}

fn keep_places<T: Copy>(items: &mut [T], keep: &[bool]) {
    let mut next = 0;
    for (place, keep) in keep.iter().enumerate() {
        if *keep {
            items[next] = items[place];
            next += 1;
        }
    }
}
