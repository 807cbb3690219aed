//! A value inside a JSON document that knows where it stands, and reads itself into words and numbers with findings.

use carafe_model::document::to_pointer;
use carafe_model::finding::{Finding, Place};
use serde_json::Value;

use crate::number::{self, NumberError};
use crate::raw::At;
use crate::text::{clip, known};

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node<'v> {
    /// The value itself.
    pub value: &'v Value,
    file: &'v str,
    pointer: String,
}

impl<'v> Node<'v> {
    /// The whole document.
    pub fn root(file: &'v str, value: &'v Value) -> Node<'v> {
        Node { value, file, pointer: String::new() }
    }

    /// Where the value stands.
    pub fn place(&self) -> Place {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        Place::file(self.file).at(pointer)
    }

    /// A member of an object; `null` counts as absent, as do members of what is not an object.
    pub fn get(&self, key: &str) -> Option<Node<'v>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// What a path of names and places in lists leads to, as `root_block_device/0/volume_size`; `null` counts as absent.
    pub fn find(&self, path: &str) -> Option<Node<'v>> {
        path.split('/').try_fold(self.clone(), |node, part| match node.value {
            Value::Array(entries) => {
                let value = entries.get(part.parse::<usize>().ok()?).filter(|value| !value.is_null())?;
                Some(node.child(part, value))
            }
            _ => node.get(part),
        })
    }

    /// What the first of several paths leads to.
    pub fn find_any(&self, paths: &[&str]) -> Option<Node<'v>> {
        paths.iter().find_map(|path| self.find(path))
    }

    /// The value as text that says something; numbers are taken as written, other types say nothing.
    pub fn words(&self) -> Option<At<String>> {
        let text = match self.value {
            Value::String(text) => known(text)?.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(At::new(text, self.place()))
    }

    /// The text that the first of several paths leads to that says something.
    pub fn words_at(&self, paths: &[&str]) -> Option<At<String>> {
        paths.iter().find_map(|path| self.find(path)?.words())
    }

    /// The texts of a value that is a text or a list of them; others say nothing.
    pub fn all_words(&self) -> Vec<String> {
        let each = |value: &Value| match value {
            Value::String(text) => known(text).map(str::to_owned),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        match self.value {
            Value::Array(entries) => entries.iter().filter_map(each).collect(),
            value => each(value).into_iter().collect(),
        }
    }

    /// The entries of a list, and none of anything else.
    pub fn each(&self) -> Vec<Node<'v>> {
        let entries = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        let placed = entries.iter().enumerate().filter(|(_, value)| !value.is_null());
        placed.map(|(at, value)| self.child(&at.to_string(), value)).collect()
    }

    /// The entries of the list that a path leads to.
    pub fn each_at(&self, path: &str) -> Vec<Node<'v>> {
        self.find(path).map(|node| node.each()).unwrap_or_default()
    }

    /// The members of an object with their names.
    pub fn members(&self) -> Vec<(&'v str, Node<'v>)> {
        let Some(object) = self.value.as_object() else { return Vec::new() };
        let placed = object.iter().filter(|(_, value)| !value.is_null());
        placed.map(|(key, value)| (key.as_str(), self.child(key, value))).collect()
    }

    /// The whole number that a path leads to; anything else there is `INV-1003`, `INV-1004` or `INV-1005`.
    pub fn count_at(&self, path: &str, findings: &mut Vec<Finding>) -> Option<At<u64>> {
        match path.rsplit_once('/') {
            Some((parent, last)) => self.find(parent)?.count(last, findings),
            None => self.count(path, findings),
        }
    }

    /// The first of several spellings that is present.
    pub fn get_any(&self, keys: &[&str]) -> Option<Node<'v>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// A member whose first letter may be upper or lower case, as in documents that lost their Go tags.
    pub fn get_either_case(&self, key: &str) -> Option<Node<'v>> {
        self.get(key).or_else(|| {
            let mut letters = key.chars();
            let first = letters.next()?;
            let other: String = match first.is_lowercase() {
                true => first.to_uppercase().chain(letters).collect(),
                false => first.to_lowercase().chain(letters).collect(),
            };
            self.get(&other)
        })
    }

    /// A member that must be an object when present; anything else is `INV-1003`.
    pub fn object(&self, key: &str, findings: &mut Vec<Finding>) -> Option<Node<'v>> {
        let node = self.get(key)?;
        node.expect(node.value.is_object(), "an object", findings).then_some(node)
    }

    /// The entries of a member that must be a list of objects when present; anything else is `INV-1003`.
    pub fn list(&self, key: &str, findings: &mut Vec<Finding>) -> Vec<Node<'v>> {
        let mut entries = self.get(key).map(|node| node.entries(findings)).unwrap_or_default();
        entries.retain(|entry| entry.expect(entry.value.is_object(), "an object", findings));
        entries
    }

    /// The entries of a list that are not `null`; anything but a list is `INV-1003`.
    pub fn entries(&self, findings: &mut Vec<Finding>) -> Vec<Node<'v>> {
        let Some(entries) = self.value.as_array() else {
            self.expect(false, "a list", findings);
            return Vec::new();
        };
        let placed = entries.iter().enumerate().filter(|(_, value)| !value.is_null());
        placed.map(|(at, value)| self.child(&at.to_string(), value)).collect()
    }

    /// A member as text that says something; numbers are taken as written, other types are `INV-1003`.
    pub fn text(&self, key: &str, findings: &mut Vec<Finding>) -> Option<At<String>> {
        let node = self.get(key)?;
        let text = match node.value {
            Value::String(text) => known(text)?.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
                node.expect(false, "a text", findings);
                return None;
            }
        };
        Some(At::new(text, node.place()))
    }

    /// The texts of a member that is a list of texts or one text.
    pub fn texts(&self, key: &str, findings: &mut Vec<Finding>) -> Vec<At<String>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        if node.value.is_string() {
            return self.text(key, findings).into_iter().collect();
        }
        let mut texts = Vec::new();
        for entry in node.entries(findings) {
            match entry.value.as_str() {
                Some(text) => {
                    texts.extend(known(text).map(|text| At::new(text.to_owned(), entry.place())));
                }
                None => drop(entry.expect(false, "a text", findings)),
            }
        }
        texts
    }

    /// A member as a whole number from zero; a text that holds one will do. Anything else is `INV-1004` or `INV-1005`.
    pub fn count(&self, key: &str, findings: &mut Vec<Finding>) -> Option<At<u64>> {
        let node = self.get(key)?;
        let written = match node.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => known(text)?.to_owned(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
                node.expect(false, "a number", findings);
                return None;
            }
        };
        match number::parse(&written, Some(number::DecimalSign::Point)).and_then(|number| number.count()) {
            Ok(count) => Some(At::new(count, node.place())),
            Err(error) => {
                findings.push(bad_number(&written, error, node.place()));
                None
            }
        }
    }

    /// A member as yes or no; other types are `INV-1003`.
    pub fn boolean(&self, key: &str, findings: &mut Vec<Finding>) -> Option<bool> {
        let node = self.get(key)?;
        let value = node.value.as_bool();
        node.expect(value.is_some(), "true or false", findings);
        value
    }

    /// Says `INV-1003` unless the value is what it must be.
    fn expect(&self, fits: bool, what: &str, findings: &mut Vec<Finding>) -> bool {
        if !fits {
            let have = match self.value {
                Value::Null => "null",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                Value::String(_) => "a text",
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
            };
            findings.push(
                Finding::error("INV-1003", format!("{have}, where {what} is expected"))
                    .at(self.place())
                    .help("the value was left out; export again, or mend it by hand"),
            );
        }
        fits
    }

    fn child(&self, key: &str, value: &'v Value) -> Node<'v> {
        Node { value, file: self.file, pointer: format!("{}{}", self.pointer, to_pointer(&[key])) }
    }
}

/// The finding for a text that is not a usable number: `INV-1004` unreadable, `INV-1005` out of range.
pub fn bad_number(written: &str, error: NumberError, place: Place) -> Finding {
    let code = match error {
        NumberError::Unreadable | NumberError::Unit => "INV-1004",
        NumberError::Negative | NumberError::Fraction | NumberError::TooLarge => "INV-1005",
    };
    Finding::error(code, format!("\"{}\": {error}", clip(written)))
        .at(place)
        .help("the value was left out and counts as unknown")
}
