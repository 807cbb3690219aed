//! What plans say about particular estates.

use crate::common::{PLACES, codes, for_host, gib, host, plan, rate, regions, sealed, small_estate};
use carafe_model::catalog::{Certification, Term};
use carafe_model::constraints::{EndMatch, FlowRule, GroupRule, Level, Location, Service, Unavailable};
use carafe_model::estate::{Endpoint, KubernetesCluster};
use carafe_model::host::{Architecture, Distribution, Gpu, Os, OsFamily, Usage};
use carafe_model::plan::Component;
use carafe_model::policy::{Exchange, Match, Policy, Rule, SizingStrategy};
use carafe_model::units::{Currency, Mib, Money, Quantity, Rate, Vcpus};
use carafe_planner::check::check;

#[test]
fn residency_holds_one_host_and_traffic_pulls_the_others() {
    let mut policy = Policy::default();
    let free = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert!(regions(&free).iter().all(|r| r.ends_with("aws/us-east-1")), "{:?}", regions(&free));

    let matches = Match { label: Some("tier=db".to_owned()), ..Match::default() };
    policy.rules.push(Rule { matches, countries: Some(vec!["KR".to_owned()]), ..Rule::default() });
    let bound = plan(&small_estate(), &sealed(&PLACES), &policy);
    let db = &bound.placements[3];
    assert_eq!((db.host.as_str(), db.country.as_str()), ("db-1", "KR"));
    assert!(bound.totals.monthly > free.totals.monthly);
}

#[test]
fn every_placement_has_reasons_and_a_runner_up_that_costs_more() {
    let plan = plan(&small_estate(), &sealed(&PLACES), &Policy::default());
    for placement in &plan.placements {
        assert!(placement.reasons.len() >= 2, "{placement:#?}");
        let runner_up = placement.runner_up.as_ref().expect("others are sold");
        assert!(runner_up.costs_more >= Money::ZERO, "{placement:#?}");
    }
}

#[test]
fn nothing_is_placed_that_nobody_sells() {
    let mut estate = small_estate();
    estate.hosts.push(host("huge", 512, 4));
    estate.hosts.push(host("vast", 2, 4_096));
    let mut power = host("power", 2, 4);
    power.architecture = Some(Architecture::Other);
    estate.hosts.push(power);
    let mut gpu = host("gpu", 2, 4);
    gpu.gpu = Some(Gpu { count: 1, model: None });
    estate.hosts.push(gpu);
    let mut unknown = host("unknown", 2, 4);
    unknown.vcpus = None;
    estate.hosts.push(unknown);
    let plan = plan(&estate, &sealed(&PLACES), &Policy::default());
    let said: Vec<(&str, &str)> =
        plan.unplaced.iter().map(|u| (u.host.as_str(), u.reasons[0].as_str())).collect();
    assert_eq!(
        said,
        [
            ("gpu", "None of 20 offers fits: 20 lack the accelerators."),
            ("huge", "None of 20 offers fits: 20 have too few vCPUs."),
            ("power", "None of 20 offers fits: 20 have another instruction set."),
            ("unknown", "Its number of vCPUs is unknown."),
            ("vast", "None of 20 offers fits: 20 have too little memory."),
        ]
    );
    assert_eq!(plan.placements.len(), 5);
    assert_eq!(codes(&plan).iter().filter(|code| **code == "PLN-0401").count(), 5);
}

#[test]
fn limits_that_nothing_can_keep_are_said() {
    let mut policy = Policy::default();
    policy.targets.max_regions = Some(1);
    policy.rules.push(Rule {
        matches: for_host("db-1"),
        regions: Some(vec!["ncp/kr".to_owned()]),
        ..Rule::default()
    });
    policy.rules.push(Rule {
        matches: for_host("batch"),
        regions: Some(vec!["nhn/kr1".to_owned()]),
        ..Rule::default()
    });
    let plan = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_eq!(plan.placements, []);
    assert_eq!(plan.unplaced.len(), 5);
    assert!(codes(&plan).contains(&"PLN-0402"));
}

#[test]
fn members_of_a_balancer_stay_together_and_one_that_cannot_is_told_why() {
    let mut policy = Policy::default();
    for (host, region) in [("web-1", "ncp/kr"), ("web-2", "nhn/kr1")] {
        let regions = Some(vec![region.to_owned()]);
        policy.rules.push(Rule { matches: for_host(host), regions, ..Rule::default() });
    }
    let plan = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_eq!(plan.unplaced.len(), 2);
    assert_eq!(plan.unplaced[0].reasons, ["No region suits all members of front at once."]);
    assert_eq!(plan.placements.len(), 3);
}

