//! What if: what follows from the bill by arithmetic alone, and what the planner found by planning again.

use carafe_model::language::Said;
use carafe_model::plan::Component;
use carafe_model::units::Money;
use carafe_model::what_if::{Axis, Change, Front, FrontPoint, Outcome, RangeEnd};

use super::{difference, sum};
use crate::figures::Amount;
use crate::voice::Voice;
use crate::words;

/// Everything there is to say.
#[derive(Clone, Debug, Default)]
pub struct Sensitivity {
    /// What follows by arithmetic, hosts staying where the plan puts them.
    pub arithmetic: Vec<Row>,
    /// What the planner found by planning again.
    pub planned: Vec<Row>,
    /// How far prices and traffic may move, in sentences.
    pub ranges: Vec<String>,
    /// Money against something else.
    pub fronts: Vec<FrontTable>,
    /// What was asked and not worked out.
    pub left_out: Vec<String>,
}

/// The plans that no other plan beats in both money and one other thing.
#[derive(Clone, Debug)]
pub struct FrontTable {
    /// What is weighed against money.
    pub title: &'static str,
    /// The heading of the other thing.
    pub axis: &'static str,
    /// Ascending in the other thing.
    pub rows: Vec<FrontRow>,
}

/// One of those plans.
#[derive(Clone, Debug)]
pub struct FrontRow {
    /// How much of the other thing.
    pub value: String,
    /// A month.
    pub monthly: Amount,
    /// The difference to the plan, in words.
    pub change: String,
    /// The regions in use; or that it is the plan itself.
    pub place: String,
}

/// One "what if".
#[derive(Clone, Debug)]
pub struct Row {
    /// If this happens.
    pub what: String,
    /// The month is this; absent where there is no such plan.
    pub monthly: Option<Amount>,
    /// The same, exactly.
    pub exact: Option<Money>,
    /// The difference to the plan, in words.
    pub change: String,
    /// What else there is to know.
    pub note: String,
}

impl Sensitivity {
    /// Works it out.
    pub fn new(voice: &Voice<'_>) -> Sensitivity {
        let mut found = Sensitivity { arithmetic: arithmetic(voice), ..Sensitivity::default() };
        let Some(what_if) = &voice.plan.what_if else { return found };
        if let Some(other) = &what_if.runner_up {
            let names: Vec<String> = other.providers.iter().map(|p| words::provider(p.as_str())).collect();
            let what = voice.x("sensitivity.next", &voice.list(&names));
            found.planned.push(planned(voice, what, Some(other), Money::ZERO, ""));
        }
        for scenario in &what_if.scenarios {
            let note = if scenario.plan_stays { "sensitivity.stays" } else { "sensitivity.other-plan" };
            let mut row =
                planned(voice, voice.text(&scenario.text), None, scenario.plan_monthly, voice.w(note));
            let cheaper = scenario.outcome.as_ref().filter(|_| !scenario.plan_stays);
            if let Some(best) = cheaper {
                row.note = voice.x("sensitivity.best-then", &voice.money(best.monthly));
            }
            found.planned.push(row);
        }
        for constraint in &what_if.constraints {
            let key = match constraint.change {
                Change::Dropped => "sensitivity.without",
                Change::Added => "sensitivity.with",
            };
            let what = voice.x(key, &voice.text(&constraint.text));
            found.planned.push(planned(voice, what, constraint.outcome.as_ref(), Money::ZERO, ""));
        }
        found.ranges = what_if
            .ranges
            .iter()
            .map(|range| {
                let end = |end: &RangeEnd| {
                    let key = if end.is_limit { "sensitivity.limit" } else { "sensitivity.looked" };
                    voice.x(key, &voice.quantity(end.factor))
                };
                let said = Said::new("sensitivity.range").with("x", voice.text(&range.text));
                voice.say(&said.with("from", end(&range.from)).with("to", end(&range.to)))
            })
            .collect();
        found.fronts = what_if
            .fronts
            .iter()
            // Where the plan alone is on it there is nothing to weigh.
            .filter(|front| front.points.len() > 1)
            .map(|front| front_table(voice, front))
            .collect();
        found.left_out = what_if.left_out.iter().map(|text| voice.text(text)).collect();
        found
    }
}

