//! The steps of a plan as a graph that is known to be sound.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::{Finding, Place};
use carafe_model::ids::StepId;
use carafe_model::steps::Step;

use crate::drivers::Kind;

/// What is wrong with a plan, its connections or its target: code, meaning, what to do.
pub const CODES: [(&str, &str, &str); 21] = [
    ("RUN-001", "two steps have the same name", "make the plan again, or rename one of them"),
    (
        "RUN-002",
        "a step waits for one that is not in the plan",
        "make the plan again, or take the name out of `after`",
    ),
    (
        "RUN-003",
        "steps wait for one another in a circle",
        "make the plan again, or break the circle in `after`",
    ),
    ("RUN-004", "two steps make the same resource", "make the plan again, or rename one of the resources"),
    ("RUN-005", "a step waits for one of a later wave", "make the plan again, or move one of the steps"),
    ("RUN-006", "no connection serves the place of a step", "add one to connections.toml"),
    ("RUN-007", "the cloud has no such kind of resource", "use another driver, or plan without it"),
    ("RUN-008", "a step that is to be confirmed is not a person's", "name a step whose kind is manual"),
    (
        "RUN-009",
        "the plan did not pass its own check",
        "make the plan again; if that does not help, report it",
    ),
    (
        "RUN-010",
        "a step cannot be tried again or adopted",
        "name a step that makes something, as `carafe status RUN` lists it",
    ),
    ("RUN-101", "the name is taken", "rename or remove what bears it, or plan under another name"),
    ("RUN-102", "it exists with other settings", "change it back by hand, or remove it"),
    ("RUN-103", "the cloud would refuse it", "mend what the cloud says"),
    ("RUN-104", "the quota is too low", "ask the provider for a higher limit, or move fewer hosts there"),
    ("RUN-105", "the target cannot be read", "check the connection and its credentials, then try again"),
    (
        "RUN-106",
        "the credentials do not permit it",
        "give the account the right to make it, or use another account",
    ),
    (
        "RUN-107",
        "an instance type is not for sale, or there are too few of it",
        "make the plan again with a newer catalog, or move fewer hosts there",
    ),
    (
        "RUN-108",
        "a price has changed since the plan was made",
        "make the plan again with a newer catalog to see what that does to the bill",
    ),
    (
        "RUN-109",
        "an image, or something else that is needed, is not there",
        "name another, or bring it there first",
    ),
    ("RUN-110", "there are too few licences", "buy more, or move fewer of these machines there"),
    (
        "RUN-111",
        "addresses overlap, or something else stands in the way",
        "change the addresses in the plan, or remove what stands in the way",
    ),
];

/// An error finding of a code of [`CODES`], with its remedy.
pub(super) fn error(code: &str, what: String) -> Finding {
    Finding::error(code, what).help(help(code))
}

/// The remedy of a code of [`CODES`].
pub(super) fn help(code: &str) -> &'static str {
    CODES.iter().find(|(known, _, _)| *known == code).expect("the code is in the table").2
}

/// Steps by their place in the plan, with edges both ways.
pub(super) struct Graph<'p> {
    pub(super) steps: &'p [Step],
    /// What each step waits for.
    pub(super) after: Vec<Vec<usize>>,
    /// What waits for each step.
    pub(super) dependents: Vec<Vec<usize>>,
    /// Every step after all that it waits for.
    pub(super) order: Vec<usize>,
    by_id: BTreeMap<&'p StepId, usize>,
}

