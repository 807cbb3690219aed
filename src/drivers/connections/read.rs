//! From the text of `connections.toml` to connections, with every mistake and its place.
//!
//! Walked by hand for the same reason as the policy: a derived reader stops at its first mistake.

use std::collections::BTreeMap;
use std::path::Path;

use carafe_model::finding::{Finding, Place, nearest};
use carafe_model::ids::{ProviderName, RegionName};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{DRIVERS, DriverEntry, Kind, entry};
use super::{Connection, Limits, RawSetting, Setting, SettingKind};
use crate::drivers::secret::SecretRef;

/// More connections than anybody has; a file with more is a mistake.
const MOST_CONNECTIONS: usize = 1_000;

const OWN_KEYS: [&str; 7] =
    ["name", "provider", "region", "driver", "calls_at_once", "calls_per_second", "limits"];
const EXAMPLE: &str = "see docs/formats/connections.md for a whole example";

/// Reads connections from the text of `file`. Any finding is an error, and then nothing may be opened.
pub fn read(file: &str, text: &str) -> (Vec<Connection>, Vec<Finding>) {
    let mut reader = Reader { file, text, findings: Vec::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let start = error.span().map_or(0, |span| span.start);
        reader.refuse("CON-001", start, "", format!("not TOML: {}", clip(error.message())), EXAMPLE);
    }
    let mut connections = Vec::new();
    if errors.is_empty() {
        reader.root(root.into_inner(), &mut connections);
        reader.refuse_twins(&connections);
    }
    reader.findings.sort_by_key(|finding| finding.place.row);
    (connections, reader.findings)
}

type Value<'t> = Spanned<DeValue<'t>>;

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    findings: Vec<Finding>,
}

/// The keys of one connection that are not read yet, each with where it and its value stand.
struct Entry<'t> {
    path: String,
    start: usize,
    left: BTreeMap<String, (usize, Value<'t>)>,
}

impl<'t> Reader<'t> {
    fn root(&mut self, root: DeTable<'t>, connections: &mut Vec<Connection>) {
        for (key, value) in root {
            let start = key.span().start;
            match key.get_ref().as_ref() {
                "connection" => self.connections(value, connections),
                "carafe" if matches!(value.get_ref(), DeValue::String(text) if text == "connections/1") => {}
                "carafe" => self.refuse(
                    "CON-004",
                    value.span().start,
                    "carafe",
                    "this program reads \"connections/1\" only".to_owned(),
                    "install the Carafe this file was written for",
                ),
                unknown => self.unknown_key(start, "", unknown, &["connection", "carafe"]),
            }
        }
    }

    fn connections(&mut self, value: Value<'t>, connections: &mut Vec<Connection>) {
        let start = value.span().start;
        let DeValue::Array(entries) = value.into_inner() else {
            return self.refuse(
                "CON-003",
                start,
                "connection",
                "a list of tables is wanted".to_owned(),
                "begin each connection with [[connection]]",
            );
        };
        if entries.len() > MOST_CONNECTIONS {
            let what = format!("{} connections are more than are read", entries.len());
            return self.refuse("CON-004", start, "connection", what, &format!("at most {MOST_CONNECTIONS}"));
        }
        for (place, entry) in entries.into_iter().enumerate() {
            let path = format!("connection[{place}]");
            let start = entry.span().start;
            let DeValue::Table(table) = entry.into_inner() else {
                self.refuse("CON-003", start, &path, "a table is wanted".to_owned(), EXAMPLE);
                continue;
            };
            let left = table
                .into_iter()
                .map(|(key, value)| (key.get_ref().to_string(), (key.span().start, value)))
                .collect();
            if let Some(connection) = self.connection(Entry { path, start, left }) {
                connections.push(connection);
            }
        }
    }

