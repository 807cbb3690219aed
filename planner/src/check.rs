//! Judges a finished plan from the documents alone: estate, snapshot, policy, plan.
//!
//! Shares no code with what makes plans, so that one mistake cannot hide another: prices are looked up again in the
//! snapshot by rate id, products are multiplied again, rules are applied again. A plan that breaks anything carries
//! error findings with the code `PLN-9001`; such a plan is a bug in Carafe and must not be carried out.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::catalog::{Snapshot, Term};
use carafe_model::estate::{Endpoint, Estate};
use carafe_model::finding::Finding;
use carafe_model::host::Host;
use carafe_model::ids::HostId;
use carafe_model::language::Sentence;
use carafe_model::plan::{BillLine, Component, Placement, Plan};
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::{Money, Rate};

mod pricing;

/// Every way in which a plan contradicts what it was made from; none for a sound plan.
pub fn check(plan: &Plan, estate: &Estate, snapshot: &SealedSnapshot, policy: &Policy) -> Vec<Finding> {
    let hosts = estate.hosts.iter().map(|host| (&host.id, host)).collect();
    let mut judge = Judge {
        plan,
        estate,
        hosts,
        catalog: &snapshot.catalog,
        policy,
        wrong: Vec::new(),
        reserved: Vec::new(),
    };
    if plan.catalog.sha256 != snapshot.sha256 {
        judge.say("the plan names another snapshot");
    }
    judge.everybody_once();
    judge.placements();
    judge.groups_and_limits();
    judge.demands_of_hosts();
    judge.demands_of_groups();
    judge.round_trips();
    judge.capabilities();
    judge.quotas();
    judge.money_cap();
    judge.lines();
    judge.machines_and_disks_are_billed();
    judge.traffic_is_billed();
    judge.services_are_billed();
    judge.contracts_are_billed();
    judge.prices_are_believed();
    judge.sizes_are_enough();
    judge.sums();
    judge.steps();
    judge.wrong
}

mod constraints;

struct Judge<'a> {
    plan: &'a Plan,
    estate: &'a Estate,
    hosts: BTreeMap<&'a HostId, &'a Host>,
    catalog: &'a Snapshot,
    policy: &'a Policy,
    wrong: Vec<Finding>,
    /// By reservation of the policy, how many of its machines the lines so far have used.
    reserved: Vec<u32>,
}

impl<'a> Judge<'a> {
    fn say(&mut self, what: impl Into<Sentence>) {
        self.wrong.push(
            Finding::error("PLN-9001", what).help(
                "this is a bug in Carafe; please report it with the estate, the policy and the catalog",
            ),
        );
    }

    fn everybody_once(&mut self) {
        let mut count: BTreeMap<&HostId, u32> = self.estate.hosts.iter().map(|host| (&host.id, 0)).collect();
        let plan = self.plan;
        let placed = plan.placements.iter().map(|p| &p.host);
        let staying = plan.staying.iter().map(|s| &s.host);
        let unplaced = plan.unplaced.iter().map(|u| &u.host);
        for host in placed.chain(staying).chain(unplaced) {
            match count.get_mut(host) {
                Some(times) => *times += 1,
                None => self.say(format!("{host} is in the plan but not in the estate")),
            }
        }
        for (host, times) in count {
            if times != 1 {
                self.say(format!("{host} is in the plan {times} times"));
            }
        }
    }

