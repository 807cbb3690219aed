//! The judge refuses a plan in which anything was changed.

use crate::common::{PLACES, plan, sealed, small_estate};
use carafe_model::catalog::Term;
use carafe_model::estate::{Estate, KubernetesCluster};
use carafe_model::host::{Os, OsFamily};
use carafe_model::plan::{BillLine, Component, Plan};
use carafe_model::policy::{Match, Policy, Rule};
use carafe_model::units::{Mib, Money, Quantity, Rate, Vcpus};
use carafe_planner::check::check;

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.targets.max_regions = Some(2);
    policy.opening.nat_gateway = true;
    policy.opening.region_monthly = Money(5_000_000_000);
    let matches = Match { label: Some("tier=db".to_owned()), ..Match::default() };
    policy.rules.push(Rule { matches, countries: Some(vec!["KR".to_owned()]), ..Rule::default() });
    policy
}

fn sound() -> Plan {
    plan(&small_estate(), &sealed(&PLACES), &policy())
}

fn line(plan: &mut Plan, component: Component) -> &mut carafe_model::plan::BillLine {
    plan.bill.iter_mut().find(|line| line.component == component).expect("the plan has such a line")
}

/// Refused for a reason of its own: the sums are mended after the change, so that they cannot give it away.
#[track_caller]
fn refused_for_any(estate: &Estate, policy: &Policy, component: Component, reasons: &[&str]) {
    let snapshot = sealed(&PLACES);
    let sound = plan(estate, &snapshot, policy);
    assert_eq!(check(&sound, estate, &snapshot, policy), []);
    let changes: [fn(&mut Vec<BillLine>, usize); 3] = [
        |bill, place| drop(bill.remove(place)),
        |bill, place| bill.push(bill[place].clone()),
        |bill, place| {
            let line = &mut bill[place];
            line.quantity = Quantity(line.quantity.0 / 2);
            line.monthly = line.rate.times(line.quantity);
        },
    ];
    for change in changes {
        let mut changed = sound.clone();
        let place = changed.bill.iter().position(|line| line.component == component).expect("such a line");
        change(&mut changed.bill, place);
        mend_sums(&mut changed);
        let said: Vec<String> = check(&changed, estate, &snapshot, policy)
            .into_iter()
            .map(|finding| finding.summary.to_string())
            .collect();
        assert!(said.iter().any(|what| reasons.iter().any(|reason| what.contains(reason))), "{said:#?}");
        assert!(said.iter().all(|what| !what.contains("add up")), "{said:#?}");
    }
}

fn mend_sums(plan: &mut Plan) {
    for placement in &mut plan.placements {
        let own = plan.bill.iter().filter(|line| line.host.as_ref() == Some(&placement.host));
        placement.monthly = own.map(|line| line.monthly).sum();
    }
    let low = |line: &BillLine| line.range.as_ref().map_or(line.monthly, |range| range.low);
    let high = |line: &BillLine| line.range.as_ref().map_or(line.monthly, |range| range.high);
    plan.totals.monthly = plan.bill.iter().map(|line| line.monthly).sum();
    plan.totals.monthly_low = plan.bill.iter().map(low).sum();
    plan.totals.monthly_high = plan.bill.iter().map(high).sum();
    plan.totals.horizon = plan.totals.monthly.times(plan.totals.horizon_months) + plan.totals.one_time;
    plan.bound.objective = plan.totals.monthly;
    plan.bound.lower_bound = plan.totals.monthly;
    plan.bound.gap = Quantity(0);
}

#[test]
fn whatever_is_needed_must_be_billed() {
    let mut estate = small_estate();
    estate.hosts[4].os =
        Some(Os { family: OsFamily::Windows, name: "Windows Server 2022".to_owned(), version: None });
    estate.clusters.push(KubernetesCluster {
        id: "k".into(),
        version: None,
        control_plane: vec![],
        workers: vec!["app-1".into()],
        pod_cidr: None,
        service_cidr: None,
    });
    let mut policy = policy();
    policy.opening.provider_monthly = Money(7_000_000_000);
    policy.targets.providers = Some(vec!["aws".into()]);
    for (component, reason) in [
        (Component::Licence, "licence"),
        (Component::Address, "public address"),
        (Component::LoadBalancer, "load-balancer"),
        (Component::Kubernetes, "kubernetes"),
        (Component::Nat, "nat"),
        (Component::Opening, "opening"),
    ] {
        // A figure of the user's own has no product to halve; its quantity alone gives it away.
        let reason = [reason, "is not for a month"];
        refused_for_any(&estate, &policy, component, &reason);
    }
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Plan)) {
    let (estate, snapshot) = (small_estate(), sealed(&PLACES));
    let mut changed = sound();
    assert_eq!(check(&changed, &estate, &snapshot, &policy()), []);
    change(&mut changed);
    assert_ne!(check(&changed, &estate, &snapshot, &policy()), []);
}

#[test]
fn figures() {
    refused(|plan| plan.totals.monthly.0 += 1);
    refused(|plan| plan.totals.horizon.0 -= 1);
    refused(|plan| plan.totals.one_time.0 += 1);
    refused(|plan| plan.totals.monthly_low = plan.totals.monthly + Money(1));
    refused(|plan| plan.bound.lower_bound = plan.bound.objective + Money(1));
    refused(|plan| plan.bound.lower_bound = Money(0));
    refused(|plan| line(plan, Component::Machine).monthly.0 += 1);
    refused(|plan| {
        let line = line(plan, Component::Machine);
        line.rate = Rate(line.rate.0 - 1_000);
        line.monthly = line.rate.times(line.quantity);
    });
    refused(|plan| line(plan, Component::Disk).quantity.0 *= 2);
    refused(|plan| line(plan, Component::Opening).monthly.0 += 1);
    refused(|plan| line(plan, Component::Machine).rate_id = "aws/ap-northeast-2/other/on-demand".into());
    refused(|plan| line(plan, Component::Machine).source = None);
}

#[test]
fn lines_left_out_or_added() {
    refused(|plan| {
        plan.bill.remove(0);
    });
    refused(|plan| {
        let twice = plan.bill[0].clone();
        plan.bill.push(twice);
    });
    refused(|plan| plan.bill.retain(|line| line.component != Component::Egress));
    refused(|plan| plan.bill.retain(|line| line.component != Component::Disk));
}

#[test]
fn places() {
    refused(|plan| {
        plan.placements.pop();
    });
    refused(|plan| plan.placements[0].region = "ap-northeast-2".into());
    refused(|plan| plan.placements[0].offer = "none".to_owned());
    refused(|plan| plan.placements[0].vcpus = Vcpus(64));
    refused(|plan| plan.placements[0].term = Term::ThreeYears);
    refused(|plan| plan.placements[3].demand.memory_mib = Mib(1));
    refused(|plan| plan.placements[3].demand.source_vcpus = Vcpus(1));
    refused(|plan| {
        let db = plan.placements.iter_mut().find(|p| p.host.as_str() == "db-1").expect("placed");
        db.provider = "aws".into();
        db.region = "us-east-1".into();
    });
    refused(|plan| plan.catalog.sha256 = "0".repeat(64));
}

#[test]
fn steps() {
    refused(|plan| plan.steps.reverse());
    refused(|plan| plan.steps.retain(|step| step.action.kind() != "machine"));
    refused(|plan| {
        let twice = plan.steps[0].clone();
        plan.steps.push(twice);
    });
}
