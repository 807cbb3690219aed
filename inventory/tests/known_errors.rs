//! The mistakes that are known of public price lists, one test for each: none of them reaches a plan unseen.

use std::collections::BTreeSet;

use carafe_inventory::InputFile;
use carafe_inventory::catalog::{PriceFile, Request, Wanted, find, import, import_lists, quality};
use carafe_model::catalog::{Snapshot, Term};
use carafe_model::finding::Finding;
use carafe_model::host::Architecture;
use carafe_model::units::{Mib, Vcpus};

const PRICES: &str = "provider,region,spec,usd_per_hour_linux_ondemand,usd_spot,usd_1yr,usd_3yr,usd_1yr_flex,\
    usd_3yr_flex,offered,source,as_of,quality\n";
const REGIONS: &str = "provider,region,display,country\nazure,one,,KR\nazure,two,,KR\nazure,three,,KR\nazure,four,,KR\n\
    azure,five,,KR\n";
const SPECS: &str = "provider,spec,family,arch,vcpu,memory_gib,burstable\nazure,D2s,D,x86_64,2,8,0\nazure,D96pls,D,arm64,96,192,0\n\
    azure,M416,M,x86_64,416,11400,0\nazure,B2ts,B,x86_64,2,1,1\n";

/// Reads tables of Carafe's own format.
fn tables(texts: &[&str]) -> (Snapshot, Vec<Finding>) {
    let files: Vec<InputFile<'_>> =
        texts.iter().map(|text| InputFile { name: "list.csv", bytes: text.as_bytes() }).collect();
    let (snapshot, findings) = import(&files, "normalised", "test");
    (snapshot.unwrap_or_else(|| panic!("nothing came of it: {findings:#?}")), findings)
}

/// Reads lists of a provider's format.
fn lists(texts: &[&str]) -> (Snapshot, Vec<Finding>) {
    let files = texts.iter().map(|text| PriceFile { name: "f", bytes: Box::new(text.as_bytes()) }).collect();
    let request = Request { id: "t", as_of: "2026-11-22", provider: None, region: None };
    let (mut snapshots, findings) = import_lists(files, None, &request);
    let last = snapshots.pop().unwrap_or_else(|| panic!("nothing came of it: {findings:#?}"));
    (last.snapshot, findings)
}

fn codes(findings: &[Finding]) -> BTreeSet<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// What may be had, as `region/type rate`, cheapest first, doubtful ones with their doubt.
fn found(snapshot: &Snapshot, architecture: Architecture) -> Vec<String> {
    let wanted = Wanted {
        vcpus: Vcpus(1),
        memory: Mib(1),
        countries: Vec::new(),
        providers: Vec::new(),
        architecture,
        gpus: 0,
        term: Term::OnDemand,
        windows: false,
        limit: 99,
    };
    let line = |found: carafe_inventory::catalog::Found| {
        let doubt = if found.doubt.is_empty() { "" } else { " doubtful" };
        format!("{}/{} {}{doubt}", found.region, found.name, found.hour)
    };
    find(snapshot, &wanted).into_iter().map(line).collect()
}

fn row(region: &str, name: &str, price: &str) -> String {
    format!("azure,{region},{name},{price},,,,,,,list,2026-08,\n")
}

fn spider(cloud: &str, mib: &str, currency: &str, price: &str) -> String {
    format!(
        r#"{{"Meta":{{"Version":"0.5"}},"CloudName":"{cloud}","RegionName":"r1","PriceList":[{{"ZoneName":"NA",
        "ProductInfo":{{"ProductId":"a","VMSpecInfo":{{"Name":"m8","VCpu":{{"Count":"8","ClockGHz":"-1"}},"MemSizeMiB":"{mib}","Gpu":null}}}},
        "PriceInfo":{{"OnDemand":{{"Unit":"Hour","Currency":"{currency}","Price":"{price}"}}}}}}]}}"#
    )
}

