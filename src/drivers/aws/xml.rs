//! Answers of the Query APIs as trees.

use carafe_inventory::xml::{Element, parse};

use crate::drivers::rest::Answer;
use crate::drivers::{DriverError, ErrorKind};

/// Reads an answer.
///
/// # Errors
/// [`ErrorKind::Unknown`]: what answered was not AWS, or not in words that are known.
pub fn read(answer: &Answer) -> Result<Element, DriverError> {
    let text = String::from_utf8_lossy(&answer.body);
    let unread = |why: String| {
        ErrorKind::Unknown.because(format!("the answer (status {}) cannot be read: {why}", answer.status))
    };
    let roots = parse(&text).map_err(|error| unread(format!("line {}: {}", error.line, error.what)))?;
    roots.into_iter().next().ok_or_else(|| unread("it is empty".to_owned()))
}

/// A text at a path such as `instanceState/name`; empty when there is none.
pub fn text<'e>(element: &'e Element, path: &str) -> &'e str {
    element.path_text(path).unwrap_or_default()
}

/// A whole number at a path.
pub fn whole(element: &Element, path: &str) -> Option<u64> {
    element.path_text(path)?.parse().ok()
}

/// The elements of a list at a path, which EC2 calls `item` and the others `member`.
pub fn rows<'e>(element: &'e Element, path: &str) -> impl Iterator<Item = &'e Element> + use<'e> {
    let list = element.path(path).map_or(&[][..], |list| list.inside.as_slice());
    list.iter().filter(|row| ["item", "member"].contains(&row.name.as_str()))
}
