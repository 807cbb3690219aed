//! What other decisions would cost: each answer comes from planning again, with its own bound.
//!
//! A plan holds this section only when it was asked for (`carafe plan --what-if`). All money is a month, in the plan's
//! currency. An answer whose `outcome` is absent is one for which no placement of the same hosts exists or was found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProviderName;
use crate::language::Sentence;
use crate::units::{Money, Quantity};

/// Everything that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// The cheapest of the plans that do without one of the plan's providers; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<Outcome>,
    /// What each constraint of the policy costs, and what further ones would.
    pub constraints: Vec<ConstraintPrice>,
    /// The plan and the best answer when prices or traffic are other than assumed.
    pub scenarios: Vec<Scenario>,
    /// How far the prices of each provider in use, and traffic, may move before another plan is cheaper.
    pub ranges: Vec<StableRange>,
    /// Money against something else: the points that no other point beats in both.
    pub fronts: Vec<Front>,
    /// What was asked and not worked out, with the reason, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Sentence>,
}

impl WhatIf {
    /// Every text that people read.
    pub fn texts(&self) -> impl Iterator<Item = &Sentence> {
        let constraints = self.constraints.iter().map(|constraint| &constraint.text);
        let scenarios = self.scenarios.iter().map(|scenario| &scenario.text);
        let ranges = self.ranges.iter().map(|range| &range.text);
        constraints.chain(scenarios).chain(ranges).chain(&self.left_out)
    }
}

/// Another plan in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What it costs.
    pub monthly: Money,
    /// No placement under the same conditions costs less.
    pub lower_bound: Money,
    /// Whether the gap between the two is at or below what was asked for.
    pub proven: bool,
    /// What it costs more than the plan under the same conditions; negative when it is cheaper.
    pub costs_more: Money,
    /// Hosts that have a place.
    pub placed: u32,
    /// Hosts whose region or zone differs from the plan's.
    pub elsewhere: u32,
    /// Providers in use, ascending.
    pub providers: Vec<ProviderName>,
    /// Regions in use as `provider/region`, ascending.
    pub regions: Vec<String>,
}

/// What was done to the policy to find a constraint's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A constraint of the policy was left out.
    Dropped,
    /// A constraint that the policy does not have was added.
    Added,
}

/// What a constraint costs: the cheapest plan with it against the cheapest without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintPrice {
    /// Its place in the policy, for example `targets.countries` or `rule[0].countries`.
    pub key: String,
    /// The constraint as a sentence.
    pub text: Sentence,
    /// Whether the policy has it.
    pub change: Change,
    /// What it costs a month: the dearer of the two plans minus the cheaper one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<CostRange>,
    /// The plan with the change; absent when there is none, as for a constraint that cannot be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A cost with what the gaps of the two plans leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostRange {
    /// By the plans that were found.
    pub found: Money,
    /// It cannot be less.
    pub least: Money,
    /// It cannot be more.
    pub most: Money,
}

/// What happens when prices or traffic are other than assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The scenario as a sentence, for example `All prices of aws are 10 % higher.`
    pub text: Sentence,
    /// Whose prices change; absent when traffic does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// What the prices, or the traffic, are multiplied with.
    pub factor: Quantity,
    /// What the plan as it is would then cost.
    pub plan_monthly: Money,
    /// Whether no other plan would then be cheaper than this one.
    pub plan_stays: bool,
    /// The best plan then; its `costs_more` is against the plan as it is under the same prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// How far one thing may move, everything else unchanged, before another plan is cheaper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StableRange {
    /// What moves, for example `Prices of aws` or `Traffic between hosts`.
    pub text: Sentence,
    /// Whose prices; absent for traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The plan stays the cheapest down to this factor.
    pub from: RangeEnd,
    /// The plan stays the cheapest up to this factor.
    pub to: RangeEnd,
}

/// One end of a range of factors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeEnd {
    /// The factor.
    pub factor: Quantity,
    /// Whether another plan takes over there; `false` when that is as far as was looked.
    pub is_limit: bool,
    /// What takes over beyond it, at today's prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Outcome>,
}

/// What money is weighed against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// How many providers are in use.
    Providers,
    /// How many regions are in use.
    Regions,
    /// The longest round trip of any flow between placed hosts, in milliseconds.
    Latency,
}

/// Money against one other thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// The other thing.
    pub axis: Axis,
    /// Ascending in it, so descending in money.
    pub points: Vec<FrontPoint>,
}

/// A plan that is the cheapest for what it gives on the other axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontPoint {
    /// How many, or how many milliseconds.
    pub value: Quantity,
    /// Whether this is the plan itself.
    pub is_plan: bool,
    /// The plan there.
    pub outcome: Outcome,
}
