//! What a person says holds: changes that outlive an import, and the order in which sources are believed.

use carafe_inventory::overrides::{apply, between};
use carafe_inventory::{Import, InputFile, Precedence, Wanted, import_as};
use carafe_model::document::Document;
use carafe_model::estate::{App, Endpoint, Estate, Flow};
use carafe_model::host::{Disk, Host};
use carafe_model::overrides::Overrides;
use carafe_model::units::{Gib, Mib, Quantity, Vcpus};
use proptest::prelude::*;

use crate::support::line;

fn flow(from: &str, to: &str, port: u16) -> Flow {
    Flow {
        from: Endpoint::Host(from.into()),
        to: Endpoint::Host(to.into()),
        protocol: Some("tcp".into()),
        port: Some(port),
        gib_month: None,
        gib_month_back: None,
        max_rtt_ms: None,
    }
}

fn shop() -> Estate {
    let mut estate = Estate::empty("shop");
    estate.hosts = ["db", "old", "web"].map(Host::named).to_vec();
    estate.hosts[0].memory_mib = Some(Mib(8_192));
    estate.hosts[2].labels.insert("tier".into(), "web".into());
    estate.flows = vec![flow("old", "db", 1), flow("web", "db", 5_432)];
    estate
}

/// The same, as somebody edited it.
fn edited() -> Estate {
    let mut estate = shop();
    estate.name = "the shop".into();
    estate.hosts.retain(|host| host.id.as_str() != "old");
    estate.hosts[0].memory_mib = Some(Mib(16_384));
    estate.hosts[0].app = Some("shop".into());
    estate.hosts[1].labels.insert("tier".into(), "edge".into());
    estate.hosts.insert(1, Host::named("new"));
    estate.apps = vec![App { id: "shop".into(), name: "Shop".into() }];
    estate.flows = vec![flow("new", "db", 2), flow("web", "db", 5_432)];
    estate.flows[1].gib_month = Quantity::from_units(3);
    estate
}

fn put_on(estate: &mut Estate, overrides: &Overrides) -> Vec<String> {
    let mut findings = Vec::new();
    apply(estate, overrides, "o.json", &mut findings);
    findings.iter().map(line).collect()
}

#[test]
fn changes_give_the_edited_estate_again_and_then_are_needless() {
    let overrides = between(&shop(), &edited());
    let mut estate = shop();
    assert_eq!(put_on(&mut estate, &overrides), [] as [&str; 0]);
    assert_eq!(estate.to_json(), edited().to_json());
    let again = put_on(&mut estate, &overrides);
    assert_eq!(again.len(), overrides.changes.len());
    assert!(again.iter().all(|told| told.starts_with("info INV-1303 o.json, /changes/")), "{again:?}");
    assert_eq!(between(&shop(), &shop()).changes, []);
}

#[test]
fn a_new_import_is_checked_against_what_was_replaced() {
    let overrides = between(&shop(), &edited());
    let mut import = shop();
    // The import has other memory, lost the web server, and speaks of the host that was taken out once more.
    import.hosts[0].memory_mib = Some(Mib(12_288));
    import.hosts.retain(|host| host.id.as_str() != "web");
    import.flows = vec![flow("old", "db", 1), flow("old", "db", 7)];
    let told = put_on(&mut import, &overrides);
    let codes: Vec<&str> = told.iter().map(|told| told.split(" o.json").next().unwrap_or_default()).collect();
    assert_eq!(codes, ["warning INV-1302", "warning INV-1301", "warning INV-1301"], "{told:?}");
    assert_eq!(import.hosts[0].memory_mib, Some(Mib(16_384)), "the person's word holds");
    assert_eq!(import.flows, [flow("new", "db", 2)], "nothing speaks of a host that is gone");
}

#[test]
fn what_does_not_fit_is_left_out_and_told() {
    let text = r#"{"carafe": "overrides/1", "changes": [
        {"target": {"host": "db"}, "field": "ram", "now": 3},
        {"target": {"host": "db"}, "field": "memory_mib", "was": 8192, "now": "much"},
        {"target": {"host": "db"}, "field": "id", "was": "db", "now": "other"},
        {"target": {"host": "x"}, "now": {"id": "y", "name": "y"}},
        {"target": "estate", "field": "hosts"}, {"target": "estate"},
        {"target": "estate", "field": "name", "was": "shop"}]}"#;
    let (overrides, findings) = carafe_model::document::read::<Overrides>("o.json", text.as_bytes());
    assert_eq!(findings, []);
    let mut estate = shop();
    let told = put_on(&mut estate, &overrides.expect("no findings"));
    let expected: Vec<String> = (0..7).map(|at| format!("error INV-1304 o.json, /changes/{at}")).collect();
    assert_eq!(told, expected);
    assert_eq!(estate, shop());
    let broken = r#"{"carafe": "overrides/1", "changes": [{"target": {"hots": "a"}}, {"targt": "estate"}]}"#;
    let (_, findings) = carafe_model::document::read::<Overrides>("o.json", broken.as_bytes());
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding.code == "DOC-004"), "{findings:?}");
}

