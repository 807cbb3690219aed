//! One client for all services of AWS: it signs, keeps credentials fresh, follows pages, and reads again what failed.

use std::sync::Arc;
use std::time::Duration;

use carafe_inventory::xml::Element;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::credentials::{self, Asker, Credentials, Source, Variables};
use super::sign::{Scope, encoded, sign};
use super::{fault, xml};
use crate::drivers::connections::Settings;
use crate::drivers::rest::{Answer, Request, Rest, base_url};
use crate::drivers::{DriverError, ErrorKind};
use crate::run_id;

/// From the first byte sent to the last byte read.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long after a failure a reading is tried again.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(400), Duration::from_millis(1500), Duration::from_secs(5)];
/// Credentials are renewed so long before they expire, in milliseconds.
const EARLY: i64 = 5 * 60 * 1000;
/// How many pages of a list are followed; what is longer was not meant.
const MOST_PAGES: usize = 10_000;
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A service with a Query API: parameters in a form, answers in XML.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Its name in addresses and signatures.
    pub service: &'static str,
    /// The version of its API.
    pub version: &'static str,
}

/// Networks, machines, disks.
pub const EC2: Api = Api { service: "ec2", version: "2016-11-15" };
/// Load balancers.
pub const ELB: Api = Api { service: "elasticloadbalancing", version: "2015-12-01" };
/// Who asks.
pub const STS: Api = Api { service: "sts", version: "2011-06-15" };

/// The parameters of a call of a Query API.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// None yet.
    pub fn new() -> Query {
        Query::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Query {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The same with one more, if it has a value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Query {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Whether there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The same with a list: `NAME.1`, `NAME.2` and so on.
    #[must_use]
    pub fn list<'v>(self, name: &str, values: impl IntoIterator<Item = &'v str>) -> Query {
        values
            .into_iter()
            .enumerate()
            .fold(self, |query, (at, value)| query.set(format!("{name}.{}", at + 1), value))
    }

    /// The same with one more filter of EC2: any of these values.
    #[must_use]
    pub fn filter<'v>(self, name: &str, values: impl IntoIterator<Item = &'v str>) -> Query {
        let at =
            self.0.iter().filter(|(key, _)| key.starts_with("Filter.") && key.ends_with(".Name")).count() + 1;
        self.set(format!("Filter.{at}.Name"), name).list(&format!("Filter.{at}.Value"), values)
    }
}

/// Where services are: the public endpoints, or those that a person names.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    all: Option<Url>,
    sts: Option<Url>,
    sso: Option<Url>,
}

impl Endpoints {
    pub(super) fn read(settings: &Settings, variables: Variables<'_>) -> Result<Endpoints, DriverError> {
        let of = |name: &str| variables(name).map(|text| base_url(name, &text)).transpose();
        Ok(Endpoints {
            all: settings.text("endpoint").map(|text| base_url("endpoint", text)).transpose()?,
            sts: of("AWS_ENDPOINT_URL_STS")?,
            sso: of("AWS_ENDPOINT_URL_SSO")?,
        })
    }

    /// The address of a service in a region.
    pub(super) fn of(&self, service: &str, region: &str) -> Result<Url, DriverError> {
        let own = match service {
            "sts" => self.sts.as_ref(),
            "portal.sso" => self.sso.as_ref(),
            _ => None,
        };
        if let Some(url) = own.or(self.all.as_ref()) {
            return Ok(url.clone());
        }
        let is_region = !region.is_empty()
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_region {
            let what = format!(
                "\"{region}\" is no region of AWS; name the right one in the connection's \"region_name\" setting"
            );
            return Err(ErrorKind::Invalid.because(what));
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(Url::parse(&format!("https://{service}.{region}.{domain}/")).expect("letters, digits and hyphens"))
    }
}

/// Credentials in use, and a client that strikes them out of messages.
struct Session {
    credentials: Credentials,
    rest: Rest,
}

/// A refusal with AWS's code for it; empty where AWS itself said nothing.
struct Refused {
    code: String,
    error: DriverError,
}

impl From<DriverError> for Refused {
    fn from(error: DriverError) -> Refused {
        Refused { code: String::new(), error }
    }
}

impl From<Refused> for DriverError {
    fn from(refused: Refused) -> DriverError {
        refused.error
    }
}

/// A client of one account.
pub struct Client {
    source: Source,
    endpoints: Endpoints,
    /// A client that knows no secret, for fetching credentials.
    plain: Rest,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
}

impl Client {
    /// A client by the settings of a connection and the environment. Asks nobody yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] and [`ErrorKind::Denied`], when no credentials are to be had.
    pub fn open(settings: &Settings, variables: Variables<'_>) -> Result<Client, DriverError> {
        Ok(Client {
            source: credentials::find(settings, variables)?,
            endpoints: Endpoints::read(settings, variables)?,
            plain: Rest::new(Vec::new())?,
            session: tokio::sync::Mutex::default(),
        })
    }

