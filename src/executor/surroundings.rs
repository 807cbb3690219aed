//! What a dry run reads about a region as a whole: quotas, licences, what is for sale and for how much, and what bears
//! the tags of a run without being in the plan.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::Finding;
use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RateId, RegionName};
use carafe_model::plan::{Component, Plan};
use carafe_model::steps::Action;

use super::dry_run::{Change, DryRun, Stray, patiently};
use super::graph::{self, Graph};
use crate::drivers::connections::Connections;
use crate::drivers::{Driver, DriverError, IdempotencyKey, Sale};

/// Where something is: a provider and one of its regions.
type Place = (ProviderName, RegionName);

/// What would be made in a region.
#[derive(Default)]
struct Wanted {
    kinds: BTreeMap<&'static str, u64>,
    types: BTreeMap<String, u64>,
    systems: BTreeMap<OsFamily, u64>,
    actions: Vec<Action>,
}

/// Reads every region of a plan and tells what is short there, what costs something else now, and what strays.
pub(super) async fn look_around(
    dry_run: &mut DryRun,
    plan: &Plan,
    plan_sha256: &str,
    graph: &Graph<'_>,
    connections: &Connections,
) {
    let keys: BTreeSet<IdempotencyKey> =
        plan.steps.iter().map(|step| IdempotencyKey::new(plan_sha256, &step.id)).collect();
    for ((provider, region), wanted) in wanted(dry_run, graph) {
        // Of a place where no step could be looked at nothing else can be read either, and that is told already.
        let here = dry_run.steps.iter().filter(|step| step.provider == provider && step.region == region);
        let changes: BTreeSet<Change> =
            here.map(|step| step.change).filter(|it| *it != Change::Manual).collect();
        if changes == BTreeSet::from([Change::Unreadable]) {
            continue;
        }
        let Some(driver) = connections.driver(&provider, &region) else { continue };
        let mut around = Around { driver: &**driver, provider: &provider, region: &region, dry_run };
        around.quotas(&wanted).await;
        around.shortages(&wanted).await;
        around.licences(&wanted).await;
        around.sales(&wanted, plan).await;
        around.strays(&keys).await;
    }
}

fn wanted(dry_run: &DryRun, graph: &Graph<'_>) -> BTreeMap<Place, Wanted> {
    let mut places: BTreeMap<Place, Wanted> = BTreeMap::new();
    for step in &dry_run.steps {
        let Some(action) = graph.index(&step.id).map(|index| &graph.steps[index].action) else { continue };
        if crate::drivers::Kind::of(action).is_none() {
            continue;
        }
        let wanted = places.entry((step.provider.clone(), step.region.clone())).or_default();
        if step.change != Change::Make {
            continue;
        }
        *wanted.kinds.entry(step.kind).or_default() += 1;
        wanted.actions.push(action.clone());
        if let Action::Machine { instance_type, image, .. } = action {
            *wanted.types.entry(instance_type.clone()).or_default() += 1;
            *wanted.systems.entry(image.family).or_default() += 1;
        }
    }
    places
}

struct Around<'a> {
    driver: &'a dyn Driver,
    provider: &'a ProviderName,
    region: &'a RegionName,
    dry_run: &'a mut DryRun,
}

