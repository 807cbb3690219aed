//! Questions to an API: each with a deadline, asked again while that may help, and all answers together limited.

use std::time::Duration;

use carafe_inventory::collected::answers::Answer;
use carafe_model::finding::{Finding, Place};
use serde_json::Value;

use super::Collected;
use crate::drivers::rest::{self, Request, Rest};
use crate::drivers::{DriverError, ErrorKind};

/// How often one question is asked.
const TIMES: u32 = 4;
/// The wait before the second time; it doubles for each one after.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// What is kept of one system, in bytes. A cluster of 5,000 nodes tells less.
pub const MOST_KEPT: usize = 512 << 20;

/// Asks, and asks again when the server is busy or the connection broke: to read twice does no harm.
///
/// # Errors
/// What the last answer said.
pub async fn ask(rest: &Rest, request: &Request) -> Result<rest::Answer, DriverError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TIMES {
        let error = match ask_once(rest, request).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error.kind {
            ErrorKind::Throttled { retry_after } => {
                tokio::time::sleep(retry_after.max(wait).min(LONGEST_WAIT)).await;
            }
            ErrorKind::Unknown => tokio::time::sleep(wait).await,
            ErrorKind::NotFound
            | ErrorKind::NoCapacity
            | ErrorKind::Quota
            | ErrorKind::Denied
            | ErrorKind::Conflict
            | ErrorKind::Invalid => return Err(error),
        }
        wait *= 2;
    }
    ask_once(rest, request).await
}

async fn ask_once(rest: &Rest, request: &Request) -> Result<rest::Answer, DriverError> {
    let answer = rest.send(request.clone()).await?;
    if answer.is_success() {
        return Ok(answer);
    }
    let said = said(&answer.body);
    let said = if said.is_empty() { String::new() } else { format!(": {}", rest.clean(&said)) };
    Err(answer.kind().because(format!("it answered with status {}{said}", answer.status)))
}

/// What an answer says of a failure: the message of the usual shapes of JSON, or the beginning of the text.
fn said(body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let message = value.as_ref().and_then(|value| {
        ["/message", "/error/message", "/error", "/Message", "/faultstring"]
            .iter()
            .find_map(|path| value.pointer(path)?.as_str())
    });
    match message {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned(),
    }
}

/// What comes together from one system, up to a limit.
pub struct Basket {
    system: String,
    kept: usize,
    is_full: bool,
    collected: Collected,
}

impl Basket {
    /// An empty one; `system` is what findings call the place, for example `kubernetes prod`.
    pub fn new(system: impl Into<String>) -> Basket {
        Basket { system: system.into(), kept: 0, is_full: false, collected: Collected::default() }
    }

    /// Keeps an answer; `false` when there is no room for it, which is said once (`COL-1012`).
    pub fn keep(&mut self, name: impl Into<String>, text: String) -> bool {
        if self.is_full || self.kept + text.len() > MOST_KEPT {
            if !self.is_full {
                let what = format!("there is more than {} MiB to collect", MOST_KEPT >> 20);
                let place = Place::file(self.system.clone());
                self.collected.findings.push(
                    Finding::warning("COL-1012", what)
                        .at(place)
                        .help("what came first is kept; collect it in several parts"),
                );
            }
            self.is_full = true;
            return false;
        }
        self.kept += text.len();
        self.collected.answers.push(Answer { name: name.into(), text });
        true
    }

    /// A part that could not be had (`COL-1010`).
    pub fn missed(&mut self, part: &str, why: &str, help: &str) {
        self.collected.findings.push(
            Finding::warning("COL-1010", format!("{part} could not be collected: {why}"))
                .at(Place::file(self.system.clone()))
                .help(help),
        );
    }

    /// A part that the system does not offer (`COL-1011`).
    pub fn not_offered(&mut self, part: &str, help: &str) {
        self.collected.findings.push(
            Finding::info("COL-1011", format!("the system does not offer {part}"))
                .at(Place::file(self.system.clone()))
                .help(help),
        );
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.collected.answers.is_empty()
    }

    /// All of it.
    pub fn into_collected(self) -> Collected {
        self.collected
    }
}
