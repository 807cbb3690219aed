//! Only providers that the policy allows.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "provider",
    text: "are of providers that the policy does not allow",
    test: Test::Region(|rules, region| {
        rules.providers.is_none_or(|allowed| allowed.iter().any(|name| name.as_str() == region.provider))
    }),
};
