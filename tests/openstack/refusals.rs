//! What a dry run says before anything is made: each in words that tell what to do.

use std::process::{Command, Stdio};

use carafe::drivers::{ErrorKind, Kind};
use serde_json::json;

use crate::plan::plan;
use crate::program::Program;
use crate::world::World;

const DEBIAN: &str = "Debian GNU/Linux 12";

pub async fn everything_that_can_be_known_is_told_before(world: &World<'_>) {
    let program = Program::new(world);
    let password = world.server.variable("OS_PASSWORD");
    let auth_url = world.server.variable("OS_AUTH_URL");
    let told = |part: &str, said: String| assert!(said.contains(part), "{part}:\n{said}");
    let elsewhere = |change: &[(&str, &str)]| {
        program.connection(change);
        let said = program.dry_run(password);
        program.connection(&[]);
        said
    };

    let clean = program.dry_run(password);
    assert!(clean.contains("\"findings\": []") && clean.contains("\"changes\": true"), "{clean}");

    let denied = program.dry_run("not the password");
    let mut documents = serde_json::Deserializer::from_str(&denied).into_iter::<serde_json::Value>();
    let document = documents.next().expect("one").expect("JSON");
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(1), "told once for all steps:\n{denied}");
    told("RUN-105", denied.clone());
    told("13 steps: Keystone at 127.0.0.1", denied.clone());
    told("does not accept the credentials", denied);
    let wrong_path = auth_url.replace("/v3", "/nothing/v3");
    told("there is no Keystone v3", elsewhere(&[("auth_url", &wrong_path)]));
    told("127.0.0.1 cannot be reached", elsewhere(&[("auth_url", "http://127.0.0.1:9/v3")]));
    let stranger = Stranger::new(world.folder.path());
    told("localhost cannot be trusted", elsewhere(&[("auth_url", &stranger.url())]));
    told("has no region \\\"Nowhere\\\", only RegionOne", elsewhere(&[("region_name", "Nowhere")]));
    told("no external network \\\"dmz\\\", only: public", elsewhere(&[("external_network", "dmz")]));
    told("names no file with one", elsewhere(&[("public_key", "")]));

    program.plan(&plan("m9.huge", DEBIAN));
    told("does not sell m9.huge", program.dry_run(password));
    program.plan(&plan("m1.tiny", "Microsoft Windows NT 3.51"));
    told("there is no image", program.dry_run(password));
    program.plan(&plan("m1.tiny", DEBIAN));

    world.server.administer(&["quota set --networks 0 --cores 1 --floating-ips 1 demo"]);
    let said = program.dry_run(password);
    let quotas = world.with(&[]).quotas(&"openstack".into(), &"RegionOne".into()).await.expect("readable");
    world.server.administer(&["quota set --networks 100 --cores 20 --floating-ips 50 demo"]);
    assert_eq!(quotas[&Kind::Network].limit, 0);
    told("lets the account have 0 more of kind network, and the plan needs 1", said.clone());
    told("the plan takes 2 vCPUs, and of the project's 1 there are 1 left", said.clone());
    told("2 public addresses, with those of load balancers, and of the project's 1 there are 1 left", said);

    world.server.faults(&json!([
        {"service": "compute", "agent": "^carafe", "status": 429, "headers": {"Retry-After": "7"}},
    ]));
    let throttled =
        world.with(&[]).sales(&"openstack".into(), &"RegionOne".into(), &["m1.tiny".into()]).await;
    world.server.faults(&json!([
        {"service": "compute", "agent": "^carafe", "status": 401},
    ]));
    let ended = world.with(&[]).sales(&"openstack".into(), &"RegionOne".into(), &["m1.tiny".into()]).await;
    world.server.faults(&json!([]));
    let expected = ErrorKind::Throttled { retry_after: std::time::Duration::from_secs(7) };
    assert_eq!(throttled.expect_err("it is throttled").kind, expected);
    assert_eq!(ended.expect_err("no token is good enough").kind, ErrorKind::Denied);

    let refusals = machine_refusals(world, &*world.with(&[]), "m1.huge").await.join("; ");
    told("flavor m1.huge takes 512 vCPUs", refusals.clone());
    told("there is no class no-such-class of disks here", refusals);
    the_ways_in(world).await;
}

