//! What CB-Spider's error texts mean.
//!
//! Spider answers nearly every failure with status 500 and a sentence, its own or the cloud's, so the sentence is all
//! there is to tell a quota from a typing error. The words are those of Spider and of the clouds' API references.

use std::time::Duration;

use crate::drivers::ErrorKind;

/// How long to wait when a cloud behind Spider says "too many": Spider does not pass its wish on.
const AFTER_TOO_MANY: Duration = Duration::from_secs(10);

/// Kinds by the words that tell them, in lower case; the first row with a word that occurs counts.
///
/// What leaves the effect open comes first, and "does not exist" last: clouds say it of nearly everything.
const ROWS: &[(ErrorKind, &[&str])] = &[
    (
        ErrorKind::Unknown,
        &["timeout=", "timeout after", "deadline exceeded", "connection reset", "unexpected eof"],
    ),
    (
        ErrorKind::Throttled { retry_after: AFTER_TOO_MANY },
        &[
            "throttl",
            "toomanyrequests",
            "too many requests",
            "requestlimitexceeded",
            "rate exceeded",
            "rate limit",
        ],
    ),
    (
        ErrorKind::Denied,
        &[
            "authfailure",
            "invalidclienttokenid",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "unauthorizedoperation",
            "accessdenied",
            "access denied",
            "authorizationfailed",
            "authenticationfailed",
            "authentication failed",
            "invalid_client",
            "permission_denied",
            "not authorized",
            "unauthorized",
            "forbidden",
        ],
    ),
    (
        ErrorKind::NoCapacity,
        &[
            "insufficientinstancecapacity",
            "zone_resource_pool_exhausted",
            "resourceinsufficient",
            "operationdenied.nostock",
            "skunotavailable",
            "allocationfailed",
            "out of host capacity",
            "no valid host was found",
        ],
    ),
    (
        ErrorKind::Quota,
        &[
            "limitexceeded",
            "quotaexceeded",
            "quota exceeded",
            "exceeds quota",
            "exceeded quota",
            "operationnotallowed",
            "overquota",
            "can have only 1 vpc",
        ],
    ),
    (
        ErrorKind::Conflict,
        &[
            "already exist",
            "dependencyviolation",
            "in use",
            "inuse",
            "being used",
            "still has",
            "overlap",
            "resourcelocked",
        ],
    ),
    (
        ErrorKind::Invalid,
        &[
            "is empty!",
            "is not a valid",
            "invalid key in input",
            "invalidparameter",
            "malformed",
            "does not support",
            "not supported",
            "not implemented",
            "is not supported",
        ],
    ),
    (
        ErrorKind::NotFound,
        &[
            "does not exist",
            "not exist",
            "not found",
            "notfound",
            "failed to find",
            "no result",
            "is undefined",
        ],
    ),
];

/// Texts in which Spider says, before it asks the cloud for anything, that something is not there.
const LOOKED_FIRST: &[&str] =
    &["does not exist in connection", "image does not exist", "vmspec does not exist"];

/// The kind of refusal that a sentence tells.
///
/// After a call that `changes` something, a sentence that nobody knows leaves the effect open, and so does "not found" from
/// anywhere but Spider's own first look: Spider also says it of a machine that it made and then could not read.
pub(super) fn kind(message: &str, changes: bool) -> ErrorKind {
    let lower = message.to_lowercase();
    let row = ROWS.iter().find(|(_, words)| words.iter().any(|word| lower.contains(word)));
    match row.map(|(kind, _)| *kind) {
        Some(ErrorKind::NotFound) if changes && !LOOKED_FIRST.iter().any(|text| lower.contains(text)) => {
            ErrorKind::Unknown
        }
        Some(kind) => kind,
        None => ErrorKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_spider_and_of_clouds_tell_their_kind() {
        let throttled = ErrorKind::Throttled { retry_after: AFTER_TOO_MANY };
        for (message, changing, reading) in [
            ("VPC 'a' does not exist in connection 'c'", ErrorKind::NotFound, ErrorKind::NotFound),
            ("nope image does not exist!!", ErrorKind::NotFound, ErrorKind::NotFound),
            ("none VMSpec does not exist!!", ErrorKind::NotFound, ErrorKind::NotFound),
            ("failed to get the vm: not found", ErrorKind::Unknown, ErrorKind::NotFound),
            ("VPC 'a' already exists in connection 'c'", ErrorKind::Conflict, ErrorKind::Conflict),
            ("tag key 'x' already exists for the resource 'd1'", ErrorKind::Conflict, ErrorKind::Conflict),
            (
                "DependencyViolation: resource sg-1 has a dependent object",
                ErrorKind::Conflict,
                ErrorKind::Conflict,
            ),
            ("KT Cloud can have only 1 VPC!", ErrorKind::Quota, ErrorKind::Quota),
            ("VcpuLimitExceeded: You have requested more vCPU", ErrorKind::Quota, ErrorKind::Quota),
            (
                "InsufficientInstanceCapacity: We currently do not",
                ErrorKind::NoCapacity,
                ErrorKind::NoCapacity,
            ),
            (
                "No valid host was found. There are not enough hosts",
                ErrorKind::NoCapacity,
                ErrorKind::NoCapacity,
            ),
            ("AuthFailure: AWS was not able to validate", ErrorKind::Denied, ErrorKind::Denied),
            ("Code: UnauthorizedOperation, You are not authorized", ErrorKind::Denied, ErrorKind::Denied),
            ("Throttling: Rate exceeded", throttled, throttled),
            ("resources.VPCReqInfo:IId's input value is empty!", ErrorKind::Invalid, ErrorKind::Invalid),
            ("PublicIP is not supported", ErrorKind::Invalid, ErrorKind::Invalid),
            ("Invalid Key in input arguments. have [Region]", ErrorKind::Invalid, ErrorKind::Invalid),
            ("Timeout=600s, the VM does not exist", ErrorKind::Unknown, ErrorKind::Unknown),
            ("something went wrong", ErrorKind::Unknown, ErrorKind::Unknown),
            ("", ErrorKind::Unknown, ErrorKind::Unknown),
        ] {
            assert_eq!((kind(message, true), kind(message, false)), (changing, reading), "{message}");
        }
    }

    #[test]
    fn every_word_can_be_met() {
        for (_, words) in ROWS {
            for word in *words {
                assert_eq!(*word, word.to_lowercase());
            }
        }
    }
}