    /// `None` when something that nothing works without is missing; then a finding says so.
    fn connection(&mut self, mut entry: Entry<'t>) -> Option<Connection> {
        let place = self.place(entry.start, &entry.path);
        let name = self.needed_text(&mut entry, "name");
        let provider = self.needed_text(&mut entry, "provider");
        let region = self.text(&mut entry, "region");
        let driver = self.driver(&mut entry);
        let limits = self.limits(&mut entry);
        let mut settings = BTreeMap::new();
        let known: &[Setting] = driver.map_or(&[], |driver| driver.settings);
        for setting in known {
            match entry.left.remove(setting.name) {
                Some((_, value)) => {
                    if let Some(value) = self.setting(&entry.path, setting, &value) {
                        settings.insert(setting.name, value);
                    }
                }
                None if setting.required => self.missing(&entry, setting.name),
                None => {}
            }
        }
        // Without a driver nobody can say which of the other keys are its settings.
        if driver.is_some() {
            let names: Vec<&str> =
                OWN_KEYS.into_iter().chain(known.iter().map(|setting| setting.name)).collect();
            for (key, (start, _)) in &entry.left {
                self.unknown_key(*start, &entry.path, key, &names);
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

    fn limits(&mut self, entry: &mut Entry<'t>) -> Limits {
        let mut limits = Limits {
            at_once: self.limit(entry, "calls_at_once"),
            per_second: self.limit(entry, "calls_per_second"),
            kinds: BTreeMap::new(),
        };
        let Some((_, value)) = entry.left.remove("limits") else { return limits };
        let (start, path) = (value.span().start, format!("{}.limits", entry.path));
        let DeValue::Table(table) = value.into_inner() else {
            let what = "a table of kinds of resources and numbers is wanted".to_owned();
            self.refuse("CON-003", start, &path, what, "for example limits = { machine = 4 }");
            return limits;
        };
        let left = table
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), (key.span().start, value)))
            .collect();
        let mut inner = Entry { path: path.clone(), start, left };
        for kind in Kind::ALL {
            if let Some(limit) = self.limit(&mut inner, kind.name()) {
                limits.kinds.insert(kind, limit);
            }
        }
        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        for (key, (start, _)) in &inner.left {
            self.unknown_key(*start, &path, key, &names);
        }
        limits
    }

