//! Security groups with their rules, and key pairs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use carafe_inventory::xml::Element;
use carafe_model::steps::AllowRule;

use super::client::Query;
use super::owner;
use super::site::{Found, Site, named};
use super::xml::{rows, text, whole};
use crate::drivers::{DriverError, ErrorKind, Target};

/// How many rules a group shall have; without it, one whose rules were never made looks like one that has none.
const RULES: &str = "carafe-rules";
/// EC2's word for all protocols.
const ALL: &str = "-1";

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
    let protocol = if rule.protocol == "*" { ALL.to_owned() } else { rule.protocol.to_lowercase() };
    let ports = match protocol.as_str() {
        "tcp" | "udp" => match (rule.from_port, rule.to_port) {
            (None, None) => Some((0, 65535)),
            (from, to) => from.or(to).zip(to.or(from)).map(|(from, to)| (from.into(), to.into())),
        },
        _ => None,
    };
    (protocol, ports.map(|(from, _)| from), ports.map(|(_, to)| to), source(&rule.source))
}

fn incoming(group: &Element) -> BTreeSet<Spelled> {
    let mut rules = BTreeSet::new();
    for rule in rows(group, "ipPermissions") {
        let protocol = text(rule, "ipProtocol").to_owned();
        let has_ports = ["tcp", "udp"].contains(&protocol.as_str());
        let port = |name: &str| whole(rule, name).filter(|_| has_ports);
        let from = |list: &'static str, key: &'static str| {
            rows(rule, list).map(move |one| text(one, key).to_owned())
        };
        let sources = from("ipRanges", "cidrIp")
            .chain(from("ipv6Ranges", "cidrIpv6"))
            .chain(from("groups", "groupId"))
            .chain(from("prefixListIds", "prefixListId"));
        rules.extend(sources.map(|source| (protocol.clone(), port("fromPort"), port("toPort"), source)));
    }
    rules
}

fn words((protocol, from, to, source): &Spelled) -> String {
    let protocol = if protocol == ALL { "everything" } else { protocol };
    let ports = match (from, to) {
        (Some(from), Some(to)) if from == to => format!(" {from}"),
        (Some(from), Some(to)) => format!(" {from}-{to}"),
        _ => String::new(),
    };
    format!("{protocol}{ports} from {source}")
}

/// In what the rules of a group differ from what is wanted; their order says nothing.
pub(super) fn differences(group: &Element, rules: &[AllowRule]) -> Vec<String> {
    let (is, wanted): (BTreeSet<_>, BTreeSet<_>) = (incoming(group), rules.iter().map(wanted).collect());
    let missing = wanted.difference(&is).map(|rule| format!("it does not let in {}", words(rule)));
    missing.chain(is.difference(&wanted).map(|rule| format!("it lets in {}", words(rule)))).collect()
}

/// Rules as parameters; each is one, so that all are taken or none.
fn permissions(rules: &[AllowRule]) -> Query {
    let rules: BTreeSet<Spelled> = rules.iter().map(wanted).collect();
    rules.iter().enumerate().fold(Query::new(), |query, (at, (protocol, from, to, source))| {
        let at = format!("IpPermissions.{}", at + 1);
        // Without ports ICMP means all of its types.
        let port = |port: &Option<u64>| match (port, protocol.as_str()) {
            (Some(port), _) => Some(port.to_string()),
            (None, ALL) => None,
            (None, _) => Some("-1".to_owned()),
        };
        let range = if source.contains(':') { "Ipv6Ranges.1.CidrIpv6" } else { "IpRanges.1.CidrIp" };
        query
            .set(format!("{at}.IpProtocol"), protocol)
            .maybe(&format!("{at}.FromPort"), port(from).as_deref())
            .maybe(&format!("{at}.ToPort"), port(to).as_deref())
            .set(format!("{at}.{range}"), source)
    })
}

