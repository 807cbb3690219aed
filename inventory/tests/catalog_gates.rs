//! What a price list can get wrong, one test for each: the wrong figure is never used, and a finding says where it was.

use std::path::Path;

use carafe_inventory::InputFile;
use carafe_inventory::catalog::{CODES, import};
use carafe_model::catalog::{Offer, Reach, ServiceKind, Snapshot, Term};
use carafe_model::finding::{Finding, Severity};
use carafe_model::host::{Architecture, Media, OsFamily};
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Rate};

const REGIONS: &str = "provider,region,display,country\n\
    aws,seoul,Seoul,KR\naws,tokyo,Tokyo,JP\naws,osaka,Osaka,JP\naws,virginia,Virginia,US\naws,paris,Paris,FR\n\
    azure,seoul,Seoul,KR\ngcp,seoul,Seoul,KR\noci,seoul,Seoul,KR\noci,london,London,GB\ntencent,seoul,Seoul,KR\n\
    acme,here,Here,KR\n";
const SPECS: &str = "provider,spec,family,arch,vcpu,memory_gib,gpu_count,burstable\n\
    aws,nano,t,arm64,2,0.5,0,1\naws,small,m,x86_64,2,8,0,0\naws,large,m,x86_64,16,64,,\n\
    azure,D2s,D,x86_64,2,8,0,0\nacme,box,,x86_64,4,16,0,\n";
const PRICES: &str = "provider,region,spec,usd_per_hour_linux_ondemand,usd_spot,usd_1yr,usd_3yr,usd_1yr_flex,\
    usd_3yr_flex,offered,source,as_of,quality,spot_as_of,commit_basis\n";
const WINDOWS: &str = "provider,region,spec,usd_per_hour_windows,usd_per_hour_linux,source,as_of\n";
const STORAGE: &str = "provider,region,service,disk_type,media,usd_per_gb_month,source,as_of\n";
const EGRESS: &str = "provider,region,direction,tier_from_gb,tier_to_gb,usd_per_gb,notes,source,as_of\n";
const SERVICES: &str = "provider,region,service,charge,usd,unit,notes,source,as_of\n";
const LICENCES: &str =
    "provider,os,vcpu_min,vcpu_max,usd_per_vcpu_hour,usd_per_instance_hour,basis,source,as_of\n";

fn read_all(texts: &[&str]) -> (Option<Snapshot>, Vec<Finding>) {
    let names: Vec<String> = (1..=texts.len()).map(|number| format!("{number}.csv")).collect();
    let files: Vec<InputFile<'_>> =
        texts.iter().zip(&names).map(|(text, name)| InputFile { name, bytes: text.as_bytes() }).collect();
    import(&files, "normalised", "test")
}

/// Reads regions, specs and one more table (`3.csv`) made of a header and rows.
fn read(header: &str, rows: &str) -> (Snapshot, Vec<Finding>) {
    let (snapshot, findings) = read_all(&[REGIONS, SPECS, &format!("{header}{rows}")]);
    (snapshot.expect("regions and specs are sound"), findings)
}

