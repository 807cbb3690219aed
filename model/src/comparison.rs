//! Several plans side by side: what each costs, and what differs from the first, host by host and unit of money by unit.
//!
//! All money is a month in the one currency of the plans, where nothing else is said. The changes of a column, those of
//! hosts and those that belong to no host, add up to the difference of the totals to the last digit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::finding::Finding;
use crate::ids::{HostId, ProviderName, RateId, RegionName, StepId};
use crate::language::Sentence;
use crate::plan::Component;
use crate::units::{Currency, Money, Quantity, Rate};
use crate::what_if::Axis;

/// The document `comparison/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Kind and version of this document: `comparison/1`.
    pub carafe: String,
    /// What is compared, for example the name of the estate.
    pub name: String,
    /// The currency of all money in it.
    pub currency: Currency,
    /// Whether all plans are of one estate, one catalog, one horizon.
    pub alike: Alike,
    /// The plans, the one that the others are held against first.
    pub columns: Vec<Column>,
    /// The hosts for which any column differs from the first.
    pub hosts: Vec<HostDifference>,
    /// How many hosts are the same in all columns.
    pub hosts_alike: u32,
    /// What differs and belongs to no host: traffic, load balancers, fixed costs.
    pub shared: Vec<SharedDifference>,
    /// Money against providers and regions: the plans that none other beats in both.
    pub fronts: Vec<Front>,
    /// The plans against what exists; there only when it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub live: Vec<Live>,
}

impl Document for Comparison {
    const KIND: &'static str = "comparison";
    const VERSION: u32 = 1;
}

/// What the plans have in common; what differs makes figures differ for that reason too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alike {
    /// One estate, by its SHA-256.
    pub estate: bool,
    /// One catalog, by its SHA-256.
    pub catalog: bool,
    /// One policy, by its SHA-256.
    pub policy: bool,
    /// One horizon.
    pub horizon: bool,
}

/// One plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it is called: a scenario, or the plan's file.
    pub name: String,
    /// What is changed in the policy, as it would be written there; empty for plans from files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Why there is no plan that places every host; absent when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infeasible: Option<Sentence>,
    /// The plan in figures; absent when no plan could be made at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Column {
    /// Its figures, where every host has a place, so that they may be held against others.
    pub fn feasible(&self) -> Option<&Figures> {
        self.figures.as_ref().filter(|_| self.infeasible.is_none())
    }
}

/// A plan in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// A month.
    pub monthly: Money,
    /// A month at list prices, without what price books take off.
    pub monthly_list: Money,
    /// A month if every unknown turns out well.
    pub monthly_low: Money,
    /// A month if every unknown turns out badly.
    pub monthly_high: Money,
    /// The move itself, once.
    pub one_time: Money,
    /// Length of the horizon.
    pub horizon_months: u32,
    /// The whole horizon.
    pub horizon: Money,
    /// What the same costs today a month, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Money>,
    /// What the month costs more than that of the first column; negative when it costs less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs_more: Option<Money>,
    /// No placement costs less a month.
    pub lower_bound: Money,
    /// How far the month is from the lower bound at most.
    pub gap: Quantity,
    /// Whether that is what was asked for.
    pub proven: bool,
    /// Hosts that have a place.
    pub placed: u32,
    /// Hosts that stay.
    pub staying: u32,
    /// Hosts for which nothing fits.
    pub unplaced: u32,
    /// How many hosts each provider gets, by name.
    pub by_provider: Vec<ProviderCount>,
    /// Regions in use as `provider/region`.
    pub regions: Vec<String>,
    /// Milliseconds there and back of the slowest flow between placed hosts; absent where there is none, or one is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_round_trip_ms: Option<Quantity>,
    /// The month by component, without those that cost nothing.
    pub by_component: Vec<ComponentSum>,
    /// What of the month rests on something unknown.
    pub estimated: Money,
    /// Waves.
    pub waves: u32,
    /// Steps.
    pub steps: u32,
    /// Steps that a person does.
    pub manual_steps: u32,
    /// Errors, warnings and notes among the findings.
    pub findings: [u32; 3],
    /// SHA-256 of the estate document.
    pub estate_sha256: String,
    /// Name of the catalog.
    pub catalog: String,
    /// SHA-256 of the catalog.
    pub catalog_sha256: String,
    /// SHA-256 of the policy.
    pub policy_sha256: String,
}

