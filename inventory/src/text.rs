//! Reading words that people and tools write in many ways: missing values, yes and no, headings, names.

/// The first characters of a text from outside, so that a message stays a line; control characters become spaces.
pub fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut chars = text.chars();
    let mut short: String =
        chars.by_ref().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Trims a cell or value; `None` when it says in any usual way that nothing is known.
pub fn known(text: &str) -> Option<&str> {
    const NOTHING: [&str; 10] =
        ["-", "--", "n/a", "na", "#n/a", "nan", "null", "none", "unknown", "not available"];
    let text = text.trim();
    let says_nothing = text.is_empty() || NOTHING.iter().any(|nothing| text.eq_ignore_ascii_case(nothing));
    (!says_nothing).then_some(text)
}

/// The words of a text with one space between them.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number of things: `1 row`, `2 rows`.
pub fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Reads yes or no in the spellings that exports use.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" | "y" => Some(true),
        "false" | "no" | "0" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// A column heading, ready to be compared: what it names, and the unit it gives in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Lower case without spaces, underscores, stars and the parenthesis.
    pub key: String,
    /// The unit, lower case, for example `mb` from `Memory (In MB)`.
    pub unit: Option<String>,
}

impl Heading {
    /// Reads a heading.
    pub fn parse(text: &str) -> Heading {
        let text = text.trim_start_matches('\u{feff}').trim().trim_matches('*').trim();
        let (name, note) = match text.strip_suffix(')').and_then(|open| open.rsplit_once('(')) {
            Some((name, note)) if !name.trim().is_empty() => (name, Some(note)),
            _ => (text, None),
        };
        let unit = note
            .map(|note| note.trim().to_lowercase())
            .map(|note| note.strip_prefix("in ").map_or(note.clone(), str::to_owned))
            .filter(|note| {
                matches!(note.as_str(), "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib" | "tib" | "%")
            });
        let key = name
            .trim()
            .trim_matches('*')
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '_')
            .flat_map(char::to_lowercase)
            .collect();
        Heading { key, unit }
    }
}

/// The longest name a host may have: the limit of DNS.
pub const LONGEST_NAME: usize = 253;

/// Why a name cannot be used, if it cannot.
pub fn name_problem(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("is empty")
    } else if name.chars().any(char::is_control) {
        Some("has control characters")
    } else if name.chars().count() > LONGEST_NAME {
        Some("is longer than 253 characters")
    } else {
        None
    }
}

/// The text with its invisible characters written out, when it has any. Joiners stay: emoji and several scripts need them.
pub fn invisible_shown(text: &str) -> Option<String> {
    let is_invisible = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{a0}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
    };
    text.contains(is_invisible).then(|| {
        let written = |c: char| match is_invisible(c) {
            true => format!("⟨U+{:04X}⟩", u32::from(c)),
            false => c.to_string(),
        };
        text.chars().map(written).collect()
    })
}

/// The id a host of this name gets: lower case, letters and digits of any script, `.`, `-` and `_`; the rest becomes `-`.
pub fn host_id(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for c in name.trim().chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || matches!(c, '.' | '_') {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_matches(['-', '.']);
    if id.is_empty() { "host".to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_compared_without_their_dress() {
        for (text, key, unit) in [
            ("VM", "vm", None),
            ("\u{feff}*Server name", "servername", None),
            ("Memory (In MB)", "memory", Some("mb")),
            ("Cores*", "cores", None),
            ("IP addresses (optional)", "ipaddresses", None),
            ("Disk 1 size (In GB)", "disk1size", Some("gb")),
            ("(GB)", "(gb)", None),
            ("  In  use   MiB ", "inusemib", None),
        ] {
            let expected = Heading { key: key.to_owned(), unit: unit.map(str::to_owned) };
            assert_eq!(Heading::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_known_is_said_in_many_ways() {
        for text in ["", "  ", "-", "N/A", "null", "NaN", "#N/A"] {
            assert_eq!(known(text), None, "{text}");
        }
        assert_eq!(known(" 0 "), Some("0"));
    }

    #[test]
    fn ids_keep_letters_of_any_script() {
        for (name, id) in [
            ("ERP-WEB-01", "erp-web-01"),
            ("erp web (old)", "erp-web-old"),
            ("한글 서버 1", "한글-서버-1"),
            ("web.corp.local.", "web.corp.local"),
            ("***", "host"),
        ] {
            assert_eq!(host_id(name), id);
        }
    }

    #[test]
    fn a_clipped_text_is_one_short_line() {
        assert_eq!(clip("a\nb"), "a b");
        assert_eq!(clip(&"x".repeat(1_000)).chars().count(), 61);
    }
}
