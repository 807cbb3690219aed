//! What `apply` would do, without doing it: the same loop over a driver that reads and only pretends to write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe_model::finding::Finding;
use carafe_model::host::OsFamily;
use carafe_model::ids::{HostId, ProviderName, RegionName, StepId};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::OnceCell;

use super::graph::{self, Graph};
use crate::drivers::{
    Ability, Access, Capabilities, Driver, DriverError, ErrorKind, Kind, Observed, Outcome, Quota, Removal,
    Reply, Resource, Sale, Status, Target,
};
use crate::run_id::RunId;

/// What `apply` would do, step by step, in the order in which it would begin them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "dry-run/1")]
pub struct DryRun {
    /// The document's version: `dry-run/1`.
    pub carafe: &'static str,
    /// The plan's name.
    pub plan: String,
    /// Every step up to the wave that was asked for.
    pub steps: Vec<DryStep>,
    /// What bears the tags of a run in the same places and is no part of this plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strays: Vec<Stray>,
    /// Everything that would go wrong, as far as reading can tell. Empty when nothing would.
    pub findings: Vec<Finding>,
}

impl DryRun {
    /// Whether `apply` would change anything.
    pub fn has_changes(&self) -> bool {
        self.count(Change::Make) > 0
    }

    /// How many steps have a change.
    pub fn count(&self, change: Change) -> usize {
        self.steps.iter().filter(|step| step.change == change).count()
    }
}

/// The JSON Schema of a dry run.
pub fn schema() -> serde_json::Value {
    serde_json::to_value(schemars::schema_for!(DryRun)).expect("a schema is JSON")
}

/// A resource that a run made and this plan does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stray {
    /// Where.
    pub provider: ProviderName,
    /// Where.
    pub region: RegionName,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The run that made it.
    pub run: RunId,
}

/// What `apply` would do for one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DryStep {
    /// The step.
    pub id: StepId,
    /// Its wave.
    pub wave: u32,
    /// Where.
    pub provider: ProviderName,
    /// Where.
    pub region: RegionName,
    /// The host it is done for, where it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The kind of resource, or `manual`.
    pub kind: &'static str,
    /// The name of the resource, or what a person does.
    pub name: String,
    /// What would happen.
    pub change: Change,
    /// More about it: what is in the way, what differs, who made it. In sentences without a full stop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What would happen for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It would be made.
    Make,
    /// A person made it, and it would be taken over.
    Adopt,
    /// An earlier run of this plan made it.
    Exists,
    /// It exists with other settings, and the step would fail.
    Differs,
    /// Something else bears its name, and the step would fail.
    Taken,
    /// The driver cannot make this kind of resource at all.
    MissingCapability,
    /// The target could not be read.
    Unreadable,
    /// A person does it.
    Manual,
}

/// What was found out about each step, in the order of asking.
pub(super) type Verdicts = Arc<Mutex<Vec<(StepId, Verdict)>>>;

/// What was found out about one step.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    change: Change,
    details: Vec<String>,
    refusals: Vec<DriverError>,
}

impl Verdict {
    fn new(change: Change, details: Vec<String>) -> Verdict {
        Verdict { change, details, refusals: Vec::new() }
    }
}

/// A driver that lets reads through and answers writes as if nothing could go wrong, so that one problem does not hide
/// the next.
pub(super) struct Preview {
    inner: Arc<dyn Driver>,
    verdicts: Verdicts,
    /// Everything: what the driver lacks is a verdict, not the end of the dry run.
    pretended: Capabilities,
    /// Whether its cloud answers at all, or why not. Asked once, as each step would wait as long for the same answer.
    open: OnceCell<Result<(), String>>,
}

/// Every reading is tried so often.
const TRIES: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const AFTER_LOSS: Duration = Duration::from_secs(1);

impl Preview {
    pub(super) fn new(inner: Arc<dyn Driver>, verdicts: Verdicts) -> Preview {
        let kinds = Kind::ALL.into_iter().map(|kind| (kind, Ability::Makes)).collect();
        Preview { inner, verdicts, pretended: Capabilities { kinds }, open: OnceCell::new() }
    }

