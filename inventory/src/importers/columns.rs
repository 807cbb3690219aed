//! Any table with one machine in each row: by the usual names of its columns, or by a map of columns to fields.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Place, nearest};
use carafe_model::host::{Disk, Gpu};
use carafe_model::units::Gib;

use crate::delimited::{Delimited, kept_as_labels};
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::table::{ColumnNames, Row, Table};
use crate::text::{boolean, clip};

/// The fields of a host that a column can hold, and the headings that are understood without a map.
pub const FIELDS: &[ColumnNames] = &[
    (
        "name",
        &[
            "name",
            "hostname",
            "host",
            "server",
            "servername",
            "vm",
            "vmname",
            "machine",
            "machinename",
            "fqdn",
        ],
    ),
    ("id", &["id", "uuid", "machineid", "serverid", "vmid", "instanceid", "serialnumber", "serial"]),
    ("app", &["app", "application", "applicationname", "appname", "service"]),
    ("vcpus", &["vcpus", "vcpu", "cpus", "cpu", "cores", "cpucores", "cpucount", "numcpu", "threads"]),
    ("cpu_model", &["cpumodel", "processor", "processormodel"]),
    ("memory", &["memory", "ram", "mem", "memorymb", "memorymib", "memorygb", "memorygib", "rammb", "ramgb"]),
    (
        "disk",
        &["disk", "storage", "disksize", "totaldisk", "diskgb", "diskgib", "storagegb", "provisioneddisk"],
    ),
    ("disk_used", &["diskused", "storageused", "useddisk", "diskusedgb", "usedstorage"]),
    ("os", &["os", "osname", "operatingsystem", "guestos", "platform"]),
    ("os_version", &["osversion", "operatingsystemversion"]),
    ("architecture", &["architecture", "arch", "osarchitecture"]),
    ("firmware", &["firmware", "boottype", "bootmode"]),
    ("power", &["power", "powerstate", "state", "status"]),
    ("ip", &["ip", "ips", "ipaddress", "ipaddresses", "primaryip", "privateip", "address"]),
    ("mac", &["mac", "macaddress", "macaddresses"]),
    ("network", &["network", "vlan", "subnet", "portgroup"]),
    ("gpus", &["gpus", "gpu", "gpucount"]),
    ("public_address", &["publicaddress", "public", "internetfacing"]),
    ("stays_because", &["staysbecause", "reasontostay"]),
];

/// What the columns of a table mean: for each field of [`FIELDS`] the heading of its column.
#[derive(Clone, Debug, Default)]
pub struct ColumnMap {
    columns: Vec<(&'static str, String)>,
}

impl ColumnMap {
    /// Reads a map out of TOML: one line for each field, such as `memory = "RAM (GB)"`.
    ///
    /// # Errors
    /// `INV-1014` when it is no such TOML, `INV-4010` for every field that there is not.
    pub fn read(file: &str, text: &str) -> Result<ColumnMap, Vec<Finding>> {
        match toml::from_str::<BTreeMap<String, String>>(text) {
            Ok(fields) => ColumnMap::new(&fields, &Place::file(file)),
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let row = before.matches('\n').count() + 1;
                let what = format!("the column map cannot be read: {}", clip(error.message()));
                let place = Place::file(file).row(u32::try_from(row).unwrap_or(u32::MAX));
                let help = "write one line for each field, such as: memory = \"RAM (GB)\"";
                Err(vec![Finding::error("INV-1014", what).at(place).help(help)])
            }
        }
    }

    /// A map of fields to headings; `place` is the file it stands in.
    ///
    /// # Errors
    /// `INV-4010` for every field that there is not.
    pub fn new(fields: &BTreeMap<String, String>, place: &Place) -> Result<ColumnMap, Vec<Finding>> {
        let mut map = ColumnMap::default();
        let mut wrong = Vec::new();
        for (field, heading) in fields {
            match FIELDS.iter().find(|(name, _)| name == field) {
                Some((name, _)) => map.columns.push((name, heading.clone())),
                None => {
                    let names = || FIELDS.iter().map(|(name, _)| *name);
                    let help = match nearest(field, names()) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => format!("the fields are {}", names().collect::<Vec<_>>().join(", ")),
                    };
                    let what = format!("a host has no field \"{}\"", clip(field));
                    wrong.push(Finding::error("INV-4010", what).at(place.clone().at(clip(field))).help(help));
                }
            }
        }
        if wrong.is_empty() { Ok(map) } else { Err(wrong) }
    }
}

fn keys(field: &str) -> &'static [&'static str] {
    FIELDS.iter().find(|(name, _)| *name == field).map_or(&[], |(_, keys)| keys)
}

/// Whether there are columns for a name and for processors or memory. A table that calls its rows otherwise needs to be
/// named as this format.
pub fn sniff(glance: &Glance<'_>) -> bool {
    let has = |field: &str| keys(field).iter().any(|key| glance.is_table_with(&[key]));
    has("name") && (has("vcpus") || has("memory"))
}

