//! Packet filters of a collected host: ufw, firewalld, iptables or nftables, whichever is in charge.

use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Action, Direction, FirewallRule};

use super::below;
use super::sections::Sections;
use crate::normalise;
use crate::raw::At;
use crate::text::{clip, counted};

/// Rules in order, or how many could not be understood.
#[derive(Default)]
struct Rules {
    rules: Vec<FirewallRule>,
    unread: usize,
}

/// The rules of the host. Those that cannot be understood whole are told (`INV-8003`), as is a host that does not let
/// them be read (`INV-8004`).
pub(super) fn read(
    sections: &Sections<'_>,
    target: &str,
    place: &Place,
    findings: &mut Vec<Finding>,
) -> Option<At<Vec<FirewallRule>>> {
    let starts = |section: &str, word: &str| {
        sections.lines(section).iter().any(|line| line.trim_start().starts_with(word))
    };
    let (section, rules) = if starts("ufw", "Status: active") {
        ("ufw", ufw(sections.lines("ufw")))
    } else if starts("firewalld", "target:") {
        ("firewalld", firewalld(sections.lines("firewalld")))
    } else if starts("iptables", "-A ") {
        ("iptables", iptables(sections.lines("iptables")))
    } else if starts("nft", "table ") {
        ("nft", nft(sections.lines("nft")))
    } else {
        let allowed = ["root", "sudo"].contains(sections.lines("rights").first().unwrap_or(&"user"));
        let answered =
            ["ufw", "firewalld", "iptables", "nft"].iter().any(|name| !sections.lines(name).is_empty());
        if !allowed && !answered {
            findings.push(
                Finding::info(
                    "INV-8004",
                    "the packet filter could not be read without the administrator's rights",
                )
                .at(below(place, "rights"))
                .host(clip(target))
                .help("collect with --sudo where sudo needs no password, or add the rules by hand"),
            );
        }
        return None;
    };
    if rules.unread > 0 {
        let what = counted(rules.unread, "firewall rule");
        findings.push(
            Finding::warning("INV-8003", format!("{what} cannot be understood whole; left out"))
                .at(below(place, section))
                .host(clip(target))
                .help("look at the rules on the host; the order of rules decides"),
        );
    }
    (!rules.rules.is_empty()).then(|| At::new(rules.rules, below(place, section)))
}

fn rule(direction: Direction, action: Action) -> FirewallRule {
    let any = || "*".to_owned();
    FirewallRule { direction, action, protocol: any(), source: any(), destination: any(), ports: any() }
}

/// `iptables-save -t filter`: rules of the chains INPUT and OUTPUT, then their policies.
fn iptables(lines: &[&str]) -> Rules {
    let mut found = Rules::default();
    let mut policies = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [chain @ (":INPUT" | ":OUTPUT"), policy, ..] => {
                policies.extend(normalise::direction(&chain[1..]).zip(normalise::action(policy)));
            }
            ["-A", chain @ ("INPUT" | "OUTPUT"), rest @ ..] => {
                let Some(direction) = normalise::direction(chain) else { continue };
                match iptables_rule(direction, rest) {
                    Parsed::Rule(rule) => found.rules.push(rule),
                    Parsed::Implied => {}
                    Parsed::Unread => found.unread += 1,
                }
            }
            _ => {}
        }
    }
    close(&mut found, &policies);
    found
}

/// A policy is the last rule of its direction; one that lets everything pass behind no other rule says nothing.
fn close(found: &mut Rules, policies: &[(Direction, Action)]) {
    for (direction, action) in policies {
        if *action == Action::Deny || found.rules.iter().any(|rule| rule.direction == *direction) {
            found.rules.push(rule(*direction, *action));
        }
    }
}

/// What became of a rule.
enum Parsed {
    Rule(FirewallRule),
    /// It only says what every rule of a stateful firewall implies, or speaks of the loopback interface.
    Implied,
    Unread,
}

