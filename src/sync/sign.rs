//! What proves to a provider who asks: headers made for each request, so that no secret stands in an address.
//!
//! Each function follows the provider's own description; decision 0014 says why no crate does it.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use sha2::{Digest, Sha256};

use super::fetch::SyncError;
use crate::drivers::secret::Secret;
use crate::run_id::rfc3339;

/// Headers that prove who asks for an address; all of them are secret.
pub(super) type Headers = Vec<(HeaderName, String)>;

/// The two halves of a key, given as `ID:SECRET`.
pub(super) struct KeyPair<'a> {
    id: &'a str,
    secret: &'a str,
}

impl<'a> KeyPair<'a> {
    /// Takes a credential apart.
    ///
    /// # Errors
    /// [`SyncError::Wish`] when there is none, or it is not of two parts.
    pub fn of(credential: Option<&'a Secret>, whose: &str) -> Result<KeyPair<'a>, SyncError> {
        let pair = credential.and_then(|secret| secret.expose().trim().split_once(':'));
        let what = || {
            SyncError::Wish(format!(
                "{whose} asks for a key; name one with --credential, written as ID:SECRET"
            ))
        };
        pair.map(|(id, secret)| KeyPair { id, secret }).ok_or_else(what)
    }

    /// Naver Cloud, signature version 2: <https://api.ncloud-docs.com/docs/en/common-ncpapi>.
    pub fn ncp(&self, url: &Url, now: i64) -> Headers {
        let text = format!("GET {}\n{now}\n{}", path_and_query(url), self.id);
        vec![
            (HeaderName::from_static("x-ncp-apigw-timestamp"), now.to_string()),
            (HeaderName::from_static("x-ncp-iam-access-key"), self.id.to_owned()),
            (
                HeaderName::from_static("x-ncp-apigw-signature-v2"),
                base64(&hmac(self.secret.as_bytes(), &text)),
            ),
        ]
    }

    /// Tencent Cloud, TC3-HMAC-SHA256: <https://www.tencentcloud.com/document/api/213/31575>.
    pub fn tencent(&self, url: &Url, call: &TencentCall<'_>, now: i64) -> Headers {
        const FORM: &str = "application/x-www-form-urlencoded";
        let (seconds, date) = (now / 1000, &rfc3339(now)[..10]);
        let host = host(url);
        let query = url.query().unwrap_or_default();
        let canonical =
            format!("GET\n/\n{query}\ncontent-type:{FORM}\nhost:{host}\n\ncontent-type;host\n{}", digest(""));
        let scope = format!("{date}/{}/tc3_request", call.service);
        let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", digest(&canonical));
        let mut key = format!("TC3{}", self.secret).into_bytes();
        for part in [date, call.service, "tc3_request"] {
            key = hmac(&key, part);
        }
        let signature = hex(&hmac(&key, &text));
        let proof = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
            self.id
        );
        vec![
            (AUTHORIZATION, proof),
            (CONTENT_TYPE, FORM.to_owned()),
            (HeaderName::from_static("x-tc-action"), call.action.to_owned()),
            (HeaderName::from_static("x-tc-version"), call.version.to_owned()),
            (HeaderName::from_static("x-tc-region"), call.region.to_owned()),
            (HeaderName::from_static("x-tc-timestamp"), seconds.to_string()),
        ]
    }

    /// Alibaba Cloud, ACS3-HMAC-SHA256:
    /// <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>.
    pub fn alibaba(&self, url: &Url, action: &str, version: &str, now: i64) -> Headers {
        // Alibaba refuses a request that it has seen; two of one millisecond differ in this.
        static ASKED: AtomicU64 = AtomicU64::new(0);
        let nonce = digest(&format!("{} {now} {}", self.secret, ASKED.fetch_add(1, Ordering::Relaxed)));
        let moment = format!("{}Z", &rfc3339(now)[..19]);
        let signed = [
            ("host", host(url)),
            ("x-acs-action", action.to_owned()),
            ("x-acs-content-sha256", digest("")),
            ("x-acs-date", moment),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", version.to_owned()),
        ];
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let query = url.query().unwrap_or_default();
        let canonical = format!("GET\n/\n{query}\n{lines}\n{names}\n{}", digest(""));
        let text = format!("ACS3-HMAC-SHA256\n{}", digest(&canonical));
        let signature = hex(&hmac(self.secret.as_bytes(), &text));
        let proof =
            format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", self.id);
        // The client itself sends the host.
        let rest = signed.into_iter().skip(1).map(|(name, value)| (HeaderName::from_static(name), value));
        std::iter::once((AUTHORIZATION, proof)).chain(rest).collect()
    }
}

/// What Tencent is asked for.
pub(super) struct TencentCall<'a> {
    pub service: &'static str,
    pub action: &'static str,
    pub version: &'static str,
    pub region: &'a str,
}

/// An address with parameters in the one spelling that is signed: sorted, with RFC 3986's unreserved characters alone
/// left as they are.
pub(super) fn with_query(url: &Url, parameters: &[(&str, &str)]) -> Url {
    let mut parts: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    parts.sort();
    let mut url = url.clone();
    url.set_query(Some(&parts.join("&")));
    url
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn path_and_query(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

/// The header `Host` as the client sends it: the port only where it is not the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4648, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            encoded.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_as_rfc_4648_and_rfc_3986_have_them() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        let url = Url::parse("https://h/").expect("an address");
        let url = with_query(&url, &[("b", "a b/c"), ("A.1", "~*")]);
        assert_eq!(url.as_str(), "https://h/?A.1=~%2A&b=a%20b%2Fc");
    }

    #[test]
    fn a_credential_has_two_parts_and_is_told_without_being_shown() {
        let secret = Secret::new("sesame".to_owned());
        let refused = KeyPair::of(Some(&secret), "Naver Cloud").err().map(|error| error.to_string());
        assert!(refused.is_some_and(|said| said.contains("ID:SECRET") && !said.contains("sesame")));
        assert!(KeyPair::of(None, "Naver Cloud").is_err());
        let secret = Secret::new("id:sec:ret\n".to_owned());
        let pair = KeyPair::of(Some(&secret), "Naver Cloud").expect("two parts");
        assert_eq!((pair.id, pair.secret), ("id", "sec:ret"));
    }
}
