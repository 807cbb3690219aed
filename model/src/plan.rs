//! The plan: what goes where, what it costs to the last digit, how close to the optimum that is, and in which order it
//! is done. It is the one contract between planner, reports and executor.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::Term;
use crate::document::Document;
use crate::finding::Finding;
use crate::host::Architecture;
use crate::ids::{HostId, ProviderName, RateId, RegionName};
use crate::language::{Said, SaidAs, Sentence};
use crate::policy::Exchange;
use crate::steps::{Action, Step};
use crate::units::{Currency, Gib, Mib, Money, Quantity, Rate, Vcpus};
use crate::what_if::{Outcome, WhatIf};

/// The document `plan/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Kind and version of this document: `plan/1`.
    pub carafe: String,
    /// The name of the estate.
    pub name: String,
    /// The currency of all money in the plan.
    pub currency: Currency,
    /// How prices were converted; absent when they were in this currency already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// Which prices.
    pub catalog: CatalogRef,
    /// SHA-256 of the estate document.
    pub estate_sha256: String,
    /// SHA-256 of the policy file; of nothing when there was none.
    pub policy_sha256: String,
    /// What it costs.
    pub totals: Totals,
    /// What running the estate costs today, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Today>,
    /// How close to the optimum it is.
    pub bound: Bound,
    /// What goes where, by host.
    pub placements: Vec<Placement>,
    /// What stays where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staying: Vec<Staying>,
    /// What could not be placed, and why.
    pub unplaced: Vec<Unplaced>,
    /// Every figure; the sum of `monthly` is `totals.monthly` to the last digit.
    pub bill: Vec<BillLine>,
    /// Who sends how much to whom, each pair and direction once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<PlannedFlow>,
    /// Where the rates of the bill come from.
    pub price_sources: Vec<PlanSource>,
    /// The order of the move.
    pub waves: Vec<Wave>,
    /// What the executor does.
    pub steps: Vec<Step>,
    /// What was found on the way.
    pub findings: Vec<Finding>,
    /// What was taken for granted, in sentences.
    pub assumptions: Vec<Sentence>,
    /// What sizes as they are would cost, where that was asked for beside measured sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_is: Option<Outcome>,
    /// What other decisions would cost; there only when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_if: Option<Box<WhatIf>>,
    /// What the English texts of this plan say, each once, so that reports can say it in other languages; a text that is
    /// not listed is the user's or the catalog's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentences: Vec<SaidAs>,
}

impl Plan {
    /// Lists in `sentences` what the texts of this plan say, each text once and in the order of the texts.
    pub fn list_sentences(&mut self) {
        let mut said: BTreeMap<&str, &Said> = BTreeMap::new();
        for sentence in self.texts() {
            if let Some(known) = sentence.said() {
                said.insert(sentence.as_str(), known);
            }
        }
        let listed = said
            .into_iter()
            .map(|(text, said)| SaidAs { text: text.to_owned(), said: said.clone() })
            .collect();
        self.sentences = listed;
    }

    /// Every text of the plan that people read.
    fn texts(&self) -> impl Iterator<Item = &Sentence> {
        let placed = self.placements.iter().flat_map(|placement| {
            let refused = placement.refused.iter().map(|refusal| &refusal.text);
            placement.reasons.iter().chain([&placement.demand.basis]).chain(refused)
        });
        let unplaced = self.unplaced.iter().flat_map(|unplaced| {
            unplaced.reasons.iter().chain(unplaced.refused.iter().map(|refusal| &refusal.text))
        });
        let bill = self
            .bill
            .iter()
            .flat_map(|line| [Some(&line.item), line.range.as_ref().map(|range| &range.unknown)])
            .flatten();
        let findings = self
            .findings
            .iter()
            .flat_map(|finding| [Some(&finding.summary), finding.help.as_ref()])
            .flatten();
        let tasks = self.steps.iter().filter_map(|step| match &step.action {
            Action::Manual { text, .. } => Some(text),
            Action::Network { .. }
            | Action::Subnet { .. }
            | Action::SecurityGroup { .. }
            | Action::KeyPair { .. }
            | Action::Machine { .. }
            | Action::Disk { .. }
            | Action::Attachment { .. }
            | Action::PublicAddress { .. }
            | Action::LoadBalancer { .. }
            | Action::KubernetesCluster { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => None,
        });
        placed
            .chain(unplaced)
            .chain(self.staying.iter().map(|staying| &staying.reason))
            .chain(bill)
            .chain(self.price_sources.iter().map(|source| &source.name))
            .chain(self.waves.iter().map(|wave| &wave.reason))
            .chain(tasks)
            .chain(findings)
            .chain(&self.assumptions)
            .chain(self.what_if.iter().flat_map(|what_if| what_if.texts()))
    }
}

impl Document for Plan {
    const KIND: &'static str = "plan";
    const VERSION: u32 = 1;
}

/// The snapshot a plan was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogRef {
    /// Its name.
    pub id: String,
    /// SHA-256 of its columns.
    pub sha256: String,
    /// Date of its newest price.
    pub as_of: String,
    /// Date of its oldest price.
    pub oldest: String,
}

