//! Traffic: every format of flows ends in the same flows between hosts.

use carafe_inventory::InputFile;
use carafe_inventory::flows::{FLOW_FORMATS, Summary, add};
use carafe_model::estate::{Endpoint, Estate};
use carafe_model::host::{Host, Nic};
use proptest::prelude::*;

use crate::support::line;

/// A web server and a database with their addresses.
fn estate() -> Estate {
    let mut estate = Estate::empty("shop");
    for (name, address) in [("web", "10.0.0.1/24"), ("db", "10.0.0.2"), ("app.corp.example", "10.0.0.3")] {
        let mut host = Host::named(name);
        host.nics = vec![Nic { name: "eth0".into(), addresses: vec![address.into()], ..Nic::default() }];
        estate.hosts.push(host);
    }
    estate
}

/// Flows on one line each: ends, protocol and port, volumes.
fn told(estate: &Estate) -> Vec<String> {
    let end = |end: &Endpoint| match end {
        Endpoint::Host(host) => host.to_string(),
        Endpoint::External(name) => format!("({name})"),
    };
    let volume =
        |gib: Option<carafe_model::units::Quantity>| gib.map_or("?".to_owned(), |gib| gib.to_string());
    let port = |port: Option<u16>| port.map_or("?".to_owned(), |port| port.to_string());
    let flows = estate.flows.iter();
    flows
        .map(|flow| {
            format!(
                "{} > {} {}/{} {} {}",
                end(&flow.from),
                end(&flow.to),
                flow.protocol.as_deref().unwrap_or("?"),
                port(flow.port),
                volume(flow.gib_month),
                volume(flow.gib_month_back)
            )
        })
        .collect()
}

#[track_caller]
fn check(text: &str, findings: &[&str], flows: &[&str]) -> Summary {
    let (mut estate, mut found) = (estate(), Vec::new());
    let file = InputFile { name: "f", bytes: text.as_bytes() };
    let summary = add(&mut estate, &[file], None, None, &mut found);
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), findings, "{found:#?}");
    assert_eq!(told(&estate), flows);
    summary
}

/// One day; a GiB of it is 30.416667 in a month of 730 hours.
const DAY: &str = "1772323200 1772409600";
const GIB: u64 = 1 << 30;

#[test]
fn both_interfaces_of_a_connection_count_once() {
    let log = format!(
        "2 1 eni-web 10.0.0.1 10.0.0.2 40000 5432 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-db 10.0.0.1 10.0.0.2 40000 5432 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-db 10.0.0.2 10.0.0.1 5432 40000 6 9 {} {DAY} ACCEPT OK\n\
         2 1 eni-web 203.0.113.7 10.0.0.1 51515 443 6 9 1024 {DAY} REJECT OK\n\
         2 1 eni-web - - - - - - - {DAY} - NODATA\n\
         2 1 eni-web 198.51.100.9 10.0.0.1 51515 443 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-web 10.0.0.1 224.0.0.1 1 2 17 9 9 {DAY} ACCEPT OK\n\
         hello\n",
        2 * GIB
    );
    let summary = check(
        &log,
        &["warning INV-6007 f, row 8", "info INV-6003 "],
        &["web > db tcp/5432 30.416667 60.833333", "(internet) > web tcp/443 30.416667 ?"],
    );
    assert_eq!((summary.records, summary.seconds, summary.added), (4, Some(86_400), 2));
}

#[test]
fn addresses_of_either_family_find_their_hosts() {
    let (mut estate, mut found) = (estate(), Vec::new());
    estate.hosts[0].nics[0].addresses.push("2001:db8:a100::8d6e:f105/64".into());
    estate.hosts[1].nics[0].addresses.push("2001:db8:a102::4071".into());
    let log = format!(
        "2 1 eni-web 2001:db8:a100::8d6e:f105 2001:db8:a102:0:0:0:0:4071 34892 22 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-web ::ffff:10.0.0.1 10.0.0.2 34892 5432 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-web 10.0.0.256 10.0.0.2 34892 5432 6 9 {GIB} {DAY} ACCEPT OK\n\
         2 1 eni-web 10.0.0 10.0.0.2 34892 5432 6 9 {GIB} {DAY} ACCEPT OK\n"
    );
    let file = InputFile { name: "f", bytes: log.as_bytes() };
    add(&mut estate, &[file], None, None, &mut found);
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), ["warning INV-6007 f, row 3"]);
    assert_eq!(told(&estate), ["web > db tcp/22 30.416667 ?", "web > db tcp/5432 30.416667 ?"]);
}

