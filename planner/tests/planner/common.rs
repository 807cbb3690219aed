//! A small catalog and small estates for the planner's tests.

use carafe_model::catalog::{
    DiskPrice, InstanceType, LicencePrice, Offers, PriceSource, Provider, Reach, Region, ServiceKind,
    ServicePrice, Snapshot, TransferPrice, TransferTier,
};
use carafe_model::document::{Document, sha256};
use carafe_model::estate::{App, Endpoint, Estate, Flow, LoadBalancer};
use carafe_model::host::{Architecture, Disk, Host, Media, Os, OsFamily};
use carafe_model::idx::Idx;
use carafe_model::plan::Plan;
use carafe_model::policy::{Match, Policy};
use carafe_model::snapshot::{SealedSnapshot, seal};
use carafe_model::units::{Currency, Gib, Mib, Quantity, Rate, Vcpus};
use carafe_planner::Options;

/// Nothing limits the work, and no gap is accepted.
pub fn options<'a>(estate: &Estate, stop: &'a (dyn Fn() -> bool + Sync)) -> Options<'a> {
    Options {
        estate_sha256: sha256(estate.to_json().as_bytes()),
        policy_sha256: sha256(b""),
        gap: Quantity(0),
        stop,
    }
}

/// Plans with nothing that limits the work.
pub fn plan(estate: &Estate, snapshot: &SealedSnapshot, policy: &Policy) -> Plan {
    carafe_planner::plan(estate, snapshot, policy, &options(estate, &|| false))
}

pub fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

pub fn gib(units: i64) -> Quantity {
    Quantity::from_units(units).expect("small")
}

