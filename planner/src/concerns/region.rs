//! Only regions that the policy allows.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "region",
    text: "are in regions that the policy does not allow",
    test: Test::Region(|rules, region| {
        rules.regions.is_none_or(|allowed| allowed.iter().any(|path| path == region.path))
    }),
};