#[test]
fn a_member_that_fits_nowhere_leaves_its_balancer_and_the_others_go() {
    let mut estate = small_estate();
    estate.hosts[1].vcpus = Some(Vcpus(512));
    let plan = plan(&estate, &sealed(&PLACES), &Policy::default());
    let unplaced: Vec<(&str, &str)> =
        plan.unplaced.iter().map(|u| (u.host.as_str(), u.reasons[0].as_str())).collect();
    assert_eq!(unplaced, [("web-2", "None of 20 offers fits: 20 have too few vCPUs.")]);
    assert_eq!(plan.placements.len(), 4);
    let told = plan.findings.iter().find(|finding| finding.code == "PLN-0404").expect("told");
    assert_eq!(told.summary.as_str(), "front is placed without this host");
    assert!(!codes(&plan).contains(&"PLN-9001"), "{:#?}", plan.findings);
}

#[test]
fn the_member_that_keeps_a_group_from_fitting_is_named() {
    let mut estate = small_estate();
    estate.load_balancers[0].members.push("batch".into());
    let mut policy = Policy::default();
    for (host, region) in [("web-1", "ncp/kr"), ("web-2", "ncp/kr"), ("batch", "nhn/kr1")] {
        let regions = Some(vec![region.to_owned()]);
        policy.rules.push(Rule { matches: for_host(host), regions, ..Rule::default() });
    }
    let plan = plan(&estate, &sealed(&PLACES), &policy);
    assert_eq!(plan.unplaced.len(), 3);
    for unplaced in &plan.unplaced {
        assert_eq!(unplaced.reasons[1], "Without batch the others would fit.");
    }
}

#[test]
fn nobody_goes_where_what_it_needs_cannot_be_made() {
    let estate = small_estate();
    let unavailable = |provider: &str, services: &[Service]| Unavailable {
        provider: provider.into(),
        services: services.to_vec(),
    };
    let free = plan(&estate, &sealed(&PLACES), &Policy::default());
    assert!(free.placements.iter().all(|p| p.provider.as_str() == "aws"), "{:?}", regions(&free));
    let mut policy =
        Policy { unavailable: vec![unavailable("aws", &[Service::LoadBalancer])], ..Policy::default() };
    let without = plan(&estate, &sealed(&PLACES), &policy);
    assert!(!codes(&without).contains(&"PLN-9001"), "{:#?}", without.findings);
    for placement in &without.placements {
        let is_member = placement.host.as_str().starts_with("web");
        assert!(!is_member || placement.provider.as_str() != "aws", "{:?}", regions(&without));
        let refused = placement.refused.iter().any(|refusal| refusal.reason == "capability");
        assert_eq!(refused, is_member, "{}", placement.host);
    }
    let wrong = check(&free, &estate, &sealed(&PLACES), &policy);
    assert!(wrong.iter().any(|finding| finding.summary.to_string().contains("cannot be made")), "{wrong:#?}");

    policy.unavailable =
        ["aws", "azure", "ncp", "nhn"].map(|name| unavailable(name, &[Service::PublicAddress])).to_vec();
    let nowhere = plan(&estate, &sealed(&PLACES), &policy);
    let unplaced: Vec<&str> = nowhere.unplaced.iter().map(|u| u.host.as_str()).collect();
    assert_eq!(unplaced, ["web-1"], "only the host with a public address");
}

#[test]
fn hosts_of_a_group_share_a_region() {
    let mut policy = Policy::default();
    let matches = for_host("batch");
    policy.rules.push(Rule { matches, countries: Some(vec!["KR".to_owned()]), ..Rule::default() });
    let mut estate = small_estate();
    estate.flows.clear();
    let apart = plan(&estate, &sealed(&PLACES), &policy);
    assert!(regions(&apart).contains(&"db-1 aws/us-east-1".to_owned()));
    policy.groups.push(GroupRule {
        name: "data".to_owned(),
        matches: Match { app: Some("data".to_owned()), ..Match::default() },
        same: Some(Level::Region),
        ..GroupRule::default()
    });
    let together = plan(&estate, &sealed(&PLACES), &policy);
    let home = |host: &str| regions(&together).iter().find(|r| r.starts_with(host)).cloned();
    assert_eq!(home("db-1").map(|r| r.replace("db-1", "batch")), home("batch"));
    let db = together.placements.iter().find(|p| p.host.as_str() == "db-1").expect("placed");
    assert!(db.reasons.iter().any(|r| r.as_str().contains("group data")), "{:?}", db.reasons);
    assert!(!codes(&together).contains(&"PLN-9001"), "{:#?}", together.findings);
}

