//! Rules about several hosts at once, against brute force: every way of pinning every host to a zone is planned without
//! those rules, and the judge, which shares no code with the planner, says which of these plans keep them.

use crate::common::{Place, catalog, flow, host, options, plan};
use crate::mps;
use carafe_model::catalog::{Certification, Latency, Reach, TransferPrice, TransferTier};
use carafe_model::constraints::{EndMatch, FlowRule, GroupRule, Level, Quota};
use carafe_model::estate::Estate;
use carafe_model::plan::Plan;
use carafe_model::policy::{Match, Opening, Policy, Rule};
use carafe_model::snapshot::{SealedSnapshot, seal};
use carafe_model::steps::Action;
use carafe_model::units::{Money, Quantity, Rate, Vcpus};
use carafe_planner::check::check;
use carafe_planner::demands::demands;
use carafe_planner::model_file::{self, Form};
use carafe_planner::what_if::{Questions, what_if};
use proptest::prelude::*;

const PLACES: [Place; 4] = [
    ("aws", "ap-northeast-2", "KR", 100),
    ("aws", "us-east-1", "US", 80),
    ("azure", "koreacentral", "KR", 104),
    ("ncp", "kr", "KR", 95),
];
/// Where hosts may be pinned: regions with their zones; one region has none that are known.
const SPOTS: [(&str, Option<&str>); 7] = [
    ("aws/ap-northeast-2", Some("a")),
    ("aws/ap-northeast-2", Some("b")),
    ("aws/us-east-1", Some("a")),
    ("aws/us-east-1", Some("b")),
    ("azure/koreacentral", None),
    ("ncp/kr", Some("a")),
    ("ncp/kr", Some("b")),
];

fn snapshot() -> SealedSnapshot {
    let mut catalog = catalog(&PLACES);
    let regions: Vec<_> = catalog.regions.indices().collect();
    for &place in &regions {
        let region = &mut catalog.regions[place];
        if region.name.as_str() != "koreacentral" {
            region.zones = vec!["a".to_owned(), "b".to_owned()];
        }
        region.coordinates =
            Some(if region.country == "KR" { (37_500_000, 127_000_000) } else { (38_900_000, -77_400_000) });
        let source = catalog.transfers[0].source;
        let tiers = vec![TransferTier { from_gib: 0, gib: Rate(10_000_000) }];
        catalog.transfers.push(TransferPrice { region: place, reach: Reach::InterZone, tiers, source });
        if catalog.regions[place].country == "KR" {
            catalog.certifications.push(Certification {
                region: place,
                name: "CSAP".to_owned(),
                source: "a test".to_owned(),
                as_of: "2026".to_owned(),
            });
        }
    }
    catalog.certifications.pop();
    // Faster than light, so not to be believed; and a measured pair that is slower than its distance.
    catalog.latencies.push(Latency { from: regions[0], to: regions[1], rtt_micros: 1_000, suspect: true });
    catalog.latencies.push(Latency { from: regions[2], to: regions[0], rtt_micros: 9_000, suspect: false });
    seal(catalog).0
}

fn named(host: &str) -> Match {
    Match { host: Some(host.to_owned()), ..Match::default() }
}

fn estate(traffic: &[(usize, usize, i64)]) -> Estate {
    let mut estate = Estate::empty("joint");
    estate.hosts = vec![host("h0", 2, 4), host("h1", 4, 8), host("h2", 4, 30)];
    for (number, host) in estate.hosts.iter_mut().enumerate() {
        host.labels.insert(if number < 2 { "front" } else { "back" }.to_owned(), String::new());
    }
    for (from, to, gib) in traffic.iter().filter(|(from, to, _)| from != to) {
        estate.flows.push(flow(&format!("h{from}"), &format!("h{to}"), *gib, gib / 2));
    }
    estate
}

