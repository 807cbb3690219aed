//! Refuses a price that is a small part of what the same machine costs elsewhere.
//!
//! Regions of one provider differ in price, but not by four times: of 108,100 on-demand prices (2026-11) the 32 that are
//! below half of the median of their machine lie at an eighth of it, in regions that are announced rather than open. The
//! machine stays known and unpriced there. What is dear is believed: a price too high is never chosen.

use carafe_model::catalog::{Offer, Snapshot, Term};
use carafe_model::finding::Finding;
use carafe_model::idx::Idx;
use carafe_model::units::Rate;

use super::findings::{Findings, clip};

/// Regions in which a machine must be sold for its prices to say what is usual.
const ENOUGH_REGIONS: usize = 4;
/// A price below the median divided by this is no price.
const FAR: i64 = 4;

/// Takes offers and terms out of a catalog that cost less than a quarter of the median of the same machine and term over
/// the provider's regions (`CAT-1114`). Spot prices follow the hour and are not compared.
pub(super) fn refuse(snapshot: &mut Snapshot, findings: &mut Findings) {
    let mut of_type: Vec<Vec<u32>> = vec![Vec::new(); snapshot.instance_types.len()];
    for (row, kind) in (0..).zip(&snapshot.offers.instance_type) {
        of_type[kind.usize()].push(row);
    }
    let mut keep = vec![true; snapshot.offers.len()];
    let mut rates: Vec<i64> = Vec::new();
    for rows in of_type.iter().filter(|rows| rows.len() >= ENOUGH_REGIONS) {
        for term in Term::ALL.into_iter().filter(|term| *term != Term::Spot) {
            let rate = |row: u32| snapshot.offers.rate(Idx::<Offer>::new(row), term);
            rates.clear();
            rates.extend(rows.iter().filter_map(|row| rate(*row)).map(|rate| rate.0));
            if rates.len() < ENOUGH_REGIONS {
                continue;
            }
            let middle = (rates.len() - 1) / 2;
            let usual = Rate(*rates.select_nth_unstable(middle).1);
            let far_below: Vec<u32> = rows
                .iter()
                .copied()
                .filter(|row| rate(*row).is_some_and(|rate| rate.0 < usual.0 / FAR))
                .collect();
            for row in far_below {
                if keep[row as usize] {
                    findings.push(finding(snapshot, row as usize, term, usual));
                }
                match term {
                    Term::OnDemand => keep[row as usize] = false,
                    Term::OneYear
                    | Term::ThreeYears
                    | Term::OneYearFlex
                    | Term::ThreeYearsFlex
                    | Term::Spot => {
                        snapshot.offers.term_mut(term)[row as usize] = Rate(0);
                    }
                }
            }
        }
    }
    if keep.contains(&false) {
        snapshot.offers.retain(&keep);
    }
}

fn finding(snapshot: &Snapshot, row: usize, term: Term, usual: Rate) -> Finding {
    let offers = &snapshot.offers;
    let name = clip(&snapshot.instance_types[offers.instance_type[row]].name);
    let region = clip(&snapshot.region_path(offers.region[row]));
    let rate = offers.rate(Idx::from_usize(row), term).unwrap_or_default();
    let summary = format!(
        "{region}/{name} costs {rate} an hour ({}), less than a quarter of the {usual} that it costs in most regions; \
         the price is not used",
        term.name()
    );
    let help =
        "the region is probably announced but not yet open; check the list, or give the price in a rate card";
    Finding::warning("CAT-1114", summary).help(help)
}
