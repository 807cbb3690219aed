//! Reads a policy from TOML: every mistake at once, each with its line, column and key.
//!
//! The text is walked by hand rather than by derive, because a derived reader stops at its first mistake and cannot say
//! "did you mean". Codes: `POL-001` not TOML, `POL-002` unknown key, `POL-003` wrong type, `POL-004` value not allowed.

use toml::de::DeTable;

use crate::catalog::Term;
use crate::document::Document;
use crate::finding::{Finding, Place, nearest};
use crate::ids::ProviderName;
use crate::policy::{
    Doubtful, Exchange, Headroom, Licence, Licences, Migration, Opening, Policy, Pricing, Rule, Sizing,
    SizingStrategy, Targets,
};
use crate::toml_reader::{self, Dialect, Reader, Table, join};
use crate::units::{Currency, Mib, Money, Quantity, Rate, Vcpus, clip};

mod constraints;
mod contracts;

pub use contracts::read_price_book;

pub mod manifest;

pub mod scenarios;

/// What is wrong with a policy file: code, summary, what to do. [`read`] finds these.
pub const CODES: [(&str, &str, &str); 4] = [
    ("POL-001", "not TOML", "see docs/formats/policy.md for a whole example"),
    ("POL-002", "unknown key", "the message names the nearest key that is known"),
    ("POL-003", "wrong type", "`carafe schema policy` prints the type of every key"),
    ("POL-004", "value not allowed", "the message says what is allowed"),
];

static DIALECT: Dialect = Dialect {
    not_toml: "POL-001",
    unknown_key: "POL-002",
    wrong_type: "POL-003",
    not_allowed: "POL-004",
    example: "see docs/formats/policy.md for a whole example",
};

/// Reads a policy. Any finding is an error, and then the returned policy must not be used to plan.
pub fn read(file: &str, text: &str) -> (Policy, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &DIALECT);
    let mut policy = Policy::default();
    if let Some(mut root) = reader.root() {
        reader.policy(&mut root, &mut policy);
        reader.finish(root);
    }
    (policy, reader.findings)
}

/// Where a dotted key such as `rule[0].match` stands in a policy: file, row and column; the key alone when the text
/// does not have it.
pub fn place_of(file: &str, text: &str, key: &str) -> Place {
    let nowhere = || Place::file(file).at(key);
    let Ok(root) = DeTable::parse(text) else { return nowhere() };
    let mut parts = key.split('.');
    let mut found = parts.next().and_then(|part| entry(root.get_ref(), part));
    for part in parts {
        found = found.and_then(|value| value.get_ref().as_table()).and_then(|table| entry(table, part));
    }
    found.map_or_else(nowhere, |value| Reader::new(file, text, &DIALECT).place(value.span().start, key))
}

/// The value of `name`, or of one entry of a list for `name[0]`.
fn entry<'a, 't>(table: &'a DeTable<'t>, part: &str) -> Option<&'a toml_reader::Value<'t>> {
    let Some((name, index)) = part.strip_suffix(']').and_then(|part| part.split_once('[')) else {
        return table.get(part);
    };
    table.get(name)?.get_ref().as_array()?.get(index.parse::<usize>().ok()?)
}

impl<'t> Reader<'t> {
    fn policy(&mut self, root: &mut Table<'t>, policy: &mut Policy) {
        self.header(root, &Policy::header());
        self.section(root, "targets", |reader, table| reader.targets(table, &mut policy.targets));
        self.section(root, "sizing", |reader, table| reader.sizing(table, &mut policy.sizing));
        self.section(root, "pricing", |reader, table| reader.pricing(table, &mut policy.pricing));
        self.section(root, "licences", |reader, table| reader.licences(table, &mut policy.licences));
        self.section(root, "opening", |reader, table| reader.opening(table, &mut policy.opening));
        self.section(root, "migration", |reader, table| reader.migration(table, &mut policy.migration));
        policy.rules = self.entries(root, "rule", Self::rule);
        policy.groups = self.entries(root, "group", Self::group);
        policy.flow_rules = self.entries(root, "flow_rule", Self::flow_rule);
        policy.locations = self.entries(root, "location", Self::location);
        policy.quotas = self.entries(root, "quota", Self::quota);
        policy.unavailable = self.entries(root, "unavailable", Self::unavailable);
        policy.price_book = self.entries(root, "price_book", Self::book_entry);
        policy.reservations = self.entries(root, "reservation", Self::reservation);
        policy.commitments = self.entries(root, "commitment", Self::commitment);
        policy.support = self.entries(root, "support", Self::support);
    }

