//! AWS VPC flow logs: fields in the order of the header line, or else those of version 2.

use std::net::{IpAddr, Ipv4Addr};

use carafe_model::finding::{Finding, Place};

use super::traffic::{End, Opener, Record, Traffic};
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
    let mut values: [&[u8]; MOST_FIELDS + 1] = [b"-"; MOST_FIELDS + 1];
    for (number, line) in file.bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let mut count = 0;
        for value in line.split(|byte| *byte == b' ').filter(|value| !value.is_empty()).take(MOST_FIELDS) {
            values[count] = value;
            count += 1;
        }
        values[count..].fill(b"-");
        if values[..count].contains(&&b"srcaddr"[..]) {
            let text = String::from_utf8_lossy(line).into_owned();
            fields = Fields::of(text.split_whitespace());
            continue;
        }
        if record(&fields, &values, traffic).is_none() {
            bad += 1;
            first_bad.get_or_insert((number, String::from_utf8_lossy(line).into_owned()));
        }
    }
    if let Some((number, line)) = first_bad {
        findings.push(
            Finding::warning("INV-6007", format!("no records: {bad} lines, the first \"{}\"", clip(&line)))
                .at(Place::file(file.name).row(u32::try_from(number + 1).unwrap_or(u32::MAX)))
                .help("left out; a log in an order of its own needs its header line"),
        );
    }
}

/// Adds one line; `None` when it is no record.
fn record(fields: &Fields, values: &[&[u8]], traffic: &mut Traffic) -> Option<()> {
    let get = |at: usize| values[at.min(MOST_FIELDS)];
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
        service => Some(traffic.end(End::Name(format!("AWS {}", String::from_utf8_lossy(service))))),
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
    let mut octets = [0_u8; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        *octet = u8::try_from(number(parts.next()?)?).ok()?;
    }
    parts.next().is_none().then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}
