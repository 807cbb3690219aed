//! The monthly cost by provider, region and component.

use std::collections::BTreeMap;

use carafe_model::plan::{BillLine, Plan};
use carafe_model::units::Money;

use super::{difference, sum};
use crate::figures::{self, Amount};
use crate::words::{self, visible};

/// The monthly cost, split one way.
#[derive(Clone, Debug)]
pub struct Split {
    /// What it is split by: `provider`, `region` or `component`.
    pub by: &'static str,
    /// The parts, the dearest first.
    pub parts: Vec<Part>,
    /// All of them.
    pub total: Amount,
}

/// One part of the monthly cost.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub label: String,
    /// What it costs a month.
    pub monthly: Money,
    /// The same, written.
    pub amount: Amount,
    /// Its share of the total; empty when the total is not positive.
    pub share: String,
}

/// The most bars in a chart; the table beside it has every part.
pub const MOST_BARS: usize = 10;

/// Splits the bill by provider, by region and by component.
pub fn splits(plan: &Plan) -> Vec<Split> {
    let region = |line: &BillLine| match &line.region {
        Some(region) => format!("{} / {}", words::provider(line.provider.as_str()), visible(region.as_str())),
        None => format!("{}, all regions", words::provider(line.provider.as_str())),
    };
    vec![
        split(plan, "provider", |line| words::provider(line.provider.as_str())),
        split(plan, "region", region),
        split(plan, "component", |line| words::component(line.component).to_owned()),
    ]
}

fn split(plan: &Plan, by: &'static str, label: impl Fn(&BillLine) -> String) -> Split {
    let mut parts: BTreeMap<String, Money> = BTreeMap::new();
    for line in &plan.bill {
        let part = parts.entry(label(line)).or_default();
        *part = sum([*part, line.monthly]);
    }
    let total = sum(parts.values().copied());
    let mut parts: Vec<Part> =
        parts.into_iter().map(|(label, monthly)| part(plan, label, monthly, total)).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.monthly));
    Split { by, parts, total: Amount::new(total, plan.currency) }
}

fn part(plan: &Plan, label: String, monthly: Money, total: Money) -> Part {
    Part {
        label,
        monthly,
        amount: Amount::new(monthly, plan.currency),
        share: figures::share(monthly, total).unwrap_or_default(),
    }
}

/// The parts that get a bar: all when they are few, else the dearest and one for all others.
pub fn bars(plan: &Plan, split: &Split) -> Vec<Part> {
    if split.parts.len() <= MOST_BARS {
        return split.parts.clone();
    }
    let total = sum(split.parts.iter().map(|part| part.monthly));
    let mut bars = split.parts[..MOST_BARS - 1].to_vec();
    let rest = difference(total, sum(bars.iter().map(|part| part.monthly)));
    let label = format!("{} others", figures::count(split.parts.len() - bars.len()));
    bars.push(part(plan, label, rest, total));
    bars
}
