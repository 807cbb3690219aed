//! Credits for processor time that last: a measured host gets rationed time only where it earns what it spends.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "credits",
    text: "would run out of credits for processor time",
    test: Test::Offer(|shape, offer| {
        let needed = shape.class.sustained_milli;
        let earns = || offer.instance_type.baseline_milli.is_some_and(|earned| earned >= needed);
        needed == 0 || offer.instance_type.burstable != Some(true) || earns()
    }),
};
