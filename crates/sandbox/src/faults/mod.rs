//! What the sandbox does wrong on purpose, and to which request it happens.
//!
//! A fault is decided when a request arrives, whether or not the request keeps the contract: an
//! outage doesn't look into bodies.

mod effect;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{HttpAnswer, Tail};
use super::breach::Breach;
use super::received::PropertyId;
use super::state::Twist;

pub use effect::{Effect, Ending, Limits};

/// The longest delay; more is a typing error, and would keep tasks for ever.
const DELAY_MS_MAX: u64 = 3_600_000;

/// The current faults. Counters go down as they are used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Only requests that are about this property.
    property_id: Option<PropertyId>,
    /// For how many requests; without it, for all. Drops count themselves.
    times: Option<u64>,
    /// Wait before anything else.
    delay_ms: Option<u64>,
    /// Answer this instead of applying.
    status: Option<u16>,
    /// That answer's Retry-After.
    retry_after: Option<RetryAfter>,
    /// That answer's Location.
    location: Option<String>,
    /// That answer's body.
    body: Option<String>,
    /// Headers of every answer, in the place of those that it would have.
    headers: Option<BTreeMap<String, String>>,
    /// Fill every answer's body up with spaces to this size.
    body_bytes: Option<u64>,
    /// Never end an answer's body: one more space each time so long has passed.
    trickle_ms: Option<u64>,
    /// For so many requests: close the connection without applying.
    drop_before_apply: Option<u64>,
    /// For so many requests: handle it as usual, then close the connection without an answer.
    drop_after_apply: Option<u64>,
    /// Take the sync but not these units.
    reject_units: Option<BTreeSet<i64>>,
    /// Answer 400 with these units named, and apply nothing, where one of them is in the body.
    refuse_units: Option<BTreeSet<i64>>,
    /// Answer 400 with nothing named, and apply nothing, where one of these is in the body.
    poison_units: Option<BTreeSet<i64>>,
    /// The status for that, instead of 400.
    poison_status: Option<u16>,
    /// Answer 413 to a body with more units, removed ones included.
    units_max: Option<usize>,
    /// Answer 413 to a body with more bytes, unpacked.
    bytes_max: Option<usize>,
    /// Apply, and answer this instead of the digest.
    digest: Option<String>,
    /// Apply nothing, and answer that a sync with this sequence was applied before.
    stale: Option<i64>,
    /// Rules that are broken, by every request.
    #[serde(rename = "break")]
    breaches: Option<BTreeSet<Breach>>,
    /// What the token endpoint does wrong.
    token: Option<TokenFaults>,
}

/// What the token endpoint does wrong on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFaults {
    /// For how many requests; without it, for all.
    times: Option<u64>,
    /// Wait before anything else.
    delay_ms: Option<u64>,
    /// Answer this instead of a token.
    status: Option<u16>,
    /// That answer's body.
    body: Option<String>,
    /// How long tokens last, in seconds.
    expires_in: Option<u64>,
}

/// What happens to one request for a token.
#[derive(Debug, Default)]
pub struct TokenEffect {
    /// Wait so long first.
    pub delay: Duration,
    /// This answer instead of a token.
    pub answer: Option<HttpAnswer>,
    /// How long the token lasts, in seconds.
    pub lifetime: Option<u64>,
}

/// Retry-After as seconds, or any text, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum RetryAfter {
    Seconds(u64),
    Verbatim(String),
}

impl RetryAfter {
    fn value(&self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Verbatim(text) => text.clone(),
        }
    }
}

impl Faults {
    /// Reads what `PUT /faults` was given; the error names the key.
    pub fn read(value: Value) -> Result<Self, String> {
        let Value::Object(keys) = &value else {
            return Err("faults: expected a JSON object".into());
        };
        // One by one first: serde by itself doesn't name the key that has a wrong value.
        for (key, value) in keys {
            serde_json::from_value::<Self>(json!({ key: value })).map_err(|error| format!("faults.{key}: {error}"))?;
        }
        let faults: Self = serde_json::from_value(value).map_err(|error| format!("faults: {error}"))?;
        faults.check()?;
        Ok(faults)
    }

    /// The keys that were given, as they stand now.
    pub fn shown(&self) -> Value {
        let mut shown = json!(self);
        without_nulls(&mut shown);
        shown
    }

    /// Whether a rule is broken at present.
    pub fn breaks(&self, breach: Breach) -> bool {
        self.breaches
            .as_ref()
            .is_some_and(|breaches| breaches.contains(&breach))
    }

