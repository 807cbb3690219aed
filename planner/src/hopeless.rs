//! Takes out what cannot be placed before anything is solved, and says why: hosts that fit nowhere by themselves, then
//! groups without a region in common.
//!
//! A host that fits nowhere leaves its group: the others are placed without it, and a finding says what goes on
//! without whom. Where each fits somewhere and all together nowhere, none is placed, because any choice would be a guess.

use std::collections::BTreeSet;

use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::idx::Idx;
use carafe_model::language::{Said, Sentence};
use carafe_model::plan::Unplaced;
use carafe_model::policy::Policy;

use crate::concerns::RegionView;
use crate::groups::{Group, Mover, Roles, groups};
use crate::market::Market;
use crate::placing::Placing;
use crate::rows::Rows;
use crate::{candidates, explain};

/// What everything is looked up in.
pub struct Hopeless<'a> {
    /// What is moved.
    pub estate: &'a Estate,
    /// What is demanded.
    pub policy: &'a Policy,
    /// What is sold.
    pub market: &'a Market<'a>,
    /// Regions as policies see them.
    pub regions: &'a [RegionView<'a>],
}

impl Hopeless<'_> {
    /// Takes out the movers that fit nowhere, and those whose group has no region in common; what those that are left
    /// cost everywhere is worked out for this, and handed back.
    pub fn drop(&self, roles: &mut Roles<'_>, unplaced: &mut Vec<Unplaced>) -> Rows {
        let rows = Rows::new(self.market, self.regions, self.estate, &roles.movers);
        let (misfits, mut rows) = self.judge(&roles.movers, rows, |placing, group| {
            let alone = |mover: usize| Group { movers: vec![mover], ..group.clone() };
            let misfit = |mover: &usize| !self.fits(placing, &alone(*mover));
            group.movers.iter().copied().filter(misfit).collect()
        });
        for (mover, group) in &misfits {
            unplaced.push(self.misfit(&roles.movers[*mover], group));
            let left = group.movers.len() - misfits.iter().filter(|(_, other)| other == group).count();
            if left > 0 {
                let host = &self.estate.hosts[roles.movers[*mover].host];
                let said = Said::new("finding.without").with("names", self.names(group));
                roles.findings.push(
                    Finding::warning("PLN-0404", said).host(host.id.as_str()).help(Said::new("help.without")),
                );
            }
        }
        remove(&mut roles.movers, &mut rows, &misfits);

        let (torn, mut rows) = self.judge(&roles.movers, rows, |placing, group| {
            if self.fits(placing, group) { Vec::new() } else { group.movers.clone() }
        });
        for (mover, group) in &torn {
            unplaced.push(self.torn(&roles.movers, *mover, group));
        }
        remove(&mut roles.movers, &mut rows, &torn);
        rows
    }

    /// Groups the movers and collects those that a test picks, each with its group.
    fn judge(
        &self,
        movers: &[Mover<'_>],
        rows: Rows,
        picks: impl Fn(&Placing<'_>, &Group) -> Vec<usize>,
    ) -> (Vec<(usize, Group)>, Rows) {
        let groups = groups(self.estate, self.policy, movers);
        let placing = self.placing(movers, &groups, rows);
        let picked = |group: &Group| {
            let movers = picks(&placing, group);
            movers.into_iter().map(|mover| (mover, group.clone())).collect::<Vec<_>>()
        };
        (groups.iter().flat_map(picked).collect(), placing.rows)
    }

    fn placing<'p>(&'p self, movers: &'p [Mover<'p>], groups: &'p [Group], rows: Rows) -> Placing<'p> {
        Placing::new(self.estate, self.policy, self.market, self.regions, movers, groups, &[], rows)
    }

    fn fits(&self, placing: &Placing<'_>, group: &Group) -> bool {
        self.market.snapshot.regions.indices().any(|region| placing.fits(group, region))
    }

    /// Why a host fits nowhere.
    fn misfit(&self, mover: &Mover<'_>, group: &Group) -> Unplaced {
        let refused = candidates::count_refused(self.market, &mover.need.shape, &mover.rules, self.regions)
            .to_refusals();
        let n_offers = self.market.snapshot.offers.len();
        let mut reasons = Vec::new();
        if !self.some_offer_fits(mover) {
            reasons = explain::why_nothing_fits(&refused, n_offers);
        }
        for disk in &mover.need.disks {
            let is_sold = |region| self.market.sells_disk(region, disk.media, disk.size);
            if !self.market.snapshot.regions.indices().any(is_sold) {
                let said =
                    Said::new("unplaced.disk").with("disk", disk.name.as_str()).with("gib", disk.size.0);
                reasons.push(said.into());
            }
        }
        if !group.clusters.is_empty() {
            let said = Said::new("unplaced.group-cluster").with("names", self.names(group));
            reasons.push(said.into());
        }
        if reasons.is_empty() {
            reasons.push(Said::new("unplaced.nowhere").into());
        }
        Unplaced { host: self.estate.hosts[mover.host].id.clone(), reasons, refused }
    }

    fn some_offer_fits(&self, mover: &Mover<'_>) -> bool {
        let shape = &mover.need.shape;
        self.regions.iter().enumerate().any(|(place, view)| {
            crate::concerns::refuse_region(&mover.rules, view) == 0
                && self.market.offers_in(Idx::from_usize(place)).any(|offer| {
                    candidates::candidate(self.market, shape, offer).is_some_and(|c| c.fits(shape))
                })
        })
    }

    /// Why a host that fits somewhere is not placed: its group fits nowhere together.
    fn torn(&self, movers: &[Mover<'_>], mover: usize, group: &Group) -> Unplaced {
        let host = &self.estate.hosts[movers[mover].host];
        let key = if group.clusters.is_empty() { "unplaced.group" } else { "unplaced.group-cluster" };
        let mut reasons: Vec<Sentence> = vec![Said::new(key).with("names", self.names(group)).into()];
        let groups = std::slice::from_ref(group);
        let rows = Rows::new(self.market, self.regions, self.estate, movers);
        let placing = self.placing(movers, groups, rows);
        let culprits: Vec<&str> = group
            .movers
            .iter()
            .filter(|left_out| {
                let rest = group.movers.iter().copied().filter(|member| member != *left_out).collect();
                self.fits(&placing, &Group { movers: rest, ..group.clone() })
            })
            .map(|left_out| self.estate.hosts[movers[*left_out].host].id.as_str())
            .collect();
        if group.movers.len() > 2 && !culprits.is_empty() {
            let names: Vec<String> = culprits.into_iter().map(str::to_owned).collect();
            reasons.push(Said::new("unplaced.without").with("names", names).into());
        }
        let refused = candidates::count_refused(
            self.market,
            &movers[mover].need.shape,
            &movers[mover].rules,
            self.regions,
        );
        Unplaced { host: host.id.clone(), reasons, refused: refused.to_refusals() }
    }

    /// What ties a group together.
    fn names(&self, group: &Group) -> Vec<String> {
        let estate = self.estate;
        let load_balancers = group.load_balancers.iter().map(|lb| estate.load_balancers[*lb].id.to_string());
        let clusters = group.clusters.iter().map(|cluster| estate.clusters[*cluster].id.to_string());
        let rules = group.rules.iter().map(|rule| group_name(self.policy, *rule));
        load_balancers.chain(clusters).chain(rules).collect()
    }
}

/// What messages call a group of the policy: its name, or its place.
pub fn group_name(policy: &Policy, place: usize) -> String {
    match policy.groups[place].name.as_str() {
        "" => format!("group[{place}]"),
        name => name.to_owned(),
    }
}

fn remove(movers: &mut Vec<Mover<'_>>, rows: &mut Rows, picked: &[(usize, Group)]) {
    let gone: BTreeSet<usize> = picked.iter().map(|(mover, _)| *mover).collect();
    if gone.is_empty() {
        return;
    }
    let stays: Vec<usize> = (0..movers.len()).filter(|mover| !gone.contains(mover)).collect();
    rows.keep(&stays);
    let mut place = 0;
    movers.retain(|_| {
        place += 1;
        !gone.contains(&(place - 1))
    });
}
