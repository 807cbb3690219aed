//! Upper bounds: makes a labelling cheaper until no small change helps.
//!
//! Four moves, in turn, each taken only when it saves: one node to another label; connected nodes of one label together,
//! because each alone would first pay for its traffic to the others; all nodes of a region to where each is cheapest
//! among places in use, which closes the region; a closed place opened for every node that gains. Broken rules weigh more
//! than any money, so a labelling that breaks some is mended first.

use std::collections::VecDeque;
use std::ops::{AddAssign, Sub};

use crate::solve::problem::{Incidence, Labelling, NEVER, Problem};

/// Moves that look at every node for every label in use stop above this many node-label pairs.
const WHOLE_REGION_LIMIT: usize = 4_000_000;

/// Which moves are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Single nodes only: quick, for labellings that a good bound suggests.
    Nodes,
    /// All of them.
    All,
}

/// How bad a labelling is: broken rules first, then money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    broken: i64,
    cost: i64,
}

impl Score {
    const SAME: Score = Score { broken: 0, cost: 0 };
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Score) {
        self.broken += other.broken;
        self.cost += other.cost;
    }
}

impl Sub for Score {
    type Output = Score;
    fn sub(self, other: Score) -> Score {
        Score { broken: self.broken - other.broken, cost: self.cost - other.cost }
    }
}

/// A labelling that is being improved.
struct Search<'p> {
    problem: &'p Problem,
    incidence: &'p Incidence,
    has_rules: bool,
    labels: Vec<u32>,
    region_count: Vec<u32>,
    provider_count: Vec<u32>,
    load: Vec<i64>,
    score: Score,
    /// What was moved, as node and label before, so that a trial can be taken back.
    log: Vec<(u32, u32)>,
    /// Nodes to look at again.
    queue: VecDeque<u32>,
    is_queued: Vec<bool>,
    /// What each node costs where it is, its own cost and that of its edges, where that is known still.
    here: Vec<Option<Score>>,
}

/// Improves a labelling that need not obey any rule.
///
/// Returns `None` when it could not be made to obey them.
pub fn improve(problem: &Problem, incidence: &Incidence, labels: &[u32], moves: Moves) -> Option<Labelling> {
    let mut search = Search::new(problem, incidence, labels);
    search.obey_limits()?;
    loop {
        let before = search.score;
        search.queue_all();
        search.settle(|_| true);
        if moves == Moves::All
            && problem.nodes.len().saturating_mul(problem.places.n_labels()) <= WHOLE_REGION_LIMIT
        {
            search.move_blocks();
            search.close_regions();
            search.open_labels();
        }
        search.log.clear();
        if search.score >= before {
            break;
        }
    }
    let cost = problem.cost(&search.labels)?;
    debug_assert_eq!(cost, search.score.cost);
    Some(Labelling { labels: search.labels, cost })
}

