//! Is the receiver's copy equal to the source? Compared unit by unit and field by field, in whatever shape it was sent.
//!
//! Reads the source tables and the sandbox's state, and nothing of the relay: neither its ledger nor its payload code.
//! What sender and receiver agreed on is an input, so that both can be held to it.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};
use sqlx::{FromRow, PgConnection};

use crate::config::UnitCodes;
use rentsync_sandbox::{Format, PropertyId, PropertyState, Removed, Sandbox, SandboxOptions};

/// What sender and receiver agreed on, as far as it decides what the copy looks like.
pub struct Agreement {
    /// The statuses that mean available.
    pub available: Vec<i64>,
    /// The shape of what is sent to the sandbox.
    pub shape: SandboxOptions,
    /// Properties that the receiver knows by another id than the source.
    pub external_ids: BTreeMap<i64, PropertyId>,
    /// How its unit codes come of the source's.
    pub unit_codes: UnitCodes,
}

/// What a comparison found.
#[derive(Debug)]
pub struct Proof {
    /// Units that the source has to offer.
    pub units: usize,
    /// Each difference in words; none when both sides are equal.
    pub differences: Vec<String>,
    /// XOR of the receiver's property digests.
    pub digest: String,
}

/// Fields by their flat names.
type Fields = Map<String, Value>;
type Units = BTreeMap<(PropertyId, i64), Fields>;

/// Compares every unit and every property.
pub async fn compare(conn: &mut PgConnection, sandbox: &Sandbox, agreed: &Agreement) -> Result<Proof> {
    let expected = expected_units(conn, agreed).await?;
    let states: Vec<_> = sandbox
        .property_ids()
        .iter()
        .filter_map(|id| sandbox.property_by(id))
        .collect();
    let mut digest = [0_u8; 32];
    for state in &states {
        for (byte, with) in digest.iter_mut().zip(hex::decode(&state.digest)?) {
            *byte ^= with;
        }
    }
    let mut differences = unit_differences(&expected, &held_units(states), agreed);
    if agreed.shape.format == Format::Property {
        differences.extend(property_differences(conn, sandbox, agreed).await?);
    }
    Ok(Proof {
        units: expected.len(),
        differences,
        digest: hex::encode(digest),
    })
}

impl Agreement {
    /// The contract's defaults.
    pub fn new(available: &[i64]) -> Self {
        Self {
            available: available.to_vec(),
            shape: SandboxOptions::default(),
            external_ids: BTreeMap::new(),
            unit_codes: UnitCodes::default(),
        }
    }

    /// What the receiver knows a property by.
    pub fn id_of(&self, property_id: i64) -> PropertyId {
        let external = self.external_ids.get(&property_id).cloned();
        external.unwrap_or(PropertyId::Integer(property_id))
    }

    /// Of everything that the source has of a unit, what is sent.
    fn sent(&self, unit_id: i64, unit: Fields, mut beside: Fields) -> Fields {
        let is_sent = |name: &String| name == "unit_id" || self.shape.fields.contains(name);
        beside.extend(unit.into_iter().filter(|(name, _)| is_sent(name)));
        if let Some(code) = beside.get_mut("unit_code") {
            let mapped = self.unit_codes.map.get(&unit_id).cloned();
            let prefixed = code.as_str().map(|code| [&self.unit_codes.prefix, code].concat());
            *code = json!(mapped.or(prefixed));
        }
        beside
    }

    /// What stands beside a unit's own fields: whose it is, where the body around it doesn't say so.
    fn beside(&self, property_id: i64, name: Option<String>, address: Option<String>) -> Fields {
        let id = json!(self.id_of(property_id));
        let fields = match self.shape.format {
            Format::Property => json!({}),
            Format::Flat => json!({ "property_id": id }),
            Format::Unit => json!({ "project_id": id, "project_name": name, "property_address": address }),
        };
        fields_of(fields)
    }

    /// A receiver that is sent no removals keeps what went, and knows that it can't be had.
    fn may_be_left(&self, unit: &Fields) -> bool {
        self.shape.removed == Removed::Unavailable && unit.get("is_available") == Some(&json!(false))
    }
}