fn iptables_rule(direction: Direction, words: &[&str]) -> Parsed {
    let mut rule = rule(direction, Action::Allow);
    let mut decided = false;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word {
            "-p" => rule.protocol = normalise::protocol(Some(value())),
            "-s" | "-d" => {
                let Some(network) = normalise::network(Some(value())) else { return Parsed::Unread };
                *(if word == "-s" { &mut rule.source } else { &mut rule.destination }) = network;
            }
            "--dport" | "--dports" => match normalise::ports(Some(value())) {
                Some(ports) => rule.ports = ports,
                None => return Parsed::Unread,
            },
            "--icmp-type" | "--icmpv6-type" | "--comment" | "--reject-with" => drop(value()),
            "-m" => match value() {
                "tcp" | "udp" | "multiport" | "icmp" | "icmp6" | "comment" | "state" | "conntrack" => {}
                _ => return Parsed::Unread,
            },
            "--state" | "--ctstate" => {
                if !value().contains("NEW") {
                    return Parsed::Implied;
                }
            }
            "-i" | "-o" => {
                return if value() == "lo" { Parsed::Implied } else { Parsed::Unread };
            }
            "-j" => match normalise::action(value()) {
                Some(action) => (rule.action, decided) = (action, true),
                None => return Parsed::Unread,
            },
            _ => return Parsed::Unread,
        }
    }
    if decided { Parsed::Rule(rule) } else { Parsed::Unread }
}

/// `nft list ruleset`: rules of chains with a hook for input or output.
fn nft(lines: &[&str]) -> Rules {
    let mut found = Rules::default();
    let mut policies = Vec::new();
    let mut direction = None;
    for line in lines {
        let text = line.split(" # ").next().unwrap_or_default().trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["chain", ..] | ["table", ..] | ["}"] => direction = None,
            ["type", "filter", "hook", hook @ ("input" | "output"), ..] => {
                direction = normalise::direction(hook);
                let policy = words.iter().skip_while(|word| **word != "policy").nth(1);
                let action = policy.and_then(|policy| normalise::action(policy.trim_end_matches(';')));
                policies.extend(direction.zip(action));
            }
            rule => {
                if let Some(direction) = direction {
                    match nft_rule(direction, rule) {
                        Parsed::Rule(rule) => found.rules.push(rule),
                        Parsed::Implied => {}
                        Parsed::Unread => found.unread += 1,
                    }
                }
            }
        }
    }
    close(&mut found, &policies);
    found
}

fn nft_rule(direction: Direction, words: &[&str]) -> Parsed {
    let mut rule = rule(direction, Action::Allow);
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let next = words.peek().copied().unwrap_or_default();
        match (word, next) {
            ("ct", "state") => return Parsed::Implied,
            ("iif" | "iifname" | "oif" | "oifname", "lo" | "\"lo\"") => return Parsed::Implied,
            ("ip" | "ip6", "saddr" | "daddr") => {
                let Some(network) = words.nth(1).and_then(|text| normalise::network(Some(text))) else {
                    return Parsed::Unread;
                };
                *(if next == "saddr" { &mut rule.source } else { &mut rule.destination }) = network;
            }
            ("tcp" | "udp", "dport") => {
                rule.protocol = word.to_owned();
                let mut ports = words.nth(1).unwrap_or_default().to_owned();
                if ports == "{" {
                    ports = words.by_ref().take_while(|word| *word != "}").collect();
                }
                match normalise::ports(Some(&ports)) {
                    Some(ports) => rule.ports = ports,
                    None => return Parsed::Unread,
                }
            }
            ("ip", "protocol") | ("meta", "l4proto") => {
                rule.protocol = normalise::protocol(words.nth(1));
                if rule.protocol.starts_with('{') {
                    return Parsed::Unread;
                }
            }
            ("counter", _) => {
                // Its figures stand behind it: packets, bytes.
                while words.next_if(|word| matches!(*word, "packets" | "bytes")).is_some() {
                    words.next();
                }
            }
            (verdict, _) => {
                let Some(action) = normalise::action(verdict) else { return Parsed::Unread };
                rule.action = action;
                return Parsed::Rule(rule);
            }
        }
    }
    Parsed::Unread
}

