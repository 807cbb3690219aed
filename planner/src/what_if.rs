//! What other decisions would cost, by deciding again: without a demand, with a further one, with other prices, with
//! fewer providers or regions, with shorter round trips.
//!
//! Every answer is a decision with its own bound. How many are asked for is limited, so that a large policy costs work in
//! proportion; what was not asked is said.

mod fronts;
mod ranges;

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::Estate;
use carafe_model::ids::{HostId, ProviderName};
use carafe_model::language::Said;
use carafe_model::plan::{Component, Plan};
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::{Money, Quantity};
use carafe_model::what_if::{Change, ConstraintPrice, CostRange, Outcome, WhatIf};

use crate::Options;
use crate::decide::{Decision, Factors, Spot, decide};
use crate::demands::demands;

/// Decisions that all questions of one call may take together.
const MOST_DECISIONS: u32 = 150;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// What each constraint costs, and the best plan without one of the providers.
    pub constraints: bool,
    /// What other prices and other traffic change.
    pub sensitivity: bool,
    /// Money against the number of providers, of regions, and round trips.
    pub fronts: bool,
}

impl Questions {
    /// All of them.
    pub const ALL: Questions = Questions { constraints: true, sensitivity: true, fronts: true };
}

/// Answers questions about a plan that was made from the same estate, snapshot and policy.
pub fn what_if(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    options: &Options<'_>,
    plan: &Plan,
    questions: Questions,
) -> WhatIf {
    let mut answers = WhatIf::default();
    if plan.placements.is_empty() {
        return answers;
    }
    let mut asker = Asker::new(estate, snapshot, policy, options, plan);
    if questions.constraints {
        answers.runner_up = asker.runner_up();
        answers.constraints = asker.constraints();
    }
    // With these, a month is no sum of prices, and no line in their factors.
    if questions.sensitivity && crate::account::has_contracts(policy) {
        answers.left_out.push(Said::new("what-if.contracts").into());
    } else if questions.sensitivity {
        answers.scenarios = asker.scenarios();
        answers.ranges = asker.ranges();
    }
    if questions.fronts {
        answers.fronts = asker.fronts();
    }
    if asker.was_refused {
        answers.left_out.push(Said::new("what-if.left-out").with("n", MOST_DECISIONS).into());
    }
    answers
}

/// Asks for decisions and compares them with the plan.
struct Asker<'a> {
    estate: &'a Estate,
    snapshot: &'a SealedSnapshot,
    policy: &'a Policy,
    options: &'a Options<'a>,
    plan: &'a Plan,
    spots: BTreeMap<HostId, Spot>,
    /// What of the plan's month is paid at each provider's own prices.
    by_provider: BTreeMap<ProviderName, Money>,
    /// What of the plan's month is paid for traffic.
    egress: Money,
    left: u32,
    was_refused: bool,
}

