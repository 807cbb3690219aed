//! What rules an offer out for a host: one concern a file, all in one list.
//!
//! A concern has a stable code, a test, and a sentence. Tests of regions look at the policy and run once for a region;
//! tests of offers look at the machine and run for every offer. Removing a file and its line here removes the concern.

mod architecture;
mod burstable;
mod capability;
mod capacity;
mod certification;
mod country;
mod credits;
mod doubtful;
mod example;
mod gpu;
mod near;
mod network;
mod pinned;
mod price;
mod provider;
mod region;
mod zone;

use carafe_model::catalog::InstanceType;
use carafe_model::constraints::Service;
use carafe_model::ids::ProviderName;
use carafe_model::language::{Language, Said, Sentence};
use carafe_model::plan::Refusal;
use carafe_model::policy::{HostPolicy, Policy};

use crate::demand::Shape;
use crate::latency::Point;
use crate::market::Market;

/// Why an offer may be refused.
pub struct Concern {
    /// Stable code, for example `memory`.
    pub code: &'static str,
    /// What a refused offer lacks, as a sentence without a subject.
    pub text: &'static str,
    /// How it is found out.
    pub test: Test,
}

/// How a concern is found out; `true` lets pass.
pub enum Test {
    /// By where the offer is.
    Region(fn(&Rules<'_>, &RegionView<'_>) -> bool),
    /// By what the offer is.
    Offer(fn(&Shape, &OfferView<'_>) -> bool),
}

/// What is demanded of where one host goes.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// By the policy.
    pub host: HostPolicy<'a>,
    /// By what it talks to and that does not move.
    pub near: Vec<Near>,
    /// By what it needs beside its machine, sorted.
    pub needs: Vec<Service>,
}

impl<'a> std::ops::Deref for Rules<'a> {
    type Target = HostPolicy<'a>;
    fn deref(&self) -> &HostPolicy<'a> {
        &self.host
    }
}

/// A longest round trip to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// Where it is.
    pub point: Point,
    /// Microseconds there and back.
    pub micros: u32,
}

/// A region as policies see it.
#[derive(Clone, Debug)]
pub struct RegionView<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// `provider/region`.
    pub path: &'a str,
    /// ISO country; empty when unknown.
    pub country: &'a str,
    /// Certifications that the catalog knows it to hold.
    pub certifications: Vec<&'a str>,
    /// Its zones; none when they are unknown.
    pub zones: &'a [String],
    /// Where it is; absent when that is unknown.
    pub coordinates: Option<Point>,
    /// Whether its machines are priced by an example rate card.
    pub is_example: bool,
    /// What cannot be made there.
    pub unavailable: Vec<Service>,
}

impl RegionView<'_> {
    /// The place of a zone, written `provider/region/zone`, among the zones of this region.
    pub fn zone_of(&self, path: &str) -> Option<usize> {
        let (region, zone) = path.rsplit_once('/')?;
        (region == self.path).then(|| self.zones.iter().position(|name| name == zone)).flatten()
    }
}

/// An offer as demands see it.
#[derive(Clone, Copy, Debug)]
pub struct OfferView<'a> {
    /// Who sells it.
    pub provider: &'a str,
    /// The machine.
    pub instance_type: &'a InstanceType,
    /// Whether it is sold for any of the terms that may be used.
    pub has_price: bool,
    /// Whether one of those prices can be believed, or the policy takes them as they are.
    pub is_believed: bool,
}

impl Concern {
    /// What a refused offer lacks, so that every language can say it.
    fn said(&self) -> Sentence {
        let said = Said::new(&format!("refused.{}", self.code));
        match Language::ENGLISH.pattern(&said.key) {
            Some(_) => said.into(),
            None => self.text.into(),
        }
    }
}

/// Every concern, in the order in which reports list them.
pub const CONCERNS: [Concern; 18] = [
    provider::CONCERN,
    region::CONCERN,
    country::CONCERN,
    certification::CONCERN,
    capability::CONCERN,
    zone::CONCERN,
    near::CONCERN,
    pinned::CONCERN,
    architecture::CONCERN,
    capacity::VCPUS,
    capacity::MEMORY,
    gpu::CONCERN,
    burstable::CONCERN,
    credits::CONCERN,
    network::CONCERN,
    price::CONCERN,
    doubtful::CONCERN,
    example::CONCERN,
];

/// How many offers each concern refused, by place in [`CONCERNS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused(pub [u32; CONCERNS.len()]);

impl Refused {
    /// Counts an offer that these concerns refused, a bit for each place in [`CONCERNS`].
    pub fn count(&mut self, mut mask: u32) {
        while mask != 0 {
            self.0[mask.trailing_zeros() as usize] += 1;
            mask &= mask - 1;
        }
    }

    /// As the plan says it: only concerns that refused something.
    pub fn to_refusals(self) -> Vec<Refusal> {
        let told = CONCERNS.iter().zip(self.0).filter(|(_, offers)| *offers > 0);
        told.map(|(concern, offers)| Refusal {
            reason: concern.code.to_owned(),
            text: concern.said(),
            offers,
        })
        .collect()
    }
}

/// The regions of a catalog as policies see them, by place in the snapshot; `paths` are theirs.
pub fn region_views<'a>(market: &Market<'a>, policy: &Policy, paths: &'a [String]) -> Vec<RegionView<'a>> {
    let catalog = market.snapshot;
    let mut views: Vec<RegionView<'a>> = catalog
        .regions
        .iter_enumerated()
        .zip(paths)
        .map(|((place, region), path)| RegionView {
            provider: catalog.providers[region.provider].name.as_str(),
            path,
            country: &region.country,
            certifications: Vec::new(),
            zones: &region.zones,
            coordinates: region.coordinates,
            is_example: market.is_example(place),
            unavailable: unavailable(policy, &catalog.providers[region.provider].name),
        })
        .collect();
    for held in &catalog.certifications {
        views[held.region.usize()].certifications.push(&held.name);
    }
    views
}

fn unavailable(policy: &Policy, provider: &ProviderName) -> Vec<Service> {
    let of_provider = policy.unavailable.iter().filter(|entry| entry.provider == *provider);
    of_provider.flat_map(|entry| entry.services.iter().copied()).collect()
}

/// The concerns that refuse a region, as a bit for each place in [`CONCERNS`].
pub fn refuse_region(rules: &Rules<'_>, region: &RegionView<'_>) -> u32 {
    mask(|concern| match concern.test {
        Test::Region(passes) => passes(rules, region),
        Test::Offer(_) => true,
    })
}

/// The concerns that refuse an offer, as a bit for each place in [`CONCERNS`].
pub fn refuse_offer(shape: &Shape, offer: &OfferView<'_>) -> u32 {
    mask(|concern| match concern.test {
        Test::Region(_) => true,
        Test::Offer(passes) => passes(shape, offer),
    })
}

fn mask(passes: impl Fn(&Concern) -> bool) -> u32 {
    let bits = CONCERNS.iter().enumerate().filter(|(_, concern)| !passes(concern));
    bits.fold(0, |mask, (place, _)| mask | 1 << place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_what_a_concern_refuses() {
        for concern in &CONCERNS {
            let key = format!("refused.{}", concern.code);
            assert_eq!(
                Language::ENGLISH.pattern(&key),
                Some(concern.text),
                "add {key} to the language files"
            );
        }
    }
}