#[test]
fn what_a_rule_pins_is_taken_and_what_it_demands_is_held() {
    let mut catalog = crate::common::catalog(&PLACES);
    let azure = catalog.regions.indices().find(|r| catalog.regions[*r].name.as_str() == "koreacentral");
    catalog.certifications.push(Certification {
        region: azure.expect("there"),
        name: "CSAP".to_owned(),
        source: "a test".to_owned(),
        as_of: "2026".to_owned(),
    });
    let snapshot = carafe_model::snapshot::seal(catalog).0;
    let mut policy = Policy::default();
    policy.rules.push(Rule {
        matches: for_host("db-1"),
        certifications: Some(vec!["CSAP".to_owned()]),
        offers: Some(vec!["azure/azure.large".to_owned(), "ncp/ncp.large".to_owned()]),
        ..Rule::default()
    });
    let found = plan(&small_estate(), &snapshot, &policy);
    assert!(!codes(&found).contains(&"PLN-9001"), "{:#?}", found.findings);
    let db = &found.placements[3];
    assert_eq!((db.region.as_str(), db.offer.as_str()), ("koreacentral", "azure.large"));
    let refused = |reason: &str| db.refused.iter().find(|r| r.reason == reason).map(|r| r.offers);
    assert_eq!((refused("certification"), refused("offer")), (Some(16), Some(18)));

    policy.rules[0].certifications = Some(vec!["CSAB".to_owned()]);
    let typo = plan(&small_estate(), &snapshot, &policy);
    assert_eq!(typo.unplaced.len(), 1);
    let told = typo.findings.iter().find(|f| f.code == "PLN-0101").expect("told");
    assert_eq!(told.help.as_ref().map(|help| help.as_str()), Some("did you mean \"CSAP\"?"));
}

#[test]
fn a_round_trip_to_what_does_not_move_keeps_hosts_near() {
    let mut catalog = crate::common::catalog(&PLACES);
    let places: Vec<_> = catalog.regions.indices().collect();
    for region in places {
        let is_korean = catalog.regions[region].country == "KR";
        catalog.regions[region].coordinates =
            Some(if is_korean { (37_500_000, 127_000_000) } else { (38_900_000, -77_400_000) });
    }
    let snapshot = carafe_model::snapshot::seal(catalog).0;
    let mut estate = small_estate();
    estate.flows[4].from = Endpoint::External("bank".to_owned());
    let mut policy = Policy::default();
    policy.flow_rules.push(FlowRule {
        from: EndMatch { host: Some("web-*".to_owned()), ..EndMatch::default() },
        to: EndMatch { external: Some("bank".to_owned()), ..EndMatch::default() },
        max_rtt_ms: gib(20),
    });
    let unknown = plan(&estate, &snapshot, &policy);
    assert!(codes(&unknown).contains(&"PLN-0108"), "{:#?}", unknown.findings);
    assert!(regions(&unknown)[0].ends_with("us-east-1"));
    policy.locations.push(Location {
        matches: EndMatch { external: Some("bank".to_owned()), ..EndMatch::default() },
        latitude: "37.5665".parse().expect("degrees"),
        longitude: "126.978".parse().expect("degrees"),
    });
    let near = plan(&estate, &snapshot, &policy);
    assert_eq!(near.placements[0].country, "KR");
    assert!(near.placements[0].refused.iter().any(|r| r.reason == "latency"));
    assert!(!codes(&near).contains(&"PLN-9001"), "{:#?}", near.findings);
}

#[test]
fn a_host_that_stays_keeps_its_traffic_priced() {
    let mut estate = small_estate();
    estate.hosts[3].stays_because = Some("a hardware security module".to_owned());
    let plan = plan(&estate, &sealed(&PLACES), &Policy::default());
    assert_eq!(plan.staying[0].host.as_str(), "db-1");
    let flows: Vec<&str> = plan.bill.iter().filter_map(|line| line.flow.as_deref()).collect();
    assert_eq!(flows, ["app-1 → db-1:443", "batch → db-1:443", "web-1 → internet:443"]);
}