impl Sensitivity {
    /// The tables there are, each with the key of its title.
    pub fn tables(&self) -> [(&'static str, &[Row]); 2] {
        [("sensitivity.arithmetic", &self.arithmetic), ("sensitivity.planned", &self.planned)]
    }
}

fn front_table(voice: &Voice<'_>, front: &Front) -> FrontTable {
    let (title, axis) = match front.axis {
        Axis::Providers => ("compare.front-providers", "compare.axis-providers"),
        Axis::Regions => ("compare.front-regions", "compare.axis-regions"),
        Axis::Latency => ("compare.front-latency", "compare.axis-latency"),
    };
    let row = |point: &FrontPoint| FrontRow {
        value: voice.quantity(point.value),
        monthly: voice.amount(point.outcome.monthly),
        change: voice.change(point.outcome.costs_more),
        place: match point.is_plan {
            true => voice.w("sensitivity.this-plan").to_owned(),
            false => voice.list(&point.outcome.regions),
        },
    };
    FrontTable { title: voice.w(title), axis: voice.w(axis), rows: front.points.iter().map(row).collect() }
}

fn arithmetic(voice: &Voice<'_>) -> Vec<Row> {
    let plan = voice.plan;
    let total = plan.totals.monthly;
    let row = |what: String, monthly: Money| Row {
        what,
        monthly: Some(voice.amount(monthly)),
        exact: Some(monthly),
        change: voice.change(difference(monthly, total)),
        note: String::new(),
    };
    let tenth = |money: Money| Money(money.0 / 10);
    let mut rows = vec![
        row(voice.w("sensitivity.all-lower").to_owned(), difference(total, tenth(total))),
        row(voice.w("sensitivity.all-higher").to_owned(), sum([total, tenth(total)])),
    ];
    let mut providers: Vec<&str> = plan.bill.iter().map(|line| line.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    if providers.len() > 1 {
        for provider in providers {
            let of_provider = plan.bill.iter().filter(|line| line.provider.as_str() == provider);
            let more = tenth(sum(of_provider.map(|line| line.monthly)));
            let name = words::provider(provider);
            rows.push(row(voice.x("sensitivity.one-higher", &name), sum([total, more])));
        }
    }
    let egress = plan.bill.iter().filter(|line| line.component == Component::Egress);
    let egress = sum(egress.map(|line| line.monthly));
    rows.push(row(voice.w("sensitivity.traffic").to_owned(), sum([total, egress])));
    if plan.totals.monthly_low != total || plan.totals.monthly_high != total {
        rows.push(row(voice.w("sensitivity.all-well").to_owned(), plan.totals.monthly_low));
        rows.push(row(voice.w("sensitivity.all-badly").to_owned(), plan.totals.monthly_high));
    }
    rows
}

fn planned(voice: &Voice<'_>, what: String, outcome: Option<&Outcome>, stated: Money, note: &str) -> Row {
    let total = voice.plan.totals.monthly;
    let monthly = match outcome {
        Some(outcome) => outcome.monthly,
        None if stated != Money::ZERO => stated,
        None => {
            return Row {
                what,
                monthly: None,
                exact: None,
                change: "–".to_owned(),
                note: voice.w("sensitivity.none").to_owned(),
            };
        }
    };
    let note = match outcome {
        Some(outcome) => {
            let moved = voice.n("sensitivity.elsewhere", outcome.elsewhere as usize);
            let proven = if outcome.proven { "sensitivity.proven" } else { "sensitivity.unproven" };
            format!("{moved} {}", voice.w(proven))
        }
        None => note.to_owned(),
    };
    Row {
        what,
        monthly: Some(voice.amount(monthly)),
        exact: Some(monthly),
        change: voice.change(difference(monthly, total)),
        note,
    }
}
