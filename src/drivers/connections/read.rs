//! From the text of `connections.toml` to connections, with every mistake and its place.
//!
//! Walked by hand for the same reason as the policy: a derived reader stops at its first mistake.

use std::collections::BTreeMap;
use std::path::Path;

use carafe_model::finding::{Finding, nearest};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::toml_reader::{Dialect, Reader, Table, Value, join};
use toml::de::DeValue;

use super::super::{DRIVERS, DriverEntry, Kind, entry};
use super::{Connection, Limits, RawSetting, Setting, SettingKind};
use crate::drivers::secret::SecretRef;

/// More connections than anybody has; a file with more is a mistake.
const MOST_CONNECTIONS: usize = 1_000;
/// More calls at a time than any cloud takes.
const MOST_CALLS: u32 = 10_000;

static DIALECT: Dialect = Dialect {
    not_toml: "CON-001",
    unknown_key: "CON-002",
    wrong_type: "CON-003",
    not_allowed: "CON-004",
    example: "see docs/formats/connections.md for a whole example",
};

/// Reads connections from the text of `file`. Any finding is an error, and then nothing may be opened.
pub fn read(file: &str, text: &str) -> (Vec<Connection>, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &DIALECT);
    let mut connections = Vec::new();
    if let Some(mut root) = reader.root() {
        reader.header(&mut root, "connections/1");
        if let Some(value) = reader.take(&mut root, "connection") {
            let start = value.span().start;
            let entries = reader.array(&root, "connection", value);
            let entries: Vec<Value<'_>> = entries.into_iter().flatten().collect();
            if entries.len() > MOST_CONNECTIONS {
                let place = reader.place(start, "connection");
                let what = format!("{} connections are more than are read", entries.len());
                let help = format!("at most {MOST_CONNECTIONS}");
                reader.findings.push(Finding::error("CON-004", what).at(place).help(help));
            }
            for (number, entry) in entries.into_iter().take(MOST_CONNECTIONS).enumerate() {
                let Some(mut table) = reader.as_table(&format!("connection[{number}]"), entry) else {
                    continue;
                };
                let driver = driver(&mut reader, &mut table);
                connections.extend(connection(&mut reader, &mut table, driver));
                // Without a driver nobody can say which of the other keys are its settings.
                if driver.is_some() {
                    reader.finish(table);
                }
            }
        }
        reader.finish(root);
    }
    refuse_twins(&mut reader, &connections);
    reader.findings.sort_by_key(|finding| finding.place.row);
    (connections, reader.findings)
}

/// `None` when something that nothing works without is missing; then a finding says so.
fn connection<'t>(
    reader: &mut Reader<'t>,
    table: &mut Table<'t>,
    driver: Option<&'static DriverEntry>,
) -> Option<Connection> {
    let place = reader.place(table.start, &table.path);
    let name = needed(reader, table, "name");
    let provider = needed(reader, table, "provider");
    let region = filled(reader, table, "region");
    let limits = limits(reader, table);
    let mut settings = BTreeMap::new();
    for setting in driver.map_or(&[][..], |driver| driver.settings) {
        match reader.take(table, setting.name) {
            Some(value) => {
                settings.extend(raw(reader, table, setting, &value).map(|value| (setting.name, value)));
            }
            None if setting.required => missing(reader, table, setting.name),
            None => {}
        }
    }
    Some(Connection {
        name: name?,
        provider: ProviderName(provider?),
        region: region.map(RegionName),
        driver: driver?,
        limits,
        settings,
        place,
    })
}

fn driver<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>) -> Option<&'static DriverEntry> {
    let Some(value) = reader.take(table, "driver") else {
        missing(reader, table, "driver");
        return None;
    };
    let name = reader.text_value(table, "driver", &value)?;
    let driver = entry(&name);
    if driver.is_none() {
        let known = || DRIVERS.iter().map(|driver| driver.name);
        let help = match nearest(&name, known()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("one of {}", known().collect::<Vec<_>>().join(", ")),
        };
        let what = format!("there is no driver \"{name}\"");
        reader.refuse("CON-004", &value, &join(&table.path, "driver"), what, &help);
    }
    driver
}

