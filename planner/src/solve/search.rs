//! Upper bounds: makes a labelling cheaper until no small change helps.
//!
//! Three moves, in turn, each taken only when it saves: one node to another label; all nodes of a label to where each is
//! cheapest among labels in use (which closes the label); a closed label opened for every node that gains. Connected
//! nodes of one label also move together, because each alone would first pay for its traffic to the others.

use crate::solve::problem::{Labelling, NEVER, Problem};

/// A labelling that is being improved.
#[derive(Clone, Debug)]
pub struct Search<'p> {
    problem: &'p Problem,
    incidence: &'p [Vec<u32>],
    labels: Vec<u32>,
    label_count: Vec<u32>,
    provider_count: Vec<u32>,
    cost: i64,
    /// The most that leaving a label can give back, as a quick test before traffic is added up.
    most_refund: i64,
}

/// Moves that look at every node for every label in use stop above this many node-label pairs.
const WHOLE_LABEL_LIMIT: usize = 4_000_000;

/// Which moves are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Single nodes only: quick, for labellings that a good bound suggests.
    Nodes,
    /// All of them.
    All,
}

/// Improves a labelling that need not obey the limits on labels and providers.
///
/// Returns `None` when it could not be made to obey them; `incidence` is [`Problem::incidence`].
pub fn improve(problem: &Problem, incidence: &[Vec<u32>], labels: &[u32], moves: Moves) -> Option<Labelling> {
    let mut search = Search::new(problem, incidence, labels);
    search.obey_limits()?;
    loop {
        let before = search.cost;
        search.move_nodes();
        if moves == Moves::All
            && problem.nodes.len().saturating_mul(problem.provider.len()) <= WHOLE_LABEL_LIMIT
        {
            search.move_blocks();
            search.close_labels();
            search.open_labels();
        }
        if search.cost >= before {
            break;
        }
    }
    let cost = problem.cost(&search.labels)?;
    debug_assert_eq!(cost, search.cost);
    Some(Labelling { labels: search.labels, cost })
}

