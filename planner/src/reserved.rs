//! Machines that are paid for already: which hosts get them.
//!
//! A reservation makes `n` machines of one type cost nothing more. Which hosts get them is part of the question where hosts
//! go, because a free machine draws its host to its region. The solver prices places host by host, so the limit `n` is
//! taken out of the problem and a price `λ` is put on a reserved machine instead (Lagrangian relaxation; Geoffrion 1974): for
//! any `λ ≥ 0`, what all hosts cost with reserved machines at `λ` less `λ·n` is never more than what a month costs, because
//! no plan uses more than `n`. `account` looks for the prices that make this bound highest; a price is too low where more
//! than `n` hosts want the machine. Hosts that are alike all want it or none does, so the `n` that save the most are then
//! given one each, and everything is placed again with that settled: that is the plan.
//!
//! Once places are known, who gets what is a transportation problem: kinds of hosts on one side, reservations on the other,
//! and what is saved between them. Its linear program has whole numbers in every corner, so `good_lp` solves it; that the
//! numbers are whole and within their limits is checked, and what is billed comes from the bill alone.

use std::collections::BTreeMap;

use carafe_model::catalog::{InstanceType, Region, Snapshot};
use carafe_model::contract::Reservation;
use carafe_model::finding::{Finding, Place};
use carafe_model::idx::Idx;
use carafe_model::language::Said;
use carafe_model::units::Money;
use good_lp::{Expression, Solution as _, SolverModel as _, constraint, microlp, variable, variables};

use crate::bill::Home;
use crate::candidates::Candidate;
use crate::joint::Joint;
use crate::market::Market;
use crate::placing::Placing;

/// A reservation whose names are looked up once.
#[derive(Clone, Debug)]
pub struct Reserved<'p> {
    /// As the policy has it.
    pub reservation: &'p Reservation,
    /// Which machine; `None` when the catalog does not know it, and then nobody can have it.
    pub instance_type: Option<Idx<InstanceType>>,
    /// Where; anywhere of its provider when `None`.
    pub region: Option<Idx<Region>>,
}

/// Looks up the names of reservations.
pub fn resolve<'p>(snapshot: &Snapshot, reservations: &'p [Reservation]) -> Vec<Reserved<'p>> {
    let resolve = |reservation: &'p Reservation| {
        let is_meant = |machine: &InstanceType| {
            snapshot.providers[machine.provider].name == reservation.provider
                && machine.name == reservation.offer
        };
        let found = snapshot.instance_types.iter_enumerated().find(|(_, machine)| is_meant(machine));
        let region = reservation.region.as_ref();
        let place = region
            .and_then(|path| snapshot.regions.indices().find(|place| snapshot.region_path(*place) == *path));
        Reserved {
            reservation,
            // A region that the catalog does not have is nowhere, not anywhere.
            instance_type: found.map(|(place, _)| place).filter(|_| region.is_some() == place.is_some()),
            region: place,
        }
    };
    reservations.iter().map(resolve).collect()
}

/// A reserved machine that a kind of hosts can use.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Place of the reservation in the policy.
    pub reservation: usize,
    /// Where.
    pub region: Idx<Region>,
    /// The machine; its month is what is paid beside it, such as a licence.
    pub candidate: Candidate,
    /// A month of everything that the host costs there by itself, without the machine.
    pub monthly: Money,
}

/// By reservation, how many hosts want a machine of it at these prices, where they are.
pub fn wanted(placing: &Placing<'_>, homes: &[Home], prices: &[Money]) -> Vec<u32> {
    let mut hosts = vec![0; prices.len()];
    for (mover, home) in homes.iter().enumerate() {
        let Some(normal) = placing.rows.monthly(mover, home.region) else { continue };
        let slots = placing.rows.slots(mover, home.region);
        let best = slots.map(|slot| (slot.monthly + prices[slot.reservation], slot.reservation)).min();
        if let Some((_, reservation)) = best.filter(|(monthly, _)| *monthly < normal) {
            hosts[reservation] += 1;
        }
    }
    hosts
}

