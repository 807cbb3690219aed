//! Openings that every labelling cheaper than the best known one shares.
//!
//! With the costs as they are moved, using a region costs at least what nobody pays for it yet, and doing without one costs
//! at least what the nodes that prefer it lose. Where the bound with that reaches the best known cost, the opposite is
//! certain. This is the reduced-cost fixing of integer programming.

use crate::solve::dual::{Dual, Opening};
use crate::solve::problem::NEVER;

/// What is certain about regions and providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certain {
    regions: Vec<(usize, Opening)>,
    providers: Vec<(usize, Opening)>,
}

/// What using and not using each of some places costs at least, beyond the bound.
struct Regret {
    /// What nodes get back when the place is paid for.
    released: Vec<i64>,
    /// What nodes lose without it.
    lost: Vec<i64>,
}

impl Regret {
    fn new(n: usize) -> Regret {
        Regret { released: vec![0; n], lost: vec![0; n] }
    }

    fn judge(&self, costs: &[i64], states: &[Opening], bound: i64, ceiling: i64) -> Vec<(usize, Opening)> {
        let undecided = (0..costs.len()).filter(|place| states[*place] == Opening::Undecided);
        undecided
            .filter_map(|place| {
                if bound.saturating_add(costs[place] - self.released[place]) >= ceiling {
                    Some((place, Opening::Closed))
                } else if bound.saturating_add(self.lost[place]) >= ceiling {
                    Some((place, Opening::Open))
                } else {
                    None
                }
            })
            .collect()
    }
}

impl Certain {
    /// Finds it; `bound` is the dual's own bound as it is now.
    pub fn of(dual: &Dual<'_>, bound: i64, ceiling: i64) -> Certain {
        let problem = dual.problem;
        if !problem.has_openings() || ceiling >= NEVER || bound >= ceiling {
            return Certain::default();
        }
        let places = &problem.places;
        let mut regions = Regret::new(problem.open_region.len());
        let mut providers = Regret::new(problem.open_provider.len());
        for node in 0..problem.nodes.len() {
            let (labels, theta) = (dual.domain(node), dual.theta(node));
            let Some(least) = dual.least(node) else { return Certain::default() };
            let pays = dual.pays_region(node);
            let (mut by_region, mut by_provider) = (Cheapest::default(), Cheapest::default());
            let mut released: Option<(usize, i64)> = None;
            for ((label, theta), pays) in labels.iter().zip(theta).zip(pays) {
                let (region, provider) = (places.region_of(*label), places.provider_of(*label));
                by_region.take(*theta, region);
                by_provider.take(*theta, provider);
                let back = (least - (theta - pays)).max(0);
                match &mut released {
                    Some((last, most)) if *last == region => *most = (*most).max(back),
                    _ => {
                        if let Some((last, most)) = released {
                            regions.released[last] += most;
                        }
                        released = Some((region, back));
                    }
                }
            }
            if let Some((last, most)) = released {
                regions.released[last] += most;
            }
            by_region.add_loss(least, &mut regions.lost);
            by_provider.add_loss(least, &mut providers.lost);
            for provider in 0..problem.open_provider.len() {
                let paid = dual.pays_provider(node, provider);
                if paid > 0 {
                    let its = labels.iter().zip(theta).filter(|(l, _)| places.provider_of(**l) == provider);
                    let cheapest = its.map(|(_, theta)| *theta).min().unwrap_or(NEVER);
                    providers.released[provider] += (least - (cheapest - paid)).max(0);
                }
            }
        }
        Certain {
            regions: regions.judge(&problem.open_region, &dual.state_region, bound, ceiling),
            providers: providers.judge(&problem.open_provider, &dual.state_provider, bound, ceiling),
        }
    }

    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        self.regions.is_empty() && self.providers.is_empty()
    }

    /// Lets a dual of the same problem know. What it knows already stays.
    pub fn tell(&self, dual: &mut Dual<'_>) {
        let closed: Vec<bool> = (0..dual.state_region.len())
            .map(|region| self.regions.contains(&(region, Opening::Closed)))
            .collect();
        if closed.contains(&true) {
            dual.close(|region| closed[region]);
        }
        for &(region, state) in &self.regions {
            if state == Opening::Open && dual.region_state(region) == Opening::Undecided {
                dual.open_region(region);
            }
        }
        for &(provider, state) in &self.providers {
            if dual.provider_state(provider) == Opening::Undecided {
                match state {
                    Opening::Open => dual.open_provider(provider),
                    Opening::Closed => dual.close_provider(provider),
                    Opening::Undecided => {}
                }
            }
        }
    }
}

/// The cheapest place of a node and the cheapest other one.
struct Cheapest {
    best: (i64, usize),
    second: i64,
}

impl Default for Cheapest {
    fn default() -> Self {
        Cheapest { best: (NEVER, usize::MAX), second: NEVER }
    }
}

impl Cheapest {
    fn take(&mut self, cost: i64, place: usize) {
        if cost < self.best.0 {
            if place != self.best.1 {
                self.second = self.best.0;
            }
            self.best = (cost, place);
        } else if place != self.best.1 {
            self.second = self.second.min(cost);
        }
    }

    /// Without its cheapest place a node costs as much more as the next one does.
    fn add_loss(&self, least: i64, lost: &mut [i64]) {
        if self.best.1 != usize::MAX {
            let sum = &mut lost[self.best.1];
            *sum = sum.saturating_add(self.second - least).min(NEVER);
        }
    }
}
