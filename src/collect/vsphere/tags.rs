//! Tags, which the SOAP API does not know: over REST, under `/api` of newer vCenters and `/rest/com/vmware` of older ones
//! (<https://developer.broadcom.com/xapis/vsphere-automation-api/latest/cis/>).

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::HeaderName;
use serde_json::{Value, json};

use super::Request;
use crate::collect::asking::{Basket, ask};
use crate::drivers::rest::{Request as Question, Rest};
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};

/// Tags that are asked for.
const MOST: usize = 20_000;
/// The header of a session.
const SESSION: &str = "vmware-api-session-id";

/// The two forms of the API: where a session is opened, and what stands before `tagging`. Newer vCenters have both.
const FORMS: [(&str, &str, &str); 2] = [
    ("/api/session", "/api/cis/tagging", "action"),
    ("/rest/com/vmware/cis/session", "/rest/com/vmware/cis/tagging", "~action"),
];

struct Api<'a> {
    rest: &'a Rest,
    request: &'a Request,
    session: Secret,
    is_new: bool,
}

/// Keeps an answer for each tag that is attached to something, with its category.
pub(super) async fn collect(rest: &Rest, request: &Request, basket: &mut Basket) -> Result<(), String> {
    let api = match Api::open(rest, request).await {
        Ok(Some(api)) => api,
        Ok(None) => {
            basket.not_offered("tags", "nothing needs to be done; an ESXi host alone has none");
            return Ok(());
        }
        Err(error) => return Err(error.message),
    };
    let collected = api.tags(basket).await.map_err(|error| error.message);
    api.close().await;
    collected
}

impl<'a> Api<'a> {
    /// Opens a session; `None` where there is no such API. A user who is refused is not tried again.
    async fn open(rest: &'a Rest, request: &'a Request) -> Result<Option<Api<'a>>, DriverError> {
        for (is_new, (session, _, _)) in [true, false].into_iter().zip(FORMS) {
            let mut url = request.url.clone();
            url.set_path(session);
            let mut question = Question::new(Method::POST, url, request.timeout);
            question.basic_auth = Some((request.user.clone(), request.password.clone()));
            let answer = rest.send(question).await?;
            match answer.status {
                200..=299 => {
                    let value: Value = answer.json()?;
                    let token = value.as_str().or_else(|| value.get("value")?.as_str()).unwrap_or_default();
                    let session = Secret::new(token.to_owned());
                    return Ok(Some(Api { rest, request, session, is_new }));
                }
                400 | 404 | 405 | 501 | 503 => {}
                status => return Err(answer.kind().because(format!("it answered with status {status}"))),
            }
        }
        Ok(None)
    }

    async fn close(&self) {
        let form = FORMS[usize::from(!self.is_new)];
        let mut url = self.request.url.clone();
        url.set_path(form.0);
        let question = Question::new(Method::DELETE, url, self.request.timeout);
        if let Ok(question) = question.secret_header(HeaderName::from_static(SESSION), self.session.expose())
        {
            // The session would end by itself.
            let _ = self.rest.send(question).await;
        }
    }

    async fn tags(&self, basket: &mut Basket) -> Result<(), DriverError> {
        let list = self.get("tag", "", Method::GET).await?;
        // Without any tag it is null in some versions.
        let entries = match unwrapped(&list) {
            Value::Array(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => return Err(ErrorKind::Unknown.because("its list of tags cannot be read")),
        };
        let ids: Vec<String> = entries.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        if ids.len() > MOST {
            basket.missed(
                &format!("{} of {} tags", ids.len() - MOST, ids.len()),
                "there are too many",
                "the rest is kept",
            );
        }
        let mut categories: BTreeMap<String, Value> = BTreeMap::new();
        for id in ids.iter().take(MOST) {
            match self.tag(id, &mut categories).await {
                Ok(Some((name, answer))) => {
                    if !basket.keep(format!("tag {name}"), answer.to_string()) {
                        return Ok(());
                    }
                }
                Ok(None) => {}
                // Tags come and go while they are listed.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => basket.missed(&format!("tag {id}"), &error.message, "the rest is kept"),
            }
        }
        Ok(())
    }

    /// A tag with its category and what it is attached to; `None` when that is nothing.
    async fn tag(
        &self,
        id: &str,
        categories: &mut BTreeMap<String, Value>,
    ) -> Result<Option<(String, Value)>, DriverError> {
        let action = "list-attached-objects";
        let attached = self.get(&self.path("tag-association", id), action, Method::POST).await?;
        if unwrapped(&attached).as_array().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let tag = self.get(&self.path("tag", id), "", Method::GET).await?;
        let text =
            |key: &str| unwrapped(&tag).get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, category) = (text("name"), text("category_id"));
        if !categories.contains_key(&category) {
            let found = self.get(&self.path("category", &category), "", Method::GET).await?;
            categories.insert(category.clone(), found);
        }
        let answer = json!({"tag": tag, "category": categories.get(&category), "attached": attached});
        Ok(Some((name, answer)))
    }

    fn path(&self, what: &str, id: &str) -> String {
        match self.is_new {
            true => format!("{what}/{id}"),
            false => format!("{what}/id:{id}"),
        }
    }

    async fn get(&self, path: &str, action: &str, method: Method) -> Result<Value, DriverError> {
        let form = FORMS[usize::from(!self.is_new)];
        let mut url = self.request.url.clone();
        url.set_path(&format!("{}/{path}", form.1));
        if !action.is_empty() {
            url.query_pairs_mut().append_pair(form.2, action);
        }
        let is_post = method == Method::POST;
        let mut question = Question::new(method, url, self.request.timeout);
        if is_post {
            // Some versions want a body where there is nothing to say.
            question = question.json(&json!({}));
        }
        let question = question.secret_header(HeaderName::from_static(SESSION), self.session.expose())?;
        ask(self.rest, &question).await?.json()
    }
}

/// Older versions wrap every answer.
fn unwrapped(answer: &Value) -> &Value {
    answer.get("value").unwrap_or(answer)
}
