//! Where importers put what they read: by name, in any order, in one currency; and how a [`Snapshot`] comes of it.
//!
//! An importer says what a list says and judges nothing. [`Listing::finish`] judges for all of them, so that every
//! format is held to the same rules: a price of zero, a placeholder, a commitment dearer than no commitment, a machine of
//! unknown size never get into a snapshot, and each is told.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{
    DiskPrice, InstanceType, LicencePrice, Offers, PriceSource, Provider, Reach, Region, ServiceKind,
    ServicePrice, Snapshot, Term, TransferPrice, TransferTier, UnitKind, UnitPrice,
};
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::host::{Architecture, Media, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::idx::Idx;
use carafe_model::units::{Currency, Mib, Rate, Vcpus};

use super::findings::{Findings, clip};
use super::normalised::baselines;
use super::sources::Sources;
use super::{gates, outliers, places};

/// A source within a listing.
pub(super) type SourceIdx = Idx<PriceSource>;
/// A price, and where it is from.
pub(super) type Quote = (Rate, SourceIdx);

/// What a list says of a machine; what it does not say stays as it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub family: String,
    pub architecture: Option<Architecture>,
    pub vcpus: Option<u32>,
    pub memory: Option<Mib>,
    pub gpus: Option<u32>,
    pub gpu_model: String,
    pub burstable: Option<bool>,
    pub network_mbps: Option<u32>,
}

/// What is sold of one machine in one region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sale {
    pub on_demand: Option<Quote>,
    /// In the order of [`TERMS`].
    pub terms: [Option<Quote>; 5],
    pub windows: Option<Quote>,
    /// What Red Hat and SUSE cost, machine included.
    pub with_system: [Option<Quote>; 2],
    /// The provider's own list of what it sells says no.
    pub is_withheld: bool,
}

/// The terms beside on-demand, as [`Sale::terms`] holds them.
pub(super) const TERMS: [Term; 5] =
    [Term::Spot, Term::OneYear, Term::ThreeYears, Term::OneYearFlex, Term::ThreeYearsFlex];
/// The systems of [`Sale::with_system`].
const SYSTEMS: [OsFamily; 2] = [OsFamily::Rhel, OsFamily::Sles];

/// What a price of a machine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Without a system that costs extra.
    Term(Term),
    /// By the hour with this system included.
    With(OsFamily),
}

/// A region of a provider, by their places in a listing.
type RegionKey = u32;
type TypeKey = u32;

/// A service: its name, what an hour costs, and what a GiB.
type Charges = (String, Option<Quote>, Option<Quote>);

/// What has a price for a unit of its own: the region, what it belongs to, its name and the unit.
type UnitKey = (RegionKey, UnitKind, String, String);

/// What all files of one import say together.
#[derive(Debug, Default)]
pub(super) struct Listing {
    currency: Option<Currency>,
    pub sources: Sources,
    regions: BTreeMap<(String, String), RegionKey>,
    region_list: Vec<(String, Region)>,
    types: BTreeMap<(String, String), TypeKey>,
    type_list: Vec<((String, String), Machine)>,
    sales: BTreeMap<(RegionKey, TypeKey), Sale>,
    disks: BTreeMap<(RegionKey, String), DiskPrice>,
    transfers: BTreeMap<(RegionKey, Reach), (SourceIdx, BTreeMap<u64, Rate>)>,
    services: BTreeMap<(RegionKey, ServiceKind), Charges>,
    licences: Vec<(String, LicencePrice)>,
    unit_prices: BTreeMap<UnitKey, BTreeMap<u64, Quote>>,
}

