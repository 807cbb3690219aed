//! Who talks to whom: connections that hosts saw, brought together from both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use carafe_model::estate::{Endpoint, Flow};
use carafe_model::finding::Place;
use carafe_model::host::Nic;
use carafe_model::ids::HostId;
use carafe_model::units::Quantity;

use super::samples;
use super::sections::Sections;
use super::software;
use crate::normalise::{bare_address, is_reachable};
use crate::raw::At;

/// What one host saw.
pub(super) struct Seen {
    key: String,
    addresses: BTreeSet<IpAddr>,
    /// Ports it listens on, by protocol.
    listening: BTreeSet<(&'static str, u16)>,
    /// Established TCP connections by local and remote end.
    connections: BTreeMap<(SocketAddr, SocketAddr), Counted>,
    /// What the kernel's connection tracking knows beyond that: protocol, client, server.
    tracked: BTreeSet<(&'static str, SocketAddr, SocketAddr)>,
    /// The connection over which the host was collected, seen from its client.
    own: Option<(SocketAddr, SocketAddr)>,
    /// Milliseconds between the first sample and the last.
    window: u64,
}

/// Bytes that a connection carried while it was watched: sent and received by the host that saw it.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Counters at the sample before the first that is counted; nothing for a connection opened meanwhile.
    base: (u64, u64),
    /// Counters at the last sample; absent where the kernel keeps none.
    last: Option<(u64, u64)>,
}

impl Counted {
    fn bytes(&self) -> Option<(u64, u64)> {
        let last = self.last?;
        Some((last.0.saturating_sub(self.base.0), last.1.saturating_sub(self.base.1)))
    }
}

/// Reads what a host saw.
pub(super) fn seen(key: &str, nics: &[Nic], sections: &Sections<'_>) -> Seen {
    let addresses: BTreeSet<IpAddr> =
        nics.iter().flat_map(|nic| &nic.addresses).filter_map(|text| bare_address(text)).collect();
    let mut seen = Seen {
        key: key.to_owned(),
        listening: software::listening(sections).map(|(protocol, end)| (protocol, end.port())).collect(),
        connections: BTreeMap::new(),
        tracked: BTreeSet::new(),
        own: sections.value("machine", "connection").and_then(own_connection),
        window: 0,
        addresses,
    };
    seen.read_samples(sections);
    seen.read_tracked(sections);
    seen
}

/// `SSH_CONNECTION`: client address and port, server address and port.
fn own_connection(text: &str) -> Option<(SocketAddr, SocketAddr)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [client, client_port, server, server_port] = words.as_slice() else { return None };
    let end = |address: &str, port: &str| Some(end(address.parse().ok()?, port.parse().ok()?));
    Some((end(client, client_port)?, end(server, server_port)?))
}

/// One form for an end: IPv4 inside IPv6 is IPv4.
fn end(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address.to_canonical(), port)
}

/// An end as `ss` writes it: `10.0.0.1:80`, `10.0.0.1%eth0:80`, `[::ffff:10.0.0.1]:80`, `*:80`.
pub(super) fn ss_end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.split('%').next().unwrap_or_default();
    let address = match address {
        "*" => IpAddr::from([0, 0, 0, 0]),
        address => address.trim_end_matches(']').parse().ok()?,
    };
    Some(end(address, port.parse().ok()?))
}

/// An end as the kernel writes it in `/proc/net/tcp`: address in the machine's byte order, port in hexadecimal.
fn hex_end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    if !address.is_ascii() {
        return None;
    }
    let words: Vec<u8> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(&address[at * 8..at * 8 + 8], 16).ok())
        .collect::<Option<Vec<u32>>>()?
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let address = match words.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(words.as_slice()).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(words.as_slice()).ok()?),
        _ => return None,
    };
    Some(end(address, u16::from_str_radix(port, 16).ok()?))
}

