//! Tables: Azure Migrate, Migration Center, AWS discovery and MGN, RVTools as CSV, and any table with a column map.

use std::collections::BTreeMap;

use carafe_inventory::importers::columns::ColumnMap;
use carafe_inventory::{Import, InputFile, Reading, Wanted, import_as};
use carafe_model::estate::Estate;
use carafe_model::finding::Place;
use carafe_model::host::{Architecture, Firmware, Host, OsFamily, Power};
use carafe_model::units::{Gib, Mib, Vcpus};

use crate::support::{INCOMPLETE, check, line};

const LABELLED: &str = "INV-1009";

fn but(more: &[&'static str]) -> Vec<&'static str> {
    [&INCOMPLETE[..], &[LABELLED], more].concat()
}

fn host<'e>(estate: &'e Estate, id: &str) -> &'e Host {
    estate.hosts.iter().find(|host| host.id.as_str() == id).unwrap_or_else(|| panic!("{id} is there"))
}

fn sizes(host: &Host) -> Vec<Option<u64>> {
    host.disks.iter().map(|disk| disk.size_gib.map(|size| size.0)).collect()
}

pub const AZURE: &str = "\u{feff}*Server name,IP addresses,*Cores,*Memory (In MB),*OS name,OS architecture,Boot type,\
Number of disks,Storage in use (In GB),Disk 1 size (In GB),Disk 2 size (In GB),CPU utilization percentage\r\n\
erp-1.corp.example,10.1.0.5;fe80::1,4,16384,Microsoft Windows Server 2019 (64-bit),,UEFI,2,,128,4096,50\r\n\
old-1.corp.example,,2,\"4,096\",Red Hat Enterprise Linux 6 (32-bit),,BIOS,1,20,40,,\r\n\
bare.corp.example,,8,8192,Oracle Solaris 11,,,2,,,,\r\n";

#[test]
fn an_azure_template_is_read_with_all_its_disks() {
    let expected = [
        "warning INV-1008 a.csv, row 3, column *Memory (In MB)",
        "warning INV-3011 a.csv, row 3, column *OS name",
    ];
    let estate = check(&[("a.csv", AZURE.as_bytes())], &but(&[]), &expected).expect("an estate");
    let erp = host(&estate, "erp-1.corp.example");
    assert_eq!((erp.vcpus, erp.memory_mib), (Some(Vcpus(4)), Some(Mib(16_384))));
    assert_eq!(sizes(erp), [Some(128), Some(4_096)], "real disks, not one for each machine");
    assert_eq!(erp.nics[0].addresses, ["10.1.0.5"], "an address of the wire alone says nothing");
    assert_eq!((erp.firmware, erp.architecture), (Some(Firmware::Uefi), Some(Architecture::X86_64)));
    assert_eq!(erp.labels["cpu utilization percentage"], "50");
    assert_eq!(erp.usage, None, "one figure without a period is no measurement");
    let old = host(&estate, "old-1.corp.example");
    assert_eq!((old.memory_mib, old.disks[0].used_gib), (Some(Mib(4_096)), Some(Gib(20))));
    assert_eq!(old.architecture, Some(Architecture::Other));
    assert_eq!(
        sizes(host(&estate, "bare.corp.example")),
        [None, None],
        "how many is known, how large is not"
    );
}

#[test]
fn the_same_template_reads_alike_however_it_was_saved() {
    let plain = AZURE.trim_start_matches('\u{feff}').replace("\"4,096\"", "4096");
    let whole = check(&[("a.csv", plain.as_bytes())], &but(&["INV-3011"]), &[]).expect("an estate");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let tabs = plain.replace(',', "\t");
    let semicolons = plain.replace(',', ";").replace("10.1.0.5;fe80::1", "\"10.1.0.5;fe80::1\"");
    for bytes in [utf16, tabs.into_bytes(), semicolons.into_bytes()] {
        let estate = check(&[("a.csv", &bytes)], &but(&["INV-3011"]), &[]).expect("an estate");
        assert_eq!(estate.hosts, whole.hosts);
    }
    let latin: Vec<u8> = plain.replace("old-1", "büro-1").chars().map(|c| c as u8).collect();
    let estate = check(&[("a.csv", &latin)], &but(&["INV-3011"]), &["warning INV-1006 a.csv, row 3"]);
    assert!(estate.expect("an estate").hosts.iter().any(|host| host.id.as_str() == "büro-1.corp.example"));
}