/// The most that one more machine of each reservation would save a host that is where it could be used and has none, or
/// another: against the cheapest region of all.
pub fn worth(placing: &Placing<'_>, homes: &[Home]) -> Vec<Money> {
    let mut worth = vec![Money::ZERO; placing.market.reserved.len()];
    for (mover, home) in homes.iter().enumerate() {
        if placing.rows.slots(mover, home.region).next().is_none() {
            continue;
        }
        let Some(cheapest) = cheapest(placing, mover) else { continue };
        let has = |slot: &&Slot| home.reserved == Some(slot.reservation);
        let now = placing.rows.slots(mover, home.region).find(has).map_or(cheapest, |slot| slot.monthly);
        for slot in placing.rows.slots(mover, home.region).filter(|slot| !has(slot)) {
            worth[slot.reservation] = worth[slot.reservation].max(now - slot.monthly);
        }
    }
    worth
}

/// Says which reserved machines nobody has.
pub fn left_over(market: &Market<'_>, homes: &[Home]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, reserved) in market.reserved.iter().enumerate() {
        let Reservation { count, offer, source, .. } = reserved.reservation;
        let used = homes.iter().filter(|home| home.reserved == Some(place)).count();
        let left = (*count as usize).saturating_sub(used);
        if left > 0 {
            let said = Said::new("finding.reserved-left")
                .with("n", left)
                .with("all", *count as usize)
                .with("offer", offer.as_str())
                .with("source", source.as_str());
            let key =
                if reserved.instance_type.is_some() { "help.reserved-left" } else { "help.reserved-unknown" };
            findings.push(
                Finding::info("PLN-0307", said)
                    .at(Place::default().at(&*format!("reservation[{place}]")))
                    .help(Said::new(key)),
            );
        }
    }
    findings
}

/// Gives reserved machines to the hosts for which they save the most together. Places do not change.
pub fn assign(placing: &Placing<'_>, joint: &Joint<'_, '_>, homes: &mut [Home]) {
    let has_quotas = !placing.policy.quotas.is_empty();
    for (mover, slot) in shared_out(placing, homes, |mover, region| placing.rows.monthly(mover, region)) {
        let home = Home { candidate: slot.candidate, reserved: Some(slot.reservation), ..homes[mover] };
        // A reserved machine may be larger than the cheapest one that fits, and count for more.
        if !has_quotas || joint.may_move(homes, mover, home) {
            homes[mover] = home;
        }
    }
}

/// Who should have which reservation, by mover, when the others may still go elsewhere: what one saves is held against the
/// cheapest region of all.
pub fn owners(placing: &Placing<'_>, homes: &[Home]) -> Vec<Option<usize>> {
    let mut owners = vec![None; homes.len()];
    for (mover, slot) in shared_out(placing, homes, |mover, _| cheapest(placing, mover)) {
        owners[mover] = Some(slot.reservation);
    }
    owners
}

/// What a mover costs by itself where that is least.
fn cheapest(placing: &Placing<'_>, mover: usize) -> Option<Money> {
    let regions = placing.market.snapshot.regions.indices();
    regions.filter_map(|region| placing.rows.monthly(mover, region)).min()
}

