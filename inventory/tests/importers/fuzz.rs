//! A fuzzer for every importer on the stable toolchain: it changes sound files in ways that keep most of their structure, and
//! sees that no reader panics, takes long, or makes more of them than they hold.
//!
//! The tests run it for a fixed number of files. To run it for as long as wanted, with other numbers each time:
//! `CARAFE_FUZZ_SECONDS=300 CARAFE_FUZZ_SEED=7 cargo test -p carafe-inventory --test importers fuzz`. A file that fails is
//! written beside the build, and its path told.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it may run for as long as asked, keeps the file that fails, and tells how many it tried"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use carafe_inventory::anonymise::{Map, anonymise};
use carafe_inventory::flows::{self, FLOW_FORMATS};
use carafe_inventory::graph::{DependencyGraph, analysis, draw};
use carafe_inventory::importers::columns::ColumnMap;
use carafe_inventory::overrides;
use carafe_inventory::usage::{self, USAGE_FORMATS};
use carafe_inventory::{IMPORTERS, InputFile, import};
use carafe_model::document::Document;
use carafe_model::estate::Estate;
use carafe_model::host::{Host, Nic};

use crate::robust;

/// A sequence of numbers that look random (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % most.max(1)
    }

    fn of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }
}

const FLOWS: [&str; 6] = [
    "2 1 eni-web 10.0.0.1 10.0.0.2 40000 5432 6 9 1073741824 1772323200 1772409600 ACCEPT OK\n2 1 eni-a - - - - - - - 1772323200 1772409600 - NODATA\n",
    r#"{"records": [{"time": "t", "macAddress": "000D", "properties": {"Version": 2, "flows": [{"rule": "r", "flows": [{"mac": "000D", "flowTuples": ["1772323200,10.0.0.1,10.0.0.2,40000,5432,T,O,A,E,10,1073741824,9,2147483648"]}]}]}}]}"#,
    r#"{"jsonPayload": {"connection": {"src_ip": "10.0.0.1", "dest_ip": "10.0.0.2", "src_port": 40000, "dest_port": 5432, "protocol": 6}, "bytes_sent": "1073741824", "start_time": "2026-03-01T00:00:00Z", "end_time": "2026-03-02T00:00:00Z", "reporter": "SRC"}}"#,
    "ipv4 2 tcp 6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=5432 packets=1 bytes=2 src=10.0.0.2 dst=10.0.0.1 sport=5432 dport=40000 [ASSURED] use=1\n",
    "ESTAB 0 0 10.0.0.1:40000 10.0.0.2:5432 users:((\"nginx\",pid=812,fd=6))\n\t cubic rtt:12.3/4.5 bytes_sent:10 bytes_received:20\nLISTEN 0 0 [::]:22 [::]:*\n",
    "ts,te,sa,da,sp,dp,pr,ipkt,ibyt\n2026-03-01 00:00:00,2026-03-02 00:00:00,10.0.0.1,10.0.0.2,40000,5432,TCP,9,1073741824\n",
];

const USAGE: [&str; 4] = [
    r#"{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "node_memory_MemTotal_bytes", "instance": "web:9100"}, "values": [[1772323200, "8589934592"], [1772323260, "NaN"]]}]}}"#,
    r#"{"MetricDataResults": [{"Id": "m", "Label": "web CPUUtilization", "Timestamps": ["2026-03-01T00:00:00Z"], "Values": [12.5]}]}"#,
    "Linux 6.1.0 (web) \t03/01/2026 \t_x86_64_\t(4 CPU)\n\n12:00:01 AM     CPU     %user     %nice   %system   %iowait    %steal     %idle\n12:10:01 AM     all      1.00      0.00      2.00      0.00      0.00     97.00\n",
    "host,time,cpu_percent,memory_mib\nweb,2026-03-01T00:00:00Z,12.5,4096\n",
];

const OVERRIDES: &str = r#"{"carafe": "overrides/1", "changes": [{"target": {"host": "web"}, "field": "memory_mib", "was": 8192, "now": 4096}, {"target": {"flow": {"from": {"host": "web"}, "to": {"external": "internet"}, "port": 443}}, "now": {"from": {"host": "web"}, "to": {"external": "internet"}, "port": 443}}, {"target": {"host": "db"}}]}"#;
const YAML: &str = "apiVersion: v1\nkind: Node\nmetadata: &m {name: w1}\nstatus:\n  capacity: {cpu: 4, memory: 16393244Ki}\n---\napiVersion: v1\nkind: Pod\nmetadata: *m\nspec:\n  nodeName: w1\n  containers:\n  - resources: {requests: {cpu: 250m, memory: 64Mi}}\n";
const COLUMNS: &str = "name = \"Host\"\nmemory = \"RAM (GB)\"\n";

fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = robust::samples();
    corpus.extend([robust::HONEYBEE, robust::ANNOTATIONS].map(|text| text.as_bytes().to_vec()));
    corpus.push(robust::sound_workbook());
    let texts = FLOWS.iter().chain(&USAGE).chain([&OVERRIDES, &YAML, &COLUMNS]);
    corpus.extend(texts.map(|text| text.as_bytes().to_vec()));
    corpus
}

