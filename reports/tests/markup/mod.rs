//! Reads the markup of a report strictly: every tag is closed in order, every attribute quoted, and every `<` or `&` of
//! a text escaped. A browser forgives all of that; a test must not, since what is forgiven may be a hole.

/// An element's start, or an empty element.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

/// A document taken apart.
#[derive(Debug, Default)]
pub struct Markup {
    /// Every element in the order of its start.
    pub tags: Vec<Tag>,
    /// All text outside style and script, entities decoded, without markup.
    pub text: String,
    /// The contents of `style` and `script` elements.
    pub raw: Vec<String>,
}

impl Markup {
    /// The values of an attribute, in the order of the document.
    pub fn values(&self, attribute: &str) -> Vec<&str> {
        let attributes = self.tags.iter().flat_map(|tag| &tag.attributes);
        attributes.filter(|(name, _)| name == attribute).map(|(_, value)| value.as_str()).collect()
    }
}

/// Takes a document apart.
///
/// # Panics
/// With the place, where the document is not well formed.
pub fn parse(document: &str) -> Markup {
    let mut rest = document.strip_prefix("<!DOCTYPE html>").expect("the document says that it is HTML");
    let mut markup = Markup::default();
    let mut open: Vec<String> = Vec::new();
    while let Some(start) = rest.find('<') {
        markup.text.push_str(&decoded(&rest[..start]));
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('/') {
            let (name, after) = after.split_once('>').expect("an end tag ends");
            assert_eq!(open.pop().as_deref(), Some(name), "the wrong end tag at {:.80}", rest);
            markup.text.push(' ');
            rest = after;
            continue;
        }
        let (tag, is_empty, after) = start_tag(rest);
        rest = after;
        if matches!(tag.name.as_str(), "style" | "script") {
            let (content, after) = rest.split_once(&format!("</{}>", tag.name)).expect("raw text ends");
            markup.raw.push(content.to_owned());
            rest = after;
        } else if !is_empty {
            open.push(tag.name.clone());
        }
        markup.tags.push(tag);
    }
    assert_eq!(open, Vec::<String>::new(), "elements are left open");
    assert_eq!(rest.trim(), "");
    markup
}

fn start_tag(text: &str) -> (Tag, bool, &str) {
    let is_end = |c: char| c == '>' || c == '/' || c.is_whitespace();
    let end = text.find(is_end).expect("a tag ends");
    let name = text[..end].to_owned();
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "not the name of an element: {text:.80}");
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return (Tag { name, attributes }, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (Tag { name, attributes }, false, after);
        }
        let (attribute, after) = rest.split_once("=\"").expect("an attribute has a quoted value");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(attribute.chars().all(is_plain), "not the name of an attribute: {rest:.80}");
        assert!(attributes.iter().all(|(known, _)| known != attribute), "twice in a tag: {attribute}");
        let (value, after) = after.split_once('"').expect("a value ends");
        assert!(!value.contains('<'), "an unescaped value: {value:.80}");
        attributes.push((attribute.to_owned(), decoded(value)));
        assert!(after.starts_with(is_end), "no space after a value: {after:.80}");
        rest = after.trim_start();
    }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('&');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').expect("an ampersand begins an entity");
        let code = entity.strip_prefix('#').and_then(|code| code.parse().ok()).and_then(char::from_u32);
        decoded.push(code.unwrap_or_else(|| panic!("not a numeric entity: {entity:.20}")));
        decoded.push_str(after);
    }
    decoded
}