/// A row of the prices table of which only the rates of `small` in Seoul matter.
fn seoul(rates: &str) -> String {
    format!("aws,seoul,small,{rates},,list,2026-08-13,,,\n")
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// The only finding there is: code, severity, row and column.
fn only(findings: &[Finding]) -> (&str, Severity, Option<u32>, Option<&str>) {
    let [finding] = findings else { panic!("not one finding: {findings:?}") };
    assert!(finding.help.is_some(), "{finding:?} does not say what to do");
    assert_eq!(finding.place.file.as_deref(), Some("3.csv"));
    (&finding.code, finding.severity, finding.place.row, finding.place.column.as_deref())
}

fn on_demand(snapshot: &Snapshot) -> Vec<i64> {
    snapshot.offers.on_demand.iter().map(|rate| rate.0).collect()
}

#[test]
fn a_sound_row_is_read_to_the_last_digit() {
    let (snapshot, findings) = read(
        PRICES,
        "aws,seoul,small,0.118,0.0354,0.0743,0.0443683,0.081,0.0564,y,AWS price list,2026-06-30,list,2024-04-04,reserved\n",
    );
    assert_eq!(findings, []);
    let offer = Idx::<Offer>::new(0);
    let rates: Vec<_> =
        Term::ALL.iter().map(|term| snapshot.offers.rate(offer, *term).map(|r| r.0)).collect();
    let expected = [118_000_000, 74_300_000, 81_000_000, 44_368_300, 56_400_000, 35_400_000].map(Some);
    assert_eq!(rates, expected);
    assert_eq!(snapshot.offers.windows_rate(offer), None);
    let source = &snapshot.sources[snapshot.offers.source[0]];
    assert_eq!((source.name.as_str(), source.as_of.as_str()), ("AWS price list", "2026-06-30"));
    assert_eq!(source.quality, "list; spot as of 2024-04-04; commitments: reserved");
}

#[test]
fn a_zero_price_is_no_price() {
    for zero in ["0", "0.0", "0.00000000000"] {
        let (snapshot, findings) = read(PRICES, &seoul(&format!("{zero},,,,,")));
        let column = Some("usd_per_hour_linux_ondemand");
        assert_eq!(only(&findings), ("CAT-1102", Severity::Error, Some(2), column), "{zero}");
        assert!(snapshot.offers.is_empty());
        assert_eq!(snapshot.instance_types.len(), 5, "the type stays known");
    }
}

#[test]
fn a_negative_price_is_no_price() {
    let (snapshot, findings) = read(PRICES, &seoul("-0.1,,,,,"));
    assert_eq!(only(&findings).0, "CAT-1103");
    assert!(snapshot.offers.is_empty());
}

#[test]
fn a_price_that_cannot_be_read_is_no_price() {
    for text in ["-0.21%", "$0.1", "n/a", "1e-1", "0,1\"", "99999999999999"] {
        let (snapshot, findings) = read(PRICES, &seoul(&format!("\"{}\",,,,,", text.replace('"', ""))));
        assert_eq!(only(&findings).0, "CAT-1101", "{text}");
        assert!(snapshot.offers.is_empty());
    }
}

#[test]
fn a_row_without_a_price_is_counted() {
    let (snapshot, findings) = read(PRICES, &seoul(",0.01,,,,"));
    assert_eq!(codes(&findings), ["CAT-1111"]);
    assert!(snapshot.offers.is_empty());
}

#[test]
fn a_placeholder_is_not_the_cheapest() {
    // Regions that are not open yet list 0.01 for machines of any size.
    let (snapshot, findings) =
        read(PRICES, &format!("{}aws,tokyo,small,0.01,,,,,,,list,2026,,,\n", seoul("0.118,,,,,")));
    assert_eq!(only(&findings), ("CAT-1104", Severity::Error, Some(3), Some("usd_per_hour_linux_ondemand")));
    assert_eq!(on_demand(&snapshot), [118_000_000]);
}

#[test]
fn a_tiny_machine_may_cost_less_than_a_cent() {
    let (snapshot, findings) = read(PRICES, "aws,seoul,nano,0.0052,,,,,,,list,2026,,,\n");
    assert_eq!(findings, []);
    assert_eq!(on_demand(&snapshot), [5_200_000]);
}

#[test]
fn a_dear_machine_is_believed() {
    let (snapshot, findings) = read(PRICES, &seoul("407.68,,,,,"));
    assert_eq!(findings, []);
    assert_eq!(on_demand(&snapshot), [407_680_000_000]);
}

#[test]
fn a_commitment_that_saves_nothing_is_dropped_and_the_rest_is_kept() {
    let (snapshot, findings) = read(PRICES, &seoul("0.1,0.1,0.09,0.2,0.08,0"));
    let found: Vec<_> = findings.iter().map(|f| (f.code.as_str(), f.place.column.as_deref())).collect();
    let expected = [("CAT-1107", "usd_spot"), ("CAT-1107", "usd_3yr"), ("CAT-1102", "usd_3yr_flex")];
    assert_eq!(found, expected.map(|(code, column)| (code, Some(column))));
    let offer = Idx::<Offer>::new(0);
    let known = Term::ALL.map(|term| snapshot.offers.rate(offer, term).is_some());
    assert_eq!(known, [true, true, true, false, false, false]);
}

#[test]
fn what_is_not_sold_there_is_left_out() {
    let (snapshot, findings) =
        read(PRICES, "aws,seoul,small,0.1,,,,,,n,list,2026,,,\naws,tokyo,small,0.1,,,,,,y,list,2026,,,\n");
    assert_eq!(codes(&findings), ["CAT-1110"]);
    assert_eq!(findings[0].severity, Severity::Info);
    assert!(findings[0].summary.ends_with(": 1"), "{}", findings[0].summary);
    assert_eq!(snapshot.offers.len(), 1);
}

#[test]
fn of_two_prices_for_one_machine_the_newest_counts_in_any_order() {
    let rows = [
        "aws,seoul,small,0.2,,,,,,,old list,2024,,,\n",
        "aws,seoul,small,0.1,,,,,,,list,2026-08,,,\n",
        "aws,seoul,small,0.12,,,,,,,list,2026-08,,,\n",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let text: String = order.map(|place| rows[place]).concat();
        let (snapshot, findings) = read(PRICES, &text);
        assert_eq!(codes(&findings), ["CAT-1112", "CAT-1112"]);
        assert_eq!(on_demand(&snapshot), [120_000_000], "{order:?}");
    }
}

#[test]
fn a_price_for_something_unknown_is_left_out() {
    let (snapshot, findings) =
        read(PRICES, "aws,mars,small,0.1,,,,,,,list,2026,,,\naws,seoul,giant,0.1,,,,,,,list,2026,,,\n");
    let found: Vec<_> = findings.iter().map(|f| (f.code.as_str(), f.place.column.as_deref())).collect();
    assert_eq!(found, [("CAT-1201", Some("region")), ("CAT-1202", Some("spec"))]);
    assert!(snapshot.offers.is_empty());
}

#[test]
fn a_price_without_source_or_date_is_not_used() {
    for (source, date, column) in
        [("", "2026", "source"), ("list", "", "as_of"), ("list", "13.08.2026", "as_of")]
    {
        let (snapshot, findings) = read(PRICES, &format!("aws,seoul,small,0.1,,,,,,,{source},{date},,,\n"));
        assert_eq!(only(&findings), ("CAT-1109", Severity::Error, Some(2), Some(column)));
        assert!(snapshot.offers.is_empty());
    }
}

#[test]
fn more_than_nine_decimals_are_rounded_and_said_so_once() {
    let (snapshot, findings) = read(
        PRICES,
        "aws,seoul,small,0.1234567885,,,,,,,list,2026,,,\naws,tokyo,small,0.1234567895,,,,,,,list,2026,,,\n",
    );
    assert_eq!(codes(&findings), ["CAT-1105"]);
    assert!(findings[0].summary.ends_with(": 2"), "{}", findings[0].summary);
    assert_eq!(
        on_demand(&snapshot).iter().copied().collect::<std::collections::BTreeSet<_>>(),
        [123_456_788, 123_456_790].into()
    );
}

#[test]
fn what_qualifies_a_price_stays_with_it() {
    let (snapshot, _) = read(PRICES, "aws,seoul,small,0.1,,,,,,,list,2026,rounded to 0.01,,\n");
    assert_eq!(snapshot.sources[snapshot.offers.source[0]].quality, "rounded to 0.01");
}

#[test]
fn a_machine_at_the_price_of_one_half_its_size_is_doubted() {
    let (snapshot, findings) =
        read(PRICES, "aws,seoul,small,0.1,,,,,,,list,2026,,,\naws,seoul,large,0.1,,,,,,,list,2026,,,\n");
    assert_eq!(codes(&findings), ["CAT-1113"]);
    assert!(findings[0].summary.contains("large costs the same as small"), "{}", findings[0].summary);
    assert_eq!(snapshot.offers.len(), 2, "both stay in use");
}

#[test]
fn a_million_bad_rows_make_fifty_findings_and_a_count() {
    let (_, findings) = read(PRICES, &seoul("0,,,,,").repeat(1000));
    assert_eq!(findings.len(), 51);
    assert!(findings[50].summary.ends_with(": 950"), "{}", findings[50].summary);
}

#[test]
fn a_windows_price_in_the_linux_column_leaves_the_machine_unpriced() {
    let prices = format!("{PRICES}azure,seoul,D2s,0.21,,,,,,,list,2026,,,\n{}", seoul("0.1,,,,,"));
    let windows =
        format!("{WINDOWS}azure,seoul,D2s,0.21,0.118,list,2026\naws,seoul,small,0.192,0.1,list,2026\n");
    let (snapshot, findings) = read_all(&[REGIONS, SPECS, &prices, &windows]);
    let snapshot = snapshot.expect("a catalog");
    assert_eq!(codes(&findings), ["CAT-1122"]);
    assert_eq!(on_demand(&snapshot), [100_000_000]);
    assert_eq!(snapshot.offers.windows_rate(Idx::new(0)), Some(Rate(192_000_000)));
}

#[test]
fn windows_prices_are_held_against_linux_prices() {
    let prices = format!("{PRICES}{}", seoul("0.1,,,,,"));
    for (row, code) in [
        ("aws,seoul,small,0.09,,list,2026\n", "CAT-1123"),
        ("aws,tokyo,small,0.2,,list,2026\n", "CAT-1121"),
        ("aws,seoul,small,0,,list,2026\n", "CAT-1102"),
        ("aws,seoul,small,0.2,,,2026\n", "CAT-1109"),
        ("aws,mars,small,0.2,,list,2026\n", "CAT-1201"),
    ] {
        let (snapshot, findings) = read_all(&[REGIONS, SPECS, &prices, &format!("{WINDOWS}{row}")]);
        assert_eq!(codes(&findings), [code], "{row}");
        assert_eq!(snapshot.expect("a catalog").offers.windows_rate(Idx::new(0)), None, "{row}");
    }
    let free_of_charge = format!("{WINDOWS}aws,seoul,small,0.1,0.1,list,2026\n");
    let (snapshot, findings) = read_all(&[REGIONS, SPECS, &prices, &free_of_charge]);
    assert_eq!(findings, [], "some providers add nothing");
    assert_eq!(snapshot.expect("a catalog").offers.windows_rate(Idx::new(0)), Some(Rate(100_000_000)));
}

#[test]
fn instance_types_of_unknown_size_or_kind_are_told_apart() {
    let specs = "provider,spec,arch,vcpu,memory_gib,gpu_count,burstable\n\
        aws,no-cpu,x86_64,,8,,\naws,no-memory,x86_64,2,,,\naws,zero,x86_64,0,8,,\naws,below,x86_64,2,-8,,\n\
        aws,half,x86_64,2,61.4401,0.25,\naws,power,ppc64,2,8,4,1\naws,blank,,2,8,,0\naws,power,arm64,4,8,,\n\
        aws,shrunk,x86_64,4,15.625,,\n,nameless,x86_64,2,8,,\n";
    let (snapshot, findings) = read_all(&[REGIONS, specs]);
    let snapshot = snapshot.expect("a catalog");
    let expected = [
        "CAT-1207", "CAT-1207", "CAT-1207", "CAT-1207", "CAT-1106", "CAT-1204", "CAT-1208", "CAT-1209",
        "CAT-1210",
    ];
    assert_eq!(codes(&findings), expected);
    let types: Vec<_> = snapshot
        .instance_types
        .iter()
        .map(|t| (t.name.as_str(), t.architecture, t.memory, t.gpus, t.burstable))
        .collect();
    let eight = Mib(8192);
    assert_eq!(
        types,
        [
            ("blank", Architecture::Other, eight, None, Some(false)),
            ("half", Architecture::X86_64, Mib(62914), None, None),
            ("power", Architecture::Other, eight, Some(4), Some(true)),
            ("shrunk", Architecture::X86_64, Mib(16000), None, None),
        ]
    );
}

#[test]
fn regions_without_a_country_or_a_place_are_kept_and_reported() {
    let regions = "provider,region,display,country,zones,lat,lon\n\
        aws,a,A,kr,z2|z1|z2,91,10\naws,b,B,KR,,37.5665,126.9780001\naws,b,Again,KR,,,\naws,,C,KR,,,\n";
    let (snapshot, findings) = read_all(&[regions, SPECS]);
    assert_eq!(codes(&findings), ["CAT-1205", "CAT-1206", "CAT-1106", "CAT-1204"]);
    let snapshot = snapshot.expect("a catalog");
    let regions: Vec<_> = snapshot
        .regions
        .iter()
        .map(|r| (r.display.as_str(), r.country.as_str(), r.zones.len(), r.coordinates))
        .collect();
    assert_eq!(regions, [("A", "", 2, None), ("B", "KR", 0, Some((37_566_500, 126_978_000)))]);
}

#[test]
fn only_disks_of_servers_are_loaded() {
    let (snapshot, findings) = read(
        STORAGE,
        "aws,seoul,EBS,gp3,,0.0912,list,2026\naws,seoul,EBS,io2,,0.1278,list,2026\naws,seoul,EBS,snapshot,,0.05,list,2026\n\
        aws,seoul,EBS,st1,,0,list,2026\nacme,here,Any,fast,ssd,0.05,list,2026\nacme,here,Any,tape,tape,0.01,list,2026\n",
    );
    assert_eq!(codes(&findings), ["CAT-1102", "CAT-1302", "CAT-1301"]);
    assert!(findings[2].summary.ends_with("2 (aws io2, aws snapshot)"), "{}", findings[2].summary);
    let disks: Vec<_> = snapshot.disks.iter().map(|d| (d.class.as_str(), d.media, d.gib_month)).collect();
    assert_eq!(disks, [("fast", Media::Ssd, Rate(50_000_000)), ("gp3", Media::Ssd, Rate(91_200_000))]);
}

#[test]
fn a_disk_at_ten_times_the_usual_price_is_doubted() {
    let mut rows = String::new();
    for (region, rate) in
        [("seoul", "0.075"), ("tokyo", "0.08"), ("osaka", "0.08"), ("virginia", "0.06"), ("paris", "0.75")]
    {
        rows.push_str(&format!("aws,{region},EBS,gp3,,{rate},list,2026\n"));
    }
    let (snapshot, findings) = read(STORAGE, &rows);
    assert_eq!(codes(&findings), ["CAT-1304"]);
    assert!(findings[0].summary.starts_with("aws/paris: gp3 costs 0.75"), "{}", findings[0].summary);
    assert_eq!(snapshot.disks.len(), 5, "it stays in use");
}

#[test]
fn a_row_for_one_region_goes_before_one_for_all_in_any_order() {
    let rows = ["aws,all,EBS,gp3,,0.1,list,2026\n", "aws,seoul,EBS,gp3,,0.05,list,2024\n"];
    for text in [rows.concat(), [rows[1], rows[0]].concat()] {
        let (snapshot, findings) = read(STORAGE, &text);
        assert_eq!(findings, []);
        let of = |name: &str| {
            let disk = snapshot.disks.iter().find(|d| snapshot.regions[d.region].name.as_str() == name);
            disk.map(|disk| disk.gib_month.0)
        };
        assert_eq!(
            (snapshot.disks.len(), of("seoul"), of("tokyo")),
            (5, Some(50_000_000), Some(100_000_000))
        );
    }
}

#[test]
fn rows_for_many_regions_cannot_fill_the_memory() {
    let mut regions = String::from("provider,region,display,country\n");
    for number in 0..1000 {
        regions.push_str(&format!("aws,r{number},,KR\n"));
    }
    let mut storage = STORAGE.to_owned();
    for number in 0..200 {
        storage.push_str(&format!("aws,all,S,d{number},ssd,0.1,list,2026\n"));
    }
    let (snapshot, findings) = read_all(&[&regions, SPECS, &storage]);
    assert_eq!(snapshot.expect("a catalog").disks.len(), 100_000);
    assert!(findings.iter().all(|finding| finding.code == "CAT-1211"));
    assert!(findings.last().expect("a count").summary.ends_with(": 50"), "{:?}", findings.last());
}

#[test]
fn tiers_of_traffic_start_at_zero_and_free_allowances_are_free() {
    let (snapshot, findings) = read(
        EGRESS,
        "azure,seoul,internet,10335,,0.085,first 100 GB free,list,2026\n\
        azure,seoul,internet,100,10335,0.12,first 100 GB free,list,2026\n\
        aws,seoul,internet,0,10240,0.126,first 100 GB free,list,2026\n\
        oci,APAC\u{2c} Japan\u{2c} South America,internet,0,,0.025,,list,2026\n"
            .replace("APAC, Japan, South America", "\"APAC, Japan, South America\"")
            .as_str(),
    );
    assert_eq!(codes(&findings), ["CAT-1404"]);
    let tiers: Vec<_> = snapshot
        .transfers
        .iter()
        .map(|t| {
            let tiers: Vec<_> = t.tiers.iter().map(|tier| (tier.from_gib, tier.gib.0 / 1_000_000)).collect();
            (snapshot.region_path(t.region), t.reach, tiers)
        })
        .collect();
    assert_eq!(
        tiers,
        [
            ("aws/seoul".to_owned(), Reach::Internet, vec![(0, 126)]),
            ("azure/seoul".to_owned(), Reach::Internet, vec![(0, 0), (100, 120), (10335, 85)]),
            ("oci/seoul".to_owned(), Reach::Internet, vec![(0, 25)]),
        ]
    );
}

#[test]
fn tiers_that_rise_are_used_as_written_and_reported() {
    let (snapshot, findings) = read(
        EGRESS,
        "gcp,seoul,internet,0,1024,0.15,,list,2026\ngcp,seoul,internet,1024,10240,0.19,,list,2026\n\
        gcp,seoul,internet,10240,,0.15,,list,2026\n",
    );
    assert_eq!(codes(&findings), ["CAT-1403"]);
    assert_eq!(snapshot.transfers[0].tiers.len(), 3);
}

#[test]
fn conflicting_or_partial_lists_of_traffic_do_not_mix() {
    let (snapshot, findings) = read(
        EGRESS,
        "aws,seoul,internet,0,,0.12,,list,2025\naws,seoul,internet (older/alternative list),0,,0.1,,list,2024\n\
        aws,seoul,internet to China,0,,0.2,,list,2025\naws,seoul,inter-zone,,,0.01,,list,2025\n\
        aws,seoul,internet,0,,0.11,,list,2026\naws,seoul,internet,ten,,0.11,,list,2026\n",
    );
    assert_eq!(codes(&findings), ["CAT-1402", "CAT-1401", "CAT-1405"]);
    assert_eq!(findings[0].place.row, Some(7));
    let loaded: Vec<_> = snapshot.transfers.iter().map(|t| (t.reach, t.tiers[0].gib.0)).collect();
    assert_eq!(loaded, [(Reach::InterZone, 10_000_000), (Reach::Internet, 110_000_000)]);
}

#[test]
fn services_are_loaded_by_what_is_charged() {
    let (snapshot, findings) = read(
        SERVICES,
        "aws,seoul,Network LB,base,0.0225,hour,,list,2026\naws,seoul,Application LB,base,0.0225,hour,,list,2026\n\
        aws,seoul,NAT Gateway,gateway,0.059,hour,,list,2026\naws,seoul,NAT Gateway,data processed,0.059,GB,,list,2026\n\
        tencent,seoul,EIP (idle only),address,0.04,hour,free while bound,list,2026\n\
        acme,here,Gate,gateway,1,day,,list,2026\nacme,here,Balancer,load balancer,0.01,hour,,list,2026\n",
    );
    assert_eq!(codes(&findings), ["CAT-1502", "CAT-1501"]);
    let services: Vec<_> = snapshot
        .services
        .iter()
        .map(|s| (s.name.as_str(), s.kind, s.hour.0, s.gib.map(|rate| rate.0)))
        .collect();
    assert_eq!(
        services,
        [
            ("Balancer", ServiceKind::LoadBalancer, 10_000_000, None),
            ("Network LB", ServiceKind::LoadBalancer, 22_500_000, None),
            ("NAT Gateway", ServiceKind::NatGateway, 59_000_000, Some(59_000_000)),
            ("EIP (idle only)", ServiceKind::PublicAddress, 0, None),
        ]
    );
    let address = snapshot.sources[snapshot.services[3].source].quality.as_str();
    assert_eq!(address, "free while bound; free while in use");
}

#[test]
fn licences_need_a_price_and_a_size() {
    let (snapshot, findings) = read(
        LICENCES,
        "aws,windows,1,,0.046,,,list,2026\naws,rhel,9,8,0.01,,,list,2026\naws,rhel,1,8,,,,list,2026\n\
        aws,rhel-sap,1,8,0.02,,,list,2026\nnobody,sles,1,,,0.1,,list,2026\naws,sles,1,7,,0.0563,,list,2026\n",
    );
    assert_eq!(codes(&findings), ["CAT-1603", "CAT-1602", "CAT-1201", "CAT-1601"]);
    let licences: Vec<_> =
        snapshot.licences.iter().map(|l| (l.os, l.vcpu_hour.0, l.machine_hour.0)).collect();
    assert_eq!(licences, [(OsFamily::Sles, 0, 56_300_000), (OsFamily::Windows, 46_000_000, 0)]);
}

#[test]
fn round_trips_need_known_ends_and_a_figure() {
    let (snapshot, findings) = read(
        "provider_a,region_a,provider_b,region_b,rtt_ms,suspect\n",
        "aws,seoul,aws,tokyo,33.8125,\naws,seoul,aws,tokyo,35,1\naws,seoul,aws,mars,1,\naws,seoul,aws,osaka,fast,\n",
    );
    assert_eq!(codes(&findings), ["CAT-1702", "CAT-1701"]);
    let latencies: Vec<_> = snapshot.latencies.iter().map(|l| (l.rtt_micros, l.suspect)).collect();
    assert_eq!(latencies, [(35_000, true)]);
}

#[test]
fn files_of_another_kind_are_named_and_the_rest_is_read() {
    for (text, code) in [
        ("<html>Sign in</html>", "CAT-1004"),
        ("{\"prices\": []}", "CAT-1005"),
        ("", "CAT-1013"),
        ("name,size\nx,1\n", "CAT-1003"),
        ("provider;region;spec;usd_per_hour_linux_ondemand;source;as_of\n", "CAT-1003"),
        ("provider,region,spec,source,as_of\naws,seoul,small,list,2026\n", "CAT-1009"),
        ("provider,scheme,discount_median\naws,RI,0.4\n", "CAT-1011"),
        ("provider,region,base_region,median_ratio\naws,seoul,virginia,1.2\n", "CAT-1011"),
    ] {
        let (snapshot, findings) = read_all(&[REGIONS, SPECS, text]);
        assert_eq!(codes(&findings), [code], "{text}");
        assert_eq!(snapshot.expect("the other files are sound").regions.len(), 11);
    }
    let (_, findings) = read_all(&[REGIONS, SPECS, "provider,region,spec,source,as_of\n"]);
    assert!(findings[0].summary.contains("prices table lacks"), "{}", findings[0].summary);
    assert!(findings[0].summary.contains("usd_per_hour_linux_ondemand"), "{}", findings[0].summary);
}

#[test]
fn unknown_columns_are_told_once() {
    let header = PRICES.replace("quality", "quality,colour,taste");
    let (snapshot, findings) = read(&header, "aws,seoul,small,0.1,,,,,,,list,2026,,red,sweet,,\n");
    assert_eq!(codes(&findings), ["CAT-1010"]);
    assert!(findings[0].summary.ends_with("2 (colour, taste)"), "{}", findings[0].summary);
    assert_eq!(snapshot.offers.len(), 1);
}

#[test]
fn certifications_need_a_name_a_source_and_a_date_and_the_newest_statement_counts() {
    let (snapshot, findings) = read(
        "provider,region,certification,source,as_of\n",
        "acme,all,C5,list,2024\nacme,all,C5,newer list,2025-01\nacme,here,,list,2025\nacme,here,X,list,soon\n",
    );
    assert_eq!(codes(&findings), ["CAT-1801", "CAT-1801"]);
    let held: Vec<_> = snapshot.certifications.iter().map(|c| (c.name.as_str(), c.source.as_str())).collect();
    assert_eq!(held, [("C5", "newer list")]);
}

#[test]
fn nothing_usable_is_no_catalog() {
    let (snapshot, findings) = read_all(&[SPECS]);
    assert!(snapshot.is_none());
    assert_eq!(codes(&findings), ["CAT-1002"]);
    let (snapshot, findings) = import(&[], "normalized", "x");
    assert!(snapshot.is_none());
    assert_eq!(codes(&findings), ["CAT-1001"]);
    assert_eq!(findings[0].help.as_deref(), Some("did you mean normalised?"));
}

/// The text of every file of code in a folder but the list of codes itself.
#[expect(clippy::disallowed_methods, reason = "a test reads the repository; the library does not")]
fn read_sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            read_sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("codes.rs") {
            found.push(std::fs::read_to_string(&path).expect("a text of the repository"));
        }
    }
}

