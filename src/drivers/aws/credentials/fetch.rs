//! Asking for credentials where they are to be had.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Credentials, Source, Token, denied, invalid};
use crate::drivers::aws::client::{Endpoints, Query, STS, query_request};
use crate::drivers::aws::{fault, xml};
use crate::drivers::rest::{Answer, Request, Rest};
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind, Reply};
use crate::run_id;

/// How long a service of AWS may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long something on this very machine may take; where it is not there, nothing answers at all.
const LOCAL_DEADLINE: Duration = Duration::from_secs(3);
/// How long a token for the machine's metadata is good, in seconds: as long as it can be.
const METADATA_TOKEN_SECONDS: &str = "21600";
/// How long to wait before credentials are asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// What asking takes.
pub(in crate::drivers::aws) struct Asker<'a> {
    /// A client that knows no secret yet.
    pub(in crate::drivers::aws) rest: &'a Rest,
    /// Where services are.
    pub(in crate::drivers::aws) endpoints: &'a Endpoints,
    /// The region whose STS is asked.
    pub(in crate::drivers::aws) region: &'a str,
}

/// Fetches credentials.
///
/// # Errors
/// What the source refuses. Asking for credentials changes nothing, so no error is [`ErrorKind::Unknown`].
pub(in crate::drivers::aws) fn fetch<'a>(source: &'a Source, asker: &'a Asker<'a>) -> Reply<'a, Credentials> {
    Box::pin(async move {
        match ask(source, asker).await {
            Err(DriverError { kind: ErrorKind::Unknown, message }) => {
                Err(ErrorKind::Throttled { retry_after: AGAIN }.because(message))
            }
            result => result,
        }
    })
}

async fn ask(source: &Source, asker: &Asker<'_>) -> Result<Credentials, DriverError> {
    match source {
        Source::Fixed(credentials) => Ok(credentials.clone()),
        Source::WebIdentity { role, token_file, session } => {
            let token = read(token_file, "the web identity token")?;
            let query = Query::new()
                .set("RoleArn", role)
                .set("RoleSessionName", session)
                .set("WebIdentityToken", token.expose());
            asker.sts("AssumeRoleWithWebIdentity", query, None).await
        }
        Source::Role { role, external_id, session, of } => {
            let of = fetch(of, asker).await?;
            let query = Query::new()
                .set("RoleArn", role)
                .set("RoleSessionName", session)
                .maybe("ExternalId", external_id.as_deref());
            asker.sts("AssumeRole", query, Some(&of)).await
        }
        Source::Sso { profile, start_url, region, account, role, cache } => {
            let again = || denied(format!("sign in again: `aws sso login --profile {profile}`"));
            let token = sso_token(cache, start_url, run_id::now()).ok_or_else(again)?;
            let mut url = asker.endpoints.of("portal.sso", region)?;
            url.set_path("/federation/credentials");
            url.query_pairs_mut().append_pair("role_name", role).append_pair("account_id", account);
            let name = HeaderName::from_static("x-amz-sso_bearer_token");
            let request = Request::new(Method::GET, url, DEADLINE).secret_header(name, token.expose())?;
            let answer = asker.rest.send(request).await?;
            if answer.status == 401 {
                return Err(again());
            }
            let told: Value = asker.good(answer, "IAM Identity Center")?.json()?;
            let told = &told["roleCredentials"];
            let names = ["accessKeyId", "secretAccessKey", "sessionToken"];
            credentials(told, names, told["expiration"].as_i64())
        }
        Source::Container { url, token } => {
            let url = Url::parse(url).map_err(|_| invalid("the container's credentials have no address"))?;
            let mut request = Request::new(Method::GET, url, LOCAL_DEADLINE);
            let token = match token {
                Some(Token::Given(token)) => Some(token.clone()),
                Some(Token::File(path)) => Some(read(path, "the container's authorization token")?),
                None => None,
            };
            if let Some(token) = token {
                request = request.secret_header(AUTHORIZATION, token.expose())?;
            }
            let answer = asker.rest.send(request).await?;
            of_agent(&asker.good(answer, "the container's agent")?.json()?)
        }
        Source::Instance { endpoint } => asker.instance(endpoint).await,
    }
}

