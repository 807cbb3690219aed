//! Who asks: the standard chain of AWS, in its order, and what it takes to keep credentials fresh.
//!
//! Settings of the connection come first, then the environment, a web identity, the shared files with their profiles, a
//! container's credentials and at last those of the machine itself. [`find`] only looks where credentials are to be had;
//! `fetch` asks for them. Nothing here prints any.

use std::path::PathBuf;

use crate::drivers::connections::Settings;
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};

mod fetch;
mod profiles;

#[cfg(test)]
mod tests;

pub(super) use fetch::{Asker, fetch};
use profiles::{Profiles, Section};

/// Where a container asks when it is told a path only.
const CONTAINER_HOST: &str = "http://169.254.170.2";
/// Where a machine of EC2 asks about itself.
const METADATA: &str = "http://169.254.169.254";
/// The longest chain of profiles that borrow one another's credentials.
const MOST_PROFILES: usize = 5;
/// What AWS writes into its own log about the sessions of roles.
const SESSION: &str = "carafe";

/// What a request is signed with.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// Which key it is; not a secret.
    pub(super) access_key_id: String,
    /// The key.
    pub(super) secret_access_key: Secret,
    /// Sent along where the key expires.
    pub(super) session_token: Option<Secret>,
    /// When, in milliseconds since 1970; absent for never.
    pub(super) expires: Option<i64>,
}

/// Looks a variable of the environment up.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where credentials are to be had.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Here.
    Fixed(Credentials),
    /// From STS, for a token in a file that something else keeps fresh.
    WebIdentity { role: String, token_file: PathBuf, session: String },
    /// From STS, for other credentials.
    Role { role: String, external_id: Option<String>, session: String, of: Box<Source> },
    /// From IAM Identity Center, for the token that `aws sso login` left.
    Sso { profile: String, start_url: String, region: String, account: String, role: String, cache: PathBuf },
    /// From an agent beside the container.
    Container { url: String, token: Option<Token> },
    /// From the machine's own metadata, by IMDSv2.
    Instance { endpoint: String },
}

/// What a container shows to its agent.
#[derive(Clone, Debug)]
pub(super) enum Token {
    /// This.
    Given(Secret),
    /// What is in the file when it is asked.
    File(PathBuf),
}

fn invalid(what: impl Into<String>) -> DriverError {
    ErrorKind::Invalid.because(what)
}

fn denied(what: impl Into<String>) -> DriverError {
    ErrorKind::Denied.because(what)
}

/// Finds out where credentials are to be had.
///
/// # Errors
/// [`ErrorKind::Invalid`] when what says so is at odds with itself, [`ErrorKind::Denied`] when nothing says so.
pub(super) fn find(settings: &Settings, variables: Variables<'_>) -> Result<Source, DriverError> {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    let of_settings = (settings.text("access_key_id"), settings.secret("secret_access_key"));
    match (of_settings, settings.text("profile")) {
        ((Some(_), _) | (_, Some(_)), Some(_)) => {
            Err(invalid("the settings \"profile\" and \"access_key_id\" both say who asks"))
        }
        ((Some(id), Some(secret)), None) => Ok(Source::Fixed(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: secret.clone(),
            session_token: settings.secret("session_token").cloned(),
            expires: None,
        })),
        ((Some(_), None) | (None, Some(_)), None) => {
            Err(invalid("the settings \"access_key_id\" and \"secret_access_key\" go together"))
        }
        ((None, None), Some(profile)) => Profiles::read(&variable)?.source(profile, &variable, MOST_PROFILES),
        ((None, None), None) => of_surroundings(&variable),
    }
}

fn of_surroundings(variable: Variables<'_>) -> Result<Source, DriverError> {
    if let Some(fixed) = of_environment(variable) {
        return Ok(fixed);
    }
    if let Some((token_file, role)) = variable("AWS_WEB_IDENTITY_TOKEN_FILE").zip(variable("AWS_ROLE_ARN")) {
        let session = variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION.to_owned());
        return Ok(Source::WebIdentity { role, token_file: token_file.into(), session });
    }
    let profiles = Profiles::read(variable)?;
    let named = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE"));
    match &named {
        Some(name) => return profiles.source(name, variable, MOST_PROFILES),
        None if profiles.says_who("default") => return profiles.source("default", variable, MOST_PROFILES),
        None => {}
    }
    if let Some(container) = of_container(variable)? {
        return Ok(container);
    }
    of_instance(variable).ok_or_else(|| {
        denied(
            "no AWS credentials: neither the connection nor AWS_ACCESS_KEY_ID and its like nor a profile in \
             ~/.aws names any",
        )
    })
}

fn of_environment(variable: Variables<'_>) -> Option<Source> {
    let (id, secret) = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"))?;
    Some(Source::Fixed(Credentials {
        access_key_id: id,
        secret_access_key: Secret::new(secret),
        session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
        expires: None,
    }))
}

