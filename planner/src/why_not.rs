//! Why a host did not go somewhere else: what refuses the offers there, and, where one fits, what the whole plan costs
//! with the host in that place. The answer decides everything else anew, so nothing is cheaper with the host there.

use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::ids::HostId;
use carafe_model::plan::{Plan, Refusal};
use carafe_model::policy::{Match, Policy, Rule};
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::{Money, Quantity};

use crate::concerns::{self, OfferView, Refused, refuse_offer, refuse_region};
use crate::decide::{Factors, decide};
use crate::groups::roles;
use crate::market::Market;
use crate::{Options, budgets, clash};

/// A place that is asked about: a provider, one of its regions, one type there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Whose.
    pub provider: String,
    /// The provider's name for the region; any when absent.
    pub region: Option<String>,
    /// The instance type; any when absent.
    pub offer: Option<String>,
}

/// Why a host is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyNot {
    /// Offers there are in that place; none when the catalog has no such place.
    pub offers: u32,
    /// How many of them fit the host.
    pub fitting: u32,
    /// What refuses the others.
    pub refused: Vec<Refusal>,
    /// What a month of everything costs with the host there; absent when it cannot be there.
    pub monthly: Option<Money>,
    /// No plan with the host there costs less.
    pub lower_bound: Option<Money>,
    /// What that is more than the plan.
    pub costs_more: Option<Money>,
    /// `(monthly − lower bound) ÷ monthly` of the answer, rounded up.
    pub gap: Option<Quantity>,
    /// Other hosts that would go elsewhere too.
    pub others_move: u32,
    /// Which demands keep the host from being there although an offer fits it.
    pub clash: Vec<Finding>,
}

/// Asks for one host; `None` when the host is not one that moves, or nothing can be priced.
pub fn why_not(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    options: &Options<'_>,
    plan: &Plan,
    host: &str,
    elsewhere: &Elsewhere,
) -> Option<WhyNot> {
    let catalog = &snapshot.catalog;
    let market = Market::new(catalog, policy, policy.pricing.factor_from(catalog.currency)?);
    let paths: Vec<String> = catalog.regions.indices().map(|region| catalog.region_path(region)).collect();
    let views = concerns::region_views(&market, policy, &paths);
    let mut roles = roles(estate, policy);
    budgets::to_fixed_ends(estate, policy, &mut roles.movers, &mut roles.findings);
    let mover = roles.movers.iter().find(|mover| estate.hosts[mover.host].id.as_str() == host)?;
    let shape = &mover.need.shape;
    let mut answer = WhyNot {
        offers: 0,
        fitting: 0,
        refused: Vec::new(),
        monthly: None,
        lower_bound: None,
        costs_more: None,
        gap: None,
        others_move: 0,
        clash: Vec::new(),
    };
    let mut refused = Refused::default();
    let mut open: Vec<String> = Vec::new();
    for (place, region) in catalog.regions.iter_enumerated() {
        let view = &views[place.usize()];
        let is_asked = elsewhere.region.as_ref().is_none_or(|name| *name == region.name.as_str());
        if view.provider != elsewhere.provider || !is_asked {
            continue;
        }
        let by_region = refuse_region(&mover.rules, view);
        let before = answer.fitting;
        for offer in market.offers_in(place) {
            let instance_type = &catalog.instance_types[catalog.offers.instance_type[offer.usize()]];
            if elsewhere.offer.as_ref().is_some_and(|name| *name != instance_type.name) {
                continue;
            }
            answer.offers += 1;
            let mut terms = shape.class.terms.iter();
            let has_price = terms.clone().any(|term| market.listed_rate(offer, *term).is_some());
            let is_believed = terms.any(|term| market.machine_rate(offer, *term).is_some());
            let seen = OfferView { provider: view.provider, instance_type, has_price, is_believed };
            let mask = by_region | refuse_offer(shape, &seen);
            answer.fitting += u32::from(mask == 0);
            refused.count(mask);
        }
        if answer.fitting > before {
            open.push(paths[place.usize()].clone());
        }
    }
    answer.refused = refused.to_refusals();
    if answer.fitting == 0 {
        return Some(answer);
    }
    let mut pinned = policy.clone();
    pinned.rules.push(Rule {
        matches: Match { host: Some(host.to_owned()), ..Match::default() },
        regions: Some(open),
        offers: elsewhere.offer.as_ref().map(|name| vec![format!("{}/{name}", elsewhere.provider)]),
        ..Rule::default()
    });
    let decision = decide(estate, snapshot, &pinned, &Factors::new(), options)?;
    let is_placed = |spot: &crate::decide::Spot| spot.provider.as_str() == elsewhere.provider;
    let spots = decision.spots.as_ref().filter(|spots| spots.get(&HostId::from(host)).is_some_and(is_placed));
    let Some(spots) = spots else {
        let found = clash::clash(estate, snapshot, &pinned, options);
        answer.clash = found.map(|clash| clash.findings(&pinned, false)).unwrap_or_default();
        return Some(answer);
    };
    let missing = decision.monthly.0 - decision.bound.0;
    let gap = if decision.monthly.0 > 0 {
        (missing * 1_000_000 + decision.monthly.0 - 1) / decision.monthly.0
    } else {
        0
    };
    answer.monthly = Some(decision.monthly);
    answer.lower_bound = Some(decision.bound);
    answer.costs_more = Some(decision.monthly - plan.totals.monthly);
    answer.gap = i64::try_from(gap).ok().map(Quantity);
    let moved = plan.placements.iter().filter(|placement| {
        placement.host.as_str() != host
            && spots.get(&placement.host).is_some_and(|spot| {
                spot.region != format!("{}/{}", placement.provider, placement.region)
                    || spot.zone != placement.zone
            })
    });
    answer.others_move = u32::try_from(moved.count()).unwrap_or(u32::MAX);
    Some(answer)
}