impl Asker<'_> {
    async fn sts(
        &self,
        action: &str,
        query: Query,
        credentials: Option<&Credentials>,
    ) -> Result<Credentials, DriverError> {
        let url = self.endpoints.of(STS.service, self.region)?;
        let request = query_request(&url, STS, action, &query, self.region, credentials)?;
        let answer = self.good(self.rest.send(request).await?, "STS")?;
        let told = xml::read(&answer)?;
        let told = told.path(&format!("{action}Result/Credentials"));
        let get = |name: &str| told.and_then(|told| told.path_text(name)).map(str::to_owned);
        let (id, secret, token) = (get("AccessKeyId"), get("SecretAccessKey"), get("SessionToken"));
        let (Some(access_key_id), Some(secret)) = (id, secret) else {
            return Err(ErrorKind::Unknown.because("STS answers without credentials"));
        };
        Ok(Credentials {
            access_key_id,
            secret_access_key: Secret::new(secret),
            session_token: token.map(Secret::new),
            expires: get("Expiration").and_then(|text| millis(&text)),
        })
    }

    async fn instance(&self, endpoint: &str) -> Result<Credentials, DriverError> {
        let base = Url::parse(endpoint)
            .map_err(|_| invalid("AWS_EC2_METADATA_SERVICE_ENDPOINT is no web address"))?;
        let at = |path: &str| base.join(path).expect("a path of ours");
        let mut request = Request::new(Method::PUT, at("/latest/api/token"), LOCAL_DEADLINE);
        let seconds = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
        request.headers.insert(seconds, HeaderValue::from_static(METADATA_TOKEN_SECONDS));
        let none = |why: DriverError| {
            denied(format!(
                "no AWS credentials: neither the connection nor the environment nor a profile names any, and the \
                 metadata of this machine gives none: {why}"
            ))
        };
        let answer = self.rest.send(request).await.map_err(none)?;
        let token = self.good(answer, "the machine's metadata").map_err(none)?;
        let token = Secret::new(String::from_utf8_lossy(&token.body).trim().to_owned());
        let get = async |path: &str| {
            let name = HeaderName::from_static("x-aws-ec2-metadata-token");
            let request =
                Request::new(Method::GET, at(path), LOCAL_DEADLINE).secret_header(name, token.expose())?;
            self.good(self.rest.send(request).await?, "the machine's metadata")
        };
        const PATH: &str = "/latest/meta-data/iam/security-credentials/";
        let roles = get(PATH).await.map_err(none)?;
        let roles = String::from_utf8_lossy(&roles.body).into_owned();
        let Some(role) = roles.lines().next().map(str::trim).filter(|role| !role.is_empty()) else {
            return Err(denied("no AWS credentials: this machine has no role"));
        };
        of_agent(&get(&format!("{PATH}{role}")).await?.json()?)
    }

    /// The answer, when it is a good one.
    fn good(&self, answer: Answer, who: &str) -> Result<Answer, DriverError> {
        if answer.is_success() {
            return Ok(answer);
        }
        let (code, said) = fault::words(&answer);
        let said = self.rest.clean(&format!("{code} {said}"));
        Err(fault::kind(&answer, &code).because(format!("{who} answers {}: {said}", answer.status)))
    }
}

/// What agents of containers and machines answer.
fn of_agent(told: &Value) -> Result<Credentials, DriverError> {
    let expires = told["Expiration"].as_str().and_then(millis);
    credentials(told, ["AccessKeyId", "SecretAccessKey", "Token"], expires)
}

fn credentials(
    told: &Value,
    [id, secret, token]: [&str; 3],
    expires: Option<i64>,
) -> Result<Credentials, DriverError> {
    let get = |name: &str| told[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (Some(access_key_id), Some(secret)) = (get(id), get(secret)) else {
        return Err(denied("what was asked for AWS credentials answers without any"));
    };
    Ok(Credentials {
        access_key_id,
        secret_access_key: Secret::new(secret),
        session_token: get(token).map(Secret::new),
        expires,
    })
}

fn read(path: &Path, what: &str) -> Result<Secret, DriverError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(Secret::new(text.trim().to_owned())),
        Ok(_) => Err(denied(format!("{what} in {} is empty", path.display()))),
        Err(error) => Err(denied(format!("{what} in {} cannot be read: {error}", path.display()))),
    }
}

/// The token of a sign-in that is still good. Its file is named after a digest; what it says is what counts.
fn sso_token(cache: &Path, start_url: &str, now: i64) -> Option<Secret> {
    let mut found: Option<(i64, Secret)> = None;
    for entry in std::fs::read_dir(cache).ok()?.flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let Ok(told) = serde_json::from_str::<Value>(&text) else { continue };
        let same = |url: &str| url.trim_end_matches(['/', '#']) == start_url.trim_end_matches(['/', '#']);
        let (Some(token), Some(expires)) =
            (told["accessToken"].as_str(), told["expiresAt"].as_str().and_then(millis))
        else {
            continue;
        };
        let later = found.as_ref().is_none_or(|(other, _)| expires > *other);
        if told["startUrl"].as_str().is_some_and(same) && expires > now && later {
            found = Some((expires, Secret::new(token.to_owned())));
        }
    }
    found.map(|(_, token)| token)
}

/// Milliseconds since 1970 of a moment such as `2026-11-22T10:00:00Z`; fractions of seconds count for nothing.
pub(in crate::drivers::aws) fn millis(text: &str) -> Option<i64> {
    let numbers: Vec<i64> =
        text.get(..19)?.split(['-', 'T', ':']).map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day, hour, minute, second] = numbers[..] else { return None };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil, whose years begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}