/// `ufw status verbose`: `22/tcp  ALLOW IN  10.0.0.0/8`, and what holds for the rest.
fn ufw(lines: &[&str]) -> Rules {
    let mut found = Rules::default();
    let mut policies = Vec::new();
    for line in lines {
        if let Some(defaults) = line.strip_prefix("Default: ") {
            for part in defaults.split(", ") {
                let (action, way) = part.split_once(' ').unwrap_or((part, ""));
                let direction = match way {
                    "(incoming)" => Some(Direction::Inbound),
                    "(outgoing)" => Some(Direction::Outbound),
                    _ => None,
                };
                policies.extend(direction.zip(normalise::action(action)));
            }
            continue;
        }
        // What is said again for IPv6 is the same rule.
        if line.contains("(v6)") {
            continue;
        }
        let Some((verb, action)) = [
            ("ALLOW", Action::Allow),
            ("DENY", Action::Deny),
            ("REJECT", Action::Deny),
            ("LIMIT", Action::Allow),
        ]
        .into_iter()
        .find(|(verb, _)| line.contains(&format!(" {verb} "))) else {
            continue;
        };
        let (to, rest) = line.split_once(&format!(" {verb} ")).unwrap_or((line, ""));
        let (way, from) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let direction = if way == "OUT" { Direction::Outbound } else { Direction::Inbound };
        let mut rule = rule(direction, action);
        let (ports, protocol) = to.trim().split_once('/').unwrap_or((to.trim(), "*"));
        rule.protocol = protocol.to_owned();
        let source = from.split(" # ").next().map(str::trim);
        match (normalise::ports(Some(ports).filter(|ports| *ports != "Anywhere")), normalise::network(source))
        {
            (Some(ports), Some(source)) => {
                rule.ports = ports;
                rule.source = source;
                found.rules.push(rule);
            }
            (Some(_) | None, _) => found.unread += 1,
        }
    }
    close(&mut found, &policies);
    found
}

/// `firewall-cmd --list-all`: what the default zone lets in; the rest is refused.
fn firewalld(lines: &[&str]) -> Rules {
    const SERVICES: &[(&str, &str, &str)] = &[
        ("ssh", "tcp", "22"),
        ("http", "tcp", "80"),
        ("https", "tcp", "443"),
        ("dns", "udp", "53"),
        ("ntp", "udp", "123"),
        ("mysql", "tcp", "3306"),
        ("postgresql", "tcp", "5432"),
        ("redis", "tcp", "6379"),
        ("mongodb", "tcp", "27017"),
        ("smtp", "tcp", "25"),
        ("ftp", "tcp", "21"),
        ("nfs", "tcp", "2049"),
        ("cockpit", "tcp", "9090"),
        ("dhcpv6-client", "udp", "546"),
    ];
    let mut found = Rules::default();
    for line in lines {
        let Some((key, values)) = line.trim().split_once(':') else { continue };
        for value in values.split_whitespace() {
            let known = match key {
                "services" => SERVICES.iter().find(|known| known.0 == value).map(|known| (known.1, known.2)),
                "ports" => value.split_once('/').map(|(ports, protocol)| (protocol, ports)),
                "rich rules" => None,
                _ => continue,
            };
            let ports = known.and_then(|(protocol, ports)| Some((protocol, normalise::ports(Some(ports))?)));
            match ports {
                Some((protocol, ports)) => found.rules.push(FirewallRule {
                    protocol: protocol.to_owned(),
                    ports,
                    ..rule(Direction::Inbound, Action::Allow)
                }),
                None => found.unread += 1,
            }
        }
    }
    found.rules.push(rule(Direction::Inbound, Action::Deny));
    found
}
