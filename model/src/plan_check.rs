//! Checks that a plan document agrees with itself, because a plan is a file that people may edit.
//!
//! It needs nothing but the plan: every product and sum is made again in integers, every host is somewhere once, every
//! reference leads somewhere. Whether the plan agrees with its estate, policy and prices is for the planner's own check,
//! which has them.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, Place};
use crate::ids::{HostId, StepId};
use crate::language::Sentence;
use crate::plan::{BillLine, LineRange, Plan};
use crate::units::{Money, clip};

/// How a plan can contradict itself: code, summary, what to do. [`check`] finds these.
pub const CODES: [(&str, &str, &str); 7] = [
    ("PLC-001", "a line of the bill is not quantity times rate, or lies outside its own range", MAKE_AGAIN),
    ("PLC-002", "a total is not what its parts make", MAKE_AGAIN),
    ("PLC-003", "the lower bound, the gap and the total contradict each other", MAKE_AGAIN),
    ("PLC-004", "a host is in the plan more than once", MAKE_AGAIN),
    ("PLC-005", "a host moves in no wave or in two, or in a wave without being placed", MAKE_AGAIN),
    ("PLC-006", "a host's bill does not belong to its placement, or does not add up to it", MAKE_AGAIN),
    ("PLC-007", "a reference inside the plan leads nowhere, twice somewhere, or in a circle", MAKE_AGAIN),
];

const MAKE_AGAIN: &str = "the plan was changed after it was made; make it again with `carafe plan`";

/// Everything in which the plan contradicts itself, at JSON pointers into `file`; none for a plan as it was made.
pub fn check(file: &str, plan: &Plan) -> Vec<Finding> {
    let mut judge = Judge { file, plan, findings: Vec::new() };
    judge.lines();
    judge.totals();
    judge.bound();
    judge.hosts();
    judge.waves();
    judge.bills_of_hosts();
    judge.steps();
    judge.findings
}

