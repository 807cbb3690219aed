//! What was found on the way, and what the plan rests on.

use std::collections::BTreeMap;

use carafe_model::finding::Finding;
use carafe_model::language::Said;
use carafe_model::units::Currency;

use super::audit;
use crate::voice::Voice;
use crate::words::{self, visible};

/// The most places of one finding that are shown at once; the others are folded away.
const MOST_PLACES: usize = 5;

/// Findings that say the same about different hosts or places.
#[derive(Clone, Debug)]
pub struct FindingView {
    /// Its class in the style sheet: `error`, `warning` or `note`.
    pub tone: &'static str,
    /// How bad, in words.
    pub severity: &'static str,
    /// Its stable code.
    pub code: String,
    /// What is wrong.
    pub summary: String,
    /// How often, in words; empty when it is once.
    pub count: String,
    /// Hosts and places.
    pub places: Vec<String>,
    /// Further hosts and places, folded away.
    pub more: Vec<String>,
    /// How many those are, in words.
    pub more_count: String,
    /// What to do about it; empty when there is nothing.
    pub help: String,
}

/// Every finding, the worst first, then the most frequent; the same about many hosts is said once.
pub fn findings(voice: &Voice<'_>) -> Vec<FindingView> {
    let mut groups: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
    for finding in &voice.plan.findings {
        let help = finding.help.as_deref().unwrap_or_default();
        let key =
            (std::cmp::Reverse(finding.severity), finding.code.as_str(), finding.summary.as_str(), help);
        groups.entry(key).or_default().push(finding);
    }
    let mut groups: Vec<Vec<&Finding>> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group[0].severity), std::cmp::Reverse(group.len())));
    groups.iter().map(|group| view(voice, group)).collect()
}

fn view(voice: &Voice<'_>, group: &[&Finding]) -> FindingView {
    let first = group[0];
    let mut places: Vec<String> = group.iter().map(|finding| place(finding)).collect();
    places.retain(|place| !place.is_empty());
    places.dedup();
    let more = places.split_off(places.len().min(MOST_PLACES));
    let severity = words::severity(first.severity);
    FindingView {
        tone: severity.strip_prefix("severity.").unwrap_or(severity),
        severity: voice.w(severity),
        code: visible(&first.code),
        summary: voice.finding(&first.code, &first.summary),
        count: if group.len() > 1 { voice.n("findings.times", group.len()) } else { String::new() },
        more_count: voice.n("findings.more", more.len()),
        places,
        more,
        help: first.help.as_deref().map(|help| voice.help(help)).unwrap_or_default(),
    }
}

fn place(finding: &Finding) -> String {
    let place = visible(&finding.place.to_string());
    match finding.host.as_deref().map(visible) {
        Some(host) if place.is_empty() => host,
        Some(host) => format!("{host} ({place})"),
        None => place,
    }
}

/// What a reader needs to check the plan or make it again.
#[derive(Clone, Debug)]
pub struct Method {
    /// What was taken for granted.
    pub assumptions: Vec<String>,
    /// Where rates come from, in the order of the plan.
    pub sources: Vec<SourceRow>,
    /// How prices were converted; empty when they were not.
    pub exchange: String,
    /// The figures and hashes that fix the plan, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// Figures that do not follow from the others; empty when all do.
    pub contradictions: Vec<String>,
}

/// A price source.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Its number, from 1.
    pub number: usize,
    /// The list, API or document.
    pub name: String,
    /// When it was true; empty when it has no date.
    pub as_of: String,
    /// What qualifies it; empty when nothing does.
    pub quality: String,
}

impl Method {
    /// Reads it out of a plan.
    pub fn new(voice: &Voice<'_>) -> Method {
        let plan = voice.plan;
        let sources = plan.price_sources.iter().enumerate().map(|(place, source)| SourceRow {
            number: place + 1,
            name: voice.text(&source.name),
            as_of: visible(&source.as_of),
            quality: quality(voice, &source.quality),
        });
        Method {
            assumptions: plan.assumptions.iter().map(|assumption| voice.text(assumption)).collect(),
            sources: sources.collect(),
            exchange: exchange(voice).unwrap_or_default(),
            facts: facts(voice),
            contradictions: audit::contradictions(voice),
        }
    }
}

/// What qualifies a source; catalogs write a few words of their own into it.
pub(crate) fn quality(voice: &Voice<'_>, quality: &str) -> String {
    let key = format!("quality.{quality}");
    voice.language.pattern(&key).map_or_else(|| voice.text(quality), str::to_owned)
}

/// How prices were converted.
pub(crate) fn exchange(voice: &Voice<'_>) -> Option<String> {
    let exchange = voice.plan.exchange.as_ref()?;
    let to: Currency = voice.plan.currency;
    let said = Said::new("method.exchange")
        .with("from", exchange.from.code())
        .with("to", to.code())
        .with("rate", voice.rate(exchange.rate))
        .with("date", visible(&voice.language.date(&exchange.date)))
        .with("source", visible(&exchange.source));
    Some(voice.say(&said))
}

fn facts(voice: &Voice<'_>) -> Vec<(&'static str, String)> {
    let plan = voice.plan;
    let reached = if plan.bound.proven { "method.reached" } else { "method.not-reached" };
    [
        ("method.kind", visible(&plan.carafe)),
        ("method.snapshot", visible(&plan.catalog.id)),
        ("method.snapshot-hash", visible(&plan.catalog.sha256)),
        ("method.estate-hash", visible(&plan.estate_sha256)),
        ("method.policy-hash", visible(&plan.policy_sha256)),
        ("method.total", voice.exact_money(plan.totals.monthly)),
        ("method.objective", voice.exact_money(plan.bound.objective)),
        ("method.lower-bound", voice.exact_money(plan.bound.lower_bound)),
        ("method.gap", voice.percent(plan.bound.gap)),
        ("method.asked", voice.w(reached).to_owned()),
    ]
    .map(|(key, value)| (voice.w(key), value))
    .to_vec()
}
