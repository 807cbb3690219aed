//! What is said, kept as a key and arguments, beside its English words.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Language, figures};
use crate::units::{Currency, Mib, Money, Quantity, Rate};

/// A sentence as data: which one, and what stands in its holes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Which sentence, for example `reason.cheapest-offer`; the patterns are in the language files.
    pub key: String,
    /// What stands in its holes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Arg>,
}

/// What stands in a hole of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// A name or other text that is the same in every language.
    Text(String),
    /// A whole number.
    Count(u64),
    /// An amount of money.
    Money {
        /// How much.
        amount: Money,
        /// Of what.
        currency: Currency,
    },
    /// The price of a unit.
    Rate(Rate),
    /// A quantity.
    Quantity(Quantity),
    /// Memory.
    Memory(Mib),
    /// A sentence, or a part of one, with holes of its own.
    Said(Said),
    /// Several, joined as the language joins them.
    List(Vec<Arg>),
}

impl Said {
    /// A sentence without arguments yet.
    pub fn new(key: &str) -> Said {
        Said { key: key.to_owned(), args: BTreeMap::new() }
    }

    /// The same, with something in a hole.
    pub fn with(mut self, name: &str, arg: impl Into<Arg>) -> Said {
        self.args.insert(name.to_owned(), arg.into());
        self
    }

    /// The same, with an amount of money in a hole.
    pub fn money(self, name: &str, amount: Money, currency: Currency) -> Said {
        self.with(name, Arg::Money { amount, currency })
    }
}

impl Arg {
    /// In words.
    pub fn say(&self, language: Language) -> String {
        let signs = language.signs();
        match self {
            Arg::Text(text) => text.clone(),
            Arg::Count(number) => figures::count(usize::try_from(*number).unwrap_or(usize::MAX), signs),
            Arg::Money { amount, currency } => language.money(*amount, *currency),
            Arg::Rate(rate) => figures::rate(*rate, Currency::USD, signs),
            Arg::Quantity(quantity) => figures::quantity(*quantity, signs),
            Arg::Memory(memory) => figures::memory(*memory, signs),
            Arg::Said(said) => language.try_say(said).unwrap_or_else(|| said.key.clone()),
            Arg::List(items) => {
                language.list(&items.iter().map(|item| item.say(language)).collect::<Vec<_>>())
            }
        }
    }

    /// Whether a word that goes with it stands in the singular.
    pub(super) fn is_one(&self) -> bool {
        match self {
            Arg::Count(number) => *number == 1,
            Arg::Quantity(quantity) => quantity.0 == 1_000_000,
            Arg::List(items) => items.len() == 1,
            Arg::Text(_) | Arg::Money { .. } | Arg::Rate(_) | Arg::Memory(_) | Arg::Said(_) => false,
        }
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Arg {
        Arg::Text(text)
    }
}

impl From<usize> for Arg {
    fn from(number: usize) -> Arg {
        Arg::Count(number as u64)
    }
}

impl From<u32> for Arg {
    fn from(number: u32) -> Arg {
        Arg::Count(u64::from(number))
    }
}

impl From<u64> for Arg {
    fn from(number: u64) -> Arg {
        Arg::Count(number)
    }
}

impl From<Rate> for Arg {
    fn from(rate: Rate) -> Arg {
        Arg::Rate(rate)
    }
}

impl From<Quantity> for Arg {
    fn from(quantity: Quantity) -> Arg {
        Arg::Quantity(quantity)
    }
}

impl From<Mib> for Arg {
    fn from(memory: Mib) -> Arg {
        Arg::Memory(memory)
    }
}

impl From<Said> for Arg {
    fn from(said: Said) -> Arg {
        Arg::Said(said)
    }
}

impl<A: Into<Arg>> From<Vec<A>> for Arg {
    fn from(items: Vec<A>) -> Arg {
        Arg::List(items.into_iter().map(Into::into).collect())
    }
}

/// English words that remember what they say, where that is known. Documents hold the words alone; the document's
/// `sentences` hold the rest, once for each text ([`Phrasebook`]).
#[derive(Clone, Default)]
pub struct Sentence {
    text: String,
    said: Option<Box<Said>>,
}

impl Sentence {
    /// The English words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What they say, where it was made from that.
    pub fn said(&self) -> Option<&Said> {
        self.said.as_deref()
    }
}

impl From<Said> for Sentence {
    fn from(said: Said) -> Sentence {
        Sentence { text: Language::ENGLISH.say(&said), said: Some(Box::new(said)) }
    }
}

impl From<Arg> for Sentence {
    fn from(arg: Arg) -> Sentence {
        match arg {
            Arg::Said(said) => said.into(),
            other => other.say(Language::ENGLISH).into(),
        }
    }
}

impl From<String> for Sentence {
    fn from(text: String) -> Sentence {
        Sentence { text, said: None }
    }
}

impl From<&str> for Sentence {
    fn from(text: &str) -> Sentence {
        Sentence { text: text.to_owned(), said: None }
    }
}

impl From<&Sentence> for Sentence {
    fn from(sentence: &Sentence) -> Sentence {
        sentence.clone()
    }
}

impl Deref for Sentence {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Sentence {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// Two sentences are the same when their words are: what was read from a document remembers no more.
impl PartialEq for Sentence {
    fn eq(&self, other: &Sentence) -> bool {
        self.text == other.text
    }
}

impl Eq for Sentence {}

impl PartialEq<str> for Sentence {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Sentence {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl PartialEq<String> for Sentence {
    fn eq(&self, other: &String) -> bool {
        self.text == *other
    }
}

impl PartialOrd for Sentence {
    fn partial_cmp(&self, other: &Sentence) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sentence {
    fn cmp(&self, other: &Sentence) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sentence, D::Error> {
        String::deserialize(deserializer).map(Sentence::from)
    }
}

impl JsonSchema for Sentence {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sentence".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// What a text of a document says, so that it can be said in other languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidAs {
    /// The English words, as they stand in the document.
    pub text: String,
    /// What they say.
    pub said: Said,
}

/// Says the texts of a document in a language.
#[derive(Clone, Debug)]
pub struct Phrasebook<'d> {
    language: Language,
    known: BTreeMap<&'d str, &'d Said>,
}

impl<'d> Phrasebook<'d> {
    /// Of a document that holds these.
    pub fn new(language: Language, sentences: &'d [SaidAs]) -> Phrasebook<'d> {
        let known = match language {
            Language::ENGLISH => BTreeMap::new(),
            _ => sentences.iter().map(|known| (known.text.as_str(), &known.said)).collect(),
        };
        Phrasebook { language, known }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text in the language, or `None` where the document does not tell what it says.
    pub fn known(&self, text: &str) -> Option<String> {
        if self.language == Language::ENGLISH {
            return Some(text.to_owned());
        }
        self.known.get(text).and_then(|said| self.language.try_say(said))
    }

    /// The text in the language, or as it stands where the document does not tell what it says: the user's own words.
    pub fn say(&self, text: &str) -> String {
        self.known(text).unwrap_or_else(|| text.to_owned())
    }
}
