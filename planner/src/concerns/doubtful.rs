//! No price that is too low to be believed: a search for the cheapest finds every mistake of a price list first.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "doubtful",
    text: "have a price too low to be believed",
    test: Test::Offer(|_, offer| !offer.has_price || offer.is_believed),
};