impl<'a> Asker<'a> {
    fn new(
        estate: &'a Estate,
        snapshot: &'a SealedSnapshot,
        policy: &'a Policy,
        options: &'a Options<'a>,
        plan: &'a Plan,
    ) -> Asker<'a> {
        let spots = plan.placements.iter().map(|placement| {
            let spot = Spot {
                provider: placement.provider.clone(),
                region: format!("{}/{}", placement.provider, placement.region),
                zone: placement.zone.clone(),
            };
            (placement.host.clone(), spot)
        });
        let mut by_provider: BTreeMap<ProviderName, Money> = BTreeMap::new();
        for line in plan.bill.iter().filter(|line| !line.rate_id.as_str().starts_with("policy/")) {
            *by_provider.entry(line.provider.clone()).or_default() += line.monthly;
        }
        let egress = plan.bill.iter().filter(|line| line.component == Component::Egress);
        Asker {
            estate,
            snapshot,
            policy,
            options,
            plan,
            spots: spots.collect(),
            by_provider,
            egress: egress.map(|line| line.monthly).sum(),
            left: MOST_DECISIONS,
            was_refused: false,
        }
    }

    /// Decides, unless enough was decided or the user wants an end.
    fn ask(&mut self, estate: &Estate, policy: &Policy, factors: &Factors) -> Option<Decision> {
        if self.left == 0 || (self.options.stop)() {
            self.was_refused = true;
            return None;
        }
        self.left -= 1;
        decide(estate, self.snapshot, policy, factors, self.options)
    }

    /// A decision in short, beside a month of the plan under the same conditions.
    fn outcome(&self, decision: &Decision, monthly: Money, beside: Money) -> Option<Outcome> {
        let spots = decision.spots.as_ref()?;
        let elsewhere = spots.iter().filter(|(host, spot)| self.spots.get(*host) != Some(spot)).count();
        let distinct = |name: fn(&Spot) -> String| -> Vec<String> {
            spots.values().map(name).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let lower_bound = decision.bound.min(monthly);
        let missing = monthly.0 - lower_bound.0;
        Some(Outcome {
            monthly,
            lower_bound,
            proven: missing * 1_000_000 <= i128::from(self.options.gap.0) * monthly.0,
            costs_more: monthly - beside,
            placed: u32::try_from(spots.len()).unwrap_or(u32::MAX),
            elsewhere: u32::try_from(elsewhere).unwrap_or(u32::MAX),
            providers: distinct(|spot| spot.provider.to_string()).into_iter().map(ProviderName).collect(),
            regions: distinct(|spot| spot.region.clone()),
        })
    }

    /// The outcome of another policy for the same hosts, at the same prices.
    fn outcome_of(&mut self, estate: &Estate, policy: &Policy) -> Option<Outcome> {
        let decision = self.ask(estate, policy, &Factors::new())?;
        let is_whole = decision.spots.as_ref().is_some_and(|spots| spots.len() >= self.spots.len());
        let outcome = self.outcome(&decision, decision.monthly, self.plan.totals.monthly)?;
        is_whole.then_some(outcome)
    }

    /// The cheapest of the plans that do without one of the plan's providers.
    fn runner_up(&mut self) -> Option<Outcome> {
        let used: Vec<ProviderName> = self.by_provider.keys().cloned().collect();
        let all: Vec<ProviderName> =
            self.snapshot.catalog.providers.iter().map(|provider| provider.name.clone()).collect();
        let mut best: Option<Outcome> = None;
        for provider in used {
            let mut policy = self.policy.clone();
            policy.targets.providers.get_or_insert(all.clone()).retain(|name| *name != provider);
            for rule in &mut policy.rules {
                if let Some(allowed) = &mut rule.providers {
                    allowed.retain(|name| *name != provider);
                }
            }
            let found = self.outcome_of(self.estate, &policy);
            best = best.into_iter().chain(found).min_by_key(|outcome| outcome.monthly);
        }
        best
    }

    fn constraints(&mut self) -> Vec<ConstraintPrice> {
        let mut prices = Vec::new();
        for demand in demands(self.policy, self.estate) {
            let (mut policy, mut estate) = (self.policy.clone(), self.estate.clone());
            demand.drop_from(&mut policy, &mut estate, &self.snapshot.catalog);
            let outcome = self.outcome_of(&estate, &policy);
            // A plan for more hosts is no cheaper or dearer version of this one.
            let same_hosts = outcome.as_ref().filter(|found| found.placed as usize == self.spots.len());
            let costs = same_hosts.map(|found| CostRange {
                found: self.plan.totals.monthly - found.monthly,
                least: (self.plan.bound.lower_bound - found.monthly).max(Money::ZERO),
                most: self.plan.totals.monthly - found.lower_bound,
            });
            prices.push(ConstraintPrice {
                key: demand.key(),
                text: demand.said(self.policy).into(),
                change: Change::Dropped,
                costs,
                outcome,
            });
        }
        for (key, text, policy) in self.further_demands() {
            let outcome = self.outcome_of(self.estate, &policy);
            let costs = outcome.as_ref().map(|found| CostRange {
                found: found.monthly - self.plan.totals.monthly,
                least: (found.lower_bound - self.plan.totals.monthly).max(Money::ZERO),
                most: found.monthly - self.plan.bound.lower_bound,
            });
            prices.push(ConstraintPrice { key, text: text.into(), change: Change::Added, costs, outcome });
        }
        prices
    }

    /// Demands that the policy does not have and that the plan does not fulfil by itself: one provider, one region, one
    /// country of those that the policy or the plan names.
    fn further_demands(&self) -> Vec<(String, Said, Policy)> {
        let mut found = Vec::new();
        let regions: BTreeSet<&String> = self.spots.values().map(|spot| &spot.region).collect();
        if self.by_provider.len() > 1 {
            let mut policy = self.policy.clone();
            policy.targets.max_providers = Some(1);
            let text = Said::new("demand.max-providers").with("n", 1u32);
            found.push(("targets.max_providers".to_owned(), text, policy));
        }
        if regions.len() > 1 {
            let mut policy = self.policy.clone();
            policy.targets.max_regions = Some(1);
            let text = Said::new("demand.max-regions").with("n", 1u32);
            found.push(("targets.max_regions".to_owned(), text, policy));
        }
        let named = self.policy.rules.iter().filter_map(|rule| rule.countries.as_ref()).flatten();
        let used = self.plan.placements.iter().map(|placement| &placement.country);
        let countries: BTreeSet<&String> = named.chain(used).filter(|country| !country.is_empty()).collect();
        for country in countries {
            if self.plan.placements.iter().all(|placement| placement.country == *country) {
                continue;
            }
            let mut policy = self.policy.clone();
            let only = |list: &mut Option<Vec<String>>| {
                let allowed = list.take().is_none_or(|list| list.contains(country));
                *list = Some(if allowed { vec![country.clone()] } else { Vec::new() });
            };
            only(&mut policy.targets.countries);
            for rule in policy.rules.iter_mut().filter(|rule| rule.countries.is_some()) {
                only(&mut rule.countries);
            }
            let text = Said::new("demand.countries").with("names", vec![country.clone()]);
            found.push(("targets.countries".to_owned(), text, policy));
        }
        found
    }
}

/// A factor times an amount, to the nearest billionth below.
fn scaled(money: Money, factor: Quantity) -> Money {
    Money((money.0 * i128::from(factor.0)).div_euclid(1_000_000))
}
