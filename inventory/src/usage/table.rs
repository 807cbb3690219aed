//! Any table with a time in each row. Units stand in the headings, in parentheses or brackets: `Memory usage [KB]`.

use carafe_model::finding::{Finding, Place};
use carafe_model::units::Quantity;

use super::Metrics;
use crate::delimited::Delimited;
use crate::glance::{Form, Glance};
use crate::input::InputFile;
use crate::number;
use crate::series;
use crate::text::{clip, counted, known};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Host,
    Time,
    Cpu,
    /// Memory in use, and how many bytes its unit has; `None` for percent.
    Memory(Option<u64>),
    /// Throughput, and how many bits its unit has.
    Network(u64),
}

/// The name of a heading without its unit, and its unit; both in lower case.
fn parts(heading: &str) -> (String, String) {
    let heading = heading.trim().trim_start_matches('\u{feff}').to_lowercase();
    let at = heading.find(['[', '(']).unwrap_or(heading.len());
    let (name, unit) = heading.split_at(at);
    let name: String = name.chars().filter(|c| c.is_alphanumeric() || *c == '%').collect();
    (name, unit.trim_matches(['[', ']', '(', ')', ' ']).to_owned())
}

fn kind(heading: &str) -> Option<Kind> {
    let (name, unit) = parts(heading);
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_percent = unit.contains('%') || has(&["percent", "pct", "%", "utilization", "utilisation"]);
    if ["host", "hostname", "server", "servername", "vm", "instance", "machine", "machineid", "name"]
        .contains(&name.as_str())
    {
        return Some(Kind::Host);
    }
    if has(&["timestamp"]) || ["time", "date", "datetime"].contains(&name.as_str()) {
        return Some(Kind::Time);
    }
    // What a machine has is no use of it.
    if has(&["capacity", "provisioned", "cores", "total", "free", "available", "limit"]) {
        return None;
    }
    if has(&["cpu", "processor"]) && (is_percent || unit.is_empty()) {
        return Some(Kind::Cpu);
    }
    if has(&["memory", "mem", "ram"]) {
        let bytes = match unit.as_str() {
            _ if is_percent => None,
            "b" | "bytes" => Some(1),
            "kb" | "kib" => Some(1 << 10),
            "gb" | "gib" => Some(1 << 30),
            _ if has(&["gib", "gb"]) => Some(1 << 30),
            _ if has(&["bytes"]) => Some(1),
            _ => Some(1 << 20),
        };
        return Some(Kind::Memory(bytes));
    }
    if has(&["network", "net", "throughput"]) && !has(&["disk"]) {
        let bits = match unit.as_str() {
            "kb/s" | "kib/s" => 8 << 10,
            "mb/s" | "mib/s" => 8 << 20,
            "b/s" | "bytes/s" => 8,
            "kbit/s" | "kbps" => 1_000,
            _ if has(&["bytes"]) => 8,
            _ => 1_000_000,
        };
        return Some(Kind::Network(bits));
    }
    None
}

/// Whether there is a time and something measured.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    let Form::Table(_) = glance.form else { return false };
    let kinds: Vec<Kind> =
        crate::delimited::headings(&glance.head).iter().filter_map(|heading| kind(heading)).collect();
    kinds.contains(&Kind::Time) && kinds.iter().any(|kind| !matches!(kind, Kind::Time | Kind::Host))
}

/// Reads a table. Without a column for hosts all rows are about the one that the user names, or else the one that the file
/// is called after.
pub(super) fn read(file: &InputFile<'_>, metrics: &mut Metrics<'_>, findings: &mut Vec<Finding>) {
    let open = Delimited::open(file, findings);
    let kinds: Vec<Option<Kind>> = open.headings.iter().map(|heading| kind(heading)).collect();
    let at = |wanted: Kind| kinds.iter().position(|kind| *kind == Some(wanted));
    let (host, Some(time)) = (at(Kind::Host), at(Kind::Time)) else {
        findings.push(
            Finding::error("INV-6016", "the table has no column with times")
                .at(open.place.clone().row(1))
                .help("call it timestamp; cpu_percent, memory_mib and network_mbps may stand beside it"),
        );
        return;
    };
    let stem = file.name.rsplit(['/', '\\']).next().unwrap_or(file.name);
    let stem = stem.split('.').next().unwrap_or(stem).to_owned();
    let sign = open.sign();
    let mut bad: Vec<(u32, String)> = Vec::new();
    let mut torn = Vec::new();
    open.each_row(&mut torn, |line, record| {
        let Some(seconds) = record.get(time).and_then(series::time) else {
            bad.push((line, clip(record.get(time).unwrap_or_default())));
            return;
        };
        let named = host.and_then(|at| record.get(at)).unwrap_or_default().trim();
        let named = if named.is_empty() && metrics.only.is_none() { stem.as_str() } else { named };
        let Some(gauges) = metrics.host(named) else { return };
        let mut network: Option<i64> = None;
        for (cell, kind) in record.iter().zip(&kinds) {
            let Some(Ok(number)) = known(cell).map(|text| number::parse(text, sign)) else { continue };
            let value = number.value.0;
            if value < 0 {
                continue;
            }
            let scaled = |times: u64, over: u64| {
                i64::try_from(i128::from(value) * i128::from(times) / i128::from(over)).unwrap_or(i64::MAX)
            };
            match kind {
                Some(Kind::Cpu) => gauges.cpu_percent.add(seconds, Quantity(value)),
                Some(Kind::Memory(None)) => gauges.memory_percent.add(seconds, Quantity(value)),
                Some(Kind::Memory(Some(bytes))) => {
                    gauges.memory_mib.add(seconds, Quantity(scaled(*bytes, 1 << 20)))
                }
                Some(Kind::Network(bits)) => network = network.max(Some(scaled(*bits, 1_000_000))),
                Some(Kind::Host | Kind::Time) | None => {}
            }
        }
        if let Some(mbps) = network {
            gauges.network_mbps.add(seconds, Quantity(mbps));
        }
    });
    findings.append(&mut torn);
    if let Some((line, text)) = bad.first() {
        findings.push(
            Finding::warning(
                "INV-6017",
                format!("no time in {}, the first \"{text}\"", counted(bad.len(), "row")),
            )
            .at(Place::file(file.name).row(*line))
            .help("left out; write times as 2026-03-01T14:30:00Z"),
        );
    }
}