#[test]
fn windows_is_licensed_and_may_be_brought() {
    let mut estate = small_estate();
    estate.hosts[4].os =
        Some(Os { family: OsFamily::Windows, name: "Windows Server 2022".to_owned(), version: None });
    let mut policy = Policy::default();
    let included = plan(&estate, &sealed(&PLACES), &policy);
    let licence: Vec<_> = included.bill.iter().filter(|line| line.component == Component::Licence).collect();
    assert_eq!(licence.len(), 1);
    assert_eq!(licence[0].quantity, Quantity(8 * Quantity::MONTH.0));
    policy.licences.windows = carafe_model::policy::Licence::BringYourOwn;
    let brought = plan(&estate, &sealed(&PLACES), &policy);
    assert!(brought.bill.iter().all(|line| line.component != Component::Licence));
}

#[test]
fn what_the_catalog_lacks_is_an_estimate_with_a_range() {
    let mut catalog = crate::common::catalog(&PLACES);
    let ncp = catalog.regions.indices().find(|r| catalog.regions[*r].name.as_str() == "kr").expect("there");
    catalog.disks.retain(|disk| disk.region != ncp);
    catalog.transfers.retain(|transfer| transfer.region != ncp);
    let mut policy = Policy::default();
    policy.targets.providers = Some(vec!["ncp".into()]);
    let plan = plan(&small_estate(), &carafe_model::snapshot::seal(catalog).0, &policy);
    let disk = plan.bill.iter().find(|line| line.component == Component::Disk).expect("disks are billed");
    assert_eq!(disk.rate_id.as_str(), "estimate/disk/ssd");
    let range = disk.range.as_ref().expect("an estimate has a range");
    assert!(range.low < disk.monthly && disk.monthly < range.high, "{range:?}");
    assert_eq!(plan.placements[0].disks[0].class, None);
    assert!(plan.totals.monthly_low < plan.totals.monthly && plan.totals.monthly < plan.totals.monthly_high);
}

#[test]
fn longer_terms_are_cheaper_and_must_end_within_the_horizon() {
    let mut policy = Policy::default();
    policy.pricing.terms = vec![Term::OnDemand, Term::OneYear, Term::ThreeYears];
    let long = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert!(long.placements.iter().all(|p| p.term == Term::ThreeYears));
    policy.pricing.horizon_months = 24;
    let shorter = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert!(shorter.placements.iter().all(|p| p.term == Term::OneYear));
    assert!(codes(&shorter).contains(&"PLN-0103"));
}

#[test]
fn another_currency_needs_a_rate_and_converts_every_line() {
    let mut policy = Policy::default();
    let usd = plan(&small_estate(), &sealed(&PLACES), &policy);
    policy.pricing.currency = "KRW".parse().expect("a currency");
    let without = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_eq!(without.unplaced.len(), 5);
    assert!(codes(&without).contains(&"PLN-0104"));
    policy.pricing.exchange = Some(Exchange {
        from: Currency::USD,
        rate: Rate(1_400_000_000_000),
        date: "2026-11-20".to_owned(),
        source: "test".to_owned(),
    });
    let krw = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_eq!(krw.totals.monthly, Money(usd.totals.monthly.0 * 1_400));
    assert_eq!(regions(&krw), regions(&usd));
}

#[test]
fn measured_use_shrinks_a_host_but_never_below_what_it_uses() {
    let at = |units: i64| {
        let q = gib(units);
        Distribution { p50: q, p90: q, p95: q, p99: q, max: q }
    };
    let mut estate = small_estate();
    estate.hosts[4].usage = Some(Usage {
        window_hours: 720,
        coverage_percent: 90,
        cpu_percent: Some(at(30)),
        memory_mib: Some(at(9_000)),
        network_mbps: None,
    });
    let mut policy = Policy::default();
    policy.sizing.strategy = SizingStrategy::Measured;
    let plan = plan(&estate, &sealed(&PLACES), &policy);
    let batch = &plan.placements[4];
    // 8 × 30 % × 1.2 = 2.88 threads; 9,000 MiB × 1.1 = 9,900 MiB.
    assert_eq!((batch.demand.vcpus, batch.demand.memory_mib), (Vcpus(3), Mib(9_900)));
    assert_eq!(batch.offer, "aws.medium");
    assert_eq!(plan.placements[0].demand.basis, "as-is: nothing was measured");
    let told: Vec<&str> =
        plan.findings.iter().filter(|f| f.code == "PLN-0202").map(|f| f.summary.as_str()).collect();
    assert_eq!(told, ["4 hosts: sized as is: nothing was measured"]);
}

