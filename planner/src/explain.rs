//! Why a host goes where it goes, and where it would have gone otherwise.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{Offer, Provider, Region};
use carafe_model::idx::Idx;
use carafe_model::language::{Arg, Language, Said, Sentence};
use carafe_model::plan::{PlacedDisk, Placement, Refusal, RunnerUp};
use carafe_model::units::{Money, Quantity};
use rayon::prelude::*;

use crate::bill::{Bill, Home};
use crate::candidates::{Candidate, candidate, count_refused};
use crate::demand::Shape;
use crate::groups::Group;
use crate::joint::{Joint, Spot};
use crate::placing::Placing;
use crate::traffic::Receiver;

/// Says everything about each mover's place; `homes` and `bill` are of all movers.
pub fn placements(placing: &Placing<'_>, homes: &[Home], bill: &Bill) -> Vec<Placement> {
    let outside = placing.outside();
    let mut traffic: Vec<Vec<usize>> = vec![Vec::new(); homes.len()];
    for (place, sending) in placing.sendings.iter().enumerate() {
        if let Receiver::Mover(to) = sending.to {
            traffic[sending.from].push(place);
            traffic[to].push(place);
        }
    }
    let mut group_of = vec![0; homes.len()];
    for (group, members) in placing.groups.iter().enumerate() {
        for &mover in &members.movers {
            group_of[mover] = group;
        }
    }
    let mut monthly: BTreeMap<&str, Money> = BTreeMap::new();
    for line in &bill.lines {
        if let Some(host) = &line.host {
            *monthly.entry(host.as_str()).or_default() += line.monthly;
        }
    }
    let explain = Explain {
        placing,
        joint: Joint::new(placing),
        homes,
        outside,
        traffic,
        in_use: in_use(homes),
        providers: providers_in_use(placing, homes),
        refused: refused(placing),
        second: second(placing, homes),
    };
    (0..homes.len())
        .into_par_iter()
        .map(|mover| {
            let host = placing.estate.hosts[placing.movers[mover].host].id.as_str();
            let monthly = monthly.get(host).copied().unwrap_or_default();
            explain.placement(mover, &placing.groups[group_of[mover]], monthly)
        })
        .collect()
}

/// What was refused, by shape and permissions: hosts that are alike share it.
fn refused<'e>(placing: &'e Placing<'_>) -> BTreeMap<(&'e Shape, usize), Vec<Refusal>> {
    let mut first: BTreeMap<(&Shape, usize), usize> = BTreeMap::new();
    for (mover, this) in placing.movers.iter().enumerate() {
        first.entry((&this.need.shape, placing.rows.permission(mover))).or_insert(mover);
    }
    first
        .into_par_iter()
        .map(|(key, mover)| {
            let rules = &placing.movers[mover].rules;
            let refused = count_refused(placing.market, key.0, rules, placing.regions);
            (key, refused.to_refusals())
        })
        .collect()
}

/// The cheapest offer for a shape in a region but for one.
type Second<'e> = BTreeMap<(Idx<Region>, &'e Shape, Idx<Offer>), Option<Candidate>>;

/// The cheapest offer of a region but for the one that was taken.
fn second<'e>(placing: &'e Placing<'_>, homes: &[Home]) -> Second<'e> {
    let taken: BTreeSet<(Idx<Region>, &Shape, Idx<Offer>)> = placing
        .movers
        .iter()
        .zip(homes)
        .map(|(mover, home)| (home.region, &mover.need.shape, home.candidate.offer))
        .collect();
    taken
        .into_par_iter()
        .map(|key| {
            let (region, shape, taken) = key;
            let others = placing.market.offers_in(region).filter(|offer| *offer != taken);
            let fitting = others.filter_map(|offer| candidate(placing.market, shape, offer));
            (key, fitting.min_by_key(|found| (found.monthly, found.offer)))
        })
        .collect()
}

/// How many hosts each provider has.
fn providers_in_use(placing: &Placing<'_>, homes: &[Home]) -> Vec<u32> {
    let snapshot = placing.market.snapshot;
    let mut counts = vec![0; snapshot.providers.len()];
    for home in homes {
        counts[snapshot.regions[home.region].provider.usize()] += 1;
    }
    counts
}

fn in_use(homes: &[Home]) -> BTreeMap<Idx<Region>, u32> {
    let mut counts = BTreeMap::new();
    for home in homes {
        *counts.entry(home.region).or_default() += 1;
    }
    counts
}

