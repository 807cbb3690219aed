//! `catalog sync` against a server with pages, refusals and broken answers.

use crate::web::{Asked, Says, Web};
use crate::{carafe, done};

const SKUS: &str = r#"[{"resourceType":"virtualMachines","name":"Standard_D2s_v3","locations":["koreacentral"],"restrictions":[],"capabilities":[{"name":"vCPUs","value":"2"},{"name":"MemoryGB","value":"8"},{"name":"CpuArchitectureType","value":"x64"}]},
{"resourceType":"virtualMachines","name":"Standard_D4s_v3","locations":["koreacentral"],"restrictions":[],"capabilities":[{"name":"vCPUs","value":"4"},{"name":"MemoryGB","value":"16"},{"name":"CpuArchitectureType","value":"x64"}]}]"#;

fn row(name: &str, price: &str) -> String {
    format!(
        r#"{{"currencyCode":"USD","armRegionName":"koreacentral","armSkuName":"{name}","serviceName":"Virtual Machines","unitOfMeasure":"1 Hour","effectiveStartDate":"2026-08-01T00:00:00Z","skuName":"D","type":"Consumption","productName":"Virtual Machines DSv3 Series","retailPrice":{price}}}"#
    )
}

fn page(rows: &str, next: &str) -> String {
    format!(r#"{{"BillingCurrency":"USD","Items":[{rows}],"NextPageLink":{next},"Count":1}}"#)
}

#[test]
fn pages_are_followed_through_throttling_truncation_and_failure_and_not_fetched_twice() {
    let web = Web::start(|asked: &Asked| {
        if !asked.path.contains("Virtual+Machines") && !asked.path.contains("page=2") {
            return Says::ok(page("", "null"));
        }
        if asked.headers.get("if-none-match").is_some_and(|tag| tag == "\"v1\"") {
            return Says::status(304);
        }
        let tag = ("ETag", "\"v1\"".to_owned());
        let is_second = asked.path.contains("page=2");
        match (is_second, asked.before) {
            (false, 0) => Says { headers: vec![("Retry-After", "0".into())], ..Says::status(429) },
            (false, 1) => {
                Says { breaks_off: true, ..Says::ok(page(&row("Standard_D2s_v3", "0.118"), "\"x\"")) }
            }
            (true, 0) => Says::status(503),
            (false, _) => Says {
                headers: vec![tag],
                ..Says::ok(page(&row("Standard_D2s_v3", "0.118"), "\"/api/retail/prices?page=2\""))
            },
            (true, _) => {
                Says { headers: vec![tag], ..Says::ok(page(&row("Standard_D4s_v3", "0.236"), "null")) }
            }
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("skus.json"), SKUS).expect("writable");
    let command =
        ["catalog", "sync", "azure", "--endpoint", &web.url, "--with", "skus.json", "--catalog", "c.db"];
    let said = done(folder, &command);
    assert!(said.contains("revision 1"), "{said}");
    let shown = done(folder, &["catalog", "find", "--catalog", "c.db", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let hours: Vec<_> =
        shown["found"].as_array().expect("a list").iter().map(|m| m["hour"].as_str()).collect();
    assert_eq!(hours, [Some("0.118"), Some("0.236")]);
    let again = done(folder, &command);
    assert!(again.contains("2 had not changed") && again.contains("has all of it already"), "{again}");
}

#[test]
fn a_server_that_refuses_or_leads_elsewhere_leaves_the_catalog_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (answer, expected) in [
        (Says::status(403), "403"),
        (Says::ok("<html>Sign in</html>"), "something else than a price list"),
        (Says::ok(page("", "\"http://elsewhere.example/x\"")), "on another server"),
    ] {
        let answer = std::sync::Mutex::new(Some(answer));
        let web = Web::start(move |_| {
            answer.lock().expect("one request").take().unwrap_or_else(|| Says::status(500))
        });
        let refused =
            carafe(folder, &["catalog", "sync", "azure", "--endpoint", &web.url, "--catalog", "c.db"]);
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(web.asked().len(), 1, "what is final is not asked for again");
    }
    let empty = done(folder, &["catalog", "history", "--catalog", "c.db", "--format", "json"]);
    assert!(empty.contains("\"revisions\": []"), "{empty}");
}

#[test]
fn a_key_is_sent_in_a_header_and_shown_nowhere() {
    let web = Web::start(|asked| match asked.headers.get("x-goog-api-key").map(String::as_str) {
        Some("sesame") => Says::ok(r#"{"skus":[],"nextPageToken":""}"#),
        _ => Says::status(401),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["catalog", "sync", "gcp", "--endpoint", &web.url, "--catalog", "c.db", "--credential"];
    let output = carafe(folder.path(), &[&command[..], &["env:CARAFE_TEST_KEY"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Without machine types there is nothing to price; the server was content.
    assert!(said.contains("CAT-2205") && !said.contains("sesame"), "{said}");
    assert!(web.asked().iter().all(|asked| !asked.path.contains("sesame") && asked.body.is_empty()));
    let plain = carafe(folder.path(), &[&command[..], &["sesame"]].concat());
    assert_eq!(plain.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&plain.stderr).contains("sesame"));
}

#[test]
fn spider_and_exchange_rates_are_fetched_by_their_own_requests() {
    let spider = Web::start(|asked| {
        let path = asked.path.split('?').next().unwrap_or_default();
        assert!(asked.path.ends_with("ConnectionName=aws-seoul"), "{}", asked.path);
        match path {
            "/spider/priceinfo/vm/ap-northeast-2" => Says::ok(
                r#"{"Meta":{"Version":"0.5"},"CloudName":"AWS","RegionName":"ap-northeast-2","PriceList":[{"ZoneName":"NA","ProductInfo":{"ProductId":"x","VMSpecName":"t3.large"},"PriceInfo":{"OnDemand":{"Unit":"Hrs","Currency":"USD","Price":"0.1040000000"}}}]}"#,
            ),
            "/spider/vmspec" => Says::ok(
                r#"{"vmspec":[{"Region":"ap-northeast-2","Name":"t3.large","VCpu":{"Count":"2","ClockGHz":"-1"},"MemSizeMiB":"8192","Gpu":null,"KeyValueList":[]}]}"#,
            ),
            "/spider/regionzone" => Says::ok(
                r#"{"regionzone":[{"Name":"ap-northeast-2","DisplayName":"Seoul","ZoneList":[{"Name":"ap-northeast-2a","Status":"Available"}]}]}"#,
            ),
            _ => Says::status(404),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let endpoint = format!("{}/spider", spider.url);
    done(
        folder,
        &[
            "catalog",
            "sync",
            "spider",
            "--endpoint",
            &endpoint,
            "--connection",
            "aws-seoul",
            "--region",
            "ap-northeast-2",
        ],
    );
    let found =
        done(folder, &["catalog", "find", "--memory", "8", "--catalog", ".local/share/carafe/catalog.db"]);
    assert!(found.contains("0.104") && found.contains("aws/ap-northeast-2"), "{found}");

    let bank = Web::start(|_| {
        Says::ok(r#"{"amount":1.0,"base":"USD","date":"2026-11-20","rates":{"KRW":1468.32,"EUR":0.86}}"#)
    });
    std::fs::write(
        folder.join("krw.csv"),
        crate::card("nhn", "KR1", "KRW", "2026-10-01", &[("m2", "146.832")]),
    )
    .expect("writable");
    done(folder, &["catalog", "import", "krw.csv"]);
    done(folder, &["catalog", "sync", "fx", "--endpoint", &bank.url]);
    let found = done(
        folder,
        &[
            "catalog",
            "find",
            "--provider",
            "nhn",
            "--catalog",
            ".local/share/carafe/catalog.db",
            "--format",
            "json",
        ],
    );
    let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    let machine = &found["found"][0];
    assert!(
        machine["hour"].as_str().is_some_and(|hour| hour.starts_with("0.1") || hour.starts_with("0.0999")),
        "{machine}"
    );
}

#[test]
fn an_aws_region_is_fetched_by_way_of_its_index() {
    let offer = r#"{"offerCode":"AmazonEC2","publicationDate":"2026-11-20T00:00:00Z","products":{"S":{"sku":"S","productFamily":"Compute Instance","attributes":{"regionCode":"ap-northeast-2","instanceType":"m5.large","vcpu":"2","memory":"8 GiB","tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux"}}},"terms":{"OnDemand":{"S":{"S.J":{"priceDimensions":{"d":{"unit":"Hrs","pricePerUnit":{"USD":"0.118"}}}}}}}}"#;
    let web = Web::start(move |asked| match asked.path.as_str() {
        "/offers/v1.0/aws/AmazonEC2/current/region_index.json" => Says::ok(
            r#"{"regions":{"ap-northeast-2":{"regionCode":"ap-northeast-2","currentVersionUrl":"/offers/v1.0/aws/AmazonEC2/20261120/ap-northeast-2/index.json"}}}"#,
        ),
        "/offers/v1.0/aws/AmazonEC2/20261120/ap-northeast-2/index.json" => Says::ok(offer),
        _ => Says::status(404),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["catalog", "sync", "aws", "--endpoint", &web.url, "--catalog", "c.db"];
    assert_eq!(carafe(folder.path(), &command).status.code(), Some(1), "a region must be named");
    let said = done(folder.path(), &[&command[..], &["--region", "ap-northeast-2"]].concat());
    assert!(said.contains("revision 1"), "{said}");
}

/// The list of an AWS region, long enough to break off in the middle.
fn long_offer(price: &str) -> String {
    let offer = r#"{"offerCode":"AmazonEC2","publicationDate":"2026-11-20T00:00:00Z","products":{"S":{"sku":"S","productFamily":"Compute Instance","attributes":{"regionCode":"ap-northeast-2","instanceType":"m5.large","vcpu":"2","memory":"8 GiB","tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux"}}},"terms":{"OnDemand":{"S":{"S.J":{"priceDimensions":{"d":{"unit":"Hrs","pricePerUnit":{"USD":"PRICE"}}}}}}}}"#;
    offer.replace("PRICE", price) + &" ".repeat(100_000)
}

const INDEX: &str =
    r#"{"regions":{"ap-northeast-2":{"regionCode":"ap-northeast-2","currentVersionUrl":"/list"}}}"#;

fn region_index(asked: &Asked) -> bool {
    asked.path == "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
}

#[test]
fn a_list_that_breaks_off_is_gone_on_with_where_it_broke_off() {
    let web = Web::start(|asked: &Asked| match asked.path.as_str() {
        _ if region_index(asked) => Says::ok(INDEX),
        "/list" => Says {
            edition: Some("\"v1\"".into()),
            breaks_off: asked.before < 2,
            ..Says::ok(long_offer("0.118"))
        },
        _ => Says::status(404),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["catalog", "sync", "aws", "--endpoint", &web.url, "--catalog", "c.db"];
    done(folder.path(), &[&command[..], &["--region", "ap-northeast-2"]].concat());
    let found = done(folder.path(), &["catalog", "find", "--catalog", "c.db"]);
    assert!(found.contains("0.118"), "{found}");
    let asked: Vec<Asked> = web.asked().into_iter().filter(|asked| asked.path == "/list").collect();
    let whole = long_offer("0.118").len();
    let ranges: Vec<_> = asked.iter().map(|asked| asked.headers.get("range").cloned()).collect();
    let half = whole / 2;
    let three_quarters = half + (whole - half) / 2;
    let expected = [None, Some(format!("bytes={half}-")), Some(format!("bytes={three_quarters}-"))];
    assert_eq!(ranges, expected, "half came, then half of the rest, then the rest");
}

#[test]
fn another_edition_is_never_joined_to_what_was_begun() {
    let web = Web::start(|asked: &Asked| match asked.path.as_str() {
        _ if region_index(asked) => Says::ok(INDEX),
        "/list" if asked.before == 0 => {
            Says { edition: Some("\"v1\"".into()), breaks_off: true, ..Says::ok(long_offer("0.118")) }
        }
        "/list" => Says { edition: Some("\"v2\"".into()), ..Says::ok(long_offer("0.2")) },
        _ => Says::status(404),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["catalog", "sync", "aws", "--endpoint", &web.url, "--catalog", "c.db"];
    done(folder.path(), &[&command[..], &["--region", "ap-northeast-2"]].concat());
    let found = done(folder.path(), &["catalog", "find", "--catalog", "c.db"]);
    assert!(found.contains("0.2") && !found.contains("0.118"), "{found}");
}

const ORACLE: &str = r#"{"lastUpdated":"2026-09-01T14:26:53Z","items":[{"partNumber":"B1","displayName":"Compute - Standard - E4 - OCPU","metricName":"OCPU Per Hour","serviceCategory":"Compute - Virtual Machine","currencyCodeLocalizations":[{"currencyCode":"USD","prices":[{"model":"PAY_AS_YOU_GO","value":0.025}]}]},
{"partNumber":"B2","displayName":"Compute - Standard - E4 - Memory","metricName":"Gigabyte Per Hour","serviceCategory":"Compute - Virtual Machine","currencyCodeLocalizations":[{"currencyCode":"USD","prices":[{"model":"PAY_AS_YOU_GO","value":0.0015}]}]}]}"#;

#[test]
fn several_providers_are_asked_at_once_and_land_together_or_not_at_all() {
    // Each server answers only after the other was asked too: one after the other would never end.
    let both = std::sync::Arc::new(std::sync::Barrier::new(2));
    let (meet_oracle, meet_bank) = (both.clone(), both);
    let oracle = Web::start(move |asked: &Asked| {
        if asked.before == 0 {
            meet_oracle.wait();
        }
        Says::ok(ORACLE)
    });
    let bank = Web::start(move |asked: &Asked| {
        if asked.before == 0 {
            meet_bank.wait();
        }
        Says::ok(r#"{"amount":1.0,"base":"USD","date":"2026-11-20","rates":{"KRW":1468.32}}"#)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let endpoints = [format!("oci={}", oracle.url), format!("fx={}", bank.url)];
    let command =
        ["catalog", "sync", "oci", "fx", "--catalog", "c.db", "--endpoint", &endpoints[0], "--endpoint"];
    let said = done(folder, &[&command[..], &[&endpoints[1]]].concat());
    assert!(
        said.contains("revision 1") && said.contains("oci: 1 lists") && said.contains("fx: 1 lists"),
        "{said}"
    );

    let broken = Web::start(|_| Says::ok("<html>Sign in</html>"));
    let broken = format!("fx={}", broken.url);
    let refused = carafe(folder, &[&command[..], &[&broken]].concat());
    assert_eq!(refused.status.code(), Some(1));
    let history = done(folder, &["catalog", "history", "--catalog", "c.db", "--format", "json"]);
    assert_eq!(history.matches("\"revision\"").count(), 1, "{history}");
    let unnamed = carafe(folder, &[&command[..], &["http://127.0.0.1:1"]].concat());
    assert_eq!(unnamed.status.code(), Some(2));
}