#[test]
fn a_server_listed_again_replaces_the_row_before() {
    let text = "Server name,Cores,Memory,OS name\na,2,1024,CentOS\nA,4,2048,CentOS\n";
    let estate = check(&[("a.csv", text.as_bytes())], &but(&[]), &["warning INV-1102 a.csv, row 3"])
        .expect("an estate");
    assert_eq!(estate.hosts.len(), 1);
    assert_eq!(estate.hosts[0].vcpus, Some(Vcpus(4)));
}

pub const VM_INFO: &str = "MachineId,MachineName,PrimaryIPAddress (optional),TotalDiskAllocatedGiB,AllocatedProcessorCoreCount,MemoryGiB,OsName,MachineStatus,IsPhysical,Source\n\
m-1,web,10.0.0.1,100,4,16,Ubuntu 22.04,VM running,0,\n\
m-2,db,10.0.0.2,500,8,64,Red Hat Enterprise Linux 8,VM deallocated,0,\n\
m-3,aws,10.0.0.3,50,2,8,Amazon Linux 2,running,0,AWS\n";

pub const DISK_INFO: &str = "MachineId,DiskLabel,SizeInGib,UsedInGib,StorageTypeLabel\n\
m-1,os,30,12.5,Premium_LRS\nm-1,data,70,,StandardSSD_LRS\nm-9,os,5,,gp2\n";

/// Two hours in steps of 30 minutes; the second machine has the row of zeros that stands for nothing measured.
pub fn perf_info() -> String {
    let mut text = "MachineId,TimeStamp,CpuUtilizationPercentage,AvailableMemoryBytes,DiskReadOperationsPerSec,DiskWriteOperationsPerSec,NetworkBytesPerSecSent,NetworkBytesPerSecReceived\n".to_owned();
    for (number, cpu) in [10, 20, 30, 40].into_iter().enumerate() {
        let (hour, minute) = (number / 2, number % 2 * 30);
        text += &format!("m-1,\"03/01/2026, {hour:02}:{minute:02}:00\",{cpu},4294967296,1,1,125000,250000\n");
        text += &format!("m-3,\"03/01/2026, {hour:02}:{minute:02}:00\",{cpu},0,1,1,125000,250000\n");
    }
    text + "m-2,03/01/2026 00:00:00,0,0,0,0,0,0\nm-1,soon,1,1,1,1,1,1\n"
}

#[test]
fn tables_of_migration_center_are_joined_and_their_zeros_are_not_believed() {
    let perf = perf_info();
    let tags = "MachineId,Key,Value\nm-2,tier,db\n";
    let files: [(&str, &[u8]); 4] = [
        ("perfInfo.csv", perf.as_bytes()),
        ("vmInfo.csv", VM_INFO.as_bytes()),
        ("diskInfo.csv", DISK_INFO.as_bytes()),
        ("tagInfo.csv", tags.as_bytes()),
    ];
    let expected = [
        "warning INV-4004 perfInfo.csv, row 10",
        "error INV-4005 perfInfo.csv, row 11, column TimeStamp",
        "warning INV-4006 perfInfo.csv, column AvailableMemoryBytes",
        "warning INV-4007 perfInfo.csv, column NetworkBytesPerSecSent",
        "info INV-4008 perfInfo.csv, column TimeStamp",
        "warning INV-4003 diskInfo.csv, row 4, column MachineId",
    ];
    let estate = check(&files, &but(&[]), &expected).expect("an estate");
    let web = host(&estate, "web");
    assert_eq!(sizes(web), [Some(30), Some(70)]);
    assert_eq!(web.disks[0].used_gib, Some(Gib(13)));
    let usage = web.usage.as_ref().expect("it was measured");
    assert_eq!((usage.window_hours, usage.coverage_percent), (2, 100), "half-hourly is how it was sampled");
    let text =
        |d: Option<carafe_model::host::Distribution>| d.map(|d| (d.p50.to_string(), d.max.to_string()));
    assert_eq!(text(usage.cpu_percent), Some(("20".into(), "40".into())));
    assert_eq!(text(usage.memory_mib), Some(("12288".into(), "12288".into())), "16 GiB less 4 free");
    assert_eq!(text(usage.network_mbps), Some(("2".into(), "2".into())));
    let db = host(&estate, "db");
    assert_eq!((db.usage.is_none(), db.power, sizes(db)), (true, Some(Power::Off), vec![Some(500)]));
    assert_eq!(db.labels["tier"], "db");
    let aws = host(&estate, "aws").usage.clone().expect("processor use was measured");
    assert_eq!((aws.cpu_percent.is_some(), aws.memory_mib, aws.network_mbps), (true, None, None));
}

