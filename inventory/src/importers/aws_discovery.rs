//! The import template of AWS Migration Hub and Application Discovery Service (CSV).
//!
//! It knows averages and maxima but no percentiles and no sizes of disks; the figures of use stay labels. What it calls MB
//! and KB is read as MiB and KiB. Codes: `INV-4xxx`.

use carafe_model::finding::Finding;
use carafe_model::units::Mib;

use crate::delimited::{Delimited, kept_as_labels};
use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::table::{ColumnNames, Row, Table};
use crate::text::{clip, one_line};

const COLUMNS: &[ColumnNames] = &[
    ("ExternalId", &["externalid"]),
    ("SMBiosId", &["smbiosid"]),
    ("IPAddress", &["ipaddress"]),
    ("MACAddress", &["macaddress"]),
    ("HostName", &["hostname"]),
    ("VMware.MoRefId", &["vmware.morefid"]),
    ("VMware.VCenterId", &["vmware.vcenterid"]),
    ("VMware.VMName", &["vmware.vmname"]),
    ("Processors", &["cpu.numberofprocessors"]),
    ("Cores", &["cpu.numberofcores"]),
    ("LogicalCores", &["cpu.numberoflogicalcores"]),
    ("OS.Name", &["os.name"]),
    ("OS.Version", &["os.version"]),
    ("RAM", &["ram.totalsizeinmb"]),
    ("Applications", &["applications"]),
    ("Tags", &["tags"]),
];

/// Whether headings of the template are there that no other table has.
pub fn sniff(glance: &Glance<'_>) -> bool {
    const OWN: [&str; 5] =
        ["cpu.numberofcores", "cpu.numberofprocessors", "ram.totalsizeinmb", "vmware.morefid", "os.name"];
    matches!(&glance.form, Form::Table(found) if OWN.iter().any(|own| found.iter().any(|key| key == own)))
}

/// Reads a template.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let table = Delimited::open(file, findings).table(COLUMNS, |_| true, findings);
    kept_as_labels(&table, |_| true, findings);
    let mut cores_in_doubt: Option<&Row> = None;
    let hosts = table
        .rows
        .iter()
        .map(|row| {
            let (host, in_doubt) = host(&table, row, findings);
            if in_doubt {
                cores_in_doubt.get_or_insert(row);
            }
            host
        })
        .collect();
    if let Some(row) = cores_in_doubt {
        findings.push(
            Finding::warning(
                "INV-4009",
                "fewer cores than processors; they were taken as cores of each processor",
            )
            .at(table.row_place(row).column("CPU.NumberOfCores"))
            .help("fill in CPU.NumberOfLogicalCores, which has one meaning"),
        );
    }
    let mut estate = RawEstate { hosts, ..RawEstate::default() };
    estate.name_apps();
    Some(estate)
}

fn host(table: &Table, row: &Row, findings: &mut Vec<Finding>) -> (RawHost, bool) {
    let get = |column| table.text(row, column);
    let mut host = RawHost::new(format!("row {}", row.number), table.row_place(row));
    let addresses = get("IPAddress");
    host.name = get("HostName")
        .or_else(|| get("VMware.VMName"))
        .or_else(|| get("ExternalId"))
        .or_else(|| addresses.clone().map(|at| at.map(|list| first_of(&list).to_owned())));
    let managed = match (get("VMware.VCenterId"), get("VMware.MoRefId")) {
        // Only together do they name one machine.
        (Some(center), Some(id)) => Some(id.map(|id| format!("{}/{id}", center.value))),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    let smbios = get("SMBiosId");
    host.identities = smbios.iter().filter_map(|id| normalise::identity(&id.value)).collect();
    host.machine_id = managed.or_else(|| get("ExternalId")).or(smbios);
    let processors = table.count(row, "Processors", findings);
    let cores = table.count(row, "Cores", findings);
    let logical = table.count(row, "LogicalCores", findings);
    let in_doubt = logical.is_none()
        && matches!((&processors, &cores), (Some(p), Some(c)) if c.value < p.value && c.value > 0);
    let threads = match (logical, cores, processors) {
        (Some(logical), _, _) => Some(logical),
        (None, Some(cores), Some(processors)) if in_doubt => {
            Some(cores.map(|cores| cores.saturating_mul(processors.value)))
        }
        (None, cores, processors) => cores.or(processors),
    };
    host.vcpus = threads.and_then(|count| limits::vcpus(count, findings));
    let memory = table.mib(row, "RAM", findings).filter(|at| at.value > Mib(0));
    host.memory = memory.and_then(|size| limits::memory(size, findings));
    host.os = get("OS.Name").map(|at| at.map(|name| normalise::os(&name)));
    if let (Some(os), Some(version)) = (&mut host.os, get("OS.Version")) {
        os.value.version = Some(version.value);
    }
    let macs = get("MACAddress").map(|at| at.value).unwrap_or_default();
    let nics = normalise::nics(&addresses.map(|at| at.value).unwrap_or_default(), &macs);
    host.nics = (!nics.is_empty()).then(|| At::new(nics, table.row_place(row)));
    host.labels = table.labels(row, |_| true);
    if let Some(apps) = get("Applications") {
        let mut names = apps.value.split(',').map(one_line).filter(|name| !name.is_empty());
        host.app = names.next().map(|name| At::new(name.into(), apps.place.clone()));
        let others: Vec<String> = names.collect();
        if !others.is_empty() {
            host.labels
                .insert("other-applications".to_owned(), At::new(others.join(", "), apps.place.clone()));
        }
    }
    if let Some(tags) = get("Tags") {
        for tag in tags.value.split(',').map(one_line).filter(|tag| !tag.is_empty()) {
            let (key, value) = tag.split_once(':').unwrap_or((&tag, "yes"));
            host.labels.insert(clip(key.trim()), At::new(value.trim().to_owned(), tags.place.clone()));
        }
    }
    (host, in_doubt)
}

fn first_of(list: &str) -> &str {
    list.split([',', ';']).next().unwrap_or_default().trim()
}
