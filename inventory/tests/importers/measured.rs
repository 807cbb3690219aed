//! Utilisation: every format ends in the same percentiles.

use carafe_inventory::InputFile;
use carafe_inventory::usage::{USAGE_FORMATS, add};
use carafe_model::estate::Estate;
use carafe_model::host::{Distribution, Host, Nic, Usage};
use carafe_model::units::Mib;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::line;

fn estate() -> Estate {
    let mut estate = Estate::empty("shop");
    let mut host = Host::named("web");
    host.memory_mib = Some(Mib(1_000));
    host.machine_id = Some("i-0abc".into());
    host.nics = vec![Nic { name: "eth0".into(), addresses: vec!["10.0.0.1/24".into()], ..Nic::default() }];
    estate.hosts.push(host);
    estate
}

#[track_caller]
fn usage_of(name: &str, text: &str, only: Option<&str>, findings: &[&str]) -> Option<Usage> {
    let (mut estate, mut found) = (estate(), Vec::new());
    add(&mut estate, &[InputFile { name, bytes: text.as_bytes() }], None, only, &mut found);
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), findings, "{found:#?}");
    estate.hosts.remove(0).usage
}

fn peak(distribution: Option<Distribution>) -> String {
    distribution.map_or("?".to_owned(), |distribution| format!("{}/{}", distribution.p50, distribution.max))
}

fn told(usage: Option<Usage>) -> [String; 3] {
    let usage = usage.expect("it was measured");
    [peak(usage.cpu_percent), peak(usage.memory_mib), peak(usage.network_mbps)]
}

#[test]
fn tables_give_their_units_in_the_headings() {
    let seconds = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]\n\
        1376314846;\t1;\t2600.0;\t19.0;\t10.5;\t2097152.0;\t102400.0;\t9.0;\t125.0;\t0.0\n\
        1376315446;\t1;\t2600.0;\t19.0;\t20.5;\t2097152.0;\t204800.0;\t9.0;\t0.0;\t250.0\n";
    assert_eq!(told(usage_of("web.csv", seconds, None, &[])), ["10.5/20.5", "100/200", "1.024/2.048"]);
    let own = "host,time,cpu_percent,memory percent,network_mbps\n10.0.0.1,2026-03-01T00:00:00Z,5,50,3\nweb,2026-03-01T00:10:00Z,7,60,1\nlost,2026-03-01T00:10:00Z,1,1,1\nweb,soon,1,1,1\n";
    let usage = usage_of("x.csv", own, None, &["warning INV-6017 x.csv, row 5", "warning INV-6014 "]);
    assert_eq!(told(usage), ["5/7", "500/600", "1/3"], "an address and a name of one host");
}

#[test]
fn zeros_and_holes_are_not_believed() {
    let zeros = "host,time,cpu_percent\nweb,2026-03-01T00:00:00Z,0\nweb,2026-03-01T00:10:00Z,0\n";
    assert_eq!(usage_of("x.csv", zeros, None, &["warning INV-6012 "]), None);
    let holes = "host,time,cpu_percent\nweb,2026-03-01T00:00:00Z,1\nweb,2026-03-01T00:10:00Z,1\nweb,2026-03-02T00:00:00Z,9\n";
    let usage = usage_of("x.csv", holes, None, &["warning INV-6013 "]).expect("it was measured");
    assert_eq!((usage.window_hours, usage.coverage_percent), (24, 2));
    assert_eq!(usage_of("x.csv", "x", None, &["error INV-6010 x.csv"]), None);
}

fn series(name: &str, labels: Value, values: [f64; 3]) -> Value {
    let mut metric = json!({"__name__": name, "instance": "web:9100"});
    metric.as_object_mut().expect("an object").extend(labels.as_object().expect("an object").clone());
    let values: Vec<Value> = values
        .iter()
        .zip(0..)
        .map(|(value, at)| json!([1_772_323_200 + at * 600, value.to_string()]))
        .collect();
    json!({"metric": metric, "values": values})
}

