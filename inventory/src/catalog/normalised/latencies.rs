//! The table `latency`: measured round trips between regions.

use std::collections::BTreeMap;

use carafe_model::catalog::{Latency, Region};
use carafe_model::finding::Severity;
use carafe_model::idx::Idx;

use super::base::Base;
use crate::catalog::decimal;
use crate::catalog::findings::{Findings, clip};
use crate::catalog::table::Table;

/// Reads the tables; round trips come sorted by their ends. Of a pair listed twice the slower one counts.
pub(super) fn read(tables: &[&Table<'_>], base: &Base, findings: &mut Findings) -> Vec<Latency> {
    let mut latencies: BTreeMap<(Idx<Region>, Idx<Region>), Latency> = BTreeMap::new();
    for table in tables {
        let ends = [("provider_a", "region_a"), ("provider_b", "region_b")]
            .map(|(provider, region)| (table.column(provider), table.column(region)));
        let [rtt, suspect] = ["rtt_ms", "suspect"].map(|name| table.column(name));
        table.rows(findings, |row, findings| {
            let mut end = |(provider, region)| {
                let (provider, region) = (row.text(provider), row.text(region));
                let place = base.region(provider, region);
                if place.is_none() {
                    let summary = "round trips of regions that the regions table does not have were left out";
                    let name = format!("{}/{}", clip(provider), clip(region));
                    findings.tally("CAT-1701", Severity::Info, summary, row.file, &name);
                }
                place
            };
            let [from, to] = ends.map(&mut end);
            let (Some(from), Some(to)) = (from, to) else { return };
            let micros = decimal::scaled(row.text(rtt), 3).ok().and_then(|ms| u32::try_from(ms.value).ok());
            let Some(rtt_micros) = micros else {
                let finding = row.error("CAT-1702", rtt, "a round trip that cannot be read is left out");
                return findings.push(finding.help("write milliseconds, such as 33.8"));
            };
            let latency = Latency { from, to, rtt_micros, suspect: row.text(suspect) == "1" };
            let known = latencies.entry((from, to)).or_insert(latency);
            if known.rtt_micros < rtt_micros {
                *known = latency;
            }
        });
    }
    latencies.into_values().collect()
}
