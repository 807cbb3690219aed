//! The answer, for somebody who reads one screen.

use std::collections::BTreeMap;

use carafe_model::finding::Severity;
use carafe_model::language::Said;
use carafe_model::plan::{BillLine, Plan};
use carafe_model::units::Money;

use super::proof::Proof;
use super::{audit, difference, placements, sum};
use crate::voice::{Markup, Voice};
use crate::words::{self, visible};

/// The most places that are named at once; the others are folded away or counted.
pub const MOST_PLACES: usize = 6;

/// What a plan comes to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The estate.
    pub name: String,
    /// Which hosts move, stay and have no place, and what that costs, in two sentences.
    pub lead: String,
    /// The figures of the first screen.
    pub tiles: Vec<Tile>,
    /// Against what is paid today; absent when that is not known.
    pub today: Option<Comparison>,
    /// How close to the optimum.
    pub proof: Proof,
    /// Which hosts move, stay and have no place.
    pub hosts: String,
    /// Where hosts go, most hosts first.
    pub places: Vec<PlaceCount>,
    /// When the prices were true: a date, or the oldest and the newest.
    pub prices: String,
    /// What a reader must know before trusting the figures.
    pub warnings: Vec<String>,
    /// How many findings there are by severity, the worst first, without those of which there are none.
    pub findings: Vec<String>,
    /// What the figures rest on, each in a sentence.
    pub rests_on: Vec<String>,
}

/// A figure of the first screen.
#[derive(Clone, Debug)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub value: Markup,
    /// What qualifies it.
    pub note: Markup,
    /// `good`, `care`, or nothing.
    pub tone: &'static str,
}

/// The plan against what is paid today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// A month today, for the hosts that move.
    pub today: Money,
    /// What is saved a month; negative when the plan costs more.
    pub saved: Money,
    /// The same over the horizon, with the one-time cost.
    pub saved_over_horizon: Money,
    /// The month in which the one-time cost is earned back; absent when it never is or there is none.
    pub earned_back: Option<u32>,
}

/// How many hosts go to a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCount {
    /// The provider, as people know it.
    pub provider: String,
    /// The provider, as documents write it.
    pub provider_name: String,
    /// The region.
    pub region: String,
    /// Its country; empty when it is unknown or the region is called the same.
    pub country: String,
    /// How many.
    pub hosts: usize,
    /// How many, in words.
    pub count: String,
}

impl Answer {
    /// Reads the answer out of a plan.
    pub fn new(voice: &Voice<'_>) -> Answer {
        let today = Comparison::new(voice.plan);
        let proof = Proof::new(voice);
        let hosts = hosts(voice);
        Answer {
            name: visible(&voice.plan.name),
            lead: lead(voice, today.as_ref(), &hosts),
            tiles: tiles(voice, today.as_ref(), &proof),
            rests_on: rests_on(voice),
            today,
            proof,
            hosts,
            places: places(voice),
            prices: prices(voice),
            warnings: warnings(voice),
            findings: severities(voice),
        }
    }
}

impl Comparison {
    /// Compares, where today's cost is known.
    pub fn new(plan: &Plan) -> Option<Comparison> {
        let today = plan.today.as_ref()?.monthly;
        let saved = difference(today, plan.totals.monthly);
        let staying = Money(today.0.saturating_mul(plan.totals.horizon_months.into()));
        Some(Comparison {
            today,
            saved,
            saved_over_horizon: difference(staying, plan.totals.horizon),
            earned_back: earned_back(plan.totals.one_time, saved),
        })
    }
}

fn earned_back(one_time: Money, saved: Money) -> Option<u32> {
    if one_time.0 <= 0 || saved.0 <= 0 {
        return None;
    }
    Some(u32::try_from((one_time.0 - 1) / saved.0 + 1).unwrap_or(u32::MAX))
}