    /// What happens to the next request, which is about these properties where that could be read.
    pub fn next(&mut self, properties: &[PropertyId]) -> Effect {
        let mut effect = self.next_fault(properties);
        effect.twist.breaches = self.breaches.clone().unwrap_or_default();
        effect
    }

    fn next_fault(&mut self, properties: &[PropertyId]) -> Effect {
        if self.property_id.as_ref().is_some_and(|only| !properties.contains(only)) {
            return Effect::default();
        }
        let mut effect = Effect::default();
        if is_due(&mut self.times) {
            effect = self.effect();
            if effect.ending != Ending::Usual {
                return effect;
            }
        }
        if used(&mut self.drop_before_apply) {
            effect.ending = Ending::DropBefore;
        } else if used(&mut self.drop_after_apply) {
            effect.ending = Ending::DropAfter;
        }
        effect
    }

    /// What happens to the next request for a token.
    pub fn next_token(&mut self) -> TokenEffect {
        let Some(token) = &mut self.token else {
            return TokenEffect::default();
        };
        let due = is_due(&mut token.times);
        if due { token.effect() } else { TokenEffect::default() }
    }

    fn effect(&self) -> Effect {
        Effect {
            delay: Duration::from_millis(self.delay_ms.unwrap_or(0)),
            limits: self.limits(),
            twist: Twist {
                reject_units: self.reject_units.clone().unwrap_or_default(),
                digest: self.digest.clone(),
                stale: self.stale,
                stale_only: self.property_id.clone(),
                breaches: BTreeSet::new(),
            },
            ending: match self.status {
                Some(status) => Ending::Answer(failure(status, self.body.as_ref())),
                None => Ending::Usual,
            },
            headers: self.header_values().unwrap_or_default(),
            tail: Tail {
                bytes: self.body_bytes,
                trickle: self.trickle_ms.map(Duration::from_millis),
            },
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            bytes_max: self.bytes_max,
            units_max: self.units_max,
            refuse_units: self.refuse_units.clone().unwrap_or_default(),
            poison_units: self.poison_units.clone().unwrap_or_default(),
            poison_status: self.poison_status.unwrap_or(400),
        }
    }

    /// All headers that were given, or the key of one that can't be sent.
    fn header_values(&self) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let mut values = Vec::new();
        if let Some(retry_after) = &self.retry_after {
            values.push((header::RETRY_AFTER, header_value("retry_after", &retry_after.value())?));
        }
        if let Some(location) = &self.location {
            values.push((header::LOCATION, header_value("location", location)?));
        }
        for (name, value) in self.headers.iter().flatten() {
            let name =
                HeaderName::try_from(name).map_err(|_| format!("faults.headers: {name:?} is no header's name"))?;
            if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(&name) {
                return Err(format!("faults.headers: {name} is the server's own"));
            }
            let value = header_value("headers", value)?;
            values.push((name, value));
        }
        Ok(values)
    }

    /// A key that would do nothing is a mistake of whoever set it.
    fn check(&self) -> Result<(), String> {
        let missing = |key: &str, needed: &str| Err(format!("faults.{key}: needs {needed} beside it"));
        for (key, given) in [
            ("retry_after", self.retry_after.is_some()),
            ("location", self.location.is_some()),
            ("body", self.body.is_some()),
        ] {
            if given && self.status.is_none() {
                return missing(key, "status");
            }
        }
        if self.poison_status.is_some() && self.poison_units.is_none() {
            return missing("poison_status", "poison_units");
        }
        if self.times.is_some() && !self.has_something_to_count() {
            return missing("times", "something to count");
        }
        if let Some(token) = &self.token {
            token.check()?;
        }
        for (key, status) in [("status", self.status), ("poison_status", self.poison_status)] {
            check_status(key, status)?;
        }
        for (key, delay) in [("delay_ms", self.delay_ms), ("trickle_ms", self.trickle_ms)] {
            check_delay(key, delay)?;
        }
        self.header_values().map(|_| ())
    }

    fn has_something_to_count(&self) -> bool {
        let besides = Self {
            property_id: None,
            times: None,
            drop_before_apply: None,
            drop_after_apply: None,
            breaches: None,
            token: None,
            ..self.clone()
        };
        besides != Self::default()
    }
}