impl<'p> Search<'p> {
    fn new(problem: &'p Problem, incidence: &'p Incidence, labels: &[u32]) -> Search<'p> {
        let mut region_count = vec![0; problem.open_region.len()];
        let mut provider_count = vec![0; problem.open_provider.len()];
        for &label in labels {
            region_count[problem.places.region_of(label)] += 1;
            provider_count[problem.places.provider_of(label)] += 1;
        }
        let load = problem.loads(labels);
        let over: i64 = load.iter().zip(&problem.capacities).map(|(load, most)| (load - most).max(0)).sum();
        let refused = problem
            .edges
            .iter()
            .filter(|edge| problem.refuses(edge, labels[edge.a as usize], labels[edge.b as usize]))
            .count() as i64;
        let whole = problem.cost_and_use(labels).expect("labels come from the nodes' own lists");
        Search {
            problem,
            incidence,
            has_rules: problem.has_rules(),
            labels: labels.to_vec(),
            region_count,
            provider_count,
            load,
            score: Score { broken: over + refused, cost: whole.0 },
            log: Vec::new(),
            queue: VecDeque::new(),
            is_queued: vec![false; labels.len()],
            here: vec![None; labels.len()],
        }
    }

    fn own_cost(&self, node: usize, label: u32) -> i64 {
        match self.problem.nodes[node].binary_search_by_key(&label, |&(l, _)| l) {
            Ok(place) => self.problem.nodes[node][place].1,
            Err(_) => NEVER,
        }
    }

    /// What a node's edges cost, and how many refuse, when it has a label and the other ends have theirs.
    fn traffic(&self, node: usize, label: u32) -> Score {
        let mut total = Score::SAME;
        for place in self.incidence.of(node) {
            total += self.edge(node, label, *place);
        }
        total
    }

    /// What a node costs where it is, its edges included.
    fn here(&mut self, node: usize) -> Score {
        if let Some(known) = self.here[node] {
            return known;
        }
        let label = self.labels[node];
        let mut total = self.traffic(node, label);
        total.cost += self.own_cost(node, label);
        self.here[node] = Some(total);
        total
    }

    /// Forgets what a node that has moved and its neighbours cost.
    fn forget_around(&mut self, node: usize) {
        self.here[node] = None;
        for &place in self.incidence.of(node) {
            self.here[self.problem.edges[place as usize].other(node as u32) as usize] = None;
        }
    }

    fn edge(&self, node: usize, label: u32, place: u32) -> Score {
        let edge = &self.problem.edges[place as usize];
        let other = self.labels[edge.other(node as u32) as usize];
        let (r, s) = if edge.a as usize == node { (label, other) } else { (other, label) };
        let broken = if self.has_rules { i64::from(self.problem.refuses(edge, r, s)) } else { 0 };
        Score { broken, cost: self.problem.edge_cost(edge, r, s) }
    }

    /// By how much capacities are exceeded more when a node goes from one label to another.
    fn overload(&self, node: usize, from: u32, to: u32) -> i64 {
        if self.load.is_empty() {
            return 0;
        }
        let (before, after) = (self.problem.uses_of(node, from), self.problem.uses_of(node, to));
        let of = |uses: &[crate::solve::problem::Use], capacity: u32| -> i64 {
            uses.iter().filter(|found| found.capacity == capacity).map(|found| found.amount).sum()
        };
        let mut touched: Vec<u32> = before.iter().chain(after).map(|found| found.capacity).collect();
        touched.sort_unstable();
        touched.dedup();
        let more = touched.into_iter().map(|capacity| {
            let most = self.problem.capacities[capacity as usize];
            let load = self.load[capacity as usize];
            (load - of(before, capacity) + of(after, capacity) - most).max(0) - (load - most).max(0)
        });
        more.sum()
    }

    fn n_used(counts: &[u32]) -> u32 {
        counts.iter().filter(|count| **count > 0).count() as u32
    }

    fn place(&self, label: u32) -> (usize, usize) {
        (self.problem.places.region_of(label), self.problem.places.provider_of(label))
    }

    fn put(&mut self, node: usize, to: u32, change: Score) {
        let from = std::mem::replace(&mut self.labels[node], to);
        self.log.push((node as u32, from));
        self.count(node, from, to);
        self.forget_around(node);
        self.score += change;
        self.queue_around(node);
    }

    fn count(&mut self, node: usize, from: u32, to: u32) {
        let (r_from, p_from) = self.place(from);
        let (r_to, p_to) = self.place(to);
        self.region_count[r_from] -= 1;
        self.region_count[r_to] += 1;
        self.provider_count[p_from] -= 1;
        self.provider_count[p_to] += 1;
        if !self.load.is_empty() {
            for found in self.problem.uses_of(node, from) {
                self.load[found.capacity as usize] -= found.amount;
            }
            for found in self.problem.uses_of(node, to) {
                self.load[found.capacity as usize] += found.amount;
            }
        }
    }

    /// Takes back everything since a place in the log.
    fn take_back(&mut self, mark: usize, score: Score) {
        while self.log.len() > mark {
            let (node, from) = self.log.pop().expect("longer than the mark");
            let to = std::mem::replace(&mut self.labels[node as usize], from);
            self.count(node as usize, to, from);
            self.forget_around(node as usize);
        }
        self.score = score;
    }

    fn queue_one(&mut self, node: u32) {
        if !std::mem::replace(&mut self.is_queued[node as usize], true) {
            self.queue.push_back(node);
        }
    }

    fn queue_all(&mut self) {
        for node in 0..self.labels.len() as u32 {
            self.queue_one(node);
        }
    }

    fn queue_around(&mut self, node: usize) {
        self.queue_one(node as u32);
        let incidence = self.incidence;
        for &place in incidence.of(node) {
            self.queue_one(self.problem.edges[place as usize].other(node as u32));
        }
    }

    /// What changes when a node takes another label.
    fn change(&self, node: usize, to: u32) -> Score {
        let from = self.labels[node];
        let mut change = self.traffic(node, to) - self.traffic(node, from);
        change.cost += self.own_cost(node, to) - self.own_cost(node, from) + self.opening_change(1, from, to);
        change.broken += self.overload(node, from, to);
        change
    }

    /// Moves single nodes until none that is waiting gains.
    fn settle(&mut self, allowed: impl Fn(u32) -> bool) {
        while let Some(node) = self.queue.pop_front() {
            self.is_queued[node as usize] = false;
            self.move_node(node as usize, &allowed);
        }
    }

    fn move_node(&mut self, node: usize, allowed: impl Fn(u32) -> bool) {
        let from = self.labels[node];
        let here = self.here(node);
        let mut best = (Score::SAME, from);
        // Without a broken rule here only money counts, and a label alone must cost less than all that leaving gives back.
        let refund = here.cost + self.refund(from);
        let only_money = here.broken == 0 && self.load.is_empty();
        for &(to, own) in &self.problem.nodes[node] {
            if to == from || (only_money && own >= refund) || !allowed(to) {
                continue;
            }
            let mut change = self.traffic(node, to) - here;
            change.cost += own + self.opening_change(1, from, to);
            change.broken += self.overload(node, from, to);
            if change < best.0 && self.may_use(1, from, to) {
                best = (change, to);
            }
        }
        if best.1 != from {
            self.put(node, best.1, best.0);
        }
    }

    /// Moves connected nodes of one label together.
    fn move_blocks(&mut self) {
        let mut seen = vec![false; self.labels.len()];
        for start in 0..self.labels.len() {
            if seen[start] || self.incidence.of(start).is_empty() {
                continue;
            }
            let from = self.labels[start];
            let mut block = vec![start];
            seen[start] = true;
            let mut next = 0;
            while next < block.len() {
                let node = block[next];
                next += 1;
                for &place in self.incidence.of(node) {
                    let other = self.problem.edges[place as usize].other(node as u32) as usize;
                    if !seen[other] && self.labels[other] == from {
                        seen[other] = true;
                        block.push(other);
                    }
                }
            }
            if block.len() > 1 {
                self.move_block(&block);
            }
        }
        self.settle(|_| true);
    }

    fn move_block(&mut self, block: &[usize]) {
        let from = self.labels[block[0]];
        let n_labels = self.problem.places.n_labels();
        let mut own = vec![(0u32, Score::SAME); n_labels];
        for &node in block {
            for &(label, cost) in &self.problem.nodes[node] {
                let sum = &mut own[label as usize];
                sum.0 += 1;
                sum.1.cost += cost;
            }
        }
        let everyone = |label: &u32| own[*label as usize].0 as usize == block.len();
        let mut wholes: Vec<(u32, Score)> =
            (0..n_labels as u32).filter(everyone).map(|label| (label, own[label as usize].1)).collect();
        for &node in block {
            for &place in self.incidence.of(node) {
                let other = self.problem.edges[place as usize].other(node as u32) as usize;
                // A neighbour of the same label is in the block.
                if self.labels[other] == from {
                    continue;
                }
                for (label, whole) in &mut wholes {
                    *whole += self.edge(node, *label, place);
                }
            }
        }
        let Some(here) = wholes.iter().find(|(label, _)| *label == from).map(|(_, whole)| *whole) else {
            return;
        };
        let n = block.len() as u32;
        let gain = |&(to, whole): &(u32, Score)| {
            let mut change = whole - here;
            change.cost += self.opening_change(n, from, to);
            (change, to)
        };
        let best = wholes
            .iter()
            .filter(|(to, _)| *to != from)
            .map(gain)
            .filter(|(change, to)| *change < Score::SAME && self.may_use(n, from, *to))
            .min();
        if let Some((_, to)) = best {
            let (mark, before) = (self.log.len(), self.score);
            for &node in block {
                let change = self.change(node, to);
                self.put(node, to, change);
            }
            // Capacities were not asked.
            if self.score >= before {
                self.take_back(mark, before);
            }
        }
    }

    /// What opening costs change by when so many nodes of a label go to another together.
    fn opening_change(&self, n_nodes: u32, from: u32, to: u32) -> i64 {
        let (r_from, p_from) = self.place(from);
        let (r_to, p_to) = self.place(to);
        let closes =
            |counts: &[u32], place: usize, cost: i64| if counts[place] == n_nodes { -cost } else { 0 };
        let opens = |counts: &[u32], place: usize, cost: i64| if counts[place] == 0 { cost } else { 0 };
        let mut change = 0;
        if r_from != r_to {
            change += closes(&self.region_count, r_from, self.problem.open_region[r_from])
                + opens(&self.region_count, r_to, self.problem.open_region[r_to]);
        }
        if p_from != p_to {
            change += closes(&self.provider_count, p_from, self.problem.open_provider[p_from])
                + opens(&self.provider_count, p_to, self.problem.open_provider[p_to]);
        }
        change
    }

    /// What opening costs fall by when one node leaves a label.
    fn refund(&self, from: u32) -> i64 {
        let (region, provider) = self.place(from);
        let last = |counts: &[u32], place: usize, cost: i64| if counts[place] == 1 { cost } else { 0 };
        last(&self.region_count, region, self.problem.open_region[region])
            + last(&self.provider_count, provider, self.problem.open_provider[provider])
    }

    /// Whether the limits hold when so many nodes of a label go to another together.
    fn may_use(&self, n_nodes: u32, from: u32, to: u32) -> bool {
        let fits = |counts: &[u32], from: usize, to: usize, most: Option<u32>| {
            from == to
                || counts[to] > 0
                || most.is_none_or(|most| Self::n_used(counts) - u32::from(counts[from] == n_nodes) < most)
        };
        let (r_from, p_from) = self.place(from);
        let (r_to, p_to) = self.place(to);
        fits(&self.region_count, r_from, r_to, self.problem.max_regions)
            && fits(&self.provider_count, p_from, p_to, self.problem.max_providers)
    }

    fn obeys_limits(&self) -> bool {
        self.problem.max_regions.is_none_or(|most| Self::n_used(&self.region_count) <= most)
            && self.problem.max_providers.is_none_or(|most| Self::n_used(&self.provider_count) <= most)
    }

    /// Closes regions as long as that saves.
    fn close_regions(&mut self) {
        if !self.problem.has_openings() && !self.problem.has_limits() {
            return;
        }
        for region in 0..self.region_count.len() {
            if self.region_count[region] == 0 {
                continue;
            }
            let (mark, before) = (self.log.len(), self.score);
            let places = &self.problem.places;
            let done = self.empty(|label| places.region_of(label) == region);
            if done.is_none() || self.score >= before {
                self.take_back(mark, before);
            }
        }
    }

    /// Sends every node of some places to its best label among the others in use. `None`, with the work half done, when
    /// one has none.
    fn empty(&mut self, is_closed: impl Fn(u32) -> bool) -> Option<()> {
        self.clear_queue();
        let used: Vec<bool> =
            (0..self.problem.places.n_labels() as u32).map(|label| self.is_used(label)).collect();
        for node in 0..self.labels.len() {
            if !is_closed(self.labels[node]) {
                continue;
            }
            let best = self.problem.nodes[node]
                .iter()
                .filter(|(to, _)| !is_closed(*to) && used[*to as usize])
                .map(|&(to, own)| {
                    let mut score = self.traffic(node, to);
                    score.cost += own;
                    (score, to)
                })
                .min()?;
            let change = self.change(node, best.1);
            self.put(node, best.1, change);
        }
        self.settle(|to| used[to as usize] && !is_closed(to));
        Some(())
    }

    fn is_used(&self, label: u32) -> bool {
        self.region_count[self.problem.places.region_of(label)] > 0
    }

    fn clear_queue(&mut self) {
        for node in self.queue.drain(..) {
            self.is_queued[node as usize] = false;
        }
    }

    /// Opens places in closed regions as long as that saves.
    fn open_labels(&mut self) {
        if !self.problem.has_openings() && !self.problem.has_limits() {
            return;
        }
        for (label, nodes) in (0..).zip(self.by_label()) {
            if self.is_used(label) {
                continue;
            }
            let (mark, before) = (self.log.len(), self.score);
            self.clear_queue();
            for (node, own) in nodes {
                let node = node as usize;
                let here = self.here(node);
                // Traffic costs nothing at best.
                if !self.has_rules && own >= here.cost {
                    continue;
                }
                let mut gain = self.traffic(node, label) - here;
                gain.cost += own;
                if gain < Score::SAME {
                    let change = self.change(node, label);
                    self.put(node, label, change);
                }
            }
            if self.log.len() == mark {
                continue;
            }
            let used: Vec<bool> =
                (0..self.problem.places.n_labels() as u32).map(|label| self.is_used(label)).collect();
            self.settle(|to| used[to as usize]);
            if self.score >= before || !self.obeys_limits() {
                self.take_back(mark, before);
            }
        }
        self.clear_queue();
    }

    /// For each label the nodes that can have it, ascending, with what that costs by itself.
    fn by_label(&self) -> Vec<Vec<(u32, i64)>> {
        let mut nodes = vec![Vec::new(); self.problem.places.n_labels()];
        for (node, costs) in (0..).zip(&self.problem.nodes) {
            for &(label, own) in costs {
                nodes[label as usize].push((node, own));
            }
        }
        nodes
    }

    /// Gives up the regions and providers that cost least to give up, until the limits hold.
    fn obey_limits(&mut self) -> Option<()> {
        while !self.obeys_limits() {
            let too_many_providers =
                self.problem.max_providers.is_some_and(|most| Self::n_used(&self.provider_count) > most);
            let places = &self.problem.places;
            let n_places =
                if too_many_providers { self.provider_count.len() } else { self.region_count.len() };
            let mut best: Option<(Score, Vec<u32>)> = None;
            for gone in 0..n_places {
                let counts = if too_many_providers { &self.provider_count } else { &self.region_count };
                if counts[gone] == 0 {
                    continue;
                }
                let (mark, before) = (self.log.len(), self.score);
                let done = self.empty(|label| {
                    gone == if too_many_providers {
                        places.provider_of(label)
                    } else {
                        places.region_of(label)
                    }
                });
                if done.is_some() && best.as_ref().is_none_or(|(score, _)| self.score < *score) {
                    best = Some((self.score, self.labels.clone()));
                }
                self.take_back(mark, before);
            }
            let (_, labels) = best?;
            *self = Search::new(self.problem, self.incidence, &labels);
        }
        Some(())
    }
}
