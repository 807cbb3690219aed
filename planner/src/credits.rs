//! Whether credits for processor time last: what a host uses of its processors all day.
//!
//! A machine with rationed time earns credits at its baseline, keeps those of a day at most (AWS, Microsoft and Google all
//! document about that), and spends what it uses. The measurements are percentiles of the peaks of ten-minute bins, so
//! the worst order in which they can have come is taken: the busiest bins one after the other, from a full store, each at
//! the upper end of its percentile. A baseline is enough when the store never runs empty in that order, and when it
//! earns what is spent in the long run.

use carafe_model::host::Distribution;
use carafe_model::policy::Policy;
use carafe_model::units::Vcpus;

/// Hours of its baseline that a machine can store.
const STORE_HOURS: i128 = 24;

/// The smallest baseline that is enough, in thousandths of a hardware thread, rounded up to a power of two so that many
/// hosts share one figure; never less than one.
pub fn sustained_milli(cpu: &Distribution, window_hours: u32, vcpus: Vcpus, policy: &Policy) -> u32 {
    // Millionths of a percent × threads × millionths of head-room: 10^14 is a thread, 10^11 a thousandth.
    let busy = |percent: i64| {
        i128::from(percent.max(0)) * i128::from(vcpus.0) * i128::from(policy.sizing.headroom.cpu.0)
            / 100_000_000_000
            + 1
    };
    // How much of the window lies at or below each figure and above the one before, in percent.
    let levels = [(1, cpu.max.0), (4, cpu.p99.0), (5, cpu.p95.0), (40, cpu.p90.0), (50, cpu.p50.0)];
    let lasts = |baseline: i128| {
        // Thousandths of a thread × hours × 100.
        let mut store = baseline * STORE_HOURS * 100;
        let mut balance = 0;
        for (share, percent) in levels {
            let change = (baseline - busy(percent)) * i128::from(share) * i128::from(window_hours);
            store += change;
            balance += change;
            if store < 0 {
                return false;
            }
        }
        balance >= 0
    };
    let mut step: u32 = 1;
    while step < 1 << 30 && !lasts(i128::from(step)) {
        step *= 2;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_model::units::Quantity;

    fn even(percent: i64) -> Distribution {
        let q = Quantity(percent * 1_000_000);
        Distribution { p50: q, p90: q, p95: q, p99: q, max: q }
    }

    fn policy() -> Policy {
        let mut policy = Policy::default();
        policy.sizing.headroom.cpu = Quantity(1_000_000);
        policy
    }

    #[test]
    fn what_is_always_used_must_be_earned() {
        // 20 % of 4 threads is 800 thousandths; the next power of two above is 1,024.
        assert_eq!(sustained_milli(&even(20), 720, Vcpus(4), &policy()), 1_024);
        assert_eq!(sustained_milli(&even(0), 720, Vcpus(4), &policy()), 1);
    }

    #[test]
    fn a_short_peak_is_paid_from_the_store_and_a_long_one_is_not() {
        let peaks = Distribution { max: Quantity(100_000_000), ..even(5) };
        // One percent of a day is a quarter of an hour; of a quarter of a year it is most of a day.
        assert_eq!(sustained_milli(&peaks, 24, Vcpus(1), &policy()), 64);
        assert!(sustained_milli(&peaks, 2_160, Vcpus(1), &policy()) >= 512);
    }

    /// Bin by bin, in the same order: what the closed form says is what a store that is filled and emptied says.
    #[test]
    fn the_store_runs_empty_exactly_below_what_is_found() {
        for (p50, p90, p95, p99, max, hours) in [
            (2, 10, 30, 60, 100, 168),
            (5, 5, 5, 90, 100, 720),
            (30, 35, 40, 45, 50, 336),
            (1, 1, 1, 1, 100, 48),
        ] {
            let q = |percent: i64| Quantity(percent * 1_000_000);
            let cpu = Distribution { p50: q(p50), p90: q(p90), p95: q(p95), p99: q(p99), max: q(max) };
            let found = sustained_milli(&cpu, hours, Vcpus(2), &policy());
            let lasts = |baseline: f64| {
                let bins = f64::from(hours) * 6.0;
                let mut store = baseline * 24.0 * 6.0;
                let mut balance = 0.0;
                for (share, percent) in [(0.01, max), (0.04, p99), (0.05, p95), (0.4, p90), (0.5, p50)] {
                    let change = (baseline - percent as f64 * 20.0 - 1.0) * share * bins;
                    store += change;
                    balance += change;
                    if store < -1e-6 {
                        return false;
                    }
                }
                balance >= -1e-6
            };
            assert!(lasts(f64::from(found)), "{found}");
            assert!(found == 1 || !lasts(f64::from(found / 2)), "{found}");
        }
    }
}
