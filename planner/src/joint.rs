//! What the policy demands of several hosts at once, as rules of the labelling problem: pairs of places that an edge
//! refuses (round trips, hosts that share a provider or region), and capacities (hosts kept apart, quotas).
//!
//! A quota counts the offer that is cheapest for a host in a region: whether a dearer one of another family would keep
//! it is not looked for. Name the types that may be used in a rule where that matters.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::Region;
use carafe_model::constraints::{Level, Quota};
use carafe_model::estate::Estate;
use carafe_model::idx::Idx;
use carafe_model::policy::Policy;

use crate::bill::Home;
use crate::candidates::Candidate;
use crate::groups::Mover;
use crate::latency::Latencies;
use crate::placing::Placing;
use crate::solve::problem::{Edge, PairTable, Problem, Tariff, Use};

/// A place that a group can be put in: a region, or a zone of one where zones matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The region.
    pub region: Idx<Region>,
    /// The zone, as a place in the region's list; absent where zones do not matter or are not known.
    pub zone: Option<usize>,
}

/// Groups that share a provider or a region without being one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// What they share.
    pub level: Level,
    /// Places in the list of groups, ascending.
    pub groups: Vec<usize>,
}

/// The movers that a rule about zones is for: what must share a region with them may be in another zone of it.
pub fn zoned(estate: &Estate, policy: &Policy, movers: &[Mover<'_>]) -> BTreeSet<usize> {
    let mut zoned: BTreeSet<usize> =
        (0..movers.len()).filter(|mover| movers[*mover].rules.zones.is_some()).collect();
    for rule in &policy.groups {
        if rule.same == Some(Level::Zone) || rule.apart == Some(Level::Zone) {
            let members = members(estate, movers, &rule.matches);
            if members.len() > 1 {
                zoned.extend(members);
            }
        }
    }
    zoned
}

/// The movers that a condition holds for.
fn members(estate: &Estate, movers: &[Mover<'_>], matches: &carafe_model::policy::Match) -> Vec<usize> {
    (0..movers.len()).filter(|mover| matches.fits(&estate.hosts[movers[*mover].host])).collect()
}

/// What keeps one group from places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Own {
    /// The longest round trip between its members, in microseconds.
    micros: Option<u32>,
    /// Whether a rule about zones is for it.
    needs_zone: bool,
}

/// The rules of one estate, with what they need to be judged.
pub struct Joint<'p, 'a> {
    placing: &'p Placing<'a>,
    latencies: Latencies,
    group_of: Vec<usize>,
    /// The longest round trip between members of one group, in microseconds.
    within: BTreeMap<usize, u32>,
    /// Movers by rule of the policy's list of groups.
    members: Vec<Vec<usize>>,
    zoned: BTreeSet<usize>,
}

impl<'p, 'a> Joint<'p, 'a> {
    /// Prepares the rules.
    pub fn new(placing: &'p Placing<'a>) -> Joint<'p, 'a> {
        let mut group_of = vec![0; placing.movers.len()];
        for (place, group) in placing.groups.iter().enumerate() {
            for &mover in &group.movers {
                group_of[mover] = place;
            }
        }
        let members = placing.policy.groups.iter();
        let mut within: BTreeMap<usize, u32> = BTreeMap::new();
        for budget in &placing.budgets {
            if group_of[budget.a] == group_of[budget.b] {
                let least = within.entry(group_of[budget.a]).or_insert(budget.micros);
                *least = budget.micros.min(*least);
            }
        }
        Joint {
            placing,
            latencies: Latencies::new(placing.market.snapshot),
            group_of,
            within,
            members: members.map(|rule| members_of(placing, &rule.matches)).collect(),
            zoned: zoned(placing.estate, placing.policy, placing.movers),
        }
    }

    /// The places in a region: its zones where any rule is about zones.
    pub fn spots(&self, region: Idx<Region>) -> Vec<Spot> {
        let zones = self.placing.regions[region.usize()].zones.len();
        if self.zoned.is_empty() || zones == 0 {
            return vec![Spot { region, zone: None }];
        }
        (0..zones).map(|zone| Spot { region, zone: Some(zone) }).collect()
    }

    /// What keeps a group from places, whatever the others do.
    fn own(&self, group: usize) -> Own {
        let mut movers = self.placing.groups[group].movers.iter();
        Own {
            micros: self.within.get(&group).copied(),
            needs_zone: movers.any(|mover| self.zoned.contains(mover)),
        }
    }

    /// Whether hosts that stay together may be in a place as far as that depends on nothing else.
    fn may_be(&self, movers: &[usize], own: Own, spot: Spot) -> bool {
        let Own { micros, needs_zone } = own;
        let is_near = micros.is_none_or(|most| {
            self.latencies.between(spot.region, spot.region).is_some_and(|micros| micros <= most)
        });
        let view = &self.placing.regions[spot.region.usize()];
        let zone_fits = |mover: &usize| {
            let Some(allowed) = self.placing.movers[*mover].rules.zones else { return true };
            spot.zone.is_some_and(|zone| allowed.iter().any(|path| view.zone_of(path) == Some(zone)))
        };
        is_near && (!needs_zone || spot.zone.is_some() && movers.iter().all(zone_fits))
    }

    /// Adds the rules to a problem whose nodes are these groups and whose labels are these places. `false` when a group
    /// has no place left.
    pub fn add(&self, problem: &mut Problem, nodes: &[usize], spots: &[Spot]) -> bool {
        let uses = self.capacities(nodes, spots);
        for (node, &group) in nodes.iter().enumerate() {
            let own = self.own(group);
            let members = &self.placing.groups[group].movers;
            let uses_of = &uses.of_node[node];
            if own == Own::default() && uses_of.is_empty() {
                continue;
            }
            problem.nodes[node].retain(|(label, _)| {
                self.may_be(members, own, spots[*label as usize])
                    && uses_of
                        .iter()
                        .filter(|found| found.label == *label)
                        .all(|found| found.amount <= uses.limits[found.capacity as usize])
            });
        }
        if problem.nodes.iter().any(Vec::is_empty) {
            return false;
        }
        if !uses.limits.is_empty() {
            problem.capacities = uses.limits;
            problem.uses = uses.of_node;
        }
        self.tables(problem, nodes, spots);
        true
    }

    fn tables(&self, problem: &mut Problem, nodes: &[usize], spots: &[Spot]) {
        let mut node_of_group = vec![None; self.placing.groups.len()];
        for (node, group) in nodes.iter().enumerate() {
            node_of_group[*group] = Some(node as u32);
        }
        // What binds a pair of nodes: the longest round trip, and what they share.
        let mut bound: BTreeMap<(u32, u32), (Option<u32>, Option<Level>)> = BTreeMap::new();
        let pair = |a: usize, b: usize| {
            let (a, b) = (node_of_group[a]?, node_of_group[b]?);
            (a != b).then_some((a.min(b), a.max(b)))
        };
        for budget in &self.placing.budgets {
            if let Some(pair) = pair(self.group_of[budget.a], self.group_of[budget.b]) {
                let tightest = &mut bound.entry(pair).or_default().0;
                *tightest = Some(tightest.map_or(budget.micros, |known| known.min(budget.micros)));
            }
        }
        for tie in &self.placing.ties {
            for groups in tie.groups.windows(2) {
                if let Some(pair) = pair(groups[0], groups[1]) {
                    let closest = &mut bound.entry(pair).or_default().1;
                    *closest = Some(closest.map_or(tie.level, |known| known.min(tie.level)));
                }
            }
        }
        if bound.is_empty() {
            return;
        }
        let mut kinds: Vec<(Option<u32>, Option<Level>)> = bound.values().copied().collect();
        kinds.sort();
        kinds.dedup();
        problem.tables = kinds
            .iter()
            .map(|(micros, level)| {
                PairTable::new(spots.len(), |r, s| {
                    let (a, b) = (spots[r as usize], spots[s as usize]);
                    let far = micros.is_some_and(|most| {
                        self.latencies.between(a.region, b.region).is_none_or(|micros| micros > most)
                    });
                    far || level.is_some_and(|level| !self.share(a, b, level))
                })
            })
            .collect();
        let n_classes = problem.places.n_classes;
        let edge_of: BTreeMap<(u32, u32), usize> =
            problem.edges.iter().enumerate().map(|(place, edge)| ((edge.a, edge.b), place)).collect();
        for (pair, kind) in bound {
            let table = kinds.binary_search(&kind).ok().and_then(|place| u32::try_from(place).ok());
            match edge_of.get(&pair) {
                Some(place) => problem.edges[*place].table = table,
                None => problem.edges.push(Edge {
                    a: pair.0,
                    b: pair.1,
                    a_pays: Tariff::nothing(n_classes),
                    b_pays: Tariff::nothing(n_classes),
                    table,
                }),
            }
        }
    }

    fn share(&self, a: Spot, b: Spot, level: Level) -> bool {
        let provider = |spot: Spot| self.placing.market.snapshot.regions[spot.region].provider;
        match level {
            Level::Zone => a == b,
            Level::Region => a.region == b.region,
            Level::Provider => provider(a) == provider(b),
        }
    }

    fn capacities(&self, nodes: &[usize], spots: &[Spot]) -> Capacities {
        let mut found = Capacities { limits: Vec::new(), of_node: vec![Vec::new(); nodes.len()] };
        let snapshot = self.placing.market.snapshot;
        for (rule, members) in self.placing.policy.groups.iter().zip(&self.members) {
            let Some(level) = rule.apart else { continue };
            let mut capacity_of: BTreeMap<(usize, Option<usize>), u32> = BTreeMap::new();
            for (node, &group) in nodes.iter().enumerate() {
                let ours = |mover: &&usize| members.binary_search(mover).is_ok();
                let amount = self.placing.groups[group].movers.iter().filter(ours).count() as i64;
                if amount == 0 {
                    continue;
                }
                for (label, spot) in spots.iter().enumerate() {
                    let key = match level {
                        Level::Zone => (spot.region.usize(), spot.zone),
                        Level::Region => (spot.region.usize(), None),
                        Level::Provider => (snapshot.regions[spot.region].provider.usize(), None),
                    };
                    let capacity = *capacity_of.entry(key).or_insert_with(|| {
                        found.limits.push(i64::from(rule.at_most));
                        (found.limits.len() - 1) as u32
                    });
                    found.of_node[node].push(Use { label: label as u32, capacity, amount });
                }
            }
        }
        for quota in &self.placing.policy.quotas {
            for most in limits(quota) {
                let capacity = found.limits.len() as u32;
                found.limits.push(most.1);
                for (node, &group) in nodes.iter().enumerate() {
                    for (label, spot) in spots.iter().enumerate() {
                        let counted = |mover: &usize| {
                            let candidate = self.placing.cheapest(*mover, spot.region)?;
                            Some(self.counted(quota, spot.region, candidate, most.0))
                        };
                        let movers = &self.placing.groups[group].movers;
                        let amount: i64 = movers.iter().filter_map(counted).sum();
                        if amount > 0 {
                            found.of_node[node].push(Use { label: label as u32, capacity, amount });
                        }
                    }
                }
            }
        }
        for uses in &mut found.of_node {
            uses.sort();
        }
        found
    }

    /// What an offer takes of a quota.
    fn counted(&self, quota: &Quota, region: Idx<Region>, candidate: &Candidate, what: Counted) -> i64 {
        let snapshot = self.placing.market.snapshot;
        let view = &self.placing.regions[region.usize()];
        let sold = &snapshot.instance_types[snapshot.offers.instance_type[candidate.offer.usize()]];
        let applies = quota.region.as_ref().is_none_or(|path| path == view.path)
            && quota.provider.as_ref().is_none_or(|name| name.as_str() == view.provider)
            && quota.family.as_ref().is_none_or(|family| *family == sold.family);
        match what {
            Counted::Vcpus => i64::from(applies) * i64::from(sold.vcpus.0),
            Counted::Hosts => i64::from(applies),
        }
    }

    /// Whether the rules still hold when one host alone goes elsewhere and all others stay in their homes.
    pub fn may_move(&self, homes: &[Home], mover: usize, to: Home) -> bool {
        let spot = |mover: usize| Spot { region: homes[mover].region, zone: homes[mover].zone };
        let there = Spot { region: to.region, zone: to.zone };
        let own = Own { micros: None, needs_zone: self.zoned.contains(&mover) };
        let near = self.placing.budgets.iter().all(|budget| {
            let other = match (budget.a == mover, budget.b == mover) {
                (true, _) => budget.b,
                (_, true) => budget.a,
                (false, false) => return true,
            };
            self.latencies
                .between(there.region, homes[other].region)
                .is_some_and(|micros| micros <= budget.micros)
        });
        let group = self.group_of[mover];
        let tied = self.placing.ties.iter().filter(|tie| tie.groups.contains(&group)).all(|tie| {
            tie.groups.iter().filter(|other| **other != group).all(|other| {
                let first = self.placing.groups[*other].movers[0];
                self.share(there, spot(first), tie.level)
            })
        });
        let apart = self.placing.policy.groups.iter().zip(&self.members).all(|(rule, members)| {
            let Some(level) = rule.apart.filter(|_| members.binary_search(&mover).is_ok()) else {
                return true;
            };
            let others = members.iter().filter(|other| **other != mover);
            others.filter(|other| self.share(there, spot(**other), level)).count() < rule.at_most as usize
        });
        let quotas = self.placing.policy.quotas.iter().all(|quota| {
            limits(quota).into_iter().all(|(what, most)| {
                let taken = |(other, home): (usize, &Home)| {
                    let home = if other == mover { &to } else { home };
                    self.counted(quota, home.region, &home.candidate, what)
                };
                homes.iter().enumerate().map(taken).sum::<i64>() <= most
            })
        });
        near && tied && apart && quotas && self.may_be(&[mover], own, there)
    }
}

fn members_of(placing: &Placing<'_>, matches: &carafe_model::policy::Match) -> Vec<usize> {
    members(placing.estate, placing.movers, matches)
}

/// How much there is of everything that is scarce, and what each node takes of it.
struct Capacities {
    limits: Vec<i64>,
    of_node: Vec<Vec<Use>>,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Vcpus,
    Hosts,
}

fn limits(quota: &Quota) -> Vec<(Counted, i64)> {
    let vcpus = quota.max_vcpus.map(|most| (Counted::Vcpus, i64::from(most.0)));
    let hosts = quota.max_hosts.map(|most| (Counted::Hosts, i64::from(most)));
    vcpus.into_iter().chain(hosts).collect()
}
