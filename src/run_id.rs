//! The name of a run, and the moments it is told in.

use schemars::JsonSchema;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One run of a plan, for example `20261120-093015-5f0c21aa`: the second it began in UTC, then eight hexadecimal digits.
///
/// All have the same length and sort by the time they began.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// A new name for a run that begins at `now`, in milliseconds since 1970.
    ///
    /// The digits come from the plan, the process and a count within it, so that two runs that begin in the same
    /// second differ; the journal refuses the rest of the cases, because the name is its key.
    pub fn begin(now: i64, plan_sha256: &str) -> RunId {
        static BEGUN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count = BEGUN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let seed = format!("{now} {} {count} {plan_sha256}", std::process::id());
        let digest = carafe_model::document::sha256(seed.as_bytes());
        let Moment { year, month, day, hour, minute, second } = Moment::from_millis(now);
        RunId(format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{}", &digest[..8]))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for RunId {
    fn from(text: &str) -> RunId {
        RunId(text.to_owned())
    }
}

/// The milliseconds since 1970 by this machine's clock. Only for people to read: nothing is decided by it.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A moment in UTC as RFC 3339 writes it, to the second.
pub fn rfc3339(millis: i64) -> String {
    let Moment { year, month, day, hour, minute, second } = Moment::from_millis(millis);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Moment {
    /// Days to civil date by Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>), whose years begin in March.
    fn from_millis(millis: i64) -> Moment {
        let seconds = millis.div_euclid(1000);
        let in_day = seconds.rem_euclid(86_400);
        let days = seconds.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Moment {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted + 2) / 5 + 1,
            hour: in_day / 3_600,
            minute: in_day / 60 % 60,
            second: in_day % 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00Z"),
            (-1_000, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(millis), text);
        }
    }

    #[test]
    fn runs_sort_by_their_beginning_and_never_share_a_name() {
        let first = RunId::begin(1_767_225_600_000, "p");
        let second = RunId::begin(1_767_225_600_000, "p");
        let later = RunId::begin(1_767_225_601_000, "p");
        assert_ne!(first, second);
        assert!(first < later && second < later);
        assert!(first.as_str().starts_with("20260101-000000-") && first.as_str().len() == 24);
    }
}
