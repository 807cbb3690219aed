//! Google VPC flow logs. They are sampled, with bytes scaled up by the cloud; both sides of a connection report it.

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use serde_json::Value;

use super::traffic::{Opener, Record, Traffic};
use crate::encoding;
use crate::glance::{Form, Glance};
use crate::input::InputFile;
use crate::json::Node;
use crate::series;
use crate::text::clip;

/// Whether it is a log entry with a connection in it.
pub(super) fn sniff(glance: &Glance<'_>) -> bool {
    matches!(glance.form, Form::Json(_)) && glance.says("\"src_ip\"") && glance.says("\"connection\"")
}

/// Reads a list of entries, or one on each line.
pub(super) fn read(file: &InputFile<'_>, traffic: &mut Traffic, findings: &mut Vec<Finding>) {
    let text = encoding::text(file, findings);
    let (mut bad, mut first_bad): (u64, Option<(Place, String)>) = (0, None);
    let mut see = |value: &Value, place: Place, traffic: &mut Traffic| {
        if add(&Node::root(file.name, value), traffic).is_none() {
            bad += 1;
            first_bad.get_or_insert_with(|| (place, clip(&value.to_string())));
        }
    };
    if text.trim_start().starts_with('[') {
        let Some(value) = document::parse(file.name, text.as_bytes(), findings) else { return };
        for entry in Node::root(file.name, &value).each() {
            see(entry.value, entry.place(), traffic);
        }
    } else {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = Place::file(file.name).row(u32::try_from(number + 1).unwrap_or(u32::MAX));
            match serde_json::from_str::<Value>(line) {
                Ok(value) => see(&value, place, traffic),
                Err(_) => see(&Value::String(line.chars().take(80).collect()), place, traffic),
            }
        }
    }
    if let Some((place, text)) = first_bad {
        findings.push(
            Finding::warning("INV-6007", format!("no records: {bad} entries, the first \"{text}\""))
                .at(place)
                .help("left out; export the log of compute.googleapis.com/vpc_flows"),
        );
    }
}

fn add(entry: &Node<'_>, traffic: &mut Traffic) -> Option<()> {
    let payload = entry.get_any(&["jsonPayload", "json_payload"]).unwrap_or_else(|| entry.clone());
    let connection = payload.get("connection")?;
    let text = |node: &Node<'_>, key: &str| node.words_at(&[key]).map(|at| at.value);
    let number = |node: &Node<'_>, key: &str| text(node, key)?.parse::<u64>().ok();
    let time = |key: &str| series::time(&text(&payload, key)?);
    if let (Some(start), Some(end)) = (time("start_time"), time("end_time")) {
        traffic.covers(start, end);
    }
    let source = traffic.address(text(&connection, "src_ip")?.parse().ok()?);
    let destination = traffic.address(text(&connection, "dest_ip")?.parse().ok()?);
    let (Some(source), Some(destination)) = (source, destination) else { return Some(()) };
    let reporter = traffic.reporter(text(&payload, "reporter").unwrap_or_default().as_bytes());
    let port = |key: &str| number(&connection, key).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    traffic.add(Record {
        source,
        destination,
        source_port: port("src_port"),
        destination_port: port("dest_port"),
        protocol: number(&connection, "protocol").and_then(|number| u8::try_from(number).ok()).unwrap_or(0),
        bytes: number(&payload, "bytes_sent"),
        bytes_back: None,
        reporter,
        opener: Opener::Unknown,
    });
    Some(())
}
