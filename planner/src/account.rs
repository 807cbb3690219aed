//! What depends on everything that is used at a provider, not on one host: spend commitments, support plans, and machines
//! that are reserved.
//!
//! With `u` for what a month uses at a provider, a commitment of `c` makes it cost `max(c, u)`, and a support plan adds
//! `max(minimum, Σ tiers of u)`. Neither is a sum over hosts, so the solver is given sums that are never more: for any
//! `0 ≤ λ ≤ 1`, `(1 − λ)·u + λ·c ≤ max(c, u)`, and a support plan costs at least its minimum, and at least its lowest
//! percentage of `u`. Such a tilted problem is a placement problem with costs scaled by provider and a constant, its
//! bound is a bound, and any placement it finds is priced exactly by the bill. A few are solved, each with the shares
//! that the placement before showed to matter (a bisection of `λ`, the subgradient of the bound being `c − u`); the
//! cheapest bill and the highest bound count.

use std::collections::BTreeMap;

use carafe_model::catalog::Provider;
use carafe_model::contract::Support;
use carafe_model::ids::ProviderName;
use carafe_model::idx::Idx;
use carafe_model::plan::{BillLine, Component};
use carafe_model::policy::Policy;
use carafe_model::units::{Money, Quantity, Rate};

use crate::bill::{self, Home};
use crate::placing::{Placed, Placing};
use crate::reserved;
use crate::solve::Effort;

/// A share of one, in millionths.
const WHOLE: i64 = 1_000_000;
/// Tilted problems that are solved at most.
const ROUNDS: usize = 8;
/// The same where machines are reserved: their prices are looked for from further away.
const ROUNDS_WITH_RESERVATIONS: usize = 16;
/// So many groups are only searched until the asked gap is reached, where each round solves all of them twice.
const LARGE: usize = 1_000;
/// More than any machine costs, and far from what does not fit.
const UNUSABLE: Money = Money(1 << 100);

/// What costs are turned into so that their sum is never more than what a month costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tilt {
    /// By provider, the share of its list of costs that counts, in millionths.
    share: Vec<i64>,
    /// By provider, what using it at all costs at least in support.
    opening: Vec<Money>,
    /// What is paid in any case.
    constant: Money,
    /// By reservation, what one of its machines counts; empty when nobody is to have any.
    reserved: Vec<Money>,
    /// By mover, the reservation whose machine it has for nothing, where that is settled.
    owners: Option<Vec<Option<usize>>>,
}

impl Tilt {
    /// Costs as they are.
    pub fn none(n_providers: usize) -> Tilt {
        Tilt {
            share: vec![WHOLE; n_providers],
            opening: vec![Money::ZERO; n_providers],
            constant: Money::ZERO,
            reserved: Vec::new(),
            owners: None,
        }
    }

    /// All prices of some providers multiplied with a factor, to ask what if.
    pub fn by_factors(n_providers: usize, factors: impl Iterator<Item = (Idx<Provider>, Quantity)>) -> Tilt {
        let mut tilt = Tilt::none(n_providers);
        for (provider, factor) in factors {
            tilt.share[provider.usize()] = factor.0;
        }
        tilt
    }

    /// What counts of a cost at a provider, rounded down.
    pub fn money(&self, provider: Idx<Provider>, money: Money) -> Money {
        match self.share[provider.usize()] {
            WHOLE => money,
            share => Money((money.0 * i128::from(share)).div_euclid(i128::from(WHOLE))),
        }
    }

    /// What counts of a rate at a provider, rounded down.
    pub fn rate(&self, provider: Idx<Provider>, rate: Rate) -> Rate {
        match self.share[provider.usize()] {
            WHOLE => rate,
            share => {
                let exact = (i128::from(rate.0) * i128::from(share)).div_euclid(i128::from(WHOLE));
                Rate(i64::try_from(exact).unwrap_or(i64::MAX))
            }
        }
    }

    /// What a machine of a reservation counts for a mover.
    pub fn reserved(&self, mover: usize, reservation: usize) -> Money {
        match &self.owners {
            Some(owners) if owners[mover] == Some(reservation) => Money::ZERO,
            Some(_) => UNUSABLE,
            None => self.reserved.get(reservation).copied().unwrap_or(UNUSABLE),
        }
    }

