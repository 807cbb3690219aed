//! Says in plain words where a value differs from the shape of its document, and takes out what cannot be used.
//!
//! It walks the value along the document's own JSON Schema, so that every field of every entry is looked at, and not
//! only the first that is wrong. What is wrong and may be absent is taken out and counts as unknown; what must be there
//! takes the entry it is in with it.

use serde_json::{Map, Value};

use super::to_pointer;
use crate::finding::{Finding, Place, nearest};
use crate::units::{Currency, Money, Quantity, Rate, clip};

/// A walk through one document.
pub(super) struct Walk<'s> {
    file: &'s str,
    kind: &'static str,
    defs: Option<&'s Map<String, Value>>,
    path: Vec<String>,
    most: usize,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// Entries taken out of lists of the document itself: the list's key and where the entry stood.
    pub removed: Vec<(String, Vec<usize>)>,
}

impl<'s> Walk<'s> {
    /// A walk along a schema, which ends early once `most` findings are found.
    pub fn new(file: &'s str, kind: &'static str, schema: &'s Value, most: usize) -> Walk<'s> {
        Walk {
            file,
            kind,
            defs: schema.get("$defs").and_then(Value::as_object),
            path: Vec::new(),
            most,
            findings: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Whether as many findings are there as may be.
    pub fn is_full(&self) -> bool {
        self.findings.len() >= self.most
    }

    /// Whether the value can be used, once what is wrong in it is taken out.
    pub fn keep(&mut self, schema: &'s Value, value: &mut Value) -> bool {
        if self.is_full() {
            return true;
        }
        let (name, schema) = self.resolve(schema);
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
            if value.is_null() && choices.iter().any(|choice| is_null(&choice)) {
                return true;
            }
            let real = choices.iter().find(|choice| !is_null(choice));
            return real.is_none_or(|choice| self.keep(choice, value));
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            return self.keep_choice(choices, value);
        }
        if !self.has_type(schema, value) {
            return false;
        }
        match value {
            Value::Object(members) => self.keep_object(schema, members),
            Value::Array(entries) => self.keep_list(schema, entries),
            Value::String(text) => self.keep_text(name, schema, text),
            Value::Number(number) => {
                let most = schema.get("maximum").and_then(Value::as_u64).unwrap_or(u64::MAX);
                let most =
                    if schema.get("format") == Some(&"uint32".into()) { u32::MAX.into() } else { most };
                match number.as_u64() {
                    Some(count) if count <= most => true,
                    _ => self.wrong(
                        format!("{number} is out of range"),
                        format!("a whole number from 0 to {most}"),
                    ),
                }
            }
            Value::Null | Value::Bool(_) => true,
        }
    }

    fn resolve(&self, mut schema: &'s Value) -> (&'s str, &'s Value) {
        let mut name = "";
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            name = reference.rsplit('/').next().unwrap_or_default();
            match self.defs.and_then(|defs| defs.get(name)) {
                Some(found) => schema = found,
                None => break,
            }
        }
        (name, schema)
    }

    fn tell(&mut self, what: String, help: String) {
        let place = Place::file(self.file).at(to_pointer(&self.path));
        self.findings.push(Finding::error("DOC-004", what).at(place).help(help));
    }

    fn wrong(&mut self, what: String, help: String) -> bool {
        self.tell(what, help);
        false
    }

    fn has_type(&mut self, schema: &Value, value: &Value) -> bool {
        let wanted: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => return true,
        };
        let (have, fits) = match value {
            Value::Null => ("null", wanted.contains(&"null")),
            Value::Bool(_) => ("true or false", wanted.contains(&"boolean")),
            // A number outside the range is told as such.
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                ("a whole number", wanted.contains(&"integer") || wanted.contains(&"number"))
            }
            Value::Number(_) => ("a decimal number", wanted.contains(&"number")),
            Value::String(_) => ("a text", wanted.contains(&"string")),
            Value::Array(_) => ("a list", wanted.contains(&"array")),
            Value::Object(_) => ("an object", wanted.contains(&"object")),
        };
        if fits {
            return true;
        }
        let is_decimal = schema.get("pattern").is_some() && value.is_number();
        let help = match value {
            Value::Number(number) if is_decimal => format!("write it in quotes: \"{number}\""),
            Value::String(text) if wanted.contains(&"integer") && text.trim().parse::<u64>().is_ok() => {
                format!("write it without quotes: {}", text.trim())
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                format!("`carafe schema {}` prints what is expected", self.kind)
            }
        };
        let words = match wanted.iter().find(|word| **word != "null").copied().unwrap_or("null") {
            "integer" => "a whole number",
            "number" => "a number",
            "string" if is_decimal => "a decimal in quotes",
            "string" => "a text in quotes",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "an object",
            _ => "nothing",
        };
        self.wrong(format!("{words} is wanted, this is {have}"), help)
    }

    fn keep_text(&mut self, name: &str, schema: &Value, text: &str) -> bool {
        let wrong = match name {
            "Money" => text.parse::<Money>().err().map(|error| error.to_string()),
            "Rate" => text.parse::<Rate>().err().map(|error| error.to_string()),
            "Quantity" => text.parse::<Quantity>().err().map(|error| error.to_string()),
            "Currency" => text.parse::<Currency>().err().map(|error| error.to_string()),
            _ => None,
        };
        let Some(wrong) = wrong else { return true };
        let help = schema.get("description").and_then(Value::as_str).unwrap_or("for example \"USD\"");
        self.wrong(format!("\"{}\": {wrong}", clip(text)), help.to_owned())
    }

    fn keep_list(&mut self, schema: &'s Value, entries: &mut Vec<Value>) -> bool {
        let Some(items) = schema.get("items") else { return true };
        let mut gone = Vec::new();
        let mut index = 0;
        entries.retain_mut(|entry| {
            self.path.push(index.to_string());
            let is_kept = self.keep(items, entry);
            self.path.pop();
            if !is_kept {
                gone.push(index);
            }
            index += 1;
            is_kept
        });
        if let ([list], false) = (self.path.as_slice(), gone.is_empty()) {
            self.removed.push((list.clone(), gone));
        }
        true
    }

    fn keep_object(&mut self, schema: &'s Value, members: &mut Map<String, Value>) -> bool {
        let none = Map::new();
        let known: Vec<&'s str> = schema
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|keys| keys.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let mut is_usable = true;
        for (key, mut value) in std::mem::replace(members, none) {
            let of_key = schema.get("properties").and_then(|properties| properties.get(&key)).or(others);
            self.path.push(key.clone());
            let is_kept = match of_key {
                Some(of_key) => self.keep(of_key, &mut value),
                None if is_closed => self.unknown(&key, &known),
                None => true,
            };
            self.path.pop();
            match is_kept {
                true => drop(members.insert(key, value)),
                false => is_usable &= !required.contains(&key.as_str()),
            }
        }
        for key in required {
            if is_usable && !members.contains_key(key) {
                is_usable = false;
                let help = format!("`carafe schema {}` prints what is expected", self.kind);
                self.tell(format!("the field \"{key}\" is missing"), help);
            }
        }
        is_usable
    }

    fn unknown(&mut self, key: &str, known: &[&str]) -> bool {
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.wrong(format!("unknown field \"{}\"", clip(key)), help)
    }

    /// One of several words, or of several objects that are told apart by a field.
    fn keep_choice(&mut self, choices: &'s [Value], value: &mut Value) -> bool {
        let words: Vec<&str> = choices.iter().flat_map(words_of).collect();
        if !words.is_empty() {
            let Value::String(text) = &*value else {
                return self
                    .wrong("a text in quotes is wanted".to_owned(), format!("one of {}", words.join(", ")));
            };
            return words.contains(&text.as_str()) || self.not_a_word(text, &words);
        }
        let Value::Object(members) = &*value else {
            let help = format!("`carafe schema {}` prints what is expected", self.kind);
            return self.wrong("an object is wanted".to_owned(), help);
        };
        let kind_of = |choice: &'s Value| choice.pointer("/properties/kind/const").and_then(Value::as_str);
        let kinds: Vec<&str> = choices.iter().filter_map(kind_of).collect();
        if !kinds.is_empty() {
            let kind = members.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            return match choices.iter().find(|choice| kind_of(choice) == Some(kind.as_str())) {
                Some(choice) => self.keep(choice, value),
                None => self.not_a_word(&kind, &kinds),
            };
        }
        let key_of = |choice: &'s Value| choice.pointer("/required/0").and_then(Value::as_str);
        let keys: Vec<&str> = choices.iter().filter_map(key_of).collect();
        let chosen =
            choices.iter().find(|choice| key_of(choice).is_some_and(|key| members.contains_key(key)));
        match chosen {
            Some(choice) => self.keep(choice, value),
            None => {
                let typed = members.keys().next().cloned().unwrap_or_default();
                self.not_a_word(&typed, &keys)
            }
        }
    }

    fn not_a_word(&mut self, typed: &str, known: &[&str]) -> bool {
        let help = match nearest(typed, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("one of {}", known.join(", ")),
        };
        self.wrong(format!("\"{}\" is not known here", clip(typed)), help)
    }
}

/// The words a choice stands for: its constant, or its list of them.
fn words_of(choice: &Value) -> Vec<&str> {
    let listed = choice.get("enum").and_then(Value::as_array).into_iter().flatten();
    choice.get("const").into_iter().chain(listed).filter_map(Value::as_str).collect()
}
