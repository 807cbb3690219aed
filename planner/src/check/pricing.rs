//! What must be in the bill beside machines, disks and traffic, what prices may be used, and that nobody is undersized.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{InstanceType, ServiceKind, Term};
use carafe_model::contract::Pays;
use carafe_model::host::{Host, OsFamily};
use carafe_model::ids::HostId;
use carafe_model::plan::{BillLine, Component, Placement};
use carafe_model::policy::{Doubtful, Licence, SizingStrategy};
use carafe_model::units::{Money, Quantity, Rate};

use super::Judge;

/// `provider/region`.
type Path = String;

impl Judge<'_> {
    /// Licences, addresses, load balancers, control planes, gateways and fixed costs: each that is needed is billed, as
    /// often as it is needed and where it is needed, and none that is not.
    pub(super) fn services_are_billed(&mut self) {
        let home: BTreeMap<&HostId, Path> =
            self.plan.placements.iter().map(|p| (&p.host, format!("{}/{}", p.provider, p.region))).collect();
        let in_use: BTreeSet<&Path> = home.values().collect();
        let providers: BTreeSet<&str> = self.plan.placements.iter().map(|p| p.provider.as_str()).collect();
        let is_priced = |kind: ServiceKind| self.catalog.services.iter().any(|s| s.kind == kind);

        let mut wanted: BTreeMap<(Component, Path), u32> = BTreeMap::new();
        let mut want = |component: Component, place: &str| {
            *wanted.entry((component, place.to_owned())).or_default() += 1;
        };
        if is_priced(ServiceKind::LoadBalancer) {
            for balancer in &self.estate.load_balancers {
                if let Some(place) = balancer.members.iter().find_map(|host| home.get(host)) {
                    want(Component::LoadBalancer, place);
                }
            }
        }
        if is_priced(ServiceKind::KubernetesControlPlane) {
            for cluster in &self.estate.clusters {
                let mut members = cluster.workers.iter().chain(&cluster.control_plane);
                if let Some(place) = members.find_map(|host| home.get(host)) {
                    want(Component::Kubernetes, place);
                }
            }
        }
        let opening = &self.policy.opening;
        for place in &in_use {
            if opening.nat_gateway && is_priced(ServiceKind::NatGateway) {
                want(Component::Nat, place);
            }
            if opening.region_monthly != Money::ZERO {
                want(Component::Opening, place);
            }
        }
        for provider in providers {
            if opening.provider_monthly != Money::ZERO {
                want(Component::Opening, provider);
            }
        }

        let kinds = [Component::LoadBalancer, Component::Kubernetes, Component::Nat, Component::Opening];
        let mut billed: BTreeMap<(Component, Path), u32> = BTreeMap::new();
        for line in self.plan.bill.iter().filter(|line| kinds.contains(&line.component)) {
            let is_whole_month = match line.component {
                Component::Opening => line.quantity == Quantity(1_000_000),
                _ => line.unit != "hour" || line.quantity == Quantity::MONTH,
            };
            if !is_whole_month {
                self.say(format!("the line {} for {} is not for a month", line.rate_id, line.item));
            }
            if line.unit != "GiB" {
                *billed.entry((line.component, place_of(line))).or_default() += 1;
            }
        }
        for (component, place) in wanted.keys().chain(billed.keys()).cloned().collect::<BTreeSet<_>>() {
            let key = (component, place);
            let (needed, found) = (wanted.get(&key).copied(), billed.get(&key).copied());
            if needed != found {
                self.say(format!(
                    "{} needs {} lines of {} and has {}",
                    key.1,
                    needed.unwrap_or(0),
                    component.name(),
                    found.unwrap_or(0)
                ));
            }
        }
        self.hosts_have_addresses_and_licences(is_priced(ServiceKind::PublicAddress));
    }

    fn hosts_have_addresses_and_licences(&mut self, has_address_prices: bool) {
        let mut lines: BTreeMap<&HostId, Vec<&BillLine>> = BTreeMap::new();
        for line in &self.plan.bill {
            if let Some(host) = &line.host {
                lines.entry(host).or_default().push(line);
            }
        }
        let mut wrong = Vec::new();
        let offers = self.offers();
        for placement in &self.plan.placements {
            let Some(host) = self.hosts.get(&placement.host) else { continue };
            let offer = offers.get(&offer_of(placement)).copied();
            let of_host = lines.get(&placement.host).map(Vec::as_slice).unwrap_or_default();
            let of = |component| of_host.iter().filter(move |line| line.component == component);
            let months = of(Component::Address).filter(|line| line.quantity == Quantity::MONTH).count();
            let needed = usize::from(host.public_address && has_address_prices);
            if months != needed || of(Component::Address).count() != needed {
                wrong.push(format!("{} needs {needed} public addresses and is billed for others", host.id));
            }
            let billed: BTreeSet<(&str, Quantity)> =
                of(Component::Licence).map(|line| (line.rate_id.as_str(), line.quantity)).collect();
            match self.licences(host, placement, offer) {
                Licences::Exactly(needed) => {
                    let needed: BTreeSet<(&str, Quantity)> =
                        needed.iter().map(|(id, quantity)| (id.as_str(), *quantity)).collect();
                    if billed != needed || of(Component::Licence).count() != needed.len() {
                        wrong.push(format!("{} is not billed for the licence of its system", host.id));
                    }
                }
                Licences::Estimated => {
                    if billed.len() != 1 || !billed.iter().all(|(id, _)| id.starts_with("estimate/licence/"))
                    {
                        wrong.push(format!("{} is billed for no estimated licence", host.id));
                    }
                }
            }
        }
        for what in wrong {
            self.say(what);
        }
    }

    /// The lines that the licence of a host's system must have with its machine.
    fn licences(&self, host: &Host, placement: &Placement, offer: Option<usize>) -> Licences {
        let licences = &self.policy.licences;
        let choice = match host.os.as_ref().map(|os| os.family) {
            Some(OsFamily::Windows) => (OsFamily::Windows, "windows", licences.windows),
            Some(OsFamily::Rhel) => (OsFamily::Rhel, "rhel", licences.rhel),
            Some(OsFamily::Sles) => (OsFamily::Sles, "sles", licences.sles),
            Some(OsFamily::Linux | OsFamily::Other) | None => return Licences::none(),
        };
        let (family, name, Licence::Included) = choice else { return Licences::none() };
        let catalog = self.catalog;
        let path = format!("{}/{}", placement.provider, placement.region);
        if let Some(offer) = offer
            && family == OsFamily::Windows
            && catalog.offers.windows[offer].0 > 0
            && catalog.offers.on_demand[offer].0 > 0
        {
            let is_free = catalog.offers.windows[offer] <= catalog.offers.on_demand[offer];
            let line = (format!("{path}/{}/windows", placement.offer), Quantity::MONTH);
            return Licences::Exactly(if is_free { Vec::new() } else { vec![line] });
        }
        let vcpus = placement.vcpus;
        let fits = |row: &&carafe_model::catalog::LicencePrice| {
            row.os == family && row.vcpus_from <= vcpus && row.vcpus_to.is_none_or(|to| to >= vcpus)
        };
        let mut rows = catalog.licences.iter().filter(fits);
        let own = rows.clone().find(|row| catalog.providers[row.provider].name == placement.provider);
        if let Some(row) = own {
            let id = format!("{}/licence/{name}/{}+", placement.provider, row.vcpus_from.0);
            let per_vcpu = Quantity(Quantity::MONTH.0 * i64::from(vcpus.0));
            let mut lines = Vec::new();
            if row.vcpu_hour.0 > 0 {
                lines.push((format!("{id}/vcpu"), per_vcpu));
            }
            if row.machine_hour.0 > 0 {
                lines.push((format!("{id}/machine"), Quantity::MONTH));
            }
            return Licences::Exactly(lines);
        }
        if rows.next().is_some() { Licences::Estimated } else { Licences::none() }
    }

    /// The list price of a line: what it says, once it is clear that the price book makes of it what is paid.
    pub(super) fn listed(&mut self, line: &BillLine) -> Rate {
        let listed = line.list.as_ref().map_or(line.rate, |list| list.rate);
        if line.rate_id.as_str().starts_with("policy/") {
            return listed;
        }
        let path =
            line.region.as_ref().map(|region| format!("{}/{region}", line.provider)).unwrap_or_default();
        // `provider/region/type/term`: the type alone may hold a slash.
        let machine = Some(line.rate_id.as_str())
            .filter(|_| line.component == Component::Machine)
            .filter(|_| !(self.policy.price_book.is_empty() && self.policy.reservations.is_empty()))
            .and_then(|id| Some(id.strip_prefix(path.as_str())?.strip_prefix('/')?.rsplit_once('/')?.0))
            .and_then(|name| {
                let of_provider =
                    |sold: &&InstanceType| self.catalog.providers[sold.provider].name == line.provider;
                self.catalog.instance_types.iter().filter(|sold| sold.name == name).find(of_provider)
            });
        let mut paid = (listed, None);
        for entry in &self.policy.price_book {
            let is_machine = match (&entry.family, &entry.offer, machine) {
                (None, None, _) => true,
                (_, _, None) => false,
                (family, offer, Some(sold)) => {
                    family.as_ref().is_none_or(|name| *name == sold.family)
                        && offer.as_ref().is_none_or(|name| *name == sold.name)
                }
            };
            if entry.provider == line.provider
                && entry.regions.as_ref().is_none_or(|regions| regions.contains(&path))
                && entry.component.is_none_or(|component| component == line.component)
                && is_machine
            {
                let net = match entry.pays {
                    Pays::Rate(rate) => rate,
                    Pays::PercentOff(percent) => {
                        // The share that is paid, in hundredths of a millionth: 10^8 is all of it.
                        let product = i128::from(listed.0) * (100_000_000 - i128::from(percent.0));
                        let near = i128::from(line.rate.0) * 100_000_000 - product;
                        if near.abs() * 2 <= 100_000_000 { line.rate } else { Rate(-1) }
                    }
                };
                paid = (net, Some(entry.source.as_str()));
            }
        }
        let told = line.list.as_ref().map(|list| list.book.as_str());
        if self.is_reserved(line, machine, told) {
            return listed;
        }
        if paid != (line.rate, told) {
            self.say(format!("the line {} is not at what the price book says", line.rate_id));
        }
        listed
    }

    /// Whether a machine is free by a reservation for its type and region that is not used up yet. Reservations for one
    /// region are used before those for any.
    fn is_reserved(&mut self, line: &BillLine, machine: Option<&InstanceType>, told: Option<&str>) -> bool {
        let (Some(machine), Rate(0)) = (machine, line.rate) else { return false };
        let path = line.region.as_ref().map(|region| format!("{}/{region}", line.provider));
        let reservations = self.policy.reservations.iter().enumerate();
        let mut fitting: Vec<usize> = reservations
            .filter(|(_, reservation)| {
                reservation.provider == line.provider
                    && reservation.offer == machine.name
                    && (reservation.region.is_none() || reservation.region == path)
                    && told == Some(reservation.source.as_str())
            })
            .map(|(place, _)| place)
            .collect();
        fitting.sort_by_key(|place| self.policy.reservations[*place].region.is_none());
        self.reserved.resize(self.policy.reservations.len(), 0);
        let left = |place: &&usize| self.reserved[**place] < self.policy.reservations[**place].count;
        let Some(&place) = fitting.iter().find(left) else { return false };
        self.reserved[place] += 1;
        true
    }

    /// Support plans and unused commitments: exactly those that the policy asks for, over what is used.
    pub(super) fn contracts_are_billed(&mut self) {
        let mut used: BTreeMap<&str, Money> = BTreeMap::new();
        let mut billed: BTreeMap<(&str, &str), Money> = BTreeMap::new();
        for line in &self.plan.bill {
            match line.component {
                Component::Support | Component::Other => {
                    *billed.entry((line.provider.as_str(), line.rate_id.as_str())).or_default() +=
                        line.monthly;
                }
                Component::Opening => {}
                _ => *used.entry(line.provider.as_str()).or_default() += line.monthly,
            }
        }
        let mut wanted: BTreeMap<(&str, &str), Money> = BTreeMap::new();
        for support in &self.policy.support {
            let Some(used) = used.get(support.provider.as_str()) else { continue };
            let mut rest = used.0;
            let mut costs = 0;
            for tier in support.tiers.iter().rev() {
                let inside = (rest - tier.from.0).max(0);
                costs += inside * i128::from(tier.percent.0) / 100_000_000;
                rest -= inside;
            }
            wanted.insert((support.provider.as_str(), "policy/support"), Money(costs).max(support.minimum));
        }
        for provider in self.catalog.providers.iter().map(|provider| provider.name.as_str()) {
            let of_provider = self.policy.commitments.iter().filter(|c| c.provider.as_str() == provider);
            let committed: Money = of_provider.map(|commitment| commitment.monthly).sum();
            let unused = committed - used.get(provider).copied().unwrap_or_default();
            if unused > Money::ZERO && !self.plan.placements.is_empty() {
                wanted.insert((provider, "policy/commitment"), unused);
            }
        }
        if billed != wanted {
            self.say("support plans and commitments are billed otherwise than the policy has them");
        }
    }

    /// The places of the offers that placements name in the catalog's columns, each looked up once.
    fn offers(&self) -> BTreeMap<(&str, &str, &str), usize> {
        let named = |p: &'_ Placement| (p.provider.clone(), p.region.clone(), p.offer.clone());
        let wanted: BTreeSet<_> = self.plan.placements.iter().map(named).collect();
        let types: BTreeSet<&str> = self.plan.placements.iter().map(|p| p.offer.as_str()).collect();
        let catalog = self.catalog;
        let mut places = BTreeMap::new();
        for (place, instance_type) in catalog.offers.instance_type.iter().enumerate() {
            let name = &catalog.instance_types[*instance_type].name;
            if !types.contains(name.as_str()) {
                continue;
            }
            let region = &catalog.regions[catalog.offers.region[place]];
            let provider = &catalog.providers[region.provider].name;
            if wanted.contains(&(provider.clone(), region.name.clone(), name.clone())) {
                places.insert((provider.as_str(), region.name.as_str(), name.as_str()), place);
            }
        }
        places
    }

    /// No price is used that the policy does not believe, no example that it does not name, no spot for a host that
    /// must not be taken away. Placements with the same offer and term are judged once.
    pub(super) fn prices_are_believed(&mut self) {
        let catalog = self.catalog;
        let offers = self.offers();
        let mut judged: BTreeMap<(&str, &str, &str, Term), (bool, bool)> = BTreeMap::new();
        let mut wrong = Vec::new();
        for placement in &self.plan.placements {
            let Some(host) = self.hosts.get(&placement.host) else { continue };
            let rules = self.policy.for_host(host);
            let key = (
                placement.provider.as_str(),
                placement.region.as_str(),
                placement.offer.as_str(),
                placement.term,
            );
            let (is_doubtful, is_example) = *judged.entry(key).or_insert_with(|| {
                let Some(&offer) = offers.get(&offer_of(placement)) else { return (false, false) };
                let doubtful = self.is_doubtful(offer, Term::OnDemand)
                    || placement.term != Term::Spot && self.is_doubtful(offer, placement.term);
                let region = catalog.offers.region[offer];
                let is_example = |place: usize| {
                    catalog.offers.region[place] != region
                        || catalog.sources[catalog.offers.source[place]].name == "example rate card"
                };
                (doubtful, (0..catalog.offers.len()).all(is_example))
            });
            if is_doubtful && self.policy.pricing.doubtful == Doubtful::Exclude {
                wrong.push(format!("{} is placed at a price that is too low to be believed", host.id));
            }
            let path = format!("{}/{}", placement.provider, placement.region);
            let is_named = rules.providers.is_some_and(|list| list.contains(&placement.provider))
                || rules.regions.is_some_and(|list| list.contains(&path));
            if is_example && !is_named {
                wrong.push(format!("{} is placed by an example rate card that nobody asked for", host.id));
            }
            if placement.term == Term::Spot && !rules.interruptible {
                wrong.push(format!("{} may be taken away at any time, which no rule allows", host.id));
            }
        }
        for what in wrong {
            self.say(what);
        }
    }

    /// Whether a rate is below half of the lower median of its machine and term, sold in four regions or more.
    fn is_doubtful(&self, offer: usize, term: Term) -> bool {
        let offers = &self.catalog.offers;
        let column = match term {
            Term::OnDemand => &offers.on_demand,
            Term::Spot => &offers.spot,
            Term::OneYear => &offers.one_year,
            Term::ThreeYears => &offers.three_years,
            Term::OneYearFlex => &offers.one_year_flex,
            Term::ThreeYearsFlex => &offers.three_years_flex,
        };
        let same = |place: &usize| offers.instance_type[*place] == offers.instance_type[offer];
        let mut rates: Vec<i64> =
            (0..offers.len()).filter(same).map(|place| column[place].0).filter(|rate| *rate > 0).collect();
        rates.sort_unstable();
        rates.len() >= 4 && column[offer].0 > 0 && column[offer].0 * 2 < rates[(rates.len() - 1) / 2]
    }

    /// What a measured host lacks of network throughput, or of processor time that it may use all day: at least the mean
    /// of what was measured, each part of the distribution at its upper end.
    fn lacks_throughput(&self, host: &Host, placement: &Placement) -> Option<String> {
        let catalog = self.catalog;
        let sold = catalog.instance_types.iter().find(|sold| {
            sold.name == placement.offer && catalog.providers[sold.provider].name == placement.provider
        })?;
        let usage = host.usage.as_ref()?;
        let of = |d: &carafe_model::host::Distribution| match self.policy.sizing.percentile {
            ..=50 => d.p50.0,
            51..=90 => d.p90.0,
            91..=95 => d.p95.0,
            96..=99 => d.p99.0,
            100.. => d.max.0,
        };
        let mbps = usage.network_mbps.as_ref().map_or(0, of);
        if sold.network_mbps.is_some_and(|has| i64::from(has) * 1_000_000 < mbps) {
            return Some(format!("{} gets less network throughput than it was measured to use", host.id));
        }
        let cpu = usage.cpu_percent.as_ref()?;
        let parts = [(50, cpu.p50), (40, cpu.p90), (5, cpu.p95), (4, cpu.p99), (1, cpu.max)];
        // Percent of the window × millionths of a percent × threads: 10^7 is a thousandth of a thread.
        let mean: i128 =
            parts.iter().map(|(share, level)| i128::from(*share) * i128::from(level.0)).sum::<i128>()
                * i128::from(placement.demand.source_vcpus.0)
                / 10_000_000;
        let is_short = sold.burstable == Some(true)
            && sold.baseline_milli.is_none_or(|earned| i128::from(earned) < mean);
        is_short.then(|| format!("{} runs out of credits for processor time", host.id))
    }

    /// A measured size holds what was ever in use of memory, and what was measured of the processors.
    pub(super) fn sizes_are_enough(&mut self) {
        let mut wrong = Vec::new();
        for placement in self.plan.placements.iter().filter(|p| p.demand.basis == "measured") {
            let Some(host) = self.hosts.get(&placement.host) else { continue };
            if self.policy.sizing.strategy != SizingStrategy::Measured {
                wrong
                    .push(format!("{} is sized by measurements, which the policy does not ask for", host.id));
            }
            let Some(usage) = &host.usage else {
                wrong.push(format!("{} is sized by measurements that nobody made", host.id));
                continue;
            };
            let most_memory = usage.memory_mib.map_or(0, |memory| i128::from(memory.max.0));
            if i128::from(placement.memory_mib.0) * 1_000_000 < most_memory {
                wrong.push(format!("{} gets less memory than it was measured to use", host.id));
            }
            let percent = usage.cpu_percent.map_or(0, |cpu| match self.policy.sizing.percentile {
                ..=50 => cpu.p50.0,
                51..=90 => cpu.p90.0,
                91..=95 => cpu.p95.0,
                96..=99 => cpu.p99.0,
                100.. => cpu.max.0,
            });
            let busy = i128::from(percent) * i128::from(placement.demand.source_vcpus.0);
            if usage.coverage_percent < 20 || i128::from(placement.vcpus.0) * 100_000_000 < busy {
                wrong.push(format!("{} gets fewer vCPUs than it was measured to use", host.id));
            }
            if let Some(what) = self.lacks_throughput(host, placement) {
                wrong.push(what);
            }
            let boot = host.disks.first().and_then(|disk| disk.size_gib);
            if placement.disks.first().is_some_and(|disk| boot.is_some_and(|boot| disk.size_gib < boot)) {
                wrong.push(format!("the boot disk of {} shrinks", host.id));
            }
        }
        for what in wrong {
            self.say(what);
        }
    }
}

/// The licence lines that a host must have.
enum Licences {
    /// These rates in these quantities.
    Exactly(Vec<(String, Quantity)>),
    /// One line of an estimate: the provider has no price, others do.
    Estimated,
}

impl Licences {
    fn none() -> Licences {
        Licences::Exactly(Vec::new())
    }
}

/// The offer that a placement names: provider, region, type.
fn offer_of(placement: &Placement) -> (&str, &str, &str) {
    (placement.provider.as_str(), placement.region.as_str(), placement.offer.as_str())
}

/// Where a line is billed: `provider/region`, or the provider alone for what is billed once for it.
fn place_of(line: &BillLine) -> Path {
    match &line.region {
        Some(region) => format!("{}/{region}", line.provider),
        None => line.provider.to_string(),
    }
}
