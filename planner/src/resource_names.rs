//! Names of the resources that steps make: short, clean, unique, and the same for the same estate.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::document::sha256;

/// The longest name that every provider takes: 30 characters on NCP and KT, the tightest that are known.
const LONGEST: usize = 30;

/// Hands out names, and the same one whenever the same thing is asked for.
#[derive(Debug, Default)]
pub struct ResourceNames {
    given: BTreeMap<(String, String), String>,
    taken: BTreeSet<String>,
}

impl ResourceNames {
    /// The name of something that belongs to `text`, with a suffix that says what it is; no suffix for the thing itself.
    pub fn of(&mut self, text: &str, suffix: &str) -> String {
        let key = (text.to_owned(), suffix.to_owned());
        if let Some(name) = self.given.get(&key) {
            return name.clone();
        }
        let mut salt = 0;
        let name = loop {
            let name = shaped(text, suffix, salt);
            if self.taken.insert(name.clone()) {
                break name;
            }
            salt += 1;
        };
        self.given.insert(key, name.clone());
        name
    }
}

/// Lower-case letters, digits and hyphens, starting with a letter. What had to be changed in more than its case, or cut,
/// gets four digits of its hash, so that things whose names differ stay apart; `salt` tells the rest apart.
fn shaped(text: &str, suffix: &str, salt: u32) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        match character.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => clean.push(letter),
            _ if clean.is_empty() || clean.ends_with('-') => {}
            _ => clean.push('-'),
        }
    }
    clean.truncate(clean.trim_end_matches('-').len());
    if !clean.starts_with(|first: char| first.is_ascii_lowercase()) {
        clean.insert(0, 'h');
    }
    let tail = if suffix.is_empty() { String::new() } else { format!("-{suffix}") };
    let room = LONGEST - tail.len();
    if clean == text.to_ascii_lowercase() && clean.len() <= room && salt == 0 {
        return clean + &tail;
    }
    let digest = &sha256(format!("{text}/{suffix}/{salt}").as_bytes())[..4];
    clean.truncate(room - 5);
    format!("{}-{digest}{tail}", clean.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        let mut names = ResourceNames::default();
        assert_eq!(names.of("erp-db-1", ""), "erp-db-1");
        assert_eq!(names.of("erp-db-1", "sg"), "erp-db-1-sg");
        assert_eq!(names.of("ERP-DB-2", ""), "erp-db-2");
    }

    #[test]
    fn what_looks_alike_stays_apart() {
        let mut names = ResourceNames::default();
        let texts = ["web_1", "web-1", "웹-443", "메일-443", "erp", "erp-k8s"];
        let given: BTreeSet<String> = texts.iter().map(|text| names.of(text, "k8s")).collect();
        assert_eq!(given.len(), texts.len());
        assert_ne!(names.of("erp-k8s", ""), names.of("erp", "k8s"));
    }

    proptest! {
        #[test]
        fn every_name_is_short_clean_and_unique(texts in prop::collection::btree_set(".{0,60}", 1..20)) {
            let mut names = ResourceNames::default();
            let suffixes = ["", "sg", "subnet-1", "d12-at"];
            let mut given = BTreeSet::new();
            for text in &texts {
                for suffix in suffixes {
                    let name = names.of(text, suffix);
                    prop_assert!(name.len() <= LONGEST, "{name}");
                    prop_assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
                    prop_assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{name}");
                    prop_assert!(given.insert(name.clone()), "{name}");
                    prop_assert_eq!(names.of(text, suffix), name);
                }
            }
        }
    }
}
