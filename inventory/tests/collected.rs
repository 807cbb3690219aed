//! What live collection brings home, read without a network.

use carafe_inventory::{Import, InputFile, collected::ssh, import};
use carafe_model::estate::{Endpoint, Estate};
use carafe_model::host::{Action, Direction, Host};
use carafe_model::units::{Gib, Quantity};
use proptest::prelude::*;

/// A whole answer of a host: what every host says, and these sections.
fn answer(name: &str, address: &str, sections: &str) -> String {
    format!(
        "Welcome to {name}\n#@ rights\nroot\n#@ machine\nhostname {name}\nkernel 6.1.0\nsystem Linux\narchitecture x86_64\n\
         threads 4\nmemory_kib 8000000\n#@ os-release\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n\
         #@ addresses\n2: eth0@if7: <UP> mtu 1500 link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n\
         2: eth0    inet {address}/24 brd 10.0.0.255 scope global eth0\n{sections}\n#@ end\n"
    )
}

fn collect(hosts: &[(&str, String)]) -> Import {
    let outputs = hosts
        .iter()
        .map(|(target, output)| ssh::HostOutput { target: (*target).to_owned(), output: output.clone() });
    let bytes = serde_json::to_vec(&ssh::Collection::new(outputs.collect())).expect("texts and lists");
    import(&[InputFile { name: "collection.json", bytes: &bytes }], None, "shop")
}

fn estate(hosts: &[(&str, String)]) -> Estate {
    collect(hosts).estate.expect("hosts were collected")
}

fn one(sections: &str) -> Host {
    estate(&[("a", answer("a", "10.0.0.1", sections))]).hosts.remove(0)
}

fn edges(estate: &Estate) -> Vec<(String, String, String)> {
    let name = |end: &Endpoint| match end {
        Endpoint::Host(id) => id.to_string(),
        Endpoint::External(name) => format!("({name})"),
    };
    let port = |flow: &carafe_model::estate::Flow| {
        format!("{}/{}", flow.protocol.as_deref().unwrap_or("?"), flow.port.unwrap_or_default())
    };
    estate.flows.iter().map(|flow| (name(&flow.from), name(&flow.to), port(flow))).collect()
}

fn edge(from: &str, to: &str, port: &str) -> (String, String, String) {
    (from.to_owned(), to.to_owned(), port.to_owned())
}

#[test]
fn a_connection_seen_from_both_ends_is_one_flow_at_the_rate_of_the_samples() {
    const LISTENING: &str = "#@ listening\nNetid State Recv-Q Send-Q Local Peer\n\
                             tcp LISTEN 0 128 *:5432 *:* users:((\"postgres\",pid=7,fd=5)) uid:26 ino:1\n";
    // 1 MiB in 100 seconds one way, half of it the other; a connection within the host, and one to oneself.
    let client = "#@ samples\nat 100.00\ntcp 10.0.0.1:40000 10.0.0.2:5432 1000 500\ntcp 127.0.0.1:1 127.0.0.1:2 5 5\n\
                  at 200.00\ntcp 10.0.0.1:40000 10.0.0.2:5432 1049576 524788\n";
    let server = "#@ samples\nat 700.00\ntcp [::ffff:10.0.0.2]:5432 [::ffff:10.0.0.1]:40000 500 1000\n\
                  at 800.00\ntcp [::ffff:10.0.0.2]:5432 [::ffff:10.0.0.1]:40000 524788 1049576\n";
    let estate = estate(&[
        ("a", answer("a", "10.0.0.1", client)),
        ("b", answer("b", "10.0.0.2", &format!("{LISTENING}{server}"))),
    ]);
    assert_eq!(edges(&estate), [edge("a", "b", "tcp/5432")]);
    // 26,280 periods of 100 seconds in a month of 730 hours, each of 1/1024 GiB.
    assert_eq!(estate.flows[0].gib_month, Some(Quantity(25_664_062)));
    assert_eq!(estate.flows[0].gib_month_back, Some(Quantity(12_832_031)));
}

#[test]
fn a_single_look_knows_who_talks_but_not_how_much() {
    let estate = estate(&[(
        "a",
        answer("a", "10.0.0.1", "#@ samples\nat 100.00\ntcp 10.0.0.1:40000 192.168.7.9:443 1000 500\n"),
    )]);
    assert_eq!(edges(&estate), [edge("a", "(192.168.7.9)", "tcp/443")]);
    assert_eq!((estate.flows[0].gib_month, estate.flows[0].gib_month_back), (None, None));
}

