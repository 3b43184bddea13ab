//! What differs: the unit as it was sealed last, looked up in the body that carries it, against the unit as it is.
//!
//! A lead's name is never shown, only that it differs; where the body is no longer kept, not even that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::PgConnection;

use crate::payload::{HIDDEN, decompressed, without_lead};

/// One field's two sides.
#[derive(Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its name; inside an object, behind that one's.
    pub field: String,
    /// As it was sealed last; left out where it was not, and for a lead's name.
    #[serde(rename = "told", skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Value>,
    /// As the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<Value>,
}

/// What a body says beside a unit's own fields.
const NOT_FIELDS: [&str; 3] = ["content_hash", "sync_metadata", "sync_timestamp"];
/// The names of people.
const NAMES: [&str; 2] = ["lead_first_name", "lead_last_name"];

/// Every field that one side has and the other has not, or has otherwise.
pub(crate) fn differences(sealed: &Value, present: &Value) -> Vec<Difference> {
    let (sealed, present) = (flat(sealed), flat(present));
    let fields: BTreeSet<&String> = sealed.keys().chain(present.keys()).collect();
    fields
        .into_iter()
        .filter(|field| sealed.get(*field) != present.get(*field))
        .map(|field| {
            let named = NAMES.iter().any(|name| field.ends_with(name));
            let shown = |side: &BTreeMap<String, Value>| side.get(field).filter(|_| !named).cloned();
            Difference {
                field: field.clone(),
                sealed: shown(&sealed),
                present: shown(&present),
            }
        })
        .collect()
}

/// One field as both sides have it.
#[derive(Clone, PartialEq, Serialize)]
pub struct Side {
    /// Its name; inside an object, behind that one's.
    pub field: String,
    /// As it was sealed last.
    #[serde(rename = "told")]
    pub sealed: Option<Value>,
    /// As the source has it.
    pub present: Option<Value>,
    /// These are not the same.
    pub differs: bool,
}

/// Every field that either side has, the same or not; of a lead's name only that it is there.
pub(crate) fn sides(sealed: Option<&Value>, present: Option<&Value>) -> Vec<Side> {
    let (sealed, present) = (
        sealed.map(flat).unwrap_or_default(),
        present.map(flat).unwrap_or_default(),
    );
    let fields: BTreeSet<&String> = sealed.keys().chain(present.keys()).collect();
    let side = |field: &String| {
        let named = NAMES.iter().any(|name| field.ends_with(name));
        let shown = |side: &BTreeMap<String, Value>| match side.get(field) {
            Some(value) if named && !value.is_null() => Some(Value::from(HIDDEN)),
            value => value.cloned(),
        };
        Side {
            field: field.clone(),
            sealed: shown(&sealed),
            present: shown(&present),
            differs: sealed.get(field) != present.get(field),
        }
    };
    fields.into_iter().map(side).collect()
}

