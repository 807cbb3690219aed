//! What is taken for granted where the estate does not tell: each figure once, with its sentence for the report.

use carafe_model::units::Quantity;

/// A figure used where the real one is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// If it turns out well.
    pub low: i64,
    /// What is counted with.
    pub likely: i64,
    /// If it turns out badly.
    pub high: i64,
}

impl Assumed {
    /// The three figures in units of a quantity.
    pub fn quantities(self) -> [Quantity; 3] {
        [self.low, self.likely, self.high].map(|units| Quantity::from_units(units).expect("small constants"))
    }
}

/// GiB of a disk whose size the source does not tell: between a bare system disk and a full one.
pub const DISK_GIB: Assumed = Assumed { low: 20, likely: 50, high: 200 };

/// GiB a month, each way, of a flow that was seen but not measured.
pub const FLOW_GIB: Assumed = Assumed { low: 0, likely: 10, high: 100 };

/// Least memory, in MiB, that a measured size may come down to: what current server systems need to run at all.
pub const LEAST_MEMORY_MIB: u64 = 1024;
/// The same for Windows (Microsoft's minimum for a server with desktop).
pub const LEAST_MEMORY_WINDOWS_MIB: u64 = 2048;
/// Least share of the window, in percent, that must have samples for a measured size.
pub const LEAST_COVERAGE_PERCENT: u32 = 20;

/// What holds for every plan of this version, as keys of the language files.
pub const ALWAYS: [&str; 7] = [
    "assumed.month",
    "assumed.zone",
    "assumed.traffic-in",
    "assumed.first-tier",
    "assumed.balancers",
    "assumed.list-prices",
    "assumed.commitments",
];
