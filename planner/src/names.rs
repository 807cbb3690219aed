//! Looks for names in a policy that mean nothing: providers, regions, countries and hosts that do not exist.

use std::collections::BTreeSet;

use carafe_model::catalog::{Snapshot, Term};
use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place, nearest};
use carafe_model::host::Host;
use carafe_model::language::Said;
use carafe_model::policy::{Headroom, Policy, SizingStrategy};

/// Findings about names, at their keys in the policy.
pub fn check(estate: &Estate, catalog: &Snapshot, policy: &Policy) -> Vec<Finding> {
    let providers: BTreeSet<String> =
        catalog.providers.iter().map(|provider| provider.name.to_string()).collect();
    let regions: BTreeSet<String> =
        catalog.regions.indices().map(|region| catalog.region_path(region)).collect();
    let certifications: BTreeSet<String> =
        catalog.certifications.iter().map(|certification| certification.name.clone()).collect();
    let zones: BTreeSet<String> = catalog
        .regions
        .iter_enumerated()
        .flat_map(|(place, region)| {
            region.zones.iter().map(move |zone| format!("{}/{zone}", catalog.region_path(place)))
        })
        .collect();
    let offers: BTreeSet<String> = catalog
        .instance_types
        .iter()
        .map(|sold| format!("{}/{}", catalog.providers[sold.provider].name, sold.name))
        .collect();
    let countries: BTreeSet<String> = catalog.regions.iter().map(|region| region.country.clone()).collect();
    let mut findings = Vec::new();
    let targets = &policy.targets;
    let names = |list: &Option<Vec<carafe_model::ids::ProviderName>>| -> Option<Vec<String>> {
        list.as_ref().map(|list| list.iter().map(|name| name.to_string()).collect())
    };
    let mut lists = vec![
        ("targets.providers".to_owned(), names(&targets.providers), &providers),
        ("targets.regions".to_owned(), targets.regions.clone(), &regions),
        ("targets.countries".to_owned(), targets.countries.clone(), &countries),
        ("targets.certifications".to_owned(), targets.certifications.clone(), &certifications),
    ];
    for (place, rule) in policy.rules.iter().enumerate() {
        lists.push((format!("rule[{place}].providers"), names(&rule.providers), &providers));
        lists.push((format!("rule[{place}].regions"), rule.regions.clone(), &regions));
        lists.push((format!("rule[{place}].countries"), rule.countries.clone(), &countries));
        lists.push((format!("rule[{place}].certifications"), rule.certifications.clone(), &certifications));
        lists.push((format!("rule[{place}].zones"), rule.zones.clone(), &zones));
        lists.push((format!("rule[{place}].offers"), rule.offers.clone(), &offers));
        if !estate.hosts.iter().any(|host: &Host| rule.matches.fits(host)) {
            findings.push(
                Finding::warning("PLN-0102", Said::new("finding.rule-unused"))
                    .at(Place::default().at(format!("rule[{place}].match")))
                    .help(Said::new("help.rule-unused")),
            );
        }
    }
    for (key, list, known) in lists {
        for name in list.iter().flatten().filter(|name| !known.contains(*name)) {
            let help = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => Said::new("help.unknown-name-near").with("near", near),
                None => Said::new("help.unknown-name"),
            };
            let what = Said::new("finding.unknown-name").with("name", name.as_str());
            findings.push(Finding::warning("PLN-0101", what).at(Place::default().at(&*key)).help(help));
        }
    }
    let months = policy.pricing.horizon_months;
    let terms =
        policy.pricing.terms.iter().chain(policy.rules.iter().flat_map(|rule| rule.terms.iter().flatten()));
    for term in terms.filter(|term| term.months() > months).collect::<BTreeSet<_>>() {
        findings.push(
            Finding::warning("PLN-0103", Said::new("finding.term-too-long").with("term", term.name()))
                .at(Place::default().at("pricing.horizon_months"))
                .help(Said::new("help.term-too-long").with("months", term.months())),
        );
    }
    let has_spot = |terms: &Vec<Term>| terms.contains(&Term::Spot);
    let wants_spot = has_spot(&policy.pricing.terms)
        || policy.rules.iter().filter_map(|rule| rule.terms.as_ref()).any(has_spot);
    if wants_spot && !policy.rules.iter().any(|rule| rule.interruptible == Some(true)) {
        findings.push(
            Finding::warning("PLN-0107", Said::new("finding.no-spot"))
                .at(Place::default().at("pricing.terms"))
                .help(Said::new("help.no-spot")),
        );
    }
    let is_measured = policy.sizing.strategy == SizingStrategy::Measured;
    let has_network = |host: &Host| host.usage.as_ref().is_some_and(|usage| usage.network_mbps.is_some());
    if is_measured
        && policy.sizing.headroom.network != Headroom::default().network
        && !estate.hosts.iter().any(has_network)
    {
        findings.push(
            Finding::warning("PLN-0105", Said::new("finding.network-headroom"))
                .at(Place::default().at("sizing.headroom.network"))
                .help(Said::new("help.network-headroom")),
        );
    }
    findings
}
