//! The on-premises infrastructure model that cm-honeybee exports and cm-beetle and cm-damselfly pass on.
//!
//! It comes *refined* (camelCase, sizes in whole GiB, inside an envelope) or *as collected* (snake_case, memory in MiB,
//! one document per connection). Codes: `INV-2xxx`.

mod collected;

mod groups;

mod network;

mod refined;

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use serde_json::Value;

use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::raw::RawEstate;
use crate::text::counted;

/// Spellings of the envelope; the first letter may be of either case.
const ENVELOPES: [&str; 2] = ["onpremiseInfraModel", "sourceInfra"];

/// Whether the file is JSON and has, near its start, one of the words that all such documents have.
pub fn sniff(glance: &Glance<'_>) -> bool {
    const WORDS: [&str; 6] = [
        "npremiseInfraModel",
        "ourceInfra\"",
        "\"compute_resource\"",
        "\"servers\"",
        "\"nodes\"",
        "\"cloudInfraModel\"",
    ];
    // A bare list of machines is told from an estate of another kind by what every machine has.
    const OF_A_MACHINE: [&str; 3] = ["\"hostname\"", "\"machineId\"", "\"machine_id\""];
    let has = |word: &str| glance.says(word);
    let is_list = glance.head.trim_start().starts_with('[');
    matches!(glance.form, Form::Json(_))
        && (WORDS.into_iter().any(has) || is_list && OF_A_MACHINE.into_iter().any(has))
}

/// Whether the first character opens an object or a list.
pub fn looks_like_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['))
}

/// Reads a file; `None` when it is not such a model.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let value = document::parse(file.name, file.bytes, findings)?;
    let root = Node::root(file.name, &value);
    let mut reading = ModelReading { estate: RawEstate::default(), findings, tally: Tally::default() };
    let parts = match parts(&root, reading.findings) {
        Ok(parts) => parts,
        Err(finding) => {
            reading.findings.push(*finding);
            return None;
        }
    };
    for part in parts {
        match part {
            Part::Refined(model) => reading.refined(&model),
            Part::Collected(infra) => reading.collected(&infra),
        }
    }
    reading.tally.secrets = secrets(&value);
    reading.say_tally(file.name);
    Some(reading.estate)
}

/// A file being read.
struct ModelReading<'f> {
    estate: RawEstate,
    findings: &'f mut Vec<Finding>,
    tally: Tally,
}

/// What is told once for a file, with its number.
#[derive(Default)]
struct Tally {
    whole_gib: usize,
    no_sockets: usize,
    internal_interfaces: usize,
    old_names: usize,
    secrets: usize,
    haproxies: usize,
}

enum Part<'v> {
    Refined(Node<'v>),
    Collected(Node<'v>),
}

/// Finds the models inside whatever they are wrapped in.
fn parts<'v>(root: &Node<'v>, findings: &mut Vec<Finding>) -> Result<Vec<Part<'v>>, Box<Finding>> {
    let Value::Object(members) = root.value else {
        return Err(Box::new(
            Finding::error("INV-2002", "a bare list, where an object with one model is expected")
                .at(root.place())
                .help("wrap it as {\"onpremiseInfraModel\": {\"nodes\": […]}}, or export the source group again"),
        ));
    };
    if let Some(model) = envelope(root) {
        return Ok(vec![Part::Refined(object_in(&model)?)]);
    }
    if root.get("compute").is_some() {
        return Ok(vec![Part::Collected(root.clone())]);
    }
    let mut parts = Vec::new();
    for key in members.keys() {
        let Some(list) = root.get(key).filter(|list| list.value.is_array()) else { continue };
        for entry in list.entries(findings) {
            if let Some(model) = envelope(&entry) {
                parts.push(Part::Refined(object_in(&model)?));
            } else if entry.get("compute").is_some() {
                parts.push(Part::Collected(entry));
            }
        }
    }
    if parts.is_empty() { Err(Box::new(not_a_model(root))) } else { Ok(parts) }
}

fn envelope<'v>(node: &Node<'v>) -> Option<Node<'v>> {
    ENVELOPES.iter().find_map(|key| node.get_either_case(key))
}

fn object_in<'v>(model: &Node<'v>) -> Result<Node<'v>, Box<Finding>> {
    if model.value.is_object() {
        return Ok(model.clone());
    }
    Err(Box::new(
        Finding::error("INV-2001", "the envelope does not hold a model").at(model.place()).help(
            "the value must be an object with \"nodes\"; export the source group from cm-honeybee again",
        ),
    ))
}

fn not_a_model(root: &Node<'_>) -> Finding {
    let has = |key: &str| root.get_either_case(key).is_some();
    let (what, help) = if has("nodes") && has("cluster") {
        (
            "the Kubernetes export of cm-honeybee, which says nothing of machines",
            "export the infrastructure instead (…/infra/refined)",
        )
    } else if has("nodes") || has("servers") {
        ("a model without its envelope", "wrap it as {\"onpremiseInfraModel\": …}")
    } else if has("cloudInfraModel") || has("targetInfra") {
        (
            "a target model, which says what to build and not what there is",
            "give the source model (onpremiseInfraModel)",
        )
    } else {
        (
            "not an on-premises infrastructure model",
            "export the source group from cm-honeybee with …/infra/refined",
        )
    };
    Finding::error("INV-2001", what).at(root.place()).help(help)
}

/// How many secrets stand in a document. They are counted here and read nowhere.
fn secrets(value: &Value) -> usize {
    const KEYS: [&str; 6] = ["private_key", "privateKey", "password", "passwd", "secret_key", "secretKey"];
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => usize::from(!text.is_empty() && KEYS.contains(&key.as_str())),
                other => secrets(other),
            })
            .sum(),
        Value::Array(entries) => entries.iter().map(secrets).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

impl ModelReading<'_> {
    fn say_tally(&mut self, file: &str) {
        let Tally { whole_gib, no_sockets, internal_interfaces, old_names, secrets, haproxies } = self.tally;
        let hosts = |count| counted(count, "host");
        let lines = [
            (
                whole_gib,
                Finding::info(
                    "INV-2003",
                    format!("memory of {} is given in whole GiB, cut off below", hosts(whole_gib)),
                )
                .help("each may have up to one GiB more; the export as collected (…/infra) is exact"),
            ),
            (
                secrets,
                Finding::warning("INV-2004", format!("secrets in the file, such as private keys: {secrets}"))
                    .help("they were not read; delete them from the file and change them if it was shared"),
            ),
            (
                internal_interfaces,
                Finding::info(
                    "INV-2005",
                    format!("loopback and container interfaces left out: {internal_interfaces}"),
                )
                .help("their addresses mean something on their own host only"),
            ),
            (
                no_sockets,
                Finding::info(
                    "INV-2006",
                    format!("no sockets reported for {}; the threads were taken as all", hosts(no_sockets)),
                )
                .help("this is how Kubernetes reports its machines; check their thread count"),
            ),
            (
                old_names,
                Finding::info("INV-2007", "the model calls its hosts \"servers\", as older releases did")
                    .help("nothing needs to be done"),
            ),
            (
                haproxies,
                Finding::info(
                    "INV-2008",
                    format!("HAProxy on {}; its rules were not read", hosts(haproxies)),
                )
                .help("the refined export (…/infra/refined) lists the load balancers"),
            ),
        ];
        for (count, finding) in lines {
            if count > 0 {
                self.findings.push(finding.at(Place::file(file)));
            }
        }
    }
}
