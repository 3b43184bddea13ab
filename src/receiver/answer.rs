//! What a receiver says beside its status: stale numbering, unit errors, digests.
//!
//! A receiver may say anything. What is not as the contract has it is passed over, and what is kept is bounded: in bytes
//! read, in entries, in characters of each. Its words are not among that: they may be anybody's name.

use std::fmt;
use std::marker::PhantomData;

use reqwest::Response;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

const ENTRIES_MAX: usize = 10_000;
const MESSAGE_CHARS_MAX: usize = 200;
const IDENTIFIER_CHARS_MAX: usize = 200;

/// What the receiver said that the relay acts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its digest of the property: 64 hexadecimal digits, small letters.
    pub property_digest: Option<String>,
    /// The units that it doesn't take.
    pub errors: Vec<UnitError>,
    /// Of a batch: properties for which it has seen a newer sequence, and which.
    pub stale: Vec<(String, i64)>,
    /// Of a batch: properties and its digests of them.
    pub properties: Vec<(String, String)>,
}

/// A unit that the receiver doesn't take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    /// The property, where it was said, as it was said.
    pub project_id: Option<String>,
    /// The unit.
    pub unit_id: i64,
}

/// How the reading of a body ended.
pub(super) enum Ended {
    /// With the body's end.
    Whole,
    /// At the limit.
    Cut,
    /// Before either.
    Broken(reqwest::Error),
}

/// The answer's body up to a limit.
pub(super) async fn read(mut response: Response, bytes_max: usize) -> (Vec<u8>, Ended) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body, Ended::Whole),
            Err(error) => return (body, Ended::Broken(error)),
        }
        if body.len() > bytes_max {
            body.truncate(bytes_max);
            return (body, Ended::Cut);
        }
    }
}

/// What a whole body of this status says: all of it for a success, the unit errors for a refusal, else nothing.
/// Beside it the newest sequence that the receiver has, where it has seen a newer one.
pub(super) fn parse(status: u16, body: &[u8]) -> (Said, Option<i64>) {
    let is_success = (200..300).contains(&status);
    if !is_success && !(400..500).contains(&status) {
        return (Said::default(), None);
    }
    let Some(parts) = parts(body) else {
        return (Said::default(), None);
    };
    let errors = list(parts.errors, UnitErrorSaid::into_error);
    if !is_success {
        let said = Said {
            errors,
            ..Said::default()
        };
        return (said, None);
    }
    let said = Said {
        property_digest: one(parts.property_digest).filter(|digest: &String| is_digest(digest)),
        errors,
        stale: list(parts.stale, StaleSaid::into_pair),
        properties: list(parts.properties, PropertySaid::into_pair),
    };
    let is_stale = one::<String>(parts.status).is_some_and(|status| status == "stale");
    // That it is stale is what matters: it is not delivered, whatever the number looks like.
    let newest = one::<Value>(parts.sequence).and_then(|said| number(&said)).unwrap_or(0);
    (said, is_stale.then_some(newest))
}

/// What an answer that was kept with its attempt says about one unit, if it is whole and says anything.
pub(crate) fn message_about(answer: &str, unit_id: i64) -> Option<String> {
    let about = |said: UnitErrorSaid| (number(&said.unit_id)? == unit_id).then(|| message(said.message));
    let messages = list(parts(answer.as_bytes())?.errors, about);
    messages.into_iter().find(|message| !message.is_empty())
}

fn parts(body: &[u8]) -> Option<Parts<'_>> {
    // Some put a byte order mark before it.
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

/// The body's members, each to be read by itself: one that is wrong takes nothing else along.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    sequence: Option<&'a RawValue>,
    #[serde(borrow)]
    property_digest: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    stale: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct UnitErrorSaid {
    #[serde(alias = "property_id", default)]
    project_id: Value,
    unit_id: Value,
    #[serde(default)]
    message: Value,
}