/// How many hosts a provider gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderCount {
    /// The provider.
    pub provider: ProviderName,
    /// How many hosts.
    pub hosts: u32,
    /// What it bills a month.
    pub monthly: Money,
}

/// What one component costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentSum {
    /// The component.
    pub component: Component,
    /// A month of it.
    pub monthly: Money,
}

/// A host that is not the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostDifference {
    /// Which host.
    pub host: HostId,
    /// What becomes of it in each column, in their order; absent where there is no plan.
    pub fates: Vec<Option<Fate>>,
}

/// What becomes of a host in one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fate {
    /// It gets a place.
    Placed {
        /// The provider.
        provider: ProviderName,
        /// The region.
        region: RegionName,
        /// The instance type.
        offer: String,
        /// How it is paid for.
        term: String,
        /// The host's own lines of the bill.
        monthly: Money,
        /// What differs from the first column, line by line; empty in the first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<LineChange>,
    },
    /// It stays.
    Staying {
        /// Why.
        reason: Sentence,
        /// What it no longer costs, line by line.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<LineChange>,
    },
    /// Nothing fits.
    Unplaced {
        /// Why, first reason first.
        reasons: Vec<Sentence>,
        /// What it does not cost, line by line.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<LineChange>,
    },
    /// The plan does not know it: it is of another estate.
    Unknown {
        /// What it does not cost, line by line.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<LineChange>,
    },
}

impl Fate {
    /// What differs from the first column, line by line.
    pub fn changes(&self) -> &[LineChange] {
        match self {
            Fate::Placed { changes, .. }
            | Fate::Staying { changes, .. }
            | Fate::Unplaced { changes, .. }
            | Fate::Unknown { changes } => changes,
        }
    }

    /// What it costs a month.
    pub fn monthly(&self) -> Money {
        match self {
            Fate::Placed { monthly, .. } => *monthly,
            Fate::Staying { .. } | Fate::Unplaced { .. } | Fate::Unknown { .. } => Money::ZERO,
        }
    }
}

/// A line of the bill in the first column and in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineChange {
    /// What the line is for.
    pub component: Component,
    /// The line in the first column; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Line>,
    /// The line in this column; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Line>,
    /// What it costs more a month.
    pub costs_more: Money,
}

/// What of a bill line can differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is, for people.
    pub item: Sentence,
    /// How many units a month.
    pub quantity: Quantity,
    /// What is counted.
    pub unit: String,
    /// Price of a unit.
    pub rate: Rate,
    /// Which rate.
    pub rate_id: RateId,
    /// The month.
    pub monthly: Money,
}

/// What is billed for no host and differs from the first column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedDifference {
    /// What it is for: a flow, or the provider or region it is billed in.
    pub subject: String,
    /// The changes of each column, in their order; empty where nothing differs.
    pub columns: Vec<Vec<LineChange>>,
}

/// Money against one other thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// The other thing.
    pub axis: Axis,
    /// Every feasible plan, ascending in the other thing, then in money.
    pub points: Vec<Point>,
}

/// A plan as a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Which column, from 0.
    pub column: u32,
    /// How many, or how many milliseconds.
    pub value: Quantity,
    /// A month.
    pub monthly: Money,
    /// Whether no other plan has as little of one and less of the other.
    pub is_on_front: bool,
}

/// A plan against what exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Which column, from 0.
    pub column: u32,
    /// How many steps have each change, by its name, without those that none has.
    pub counts: Vec<ChangeCount>,
    /// Every step whose resource is not there as planned.
    pub steps: Vec<LiveStep>,
    /// What carries an owner of Carafe in the regions of the plan and is not in the plan.
    pub beyond: Vec<Beyond>,
    /// What stands in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// How many steps have a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCount {
    /// The change: `make`, `adopt`, `exists`, `differs`, `taken`, `missing_capability`, `unreadable` or `manual`.
    pub change: String,
    /// How many steps.
    pub steps: u32,
}

/// A step whose resource is not there as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveStep {
    /// The step.
    pub step: StepId,
    /// The change, as in [`ChangeCount`].
    pub change: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// A resource that the plan does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// Where, as `provider/region`.
    pub region: String,
    /// The kind of resource.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The run that owns it.
    pub run: String,
}
