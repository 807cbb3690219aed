//! Why a cloud did not do what it was asked.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A call that was refused or whose reply was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// What the cloud said, in words for people, without credentials; lower case, without a full stop.
    pub message: String,
}

/// The kinds of refusal, by what a caller does about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ErrorKind {
    /// Something that the target stands on does not exist.
    NotFound,
    /// The cloud has none to give just now; another zone, type or hour may have.
    NoCapacity,
    /// The account may have no more; a person asks the provider for a higher limit.
    Quota,
    /// The credentials do not permit it.
    Denied,
    /// Asked too often, or the cloud could not be reached and nothing was sent; ask again after the wait.
    Throttled {
        /// How long the cloud asks to wait, in milliseconds in documents.
        #[serde(with = "millis")]
        retry_after: Duration,
    },
    /// The name or the addresses are taken, the settings differ, or something still stands on it.
    Conflict,
    /// The request can never succeed as it is.
    Invalid,
    /// Nobody knows whether it happened: only observing tells.
    Unknown,
}

impl ErrorKind {
    /// One of every kind, for tests and help texts.
    pub const ALL: [ErrorKind; 8] = [
        ErrorKind::NotFound,
        ErrorKind::NoCapacity,
        ErrorKind::Quota,
        ErrorKind::Denied,
        ErrorKind::Throttled { retry_after: Duration::from_secs(1) },
        ErrorKind::Conflict,
        ErrorKind::Invalid,
        ErrorKind::Unknown,
    ];

    /// The name in journals and documents.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not_found",
            ErrorKind::NoCapacity => "no_capacity",
            ErrorKind::Quota => "quota",
            ErrorKind::Denied => "denied",
            ErrorKind::Throttled { .. } => "throttled",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Unknown => "unknown",
        }
    }

    /// The same refusal with words.
    pub fn because(self, message: impl Into<String>) -> DriverError {
        DriverError { kind: self, message: message.into() }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(wait: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
