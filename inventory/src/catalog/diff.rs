//! What became dearer, cheaper, new or gone between two catalogs, and what a plan would pay.

use std::collections::BTreeMap;

use carafe_model::catalog::{Offer, Snapshot, Term};
use carafe_model::idx::Idx;
use carafe_model::plan::Plan;
use carafe_model::units::{Money, Rate};
use serde::Serialize;

/// How many price changes are told one by one.
const MOST_TOLD: usize = 20;

/// What changed of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProviderChange {
    /// Prices that rose.
    pub rose: usize,
    /// Prices that fell.
    pub fell: usize,
    /// Prices that are new.
    pub appeared: usize,
    /// Prices that are gone.
    pub vanished: usize,
    /// Prices that stayed.
    pub same: usize,
}

/// A price in two catalogs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceChange {
    /// `provider/region/what/term`.
    pub rate_id: String,
    /// Before; `None` when it is new.
    pub before: Option<Rate>,
    /// After; `None` when it is gone.
    pub after: Option<Rate>,
}

/// What changed between two catalogs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CatalogDiff {
    /// By provider, in order of name.
    pub providers: BTreeMap<String, ProviderChange>,
    /// The largest changes, by how many times the one price is of the other.
    pub largest: Vec<PriceChange>,
}

/// What a plan would pay with other prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// What its bill says a month.
    pub before: Money,
    /// What it would be, with lines whose price is gone as they were.
    pub after: Money,
    /// Lines that change, by rate.
    pub changed: Vec<PriceChange>,
    /// Rates of the plan that are no longer sold.
    pub gone: Vec<String>,
}

/// Every price of a catalog by its rate id; of tiers, the first that is paid.
fn rates(snapshot: &Snapshot) -> BTreeMap<String, Rate> {
    let mut rates = BTreeMap::new();
    for row in 0..snapshot.offers.len() {
        let offer = Idx::<Offer>::from_usize(row);
        for term in Term::ALL {
            if let Some(rate) = snapshot.offers.rate(offer, term) {
                rates.insert(snapshot.machine_rate_id(offer, term).0, rate);
            }
        }
    }
    rates.extend(snapshot.disks.iter().map(|disk| (snapshot.disk_rate_id(disk).0, disk.gib_month)));
    let transfers = snapshot.transfers.iter();
    rates.extend(transfers.map(|transfer| (snapshot.transfer_rate_id(transfer).0, transfer.first_paid())));
    let services = snapshot.services.iter();
    rates.extend(services.map(|service| (snapshot.service_rate_id(service).0, service.hour)));
    rates
}

/// Compares two catalogs of one currency.
pub fn diff(before: &Snapshot, after: &Snapshot) -> CatalogDiff {
    let (before, after) = (rates(before), rates(after));
    let mut diff = CatalogDiff::default();
    let mut moved: Vec<(i128, PriceChange)> = Vec::new();
    let ids = before.keys().chain(after.keys().filter(|id| !before.contains_key(*id)));
    for id in ids {
        let provider = id.split('/').next().unwrap_or_default();
        let of = match diff.providers.get_mut(provider) {
            Some(of) => of,
            None => diff.providers.entry(provider.to_owned()).or_default(),
        };
        match (before.get(id), after.get(id)) {
            (Some(old), Some(new)) if old == new => of.same += 1,
            (Some(old), Some(new)) => {
                *(if new > old { &mut of.rose } else { &mut of.fell }) += 1;
                let (low, high) = (old.0.min(new.0).max(1), old.0.max(new.0));
                let times = i128::from(high) * 1_000_000 / i128::from(low);
                let change = PriceChange { rate_id: id.clone(), before: Some(*old), after: Some(*new) };
                moved.push((times, change));
            }
            (Some(_), None) => of.vanished += 1,
            (None, Some(_)) => of.appeared += 1,
            (None, None) => {}
        }
    }
    moved.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.rate_id.cmp(&b.1.rate_id)));
    diff.largest = moved.into_iter().take(MOST_TOLD).map(|(_, change)| change).collect();
    diff
}

/// What a plan would pay: each line of its bill grows or shrinks as its rate does between the two catalogs, so that
/// discounts and exchange rates of the plan stay as they are.
pub fn plan_change(plan: &Plan, before: &Snapshot, after: &Snapshot) -> PlanChange {
    let (before, after) = (rates(before), rates(after));
    let mut change = PlanChange::default();
    let mut seen: BTreeMap<String, PriceChange> = BTreeMap::new();
    let mut gone = std::collections::BTreeSet::new();
    for line in &plan.bill {
        change.before += line.monthly;
        let id = line.rate_id.as_str();
        let (old, new) = (before.get(id).copied(), after.get(id).copied());
        change.after += match (old, new) {
            (Some(old), Some(new)) if old != new && old.0 > 0 => {
                let told = PriceChange { rate_id: id.to_owned(), before: Some(old), after: Some(new) };
                seen.insert(id.to_owned(), told);
                Money(line.monthly.0.saturating_mul(i128::from(new.0)) / i128::from(old.0))
            }
            (Some(_), None) => {
                gone.insert(id.to_owned());
                line.monthly
            }
            _ => line.monthly,
        };
    }
    change.changed = seen.into_values().collect();
    change.gone = gone.into_iter().collect();
    change
}