/// Words that stand at the edge of what readers expect.
const EDGES: [&str; 34] = [
    "",
    "0",
    "-1",
    "-0.0",
    "1e308",
    "1e-400",
    "NaN",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "4294967296",
    "65536",
    "99999999999999999999999999",
    "1,234,567.89",
    "1.234.567,89",
    "0x7f",
    "null",
    "true",
    "[]",
    "{}",
    "\"",
    "\\u0000",
    "\u{feff}",
    "\u{202e}",
    "10.0.0.1/33",
    "::ffff:10.0.0.1",
    "255.255.255.255",
    "2026-02-30T25:61:61Z",
    "9999999999999",
    "PT1S",
    "*a0",
    "&a0 [*a0]",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
];

/// Signs that separate what most formats are made of.
const SIGNS: &[u8] = b"\n\r\t ,;:=|\"'{}[]<>()/&";

/// Where the piece between two signs is that stands at a place.
fn piece(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_sign = |byte: &u8| SIGNS.contains(byte);
    let start = bytes[..at].iter().rposition(is_sign).map_or(0, |sign| sign + 1);
    let end = bytes[at..].iter().position(is_sign).map_or(bytes.len(), |sign| at + sign);
    start..end.max(start)
}

fn mutate(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(6) {
        if bytes.is_empty() {
            break;
        }
        let at = numbers.below(bytes.len());
        match numbers.below(10) {
            0 => bytes[at] = numbers.below(256) as u8,
            1 => bytes[at] = SIGNS[numbers.below(SIGNS.len())],
            2 => bytes.truncate(at),
            3 | 4 => {
                let edge = numbers.of(&EDGES);
                drop(bytes.splice(piece(&bytes, at), edge.bytes()));
            }
            5 => {
                // A piece many times over, as lists that do not end and nesting that does not.
                let copied = bytes[piece(&bytes, at).start..].iter().take(40).copied().collect::<Vec<u8>>();
                let many = copied.repeat(1 + numbers.below(200));
                drop(bytes.splice(at..at, many));
            }
            6 => {
                let line = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                let end = bytes[at..]
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(bytes.len(), |end| at + end + 1);
                let copied = bytes[line..end].to_vec();
                drop(bytes.splice(line..line, copied));
            }
            7 => drop(bytes.drain(piece(&bytes, at))),
            8 => {
                let other = &corpus[numbers.below(corpus.len())];
                let from = numbers.below(other.len());
                let length = numbers.below(200).min(other.len() - from);
                drop(bytes.splice(at..at, other[from..from + length].iter().copied()));
            }
            _ => {
                let (one, other) = (piece(&bytes, at), numbers.below(bytes.len()));
                let copied = bytes[piece(&bytes, other)].to_vec();
                drop(bytes.splice(one, copied));
            }
        }
        bytes.truncate(1 << 20);
    }
    bytes
}

/// Shows the bytes to everything that reads what users have.
fn read_everywhere(bytes: &[u8]) {
    let file = InputFile { name: "f", bytes };
    for format in IMPORTERS.iter().map(|importer| Some(importer.name)).chain([None]) {
        let Some(estate) = import(&[file, file], format, "fuzz").estate else { continue };
        let written = estate.to_json();
        // What is read says at most so much more than what was given, whatever was given.
        assert!(written.len() < 4_000 * (bytes.len() + 1_000), "{} bytes of {}", written.len(), bytes.len());
        let (again, _) = carafe_model::document::read::<Estate>("f", written.as_bytes());
        assert_eq!(again.as_ref(), Some(&estate), "what is written is read again");
        let graph = DependencyGraph::of(&estate);
        let proposals = analysis::apps(&estate, &graph);
        analysis::findings(&estate, &graph, "f");
        draw::write(&estate, &graph, &proposals, draw::Form::Svg, None);
        anonymise(estate, &[], &mut Map::default());
    }
    let mut estate = Estate::empty("fuzz");
    let mut web = Host::named("web");
    web.nics = vec![Nic { name: "eth0".into(), addresses: vec!["10.0.0.1/24".into()], ..Nic::default() }];
    estate.hosts = vec![web, Host::named("db")];
    for format in FLOW_FORMATS.iter().map(|format| Some(format.name)).chain([None]) {
        flows::add(&mut estate.clone(), &[file], format, Some(60), &mut Vec::new());
    }
    for format in USAGE_FORMATS.iter().map(|format| Some(format.name)).chain([None]) {
        usage::add(&mut estate.clone(), &[file], format, None, &mut Vec::new());
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = ColumnMap::read("f", &text);
    if let (Some(changes), _) = carafe_model::document::read("f", bytes) {
        overrides::apply(&mut estate, &changes, "f", &mut Vec::new());
    }
}

/// How long one file may take in a long run, on a busy machine and without optimisation; all take some milliseconds.
const LONGEST: Duration = Duration::from_secs(120);

#[test]
fn changed_files_are_survived_by_everything_that_reads() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("CARAFE_FUZZ_SECONDS");
    let seed = number("CARAFE_FUZZ_SEED").unwrap_or(1);
    let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (corpus, start) = (corpus(), Instant::now());
    let mut count = 0;
    while match seconds {
        Some(seconds) => start.elapsed() < Duration::from_secs(seconds),
        None => count < 60,
    } {
        let bytes = mutate(&corpus, &mut numbers);
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read_everywhere(&bytes)));
        count += 1;
        if outcome.is_err() || seconds.is_some() && begun.elapsed() > LONGEST {
            let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{seed}-{count}"));
            std::fs::write(&path, &bytes).expect("the build's folder can be written");
            panic!(
                "file {count} of seed {seed} failed after {:?}; it is {}",
                begun.elapsed(),
                path.display()
            );
        }
    }
    println!("{count} files of seed {seed} in {:?}", start.elapsed());
}