#[test]
fn a_header_gives_the_order_and_flags_who_opened() {
    let log = format!(
        "dstaddr srcaddr pkt-dstaddr pkt-srcaddr dstport srcport tcp-flags protocol bytes start end action log-status interface-id pkt-dst-aws-service\n\
         10.9.9.9 10.0.0.1 10.0.0.2 10.0.0.1 9000 2000 2 6 {GIB} {DAY} ACCEPT OK eni-a -\n\
         10.0.0.1 10.9.9.9 10.0.0.1 10.0.0.2 2000 9000 18 6 {GIB} {DAY} ACCEPT OK eni-a -\n\
         52.1.1.1 10.0.0.1 52.1.1.1 10.0.0.1 443 50000 0 6 {GIB} {DAY} ACCEPT OK eni-a S3\n"
    );
    check(&log, &[], &["web > db tcp/9000 30.416667 30.416667", "web > (AWS S3) tcp/443 30.416667 ?"]);
}

#[test]
fn azure_and_google_logs_are_read() {
    let azure = r#"{"records": [{"time": "t", "macAddress": "000D", "properties": {"Version": 2, "flows": [{"rule": "r", "flows": [{"mac": "000D", "flowTuples": [
        "1772323200,10.0.0.1,10.0.0.2,40000,5432,T,O,A,B,,,,",
        "1772409600,10.0.0.1,10.0.0.2,40000,5432,T,O,A,E,10,1073741824,9,2147483648",
        "1772409600,203.0.113.7,10.0.0.1,40000,22,T,I,D,B,,,,"]}]}]}}]}"#;
    check(azure, &["info INV-6003 "], &["web > db tcp/5432 30.416667 60.833333"]);
    let network = azure
        .replace(
            "\"properties\": {\"Version\": 2, \"flows\": [{\"rule\": \"r\", \"flows\"",
            "\"flowRecords\": {\"flows\": [{\"aclID\": \"r\", \"flowGroups\"",
        )
        .replace(",T,O,A,B,,,,", ",6,O,B,NX,0,0,0,0")
        .replace(",T,O,A,E,10", ",6,O,E,NX,10")
        .replace(",T,I,D,B,,,,", ",6,I,D,NX,0,0,0,0")
        .replace("1772323200,", "1772323200000,")
        .replace("1772409600,", "1772409600000,");
    check(&network, &["info INV-6003 "], &["web > db tcp/5432 30.416667 60.833333"]);
    let entry = |reporter: &str, from: &str, to: &str, ports: (u16, u16)| {
        format!(
            r#"{{"jsonPayload": {{"connection": {{"src_ip": "{from}", "dest_ip": "{to}", "src_port": {}, "dest_port": {}, "protocol": 6}}, "bytes_sent": "1073741824", "start_time": "2026-03-01T00:00:00Z", "end_time": "2026-03-02T00:00:00Z", "reporter": "{reporter}"}}}}"#,
            ports.0, ports.1
        )
    };
    let log = [
        entry("SRC", "10.0.0.1", "10.0.0.2", (40_000, 5_432)),
        entry("DEST", "10.0.0.1", "10.0.0.2", (40_000, 5_432)),
        entry("SRC", "10.0.0.2", "10.0.0.1", (5_432, 40_000)),
        "{}".to_owned(),
    ]
    .join("\n");
    check(&log, &["warning INV-6007 f, row 4"], &["web > db tcp/5432 30.416667 30.416667"]);
}