#[test]
fn a_cluster_gets_a_managed_control_plane_and_only_where_one_is_sold() {
    let mut estate = small_estate();
    estate.hosts.push(host("cp", 2, 4));
    estate.clusters.push(KubernetesCluster {
        id: "k8s".into(),
        version: Some("1.30".to_owned()),
        control_plane: vec!["cp".into()],
        workers: vec!["app-1".into(), "batch".into()],
        pod_cidr: None,
        service_cidr: None,
    });
    let mut policy = Policy::default();
    let found = plan(&estate, &sealed(&PLACES), &policy);
    assert_eq!(found.staying[0].host.as_str(), "cp");
    assert_eq!(found.bill.iter().filter(|line| line.component == Component::Kubernetes).count(), 1);
    let kinds: Vec<&str> = found.steps.iter().map(|step| step.action.kind()).collect();
    assert!(kinds.contains(&"kubernetes_cluster"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "machine").count(), 3);
    policy.targets.providers = Some(vec!["nhn".into()]);
    let nowhere = plan(&estate, &sealed(&PLACES), &policy);
    let sizes: Vec<u32> = found
        .placements
        .iter()
        .filter(|p| ["app-1", "batch"].contains(&p.host.as_str()))
        .map(|p| p.demand.vcpus.0)
        .collect();
    assert_eq!(sizes, [8, 8], "all nodes of a group are of one size");
    let unplaced: Vec<&str> = nowhere.unplaced.iter().map(|u| u.host.as_str()).collect();
    assert_eq!(unplaced, ["app-1", "batch"]);
}

#[test]
fn opening_costs_keep_an_estate_together() {
    let mut estate = small_estate();
    estate.flows.clear();
    let mut policy = Policy::default();
    let matches = for_host("db-1");
    policy.rules.push(Rule { matches, countries: Some(vec!["KR".to_owned()]), ..Rule::default() });
    let apart = plan(&estate, &sealed(&PLACES), &policy);
    assert!(regions(&apart).contains(&"batch aws/us-east-1".to_owned()));
    policy.opening.region_monthly = Money(1_000_000_000_000);
    let together = plan(&estate, &sealed(&PLACES), &policy);
    assert!(regions(&together).iter().all(|r| r.ends_with("ncp/kr")), "{:?}", regions(&together));
    assert_eq!(together.bill.iter().filter(|line| line.component == Component::Opening).count(), 1);
}

#[test]
fn what_depends_on_nothing_moves_first() {
    let plan = plan(&small_estate(), &sealed(&PLACES), &Policy::default());
    let waves: Vec<(u32, Vec<&str>)> = plan
        .waves
        .iter()
        .map(|wave| (wave.number, wave.hosts.iter().map(|h| h.as_str()).collect()))
        .collect();
    assert_eq!(waves, [(1, vec!["db-1", "batch"]), (2, vec!["web-1", "web-2", "app-1"])]);
}

#[test]
fn unknown_names_in_the_policy_are_told_with_a_suggestion() {
    let mut policy = Policy::default();
    policy.targets.regions = Some(vec!["aws/ap-northeast-3".to_owned(), "ncp/kr".to_owned()]);
    policy.rules.push(Rule { matches: for_host("nobody"), vcpus: Some(Vcpus(2)), ..Rule::default() });
    let plan = plan(&small_estate(), &sealed(&PLACES), &policy);
    let said: Vec<(&str, Option<&str>)> =
        plan.findings.iter().map(|f| (f.code.as_str(), f.help.as_deref())).collect();
    assert!(said.contains(&("PLN-0101", Some("did you mean \"aws/ap-northeast-2\"?"))), "{said:?}");
    assert!(codes(&plan).contains(&"PLN-0102"));
}

#[test]
fn an_empty_estate_has_an_empty_plan() {
    let plan = plan(&carafe_model::estate::Estate::empty("none"), &sealed(&PLACES), &Policy::default());
    assert_eq!(plan.totals.monthly, Money::ZERO);
    assert!(plan.bound.proven);
    assert_eq!(rate("0"), Rate(0));
}