#[test]
fn error_01_scraped_prices_of_google_say_that_they_are_scraped() {
    let (snapshot, findings) = lists(&[&spider("GCP", "65536", "USD", "0.749")]);
    assert!(codes(&findings).contains("CAT-2209"), "{findings:#?}");
    let said = &snapshot.sources[snapshot.offers.source[0]].quality;
    assert!(said.contains("scraped"), "{said}");
    let judged = quality(&snapshot, "2026-01-01");
    assert_eq!(judged[0].qualified.values().sum::<usize>(), 1, "show --quality counts it");
}

#[test]
fn error_02_memory_divided_by_1_024_is_noticed() {
    let (snapshot, findings) = lists(&[&spider("AZURE", "64000", "USD", "0.5")]);
    assert!(codes(&findings).contains("CAT-1209"), "{findings:#?}");
    let memory = snapshot.instance_types.iter().next().map(|kind| kind.memory);
    assert_eq!(memory, Some(Mib(64_000)), "used as written, which is never too large");
}

#[test]
fn error_03_a_windows_price_given_for_linux_leaves_the_machine_unpriced() {
    let prices = format!("{PRICES}{}", row("one", "D2s", "1.18"));
    let windows = "provider,region,spec,usd_per_hour_windows,usd_per_hour_linux,source,as_of\n\
                   azure,one,D2s,1.18,0.444,list,2026-08\n";
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &prices, windows]);
    assert_eq!(codes(&findings), ["CAT-1122"].into());
    assert!(snapshot.offers.is_empty());
}

/// An AWS offer with one machine in one tenancy.
fn tenancy(tenancy: &str, price: &str) -> String {
    format!(
        r#"{{"formatVersion":"v1.0","offerCode":"AmazonEC2","publicationDate":"2026-11-20T12:00:00Z","products":{{
        "S":{{"sku":"S","productFamily":"Compute Instance (bare metal)","attributes":{{"regionCode":"r1","instanceType":"m5.metal","vcpu":"96","memory":"384 GiB","tenancy":"{tenancy}","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux"}}}}}},
        "terms":{{"OnDemand":{{"S":{{"S.J":{{"priceDimensions":{{"d":{{"unit":"Hrs","pricePerUnit":{{"USD":"{price}"}}}}}}}}}}}}}}}}"#
    )
}

#[test]
fn error_04_and_05_dedicated_rates_and_zeros_are_not_prices_of_shared_machines() {
    let (snapshot, _) = lists(&[&tenancy("Shared", "4.608")]);
    assert_eq!(found(&snapshot, Architecture::X86_64), ["aws/r1/m5.metal 4.608"]);
    let (snapshot, findings) = lists(&[&tenancy("Dedicated", "4.884")]);
    assert!(snapshot.offers.is_empty() && codes(&findings).contains("CAT-2201"), "{findings:#?}");
    let (snapshot, findings) = lists(&[&tenancy("Shared", "0.0000000000")]);
    assert!(snapshot.offers.is_empty() && codes(&findings).contains("CAT-1102"), "{findings:#?}");
}

#[test]
fn error_06_placeholders_of_regions_not_yet_open_are_refused() {
    let prices = format!("{PRICES}{}{}", row("one", "D96pls", "3.264"), row("two", "D96pls", "0.01"));
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &prices]);
    assert_eq!(codes(&findings), ["CAT-1104"].into());
    assert_eq!(found(&snapshot, Architecture::Arm64), ["azure/one/D96pls 3.264"]);
}

#[test]
fn error_06_an_eighth_of_the_usual_price_is_refused_and_half_of_it_is_doubted() {
    let usual = ["one", "two", "three"].map(|region| row(region, "D2s", "0.096")).concat();
    let below = format!("{PRICES}{usual}{}{}", row("four", "D2s", "0.012"), row("five", "D2s", "0.04"));
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &below]);
    let [refused] = &findings[..] else { panic!("not one finding: {findings:#?}") };
    assert_eq!(refused.code, "CAT-1114");
    let said = refused.summary.to_string();
    assert!(said.contains("azure/four/D2s costs 0.012") && said.contains("0.096"), "{said}");
    assert_eq!(
        found(&snapshot, Architecture::X86_64),
        [
            "azure/one/D2s 0.096",
            "azure/three/D2s 0.096",
            "azure/two/D2s 0.096",
            "azure/five/D2s 0.04 doubtful"
        ]
    );
}

