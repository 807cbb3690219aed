//! RVTools workbooks, written here cell by cell.

use carafe_model::estate::Estate;
use carafe_model::host::OsFamily;
use carafe_model::units::{Gib, Mib, Vcpus};
use rust_xlsxwriter::{Workbook, Worksheet};

use crate::support::{INCOMPLETE, check, import_all, line, pretty};

/// A sheet: its name and its rows, cells separated by `|`. A cell that is a plain number is written as a number, and
/// one after `'` as text.
type Sheet<'s> = (&'s str, &'s [&'s str]);

fn workbook(sheets: &[Sheet<'_>]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).expect("a short name");
        for (row, line) in rows.iter().enumerate() {
            write_row(sheet, u32::try_from(row).expect("few rows"), line);
        }
    }
    workbook.save_to_buffer().expect("a workbook")
}

fn write_row(sheet: &mut Worksheet, row: u32, line: &str) {
    for (column, cell) in line.split('|').map(str::trim).enumerate() {
        let column = u16::try_from(column).expect("few columns");
        match (cell.parse::<f64>(), cell.strip_prefix('\'')) {
            (_, Some(text)) => sheet.write_string(row, column, text),
            (Ok(number), None) => sheet.write_number(row, column, number),
            (Err(_), None) => sheet.write_string(row, column, cell),
        }
        .expect("a cell inside the sheet");
    }
}

/// What a workbook of `vInfo` alone always tells.
const ALONE: [&str; 6] = ["INV-3006", "INV-3008", "INV-1208", "INV-1209", "INV-1210", "INV-1211"];

