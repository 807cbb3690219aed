//! Pages are followed, and credentials that have expired are fetched anew, once.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::drivers::aws::loopback::Server;

/// An agent of a container that gives another key each time, and a service beside it.
fn server(service: impl Fn(&str) -> (u16, String) + Send + 'static) -> Server {
    let given = AtomicUsize::new(0);
    Server::with_status(move |request| match request.starts_with("GET /credentials") {
        true => {
            let number = given.fetch_add(1, Ordering::Relaxed);
            (
                200,
                format!(r#"{{"AccessKeyId": "KEY{number}", "SecretAccessKey": "hunter2", "Token": "tok"}}"#),
            )
        }
        false => service(request),
    })
}

fn client(server: &Server) -> Client {
    let agent = format!("{}/credentials", server.url);
    let variables = |name: &str| match name {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" => Some(agent.clone()),
        _ => None,
    };
    let client = Client::open(&Settings::default(), &variables).expect("an agent");
    let all = Some(Url::parse(&server.url).expect("an address"));
    Client { endpoints: Endpoints { all, ..Endpoints::default() }, ..client }
}

#[tokio::test]
async fn every_page_is_read() {
    let server = server(|request| {
        let (name, next) = match request {
            request if request.contains("NextToken=second") => ("b", "third%"),
            request if request.contains("NextToken=third%25") => ("c", ""),
            _ => ("a", "second"),
        };
        let list = format!("<vpcSet><item><vpcId>{name}</vpcId></item></vpcSet>");
        (200, format!("<R>{list}<nextToken>{next}</nextToken></R>"))
    });
    let listed = client(&server).all("us-east-1", "DescribeVpcs", &Query::new(), "vpcSet").await;
    let listed = listed.expect("three pages");
    let names: Vec<&str> = listed.iter().map(|vpc| xml::text(vpc, "vpcId")).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn credentials_that_have_expired_are_fetched_anew_and_only_once() {
    let good_from = |first: &'static str| {
        server(move |request| match request.contains(&format!("Credential={first}/")) {
            true => (200, "<R><vpcSet/></R>".to_owned()),
            false => {
                let error = "<Error><Code>RequestExpired</Code><Message>too old</Message></Error>";
                (400, format!("<Response><Errors>{error}</Errors></Response>"))
            }
        })
    };
    let second = good_from("KEY1");
    let asked = client(&second);
    for _ in 0..2 {
        asked.call("us-east-1", EC2, "DescribeVpcs", &Query::new()).await.expect("the second key is good");
    }
    assert!(!second.seen().contains("KEY2/"), "{}", second.seen());

    let never = good_from("KEY9");
    let refused = client(&never).call("us-east-1", EC2, "DescribeVpcs", &Query::new()).await;
    assert_eq!(refused.expect_err("no key is good").kind, ErrorKind::Denied);
    assert!(!never.seen().contains("KEY2/"), "{}", never.seen());
}
