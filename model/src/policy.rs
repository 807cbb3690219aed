//! What the user demands and prefers. [`crate::policy_file`] reads it from TOML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::Term;
use crate::constraints::{FlowRule, GroupRule, Location, Quota, Unavailable};
use crate::contract::{BookEntry, Commitment, Reservation, Support};
use crate::document::Document;
use crate::host::Host;
use crate::ids::ProviderName;
use crate::units::{Currency, Mib, Money, Quantity, Rate, Vcpus};

/// A whole policy. The default one allows every provider, sizes as is, and pays by the hour in US dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Kind and version of this document: `policy/1`. TOML files may leave it out.
    pub carafe: String,
    /// Where hosts may go.
    pub targets: Targets,
    /// How large offers must be.
    pub sizing: Sizing,
    /// How offers are paid for.
    pub pricing: Pricing,
    /// Who pays for operating systems.
    pub licences: Licences,
    /// What is paid once for every region or provider in use.
    pub opening: Opening,
    /// What the move itself costs.
    pub migration: Migration,
    /// Exceptions; later ones win.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// Hosts that must share a place, or must not.
    #[serde(rename = "group")]
    pub groups: Vec<GroupRule>,
    /// Longest round trips of flows.
    #[serde(rename = "flow_rule")]
    pub flow_rules: Vec<FlowRule>,
    /// Where things are that do not move.
    #[serde(rename = "location")]
    pub locations: Vec<Location>,
    /// How much providers let the user have.
    #[serde(rename = "quota")]
    pub quotas: Vec<Quota>,
    /// What cannot be made at providers.
    pub unavailable: Vec<Unavailable>,
    /// What the user pays instead of list prices; later entries win.
    pub price_book: Vec<BookEntry>,
    /// Machines that are paid for already.
    #[serde(rename = "reservation")]
    pub reservations: Vec<Reservation>,
    /// Money that providers are paid every month whether it is used or not.
    #[serde(rename = "commitment")]
    pub commitments: Vec<Commitment>,
    /// Support plans; the last one of a provider counts.
    pub support: Vec<Support>,
}

impl Document for Policy {
    const KIND: &'static str = "policy";
    const VERSION: u32 = 1;
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            carafe: Policy::header(),
            targets: Targets::default(),
            sizing: Sizing::default(),
            pricing: Pricing::default(),
            licences: Licences::default(),
            opening: Opening::default(),
            migration: Migration::default(),
            rules: Vec::new(),
            groups: Vec::new(),
            flow_rules: Vec::new(),
            locations: Vec::new(),
            quotas: Vec::new(),
            unavailable: Vec::new(),
            price_book: Vec::new(),
            reservations: Vec::new(),
            commitments: Vec::new(),
            support: Vec::new(),
        }
    }
}

/// Where hosts may go. An absent list allows everything that the catalog has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// Providers by name.
    pub providers: Option<Vec<ProviderName>>,
    /// Regions as `provider/region`.
    pub regions: Option<Vec<String>>,
    /// ISO 3166 alpha-2 countries.
    pub countries: Option<Vec<String>>,
    /// Certifications that a region must hold, all of them.
    pub certifications: Option<Vec<String>>,
    /// How many providers at most.
    pub max_providers: Option<u32>,
    /// How many regions at most.
    pub max_regions: Option<u32>,
    /// What a month may cost at most, in the plan's currency.
    pub max_monthly: Option<Money>,
}

/// How large offers must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sizing {
    /// By what the host has, or by what it uses.
    pub strategy: SizingStrategy,
    /// Which percentile of measured use counts: 50, 90, 95, 99 or 100.
    pub percentile: u32,
    /// What measured use is multiplied with.
    pub headroom: Headroom,
    /// Whether offers may ration processor time by credits.
    pub burstable: bool,
}

impl Default for Sizing {
    fn default() -> Self {
        Sizing {
            strategy: SizingStrategy::AsIs,
            percentile: 95,
            headroom: Headroom::default(),
            burstable: true,
        }
    }
}

/// What decides the size of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SizingStrategy {
    /// At least what the host has today.
    AsIs,
    /// At least what the host uses, times head-room.
    Measured,
}

/// Factors on measured use; 1 adds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Headroom {
    /// On processor use.
    pub cpu: Quantity,
    /// On memory in use.
    pub memory: Quantity,
    /// On disk space in use.
    pub disk: Quantity,
    /// On network throughput.
    pub network: Quantity,
}

impl Default for Headroom {
    fn default() -> Self {
        Headroom {
            cpu: Quantity(1_200_000),
            memory: Quantity(1_100_000),
            disk: Quantity(1_200_000),
            network: Quantity(1_200_000),
        }
    }
}