#[test]
fn error_06_a_commitment_at_an_eighth_is_refused_and_the_machine_stays() {
    let row = |region: &str, three_years: &str| {
        format!("azure,{region},D2s,0.096,,,{three_years},,,,list,2026-08,\n")
    };
    let usual = ["one", "two", "three"].map(|region| row(region, "0.04")).concat();
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &format!("{PRICES}{usual}{}", row("four", "0.005"))]);
    assert_eq!(codes(&findings), ["CAT-1114"].into());
    assert_eq!(snapshot.offers.len(), 4);
    assert_eq!(snapshot.offers.three_years.iter().filter(|rate| rate.0 == 0).count(), 1);
}

#[test]
fn error_07_prices_where_nothing_is_offered_are_left_out_and_rising_tiers_are_told() {
    let not_here = row("one", "D2s", "0.1").replace(",list", "n,list");
    let prices = format!("{PRICES}{not_here}{}", row("two", "D2s", "0.2"));
    let egress = "provider,region,direction,tier_from_gb,tier_to_gb,usd_per_gb,source,as_of\n\
        azure,one,internet,0,1024,0.15,list,2026\nazure,one,internet,1024,10240,0.19,list,2026\n\
        azure,one,internet,10240,,0.15,list,2026\n";
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &prices, egress]);
    assert_eq!(codes(&findings), ["CAT-1110", "CAT-1403"].into());
    assert_eq!(found(&snapshot, Architecture::X86_64), ["azure/two/D2s 0.2"]);
    assert_eq!(snapshot.transfers[0].tiers.len(), 3, "used as written");
}

#[test]
fn error_08_machines_of_unknown_size_and_savings_that_save_nothing_are_left_out() {
    let prices =
        format!("{PRICES}{}azure,one,D2s,0.096,,,,0.096,0.2,,list,2026-08,\n", row("one", "E64bs_v6", "3.8"));
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &prices]);
    assert_eq!(codes(&findings), ["CAT-1107", "CAT-1202"].into());
    assert_eq!(found(&snapshot, Architecture::X86_64), ["azure/one/D2s 0.096"]);
    assert_eq!((snapshot.offers.one_year_flex[0].0, snapshot.offers.three_years_flex[0].0), (0, 0));

    let page = r#"{"BillingCurrency":"USD","Items":[{"currencyCode":"USD","armRegionName":"one","armSkuName":"Standard_E64bs_v6","serviceName":"Virtual Machines","unitOfMeasure":"1 Hour","effectiveStartDate":"2026-08-01T00:00:00Z","skuName":"E64bs v6","type":"Consumption","productName":"Virtual Machines Ebsv6 Series","retailPrice":3.8}],"NextPageLink":null,"Count":1}"#;
    let (snapshot, findings) = lists(&[page]);
    assert!(snapshot.offers.is_empty() && codes(&findings).contains("CAT-2101"), "{findings:#?}");
}

#[test]
fn error_09_the_list_price_counts_not_the_price_after_a_promotion_and_rounding_is_told() {
    let promoted = r#"{"request":{"RegionId":"r1","InstanceType":"ecs.g7.large"},"response":{"PriceInfo":{"Price":{"OriginalPrice":0.132,"DiscountPrice":0.0331,"TradePrice":0.0989,"Currency":"USD"}}}}"#;
    let size = r#"{"InstanceTypes":{"InstanceType":[{"InstanceTypeId":"ecs.g7.large","InstanceTypeFamily":"ecs.g7","CpuCoreCount":2,"MemorySize":8,"CpuArchitecture":"X86"}]}}"#;
    let (snapshot, _) = lists(&[size, promoted]);
    assert_eq!(found(&snapshot, Architecture::X86_64), ["alibaba/r1/ecs.g7.large 0.132"]);

    // The same through a collector that keeps the price after promotions: it is not believed silently.
    let (snapshot, findings) = lists(&[&spider("ALIBABA", "8192", "USD", "0.0989")]);
    assert!(codes(&findings).contains("CAT-2209"), "{findings:#?}");
    let said = &snapshot.sources[snapshot.offers.source[0]].quality;
    assert!(said.contains("promotion"), "{said}");

    let rounded = r#"{"Response":{"InstanceTypeQuotaSet":[{"Zone":"r1-1","InstanceType":"S5.SMALL1","InstanceFamily":"S5","InstanceChargeType":"POSTPAID_BY_HOUR","Cpu":1,"Memory":1,"Status":"SELL","Price":{"UnitPrice":0.02,"ChargeUnit":"HOUR"}}]}}"#;
    let (snapshot, _) = lists(&[rounded]);
    assert_eq!(snapshot.sources[snapshot.offers.source[0]].quality, "rounded to 0.01");
}

