//! Who sends how much to whom, and what that costs where the plan puts both ends: the edges of the dependency graph.

use std::collections::BTreeMap;

use carafe_model::ids::HostId;
use carafe_model::plan::{BillLine, PlannedFlow};
use carafe_model::units::{Money, Quantity};

use crate::bill::Home;
use crate::latency::Latencies;
use crate::placing::Placing;
use crate::traffic::Receiver;

/// Sums up what goes from one host to one receiver, whatever the ports; ordered by both.
pub fn flows(placing: &Placing<'_>, homes: &[Home], bill: &[BillLine]) -> Vec<PlannedFlow> {
    let latencies = Latencies::new(placing.market.snapshot);
    let mut billed: BTreeMap<&str, Money> = BTreeMap::new();
    for line in bill {
        if let Some(flow) = &line.flow {
            *billed.entry(flow).or_default() += line.monthly;
        }
    }
    let mut flows: BTreeMap<(&HostId, &str), PlannedFlow> = BTreeMap::new();
    for sending in placing.sendings {
        let from = &placing.estate.hosts[placing.movers[sending.from].host].id;
        let round_trip = match sending.to {
            Receiver::Mover(to) => latencies.between(homes[sending.from].region, homes[to].region),
            Receiver::Outside => None,
        };
        let flow = flows.entry((from, &sending.to_name)).or_insert_with(|| PlannedFlow {
            from: from.clone(),
            to: sending.to_name.clone(),
            gib: Quantity(0),
            is_assumed: false,
            round_trip_ms: round_trip.map(|micros| Quantity(i64::from(micros) * 1_000)),
            monthly: Money::ZERO,
        });
        flow.gib = Quantity(flow.gib.0.saturating_add(sending.gib.0));
        flow.is_assumed |= !sending.is_known;
        // Two flows of one name are billed under it together.
        flow.monthly += billed.remove(sending.name.as_str()).unwrap_or_default();
    }
    flows.into_values().collect()
}