#[test]
fn connections_without_bytes_stay_of_unknown_volume() {
    let ss = "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n\
        tcp LISTEN 0 511 *:8080 *:* users:((\"java\",pid=8,fd=1))\n\
        tcp ESTAB 0 0 [::ffff:10.0.0.1]:8080 [::ffff:198.51.100.4]:6000\n\
        tcp ESTAB 0 0 10.0.0.1:40000 10.0.0.2:5432 users:((\"java\",pid=8,fd=9))\n\
        \t cubic bytes_sent:5 bytes_received:6\n\
        tcp ESTAB 0 0 127.0.0.1:40001 127.0.0.1:6379\n\
        tcp TIME-WAIT 0 0 10.0.0.1:40002 10.0.0.2:80\n\
        u_str ESTAB 0 0 * 1 * 2\n";
    check(ss, &[], &["web > db tcp/5432 ? ?", "(internet) > web tcp/8080 ? ?"]);
    let tracked = "ipv4 2 tcp 6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=5432 packets=9 bytes=900 src=10.0.0.2 dst=10.0.0.1 sport=5432 dport=40000 [ASSURED] mark=0 use=1\n\
        udp 17 3 src=10.0.0.1 dst=10.7.7.7 sport=40000 dport=53 [UNREPLIED] src=10.7.7.7 dst=10.0.0.1 sport=53 dport=40000 use=1\n\
        tcp 6 9 src=10.0.0.1 dst=10.7.7.7 sport=40000 dport=25 src=10.7.7.7 dst=10.0.0.1 sport=25 dport=40000 use=1\n";
    check(tracked, &["info INV-6003 "], &["web > db tcp/5432 ? ?", "web > (10.7.7.0/24) tcp/25 ? ?"]);
    let azure = "Timeslot,Source server name,Source application,Source process,Destination server name,Destination IP,Destination application,Destination process,Destination port\n\
        x,web,,nginx,app,10.0.0.3,,java,8080\nx,web,,nginx,,10.0.0.2,,,5432\nx,web,,nginx,,10.0.0.2,,,5432\n";
    check(azure, &[], &["web > app.corp.example ?/8080 ? ?", "web > db ?/5432 ? ?"]);
    let ads = "\"agent_id\",\"source_ip\",\"destination_ip\",\"destination_port\",\"ip_version\",\"transport_protocol\"\n\"a\",\"10.0.0.1\",\"10.0.0.2\",\"5432\",\"IPv4\",\"tcp\"\n";
    check(ads, &[], &["web > db tcp/5432 ? ?"]);
}

#[test]
fn tables_of_flows_are_read_by_their_headings() {
    let nfdump = format!(
        "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt,opkt,obyt\n2026-03-01 00:00:00,2026-03-02 00:00:00,1,10.0.0.1,10.0.0.2,40000,5432,TCP,.A,1,{GIB},1,0\n"
    );
    check(&nfdump, &[], &["web > db tcp/5432 30.416667 0"]);
    let own = format!(
        "src;dst;port;protocol;bytes;window_seconds\nweb;bank;443;tcp;{GIB};86400\nWEB;10.0.0.2;;;;\n;db;1;;;\n"
    );
    check(&own, &["warning INV-6007 f, row 4"], &["web > db ?/? ? ?", "web > (bank) tcp/443 30.416667 ?"]);
    let timeless = format!("src,dst,bytes\nweb,db,{GIB}\n");
    check(&timeless, &["warning INV-6004 "], &["web > db ?/? ? ?"]);
    check("src,dst\n1.1.1.1,2.2.2.2\n", &["info INV-6006 "], &[]);
    check("not traffic", &["error INV-6001 f"], &[]);
}

#[test]
fn what_the_estate_says_is_kept() {
    let mut estate = estate();
    let text = format!("src,dst,port,protocol,bytes,window_seconds\nweb,db,5432,tcp,{GIB},86400\n");
    let file = InputFile { name: "f", bytes: text.as_bytes() };
    let mut found = Vec::new();
    add(&mut estate, &[file], None, None, &mut found);
    estate.flows[0].gib_month = Some(carafe_model::units::Quantity(5_000_000));
    let summary = add(&mut estate, &[file], None, None, &mut found);
    assert_eq!((summary.added, summary.filled), (0, 0));
    assert_eq!(told(&estate), ["web > db tcp/5432 5 ?"]);
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), ["warning INV-1105 "]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_of_traffic_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_000), start in 0..6_usize) {
        let starts: [&[u8]; 6] = [b"", b"{\"records\": [", b"src,dst,bytes\n1.1.1.1,", b"2 1 eni-1 10.0.0.1 ", b"tcp ESTAB 0 0 10.0.0.1:", b"\x1f\x8b\x08"];
        let bytes = [starts[start], &bytes].concat();
        for format in FLOW_FORMATS {
            add(&mut estate(), &[InputFile { name: "f", bytes: &bytes }], Some(format.name), None, &mut Vec::new());
        }
        add(&mut estate(), &[InputFile { name: "f", bytes: &bytes }], None, Some(60), &mut Vec::new());
    }
}
