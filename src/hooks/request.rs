//! A hook that is a web request.

use std::time::Duration;

use super::{MOST_OUTPUT, told, with_output};
use crate::drivers::secret::Secret;
use crate::executor::hands::{Ended, Errand};
use crate::http;

pub(super) async fn send(
    client: &reqwest::Client,
    errand: &Errand<'_>,
    method: &str,
    url: &str,
    expect: &[u16],
    secrets: &[(&str, Secret)],
) -> Ended {
    let Ok(method) = method.parse::<reqwest::Method>() else {
        return Ended::Badly(format!("{method} is no method"));
    };
    let mut request = client
        .request(method, url)
        .timeout(Duration::from_secs(u64::from(errand.timeout_s)))
        .header("content-type", "application/json")
        .header("idempotency-key", errand.key)
        .body(told(errand));
    for (name, secret) in secrets {
        let Ok(mut value) = reqwest::header::HeaderValue::from_str(secret.expose()) else {
            return Ended::Badly(format!("the secret of header {name} holds what a header cannot"));
        };
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    let response = match request.send().await {
        Ok(response) => response,
        // What never left cannot have taken effect.
        Err(error) if error.is_connect() || error.is_builder() => return Ended::Badly(http::words(&error)),
        Err(error) => return Ended::Unknown(http::words(&error)),
    };
    let status = response.status();
    let body = start_of(response).await;
    let what = with_output(format!("answered {}", status.as_u16()), &body);
    let good = match expect.is_empty() {
        true => status.is_success(),
        false => expect.contains(&status.as_u16()),
    };
    match good {
        true => Ended::Well(what),
        // A server that failed half way does not say how far it came.
        false if status.is_server_error() => Ended::Unknown(what),
        false => Ended::Badly(what),
    }
}

/// The first of an answer's body; the rest is not read.
async fn start_of(mut response: reqwest::Response) -> Vec<u8> {
    let mut start = Vec::new();
    while start.len() < MOST_OUTPUT {
        match response.chunk().await {
            Ok(Some(chunk)) => start.extend_from_slice(&chunk[..chunk.len().min(MOST_OUTPUT - start.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    start
}
