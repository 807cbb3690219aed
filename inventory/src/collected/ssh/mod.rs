//! Linux hosts as the collection script tells them over SSH.
//!
//! The script writes sections, each after a line `#@ name`. A collection keeps what every host wrote, so that it can be
//! read again by a later version: `{"carafe_collection": "ssh/1", "hosts": [{"target": …, "output": …}]}`.

mod connections;
mod firewall;
mod machine;
mod network;
mod samples;
mod sections;
mod software;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::raw::{At, RawEstate, RawHost};
use crate::text::clip;

use connections::Seen;
use sections::Sections;

/// What the first key of a collection says.
const KIND: &str = "ssh/1";

/// What hosts wrote, in the order of the targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Collection {
    /// Kind and version of this document: `ssh/1`.
    pub carafe_collection: String,
    /// One entry for each host that answered in full.
    pub hosts: Vec<HostOutput>,
}

/// What one host wrote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostOutput {
    /// What the user calls the host.
    pub target: String,
    /// What the script wrote there.
    pub output: String,
}

impl Collection {
    /// A collection of these hosts.
    pub fn new(hosts: Vec<HostOutput>) -> Collection {
        Collection { carafe_collection: KIND.to_owned(), hosts }
    }
}

/// Why what a host wrote is of no use, if it is.
pub fn problem(output: &str) -> Option<&'static str> {
    let sections = Sections::of(output);
    if sections.has("end") && sections.has("machine") {
        return None;
    }
    Some(match sections.has("machine") {
        true => "it stopped in the middle of its answer",
        false => "what it answered is not what the script writes",
    })
}

/// Whether it is JSON with the key `carafe_collection`.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["carafe_collection"])
}

/// Reads a collection. A host whose output is not whole is left out (`INV-8001`).
pub fn read(file: &InputFile<'_>, _: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let value = document::parse(file.name, file.bytes, findings)?;
    if value.get("carafe_collection").and_then(Value::as_str) != Some(KIND) {
        findings.push(
            Finding::error("INV-8002", "the file is no collection of a kind that this version knows")
                .at(Place::file(file.name).at("/carafe_collection"))
                .help("collect again with this version of Carafe"),
        );
        return None;
    }
    let mut raw = RawEstate::default();
    let mut seen = Vec::new();
    for node in Node::root(file.name, &value).list("hosts", findings) {
        let place = node.place();
        let Some(target) = node.text("target", findings) else { continue };
        let output = node.value.get("output").and_then(Value::as_str).unwrap_or_default();
        if let Some(problem) = problem(output) {
            findings.push(
                Finding::error("INV-8001", format!("the host was left out: {problem}"))
                    .at(place)
                    .host(clip(&target.value))
                    .help("collect from it again"),
            );
            continue;
        }
        let (host, connections) = host(&target, &Sections::of(output), &place, findings);
        raw.hosts.push(host);
        seen.push(connections);
    }
    raw.flows = connections::flows(&seen, &Place::file(file.name).at("/hosts"));
    Some(raw)
}

/// One host, and what it was seen to talk to.
fn host(
    target: &At<String>,
    sections: &Sections<'_>,
    place: &Place,
    findings: &mut Vec<Finding>,
) -> (RawHost, Seen) {
    let mut host = RawHost::new(target.value.clone(), place.clone());
    let mut inside = machine::read(&mut host, target, sections, findings);
    let nics = network::nics(sections);
    let seen = connections::seen(&target.value, &nics, sections);
    software::read(&mut inside, sections);
    host.firewall = firewall::read(sections, &target.value, place, findings);
    host.routes = section_of(place, "routes", network::routes(sections));
    host.nics = section_of(place, "addresses", nics);
    host.usage = samples::usage(sections).map(|usage| At::new(usage, below(place, "samples")));
    host.inside = Some(At::new(inside, place.clone()));
    (host, seen)
}

/// A list that says something, at the section it was read from.
fn section_of<T>(place: &Place, section: &str, list: Vec<T>) -> Option<At<Vec<T>>> {
    (!list.is_empty()).then(|| At::new(list, below(place, section)))
}

/// The place of a section of a host.
fn below(place: &Place, section: &str) -> Place {
    let pointer = place.pointer.clone().unwrap_or_default();
    place.clone().at(format!("{pointer}/output, section {section}"))
}