fn limits<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>) -> Limits {
    let mut limits = Limits {
        at_once: reader.integer(table, "calls_at_once", 1, MOST_CALLS),
        per_second: reader.integer(table, "calls_per_second", 1, MOST_CALLS),
        kinds: BTreeMap::new(),
    };
    reader.section(table, "limits", |reader, inner| {
        for kind in Kind::ALL {
            if let Some(limit) = reader.integer(inner, kind.name(), 1, MOST_CALLS) {
                limits.kinds.insert(kind, limit);
            }
        }
    });
    limits
}

fn raw<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'t>,
    setting: &Setting,
    value: &Value<'t>,
) -> Option<RawSetting> {
    let path = join(&table.path, setting.name);
    if setting.kind == SettingKind::Whole {
        let DeValue::Integer(integer) = value.get_ref() else {
            reader.wrong_type(value.span().start, &path, "a whole number", value.get_ref());
            return None;
        };
        let whole = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if whole.is_none() {
            let what = format!("{} is out of range", integer.as_str());
            reader.refuse("CON-004", value, &path, what, "a whole number from 0");
        }
        return whole.map(RawSetting::Whole);
    }
    let text = reader.text_value(table, setting.name, value)?;
    match setting.kind {
        SettingKind::Text => Some(RawSetting::Text(text)),
        SettingKind::File if text.is_empty() => {
            reader.refuse("CON-004", value, &path, "a path is empty", "name a file");
            None
        }
        SettingKind::File => {
            let folder = Path::new(reader.file).parent().unwrap_or(Path::new(""));
            Some(RawSetting::File(folder.join(text)))
        }
        SettingKind::Secret => match SecretRef::parse(&text) {
            Ok(reference) => Some(RawSetting::Secret(reference)),
            Err(error) => {
                let what = "this must be the name of a secret, not the secret";
                reader.refuse("CON-007", value, &path, what, &error.to_string());
                None
            }
        },
        SettingKind::Whole => unreachable!("read above"),
    }
}

fn needed<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Option<String> {
    if !table.has(key) {
        missing(reader, table, key);
    }
    filled(reader, table, key)
}

/// A text that holds something.
fn filled<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Option<String> {
    let value = reader.take(table, key)?;
    let text = reader.text_value(table, key, &value)?;
    if text.is_empty() {
        reader.refuse("CON-004", &value, &join(&table.path, key), format!("{key} is empty"), DIALECT.example);
    }
    (!text.is_empty()).then_some(text)
}

fn missing(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) {
    let place = reader.place(table.start, &table.path);
    let finding = Finding::error("CON-005", format!("\"{key}\" is missing"));
    reader.findings.push(finding.at(place).help(DIALECT.example));
}

