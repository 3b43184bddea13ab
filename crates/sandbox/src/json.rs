//! JSON as it was written: keys in their order, doubled ones included, `1500` not the same as
//! `1500.0`. What a key or a value should be is the business of [`super::check`].

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A key and its value.
pub type Entry<'a> = (Cow<'a, str>, Node<'a>);

/// One JSON value, borrowing its strings from the body where they have no escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without point and exponent.
    Integer(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order of the text.
    Object(Vec<Entry<'a>>),
}

impl Node<'_> {
    /// What it is, for a message that must not show the value itself.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Where in the body something stands: `$.units[3].base_rent`.
#[derive(Clone, Copy)]
pub enum Place<'p> {
    /// The body itself.
    Root,
    /// A key of an object.
    Key(&'p Place<'p>, &'p str),
    /// An element of an array.
    Index(&'p Place<'p>, usize),
}

impl<'p> Place<'p> {
    /// The place of `key` in the object that stands here.
    pub fn key(&'p self, key: &'p str) -> Place<'p> {
        Place::Key(self, key)
    }

    /// The place of element `index` in the array that stands here.
    pub fn index(&'p self, index: usize) -> Place<'p> {
        Place::Index(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => write!(f, "$"),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node<'de>, E> {
        let signed = i64::try_from(value).map_err(|_| E::custom("integer beyond 64 bits"))?;
        Ok(Node::Integer(signed))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Node::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Node::Object(entries))
    }
}

/// A key; a type of its own because `Cow` by itself never borrows.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(NodeVisitor)? {
            Node::Text(name) => Ok(Name(name)),
            other => Err(D::Error::custom(format!("key is {}", other.kind()))),
        }
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(entries) => Entries(entries).serialize(serializer),
        }
    }
}

/// Entries of an object, written without spaces: equal values give equal text.
pub struct Entries<'e, 'a>(pub &'e [Entry<'a>]);

impl Entries<'_, '_> {
    /// The object's text.
    pub fn text(&self) -> String {
        // Only foreign `Serialize` types and writers can fail; neither is here.
        serde_json::to_string(self).expect("JSON that was read can be written")
    }
}

impl Serialize for Entries<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_doubled_keys_survive_reading() {
        let node: Node = serde_json::from_str(r#"{"b":1,"a":2,"b":3}"#).unwrap();
        let Node::Object(entries) = node else {
            panic!("an object was written");
        };
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
    }

    #[test]
    fn a_float_is_known_by_its_point() {
        let node: Node = serde_json::from_str("[1500, 1500.0, 15e2]").unwrap();
        assert_eq!(
            node,
            Node::Array(vec![Node::Integer(1500), Node::Float(1500.0), Node::Float(1500.0)])
        );
    }

    #[test]
    fn a_float_is_read_and_shown_to_its_last_digit() {
        // Each is one that a faster way of reading gets wrong in its last digit.
        for text in ["51.248178375505404", "93.31137037688033", "1535.3357616519465"] {
            let Node::Float(read) = serde_json::from_str(text).unwrap() else {
                panic!("a float was written");
            };
            assert_eq!(Ok(read), text.parse(), "{text}");
        }
    }

    #[test]
    fn equal_values_give_equal_text() {
        let text = |json| match serde_json::from_str(json).unwrap() {
            Node::Object(entries) => Entries(&entries).text(),
            _ => panic!("an object was written"),
        };
        assert_eq!(text(r#"{ "a" : 15e2, "b" : "\u0041" }"#), r#"{"a":1500.0,"b":"A"}"#);
    }
}
