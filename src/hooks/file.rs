//! Reads `hooks.toml`: every mistake at once, each with its line, column and key.
//!
//! ```toml
//! [[hook]]
//! name = "dns"
//! when = "after wave 1"                      # or "before run", "after step aws/…/machine/web-1", …
//! command = ["./switch-dns.sh", "erp"]
//! secrets = { DNS_TOKEN = "env:DNS_TOKEN" }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::{Finding, Place};
use carafe_model::ids::StepId;
use carafe_model::steps::{Action, Call, Probe};
use carafe_model::toml_reader::{Dialect, Reader, Table, join};

use crate::drivers::secret::SecretRef;

/// What is wrong with a hooks file: code, summary, what to do.
pub const CODES: [(&str, &str, &str); 8] = [
    ("HOK-001", "not TOML", EXAMPLE),
    ("HOK-002", "unknown key", "the message names the nearest key that is known"),
    ("HOK-003", "wrong type", EXAMPLE),
    ("HOK-004", "value not allowed", "the message says what is allowed"),
    ("HOK-005", "a needed key is missing", "add the key"),
    ("HOK-006", "two have the same name", "give each its own name"),
    (
        "HOK-007",
        "a secret is written down",
        "name where it is kept: \"env:NAME\", \"file:PATH\" or \"cmd:PROGRAM ARGUMENT\"",
    ),
    (
        "HOK-008",
        "what it is attached to is not in the plan",
        "name a wave or a step of the plan; `carafe apply PLAN --dry-run` lists them",
    ),
];

const EXAMPLE: &str = "see docs/formats/hooks.md for a whole example";

static DIALECT: Dialect = Dialect {
    not_toml: "HOK-001",
    unknown_key: "HOK-002",
    wrong_type: "HOK-003",
    not_allowed: "HOK-004",
    example: EXAMPLE,
};

/// More than anybody has; a file with more is a mistake.
const MOST: usize = 1_000;
/// A day.
const LONGEST_S: u32 = 86_400;

/// When something happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before everything.
    BeforeRun,
    /// After everything.
    AfterRun,
    /// When the waves before are done, and before this one begins.
    BeforeWave(u32),
    /// When this wave is done, and before the next begins.
    AfterWave(u32),
    /// Just before a step.
    BeforeStep(StepId),
    /// Just after a step, and before what stands on it.
    AfterStep(StepId),
}

impl When {
    fn parse(text: &str) -> Option<When> {
        let mut words = text.split_whitespace();
        let before = match words.next()? {
            "before" => true,
            "after" => false,
            _ => return None,
        };
        let when = match (words.next()?, words.next()) {
            ("run", None) => {
                if before {
                    When::BeforeRun
                } else {
                    When::AfterRun
                }
            }
            ("wave", Some(number)) => {
                let wave = number.parse().ok()?;
                if before { When::BeforeWave(wave) } else { When::AfterWave(wave) }
            }
            ("step", Some(step)) => {
                let step = StepId(step.to_owned());
                if before { When::BeforeStep(step) } else { When::AfterStep(step) }
            }
            _ => return None,
        };
        words.next().is_none().then_some(when)
    }
}

/// One thing that is attached to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// When it happens.
    pub when: When,
    /// What happens: a hook, a check or an approval.
    pub action: Action,
    /// Where it stands in the file.
    pub place: Place,
}

/// Reads what is to be attached from the text of `file`. Any finding is an error, and then nothing may be begun.
pub fn read(file: &str, text: &str) -> (Vec<Attached>, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &DIALECT);
    let mut attached = Vec::new();
    if let Some(mut root) = reader.root() {
        reader.header(&mut root, "hooks/1");
        // Kinds in this order; within a kind the order of the file is the order of what happens at one place.
        for (key, read) in [("hook", hook as ReadOne), ("check", check), ("approval", approval)] {
            let Some(value) = reader.take(&mut root, key) else { continue };
            let entries = reader.array(&root, key, value).into_iter().flatten();
            for (number, entry) in entries.take(MOST).enumerate() {
                let Some(mut table) = reader.as_table(&format!("{key}[{number}]"), entry) else { continue };
                attached.extend(one(&mut reader, &mut table, read));
                reader.finish(table);
            }
        }
        reader.finish(root);
    }
    refuse_twins(&mut reader, &attached);
    reader.findings.sort_by_key(|finding| finding.place.row);
    (attached, reader.findings)
}

