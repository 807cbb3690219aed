//! What plans say about particular estates.

use crate::common::{PLACES, gib, host, plan, rate, sealed, small_estate};
use carafe_model::catalog::{Certification, Term};
use carafe_model::constraints::{EndMatch, FlowRule, GroupRule, Level, Location};
use carafe_model::estate::{CurrentCost, Endpoint, KubernetesCluster};
use carafe_model::host::{Architecture, Distribution, Gpu, Os, OsFamily, Usage};
use carafe_model::plan::{Component, Plan};
use carafe_model::policy::{Doubtful, Exchange, Match, Policy, Rule, SizingStrategy};
use carafe_model::units::{Currency, Gib, Mib, Money, Quantity, Rate, Vcpus};

fn regions(plan: &Plan) -> Vec<String> {
    plan.placements.iter().map(|p| format!("{} {}/{}", p.host, p.provider, p.region)).collect()
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn for_host(name: &str) -> Match {
    Match { host: Some(name.to_owned()), ..Match::default() }
}

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

#[test]
fn a_price_too_good_is_doubted() {
    let mut places = vec![
        ("aws", "ap-northeast-1", "JP", 104),
        ("aws", "eu-west-1", "IE", 102),
        ("aws", "sa-east-1", "BR", 150),
        ("aws", "us-east-1", "US", 51),
    ];
    let fair = plan(&small_estate(), &sealed(&places), &Policy::default());
    assert!(!codes(&fair).contains(&"PLN-0303"));
    places[3].3 = 49;
    let mut policy = Policy::default();
    let refusing = plan(&small_estate(), &sealed(&places), &policy);
    assert!(regions(&refusing).iter().all(|place| !place.ends_with("us-east-1")), "{:?}", regions(&refusing));
    let refused = &refusing.placements[0].refused;
    assert_eq!(refused.iter().find(|r| r.reason == "doubtful").map(|r| r.offers), Some(4));
    let told: Vec<&str> =
        refusing.findings.iter().filter(|f| f.code == "PLN-0303").map(|f| f.summary.as_str()).collect();
    assert_eq!(told.len(), 1, "five hosts, one region, one finding: {told:?}");
    assert!(told[0].contains("5 hosts would cost USD"), "{told:?}");

    policy.pricing.doubtful = Doubtful::Use;
    let trusting = plan(&small_estate(), &sealed(&places), &policy);
    assert!(regions(&trusting).iter().all(|place| place.ends_with("us-east-1")));
    assert_eq!(codes(&trusting).iter().filter(|code| **code == "PLN-0303").count(), 1);
    assert!(trusting.totals.monthly < refusing.totals.monthly);
}

#[test]
fn a_saving_compares_the_hosts_that_move_and_only_them() {
    let mut estate = small_estate();
    let source = "test".to_owned();
    estate.today = Some(CurrentCost { monthly: Money(5_000_000_000_000), currency: Currency::USD, source });
    let policy = Policy::default();
    let all = plan(&estate, &sealed(&PLACES), &policy);
    assert_eq!(all.today.map(|today| today.monthly), Some(Money(5_000_000_000_000)));
    estate.hosts[3].stays_because = Some("a dongle".to_owned());
    let unlike = plan(&estate, &sealed(&PLACES), &policy);
    assert_eq!(unlike.today, None);
    assert!(codes(&unlike).contains(&"PLN-0106"));
    estate.hosts[3].monthly_cost = Some(Money(900_000_000_000));
    let like = plan(&estate, &sealed(&PLACES), &policy);
    assert_eq!(like.today.map(|today| today.monthly), Some(Money(4_100_000_000_000)));
}

#[test]
fn a_disk_that_no_class_takes_is_not_placed() {
    let mut estate = small_estate();
    estate.hosts[4].disks[0].size_gib = Some(Gib(20_000));
    let plan = plan(&estate, &sealed(&PLACES), &Policy::default());
    assert_eq!(plan.unplaced[0].reasons, ["No class of block storage takes its disk sda of 20,000 GiB."]);
    assert_eq!(plan.placements.len(), 4);
}

#[test]
fn an_unknown_disk_is_counted_with_at_least_what_is_billed() {
    let mut catalog = crate::common::catalog(&PLACES);
    catalog.disks.iter_mut().for_each(|disk| disk.smallest_gib = 500);
    let mut estate = small_estate();
    estate.hosts[0].disks[0].size_gib = None;
    let plan = plan(&estate, &carafe_model::snapshot::seal(catalog).0, &Policy::default());
    assert!(!codes(&plan).contains(&"PLN-9001"), "{:#?}", plan.findings);
}

#[test]
fn what_has_no_price_at_all_is_told() {
    let mut catalog = crate::common::catalog(&PLACES);
    catalog.disks.clear();
    catalog.services.clear();
    catalog.licences.clear();
    let mut estate = small_estate();
    estate.hosts[4].os = Some(Os { family: OsFamily::Windows, name: "Windows".to_owned(), version: None });
    let plan = plan(&estate, &carafe_model::snapshot::seal(catalog).0, &Policy::default());
    assert!(!codes(&plan).contains(&"PLN-9001"), "{:#?}", plan.findings);
    assert_eq!(codes(&plan).iter().filter(|code| **code == "PLN-0301").count(), 4);
}

/// The catalog of the tests with one provider whose prices are examples and low.
fn with_example() -> carafe_model::snapshot::SealedSnapshot {
    let mut places = PLACES.to_vec();
    places.push(("openstack", "regionone", "KR", 30));
    let mut catalog = crate::common::catalog(&places);
    let example = catalog.sources.push(carafe_model::catalog::PriceSource {
        name: "example rate card".to_owned(),
        as_of: "2026-11-01".to_owned(),
        quality: String::new(),
    });
    for place in 0..catalog.offers.len() {
        if catalog.region_path(catalog.offers.region[place]) == "openstack/regionone" {
            catalog.offers.source[place] = example;
        }
    }
    carafe_model::snapshot::seal(catalog).0
}

#[test]
fn an_example_rate_card_is_used_only_where_the_policy_names_its_provider() {
    let free = plan(&small_estate(), &with_example(), &Policy::default());
    assert!(regions(&free).iter().all(|place| !place.contains("openstack")), "{:?}", regions(&free));
    assert!(free.placements[0].refused.iter().any(|r| r.reason == "example" && r.offers == 4));
    let mut policy = Policy::default();
    policy.targets.providers = Some(vec!["openstack".into(), "aws".into()]);
    let named = plan(&small_estate(), &with_example(), &policy);
    assert!(regions(&named).iter().all(|place| place.contains("openstack")));
    assert_eq!(codes(&named).iter().filter(|code| **code == "PLN-0305").count(), 1);
}

#[test]
fn spot_is_for_hosts_that_may_be_interrupted() {
    let mut catalog = crate::common::catalog(&PLACES);
    catalog.offers.spot = catalog.offers.on_demand.iter().map(|rate| Rate(rate.0 / 3)).collect();
    let snapshot = carafe_model::snapshot::seal(catalog).0;
    let mut policy = Policy::default();
    policy.pricing.terms = vec![Term::OnDemand, Term::Spot];
    let none = plan(&small_estate(), &snapshot, &policy);
    assert!(none.placements.iter().all(|p| p.term == Term::OnDemand));
    assert!(codes(&none).contains(&"PLN-0107"));
    policy.rules.push(Rule { matches: for_host("batch"), interruptible: Some(true), ..Rule::default() });
    let some = plan(&small_estate(), &snapshot, &policy);
    let on_spot: Vec<&str> =
        some.placements.iter().filter(|p| p.term == Term::Spot).map(|p| p.host.as_str()).collect();
    assert_eq!(on_spot, ["batch"]);
    assert!(!codes(&some).contains(&"PLN-0107"));
}

#[test]
fn measurements_that_cannot_be_true_shrink_nothing() {
    let at = |units: i64| {
        let q = gib(units);
        Distribution { p50: q, p90: q, p95: q, p99: q, max: q }
    };
    let mut policy = Policy::default();
    policy.sizing.strategy = SizingStrategy::Measured;
    for (cpu, memory, why) in [
        (0, 4_000, "the measured use is zero"),
        (20, 0, "the measured use is zero"),
        (101, 4_000, "more was measured in use than it has"),
        (20, 16_385, "more was measured in use than it has"),
    ] {
        let mut estate = small_estate();
        estate.hosts[4].usage = Some(Usage {
            window_hours: 720,
            coverage_percent: 90,
            cpu_percent: Some(at(cpu)),
            memory_mib: Some(at(memory)),
            network_mbps: None,
        });
        let plan = plan(&estate, &sealed(&PLACES), &policy);
        assert_eq!(plan.placements[4].demand.basis, format!("as-is: {why}"));
        assert_eq!(plan.placements[4].demand.vcpus, Vcpus(8));
    }
}

#[test]
fn a_boot_disk_keeps_its_size_and_memory_holds_what_was_ever_in_use() {
    let even = |units: i64| {
        let q = gib(units);
        Distribution { p50: q, p90: q, p95: q, p99: q, max: q }
    };
    let mut estate = small_estate();
    let host = &mut estate.hosts[4];
    host.usage = Some(Usage {
        window_hours: 720,
        coverage_percent: 90,
        cpu_percent: Some(even(30)),
        memory_mib: Some(Distribution { max: gib(15_000), ..even(2_000) }),
        network_mbps: None,
    });
    host.disks[0].used_gib = Some(Gib(12));
    host.disks.push(carafe_model::host::Disk {
        name: "sdb".to_owned(),
        size_gib: Some(Gib(200)),
        used_gib: Some(Gib(50)),
        ..carafe_model::host::Disk::default()
    });
    let mut policy = Policy::default();
    policy.sizing.strategy = SizingStrategy::Measured;
    let plan = plan(&estate, &sealed(&PLACES), &policy);
    let batch = &plan.placements[4];
    assert_eq!(batch.demand.memory_mib, Mib(15_000));
    assert_eq!(batch.disks.iter().map(|disk| disk.size_gib.0).collect::<Vec<_>>(), [50, 60]);
}

#[test]
fn prices_much_older_than_the_newest_are_told_once() {
    let mut catalog = crate::common::catalog(&PLACES);
    let old = catalog.sources.push(carafe_model::catalog::PriceSource {
        name: "an old list".to_owned(),
        as_of: "2019-05".to_owned(),
        quality: String::new(),
    });
    catalog.disks.iter_mut().for_each(|disk| disk.source = old);
    let found = plan(&small_estate(), &carafe_model::snapshot::seal(catalog).0, &Policy::default());
    let told: Vec<_> = found.findings.iter().filter(|f| f.code == "PLN-0306").collect();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].help.as_deref().is_some_and(|help| help.contains("2019-05, from an old list")),
        "{told:?}"
    );
    assert!(!codes(&plan(&small_estate(), &sealed(&PLACES), &Policy::default())).contains(&"PLN-0306"));
}

