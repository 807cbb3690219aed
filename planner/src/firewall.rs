//! From a host's firewall to the rules of a security group, which can only allow.
//!
//! Nothing is ever opened wider than it was: a rule that cannot be read, and one that an earlier deny rule may cut into,
//! is left out and told, so that a person looks at it.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{Estate, Flow};
use carafe_model::finding::Finding;
use carafe_model::host::{Action, Direction, FirewallRule, Host};
use carafe_model::ids::HostId;
use carafe_model::language::Said;
use carafe_model::steps::AllowRule;

use crate::groups::host_of;

/// The flows to each host.
pub fn flows_to(estate: &Estate) -> BTreeMap<&HostId, Vec<&Flow>> {
    let mut of_host: BTreeMap<&HostId, Vec<&Flow>> = BTreeMap::new();
    for flow in &estate.flows {
        if let Some(host) = host_of(&flow.to) {
            of_host.entry(host).or_default().push(flow);
        }
    }
    of_host
}

/// What may reach a host: its inbound allow rules, or the flows to it where it has no firewall of its own.
pub fn allow_rules(flows: &[&Flow], host: &Host, findings: &mut Vec<Finding>) -> Vec<AllowRule> {
    let (rules, left_out) =
        if host.firewall.is_empty() { by_flows(flows) } else { by_firewall(&host.firewall) };
    if left_out > 0 {
        findings.push(
            Finding::warning("PLN-0304", Said::new("finding.firewall").with("n", left_out))
                .host(host.id.as_str())
                .help(Said::new("help.firewall")),
        );
    }
    rules.into_iter().collect()
}

fn by_firewall(firewall: &[FirewallRule]) -> (BTreeSet<AllowRule>, u32) {
    let mut rules = BTreeSet::new();
    let mut left_out = 0;
    let mut denied: Vec<AllowRule> = Vec::new();
    for rule in firewall.iter().filter(|rule| rule.direction == Direction::Inbound) {
        let Some(read) = read(rule) else {
            // A deny rule that cannot be read may cut into anything after it.
            match rule.action {
                Action::Allow => left_out += 1,
                Action::Deny => denied.push(everything()),
            }
            continue;
        };
        match rule.action {
            Action::Deny if read.contains(&everything()) => return (rules, left_out),
            Action::Deny => denied.extend(read),
            Action::Allow if denied.iter().any(|deny| read.iter().any(|rule| overlap(deny, rule))) => {
                left_out += 1;
            }
            Action::Allow => rules.extend(read),
        }
    }
    (rules, left_out)
}

fn by_flows(flows: &[&Flow]) -> (BTreeSet<AllowRule>, u32) {
    let mut rules = BTreeSet::new();
    let mut left_out = 0;
    for flow in flows {
        let Some(port) = flow.port else {
            left_out += 1;
            continue;
        };
        let source = if host_of(&flow.from).is_some() { "10.0.0.0/8" } else { "0.0.0.0/0" };
        rules.insert(AllowRule {
            protocol: flow.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
            from_port: Some(port),
            to_port: Some(port),
            source: source.to_owned(),
        });
    }
    (rules, left_out)
}

fn everything() -> AllowRule {
    AllowRule { protocol: "*".to_owned(), from_port: None, to_port: None, source: "0.0.0.0/0".to_owned() }
}

/// A rule as one entry for each range of ports; `None` when a part of it cannot be read.
fn read(rule: &FirewallRule) -> Option<Vec<AllowRule>> {
    let source = match rule.source.as_str() {
        "" | "*" | "any" => "0.0.0.0/0".to_owned(),
        source if ipv4(source).is_some() => source.to_owned(),
        source
            if source.contains(':')
                && source.bytes().all(|b| b.is_ascii_hexdigit() || b":/.".contains(&b)) =>
        {
            source.to_owned()
        }
        _ => return None,
    };
    let protocol = rule.protocol.to_ascii_lowercase();
    let ranges = ports(&rule.ports)?;
    let entry = |(from_port, to_port)| AllowRule {
        protocol: protocol.clone(),
        from_port,
        to_port,
        source: source.clone(),
    };
    Some(ranges.into_iter().map(entry).collect())
}

type Range = (Option<u16>, Option<u16>);

