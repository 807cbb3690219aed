//! What can be made to go wrong, and what was called: the part of the fake driver that tests read and write.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// The caller's process ends before it happens: the call never returns.
    StopBefore,
    /// The caller's process ends after it happened: the call never returns.
    StopAfter,
}

/// The methods of a driver that go to the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
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
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
