//! What every driver that speaks HTTP needs: one request with a deadline, and an honest word about what became of it.
//!
//! The rule of [`Driver`](super::Driver) is that every error but [`ErrorKind::Unknown`] promises that nothing changed. A
//! request that never left is [`ErrorKind::Throttled`] (ask again, nothing happened), one that can never leave is
//! [`ErrorKind::Invalid`], and one that left and has no readable answer is `Unknown`. An answer with a status of failure
//! is an answer: what it means differs from cloud to cloud, and [`Answer::kind`] is only the usual reading.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;

use super::secret::Secret;
use super::{DriverError, ErrorKind};
use crate::http;

/// The largest answer that is read, in bytes. The longest known are lists of tens of thousands of images.
pub const MOST_ANSWER: usize = 256 * 1024 * 1024;
/// The longest message that is passed on, in characters.
const MOST_MESSAGE: usize = 600;
/// How long to wait before a cloud is asked again that could not be reached.
const AFTER_NO_CONNECTION: Duration = Duration::from_secs(1);
/// How long to wait when a cloud says "too many" and not for how long.
const AFTER_TOO_MANY: Duration = Duration::from_secs(5);
/// Secrets shorter than this are no secrets, and striking them out would make messages unreadable.
const SHORTEST_SECRET: usize = 4;

/// A client of one API, and what must never be in a message about it.
pub struct Rest {
    client: reqwest::Client,
    secrets: Vec<Secret>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` and the like.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers; those that hold a secret are marked sensitive.
    pub headers: HeaderMap,
    /// The body and its media type.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// User and password of Basic authentication.
    pub basic_auth: Option<(String, Secret)>,
    /// From the first byte sent to the last byte read.
    pub deadline: Duration,
}

impl Request {
    /// A request without body.
    pub fn new(method: Method, url: Url, deadline: Duration) -> Request {
        Request { method, url, headers: HeaderMap::new(), body: None, basic_auth: None, deadline }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(self, body: &serde_json::Value) -> Request {
        Request { body: Some(("application/json", body.to_string().into_bytes())), ..self }
    }

    /// The same with one more header that nobody may see.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the value holds what a header cannot; it is not in the message.
    pub fn secret_header(mut self, name: HeaderName, value: &str) -> Result<Request, DriverError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            ErrorKind::Invalid
                .because(format!("the credential holds a character that the header {name} cannot"))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status says success.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// How long the cloud asks to wait, where it says so in seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// What a status of failure means as a rule. After a 5xx nobody knows whether the request took effect.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            401 | 403 => ErrorKind::Denied,
            404 | 410 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled { retry_after: self.retry_after().unwrap_or(AFTER_TOO_MANY) },
            500..=599 => ErrorKind::Unknown,
            _ => ErrorKind::Invalid,
        }
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: what answered was not the cloud, or not in words that are known.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, DriverError> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let what = format!("the answer (status {}) cannot be read at {}", self.status, error.path());
            ErrorKind::Unknown.because(format!("{what}: {}", error.inner()))
        })
    }
}

impl Rest {
    /// A client; `secrets` are struck out of every message.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when no client can be made on this machine.
    pub fn new(secrets: Vec<Secret>) -> Result<Rest, DriverError> {
        Rest::with_tls(&http::Tls::default(), secrets)
    }

    /// The same with other trust.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when certificates or keys cannot be read.
    pub fn with_tls(tls: &http::Tls, secrets: Vec<Secret>) -> Result<Rest, DriverError> {
        let client = http::client_with(tls).map_err(|why| ErrorKind::Invalid.because(why))?;
        Ok(Rest { client, secrets })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// By how far it came, as the module says.
    pub async fn send(&self, request: Request) -> Result<Answer, DriverError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let mut building = self
            .client
            .request(request.method, request.url)
            .headers(request.headers)
            .timeout(request.deadline);
        if let Some((user, password)) = &request.basic_auth {
            building = building.basic_auth(user, Some(password.expose()));
        }
        if let Some((media_type, body)) = request.body {
            building = building.header("content-type", media_type).body(body);
        }
        let mut response = building.send().await.map_err(|error| self.unsent(&host, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MOST_ANSWER => {
                    let what = format!("{host} answers with more than {} MiB", MOST_ANSWER >> 20);
                    return Err(ErrorKind::Unknown.because(what));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Answer { status, headers, body }),
                Err(error) => {
                    let what =
                        format!("the answer of {host} broke off: {}", self.clean(&http::words(&error)));
                    return Err(ErrorKind::Unknown.because(what));
                }
            }
        }
    }

    fn unsent(&self, host: &str, error: &reqwest::Error) -> DriverError {
        let words = self.clean(&http::words(error));
        if error.is_builder() {
            return ErrorKind::Invalid.because(format!("the request cannot be made: {words}"));
        }
        if !error.is_connect() {
            let kind = ErrorKind::Unknown;
            return match error.is_timeout() {
                true => kind.because(format!("{host} did not answer in time")),
                false => kind.because(format!("the connection to {host} broke: {words}")),
            };
        }
        if is_distrust(error) {
            return ErrorKind::Invalid.because(format!("{host} cannot be trusted: {words}"));
        }
        ErrorKind::Throttled { retry_after: AFTER_NO_CONNECTION }
            .because(format!("{host} cannot be reached: {words}"))
    }

    /// A text from outside, fit for a message: without secrets and control characters, in one line, and short.
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
        clean.retain(|character| !character.is_control());
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST_SECRET)
        {
            clean = clean.replace(secret, "[redacted]");
        }
        match clean.char_indices().nth(MOST_MESSAGE) {
            Some((end, _)) => format!("{}…", &clean[..end]),
            None => clean,
        }
    }
}

/// Whether a connection failed because a certificate was not accepted, which no waiting mends.
fn is_distrust(error: &(dyn std::error::Error + 'static)) -> bool {
    let next = match error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref()) {
        // An I/O error passes over the error it holds when it is asked for its source.
        Some(held) => Some(held as &(dyn std::error::Error + 'static)),
        None => error.source(),
    };
    error.is::<rustls::Error>() || next.is_some_and(is_distrust)
}

/// Reads the address of an API from a setting; a slash at its end makes no difference.
///
/// # Errors
/// [`ErrorKind::Invalid`] when it is no address, is neither `http` nor `https`, or holds a name or password.
pub fn base_url(setting: &str, text: &str) -> Result<Url, DriverError> {
    let refused = |why: &str| ErrorKind::Invalid.because(format!("{setting} {why}"));
    let mut url =
        Url::parse(text).map_err(|_| refused("is not a web address such as https://cloud.example"))?;
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return Err(refused("is neither an http nor an https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user name or a password; name the credential in a setting of its own"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
