//! Each source of credentials, from files and from servers on the loopback interface.

use std::net::TcpListener;
use std::path::Path;

use super::*;
use crate::drivers::aws::client::Endpoints;
use crate::drivers::aws::loopback::Server;
use crate::drivers::rest::Rest;

fn found(variables: &[(&str, &str)]) -> Result<Source, DriverError> {
    find(&Settings::default(), &|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

async fn fetched(source: &Source, variables: &[(&str, &str)]) -> Result<Credentials, DriverError> {
    let rest = Rest::new(Vec::new()).expect("a client");
    let endpoints = Endpoints::read(&Settings::default(), &|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    let endpoints = endpoints.expect("good addresses");
    fetch(source, &Asker { rest: &rest, endpoints: &endpoints, region: "us-east-1" }).await
}

fn told(credentials: &Credentials) -> (&str, &str, Option<&str>) {
    let token = credentials.session_token.as_ref().map(Secret::expose);
    (&credentials.access_key_id, credentials.secret_access_key.expose(), token)
}

fn files(folder: &Path, config: &str, credentials: &str) -> Vec<(&'static str, String)> {
    let aws = folder.join(".aws");
    std::fs::create_dir_all(&aws).expect("a folder");
    std::fs::write(aws.join("config"), config).expect("writable");
    std::fs::write(aws.join("credentials"), credentials).expect("writable");
    vec![("HOME", folder.display().to_string()), ("AWS_EC2_METADATA_DISABLED", "true".to_owned())]
}

fn with<'v>(files: &'v [(&'static str, String)], more: &[(&'v str, &'v str)]) -> Vec<(&'v str, &'v str)> {
    let files = files.iter().map(|(name, value)| (*name, value.as_str()));
    files.chain(more.iter().copied()).collect()
}

const AGENT: &str = r#"{"Code": "Success", "AccessKeyId": "AKIAX", "SecretAccessKey": "hunter2", "Token": "tok",
    "Expiration": "2126-11-22T10:00:00Z"}"#;

fn sts(action: &str) -> String {
    format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>AKIAX</AccessKeyId><SecretAccessKey>hunter2\
         </SecretAccessKey><SessionToken>tok</SessionToken><Expiration>2126-11-22T10:00:00Z</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}

#[tokio::test]
async fn the_environment_comes_before_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), "", "[default]\naws_access_key_id = F\naws_secret_access_key = f\n");
    let keys = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e"), ("AWS_SESSION_TOKEN", "t")];
    let variables = with(&files, &keys);
    let of_environment = fetched(&found(&variables).expect("keys"), &variables).await.expect("here");
    assert_eq!(told(&of_environment), ("E", "e", Some("t")));
    let variables = with(&files, &[]);
    let of_file = fetched(&found(&variables).expect("keys"), &variables).await.expect("here");
    assert_eq!(told(&of_file), ("F", "f", None));
    assert!(!format!("{of_environment:?}").contains("\"e\""), "a secret is never shown");
}

#[tokio::test]
async fn a_profile_is_found_by_name_and_both_files_are_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(
        folder.path(),
        "# ours\n[default]\nregion = eu-west-1\n[profile work]\nregion = us-east-1 # near\ns3 =\n  aws_access_key_id = no\n",
        "[work]\naws_access_key_id = W\naws_secret_access_key = w\n",
    );
    let variables = with(&files, &[("AWS_PROFILE", "work")]);
    let work = fetched(&found(&variables).expect("keys"), &variables).await.expect("here");
    assert_eq!(told(&work), ("W", "w", None));
    let unknown = found(&with(&files, &[("AWS_PROFILE", "home")])).expect_err("there is none");
    assert_eq!(unknown.kind, ErrorKind::Denied);
    assert!(unknown.message.contains("profile \"home\""), "{unknown}");
    // A default profile that only sets a region says nothing about who asks.
    assert_eq!(found(&with(&files, &[])).expect_err("nobody").kind, ErrorKind::Denied);
}

#[tokio::test]
async fn a_role_is_taken_with_the_keys_of_another_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(
        folder.path(),
        "[profile admin]\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = base\nexternal_id = ext\n\
         [profile round]\nrole_arn = r\nsource_profile = about\n[profile about]\nrole_arn = r\nsource_profile = round\n",
        "[base]\naws_access_key_id = B\naws_secret_access_key = b\n",
    );
    let server = Server::start(|_| Some(sts("AssumeRole")));
    let variables = with(&files, &[("AWS_PROFILE", "admin"), ("AWS_ENDPOINT_URL_STS", server.url.as_str())]);
    let taken = fetched(&found(&variables).expect("a role"), &variables).await.expect("STS agrees");
    assert_eq!(told(&taken), ("AKIAX", "hunter2", Some("tok")));
    assert!(taken.expires.is_some_and(|expires| expires > 4_000_000_000_000));
    let seen = server.seen();
    assert!(seen.contains("Credential=B/") && seen.contains("ExternalId=ext"), "{seen}");
    let endless = found(&with(&files, &[("AWS_PROFILE", "round")])).expect_err("no end");
    assert_eq!(endless.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_web_identity_is_exchanged_without_a_signature() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "ey.jwt\n").expect("writable");
    let server = Server::start(|_| Some(sts("AssumeRoleWithWebIdentity")));
    let path = token.display().to_string();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"),
        ("AWS_ENDPOINT_URL_STS", server.url.as_str()),
    ];
    let source = found(&variables).expect("a web identity");
    let taken = fetched(&source, &variables).await.expect("STS agrees");
    assert_eq!(told(&taken), ("AKIAX", "hunter2", Some("tok")));
    let seen = server.seen();
    assert!(seen.contains("WebIdentityToken=ey.jwt") && !seen.contains("authorization"), "{seen}");
    std::fs::remove_file(token).expect("there");
    assert_eq!(fetched(&source, &variables).await.expect_err("no token").kind, ErrorKind::Denied);
}

