//! How close to the best possible a plan is, in words.

use carafe_model::language::Said;

use crate::voice::Voice;

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
    pub fn new(voice: &Voice<'_>) -> Proof {
        let bound = &voice.plan.bound;
        let (headline, sentence) = if voice.plan.placements.is_empty() {
            ("proof.nothing", "proof.nothing-why")
        } else if bound.proven && bound.gap.0 <= 0 {
            ("proof.optimal", "proof.optimal-why")
        } else if bound.proven {
            ("proof.within", "proof.within-why")
        } else if bound.lower_bound.0 > 0 {
            ("proof.unproven", "proof.unproven-why")
        } else {
            ("proof.unproven", "proof.unbounded-why")
        };
        let said = |key| {
            let said = Said::new(key).with("gap", voice.percent(bound.gap));
            voice.say(&said.with("least", voice.money(bound.lower_bound)))
        };
        Proof {
            headline: said(headline),
            sentence: said(sentence),
            proven: bound.proven && !voice.plan.placements.is_empty(),
        }
    }
}
