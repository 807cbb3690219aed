//! The sheet `vInfo`: one row for each virtual machine, and the identifiers by which other sheets refer to it.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Architecture, Disk, Firmware, Nic, Power};
use carafe_model::units::{Gib, Mib};

use super::tally::Tally;
use crate::limits;
use crate::normalise;
use crate::number::{Number, NumberError};
use crate::raw::{At, RawHost};
use crate::table::{Row, Table, read_number};
use crate::text::{boolean, clip, known, one_line};

/// The virtual machines of a workbook.
pub(super) struct Machines {
    pub(super) list: Vec<Machine>,
    /// Full identifiers (vCenter and managed object, UUID) and the rows they mean; dropped rows mean none.
    by_id: BTreeMap<String, Option<usize>>,
    /// Identifiers that more than one machine may have.
    by_name: BTreeMap<String, Vec<Option<usize>>>,
    pub(super) tally: Tally,
}

/// A virtual machine with what the sheets say of its disks.
pub(super) struct Machine {
    pub(super) host: RawHost,
    pub(super) disks: Vec<KeyedDisk>,
    /// Space in use on each partition, and the key of the disk it lies on.
    pub(super) partitions: Vec<(Option<String>, Mib)>,
    pub(super) nics: Vec<Nic>,
    /// Disks by key and size, and interfaces by hardware address, to know the rows that repeat them.
    pub(super) seen: BTreeSet<(String, Option<Gib>)>,
    /// What `vInfo` says of all disks together.
    total: Option<At<Mib>>,
    provisioned: Option<At<Mib>>,
    in_use: Option<Mib>,
    primary: Nic,
}

/// A disk and its key within the machine.
pub(super) struct KeyedDisk {
    pub(super) key: Option<String>,
    pub(super) disk: Disk,
}

/// Who a row of another sheet is about.
pub(super) enum Owner {
    One(usize),
    /// A template or another row that was left out on purpose.
    Dropped,
    /// No row of `vInfo`.
    Nobody,
    /// Several rows of `vInfo`, told apart by nothing that this row gives; holds what they share.
    Several(String),
}

/// A cell as text; some exports fill cells with the literal `VM`, which says nothing.
pub(super) fn text(table: &Table, row: &Row, column: &str) -> Option<At<String>> {
    let (text, place) = table.cell(row, column)?;
    Some(At::new(said(column, text)?.to_owned(), place))
}

/// The same for those who need not tell its place.
pub(super) fn words<'t>(table: &'t Table, row: &Row, column: &str) -> Option<&'t str> {
    said(column, table.words(row, column)?)
}

fn said<'t>(column: &str, text: &'t str) -> Option<&'t str> {
    match column {
        // A machine may be called "none" or "VM".
        "VM" => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => known(text).filter(|text| *text != "VM"),
    }
}

/// A cell as a size in MiB.
pub(super) fn mib(table: &Table, row: &Row, column: &str, findings: &mut Vec<Finding>) -> Option<At<Mib>> {
    number(table, row, column, Number::mib, findings)
}

/// A cell as a count.
pub(super) fn count(table: &Table, row: &Row, column: &str, findings: &mut Vec<Finding>) -> Option<At<u64>> {
    number(table, row, column, Number::count, findings)
}

fn number<T>(
    table: &Table,
    row: &Row,
    column: &str,
    read: impl Fn(&Number) -> Result<T, NumberError>,
    findings: &mut Vec<Finding>,
) -> Option<At<T>> {
    let cell = table.number(row, column).filter(|cell| cell.text.trim() != "VM")?;
    read_number(cell, read, findings)
}

