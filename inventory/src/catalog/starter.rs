//! The catalog inside the program, so that a plan can be made before any price list is at hand.

use carafe_model::catalog::Snapshot;

use super::import;
use crate::InputFile;

/// The name of the starter catalog; the month is that of its newest prices.
pub const STARTER_ID: &str = "starter-2026-11";

/// Its tables, in the project's own catalog format: name and text.
pub const STARTER_FILES: &[(&str, &str)] = &[
    ("regions.csv", include_str!("../../catalog/starter/regions.csv")),
    ("specs.csv", include_str!("../../catalog/starter/specs.csv")),
    ("prices.csv", include_str!("../../catalog/starter/prices.csv")),
    ("windows_prices.csv", include_str!("../../catalog/starter/windows_prices.csv")),
    ("storage.csv", include_str!("../../catalog/starter/storage.csv")),
    ("egress.csv", include_str!("../../catalog/starter/egress.csv")),
    ("loadbalancer.csv", include_str!("../../catalog/starter/loadbalancer.csv")),
    ("publicip_nat.csv", include_str!("../../catalog/starter/publicip_nat.csv")),
    ("k8s.csv", include_str!("../../catalog/starter/k8s.csv")),
    ("os_surcharge.csv", include_str!("../../catalog/starter/os_surcharge.csv")),
    ("latency.csv", include_str!("../../catalog/starter/latency.csv")),
    ("certifications.csv", include_str!("../../catalog/starter/certifications.csv")),
];

/// The starter catalog: several hundred offers with their sources and dates. Parsed at every call.
pub fn starter() -> Snapshot {
    let files: Vec<InputFile<'_>> =
        STARTER_FILES.iter().map(|(name, text)| InputFile { name, bytes: text.as_bytes() }).collect();
    let (snapshot, _) = import(&files, "normalised", STARTER_ID);
    snapshot.expect("a test reads the same tables and finds nothing wrong")
}
