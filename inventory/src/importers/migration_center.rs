//! The tables of Google Migration Center (formerly StratoZone): vmInfo, and beside it diskInfo, perfInfo and tagInfo.
//!
//! The collectors that write them leave traces that are no measurements: a row of zeros where there was no metric, and
//! free memory of zero where memory was not measured at all. Codes: `INV-4xxx`.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Disk, Os};
use carafe_model::units::{Gib, Mib, Quantity};

use crate::delimited::{Delimited, kept_as_labels};
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::normalise;
use crate::number::{self, DecimalSign};
use crate::raw::{At, RawEstate, RawHost};
use crate::series::{self, Measured};
use crate::table::{ColumnNames, Row, Table};
use crate::text::{clip, counted, known, one_line};

const VM_INFO: &[ColumnNames] = &[
    ("MachineId", &["machineid"]),
    ("MachineName", &["machinename"]),
    ("PrimaryIPAddress", &["primaryipaddress"]),
    ("PrimaryMACAddress", &["primarymacaddress"]),
    ("PublicIPAddress", &["publicipaddress"]),
    ("IpAddressList", &["ipaddresslistsemicolondelimited"]),
    ("TotalDiskAllocatedGiB", &["totaldiskallocatedgib"]),
    ("TotalDiskUsedGiB", &["totaldiskusedgib"]),
    ("Cores", &["allocatedprocessorcorecount"]),
    ("MemoryGiB", &["memorygib"]),
    ("OsName", &["osname"]),
    ("OsType", &["ostype"]),
    ("OsVersion", &["osversion"]),
    ("MachineStatus", &["machinestatus"]),
    ("Source", &["source"]),
];

const DISK_INFO: &[ColumnNames] = &[
    ("MachineId", &["machineid"]),
    ("DiskLabel", &["disklabel"]),
    ("SizeInGib", &["sizeingib"]),
    ("UsedInGib", &["usedingib"]),
    ("StorageTypeLabel", &["storagetypelabel"]),
];

const TAG_INFO: &[ColumnNames] = &[("MachineId", &["machineid"]), ("Key", &["key"]), ("Value", &["value"])];

/// Which of the tables a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Machines,
    Disks,
    Use,
    Tags,
}

fn kind(has: impl Fn(&[&str]) -> bool) -> Option<Kind> {
    if has(&["machineid", "machinename"]) && has(&["allocatedprocessorcorecount"]) {
        Some(Kind::Machines)
    } else if has(&["machineid", "sizeingib"]) {
        Some(Kind::Disks)
    } else if has(&["machineid", "timestamp"]) {
        Some(Kind::Use)
    } else if has(&["machineid", "key", "value"]) {
        Some(Kind::Tags)
    } else {
        None
    }
}

/// Whether the headings are those of one of the tables.
pub fn sniff(glance: &Glance<'_>) -> bool {
    kind(|keys| glance.is_table_with(keys)).is_some()
}