/// Reads what is particular to a kind of thing, given its name.
type ReadOne = for<'t> fn(&mut Reader<'t>, &mut Table<'t>, String) -> Option<Action>;

fn refuse_twins(reader: &mut Reader<'_>, attached: &[Attached]) {
    let mut names = BTreeSet::new();
    for one in attached {
        if !names.insert((one.action.kind(), one.action.name())) {
            let what = format!("there are two with the name \"{}\"", one.action.name());
            reader.findings.push(Finding::error("HOK-006", what).at(one.place.clone()).help(CODES[5].2));
        }
    }
}

fn one<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, read: ReadOne) -> Option<Attached> {
    let place = reader.place(table.start, &table.path);
    let name = needed(reader, table, "name");
    let when = needed(reader, table, "when").and_then(|text| {
        let when = When::parse(&text);
        if when.is_none() {
            let what = format!("\"{text}\" is no moment of a run");
            let path = join(&table.path, "when");
            let help = "\"before run\", \"after run\", \"before wave N\", \"after wave N\", \"before step NAME\" or \
                        \"after step NAME\"";
            let place = reader.place(table.start, &path);
            reader.findings.push(Finding::error("HOK-004", what).at(place).help(help));
        }
        when
    });
    let named = name.clone().unwrap_or_default();
    let action = read(reader, table, named)?;
    name?;
    Some(Attached { when: when?, action, place })
}

fn needed<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Option<String> {
    let there = table.has(key);
    let text = reader.string(table, key);
    if !there {
        missing(reader, table, &format!("\"{key}\" is missing"));
    }
    text
}

fn missing(reader: &mut Reader<'_>, table: &Table<'_>, what: &str) {
    let place = reader.place(table.start, &table.path);
    reader.findings.push(Finding::error("HOK-005", what).at(place).help(EXAMPLE));
}

fn command<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Option<Vec<String>> {
    let words = reader.strings(table, key)?;
    Some(words.into_iter().map(|(_, word)| word).collect())
}

fn hook<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, name: String) -> Option<Action> {
    let secrets: BTreeMap<String, String> = reader
        .string_map(table, "secrets")
        .into_iter()
        .map(|(name, (start, reference))| {
            if let Err(error) = SecretRef::parse(&reference) {
                let place = reader.place(start, &join(&table.path, "secrets"));
                let what = "this must say where a secret is kept, not the secret";
                reader.findings.push(Finding::error("HOK-007", what).at(place).help(error.to_string()));
            }
            (name, reference)
        })
        .collect();
    let method =
        reader.choice(table, "method", &METHODS.map(|method| (method, method))).unwrap_or("POST").to_owned();
    let expect = expect(reader, table);
    let by_command = |command| Call::Command { command, secrets: secrets.clone() };
    let by_url = |method: &str, url, expect| Call::Http {
        method: method.to_owned(),
        url,
        secrets: secrets.clone(),
        expect,
    };
    let run = match (command(reader, table, "command"), url(reader, table, "url")) {
        (Some(command), None) => Some(by_command(command)),
        (None, Some(url)) => Some(by_url(&method, url, expect)),
        (None, None) => {
            missing(reader, table, "\"command\" or \"url\" is missing");
            None
        }
        (Some(_), Some(_)) => {
            let place = reader.place(table.start, &table.path);
            let finding = Finding::error("HOK-004", "a hook is a command or a URL, not both");
            reader.findings.push(finding.at(place).help("make two hooks of it"));
            None
        }
    };
    let verify = match command(reader, table, "verify") {
        Some(command) => Some(by_command(command)),
        None => url(reader, table, "verify_url").map(|url| by_url("GET", url, Vec::new())),
    };
    let undo = match command(reader, table, "undo") {
        Some(command) => Some(by_command(command)),
        None => url(reader, table, "undo_url").map(|url| by_url("POST", url, Vec::new())),
    };
    let repeat = reader.boolean(table, "repeat").unwrap_or(false);
    let timeout_s = reader.integer(table, "timeout_s", 1, LONGEST_S).unwrap_or(300);
    Some(Action::Hook { name, run: run?, verify, undo, repeat, timeout_s })
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn expect<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>) -> Vec<u16> {
    let Some(value) = reader.take(table, "expect") else { return Vec::new() };
    let entries = reader.array(table, "expect", value).into_iter().flatten();
    entries
        .filter_map(|entry| reader.integer_value(table, "expect", &entry, 100, 599))
        .filter_map(|status| u16::try_from(status).ok())
        .collect()
}

