//! Objects, arrays and values: what is there, in which order, of which kind. Knows no format.

use std::fmt::Display;

use super::super::json::{Entry, Node, Place};
use super::super::received::{Digest, PropertyId, ReceivedDigest};
use super::super::refusal::Refusal;

/// What was read, or why not.
pub type Checked<T> = Result<T, Refusal>;

/// What stands in a field. Only ids and `Decided` are never null.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A unit's id.
    Id,
    /// A property's id.
    Property,
    /// A boolean that is always known.
    Decided,
    /// A string.
    Text,
    /// A number without a point.
    Integer,
    /// A number with a point.
    Float,
    /// A boolean.
    Bool,
}

impl Kind {
    /// The value at `place` is of this kind.
    pub fn check(self, node: &Node, place: &Place) -> Checked<()> {
        if self.takes(node) {
            return Ok(());
        }
        wrong(place, format!("is {}; expected {}", node.kind(), self.expected()))
    }

    fn takes(self, node: &Node) -> bool {
        match (self, node) {
            (Self::Id | Self::Property | Self::Integer, Node::Integer(_))
            | (Self::Decided | Self::Bool, Node::Bool(_))
            | (Self::Text, Node::Text(_))
            | (Self::Float, Node::Float(_))
            | (Self::Text | Self::Integer | Self::Float | Self::Bool, Node::Null) => true,
            (Self::Property, Node::Text(id)) => !id.is_empty(),
            _ => false,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Id => "an integer",
            Self::Property => "an integer or a string that is not empty",
            Self::Decided => "true or false",
            Self::Text => "a string or null",
            Self::Integer => "an integer or null",
            Self::Float => "a number with a point (1500.0) or null",
            Self::Bool => "true, false or null",
        }
    }
}

/// An object that has the expected keys, each once and in order.
#[derive(Clone, Copy)]
pub struct Object<'n, 'a, 'p> {
    entries: &'n [Entry<'a>],
    place: &'p Place<'p>,
}

impl<'n, 'a, 'p> Object<'n, 'a, 'p> {
    /// Exactly these keys, in this order.
    pub fn with(node: &'n Node<'a>, place: &'p Place<'p>, keys: &[&str]) -> Checked<Self> {
        let entries = entries(node, place)?;
        keys_are(entries, place, keys)?;
        Ok(Self { entries, place })
    }

    /// The value of one of its keys, read by `reader`.
    pub fn read<T>(&self, key: &str, reader: impl FnOnce(&'n Node<'a>, &Place) -> Checked<T>) -> Checked<T> {
        reader(value(self.entries, key), &self.place.key(key))
    }

    /// Its values beside their keys' kinds.
    pub fn typed(&self, kinds: &[(&str, Kind)]) -> Checked<()> {
        kinds
            .iter()
            .try_for_each(|(key, kind)| self.read(key, |node, place| kind.check(node, place)))
    }

    /// Its entries, in order.
    pub fn entries(&self) -> &'n [Entry<'a>] {
        self.entries
    }
}

/// Exactly these keys, in this order; else the first thing that is wrong, worst first.
pub fn keys_are(entries: &[Entry], place: &Place, keys: &[&str]) -> Checked<()> {
    let found = || entries.iter().map(|(key, _)| key.as_ref());
    if found().eq(keys.iter().copied()) {
        return Ok(());
    }
    let found: Vec<_> = found().collect();
    for (index, key) in found.iter().enumerate() {
        if !keys.contains(key) {
            return wrong(
                &place.key(key),
                format!("is an unknown key; expected only {}", keys.join(", ")),
            );
        }
        if found[..index].contains(key) {
            return wrong(&place.key(key), "appears twice; expected each key once");
        }
    }
    if let Some(missing) = keys.iter().find(|key| !found.contains(key)) {
        return wrong(&place.key(missing), format!("is missing; expected {}", keys.join(", ")));
    }
    let (early, due) = found
        .iter()
        .zip(keys)
        .find(|(found, due)| found != due)
        .expect("the same keys in another order differ somewhere");
    wrong(
        &place.key(early),
        format!("stands where {due} should; expected the order {}", keys.join(", ")),
    )
}

