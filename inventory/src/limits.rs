//! How large a machine can be. Beyond these limits a figure is a mistake of unit, not a machine.

use carafe_model::finding::Finding;
use carafe_model::units::{Gib, Mib, Vcpus};

use crate::raw::At;

/// The most hardware threads of any machine that is sold.
pub const MOST_VCPUS: Vcpus = Vcpus(4096);

/// The most memory: 64 TiB.
pub const MOST_MEMORY: Mib = Mib(64 * 1024 * 1024);

/// The largest disk: 1 PiB.
pub const LARGEST_DISK: Gib = Gib(1024 * 1024);

/// Hardware threads of a host: none is unknown, too many is `INV-1205` and unknown.
pub fn vcpus(count: At<u64>, findings: &mut Vec<Finding>) -> Option<At<Vcpus>> {
    match u32::try_from(count.value).ok().map(Vcpus).filter(|vcpus| *vcpus <= MOST_VCPUS) {
        Some(Vcpus(0)) => None,
        Some(vcpus) => Some(At::new(vcpus, count.place)),
        None => {
            findings.push(too_many_vcpus(count.value).at(count.place));
            None
        }
    }
}

/// Memory of a host: none is unknown, too much is `INV-1204` and unknown.
pub fn memory(memory: At<Mib>, findings: &mut Vec<Finding>) -> Option<At<Mib>> {
    if memory.value > MOST_MEMORY {
        findings.push(too_much_memory(memory.value).at(memory.place));
        return None;
    }
    (memory.value > Mib(0)).then_some(memory)
}

/// Capacity of a disk: none is unknown, too much is `INV-1206` and unknown.
pub fn disk(size: At<Gib>, findings: &mut Vec<Finding>) -> Option<Gib> {
    if size.value > LARGEST_DISK {
        findings.push(too_large_a_disk(size.value).at(size.place));
        return None;
    }
    (size.value > Gib(0)).then_some(size.value)
}

/// Whole GiB, rounded up.
pub fn gib(mib: Mib) -> Gib {
    Gib(mib.0.div_ceil(1024))
}

/// `INV-1205`.
pub fn too_many_vcpus(count: u64) -> Finding {
    Finding::error("INV-1205", format!("{count} hardware threads are more than any machine has"))
        .help("no machine has more than 4,096; check the figure, which counts as unknown")
}

/// `INV-1204`.
pub fn too_much_memory(memory: Mib) -> Finding {
    Finding::error("INV-1204", format!("{} MiB of memory are more than any machine has", memory.0))
        .help("no machine has more than 64 TiB; check the unit; the figure counts as unknown")
}

/// `INV-1206`.
pub fn too_large_a_disk(size: Gib) -> Finding {
    Finding::error("INV-1206", format!("{} GiB are more than any disk has", size.0))
        .help("no disk has more than 1 PiB; check the unit; the figure counts as unknown")
}
