//! Reads what a policy demands of several hosts at once: `[[group]]`, `[[flow_rule]]`, `[[location]]`, `[[quota]]`,
//! `[[unavailable]]`; and
//! the lists that only rules have.

use crate::constraints::{EndMatch, FlowRule, GroupRule, Level, Location, Quota, Service, Unavailable};
use crate::finding::Finding;
use crate::ids::ProviderName;
use crate::policy::Match;
use crate::units::{Quantity, Vcpus, clip};

use crate::toml_reader::{Reader, Table, join};

/// The longest round trip that can be asked for, in milliseconds: one that no pair of places on earth has.
const LONGEST_RTT_MS: i64 = 10_000;

impl<'t> Reader<'t> {
    pub(super) fn group(&mut self, table: &mut Table<'t>) -> GroupRule {
        let name = self.string(table, "name").unwrap_or_default();
        let matches = self.condition(table, "a group");
        let levels = [Level::Zone, Level::Region, Level::Provider].map(|level| (level.name(), level));
        let same = self.choice(table, "same", &levels);
        let apart = self.choice(table, "apart", &levels);
        let at_most = self.integer(table, "at_most", 1, 1_000_000).unwrap_or(1);
        if same.is_none() && apart.is_none() {
            self.contradiction(
                table,
                "a group that is neither together nor apart",
                "same = \"region\", or apart = \"zone\", or both",
            );
        }
        if let (Some(together), Some(separate)) = (same, apart)
            && separate >= together
        {
            self.contradiction(
                table,
                &format!("all hosts in one {} and not in one {}", together.name(), separate.name()),
                "what they share must be larger than what keeps them apart, such as same = \"region\" and apart = \"zone\"",
            );
        }
        GroupRule { name, matches, same, apart, at_most }
    }

    pub(super) fn flow_rule(&mut self, table: &mut Table<'t>) -> FlowRule {
        let from = self.end(table, "from");
        let to = self.end(table, "to");
        let longest = self.decimal::<Quantity>(table, "max_rtt_ms").unwrap_or_default();
        if longest.0 <= 0 || longest.0 > LONGEST_RTT_MS * 1_000_000 {
            self.contradiction(
                table,
                "a flow rule needs a longest round trip",
                "max_rtt_ms = 5, in milliseconds, above 0 and at most 10000",
            );
        }
        FlowRule { from, to, max_rtt_ms: longest }
    }

    pub(super) fn location(&mut self, table: &mut Table<'t>) -> Location {
        let matches = self.end(table, "match");
        let mut degrees = |key, most: i64| {
            let found = self.decimal::<Quantity>(table, key);
            if found.is_none_or(|found| found.0.abs() > most * 1_000_000) {
                self.contradiction(
                    table,
                    &format!("a location needs its {key}"),
                    &format!("degrees with a point, from -{most} to {most}, such as {key} = 37.5665"),
                );
            }
            found.unwrap_or_default()
        };
        Location { matches, latitude: degrees("latitude", 90), longitude: degrees("longitude", 180) }
    }

    pub(super) fn unavailable(&mut self, table: &mut Table<'t>) -> Unavailable {
        let provider = self.string(table, "provider").unwrap_or_default();
        let path = join(&table.path, "services");
        let mut services = Vec::new();
        for (start, name) in self.strings(table, "services").unwrap_or_default() {
            match Service::ALL.into_iter().find(|service| service.name() == name) {
                Some(service) => services.push(service),
                None => {
                    let finding = Finding::error(
                        "POL-004",
                        format!("\"{}\" is nothing that a host needs", clip(&name)),
                    );
                    let known = Service::ALL.map(Service::name).join("\", \"");
                    self.findings
                        .push(finding.at(self.place(start, &path)).help(format!("one of \"{known}\"")));
                }
            }
        }
        if provider.is_empty() || services.is_empty() {
            self.contradiction(
                table,
                "what cannot be made needs a provider and a name",
                "provider = \"oci\" and services = [\"load-balancer\"]",
            );
        }
        Unavailable { provider: ProviderName(provider), services }
    }

