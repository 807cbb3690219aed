//! Branch and bound: closes what message passing leaves open.
//!
//! A part of the tree is a [`Dual`] with smaller domains and decided openings. The part with the lowest bound is taken
//! next; it is split where its own labelling costs most above its bound, because that is where the bound can grow.
//! Work is counted in labels looked at, not in seconds, so that the same problem stops at the same place on any
//! machine; a caller's `stop` may end it earlier.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::solve::certain::Certain;
use crate::solve::dual::{Dual, Opening};
use crate::solve::kernel::solve_undecided;
use crate::solve::problem::{Incidence, Labelling, NEVER, Problem};
use crate::solve::reach::Reach;
use crate::solve::search::{Moves, improve};
use crate::solve::{Effort, Solution};

/// Passes without progress after which a bound counts as settled.
const PATIENCE: u32 = 4;
/// Temperatures at which opening costs are shared, in means of the opening costs: from where many labels are still
/// worth paying for, down to where the smoothed bound meets the true one. Found on instances of 100 to 1,000 nodes.
const TEMPERATURES: [f64; 24] = [
    0.3, 0.22, 0.16, 0.12, 0.09, 0.068, 0.052, 0.04, 0.031, 0.024, 0.019, 0.015, 0.012, 0.0096, 0.0077,
    0.0062, 0.005, 0.004, 0.0032, 0.0026, 0.0021, 0.0017, 0.0014, 0.0011,
];
/// Passes for a labelling without opening costs.
const FREE_SWEEPS: u32 = 12;
/// Passes before opening costs are shared.
const FIRST_SWEEPS: u32 = 6;
/// Passes at each temperature.
const SWEEPS_PER_TEMPERATURE: u32 = 3;
/// Most parts of the tree that wait at once, by labels they hold: each keeps its own copy of all messages.
const WAITING_LABELS: usize = 30_000_000;

struct Part<'p> {
    bound: i64,
    age: u64,
    dual: Dual<'p>,
    rounded: Vec<u32>,
}

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Part<'_> {}
impl PartialOrd for Part<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Part<'_> {
    /// Lowest bound first, then the newest, which is deepest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        Reverse(self.bound).cmp(&Reverse(other.bound)).then(self.age.cmp(&other.age))
    }
}

struct Tree<'p, 'e> {
    problem: &'p Problem,
    incidence: Incidence,
    effort: &'e Effort<'e>,
    scratch: Reach,
    best: Option<Labelling>,
    work: u64,
    /// Labels looked at in one pass.
    cells: u64,
}

/// Solves a problem whose every node has a label.
pub fn solve(problem: &Problem, effort: &Effort<'_>) -> Solution {
    let incidence = problem.incidence();
    let cells = problem
        .nodes
        .iter()
        .enumerate()
        .map(|(node, labels)| labels.len() as u64 * (1 + incidence.of(node).len() as u64))
        .sum::<u64>()
        .max(1);
    let mut tree =
        Tree { problem, incidence, effort, scratch: Reach::new(problem), best: None, work: 0, cells };
    let bound = tree.run();
    let bound = match &tree.best {
        Some(best) => bound.min(best.cost),
        None => bound,
    };
    Solution { labelling: tree.best, bound }
}

