//! Many accidents at once, in any order, on the way there and on the way back.

use std::time::Duration;

use carafe::drivers::ErrorKind;
use carafe::drivers::fake::Fault;
use carafe::executor::RunState;
use proptest::prelude::*;

use crate::rig::{End, Rig, When, undisturbed};

/// Faults of one attempt: by call, and at most one write of the journal at which the process ends.
#[derive(Clone, Debug)]
struct Attempt {
    faults: Vec<(u64, Fault)>,
    write: Option<(u64, When)>,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => proptest::sample::select(ErrorKind::ALL.to_vec())
            .prop_map(|kind| Fault::Refuse(kind.because("by chance"))),
        3 => Just(Fault::LoseReply),
        1 => (1..90u64).prop_map(|seconds| Fault::Delay(Duration::from_secs(seconds))),
        1 => (1..9u32).prop_map(Fault::Creating),
        1 => Just(Fault::StopBefore),
        1 => Just(Fault::StopAfter),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let faults = proptest::collection::vec((1..80u64, fault()), 0..12);
    let when = prop_oneof![Just(When::Before), Just(When::After)];
    let write = proptest::option::weighted(0.3, (1..60u64, when));
    (faults, write).prop_map(|(faults, write)| Attempt { faults, write })
}

fn prepare(rig: &mut Rig, attempt: &Attempt) {
    rig.fake.forget_faults();
    for (call, fault) in &attempt.faults {
        rig.fake.fault_at(*call, fault.clone());
    }
    let (write, when) = attempt.write.unwrap_or((0, When::Before));
    rig.stop_at_write(write, when);
}

const CALM: Attempt = Attempt { faults: Vec::new(), write: None };

async fn run(there: Vec<Attempt>, back: Vec<Attempt>, half_way: bool) {
    let mut rig = Rig::new();
    for attempt in &there {
        prepare(&mut rig, attempt);
        if let End::Error(error) = rig.go_on().await {
            panic!("{error:?}");
        }
    }
    if !half_way {
        prepare(&mut rig, &CALM);
        assert_eq!(rig.go_on().await.state(), RunState::Done);
        assert_eq!(rig.cloud(), undisturbed().await);
        rig.assert_nothing_doubled("after many accidents");
    }
    let Some(run) = rig.run().await else { return assert!(rig.cloud().is_empty()) };
    for attempt in &back {
        prepare(&mut rig, attempt);
        if let End::Error(error) = rig.destroy(&run).await {
            panic!("{error:?}");
        }
    }
    prepare(&mut rig, &CALM);
    assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 });
    assert!(rig.cloud().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_mixture_of_accidents_leaves_a_trace(
        there in proptest::collection::vec(attempt(), 1..5),
        back in proptest::collection::vec(attempt(), 0..4),
        half_way in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(there, back, half_way));
    }
}