    fn placements(&mut self) {
        let types: BTreeMap<(&str, &str), usize> = self
            .catalog
            .instance_types
            .iter()
            .enumerate()
            .map(|(place, t)| ((self.catalog.providers[t.provider].name.as_str(), t.name.as_str()), place))
            .collect();
        for placement in &self.plan.placements {
            let Some(host) = self.hosts.get(&placement.host).copied() else { continue };
            let name = &placement.host;
            let rules = self.policy.for_host(host);
            let path = format!("{}/{}", placement.provider, placement.region);
            let region = self.catalog.regions.iter().find(|r| {
                r.name == placement.region && self.catalog.providers[r.provider].name == placement.provider
            });
            let Some(region) = region else {
                self.say(format!("{name} goes to {path}, which the catalog does not have"));
                continue;
            };
            let sold = types.get(&(placement.provider.as_str(), placement.offer.as_str()));
            let Some(sold) =
                sold.map(|place| self.catalog.instance_types.iter().nth(*place).expect("just counted"))
            else {
                self.say(format!("{name} becomes {}, which the catalog does not have", placement.offer));
                continue;
            };
            let allowed = rules.providers.is_none_or(|list| list.contains(&placement.provider))
                && rules.regions.is_none_or(|list| list.contains(&path))
                && rules.countries.is_none_or(|list| list.contains(&region.country));
            if !allowed {
                self.say(format!("{name} goes to {path}, which the policy forbids"));
            }
            if rules.stays_because.is_some() {
                self.say(format!("{name} moves although it stays"));
            }
            if !rules.terms.contains(&placement.term)
                || placement.term.months() > self.policy.pricing.horizon_months
            {
                self.say(format!("{name} is paid {}, which the policy forbids", placement.term.name()));
            }
            if !rules.burstable && sold.burstable == Some(true) {
                self.say(format!("{name} gets rationed processor time, which the policy forbids"));
            }
            if (sold.vcpus, sold.memory, sold.architecture)
                != (placement.vcpus, placement.memory_mib, placement.architecture)
            {
                self.say(format!("{name}: the plan describes {} wrongly", placement.offer));
            }
            if host.architecture.is_some_and(|architecture| architecture != sold.architecture) {
                self.say(format!("{name} gets another instruction set"));
            }
            let demand = &placement.demand;
            if sold.vcpus < demand.vcpus || sold.memory < demand.memory_mib {
                self.say(format!("{name} gets a machine smaller than it needs"));
            }
            let source = (rules.vcpus.or(host.vcpus), rules.memory_mib.or(host.memory_mib));
            if source != (Some(demand.source_vcpus), Some(demand.source_memory_mib)) {
                self.say(format!("{name}: the plan describes the source wrongly"));
            }
            let as_is = demand.vcpus >= demand.source_vcpus && demand.memory_mib >= demand.source_memory_mib;
            if demand.basis.starts_with("as-is") && !as_is {
                self.say(format!("{name} is sized as is, but smaller"));
            }
            if let Some(gpu) = host.gpu.as_ref().filter(|gpu| gpu.count > 0)
                && sold.gpus.is_none_or(|count| count < gpu.count)
            {
                self.say(format!("{name} loses its accelerators"));
            }
        }
    }

    fn groups_and_limits(&mut self) {
        let home: BTreeMap<&HostId, (&str, &str)> = self
            .plan
            .placements
            .iter()
            .map(|p| (&p.host, (p.provider.as_str(), p.region.as_str())))
            .collect();
        let load_balancers =
            self.estate.load_balancers.iter().map(|lb| (lb.id.to_string(), lb.members.clone()));
        let clusters = self.estate.clusters.iter().map(|c| (c.id.to_string(), c.workers.clone()));
        for (name, members) in load_balancers.chain(clusters).collect::<Vec<_>>() {
            let regions: BTreeSet<_> = members.iter().filter_map(|host| home.get(host)).collect();
            if regions.len() > 1 {
                self.say(format!("the members of {name} are in {} regions", regions.len()));
            }
        }
        let regions: BTreeSet<_> = home.values().collect();
        let providers: BTreeSet<_> = home.values().map(|(provider, _)| provider).collect();
        let targets = &self.policy.targets;
        if targets.max_regions.is_some_and(|most| regions.len() > most as usize)
            || targets.max_providers.is_some_and(|most| providers.len() > most as usize)
        {
            self.say("more regions or providers are used than the policy allows");
        }
    }

