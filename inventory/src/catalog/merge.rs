//! Several catalogs as one: of many providers, imported on many days, in many currencies.
//!
//! Of an offer that several have, the one with the newest price counts, of equally new ones that of the later catalog. A
//! catalog in another currency is converted at a dated rate, and every price says so: what it was in, the rate, its date
//! and who says so. The result depends on the catalogs and the rates alone.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{
    Certification, DiskPrice, InstanceType, Latency, LicencePrice, Offer, Offers, PriceSource, Provider,
    Region, ServicePrice, Snapshot, Term, TransferPrice, UnitKind, UnitPrice,
};
use carafe_model::finding::Finding;
use carafe_model::host::OsFamily;
use carafe_model::idx::Idx;
use carafe_model::units::{Currency, Rate};
use serde::{Deserialize, Serialize};

/// What one unit of a currency buys of another, on a day, by whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// What is converted from.
    pub from: String,
    /// What is converted to.
    pub to: String,
    /// The day: `2026-11-20`.
    pub as_of: String,
    /// Who says so.
    pub source: String,
    /// How much of `to` one unit of `from` buys, in billionths.
    pub rate: i64,
}

/// The newest rate between two currencies, in either direction.
pub fn exchange(rates: &[ExchangeRate], from: Currency, to: Currency) -> Option<ExchangeRate> {
    let (from, to) = (from.code(), to.code());
    let newest = |from: &str, to: &str| {
        let known = rates.iter().filter(|rate| rate.from == from && rate.to == to && rate.rate > 0);
        known.max_by_key(|rate| (&rate.as_of, &rate.source)).cloned()
    };
    let turned = |rate: ExchangeRate| ExchangeRate {
        rate: i64::try_from(1_000_000_000_000_000_000_i128 / i128::from(rate.rate)).unwrap_or(0),
        from: rate.to,
        to: rate.from,
        ..rate
    };
    newest(from, to).or_else(|| newest(to, from).map(turned))
}

/// Makes one catalog of several, in a currency. One whose currency has no rate is left out and told (`CAT-2401`).
pub fn merge(
    id: &str,
    parts: Vec<Snapshot>,
    currency: Currency,
    rates: &[ExchangeRate],
) -> (Option<Snapshot>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut converted = Vec::new();
    for part in parts {
        match convert(part, currency, rates) {
            Ok(part) => converted.push(part),
            Err(finding) => findings.push(*finding),
        }
    }
    if converted.len() < 2 {
        let only = converted.pop().map(|only| Snapshot { id: id.to_owned(), ..only });
        return (only, findings);
    }
    (Some(Merger::of(&converted).join(id, currency, &converted)), findings)
}

/// A catalog in another currency.
fn convert(mut part: Snapshot, to: Currency, rates: &[ExchangeRate]) -> Result<Snapshot, Box<Finding>> {
    if part.currency == to {
        return Ok(part);
    }
    let from = part.currency;
    let Some(exchange) = exchange(rates, from, to) else {
        let names: Vec<String> = part.providers.iter().map(|provider| provider.name.to_string()).collect();
        let what = format!("the prices of {} are in {from}, and no rate to {to} is known", names.join(", "));
        let help = "give one with `carafe catalog fx`, or import the list in another currency";
        return Err(Box::new(Finding::error("CAT-2401", what).help(help)));
    };
    let per_unit = Rate(exchange.rate);
    let change = |rate: &mut Rate| *rate = rate.converted(per_unit).unwrap_or(Rate(0));
    let offers = &mut part.offers;
    for column in [
        &mut offers.on_demand,
        &mut offers.spot,
        &mut offers.one_year,
        &mut offers.three_years,
        &mut offers.one_year_flex,
        &mut offers.three_years_flex,
        &mut offers.windows,
    ] {
        column.iter_mut().for_each(change);
    }
    part.disks.iter_mut().for_each(|disk| change(&mut disk.gib_month));
    part.transfers.iter_mut().flat_map(|transfer| &mut transfer.tiers).for_each(|tier| change(&mut tier.gib));
    for service in &mut part.services {
        change(&mut service.hour);
        service.gib.iter_mut().for_each(change);
    }
    part.unit_prices.iter_mut().for_each(|price| change(&mut price.rate));
    for licence in &mut part.licences {
        change(&mut licence.vcpu_hour);
        change(&mut licence.machine_hour);
    }
    let said = format!("converted from {from} at {per_unit} {to} ({}, {})", exchange.source, exchange.as_of);
    let sources = part.sources.iter().cloned().map(|source| {
        let separator = if source.quality.is_empty() { "" } else { "; " };
        PriceSource { quality: format!("{}{separator}{said}", source.quality), ..source }
    });
    part.sources = sources.collect::<Vec<_>>().into();
    part.currency = to;
    Ok(part)
}

