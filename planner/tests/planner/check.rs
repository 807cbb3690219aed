//! The judge refuses a plan in which anything was changed.

use crate::common::{PLACES, plan, sealed, small_estate};
use carafe_model::catalog::Term;
use carafe_model::plan::{Component, Plan};
use carafe_model::policy::{Match, Policy, Rule};
use carafe_model::units::{Mib, Money, Rate, Vcpus};
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
