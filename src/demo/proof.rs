//! Is the receiver's copy equal to the source? Compared unit by unit and field by field.
//!
//! Reads the source tables and the sandbox's state, and nothing of the relay: neither its ledger nor its payload code.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;
use sqlx::PgConnection;

use crate::sandbox::Sandbox;

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

/// Compares every unit and every property.
pub async fn compare(conn: &mut PgConnection, sandbox: &Sandbox, available: &[i64]) -> Result<Proof> {
    let rows: Vec<(i64, i64, Value)> = sqlx::query_as(include_str!("expected_units.sql"))
        .bind(available)
        .fetch_all(&mut *conn)
        .await?;
    let expected: BTreeMap<(i64, i64), Value> = rows
        .into_iter()
        .map(|(property_id, unit_id, unit)| ((property_id, unit_id), unit))
        .collect();
    let mut held = BTreeMap::new();
    let mut digest = [0_u8; 32];
    for property_id in sandbox.properties() {
        let Some(state) = sandbox.property(property_id) else {
            continue;
        };
        for (byte, with) in digest.iter_mut().zip(hex::decode(&state.digest)?) {
            *byte ^= with;
        }
        held.extend(
            state
                .units
                .into_iter()
                .map(|(unit_id, unit)| ((property_id, unit_id), unit)),
        );
    }
    let mut differences = unit_differences(&expected, &held);
    differences.extend(property_differences(conn, sandbox).await?);
    Ok(Proof {
        units: expected.len(),
        differences,
        digest: hex::encode(digest),
    })
}

fn unit_differences(expected: &BTreeMap<(i64, i64), Value>, held: &BTreeMap<(i64, i64), Value>) -> Vec<String> {
    let lacking = expected.iter().filter_map(|(key, unit)| match held.get(key) {
        None => Some(format!("unit {} of property {}: the receiver lacks it", key.1, key.0)),
        Some(other) => {
            field_difference(unit, other).map(|what| format!("unit {} of property {}: {what}", key.1, key.0))
        }
    });
    let surplus = held
        .keys()
        .filter(|key| !expected.contains_key(key))
        .map(|(property_id, unit_id)| format!("unit {unit_id} of property {property_id}: the receiver still has it"));
    lacking.chain(surplus).collect()
}

fn field_difference(expected: &Value, held: &Value) -> Option<String> {
    let (expected, held) = (expected.as_object()?, held.as_object()?);
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

async fn property_differences(conn: &mut PgConnection, sandbox: &Sandbox) -> Result<Vec<String>> {
    type Row = (i64, Option<String>, Option<String>);
    let properties: Vec<Row> =
        sqlx::query_as("select id::bigint, name, full_address from projects where is_actived order by id")
            .fetch_all(conn)
            .await?;
    Ok(properties
        .into_iter()
        .filter_map(|(property_id, name, address)| {
            let told = sandbox.property(property_id).and_then(|state| state.property);
            let field = |name: &str| told.as_ref().and_then(|told| told[name].as_str().map(str::to_owned));
            let same = told.is_some() && field("project_name") == name && field("address") == address;
            (!same).then(|| format!("property {property_id}: name or address differ, or it was never told"))
        })
        .collect())
}