/// A unit as the source has it, and its property.
#[derive(FromRow)]
struct ExpectedUnit {
    property_id: i64,
    unit_id: i64,
    unit: Value,
    name: Option<String>,
    address: Option<String>,
}

async fn expected_units(conn: &mut PgConnection, agreed: &Agreement) -> Result<Units> {
    let rows: Vec<ExpectedUnit> = sqlx::query_as(include_str!("expected_units.sql"))
        .bind(&agreed.available)
        .fetch_all(conn)
        .await?;
    let expected = rows.into_iter().map(|row| {
        let beside = agreed.beside(row.property_id, row.name, row.address);
        let sent = agreed.sent(row.unit_id, fields_of(row.unit), beside);
        ((agreed.id_of(row.property_id), row.unit_id), sent)
    });
    Ok(expected.collect())
}

fn held_units(states: Vec<PropertyState>) -> Units {
    let of = |state: PropertyState| {
        let id = state.project_id;
        let units = state.units.into_iter();
        units.map(move |(unit_id, unit)| ((id.clone(), unit_id), flattened(unit)))
    };
    states.into_iter().flat_map(of).collect()
}

/// A nested unit's objects taken apart; a flat unit as it is.
fn flattened(unit: Value) -> Fields {
    let mut flat = Fields::new();
    for (key, value) in fields_of(unit) {
        match value {
            // Two keys are shorter within their object.
            Value::Object(status) if key == "status" => {
                flat.extend(status.into_iter().map(|(key, value)| (format!("status_{key}"), value)));
            }
            Value::Object(fields) => flat.extend(fields),
            value => {
                flat.insert(key, value);
            }
        }
    }
    flat
}

fn unit_differences(expected: &Units, held: &Units, agreed: &Agreement) -> Vec<String> {
    let lacking = expected.iter().filter_map(|(key, unit)| match held.get(key) {
        None => Some(format!("unit {} of property {}: the receiver lacks it", key.1, key.0)),
        Some(other) => {
            field_difference(unit, other).map(|what| format!("unit {} of property {}: {what}", key.1, key.0))
        }
    });
    let surplus = held
        .iter()
        .filter(|(key, unit)| !expected.contains_key(key) && !agreed.may_be_left(unit))
        .map(|((id, unit_id), _)| format!("unit {unit_id} of property {id}: the receiver still has it"));
    lacking.chain(surplus).collect()
}

fn field_difference(expected: &Fields, held: &Fields) -> Option<String> {
    let differing = expected
        .iter()
        .find(|(field, value)| !held.get(*field).is_some_and(|other| same(value, other)))
        .map(|(field, value)| format!("{field} is {:?}, not {value}", held.get(field)));
    let surplus = || {
        held.keys()
            .find(|field| *field != "content_hash" && !expected.contains_key(*field))
            .map(|field| format!("{field} should not be there"))
    };
    differing.or_else(surplus)
}

/// PostgreSQL writes 1500.0 as 1500.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

async fn property_differences(conn: &mut PgConnection, sandbox: &Sandbox, agreed: &Agreement) -> Result<Vec<String>> {
    let rows: Vec<(i64, Value, Value)> = sqlx::query_as(include_str!("expected_properties.sql"))
        .fetch_all(conn)
        .await?;
    let differences = rows.into_iter().filter_map(|(property_id, guide, extended)| {
        let id = agreed.id_of(property_id);
        let mut expected = fields_of(json!({ "project_id": id }));
        expected.extend(fields_of(guide));
        if agreed.shape.extensions {
            expected.extend(fields_of(extended));
        }
        let what = match sandbox.property_by(&id).and_then(|state| state.property) {
            Some(held) => field_difference(&expected, &fields_of(held))?,
            None => "it was never sent".to_owned(),
        };
        Some(format!("property {id}: {what}"))
    });
    Ok(differences.collect())
}

fn fields_of(object: Value) -> Fields {
    match object {
        Value::Object(fields) => fields,
        other => unreachable!("{other} is no object"),
    }
}
