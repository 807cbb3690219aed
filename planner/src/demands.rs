//! The demands of a policy one by one, each with its key, its words, and the policy without it: what a clash is made of
//! and what a price is asked for.
//!
//! "Without" is always looser: a list of a rule is replaced by one that allows everything, not left out, because then
//! the general list would hold in its place.

use carafe_model::catalog::Snapshot;
use carafe_model::constraints::{Level, Service};
use carafe_model::estate::Estate;
use carafe_model::language::{Arg, Said};
use carafe_model::policy::{Policy, Rule};
use carafe_model::units::Quantity;

/// One demand of a policy, or of the estate's flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// A list of the general targets.
    Target(List),
    /// How many providers at most.
    MaxProviders,
    /// How many regions at most.
    MaxRegions,
    /// What a month may cost.
    MaxMonthly,
    /// A list of a rule, by place.
    Rule(usize, List),
    /// A group, by place.
    Group(usize),
    /// A flow rule, by place.
    FlowRule(usize),
    /// What cannot be made at a provider, by place.
    Unavailable(usize),
    /// A quota, by place.
    Quota(usize),
    /// The longest round trips that the estate gives for flows, all together.
    FlowBudgets,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Providers.
    Providers,
    /// Regions.
    Regions,
    /// Countries.
    Countries,
    /// Certifications.
    Certifications,
    /// Zones; in rules alone.
    Zones,
    /// Instance types; in rules alone.
    Offers,
}

impl List {
    const ALL: [List; 6] =
        [List::Providers, List::Regions, List::Countries, List::Certifications, List::Zones, List::Offers];

    /// Its key in policies.
    pub const fn name(self) -> &'static str {
        match self {
            List::Providers => "providers",
            List::Regions => "regions",
            List::Countries => "countries",
            List::Certifications => "certifications",
            List::Zones => "zones",
            List::Offers => "offers",
        }
    }

    /// The key of its sentence.
    const fn sentence(self) -> &'static str {
        match self {
            List::Providers => "demand.providers",
            List::Regions => "demand.regions",
            List::Countries => "demand.countries",
            List::Certifications => "demand.certifications",
            List::Zones => "demand.zones",
            List::Offers => "demand.offers",
        }
    }
}

/// The key of the word for a level.
const fn word(level: Level) -> &'static str {
    match level {
        Level::Zone => "level.zone",
        Level::Region => "level.region",
        Level::Provider => "level.provider",
    }
}

/// Every demand there is, in the order of the policy.
pub fn demands(policy: &Policy, estate: &Estate) -> Vec<Demand> {
    let targets = &policy.targets;
    let mut found: Vec<Demand> = List::ALL
        .into_iter()
        .filter(|list| of_targets(policy, *list).is_some())
        .map(Demand::Target)
        .collect();
    let limits = [
        (targets.max_providers.is_some(), Demand::MaxProviders),
        (targets.max_regions.is_some(), Demand::MaxRegions),
        (targets.max_monthly.is_some(), Demand::MaxMonthly),
    ];
    found.extend(limits.into_iter().filter(|(is_there, _)| *is_there).map(|(_, demand)| demand));
    for (place, rule) in policy.rules.iter().enumerate() {
        let lists = List::ALL.into_iter().filter(|list| of_rule(rule, *list).is_some());
        found.extend(lists.map(|list| Demand::Rule(place, list)));
    }
    found.extend((0..policy.groups.len()).map(Demand::Group));
    found.extend((0..policy.flow_rules.len()).map(Demand::FlowRule));
    found.extend((0..policy.unavailable.len()).map(Demand::Unavailable));
    found.extend((0..policy.quotas.len()).map(Demand::Quota));
    if estate.flows.iter().any(|flow| flow.max_rtt_ms.is_some()) {
        found.push(Demand::FlowBudgets);
    }
    found
}

fn of_targets(policy: &Policy, list: List) -> Option<Vec<String>> {
    let targets = &policy.targets;
    match list {
        List::Providers => targets.providers.as_ref().map(|l| l.iter().map(ToString::to_string).collect()),
        List::Regions => targets.regions.clone(),
        List::Countries => targets.countries.clone(),
        List::Certifications => targets.certifications.clone(),
        List::Zones | List::Offers => None,
    }
}

fn of_rule(rule: &Rule, list: List) -> Option<Vec<String>> {
    match list {
        List::Providers => rule.providers.as_ref().map(|l| l.iter().map(ToString::to_string).collect()),
        List::Regions => rule.regions.clone(),
        List::Countries => rule.countries.clone(),
        List::Certifications => rule.certifications.clone(),
        List::Zones => rule.zones.clone(),
        List::Offers => rule.offers.clone(),
    }
}

impl Demand {
    /// Its place in the policy.
    pub fn key(self) -> String {
        match self {
            Demand::Target(list) => format!("targets.{}", list.name()),
            Demand::MaxProviders => "targets.max_providers".to_owned(),
            Demand::MaxRegions => "targets.max_regions".to_owned(),
            Demand::MaxMonthly => "targets.max_monthly".to_owned(),
            Demand::Rule(place, list) => format!("rule[{place}].{}", list.name()),
            Demand::Group(place) => format!("group[{place}]"),
            Demand::FlowRule(place) => format!("flow_rule[{place}]"),
            Demand::Unavailable(place) => format!("unavailable[{place}]"),
            Demand::Quota(place) => format!("quota[{place}]"),
            Demand::FlowBudgets => "flows.max_rtt_ms".to_owned(),
        }
    }

