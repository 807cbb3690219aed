//! Collection from VMware's simulator of a vCenter: its SOAP and REST APIs over TLS, tags, history, faults.

use std::path::Path;
use std::process::{Command, Output};

use carafe_model::estate::Estate;
use carafe_model::host::Power;

#[path = "../servers/vcenter.rs"]
mod vcenter;

use vcenter::Center;

const INVENTORY: &str = r#"[
  {"name": "web1", "guest": "debian11_64Guest", "cpu": 2, "mem_mb": 4096, "disks_gb": [40, 100],
   "ips": ["10.1.0.11"], "hostname": "web1.lan", "power": "poweredOn"},
  {"name": "db <1>", "guest": "rhel8_64Guest", "cpu": 8, "mem_mb": 32768, "disks_gb": [500],
   "ips": ["10.1.0.12"], "hostname": "db1.lan", "power": "poweredOff"}
]"#;

fn collect(center: &Center, ca: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "collect", "vsphere", &center.url, "--user", "reader", "--ca"])
        .arg(ca)
        .args(more)
        .env("VCENTER_PASSWORD", "hunter2")
        .output()
        .expect("carafe can be started")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn estate(output: &Output) -> Estate {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("an estate")
}

/// Makes a tag and attaches it to a machine, over the API of older versions.
fn tag(center: &Center, ca: &Path, machine: &str) {
    let script = "set -e
        call() { curl -sf --cacert \"$CA\" -H \"vmware-api-session-id: $S\" -H 'Content-Type: application/json' \"$@\"; }
        value() { python3 -c 'import json, sys; print(json.load(sys.stdin)[\"value\"])'; }
        U=$URL/rest/com/vmware/cis
        S=$(curl -sf --cacert \"$CA\" -u reader:hunter2 -X POST $U/session | value)
        C=$(call $U/tagging/category -d '{\"create_spec\": {\"name\": \"team\", \"cardinality\": \"SINGLE\", \"associable_types\": []}}' | value)
        T=$(call $U/tagging/tag -d \"{\\\"create_spec\\\": {\\\"name\\\": \\\"erp\\\", \\\"category_id\\\": \\\"$C\\\"}}\" | value)
        call \"$U/tagging/tag-association/id:$T?~action=attach\" -d \"{\\\"object_id\\\": {\\\"type\\\": \\\"VirtualMachine\\\", \\\"id\\\": \\\"$VM\\\"}}\"";
    let output = Command::new("bash")
        .args(["-c", script])
        .env("CA", ca)
        .env("URL", &center.url)
        .env("VM", machine)
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn machines_come_with_all_that_vcenter_knows() {
    let center = Center::start(&[], Some(INVENTORY));
    let ca = center.certificate();
    let kept = center.folder().join("kept.json");
    let first = estate(&collect(&center, &ca, &["--history", "none"]));
    let web = first.hosts.iter().find(|host| host.name == "web1").expect("it is there");
    let reference =
        web.machine_id.as_ref().expect("vCenter names it").rsplit('/').next().expect("its last part");
    tag(&center, &ca, reference);

    let output = collect(&center, &ca, &["--collection", kept.to_str().expect("a path")]);
    let found = estate(&output);
    let names: Vec<&str> = found.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["db <1>", "web1"]);
    let (db, web) = (&found.hosts[0], &found.hosts[1]);
    assert_eq!((web.vcpus.map(|it| it.0), web.memory_mib.map(|it| it.0)), (Some(2), Some(4_096)));
    assert_eq!((web.power, db.power), (Some(Power::On), Some(Power::Off)));
    let sizes: Vec<_> = web.disks.iter().map(|disk| disk.size_gib.map(|size| size.0)).collect();
    assert_eq!(sizes, [Some(40), Some(100)]);
    assert_eq!(web.nics.len(), 1);
    assert_eq!(web.nics[0].addresses, ["10.1.0.11"]);
    assert!(web.nics[0].mac.is_some() && web.nics[0].network.is_some());
    // The simulator puts the first on a hypervisor of its own and the second into a cluster.
    for label in ["esxi-host", "datacenter", "datastore"] {
        assert!(web.labels.contains_key(label), "{label}: {:?}", web.labels);
    }
    assert!(db.labels.contains_key("cluster"), "{:?}", db.labels);
    assert_eq!(web.labels.get("dns-name").map(String::as_str), Some("web1.lan"));
    assert_eq!(web.labels.get("team").map(String::as_str), Some("erp"), "its tag");
    let usage = web.usage.as_ref().expect("the simulator has a history");
    assert!(usage.cpu_percent.is_some() && usage.coverage_percent > 0, "{usage:?}");

    let text = std::fs::read_to_string(&kept).expect("it was kept");
    assert!(!text.contains("hunter2"));
    let again = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "import", "--name", "estate"])
        .arg(&kept)
        .output()
        .expect("carafe can be started");
    assert_eq!(estate(&again).hosts, found.hosts);

    // A wrong password is tried once, and an unproven certificate is not taken.
    let wrong = collect(&center, &ca, &["--password", "cmd:echo hunter3"]);
    assert!(
        wrong.status.code() == Some(1) && said(&wrong).contains("could not be collected"),
        "{}",
        said(&wrong)
    );
    assert!(!said(&wrong).contains("hunter"), "{}", said(&wrong));
    let other = center.folder().join("other.pem");
    let make = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=other -days 2 -out {}",
        other.display()
    );
    assert!(Command::new("sh").args(["-c", &make]).output().expect("a shell").status.success());
    let unproven = collect(&center, &other, &[]);
    assert!(
        unproven.status.code() == Some(1) && said(&unproven).contains("cannot be trusted"),
        "{}",
        said(&unproven)
    );
}

#[test]
fn hundreds_of_machines_come_and_what_fails_is_told() {
    let flags = ["-vm", "150", "-fail", "QueryPerf:100,CreateContainerView:20"];
    let center = Center::start(&flags, None);
    let ca = center.certificate();
    let output = collect(&center, &ca, &["--history", "day"]);
    let text = said(&output);
    let found = estate(&output);
    // 150 in a cluster, 150 on a host of its own.
    assert_eq!(found.hosts.len(), 300, "{text}");
    assert!(
        text.contains("performance history could not be collected") && text.contains("injected fault"),
        "{text}"
    );
}
