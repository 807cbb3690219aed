//! Where every host goes and why, and which do not go anywhere.

use carafe_model::host::Architecture;
use carafe_model::plan::{Placement, Plan, Refusal};
use carafe_model::units::{Mib, Vcpus};

use super::{Block, blocks};
use crate::figures::{self, Amount};
use crate::words::{self, counted, visible};

/// Hosts in a block; a page with more folds all blocks but the first.
const BLOCK: usize = 100;

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
    /// Its own lines of the bill.
    pub monthly: Amount,
    /// The weightiest reason.
    pub reason: String,
    /// The other reasons.
    pub more_reasons: Vec<String>,
    /// Its disks, each in words.
    pub disks: Vec<String>,
    /// What other offers lacked.
    pub refused: Vec<RefusalView>,
    /// The best other place, in words.
    pub runner_up: RunnerUpView,
}

/// What other offers lacked.
#[derive(Clone, Debug)]
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
    /// There is one.
    Place {
        /// Instance type, provider, region and term.
        text: String,
        /// How much more the plan would cost a month; without a sign.
        costs: Amount,
        /// `more`, `less`, or `the same`.
        direction: &'static str,
    },
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

/// Every placement, in the order of the plan.
pub fn placements(plan: &Plan) -> Vec<Block<PlacementView>> {
    blocks(plan.placements.iter().map(|placement| view(plan, placement)).collect(), BLOCK)
}

/// Hosts that stay, in the order of the plan.
pub fn staying(plan: &Plan) -> Vec<Homeless> {
    plan.staying
        .iter()
        .map(|staying| Homeless {
            host: visible(staying.host.as_str()),
            reasons: vec![visible(&staying.reason)],
            refused: Vec::new(),
        })
        .collect()
}

/// Hosts without a place, in the order of the plan.
pub fn unplaced(plan: &Plan) -> Vec<Homeless> {
    plan.unplaced
        .iter()
        .map(|unplaced| Homeless {
            host: visible(unplaced.host.as_str()),
            reasons: unplaced.reasons.iter().map(|reason| visible(reason)).collect(),
            refused: refusals(&unplaced.refused),
        })
        .collect()
}

fn view(plan: &Plan, placement: &Placement) -> PlacementView {
    let demand = &placement.demand;
    let is_larger = demand.source_vcpus != demand.vcpus || demand.source_memory_mib != demand.memory_mib;
    let mut reasons = placement.reasons.iter().map(|reason| visible(reason));
    PlacementView {
        host: visible(placement.host.as_str()),
        needs: size(demand.vcpus, demand.memory_mib),
        has: is_larger.then(|| size(demand.source_vcpus, demand.source_memory_mib)),
        basis: visible(&demand.basis),
        offer: visible(&placement.offer),
        gives: gives(placement),
        provider: words::provider(placement.provider.as_str()),
        region: match &placement.zone {
            Some(zone) => format!("{}, zone {}", visible(placement.region.as_str()), visible(zone)),
            None => visible(placement.region.as_str()),
        },
        country: country(&placement.country, placement.region.as_str()),
        term: words::term(placement.term),
        monthly: Amount::new(placement.monthly, plan.currency),
        reason: reasons.next().unwrap_or_else(|| "The plan gives no reason.".to_owned()),
        more_reasons: reasons.collect(),
        disks: placement.disks.iter().map(disk).collect(),
        refused: refusals(&placement.refused),
        runner_up: runner_up(plan, placement),
    }
}

/// The country of a region, unless the region is called the same.
pub(crate) fn country(country: &str, region: &str) -> String {
    if country == region { String::new() } else { visible(country) }
}

/// `4 vCPU, 16 GiB`.
pub fn size(vcpus: Vcpus, memory: Mib) -> String {
    format!("{} vCPU, {}", figures::count(vcpus.0 as usize), figures::memory(memory))
}

fn gives(placement: &Placement) -> String {
    let size = size(placement.vcpus, placement.memory_mib);
    match placement.architecture {
        Architecture::X86_64 => size,
        other @ (Architecture::Arm64 | Architecture::Other) => {
            format!("{size}, {}", words::architecture(other))
        }
    }
}

fn disk(disk: &carafe_model::plan::PlacedDisk) -> String {
    let class = match &disk.class {
        Some(class) => visible(class),
        None => "no class with a price".to_owned(),
    };
    format!("{}, {} GiB, {class}", visible(&disk.name), figures::count(disk.size_gib.0 as usize))
}

fn refusals(refused: &[Refusal]) -> Vec<RefusalView> {
    refused
        .iter()
        .map(|refusal| RefusalView {
            code: visible(&refusal.reason),
            text: visible(&refusal.text),
            offers: counted(refusal.offers as usize, "offer"),
        })
        .collect()
}

fn runner_up(plan: &Plan, placement: &Placement) -> RunnerUpView {
    let Some(other) = &placement.runner_up else { return RunnerUpView::Nothing };
    RunnerUpView::Place {
        text: format!(
            "{} at {} / {}, {}",
            visible(&other.offer),
            words::provider(other.provider.as_str()),
            visible(other.region.as_str()),
            words::term(other.term)
        ),
        costs: Amount::new(carafe_model::units::Money(other.costs_more.0.saturating_abs()), plan.currency),
        direction: match other.costs_more.0.signum() {
            1 => "more",
            0 => "the same",
            _ => "less",
        },
    }
}
