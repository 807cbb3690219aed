//! The import template of Azure Migrate (CSV): one server in each row, its disks in numbered columns.
//!
//! The template says MB and GB and means MiB and GiB, as Azure reads them. Its figures of use have no period, so that they
//! stay labels and are no measured use. Codes: `INV-4xxx`.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;
use carafe_model::host::{Architecture, Disk, Nic};

use crate::delimited::{Delimited, kept_as_labels};
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::table::{ColumnNames, Row, Table, read_size};
use crate::text::clip;

const COLUMNS: &[ColumnNames] = &[
    ("Server name", &["servername"]),
    ("IP addresses", &["ipaddresses", "ipaddress"]),
    ("Cores", &["cores", "numberofcores"]),
    ("Memory", &["memory"]),
    ("OS name", &["osname"]),
    ("OS version", &["osversion"]),
    ("OS architecture", &["osarchitecture"]),
    ("Number of disks", &["numberofdisks"]),
    ("Storage in use", &["storageinuse"]),
    ("Boot type", &["boottype", "firmwaretype"]),
    ("MAC address", &["macaddress", "macaddresses"]),
    ("BIOS ID", &["biosid"]),
    ("Virtual machine ID", &["virtualmachineid"]),
    ("Business application name", &["businessapplicationname"]),
];

/// Whether the headings are those of the template.
pub fn sniff(glance: &Glance<'_>) -> bool {
    let has = |cores| glance.is_table_with(&["servername", cores, "memory", "osname"]);
    has("cores") || has("numberofcores")
}

/// Reads a template. A name that comes again replaces the row before, as in Azure.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let table = Delimited::open(file, findings).table(COLUMNS, |_| true, findings);
    // The largest template has twenty disks.
    let disks: Vec<(usize, usize)> = (1..=64)
        .filter_map(|number| {
            let key = format!("disk{number}size");
            let (at, _) = table.other_columns().find(|(_, heading)| heading.key == key)?;
            Some((number, at))
        })
        .collect();
    kept_as_labels(&table, |key| !is_disk_size(key), findings);
    let mut hosts: BTreeMap<String, RawHost> = BTreeMap::new();
    for row in &table.rows {
        let host = host(&table, row, &disks, findings);
        if let Some(before) = hosts.get(&host.key).filter(|_| !host.key.is_empty()) {
            findings.push(
                Finding::warning("INV-1102", "the server is listed twice; the last row counts")
                    .at(host.place.clone())
                    .host(clip(&host.key))
                    .help(format!("the row before is at {}", before.place)),
            );
        }
        let key = if host.key.is_empty() { format!("row {}", row.number) } else { host.key.clone() };
        hosts.insert(key, host);
    }
    let mut estate = RawEstate { hosts: hosts.into_values().collect(), ..RawEstate::default() };
    estate.name_apps();
    Some(estate)
}

fn host(table: &Table, row: &Row, disks: &[(usize, usize)], findings: &mut Vec<Finding>) -> RawHost {
    let get = |column| table.text(row, column);
    let name = get("Server name");
    let key = name.as_ref().map(|name| name.value.to_lowercase()).unwrap_or_default();
    let mut host = RawHost::new(key, table.row_place(row));
    host.name = name;
    host.identities = [get("BIOS ID"), get("Virtual machine ID")]
        .into_iter()
        .flatten()
        .filter_map(|id| normalise::identity(&id.value))
        .collect();
    host.vcpus = table.count(row, "Cores", findings).and_then(|count| limits::vcpus(count, findings));
    host.memory = table.mib(row, "Memory", findings).and_then(|size| limits::memory(size, findings));
    host.os = get("OS name").map(|at| at.map(|name| normalise::os(&name)));
    if let (Some(os), Some(version)) = (&mut host.os, get("OS version")) {
        os.value.version = Some(version.value);
    }
    host.architecture = architecture(table, row, findings);
    host.firmware = get("Boot type").and_then(|at| {
        let firmware = normalise::firmware(&at.value)?;
        Some(at.map(|_| firmware))
    });
    host.disks = read_disks(table, row, disks, findings);
    host.nics = nics(table, row);
    host.app = get("Business application name").map(|at| at.map(|name| name.into()));
    host.labels = table.labels(row, |key| !is_disk_size(key));
    host
}

fn is_disk_size(key: &str) -> bool {
    key.strip_prefix("disk")
        .and_then(|rest| rest.strip_suffix("size"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The column of its own, or what stands behind the name of the system.
fn architecture(table: &Table, row: &Row, findings: &mut Vec<Finding>) -> Option<At<Architecture>> {
    let own = table.text(row, "OS architecture");
    let of_os = || table.text(row, "OS name").filter(|os| os.value.to_lowercase().contains("-bit"));
    let said = own.or_else(of_os)?;
    let words = said.value.to_lowercase();
    let found = if words.contains("64-bit") || words == "64" {
        Architecture::X86_64
    } else if words.contains("32-bit") || words == "32" || words == "x86" {
        findings.push(
            Finding::warning("INV-3011", format!("a 32-bit system: {}", clip(&said.value)))
                .at(said.place.clone())
                .help("clouds have no images for it; plan a new system for this host"),
        );
        Architecture::Other
    } else {
        normalise::architecture(&words)
    };
    Some(said.map(|_| found))
}

/// The disks with a size; without any, as many of unknown size as the row counts.
fn read_disks(
    table: &Table,
    row: &Row,
    columns: &[(usize, usize)],
    findings: &mut Vec<Finding>,
) -> Option<At<Vec<Disk>>> {
    let mut disks = Vec::new();
    for (number, column) in columns {
        let Some(size) = table.number_at(row, *column).and_then(|cell| read_size(cell, "gb", findings))
        else {
            continue;
        };
        let size = At::new(limits::gib(size.value), size.place);
        if let Some(size) = limits::disk(size, findings) {
            disks.push(Disk { name: format!("disk {number}"), size_gib: Some(size), ..Disk::default() });
        }
    }
    if disks.is_empty() {
        const MOST: u64 = 64;
        let count = table.count(row, "Number of disks", findings).map_or(0, |at| at.value.min(MOST));
        disks =
            (1..=count).map(|number| Disk { name: format!("disk {number}"), ..Disk::default() }).collect();
    }
    if let ([only], Some(used)) = (disks.as_mut_slice(), table.size(row, "Storage in use", "gb", findings)) {
        only.used_gib =
            Some(limits::gib(used.value)).filter(|used| only.size_gib.is_none_or(|size| *used <= size));
    }
    (!disks.is_empty()).then(|| At::new(disks, table.row_place(row)))
}

/// One interface with all addresses: the template does not say which belongs to which.
fn nics(table: &Table, row: &Row) -> Option<At<Vec<Nic>>> {
    let addresses = table.text(row, "IP addresses");
    let macs = table.text(row, "MAC address");
    let place = addresses.as_ref().or(macs.as_ref())?.place.clone();
    let list = normalise::nics(
        addresses.as_ref().map(|at| at.value.as_str()).unwrap_or_default(),
        macs.as_ref().map(|at| at.value.as_str()).unwrap_or_default(),
    );
    (!list.is_empty()).then(|| At::new(list, place))
}