#[tokio::test]
async fn a_sign_in_is_used_as_long_as_it_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(
        folder.path(),
        "[profile dev]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Dev\n\
         [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n",
        "",
    );
    let server = Server::start(|_| {
        let told = r#"{"roleCredentials": {"accessKeyId": "AKIAX", "secretAccessKey": "hunter2", "sessionToken": "tok",
            "expiration": 4900000000000}}"#;
        Some(told.to_owned())
    });
    let variables = with(&files, &[("AWS_PROFILE", "dev"), ("AWS_ENDPOINT_URL_SSO", server.url.as_str())]);
    let source = found(&variables).expect("a sign-in");
    let none = fetched(&source, &variables).await.expect_err("nobody signed in");
    assert_eq!(none.kind, ErrorKind::Denied);
    assert!(none.message.contains("aws sso login --profile dev"), "{none}");
    let cache = folder.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).expect("a folder");
    let leave = |name: &str, expires: &str| {
        let text = format!(
            r#"{{"startUrl": "https://corp.example/start/", "accessToken": "of-{name}", "expiresAt": "{expires}"}}"#
        );
        std::fs::write(cache.join(name), text).expect("writable");
    };
    leave("old.json", "2020-01-01T00:00:00Z");
    assert_eq!(fetched(&source, &variables).await.expect_err("expired").kind, ErrorKind::Denied);
    leave("new.json", "2126-01-01T00:00:00Z");
    let taken = fetched(&source, &variables).await.expect("signed in");
    assert_eq!((told(&taken), taken.expires), (("AKIAX", "hunter2", Some("tok")), Some(4_900_000_000_000)));
    let seen = server.seen();
    assert!(seen.contains("of-new.json") && seen.contains("role_name=Dev&account_id=123"), "{seen}");
}

#[tokio::test]
async fn a_container_shows_its_token_and_only_near_by() {
    let server = Server::start(|_| Some(AGENT.to_owned()));
    let url = format!("{}/creds", server.url);
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer x"),
    ];
    let taken = fetched(&found(&variables).expect("a container"), &variables).await.expect("an agent");
    assert_eq!(told(&taken), ("AKIAX", "hunter2", Some("tok")));
    assert!(server.seen().contains("authorization: Bearer x"), "{}", server.seen());
    let far = found(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/creds")]);
    assert_eq!(far.expect_err("in the open").kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_machine_asks_about_itself_with_a_token() {
    let server = Server::start(|request| {
        let first = request.lines().next().unwrap_or_default();
        let is_known = request.contains("x-aws-ec2-metadata-token: secret-token");
        match first.split(' ').collect::<Vec<_>>()[..2] {
            ["PUT", "/latest/api/token"] => Some("secret-token".to_owned()),
            ["GET", "/latest/meta-data/iam/security-credentials/"] if is_known => {
                Some("web-role\n".to_owned())
            }
            ["GET", "/latest/meta-data/iam/security-credentials/web-role"] if is_known => {
                Some(AGENT.to_owned())
            }
            _ => None,
        }
    });
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str())];
    let taken = fetched(&found(&variables).expect("a machine"), &variables).await.expect("a role");
    assert_eq!(told(&taken), ("AKIAX", "hunter2", Some("tok")));

    let nothing = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let nothing = format!("http://{nothing}");
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", nothing.as_str())];
    let none = fetched(&found(&variables).expect("perhaps"), &variables).await.expect_err("no machine");
    assert_eq!(none.kind, ErrorKind::Denied);
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    assert_eq!(found(&off).expect_err("nothing is left").kind, ErrorKind::Denied);
}

#[test]
fn moments_are_read() {
    assert_eq!(fetch::millis("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(fetch::millis("2015-08-30T12:36:00.123Z"), Some(1_440_938_160_000));
    assert_eq!(fetch::millis("2024-02-29T23:59:59UTC"), Some(1_709_251_199_000));
    for text in ["", "2015-08-30", "2015-13-30T12:36:00Z", "yesterday at noon o'clock"] {
        assert_eq!(fetch::millis(text), None, "{text}");
    }
}
