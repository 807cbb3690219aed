//! What a Linux host knows of its connections: `ss`, and the kernel's table of tracked connections.
//!
//! Bytes in them are since a connection was opened, and when that was is not told; volumes stay unknown.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use carafe_model::finding::{Finding, Place};

use super::traffic::{Opener, Record, Traffic};
use crate::encoding;
use crate::glance::Glance;
use crate::input::InputFile;
use crate::text::clip;

/// States of TCP and UDP sockets as `ss` prints them.
const STATES: [&str; 13] = [
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "UNCONN",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "ESTABLISHED",
    "CLOSED",
];

/// One socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// IANA number: 6 or 17.
    pub protocol: u8,
    /// As printed: `ESTAB`, `LISTEN`, `UNCONN`.
    pub state: String,
    /// Its own end; `None` for any address.
    pub local: (Option<IpAddr>, u16),
    /// The other end; `None` for any address, port 0 for any port.
    pub peer: (Option<IpAddr>, u16),
    /// Name and number of the first process that has it, where the reader may see it.
    pub process: Option<(String, u32)>,
    /// The socket's number in the kernel, which stays while it lives.
    pub inode: Option<u64>,
    /// Bytes sent since it was opened.
    pub sent: Option<u64>,
    /// Bytes received since it was opened.
    pub received: Option<u64>,
    /// The line it stands on, from 1.
    pub line: u32,
}

impl Socket {
    /// Whether it waits for connections.
    pub fn is_listening(&self) -> bool {
        match self.protocol {
            17 => self.state == "UNCONN" && self.peer.1 == 0,
            _ => self.state == "LISTEN",
        }
    }

    /// Whether it is connected to a peer.
    pub fn is_connected(&self) -> bool {
        matches!(self.state.as_str(), "ESTAB" | "ESTABLISHED") && self.peer.0.is_some()
    }
}

/// Reads what `ss` printed, with or without header, extended and internal information. Lines of other kinds of sockets
/// are passed over.
pub fn sockets(text: &str) -> Vec<Socket> {
    let mut found: Vec<Socket> = Vec::new();
    let mut is_ours = false;
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().take(12).collect();
        let state_at = words.iter().take(2).position(|word| STATES.contains(word));
        let is_socket = !line.starts_with(char::is_whitespace) && state_at.is_some();
        if let (true, Some(at)) = (is_socket, state_at) {
            let protocol = match words[0] {
                "tcp" | "tcp6" => Some(6),
                "udp" | "udp6" => Some(17),
                _ if at == 0 => Some(6),
                _ => None,
            };
            let ends = (words.get(at + 3).and_then(|w| end(w)), words.get(at + 4).and_then(|w| end(w)));
            is_ours = false;
            if let (Some(protocol), (Some(local), Some(peer))) = (protocol, ends) {
                found.push(Socket {
                    protocol,
                    state: words[at].to_owned(),
                    local,
                    peer,
                    process: process(line),
                    inode: value(line, "ino:"),
                    sent: None,
                    received: None,
                    line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                });
                is_ours = true;
            }
        }
        // Counts stand on the line below, or on the same one with -O.
        if let Some(last) = found.last_mut().filter(|_| is_ours) {
            last.sent =
                last.sent.or_else(|| value(line, "bytes_sent:")).or_else(|| value(line, "bytes_acked:"));
            last.received = last.received.or_else(|| value(line, "bytes_received:"));
        }
    }
    found
}

/// `10.0.0.1:22`, `[::1]:22`, `*:22`, `10.0.0.1%eth0:22`, `[fe80::1]%eth0:22`.
fn end(text: &str) -> Option<(Option<IpAddr>, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let port = if port == "*" { 0 } else { port.parse().ok()? };
    let address = address.split('%').next()?.trim_start_matches('[').trim_end_matches(']');
    if address == "*" {
        return Some((None, port));
    }
    let address: IpAddr = address.parse().ok()?;
    let address = SocketAddr::new(address, port).ip().to_canonical();
    Some(((!address.is_unspecified()).then_some(address), port))
}

fn process(line: &str) -> Option<(String, u32)> {
    let (_, rest) = line.split_once("users:((\"")?;
    let (name, rest) = rest.split_once('"')?;
    let (_, pid) = rest.split_once("pid=")?;
    let digits = pid.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((clip(name), digits.parse().ok()?))
}

