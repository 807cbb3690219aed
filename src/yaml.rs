//! YAML that tells how to log in: `clouds.yaml` of OpenStack and `kubeconfig` of Kubernetes.
//!
//! Read as texts, whatever YAML would make of them: a password of digits is a password. Aliases say nothing that is needed
//! here and are passed over.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

/// A mapping of texts and mappings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map(BTreeMap<String, Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    Map(Map),
    List(Vec<Node>),
    /// An alias.
    Other,
}

/// What is open while a file is read: a mapping with the key whose value comes next, or a list.
enum Open {
    Map(Map, Option<String>),
    List(Vec<Node>),
}

impl Map {
    /// Reads a file; an empty one is an empty mapping.
    ///
    /// # Errors
    /// Where it is no YAML. Nothing of the text is in the error, as it may be a password.
    pub(crate) fn parse(text: &str) -> Result<Map, String> {
        let mut open: Vec<Open> = Vec::new();
        let mut root = Map::default();
        for event in Parser::new_from_str(text) {
            let event = event.map_err(|error| {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                format!("it is no YAML in line {line}, column {column}")
            })?;
            let node = match event.0 {
                Event::MappingStart(..) => {
                    open.push(Open::Map(Map::default(), None));
                    continue;
                }
                Event::SequenceStart(..) => {
                    open.push(Open::List(Vec::new()));
                    continue;
                }
                Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                    Some(Open::Map(map, _)) => Node::Map(map),
                    Some(Open::List(entries)) => Node::List(entries),
                    None => Node::Other,
                },
                Event::Scalar(text, ..) => Node::Text(text.into_owned()),
                Event::Alias(_) => Node::Other,
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => continue,
            };
            match (open.last_mut(), node) {
                (Some(Open::Map(map, key)), node) => match (key.take(), node) {
                    (Some(key), node) => drop(map.0.insert(key, node)),
                    (None, Node::Text(text)) => *key = Some(text),
                    (None, Node::Map(_) | Node::List(_) | Node::Other) => *key = Some(String::new()),
                },
                (Some(Open::List(entries)), node) => entries.push(node),
                (None, Node::Map(map)) => root = map,
                (None, Node::Text(_) | Node::List(_) | Node::Other) => {}
            }
        }
        Ok(root)
    }

    /// The mapping under a key; an empty one when there is none.
    pub(crate) fn map(&self, key: &str) -> Map {
        match self.0.get(key) {
            Some(Node::Map(map)) => map.clone(),
            Some(Node::Text(_) | Node::List(_) | Node::Other) | None => Map::default(),
        }
    }

    /// The text under a key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(Node::Text(text)) if !["", "~", "null"].contains(&text.as_str()) => Some(text),
            Some(Node::Text(_) | Node::Map(_) | Node::List(_) | Node::Other) | None => None,
        }
    }

    /// The mappings of the list under a key.
    pub(crate) fn maps(&self, key: &str) -> impl Iterator<Item = &Map> {
        self.list(key).iter().filter_map(|node| match node {
            Node::Map(map) => Some(map),
            Node::Text(_) | Node::List(_) | Node::Other => None,
        })
    }

    /// The texts of the list under a key.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.list(key).iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Map(_) | Node::List(_) | Node::Other => None,
        })
    }

    fn list(&self, key: &str) -> &[Node] {
        match self.0.get(key) {
            Some(Node::List(entries)) => entries,
            Some(Node::Text(_) | Node::Map(_) | Node::Other) | None => &[],
        }
    }

    /// The keys, sorted.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The same with what another says more, or otherwise.
    #[must_use]
    pub(crate) fn with(mut self, other: Map) -> Map {
        for (key, node) in other.0 {
            let node = match (self.0.remove(&key), node) {
                (Some(Node::Map(ours)), Node::Map(theirs)) => Node::Map(ours.with(theirs)),
                (_, node) => node,
            };
            self.0.insert(key, node);
        }
        self
    }
}