struct Judge<'p> {
    file: &'p str,
    plan: &'p Plan,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn say(&mut self, code: &str, pointer: impl Into<String>, what: impl Into<Sentence>) {
        let place = Place::file(self.file).at(pointer);
        self.findings.push(Finding::error(code, what).at(place).help(MAKE_AGAIN));
    }

    /// Says so unless a figure is what it must be.
    fn compare(&mut self, code: &str, pointer: impl Into<String>, stated: Money, made: Money) {
        if stated != made {
            self.say(code, pointer, format!("{stated} is stated, and the parts make {made}"));
        }
    }

    fn lines(&mut self) {
        for (index, line) in self.plan.bill.iter().enumerate() {
            let at = format!("/bill/{index}");
            let product = line.rate.times(line.quantity);
            // A fixed cost of the policy may be larger than a rate can say; then the line alone says it.
            let is_beyond_rates = line.source.is_none() && line.rate.0 == i64::MAX;
            if !is_beyond_rates {
                self.compare("PLC-001", format!("{at}/monthly"), line.monthly, product);
            }
            if let Some(range) = &line.range
                && !(range.low <= line.monthly && line.monthly <= range.high)
            {
                let what = format!("{} is not between {} and {}", line.monthly, range.low, range.high);
                self.say("PLC-001", format!("{at}/range"), what);
            }
            if line.source.is_some_and(|source| source as usize >= self.plan.price_sources.len()) {
                self.say("PLC-007", format!("{at}/source"), "there is no such price source");
            }
        }
    }

    fn totals(&mut self) {
        let (plan, totals) = (self.plan, &self.plan.totals);
        let with = |pick: fn(&LineRange) -> Money| {
            let parts = plan.bill.iter().map(|line| line.range.as_ref().map_or(line.monthly, pick));
            sum(parts)
        };
        self.compare("PLC-002", "/totals/monthly", totals.monthly, sum(plan.bill.iter().map(|l| l.monthly)));
        self.compare("PLC-002", "/totals/monthly_low", totals.monthly_low, with(|range| range.low));
        self.compare("PLC-002", "/totals/monthly_high", totals.monthly_high, with(|range| range.high));
        let months = totals.monthly.0.saturating_mul(i128::from(totals.horizon_months));
        let horizon = Money(months.saturating_add(totals.one_time.0));
        self.compare("PLC-002", "/totals/horizon", totals.horizon, horizon);
    }

    fn bound(&mut self) {
        let bound = &self.plan.bound;
        self.compare("PLC-003", "/bound/objective", bound.objective, self.plan.totals.monthly);
        if bound.lower_bound > bound.objective {
            let what = format!("the bound {} is above the objective {}", bound.lower_bound, bound.objective);
            self.say("PLC-003", "/bound/lower_bound", what);
        }
        let missing = bound.objective.0.saturating_sub(bound.lower_bound.0).saturating_mul(1_000_000);
        if i128::from(bound.gap.0).saturating_mul(bound.objective.0.max(0)) < missing {
            self.say("PLC-003", "/bound/gap", format!("{} is less than the bound leaves open", bound.gap));
        }
    }

    fn hosts(&mut self) {
        let plan = self.plan;
        let placed = plan.placements.iter().map(|entry| ("placements", &entry.host)).enumerate();
        let staying = plan.staying.iter().map(|entry| ("staying", &entry.host)).enumerate();
        let unplaced = plan.unplaced.iter().map(|entry| ("unplaced", &entry.host)).enumerate();
        let mut seen: BTreeMap<&HostId, &str> = BTreeMap::new();
        for (index, (list, host)) in placed.chain(staying).chain(unplaced) {
            if let Some(before) = seen.insert(host, list) {
                let what = format!("{} is in \"{before}\" already", clip(host.as_str()));
                self.say("PLC-004", format!("/{list}/{index}/host"), what);
            }
        }
    }

    fn waves(&mut self) {
        let plan = self.plan;
        let mut waiting: BTreeMap<&HostId, usize> =
            plan.placements.iter().enumerate().map(|(index, placement)| (&placement.host, index)).collect();
        let mut numbers = BTreeSet::new();
        for (index, wave) in plan.waves.iter().enumerate() {
            if wave.number == 0 || !numbers.insert(wave.number) {
                self.say(
                    "PLC-007",
                    format!("/waves/{index}/number"),
                    format!("there is another wave {}", wave.number),
                );
            }
            for (at, host) in wave.hosts.iter().enumerate() {
                if waiting.remove(host).is_none() {
                    let what = format!("{} is not placed, or moves in two waves", clip(host.as_str()));
                    self.say("PLC-005", format!("/waves/{index}/hosts/{at}"), what);
                }
            }
        }
        for (host, index) in waiting {
            let what = format!("{} is placed and moves in no wave", clip(host.as_str()));
            self.say("PLC-005", format!("/placements/{index}/host"), what);
        }
    }

    fn bills_of_hosts(&mut self) {
        let plan = self.plan;
        let mut of_host: BTreeMap<&HostId, Vec<(usize, &BillLine)>> = BTreeMap::new();
        for (index, line) in plan.bill.iter().enumerate() {
            if let Some(host) = &line.host {
                of_host.entry(host).or_default().push((index, line));
            }
        }
        for (index, placement) in plan.placements.iter().enumerate() {
            let lines = of_host.remove(&placement.host).unwrap_or_default();
            let total = sum(lines.iter().map(|(_, line)| line.monthly));
            self.compare("PLC-006", format!("/placements/{index}/monthly"), placement.monthly, total);
            for (line, _) in lines.iter().filter(|(_, line)| line.provider != placement.provider) {
                let what =
                    format!("{} is billed by a provider it does not go to", clip(placement.host.as_str()));
                self.say("PLC-006", format!("/bill/{line}/provider"), what);
            }
        }
        for (host, lines) in of_host {
            for (line, _) in lines {
                let what = format!("{} is billed and not placed", clip(host.as_str()));
                self.say("PLC-006", format!("/bill/{line}/host"), what);
            }
        }
    }

    fn steps(&mut self) {
        let plan = self.plan;
        let mut by_id: BTreeMap<&StepId, usize> = BTreeMap::new();
        for (index, step) in plan.steps.iter().enumerate() {
            if by_id.insert(&step.id, index).is_some() {
                self.say(
                    "PLC-007",
                    format!("/steps/{index}/id"),
                    format!("there are two steps {}", clip(step.id.as_str())),
                );
            }
        }
        let mut waits: Vec<usize> = vec![0; plan.steps.len()];
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); plan.steps.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            for (at, before) in step.after.iter().enumerate() {
                match by_id.get(before) {
                    Some(&before) => {
                        waits[index] += 1;
                        dependents[before].push(index);
                    }
                    None => {
                        let what = format!("there is no step {}", clip(before.as_str()));
                        self.say("PLC-007", format!("/steps/{index}/after/{at}"), what);
                    }
                }
            }
        }
        let mut ready: Vec<usize> = (0..waits.len()).filter(|step| waits[*step] == 0).collect();
        let mut done = 0;
        while let Some(step) = ready.pop() {
            done += 1;
            for &next in &dependents[step] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(next);
                }
            }
        }
        if done < waits.len() {
            let first = waits.iter().position(|waiting| *waiting > 0).unwrap_or_default();
            self.say("PLC-007", format!("/steps/{first}/after"), "steps wait for each other in a circle");
        }
    }
}

/// A sum that no figure in an edited file can make overflow.
fn sum(parts: impl Iterator<Item = Money>) -> Money {
    parts.fold(Money::ZERO, |total, part| Money(total.0.saturating_add(part.0)))
}