/// How offers are paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pricing {
    /// Terms that may be used; the cheapest wins.
    pub terms: Vec<Term>,
    /// The currency of the plan.
    pub currency: Currency,
    /// How prices are converted to it, when the catalog has another.
    pub exchange: Option<Exchange>,
    /// Months over which the plan is judged.
    pub horizon_months: u32,
    /// What becomes of offers whose price is too low to be believed.
    pub doubtful: Doubtful,
    /// A price this many days older than the newest of the catalog is told.
    pub stale_after_days: u32,
}

impl Default for Pricing {
    fn default() -> Self {
        Pricing {
            terms: vec![Term::OnDemand],
            currency: Currency::USD,
            exchange: None,
            horizon_months: 36,
            doubtful: Doubtful::Exclude,
            stale_after_days: 365,
        }
    }
}

/// What becomes of an offer whose price is below half of the median of the same machine and term over the provider's
/// regions, where it is sold in four or more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Doubtful {
    /// It is not used; the plan counts it as refused and says how much it would have saved.
    Exclude,
    /// It is used as any other; the plan says what is at stake.
    Use,
}

/// An exchange rate with its date and its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The currency that is converted.
    pub from: Currency,
    /// How much of the plan's currency one unit of `from` buys.
    pub rate: Rate,
    /// The day it was true, as `2026-11-20`.
    pub date: String,
    /// Who says so.
    pub source: String,
}

/// Who pays for an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Licence {
    /// The provider, in the hourly price.
    Included,
    /// The user, outside the plan.
    BringYourOwn,
}

/// Who pays for operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Licences {
    /// Windows.
    pub windows: Licence,
    /// Red Hat Enterprise Linux.
    pub rhel: Licence,
    /// SUSE Linux Enterprise Server.
    pub sles: Licence,
}

impl Default for Licences {
    fn default() -> Self {
        Licences { windows: Licence::Included, rhel: Licence::Included, sles: Licence::Included }
    }
}

/// What is paid once a month for every region or provider in use, in the plan's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Opening {
    /// For every region in use, for example a VPN.
    pub region_monthly: Money,
    /// For every provider in use, for example a support plan.
    pub provider_monthly: Money,
    /// Whether every region in use gets a NAT gateway at the provider's price.
    pub nat_gateway: bool,
}

/// What the move itself costs, in the plan's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Migration {
    /// Once for every host that moves.
    pub cost_per_host: Money,
}

/// An exception for the hosts it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Which hosts: all given conditions must hold.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Allowed providers instead of the general ones.
    pub providers: Option<Vec<ProviderName>>,
    /// Allowed regions instead of the general ones.
    pub regions: Option<Vec<String>>,
    /// Allowed countries instead of the general ones.
    pub countries: Option<Vec<String>>,
    /// Certifications that a region must hold instead of the general ones.
    pub certifications: Option<Vec<String>>,
    /// Allowed zones, as `provider/region/zone`.
    pub zones: Option<Vec<String>>,
    /// Allowed instance types, as `provider/type`.
    pub offers: Option<Vec<String>>,
    /// Allowed terms instead of the general ones.
    pub terms: Option<Vec<Term>>,
    /// The host stays where it is, for this reason.
    pub stays_because: Option<String>,
    /// Hardware threads instead of the host's own.
    pub vcpus: Option<Vcpus>,
    /// Memory instead of the host's own.
    pub memory_mib: Option<Mib>,
    /// Whether offers may ration processor time by credits, instead of the general answer.
    pub burstable: Option<bool>,
    /// Whether the host may be taken away at any time and started again, so that spot prices may be used for it.
    pub interruptible: Option<bool>,
}

/// Which hosts a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The host with this id or name; `*` stands for any run of characters.
    pub host: Option<String>,
    /// Hosts of this app.
    pub app: Option<String>,
    /// Hosts with this label, as `key=value`, or `key` for any value.
    pub label: Option<String>,
}

impl Match {
    /// Whether the host fulfils every given condition.
    pub fn fits(&self, host: &Host) -> bool {
        let by_name = self.host.as_ref().is_none_or(|pattern| {
            glob(pattern.as_bytes(), host.id.0.as_bytes()) || glob(pattern.as_bytes(), host.name.as_bytes())
        });
        let by_app =
            self.app.as_ref().is_none_or(|app| host.app.as_ref().is_some_and(|id| id.as_str() == app));
        let by_label = self.label.as_ref().is_none_or(|label| match label.split_once('=') {
            Some((key, value)) => host.labels.get(key).is_some_and(|have| have == value),
            None => host.labels.contains_key(label),
        });
        by_name && by_app && by_label
    }
}

/// Whether a text fits a pattern in which `*` stands for any run of characters.
pub fn fits(pattern: &str, text: &str) -> bool {
    glob(pattern.as_bytes(), text.as_bytes())
}