fn import_sheets(sheets: &[Sheet<'_>], but: &[&str], expected: &[&str]) -> Option<Estate> {
    check(&[("a.xlsx", &workbook(sheets))], but, expected)
}

fn ids(estate: &Estate) -> Vec<&str> {
    estate.hosts.iter().map(|host| host.id.as_str()).collect()
}

const WHOLE: [Sheet<'static>; 6] = [
    (
        "vInfo",
        &[
            "VM|Powerstate|Template|SRM Placeholder|DNS Name|CPUs|Memory|NICs|Disks|Primary IP Address|Network #1|Provisioned MiB|In Use MiB|Folder|Annotation|Datacenter|Cluster|Host|OS according to the configuration file|OS according to the VMware Tools|Firmware|VM ID|SMBIOS UUID|VM UUID|VI SDK UUID|Owner|HW version",
            "ERP-DB-01|poweredOn|False|False|db01.corp|8|32768|1|2|10.1.2.10|DB-Net|300000|200000|/erp|holds orders|Seoul|Prod|esx1|Red Hat Enterprise Linux 8 (64-bit)|Red Hat Enterprise Linux 8.9 (64-bit)|efi|vm-11|42000000-0000-0000-0000-000000000011|50000000-0000-0000-0000-000000000011|aaaa0000-0000-0000-0000-00000000000a|finance|19",
            "erp-web-01|poweredOn|False|False||4|8192|1|1|10.1.1.10|Web-Net|60000|30000|/erp||Seoul|Prod|esx1|Ubuntu Linux (64-bit)|VM|bios|vm-12|42000000-0000-0000-0000-000000000012|50000000-0000-0000-0000-000000000012|aaaa0000-0000-0000-0000-00000000000a||19",
            "old-app|poweredOff|False|False||2|4096|1|1|||90000|80000|/old||Seoul|Prod|esx2|Microsoft Windows Server 2003 (32-bit)||bios|vm-13|42000000-0000-0000-0000-000000000013|50000000-0000-0000-0000-000000000013|aaaa0000-0000-0000-0000-00000000000a||7",
            "tmpl-rocky|poweredOff|True|False||2|2048|1|1|||20000|0|||Seoul|Prod|esx2|Rocky Linux||efi|vm-14||50000000-0000-0000-0000-000000000014|aaaa0000-0000-0000-0000-00000000000a||19",
            "dr-copy|poweredOff|False|True||2|2048|1|1|||20000|0|||Seoul|Prod|esx2|Rocky Linux||efi|vm-15||50000000-0000-0000-0000-000000000015|aaaa0000-0000-0000-0000-00000000000a||19",
            "vCLS-1f2e|poweredOn|False|False||1|128|0|1|||2048|1000|||Seoul|Prod|esx1|Other||efi|vm-16||50000000-0000-0000-0000-000000000016|aaaa0000-0000-0000-0000-00000000000a||19",
        ],
    ),
    (
        "vCPU",
        &[
            "VM|CPUs|VM ID|VM UUID|VI SDK UUID",
            "ERP-DB-01|8|vm-11|50000000-0000-0000-0000-000000000011|aaaa0000-0000-0000-0000-00000000000a",
        ],
    ),
    (
        "vMemory",
        &["VM|Size MiB|VM ID|VI SDK UUID", "ERP-DB-01|32768|vm-11|aaaa0000-0000-0000-0000-00000000000a"],
    ),
    (
        "vDisk",
        &[
            "VM|Disk|Disk Key|Capacity MiB|Raw|Sharing mode|VM ID|VI SDK UUID",
            "ERP-DB-01|Hard disk 2|2001|204800|True|sharingMultiWriter|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "ERP-DB-01|Hard disk 1|2000|51200|False|sharingNone|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "ERP-DB-01|Hard disk 1|2000|51200|False|sharingNone|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "erp-web-01|Hard disk 1|2000|40961|False|sharingNone|vm-12|aaaa0000-0000-0000-0000-00000000000a",
            "tmpl-rocky|Hard disk 1|2000|20480|False|sharingNone|vm-14|aaaa0000-0000-0000-0000-00000000000a",
            "ghost|Hard disk 1|2000|20480|False|sharingNone|vm-99|aaaa0000-0000-0000-0000-00000000000a",
        ],
    ),
    (
        "vPartition",
        &[
            "VM|Disk|Disk Key|Capacity MiB|Consumed MiB|Free MiB|VM ID|VI SDK UUID",
            "ERP-DB-01|/|2000|51200|20480|30720|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "ERP-DB-01|/var/lib|2001|204800|102400|102400|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "erp-web-01|/||40000|10240|29760|vm-12|aaaa0000-0000-0000-0000-00000000000a",
            "erp-web-01|/boot||900|512|388|vm-12|aaaa0000-0000-0000-0000-00000000000a",
        ],
    ),
    (
        "vNetwork",
        &[
            "VM|NIC label|Adapter|Network|Mac Address|IPv4 Address|IPv6 Address|VM ID|VI SDK UUID",
            "ERP-DB-01|Network adapter 1|VMXNET3|DB-Net|00:50:56:00:00:11|10.1.2.10, 10.1.2.11|fe80::1|vm-11|aaaa0000-0000-0000-0000-00000000000a",
            "erp-web-01|Network adapter 1|VMXNET3|Web-Net|00:50:56:00:00:12|10.1.1.10||vm-12|aaaa0000-0000-0000-0000-00000000000a",
        ],
    ),
];

/// The whole of a small workbook, to the last field.
#[test]
fn a_whole_workbook_becomes_this_estate() {
    let found = import_all(&[("a.xlsx", &workbook(&WHOLE))]);
    let mut estate = found.estate.expect("an estate");
    // The container holds the date of writing, so its hash is another one every day.
    assert_eq!(estate.sources.remove(0).format, "rvtools");
    let lines: Vec<String> =
        found.findings.iter().map(|finding| format!("{}: {}", line(finding), finding.summary)).collect();
    insta::assert_snapshot!(pretty(&(estate, lines)));
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let straight = import_all(&[("a.xlsx", &workbook(&WHOLE))]).estate.expect("an estate");
    let turned: Vec<(&str, Vec<&str>)> = WHOLE
        .iter()
        .map(|(name, rows)| (*name, rows.iter().take(1).chain(rows.iter().skip(1).rev()).copied().collect()))
        .collect();
    let turned: Vec<Sheet<'_>> = turned.iter().map(|(name, rows)| (*name, rows.as_slice())).collect();
    let turned = import_all(&[("a.xlsx", &workbook(&turned))]).estate.expect("an estate");
    assert_eq!(pretty(&straight.hosts), pretty(&turned.hosts));
}

#[test]
fn all_three_generations_of_headings_are_understood() {
    for (header, disk_header) in [
        ("VM|CPUs|Memory|Provisioned MiB|OS according to the VMware Tools", "VM|Disk|Capacity MiB"),
        ("VM|CPUs|Memory|Provisioned MB|OS according to the configuration file", "VM|Disk|Capacity MB"),
        (
            "vInfoVMName|vInfoCPUs|vInfoMemory|vInfoProvisioned|vInfoOSTools",
            "vDiskVMName|vDiskDisk|vDiskCapacityMiB",
        ),
        ("\u{feff}vm|  cpus |MEMORY (MB)|provisioned  mib|vInfoOS", "VM*|*Disk|Capacity (MB)"),
    ] {
        let estate = import_sheets(
            &[
                ("vInfo", &[header, "a|4|8192|99999|Ubuntu Linux (64-bit)"]),
                ("vDisk", &[disk_header, "a|Hard disk 1|40960"]),
            ],
            &["INV-3006"],
            &[],
        );
        let estate = estate.expect("an estate");
        let host = &estate.hosts[0];
        assert_eq!((host.vcpus, host.memory_mib), (Some(Vcpus(4)), Some(Mib(8192))), "{header}");
        assert_eq!(host.disks[0].size_gib, Some(Gib(40)), "{header}");
        assert_eq!(host.os.as_ref().map(|os| os.family), Some(OsFamily::Linux), "{header}");
    }
    let in_gib = [("vInfo", &["VM|CPUs|Memory (GB)", "a|4|8"][..])];
    let estate = import_sheets(&in_gib, &ALONE, &[]).expect("an estate");
    assert_eq!(estate.hosts[0].memory_mib, Some(Mib(8192)), "the heading names the unit");
}

#[test]
fn numbers_follow_the_country_of_the_file() {
    for (evidence, text, mib) in [
        ("'1.048.576", "'16.384", 16_384),
        ("'1,048,576", "'16,384", 16_384),
        ("'1 048 576", "'16 384", 16_384),
        ("'1\u{a0}048\u{a0}576", "'16\u{a0}384", 16_384),
        ("'1.234,5", "'16.384,00", 16_384),
        ("'1,234.5", "'2.048", 3),
        ("7", "16384", 16_384),
        ("7", "'16384", 16_384),
        ("7", "'16 GB", 16_384),
    ] {
        let rows = ["VM|CPUs|Memory|In Use MiB", &format!("a|4|{text}|{evidence}")];
        let but = [&ALONE[..], &["INV-1008"]].concat();
        let estate = import_sheets(&[("vInfo", &rows)], &but, &[]).expect("an estate");
        assert_eq!(estate.hosts[0].memory_mib, Some(Mib(mib)), "{text} beside {evidence}");
    }
    import_sheets(
        &[("vInfo", &["VM|CPUs|Memory", "a|4|'16,384"])],
        &ALONE,
        &["warning INV-1008 a.xlsx, sheet \"vInfo\", row 2, column Memory"],
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_cell() {
    let rows = [
        "VM|CPUs|Memory|Total disk capacity MiB",
        "negative|-2|-4096|1024",
        "words|two|lots|1024",
        "absurd|5000|99999999|1024",
        "|2|2048|1024",
        "unknown|VM|N/A|-",
        "half|1.5|2048|1024",
    ];
    let estate = import_sheets(
        &[("vInfo", &rows)],
        &ALONE,
        &[
            "error INV-1005 a.xlsx, sheet \"vInfo\", row 2, column CPUs",
            "error INV-1005 a.xlsx, sheet \"vInfo\", row 2, column Memory",
            "error INV-1004 a.xlsx, sheet \"vInfo\", row 3, column CPUs",
            "error INV-1004 a.xlsx, sheet \"vInfo\", row 3, column Memory",
            "error INV-1205 a.xlsx, sheet \"vInfo\", row 4, column CPUs",
            "error INV-1204 a.xlsx, sheet \"vInfo\", row 4, column Memory",
            "error INV-1005 a.xlsx, sheet \"vInfo\", row 7, column CPUs",
            "error INV-1007 a.xlsx, sheet \"vInfo\", row 5",
        ],
    );
    let estate = estate.expect("an estate");
    assert_eq!(ids(&estate), ["absurd", "half", "negative", "unknown", "words"]);
    assert!(
        estate.hosts.iter().filter(|host| host.id.as_str() != "half").all(|host| host.memory_mib.is_none())
    );
}

#[test]
fn machines_of_one_name_are_told_apart_by_their_identifiers() {
    let vinfo = [
        "VM|CPUs|Memory|VM ID|VI SDK UUID|Folder",
        "app|2|2048|vm-1|center-a|/one",
        "app|4|4096|vm-2|center-a|/two",
        "app|8|8192|vm-1|center-b|/three",
    ];
    let estate = import_sheets(
        &[
            ("vInfo", &vinfo),
            (
                "vDisk",
                &[
                    "VM|Disk|Capacity MiB|VM ID|VI SDK UUID",
                    "app|Hard disk 1|4096|vm-2|center-a",
                    "app|Hard disk 1|8192|vm-1|center-b",
                    "app|Hard disk 1|2048|vm-1|center-a",
                ],
            ),
        ],
        &["INV-3006"],
        &[
            "warning INV-1101 a.xlsx, sheet \"vInfo\", row 3",
            "warning INV-1101 a.xlsx, sheet \"vInfo\", row 4",
        ],
    );
    let estate = estate.expect("an estate");
    assert_eq!(ids(&estate), ["app", "app-2", "app-3"]);
    for host in &estate.hosts {
        let vcpus = u64::from(host.vcpus.unwrap().0);
        assert_eq!(host.disks[0].size_gib, Some(Gib(vcpus)), "{}", host.id);
    }
}

#[test]
fn rows_that_fit_several_machines_are_left_out() {
    let estate = import_sheets(
        &[
            ("vInfo", &["VM|CPUs|Memory", "app|2|2048", "app|4|4096", "web|4|4096"]),
            (
                "vDisk",
                &[
                    "VM|Disk|Capacity MiB",
                    "app|Hard disk 1|4096",
                    "web|Hard disk 1|8192",
                    "gone|Hard disk 1|1",
                ],
            ),
        ],
        &["INV-3006"],
        &[
            "warning INV-3015 a.xlsx, sheet \"vDisk\", row 4",
            "error INV-3009 a.xlsx, sheet \"vDisk\", row 2",
            "warning INV-1101 a.xlsx, sheet \"vInfo\", row 3",
            "warning INV-1211 a.xlsx, sheet \"vInfo\", row 2",
            "warning INV-1211 a.xlsx, sheet \"vInfo\", row 3",
        ],
    );
    assert_eq!(ids(&estate.expect("an estate")), ["app", "app-2", "web"]);
}

#[test]
fn containers_that_are_no_such_workbook_are_refused_by_code() {
    let other = workbook(&[("Sheet1", &["VM|CPUs", "a|2"]), ("vCPU", &["VM"])]);
    let lacking = workbook(&[("vInfo", &["Name of it|CPUs|Memory", "a|2|2048"])]);
    let whole = workbook(&[("vInfo", &["VM|CPUs|Memory", "a|2|2048"])]);
    let old = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 600]].concat();
    for (bytes, expected) in [
        (&other[..], "error INV-3001 a.xlsx"),
        (&lacking[..], "error INV-3005 a.xlsx, sheet \"vInfo\""),
        (&whole[..whole.len() / 2], "error INV-3003 a.xlsx"),
        (&b"PK\x03\x04 no archive at all"[..], "error INV-3003 a.xlsx"),
        (&old[..], "error INV-3002 a.xlsx"),
    ] {
        assert!(check(&[("a.xlsx", bytes)], &[], &[expected]).is_none(), "{expected}");
    }
}

#[test]
fn a_workbook_without_rows_says_so() {
    let but = [&INCOMPLETE[..], &["INV-3006"]].concat();
    let estate = import_sheets(&[("vInfo", &["VM|CPUs|Memory"])], &but, &["warning INV-1218 a.xlsx"]);
    assert!(estate.expect("an empty estate").hosts.is_empty());
}