struct Explain<'e, 'a> {
    placing: &'e Placing<'a>,
    joint: Joint<'e, 'a>,
    homes: &'e [Home],
    outside: Vec<Vec<Quantity>>,
    traffic: Vec<Vec<usize>>,
    in_use: BTreeMap<Idx<Region>, u32>,
    /// How many hosts each provider has.
    providers: Vec<u32>,
    refused: BTreeMap<(&'e Shape, usize), Vec<Refusal>>,
    second: Second<'e>,
}

impl Explain<'_, '_> {
    fn placement(&self, mover: usize, group: &Group, monthly: Money) -> Placement {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let home = self.homes[mover];
        let region = &snapshot.regions[home.region];
        let instance_type =
            &snapshot.instance_types[snapshot.offers.instance_type[home.candidate.offer.usize()]];
        let this = &placing.movers[mover];
        let shape = &this.need.shape;
        let refused = self.refused[&(shape, placing.rows.permission(mover))].clone();
        let alone = self.alone(mover);
        let disk = |disk: &crate::demand::DiskNeed| PlacedDisk {
            name: disk.name.clone(),
            size_gib: disk.size,
            class: placing
                .market
                .disk(home.region, disk.media, disk.size)
                .filter(|(quote, _)| matches!(quote.origin, crate::market::Origin::Price(_)))
                .map(|(quote, _)| quote.item.say(Language::ENGLISH)),
        };
        Placement {
            host: placing.estate.hosts[this.host].id.clone(),
            provider: snapshot.providers[region.provider].name.clone(),
            region: region.name.clone(),
            country: region.country.clone(),
            zone: home.zone.and_then(|zone| region.zones.get(zone).cloned()),
            offer: instance_type.name.clone(),
            term: home.candidate.term,
            architecture: instance_type.architecture,
            vcpus: instance_type.vcpus,
            memory_mib: instance_type.memory,
            demand: this.need.demand.clone(),
            disks: this.need.disks.iter().map(disk).collect(),
            monthly,
            reasons: self.reasons(mover, group, &alone),
            refused,
            runner_up: self.runner_up(mover, group, &alone),
        }
    }

    fn reasons(&self, mover: usize, group: &Group, alone: &[(Money, Idx<Region>)]) -> Vec<Sentence> {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let currency = placing.policy.pricing.currency;
        let home = self.homes[mover];
        let this = &placing.movers[mover];
        let here = self.here(mover, alone).unwrap_or_default();
        let mut reasons: Vec<Sentence> = Vec::new();
        let shape = &this.need.shape;
        let size = Said::new("part.size").with("n", shape.vcpus.0).with("memory", shape.memory);
        let place = snapshot.region_path(home.region);
        let instance_type =
            &snapshot.instance_types[snapshot.offers.instance_type[home.candidate.offer.usize()]];
        let where_from = match alone.first() {
            Some((least, cheapest)) if *least < here => Said::new("reason.together")
                .money("less", here - *least, currency)
                .with("elsewhere", snapshot.region_path(*cheapest)),
            Some(_) | None => Said::new("reason.alone").with("n", alone.len()).with("size", size.clone()),
        };
        reasons.push(where_from.with("place", place).into());
        let cheapest = match (home.reserved, home.candidate.term.months()) {
            (Some(place), _) => {
                let source = placing.market.reserved[place].reservation.source.as_str();
                Said::new("reason.reserved").with("source", source)
            }
            (None, 0) => Said::new("reason.by-the-hour"),
            (None, months) => Said::new("reason.by-commitment").with("months", months),
        };
        reasons.push(cheapest.with("offer", instance_type.name.as_str()).with("size", size).into());
        if group.movers.len() > 1 {
            let estate = placing.estate;
            let balancers = group.load_balancers.iter().map(|place| {
                Said::new("part.load-balancer").with("name", estate.load_balancers[*place].id.as_str())
            });
            let clusters = group
                .clusters
                .iter()
                .map(|place| Said::new("part.cluster").with("name", estate.clusters[*place].id.as_str()));
            let rules = group.rules.iter().map(|place| {
                Said::new("part.group").with("name", crate::hopeless::group_name(placing.policy, *place))
            });
            let names: Vec<Said> = balancers.chain(clusters).chain(rules).collect();
            reasons.push(Said::new("reason.group").with("names", names).into());
        }
        if instance_type.burstable == Some(true) {
            reasons.push(Said::new("reason.burstable").into());
        }
        if this.need.demand.basis != "as-is" {
            let basis = &this.need.demand.basis;
            let basis = basis.said().cloned().map_or_else(|| Arg::from(basis.as_str()), Arg::from);
            reasons.push(Said::new("reason.sized").with("basis", basis).into());
        }
        reasons
    }

