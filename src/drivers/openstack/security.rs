//! Neutron's security groups with their rules, and Nova's key pairs.

use std::collections::BTreeSet;

use carafe_model::steps::AllowRule;
use serde_json::{Value, json};

use super::json::{rows, text, whole};
use super::owner;
use super::site::{Found, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Target};

/// A rule in the one spelling that rules are compared in: protocol, ports, source.
type Spelled = (String, Option<u64>, Option<u64>, String);

fn source(text: &str) -> String {
    match text.contains('/') {
        true => text.to_owned(),
        false if text.contains(':') => format!("{text}/128"),
        false => format!("{text}/32"),
    }
}

fn wanted(rule: &AllowRule) -> Spelled {
    let protocol = if rule.protocol == "*" { String::new() } else { rule.protocol.to_lowercase() };
    let has_ports = ["tcp", "udp"].contains(&protocol.as_str());
    let from = rule.from_port.filter(|_| has_ports).map(u64::from);
    let to = rule.to_port.or(rule.from_port).filter(|_| has_ports).map(u64::from);
    (protocol, from.or(to), to, source(&rule.source))
}

fn is(rule: &Value) -> Spelled {
    let everywhere = if text(rule, "ethertype") == "IPv6" { "::/0" } else { "0.0.0.0/0" };
    let from = Some(text(rule, "remote_ip_prefix")).filter(|prefix| !prefix.is_empty());
    let from = match text(rule, "remote_group_id") {
        "" => from.unwrap_or(everywhere).to_owned(),
        group => format!("group {group}"),
    };
    let protocol = Some(text(rule, "protocol")).filter(|protocol| *protocol != "any").unwrap_or_default();
    (protocol.to_owned(), whole(rule, "port_range_min"), whole(rule, "port_range_max"), from)
}

fn incoming(group: &Value) -> BTreeSet<Spelled> {
    let rules = rows(group, "security_group_rules");
    rules.filter(|rule| text(rule, "direction") == "ingress").map(is).collect()
}

fn words((protocol, from, to, source): &Spelled) -> String {
    let protocol = if protocol.is_empty() { "everything" } else { protocol };
    let ports = match (from, to) {
        (Some(from), Some(to)) if from == to => format!(" {from}"),
        (Some(from), Some(to)) => format!(" {from}-{to}"),
        _ => String::new(),
    };
    format!("{protocol}{ports} from {source}")
}

/// In what the rules of a group differ from what is wanted; their order says nothing.
pub(super) fn differences(group: &Value, rules: &[AllowRule]) -> Vec<String> {
    let (is, wanted): (BTreeSet<_>, BTreeSet<_>) = (incoming(group), rules.iter().map(wanted).collect());
    let lacks = wanted.difference(&is).map(|rule| format!("it does not let in {}", words(rule)));
    let has = is.difference(&wanted).map(|rule| format!("it lets in {}", words(rule)));
    lacks.chain(has).collect()
}

impl Site<'_> {
    pub(super) async fn groups(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let mut groups = self.neutron("security-groups", "security_groups", name, &[]).await?;
        for group in &mut groups {
            let made_without = group.more.get("rules").is_none_or(|rules| rules == "0");
            group.complete = made_without || !incoming(&group.info).is_empty();
        }
        Ok(groups)
    }

    pub(super) async fn make_group(&self, target: &Target, rules: &[AllowRule]) -> Result<(), DriverError> {
        let count = rules.len().to_string();
        let body = json!({
            "name": target.name(), "description": owner::words(&target.owner, &[("rules", &count)]),
        });
        let group = self.make_in_neutron("security-groups", "security_group", &target.owner, body).await?;
        match self.complete_group(&group, rules).await {
            Ok(()) => Ok(()),
            Err(refusal) => {
                Err(self.take_back(Service::Network, &["security-groups", &group.id], refusal).await)
            }
        }
    }

    /// Gives a group all its rules, in one call, so that it has all or none.
    pub(super) async fn complete_group(&self, group: &Found, rules: &[AllowRule]) -> Result<(), DriverError> {
        let rules: BTreeSet<Spelled> = rules.iter().map(wanted).collect();
        if rules.is_empty() {
            return Ok(());
        }
        let rules = rules.iter().map(|(protocol, from, to, source)| {
            let protocol = Some(protocol).filter(|protocol| !protocol.is_empty());
            json!({
                "security_group_id": group.id, "direction": "ingress",
                "ethertype": if source.contains(':') { "IPv6" } else { "IPv4" },
                "protocol": protocol, "port_range_min": from, "port_range_max": to, "remote_ip_prefix": source,
            })
        });
        let body = json!({"security_group_rules": rules.collect::<Vec<_>>()});
        self.post(Service::Network, &["security-group-rules"], &body).await.map(drop)
    }

    /// Key pairs have neither metadata nor description; the comment of the public key says whose they are.
    pub(super) async fn key_pairs(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let listed = match name {
            Some(name) => self.look(Service::Compute, &["os-keypairs", name]).await?.into_iter().collect(),
            None => self.all(Service::Compute, &["os-keypairs"], &[], "keypairs").await?,
        };
        let found = listed.into_iter().map(|mut listed| {
            let pair = listed["keypair"].take();
            let comment = text(&pair, "public_key").splitn(3, ' ').nth(2).unwrap_or_default();
            let name = text(&pair, "name").to_owned();
            Found { id: name, ..Found::marked(pair.clone(), owner::of_words(comment)) }
        });
        Ok(found.collect())
    }

    /// The public key that machines let in, without its comment.
    pub(super) fn public_key(&self) -> Result<String, DriverError> {
        let Some(path) = &self.cloud.public_key else {
            let what = "a key pair is made of a public key of yours, and the connection names no file with one: set \
                        public_key = \"/home/you/.ssh/id_ed25519.pub\"";
            return Err(ErrorKind::Invalid.because(what));
        };
        let refused =
            |why: String| ErrorKind::Invalid.because(format!("public_key {}: {why}", path.display()));
        let read = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let mut words = read.lines().next().unwrap_or_default().split_whitespace();
        match (words.next(), words.next()) {
            (Some(kind), Some(key)) if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") => {
                Ok(format!("{kind} {key}"))
            }
            _ => Err(refused("it holds no public key as OpenSSH writes it".to_owned())),
        }
    }

    pub(super) async fn make_key_pair(&self, target: &Target) -> Result<(), DriverError> {
        let key = format!("{} {}", self.public_key()?, owner::words(&target.owner, &[]));
        let body = json!({"keypair": {"name": target.name(), "type": "ssh", "public_key": key}});
        self.post(Service::Compute, &["os-keypairs"], &body).await.map(drop)
    }

    pub(super) fn key_differences(&self, found: &Found) -> Vec<String> {
        let is = text(&found.info, "public_key").splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        match self.public_key() {
            Ok(wanted) if wanted != is => {
                vec!["it holds another public key than the connection names".to_owned()]
            }
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    pub(super) async fn clear_key_pair(&self, found: &Found) -> Result<(), DriverError> {
        // Nova lets a key pair go while machines bear it.
        let servers = self
            .all(Service::Compute, &["servers", "detail"], &[("key_name", &found.name)], "servers")
            .await?;
        if let Some(server) = servers.iter().find(|server| text(server, "key_name") == found.name) {
            let what =
                format!("key pair \"{}\" is in use by machine \"{}\"", found.name, text(server, "name"));
            return Err(ErrorKind::Conflict.because(what));
        }
        self.delete(Service::Compute, &["os-keypairs", &found.name]).await
    }
}