/// Regions as `(provider, region, country, price factor in percent)`.
pub type Place = (&'static str, &'static str, &'static str, i64);

pub const PLACES: [Place; 5] = [
    ("aws", "ap-northeast-2", "KR", 100),
    ("aws", "us-east-1", "US", 80),
    ("azure", "koreacentral", "KR", 104),
    ("ncp", "kr", "KR", 95),
    ("nhn", "kr1", "KR", 110),
];

/// A catalog in which every region sells the same four machines at its own price.
pub fn catalog(places: &[Place]) -> Snapshot {
    let mut snapshot = Snapshot { id: "test".to_owned(), currency: Currency::USD, ..Snapshot::default() };
    let source = snapshot.sources.push(PriceSource {
        name: "test list".to_owned(),
        as_of: "2026-11-01".to_owned(),
        quality: String::new(),
    });
    let mut names: Vec<&str> = places.iter().map(|place| place.0).collect();
    names.sort();
    names.dedup();
    let providers: Vec<Idx<Provider>> =
        names.iter().map(|name| snapshot.providers.push(Provider { name: (*name).into() })).collect();
    let provider_of = |name: &str| providers[names.binary_search(&name).expect("listed")];
    let machines =
        [("small", 2, 4, 50), ("medium", 4, 16, 170), ("large", 8, 32, 340), ("memory", 4, 32, 230)];
    let mut types = Vec::new();
    for (name, provider) in names.iter().zip(&providers) {
        for (size, vcpus, memory, _) in machines {
            types.push(snapshot.instance_types.push(InstanceType {
                provider: *provider,
                name: format!("{name}.{size}"),
                family: size.to_owned(),
                architecture: Architecture::X86_64,
                vcpus: Vcpus(vcpus),
                memory: Mib::from_gib(memory),
                gpus: Some(0),
                gpu_model: String::new(),
                burstable: Some(size == "small"),
                baseline_milli: (size == "small").then_some(400),
                network_mbps: (size != "memory").then_some(1_000 * vcpus),
            }));
        }
    }
    let mut sorted = places.to_vec();
    sorted.sort();
    let mut offers = Offers::default();
    for (provider, region, country, percent) in sorted {
        let index = snapshot.regions.push(Region {
            provider: provider_of(provider),
            name: region.into(),
            display: region.to_owned(),
            country: country.to_owned(),
            zones: vec![],
            coordinates: None,
        });
        let first = provider_of(provider).usize() * machines.len();
        for (number, (_, _, _, milli)) in machines.into_iter().enumerate() {
            let hourly = Rate(milli * percent * 10_000);
            offers.region.push(index);
            offers.instance_type.push(types[first + number]);
            offers.source.push(source);
            offers.on_demand.push(hourly);
            offers.spot.push(Rate(0));
            offers.one_year.push(Rate(hourly.0 * 7 / 10));
            offers.three_years.push(Rate(hourly.0 / 2));
            offers.one_year_flex.push(Rate(0));
            offers.three_years_flex.push(Rate(0));
            offers.windows.push(Rate(0));
            offers.windows_source.push(source);
        }
        for (class, media, milli) in [("ssd", Media::Ssd, 80), ("hdd", Media::Hdd, 40)] {
            snapshot.disks.push(DiskPrice {
                region: index,
                class: class.to_owned(),
                media,
                gib_month: Rate(milli * percent * 10_000),
                smallest_gib: 10,
                largest_gib: 16_000,
                source,
            });
        }
        for (reach, tiers) in
            [(Reach::InterRegion, vec![(0, 20)]), (Reach::Internet, vec![(0, 0), (100, 90), (10_240, 70)])]
        {
            let tiers = tiers
                .into_iter()
                .map(|(from, milli)| TransferTier { from_gib: from, gib: Rate(milli * percent * 10_000) });
            snapshot.transfers.push(TransferPrice { region: index, reach, tiers: tiers.collect(), source });
        }
        for (kind, name, milli) in [
            (ServiceKind::LoadBalancer, "balancer", 25),
            (ServiceKind::PublicAddress, "address", 5),
            (ServiceKind::NatGateway, "nat", 45),
            (ServiceKind::KubernetesControlPlane, "kubernetes", 100),
        ] {
            // NHN's Kubernetes is left out, as in real lists.
            if !(provider == "nhn" && kind == ServiceKind::KubernetesControlPlane) {
                let hour = Rate(milli * percent * 10_000);
                let name = name.to_owned();
                snapshot.services.push(ServicePrice { region: index, kind, name, hour, gib: None, source });
            }
        }
    }
    snapshot.offers = offers;
    snapshot.licences.push(LicencePrice {
        provider: provider_of(names[0]),
        os: OsFamily::Windows,
        vcpus_from: Vcpus(1),
        vcpus_to: None,
        vcpu_hour: rate("0.046"),
        machine_hour: Rate(0),
        source,
    });
    snapshot
}

pub fn sealed(places: &[Place]) -> SealedSnapshot {
    seal(catalog(places)).0
}

pub fn host(id: &str, vcpus: u32, memory_gib: u64) -> Host {
    Host {
        architecture: Some(Architecture::X86_64),
        vcpus: Some(Vcpus(vcpus)),
        memory_mib: Some(Mib::from_gib(memory_gib)),
        os: Some(Os {
            family: OsFamily::Linux,
            name: "Ubuntu 22.04".to_owned(),
            version: Some("22.04".to_owned()),
        }),
        disks: vec![Disk {
            name: "sda".to_owned(),
            size_gib: Some(Gib(50)),
            media: Some(Media::Ssd),
            ..Disk::default()
        }],
        ..Host::named(id)
    }
}

pub fn flow(from: &str, to: &str, there: i64, back: i64) -> Flow {
    Flow {
        from: Endpoint::Host(from.into()),
        to: Endpoint::Host(to.into()),
        protocol: Some("tcp".to_owned()),
        port: Some(443),
        gib_month: Some(gib(there)),
        gib_month_back: Some(gib(back)),
        max_rtt_ms: None,
    }
}

/// Five hosts in two apps behind a load balancer.
pub fn small_estate() -> Estate {
    let mut estate = Estate::empty("small");
    estate.hosts = vec![
        host("web-1", 2, 4),
        host("web-2", 2, 4),
        host("app-1", 4, 16),
        host("db-1", 4, 32),
        host("batch", 8, 16),
    ];
    estate.hosts[3].labels.insert("tier".to_owned(), "db".to_owned());
    estate.hosts[0].public_address = true;
    for (place, app) in [(0, "shop"), (1, "shop"), (2, "shop"), (3, "data"), (4, "data")] {
        estate.hosts[place].app = Some(app.into());
    }
    estate.apps = vec![
        App { id: "shop".into(), name: "Shop".to_owned() },
        App { id: "data".into(), name: "Data".to_owned() },
    ];
    estate.flows = vec![
        flow("web-1", "app-1", 40, 90),
        flow("web-2", "app-1", 40, 90),
        flow("app-1", "db-1", 120, 300),
        flow("batch", "db-1", 10, 60),
        Flow {
            from: Endpoint::External("internet".to_owned()),
            to: Endpoint::Host("web-1".into()),
            protocol: Some("tcp".to_owned()),
            port: Some(443),
            gib_month: Some(gib(10)),
            gib_month_back: Some(gib(500)),
            max_rtt_ms: None,
        },
    ];
    estate.load_balancers = vec![LoadBalancer {
        id: "front".into(),
        protocol: "https".to_owned(),
        port: 443,
        public: true,
        members: vec!["web-1".into(), "web-2".into()],
        member_port: 8443,
        software: None,
        health_check: None,
    }];
    estate
}

/// `host provider/region` of every placement.
pub fn regions(plan: &Plan) -> Vec<String> {
    plan.placements.iter().map(|p| format!("{} {}/{}", p.host, p.provider, p.region)).collect()
}

/// The codes of a plan's findings.
pub fn codes(plan: &Plan) -> Vec<&str> {
    plan.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Matches one host.
pub fn for_host(name: &str) -> Match {
    Match { host: Some(name.to_owned()), ..Match::default() }
}
