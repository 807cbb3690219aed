//! A sample of the points at which a run can be interrupted: replies that are lost, and the program killed in a call.

use serde_json::{Value, json};

use crate::plan;
use crate::program::Program;
use crate::world::World;

const AGENT: &str = "^carafe";

/// Every call that makes something, by the service and by what tells it from others.
fn makers() -> Vec<Value> {
    let of = |service: &'static str, actions: &[&str]| -> Vec<Value> {
        let one = |action: &&str| json!({"service": service, "action": action, "agent": AGENT});
        actions.iter().map(one).collect()
    };
    let ec2 = of(
        "ec2",
        &[
            "CreateVpc",
            "CreateInternetGateway",
            "AttachInternetGateway",
            "CreateRoute",
            "CreateSubnet",
            "CreateSecurityGroup",
            "AuthorizeSecurityGroupIngress",
            "ImportKeyPair",
            "RunInstances",
            "CreateVolume",
            "CreateTags",
            "AttachVolume",
            "AllocateAddress",
            "AssociateAddress",
        ],
    );
    let balancing = of(
        "elasticloadbalancing",
        &["CreateLoadBalancer", "CreateTargetGroup", "RegisterTargets", "CreateListener"],
    );
    let cluster = |path: &str| json!({"service": "eks", "method": "POST", "path": path, "agent": AGENT});
    [ec2, balancing, vec![cluster("/clusters$"), cluster("/node-groups$")]].concat()
}

fn with(rule: &Value, more: &[(&str, Value)]) -> Value {
    let mut rule = rule.clone();
    for (key, value) in more {
        rule[*key] = value.clone();
    }
    rule
}

/// Each call that makes something loses its first reply, in one run.
#[test]
fn a_run_whose_replies_are_lost_makes_everything_once() {
    let world = World::start();
    let lost: Vec<Value> =
        makers().iter().map(|rule| with(rule, &[("drop", json!(true)), ("times", json!(1))])).collect();
    world.server.faults(&json!(lost));
    let program = Program::new(&world, &plan::whole());
    program.done("apply");
    assert_eq!(world.seen(), plan::APPLIED);
    program.done("destroy");
    assert_eq!(world.seen(), Vec::<String>::new());
}

/// Which calls the program is killed in. The others are of the same kinds.
const KILLED_IN: [&str; 5] =
    ["CreateVpc", "CreateInternetGateway", "RunInstances", "AttachVolume", "CreateTargetGroup"];

fn killed_and_resumed(when: &str) {
    let world = World::start();
    for rule in makers().iter().filter(|rule| KILLED_IN.iter().any(|action| rule["action"] == *action)) {
        let context = format!("killed {when} {}", rule["action"]);
        let program = Program::new(&world, &plan::without_cluster());
        world.server.faults(&json!([with(rule, &[("hang", json!(when)), ("times", json!(1))])]));
        program.killed("apply");
        program.done("resume");
        assert_eq!(world.seen(), plan::applied_without_cluster(), "{context}");
        program.done("destroy");
        assert_eq!(world.seen(), Vec::<String>::new(), "{context}");
    }
}

#[test]
fn a_run_that_is_killed_before_a_call_took_effect_is_resumed_without_a_trace() {
    killed_and_resumed("before");
}

#[test]
fn a_run_that_is_killed_after_a_call_took_effect_is_resumed_without_a_trace() {
    killed_and_resumed("after");
}

#[test]
fn a_run_that_is_killed_while_a_cluster_is_made_is_resumed_without_a_trace() {
    let world = World::start();
    let program = Program::new(&world, &plan::whole());
    let of_eks: Vec<Value> = makers().into_iter().filter(|rule| rule["service"] == "eks").collect();
    for (rule, verb) in of_eks.iter().zip(["apply", "resume"]) {
        world.server.faults(&json!([with(rule, &[("hang", json!("after")), ("times", json!(1))])]));
        program.killed(verb);
    }
    program.done("resume");
    assert_eq!(world.seen(), plan::APPLIED);
    program.done("destroy");
    assert_eq!(world.seen(), Vec::<String>::new());
}
