//! Several files about one estate: which hosts are the same, who wins, and what is told.

use carafe_model::estate::{Endpoint, Estate};
use carafe_model::units::{Mib, Vcpus};

use crate::support::{INCOMPLETE, check};

const EXPORT: &str = r#"{"onpremiseInfraModel": {"nodes": [
    {"hostname": "Web-1", "machineId": "42000000000000000000000000000011", "cpu": {"cpus": 1, "threads": 4},
     "memory": {"totalSize": 8}, "interfaces": [{"name": "eth0", "macAddress": "02:00:00:00:00:11",
        "ipv4CidrBlocks": ["10.0.0.11/24"]}]},
    {"hostname": "db-1", "machineId": "m-12", "interfaces": [{"name": "eth0", "macAddress": "02:00:00:00:00:12"}]}]}}"#;

fn document(rest: &str) -> String {
    format!("{{\"carafe\": \"estate/1\", \"name\": \"by hand\", {rest}}}")
}

/// Imports an export and then documents, comparing what is told beside incompleteness.
#[track_caller]
fn with_documents(documents: &[&str], expected: &[&str]) -> Estate {
    let documents: Vec<String> = documents.iter().map(|text| document(text)).collect();
    let names = ["1.json", "2.json"];
    let mut files = vec![("export.json", EXPORT.as_bytes())];
    files.extend(names.into_iter().zip(documents.iter().map(String::as_bytes)));
    let but = [&INCOMPLETE[..], &["INV-2003"]].concat();
    check(&files, &but, expected).expect("an estate")
}

fn ids(estate: &Estate) -> Vec<&str> {
    estate.hosts.iter().map(|host| host.id.as_str()).collect()
}

#[test]
fn a_document_adds_to_an_export() {
    let estate = with_documents(
        &[r#""today": {"monthly": "100", "currency": "USD", "source": "ledger"},
            "apps": [{"id": "shop", "name": "Shop"}],
            "hosts": [{"id": "web-1", "name": "web-1", "app": "shop", "labels": {"tier": "web"}},
                      {"id": "new", "name": "New", "vcpus": 2, "memory_mib": 2048}],
            "flows": [{"from": {"host": "web-1"}, "to": {"host": "DB-1"}, "port": 5432, "gib_month": "5"}],
            "load_balancers": [{"id": "front", "protocol": "tcp", "port": 443, "public": true,
                                "members": ["web-1"], "member_port": 8443}]"#],
        &[],
    );
    assert_eq!(ids(&estate), ["db-1", "new", "web-1"]);
    let web = &estate.hosts[2];
    assert_eq!((web.name.as_str(), web.vcpus), ("Web-1", Some(Vcpus(4))), "what the export knows is kept");
    assert_eq!(web.labels["tier"], "web");
    assert_eq!(
        estate.flows[0].to,
        Endpoint::Host("db-1".into()),
        "a name will do where only one host has it"
    );
    assert!(estate.today.is_some() && estate.load_balancers.len() == 1 && estate.apps.len() == 1);
}

#[test]
fn a_document_goes_before_an_export_and_both_values_are_told() {
    let memory = r#""hosts": [{"id": "web-1", "name": "web-1", "memory_mib": 16384}]"#;
    let estate = with_documents(&[memory], &["warning INV-1103 1.json, /hosts/0/memory_mib"]);
    assert_eq!(estate.hosts[1].memory_mib, Some(Mib(16_384)));
    let twice = r#""hosts": [{"id": "web-1", "name": "web-1", "memory_mib": 32768}]"#;
    let estate = with_documents(
        &[memory, twice],
        &["warning INV-1103 1.json, /hosts/0/memory_mib", "warning INV-1103 2.json, /hosts/0/memory_mib"],
    );
    assert_eq!(estate.hosts[1].memory_mib, Some(Mib(32_768)));
}

#[test]
fn between_exports_the_first_file_wins() {
    let other = EXPORT.replace("\"totalSize\": 8", "\"totalSize\": 16").replace("m-12", "m-13");
    let files = [("a.json", EXPORT.as_bytes()), ("b.json", other.as_bytes())];
    let but = [&INCOMPLETE[..], &["INV-2003"]].concat();
    // Another machine id, but the same network card: db-1 is one host all the same.
    let place = "b.json, /onpremiseInfraModel/nodes/0/memory/totalSize";
    let estate = check(&files, &but, &[&format!("warning INV-1103 {place}")]).expect("an estate");
    assert_eq!(ids(&estate), ["db-1", "web-1"]);
    assert_eq!(estate.hosts[1].memory_mib, Some(Mib(8192)));
}

#[test]
fn one_name_on_two_machines_stays_two_hosts() {
    let other = r#"{"onpremiseInfraModel": {"nodes": [{"hostname": "db-1", "machineId": "m-99"}]}}"#;
    let files = [("a.json", EXPORT.as_bytes()), ("b.json", other.as_bytes())];
    let but = [&INCOMPLETE[..], &["INV-2003"]].concat();
    let expected = ["warning INV-1101 b.json, /onpremiseInfraModel/nodes/0"];
    assert_eq!(ids(&check(&files, &but, &expected).expect("an estate")), ["db-1", "db-1-2", "web-1"]);
}

#[test]
fn copies_of_one_image_stay_two_hosts() {
    let node = |name: &str, mac: &str| {
        format!(
            r#"{{"onpremiseInfraModel": {{"nodes": [{{"hostname": "{name}", "machineId": "m-1",
                "interfaces": [{{"name": "eth0", "macAddress": "{mac}"}}]}}]}}}}"#
        )
    };
    let (one, other) = (node("a", "02:00:00:00:00:01"), node("b", "02:00:00:00:00:02"));
    let files = [("a.json", one.as_bytes()), ("b.json", other.as_bytes())];
    let expected = ["warning INV-1104 b.json, /onpremiseInfraModel/nodes/0"];
    assert_eq!(ids(&check(&files, &INCOMPLETE, &expected).expect("an estate")), ["a", "b"]);
}

