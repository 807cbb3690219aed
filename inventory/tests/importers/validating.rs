//! Every numbered check of an estate, each on an estate with one mistake.

use carafe_inventory::validate;
use carafe_model::document;
use carafe_model::estate::Estate;
use serde_json::{Value, json};

use crate::support::line;

/// Sets the members of `patch` in `value`; `null` takes one out.
fn patch(value: &mut Value, patch: Value) {
    let (Some(members), Value::Object(patch)) = (value.as_object_mut(), patch) else { return };
    for (key, new) in patch {
        match new {
            Value::Null => members.remove(&key),
            new => members.insert(key, new),
        };
    }
}

/// Validates an estate with one good host `a`, changed by `host`, and with the lists of `rest` beside it.
#[track_caller]
fn check(host: Value, rest: Value, expected: &[&str]) {
    let mut good = json!({"id": "a", "name": "a", "architecture": "x86_64", "vcpus": 2, "memory_mib": 2048,
                          "disks": [{"name": "d", "size_gib": 10}]});
    patch(&mut good, host);
    let mut estate = json!({"carafe": "estate/1", "name": "e", "hosts": [good]});
    patch(&mut estate, rest);
    let (estate, findings) = document::from_value::<Estate>("e.json", estate);
    assert_eq!(findings, []);
    let found: Vec<String> = validate(&estate.expect("a document"), "e.json").iter().map(line).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_good_estate_has_nothing_to_tell() {
    check(json!({}), json!({}), &[]);
    let stays = json!({"vcpus": null, "memory_mib": null, "disks": null, "architecture": null, "stays_because": "old"});
    check(stays, json!({}), &[]);
}

#[test]
fn hosts_are_checked_one_by_one() {
    for (host, expected) in [
        (json!({"app": "gone"}), "error INV-1201 e.json, /hosts/0/app"),
        (json!({"id": ""}), "error INV-1202 e.json, /hosts/0/id"),
        (json!({"name": "a\u{7}b"}), "error INV-1202 e.json, /hosts/0/name"),
        (json!({"name": "x".repeat(254)}), "error INV-1202 e.json, /hosts/0/name"),
        (json!({"memory_mib": 0}), "error INV-1204 e.json, /hosts/0/memory_mib"),
        (json!({"memory_mib": 64 * 1024 * 1024 + 1}), "error INV-1204 e.json, /hosts/0/memory_mib"),
        (json!({"vcpus": 0}), "error INV-1205 e.json, /hosts/0/vcpus"),
        (json!({"vcpus": 4097}), "error INV-1205 e.json, /hosts/0/vcpus"),
        (
            json!({"disks": [{"name": "d", "size_gib": 0}]}),
            "error INV-1206 e.json, /hosts/0/disks/0/size_gib",
        ),
        (
            json!({"disks": [{"name": "d", "size_gib": 2_000_000}]}),
            "error INV-1206 e.json, /hosts/0/disks/0/size_gib",
        ),
        (
            json!({"disks": [{"name": "d", "size_gib": 10, "used_gib": 11}]}),
            "warning INV-1207 e.json, /hosts/0/disks/0/used_gib",
        ),
        (json!({"architecture": null}), "warning INV-1208 e.json, /hosts/0/architecture"),
        (json!({"architecture": "other"}), "warning INV-1208 e.json, /hosts/0/architecture"),
        (json!({"vcpus": null}), "warning INV-1209 e.json, /hosts/0"),
        (json!({"memory_mib": null}), "warning INV-1210 e.json, /hosts/0"),
        (json!({"disks": null}), "warning INV-1211 e.json, /hosts/0"),
        (json!({"disks": [{"name": "d"}]}), "warning INV-1211 e.json, /hosts/0"),
        (
            json!({"nics": [{"name": "n", "addresses": ["10.0.0.1/24", "10.0.0.256"]}]}),
            "error INV-1212 e.json, /hosts/0/nics/0/addresses/1",
        ),
        (
            json!({"routes": [{"destination": "here"}]}),
            "error INV-1213 e.json, /hosts/0/routes/0/destination",
        ),
        (json!({"monthly_cost": "-1"}), "error INV-1219 e.json, /hosts/0/monthly_cost"),
        (
            json!({"usage": {"window_hours": 24, "coverage_percent": 101}}),
            "error INV-1220 e.json, /hosts/0/usage",
        ),
        (
            json!({"usage": {"window_hours": 24, "coverage_percent": 90,
                "cpu_percent": {"p50": "50", "p90": "40", "p95": "60", "p99": "70", "max": "80"}}}),
            "error INV-1220 e.json, /hosts/0/usage",
        ),
        (
            json!({"usage": {"window_hours": 24, "coverage_percent": 90,
                "cpu_percent": {"p50": "50", "p90": "50", "p95": "60", "p99": "70", "max": "100.5"}}}),
            "warning INV-1223 e.json, /hosts/0/usage",
        ),
        (
            json!({"usage": {"window_hours": 24, "coverage_percent": 90,
                "memory_mib": {"p50": "50", "p90": "50", "p95": "60", "p99": "70", "max": "2049"}}}),
            "warning INV-1223 e.json, /hosts/0/usage",
        ),
    ] {
        check(host, json!({}), &[expected]);
    }
    let rule = |source: &str, ports: &str| {
        json!({"firewall": [{"direction": "inbound", "action": "allow", "protocol": "tcp", "source": source,
                             "destination": "*", "ports": ports}]})
    };
    check(rule("10.0.0.0/8", "80,8000-9000"), json!({}), &[]);
    check(rule("10.0.0.0/33", "*"), json!({}), &["error INV-1213 e.json, /hosts/0/firewall/0/source"]);
    check(rule("*", "http"), json!({}), &["error INV-1214 e.json, /hosts/0/firewall/0/ports"]);
}

#[test]
fn the_parts_are_checked_together() {
    let balancer = |members: Value, port: u16| {
        json!({"load_balancers": [
            {"id": "l", "protocol": "tcp", "port": port, "public": true, "members": members, "member_port": 80}]})
    };
    let flow = |from: Value, to: Value| json!({"flows": [{"from": from, "to": to}]});
    let (host, out) = (json!({"host": "a"}), json!({"external": "internet"}));
    for (rest, expected) in [
        (flow(host.clone(), json!({"host": "b"})), "error INV-1201 e.json, /flows/0/to/host"),
        (balancer(json!(["a", "b"]), 80), "error INV-1201 e.json, /load_balancers/0/members/1"),
        (
            json!({"clusters": [{"id": "k", "control_plane": ["b"], "workers": ["a"]}]}),
            "error INV-1201 e.json, /clusters/0/control_plane/0",
        ),
        (
            json!({"apps": [{"id": "x", "name": "x"}, {"id": "x", "name": "y"}]}),
            "error INV-1203 e.json, /apps/1/id",
        ),
        (
            json!({"clusters": [{"id": "k", "workers": ["a"], "pod_cidr": "10.0.0.0/8, fd00::/48",
                                 "service_cidr": "x"}]}),
            "error INV-1213 e.json, /clusters/0/service_cidr",
        ),
        (balancer(json!(["a"]), 0), "error INV-1214 e.json, /load_balancers/0/port"),
        (json!({"flows": [{"from": host, "to": out, "port": 0}]}), "error INV-1214 e.json, /flows/0/port"),
        (flow(host.clone(), host.clone()), "warning INV-1215 e.json, /flows/0"),
        (flow(out.clone(), out.clone()), "warning INV-1215 e.json, /flows/0"),
        (balancer(json!([]), 80), "warning INV-1216 e.json, /load_balancers/0/members"),
        (json!({"clusters": [{"id": "k"}]}), "warning INV-1217 e.json, /clusters/0/workers"),
        (json!({"hosts": []}), "warning INV-1218 e.json, /hosts"),
        (
            json!({"flows": [{"from": host, "to": out, "gib_month": "-1"}]}),
            "error INV-1219 e.json, /flows/0/gib_month",
        ),
        (
            json!({"today": {"monthly": "-1", "currency": "USD", "source": "s"}}),
            "error INV-1219 e.json, /today/monthly",
        ),
    ] {
        check(json!({}), rest, &[expected]);
    }
}
