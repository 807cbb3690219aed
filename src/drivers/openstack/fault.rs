//! What a failure of an OpenStack service means. Each service words its failures in a way of its own.

use std::time::Duration;

use serde_json::Value;

use super::json::{rows, text};
use crate::drivers::ErrorKind;
use crate::drivers::rest::Answer;

/// How long something in between two states is left alone.
const AFTER_BUSY: Duration = Duration::from_secs(3);

/// What a service said about a failure: its sentence, and Neutron's name for the kind.
pub(super) fn words(body: &[u8]) -> (String, String) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        // Glance, and any proxy on the way, answer with a page.
        let page = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
        return (without_markup(&page), String::new());
    };
    // Neutron, Keystone, Octavia, Placement; then Nova and Cinder, which name the one key after the failure.
    let said = ["NeutronError/message", "error/message", "faultstring", "NeutronError", "message"];
    let found = said.iter().map(|path| text(&body, path)).find(|found| !found.is_empty());
    let detail = rows(&body, "errors").map(|error| text(error, "detail")).find(|found| !found.is_empty());
    let named = body.as_object().into_iter().flatten().map(|(_, fault)| text(fault, "message"));
    let found = found.or(detail).or_else(|| named.into_iter().find(|found| !found.is_empty()));
    (found.unwrap_or_default().to_owned(), text(&body, "NeutronError/type").to_owned())
}

fn without_markup(page: &str) -> String {
    let mut inside = false;
    let kept = page.chars().filter(|c| match c {
        '<' => {
            inside = true;
            false
        }
        '>' => {
            inside = false;
            false
        }
        _ => !inside,
    });
    kept.collect()
}

/// What a status and a sentence mean. Statuses alone do not tell a quota from a permission.
pub(super) fn kind(answer: &Answer, said: &str, neutron: &str) -> ErrorKind {
    let said = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let is_quota = neutron == "OverQuota" || says(&["quota"]);
    match answer.status {
        403 | 409 | 413 if is_quota => ErrorKind::Quota,
        413 if says(&["exceed", "maximum number"]) => ErrorKind::Quota,
        413 => ErrorKind::Throttled { retry_after: answer.retry_after().unwrap_or(AFTER_BUSY) },
        409 if neutron.contains("IpAddressGeneration") || says(&["no more ip addresses"]) => {
            ErrorKind::NoCapacity
        }
        // Octavia's and Nova's way to say: later. Nothing was done.
        409 if says(&["immutable", "while it is in"]) => ErrorKind::Throttled { retry_after: AFTER_BUSY },
        400 if says(&["overlap", "already has a port", "status must be", "in-use", "is in use"]) => {
            ErrorKind::Conflict
        }
        400 | 404 if neutron.contains("ExternalIpAddressExhausted") => ErrorKind::NoCapacity,
        _ => answer.kind(),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn judged(status: u16, body: &str) -> (ErrorKind, String) {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        let (said, neutron) = words(&answer.body);
        (kind(&answer, &said, &neutron), said)
    }

    #[test]
    fn every_service_is_understood_in_its_own_words() {
        for (status, body, expected, said) in [
            (
                403,
                r#"{"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 512"}}"#,
                ErrorKind::Quota,
                "Quota exceeded for cores",
            ),
            (403, r#"{"forbidden": {"message": "Policy doesn't allow it"}}"#, ErrorKind::Denied, "Policy"),
            (
                409,
                r#"{"NeutronError": {"type": "OverQuota", "message": "No more resources"}}"#,
                ErrorKind::Quota,
                "No more",
            ),
            (
                409,
                r#"{"NeutronError": {"type": "SubnetInUse", "message": "In use"}}"#,
                ErrorKind::Conflict,
                "In use",
            ),
            (
                400,
                r#"{"NeutronError": {"type": "InvalidInput", "message": "overlaps with another subnet"}}"#,
                ErrorKind::Conflict,
                "overlaps",
            ),
            (
                413,
                r#"{"overLimit": {"message": "VolumeLimitExceeded: Maximum number of volumes"}}"#,
                ErrorKind::Quota,
                "Maximum",
            ),
            (
                409,
                r#"{"faultcode": "Client", "faultstring": "Load Balancer x is immutable"}"#,
                ErrorKind::Throttled { retry_after: AFTER_BUSY },
                "immutable",
            ),
            (401, r#"{"error": {"message": "requires authentication"}}"#, ErrorKind::Denied, "requires"),
            (503, "<html><h1>503 Service Unavailable</h1></html>", ErrorKind::Unknown, "503 Service"),
            (400, r#"{"errors": [{"detail": "bad resource"}]}"#, ErrorKind::Invalid, "bad resource"),
        ] {
            let (kind, words) = judged(status, body);
            assert_eq!(kind, expected, "{body}");
            assert!(words.contains(said), "{words}");
        }
    }
}
