//! What can be made to go wrong, and what was called: the part of the fake driver that tests read and write.

use std::collections::BTreeMap;
use std::time::Duration;

use carafe_model::document::sha256;
use serde::Serialize;

use crate::drivers::{DriverError, ErrorKind, Kind};

/// What happens at one call instead of, or besides, what should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens and the caller is told why.
    Refuse(DriverError),
    /// It happens, but the caller hears only [`ErrorKind::Unknown`].
    LoseReply,
    /// It takes so long.
    Delay(Duration),
    /// What it makes is reported as not ready for so many observations.
    Creating(u32),
    /// It is delivered twice; the caller hears of the first.
    Repeat,
    /// The caller's process ends before it happens: the call never returns.
    StopBefore,
    /// The caller's process ends after it happened: the call never returns.
    StopAfter,
}

/// The methods of a driver that go to the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `access`.
    Access,
    /// `ensure`.
    Ensure,
    /// `observe`.
    Observe,
    /// `remove`.
    Remove,
    /// `list`.
    List,
    /// `check`.
    Check,
    /// `quotas`.
    Quotas,
    /// `sales`.
    Sales,
    /// `licences`.
    Licences,
    /// `discard`.
    Discard,
}

impl Method {
    /// Whether a call may change the cloud.
    pub const fn changes(self) -> bool {
        match self {
            Method::Ensure | Method::Remove | Method::Discard => true,
            Method::Access
            | Method::Observe
            | Method::List
            | Method::Check
            | Method::Quotas
            | Method::Sales
            | Method::Licences => false,
        }
    }
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// A resource exists that did not.
    Made,
    /// A resource is gone that was there.
    Removed,
}

/// One call, as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// From 1, over all methods.
    pub number: u64,
    /// Which method.
    pub method: Method,
    /// The kind it was about, where it was about one resource.
    pub kind: Option<Kind>,
    /// The resource's name, or the region.
    pub name: String,
    /// What it changed.
    pub effect: Effect,
    /// The error the caller was told, if any.
    pub error: Option<ErrorKind>,
}

/// Faults by the number of the call, and the calls so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) at: BTreeMap<u64, Fault>,
    pub(super) begun: u64,
    pub(super) calls: Vec<Call>,
}

/// How often calls go wrong by themselves, out of a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    pub(super) lose: u64,
    pub(super) error: u64,
    pub(super) throttle: u64,
    pub(super) repeat: u64,
    pub(super) stuck: u64,
    pub(super) seed: u64,
}

/// How long the weather asks a caller to wait: long enough to be seen, short enough for a rehearsal.
const SHORT_WAIT: Duration = Duration::from_millis(50);
/// How many looks the weather lets a resource take.
const LOOKS: u32 = 2;

impl Weather {
    /// What goes wrong at a call of this process. The same seed, process and number give the same answer.
    pub(super) fn at(&self, number: u64) -> Option<Fault> {
        if self.lose + self.error + self.throttle + self.repeat + self.stuck == 0 {
            return None;
        }
        let seed = format!("{}/{}/{number}", self.seed, std::process::id());
        let digits = u64::from_str_radix(&sha256(seed.as_bytes())[..12], 16).expect("hexadecimal digits");
        let (mut draw, worked) = (digits % 100, (digits / 100).is_multiple_of(2));
        let throttled = ErrorKind::Throttled { retry_after: SHORT_WAIT };
        let error = match worked {
            true => Fault::LoseReply,
            false => Fault::Refuse(ErrorKind::Unknown.because("the server failed (500)")),
        };
        let chances = [
            (self.lose, Fault::LoseReply),
            (self.error, error),
            (self.throttle, Fault::Refuse(throttled.because("too many requests"))),
            (self.repeat, Fault::Repeat),
            (self.stuck, Fault::Creating(LOOKS)),
        ];
        for (chance, fault) in chances {
            if draw < chance {
                return Some(fault);
            }
            draw -= chance;
        }
        None
    }
}