impl TokenFaults {
    fn effect(&self) -> TokenEffect {
        TokenEffect {
            delay: Duration::from_millis(self.delay_ms.unwrap_or(0)),
            answer: self.status.map(|status| failure(status, self.body.as_ref())),
            lifetime: self.expires_in,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.body.is_some() && self.status.is_none() {
            return Err("faults.token.body: needs status beside it".into());
        }
        let besides = Self {
            times: None,
            ..self.clone()
        };
        if besides == Self::default() {
            return Err("faults.token: needs status, delay_ms or expires_in".into());
        }
        check_status("token.status", self.status)?;
        check_delay("token.delay_ms", self.delay_ms)
    }
}

/// The answer in the place of the usual one.
fn failure(status: u16, body: Option<&String>) -> HttpAnswer {
    let usual = || json!({ "error": format!("fault: status {status}") }).to_string();
    HttpAnswer::plain(status, body.cloned().unwrap_or_else(usual))
}

fn header_value(key: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| format!("faults.{key}: {value:?} can't stand in a header"))
}

fn check_status(key: &str, status: Option<u16>) -> Result<(), String> {
    match status {
        Some(status) if !(200..=599).contains(&status) => Err(format!("faults.{key}: expected 200 to 599")),
        _ => Ok(()),
    }
}

fn check_delay(key: &str, delay: Option<u64>) -> Result<(), String> {
    match delay {
        Some(delay) if delay > DELAY_MS_MAX => Err(format!("faults.{key}: expected at most {DELAY_MS_MAX}")),
        _ => Ok(()),
    }
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(entries) = value {
        entries.retain(|_, value| !value.is_null());
        entries.values_mut().for_each(without_nulls);
    }
}

fn is_due(times: &mut Option<u64>) -> bool {
    times.is_none() || used(times)
}

/// Uses up one of what is left, if anything is.
fn used(left: &mut Option<u64>) -> bool {
    match left {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn endings<const N: usize>(faults: Value) -> [Ending; N] {
        let mut faults = Faults::read(faults).unwrap();
        std::array::from_fn(|_| faults.next(&[101.into()]).ending)
    }

    fn statuses<const N: usize>(faults: Value) -> [Option<u16>; N] {
        endings(faults).map(|ending| match ending {
            Ending::Answer(answer) => Some(answer.status),
            _ => None,
        })
    }

    #[test]
    fn a_status_lasts_for_its_times_or_until_cleared() {
        assert_eq!(
            statuses(json!({"status": 503, "times": 2})),
            [Some(503), Some(503), None]
        );
        assert_eq!(statuses(json!({"status": 503})), [Some(503), Some(503), Some(503)]);
    }

    #[test]
    fn drops_count_themselves() {
        assert_eq!(
            endings(json!({"drop_before_apply": 1, "drop_after_apply": 1})),
            [Ending::DropBefore, Ending::DropAfter, Ending::Usual]
        );
    }

    #[test]
    fn a_fault_of_one_property_spares_the_others_and_is_not_used_up_by_them() {
        let mut faults = Faults::read(json!({"status": 503, "times": 1, "property_id": 101})).unwrap();
        assert_eq!(faults.next(&[102.into()]), Effect::default());
        assert_eq!(faults.next(&[]), Effect::default());
        assert!(matches!(faults.next(&[101.into()]).ending, Ending::Answer(_)));
        assert_eq!(faults.next(&[101.into()]), Effect::default());
    }

    #[test]
    fn what_would_do_nothing_is_refused_by_name() {
        for (faults, named) in [
            (json!([]), "object"),
            (json!({"stauts": 503, "tmies": 1}), "faults.stauts"),
            (json!({"status": "503"}), "faults.status"),
            (json!({"status": 99}), "faults.status"),
            (json!({"times": 3}), "faults.times"),
            (json!({"retry_after": 7}), "faults.retry_after"),
            (json!({"location": "http://x"}), "faults.location"),
            (json!({"body": ""}), "faults.body"),
            (json!({"status": 302, "location": "a\nb"}), "faults.location"),
            (json!({"delay_ms": 999_999_999}), "faults.delay_ms"),
            (json!({"trickle_ms": 999_999_999}), "faults.trickle_ms"),
            (json!({"times": 1, "drop_after_apply": 1}), "faults.times"),
            (json!({"poison_status": 500}), "faults.poison_status"),
            (
                json!({"poison_status": 99, "poison_units": [1]}),
                "faults.poison_status",
            ),
            (json!({"headers": {"a b": "c"}}), "faults.headers"),
            (json!({"headers": {"a": "\n"}}), "faults.headers"),
            (json!({"headers": {"Content-Length": "7"}}), "faults.headers"),
            (json!({"token": {}}), "faults.token"),
            (json!({"token": {"times": 1}}), "faults.token"),
            (json!({"token": {"status": 503, "expire_in": 1}}), "faults.token"),
            (json!({"token": {"body": ""}}), "faults.token.body"),
            (json!({"token": {"status": 1}}), "faults.token.status"),
        ] {
            let error = Faults::read(faults).unwrap_err();
            assert!(error.contains(named), "{error} should name {named}");
        }
    }
}