#[test]
fn every_code_is_listed_once_and_explained() {
    let mut sources = Vec::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog"), &mut sources);
    let mut used: Vec<&str> = sources
        .iter()
        // What a test expects is not used yet.
        .map(|text| text.split("#[cfg(test)]").next().unwrap_or_default())
        .flat_map(|text| text.match_indices("\"CAT-").map(|(at, _)| &text[at + 1..at + 9]))
        .collect();
    used.sort();
    used.dedup();
    let listed: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(listed, used);
    assert!(CODES.iter().all(|(_, meaning)| meaning.ends_with('.')));
}

#[test]
fn tiers_of_two_dated_lists_are_never_mixed() {
    let old = "aws,seoul,internet,0,100,0,,old,2021\naws,seoul,internet,100,5000,0.2,,old,2021\n\
        aws,seoul,internet,5000,,0.1,,old,2021\n";
    let new = "aws,seoul,internet,0,10240,0.09,,new,2026\naws,seoul,internet,10240,,0.085,,new,2026\n";
    let other = "aws,seoul,internet,0,,0.07,,dumped,2026\n";
    for rows in [[old, new, other].concat(), [other, new, old].concat()] {
        let (snapshot, findings) = read(EGRESS, &rows);
        let tiers = &snapshot.transfers[0].tiers;
        let tiers: Vec<_> = tiers.iter().map(|tier| (tier.from_gib, tier.gib.0 / 1_000_000)).collect();
        assert_eq!(tiers, [(0, 90), (10_240, 85)], "{rows}");
        assert_eq!(codes(&findings), ["CAT-1405"]);
        assert!(findings[0].summary.ends_with(": 4 (dumped, old)"), "{:?}", findings[0]);
    }
}
