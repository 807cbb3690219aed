//! How old prices are: what a part of the bill rests on that is much older than the newest price.

use std::collections::BTreeSet;

use carafe_model::finding::Finding;
use carafe_model::language::Said;
use carafe_model::plan::Plan;
use carafe_model::policy::Policy;
use carafe_model::units::Money;

/// One finding about all lines of the bill whose price is older than the policy likes. Prices are compared with the
/// newest of the catalog, because a plan knows no today.
pub fn stale_prices(plan: &Plan, policy: &Policy) -> Option<Finding> {
    let newest = days(&plan.catalog.as_of)?;
    let limit = i64::from(policy.pricing.stale_after_days);
    let is_stale = |source: u32| {
        let source = &plan.price_sources[source as usize];
        days(&source.as_of).filter(|days| newest - days > limit).map(|_| source)
    };
    let mut stale = Money::ZERO;
    let mut sources = BTreeSet::new();
    for line in &plan.bill {
        if let Some(source) = line.source.and_then(is_stale) {
            stale += line.monthly;
            sources.insert((source.as_of.as_str(), source.name.as_str()));
        }
    }
    let (oldest, name) = sources.first()?;
    let share = if plan.totals.monthly.0 > 0 { stale.0 * 100 / plan.totals.monthly.0 } else { 0 };
    let summary = Said::new("finding.stale")
        .money("money", stale, plan.currency)
        .with("percent", u64::try_from(share).unwrap_or_default())
        .with("days", policy.pricing.stale_after_days)
        .with("newest", plan.catalog.as_of.as_str());
    let help = Said::new("help.stale").with("oldest", *oldest).with("source", *name);
    Some(Finding::info("PLN-0306", summary).help(help))
}

/// Days since 1 March of the year zero, counted as if every month that a date leaves out were the last (a date that is
/// only a year may be its last day). `None` for what is not a date. Howard Hinnant, "chrono-compatible low-level date
/// algorithms" (2013), `days_from_civil`.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let year = parts.next()??;
    let month = parts.next().unwrap_or(Some(12))?;
    let day = parts.next().unwrap_or(Some(31))?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * month + 2) / 5
            + day,
    )
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn dates_are_as_many_days_apart_as_they_are() {
        let apart = |from: &str, to: &str| days(to).zip(days(from)).map(|(to, from)| to - from);
        assert_eq!(apart("2025-12-31", "2026-01-01"), Some(1));
        assert_eq!(apart("2024-02-28", "2024-03-01"), Some(2));
        assert_eq!(apart("2023-02-28", "2024-02-28"), Some(365));
        assert_eq!(apart("2026", "2026-12-31"), Some(0));
        assert_eq!(days("soon"), None);
        assert_eq!(days("2026-13"), None);
    }
}
