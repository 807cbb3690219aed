//! Measurements over time, and the percentiles that sizing asks for.
//!
//! Each metric is cut into bins of ten minutes, of which the peak counts; percentiles are those of the peaks, by nearest
//! rank. Coverage is the share of bins that have a sample, where a source that samples more seldom than every ten minutes
//! is measured by its own step.

use std::collections::BTreeMap;

use carafe_model::host::{Distribution, Usage};
use carafe_model::units::Quantity;

/// Seconds of a bin.
pub const BIN_SECONDS: i64 = 600;

/// One metric of one host.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The peak of each bin, by the number of the bin since 1970.
    peaks: BTreeMap<i64, Quantity>,
}

impl Series {
    /// Adds a measurement, its time in seconds since 1970.
    pub fn add(&mut self, seconds: i64, value: Quantity) {
        let peak = self.peaks.entry(seconds.div_euclid(BIN_SECONDS)).or_insert(value);
        *peak = (*peak).max(value);
    }

    /// Adds the measurements of another series.
    pub fn extend(&mut self, more: Series) {
        for (bin, value) in more.peaks {
            let peak = self.peaks.entry(bin).or_insert(value);
            *peak = (*peak).max(value);
        }
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.peaks.is_empty()
    }

    /// Whether nothing but zero was measured.
    pub fn is_all_zero(&self) -> bool {
        self.peaks.values().all(|peak| peak.0 == 0)
    }

    /// How many bins have a measurement.
    pub fn bins(&self) -> usize {
        self.peaks.len()
    }

    /// The same measurements in another unit.
    pub fn scaled(&self, numerator: u64, denominator: u64) -> Series {
        let scale = |peak: &Quantity| {
            let value = i128::from(peak.0) * i128::from(numerator) / i128::from(denominator.max(1));
            Quantity(i64::try_from(value).unwrap_or(i64::MAX))
        };
        Series { peaks: self.peaks.iter().map(|(bin, peak)| (*bin, scale(peak))).collect() }
    }

    /// Percentiles of the peaks; `None` when nothing was measured.
    pub fn distribution(&self) -> Option<Distribution> {
        let mut peaks: Vec<Quantity> = self.peaks.values().copied().collect();
        peaks.sort_unstable();
        let max = *peaks.last()?;
        let rank = |percent: usize| peaks[(peaks.len() * percent).div_ceil(100).max(1) - 1];
        Some(Distribution { p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max })
    }

    /// Bins between two measurements, as most of them have it; 1 for sources that sample every ten minutes or oftener.
    fn step(&self) -> i64 {
        let mut gaps: BTreeMap<i64, usize> = BTreeMap::new();
        for (one, next) in self.peaks.keys().zip(self.peaks.keys().skip(1)) {
            *gaps.entry(next - one).or_default() += 1;
        }
        // Of equally frequent gaps the smaller one is the step: it shows the larger ones to be holes.
        let most = gaps.values().max().copied().unwrap_or(0);
        gaps.into_iter().find(|(_, count)| *count == most).map_or(1, |(gap, _)| gap.max(1))
    }

    fn bins_in_window(&self) -> i64 {
        match (self.peaks.first_key_value(), self.peaks.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first) + self.step(),
            _ => 0,
        }
    }
}

/// What was measured of one host.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Processor use in percent of all hardware threads.
    pub cpu_percent: Series,
    /// Memory in use, in MiB.
    pub memory_mib: Series,
    /// Network throughput in Mbit/s, the larger of the two directions.
    pub network_mbps: Series,
}

impl Measured {
    /// The use of the host; `None` when nothing was measured. Window and coverage are those of the metric that was
    /// measured longest.
    pub fn usage(&self) -> Option<Usage> {
        let all = [&self.cpu_percent, &self.memory_mib, &self.network_mbps];
        let longest = all.into_iter().max_by_key(|series| series.bins_in_window())?;
        let bins = longest.bins_in_window();
        if bins == 0 {
            return None;
        }
        let seconds = bins.saturating_mul(BIN_SECONDS);
        let window_hours = u32::try_from((seconds + 1_800) / 3_600).unwrap_or(u32::MAX).max(1);
        let expected = (bins / longest.step()).max(1);
        let have = i64::try_from(longest.bins()).unwrap_or(i64::MAX);
        let coverage_percent = u32::try_from((have.saturating_mul(100) / expected).min(100)).unwrap_or(100);
        Some(Usage {
            window_hours,
            coverage_percent,
            cpu_percent: self.cpu_percent.distribution(),
            memory_mib: self.memory_mib.distribution(),
            network_mbps: self.network_mbps.distribution(),
        })
    }
}

