//! Azure flow logs: of network security groups (version 1 and 2) and of virtual networks (version 4).

use carafe_model::document;
use carafe_model::finding::{Finding, Place};

use super::traffic::{Opener, Record, Traffic};
use crate::glance::Glance;
use crate::input::InputFile;
use crate::json::Node;
use crate::text::clip;

/// Whether it is a document of records with flows.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["records"]) && glance.says("low")
}

/// Reads a document.
pub(super) fn read(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let Some(value) = document::parse(file.name, file.bytes, findings) else { return };
    let root = Node::root(file.name, &value);
    let (mut bad, mut first_bad): (u64, Option<(Place, String)>) = (0, None);
    for record in root.each_at("records") {
        let mac = record.words_at(&["macAddress", "macaddress"]).map(|at| at.value).unwrap_or_default();
        let reporter = traffic.reporter(mac.as_bytes());
        let of_group = record.each_at("properties/flows").into_iter().flat_map(|rule| rule.each_at("flows"));
        let of_network =
            record.each_at("flowRecords/flows").into_iter().flat_map(|rule| rule.each_at("flowGroups"));
        for flow in of_group.chain(of_network) {
            let mac = flow.words_at(&["mac"]).map(|at| at.value);
            let reporter = mac.map_or(reporter, |mac| traffic.reporter(mac.as_bytes()));
            for tuple in flow.each_at("flowTuples") {
                let Some(text) = tuple.value.as_str() else { continue };
                if add(text, reporter, traffic).is_none() {
                    bad += 1;
                    first_bad.get_or_insert_with(|| (tuple.place(), clip(text)));
                }
            }
        }
    }
    if let Some((place, text)) = first_bad {
        findings.push(
            Finding::warning("INV-6007", format!("no records: {bad} tuples, the first \"{text}\""))
                .at(place)
                .help("left out; download the log again"),
        );
    }
}

/// One tuple: `time,source,destination,port,port,protocol,direction,…`. Groups say `A` or `D` and then the state, with
/// packets and bytes; networks say the state (`D` denied) and encryption, then packets and bytes.
fn add(text: &str, reporter: u32, traffic: &mut Traffic) -> Option<()> {
    let parts: Vec<&str> = text.split(',').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let number = |at: usize| part(at).parse::<u64>().ok();
    let time = crate::series::time(part(0))?;
    traffic.covers(time, time);
    let (is_denied, bytes) = match part(7) {
        "A" => (false, (number(10), number(12))),
        "D" => (true, (None, None)),
        // The state of a virtual network's log; encryption stands behind it.
        "B" | "C" | "E" => (false, (number(10), number(12))),
        _ => return None,
    };
    if is_denied {
        traffic.refused += 1;
        return Some(());
    }
    let source = traffic.address(part(1).parse().ok()?);
    let destination = traffic.address(part(2).parse().ok()?);
    let (Some(source), Some(destination)) = (source, destination) else { return Some(()) };
    let protocol = match part(5) {
        "T" => 6,
        "U" => 17,
        other => other.parse().ok()?,
    };
    traffic.add(Record {
        source,
        destination,
        source_port: part(3).parse().unwrap_or(0),
        destination_port: part(4).parse().unwrap_or(0),
        protocol,
        bytes: bytes.0,
        bytes_back: bytes.1,
        reporter,
        // The first address of a tuple is who opened the connection.
        opener: Opener::Source,
    });
    Some(())
}
