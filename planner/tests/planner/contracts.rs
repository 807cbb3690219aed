//! Price books, commitments and support plans: what they say is what is paid, and the bound stays a bound.

use crate::common::{PLACES, plan, sealed, small_estate};
use carafe_model::contract::{BookEntry, Commitment, Pays, Reservation, Support, SupportTier};
use carafe_model::estate::Estate;
use carafe_model::plan::{Component, Plan};
use carafe_model::policy::{Match, Policy, Rule};
use carafe_model::units::{Money, Quantity, Rate};
use carafe_planner::check::check;
use proptest::prelude::*;

fn entry(provider: &str, percent: i64) -> BookEntry {
    BookEntry {
        provider: provider.into(),
        regions: None,
        component: None,
        family: None,
        offer: None,
        pays: Pays::PercentOff(Quantity(percent * 1_000_000)),
        source: "contract 7".to_owned(),
    }
}

fn dollars(units: i128) -> Money {
    Money(units * 1_000_000_000)
}

fn assert_sound(plan: &Plan) {
    let bugs: Vec<_> = plan.findings.iter().filter(|f| f.code == "PLN-9001").collect();
    assert!(bugs.is_empty(), "{bugs:#?}");
    assert!(plan.bound.lower_bound <= plan.totals.monthly);
}

#[test]
fn a_discount_is_shown_beside_the_list_price_and_can_turn_the_plan() {
    let list = plan(&small_estate(), &sealed(&PLACES), &Policy::default());
    assert!(list.placements.iter().all(|p| p.provider.as_str() == "aws"));
    let policy = Policy { price_book: vec![entry("nhn", 60)], ..Policy::default() };
    let turned = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_sound(&turned);
    assert!(turned.placements.iter().all(|p| p.provider.as_str() == "nhn"));
    for line in &turned.bill {
        let list = line.list.as_ref().expect("every line is discounted");
        assert_eq!(list.book, "contract 7");
        assert_eq!(line.rate, Rate(list.rate.0 * 4 / 10));
    }
    assert!(turned.totals.monthly < list.totals.monthly);
}

#[test]
fn the_last_entry_that_holds_counts() {
    let mut policy = Policy::default();
    policy.targets.providers = Some(vec!["aws".into()]);
    policy.targets.regions = Some(vec!["aws/us-east-1".to_owned()]);
    policy.price_book = vec![
        entry("aws", 10),
        BookEntry {
            offer: Some("aws.small".to_owned()),
            pays: Pays::Rate(Rate(1_000_000)),
            ..entry("aws", 0)
        },
        BookEntry {
            component: Some(Component::Egress),
            pays: Pays::Rate(Rate(50_000_000)),
            ..entry("aws", 0)
        },
        BookEntry { regions: Some(vec!["aws/ap-northeast-2".to_owned()]), ..entry("aws", 90) },
        entry("azure", 99),
    ];
    let found = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_sound(&found);
    for line in &found.bill {
        let list = line.list.as_ref().expect("every line is in the book").rate;
        let paid = match line.component {
            Component::Egress => Rate(50_000_000),
            Component::Machine if line.rate_id.as_str().contains("aws.small") => Rate(1_000_000),
            _ => Rate(list.0 * 9 / 10),
        };
        assert_eq!(line.rate, paid, "{line:?}");
    }
}

#[test]
fn a_bill_that_forgets_a_contract_or_invents_one_is_refused() {
    let mut policy = Policy { price_book: vec![entry("aws", 10)], ..Policy::default() };
    policy.support = vec![business("aws")];
    policy.commitments =
        vec![Commitment { provider: "aws".into(), monthly: dollars(5_000), source: "c".to_owned() }];
    let (estate, snapshot) = (small_estate(), sealed(&PLACES));
    let sound = plan(&estate, &snapshot, &policy);
    assert_sound(&sound);
    let changes: [fn(&mut Plan); 5] = [
        |plan| plan.bill.iter_mut().for_each(|line| line.list = None),
        |plan| plan.bill[0].list.as_mut().expect("discounted").book = "another contract".to_owned(),
        |plan| plan.bill[0].list.as_mut().expect("discounted").rate.0 += 10,
        |plan| plan.bill.retain(|line| line.component != Component::Support),
        |plan| plan.bill.retain(|line| line.component != Component::Other),
    ];
    for change in changes {
        let mut changed = sound.clone();
        change(&mut changed);
        let said: Vec<String> =
            check(&changed, &estate, &snapshot, &policy).iter().map(|f| f.summary.to_string()).collect();
        assert!(
            said.iter().any(|what| what.contains("price book") || what.contains("support plans")),
            "{said:?}"
        );
    }
}