#[test]
fn tables_without_machines_are_told_what_they_lack() {
    assert!(check(&[("d.csv", DISK_INFO.as_bytes())], &[], &["error INV-4002 d.csv"]).is_none());
}

#[test]
fn an_aws_template_keeps_averages_as_labels_and_asks_about_cores() {
    let text = "ExternalId,SMBiosId,IPAddress,MACAddress,HostName,CPU.NumberOfProcessors,CPU.NumberOfCores,CPU.NumberOfLogicalCores,OS.Name,OS.Version,RAM.TotalSizeInMB,CPU.UsagePct.Avg,Applications,Tags\n\
e-1,42000000-0000-0000-0000-000000000001,\"10.0.0.7,10.0.0.8\",02-00-00-00-00-07,app-1,2,8,16,SUSE Linux Enterprise 15,15.4,32768,12.5,\"Shop,Billing\",\"tier:web,owner:kim\"\n\
e-2,,10.0.0.9,,,4,2,,Windows Server 2016,,8192,,,\n";
    let estate = check(
        &[("a.csv", text.as_bytes())],
        &but(&[]),
        &["warning INV-4009 a.csv, row 3, column CPU.NumberOfCores"],
    )
    .expect("an estate");
    let one = host(&estate, "app-1");
    assert_eq!((one.vcpus, one.app.as_ref().map(|app| app.as_str())), (Some(Vcpus(16)), Some("shop")));
    assert_eq!(one.nics[0].addresses, ["10.0.0.7", "10.0.0.8"]);
    assert_eq!((one.usage.is_none(), one.labels["cpu.usagepct.avg"].as_str()), (true, "12.5"));
    assert_eq!((one.labels["owner"].as_str(), one.labels["other-applications"].as_str()), ("kim", "Billing"));
    assert_eq!(one.os.as_ref().map(|os| os.family), Some(OsFamily::Sles));
    assert_eq!(host(&estate, "e-2").vcpus, Some(Vcpus(8)), "four processors of two cores");
}

#[test]
fn an_mgn_inventory_gives_waves_and_apps_but_no_sizes() {
    let text = "mgn:wave:name,mgn:app:name,mgn:server:user-provided-id,mgn:server:platform,mgn:server:fqdn-for-action-framework,mgn:server:tag:tier,mgn:launch:instance-type,mgn:launch:nic:0:private-ip:0\n\
wave-1,Shop,srv-1,Linux,web.corp.example,web,m5.large,10.0.0.5\nwave-2,,,,,,,\n";
    let estate = check(&[("a.csv", text.as_bytes())], &but(&[]), &[]).expect("an estate");
    assert_eq!(estate.hosts.len(), 1, "a wave is no server");
    let web = host(&estate, "web.corp.example");
    assert_eq!(
        (web.vcpus, web.labels["wave"].as_str(), web.labels["tier"].as_str()),
        (None, "wave-1", "web")
    );
    assert_eq!(web.labels["mgn:launch:instance-type"], "m5.large", "that is the target's");
    assert_eq!(estate.apps[0].name, "Shop");
}

