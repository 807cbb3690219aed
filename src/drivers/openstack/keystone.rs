//! Keystone: who asks, a token that is renewed in time, and the catalogue of services that comes with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::fault;
use super::json::{rows, text};
use crate::drivers::rest::{Answer, Request, Rest};
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};

/// How long one request may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// A token is renewed when less than this is left of it, or a tenth of its life if that is shorter: services hand it on to
/// one another, and a long task must not lose it on the way.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// The life of a token whose dates cannot be read.
const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Login {
    /// A user with a password, and the project to work in.
    Password { user: String, user_domain: Domain, password: Secret, project: Project },
    /// An application credential, which is for one project.
    Application { id: String, secret: Secret },
}

/// A domain, by name or by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    Name(String),
    Id(String),
}

impl Domain {
    fn body(&self) -> Value {
        match self {
            Domain::Name(name) => json!({"name": name}),
            Domain::Id(id) => json!({"id": id}),
        }
    }
}

/// A project, by name in a domain or by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Project {
    Name(String, Domain),
    Id(String),
}

impl Login {
    /// What must never be in a message.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Login::Password { password, .. } => password,
            Login::Application { secret, .. } => secret,
        }
    }

    fn body(&self) -> Value {
        match self {
            Login::Password { user, user_domain, password, project } => {
                let user = json!({
                    "name": user, "domain": user_domain.body(), "password": password.expose(),
                });
                let project = match project {
                    Project::Name(name, domain) => json!({"name": name, "domain": domain.body()}),
                    Project::Id(id) => json!({"id": id}),
                };
                json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": project},
                }})
            }
            Login::Application { id, secret } => json!({"auth": {"identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": id, "secret": secret.expose()},
            }}}),
        }
    }
}

/// A token with what it opens.
#[derive(Debug)]
pub(super) struct Token {
    value: String,
    renewed_at: Instant,
    /// The project's id.
    pub(super) project: String,
    /// The project's name.
    pub(super) project_name: String,
    /// Names of the roles that the user has in the project.
    pub(super) roles: Vec<String>,
    /// Every endpoint: type of service, interface, region, address.
    endpoints: Vec<[String; 4]>,
}

impl Token {
    /// The address of a service; its types are tried in order.
    pub(super) fn endpoint(&self, types: &[&str], interface: &str, region: &str) -> Option<&str> {
        types.iter().find_map(|wanted| {
            let fits =
                |[kind, is, place, _]: &&[String; 4]| kind == wanted && is == interface && place == region;
            self.endpoints.iter().find(fits).map(|endpoint| endpoint[3].as_str())
        })
    }

    /// The regions of the catalogue, sorted.
    pub(super) fn regions(&self) -> Vec<&str> {
        let mut regions: Vec<&str> = self.endpoints.iter().map(|endpoint| endpoint[2].as_str()).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }

    /// Puts the token into a request.
    pub(super) fn sign(&self, request: Request) -> Result<Request, DriverError> {
        request.secret_header(HeaderName::from_static("x-auth-token"), &self.value)
    }
}

/// An identity service and who asks it.
pub(super) struct Keystone {
    pub(super) rest: Rest,
    auth_url: Url,
    login: Login,
    held: Mutex<Option<Arc<Token>>>,
}

impl Keystone {
    pub(super) fn new(mut auth_url: Url, login: Login) -> Result<Keystone, DriverError> {
        let rest = Rest::new(vec![login.secret().clone()])?;
        let ends_with_version = auth_url.path().trim_end_matches('/').ends_with("/v3");
        if !ends_with_version {
            let mut path = auth_url.path_segments_mut().expect("an http address has a path");
            path.pop_if_empty().push("v3").push("");
        }
        Ok(Keystone { rest, auth_url, login, held: Mutex::default() })
    }

