//! The bill of a placement: every figure with its rate, its rate id and its source.

use std::collections::BTreeMap;

use carafe_model::catalog::{PriceSource, Reach, Region, ServiceKind};
use carafe_model::ids::{HostId, RateId};
use carafe_model::idx::Idx;
use carafe_model::language::{Arg, Language, Said, Sentence};
use carafe_model::plan::{BillLine, Component, LineRange, PlanSource};
use carafe_model::units::{Money, Quantity, Rate};

use crate::account;
use crate::assumed::{self, Assumed};
use crate::candidates::Candidate;
use crate::market::{Origin, Quote, licence_name};
use crate::placing::Placing;
use crate::traffic::{Receiver, Sending};

/// Where a mover went and with which offer.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// Where.
    pub region: Idx<Region>,
    /// In which of the region's zones; absent where zones do not matter.
    pub zone: Option<usize>,
    /// With what.
    pub candidate: Candidate,
    /// The reservation that the machine is of, by its place in the policy; absent where it is paid for.
    pub reserved: Option<usize>,
}

/// Lines and the sources they point to.
#[derive(Debug, Default)]
pub struct Bill {
    /// The lines, by host, then flow, then region.
    pub lines: Vec<BillLine>,
    /// Where their rates come from.
    pub sources: Vec<PlanSource>,
    /// What is needed and has no price at all, in words.
    pub missing: BTreeMap<String, Said>,
    place_of_price: BTreeMap<Idx<PriceSource>, u32>,
    place_of_estimate: BTreeMap<String, u32>,
}

/// What a line is for.
#[derive(Clone, Copy, Default)]
struct Subject<'s> {
    host: Option<&'s HostId>,
    flow: Option<&'s str>,
    region: Option<Idx<Region>>,
}

/// How many units, where that is not certain.
struct Amount {
    likely: Quantity,
    range: Option<(Quantity, Quantity, &'static str)>,
}

impl Amount {
    fn known(likely: Quantity) -> Amount {
        Amount { likely, range: None }
    }

    /// With the smallest amount that is billed: where that is more than what is counted with, it is all there is.
    fn at_least(self, billed: Quantity) -> Amount {
        if billed == self.likely {
            return self;
        }
        let range = self.range.map(|(low, high, what)| (low.max(billed), high.max(billed), what));
        Amount { likely: billed, range }
    }

    fn assumed(assumed: Assumed, what: &'static str) -> Amount {
        let [low, likely, high] = assumed.quantities();
        Amount { likely, range: Some((low, high, what)) }
    }
}

/// Writes the bill of all movers in their homes.
pub fn bill(placing: &Placing<'_>, homes: &[Home]) -> Bill {
    let mut bill = Bill::default();
    for (mover, home) in homes.iter().enumerate() {
        bill.host(placing, mover, home);
    }
    for sending in placing.sendings {
        bill.sending(placing, homes, sending);
    }
    for group in placing.groups {
        let Some(region) = group.movers.first().map(|mover| homes[*mover].region) else { continue };
        for &place in &group.load_balancers {
            let name = placing.estate.load_balancers[place].id.as_str();
            bill.service(placing, region, ServiceKind::LoadBalancer, Component::LoadBalancer, name);
        }
        for &place in &group.clusters {
            let name = placing.estate.clusters[place].id.as_str();
            bill.service(placing, region, ServiceKind::KubernetesControlPlane, Component::Kubernetes, name);
        }
    }
    bill.opening(placing, homes);
    bill.contracts(placing);
    bill
}

impl Bill {
    fn host(&mut self, placing: &Placing<'_>, mover: usize, home: &Home) {
        let host = &placing.estate.hosts[placing.movers[mover].host];
        let need = &placing.movers[mover].need;
        let subject = Subject { host: Some(&host.id), region: Some(home.region), ..Subject::default() };
        let Candidate { offer, term, .. } = home.candidate;
        let machine = match home.reserved {
            Some(reservation) => placing.market.reserved_machine(offer, term, reservation),
            None => placing.market.machine(offer, term),
        };
        if let Some(machine) = machine {
            let month = Amount::known(Quantity::MONTH);
            self.push(placing, subject, Component::Machine, &machine, month, "hour", None);
        }
        if let Some(os) = need.shape.class.licence {
            let licence = placing.market.licence(home.candidate.offer, os);
            if licence.is_none() {
                self.lacks(Said::new("missing.licence").with("system", licence_name(os)));
            }
            for (quote, quantity, unit) in licence.into_iter().flatten() {
                if quote.rate.0 != 0 {
                    self.push(
                        placing,
                        subject,
                        Component::Licence,
                        &quote,
                        Amount::known(quantity),
                        unit,
                        None,
                    );
                }
            }
        }
        for disk in &need.disks {
            let Some((quote, gib)) = placing.market.disk(home.region, disk.media, disk.size) else {
                self.lacks(Said::new("missing.disk"));
                continue;
            };
            let amount = if disk.is_known {
                Amount::known(gib)
            } else {
                Amount::assumed(assumed::DISK_GIB, "unknown.disk-size").at_least(gib)
            };
            let item = named(&disk.name, &quote.item);
            self.push(placing, subject, Component::Disk, &quote, amount, "GiB-month", Some(item));
        }
        if host.public_address {
            match placing.market.service(home.region, ServiceKind::PublicAddress) {
                Some(quote) => {
                    let month = Amount::known(Quantity::MONTH);
                    self.push(placing, subject, Component::Address, quote, month, "hour", None);
                }
                None => self.lacks(Said::new("missing.address")),
            }
        }
    }

