//! Never smaller than what is needed.

use super::{Concern, Test};

pub(super) const VCPUS: Concern = Concern {
    code: "vcpus",
    text: "have too few vCPUs",
    test: Test::Offer(|shape, offer| offer.instance_type.vcpus >= shape.vcpus),
};

pub(super) const MEMORY: Concern = Concern {
    code: "memory",
    text: "have too little memory",
    test: Test::Offer(|shape, offer| offer.instance_type.memory >= shape.memory),
};