    /// What using a provider at all costs at least.
    pub fn opening(&self, provider: Idx<Provider>) -> Money {
        self.opening[provider.usize()]
    }

    /// A bound on what a month costs, from one on the tilted costs. Products of tilted rates were rounded to the
    /// nearest billionth where the bill rounds products of true ones, which is off by less than two for each.
    pub fn bound(&self, tilted: Money, n_products: usize) -> Money {
        let is_exact = self.share.iter().all(|share| [0, WHOLE].contains(share));
        let slack = if is_exact { 0 } else { 2 * n_products as i128 };
        (tilted + self.constant - Money(slack)).max(Money::ZERO)
    }
}

/// What a month uses at each provider: the sum of its lines but those of contracts and of fixed costs.
pub fn used(lines: &[BillLine]) -> BTreeMap<ProviderName, Money> {
    let mut used: BTreeMap<ProviderName, Money> = BTreeMap::new();
    for line in lines
        .iter()
        .filter(|line| !matches!(line.component, Component::Opening | Component::Support | Component::Other))
    {
        *used.entry(line.provider.clone()).or_default() += line.monthly;
    }
    used
}

/// The support plan of a provider: the last one that the policy gives.
pub fn support<'p>(policy: &'p Policy, provider: &ProviderName) -> Option<&'p Support> {
    policy.support.iter().rev().find(|support| support.provider == *provider)
}

/// What a provider is paid a month in any case.
pub fn committed(policy: &Policy, provider: &ProviderName) -> Money {
    let of_provider = policy.commitments.iter().filter(|commitment| commitment.provider == *provider);
    of_provider.map(|commitment| commitment.monthly).sum()
}

/// One provider's share of the search: where `λ` may lie, where it is, and which bound of its support counts.
#[derive(Clone, Copy, Debug)]
struct Share {
    low: i64,
    high: i64,
    lambda: i64,
    by_percent: bool,
}

/// Finds the cheapest regions for all groups together, contracts included. `homes` turns regions into offers.
pub fn place(
    placing: &Placing<'_>,
    effort: &Effort<'_>,
    homes: impl Fn(&Placed) -> Option<Vec<Home>>,
) -> (Placed, Option<Vec<Home>>) {
    let providers = &placing.market.snapshot.providers;
    let names: Vec<&ProviderName> = providers.iter().map(|provider| &provider.name).collect();
    let policy = placing.policy;
    let mut tilt = Tilt::none(names.len());
    if !has_contracts(policy) {
        let placed = placing.place(effort, &tilt);
        let homes = homes(&placed);
        return (placed, homes);
    }
    let mut shares = vec![Share { low: 0, high: WHOLE, lambda: 0, by_percent: false }; names.len()];
    let mut slots: Vec<SlotPrice> = vec![SlotPrice::default(); placing.market.reserved.len()];
    let rounds = if slots.is_empty() { ROUNDS } else { ROUNDS_WITH_RESERVATIONS };
    let mut best: Option<(Money, Placed, Option<Vec<Home>>)> = None;
    let mut bound = Money::ZERO;
    for round in 0..rounds {
        tilt = tilted(placing, &names, &shares, &slots);
        let placed = placing.place(effort, &tilt);
        bound = bound.max(placed.bound);
        let found = homes(&placed);
        let Some(at_home) = &found else { return (placed, None) };
        let lines = bill::bill(placing, at_home).lines;
        let mut keep = |placed: Placed, found: Option<Vec<Home>>, lines: &[BillLine]| {
            let total: Money = lines.iter().map(|line| line.monthly).sum();
            if best.as_ref().is_none_or(|(least, _, _)| total < *least) {
                best = Some((total, placed, found));
            }
        };
        if move_prices(&mut slots, placing, at_home) {
            let owners = Some(reserved::owners(placing, at_home));
            let settled = placing.place(effort, &Tilt { owners, ..tilt.clone() });
            if let Some(at_home) = homes(&settled) {
                let lines = bill::bill(placing, &at_home).lines;
                keep(settled, Some(at_home), &lines);
            }
        }
        keep(placed, found, &lines);
        let least = best.as_ref().map_or(Money::ZERO, |(least, _, _)| *least);
        let near = least.0 / 1_000_000 * i128::from(effort.gap_millionths);
        let is_large = placing.groups.len() > LARGE && !slots.is_empty();
        let is_closed = least <= bound || is_large && (least - bound).0 <= near;
        let before = tilt;
        for (share, name) in shares.iter_mut().zip(&names) {
            let used = used(&lines).get(*name).copied();
            move_share(share, policy, name, used, round);
        }
        tilt = tilted(placing, &names, &shares, &slots);
        if is_closed || tilt == before || (effort.stop)() {
            break;
        }
    }
    let (_, mut placed, homes) = best.expect("a round that finds nothing returns");
    placed.bound = bound;
    (placed, homes)
}