impl Listing {
    /// Agrees on the one currency of an import; a second one is refused and told.
    pub fn speaks(&mut self, code: &str, place: impl FnOnce() -> Place, findings: &mut Findings) -> bool {
        let Some(currency) = places::currency(code) else {
            let summary = format!("nobody knows the currency \"{}\", so its prices are left out", clip(code));
            let help = "write the three letters of ISO 4217, such as USD or KRW";
            findings.push(Finding::error("CAT-2002", summary).at(place()).help(help));
            return false;
        };
        let known = *self.currency.get_or_insert(currency);
        if known != currency {
            let summary = format!("prices in {currency} are left out: this import is in {known}");
            let help = "import each currency on its own; a catalog database brings them together";
            findings.push(Finding::error("CAT-2003", summary).at(place()).help(help));
        }
        known == currency
    }

    /// A source of prices.
    pub fn source(&mut self, name: &str, as_of: &str, quality: &str) -> SourceIdx {
        self.sources.intern(name, as_of, quality.to_owned())
    }

    /// The place of a region, which is entered with what is commonly known of it when it is new.
    pub fn region(&mut self, provider: &str, name: &str) -> RegionKey {
        let key = (provider.to_owned(), name.to_owned());
        if let Some(place) = self.regions.get(&key) {
            return *place;
        }
        let place = self.region_list.len() as u32;
        self.region_list.push((provider.to_owned(), places::region(provider, name)));
        self.regions.insert(key, place);
        place
    }

    /// Adds to what is known of a region. Countries and names that are known stay.
    pub fn describe_region(&mut self, region: RegionKey, display: &str, country: &str, zones: &[String]) {
        let known = &mut self.region_list[region as usize].1;
        if known.display.is_empty() {
            known.display = display.to_owned();
        }
        if known.country.is_empty() && country.len() == 2 {
            known.country = country.to_ascii_uppercase();
        }
        known.zones.extend_from_slice(zones);
        known.zones.sort();
        known.zones.dedup();
    }

    /// The place of an instance type, with whatever is new about it.
    pub fn machine(&mut self, provider: &str, name: &str, says: Machine) -> TypeKey {
        let key = (provider.to_owned(), name.to_owned());
        let place = match self.types.get(&key) {
            Some(place) => *place,
            None => {
                let place = self.type_list.len() as u32;
                self.type_list.push((key.clone(), Machine::default()));
                self.types.insert(key, place);
                place
            }
        };
        let known = &mut self.type_list[place as usize].1;
        if known.family.is_empty() {
            known.family = says.family;
        }
        if known.gpu_model.is_empty() {
            known.gpu_model = says.gpu_model;
        }
        known.architecture = known.architecture.or(says.architecture);
        known.vcpus = known.vcpus.or(says.vcpus);
        known.memory = known.memory.or(says.memory);
        known.gpus = known.gpus.or(says.gpus);
        known.burstable = known.burstable.or(says.burstable);
        known.network_mbps = known.network_mbps.or(says.network_mbps);
        place
    }

    /// What is known to be sold of a machine in a region.
    pub fn sale(&mut self, region: RegionKey, machine: TypeKey) -> &mut Sale {
        self.sales.entry((region, machine)).or_default()
    }

    /// Enters a price of a machine. Of two on-demand prices of the same thing the newest counts, of equally new ones the
    /// dearest, and it is told; of two commitments the cheaper one, since they differ in what is paid in advance.
    pub fn quote(
        &mut self,
        (region, machine): (RegionKey, TypeKey),
        slot: Slot,
        quote: Quote,
        place: impl FnOnce() -> Place,
        findings: &mut Findings,
    ) {
        let sources = &self.sources;
        let sale = self.sales.entry((region, machine)).or_default();
        let (entry, is_commitment) = match slot {
            Slot::Term(Term::OnDemand) => (&mut sale.on_demand, false),
            Slot::Term(term) => {
                let at = TERMS.iter().position(|known| *known == term).expect("all others are listed");
                (&mut sale.terms[at], true)
            }
            Slot::With(OsFamily::Windows) => (&mut sale.windows, false),
            Slot::With(OsFamily::Rhel) => (&mut sale.with_system[0], false),
            Slot::With(OsFamily::Sles) => (&mut sale.with_system[1], false),
            Slot::With(OsFamily::Linux | OsFamily::Other) => return,
        };
        let Some(known) = *entry else {
            *entry = Some(quote);
            return;
        };
        let newer = (sources.as_of(quote.1)).cmp(sources.as_of(known.1));
        let is_better = match is_commitment {
            true => newer.then(known.0.cmp(&quote.0)).is_gt(),
            false => newer.then(quote.0.cmp(&known.0)).is_gt(),
        };
        if !is_commitment && quote.0 != known.0 {
            let name = &self.type_list[machine as usize].0.1;
            let what = "priced twice; the newest price counts, of equally new ones the dearest";
            let finding = Finding::warning("CAT-1112", format!("{}: {what}", clip(name)));
            findings.push(finding.at(place()).help("remove one of the two"));
        }
        if is_better {
            *entry = Some(quote);
        }
    }