/// What a plan costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// A month: the sum of the bill.
    pub monthly: Money,
    /// A month if every unknown turns out well.
    pub monthly_low: Money,
    /// A month if every unknown turns out badly.
    pub monthly_high: Money,
    /// The move itself, once.
    pub one_time: Money,
    /// Length of the horizon.
    pub horizon_months: u32,
    /// The whole horizon: `monthly × horizon_months + one_time`.
    pub horizon: Money,
}

/// What running the estate costs today, in the plan's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Today {
    /// A month of the hosts that move.
    pub monthly: Money,
    /// Who says so.
    pub source: String,
}

/// How close to the optimum a plan is, under the plan's own assumptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// What was minimised: the month's total.
    pub objective: Money,
    /// No placement costs less than this a month.
    pub lower_bound: Money,
    /// `(objective − lower_bound) ÷ objective`, rounded up, as a decimal string.
    pub gap: Quantity,
    /// Whether the gap is at or below what was asked for.
    pub proven: bool,
}

/// Where a host goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Which host.
    pub host: HostId,
    /// The provider it goes to.
    pub provider: ProviderName,
    /// The region it goes to.
    pub region: RegionName,
    /// ISO country of the region; empty when unknown.
    pub country: String,
    /// The zone, where one is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The instance type it becomes.
    pub offer: String,
    /// How it is paid for.
    pub term: Term,
    /// Instruction set of the offer.
    pub architecture: Architecture,
    /// Hardware threads of the offer.
    pub vcpus: Vcpus,
    /// Memory of the offer.
    pub memory_mib: Mib,
    /// What was asked of the offer.
    pub demand: Demand,
    /// Disks it gets, the boot disk first.
    pub disks: Vec<PlacedDisk>,
    /// The host's own lines of the bill, summed.
    pub monthly: Money,
    /// Why here, in sentences, the weightiest first.
    pub reasons: Vec<Sentence>,
    /// What other offers lacked, by reason.
    pub refused: Vec<Refusal>,
    /// The best place it would have had otherwise; absent when there is none.
    pub runner_up: Option<RunnerUp>,
}

/// What a host needs at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// Hardware threads the host has today.
    pub source_vcpus: Vcpus,
    /// Memory the host has today.
    pub source_memory_mib: Mib,
    /// Hardware threads asked for.
    pub vcpus: Vcpus,
    /// Memory asked for.
    pub memory_mib: Mib,
    /// How they were found: `as-is`, `measured`, or `as-is: …` with the reason of a fall-back.
    pub basis: Sentence,
}

/// A disk a host gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedDisk {
    /// Its name on the source host.
    pub name: String,
    /// Its size.
    pub size_gib: Gib,
    /// The provider's class; absent when the catalog has no price for block storage there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// How many offers were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Stable code of the reason, for example `memory`.
    pub reason: String,
    /// In words.
    pub text: Sentence,
    /// How many offers it alone or among others refused.
    pub offers: u32,
}

/// The best other place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerUp {
    /// The provider.
    pub provider: ProviderName,
    /// The region.
    pub region: RegionName,
    /// The instance type.
    pub offer: String,
    /// How it would be paid for.
    pub term: Term,
    /// What the whole plan would cost more a month if this host went there and nothing else changed.
    pub costs_more: Money,
}

/// A host that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Staying {
    /// Which host.
    pub host: HostId,
    /// Why.
    pub reason: Sentence,
}