/// Moves a provider's share by what the last placement used: up where the commitment was not used up, else down.
fn move_share(share: &mut Share, policy: &Policy, name: &ProviderName, used: Option<Money>, round: usize) {
    let committed = committed(policy, name);
    if committed > Money::ZERO {
        if used.unwrap_or_default() < committed {
            share.low = share.lambda;
            share.lambda = if round == 0 { WHOLE } else { i64::midpoint(share.low, share.high) };
        } else if share.lambda > share.low {
            share.high = share.lambda;
            share.lambda = i64::midpoint(share.low, share.high);
        }
    }
    if let (Some(support), Some(used)) = (support(policy, name), used) {
        share.by_percent = support.of(used) > support.minimum;
    }
}

/// What a machine of a reservation counts in the search, and between which figures its best price lies.
#[derive(Clone, Copy, Debug, Default)]
struct SlotPrice {
    low: Money,
    high: Option<Money>,
    price: Money,
}

/// Moves the prices of reserved machines: up where more hosts want them than there are, else down. The next price is what
/// one more machine would save where hosts are now, because there the bound has its corner; else it is in the middle.
/// Says whether more hosts than there are machines want those of any reservation.
fn move_prices(slots: &mut [SlotPrice], placing: &Placing<'_>, homes: &[Home]) -> bool {
    if slots.is_empty() {
        return false;
    }
    let mut are_short = false;
    let prices: Vec<Money> = slots.iter().map(|slot| slot.price).collect();
    let wanted = reserved::wanted(placing, homes, &prices);
    let worth = reserved::worth(placing, homes);
    for (place, slot) in slots.iter_mut().enumerate() {
        if wanted[place] > placing.market.reserved[place].reservation.count {
            slot.low = slot.price;
            are_short = true;
        } else if slot.price > Money::ZERO {
            slot.high = Some(slot.price);
        } else {
            continue;
        }
        let is_between = |price: Money| price > slot.low && slot.high.is_none_or(|high| price < high);
        slot.price = match slot.high {
            _ if is_between(worth[place]) => worth[place],
            Some(high) => Money(i128::midpoint(slot.low.0, high.0)),
            None => Money(slot.low.0 * 2 + 1_000_000_000),
        };
    }
    are_short
}

/// Whether a month is no sum of costs of hosts and traffic.
pub fn has_contracts(policy: &Policy) -> bool {
    !policy.commitments.is_empty() || !policy.support.is_empty() || !policy.reservations.is_empty()
}

fn tilted(placing: &Placing<'_>, names: &[&ProviderName], shares: &[Share], slots: &[SlotPrice]) -> Tilt {
    let policy = placing.policy;
    let mut tilt = Tilt::none(names.len());
    for (slot, reserved) in slots.iter().zip(&placing.market.reserved) {
        tilt.reserved.push(slot.price);
        tilt.constant = tilt.constant - slot.price.times(reserved.reservation.count);
    }
    for (place, (name, share)) in names.iter().zip(shares).enumerate() {
        tilt.share[place] = WHOLE - share.lambda;
        let committed = committed(policy, name);
        tilt.constant += Money((committed.0 * i128::from(share.lambda)).div_euclid(i128::from(WHOLE)));
        if let Some(support) = support(policy, name) {
            if share.by_percent {
                tilt.share[place] += support.least_percent().0 / 100;
            } else {
                tilt.opening[place] = support.minimum;
            }
        }
    }
    tilt
}
