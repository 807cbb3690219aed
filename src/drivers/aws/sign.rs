//! Signature Version 4: what proves to AWS who sends a request, and that nothing of it was changed on the way.
//!
//! Written after the
//! [description of the signing process](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html);
//! decision 0014 says why no crate does it.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use sha2::{Digest, Sha256};

use super::credentials::Credentials;
use crate::drivers::{DriverError, ErrorKind};
use crate::run_id;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// When the request was signed.
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The token of credentials that expire.
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// For whom a request is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// The region, for example `us-east-1`.
    pub(super) region: &'a str,
    /// The service's signing name, for example `ec2`.
    pub(super) service: &'a str,
    /// When, in milliseconds since 1970.
    pub(super) now: i64,
}

/// Adds what proves who asks. `headers` holds what is sent already and is signed too.
///
/// # Errors
/// [`ErrorKind::Invalid`] when the credentials hold a character that no header can.
pub(super) fn sign(
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: &[u8],
    credentials: &Credentials,
    scope: Scope<'_>,
) -> Result<(), DriverError> {
    let secret = |text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            ErrorKind::Invalid.because("the AWS credentials hold a character that a header cannot")
        })?;
        value.set_sensitive(true);
        Ok::<HeaderValue, DriverError>(value)
    };
    let moment = run_id::rfc3339(scope.now).replace(['-', ':'], "");
    headers.insert(DATE, HeaderValue::from_str(&moment).expect("digits and letters"));
    if let Some(token) = &credentials.session_token {
        headers.insert(TOKEN, secret(token.expose())?);
    }
    let (canonical, signed) = canonical(method, url, headers, body);
    let day = &moment[..8];
    let within = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("{ALGORITHM}\n{moment}\n{within}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{}", credentials.secret_access_key.expose()).into_bytes();
    for part in [day, scope.region, scope.service, "aws4_request"] {
        key = hmac(&key, part);
    }
    let signature = hex(&hmac(&key, &to_sign));
    let access_key = &credentials.access_key_id;
    let authorization = format!(
        "{ALGORITHM} Credential={access_key}/{within}, SignedHeaders={signed}, Signature={signature}"
    );
    headers.insert(AUTHORIZATION, secret(&authorization)?);
    Ok(())
}

/// The request in the one spelling that is signed, and the names of the headers in it.
fn canonical(method: &Method, url: &Url, headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let mut lines: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    lines.push(("host".to_owned(), host(url)));
    lines.sort();
    let signed: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let signed = signed.join(";");
    let headers: String = lines.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut query: Vec<(String, String)> =
        url.query_pairs().map(|(key, value)| (encoded(&key), encoded(&value))).collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    // Every service but S3 wants the path encoded once more than it is sent.
    let path: Vec<String> = url.path().split('/').map(encoded).collect();
    let text = format!(
        "{method}\n{}\n{}\n{headers}\n{signed}\n{}",
        path.join("/"),
        query.join("&"),
        hex(&Sha256::digest(body))
    );
    (text, signed)
}

/// The header `Host` as the client sends it: the port only where it is not the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// RFC 3986's unreserved characters as they are, everything else as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::secret::Secret;

    /// 2015-08-30T12:36:00Z, the moment of the published examples.
    const NOW: i64 = 1_440_938_160_000;

    fn signature(
        service: &str,
        method: Method,
        url: &str,
        more: &[(&'static str, &str)],
        body: &str,
        token: Option<&str>,
    ) -> String {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: token.map(|token| Secret::new(token.to_owned())),
            expires: None,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in more {
            headers.insert(HeaderName::from_static(name), value.parse().expect("a header"));
        }
        let scope = Scope { region: "us-east-1", service, now: NOW };
        let url = Url::parse(url).expect("an address");
        sign(&method, &url, &mut headers, body.as_bytes(), &credentials, scope).expect("plain characters");
        let authorization = headers[AUTHORIZATION].to_str().expect("text");
        authorization.rsplit_once("Signature=").expect("a signature").1.to_owned()
    }

    /// Signatures from AWS's own Signature Version 4 test suite and its guide.
    #[test]
    fn the_published_examples_are_signed_as_published() {
        let get = |path: &str| {
            signature("service", Method::GET, &format!("https://example.amazonaws.com{path}"), &[], "", None)
        };
        assert_eq!(get("/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        assert_eq!(
            get("/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let url = "https://example.amazonaws.com/";
        assert_eq!(
            signature("service", Method::POST, url, &form, "Param1=value1", None),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
        let guide = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        assert_eq!(
            signature("iam", Method::GET, url, &guide, "", None),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn the_token_and_the_body_are_signed_too() {
        let url = "https://example.amazonaws.com/";
        let post =
            |body: &str, token: Option<&str>| signature("service", Method::POST, url, &[], body, token);
        let plain = post("a", None);
        assert_ne!(plain, post("b", None));
        assert_ne!(plain, post("a", Some("token")));
        assert_ne!(post("a", Some("token")), post("a", Some("another")));
    }

    #[test]
    fn paths_are_encoded_twice_and_queries_once() {
        let url = Url::parse("https://h/clusters/a%20b/x?tag=a%20b%2Fc").expect("an address");
        let (text, signed) = canonical(&Method::GET, &url, &HeaderMap::new(), b"");
        assert!(text.starts_with("GET\n/clusters/a%2520b/x\ntag=a%20b%2Fc\nhost:h\n\nhost\n"), "{text}");
        assert_eq!(signed, "host");
    }
}