#[test]
fn a_host_listed_twice_in_one_file_is_one_host() {
    let text = r#"{"onpremiseInfraModel": {"nodes": [
        {"hostname": "a", "machineId": "m-1", "cpu": {"threads": 4, "cpus": 1}},
        {"hostname": "A", "machineId": "m-1", "cpu": {"threads": 8, "cpus": 1}},
        {"hostname": "a", "machineId": "m-2"}]}}"#;
    let expected = [
        "warning INV-1102 a.json, /onpremiseInfraModel/nodes/1",
        "warning INV-1103 a.json, /onpremiseInfraModel/nodes/1/cpu/threads",
        "warning INV-1101 a.json, /onpremiseInfraModel/nodes/2",
    ];
    let estate = check(&[("a.json", text.as_bytes())], &INCOMPLETE, &expected).expect("an estate");
    assert_eq!(ids(&estate), ["a", "a-2"]);
}

#[test]
fn what_is_described_twice_is_told_unless_it_is_the_same() {
    let flow = |volume: &str| {
        format!(
            r#""hosts": [], "apps": [{{"id": "shop", "name": "Shop"}}],
            "flows": [{{"from": {{"external": "internet"}}, "to": {{"host": "web-1"}}, "port": 443, {volume}}}]"#
        )
    };
    let (out, back) = (flow(r#""gib_month": "5""#), flow(r#""gib_month_back": "7""#));
    let estate = with_documents(&[&out, &back], &[]);
    let volumes =
        (estate.flows[0].gib_month.unwrap().to_string(), estate.flows[0].gib_month_back.unwrap().to_string());
    assert_eq!((volumes, estate.flows.len()), (("5".to_owned(), "7".to_owned()), 1));
    let more = flow(r#""gib_month": "6""#);
    let estate = with_documents(&[&out, &more], &["warning INV-1105 2.json, /flows/0"]);
    assert_eq!(estate.flows[0].gib_month.unwrap().to_string(), "6");
}

#[test]
fn references_to_nothing_are_left_out() {
    let estate = with_documents(
        &[r#""hosts": [{"id": "web-1", "name": "web-1", "app": "gone"}],
            "flows": [{"from": {"host": "web-1"}, "to": {"host": "nobody"}, "gib_month": "5"}],
            "load_balancers": [{"id": "front", "protocol": "tcp", "port": 443, "public": true,
                                "members": ["web-1", "nobody"], "member_port": 8443}],
            "clusters": [{"id": "k", "workers": ["nobody", "db-1"]}]"#],
        &[
            "error INV-1201 1.json, /flows/0/to",
            "error INV-1201 1.json, /load_balancers/0/members/1",
            "error INV-1201 1.json, /clusters/0",
            "error INV-1201 1.json, /hosts/0/app",
        ],
    );
    assert!(estate.flows.is_empty() && estate.hosts[1].app.is_none());
    assert_eq!((estate.load_balancers[0].members.len(), estate.clusters[0].workers.len()), (1, 1));
}

#[test]
fn broken_entries_and_names_of_documents_are_told_where_they_stand() {
    let long = "x".repeat(2_000_000);
    let hosts = format!(
        r#""hosts": [{{"id": "a", "name": "a", "vcpus": -1}}, {{"id": "{long}", "name": "n"}},
            {{"id": "b", "name": "b", "vcpus": 9999, "memory_mib": 999999999,
              "disks": [{{"name": "d", "size_gib": 99999999}}]}},
            {{"id": "tab\tbed", "name": "ok"}}]"#
    );
    let text = document(&hosts);
    let expected = [
        "error DOC-004 d.json, /hosts/0/vcpus",
        "error INV-1206 d.json, /hosts/2/disks/0/size_gib",
        "error INV-1205 d.json, /hosts/2/vcpus",
        "error INV-1204 d.json, /hosts/2/memory_mib",
        "error INV-1202 d.json, /hosts/1",
        "error INV-1202 d.json, /hosts/3",
    ];
    let estate = check(&[("d.json", text.as_bytes())], &INCOMPLETE, &expected).expect("an estate");
    assert_eq!(ids(&estate), ["a", "b", "n", "ok"]);
    for (text, code) in [("{\"carafe\": \"estate/2\"}", "DOC-003"), ("{\"carafe\": \"plan/1\"}", "DOC-002")] {
        let expected = format!("error {code} d.json, /carafe");
        assert!(check(&[("d.json", text.as_bytes())], &[], &[&expected]).is_none());
    }
}

#[test]
fn an_unreadable_file_does_not_stop_the_others() {
    let files = [("a.json", &b"{\"carafe\": "[..]), ("b.json", EXPORT.as_bytes())];
    let but = [&INCOMPLETE[..], &["INV-2003"]].concat();
    let estate = check(&files, &but, &["error DOC-001 a.json, row 1, column 11"]).expect("an estate");
    assert_eq!(estate.hosts.len(), 2);
}
