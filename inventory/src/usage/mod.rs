//! Utilisation: time series of monitoring systems become percentiles of hosts, by the rule of [`crate::series`].
//!
//! Codes: `INV-6xxx`.

mod cloudwatch;

mod prometheus;

mod sar;

mod table;

use std::collections::BTreeMap;

use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place};
use carafe_model::units::Quantity;

use crate::glance::Glance;
use crate::input::InputFile;
use crate::names::Names;
use crate::series::{Measured, Series};
use crate::text::{clip, counted};

/// A format that utilisation is read from.
pub struct UsageFormat {
    /// What users call it, for example with `--as`.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Whether the file looks like this format, at a glance.
    pub sniff: fn(&Glance<'_>) -> bool,
    /// Adds what a file says. Never panics, whatever the bytes.
    pub read: fn(&InputFile<'_>, &mut Metrics<'_>, &mut Vec<Finding>),
}

/// Every format, in the order in which they are tried.
pub const USAGE_FORMATS: &[UsageFormat] = &[
    UsageFormat {
        name: "prometheus",
        summary: "answer of Prometheus to query_range (JSON), with the metrics of node_exporter",
        sniff: prometheus::sniff,
        read: prometheus::read,
    },
    UsageFormat {
        name: "cloudwatch",
        summary: "answer of CloudWatch to get-metric-data or get-metric-statistics (JSON)",
        sniff: cloudwatch::sniff,
        read: cloudwatch::read,
    },
    UsageFormat {
        name: "sar",
        summary: "what sysstat recorded, as sadf -j (JSON) or sadf -d prints it",
        sniff: sar::sniff,
        read: sar::read,
    },
    UsageFormat {
        name: "csv",
        summary: "table with a time, and processor, memory or network use in each row (CSV)",
        sniff: table::sniff,
        read: table::read,
    },
];

/// What was measured, by what sources call hosts.
#[derive(Default)]
pub struct Metrics<'a> {
    hosts: BTreeMap<String, Gauges>,
    /// The host that files are about which name none.
    only: Option<&'a str>,
}

/// What was measured of one host.
#[derive(Default)]
struct Gauges {
    cpu_percent: Series,
    memory_mib: Series,
    /// Memory in use in percent of what the host has.
    memory_percent: Series,
    network_mbps: Series,
}

impl<'a> Metrics<'a> {
    /// Nothing measured yet. `only` is the host that files are about which name none.
    pub fn new(only: Option<&'a str>) -> Metrics<'a> {
        Metrics { hosts: BTreeMap::new(), only }
    }

    /// Adds what a file says, by the format of this name or the one that it looks like. The file itself is not kept.
    pub fn read(&mut self, file: &InputFile<'_>, format: Option<&str>, findings: &mut Vec<Finding>) {
        let glance = Glance::at(*file);
        let found = match format {
            Some(name) => USAGE_FORMATS.iter().find(|format| format.name == name),
            None => USAGE_FORMATS.iter().find(|format| (format.sniff)(&glance)),
        };
        let Some(found) = found else {
            let names: Vec<&str> = USAGE_FORMATS.iter().map(|format| format.name).collect();
            findings.push(
                Finding::error("INV-6010", "no reader of utilisation knows this file")
                    .at(Place::file(file.name))
                    .help(format!("the formats are {}; name one if it is one of them", names.join(", "))),
            );
            return;
        };
        (found.read)(file, self, findings);
    }

    /// The measurements of a host; of the only one where a source names none.
    fn host(&mut self, name: &str) -> Option<&mut Gauges> {
        let name = Some(name).filter(|name| !name.is_empty()).or(self.only)?;
        Some(self.hosts.entry(name.to_owned()).or_default())
    }
}

/// A number that counts something, in millionths; `None` for anything but a finite number from zero.
fn quantity(value: f64) -> Option<Quantity> {
    const MOST: f64 = 9.0e12;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
    let millionths = |value: f64| Quantity((value * 1e6).round() as i64);
    (value.is_finite() && (0.0..MOST).contains(&value)).then(|| millionths(value))
}

/// What came of adding utilisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Hosts that have measured use now.
    pub hosts: usize,
}