    async fn is_open(&self) -> Result<(), String> {
        let ask =
            || async { patiently(|| self.inner.access()).await.map(drop).map_err(|error| error.message) };
        self.open.get_or_init(ask).await.clone()
    }

    async fn judge(&self, target: &Target) -> Verdict {
        let unreadable = |error: DriverError| Verdict::new(Change::Unreadable, vec![error.message]);
        let Some(ability) = self.inner.capabilities().of(target.kind) else {
            let what = format!("{} has no {}", target.provider, target.kind.words());
            return Verdict::new(Change::MissingCapability, vec![what]);
        };
        if let Err(why) = self.is_open().await {
            return Verdict::new(Change::Unreadable, vec![why]);
        }
        let found = match patiently(|| self.inner.observe(target)).await {
            Ok(found) => found,
            Err(error) => return unreadable(error),
        };
        match (found, ability) {
            (None, Ability::Makes) => match patiently(|| self.inner.check(target)).await {
                Ok(refusals) => {
                    let details = refusals.iter().map(|refusal| refusal.message.clone()).collect();
                    Verdict { change: Change::Make, details, refusals }
                }
                Err(error) => unreadable(error),
            },
            (None, Ability::Adopts) => {
                let what = format!("only a person can make a {} here", target.kind.words());
                Verdict::new(Change::Manual, vec![what])
            }
            (Some(Observed { resource, differences }), ability) => match resource.owner {
                Some(owner) if owner.key != target.owner.key => {
                    Verdict::new(Change::Taken, vec![format!("run {} of another plan made it", owner.run)])
                }
                None if ability == Ability::Makes => {
                    Verdict::new(Change::Taken, vec!["it was not made by Carafe".to_owned()])
                }
                _ if !differences.is_empty() => Verdict::new(Change::Differs, differences),
                Some(owner) => Verdict::new(Change::Exists, vec![format!("run {} made it", owner.run)]),
                None => Verdict::new(Change::Adopt, Vec::new()),
            },
        }
    }
}

/// Reads again after a throttle or a lost reply, which say nothing about the target.
pub(super) async fn patiently<'a, T>(read: impl Fn() -> Reply<'a, T>) -> Result<T, DriverError> {
    for _ in 1..TRIES {
        match read().await {
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, .. }) => {
                tokio::time::sleep(retry_after.min(LONGEST_WAIT)).await;
            }
            Err(DriverError { kind: ErrorKind::Unknown, .. }) => tokio::time::sleep(AFTER_LOSS).await,
            answer => return answer,
        }
    }
    read().await
}

impl Driver for Preview {
    fn capabilities(&self) -> &Capabilities {
        &self.pretended
    }

    fn access(&self) -> Reply<'_, Access> {
        self.inner.access()
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        Box::pin(async move {
            let verdict = self.judge(target).await;
            let mut verdicts = self.verdicts.lock().expect("nothing panics while it holds the verdicts");
            verdicts.push((target.owner.step.clone(), verdict));
            Ok(Outcome::Made(Resource {
                id: String::new(),
                kind: target.kind,
                name: target.name().to_owned(),
                owner: Some(target.owner.clone()),
                status: Status::Ready,
            }))
        })
    }

    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        self.inner.observe(target)
    }

    fn remove<'a>(&'a self, _: &'a Target) -> Reply<'a, Removal> {
        Box::pin(std::future::ready(Err(ErrorKind::Invalid.because("a dry run removes nothing"))))
    }

    fn list<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>> {
        self.inner.list(provider, region, run)
    }

    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>> {
        self.inner.check(target)
    }

    fn quotas<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<Kind, Quota>> {
        self.inner.quotas(provider, region)
    }

    fn sales<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        self.inner.sales(provider, region, types)
    }

    fn licences<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>> {
        self.inner.licences(provider, region)
    }

    fn discard<'a>(&'a self, _: &'a ProviderName, _: &'a RegionName, _: &'a Resource) -> Reply<'a, Removal> {
        Box::pin(std::future::ready(Err(ErrorKind::Invalid.because("a dry run removes nothing"))))
    }
}

