//! Reads `scenarios.toml`: policies that differ from one policy in what each of them names.
//!
//! A scenario's `policy` is laid over the policy: tables are merged key by key, anything else replaces what was there,
//! lists too. `extends` lays a scenario over another one. `[generate]` makes the scenarios people ask for most. Every
//! overlay is checked as a policy is, with row and column in the scenarios file. Codes: those of policies, and `SCN-…`.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::DIALECT;
use crate::catalog::Term;
use crate::finding::{Finding, nearest};
use crate::policy::Policy;
use crate::toml_reader::{Reader, Table};
use crate::units::{Money, clip};

/// What is wrong with a file of scenarios: code, summary, what to do. [`read`] finds these beside those of a policy.
pub const CODES: [(&str, &str, &str); 4] = [
    ("SCN-001", "two scenarios have the same name", "give each a name of its own"),
    ("SCN-002", "a scenario extends one that is not there, or itself", "name a scenario of the same file"),
    ("SCN-003", "there is no scenario in the file", "add a [[scenario]] with a name, or [generate]"),
    ("SCN-004", "there are more scenarios than can be compared", "take some out"),
];

/// The most scenarios of one file.
const MOST: usize = 200;

/// The name of the policy as it is, which is always the first scenario.
pub const BASE: &str = "base";

/// A policy under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Unique in the file.
    pub name: String,
    /// What it is for, in the user's words.
    pub description: Option<String>,
    /// What differs from the policy, as it would be written there, for example `targets.countries = ["KR"]`.
    pub changes: Vec<String>,
    /// The policy it makes.
    pub policy: Policy,
}

/// An overlay before it is laid over anything.
struct Overlay<'t> {
    name: String,
    description: Option<String>,
    extends: Option<String>,
    start: usize,
    table: DeTable<'t>,
}

/// Reads the scenarios of a file over a policy that was read without findings. `providers` are those of the catalog, for
/// `each_provider`. Any finding is an error, and then there are no scenarios.
pub fn read(file: &str, text: &str, policy: &str, providers: &[String]) -> (Vec<Scenario>, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &DIALECT);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = reader.place(error.span().map_or(0, |span| span.start), "");
        reader.findings.push(
            Finding::error("POL-001", format!("not TOML: {}", clip(error.message())))
                .at(place)
                .help("see docs/formats/scenarios.md for a whole example"),
        );
    }
    if !errors.is_empty() {
        return (Vec::new(), reader.findings);
    }
    let mut root = reader.table("", 0, root.into_inner());
    let mut overlays = reader.written_scenarios(&mut root);
    let mut generated = Vec::new();
    reader.section(&mut root, "generate", |reader, table| generated = reader.generated(table, providers));
    let generated_at = text.find("[generate]").unwrap_or_default();
    reader.finish(root);
    for (name, table) in &generated {
        let table = DeTable::parse(table).expect("what is generated is TOML").into_inner();
        overlays.push(Overlay {
            name: name.clone(),
            description: None,
            extends: None,
            start: generated_at,
            table,
        });
    }
    let layers = reader.layers(&overlays);
    if !reader.findings.is_empty() {
        return (Vec::new(), reader.findings);
    }
    let base = DeTable::parse(policy).map(Spanned::into_inner).unwrap_or_default();
    let mut scenarios = vec![Scenario {
        name: BASE.to_owned(),
        description: None,
        changes: Vec::new(),
        policy: super::read(file, policy).0,
    }];
    for (overlay, layers) in overlays.iter().zip(layers) {
        let mut changed = DeTable::new();
        for layer in layers {
            merge(&mut changed, &overlays[layer].table);
        }
        let mut whole = base.clone();
        merge(&mut whole, &changed);
        let mut policy = Policy::default();
        let mut merged = Reader::new(file, "", &DIALECT);
        let mut table = merged.table("", 0, whole);
        merged.policy(&mut table, &mut policy);
        merged.finish(table);
        // What only the whole policy gets wrong is told at the scenario that makes it so.
        let place = reader.place(overlay.start, "scenario");
        reader.findings.extend(merged.findings.into_iter().map(|finding| finding.at(place.clone())));
        let mut changes = Vec::new();
        written_out("", &changed, &mut changes);
        scenarios.push(Scenario {
            name: overlay.name.clone(),
            description: overlay.description.clone(),
            changes,
            policy,
        });
    }
    if reader.findings.is_empty() { (scenarios, Vec::new()) } else { (Vec::new(), reader.findings) }
}

