//! Providers that ask for a signature: the server computes it from the request and lets nobody in without it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::web::{Asked, Says, Web};
use crate::{carafe_with, done};

const ID: &str = "AKID";
const SECRET: &str = "se+sa/me";

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.headers.get(name).map_or("", String::as_str)
}

fn query(asked: &Asked) -> &str {
    asked.path.split_once('?').map_or("", |(_, query)| query)
}

/// The value of a parameter.
fn parameter<'a>(asked: &'a Asked, name: &str) -> &'a str {
    query(asked).split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}

/// Syncs with the key, then without one and with another: these say what is wrong and show no key.
fn sync(web: &Web, provider: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let command = |key: &'static str| -> Vec<&str> {
        let fixed =
            ["catalog", "sync", provider, "--endpoint", &web.url, "--catalog", "c.db", "--credential", key];
        [&fixed[..], more].concat()
    };
    let variables =
        [("CARAFE_TEST_KEY", format!("{ID}:{SECRET}")), ("CARAFE_TEST_OTHER", format!("{ID}:no"))];
    let refused = carafe_with(folder.path(), &command("env:CARAFE_TEST_OTHER"), &variables);
    assert_eq!(refused.status.code(), Some(1), "another key is let in");
    let good = carafe_with(folder.path(), &command("env:CARAFE_TEST_KEY"), &variables);
    let said = String::from_utf8_lossy(&good.stderr).into_owned();
    assert!(good.status.success(), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    assert!(web.asked().iter().all(|asked| !format!("{asked:?}").contains(SECRET)), "the secret was sent");
    done(folder.path(), &["catalog", "find", "--catalog", "c.db", "--format", "json"])
}

#[test]
fn naver_cloud_lets_in_who_signs() {
    let page = |name: &str| {
        format!(
            r#"{{"getProductPriceListResponse":{{"totalRows":1001,"productPriceList":[{{"productCode":"c","productName":"{name}","productItemKind":{{"code":"VSVR"}},"cpuCount":2,"memorySize":8589934592,"priceList":[{{"region":{{"regionCode":"KR"}},"unit":{{"code":"USAGE_TIME"}},"price":110,"payCurrency":{{"code":"KRW"}},"startDate":"2026-01-01"}}]}}]}}}}"#
        )
    };
    let web = Web::start(move |asked: &Asked| {
        let text = format!("GET {}\n{}\n{ID}", asked.path, header(asked, "x-ncp-apigw-timestamp"));
        let expected = mac(SECRET.as_bytes(), &text);
        let sent = unbase64(header(asked, "x-ncp-apigw-signature-v2"));
        if header(asked, "x-ncp-iam-access-key") != ID || sent != expected {
            return Says::status(401);
        }
        Says::ok(page(if parameter(asked, "pageNo") == "1" { "s2-g3" } else { "s4-g3" }))
    });
    let found = sync(&web, "ncp", &[]);
    assert!(found.contains("s2-g3") && found.contains("s4-g3"), "both pages: {found}");
}

/// Takes base64 apart, by another way than the program puts it together.
fn unbase64(text: &str) -> Vec<u8> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| format!("{:06b}", letters.find(letter).expect("a letter of base64")))
        .collect();
    let whole = bits.len() / 8 * 8;
    (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).expect("bits")).collect()
}