impl<'p> Tree<'p, '_> {
    /// Returns the lower bound of the whole tree, [`NEVER`] when no labelling is left that could be better.
    fn run(&mut self) -> i64 {
        let problem = self.problem;
        let mut waiting: BinaryHeap<Part<'p>> = BinaryHeap::new();
        let mut age = 0;
        let mut lowest_given_up = NEVER;
        let mut root =
            Part { bound: i64::MIN, age, dual: Dual::new(problem), rounded: vec![0; problem.nodes.len()] };
        if self.propagate(&mut root.dual).is_none() {
            return NEVER;
        }
        self.share_openings(&mut root);
        // What became certain may leave a rule nothing.
        if root.bound < self.ceiling() && self.propagate(&mut root.dual).is_none() {
            return NEVER;
        }
        self.settle(&mut root, u32::MAX, Moves::All);
        if root.bound < self.ceiling() && !self.good_enough(root.bound) && self.solve_apart(&mut root) {
            return root.bound;
        }
        if root.bound < self.ceiling() {
            root.dual = root.dual.compact();
            waiting.push(root);
        }
        while let Some(part) = waiting.pop() {
            if part.bound >= self.ceiling() {
                continue;
            }
            if self.good_enough(part.bound)
                || waiting.len().saturating_mul(part.dual.n_cells()) > WAITING_LABELS
            {
                lowest_given_up = lowest_given_up.min(part.bound);
                break;
            }
            let Some(split) = self.split(&part) else {
                lowest_given_up = lowest_given_up.min(part.bound);
                continue;
            };
            for mut child in split {
                age += 1;
                child.age = age;
                if self.propagate(&mut child.dual).is_some() {
                    self.settle(&mut child, 12, Moves::Nodes);
                    if child.bound < self.ceiling() {
                        waiting.push(child);
                    }
                }
            }
        }
        waiting.into_iter().map(|part| part.bound).fold(lowest_given_up, i64::min)
    }

    /// Solves what the root left undecided as a problem of its own. Returns whether that settled the whole.
    fn solve_apart(&mut self, root: &mut Part<'p>) -> bool {
        let Some(best) = &self.best else { return false };
        if self.problem.has_limits() || !self.problem.capacities.is_empty() {
            return false;
        }
        let left = self.effort.most_work.saturating_sub(self.work);
        let effort = Effort {
            gap_millionths: 0,
            exact_work: u64::MAX,
            most_work: left.min(self.effort.exact_work.saturating_sub(self.work).max(left / 4)),
            stop: self.effort.stop,
        };
        let Some(found) = solve_undecided(self.problem, &root.dual, best, root.bound, &effort) else {
            return false;
        };
        root.bound = root.bound.max(found.bound);
        self.best = found.labelling;
        root.bound >= self.ceiling() || self.good_enough(root.bound)
    }

    /// What a labelling must be cheaper than to be of interest.
    fn ceiling(&self) -> i64 {
        self.best.as_ref().map_or(NEVER, |best| best.cost)
    }

    fn good_enough(&self, bound: i64) -> bool {
        if (self.effort.stop)() || self.work > self.effort.most_work {
            return true;
        }
        let Some(best) = &self.best else { return false };
        self.work > self.effort.exact_work
            && i128::from(best.cost - bound) * 1_000_000
                <= i128::from(best.cost) * i128::from(self.effort.gap_millionths)
    }

    /// Shares opening costs at ever lower temperatures, and keeps the sharing with the best bound.
    fn share_openings(&mut self, part: &mut Part<'p>) {
        let Some(mut mean) = self.mean_opening(&part.dual) else { return };
        // A first look: what is certain from it makes everything after cheaper.
        for sweep in 1..=FIRST_SWEEPS {
            let rounded = (sweep == FIRST_SWEEPS).then_some(part.rounded.as_mut_slice());
            part.dual.sweep(&mut self.scratch, rounded, true);
        }
        part.bound = part.dual.bound_after_sweep();
        self.take_in(&part.rounded, Moves::All);
        let mut dual = part.dual.clone();
        self.conclude(&part.dual.clone(), &mut [&mut dual, &mut part.dual]);
        part.bound = part.bound.max(part.dual.bound_after_sweep());
        for (number, temperature) in TEMPERATURES.into_iter().enumerate() {
            if part.bound >= self.ceiling() || self.good_enough(part.bound) {
                break;
            }
            for _ in 0..SWEEPS_PER_TEMPERATURE {
                dual.share_openings(mean * temperature);
                dual.sweep(&mut self.scratch, None, false);
            }
            let mut tried = dual.clone();
            tried.sweep(&mut self.scratch, None, true);
            tried.sweep(&mut self.scratch, Some(&mut part.rounded), true);
            self.work += 2 * tried.n_cells() as u64 * u64::from(SWEEPS_PER_TEMPERATURE + 2);
            // The labelling changes little from one temperature to the next.
            if number % 4 == 3 {
                self.take_in(&part.rounded, Moves::All);
                self.take_in_within(&tried);
            }
            let bound = tried.bound_after_sweep();
            if bound > part.bound {
                part.bound = bound;
                part.dual = tried.clone();
            }
            self.conclude(&tried, &mut [&mut dual, &mut part.dual]);
            // A node that has no place left shows that nothing is cheaper than the best.
            part.bound = part.bound.max(part.dual.bound_after_sweep());
            match self.mean_opening(&dual) {
                Some(left) => mean = left,
                None => break,
            }
        }
    }

    /// The mean of the opening costs that are not decided; `None` when all are.
    fn mean_opening(&self, dual: &Dual<'p>) -> Option<f64> {
        let of = |costs: &[i64], states: &[Opening]| -> Vec<i64> {
            let undecided =
                costs.iter().zip(states).filter(|(c, state)| **c > 0 && **state == Opening::Undecided);
            undecided.map(|(cost, _)| *cost).collect()
        };
        let mut costs = of(&self.problem.open_region, &dual.state_region);
        costs.extend(of(&self.problem.open_provider, &dual.state_provider));
        let sum: f64 = costs.iter().map(|cost| *cost as f64).sum();
        (!costs.is_empty()).then(|| sum / costs.len() as f64)
    }

    /// Lets others know what one dual shows to be certain.
    fn conclude(&self, shows: &Dual<'p>, others: &mut [&mut Dual<'p>]) {
        let certain = Certain::of(shows, shows.bound_after_sweep(), self.ceiling());
        if certain.is_nothing() {
            return;
        }
        for dual in others {
            certain.tell(dual);
            **dual = dual.compact();
        }
    }

    /// Takes in the best labelling found among the regions that are paid for in full, as if they cost nothing to open:
    /// once the bound is tight these are the regions of the optimum, and without opening costs messages find it.
    fn take_in_within(&mut self, dual: &Dual<'p>) {
        let is_paid = |label: u32| dual.is_paid(self.problem.places.region_of(label));
        let nodes: Vec<Vec<(u32, i64)>> = self
            .problem
            .nodes
            .iter()
            .enumerate()
            .map(|(node, costs)| {
                let left = dual.domain(node);
                let stays = |label: u32| is_paid(label) && left.binary_search(&label).is_ok();
                costs.iter().copied().filter(|(label, _)| stays(*label)).collect()
            })
            .collect();
        if nodes.iter().any(Vec::is_empty) {
            return;
        }
        let open_region = vec![0; self.problem.open_region.len()];
        let open_provider = vec![0; self.problem.open_provider.len()];
        let free = Problem { nodes, open_region, open_provider, ..self.problem.clone() };
        let mut dual = Dual::new(&free);
        let mut labels = vec![0; free.nodes.len()];
        for sweep in 1..=FREE_SWEEPS {
            let rounded = (sweep == FREE_SWEEPS).then_some(labels.as_mut_slice());
            dual.sweep(&mut self.scratch, rounded, false);
        }
        self.work += 2 * self.cells * u64::from(FREE_SWEEPS);
        self.take_in(&labels, Moves::All);
    }

    /// Passes messages until the bound stands still; takes in better labellings found on the way.
    fn settle(&mut self, part: &mut Part<'p>, most_passes: u32, moves: Moves) {
        if part.bound >= self.ceiling() {
            return;
        }
        let mut idle = 0;
        let mut seen = Vec::new();
        for pass in 0..most_passes {
            let looks = moves == Moves::Nodes || pass.is_power_of_two() || idle > 0;
            part.dual.sweep(&mut self.scratch, looks.then_some(part.rounded.as_mut_slice()), true);
            self.work += 2 * self.cells;
            let bound = part.dual.bound_after_sweep();
            if moves == Moves::All && pass.is_power_of_two() && part.rounded != seen {
                self.take_in(&part.rounded, moves);
                seen.clone_from(&part.rounded);
            }
            let ceiling = self.ceiling();
            let gain = bound.saturating_sub(part.bound);
            // A step below a hundredth of what is missing would need hundreds of passes to matter.
            let worthwhile = ceiling.saturating_sub(bound) / 100;
            idle = if gain <= worthwhile { idle + 1 } else { 0 };
            part.bound = part.bound.max(bound);
            if part.bound >= ceiling || idle >= PATIENCE || (self.effort.stop)() {
                break;
            }
        }
        self.take_in(&part.rounded, moves);
        // Dropping uses the bound of the messages as they are now, not the best one seen.
        let now = part.dual.bound(&mut self.scratch);
        let certain = Certain::of(&part.dual, now, self.ceiling());
        certain.tell(&mut part.dual);
        if part.dual.drop_hopeless(now, self.ceiling()) > 0 || !certain.is_nothing() {
            if self.propagate(&mut part.dual).is_none() {
                part.bound = NEVER;
                return;
            }
            part.dual.sweep(&mut self.scratch, Some(&mut part.rounded), true);
            part.bound = part.bound.max(part.dual.bound(&mut self.scratch));
            // A part is split by what its labelling costs above the bound, so that labelling must be known. At the
            // ceiling and above nothing is left to split, and a node may have lost all its labels.
            if part.bound < self.ceiling() {
                self.take_in(&part.rounded, moves);
            }
        }
    }

    fn take_in(&mut self, labels: &[u32], moves: Moves) {
        if let Some(found) = improve(self.problem, &self.incidence, labels, moves)
            && found.cost < self.ceiling()
        {
            self.best = Some(found);
        }
    }

    /// Two parts that together hold every labelling of the part; `None` when there is nothing left to decide.
    fn split(&self, part: &Part<'p>) -> Option<[Part<'p>; 2]> {
        use crate::solve::excess::Excess;
        let child =
            || Part { bound: part.bound, age: 0, dual: part.dual.clone(), rounded: part.rounded.clone() };
        let (mut yes, mut no) = (child(), child());
        let decide = part
            .dual
            .over_limit(&part.rounded)
            .or_else(|| part.dual.broken_rule(&part.rounded))
            .or_else(|| part.dual.largest_excess(&part.rounded))?;
        match decide {
            Excess::Node(node) => {
                yes.dual.restrict(node, part.rounded[node], true);
                no.dual.restrict(node, part.rounded[node], false);
            }
            Excess::Region(region) => {
                yes.dual.open_region(region);
                no.dual.close(|other| other == region);
            }
            Excess::Provider(provider) => {
                yes.dual.open_provider(provider);
                no.dual.close_provider(provider);
            }
        }
        Some([yes, no])
    }

    fn propagate(&self, dual: &mut Dual<'p>) -> Option<()> {
        crate::solve::propagate::propagate(self.problem, &self.incidence, dual)
    }
}