prop_compose! {
    fn any_rules()(
        same in prop::option::weighted(0.3, prop::sample::select(vec![Level::Zone, Level::Region, Level::Provider])),
        apart in prop::option::weighted(0.5, prop::sample::select(vec![Level::Zone, Level::Region, Level::Provider])),
        at_most in 1u32..3,
        label in prop::sample::select(vec!["front", "back", ""]),
        rtt in prop::option::weighted(0.4, prop::sample::select(vec![1i64, 4, 8, 20, 300])),
        quota in prop::option::weighted(0.4, (prop::sample::select(vec!["aws", "ncp"]), 2u32..9, prop::bool::ANY)),
        pinned in prop::option::weighted(0.2, prop::sample::select(vec!["aws/us-east-1/b", "ncp/kr/a"])),
        certified in prop::bool::weighted(0.2),
        max_regions in prop::option::weighted(0.2, 1u32..3),
        max_providers in prop::option::weighted(0.2, 1u32..3),
        region_monthly in prop_oneof![Just(0i128), 0i128..100],
    ) -> Policy {
        let mut policy = Policy {
            opening: Opening { region_monthly: Money(region_monthly * 1_000_000_000), ..Opening::default() },
            ..Policy::default()
        };
        policy.targets.max_regions = max_regions;
        policy.targets.max_providers = max_providers;
        let matches = if label.is_empty() {
            named("h*")
        } else {
            Match { label: Some(label.to_owned()), ..Match::default() }
        };
        let apart = apart.filter(|apart| same.is_none_or(|same| *apart < same));
        if same.is_some() || apart.is_some() {
            policy.groups.push(GroupRule { name: "some".to_owned(), matches, same, apart, at_most });
        }
        if let Some(millis) = rtt {
            let end = |host: &str| EndMatch { host: Some(host.to_owned()), ..EndMatch::default() };
            let max_rtt_ms = Quantity(millis * 1_000_000);
            policy.flow_rules.push(FlowRule { from: end("h0"), to: end("h*"), max_rtt_ms });
        }
        if let Some((provider, most, counts_vcpus)) = quota {
            policy.quotas.push(Quota {
                provider: Some(provider.into()),
                max_vcpus: counts_vcpus.then_some(Vcpus(most)),
                max_hosts: (!counts_vcpus).then_some(most / 3),
                ..Quota::default()
            });
        }
        if let Some(zone) = pinned {
            policy.rules.push(Rule { matches: named("h1"), zones: Some(vec![zone.to_owned()]), ..Rule::default() });
        }
        if certified {
            let certifications = Some(vec!["CSAP".to_owned()]);
            policy.rules.push(Rule { matches: named("h2"), certifications, ..Rule::default() });
        }
        policy
    }
}

/// The cheapest of all plans that pin every host and that the judge accepts.
fn by_force(estate: &Estate, snapshot: &SealedSnapshot, policy: &Policy) -> Option<Money> {
    let mut free = policy.clone();
    free.groups.clear();
    free.flow_rules.clear();
    free.quotas.clear();
    free.targets.max_regions = None;
    free.targets.max_providers = None;
    free.rules.clear();
    let n = estate.hosts.len();
    let mut best: Option<Money> = None;
    for code in 0..SPOTS.len().pow(n as u32) {
        let mut pinned = free.clone();
        let mut rest = code;
        for number in 0..n {
            let (region, zone) = SPOTS[rest % SPOTS.len()];
            rest /= SPOTS.len();
            pinned.rules.push(Rule {
                matches: named(&format!("h{number}")),
                regions: Some(vec![region.to_owned()]),
                zones: zone.map(|zone| vec![format!("{region}/{zone}")]),
                ..Rule::default()
            });
        }
        let found = plan(estate, snapshot, &pinned);
        if found.placements.len() == n && check(&found, estate, snapshot, policy).is_empty() {
            best = Some(best.map_or(found.totals.monthly, |least| least.min(found.totals.monthly)));
        }
    }
    best
}

