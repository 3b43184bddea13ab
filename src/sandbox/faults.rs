//! What the sandbox is told to do wrong, and to which request it happens.
//!
//! A fault is decided when a request arrives, whether or not the request keeps the contract: an
//! outage doesn't look into bodies.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::HeaderValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest delay; more is a typing error, and would keep tasks for ever.
const DELAY_MS_MAX: u64 = 3_600_000;

/// The current faults. Counters go down as they are used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Only requests about this property.
    #[serde(skip_serializing_if = "Option::is_none")]
    property_id: Option<i64>,
    /// How many requests `status`, `delay_ms` and `reject_units` are for; without it, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// Wait before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    /// Answer this instead of applying.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The answer's Retry-After.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<RetryAfter>,
    /// The answer's Location.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The answer's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// For so many requests: close the connection without applying.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop_before_apply: Option<u64>,
    /// For so many requests: handle it as usual, then close the connection without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop_after_apply: Option<u64>,
    /// Take the sync but not these units.
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_units: Option<BTreeSet<i64>>,
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

/// What happens to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Wait so long first.
    pub delay: Duration,
    /// These units are not taken.
    pub reject_units: BTreeSet<i64>,
    /// And then.
    pub ending: Ending,
}

/// How a request ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ending {
    /// As the contract says.
    #[default]
    Usual,
    /// This answer, nothing applied.
    Answer(HttpAnswer),
    /// No answer, nothing applied.
    DropBefore,
    /// Handled as usual, but no answer.
    DropAfter,
}

/// An answer as it goes out, by a fault or by the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

impl Faults {
    /// Reads what `PUT /faults` was given; the error names the key.
    pub fn read(value: Value) -> Result<Self, String> {
        let Value::Object(mut keys) = value else {
            return Err("faults: expected a JSON object".into());
        };
        let faults = Self {
            property_id: take(&mut keys, "property_id")?,
            times: take(&mut keys, "times")?,
            delay_ms: take(&mut keys, "delay_ms")?,
            status: take(&mut keys, "status")?,
            retry_after: take(&mut keys, "retry_after")?,
            location: take(&mut keys, "location")?,
            body: take(&mut keys, "body")?,
            drop_before_apply: take(&mut keys, "drop_before_apply")?,
            drop_after_apply: take(&mut keys, "drop_after_apply")?,
            reject_units: take(&mut keys, "reject_units")?,
        };
        if !keys.is_empty() {
            let unknown: Vec<_> = keys.keys().map(String::as_str).collect();
            return Err(format!("faults: unknown keys: {}", unknown.join(", ")));
        }
        faults.checked()
    }

    /// What happens to the next request, which is about `property_id` where that could be read.
    pub fn next(&mut self, property_id: Option<i64>) -> Effect {
        if self.property_id.is_some() && self.property_id != property_id {
            return Effect::default();
        }
        let mut effect = Effect::default();
        if self.is_due() {
            effect.delay = Duration::from_millis(self.delay_ms.unwrap_or(0));
            effect.reject_units = self.reject_units.clone().unwrap_or_default();
            if let Some(status) = self.status {
                effect.ending = Ending::Answer(self.answer(status));
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

    fn is_due(&mut self) -> bool {
        self.times.is_none() || used(&mut self.times)
    }

    fn answer(&self, status: u16) -> HttpAnswer {
        let retry_after = self.retry_after.as_ref().map(RetryAfter::value);
        let headers = [("retry-after", retry_after), ("location", self.location.clone())];
        HttpAnswer {
            status,
            headers: headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            body: self
                .body
                .clone()
                .unwrap_or_else(|| format!(r#"{{"error":"fault: status {status}"}}"#)),
        }
    }

    /// A key that would do nothing is a mistake of whoever set it.
    fn checked(self) -> Result<Self, String> {
        if self.status.is_none() {
            let needy = [
                ("retry_after", self.retry_after.is_some()),
                ("location", self.location.is_some()),
                ("body", self.body.is_some()),
            ];
            if let Some((key, _)) = needy.iter().find(|(_, given)| *given) {
                return Err(format!("faults.{key}: needs status beside it"));
            }
        }
        let limited = self.status.is_some() || self.delay_ms.is_some() || self.reject_units.is_some();
        if self.times.is_some() && !limited {
            return Err("faults.times: needs status, delay_ms or reject_units beside it".into());
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("faults.status: expected 200 to 599".into());
        }
        if self.delay_ms.is_some_and(|delay| delay > DELAY_MS_MAX) {
            return Err(format!("faults.delay_ms: expected at most {DELAY_MS_MAX}"));
        }
        self.headers_can_be_sent()?;
        Ok(self)
    }

    fn headers_can_be_sent(&self) -> Result<(), String> {
        let retry_after = self.retry_after.as_ref().map(RetryAfter::value);
        for (key, value) in [
            ("retry_after", retry_after.as_deref()),
            ("location", self.location.as_deref()),
        ] {
            if value.is_some_and(|value| HeaderValue::from_str(value).is_err()) {
                return Err(format!("faults.{key}: can't stand in a header"));
            }
        }
        Ok(())
    }
}

fn take<T: DeserializeOwned>(keys: &mut Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    keys.remove(key)
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| format!("faults.{key}: {error}"))
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
        std::array::from_fn(|_| faults.next(Some(101)).ending)
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
        assert_eq!(faults.next(Some(102)), Effect::default());
        assert_eq!(faults.next(None), Effect::default());
        assert!(matches!(faults.next(Some(101)).ending, Ending::Answer(_)));
        assert_eq!(faults.next(Some(101)), Effect::default());
    }

    #[test]
    fn what_would_do_nothing_is_refused_by_name() {
        for (faults, named) in [
            (json!([]), "object"),
            (json!({"stauts": 503, "tmies": 1}), "stauts, tmies"),
            (json!({"status": "503"}), "faults.status"),
            (json!({"status": 99}), "faults.status"),
            (json!({"times": 3}), "faults.times"),
            (json!({"retry_after": 7}), "faults.retry_after"),
            (json!({"location": "http://x"}), "faults.location"),
            (json!({"body": ""}), "faults.body"),
            (json!({"status": 302, "location": "a\nb"}), "faults.location"),
            (json!({"delay_ms": 999_999_999}), "faults.delay_ms"),
        ] {
            let error = Faults::read(faults).unwrap_err();
            assert!(error.contains(named), "{error} should name {named}");
        }
    }
}
