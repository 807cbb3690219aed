//! The sections of what the script writes.

use std::collections::BTreeMap;

/// What a host wrote, by section. A section that comes twice is read as one.
pub(super) struct Sections<'t>(BTreeMap<&'t str, Vec<&'t str>>);

impl<'t> Sections<'t> {
    /// Takes the output apart; what a login shell said before the first section is left out.
    pub(super) fn of(output: &'t str) -> Sections<'t> {
        let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut current: Option<&str> = None;
        for line in output.lines() {
            if let Some(name) = line.strip_prefix("#@ ") {
                current = Some(name.trim());
                sections.entry(name.trim()).or_default();
            } else if let Some(lines) = current.and_then(|name| sections.get_mut(name))
                && !line.trim().is_empty()
            {
                lines.push(line);
            }
        }
        Sections(sections)
    }

    /// Whether the host came to this section.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The lines of a section that say something.
    pub(super) fn lines(&self, name: &str) -> &[&'t str] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What stands after a key in a section of keys and values.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&'t str> {
        self.lines(section)
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ').and_then(crate::text::known))
    }
}
