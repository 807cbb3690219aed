//! Prometheus: answers to `query_range` with the raw metrics of node_exporter. Counters are turned into rates here; where
//! one falls it was reset, and the step says nothing.

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};

use super::{Metrics, quantity};
use crate::glance::Glance;
use crate::input::InputFile;
use crate::json::Node;
use crate::normalise;
use crate::text::clip;

/// Whether it is the answer to a query.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["status", "data"]) && glance.says("\"resultType\"")
}

/// Values of a counter or gauge over time, several series summed at each moment.
type Moments = BTreeMap<i64, f64>;

#[derive(Default)]
struct Raw {
    cpu_idle: Moments,
    cpu_all: Moments,
    memory_total: Moments,
    memory_free: Moments,
    received: Moments,
    sent: Moments,
}

/// Reads an answer.
pub(super) fn read(file: &InputFile<'_>, metrics: &mut Metrics<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = document::parse(file.name, file.bytes, findings) else { return };
    let root = Node::root(file.name, &value);
    let mut hosts: BTreeMap<String, Raw> = BTreeMap::new();
    let mut unknown: BTreeMap<String, Place> = BTreeMap::new();
    for result in root.each_at("data/result") {
        let label =
            |name: &str| result.find("metric").and_then(|metric| Some(metric.get(name)?.words()?.value));
        let host =
            label("nodename").or_else(|| label("instance")).or_else(|| label("host")).unwrap_or_default();
        let name = label("__name__").unwrap_or_default();
        let raw = hosts.entry(host).or_default();
        let device = label("device").unwrap_or_default();
        let targets: Vec<&mut Moments> = match name.as_str() {
            // Guests are counted in user already.
            "node_cpu_seconds_total" => match label("mode").as_deref() {
                Some("idle" | "iowait") => vec![&mut raw.cpu_idle, &mut raw.cpu_all],
                Some("guest" | "guest_nice") | None => Vec::new(),
                Some(_) => vec![&mut raw.cpu_all],
            },
            "node_memory_MemTotal_bytes" => vec![&mut raw.memory_total],
            "node_memory_MemAvailable_bytes" => vec![&mut raw.memory_free],
            "node_network_receive_bytes_total" if !normalise::is_internal_interface(&device) => {
                vec![&mut raw.received]
            }
            "node_network_transmit_bytes_total" if !normalise::is_internal_interface(&device) => {
                vec![&mut raw.sent]
            }
            "node_network_receive_bytes_total" | "node_network_transmit_bytes_total" => Vec::new(),
            other => {
                unknown.entry(clip(other)).or_insert_with(|| result.place());
                Vec::new()
            }
        };
        for target in targets {
            for pair in result.each_at("values") {
                let at = pair
                    .find("0")
                    .and_then(|node| node.words())
                    .and_then(|at| crate::series::time(&at.value));
                let value =
                    pair.find("1").and_then(|node| node.words()).and_then(|at| at.value.parse::<f64>().ok());
                if let (Some(at), Some(value)) = (at, value.filter(|value| value.is_finite())) {
                    *target.entry(at).or_insert(0.0) += value;
                }
            }
        }
    }
    if let Some((name, place)) = unknown.first_key_value() {
        let name = if name.is_empty() { "one without a name" } else { name };
        findings.push(
            Finding::warning("INV-6015", format!("metrics that are not read: {}, the first {name}", unknown.len()))
                .at(place.clone())
                .help("ask for node_cpu_seconds_total, node_memory_MemTotal_bytes, node_memory_MemAvailable_bytes and node_network_{receive,transmit}_bytes_total as they are, without rate()"),
        );
    }
    for (name, raw) in hosts {
        let Some(gauges) = metrics.host(&name) else { continue };
        for (at, seconds, idle) in rates(&raw.cpu_idle) {
            let all = raw.cpu_all.range(..at).next_back().zip(raw.cpu_all.get(&at));
            let Some(all) =
                all.map(|((_, before), after)| (after - before) / seconds).filter(|all| *all > 0.0)
            else {
                continue;
            };
            if let Some(percent) = quantity((100.0 * (1.0 - idle / all)).max(0.0)) {
                gauges.cpu_percent.add(at, percent);
            }
        }
        for (at, total) in &raw.memory_total {
            let used = raw.memory_free.get(at).and_then(|free| quantity((total - free) / 1_048_576.0));
            if let Some(used) = used {
                gauges.memory_mib.add(*at, used);
            }
        }
        for counter in [&raw.received, &raw.sent] {
            for (at, _, bytes) in rates(counter) {
                // Both directions fill one series, of which the peak counts: the larger of the two.
                if let Some(mbps) = quantity(bytes * 8.0 / 1e6) {
                    gauges.network_mbps.add(at, mbps);
                }
            }
        }
    }
}

/// Time, seconds since the value before, and increase in each second.
fn rates(counter: &Moments) -> impl Iterator<Item = (i64, f64, f64)> {
    counter.iter().zip(counter.iter().skip(1)).filter_map(|((before, one), (at, next))| {
        #[expect(clippy::cast_precision_loss, reason = "seconds between two samples are few")]
        let seconds = (at - before) as f64;
        (next >= one && seconds > 0.0).then(|| (*at, seconds, (next - one) / seconds))
    })
}
