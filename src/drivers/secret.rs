//! Credentials: named by reference in files, read at the last moment, never printed.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The largest secret; what is longer was not meant.
const LONGEST: u64 = 64 * 1024;

/// Where a secret is kept: `env:NAME`, `file:PATH` or `cmd:PROGRAM ARGUMENT…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// A variable of the environment.
    Variable(String),
    /// A file, whose last line break is no part of the secret.
    File(PathBuf),
    /// A command that prints it, started without a shell.
    Command(Vec<String>),
}

/// A reference that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is named, never written down: \"env:NAME\" takes it from the environment variable NAME, \"file:PATH\" \
     from a file, \"cmd:PROGRAM ARGUMENT\" from what a program prints"
)]
pub struct SecretRefError;

impl SecretRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// If it is none. The text is not in the error, as it may be the secret itself.
    pub fn parse(text: &str) -> Result<SecretRef, SecretRefError> {
        match text.split_once(':') {
            Some(("env", name)) => {
                let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
                let is_name = starts_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                is_name.then(|| SecretRef::Variable(name.to_owned())).ok_or(SecretRefError)
            }
            Some(("file", path)) if !path.trim().is_empty() => Ok(SecretRef::File(path.into())),
            Some(("cmd", command)) => {
                let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
                if words.is_empty() { Err(SecretRefError) } else { Ok(SecretRef::Command(words)) }
            }
            _ => Err(SecretRefError),
        }
    }

    /// Fetches the secret; `environment` looks a variable up.
    ///
    /// # Errors
    /// Why it cannot be had, in words that hold nothing of it.
    pub fn fetch(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Secret, String> {
        let text = match self {
            SecretRef::Variable(name) => environment(name).unwrap_or_default(),
            SecretRef::File(path) => {
                let refused = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
                let mut text = String::new();
                let file = std::fs::File::open(path).map_err(refused)?;
                std::io::Read::read_to_string(&mut std::io::Read::take(file, LONGEST), &mut text)
                    .map_err(refused)?;
                text
            }
            SecretRef::Command(words) => {
                let output = Command::new(&words[0])
                    .args(&words[1..])
                    .stdin(Stdio::null())
                    .output()
                    .map_err(|error| format!("{} cannot be started: {error}", words[0]))?;
                if !output.status.success() {
                    return Err(format!("{} failed ({})", words[0], output.status));
                }
                String::from_utf8(output.stdout).map_err(|_| format!("{} prints no text", words[0]))?
            }
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        match secret.is_empty() {
            true => Err(format!("{self} is not set or empty")),
            false => Ok(Secret(secret.to_owned())),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Variable(name) => write!(f, "env:{name}"),
            SecretRef::File(path) => write!(f, "file:{}", path.display()),
            // Its arguments are nobody's business.
            SecretRef::Command(words) => write!(f, "cmd:{}", words[0]),
        }
    }
}

/// A credential. It cannot be printed, compared in documents or serialised; [`Secret::expose`] is the one way to it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A credential that was read from where it is kept.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The credential itself, for the call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_fetched_by_name_and_never_shown() {
        let reference = SecretRef::parse("env:CARAFE_TOKEN").expect("a good reference");
        assert_eq!(reference.to_string(), "env:CARAFE_TOKEN");
        let secret = reference.fetch(&|name| (name == "CARAFE_TOKEN").then(|| "hunter2".to_owned()));
        let secret = secret.expect("the variable is set");
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(reference.fetch(&|_| None).is_err());
        assert!(reference.fetch(&|_| Some(String::new())).is_err());
    }

    #[test]
    fn a_secret_is_read_from_a_file_or_from_what_a_command_prints() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter2\n").expect("writable");
        let fetch = |text: &str| SecretRef::parse(text).expect("a reference").fetch(&|_| None);
        assert_eq!(fetch(&format!("file:{}", path.display())).expect("readable").expose(), "hunter2");
        assert!(fetch("file:/no/such/file").is_err());
        assert_eq!(fetch("cmd:echo hunter2").expect("it prints").expose(), "hunter2");
        for text in ["cmd:false hunter2", "cmd:no-such-program-at-all hunter2"] {
            assert!(!fetch(text).expect_err("it fails").contains("hunter2"));
        }
    }

    #[test]
    fn anything_but_a_name_is_refused_without_repeating_it() {
        for text in ["hunter2", "env:", "env:1A", "env:A B", "ENV:A", "file:", "cmd: ", "pass:hunter2"] {
            let error = SecretRef::parse(text).expect_err("not a reference");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
