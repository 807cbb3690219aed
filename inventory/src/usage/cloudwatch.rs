//! CloudWatch: `get-metric-data` and `get-metric-statistics`. What it calls network in and out are bytes of a period.

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::finding::Finding;

use super::{Metrics, quantity};
use crate::glance::Glance;
use crate::input::InputFile;
use crate::json::Node;
use crate::series;
use crate::text::clip;

/// Whether it is one of the answers.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["MetricDataResults"]) || glance.is_json_with(&["Datapoints"])
}

/// Reads an answer. The machine is named in the label or the id of each result, as in `i-0abc CPUUtilization`.
pub(super) fn read(file: &InputFile<'_>, metrics: &mut Metrics<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = document::parse(file.name, file.bytes, findings) else { return };
    let root = Node::root(file.name, &value);
    let mut unread = Vec::new();
    for result in root.each_at("MetricDataResults") {
        let label = result.words_at(&["Label"]).map(|at| at.value).unwrap_or_default();
        let id = result.words_at(&["Id"]).map(|at| at.value).unwrap_or_default();
        let times = result.find("Timestamps").map(|node| node.all_words()).unwrap_or_default();
        let values = result.each_at("Values");
        let pairs = times.iter().zip(&values);
        let points: BTreeMap<i64, f64> =
            pairs.filter_map(|(time, value)| Some((series::time(time)?, value.value.as_f64()?))).collect();
        if !add(&format!("{label} {id}"), &points, metrics) {
            unread.push((result.place(), label));
        }
    }
    let points: BTreeMap<i64, f64> = root
        .each_at("Datapoints")
        .iter()
        .filter_map(|point| {
            let value =
                ["Maximum", "Average", "Sum"].into_iter().find_map(|key| point.get(key)?.value.as_f64())?;
            Some((series::time(&point.words_at(&["Timestamp"])?.value)?, value))
        })
        .collect();
    let label = root.words_at(&["Label"]).map(|at| at.value).unwrap_or_default();
    if !points.is_empty() && !add(&label, &points, metrics) {
        unread.push((root.place(), label));
    }
    if let Some((place, label)) = unread.first() {
        findings.push(
            Finding::warning("INV-6015", format!("metrics that are not read: {}, the first {}", unread.len(), clip(label)))
                .at(place.clone())
                .help("CPUUtilization, mem_used_percent, NetworkIn and NetworkOut are; name the machine in the label"),
        );
    }
}

/// Adds one metric; `false` when it is none that is read.
fn add(label: &str, points: &BTreeMap<i64, f64>, metrics: &mut Metrics<'_>) -> bool {
    const METRICS: [&str; 4] = ["CPUUtilization", "mem_used_percent", "NetworkIn", "NetworkOut"];
    let words: Vec<&str> = label.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/')).collect();
    let Some(metric) = METRICS.into_iter().find(|metric| words.contains(metric)) else { return false };
    let machine = words
        .iter()
        .find(|word| word.starts_with("i-"))
        .or_else(|| words.iter().find(|word| !word.is_empty() && !METRICS.contains(word)));
    // The id of a query stands in for a name only where nothing else does and it is no query number such as m1.
    let is_number = |word: &str| word.len() <= 4 && word.starts_with(['m', 'q', 'e']);
    let machine = machine.filter(|word| !is_number(word)).copied().unwrap_or_default();
    let Some(gauges) = metrics.host(machine) else { return true };
    let gaps = points.keys().zip(points.keys().skip(1)).map(|(one, next)| next - one);
    let period = gaps.min().unwrap_or(300).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a period is some seconds")]
    let period = period as f64;
    for (at, value) in points {
        let (series, value) = match metric {
            "CPUUtilization" => (&mut gauges.cpu_percent, *value),
            "mem_used_percent" => (&mut gauges.memory_percent, *value),
            _ => (&mut gauges.network_mbps, value / period * 8.0 / 1e6),
        };
        if let Some(value) = quantity(value) {
            series.add(*at, value);
        }
    }
    true
}