    /// It in words.
    pub fn said(self, policy: &Policy) -> Said {
        let targets = &policy.targets;
        let list = |list: List, names: Option<Vec<String>>| {
            Said::new(list.sentence()).with("names", names.unwrap_or_default())
        };
        match self {
            Demand::Target(which) => list(which, of_targets(policy, which)),
            Demand::MaxProviders => {
                Said::new("demand.max-providers").with("n", targets.max_providers.unwrap_or_default())
            }
            Demand::MaxRegions => {
                Said::new("demand.max-regions").with("n", targets.max_regions.unwrap_or_default())
            }
            Demand::MaxMonthly => Said::new("demand.max-monthly").money(
                "most",
                targets.max_monthly.unwrap_or_default(),
                policy.pricing.currency,
            ),
            Demand::Rule(place, which) => {
                let rule = &policy.rules[place];
                let matched = [&rule.matches.host, &rule.matches.app, &rule.matches.label];
                let who: Vec<String> = matched.into_iter().flatten().cloned().collect();
                Said::new("demand.rule").with("who", who).with("what", list(which, of_rule(rule, which)))
            }
            Demand::Group(place) => {
                let rule = &policy.groups[place];
                let part = |key: &str, level: Option<Level>| {
                    level.map(|level| {
                        Said::new(key).with("level", Said::new(word(level))).with("n", rule.at_most)
                    })
                };
                let parts = [part("demand.same", rule.same), part("demand.apart", rule.apart)];
                let what: Vec<Arg> = parts.into_iter().flatten().map(Arg::from).collect();
                Said::new("demand.group")
                    .with("name", crate::hopeless::group_name(policy, place))
                    .with("what", Arg::List(what))
            }
            Demand::FlowRule(place) => {
                Said::new("demand.flow-rule").with("ms", policy.flow_rules[place].max_rtt_ms)
            }
            Demand::Unavailable(place) => {
                let entry = &policy.unavailable[place];
                let name = |service: &Service| {
                    Said::new(match service {
                        Service::LoadBalancer => "demand.service.load-balancer",
                        Service::PublicAddress => "demand.service.public-address",
                        Service::Kubernetes => "demand.service.kubernetes",
                    })
                };
                let names: Vec<Said> = entry.services.iter().map(name).collect();
                Said::new("demand.unavailable").with("where", entry.provider.as_str()).with("names", names)
            }
            Demand::Quota(place) => {
                let quota = &policy.quotas[place];
                let provider = quota.provider.as_ref().map(ToString::to_string);
                Said::new("demand.quota").with("where", quota.region.clone().or(provider).unwrap_or_default())
            }
            Demand::FlowBudgets => Said::new("demand.flow-budgets"),
        }
    }

    /// The policy and the estate without it.
    pub fn drop_from(self, policy: &mut Policy, estate: &mut Estate, catalog: &Snapshot) {
        let targets = &mut policy.targets;
        match self {
            Demand::Target(list) => match list {
                List::Providers => targets.providers = None,
                List::Regions => targets.regions = None,
                List::Countries => targets.countries = None,
                List::Certifications => targets.certifications = None,
                List::Zones | List::Offers => {}
            },
            Demand::MaxProviders => targets.max_providers = None,
            Demand::MaxRegions => targets.max_regions = None,
            Demand::MaxMonthly => targets.max_monthly = None,
            Demand::Rule(place, list) => {
                let rule = &mut policy.rules[place];
                match list {
                    List::Providers => {
                        rule.providers = Some(catalog.providers.iter().map(|p| p.name.clone()).collect());
                    }
                    List::Regions => {
                        let paths = catalog.regions.indices().map(|region| catalog.region_path(region));
                        rule.regions = Some(paths.collect());
                    }
                    List::Countries => {
                        let mut all: Vec<String> =
                            catalog.regions.iter().map(|r| r.country.clone()).collect();
                        all.sort();
                        all.dedup();
                        rule.countries = Some(all);
                    }
                    List::Certifications => rule.certifications = Some(Vec::new()),
                    List::Zones => rule.zones = None,
                    List::Offers => rule.offers = None,
                }
            }
            Demand::Group(place) => {
                policy.groups[place].same = None;
                policy.groups[place].apart = None;
            }
            // Half around the earth and back takes less.
            Demand::FlowRule(place) => policy.flow_rules[place].max_rtt_ms = Quantity(i64::MAX),
            Demand::Unavailable(place) => policy.unavailable[place].services.clear(),
            Demand::Quota(place) => {
                policy.quotas[place].max_vcpus = None;
                policy.quotas[place].max_hosts = None;
            }
            Demand::FlowBudgets => estate.flows.iter_mut().for_each(|flow| flow.max_rtt_ms = None),
        }
    }
}