#[test]
fn the_connection_of_the_collection_itself_is_no_traffic_and_visitors_are_the_internet() {
    let sections = "#@ listening\ntcp LISTEN 0 128 0.0.0.0:443 0.0.0.0:*\ntcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n\
                    #@ samples\nat 1.00\ntcp 10.0.0.1:22 10.0.0.9:50000 10 10\ntcp 10.0.0.1:443 8.8.8.8:50001 10 10\n\
                    tcp 10.0.0.1:443 1.1.1.1:50002 10 10\ntcp 10.0.0.1:50003 9.9.9.9:53 10 10\n";
    let output = answer("a", "10.0.0.1", sections)
        .replace("system Linux", "system Linux\nconnection 10.0.0.9 50000 10.0.0.1 22");
    let expected = [edge("a", "(9.9.9.9)", "tcp/53"), edge("(internet)", "a", "tcp/443")];
    assert_eq!(edges(&estate(&[("a", output)])), expected);
}

#[test]
fn connection_tracking_unfolds_translated_addresses() {
    // A container reaches b; b's published port leads to a container; a router's traffic between others is not ours.
    let a = "#@ conntrack\nudp 17 29 src=172.17.0.2 dst=10.0.0.2 sport=5000 dport=53 packets=1 bytes=60 src=10.0.0.2 \
             dst=10.0.0.1 sport=53 dport=5000 [ASSURED] mark=0\n\
             tcp 6 100 ESTABLISHED src=10.0.0.7 dst=10.0.0.8 sport=1 dport=2 src=10.0.0.8 dst=10.0.0.7 sport=2 dport=1\n\
             tcp 6 100 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1\n";
    let b = "#@ conntrack\ntcp 6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=8080 src=172.17.0.3 \
             dst=10.0.0.1 sport=80 dport=4000 [ASSURED]\n";
    let estate = estate(&[("a", answer("a", "10.0.0.1", a)), ("b", answer("b", "10.0.0.2", b))]);
    assert_eq!(edges(&estate), [edge("a", "b", "tcp/8080"), edge("a", "b", "udp/53")]);
}

#[test]
fn hosts_without_ss_tell_their_connections_by_the_kernels_table() {
    let sections = "#@ samples\nat 1.00\nlisten 00000000:1F90\nhex 0100000A:1F90 0200000A:9C40\n\
                    hex 0000000000000000FFFF00000100000A:C000 0000000000000000FFFF00000300000A:0050\n";
    let estate = estate(&[("a", answer("a", "10.0.0.1", sections))]);
    assert_eq!(edges(&estate), [edge("a", "(10.0.0.3)", "tcp/80"), edge("(10.0.0.2)", "a", "tcp/8080")]);
}

#[test]
fn disks_are_told_by_what_lies_on_them_and_the_boot_disk_comes_first() {
    let host = one(
        "#@ disks\ndisk sda 209715200 1\non sda1 sda\ndisk sdb 41943040 0\non sdb1 sdb\non sdb2 sdb\non dm-0 sdb2\n\
         disk sdc 2097152 0\ndisk sdd 2097152 0\non md0 sdc\non md0 sdd\n#@ filesystems\n\
         /dev/mapper/root /dev/dm-0 ext4 20000000 3145728 1 16% /\n/dev/sda1 /dev/sda1 xfs 99 1048577 1 1% /srv/my data\n\
         /dev/md0 /dev/md0 ext4 1000 500 1 50% /fast\n",
    );
    let disks: Vec<(&str, Option<Gib>, Option<Gib>)> =
        host.disks.iter().map(|disk| (disk.name.as_str(), disk.size_gib, disk.used_gib)).collect();
    assert_eq!(
        disks,
        [
            ("sdb", Some(Gib(20)), Some(Gib(3))),
            ("sda", Some(Gib(100)), Some(Gib(2))),
            ("sdc", Some(Gib(1)), None),
            ("sdd", Some(Gib(1)), None)
        ]
    );
    let inside = host.inside.expect("it was looked into");
    assert!(inside.filesystems.iter().any(|filesystem| filesystem.mount_point == "/srv/my data"));
}

#[test]
fn every_kind_of_packet_filter_gives_the_same_rules() {
    let filters = [
        "#@ iptables\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n\
         -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
         -A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 5432 -j ACCEPT\n\
         -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT\nCOMMIT\n",
        "#@ nft\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\
         \t\tiif \"lo\" accept\n\t\tct state established,related accept\n\
         \t\tip saddr 10.0.0.0/8 tcp dport 5432 counter packets 1 bytes 60 accept\n\t\ttcp dport { 80, 443 } accept # handle 4\n\
         \t}\n\tchain other {\n\t\ttcp dport 1 drop\n\t}\n}\n",
        "#@ ufw\nStatus: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n\n\
         To                         Action      From\n--                         ------      ----\n\
         5432/tcp                   ALLOW IN    10.0.0.0/8\n80,443/tcp                 ALLOW IN    Anywhere\n\
         80,443/tcp (v6)            ALLOW IN    Anywhere (v6)\n",
    ];
    for filter in filters {
        let host = one(filter);
        let rules: Vec<(&str, &str, &str)> = host
            .firewall
            .iter()
            .map(|rule| (rule.protocol.as_str(), rule.source.as_str(), rule.ports.as_str()))
            .collect();
        assert_eq!(
            rules,
            [("tcp", "10.0.0.0/8", "5432"), ("tcp", "*", "80,443"), ("*", "*", "*")],
            "{filter}"
        );
        let last = host.firewall.last().expect("three rules");
        assert_eq!((last.direction, last.action), (Direction::Inbound, Action::Deny));
    }
}

