//! Two ways of sizing side by side.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::ids::HostId;
use carafe_model::language::Said;
use carafe_model::plan::Plan;
use carafe_model::what_if::Outcome;

/// Says in a plan what the same hosts would cost with sizes as they are today; `as_is` is that plan. Says nothing where
/// the two do not place the same hosts, because their months would compare unlike things.
pub fn beside(plan: &mut Plan, as_is: &Plan) {
    let homes = |plan: &Plan| -> BTreeMap<HostId, String> {
        let home =
            |p: &carafe_model::plan::Placement| (p.host.clone(), format!("{}/{}", p.provider, p.region));
        plan.placements.iter().map(home).collect()
    };
    let (here, there) = (homes(plan), homes(as_is));
    if here.is_empty() || !here.keys().eq(there.keys()) {
        return;
    }
    let elsewhere = here.iter().filter(|(host, home)| there[*host] != **home).count();
    let providers: BTreeSet<_> = as_is.placements.iter().map(|p| p.provider.clone()).collect();
    let regions: BTreeSet<_> = there.values().cloned().collect();
    plan.as_is = Some(Outcome {
        monthly: as_is.totals.monthly,
        lower_bound: as_is.bound.lower_bound,
        proven: as_is.bound.proven,
        costs_more: as_is.totals.monthly - plan.totals.monthly,
        placed: u32::try_from(there.len()).unwrap_or(u32::MAX),
        elsewhere: u32::try_from(elsewhere).unwrap_or(u32::MAX),
        providers: providers.into_iter().collect(),
        regions: regions.into_iter().collect(),
    });
    let said = Said::new("assumed.as-is").money("money", as_is.totals.monthly, plan.currency);
    plan.assumptions.insert(0, said.into());
    plan.list_sentences();
}
