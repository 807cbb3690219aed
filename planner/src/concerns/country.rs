//! Residency: only countries that the policy allows. A region whose country is unknown is in none of them.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "country",
    text: "are outside the countries that the policy allows",
    test: Test::Region(|rules, region| {
        rules.countries.is_none_or(|allowed| allowed.iter().any(|country| country == region.country))
    }),
};
