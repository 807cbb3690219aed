//! The cheapest offer for a demand in every region, without looking at every offer for every host.
//!
//! Hosts that differ only in size share a [`Frontier`]: per region, the offers that no other beats in price, threads and
//! memory at once. A dropped offer is at least as dear and at most as large as one that is kept, so whatever it fits the
//! kept one fits for no more: no optimum is lost. The first entry that is large enough is the cheapest.

use carafe_model::catalog::{Offer, Region, Term};
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Money, Rate, Vcpus};
use rayon::prelude::*;

use crate::concerns::{OfferView, Refused, RegionView, Rules, refuse_offer, refuse_region};
use crate::demand::{Class, Shape};
use crate::market::{Market, month_of_hours};

/// An offer with the term it is cheapest for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Machine and licence for a month, in the plan's currency.
    pub monthly: Money,
    /// Which offer.
    pub offer: Idx<Offer>,
    /// How it is paid for.
    pub term: Term,
    vcpus: Vcpus,
    memory: Mib,
}

impl Candidate {
    /// The same when the machine itself is paid for already: what is left is what is paid beside it.
    pub fn paid_for(self, market: &Market<'_>) -> Candidate {
        let machine = market.machine_rate(self.offer, self.term).map(month_of_hours).unwrap_or_default();
        Candidate { monthly: self.monthly - machine, ..self }
    }

    /// Whether it is large enough.
    pub fn fits(&self, shape: &Shape) -> bool {
        self.vcpus >= shape.vcpus && self.memory >= shape.memory
    }
}

/// The offers of a class that are worth having, by region, each list from cheap to dear.
#[derive(Clone, Debug)]
pub struct Frontier {
    by_region: Vec<Vec<Candidate>>,
}

impl Frontier {
    /// Finds them.
    pub fn new(market: &Market<'_>, class: &Class) -> Frontier {
        let regions: Vec<Idx<Region>> = market.snapshot.regions.indices().collect();
        let by_region = regions.par_iter().map(|region| of_region(market, class, *region)).collect();
        Frontier { by_region }
    }

    /// The cheapest offer of a region that is large enough.
    pub fn cheapest(&self, region: Idx<Region>, vcpus: Vcpus, memory: Mib) -> Option<&Candidate> {
        self.by_region[region.usize()].iter().find(|found| found.vcpus >= vcpus && found.memory >= memory)
    }
}

fn of_region(market: &Market<'_>, class: &Class, region: Idx<Region>) -> Vec<Candidate> {
    let smallest = Shape { vcpus: Vcpus(0), memory: Mib(0), class: class.clone() };
    let mut found: Vec<Candidate> =
        market.offers_in(region).filter_map(|offer| candidate(market, &smallest, offer)).collect();
    // Of equally dear offers the larger comes first, then the name decides.
    let name = |c: &Candidate| market.snapshot.offers.instance_type[c.offer.usize()];
    found.sort_by(|a, b| {
        (a.monthly, b.vcpus, b.memory, name(a)).cmp(&(b.monthly, a.vcpus, a.memory, name(b)))
    });
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in found {
        let beaten = kept.iter().any(|k| k.vcpus >= candidate.vcpus && k.memory >= candidate.memory);
        if !beaten {
            kept.push(candidate);
        }
    }
    kept
}

/// An offer with its cheapest term, if it passes the tests of a shape.
pub fn candidate(market: &Market<'_>, shape: &Shape, offer: Idx<Offer>) -> Option<Candidate> {
    cheapest_term(market, shape, offer, |term| market.machine_rate(offer, term))
}

/// The same at the price that the catalog lists, even where nobody would believe it.
pub fn at_listed_price(market: &Market<'_>, shape: &Shape, offer: Idx<Offer>) -> Option<Candidate> {
    cheapest_term(market, shape, offer, |term| market.listed_rate(offer, term))
}

fn cheapest_term(
    market: &Market<'_>,
    shape: &Shape,
    offer: Idx<Offer>,
    rate: impl Fn(Term) -> Option<Rate>,
) -> Option<Candidate> {
    let instance_type = &market.snapshot.instance_types[market.snapshot.offers.instance_type[offer.usize()]];
    let (rate, term) = shape
        .class
        .terms
        .iter()
        .filter_map(|term| Some((rate(*term)?, *term)))
        .min_by_key(|(rate, _)| *rate)?;
    let provider = market.snapshot.providers[instance_type.provider].name.as_str();
    let sold = OfferView { provider, instance_type, has_price: true, is_believed: true };
    if refuse_offer(shape, &sold) != 0 {
        return None;
    }
    let licence = match shape.class.licence {
        Some(os) => {
            market.licence(offer, os).into_iter().flatten().map(|(quote, n, _)| quote.rate.times(n)).sum()
        }
        None => Money::ZERO,
    };
    Some(Candidate {
        monthly: month_of_hours(rate) + licence,
        offer,
        term,
        vcpus: instance_type.vcpus,
        memory: instance_type.memory,
    })
}

/// Counts what refused the offers of the whole catalog for a host.
pub fn count_refused(
    market: &Market<'_>,
    shape: &Shape,
    rules: &Rules<'_>,
    regions: &[RegionView<'_>],
) -> Refused {
    let per_region = regions.par_iter().enumerate().map(|(place, view)| {
        let by_region = refuse_region(rules, view);
        let mut refused = Refused::default();
        for offer in market.offers_in(Idx::from_usize(place)) {
            let instance_type =
                &market.snapshot.instance_types[market.snapshot.offers.instance_type[offer.usize()]];
            let mut terms = shape.class.terms.iter();
            let has_price = terms.clone().any(|term| market.listed_rate(offer, *term).is_some());
            let is_believed = terms.any(|term| market.machine_rate(offer, *term).is_some());
            let offer = OfferView { provider: view.provider, instance_type, has_price, is_believed };
            refused.count(by_region | refuse_offer(shape, &offer));
        }
        refused
    });
    per_region.reduce(Refused::default, |mut total, part| {
        for (sum, more) in total.0.iter_mut().zip(part.0) {
            *sum += more;
        }
        total
    })
}
