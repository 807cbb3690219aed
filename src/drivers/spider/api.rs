//! One CB-Spider server: its addresses, its manner of asking and answering, its long waits.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::prose;
use crate::drivers::rest::{Answer, Request, Rest};
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};

/// How long reading may take: Spider asks the cloud each time, and a list of images takes minutes.
pub(super) const READING: Duration = Duration::from_secs(900);
/// How long a change may take. Spider answers when it is done; a machine takes up to twelve minutes.
pub(super) const CHANGING: Duration = Duration::from_secs(25 * 60);
/// How long a change of a cluster may take.
pub(super) const CLUSTER: Duration = Duration::from_secs(55 * 60);

/// A server and who asks it.
pub struct Api {
    rest: Rest,
    base: Url,
    /// Absent for servers without a password.
    user: Option<(String, Secret)>,
}

impl Api {
    /// A server at `base`, such as `http://127.0.0.1:1024/spider/`, asked as `user`.
    ///
    /// `secrets` are struck out of messages, as the password is.
    ///
    /// # Errors
    /// If no web client can be made.
    pub fn new(
        base: Url,
        user: &str,
        password: Option<&Secret>,
        secrets: &[Secret],
    ) -> Result<Api, DriverError> {
        let rest = Rest::new(password.into_iter().chain(secrets).cloned().collect())?;
        Ok(Api { rest, base, user: password.map(|password| (user.to_owned(), password.clone())) })
    }

    /// The server's name in messages.
    pub fn host(&self) -> String {
        let port = self.base.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }

    /// Strikes what must not be seen out of a text of the server.
    pub fn clean(&self, text: &str) -> String {
        self.rest.clean(text)
    }

    /// Sends a request and reads the answer as JSON.
    ///
    /// # Errors
    /// What the server's status and sentence mean.
    pub async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
        deadline: Duration,
    ) -> Result<Value, DriverError> {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let changes = method != Method::GET;
        let mut request = Request::new(method, url, deadline);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.basic_auth.clone_from(&self.user);
        let answer = self.rest.send(request).await?;
        if answer.is_success() { answer.json() } else { Err(self.refusal(&answer, path, changes)) }
    }

    fn refusal(&self, answer: &Answer, path: &[&str], changes: bool) -> DriverError {
        let text = serde_json::from_slice(&answer.body)
            .ok()
            .and_then(|body: Value| body["message"].as_str().map(str::to_owned))
            .unwrap_or_else(|| {
                String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]).into_owned()
            });
        let text = self.clean(&text);
        match answer.status {
            401 => {
                let hint = if self.user.is_some() {
                    "does not accept the user and password"
                } else {
                    "wants a user and a password"
                };
                ErrorKind::Denied.because(format!("CB-Spider at {} {hint}", self.host()))
            }
            404 => {
                let what =
                    format!("there is no CB-Spider at {}: it does not know /{}", self.host(), path.join("/"));
                ErrorKind::Invalid.because(what)
            }
            500 => prose::kind(&text, changes).because(format!("CB-Spider says: {text}")),
            status => answer.kind().because(format!("CB-Spider answers {status}: {text}")),
        }
    }

    /// Reads something that belongs to no connection.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn read(&self, path: &[&str]) -> Result<Value, DriverError> {
        self.call(Method::GET, path, &[], None, READING).await
    }

    /// Registers something that belongs to no connection.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn register(&self, path: &str, body: Value) -> Result<Value, DriverError> {
        self.call(Method::POST, &[path], &[], Some(body), CHANGING).await
    }
}

/// A server, and the connection config that is named in every call.
pub(super) struct Session {
    pub(super) api: Api,
    pub(super) connection: String,
}

impl Session {
    pub(super) async fn get(&self, path: &[&str]) -> Result<Value, DriverError> {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &[&str], more: &[(&str, &str)]) -> Result<Value, DriverError> {
        let query: Vec<(&str, &str)> =
            [("ConnectionName", self.connection.as_str())].iter().chain(more).copied().collect();
        self.api.call(Method::GET, path, &query, None, READING).await
    }

    /// Asks for a change that is told in `ReqInfo`.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &[&str],
        info: Option<Value>,
    ) -> Result<Value, DriverError> {
        let mut body = json!({"ConnectionName": self.connection, "IDTransformMode": "ON"});
        if let Some(info) = info {
            body["ReqInfo"] = info;
        }
        let deadline = if path[0] == "cluster" { CLUSTER } else { CHANGING };
        self.api.call(method, path, &[], Some(body), deadline).await
    }
}
