//! What a refusal of AWS means: one table from its codes to what a caller does about them.
//!
//! Codes are those of the
//! [EC2 reference](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html) and of the pages of the
//! other services.

use std::time::Duration;

use carafe_inventory::xml::parse;
use serde_json::Value;

use crate::drivers::ErrorKind;
use crate::drivers::rest::Answer;

/// How long to wait where AWS says "too often"; it never says for how long.
const AFTER_TOO_MANY: Duration = Duration::from_secs(5);
const THROTTLED: ErrorKind = ErrorKind::Throttled { retry_after: AFTER_TOO_MANY };

/// What a code means; a star stands for any text. The first row that fits counts.
const TABLE: &[(ErrorKind, &[&str])] = &[
    (
        THROTTLED,
        &[
            "RequestLimitExceeded",
            "Throttling*",
            "*Throttled*",
            "TooManyRequests*",
            "BandwidthLimitExceeded",
            "SlowDown",
            // Not yet: what it names is being made or changed just now.
            "IncorrectState",
            "IncorrectInstanceState",
            "ResourceNotReady*",
        ],
    ),
    (
        ErrorKind::Denied,
        &[
            "UnauthorizedOperation",
            "AuthFailure",
            "AccessDenied*",
            "NotAuthorized*",
            "UnauthorizedAccess*",
            "Blocked",
            "PendingVerification",
            "OptInRequired",
            "OperationNotPermitted*",
            "ExpiredToken*",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "InvalidClientTokenId",
            "UnrecognizedClient*",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "IncompleteSignature*",
            "MissingAuthenticationToken*",
            "InvalidIdentityToken",
            "IDPRejectedClaim",
            "InvalidSignature*",
        ],
    ),
    (
        ErrorKind::NoCapacity,
        &[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientAddressCapacity",
            "InsufficientVolumeCapacity",
            "InsufficientCapacity*",
            "InsufficientFreeAddressesInSubnet",
            "UnsupportedAvailabilityZoneException",
            "Unsupported",
        ],
    ),
    (
        ErrorKind::Quota,
        &[
            "*LimitExceeded*",
            "*QuotaExceeded*",
            "TooManyLoadBalancers",
            "TooManyTargetGroups",
            "TooManyListeners",
            "TooManyTargets",
            "TooMany*",
        ],
    ),
    (
        ErrorKind::Conflict,
        &[
            "DependencyViolation",
            "*AlreadyExists*",
            "*.Duplicate",
            "Duplicate*",
            "*InUse*",
            "InvalidSubnet.Conflict",
            "InvalidPermission.Duplicate",
            "RouteAlreadyExists",
            "Resource.AlreadyAssociated",
            "Resource.AlreadyAttached",
            "IdempotentParameterMismatch",
            "VolumeInUse",
            "ResourceInUse*",
            "*Conflict*",
        ],
    ),
    (
        ErrorKind::NotFound,
        &["*.NotFound", "*NotFound*", "NoSuch*", "Gateway.NotAttached", "*.Unknown", "*.NotAttached"],
    ),
    (
        ErrorKind::Unknown,
        &["Internal*", "ServiceUnavailable*", "Unavailable", "ServerException", "RequestTimeout*"],
    ),
    (ErrorKind::Invalid, &["Invalid*", "Missing*", "Malformed*", "Validation*", "*Malformed", "Unknown*"]),
];

/// What a code of AWS and the status it came with mean.
pub(super) fn kind(answer: &Answer, code: &str) -> ErrorKind {
    let known = TABLE.iter().find(|(_, codes)| codes.iter().any(|known| fits(known, code)));
    known.map_or_else(|| answer.kind(), |(kind, _)| *kind)
}

/// Whether a refusal says that the credentials are no longer good, so that new ones may help.
pub(super) fn is_expired(code: &str) -> bool {
    ["ExpiredToken", "ExpiredTokenException", "RequestExpired"].contains(&code)
}