/// Whether a text fits a pattern in which `*` stands for any run of bytes; linear in memory, no recursion.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p + 1, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            (p, t) = (p + 1, t + 1);
        } else if let Some((after_star, from)) = retry {
            retry = Some((after_star, from + 1));
            (p, t) = (after_star, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// What holds for one host once all rules are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPolicy<'a> {
    /// Allowed providers.
    pub providers: Option<&'a [ProviderName]>,
    /// Allowed regions.
    pub regions: Option<&'a [String]>,
    /// Allowed countries.
    pub countries: Option<&'a [String]>,
    /// Certifications that a region must hold.
    pub certifications: Option<&'a [String]>,
    /// Allowed zones, as `provider/region/zone`.
    pub zones: Option<&'a [String]>,
    /// Allowed instance types, as `provider/type`.
    pub offers: Option<&'a [String]>,
    /// Allowed terms.
    pub terms: &'a [Term],
    /// Why it stays; `None` when it moves.
    pub stays_because: Option<&'a str>,
    /// Hardware threads the user gave.
    pub vcpus: Option<Vcpus>,
    /// Memory the user gave.
    pub memory_mib: Option<Mib>,
    /// Whether offers may ration processor time.
    pub burstable: bool,
    /// Whether it may be taken away at any time.
    pub interruptible: bool,
}

impl Policy {
    /// Applies the rules to a host; later rules win, key by key.
    pub fn for_host<'a>(&'a self, host: &'a Host) -> HostPolicy<'a> {
        let mut result = HostPolicy {
            providers: self.targets.providers.as_deref(),
            regions: self.targets.regions.as_deref(),
            countries: self.targets.countries.as_deref(),
            certifications: self.targets.certifications.as_deref(),
            zones: None,
            offers: None,
            terms: &self.pricing.terms,
            stays_because: host.stays_because.as_deref(),
            vcpus: None,
            memory_mib: None,
            burstable: self.sizing.burstable,
            interruptible: false,
        };
        for rule in self.rules.iter().filter(|rule| rule.matches.fits(host)) {
            result.providers = rule.providers.as_deref().or(result.providers);
            result.regions = rule.regions.as_deref().or(result.regions);
            result.countries = rule.countries.as_deref().or(result.countries);
            result.certifications = rule.certifications.as_deref().or(result.certifications);
            result.zones = rule.zones.as_deref().or(result.zones);
            result.offers = rule.offers.as_deref().or(result.offers);
            result.terms = rule.terms.as_deref().unwrap_or(result.terms);
            result.stays_because = rule.stays_because.as_deref().or(result.stays_because);
            result.vcpus = rule.vcpus.or(result.vcpus);
            result.memory_mib = rule.memory_mib.or(result.memory_mib);
            result.burstable = rule.burstable.unwrap_or(result.burstable);
            result.interruptible = rule.interruptible.unwrap_or(result.interruptible);
        }
        result
    }
}

impl Pricing {
    /// The factor from the catalog's currency to the plan's: 1 when they are the same, `None` when no rate is given.
    pub fn factor_from(&self, catalog: Currency) -> Option<Rate> {
        if catalog == self.currency {
            return Some(Rate(1_000_000_000));
        }
        self.exchange.as_ref().filter(|exchange| exchange.from == catalog).map(|exchange| exchange.rate)
    }
}

/// The names of providers by `docs/GLOSSARY.md`; a rate card may add its own.
pub const KNOWN_PROVIDERS: [&str; 13] = [
    "aws",
    "azure",
    "gcp",
    "alibaba",
    "tencent",
    "ibm",
    "oci",
    "openstack",
    "ncp",
    "ncp-classic",
    "nhn",
    "kt",
    "kt-classic",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_like_a_shell_does() {
        for (pattern, text, fits) in [
            ("db-1", "db-1", true),
            ("db-1", "db-10", false),
            ("db-*", "db-10", true),
            ("*", "", true),
            ("*-db-*", "erp-db-1", true),
            ("*-db", "erp-db-1", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn later_rules_win_key_by_key() {
        let mut host = Host::named("erp-db-1");
        host.labels.insert("tier".to_owned(), "db".to_owned());
        let by_label = Match { label: Some("tier=db".to_owned()), ..Match::default() };
        let policy = Policy {
            rules: vec![
                Rule { matches: by_label, countries: Some(vec!["KR".to_owned()]), ..Rule::default() },
                Rule {
                    matches: Match { host: Some("erp-*".to_owned()), ..Match::default() },
                    vcpus: Some(Vcpus(8)),
                    ..Rule::default()
                },
                Rule {
                    matches: Match { label: Some("tier=web".to_owned()), ..Match::default() },
                    vcpus: Some(Vcpus(2)),
                    ..Rule::default()
                },
            ],
            ..Policy::default()
        };
        let found = policy.for_host(&host);
        assert_eq!(found.countries, Some(&["KR".to_owned()][..]));
        assert_eq!(found.vcpus, Some(Vcpus(8)));
    }
}
