//! Takes values out of a TOML tree, key by key, and keeps what is wrong with each of them.
//!
//! A value that is asked for and not there is `None` in silence; one that is there and wrong is `None` with a finding.
//! What nobody asked for is an unknown key, which [`Reader::finish`] reports. Every TOML file of Carafe's own is walked
//! by this one reader; a [`Dialect`] says by which codes its mistakes are told.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::finding::{Finding, Place, nearest};
use crate::language::Sentence;
use crate::units::clip;

/// By which codes the mistakes of a kind of file are told, and where its example is.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The text is not TOML.
    pub not_toml: &'static str,
    /// A key that nobody asked for.
    pub unknown_key: &'static str,
    /// A value of another type.
    pub wrong_type: &'static str,
    /// A value that is not allowed.
    pub not_allowed: &'static str,
    /// Where to see how it is done, in a few words.
    pub example: &'static str,
}

/// A file that is being read, and what was found so far.
pub struct Reader<'t> {
    /// How findings call the file.
    pub file: &'t str,
    dialect: &'static Dialect,
    text: &'t str,
    /// What was found so far.
    pub findings: Vec<Finding>,
}

/// A table some of whose keys are read already.
pub struct Table<'t> {
    /// Dotted key of the table; empty for the root.
    pub path: String,
    /// Where it starts in the text.
    pub start: usize,
    left: BTreeMap<String, (usize, Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl Table<'_> {
    /// Whether a key is there and was not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }
}