fn flat(value: &Value) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    let Value::Object(object) = value else { return fields };
    for (name, value) in object.iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str())) {
        match value {
            Value::Object(_) => {
                let inner = flat(value).into_iter();
                fields.extend(inner.map(|(field, value)| (format!("{name}.{field}"), value)));
            }
            value => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    fields
}

/// Units to be looked up in the bodies that carry them.
#[derive(Default)]
pub(crate) struct Bodies {
    wanted: BTreeMap<i64, BTreeSet<i64>>,
    sealed: HashMap<i64, Value>,
    /// As the ledger has them: without a lead, whether or not one was sealed.
    kept: HashMap<i64, Value>,
}

impl Bodies {
    /// The ledger has the content of some units itself, for when the body is no longer there.
    pub fn want(&mut self, sequence: Option<i64>, unit_id: i64, content: Option<&str>) -> Result<()> {
        if let Some(sequence) = sequence {
            self.wanted.entry(sequence).or_default().insert(unit_id);
        }
        if let Some(content) = content {
            // The parser's own message may quote what it found.
            let unit = serde_json::from_str(content).ok();
            let unit = unit.with_context(|| format!("unit {unit_id}: the ledger's content is no JSON"))?;
            self.kept.insert(unit_id, unit);
        }
        Ok(())
    }

    /// One body after another; those that were pruned or erased have nothing any more.
    pub async fn read(mut self, conn: &mut PgConnection) -> Result<SentUnits> {
        for (sequence, units) in std::mem::take(&mut self.wanted) {
            if let Some(body) = body(conn, sequence).await? {
                self.take(body, &units);
            }
        }
        Ok(SentUnits {
            units: self.sealed,
            kept: self.kept,
        })
    }

    /// A body has its units in a list, or in a list of each property, or is one.
    fn take(&mut self, body: Map<String, Value>, wanted: &BTreeSet<i64>) {
        let id = body.get("unit_id").and_then(Value::as_i64);
        if let Some(id) = id.filter(|id| wanted.contains(id)) {
            self.sealed.insert(id, Value::Object(body));
            return;
        }
        for (name, value) in body {
            let Value::Array(entries) = value else { continue };
            if name == "units" || name == "properties" {
                for entry in entries.into_iter().filter_map(object) {
                    self.take(entry, wanted);
                }
            }
        }
    }
}

/// Units as bodies carry them.
pub(crate) struct SentUnits {
    units: HashMap<i64, Value>,
    kept: HashMap<i64, Value>,
}

impl SentUnits {
    /// The unit as its body carries it, else as the ledger keeps it; none: neither is kept any more.
    pub fn unit(&self, unit_id: i64) -> Option<&Value> {
        self.units.get(&unit_id).or_else(|| self.kept.get(&unit_id))
    }

    /// Which fields of a unit differ from its present text; none: what was sealed is no longer kept.
    pub fn differences(&self, unit_id: i64, present: &str) -> Result<Option<Vec<Difference>>> {
        if let Some(sealed) = self.units.get(&unit_id) {
            return Ok(Some(differences(sealed, &serde_json::from_str(present)?)));
        }
        let Some(kept) = self.kept.get(&unit_id) else {
            return Ok(None);
        };
        let present = without_lead(present).context("a unit's text is no JSON")?;
        let found = differences(kept, &serde_json::from_str(&present)?);
        // Where nothing else differs it was the lead, or nobody knows.
        Ok((!found.is_empty()).then_some(found))
    }
}

/// The property's own fields as sync `sequence` carries them. `id` as JSON, as the receiver knows the property.
pub(crate) async fn sealed_property(conn: &mut PgConnection, sequence: i64, id: &str) -> Result<Option<Value>> {
    let Some(mut body) = body(conn, sequence).await? else {
        return Ok(None);
    };
    let several = match body.remove("properties") {
        Some(Value::Array(properties)) => properties.into_iter().filter_map(object).collect(),
        _ => Vec::new(),
    };
    let mut properties = [body]
        .into_iter()
        .chain(several)
        .filter_map(|mut part| part.remove("property"));
    let id: Value = serde_json::from_str(id)?;
    Ok(properties.find(|property| property["project_id"] == id))
}

/// The content hash of a unit as sync `sequence` carries it, where bodies have one and this is still kept.
pub(crate) async fn sealed_hash(conn: &mut PgConnection, sequence: i64, unit_id: i64) -> Result<Option<String>> {
    let mut bodies = Bodies::default();
    bodies.want(Some(sequence), unit_id, None)?;
    let sealed = bodies.read(conn).await?;
    let hash = sealed
        .units
        .get(&unit_id)
        .and_then(|unit| unit["content_hash"].as_str());
    Ok(hash.map(str::to_owned))
}

/// The unit that carries a removed one's code, where the removal in sync `sequence` names one.
pub(crate) async fn replaced_by(conn: &mut PgConnection, sequence: i64, unit_id: i64) -> Result<Option<i64>> {
    let body = body(conn, sequence).await?;
    Ok(body.and_then(|body| replacement(&body, unit_id)))
}

/// A body has its removals in a list, or in a list of each property, or is one.
fn replacement(body: &Map<String, Value>, unit_id: i64) -> Option<i64> {
    if body.get("unit_id").and_then(Value::as_i64) == Some(unit_id) {
        return body.get("replaced_by").and_then(Value::as_i64);
    }
    let lists = ["removed_units", "properties"]
        .into_iter()
        .filter_map(|name| body.get(name)?.as_array());
    lists
        .flatten()
        .filter_map(Value::as_object)
        .find_map(|entry| replacement(entry, unit_id))
}

async fn body(conn: &mut PgConnection, sequence: i64) -> Result<Option<Map<String, Value>>> {
    let body: Option<Option<Vec<u8>>> = sqlx::query_scalar(include_str!("../sql/verify/body.sql"))
        .bind(sequence)
        .fetch_optional(conn)
        .await?;
    let Some(body) = body.flatten() else { return Ok(None) };
    let body: Option<Value> = serde_json::from_slice(&decompressed(&body)?).ok();
    Ok(Some(body.and_then(object).with_context(|| {
        format!("the body of sequence {sequence} is no JSON object")
    })?))
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_differs_where_either_side_has_it_otherwise() {
        let sealed = json!({ "unit_id": 1, "base_rent": 1.0, "view": null, "content_hash": "a", "exposure": "N" });
        let present = json!({ "unit_id": 1, "base_rent": 2.0, "view": null, "content_hash": "b", "floor": 3 });
        let found = serde_json::to_value(differences(&sealed, &present)).unwrap();
        let expected = json!([
            { "field": "base_rent", "told": 1.0, "present": 2.0 },
            { "field": "exposure", "told": "N" },
            { "field": "floor", "present": 3 },
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_leads_name_is_not_shown_in_either_style() {
        let nested = json!({ "lead_assignment": { "lead_first_name": "A", "lead_last_name": "B" } });
        let other = json!({ "lead_assignment": { "lead_first_name": "C", "lead_last_name": "B" } });
        let found = serde_json::to_value(differences(&nested, &other)).unwrap();
        assert_eq!(found, json!([{ "field": "lead_assignment.lead_first_name" }]));
        let found = differences(&json!({ "lead_last_name": "B" }), &json!({}));
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            json!([{ "field": "lead_last_name" }])
        );
    }

    #[test]
    fn of_both_sides_every_field_is_there_and_of_a_lead_only_that_there_is_one() {
        let sealed = json!({ "floor": 1, "lead_first_name": "A", "lead_last_name": null, "content_hash": "x" });
        let present = json!({ "floor": 1, "view": "N", "lead_first_name": "B" });
        let found = serde_json::to_value(sides(Some(&sealed), Some(&present))).unwrap();
        let expected = json!([
            { "field": "floor", "told": 1, "present": 1, "differs": false },
            { "field": "lead_first_name", "told": "[hidden]", "present": "[hidden]", "differs": true },
            { "field": "lead_last_name", "told": null, "present": null, "differs": true },
            { "field": "view", "told": null, "present": "N", "differs": true },
        ]);
        assert_eq!(found, expected);
        assert!(sides(None, None).is_empty());
    }

    #[test]
    fn a_unit_is_found_in_every_kind_of_body() {
        let unit = json!({ "unit_id": 7, "floor": 1 });
        for body in [
            unit.clone(),
            json!({ "units": [{ "unit_id": 6 }, unit], "removed_units": [{ "unit_id": 7 }] }),
            json!({ "properties": [{ "units": [] }, { "units": [unit] }] }),
        ] {
            let mut bodies = Bodies::default();
            bodies.take(object(body).unwrap(), &BTreeSet::from([7]));
            assert_eq!(bodies.sealed.get(&7), Some(&unit));
            assert_eq!(bodies.sealed.len(), 1);
        }
    }
}
