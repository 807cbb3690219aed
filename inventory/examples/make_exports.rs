//! Writes large exports as other tools do, for measuring the inventory: an RVTools workbook, the same as CSV, a plain table
//! of servers, an AWS flow log and a table of NetFlow. The same number gives the same files.
//!
//! ```text
//! cargo run --release -p carafe-inventory --example make_exports -- FOLDER SERVERS FLOW_LINES
//! ```

#![expect(clippy::print_stderr, reason = "this is a program for people, not part of the library")]
#![expect(clippy::disallowed_methods, reason = "it writes files so that the library need not")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::Workbook;

/// A sequence of numbers that look random (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % most
    }
}

/// One tab of an export: its name, its headings, and its rows.
struct Tab {
    name: &'static str,
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone)]
enum Cell {
    Text(String),
    Number(u64),
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        Cell::Number(number)
    }
}

/// What every tab says of its machine behind its own columns.
const ABOUT: [&str; 9] = [
    "Datacenter",
    "Cluster",
    "Host",
    "Folder",
    "OS according to the configuration file",
    "OS according to the VMware Tools",
    "VM ID",
    "VM UUID",
    "VI SDK UUID",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, servers, lines] = arguments.as_slice() else {
        eprintln!("usage: make_exports FOLDER SERVERS FLOW_LINES");
        return Err("three arguments are wanted".into());
    };
    let (folder, servers, lines) = (PathBuf::from(folder), servers.parse()?, lines.parse()?);
    std::fs::create_dir_all(folder.join("rvtools-csv"))?;
    let tabs = tabs(servers);
    for tab in &tabs {
        write_csv(&folder.join(format!("rvtools-csv/RVTools_tab{}.csv", tab.name)), tab)?;
    }
    write_workbook(&folder.join("rvtools.xlsx"), &tabs)?;
    drop(tabs);
    write_servers(&folder.join("servers.csv"), servers)?;
    write_flows(&folder, servers, lines)
}

fn tabs(servers: u64) -> Vec<Tab> {
    const SYSTEMS: [&str; 4] = [
        "Red Hat Enterprise Linux 8 (64-bit)",
        "Microsoft Windows Server 2019 (64-bit)",
        "Ubuntu Linux (64-bit)",
        "CentOS 7 (64-bit)",
    ];
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let headed = |name, own: &[&'static str]| Tab {
        name,
        headings: ["VM", "Powerstate", "Template"].iter().chain(own).chain(&ABOUT).copied().collect(),
        rows: Vec::new(),
    };
    let mut info = headed(
        "vInfo",
        &[
            "SRM Placeholder",
            "DNS Name",
            "CPUs",
            "Memory",
            "NICs",
            "Disks",
            "Total disk capacity MiB",
            "Primary IP Address",
            "Network #1",
            "Provisioned MiB",
            "In Use MiB",
            "Firmware",
            "Annotation",
            "Owner",
        ],
    );
    let mut cpu = headed("vCPU", &["CPUs", "Sockets", "Cores p/s", "Max", "Overall"]);
    let mut memory = headed("vMemory", &["Size MiB", "Consumed", "Active", "Overhead"]);
    let mut disk = headed(
        "vDisk",
        &["Disk", "Disk Key", "Capacity MiB", "Raw", "Disk Mode", "Sharing mode", "Thin", "Controller"],
    );
    let mut partition =
        headed("vPartition", &["Disk", "Disk Key", "Capacity MiB", "Consumed MiB", "Free MiB", "Free %"]);
    let mut network = headed(
        "vNetwork",
        &["NIC label", "Adapter", "Network", "Switch", "Connected", "Mac Address", "IPv4 Address"],
    );
    for number in 0..servers {
        let cpus = 1 << numbers.below(5);
        let mib = cpus * 1024 * (1 << numbers.below(3));
        let system = SYSTEMS[numbers.below(4) as usize];
        let name = format!("server-{number:05}");
        let ip = address(number);
        let about = || {
            [
                Cell::from("dc-1"),
                format!("cluster-{:02}", number % 40).into(),
                format!("esx-{:03}.example.internal", number % 400).into(),
                format!("team-{}", number % 120).into(),
                system.into(),
                system.into(),
                format!("vm-{}", number + 1_000).into(),
                format!("42000000-0000-4000-8000-{number:012x}").into(),
                "5f000000-0000-4000-8000-0000000000aa".into(),
            ]
        };
        let row = |own: Vec<Cell>| -> Vec<Cell> {
            let first = [Cell::from(name.as_str()), "poweredOn".into(), "False".into()];
            first.into_iter().chain(own).chain(about()).collect()
        };
        let sizes: Vec<u64> = (0..3).map(|_| 1024 * (20 + numbers.below(480))).collect();
        let total: u64 = sizes.iter().sum();
        info.rows.push(row(vec![
            "False".into(),
            format!("{name}.example.internal").into(),
            cpus.into(),
            mib.into(),
            1.into(),
            3.into(),
            total.into(),
            ip.clone().into(),
            format!("vlan-{}", number % 60).into(),
            (total + mib).into(),
            (total / 2).into(),
            "efi".into(),
            format!("runs service {number}").into(),
            format!("owner-{}", number % 300).into(),
        ]));
        cpu.rows.push(row([cpus, 1, cpus, cpus * 2_400, numbers.below(2_400)].map(Cell::from).to_vec()));
        memory
            .rows
            .push(row([mib, mib - numbers.below(mib), numbers.below(mib), 60].map(Cell::from).to_vec()));
        for (at, size) in sizes.iter().enumerate() {
            let (label, key) = (format!("Hard disk {}", at + 1), 2_000 + at as u64);
            let used = numbers.below(*size);
            disk.rows.push(row(vec![
                label.into(),
                key.into(),
                (*size).into(),
                "False".into(),
                "persistent".into(),
                "sharingNone".into(),
                "True".into(),
                "SCSI controller 0".into(),
            ]));
            partition.rows.push(row(vec![
                format!("/mnt/{at}").into(),
                key.into(),
                (*size).into(),
                used.into(),
                (size - used).into(),
                (100 * (size - used) / size).into(),
            ]));
        }
        let mac =
            format!("00:50:56:{:02x}:{:02x}:{:02x}", number >> 16 & 255, number >> 8 & 255, number & 255);
        network.rows.push(row(vec![
            "Network adapter 1".into(),
            "Vmxnet3".into(),
            format!("vlan-{}", number % 60).into(),
            "switch-1".into(),
            "True".into(),
            mac.into(),
            ip.into(),
        ]));
    }
    vec![info, cpu, memory, disk, partition, network]
}

