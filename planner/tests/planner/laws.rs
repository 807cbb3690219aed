//! Laws that every plan obeys, tried on many small estates and policies.

use crate::common::{PLACES, flow, host, plan, sealed};
use carafe_model::estate::{Endpoint, Estate, KubernetesCluster};
use carafe_model::finding::Severity;
use carafe_model::host::{Os, OsFamily};
use carafe_model::plan::Plan;
use carafe_model::policy::{Match, Opening, Policy, Rule};
use carafe_model::units::{Money, Quantity};
use proptest::prelude::*;

prop_compose! {
    fn any_estate()(
        sizes in prop::collection::vec((1u32..9, 1u64..33, prop::bool::weighted(0.2), prop::bool::weighted(0.2)), 1..5),
        flows in prop::collection::vec((0usize..5, 0usize..6, prop::option::of(0i64..400), 0i64..400), 0..7),
        balanced in prop::bool::weighted(0.3),
        clustered in prop::bool::weighted(0.2),
        stays in prop::bool::weighted(0.2),
    ) -> Estate {
        let mut estate = Estate::empty("any");
        for (number, (vcpus, memory, is_windows, is_unsized)) in sizes.iter().enumerate() {
            let mut host = host(&format!("h{number}"), *vcpus, *memory);
            if *is_windows {
                host.os = Some(Os { family: OsFamily::Windows, name: "Windows Server 2019".to_owned(), version: None });
            }
            if *is_unsized {
                host.disks[0].size_gib = None;
            }
            estate.hosts.push(host);
        }
        let n = estate.hosts.len();
        for (from, to, there, back) in flows {
            let to_name = format!("h{}", to % n);
            let mut flow = flow(&format!("h{}", from % n), &to_name, there.unwrap_or(0), back);
            flow.gib_month = there.map(|units| Quantity(units * 1_000_000 + 137));
            if to == 5 {
                flow.to = Endpoint::External("internet".to_owned());
            }
            if flow.from != flow.to {
                estate.flows.push(flow);
            }
        }
        if balanced && n > 1 {
            let mut balancer = crate::common::small_estate().load_balancers.remove(0);
            balancer.members = vec!["h0".into(), "h1".into()];
            estate.load_balancers.push(balancer);
        }
        if clustered {
            estate.clusters.push(KubernetesCluster {
                id: "k".into(),
                version: None,
                control_plane: vec![],
                workers: vec![format!("h{}", n - 1).into()],
                pod_cidr: None,
                service_cidr: None,
            });
        }
        if stays && n > 2 {
            estate.hosts[2].stays_because = Some("a dongle".to_owned());
        }
        estate
    }
}

prop_compose! {
    fn any_policy()(
        region_monthly in prop_oneof![Just(0i128), 0i128..200],
        provider_monthly in prop_oneof![Just(0i128), 0i128..200],
        nat_gateway in any::<bool>(),
        max_regions in prop::option::weighted(0.3, 1u32..4),
        max_providers in prop::option::weighted(0.3, 1u32..3),
        in_korea in prop::bool::weighted(0.3),
        burstable in any::<bool>(),
    ) -> Policy {
        let opening = Opening {
            region_monthly: Money(region_monthly * 1_000_000_000),
            provider_monthly: Money(provider_monthly * 1_000_000_000),
            nat_gateway,
        };
        let mut policy = Policy { opening, ..Policy::default() };
        policy.targets.max_regions = max_regions;
        policy.targets.max_providers = max_providers;
        policy.sizing.burstable = burstable;
        if in_korea {
            let matches = Match { host: Some("h0".to_owned()), ..Match::default() };
            policy.rules.push(Rule { matches, countries: Some(vec!["KR".to_owned()]), ..Rule::default() });
        }
        policy
    }
}