    /// What a mover alone costs where it may go, apart from traffic between movers, from cheap to dear.
    fn alone(&self, mover: usize) -> Vec<(Money, Idx<Region>)> {
        let regions = self.placing.market.snapshot.regions.indices();
        let cost = |region| self.placing.mover_cost(mover, region, &self.outside[mover]);
        let mut alone: Vec<_> = regions.filter_map(|region| Some((cost(region)?, region))).collect();
        alone.sort_unstable();
        alone
    }

    /// What a mover alone costs where it goes, apart from traffic between movers.
    fn here(&self, mover: usize, alone: &[(Money, Idx<Region>)]) -> Option<Money> {
        let home = self.homes[mover];
        let paid = at(alone, home.region)?;
        let rows = &self.placing.rows;
        let slot = rows.slots(mover, home.region).find(|slot| home.reserved == Some(slot.reservation));
        let saved = slot.and_then(|slot| Some(rows.monthly(mover, home.region)? - slot.monthly));
        Some(paid - saved.unwrap_or_default())
    }

    /// What traffic between a mover and the others costs when it is in a region and they are at home.
    fn traffic(&self, mover: usize, region: Idx<Region>) -> Money {
        let mut total = Money::ZERO;
        for &place in &self.traffic[mover] {
            let sending = &self.placing.sendings[place];
            let Receiver::Mover(to) = sending.to else { continue };
            let at = |end: usize| {
                let home = self.homes[end];
                let zone = if end == mover && region != home.region { None } else { home.zone };
                Spot { region: if end == mover { region } else { home.region }, zone }
            };
            total += crossing(self.placing, at(sending.from), at(to), sending.gib);
        }
        total
    }

    /// The cheapest other place for this host alone, or another offer where it is.
    fn runner_up(&self, mover: usize, group: &Group, alone: &[(Money, Idx<Region>)]) -> Option<RunnerUp> {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let home = self.homes[mover];
        let shape = &placing.movers[mover].need.shape;
        let second = self.second[&(home.region, shape, home.candidate.offer)];
        let paid = |found: Candidate| Home { candidate: found, reserved: None, ..home };
        let second = second
            .filter(|found| self.joint.may_move(self.homes, mover, paid(*found)))
            .map(|found| (found.monthly - home.candidate.monthly, home.region, found));
        // A member of a group cannot leave it alone.
        let elsewhere = if group.movers.len() == 1 { self.elsewhere(mover, group, alone) } else { None };
        let (costs_more, region, found) =
            second.into_iter().chain(elsewhere).min_by_key(|(more, region, _)| (*more, *region))?;
        let place = &snapshot.regions[region];
        Some(RunnerUp {
            provider: snapshot.providers[place.provider].name.clone(),
            region: place.name.clone(),
            offer: snapshot.instance_types[snapshot.offers.instance_type[found.offer.usize()]].name.clone(),
            term: found.term,
            costs_more,
        })
    }

    /// The cheapest other region for a host that is a group of its own, and what it costs more there.
    fn elsewhere(
        &self,
        mover: usize,
        group: &Group,
        alone: &[(Money, Idx<Region>)],
    ) -> Option<(Money, Idx<Region>, Candidate)> {
        let placing = self.placing;
        let home = self.homes[mover];
        let services = placing.services_cost(group, home.region)?;
        let here = self.here(mover, alone)? + self.traffic(mover, home.region) + services;
        let mut best: Option<(Money, Idx<Region>, Candidate)> = None;
        for &(cost, region) in alone {
            // Leaving saves at most the fixed costs of what is left; the rest of the list is dearer still.
            if best.as_ref().is_some_and(|(more, ..)| cost - here - self.most_saved(home.region) > *more) {
                break;
            }
            if region == home.region || !self.may_open(home.region, region) {
                continue;
            }
            let Some(services) = placing.services_cost(group, region) else { continue };
            let there = cost + self.traffic(mover, region) + services;
            let more = there - here + self.opening(home.region, region);
            if best.as_ref().is_some_and(|(least, first, _)| (more, region) >= (*least, *first)) {
                continue;
            }
            let Some(found) = placing.cheapest(mover, region).copied() else { continue };
            // Which zone changes nothing that is priced here; one that keeps the rules is enough.
            let may_be = |spot: Spot| {
                self.joint.may_move(
                    self.homes,
                    mover,
                    Home { region, zone: spot.zone, candidate: found, reserved: None },
                )
            };
            if self.joint.spots(region).into_iter().any(may_be) {
                best = Some((more, region, found));
            }
        }
        best
    }

