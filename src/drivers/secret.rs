//! Credentials: named by reference in files, read at the last moment, never printed.

use std::fmt;

/// Where a secret is kept, as `connections.toml` names it: `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    variable: String,
}

/// A reference that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is named, never written down: \"env:NAME\" takes it from the environment variable NAME")]
pub struct SecretRefError;

impl SecretRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// If it is not `env:` and the name of a variable. The text is not in the error, as it may be the secret itself.
    pub fn parse(text: &str) -> Result<SecretRef, SecretRefError> {
        let variable = text.strip_prefix("env:").ok_or(SecretRefError)?;
        let starts_well = variable.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if starts_well && variable.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            Ok(SecretRef { variable: variable.to_owned() })
        } else {
            Err(SecretRefError)
        }
    }

    /// Fetches the secret; `environment` looks a variable up. `None` when it is not set or empty.
    pub fn fetch(&self, environment: &dyn Fn(&str) -> Option<String>) -> Option<Secret> {
        environment(&self.variable).filter(|text| !text.is_empty()).map(Secret)
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "env:{}", self.variable)
    }
}

/// A credential. It cannot be printed, compared in documents or serialised; [`Secret::expose`] is the one way to it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
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
        assert!(reference.fetch(&|_| None).is_none());
        assert!(reference.fetch(&|_| Some(String::new())).is_none());
    }

    #[test]
    fn anything_but_a_name_is_refused_without_repeating_it() {
        for text in ["hunter2", "env:", "env:1A", "env:A B", "ENV:A", "file:/etc/passwd"] {
            let error = SecretRef::parse(text).expect_err("not a reference");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