    /// Marks what a provider's own list says is not for sale, or does not name at all.
    pub fn withhold_unless(&mut self, provider: &str, sold: &BTreeMap<(RegionKey, TypeKey), bool>) {
        let (regions, of) = (&self.region_list, provider);
        for (key, sale) in &mut self.sales {
            if regions[key.0 as usize].0 == of {
                sale.is_withheld = !sold.get(key).copied().unwrap_or(false);
            }
        }
    }

    /// Gives every machine of a provider that has no price in a region the sum of its vCPUs and GiB. Machines that are
    /// known to be sold in some regions get one only there.
    pub fn price_by_size(&mut self, provider: &str, region: &str, vcpu: Quote, memory: Quote) {
        let region = self.region(provider, region);
        let placed: BTreeSet<TypeKey> = self.sales.keys().map(|(_, machine)| *machine).collect();
        for (machine, ((owner, _), size)) in self.type_list.iter().enumerate() {
            let machine = machine as TypeKey;
            let is_elsewhere = placed.contains(&machine) && !self.sales.contains_key(&(region, machine));
            let (Some(vcpus), Some(mib)) = (size.vcpus, size.memory) else { continue };
            if owner != provider || is_elsewhere {
                continue;
            }
            let of_memory = (i128::from(memory.0.0) * i128::from(mib.0) + 512) / 1024;
            let sum = i128::from(vcpu.0.0) * i128::from(vcpus) + of_memory;
            let Ok(sum) = i64::try_from(sum) else { continue };
            let sale = self.sales.entry((region, machine)).or_default();
            sale.on_demand.get_or_insert((Rate(sum), vcpu.1));
        }
    }

    /// Enters a class of block storage; `limits` are its smallest and largest size in GiB, zero where unknown. The
    /// newest price counts, of equally new ones the dearest.
    pub fn disk(&mut self, region: RegionKey, class: &str, media: Media, quote: Quote, limits: (u32, u32)) {
        let disk = DiskPrice {
            region: Idx::new(region),
            class: class.to_owned(),
            media,
            gib_month: quote.0,
            smallest_gib: limits.0,
            largest_gib: limits.1,
            source: quote.1,
        };
        let sources = &self.sources;
        let rank = |disk: &DiskPrice| (sources.as_of(disk.source).to_owned(), disk.gib_month);
        let known = self.disks.entry((region, disk.class.clone())).or_insert_with(|| disk.clone());
        if rank(&disk) > rank(known) {
            *known = disk;
        }
    }

    /// Enters a tier of outgoing traffic, from this many GiB a month on.
    pub fn transfer(&mut self, region: RegionKey, reach: Reach, from_gib: u64, quote: Quote) {
        let (source, tiers) =
            self.transfers.entry((region, reach)).or_insert_with(|| (quote.1, BTreeMap::new()));
        *source = quote.1;
        let rate = tiers.entry(from_gib).or_insert(quote.0);
        *rate = quote.0.max(*rate);
    }

