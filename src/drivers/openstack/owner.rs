//! Whose a resource is: in its metadata where its service has metadata (Nova, Cinder), else in its description.
//!
//! Neutron takes tags only in a second call, and a crash between the two would leave a network that is nobody's. Its
//! descriptions, as Octavia's and the comment of a public key, are written by the call that makes the resource, so they
//! are what counts; tags repeat them where a service has any, for people and their filters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::drivers::{IdempotencyKey, Ownership};

/// The longest description that Neutron and Octavia take, in characters.
pub(super) const LONGEST: usize = 255;

/// What the description of a resource says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Whose it is.
    pub(super) owner: Option<Ownership>,
    /// What else Carafe has to remember of it, such as the addresses of a network, which Neutron does not know.
    pub(super) more: BTreeMap<String, String>,
}

/// Writes marks as words; a word has no space in it.
pub(super) fn words(owner: &Ownership, more: &[(&str, &str)]) -> String {
    let pairs = owner.tags().into_iter().chain(more.iter().copied());
    pairs.map(|(key, value)| format!("{key}={}", escaped(value))).collect::<Vec<_>>().join(" ")
}

/// Reads what [`words`] wrote. A text of somebody else's has no marks.
pub(super) fn of_words(text: &str) -> Marks {
    let pairs = text.split_whitespace().filter_map(|word| word.split_once('='));
    let more: BTreeMap<String, String> =
        pairs.map(|(key, value)| (key.to_owned(), unescaped(value))).collect();
    split(more)
}

/// The metadata of a resource.
pub(super) fn metadata(owner: &Ownership) -> Value {
    json!(owner.tags().into_iter().collect::<BTreeMap<_, _>>())
}

/// Reads the metadata of a resource.
pub(super) fn of_metadata(metadata: &Value) -> Marks {
    let pairs = metadata.as_object().into_iter().flatten();
    split(pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

/// Tags as Neutron and Octavia have them: words without a comma.
pub(super) fn tags(owner: &Ownership) -> Vec<String> {
    owner.tags().into_iter().map(|(key, value)| format!("{key}={}", value.replace(',', "%2C"))).collect()
}

fn split(mut more: BTreeMap<String, String>) -> Marks {
    let mut take = |key| more.remove(key);
    let (run, step, key) = (take(Ownership::TAG_RUN), take(Ownership::TAG_STEP), take(Ownership::TAG_KEY));
    let owner = run.zip(key).map(|(run, key)| Ownership {
        run: run.as_str().into(),
        step: step.unwrap_or_default().as_str().into(),
        key: IdempotencyKey(key),
    });
    Marks { owner, more }
}

fn escaped(value: &str) -> String {
    let escape = |c: char| match c {
        '%' => "%25".to_owned(),
        ' ' => "%20".to_owned(),
        c => c.to_string(),
    };
    value.chars().map(escape).collect()
}

fn unescaped(value: &str) -> String {
    value.replace("%20", " ").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_back_from_words_and_from_metadata() {
        let owner = Ownership {
            run: "20261120-093015-5f0c21aa".into(),
            step: "openstack/Region One/machine/50%20 off".into(),
            key: IdempotencyKey::new("plan", &"step".into()),
        };
        let marks = of_words(&words(&owner, &[("cidr", "10.0.0.0/16")]));
        assert_eq!(marks.owner.as_ref(), Some(&owner));
        assert_eq!(marks.more.get("cidr").map(String::as_str), Some("10.0.0.0/16"));
        assert_eq!(of_metadata(&metadata(&owner)).owner, Some(owner));
        for text in ["", "a network of ours", "carafe-run=x", "carafe-key=y z"] {
            assert_eq!(of_words(text).owner, None, "{text}");
        }
    }
}
