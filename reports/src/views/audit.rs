//! Adds every figure of a plan up again, because a plan is a file that people may edit.

use std::collections::BTreeMap;

use carafe_model::plan::Plan;
use carafe_model::units::{Currency, Money};

use super::sum;
use crate::figures;
use crate::words::{counted, visible};

/// Every figure that does not follow from the others, in sentences; empty when all do.
pub fn contradictions(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let wrong_lines = plan.bill.iter().filter(|line| line.rate.times(line.quantity) != line.monthly).count();
    if wrong_lines > 0 {
        found.push(format!(
            "In {} of the bill, quantity times rate is not the monthly figure.",
            counted(wrong_lines, "line")
        ));
    }
    let mut compare = |what: &str, stated: Money, computed: Money| {
        if stated != computed {
            found.push(format!(
                "{what} is stated as {}, but its parts make {}.",
                written(stated, plan.currency),
                written(computed, plan.currency)
            ));
        }
    };
    let totals = &plan.totals;
    compare("The monthly total", totals.monthly, sum(plan.bill.iter().map(|line| line.monthly)));
    let low = sum(plan.bill.iter().map(|line| line.range.as_ref().map_or(line.monthly, |range| range.low)));
    let high = sum(plan.bill.iter().map(|line| line.range.as_ref().map_or(line.monthly, |range| range.high)));
    compare("The low end of the monthly total", totals.monthly_low, low);
    compare("The high end of the monthly total", totals.monthly_high, high);
    let horizon = totals.monthly.0.saturating_mul(totals.horizon_months.into());
    let horizon = Money(horizon.saturating_add(totals.one_time.0));
    compare("The cost over the horizon", totals.horizon, horizon);
    let mut by_host: BTreeMap<&str, Money> = BTreeMap::new();
    for line in &plan.bill {
        if let Some(host) = &line.host {
            let total = by_host.entry(host.as_str()).or_default();
            *total = sum([*total, line.monthly]);
        }
    }
    let wrong_hosts: Vec<&str> = plan
        .placements
        .iter()
        .filter(|placement| {
            placement.monthly != by_host.get(placement.host.as_str()).copied().unwrap_or_default()
        })
        .map(|placement| placement.host.as_str())
        .collect();
    if let Some(first) = wrong_hosts.first() {
        found.push(format!(
            "The monthly figure of {} is not the sum of its bill lines; the first is {}.",
            counted(wrong_hosts.len(), "host"),
            visible(first)
        ));
    }
    found
}

fn written(amount: Money, currency: Currency) -> String {
    format!("{currency} {}", figures::exact(amount, currency))
}