fn assert_sound(plan: &Plan) {
    let bugs: Vec<_> = plan.findings.iter().filter(|finding| finding.code == "PLN-9001").collect();
    assert!(bugs.is_empty(), "{bugs:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_that_keeps_the_rules_is_cheaper(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        policy in any_rules(),
    ) {
        let (estate, snapshot) = (estate(&traffic), snapshot());
        let found = plan(&estate, &snapshot, &policy);
        assert_sound(&found);
        let best = by_force(&estate, &snapshot, &policy);
        if found.placements.len() == estate.hosts.len() {
            prop_assert_eq!(Some(found.totals.monthly), best);
            prop_assert!(found.bound.proven);
            prop_assert_eq!(found.bound.gap, Quantity(0));
        } else {
            prop_assert_eq!(best, None, "{:#?}", found.unplaced);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_looser_rule_never_costs_more(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        policy in any_rules(),
        which in 0usize..5,
    ) {
        let (estate, snapshot) = (estate(&traffic), snapshot());
        let tight = plan(&estate, &snapshot, &policy);
        assert_sound(&tight);
        let mut loose = policy.clone();
        match which {
            0 => loose.groups.clear(),
            1 => loose.flow_rules.iter_mut().for_each(|rule| rule.max_rtt_ms.0 *= 3),
            2 => loose.quotas.clear(),
            3 => loose.groups.iter_mut().for_each(|group| group.at_most += 1),
            _ => loose.targets.max_regions = None,
        }
        let free = plan(&estate, &snapshot, &loose);
        assert_sound(&free);
        if tight.unplaced.is_empty() {
            prop_assert!(free.unplaced.is_empty());
            prop_assert!(free.totals.monthly <= tight.totals.monthly);
        }
    }

    #[test]
    fn rules_in_another_order_give_the_same_plan(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        a in any_rules(),
        b in any_rules(),
    ) {
        let (mut estate, snapshot) = (estate(&traffic), snapshot());
        let mut one = a.clone();
        one.groups.extend(b.groups.clone());
        one.quotas.extend(b.quotas.clone());
        let first = plan(&estate, &snapshot, &one);
        one.groups.reverse();
        one.quotas.reverse();
        estate.flows.reverse();
        let second = plan(&estate, &snapshot, &one);
        prop_assert_eq!(first.totals, second.totals);
        prop_assert_eq!(first.bound, second.bound);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn another_solver_finds_the_same_month_in_the_written_model(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        policy in any_rules(),
    ) {
        let (estate, snapshot) = (estate(&traffic), snapshot());
        let found = plan(&estate, &snapshot, &policy);
        let model = model_file::export(&estate, &snapshot, &policy, Form::Mps);
        if found.placements.len() == estate.hosts.len() {
            let month = mps::optimum(&model.expect("there is a placement")).expect("there is a placement");
            let difference = (month - found.totals.monthly.0 as f64 / 1e9).abs();
            prop_assert!(difference < 1e-5, "{month} is not {}", found.totals.monthly);
        } else if found.placements.is_empty() && found.unplaced.len() == estate.hosts.len() {
            // Hosts without any place are left out of the model; with all of them there is nothing in it.
            let month = model.ok().and_then(|text| mps::optimum(&text));
            prop_assert!(month.is_none_or(|month| month == 0.0), "{month:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_clash_cannot_be_kept_and_nothing_inside_it_can_be_left_out(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        a in any_rules(),
        b in any_rules(),
        cap in prop::option::weighted(0.3, 100i128..400),
    ) {
        let (estate, snapshot) = (estate(&traffic), snapshot());
        let mut policy = a;
        policy.groups.extend(b.groups);
        policy.rules.extend(b.rules);
        policy.quotas.extend(b.quotas);
        policy.targets.max_monthly = cap.map(|units| Money(units * 1_000_000_000));
        let found = plan(&estate, &snapshot, &policy);
        assert_sound(&found);
        let named: Vec<String> = found
            .findings
            .iter()
            .filter(|finding| finding.code == "PLN-0405")
            .map(|finding| finding.place.pointer.clone().unwrap_or_default())
            .collect();
        prop_assert_eq!(named.is_empty(), found.unplaced.is_empty(), "{:#?}", found.findings);
        let all = demands(&policy, &estate);
        let without = |left_out: &dyn Fn(&str) -> bool| {
            let (mut policy, mut estate) = (policy.clone(), estate.clone());
            for demand in all.iter().filter(|demand| left_out(&demand.key())) {
                demand.drop_from(&mut policy, &mut estate, &snapshot.catalog);
            }
            plan(&estate, &snapshot, &policy).unplaced.is_empty()
        };
        if !named.is_empty() {
            prop_assert!(!without(&|key| !named.iter().any(|name| name == key)), "{:?} is no clash", named);
            for one in &named {
                prop_assert!(
                    without(&|key| key == one || !named.iter().any(|name| name == key)),
                    "{:?} is not minimal: {}", named, one
                );
            }
        }
    }

    #[test]
    fn answers_to_what_if_agree_with_planning_again(
        traffic in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..5),
        policy in any_rules(),
    ) {
        let (estate, snapshot) = (estate(&traffic), snapshot());
        let found = plan(&estate, &snapshot, &policy);
        let stop = || false;
        let options = options(&estate, &stop);
        let answers = what_if(&estate, &snapshot, &policy, &options, &found, Questions::ALL);
        prop_assert!(answers.left_out.is_empty());
        if !found.unplaced.is_empty() {
            return Ok(());
        }
        let all = demands(&policy, &estate);
        for (price, demand) in answers.constraints.iter().zip(&all) {
            let (mut loose, mut estate) = (policy.clone(), estate.clone());
            demand.drop_from(&mut loose, &mut estate, &snapshot.catalog);
            let again = plan(&estate, &snapshot, &loose);
            let costs = price.costs.expect("looser rules place the same hosts");
            prop_assert_eq!(costs.found, found.totals.monthly - again.totals.monthly);
            prop_assert!(Money::ZERO <= costs.least && costs.least <= costs.found && costs.found <= costs.most);
        }
        for price in answers.constraints.iter().skip(all.len()) {
            prop_assert!(price.costs.is_none_or(|costs| costs.found >= Money::ZERO));
        }
        prop_assert!(answers.runner_up.is_none_or(|other| other.costs_more >= Money::ZERO));
        for scenario in &answers.scenarios {
            let outcome = scenario.outcome.as_ref().expect("the plan itself is possible");
            // Rounding of single lines apart, nothing is dearer than the plan where it is.
            prop_assert!(outcome.costs_more <= Money(1_000), "{:?}", scenario);
        }
        for range in &answers.ranges {
            let (low, high) = (range.from.factor, range.to.factor);
            prop_assert!(low.0 <= 1_000_000 && high.0 >= 1_000_000, "{:?}", range);
            let scenario = answers.scenarios.iter().filter(|s| s.provider == range.provider);
            for scenario in scenario {
                let inside = low < scenario.factor && scenario.factor < high;
                let outside = scenario.factor < low || scenario.factor > high;
                prop_assert!(!inside || scenario.plan_stays, "{:?} {:?}", range, scenario);
                prop_assert!(!outside || !scenario.plan_stays, "{:?} {:?}", range, scenario);
            }
        }
        for front in &answers.fronts {
            for pair in front.points.windows(2) {
                prop_assert!(pair[0].value < pair[1].value);
                prop_assert!(pair[0].outcome.monthly >= pair[1].outcome.monthly);
            }
        }
    }
}

#[test]
fn the_judge_sees_every_rule_that_is_broken() {
    let (estate, snapshot) = (estate(&[(0, 1, 100), (1, 2, 10)]), snapshot());
    let mut policy = Policy::default();
    policy.groups.push(GroupRule {
        matches: named("h*"),
        same: Some(Level::Provider),
        apart: Some(Level::Zone),
        at_most: 2,
        ..GroupRule::default()
    });
    let end = |host: &str| EndMatch { host: Some(host.to_owned()), ..EndMatch::default() };
    let max_rtt_ms = Quantity(8_000_000);
    policy.flow_rules.push(FlowRule { from: end("h1"), to: end("h0"), max_rtt_ms });
    policy.rules.push(Rule {
        matches: named("h2"),
        zones: Some(vec!["aws/us-east-1/b".to_owned()]),
        offers: Some(vec!["aws/aws.memory".to_owned()]),
        ..Rule::default()
    });
    policy.quotas.push(Quota {
        provider: Some("aws".into()),
        max_vcpus: Some(Vcpus(10)),
        ..Quota::default()
    });
    let sound = plan(&estate, &snapshot, &policy);
    assert_eq!(check(&sound, &estate, &snapshot, &policy), []);
    let places: Vec<_> = sound.placements.iter().map(|p| (p.region.as_str(), p.zone.as_deref())).collect();
    assert_eq!(places, [("us-east-1", Some("a")), ("us-east-1", Some("a")), ("us-east-1", Some("b"))]);

    let zones: Vec<_> = sound
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Subnet { zone, .. } => Some(zone.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(zones, [Some("a"), Some("b")], "each zone gets a subnet of its own");
    let between = sound.bill.iter().find(|line| line.rate_id.as_str() == "aws/us-east-1/egress/inter-zone");
    assert!(between.is_some(), "traffic between zones is billed");

    let said = |change: &dyn Fn(&mut Plan, &mut Policy)| {
        let (mut plan, mut policy) = (sound.clone(), policy.clone());
        change(&mut plan, &mut policy);
        let found = check(&plan, &estate, &snapshot, &policy);
        found.into_iter().map(|finding| finding.summary.to_string()).collect::<Vec<_>>().join("; ")
    };
    for (change, expected) in [
        (
            (&|plan: &mut Plan, _: &mut Policy| plan.placements[2].zone = Some("a".to_owned()))
                as &dyn Fn(&mut Plan, &mut Policy),
            "too many hosts of group[0] share a zone",
        ),
        (&|plan, _| plan.placements[1].zone = None, "too many hosts of group[0] share a zone"),
        (&|plan, _| plan.placements[2].zone = Some("z".to_owned()), "which aws/us-east-1 does not have"),
        (&|plan, _| plan.placements[2].zone = None, "h2 is not in a zone that the policy allows"),
        (
            &|plan, _| {
                plan.placements[0].provider = "azure".into();
                plan.placements[0].region = "koreacentral".into();
            },
            "the hosts of group[0] are not in one provider",
        ),
        (
            &|plan, _| plan.placements[0].region = "ap-northeast-2".into(),
            "the flow between h0 and h1 takes longer than 8 ms",
        ),
        (&|_, policy| policy.quotas[0].max_vcpus = Some(Vcpus(9)), "quota[0] is exceeded"),
        (&|_, policy| policy.quotas[0].max_hosts = Some(2), "quota[0] is exceeded"),
        (
            &|_, policy| policy.rules[0].offers = Some(vec!["aws/x".to_owned()]),
            "which the policy does not allow",
        ),
        (
            &|_, policy| policy.targets.certifications = Some(vec!["CSAP".to_owned()]),
            "is not known to hold CSAP",
        ),
        (&|_, policy| policy.targets.max_monthly = Some(Money(1)), "the month costs more than"),
    ] {
        let said = said(change);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
