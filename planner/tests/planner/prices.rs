//! What plans say about prices and sizes that cannot be trusted, and about what is missing.

use crate::common::{PLACES, codes, for_host, gib, plan, regions, sealed, small_estate};
use carafe_model::catalog::Term;
use carafe_model::estate::CurrentCost;
use carafe_model::host::{Distribution, Os, OsFamily, Usage};
use carafe_model::policy::{Doubtful, Policy, Rule, SizingStrategy};
use carafe_model::units::{Currency, Gib, Mib, Money, Rate, Vcpus};

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