/// Reads a table; `None` when no column holds names.
pub fn read(file: &InputFile<'_>, with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let open = Delimited::open(file, findings);
    let mut table = match with.columns {
        Some(_) => open.table(&[], |_| true, findings),
        None => open.table(FIELDS, |_| true, findings),
    };
    for (field, heading) in with.columns.iter().flat_map(|map| &map.columns) {
        if !table.name_column(heading, field) {
            findings.push(
                Finding::error("INV-4011", format!("there is no column \"{}\"", clip(heading)))
                    .at(table.place.clone().row(1))
                    .help(format!("the map gives it for \"{field}\"; the columns are {}", headings(&open))),
            );
        }
    }
    if !table.has("name") {
        findings.push(
            Finding::error("INV-4012", "no column holds the names of the machines")
                .at(table.place.clone().row(1))
                .help(format!("say with a column map which one does; the columns are {}", headings(&open))),
        );
        return None;
    }
    kept_as_labels(&table, |_| true, findings);
    let hosts = table.rows.iter().map(|row| host(&table, row, findings)).collect();
    let mut estate = RawEstate { hosts, ..RawEstate::default() };
    estate.name_apps();
    Some(estate)
}

fn headings(open: &Delimited<'_>) -> String {
    const MOST: usize = 40;
    open.headings.iter().take(MOST).map(|heading| clip(heading)).collect::<Vec<_>>().join(", ")
}

/// The unit of a column whose heading names none in parentheses but ends with one: `memory_gb`.
fn unit(table: &Table, field: &str, without: &'static str) -> &'static str {
    let heading = table.heading(field).unwrap_or_default().to_lowercase();
    let ends = |units: &[&str]| units.iter().any(|unit| heading.trim_end().ends_with(unit));
    if ends(&["gb", "gib"]) {
        "gib"
    } else if ends(&["mb", "mib"]) {
        "mib"
    } else if ends(&["tb", "tib"]) {
        "tib"
    } else {
        without
    }
}

fn host(table: &Table, row: &Row, findings: &mut Vec<Finding>) -> RawHost {
    let get = |column| table.text(row, column);
    let mut host = RawHost::new(format!("row {}", row.number), table.row_place(row));
    host.name = get("name");
    host.machine_id = get("id");
    host.identities = host.machine_id.iter().filter_map(|id| normalise::identity(&id.value)).collect();
    host.app = get("app").map(|at| at.map(|name| name.into()));
    host.vcpus = table.count(row, "vcpus", findings).and_then(|count| limits::vcpus(count, findings));
    host.cpu_model = get("cpu_model");
    let memory = table.size(row, "memory", unit(table, "memory", "mib"), findings);
    host.memory = memory.and_then(|size| limits::memory(size, findings));
    host.os = get("os").map(|at| at.map(|name| normalise::os(&name)));
    if let (Some(os), Some(version)) = (&mut host.os, get("os_version")) {
        os.value.version = Some(version.value);
    }
    host.architecture = get("architecture").map(|at| at.map(|text| normalise::architecture(&text)));
    host.firmware = get("firmware").and_then(|at| normalise::firmware(&at.value).map(|it| at.map(|_| it)));
    host.power = get("power").and_then(|at| normalise::power(&at.value).map(|it| at.map(|_| it)));
    host.gpu = table
        .count(row, "gpus", findings)
        .filter(|at| at.value > 0)
        .map(|at| at.map(|count| Gpu { count: u32::try_from(count).unwrap_or(u32::MAX), model: None }));
    host.public_address = get("public_address").and_then(|at| boolean(&at.value).map(|it| at.map(|_| it)));
    host.stays_because = get("stays_because");
    let size = table.size(row, "disk", unit(table, "disk", "gib"), findings);
    let used = table.size(row, "disk_used", unit(table, "disk_used", "gib"), findings);
    host.disks = size.and_then(|at| {
        let at = at.map(limits::gib);
        let place = at.place.clone();
        let size = limits::disk(at, findings)?;
        let used_gib = used.map(|used| limits::gib(used.value)).filter(|used: &Gib| *used <= size);
        let disk = Disk { name: "all disks".to_owned(), size_gib: Some(size), used_gib, ..Disk::default() };
        Some(At::new(vec![disk], place))
    });
    let mut nics = normalise::nics(
        &get("ip").map(|at| at.value).unwrap_or_default(),
        &get("mac").map(|at| at.value).unwrap_or_default(),
    );
    if let (Some(first), Some(network)) = (nics.first_mut(), get("network")) {
        first.network = Some(network.value);
    }
    host.nics = (!nics.is_empty()).then(|| At::new(nics, table.row_place(row)));
    host.labels = table.labels(row, |_| true);
    host
}