impl Seen {
    fn read_samples(&mut self, sections: &Sections<'_>) {
        let lines = sections.lines("samples");
        // A connection that has carried nothing one way has no counter for it, but its neighbours have theirs.
        let counted = lines.iter().any(|line| line.starts_with("tcp ") && !line.ends_with(" - -"));
        let (mut first, mut last) = (None, 0);
        for line in lines {
            if let Some(at) = samples::instant(line) {
                first = first.or(Some(at));
                last = at;
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let (ends, counters) = match words.as_slice() {
                ["tcp", local, remote, sent, received] => {
                    let counter = |text: &str| text.parse::<u64>().unwrap_or_default();
                    ((ss_end(local), ss_end(remote)), counted.then(|| (counter(sent), counter(received))))
                }
                ["hex", local, remote] => ((hex_end(local), hex_end(remote)), None),
                ["listen", local] => {
                    self.listening.extend(hex_end(local).map(|end| ("tcp", end.port())));
                    continue;
                }
                _ => continue,
            };
            let (Some(local), Some(remote)) = ends else { continue };
            let is_first = first == Some(last);
            let connection = self.connections.entry((local, remote)).or_insert_with(|| Counted {
                base: counters.filter(|_| is_first).unwrap_or_default(),
                last: None,
            });
            connection.last = counters;
        }
        self.window = last.saturating_sub(first.unwrap_or(last));
    }

    /// `conntrack -L`: the way there with its ends, then the way back; they differ where addresses are translated.
    fn read_tracked(&mut self, sections: &Sections<'_>) {
        for line in sections.lines("conntrack") {
            let words: Vec<&str> = line.split_whitespace().collect();
            let protocol = match () {
                () if words.contains(&"udp") => "udp",
                () if words.contains(&"tcp") && words.contains(&"ESTABLISHED") => "tcp",
                () => continue,
            };
            let all = |key: &str| -> Vec<&str> {
                words.iter().filter_map(|word| word.strip_prefix(key)?.strip_prefix('=')).collect()
            };
            let (sources, targets, from, to) = (all("src"), all("dst"), all("sport"), all("dport"));
            let pair = |address: &str, port: &str| Some(end(address.parse().ok()?, port.parse().ok()?));
            let ends = |way: usize| {
                Some((pair(sources.get(way)?, from.get(way)?)?, pair(targets.get(way)?, to.get(way)?)?))
            };
            let (Some((source, target)), Some((answering, answered))) = (ends(0), ends(1)) else { continue };
            let is_own = |end: &SocketAddr| self.addresses.contains(&end.ip());
            // Behind a translation of the source stands a container of this host.
            let client = if is_own(&answered) { answered } else { source };
            // Behind a translation of the target stands another host, or a container of this one.
            let server = if is_own(&target) { target } else { answering };
            if is_own(&client) || is_own(&server) {
                self.tracked.insert((protocol, client, server));
            }
        }
    }

    /// Client and server of a connection, by who listens.
    fn direction(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        peer: Option<&Seen>,
    ) -> (SocketAddr, SocketAddr) {
        let here = self.listening.contains(&("tcp", local.port()));
        let there = peer.is_some_and(|peer| peer.listening.contains(&("tcp", remote.port())));
        let local_serves = match (here, there) {
            (true, false) => true,
            (false, true) => false,
            // Who listens is gone, unknown, or both do: services have the lower ports.
            (true, true) | (false, false) => local.port() < remote.port(),
        };
        if local_serves { (remote, local) } else { (local, remote) }
    }
}

/// What makes two connections one flow.
type Edge = (Endpoint, Endpoint, &'static str, u16);

/// GiB a month there and back, in millionths; unknown as soon as one connection's are.
type Volume = Option<(u128, u128)>;

/// Flows between the hosts, and from and to others. Traffic of a host with itself is none.
pub(super) fn flows(hosts: &[Seen], place: &Place) -> Vec<At<Flow>> {
    let mut owners: BTreeMap<IpAddr, Option<usize>> = BTreeMap::new();
    for (index, host) in hosts.iter().enumerate() {
        for address in &host.addresses {
            // An address that two hosts have names neither.
            owners.entry(*address).and_modify(|owner| *owner = None).or_insert(Some(index));
        }
    }
    let owner = |address: IpAddr| owners.get(&address).copied().flatten();
    let collecting: BTreeSet<(SocketAddr, SocketAddr)> = hosts.iter().filter_map(|host| host.own).collect();
    let mut once: BTreeMap<(&'static str, SocketAddr, SocketAddr), Volume> = BTreeMap::new();
    for host in hosts {
        for ((local, remote), counted) in &host.connections {
            let peer = owner(remote.ip()).map(|index| &hosts[index]);
            let (client, server) = host.direction(*local, *remote, peer);
            if collecting.contains(&(client, server)) {
                continue;
            }
            let monthly = host
                .monthly(counted)
                .map(|(sent, received)| if client == *local { (sent, received) } else { (received, sent) });
            let known = once.entry(("tcp", client, server)).or_default();
            // Both ends count the same bytes; the sample that saw more missed less.
            *known = (*known).max(monthly);
        }
    }
    for host in hosts {
        for (protocol, client, server) in &host.tracked {
            if !collecting.contains(&(*client, *server)) {
                once.entry((*protocol, *client, *server)).or_default();
            }
        }
    }
    let mut edges: BTreeMap<Edge, Volume> = BTreeMap::new();
    for ((protocol, client, server), volume) in once {
        let ends = [client, server].map(|end| owner(end.ip()));
        let speaks = is_reachable(client.ip()) && is_reachable(server.ip());
        if !speaks || ends == [None, None] || ends[0] == ends[1] {
            continue;
        }
        let named = |end: SocketAddr, index: Option<usize>, is_client: bool| match index {
            Some(index) => Endpoint::Host(HostId(hosts[index].key.clone())),
            // Visitors come from everywhere; a service that is used has an address worth keeping.
            None if is_client && is_public(end.ip()) => Endpoint::External("internet".to_owned()),
            None => Endpoint::External(end.ip().to_string()),
        };
        let edge = (named(client, ends[0], true), named(server, ends[1], false), protocol, server.port());
        let sum = edges.entry(edge).or_insert(Some((0, 0)));
        *sum = sum.zip(volume).map(|(sum, more)| (sum.0 + more.0, sum.1 + more.1));
    }
    let quantity = |millionths: u128| Quantity(i64::try_from(millionths).unwrap_or(i64::MAX));
    let flow = |((from, to, protocol, port), volume): (Edge, Volume)| Flow {
        from,
        to,
        protocol: Some(protocol.to_owned()),
        port: (port > 0).then_some(port),
        gib_month: volume.map(|(there, _)| quantity(there)),
        gib_month_back: volume.map(|(_, back)| quantity(back)),
        max_rtt_ms: None,
    };
    edges.into_iter().map(|edge| At::new(flow(edge), place.clone())).collect()
}

impl Seen {
    /// What a connection would carry in a month of 730 hours at the rate of the samples, in millionths of a GiB.
    fn monthly(&self, counted: &Counted) -> Volume {
        const MONTH: u128 = 730 * 3_600_000;
        let (sent, received) = counted.bytes()?;
        let window = u128::from(self.window);
        let month = |bytes: u64| (u128::from(bytes) * MONTH * 1_000_000).checked_div(window << 30);
        month(sent).zip(month(received))
    }
}

/// Whether an address can be met on the internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            // 100.64.0.0/10 is shared by customers of a provider, RFC 6598.
            let shared = first == 100 && (64..128).contains(&second);
            !(v4.is_private() || shared || v4.is_multicast() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => !(v6.is_unique_local() || v6.is_multicast()),
    }
}