/// Which of three keys goes with a saving, with no difference, and with an extra cost.
fn by_sign(saved: Money, [saving, same, extra]: [&'static str; 3]) -> &'static str {
    match saved.0.signum() {
        1 => saving,
        0 => same,
        _ => extra,
    }
}

fn lead(voice: &Voice<'_>, today: Option<&Comparison>, hosts: &str) -> String {
    let plan = voice.plan;
    let said = match today {
        _ if plan.placements.is_empty() => Said::new("answer.lead-nothing"),
        None => Said::new("answer.lead-unknown"),
        Some(today) => {
            let key = by_sign(today.saved, ["answer.lead-saving", "answer.lead-same", "answer.lead-extra"]);
            let percent = percent(voice, today).map(|p| format!(" ({p})")).unwrap_or_default();
            Said::new(key).with("difference", voice.magnitude(today.saved)).with("percent", percent)
        }
    };
    voice.say(&said.with("hosts", hosts).with("monthly", voice.money(plan.totals.monthly)))
}

/// The difference in percent of today, where today is not zero.
pub fn percent(voice: &Voice<'_>, today: &Comparison) -> Option<String> {
    voice.share(Money(today.saved.0.saturating_abs()), today.today)
}

fn tiles(voice: &Voice<'_>, today: Option<&Comparison>, proof: &Proof) -> Vec<Tile> {
    let totals = &voice.plan.totals;
    let is_open = totals.monthly_low != totals.monthly || totals.monthly_high != totals.monthly;
    let month = Tile {
        label: voice.w("answer.month").to_owned(),
        value: voice.rich_money(totals.monthly),
        note: if is_open {
            let ends = [("low", totals.monthly_low), ("high", totals.monthly_high)];
            voice.rich(Said::new("answer.month-open"), &ends)
        } else {
            voice.plain(voice.w("answer.month-closed"))
        },
        tone: "",
    };
    let staying = today.map(|today| {
        let keys = ["answer.horizon-saving", "answer.horizon-same", "answer.horizon-extra"];
        let key = by_sign(today.saved_over_horizon, keys);
        format!(" {}", voice.say(&Said::new(key).with("x", voice.magnitude(today.saved_over_horizon))))
    });
    let once = voice.rich(Said::new("answer.horizon-once"), &[("x", totals.one_time)]);
    let horizon = Tile {
        label: voice.n("answer.horizon", totals.horizon_months as usize),
        value: voice.rich_money(totals.horizon),
        note: voice.joined(&[once, voice.plain(&staying.unwrap_or_default())]),
        tone: "",
    };
    let proof = Tile {
        label: voice.w("answer.proof").to_owned(),
        value: voice.plain(&proof.headline),
        note: voice.plain(&proof.sentence),
        tone: if proof.proven { "good" } else { "care" },
    };
    vec![month, horizon, saving(voice, today), proof]
}

fn saving(voice: &Voice<'_>, today: Option<&Comparison>) -> Tile {
    let Some(today) = today else {
        return Tile {
            label: voice.w("answer.saving").to_owned(),
            value: voice.plain(voice.w("answer.unknown")),
            note: voice.plain(&no_comparison(voice)),
            tone: "",
        };
    };
    let note = by_sign(today.saved, ["answer.saving-note", "answer.same-note", "answer.extra-note"]);
    let percent = percent(voice, today).unwrap_or_default();
    let note = voice.rich(Said::new(note).with("percent", percent), &[("today", today.today)]);
    let back = today.earned_back.map(|n| format!(" {}", voice.n("answer.earned-back", n as usize)));
    Tile {
        label: voice.w(by_sign(today.saved, ["answer.saving", "answer.saving", "answer.extra"])).to_owned(),
        value: match today.saved.0 {
            0 => voice.plain(voice.w("answer.none")),
            saved => voice.rich_money(Money(saved.saturating_abs())),
        },
        note: voice.joined(&[note, voice.plain(&back.unwrap_or_default())]),
        tone: by_sign(today.saved, ["good", "", "care"]),
    }
}

/// Why the plan cannot be compared with today.
pub fn no_comparison(voice: &Voice<'_>) -> String {
    let plan = voice.plan;
    let told = plan.findings.iter().any(|finding| finding.code == "PLN-0106");
    match plan.unplaced.len() {
        0 if told => voice.w("answer.no-today-staying").to_owned(),
        0 => voice.w("answer.no-today").to_owned(),
        n => voice.n("answer.no-today-unplaced", n),
    }
}

fn hosts(voice: &Voice<'_>) -> String {
    let plan = voice.plan;
    let mut parts = vec![voice.n("answer.move", plan.placements.len())];
    if !plan.staying.is_empty() {
        parts.push(voice.n("answer.stay", plan.staying.len()));
    }
    if !plan.unplaced.is_empty() {
        parts.push(voice.n("answer.no-place", plan.unplaced.len()));
    }
    voice.list(&parts)
}

fn places(voice: &Voice<'_>) -> Vec<PlaceCount> {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for placement in &voice.plan.placements {
        let place = (placement.provider.as_str(), placement.region.as_str(), placement.country.as_str());
        *counts.entry(place).or_default() += 1;
    }
    let mut places: Vec<PlaceCount> = counts
        .into_iter()
        .map(|((provider, region, country), hosts)| PlaceCount {
            provider: words::provider(provider),
            provider_name: visible(provider),
            region: visible(region),
            country: placements::country(country, region),
            hosts,
            count: voice.n("answer.hosts", hosts),
        })
        .collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.hosts));
    places
}