    fn limit(&mut self, entry: &mut Entry<'t>, key: &str) -> Option<u32> {
        let (_, value) = entry.left.remove(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => u32::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        let allowed = number.filter(|number| (1..=10_000).contains(number));
        if allowed.is_none() {
            let path = format!("{}.{key}", entry.path);
            let what = format!("{key} is no number of calls");
            self.refuse("CON-004", value.span().start, &path, what, "a whole number from 1 to 10000");
        }
        allowed
    }

    fn driver(&mut self, table: &mut Entry<'t>) -> Option<&'static DriverEntry> {
        let start = table.left.get("driver").map(|(_, value)| value.span().start);
        let name = self.needed_text(table, "driver")?;
        let driver = entry(&name);
        if driver.is_none() {
            let known = || DRIVERS.iter().map(|driver| driver.name);
            let help = match nearest(&name, known()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("one of {}", known().collect::<Vec<_>>().join(", ")),
            };
            let path = format!("{}.driver", table.path);
            let what = format!("there is no driver \"{}\"", clip(&name));
            self.refuse("CON-004", start.unwrap_or(table.start), &path, what, &help);
        }
        driver
    }

    fn setting(&mut self, path: &str, setting: &Setting, value: &Value<'t>) -> Option<RawSetting> {
        let start = value.span().start;
        let path = format!("{path}.{}", setting.name);
        match (setting.kind, value.get_ref()) {
            (SettingKind::Text, DeValue::String(text)) => Some(RawSetting::Text(text.to_string())),
            (SettingKind::File, DeValue::String(text)) if !text.is_empty() => {
                let folder = Path::new(self.file).parent().unwrap_or(Path::new(""));
                Some(RawSetting::File(folder.join(text.as_ref())))
            }
            (SettingKind::File, DeValue::String(_)) => {
                self.refuse("CON-004", start, &path, "a path is empty".to_owned(), "name a file");
                None
            }
            (SettingKind::Secret, DeValue::String(text)) => match SecretRef::parse(text) {
                Ok(reference) => Some(RawSetting::Secret(reference)),
                Err(error) => {
                    self.refuse(
                        "CON-007",
                        start,
                        &path,
                        "this must be the name of a secret, not the secret".to_owned(),
                        &error.to_string(),
                    );
                    None
                }
            },
            (SettingKind::Whole, DeValue::Integer(integer)) => {
                let whole = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
                if whole.is_none() {
                    let what = format!("{} is out of range", clip(integer.as_str()));
                    self.refuse("CON-004", start, &path, what, "a whole number from 0");
                }
                whole.map(RawSetting::Whole)
            }
            (SettingKind::Text | SettingKind::File | SettingKind::Secret, _) => {
                self.refuse(
                    "CON-003",
                    start,
                    &path,
                    "a text in quotes is wanted".to_owned(),
                    setting.summary,
                );
                None
            }
            (SettingKind::Whole, _) => {
                self.refuse("CON-003", start, &path, "a whole number is wanted".to_owned(), setting.summary);
                None
            }
        }
    }

    fn needed_text(&mut self, entry: &mut Entry<'t>, key: &str) -> Option<String> {
        if !entry.left.contains_key(key) {
            self.missing(entry, key);
        }
        self.text(entry, key)
    }

    fn text(&mut self, entry: &mut Entry<'t>, key: &str) -> Option<String> {
        let (_, value) = entry.left.remove(key)?;
        let path = format!("{}.{key}", entry.path);
        let start = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
            DeValue::String(_) => {
                self.refuse("CON-004", start, &path, format!("{key} is empty"), EXAMPLE);
                None
            }
            _ => {
                self.refuse("CON-003", start, &path, "a text in quotes is wanted".to_owned(), EXAMPLE);
                None
            }
        }
    }

    fn refuse_twins(&mut self, connections: &[Connection]) {
        for (position, connection) in connections.iter().enumerate() {
            for earlier in &connections[..position] {
                let place = || connection.place.clone();
                if earlier.name == connection.name {
                    let what = format!("the name \"{}\" is taken", clip(&connection.name));
                    self.findings.push(
                        Finding::error("CON-006", what).at(place()).help("give each connection its own name"),
                    );
                }
                if (&earlier.provider, &earlier.region) == (&connection.provider, &connection.region) {
                    let what = format!("\"{}\" serves the same provider and region", clip(&earlier.name));
                    self.findings.push(
                        Finding::error("CON-006", what)
                            .at(place())
                            .help("one connection for each provider and region; give one of them a region"),
                    );
                }
            }
        }
    }

    fn missing(&mut self, entry: &Entry<'t>, key: &str) {
        self.refuse("CON-005", entry.start, &entry.path, format!("\"{key}\" is missing"), EXAMPLE);
    }

    fn unknown_key(&mut self, start: usize, path: &str, key: &str, known: &[&str]) {
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let path = if path.is_empty() { clip(key) } else { format!("{path}.{}", clip(key)) };
        self.refuse("CON-002", start, &path, format!("unknown key \"{}\"", clip(key)), &help);
    }

    fn refuse(&mut self, code: &str, start: usize, path: &str, what: String, help: &str) {
        let place = self.place(start, path);
        self.findings.push(Finding::error(code, what).at(place).help(help));
    }

    fn place(&self, start: usize, path: &str) -> Place {
        let before = &self.text.as_bytes()[..start.min(self.text.len())];
        let row = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(line).chars().count() + 1;
        let place =
            Place::file(self.file).row(u32::try_from(row).unwrap_or(u32::MAX)).column(column.to_string());
        if path.is_empty() { place } else { place.at(path) }
    }
}

/// The first characters of a text from outside, so that a message stays a line.
fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut clipped: String = text.chars().take(LONGEST).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
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
                "CON-003 c.toml, row 3, column 12, connection[0].provider: a text in quotes is wanted",
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
                "CON-005 c.toml, row 12, column 1, connection[2]: \"name\" is missing",
                "CON-005 c.toml, row 12, column 1, connection[2]: \"provider\" is missing",
                "CON-005 c.toml, row 12, column 1, connection[2]: \"driver\" is missing",
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
            &["CON-003 c.toml, row 1, column 14, connection: a list of tables is wanted"],
        );
    }
}
