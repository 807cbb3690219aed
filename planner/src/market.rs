//! What things cost where, in the plan's currency, with an estimate where the catalog has no figure.
//!
//! An estimate is the median of the same thing in the provider's other regions, or, where the provider has none, over
//! all providers; the lowest and highest of those figures are its range. It names itself: its rate id starts with
//! `estimate/`, and every line of the bill that uses it carries the range.

use std::collections::BTreeMap;

use carafe_model::catalog::{
    DiskPrice, LicencePrice, Offer, PriceSource, Provider, Reach, Region, ServiceKind, Snapshot, Term,
};
use carafe_model::host::{Media, OsFamily};
use carafe_model::ids::RateId;
use carafe_model::idx::Idx;
use carafe_model::language::{Arg, Said};
use carafe_model::plan::{Component, ListPrice};
use carafe_model::policy::{Doubtful, Policy};
use carafe_model::units::{Gib, Money, Quantity, Rate};

use crate::doubt::{self, Doubted};
use crate::price_book::{PriceBook, Thing};
use crate::reserved::{self, Reserved};

/// A rate with everything the bill says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// In the plan's currency, what is paid.
    pub rate: Rate,
    /// What the list says, where the price book says something else.
    pub list: Option<ListPrice>,
    /// The snapshot's name for it, or `estimate/…`.
    pub rate_id: RateId,
    /// The provider's name for the thing.
    pub item: Arg,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a rate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A price of the snapshot.
    Price(Idx<PriceSource>),
    /// Made from prices of the snapshot.
    Estimate {
        /// Lowest of the figures it is made from.
        low: Rate,
        /// Highest of the figures it is made from.
        high: Rate,
        /// How it was made, in a sentence.
        how: Said,
    },
}

/// The catalog as one buyer sees it.
#[derive(Debug)]
pub struct Market<'a> {
    /// The catalog.
    pub snapshot: &'a Snapshot,
    factor: Rate,
    disks: Vec<Vec<&'a DiskPrice>>,
    transfers: Vec<[Option<Quote>; 3]>,
    services: Vec<[Option<Quote>; 4]>,
    disk_estimates: BTreeMap<(Idx<Provider>, Media), Option<Quote>>,
    first_offer: Vec<usize>,
    /// Which terms of each offer have a price that is doubtful.
    doubted: Vec<Doubted>,
    /// Whether those may not be used.
    excludes_doubted: bool,
    /// What is paid instead of list prices.
    book: PriceBook<'a>,
    /// Machines that are paid for already.
    pub reserved: Vec<Reserved<'a>>,
}

/// The source of a price that is nobody's: the starter catalog's rate card for OpenStack names it.
const EXAMPLE: &str = "example rate card";
const REACHES: [Reach; 3] = [Reach::InterZone, Reach::InterRegion, Reach::Internet];
const SERVICES: [ServiceKind; 4] = [
    ServiceKind::LoadBalancer,
    ServiceKind::PublicAddress,
    ServiceKind::NatGateway,
    ServiceKind::KubernetesControlPlane,
];

