//! Whose a resource is: by tags where the cloud behind Spider has tags for its kind, by its name where it has not.
//!
//! A name in Spider (`NameId`) may be long whatever the cloud allows: Spider makes the cloud's own, shorter name from it.
//! Where there are no tags the name is therefore `NAME--RUN--KEY`.

use carafe_model::ids::StepId;
use serde_json::{Value, json};

use super::shape::{rows, text};
use crate::drivers::{IdempotencyKey, Kind, Ownership, Target};
use crate::run_id::RunId;

/// Name of the tag with the resource's name: in the cloud it has another one.
const TAG_NAME: &str = "carafe-name";
const BETWEEN: &str = "--";

/// How many digits an [`IdempotencyKey`] has.
const KEY_DIGITS: usize = 32;

/// The tags of a target's resource, as Spider takes them. Some clouds take no slash in a tag, so the step is left out there.
pub(super) fn tags(target: &Target, slash: bool) -> Value {
    let mut tags = vec![json!({"Key": TAG_NAME, "Value": target.name()})];
    for (key, value) in target.owner.tags() {
        if key != Ownership::TAG_STEP || slash {
            tags.push(json!({"Key": key, "Value": value}));
        }
    }
    Value::Array(tags)
}

/// The step that a resource is for when no tag says so: as plans name steps.
fn usual_step(place: (&str, &str), kind: Kind, name: &str) -> StepId {
    StepId(format!("{}/{}/{}/{name}", place.0, place.1, kind.name().replace('_', "-")))
}

/// Name and owner in the tags of an answer; `None` when they are not Carafe's.
pub(super) fn of_tags(info: &Value, kind: Kind, place: (&str, &str)) -> Option<(String, Ownership)> {
    let tag =
        |name: &str| rows(info, "TagList").find(|tag| text(tag, "Key") == name).map(|tag| text(tag, "Value"));
    let (run, key) = (tag(Ownership::TAG_RUN)?, tag(Ownership::TAG_KEY)?);
    let name = tag(TAG_NAME).unwrap_or_default().to_owned();
    let step = tag(Ownership::TAG_STEP).map_or_else(|| usual_step(place, kind, &name), StepId::from);
    Some((name, Ownership { run: run.into(), step, key: IdempotencyKey(key.to_owned()) }))
}

/// The name in Spider of a resource that cannot bear tags.
pub(super) fn long_name(target: &Target) -> String {
    let Ownership { run, key, .. } = &target.owner;
    format!("{}{BETWEEN}{run}{BETWEEN}{}", target.name(), key.0)
}

/// Name and owner in a long name; `None` when it is none.
pub(super) fn of_name(name_id: &str, kind: Kind, place: (&str, &str)) -> Option<(String, Ownership)> {
    let mut parts = name_id.rsplitn(3, BETWEEN);
    let (key, run, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_key = key.len() == KEY_DIGITS && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_key && !run.is_empty() && !name.is_empty()).then(|| {
        let owner = Ownership {
            run: RunId::from(run),
            step: usual_step(place, kind, name),
            key: IdempotencyKey(key.to_owned()),
        };
        (name.to_owned(), owner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_model::steps::{Action, Step};

    fn target() -> Target {
        let step = Step {
            id: "ncp/kr/key-pair/erp--key".into(),
            wave: 0,
            provider: "ncp".into(),
            region: "kr".into(),
            host: None,
            after: Vec::new(),
            action: Action::KeyPair { name: "erp--key".into() },
        };
        let key = IdempotencyKey::new("plan", &step.id);
        Target::new(&step, &"20261120-093015-5f0c21aa".into(), key).expect("a resource")
    }

    #[test]
    fn an_owner_is_read_back_from_tags_and_from_names() {
        let target = target();
        let expected = Some(("erp--key".to_owned(), target.owner.clone()));
        for slash in [true, false] {
            let info = json!({"TagList": tags(&target, slash)});
            assert_eq!(of_tags(&info, Kind::KeyPair, ("ncp", "kr")), expected);
        }
        assert_eq!(of_name(&long_name(&target), Kind::KeyPair, ("ncp", "kr")), expected);
        for name in ["erp", "erp--key", "a--b--c", "", "--run--0123456789abcdef0123456789abcdef"] {
            assert_eq!(of_name(name, Kind::KeyPair, ("ncp", "kr")), None, "{name}");
        }
        assert_eq!(of_tags(&json!({"TagList": null}), Kind::KeyPair, ("ncp", "kr")), None);
    }
}
