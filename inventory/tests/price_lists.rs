//! Price lists in the shapes that providers document, each with the mistakes that are known of them.

use carafe_inventory::catalog::{CATALOG_IMPORTERS, PriceFile, Request, import_lists};
use carafe_model::catalog::{Offer, Reach, ServiceKind, Snapshot, Term};
use carafe_model::finding::Finding;
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::idx::Idx;
use carafe_model::units::Rate;

const REQUEST: Request<'static> = Request { id: "t", as_of: "2026-11-22", provider: None, region: None };

fn read_with(files: &[&str], request: &Request<'_>) -> (Option<Snapshot>, Vec<Finding>) {
    let files = files.iter().map(|text| PriceFile { name: "f", bytes: Box::new(text.as_bytes()) }).collect();
    let (mut snapshots, findings) = import_lists(files, None, request);
    assert!(snapshots.len() < 2, "one format");
    (snapshots.pop().map(|imported| imported.snapshot), findings)
}

fn read(files: &[&str]) -> (Snapshot, Vec<Finding>) {
    let (snapshot, findings) = read_with(files, &REQUEST);
    (snapshot.unwrap_or_else(|| panic!("nothing came of it: {findings:#?}")), findings)
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Every offer as `region/type term=rate…`.
fn offers(snapshot: &Snapshot) -> Vec<String> {
    let place = |at: usize| {
        let offer = Idx::<Offer>::from_usize(at);
        let region = snapshot.region_path(snapshot.offers.region[at]);
        let name = &snapshot.instance_types[snapshot.offers.instance_type[at]].name;
        let rates = Term::ALL
            .into_iter()
            .filter_map(|term| Some(format!(" {}={}", term.name(), snapshot.offers.rate(offer, term)?)));
        let windows = snapshot.offers.windows_rate(offer).map(|rate| format!(" windows={rate}"));
        format!("{region}/{name}{}{}", rates.collect::<String>(), windows.unwrap_or_default())
    };
    (0..snapshot.offers.len()).map(place).collect()
}

fn aws_product(sku: &str, more: &str) -> String {
    format!(
        r#""{sku}":{{"sku":"{sku}","productFamily":"Compute Instance","attributes":{{"regionCode":"ap-northeast-2",
        "instanceType":"m5.large","vcpu":"2","memory":"8 GiB","physicalProcessor":"Intel Xeon Platinum 8175",
        "networkPerformance":"Up to 10 Gigabit","licenseModel":"No License required",{more}}}}}"#
    )
}

fn aws_term(sku: &str, price: &str) -> String {
    format!(
        r#""{sku}":{{"{sku}.JRT":{{"sku":"{sku}","priceDimensions":{{"{sku}.JRT.6Y":{{"unit":"Hrs","beginRange":"0",
        "endRange":"Inf","pricePerUnit":{{"USD":"{price}"}}}}}},"termAttributes":{{}}}}}}"#
    )
}

