use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::drivers::secret::SecretRef;

/// Answers one connection with these bytes after it has read a request, and closes it.
async fn server(answer: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    });
    Url::parse(&url).expect("an address")
}

async fn get(url: Url) -> Result<Answer, DriverError> {
    let rest = Rest::new(Vec::new()).expect("a client");
    rest.send(Request::new(Method::GET, url, Duration::from_secs(20))).await
}

fn kind(result: &Result<Answer, DriverError>) -> ErrorKind {
    result.as_ref().expect_err("no answer").kind
}

#[tokio::test]
async fn what_never_left_changed_nothing_and_may_be_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    let refused = get(Url::parse(&url).expect("an address")).await;
    assert!(matches!(kind(&refused), ErrorKind::Throttled { .. }), "{refused:?}");
    assert!(refused.expect_err("refused").message.starts_with("127.0.0.1 cannot be reached"));
}

#[tokio::test]
async fn what_left_and_was_not_answered_is_unknown() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let lost = get(server(answer).await).await;
        assert_eq!(kind(&lost), ErrorKind::Unknown, "{answer:?}");
    }
    let answered =
        get(server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await).await.expect("an answer");
    assert_eq!(answered.json::<serde_json::Value>().expect_err("no JSON").kind, ErrorKind::Unknown);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_trusted_and_not_asked_again() {
    let mut url = server("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    url.set_scheme("https").expect("a web address");
    let refused = get(url).await;
    assert_eq!(kind(&refused), ErrorKind::Invalid, "{refused:?}");
}

#[tokio::test]
async fn a_status_of_failure_is_an_answer_with_a_usual_meaning() {
    for (answer, expected) in [
        ("401 Unauthorized\r\n", ErrorKind::Denied),
        ("404 Not Found\r\n", ErrorKind::NotFound),
        ("409 Conflict\r\n", ErrorKind::Conflict),
        ("422 Unprocessable\r\n", ErrorKind::Invalid),
        ("429 Too Many\r\nretry-after: 7\r\n", ErrorKind::Throttled { retry_after: Duration::from_secs(7) }),
        ("503 Unavailable\r\nretry-after: 7\r\n", ErrorKind::Unknown),
    ] {
        let text: &'static str = format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n").leak();
        let answered = get(server(text).await).await.expect("an answer");
        assert_eq!(answered.kind(), expected);
        assert!(!answered.is_success());
    }
}

#[test]
fn messages_hold_no_secret_and_no_control_character() {
    let secret = |text: &str| {
        SecretRef::parse("env:TOKEN").expect("a name").fetch(&|_| Some(text.to_owned())).expect("it is set")
    };
    let rest = Rest::new(vec![secret("hunter2"), secret("a")]).expect("a client");
    assert_eq!(rest.clean("said \u{1b}[31m hunter2,\nhunter2 a"), "said [31m [redacted], [redacted] a");
    assert_eq!(rest.clean(&"x".repeat(10_000)).chars().count(), MOST_MESSAGE + 1);
    let header = |value| {
        let url = Url::parse("http://a/").expect("an address");
        Request::new(Method::GET, url, Duration::from_secs(1))
            .secret_header(reqwest::header::AUTHORIZATION, value)
    };
    assert!(!format!("{:?}", header("hunter2").expect("a good value")).contains("hunter2"));
    assert!(!header("hunter2\n").expect_err("a line break").message.contains("hunter2"));
}

#[test]
fn an_address_is_read_without_credentials_and_with_one_slash() {
    let base = |text| base_url("endpoint", text).map(|url| url.to_string());
    assert_eq!(base("https://cloud.example:8443/api").as_deref(), Ok("https://cloud.example:8443/api/"));
    assert_eq!(base("http://cloud.example").as_deref(), Ok("http://cloud.example/"));
    for text in ["cloud.example", "ftp://cloud.example", "https://u:hunter2@cloud.example", ""] {
        let refused = base_url("endpoint", text).expect_err(text);
        assert!(!refused.message.contains("hunter2") && refused.kind == ErrorKind::Invalid);
    }
}