    /// Every line: the rate is the snapshot's, the product is right, the range holds the figure.
    fn lines(&mut self) {
        let factor = match &self.plan.exchange {
            Some(exchange) => exchange.rate.0,
            None => 1_000_000_000,
        };
        let rates = self.rates();
        for line in &self.plan.bill {
            let what = format!("the line {} for {}", line.rate_id, line.item);
            let product = i128::from(line.rate.0) * i128::from(line.quantity.0);
            let twice_off = (product - line.monthly.0 * 1_000_000).abs() * 2;
            let is_own = line.rate_id.as_str().starts_with("policy/");
            if !is_own && twice_off > 1_000_000 {
                self.say(format!("{what} is multiplied wrongly"));
            }
            if line.rate.0 < 0 || line.quantity.0 < 0 {
                self.say(format!("{what} is negative"));
            }
            let id = line.rate_id.as_str();
            let listed = self.listed(line);
            let has_range =
                line.range.as_ref().is_some_and(|r| r.low <= line.monthly && line.monthly <= r.high);
            if line.range.is_some() && !has_range {
                self.say(format!("{what} lies outside its own range"));
            }
            if id.starts_with("estimate/") {
                if !has_range {
                    self.say(format!("{what} is an estimate without a range"));
                }
            } else if let Some(key) = id.strip_prefix("policy/opening.") {
                let opening = &self.policy.opening;
                let own =
                    if key == "region_monthly" { opening.region_monthly } else { opening.provider_monthly };
                if line.monthly != own {
                    self.say(format!("{what} differs from the policy"));
                }
            } else if !is_own {
                let converted = rates.get(id).map(|rate| {
                    let product = i128::from(rate.0) * i128::from(factor);
                    (product, i128::from(listed.0) * 1_000_000_000)
                });
                // A Windows surcharge is the difference of two rates that were each rounded.
                let slack = if id.ends_with("/windows") { 1_000_000_000 } else { 500_000_000 };
                match converted {
                    Some((exact, rounded)) if (exact - rounded).abs() <= slack => {}
                    Some(_) => self.say(format!("{what} has another rate than the snapshot")),
                    None => self.say(format!("{what} names a rate that the snapshot does not have")),
                }
                if line.source.is_none_or(|source| source as usize >= self.plan.price_sources.len()) {
                    self.say(format!("{what} names no source"));
                }
            }
        }
    }

    /// Every rate that the bill may name, in the catalog's currency.
    fn rates(&self) -> BTreeMap<String, Rate> {
        let catalog = self.catalog;
        let region = |place| {
            let region: &carafe_model::catalog::Region = &catalog.regions[place];
            format!("{}/{}", catalog.providers[region.provider].name, region.name)
        };
        let wanted: BTreeSet<(String, &str)> = self
            .plan
            .placements
            .iter()
            .map(|p| (format!("{}/{}", p.provider, p.region), p.offer.as_str()))
            .collect();
        let mut rates = BTreeMap::new();
        let offers = &catalog.offers;
        for place in 0..offers.len() {
            let name = catalog.instance_types[offers.instance_type[place]].name.as_str();
            let path = region(offers.region[place]);
            if !wanted.contains(&(path.clone(), name)) {
                continue;
            }
            let columns = [
                (Term::OnDemand, &offers.on_demand),
                (Term::Spot, &offers.spot),
                (Term::OneYear, &offers.one_year),
                (Term::ThreeYears, &offers.three_years),
                (Term::OneYearFlex, &offers.one_year_flex),
                (Term::ThreeYearsFlex, &offers.three_years_flex),
            ];
            for (term, column) in columns {
                rates.insert(format!("{path}/{name}/{}", term.name()), column[place]);
            }
            let surcharge = Rate((offers.windows[place].0 - offers.on_demand[place].0).max(0));
            rates.insert(format!("{path}/{name}/windows"), surcharge);
        }
        for disk in &catalog.disks {
            rates.insert(format!("{}/disk/{}", region(disk.region), disk.class), disk.gib_month);
        }
        for transfer in &catalog.transfers {
            let paid =
                transfer.tiers.iter().map(|tier| tier.gib).find(|rate| rate.0 != 0).unwrap_or_default();
            rates
                .entry(format!("{}/egress/{}", region(transfer.region), transfer.reach.name()))
                .or_insert(paid);
        }
        for service in &catalog.services {
            rates.insert(
                format!("{}/{}/{}", region(service.region), service.kind.name(), service.name),
                service.hour,
            );
        }
        for licence in &catalog.licences {
            let provider = &catalog.providers[licence.provider].name;
            let os = format!("{:?}", licence.os).to_lowercase();
            let id = format!("{provider}/licence/{os}/{}+", licence.vcpus_from.0);
            rates.insert(format!("{id}/vcpu"), licence.vcpu_hour);
            rates.insert(format!("{id}/machine"), licence.machine_hour);
        }
        rates
    }

