//! Shares opening costs among nodes so that the bound rises as far as it can.
//!
//! Letting each node pay what it alone gains by ([`Dual::sweep`]) gets stuck: early nodes pay for labels that later ones
//! need. Here every node has a soft preference for its cheap labels, `p_i(r) ~ exp(-theta_i(r) / T)`, and a label's cost
//! is shared so that all who pay for it prefer it equally: the optimality condition of the bound smoothed by entropy.
//! Given the others, that share has a closed form: with `g_i` the log-odds of label `r` at node `i`, node `i` pays
//! `max(0, T (g_i + c))`, where `c` makes the payments add up to the cost. Repeating it over labels climbs the smoothed
//! bound, which has no false summits; lowering `T` brings that summit to the true one. What a node prefers is read as it
//! was when the node was last visited, with what all its edges had to say, because a pass leaves `theta` lopsided towards
//! the nodes it visited last. The floats only choose the payments: they are stored as integers that never exceed the
//! cost, so the bound stays exact.

use super::dual::{Dual, Opening};

impl Dual<'_> {
    /// Shares every undecided opening cost anew at a temperature, in units of cost. Only for a dual of which no label was
    /// dropped yet: a payment for a provider that a node has lost would not be counted.
    pub fn share_openings(&mut self, temperature: f64) {
        let n_nodes = self.domain.len();
        // Weights relative to the cheapest label: the sum is at least one, so its logarithm is safe.
        let mut least = vec![0i64; n_nodes];
        let mut weight: Vec<Vec<f64>> = Vec::with_capacity(n_nodes);
        let mut total = vec![0f64; n_nodes];
        for node in 0..n_nodes {
            least[node] = self.marginal[node].iter().copied().min().unwrap_or(0);
            let row: Vec<f64> = self.marginal[node]
                .iter()
                .map(|theta| libm::exp(-((theta - least[node]) as f64) / temperature))
                .collect();
            total[node] = row.iter().sum();
            weight.push(row);
        }
        let mut members: Vec<Vec<(u32, u32)>> = vec![Vec::new(); self.left_label.len()];
        for (node, labels) in self.domain.iter().enumerate() {
            for (place, label) in labels.iter().enumerate() {
                members[*label as usize].push((node as u32, place as u32));
            }
        }
        let mut odds: Vec<(f64, u32)> = Vec::new();
        for (label, members) in members.iter().enumerate() {
            let cost = self.problem.open_label[label];
            if cost <= 0 || self.state_label[label] != Opening::Undecided {
                continue;
            }
            odds.clear();
            for (number, &(node, place)) in members.iter().enumerate() {
                let (node, place) = (node as usize, place as usize);
                // Without its payment the label would weigh this much.
                let paid = self.pays_label[node][place] as f64 / temperature;
                let rest = (total[node] - weight[node][place]).max(1e-300);
                let bare = libm::log(weight[node][place].max(1e-300)) + paid;
                odds.push((bare - libm::log(rest), number as u32));
            }
            let level = water_level(&mut odds, cost as f64 / temperature);
            let mut left = cost;
            for &(log_odds, number) in &odds {
                let (node, place) = members[number as usize];
                let (node, place) = (node as usize, place as usize);
                let share = ((log_odds + level).max(0.0) * temperature) as i64;
                let share = share.min(left);
                left -= share;
                let change = share - self.pays_label[node][place];
                if change != 0 {
                    self.pays_label[node][place] = share;
                    self.theta[node][place] += change;
                    self.marginal[node][place] += change;
                    let old = weight[node][place];
                    let new = libm::exp(-((self.marginal[node][place] - least[node]) as f64) / temperature);
                    weight[node][place] = new;
                    total[node] += new - old;
                }
            }
            self.left_label[label] = left;
        }
        self.share_providers(temperature);
    }

    fn share_providers(&mut self, temperature: f64) {
        for provider in 0..self.left_provider.len() {
            let cost = self.problem.open_provider[provider];
            if cost <= 0 || self.state_provider[provider] != Opening::Undecided {
                continue;
            }
            let of_provider = |label: u32| self.problem.provider[label as usize] as usize == provider;
            let mut odds: Vec<(f64, u32)> = Vec::new();
            for (node, labels) in self.domain.iter().enumerate() {
                let theta = &self.marginal[node];
                let least = theta.iter().copied().min().unwrap_or(0);
                let weigh = |inside: bool| -> f64 {
                    labels
                        .iter()
                        .zip(theta)
                        .filter(|(label, _)| of_provider(**label) == inside)
                        .map(|(_, theta)| libm::exp(-((theta - least) as f64) / temperature))
                        .sum()
                };
                let (inside, outside) = (weigh(true), weigh(false));
                if inside > 0.0 || labels.iter().any(|label| of_provider(*label)) {
                    let paid = self.pays_provider[node][provider] as f64 / temperature;
                    let log_odds = libm::log(inside.max(1e-300)) + paid - libm::log(outside.max(1e-300));
                    odds.push((log_odds, node as u32));
                }
            }
            let level = water_level(&mut odds, cost as f64 / temperature);
            let mut left = cost;
            for &(log_odds, node) in &odds {
                let node = node as usize;
                let share = (((log_odds + level).max(0.0) * temperature) as i64).min(left);
                left -= share;
                let change = share - std::mem::replace(&mut self.pays_provider[node][provider], share);
                for (label, theta) in self.domain[node].iter().zip(&mut self.theta[node]) {
                    if self.problem.provider[*label as usize] as usize == provider {
                        *theta += change;
                    }
                }
                for (label, theta) in self.domain[node].iter().zip(&mut self.marginal[node]) {
                    if self.problem.provider[*label as usize] as usize == provider {
                        *theta += change;
                    }
                }
            }
            self.left_provider[provider] = left;
        }
    }
}

/// The `c` at which `sum of max(0, g + c)` is `amount`. Sorts `g` from high to low.
fn water_level(odds: &mut [(f64, u32)], amount: f64) -> f64 {
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