    /// The token, renewed when it is about to end.
    pub(super) async fn token(&self) -> Result<Arc<Token>, DriverError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.renewed_at) {
            return Ok(token.clone());
        }
        let token = Arc::new(self.log_in().await?);
        *held = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that a service did not accept, for example because it was revoked.
    pub(super) async fn forget(&self, token: &Arc<Token>) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, token)) {
            *held = None;
        }
    }

    async fn log_in(&self) -> Result<Token, DriverError> {
        let url = self.auth_url.join("auth/tokens").expect("a relative address");
        let request = Request::new(Method::POST, url, DEADLINE).json(&self.login.body());
        // A token is no resource: nothing is lost when the reply is, so asking again is always right.
        let mut answer = self.rest.send(request.clone()).await;
        for wait in [500, 1500] {
            let again = match &answer {
                Ok(answer) => answer.status >= 500,
                Err(error) => error.kind == ErrorKind::Unknown,
            };
            if !again {
                break;
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
            answer = self.rest.send(request.clone()).await;
        }
        let answer = answer?;
        match answer.is_success() {
            true => self.read(&answer),
            false => Err(self.refusal(&answer)),
        }
    }

    fn host(&self) -> String {
        let port = self.auth_url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.auth_url.host_str().unwrap_or_default())
    }

    fn refusal(&self, answer: &Answer) -> DriverError {
        let said = self.rest.clean(&fault::words(&answer.body).0);
        let host = self.host();
        // Keystone does not find an application credential that was deleted; whatever else it does not accept is a 401.
        let status = match answer.status {
            404 if said.to_lowercase().contains("application credential") => 401,
            status => status,
        };
        match status {
            401 => ErrorKind::Denied.because(format!(
                "Keystone at {host} does not accept the credentials (user, password, domain and project have to fit, \
                 and an application credential must not have ended): {said}"
            )),
            300..=499 if status != 403 && status != 429 => ErrorKind::Invalid.because(format!(
                "there is no Keystone v3 at {}, status {status}: look at the setting auth_url",
                self.auth_url
            )),
            status => answer.kind().because(format!("Keystone at {host} answers {status}: {said}")),
        }
    }

    fn read(&self, answer: &Answer) -> Result<Token, DriverError> {
        let none = || {
            let what =
                format!("what answers at {} is no Keystone v3: look at the setting auth_url", self.auth_url);
            ErrorKind::Invalid.because(what)
        };
        let value = answer.headers.get("x-subject-token").and_then(|value| value.to_str().ok());
        let value = value.ok_or_else(none)?.to_owned();
        let body: Value = answer.json().map_err(|_| none())?;
        let token = &body["token"];
        let life = lifetime(text(token, "issued_at"), text(token, "expires_at")).unwrap_or(USUAL_LIFE);
        let endpoints = rows(token, "catalog").flat_map(|service| {
            rows(service, "endpoints").map(|endpoint| {
                let region = Some(text(endpoint, "region_id")).filter(|region| !region.is_empty());
                [
                    text(service, "type"),
                    text(endpoint, "interface"),
                    region.unwrap_or_else(|| text(endpoint, "region")),
                    text(endpoint, "url"),
                ]
                .map(str::to_owned)
            })
        });
        Ok(Token {
            value,
            renewed_at: Instant::now() + life.saturating_sub(RENEWED_BEFORE.min(life / 10)),
            project: text(token, "project/id").to_owned(),
            project_name: text(token, "project/name").to_owned(),
            roles: rows(token, "roles").map(|role| text(role, "name").to_owned()).collect(),
            endpoints: endpoints.collect(),
        })
    }
}

/// The time between two moments as Keystone writes them, so that no clock but Keystone's own counts.
fn lifetime(from: &str, to: &str) -> Option<Duration> {
    u64::try_from(seconds(to)? - seconds(from)?).ok().map(Duration::from_secs)
}

/// Seconds since 1970 of `2026-11-22T21:29:51.000000Z`.
fn seconds(moment: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| moment.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // Days by the civil calendar with years that begin in March, so that a leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    Some(days * 86_400 + number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_token_is_told_by_keystone_alone() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2024-02-29T12:00:01.000000Z"), Some(1_709_208_001));
        let life = lifetime("2026-12-31T23:30:00.000000Z", "2027-01-01T00:30:00.000000Z");
        assert_eq!(life, Some(Duration::from_secs(3600)));
        assert_eq!(lifetime("", "2027-01-01T00:30:00Z"), None);
    }
}