impl<'a> Market<'a> {
    /// Prepares a catalog for a buyer; `factor` is how much of the plan's currency one unit of the catalog's buys.
    pub fn new(snapshot: &'a Snapshot, policy: &'a Policy, factor: Rate) -> Market<'a> {
        let n_regions = snapshot.regions.len();
        let mut disks: Vec<Vec<&DiskPrice>> = vec![Vec::new(); n_regions];
        for disk in &snapshot.disks {
            disks[disk.region.usize()].push(disk);
        }
        for of_region in &mut disks {
            of_region.sort_by(|a, b| (a.gib_month, &a.class).cmp(&(b.gib_month, &b.class)));
        }
        let mut first_offer = vec![0; n_regions + 1];
        for region in &snapshot.offers.region {
            first_offer[region.usize() + 1] += 1;
        }
        for place in 0..n_regions {
            first_offer[place + 1] += first_offer[place];
        }
        let mut market = Market {
            snapshot,
            factor,
            disks,
            transfers: vec![[const { None }; 3]; n_regions],
            services: vec![[const { None }; 4]; n_regions],
            disk_estimates: BTreeMap::new(),
            first_offer,
            doubted: doubt::doubted(snapshot),
            excludes_doubted: policy.pricing.doubtful == Doubtful::Exclude,
            book: PriceBook::new(snapshot, &policy.price_book),
            reserved: reserved::resolve(snapshot, &policy.reservations),
        };
        market.fill_transfers();
        market.fill_services();
        market.fill_disk_estimates();
        market
    }

    /// A rate of the catalog in the plan's currency.
    pub fn convert(&self, rate: Rate) -> Rate {
        rate.converted(self.factor).unwrap_or(Rate(i64::MAX))
    }

    /// The offers of a region, as places in the snapshot's columns.
    pub fn offers_in(&self, region: Idx<Region>) -> impl ExactSizeIterator<Item = Idx<Offer>> + use<> {
        (self.first_offer[region.usize()]..self.first_offer[region.usize() + 1]).map(Idx::from_usize)
    }

    /// The hourly machine rate of an offer for a term; `None` when it is not sold, or when its price is doubtful and
    /// the policy does not take such prices.
    pub fn machine_rate(&self, offer: Idx<Offer>, term: Term) -> Option<Rate> {
        let refused = self.excludes_doubted && self.is_doubted(offer, term);
        if refused { None } else { self.listed_rate(offer, term) }
    }

    /// The hourly machine rate of an offer for a term, believed or not.
    pub fn listed_rate(&self, offer: Idx<Offer>, term: Term) -> Option<Rate> {
        let listed = self.convert(self.snapshot.offers.rate(offer, term)?);
        Some(self.book.paid(&self.machine_thing(offer), listed).0)
    }

    fn machine_thing(&self, offer: Idx<Offer>) -> Thing {
        let offers = &self.snapshot.offers;
        let instance_type = Some(offers.instance_type[offer.usize()]);
        Thing { region: offers.region[offer.usize()], component: Component::Machine, instance_type }
    }

    /// The same quote at what the price book says, if it says anything.
    fn by_the_book(&self, mut quote: Quote, region: Idx<Region>, component: Component) -> Quote {
        let thing = Thing { region, component, instance_type: None };
        let listed = quote.rate;
        let (paid, entry) = self.book.paid(&thing, listed);
        if let Some(entry) = entry {
            quote.rate = paid;
            quote.list = Some(ListPrice { rate: listed, book: entry.source.clone() });
            if let Origin::Estimate { low, high, .. } = &mut quote.origin {
                (*low, *high) = (entry.pays.instead_of(*low), entry.pays.instead_of(*high));
            }
        }
        quote
    }

    /// Whether the price of an offer for a term is too low to be believed; the module `doubt` has the rule.
    pub fn is_doubted(&self, offer: Idx<Offer>, term: Term) -> bool {
        self.doubted[offer.usize()].has(term)
    }

    /// Every offer with a doubtful price, in the order of the catalog.
    pub fn doubted_offers(&self) -> impl Iterator<Item = Idx<Offer>> + '_ {
        let doubted = self.doubted.iter().enumerate().filter(|(_, doubted)| doubted.any());
        doubted.map(|(place, _)| Idx::from_usize(place))
    }

    /// Whether all machines of a region are priced by an example rate card, which is nobody's price.
    pub fn is_example(&self, region: Idx<Region>) -> bool {
        let source = |offer: Idx<Offer>| self.snapshot.offers.source[offer.usize()];
        let mut sources = self.offers_in(region).map(source).peekable();
        sources.peek().is_some() && sources.all(|source| self.snapshot.sources[source].name == EXAMPLE)
    }

    /// The machine rate as a quote.
    pub fn machine(&self, offer: Idx<Offer>, term: Term) -> Option<Quote> {
        let instance_type = &self.snapshot.instance_types[self.snapshot.offers.instance_type[offer.usize()]];
        let listed = self.convert(self.snapshot.offers.rate(offer, term)?);
        let (rate, entry) = self.book.paid(&self.machine_thing(offer), listed);
        self.machine_rate(offer, term)?;
        Some(Quote {
            rate,
            list: entry.map(|entry| ListPrice { rate: listed, book: entry.source.clone() }),
            rate_id: self.snapshot.machine_rate_id(offer, term),
            item: Said::new("item.machine")
                .with("offer", instance_type.name.as_str())
                .with("term", Said::new(&format!("term.{}", term.name())))
                .into(),
            origin: Origin::Price(self.snapshot.offers.source[offer.usize()]),
        })
    }

    /// The quote of a machine that is paid for already: nothing, with its list price and the reservation that paid.
    pub fn reserved_machine(&self, offer: Idx<Offer>, term: Term, reservation: usize) -> Option<Quote> {
        let listed = self.convert(self.snapshot.offers.rate(offer, term)?);
        let book = self.reserved[reservation].reservation.source.clone();
        let quote = self.machine(offer, term)?;
        Some(Quote { rate: Rate(0), list: Some(ListPrice { rate: listed, book }), ..quote })
    }

    /// Whether a region sells block storage for a disk. One without any price of block storage may: nothing is known.
    pub fn sells_disk(&self, region: Idx<Region>, media: Media, size: Gib) -> bool {
        let sold = &self.disks[region.usize()];
        sold.is_empty() || sold.iter().any(|disk| takes(disk, media, size))
    }

    /// What a disk costs: the quote of its class and the GiB that are billed. `None` when the region does not sell it,
    /// or no price of any block storage is known.
    pub fn disk(&self, region: Idx<Region>, media: Media, size: Gib) -> Option<(Quote, Quantity)> {
        let billed = |smallest: u32| {
            i64::try_from(size.0.max(u64::from(smallest))).ok().and_then(Quantity::from_units)
        };
        let sold = &self.disks[region.usize()];
        if sold.is_empty() {
            let provider = self.snapshot.regions[region].provider;
            let estimate = self.disk_estimates.get(&(provider, media))?.clone()?;
            return Some((self.by_the_book(estimate, region, Component::Disk), billed(0)?));
        }
        let (_, disk) = sold
            .iter()
            .filter(|disk| takes(disk, media, size))
            .filter_map(|disk| Some((self.convert(disk.gib_month).times(billed(disk.smallest_gib)?), *disk)))
            .min_by_key(|(money, disk)| (*money, &disk.class))?;
        let quote = Quote {
            rate: self.convert(disk.gib_month),
            list: None,
            rate_id: self.snapshot.disk_rate_id(disk),
            item: disk.class.as_str().into(),
            origin: Origin::Price(disk.source),
        };
        Some((self.by_the_book(quote, region, Component::Disk), billed(disk.smallest_gib)?))
    }

    /// What a GiB costs that leaves a region; `None` when no such price is known anywhere.
    pub fn transfer(&self, region: Idx<Region>, reach: Reach) -> Option<&Quote> {
        let place = REACHES.iter().position(|known| *known == reach).expect("all are listed");
        self.transfers[region.usize()][place].as_ref()
    }

    /// What an hour of a service costs in a region; `None` when no such price is known anywhere.
    pub fn service(&self, region: Idx<Region>, kind: ServiceKind) -> Option<&Quote> {
        let place = SERVICES.iter().position(|known| *known == kind).expect("all are listed");
        self.services[region.usize()][place].as_ref()
    }

    /// Whether the catalog knows a price of a service from the provider itself.
    pub fn sells(&self, provider: Idx<Provider>, kind: ServiceKind) -> bool {
        self.snapshot
            .services
            .iter()
            .any(|service| service.kind == kind && self.snapshot.regions[service.region].provider == provider)
    }

    /// The lines that an operating system adds to an offer: quote, quantity a month, unit. `None` when no price of such
    /// a licence is known anywhere.
    pub fn licence(&self, offer: Idx<Offer>, os: OsFamily) -> Option<Vec<(Quote, Quantity, &'static str)>> {
        let offers = &self.snapshot.offers;
        let instance_type = &self.snapshot.instance_types[offers.instance_type[offer.usize()]];
        let place = offers.region[offer.usize()];
        if os == OsFamily::Windows
            && let (Some(with), Some(without)) =
                (offers.windows_rate(offer), offers.rate(offer, Term::OnDemand))
        {
            let region = self.snapshot.region_path(offers.region[offer.usize()]);
            let quote = Quote {
                rate: Rate((self.convert(with).0 - self.convert(without).0).max(0)),
                list: None,
                rate_id: RateId(format!("{region}/{}/windows", instance_type.name)),
                item: Said::new("item.windows").with("offer", instance_type.name.as_str()).into(),
                origin: Origin::Price(offers.windows_source[offer.usize()]),
            };
            let quote = self.by_the_book(quote, place, Component::Licence);
            return Some(vec![(quote, Quantity::MONTH, "hour")]);
        }
        let vcpus = instance_type.vcpus;
        let vcpu_hours = Quantity(Quantity::MONTH.0 * i64::from(vcpus.0));
        let holds = |row: &&LicencePrice| {
            row.os == os && row.vcpus_from <= vcpus && row.vcpus_to.is_none_or(|to| vcpus <= to)
        };
        let name = licence_name(os);
        if let Some(row) =
            self.snapshot.licences.iter().filter(holds).find(|r| r.provider == instance_type.provider)
        {
            let provider = &self.snapshot.providers[row.provider].name;
            let quote = |rate: Rate, per: &str| {
                let listed = Quote {
                    rate: self.convert(rate),
                    list: None,
                    rate_id: RateId(format!("{provider}/licence/{name}/{}+/{per}", row.vcpus_from.0)),
                    item: Said::new("item.licence").with("system", name).into(),
                    origin: Origin::Price(row.source),
                };
                self.by_the_book(listed, place, Component::Licence)
            };
            return Some(vec![
                (quote(row.vcpu_hour, "vcpu"), vcpu_hours, "vCPU-hour"),
                (quote(row.machine_hour, "machine"), Quantity::MONTH, "hour"),
            ]);
        }
        let per_vcpu = |row: &LicencePrice| {
            Rate(self.convert(row.vcpu_hour).0 + self.convert(row.machine_hour).0 / i64::from(vcpus.0.max(1)))
        };
        let known: Vec<Rate> = self.snapshot.licences.iter().filter(holds).map(per_vcpu).collect();
        let quote = estimate(
            known,
            &format!("licence/{name}"),
            &Said::new("item.licence").with("system", name),
            Said::new("source.median-all"),
        )?;
        Some(vec![(self.by_the_book(quote, place, Component::Licence), vcpu_hours, "vCPU-hour")])
    }

    fn fill_transfers(&mut self) {
        let mut known: BTreeMap<(Idx<Region>, Reach), Quote> = BTreeMap::new();
        for price in &self.snapshot.transfers {
            let quote = Quote {
                rate: self.convert(price.first_paid()),
                list: None,
                rate_id: self.snapshot.transfer_rate_id(price),
                item: Said::new(&format!("item.egress/{}", price.reach.name())).into(),
                origin: Origin::Price(price.source),
            };
            known.entry((price.region, price.reach)).or_insert(quote);
        }
        for (place, reach) in REACHES.into_iter().enumerate() {
            let filled = self
                .filled(&format!("egress/{}", reach.name()), |region| known.get(&(region, reach)).cloned());
            for (region, quote) in filled.into_iter().enumerate() {
                let paid = |quote| self.by_the_book(quote, Idx::from_usize(region), Component::Egress);
                self.transfers[region][place] = quote.map(paid);
            }
        }
    }

    fn fill_services(&mut self) {
        let mut known: BTreeMap<(Idx<Region>, ServiceKind), Quote> = BTreeMap::new();
        for price in &self.snapshot.services {
            let quote = Quote {
                rate: self.convert(price.hour),
                list: None,
                rate_id: self.snapshot.service_rate_id(price),
                item: price.name.as_str().into(),
                origin: Origin::Price(price.source),
            };
            let best = known.entry((price.region, price.kind)).or_insert_with(|| quote.clone());
            if (quote.rate, &quote.item) < (best.rate, &best.item) {
                *best = quote;
            }
        }
        for (place, kind) in SERVICES.into_iter().enumerate() {
            let filled = self.filled(kind.name(), |region| known.get(&(region, kind)).cloned());
            let component = match kind {
                ServiceKind::LoadBalancer => Component::LoadBalancer,
                ServiceKind::PublicAddress => Component::Address,
                ServiceKind::NatGateway => Component::Nat,
                ServiceKind::KubernetesControlPlane => Component::Kubernetes,
            };
            for (region, quote) in filled.into_iter().enumerate() {
                let paid = |quote| self.by_the_book(quote, Idx::from_usize(region), component);
                self.services[region][place] = quote.map(paid);
            }
        }
    }

    /// Whether a quote is somebody's price rather than an example, so that others may be judged by it.
    fn is_real(&self, quote: &Quote) -> bool {
        match &quote.origin {
            Origin::Price(source) => self.snapshot.sources[*source].name != EXAMPLE,
            Origin::Estimate { .. } => true,
        }
    }

    /// For every region the known quote, or an estimate from the provider's others, or from everybody's.
    fn filled(&self, what: &str, known: impl Fn(Idx<Region>) -> Option<Quote>) -> Vec<Option<Quote>> {
        let all: Vec<(Idx<Provider>, Quote)> = self
            .snapshot
            .regions
            .iter_enumerated()
            .filter_map(|(region, r)| Some((r.provider, known(region)?)))
            .collect();
        let mut by_provider: BTreeMap<Idx<Provider>, Option<Quote>> = BTreeMap::new();
        for provider in self.snapshot.providers.indices() {
            let own = || all.iter().filter(|(p, _)| *p == provider).map(|(_, quote)| quote.rate).collect();
            let everybody =
                || all.iter().filter(|(_, quote)| self.is_real(quote)).map(|(_, quote)| quote.rate).collect();
            by_provider.insert(provider, self.estimate_for(provider, what, own(), everybody()));
        }
        self.snapshot
            .regions
            .iter_enumerated()
            .map(|(region, r)| known(region).or_else(|| by_provider[&r.provider].clone()))
            .collect()
    }

    fn estimate_for(
        &self,
        provider: Idx<Provider>,
        what: &str,
        own: Vec<Rate>,
        all: Vec<Rate>,
    ) -> Option<Quote> {
        let name = &self.snapshot.providers[provider].name;
        let item = Said::new(&format!("item.{what}"));
        let others = Said::new("source.median-provider").with("provider", name.as_str());
        estimate(own, &format!("{what}/{name}"), &item, others)
            .or_else(|| estimate(all, what, &item, Said::new("source.median-all")))
    }

    fn fill_disk_estimates(&mut self) {
        for media in [Media::Ssd, Media::Hdd] {
            let cheapest = |region: Idx<Region>| {
                let sold = &self.disks[region.usize()];
                sold.iter().find(|disk| takes(disk, media, Gib(0))).or(sold.first()).copied()
            };
            let all: Vec<(Idx<Provider>, &DiskPrice)> = self
                .snapshot
                .regions
                .iter_enumerated()
                .filter_map(|(region, r)| Some((r.provider, cheapest(region)?)))
                .collect();
            let real = |disk: &DiskPrice| self.snapshot.sources[disk.source].name != EXAMPLE;
            let what = if media == Media::Ssd { "disk/ssd" } else { "disk/hdd" };
            for provider in self.snapshot.providers.indices() {
                let rate = |(_, disk): &(_, &DiskPrice)| self.convert(disk.gib_month);
                let own = all.iter().filter(|(p, _)| *p == provider).map(rate).collect();
                let everybody: Vec<Rate> = all.iter().filter(|(_, disk)| real(disk)).map(rate).collect();
                let everybody = if everybody.is_empty() { all.iter().map(rate).collect() } else { everybody };
                let quote = self.estimate_for(provider, what, own, everybody);
                self.disk_estimates.insert((provider, media), quote);
            }
        }
    }
}