    /// Every entry of a list of tables; each keeps its number in the list, because findings name it.
    fn entries<T>(
        &mut self,
        root: &mut Table<'t>,
        key: &'static str,
        read: impl Fn(&mut Self, &mut Table<'t>) -> T,
    ) -> Vec<T> {
        let mut entries = Vec::new();
        let Some(value) = self.take(root, key) else { return entries };
        for (place, entry) in self.array(root, key, value).into_iter().flatten().enumerate() {
            let Some(mut table) = self.as_table(&format!("{key}[{place}]"), entry) else { continue };
            entries.push(read(self, &mut table));
            self.finish(table);
        }
        entries
    }

    fn factor(&mut self, table: &mut Table<'t>, key: &'static str, factor: &mut Quantity) {
        let Some((start, found)) = self.decimal_at::<Quantity>(table, key) else { return };
        if (1_000_000..=100_000_000).contains(&found.0) {
            *factor = found;
        } else {
            let place = self.place(start, &join(&table.path, key));
            self.findings.push(
                Finding::error("POL-004", format!("a head-room factor of {found} is out of range"))
                    .at(place)
                    .help("from 1 (none) to 100"),
            );
        }
    }

    fn money(&mut self, table: &mut Table<'t>, key: &'static str, money: &mut Money) {
        let Some((start, found)) = self.decimal_at::<Money>(table, key) else { return };
        // One quadrillion: far above any estate, and far below where sums of many could overflow.
        if (0..=1_000_000_000_000_000_000_000_000).contains(&found.0) {
            *money = found;
        } else {
            let place = self.place(start, &join(&table.path, key));
            self.findings.push(
                Finding::error("POL-004", format!("an amount of {found} is out of range"))
                    .at(place)
                    .help("from 0 to 1000000000000000, in the plan's currency"),
            );
        }
    }

    fn targets(&mut self, table: &mut Table<'t>, targets: &mut Targets) {
        targets.providers = self.providers(table);
        targets.regions = self.regions(table);
        targets.countries = self.countries(table);
        targets.max_providers = self.integer(table, "max_providers", 1, 1_000);
        targets.max_regions = self.integer(table, "max_regions", 1, 1_000);
        targets.certifications = self.certifications(table);
        if table.has("max_monthly") {
            let mut most = Money::ZERO;
            self.money(table, "max_monthly", &mut most);
            targets.max_monthly = Some(most);
        }
    }

    fn sizing(&mut self, table: &mut Table<'t>, sizing: &mut Sizing) {
        let strategies = [("as-is", SizingStrategy::AsIs), ("measured", SizingStrategy::Measured)];
        if let Some(strategy) = self.choice(table, "strategy", &strategies) {
            sizing.strategy = strategy;
        }
        if let Some(value) = self.take(table, "percentile")
            && let Some(percentile) = self.integer_value(table, "percentile", &value, 50, 100)
        {
            if [50, 90, 95, 99, 100].contains(&percentile) {
                sizing.percentile = percentile;
            } else {
                self.refuse(
                    "POL-004",
                    &value,
                    "sizing.percentile",
                    "no such percentile is kept",
                    "50, 90, 95, 99 or 100",
                );
            }
        }
        self.section(table, "headroom", |reader, table| {
            let Headroom { cpu, memory, disk, network } = &mut sizing.headroom;
            for (key, factor) in [("cpu", cpu), ("memory", memory), ("disk", disk), ("network", network)] {
                reader.factor(table, key, factor);
            }
        });
        if let Some(burstable) = self.boolean(table, "burstable") {
            sizing.burstable = burstable;
        }
    }

    fn pricing(&mut self, table: &mut Table<'t>, pricing: &mut Pricing) {
        if let Some(terms) = self.terms(table) {
            pricing.terms = terms;
        }
        if let Some(currency) = self.parsed::<Currency>(table, "currency") {
            pricing.currency = currency;
        }
        if let Some(months) = self.integer(table, "horizon_months", 1, 600) {
            pricing.horizon_months = months;
        }
        let choices = [("exclude", Doubtful::Exclude), ("use", Doubtful::Use)];
        if let Some(choice) = self.choice(table, "doubtful", &choices) {
            pricing.doubtful = choice;
        }
        if let Some(days) = self.integer(table, "stale_after_days", 1, 36_500) {
            pricing.stale_after_days = days;
        }
        self.section(table, "exchange", |reader, table| {
            let from = reader.parsed::<Currency>(table, "from");
            let rate = reader.decimal::<Rate>(table, "rate").filter(|rate| rate.0 > 0);
            let date = reader.string(table, "date").unwrap_or_default();
            let source = reader.string(table, "source").unwrap_or_default();
            match (from, rate) {
                (Some(from), Some(rate)) if !date.is_empty() && !source.is_empty() => {
                    pricing.exchange = Some(Exchange { from, rate, date, source });
                }
                _ => reader.findings.push(
                    Finding::error(
                        "POL-004",
                        "an exchange rate needs the currency it is from, a positive rate, its date and its source",
                    )
                        .at(reader.place(table.start, &table.path))
                        .help("exchange = { from = \"USD\", rate = \"1390.5\", date = \"2026-11-20\", source = \"…\" }"),
                ),
            }
        });
    }

    fn licences(&mut self, table: &mut Table<'t>, licences: &mut Licences) {
        let choices = [("included", Licence::Included), ("bring-your-own", Licence::BringYourOwn)];
        let Licences { windows, rhel, sles } = licences;
        for (key, licence) in [("windows", windows), ("rhel", rhel), ("sles", sles)] {
            if let Some(choice) = self.choice(table, key, &choices) {
                *licence = choice;
            }
        }
    }

    fn opening(&mut self, table: &mut Table<'t>, opening: &mut Opening) {
        let Opening { region_monthly, provider_monthly, nat_gateway } = opening;
        for (key, money) in [("region_monthly", region_monthly), ("provider_monthly", provider_monthly)] {
            self.money(table, key, money);
        }
        if let Some(choice) = self.boolean(table, "nat_gateway") {
            *nat_gateway = choice;
        }
    }

    fn migration(&mut self, table: &mut Table<'t>, migration: &mut Migration) {
        self.money(table, "cost_per_host", &mut migration.cost_per_host);
    }

    fn rule(&mut self, table: &mut Table<'t>) -> Rule {
        Rule {
            matches: self.condition(table, "a rule"),
            providers: self.providers(table),
            regions: self.regions(table),
            countries: self.countries(table),
            certifications: self.certifications(table),
            zones: self.paths(table, "zones", 3),
            offers: self.paths(table, "offers", 2),
            terms: self.terms(table),
            stays_because: self.string(table, "stays_because"),
            vcpus: self.integer(table, "vcpus", 1, 100_000).map(Vcpus),
            memory_mib: self.integer(table, "memory_mib", 1, u32::MAX).map(|mib| Mib(mib.into())),
            burstable: self.boolean(table, "burstable"),
            interruptible: self.boolean(table, "interruptible"),
        }
    }

    fn providers(&mut self, table: &mut Table<'t>) -> Option<Vec<ProviderName>> {
        let names = self.strings(table, "providers")?;
        Some(names.into_iter().map(|(_, name)| ProviderName(name)).collect())
    }

    fn regions(&mut self, table: &mut Table<'t>) -> Option<Vec<String>> {
        let path = join(&table.path, "regions");
        let regions = self.strings(table, "regions")?;
        for (start, region) in &regions {
            if !region.contains('/') {
                let what = format!("\"{}\" does not say whose region it is", clip(region));
                self.findings.push(
                    Finding::error("POL-004", what)
                        .at(self.place(*start, &path))
                        .help(format!("write provider/region, for example \"aws/{}\"", clip(region))),
                );
            }
        }
        Some(regions.into_iter().map(|(_, region)| region).collect())
    }

    fn countries(&mut self, table: &mut Table<'t>) -> Option<Vec<String>> {
        let path = join(&table.path, "countries");
        let countries = self.strings(table, "countries")?;
        for (start, country) in &countries {
            if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
                self.findings.push(
                    Finding::error("POL-004", format!("\"{}\" is not a country code", clip(country)))
                        .at(self.place(*start, &path))
                        .help("two capital letters of ISO 3166, for example \"KR\""),
                );
            }
        }
        Some(countries.into_iter().map(|(_, country)| country).collect())
    }

