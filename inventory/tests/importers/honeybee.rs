//! The on-premises infrastructure model: every envelope, both forms, and what is wrong with either.

use carafe_model::estate::Estate;
use carafe_model::units::{Gib, Mib, Vcpus};

use crate::support::{INCOMPLETE, check, import_all, line, pretty};

fn but_incomplete(text: &str, expected: &[&str]) -> Option<Estate> {
    let but = [&INCOMPLETE[..], &["INV-2003"]].concat();
    check(&[("a.json", text.as_bytes())], &but, expected)
}

const NODES: &str = r#"{"nodes": [{"hostname": "db1", "machineId": "m-1"}]}"#;

#[test]
fn every_envelope_is_opened() {
    for envelope in [
        r#"{"onpremiseInfraModel": MODEL}"#,
        r#"{"OnpremiseInfraModel": MODEL}"#,
        r#"{"desiredCspAndRegionPair": {"csp": "aws", "region": "ap-northeast-2"}, "onpremiseInfraModel": MODEL}"#,
        r#"{"nameSeed": "my", "desiredCsp": "aws", "desiredRegion": "us-east-1", "sourceInfra": MODEL}"#,
        r#"{"desiredCspAndRegionPairs": [{"csp": "aws", "region": "a"}], "SourceInfra": MODEL}"#,
        r#"{"userId": "u", "userModelName": "n", "isInitUserModel": true, "onpremiseInfraModel": MODEL, "id": "1"}"#,
        r#"{"models": [{"id": "1", "onpremiseInfraModel": MODEL}]}"#,
    ] {
        let estate = but_incomplete(&envelope.replace("MODEL", NODES), &[]).expect("an estate");
        let ids: Vec<&str> = estate.hosts.iter().map(|host| host.id.as_str()).collect();
        assert_eq!(ids, ["db1"], "{envelope}");
    }
    let old = r#"{"onpremiseInfraModel": {"servers": [{"hostname": "db1"}]}}"#;
    but_incomplete(old, &["info INV-2007 a.json"]);
}

