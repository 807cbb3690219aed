//! Lower bounds: message passing over nodes, edges and opening costs.
//!
//! The cost of the problem is moved around between nodes, edges and opening costs without ever changing the cost of any
//! labelling. What the parts cost at least, each for itself, then adds up to a lower bound; moving cost so that this sum
//! grows is the dual problem. Over edges it is the sequential reweighted message passing of Kolmogorov ("A new look at
//! reweighted message passing", 2015), which for pairs of nodes is his TRW-S (2006). For opening costs it is the dual
//! ascent of Erlenkotter ("A dual-based procedure for uncapacitated facility location", 1978): a node pays towards
//! opening a label as long as that raises the cheapest label it has.
//!
//! Every step is done in integers and keeps the sum exactly, so [`Dual::bound`] is a bound whatever was rounded away.

use crate::solve::problem::{NEVER, Problem, Reach};

/// A way of having moved the cost around.
#[derive(Clone, Debug)]
pub struct Dual<'p> {
    pub(super) problem: &'p Problem,
    incidence: std::rc::Rc<Vec<Vec<u32>>>,
    /// Labels of each node that may still be part of a better labelling, ascending.
    pub(super) domain: Vec<Vec<u32>>,
    /// What each label of the domain costs now, with everything moved to it.
    pub(super) theta: Vec<Vec<i64>>,
    /// `theta` of each node when it was last visited, with what all its edges had to say.
    pub(super) marginal: Vec<Vec<i64>>,
    /// What each edge has moved to its end `a`, and to its end `b`, by place in that end's domain.
    to_a: Vec<Vec<i64>>,
    to_b: Vec<Vec<i64>>,
    /// What each node pays towards opening a label, by place in its domain.
    pub(super) pays_label: Vec<Vec<i64>>,
    /// What each node pays towards opening a provider, by provider.
    pub(super) pays_provider: Vec<Vec<i64>>,
    /// Opening cost that nobody pays yet.
    pub(super) left_label: Vec<i64>,
    pub(super) left_provider: Vec<i64>,
    /// Opening costs that are certain.
    pub constant: i64,
    pub(super) state_label: Vec<Opening>,
    pub(super) state_provider: Vec<Opening>,
}

