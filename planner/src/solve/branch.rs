//! Branch and bound: closes what message passing leaves open.
//!
//! A part of the tree is a [`Dual`] with smaller domains and decided openings. The part with the lowest bound is taken
//! next; it is split where its own labelling costs most above its bound, because that is where the bound can grow.
//! Work is counted in labels looked at, not in seconds, so that the same problem stops at the same place on any
//! machine; a caller's `stop` may end it earlier.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::solve::dual::{Dual, Excess, Opening};
use crate::solve::problem::{Labelling, NEVER, Problem, Reach};
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
/// Passes at each temperature.
const SWEEPS_PER_TEMPERATURE: u32 = 3;
/// Most parts of the tree that wait at once, by labels they hold: each keeps its own copy of all messages.
const WAITING_LABELS: usize = 60_000_000;

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
    incidence: Vec<Vec<u32>>,
    effort: &'e Effort<'e>,
    scratch: Reach,
    best: Option<Labelling>,
    work: u64,
    cells: u64,
}

/// Solves a problem whose every node has a label.
pub fn solve(problem: &Problem, effort: &Effort<'_>) -> Solution {
    let incidence = problem.incidence();
    let cells = problem
        .nodes
        .iter()
        .zip(&incidence)
        .map(|(node, edges)| node.len() as u64 * (1 + edges.len() as u64))
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
        self.share_openings(&mut root);
        self.settle(&mut root, u32::MAX, Moves::All);
        if root.bound < self.ceiling() {
            waiting.push(root);
        }
        while let Some(part) = waiting.pop() {
            if part.bound >= self.ceiling() {
                continue;
            }
            if self.good_enough(part.bound)
                || waiting.len().saturating_mul(self.cells as usize) > WAITING_LABELS
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
        let costs =
            self.problem.open_label.iter().chain(&self.problem.open_provider).filter(|cost| **cost > 0);
        let (n_costs, sum) = costs.fold((0, 0.0), |(n, sum), cost| (n + 1, sum + *cost as f64));
        if n_costs == 0 {
            return;
        }
        let mean = sum / f64::from(n_costs);
        let mut dual = part.dual.clone();
        for (number, temperature) in TEMPERATURES.into_iter().enumerate() {
            for _ in 0..SWEEPS_PER_TEMPERATURE {
                dual.share_openings(mean * temperature);
                dual.sweep(&mut self.scratch, &mut part.rounded, false);
            }
            let mut tried = dual.clone();
            for _ in 0..2 {
                tried.sweep(&mut self.scratch, &mut part.rounded, true);
            }
            self.work += 2 * self.cells * u64::from(SWEEPS_PER_TEMPERATURE + 2);
            // The labelling changes little from one temperature to the next.
            if number % 4 == 3 {
                self.take_in(&part.rounded, Moves::All);
                self.take_in_within(&tried);
            }
            let bound = tried.bound();
            if bound > part.bound {
                part.bound = bound;
                part.dual = tried;
            }
            if part.bound >= self.ceiling() || self.good_enough(part.bound) {
                break;
            }
        }
    }

    /// Takes in the best labelling found among the labels that are paid for in full, as if they cost nothing to open:
    /// once the bound is tight these are the labels of the optimum, and without opening costs messages find it.
    fn take_in_within(&mut self, dual: &Dual<'p>) {
        let nodes: Vec<Vec<(u32, i64)>> = self
            .problem
            .nodes
            .iter()
            .map(|node| node.iter().copied().filter(|(label, _)| dual.is_paid(*label)).collect())
            .collect();
        if nodes.iter().any(Vec::is_empty) {
            return;
        }
        let open_label = vec![0; self.problem.open_label.len()];
        let open_provider = vec![0; self.problem.open_provider.len()];
        let free = Problem { nodes, open_label, open_provider, ..self.problem.clone() };
        let mut dual = Dual::new(&free);
        let mut labels = vec![0; free.nodes.len()];
        for _ in 0..FREE_SWEEPS {
            dual.sweep(&mut self.scratch, &mut labels, false);
        }
        self.work += 2 * self.cells * u64::from(FREE_SWEEPS);
        self.take_in(&labels, Moves::All);
    }

    /// Passes messages until the bound stands still; takes in better labellings found on the way.
    fn settle(&mut self, part: &mut Part<'p>, most_passes: u32, moves: Moves) {
        let mut idle = 0;
        let mut seen = Vec::new();
        for pass in 0..most_passes {
            part.dual.sweep(&mut self.scratch, &mut part.rounded, true);
            self.work += 2 * self.cells;
            let bound = part.dual.bound();
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
        let now = part.dual.bound();
        if part.dual.drop_hopeless(now, self.ceiling()) > 0 {
            part.dual.sweep(&mut self.scratch, &mut part.rounded, true);
            part.bound = part.bound.max(part.dual.bound());
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

    /// Draws the conclusions of decided openings and small domains; `None` when nothing is left.
    fn propagate(&self, dual: &mut Dual<'p>) -> Option<()> {
        let problem = self.problem;
        loop {
            let mut changed = false;
            for node in 0..problem.nodes.len() {
                let domain = dual.domain(node);
                let &first = domain.first()?;
                let provider = problem.provider[first as usize];
                let one_provider = domain.iter().all(|label| problem.provider[*label as usize] == provider);
                let one_label = domain.len() == 1;
                if one_label && dual.label_state(first) == Opening::Undecided {
                    dual.open_label(first);
                    changed = true;
                }
                if one_provider && dual.provider_state(provider) == Opening::Undecided {
                    dual.open_provider(provider);
                    changed = true;
                }
            }
            let n_open =
                |states: &[Opening]| states.iter().filter(|state| **state == Opening::Open).count() as u32;
            let labels: Vec<Opening> =
                (0..problem.provider.len() as u32).map(|l| dual.label_state(l)).collect();
            let providers: Vec<Opening> =
                (0..problem.open_provider.len() as u32).map(|p| dual.provider_state(p)).collect();
            if let Some(most) = problem.max_labels {
                if n_open(&labels) > most {
                    return None;
                }
                if n_open(&labels) == most && labels.contains(&Opening::Undecided) {
                    dual.close(|label| labels[label as usize] == Opening::Undecided);
                    changed = true;
                }
            }
            if let Some(most) = problem.max_providers {
                if n_open(&providers) > most {
                    return None;
                }
                if n_open(&providers) == most {
                    for (provider, _) in
                        providers.iter().enumerate().filter(|(_, s)| **s == Opening::Undecided)
                    {
                        dual.close_provider(provider as u32);
                        changed = true;
                    }
                }
            }
            if !changed {
                return Some(());
            }
        }
    }

    /// Two parts that together hold every labelling of the part; `None` when there is nothing left to decide.
    fn split(&self, part: &Part<'p>) -> Option<[Part<'p>; 2]> {
        let child =
            || Part { bound: part.bound, age: 0, dual: part.dual.clone(), rounded: part.rounded.clone() };
        let (mut yes, mut no) = (child(), child());
        match self
            .over_limit(part)
            .or_else(|| part.dual.largest_excess(&part.rounded).map(|(_, excess)| excess))?
        {
            Excess::Node(node) => {
                yes.dual.restrict(node, part.rounded[node], true);
                no.dual.restrict(node, part.rounded[node], false);
            }
            Excess::Label(label) => {
                yes.dual.open_label(label);
                no.dual.close(|other| other == label);
            }
            Excess::Provider(provider) => {
                yes.dual.open_provider(provider);
                no.dual.close_provider(provider);
            }
        }
        Some([yes, no])
    }

    /// When the part's labelling uses too many providers or labels: an undecided one that most nodes use.
    fn over_limit(&self, part: &Part<'p>) -> Option<Excess> {
        let problem = self.problem;
        let mut by_label = vec![0u32; problem.provider.len()];
        let mut by_provider = vec![0u32; problem.open_provider.len()];
        for &label in &part.rounded {
            by_label[label as usize] += 1;
            by_provider[problem.provider[label as usize] as usize] += 1;
        }
        let over = |counts: &[u32], most: Option<u32>| {
            most.is_some_and(|most| counts.iter().filter(|count| **count > 0).count() as u32 > most)
        };
        let most_used = |counts: &[u32], undecided: &dyn Fn(u32) -> bool| {
            (0..counts.len() as u32)
                .filter(|place| counts[*place as usize] > 0 && undecided(*place))
                .max_by_key(|place| (counts[*place as usize], Reverse(*place)))
        };
        if over(&by_provider, problem.max_providers) {
            let undecided = |provider: u32| part.dual.provider_state(provider) == Opening::Undecided;
            return most_used(&by_provider, &undecided).map(Excess::Provider);
        }
        if over(&by_label, problem.max_labels) {
            let undecided = |label: u32| part.dual.label_state(label) == Opening::Undecided;
            return most_used(&by_label, &undecided).map(Excess::Label);
        }
        None
    }
}