#[test]
fn other_shapes_are_refused_by_name() {
    for (text, finding) in [
        (r#"{"servers": [{"hostname": "db1"}]}"#, "error INV-2001 a.json, /"),
        (r#"{"nodes": [{"hostname": "db1"}]}"#, "error INV-2001 a.json, /"),
        (r#"[{"hostname": "db1", "nodes": []}]"#, "error INV-2002 a.json, /"),
        (r#"{"onpremiseInfraModel": [1]}"#, "error INV-2001 a.json, /onpremiseInfraModel"),
        (r#"{"cloudInfraModel": {"targetCloud": {}}}"#, "error INV-2001 a.json, /"),
        (
            r#"{"cluster": {"name": "k"}, "node_count": {"total": 1}, "nodes": []}"#,
            "error INV-2001 a.json, /",
        ),
        (r#"{"onpremiseInfraModel": {"nodes": [{"#, "error DOC-001 a.json, row 1, column 36"),
        ("{", "error DOC-001 a.json, row 1, column 1"),
        ("{}", "error INV-1002 a.json"),
        ("", "error INV-1010 a.json"),
        ("name;size\n", "error INV-1002 a.json"),
    ] {
        assert!(check(&[("a.json", text.as_bytes())], &[], &[finding]).is_none(), "{text}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_left_out_one_by_one() {
    let text = r#"{"onpremiseInfraModel": {"nodes": [
        {"hostname": "a", "cpu": {"cpus": 2, "threads": -4, "architecture": "x86_64"},
         "memory": {"totalSize": -64}, "rootDisk": {"totalSize": "100 apples"}, "dataDisks": {"label": "sdb"}},
        "b", 7, null,
        {"hostname": "c", "cpu": [], "memory": {"totalSize": 99999999}, "rootDisk": {"totalSize": 9999999999},
         "interfaces": [{"name": "eth0", "ipv4CidrBlocks": ["10.0.0.300/24", 5]}],
         "routingTable": [{"destination": "nowhere", "interface": "eth0"}],
         "firewallTable": [{"direction": "sideways", "action": "allow"}, {"direction": "inbound"},
            {"direction": "inbound", "action": "deny", "srcCIDR": "10.0.0.0/77"},
            {"direction": "inbound", "action": "deny", "dstPorts": "http"}]}]}}"#;
    let estate = but_incomplete(
        text,
        &[
            "error INV-1003 a.json, /onpremiseInfraModel/nodes/1",
            "error INV-1003 a.json, /onpremiseInfraModel/nodes/2",
            "error INV-1005 a.json, /onpremiseInfraModel/nodes/0/cpu/threads",
            "error INV-1005 a.json, /onpremiseInfraModel/nodes/0/memory/totalSize",
            "error INV-1004 a.json, /onpremiseInfraModel/nodes/0/rootDisk/totalSize",
            "error INV-1003 a.json, /onpremiseInfraModel/nodes/0/dataDisks",
            "error INV-1003 a.json, /onpremiseInfraModel/nodes/4/cpu",
            "error INV-1204 a.json, /onpremiseInfraModel/nodes/4/memory/totalSize",
            "error INV-1206 a.json, /onpremiseInfraModel/nodes/4/rootDisk/totalSize",
            "error INV-1003 a.json, /onpremiseInfraModel/nodes/4/interfaces/0/ipv4CidrBlocks/1",
            "error INV-1212 a.json, /onpremiseInfraModel/nodes/4/interfaces/0/ipv4CidrBlocks/0",
            "error INV-1213 a.json, /onpremiseInfraModel/nodes/4/routingTable/0/destination",
            "error INV-2010 a.json, /onpremiseInfraModel/nodes/4/firewallTable/0",
            "error INV-2010 a.json, /onpremiseInfraModel/nodes/4/firewallTable/1",
            "error INV-2010 a.json, /onpremiseInfraModel/nodes/4/firewallTable/2",
            "error INV-2010 a.json, /onpremiseInfraModel/nodes/4/firewallTable/3",
        ],
    )
    .expect("the rest is read");
    assert_eq!(estate.hosts.len(), 2);
    assert_eq!(estate.hosts[0].vcpus, None);
    assert_eq!(estate.hosts[0].disks[0].size_gib, None);
}

#[test]
fn what_was_not_measured_is_unknown_and_not_zero() {
    let text = r#"{"onpremiseInfraModel": {"nodes": [
        {"hostname": "a", "cpu": {"cpus": 0, "cores": 0, "threads": 8, "architecture": "arm64"},
         "memory": {"totalSize": 0}, "rootDisk": {"label": "", "totalSize": 0}},
        {"hostname": "b", "cpu": {"cpus": 2, "cores": 8, "threads": 16, "architecture": "amd64"},
         "memory": {"totalSize": 64, "used": 12},
         "rootDisk": {"label": "sda", "type": "SSD", "totalSize": 100, "available": 60, "used": 40}}]}}"#;
    let expected = [
        "info INV-2003 a.json",
        "info INV-2006 a.json",
        "warning INV-1210 a.json, /onpremiseInfraModel/nodes/0",
        "warning INV-1211 a.json, /onpremiseInfraModel/nodes/0",
    ];
    let estate = check(&[("a.json", text.as_bytes())], &[], &expected).expect("an estate");
    assert_eq!((estate.hosts[0].vcpus, estate.hosts[0].memory_mib), (Some(Vcpus(8)), None));
    assert_eq!((estate.hosts[1].vcpus, estate.hosts[1].memory_mib), (Some(Vcpus(32)), Some(Mib(65_536))));
    assert_eq!(estate.hosts[1].disks[0].used_gib, Some(Gib(40)));
    assert_eq!(estate.hosts[1].usage, None, "one moment is no measurement");
}

#[test]
fn load_balancers_and_clusters_find_their_hosts() {
    let text = r#"{"onpremiseInfraModel": {
        "nodes": [
            {"hostname": "web-1", "machineId": "m-1", "role": "worker",
             "interfaces": [{"name": "eth0", "ipv4CidrBlocks": ["10.0.0.1/24"]}]},
            {"hostname": "web-2", "machineId": "m-2", "role": "control-plane"},
            {"hostname": "lb", "machineId": "m-3", "role": "standalone"}],
        "k8sCluster": {"name": "Main", "version": "v1.30.2", "podCIDR": "10.244.0.0/16"},
        "nlbs": [
            {"hostMachineId": "m-3", "software": "haproxy", "listener": {"bindAddress": "*", "port": 443, "protocol": "tcp"},
             "backend": {"name": "web", "servers": [{"name": "s1", "ip": "10.0.0.1", "port": 8443},
                {"name": "web-2", "ip": "10.0.0.2", "port": 8444}, {"name": "gone", "ip": "10.0.0.9", "port": 8443}]},
             "healthCheck": {"enabled": true, "protocol": "tcp", "port": 0, "interval": 5, "timeout": 2, "threshold": 3}},
            {"listener": {"bindAddress": "10.0.0.5", "port": 0}, "backend": {"name": "none"}},
            {"listener": {"bindAddress": "10.0.0.5", "port": 99999}, "backend": {"name": "none"}},
            {"listener": {"bindAddress": "10.0.0.5", "port": 80, "protocol": "TCP"}, "backend": {"name": "empty"}}]}}"#;
    let estate = but_incomplete(
        text,
        &[
            "warning INV-2012 a.json, /onpremiseInfraModel/nlbs/0/backend/servers/1",
            "error INV-2011 a.json, /onpremiseInfraModel/nlbs/1",
            "error INV-1214 a.json, /onpremiseInfraModel/nlbs/2/listener/port",
            "error INV-2011 a.json, /onpremiseInfraModel/nlbs/2",
            "error INV-1201 a.json, /onpremiseInfraModel/nlbs/0/backend/servers/2",
            "warning INV-1216 a.json",
        ],
    )
    .expect("an estate");
    insta::assert_snapshot!(pretty(&(&estate.load_balancers, &estate.clusters)));
}

