//! YAML as the JSON values that it stands for, as `kubectl get -o yaml` and people's manifests have it.
//!
//! An alias can stand for much at the cost of a few letters, and an alias of aliases for more than any memory holds. What all
//! aliases of a file stand for together is therefore bounded by the size of the file.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Place};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::encoding;
use crate::input::InputFile;
use crate::text::clip;

/// How deep values may be nested: as deep as in JSON.
const DEEPEST: usize = 128;

/// A list or a mapping that is open while a file is read, with its anchor and the key whose value comes next.
struct Open {
    value: Value,
    anchor: usize,
    key: Option<String>,
}

/// Reads every document of a file. What is no YAML, or unfolds beyond measure, is `INV-1012` and `None`; a key that a mapping
/// has twice is `DOC-006`.
pub fn documents(file: &InputFile<'_>, findings: &mut Vec<Finding>) -> Option<Vec<Value>> {
    let text = encoding::text(file, findings);
    let mut reader = Reader {
        file: file.name,
        documents: Vec::new(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        left: text.len().saturating_mul(4).saturating_add(1024),
    };
    for event in Parser::new_from_str(&text) {
        let outcome = match event {
            Ok((event, span)) => reader.take(event, span.start.line(), findings),
            Err(error) => Err((error.marker().line(), format!("it is no YAML: {}", clip(error.info())))),
        };
        if let Err((line, what)) = outcome {
            findings.push(
                Finding::error("INV-1012", what)
                    .at(Place::file(file.name).row(u32::try_from(line).unwrap_or(u32::MAX)))
                    .help("export it again, or as JSON: kubectl get … -o json"),
            );
            return None;
        }
    }
    Some(reader.documents)
}

struct Reader<'f> {
    file: &'f str,
    documents: Vec<Value>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Value>,
    /// How much more all values may weigh together.
    left: usize,
}

/// What is wrong, and in which line.
type Wrong = (usize, String);

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, line: usize, findings: &mut Vec<Finding>) -> Result<(), Wrong> {
        let (value, anchor) = match event {
            Event::SequenceStart(anchor, _) => return self.begin(Value::Array(Vec::new()), anchor, line),
            Event::MappingStart(anchor, _) => return self.begin(Value::Object(Map::new()), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => (open.value, open.anchor),
                None => return Ok(()),
            },
            Event::Scalar(text, style, anchor, tag) => {
                self.weigh(1 + text.len(), line)?;
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                (if is_text { Value::String(text.into_owned()) } else { plain(&text) }, anchor)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().unwrap_or_default();
                self.weigh(weight(&value), line)?;
                (value, 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => return Ok(()),
        };
        if anchor > 0 {
            self.weigh(weight(&value), line)?;
            self.anchors.insert(anchor, value.clone());
        }
        self.put(value, line, findings);
        Ok(())
    }

    fn begin(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), Wrong> {
        self.weigh(1, line)?;
        if self.open.len() >= DEEPEST {
            return Err((line, format!("it is nested deeper than {DEEPEST} levels")));
        }
        self.open.push(Open { value, anchor, key: None });
        Ok(())
    }

    fn weigh(&mut self, weight: usize, line: usize) -> Result<(), Wrong> {
        let left = self.left.checked_sub(weight);
        self.left =
            left.ok_or((line, "its aliases stand for far more than such a file can mean".to_owned()))?;
        Ok(())
    }

    /// Puts a value where it belongs: behind its key, at the end of its list, or among the documents.
    fn put(&mut self, value: Value, line: usize, findings: &mut Vec<Finding>) {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(value);
            return;
        };
        match (&mut open.value, open.key.take()) {
            (Value::Array(entries), _) => entries.push(value),
            (Value::Object(members), Some(key)) => {
                if let Some(at) = members.contains_key(&key).then(|| Place::file(self.file)) {
                    let row = u32::try_from(line).unwrap_or(u32::MAX);
                    let what = format!("the key \"{}\" is there twice; the last counts", clip(&key));
                    findings.push(
                        Finding::error("DOC-006", what).at(at.row(row)).help("remove all but one of them"),
                    );
                }
                members.insert(key, value);
            }
            (Value::Object(_), None) => {
                open.key = Some(match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                });
            }
            (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {}
        }
    }
}

/// What a plain scalar means by the core schema of YAML 1.2, as Kubernetes has it.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match serde_json::from_str::<Number>(text) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text.to_owned()),
        },
    }
}

/// How much a value holds: letters, entries, and the values below it.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len(),
        Value::Array(entries) => 1 + entries.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            1 + members.iter().map(|(key, value)| 1 + key.len() + weight(value)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A finding: its code and line.
    type Told = (String, Option<u32>);

    fn read(text: &str) -> (Option<Vec<Value>>, Vec<Told>) {
        let mut findings = Vec::new();
        let read = documents(&InputFile { name: "f", bytes: text.as_bytes() }, &mut findings);
        (read, findings.into_iter().map(|finding| (finding.code, finding.place.row)).collect())
    }

    fn told(code: &str, line: u32) -> Vec<Told> {
        vec![(code.to_owned(), Some(line))]
    }

    #[test]
    fn values_are_those_that_json_would_have() {
        let text = "a: 1\nb: \"1\"\nc: 010\nd: ~\ne: yes\nf: true\ng: [1.5, {x: y}]\nh: |\n  two\n  lines\n1: n\n---\n- !!str 7\n- &a {k: v}\n- *a\n";
        let first = json!({"a": 1, "b": "1", "c": "010", "d": null, "e": "yes", "f": true, "g": [1.5, {"x": "y"}],
            "h": "two\nlines\n", "1": "n"});
        assert_eq!(read(text), (Some(vec![first, json!(["7", {"k": "v"}, {"k": "v"}])]), vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(read("a: 1\na: 2\n"), (Some(vec![json!({"a": 2})]), told("DOC-006", 2)));
        assert_eq!(read("a: 1\nb: [1, 2\nc: 3\n").0, None);
        assert_eq!(read(&"[".repeat(100_000)), (None, told("INV-1012", 1)));
    }

    #[test]
    fn aliases_of_aliases_are_refused() {
        let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 9].join(", ")));
        }
        let (read, told) = read(&text);
        let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!((read, codes), (None, vec!["INV-1012"]));
    }
}