impl<'t> Reader<'t> {
    /// The scenarios that the file writes out.
    fn written_scenarios(&mut self, root: &mut Table<'t>) -> Vec<Overlay<'t>> {
        let mut overlays = Vec::new();
        let Some(value) = self.take(root, "scenario") else { return overlays };
        for (place, entry) in self.array(root, "scenario", value).into_iter().flatten().enumerate() {
            let Some(mut table) = self.as_table(&format!("scenario[{place}]"), entry) else { continue };
            let name = self.string(&mut table, "name").filter(|name| !name.trim().is_empty());
            if name.is_none() {
                let place = self.place(table.start, &table.path);
                self.findings.push(
                    Finding::error("POL-004", "a scenario without a name")
                        .at(place)
                        .help("name = \"Korea only\""),
                );
            }
            let description = self.string(&mut table, "description");
            let extends = self.string(&mut table, "extends");
            let mut overlay = DeTable::new();
            if let Some(value) = self.take(&mut table, "policy")
                && let DeValue::Table(written) = value.get_ref()
            {
                overlay = written.clone();
                let path = format!("{}.policy", table.path);
                let mut written = self.table(&path, value.span().start, written.clone());
                self.policy(&mut written, &mut Policy::default());
                self.finish(written);
            }
            let start = table.start;
            self.finish(table);
            let name = name.unwrap_or_default();
            overlays.push(Overlay { name, description, extends, start, table: overlay });
        }
        overlays
    }

    /// The scenarios that `[generate]` asks for: their names, and their overlays as TOML.
    fn generated(&mut self, table: &mut Table<'t>, providers: &[String]) -> Vec<(String, String)> {
        let mut made: Vec<(String, String)> = Vec::new();
        if self.boolean(table, "each_provider") == Some(true) {
            for provider in providers {
                made.push((format!("provider={provider}"), list("targets", "providers", &[provider])));
            }
        }
        for country in self.countries(table).iter().flatten() {
            made.push((format!("country={country}"), list("targets", "countries", &[country])));
        }
        for key in ["max_providers", "max_regions"] {
            for most in 1..=self.integer(table, key, 1, 50).unwrap_or_default() {
                made.push((format!("{key}={most}"), format!("[targets]\n{key} = {most}\n")));
            }
        }
        for terms in self.lists_of_terms(table) {
            let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
            made.push((format!("terms={}", terms.join("+")), list("pricing", "terms", &terms)));
        }
        if self.boolean(table, "sizing") == Some(true) {
            for strategy in ["as-is", "measured"] {
                let overlay = format!("[sizing]\nstrategy = \"{strategy}\"\n");
                made.push((format!("sizing={strategy}"), overlay));
            }
        }
        for (section, key) in
            [("targets", "max_monthly"), ("opening", "region_monthly"), ("opening", "provider_monthly")]
        {
            for (start, amount) in self.strings(table, key).unwrap_or_default() {
                match amount.parse::<Money>() {
                    Ok(money) if money.0 >= 0 => {
                        made.push((format!("{key}={money}"), format!("[{section}]\n{key} = \"{money}\"\n")));
                    }
                    Ok(_) | Err(_) => {
                        let place = self.place(start, &format!("generate.{key}"));
                        self.findings.push(
                            Finding::error("POL-004", format!("\"{}\" is not an amount", clip(&amount)))
                                .at(place)
                                .help("amounts from 0 in quotes, for example [\"1000\", \"2000\"]"),
                        );
                    }
                }
            }
        }
        if let Some(value) = self.take(table, "horizon_months") {
            for entry in self.array(table, "horizon_months", value).into_iter().flatten() {
                if let Some(months) = self.integer_value(table, "horizon_months", &entry, 1, 600) {
                    let overlay = format!("[pricing]\nhorizon_months = {months}\n");
                    made.push((format!("horizon_months={months}"), overlay));
                }
            }
        }
        made
    }

    fn lists_of_terms(&mut self, table: &mut Table<'t>) -> Vec<Vec<String>> {
        let mut lists = Vec::new();
        let Some(value) = self.take(table, "terms") else { return lists };
        for entry in self.array(table, "terms", value).into_iter().flatten() {
            let mut terms = Vec::new();
            for term in self.array(table, "terms", entry).into_iter().flatten() {
                let Some(name) = self.text_value(table, "terms", &term) else { continue };
                match Term::parse(&name) {
                    Some(_) => terms.push(name),
                    None => {
                        let known = || Term::ALL.into_iter().map(Term::name);
                        let help = match nearest(&name, known()) {
                            Some(near) => format!("did you mean \"{near}\"?"),
                            None => format!("one of {}", known().collect::<Vec<_>>().join(", ")),
                        };
                        let what = format!("\"{}\" is not a term", clip(&name));
                        self.refuse("POL-004", &term, "generate.terms", what, &help);
                    }
                }
            }
            if !terms.is_empty() {
                lists.push(terms);
            }
        }
        lists
    }

    /// For each overlay the overlays it is made of, the outermost base first.
    fn layers(&mut self, overlays: &[Overlay<'t>]) -> Vec<Vec<usize>> {
        let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, overlay) in overlays.iter().enumerate() {
            let is_taken = overlay.name == BASE || by_name.insert(&overlay.name, index).is_some();
            if is_taken && !overlay.name.is_empty() {
                let what = format!("there is another scenario \"{}\"", clip(&overlay.name));
                self.tell("SCN-001", overlay.start, what, "give each a name of its own");
            }
        }
        if overlays.is_empty() {
            self.tell("SCN-003", 0, "there is no scenario in the file".to_owned(), CODES[2].2);
        }
        if overlays.len() > MOST {
            let what = format!("{} scenarios, where at most {MOST} can be compared", overlays.len());
            self.tell("SCN-004", overlays[MOST].start, what, "take some out");
        }
        let mut layers = Vec::with_capacity(overlays.len());
        for index in 0..overlays.len() {
            let mut chain = vec![index];
            while let Some(wanted) = &overlays[chain[chain.len() - 1]].extends {
                match by_name.get(wanted.as_str()) {
                    _ if wanted == BASE => break,
                    Some(next) if !chain.contains(next) => chain.push(*next),
                    Some(_) => {
                        let what = format!("\"{}\" extends itself", clip(&overlays[index].name));
                        self.tell("SCN-002", overlays[index].start, what, "take one `extends` out");
                        break;
                    }
                    None => {
                        let help = match nearest(wanted, by_name.keys().copied()) {
                            Some(near) => format!("did you mean \"{near}\"?"),
                            None => "name a scenario of this file".to_owned(),
                        };
                        let what = format!("there is no scenario \"{}\" to extend", clip(wanted));
                        self.tell("SCN-002", overlays[index].start, what, &help);
                        break;
                    }
                }
            }
            chain.reverse();
            layers.push(chain);
        }
        layers
    }

    fn tell(&mut self, code: &str, start: usize, what: String, help: &str) {
        let place = self.place(start, "scenario");
        self.findings.push(Finding::error(code, what).at(place).help(help));
    }
}

/// A list of texts as TOML, in a table.
fn list(section: &str, key: &str, texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{section}]\n{key} = [{}]\n", texts.join(", "))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Lays one table over another: tables key by key, anything else instead of what was there.
fn merge<'t>(into: &mut DeTable<'t>, over: &DeTable<'t>) {
    for (key, value) in over {
        let below = into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
        match (below, value.get_ref()) {
            (Some(DeValue::Table(below)), DeValue::Table(above)) => merge(below, above),
            (Some(below), above) => *below = above.clone(),
            (None, _) => drop(into.insert(key.clone(), value.clone())),
        }
    }
}

