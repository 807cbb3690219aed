//! RVTools workbooks: one sheet for each view of a VMware estate, joined by the identifier of each virtual machine.
//!
//! Figures are of one moment, so nothing here becomes measured use. Codes: `INV-3xxx`.

mod columns;

mod machines;

mod tabs;

mod tally;

use carafe_model::finding::{Finding, Place};

use crate::input::InputFile;
use crate::raw::RawEstate;
use crate::workbook::{ColumnNames, Table, Workbook, looks_like_workbook};

/// Whether the bytes are a workbook.
pub fn sniff(file: &InputFile<'_>) -> bool {
    looks_like_workbook(file.bytes)
}

/// Reads a workbook; `None` without a usable `vInfo` sheet.
pub fn read(file: &InputFile<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let mut workbook = match Workbook::open(file) {
        Ok(workbook) => workbook,
        Err(finding) => {
            findings.push(*finding);
            return None;
        }
    };
    let Some(vinfo) = find_sheet(&workbook, "vInfo") else {
        findings.push(no_vinfo(&workbook, file.name));
        return None;
    };
    let vinfo = match workbook.table(&vinfo, columns::VINFO, columns::is_custom) {
        Ok(table) => table,
        Err(finding) => {
            findings.push(*finding);
            return None;
        }
    };
    let mut machines = machines::read(&vinfo, findings)?;
    let mut sheet = |name, columns| optional(&mut workbook, file.name, name, columns, findings);
    let tables = [
        (sheet("vCPU", columns::VCPU), tabs::processors as tabs::Attach),
        (sheet("vMemory", columns::VMEMORY), tabs::memory),
        (sheet("vDisk", columns::VDISK), tabs::disks),
        (sheet("vPartition", columns::VPARTITION), tabs::partitions),
        (sheet("vNetwork", columns::VNETWORK), tabs::networks),
    ];
    for (table, attach) in &tables {
        if let Some(table) = table {
            tabs::attach(table, &mut machines, *attach, findings);
        }
    }
    let place = Place::file(file.name);
    Some(RawEstate { hosts: machines.finish(&place, findings), ..RawEstate::default() })
}

fn find_sheet(workbook: &Workbook<'_>, name: &str) -> Option<String> {
    workbook.sheets().into_iter().find(|sheet| sheet.trim().eq_ignore_ascii_case(name))
}

/// Reads a sheet that may be missing, with `INV-3006` when it is.
fn optional(
    workbook: &mut Workbook<'_>,
    file: &str,
    name: &str,
    columns: &'static [ColumnNames],
    findings: &mut Vec<Finding>,
) -> Option<Table> {
    let Some(sheet) = find_sheet(workbook, name) else {
        findings.push(
            Finding::info("INV-3006", format!("there is no sheet {name}"))
                .at(Place::file(file))
                .help("what it would tell is unknown; export all sheets to have it"),
        );
        return None;
    };
    match workbook.table(&sheet, columns, |_| false) {
        Ok(table) => Some(table),
        Err(finding) => {
            findings.push(*finding);
            None
        }
    }
}

fn no_vinfo(workbook: &Workbook<'_>, file: &str) -> Finding {
    let sheets: Vec<String> = workbook.sheets().iter().take(20).map(|name| crate::text::clip(name)).collect();
    Finding::error("INV-3001", format!("no sheet vInfo; the sheets are: {}", sheets.join(", ")))
        .at(Place::file(file))
        .help("export all sheets from RVTools and keep their names")
}
