//! No price that is nobody's: a provider that an example rate card prices is used only where the policy names it.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "example",
    text: "are priced by an example rate card of a provider that the policy does not name",
    test: Test::Region(|rules, region| {
        let by_provider =
            rules.providers.is_some_and(|list| list.iter().any(|p| p.as_str() == region.provider));
        let by_region = rules.regions.is_some_and(|list| list.iter().any(|path| path == region.path));
        !region.is_example || by_provider || by_region
    }),
};
