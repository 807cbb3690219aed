//! What people do with a run when nothing goes wrong, or when they meet themselves.

use std::collections::BTreeSet;
use std::time::Duration;

use carafe::drivers::connections::Connections;
use carafe::drivers::fake::{Fake, Fault, Method, Rules};
use carafe::drivers::{Ability, Kind};
use carafe::executor::{
    self, Change, Confirm, DriftKind, Event, ExecutorError, OnDrift, RunState, State, Stop,
};
use carafe_model::ids::StepId;
use carafe_model::steps::Action;

use crate::plan::PLACES;
use crate::rig::{End, Rig, undisturbed};

fn states(report: &executor::RunReport, state: State) -> usize {
    report.steps.iter().filter(|step| step.state == state).count()
}

#[tokio::test(start_paused = true)]
async fn applying_a_finished_plan_again_begins_no_other_run() {
    let rig = Rig::new();
    let End::Report(first) = rig.apply().await else { panic!("no report") };
    assert_eq!(first.done_now, first.steps.len());
    let (cloud, effects) = (rig.cloud(), rig.effects());
    let End::Report(second) = rig.apply().await else { panic!("no report") };
    assert_eq!((&second.state, &second.run, second.done_now), (&RunState::Done, &first.run, 0));
    assert_eq!((rig.cloud(), rig.effects()), (cloud, effects), "nothing was changed");
    assert_eq!(rig.destroy(&first.run).await.state(), RunState::Destroyed { kept: 0 });
    assert!(rig.cloud().is_empty());
    assert_eq!(
        rig.destroy(&first.run).await.state(),
        RunState::Destroyed { kept: 0 },
        "once more is no error"
    );
    let End::Error(error) = rig.resume(&first.run).await else { panic!("it cannot be resumed") };
    assert!(matches!(error, ExecutorError::Undone { destroyed: true, .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_of_another_journal_adopts_everything_and_owns_nothing() {
    let (rig, mut other) = (Rig::new(), Rig::new());
    let End::Report(first) = rig.apply().await else { panic!("no report") };
    other.connections = rig.connections.clone();
    let (cloud, effects) = (rig.cloud(), rig.effects());
    let End::Report(second) = other.apply().await else { panic!("no report") };
    assert_ne!(second.run, first.run);
    assert_eq!((states(&second, State::Adopted), states(&second, State::Made)), (cloud.len(), 0));
    assert_eq!(other.status().await.owned, 0);
    assert_eq!(other.destroy(&second.run).await.state(), RunState::Destroyed { kept: cloud.len() });
    assert_eq!((rig.cloud(), rig.effects()), (cloud, effects), "the second run changed nothing");
}

#[tokio::test(start_paused = true)]
async fn what_drifted_is_told_and_made_again_only_when_that_is_wished() {
    let expected = undisturbed().await;
    let mut rig = Rig::new();
    let End::Report(first) = rig.apply().await else { panic!("no report") };
    let (provider, region) = PLACES[1];
    for (kind, name) in [(Kind::LoadBalancer, "web"), (Kind::Attachment, "a3")] {
        rig.fake.uproot(provider, region, kind, name);
    }
    let End::Report(again) = rig.apply().await else { panic!("no report") };
    assert_eq!((&again.run, &again.state), (&first.run, &RunState::Drifted { steps: 2 }));
    assert!(again.drift.iter().all(|drift| drift.what == DriftKind::Gone));
    assert_eq!(rig.cloud().len(), expected.len() - 2, "nothing was done about it");

    rig.options.on_drift = OnDrift::Repair;
    rig.fake.forget_faults();
    rig.fake.fault_at(expected.len() as u64 + 1, Fault::StopAfter);
    assert!(rig.resume(&first.run).await.is_stopped(), "also a repair may end half way");
    let End::Report(repaired) = rig.resume(&first.run).await else { panic!("no report") };
    assert_eq!(repaired.state, RunState::Done);
    assert_eq!(rig.fake.cloud().items().len(), expected.len());
    rig.options.on_drift = OnDrift::Stop;
    assert_eq!(rig.apply().await.state(), RunState::Done);
    assert_eq!(rig.destroy(&first.run).await.state(), RunState::Destroyed { kept: 0 });
    assert!(rig.cloud().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_and_is_undone_only_where_it_began() {
    let mut rig = Rig::new();
    rig.fake.fault_at(10, Fault::StopAfter);
    assert!(rig.apply().await.is_stopped());
    let run = rig.run().await.expect("it was begun");
    let elsewhere = Connections::simulated(None).expect("in memory").typed("--simulate".to_owned());
    let right = std::mem::replace(&mut rig.connections, elsewhere);
    for end in [rig.resume(&run).await, rig.destroy(&run).await] {
        let End::Error(ExecutorError::Elsewhere { places, .. }) = end else { panic!("{end:?}") };
        assert_eq!(places.len(), PLACES.len(), "{places:?}");
    }
    rig.connections = right;
    assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 });
    assert!(rig.cloud().is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_at_once_are_one_too_many() {
    for rig in [Rig::new(), Rig::on_disk().await] {
        rig.fake.fault_at(1, Fault::Delay(Duration::from_secs(60)));
        let (first, second) = tokio::join!(rig.apply(), rig.apply());
        let ends = [first, second].map(|end| match end {
            End::Report(report) => format!("{:?}", report.state),
            End::Error(ExecutorError::Locked { .. }) => "locked".to_owned(),
            other => panic!("{other:?}"),
        });
        assert!(ends.contains(&"Done".to_owned()) && ends.contains(&"locked".to_owned()), "{ends:?}");
        rig.assert_nothing_doubled("two at once");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_run_is_pointed_to() {
    let rig = Rig::new();
    rig.fake.fault_at(10, Fault::StopAfter);
    assert!(rig.apply().await.is_stopped());
    let unfinished = rig.run().await.expect("it was begun");
    let End::Error(ExecutorError::Unfinished { run, destroying: false }) = rig.apply().await else {
        panic!("the first run is in the way")
    };
    assert_eq!(run, unfinished);
    assert!(matches!(rig.status().await.state, RunState::Interrupted { failed: 0, .. }));
    let unknown = "20260101-000000-00000000".into();
    let End::Error(error) = rig.resume(&unknown).await else { panic!("there is no such run") };
    assert!(matches!(error, ExecutorError::NoRun(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_interruption_drains_and_the_second_aborts() {
    let expected = undisturbed().await;
    for stop in [Stop::Drain, Stop::Abort] {
        for at in [1, 5, 17, 30] {
            let context = format!("{stop:?} at outcome {at}");
            let rig = Rig::new();
            for call in 1..=60 {
                rig.fake.fault_at(call, Fault::Delay(Duration::from_secs(call % 7)));
            }
            let mut outcomes = 0;
            let mut drained = false;
            let mut listen = |event: &Event, throw: &dyn Fn(Stop)| {
                if let Event::Step { event: carafe::store::StepEvent::Made { .. }, .. } = event {
                    outcomes += 1;
                    if outcomes == at {
                        throw(stop);
                    }
                }
                drained |= matches!(event, Event::Draining { .. });
            };
            let End::Report(report) = rig.apply_listening(&mut listen).await else { panic!("{context}") };
            let RunState::Interrupted { failed: 0, left } = report.state else {
                panic!("{context}: {report:?}")
            };
            assert!(left > 0, "{context}");
            let open = states(&report, State::Making);
            match stop {
                Stop::Drain => assert_eq!((open, drained), (0, true), "{context}"),
                Stop::Abort => assert!(open > 0, "{context}: calls were under way"),
                Stop::Go => unreachable!("not tried"),
            }
            rig.fake.forget_faults();
            assert_eq!(rig.go_on().await.state(), RunState::Done, "{context}");
            assert_eq!(rig.cloud(), expected, "{context}");
            rig.assert_nothing_doubled(&context);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_s_steps_wait_until_they_are_confirmed() {
    let mut rig = Rig::on_disk().await;
    rig.confirm = Confirm::None;
    let copies: Vec<StepId> =
        rig.plan.steps.iter().filter(|s| s.action.kind() == "manual").map(|s| s.id.clone()).collect();
    assert_eq!(copies.len(), 2);
    let waiting = RunState::Partly { failed: 0, blocked: 2, waiting: 2, unknown: 0 };
    assert_eq!(rig.apply().await.state(), waiting);
    let status = rig.status().await;
    let copy = status.steps.iter().find(|step| step.id == copies[0]).expect("in the plan");
    assert_eq!((copy.state, copy.note.as_deref()), (State::Waiting, Some("Copy the data of wave 1.")));
    assert_eq!(rig.go_on().await.state(), waiting, "nothing was confirmed in between");

    rig.confirm = Confirm::Steps(BTreeSet::from([copies[0].clone()]));
    let End::Report(report) = rig.go_on().await else { panic!("no report") };
    assert_eq!(report.state, RunState::Partly { failed: 0, blocked: 1, waiting: 1, unknown: 0 });
    rig.confirm = Confirm::All;
    let End::Report(report) = rig.go_on().await else { panic!("no report") };
    assert_eq!(report.state, RunState::Done);
    let by = |id| report.steps.iter().find(|step| step.id == id).and_then(|step| step.note.clone());
    assert_eq!(by(copies[0].clone()).as_deref(), Some("confirmed by name"));
    assert_eq!(by(copies[1].clone()).as_deref(), Some("confirmed with all others"));

    rig.confirm = Confirm::Steps(BTreeSet::from(["nobody".into(), rig.plan.steps[0].id.clone()]));
    let End::Error(ExecutorError::Unfit(findings)) = rig.apply().await else { panic!("no such steps") };
    assert!(findings.len() == 2 && findings.iter().all(|finding| finding.code == "RUN-008"));
}

#[tokio::test(start_paused = true)]
async fn waves_are_done_in_order_and_in_one_run() {
    let mut rig = Rig::new();
    for (wave, state) in [
        (0, RunState::WaveDone { wave: 0 }),
        (1, RunState::WaveDone { wave: 1 }),
        (0, RunState::WaveDone { wave: 1 }),
        (2, RunState::Done),
    ] {
        rig.wave = Some(wave);
        let End::Report(report) = rig.apply().await else { panic!("wave {wave}") };
        assert_eq!(report.state, state);
        for step in &report.steps {
            let reached = match state {
                RunState::WaveDone { wave } => step.wave <= wave,
                _ => true,
            };
            assert_eq!(step.state.is_done(), reached, "wave {wave}: {}", step.id);
        }
    }
    assert!(rig.run().await.is_some(), "and there is one run only");
    assert_eq!(rig.cloud(), undisturbed().await);
}

#[tokio::test(start_paused = true)]
async fn a_failed_wave_is_resumed_no_further_than_it_was_to_go() {
    let mut rig = Rig::new();
    rig.wave = Some(1);
    rig.fake.fault_at(3, Fault::Refuse(carafe::drivers::ErrorKind::Quota.because("no more")));
    assert!(matches!(rig.apply().await.state(), RunState::Partly { failed: 1, .. }));
    let End::Error(error) = rig.apply().await else { panic!("it is not finished") };
    assert!(matches!(error, ExecutorError::Unfinished { .. }), "{error:?}");
    assert_eq!(rig.go_on().await.state(), RunState::WaveDone { wave: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_and_changes_nothing() {
    let rig = Rig::new();
    let steps = rig.plan.steps.len();
    let dry_run = executor::dry_run(&rig.request(), &rig.connections, &mut |_| {}).await.expect("it is fit");
    assert_eq!((dry_run.steps.len(), dry_run.findings.len()), (steps, 0));
    assert_eq!((dry_run.count(Change::Make), dry_run.count(Change::Manual)), (steps - 2, 2));
    assert!(rig.cloud().is_empty() && rig.run().await.is_none());
    assert!(rig.fake.calls().iter().all(|call| !matches!(call.method, Method::Ensure | Method::Remove)));

    // The order is the one in which apply begins the steps: each after what it stands on.
    let place = |id: &StepId| dry_run.steps.iter().position(|step| step.id == *id).expect("listed");
    for step in &rig.plan.steps {
        assert!(step.after.iter().all(|needed| place(needed) < place(&step.id)), "{}", step.id);
    }

    assert_eq!(rig.apply().await.state(), RunState::Done);
    let dry_run = executor::dry_run(&rig.request(), &rig.connections, &mut |_| {}).await.expect("it is fit");
    assert_eq!((dry_run.count(Change::Exists), dry_run.has_changes()), (steps - 2, false));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_everything_that_is_in_the_way_at_once() {
    let mut rules = Rules { quotas: [(Kind::Machine, 3)].into(), ..Rules::default() };
    rules.kinds.remove(&Kind::KubernetesCluster);
    rules.kinds.insert(Kind::KeyPair, Ability::Adopts);
    let rig = Rig::with_rules(rules);
    let (provider, region) = PLACES[0];
    rig.fake.plant(
        provider,
        region,
        Action::Network { name: "main".into(), cidr: "10.9.0.0/16".into() },
        None,
    );
    rig.fake.plant(provider, region, Action::KeyPair { name: "key".into() }, None);
    let mut looked = 0;
    let mut listen = |event: Event| looked += usize::from(matches!(event, Event::Looking { .. }));
    let dry_run = executor::dry_run(&rig.request(), &rig.connections, &mut listen).await.expect("it is fit");
    assert_eq!(looked, rig.plan.steps.len());
    let mut codes: Vec<&str> = dry_run.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    // Both clusters; the taken network; its two subnets, which do not fit into what has taken its name; both quotas.
    assert_eq!(codes, ["RUN-007", "RUN-007", "RUN-101", "RUN-103", "RUN-103", "RUN-104", "RUN-104"]);
    assert!(dry_run.findings.iter().all(|finding| finding.help.is_some()));
    assert_eq!(dry_run.count(Change::Adopt), 1);
    assert_eq!(dry_run.count(Change::Manual), 3, "two copies, and a key that only a person can make");

    let End::Error(ExecutorError::Unfit(findings)) = rig.apply().await else {
        panic!("clusters are missing")
    };
    assert!(findings.len() == 2 && findings.iter().all(|finding| finding.code == "RUN-007"));
    assert!(rig.run().await.is_none(), "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_make_is_waited_for_adopted_and_left() {
    let mut rules = Rules::default();
    rules.kinds.insert(Kind::KeyPair, Ability::Adopts);
    let rig = Rig::with_rules(rules);
    let End::Report(report) = rig.apply().await else { panic!("no report") };
    assert!(
        matches!(report.state, RunState::Partly { failed: 0, waiting: 2, unknown: 0, .. }),
        "{:?}",
        report.state
    );
    for (provider, region) in PLACES {
        rig.fake.plant(provider, region, Action::KeyPair { name: "key".into() }, None);
    }
    let End::Report(report) = rig.go_on().await else { panic!("no report") };
    assert_eq!((&report.state, states(&report, State::Adopted)), (&RunState::Done, 2));
    assert_eq!(rig.destroy(&report.run).await.state(), RunState::Destroyed { kept: 2 });
    assert_eq!(rig.cloud().len(), 2, "the keys are left");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_fit_is_refused_before_anything_is_begun() {
    let mut rig = Rig::new();
    rig.connections = Connections::default();
    let End::Error(ExecutorError::Unfit(findings)) = rig.apply().await else { panic!("no connections") };
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["RUN-006", "RUN-006"], "once for each place");
    rig.connections = Connections::with_driver(std::sync::Arc::new(Fake::new()));
    rig.plan.steps[0].after = vec!["nowhere".into()];
    let End::Error(ExecutorError::Unfit(findings)) = rig.apply().await else { panic!("no such step") };
    assert_eq!(findings[0].code, "RUN-002");
    assert!(rig.run().await.is_none());
}

#[tokio::test]
async fn commands_of_different_processes_meet_in_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("cloud.json");
    let rig = Rig::on_disk().await;
    let connect = || Connections::simulated(Some(state.clone())).expect("usable");
    let (_switch, stop) = executor::stop_switch();
    let report = executor::apply(&rig.request(), &connect(), &rig.journal, &mut |_| {}, stop.clone()).await;
    let report = report.expect("nothing is in the way");
    assert_eq!(report.state, RunState::Done);
    let dry_run = executor::dry_run(&rig.request(), &connect(), &mut |_| {}).await.expect("it is fit");
    assert!(!dry_run.has_changes());
    let report =
        executor::destroy(&report.run, &rig.options(), &connect(), &rig.journal, &mut |_| {}, stop).await;
    assert_eq!(report.expect("nothing is in the way").state, RunState::Destroyed { kept: 0 });
    assert!(Fake::open(state).expect("usable").cloud().items().is_empty());
}
