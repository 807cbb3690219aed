//! The address of a journal's database: what may be in it, and how it is shown without its password.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// A database that a journal is kept in.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(in crate::store) options: PgConnectOptions,
    shown: String,
}

/// Why a text is not the address of a journal's database. Never holds the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not begin as one.
    #[error("the address of a PostgreSQL journal begins with postgres://")]
    Scheme,
    /// There is a password in it, in a place where others can read it.
    #[error("the address of the journal has a password in it, which everybody on this machine can read")]
    Password,
    /// A setting that nobody would heed.
    #[error("the address of the journal has a setting \"{0}\", which is unknown")]
    Setting(String),
    /// It cannot be understood.
    #[error("the address of the journal cannot be read: {0}")]
    Malformed(String),
}

/// Settings after the question mark; the password is not among them.
const SETTINGS: [&str; 15] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
];

impl DatabaseUrl {
    /// Whether a text is meant as the address of a database, and not as the path of a file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads an address that others may see: a password in it is an error.
    ///
    /// What it leaves out comes from PostgreSQL's own variables (`PGPASSWORD`, `PGPASSFILE`, `PGUSER`, …).
    ///
    /// # Errors
    /// [`UrlError`], without any part of the text that may be a password.
    pub fn public(text: &str) -> Result<DatabaseUrl, UrlError> {
        if has_password(text) { Err(UrlError::Password) } else { DatabaseUrl::secret(text) }
    }

    /// Reads an address that was kept secret, so that a password may be in it.
    ///
    /// # Errors
    /// As [`DatabaseUrl::public`].
    pub fn secret(text: &str) -> Result<DatabaseUrl, UrlError> {
        if !DatabaseUrl::is_one(text) {
            return Err(UrlError::Scheme);
        }
        for key in query_keys(text).filter(|key| *key != "password") {
            if !SETTINGS.contains(&key) && key != "user" && !key.starts_with("options[") {
                return Err(UrlError::Setting(key.to_owned()));
            }
        }
        let options = PgConnectOptions::from_str(text).map_err(|error| match error {
            // The reasons of a parser quote keys and values of TLS and ports, never the password.
            sqlx::Error::Configuration(reason) => UrlError::Malformed(reason.to_string()),
            _ => UrlError::Malformed("it is not an address".to_owned()),
        })?;
        let host = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        let shown = format!("{database} of PostgreSQL at {host}");
        Ok(DatabaseUrl { options, shown })
    }

    /// The database and its server in words, without user and password.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.shown).finish()
    }
}

fn has_password(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    // A key written with percent signs is not a known setting, so it is refused either way.
    in_authority || query_keys(text).any(|key| key == "password")
}

fn query_keys(text: &str) -> impl Iterator<Item = &str> {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_only_where_nobody_else_reads_it() {
        for text in [
            "postgres://me:s3cret@db.example/carafe",
            "postgresql://db.example/carafe?user=me&password=s3cret",
        ] {
            assert_eq!(DatabaseUrl::public(text).unwrap_err(), UrlError::Password);
            let url = DatabaseUrl::secret(text).unwrap();
            for shown in [url.shown().to_owned(), format!("{url:?}")] {
                assert!(!shown.contains("s3cret"), "{shown}");
                assert!(shown.contains("carafe of PostgreSQL at db.example:"), "{shown}");
            }
        }
        assert!(DatabaseUrl::public("postgres://me@db.example:5433/carafe?sslmode=verify-full").is_ok());
    }

    #[test]
    fn no_mistake_in_an_address_repeats_a_password() {
        for text in [
            "mysql://me:s3cret@db/carafe",
            "postgres://me:s3cret@db/carafe?sslmod=require",
            "postgres://me:s3cret@db:notaport/carafe",
            "postgres://me:s3cret@db/carafe?sslmode=maybe",
            "postgres://me@db/carafe?pass%77ord=s3cret",
        ] {
            let error = DatabaseUrl::secret(text).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
