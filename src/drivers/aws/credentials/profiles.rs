//! The shared files `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Variables, invalid};
use crate::drivers::DriverError;

/// Keys in lower case with their values.
pub(super) type Section = BTreeMap<String, String>;

/// Both files, read.
#[derive(Clone, Debug)]
pub(super) struct Profiles {
    config: PathBuf,
    credentials: PathBuf,
    home: PathBuf,
    profiles: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
}

impl Profiles {
    /// Reads the files where the environment says they are; one that is not there is empty.
    ///
    /// # Errors
    /// [`crate::drivers::ErrorKind::Invalid`] when one is there and cannot be read.
    pub(super) fn read(variable: Variables<'_>) -> Result<Profiles, DriverError> {
        let home = PathBuf::from(variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default());
        let path = |name: &str, usual: &str| {
            variable(name).map_or_else(|| home.join(".aws").join(usual), PathBuf::from)
        };
        let config = path("AWS_CONFIG_FILE", "config");
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let (mut profiles, mut sessions) = (BTreeMap::new(), BTreeMap::new());
        for (name, section) in sections(&text_of(&config)?) {
            match name.split_once(char::is_whitespace).map(|(kind, name)| (kind, name.trim())) {
                Some(("profile", name)) => into(&mut profiles, name, section),
                Some(("sso-session", name)) => into(&mut sessions, name, section),
                None if name == "default" => into(&mut profiles, &name, section),
                // Other tools keep sections of their own here.
                Some(_) | None => {}
            }
        }
        // What both files say counts as the second says it.
        for (name, section) in sections(&text_of(&credentials)?) {
            into(&mut profiles, &name, section);
        }
        Ok(Profiles { config, credentials, home, profiles, sessions })
    }

    /// A profile by name.
    pub(super) fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    /// A session of IAM Identity Center by name.
    pub(super) fn session(&self, name: &str) -> Option<&Section> {
        self.sessions.get(name)
    }

    /// Which files were looked at.
    pub(super) fn files(&self) -> [String; 2] {
        [self.config.display().to_string(), self.credentials.display().to_string()]
    }

    /// Where `aws sso login` leaves its tokens.
    pub(super) fn sso_cache(&self) -> PathBuf {
        self.home.join(".aws/sso/cache")
    }
}

fn into(sections: &mut BTreeMap<String, Section>, name: &str, section: Section) {
    sections.entry(name.to_owned()).or_default().extend(section);
}

fn text_of(path: &Path) -> Result<String, DriverError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(invalid(format!("{} cannot be read: {error}", path.display()))),
    }
}

/// Sections in the order of the file. Lines that say nothing known, and settings nested below another, are passed over.
fn sections(text: &str) -> Vec<(String, Section)> {
    let mut found: Vec<(String, Section)> = Vec::new();
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
        {
            found.push((name.trim().to_owned(), Section::new()));
        } else if let (Some((key, value)), Some((_, section)), false) =
            (line.split_once('='), found.last_mut(), nested)
        {
            let value = value.split(" #").next().unwrap_or(value);
            let value = value.split(" ;").next().unwrap_or(value).trim();
            if !value.is_empty() {
                section.insert(key.trim().to_lowercase(), value.to_owned());
            }
        }
    }
    found
}
