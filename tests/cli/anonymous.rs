//! An estate without names costs what the estate with names costs, to the cent.

use carafe_inventory::anonymise::{Map, anonymise};
use carafe_inventory::{InputFile, import};
use carafe_model::estate::{App, Endpoint, Estate, Flow, LoadBalancer};
use carafe_model::host::{Architecture, Disk, Host, Media, Nic, Os, OsFamily};
use carafe_model::plan::{Plan, Totals};
use carafe_model::policy::Policy;
use carafe_model::policy_file;
use carafe_model::snapshot::{self, SealedSnapshot};
use carafe_model::units::{Gib, Mib, Quantity, Vcpus};
use carafe_planner::Options;
use proptest::prelude::*;

/// What a plan costs in all, and for each host in the order of the estate where it goes and what it becomes.
fn cost(estate: &Estate, catalog: &SealedSnapshot, policy: &Policy) -> (Totals, Vec<String>, Vec<String>) {
    let options = Options {
        estate_sha256: String::new(),
        policy_sha256: String::new(),
        gap: Quantity(0),
        stop: &|| false,
    };
    let plan: Plan = carafe_planner::plan(estate, catalog, policy, &options);
    let place = |host: &Host| {
        let placed = plan.placements.iter().find(|placement| placement.host == host.id);
        placed.map_or("stays".to_owned(), |at| {
            format!("{}/{} {} {:?}", at.provider, at.region, at.offer, at.term)
        })
    };
    let mut bill: Vec<String> = plan
        .bill
        .iter()
        .map(|line| format!("{} {} {:?}", line.rate_id, line.quantity, line.monthly))
        .collect();
    bill.sort();
    (plan.totals, estate.hosts.iter().map(place).collect(), bill)
}

/// Estates whose names, addresses and words are all their own.
fn estates() -> impl Strategy<Value = Estate> {
    let host =
        (1..9u32, 1..33u64, prop::collection::vec(1..400u64, 0..3), 0..4usize, 0..3usize, any::<bool>());
    let flow = (0..9usize, 0..9usize, prop::option::of(0..3_000i64), 0..3u16);
    (prop::collection::vec(host, 1..8), prop::collection::vec(flow, 0..12), any::<bool>()).prop_map(
        |(hosts, flows, has_balancer)| {
            let mut estate = Estate::empty("Vault of the Bank");
            for (number, (vcpus, gib, disks, system, app, stays)) in hosts.into_iter().enumerate() {
                let mut host = Host::named(format!("vault-{number}.bank.example"));
                (host.vcpus, host.memory_mib) = (Some(Vcpus(vcpus)), Some(Mib::from_gib(gib)));
                host.architecture = Some(Architecture::X86_64);
                let families = [OsFamily::Linux, OsFamily::Rhel, OsFamily::Windows, OsFamily::Sles];
                host.os = Some(Os {
                    family: families[system],
                    name: format!("Bank image {system}"),
                    version: None,
                });
                let disk = |(at, size): (usize, u64)| Disk {
                    name: format!("/bank/{at}"),
                    size_gib: Some(Gib(size)),
                    media: (size % 2 == 0).then_some(Media::Ssd),
                    ..Disk::default()
                };
                host.disks = disks.into_iter().enumerate().map(disk).collect();
                let addresses = vec![format!("10.20.30.{}/24", number + 1)];
                host.nics = vec![Nic { name: "bank0".into(), addresses, ..Nic::default() }];
                host.labels.insert("owner".into(), format!("clerk {number}"));
                host.app = (app < 2).then(|| format!("bank-app-{app}").into());
                host.stays_because = (stays && number == 0).then(|| "the vault has no wheels".to_owned());
                estate.hosts.push(host);
            }
            estate.apps = (0..2)
                .map(|app| App { id: format!("bank-app-{app}").into(), name: format!("Bank app {app}") })
                .collect();
            let end = |at: usize| match estate.hosts.get(at) {
                Some(host) => Endpoint::Host(host.id.clone()),
                None if at == 8 => Endpoint::External("internet".into()),
                None => Endpoint::External("the partner bank".into()),
            };
            let flows = flows.into_iter().map(|(from, to, gib, port)| Flow {
                from: end(from),
                to: end(to),
                protocol: Some("tcp".into()),
                port: Some(1_000 + port),
                gib_month: gib.and_then(Quantity::from_units),
                gib_month_back: gib.and_then(|gib| Quantity::from_units(gib / 3)),
                max_rtt_ms: None,
            });
            estate.flows = flows.filter(|flow| flow.from != flow.to).collect();
            if has_balancer {
                estate.load_balancers.push(LoadBalancer {
                    id: "bank-front".into(),
                    protocol: "tcp".into(),
                    port: 443,
                    public: true,
                    members: vec![estate.hosts[0].id.clone()],
                    member_port: 8_443,
                    software: Some("haproxy of the bank".into()),
                    health_check: None,
                });
            }
            estate
        },
    )
}

fn catalog() -> SealedSnapshot {
    snapshot::seal(carafe_inventory::catalog::starter()).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_without_names_costs_the_same(estate in estates()) {
        let replaced = anonymise(estate.clone(), &[], &mut Map::default());
        let text = format!("{replaced:?}").to_lowercase();
        prop_assert!(!text.contains("bank") && !text.contains("vault"), "{}", text);
        let (catalog, policy) = (catalog(), Policy::default());
        prop_assert_eq!(cost(&replaced, &catalog, &policy), cost(&estate, &catalog, &policy));
    }
}

#[test]
fn the_example_without_names_costs_the_same_under_its_policy() {
    let files = [
        ("honeybee.json", include_str!("../../examples/korean-erp/honeybee.json")),
        ("annotations.json", include_str!("../../examples/korean-erp/annotations.json")),
    ];
    let files = files.map(|(name, text)| InputFile { name, bytes: text.as_bytes() });
    let estate = import(&files, None, "erp").estate.expect("the example is sound");
    let (policy, findings) = policy_file::read("p", include_str!("../../examples/korean-erp/policy.toml"));
    assert_eq!(findings, []);
    // Its rules match on two labels, which are kept.
    let replaced = anonymise(estate.clone(), &["data", "tier"], &mut Map::default());
    assert_eq!(cost(&replaced, &catalog(), &policy), cost(&estate, &catalog(), &policy));
}