impl<'p> Search<'p> {
    fn new(problem: &'p Problem, incidence: &'p [Vec<u32>], labels: &[u32]) -> Search<'p> {
        let mut search = Search {
            problem,
            incidence,
            labels: labels.to_vec(),
            label_count: vec![0; problem.provider.len()],
            provider_count: vec![0; problem.open_provider.len()],
            cost: 0,
            most_refund: [&problem.open_label, &problem.open_provider]
                .into_iter()
                .map(|costs| costs.iter().copied().max().unwrap_or(0))
                .sum(),
        };
        for &label in labels {
            search.label_count[label as usize] += 1;
            search.provider_count[problem.provider[label as usize] as usize] += 1;
        }
        let whole = problem.cost_and_use(labels).expect("labels come from the nodes' own lists");
        search.cost = whole.0;
        search
    }

    fn own_cost(&self, node: usize, label: u32) -> i64 {
        match self.problem.nodes[node].binary_search_by_key(&label, |&(l, _)| l) {
            Ok(place) => self.problem.nodes[node][place].1,
            Err(_) => NEVER,
        }
    }

    fn traffic(&self, node: usize, label: u32) -> i64 {
        self.incidence[node].iter().map(|place| self.edge_cost(node, label, *place)).sum()
    }

    /// What an edge costs when the node has a label and the other end the one it has.
    fn edge_cost(&self, node: usize, label: u32, place: u32) -> i64 {
        let edge = &self.problem.edges[place as usize];
        let other = self.labels[edge.other(node as u32) as usize];
        if edge.a as usize == node {
            edge.cost(self.problem, label, other)
        } else {
            edge.cost(self.problem, other, label)
        }
    }

    fn provider(&self, label: u32) -> usize {
        self.problem.provider[label as usize] as usize
    }

    fn n_used(counts: &[u32]) -> u32 {
        counts.iter().filter(|count| **count > 0).count() as u32
    }

    fn put(&mut self, node: usize, to: u32, change: i64) {
        let from = std::mem::replace(&mut self.labels[node], to);
        self.label_count[from as usize] -= 1;
        self.label_count[to as usize] += 1;
        let (p_from, p_to) = (self.provider(from), self.provider(to));
        self.provider_count[p_from] -= 1;
        self.provider_count[p_to] += 1;
        self.cost += change;
    }

    fn change(&self, node: usize, to: u32) -> i64 {
        let from = self.labels[node];
        self.own_cost(node, to) - self.own_cost(node, from) + self.traffic(node, to)
            - self.traffic(node, from)
            + self.opening_change(1, from, to)
    }

    fn move_nodes(&mut self) {
        loop {
            let mut moved = false;
            for node in 0..self.labels.len() {
                moved |= self.move_node(node, |_| true);
            }
            if !moved {
                return;
            }
        }
    }

    fn move_node(&mut self, node: usize, allowed: impl Fn(u32) -> bool) -> bool {
        let from = self.labels[node];
        let here = self.own_cost(node, from) + self.traffic(node, from);
        let mut best = (0, from);
        for &(to, own) in &self.problem.nodes[node] {
            if to == from || own - here > self.most_refund || !allowed(to) {
                continue;
            }
            let change = own + self.traffic(node, to) - here + self.opening_change(1, from, to);
            if change < best.0 && self.may_use(1, from, to) {
                best = (change, to);
            }
        }
        if best.1 != from {
            self.put(node, best.1, best.0);
        }
        best.1 != from
    }

    /// Moves connected nodes of one label together.
    fn move_blocks(&mut self) {
        let mut seen = vec![false; self.labels.len()];
        for start in 0..self.labels.len() {
            if seen[start] || self.incidence[start].is_empty() {
                continue;
            }
            let from = self.labels[start];
            let mut block = vec![start];
            seen[start] = true;
            let mut next = 0;
            while next < block.len() {
                let node = block[next];
                next += 1;
                for &place in &self.incidence[node] {
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
    }

    fn move_block(&mut self, block: &[usize]) {
        let from = self.labels[block[0]];
        let inside: std::collections::BTreeSet<usize> = block.iter().copied().collect();
        let to_outside = |node: usize, label: u32| -> i64 {
            let leaves = |place: &&u32| {
                let edge = &self.problem.edges[**place as usize];
                !inside.contains(&(edge.other(node as u32) as usize))
            };
            self.incidence[node].iter().filter(leaves).map(|place| self.edge_cost(node, label, *place)).sum()
        };
        let whole = |label: u32| -> i64 {
            let costs = block.iter().map(|node| match self.own_cost(*node, label) {
                NEVER => NEVER,
                own => own + to_outside(*node, label),
            });
            costs.fold(0, |total, cost| total.saturating_add(cost).min(NEVER))
        };
        let here = whole(from);
        let labels = 0..self.label_count.len() as u32;
        let best = labels
            .filter(|to| *to != from)
            .map(|to| (whole(to) - here + self.opening_change(block.len() as u32, from, to), to))
            .filter(|(change, to)| *change < 0 && self.may_use(block.len() as u32, from, *to))
            .min();
        if let Some((_, to)) = best {
            for &node in block {
                let change = self.change(node, to);
                self.put(node, to, change);
            }
        }
    }

    /// What opening costs change by when so many nodes of a label go to another together.
    fn opening_change(&self, n_nodes: u32, from: u32, to: u32) -> i64 {
        let (p_from, p_to) = (self.provider(from), self.provider(to));
        let closes =
            |counts: &[u32], place: usize, cost: i64| if counts[place] == n_nodes { -cost } else { 0 };
        let opens = |counts: &[u32], place: usize, cost: i64| if counts[place] == 0 { cost } else { 0 };
        let mut change = closes(&self.label_count, from as usize, self.problem.open_label[from as usize])
            + opens(&self.label_count, to as usize, self.problem.open_label[to as usize]);
        if p_from != p_to {
            change += closes(&self.provider_count, p_from, self.problem.open_provider[p_from])
                + opens(&self.provider_count, p_to, self.problem.open_provider[p_to]);
        }
        change
    }

    /// Whether the limits hold when so many nodes of a label go to another together.
    fn may_use(&self, n_nodes: u32, from: u32, to: u32) -> bool {
        let fits = |counts: &[u32], from: usize, to: usize, most: Option<u32>| {
            counts[to] > 0
                || most.is_none_or(|most| Self::n_used(counts) - u32::from(counts[from] == n_nodes) < most)
        };
        let (p_from, p_to) = (self.provider(from), self.provider(to));
        fits(&self.label_count, from as usize, to as usize, self.problem.max_labels)
            && (p_from == p_to || fits(&self.provider_count, p_from, p_to, self.problem.max_providers))
    }

    fn obeys_limits(&self) -> bool {
        self.problem.max_labels.is_none_or(|most| Self::n_used(&self.label_count) <= most)
            && self.problem.max_providers.is_none_or(|most| Self::n_used(&self.provider_count) <= most)
    }

    /// Closes labels as long as that saves.
    fn close_labels(&mut self) {
        if !self.problem.is_coupled() {
            return;
        }
        for label in 0..self.label_count.len() as u32 {
            if self.label_count[label as usize] == 0 {
                continue;
            }
            if let Some(trial) = self.without(|other| other == label)
                && trial.cost < self.cost
            {
                *self = trial;
            }
        }
    }

    /// The labelling with every node of some labels sent to its best label among the others in use.
    fn without(&self, is_closed: impl Fn(u32) -> bool) -> Option<Search<'p>> {
        let mut trial = self.clone();
        for node in 0..trial.labels.len() {
            if !is_closed(trial.labels[node]) {
                continue;
            }
            let best = self.problem.nodes[node]
                .iter()
                .filter(|(to, _)| !is_closed(*to) && self.label_count[*to as usize] > 0)
                .map(|&(to, own)| (own + trial.traffic(node, to), to))
                .min()?;
            let change = trial.change(node, best.1);
            trial.put(node, best.1, change);
        }
        loop {
            let mut moved = false;
            let used: Vec<bool> = trial.label_count.iter().map(|count| *count > 0).collect();
            for node in 0..trial.labels.len() {
                moved |= trial.move_node(node, |to| used[to as usize] && !is_closed(to));
            }
            if !moved {
                return Some(trial);
            }
        }
    }

    /// Opens closed labels as long as that saves.
    fn open_labels(&mut self) {
        if !self.problem.is_coupled() {
            return;
        }
        for label in 0..self.label_count.len() as u32 {
            if self.label_count[label as usize] > 0 {
                continue;
            }
            let mut trial = self.clone();
            for node in 0..trial.labels.len() {
                let from = trial.labels[node];
                let own = trial.own_cost(node, label);
                if own >= NEVER {
                    continue;
                }
                let change = trial.change(node, label);
                let saves =
                    own + trial.traffic(node, label) < trial.own_cost(node, from) + trial.traffic(node, from);
                if saves {
                    trial.put(node, label, change);
                }
            }
            if trial.label_count[label as usize] == 0 {
                continue;
            }
            trial.move_nodes_within_use();
            if trial.cost < self.cost && trial.obeys_limits() {
                *self = trial;
            }
        }
    }

    fn move_nodes_within_use(&mut self) {
        let used: Vec<bool> = self.label_count.iter().map(|count| *count > 0).collect();
        for node in 0..self.labels.len() {
            self.move_node(node, |to| used[to as usize]);
        }
    }

    /// Gives up the labels and providers that cost least to give up, until the limits hold.
    fn obey_limits(&mut self) -> Option<()> {
        while !self.obeys_limits() {
            let too_many_providers =
                self.problem.max_providers.is_some_and(|most| Self::n_used(&self.provider_count) > most);
            let problem = self.problem;
            let candidates: Vec<Search<'p>> = if too_many_providers {
                (0..self.provider_count.len())
                    .filter(|provider| self.provider_count[*provider] > 0)
                    .filter_map(|gone| {
                        self.without(|label| problem.provider[label as usize] as usize == gone)
                    })
                    .collect()
            } else {
                (0..self.label_count.len() as u32)
                    .filter(|label| self.label_count[*label as usize] > 0)
                    .filter_map(|gone| self.without(|label| label == gone))
                    .collect()
            };
            *self = candidates.into_iter().min_by_key(|search| search.cost)?;
        }
        Some(())
    }
}