    /// What is saved at most by leaving a region: the fixed costs of it and of its provider.
    fn most_saved(&self, region: Idx<Region>) -> Money {
        self.placing.region_opening(region) + self.placing.policy.opening.provider_monthly
    }

    fn provider(&self, region: Idx<Region>) -> Idx<Provider> {
        self.placing.market.snapshot.regions[region].provider
    }

    fn provider_count(&self, region: Idx<Region>) -> u32 {
        self.providers[self.provider(region).usize()]
    }

    /// What opening costs change by when one host leaves a region for another.
    fn opening(&self, from: Idx<Region>, to: Idx<Region>) -> Money {
        let per_provider = self.placing.policy.opening.provider_monthly;
        let mut change = Money::ZERO;
        if self.in_use.get(&from) == Some(&1) {
            change = change - self.placing.region_opening(from);
        }
        if !self.in_use.contains_key(&to) {
            change += self.placing.region_opening(to);
        }
        if self.provider(from) != self.provider(to) {
            if self.provider_count(from) == 1 {
                change = change - per_provider;
            }
            if self.provider_count(to) == 0 {
                change += per_provider;
            }
        }
        change
    }

    /// Whether the limits on regions and providers allow one host to leave a region for another.
    fn may_open(&self, from: Idx<Region>, to: Idx<Region>) -> bool {
        let targets = &self.placing.policy.targets;
        let regions = self.in_use.len() as u32 + u32::from(!self.in_use.contains_key(&to))
            - u32::from(self.in_use.get(&from) == Some(&1));
        let n_providers = self.providers.iter().filter(|count| **count > 0).count() as u32
            + u32::from(self.provider_count(to) == 0)
            - u32::from(self.provider_count(from) == 1 && self.provider(from) != self.provider(to));
        targets.max_regions.is_none_or(|most| regions <= most)
            && targets.max_providers.is_none_or(|most| n_providers <= most)
    }
}

/// What a list of costs by region has for one of them.
fn at(costs: &[(Money, Idx<Region>)], region: Idx<Region>) -> Option<Money> {
    costs.iter().find(|(_, of)| *of == region).map(|(cost, _)| *cost)
}

/// What a volume costs from one place to another.
pub fn crossing(placing: &Placing<'_>, from: Spot, to: Spot, gib: Quantity) -> Money {
    use carafe_model::catalog::Reach;
    let provider = |spot: Spot| placing.market.snapshot.regions[spot.region].provider;
    let reach = match (from.region == to.region, provider(from) == provider(to)) {
        (true, _) if from.zone == to.zone => return Money::ZERO,
        (true, _) => Reach::InterZone,
        (false, true) => Reach::InterRegion,
        (false, false) => Reach::Internet,
    };
    placing.market.transfer(from.region, reach).map(|quote| quote.rate.times(gib)).unwrap_or_default()
}

/// Sentences for a host that nothing fits, from what each concern refused.
pub fn why_nothing_fits(refused: &[carafe_model::plan::Refusal], n_offers: usize) -> Vec<Sentence> {
    if n_offers == 0 {
        return vec![Said::new("unplaced.no-offers").into()];
    }
    let mut sorted: Vec<_> = refused.iter().collect();
    sorted.sort_by_key(|refusal| std::cmp::Reverse(refusal.offers));
    let lacks: Vec<Said> = sorted
        .iter()
        .map(|refusal| {
            let text = refusal.text.said().cloned().map_or_else(|| Arg::from(&*refusal.text), Arg::from);
            Said::new("unplaced.lack").with("n", refusal.offers).with("text", text)
        })
        .collect();
    vec![Said::new("unplaced.nothing-fits").with("n", n_offers).with("lacks", lacks).into()]
}
