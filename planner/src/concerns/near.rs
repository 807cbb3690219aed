//! Near enough to what does not move: the round trip to a host that stays, or to an external end, within its budget.

use super::{Concern, Test};
use crate::latency::by_distance;

pub(super) const CONCERN: Concern = Concern {
    code: "latency",
    text: "are in regions too far from something that does not move",
    test: Test::Region(|rules, region| {
        let far = |near: &&super::Near| {
            region.coordinates.is_none_or(|point| by_distance(point, near.point) > near.micros)
        };
        rules.near.iter().find(far).is_none()
    }),
};
