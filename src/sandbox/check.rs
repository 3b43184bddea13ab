//! What a request must look like: the contract, read strictly.
//!
//! Pure. A refusal says what is wrong, where, and what was expected.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::Json;

/// What a body tells, whatever its format.
#[derive(Debug)]
pub(super) struct Told {
    pub sync_id: String,
    pub sync_type: String,
    pub sequence: i64,
    pub snapshot: Option<Snapshot>,
    pub project_id: i64,
    pub property: Value,
    pub units: Vec<Unit>,
    pub removed: Vec<Removed>,
    pub digest: String,
}

/// Which part of which snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub id: String,
    pub part: i64,
    pub parts: i64,
    pub keep: Vec<i64>,
}

#[derive(Debug)]
pub(super) struct Unit {
    pub unit_id: i64,
    pub unit_code: Option<String>,
    pub content_hash: String,
    /// As it was sent.
    pub json: String,
}

#[derive(Debug)]
pub(super) struct Removed {
    pub unit_id: i64,
    pub unit_code: Option<String>,
    pub replaced_by: Option<i64>,
}

type Checked<T> = Result<T, String>;

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Float,
    Text,
    Bool,
}

/// Flat unit keys in the contract's order, and whether null is a value.
const UNIT: [(&str, Kind, bool); 23] = [
    ("unit_id", Kind::Integer, false),
    ("unit_code", Kind::Text, true),
    ("building", Kind::Text, true),
    ("floor", Kind::Integer, true),
    ("floorplan", Kind::Text, true),
    ("type", Kind::Text, true),
    ("dwelling_type", Kind::Text, true),
    ("status_id", Kind::Integer, true),
    ("status_name", Kind::Text, true),
    ("is_available", Kind::Bool, false),
    ("when_available", Kind::Text, true),
    ("base_rent", Kind::Float, true),
    ("price_amortized", Kind::Float, true),
    ("size_sqft", Kind::Integer, true),
    ("bedrooms", Kind::Float, true),
    ("bathrooms", Kind::Float, true),
    ("dens", Kind::Integer, true),
    ("exposure", Kind::Text, true),
    ("view", Kind::Text, true),
    ("has_garage", Kind::Bool, true),
    ("pets_allowed", Kind::Integer, true),
    ("parking_stalls", Kind::Integer, true),
    ("storage_boxes", Kind::Integer, true),
];
const LEAD: [(&str, Kind, bool); 2] = [
    ("lead_first_name", Kind::Text, true),
    ("lead_last_name", Kind::Text, true),
];
const PROPERTY: [(&str, Kind, bool); 6] = [
    ("project_id", Kind::Integer, false),
    ("project_name", Kind::Text, true),
    ("address", Kind::Text, true),
    ("project_group_id", Kind::Integer, true),
    ("is_active", Kind::Bool, false),
    ("is_lease_up", Kind::Bool, true),
];
const REASONS: [&str; 4] = ["deleted", "moved", "property_inactive", "feed_disabled"];

/// Reads a body in format "property", one property a request, flat units, with extensions.
pub(super) fn check(body: &[u8], header_sync_id: &str) -> Checked<Told> {
    let json: Json =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON as expected: {error}"))?;
    let [metadata, property, units, removed, keep, digest] = object(
        &json,
        "$",
        [
            "sync_metadata",
            "property",
            "units",
            "removed_units",
            "keep",
            "property_digest",
        ],
    )?;
    let mut told = check_metadata(metadata, header_sync_id)?;
    fields(property, "$.property", &PROPERTY)?;
    told.project_id = integer(&entries(property, "$.property")?[0].1, "$.property.project_id")?;
    told.property = plain(property);
    told.units = check_units(units, body)?;
    told.removed = check_removed(removed)?;
    check_keep(keep, &mut told)?;
    told.digest = hash(digest, "$.property_digest")?;
    check_ids(&told)?;
    Ok(told)
}

