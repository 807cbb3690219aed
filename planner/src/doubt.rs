//! Doubts a price that is too good: a search for the cheapest finds every mistake of a price list first.

use std::collections::BTreeMap;

use carafe_model::catalog::InstanceType;
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::idx::Idx;
use carafe_model::language::Said;
use carafe_model::units::Rate;

use crate::bill::Home;
use crate::groups::Mover;
use crate::market::Market;

/// Regions in which a machine must be sold for its prices to say what is usual.
const ENOUGH_REGIONS: usize = 4;

/// Findings about chosen machines that cost less than half of their median over the provider's regions. Regions differ
/// in price, but of 108,100 prices of machines sold in four regions or more (2026-11) only 33 are that far below.
pub fn doubtful_prices(
    market: &Market<'_>,
    movers: &[Mover<'_>],
    homes: &[Home],
    estate: &Estate,
) -> Vec<Finding> {
    let offers = &market.snapshot.offers;
    let chosen = |home: &Home| offers.instance_type[home.candidate.offer.usize()];
    let mut prices: BTreeMap<Idx<InstanceType>, Vec<Rate>> =
        homes.iter().map(|home| (chosen(home), Vec::new())).collect();
    for (instance_type, rate) in offers.instance_type.iter().zip(&offers.on_demand) {
        if let Some(known) = prices.get_mut(instance_type)
            && rate.0 > 0
        {
            known.push(*rate);
        }
    }
    prices.values_mut().for_each(|known| known.sort());
    let mut findings = Vec::new();
    for (mover, home) in movers.iter().zip(homes) {
        let known = &prices[&chosen(home)];
        let rate = offers.on_demand[home.candidate.offer.usize()];
        if known.len() < ENOUGH_REGIONS || rate.0 <= 0 {
            continue;
        }
        let median = known[(known.len() - 1) / 2];
        if rate.0 * 2 < median.0 {
            let name = &market.snapshot.instance_types[chosen(home)].name;
            let place = market.snapshot.region_path(offers.region[home.candidate.offer.usize()]);
            findings.push(
                Finding::warning(
                    "PLN-0303",
                    Said::new("finding.doubtful-price")
                        .with("offer", name.as_str())
                        .with("rate", rate)
                        .with("place", place)
                        .with("median", median)
                        .with("n", known.len()),
                )
                .host(estate.hosts[mover.host].id.as_str())
                .help(Said::new("help.doubtful-price")),
            );
        }
    }
    findings
}
