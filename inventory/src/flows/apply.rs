//! From sums between addresses to flows between hosts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use carafe_model::estate::{Endpoint, Estate, Flow};
use carafe_model::finding::{Finding, Place};
use carafe_model::units::{HOURS_PER_MONTH, Quantity};

use super::Summary;
use super::traffic::{Edge, End, Traffic};
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
    let mut flows: BTreeMap<Key, (Option<u64>, Option<u64>)> = BTreeMap::new();
    let mut outside = 0_usize;
    for edge in edges {
        let (from, to) = (endpoint(&names, &edge.client), endpoint(&names, &edge.server));
        match (&from, &to) {
            (Endpoint::Host(one), Endpoint::Host(other)) if one == other => {}
            (Endpoint::External(_), Endpoint::External(_)) => outside += 1,
            (Endpoint::Host(_) | Endpoint::External(_), Endpoint::Host(_) | Endpoint::External(_)) => {
                add(&mut flows, from, to, &edge);
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
    for ((from, to, protocol, port), (forward, back)) in flows {
        let volume = |bytes: Option<u64>| month(bytes?, seconds?);
        let (gib_month, gib_month_back) = (volume(forward), volume(back));
        let same = |flow: &&mut Flow| {
            flow.from == from && flow.to == to && flow.protocol == protocol && flow.port == port
        };
        match estate.flows.iter_mut().find(same) {
            Some(known) => {
                let was_unknown = known.gib_month.is_none() && known.gib_month_back.is_none();
                if !was_unknown && gib_month.is_some() && known.gib_month != gib_month {
                    findings.push(differs(known, gib_month));
                }
                known.gib_month = known.gib_month.or(gib_month);
                known.gib_month_back = known.gib_month_back.or(gib_month_back);
                summary.filled += usize::from(was_unknown && gib_month.or(gib_month_back).is_some());
            }
            None => {
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
    let key = |flow: &Flow| (flow.from.clone(), flow.to.clone(), flow.protocol.clone(), flow.port);
    estate.flows.sort_by_cached_key(key);
    summary
}

type Key = (Endpoint, Endpoint, Option<String>, Option<u16>);

fn add(flows: &mut BTreeMap<Key, (Option<u64>, Option<u64>)>, from: Endpoint, to: Endpoint, edge: &Edge) {
    let protocol = match edge.protocol {
        6 => Some("tcp".to_owned()),
        17 => Some("udp".to_owned()),
        0 => None,
        1 | 58 => Some("icmp".to_owned()),
        other => Some(other.to_string()),
    };
    let sum = flows.entry((from, to, protocol, edge.port)).or_default();
    let plus = |sum: &mut Option<u64>, bytes: Option<u64>| {
        if let Some(bytes) = bytes {
            *sum = Some(sum.unwrap_or(0).saturating_add(bytes));
        }
    };
    plus(&mut sum.0, edge.forward);
    plus(&mut sum.1, edge.back);
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
