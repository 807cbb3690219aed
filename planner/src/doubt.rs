//! Doubts a price that is too good: a search for the cheapest finds every mistake of a price list first.
//!
//! The rule: a price below half of the median of the same machine and term over the provider's regions, where it is
//! sold in four or more of them. Regions differ in price, but of 108,100 on-demand prices of such machines (2026-11)
//! only 32 are that far below, and of 217,000 prices of commitments 142. An offer whose on-demand price is doubtful is
//! doubted for every term, because the terms are discounts on it. Spot prices follow the hour and are not compared.

use std::collections::BTreeMap;

use carafe_model::catalog::{Offer, Region, Snapshot, Term};
use carafe_model::finding::Finding;
use carafe_model::idx::Idx;
use carafe_model::language::Said;
use carafe_model::policy::{Doubtful, Policy};
use carafe_model::units::{Money, Quantity, Rate};

use crate::bill::Home;
use crate::candidates;
use crate::concerns::{RegionView, refuse_region};
use crate::demand::Shape;
use crate::groups::Mover;
use crate::market::Market;

/// Regions in which a machine must be sold for its prices to say what is usual.
const ENOUGH_REGIONS: usize = 4;
/// How many places are told one by one.
const MOST_TOLD: usize = 4;

/// The terms of an offer whose price is doubtful: a bit for each place in [`Term::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubted(u8);

impl Doubted {
    /// Whether the price for a term is doubtful.
    pub fn has(self, term: Term) -> bool {
        self.0 & bit(term) != 0
    }

    /// Whether the price for any term is.
    pub fn any(self) -> bool {
        self.0 != 0
    }
}

fn bit(term: Term) -> u8 {
    let place = Term::ALL.iter().position(|known| *known == term).expect("all are listed");
    1 << place
}

/// The doubtful terms of every offer of a catalog, by place.
pub fn doubted(snapshot: &Snapshot) -> Vec<Doubted> {
    let offers = &snapshot.offers;
    let mut of_type: Vec<Vec<u32>> = vec![Vec::new(); snapshot.instance_types.len()];
    for (place, instance_type) in offers.instance_type.iter().enumerate() {
        of_type[instance_type.usize()].push(place as u32);
    }
    let mut doubted = vec![Doubted::default(); offers.len()];
    let mut rates: Vec<i64> = Vec::new();
    for places in of_type.iter().filter(|places| places.len() >= ENOUGH_REGIONS) {
        for term in Term::ALL.into_iter().filter(|term| *term != Term::Spot) {
            let rate = |place: u32| offers.rate(Idx::<Offer>::new(place), term);
            rates.clear();
            rates.extend(places.iter().filter_map(|place| rate(*place)).map(|rate| rate.0));
            if rates.len() < ENOUGH_REGIONS {
                continue;
            }
            let middle = (rates.len() - 1) / 2;
            let median = *rates.select_nth_unstable(middle).1;
            for &place in places {
                if rate(place).is_some_and(|rate| rate.0 < (median + 1) / 2) {
                    let all = if term == Term::OnDemand { u8::MAX } else { bit(term) };
                    doubted[place as usize].0 |= all;
                }
            }
        }
    }
    doubted
}

/// The median of what an offer's machine costs for a term over the provider's regions, in the catalog's currency.
fn median(snapshot: &Snapshot, offer: Idx<Offer>, term: Term) -> Option<Rate> {
    let offers = &snapshot.offers;
    let same = offers.instance_type[offer.usize()];
    let places = offers.instance_type.iter().enumerate().filter(|(_, known)| **known == same);
    let mut rates: Vec<Rate> =
        places.filter_map(|(place, _)| offers.rate(Idx::from_usize(place), term)).collect();
    rates.sort();
    rates.get(rates.len().saturating_sub(1) / 2).copied()
}

/// What doubtful prices of one region mean for the plan.
#[derive(Debug)]
struct AtStake {
    hosts: u32,
    money: Money,
    /// The machine that stands for the others.
    example: (Idx<Offer>, Term),
}

