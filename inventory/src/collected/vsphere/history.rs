//! The performance history of machines: answers to `QueryPerf`, as lists of numbers or as one text of commas.
//!
//! Counters are those of every vCenter: `cpu.usage.average` in hundredths of a percent, `mem.consumed.average` in KiB, and
//! `net.received.average` and `net.transmitted.average` in KB a second. What a machine has consumed includes what it once
//! used, so memory is rather too much than too little.

use std::collections::BTreeMap;

use carafe_model::units::Quantity;

use super::Objects;
use crate::series::{self, Measured};
use crate::xml::Element;

/// What a counter says.
#[derive(Clone, Copy)]
enum Gauge {
    Processor,
    Memory,
    Network,
}

/// The measurements of each machine, by reference.
pub(super) fn read<'x>(
    answers: impl Iterator<Item = &'x Element>,
    objects: &Objects<'x>,
) -> BTreeMap<String, Measured> {
    let gauges = gauges(objects);
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    for answer in answers {
        for of_machine in
            answer.all("QueryPerfResponse").into_iter().flat_map(|answer| answer.children("returnval"))
        {
            let Some(entity) = of_machine.path_text("entity") else { continue };
            let machine = measured.entry(entity.trim().to_owned()).or_default();
            let times = times(of_machine);
            for series in of_machine.children("value") {
                let Some(gauge) = series.path_text("id/counterId").and_then(|id| gauges.get(id.trim()))
                else {
                    continue;
                };
                for (at, value) in times.iter().zip(values(series)) {
                    // Before a machine was made there is nothing, which is written as -1.
                    if let (Some(at), Some(value)) = (at, value.filter(|value| *value >= 0)) {
                        add(machine, *gauge, *at, value);
                    }
                }
            }
        }
    }
    measured
}

fn add(machine: &mut Measured, gauge: Gauge, at: i64, value: i64) {
    match gauge {
        Gauge::Processor => machine.cpu_percent.add(at, Quantity(value.saturating_mul(10_000))),
        Gauge::Memory => {
            let millionths = i128::from(value) * 1_000_000 / 1_024;
            machine.memory_mib.add(at, Quantity(i64::try_from(millionths).unwrap_or(i64::MAX)));
        }
        // KB a second are 8 kbit a second. Both directions fill one series, of which the larger counts.
        Gauge::Network => machine.network_mbps.add(at, Quantity(value.saturating_mul(8_000))),
    }
}

/// The counters that are read, by the number that this vCenter gives them.
fn gauges<'x>(objects: &Objects<'x>) -> BTreeMap<&'x str, Gauge> {
    let managers = objects.get("PerformanceManager").into_iter().flat_map(BTreeMap::values);
    let counters =
        managers.filter_map(|manager| manager.value("perfCounter")).flat_map(|value| &value.inside);
    counters
        .filter_map(|counter| {
            let group = counter.path_text("groupInfo/key")?;
            let name = counter.path_text("nameInfo/key")?;
            let gauge = match (group, name, counter.path_text("rollupType")?) {
                ("cpu", "usage", "average") => Gauge::Processor,
                ("mem", "consumed", "average") => Gauge::Memory,
                ("net", "received" | "transmitted", "average") => Gauge::Network,
                _ => return None,
            };
            Some((counter.path_text("key")?, gauge))
        })
        .collect()
}

/// The time of each sample.
fn times(of_machine: &Element) -> Vec<Option<i64>> {
    if let Some(text) = of_machine.path_text("sampleInfoCSV") {
        // Interval and time by turns.
        return text.split(',').skip(1).step_by(2).map(series::time).collect();
    }
    of_machine.children("sampleInfo").map(|sample| series::time(sample.path_text("timestamp")?)).collect()
}

fn values(series: &Element) -> Vec<Option<i64>> {
    let number = |text: &str| text.trim().parse().ok();
    let lists: Vec<&Element> = series.children("value").collect();
    match lists.as_slice() {
        [one] if one.text.contains(',') => one.text.split(',').map(number).collect(),
        many => many.iter().map(|value| number(&value.text)).collect(),
    }
}