fn check_metadata(json: &Json, header_sync_id: &str) -> Checked<Told> {
    let path = "$.sync_metadata";
    let [
        sync_id,
        timestamp,
        source,
        sync_type,
        sequence,
        snapshot_id,
        part,
        parts,
    ] = object(
        json,
        path,
        [
            "sync_id",
            "sync_timestamp",
            "source",
            "sync_type",
            "sequence",
            "snapshot_id",
            "part",
            "parts",
        ],
    )?;
    let sync_id = text(sync_id, "$.sync_metadata.sync_id")?;
    let timestamp = text(timestamp, "$.sync_metadata.sync_timestamp")?;
    check_sync_id(sync_id, timestamp)?;
    if sync_id != header_sync_id {
        return Err(format!(
            "{path}.sync_id: the header X-Aigent-Sync-ID says {header_sync_id:?}, the body {sync_id:?}"
        ));
    }
    if text(source, "$.sync_metadata.source")? != "aigent" {
        return Err(format!("{path}.source: expected \"aigent\""));
    }
    let sync_type = text(sync_type, "$.sync_metadata.sync_type")?;
    if !["delta", "snapshot", "replay"].contains(&sync_type) {
        return Err(format!(
            "{path}.sync_type: expected delta, snapshot or replay, found {sync_type:?}"
        ));
    }
    let sequence = integer(sequence, "$.sync_metadata.sequence")?;
    if sequence < 1 {
        return Err(format!("{path}.sequence: expected a positive number, found {sequence}"));
    }
    let part = integer(part, "$.sync_metadata.part")?;
    let parts = integer(parts, "$.sync_metadata.parts")?;
    if part < 1 || part > parts || (sync_type != "snapshot" && parts != 1) {
        return Err(format!(
            "{path}: part {part} of {parts} makes no sense in a {sync_type}"
        ));
    }
    let snapshot = match (sync_type, snapshot_id) {
        ("snapshot", Json::String(id)) if uuid::Uuid::try_parse(id).is_ok() => Some(Snapshot {
            id: id.clone(),
            part,
            parts,
            keep: Vec::new(),
        }),
        ("delta" | "replay", Json::Null) => None,
        _ => {
            return Err(format!(
                "{path}.snapshot_id: expected a uuid in a snapshot, null in anything else"
            ));
        }
    };
    Ok(Told {
        sync_id: sync_id.to_owned(),
        sync_type: sync_type.to_owned(),
        sequence,
        snapshot,
        project_id: 0,
        property: Value::Null,
        units: Vec::new(),
        removed: Vec::new(),
        digest: String::new(),
    })
}

/// `sync-YYYY-MM-DD-HH-MM-SS-<32 hex>`, at the moment of `sync_timestamp`.
fn check_sync_id(sync_id: &str, timestamp: &str) -> Checked<()> {
    let wrong = || {
        format!(
            "$.sync_metadata.sync_id: expected sync-YYYY-MM-DD-HH-MM-SS-<32 hex digits> at sync_timestamp {timestamp:?}, \
             found {sync_id:?}"
        )
    };
    let (moment, id) = sync_id
        .strip_prefix("sync-")
        .and_then(|rest| rest.split_at_checked(20))
        .ok_or_else(wrong)?;
    let named = NaiveDateTime::parse_from_str(moment, "%Y-%m-%d-%H-%M-%S-").map_err(|_| wrong())?;
    let said = NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%dT%H:%M:%SZ")
        .map_err(|_| format!("$.sync_metadata.sync_timestamp: expected YYYY-MM-DDTHH:MM:SSZ, found {timestamp:?}"))?;
    if named != said || !is_hex(id, 32) {
        return Err(wrong());
    }
    Ok(())
}

fn check_units(json: &Json, body: &[u8]) -> Checked<Vec<Unit>> {
    /// The units' own bytes: what is kept is what was sent.
    #[derive(serde::Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        units: Vec<&'a RawValue>,
    }
    let items = array(json, "$.units")?;
    let raw: Raw = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    items
        .iter()
        .zip(raw.units)
        .enumerate()
        .map(|(index, (unit, raw))| check_unit(unit, raw.get(), &format!("$.units[{index}]")))
        .collect()
}

fn check_unit(json: &Json, raw: &str, path: &str) -> Checked<Unit> {
    let entries = entries(json, path)?;
    let has_lead = entries.iter().any(|(key, _)| key.starts_with("lead_"));
    let mut expected: Vec<_> = UNIT.to_vec();
    if has_lead {
        expected.extend(LEAD);
    }
    expected.push(("content_hash", Kind::Text, false));
    fields(json, path, &expected)?;
    if has_lead {
        let blank = |key| {
            let value = entries.iter().find(|(known, _)| known == key).map(|(_, value)| value);
            !matches!(value, Some(Json::String(name)) if !name.trim().is_empty())
        };
        if blank("lead_first_name") && blank("lead_last_name") {
            return Err(format!("{path}: lead keys without a lead"));
        }
    }
    Ok(Unit {
        unit_id: integer(&entries[0].1, path)?,
        unit_code: optional_text(&entries[1].1),
        content_hash: hash(&entries[entries.len() - 1].1, &format!("{path}.content_hash"))?,
        json: raw.to_owned(),
    })
}

fn check_removed(json: &Json) -> Checked<Vec<Removed>> {
    array(json, "$.removed_units")?
        .iter()
        .enumerate()
        .map(|(index, removed)| check_removal(removed, &format!("$.removed_units[{index}]")))
        .collect()
}