/// Findings about doubtful prices that would have been taken, or were, and about hosts priced by an example.
pub fn findings(
    market: &Market<'_>,
    policy: &Policy,
    regions: &[RegionView<'_>],
    movers: &[Mover<'_>],
    homes: &[Home],
) -> Vec<Finding> {
    let at_stake = match policy.pricing.doubtful {
        Doubtful::Exclude => forgone(market, regions, movers, homes),
        Doubtful::Use => taken(market, homes),
    };
    let mut by_money: Vec<(Idx<Region>, AtStake)> = at_stake.into_iter().collect();
    by_money.sort_by_key(|(region, stake)| (std::cmp::Reverse(stake.money), *region));
    let currency = policy.pricing.currency;
    let mut findings: Vec<Finding> = by_money
        .iter()
        .take(MOST_TOLD)
        .map(|(region, stake)| {
            let (offer, term) = stake.example;
            let place = regions[region.usize()].path;
            let name =
                &market.snapshot.instance_types[market.snapshot.offers.instance_type[offer.usize()]].name;
            let rate = market.snapshot.offers.rate(offer, term).unwrap_or_default();
            let usual = median(market.snapshot, offer, term).unwrap_or_default();
            let (summary, help) = match policy.pricing.doubtful {
                Doubtful::Exclude => ("finding.doubtful-refused", "help.doubtful-refused"),
                Doubtful::Use => ("finding.doubtful-used", "help.doubtful-used"),
            };
            let summary = Said::new(summary).with("place", place).with("n", stake.hosts).money(
                "money",
                stake.money,
                currency,
            );
            let help = Said::new(help)
                .with("offer", name.as_str())
                .with("term", Said::new(&format!("term.{}", term.name())))
                .with("rate", rate)
                .with("usual", usual);
            Finding::warning("PLN-0303", summary).help(help)
        })
        .collect();
    if let Some(rest) = by_money.get(MOST_TOLD..).filter(|rest| !rest.is_empty()) {
        let money = rest.iter().map(|(_, stake)| stake.money).sum();
        let hosts: u32 = rest.iter().map(|(_, stake)| stake.hosts).sum();
        let summary = Said::new("finding.doubtful-more").with("regions", rest.len()).with("n", hosts);
        findings.push(Finding::warning("PLN-0303", summary.money("money", money, currency)));
    }
    findings.extend(by_example(market, policy, regions, homes));
    findings
}

/// What an offer costs a month at the price that is listed for it, and the term.
type Cheapest = (Money, Idx<Offer>, Term);

/// By region, what hosts would cost less at doubtful prices than at home. The offers of one size are alike for hosts
/// that are alike, so they are looked at once.
fn forgone(
    market: &Market<'_>,
    regions: &[RegionView<'_>],
    movers: &[Mover<'_>],
    homes: &[Home],
) -> BTreeMap<Idx<Region>, AtStake> {
    let mut doubted: BTreeMap<Idx<Region>, Vec<Idx<Offer>>> = BTreeMap::new();
    for offer in market.doubted_offers() {
        doubted.entry(market.snapshot.offers.region[offer.usize()]).or_default().push(offer);
    }
    let mut known: BTreeMap<(&Shape, Idx<Region>), Option<Cheapest>> = BTreeMap::new();
    let mut stakes: BTreeMap<Idx<Region>, AtStake> = BTreeMap::new();
    for (mover, home) in movers.iter().zip(homes) {
        let shape = &mover.need.shape;
        let allowed =
            doubted.iter().filter(|(region, _)| refuse_region(&mover.rules, &regions[region.usize()]) == 0);
        let best = allowed
            .filter_map(|(region, offers)| {
                let found = known.entry((shape, *region)).or_insert_with(|| {
                    let offers = offers.iter();
                    let listed =
                        offers.filter_map(|offer| candidates::at_listed_price(market, shape, *offer));
                    listed.map(|found| (found.monthly, found.offer, found.term)).min()
                });
                found.map(|(monthly, offer, term)| (monthly, *region, offer, term))
            })
            .min();
        let Some((monthly, region, offer, term)) = best else { continue };
        if monthly < home.candidate.monthly {
            let stake = stakes.entry(region).or_insert(AtStake {
                hosts: 0,
                money: Money::ZERO,
                example: (offer, term),
            });
            stake.hosts += 1;
            stake.money += home.candidate.monthly - monthly;
        }
    }
    stakes
}

/// By region, what hosts at doubtful prices would cost more at the usual price.
fn taken(market: &Market<'_>, homes: &[Home]) -> BTreeMap<Idx<Region>, AtStake> {
    let mut usual: BTreeMap<(Idx<Offer>, Term), Money> = BTreeMap::new();
    let mut stakes: BTreeMap<Idx<Region>, AtStake> = BTreeMap::new();
    for home in homes {
        let (offer, term) = (home.candidate.offer, home.candidate.term);
        if !market.is_doubted(offer, term) {
            continue;
        }
        let more = *usual.entry((offer, term)).or_insert_with(|| {
            let median = median(market.snapshot, offer, term).unwrap_or_default();
            let here = market.snapshot.offers.rate(offer, term).unwrap_or_default();
            market.convert(median - here).times(Quantity::MONTH)
        });
        let stake = stakes.entry(home.region).or_insert(AtStake {
            hosts: 0,
            money: Money::ZERO,
            example: (offer, term),
        });
        stake.hosts += 1;
        stake.money += more;
    }
    stakes
}

/// One finding about all hosts that are priced by an example rate card.
fn by_example(
    market: &Market<'_>,
    policy: &Policy,
    regions: &[RegionView<'_>],
    homes: &[Home],
) -> Option<Finding> {
    let examples: Vec<&Home> = homes.iter().filter(|home| regions[home.region.usize()].is_example).collect();
    let first = examples.first()?;
    let provider = regions[first.region.usize()].provider;
    let monthly = examples
        .iter()
        .filter_map(|home| market.machine_rate(home.candidate.offer, home.candidate.term))
        .map(|rate| rate.times(Quantity::MONTH))
        .sum();
    let summary = Said::new("finding.example").with("provider", provider).with("n", examples.len()).money(
        "money",
        monthly,
        policy.pricing.currency,
    );
    Some(Finding::warning("PLN-0305", summary).help(Said::new("help.example")))
}
