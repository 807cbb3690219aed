//! Makes many plans with one catalog: of scenarios, and of whole batches.

use std::time::{Duration, Instant};

use carafe_model::document::{self, Document};
use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::language::{Arg, Said, Sentence};
use carafe_model::plan::Plan;
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::Quantity;
use carafe_planner::Options;

/// What all plans are made with.
#[derive(Debug)]
pub struct Planning<'a> {
    /// The prices.
    pub catalog: &'a SealedSnapshot,
    /// The gap that counts as proven.
    pub gap: Quantity,
    /// How long the search of one plan may take.
    pub time_limit: Duration,
}

/// An estate to plan, with what was found in it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The estate.
    pub estate: Estate,
    /// SHA-256 of its document.
    pub sha256: String,
    /// What qualifies every plan of it.
    pub findings: Vec<Finding>,
}

impl Subject {
    /// An estate that was read without findings that stop.
    pub fn new(estate: Estate, findings: Vec<Finding>) -> Subject {
        let sha256 = document::sha256(estate.to_json().as_bytes());
        Subject { estate, sha256, findings }
    }
}

impl Planning<'_> {
    /// Plans an estate; a plan that cannot be priced, or that fails its own check, is none.
    ///
    /// # Errors
    /// Why there is no plan, as findings.
    pub fn plan(
        &self,
        subject: &Subject,
        policy: &Policy,
        policy_sha256: &str,
    ) -> Result<Plan, Vec<Finding>> {
        let begun = Instant::now();
        let stop = || begun.elapsed() >= self.time_limit;
        let options = Options {
            estate_sha256: subject.sha256.clone(),
            policy_sha256: policy_sha256.to_owned(),
            gap: self.gap,
            stop: &stop,
        };
        let mut plan = carafe_planner::plan(&subject.estate, self.catalog, policy, &options);
        let is_none = |finding: &Finding| {
            finding.code == carafe_planner::NO_EXCHANGE || finding.code == carafe_planner::UNSOUND
        };
        if plan.findings.iter().any(is_none) {
            return Err(plan.findings);
        }
        plan.findings.splice(0..0, subject.findings.iter().cloned());
        Ok(plan)
    }
}

/// Why a plan does not place every host; `None` when it does.
pub fn why_infeasible(plan: &Plan) -> Option<Sentence> {
    let first = plan.unplaced.first()?;
    let reason = match first.reasons.first() {
        Some(reason) => {
            reason.said().map_or_else(|| Arg::Text(reason.to_string()), |said| Arg::Said(said.clone()))
        }
        None => Arg::Text(String::new()),
    };
    let said = Said::new("compare.unplaced-why")
        .with("n", plan.unplaced.len())
        .with("host", first.host.as_str())
        .with("reason", reason);
    Some(said.into())
}