/// An estate with some of a few hosts, flows and values.
fn estates() -> impl Strategy<Value = Estate> {
    let host = (0..6u8, prop::option::of(1..4u32), prop::option::of(1..4u64), 0..3usize, any::<bool>());
    let flow_between = (0..6u8, 0..6u8, 1..3u16);
    (prop::collection::vec(host, 0..6), prop::collection::vec(flow_between, 0..6)).prop_map(
        |(hosts, flows)| {
            let mut estate = Estate::empty("e");
            for (id, vcpus, memory, disks, label) in hosts {
                let mut host = Host::named(format!("h{id}"));
                (host.vcpus, host.memory_mib) = (vcpus.map(Vcpus), memory.map(Mib));
                let disk = Disk { name: "d".into(), size_gib: Some(Gib(1)), ..Disk::default() };
                host.disks = vec![disk; disks];
                host.labels.extend(label.then(|| ("a/b~".to_owned(), "c".to_owned())));
                estate.hosts.push(host);
            }
            estate.hosts.sort_by(|one, other| one.id.cmp(&other.id));
            estate.hosts.dedup_by(|one, other| one.id == other.id);
            let ids: Vec<String> = estate.hosts.iter().map(|host| host.id.to_string()).collect();
            for (from, to, port) in flows {
                let at = |number: u8| ids.get(usize::from(number));
                if let (Some(from), Some(to)) = (at(from), at(to)) {
                    estate.flows.push(flow(from, to, port));
                }
            }
            let ends = |flow: &Flow| (flow.from.clone(), flow.to.clone(), flow.port);
            estate.flows.sort_by_key(ends);
            estate.flows.dedup_by_key(|flow| ends(flow));
            estate
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_is_kept_whole(base in estates(), edited in estates(), other in estates()) {
        let overrides = between(&base, &edited);
        let mut estate = base.clone();
        prop_assert_eq!(put_on(&mut estate, &overrides), Vec::<String>::new());
        prop_assert_eq!(&estate, &edited);
        // On any other import whatever comes out is an estate without dangling ends.
        let mut estate = other;
        put_on(&mut estate, &overrides);
        let dangling = carafe_inventory::validate(&estate, "e").into_iter().find(|finding| finding.code == "INV-1201");
        prop_assert_eq!(dangling, None);
    }
}

const AZURE: &str = "Server name,Cores,Memory (In MB),OS name\nweb,4,8192,Ubuntu\n";
const FACTS: &str = r#"{"web": {"ansible_facts": {"ansible_hostname": "web", "ansible_processor_vcpus": 8,
    "ansible_memtotal_mb": 16384, "ansible_architecture": "x86_64"}}}"#;

fn believed(orders: &[&str]) -> (Option<Vcpus>, Option<Mib>, Vec<String>) {
    let files = [("a.csv", AZURE), ("dir/f.json", FACTS)];
    let files = files.map(|(name, text)| InputFile { name, bytes: text.as_bytes() });
    let precedence = Precedence::read(orders).expect("an order");
    let wanted = Wanted { precedence: Some(&precedence), ..Wanted::default() };
    let Import { estate, findings } = import_as(&files, "test", &wanted);
    let told = findings.iter().filter(|finding| matches!(finding.code.as_str(), "INV-1103" | "INV-1107"));
    let told = told.map(|finding| format!("{} {}", finding.code, finding.summary)).collect();
    let host = estate.expect("an estate").hosts.remove(0);
    (host.vcpus, host.memory_mib, told)
}

#[test]
fn the_user_says_which_source_is_believed() {
    let first = (Some(Vcpus(4)), Some(Mib(8_192)));
    let second = (Some(Vcpus(8)), Some(Mib(16_384)));
    for (orders, expected) in [
        (&[][..], first),
        (&["ansible,azure-migrate"], second),
        (&["f.json"], second),
        (&["azure-migrate"], first),
        (&["memory_mib=ansible"], (first.0, second.1)),
        (&["ansible", "memory_mib=a.csv"], (second.0, first.1)),
    ] {
        let (vcpus, memory, told) = believed(orders);
        assert_eq!((vcpus, memory), expected, "{orders:?}");
        assert_eq!(told.len(), 2, "both values are told: {told:?}");
    }
    let (.., told) = believed(&["rvtools"]);
    assert!(told.iter().any(|told| told == "INV-1107 no file of this import is \"rvtools\""), "{told:?}");
    let (.., told) = believed(&["memory_mib=ansible"]);
    assert_eq!(
        told,
        [
            "INV-1103 two sources differ on hardware threads: 4, or 8",
            "INV-1103 two sources differ on memory: 16384 MiB, or 8192 MiB"
        ]
    );
    assert!(Precedence::read(&["ram=ansible"]).is_err() && Precedence::read(&["a,,b"]).is_err());
}
