//! Turns an estate into a labelling problem, solves it, and turns the labels back into places.
//!
//! A label is a region, a node a group of hosts that share one. The cost of a group in a region is what all its hosts
//! cost there with everything that depends on nothing else: machine, licence, disks, address, traffic to the outside,
//! its load balancers and control planes. Every one of these is the sum of the lines that the bill will have, so the
//! objective is the bill.

use std::collections::BTreeMap;

use carafe_model::catalog::{Reach, Region, ServiceKind};
use carafe_model::estate::Estate;
use carafe_model::idx::Idx;
use carafe_model::policy::Policy;
use carafe_model::units::{Money, Quantity, Rate};
use rayon::prelude::*;

use crate::account::Tilt;
use crate::budgets::Budget;
use crate::candidates::Candidate;
use crate::concerns::RegionView;
use crate::groups::{Group, Mover};
use crate::joint::{Joint, Spot, Tie};
use crate::market::Market;
use crate::rows::Rows;
use crate::solve::problem::{Edge, NEVER, Places, Problem, Tariff};
use crate::solve::{Effort, Solution, solve};
use crate::traffic::{Receiver, Sending};

/// Everything the planner has worked out before it decides.
pub struct Placing<'a> {
    /// What is moved.
    pub estate: &'a Estate,
    /// What is demanded.
    pub policy: &'a Policy,
    /// What is sold.
    pub market: &'a Market<'a>,
    /// Regions as policies see them, by place in the snapshot.
    pub regions: &'a [RegionView<'a>],
    /// Hosts to place.
    pub movers: &'a [Mover<'a>],
    /// Hosts that share a region.
    pub groups: &'a [Group],
    /// What movers send.
    pub sendings: &'a [Sending],
    /// Longest round trips between movers.
    pub budgets: Vec<Budget>,
    /// Groups that share a place without being one group.
    pub ties: Vec<Tie>,
    /// What each mover costs by itself.
    pub rows: Rows,
    /// By provider: whether it sells managed Kubernetes.
    sells_kubernetes: Vec<bool>,
}

/// For each end of an edge, by class: what it pays to another region and to another provider.
type EdgeCosts = [Vec<[Money; 3]>; 2];

/// Where everything goes.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Place of each group; `None` when none fits it.
    pub spot: Vec<Option<Spot>>,
    /// No placement of these groups costs less a month.
    pub bound: Money,
    /// Whether it is proven that no placement keeps everything that is demanded.
    pub is_impossible: bool,
}

/// The placement problem in dense numbers.
#[derive(Clone, Debug)]
pub struct Stated {
    /// The problem.
    pub problem: Problem,
    /// The place that each label is.
    pub labels: Vec<Spot>,
    /// The group that each node is.
    pub nodes: Vec<usize>,
    /// How many billionths of the currency one unit of cost is.
    pub unit: i128,
}

