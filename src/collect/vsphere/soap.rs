//! Calls of the vSphere API over SOAP: envelope in, tree out, a fault in words.

use std::time::Duration;

use carafe_inventory::xml::{self, Element};
use reqwest::Method;
use reqwest::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};

use super::Request;
use crate::drivers::ErrorKind;
use crate::drivers::rest::{self, Request as Question, Rest};

/// How often a call is made that may be made again.
const TIMES: u32 = 4;
/// The wait before the second time; it doubles for each one after.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The version of the API that is spoken: every vCenter since 6.5 knows it.
const ACTION: &str = "urn:vim25/6.5";

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Fault {
    /// In words, without credentials.
    pub(super) what: String,
    /// Asked again, it may succeed.
    again: bool,
}

impl Fault {
    pub(super) fn because(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), again: false }
    }
}

/// An answer, word for word and as a tree.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) root: Element,
}

impl Answer {
    fn of(text: String) -> Result<Answer, Fault> {
        let mut roots = xml::parse(&text)
            .map_err(|error| Fault::because(format!("it answers no XML: {}", error.what)))?;
        match roots.pop() {
            Some(root) if roots.is_empty() => Ok(Answer { text, root }),
            Some(_) | None => Err(Fault::because("it answers no SOAP")),
        }
    }

    /// The text of the first element of a name.
    pub(super) fn found(&self, name: &str) -> Option<String> {
        let element = self.root.all(name).into_iter().next()?;
        Some(element.text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The reference in a member of the service content.
    pub(super) fn reference(&self, name: &str) -> Option<String> {
        self.root.all("returnval").into_iter().next()?.path_text(name).map(str::to_owned)
    }
}

/// A session of a user.
pub(super) struct Session<'a> {
    rest: &'a Rest,
    request: &'a Request,
    cookie: Option<HeaderValue>,
    /// Where everything is found.
    pub(super) content: Answer,
}

impl<'a> Session<'a> {
    /// Finds out what the server has, and logs in.
    pub(super) async fn open(rest: &'a Rest, request: &'a Request) -> Result<Session<'a>, Fault> {
        let content = "<_this type=\"ServiceInstance\">ServiceInstance</_this>";
        let (content, mut cookie) = repeated(rest, request, None, "RetrieveServiceContent", content).await?;
        let manager =
            content.reference("sessionManager").ok_or_else(|| Fault::because("it is no vCenter"))?;
        let login = format!(
            "<_this type=\"SessionManager\">{}</_this><userName>{}</userName><password>{}</password>",
            escaped(&manager),
            escaped(&request.user),
            escaped(request.password.expose())
        );
        // Only once: a wrong password locks the user out after some tries.
        let (_, set) = call_once(rest, request, cookie.as_ref(), "Login", &login).await?;
        cookie = set.or(cookie);
        Ok(Session { rest, request, cookie, content })
    }

    /// Logs out.
    pub(super) async fn close(&self) -> Result<(), Fault> {
        let manager = self.content.reference("sessionManager").unwrap_or_default();
        let body = format!("<_this type=\"SessionManager\">{}</_this>", escaped(&manager));
        call_once(self.rest, self.request, self.cookie.as_ref(), "Logout", &body).await.map(drop)
    }

    /// Calls a method, and again where that may help: all that is called here only reads.
    pub(super) async fn call(&self, method: &str, body: &str) -> Result<Answer, Fault> {
        let called = repeated(self.rest, self.request, self.cookie.as_ref(), method, body).await;
        called.map(|(answer, _)| answer)
    }
}

type Called = Result<(Answer, Option<HeaderValue>), Fault>;

async fn repeated(
    rest: &Rest,
    request: &Request,
    cookie: Option<&HeaderValue>,
    method: &str,
    body: &str,
) -> Called {
    let mut wait = FIRST_WAIT;
    for _ in 1..TIMES {
        match call_once(rest, request, cookie, method, body).await {
            Err(fault) if fault.again => tokio::time::sleep(wait).await,
            called => return called,
        }
        wait *= 2;
    }
    call_once(rest, request, cookie, method, body).await
}

async fn call_once(
    rest: &Rest,
    request: &Request,
    cookie: Option<&HeaderValue>,
    method: &str,
    body: &str,
) -> Called {
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><{method} xmlns=\"urn:vim25\">{body}\
         </{method}></soapenv:Body></soapenv:Envelope>"
    );
    let mut question = Question::new(Method::POST, request.url.clone(), request.timeout);
    question.body = Some(("text/xml; charset=utf-8", envelope.into_bytes()));
    question.headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static(ACTION));
    if let Some(cookie) = cookie {
        question.headers.insert(COOKIE, cookie.clone());
    }
    let answer = rest.send(question).await.map_err(|error| Fault {
        what: error.message,
        again: matches!(error.kind, ErrorKind::Throttled { .. } | ErrorKind::Unknown),
    })?;
    let set = session_cookie(&answer);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if !answer.is_success() {
        return Err(fault(rest, &answer, &text));
    }
    Ok((Answer::of(text)?, set))
}

fn session_cookie(answer: &rest::Answer) -> Option<HeaderValue> {
    let set = answer.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pair = set
        .filter_map(|value| value.split(';').next())
        .find(|pair| pair.starts_with("vmware_soap_session="))?;
    let mut value = HeaderValue::from_str(pair).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What a server says of a failure. The kind of a fault tells whether it may go better another time.
fn fault(rest: &Rest, answer: &rest::Answer, text: &str) -> Fault {
    const FOR_GOOD: [&str; 8] = [
        "InvalidLogin",
        "NoPermission",
        "NotAuthenticated",
        "InvalidArgument",
        "InvalidProperty",
        "NotSupported",
        "ManagedObjectNotFound",
        "InvalidType",
    ];
    let tree = xml::parse(text).ok().and_then(|roots| roots.into_iter().next());
    let found = tree.as_ref().and_then(|tree| tree.all("Fault").into_iter().next());
    let Some(found) = found else {
        let what = format!("it answered with status {}", answer.status);
        return Fault { what, again: matches!(answer.status, 429 | 500..=599) };
    };
    let said = rest.clean(found.path_text("faultstring").unwrap_or("a fault"));
    let kind = found.child("detail").and_then(|detail| detail.inside.first());
    let name = kind.map(|kind| kind.attribute("type").unwrap_or(&kind.name)).unwrap_or_default();
    let is_for_good = FOR_GOOD.iter().any(|known| name.contains(known));
    Fault { what: format!("it says: {said}"), again: !is_for_good }
}

/// A text fit to stand in XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
