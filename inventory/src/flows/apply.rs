//! From sums between addresses to flows between hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use carafe_model::estate::{Endpoint, Estate, Flow};
use carafe_model::finding::{Finding, Place};
use carafe_model::units::{HOURS_PER_MONTH, Quantity};

use super::Summary;
use super::traffic::{End, Sum, Traffic, plus};
use crate::names::Names;
use crate::text::{clip, counted};

/// What everybody outside, on public addresses, is called.
pub const INTERNET: &str = "internet";

/// Below this many seconds a window is too short to be multiplied to a month without a word.
const SHORT_WINDOW: u64 = 86_400;

/// Adds the flows to the estate.
pub(super) fn to_estate(
    estate: &mut Estate,
    traffic: Traffic,
    given: Option<u64>,
    findings: &mut Vec<Finding>,
) -> Summary {
    let seconds = traffic.seconds().or(given);
    let mut summary = Summary { seconds, records: traffic.records, ..Summary::default() };
    if traffic.refused > 0 {
        findings.push(
            Finding::info("INV-6003", format!("records of traffic that was refused: {}", traffic.refused))
                .help("left out, since nothing was transferred"),
        );
    }
    let edges = traffic.edges();
    let has_bytes = edges.iter().any(|edge| edge.forward.is_some() || edge.back.is_some());
    match seconds {
        None if has_bytes => findings.push(
            Finding::warning("INV-6004", "bytes are counted, but not over which time")
                .help("volumes stay unknown; say with --period how long the records cover"),
        ),
        Some(seconds) if has_bytes && seconds < SHORT_WINDOW => findings.push(
            Finding::warning(
                "INV-6005",
                format!("the records cover {seconds} seconds, which is less than a day"),
            )
            .help("a month is taken to go on like that; collect over a week to have nights and weekends"),
        ),
        None | Some(_) => {}
    }
    let names = Names::of(estate);
    // Each end is looked up once; several of them may be one, as all of the internet is.
    let of_ends: Vec<Endpoint> = traffic.ends.iter().map(|end| endpoint(&names, end)).collect();
    let endpoints: Vec<&Endpoint> = of_ends.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let place = |endpoint: &Endpoint| endpoints.binary_search(&endpoint).expect("it is one of them");
    let places: Vec<usize> = of_ends.iter().map(place).collect();
    let mut flows: BTreeMap<(usize, usize, u8, Option<u16>), Sum> = BTreeMap::new();
    let mut outside = 0_usize;
    for edge in edges {
        let (from, to) = (places[edge.client as usize], places[edge.server as usize]);
        match (endpoints[from], endpoints[to]) {
            (Endpoint::Host(_), Endpoint::Host(_)) if from == to => {}
            (Endpoint::External(_), Endpoint::External(_)) => outside += 1,
            (Endpoint::Host(_) | Endpoint::External(_), Endpoint::Host(_) | Endpoint::External(_)) => {
                let protocol = if edge.protocol == ICMP_V6 { ICMP } else { edge.protocol };
                let sum = flows.entry((from, to, protocol, edge.port)).or_default();
                plus(&mut sum.forward, edge.forward);
                plus(&mut sum.back, edge.back);
            }
        }
    }
    if outside > 0 {
        findings.push(
            Finding::info(
                "INV-6006",
                format!("neither end is a host of the estate: {}", counted(outside, "pair")),
            )
            .help("left out; import more hosts, or their addresses, if these should be in the estate"),
        );
    }
    let mut known_flows: BTreeMap<Key, usize> = BTreeMap::new();
    for (index, flow) in estate.flows.iter().enumerate() {
        known_flows.entry(key(flow)).or_insert(index);
    }
    for ((from, to, protocol, port), sum) in flows {
        let volume = |bytes: Option<u64>| month(bytes?, seconds?);
        let (gib_month, gib_month_back) = (volume(sum.forward), volume(sum.back));
        let (from, to, protocol) = (endpoints[from].clone(), endpoints[to].clone(), protocol_name(protocol));
        let key = (from, to, protocol, port);
        match known_flows.get(&key) {
            Some(index) => {
                let known = &mut estate.flows[*index];
                let was_unknown = known.gib_month.is_none() && known.gib_month_back.is_none();
                if !was_unknown && gib_month.is_some() && known.gib_month != gib_month {
                    findings.push(differs(known, gib_month));
                }
                known.gib_month = known.gib_month.or(gib_month);
                known.gib_month_back = known.gib_month_back.or(gib_month_back);
                summary.filled += usize::from(was_unknown && gib_month.or(gib_month_back).is_some());
            }
            None => {
                let (from, to, protocol, port) = key;
                estate.flows.push(Flow {
                    from,
                    to,
                    protocol,
                    port,
                    gib_month,
                    gib_month_back,
                    max_rtt_ms: None,
                });
                summary.added += 1;
            }
        }
    }
    estate.flows.sort_by(|one, other| order(one).cmp(&order(other)));
    summary
}