/// What has a price of its own for a unit.
type Unit = (Idx<Region>, UnitKind, String, String);

/// Where everything of every part stands in the whole.
struct Merger {
    providers: BTreeMap<String, Idx<Provider>>,
    regions: BTreeMap<(String, String), (Idx<Region>, Region)>,
    types: BTreeMap<(String, String), (Idx<InstanceType>, InstanceType)>,
    sources: BTreeMap<PriceSource, Idx<PriceSource>>,
}

/// Where what a part points at stands in the whole.
struct Moved {
    providers: Vec<Idx<Provider>>,
    regions: Vec<Idx<Region>>,
    types: Vec<Idx<InstanceType>>,
    sources: Vec<Idx<PriceSource>>,
}

impl Merger {
    fn of(parts: &[Snapshot]) -> Merger {
        let mut names = BTreeSet::new();
        let mut regions: BTreeMap<(String, String), (Idx<Region>, Region)> = BTreeMap::new();
        let mut types = BTreeMap::new();
        let mut sources = BTreeSet::new();
        for part in parts {
            let owner = |provider: Idx<Provider>| part.providers[provider].name.to_string();
            names.extend(part.providers.iter().map(|provider| provider.name.to_string()));
            for region in part.regions.iter() {
                let key = (owner(region.provider), region.name.to_string());
                match regions.get_mut(&key) {
                    Some((_, known)) => complete(known, region),
                    None => {
                        regions.insert(key, (Idx::new(0), region.clone()));
                    }
                }
            }
            for kind in part.instance_types.iter() {
                types.insert((owner(kind.provider), kind.name.clone()), (Idx::new(0), kind.clone()));
            }
            sources.extend(part.sources.iter().cloned());
        }
        let mut merger = Merger {
            providers: names.into_iter().zip((0..).map(Idx::new)).collect(),
            regions,
            types,
            sources: sources.into_iter().zip((0..).map(Idx::new)).collect(),
        };
        for (at, entry) in merger.regions.values_mut().enumerate() {
            entry.0 = Idx::from_usize(at);
        }
        for (at, entry) in merger.types.values_mut().enumerate() {
            entry.0 = Idx::from_usize(at);
        }
        merger
    }

    fn moved(&self, part: &Snapshot) -> Moved {
        let owner = |provider: Idx<Provider>| part.providers[provider].name.to_string();
        let region = |region: &Region| self.regions[&(owner(region.provider), region.name.to_string())].0;
        let kind = |kind: &InstanceType| self.types[&(owner(kind.provider), kind.name.clone())].0;
        Moved {
            providers: part.providers.iter().map(|provider| self.providers[provider.name.as_str()]).collect(),
            regions: part.regions.iter().map(region).collect(),
            types: part.instance_types.iter().map(kind).collect(),
            sources: part.sources.iter().map(|source| self.sources[source]).collect(),
        }
    }