fn business(provider: &str) -> Support {
    let tier = |from: i128, percent: i64| SupportTier {
        from: dollars(from),
        percent: Quantity(percent * 1_000_000),
    };
    Support {
        provider: provider.into(),
        minimum: dollars(100),
        tiers: vec![tier(0, 10), tier(10_000, 7)],
        source: "support agreement".to_owned(),
    }
}

#[test]
fn a_commitment_pulls_hosts_to_what_is_paid_anyway() {
    let free = plan(&small_estate(), &sealed(&PLACES), &Policy::default());
    assert!(free.placements.iter().all(|p| p.provider.as_str() == "aws"));
    let commitments =
        vec![Commitment { provider: "azure".into(), monthly: dollars(100_000), source: "c".to_owned() }];
    let policy = Policy { commitments, ..Policy::default() };
    let pulled = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_sound(&pulled);
    assert!(pulled.placements.iter().all(|p| p.provider.as_str() == "azure"), "{:#?}", pulled.placements);
    assert_eq!(pulled.totals.monthly, dollars(100_000));
    assert!(pulled.bound.proven);
}

#[test]
fn support_is_billed_once_for_each_provider_in_use() {
    let policy = Policy { support: vec![business("aws"), business("ncp")], ..Policy::default() };
    let found = plan(&small_estate(), &sealed(&PLACES), &policy);
    assert_sound(&found);
    let support: Vec<_> = found.bill.iter().filter(|line| line.component == Component::Support).collect();
    let providers: std::collections::BTreeSet<_> = found.placements.iter().map(|p| &p.provider).collect();
    let supported = providers.iter().filter(|p| ["aws", "ncp"].contains(&p.as_str())).count();
    assert_eq!(support.len(), supported);
}

fn reserved(provider: &str, region: Option<&str>, offer: &str, count: u32) -> Reservation {
    Reservation {
        provider: provider.into(),
        region: region.map(str::to_owned),
        offer: offer.to_owned(),
        count,
        source: "reserved in March".to_owned(),
    }
}

/// An estate of hosts of one size without traffic.
fn alike(n: u32) -> Estate {
    let mut estate = Estate::empty("alike");
    estate.hosts = (0..n).map(|number| crate::common::host(&format!("h{number}"), 2, 4)).collect();
    estate
}

fn machines_paid_for(plan: &Plan) -> usize {
    let free = |line: &&carafe_model::plan::BillLine| {
        line.component == Component::Machine
            && line.rate == Rate(0)
            && line.list.as_ref().is_some_and(|list| list.book == "reserved in March")
    };
    plan.bill.iter().filter(free).count()
}

#[test]
fn reserved_machines_are_used_up_and_draw_hosts_to_them() {
    let normal = plan(&alike(5), &sealed(&PLACES), &Policy::default());
    assert!(normal.placements.iter().all(|p| p.provider.as_str() == "aws"));
    let policy =
        Policy { reservations: vec![reserved("azure", None, "azure.small", 3)], ..Policy::default() };
    let drawn = plan(&alike(5), &sealed(&PLACES), &policy);
    assert_sound(&drawn);
    let at_azure: Vec<_> = drawn.placements.iter().filter(|p| p.provider.as_str() == "azure").collect();
    assert_eq!(at_azure.len(), 3, "{:#?}", drawn.placements);
    assert!(at_azure.iter().all(|p| p.offer == "azure.small"));
    assert_eq!(machines_paid_for(&drawn), 3);
    assert!(drawn.bound.proven && drawn.bound.gap == Quantity(0), "{:?}", drawn.bound);
    assert!(drawn.totals.monthly < normal.totals.monthly);
    assert!(drawn.findings.iter().all(|finding| finding.code != "PLN-0307"));
}

#[test]
fn reserved_machines_that_nobody_needs_are_told() {
    let policy = Policy {
        reservations: vec![
            reserved("azure", None, "azure.small", 7),
            reserved("azure", None, "no-such-machine", 2),
            reserved("aws", Some("aws/nowhere"), "aws.small", 1),
        ],
        ..Policy::default()
    };
    let found = plan(&alike(5), &sealed(&PLACES), &policy);
    assert_sound(&found);
    assert_eq!(machines_paid_for(&found), 5);
    let told = found.findings.iter().filter(|finding| finding.code == "PLN-0307");
    let told: Vec<String> = told.map(|finding| finding.summary.to_string()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("2 of 7"), "{told:?}");
}