    pub(super) fn quota(&mut self, table: &mut Table<'t>) -> Quota {
        let region = self.string(table, "region");
        let provider = self.string(table, "provider").map(ProviderName);
        let family = self.string(table, "family");
        let max_vcpus = self.integer(table, "max_vcpus", 0, u32::MAX).map(Vcpus);
        let max_hosts = self.integer(table, "max_hosts", 0, u32::MAX);
        if region.is_some() == provider.is_some() {
            self.contradiction(
                table,
                "a quota holds for one region or for one provider",
                "region = \"aws/ap-northeast-2\", or provider = \"aws\"",
            );
        }
        if region.as_ref().is_some_and(|region| region.split('/').count() != 2) {
            self.contradiction(
                table,
                "the region does not say whose it is",
                "write provider/region, for example \"aws/ap-northeast-2\"",
            );
        }
        if max_vcpus.is_none() && max_hosts.is_none() {
            self.contradiction(
                table,
                "a quota without a limit",
                "max_vcpus = 64, or max_hosts = 10, or both",
            );
        }
        Quota { region, provider, family, max_vcpus, max_hosts }
    }

    /// The hosts that a rule or group is for; without any condition it would be for none in particular.
    pub(super) fn condition(&mut self, table: &mut Table<'t>, whose: &str) -> Match {
        let mut matches = Match::default();
        self.section(table, "match", |reader, inner| {
            matches = Match {
                host: reader.string(inner, "host"),
                app: reader.string(inner, "app"),
                label: reader.string(inner, "label"),
            };
        });
        if matches == Match::default() {
            self.contradiction(
                table,
                &format!("{whose} without a condition would hold for no host in particular"),
                "match = { host = \"db-*\" }, or app, or label = \"tier=db\"",
            );
        }
        matches
    }

    fn end(&mut self, table: &mut Table<'t>, key: &'static str) -> EndMatch {
        let mut end = EndMatch::default();
        self.section(table, key, |reader, inner| {
            end = EndMatch {
                host: reader.string(inner, "host"),
                app: reader.string(inner, "app"),
                label: reader.string(inner, "label"),
                external: reader.string(inner, "external"),
            };
        });
        let by_host = end.host.is_some() || end.app.is_some() || end.label.is_some();
        if by_host == end.external.is_some() {
            self.contradiction(
                table,
                &format!("{key} names neither hosts nor one thing outside the estate"),
                &format!("{key} = {{ host = \"db-*\" }}, or app, or label, or external = \"bank\""),
            );
        }
        end
    }

    pub(super) fn certifications(&mut self, table: &mut Table<'t>) -> Option<Vec<String>> {
        Some(self.strings(table, "certifications")?.into_iter().map(|(_, name)| name).collect())
    }

    /// A list of names that consist of so many parts.
    pub(super) fn paths(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
        parts: usize,
    ) -> Option<Vec<String>> {
        let path = join(&table.path, key);
        let names = self.strings(table, key)?;
        let example = if parts == 3 {
            "write provider/region/zone, for example \"aws/ap-northeast-2/ap-northeast-2a\""
        } else {
            "write provider/type, for example \"aws/m5.large\""
        };
        for (start, name) in &names {
            // The names of some instance types have slashes of their own.
            let is_whole = name.splitn(parts, '/').filter(|part| !part.is_empty()).count() == parts;
            if !is_whole {
                let what = format!("\"{}\" does not say whose it is", clip(name));
                self.findings
                    .push(Finding::error("POL-004", what).at(self.place(*start, &path)).help(example));
            }
        }
        Some(names.into_iter().map(|(_, name)| name).collect())
    }

    pub(super) fn contradiction(&mut self, table: &Table<'t>, what: &str, help: &str) {
        let place = self.place(table.start, &table.path);
        self.findings.push(Finding::error("POL-004", what).at(place).help(help));
    }
}