/// A value with its place in the text.
pub type Value<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'t> {
    /// Begins to read the text of `file`.
    pub fn new(file: &'t str, text: &'t str, dialect: &'static Dialect) -> Reader<'t> {
        Reader { file, dialect, text, findings: Vec::new() }
    }

    /// The whole file as a table; `None` with findings when it is not TOML.
    pub fn root(&mut self) -> Option<Table<'t>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let place = self.place(error.span().map_or(0, |span| span.start), "");
            self.findings.push(
                Finding::error(self.dialect.not_toml, format!("not TOML: {}", clip(error.message())))
                    .at(place)
                    .help(self.dialect.example),
            );
        }
        errors.is_empty().then(|| self.table("", 0, root.into_inner()))
    }

    /// Reads the first field of a document, which says its version; without it the version is this one.
    pub fn header(&mut self, root: &mut Table<'t>, expected: &str) {
        let Some(value) = self.take(root, "carafe") else { return };
        if self.text_value(root, "carafe", &value).is_some_and(|header| header != expected) {
            let what = format!("this program reads \"{expected}\" only");
            let help = "install the Carafe this file was written for";
            self.refuse(self.dialect.not_allowed, &value, "carafe", what, help);
        }
    }

    /// Reads a table below a key, if it is there, to its end.
    pub fn section(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
        read: impl FnOnce(&mut Self, &mut Table<'t>),
    ) {
        let Some(value) = self.take(table, key) else { return };
        let path = join(&table.path, key);
        let Some(mut section) = self.as_table(&path, value) else { return };
        read(self, &mut section);
        self.finish(section);
    }

    /// A table of which nothing is read yet.
    pub fn table(&self, path: &str, start: usize, table: DeTable<'t>) -> Table<'t> {
        let left = table
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), (key.span().start, value)))
            .collect();
        Table { path: path.to_owned(), start, left, known: Vec::new() }
    }

    /// A value that must be a table.
    pub fn as_table(&mut self, path: &str, value: Value<'t>) -> Option<Table<'t>> {
        let start = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Some(self.table(path, start, table)),
            other => {
                self.wrong_type(start, path, "a table", &other);
                None
            }
        }
    }

    /// Reports the keys that nothing asked for.
    pub fn finish(&mut self, table: Table<'t>) {
        for (key, (start, _)) in &table.left {
            let known = table.known.iter().copied();
            let help = match nearest(key, known.clone()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
            };
            let place = self.place(*start, &join(&table.path, key));
            let what = format!("unknown key \"{}\"", clip(key));
            self.findings.push(Finding::error(self.dialect.unknown_key, what).at(place).help(help));
        }
    }

    /// Takes the value of a key as it is.
    pub fn take(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<Value<'t>> {
        table.known.push(key);
        table.left.remove(key).map(|(_, value)| value)
    }

    /// A text.
    pub fn string(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<String> {
        let value = self.take(table, key)?;
        self.text_value(table, key, &value)
    }

    /// A value that must be a text.
    pub fn text_value(&mut self, table: &Table<'t>, key: &str, value: &Value<'t>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => {
                self.wrong_type(value.span().start, &join(&table.path, key), "a text in quotes", other);
                None
            }
        }
    }

    /// True or false.
    pub fn boolean(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<bool> {
        let value = self.take(table, key)?;
        match value.get_ref() {
            DeValue::Boolean(choice) => Some(*choice),
            other => {
                self.wrong_type(value.span().start, &join(&table.path, key), "true or false", other);
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn integer(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
        least: u32,
        most: u32,
    ) -> Option<u32> {
        let value = self.take(table, key)?;
        self.integer_value(table, key, &value, least, most)
    }

    /// A value that must be a whole number within bounds.
    pub fn integer_value(
        &mut self,
        table: &Table<'t>,
        key: &str,
        value: &Value<'t>,
        least: u32,
        most: u32,
    ) -> Option<u32> {
        let path = join(&table.path, key);
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(value.span().start, &path, "a whole number", value.get_ref());
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let allowed = number.filter(|number| (least..=most).contains(number));
        if allowed.is_none() {
            let what = format!("{} is out of range", clip(integer.as_str()));
            self.refuse(
                self.dialect.not_allowed,
                value,
                &path,
                what,
                &format!("a whole number from {least} to {most}"),
            );
        }
        allowed
    }

    /// A decimal written as a number or, so that nothing rounds it, in quotes.
    pub fn decimal<D: std::str::FromStr<Err = crate::units::DecimalError>>(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
    ) -> Option<D> {
        self.decimal_at(table, key).map(|(_, decimal)| decimal)
    }

    /// The same, with where it starts.
    pub fn decimal_at<D: std::str::FromStr<Err = crate::units::DecimalError>>(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
    ) -> Option<(usize, D)> {
        let value = self.take(table, key)?;
        let path = join(&table.path, key);
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            DeValue::Float(float) => float.as_str().to_owned(),
            other => {
                self.wrong_type(value.span().start, &path, "a decimal number", other);
                return None;
            }
        };
        match text.parse() {
            Ok(decimal) => Some((value.span().start, decimal)),
            Err(error) => {
                self.refuse(
                    self.dialect.not_allowed,
                    &value,
                    &path,
                    format!("\"{}\": {error}", clip(&text)),
                    "for example 12.5",
                );
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<C: Copy>(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
        choices: &[(&str, C)],
    ) -> Option<C> {
        let value = self.take(table, key)?;
        let text = self.text_value(table, key, &value)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let what = format!("\"{}\" is not a choice", clip(&text));
            self.refuse(
                self.dialect.not_allowed,
                &value,
                &join(&table.path, key),
                what,
                &format!("one of {}", names.join(", ")),
            );
        }
        found
    }

    /// A text that has to be read further.
    pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
    ) -> Option<T> {
        let value = self.take(table, key)?;
        let text = self.text_value(table, key, &value)?;
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let what = format!("\"{}\" is not allowed", clip(&text));
                self.refuse(
                    self.dialect.not_allowed,
                    &value,
                    &join(&table.path, key),
                    what,
                    &error.to_string(),
                );
                None
            }
        }
    }

    /// A table of texts under keys of its own, each with where it starts.
    pub fn string_map(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
    ) -> BTreeMap<String, (usize, String)> {
        let Some(value) = self.take(table, key) else { return BTreeMap::new() };
        let path = join(&table.path, key);
        let Some(inner) = self.as_table(&path, value) else { return BTreeMap::new() };
        let mut texts = BTreeMap::new();
        for (name, (start, value)) in &inner.left {
            if let Some(text) = self.text_value(&inner, name, value) {
                texts.insert(name.clone(), (*start, text));
            }
        }
        texts
    }

    /// A list of texts, each with where it starts; an empty list is refused, because it would allow nothing.
    pub fn strings(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<Vec<(usize, String)>> {
        let value = self.take(table, key)?;
        let path = join(&table.path, key);
        let start = value.span().start;
        let entries = self.array(table, key, value)?;
        let mut texts = Vec::new();
        for entry in &entries {
            match entry.get_ref() {
                DeValue::String(text) => texts.push((entry.span().start, text.to_string())),
                other => self.wrong_type(entry.span().start, &path, "a text in quotes", other),
            }
        }
        if entries.is_empty() {
            let place = self.place(start, &path);
            self.findings.push(
                Finding::error(self.dialect.not_allowed, "an empty list would allow nothing")
                    .at(place)
                    .help("leave the key out to allow everything"),
            );
        }
        Some(texts)
    }

    /// A value that must be a list.
    pub fn array(&mut self, table: &Table<'t>, key: &str, value: Value<'t>) -> Option<DeArray<'t>> {
        let start = value.span().start;
        match value.into_inner() {
            DeValue::Array(entries) => Some(entries),
            other => {
                self.wrong_type(start, &join(&table.path, key), "a list", &other);
                None
            }
        }
    }

    /// Reports a value of another type.
    pub fn wrong_type(&mut self, start: usize, path: &str, wanted: &str, found: &DeValue<'t>) {
        let what = format!("{wanted} is wanted, this is {}", kind(found));
        let place = self.place(start, path);
        self.findings
            .push(Finding::error(self.dialect.wrong_type, what).at(place).help(self.dialect.example));
    }

    /// Reports a value that is not allowed.
    pub fn refuse(
        &mut self,
        code: &str,
        value: &Value<'t>,
        path: &str,
        what: impl Into<Sentence>,
        help: &str,
    ) {
        let place = self.place(value.span().start, path);
        self.findings.push(Finding::error(code, what).at(place).help(help));
    }

    /// Where a byte of the text stands, with the key that is read there.
    pub fn place(&self, start: usize, path: &str) -> Place {
        let before = &self.text.as_bytes()[..start.min(self.text.len())];
        let row = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(line).chars().count() + 1;
        let place =
            Place::file(self.file).row(u32::try_from(row).unwrap_or(u32::MAX)).column(column.to_string());
        if path.is_empty() { place } else { place.at(path) }
    }
}

/// The dotted path of a key.
pub fn join(path: &str, key: &str) -> String {
    let key = clip(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