#[derive(Deserialize)]
struct StaleSaid {
    #[serde(alias = "property_id")]
    project_id: Value,
    #[serde(default)]
    sequence: Value,
}

#[derive(Deserialize)]
struct PropertySaid {
    #[serde(alias = "property_id")]
    project_id: Value,
    property_digest: String,
}

impl UnitErrorSaid {
    fn into_error(self) -> Option<UnitError> {
        let project_id = match self.project_id {
            Value::Null => None,
            said => Some(identifier(said)?),
        };
        Some(UnitError {
            project_id,
            unit_id: number(&self.unit_id)?,
        })
    }
}

impl StaleSaid {
    fn into_pair(self) -> Option<(String, i64)> {
        Some((identifier(self.project_id)?, number(&self.sequence).unwrap_or(0)))
    }
}

impl PropertySaid {
    fn into_pair(self) -> Option<(String, String)> {
        let digest = Some(self.property_digest).filter(|digest| is_digest(digest))?;
        Some((identifier(self.project_id)?, digest))
    }
}

fn one<T: DeserializeOwned>(part: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

fn list<S: DeserializeOwned, T>(part: Option<&RawValue>, understand: impl Fn(S) -> Option<T>) -> Vec<T> {
    let entries: Option<Entries<S>> = part.and_then(|part| serde_json::from_str(part.get()).ok());
    let entries = entries.map_or(Vec::new(), |entries| entries.0);
    entries.into_iter().filter_map(understand).collect()
}

/// A number, or text that is not beyond all bounds.
fn identifier(said: Value) -> Option<String> {
    match said {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::String(text) if is_identifier(&text) => Some(text),
        _ => None,
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= IDENTIFIER_CHARS_MAX && !text.contains('\0')
}

fn message(said: Value) -> String {
    let text = match said {
        Value::Null => return String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// A whole number, also as text: many write numbers of 64 bits so.
fn number(said: &Value) -> Option<i64> {
    match said {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A list's first entries that are what they should be; the others are passed over one by one.
struct Entries<T>(Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < ENTRIES_MAX {
            match seq.next_element::<&RawValue>()? {
                Some(entry) => entries.extend(serde_json::from_str::<T>(entry.get())),
                None => return Ok(Entries(entries)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parsed(status: u16, body: &[u8]) -> (Said, Option<i64>) {
        parse(status, body)
    }

    fn said(status: u16, body: &Value) -> Said {
        parsed(status, body.to_string().as_bytes()).0
    }

    fn stale(status: u16, body: &Value) -> Option<i64> {
        parsed(status, body.to_string().as_bytes()).1
    }

    fn error(unit_id: i64) -> UnitError {
        UnitError {
            project_id: None,
            unit_id,
        }
    }

    #[test]
    fn a_success_says_digests_unit_errors_and_what_is_stale() {
        let body = json!({
            "status": "ok",
            "property_digest": DIGEST,
            "errors": [
                { "unit_id": 1, "message": "no" },
                { "project_id": 101, "unit_id": 2, "message": "never" },
                { "property_id": "P-7", "unit_id": 3 },
            ],
            "stale": [{ "project_id": 101, "sequence": 4800 }, { "project_id": "P-7", "sequence": -1 }],
            "properties": [{ "project_id": 101, "property_digest": DIGEST }],
        });
        let named = |project: &str, error| UnitError {
            project_id: Some(project.to_owned()),
            ..error
        };
        let expected = Said {
            property_digest: Some(DIGEST.to_owned()),
            errors: vec![error(1), named("101", error(2)), named("P-7", error(3))],
            stale: vec![("101".to_owned(), 4800), ("P-7".to_owned(), -1)],
            properties: vec![("101".to_owned(), DIGEST.to_owned())],
        };
        assert_eq!(said(200, &body), expected);
        let refused = Said {
            errors: expected.errors,
            ..Said::default()
        };
        assert_eq!(said(422, &body), refused);
        assert_eq!(said(503, &body), Said::default());
    }

    #[test]
    fn garbage_is_passed_over_and_takes_nothing_else_along() {
        let garbage = [
            json!(null),
            json!("unit 1"),
            json!({}),
            json!({ "unit_id": "x" }),
            json!({ "unit_id": 1, "project_id": {} }),
            json!({ "unit_id": 1, "project_id": "" }),
            json!([[], 1]),
        ];
        let mut errors = garbage.to_vec();
        errors.push(json!({ "unit_id": 9, "message": "real", "more": [1, 2] }));
        let body = json!({ "errors": errors, "property_digest": 12, "stale": {}, "properties": "none" });
        let expected = Said {
            errors: vec![error(9)],
            ..Said::default()
        };
        assert_eq!(said(200, &body), expected);
        let body = json!({ "errors": "none", "property_digest": DIGEST });
        assert_eq!(said(200, &body).property_digest.as_deref(), Some(DIGEST));
        let lists = json!({ "stale": garbage, "properties": garbage });
        assert_eq!(said(200, &lists), Said::default());
        for body in ["", "OK", "[1]", "{\"errors\":[{\"unit_id\":1}"] {
            assert_eq!(parsed(200, body.as_bytes()), (Said::default(), None), "{body}");
        }
        assert_eq!(parsed(200, &[b'"', 0xff, b'"']), (Said::default(), None));
    }

    #[test]
    fn a_digest_is_64_small_hexadecimal_digits() {
        let digest = |text: &str| said(200, &json!({ "property_digest": text })).property_digest;
        assert_eq!(digest(DIGEST).as_deref(), Some(DIGEST));
        for wrong in [&DIGEST[1..], &DIGEST.to_uppercase(), &DIGEST.replace('a', "g"), ""] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many: Vec<_> = (0..ENTRIES_MAX + 5).map(|unit| json!({ "unit_id": unit })).collect();
        assert_eq!(said(200, &json!({ "errors": many })).errors.len(), ENTRIES_MAX);
        let long = "é".repeat(MESSAGE_CHARS_MAX + 1);
        let answer = json!({ "errors": [{ "unit_id": 1, "message": long }] }).to_string();
        assert_eq!(message_about(&answer, 1), Some("é".repeat(MESSAGE_CHARS_MAX)));
        let long = "é".repeat(IDENTIFIER_CHARS_MAX + 1);
        let body = json!({ "stale": [{ "project_id": long, "sequence": 1 }] });
        assert_eq!(said(200, &body).stale, []);
    }

    #[test]
    fn a_message_is_text_or_the_json_that_stands_in_its_place() {
        let body = json!({ "errors": [{ "unit_id": 1 }, { "unit_id": 1, "message": ["too", "high"] }] }).to_string();
        assert_eq!(message_about(&body, 1).as_deref(), Some("[\"too\",\"high\"]"));
        assert_eq!(message_about(&body, 2), None);
        assert_eq!(message_about(&body[..30], 1), None);
    }

    #[test]
    fn only_a_success_is_stale_and_its_sequence_is_what_it_says() {
        let at = |sequence: Value| json!({ "status": "stale", "sequence": sequence });
        assert_eq!(stale(200, &at(json!(4800))), Some(4800));
        assert_eq!(stale(200, &at(json!(i64::MAX))), Some(i64::MAX));
        assert_eq!(stale(200, &at(json!(u64::MAX))), Some(i64::MAX), "or more");
        assert_eq!(stale(200, &at(json!(-3))), Some(-3));
        assert_eq!(stale(200, &at(json!("4800"))), Some(4800), "many write 64 bits as text");
        for unreadable in [json!("many"), json!(null), json!([1])] {
            assert_eq!(stale(200, &at(unreadable)), Some(0), "stale all the same");
        }
        assert_eq!(stale(409, &at(json!(4800))), None);
        assert_eq!(stale(200, &json!({ "status": "ok", "sequence": 4800 })), None);
        assert_eq!(stale(200, &json!({ "status": "stale" })), Some(0));
    }
}
