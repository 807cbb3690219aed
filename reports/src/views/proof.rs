//! How close to the best possible a plan is, in words.

use carafe_model::plan::Plan;

use crate::figures::{self, Amount};

/// What is known about the optimum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// In a few words.
    pub headline: String,
    /// In a sentence or two.
    pub sentence: String,
    /// Whether what was asked for was proven.
    pub proven: bool,
}

impl Proof {
    /// Reads the bound of a plan.
    pub fn new(plan: &Plan) -> Proof {
        let bound = &plan.bound;
        let gap = figures::percent(bound.gap);
        let least = format!("{} {}", plan.currency, Amount::new(bound.lower_bound, plan.currency).shown);
        let (headline, sentence) = if plan.placements.is_empty() {
            ("Nothing placed".to_owned(), "No host has a place, so there is no cost to compare.".to_owned())
        } else if bound.proven && bound.gap.0 <= 0 {
            (
                "Proven optimal".to_owned(),
                "No placement that keeps the policy costs less a month, under the plan's own assumptions."
                    .to_owned(),
            )
        } else if bound.proven {
            (
                format!("Within {gap} of the best possible"),
                format!(
                    "No placement that keeps the policy costs less than {least} a month, under the plan's \
                     own assumptions. This is as close as was asked for."
                ),
            )
        } else if bound.lower_bound.0 > 0 {
            (
                "Not proven".to_owned(),
                format!(
                    "No placement that keeps the policy costs less than {least} a month, so at most {gap} could \
                     still be saved. The planner stopped before it could show more."
                ),
            )
        } else {
            ("Not proven".to_owned(), "The planner found no bound on what the best plan costs.".to_owned())
        };
        Proof { headline, sentence, proven: bound.proven && !plan.placements.is_empty() }
    }
}
