//! HCL text as `tofu fmt` writes it: two spaces, aligned equals signs, blank lines around what takes several lines.

use std::fmt::Write as _;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// A text that came from outside; it is quoted, and nothing in it is evaluated.
    Text(String),
    /// HCL of ours, for example a reference.
    Raw(String),
    /// A list on one line.
    List(Vec<Expr>),
    /// A map on several lines.
    Map(Vec<(String, Expr)>),
}

impl From<&str> for Expr {
    fn from(text: &str) -> Expr {
        Expr::Text(text.to_owned())
    }
}

impl From<&String> for Expr {
    fn from(text: &String) -> Expr {
        Expr::Text(text.clone())
    }
}

impl From<bool> for Expr {
    fn from(flag: bool) -> Expr {
        Expr::Raw(flag.to_string())
    }
}

macro_rules! from_number {
    ($($type:ty),*) => { $(impl From<$type> for Expr {
        fn from(number: $type) -> Expr {
            Expr::Raw(number.to_string())
        }
    })* };
}
from_number!(u16, u32, u64, usize);

/// A reference or a call.
pub(super) fn raw(text: impl Into<String>) -> Expr {
    Expr::Raw(text.into())
}

/// A list on one line.
pub(super) fn list(values: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::List(values.into_iter().collect())
}

/// A text in quotation marks, in which nothing is evaluated.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // A template begins with two characters; the first of them twice is no beginning.
            '$' | '%' if characters.peek() == Some(&'{') => quoted.extend([character, character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

impl Expr {
    fn is_long(&self) -> bool {
        matches!(self, Expr::Map(entries) if !entries.is_empty())
    }

    fn render(&self, indent: usize) -> String {
        match self {
            Expr::Text(text) => quoted(text),
            Expr::Raw(text) => text.clone(),
            Expr::List(values) => {
                let values: Vec<String> = values.iter().map(|value| value.render(indent)).collect();
                format!("[{}]", values.join(", "))
            }
            Expr::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Expr::Map(entries) => {
                let width = entries.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
                let lines = entries.iter().map(|(key, value)| {
                    format!("{}{key:width$} = {}\n", " ".repeat(indent + 2), value.render(indent + 2))
                });
                format!("{{\n{}{}}}", lines.collect::<String>(), " ".repeat(indent))
            }
        }
    }
}

enum Item {
    Attribute(String, Expr),
    Block(String, Body),
}

/// What stands between two braces, or in a file.
#[derive(Default)]
pub(super) struct Body {
    items: Vec<Item>,
}

impl Body {
    /// Adds an attribute.
    pub(super) fn set(mut self, name: &str, value: impl Into<Expr>) -> Body {
        self.items.push(Item::Attribute(name.to_owned(), value.into()));
        self
    }

    /// Adds an attribute if there is a value.
    pub(super) fn may(self, name: &str, value: Option<impl Into<Expr>>) -> Body {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Adds a block without labels.
    pub(super) fn with(mut self, name: &str, body: Body) -> Body {
        self.items.push(Item::Block(name.to_owned(), body));
        self
    }

    /// Adds a block with labels.
    pub(super) fn block(&mut self, name: &str, labels: &[&str], body: Body) {
        let labels: String = labels.iter().map(|label| format!(" {}", quoted(label))).collect();
        self.items.push(Item::Block(format!("{name}{labels}"), body));
    }

    /// Adds a resource.
    pub(super) fn resource(&mut self, kind: &str, name: &str, body: Body) {
        self.block("resource", &[kind, name], body);
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The text of a file.
    pub(super) fn file(&self) -> String {
        self.render(0)
    }

    fn render(&self, indent: usize) -> String {
        let space = " ".repeat(indent);
        let mut text = String::new();
        let mut place = 0;
        // What takes several lines has a blank one on either side.
        let mut wants_blank = false;
        while place < self.items.len() {
            match &self.items[place] {
                Item::Block(head, body) => {
                    if place > 0 {
                        text.push('\n');
                    }
                    let inner = body.render(indent + 2);
                    match inner.is_empty() {
                        true => text.push_str(&format!("{space}{head} {{}}\n")),
                        false => text.push_str(&format!("{space}{head} {{\n{inner}{space}}}\n")),
                    }
                    wants_blank = true;
                    place += 1;
                }
                Item::Attribute(name, value) if value.is_long() => {
                    if place > 0 {
                        text.push('\n');
                    }
                    text.push_str(&format!("{space}{name} = {}\n", value.render(indent)));
                    wants_blank = true;
                    place += 1;
                }
                Item::Attribute(..) => {
                    let run: Vec<(&String, &Expr)> = self.items[place..]
                        .iter()
                        .map_while(|item| match item {
                            Item::Attribute(name, value) if !value.is_long() => Some((name, value)),
                            Item::Attribute(..) | Item::Block(..) => None,
                        })
                        .collect();
                    if std::mem::take(&mut wants_blank) {
                        text.push('\n');
                    }
                    let width = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
                    for (name, value) in &run {
                        text.push_str(&format!("{space}{name:width$} = {}\n", value.render(indent)));
                    }
                    place += run.len();
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_evaluated() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\n\"");
        assert_eq!(
            quoted("${file(\"/etc/passwd\")} %{ if true } $ % {"),
            "\"$${file(\\\"/etc/passwd\\\")} %%{ if true } $ % {\""
        );
        assert_eq!(quoted("\u{7}한글"), "\"\\u0007한글\"");
    }

    #[test]
    fn attributes_are_aligned_and_long_ones_stand_apart() {
        let mut file = Body::default();
        let tags = Expr::Map(vec![("a".to_owned(), "1".into()), ("bcd".to_owned(), true.into())]);
        file.resource(
            "x",
            "y",
            Body::default()
                .set("name", "n")
                .set("longer", list(["a".into(), 3_u16.into()]))
                .set("tags", tags)
                .set("last", true)
                .with("inner", Body::default().set("k", 1_u32))
                .with("empty", Body::default()),
        );
        let expected = "resource \"x\" \"y\" {\n  name   = \"n\"\n  longer = [\"a\", 3]\n\n  tags = {\n    a   = \"1\"\n    \
                        bcd = true\n  }\n\n  last = true\n\n  inner {\n    k = 1\n  }\n\n  empty {}\n}\n";
        assert_eq!(file.file(), expected);
    }
}
