//! Sold for a term that may be used.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "term",
    text: "are not sold for any allowed term",
    test: Test::Offer(|_, offer| offer.has_price),
};
