//! Terraform and OpenTofu: state of version 4, and what `show -json` prints.
//!
//! States hold secrets, so attributes are read by name from `kinds` and nothing else is looked at. Only what the state
//! itself manages counts; data sources and deposed objects do not. Codes: `INV-5xxx`.

mod balancers;

mod clusters;

mod kinds;

mod machines;

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::document;
use carafe_model::finding::{Finding, Place};
use serde_json::Value;

use super::cloud::Listing;
use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::raw::RawEstate;
use crate::shapes::Shapes;
use crate::text::{clip, counted};

/// Whether it is a state, a printed one, or an encrypted one.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["terraform_version"])
        || glance.is_json_with(&["format_version", "values"])
        || glance.is_json_with(&["lineage", "serial"])
        || glance.is_json_with(&["encrypted_data"])
}

/// One managed object.
struct Object<'v> {
    /// What it is: `aws_instance`.
    kind: &'v str,
    /// What its provider calls it, which may have been made from another provider.
    own_kind: &'v str,
    /// How the state calls it: `module.web.aws_instance.this[0]`.
    address: String,
    attributes: Node<'v>,
}

impl Object<'_> {
    /// The id that other objects refer to.
    fn id(&self) -> String {
        self.attributes.words_at(&["id"]).map_or_else(|| self.address.clone(), |at| at.value)
    }

    /// A text by the first of several paths that says something.
    fn text(&self, paths: &[&str]) -> Option<String> {
        self.attributes.words_at(paths).map(|at| at.value)
    }

    /// Its local name: `this[0]`.
    fn local_name(&self) -> &str {
        self.address.rsplit_once(&format!("{}.", self.own_kind)).map_or(&self.address, |(_, name)| name)
    }
}

/// Reads states of one estate together; `None` when none is usable.
pub fn read(files: &[InputFile<'_>], with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let values: Vec<(&str, Value)> = files
        .iter()
        .filter_map(|file| Some((file.name, document::parse(file.name, file.bytes, findings)?)))
        .collect();
    let mut objects = Vec::new();
    let mut is_usable = false;
    for (name, value) in &values {
        let root = Node::root(name, value);
        match refusal(value) {
            Some((code, what, help)) => {
                findings.push(Finding::error(code, what).at(Place::file(*name)).help(help));
            }
            None => {
                is_usable = true;
                collect(&root, &mut objects);
            }
        }
    }
    if !is_usable {
        return None;
    }
    let mut shapes = Shapes::new(with);
    let mut listing = Listing::default();
    let flavors: BTreeMap<String, &Object<'_>> = objects
        .iter()
        .filter(|object| object.kind == "openstack_compute_flavor_v2")
        .flat_map(|object| [(object.id(), object), (object.text(&["name"]).unwrap_or_default(), object)])
        .collect();
    let mut unread = BTreeSet::new();
    for object in &objects {
        let is_read = machines::add(object, &flavors, &mut shapes, &mut listing, findings)
            || machines::add_volume(object, &mut listing, findings)
            || rules::add(object, &mut listing, findings)
            || balancers::is_one(object)
            || kinds::IS_NO_HOST.contains(&object.kind);
        if !is_read {
            unread.insert(object.kind);
        }
    }
    for object in &objects {
        machines::attach(object, &mut listing);
    }
    machines::join_interfaces(&objects, &mut listing);
    let listed = clusters::add(&objects, &mut shapes, &mut listing, findings);
    unread.retain(|kind| !listed.contains(kind));
    balancers::add(&objects, &mut listing, findings);
    shapes.say(findings);
    let place = Place::file(values.first().map_or("", |(name, _)| name));
    say_unread(&unread, &place, findings);
    Some(listing.finish(&place, findings))
}

/// Why a document cannot be read: code, what, and help.
fn refusal(value: &Value) -> Option<(&'static str, String, &'static str)> {
    if value.get("encrypted_data").is_some() {
        let help = "decrypt it first, for example with tofu show -json";
        return Some(("INV-5006", "the state is encrypted".to_owned(), help));
    }
    let version = value.get("version").and_then(Value::as_u64);
    if value.get("values").is_none() && version.is_some_and(|version| version != 4) {
        let what = format!("the state has version {}, not 4", version.unwrap_or_default());
        return Some((
            "INV-5007",
            what,
            "let a newer terraform or tofu rewrite it, or give what show -json prints",
        ));
    }
    None
}

fn collect<'v>(root: &Node<'v>, objects: &mut Vec<Object<'v>>) {
    for resource in root.each_at("resources") {
        let text = |key: &str| resource.get(key).and_then(|node| node.value.as_str());
        let (Some(kind), Some(name)) = (text("type"), text("name")) else { continue };
        if text("mode").is_some_and(|mode| mode != "managed") {
            continue;
        }
        let module = text("module").map(|module| format!("{module}.")).unwrap_or_default();
        for instance in resource.each_at("instances") {
            if instance.get("deposed").is_some() {
                continue;
            }
            let Some(attributes) = instance.get("attributes") else { continue };
            let index = instance.get("index_key").map(|key| format!("[{}]", key.value)).unwrap_or_default();
            let address = format!("{module}{kind}.{name}{index}");
            objects.push(Object { kind: kinds::canonical(kind), own_kind: kind, address, attributes });
        }
    }
    let mut modules: Vec<Node<'v>> = root.find("values/root_module").into_iter().collect();
    while let Some(module) = modules.pop() {
        modules.extend(module.each_at("child_modules"));
        for resource in module.each_at("resources") {
            let text = |key: &str| resource.get(key).and_then(|node| node.value.as_str());
            let (Some(kind), Some(address)) = (text("type"), text("address")) else { continue };
            if let (Some("managed"), Some(attributes)) = (text("mode"), resource.get("values")) {
                let address = address.to_owned();
                objects.push(Object { kind: kinds::canonical(kind), own_kind: kind, address, attributes });
            }
        }
    }
}

/// `INV-5008`: what is managed and not read, since an estate has no place for it or this program does not know it.
fn say_unread(unread: &BTreeSet<&str>, place: &Place, findings: &mut Vec<Finding>) {
    const MOST: usize = 30;
    if unread.is_empty() {
        return;
    }
    let names: Vec<String> = unread.iter().take(MOST).map(|kind| clip(kind)).collect();
    let kinds = counted(unread.len(), "kind");
    findings.push(
        Finding::info("INV-5008", format!("not taken over: {kinds} of resources ({})", names.join(", ")))
            .at(place.clone())
            .help("an estate holds machines, volumes, rules, load balancers and clusters; plan the others by hand"),
    );
}