/// The ranges of a port list such as `80,443`, `1024-65535` or `*`; `None` when it cannot be read.
fn ports(text: &str) -> Option<Vec<Range>> {
    if matches!(text.trim(), "*" | "" | "any") {
        return Some(vec![(None, None)]);
    }
    let range = |part: &str| {
        let (from, to) = part.split_once(['-', ':']).unwrap_or((part, part));
        let (from, to) = (from.trim().parse::<u16>().ok()?, to.trim().parse::<u16>().ok()?);
        (from <= to).then_some((Some(from), Some(to)))
    };
    text.split(',').map(|part| range(part.trim())).collect()
}

/// An IPv4 address with its prefix length.
fn ipv4(text: &str) -> Option<(u32, u32)> {
    let (address, length) = text.split_once('/').unwrap_or((text, "32"));
    let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
    let octets: Vec<u8> = address.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [a, b, c, d] = octets[..] else { return None };
    Some((u32::from_be_bytes([a, b, c, d]), length))
}

/// Whether some traffic may fit both rules.
fn overlap(a: &AllowRule, b: &AllowRule) -> bool {
    let protocols = a.protocol == "*" || b.protocol == "*" || a.protocol == b.protocol;
    let first = |rule: &AllowRule| rule.from_port.unwrap_or(0);
    let last = |rule: &AllowRule| rule.to_port.unwrap_or(u16::MAX);
    let ports = first(a) <= last(b) && first(b) <= last(a);
    let sources = match (ipv4(&a.source), ipv4(&b.source)) {
        (Some((a, length_a)), Some((b, length_b))) => {
            let shared = length_a.min(length_b);
            shared == 0 || (a ^ b) >> (32 - shared) == 0
        }
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => true,
    };
    protocols && ports && sources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(action: Action, source: &str, ports: &str) -> FirewallRule {
        FirewallRule {
            direction: Direction::Inbound,
            action,
            protocol: "tcp".to_owned(),
            source: source.to_owned(),
            destination: "*".to_owned(),
            ports: ports.to_owned(),
        }
    }

    fn check(rules: &[(Action, &str, &str)], expected: &[&str], left_out: u32) {
        let rules: Vec<FirewallRule> = rules.iter().map(|(action, s, p)| rule(*action, s, p)).collect();
        let (found, out) = by_firewall(&rules);
        let say = |port: Option<u16>| port.map_or("*".to_owned(), |port| port.to_string());
        let found: Vec<String> =
            found.iter().map(|r| format!("{} {}-{}", r.source, say(r.from_port), say(r.to_port))).collect();
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>(), out),
            (expected.to_vec(), left_out),
            "{rules:?}"
        );
    }

    #[test]
    fn nothing_is_opened_wider_than_it_was() {
        use Action::{Allow, Deny};
        check(&[(Allow, "*", "80,443")], &["0.0.0.0/0 80-80", "0.0.0.0/0 443-443"], 0);
        check(&[(Allow, "*", "ssh")], &[], 1);
        check(&[(Allow, "*", "80,443,")], &[], 1);
        check(&[(Allow, "web-servers", "80")], &[], 1);
        check(&[(Deny, "10.0.5.0/24", "*"), (Allow, "*", "22")], &[], 1);
        check(&[(Deny, "10.0.5.0/24", "22"), (Allow, "10.0.6.0/24", "22")], &["10.0.6.0/24 22-22"], 0);
        check(&[(Deny, "10.0.5.0/24", "22"), (Allow, "*", "80")], &["0.0.0.0/0 80-80"], 0);
        check(&[(Deny, "nowhere", "22"), (Allow, "*", "80")], &[], 1);
        check(&[(Allow, "2001:db8::/32", "1024-2048")], &["2001:db8::/32 1024-2048"], 0);
    }

    #[test]
    fn what_comes_after_a_deny_of_everything_never_counted() {
        let mut all = rule(Action::Deny, "*", "*");
        all.protocol = "*".to_owned();
        let rules = [rule(Action::Allow, "*", "80"), all, rule(Action::Allow, "*", "81")];
        let (found, left_out) = by_firewall(&rules);
        assert_eq!((found.len(), left_out), (1, 0));
    }
}