fn check_removal(json: &Json, path: &str) -> Checked<Removed> {
    let replaced = entries(json, path)?.iter().any(|(key, _)| key == "replaced_by");
    let second = if replaced {
        ("replaced_by", Kind::Integer, false)
    } else {
        ("unit_code", Kind::Text, true)
    };
    fields(
        json,
        path,
        &[("unit_id", Kind::Integer, false), second, ("reason", Kind::Text, false)],
    )?;
    let entries = entries(json, path)?;
    let reason = text(&entries[2].1, path)?;
    if !REASONS.contains(&reason) {
        return Err(format!(
            "{path}.reason: expected one of {}, found {reason:?}",
            REASONS.join(", ")
        ));
    }
    Ok(Removed {
        unit_id: integer(&entries[0].1, path)?,
        unit_code: if replaced { None } else { optional_text(&entries[1].1) },
        replaced_by: if replaced {
            Some(integer(&entries[1].1, path)?)
        } else {
            None
        },
    })
}

fn check_keep(json: &Json, told: &mut Told) -> Checked<()> {
    let keep: Vec<i64> = array(json, "$.keep")?
        .iter()
        .map(|id| integer(id, "$.keep"))
        .collect::<Checked<_>>()?;
    match &mut told.snapshot {
        Some(snapshot) => snapshot.keep = keep,
        None if keep.is_empty() => {}
        None => {
            return Err(format!(
                "$.keep: only a snapshot keeps units, this is a {}",
                told.sync_type
            ));
        }
    }
    Ok(())
}

/// No unit is told twice in one body.
fn check_ids(told: &Told) -> Checked<()> {
    let mut seen = HashSet::new();
    let ids = told.units.iter().map(|unit| unit.unit_id);
    for unit_id in ids.chain(told.removed.iter().map(|removed| removed.unit_id)) {
        if !seen.insert(unit_id) {
            return Err(format!("unit {unit_id} is in units and removed_units more than once"));
        }
    }
    Ok(())
}

/// An object's values, checked to have just these keys in this order.
fn object<'a, const N: usize>(json: &'a Json, path: &str, keys: [&str; N]) -> Checked<[&'a Json; N]> {
    let entries = entries(json, path)?;
    check_keys(entries, path, &keys)?;
    let values: Vec<_> = entries.iter().map(|(_, value)| value).collect();
    values
        .try_into()
        .map_err(|_| format!("{path}: other keys than expected"))
}

fn fields(json: &Json, path: &str, expected: &[(&str, Kind, bool)]) -> Checked<()> {
    let entries = entries(json, path)?;
    let keys: Vec<_> = expected.iter().map(|(key, ..)| *key).collect();
    check_keys(entries, path, &keys)?;
    for ((key, value), (_, kind, nullable)) in entries.iter().zip(expected) {
        let (fits, wanted) = match (kind, value) {
            (_, Json::Null) => (*nullable, "a value"),
            (Kind::Integer, _) => (matches!(value, Json::Integer(_)), "an integer"),
            (Kind::Float, _) => (matches!(value, Json::Float(_)), "a float, written with its point"),
            (Kind::Text, _) => (matches!(value, Json::String(_)), "a string"),
            (Kind::Bool, _) => (matches!(value, Json::Bool(_)), "a boolean"),
        };
        if !fits {
            return Err(format!("{path}.{key}: expected {wanted}, found {}", value.kind()));
        }
    }
    Ok(())
}

fn check_keys(entries: &[(String, Json)], path: &str, keys: &[&str]) -> Checked<()> {
    let found: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
    if found == keys {
        return Ok(());
    }
    let lacking = keys.iter().find(|key| !found.contains(key));
    let surplus = found.iter().find(|key| !keys.contains(key));
    Err(match (lacking, surplus) {
        (Some(key), _) => format!("{path}: key {key} is missing"),
        (None, Some(key)) => format!("{path}: key {key} is unknown"),
        (None, None) => format!(
            "{path}: the keys' order is {}, expected {}",
            found.join(", "),
            keys.join(", ")
        ),
    })
}

fn entries<'a>(json: &'a Json, path: &str) -> Checked<&'a [(String, Json)]> {
    match json {
        Json::Object(entries) => Ok(entries),
        other => Err(format!("{path}: expected an object, found {}", other.kind())),
    }
}

fn array<'a>(json: &'a Json, path: &str) -> Checked<&'a [Json]> {
    match json {
        Json::Array(items) => Ok(items),
        other => Err(format!("{path}: expected an array, found {}", other.kind())),
    }
}

fn text<'a>(json: &'a Json, path: &str) -> Checked<&'a str> {
    match json {
        Json::String(text) => Ok(text),
        other => Err(format!("{path}: expected a string, found {}", other.kind())),
    }
}

fn optional_text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn integer(json: &Json, path: &str) -> Checked<i64> {
    match json {
        Json::Integer(number) => Ok(*number),
        other => Err(format!("{path}: expected an integer, found {}", other.kind())),
    }
}

fn hash(json: &Json, path: &str) -> Checked<String> {
    match json {
        Json::String(text) if is_hex(text, 64) => Ok(text.clone()),
        _ => Err(format!("{path}: expected 64 lower-case hex digits")),
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Integer(value) => (*value).into(),
        Json::Float(value) => (*value).into(),
        Json::String(value) => value.clone().into(),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
