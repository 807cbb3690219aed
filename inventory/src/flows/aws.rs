//! AWS VPC flow logs: fields in the order of the header line, or else those of version 2.

use std::net::{IpAddr, Ipv4Addr};

use carafe_model::finding::{Finding, Place};

use super::traffic::{Opener, Record, Traffic};
use crate::glance::Glance;
use crate::input::InputFile;
use crate::text::clip;

/// The order of version 2, which has no header when it comes from CloudWatch.
const VERSION_2: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

/// The most fields of a line; version 10 has about forty.
const MOST_FIELDS: usize = 64;

/// Whether the first line is a header with the fields of a log, or a record of version 2.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    let line = glance.head.trim_start().lines().next().unwrap_or_default();
    let fields: Vec<&str> = line.split_whitespace().collect();
    let is_header = fields.contains(&"srcaddr") && fields.contains(&"dstaddr") && !line.contains(',');
    let is_record = fields.len() >= VERSION_2.len()
        && fields[2].starts_with("eni-")
        && matches!(fields[13], "OK" | "NODATA" | "SKIPDATA");
    is_header || is_record
}

/// Where the fields stand.
struct Fields {
    source: usize,
    destination: usize,
    packet_source: usize,
    packet_destination: usize,
    source_service: usize,
    destination_service: usize,
    source_port: usize,
    destination_port: usize,
    protocol: usize,
    bytes: usize,
    start: usize,
    end: usize,
    action: usize,
    status: usize,
    interface: usize,
    flags: usize,
}

impl Fields {
    fn of<'h>(header: impl Iterator<Item = &'h str> + Clone) -> Fields {
        let at = |name: &str| header.clone().position(|field| field == name).unwrap_or(MOST_FIELDS);
        Fields {
            source: at("srcaddr"),
            destination: at("dstaddr"),
            packet_source: at("pkt-srcaddr"),
            packet_destination: at("pkt-dstaddr"),
            source_service: at("pkt-src-aws-service"),
            destination_service: at("pkt-dst-aws-service"),
            source_port: at("srcport"),
            destination_port: at("dstport"),
            protocol: at("protocol"),
            bytes: at("bytes"),
            start: at("start"),
            end: at("end"),
            action: at("action"),
            status: at("log-status"),
            interface: at("interface-id"),
            flags: at("tcp-flags"),
        }
    }
}

/// Reads a log.
pub(super) fn read(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let mut fields = Fields::of(VERSION_2.into_iter());
    let (mut bad, mut first_bad) = (0_u64, None);
    let mut lines = Lines { rest: file.bytes, values: [b""; MOST_FIELDS], count: 0 };
    let mut number = 0_u64;
    while let Some(line) = lines.next() {
        number += 1;
        if lines.count == 0 || record(&fields, &lines, traffic).is_some() {
            continue;
        }
        // What is no record may say how the next ones are to be read.
        if lines.values[..lines.count].contains(&&b"srcaddr"[..]) {
            let text = String::from_utf8_lossy(line).into_owned();
            fields = Fields::of(text.split_whitespace());
            continue;
        }
        bad += 1;
        first_bad.get_or_insert_with(|| (number, String::from_utf8_lossy(line).into_owned()));
    }
    if let Some((number, line)) = first_bad {
        findings.push(
            Finding::warning("INV-6007", format!("no records: {bad} lines, the first \"{}\"", clip(&line)))
                .at(Place::file(file.name).row(u32::try_from(number).unwrap_or(u32::MAX)))
                .help("left out; a log in an order of its own needs its header line"),
        );
    }
}

/// Lines of a log, cut into fields in one pass and without copies: a day of a large network has a billion of them.
struct Lines<'b> {
    rest: &'b [u8],
    values: [&'b [u8]; MOST_FIELDS],
    count: usize,
}

impl<'b> Lines<'b> {
    /// Cuts the next line and returns it.
    fn next(&mut self) -> Option<&'b [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.count = 0;
        let (mut start, mut end) = (0, self.rest.len());
        for (at, byte) in self.rest.iter().enumerate() {
            if *byte > b' ' {
                continue;
            }
            if matches!(byte, b' ' | b'\r' | b'\n') {
                self.field(start, at);
                start = at + 1;
            }
            if *byte == b'\n' {
                end = at;
                break;
            }
        }
        if end == self.rest.len() {
            self.field(start, end);
        }
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line)
    }

    fn field(&mut self, start: usize, end: usize) {
        if start < end && self.count < MOST_FIELDS {
            self.values[self.count] = &self.rest[start..end];
            self.count += 1;
        }
    }

    /// A field of the line; `-` where there is none.
    fn get(&self, at: usize) -> &'b [u8] {
        if at < self.count { self.values[at] } else { b"-" }
    }
}

/// Adds one line; `None` when it is no record.
fn record(fields: &Fields, line: &Lines<'_>, traffic: &mut Traffic) -> Option<()> {
    let get = |at: usize| line.get(at);
    let number = |at: usize| number(get(at));
    if let (Some(start), Some(end)) = (number(fields.start), number(fields.end)) {
        traffic.covers(i64::try_from(start).ok()?, i64::try_from(end).ok()?);
    }
    if matches!(get(fields.status), b"NODATA" | b"SKIPDATA") {
        return Some(());
    }
    if get(fields.action) == b"REJECT" {
        traffic.refused += 1;
        return Some(());
    }
    let known = |at: usize, other: usize| if get(at) == b"-" { get(other) } else { get(at) };
    let source = address(known(fields.packet_source, fields.source))?;
    let destination = address(known(fields.packet_destination, fields.destination))?;
    let mut end = |address: IpAddr, service: usize| match get(service) {
        b"-" => traffic.address(address),
        service => Some(traffic.name(&format!("AWS {}", String::from_utf8_lossy(service)))),
    };
    let ends = (end(source, fields.source_service), end(destination, fields.destination_service));
    let (Some(source), Some(destination)) = ends else { return Some(()) };
    let port = |at: usize| number(at).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    // Flags are those of all packets of the window: SYN alone is who opens, SYN and ACK who answers.
    let opener = match number(fields.flags).map(|flags| flags & 18) {
        Some(2) => Opener::Source,
        Some(18) => Opener::Destination,
        Some(_) | None => Opener::Unknown,
    };
    let reporter = traffic.reporter(get(fields.interface));
    traffic.add(Record {
        source,
        destination,
        source_port: port(fields.source_port),
        destination_port: port(fields.destination_port),
        protocol: number(fields.protocol).and_then(|number| u8::try_from(number).ok()).unwrap_or(0),
        bytes: number(fields.bytes),
        bytes_back: None,
        reporter,
        opener,
    });
    Some(())
}

/// A whole number; `None` for anything else.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter()
        .try_fold(0_u64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0')))
}

fn address(text: &[u8]) -> Option<IpAddr> {
    if text.contains(&b':') {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let (mut bits, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 => {
                bits = bits << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
        if octet > 255 || digits > 3 || dots > 3 {
            return None;
        }
    }
    (dots == 3 && digits > 0).then(|| IpAddr::V4(Ipv4Addr::from_bits(bits << 8 | octet)))
}