#[test]
fn a_bill_that_uses_more_reserved_machines_than_there_are_is_refused() {
    let (estate, snapshot) = (alike(3), sealed(&PLACES));
    let mut policy =
        Policy { reservations: vec![reserved("azure", None, "azure.small", 3)], ..Policy::default() };
    let sound = plan(&estate, &snapshot, &policy);
    assert_sound(&sound);
    policy.reservations[0].count = 2;
    let said = check(&sound, &estate, &snapshot, &policy);
    assert!(said.iter().any(|finding| finding.summary.to_string().contains("price book")), "{said:?}");
}

/// The cheapest of all plans that pin every host to one region.
fn by_force(estate: &Estate, policy: &Policy) -> Money {
    let snapshot = sealed(&PLACES);
    let n = estate.hosts.len();
    let pinned = |code: usize| {
        let mut pinned = policy.clone();
        for number in 0..n {
            let (provider, region, _, _) = PLACES[code / PLACES.len().pow(number as u32) % PLACES.len()];
            let matches = Match { host: Some(format!("h{number}")), ..Match::default() };
            let regions = Some(vec![format!("{provider}/{region}")]);
            pinned.rules.push(Rule { matches, regions, ..Rule::default() });
        }
        plan(estate, &snapshot, &pinned).totals.monthly
    };
    (0..PLACES.len().pow(n as u32)).map(pinned).min().expect("there are regions")
}

prop_compose! {
    fn any_contracts()(
        discounts in prop::collection::vec((0usize..4, 0i64..60), 0..3),
        commitments in prop::collection::vec((0usize..4, 0i128..900), 0..3),
        support in prop::collection::vec((0usize..4, 0i128..300, 0i64..20), 0..3),
        reservations in prop::collection::vec((0usize..4, any::<bool>(), 1u32..3), 0..3),
    ) -> Policy {
        let name = |place: usize| ["aws", "azure", "ncp", "nhn"][place];
        Policy {
            price_book: discounts.into_iter().map(|(place, percent)| entry(name(place), percent)).collect(),
            commitments: commitments.into_iter().map(|(place, money)| Commitment {
                provider: name(place).into(), monthly: dollars(money), source: "c".to_owned(),
            }).collect(),
            support: support.into_iter().map(|(place, minimum, percent)| Support {
                provider: name(place).into(),
                minimum: dollars(minimum),
                tiers: vec![SupportTier { from: Money::ZERO, percent: Quantity(percent * 1_000_000) }],
                source: "s".to_owned(),
            }).collect(),
            reservations: reservations.into_iter().map(|(place, is_large, count)| {
                let size = if is_large { "large" } else { "small" };
                reserved(name(place), None, &format!("{}.{size}", name(place)), count)
            }).collect(),
            ..Policy::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_bound_exceeds_the_optimum_whatever_the_contracts(
        policy in any_contracts(),
        sizes in prop::collection::vec((1u32..9, 1u64..33), 1..4),
    ) {
        let mut estate = Estate::empty("any");
        for (number, (vcpus, memory)) in sizes.iter().enumerate() {
            estate.hosts.push(crate::common::host(&format!("h{number}"), *vcpus, *memory));
        }
        for number in 1..estate.hosts.len() {
            estate.flows.push(crate::common::flow(&format!("h{}", number - 1), &format!("h{number}"), 90, 200));
        }
        let found = plan(&estate, &sealed(&PLACES), &policy);
        assert_sound(&found);
        let best = by_force(&estate, &policy);
        prop_assert!(found.bound.lower_bound <= best, "{} > {best}", found.bound.lower_bound);
        prop_assert!(found.totals.monthly >= best);
        if found.bound.proven {
            prop_assert_eq!(found.totals.monthly, best);
        }
    }

    #[test]
    fn a_discount_never_raises_the_bill(policy in any_contracts(), place in 0usize..4, more in 0i64..40) {
        let mut list = policy.clone();
        list.commitments.clear();
        list.support.clear();
        list.reservations.clear();
        list.price_book.clear();
        let mut cheaper = list.clone();
        cheaper.price_book.push(entry(["aws", "azure", "ncp", "nhn"][place], more));
        let before = plan(&small_estate(), &sealed(&PLACES), &list);
        let after = plan(&small_estate(), &sealed(&PLACES), &cheaper);
        prop_assert!(after.totals.monthly <= before.totals.monthly);
    }
}