fn of_container(variable: Variables<'_>) -> Result<Option<Source>, DriverError> {
    let url = match (
        variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) => format!("{CONTAINER_HOST}{path}"),
        (None, Some(url)) => url,
        (None, None) => return Ok(None),
    };
    // The token must not travel in the open; these are the agents that AWS itself has on the machine.
    let parsed =
        reqwest::Url::parse(&url).map_err(|_| invalid("AWS_CONTAINER_CREDENTIALS_FULL_URI is no address"))?;
    let local = ["127.0.0.1", "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
    if parsed.scheme() != "https" && !parsed.host_str().is_some_and(|host| local.contains(&host)) {
        return Err(invalid(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https address nor one of this machine",
        ));
    }
    let file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| Token::File(path.into()));
    let given = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| Token::Given(Secret::new(token)));
    Ok(Some(Source::Container { url, token: file.or(given) }))
}

fn of_instance(variable: Variables<'_>) -> Option<Source> {
    let off = variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| METADATA.to_owned());
    (!off).then_some(Source::Instance { endpoint })
}

impl Profiles {
    /// Whether a profile is there and names credentials; one that only sets a region does not.
    fn says_who(&self, name: &str) -> bool {
        const ANY: [&str; 6] = [
            "aws_access_key_id",
            "role_arn",
            "sso_session",
            "sso_start_url",
            "credential_process",
            "web_identity_token_file",
        ];
        self.profile(name).is_some_and(|profile| ANY.iter().any(|key| profile.contains_key(*key)))
    }

    fn source(&self, name: &str, variable: Variables<'_>, left: usize) -> Result<Source, DriverError> {
        let Some(profile) = self.profile(name) else {
            let what = format!("no file of {} has a profile \"{name}\"", self.files().join(" and "));
            return Err(denied(what));
        };
        if left == 0 {
            return Err(invalid(format!("the profiles that \"{name}\" borrows from have no end")));
        }
        let get = |key: &str| profile.get(key).cloned();
        let odd = |what: &str| invalid(format!("profile \"{name}\" {what}"));
        if let Some(role) = get("role_arn") {
            let session = get("role_session_name").unwrap_or_else(|| SESSION.to_owned());
            if let Some(file) = get("web_identity_token_file") {
                return Ok(Source::WebIdentity { role, token_file: file.into(), session });
            }
            if profile.contains_key("mfa_serial") {
                return Err(odd(
                    "asks for a one-time code; take the role first, for example with `aws sts assume-role`, and name \
                     the credentials that it prints",
                ));
            }
            let of = match (get("source_profile"), get("credential_source")) {
                // A profile that borrows from itself holds the keys that take its role.
                (Some(source), _) if source == name => {
                    keys_of(profile).ok_or_else(|| odd("holds no keys"))?
                }
                (Some(source), _) => self.source(&source, variable, left - 1)?,
                (None, Some(source)) => match source.as_str() {
                    "Environment" => of_environment(variable),
                    "EcsContainer" => of_container(variable)?,
                    "Ec2InstanceMetadata" => of_instance(variable),
                    _ => return Err(odd("has a credential_source that is not known")),
                }
                .ok_or_else(|| odd("takes credentials from where there are none"))?,
                (None, None) => return Err(odd("names a role and not who takes it (source_profile)")),
            };
            return Ok(Source::Role { role, external_id: get("external_id"), session, of: Box::new(of) });
        }
        if let Some(fixed) = keys_of(profile) {
            return Ok(fixed);
        }
        if let Some(account) = get("sso_account_id") {
            let shared = get("sso_session").and_then(|session| self.session(&session).cloned());
            let of =
                |key: &str| shared.as_ref().and_then(|shared| shared.get(key).cloned()).or_else(|| get(key));
            let missing = |key: &str| odd(&format!("has no {key}"));
            return Ok(Source::Sso {
                profile: name.to_owned(),
                start_url: of("sso_start_url").ok_or_else(|| missing("sso_start_url"))?,
                region: of("sso_region").ok_or_else(|| missing("sso_region"))?,
                role: get("sso_role_name").ok_or_else(|| missing("sso_role_name"))?,
                account,
                cache: self.sso_cache(),
            });
        }
        if profile.contains_key("credential_process") {
            return Err(odd(
                "starts a program for its credentials; name it in the connection instead, as in secret_access_key = \
                 \"cmd:PROGRAM ARGUMENT\"",
            ));
        }
        Err(odd("names no credentials"))
    }
}

fn keys_of(profile: &Section) -> Option<Source> {
    let (id, secret) = profile.get("aws_access_key_id").zip(profile.get("aws_secret_access_key"))?;
    Some(Source::Fixed(Credentials {
        access_key_id: id.clone(),
        secret_access_key: Secret::new(secret.clone()),
        session_token: profile.get("aws_session_token").cloned().map(Secret::new),
        expires: None,
    }))
}
