//! What clouds call a machine says how large it is: sizes of instance types, looked up in a catalog.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::{Finding, Place};
use carafe_model::host::Architecture;
use carafe_model::units::{Mib, Vcpus};

use crate::catalog::starter;
use crate::importer::Reading;
use crate::raw::{At, RawHost};
use crate::text::clip;

/// The label under which the instance type of a host is kept.
pub const LABEL: &str = "instance-type";

/// The size of one instance type.
#[derive(Clone, Copy, Debug)]
struct Shape {
    vcpus: Vcpus,
    memory: Mib,
    architecture: Architecture,
}

/// Sizes of instance types, by provider and name.
pub struct Shapes<'a> {
    with: &'a Reading<'a>,
    /// Looked up on first need: most files name no instance type.
    known: Option<BTreeMap<(String, String), Shape>>,
    unknown: BTreeSet<String>,
    first_unknown: Option<Place>,
}

impl<'a> Shapes<'a> {
    /// The sizes of the catalog that was given, or of the one built in.
    pub fn new(with: &'a Reading<'a>) -> Shapes<'a> {
        Shapes { with, known: None, unknown: BTreeSet::new(), first_unknown: None }
    }

    /// Gives a host the size of its instance type, where it has none of its own, and the type as a label.
    pub fn fit(&mut self, host: &mut RawHost, provider: &str, kind: At<String>) {
        let key = (provider.to_owned(), kind.value.to_lowercase());
        let with = self.with;
        let known = self.known.get_or_insert_with(|| shapes(with));
        match known.get(&key) {
            Some(shape) => {
                let at = |value| At::new(value, kind.place.clone());
                host.vcpus = host.vcpus.take().or_else(|| Some(at(shape.vcpus)));
                host.memory = host.memory.take().or_else(|| Some(At::new(shape.memory, kind.place.clone())));
                host.architecture = host
                    .architecture
                    .take()
                    .or_else(|| Some(At::new(shape.architecture, kind.place.clone())));
            }
            None if host.vcpus.is_none() || host.memory.is_none() => {
                self.unknown.insert(clip(&format!("{provider}/{}", kind.value)));
                self.first_unknown.get_or_insert_with(|| kind.place.clone());
            }
            None => {}
        }
        host.labels.insert(LABEL.to_owned(), kind);
    }

    /// Tells of the types whose size is not known: `INV-1013`.
    pub fn say(self, findings: &mut Vec<Finding>) {
        const MOST: usize = 20;
        let Some(place) = self.first_unknown else { return };
        let names: Vec<&str> = self.unknown.iter().take(MOST).map(String::as_str).collect();
        let more = self.unknown.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        findings.push(
            Finding::warning(
                "INV-1013",
                format!("instance types that the catalog does not know: {}{more}", names.join(", ")),
            )
            .at(place)
            .help("import with a catalog that has them, or add processors and memory by hand"),
        );
    }
}

fn shapes(with: &Reading<'_>) -> BTreeMap<(String, String), Shape> {
    let built_in;
    let catalog = match with.catalog {
        Some(catalog) => catalog,
        None => {
            built_in = starter();
            &built_in
        }
    };
    let provider = |at| catalog.providers[at].name.to_string();
    let entry = |kind: &carafe_model::catalog::InstanceType| {
        let shape = Shape { vcpus: kind.vcpus, memory: kind.memory, architecture: kind.architecture };
        ((provider(kind.provider), kind.name.to_lowercase()), shape)
    };
    catalog.instance_types.iter().map(entry).collect()
}
