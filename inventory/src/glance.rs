//! A first look at a file: enough to tell formats apart, taken once for all importers.

use std::borrow::Cow;

use crate::delimited;
use crate::encoding;
use crate::input::InputFile;
use crate::text::Heading;
use crate::workbook::looks_like_workbook;

/// How much of a file is looked at.
const NEAR: usize = 64 * 1024;

/// What can be seen at the beginning of a file.
pub struct Glance<'a> {
    /// The file itself.
    pub file: InputFile<'a>,
    /// Its beginning as text.
    pub head: Cow<'a, str>,
    /// What its form is.
    pub form: Form,
}

/// The form of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON: the names in its outermost object, or in the first object of its outermost list, as far as they can be seen.
    Json(Vec<String>),
    /// XML: the name of its outermost element.
    Xml(String),
    /// Lines of cells: the keys of the headings in its first line, as [`Heading::key`].
    Table(Vec<String>),
    /// A workbook, in the new or the old form.
    Workbook,
    /// Nothing at all, or bytes that are no text.
    Other,
}

impl<'a> Glance<'a> {
    /// Looks at a file.
    pub fn at(file: InputFile<'a>) -> Glance<'a> {
        let head = encoding::beginning(file.bytes, NEAR);
        let start = head.trim_start_matches('\u{feff}').trim_start();
        let form = if looks_like_workbook(file.bytes) {
            Form::Workbook
        } else if start.starts_with(['{', '[']) {
            Form::Json(json_names(start))
        } else if start.starts_with('<') {
            Form::Xml(xml_name(start))
        } else if start.is_empty() || start.contains('\0') {
            Form::Other
        } else {
            Form::Table(delimited::headings(start).iter().map(|text| Heading::parse(text).key).collect())
        };
        Glance { file, head, form }
    }

    /// Whether it is JSON whose outermost object has all of these names.
    pub fn is_json_with(&self, names: &[&str]) -> bool {
        matches!(&self.form, Form::Json(found) if names.iter().all(|name| found.iter().any(|f| f == name)))
    }

    /// Whether it is a table with all of these headings, given as [`Heading::key`].
    pub fn is_table_with(&self, keys: &[&str]) -> bool {
        matches!(&self.form, Form::Table(found) if keys.iter().all(|key| found.iter().any(|f| f == key)))
    }

    /// Whether the beginning has this text.
    pub fn says(&self, text: &str) -> bool {
        self.head.contains(text)
    }
}

/// The names of the members of the outermost object, or of the first object of the outermost list.
fn json_names(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let wanted = if bytes.first() == Some(&b'[') { 2 } else { 1 };
    let (mut depth, mut at) = (0_usize, 0);
    let mut names = Vec::new();
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                // Only the first object of a list is looked at.
                if wanted == 2 && depth == 1 && !names.is_empty() {
                    return names;
                }
            }
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let end = at.min(bytes.len());
                let is_name =
                    bytes.get(at + 1..).unwrap_or_default().trim_ascii_start().first() == Some(&b':');
                if depth == wanted && is_name {
                    names.extend(text.get(start..end).map(str::to_owned));
                }
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// The name of the first element, without its namespace; declarations and comments before it are passed over.
fn xml_name(text: &str) -> String {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with("!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
        } else if !rest.starts_with(['?', '!']) {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_' | '-')).collect();
            return name.rsplit(':').next().unwrap_or_default().to_owned();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Glance::at(InputFile { name: "f", bytes: text.as_bytes() }).form
    }

    #[test]
    fn a_glance_tells_the_form_and_its_outermost_names() {
        let names = |names: &[&str]| Form::Json(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(form(r#"{"a": {"b": 1, "c": "\"x\": 1"}, "d" : [{"e": 1}], "f""#), names(&["a", "d"]));
        assert_eq!(form(r#" [{"a": {"b": 1}, "c": 2}, {"d": 3}]"#), names(&["a", "c"]));
        assert_eq!(
            form("<?xml version=\"1.0\"?><!-- a --><ns:domain type='kvm'>"),
            Form::Xml("domain".into())
        );
        let keys = ["servername".to_owned(), "memory".to_owned()];
        assert_eq!(form("\u{feff}*Server name;Memory (In MB)\r\nx;1"), Form::Table(keys.to_vec()));
        assert_eq!(form(""), Form::Other);
    }
}
