//! Shares opening costs among nodes so that the bound rises as far as it can.
//!
//! Letting each node pay what it alone gains by ([`Dual::sweep`]) gets stuck: early nodes pay for regions that later ones
//! need. Here every node has a soft preference for its cheap labels, `p_i(r) ~ exp(-theta_i(r) / T)`, and a region's cost
//! is shared so that all who pay for it prefer it equally: the optimality condition of the bound smoothed by entropy.
//! Given the others, that share has a closed form: with `g_i` the log-odds of region `r` at node `i`, node `i` pays
//! `max(0, T (g_i + c))`, where `c` makes the payments add up to the cost. Repeating it over regions climbs the smoothed
//! bound, which has no false summits; lowering `T` brings that summit to the true one. What a node prefers is read as it
//! was when the node was last visited, with what all its edges had to say, because a pass leaves `theta` lopsided towards
//! the nodes it visited last. The floats only choose the payments: they are stored as integers that never exceed the
//! cost, so the bound stays exact.

use super::dual::{Dual, Opening};

/// The labels of one node in one region.
#[derive(Clone, Copy, Debug)]
struct Run {
    node: u32,
    first: u32,
    end: u32,
}

/// Stands for a weight of zero where its logarithm is taken.
const NOTHING: f64 = 1e-300;