/// Puts the verdicts together. `order` names every step in the order in which it began.
pub(super) fn conclude(plan: &str, graph: &Graph, order: &[StepId], verdicts: &Verdicts) -> DryRun {
    let verdicts = verdicts.lock().expect("nothing panics while it holds the verdicts");
    let mut by_step: BTreeMap<&StepId, &Verdict> = BTreeMap::new();
    for (step, verdict) in verdicts.iter() {
        by_step.insert(step, verdict);
    }
    let mut steps = Vec::new();
    let mut findings = Vec::new();
    let mut unread: Vec<(&ProviderName, &RegionName, &[String], Vec<usize>)> = Vec::new();
    let manual = Verdict::new(Change::Manual, Vec::new());
    for id in order {
        let index = graph.index(id).expect("only steps of the plan are begun");
        let step = &graph.steps[index];
        let verdict = by_step.get(id).copied().unwrap_or(&manual);
        findings.extend(findings_of(graph, index, verdict));
        if verdict.change == Change::Unreadable {
            let same = unread.iter_mut().find(|(provider, region, details, _)| {
                (*provider, *region, *details) == (&step.provider, &step.region, &verdict.details)
            });
            match same {
                Some((.., indices)) => indices.push(index),
                None => unread.push((&step.provider, &step.region, &verdict.details, vec![index])),
            }
        }
        steps.push(DryStep {
            id: id.clone(),
            wave: step.wave,
            provider: step.provider.clone(),
            region: step.region.clone(),
            host: step.host.clone(),
            kind: step.action.kind(),
            name: step.action.name().to_owned(),
            change: verdict.change,
            details: verdict.details.clone(),
        });
    }
    for (provider, region, details, indices) in unread {
        let details = details.join(", ");
        findings.push(match indices.as_slice() {
            [index] => finding_at(graph, *index, "RUN-105", &details),
            many => graph::error("RUN-105", format!("{provider}/{region}, {} steps: {details}", many.len())),
        });
    }
    DryRun { carafe: "dry-run/1", plan: plan.to_owned(), steps, strays: Vec::new(), findings }
}

/// By which code a refusal is told. What is short for a whole region is told once, with how much is missing.
const fn code(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Quota | ErrorKind::NoCapacity => None,
        ErrorKind::Denied => Some("RUN-106"),
        ErrorKind::NotFound => Some("RUN-109"),
        ErrorKind::Conflict => Some("RUN-111"),
        ErrorKind::Invalid | ErrorKind::Throttled { .. } | ErrorKind::Unknown => Some("RUN-103"),
    }
}

fn finding_at(graph: &Graph, index: usize, code: &str, detail: &str) -> Finding {
    let step = &graph.steps[index];
    let finding = graph::error(code, format!("{}: {detail}", step.id)).at(graph::place(index, "action"));
    match &step.host {
        Some(host) => finding.host(host.as_str()),
        None => finding,
    }
}

/// What is found about one step. What cannot be read is told by place, as it is often the same for many.
fn findings_of(graph: &Graph, index: usize, verdict: &Verdict) -> Vec<Finding> {
    let step = &graph.steps[index];
    let finding = |code: &str, detail: &str| finding_at(graph, index, code, detail);
    let details = verdict.details.join(", ");
    match verdict.change {
        Change::Make => verdict
            .refusals
            .iter()
            .filter_map(|refusal| code(refusal.kind).map(|code| finding(code, &refusal.message)))
            .collect(),
        Change::Taken => {
            vec![finding("RUN-101", &format!("the name \"{}\" is taken, {details}", step.action.name()))]
        }
        Change::Differs => vec![finding("RUN-102", &format!("it exists with other settings: {details}"))],
        Change::MissingCapability => vec![finding("RUN-007", &details)],
        Change::Adopt | Change::Exists | Change::Manual | Change::Unreadable => Vec::new(),
    }
}
