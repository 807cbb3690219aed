//! XML as a small tree. No document types are read, so no entity can grow; depth and number of elements are bounded.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element with what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a namespace.
    pub name: String,
    /// Its attributes by name, without namespaces.
    attributes: Vec<(String, String)>,
    /// Its text, without that of the elements inside.
    pub text: String,
    /// The elements inside.
    pub inside: Vec<Element>,
    /// The line it begins on, from 1.
    pub line: u32,
}

/// Why a text is no XML that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// What is wrong.
    pub what: String,
    /// On which line, from 1.
    pub line: u32,
}

/// The deepest nesting; libvirt's documents go to about twelve.
const DEEPEST: usize = 64;

impl Element {
    /// An attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The elements directly inside that have a name.
    pub fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.inside.iter().filter(move |element| element.name == name)
    }

    /// The first element directly inside that has a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.inside.iter().find(|element| element.name == name)
    }

    /// What a path of names leads to.
    pub fn path(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The text of what a path leads to, if it has any.
    pub fn path_text(&self, path: &str) -> Option<&str> {
        self.path(path).map(|element| element.text.trim()).filter(|text| !text.is_empty())
    }

    /// The outermost elements of a name: this one, or those inside that are in no other of them.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        if self.name == name {
            return vec![self];
        }
        self.inside.iter().flat_map(|element| element.all(name)).collect()
    }
}

/// Reads a text with one or more outermost elements.
///
/// # Errors
/// When it is not well-formed, or nests deeper than any real document.
pub fn parse(text: &str) -> Result<Vec<Element>, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    let mut open: Vec<Element> = Vec::new();
    let mut roots = Vec::new();
    loop {
        let event = reader.read_event();
        let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = lines.at(position);
        let wrong = |what: String| XmlError { what, line };
        match event.map_err(|error| wrong(error.to_string()))? {
            Event::Start(start) => {
                if open.len() >= DEEPEST {
                    return Err(wrong(format!("elements nest deeper than {DEEPEST}")));
                }
                open.push(element(&start, line));
            }
            Event::Empty(start) => close(element(&start, line), &mut open, &mut roots),
            Event::End(_) => {
                let done =
                    open.pop().ok_or_else(|| wrong("an element ends that did not begin".to_owned()))?;
                close(done, &mut open, &mut roots);
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::CData(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(entity(&reference));
                    element.text.extend(reference.resolve_char_ref().ok().flatten());
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match open.last() {
        Some(element) => {
            Err(XmlError { what: format!("<{}> does not end", element.name), line: element.line })
        }
        None => Ok(roots),
    }
}

fn close(element: Element, open: &mut [Element], roots: &mut Vec<Element>) {
    match open.last_mut() {
        Some(parent) => parent.inside.push(element),
        None => roots.push(element),
    }
}

/// The five entities that XML itself knows; others need a document type, which is not read.
fn entity(name: &str) -> &'static str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => "",
    }
}

fn element(start: &BytesStart<'_>, line: u32) -> Element {
    let attributes = start.attributes().flatten().map(|attribute| {
        let raw = &attribute.value;
        let value =
            quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_string(), |text| text.into_owned());
        (attribute.key.local_name().as_ref().to_owned(), value)
    });
    Element {
        name: start.local_name().as_ref().to_owned(),
        attributes: attributes.collect(),
        line,
        ..Element::default()
    }
}

struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn at(&mut self, position: usize) -> u32 {
        let passed = self.text.get(self.at..position.min(self.text.len())).unwrap_or_default();
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.at = self.at.max(position.min(self.text.len()));
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_lines_and_no_entity_grows() {
        let text = "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x 'xxxx'>]>\n<n:a k='1 &lt; 2'>\n <b>&x;t&amp;&#65;</b>\n</n:a>\n<a/>";
        let roots = parse(text).expect("XML");
        assert_eq!(roots.len(), 2);
        assert_eq!((roots[0].name.as_str(), roots[0].attribute("k"), roots[0].line), ("a", Some("1 < 2"), 3));
        assert_eq!(roots[0].path_text("b"), Some("t&A"));
        assert_eq!(roots[0].path("b").map(|b| b.line), Some(4));
    }

    #[test]
    fn what_is_broken_or_too_deep_is_refused_with_its_line() {
        assert_eq!(parse("<a>\n<b>").map_err(|error| error.line), Err(2));
        assert!(parse(&"<a>".repeat(100_000)).is_err());
        assert!(parse("<a></b>").is_err());
    }
}