/// Seconds since 1970 of a date and time (proleptic Gregorian calendar); `None` when there is no such time.
pub fn seconds(date: (i64, u32, u32), time: (u32, u32, u32)) -> Option<i64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second counts as the first of the next minute.
    if !(1..=days_in).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
        || !(0..=9_999).contains(&year)
    {
        return None;
    }
    // Days since 1970 by counting years from March, so that the leap day comes last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

/// Reads a time as exports write it: ISO 8601, `MM/dd/yyyy HH:mm:ss` with or without a comma and am or pm, or seconds or
/// milliseconds since 1970. A time without a zone is UTC.
pub fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Later than the year 5138 in seconds means milliseconds.
        return Some(if number >= 100_000_000_000 { number / 1_000 } else { number });
    }
    if !text.is_ascii() || text.len() > 48 {
        return None;
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && !whole.is_empty()
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return whole.parse().ok();
    }
    let (date, rest) = text.split_at(text.find(['T', ' ', ',']).unwrap_or(text.len()));
    let (date, is_iso) = date_of(date)?;
    let rest = rest.trim_start_matches(['T', ' ', ',']).trim();
    let zone_at = rest.find(['Z', '+']).or_else(|| rest.find('-').filter(|_| is_iso)).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let clock = clock.trim().to_ascii_lowercase();
    let (clock, half) = match (clock.strip_suffix("am"), clock.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim().to_owned(), Some(0)),
        (_, Some(clock)) => (clock.trim().to_owned(), Some(12)),
        (None, None) => (clock, None),
    };
    let mut parts =
        clock.split([':', '.']).map(|part| if part.is_empty() { Ok(0) } else { part.parse::<u32>() });
    let mut next = || parts.next().unwrap_or(Ok(0)).ok();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    Some(seconds(date, (hour, minute, second))? - zone_offset(zone.trim())?)
}

/// A date, and whether it is written year first.
fn date_of(text: &str) -> Option<((i64, u32, u32), bool)> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let [one, two, three] = parts.as_slice() else { return None };
    match one.len() {
        4 => Some(((one.parse().ok()?, two.parse().ok()?, three.parse().ok()?), true)),
        _ => Some(((three.parse().ok()?, one.parse().ok()?, two.parse().ok()?), false)),
    }
}

/// Seconds that a zone is ahead of UTC.
fn zone_offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.as_bytes().first() {
        None | Some(b'Z') => return Some(0),
        Some(b'+') => (1, &zone[1..]),
        Some(b'-') => (-1, &zone[1..]),
        Some(_) => return None,
    };
    let digits = digits.replace(':', "");
    if digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits.get(2..4).unwrap_or("0").parse().ok()?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_peaks_of_ten_minutes() {
        let mut measured = Measured::default();
        // Two samples in each bin; the larger counts: peaks 1, 2, … 100.
        for bin in 0..100 {
            measured.cpu_percent.add(bin * BIN_SECONDS, Quantity(0));
            measured.cpu_percent.add(bin * BIN_SECONDS + 300, Quantity(bin + 1));
        }
        let usage = measured.usage().expect("it was measured");
        let cpu = usage.cpu_percent.expect("it was measured");
        assert_eq!([cpu.p50, cpu.p90, cpu.p95, cpu.p99, cpu.max].map(|q| q.0), [50, 90, 95, 99, 100]);
        assert_eq!((usage.window_hours, usage.coverage_percent), (17, 100));
        assert_eq!((usage.memory_mib, usage.network_mbps), (None, None));
    }

    #[test]
    fn coverage_tells_holes_but_forgives_a_longer_step() {
        let coverage = |minutes: &[i64]| {
            let mut measured = Measured::default();
            for minute in minutes {
                measured.memory_mib.add(minute * 60, Quantity(1));
            }
            measured.usage().map(|usage| usage.coverage_percent)
        };
        assert_eq!(coverage(&[]), None);
        assert_eq!(coverage(&[0, 30, 60, 90]), Some(100), "every half hour");
        assert_eq!(coverage(&[0, 10, 20, 90]), Some(40), "4 of 10 bins");
    }

    #[test]
    fn times_are_read_in_every_style() {
        for (text, expected) in [
            ("2026-03-01T00:00:00Z", Some(1_772_323_200)),
            ("2026-03-01T09:00:00+09:00", Some(1_772_323_200)),
            ("2026-02-28T19:00:00.5-0500", Some(1_772_323_200)),
            ("2026-03-01 00:00", Some(1_772_323_200)),
            ("03/01/2026, 00:00:00", Some(1_772_323_200)),
            ("03/01/2026 12:00:00 AM", Some(1_772_323_200)),
            ("03/01/2026 01:00:00 pm", Some(1_772_370_000)),
            ("1772323200", Some(1_772_323_200)),
            ("1772323200.25", Some(1_772_323_200)),
            ("1772323200000", Some(1_772_323_200)),
            ("2026-02-29T00:00:00Z", None),
            ("31/12/2026 00:00:00", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }
}