    /// Enters what a service costs, an hour or each GiB that passes.
    pub fn service(
        &mut self,
        region: RegionKey,
        kind: ServiceKind,
        name: &str,
        hour: Option<Quote>,
        gib: Option<Quote>,
    ) {
        let known = self.services.entry((region, kind)).or_insert_with(|| (name.to_owned(), None, None));
        known.1 = known.1.max(hour);
        known.2 = known.2.max(gib);
    }

    /// Enters what one unit costs from so many units a month on. The newest price counts, of equally new ones the dearest.
    pub fn unit_price(
        &mut self,
        region: RegionKey,
        kind: UnitKind,
        name: &str,
        unit: &str,
        from: u64,
        quote: Quote,
    ) {
        let steps = self.unit_prices.entry((region, kind, name.to_owned(), unit.to_owned())).or_default();
        let known = steps.entry(from).or_insert(quote);
        let rank = |(rate, source): Quote| (self.sources.as_of(source), rate);
        if rank(quote) > rank(*known) {
            *known = quote;
        }
    }

    /// Enters a licence of a provider.
    pub fn licence(&mut self, provider: &str, licence: LicencePrice) {
        self.licences.push((provider.to_owned(), licence));
    }

    /// Judges everything and freezes it.
    pub fn finish(mut self, id: &str, file: &str, findings: &mut Findings) -> Option<Snapshot> {
        let mut snapshot = Snapshot {
            id: id.to_owned(),
            currency: self.currency.unwrap_or_default(),
            ..Snapshot::default()
        };
        let mut providers: Vec<&String> = self
            .region_list
            .iter()
            .map(|(name, _)| name)
            .chain(self.types.keys().map(|key| &key.0))
            .collect();
        providers.sort();
        providers.dedup();
        let provider_of: BTreeMap<String, Idx<Provider>> = providers
            .into_iter()
            .map(|name| {
                let provider = Provider { name: ProviderName(name.clone()) };
                (name.clone(), snapshot.providers.push(provider))
            })
            .collect();

        let mut region_of = vec![Idx::new(0); self.region_list.len()];
        for ((provider, _), place) in &self.regions {
            let region = self.region_list[*place as usize].1.clone();
            region_of[*place as usize] =
                snapshot.regions.push(Region { provider: provider_of[provider], ..region });
        }
        let mut type_of: Vec<Option<Idx<InstanceType>>> = vec![None; self.type_list.len()];
        for ((provider, name), place) in &self.types {
            let machine = &self.type_list[*place as usize].1;
            let Some(instance_type) = gates::instance_type(provider, name, machine) else {
                let summary = "instance types of unknown size were left out, and their prices with them";
                findings.tally("CAT-2101", Severity::Warning, summary, file, name);
                continue;
            };
            let instance_type = InstanceType {
                provider: provider_of[provider],
                baseline_milli: baselines::known(provider, name),
                ..instance_type
            };
            type_of[*place as usize] = Some(snapshot.instance_types.push(instance_type));
        }

        let mut sales: Vec<(Idx<Region>, Idx<InstanceType>, Sale)> = Vec::with_capacity(self.sales.len());
        for ((region, machine), sale) in std::mem::take(&mut self.sales) {
            let Some(instance_type) = type_of[machine as usize] else { continue };
            sales.push((region_of[region as usize], instance_type, sale));
        }
        sales.sort_by_key(|(region, instance_type, _)| (*region, *instance_type));
        let mut surcharges = gates::Surcharges::default();
        for (region, instance_type, sale) in sales {
            let machine = &snapshot.instance_types[instance_type];
            let Some(sale) = gates::sale(machine, sale, file, findings) else { continue };
            surcharges.learn(machine, &sale, SYSTEMS);
            push(&mut snapshot.offers, region, instance_type, &sale);
        }
        outliers::refuse(&mut snapshot, findings);

        for ((region, _), disk) in self.disks {
            if gates::is_price(disk.gib_month, file, &disk.class, findings) {
                snapshot.disks.push(DiskPrice { region: region_of[region as usize], ..disk });
            }
        }
        snapshot.disks.sort_by(|a, b| (a.region, &a.class).cmp(&(b.region, &b.class)));
        for ((region, reach), (source, tiers)) in self.transfers {
            let tiers = gates::tiers(tiers, file, findings);
            if !tiers.is_empty() {
                snapshot.transfers.push(TransferPrice {
                    region: region_of[region as usize],
                    reach,
                    tiers,
                    source,
                });
            }
        }
        snapshot.transfers.sort_by_key(|transfer| (transfer.region, transfer.reach));
        for ((region, kind), (name, hour, gib)) in self.services {
            let Some((hour, source)) = hour else { continue };
            let region = region_of[region as usize];
            snapshot.services.push(ServicePrice {
                region,
                kind,
                name,
                hour,
                gib: gib.map(|gib| gib.0),
                source,
            });
        }
        snapshot.services.sort_by_key(|service| (service.region, service.kind));
        for ((region, kind, name, unit), steps) in self.unit_prices {
            let region = region_of[region as usize];
            for (from, (rate, source)) in steps {
                let (name, unit) = (name.clone(), unit.clone());
                snapshot.unit_prices.push(UnitPrice { region, kind, name, unit, from, rate, source });
            }
        }
        snapshot.unit_prices.sort_by(|a, b| unit_key(a).cmp(&unit_key(b)));
        for (provider, licence) in self.licences {
            let Some(provider) = provider_of.get(&provider) else { continue };
            snapshot.licences.push(LicencePrice { provider: *provider, ..licence });
        }
        snapshot.licences.extend(surcharges.licences());
        snapshot.licences.sort_by_key(|licence| (licence.provider, licence.os, licence.vcpus_from));
        snapshot.licences.dedup_by_key(|licence| (licence.provider, licence.os, licence.vcpus_from));
        self.sources.settle(&mut snapshot);
        (!snapshot.regions.is_empty() || !snapshot.instance_types.is_empty()).then_some(snapshot)
    }
}

