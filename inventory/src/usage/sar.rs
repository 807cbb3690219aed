//! What sysstat recorded: `sadf -j` (JSON), or `sadf -d` with one table for each kind of activity.

use carafe_model::document;
use carafe_model::finding::Finding;

use super::{Metrics, quantity};
use crate::encoding;
use crate::glance::Glance;
use crate::input::InputFile;
use crate::json::Node;
use crate::normalise;
use crate::series;

/// Whether it is one of the two.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["sysstat"]) || glance.head.trim_start().starts_with("# hostname;interval;timestamp")
}

/// Reads a recording.
pub(super) fn read(file: &InputFile<'_>, metrics: &mut Metrics<'_>, findings: &mut Vec<Finding>) {
    let text = encoding::text(file, findings);
    if text.trim_start().starts_with('{') {
        let Some(value) = document::parse(file.name, text.as_bytes(), findings) else { return };
        for host in Node::root(file.name, &value).each_at("sysstat/hosts") {
            let name = host.words_at(&["nodename"]).map(|at| at.value).unwrap_or_default();
            for statistics in host.each_at("statistics") {
                add_json(&name, &statistics, metrics);
            }
        }
    } else {
        tables(&text, metrics);
    }
}

fn add_json(name: &str, statistics: &Node<'_>, metrics: &mut Metrics<'_>) {
    let word = |path: &str| statistics.words_at(&[path]).map(|at| at.value).unwrap_or_default();
    let time = series::time(&format!("{} {}", word("timestamp/date"), word("timestamp/time")));
    let (Some(at), Some(gauges)) = (time, metrics.host(name)) else { return };
    let number = |node: &Node<'_>, key: &str| node.get(key).and_then(|node| node.value.as_f64());
    for cpu in statistics.each_at("cpu-load") {
        if cpu.words_at(&["cpu"]).is_none_or(|at| at.value != "all") {
            continue;
        }
        let idle = number(&cpu, "idle").map(|idle| idle + number(&cpu, "iowait").unwrap_or(0.0));
        if let Some(busy) = idle.and_then(|idle| quantity((100.0 - idle).max(0.0))) {
            gauges.cpu_percent.add(at, busy);
        }
    }
    if let Some(memory) = statistics.find("memory") {
        // The available rest counts caches that can be dropped as free; older versions do not record it.
        let available =
            number(&memory, "avail").zip(number(&memory, "memfree")).zip(number(&memory, "memused"));
        let used = match available {
            Some(((available, free), used)) => Some(free + used - available),
            None => number(&memory, "memused"),
        };
        if let Some(used) = used.and_then(|kib| quantity((kib / 1_024.0).max(0.0))) {
            gauges.memory_mib.add(at, used);
        }
    }
    let (mut received, mut sent) = (0.0, 0.0);
    let interfaces = statistics.each_at("network/net-dev");
    for interface in &interfaces {
        let name = interface.words_at(&["iface"]).map(|at| at.value).unwrap_or_default();
        if !normalise::is_internal_interface(&name) {
            received += number(interface, "rxkB").unwrap_or(0.0);
            sent += number(interface, "txkB").unwrap_or(0.0);
        }
    }
    if let (false, Some(mbps)) = (interfaces.is_empty(), quantity(f64::max(received, sent) * 8_192.0 / 1e6)) {
        gauges.network_mbps.add(at, mbps);
    }
}

/// Tables one after the other, each under a line of headings that begins with `#`.
fn tables(text: &str, metrics: &mut Metrics<'_>) {
    let mut headings: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('#') {
            headings = header.split(';').map(str::trim).collect();
            continue;
        }
        let cells: Vec<&str> = line.split(';').map(str::trim).collect();
        let get = |heading: &str| {
            headings.iter().position(|known| *known == heading).and_then(|at| cells.get(at)).copied()
        };
        let number = |heading: &str| get(heading)?.replace(',', ".").parse::<f64>().ok();
        // sadf writes its times with the zone behind them: `2026-03-01 00:10:01 UTC`.
        let time = get("timestamp").map(|text| text.trim_end_matches(" UTC")).and_then(series::time);
        let (Some(at), Some(gauges)) = (time, metrics.host(get("hostname").unwrap_or_default())) else {
            continue;
        };
        if get("CPU") == Some("-1") {
            let idle = number("%idle").map(|idle| idle + number("%iowait").unwrap_or(0.0));
            if let Some(busy) = idle.and_then(|idle| quantity((100.0 - idle).max(0.0))) {
                gauges.cpu_percent.add(at, busy);
            }
        }
        if let (Some(free), Some(used)) = (number("kbmemfree"), number("kbmemused")) {
            let used = number("kbavail").map_or(used, |available| free + used - available);
            if let Some(used) = quantity((used / 1_024.0).max(0.0)) {
                gauges.memory_mib.add(at, used);
            }
        }
        if get("IFACE").is_some_and(|name| !normalise::is_internal_interface(name)) {
            let larger = f64::max(number("rxkB/s").unwrap_or(0.0), number("txkB/s").unwrap_or(0.0));
            if let Some(mbps) = quantity(larger * 8_192.0 / 1e6) {
                gauges.network_mbps.add(at, mbps);
            }
        }
    }
}
