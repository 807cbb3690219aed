//! Only regions that have one of the zones that a rule allows.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "zone",
    text: "are in regions without a zone that the policy allows",
    test: Test::Region(|rules, region| {
        rules.zones.is_none_or(|allowed| allowed.iter().any(|path| region.zone_of(path).is_some()))
    }),
};