/// Reads `vInfo`, which merged exports have more than once; `None` when no table has a column with names.
pub(super) fn read(tables: &[Table], findings: &mut Vec<Finding>) -> Option<Machines> {
    let mut machines = Machines {
        list: Vec::new(),
        by_id: BTreeMap::new(),
        by_name: BTreeMap::new(),
        tally: Tally::default(),
    };
    let mut is_usable = false;
    for table in tables {
        for column in ["VM", "CPUs", "Memory"] {
            if !table.has(column) {
                findings.push(
                    Finding::error("INV-3005", format!("the sheet has no column {column}"))
                        .at(table.place.clone())
                        .help("it may have been renamed; RVTools writes it in the first row"),
                );
            }
        }
        if table.has("VM") {
            is_usable = true;
            machines.add_rows(table, findings);
        }
    }
    is_usable.then_some(machines)
}

/// Templates, placeholders of disaster recovery, and the agents vSphere runs for itself.
fn is_left_out(table: &Table, row: &Row) -> bool {
    let flag = |column| words(table, row, column).and_then(boolean) == Some(true);
    let is_agent = |name: &str| name.starts_with("vCLS-") || name.starts_with("vCLS (");
    flag("Template") || flag("SRM Placeholder") || words(table, row, "VM").is_some_and(is_agent)
}

/// The identifiers of a row: those that mean one machine, and those that several may share.
fn identifiers(table: &Table, row: &Row) -> (Vec<String>, Vec<String>) {
    let value = |column| words(table, row, column).map(str::to_lowercase);
    let (mut certain, mut shared) = (Vec::new(), Vec::new());
    if let Some(id) = value("VM ID") {
        match value("VI SDK UUID").or_else(|| value("VI SDK Server")) {
            Some(center) => certain.push(format!("id {center}/{id}")),
            None => shared.push(format!("id {id}")),
        }
    }
    certain.extend(value("VM UUID").map(|uuid| format!("uuid {uuid}")));
    shared.extend(value("VM").map(|name| format!("name {name}")));
    (certain, shared)
}

impl Machines {
    fn add_rows(&mut self, table: &Table, findings: &mut Vec<Finding>) {
        let custom: Vec<String> = table.others().map(clip).collect();
        if !custom.is_empty() {
            findings.push(
                Finding::info("INV-3010", format!("columns kept as labels: {}", custom.join(", ")))
                    .at(table.place.clone())
                    .help("rules of the policy can match on them"),
            );
        }
        for row in &table.rows {
            if is_left_out(table, row) {
                let name = text(table, row, "VM").map(|at| clip(&at.value)).unwrap_or_default();
                self.tally.dropped.push(name);
                self.index(table, row, None);
            } else {
                self.index(table, row, Some(self.list.len()));
                let machine = machine(table, row, self.list.len(), findings);
                self.list.push(machine);
            }
        }
    }

    fn index(&mut self, table: &Table, row: &Row, machine: Option<usize>) {
        let (certain, shared) = identifiers(table, row);
        for id in certain {
            // One object of one vCenter is one machine, in whatever row of a merged workbook it comes again.
            self.by_id.entry(id).or_insert(machine);
        }
        for id in shared {
            self.by_name.entry(id).or_default().push(machine);
        }
    }

    /// Finds the machine that a row of another sheet is about.
    pub(super) fn owner(&self, table: &Table, row: &Row) -> Owner {
        let (certain, shared) = identifiers(table, row);
        let by_id = certain.iter().find_map(|id| self.by_id.get(id));
        if let Some(found) = by_id {
            return found.map_or(Owner::Dropped, Owner::One);
        }
        for id in shared {
            match self.by_name.get(&id).map(Vec::as_slice) {
                None => {}
                Some([one]) => return one.map_or(Owner::Dropped, Owner::One),
                Some(_) => return Owner::Several(clip(&id)),
            }
        }
        Owner::Nobody
    }

    /// Gives every host its disks and interfaces, and tells what is told once.
    pub(super) fn finish(mut self, place: &Place, findings: &mut Vec<Finding>) -> Vec<RawHost> {
        let tally = &mut self.tally;
        let hosts = self.list.into_iter().map(|machine| machine.into_host(tally)).collect();
        self.tally.say(place, findings);
        hosts
    }
}