fn value(line: &str, key: &str) -> Option<u64> {
    let (_, rest) = line.split_once(key)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether a line near the start is a socket.
pub(super) fn sniff_ss(glance: &Glance<'_>) -> bool {
    glance.head.lines().take(20).any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(6).collect();
        let at = words.iter().take(2).position(|word| STATES.contains(word));
        at.is_some_and(|at| words.get(at + 3).is_some_and(|word| end(word).is_some()))
    })
}

/// Reads the sockets of one host. A local port that listens makes a connection an incoming one.
pub(super) fn read_ss(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let text = encoding::text(file, findings);
    let sockets = sockets(&text);
    if sockets.is_empty() {
        findings.push(
            Finding::warning("INV-6008", "no socket in the file")
                .at(Place::file(file.name))
                .help("write it with: ss -tunap"),
        );
    }
    add_sockets(&sockets, None, traffic);
}

/// Adds the connections among sockets. `local` is what the host is called, where that is known better than by address.
pub fn add_sockets(sockets: &[Socket], local: Option<u32>, traffic: &mut Traffic) {
    let listening: BTreeSet<(u8, u16)> = sockets
        .iter()
        .filter(|socket| socket.is_listening())
        .map(|socket| (socket.protocol, socket.local.1))
        .collect();
    for socket in sockets.iter().filter(|socket| socket.is_connected()) {
        let (Some(here), Some(there)) = (socket.local.0, socket.peer.0) else { continue };
        let (here_end, there_end) = (traffic.address(here), traffic.address(there));
        let (Some(here_end), Some(there_end)) = (here_end.and(local).or(here_end), there_end) else {
            continue;
        };
        let is_incoming = listening.contains(&(socket.protocol, socket.local.1));
        traffic.add(Record {
            source: here_end,
            destination: there_end,
            source_port: socket.local.1,
            destination_port: socket.peer.1,
            protocol: socket.protocol,
            bytes: None,
            bytes_back: None,
            reporter: 0,
            opener: if is_incoming { Opener::Destination } else { Opener::Source },
        });
    }
}

/// Whether a line near the start is a tracked connection.
pub(super) fn sniff_conntrack(glance: &Glance<'_>) -> bool {
    glance
        .head
        .lines()
        .take(20)
        .any(|line| line.contains(" src=") && line.contains(" dst=") && line.matches(" src=").count() == 2)
}

/// Reads the kernel's table. The first half of a line is who opened the connection to whom, the second is how answers
/// come back, which shows the server behind a translated address.
pub(super) fn read_conntrack(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let text = encoding::text(file, findings);
    let (mut bad, mut first_bad) = (0_u64, None);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if add_tracked(line, traffic).is_none() {
            bad += 1;
            first_bad.get_or_insert((number, clip(line)));
        }
    }
    if let Some((number, line)) = first_bad {
        findings.push(
            Finding::warning("INV-6007", format!("no records: {bad} lines, the first \"{line}\""))
                .at(Place::file(file.name).row(u32::try_from(number + 1).unwrap_or(u32::MAX)))
                .help("left out; write the table with: conntrack -L -o extended"),
        );
    }
}

fn values<'l>(line: &'l str, key: &'static str) -> impl Iterator<Item = &'l str> {
    line.split_whitespace().filter_map(move |word| word.strip_prefix(key))
}

fn add_tracked(line: &str, traffic: &mut Traffic) -> Option<()> {
    let protocol = line.split_whitespace().find_map(|word| match word {
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" | "icmpv6" => Some(1),
        _ => None,
    })?;
    // The second source is who answers, which is the server itself where its address was translated.
    let (mut sources, mut ports) = (values(line, "src="), values(line, "sport="));
    let client: IpAddr = sources.next()?.parse().ok()?;
    let server: IpAddr = sources.next()?.parse().ok()?;
    // A connection that nobody answered transfers nothing.
    if line.contains("[UNREPLIED]") {
        traffic.refused += 1;
        return Some(());
    }
    let client_port = ports.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let server_port = ports.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let (Some(source), Some(destination)) = (traffic.address(client), traffic.address(server)) else {
        return Some(());
    };
    traffic.add(Record {
        source,
        destination,
        source_port: client_port,
        destination_port: server_port,
        protocol,
        bytes: None,
        bytes_back: None,
        reporter: 0,
        opener: Opener::Source,
    });
    Some(())
}
