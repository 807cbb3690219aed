//! Where every host goes and why, and which do not go anywhere.

use std::collections::BTreeMap;

use carafe_model::language::Said;
use carafe_model::plan::{Placement, Refusal};
use carafe_model::units::Money;

use super::{Block, blocks};
use crate::figures::Amount;
use crate::voice::{Markup, Voice};
use crate::words::{self, visible};

/// Hosts in a block; a page with more folds all blocks but the first.
const BLOCK: usize = 250;
/// With more hosts than this, what several hosts share is explained once, below the table.
pub const MOST_EXPLAINED: usize = 300;

/// A host with a place.
#[derive(Clone, Debug)]
pub struct PlacementView {
    /// The host.
    pub host: String,
    /// What it needs at least.
    pub needs: String,
    /// What it has today, where that differs.
    pub has: Option<String>,
    /// How its needs were found.
    pub basis: String,
    /// The instance type.
    pub offer: String,
    /// What the instance type gives.
    pub gives: String,
    /// The provider, as people know it.
    pub provider: String,
    /// Region, and zone where one is fixed.
    pub region: String,
    /// Country of the region; empty when it is unknown or the region is called the same.
    pub country: String,
    /// How it is paid for.
    pub term: &'static str,
    /// The number of its explanation, where those are shared.
    pub why: Option<usize>,
    /// Its own lines of the bill.
    pub monthly: Amount,
    /// Why here.
    pub explained: Explanation,
    /// Its disks, each in words.
    pub disks: Vec<String>,
    /// The best other place, in words.
    pub runner_up: RunnerUpView,
}

/// Why hosts go where they go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Explanation {
    /// The weightiest reason.
    pub reason: String,
    /// The other reasons.
    pub more: Vec<String>,
    /// What other offers lacked.
    pub refused: Vec<RefusalView>,
}

/// Every placement.
#[derive(Clone, Debug)]
pub struct Placements {
    /// The hosts, in the order of the plan.
    pub blocks: Vec<Block<PlacementView>>,
    /// What several hosts share, from 1 in the order of its first host; empty where each host is explained by itself.
    pub shared: Vec<SharedExplanation>,
}

/// An explanation with how many hosts it is for.
#[derive(Clone, Debug)]
pub struct SharedExplanation {
    /// From 1.
    pub number: usize,
    /// How many hosts, in words.
    pub hosts: String,
    /// Why.
    pub explained: Explanation,
}

/// What other offers lacked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusalView {
    /// Stable code of the reason.
    pub code: String,
    /// In words.
    pub text: String,
    /// How many.
    pub offers: String,
}

/// The best other place.
#[derive(Clone, Debug)]
pub enum RunnerUpView {
    /// There is none.
    Nothing,
    /// There is one: which, and what the whole plan would then cost more.
    Place(Markup),
}

/// A host without a place, or one that stays.
#[derive(Clone, Debug)]
pub struct Homeless {
    /// The host.
    pub host: String,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What offers lacked.
    pub refused: Vec<RefusalView>,
}

impl Placements {
    /// Reads the placements of a plan.
    pub fn new(voice: &Voice<'_>) -> Placements {
        let mut views: Vec<PlacementView> = voice.plan.placements.iter().map(|p| view(voice, p)).collect();
        let shared = if views.len() > MOST_EXPLAINED { share(voice, &mut views) } else { Vec::new() };
        Placements { blocks: blocks(views, BLOCK), shared }
    }
}

/// Numbers the explanations there are and refers to them.
fn share(voice: &Voice<'_>, views: &mut [PlacementView]) -> Vec<SharedExplanation> {
    let mut numbers: BTreeMap<Explanation, usize> = BTreeMap::new();
    let mut counts: Vec<usize> = Vec::new();
    for view in views {
        let next = counts.len() + 1;
        let number = match numbers.get(&view.explained) {
            Some(number) => *number,
            None => {
                numbers.insert(view.explained.clone(), next);
                counts.push(0);
                next
            }
        };
        counts[number - 1] += 1;
        view.why = Some(number);
    }
    let mut shared: Vec<SharedExplanation> = numbers
        .into_iter()
        .map(|(explained, number)| SharedExplanation {
            number,
            hosts: voice.n("answer.hosts", counts[number - 1]),
            explained,
        })
        .collect();
    shared.sort_by_key(|shared| shared.number);
    shared
}

