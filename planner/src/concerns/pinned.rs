//! Only the instance types that a rule names, where it names any.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "offer",
    text: "are not of the instance types that the policy allows",
    test: Test::Offer(|shape, offer| {
        shape.class.offers.as_ref().is_none_or(|allowed| {
            allowed
                .iter()
                .any(|path| path.split_once('/') == Some((offer.provider, offer.instance_type.name.as_str())))
        })
    }),
};