fn machine(table: &Table, row: &Row, index: usize, findings: &mut Vec<Finding>) -> Machine {
    let get = |column| text(table, row, column);
    let mut host = RawHost::new(index.to_string(), table.row_place(row));
    host.name = get("VM");
    let center = get("VI SDK UUID").or_else(|| get("VI SDK Server"));
    host.machine_id = match (center, get("VM ID")) {
        (Some(center), Some(id)) => Some(id.map(|id| format!("{}/{id}", center.value))),
        (None, Some(id)) => Some(id),
        (_, None) => get("VM UUID"),
    };
    host.identities = [get("SMBIOS UUID"), get("VM UUID")]
        .into_iter()
        .flatten()
        .filter_map(|uuid| normalise::identity(&uuid.value))
        .collect();
    host.vcpus = count(table, row, "CPUs", findings).and_then(|count| limits::vcpus(count, findings));
    host.memory = mib(table, row, "Memory", findings).and_then(|mib| limits::memory(mib, findings));
    let os =
        get("OS according to the VMware Tools").or_else(|| get("OS according to the configuration file"));
    if let Some(os) = &os {
        let words = os.value.to_lowercase();
        if words.contains("32-bit") {
            findings.push(
                Finding::warning("INV-3011", format!("a 32-bit system: {}", clip(&os.value)))
                    .at(os.place.clone())
                    .host(host.name.as_ref().map(|name| clip(&name.value)).unwrap_or_default())
                    .help("clouds have no images for it; plan a new system for this host"),
            );
        }
        let arm = words.contains("arm64") || words.contains("aarch64") || words.contains("(arm");
        let architecture = if arm { Architecture::Arm64 } else { Architecture::X86_64 };
        host.architecture = Some(At::new(architecture, os.place.clone()));
    }
    host.os = os.map(|at| at.map(|text| normalise::os(&text)));
    // ESXi itself runs on x86_64, bar a preview for Arm whose guests name it in their system.
    host.architecture =
        host.architecture.or_else(|| Some(At::new(Architecture::X86_64, table.row_place(row))));
    host.firmware = get("Firmware").and_then(|at| {
        let firmware = match at.value.to_ascii_lowercase().as_str() {
            "bios" => Firmware::Bios,
            "efi" | "uefi" => Firmware::Uefi,
            _ => return None,
        };
        Some(at.map(|_| firmware))
    });
    host.power = get("Powerstate").and_then(|at| {
        let power = match at.value.to_ascii_lowercase().as_str() {
            "poweredon" | "powered on" | "on" => Power::On,
            "poweredoff" | "powered off" | "off" => Power::Off,
            "suspended" => Power::Suspended,
            _ => return None,
        };
        Some(at.map(|_| power))
    });
    host.labels = labels(table, row);
    let mut primary = Nic { name: "primary".to_owned(), ..Nic::default() };
    primary.network = get("Network #1").map(|at| at.value);
    primary.addresses = get("Primary IP Address")
        .map(|at| at.value)
        .filter(|ip| normalise::is_address(ip))
        .into_iter()
        .collect();
    Machine {
        host,
        disks: Vec::new(),
        partitions: Vec::new(),
        nics: Vec::new(),
        seen: BTreeSet::new(),
        total: mib(table, row, "Total disk capacity MiB", findings),
        provisioned: mib(table, row, "Provisioned MiB", findings),
        in_use: mib(table, row, "In Use MiB", findings).map(|at| at.value),
        primary,
    }
}