fn url<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Option<String> {
    let value = reader.take(table, key)?;
    let text = reader.text_value(table, key, &value)?;
    let good = (text.starts_with("https://") || text.starts_with("http://"))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !good
        || text.split_once("//").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or("").contains('@'))
    {
        let what = "this is no URL that can be called";
        let help = "begin with https:// and put no user name or password into it";
        reader.refuse("HOK-004", &value, &join(&table.path, key), what, help);
        return None;
    }
    Some(text)
}

fn check<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, name: String) -> Option<Action> {
    let within_s = reader.integer(table, "within_s", 0, LONGEST_S).unwrap_or(600);
    let mut probes = Vec::new();
    if let Some(entries) = reader.strings(table, "tcp") {
        for (start, text) in entries {
            match split(&text, None) {
                Some((address, port)) => probes.push(Probe::Tcp { address, port }),
                None => no_port(reader, table, "tcp", start, &text),
            }
        }
    }
    for mut inner in tables(reader, table, "ssh") {
        let (address, key) = (needed(reader, &mut inner, "address"), needed(reader, &mut inner, "key"));
        if let (Some(address), Some(key)) = (address, key) {
            match split(&address, Some(22)) {
                Some((address, port)) => probes.push(Probe::SshHostKey { address, port, key }),
                None => no_port(reader, &inner, "address", inner.start, &address),
            }
        }
        reader.finish(inner);
    }
    for mut inner in tables(reader, table, "http") {
        let url = url(reader, &mut inner, "url");
        let status = reader.integer(&mut inner, "status", 100, 599).unwrap_or(200);
        if let (Some(url), Ok(status)) = (url, u16::try_from(status)) {
            probes.push(Probe::Http { url, status });
        }
        reader.finish(inner);
    }
    if probes.is_empty() {
        missing(reader, table, "a check looks at something: \"tcp\", \"ssh\" or \"http\" is missing");
        return None;
    }
    Some(Action::Check { name, probes, within_s })
}

fn tables<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, key: &'static str) -> Vec<Table<'t>> {
    let Some(value) = reader.take(table, key) else { return Vec::new() };
    let entries = reader.array(table, key, value).into_iter().flatten().enumerate();
    entries
        .filter_map(|(number, entry)| {
            reader.as_table(&format!("{}[{number}]", join(&table.path, key)), entry)
        })
        .collect()
}

/// `address:port`, with the port left out where there is one to fall back on.
fn split(text: &str, port: Option<u16>) -> Option<(String, u16)> {
    let (address, port) = match text.rsplit_once(':') {
        Some((address, digits)) if !address.contains(':') || address.starts_with('[') => {
            (address, digits.parse().ok().filter(|port| *port > 0)?)
        }
        _ => (text, port?),
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    // A leading dash would be an option to whatever is called with it.
    let good = !address.is_empty()
        && !address.starts_with('-')
        && address.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c));
    good.then(|| (address.to_owned(), port))
}

fn no_port(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, start: usize, text: &str) {
    let place = reader.place(start, &join(&table.path, key));
    let finding = Finding::error("HOK-004", format!("\"{text}\" is no address with a port"));
    reader.findings.push(finding.at(place).help("for example erp.example.com:443"));
}

fn approval<'t>(reader: &mut Reader<'t>, table: &mut Table<'t>, name: String) -> Option<Action> {
    let text = needed(reader, table, "text")?;
    Some(Action::Approval { name, text })
}