    fn terms(&mut self, table: &mut Table<'t>) -> Option<Vec<Term>> {
        let path = join(&table.path, "terms");
        let names = self.strings(table, "terms")?;
        let known = || Term::ALL.into_iter().map(Term::name);
        let mut terms = Vec::new();
        for (start, name) in names {
            match Term::parse(&name) {
                Some(term) => terms.push(term),
                None => {
                    let help = match nearest(&name, known()) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => format!("one of {}", known().collect::<Vec<_>>().join(", ")),
                    };
                    let what = format!("\"{}\" is not a term", clip(&name));
                    self.findings
                        .push(Finding::error("POL-004", what).at(self.place(start, &path)).help(help));
                }
            }
        }
        terms.sort();
        terms.dedup();
        Some(terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let (_, findings) = read("p.toml", text);
        let found: Vec<String> = findings
            .iter()
            .map(|f| {
                format!("{} {}: {} ({})", f.code, f.place, f.summary, f.help.as_deref().unwrap_or_default())
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_contract_s_example_is_read_whole() {
        let text = r#"
[targets]
providers = ["aws", "ncp"]
regions = ["aws/ap-northeast-2"]
countries = ["KR"]
max_providers = 2
max_regions = 4
[sizing]
strategy = "measured"
percentile = 95
headroom = { cpu = 1.2, memory = 1.1, disk = 1.2, network = 1.2 }
[pricing]
terms = ["on-demand", "1yr", "3yr"]
currency = "USD"
horizon_months = 36
[[rule]]
match = { label = "tier=db" }
countries = ["KR"]
"#;
        let (policy, findings) = read("p.toml", text);
        assert_eq!(findings, []);
        assert_eq!(policy.targets.max_regions, Some(4));
        assert_eq!(policy.sizing.strategy, SizingStrategy::Measured);
        assert_eq!(policy.pricing.terms, [Term::OnDemand, Term::OneYear, Term::ThreeYears]);
        assert_eq!(policy.rules[0].matches.label.as_deref(), Some("tier=db"));
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_place_and_suggestion() {
        check(
            "[target]\n[pricing]\nterms = [\"1y\"]\ncurency = \"USD\"\nhorizon_months = 0\n",
            &[
                "POL-004 p.toml, row 3, column 10, pricing.terms: \"1y\" is not a term (did you mean \"1yr\"?)",
                "POL-004 p.toml, row 5, column 18, pricing.horizon_months: 0 is out of range (a whole number from 1 to 600)",
                "POL-002 p.toml, row 4, column 1, pricing.curency: unknown key \"curency\" (did you mean \"currency\"?)",
                "POL-002 p.toml, row 1, column 2, target: unknown key \"target\" (did you mean \"targets\"?)",
            ],
        );
    }

    #[test]
    fn wrong_types_and_values_are_refused() {
        check(
            "[targets]\nproviders = \"aws\"\nregions = [\"seoul\"]\ncountries = [\"Korea\", 1]\n",
            &[
                "POL-003 p.toml, row 2, column 13, targets.providers: a list is wanted, this is a text (see docs/formats/policy.md for a whole example)",
                "POL-004 p.toml, row 3, column 12, targets.regions: \"seoul\" does not say whose region it is (write provider/region, for example \"aws/seoul\")",
                "POL-003 p.toml, row 4, column 23, targets.countries: a text in quotes is wanted, this is a whole number (see docs/formats/policy.md for a whole example)",
                "POL-004 p.toml, row 4, column 14, targets.countries: \"Korea\" is not a country code (two capital letters of ISO 3166, for example \"KR\")",
            ],
        );
    }

    #[test]
    fn what_is_demanded_of_several_hosts_is_read_whole() {
        let text = r#"
[targets]
certifications = ["CSAP-low"]
max_monthly = 1200.50
[[rule]]
match = { host = "db-1" }
zones = ["aws/ap-northeast-2/ap-northeast-2a"]
offers = ["aws/m5.large"]
[[group]]
name = "pair"
match = { label = "tier=db" }
same = "region"
apart = "zone"
[[flow_rule]]
from = { app = "erp" }
to = { external = "bank" }
max_rtt_ms = 5
[[location]]
match = { external = "bank" }
latitude = 37.5665
longitude = -126.978
[[quota]]
region = "aws/ap-northeast-2"
family = "m5"
max_vcpus = 64
"#;
        let (policy, findings) = read("p.toml", text);
        assert_eq!(findings, []);
        assert_eq!(policy.targets.max_monthly, Some(crate::units::Money(1_200_500_000_000)));
        assert_eq!(policy.groups[0].apart, Some(crate::constraints::Level::Zone));
        assert_eq!(policy.flow_rules[0].max_rtt_ms.0, 5_000_000);
        assert_eq!(policy.locations[0].longitude.0, -126_978_000);
        assert_eq!(policy.quotas[0].max_vcpus, Some(Vcpus(64)));
        assert_eq!(policy.rules[0].offers.as_deref(), Some(&["aws/m5.large".to_owned()][..]));
    }

    #[test]
    fn demands_that_say_nothing_are_refused_where_they_stand() {
        check(
            "[[group]]\nmatch = { app = \"a\" }\n[[group]]\nmatch = { app = \"a\" }\nsame = \"zone\"\napart = \"region\"\n",
            &[
                "POL-004 p.toml, row 1, column 1, group[0]: a group that is neither together nor apart (same = \"region\", or apart = \"zone\", or both)",
                "POL-004 p.toml, row 3, column 1, group[1]: all hosts in one zone and not in one region (what they share must be larger than what keeps them apart, such as same = \"region\" and apart = \"zone\")",
            ],
        );
        check(
            "[[flow_rule]]\nfrom = { host = \"a\", external = \"b\" }\nto = { host = \"c\" }\n[[quota]]\nmax_hosts = 1\n[[location]]\nmatch = { external = \"x\" }\nlatitude = 91\nlongitude = 0\n",
            &[
                "POL-004 p.toml, row 1, column 1, flow_rule[0]: from names neither hosts nor one thing outside the estate (from = { host = \"db-*\" }, or app, or label, or external = \"bank\")",
                "POL-004 p.toml, row 1, column 1, flow_rule[0]: a flow rule needs a longest round trip (max_rtt_ms = 5, in milliseconds, above 0 and at most 10000)",
                "POL-004 p.toml, row 6, column 1, location[0]: a location needs its latitude (degrees with a point, from -90 to 90, such as latitude = 37.5665)",
                "POL-004 p.toml, row 4, column 1, quota[0]: a quota holds for one region or for one provider (region = \"aws/ap-northeast-2\", or provider = \"aws\")",
            ],
        );
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let (_, findings) = read("p.toml", "[targets\nproviders = [\"aws\"]\n");
        assert!(findings.iter().all(|f| f.code == "POL-001" && f.place.row == Some(1)), "{findings:?}");
        assert!(!findings.is_empty());
    }
}
