//! Hooks, checks and stuck resources: what is run, what is found out, and what waits for a person.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use carafe::drivers::fake::Fault;
use carafe::executor::hands::{Ended, Errand, Hands, Later};
use carafe::executor::{Confirm, RunState, State};
use carafe_model::ids::StepId;
use carafe_model::steps::{Action, Call, Probe, Step};

use crate::rig::{End, Rig, undisturbed};

/// Answers as it is told, and counts; a hook that is told to hang takes its effect and never answers.
#[derive(Default)]
struct Told {
    answers: Mutex<Vec<(&'static str, Option<Ended>)>>,
    ran: AtomicUsize,
    looks: AtomicUsize,
}

impl Told {
    /// The next answer to a purpose; well without one.
    fn next(&self, purpose: &str) -> Option<Ended> {
        let mut answers = self.answers.lock().expect("not poisoned");
        let place = answers.iter().position(|(told, _)| *told == purpose);
        place.map_or(Some(Ended::Well("done".to_owned())), |place| answers.remove(place).1)
    }
}

impl Hands for Told {
    fn call<'a>(&'a self, errand: Errand<'a>) -> Later<'a> {
        Box::pin(async move {
            if errand.purpose == "run" {
                self.ran.fetch_add(1, Ordering::Relaxed);
            }
            match self.next(errand.purpose) {
                Some(ended) => ended,
                None => std::future::pending().await,
            }
        })
    }

    fn look<'a>(&'a self, _: &'a [Probe]) -> Later<'a> {
        Box::pin(async move {
            self.looks.fetch_add(1, Ordering::Relaxed);
            self.next("look").unwrap_or(Ended::Unknown("no answer".to_owned()))
        })
    }
}

fn call() -> Call {
    Call::Command { command: vec!["x".to_owned()], secrets: Default::default() }
}

/// A rig whose plan has a hook and, behind it, a check.
fn rig(repeat: bool, verify: bool, answers: Vec<(&'static str, Option<Ended>)>) -> (Rig, Arc<Told>) {
    let told = Arc::new(Told { answers: Mutex::new(answers), ..Told::default() });
    let mut rig = Rig::new();
    rig.options.hands = told.clone();
    let hook = Action::Hook {
        name: "dns".into(),
        run: call(),
        verify: verify.then(call),
        undo: Some(call()),
        repeat,
        timeout_s: 60,
    };
    let check = Action::Check {
        name: "web".into(),
        probes: vec![Probe::Tcp { address: "web".into(), port: 443 }],
        within_s: 60,
    };
    let beside = rig.plan.steps[0].clone();
    let step = |id: &str, after: &str, action| Step {
        id: id.into(),
        after: vec![after.into()],
        action,
        ..beside.clone()
    };
    let network = beside.id.to_string();
    rig.plan.steps.extend([step("hook/dns", &network, hook), step("check/web", "hook/dns", check)]);
    (rig, told)
}

fn state(end: &End, id: &str) -> State {
    let End::Report(report) = end else { panic!("no report: {end:?}") };
    report.steps.iter().find(|step| step.id.as_str() == id).expect("in the plan").state
}

#[tokio::test(start_paused = true)]
async fn a_hook_is_run_once_a_check_until_it_is_well_and_both_are_undone() {
    let badly = || Some(Ended::Badly("closed".to_owned()));
    let (rig, told) = rig(false, false, vec![("look", badly()), ("look", badly())]);
    let end = rig.apply().await;
    assert_eq!((state(&end, "hook/dns"), state(&end, "check/web")), (State::Passed, State::Passed));
    assert_eq!((told.ran.load(Ordering::Relaxed), told.looks.load(Ordering::Relaxed)), (1, 3));
    let run = rig.run().await.expect("it was applied");
    assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 });
    assert!(rig.cloud().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_nobody_heard_of_again_is_verified_repeated_or_left_to_a_person() {
    // Verified: it had taken effect.
    let (rig_1, told) = rig(false, true, vec![("run", None)]);
    let end = rig_1.apply().await;
    assert_eq!((state(&end, "hook/dns"), told.ran.load(Ordering::Relaxed)), (State::Passed, 1));
    // Verified: it had not, so it is run again.
    let no = Some(Ended::Badly("not switched".to_owned()));
    let (rig_2, told) = rig(false, true, vec![("run", None), ("verify", no)]);
    let end = rig_2.apply().await;
    assert_eq!((state(&end, "hook/dns"), told.ran.load(Ordering::Relaxed)), (State::Passed, 2));
    // Repeated, because that does no harm.
    let (rig_3, told) = rig(true, false, vec![("run", None)]);
    let end = rig_3.apply().await;
    assert_eq!((state(&end, "hook/dns"), told.ran.load(Ordering::Relaxed)), (State::Passed, 2));
    // Left to a person, who looks, and confirms or has it run again.
    for confirmed in [true, false] {
        let (mut rig, told) = rig(false, false, vec![("run", None)]);
        rig.confirm = Confirm::All;
        assert_eq!(state(&rig.apply().await, "hook/dns"), State::Unknown);
        assert_eq!(state(&rig.go_on().await, "hook/dns"), State::Unknown, "nobody guesses");
        let named = BTreeSet::from([StepId::from("hook/dns")]);
        match confirmed {
            true => rig.confirm = Confirm::Steps(named),
            false => rig.options.retry = named,
        }
        let expected = if confirmed { (State::Confirmed, 1) } else { (State::Passed, 2) };
        assert_eq!((state(&rig.go_on().await, "hook/dns"), told.ran.load(Ordering::Relaxed)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_never_well_fails_and_stops_only_what_stands_on_it() {
    let (rig, _) = rig(false, false, vec![("look", Some(Ended::Badly("closed".to_owned()))); 100]);
    let end = rig.apply().await;
    assert_eq!(state(&end, "check/web"), State::Failed);
    assert_eq!(rig.cloud(), undisturbed().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_stuck_can_be_made_again_or_taken_as_it_is() {
    let expected = undisturbed().await;
    for retry in [true, false] {
        let mut rig = Rig::new();
        rig.fake.fault_at(1, Fault::Creating(100_000));
        let End::Report(report) = rig.apply().await else { panic!("no report") };
        let stuck = report.steps.iter().find(|step| step.state == State::Unknown).expect("it is stuck");
        let advice = &stuck.error.as_ref().expect("it says so").message;
        assert!(advice.contains(&format!("--retry {}", stuck.id)) && advice.contains("--adopt"), "{advice}");
        let named = BTreeSet::from([stuck.id.clone()]);
        match retry {
            true => rig.options.retry = named,
            false => rig.options.adopt = named,
        }
        rig.fake.forget_faults();
        // Also making it again may end half way, after the stuck one is gone.
        if retry {
            rig.fake.fault_at(2, Fault::StopBefore);
            assert!(rig.go_on().await.is_stopped());
        }
        assert_eq!(rig.go_on().await.state(), RunState::Done, "retry {retry}");
        let run = rig.run().await.expect("it was begun");
        assert_eq!(rig.fake.cloud().items().len(), expected.len());
        assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 });
        assert!(rig.cloud().is_empty());
    }
}