/// The cheapest of all plans that pin every host somewhere; `None` when no pinning places the same hosts.
fn by_force(estate: &Estate, policy: &Policy, n_placed: usize) -> Option<Money> {
    let snapshot = sealed(&PLACES);
    let n = estate.hosts.len();
    let mut best: Option<Money> = None;
    for code in 0..PLACES.len().pow(n as u32) {
        let mut pinned = policy.clone();
        let mut rest = code;
        for number in 0..n {
            let (provider, region, country, _) = PLACES[rest % PLACES.len()];
            rest /= PLACES.len();
            let matches = Match { host: Some(format!("h{number}")), ..Match::default() };
            let own = policy.for_host(&estate.hosts[number]);
            if own.countries.is_some_and(|list| !list.iter().any(|c| c == country)) {
                // A pin would overrule the country; such a pinning is not allowed.
                pinned.rules.clear();
                break;
            }
            let regions = Some(vec![format!("{provider}/{region}")]);
            pinned.rules.push(Rule { matches, regions, ..Rule::default() });
        }
        if pinned.rules.len() < n {
            continue;
        }
        let found = plan(estate, &snapshot, &pinned);
        if found.placements.len() == n_placed {
            best = Some(best.map_or(found.totals.monthly, |least| least.min(found.totals.monthly)));
        }
    }
    best
}

fn assert_sound(plan: &Plan) {
    let bugs: Vec<_> = plan.findings.iter().filter(|f| f.code == "PLN-9001").collect();
    assert!(bugs.is_empty(), "{bugs:#?}");
    assert_eq!(plan.bill.iter().map(|line| line.monthly).sum::<Money>(), plan.totals.monthly);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nothing_cheaper_exists(mut estate in any_estate(), policy in any_policy()) {
        estate.hosts.truncate(3);
        estate.load_balancers.iter_mut().for_each(|lb| lb.members.retain(|m| m.as_str() < "h3"));
        estate.clusters.retain(|cluster| cluster.workers[0].as_str() < "h3");
        let known = |end: &Endpoint| !matches!(end, Endpoint::Host(host) if host.as_str() >= "h3");
        estate.flows.retain(|flow| known(&flow.from) && known(&flow.to));
        let found = plan(&estate, &sealed(&PLACES), &policy);
        assert_sound(&found);
        if !found.placements.is_empty() {
            prop_assert_eq!(Some(found.totals.monthly), by_force(&estate, &policy, found.placements.len()));
            prop_assert_eq!(found.bound.gap, Quantity(0));
            prop_assert!(found.bound.proven);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_sound(estate in any_estate(), policy in any_policy()) {
        assert_sound(&plan(&estate, &sealed(&PLACES), &policy));
    }

    #[test]
    fn more_to_choose_from_never_costs_more(estate in any_estate(), mut policy in any_policy()) {
        let few = plan(&estate, &sealed(&PLACES[..3]), &policy);
        let more = plan(&estate, &sealed(&PLACES), &policy);
        // An estimate depends on the whole catalog, so only plans without one can be compared.
        let is_estimated = |plan: &Plan| plan.bill.iter().any(|line| line.rate_id.as_str().starts_with("estimate/"));
        if few.unplaced.is_empty() && !is_estimated(&few) && !is_estimated(&more) {
            prop_assert!(more.totals.monthly <= few.totals.monthly);
        }
        policy.rules.clear();
        policy.targets.max_regions = None;
        policy.targets.max_providers = None;
        let loose = plan(&estate, &sealed(&PLACES), &policy);
        if more.unplaced.is_empty() {
            prop_assert!(loose.totals.monthly <= more.totals.monthly);
        }
    }

    #[test]
    fn the_order_of_hosts_and_flows_does_not_matter(estate in any_estate(), policy in any_policy()) {
        let mut turned = estate.clone();
        turned.hosts.reverse();
        turned.flows.reverse();
        let (a, b) = (plan(&estate, &sealed(&PLACES), &policy), plan(&turned, &sealed(&PLACES), &policy));
        prop_assert_eq!(a.totals, b.totals);
        prop_assert_eq!(a.bound, b.bound);
    }

    #[test]
    fn the_number_of_threads_does_not_matter(estate in any_estate(), policy in any_policy()) {
        let in_pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| plan(&estate, &sealed(&PLACES), &policy))
        };
        prop_assert_eq!(in_pool(1), in_pool(8));
    }
}

#[test]
fn no_plan_of_the_small_estate_has_an_error() {
    let plan = plan(&crate::common::small_estate(), &sealed(&PLACES), &Policy::default());
    assert_sound(&plan);
    assert!(plan.findings.iter().all(|f| f.severity < Severity::Error), "{:#?}", plan.findings);
    assert_eq!(plan.placements.len(), 5);
}
