//! Which clouds a run is carried out on, so that no later command works on others in their stead.

use std::collections::BTreeMap;

use carafe_model::ids::{ProviderName, RegionName};
use serde::{Deserialize, Serialize};

/// Which cloud answers for each place of a plan. The journal keeps it as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// What a user types to work on these clouds, for example `--simulate`.
    pub typed: String,
    /// By `provider/region`: which cloud, in words that are equal only for the same one.
    pub places: BTreeMap<String, String>,
}

impl Binding {
    /// The name of a place.
    pub fn place(provider: &ProviderName, region: &RegionName) -> String {
        format!("{provider}/{region}")
    }

    /// Reads what the journal keeps; `None` for a run that began before it was kept.
    pub fn parse(text: &str) -> Option<Binding> {
        serde_json::from_str(text).ok()
    }

    /// What the journal keeps.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts are serialisable")
    }

    /// The places that two bindings both have and that are not the same cloud: place, here, there.
    pub fn differences<'a>(&'a self, other: &'a Binding) -> Vec<(&'a str, &'a str, &'a str)> {
        let pairs = self.places.iter().filter_map(|(place, cloud)| {
            other.places.get(place).map(|there| (place.as_str(), cloud.as_str(), there.as_str()))
        });
        pairs.filter(|(_, here, there)| here != there).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(places: &[(&str, &str)]) -> Binding {
        let places = places.iter().map(|(place, cloud)| ((*place).to_owned(), (*cloud).to_owned())).collect();
        Binding { typed: "--simulate".to_owned(), places }
    }

    #[test]
    fn only_places_of_both_can_differ() {
        let one = binding(&[("aws/a", "x"), ("ncp/kr", "y")]);
        let other = binding(&[("aws/a", "x"), ("ncp/kr", "z"), ("gcp/b", "w")]);
        assert_eq!(one.differences(&other), [("ncp/kr", "y", "z")]);
        assert_eq!(Binding::parse(&one.to_json()), Some(one));
        assert_eq!(Binding::parse(""), None);
    }
}
