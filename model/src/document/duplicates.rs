//! Parses JSON and notes keys that one object has twice: most parsers keep the last in silence.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most repeated keys that are noted; the document is refused for the first already.
const MOST: usize = 20;

/// Parses one JSON value; returns it with the path of every key that its object had before.
pub(super) fn parse(bytes: &[u8]) -> Result<(Value, Vec<Vec<String>>), serde_json::Error> {
    let mut noted = Noted { path: Vec::new(), twice: Vec::new() };
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let value = Seed(&mut noted).deserialize(&mut parser)?;
    parser.end()?;
    Ok((value, noted.twice))
}

struct Noted {
    path: Vec<String>,
    twice: Vec<Vec<String>>,
}

struct Seed<'n>(&'n mut Noted);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.0.path.push(list.len().to_string());
            let entry = entries.next_element_seed(Seed(self.0))?;
            self.0.path.pop();
            match entry {
                Some(entry) => list.push(entry),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.0.path.push(key.clone());
            if object.contains_key(&key) && self.0.twice.len() < MOST {
                self.0.twice.push(self.0.path.clone());
            }
            let value = members.next_value_seed(Seed(self.0))?;
            self.0.path.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