    fn sending(&mut self, placing: &Placing<'_>, homes: &[Home], sending: &Sending) {
        let from = homes[sending.from].region;
        let provider = |region: Idx<Region>| placing.market.snapshot.regions[region].provider;
        let reach = match sending.to {
            Receiver::Outside => Reach::Internet,
            Receiver::Mover(to) if homes[to].region == from && homes[to].zone == homes[sending.from].zone => {
                return;
            }
            Receiver::Mover(to) if homes[to].region == from => Reach::InterZone,
            Receiver::Mover(to) if provider(homes[to].region) == provider(from) => Reach::InterRegion,
            Receiver::Mover(_) => Reach::Internet,
        };
        let Some(quote) = placing.market.transfer(from, reach) else {
            self.lacks(
                Said::new("missing.egress").with("reach", Said::new(&format!("reach.{}", reach.name()))),
            );
            return;
        };
        let amount = if sending.is_known {
            Amount::known(sending.gib)
        } else {
            Amount::assumed(assumed::FLOW_GIB, "unknown.flow-volume")
        };
        let subject = Subject { flow: Some(&sending.name), region: Some(from), host: None };
        self.push(placing, subject, Component::Egress, quote, amount, "GiB", None);
    }

    fn service(
        &mut self,
        placing: &Placing<'_>,
        region: Idx<Region>,
        kind: ServiceKind,
        component: Component,
        name: &str,
    ) {
        let Some(quote) = placing.market.service(region, kind) else {
            self.lacks(
                Said::new("missing.service").with("what", Said::new(&format!("service.{}", kind.name()))),
            );
            return;
        };
        let subject = Subject { region: Some(region), ..Subject::default() };
        let item = if name.is_empty() { quote.item.clone().into() } else { named(name, &quote.item) };
        self.push(placing, subject, component, quote, Amount::known(Quantity::MONTH), "hour", Some(item));
    }

    fn opening(&mut self, placing: &Placing<'_>, homes: &[Home]) {
        let policy = &placing.policy.opening;
        let snapshot = placing.market.snapshot;
        let mut regions: Vec<Idx<Region>> = homes.iter().map(|home| home.region).collect();
        regions.sort();
        regions.dedup();
        let mut providers: Vec<_> = regions.iter().map(|region| snapshot.regions[*region].provider).collect();
        providers.sort();
        providers.dedup();
        for region in regions {
            if policy.nat_gateway {
                self.service(placing, region, ServiceKind::NatGateway, Component::Nat, "");
            }
            if policy.region_monthly != Money::ZERO {
                let name = snapshot.regions[region].name.as_str().to_owned();
                let provider = snapshot.regions[region].provider;
                self.own(
                    placing,
                    provider,
                    Some(name),
                    policy.region_monthly,
                    "policy/opening.region_monthly",
                );
            }
        }
        for provider in providers {
            if policy.provider_monthly != Money::ZERO {
                self.own(placing, provider, None, policy.provider_monthly, "policy/opening.provider_monthly");
            }
        }
    }

    /// What depends on all that is used at a provider: support plans, and commitments that are not used up.
    fn contracts(&mut self, placing: &Placing<'_>) {
        let snapshot = placing.market.snapshot;
        let used = account::used(&self.lines);
        for provider in snapshot.providers.indices() {
            let name = &snapshot.providers[provider].name;
            let used = used.get(name).copied();
            if let (Some(support), Some(used)) = (account::support(placing.policy, name), used) {
                self.own(placing, provider, None, support.of(used), "policy/support");
            }
            let committed = account::committed(placing.policy, name);
            let unused = committed - used.unwrap_or_default();
            if unused > Money::ZERO {
                self.own(placing, provider, None, unused, "policy/commitment");
            }
        }
    }

