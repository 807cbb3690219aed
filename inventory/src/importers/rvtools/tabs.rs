//! The sheets beside `vInfo`: what each row adds to its machine.

use carafe_model::finding::Finding;
use carafe_model::host::{Disk, Nic};

use super::machines::{KeyedDisk, Machine, Machines, Owner, count, mib, words};
use crate::limits;
use crate::normalise;
use crate::raw::At;
use crate::table::{Row, Table};
use crate::text::{boolean, clip, counted};

/// Adds one row to its machine; `false` when another row said the same already.
pub(super) type Attach = fn(&Table, &Row, &mut Machine, &mut Vec<Finding>) -> bool;

/// Adds every row of a sheet to its machine. Rows of no machine are counted in one `INV-3015`.
pub(super) fn attach(table: &Table, machines: &mut Machines, attach: Attach, findings: &mut Vec<Finding>) {
    let (mut unknown, mut first) = (0, None);
    for row in &table.rows {
        match machines.owner(table, row) {
            Owner::One(index) => {
                if !attach(table, row, &mut machines.list[index], findings) {
                    machines.tally.repeated_rows += 1;
                }
            }
            Owner::Dropped => {}
            Owner::Several(shared) => {
                machines.tally.ambiguous += 1;
                machines.tally.first_ambiguous.get_or_insert_with(|| (shared, table.row_place(row)));
            }
            Owner::Nobody => {
                unknown += 1;
                first.get_or_insert(row);
            }
        }
    }
    if let Some(row) = first {
        let name = words(table, row, "VM").map(clip).unwrap_or_default();
        let rows = counted(unknown, "row");
        findings.push(
            Finding::warning("INV-3015", format!("no such machine in vInfo: {rows}, the first \"{name}\""))
                .at(table.row_place(row))
                .help("left out; export all sheets in one go"),
        );
    }
}

/// `vCPU`: the count, where `vInfo` lacks it.
pub(super) fn processors(
    table: &Table,
    row: &Row,
    machine: &mut Machine,
    findings: &mut Vec<Finding>,
) -> bool {
    if machine.host.vcpus.is_none() {
        let count = count(table, row, "CPUs", findings);
        machine.host.vcpus = count.and_then(|count| limits::vcpus(count, findings));
    }
    true
}

/// `vMemory`: the size, where `vInfo` lacks it.
pub(super) fn memory(table: &Table, row: &Row, machine: &mut Machine, findings: &mut Vec<Finding>) -> bool {
    if machine.host.memory.is_none() {
        let size = mib(table, row, "Size MiB", findings);
        machine.host.memory = size.and_then(|size| limits::memory(size, findings));
    }
    true
}

/// `vDisk`: one disk.
pub(super) fn disks(table: &Table, row: &Row, machine: &mut Machine, findings: &mut Vec<Finding>) -> bool {
    let key = words(table, row, "Disk Key").map(str::to_owned);
    let name = words(table, row, "Disk").map(str::to_owned);
    let size = mib(table, row, "Capacity MiB", findings)
        .and_then(|at| limits::disk(At::new(limits::gib(at.value), at.place), findings));
    let says = |column: &str, shared: &[&str]| {
        words(table, row, column).is_some_and(|word| {
            boolean(word) == Some(true) || shared.iter().any(|shared| word.eq_ignore_ascii_case(shared))
        })
    };
    let shared = says("Sharing mode", &["sharingmultiwriter", "multiwriter", "shared"])
        || says("Shared Bus", &["virtualsharing", "physicalsharing", "virtual", "physical"]);
    if let Some(key) = &key
        && !machine.seen.insert((key.clone(), size))
    {
        return false;
    }
    let name = name.or_else(|| key.clone()).unwrap_or_else(|| format!("disk {}", machine.disks.len() + 1));
    let disk = Disk { name, size_gib: size, shared, raw: says("Raw", &[]), ..Disk::default() };
    machine.disks.push(KeyedDisk { key, disk });
    true
}

/// `vPartition`: space in use as the guest sees it.
pub(super) fn partitions(
    table: &Table,
    row: &Row,
    machine: &mut Machine,
    findings: &mut Vec<Finding>,
) -> bool {
    let key = words(table, row, "Disk Key").map(str::to_owned);
    if let Some(used) = mib(table, row, "Consumed MiB", findings) {
        machine.partitions.push((key, used.value));
    }
    true
}

/// `vNetwork`: one interface.
pub(super) fn networks(
    table: &Table,
    row: &Row,
    machine: &mut Machine,
    _findings: &mut Vec<Finding>,
) -> bool {
    let mac = words(table, row, "Mac Address").and_then(normalise::mac);
    if let Some(mac) = &mac
        && !machine.seen.insert((mac.clone(), None))
    {
        return false;
    }
    let name = words(table, row, "NIC label").map(str::to_owned);
    let mut addresses = Vec::new();
    for column in ["IPv4 Address", "IPv6 Address"] {
        let Some(list) = words(table, row, column) else { continue };
        let parts = list.split([',', ';']).map(str::trim);
        let usable = |part: &&str| normalise::bare_address(part).is_some_and(normalise::is_reachable);
        addresses.extend(parts.filter(usable).map(str::to_owned));
    }
    machine.nics.push(Nic {
        name: name.unwrap_or_else(|| format!("nic {}", machine.nics.len() + 1)),
        mac,
        addresses,
        network: words(table, row, "Network").map(str::to_owned),
    });
    true
}
