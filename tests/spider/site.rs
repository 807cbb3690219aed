//! A whole site through the real program: prices, plan, dry run, apply, killed and resumed, destroyed to nothing.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use carafe::drivers::secret::Secret;
use carafe::drivers::spider::api_of;
use carafe::drivers::spider::setup::{Registration, register};
use serde_json::{Value, json};

const CONNECTION: &str = "carafe-site";

/// MOCK's machines at prices of our own: Spider's price list of MOCK names other types.
const TABLES: [(&str, &str); 4] = [
    (
        "regions.csv",
        "provider,region,display,country,zones,lat,lon\nmock,default,Mock,KR,default-z1|default-z3,36.4,127.4\n",
    ),
    (
        "specs.csv",
        "provider,spec,family,arch,vcpu,memory_gib,gpu_count,burstable\n\
         mock,mock-vmspec-01,mock,x86_64,4,32,0,0\nmock,mock-vmspec-03,mock,x86_64,8,61,0,0\n",
    ),
    (
        "prices.csv",
        "provider,region,spec,usd_per_hour_linux_ondemand,source,as_of\n\
         mock,default,mock-vmspec-01,0.2,test,2026-11-01\nmock,default,mock-vmspec-03,0.3,test,2026-11-01\n",
    ),
    (
        "storage.csv",
        "provider,region,service,disk_type,media,usd_per_gb_month,source,as_of\n\
         mock,default,Disk,SSD,ssd,0.05,test,2026-11-01\n",
    ),
];

/// Six machines, two of them behind a load balancer, with a data disk each.
fn estate() -> Value {
    let hosts: Vec<Value> = (1..=6)
        .map(|number| {
            let name = format!("shop-{number}");
            json!({
                "id": name, "name": name, "architecture": "x86_64", "vcpus": 4, "memory_mib": 8192,
                "os": {"family": "linux", "name": "Ubuntu 18.04.6 LTS", "version": "18.04"},
                "disks": [{"name": "sda", "size_gib": 40}, {"name": "sdb", "size_gib": 100}],
                "public_address": number == 1,
            })
        })
        .collect();
    json!({
        "carafe": "estate/1", "name": "site", "hosts": hosts,
        "load_balancers": [{
            "id": "shop", "protocol": "tcp", "port": 443, "public": true, "members": ["shop-1", "shop-2"],
            "member_port": 8443,
        }],
    })
}

struct Site {
    folder: tempfile::TempDir,
    password: String,
}

impl Site {
    fn start(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
        command.args(line.split(' ')).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("SITE_PASSWORD", &self.password);
        command
    }

    fn run(&self, line: &str) -> Output {
        self.start(line).output().expect("the program runs")
    }

    fn done(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "carafe {line}\n{stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("writable");
    }

    fn has(&self, name: &str) -> bool {
        Path::new(self.folder.path()).join(name).exists()
    }
}

