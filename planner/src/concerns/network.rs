//! Network throughput that was measured, where the catalog tells what a machine has. One that it does not tell passes.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "network",
    text: "have too little network throughput",
    test: Test::Offer(|shape, offer| {
        offer.instance_type.network_mbps.is_none_or(|has| has >= shape.class.network_mbps)
    }),
};
