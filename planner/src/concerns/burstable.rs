//! No rationed processor time where the policy forbids it.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "burstable",
    text: "ration processor time, which the policy does not allow",
    test: Test::Offer(|shape, offer| shape.class.burstable || offer.instance_type.burstable != Some(true)),
};
