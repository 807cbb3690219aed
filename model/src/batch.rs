//! The index of a batch: one row for each estate under each policy and catalog, with its figures or with what is wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::finding::Finding;
use crate::units::{Currency, Money, Quantity};

/// The document `batch/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Kind and version of this document: `batch/1`.
    pub carafe: String,
    /// Every plan that was asked for, by estate, policy and catalog.
    pub rows: Vec<Row>,
    /// Files of a folder that were neither estate nor policy nor catalog.
    pub skipped: u32,
}

impl Document for Batch {
    const KIND: &'static str = "batch";
    const VERSION: u32 = 1;
}

/// One estate under one policy and one catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Name of the estate.
    pub estate: String,
    /// Name of the policy.
    pub policy: String,
    /// Name of the catalog.
    pub catalog: String,
    /// How it ended.
    pub state: State,
    /// The folder of its files, beside the index; there is none where no plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Its figures; absent where no plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<RowFigures>,
    /// Errors, warnings and notes that were found.
    pub counts: [u32; 3],
    /// What stopped it, the worst first; empty where a plan was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// How a row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Every host has a place or stays.
    Done,
    /// Some host has no place.
    Unplaced,
    /// No plan was made.
    Broken,
}

impl State {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Unplaced => "unplaced",
            State::Broken => "broken",
        }
    }
}

/// A plan in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowFigures {
    /// The currency of its money.
    pub currency: Currency,
    /// A month.
    pub monthly: Money,
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
    /// Providers in use, ascending.
    pub providers: Vec<String>,
    /// Regions in use as `provider/region`, ascending.
    pub regions: Vec<String>,
}