#[test]
fn tencent_cloud_lets_in_who_signs() {
    let web = Web::start(|asked: &Asked| {
        let refused = r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"the signature is wrong"},"RequestId":"r"}}"#;
        let host = header(asked, "host");
        let canonical = format!(
            "GET\n/\n{}\ncontent-type:{}\nhost:{host}\n\ncontent-type;host\n{}",
            query(asked),
            header(asked, "content-type"),
            digest("")
        );
        let seconds: i64 = header(asked, "x-tc-timestamp").parse().expect("seconds");
        let proof = header(asked, "authorization");
        let scope = proof.split_once(&format!("Credential={ID}/")).expect("a scope").1;
        let scope = scope.split(',').next().expect("up to the comma");
        let date = scope.split('/').next().expect("a date");
        assert!(seconds / 86_400 > 20_000 && scope == format!("{date}/cvm/tc3_request"), "{proof}");
        let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", digest(&canonical));
        let key = mac(&mac(&mac(format!("TC3{SECRET}").as_bytes(), date), "cvm"), "tc3_request");
        if !proof.ends_with(&format!("Signature={}", hex(&mac(&key, &text)))) {
            return Says::ok(refused);
        }
        assert_eq!(header(asked, "x-tc-action"), "DescribeZoneInstanceConfigInfos");
        let price = if parameter(asked, "Filters.0.Values.0") == "SPOTPAID" { "0.05" } else { "0.25" };
        let charge = parameter(asked, "Filters.0.Values.0");
        Says::ok(format!(
            r#"{{"Response":{{"InstanceTypeQuotaSet":[{{"Zone":"{}-1","InstanceType":"S5.LARGE8","InstanceFamily":"S5","InstanceChargeType":"{charge}","Cpu":4,"Memory":8,"Status":"SELL","Price":{{"UnitPrice":{price},"UnitPriceDiscount":{price},"ChargeUnit":"HOUR"}}}}]}}}}"#,
            header(asked, "x-tc-region")
        ))
    });
    let found = sync(&web, "tencent", &["--region", "ap-seoul", "--region", "ap-tokyo"]);
    assert!(found.contains("tencent/ap-seoul") && found.contains("tencent/ap-tokyo"), "{found}");
    assert!(found.contains("0.25") && !found.contains("\"0.05\""), "{found}");
}

#[test]
fn alibaba_cloud_lets_in_who_signs_and_throttles_in_its_own_way() {
    let web = Web::start(|asked: &Asked| {
        let proof = header(asked, "authorization");
        let names = proof.split_once("SignedHeaders=").expect("names").1.split(',').next().expect("names");
        let lines: String =
            names.split(';').map(|name| format!("{name}:{}\n", header(asked, name))).collect();
        let canonical = format!("GET\n/\n{}\n{lines}\n{names}\n{}", query(asked), digest(""));
        let signature = hex(&mac(SECRET.as_bytes(), &format!("ACS3-HMAC-SHA256\n{}", digest(&canonical))));
        let is_signed =
            proof == format!("ACS3-HMAC-SHA256 Credential={ID},SignedHeaders={names},Signature={signature}");
        for needed in ["host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce"] {
            assert!(names.split(';').any(|name| name == needed), "{needed} is not signed");
        }
        if !is_signed {
            return Says::status(403);
        }
        match header(asked, "x-acs-action") {
            "DescribeInstanceTypes" if parameter(asked, "NextToken").is_empty() => Says::ok(
                r#"{"NextToken":"n+/=","InstanceTypes":{"InstanceType":[{"InstanceTypeId":"ecs.g7.large","InstanceTypeFamily":"ecs.g7","CpuCoreCount":2,"MemorySize":8,"CpuArchitecture":"X86"}]}}"#,
            ),
            "DescribeInstanceTypes" => Says::ok(
                r#"{"NextToken":"","InstanceTypes":{"InstanceType":[{"InstanceTypeId":"ecs.g7.xlarge","InstanceTypeFamily":"ecs.g7","CpuCoreCount":4,"MemorySize":16,"CpuArchitecture":"X86"}]}}"#,
            ),
            "DescribeAvailableResource" => Says::ok(
                r#"{"AvailableZones":{"AvailableZone":[{"AvailableResources":{"AvailableResource":[{"SupportedResources":{"SupportedResource":[{"Value":"ecs.g7.large","Status":"Available"},{"Value":"ecs.g7.xlarge","Status":"SoldOut"}]}}]}}]}}"#,
            ),
            "DescribePrice" if asked.before == 0 => {
                Says { status: 400, ..Says::ok(r#"{"Code":"Throttling.User","Message":"later"}"#) }
            }
            "DescribePrice" => {
                assert_eq!(
                    parameter(asked, "InstanceType"),
                    "ecs.g7.large",
                    "what is sold out is not asked for"
                );
                Says::ok(
                    r#"{"PriceInfo":{"Price":{"OriginalPrice":0.132,"DiscountPrice":0.0331,"TradePrice":0.0989,"Currency":"USD"}}}"#,
                )
            }
            other => panic!("nobody asks for {other}"),
        }
    });
    let found = sync(&web, "alibaba", &["--region", "ap-northeast-2"]);
    assert!(found.contains("ecs.g7.large") && found.contains("\"0.132\""), "the list price: {found}");
    assert!(!found.contains("ecs.g7.xlarge"), "{found}");
}