#[test]
fn counters_of_prometheus_become_rates_and_survive_a_restart() {
    let answer = json!({"status": "success", "data": {"resultType": "matrix", "result": [
        // Two processors: 600 s each in every step; busy a half, and then the counters begin anew.
        series("node_cpu_seconds_total", json!({"cpu": "0", "mode": "idle"}), [0.0, 300.0, 10.0]),
        series("node_cpu_seconds_total", json!({"cpu": "0", "mode": "user"}), [0.0, 300.0, 0.0]),
        series("node_cpu_seconds_total", json!({"cpu": "1", "mode": "iowait"}), [0.0, 300.0, 10.0]),
        series("node_cpu_seconds_total", json!({"cpu": "1", "mode": "system"}), [0.0, 300.0, 0.0]),
        series("node_memory_MemTotal_bytes", json!({}), [1_048_576_000.0; 3]),
        series("node_memory_MemAvailable_bytes", json!({}), [524_288_000.0, 262_144_000.0, 524_288_000.0]),
        series("node_network_receive_bytes_total", json!({"device": "eth0"}), [0.0, 75_000_000.0, 75_000_000.0]),
        series("node_network_transmit_bytes_total", json!({"device": "docker0"}), [0.0, 9e12, 9.9e12]),
        series("up", json!({}), [1.0; 3]),
    ]}});
    let usage = usage_of("p.json", &answer.to_string(), None, &["warning INV-6015 p.json, /data/result/8"]);
    assert_eq!(told(usage), ["50/50", "500/750", "0/1"]);
}

#[test]
fn cloudwatch_and_sar_are_read() {
    let times = ["2026-03-01T00:10:00Z", "2026-03-01T00:00:00Z"];
    let metric = |label: &str, values: [f64; 2]| json!({"Id": "m1", "Label": label, "Timestamps": times, "Values": values});
    let answer = json!({"MetricDataResults": [metric("i-0abc CPUUtilization", [40.0, 20.0]), metric("i-0abc mem_used_percent", [50.0, 25.0]),
        metric("i-0abc NetworkIn", [75_000_000.0, 0.0]), metric("i-0abc EBSReadOps", [1.0, 1.0])]});
    let usage =
        usage_of("c.json", &answer.to_string(), None, &["warning INV-6015 c.json, /MetricDataResults/3"]);
    assert_eq!(told(usage), ["20/40", "250/500", "0/1"]);
    let bare = json!({"Label": "CPUUtilization", "Datapoints": [{"Timestamp": times[0], "Average": 12.5, "Unit": "Percent"}]}).to_string();
    assert_eq!(usage_of("c.json", &bare, None, &["warning INV-6011 c.json"]), None);
    assert_eq!(
        peak(usage_of("c.json", &bare, Some("web"), &[]).and_then(|usage| usage.cpu_percent)),
        "12.5/12.5"
    );
    let statistics = |time: &str, idle: f64| {
        json!({"timestamp": {"date": "2026-03-01", "time": time, "utc": 1, "interval": 600},
        "cpu-load": [{"cpu": "all", "user": 1.0, "iowait": 5.0, "idle": idle}, {"cpu": "0", "idle": 0.0}],
        "memory": {"memfree": 102400, "avail": 512000, "memused": 921600},
        "network": {"net-dev": [{"iface": "eth0", "rxkB": 1000.0, "txkB": 1.0}, {"iface": "lo", "rxkB": 9e9, "txkB": 9e9}]}})
    };
    let sar = json!({"sysstat": {"hosts": [{"nodename": "web", "statistics": [statistics("00:00:00", 85.0), statistics("00:10:00", 75.0)]}]}});
    assert_eq!(told(usage_of("s.json", &sar.to_string(), None, &[])), ["10/20", "500/500", "8.192/8.192"]);
    let tables = "# hostname;interval;timestamp;CPU;%user;%nice;%system;%iowait;%steal;%idle\nweb;600;2026-03-01 00:00:01 UTC;-1;1;0;1;5;0;85\nweb;600;2026-03-01 00:10:01 UTC;-1;1;0;1;5;0;75\n\
        # hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;%memused\nweb;600;2026-03-01 00:00:01 UTC;102400;512000;921600;90\n\
        # hostname;interval;timestamp;IFACE;rxpck/s;txpck/s;rxkB/s;txkB/s\nweb;600;2026-03-01 00:00:01 UTC;eth0;1;1;1000;1\n";
    assert_eq!(told(usage_of("s.txt", tables, None, &[])), ["10/20", "500/500", "8.192/8.192"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_of_utilisation_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_000), start in 0..5_usize) {
        let starts: [&[u8]; 5] = [b"", b"{\"status\": 1, \"data\": {\"resultType\"", b"time,cpu\n2026-03-01,", b"# hostname;interval;timestamp;CPU\n", b"{\"MetricDataResults\": [{"];
        let bytes = [starts[start], &bytes].concat();
        for format in USAGE_FORMATS {
            add(&mut estate(), &[InputFile { name: "f", bytes: &bytes }], Some(format.name), Some("web"), &mut Vec::new());
        }
    }
}
