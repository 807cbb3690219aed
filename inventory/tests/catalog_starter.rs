//! The catalog inside the program, and the promise that order does not matter.

use std::collections::BTreeSet;

use carafe_inventory::InputFile;
use carafe_inventory::catalog::{STARTER_FILES, STARTER_ID, import, starter, summary};
use carafe_model::catalog::{Snapshot, Term};
use carafe_model::finding::Severity;
use carafe_model::snapshot::{open, seal};
use proptest::prelude::*;

fn read(files: &[(String, String)]) -> Snapshot {
    let files: Vec<InputFile<'_>> =
        files.iter().map(|(name, text)| InputFile { name, bytes: text.as_bytes() }).collect();
    import(&files, "normalised", STARTER_ID).0.expect("a catalog")
}

#[test]
fn it_loads_without_complaint() {
    let files: Vec<InputFile<'_>> =
        STARTER_FILES.iter().map(|(name, text)| InputFile { name, bytes: text.as_bytes() }).collect();
    let (snapshot, findings) = import(&files, "normalised", STARTER_ID);
    let complaints: Vec<_> = findings.iter().filter(|f| f.severity > Severity::Info).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    assert_eq!(snapshot.expect("a catalog"), starter());
}

#[test]
fn it_stays_small_and_uses_what_it_carries() {
    let bytes: usize = STARTER_FILES.iter().map(|(_, text)| text.len()).sum();
    assert!(bytes < 300_000, "{bytes} bytes");
    let snapshot = starter();
    assert!((500..1000).contains(&snapshot.offers.len()), "{} offers", snapshot.offers.len());
    let rows = |name: &str| {
        let (_, text) = STARTER_FILES.iter().find(|(file, _)| *file == name).expect("a file of that name");
        text.lines().count() - 1
    };
    assert_eq!(snapshot.offers.len(), rows("prices.csv"), "every row of prices is an offer");
    assert_eq!(snapshot.offers.windows.iter().filter(|rate| rate.0 > 0).count(), rows("windows_prices.csv"));
    assert_eq!(snapshot.instance_types.len(), rows("specs.csv"));
    assert_eq!(snapshot.licences.len(), rows("os_surcharge.csv"));
    assert_eq!(snapshot.latencies.len(), rows("latency.csv"));
}

#[test]
fn every_provider_is_there_and_in_korea_where_it_sells_there() {
    let snapshot = starter();
    let names: Vec<&str> = snapshot.providers.iter().map(|provider| provider.name.as_str()).collect();
    let expected =
        ["alibaba", "aws", "azure", "gcp", "ibm", "kt", "ncp", "nhn", "oci", "openstack", "tencent"];
    assert_eq!(names, expected);
    for provider in summary(&snapshot).providers {
        assert_eq!(provider.unpriced_types, 0, "{}", provider.provider);
        let in_korea = provider.countries.iter().any(|country| country == "KR");
        assert_eq!(in_korea, provider.provider != "ibm", "{}", provider.provider);
        let enough = if provider.provider == "openstack" { 6 } else { 12 };
        assert!(provider.instance_types >= enough, "{}: {}", provider.provider, provider.instance_types);
    }
}

#[test]
fn known_prices_are_what_the_lists_say() {
    let snapshot = starter();
    let rate = |path: &str, name: &str, term: Term| {
        let offers = &snapshot.offers;
        let place = (0..offers.len()).find(|place| {
            snapshot.region_path(offers.region[*place]) == path
                && snapshot.instance_types[offers.instance_type[*place]].name == name
        });
        let place = place.unwrap_or_else(|| panic!("{path} {name} is not there"));
        offers.rate(carafe_model::idx::Idx::from_usize(place), term).map(|rate| rate.to_string())
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(rate("aws/us-east-1", "m5.large", Term::OnDemand), is("0.096"));
    assert_eq!(rate("aws/ap-northeast-2", "m5.large", Term::OnDemand), is("0.118"));
    assert_eq!(rate("azure/koreacentral", "Standard_D2s_v5", Term::OneYear), is("0.0728311"));
    assert_eq!(rate("ncp/kr", "s2-g3", Term::OnDemand), is("0.0848"));
    assert_eq!(rate("ncp/kr", "s2-g3", Term::OneYear), None);
    assert_eq!(rate("openstack/regionone", "m1.large", Term::OnDemand), is("0.08"));
}

#[test]
fn every_price_has_a_source_and_a_date_and_the_example_says_what_it_is() {
    let snapshot = starter();
    let named =
        |source: &carafe_model::catalog::PriceSource| !source.name.is_empty() && source.as_of.len() >= 4;
    assert!(snapshot.sources.iter().all(named));
    let places = |provider: &str| -> BTreeSet<&str> {
        let offers = &snapshot.offers;
        let of = |place: &usize| {
            let region = &snapshot.regions[offers.region[*place]];
            snapshot.providers[region.provider].name.as_str() == provider
        };
        let quality = |place: usize| snapshot.sources[offers.source[place]].quality.as_str();
        (0..offers.len()).filter(of).map(quality).collect()
    };
    assert_eq!(places("openstack"), ["example rate card, replace with your own"].into());
    assert!(
        places("nhn").iter().all(|quality| quality.contains("converted from KRW")),
        "{:?}",
        places("nhn")
    );
}

#[test]
fn sealing_twice_gives_the_same_name_and_it_opens_again() {
    let ((first, bytes), (second, _)) = (seal(starter()), seal(starter()));
    assert_eq!(first.sha256, second.sha256);
    assert_eq!(open("starter", &bytes).expect("just sealed").catalog, first.catalog);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_files_and_rows_does_not_matter(seed in any::<u64>()) {
        let mut files: Vec<(String, String)> = STARTER_FILES
            .iter()
            .enumerate()
            .map(|(number, (name, text))| {
                let (header, rows) = text.split_once('\n').expect("a header");
                let mut rows: Vec<&str> = rows.lines().collect();
                shuffle(&mut rows, seed ^ number as u64);
                (format!("renamed {name}"), format!("{header}\n{}\n", rows.join("\n")))
            })
            .collect();
        shuffle(&mut files, seed);
        prop_assert_eq!(seal(read(&files)).0.sha256, seal(starter()).0.sha256);
    }

    #[test]
    fn torn_files_never_panic(cut in 0usize..20_000, file in 0usize..11, flip in any::<u8>()) {
        let mut files: Vec<Vec<u8>> =
            STARTER_FILES.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
        let torn = &mut files[file];
        let place = cut % torn.len();
        torn.truncate(place + 1);
        torn[place] = flip;
        let inputs: Vec<InputFile<'_>> =
            files.iter().map(|bytes| InputFile { name: "torn", bytes }).collect();
        let (snapshot, findings) = import(&inputs, "normalised", "torn");
        prop_assert!(snapshot.is_some() || findings.iter().any(|f| f.severity == Severity::Error));
    }
}

/// A fixed shuffle: the same seed gives the same order (the constants are Knuth's for a 64-bit congruential generator).
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (state >> 33) as usize % (last + 1));
    }
}