impl<'a> Placing<'a> {
    /// Puts together what was worked out; budgets and ties are added by whoever knows any.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the problem, and each caller has them apart"
    )]
    pub fn new(
        estate: &'a Estate,
        policy: &'a Policy,
        market: &'a Market<'a>,
        regions: &'a [RegionView<'a>],
        movers: &'a [Mover<'a>],
        groups: &'a [Group],
        sendings: &'a [Sending],
        rows: Rows,
    ) -> Placing<'a> {
        let sells = |provider| market.sells(provider, ServiceKind::KubernetesControlPlane);
        let sells_kubernetes = market.snapshot.providers.indices().map(sells).collect();
        Placing {
            estate,
            policy,
            market,
            regions,
            movers,
            groups,
            sendings,
            budgets: Vec::new(),
            ties: Vec::new(),
            rows,
            sells_kubernetes,
        }
    }

    /// The cheapest offer for a mover in a region; `None` when the policy forbids the region or nothing fits.
    pub fn cheapest(&self, mover: usize, region: Idx<Region>) -> Option<&Candidate> {
        self.rows.candidate(mover, region)
    }

    /// A month of a mover in a region, apart from traffic between movers; `outside` is what it sends to the outside.
    pub fn mover_cost(&self, mover: usize, region: Idx<Region>, outside: &[Quantity]) -> Option<Money> {
        Some(self.rows.monthly(mover, region)? + self.outside_cost(region, outside))
    }

    /// What a mover in a region pays for what it sends to the outside.
    fn outside_cost(&self, region: Idx<Region>, outside: &[Quantity]) -> Money {
        let internet =
            self.market.transfer(region, Reach::Internet).map(|quote| quote.rate).unwrap_or_default();
        outside.iter().map(|gib| internet.times(*gib)).sum()
    }

    /// What counts of a mover's own month in a region: with a machine that is paid for, or a reserved one at its price.
    fn tilted_cost(&self, mover: usize, region: Idx<Region>, tilt: &Tilt) -> Option<Money> {
        let provider = self.market.snapshot.regions[region].provider;
        let normal = tilt.money(provider, self.rows.monthly(mover, region)?);
        let slots = self.rows.slots(mover, region);
        let reserved =
            slots.map(|slot| tilt.money(provider, slot.monthly) + tilt.reserved(mover, slot.reservation));
        Some(reserved.chain([normal]).min().expect("there is one"))
    }

    /// What a month of a service costs in a region.
    pub fn month_of(&self, region: Idx<Region>, kind: ServiceKind) -> Money {
        self.market.service(region, kind).map(|quote| quote.rate.times(Quantity::MONTH)).unwrap_or_default()
    }

    /// Whether a group can be in a region.
    pub fn fits(&self, group: &Group, region: Idx<Region>) -> bool {
        self.services_cost(group, region).is_some()
            && group.movers.iter().all(|mover| self.cheapest(*mover, region).is_some())
    }

    /// What a group's load balancers and control planes cost in a region; `None` when they are not sold there.
    pub fn services_cost(&self, group: &Group, region: Idx<Region>) -> Option<Money> {
        let provider = self.market.snapshot.regions[region].provider;
        if !group.clusters.is_empty() && !self.sells_kubernetes[provider.usize()] {
            return None;
        }
        let times = |n: usize, kind| -> Money {
            if n == 0 { Money::ZERO } else { (0..n).map(|_| self.month_of(region, kind)).sum() }
        };
        Some(
            times(group.load_balancers.len(), ServiceKind::LoadBalancer)
                + times(group.clusters.len(), ServiceKind::KubernetesControlPlane),
        )
    }

    /// What using a region at all costs a month.
    pub fn region_opening(&self, region: Idx<Region>) -> Money {
        let nat = if self.policy.opening.nat_gateway {
            self.month_of(region, ServiceKind::NatGateway)
        } else {
            Money::ZERO
        };
        self.policy.opening.region_monthly + nat
    }

    /// What each mover sends to the outside, line by line.
    pub fn outside(&self) -> Vec<Vec<Quantity>> {
        let mut outside = vec![Vec::new(); self.movers.len()];
        for sending in self.sendings {
            if sending.to == Receiver::Outside {
                outside[sending.from].push(sending.gib);
            }
        }
        outside
    }

    /// Finds the cheapest regions for all groups together.
    pub fn place(&self, effort: &Effort<'_>, tilt: &Tilt) -> Placed {
        let mut spot = vec![None; self.groups.len()];
        let Some(Stated { problem, labels, nodes, unit }) = self.stated(tilt) else {
            return Placed { spot, bound: Money::ZERO, is_impossible: true };
        };
        let Solution { labelling, bound } = solve(&problem, effort);
        let is_impossible = labelling.is_none() && bound >= NEVER;
        for (node, label) in labelling.iter().flat_map(|found| found.labels.iter().enumerate()) {
            spot[nodes[node]] = Some(labels[*label as usize]);
        }
        let bound = if bound >= NEVER { Money::ZERO } else { Money(i128::from(bound) * unit) };
        let bound = tilt.bound(bound, self.sendings.len());
        Placed { spot, bound, is_impossible }
    }

    /// The whole placement problem; `None` when the rules between groups leave one of them nothing.
    pub fn stated(&self, tilt: &Tilt) -> Option<Stated> {
        let outside = self.outside();
        let costs: Vec<Vec<(Idx<Region>, Money)>> = self
            .groups
            .par_iter()
            .map(|group| {
                let regions = self.market.snapshot.regions.iter_enumerated();
                let cost = regions.filter_map(|(region, of)| {
                    let services = tilt.money(of.provider, self.services_cost(group, region)?);
                    let mut total = services;
                    for &mover in &group.movers {
                        let own = self.tilted_cost(mover, region, tilt)?;
                        total += own + tilt.money(of.provider, self.outside_cost(region, &outside[mover]));
                    }
                    Some((region, total))
                });
                cost.collect()
            })
            .collect();
        let joint = Joint::new(self);
        let mut stated = self.problem(&costs, &joint, tilt);
        joint.add(&mut stated.problem, &stated.nodes, &stated.labels).then_some(stated)
    }

    /// The problem without the rules between groups.
    fn problem(&self, costs: &[Vec<(Idx<Region>, Money)>], joint: &Joint<'_, '_>, tilt: &Tilt) -> Stated {
        let nodes: Vec<usize> = (0..costs.len()).filter(|group| !costs[*group].is_empty()).collect();
        let snapshot = self.market.snapshot;
        let mut is_used = vec![false; snapshot.regions.len()];
        for (region, _) in costs.iter().flatten() {
            is_used[region.usize()] = true;
        }
        let mut regions: Vec<Idx<Region>> =
            snapshot.regions.indices().filter(|region| is_used[region.usize()]).collect();
        regions.sort_by_key(|region| (snapshot.regions[*region].provider, *region));
        // The labels of a region stand side by side.
        let mut labels: Vec<Spot> = Vec::new();
        let mut labels_of = vec![0..0; snapshot.regions.len()];
        for &region in &regions {
            let first = labels.len() as u32;
            labels.extend(joint.spots(region));
            labels_of[region.usize()] = first..labels.len() as u32;
        }
        let mut node_of_group = vec![None; costs.len()];
        for (node, group) in nodes.iter().enumerate() {
            node_of_group[*group] = Some(node as u32);
        }
        let mut node_of_mover = vec![None; self.movers.len()];
        for (group, node) in self.groups.iter().zip(&node_of_group) {
            for &mover in &group.movers {
                node_of_mover[mover] = *node;
            }
        }
        let (rates, class) = self.classes(&labels, tilt);
        let traffic = self.edges(&rates, &node_of_mover);
        let fixed = self.policy.opening.region_monthly;
        let of_region = |region: &Idx<Region>| {
            let provider = snapshot.regions[*region].provider;
            fixed + tilt.money(provider, self.region_opening(*region) - fixed)
        };
        let opening: Vec<Money> = regions.iter().map(of_region).collect();
        let of_provider = |provider| self.policy.opening.provider_monthly + tilt.opening(provider);
        let provider_opening: Vec<Money> = snapshot.providers.indices().map(of_provider).collect();

        // One unit for all costs, so coarse only if the dearest labelling would not fit otherwise.
        let dearest = |group: &usize| costs[*group].iter().map(|(_, money)| money.0).max().unwrap_or(0);
        let most: i128 = nodes.iter().map(dearest).sum::<i128>()
            + traffic
                .values()
                .map(|costs| costs.iter().flatten().flatten().map(|m| m.0).max().unwrap_or(0) * 2)
                .sum::<i128>()
            + opening.iter().map(|money| money.0).sum::<i128>()
            + provider_opening.iter().map(|money| money.0).sum::<i128>();
        let mut unit = 1;
        while most / unit >= 1 << 59 {
            unit *= 10;
        }
        // Rounding down keeps every bound a bound; the plan itself is priced again in billionths.
        let scaled = |money: &Money| (money.0 / unit) as i64;
        let tariff = |by_class: &[[Money; 3]]| Tariff {
            by_class: by_class.iter().map(|levels| levels.each_ref().map(scaled)).collect(),
        };
        let place_of: BTreeMap<Idx<Region>, u32> = regions.iter().copied().zip(0..).collect();
        let places = Places {
            region: labels.iter().map(|spot| place_of[&spot.region]).collect(),
            provider: labels.iter().map(|spot| snapshot.regions[spot.region].provider.raw()).collect(),
            class,
            n_classes: rates.len(),
        };
        let problem = Problem {
            nodes: nodes
                .par_iter()
                .map(|group| {
                    let of_region = |(region, money): &(Idx<Region>, Money)| {
                        let cost = scaled(money);
                        labels_of[region.usize()].clone().map(move |label| (label, cost))
                    };
                    let mut own: Vec<(u32, i64)> = costs[*group].iter().flat_map(of_region).collect();
                    own.sort_unstable();
                    own
                })
                .collect(),
            edges: traffic
                .iter()
                .map(|(&(a, b), [a_pays, b_pays])| Edge {
                    a,
                    b,
                    a_pays: tariff(a_pays),
                    b_pays: tariff(b_pays),
                    table: None,
                })
                .collect(),
            open_region: opening.iter().map(scaled).collect(),
            open_provider: provider_opening.iter().map(scaled).collect(),
            max_regions: self.policy.targets.max_regions,
            max_providers: self.policy.targets.max_providers,
            ..Problem::about(places)
        };
        Stated { problem, labels, nodes, unit }
    }

    /// The distinct rates of traffic to another zone, region and provider, and which of them each label has.
    fn classes(&self, labels: &[Spot], tilt: &Tilt) -> (Vec<[Rate; 3]>, Vec<u32>) {
        let mut rates = Vec::new();
        let class = labels.iter().map(|spot| {
            let provider = self.market.snapshot.regions[spot.region].provider;
            let rate = |reach| {
                let quote = self.market.transfer(spot.region, reach);
                tilt.rate(provider, quote.map(|quote| quote.rate).unwrap_or_default())
            };
            // Where zones do not matter, no traffic is known to leave one.
            let zone = if spot.zone.is_some() { rate(Reach::InterZone) } else { Rate(0) };
            let of_label = [zone, rate(Reach::InterRegion), rate(Reach::Internet)];
            match rates.iter().position(|known| *known == of_label) {
                Some(place) => place as u32,
                None => {
                    rates.push(of_label);
                    (rates.len() - 1) as u32
                }
            }
        });
        let class = class.collect();
        (rates, class)
    }

    /// Costs of traffic between nodes: for each end, by class, to another zone, region and provider. Each line of the
    /// bill is rounded for itself, here as there.
    fn edges(&self, rates: &[[Rate; 3]], node_of_mover: &[Option<u32>]) -> BTreeMap<(u32, u32), EdgeCosts> {
        let mut edges: BTreeMap<(u32, u32), EdgeCosts> = BTreeMap::new();
        for sending in self.sendings {
            let Receiver::Mover(to) = sending.to else { continue };
            let (Some(from), Some(to)) = (node_of_mover[sending.from], node_of_mover[to]) else { continue };
            if from == to {
                continue;
            }
            let costs = edges
                .entry((from.min(to), from.max(to)))
                .or_insert_with(|| std::array::from_fn(|_| vec![[Money::ZERO; 3]; rates.len()]));
            let sender = usize::from(from > to);
            for (paid, rates) in costs[sender].iter_mut().zip(rates) {
                for (level, rate) in paid.iter_mut().zip(rates) {
                    *level += rate.times(sending.gib);
                }
            }
        }
        edges
    }
}