fn fits(known: &str, code: &str) -> bool {
    match (known.strip_prefix('*'), known.strip_suffix('*')) {
        (Some(_), Some(_)) => code.contains(known.trim_matches('*')),
        (Some(end), None) => code.ends_with(end),
        (None, Some(start)) => code.starts_with(start),
        (None, None) => code == known,
    }
}

/// The code and the sentence of a refusal, in XML or JSON; of anything else its text.
pub(super) fn words(answer: &Answer) -> (String, String) {
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(64 * 1024)]);
    if let Ok(told) = serde_json::from_str::<Value>(&text) {
        let header = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let get = |names: [&str; 3]| names.into_iter().find_map(|name| told[name].as_str());
        let code = header.or_else(|| get(["__type", "code", "Code"])).unwrap_or_default();
        // `com.amazon#Code:http://…`
        let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
        return (code.to_owned(), get(["message", "Message", "error"]).unwrap_or_default().to_owned());
    }
    let roots = parse(&text).unwrap_or_default();
    if let Some(error) = roots.iter().flat_map(|root| root.all("Error")).next() {
        let get = |name: &str| error.path_text(name).unwrap_or_default().to_owned();
        return (get("Code"), get("Message"));
    }
    let mut inside = false;
    let plain = text.chars().filter(|c| {
        let was = inside;
        inside = *c == '<' || (inside && *c != '>');
        !inside && !was
    });
    (String::new(), plain.take(2000).collect())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn judged(status: u16, body: &str) -> (ErrorKind, String) {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        let (code, said) = words(&answer);
        (kind(&answer, &code), said)
    }

    #[test]
    fn each_service_is_understood_in_its_own_words() {
        let ec2 = |status, code: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code><Message>Said &amp; done\
                 </Message></Error></Errors><RequestID>r</RequestID></Response>"
            );
            let (kind, said) = judged(status, &body);
            assert_eq!(said, "Said & done");
            kind
        };
        for (status, code, expected) in [
            (400, "InvalidVpcID.NotFound", ErrorKind::NotFound),
            (400, "InvalidAMIID.NotFound", ErrorKind::NotFound),
            (400, "InvalidParameterValue", ErrorKind::Invalid),
            (400, "InvalidPermission.Duplicate", ErrorKind::Conflict),
            (400, "InvalidGroup.InUse", ErrorKind::Conflict),
            (400, "InvalidSubnet.Conflict", ErrorKind::Conflict),
            (400, "DependencyViolation", ErrorKind::Conflict),
            (400, "VcpuLimitExceeded", ErrorKind::Quota),
            (400, "AddressLimitExceeded", ErrorKind::Quota),
            (500, "InsufficientInstanceCapacity", ErrorKind::NoCapacity),
            (503, "RequestLimitExceeded", THROTTLED),
            (503, "Unavailable", ErrorKind::Unknown),
            (500, "InternalError", ErrorKind::Unknown),
            (500, "NeverSeenBefore", ErrorKind::Unknown),
            (400, "NeverSeenBefore", ErrorKind::Invalid),
            (401, "AuthFailure", ErrorKind::Denied),
            (403, "UnauthorizedOperation", ErrorKind::Denied),
            (400, "RequestExpired", ErrorKind::Denied),
        ] {
            assert_eq!(ec2(status, code), expected, "{code}");
        }
    }

    #[test]
    fn json_and_pages_are_understood_too() {
        let json = r#"{"__type": "com.amazonaws.eks#ResourceInUseException:http://x", "message": "taken"}"#;
        assert_eq!(judged(409, json), (ErrorKind::Conflict, "taken".to_owned()));
        let elb = "<ErrorResponse><Error><Type>Sender</Type><Code>TooManyLoadBalancers</Code><Message>m</Message>\
                   </Error></ErrorResponse>";
        assert_eq!(judged(400, elb), (ErrorKind::Quota, "m".to_owned()));
        let (kind, said) = judged(502, "<html><b>Bad Gateway</b></html>");
        assert_eq!((kind, said.as_str()), (ErrorKind::Unknown, "Bad Gateway"));
    }
}
