//! The real program is killed with SIGKILL, at every point where that could matter, and taken up again.
//!
//! Nothing but a write of the journal and a call to the cloud leaves the process, so these are all the points there are.
//! At writes the kernel kills: strace has the signal delivered at the chosen system call, before it takes effect, so that
//! also half a commit is met. At calls the simulated cloud hangs, before or after it has done what it was asked, and says
//! so in its list of calls; then the test kills. Neither needs anything in the program that could go off in earnest.

mod outcome;
mod place;
mod plan;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use place::Place;
use serde_json::Value;

/// Far more writes and calls than a run has.
const TOO_MANY: u32 = 5_000;

/// The cloud of a run that nothing happened to.
fn undisturbed() -> Value {
    let place = Place::new();
    place.done("apply");
    place.cloud("undisturbed")
}

/// Does something with numbers from 1, on several threads, until it says that the end is reached.
fn until_the_end(act: impl Fn(u32) -> bool + Sync) -> u32 {
    let (next, end) = (AtomicU32::new(1), AtomicU32::new(TOO_MANY));
    in_parallel(|| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end.load(Ordering::Relaxed) {
                return;
            }
            if !act(number) {
                end.fetch_min(number, Ordering::Relaxed);
            }
        }
    });
    end.into_inner() - 1
}

/// More threads than processors, because each of them mostly waits for a process.
fn in_parallel(act: impl Fn() + Sync) {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() + 1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&act);
        }
    });
}

/// Types what a user would, and compares the cloud.
fn assert_no_trace(place: &Place, expected: &Value, context: &str) {
    if let Some(verb) = place.next() {
        place.done(verb);
    }
    assert_eq!(place.next(), None, "{context}");
    assert_eq!(place.cloud(context), *expected, "{context}");
}

#[test]
fn killing_at_every_write_of_the_journal_leaves_no_trace() {
    let expected = undisturbed();
    let points = until_the_end(|number| {
        let place = Place::new();
        let killed = place.killed_at_write("apply", number);
        assert_no_trace(&place, &expected, &format!("write {number}"));
        killed
    });
    assert!(points > 150, "{points} writes");
}

#[test]
fn killing_at_every_call_before_and_after_its_effect_leaves_no_trace() {
    let expected = undisturbed();
    for setting in ["hang_before_call", "hang_after_call"] {
        let points = until_the_end(|number| {
            let place = Place::new();
            let killed = place.killed_in_call("apply", setting, number.into());
            assert_no_trace(&place, &expected, &format!("{setting} {number}"));
            killed
        });
        assert!(points >= 60, "{points} calls");
    }
}

/// How many pairs of points are drawn, and from which seed; every pair would be some hundred thousand.
const PAIRS: usize = 120;
const SEED: u64 = 20_261_122;

#[test]
fn killing_a_second_time_while_it_is_taken_up_leaves_no_trace() {
    let expected = undisturbed();
    let (next, second_kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    in_parallel(|| {
        loop {
            let pair = next.fetch_add(1, Ordering::Relaxed);
            if pair >= PAIRS {
                return;
            }
            let draw = |salt: u64, below: u64| mix(SEED ^ (pair as u64) << 8 ^ salt) % below + 1;
            let (first, second) = (draw(1, 60), draw(2, 60));
            let place = Place::new();
            let before_or_after = ["hang_before_call", "hang_after_call"][pair % 2];
            assert!(place.killed_in_call("apply", before_or_after, first), "call {first}");
            let verb = place.next().expect("it did not come to its end");
            let killed = match pair % 4 {
                0 | 1 => place.killed_at_write(verb, second as u32 * 3),
                _ => place.killed_in_call(verb, before_or_after, second),
            };
            second_kills.fetch_add(usize::from(killed), Ordering::Relaxed);
            assert_no_trace(
                &place,
                &expected,
                &format!("{before_or_after} {first}, then {second} (pair {pair})"),
            );
        }
    });
    let kills = second_kills.into_inner();
    assert!(kills >= PAIRS / 3, "only {kills} of {PAIRS} were killed twice");
}

#[test]
fn killing_at_points_of_destroying_can_be_repeated() {
    const EVERY: u32 = 23;
    until_the_end(|number| {
        let place = Place::new();
        place.done("apply");
        let killed = place.killed_at_write("destroy", number * EVERY);
        // The last writes only tidy the journal up: then all is undone, and nothing is left to destroy.
        if killed && !place.is_destroyed() {
            place.done("destroy");
        }
        let cloud = place.cloud(&format!("write {number} of destroying"));
        assert_eq!(cloud["items"], serde_json::json!([]), "write {number} of destroying");
        killed
    });
}

#[test]
fn a_journal_that_cannot_be_written_any_more_ends_the_run_with_a_reason_and_leaves_no_trace() {
    const EVERY: u32 = 17;
    let expected = undisturbed();
    for (error, reason) in [("ENOSPC", "full"), ("EROFS", "disk I/O error"), ("EIO", "disk I/O error")] {
        let points = until_the_end(|number| {
            let context = format!("{error} from write {}", number * EVERY);
            let place = Place::new();
            let (status, said) = place.failing_at_write("apply", error, number * EVERY);
            if status.success() {
                return false;
            }
            assert_eq!(status.code(), Some(1), "{context}: {said}");
            assert!(said.contains("journal.db cannot be used") && said.contains(reason), "{context}: {said}");
            assert!(said.contains("carafe resume"), "{context}: {said}");
            assert_no_trace(&place, &expected, &context);
            true
        });
        assert!(points >= 8, "{error}: {points} points");
    }
}

/// Spreads a number over all of them (the finaliser of SplitMix64).
fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
