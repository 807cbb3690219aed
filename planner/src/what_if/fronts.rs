//! Money against the number of providers, the number of regions, and the longest round trip: the points that no other
//! point beats in both, found by asking for less and less of the other thing.

use std::collections::BTreeMap;

use carafe_model::catalog::Region;
use carafe_model::estate::Endpoint;
use carafe_model::ids::HostId;
use carafe_model::idx::Idx;
use carafe_model::policy::Policy;
use carafe_model::units::Quantity;
use carafe_model::what_if::{Axis, Front, FrontPoint, Outcome};

use super::Asker;
use crate::decide::{Factors, Spot};
use crate::latency::Latencies;

/// Points of one front beside the plan itself.
const MOST_POINTS: u32 = 8;

impl Asker<'_> {
    pub(super) fn fronts(&mut self) -> Vec<Front> {
        let providers =
            self.by_count(Axis::Providers, |policy, most| policy.targets.max_providers = Some(most));
        let regions = self.by_count(Axis::Regions, |policy, most| policy.targets.max_regions = Some(most));
        [providers, regions].into_iter().chain(self.by_latency()).collect()
    }

    fn plan_point(&self, value: Quantity) -> FrontPoint {
        let totals = &self.plan.totals;
        let decision = crate::decide::Decision {
            spots: Some(self.spots.clone()),
            bound: self.plan.bound.lower_bound,
            ..crate::decide::Decision::default()
        };
        let outcome = self.outcome(&decision, totals.monthly, totals.monthly).expect("the plan has places");
        FrontPoint { value, is_plan: true, outcome }
    }

    fn by_count(&mut self, axis: Axis, limit: impl Fn(&mut Policy, u32)) -> Front {
        let count = |outcome: &Outcome| match axis {
            Axis::Providers => outcome.providers.len(),
            Axis::Regions | Axis::Latency => outcome.regions.len(),
        };
        let whole = |number: usize| Quantity(number as i64 * 1_000_000);
        let plan = self.plan_point(Quantity(0));
        let mut now = count(&plan.outcome);
        let mut points = vec![FrontPoint { value: whole(now), ..plan }];
        for _ in 0..MOST_POINTS {
            let Some(most) = u32::try_from(now).ok().and_then(|now| now.checked_sub(1)).filter(|n| *n > 0)
            else {
                break;
            };
            let mut policy = self.policy.clone();
            limit(&mut policy, most);
            let Some(outcome) = self.outcome_of(self.estate, &policy) else { break };
            now = count(&outcome);
            points.push(FrontPoint { value: whole(now), is_plan: false, outcome });
        }
        points.reverse();
        Front { axis, points }
    }

    /// Absent when no flow joins two placed hosts.
    fn by_latency(&mut self) -> Option<Front> {
        let latencies = Latencies::new(&self.snapshot.catalog);
        let mut slowest = self.slowest(&latencies, &self.spots.clone())?;
        let mut points = vec![self.plan_point(millis(slowest))];
        for _ in 0..MOST_POINTS {
            let Some(most) = slowest.checked_sub(1) else { break };
            let mut estate = self.estate.clone();
            for flow in &mut estate.flows {
                let inside =
                    |end: &Endpoint| matches!(end, Endpoint::Host(host) if self.spots.contains_key(host));
                if inside(&flow.from) && inside(&flow.to) {
                    let most = millis(most);
                    flow.max_rtt_ms = Some(flow.max_rtt_ms.map_or(most, |known| known.min(most)));
                }
            }
            let Some(decision) = self.ask(&estate, self.policy, &Factors::new()) else { break };
            let whole = decision.spots.as_ref().filter(|spots| spots.len() >= self.spots.len());
            let Some(reached) = whole.and_then(|spots| self.slowest(&latencies, spots)) else { break };
            let Some(outcome) = self.outcome(&decision, decision.monthly, self.plan.totals.monthly) else {
                break;
            };
            slowest = reached;
            points.push(FrontPoint { value: millis(slowest), is_plan: false, outcome });
        }
        points.reverse();
        Some(Front { axis: Axis::Latency, points })
    }

    /// Microseconds of the longest round trip of a flow between placed hosts; unknown ones count as longest of all.
    fn slowest(&self, latencies: &Latencies, spots: &BTreeMap<HostId, Spot>) -> Option<u32> {
        let catalog = &self.snapshot.catalog;
        let regions: BTreeMap<String, Idx<Region>> =
            catalog.regions.indices().map(|region| (catalog.region_path(region), region)).collect();
        let region = |end: &Endpoint| match end {
            Endpoint::Host(host) => regions.get(&spots.get(host)?.region).copied(),
            Endpoint::External(_) => None,
        };
        let flows = self.estate.flows.iter().filter(|flow| flow.from != flow.to);
        flows
            .filter_map(|flow| {
                let (a, b) = (region(&flow.from)?, region(&flow.to)?);
                Some(latencies.between(a, b).unwrap_or(u32::MAX))
            })
            .max()
    }
}

/// Microseconds as milliseconds.
fn millis(micros: u32) -> Quantity {
    Quantity(i64::from(micros) * 1_000)
}