#[test]
fn secrets_are_counted_and_dropped() {
    let text = r#"{"compute": {"os": {"node": {"hostname": "a"}},
        "connection": [{"keypair": {"name": "k", "public_key": "ssh-rsa x", "private_key": "-----BEGIN"}}]},
        "note": {"password": "hunter2"}, "compute_resource": 1}"#;
    let estate = but_incomplete(text, &["warning INV-2004 a.json"]).expect("an estate");
    let written = serde_json::to_string(&estate).unwrap();
    assert!(!written.contains("BEGIN") && !written.contains("hunter2"));
}

#[test]
fn the_form_as_collected_is_read_alone_and_in_lists() {
    let one = r#"{"compute": {
        "os": {"os": {"pretty_name": "Rocky Linux 9.3", "id": "rocky", "id_like": "rhel", "version_id": "9.3"},
               "kernel": {"architecture": "x86_64"}, "node": {"hostname": "HOST", "machineid": "m-HOST"}},
        "compute_resource": {"cpu": {"cpus": 1, "cores": 4, "threads": 8, "max_speed": 3100},
            "memory": {"size": 15863, "used": 4000}, "root_disk": {"name": "sda", "type": "SSD", "size": 50},
            "data_disk": [{"label": "sdb", "size": 500, "used": 100, "available": 400}]}},
        "network": {"host": {
            "network_interface": [{"interface": "lo", "address": ["127.0.0.1/8"]},
                {"interface": "eth0", "address": ["10.0.0.7/24", "fe80::1/64"], "mac_address": "02:00:00:00:00:07"}],
            "route": [{"interface": "eth0", "destination": "0.0.0.0", "netmask": "0.0.0.0", "next_hop": "10.0.0.1",
                       "metric": 100, "family": "ipv4"}],
            "firewall_rule": [{"src": "0.0.0.0/0", "dst": "", "src_ports": "*", "dst_ports": "22", "protocol": "tcp",
                               "direction": "inbound", "action": "allow"}]}},
        "gpu": {"nvidia": [{"device_attribute": {"product_name": "T4"}}]},
        "csp": {"provider": "aws", "region": "us-east-1", "vm_spec": "g4dn.xlarge", "public_ip": "203.0.113.9",
                "tags": {"tier": "ai"}}}"#;
    let single = one.replace("HOST", "gpu-1");
    let expected = ["info INV-2005 a.json"];
    let estate = check(&[("a.json", single.as_bytes())], &[], &expected).expect("an estate");
    insta::assert_snapshot!(pretty(&estate.hosts));

    let empty = r#"{"compute": {"compute_resource": {}}}"#;
    let list =
        format!("{{\"servers\": [{}, {empty}, {}]}}", one.replace("HOST", "b"), one.replace("HOST", "a"));
    let expected = ["error INV-2009 a.json, /servers/1", "info INV-2005 a.json"];
    let but = ["INV-1102", "INV-1103"];
    let estate = check(&[("a.json", list.as_bytes())], &but, &expected).expect("an estate");
    assert_eq!(estate.hosts.iter().map(|host| host.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

/// The whole of a small export, to the last field.
#[test]
fn a_whole_export_becomes_this_estate() {
    let text = r#"{"onpremiseInfraModel": {
        "network": {"ipv4Networks": {"defaultGateways": [
            {"ip": "10.9.0.1", "interfaceName": "eth0", "machineId": "m-1"}]}, "ipv6Networks": {}},
        "nodes": [{"hostname": "DB1", "machineId": "m-1",
            "cpu": {"architecture": "x86_64", "cpus": 2, "cores": 8, "threads": 16, "maxSpeed": 3.1,
                    "vendor": "GenuineIntel", "model": "Xeon"},
            "memory": {"type": "DDR4", "totalSize": 64, "available": 20, "used": 44},
            "rootDisk": {"label": "sda", "type": "SSD", "totalSize": 100, "available": 60, "used": 40},
            "dataDisks": [{"label": "sdb", "type": "HDD", "totalSize": 2000}],
            "interfaces": [{"name": "eth0", "macAddress": "02:00:00:00:00:01", "ipv4CidrBlocks": ["10.9.0.5/24"],
                            "mtu": 1500, "state": "up"},
                           {"name": "docker0", "ipv4CidrBlocks": ["172.17.0.1/16"]},
                           {"name": "cali1a2b3c", "ipv6CidrBlocks": ["fe80::ecee:eeff:feee:eeee/64"]}],
            "routingTable": [{"destination": "10.9.0.0/24", "gateway": "10.9.0.1", "interface": "eth0",
                              "metric": 100, "protocol": "kernel", "scope": "link"},
                             {"destination": "172.17.0.0/16", "interface": "docker0"}],
            "firewallTable": [{"srcCIDR": "10.9.0.0/16", "srcPorts": "*", "dstCIDR": "0.0.0.0/0", "dstPorts": "5432",
                               "protocol": "tcp", "direction": "inbound", "action": "allow"}],
            "os": {"prettyName": "Ubuntu 22.04.3 LTS", "name": "Ubuntu", "versionId": "22.04",
                   "versionCodename": "jammy", "id": "ubuntu", "idLike": "debian"}}]}}"#;
    let found = import_all(&[("exports/erp.json", text.as_bytes())]);
    let lines: Vec<String> = found.findings.iter().map(line).collect();
    insta::assert_snapshot!(pretty(&(found.estate.expect("an estate"), lines)));
}
