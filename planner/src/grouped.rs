//! Says once what holds for many hosts: ten thousand hosts without measurements are one finding, not ten thousand.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Severity};
use carafe_model::language::{Arg, Said, Sentence};

/// How many hosts a finding about several names.
const NAMED: usize = 3;
/// How many findings with one code are told before the rest are counted together.
const MOST_PER_CODE: usize = 10;

/// What makes two findings say the same: code, severity, summary and help.
type Key = (String, Severity, String, Option<String>);

/// Joins findings that say the same of several hosts, at the place of the first, and counts what is left of a code that
/// says very many different things. Those about most hosts are kept.
pub fn grouped(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: Vec<(Finding, Vec<String>)> = Vec::new();
    let mut place_of: BTreeMap<Key, usize> = BTreeMap::new();
    for finding in findings {
        let Some(host) = finding.host.clone() else {
            joined.push((finding, Vec::new()));
            continue;
        };
        let help = finding.help.as_ref().map(ToString::to_string);
        let key = (finding.code.clone(), finding.severity, finding.summary.to_string(), help);
        let place = *place_of.entry(key).or_insert_with(|| {
            joined.push((finding, Vec::new()));
            joined.len() - 1
        });
        joined[place].1.push(host);
    }
    let kept = kept(&joined);
    let mut rest: BTreeMap<String, (Severity, usize, usize)> = BTreeMap::new();
    let mut said = Vec::new();
    for ((finding, hosts), is_kept) in joined.into_iter().zip(kept) {
        if is_kept {
            said.push(about(finding, &hosts));
        } else {
            let (severity, findings, of_hosts) = rest.entry(finding.code).or_insert((finding.severity, 0, 0));
            *severity = finding.severity.max(*severity);
            *findings += 1;
            *of_hosts += hosts.len();
        }
    }
    said.extend(rest.into_iter().map(|(code, (severity, findings, hosts))| {
        Finding::new(&code, severity, Said::new("finding.more").with("findings", findings).with("n", hosts))
    }));
    said
}

/// Which findings are told: all without a host, and of each code those about most hosts.
fn kept(joined: &[(Finding, Vec<String>)]) -> Vec<bool> {
    let mut of_code: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut kept = vec![true; joined.len()];
    for (place, (finding, hosts)) in joined.iter().enumerate() {
        if !hosts.is_empty() {
            of_code.entry(&finding.code).or_default().push(place);
        }
    }
    for mut places in of_code.into_values() {
        places.sort_by_key(|place| std::cmp::Reverse(joined[*place].1.len()));
        places.iter().skip(MOST_PER_CODE).for_each(|place| kept[*place] = false);
    }
    kept
}

/// A finding about its hosts: by name when it is one, by count and examples when they are more.
fn about(mut finding: Finding, hosts: &[String]) -> Finding {
    if hosts.len() < 2 {
        return finding;
    }
    finding.host = None;
    finding.summary =
        Said::new("finding.of-hosts").with("n", hosts.len()).with("what", arg(&finding.summary)).into();
    let named: Vec<&str> = hosts.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join(", ");
    let named = if hosts.len() > NAMED { format!("{named}, …") } else { named };
    let help = match &finding.help {
        Some(help) => Said::new("help.of-hosts").with("help", arg(help)),
        None => Said::new("help.hosts"),
    };
    finding.help = Some(help.with("hosts", named).into());
    finding
}

/// A sentence as a part of another.
fn arg(sentence: &Sentence) -> Arg {
    sentence.said().map_or_else(|| Arg::from(sentence.as_str()), |said| Arg::from(said.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &str, what: &str, host: &str) -> Finding {
        Finding::warning(code, what).host(host).help("do this")
    }

    #[test]
    fn what_holds_for_several_hosts_is_said_once() {
        let one = finding("A", "alone", "h0");
        let found = grouped(vec![
            Finding::info("B", "no host"),
            finding("A", "same", "h1"),
            one.clone(),
            finding("A", "same", "h2"),
            finding("A", "same", "h3"),
            finding("A", "same", "h4"),
        ]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].summary, "4 hosts: same");
        assert_eq!(found[1].help.as_deref(), Some("do this; these are h1, h2, h3, …"));
        assert_eq!(found[2], one);
    }

    #[test]
    fn a_code_that_says_many_things_keeps_those_about_most_hosts() {
        let many =
            |kind: usize| (0..=kind).map(move |n| finding("A", &format!("kind {kind}"), &format!("h{n}")));
        let found = grouped((0..30).flat_map(many).collect());
        assert_eq!(found.len(), MOST_PER_CODE + 1);
        assert_eq!(found[0].summary, "21 hosts: kind 20");
        assert_eq!(found[10].summary, "20 more findings of this kind about 210 hosts");
    }
}
