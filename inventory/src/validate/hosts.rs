//! Checks of one host at a time: names, sizes, and what a planner cannot do without.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;
use carafe_model::host::{Architecture, Distribution, Host};
use carafe_model::units::{Gib, Mib, Vcpus};

use super::View;
use crate::limits::{
    LARGEST_DISK, MOST_MEMORY, MOST_VCPUS, too_large_a_disk, too_many_vcpus, too_much_memory,
};
use crate::merge::bad_name;
use crate::text::{clip, invisible_shown, name_problem};

/// Tells what `check` finds for each host, at the host's field.
fn each(view: &mut View<'_>, field: &str, check: impl Fn(&Host) -> Option<Finding>) {
    for (index, host) in view.estate.hosts.iter().enumerate() {
        if let Some(finding) = check(host) {
            view.tell(format!("/hosts/{index}{field}"), finding.host(clip(host.id.as_str())));
        }
    }
}

pub(super) fn check_1202_names_are_usable(view: &mut View<'_>) {
    each(view, "/id", |host| {
        name_problem(host.id.as_str()).map(|problem| bad_name(host.id.as_str(), problem))
    });
    each(view, "/name", |host| name_problem(&host.name).map(|problem| bad_name(&host.name, problem)));
}

pub(super) fn check_1221_names_do_not_repeat(view: &mut View<'_>) {
    let mut first: BTreeMap<&str, &Host> = BTreeMap::new();
    let estate = view.estate;
    for (index, host) in estate.hosts.iter().enumerate() {
        match first.get(host.name.as_str()) {
            Some(other) if other.id != host.id => view.tell(
                format!("/hosts/{index}/name"),
                Finding::warning(
                    "INV-1221",
                    format!("the name \"{}\" is that of {} too", clip(&host.name), clip(other.id.as_str())),
                )
                .host(clip(host.id.as_str()))
                .help("check that they are two machines; rules that match by name hold for both"),
            ),
            Some(_) => {}
            None => drop(first.insert(&host.name, host)),
        }
    }
}

pub(super) fn check_1222_names_can_be_seen(view: &mut View<'_>) {
    each(view, "/name", |host| {
        let shown = invisible_shown(&host.name).or_else(|| invisible_shown(host.id.as_str()))?;
        Some(
            Finding::warning(
                "INV-1222",
                format!("characters that cannot be seen in the name {}", clip(&shown)),
            )
            .help("rules and references must have them too; take them out in the source"),
        )
    });
}

pub(super) fn check_1204_memory_is_plausible(view: &mut View<'_>) {
    each(view, "/memory_mib", |host| match host.memory_mib? {
        Mib(0) => Some(nothing("INV-1204", "memory")),
        memory if memory > MOST_MEMORY => Some(too_much_memory(memory)),
        _ => None,
    });
}

pub(super) fn check_1205_vcpus_are_plausible(view: &mut View<'_>) {
    each(view, "/vcpus", |host| match host.vcpus? {
        Vcpus(0) => Some(nothing("INV-1205", "hardware threads")),
        vcpus if vcpus > MOST_VCPUS => Some(too_many_vcpus(vcpus.0.into())),
        _ => None,
    });
}

fn nothing(code: &str, what: &str) -> Finding {
    Finding::error(code, format!("no {what} at all"))
        .help("a host has some; leave the field out where it is unknown")
}

pub(super) fn check_1206_disks_are_plausible(view: &mut View<'_>) {
    each_disk(view, "size_gib", |disk| match disk.size_gib? {
        Gib(0) => Some(nothing("INV-1206", "capacity")),
        size if size > LARGEST_DISK => Some(too_large_a_disk(size)),
        _ => None,
    });
}

pub(super) fn check_1207_disks_hold_what_they_hold(view: &mut View<'_>) {
    each_disk(view, "used_gib", |disk| {
        let (used, size) = (disk.used_gib?, disk.size_gib?);
        (used > size).then(|| {
            Finding::warning("INV-1207", format!("{} GiB in use on a disk of {} GiB", used.0, size.0))
                .help("check which of the two is right; thin or compressed disks can look like this")
        })
    });
}

