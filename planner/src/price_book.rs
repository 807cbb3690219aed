//! What the user pays instead of list prices.

use carafe_model::catalog::{InstanceType, Provider, Region, Snapshot};
use carafe_model::contract::BookEntry;
use carafe_model::idx::Idx;
use carafe_model::plan::Component;
use carafe_model::units::Rate;

/// Something with a price.
pub struct Thing {
    /// Where.
    pub region: Idx<Region>,
    /// What kind of thing.
    pub component: Component,
    /// Which machine, where it is one.
    pub instance_type: Option<Idx<InstanceType>>,
}

/// A price book whose names are looked up once.
#[derive(Debug)]
pub struct PriceBook<'p> {
    /// In the order of the policy; the last that holds counts.
    entries: Vec<Resolved<'p>>,
    provider_of: Vec<Idx<Provider>>,
}

#[derive(Debug)]
struct Resolved<'p> {
    entry: &'p BookEntry,
    provider: Idx<Provider>,
    /// By place, whether it holds in a region.
    regions: Option<Vec<bool>>,
    /// By place, whether it holds for a machine.
    machines: Option<Vec<bool>>,
}

impl<'p> PriceBook<'p> {
    /// Looks up the names of a price book. An entry of a provider that the catalog does not have holds for nothing.
    pub fn new(snapshot: &Snapshot, book: &'p [BookEntry]) -> PriceBook<'p> {
        let resolve = |entry: &'p BookEntry| {
            let provider = snapshot
                .providers
                .indices()
                .find(|place| snapshot.providers[*place].name == entry.provider)?;
            let regions = entry.regions.as_ref().map(|regions| {
                snapshot
                    .regions
                    .indices()
                    .map(|place| regions.contains(&snapshot.region_path(place)))
                    .collect()
            });
            let is_meant = |machine: &InstanceType| {
                machine.provider == provider
                    && entry.family.as_ref().is_none_or(|family| *family == machine.family)
                    && entry.offer.as_ref().is_none_or(|offer| *offer == machine.name)
            };
            let names_machines = entry.family.is_some() || entry.offer.is_some();
            let machines = names_machines.then(|| snapshot.instance_types.iter().map(is_meant).collect());
            Some(Resolved { entry, provider, regions, machines })
        };
        PriceBook {
            entries: book.iter().filter_map(resolve).collect(),
            provider_of: snapshot.regions.iter().map(|region| region.provider).collect(),
        }
    }

    /// What is paid for something that the list has at a rate, and by which entry; the list price without one.
    pub fn paid(&self, thing: &Thing, listed: Rate) -> (Rate, Option<&'p BookEntry>) {
        let provider = self.provider_of[thing.region.usize()];
        let holds = |resolved: &&Resolved<'p>| {
            resolved.provider == provider
                && resolved.entry.component.is_none_or(|component| component == thing.component)
                && resolved.regions.as_ref().is_none_or(|regions| regions[thing.region.usize()])
                && resolved.machines.as_ref().is_none_or(|machines| {
                    thing.instance_type.is_some_and(|machine| machines[machine.usize()])
                })
        };
        match self.entries.iter().rev().find(holds) {
            Some(resolved) => (resolved.entry.pays.instead_of(listed), Some(resolved.entry)),
            None => (listed, None),
        }
    }
}
