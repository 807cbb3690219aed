//! What a host needs beside its machine and the driver of the provider cannot make: a public address, the load balancer it is
//! a member of, the managed cluster it becomes a part of.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "capability",
    text: "are at providers where something that the host needs cannot be made",
    test: Test::Region(|rules, region| {
        rules.needs.iter().all(|service| !region.unavailable.contains(service))
    }),
};