/// The program acts; what is left is read from the server itself.
pub async fn is_made_resumed_and_destroyed(
    url: &str,
    user: &str,
    password: &str,
    secret: impl Fn(&str) -> Secret,
) {
    let api = api_of(url, Some(user), Some(&secret(password)), &[]).expect("a good address");
    let credential = [("MockName".to_owned(), secret(CONNECTION))];
    let wanted = Registration {
        cloud: "MOCK",
        connection: CONNECTION,
        region: "default",
        zone: None,
        credential: &credential,
    };
    register(&api, &wanted).await.expect("it can be registered");
    let left = async || {
        let mut left = Vec::new();
        for kind in ["vpc", "securitygroup", "keypair", "vm", "disk", "nlb", "cluster"] {
            let path = format!("all{kind}");
            let query = [("ConnectionName", CONNECTION)];
            let all = api.call(reqwest::Method::GET, &[&path], &query, None, Duration::from_secs(60)).await;
            let all = all.expect("readable");
            for list in ["MappedList", "OnlySpiderList", "OnlyCSPList"] {
                let rows = all["AllList"][list].as_array().cloned().unwrap_or_default();
                left.extend(rows.iter().map(|row| format!("{kind} {}", row["NameId"])));
            }
        }
        left
    };
    assert_eq!(left().await, Vec::<String>::new(), "an earlier trial left something");

    let site = Site { folder: tempfile::tempdir().expect("a folder"), password: password.to_owned() };
    for (name, text) in TABLES {
        site.write(name, text);
    }
    site.write("estate.json", &estate().to_string());
    site.write("policy.toml", "[targets]\nproviders = [\"mock\"]\n");
    site.write(
        "connections.toml",
        &format!(
            "[[connection]]\nname = \"mock\"\nprovider = \"mock\"\nregion = \"default\"\ndriver = \"spider\"\n\
             endpoint = \"{url}\"\nconnection = \"{CONNECTION}\"\ncloud = \"MOCK\"\nuser = \"{user}\"\n\
             password = \"env:SITE_PASSWORD\"\nkeys = \"keys\"\n"
        ),
    );
    site.done(
        "catalog import regions.csv specs.csv prices.csv storage.csv --as normalised -o mock.snapshot",
        0,
    );
    site.done("plan estate.json --policy policy.toml --catalog mock.snapshot -o plan.json", 0);
    site.done("connections check", 0);
    let dry =
        site.done("apply plan.json --dry-run --connections connections.toml --journal j.db --format json", 0);
    let dry: Value = serde_json::from_str(&dry).expect("JSON");
    let steps = dry["dry_run"]["steps"].as_array().expect("steps");
    let to_make = steps.iter().filter(|step| step["change"] == "make").count();
    assert!(to_make > 20, "{to_make}");
    assert_eq!(left().await, Vec::<String>::new(), "a dry run changes nothing");

    // Killed somewhere in the middle, a little later each time until it ends by itself.
    let mut delay = Duration::from_millis(40);
    let mut line = "apply plan.json --connections connections.toml --journal j.db --auto-approve".to_owned();
    loop {
        let mut child =
            site.start(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let begun = Instant::now();
        let ended = loop {
            match child.try_wait().expect("a child") {
                Some(status) => break status.code(),
                None if begun.elapsed() > delay => {
                    child.kill().expect("it can be killed");
                    child.wait().expect("it ends");
                    break None;
                }
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        if let Some(code) = ended {
            assert_eq!(code, 5, "people have to copy the data");
            break;
        }
        delay = delay.mul_f32(1.5);
        assert!(delay < Duration::from_secs(600), "it never ends");
        if site.has("j.db") && site.done("status --journal j.db", 0).contains("site") {
            line = "resume --connections connections.toml --journal j.db".to_owned();
        }
    }
    site.done("resume --connections connections.toml --journal j.db --confirm all", 0);
    assert_eq!(
        left().await.len(),
        1 + 6 + 1 + 6 + 6 + 1,
        "one network, groups, a key, machines, disks, a balancer"
    );
    let again =
        site.done("apply plan.json --dry-run --connections connections.toml --journal j.db --format json", 0);
    let again: Value = serde_json::from_str(&again).expect("JSON");
    let changes: Vec<&Value> =
        again["dry_run"]["steps"].as_array().expect("steps").iter().map(|s| &s["change"]).collect();
    assert!(changes.iter().all(|change| **change != "make"), "{changes:?}");
    assert!(site.has("keys/site-key.pem"));
    let journal = std::fs::read(site.folder.path().join("j.db")).expect("readable");
    let key = std::fs::read(site.folder.path().join("keys/site-key.pem")).expect("readable");
    assert!(!journal.windows(key.len()).any(|bytes| bytes == key), "a private key is in the journal");

    site.done("destroy --connections connections.toml --journal j.db --auto-approve --destroy-data site", 0);
    assert_eq!(left().await, Vec::<String>::new(), "zero leftovers");
    let swept = site.done("sweep --connections connections.toml --journal j.db --format json", 0);
    let swept: Value = serde_json::from_str(&swept).expect("JSON");
    assert_eq!(swept["orphans"].as_array().map(Vec::len), Some(0), "{swept}");
}
