//! A module while it is written: its resources, its variables, its outputs.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::plan::Plan;
use carafe_model::steps::{Action, ImageQuery};

use super::Dialect;
use super::hcl::{Body, Expr, raw};
use crate::drivers::Kind;

/// What a plan wants in one region.
pub(super) struct Site<'p> {
    pub(super) actions: Vec<&'p Action>,
    names: BTreeMap<(Kind, &'p str), String>,
}

impl<'p> Site<'p> {
    pub(super) fn new(plan: &'p Plan, provider: &ProviderName, region: &RegionName) -> Site<'p> {
        let here = plan.steps.iter().filter(|step| step.provider == *provider && step.region == *region);
        let actions: Vec<&Action> = here.map(|step| &step.action).filter(|a| Kind::of(a).is_some()).collect();
        let mut names = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for action in &actions {
            let kind = Kind::of(action).expect("only resources are here");
            let first = slug(action.name());
            let mut name = first.clone();
            let mut number = 2;
            while !taken.insert((kind, name.clone())) {
                name = format!("{first}_{number}");
                number += 1;
            }
            names.insert((kind, action.name()), name);
        }
        Site { actions, names }
    }

    /// The name of a resource in HCL.
    pub(super) fn id(&self, kind: Kind, name: &str) -> String {
        self.names.get(&(kind, name)).cloned().unwrap_or_else(|| slug(name))
    }

    /// An attribute of a resource, for example `aws_vpc.main.id`.
    pub(super) fn at(&self, resource: &str, kind: Kind, name: &str, attribute: &str) -> Expr {
        raw(format!("{resource}.{}.{attribute}", self.id(kind, name)))
    }

    /// The machine that a disk is plugged into, and how many disks were plugged into it before.
    pub(super) fn machine_of(&self, disk: &str) -> Option<(&'p str, usize)> {
        let mut before: BTreeMap<&str, usize> = BTreeMap::new();
        for action in &self.actions {
            if let Action::Attachment { disk: found, machine, .. } = action {
                let count = before.entry(machine).or_default();
                if found == disk {
                    return Some((machine, *count));
                }
                *count += 1;
            }
        }
        None
    }

    /// The network that a subnet is in.
    pub(super) fn network_of(&self, subnet: &str) -> Option<&'p str> {
        self.actions.iter().find_map(|action| match action {
            Action::Subnet { name, network, .. } if name == subnet => Some(network.as_str()),
            _ => None,
        })
    }

    /// The subnet that a machine is in.
    pub(super) fn subnet_of(&self, machine: &str) -> Option<&'p str> {
        self.actions.iter().find_map(|action| match action {
            Action::Machine { name, subnet, .. } if name == machine => Some(subnet.as_str()),
            _ => None,
        })
    }

    /// The zone that the plan names for a subnet.
    pub(super) fn zone_of(&self, subnet: &str) -> Option<&'p str> {
        self.actions.iter().find_map(|action| match action {
            Action::Subnet { name, zone, .. } if name == subnet => zone.as_deref(),
            _ => None,
        })
    }

    /// The public address that a machine is given.
    pub(super) fn address_of(&self, machine: &str) -> Option<&'p str> {
        self.actions.iter().find_map(|action| match action {
            Action::PublicAddress { name, machine: found } if found == machine => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A text as an identifier: lower-case letters, digits and underscores, a letter first, of its first 64 characters.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars().take(64).flat_map(char::to_lowercase) {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            _ if slug.ends_with('_') || slug.is_empty() => {}
            _ => slug.push('_'),
        }
    }
    let slug = slug.trim_end_matches('_');
    match slug.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => slug.to_owned(),
        false => format!("x_{slug}").trim_end_matches('_').to_owned(),
    }
}

struct Variable {
    kind: &'static str,
    description: String,
    default: Option<Expr>,
    sensitive: bool,
}

/// A module while it is written.
pub(super) struct Draft {
    pub(super) main: Body,
    /// The settings of the provider's plug-in.
    pub(super) provider: Body,
    variables: BTreeMap<String, Variable>,
    outputs: BTreeMap<String, (String, Expr)>,
    /// What could not be said as the plan does.
    pub(super) untold: Vec<String>,
}

