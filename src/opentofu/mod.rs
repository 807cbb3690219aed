//! A plan as OpenTofu (or Terraform) modules, for teams whose changes go through a pipeline of their own.
//!
//! Pure: a plan goes in, files and findings come out, and the same plan gives the same bytes. Each region of each provider
//! becomes a root module of its own. What comes from the plan is quoted by `hcl`, which evaluates nothing in it; what the
//! plan does not know (which image boots an Ubuntu 22.04, the public key) becomes a variable.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::document::{Document, sha256};
use carafe_model::finding::Finding;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::plan::Plan;

use crate::drivers::Kind;

mod alibaba;
mod aws;
mod azure;
mod draft;
mod gcp;
mod hcl;
mod ibm;
mod kt;
mod ncp;
mod nhn;
mod oci;
mod openstack;
mod references;
mod tencent;

pub mod folder;

pub mod readme;

use draft::{Draft, Site};

/// What can be found about an export: code, summary, what to do.
pub const CODES: [(&str, &str, &str); 4] = [
    (
        "TOF-001",
        "no module is written for this provider",
        "carry its steps out with `carafe apply`, or write its module by hand",
    ),
    (
        "TOF-002",
        "steps that are in no module",
        "people, hooks and checks are no resources; carry them out beside the modules, as the plan orders them",
    ),
    (
        "TOF-003",
        "something a module cannot say as the plan does",
        "look at the resource that is named before it is applied",
    ),
    (
        "TOF-004",
        "a step names something that no step makes",
        "the plan was changed after it was made; make it again with `carafe plan`",
    ),
];

/// A provider that modules are written for.
struct Dialect {
    /// As plans name it.
    provider: &'static str,
    /// The name in HCL, and where the plug-in comes from.
    plugin: (&'static str, &'static str),
    /// Which versions have the arguments that are written.
    version: &'static str,
    write: fn(&Site<'_>, &mut Draft),
}

/// Every provider that modules are written for.
const DIALECTS: &[Dialect] = &[
    alibaba::DIALECT,
    aws::DIALECT,
    azure::DIALECT,
    gcp::DIALECT,
    ibm::DIALECT,
    kt::DIALECT,
    ncp::DIALECT,
    nhn::DIALECT,
    oci::DIALECT,
    openstack::DIALECT,
    tencent::DIALECT,
];

/// The files of one region of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The folder below the one that was asked for.
    pub folder: String,
    /// As plans name it.
    pub provider: String,
    /// As the provider names it.
    pub region: String,
    /// The plug-in and its versions.
    pub plugin: String,
    /// By name.
    pub files: BTreeMap<&'static str, String>,
}

/// Writes the modules of a plan.
pub fn export(plan: &Plan) -> (Vec<Module>, Vec<Finding>) {
    let mut places: BTreeSet<(&ProviderName, &RegionName)> = BTreeSet::new();
    let (mut others, mut modules, mut findings) = (0, Vec::<Module>::new(), references::broken(plan));
    for step in &plan.steps {
        match Kind::of(&step.action) {
            Some(_) => drop(places.insert((&step.provider, &step.region))),
            None => others += 1,
        }
    }
    let hash = sha256(plan.to_json().as_bytes());
    let mut unknown: BTreeSet<&ProviderName> = BTreeSet::new();
    for (provider, region) in places {
        let Some(dialect) = DIALECTS.iter().find(|dialect| dialect.provider == provider.as_str()) else {
            unknown.insert(provider);
            continue;
        };
        let site = Site::new(plan, provider, region);
        let mut draft = Draft::new(&plan.name, &hash[..16], region);
        (dialect.write)(&site, &mut draft);
        let told = draft.untold.iter().map(|what| {
            Finding::warning(CODES[2].0, format!("{provider}/{region}: {what}")).help(CODES[2].2)
        });
        findings.extend(told);
        let first = draft::slug(&format!("{provider}-{region}")).replace('_', "-");
        let mut folder = first.clone();
        // Regions whose names differ in capital letters or punctuation alone share no folder.
        for number in 2.. {
            if modules.iter().all(|module| module.folder != folder) {
                break;
            }
            folder = format!("{first}-{number}");
        }
        modules.push(Module {
            folder,
            provider: provider.to_string(),
            region: region.to_string(),
            plugin: format!("{} {}", dialect.plugin.1, dialect.version),
            files: draft.files(dialect),
        });
    }
    for provider in unknown {
        let known: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.provider).collect();
        let what = format!("no module is written for {provider}, only for {}", known.join(", "));
        findings.push(Finding::warning(CODES[0].0, what).help(CODES[0].2));
    }
    if others > 0 {
        let what = format!("{others} steps are done by people, hooks or checks and are in no module");
        findings.push(Finding::info(CODES[1].0, what).help(CODES[1].2));
    }
    (modules, findings)
}
