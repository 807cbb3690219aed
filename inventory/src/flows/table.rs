//! Tables of flows: what collectors of NetFlow and IPFIX write as CSV, dependencies of Azure Migrate and of AWS Application
//! Discovery, and tables made by hand. Tables without bytes give flows of unknown volume.

use std::cell::LazyCell;
use std::net::IpAddr;

use carafe_model::finding::Finding;

use super::traffic::{Opener, Record, Traffic};
use crate::delimited::Delimited;
use crate::glance::{Form, Glance};
use crate::input::InputFile;
use crate::number;
use crate::series;
use crate::text::{clip, known};

const SOURCE: &[&str] = &[
    "src",
    "source",
    "sa",
    "srcaddr",
    "srcip",
    "sourceip",
    "sourceaddress",
    "sourceipaddress",
    "sourceipv4address",
    "ipv4srcaddr",
    "sip",
    "from",
    "client",
];
const SOURCE_NAME: &[&str] = &["sourceservername", "sourcehost"];
const DESTINATION: &[&str] = &[
    "dst",
    "destination",
    "da",
    "dstaddr",
    "dstip",
    "destinationip",
    "destip",
    "destinationaddress",
    "destinationipaddress",
    "destinationipv4address",
    "ipv4dstaddr",
    "dip",
    "to",
    "server",
];
const DESTINATION_NAME: &[&str] = &["destinationservername", "destinationhost"];
const SOURCE_PORT: &[&str] = &["sp", "srcport", "sourceport", "sourcetransportport", "l4srcport", "sport"];
const PORT: &[&str] = &[
    "port",
    "dp",
    "dstport",
    "destinationport",
    "destport",
    "destinationtransportport",
    "l4dstport",
    "dport",
];
const PROTOCOL: &[&str] = &["protocol", "pr", "proto", "transportprotocol", "protocolidentifier"];
const BYTES: &[&str] = &["bytes", "ibyt", "inbytes", "octetdeltacount", "octets", "bytessent"];
const BYTES_BACK: &[&str] = &["bytesback", "obyt", "outbytes", "bytesreceived"];
const FIRST: &[&str] =
    &["firstseen", "ts", "first", "starttime", "start", "flowstartmilliseconds", "timeslot"];
const LAST: &[&str] = &["lastseen", "te", "last", "endtime", "end", "flowendmilliseconds"];
const WINDOW: &[&str] = &["windowseconds", "period"];

/// Whether there is a column for each end.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    let has = |keys: &[&str]| matches!(&glance.form, Form::Table(found) if keys.iter().any(|key| found.iter().any(|f| f == key)));
    (has(SOURCE) || has(SOURCE_NAME)) && (has(DESTINATION) || has(DESTINATION_NAME))
}

/// Reads a table.
pub(super) fn read(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let open = Delimited::open(file, findings);
    let source = [open.column(SOURCE_NAME), open.column(SOURCE)];
    let destination = [open.column(DESTINATION_NAME), open.column(DESTINATION)];
    if source == [None, None] || destination == [None, None] {
        findings.push(
            Finding::error("INV-6009", "the table has no columns for both ends of a flow")
                .at(open.place.clone().row(1))
                .help("call them src and dst; port, protocol, bytes, first_seen and last_seen may stand beside them"),
        );
        return;
    }
    let [source_port, port, protocol, bytes, back, first, last, window] =
        [SOURCE_PORT, PORT, PROTOCOL, BYTES, BYTES_BACK, FIRST, LAST, WINDOW].map(|keys| open.column(keys));
    // Most tables write whole numbers without signs, and then nobody asks how a fraction looks.
    let sign = LazyCell::new(|| open.sign());
    let reporter = traffic.reporter(file.name.as_bytes());
    let mut wrong: Vec<(u32, String)> = Vec::new();
    let mut torn = Vec::new();
    let mut times = [LastTime::default(), LastTime::default()];
    open.each_row(&mut torn, |line, record| {
        let text = |at: Option<usize>| known(record.get(at?)?);
        let count = |at: Option<usize>| {
            let text = text(at)?;
            if text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                return text.parse().ok();
            }
            let number = number::parse(text, *sign).ok()?;
            u64::try_from(number.value.0 / 1_000_000).ok()
        };
        let ends = [source, destination].map(|columns| columns.into_iter().find_map(text));
        let [Some(from), Some(to)] = ends else {
            wrong.push((line, "an end is missing".to_owned()));
            return;
        };
        let mut end = |text: &str| match text.split('/').next().unwrap_or_default().parse::<IpAddr>() {
            Ok(address) => traffic.address(address),
            Err(_) => Some(traffic.name(text)),
        };
        let (Some(from), Some(to)) = (end(from), end(to)) else { return };
        if let Some(start) = text(first).and_then(|text| times[0].of(text)) {
            let end = text(last).and_then(|text| times[1].of(text)).unwrap_or(start);
            traffic.covers(start, end.max(start));
        }
        if let Some(seconds) = count(window) {
            traffic.window(seconds);
        }
        let number = |at: Option<usize>| count(at).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        let has_both = text(source_port).is_some();
        traffic.add(Record {
            source: from,
            destination: to,
            source_port: number(source_port),
            destination_port: number(port),
            protocol: text(protocol).map_or(0, protocol_number),
            bytes: count(bytes),
            bytes_back: count(back),
            reporter,
            opener: if has_both { Opener::Unknown } else { Opener::Source },
        });
    });
    findings.append(&mut torn);
    if let Some((line, what)) = wrong.first() {
        findings.push(
            Finding::warning(
                "INV-6007",
                format!("no records: {} rows, the first since {}", wrong.len(), clip(what)),
            )
            .at(open.place.clone().row(*line))
            .help("left out; fill in both ends"),
        );
    }
}

/// Reads times of which many in a row are the same, as they are in the order of a log.
#[derive(Default)]
struct LastTime {
    text: String,
    time: Option<i64>,
}

impl LastTime {
    fn of(&mut self, text: &str) -> Option<i64> {
        if self.text != text {
            self.text.clear();
            self.text.push_str(text);
            self.time = series::time(text);
        }
        self.time
    }
}

fn protocol_number(text: &str) -> u8 {
    const NAMES: [(&str, u8); 7] =
        [("tcp", 6), ("t", 6), ("udp", 17), ("u", 17), ("icmp", 1), ("icmpv6", 58), ("icmp6", 58)];
    let named = NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    named.map_or_else(|| text.parse().unwrap_or(0), |(_, number)| *number)
}