impl Draft {
    pub(super) fn new(plan: &str, hash: &str, region: &RegionName) -> Draft {
        let mut draft = Draft {
            main: Body::default(),
            provider: Body::default(),
            variables: BTreeMap::new(),
            outputs: BTreeMap::new(),
            untold: Vec::new(),
        };
        draft.ask("region", "string", "Where everything is made.", Some(region.as_str().into()));
        let tags = vec![
            ("carafe_plan".to_owned(), slug(plan).replace('_', "-").as_str().into()),
            ("carafe_sha256".to_owned(), hash.into()),
        ];
        draft.ask("tags", "map(string)", "On everything that can bear them.", Some(Expr::Map(tags)));
        draft
    }

    /// Adds a variable; the first description of a name stays.
    pub(super) fn ask(
        &mut self,
        name: &str,
        kind: &'static str,
        description: &str,
        default: Option<Expr>,
    ) -> Expr {
        let variable = Variable { kind, description: description.to_owned(), default, sensitive: false };
        self.variables.entry(name.to_owned()).or_insert(variable);
        raw(format!("var.{name}"))
    }

    /// Adds a variable that is never shown.
    pub(super) fn ask_secret(&mut self, name: &str, description: &str) -> Expr {
        let variable =
            Variable { kind: "string", description: description.to_owned(), default: None, sensitive: true };
        self.variables.entry(name.to_owned()).or_insert(variable);
        raw(format!("var.{name}"))
    }

    /// The public half of a key pair; its private half is nobody's but the user's.
    pub(super) fn public_key(&mut self) -> Expr {
        self.ask(
            "public_key",
            "string",
            "The public SSH key for logging in, for example \"ssh-ed25519 AAAA…\".",
            None,
        )
    }

    /// The image that boots what is asked for.
    pub(super) fn image(&mut self, query: &ImageQuery) -> Expr {
        let system = match (query.name.as_str(), query.family) {
            ("", OsFamily::Linux) => "Linux",
            ("", OsFamily::Rhel) => "Red Hat Enterprise Linux",
            ("", OsFamily::Sles) => "SUSE Linux Enterprise Server",
            ("", OsFamily::Windows) => "Windows",
            ("", OsFamily::Other) => "another system",
            (name, _) => name,
        };
        let architecture = match query.architecture {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
            Architecture::Other => "its own instruction set",
        };
        let name = format!("image_{}", slug(&format!("{system} {architecture}")));
        self.ask(&name, "string", &format!("The image that boots {system} on {architecture}."), None)
    }

    /// Adds an output.
    pub(super) fn tell(&mut self, name: &str, description: &str, value: Expr) {
        self.outputs.insert(name.to_owned(), (description.to_owned(), value));
    }

    /// The files of the module.
    pub(super) fn files(self, dialect: &Dialect) -> BTreeMap<&'static str, String> {
        let (name, source) = dialect.plugin;
        let plugin = Expr::Map(vec![
            ("source".to_owned(), source.into()),
            ("version".to_owned(), dialect.version.into()),
        ]);
        let mut versions = Body::default();
        let required = Body::default().set(name, plugin);
        versions.block(
            "terraform",
            &[],
            Body::default().set("required_version", ">= 1.5").with("required_providers", required),
        );
        versions.block("provider", &[name], self.provider);
        let mut variables = Body::default();
        for (name, variable) in self.variables {
            let mut body =
                Body::default().set("description", &variable.description).set("type", raw(variable.kind));
            if variable.sensitive {
                body = body.set("sensitive", true);
            }
            variables.block("variable", &[&name], body.may("default", variable.default));
        }
        let mut outputs = Body::default();
        for (name, (description, value)) in self.outputs {
            outputs.block(
                "output",
                &[&name],
                Body::default().set("description", &description).set("value", value),
            );
        }
        let mut files = BTreeMap::from([
            ("main.tf", self.main.file()),
            ("variables.tf", variables.file()),
            ("versions.tf", versions.file()),
        ]);
        if !outputs.is_empty() {
            files.insert("outputs.tf", outputs.file());
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn any_text_becomes_an_identifier() {
        for (text, expected) in [
            ("erp-db-1", "erp_db_1"),
            ("1st", "x_1st"),
            ("재고", "x"),
            ("", "x"),
            ("a\"${b}", "a_b"),
            ("Ubuntu 22.04 LTS", "ubuntu_22_04_lts"),
        ] {
            assert_eq!(slug(text), expected);
        }
    }
}
