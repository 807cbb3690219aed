//! The same instruction set: software that is moved as it is runs on no other.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "architecture",
    text: "have another instruction set",
    test: Test::Offer(|shape, offer| {
        let wanted = shape.class.architecture;
        wanted != carafe_model::host::Architecture::Other && offer.instance_type.architecture == wanted
    }),
};