/// Shares reserved machines out where hosts are, so that the most is saved against what `without` says they cost.
fn shared_out(
    placing: &Placing<'_>,
    homes: &[Home],
    without: impl Fn(usize, Idx<Region>) -> Option<Money>,
) -> Vec<(usize, Slot)> {
    let mut alike: BTreeMap<(u32, usize, Idx<Region>), Vec<usize>> = BTreeMap::new();
    for (mover, home) in homes.iter().enumerate() {
        if placing.rows.slots(mover, home.region).next().is_some() {
            let (kind, permission) = (placing.rows.kind(mover), placing.rows.permission(mover));
            alike.entry((kind, permission, home.region)).or_default().push(mover);
        }
    }
    let alike: Vec<Vec<usize>> = alike.into_values().collect();
    let mut uses: Vec<(usize, Slot, Money)> = Vec::new();
    for (class, movers) in alike.iter().enumerate() {
        let region = homes[movers[0]].region;
        let Some(normal) = without(movers[0], region) else { continue };
        for slot in placing.rows.slots(movers[0], region) {
            let saved = normal - slot.monthly;
            if saved > Money::ZERO {
                uses.push((class, *slot, saved));
            }
        }
    }
    let counts: Vec<u32> =
        placing.market.reserved.iter().map(|reserved| reserved.reservation.count).collect();
    let sizes: Vec<u32> = alike.iter().map(|movers| movers.len() as u32).collect();
    let mut taken = vec![0; alike.len()];
    let mut shared = Vec::new();
    for ((class, slot, _), number) in uses.iter().zip(transported(&uses, &sizes, &counts)) {
        let next = taken[*class] + number as usize;
        shared.extend(alike[*class][taken[*class]..next].iter().map(|mover| (*mover, *slot)));
        taken[*class] = next;
    }
    shared
}

/// How many hosts of a class use a slot, for each use: the transportation problem's optimum.
fn transported(uses: &[(usize, Slot, Money)], sizes: &[u32], counts: &[u32]) -> Vec<u32> {
    if uses.is_empty() {
        return Vec::new();
    }
    let mut names = variables!();
    let numbers: Vec<_> = uses.iter().map(|_| names.add(variable().min(0))).collect();
    let saved: Expression =
        uses.iter().zip(&numbers).map(|((.., saved), number)| saved.to_f64() * *number).sum();
    let mut model = names.maximise(saved).using(microlp);
    let limit = |of: &dyn Fn(&(usize, Slot, Money)) -> bool, most: u32| {
        let sum: Expression =
            uses.iter().zip(&numbers).filter(|(found, _)| of(found)).map(|(_, number)| *number).sum();
        constraint!(sum <= f64::from(most))
    };
    for (class, size) in sizes.iter().enumerate() {
        model = model.with(limit(&|found| found.0 == class, *size));
    }
    for (reservation, count) in counts.iter().enumerate() {
        model = model.with(limit(&|found| found.1.reservation == reservation, *count));
    }
    let rounded: Option<Vec<u32>> = model
        .solve()
        .ok()
        .map(|found| numbers.iter().map(|number| found.value(*number).round().max(0.0) as u32).collect());
    rounded
        .filter(|numbers| fits(uses, numbers, sizes, counts))
        .unwrap_or_else(|| greedy(uses, sizes, counts))
}

fn fits(uses: &[(usize, Slot, Money)], numbers: &[u32], sizes: &[u32], counts: &[u32]) -> bool {
    let mut left = (sizes.to_vec(), counts.to_vec());
    uses.iter().zip(numbers).all(|((class, slot, _), number)| {
        let take = |left: &mut u32| left.checked_sub(*number).inspect(|rest| *left = *rest).is_some();
        take(&mut left.0[*class]) && take(&mut left.1[slot.reservation])
    })
}

/// The largest saving first, should the linear program fail.
fn greedy(uses: &[(usize, Slot, Money)], sizes: &[u32], counts: &[u32]) -> Vec<u32> {
    let (mut sizes, mut counts) = (sizes.to_vec(), counts.to_vec());
    let mut order: Vec<usize> = (0..uses.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(uses[*place].2));
    let mut numbers = vec![0; uses.len()];
    for place in order {
        let (class, slot, _) = &uses[place];
        let number = sizes[*class].min(counts[slot.reservation]);
        sizes[*class] -= number;
        counts[slot.reservation] -= number;
        numbers[place] = number;
    }
    numbers
}
