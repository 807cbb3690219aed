//! Utilisation from samples: the peak of each ten minutes, and percentiles of those peaks.

use std::collections::BTreeMap;

use carafe_model::host::{Distribution, Usage};
use carafe_model::units::Quantity;

use super::sections::Sections;
use crate::normalise;

/// Millionths, in which quantities are kept.
const MILLION: u128 = 1_000_000;

/// Milliseconds of the bins whose peaks are counted.
const BIN: u64 = 10 * 60 * 1000;

/// One moment of a host.
#[derive(Clone, Debug, Default)]
struct Moment {
    /// Milliseconds since the host started.
    at: u64,
    /// Processor time in ticks: busy and all.
    cpu: Option<(u64, u64)>,
    /// Memory in use, in KiB.
    memory: Option<u64>,
    /// Bytes received and sent by each interface.
    interfaces: BTreeMap<String, (u64, u64)>,
}

/// Milliseconds since the host started, of a line such as `at 27502.67`.
pub(super) fn instant(line: &str) -> Option<u64> {
    let (seconds, hundredths) = line.strip_prefix("at ")?.trim().split_once('.')?;
    let hundredths = hundredths.get(..2)?.parse::<u64>().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(hundredths * 10)
}

fn moments(sections: &Sections<'_>) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for line in sections.lines("samples") {
        if let Some(at) = instant(line) {
            moments.push(Moment { at, ..Moment::default() });
            continue;
        }
        let Some(moment) = moments.last_mut() else { continue };
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers =
            |words: &[&str]| -> Vec<u64> { words.iter().map_while(|word| word.parse().ok()).collect() };
        match words.as_slice() {
            // user nice system idle iowait irq softirq steal; guest time is part of user time.
            ["cpu", times @ ..] => {
                let times = numbers(times);
                let all = times.iter().take(8).fold(0, |sum: u64, ticks| sum.saturating_add(*ticks));
                let idle = times.iter().skip(3).take(2).fold(0, |sum: u64, ticks| sum.saturating_add(*ticks));
                moment.cpu = (times.len() >= 4).then(|| (all.saturating_sub(idle), all));
            }
            ["memory", kib] => moment.memory = kib.parse().ok(),
            ["net", name, counters @ ..] if !normalise::is_internal_interface(name) => {
                if let [received, sent] = numbers(counters).as_slice() {
                    moment.interfaces.insert((*name).to_owned(), (*received, *sent));
                }
            }
            _ => {}
        }
    }
    moments
}

/// Measured use; `None` for a single moment, in which nothing can be measured.
pub(super) fn usage(sections: &Sections<'_>) -> Option<Usage> {
    let moments = moments(sections);
    let (first, last) = (moments.first()?.at, moments.last()?.at);
    let window = last.checked_sub(first).filter(|window| *window > 0)?;
    let mut cpu = Peaks::default();
    let mut memory = Peaks::default();
    let mut network = Peaks::default();
    for pair in moments.windows(2) {
        let [before, after] = pair else { continue };
        let Some(elapsed) = after.at.checked_sub(before.at).filter(|elapsed| *elapsed > 0) else { continue };
        // The end of the last bin belongs to it.
        let bin = (after.at.saturating_sub(first).saturating_sub(1)) / BIN;
        if let (Some((busy, all)), Some((busy_then, all_then))) = (after.cpu, before.cpu)
            && let (Some(busy), Some(all)) = (busy.checked_sub(busy_then), all.checked_sub(all_then))
            && all > 0
        {
            cpu.add(bin, u128::from(busy.min(all)) * 100 * MILLION / u128::from(all));
        }
        if let Some(kib) = after.memory {
            memory.add(bin, u128::from(kib) * MILLION / 1024);
        }
        let mut bytes = [0_u128; 2];
        for (name, (received, sent)) in &after.interfaces {
            if let Some((received_then, sent_then)) = before.interfaces.get(name) {
                bytes[0] += u128::from(received.saturating_sub(*received_then));
                bytes[1] += u128::from(sent.saturating_sub(*sent_then));
            }
        }
        if !after.interfaces.is_empty() {
            // Bytes a millisecond are 8 kbit/s, of which a thousand are one Mbit/s.
            network.add(bin, bytes[0].max(bytes[1]) * 8 * MILLION / 1000 / u128::from(elapsed));
        }
    }
    const HOUR: u64 = 3_600_000;
    let hours = window.div_ceil(HOUR);
    Some(Usage {
        window_hours: u32::try_from(hours).unwrap_or(u32::MAX),
        coverage_percent: u32::try_from(u128::from(window) * 100 / (u128::from(hours) * u128::from(HOUR)))
            .unwrap_or(100),
        cpu_percent: cpu.distribution(),
        memory_mib: memory.distribution(),
        network_mbps: network.distribution(),
    })
}

/// The largest value of each bin, in millionths.
#[derive(Default)]
struct Peaks(BTreeMap<u64, u128>);

impl Peaks {
    fn add(&mut self, bin: u64, value: u128) {
        let peak = self.0.entry(bin).or_default();
        *peak = value.max(*peak);
    }

    /// Percentiles by nearest rank.
    fn distribution(&self) -> Option<Distribution> {
        let mut peaks: Vec<u128> = self.0.values().copied().collect();
        peaks.sort_unstable();
        let max = *peaks.last()?;
        let quantity = |value: u128| Quantity(i64::try_from(value).unwrap_or(i64::MAX));
        let rank = |percent: usize| {
            let rank = (peaks.len() * percent).div_ceil(100).max(1);
            quantity(peaks[rank - 1])
        };
        Some(Distribution { p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max: quantity(max) })
    }
}
