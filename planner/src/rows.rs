//! What each mover costs in each region by itself, worked out once for hosts that are alike.
//!
//! An estate of ten thousand hosts has far fewer kinds of them: hosts that need the same machine, disks and address share
//! a row of prices, and hosts with the same rules share a row of permissions.

use std::collections::BTreeMap;

use carafe_model::catalog::{Region, ServiceKind};
use carafe_model::constraints::Service;
use carafe_model::estate::Estate;
use carafe_model::host::Media;
use carafe_model::ids::ProviderName;
use carafe_model::idx::Idx;
use carafe_model::units::{Gib, Mib, Money, Quantity, Vcpus};
use rayon::prelude::*;

use crate::candidates::{self, Candidate, Frontier};
use crate::concerns::{Near, RegionView, Rules, refuse_region};
use crate::demand::{Class, Shape};
use crate::groups::Mover;
use crate::market::Market;
use crate::reserved::Slot;

/// The prices and permissions of all movers.
pub struct Rows {
    prices: Vec<Vec<Option<Price>>>,
    /// By kind: the reserved machines that it can use, by region, then reservation.
    slots: Vec<Vec<Slot>>,
    price_of: Vec<u32>,
    permissions: Vec<Vec<u32>>,
    permission_of: Vec<u32>,
}

/// The cheapest way to have a host in a region.
#[derive(Clone, Copy, Debug)]
struct Price {
    candidate: Candidate,
    /// A month of the machine with its licence, disks and address.
    monthly: Money,
}

/// Everything that a price depends on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind<'k> {
    class: &'k Class,
    vcpus: Vcpus,
    memory: Mib,
    disks: Vec<(Media, Gib)>,
    has_address: bool,
}

/// Everything that a permission depends on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Allowed<'k> {
    providers: Option<&'k [ProviderName]>,
    lists: [Option<&'k [String]>; 5],
    near: &'k [Near],
    needs: &'k [Service],
}

impl<'k> Allowed<'k> {
    fn new(rules: &'k Rules<'_>) -> Allowed<'k> {
        let host = &rules.host;
        Allowed {
            providers: host.providers,
            lists: [host.regions, host.countries, host.certifications, host.zones, host.offers],
            near: &rules.near,
            needs: &rules.needs,
        }
    }
}

impl Rows {
    /// Works out every kind of host there is.
    pub fn new(
        market: &Market<'_>,
        regions: &[RegionView<'_>],
        estate: &Estate,
        movers: &[Mover<'_>],
    ) -> Rows {
        let kinds = Interned::of(movers.iter().map(|mover| {
            let need = &mover.need;
            Kind {
                class: &need.shape.class,
                vcpus: need.shape.vcpus,
                memory: need.shape.memory,
                disks: need.disks.iter().map(|disk| (disk.media, disk.size)).collect(),
                has_address: estate.hosts[mover.host].public_address,
            }
        }));
        let allowed = Interned::of(movers.iter().map(|mover| Allowed::new(&mover.rules)));
        let classes: BTreeMap<&Class, ()> = kinds.distinct.iter().map(|kind| (kind.class, ())).collect();
        let frontiers: BTreeMap<&Class, Frontier> =
            classes.into_keys().map(|class| (class, Frontier::new(market, class))).collect();
        let all: Vec<Idx<Region>> = market.snapshot.regions.indices().collect();
        let price = |kind: &Kind<'_>, region: Idx<Region>| {
            let candidate = *frontiers[kind.class].cheapest(region, kind.vcpus, kind.memory)?;
            let mut monthly = candidate.monthly;
            for &(media, size) in &kind.disks {
                if !market.sells_disk(region, media, size) {
                    return None;
                }
                monthly += market.disk(region, media, size).map_or(Money::ZERO, |(q, gib)| q.rate.times(gib));
            }
            if kind.has_address {
                let address = market.service(region, ServiceKind::PublicAddress);
                monthly += address.map(|quote| quote.rate.times(Quantity::MONTH)).unwrap_or_default();
            }
            Some(Price { candidate, monthly })
        };
        let of_first = |first: &usize| -> Vec<u32> {
            regions.iter().map(|region| refuse_region(&movers[*first].rules, region)).collect()
        };
        let slots = |kind: &Kind<'_>| {
            let mut found: Vec<Slot> = Vec::new();
            for (reservation, reserved) in market.reserved.iter().enumerate() {
                let Some(instance_type) = reserved.instance_type else { continue };
                for region in all.iter().filter(|region| reserved.region.is_none_or(|only| only == **region))
                {
                    let Some(normal) = price(kind, *region) else { continue };
                    let shape = Shape { vcpus: kind.vcpus, memory: kind.memory, class: kind.class.clone() };
                    let candidate = market
                        .offers_in(*region)
                        .find(|offer| market.snapshot.offers.instance_type[offer.usize()] == instance_type)
                        .and_then(|offer| candidates::candidate(market, &shape, offer))
                        .filter(|candidate| candidate.fits(&shape));
                    let Some(candidate) = candidate else { continue };
                    let candidate = candidate.paid_for(market);
                    let monthly = normal.monthly - normal.candidate.monthly + candidate.monthly;
                    found.push(Slot { reservation, region: *region, candidate, monthly });
                }
            }
            found.sort_by_key(|slot| (slot.region, slot.reservation));
            found
        };
        Rows {
            slots: if market.reserved.is_empty() {
                Vec::new()
            } else {
                kinds.distinct.par_iter().map(slots).collect()
            },
            prices: kinds
                .distinct
                .par_iter()
                .map(|kind| all.iter().map(|region| price(kind, *region)).collect())
                .collect(),
            price_of: kinds.of,
            permissions: allowed.first.par_iter().map(of_first).collect(),
            permission_of: allowed.of,
        }
    }