/// Whether a class of block storage takes a disk: solid state replaces spinning disks, not the other way round.
fn takes(disk: &DiskPrice, media: Media, size: Gib) -> bool {
    (media == Media::Hdd || disk.media == Media::Ssd)
        && (disk.largest_gib == 0 || size.0 <= u64::from(disk.largest_gib))
}

/// The median of known rates as a quote; `None` when there are none. The lower of two middle ones, so that it is a
/// rate that exists.
fn estimate(mut known: Vec<Rate>, what: &str, item: &Said, how: Said) -> Option<Quote> {
    known.sort();
    let (low, high) = (*known.first()?, *known.last()?);
    Some(Quote {
        rate: known[(known.len() - 1) / 2],
        list: None,
        rate_id: RateId(format!("estimate/{what}")),
        item: Arg::Said(item.clone()),
        origin: Origin::Estimate { low, high, how: how.with("n", known.len()) },
    })
}

/// The name of a licensed system in rate ids and reports.
pub fn licence_name(os: OsFamily) -> &'static str {
    match os {
        OsFamily::Linux => "linux",
        OsFamily::Rhel => "rhel",
        OsFamily::Sles => "sles",
        OsFamily::Windows => "windows",
        OsFamily::Other => "other",
    }
}

/// What a month of hours costs.
pub fn month_of_hours(rate: Rate) -> Money {
    rate.times(Quantity::MONTH)
}