    fn machines_and_disks_are_billed(&mut self) {
        let mut of_host: BTreeMap<&HostId, Vec<&BillLine>> = BTreeMap::new();
        for line in &self.plan.bill {
            if let Some(host) = &line.host {
                of_host.entry(host).or_default().push(line);
            }
        }
        for placement in &self.plan.placements {
            let lines = of_host.remove(&placement.host).unwrap_or_default();
            self.host_lines(placement, &lines);
        }
        for host in of_host.into_keys() {
            self.say(format!("{host} is billed but not placed"));
        }
    }

    fn host_lines(&mut self, placement: &Placement, lines: &[&BillLine]) {
        let name = &placement.host;
        let count = |component| lines.iter().filter(|line| line.component == component).count();
        let id = format!(
            "{}/{}/{}/{}",
            placement.provider,
            placement.region,
            placement.offer,
            placement.term.name()
        );
        let machine = lines.iter().find(|line| line.component == Component::Machine);
        if count(Component::Machine) != 1
            || machine.is_none_or(|line| line.rate_id.as_str() != id || line.quantity.to_string() != "730")
        {
            self.say(format!("{name} is not billed for one {} for a month", placement.offer));
        }
        let n_disks = self.hosts.get(name).map_or(0, |host| host.disks.len()).max(1);
        if placement.disks.len() != n_disks
            || !self.catalog.disks.is_empty() && count(Component::Disk) != n_disks
        {
            self.say(format!("{name} has {n_disks} disks, and others are billed"));
        }
        let misplaced = |line: &&&BillLine| {
            line.provider != placement.provider || line.region.as_ref() != Some(&placement.region)
        };
        if lines.iter().any(|line| misplaced(&line)) {
            self.say(format!("{name} is billed where it is not"));
        }
        if placement.monthly != lines.iter().map(|line| line.monthly).sum() {
            self.say(format!("{name}: its lines do not add up to its month"));
        }
    }