impl Site<'_> {
    pub(super) async fn groups(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let query = match name {
            Some(name) => Query::new().filter("group-name", [name]),
            None => named(None),
        };
        let listed = self.all("DescribeSecurityGroups", &query, "securityGroupInfo").await?;
        let group = |info: Element| {
            let found = Found::of(info, "groupId");
            let name = text(&found.info, "groupName").to_owned();
            let planned = found.more.get(RULES).is_some_and(|rules| rules != "0");
            let complete = !planned || !incoming(&found.info).is_empty();
            Found { name, complete, ..found }
        };
        Ok(listed.into_iter().map(group).collect())
    }

    pub(super) async fn make_group(
        &self,
        target: &Target,
        network: &Found,
        rules: &[AllowRule],
    ) -> Result<(), DriverError> {
        let count = rules.len().to_string();
        let query = Query::new()
            .set("GroupName", target.name())
            .set("GroupDescription", format!("made by Carafe, run {}", target.owner.run))
            .set("VpcId", &network.id)
            .tagged("security-group", &owner::tags(&target.owner, target.name(), &[(RULES, &count)]));
        let made = self.ec2("CreateSecurityGroup", &query).await?;
        let id = text(&made, "groupId").to_owned();
        match self.complete_group(&id, rules).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.take_back(("DeleteSecurityGroup", "GroupId", &id), refusal).await),
        }
    }

    /// Gives a group all its rules, in one call, so that it has all or none.
    pub(super) async fn complete_group(&self, group: &str, rules: &[AllowRule]) -> Result<(), DriverError> {
        if rules.is_empty() {
            return Ok(());
        }
        let query = permissions(rules).set("GroupId", group);
        self.ec2("AuthorizeSecurityGroupIngress", &query).await.map(drop)
    }

    pub(super) async fn key_pairs(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let query = match name {
            Some(name) => Query::new().filter("key-name", [name]),
            None => named(None),
        };
        let query = query.set("IncludePublicKey", "true");
        let listed = self.all("DescribeKeyPairs", &query, "keySet").await?;
        let pair = |info: Element| {
            let found = Found::of(info, "keyPairId");
            Found { name: text(&found.info, "keyName").to_owned(), ..found }
        };
        Ok(listed.into_iter().map(pair).collect())
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
            (Some(kind @ ("ssh-ed25519" | "ssh-rsa")), Some(key)) => Ok(format!("{kind} {key}")),
            _ => Err(refused(
                "EC2 takes keys of the kinds ssh-ed25519 and ssh-rsa, and this is none".to_owned(),
            )),
        }
    }

    pub(super) async fn make_key_pair(&self, target: &Target) -> Result<(), DriverError> {
        self.ec2("ImportKeyPair", &self.key_query(target)?).await.map(drop)
    }

    /// How a key pair is asked for.
    pub(super) fn key_query(&self, target: &Target) -> Result<Query, DriverError> {
        Ok(Query::new()
            .set("KeyName", target.name())
            .set("PublicKeyMaterial", STANDARD.encode(self.public_key()?))
            .tagged("key-pair", &owner::tags(&target.owner, target.name(), &[])))
    }

    pub(super) fn key_differences(&self, found: &Found) -> Vec<String> {
        let is = text(&found.info, "publicKey").split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        match self.public_key() {
            Ok(wanted) if !is.is_empty() && wanted != is => {
                vec!["it holds another public key than the connection names".to_owned()]
            }
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    pub(super) async fn clear_key_pair(&self, found: &Found) -> Result<(), DriverError> {
        // AWS lets a key pair go while machines bear it.
        let query = Query::new()
            .filter("key-name", [found.name.as_str()])
            .filter("instance-state-name", ["pending", "running", "stopping", "stopped"]);
        if let Some(machine) = self.instances(&query).await?.first() {
            let what = format!("key pair \"{}\" is in use by machine \"{}\"", found.name, machine.name);
            return Err(ErrorKind::Conflict.because(what));
        }
        self.gone("DeleteKeyPair", "KeyName", &found.name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_compared_as_ec2_spells_them() {
        let rule = |protocol: &str, ports: Option<(u16, u16)>, source: &str| AllowRule {
            protocol: protocol.into(),
            from_port: ports.map(|ports| ports.0),
            to_port: ports.map(|ports| ports.1),
            source: source.into(),
        };
        let wanted = [
            rule("tcp", Some((22, 22)), "10.0.0.1"),
            rule("udp", None, "10.0.0.0/8"),
            rule("icmp", None, "::/0"),
            rule("*", None, "10.0.0.0/8"),
        ];
        let xml = "<item><ipPermissions>
            <item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>
              <ipRanges><item><cidrIp>10.0.0.1/32</cidrIp></item></ipRanges></item>
            <item><ipProtocol>udp</ipProtocol><fromPort>0</fromPort><toPort>65535</toPort>
              <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item>
            <item><ipProtocol>icmp</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort>
              <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges></item>
            <item><ipProtocol>-1</ipProtocol>
              <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item>
            </ipPermissions></item>";
        let group = carafe_inventory::xml::parse(xml).expect("XML").remove(0);
        assert_eq!(differences(&group, &wanted), Vec::<String>::new());
        let told = differences(&group, &wanted[..3]);
        assert_eq!(told, ["it lets in everything from 10.0.0.0/8"]);
        let told =
            differences(&group, &[wanted.as_slice(), &[rule("tcp", Some((1, 2)), "10.0.0.0/8")]].concat());
        assert_eq!(told, ["it does not let in tcp 1-2 from 10.0.0.0/8"]);
    }
}