    /// Calls an action of a Query API and reads its answer. What only reads is asked again when nothing answers.
    ///
    /// # Errors
    /// As AWS refuses it, or as [`Rest::send`] says.
    pub async fn call(
        &self,
        region: &str,
        api: Api,
        action: &str,
        query: &Query,
    ) -> Result<Element, DriverError> {
        let url = self.endpoints.of(api.service, region)?;
        let reads = ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb));
        let answer = self
            .ask(region, reads, action, |credentials| {
                query_request(&url, api, action, query, region, Some(credentials))
            })
            .await?;
        xml::read(&answer)
    }

    /// Asks EC2 whether it would do something, which it then does not.
    ///
    /// # Errors
    /// As [`Client::call`] would refuse it.
    pub async fn dry_run(
        &self,
        region: &str,
        api: Api,
        action: &str,
        query: &Query,
    ) -> Result<(), DriverError> {
        let url = self.endpoints.of(api.service, region)?;
        let query = query.clone().set("DryRun", "true");
        let build =
            |credentials: &Credentials| query_request(&url, api, action, &query, region, Some(credentials));
        match self.ask(region, true, action, build).await {
            Ok(_) => Ok(()),
            // It would have done it.
            Err(refused) if refused.code == "DryRunOperation" => Ok(()),
            Err(refused) => Err(refused.error),
        }
    }

    /// Reads all pages of a list of EC2; `list` is its name in the answers.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn all(
        &self,
        region: &str,
        action: &str,
        query: &Query,
        list: &str,
    ) -> Result<Vec<Element>, DriverError> {
        let mut listed = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = query.clone().maybe("NextToken", next.as_deref());
            let answer = self.call(region, EC2, action, &page).await?;
            next = answer.path_text("nextToken").map(str::to_owned);
            listed.extend(xml::rows(&answer, list).cloned());
            if next.is_none() {
                return Ok(listed);
            }
        }
        Err(ErrorKind::Unknown.because(format!("what {action} lists has no end")))
    }

    /// Reads all pages of a list of the other Query APIs, which mark where the next begins.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn marked(
        &self,
        region: &str,
        api: Api,
        action: &str,
        query: &Query,
        list: &str,
    ) -> Result<Vec<Element>, DriverError> {
        let mut listed = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = query.clone().maybe("Marker", next.as_deref());
            let answer = self.call(region, api, action, &page).await?;
            let Some(result) = answer.child(&format!("{action}Result")) else { return Ok(listed) };
            next = result.path_text("NextMarker").map(str::to_owned);
            listed.extend(xml::rows(result, list).cloned());
            if next.is_none() {
                return Ok(listed);
            }
        }
        Err(ErrorKind::Unknown.because(format!("what {action} lists has no end")))
    }

    /// Asks a service that speaks JSON by paths, as EKS does.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn rest(
        &self,
        region: &str,
        service: &str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, DriverError> {
        let mut url = self.endpoints.of(service, region)?;
        url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(path);
        if !query.is_empty() {
            // Spaces as a signature wants them.
            let pairs: Vec<String> =
                query.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
            url.set_query(Some(&pairs.join("&")));
        }
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let answer = self
            .ask(region, method == Method::GET, path.first().unwrap_or(&service), |credentials| {
                let headers = HeaderMap::new();
                let (url, body) = (url.clone(), body.clone());
                signed(method.clone(), url, headers, body, credentials, (service, region))
            })
            .await?;
        if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
    }

    /// Asks a service that speaks JSON by the names of its actions, as Service Quotas does. Only for what reads.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn read_json(
        &self,
        region: &str,
        service: &str,
        target: &'static str,
        body: &Value,
    ) -> Result<Value, DriverError> {
        let url = self.endpoints.of(service, region)?;
        let body = ("application/x-amz-json-1.1", body.to_string().into_bytes());
        let answer = self
            .ask(region, true, target, |credentials| {
                let mut headers = HeaderMap::new();
                let name = HeaderName::from_static("x-amz-target");
                headers.insert(name, HeaderValue::from_static(target));
                signed(Method::POST, url.clone(), headers, Some(body.clone()), credentials, (service, region))
            })
            .await?;
        answer.json()
    }

    /// Sends what `build` makes of the credentials: with new ones when they have expired, and again after a failure when
    /// nothing is changed by asking.
    async fn ask(
        &self,
        region: &str,
        reads: bool,
        action: &str,
        build: impl Fn(&Credentials) -> Result<Request, DriverError>,
    ) -> Result<Answer, Refused> {
        let mut waits = AGAIN.iter();
        let mut renewed = false;
        loop {
            let session = self.session(region).await?;
            let refused = match session.rest.send(build(&session.credentials)?).await {
                Ok(answer) if answer.is_success() => return Ok(answer),
                Ok(answer) => {
                    let (code, said) = fault::words(&answer);
                    if fault::is_expired(&code) && !renewed {
                        renewed = true;
                        self.forget(&session).await;
                        continue;
                    }
                    Refused { error: refusal(&session.rest, &answer, action, &code, &said), code }
                }
                Err(error) => error.into(),
            };
            let again =
                reads && matches!(refused.error.kind, ErrorKind::Unknown | ErrorKind::Throttled { .. });
            match waits.next().filter(|_| again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(refused),
            }
        }
    }

    async fn session(&self, region: &str) -> Result<Arc<Session>, DriverError> {
        let mut session = self.session.lock().await;
        let good_for = |session: &Session, early: i64| {
            session.credentials.expires.is_none_or(|expires| expires > run_id::now() + early)
        };
        if let Some(session) = session.as_ref().filter(|session| good_for(session, EARLY)) {
            return Ok(session.clone());
        }
        let asker = Asker { rest: &self.plain, endpoints: &self.endpoints, region };
        match credentials::fetch(&self.source, &asker).await {
            Ok(credentials) => {
                let mut secrets = vec![credentials.secret_access_key.clone()];
                secrets.extend(credentials.session_token.clone());
                let fresh = Arc::new(Session { credentials, rest: Rest::new(secrets)? });
                *session = Some(fresh.clone());
                Ok(fresh)
            }
            // The old ones will do as long as they last.
            Err(error) => session.as_ref().filter(|session| good_for(session, 0)).cloned().ok_or(error),
        }
    }

    async fn forget(&self, old: &Arc<Session>) {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|now| Arc::ptr_eq(now, old)) {
            *session = None;
        }
    }
}

