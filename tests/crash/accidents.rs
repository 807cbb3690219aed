//! One accident at a time, at every place where it can happen.

use std::collections::BTreeMap;
use std::time::Duration;

use carafe::drivers::ErrorKind;
use carafe::drivers::fake::{Fault, Item, Method, Slot};
use carafe::executor::{ExecutorError, RunState, State};

use crate::plan::standing_on;
use crate::rig::{End, Rig, When, undisturbed};

/// Far more calls and writes than one run of the plan takes; a loop that gets there does not end by itself.
const TOO_MANY: u64 = 1_000;

/// Goes on after an accident and checks that it left no trace, neither in the cloud nor once it is destroyed.
async fn assert_no_trace(rig: &Rig, expected: &BTreeMap<Slot, Item>, context: &str) {
    assert_eq!(rig.go_on().await.state(), RunState::Done, "{context}");
    assert_eq!(rig.cloud(), *expected, "{context}");
    rig.assert_nothing_doubled(context);
    assert_destroys_to_nothing(rig, context).await;
}

async fn assert_destroys_to_nothing(rig: &Rig, context: &str) {
    let Some(run) = rig.run().await else {
        assert!(rig.cloud().is_empty(), "{context}: nothing may exist without a run");
        return;
    };
    assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 }, "{context}");
    assert!(rig.cloud().is_empty(), "{context}: {:?}", rig.cloud().keys());
    assert_eq!(rig.status().await.state, RunState::Destroyed { kept: 0 }, "{context}");
}

