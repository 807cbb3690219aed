//! RVTools exports, as a workbook or as CSV: one tab for each view of a VMware estate, joined by the identifier of each
//! virtual machine.
//!
//! Figures are of one moment, so nothing here becomes measured use. Codes: `INV-3xxx`.

mod columns;

mod machines;

mod tabs;

mod tally;

use carafe_model::finding::{Finding, Place};

use crate::delimited::Delimited;
use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::raw::RawEstate;
use crate::table::{ColumnNames, Table};
use crate::workbook::Workbook;

/// Whether the file is a workbook.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.form == Form::Workbook
}

/// Whether the file is one tab of an export as CSV: by its headings, or by its name where they could be another's.
pub fn sniff_csv(glance: &Glance<'_>) -> bool {
    let names_tab = tab_of(glance.file.name).is_some();
    glance.is_table_with(&["vm", "powerstate", "template"])
        || glance.is_table_with(&["vm"]) && names_tab
        || glance.is_table_with(&["vinfovmname"])
}

/// Reads a workbook; `None` without a usable `vInfo` sheet.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
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
    let sheet = |name: &str, columns, findings: &mut Vec<Finding>| {
        optional(&mut workbook, file.name, name, columns, findings).into_iter().collect()
    };
    assemble(&[vinfo], sheet, Place::file(file.name), findings)
}

/// The tabs that are read, in the order in which they add to a machine.
const TABS: [&str; 6] = ["vInfo", "vCPU", "vMemory", "vDisk", "vPartition", "vNetwork"];

/// The tab that a file of an export holds, by its name: `RVTools_tabvDisk.csv`.
fn tab_of(file: &str) -> Option<&'static str> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file).to_lowercase();
    TABS.into_iter().find(|tab| name.contains(&tab.to_lowercase()))
}

/// Reads an export as CSV, one file for each tab; `None` without a usable `vInfo`.
pub fn read_csv(
    files: &[InputFile<'_>],
    _with: &Reading<'_>,
    findings: &mut Vec<Finding>,
) -> Option<RawEstate> {
    let mut opened: Vec<(&str, Delimited<'_>)> = Vec::new();
    for file in files {
        let open = Delimited::open(file, findings);
        // A file of another name is `vInfo` if it has what only that tab has.
        let is_vinfo = open.column(&["cpus", "vinfocpus"]).is_some()
            && open.column(&["memory", "vinfomemory"]).is_some();
        match tab_of(file.name).or(is_vinfo.then_some("vInfo")) {
            Some(tab) => opened.push((tab, open)),
            None => findings.push(
                Finding::info("INV-3016", "a tab that says nothing about where a machine could go")
                    .at(Place::file(file.name))
                    .help("it was left out; the tabs that count are vInfo, vCPU, vMemory, vDisk, vPartition and vNetwork"),
            ),
        }
    }
    let tables = |tab: &str, columns, keep, findings: &mut Vec<Finding>| -> Vec<Table> {
        let of_tab = opened.iter().filter(|(name, _)| *name == tab);
        of_tab.map(|(_, open)| open.table(columns, keep, findings)).collect()
    };
    let place = Place::file(files[0].name);
    let vinfo = tables("vInfo", columns::VINFO, columns::is_custom, findings);
    if vinfo.is_empty() {
        findings.push(
            Finding::error("INV-3001", "no file of the tab vInfo").at(place).help(
                "give all files of the export; the one that lists the machines is RVTools_tabvInfo.csv",
            ),
        );
        return None;
    }
    let sheet = |name: &str, columns, findings: &mut Vec<Finding>| {
        let found = tables(name, columns, |_| false, findings);
        if found.is_empty() {
            findings.push(missing(name, files[0].name));
        }
        found
    };
    assemble(&vinfo, sheet, place, findings)
}

/// Joins what the tabs say of each machine.
fn assemble(
    vinfo: &[Table],
    mut sheet: impl FnMut(&str, &'static [ColumnNames], &mut Vec<Finding>) -> Vec<Table>,
    place: Place,
    findings: &mut Vec<Finding>,
) -> Option<RawEstate> {
    let mut machines = machines::read(vinfo, findings)?;
    let tabs: [(&str, &'static [ColumnNames], tabs::Attach); 5] = [
        ("vCPU", columns::VCPU, tabs::processors),
        ("vMemory", columns::VMEMORY, tabs::memory),
        ("vDisk", columns::VDISK, tabs::disks),
        ("vPartition", columns::VPARTITION, tabs::partitions),
        ("vNetwork", columns::VNETWORK, tabs::networks),
    ];
    for (name, columns, attach) in tabs {
        for table in sheet(name, columns, findings) {
            tabs::attach(&table, &mut machines, attach, findings);
        }
    }
    Some(RawEstate { hosts: machines.finish(&place, findings), ..RawEstate::default() })
}

/// `INV-3006`.
fn missing(name: &str, file: &str) -> Finding {
    Finding::info("INV-3006", format!("there is no sheet {name}"))
        .at(Place::file(file))
        .help("what it would tell is unknown; export all sheets to have it")
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
        findings.push(missing(name, file));
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
