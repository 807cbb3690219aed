//! As many accelerators as the host has, of its model where that is known.

use super::{Concern, Test};

pub(super) const CONCERN: Concern = Concern {
    code: "gpu",
    text: "lack the accelerators",
    test: Test::Offer(|shape, offer| {
        let Some((count, model)) = &shape.class.gpu else { return true };
        let sold = offer.instance_type;
        let same_model = sold.gpu_model.to_lowercase().contains(&model.to_lowercase());
        sold.gpus.is_some_and(|have| have >= *count) && (model.is_empty() || same_model)
    }),
};