/// Reads the tables of one export; `None` without a vmInfo among them.
pub fn read(files: &[InputFile<'_>], _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let mut machines = Machines::default();
    let mut others = Vec::new();
    for file in files {
        let open = Delimited::open(file, findings);
        match kind(|keys| keys.iter().all(|key| open.column(&[*key]).is_some())) {
            Some(Kind::Machines) => machines.read(&open, findings),
            Some(kind) => others.push((kind, open)),
            None => findings.push(
                Finding::error("INV-4001", "none of the tables vmInfo, diskInfo, perfInfo and tagInfo")
                    .at(Place::file(file.name))
                    .help("keep the headings of the template"),
            ),
        }
    }
    if machines.list.is_empty() {
        findings.push(
            Finding::error("INV-4002", "no table vmInfo with machines")
                .at(Place::file(files[0].name))
                .help("import it together with the other tables, which name machines by their id alone"),
        );
        return None;
    }
    for (kind, open) in &others {
        match kind {
            Kind::Disks => machines.disks(open, findings),
            Kind::Use => machines.measurements(open, findings),
            Kind::Tags => machines.tags(open, findings),
            Kind::Machines => {}
        }
    }
    Some(RawEstate { hosts: machines.finish(), ..RawEstate::default() })
}

#[derive(Default)]
struct Machines {
    list: Vec<Machine>,
    by_id: BTreeMap<String, usize>,
}

struct Machine {
    host: RawHost,
    disks: Vec<Disk>,
    total: Option<Gib>,
    used: Option<Gib>,
    /// Written by the collector for AWS, whose network and disk figures are no rates.
    from_aws: bool,
    measured: Measured,
}

impl Machines {
    fn read(&mut self, open: &Delimited<'_>, findings: &mut Vec<Finding>) {
        let table = open.table(VM_INFO, |_| true, findings);
        kept_as_labels(&table, |_| true, findings);
        for row in &table.rows {
            let Some(id) = table.text(row, "MachineId") else {
                findings.push(
                    Finding::error("INV-1007", "a machine has no id; it was left out")
                        .at(table.row_place(row).column("MachineId"))
                        .help("give every row of vmInfo an id; the other tables refer to it"),
                );
                continue;
            };
            self.by_id.entry(id.value.to_lowercase()).or_insert(self.list.len());
            self.list.push(machine(&table, row, id, findings));
        }
    }

    /// Tells of rows that name no machine, once for a table.
    fn say_strangers(open: &Delimited<'_>, strangers: &[(u32, String)], findings: &mut Vec<Finding>) {
        if let Some((line, id)) = strangers.first() {
            let rows = counted(strangers.len(), "row");
            findings.push(
                Finding::warning(
                    "INV-4003",
                    format!("no such machine in vmInfo: {rows}, the first \"{id}\""),
                )
                .at(open.place.clone().row(*line).column("MachineId"))
                .help("left out; export all tables in one go"),
            );
        }
    }

    fn disks(&mut self, open: &Delimited<'_>, findings: &mut Vec<Finding>) {
        let table = open.table(DISK_INFO, |_| false, findings);
        let mut strangers = Vec::new();
        for row in &table.rows {
            let id = table.text(row, "MachineId").map(|at| at.value).unwrap_or_default();
            let Some(index) = self.by_id.get(&id.to_lowercase()) else {
                strangers.push((row.number, clip(&id)));
                continue;
            };
            let machine = &mut self.list[*index];
            let size = table
                .size(row, "SizeInGib", "gib", findings)
                .and_then(|at| limits::disk(At::new(limits::gib(at.value), at.place), findings));
            let used = table.size(row, "UsedInGib", "gib", findings).map(|at| limits::gib(at.value));
            let name = table.text(row, "DiskLabel").map(|at| at.value);
            machine.disks.push(Disk {
                name: name.unwrap_or_else(|| format!("disk {}", machine.disks.len() + 1)),
                size_gib: size,
                used_gib: used,
                media: table.text(row, "StorageTypeLabel").and_then(|at| media(&at.value)),
                ..Disk::default()
            });
        }
        Machines::say_strangers(open, &strangers, findings);
    }

    fn tags(&mut self, open: &Delimited<'_>, findings: &mut Vec<Finding>) {
        let table = open.table(TAG_INFO, |_| false, findings);
        let mut strangers = Vec::new();
        for row in &table.rows {
            let id = table.text(row, "MachineId").map(|at| at.value).unwrap_or_default();
            let Some(index) = self.by_id.get(&id.to_lowercase()) else {
                strangers.push((row.number, clip(&id)));
                continue;
            };
            if let (Some(key), Some(value)) = (table.text(row, "Key"), table.text(row, "Value")) {
                let labels = &mut self.list[*index].host.labels;
                labels.insert(one_line(&key.value), value.map(|text| one_line(&text)));
            }
        }
        Machines::say_strangers(open, &strangers, findings);
    }

    fn measurements(&mut self, open: &Delimited<'_>, findings: &mut Vec<Finding>) {
        let columns = UseColumns::of(open);
        let sign = open.sign();
        let mut told = UseTally::default();
        // A machine whose free memory is zero in every row has none measured.
        let mut has_free = vec![false; self.list.len()];
        let mut free = |line, record: &csv::StringRecord, _: &mut Vec<Finding>| {
            let Some(index) = self.by_id.get(&columns.id(record)) else {
                told.strangers.push((line, clip(&columns.id(record))));
                return;
            };
            has_free[*index] |=
                columns.number(record, columns.available, sign).is_some_and(|free| free.0 > 0);
        };
        let mut torn = Vec::new();
        open.each_row(&mut torn, |line, record| free(line, record, &mut Vec::new()));
        findings.append(&mut torn);
        Machines::say_strangers(open, &told.strangers, findings);
        let list = &mut self.list;
        let by_id = &self.by_id;
        open.each_row(&mut Vec::new(), |line, record| {
            if let Some(index) = by_id.get(&columns.id(record)) {
                columns.add(record, sign, line, has_free[*index], &mut list[*index], &mut told);
            }
        });
        told.say(open, findings);
    }

    fn finish(self) -> Vec<RawHost> {
        self.list
            .into_iter()
            .map(|machine| {
                let Machine { mut host, mut disks, total, used, measured, .. } = machine;
                if disks.is_empty() && total.is_some() {
                    disks.push(Disk { name: "all disks".to_owned(), size_gib: total, ..Disk::default() });
                }
                if let [only] = disks.as_mut_slice() {
                    let fits = |used: &Gib| only.size_gib.is_none_or(|size| *used <= size);
                    only.used_gib = only.used_gib.or(used.filter(fits));
                }
                let place = host.place.clone();
                host.disks = (!disks.is_empty()).then(|| At::new(disks, place.clone()));
                host.usage = measured.usage().map(|usage| At::new(usage, place));
                host
            })
            .collect()
    }
}

fn machine(table: &Table, row: &Row, id: At<String>, findings: &mut Vec<Finding>) -> Machine {
    let get = |column| table.text(row, column);
    let mut host = RawHost::new(id.value.clone(), table.row_place(row));
    host.name = get("MachineName").or_else(|| Some(id.clone()));
    host.identities = normalise::identity(&id.value).into_iter().collect();
    host.machine_id = Some(id);
    host.vcpus = table.count(row, "Cores", findings).and_then(|count| limits::vcpus(count, findings));
    let memory = table.size(row, "MemoryGiB", "gib", findings);
    host.memory = memory.and_then(|size| limits::memory(size, findings));
    host.os = get("OsName").or_else(|| get("OsType")).map(|at| {
        at.map(|name| {
            let version = get("OsVersion").map(|version| version.value);
            let os = normalise::os(&name);
            Os { version: version.or(os.version), ..os }
        })
    });
    host.power =
        get("MachineStatus").and_then(|at| normalise::power(&at.value).map(|power| at.map(|_| power)));
    let addresses: Vec<String> =
        [get("PrimaryIPAddress"), get("IpAddressList")].into_iter().flatten().map(|at| at.value).collect();
    let macs = get("PrimaryMACAddress").map(|at| at.value).unwrap_or_default();
    let nics = normalise::nics(&addresses.join(";"), &macs);
    host.nics = (!nics.is_empty()).then(|| At::new(nics, table.row_place(row)));
    host.public_address = get("PublicIPAddress")
        .filter(|at| at.value.split([',', ';']).any(|ip| normalise::is_address(ip.trim())))
        .map(|at| at.map(|_| true));
    host.labels = table.labels(row, |_| true);
    let total = table.size(row, "TotalDiskAllocatedGiB", "gib", findings);
    let total = total.and_then(|at| limits::disk(At::new(limits::gib(at.value), at.place), findings));
    let used = table.size(row, "TotalDiskUsedGiB", "gib", findings).map(|at| limits::gib(at.value));
    let from_aws = get("Source").is_some_and(|at| at.value.eq_ignore_ascii_case("aws"));
    Machine { host, disks: Vec::new(), total, used, from_aws, measured: Measured::default() }
}

/// What a cloud calls a kind of disk says what it is made of.
fn media(label: &str) -> Option<carafe_model::host::Media> {
    use carafe_model::host::Media::{Hdd, Ssd};
    let label = label.to_ascii_lowercase();
    match label.as_str() {
        "gp2" | "gp3" | "io1" | "io2" => Some(Ssd),
        "st1" | "sc1" | "standard" | "standard_lrs" => Some(Hdd),
        _ if label.contains("ssd") || label.starts_with("premium") => Some(Ssd),
        _ if label.contains("hdd") => Some(Hdd),
        _ => normalise::media(&label),
    }
}

/// Where the columns of perfInfo stand.
struct UseColumns {
    id: Option<usize>,
    time: Option<usize>,
    cpu: Option<usize>,
    available: Option<usize>,
    utilized: Option<usize>,
    memory_percent: Option<usize>,
    disk: [Option<usize>; 2],
    sent: Option<usize>,
    received: Option<usize>,
}

/// What is told once for a table of measurements.
#[derive(Default)]
struct UseTally {
    strangers: Vec<(u32, String)>,
    zeros: usize,
    first_zero: Option<u32>,
    bad_times: usize,
    first_bad_time: Option<(u32, String)>,
    memory_unmeasured: bool,
    network_untrusted: bool,
    without_zone: bool,
}

impl UseColumns {
    fn of(open: &Delimited<'_>) -> UseColumns {
        let at = |key: &str| open.column(&[key]);
        UseColumns {
            id: at("machineid"),
            time: at("timestamp"),
            cpu: at("cpuutilizationpercentage"),
            available: at("availablememorybytes"),
            utilized: at("utilizedmemorybytes"),
            memory_percent: at("memoryutilizationpercentage"),
            disk: [at("diskreadoperationspersec"), at("diskwriteoperationspersec")],
            sent: at("networkbytespersecsent"),
            received: at("networkbytespersecreceived"),
        }
    }

    fn id(&self, record: &csv::StringRecord) -> String {
        self.id.and_then(|at| record.get(at)).unwrap_or_default().trim().to_lowercase()
    }

    /// A cell as a number; missing, unreadable and negative ones are unknown.
    fn number(
        &self,
        record: &csv::StringRecord,
        column: Option<usize>,
        sign: Option<DecimalSign>,
    ) -> Option<Quantity> {
        let text = known(record.get(column?)?)?;
        // Bytes of memory may be beyond what a quantity holds in millionths only above eight terabytes.
        number::parse(text, sign).ok().map(|number| number.value).filter(|value| value.0 >= 0)
    }

    fn add(
        &self,
        record: &csv::StringRecord,
        sign: Option<DecimalSign>,
        line: u32,
        has_free: bool,
        machine: &mut Machine,
        told: &mut UseTally,
    ) {
        let text = self.time.and_then(|at| record.get(at)).unwrap_or_default();
        let Some(seconds) = series::time(text) else {
            told.bad_times += 1;
            told.first_bad_time.get_or_insert_with(|| (line, clip(text)));
            return;
        };
        told.without_zone |= !text.trim_end().ends_with(['Z', 'z']) && !text.contains('+');
        let read = |column| self.number(record, column, sign);
        let figures =
            [self.cpu, self.available, self.utilized, self.memory_percent, self.sent, self.received];
        let mut said = figures.into_iter().chain(self.disk).filter_map(read).peekable();
        if said.peek().is_some() && said.all(|value| value.0 == 0) {
            told.zeros += 1;
            told.first_zero.get_or_insert(line);
            return;
        }
        if let Some(percent) = read(self.cpu) {
            machine.measured.cpu_percent.add(seconds, percent);
        }
        let mib = |bytes: Quantity| Quantity(bytes.0 >> 20);
        let total = machine.host.memory.as_ref().map(|at| at.value);
        let used = if let Some(used) = read(self.utilized) {
            Some(mib(used))
        } else if let (Some(percent), Some(Mib(total))) = (read(self.memory_percent), total) {
            i64::try_from(i128::from(percent.0) * i128::from(total) / 100).ok().map(Quantity)
        } else if let (Some(free), Some(Mib(total))) = (read(self.available), total) {
            told.memory_unmeasured |= !has_free;
            let total = i64::try_from(total).ok().and_then(Quantity::from_units);
            total.filter(|_| has_free).map(|total| Quantity((total.0 - mib(free).0).max(0)))
        } else {
            None
        };
        if let Some(used) = used {
            machine.measured.memory_mib.add(seconds, used);
        }
        let network = read(self.sent).into_iter().chain(read(self.received)).max();
        if let Some(bytes) = network {
            if machine.from_aws {
                told.network_untrusted = true;
            } else {
                machine.measured.network_mbps.add(seconds, Quantity(bytes.0 / 125_000));
            }
        }
    }
}

impl UseTally {
    fn say(self, open: &Delimited<'_>, findings: &mut Vec<Finding>) {
        let at = |line: Option<u32>| match line {
            Some(line) => open.place.clone().row(line),
            None => open.place.clone(),
        };
        if self.zeros > 0 {
            let rows = counted(self.zeros, "row");
            findings.push(
                Finding::warning("INV-4004", format!("every figure is zero in {rows}, the first here"))
                    .at(at(self.first_zero))
                    .help("collectors write zeros where there was no metric; the rows count as not measured"),
            );
        }
        if let Some((line, text)) = self.first_bad_time {
            let rows = counted(self.bad_times, "row");
            findings.push(
                Finding::error("INV-4005", format!("no time in {rows}, the first \"{text}\""))
                    .at(at(Some(line)).column("TimeStamp"))
                    .help("left out; write times as 2026-03-01T14:30:00Z"),
            );
        }
        if self.memory_unmeasured {
            findings.push(
                Finding::warning("INV-4006", "free memory is zero in every row of some machines")
                    .at(at(None).column("AvailableMemoryBytes"))
                    .help("the collector did not measure it; their use of memory counts as unknown"),
            );
        }
        if self.network_untrusted {
            findings.push(
                Finding::warning("INV-4007", "network figures of machines collected from AWS are no rates")
                    .at(at(None).column("NetworkBytesPerSecSent"))
                    .help("their collector leaves out the division by seconds; they count as unknown"),
            );
        }
        if self.without_zone {
            findings.push(
                Finding::info("INV-4008", "times name no zone and were taken as UTC")
                    .at(at(None).column("TimeStamp"))
                    .help("only the order of measurements matters for percentiles; nothing needs to be done"),
            );
        }
    }
}