#[test]
fn a_measured_host_gets_rationed_time_only_where_credits_last() {
    let even = |units: i64| {
        let q = gib(units);
        Distribution { p50: q, p90: q, p95: q, p99: q, max: q }
    };
    let usage = |cpu, network| Usage {
        window_hours: 720,
        coverage_percent: 90,
        cpu_percent: Some(even(cpu)),
        memory_mib: Some(even(1_000)),
        network_mbps: Some(even(network)),
    };
    let mut policy = Policy::default();
    policy.sizing.strategy = SizingStrategy::Measured;
    let offers = |estate: &carafe_model::estate::Estate| {
        let plan = plan(estate, &sealed(&PLACES), &policy);
        assert!(!codes(&plan).contains(&"PLN-9001"), "{:#?}", plan.findings);
        plan
    };
    let mut estate = small_estate();
    // 2 × 10 % × 1.2 = 0.24 threads all day, and the small one earns 0.4.
    estate.hosts[0].usage = Some(usage(10, 300));
    estate.hosts[1].usage = Some(usage(60, 300));
    let found = offers(&estate);
    assert_eq!(found.placements[0].offer, "aws.small");
    assert_ne!(found.placements[1].offer, "aws.small");
    assert!(found.placements[1].refused.iter().any(|r| r.reason == "credits" && r.offers == 5));

    // 2,500 Mbit/s × 1.2 is more than two and less than four threads' worth; the one of unknown throughput is larger.
    estate.hosts[0].usage = Some(usage(10, 2_500));
    let found = offers(&estate);
    assert_eq!(found.placements[0].offer, "aws.medium");
    assert!(found.placements[0].refused.iter().any(|r| r.reason == "network" && r.offers == 5));
}

#[test]
fn a_month_above_the_cap_is_refused_with_its_proof() {
    let mut policy = Policy::default();
    let free = plan(&small_estate(), &sealed(&PLACES), &policy);
    policy.targets.max_monthly = Some(free.totals.monthly);
    assert_eq!(plan(&small_estate(), &sealed(&PLACES), &policy).totals, free.totals);
    policy.targets.max_monthly = Some(free.totals.monthly - Money(1));
    let refused = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_eq!((refused.placements.len(), refused.unplaced.len()), (0, 5));
    assert!(codes(&refused).contains(&"PLN-0402") && !codes(&refused).contains(&"PLN-9001"));
}