/// The value of a key; null where it is not there.
pub fn value<'n, 'a>(entries: &'n [Entry<'a>], key: &str) -> &'n Node<'a> {
    entries
        .iter()
        .find(|(found, _)| found == key)
        .map_or(&Node::Null, |(_, value)| value)
}

/// Whether a key is there.
pub fn has(entries: &[Entry], key: &str) -> bool {
    entries.iter().any(|(found, _)| found == key)
}

/// What an object consists of.
pub fn entries<'n, 'a>(node: &'n Node<'a>, place: &Place) -> Checked<&'n [Entry<'a>]> {
    match node {
        Node::Object(entries) => Ok(entries),
        other => wrong(place, format!("is {}; expected an object", other.kind())),
    }
}

/// Every element of an array, read by `read`.
pub fn each<'n, 'a, T>(
    node: &'n Node<'a>,
    place: &Place,
    mut read: impl FnMut(&'n Node<'a>, &Place) -> Checked<T>,
) -> Checked<Vec<T>> {
    match node {
        Node::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| read(element, &place.index(index)))
            .collect(),
        other => wrong(place, format!("is {}; expected an array", other.kind())),
    }
}

/// A string.
pub fn string<'n>(node: &'n Node, place: &Place) -> Checked<&'n str> {
    match node {
        Node::Text(text) => Ok(text),
        other => wrong(place, format!("is {}; expected a string", other.kind())),
    }
}

/// A string or nothing.
pub fn optional_string(node: &Node, place: &Place) -> Checked<Option<String>> {
    match node {
        Node::Null => Ok(None),
        Node::Text(text) => Ok(Some(text.to_string())),
        other => wrong(place, format!("is {}; expected a string or null", other.kind())),
    }
}

/// A number without a point.
pub fn integer(node: &Node, place: &Place) -> Checked<i64> {
    match node {
        Node::Integer(value) => Ok(*value),
        other => wrong(place, format!("is {}; expected an integer", other.kind())),
    }
}

/// What a property is known by.
pub fn property_id(node: &Node, place: &Place) -> Checked<PropertyId> {
    Kind::Property.check(node, place)?;
    match node {
        Node::Text(id) => Ok(PropertyId::Text(id.to_string())),
        other => integer(other, place).map(PropertyId::Integer),
    }
}

/// A number from 1.
pub fn positive(node: &Node, place: &Place) -> Checked<i64> {
    match integer(node, place)? {
        value if value > 0 => Ok(value),
        value => wrong(place, format!("is {value}; expected a positive integer")),
    }
}

/// One of these words.
pub fn one_of<'n>(node: &'n Node, place: &Place, allowed: &[&str]) -> Checked<&'n str> {
    let text = string(node, place)?;
    if allowed.contains(&text) {
        return Ok(text);
    }
    wrong(place, format!("is {text:?}; expected {}", allowed.join(" or ")))
}

/// A SHA-256 value in hex.
pub fn digest(node: &Node, place: &Place) -> Checked<Digest> {
    let text = string(node, place)?;
    let mut bytes = Digest::default();
    if is_lowercase_hex(text) && hex::decode_to_slice(text, &mut bytes).is_ok() {
        return Ok(bytes);
    }
    wrong(place, "is no SHA-256; expected 64 lowercase hex digits")
}

/// A digest, or `null` while none would be true.
pub fn received_digest(node: &Node, place: &Place) -> Checked<ReceivedDigest> {
    match node {
        Node::Null => Ok(ReceivedDigest::Null),
        node => digest(node, place).map(ReceivedDigest::Is),
    }
}

/// Only the sixteen digits as we write them.
pub fn is_lowercase_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The refusal of what stands at `place`.
pub fn wrong<T>(place: &impl Display, what: impl Display) -> Checked<T> {
    Err(Refusal::breach(place, what))
}