    /// Keeps the movers of these places, which become places 0, 1, 2 and so on.
    pub fn keep(&mut self, movers: &[usize]) {
        self.price_of = movers.iter().map(|mover| self.price_of[*mover]).collect();
        self.permission_of = movers.iter().map(|mover| self.permission_of[*mover]).collect();
    }

    /// The cheapest offer for a mover in a region; `None` when its rules forbid the region or nothing fits.
    pub fn candidate(&self, mover: usize, region: Idx<Region>) -> Option<&Candidate> {
        Some(&self.price(mover, region)?.candidate)
    }

    /// A month of a mover in a region without any traffic; `None` where it cannot be.
    pub fn monthly(&self, mover: usize, region: Idx<Region>) -> Option<Money> {
        Some(self.price(mover, region)?.monthly)
    }

    /// Which kind of host a mover is: movers of one kind cost the same everywhere.
    pub fn kind(&self, mover: usize) -> u32 {
        self.price_of[mover]
    }

    /// The reserved machines that a mover can use in a region.
    pub fn slots(&self, mover: usize, region: Idx<Region>) -> impl Iterator<Item = &Slot> {
        let all = self.slots.get(self.price_of[mover] as usize).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|slot| slot.region < region);
        let may_be = self.permissions[self.permission(mover)][region.usize()] == 0;
        all[first..].iter().take_while(move |slot| may_be && slot.region == region)
    }

    /// Which set of permissions a mover has: movers of one set may be in the same regions for the same reasons.
    pub fn permission(&self, mover: usize) -> usize {
        self.permission_of[mover] as usize
    }

    fn price(&self, mover: usize, region: Idx<Region>) -> Option<&Price> {
        let refused = self.permissions[self.permission(mover)][region.usize()];
        let row = &self.prices[self.price_of[mover] as usize];
        row[region.usize()].as_ref().filter(|_| refused == 0)
    }
}

/// Values with equal ones counted once.
struct Interned<T> {
    /// By place in the input: the place in `distinct`.
    of: Vec<u32>,
    distinct: Vec<T>,
    /// By place in `distinct`: where in the input it was first seen.
    first: Vec<usize>,
}

impl<T: Ord> Interned<T> {
    fn of(all: impl Iterator<Item = T>) -> Interned<T> {
        let mut known: BTreeMap<T, u32> = BTreeMap::new();
        let mut of = Vec::new();
        let mut first = Vec::new();
        for (place, value) in all.enumerate() {
            let next = known.len() as u32;
            let number = *known.entry(value).or_insert(next);
            if number == next {
                first.push(place);
            }
            of.push(number);
        }
        let mut numbered: Vec<(u32, T)> = known.into_iter().map(|(value, number)| (number, value)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        Interned { of, distinct: numbered.into_iter().map(|(_, value)| value).collect(), first }
    }
}
