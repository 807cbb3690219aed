//! What a catalog holds, counted for people.

use std::collections::BTreeSet;

use carafe_model::catalog::{Offer, Snapshot, Term};
use carafe_model::idx::Idx;
use serde::Serialize;

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogSummary {
    /// Its name.
    pub id: String,
    /// The currency of its prices.
    pub currency: String,
    /// The oldest date of any price; empty when none has a date.
    pub oldest: String,
    /// The newest date of any price; empty when none has a date.
    pub newest: String,
    /// Sum of the providers' offers.
    pub offers: usize,
    /// Sources that prices point at.
    pub sources: usize,
    /// Measured round trips between regions.
    pub latencies: usize,
    /// By provider, in order of name.
    pub providers: Vec<ProviderSummary>,
}

/// What a snapshot holds of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProviderSummary {
    /// Its name.
    pub provider: String,
    /// Regions known.
    pub regions: usize,
    /// Regions in which at least one machine is for sale.
    pub regions_with_offers: usize,
    /// Countries of those regions, in order.
    pub countries: Vec<String>,
    /// Instance types known.
    pub instance_types: usize,
    /// Instance types that have no price in any region.
    pub unpriced_types: usize,
    /// Pairs of region and instance type with a price.
    pub offers: usize,
    /// Offers that also have a price with Windows.
    pub windows_offers: usize,
    /// Terms for which at least one offer has a price.
    pub terms: Vec<&'static str>,
    /// Oldest date of an offer's price; empty when there are no offers.
    pub oldest: String,
    /// Newest date of an offer's price; empty when there are no offers.
    pub newest: String,
    /// Prices of block storage.
    pub disks: usize,
    /// Prices of outgoing traffic.
    pub transfers: usize,
    /// Prices of services billed by the hour.
    pub services: usize,
    /// Prices of operating system licences.
    pub licences: usize,
    /// Prices of units: steps of disks, object storage, databases.
    pub unit_prices: usize,
}

/// Counts what a snapshot holds.
pub fn summary(snapshot: &Snapshot) -> CatalogSummary {
    let provider_of = |region| snapshot.regions[region].provider.usize();
    let mut providers: Vec<Sets<'_>> = Vec::new();
    providers.resize_with(snapshot.providers.len(), Sets::default);

    for region in snapshot.regions.iter() {
        providers[region.provider.usize()].counts.regions += 1;
    }
    for instance_type in snapshot.instance_types.iter() {
        providers[instance_type.provider.usize()].counts.instance_types += 1;
    }
    for place in 0..snapshot.offers.len() {
        let region = snapshot.offers.region[place];
        let of = &mut providers[provider_of(region)];
        let offer = Idx::<Offer>::from_usize(place);
        of.counts.offers += 1;
        of.counts.windows_offers += usize::from(snapshot.offers.windows_rate(offer).is_some());
        of.regions.insert(region.raw());
        of.types.insert(snapshot.offers.instance_type[place].raw());
        of.dates.insert(&snapshot.sources[snapshot.offers.source[place]].as_of);
        of.terms.extend(Term::ALL.into_iter().filter(|term| snapshot.offers.rate(offer, *term).is_some()));
    }
    for disk in &snapshot.disks {
        providers[provider_of(disk.region)].counts.disks += 1;
    }
    for transfer in &snapshot.transfers {
        providers[provider_of(transfer.region)].counts.transfers += 1;
    }
    for service in &snapshot.services {
        providers[provider_of(service.region)].counts.services += 1;
    }
    for licence in &snapshot.licences {
        providers[licence.provider.usize()].counts.licences += 1;
    }
    for price in &snapshot.unit_prices {
        providers[provider_of(price.region)].counts.unit_prices += 1;
    }

    let named = snapshot.providers.iter().zip(providers);
    let (oldest, newest) = snapshot.price_dates();
    CatalogSummary {
        id: snapshot.id.clone(),
        currency: snapshot.currency.to_string(),
        oldest: oldest.to_owned(),
        newest: newest.to_owned(),
        offers: snapshot.offers.len(),
        sources: snapshot.sources.len(),
        latencies: snapshot.latencies.len(),
        providers: named.map(|(provider, sets)| sets.finish(provider.name.to_string(), snapshot)).collect(),
    }
}

/// What is counted once although many offers name it.
#[derive(Default)]
struct Sets<'a> {
    counts: ProviderSummary,
    regions: BTreeSet<u32>,
    types: BTreeSet<u32>,
    dates: BTreeSet<&'a str>,
    terms: BTreeSet<Term>,
}

impl Sets<'_> {
    fn finish(self, provider: String, snapshot: &Snapshot) -> ProviderSummary {
        let country = |region: &u32| snapshot.regions[Idx::new(*region)].country.as_str();
        let countries: BTreeSet<&str> =
            self.regions.iter().map(country).filter(|country| !country.is_empty()).collect();
        ProviderSummary {
            provider,
            regions_with_offers: self.regions.len(),
            countries: countries.into_iter().map(str::to_owned).collect(),
            unpriced_types: self.counts.instance_types - self.types.len(),
            terms: self.terms.into_iter().map(Term::name).collect(),
            oldest: self.dates.first().map(|date| date.to_string()).unwrap_or_default(),
            newest: self.dates.last().map(|date| date.to_string()).unwrap_or_default(),
            ..self.counts
        }
    }
}
