//! The answer, for somebody who reads one screen.

use std::collections::BTreeMap;

use carafe_model::finding::Severity;
use carafe_model::plan::{BillLine, Plan};
use carafe_model::units::{Currency, Money};

use super::proof::Proof;
use super::{audit, difference, placements, sum};
use crate::figures::{self, Amount};
use crate::words::{self, counted, listed, visible};

/// The most places that are named at once; the others are folded away or counted.
pub const MOST_PLACES: usize = 6;

/// What a plan comes to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The estate.
    pub name: String,
    /// The currency of every figure.
    pub currency: String,
    /// A month.
    pub monthly: Amount,
    /// The least and the most a month can cost, where anything is unknown.
    pub range: Option<(Amount, Amount)>,
    /// Length of the horizon.
    pub months: u32,
    /// The whole horizon, with the one-time cost.
    pub horizon: Amount,
    /// The move itself, once.
    pub one_time: Amount,
    /// Against what is paid today; absent when that is not known.
    pub today: Option<Comparison>,
    /// How close to the optimum.
    pub proof: Proof,
    /// Which hosts move, stay and have no place, in a sentence.
    pub hosts: String,
    /// Where hosts go, most hosts first.
    pub places: Vec<PlaceCount>,
    /// When the prices were true: a date, or the oldest and the newest.
    pub prices: String,
    /// What a reader must know before trusting the figures.
    pub warnings: Vec<String>,
    /// How many findings there are by severity, the worst first, without those of which there are none.
    pub findings: Vec<(Severity, String)>,
}

/// The plan against what is paid today.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// A month today, for the hosts that move.
    pub today: Amount,
    /// Who says so.
    pub source: String,
    /// `less` or `more`; `the same` when there is no difference.
    pub direction: &'static str,
    /// How much a month, without a sign.
    pub difference: Amount,
    /// The same in percent of today, where today is not zero.
    pub percent: Option<String>,
    /// What the whole horizon comes to, against staying, in a sentence.
    pub over_horizon: String,
    /// When the one-time cost is earned back, in a sentence; absent when it never is or there is none.
    pub earned_back: Option<String>,
}

/// How many hosts go to a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCount {
    /// The provider, as people know it.
    pub provider: String,
    /// The provider, as documents write it.
    pub provider_name: String,
    /// The region.
    pub region: String,
    /// Its country; empty when it is unknown or the region is called the same.
    pub country: String,
    /// How many.
    pub hosts: usize,
}

impl Answer {
    /// Reads the answer out of a plan.
    pub fn new(plan: &Plan) -> Answer {
        let totals = &plan.totals;
        let amount = |money: Money| Amount::new(money, plan.currency);
        let is_open = totals.monthly_low != totals.monthly || totals.monthly_high != totals.monthly;
        Answer {
            name: visible(&plan.name),
            currency: plan.currency.to_string(),
            monthly: amount(totals.monthly),
            range: is_open.then(|| (amount(totals.monthly_low), amount(totals.monthly_high))),
            months: totals.horizon_months,
            horizon: amount(totals.horizon),
            one_time: amount(totals.one_time),
            today: Comparison::new(plan),
            proof: Proof::new(plan),
            hosts: hosts(plan),
            places: places(plan),
            prices: prices(plan),
            warnings: warnings(plan),
            findings: severities(plan),
        }
    }
}

impl Comparison {
    fn new(plan: &Plan) -> Option<Comparison> {
        let today = plan.today.as_ref()?;
        let saved = difference(today.monthly, plan.totals.monthly);
        let magnitude = Money(saved.0.saturating_abs());
        Some(Comparison {
            today: Amount::new(today.monthly, plan.currency),
            source: visible(&today.source),
            direction: direction(saved),
            difference: Amount::new(magnitude, plan.currency),
            percent: figures::share(magnitude, today.monthly),
            over_horizon: over_horizon(plan, today.monthly),
            earned_back: earned_back(plan, saved),
        })
    }
}

fn direction(saved: Money) -> &'static str {
    match saved.0.signum() {
        1 => "less",
        0 => "the same",
        _ => "more",
    }
}

fn over_horizon(plan: &Plan, today: Money) -> String {
    let staying = Money(today.0.saturating_mul(plan.totals.horizon_months.into()));
    let saved = difference(staying, plan.totals.horizon);
    let magnitude = Money(saved.0.saturating_abs());
    match direction(saved) {
        "the same" => "Staying would cost the same.".to_owned(),
        direction => format!("That is {} {direction} than staying.", money(magnitude, plan.currency)),
    }
}