/// Adds a row that was judged.
fn push(offers: &mut Offers, region: Idx<Region>, instance_type: Idx<InstanceType>, sale: &gates::Judged) {
    offers.region.push(region);
    offers.instance_type.push(instance_type);
    offers.source.push(sale.on_demand.1);
    offers.on_demand.push(sale.on_demand.0);
    let [spot, one_year, three_years, one_year_flex, three_years_flex] = sale.terms;
    offers.spot.push(spot);
    offers.one_year.push(one_year);
    offers.three_years.push(three_years);
    offers.one_year_flex.push(one_year_flex);
    offers.three_years_flex.push(three_years_flex);
    let (windows, windows_source) = sale.windows.unwrap_or((Rate(0), Idx::new(0)));
    offers.windows.push(windows);
    offers.windows_source.push(windows_source);
}

/// What prices of units are sorted by.
fn unit_key(price: &UnitPrice) -> (Idx<Region>, UnitKind, &str, &str, u64) {
    (price.region, price.kind, &price.name, &price.unit, price.from)
}

/// A region of which nothing is known but its name.
pub(super) fn unknown_region(name: &str) -> Region {
    Region {
        provider: Idx::new(0),
        name: RegionName(name.to_owned()),
        display: String::new(),
        country: String::new(),
        zones: Vec::new(),
        coordinates: None,
    }
}

/// A tier as a snapshot has it.
pub(super) fn tier(from_gib: u64, gib: Rate) -> TransferTier {
    TransferTier { from_gib, gib }
}

/// A licence for every size of machine.
pub(super) fn licence(os: OsFamily, vcpu_hour: Rate, machine_hour: Rate, source: SourceIdx) -> LicencePrice {
    LicencePrice {
        provider: Idx::new(0),
        os,
        vcpus_from: Vcpus(1),
        vcpus_to: None,
        vcpu_hour,
        machine_hour,
        source,
    }
}
