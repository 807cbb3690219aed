//! Whose a resource is: in its tags, written by the call that makes it.

use std::collections::BTreeMap;

use carafe_inventory::xml::Element;
use carafe_model::document::sha256;

use super::client::Query;
use super::xml::{rows, text};
use crate::drivers::{IdempotencyKey, Ownership};

/// The tag that consoles show as a name.
pub(super) const NAME: &str = "Name";
/// What says that a resource is part of another, and of which kind.
pub(super) const PART: &str = "carafe-part";

/// What the tags of a resource say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Its name.
    pub(super) name: String,
    /// Whose it is.
    pub(super) owner: Option<Ownership>,
    /// All tags.
    pub(super) more: BTreeMap<String, String>,
}

/// The tags of something new.
pub(super) fn tags(owner: &Ownership, name: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = owner.tags().into_iter().chain([(NAME, name)]).chain(more.iter().copied());
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Query {
    /// The same with tags for what a call of EC2 makes; `kind` is EC2's word for it.
    #[must_use]
    pub(super) fn tagged(self, kind: &str, tags: &[(String, String)]) -> Query {
        let at = (1..).find(|at| !self.has(&format!("TagSpecification.{at}.ResourceType")));
        let prefix = format!("TagSpecification.{}", at.expect("numbers have no end"));
        self.set(format!("{prefix}.ResourceType"), kind).pairs(&format!("{prefix}.Tag"), tags)
    }

    /// The same with keys and values in a numbered list.
    #[must_use]
    pub(super) fn pairs(self, prefix: &str, tags: &[(String, String)]) -> Query {
        tags.iter().enumerate().fold(self, |query, (at, (key, value))| {
            let at = at + 1;
            query.set(format!("{prefix}.{at}.Key"), key).set(format!("{prefix}.{at}.Value"), value)
        })
    }
}

/// Reads what EC2 and Elastic Load Balancing say of tags; `list` is where they stand in the answer.
pub(super) fn of_element(element: &Element, list: &str) -> Marks {
    // EC2 writes small letters, Elastic Load Balancing capitals.
    let either = |tag: &Element, small: &str, large: &str| match text(tag, small) {
        "" => text(tag, large).to_owned(),
        found => found.to_owned(),
    };
    of_pairs(rows(element, list).map(|tag| (either(tag, "key", "Key"), either(tag, "value", "Value"))))
}

/// Reads tags.
pub(super) fn of_pairs(pairs: impl Iterator<Item = (String, String)>) -> Marks {
    let more: BTreeMap<String, String> = pairs.collect();
    let get = |key: &str| more.get(key).map(String::as_str);
    let owner = get(Ownership::TAG_RUN).zip(get(Ownership::TAG_KEY)).map(|(run, key)| Ownership {
        run: run.into(),
        step: get(Ownership::TAG_STEP).unwrap_or_default().into(),
        key: IdempotencyKey(key.to_owned()),
    });
    Marks { name: get(NAME).unwrap_or_default().to_owned(), owner, more }
}

/// The client token of a call: the same for the same run, step and attempt, and never more than 32 characters.
pub(super) fn token(owner: &Ownership, attempt: usize) -> String {
    let mut digest = sha256(format!("{}\n{}\n{attempt}", owner.run, owner.key.0).as_bytes());
    digest.truncate(32);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_back_from_tags() {
        let owner = Ownership {
            run: "20261120-093015-5f0c21aa".into(),
            step: "aws/us-east-1/machine/erp 1".into(),
            key: IdempotencyKey::new("plan", &"step".into()),
        };
        let marks = of_pairs(tags(&owner, "erp 1", &[(PART, "machine")]).into_iter());
        assert_eq!((marks.owner.as_ref(), marks.name.as_str()), (Some(&owner), "erp 1"));
        assert_eq!(marks.more.get(PART).map(String::as_str), Some("machine"));
        let somebody = of_pairs([("Name".to_owned(), "x".to_owned())].into_iter());
        assert_eq!((somebody.owner, somebody.name.as_str()), (None, "x"));
    }

    #[test]
    fn attempts_and_runs_have_tokens_of_their_own() {
        let of = |run: &str| Ownership {
            run: run.into(),
            step: "s".into(),
            key: IdempotencyKey::new("plan", &"step".into()),
        };
        assert_eq!(token(&of("a"), 0), token(&of("a"), 0));
        assert_ne!(token(&of("a"), 0), token(&of("b"), 0));
        assert_ne!(token(&of("a"), 0), token(&of("a"), 1));
        assert_eq!(token(&of("a"), 0).len(), 32);
    }
}