fn labels(table: &Table, row: &Row) -> BTreeMap<String, At<String>> {
    const OWN: [(&str, &str); 8] = [
        ("Annotation", "annotation"),
        ("Cluster", "cluster"),
        ("Cluster rule name(s)", "cluster-rules"),
        ("DNS Name", "dns-name"),
        ("Datacenter", "datacenter"),
        ("Folder", "folder"),
        ("Resource pool", "resource-pool"),
        ("vApp", "vapp"),
    ];
    let own = OWN.iter().filter_map(|(column, label)| Some(((*label).to_owned(), text(table, row, column)?)));
    let mut labels: BTreeMap<String, At<String>> =
        own.map(|(label, at)| (label, at.map(|text| one_line(&text)))).collect();
    for (heading, cell, place) in table.other_cells(row) {
        if let Some(value) = known(cell).filter(|value| *value != "VM") {
            let label = one_line(&heading.to_lowercase());
            labels.entry(label).or_insert_with(|| At::new(one_line(value), place));
        }
    }
    labels
}

impl Machine {
    fn into_host(mut self, tally: &mut Tally) -> RawHost {
        let name = self.host.name.as_ref().map(|name| clip(&name.value)).unwrap_or_default();
        // RVTools lists disks in the order of the machine; sorting keeps it whatever the order of the rows.
        self.disks.sort_by_cached_key(|disk| natural(&disk.disk.name));
        if self.disks.is_empty() {
            let size = self.total.take().or_else(|| {
                tally.from_provisioned.extend(self.provisioned.is_some().then(|| name.clone()));
                self.provisioned.take()
            });
            if let Some(size) = size.filter(|size| size.value > Mib(0)) {
                let size_gib = Some(limits::gib(size.value)).filter(|size| *size <= limits::LARGEST_DISK);
                let disk = Disk { name: "all disks".to_owned(), size_gib, ..Disk::default() };
                self.disks.push(KeyedDisk { key: None, disk });
            }
        }
        self.set_used(&name, tally);
        if self.disks.iter().any(|disk| disk.disk.shared || disk.disk.raw) {
            tally.shared_or_raw.push(name);
        }
        let place = self.host.place.clone();
        let disks: Vec<Disk> = self.disks.into_iter().map(|disk| disk.disk).collect();
        self.host.disks = (!disks.is_empty()).then(|| At::new(disks, place.clone()));
        if self.nics.is_empty() && (self.primary.network.is_some() || !self.primary.addresses.is_empty()) {
            self.nics.push(self.primary);
        }
        self.nics.sort_by_cached_key(|nic| (natural(&nic.name), nic.mac.clone()));
        self.host.nics = (!self.nics.is_empty()).then(|| At::new(self.nics, place));
        self.host
    }

    /// Space in use: by the disk a partition says it lies on, or in all when there is but one disk.
    fn set_used(&mut self, name: &str, tally: &mut Tally) {
        let mut by_key: BTreeMap<&str, Mib> = BTreeMap::new();
        let mut all = Mib(0);
        for (key, used) in &self.partitions {
            all = Mib(all.0.saturating_add(used.0));
            let sum = by_key.entry(key.as_deref().unwrap_or_default()).or_default();
            *sum = Mib(sum.0.saturating_add(used.0));
        }
        let mut assigned = 0;
        if let [only] = self.disks.as_mut_slice() {
            let fits = |used: &Mib| only.disk.size_gib.is_none_or(|size| limits::gib(*used) <= size);
            let used = (!self.partitions.is_empty()).then_some(all).or(self.in_use.filter(fits));
            only.disk.used_gib = used.map(limits::gib);
            return;
        }
        for disk in &mut self.disks {
            if let Some(used) = disk.key.as_deref().and_then(|key| by_key.get(key)) {
                disk.disk.used_gib = Some(limits::gib(*used));
                assigned += 1;
            }
        }
        if assigned < by_key.len() {
            tally.unassigned_partitions.push(name.to_owned());
        }
    }
}

/// A name whose last number counts as a number: `Hard disk 10` comes after `Hard disk 2`.
fn natural(name: &str) -> (String, u64) {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (text, number) = name.split_at(name.len() - digits);
    (text.to_lowercase(), number.parse().unwrap_or(u64::MAX))
}