    /// A figure of the user's own, once a month.
    fn own(
        &mut self,
        placing: &Placing<'_>,
        provider: Idx<carafe_model::catalog::Provider>,
        region: Option<String>,
        monthly: Money,
        rate_id: &str,
    ) {
        let (component, item) = match rate_id {
            "policy/opening.region_monthly" => (Component::Opening, "item.region-opening"),
            "policy/support" => (Component::Support, "item.support"),
            "policy/commitment" => (Component::Other, "item.unused-commitment"),
            _ => (Component::Opening, "item.provider-opening"),
        };
        self.lines.push(BillLine {
            host: None,
            flow: None,
            provider: placing.market.snapshot.providers[provider].name.clone(),
            region: region.map(Into::into),
            component,
            item: Said::new(item).into(),
            quantity: Quantity(1_000_000),
            unit: "month".to_owned(),
            rate: Rate(i64::try_from(monthly.0).unwrap_or(i64::MAX)),
            rate_id: RateId::from(rate_id),
            list: None,
            monthly,
            range: None,
            source: None,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "a line of a bill has that many parts")]
    fn push(
        &mut self,
        placing: &Placing<'_>,
        subject: Subject<'_>,
        component: Component,
        quote: &Quote,
        amount: Amount,
        unit: &str,
        item: Option<Sentence>,
    ) {
        let snapshot = placing.market.snapshot;
        let region = subject.region.expect("every quoted line has a region");
        let source = self.source(placing, &quote.origin);
        self.lines.push(BillLine {
            host: subject.host.cloned(),
            flow: subject.flow.map(str::to_owned),
            provider: snapshot.providers[snapshot.regions[region].provider].name.clone(),
            region: Some(snapshot.regions[region].name.clone()),
            component,
            item: item.unwrap_or_else(|| quote.item.clone().into()),
            quantity: amount.likely,
            unit: unit.to_owned(),
            rate: quote.rate,
            rate_id: quote.rate_id.clone(),
            list: quote.list.clone(),
            monthly: quote.rate.times(amount.likely),
            range: range(quote, &amount),
            source,
        });
    }

    /// Takes down that something is needed and has no price.
    fn lacks(&mut self, what: Said) {
        self.missing.insert(Language::ENGLISH.say(&what), what);
    }

    fn source(&mut self, placing: &Placing<'_>, origin: &Origin) -> Option<u32> {
        match origin {
            Origin::Price(price) => {
                let place = *self.place_of_price.entry(*price).or_insert_with(|| {
                    let PriceSource { name, as_of, quality } =
                        placing.market.snapshot.sources[*price].clone();
                    self.sources.push(PlanSource { name: name.into(), as_of, quality });
                    (self.sources.len() - 1) as u32
                });
                Some(place)
            }
            Origin::Estimate { how, .. } => {
                let place = *self.place_of_estimate.entry(Language::ENGLISH.say(how)).or_insert_with(|| {
                    let (_, newest) = placing.market.snapshot.price_dates();
                    self.sources.push(PlanSource {
                        name: Said::new("source.estimate").with("how", how.clone()).into(),
                        as_of: newest.to_owned(),
                        quality: "estimate".to_owned(),
                    });
                    (self.sources.len() - 1) as u32
                });
                Some(place)
            }
        }
    }
}

/// What is billed, after the name of the thing it is billed for.
fn named(name: &str, item: &Arg) -> Sentence {
    Said::new("item.named").with("name", name).with("item", item.clone()).into()
}

fn range(quote: &Quote, amount: &Amount) -> Option<LineRange> {
    let (low_rate, high_rate, rate_unknown) = match &quote.origin {
        Origin::Estimate { low, high, .. } => (*low, *high, Some("unknown.price")),
        Origin::Price(_) => (quote.rate, quote.rate, None),
    };
    let (low, high, amount_unknown) = match amount.range {
        Some((low, high, unknown)) => (low, high, Some(unknown)),
        None => (amount.likely, amount.likely, None),
    };
    let unknown: Vec<&str> = [rate_unknown, amount_unknown].into_iter().flatten().collect();
    (!unknown.is_empty()).then(|| LineRange {
        low: low_rate.times(low),
        high: high_rate.times(high),
        unknown: Said::new("unknown.all")
            .with("what", unknown.into_iter().map(Said::new).collect::<Vec<_>>())
            .into(),
    })
}
