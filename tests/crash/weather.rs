//! Bad days: everything at once, again and again, and the same cloud in the end.

use std::time::Duration;

use carafe::drivers::ErrorKind;
use carafe::drivers::connections::Limits;
use carafe::drivers::fake::Fault;
use carafe::drivers::{Kind, connections::Connections};
use carafe::executor::{Event, RunState, Stop};
use carafe_model::document::sha256;

use crate::rig::{End, Rig, undisturbed};

/// A number below `sides` that is drawn by seed and place.
fn lot(seed: u64, place: u64, sides: u64) -> u64 {
    let digest = sha256(format!("{seed} {place}").as_bytes());
    u64::from_str_radix(&digest[..8], 16).expect("a digest is hexadecimal") % sides
}

/// The fault of a call on a bad day, if it meets one: 5 of a hundred fail in the server, half of them after they
/// worked; others are lost, told to wait, delivered twice, stuck for a while, or slow, so that answers overtake others.
fn fault(seed: u64, call: u64) -> Option<Fault> {
    let throttled = ErrorKind::Throttled { retry_after: Duration::from_secs(2) };
    match lot(seed, call, 100) {
        0..=2 => Some(Fault::Refuse(ErrorKind::Unknown.because("500 internal error"))),
        3..=4 => Some(Fault::LoseReply),
        5..=9 => Some(Fault::Refuse(throttled.because("slow down"))),
        10..=14 => Some(Fault::Repeat),
        15..=19 => Some(Fault::Creating(3)),
        20..=49 => Some(Fault::Delay(Duration::from_millis(100 * lot(seed, call + 1_000_000, 40)))),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn after_any_bad_day_the_cloud_is_that_of_a_good_one() {
    let expected = undisturbed().await;
    for seed in 0..40 {
        let mut rig = if seed % 10 == 0 { Rig::on_disk().await } else { Rig::new() };
        rig.parallelism = [1, 4, 16][seed as usize % 3];
        rig.let_the_clock_jump();
        let mut commands = 0;
        loop {
            rig.fake.forget_faults();
            for call in 1..=600 {
                if let Some(fault) = fault(seed * 31 + commands, call) {
                    rig.fake.fault_at(call, fault);
                }
            }
            // The process dies once or twice on the way, at a call that is met by chance.
            if commands < 2 {
                let stop = if seed % 2 == 0 { Fault::StopBefore } else { Fault::StopAfter };
                rig.fake.fault_at(1 + lot(seed, commands, 60), stop);
            }
            commands += 1;
            match rig.go_on().await {
                End::Report(report) if report.state == RunState::Done => break,
                End::Report(_) | End::Stopped => assert!(commands < 12, "seed {seed} never comes to an end"),
                End::Error(error) => panic!("seed {seed}: {error:?}"),
            }
        }
        assert_eq!(rig.cloud(), expected, "seed {seed}");
        rig.assert_nothing_doubled(&format!("seed {seed}"));
        let run = rig.run().await.expect("it was begun");
        for _ in 0..12 {
            if let End::Report(report) = rig.destroy(&run).await
                && report.state == (RunState::Destroyed { kept: 0 })
            {
                break;
            }
        }
        assert!(rig.cloud().is_empty(), "seed {seed}: {:?}", rig.cloud().keys());
    }
}

#[tokio::test(start_paused = true)]
async fn limits_hold_for_a_region_and_for_a_kind_and_a_rate_is_kept() {
    let mut rig = Rig::new();
    rig.parallelism = 64;
    let limits = Limits { at_once: Some(3), per_second: Some(5), kinds: [(Kind::Machine, 1)].into() };
    let slow = carafe::drivers::fake::Fake::new();
    for call in 1..=100 {
        slow.fault_at(call, Fault::Delay(Duration::from_secs(1)));
    }
    rig.connections = Connections::with_limits(std::sync::Arc::new(slow.clone()), limits);
    let begun = tokio::time::Instant::now();
    assert_eq!(rig.apply().await.state(), RunState::Done);
    let took = begun.elapsed();
    // Seven machines one after the other in each of two regions at once, a second each, after what they stand on.
    let calls = slow.cloud().items().len() as u64;
    assert!(took >= Duration::from_secs(7), "{took:?}");
    assert!(took >= Duration::from_secs(calls / 2 / 3), "three at a time in a region: {took:?}");
    assert!(took < Duration::from_secs(calls), "regions do not wait for each other: {took:?}");
    assert!(
        took >= Duration::from_millis(200) * (calls as u32 / 2 - 1),
        "five a second in a region: {took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_region_that_asks_for_patience_is_left_alone_by_all_its_calls() {
    let mut rig = Rig::new();
    rig.parallelism = 8;
    rig.plan.steps.retain(|step| step.provider.as_str() == "aws");
    let wait = Duration::from_secs(30);
    rig.fake.fault_at(1, Fault::Refuse(ErrorKind::Throttled { retry_after: wait }.because("slow down")));
    let begun = tokio::time::Instant::now();
    assert_eq!(rig.apply().await.state(), RunState::Done);
    assert!(begun.elapsed() >= wait && begun.elapsed() < 2 * wait, "{:?}", begun.elapsed());
    let throttled = rig.fake.calls().iter().filter(|call| call.error.is_some()).count();
    assert_eq!(throttled, 1, "nobody asked in between");
}

/// Ten thousand resources that take a while, all at once, in a handful of threads.
#[test]
fn ten_thousand_waiting_steps_need_no_threads() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut rig = Rig::new();
        let step = rig.plan.steps.iter().find(|step| step.action.kind() == "key_pair").cloned().expect("one");
        rig.plan.steps = (0..10_000)
            .map(|number| {
                let mut step = step.clone();
                step.id = carafe_model::ids::StepId(format!("key/{number}"));
                step.action = carafe_model::steps::Action::KeyPair { name: format!("key-{number}") };
                step
            })
            .collect();
        rig.parallelism = 10_000;
        for call in 1..=10_000 {
            rig.fake.fault_at(call, Fault::Creating(5));
        }
        let before = threads();
        let mut most = 0;
        let mut listen = |event: &Event, _: &dyn Fn(Stop)| {
            if matches!(event, Event::Creating { .. }) {
                most = most.max(threads());
            }
        };
        let End::Report(report) = rig.apply_listening(&mut listen).await else { panic!("no report") };
        assert_eq!(report.state, RunState::Done);
        assert_eq!(rig.fake.cloud().items().len(), 10_000);
        // Other tests of this process may begin or end a thread or two in the meantime.
        assert!(most > 0 && most <= before + 20, "{before} threads before, {most} while all waited");
    });
}

/// How many threads this process has; one where the system does not say.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}
