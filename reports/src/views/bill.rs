//! Every figure of the bill, down to the rate it was made with.

use carafe_model::plan::{BillLine, Component, Plan};
use carafe_model::units::Currency;

use super::answer::is_estimated;
use super::{Block, blocks, sum};
use crate::figures;
use crate::words::{self, counted, visible};

/// Lines in a block; a component with more folds all of them away.
const BLOCK: usize = 200;

/// The bill.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Components that cost something, in the order of the model.
    pub components: Vec<ComponentView>,
    /// The exact total.
    pub total: String,
    /// As for a line.
    pub total_padding: usize,
    /// How many lines there are.
    pub lines: String,
}

/// The lines of a component.
#[derive(Clone, Debug)]
pub struct ComponentView {
    /// What documents call it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How many lines.
    pub count: String,
    /// Their exact sum.
    pub subtotal: String,
    /// As for a line.
    pub padding: usize,
    /// The lines.
    pub blocks: Vec<Block<LineView>>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct LineView {
    /// The host or flow it is for, or the place where it is for neither.
    pub subject: String,
    /// Provider and region.
    pub place: String,
    /// What it is.
    pub item: String,
    /// How many units.
    pub quantity: String,
    /// What is counted.
    pub unit: String,
    /// Price of a unit, every digit.
    pub rate: String,
    /// Which rate.
    pub rate_id: String,
    /// Where the rate comes from.
    pub source: SourceView,
    /// The exact figure.
    pub monthly: String,
    /// How many more decimals the longest figure of the bill has, so that points can stand below each other.
    pub padding: usize,
    /// What is unknown about it, in words; empty when nothing is.
    pub unknown: String,
}

/// Where the rate of a line comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceView {
    /// A price source of the plan.
    Listed {
        /// Its number, from 1.
        number: usize,
        /// When it was true; empty when it has no date.
        as_of: String,
    },
    /// The user's policy.
    Policy,
    /// The plan does not say.
    Missing,
}

impl Bill {
    /// Reads the bill of a plan.
    pub fn new(plan: &Plan) -> Bill {
        let longest = plan
            .bill
            .iter()
            .map(|line| figures::decimals(&figures::exact(line.monthly, plan.currency)))
            .max()
            .unwrap_or_default();
        let mut by_component: Vec<Vec<&BillLine>> = vec![Vec::new(); Component::ALL.len()];
        for line in &plan.bill {
            let place = Component::ALL.iter().position(|known| *known == line.component);
            by_component[place.expect("ALL lists every component")].push(line);
        }
        let components = Component::ALL
            .iter()
            .zip(by_component)
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(component, lines)| {
                let subtotal = figures::exact(sum(lines.iter().map(|line| line.monthly)), plan.currency);
                ComponentView {
                    name: component.name(),
                    title: words::component(*component),
                    count: counted(lines.len(), "line"),
                    padding: longest.saturating_sub(figures::decimals(&subtotal)),
                    subtotal,
                    blocks: blocks(lines.iter().map(|line| view(plan, line, longest)).collect(), BLOCK),
                }
            })
            .collect();
        let total = figures::exact(sum(plan.bill.iter().map(|line| line.monthly)), plan.currency);
        Bill {
            components,
            total_padding: longest.saturating_sub(figures::decimals(&total)),
            total,
            lines: counted(plan.bill.len(), "line"),
        }
    }
}

fn view(plan: &Plan, line: &BillLine, longest: usize) -> LineView {
    let provider = words::provider(line.provider.as_str());
    let place = match &line.region {
        Some(region) => format!("{provider} / {}", visible(region.as_str())),
        None => provider,
    };
    let subject = match (&line.host, &line.flow) {
        (Some(host), _) => visible(host.as_str()),
        (None, Some(flow)) => visible(flow),
        (None, None) => "all hosts there".to_owned(),
    };
    let monthly = figures::exact(line.monthly, plan.currency);
    LineView {
        subject,
        place,
        item: visible(&line.item),
        quantity: figures::quantity(line.quantity),
        unit: visible(&line.unit),
        rate: figures::rate(line.rate, plan.currency),
        rate_id: visible(line.rate_id.as_str()),
        source: source(plan, line),
        padding: longest.saturating_sub(figures::decimals(&monthly)),
        monthly,
        unknown: unknown(line, plan.currency),
    }
}

fn source(plan: &Plan, line: &BillLine) -> SourceView {
    match line.source {
        Some(place) => match plan.price_sources.get(place as usize) {
            Some(source) => SourceView::Listed { number: place as usize + 1, as_of: visible(&source.as_of) },
            None => SourceView::Missing,
        },
        None if line.rate_id.as_str().starts_with("policy/") => SourceView::Policy,
        None => SourceView::Missing,
    }
}

fn unknown(line: &BillLine, currency: Currency) -> String {
    match &line.range {
        Some(range) => format!(
            "between {} and {}: {}",
            figures::exact(range.low, currency),
            figures::exact(range.high, currency),
            visible(&range.unknown)
        ),
        None if is_estimated(line) => "the rate is an estimate".to_owned(),
        None => String::new(),
    }
}
