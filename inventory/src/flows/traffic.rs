//! Sums of traffic between ends, made as records come by.

#![expect(clippy::disallowed_types, reason = "millions of look-ups; everything is sorted before it gets out")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

/// One end of traffic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Who sent, as [`Traffic::end`] numbers it.
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

/// Who speaks to whom: client, server, port, protocol.
type Pair = (u32, u32, u16, u8);

/// Bytes of one pair as one reporter counted them.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    forward: Option<u64>,
    back: Option<u64>,
}

/// One edge, all reporters taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub client: End,
    pub server: End,
    pub port: Option<u16>,
    pub protocol: u8,
    pub forward: Option<u64>,
    pub back: Option<u64>,
}

/// All traffic so far.
#[derive(Default)]
pub struct Traffic {
    ends: Vec<End>,
    end_numbers: HashMap<End, u32>,
    reporters: HashMap<Vec<u8>, u32>,
    /// Ends and ports that are known to be connected to: by the flags of a record, or since they listen.
    servers: HashSet<(u32, u16, u8)>,
    sums: HashMap<(Pair, u32), Sum>,
    first: Option<i64>,
    last: Option<i64>,
    /// How long the records cover by their own word, where they carry no times.
    said: Option<u64>,
    /// Records read.
    pub records: u64,
    /// Records of traffic that was refused.
    pub refused: u64,
}

fn plus(sum: &mut Option<u64>, bytes: Option<u64>) {
    if let Some(bytes) = bytes {
        *sum = Some(sum.unwrap_or(0).saturating_add(bytes));
    }
}

impl Traffic {
    /// The number of an end.
    pub fn end(&mut self, end: End) -> u32 {
        if let Some(number) = self.end_numbers.get(&end) {
            return *number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ends.push(end.clone());
        self.end_numbers.insert(end, number);
        number
    }

    /// The number of an address, without those that mean nothing beyond their own host or wire.
    pub fn address(&mut self, address: IpAddr) -> Option<u32> {
        let is_peer = match address {
            IpAddr::V4(v4) => !v4.is_broadcast(),
            IpAddr::V6(_) => true,
        };
        let is_peer = is_peer && !address.is_multicast() && crate::normalise::is_reachable(address);
        is_peer.then(|| self.end(End::Address(address)))
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
        self.servers.insert((end, port, protocol));
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
        let to_destination = match record.opener {
            Opener::Source => {
                self.servers.insert((destination, destination_port, protocol));
                true
            }
            Opener::Destination => {
                self.servers.insert((source, source_port, protocol));
                false
            }
            Opener::Unknown if self.servers.contains(&(destination, destination_port, protocol)) => true,
            Opener::Unknown if self.servers.contains(&(source, source_port, protocol)) => false,
            Opener::Unknown => source_port == 0 || destination_port != 0 && destination_port <= source_port,
        };
        let (pair, forward, back) = match to_destination {
            true => ((source, destination, destination_port, protocol), record.bytes, record.bytes_back),
            false => ((destination, source, source_port, protocol), record.bytes_back, record.bytes),
        };
        let sum = self.sums.entry((pair, record.reporter)).or_default();
        plus(&mut sum.forward, forward);
        plus(&mut sum.back, back);
    }

    /// All edges in order. Where several reporters counted the same traffic, the largest count holds.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let mut pairs: BTreeMap<Pair, Sum> = BTreeMap::new();
        for ((pair, _), sum) in &self.sums {
            let known = pairs.entry(*pair).or_default();
            known.forward = known.forward.max(sum.forward);
            known.back = known.back.max(sum.back);
        }
        let end = |number: u32| self.ends[number as usize].clone();
        let mut edges: Vec<Edge> = pairs
            .into_iter()
            .map(|((client, server, port, protocol), sum)| Edge {
                client: end(client),
                server: end(server),
                port: (port > 0).then_some(port),
                protocol,
                forward: sum.forward,
                back: sum.back,
            })
            .collect();
        edges.sort_by(|one, other| {
            let key = |edge: &Edge| (edge.client.clone(), edge.server.clone(), edge.port, edge.protocol);
            key(one).cmp(&key(other))
        });
        edges
    }
}