fn earned_back(plan: &Plan, saved: Money) -> Option<String> {
    let one_time = plan.totals.one_time.0;
    if one_time <= 0 || saved.0 <= 0 {
        return None;
    }
    let months = usize::try_from((one_time - 1) / saved.0 + 1).unwrap_or(usize::MAX);
    Some(format!("The one-time cost is earned back within {}.", counted(months, "month")))
}

fn hosts(plan: &Plan) -> String {
    let mut parts =
        vec![format!("{} {}", counted(plan.placements.len(), "host"), verb(plan.placements.len(), "move"))];
    if !plan.staying.is_empty() {
        parts.push(format!("{} {}", figures::count(plan.staying.len()), verb(plan.staying.len(), "stay")));
    }
    if !plan.unplaced.is_empty() {
        let count = plan.unplaced.len();
        parts.push(format!("{} {} no place", figures::count(count), if count == 1 { "has" } else { "have" }));
    }
    listed(&parts)
}

fn verb(count: usize, stem: &str) -> String {
    if count == 1 { format!("{stem}s") } else { stem.to_owned() }
}

fn places(plan: &Plan) -> Vec<PlaceCount> {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for placement in &plan.placements {
        let place = (placement.provider.as_str(), placement.region.as_str(), placement.country.as_str());
        *counts.entry(place).or_default() += 1;
    }
    let mut places: Vec<PlaceCount> = counts
        .into_iter()
        .map(|((provider, region, country), hosts)| PlaceCount {
            provider: words::provider(provider),
            provider_name: visible(provider),
            region: visible(region),
            country: placements::country(country, region),
            hosts,
        })
        .collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.hosts));
    places
}

/// The dates of the prices that the plan uses; of the whole snapshot where it uses none.
fn prices(plan: &Plan) -> String {
    let used =
        || plan.price_sources.iter().map(|source| source.as_of.as_str()).filter(|date| !date.is_empty());
    let oldest = visible(used().min().unwrap_or(&plan.catalog.oldest));
    let newest = visible(used().max().unwrap_or(&plan.catalog.as_of));
    match (oldest.as_str(), newest.as_str()) {
        ("", "") => "no date is given".to_owned(),
        (oldest, newest) if oldest == newest || oldest.is_empty() => newest.to_owned(),
        (oldest, newest) => format!("{oldest} to {newest}"),
    }
}

/// Whether a line rests on something that is not known.
pub fn is_estimated(line: &BillLine) -> bool {
    line.range.is_some() || line.rate_id.as_str().starts_with("estimate/")
}

fn warnings(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    match plan.unplaced.len() {
        0 => {}
        1 => warnings.push("1 host has no place; its cost is not in these figures.".to_owned()),
        many => warnings
            .push(format!("{} have no place; their cost is not in these figures.", counted(many, "host"))),
    }
    if let Some(text) = estimates(plan) {
        warnings.push(text);
    }
    let errors = plan.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        warnings.push(format!(
            "The findings hold {}: something in the input was left out of this plan.",
            counted(errors, "error")
        ));
    }
    warnings.extend(audit::contradictions(plan));
    warnings
}

fn estimates(plan: &Plan) -> Option<String> {
    let estimated: Vec<Money> =
        plan.bill.iter().filter(|line| is_estimated(line)).map(|line| line.monthly).collect();
    if estimated.is_empty() {
        return None;
    }
    let lines = estimated.len();
    let amount = sum(estimated);
    let share = figures::share(amount, plan.totals.monthly);
    Some(format!(
        "{} of the bill {} on estimates: {} a month{}.",
        counted(lines, "line"),
        if lines == 1 { "rests" } else { "rest" },
        money(amount, plan.currency),
        share.map_or(String::new(), |share| format!(", {share} of the total"))
    ))
}

fn money(amount: Money, currency: Currency) -> String {
    format!("{currency} {}", Amount::new(amount, currency).shown)
}

fn severities(plan: &Plan) -> Vec<(Severity, String)> {
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")]
        .into_iter()
        .map(|(severity, word)| {
            (severity, plan.findings.iter().filter(|f| f.severity == severity).count(), word)
        })
        .filter(|(_, count, _)| *count > 0)
        .map(|(severity, count, word)| (severity, counted(count, word)))
        .collect()
}
