//! Where a labelling costs more than the bound says: the place to decide something.

use std::cmp::Reverse;

use crate::solve::dual::{Dual, Opening};

/// A part of the problem to decide about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Which label a node takes.
    Node(usize),
    /// Whether a region is used.
    Region(usize),
    /// Whether a provider is used.
    Provider(usize),
}

impl Dual<'_> {
    /// The part of the problem where a labelling costs most above the bound.
    pub fn largest_excess(&self, labels: &[u32]) -> Option<Excess> {
        let problem = self.problem;
        let mut worst: Option<(i64, Excess)> = None;
        let mut offer = |amount: i64, excess: Excess| {
            if amount > 0 && worst.is_none_or(|(most, _)| amount > most) {
                worst = Some((amount, excess));
            }
        };
        for (node, label) in labels.iter().enumerate() {
            // The labelling may come from elsewhere in the tree; a node without its label already differs from it.
            if self.domain(node).len() > 1
                && let Ok(place) = self.domain(node).binary_search(label)
                && let Some(least) = self.least(node)
            {
                offer(self.theta(node)[place] - least, Excess::Node(node));
            }
        }
        for (place, edge) in problem.edges.iter().enumerate() {
            let (a, b) = (edge.a as usize, edge.b as usize);
            let (Ok(in_a), Ok(in_b)) =
                (self.domain(a).binary_search(&labels[a]), self.domain(b).binary_search(&labels[b]))
            else {
                continue;
            };
            let cost = problem.edge_cost(edge, labels[a], labels[b])
                - self.moved(place, a)[in_a]
                - self.moved(place, b)[in_b];
            let wider = if self.domain(a).len() >= self.domain(b).len() { a } else { b };
            if self.domain(wider).len() > 1 {
                offer(cost, Excess::Node(wider));
            }
        }
        if problem.has_openings() {
            self.unpaid(labels, &mut offer);
        }
        worst.map(|(_, excess)| excess)
    }

    /// When a labelling uses too many providers or regions: an undecided one that most nodes use.
    pub fn over_limit(&self, labels: &[u32]) -> Option<Excess> {
        let problem = self.problem;
        if !problem.has_limits() {
            return None;
        }
        let mut by_region = vec![0u32; problem.open_region.len()];
        let mut by_provider = vec![0u32; problem.open_provider.len()];
        for &label in labels {
            by_region[problem.places.region_of(label)] += 1;
            by_provider[problem.places.provider_of(label)] += 1;
        }
        let over = |counts: &[u32], most: Option<u32>| {
            most.is_some_and(|most| counts.iter().filter(|count| **count > 0).count() as u32 > most)
        };
        let most_used = |counts: &[u32], states: &[Opening]| {
            (0..counts.len())
                .filter(|place| counts[*place] > 0 && states[*place] == Opening::Undecided)
                .max_by_key(|place| (counts[*place], Reverse(*place)))
        };
        if over(&by_provider, problem.max_providers) {
            return most_used(&by_provider, &self.state_provider).map(Excess::Provider);
        }
        if over(&by_region, problem.max_regions) {
            return most_used(&by_region, &self.state_region).map(Excess::Region);
        }
        None
    }

    /// When a labelling breaks a rule between nodes: a node whose label is part of it and can change.
    pub fn broken_rule(&self, labels: &[u32]) -> Option<Excess> {
        let problem = self.problem;
        if !problem.has_rules() {
            return None;
        }
        let free = |node: &usize| self.domain(*node).len() > 1;
        let broken = |edge: &&crate::solve::problem::Edge| {
            problem.refuses(edge, labels[edge.a as usize], labels[edge.b as usize])
        };
        for edge in problem.edges.iter().filter(broken) {
            let ends = [edge.a as usize, edge.b as usize];
            let smallest = ends.into_iter().filter(free).min_by_key(|node| self.domain(*node).len());
            if let Some(node) = smallest {
                return Some(Excess::Node(node));
            }
        }
        let loads = problem.loads(labels);
        let over = loads.iter().zip(&problem.capacities).position(|(load, most)| load > most)? as u32;
        let amount = |node: &usize| -> i64 {
            let uses = problem.uses_of(*node, labels[*node]);
            uses.iter().filter(|found| found.capacity == over).map(|found| found.amount).sum()
        };
        (0..labels.len())
            .filter(free)
            .filter(|node| amount(node) > 0)
            .max_by_key(|node| (amount(node), Reverse(*node)))
            .map(Excess::Node)
    }

    /// What a place in use costs beyond what the nodes that use it pay: others may pay for it too.
    fn unpaid(&self, labels: &[u32], offer: &mut impl FnMut(i64, Excess)) {
        let places = &self.problem.places;
        let mut unpaid_region: Vec<Option<i64>> = vec![None; self.left_region.len()];
        let mut unpaid_provider: Vec<Option<i64>> = vec![None; self.left_provider.len()];
        for (node, label) in labels.iter().enumerate() {
            let (region, provider) = (places.region_of(*label), places.provider_of(*label));
            *unpaid_provider[provider].get_or_insert(self.problem.open_provider[provider]) -=
                self.pays_provider(node, provider);
            let unpaid = unpaid_region[region].get_or_insert(self.problem.open_region[region]);
            if let Ok(place) = self.domain(node).binary_search(label) {
                *unpaid -= self.pays_region(node)[place];
            }
        }
        for (region, unpaid) in unpaid_region.into_iter().enumerate() {
            if let Some(unpaid) = unpaid
                && self.state_region[region] == Opening::Undecided
            {
                offer(unpaid, Excess::Region(region));
            }
        }
        for (provider, unpaid) in unpaid_provider.into_iter().enumerate() {
            if let Some(unpaid) = unpaid
                && self.state_provider[provider] == Opening::Undecided
            {
                offer(unpaid, Excess::Provider(provider));
            }
        }
    }
}
