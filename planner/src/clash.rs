//! When no placement keeps everything that is demanded: which demands clash.
//!
//! A deletion filter: every demand in turn is left out, and stays out as long as the others still cannot be kept
//! together. What remains is a set that cannot be kept, and of which no part can be left out without it becoming
//! possible: each of these claims has been solved. There may be smaller sets of other demands; there is none inside it.

use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place};
use carafe_model::language::{Arg, Said};
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::Money;

use crate::Options;
use crate::decide::{Decision, Factors, decide};
use crate::demands::{Demand, demands};

/// Demands that are tried; a policy with more gets a set that may be larger than needed, and says so.
const MOST_TRIED: usize = 60;

/// What clashes.
pub struct Clash {
    /// The demands, in the order of the policy, each with what a month costs without it alone where that is possible.
    pub demands: Vec<(Demand, Option<Money>)>,
    /// Whether leaving out any one of them was seen to make the others possible.
    pub is_minimal: bool,
}

/// Whether demands can be kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Possible(Money),
    Impossible,
    /// The work allowed ended first.
    Unknown,
}

/// Finds a clash among the demands of a policy that cannot be kept, for hosts that would have a place without them.
pub fn clash(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    options: &Options<'_>,
) -> Option<Clash> {
    let all = demands(policy, estate);
    let ask = |estate: &Estate, left_out: &[Demand]| {
        let (mut policy, mut estate) = (policy.clone(), estate.clone());
        for demand in left_out {
            demand.drop_from(&mut policy, &mut estate, &snapshot.catalog);
        }
        decide(&estate, snapshot, &policy, &Factors::new(), options)
    };
    // Hosts that no offer fits are no matter of demands on where hosts go.
    let without_any = ask(estate, &all).filter(|_| !all.is_empty())?;
    without_any.spots.as_ref()?;
    let mut estate = estate.clone();
    estate.hosts.retain(|host| !without_any.unplaced.contains(&host.id));
    let without = |left_out: &[Demand]| match ask(&estate, left_out) {
        Some(Decision { is_impossible: true, .. }) => Answer::Impossible,
        Some(Decision { unplaced, .. }) if !unplaced.is_empty() => Answer::Impossible,
        Some(Decision { spots: Some(_), monthly, .. }) => Answer::Possible(monthly),
        Some(Decision { .. }) | None => Answer::Unknown,
    };
    if without(&[]) != Answer::Impossible {
        return None;
    }
    let mut is_minimal = all.len() <= MOST_TRIED;
    let mut left_out: Vec<Demand> = Vec::new();
    let mut kept: Vec<Demand> = all.iter().copied().skip(MOST_TRIED).collect();
    for demand in all.iter().copied().take(MOST_TRIED) {
        left_out.push(demand);
        match without(&left_out) {
            Answer::Impossible => {}
            Answer::Possible(_) => {
                left_out.pop();
                kept.push(demand);
            }
            Answer::Unknown => {
                is_minimal = false;
                left_out.pop();
                kept.push(demand);
            }
        }
    }
    kept.sort();
    let priced = kept.into_iter().map(|demand| match without(&[demand]) {
        Answer::Possible(monthly) => (demand, Some(monthly)),
        Answer::Impossible | Answer::Unknown => (demand, None),
    });
    Some(Clash { demands: priced.collect(), is_minimal })
}

impl Clash {
    /// As findings: one that names all, and one at the place of each with what leaving it out costs; the cost is of
    /// those hosts `alone` that have no place, or of everything.
    pub fn findings(&self, policy: &Policy, alone: bool) -> Vec<Finding> {
        let (way_out, without) = match alone {
            true => ("help.clash-alone", "help.clashes-alone"),
            false => ("help.clash", "help.clashes"),
        };
        let currency = policy.pricing.currency;
        let names: Vec<Arg> = self.demands.iter().map(|(demand, _)| Arg::from(demand.said(policy))).collect();
        let cheapest = self.demands.iter().filter_map(|(demand, monthly)| Some(((*monthly)?, *demand))).min();
        let key = if self.is_minimal { "finding.clash" } else { "finding.clash-open" };
        let mut whole = Finding::error("PLN-0402", Said::new(key).with("demands", Arg::List(names)));
        whole = match cheapest {
            Some((monthly, demand)) => {
                whole.help(Said::new(way_out).with("key", demand.key()).money("monthly", monthly, currency))
            }
            None => whole.help(Said::new("help.clash-several")),
        };
        let mut findings = vec![whole];
        for (demand, monthly) in &self.demands {
            let said = Said::new("finding.clashes").with("demand", demand.said(policy));
            let at = Place::default().at(demand.key());
            let help = match monthly {
                Some(monthly) => Said::new(without).money("monthly", *monthly, currency),
                None => Said::new("help.clashes-still"),
            };
            findings.push(Finding::info("PLN-0405", said).at(at).help(help));
        }
        findings
    }
}
