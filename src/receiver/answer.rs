//! What a receiver says beside its status: stale numbering, unit errors, digests.
//!
//! A receiver may say anything. What is not as the contract has it is passed over, and what is kept is bounded: in bytes
//! read, in characters of each entry. Its words are not among that: they may be anybody's name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Some pack what is packed already. There is data that unpacks to itself.
const WRAPPINGS_MAX: usize = 3;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const MESSAGE_CHARS_MAX: usize = 200;
const IDENTIFIER_CHARS_MAX: usize = 200;

/// What the receiver said that the relay acts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseBody {
    /// Its digest of the property: 64 hexadecimal digits, small letters.
    pub property_digest: Option<String>,
    /// The units that it refuses.
    pub errors: Vec<UnitError>,
    /// Of a batch: properties for which it has seen a newer sequence, and which.
    pub stale: Vec<(String, i64)>,
    /// Of a batch: properties and its digests of them.
    pub properties: Vec<(String, String)>,
}

/// A unit that the receiver refuses.
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

/// What was packed though nobody asked for that, up to the limit, and whether that is all of it.
pub(super) fn unpacked(body: &[u8], bytes_max: usize) -> (Cow<'_, [u8]>, bool) {
    let mut body = Cow::Borrowed(body);
    for _ in 0..WRAPPINGS_MAX {
        if !body.starts_with(b"\x1f\x8b") {
            return (body, true);
        }
        let mut inner = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        // What can be read before it breaks off shows what it is.
        let read = MultiGzDecoder::new(&*body).take(limit).read_to_end(&mut inner);
        if read.is_err() || inner.len() > bytes_max {
            return (Cow::Owned(inner), false);
        }
        body = Cow::Owned(inner);
    }
    let is_bare = !body.starts_with(b"\x1f\x8b");
    (body, is_bare)
}

/// Some put a byte order mark before it, some that include one file in another several.
pub(super) fn without_marks(mut body: &[u8]) -> &[u8] {
    while let Some(rest) = body.strip_prefix(BYTE_ORDER_MARK) {
        body = rest;
    }
    body
}

/// Whether a body is a JSON object, which is to say: whether what it says is read.
pub(super) fn is_object(body: &[u8]) -> bool {
    members(&text(body)).is_some()
}

/// What a whole body of this status says: all of it for a success, the unit errors for a refusal, else nothing.
/// Beside it the newest sequence that the receiver has, where it has seen a newer one.
pub(super) fn parse(status: u16, body: &[u8]) -> (ResponseBody, Option<i64>) {
    let is_success = (200..300).contains(&status);
    if !is_success && !(400..500).contains(&status) {
        return (ResponseBody::default(), None);
    }
    let text = text(body);
    let Some(parts) = members(&text) else {
        return (ResponseBody::default(), None);
    };
    let errors = list(parts.get("errors"), unit_error);
    if !is_success {
        let said = ResponseBody {
            errors,
            ..ResponseBody::default()
        };
        return (said, None);
    }
    let said = ResponseBody {
        property_digest: digest(parts.get("property_digest")),
        errors,
        stale: list(parts.get("stale"), stale),
        properties: list(parts.get("properties"), property),
    };
    let is_stale = one::<String>(parts.get("status")).is_some_and(|status| status == "stale");
    // That it is stale is what matters: it is not delivered, whatever the number looks like.
    let newest = one::<Value>(parts.get("sequence"))
        .and_then(|said| number(&said))
        .unwrap_or(0);
    (said, is_stale.then_some(newest))
}

/// What an answer that was kept with its attempt says about one unit, if it is whole and says anything.
pub(crate) fn message_about(answer: &str, unit_id: i64) -> Option<String> {
    let about = |said: Members<'_>| (unit_of(&said)? == unit_id).then(|| message(said.get("message")));
    let messages = list(members(answer)?.get("errors"), about);
    messages.into_iter().find(|message| !message.is_empty())
}

/// In another encoding than UTF-8 its words are spoiled, not what it says.
fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(without_marks(body))
}

fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

fn unit_error(said: Members) -> Option<UnitError> {
    let unit_id = unit_of(&said)?;
    let project_id = project_said(&said).map(identifier);
    match project_id {
        Some(None) => None,
        Some(project_id) => Some(UnitError { project_id, unit_id }),
        None => Some(UnitError {
            project_id: None,
            unit_id,
        }),
    }
}

fn unit_of(said: &Members) -> Option<i64> {
    number(&one(said.get("unit_id"))?)
}

fn stale(said: Members) -> Option<(String, i64)> {
    let sequence = one(said.get("sequence")).and_then(|said| number(&said));
    Some((identifier(project_said(&said)?)?, sequence.unwrap_or(0)))
}

fn property(said: Members) -> Option<(String, String)> {
    let digest = digest(said.get("property_digest"))?;
    Some((identifier(project_said(&said)?)?, digest))
}

/// The property that an entry names, by either name.
fn project_said(said: &Members) -> Option<Value> {
    let named = ["project_id", "property_id"].map(|name| one(said.get(name)));
    named.into_iter().flatten().find(|said: &Value| !said.is_null())
}

fn one<T: DeserializeOwned>(part: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

fn list<T>(part: Option<&RawValue>, understand: impl Fn(Members) -> Option<T>) -> Vec<T> {
    let mut entries = Vec::new();
    let each = Each(|entry: &RawValue| {
        entries.extend(members(entry.get()).and_then(&understand));
    });
    if let Some(part) = part {
        // One that breaks off can't be: all of it was read as JSON before.
        serde_json::Deserializer::from_str(part.get())
            .deserialize_seq(each)
            .ok();
    }
    entries
}

/// A whole number, or text that is not beyond all bounds.
fn identifier(said: Value) -> Option<String> {
    match said {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Number(number) => whole(number.as_f64()?).map(|number| number.to_string()),
        Value::String(text) if is_identifier(&text) => Some(text),
        _ => None,
    }
}

/// What languages that know no whole numbers make of one.
fn whole(number: f64) -> Option<i64> {
    // Beyond these, 2^53, neighbours look the same.
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    is_exact.then_some(number as i64)
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= IDENTIFIER_CHARS_MAX && !text.contains('\0')
}

fn message(said: Option<&RawValue>) -> String {
    let Some(said) = said.map(RawValue::get).filter(|said| *said != "null") else {
        return String::new();
    };
    let text = serde_json::from_str(said).unwrap_or_else(|_| said.to_owned());
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

/// 64 hexadecimal digits, made small: many programs write them in capitals.
fn digest(said: Option<&RawValue>) -> Option<String> {
    let text: String = one(said)?;
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| text.to_ascii_lowercase())
}

/// What the relay reads of an object, each member by itself: one that is wrong takes nothing else along. Of a name that comes
/// twice it is the last, as most programs have it.
struct Members<'a>(HashMap<&'static str, &'a RawValue>);

const MEMBERS: [&str; 10] = [
    "status",
    "sequence",
    "property_digest",
    "errors",
    "stale",
    "properties",
    "project_id",
    "property_id",
    "unit_id",
    "message",
];

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = HashMap::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if let Some(known) = MEMBERS.iter().find(|known| **known == name) {
                members.insert(*known, value);
            }
        }
        Ok(Members(members))
    }
}

/// Hands over a list's entries one by one.
struct Each<F>(F);

impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element::<&RawValue>()? {
            (self.0)(entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parsed(status: u16, body: &[u8]) -> (ResponseBody, Option<i64>) {
        parse(status, body)
    }

    fn said(status: u16, body: &Value) -> ResponseBody {
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
        let expected = ResponseBody {
            property_digest: Some(DIGEST.to_owned()),
            errors: vec![error(1), named("101", error(2)), named("P-7", error(3))],
            stale: vec![("101".to_owned(), 4800), ("P-7".to_owned(), -1)],
            properties: vec![("101".to_owned(), DIGEST.to_owned())],
        };
        assert_eq!(said(200, &body), expected);
        let refused = ResponseBody {
            errors: expected.errors,
            ..ResponseBody::default()
        };
        assert_eq!(said(422, &body), refused);
        assert_eq!(said(503, &body), ResponseBody::default());
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
        let expected = ResponseBody {
            errors: vec![error(9)],
            ..ResponseBody::default()
        };
        assert_eq!(said(200, &body), expected);
        let body = json!({ "errors": "none", "property_digest": DIGEST });
        assert_eq!(said(200, &body).property_digest.as_deref(), Some(DIGEST));
        let lists = json!({ "stale": garbage, "properties": garbage });
        assert_eq!(said(200, &lists), ResponseBody::default());
        for body in ["", "OK", "[1]", "{\"errors\":[{\"unit_id\":1}"] {
            assert_eq!(parsed(200, body.as_bytes()), (ResponseBody::default(), None), "{body}");
        }
        assert_eq!(parsed(200, &[b'"', 0xff, b'"']), (ResponseBody::default(), None));
    }

    #[test]
    fn promise_14_whatever_its_words_are_what_names_a_unit_or_says_stale_counts() {
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        for message in [
            b"\"loyer trop \xe9lev\xe9\"".as_slice(),
            b"\"bad \\ud83d\"",
            b"1e999",
            deep.as_bytes(),
        ] {
            let body = [
                b"\xef\xbb\xbf\xef\xbb\xbf{\"errors\":[{\"unit_id\":7,\"message\":",
                message,
                b"}]}",
            ]
            .concat();
            assert_eq!(parse(200, &body).0.errors, [error(7)], "{}", body.escape_ascii());
            assert!(is_object(&body));
        }
        for entry in [
            r#"{"project_id":101,"property_id":"P-7","unit_id":7}"#,
            r#"{"project_id":null,"property_id":101,"unit_id":"7"}"#,
            r#"{"project_id":101.0,"unit_id":7.0}"#,
            r#"{"unit_id":1,"project_id":101,"unit_id":7}"#,
        ] {
            let body = format!("{{\"status\":1,\"status\":\"stale\",\"errors\":[{entry}],\"stale\":[{entry}]}}");
            let (said, newest) = parse(200, body.as_bytes());
            let project_id = Some("101".to_owned());
            assert_eq!(said.errors, [UnitError { project_id, unit_id: 7 }], "{entry}");
            assert_eq!((said.stale, newest), (vec![("101".to_owned(), 0)], Some(0)), "{entry}");
        }
        let many: Vec<_> = (0..100_001).map(|unit| json!({ "unit_id": unit })).collect();
        assert_eq!(said(200, &json!({ "errors": many })).errors.len(), 100_001);
    }

    #[test]
    fn promise_14_what_is_packed_is_unpacked_and_no_further_than_the_limit() {
        let packed = |body: &[u8]| {
            let mut packed = Vec::new();
            flate2::read::GzEncoder::new(body, flate2::Compression::fast())
                .read_to_end(&mut packed)
                .unwrap();
            packed
        };
        let twice = packed(&packed(b"{}"));
        assert_eq!(unpacked(&twice, 100), (Cow::Borrowed(b"{}".as_slice()), true));
        assert!(!unpacked(&twice[..twice.len() - 9], 100).1);
        assert!(!unpacked(&packed(&packed(&twice)), 100).1);
        let bomb = packed(&[b' '; 100_000]);
        let (bomb, whole) = unpacked(&bomb, 1_000);
        assert!(!whole && bomb.len() <= 1_001);
    }

    #[test]
    fn a_digest_is_64_hexadecimal_digits_in_whatever_case() {
        let digest = |text: &str| said(200, &json!({ "property_digest": text })).property_digest;
        assert_eq!(digest(DIGEST).as_deref(), Some(DIGEST));
        assert_eq!(digest(&DIGEST.to_uppercase()).as_deref(), Some(DIGEST));
        for wrong in [&DIGEST[1..], &DIGEST.replace('a', "g"), ""] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
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
