//! The columns of each sheet in all three generations of headings: `vInfoCPUs`, `… MB` and `… MiB`.
//!
//! The first name is the one used in this importer, and the newest of the export; the others are keys of
//! [`crate::text::Heading`], without the name of the sheet.

use crate::table::ColumnNames;

/// What tells one virtual machine from another, on every sheet.
macro_rules! with_identity {
    ($($column:expr),* $(,)?) => {
        &[
            ("VM", &["vm", "vmname", "name"]),
            ("VM ID", &["vmid"]),
            ("VM UUID", &["vmuuid", "uuid"]),
            ("VI SDK UUID", &["visdkuuid", "vcenteruuid"]),
            ("VI SDK Server", &["visdkserver"]),
            $($column),*
        ]
    };
}

pub(super) const VINFO: &[ColumnNames] = with_identity![
    ("SMBIOS UUID", &["smbiosuuid"]),
    ("Powerstate", &["powerstate"]),
    ("Template", &["template"]),
    ("SRM Placeholder", &["srmplaceholder"]),
    ("DNS Name", &["dnsname", "guesthostname"]),
    ("CPUs", &["cpus", "numcpu"]),
    ("Memory", &["memory", "memorymib", "memorymb", "memorysize"]),
    ("Total disk capacity MiB", &["totaldiskcapacitymib", "totaldiskcapacitymb"]),
    ("Provisioned MiB", &["provisionedmib", "provisionedmb", "provisioned"]),
    ("In Use MiB", &["inusemib", "inusemb", "inuse"]),
    ("Primary IP Address", &["primaryipaddress", "primaryip"]),
    ("Network #1", &["network#1", "network1"]),
    ("Firmware", &["firmware"]),
    ("Resource pool", &["resourcepool"]),
    ("Folder", &["folder"]),
    ("vApp", &["vapp"]),
    ("Cluster rule name(s)", &["clusterrulename"]),
    ("Annotation", &["annotation"]),
    ("Datacenter", &["datacenter"]),
    ("Cluster", &["cluster"]),
    ("OS according to the configuration file", &["osaccordingtotheconfigurationfile", "os", "osconfig"]),
    ("OS according to the VMware Tools", &["osaccordingtothevmwaretools", "ostools"]),
];

pub(super) const VCPU: &[ColumnNames] = with_identity![("CPUs", &["cpus", "numcpu"])];

pub(super) const VMEMORY: &[ColumnNames] = with_identity![("Size MiB", &["sizemib", "sizemb", "size"])];

pub(super) const VDISK: &[ColumnNames] = with_identity![
    ("Disk", &["disk"]),
    ("Disk Key", &["diskkey", "key"]),
    ("Capacity MiB", &["capacitymib", "capacitymb", "capacity"]),
    ("Raw", &["raw"]),
    ("Sharing mode", &["sharingmode"]),
    ("Shared Bus", &["sharedbus"]),
];

pub(super) const VPARTITION: &[ColumnNames] = with_identity![
    ("Disk", &["disk"]),
    ("Disk Key", &["diskkey", "key"]),
    ("Consumed MiB", &["consumedmib", "consumedmb", "consumed"]),
];

pub(super) const VNETWORK: &[ColumnNames] = with_identity![
    ("NIC label", &["niclabel", "nic"]),
    ("Network", &["network"]),
    ("Mac Address", &["macaddress", "mac"]),
    ("IPv4 Address", &["ipv4address", "ipaddress"]),
    ("IPv6 Address", &["ipv6address"]),
];

/// Columns that RVTools itself writes into `vInfo` and that say nothing about where a machine could go.
const STANDARD: [&str; 78] = [
    "configstatus",
    "connectionstate",
    "gueststate",
    "heartbeat",
    "consolidationneeded",
    "poweron",
    "suspendedtomemory",
    "suspendtime",
    "suspendinterval",
    "creationdate",
    "changeversion",
    "overallcpureadiness",
    "cpuusage%",
    "activememory",
    "nics",
    "disks",
    "numvirtualdisks",
    "fixedpassthruhotplug",
    "minrequiredevcmodekey",
    "latencysensitivity",
    "opnotificationtimeout",
    "enableuuid",
    "disk.enableuuid",
    "cbt",
    "network#2",
    "network#3",
    "network#4",
    "network#5",
    "network#6",
    "network#7",
    "network#8",
    "network2",
    "network3",
    "network4",
    "network5",
    "network6",
    "network7",
    "network8",
    "nummonitors",
    "videoramkib",
    "videoramkb",
    "folderid",
    "dasprotection",
    "ftstate",
    "ftrole",
    "ftlatency",
    "ftbandwidth",
    "ftsec.latency",
    "vmfailoverinprogress",
    "unsharedmib",
    "unsharedmb",
    "unshared",
    "harestartpriority",
    "haisolationresponse",
    "havmmonitoring",
    "clusterrule",
    "bootrequired",
    "bootdelay",
    "bootretrydelay",
    "bootretryenabled",
    "bootbiossetup",
    "rebootpoweroff",
    "efisecureboot",
    "hwversion",
    "hwupgradestatus",
    "hwupgradepolicy",
    "hwtarget",
    "path",
    "logdirectory",
    "snapshotdirectory",
    "suspenddirectory",
    "host",
    "customizationinfo",
    "guestdetaileddata",
    "visdkservertype",
    "visdkapiversion",
    "sourcefile",
    "faulttolerancestate",
];

/// Whether a column of `vInfo` is a custom attribute of the site: people keep owner, tier and environment there.
pub(super) fn is_custom(key: &str) -> bool {
    !key.is_empty() && !STANDARD.contains(&key)
}