    fn join(self, id: &str, currency: Currency, parts: &[Snapshot]) -> Snapshot {
        let moved: Vec<Moved> = parts.iter().map(|part| self.moved(part)).collect();
        let dates: Vec<String> = self.sources.keys().map(|source| source.as_of.clone()).collect();
        let date = |source: Idx<PriceSource>| dates[source.usize()].as_str();
        let mut disks: BTreeMap<(Idx<Region>, String), DiskPrice> = BTreeMap::new();
        let mut transfers: BTreeMap<_, TransferPrice> = BTreeMap::new();
        let mut services: BTreeMap<_, ServicePrice> = BTreeMap::new();
        let mut licences: BTreeMap<(Idx<Provider>, OsFamily), Vec<LicencePrice>> = BTreeMap::new();
        let mut latencies: BTreeMap<_, Latency> = BTreeMap::new();
        let mut certifications: BTreeMap<(Idx<Region>, String), Certification> = BTreeMap::new();
        let mut unit_prices: BTreeMap<Unit, Vec<UnitPrice>> = BTreeMap::new();
        for (part, moved) in parts.iter().zip(&moved) {
            for disk in &part.disks {
                let disk = DiskPrice {
                    region: moved.regions[disk.region.usize()],
                    source: moved.sources[disk.source.usize()],
                    ..disk.clone()
                };
                let key = (disk.region, disk.class.clone());
                newest(&mut disks, key, disk, |disk| date(disk.source));
            }
            for transfer in &part.transfers {
                let transfer = TransferPrice {
                    region: moved.regions[transfer.region.usize()],
                    source: moved.sources[transfer.source.usize()],
                    ..transfer.clone()
                };
                newest(&mut transfers, (transfer.region, transfer.reach), transfer, |item| date(item.source));
            }
            for service in &part.services {
                let service = ServicePrice {
                    region: moved.regions[service.region.usize()],
                    source: moved.sources[service.source.usize()],
                    ..service.clone()
                };
                newest(&mut services, (service.region, service.kind), service, |item| date(item.source));
            }
            // Sizes of two lists are never mixed: they may overlap.
            let mut own: BTreeMap<(Idx<Provider>, OsFamily), Vec<LicencePrice>> = BTreeMap::new();
            for licence in &part.licences {
                let provider = moved.providers[licence.provider.usize()];
                let source = moved.sources[licence.source.usize()];
                let licence = LicencePrice { provider, source, ..licence.clone() };
                own.entry((provider, licence.os)).or_default().push(licence);
            }
            for (key, list) in own {
                newest(&mut licences, key, list, |list| {
                    list.iter().map(|licence| date(licence.source)).max().unwrap_or_default()
                });
            }
            // Neither are steps of two lists.
            let mut own: BTreeMap<Unit, Vec<UnitPrice>> = BTreeMap::new();
            for price in &part.unit_prices {
                let region = moved.regions[price.region.usize()];
                let source = moved.sources[price.source.usize()];
                let price = UnitPrice { region, source, ..price.clone() };
                let key = (region, price.kind, price.name.clone(), price.unit.clone());
                own.entry(key).or_default().push(price);
            }
            for (key, steps) in own {
                newest(&mut unit_prices, key, steps, |steps| {
                    steps.iter().map(|step| date(step.source)).max().unwrap_or_default()
                });
            }
            for latency in &part.latencies {
                let (from, to) = (moved.regions[latency.from.usize()], moved.regions[latency.to.usize()]);
                latencies.insert((from, to), Latency { from, to, ..*latency });
            }
            for held in &part.certifications {
                let region = moved.regions[held.region.usize()];
                let held = Certification { region, ..held.clone() };
                let key = (region, held.name.clone());
                newest(&mut certifications, key, held, |held| held.as_of.clone());
            }
        }
        let offers = join_offers(parts, &moved, &dates);
        let provider_of = |name: &str| self.providers[name];
        Snapshot {
            id: id.to_owned(),
            currency,
            sources: self.sources.into_keys().collect::<Vec<_>>().into(),
            regions: self
                .regions
                .iter()
                .map(|((owner, _), (_, region))| Region { provider: provider_of(owner), ..region.clone() })
                .collect::<Vec<_>>()
                .into(),
            instance_types: self
                .types
                .iter()
                .map(|((owner, _), (_, kind))| InstanceType { provider: provider_of(owner), ..kind.clone() })
                .collect::<Vec<_>>()
                .into(),
            providers: self
                .providers
                .keys()
                .map(|name| Provider { name: name.as_str().into() })
                .collect::<Vec<_>>()
                .into(),
            offers,
            disks: disks.into_values().collect(),
            transfers: transfers.into_values().collect(),
            services: services.into_values().collect(),
            licences: licences.into_values().flatten().collect(),
            latencies: latencies.into_values().collect(),
            certifications: certifications.into_values().collect(),
            unit_prices: unit_prices.into_values().flatten().collect(),
        }
    }
}

