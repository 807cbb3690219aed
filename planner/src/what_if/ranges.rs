//! How far prices and traffic may move before another plan is cheaper.
//!
//! What a placement costs is a line in the factor `f` on one provider's prices, or on traffic: `fixed + f × moving`. The
//! cheapest cost is the lower envelope of these lines, which is concave, so the plan is the cheapest on one interval
//! around 1. Each end is found as Newton's method finds a root: ask for the best placement as far out as is looked, cross
//! its line with the plan's, and ask again there, until the plan itself is the answer (Eisner and Severance, 1976).

use carafe_model::estate::Estate;
use carafe_model::ids::ProviderName;
use carafe_model::language::Said;
use carafe_model::units::{Money, Quantity};
use carafe_model::what_if::{RangeEnd, Scenario, StableRange};

use super::{Asker, scaled};
use crate::assumed;
use crate::decide::{Decision, Factors};

/// As far down and up as is looked.
const LEAST: Quantity = Quantity(500_000);
const MOST: Quantity = Quantity(2_000_000);
/// One, as a factor.
const ONE: Quantity = Quantity(1_000_000);
/// Times that one end is asked for.
const MOST_CROSSINGS: u32 = 6;

/// What moves.
#[derive(Clone, Copy)]
enum Moving<'p> {
    Prices(&'p ProviderName),
    Traffic,
}

/// What a placement costs: `fixed + factor × moving`.
#[derive(Clone, Copy)]
struct Line {
    fixed: Money,
    moving: Money,
}

impl Line {
    fn at(self, factor: Quantity) -> Money {
        self.fixed + scaled(self.moving, factor)
    }
}

impl Asker<'_> {
    pub(super) fn scenarios(&mut self) -> Vec<Scenario> {
        let providers: Vec<ProviderName> = self.by_provider.keys().cloned().collect();
        let mut asked: Vec<(Moving<'_>, Quantity)> = Vec::new();
        for provider in &providers {
            asked.push((Moving::Prices(provider), Quantity(900_000)));
            asked.push((Moving::Prices(provider), Quantity(1_100_000)));
        }
        asked.push((Moving::Traffic, Quantity(2_000_000)));
        let mut scenarios = Vec::new();
        for (moving, factor) in asked {
            let plan_monthly = self.plan_line(moving).at(factor);
            let Some((decision, line)) = self.best_at(moving, factor) else { continue };
            let outcome = self.outcome(&decision, line.at(factor), plan_monthly);
            let change = Quantity(factor.0.abs_diff(ONE.0) as i64 * 100);
            let (provider, said) = match moving {
                Moving::Prices(provider) => {
                    let key = if factor > ONE { "what-if.dearer" } else { "what-if.cheaper" };
                    let said = Said::new(key).with("provider", provider.as_str()).with("percent", change);
                    (Some(provider.clone()), said)
                }
                Moving::Traffic => (None, Said::new("what-if.traffic").with("factor", factor)),
            };
            scenarios.push(Scenario {
                text: said.into(),
                provider,
                factor,
                plan_monthly,
                plan_stays: outcome.as_ref().is_none_or(|outcome| !is_less(outcome.monthly, plan_monthly)),
                outcome,
            });
        }
        scenarios
    }

    pub(super) fn ranges(&mut self) -> Vec<StableRange> {
        let providers: Vec<ProviderName> = self.by_provider.keys().cloned().collect();
        let prices = providers.iter().map(Moving::Prices);
        let mut ranges = Vec::new();
        for moving in prices.chain((self.egress > Money::ZERO).then_some(Moving::Traffic)) {
            let (Some(from), Some(to)) = (self.end(moving, LEAST), self.end(moving, MOST)) else { continue };
            let (provider, said) = match moving {
                Moving::Prices(provider) => (
                    Some(provider.clone()),
                    Said::new("what-if.prices-of").with("provider", provider.as_str()),
                ),
                Moving::Traffic => (None, Said::new("what-if.all-traffic")),
            };
            ranges.push(StableRange { text: said.into(), provider, from, to });
        }
        ranges
    }

    /// One end of the range in which the plan is the cheapest; `None` when it was not reached.
    fn end(&mut self, moving: Moving<'_>, far: Quantity) -> Option<RangeEnd> {
        let plan = self.plan_line(moving);
        let mut factor = far;
        let mut beyond = None;
        for _ in 0..MOST_CROSSINGS {
            let (decision, line) = self.best_at(moving, factor)?;
            if !is_less(line.at(factor), plan.at(factor)) {
                return Some(RangeEnd { factor, is_limit: beyond.is_some(), beyond });
            }
            beyond = self.outcome(&decision, line.at(ONE), self.plan.totals.monthly);
            // Where the two lines cross; the plan is the cheaper one at 1.
            let (gained, lost) = (line.fixed.0 - plan.fixed.0, plan.moving.0 - line.moving.0);
            if lost == 0 || is_less(line.at(ONE), plan.at(ONE)) {
                // Something cheaper is known already at today's prices: the plan was not proven optimal.
                return Some(RangeEnd { factor: ONE, is_limit: true, beyond });
            }
            let crossing = gained * 1_000_000 / lost;
            let next = Quantity(i64::try_from(crossing).ok()?);
            let (low, high) = (far.min(ONE), far.max(ONE));
            if next < low || next > high || next == factor {
                return Some(RangeEnd { factor: next.clamp(low, high), is_limit: true, beyond });
            }
            factor = next;
        }
        None
    }

    fn plan_line(&self, moving: Moving<'_>) -> Line {
        let moving = match moving {
            Moving::Prices(provider) => self.by_provider.get(provider).copied().unwrap_or_default(),
            Moving::Traffic => self.egress,
        };
        Line { fixed: self.plan.totals.monthly - moving, moving }
    }

    /// The best placement at a factor, with its line.
    fn best_at(&mut self, moving: Moving<'_>, factor: Quantity) -> Option<(Decision, Line)> {
        match moving {
            Moving::Prices(provider) => {
                let factors = Factors::from([(provider.clone(), factor)]);
                let decision = self.ask(self.estate, self.policy, &factors)?;
                let moving = decision.by_provider.get(provider).copied().unwrap_or_default();
                let line = Line { fixed: decision.monthly - moving, moving };
                Some((decision, line))
            }
            Moving::Traffic => {
                let estate = with_traffic(self.estate, factor);
                let decision = self.ask(&estate, self.policy, &Factors::new())?;
                let moving = Money(decision.egress.0 * 1_000_000 / i128::from(factor.0.max(1)));
                let line = Line { fixed: decision.monthly - decision.egress, moving };
                Some((decision, line))
            }
        }
    }
}

/// The estate with more or less traffic; an unknown volume is what it is counted with.
fn with_traffic(estate: &Estate, factor: Quantity) -> Estate {
    let mut estate = estate.clone();
    let assumed = assumed::FLOW_GIB.quantities()[1];
    for flow in &mut estate.flows {
        for volume in [&mut flow.gib_month, &mut flow.gib_month_back] {
            let now = i128::from(volume.unwrap_or(assumed).0) * i128::from(factor.0) / 1_000_000;
            *volume = i64::try_from(now).ok().map(Quantity);
        }
    }
    estate
}

/// Whether an amount is less by more than rounding: a ten-thousandth of a percent.
fn is_less(a: Money, b: Money) -> bool {
    (b.0 - a.0) * 1_000_000 > b.0.abs()
}
