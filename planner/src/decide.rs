//! Where everything goes and what that costs, without the words, waves and steps of a plan: what a question such as
//! "what if" or "which demands clash" asks many times.

use std::collections::BTreeMap;

use carafe_model::estate::Estate;
use carafe_model::ids::{HostId, ProviderName};
use carafe_model::plan::{Component, Unplaced};
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::{Money, Quantity};

use crate::account::{self, Tilt};
use crate::hopeless::Hopeless;
use crate::market::Market;
use crate::placing::{Placed, Placing};
use crate::solve::Effort;
use crate::{Options, bill, budgets, concerns, groups, homes_of, traffic};

/// Labels the solver looks at for one question before it accepts any gap: a few seconds of work.
const MOST_WORK: u64 = 1_000_000_000;
/// Labels it looks at before it accepts the gap that counts as proven.
const EXACT_WORK: u64 = 100_000_000;

/// Where a host goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Whose region.
    pub provider: ProviderName,
    /// `provider/region`.
    pub region: String,
    /// The zone, where zones matter.
    pub zone: Option<String>,
}

/// What was decided.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Where each host goes; `None` when no placement of all that can be placed was found.
    pub spots: Option<BTreeMap<HostId, Spot>>,
    /// Hosts that have no place, whatever the others do.
    pub unplaced: Vec<HostId>,
    /// What a month costs.
    pub monthly: Money,
    /// No placement costs less.
    pub bound: Money,
    /// Whether it is proven that no placement keeps everything that is demanded.
    pub is_impossible: bool,
    /// What of the month is paid at each provider's own prices; the rest is the user's own figures.
    pub by_provider: BTreeMap<ProviderName, Money>,
    /// What of the month is paid for traffic.
    pub egress: Money,
}

/// What all prices of providers are multiplied with; 1 for those not named.
pub type Factors = BTreeMap<ProviderName, Quantity>;

/// Decides; `None` when prices cannot be converted to the policy's currency. The money of a decision is at the prices as
/// they are, its bound at the moved ones. With spend commitments or support plans no prices can be moved: what a month
/// costs is no sum of prices then.
pub fn decide(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    factors: &Factors,
    options: &Options<'_>,
) -> Option<Decision> {
    with_placing(estate, snapshot, policy, |placing, unplaced| {
        decide_placing(placing, unplaced, factors, options)
    })
}

/// Hands over the placement of all hosts that have a place, and those that have none whatever the others do; `None` when
/// prices cannot be converted.
pub fn with_placing<R>(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    then: impl FnOnce(&Placing<'_>, Vec<Unplaced>) -> R,
) -> Option<R> {
    let catalog = &snapshot.catalog;
    let market = Market::new(catalog, policy, policy.pricing.factor_from(catalog.currency)?);
    let paths: Vec<String> = catalog.regions.indices().map(|region| catalog.region_path(region)).collect();
    let regions = concerns::region_views(&market, policy, &paths);
    let mut roles = groups::roles(estate, policy);
    budgets::to_fixed_ends(estate, policy, &mut roles.movers, &mut roles.findings);
    let mut unplaced = Vec::new();
    let rows =
        Hopeless { estate, policy, market: &market, regions: &regions }.drop(&mut roles, &mut unplaced);
    let groups = groups::groups(estate, policy, &roles.movers);
    let sendings = traffic::sendings(estate, &roles.movers);
    let mut placing =
        Placing::new(estate, policy, &market, &regions, &roles.movers, &groups, &sendings, rows);
    placing.budgets = budgets::between(estate, policy, &roles.movers);
    placing.ties = groups::ties(estate, policy, &roles.movers, &groups);
    Some(then(&placing, unplaced))
}

fn decide_placing(
    placing: &Placing<'_>,
    unplaced: Vec<Unplaced>,
    factors: &Factors,
    options: &Options<'_>,
) -> Decision {
    let catalog = placing.market.snapshot;
    let effort = Effort {
        gap_millionths: options.gap.0,
        exact_work: EXACT_WORK,
        most_work: MOST_WORK,
        stop: options.stop,
    };
    let homes = |placed: &Placed| homes_of(placing, placing.groups, &placed.spot);
    let (placed, homes) = if factors.is_empty() {
        account::place(placing, &effort, homes)
    } else {
        let named = catalog.providers.iter_enumerated();
        let moved = named.filter_map(|(place, provider)| Some((place, *factors.get(&provider.name)?)));
        let placed = placing.place(&effort, &Tilt::by_factors(catalog.providers.len(), moved));
        let homes = homes(&placed);
        (placed, homes)
    };
    let cap = placing.policy.targets.max_monthly;
    let mut decision = Decision {
        unplaced: unplaced.into_iter().map(|unplaced| unplaced.host).collect(),
        is_impossible: placed.is_impossible || cap.is_some_and(|most| placed.bound > most),
        bound: placed.bound,
        ..Decision::default()
    };
    let Some(homes) = homes else { return decision };
    let bill = bill::bill(placing, &homes);
    decision.monthly = bill.lines.iter().map(|line| line.monthly).sum();
    if factors.is_empty() {
        decision.bound = decision.bound.min(decision.monthly);
    }
    for line in &bill.lines {
        if line.component == Component::Egress {
            decision.egress += line.monthly;
        }
        if !line.rate_id.as_str().starts_with("policy/") {
            *decision.by_provider.entry(line.provider.clone()).or_default() += line.monthly;
        }
    }
    if cap.is_none_or(|most| decision.monthly <= most) {
        let spots = homes.iter().zip(placing.movers).map(|(home, mover)| {
            let region = &catalog.regions[home.region];
            let spot = Spot {
                provider: catalog.providers[region.provider].name.clone(),
                region: catalog.region_path(home.region),
                zone: home.zone.and_then(|zone| region.zones.get(zone).cloned()),
            };
            (placing.estate.hosts[mover.host].id.clone(), spot)
        });
        decision.spots = Some(spots.collect());
    }
    decision
}