fn refuse_twins(reader: &mut Reader<'_>, connections: &[Connection]) {
    for (position, connection) in connections.iter().enumerate() {
        for earlier in &connections[..position] {
            let twin = |what: String, help: &str| {
                Finding::error("CON-006", what).at(connection.place.clone()).help(help)
            };
            if earlier.name == connection.name {
                let what = format!("the name \"{}\" is taken", connection.name);
                reader.findings.push(twin(what, "give each connection its own name"));
            }
            if (&earlier.provider, &earlier.region) == (&connection.provider, &connection.region) {
                let what = format!("\"{}\" serves the same provider and region", earlier.name);
                let help = "one connection for each provider and region; give one of them a region";
                reader.findings.push(twin(what, help));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::connections::Connections;

    fn check(text: &str, expected: &[&str]) {
        let (_, findings) = read("c.toml", text);
        let found: Vec<String> =
            findings.iter().map(|f| format!("{} {}: {}", f.code, f.place, f.summary)).collect();
        assert_eq!(found, expected, "{text}");
        assert!(findings.iter().all(|f| f.help.is_some()));
    }

    const GOOD: &str = "carafe = \"connections/1\"\n\n[[connection]]\nname = \"seoul\"\nprovider = \"ncp\"\n\
                        region = \"kr\"\ndriver = \"fake\"\ntoken = \"env:TOKEN\"\n\n\
                        [[connection]]\nname = \"rest\"\nprovider = \"ncp\"\ndriver = \"fake\"\nquota = 3\n";

    #[test]
    fn a_region_s_own_connection_goes_before_its_provider_s() {
        let (connections, findings) = read("some/c.toml", GOOD);
        assert_eq!(findings, []);
        let opened = Connections::open(&connections, &|_| Some("s".to_owned())).expect("both open");
        let driver = |provider: &str, region: &str| opened.driver(&provider.into(), &region.into());
        let (seoul, rest) = (driver("ncp", "kr").expect("named"), driver("ncp", "jp").expect("the rest"));
        assert!(!std::sync::Arc::ptr_eq(seoul, rest));
        assert!(driver("aws", "kr").is_none());
    }

    #[test]
    fn a_secret_that_is_not_set_is_told_with_its_place() {
        let (connections, _) = read("c.toml", GOOD);
        let findings = Connections::open(&connections, &|_| None).err().expect("no token");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].code, "CON-008");
        assert_eq!(findings[0].place.row, Some(3));
    }

    #[test]
    fn files_are_found_beside_the_connections_file() {
        let text = "[[connection]]\nname=\"a\"\nprovider=\"p\"\ndriver=\"fake\"\nstate=\"cloud.json\"\n";
        let (connections, findings) = read("some/c.toml", text);
        assert_eq!(findings, []);
        assert_eq!(connections[0].settings["state"], RawSetting::File("some/cloud.json".into()));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        check(
            "[[connection]]\nname = \"\"\nprovider = 3\ndriver = \"fakes\"\n\n[[conection]]\nname = \"x\"\n",
            &[
                "CON-004 c.toml, row 2, column 8, connection[0].name: name is empty",
                "CON-003 c.toml, row 3, column 12, connection[0].provider: a text in quotes is wanted, this is a whole number",
                "CON-004 c.toml, row 4, column 10, connection[0].driver: there is no driver \"fakes\"",
                "CON-002 c.toml, row 6, column 3, conection: unknown key \"conection\"",
            ],
        );
        check(
            "[[connection]]\nname=\"a\"\nprovider=\"p\"\ndriver=\"fake\"\ntoken=\"hunter2\"\nquota=-1\nstat=\"x\"\n\
             [[connection]]\nname=\"a\"\nprovider=\"p\"\ndriver=\"fake\"\n[[connection]]\n",
            &[
                "CON-007 c.toml, row 5, column 7, connection[0].token: this must be the name of a secret, not the secret",
                "CON-004 c.toml, row 6, column 7, connection[0].quota: -1 is out of range",
                "CON-002 c.toml, row 7, column 1, connection[0].stat: unknown key \"stat\"",
                "CON-006 c.toml, row 8, column 1, connection[1]: the name \"a\" is taken",
                "CON-006 c.toml, row 8, column 1, connection[1]: \"a\" serves the same provider and region",
                "CON-005 c.toml, row 12, column 1, connection[2]: \"driver\" is missing",
                "CON-005 c.toml, row 12, column 1, connection[2]: \"name\" is missing",
                "CON-005 c.toml, row 12, column 1, connection[2]: \"provider\" is missing",
            ],
        );
    }

    #[test]
    fn what_is_not_toml_or_newer_is_refused() {
        let (_, findings) = read("c.toml", "[[connection\n");
        assert!(findings.iter().all(|f| f.code == "CON-001") && !findings.is_empty());
        check(
            "carafe = \"connections/2\"\n",
            &["CON-004 c.toml, row 1, column 10, carafe: this program reads \"connections/1\" only"],
        );
        check(
            "connection = 1\n",
            &["CON-003 c.toml, row 1, column 14, connection: a list is wanted, this is a whole number"],
        );
    }
}