#[tokio::test(start_paused = true)]
async fn ending_at_any_write_of_the_journal_leaves_no_trace() {
    let expected = undisturbed().await;
    // One call at a time has one write for each step; several at a time share their writes. Both journals keep the same
    // promises, which their own tests see to; the one on disk is slow, so it takes the shorter way.
    for (parallelism, on_disk, at_least) in [(1, false, 40), (4, true, 10)] {
        for when in [When::Before, When::After] {
            let mut stops = 0;
            for write in 1..TOO_MANY {
                let mut rig = if on_disk { Rig::on_disk().await } else { Rig::new() };
                rig.parallelism = parallelism;
                rig.stop_at_write(write, when);
                if !rig.apply().await.is_stopped() {
                    break;
                }
                stops += 1;
                assert_no_trace(&rig, &expected, &format!("{when:?} write {write} of {parallelism}")).await;
            }
            assert!(stops >= at_least, "{stops} writes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_stops_the_run_and_loses_nothing() {
    let expected = undisturbed().await;
    let mut failures = 0;
    for write in 1..TOO_MANY {
        let mut rig = Rig::new();
        rig.parallelism = 4;
        rig.stop_at_write(write, When::Fails);
        match rig.apply().await {
            End::Error(ExecutorError::Journal(_)) => failures += 1,
            End::Report(report) => {
                assert_eq!(report.state, RunState::Done);
                break;
            }
            other => panic!("write {write}: {other:?}"),
        }
        // The calls that were under way have gone with the process; nothing was asked after the write failed.
        assert_no_trace(&rig, &expected, &format!("write {write} failed")).await;
    }
    assert!(failures >= 15, "{failures} writes");
}

#[tokio::test(start_paused = true)]
async fn ending_at_any_call_leaves_no_trace() {
    let expected = undisturbed().await;
    for fault in [Fault::StopBefore, Fault::StopAfter] {
        let mut stops = 0;
        for call in 1..TOO_MANY {
            let rig = if call % 8 == 0 { Rig::on_disk().await } else { Rig::new() };
            rig.fake.fault_at(call, fault.clone());
            if !rig.apply().await.is_stopped() {
                break;
            }
            stops += 1;
            assert_no_trace(&rig, &expected, &format!("{fault:?} call {call}")).await;
        }
        assert_eq!(stops, expected.len(), "one call for each resource");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_ended_process_made_can_be_destroyed_without_resuming() {
    for fault in [Fault::StopBefore, Fault::StopAfter] {
        for call in 1..TOO_MANY {
            let rig = Rig::new();
            rig.fake.fault_at(call, fault.clone());
            if !rig.apply().await.is_stopped() {
                break;
            }
            assert_destroys_to_nothing(&rig, &format!("{fault:?} call {call}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ending_again_while_resuming_leaves_no_trace() {
    let expected = undisturbed().await;
    for first in (1..expected.len() as u64).step_by(15) {
        for second in 1..TOO_MANY {
            let rig = Rig::new();
            rig.fake.fault_at(first, Fault::StopAfter);
            assert!(rig.apply().await.is_stopped());
            rig.fake.forget_faults();
            rig.fake.fault_at(second, Fault::StopAfter);
            if !rig.go_on().await.is_stopped() {
                break;
            }
            assert_no_trace(&rig, &expected, &format!("call {first}, then call {second}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ending_at_any_point_of_destroying_can_be_repeated() {
    for fault in [Fault::StopBefore, Fault::StopAfter, Fault::LoseReply] {
        let mut calls = 0;
        for call in 1..TOO_MANY {
            let rig = Rig::new();
            assert_eq!(rig.apply().await.state(), RunState::Done);
            let made = rig.cloud().len();
            rig.fake.forget_faults();
            rig.fake.fault_at(call, fault.clone());
            let run = rig.run().await.expect("it was applied");
            let end = rig.destroy(&run).await;
            let met = rig.fake.calls().len() as u64 >= call || end.is_stopped();
            assert_destroys_to_nothing(&rig, &format!("{fault:?} call {call}")).await;
            if !met || call as usize > made {
                break;
            }
            calls += 1;
        }
        assert!(calls >= 40, "{fault:?}: {calls} calls");
    }
    for when in [When::Before, When::After] {
        for write in 1..TOO_MANY {
            let mut rig = Rig::new();
            rig.parallelism = 1;
            assert_eq!(rig.apply().await.state(), RunState::Done);
            rig.stop_at_write(write, when);
            let run = rig.run().await.expect("it was applied");
            if !rig.destroy(&run).await.is_stopped() {
                assert!(write > 40, "{write} writes");
                break;
            }
            assert_destroys_to_nothing(&rig, &format!("{when:?} write {write}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_found_out_and_never_guessed() {
    let expected = undisturbed().await;
    for call in 1..=expected.len() as u64 {
        let context = format!("call {call}");
        let rig = Rig::new();
        rig.fake.fault_at(call, Fault::LoseReply);
        assert_eq!(rig.apply().await.state(), RunState::Done, "{context}");
        assert_eq!(rig.cloud(), expected, "{context}");
        rig.assert_nothing_doubled(&context);
        let observations = rig.fake.calls().iter().filter(|call| call.method == Method::Observe).count();
        assert_eq!(observations, 1, "{context}");
        assert_destroys_to_nothing(&rig, &context).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_refusal_at_every_call_stops_only_what_depends_on_it() {
    let expected = undisturbed().await;
    for kind in ErrorKind::ALL {
        for call in 1..=expected.len() as u64 {
            let context = format!("{kind:?} at call {call}");
            let rig = Rig::new();
            rig.fake.fault_at(call, Fault::Refuse(kind.because("as the test wants it")));
            let End::Report(report) = rig.apply().await else { panic!("{context}: no report") };
            match kind {
                // These say nothing about the resource, so the run gets over them by itself.
                ErrorKind::Throttled { .. } | ErrorKind::Unknown => {
                    assert_eq!(report.state, RunState::Done, "{context}");
                }
                ErrorKind::NotFound
                | ErrorKind::NoCapacity
                | ErrorKind::Quota
                | ErrorKind::Denied
                | ErrorKind::Conflict
                | ErrorKind::Invalid => {
                    let failed: Vec<_> =
                        report.steps.iter().filter(|step| step.state == State::Failed).collect();
                    assert_eq!(failed.len(), 1, "{context}");
                    let error = failed[0].error.as_ref().expect("a failure has a reason");
                    assert_eq!(
                        (error.kind.as_str(), error.message.as_str()),
                        (kind.name(), "as the test wants it")
                    );
                    let stopped = standing_on(&rig.plan, &failed[0].id);
                    for step in &report.steps {
                        let should_be_done = !stopped.contains(&step.id);
                        assert_eq!(step.state.is_done(), should_be_done, "{context}: {}", step.id);
                        let blocker = step.blocked_by.as_ref();
                        let blocked = !should_be_done && step.id != failed[0].id;
                        assert_eq!(blocker, blocked.then_some(&failed[0].id), "{context}: {}", step.id);
                    }
                    let (failed, blocked) = (1, stopped.len() - 1);
                    assert_eq!(report.state, RunState::Partly { failed, blocked, waiting: 0, unknown: 0 });
                    assert_eq!(rig.go_on().await.state(), RunState::Done, "{context}");
                }
            }
            assert_eq!(rig.cloud(), expected, "{context}");
            rig.assert_nothing_doubled(&context);
            assert_destroys_to_nothing(&rig, &context).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_its_time_is_waited_for() {
    let expected = undisturbed().await;
    for fault in [Fault::Creating(7), Fault::Delay(Duration::from_secs(600))] {
        for call in (1..=expected.len() as u64).step_by(3) {
            let rig = Rig::new();
            rig.fake.fault_at(call, fault.clone());
            assert_eq!(rig.apply().await.state(), RunState::Done, "{fault:?} at call {call}");
            assert_eq!(rig.cloud(), expected, "{fault:?} at call {call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_ready_and_what_never_answers_end_in_doubt_and_are_taken_up_again() {
    let expected = undisturbed().await;
    for fault in [Fault::Creating(300), Fault::Delay(Duration::from_secs(24 * 3600))] {
        let context = format!("{fault:?}");
        let rig = Rig::new();
        rig.fake.fault_at(1, fault);
        // A call that is cut off at its deadline made nothing here, so that is found out and made good at once.
        let end = rig.apply().await.state();
        if let RunState::Partly { failed: 0, unknown: 1, waiting: 0, blocked } = end {
            assert!(blocked > 0, "{context}");
        } else {
            assert_eq!(end, RunState::Done, "{context}");
        }
        assert_eq!(rig.go_on().await.state(), RunState::Done, "{context}");
        assert_eq!(rig.cloud(), expected, "{context}");
        rig.assert_nothing_doubled(&context);
    }
}

#[tokio::test(start_paused = true)]
async fn patience_has_an_end() {
    let rig = Rig::new();
    let throttled = ErrorKind::Throttled { retry_after: Duration::from_secs(3600) };
    for call in 1..=500 {
        rig.fake.fault_at(call, Fault::Refuse(throttled.because("slow down")));
    }
    let RunState::Partly { failed, unknown: 0, .. } = rig.apply().await.state() else { panic!("not partly") };
    assert_eq!(failed, rig.plan.steps.iter().filter(|step| step.after.is_empty()).count());
    rig.fake.forget_faults();
    for call in 1..=500 {
        rig.fake.fault_at(call, Fault::Refuse(ErrorKind::Unknown.because("cut off")));
    }
    let RunState::Partly { failed: 0, unknown, .. } = rig.go_on().await.state() else { panic!("not partly") };
    assert_eq!(unknown, failed, "what cannot be observed stays in doubt");
    rig.fake.forget_faults();
    assert_eq!(rig.go_on().await.state(), RunState::Done);
    rig.assert_nothing_doubled("after much patience");
}