fn aws_offer() -> String {
    let plain = r#""tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"NA""#;
    let products = [
        aws_product("LINUX", &format!(r#"{plain},"operatingSystem":"Linux""#)),
        aws_product("WIN", &format!(r#"{plain},"operatingSystem":"Windows""#)),
        aws_product("RHEL", &format!(r#"{plain},"operatingSystem":"RHEL""#)),
        // Its rate is 6 % higher, and a reserved one that nobody uses is free.
        aws_product("DEDI", r#""tenancy":"Dedicated","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux""#),
        aws_product("UNUSED", r#""tenancy":"Shared","capacitystatus":"UnusedCapacityReservation","preInstalledSw":"NA","operatingSystem":"Linux""#),
        aws_product("SQL", r#""tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"SQL Std","operatingSystem":"Windows""#),
        r#""GP3":{"sku":"GP3","productFamily":"Storage","attributes":{"regionCode":"ap-northeast-2","volumeApiName":"gp3"}}"#.into(),
        r#""OUT":{"sku":"OUT","productFamily":"Data Transfer","attributes":{"fromRegionCode":"ap-northeast-2","transferType":"AWS Outbound","toLocation":"External"}}"#.into(),
        r#""NLB":{"sku":"NLB","productFamily":"Load Balancer-Network","attributes":{"regionCode":"ap-northeast-2","usagetype":"APN2-LoadBalancerUsage"}}"#.into(),
        r#""NAT":{"sku":"NAT","productFamily":"NAT Gateway","attributes":{"regionCode":"ap-northeast-2","usagetype":"APN2-NatGateway-Hours"}}"#.into(),
    ];
    let hourly = [
        ("LINUX", "0.1180000000"),
        ("WIN", "0.2100000000"),
        ("RHEL", "0.1468000000"),
        ("DEDI", "0.1250000000"),
        ("UNUSED", "0.0000000000"),
        ("SQL", "0.69"),
        ("NLB", "0.0225"),
        ("NAT", "0.059"),
    ]
    .map(|(sku, price)| aws_term(sku, price));
    let disk = aws_term("GP3", "0.0912").replace("Hrs", "GB-Mo");
    let out = r#""OUT":{"OUT.JRT":{"priceDimensions":{"a":{"unit":"GB","beginRange":"0","pricePerUnit":{"USD":"0.126"}},"b":{"unit":"GB","beginRange":"10240","pricePerUnit":{"USD":"0.122"}}}}}"#;
    let reserved = r#""LINUX":{"LINUX.A":{"priceDimensions":{"x":{"unit":"Quantity","pricePerUnit":{"USD":"613.2"}},"y":{"unit":"Hrs","pricePerUnit":{"USD":"0"}}},"termAttributes":{"LeaseContractLength":"1yr","OfferingClass":"standard","PurchaseOption":"All Upfront"}},
        "LINUX.B":{"priceDimensions":{"y":{"unit":"Hrs","pricePerUnit":{"USD":"0.074"}}},"termAttributes":{"LeaseContractLength":"1yr","OfferingClass":"standard","PurchaseOption":"No Upfront"}},
        "LINUX.C":{"priceDimensions":{"y":{"unit":"Hrs","pricePerUnit":{"USD":"0.05"}}},"termAttributes":{"LeaseContractLength":"1yr","OfferingClass":"convertible","PurchaseOption":"No Upfront"}}}"#;
    format!(
        r#"{{"formatVersion":"v1.0","offerCode":"AmazonEC2","publicationDate":"2026-11-20T12:00:00Z","products":{{{}}},"terms":{{"OnDemand":{{{},{disk},{out}}},"Reserved":{{{reserved}}}}}}}"#,
        products.join(","),
        hourly.join(",")
    )
}

#[test]
fn an_aws_offer_gives_plain_machines_and_nothing_of_their_variants() {
    let (snapshot, findings) = read(&[&aws_offer()]);
    assert_eq!(offers(&snapshot), ["aws/ap-northeast-2/m5.large on-demand=0.118 1yr=0.07 windows=0.21"]);
    assert_eq!(codes(&findings), ["CAT-2201"]);
    let machine = snapshot.instance_types.iter().next().expect("one");
    assert_eq!((machine.vcpus.0, machine.memory.0, machine.architecture), (2, 8192, Architecture::X86_64));
    assert_eq!((machine.family.as_str(), machine.network_mbps), ("m5", Some(10_000)));
    let region = snapshot.regions.iter().next().expect("one");
    assert_eq!((region.country.as_str(), region.coordinates.is_some()), ("KR", true));
    assert_eq!((snapshot.disks[0].class.as_str(), snapshot.disks[0].gib_month), ("gp3", Rate(91_200_000)));
    let tiers: Vec<_> = snapshot.transfers[0].tiers.iter().map(|tier| (tier.from_gib, tier.gib.0)).collect();
    assert_eq!(
        (snapshot.transfers[0].reach, tiers),
        (Reach::Internet, vec![(0, 126_000_000), (10_240, 122_000_000)])
    );
    let kinds: Vec<_> = snapshot.services.iter().map(|service| (service.kind, service.hour.0)).collect();
    assert_eq!(kinds, [(ServiceKind::LoadBalancer, 22_500_000), (ServiceKind::NatGateway, 59_000_000)]);
    let licence = &snapshot.licences[0];
    assert_eq!((licence.os, licence.vcpus_from.0, licence.machine_hour.0), (OsFamily::Rhel, 2, 28_800_000));
    assert!(snapshot.sources.iter().all(|source| source.as_of == "2026-11-20"));
}

#[test]
fn the_same_offer_as_csv_and_as_answers_of_the_api_gives_the_same_prices() {
    let csv = r#""FormatVersion","v1.0"
"Disclaimer","none"
"Publication Date","2026-11-20T12:00:00Z"
"Version","1"
"OfferCode","AmazonEC2"
"SKU","OfferTermCode","RateCode","TermType","PriceDescription","EffectiveDate","StartingRange","EndingRange","Unit","PricePerUnit","Currency","LeaseContractLength","PurchaseOption","OfferingClass","Product Family","Instance Type","vCPU","Memory","Tenancy","Operating System","License Model","CapacityStatus","Pre Installed S/W","Region Code"
"LINUX","JRT","a","OnDemand","d","2026-11-01","0","Inf","Hrs","0.1180000000","USD","","","","Compute Instance","m5.large","2","8 GiB","Shared","Linux","No License required","Used","NA","ap-northeast-2"
"LINUX","A","b","Reserved","d","2026-11-01","","","Quantity","613.2","USD","1yr","All Upfront","standard","Compute Instance","m5.large","2","8 GiB","Shared","Linux","No License required","Used","NA","ap-northeast-2"
"DEDI","JRT","c","OnDemand","d","2026-11-01","0","Inf","Hrs","0.125","USD","","","","Compute Instance","m5.large","2","8 GiB","Dedicated","Linux","No License required","Used","NA","ap-northeast-2"
"LINUX","A","d","Reserved","d","2026-11-01","","","Hrs","0","USD","1yr","All Upfront","standard","Compute Instance","m5.large","2","8 GiB","Shared","Linux","No License required","Used","NA","ap-northeast-2"
"#;
    let (snapshot, _) = read(&[csv]);
    assert_eq!(offers(&snapshot), ["aws/ap-northeast-2/m5.large on-demand=0.118 1yr=0.07"]);

    let plain =
        r#""tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux""#;
    let product = aws_product("LINUX", plain);
    let product = product.strip_prefix("\"LINUX\":").expect("its key");
    let term = aws_term("LINUX", "0.118");
    let term = term.strip_prefix("\"LINUX\":").expect("its key");
    let item = format!(
        r#"{{"product":{product},"serviceCode":"AmazonEC2","publicationDate":"2026-11-20T12:00:00Z","terms":{{"OnDemand":{term}}}}}"#
    );
    let answer = format!(r#"{{"FormatVersion":"aws_v1","PriceList":[{}]}}"#, serde_json::Value::from(item));
    let (snapshot, _) = read(&[&answer]);
    assert_eq!(offers(&snapshot), ["aws/ap-northeast-2/m5.large on-demand=0.118"]);
}

#[test]
fn an_aws_offer_gives_steps_of_disks_object_storage_and_databases_by_the_unit() {
    let product = |sku: &str, family: &str, more: &str| {
        format!(
            r#""{sku}":{{"sku":"{sku}","productFamily":"{family}","attributes":{{"regionCode":"r1",{more}}}}}"#
        )
    };
    let products = [
        product("IOPS", "System Operation", r#""servicecode":"AmazonEC2","group":"EBS IOPS","volumeApiName":"gp3""#),
        product("MBPS", "Provisioned Throughput", r#""servicecode":"AmazonEC2","group":"EBS Throughput","volumeApiName":"gp3""#),
        product("S3", "Storage", r#""servicecode":"AmazonS3","volumeType":"Standard""#),
        product("DB", "Database Instance", r#""servicecode":"AmazonRDS","instanceType":"db.m5.large","databaseEngine":"PostgreSQL","deploymentOption":"Single-AZ","licenseModel":"No license required""#),
    ]
    .join(",");
    let term = |sku: &str, unit: &str, steps: &[(&str, &str)]| {
        let line = |(from, price): &(&str, &str)| {
            format!(
                r#""{from}":{{"unit":"{unit}","beginRange":"{from}","pricePerUnit":{{"USD":"{price}"}}}}"#
            )
        };
        let lines: Vec<String> = steps.iter().map(line).collect();
        format!(r#""{sku}":{{"{sku}.J":{{"priceDimensions":{{{}}}}}}}"#, lines.join(","))
    };
    let terms = [
        term("IOPS", "IOPS-Mo", &[("0", "0.0057")]),
        term("MBPS", "GiBps-mo", &[("0", "46.694")]),
        term("S3", "GB-Mo", &[("51200", "0.024"), ("0", "0.025")]),
        term("DB", "Hrs", &[("0", "0.236")]),
    ]
    .join(",");
    let offer = format!(
        r#"{{"offerCode":"AmazonEC2","publicationDate":"2026-11-20T12:00:00Z","products":{{{products}}},"terms":{{"OnDemand":{{{terms}}}}}}}"#
    );
    let (snapshot, findings) = read(&[&offer]);
    assert_eq!(findings, []);
    let prices: Vec<String> = snapshot
        .unit_prices
        .iter()
        .map(|price| {
            let (kind, rate) = (price.kind.name(), price.rate);
            format!("{kind} {} from {} {}: {rate}", price.name, price.from, price.unit)
        })
        .collect();
    assert_eq!(
        prices,
        [
            "disk-iops gp3 from 0 IOPS-Mo: 0.0057",
            "disk-throughput gp3 from 0 GiBps-mo: 46.694",
            "object-storage Standard from 0 GB-Mo: 0.025",
            "object-storage Standard from 51200 GB-Mo: 0.024",
            "database db.m5.large, PostgreSQL, Single-AZ, No license required from 0 Hrs: 0.236",
        ]
    );
    let source = &snapshot.sources[snapshot.unit_prices[0].source];
    assert_eq!((source.name.as_str(), source.as_of.as_str()), ("AWS Price List", "2026-11-20"));
}

#[test]
fn a_savings_plan_adds_terms_to_the_machines_of_an_offer() {
    let plan = r#"{"version":"1","publicationDate":"2026-11-20T00:00:00Z","products":[{"sku":"FAM","productFamily":"EC2InstanceSavingsPlans"}],
      "terms":{"savingsPlan":[{"sku":"ALL","leaseContractLength":{"duration":3,"unit":"year"},"rates":[
        {"discountedUsageType":"APN2-BoxUsage:m5.large","discountedOperation":"RunInstances","discountedRegionCode":"ap-northeast-2","rateCode":"r","unit":"Hrs","discountedRate":{"price":"0.057","currency":"USD"}},
        {"discountedUsageType":"APN2-BoxUsage:m5.large","discountedOperation":"RunInstances:0002","discountedRegionCode":"ap-northeast-2","rateCode":"w","unit":"Hrs","discountedRate":{"price":"0.01","currency":"USD"}}]},
       {"sku":"FAM","leaseContractLength":{"duration":3,"unit":"year"},"rates":[
        {"discountedUsageType":"APN2-BoxUsage:m5.large","discountedOperation":"RunInstances","discountedRegionCode":"ap-northeast-2","rateCode":"r","unit":"Hrs","discountedRate":{"price":"0.04","currency":"USD"}}]}]}}"#;
    let (snapshot, _) = read(&[plan, &aws_offer()]);
    assert_eq!(
        offers(&snapshot),
        ["aws/ap-northeast-2/m5.large on-demand=0.118 1yr=0.07 3yr-flex=0.057 windows=0.21"]
    );
}

fn azure_row(sku: &str, more: &str) -> String {
    format!(
        r#"{{"currencyCode":"USD","armRegionName":"koreacentral","armSkuName":"Standard_D2s_v3","serviceName":"Virtual Machines","unitOfMeasure":"1 Hour","effectiveStartDate":"2026-08-01T00:00:00Z","skuName":"{sku}",{more}}}"#
    )
}

#[test]
fn azure_tells_windows_terms_totals_and_placeholders_apart() {
    let linux = r#""type":"Consumption","productName":"Virtual Machines DSv3 Series","retailPrice":"#;
    let rows = [
        azure_row("D2s v3", &format!(r#"{linux}0.118,"savingsPlan":[{{"term":"1 Year","retailPrice":0.0814}}]"#)),
        azure_row("D2s v3", r#""type":"Consumption","productName":"Virtual Machines DSv3 Series Windows","retailPrice":0.21"#),
        azure_row("D2s v3 Spot", &format!("{linux}0.0236")),
        azure_row("D2s v3 Low Priority", &format!("{linux}0.0236")),
        azure_row("D2s v3", r#""type":"DevTestConsumption","productName":"Virtual Machines DSv3 Series Windows","retailPrice":0.1"#),
        azure_row("D2s v3", r#""type":"Reservation","reservationTerm":"1 Year","productName":"Virtual Machines DSv3 Series","retailPrice":613.2"#),
        azure_row("D2s v3", r#""type":"Reservation","reservationTerm":"3 Years","productName":"Virtual Machines DSv3 Series","retailPrice":1314.0"#),
        // A region that has not opened yet lists a cent for everything.
        azure_row("D96pls v6", &format!("{linux}0.01")).replace("Standard_D2s_v3", "Standard_D96pls_v6").replace("koreacentral", "eastus3"),
        // Priced, and not for sale there.
        azure_row("D2s v3", &format!("{linux}0.09")).replace("koreacentral", "brazilsouth"),
        r#"{"currencyCode":"USD","armRegionName":"koreacentral","armSkuName":"","serviceName":"Bandwidth","productName":"Rtn Preference: MGN","meterName":"Standard Data Transfer Out","skuName":"Standard","unitOfMeasure":"1 GB","type":"Consumption","tierMinimumUnits":0.0,"retailPrice":0.0,"effectiveStartDate":"2026-08-01T00:00:00Z"}"#.into(),
        r#"{"currencyCode":"USD","armRegionName":"koreacentral","armSkuName":"","serviceName":"Bandwidth","productName":"Rtn Preference: MGN","meterName":"Standard Data Transfer Out","skuName":"Standard","unitOfMeasure":"1 GB","type":"Consumption","tierMinimumUnits":100.0,"retailPrice":0.12,"effectiveStartDate":"2026-08-01T00:00:00Z"}"#.into(),
    ];
    let page =
        format!(r#"{{"BillingCurrency":"USD","Items":[{}],"NextPageLink":null,"Count":1}}"#, rows.join(","));
    let sku = |name: &str, vcpus: u32, gib: u32, region: &str| {
        format!(
            r#"{{"resourceType":"virtualMachines","name":"{name}","family":"standardDSv3Family","locations":["{region}"],"locationInfo":[{{"location":"{region}","zones":["1","2"]}}],"restrictions":[],"capabilities":[{{"name":"vCPUs","value":"{vcpus}"}},{{"name":"MemoryGB","value":"{gib}"}},{{"name":"CpuArchitectureType","value":"x64"}}]}}"#
        )
    };
    let skus = format!(
        r#"{{"value":[{},{}]}}"#,
        sku("Standard_D2s_v3", 2, 8, "KoreaCentral"),
        sku("Standard_D96pls_v6", 96, 192, "eastus3")
    );
    let (snapshot, findings) = read(&[&page, &skus]);
    assert_eq!(
        offers(&snapshot),
        [
            "azure/koreacentral/Standard_D2s_v3 on-demand=0.118 1yr=0.07 1yr-flex=0.0814 3yr=0.05 spot=0.0236 windows=0.21"
        ],
        "{findings:#?}"
    );
    for code in ["CAT-1104", "CAT-1110", "CAT-2201"] {
        assert!(codes(&findings).contains(&code), "{code}: {findings:#?}");
    }
    assert_eq!(snapshot.transfers[0].tiers.len(), 2);
    let seoul = snapshot.regions.iter().find(|region| region.name.as_str() == "koreacentral").expect("named");
    assert_eq!((seoul.country.as_str(), seoul.zones.len()), ("KR", 2));

    let (alone, findings) = read_with(&[&page], &REQUEST);
    assert!(alone.is_none_or(|snapshot| snapshot.offers.is_empty()), "no size is known without the SKUs");
    assert!(codes(&findings).contains(&"CAT-2101"), "{findings:#?}");
}

#[test]
fn google_sells_cores_and_memory_where_a_type_can_be_had() {
    let sku = |description: &str, group: &str, usage: &str, unit: &str, nanos: u32| {
        format!(
            r#"{{"skuId":"x","description":"{description}","category":{{"resourceFamily":"Compute","resourceGroup":"{group}","usageType":"{usage}"}},"serviceRegions":["asia-northeast3","me-central1"],"pricingInfo":[{{"effectiveTime":"2026-07-30T00:00:00Z","pricingExpression":{{"usageUnit":"{unit}","tieredRates":[{{"startUsageAmount":0,"unitPrice":{{"currencyCode":"USD","units":"0","nanos":{nanos}}}}}]}}}}]}}"#
        )
    };
    let skus = [
        sku("N2 Instance Core running in Seoul", "CPU", "OnDemand", "h", 40_000_000),
        sku("N2 Instance Ram running in Seoul", "RAM", "OnDemand", "GiBy.h", 5_000_000),
        sku("N2 Custom Instance Core running in Seoul", "CPU", "OnDemand", "h", 42_000_000),
        sku("N2 Sole Tenancy Instance Core running in Seoul", "CPU", "OnDemand", "h", 44_000_000),
        sku("Spot Preemptible N2 Instance Core running in Seoul", "CPU", "Preemptible", "h", 10_000_000),
        sku("Spot Preemptible N2 Instance Ram running in Seoul", "RAM", "Preemptible", "GiBy.h", 1_000_000),
        sku("Commitment v1: N2 Cpu in Seoul for 1 Year", "CPU", "Commit1Yr", "h", 25_000_000),
        sku("Commitment v1: N2 Ram in Seoul for 1 Year", "RAM", "Commit1Yr", "GiBy.h", 3_000_000),
        sku("Balanced PD Capacity in Seoul", "SSD", "OnDemand", "GiBy.mo", 130_000_000),
    ];
    let page = format!(r#"{{"skus":[{}],"nextPageToken":""}}"#, skus.join(","));
    let types = r#"{"items":{"zones/asia-northeast3-a":{"machineTypes":[{"name":"n2-standard-2","guestCpus":2,"memoryMb":8192,"zone":"asia-northeast3-a"},{"name":"x9-odd-2","guestCpus":2,"memoryMb":8192,"zone":"asia-northeast3-a"}]},"zones/x":{}}}"#;
    let (snapshot, findings) = read(&[&page, types]);
    assert_eq!(
        offers(&snapshot),
        ["gcp/asia-northeast3/n2-standard-2 on-demand=0.12 1yr=0.074 spot=0.028"],
        "{findings:#?}"
    );
    assert_eq!(snapshot.disks.len(), 2);
    let (_, findings) = read_with(&[&page], &REQUEST);
    assert!(codes(&findings).contains(&"CAT-2205"));
}

#[test]
fn oracle_sells_ocpus_that_are_two_threads_on_x86_and_one_on_arm() {
    let item = |name: &str, metric: &str, prices: &str| {
        format!(
            r#"{{"partNumber":"B1","displayName":"{name}","metricName":"{metric}","serviceCategory":"c","currencyCodeLocalizations":[{{"currencyCode":"USD","prices":[{prices}]}}]}}"#
        )
    };
    let payg = |value: &str| format!(r#"{{"model":"PAY_AS_YOU_GO","value":{value}}}"#);
    let items = [
        item("Compute - Standard - E4 - OCPU", "OCPU Per Hour", &payg("0.025")),
        item("Compute - Standard - E4 - Memory", "Gigabyte Per Hour", &payg("0.0015")),
        // The first hours of a month are free; they are no price.
        item(
            "Compute - Ampere A1 - OCPU",
            "OCPU Per Hour",
            r#"{"model":"PAY_AS_YOU_GO","value":0,"rangeMin":0,"rangeMax":3000},{"model":"PAY_AS_YOU_GO","value":0.01,"rangeMin":3000,"rangeMax":999999}"#,
        ),
        item("Compute - Ampere A1 - Memory", "Gigabyte Per Hour", &payg("0.0015")),
        item(
            "Outbound Data Transfer - Originating in APAC, Japan, and South America",
            "Gigabyte Outbound Data Transfer Per Month",
            r#"{"model":"PAY_AS_YOU_GO","value":0,"rangeMin":0,"rangeMax":10240},{"model":"PAY_AS_YOU_GO","value":0.025,"rangeMin":10240,"rangeMax":999999}"#,
        ),
    ];
    let (snapshot, _) =
        read(&[&format!(r#"{{"lastUpdated":"2026-09-01T14:26:53Z","items":[{}]}}"#, items.join(","))]);
    let all = offers(&snapshot);
    assert!(
        all.contains(&"oci/ap-seoul-1/VM.Standard.E4.Flex:2ocpu-16gb on-demand=0.074 spot=0.037".to_owned())
    );
    assert!(
        all.contains(&"oci/ap-seoul-1/VM.Standard.A1.Flex:4ocpu-16gb on-demand=0.064 spot=0.032".to_owned())
    );
    let threads =
        |name: &str| snapshot.instance_types.iter().find(|kind| kind.name == name).map(|kind| kind.vcpus.0);
    assert_eq!(threads("VM.Standard.E4.Flex:2ocpu-16gb"), Some(4));
    assert_eq!(threads("VM.Standard.A1.Flex:4ocpu-16gb"), Some(4));
    let seoul = snapshot
        .transfers
        .iter()
        .find(|t| snapshot.region_path(t.region) == "oci/ap-seoul-1")
        .expect("priced");
    assert_eq!(
        seoul.tiers.iter().map(|tier| (tier.from_gib, tier.gib.0)).collect::<Vec<_>>(),
        [(0, 0), (10_240, 25_000_000)]
    );
}

#[test]
fn alibaba_is_read_at_list_price_and_each_currency_on_its_own() {
    let types = r#"{"InstanceTypes":{"InstanceType":[{"InstanceTypeId":"ecs.g7.large","InstanceTypeFamily":"ecs.g7","CpuCoreCount":2,"MemorySize":8.0,"CpuArchitecture":"X86","GPUAmount":0,"InstanceBandwidthTx":2048000}]}}"#;
    let price = |region: &str, currency: &str| {
        format!(
            r#"{{"request":{{"RegionId":"{region}","InstanceType":"ecs.g7.large"}},"response":{{"PriceInfo":{{"Price":{{"OriginalPrice":0.14,"DiscountPrice":0.02,"TradePrice":0.12,"Currency":"{currency}"}}}}}}}}"#
        )
    };
    let (snapshot, findings) = read(&[types, &price("ap-northeast-2", "USD"), &price("cn-beijing", "CNY")]);
    assert_eq!(offers(&snapshot), ["alibaba/ap-northeast-2/ecs.g7.large on-demand=0.14"]);
    assert_eq!(codes(&findings), ["CAT-2003"]);
}

#[test]
fn tencent_tells_size_and_price_at_once() {
    let item = |kind: &str, charge: &str, status: &str, price: &str| {
        format!(
            r#"{{"Zone":"ap-seoul-1","InstanceType":"{kind}","InstanceFamily":"S5","InstanceChargeType":"{charge}","Cpu":2,"Memory":4,"Gpu":0,"Status":"{status}","Price":{{"UnitPrice":{price},"UnitPriceDiscount":0.01,"ChargeUnit":"HOUR"}}}}"#
        )
    };
    let all = [
        item("S5.MEDIUM4", "POSTPAID_BY_HOUR", "SELL", "0.06"),
        item("S5.MEDIUM4", "SPOTPAID", "SELL", "0.06"),
        item("S5.SMALL2", "POSTPAID_BY_HOUR", "SELL", "0.02"),
        item("S5.GONE", "POSTPAID_BY_HOUR", "SOLD_OUT", "0.02"),
    ];
    let (snapshot, _) =
        read(&[&format!(r#"{{"Response":{{"InstanceTypeQuotaSet":[{}],"RequestId":"r"}}}}"#, all.join(","))]);
    assert_eq!(
        offers(&snapshot),
        ["tencent/ap-seoul/S5.MEDIUM4 on-demand=0.06 spot=0.01", "tencent/ap-seoul/S5.SMALL2 on-demand=0.02"]
    );
    assert!(snapshot.sources.iter().any(|source| source.quality == "rounded to 0.01"));
    let refusal = r#"{"Response":{"InstanceTypeQuotaSet":[],"Error":{"Code":"AuthFailure","Message":"no"}}}"#;
    assert!(codes(&read_with(&[refusal], &REQUEST).1).contains(&"CAT-2007"));
}

#[test]
fn ibm_prices_a_machine_or_its_parts() {
    let entry = |name: &str, metrics: &str| {
        format!(
            r#"{{"profile":{{"name":"{name}","metadata":{{"other":{{"profile":{{"default_config":{{"cpu":2,"ram":8,"bandwidth":4000}}}}}}}}}},"pricing":{{"resources":[{{"deployment_location":"jp-tok","metrics":[{metrics}]}}]}}}}"#
        )
    };
    let metric = |unit: &str, price: &str| {
        format!(
            r#"{{"metric_id":"m","charge_unit":"{unit}","amounts":[{{"country":"JPN","currency":"JPY","prices":[{{"quantity_tier":1,"price":99}}]}},{{"country":"USA","currency":"USD","prices":[{{"quantity_tier":1,"price":{price}}}]}}]}}"#
        )
    };
    let whole = entry("bx2-2x8", &metric("INSTANCE_HOURS", "0.096"));
    let parts = entry("bx3d-2x8", &[metric("VCPU_HOURS", "0.03"), metric("GB_HOURS", "0.005")].join(","));
    let (snapshot, _) = read(&[&whole, &parts]);
    assert_eq!(
        offers(&snapshot),
        ["ibm/jp-tok/bx2-2x8 on-demand=0.096", "ibm/jp-tok/bx3d-2x8 on-demand=0.1"]
    );
}

#[test]
fn naver_is_read_in_won() {
    let answer = r#"{"getProductPriceListResponse":{"totalRows":1,"productPriceList":[{"productCode":"SVR.A","productName":"s2-g3","productItemKind":{"code":"SVR"},"cpuCount":2,"memorySize":8589934592,"gpuCount":0,"priceList":[
      {"region":{"regionCode":"KR"},"unit":{"code":"USAGE_TIME"},"price":110,"payCurrency":{"code":"KRW"},"startDate":"2025-08-21T00:00:00+0900"},
      {"region":{"regionCode":"KR"},"unit":{"code":"USAGE_TIME"},"conditionType":{"code":"STOP"},"price":20,"payCurrency":{"code":"KRW"}}]}]}}"#;
    let (snapshot, _) = read(&[answer]);
    assert_eq!(
        (snapshot.currency.code(), offers(&snapshot)),
        ("KRW", vec!["ncp/KR/s2-g3 on-demand=110".to_owned()])
    );
}

#[test]
fn spider_and_tumblebug_carry_what_is_doubtful_about_them() {
    let prices = r#"{"Meta":{"Version":"0.5"},"CloudName":"GCP","RegionName":"asia-east1","PriceList":[
      {"ZoneName":"NA","ProductInfo":{"ProductId":"a","VMSpecInfo":{"Name":"n2-highmem-8","VCpu":{"Count":"8","ClockGHz":"-1"},"MemSizeMiB":"64000","Gpu":null}},"PriceInfo":{"OnDemand":{"Unit":"Hour","Currency":"USD","Price":"0.749"}}},
      {"ZoneName":"NA","ProductInfo":{"ProductId":"b","VMSpecInfo":{"Name":"n2-free","VCpu":{"Count":"8"},"MemSizeMiB":"65536","Gpu":null}},"PriceInfo":{"OnDemand":{"Unit":"Hour","Currency":"USD","Price":"-1"}}}]}"#;
    let (snapshot, findings) = read(&[prices]);
    assert_eq!(offers(&snapshot), ["gcp/asia-east1/n2-highmem-8 on-demand=0.749"]);
    assert!(["CAT-1209", "CAT-2209"].iter().all(|code| codes(&findings).contains(code)), "{findings:#?}");
    assert!(snapshot.sources.iter().all(|source| source.quality.contains("scraped")));

    let specs = r#"{"spec":[{"providerName":"aws","regionName":"ap-northeast-2","cspSpecName":"m5.large","vCPU":2,"memoryGiB":8,"costPerHour":0.118,"architecture":"x86_64"},
      {"providerName":"kt","regionName":"kr1","cspSpecName":"4x8.nipa","vCPU":4,"memoryGiB":8,"costPerHour":-1}]}"#;
    let (snapshot, findings) = read(&[specs]);
    assert_eq!(offers(&snapshot), ["aws/ap-northeast-2/m5.large on-demand=0.118"]);
    assert!(codes(&findings).contains(&"CAT-1111"), "a price of -1 is unknown, not a discount");
    let csv =
        "providerName,regionName,cspSpecName,vCPU,memoryGiB,costPerHour,currency\nncp,KR,s2-g3,2,8,110,KRW\n";
    assert_eq!(offers(&read(&[csv]).0), ["ncp/KR/s2-g3 on-demand=110"]);
}

#[test]
fn skypilot_needs_the_name_of_the_cloud_and_takes_the_dearest_zone() {
    let csv = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone\n\
               m5.large,,,2.0,8.0,,0.118,0.05,ap-northeast-2,ap-northeast-2a\nm5.large,,,2.0,8.0,,0.12,0.04,ap-northeast-2,ap-northeast-2b\n";
    assert!(codes(&read_with(&[csv], &REQUEST).1).contains(&"CAT-2208"));
    let (snapshot, findings) = read_with(&[csv], &Request { provider: Some("aws"), ..REQUEST });
    let snapshot = snapshot.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(offers(&snapshot), ["aws/ap-northeast-2/m5.large on-demand=0.12 spot=0.04"]);
}

#[test]
fn a_rate_card_prices_by_machine_or_by_size_in_any_currency() {
    let csv = "provider,region,country,item,name,vcpus,memory_gib,price,unit,currency,as_of\n\
               nhn,KR1,KR,machine,m2.c2m4,2,4,72,hour,KRW,2025-08-21\n\
               nhn,KR1,KR,machine,m2.c4m8,4,8,,,,2025-08-21\n\
               nhn,KR1,KR,vcpu,,,,20,hour,KRW,2025-08-21\n\
               nhn,KR1,KR,memory,,,,8760,year,KRW,2025-08-21\n\
               nhn,KR1,KR,disk,General SSD,,,100,GB-month,KRW,2025-08-21\n\
               nhn,KR1,KR,egress,,,,90,GB,KRW,2025-08-21\n\
               nhn,KR1,KR,nett,,,,90,GB,KRW,2025-08-21\n";
    let (snapshot, findings) = read(&[csv]);
    assert_eq!(offers(&snapshot), ["nhn/KR1/m2.c2m4 on-demand=72", "nhn/KR1/m2.c4m8 on-demand=88"]);
    assert_eq!((snapshot.disks.len(), snapshot.transfers.len(), codes(&findings)), (1, 1, vec!["CAT-2303"]));

    let toml = "provider = \"openstack\"\nregion = \"RegionOne\"\ncountry = \"KR\"\ncurrency = \"EUR\"\nas_of = 2026-11-01\n\
                [[price]]\nitem = \"machine\"\nname = \"m1.small\"\nvcpus = 1\nmemory_gib = 2\nprice = 0.02\n\
                [[price]]\nitem = \"nat\"\nprice = 7.3\nunit = \"month\"\n";
    let (snapshot, findings) = read(&[toml]);
    assert_eq!(
        (offers(&snapshot), codes(&findings)),
        (vec!["openstack/RegionOne/m1.small on-demand=0.02".to_owned()], vec![])
    );
    assert_eq!((snapshot.services[0].hour, snapshot.currency.code()), (Rate(10_000_000), "EUR"));
    let unknown = toml.replace("EUR", "XQZ");
    assert!(codes(&read_with(&[&unknown], &REQUEST).1).contains(&"CAT-2002"));
    let broken = toml.replace("price = 7.3", "price = ");
    assert!(codes(&read_with(&[&broken], &REQUEST).1).contains(&"CAT-2301"));
}

#[test]
fn what_is_broken_is_told_with_a_code_and_never_half_believed() {
    let whole = aws_offer();
    for (bad, code) in [
        (whole[..whole.len() / 2].to_owned(), "CAT-2001"),
        (whole.replace("\"publicationDate\":\"2026", "\"publicationDate\":2026,\"x\":\"2026"), "CAT-2004"),
        ("<html>Sign in</html>".to_owned(), "CAT-1004"),
        ("what,is,this\n1,2,3\n".to_owned(), "CAT-2005"),
        (String::new(), "CAT-1013"),
        (whole.replace("\"USD\":\"0.118", "\"QQQ\":\"0.118"), "CAT-2002"),
        (whole.replace("0.1180000000", "a lot"), "CAT-1101"),
        (whole.replace("0.1180000000", "-0.1"), "CAT-1103"),
        (whole.replace("0.1180000000", "0.0000000000"), "CAT-1102"),
        (whole.replace("\"WIN\":{\"sku\"", "\"LINUX\":{\"sku\""), "CAT-2202"),
    ] {
        let (_, findings) = read_with(&[&bad], &REQUEST);
        assert!(codes(&findings).contains(&code), "{code}: {findings:#?}");
        assert!(
            findings.iter().all(|finding| finding.place.file.is_some() || finding.code == "CAT-1112"),
            "{findings:#?}"
        );
    }
    let undated = r#"{"vmspec":[],"CloudName":"AWS","RegionName":"r","PriceList":[{"ProductInfo":{"VMSpecName":"a"},"PriceInfo":{"OnDemand":{"Currency":"USD","Price":"1"}}}]}"#;
    let (_, findings) = read_with(&[undated], &Request { as_of: "", ..REQUEST });
    assert!(codes(&findings).contains(&"CAT-2006"));
}

#[test]
fn every_format_is_recognised_by_its_beginning_and_can_be_named() {
    let names: Vec<&str> = CATALOG_IMPORTERS.iter().map(|importer| importer.name).collect();
    assert_eq!(names.len(), 13);
    let (snapshots, findings) = import_lists(Vec::new(), Some("asw"), &REQUEST);
    assert!(snapshots.is_empty());
    assert_eq!((codes(&findings), findings[0].help.is_some()), (vec!["CAT-1001"], true));
}