impl<'p> Graph<'p> {
    /// Checks the steps of a plan: `RUN-001` to `RUN-005`, all at once.
    pub(super) fn build(steps: &'p [Step]) -> Result<Graph<'p>, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut by_id = BTreeMap::new();
        let mut resources = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            if by_id.insert(&step.id, index).is_some() {
                findings.push(
                    error("RUN-001", format!("there are two steps {}", step.id)).at(place(index, "id")),
                );
            }
            if let Some(kind) = Kind::of(&step.action) {
                let resource = (&step.provider, &step.region, kind, step.action.name());
                if let Some(other) = resources.insert(resource, &step.id) {
                    let what = format!(
                        "{other} and {} both make {} \"{}\" in {}/{}",
                        step.id,
                        kind.words(),
                        step.action.name(),
                        step.provider,
                        step.region
                    );
                    findings.push(error("RUN-004", what).at(place(index, "action/name")));
                }
            }
        }
        let mut after = vec![Vec::new(); steps.len()];
        let mut dependents = vec![Vec::new(); steps.len()];
        for (index, step) in steps.iter().enumerate() {
            for needed in step.after.iter().collect::<BTreeSet<_>>() {
                let Some(&other) = by_id.get(needed) else {
                    let what = format!("{} waits for {needed}, which is not in the plan", step.id);
                    findings.push(error("RUN-002", what).at(place(index, "after")));
                    continue;
                };
                if steps[other].wave > step.wave {
                    let what = format!(
                        "{} of wave {} waits for {needed} of wave {}",
                        step.id, step.wave, steps[other].wave
                    );
                    findings.push(error("RUN-005", what).at(place(index, "after")));
                }
                after[index].push(other);
                dependents[other].push(index);
            }
        }
        let order = sort(&after, &dependents);
        if order.len() < steps.len() {
            let sorted: BTreeSet<usize> = order.iter().copied().collect();
            let stuck: Vec<&str> =
                (0..steps.len()).filter(|i| !sorted.contains(i)).map(|i| steps[i].id.as_str()).collect();
            const LISTED: usize = 5;
            let names = stuck[..stuck.len().min(LISTED)].join(", ");
            let more = if stuck.len() > LISTED { ", …" } else { "" };
            let what = format!("{} steps wait for a circle of steps: {names}{more}", stuck.len());
            findings.push(error("RUN-003", what).at(Place::default().at("/steps")));
        }
        if findings.is_empty() { Ok(Graph { steps, after, dependents, order, by_id }) } else { Err(findings) }
    }

    /// The place of a step in the plan.
    pub(super) fn index(&self, step: &StepId) -> Option<usize> {
        self.by_id.get(step).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// Where a step stands in the plan document.
pub(super) fn place(index: usize, field: &str) -> Place {
    Place::default().at(format!("/steps/{index}/{field}"))
}

/// Kahn's algorithm; what stands on a circle is left out.
fn sort(after: &[Vec<usize>], dependents: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..after.len()).filter(|step| missing[*step] == 0).collect();
    let mut read = 0;
    while let Some(&step) = order.get(read) {
        read += 1;
        for &dependent in &dependents[step] {
            missing[dependent] -= 1;
            if missing[dependent] == 0 {
                order.push(dependent);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_model::steps::Action;

    fn step(id: &str, wave: u32, after: &[&str], name: &str) -> Step {
        Step {
            id: id.into(),
            wave,
            provider: "aws".into(),
            region: "us-east-1".into(),
            host: None,
            after: after.iter().map(|id| StepId::from(*id)).collect(),
            action: Action::KeyPair { name: name.into() },
        }
    }

    fn check(steps: &[Step], expected: &[(&str, &str)]) {
        let findings = Graph::build(steps).err().unwrap_or_default();
        let found: Vec<(&str, String)> =
            findings.iter().map(|f| (f.code.as_str(), f.place.to_string())).collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(code, place)| (*code, place.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_sound_graph_has_edges_both_ways_and_an_order() {
        let steps = [step("c", 1, &["b", "a", "a"], "c"), step("b", 1, &["a"], "b"), step("a", 0, &[], "a")];
        let graph = Graph::build(&steps).expect("it is sound");
        assert_eq!(graph.order, [2, 1, 0]);
        assert_eq!(graph.after, [vec![2, 1], vec![2], vec![]]);
        assert_eq!(graph.dependents[2], [0, 1]);
        assert_eq!(graph.index(&"b".into()), Some(1));
    }

    #[test]
    fn every_flaw_is_told_at_once() {
        check(
            &[
                step("a", 1, &["b"], "a"),
                step("b", 1, &["a", "gone"], "b"),
                step("b", 2, &[], "c"),
                step("d", 1, &["e"], "d"),
                step("e", 2, &[], "d"),
            ],
            &[
                ("RUN-001", "/steps/2/id"),
                ("RUN-004", "/steps/4/action/name"),
                ("RUN-005", "/steps/0/after"),
                ("RUN-002", "/steps/1/after"),
                ("RUN-005", "/steps/3/after"),
            ],
        );
        check(&[step("a", 1, &["b"], "a"), step("b", 1, &["a"], "b")], &[("RUN-003", "/steps")]);
        check(&[step("a", 1, &["a"], "a")], &[("RUN-003", "/steps")]);
    }
}