/// Every value with its dotted key, as it would be written in a policy.
fn written_out(path: &str, table: &DeTable<'_>, lines: &mut Vec<String>) {
    for (key, value) in table {
        let path =
            if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) => written_out(&path, inner, lines),
            other => lines.push(format!("{path} = {}", written(other))),
        }
    }
}

fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(choice) => choice.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| written(entry.get_ref())).collect();
            format!("[{}]", entries.join(", "))
        }
        DeValue::Table(table) => {
            let inner =
                table.iter().map(|(key, value)| format!("{} = {}", key.get_ref(), written(value.get_ref())));
            format!("{{ {} }}", inner.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "[targets]\ncountries = [\"KR\"]\nmax_regions = 2\n[pricing]\nhorizon_months = 24\n";

    fn names_and_changes(text: &str) -> Vec<(String, String)> {
        let (scenarios, findings) = read("s.toml", text, POLICY, &["aws".to_owned(), "ncp".to_owned()]);
        assert_eq!(findings, []);
        scenarios.into_iter().map(|s| (s.name, s.changes.join("; "))).collect()
    }

    #[test]
    fn overlays_are_merged_key_by_key_and_extend_each_other() {
        let text = "[[scenario]]\nname = \"japan\"\npolicy.targets.countries = [\"JP\"]\n\
                    [[scenario]]\nname = \"japan, long\"\nextends = \"japan\"\n[scenario.policy.pricing]\nterms = [\"3yr\"]\n";
        let (scenarios, findings) = read("s.toml", text, POLICY, &[]);
        assert_eq!(findings, []);
        let last = &scenarios[2];
        assert_eq!(last.changes, ["pricing.terms = [\"3yr\"]", "targets.countries = [\"JP\"]"]);
        assert_eq!(last.policy.targets.countries.as_deref(), Some(&["JP".to_owned()][..]));
        assert_eq!(last.policy.targets.max_regions, Some(2), "what is not named stays");
        assert_eq!(
            (last.policy.pricing.horizon_months, &last.policy.pricing.terms[..]),
            (24, &[Term::ThreeYears][..])
        );
        assert_eq!(scenarios[0].name, BASE);
    }

    #[test]
    fn what_is_asked_for_most_is_generated() {
        let text = "[generate]\neach_provider = true\ncountries = [\"KR\", \"JP\"]\nmax_providers = 2\nsizing = true\n\
                    terms = [[\"on-demand\"], [\"on-demand\", \"1yr\"]]\nmax_monthly = [\"1000\"]\nhorizon_months = [12]\n";
        let made = names_and_changes(text);
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "base",
                "provider=aws",
                "provider=ncp",
                "country=KR",
                "country=JP",
                "max_providers=1",
                "max_providers=2",
                "terms=on-demand",
                "terms=on-demand+1yr",
                "sizing=as-is",
                "sizing=measured",
                "max_monthly=1000",
                "horizon_months=12"
            ]
        );
        assert_eq!(made[1].1, "targets.providers = [\"aws\"]");
    }

    #[test]
    fn mistakes_are_told_with_row_column_and_suggestion() {
        let text = "[[scenario]]\nname = \"a\"\nextends = \"bb\"\npolicy.targts.countries = [\"KR\"]\n\
                    [[scenario]]\nname = \"b\"\npolicy.pricing.terms = [\"1y\"]\n[[scenario]]\nname = \"a\"\n\
                    [generate]\nmax_provider = 2\n";
        let (scenarios, findings) = read("s.toml", text, POLICY, &[]);
        assert!(scenarios.is_empty());
        let told: Vec<String> = findings
            .iter()
            .map(|f| format!("{} {}: {}", f.code, f.place, f.help.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                "POL-002 s.toml, row 4, column 8, scenario[0].policy.targts: did you mean \"targets\"?",
                "POL-004 s.toml, row 7, column 25, scenario[1].policy.pricing.terms: did you mean \"1yr\"?",
                "POL-002 s.toml, row 11, column 1, generate.max_provider: did you mean \"max_providers\"?",
                "SCN-001 s.toml, row 8, column 1, scenario: give each a name of its own",
                "SCN-002 s.toml, row 1, column 1, scenario: name a scenario of this file",
            ]
        );
        let circle =
            "[[scenario]]\nname = \"a\"\nextends = \"b\"\n[[scenario]]\nname = \"b\"\nextends = \"a\"\n";
        let (_, findings) = read("s.toml", circle, POLICY, &[]);
        assert!(findings.iter().all(|f| f.code == "SCN-002") && findings.len() == 2, "{findings:?}");
        assert_eq!(read("s.toml", "", POLICY, &[]).1[0].code, "SCN-003");
    }
}