/// A host without a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unplaced {
    /// Which host.
    pub host: HostId,
    /// Why, in sentences.
    pub reasons: Vec<Sentence>,
    /// The same by reason and count.
    pub refused: Vec<Refusal>,
}

/// What a line of the bill is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// A virtual machine without licences.
    Machine,
    /// Block storage.
    Disk,
    /// Outgoing traffic.
    Egress,
    /// A public address.
    Address,
    /// A load balancer.
    LoadBalancer,
    /// A NAT gateway.
    Nat,
    /// A managed Kubernetes control plane.
    Kubernetes,
    /// An operating system or database licence.
    Licence,
    /// The fixed cost of using a provider or region at all.
    Opening,
    /// A support plan.
    Support,
    /// A managed service.
    Managed,
    /// Anything else.
    Other,
}

impl Component {
    /// Every component, in the order of reports.
    pub const ALL: [Component; 12] = [
        Component::Machine,
        Component::Disk,
        Component::Licence,
        Component::Egress,
        Component::LoadBalancer,
        Component::Address,
        Component::Nat,
        Component::Kubernetes,
        Component::Opening,
        Component::Support,
        Component::Managed,
        Component::Other,
    ];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Component::Machine => "machine",
            Component::Disk => "disk",
            Component::Egress => "egress",
            Component::Address => "address",
            Component::LoadBalancer => "load-balancer",
            Component::Nat => "nat",
            Component::Kubernetes => "kubernetes",
            Component::Licence => "licence",
            Component::Opening => "opening",
            Component::Support => "support",
            Component::Managed => "managed",
            Component::Other => "other",
        }
    }
}

/// One figure of the bill: `monthly` is `quantity × rate`, to the nearest billionth, halves to even.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillLine {
    /// The host it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The flow it is for, as `from → to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// The provider who bills it.
    pub provider: ProviderName,
    /// The region it is billed in; absent for what is billed once for the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionName>,
    /// What kind of thing it is.
    pub component: Component,
    /// What it is, for people, for example `m5.large, on-demand`.
    pub item: Sentence,
    /// How many units a month.
    pub quantity: Quantity,
    /// What is counted: `hour`, `GiB-month`, `GiB`, `vCPU-hour`, or `month`.
    pub unit: String,
    /// Price of a unit.
    pub rate: Rate,
    /// Which rate, as the snapshot names it; `estimate/…` for a rate the snapshot lacks, `policy/…` for one of the user's.
    pub rate_id: RateId,
    /// The list price of a unit and whose paper says that it is not what is paid; absent where the list price is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListPrice>,
    /// The month.
    pub monthly: Money,
    /// The month if what is unknown about this line turns out well and badly; absent when nothing is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<LineRange>,
    /// Place in `price_sources`; absent for the user's own figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<u32>,
}

/// Traffic that a placed host sends, with what it costs where the plan puts both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedFlow {
    /// The host that sends.
    pub from: HostId,
    /// The host that receives, or the name of what is outside the estate.
    pub to: String,
    /// GiB a month; what the plan counts with where that is not known.
    pub gib: Quantity,
    /// Whether the volume is an assumption.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_assumed: bool,
    /// Milliseconds there and back between the two regions; absent where one of the ends is none, or nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<Quantity>,
    /// What it costs a month; its lines of the bill, summed. Nothing within a region.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub monthly: Money,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(amount: &Money) -> bool {
    *amount == Money::ZERO
}

/// What a list says where the price book says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrice {
    /// The list price of a unit.
    pub rate: Rate,
    /// The source that the price book names for what is paid.
    pub book: String,
}

/// The low and the high figure of a line with something unknown in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRange {
    /// The month if it turns out well.
    pub low: Money,
    /// The month if it turns out badly.
    pub high: Money,
    /// What is unknown, in words.
    pub unknown: Sentence,
}

/// Where rates come from and when they were true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSource {
    /// The list, API or document; for an estimate, how it was made.
    pub name: Sentence,
    /// The date it was true.
    pub as_of: String,
    /// Anything that qualifies the figures; empty when nothing does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quality: String,
}

/// Hosts that move at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// From 1, in the order of the move.
    pub number: u32,
    /// What it is called.
    pub name: String,
    /// Who moves.
    pub hosts: Vec<HostId>,
    /// Why these, and why now.
    pub reason: Sentence,
}