#[test]
fn error_10_unpriced_machines_are_never_found_and_a_repeated_price_is_told() {
    let regions = "provider,region,display,country\nkt,kr1,,KR\n";
    let specs = "provider,spec,family,arch,vcpu,memory_gib\nkt,4x8.nipa,t,x86_64,4,8\nkt,16x90.gpu,g,x86_64,16,90\n\
        kt,32x180.gpu,g,x86_64,32,180\n";
    let row = |name: &str, price: &str| format!("kt,kr1,{name},{price},,,,,,,list,2025-07,\n");
    let prices =
        format!("{PRICES}{}{}{}", row("4x8.nipa", ""), row("16x90.gpu", "2.9"), row("32x180.gpu", "2.9"));
    let (snapshot, findings) = tables(&[regions, specs, &prices]);
    assert_eq!(codes(&findings), ["CAT-1111", "CAT-1113"].into());
    assert_eq!(found(&snapshot, Architecture::X86_64), ["kt/kr1/16x90.gpu 2.9", "kt/kr1/32x180.gpu 2.9"]);
    assert_eq!(quality(&snapshot, "2026")[0].unpriced, 1);
}

#[test]
fn error_11_misprinted_disks_are_told_and_conflicting_lists_of_traffic_never_mix() {
    let storage = "provider,region,service,disk_type,media,usd_per_gb_month,source,as_of\n\
        azure,one,CBS,balanced,ssd,0.075,list,2023\nazure,two,CBS,balanced,ssd,0.08,list,2023\n\
        azure,three,CBS,balanced,ssd,0.75,list,2023\nazure,five,CBS,balanced,ssd,0.07,list,2023\nazure,four,CBS,balanced,ssd,0.078,list,2023\n\
        azure,one,CBS,basic,ssd,-0.21%,list,2023\n";
    let egress = "provider,region,direction,tier_from_gb,tier_to_gb,usd_per_gb,source,as_of\n\
        azure,one,internet,0,10240,0.089,new,2025\nazure,one,internet,10240,,0.081,new,2025\n\
        azure,one,internet,0,5120,0.074,old,2023\nazure,one,internet,5120,,0.067,old,2023\n";
    let (snapshot, findings) = tables(&[REGIONS, SPECS, storage, egress]);
    assert_eq!(codes(&findings), ["CAT-1101", "CAT-1304", "CAT-1405"].into());
    assert_eq!(snapshot.disks.len(), 5, "what cannot be read is left out");
    let tiers: Vec<_> = snapshot.transfers[0].tiers.iter().map(|tier| (tier.from_gib, tier.gib.0)).collect();
    assert_eq!(tiers, [(0, 89_000_000), (10_240, 81_000_000)], "only those of the newer list");
}

#[test]
fn error_12_machines_that_are_dear_or_cheap_by_nature_are_believed() {
    let prices: String = ["one", "two", "three", "four"]
        .map(|region| {
            row(region, "M416", "132.48") + &row(region, "B2ts", "0.0104") + &row(region, "D2s", "0.096")
        })
        .concat();
    let (snapshot, findings) = tables(&[REGIONS, SPECS, &format!("{PRICES}{prices}")]);
    assert_eq!(findings, []);
    assert_eq!(snapshot.offers.len(), 12);
    let found = found(&snapshot, Architecture::X86_64);
    assert!(found.iter().all(|line| !line.ends_with("doubtful")), "{found:?}");
    assert_eq!(found[0], "azure/four/B2ts 0.0104");
}