/// What is known about the use of a label or provider.
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
        let domain: Vec<Vec<u32>> =
            problem.nodes.iter().map(|node| node.iter().map(|&(label, _)| label).collect()).collect();
        let theta: Vec<Vec<i64>> =
            problem.nodes.iter().map(|node| node.iter().map(|&(_, cost)| cost).collect()).collect();
        let zeros = |end: u32| vec![0; domain[end as usize].len()];
        Dual {
            incidence: std::rc::Rc::new(problem.incidence()),
            to_a: problem.edges.iter().map(|edge| zeros(edge.a)).collect(),
            to_b: problem.edges.iter().map(|edge| zeros(edge.b)).collect(),
            pays_label: domain.iter().map(|labels| vec![0; labels.len()]).collect(),
            pays_provider: domain.iter().map(|_| vec![0; problem.open_provider.len()]).collect(),
            left_label: problem.open_label.clone(),
            left_provider: problem.open_provider.clone(),
            constant: 0,
            state_label: vec![Opening::Undecided; problem.open_label.len()],
            state_provider: vec![Opening::Undecided; problem.open_provider.len()],
            problem,
            domain,
            marginal: theta.clone(),
            theta,
        }
    }

    /// Labels a node may still take.
    pub fn domain(&self, node: usize) -> &[u32] {
        &self.domain[node]
    }

    /// Whether nodes pay a label's opening cost, but for a hundredth at most.
    pub fn is_paid(&self, label: u32) -> bool {
        self.left_label[label as usize] <= self.problem.open_label[label as usize] / 100
    }

    /// What is known about a label.
    pub fn label_state(&self, label: u32) -> Opening {
        self.state_label[label as usize]
    }

    /// What is known about a provider.
    pub fn provider_state(&self, provider: u32) -> Opening {
        self.state_provider[provider as usize]
    }

    /// No labelling within the domains costs less. [`NEVER`] when there is none.
    pub fn bound(&mut self) -> i64 {
        let mut total = self.constant;
        for theta in &self.theta {
            match theta.iter().min() {
                Some(least) => total = total.saturating_add(*least),
                None => return NEVER,
            }
        }
        let mut reach = Reach::new(self.problem);
        for (place, edge) in self.problem.edges.iter().enumerate() {
            let (a, b) = (&self.domain[edge.a as usize], &self.domain[edge.b as usize]);
            reach.fill(
                self.problem,
                edge,
                true,
                a.iter().zip(&self.to_a[place]).map(|(l, moved)| (*l, -moved)),
            );
            let least = b
                .iter()
                .zip(&self.to_b[place])
                .map(|(label, moved)| reach.to(self.problem, edge, true, *label) - moved)
                .min();
            total = total.saturating_add(least.unwrap_or(0));
            reach.clear(a.iter().copied());
        }
        total
    }

    /// One pass over all nodes and back. Fills `rounded` with a labelling found on the way.
    pub fn sweep(&mut self, scratch: &mut Reach, rounded: &mut [u32], pays: bool) {
        let n = self.domain.len();
        for node in 0..n {
            self.visit(node, true, scratch, pays);
            rounded[node] = self.round(node, rounded);
            self.push(node, true);
        }
        for node in (0..n).rev() {
            self.visit(node, false, scratch, pays);
            self.push(node, false);
        }
    }

    /// Collects from the edges behind, then settles opening costs.
    fn visit(&mut self, node: usize, forward: bool, scratch: &mut Reach, pays: bool) {
        let incidence = std::rc::Rc::clone(&self.incidence);
        for &place in &incidence[node] {
            let edge = &self.problem.edges[place as usize];
            let other = edge.other(node as u32) as usize;
            if (other < node) == forward {
                self.collect(place as usize, edge.a as usize != node, scratch);
            }
        }
        if pays {
            self.pay(node);
        }
        self.marginal[node].clone_from(&self.theta[node]);
    }

    /// Moves to the receiving end what the edge costs at least for each of its labels.
    fn collect(&mut self, place: usize, from_a: bool, scratch: &mut Reach) {
        let edge = &self.problem.edges[place];
        let (sender, receiver) = if from_a { (edge.a, edge.b) } else { (edge.b, edge.a) };
        let (sent, received) = if from_a {
            (&self.to_a[place], &mut self.to_b[place])
        } else {
            (&self.to_b[place], &mut self.to_a[place])
        };
        let labels = &self.domain[sender as usize];
        scratch.fill(
            self.problem,
            edge,
            from_a,
            labels.iter().zip(sent).map(|(label, moved)| (*label, -moved)),
        );
        let theta = &mut self.theta[receiver as usize];
        for ((label, moved), theta) in self.domain[receiver as usize].iter().zip(received).zip(theta) {
            let least = scratch.to(self.problem, edge, from_a, *label);
            *theta += least - *moved;
            *moved = least;
        }
        scratch.clear(labels.iter().copied());
    }

    /// Gives the edges ahead their share of what each label costs above the cheapest.
    fn push(&mut self, node: usize, forward: bool) {
        let incidence = std::rc::Rc::clone(&self.incidence);
        let is_ahead =
            |place: u32| (self.problem.edges[place as usize].other(node as u32) as usize > node) == forward;
        let ahead = incidence[node].iter().filter(|place| is_ahead(**place)).count();
        if ahead == 0 {
            return;
        }
        let shares = ahead.max(incidence[node].len() - ahead) as i64;
        let theta = &mut self.theta[node];
        let Some(least) = theta.iter().copied().min() else { return };
        let share: Vec<i64> = theta.iter().map(|theta| (theta - least) / shares).collect();
        for &place in incidence[node].iter().filter(|place| is_ahead(**place)) {
            let edge = &self.problem.edges[place as usize];
            let moved = if edge.a as usize == node {
                &mut self.to_a[place as usize]
            } else {
                &mut self.to_b[place as usize]
            };
            for ((moved, theta), share) in moved.iter_mut().zip(theta.iter_mut()).zip(&share) {
                *moved -= share;
                *theta -= share;
            }
        }
    }

    /// Lets a node pay towards opening costs as much as raises its cheapest label, and no more.
    fn pay(&mut self, node: usize) {
        if !self.problem.open_label.iter().chain(&self.problem.open_provider).any(|cost| *cost > 0) {
            return;
        }
        let problem = self.problem;
        let domain = &self.domain[node];
        let theta = &mut self.theta[node];
        for ((label, theta), pays) in domain.iter().zip(theta.iter_mut()).zip(&mut self.pays_label[node]) {
            *theta -= *pays;
            self.left_label[*label as usize] += std::mem::take(pays);
        }
        let pays_provider = &mut self.pays_provider[node];
        for (label, theta) in domain.iter().zip(theta.iter_mut()) {
            *theta -= pays_provider[problem.provider[*label as usize] as usize];
        }
        for (left, pays) in self.left_provider.iter_mut().zip(pays_provider.iter_mut()) {
            *left += std::mem::take(pays);
        }
        // The level that can be reached: no label may need more than what is left of its own and its provider's cost.
        let provider_of = |label: u32| problem.provider[label as usize] as usize;
        let reachable = domain
            .iter()
            .zip(theta.iter())
            .map(|(label, theta)| {
                theta + self.left_label[*label as usize] + self.left_provider[provider_of(*label)]
            })
            .min();
        let Some(level) = reachable else { return };
        for ((label, theta), pays) in domain.iter().zip(theta.iter_mut()).zip(&mut self.pays_label[node]) {
            let needs = (level - *theta).max(0);
            *pays = needs.min(self.left_label[*label as usize]);
            *theta += *pays;
            self.left_label[*label as usize] -= *pays;
            let of_provider = &mut pays_provider[provider_of(*label)];
            *of_provider = (*of_provider).max(needs - *pays);
        }
        for (label, theta) in domain.iter().zip(theta.iter_mut()) {
            *theta += pays_provider[provider_of(*label)];
        }
        for (left, pays) in self.left_provider.iter_mut().zip(pays_provider.iter()) {
            *left -= pays;
        }
    }

    /// The best label of a node, given the labels of the nodes before it.
    fn round(&self, node: usize, before: &[u32]) -> u32 {
        let problem = self.problem;
        let mut best = (NEVER, 0);
        for (place, &label) in self.domain[node].iter().enumerate() {
            let mut cost = self.theta[node][place];
            for &edge_place in &self.incidence[node] {
                let edge = &problem.edges[edge_place as usize];
                let other = edge.other(node as u32) as usize;
                if other < node {
                    let is_a = edge.a as usize == node;
                    cost += if is_a {
                        edge.cost(problem, label, before[other]) - self.to_a[edge_place as usize][place]
                    } else {
                        edge.cost(problem, before[other], label) - self.to_b[edge_place as usize][place]
                    };
                }
            }
            if cost < best.0 {
                best = (cost, label);
            }
        }
        best.1
    }

    /// Drops labels that no labelling cheaper than `ceiling` uses. Returns how many were dropped.
    ///
    /// Taking a label costs at least the bound plus what the label costs above the node's cheapest.
    pub fn drop_hopeless(&mut self, bound: i64, ceiling: i64) -> usize {
        let mut dropped = 0;
        for node in 0..self.domain.len() {
            let Some(least) = self.theta[node].iter().copied().min() else { continue };
            let keep: Vec<bool> =
                self.theta[node].iter().map(|theta| bound.saturating_add(theta - least) < ceiling).collect();
            dropped += self.retain(node, &keep);
        }
        dropped
    }

    /// Keeps only some labels of a node.
    fn retain(&mut self, node: usize, keep: &[bool]) -> usize {
        let gone = keep.iter().filter(|keep| !**keep).count();
        if gone == 0 {
            return 0;
        }
        for ((label, pays), keep) in self.domain[node].iter().zip(&self.pays_label[node]).zip(keep) {
            if !keep {
                self.left_label[*label as usize] += pays;
            }
        }
        let incidence = std::rc::Rc::clone(&self.incidence);
        for &place in &incidence[node] {
            let is_a = self.problem.edges[place as usize].a as usize == node;
            let moved = if is_a { &mut self.to_a[place as usize] } else { &mut self.to_b[place as usize] };
            retain_places(moved, keep);
        }
        retain_places(&mut self.domain[node], keep);
        retain_places(&mut self.theta[node], keep);
        retain_places(&mut self.marginal[node], keep);
        retain_places(&mut self.pays_label[node], keep);
        gone
    }

    /// Leaves a node one label, or takes one away from it.
    pub fn restrict(&mut self, node: usize, label: u32, only: bool) {
        let keep: Vec<bool> = self.domain[node].iter().map(|have| (*have == label) == only).collect();
        self.retain(node, &keep);
    }

    /// Decides that a label is paid for.
    pub fn open_label(&mut self, label: u32) {
        self.state_label[label as usize] = Opening::Open;
        self.constant += self.problem.open_label[label as usize];
        self.left_label[label as usize] = 0;
        for node in 0..self.domain.len() {
            if let Ok(place) = self.domain[node].binary_search(&label) {
                self.theta[node][place] -= std::mem::take(&mut self.pays_label[node][place]);
            }
        }
    }

    /// Decides that a provider is paid for.
    pub fn open_provider(&mut self, provider: u32) {
        self.state_provider[provider as usize] = Opening::Open;
        self.constant += self.problem.open_provider[provider as usize];
        self.left_provider[provider as usize] = 0;
        for node in 0..self.domain.len() {
            let pays = std::mem::take(&mut self.pays_provider[node][provider as usize]);
            for (label, theta) in self.domain[node].iter().zip(&mut self.theta[node]) {
                if self.problem.provider[*label as usize] == provider {
                    *theta -= pays;
                }
            }
        }
    }

    /// Decides that some labels are not used.
    pub fn close(&mut self, is_closed: impl Fn(u32) -> bool) {
        for label in 0..self.state_label.len() {
            if is_closed(label as u32) {
                self.state_label[label] = Opening::Closed;
            }
        }
        for node in 0..self.domain.len() {
            let keep: Vec<bool> = self.domain[node].iter().map(|label| !is_closed(*label)).collect();
            self.retain(node, &keep);
        }
    }

    /// Decides that a provider is not used.
    pub fn close_provider(&mut self, provider: u32) {
        self.state_provider[provider as usize] = Opening::Closed;
        let problem = self.problem;
        self.close(|label| problem.provider[label as usize] == provider);
    }

    /// Where a labelling costs more than the bound says: the part with the largest difference.
    pub fn largest_excess(&self, labels: &[u32]) -> Option<(i64, Excess)> {
        let problem = self.problem;
        let mut worst: Option<(i64, Excess)> = None;
        let mut offer = |amount: i64, excess: Excess| {
            if amount > 0 && worst.is_none_or(|(most, _)| amount > most) {
                worst = Some((amount, excess));
            }
        };
        let mut used_label = vec![false; self.left_label.len()];
        let mut used_provider = vec![false; self.left_provider.len()];
        for (node, &label) in labels.iter().enumerate() {
            used_label[label as usize] = true;
            used_provider[problem.provider[label as usize] as usize] = true;
            let least = self.theta[node].iter().copied().min().unwrap_or(0);
            match self.domain[node].binary_search(&label) {
                Ok(place) if self.domain[node].len() > 1 => {
                    offer(self.theta[node][place] - least, Excess::Node(node));
                }
                Ok(_) => {}
                // The labelling comes from elsewhere in the tree; this node already differs from it.
                Err(_) => {}
            }
        }
        for (place, edge) in problem.edges.iter().enumerate() {
            let (a, b) = (edge.a as usize, edge.b as usize);
            let (Ok(in_a), Ok(in_b)) =
                (self.domain[a].binary_search(&labels[a]), self.domain[b].binary_search(&labels[b]))
            else {
                continue;
            };
            let cost =
                edge.cost(problem, labels[a], labels[b]) - self.to_a[place][in_a] - self.to_b[place][in_b];
            let wider = if self.domain[a].len() >= self.domain[b].len() { a } else { b };
            if self.domain[wider].len() > 1 {
                offer(cost, Excess::Node(wider));
            }
        }
        // What a label in use costs beyond what the nodes that use it pay: others may pay for it too.
        let mut unpaid_label = self.problem.open_label.clone();
        let mut unpaid_provider = self.problem.open_provider.clone();
        for (node, label) in labels.iter().enumerate() {
            let provider = problem.provider[*label as usize] as usize;
            unpaid_provider[provider] -= self.pays_provider[node][provider];
            if let Ok(place) = self.domain[node].binary_search(label) {
                unpaid_label[*label as usize] -= self.pays_label[node][place];
            }
        }
        for (label, unpaid) in unpaid_label.iter().enumerate() {
            if used_label[label] && self.state_label[label] == Opening::Undecided {
                offer(*unpaid, Excess::Label(label as u32));
            }
        }
        for (provider, unpaid) in unpaid_provider.iter().enumerate() {
            if used_provider[provider] && self.state_provider[provider] == Opening::Undecided {
                offer(*unpaid, Excess::Provider(provider as u32));
            }
        }
        worst
    }
}

/// A part of the problem to decide about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Which label a node takes.
    Node(usize),
    /// Whether a label is used.
    Label(u32),
    /// Whether a provider is used.
    Provider(u32),
}

fn retain_places<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| *keep.next().expect("one flag per item"));
}