/// A server that speaks TLS with a certificate of its own making.
struct Stranger {
    process: std::process::Child,
    port: u16,
}

impl Stranger {
    fn new(folder: &std::path::Path) -> Stranger {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let quiet = |command: &mut Command| {
            command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        };
        let mut make = Command::new("openssl");
        make.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        make.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        make.args(["-keyout", "stranger.key", "-out", "stranger.pem"]);
        quiet(&mut make);
        assert!(make.status().expect("openssl can be started").success());
        let mut serve = Command::new("openssl");
        serve.args(["s_server", "-www", "-key", "stranger.key", "-cert", "stranger.pem", "-accept"]);
        serve.arg(format!("127.0.0.1:{port}"));
        quiet(&mut serve);
        let process = serve.spawn().expect("openssl can be started");
        let is_up = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        for _ in 0..100 {
            if is_up() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Stranger { process, port }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/v3", self.port)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn machine_refusals(
    world: &World<'_>,
    driver: &dyn carafe::drivers::Driver,
    flavor: &str,
) -> Vec<String> {
    use crate::contract::World as _;
    use carafe::drivers::{IdempotencyKey, Ownership, Target};
    use carafe_model::steps::Action;
    use carafe_model::units::{Mib, Vcpus};
    let (provider, region) = world.place();
    let step = "openstack/RegionOne/machine/big".into();
    let owner = Ownership { run: "run".into(), key: IdempotencyKey::new("plan", &step), step };
    let action = Action::Machine {
        name: "big".into(),
        instance_type: flavor.into(),
        vcpus: Vcpus(1),
        memory_mib: Mib(512),
        image: world.image(),
        subnet: "none".into(),
        security_groups: Vec::new(),
        key_pair: "none".into(),
        root_disk_gib: None,
        root_disk_class: Some("no-such-class".into()),
    };
    let target = Target { provider, region, kind: Kind::Machine, action, owner };
    let refusals = driver.check(&target).await.expect("readable");
    refusals.into_iter().map(|refusal| refusal.message).collect()
}

/// An application credential, and a `clouds.yaml` with its secrets beside it.
async fn the_ways_in(world: &World<'_>) {
    let [made] = world.server.client(["application credential create --role member carafe-test"]);
    let text =
        |key: &str| made[key].as_str().or(made[&key.to_uppercase()].as_str()).expect("told once").to_owned();
    let (id, secret) = (text("id"), text("secret"));
    let without = [("username", ""), ("password", ""), ("project", "")];
    let mut change = without.to_vec();
    change.extend([
        ("application_credential_id", id.as_str()),
        ("application_credential_secret", "env:OS_PASSWORD"),
    ]);
    let access = world.open(&change, &secret).access().await.expect("the credential is good");
    assert_eq!(access.account.as_deref(), Some("demo"));
    world.server.order("application credential delete carafe-test");
    let ended = world.open(&change, &secret).access().await.expect_err("the credential is gone");
    assert_eq!(ended.kind, ErrorKind::Denied, "{ended}");

    let clouds = format!(
        "clouds:\n  lab:\n    auth:\n      auth_url: {}\n      username: demo\n      project_name: demo\n    region_name: RegionOne\n",
        world.server.variable("OS_AUTH_URL")
    );
    let path = world.folder.path().join("clouds.yaml");
    std::fs::write(&path, clouds).expect("writable");
    let secure = format!("clouds: {{lab: {{auth: {{password: {}}}}}}}", world.server.variable("OS_PASSWORD"));
    std::fs::write(world.folder.path().join("secure.yaml"), secure).expect("writable");
    let path = path.display().to_string();
    let mut change = without.to_vec();
    change.extend([("auth_url", ""), ("clouds_file", path.as_str())]);
    let access = world.open(&change, "").access().await.expect("the file is good");
    assert_eq!((access.account.as_deref(), access.regions), (Some("demo"), None));
}