/// In which order flows stand.
fn order(flow: &Flow) -> (&Endpoint, &Endpoint, Option<&str>, Option<u16>) {
    (&flow.from, &flow.to, flow.protocol.as_deref(), flow.port)
}

/// What tells one flow from another.
type Key = (Endpoint, Endpoint, Option<String>, Option<u16>);

fn key(flow: &Flow) -> Key {
    (flow.from.clone(), flow.to.clone(), flow.protocol.clone(), flow.port)
}

/// The numbers of ICMP for IPv4 and IPv6, which are one protocol here.
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

fn protocol_name(number: u8) -> Option<String> {
    match number {
        0 => None,
        ICMP | ICMP_V6 => Some("icmp".to_owned()),
        6 => Some("tcp".to_owned()),
        17 => Some("udp".to_owned()),
        other => Some(other.to_string()),
    }
}

/// GiB of a month of 730 hours, from bytes in so many seconds, to the nearest millionth.
fn month(bytes: u64, seconds: u64) -> Option<Quantity> {
    let month = HOURS_PER_MONTH as u128 * 3_600;
    let numerator = u128::from(bytes) * month * 1_000_000;
    let denominator = u128::from(seconds) << 30;
    i64::try_from((numerator + denominator / 2) / denominator).ok().map(Quantity)
}

/// `INV-1105`.
fn differs(known: &Flow, measured: Option<Quantity>) -> Finding {
    let text = |quantity: Option<Quantity>| quantity.map_or_else(|| "unknown".to_owned(), |q| q.to_string());
    let end = |endpoint: &Endpoint| match endpoint {
        Endpoint::Host(host) => clip(host.as_str()),
        Endpoint::External(name) => clip(name),
    };
    Finding::warning(
        "INV-1105",
        format!(
            "the flow from {} to {} has {} GiB a month in the estate and {} in the records",
            end(&known.from),
            end(&known.to),
            text(known.gib_month),
            text(measured)
        ),
    )
    .at(Place::default())
    .help("the estate's figure is kept; take it out of the document to have the measured one")
}

/// The host, or a name for what is not in the estate: `internet`, or the network of a private address.
fn endpoint(names: &Names, end: &End) -> Endpoint {
    let host = match end {
        End::Address(address) => names.by_address(*address),
        End::Name(name) => names.by_name(name),
    };
    match (host, end) {
        (Some(host), _) => Endpoint::Host(host.clone()),
        (None, End::Address(address)) => Endpoint::External(outside(*address)),
        (None, End::Name(name)) => Endpoint::External(name.clone()),
    }
}

/// What an address that no host has is called.
fn outside(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [one, two, three, _] = v4.octets();
            let is_shared = one == 100 && (64..128).contains(&two);
            if v4.is_private() || is_shared {
                format!("{one}.{two}.{three}.0/24")
            } else {
                INTERNET.to_owned()
            }
        }
        IpAddr::V6(v6) if v6.is_unique_local() => {
            let [one, two, three, four, ..] = v6.segments();
            format!("{one:x}:{two:x}:{three:x}:{four:x}::/64")
        }
        IpAddr::V6(_) => INTERNET.to_owned(),
    }
}