    /// Every direction of a flow that leaves a region is billed once, with its volume; nothing else is.
    fn traffic_is_billed(&mut self) {
        if self.catalog.transfers.is_empty() {
            return;
        }
        let home: BTreeMap<&HostId, String> =
            self.plan.placements.iter().map(|p| (&p.host, format!("{}/{}", p.provider, p.region))).collect();
        let region_of = |end: &Endpoint| match end {
            Endpoint::Host(host) => home.get(host).map(String::as_str),
            Endpoint::External(_) => None,
        };
        let zones: BTreeMap<&HostId, &str> =
            self.plan.placements.iter().filter_map(|p| Some((&p.host, p.zone.as_deref()?))).collect();
        let zone_of = |end: &Endpoint| match end {
            Endpoint::Host(host) => zones.get(host).copied(),
            Endpoint::External(_) => None,
        };
        let name = |end: &Endpoint| match end {
            Endpoint::Host(host) => host.to_string(),
            Endpoint::External(name) => name.clone(),
        };
        let mut managed: BTreeSet<&HostId> = BTreeSet::new();
        for cluster in &self.estate.clusters {
            if cluster.workers.iter().any(|worker| home.contains_key(worker)) {
                managed.extend(cluster.control_plane.iter().filter(|host| !cluster.workers.contains(host)));
            }
        }
        let mut expected: Vec<(String, String, Option<i64>)> = Vec::new();
        for flow in &self.estate.flows {
            if flow.from == flow.to {
                continue;
            }
            for (from, to, gib) in
                [(&flow.from, &flow.to, flow.gib_month), (&flow.to, &flow.from, flow.gib_month_back)]
            {
                let Some(region) = region_of(from) else { continue };
                let is_managed = matches!(to, Endpoint::Host(host) if managed.contains(host));
                let stays_in_zone = || match (zone_of(from), zone_of(to)) {
                    (Some(from), Some(to)) => from == to,
                    _ => true,
                };
                if is_managed || region_of(to) == Some(region) && stays_in_zone() {
                    continue;
                }
                let port = flow.port.map(|port| format!(":{port}")).unwrap_or_default();
                expected.push((
                    format!("{} → {}{port}", name(from), name(to)),
                    region.to_owned(),
                    gib.map(|g| g.0),
                ));
            }
        }
        let mut billed: Vec<(String, String, Option<i64>)> = self
            .plan
            .bill
            .iter()
            .filter(|line| line.component == Component::Egress)
            .map(|line| {
                let region = line.region.as_ref().map(|region| format!("{}/{region}", line.provider));
                let is_known = !line.range.as_ref().is_some_and(|range| range.unknown.contains("volume"));
                (
                    line.flow.clone().unwrap_or_default(),
                    region.unwrap_or_default(),
                    is_known.then_some(line.quantity.0),
                )
            })
            .collect();
        expected.sort();
        billed.sort();
        if expected != billed {
            self.say("the traffic that is billed is not the traffic that leaves regions");
        }
    }

    fn sums(&mut self) {
        let (plan, totals) = (self.plan, &self.plan.totals);
        let sum: Money = plan.bill.iter().map(|line| line.monthly).sum();
        if sum != totals.monthly {
            self.say("the bill does not add up to the month");
        }
        let one_time = Money(self.policy.migration.cost_per_host.0 * plan.placements.len() as i128);
        let horizon = Money(totals.monthly.0 * i128::from(totals.horizon_months) + one_time.0);
        if one_time != totals.one_time || horizon != totals.horizon {
            self.say("the horizon does not add up");
        }
        if !(totals.monthly_low <= totals.monthly && totals.monthly <= totals.monthly_high) {
            self.say("the month lies outside its own range");
        }
        let bound = &plan.bound;
        let gap = i128::from(bound.gap.0) * bound.objective.0;
        if bound.objective != totals.monthly
            || bound.lower_bound > bound.objective
            || gap < (bound.objective.0 - bound.lower_bound.0) * 1_000_000
        {
            self.say("the bound contradicts the total");
        }
    }

    /// The graph has no circle, names no step that is missing, and makes every machine.
    fn steps(&mut self) {
        let mut known = BTreeSet::new();
        for step in &self.plan.steps {
            // Each step comes after what it stands on, so a circle cannot be written down.
            for before in step.after.iter().filter(|before| !known.contains(*before)) {
                self.say(format!("step {} stands on {before}, which does not come before it", step.id));
            }
            if !known.insert(&step.id) {
                self.say(format!("step {} is there twice", step.id));
            }
        }
        let workers: BTreeSet<&HostId> =
            self.estate.clusters.iter().flat_map(|cluster| &cluster.workers).collect();
        let made: BTreeSet<&HostId> = self
            .plan
            .steps
            .iter()
            .filter(|step| step.action.kind() == "machine")
            .filter_map(|step| step.host.as_ref())
            .collect();
        for placement in &self.plan.placements {
            if !workers.contains(&placement.host) && !made.contains(&placement.host) {
                self.say(format!("no step makes the machine of {}", placement.host));
            }
        }
    }
}