/// Hosts that stay, in the order of the plan.
pub fn staying(voice: &Voice<'_>) -> Vec<Homeless> {
    let view = |staying: &carafe_model::plan::Staying| Homeless {
        host: visible(staying.host.as_str()),
        reasons: vec![voice.text(&staying.reason)],
        refused: Vec::new(),
    };
    voice.plan.staying.iter().map(view).collect()
}

/// Hosts without a place, in the order of the plan.
pub fn unplaced(voice: &Voice<'_>) -> Vec<Homeless> {
    let view = |unplaced: &carafe_model::plan::Unplaced| Homeless {
        host: visible(unplaced.host.as_str()),
        reasons: unplaced.reasons.iter().map(|reason| voice.text(reason)).collect(),
        refused: refusals(voice, &unplaced.refused),
    };
    voice.plan.unplaced.iter().map(view).collect()
}

fn view(voice: &Voice<'_>, placement: &Placement) -> PlacementView {
    let demand = &placement.demand;
    let is_larger = demand.source_vcpus != demand.vcpus || demand.source_memory_mib != demand.memory_mib;
    let mut reasons = placement.reasons.iter().map(|reason| voice.text(reason));
    PlacementView {
        host: visible(placement.host.as_str()),
        needs: voice.size(demand.vcpus, demand.memory_mib),
        has: is_larger.then(|| voice.size(demand.source_vcpus, demand.source_memory_mib)),
        basis: voice.text(&demand.basis),
        offer: visible(&placement.offer),
        gives: voice.size_of(placement.vcpus, placement.memory_mib, placement.architecture),
        provider: words::provider(placement.provider.as_str()),
        region: match &placement.zone {
            Some(zone) => {
                let said = Said::new("placements.zone").with("zone", visible(zone));
                voice.say(&said.with("region", visible(placement.region.as_str())))
            }
            None => visible(placement.region.as_str()),
        },
        country: country(&placement.country, placement.region.as_str()),
        term: voice.w(words::term(placement.term)),
        why: None,
        monthly: voice.amount(placement.monthly),
        explained: Explanation {
            reason: reasons.next().unwrap_or_else(|| voice.w("placements.no-reason").to_owned()),
            more: reasons.collect(),
            refused: refusals(voice, &placement.refused),
        },
        disks: placement.disks.iter().map(|placed| disk(voice, placed)).collect(),
        runner_up: runner_up(voice, placement),
    }
}

/// The country of a region, unless the region is called the same.
pub(crate) fn country(country: &str, region: &str) -> String {
    if country == region { String::new() } else { visible(country) }
}

fn disk(voice: &Voice<'_>, disk: &carafe_model::plan::PlacedDisk) -> String {
    let class = match &disk.class {
        Some(class) => voice.text(class),
        None => voice.w("placements.no-class").to_owned(),
    };
    format!("{}, {} GiB, {class}", visible(&disk.name), voice.count(disk.size_gib.0 as usize))
}

fn refusals(voice: &Voice<'_>, refused: &[Refusal]) -> Vec<RefusalView> {
    let view = |refusal: &Refusal| RefusalView {
        code: visible(&refusal.reason),
        text: voice.text(&refusal.text),
        offers: voice.n("placements.offers", refusal.offers as usize),
    };
    refused.iter().map(view).collect()
}

fn runner_up(voice: &Voice<'_>, placement: &Placement) -> RunnerUpView {
    let Some(other) = &placement.runner_up else { return RunnerUpView::Nothing };
    let place = voice.place(&other.provider, &other.region);
    let text = format!("{}, {place}, {}", visible(&other.offer), voice.w(words::term(other.term)));
    let key = match other.costs_more.0.signum() {
        1 => "placements.next-more",
        0 => "placements.next-same",
        _ => "placements.next-less",
    };
    let costs = voice.rich(Said::new(key), &[("x", Money(other.costs_more.0.saturating_abs()))]);
    RunnerUpView::Place(voice.joined(&[voice.isolated(&text), costs]))
}