impl Around<'_> {
    fn place(&self) -> String {
        format!("{}/{}", self.provider, self.region)
    }

    fn tell(&mut self, code: &str, what: String) {
        self.dry_run.findings.push(graph::error(code, what));
    }

    fn unreadable(&mut self, what: &str, error: &DriverError) {
        let what = format!("{what} of {} cannot be read: {error}", self.place());
        self.tell("RUN-105", what);
    }

    async fn quotas(&mut self, wanted: &Wanted) {
        match patiently(|| self.driver.quotas(self.provider, self.region)).await {
            Ok(quotas) => {
                for (kind, quota) in quotas {
                    let needed = wanted.kinds.get(kind.name()).copied().unwrap_or_default();
                    let free = quota.limit.saturating_sub(quota.used);
                    if needed > free {
                        let what = format!(
                            "{} lets the account have {free} more of kind {}, and the plan needs {needed}",
                            self.place(),
                            kind.words()
                        );
                        self.tell("RUN-104", what);
                    }
                }
            }
            Err(error) => self.unreadable("the quotas", &error),
        }
    }

    async fn shortages(&mut self, wanted: &Wanted) {
        match patiently(|| self.driver.shortages(self.provider, self.region, &wanted.actions)).await {
            Ok(shortages) => {
                for shortage in shortages {
                    self.tell("RUN-104", format!("{}: {shortage}", self.place()));
                }
            }
            Err(error) => self.unreadable("the quotas", &error),
        }
    }

    async fn licences(&mut self, wanted: &Wanted) {
        if wanted.systems.is_empty() {
            return;
        }
        match patiently(|| self.driver.licences(self.provider, self.region)).await {
            Ok(licences) => {
                for (family, quota) in licences {
                    let needed = wanted.systems.get(&family).copied().unwrap_or_default();
                    let free = quota.limit.saturating_sub(quota.used);
                    if needed > free {
                        let what = format!(
                            "the licences for {} allow {free} more machines in {}, and the plan needs {needed}",
                            system(family),
                            self.place()
                        );
                        self.tell("RUN-110", what);
                    }
                }
            }
            Err(error) => self.unreadable("the licences", &error),
        }
    }

    async fn sales(&mut self, wanted: &Wanted, plan: &Plan) {
        if wanted.types.is_empty() {
            return;
        }
        let types: Vec<String> = wanted.types.keys().cloned().collect();
        let sales = match patiently(|| self.driver.sales(self.provider, self.region, &types)).await {
            Ok(sales) => sales,
            Err(error) => return self.unreadable("what is for sale", &error),
        };
        for (name, needed) in &wanted.types {
            let place = self.place();
            match sales.get(name) {
                None => self.tell("RUN-107", format!("{place} does not sell {name}")),
                Some(sale) => {
                    if let Some(free) = sale.free.filter(|free| free < needed) {
                        let what = format!("{place} has {free} of {name} left, and the plan needs {needed}");
                        self.tell("RUN-107", what);
                    }
                    self.prices(name, sale, plan);
                }
            }
        }
    }

    /// Tells what the bill has at another rate than the cloud asks for now. A plan in another currency than the cloud's
    /// was converted at a rate of its own day, so nothing is compared there.
    fn prices(&mut self, name: &str, sale: &Sale, plan: &Plan) {
        if plan.exchange.is_some() || sale.currency != Some(plan.currency) {
            return;
        }
        for (term, now) in &sale.hourly {
            let rate_id = RateId(format!("{}/{}/{name}/{term}", self.provider, self.region));
            let then =
                plan.bill.iter().find(|line| line.component == Component::Machine && line.rate_id == rate_id);
            if let Some(line) = then.filter(|line| line.rate != *now) {
                let what = format!(
                    "{name}, {term}, costs {now} {} an hour in {} now, and {} in the plan",
                    plan.currency,
                    self.place(),
                    line.rate
                );
                let help = graph::help("RUN-108");
                self.dry_run.findings.push(Finding::warning("RUN-108", what).help(help));
            }
        }
    }

    async fn strays(&mut self, keys: &BTreeSet<IdempotencyKey>) {
        match patiently(|| self.driver.list(self.provider, self.region, None)).await {
            Ok(resources) => {
                for resource in resources {
                    let Some(owner) = resource.owner.filter(|owner| !keys.contains(&owner.key)) else {
                        continue;
                    };
                    self.dry_run.strays.push(Stray {
                        provider: self.provider.clone(),
                        region: self.region.clone(),
                        kind: resource.kind,
                        name: resource.name,
                        run: owner.run,
                    });
                }
            }
            Err(error) => self.unreadable("what exists", &error),
        }
    }
}

fn system(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Linux => "Linux",
        OsFamily::Rhel => "Red Hat Enterprise Linux",
        OsFamily::Sles => "SUSE Linux Enterprise Server",
        OsFamily::Windows => "Windows",
        OsFamily::Other => "other systems",
    }
}
