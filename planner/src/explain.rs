//! Why a host goes where it goes, and where it would have gone otherwise.

use std::collections::BTreeMap;

use carafe_model::catalog::Region;
use carafe_model::idx::Idx;
use carafe_model::language::{Arg, Language, Said, Sentence};
use carafe_model::plan::{PlacedDisk, Placement, Refusal, RunnerUp};
use carafe_model::units::{Money, Quantity};

use crate::bill::{Bill, Home};
use crate::candidates::{Candidate, candidate, count_refused};
use crate::concerns::refuse_region;
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
    let mut explain = Explain {
        placing,
        joint: Joint::new(placing),
        homes,
        outside,
        traffic,
        in_use: in_use(homes),
        refused: BTreeMap::new(),
        second: BTreeMap::new(),
    };
    (0..homes.len())
        .map(|mover| {
            let host = placing.estate.hosts[placing.movers[mover].host].id.as_str();
            let monthly = monthly.get(host).copied().unwrap_or_default();
            explain.placement(mover, &placing.groups[group_of[mover]], monthly)
        })
        .collect()
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
    /// What was refused, by shape and by the regions that are forbidden: hosts that are alike share it.
    refused: BTreeMap<(&'e Shape, Vec<u16>), Vec<Refusal>>,
    /// The cheapest offer of a region but for the one that was taken, by shape.
    second: BTreeMap<(Idx<Region>, &'e Shape), Option<Candidate>>,
}

impl<'e> Explain<'e, '_> {
    fn placement(&mut self, mover: usize, group: &Group, monthly: Money) -> Placement {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let home = self.homes[mover];
        let region = &snapshot.regions[home.region];
        let instance_type =
            &snapshot.instance_types[snapshot.offers.instance_type[home.candidate.offer.usize()]];
        let this = &placing.movers[mover];
        let shape = &this.need.shape;
        let forbidden: Vec<u16> =
            placing.regions.iter().map(|region| refuse_region(&this.rules, region)).collect();
        let refused = self
            .refused
            .entry((shape, forbidden))
            .or_insert_with(|| {
                count_refused(placing.market, shape, &this.rules, placing.regions).to_refusals()
            })
            .clone();
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
            reasons: self.reasons(mover, group),
            refused,
            runner_up: self.runner_up(mover, group),
        }
    }

    fn reasons(&self, mover: usize, group: &Group) -> Vec<Sentence> {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let currency = placing.policy.pricing.currency;
        let home = self.homes[mover];
        let this = &placing.movers[mover];
        let here = self.alone(mover, home.region).unwrap_or_default();
        let allowed: Vec<(Money, Idx<Region>)> = snapshot
            .regions
            .indices()
            .filter_map(|region| Some((self.alone(mover, region)?, region)))
            .collect();
        let mut reasons: Vec<Sentence> = Vec::new();
        let shape = &this.need.shape;
        let size = Said::new("part.size").with("n", shape.vcpus.0).with("memory", shape.memory);
        let place = snapshot.region_path(home.region);
        let instance_type =
            &snapshot.instance_types[snapshot.offers.instance_type[home.candidate.offer.usize()]];
        let least = allowed.iter().min();
        let where_from = match least {
            Some((least, cheapest)) if *least < here => Said::new("reason.together")
                .money("less", here - *least, currency)
                .with("elsewhere", snapshot.region_path(*cheapest)),
            Some(_) | None => Said::new("reason.alone").with("n", allowed.len()).with("size", size.clone()),
        };
        reasons.push(where_from.with("place", place).into());
        let cheapest = match home.candidate.term.months() {
            0 => Said::new("reason.by-the-hour"),
            months => Said::new("reason.by-commitment").with("months", months),
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

    /// What a mover alone costs in a region, apart from traffic between movers; `None` where it may not go.
    fn alone(&self, mover: usize, region: Idx<Region>) -> Option<Money> {
        let disks = &self.placing.movers[mover].need.disks;
        if !disks.iter().all(|disk| self.placing.market.sells_disk(region, disk.media, disk.size)) {
            return None;
        }
        let machine = self.placing.cheapest(mover, region)?.monthly;
        Some(self.placing.mover_cost(mover, region, machine, &self.outside[mover]))
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
    fn runner_up(&mut self, mover: usize, group: &Group) -> Option<RunnerUp> {
        let placing = self.placing;
        let snapshot = placing.market.snapshot;
        let home = self.homes[mover];
        let shape = &placing.movers[mover].need.shape;
        let second = *self.second.entry((home.region, shape)).or_insert_with(|| {
            let others = placing.market.offers_in(home.region).filter(|offer| *offer != home.candidate.offer);
            let fitting = others.filter_map(|offer| candidate(placing.market, shape, offer));
            fitting.min_by_key(|found| (found.monthly, found.offer))
        });
        let second = second
            .filter(|found| self.joint.may_move(self.homes, mover, Home { candidate: *found, ..home }))
            .map(|found| (found.monthly - home.candidate.monthly, home.region, found));
        let here = self.alone(mover, home.region)? + self.traffic(mover, home.region);
        // A member of a group cannot leave it alone.
        let elsewhere = (group.movers.len() == 1).then(|| {
            let others = snapshot.regions.indices().filter(|region| *region != home.region);
            others
                .filter_map(|region| {
                    let found = *placing.cheapest(mover, region)?;
                    // Which zone changes nothing that is priced here; one that keeps the rules is enough.
                    let may_be = |spot: Spot| {
                        let there = Home { region, zone: spot.zone, candidate: found };
                        self.joint.may_move(self.homes, mover, there)
                    };
                    if !self.may_open(home.region, region)
                        || !self.joint.spots(region).into_iter().any(may_be)
                    {
                        return None;
                    }
                    let there = self.alone(mover, region)? + self.traffic(mover, region);
                    let follows =
                        self.group_services(group, region)? - self.group_services(group, home.region)?;
                    Some((there - here + follows + self.opening(home.region, region), region, found))
                })
                .min_by_key(|(more, region, _)| (*more, *region))
        });
        let (costs_more, region, found) =
            second.into_iter().chain(elsewhere.flatten()).min_by_key(|(more, region, _)| (*more, *region))?;
        let place = &snapshot.regions[region];
        Some(RunnerUp {
            provider: snapshot.providers[place.provider].name.clone(),
            region: place.name.clone(),
            offer: snapshot.instance_types[snapshot.offers.instance_type[found.offer.usize()]].name.clone(),
            term: found.term,
            costs_more,
        })
    }

    fn group_services(&self, group: &Group, region: Idx<Region>) -> Option<Money> {
        let bare = Group { movers: Vec::new(), ..group.clone() };
        self.placing.group_cost(&bare, region, &self.outside)
    }

    fn provider_count(&self, region: Idx<Region>) -> u32 {
        let provider = |region: Idx<Region>| self.placing.market.snapshot.regions[region].provider;
        self.in_use
            .iter()
            .filter(|(used, _)| provider(**used) == provider(region))
            .map(|(_, count)| count)
            .sum()
    }

    /// What opening costs change by when one host leaves a region for another.
    fn opening(&self, from: Idx<Region>, to: Idx<Region>) -> Money {
        let provider = |region: Idx<Region>| self.placing.market.snapshot.regions[region].provider;
        let per_provider = self.placing.policy.opening.provider_monthly;
        let mut change = Money::ZERO;
        if self.in_use.get(&from) == Some(&1) {
            change = change - self.placing.region_opening(from);
        }
        if !self.in_use.contains_key(&to) {
            change += self.placing.region_opening(to);
        }
        if provider(from) != provider(to) {
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
        let provider = |region: Idx<Region>| self.placing.market.snapshot.regions[region].provider;
        let mut providers: Vec<_> = self.in_use.keys().map(|region| provider(*region)).collect();
        providers.sort();
        providers.dedup();
        let regions = self.in_use.len() as u32 + u32::from(!self.in_use.contains_key(&to))
            - u32::from(self.in_use.get(&from) == Some(&1));
        let n_providers = providers.len() as u32 + u32::from(self.provider_count(to) == 0)
            - u32::from(self.provider_count(from) == 1 && provider(from) != provider(to));
        targets.max_regions.is_none_or(|most| regions <= most)
            && targets.max_providers.is_none_or(|most| n_providers <= most)
    }
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
