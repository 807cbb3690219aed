//! Certifications: only regions for which the catalog knows every one that is demanded.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "certification",
    text: "are in regions without the certifications that the policy demands",
    test: Test::Region(|rules, region| {
        rules
            .certifications
            .is_none_or(|demanded| demanded.iter().all(|name| region.certifications.contains(&name.as_str())))
    }),
};