fn each_disk(view: &mut View<'_>, field: &str, check: impl Fn(&carafe_model::host::Disk) -> Option<Finding>) {
    for (index, host) in view.estate.hosts.iter().enumerate() {
        for (at, disk) in host.disks.iter().enumerate() {
            if let Some(finding) = check(disk) {
                view.tell(format!("/hosts/{index}/disks/{at}/{field}"), finding.host(clip(host.id.as_str())));
            }
        }
    }
}

/// Whether the planner looks for a home for the host; what stays needs no size.
fn moves(host: &Host) -> bool {
    host.stays_because.is_none()
}

pub(super) fn check_1208_architecture_is_known(view: &mut View<'_>) {
    each(view, "/architecture", |host| {
        let what = match host.architecture {
            _ if !moves(host) => return None,
            Some(Architecture::X86_64 | Architecture::Arm64) => return None,
            Some(Architecture::Other) => "its instruction set is one that no cloud sells",
            None => "its instruction set is unknown",
        };
        Some(Finding::warning("INV-1208", what).help("x86_64 or arm64; add it in an estate document"))
    });
}

pub(super) fn check_1209_vcpus_are_known(view: &mut View<'_>) {
    each(view, "", |host| {
        (moves(host) && host.vcpus.is_none()).then(|| {
            Finding::warning("INV-1209", "its hardware threads are unknown").help(
                "the planner cannot place it; add \"vcpus\" in an estate document or a rule of the policy",
            )
        })
    });
}

pub(super) fn check_1210_memory_is_known(view: &mut View<'_>) {
    each(view, "", |host| {
        (moves(host) && host.memory_mib.is_none()).then(|| {
            Finding::warning("INV-1210", "its memory is unknown").help(
                "the planner cannot place it; add \"memory_mib\" in an estate document or a rule of the policy",
            )
        })
    });
}

pub(super) fn check_1211_disks_are_known(view: &mut View<'_>) {
    each(view, "", |host| {
        let what = if !moves(host) {
            return None;
        } else if host.disks.is_empty() {
            "no disk of it is known".to_owned()
        } else {
            match host.disks.iter().filter(|disk| disk.size_gib.is_none()).count() {
                0 => return None,
                unknown => format!("the size of {unknown} of its disks is unknown"),
            }
        };
        Some(
            Finding::warning("INV-1211", what)
                .help("its storage cannot be priced; add \"disks\" with their sizes in an estate document"),
        )
    });
}

pub(super) fn check_1220_usage_is_plausible(view: &mut View<'_>) {
    let ordered = |d: &Distribution| {
        d.p50.0 >= 0 && d.p50 <= d.p90 && d.p90 <= d.p95 && d.p95 <= d.p99 && d.p99 <= d.max
    };
    each(view, "/usage", |host| {
        let usage = host.usage.as_ref()?;
        let what = if usage.coverage_percent > 100 {
            "measurements cover more than the whole window"
        } else if !usage.cpu_percent.iter().chain(&usage.memory_mib).all(ordered) {
            "percentiles of measured use do not rise from zero"
        } else {
            return None;
        };
        Some(Finding::error("INV-1220", what).help("measure again, or leave \"usage\" out"))
    });
}

pub(super) fn check_1223_use_is_at_most_what_there_is(view: &mut View<'_>) {
    const WHOLE: i64 = 100_000_000;
    each(view, "/usage", |host| {
        let usage = host.usage.as_ref()?;
        let has_mib = host.memory_mib.map(|memory| i128::from(memory.0) * 1_000_000);
        let what = if usage.cpu_percent.is_some_and(|cpu| cpu.max.0 > WHOLE) {
            "more than 100 % of its processors was measured in use".to_owned()
        } else if let (Some(used), Some(has)) = (usage.memory_mib, has_mib)
            && i128::from(used.max.0) > has
        {
            format!("{} MiB of memory was measured in use, and it has {} MiB", used.max, has / 1_000_000)
        } else {
            return None;
        };
        let help =
            "processor use is in percent of all hardware threads, memory in MiB; correct one of the two";
        Some(Finding::warning("INV-1223", what).help(help))
    });
}