#[test]
fn rules_that_cannot_be_understood_are_told() {
    let rule = "#@ iptables\n-A INPUT -m geoip --src-cc KR -j ACCEPT\n-A INPUT -p tcp --dport 22 -j ACCEPT\n";
    let import = collect(&[("a", answer("a", "10.0.0.1", rule))]);
    let found = import.findings.iter().find(|finding| finding.code == "INV-8003").expect("it is told");
    assert_eq!(found.host.as_deref(), Some("a"));
    assert_eq!(import.estate.expect("a host").hosts[0].firewall.len(), 1);
}

#[test]
fn use_is_the_percentile_of_the_peaks_of_ten_minutes() {
    let mut samples = String::from("#@ samples\n");
    // Twenty bins of two samples each; in bin n one sample is at 5 n percent, the other idle. One tick is 10 ms.
    let (mut busy, mut idle) = (0, 0);
    for sample in 0..=40_u64 {
        if sample > 0 {
            let percent = if sample % 2 == 0 { (sample / 2) * 5 } else { 0 };
            busy += percent;
            idle += 100 - percent;
        }
        samples.push_str(&format!(
            "at {}.00\ncpu  {busy} 0 0 {idle}\nmemory {}\n",
            sample * 300,
            1024 * 1024
        ));
    }
    let usage = one(&samples).usage.expect("it was watched");
    let cpu = usage.cpu_percent.expect("processor time");
    assert_eq!(
        (cpu.p50, cpu.p95, cpu.max),
        (Quantity(50_000_000), Quantity(95_000_000), Quantity(100_000_000))
    );
    assert_eq!(usage.memory_mib.map(|memory| memory.max), Some(Quantity(1_024_000_000)));
    assert_eq!((usage.window_hours, usage.coverage_percent), (4, 83));
}

#[test]
fn a_process_that_may_not_be_seen_is_found_by_its_user() {
    let host = one(
        "#@ listening\ntcp LISTEN 0 128 0.0.0.0:7000 0.0.0.0:* uid:1001 ino:5\ntcp LISTEN 0 9 [::]:22 [::]:* ino:6\n\
         tcp LISTEN 0 9 0.0.0.0:7001 0.0.0.0:* uid:1002 ino:5\n#@ processes\n1 0 0 100 systemd\n50 1 0 100 sshd\n\
         60 1 1001 100 order service\n61 60 1001 100 worker\n70 1 1002 9 one\n71 1 1002 9 two\n#@ executables\n\
         sshd /usr/sbin/sshd\n#@ owners\n/usr/sbin/sshd openssh-server\n",
    );
    let services = host.inside.expect("it was looked into").services;
    let told: Vec<(u16, Option<&str>, Option<&str>)> =
        services.iter().map(|one| (one.port, one.process.as_deref(), one.package.as_deref())).collect();
    assert_eq!(
        told,
        [(22, Some("sshd"), Some("openssh-server")), (7000, Some("order service"), None), (7001, None, None)]
    );
}

#[test]
fn an_answer_that_is_not_whole_costs_only_its_host() {
    let whole = answer("a", "10.0.0.1", "");
    let cut = whole.replace("#@ end", "");
    let import = collect(&[("a", whole), ("b", cut), ("c", "\u{0}garbage".to_owned())]);
    assert_eq!(import.estate.expect("a is whole").hosts.len(), 1);
    let told: Vec<Option<&str>> = import
        .findings
        .iter()
        .filter(|finding| finding.code == "INV-8001")
        .map(|finding| finding.host.as_deref())
        .collect();
    assert_eq!(told, [Some("b"), Some("c")]);
}

/// Words that the parsers look for, in any order.
fn lines() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "(#@ (machine|disks|filesystems|addresses|routes|iptables|nft|ufw|firewalld|listening|conntrack|samples|processes)\n)",
        "(at|cpu|net eth0|memory|tcp|hex|listen|disk|on|-A INPUT|:INPUT|chain|tcp dport|ip saddr|memory_kib|threads) ",
        "[0-9]{1,20}[ .:/]",
        "[0-9A-F]{8}:[0-9A-F]{4} ",
        "10\\.0\\.0\\.[0-9]:[0-9]{1,6} ",
        "(src|dst|sport|dport)=[0-9.]{1,9} ",
        "\\PC{0,6}",
        "\n",
    ];
    prop::collection::vec(word, 0..200).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn nothing_that_a_host_answers_makes_the_reader_panic(text in lines()) {
        collect(&[("a", answer("a", "10.0.0.1", &text)), ("b", answer("b", "10.0.0.2", &text))]);
    }
}
