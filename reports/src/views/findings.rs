//! What was found on the way, and what the plan rests on.

use carafe_model::finding::{Finding, Severity};
use carafe_model::plan::Plan;

use super::{Block, audit, blocks};
use crate::figures;
use crate::words::visible;

/// Findings in a block.
const BLOCK: usize = 100;

/// A finding.
#[derive(Clone, Debug)]
pub struct FindingView {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// Its stable code.
    pub code: String,
    /// What is wrong.
    pub summary: String,
    /// The host it is about; empty when it is about none.
    pub host: String,
    /// Where; empty when it is nowhere.
    pub place: String,
    /// What to do about it; empty when there is nothing.
    pub help: String,
}

/// Every finding, the worst first, then by code, place and host.
pub fn findings(plan: &Plan) -> Vec<Block<FindingView>> {
    let mut findings: Vec<&Finding> = plan.findings.iter().collect();
    findings.sort_by(|a, b| {
        (b.severity.cmp(&a.severity))
            .then_with(|| (&a.code, &a.place, &a.host).cmp(&(&b.code, &b.place, &b.host)))
    });
    blocks(findings.into_iter().map(view).collect(), BLOCK)
}

fn view(finding: &Finding) -> FindingView {
    FindingView {
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        },
        code: visible(&finding.code),
        summary: visible(&finding.summary),
        host: finding.host.as_deref().map(visible).unwrap_or_default(),
        place: visible(&finding.place.to_string()),
        help: finding.help.as_deref().map(visible).unwrap_or_default(),
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
    pub fn new(plan: &Plan) -> Method {
        let sources = plan.price_sources.iter().enumerate().map(|(place, source)| SourceRow {
            number: place + 1,
            name: visible(&source.name),
            as_of: visible(&source.as_of),
            quality: visible(&source.quality),
        });
        Method {
            assumptions: plan.assumptions.iter().map(|assumption| visible(assumption)).collect(),
            sources: sources.collect(),
            exchange: exchange(plan),
            facts: facts(plan),
            contradictions: audit::contradictions(plan),
        }
    }
}

fn exchange(plan: &Plan) -> String {
    let Some(exchange) = &plan.exchange else { return String::new() };
    format!(
        "Prices in {from} were converted at {rate} {to} for 1 {from}, the rate of {date} by {source}.",
        from = exchange.from,
        rate = figures::rate(exchange.rate, plan.currency),
        to = plan.currency,
        date = visible(&exchange.date),
        source = visible(&exchange.source)
    )
}

fn facts(plan: &Plan) -> Vec<(&'static str, String)> {
    let money = |amount| format!("{} {}", plan.currency, figures::exact(amount, plan.currency));
    vec![
        ("Kind of document", visible(&plan.carafe)),
        ("Catalog snapshot", visible(&plan.catalog.id)),
        ("SHA-256 of the snapshot", visible(&plan.catalog.sha256)),
        ("SHA-256 of the estate", visible(&plan.estate_sha256)),
        ("SHA-256 of the policy", visible(&plan.policy_sha256)),
        ("Monthly total", money(plan.totals.monthly)),
        ("Objective that was minimised", money(plan.bound.objective)),
        ("Lower bound on every plan", money(plan.bound.lower_bound)),
        ("Gap between the two", figures::percent(plan.bound.gap)),
        ("Gap as asked for", if plan.bound.proven { "reached" } else { "not reached" }.to_owned()),
    ]
}