/// Adds the utilisation in files to an estate. `only` is the host that files are about which name none.
///
/// A host measured anew gets the new figures, since a longer or later window is why people measure again.
pub fn add(
    estate: &mut Estate,
    files: &[InputFile<'_>],
    format: Option<&str>,
    only: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Summary {
    let mut metrics = Metrics::new(only);
    for file in files {
        let before = (metrics.hosts.len(), findings.len());
        let had_some = metrics.hosts.values().any(|gauges| !gauges.is_empty());
        metrics.read(file, format, findings);
        let is_known = findings[before.1..].iter().all(|finding| finding.code != "INV-6010");
        if is_known
            && metrics.hosts.len() == before.0
            && !had_some
            && !metrics.hosts.values().any(|gauges| !gauges.is_empty())
        {
            findings.push(
                Finding::warning("INV-6011", "no measurement that could be used")
                    .at(Place::file(file.name))
                    .help("the file may name no host; say with --host which one it is about"),
            );
        }
    }
    apply(estate, metrics, findings)
}

impl Gauges {
    fn extend(&mut self, more: Gauges) {
        self.cpu_percent.extend(more.cpu_percent);
        self.memory_mib.extend(more.memory_mib);
        self.memory_percent.extend(more.memory_percent);
        self.network_mbps.extend(more.network_mbps);
    }

    fn is_empty(&self) -> bool {
        let all = [&self.cpu_percent, &self.memory_mib, &self.memory_percent, &self.network_mbps];
        all.into_iter().all(Series::is_empty)
    }
}

/// Gives hosts the use that was measured of them.
pub fn apply(estate: &mut Estate, metrics: Metrics<'_>, findings: &mut Vec<Finding>) -> Summary {
    let names = Names::of(estate);
    let mut summary = Summary::default();
    let mut strangers = Vec::new();
    // A host may be called by its name in one series and by its address in another.
    let mut by_host: BTreeMap<usize, Gauges> = BTreeMap::new();
    for (name, gauges) in metrics.hosts.into_iter().filter(|(_, gauges)| !gauges.is_empty()) {
        let id = names.find(&name);
        match id.and_then(|id| estate.hosts.iter().position(|host| host.id == *id)) {
            Some(at) => by_host.entry(at).or_default().extend(gauges),
            None => strangers.push(name),
        }
    }
    for (at, gauges) in by_host {
        let host = &mut estate.hosts[at];
        let Gauges { cpu_percent, memory_mib, memory_percent, network_mbps } = gauges;
        let memory_mib = match host.memory_mib {
            Some(memory) if memory_mib.is_empty() => memory_percent.scaled(memory.0, 100),
            Some(_) | None => memory_mib,
        };
        let measured = Measured { cpu_percent, memory_mib, network_mbps };
        let all = [&measured.cpu_percent, &measured.memory_mib, &measured.network_mbps];
        if all.into_iter().filter(|series| !series.is_empty()).all(Series::is_all_zero) {
            findings.push(
                Finding::warning("INV-6012", "every measurement is zero")
                    .host(clip(host.id.as_str()))
                    .help("this is how collectors write what they did not measure; it counts as unknown"),
            );
            continue;
        }
        if let Some(usage) = measured.usage() {
            if usage.coverage_percent < 20 {
                findings.push(
                    Finding::warning(
                        "INV-6013",
                        format!(
                            "only {} % of {} hours were measured",
                            usage.coverage_percent, usage.window_hours
                        ),
                    )
                    .host(clip(host.id.as_str()))
                    .help("the planner sizes the host as it is; measure without holes to size by use"),
                );
            }
            host.usage = Some(usage);
            summary.hosts += 1;
        }
    }
    if let Some(first) = strangers.first() {
        findings.push(
            Finding::warning(
                "INV-6014",
                format!(
                    "measured, but not in the estate: {}, the first \"{}\"",
                    counted(strangers.len(), "host"),
                    clip(first)
                ),
            )
            .help("left out; they are found by id, name, machine id or address"),
        );
    }
    summary
}
