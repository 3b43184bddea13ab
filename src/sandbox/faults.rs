//! How the sandbox is told to fail.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `PUT /faults`: replaces what was set before; `{}` clears.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Faults {
    /// Answer this without applying anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For so many requests; without it until cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// With the status: a number of seconds, or any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Value>,
    /// With the status: where a redirect points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// With the status: the answer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Wait before every answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Apply so many requests, then close the connection without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_after_apply: Option<u32>,
    /// Close the connection on so many requests without applying them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_before_apply: Option<u32>,
    /// Name these units in `errors`, and don't apply them.
    pub reject_units: Vec<i64>,
    /// All of this only for one property.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_id: Option<i64>,
}

/// What happens to one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Fault {
    pub status: Option<u16>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    pub body: Option<String>,
    pub delay_ms: u64,
    pub drop_before_apply: bool,
    pub drop_after_apply: bool,
    pub reject_units: Vec<i64>,
}

impl Faults {
    pub(super) fn parse(value: Value) -> Result<Self> {
        let faults: Self = serde_json::from_value(value).context("faults")?;
        if let Some(status) = faults.status {
            anyhow::ensure!(
                (200..=599).contains(&status),
                "faults: status {status} is not between 200 and 599"
            );
        }
        Ok(faults)
    }

    /// Takes what the next request about this property gets.
    pub(super) fn take(&mut self, property_id: i64) -> Fault {
        if self.property_id.is_some_and(|only| only != property_id) {
            return Fault::default();
        }
        let status = self.status.filter(|_| self.times != Some(0));
        if status.is_some() {
            self.times = self.times.map(|times| times - 1);
        }
        Fault {
            status,
            retry_after: self.retry_after.as_ref().map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            location: self.location.clone(),
            body: self.body.clone(),
            delay_ms: self.delay_ms.unwrap_or(0),
            drop_before_apply: count_down(&mut self.drop_before_apply),
            drop_after_apply: count_down(&mut self.drop_after_apply),
            reject_units: self.reject_units.clone(),
        }
    }
}

fn count_down(left: &mut Option<u32>) -> bool {
    match left {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
