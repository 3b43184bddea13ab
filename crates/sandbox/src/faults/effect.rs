//! What a fault does to one request.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use serde_json::json;

use super::super::answer::{HttpAnswer, Tail};
use super::super::received::ReceivedSync;
use super::super::state::Twist;

/// What happens to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Wait so long first.
    pub delay: Duration,
    /// What is refused, whatever else.
    pub limits: Limits,
    /// What goes wrong while it is applied.
    pub twist: Twist,
    /// And then.
    pub ending: Ending,
    /// The answer has these headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What comes after the answer's body.
    pub tail: Tail,
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

/// What the receiver doesn't take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Larger bodies are too large.
    pub bytes_max: Option<usize>,
    /// Bodies with more units, removed ones included, are too large.
    pub units_max: Option<usize>,
    /// A body with any of these is refused, and they are named.
    pub refuse_units: BTreeSet<i64>,
    /// A body with any of these is refused, and nothing is named.
    pub poison_units: BTreeSet<i64>,
    /// The status for that.
    pub poison_status: u16,
}

impl Effect {
    /// How the request ends, now that it is known what it says, where that could be read.
    pub fn ending_of(&self, sync: Option<&ReceivedSync>, bytes: usize) -> Ending {
        match (&self.ending, sync) {
            (Ending::Usual | Ending::DropAfter, Some(sync)) => match self.limits.refusal(sync, bytes) {
                Some(answer) => Ending::Answer(answer),
                None => self.ending.clone(),
            },
            _ => self.ending.clone(),
        }
    }
}

impl Limits {
    fn refusal(&self, sync: &ReceivedSync, bytes: usize) -> Option<HttpAnswer> {
        let units: Vec<i64> = units(sync).collect();
        if self.bytes_max.is_some_and(|max| bytes > max) || self.units_max.is_some_and(|max| units.len() > max) {
            return Some(HttpAnswer::json(413, &json!({ "error": "fault: too large" })));
        }
        let refused: Vec<_> = units.iter().filter(|id| self.refuse_units.contains(id)).collect();
        if !refused.is_empty() {
            return Some(HttpAnswer::json(400, &named(&refused)));
        }
        let poisoned = units.iter().any(|id| self.poison_units.contains(id));
        poisoned.then(|| HttpAnswer::json(self.poison_status, &json!({ "error": "fault: can't take this" })))
    }
}

fn units(sync: &ReceivedSync) -> impl Iterator<Item = i64> {
    sync.properties.iter().flat_map(|property| {
        let present = property.upserts.iter().map(|unit| unit.unit_id);
        present.chain(property.removals.iter().map(|unit| unit.unit_id))
    })
}

fn named(units: &[&i64]) -> serde_json::Value {
    let errors: Vec<_> = units
        .iter()
        .map(|unit_id| json!({ "unit_id": unit_id, "message": "refused by the fault refuse_units" }))
        .collect();
    json!({ "error": "fault: units refused", "errors": errors })
}
