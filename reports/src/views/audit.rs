//! Adds every figure of a plan up again, because a plan is a file that people may edit.

use std::collections::BTreeMap;

use carafe_model::language::Said;
use carafe_model::units::Money;

use super::sum;
use crate::voice::Voice;
use crate::words::visible;

/// Every figure that does not follow from the others, in sentences; empty when all do.
pub fn contradictions(voice: &Voice<'_>) -> Vec<String> {
    let plan = voice.plan;
    let mut found = Vec::new();
    let wrong_lines = plan.bill.iter().filter(|line| line.rate.times(line.quantity) != line.monthly).count();
    if wrong_lines > 0 {
        found.push(voice.n("audit.lines", wrong_lines));
    }
    let mut compare = |key: &str, stated: Money, computed: Money| {
        if stated != computed {
            let said = Said::new(key).with("stated", voice.exact_money(stated));
            found.push(voice.say(&said.with("computed", voice.exact_money(computed))));
        }
    };
    let totals = &plan.totals;
    compare("audit.monthly", totals.monthly, sum(plan.bill.iter().map(|line| line.monthly)));
    let low = sum(plan.bill.iter().map(|line| line.range.as_ref().map_or(line.monthly, |range| range.low)));
    let high = sum(plan.bill.iter().map(|line| line.range.as_ref().map_or(line.monthly, |range| range.high)));
    compare("audit.low", totals.monthly_low, low);
    compare("audit.high", totals.monthly_high, high);
    let horizon = totals.monthly.0.saturating_mul(totals.horizon_months.into());
    let horizon = Money(horizon.saturating_add(totals.one_time.0));
    compare("audit.horizon", totals.horizon, horizon);
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
        let said = Said::new("audit.hosts").with("n", wrong_hosts.len());
        found.push(voice.say(&said.with("first", visible(first))));
    }
    found
}