fn address(number: u64) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

fn write_csv(path: &Path, tab: &Tab) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{}", tab.headings.join(","))?;
    for row in &tab.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) => text.clone(),
                Cell::Number(number) => number.to_string(),
            })
            .collect();
        writeln!(file, "{}", cells.join(","))?;
    }
    Ok(file.flush()?)
}

fn write_workbook(path: &Path, tabs: &[Tab]) -> Result<(), Box<dyn Error>> {
    let mut workbook = Workbook::new();
    for tab in tabs {
        let sheet = workbook.add_worksheet().set_name(tab.name)?;
        for (column, heading) in (0..).zip(&tab.headings) {
            sheet.write_string(0, column, *heading)?;
        }
        for (line, row) in (1..).zip(&tab.rows) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Cell::Text(text) => sheet.write_string(line, column, text)?,
                    Cell::Number(number) => sheet.write_number(line, column, *number as f64)?,
                };
            }
        }
    }
    Ok(workbook.save(path)?)
}

fn write_servers(path: &Path, servers: u64) -> Result<(), Box<dyn Error>> {
    let mut numbers = Numbers(7);
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "Name,vCPUs,Memory (GB),Disk (GB),OS,IP address,MAC address,Owner")?;
    for number in 0..servers {
        let cpus = 1 << numbers.below(5);
        let (memory, disk) = (cpus * (1 << numbers.below(3)), 20 + numbers.below(2_000));
        let owner = number % 300;
        writeln!(
            file,
            "server-{number:05},{cpus},{memory},{disk},Ubuntu 22.04,{},02:00:00:{:02x}:{:02x}:{:02x},owner-{owner}",
            address(number),
            number >> 16 & 255,
            number >> 8 & 255,
            number & 255
        )?;
    }
    Ok(file.flush()?)
}

fn write_flows(folder: &Path, servers: u64, lines: u64) -> Result<(), Box<dyn Error>> {
    const PORTS: [u64; 6] = [443, 5432, 6379, 8080, 9092, 3306];
    let mut numbers = Numbers(11);
    let mut log = BufWriter::new(File::create(folder.join("vpc-flow.log"))?);
    let mut table = BufWriter::new(File::create(folder.join("netflow.csv"))?);
    writeln!(
        log,
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    )?;
    writeln!(table, "ts,te,sa,da,sp,dp,pr,ipkt,ibyt")?;
    for line in 0..lines {
        // Each server speaks with eight others, and offers one service.
        let client = numbers.below(servers);
        let server = (client + 1 + numbers.below(8) * 37) % servers;
        let port = PORTS[(server % 6) as usize];
        let (from, to) = (address(client), address(server));
        let (high, packets, bytes) =
            (32_768 + numbers.below(28_000), numbers.below(900), numbers.below(900_000));
        let start = 1_772_323_200 + line / 50;
        let is_answer = line % 2 == 1;
        // Both ends keep a log.
        let eni = if line % 4 < 2 { client } else { server };
        let (from, to, from_port, to_port) =
            if is_answer { (to, from, port, high) } else { (from, to, high, port) };
        writeln!(
            log,
            "2 123456789012 eni-{eni:017x} {from} {to} {from_port} {to_port} 6 {packets} {bytes} {start} {} ACCEPT OK",
            start + 60
        )?;
        writeln!(table, "{start},{},{from},{to},{from_port},{to_port},TCP,{packets},{bytes}", start + 60)?;
    }
    log.flush()?;
    Ok(table.flush()?)
}