/// What a refusal means, in words that hold no secret.
fn refusal(rest: &Rest, answer: &Answer, action: &str, code: &str, said: &str) -> DriverError {
    let kind = fault::kind(answer, code);
    let said = match code {
        // AWS repeats the whole request here.
        "SignatureDoesNotMatch" => "the secret access key is not the one of the access key id".to_owned(),
        "RequestTimeTooSkewed" => "the clock of this machine is wrong".to_owned(),
        _ => rest.clean(said),
    };
    let code = if code.is_empty() { format!("status {}", answer.status) } else { rest.clean(code) };
    kind.because(format!("AWS answers {action} with {code}: {said}"))
}

/// A signed call of a Query API; without credentials an unsigned one.
pub(super) fn query_request(
    url: &Url,
    api: Api,
    action: &str,
    query: &Query,
    region: &str,
    credentials: Option<&Credentials>,
) -> Result<Request, DriverError> {
    let mut form = format!("Action={}&Version={}", encoded(action), api.version);
    for (name, value) in &query.0 {
        form.push_str(&format!("&{}={}", encoded(name), encoded(value)));
    }
    let body = Some((FORM, form.into_bytes()));
    let (url, headers) = (url.clone(), HeaderMap::new());
    match credentials {
        Some(credentials) => signed(Method::POST, url, headers, body, credentials, (api.service, region)),
        None => Ok(Request { body, ..Request::new(Method::POST, url, DEADLINE) }),
    }
}

fn signed(
    method: Method,
    url: Url,
    mut headers: HeaderMap,
    body: Option<(&'static str, Vec<u8>)>,
    credentials: &Credentials,
    (service, region): (&str, &str),
) -> Result<Request, DriverError> {
    if let Some((media_type, _)) = &body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    let bytes = body.as_ref().map_or(&[][..], |(_, bytes)| bytes.as_slice());
    let scope = Scope { region, service, now: run_id::now() };
    sign(&method, &url, &mut headers, bytes, credentials, scope)?;
    // The media type is sent with the body.
    headers.remove(CONTENT_TYPE);
    Ok(Request { headers, body, ..Request::new(method, url, DEADLINE) })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