/// Keeps the newest of what stands in one place, of equally new ones the later.
fn newest<K: Ord, V, D: Ord>(all: &mut BTreeMap<K, V>, key: K, item: V, date: impl Fn(&V) -> D) {
    match all.get_mut(&key) {
        Some(known) if date(known) > date(&item) => {}
        Some(known) => *known = item,
        None => {
            all.insert(key, item);
        }
    }
}

/// Fills in what another catalog knows of a region.
fn complete(known: &mut Region, other: &Region) {
    if !other.display.is_empty() {
        known.display.clone_from(&other.display);
    }
    if !other.country.is_empty() {
        known.country.clone_from(&other.country);
    }
    known.coordinates = other.coordinates.or(known.coordinates);
    known.zones.extend(other.zones.iter().cloned());
    known.zones.sort();
    known.zones.dedup();
}

/// An offer: where, what, the date of its price, and its part and row.
type OfferRow<'a> = (Idx<Region>, Idx<InstanceType>, &'a str, usize, usize);

fn join_offers(parts: &[Snapshot], moved: &[Moved], dates: &[String]) -> Offers {
    let mut rows: Vec<OfferRow<'_>> = Vec::new();
    for (at, (part, moved)) in parts.iter().zip(moved).enumerate() {
        for row in 0..part.offers.len() {
            let region = moved.regions[part.offers.region[row].usize()];
            let kind = moved.types[part.offers.instance_type[row].usize()];
            let source = moved.sources[part.offers.source[row].usize()];
            rows.push((region, kind, &dates[source.usize()], at, row));
        }
    }
    rows.sort_unstable();
    let mut offers = Offers::default();
    for (nth, &(region, kind, _, at, row)) in rows.iter().enumerate() {
        // The last of equal places is the newest.
        if rows.get(nth + 1).is_some_and(|next| (next.0, next.1) == (region, kind)) {
            continue;
        }
        let (part, moved) = (&parts[at].offers, &moved[at]);
        let offer = Idx::<Offer>::from_usize(row);
        let rate = |term: Term| part.rate(offer, term).unwrap_or_default();
        offers.region.push(region);
        offers.instance_type.push(kind);
        offers.source.push(moved.sources[part.source[row].usize()]);
        offers.on_demand.push(rate(Term::OnDemand));
        offers.spot.push(rate(Term::Spot));
        offers.one_year.push(rate(Term::OneYear));
        offers.three_years.push(rate(Term::ThreeYears));
        offers.one_year_flex.push(rate(Term::OneYearFlex));
        offers.three_years_flex.push(rate(Term::ThreeYearsFlex));
        offers.windows.push(part.windows[row]);
        let is_known = part.windows[row].0 > 0;
        offers.windows_source.push(match is_known {
            true => moved.sources[part.windows_source[row].usize()],
            false => Idx::new(0),
        });
    }
    offers
}
