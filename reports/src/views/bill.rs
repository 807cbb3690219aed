//! Every figure of the bill, down to the rate it was made with.

use std::collections::BTreeMap;

use carafe_model::language::Said;
use carafe_model::plan::{BillLine, Component};
use carafe_model::units::{Money, Quantity};

use super::answer::is_estimated;
use super::{Block, blocks, sum};
use crate::figures;
use crate::voice::Voice;
use crate::words::{self, visible};

/// Lines in a block; a component with more folds all of them away.
const BLOCK: usize = 200;
/// With more lines than this, lines of one rate are summed up; every line is in the other forms of the report.
pub const MOST_LINES: usize = 2_000;

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
    /// Whether lines of one rate are summed up.
    pub is_summed: bool,
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

/// One line, or lines of one rate.
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
    pub fn new(voice: &Voice<'_>) -> Bill {
        let plan = voice.plan;
        let is_summed = plan.bill.len() > MOST_LINES;
        let longest = plan
            .bill
            .iter()
            .map(|line| figures::decimals(&voice.exact(line.monthly), voice.language))
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
                let subtotal = voice.exact(sum(lines.iter().map(|line| line.monthly)));
                let views: Vec<LineView> = match is_summed {
                    true => summed(&lines).iter().map(|group| view(voice, group, longest)).collect(),
                    false => lines.iter().map(|line| view(voice, &[*line], longest)).collect(),
                };
                ComponentView {
                    name: component.name(),
                    title: voice.w(words::component(*component)),
                    count: voice.n("bill.lines", lines.len()),
                    padding: longest.saturating_sub(figures::decimals(&subtotal, voice.language)),
                    subtotal,
                    blocks: blocks(views, BLOCK),
                }
            })
            .collect();
        let total = voice.exact(sum(plan.bill.iter().map(|line| line.monthly)));
        Bill {
            components,
            total_padding: longest.saturating_sub(figures::decimals(&total, voice.language)),
            total,
            lines: voice.n("bill.lines", plan.bill.len()),
            is_summed,
        }
    }
}

/// Lines of one rate and place together, the dearest first.
fn summed<'p>(lines: &[&'p BillLine]) -> Vec<Vec<&'p BillLine>> {
    let mut groups: BTreeMap<_, Vec<&BillLine>> = BTreeMap::new();
    for line in lines {
        let key = (&line.provider, &line.region, &line.rate_id, line.rate, &line.unit, line.source);
        groups.entry(key).or_default().push(line);
    }
    let mut groups: Vec<Vec<&BillLine>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(sum(group.iter().map(|line| line.monthly))));
    groups
}

/// Lines of one rate as one row; there is at least one.
fn view(voice: &Voice<'_>, group: &[&BillLine], longest: usize) -> LineView {
    let line = group[0];
    let place = match &line.region {
        Some(region) => voice.place(&line.provider, region),
        None => words::provider(line.provider.as_str()),
    };
    let subject = match (group.len(), &line.host, &line.flow) {
        (2.., _, _) => voice.n("bill.lines", group.len()),
        (_, Some(host), _) => visible(host.as_str()),
        (_, None, Some(flow)) => visible(flow),
        (_, None, None) => voice.w("bill.all-hosts").to_owned(),
    };
    let quantity = group.iter().fold(0i64, |total, line| total.saturating_add(line.quantity.0));
    let monthly = voice.exact(sum(group.iter().map(|line| line.monthly)));
    let has_one_item = group.iter().all(|other| other.item == line.item);
    LineView {
        subject,
        place,
        item: if has_one_item { voice.text(&line.item) } else { String::new() },
        quantity: voice.quantity(Quantity(quantity)),
        unit: voice.unit(&line.unit),
        rate: voice.rate(line.rate),
        rate_id: visible(line.rate_id.as_str()),
        source: source(voice, line),
        padding: longest.saturating_sub(figures::decimals(&monthly, voice.language)),
        monthly,
        unknown: unknown(voice, group),
    }
}

fn source(voice: &Voice<'_>, line: &BillLine) -> SourceView {
    match line.source {
        Some(place) => match voice.plan.price_sources.get(place as usize) {
            Some(source) => SourceView::Listed { number: place as usize + 1, as_of: visible(&source.as_of) },
            None => SourceView::Missing,
        },
        None if line.rate_id.as_str().starts_with("policy/") => SourceView::Policy,
        None => SourceView::Missing,
    }
}

fn unknown(voice: &Voice<'_>, group: &[&BillLine]) -> String {
    let Some(range) = group.iter().find_map(|line| line.range.as_ref()) else {
        let estimated = group.iter().any(|line| is_estimated(line));
        return if estimated { voice.w("bill.estimated").to_owned() } else { String::new() };
    };
    let end = |pick: fn(&carafe_model::plan::LineRange) -> Money| {
        sum(group.iter().map(|line| line.range.as_ref().map_or(line.monthly, pick)))
    };
    let said = Said::new("bill.between")
        .with("low", voice.exact(end(|range| range.low)))
        .with("high", voice.exact(end(|range| range.high)));
    voice.say(&said.with("what", voice.text(&range.unknown)))
}