/// The dates of the prices that the plan uses; of the whole snapshot where it uses none.
fn prices(voice: &Voice<'_>) -> String {
    let plan = voice.plan;
    let used =
        || plan.price_sources.iter().map(|source| source.as_of.as_str()).filter(|date| !date.is_empty());
    let oldest = visible(&voice.language.date(used().min().unwrap_or(&plan.catalog.oldest)));
    let newest = visible(&voice.language.date(used().max().unwrap_or(&plan.catalog.as_of)));
    match (oldest.as_str(), newest.as_str()) {
        ("", "") => voice.w("answer.no-date").to_owned(),
        (oldest, newest) if oldest == newest || oldest.is_empty() => newest.to_owned(),
        (oldest, newest) => voice.say(&Said::new("answer.dates").with("from", oldest).with("to", newest)),
    }
}

fn rests_on(voice: &Voice<'_>) -> Vec<String> {
    let plan = voice.plan;
    let snapshot = visible(&plan.catalog.id);
    let mut said =
        vec![voice.say(&Said::new("answer.prices").with("dates", prices(voice)).with("snapshot", snapshot))];
    said.extend(super::findings::exchange(voice));
    if let Some(today) = &plan.today {
        said.push(voice.x("answer.today-source", &today.source));
    }
    if audit::contradictions(voice).is_empty() {
        said.push(voice.w("answer.audited").to_owned());
    }
    said
}

/// Whether a line rests on something that is not known.
pub fn is_estimated(line: &BillLine) -> bool {
    line.range.is_some() || line.rate_id.as_str().starts_with("estimate/")
}

fn warnings(voice: &Voice<'_>) -> Vec<String> {
    let plan = voice.plan;
    let mut warnings = Vec::new();
    if !plan.unplaced.is_empty() {
        warnings.push(voice.n("answer.warn-unplaced", plan.unplaced.len()));
    }
    warnings.extend(estimates(voice));
    let errors = plan.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        warnings.push(voice.n("answer.warn-errors", errors));
    }
    warnings.extend(audit::contradictions(voice));
    warnings
}

fn estimates(voice: &Voice<'_>) -> Option<String> {
    let bill = &voice.plan.bill;
    let estimated: Vec<Money> =
        bill.iter().filter(|line| is_estimated(line)).map(|line| line.monthly).collect();
    if estimated.is_empty() {
        return None;
    }
    let lines = estimated.len();
    let amount = sum(estimated);
    let share = voice.share(amount, voice.plan.totals.monthly).unwrap_or_else(|| "–".to_owned());
    let said = Said::new("answer.warn-estimates").with("n", lines).with("x", voice.money(amount));
    Some(voice.say(&said.with("share", share)))
}

fn severities(voice: &Voice<'_>) -> Vec<String> {
    [
        (Severity::Error, "answer.errors"),
        (Severity::Warning, "answer.warnings"),
        (Severity::Info, "answer.notes"),
    ]
    .into_iter()
    .map(|(severity, key)| (voice.plan.findings.iter().filter(|f| f.severity == severity).count(), key))
    .filter(|(count, _)| *count > 0)
    .map(|(count, key)| voice.n(key, count))
    .collect()
}
