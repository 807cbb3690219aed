//! Sums of traffic between ends, made as records come by.

#![expect(clippy::disallowed_types, reason = "millions of look-ups; everything is sorted before it gets out")]

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use foldhash::quality::RandomState;

/// One end of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By its address.
    Address(IpAddr),
    /// By what a source calls it: a host, or a service of a cloud.
    Name(String),
}

/// Which end of a record opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The one that sent what the record counts.
    Source,
    /// The one that got it.
    Destination,
    /// The record does not tell.
    Unknown,
}

/// What one line of a log says: something was sent from one end to another.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Who sent, as [`Traffic::address`] or [`Traffic::name`] numbers it.
    pub source: u32,
    /// Who got it.
    pub destination: u32,
    /// Port of the source; 0 when it is not known.
    pub source_port: u16,
    /// Port of the destination; 0 when it is not known.
    pub destination_port: u16,
    /// IANA number of the protocol; 0 when it is not known.
    pub protocol: u8,
    /// Bytes from source to destination; `None` when they are not known.
    pub bytes: Option<u64>,
    /// Bytes from destination to source, for records of both directions.
    pub bytes_back: Option<u64>,
    /// Who counted, as [`Traffic::reporter`] numbers it: both ends of a connection may.
    pub reporter: u32,
    /// Who opened the connection.
    pub opener: Opener,
}

/// Bytes of one pair as one reporter counted them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) forward: Option<u64>,
    pub(super) back: Option<u64>,
}

/// One edge, all reporters taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Who opens the connection: its place in [`Traffic::ends`].
    pub client: u32,
    /// Who is connected to.
    pub server: u32,
    pub port: Option<u16>,
    pub protocol: u8,
    pub forward: Option<u64>,
    pub back: Option<u64>,
}

/// All traffic so far. Keys are packed into whole numbers, since each record looks up six of them.
#[derive(Default)]
pub struct Traffic {
    /// Every end, in the order in which they came.
    pub(super) ends: Vec<End>,
    /// Numbers of addresses, IPv4 as IPv6 maps it; `None` for those that mean nothing here.
    addresses: HashMap<u128, Option<u32>, RandomState>,
    names: HashMap<String, u32, RandomState>,
    reporters: HashMap<Vec<u8>, u32, RandomState>,
    /// Ends and ports that are known to be connected to: by the flags of a record, or since they listen.
    servers: HashSet<u64, RandomState>,
    /// By client, server, port, protocol and reporter.
    sums: HashMap<u128, Sum, RandomState>,
    first: Option<i64>,
    last: Option<i64>,
    /// How long the records cover by their own word, where they carry no times.
    said: Option<u64>,
    /// Records read.
    pub records: u64,
    /// Records of traffic that was refused.
    pub refused: u64,
}

/// The key of an end and a port of it.
fn service(end: u32, port: u16, protocol: u8) -> u64 {
    u64::from(end) << 24 | u64::from(port) << 8 | u64::from(protocol)
}

/// Adds bytes to a sum; what is unknown adds nothing.
pub(super) fn plus(sum: &mut Option<u64>, bytes: Option<u64>) {
    if let Some(bytes) = bytes {
        *sum = Some(sum.unwrap_or(0).saturating_add(bytes));
    }
}

impl Traffic {
    /// The number of an end that is known by name.
    pub fn name(&mut self, name: &str) -> u32 {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = self.add_end(End::Name(name.to_owned()));
        self.names.insert(name.to_owned(), number);
        number
    }

    /// The number of an address, without those that mean nothing beyond their own host or wire. An IPv4 address that is
    /// written as an IPv6 one is the same address.
    pub fn address(&mut self, address: IpAddr) -> Option<u32> {
        let address = address.to_canonical();
        let key = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        if let Some(number) = self.addresses.get(&key) {
            return *number;
        }
        let is_peer = match address {
            IpAddr::V4(v4) => !v4.is_broadcast(),
            IpAddr::V6(_) => true,
        };
        let is_peer = is_peer && !address.is_multicast() && crate::normalise::is_reachable(address);
        let number = is_peer.then(|| self.add_end(End::Address(address)));
        self.addresses.insert(key, number);
        number
    }

    fn add_end(&mut self, end: End) -> u32 {
        self.ends.push(end);
        u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX)
    }

    /// The number of a reporter: an interface, or one side of a log.
    pub fn reporter(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.reporters.get(name) {
            return *number;
        }
        let number = u32::try_from(self.reporters.len() + 1).unwrap_or(u32::MAX);
        self.reporters.insert(name.to_vec(), number);
        number
    }

    /// Remembers that a port of an end is connected to.
    pub fn listens(&mut self, end: u32, port: u16, protocol: u8) {
        self.servers.insert(service(end, port, protocol));
    }

    /// Widens the time that the records cover, in seconds since 1970.
    pub fn covers(&mut self, from: i64, to: i64) {
        self.first = Some(self.first.map_or(from, |first| first.min(from)));
        self.last = Some(self.last.map_or(to, |last| last.max(to)));
    }

    /// Takes it that the records cover at least so many seconds, where they carry no times.
    pub fn window(&mut self, seconds: u64) {
        self.said = self.said.max(Some(seconds).filter(|seconds| *seconds > 0));
    }

    /// How long the records cover.
    pub(super) fn seconds(&self) -> Option<u64> {
        let between = self.first.zip(self.last).map(|(first, last)| last.saturating_sub(first));
        between.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0).or(self.said)
    }

    /// Adds a record.
    ///
    /// The server is the end that did not open the connection; where nobody tells, it is one already known to be connected
    /// to, or else the end with the lower port, since ports of clients are high.
    pub fn add(&mut self, record: Record) {
        self.records += 1;
        let Record { source, destination, source_port, destination_port, protocol, .. } = record;
        if source == destination {
            return;
        }
        let at_destination = service(destination, destination_port, protocol);
        let at_source = service(source, source_port, protocol);
        let to_destination = match record.opener {
            Opener::Source => {
                self.servers.insert(at_destination);
                true
            }
            Opener::Destination => {
                self.servers.insert(at_source);
                false
            }
            Opener::Unknown if self.servers.contains(&at_destination) => true,
            Opener::Unknown if self.servers.contains(&at_source) => false,
            Opener::Unknown => source_port == 0 || destination_port != 0 && destination_port <= source_port,
        };
        let (client, served, forward, back) = match to_destination {
            true => (source, at_destination, record.bytes, record.bytes_back),
            false => (destination, at_source, record.bytes_back, record.bytes),
        };
        let key = u128::from(client) << 96 | u128::from(served) << 32 | u128::from(record.reporter);
        let sum = self.sums.entry(key).or_default();
        plus(&mut sum.forward, forward);
        plus(&mut sum.back, back);
    }

    /// All edges. Where several reporters counted the same traffic, the largest count holds.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let mut sums: Vec<(u128, Sum)> = self.sums.iter().map(|(key, sum)| (*key >> 32, *sum)).collect();
        sums.sort_unstable_by_key(|(key, _)| *key);
        sums.dedup_by(|next, first| {
            let is_same = next.0 == first.0;
            if is_same {
                first.1.forward = first.1.forward.max(next.1.forward);
                first.1.back = first.1.back.max(next.1.back);
            }
            is_same
        });
        let edge = |(key, sum): (u128, Sum)| {
            let port = (key >> 8) as u16;
            Edge {
                client: (key >> 64) as u32,
                server: (key >> 24) as u32,
                port: (port > 0).then_some(port),
                protocol: key as u8,
                forward: sum.forward,
                back: sum.back,
            }
        };
        sums.into_iter().map(edge).collect()
    }
}