impl Dual<'_> {
    /// Shares every undecided opening cost anew at a temperature, in units of cost.
    pub fn share_openings(&mut self, temperature: f64) {
        let n_nodes = self.problem.nodes.len();
        // Weights relative to the cheapest label: the sum is at least one, so its logarithm is safe.
        let mut least = vec![0i64; n_nodes];
        let mut total = vec![0f64; n_nodes];
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); self.left_region.len()];
        for node in 0..n_nodes {
            let marginal = self.marginal(node);
            least[node] = marginal.iter().copied().min().unwrap_or(0);
            total[node] = marginal.iter().map(|theta| weight(theta - least[node], temperature)).sum();
            let labels = self.domain(node);
            let mut at = 0;
            while at < labels.len() {
                let region = self.problem.places.region_of(labels[at]);
                let same = |label: &&u32| self.problem.places.region_of(**label) == region;
                let end = at + labels[at..].iter().take_while(same).count();
                runs[region].push(Run { node: node as u32, first: at as u32, end: end as u32 });
                at = end;
            }
        }
        let mut odds: Vec<(f64, u32)> = Vec::new();
        for (region, runs) in runs.iter().enumerate() {
            let cost = self.problem.open_region[region];
            if cost <= 0 || self.state_region[region] != Opening::Undecided {
                continue;
            }
            odds.clear();
            for (number, run) in runs.iter().enumerate() {
                let node = run.node as usize;
                let cells = run.first as usize..run.end as usize;
                let marginal = &self.marginal(node)[cells];
                let cheapest = marginal.iter().copied().min().unwrap_or(0);
                let own = marginal.iter().map(|theta| weight(theta - cheapest, temperature)).sum::<f64>();
                let far = (cheapest - least[node]) as f64 / temperature;
                // Without its payment the region would weigh this much.
                let paid = self.pays_region(node)[run.first as usize] as f64 / temperature;
                let rest = (total[node] - own * libm::exp(-far)).max(NOTHING);
                let log_own = if run.end - run.first == 1 { 0.0 } else { libm::log(own) };
                odds.push((log_own - far + paid - libm::log(rest), number as u32));
            }
            let level = water_level(&mut odds, cost as f64 / temperature);
            let mut left = cost;
            let mut shares: Vec<(u32, i64)> = Vec::with_capacity(odds.len());
            for &(log_odds, number) in &odds {
                let share = (((log_odds + level).max(0.0) * temperature) as i64).min(left);
                left -= share;
                shares.push((number, share));
            }
            // Those who were left out of the odds pay nothing.
            let mut share_of = vec![0i64; runs.len()];
            for (number, share) in shares {
                share_of[number as usize] = share;
            }
            for (run, share) in runs.iter().zip(share_of) {
                let (node, cells) = (run.node as usize, run.first as usize..run.end as usize);
                let change = share - self.pays_region(node)[run.first as usize];
                if change == 0 {
                    continue;
                }
                self.pays_region_mut(node)[cells.clone()].fill(share);
                for theta in &mut self.theta_mut(node)[cells.clone()] {
                    *theta += change;
                }
                for theta in &mut self.marginal_mut(node)[cells] {
                    total[node] -= weight(*theta - least[node], temperature);
                    *theta += change;
                    total[node] += weight(*theta - least[node], temperature);
                }
            }
            self.left_region[region] = left;
        }
        self.share_providers(temperature);
    }

    fn share_providers(&mut self, temperature: f64) {
        for provider in 0..self.left_provider.len() {
            let cost = self.problem.open_provider[provider];
            if cost <= 0 || self.state_provider[provider] != Opening::Undecided {
                continue;
            }
            let places = &self.problem.places;
            let of_provider = |label: u32| places.provider_of(label) == provider;
            let mut odds: Vec<(f64, u32)> = Vec::new();
            for node in 0..self.problem.nodes.len() {
                let (labels, theta) = (self.domain(node), self.marginal(node));
                let least = theta.iter().copied().min().unwrap_or(0);
                let weigh = |is_its: bool| -> f64 {
                    let those = labels.iter().zip(theta).filter(|(label, _)| of_provider(**label) == is_its);
                    those.map(|(_, theta)| weight(theta - least, temperature)).sum()
                };
                if labels.iter().any(|label| of_provider(*label)) {
                    let (inside, outside) = (weigh(true), weigh(false));
                    let paid = self.pays_provider(node, provider) as f64 / temperature;
                    let log_odds = libm::log(inside.max(NOTHING)) + paid - libm::log(outside.max(NOTHING));
                    odds.push((log_odds, node as u32));
                }
            }
            let level = water_level(&mut odds, cost as f64 / temperature);
            let mut left = cost;
            let mut shares = vec![0i64; self.problem.nodes.len()];
            for &(log_odds, node) in &odds {
                let share = (((log_odds + level).max(0.0) * temperature) as i64).min(left);
                left -= share;
                shares[node as usize] = share;
            }
            for (node, share) in shares.into_iter().enumerate() {
                let change = share - std::mem::replace(self.pays_provider_mut(node, provider), share);
                if change == 0 {
                    continue;
                }
                for place in 0..self.domain(node).len() {
                    if places.provider_of(self.domain(node)[place]) == provider {
                        self.theta_mut(node)[place] += change;
                        self.marginal_mut(node)[place] += change;
                    }
                }
            }
            self.left_provider[provider] = left;
        }
    }
}

/// `exp(-above / T)`.
fn weight(above: i64, temperature: f64) -> f64 {
    let exponent = above as f64 / temperature;
    if exponent > 690.0 { 0.0 } else { libm::exp(-exponent) }
}

/// The `c` at which `sum of max(0, g + c)` is `amount`. Sorts `g` from high to low, without those that never pay.
fn water_level(odds: &mut Vec<(f64, u32)>, amount: f64) -> f64 {
    // The highest alone would reach the amount at `amount - highest`; whoever is below the negative of that never joins.
    let highest = odds.iter().map(|(log_odds, _)| *log_odds).fold(f64::NEG_INFINITY, f64::max);
    odds.retain(|(log_odds, _)| *log_odds >= highest - amount);
    odds.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sum = 0.0;
    let mut level = f64::NEG_INFINITY;
    for (count, (log_odds, _)) in odds.iter().enumerate() {
        // With the first `count` paying, the next one joins when the level passes its own log-odds.
        if count > 0 && level <= -log_odds {
            break;
        }
        sum += log_odds;
        level = (amount - sum) / (count + 1) as f64;
    }
    level
}