pub const V_INFO: &str = "VM;Powerstate;Template;CPUs;Memory;VM ID;VI SDK UUID;OS according to the configuration file\n\
web;poweredOn;False;2;4.096;vm-1;c-1;Ubuntu Linux (64-bit)\ntpl;poweredOff;True;1;1.024;vm-2;c-1;Other\n";
pub const V_DISK: &str = "VM;Disk;Disk Key;Capacity MiB;VM ID;VI SDK UUID\nweb;Hard disk 1;2000;51.200,5;vm-1;c-1\nweb;Hard disk 2;2001;10.240,0;vm-1;c-1\n";

#[test]
fn rvtools_tabs_as_csv_are_one_export() {
    let files: [(&str, &[u8]); 2] =
        [("x/RVTools_tabvInfo.csv", V_INFO.as_bytes()), ("x/RVTools_tabvDisk.csv", V_DISK.as_bytes())];
    let estate = check(
        &files,
        &but(&["INV-3006"]),
        &[
            "warning INV-1008 x/RVTools_tabvInfo.csv, row 2, column Memory",
            "info INV-3007 x/RVTools_tabvInfo.csv",
        ],
    )
    .expect("an estate");
    assert_eq!(estate.hosts.len(), 1);
    assert_eq!(
        (estate.hosts[0].memory_mib, sizes(&estate.hosts[0])),
        (Some(Mib(4_096)), vec![Some(51), Some(10)])
    );
    assert!(check(&files[1..], &[], &["error INV-3001 x/RVTools_tabvDisk.csv"]).is_none());
}

#[test]
fn any_table_is_read_by_its_headings() {
    let text = "Hostname,App,vCPU,RAM (GB),Disk GB,OS,IP Address,Rack\nweb 1,Shop,4,15.5,100,Ubuntu 22.04,10.0.0.1,A7\n";
    let estate = check(&[("a.csv", text.as_bytes())], &but(&[]), &[]).expect("an estate");
    let web = host(&estate, "web-1");
    assert_eq!((web.memory_mib, sizes(web)), (Some(Mib(15_872)), vec![Some(100)]));
    assert_eq!((web.labels["rack"].as_str(), estate.apps[0].name.as_str()), ("A7", "Shop"));
}

fn import_mapped(files: &[InputFile<'_>], columns: &ColumnMap) -> Import {
    let reading = Reading { columns: Some(columns), ..Reading::default() };
    import_as(files, "test", &Wanted { format: Some("csv"), reading, ..Wanted::default() })
}

#[test]
fn a_column_map_says_what_foreign_headings_mean() {
    let text = "이름,코어,메모리 (GB),용도\n서버-1,4,8,ERP\n";
    let map = |pairs: &[(&str, &str)]| {
        let pairs: BTreeMap<String, String> =
            pairs.iter().map(|(field, heading)| ((*field).to_owned(), (*heading).to_owned())).collect();
        ColumnMap::new(&pairs, &Place::file("map.toml"))
    };
    let files = [InputFile { name: "a.csv", bytes: text.as_bytes() }];
    let columns = map(&[("name", "이름"), ("vcpus", "코어"), ("memory", "메모리")]).expect("a map");
    let read = import_mapped(&files, &columns);
    let estate = read.estate.expect("an estate");
    assert_eq!((estate.hosts[0].name.as_str(), estate.hosts[0].memory_mib), ("서버-1", Some(Mib(8_192))));
    assert_eq!(estate.hosts[0].labels["용도"], "ERP");

    let columns = map(&[("name", "Name")]).expect("a map");
    let read = import_mapped(&files, &columns);
    let lines: Vec<String> = read.findings.iter().map(line).collect();
    assert_eq!(lines, ["error INV-4011 a.csv, row 1", "error INV-4012 a.csv, row 1"]);
    let wrong: Vec<String> = map(&[("vcpu", "x")]).expect_err("no such field").iter().map(line).collect();
    assert_eq!(wrong, ["error INV-4010 map.toml, vcpu"]);
}
