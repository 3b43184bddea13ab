//! What a body must look like, read from the contract alone, key by key and in order.
//!
//! [`told`] reads a body into a [`Told`] or refuses it with the place and the expectation. It
//! knows no state: whether a well-formed body also fits what was told before is the business of
//! [`super::state`]. Every format is a shape: a function from the body's [`Node`] to [`Told`].
//! There is one shape now, `property`; another one reuses [`metadata`], [`unit`] and [`removed`]
//! where it has the same parts.

use std::collections::HashSet;
use std::fmt::Display;

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::json::{Entries, Entry, Node, Place};
use super::refusal::Refusal;
use super::told::{Digest, Part, Removal, RemovedCode, SyncType, Told, ToldProperty, Upsert};

type Checked<T> = Result<T, Refusal>;

const ENVELOPE: [&str; 6] = [
    "sync_metadata",
    "property",
    "units",
    "removed_units",
    "keep",
    "property_digest",
];

const METADATA: [&str; 8] = [
    "sync_id",
    "sync_timestamp",
    "source",
    "sync_type",
    "sequence",
    "snapshot_id",
    "part",
    "parts",
];

const PROPERTY: [(&str, Kind); 6] = [
    ("project_id", Kind::Id),
    ("project_name", Kind::Text),
    ("address", Kind::Text),
    ("project_group_id", Kind::Integer),
    ("is_active", Kind::Bool),
    ("is_lease_up", Kind::Bool),
];

const UNIT: [(&str, Kind); 23] = [
    ("unit_id", Kind::Id),
    ("unit_code", Kind::Text),
    ("building", Kind::Text),
    ("floor", Kind::Integer),
    ("floorplan", Kind::Text),
    ("type", Kind::Text),
    ("dwelling_type", Kind::Text),
    ("status_id", Kind::Integer),
    ("status_name", Kind::Text),
    ("is_available", Kind::Decided),
    ("when_available", Kind::Text),
    ("base_rent", Kind::Float),
    ("price_amortized", Kind::Float),
    ("size_sqft", Kind::Integer),
    ("bedrooms", Kind::Float),
    ("bathrooms", Kind::Float),
    ("dens", Kind::Integer),
    ("exposure", Kind::Text),
    ("view", Kind::Text),
    ("has_garage", Kind::Bool),
    ("pets_allowed", Kind::Integer),
    ("parking_stalls", Kind::Integer),
    ("storage_boxes", Kind::Integer),
];

const LEAD: [(&str, Kind); 2] = [("lead_first_name", Kind::Text), ("lead_last_name", Kind::Text)];

const CONTENT_HASH: &str = "content_hash";

const REASONS: [&str; 4] = ["deleted", "moved", "property_inactive", "feed_disabled"];

/// What stands in a field. Only `Id` and `Decided` are never null.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Id,
    Decided,
    Text,
    Integer,
    Float,
    Bool,
}

impl Kind {
    fn takes(self, node: &Node) -> bool {
        matches!(
            (self, node),
            (Self::Id | Self::Integer, Node::Integer(_))
                | (Self::Decided | Self::Bool, Node::Bool(_))
                | (Self::Text, Node::Text(_))
                | (Self::Float, Node::Float(_))
                | (Self::Text | Self::Integer | Self::Float | Self::Bool, Node::Null)
        )
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Id => "an integer",
            Self::Decided => "true or false",
            Self::Text => "a string or null",
            Self::Integer => "an integer or null",
            Self::Float => "a number with a point (1500.0) or null",
            Self::Bool => "true, false or null",
        }
    }
}

/// Reads a body; `header` is the sync ID that came beside it.
pub fn told(body: &[u8], header: &str) -> Checked<Told> {
    let body: Node =
        serde_json::from_slice(body).map_err(|error| Refusal::breach(Place::Root, format!("is not JSON: {error}")))?;
    property_shape(&body, header)
}

/// format = "property", batch = "per_property".
fn property_shape(body: &Node, header: &str) -> Checked<Told> {
    let root = Place::Root;
    let [meta, property, units, removed_units, keep, property_digest] = fields(body, &root, &ENVELOPE)?;
    let (sync_id, sequence, sync_type) = metadata(meta, &root.key("sync_metadata"), header)?;
    let (project_id, property) = project(property, &root.key("property"))?;
    let told = ToldProperty {
        place: root.to_string(),
        project_id,
        property: Some(property),
        upserts: each(units, &root.key("units"), unit)?,
        removals: each(removed_units, &root.key("removed_units"), removed)?,
        keep: each(keep, &root.key("keep"), integer)?,
        property_digest: digest(property_digest, &root.key("property_digest"))?,
    };
    each_unit_once(&told)?;
    lists_fit_the_type(&told, &sync_type)?;
    Ok(Told {
        sync_id,
        sequence,
        sync_type,
        properties: vec![told],
    })
}

/// `sync_metadata`: which sync it is, its place in the order, what absence means.
fn metadata(node: &Node, place: &Place, header: &str) -> Checked<(String, i64, SyncType)> {
    let [id, timestamp, source, name, sequence, snapshot_id, part, parts] = fields(node, place, &METADATA)?;
    let id = sync_id(id, &place.key("sync_id"), header)?;
    sync_timestamp(timestamp, &place.key("sync_timestamp"), id)?;
    one_of(source, &place.key("source"), &["aigent"])?;
    let names = ["delta", "snapshot", "replay"];
    let name = one_of(name, &place.key("sync_type"), &names)?;
    let sequence = positive(sequence, &place.key("sequence"))?;
    let part = positive(part, &place.key("part"))?;
    let parts = positive(parts, &place.key("parts"))?;
    if part > parts {
        return wrong(
            &place.key("part"),
            format!("is {part} of {parts}; expected at most parts"),
        );
    }
    let sync_type = match name {
        "snapshot" => SyncType::Snapshot(Part {
            snapshot_id: snapshot_uuid(snapshot_id, &place.key("snapshot_id"))?,
            part,
            parts,
        }),
        _ => {
            of_no_snapshot(name, snapshot_id, parts, place)?;
            match name {
                "delta" => SyncType::Delta,
                _ => SyncType::Replay,
            }
        }
    };
    Ok((id.to_owned(), sequence, sync_type))
}

/// `sync-YYYY-MM-DD-HH-MM-SS-<32 hex>`, the same as in the header.
fn sync_id<'n>(node: &'n Node, place: &Place, header: &str) -> Checked<&'n str> {
    let id = string(node, place)?;
    if sync_id_time(id).is_none() {
        return wrong(
            place,
            format!(
                "is {id:?}; expected sync-YYYY-MM-DD-HH-MM-SS-<32 lowercase hex digits> with a \
                 real UTC time"
            ),
        );
    }
    if id != header {
        return wrong(
            place,
            format!("is {id:?}; expected the header X-Aigent-Sync-ID's {header:?}"),
        );
    }
    Ok(id)
}

/// The time in a sync ID, if all of the ID is well-formed.
fn sync_id_time(id: &str) -> Option<NaiveDateTime> {
    let rest = id.strip_prefix("sync-")?;
    let (time, unique) = (rest.get(..19)?, rest.get(19..)?.strip_prefix('-')?);
    (unique.len() == 32 && is_lowercase_hex(unique)).then_some(())?;
    exact_time(time, "%Y-%m-%d-%H-%M-%S")
}

/// The same second as in the sync ID, as the guide writes it.
fn sync_timestamp(node: &Node, place: &Place, sync_id: &str) -> Checked<()> {
    let text = string(node, place)?;
    let Some(time) = exact_time(text, "%Y-%m-%dT%H:%M:%SZ") else {
        return wrong(
            place,
            format!("is {text:?}; expected a UTC time like 2025-01-15T02:00:00Z"),
        );
    };
    if Some(time) != sync_id_time(sync_id) {
        return wrong(place, format!("is {text:?}; expected the second that sync_id names"));
    }
    Ok(())
}

/// Parses a time that has exactly this form; chrono alone would take missing zeros and signs.
fn exact_time(text: &str, form: &str) -> Option<NaiveDateTime> {
    let time = NaiveDateTime::parse_from_str(text, form).ok()?;
    (time.format(form).to_string() == text).then_some(time)
}

fn snapshot_uuid(node: &Node, place: &Place) -> Checked<String> {
    let text = string(node, place)?;
    match Uuid::try_parse(text) {
        Ok(uuid) if uuid.hyphenated().to_string() == text => Ok(text.to_owned()),
        _ => wrong(
            place,
            "is no UUID; expected one in lowercase with hyphens, as this is a snapshot",
        ),
    }
}

/// A delta or replay belongs to no snapshot and has no parts.
fn of_no_snapshot(name: &str, snapshot_id: &Node, parts: i64, place: &Place) -> Checked<()> {
    if *snapshot_id != Node::Null {
        return wrong(
            &place.key("snapshot_id"),
            format!("is {}; expected null, as this is a {name}", snapshot_id.kind()),
        );
    }
    if parts != 1 {
        return wrong(
            &place.key("parts"),
            format!("is {parts}; expected 1, as only a snapshot has parts"),
        );
    }
    Ok(())
}

/// `property`; answers its id and its text.
fn project(node: &Node, place: &Place) -> Checked<(i64, String)> {
    let values = fields(node, place, &PROPERTY.map(|(key, _)| key))?;
    typed(&values, place, &PROPERTY)?;
    let project_id = integer(values[0], &place.key("project_id"))?;
    Ok((project_id, Entries(entries(node, place)?).text()))
}

/// One element of `units`, flat, with the lead's two keys or without.
fn unit(node: &Node, place: &Place) -> Checked<Upsert> {
    let entries = entries(node, place)?;
    let has_lead = has_lead(entries, place)?;
    let mut table = UNIT.to_vec();
    if has_lead {
        table.extend(LEAD);
    }
    let mut keys: Vec<_> = table.iter().map(|(key, _)| *key).collect();
    keys.push(CONTENT_HASH);
    keys_are(entries, place, &keys)?;
    let values: Vec<_> = entries.iter().map(|(_, value)| value).collect();
    typed(&values, place, &table)?;
    available_has_status(entries, place)?;
    if has_lead {
        lead_is_assigned(entries, place)?;
    }
    Ok(Upsert {
        unit_id: integer(values[0], &place.key("unit_id"))?,
        unit_code: optional_string(values[1], &place.key("unit_code"))?,
        content: Entries(&entries[..table.len()]).text(),
        content_hash: digest(values[table.len()], &place.key(CONTENT_HASH))?,
    })
}

/// Whether both of the lead's keys are there; one alone is wrong.
fn has_lead(entries: &[Entry], place: &Place) -> Checked<bool> {
    match LEAD.map(|(key, _)| entries.iter().any(|(found, _)| found == key)) {
        [false, false] => Ok(false),
        [true, true] => Ok(true),
        _ => wrong(
            place,
            "has one of lead_first_name and lead_last_name; expected both or neither",
        ),
    }
}

/// A unit without a status is not available.
fn available_has_status(entries: &[Entry], place: &Place) -> Checked<()> {
    match (value(entries, "status_id"), value(entries, "is_available")) {
        (Node::Null, Node::Bool(true)) => wrong(
            &place.key("is_available"),
            "is true; expected false, as status_id is null",
        ),
        _ => Ok(()),
    }
}

/// The lead's keys are there only when a lead is assigned: one of the names says something.
fn lead_is_assigned(entries: &[Entry], place: &Place) -> Checked<()> {
    let named = |key| matches!(value(entries, key), Node::Text(name) if !name.trim().is_empty());
    if LEAD.iter().any(|(key, _)| named(key)) {
        return Ok(());
    }
    wrong(
        &place.key("lead_first_name"),
        "and lead_last_name are null or blank; expected neither key, as no lead is assigned",
    )
}

/// One element of `removed_units`.
fn removed(node: &Node, place: &Place) -> Checked<Removal> {
    let found = entries(node, place)?;
    let has = |key| found.iter().any(|(name, _)| name == key);
    if has("unit_code") && has("replaced_by") {
        return wrong(place, "has unit_code and replaced_by; expected exactly one of them");
    }
    let replaced = has("replaced_by");
    let code_key = if replaced { "replaced_by" } else { "unit_code" };
    let [unit_id, code, reason] = fields(node, place, &["unit_id", code_key, "reason"])?;
    let code = if replaced {
        RemovedCode::ReplacedBy(integer(code, &place.key(code_key))?)
    } else {
        RemovedCode::Freed(optional_string(code, &place.key(code_key))?)
    };
    one_of(reason, &place.key("reason"), &REASONS)?;
    Ok(Removal {
        unit_id: integer(unit_id, &place.key("unit_id"))?,
        code,
    })
}

/// A unit is told once: in `units`, in `removed_units` or in `keep`.
fn each_unit_once(told: &ToldProperty) -> Checked<()> {
    let units = told.upserts.iter().map(|unit| unit.unit_id).enumerate();
    let removed = told.removals.iter().map(|unit| unit.unit_id).enumerate();
    let kept = told.keep.iter().copied().enumerate();
    let all = units
        .map(|(index, id)| ("units", index, ".unit_id", id))
        .chain(removed.map(|(index, id)| ("removed_units", index, ".unit_id", id)))
        .chain(kept.map(|(index, id)| ("keep", index, "", id)));
    let mut seen = HashSet::new();
    for (list, index, key, unit_id) in all {
        if !seen.insert(unit_id) {
            return wrong(
                &format_args!("{}.{list}[{index}]{key}", told.place),
                format!("{unit_id} was told before in this body; expected each unit once"),
            );
        }
    }
    Ok(())
}

/// `keep` speaks of what a snapshot would drop, and a snapshot removes by absence.
fn lists_fit_the_type(told: &ToldProperty, sync_type: &SyncType) -> Checked<()> {
    let snapshot = matches!(sync_type, SyncType::Snapshot(_));
    if !snapshot && !told.keep.is_empty() {
        return wrong(
            &format_args!("{}.keep", told.place),
            format!("is not empty; expected [], as this is a {}", sync_type.name()),
        );
    }
    if snapshot && !told.removals.is_empty() {
        return wrong(
            &format_args!("{}.removed_units", told.place),
            "is not empty; expected [], as a snapshot removes by absence",
        );
    }
    Ok(())
}

/// The values of an object that has exactly these keys in this order.
fn fields<'n, 'a, const N: usize>(node: &'n Node<'a>, place: &Place, keys: &[&str; N]) -> Checked<[&'n Node<'a>; N]> {
    let entries = entries(node, place)?;
    keys_are(entries, place, keys)?;
    Ok(std::array::from_fn(|index| &entries[index].1))
}

/// Exactly these keys, in this order; else the first thing that is wrong, worst first.
fn keys_are(entries: &[Entry], place: &Place, keys: &[&str]) -> Checked<()> {
    let found: Vec<_> = entries.iter().map(|(key, _)| key.as_ref()).collect();
    if found == keys {
        return Ok(());
    }
    for (index, key) in found.iter().enumerate() {
        if !keys.contains(key) {
            return wrong(
                &place.key(key),
                format!("is an unknown key; expected only {}", keys.join(", ")),
            );
        }
        if found[..index].contains(key) {
            return wrong(&place.key(key), "appears twice; expected each key once");
        }
    }
    if let Some(missing) = keys.iter().find(|key| !found.contains(key)) {
        return wrong(&place.key(missing), "is missing");
    }
    let (early, due) = found
        .iter()
        .zip(keys)
        .find(|(found, due)| found != due)
        .expect("the same keys in another order differ somewhere");
    wrong(
        &place.key(early),
        format!("stands where {due} should; expected the order {}", keys.join(", ")),
    )
}

/// Every value is of its field's kind.
fn typed(values: &[&Node], place: &Place, table: &[(&str, Kind)]) -> Checked<()> {
    for ((key, kind), value) in table.iter().zip(values) {
        if !kind.takes(value) {
            return wrong(
                &place.key(key),
                format!("is {}; expected {}", value.kind(), kind.expected()),
            );
        }
    }
    Ok(())
}

/// The value of a key that was found before.
fn value<'n, 'a>(entries: &'n [Entry<'a>], key: &str) -> &'n Node<'a> {
    entries
        .iter()
        .find(|(found, _)| found == key)
        .map_or(&Node::Null, |(_, value)| value)
}

fn entries<'n, 'a>(node: &'n Node<'a>, place: &Place) -> Checked<&'n [Entry<'a>]> {
    match node {
        Node::Object(entries) => Ok(entries),
        other => wrong(place, format!("is {}; expected an object", other.kind())),
    }
}

/// Every element of an array, read by `read`.
fn each<T>(node: &Node, place: &Place, read: impl Fn(&Node, &Place) -> Checked<T>) -> Checked<Vec<T>> {
    match node {
        Node::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| read(element, &place.index(index)))
            .collect(),
        other => wrong(place, format!("is {}; expected an array", other.kind())),
    }
}

fn string<'n>(node: &'n Node, place: &Place) -> Checked<&'n str> {
    match node {
        Node::Text(text) => Ok(text),
        other => wrong(place, format!("is {}; expected a string", other.kind())),
    }
}

fn optional_string(node: &Node, place: &Place) -> Checked<Option<String>> {
    match node {
        Node::Null => Ok(None),
        Node::Text(text) => Ok(Some(text.to_string())),
        other => wrong(place, format!("is {}; expected a string or null", other.kind())),
    }
}

fn integer(node: &Node, place: &Place) -> Checked<i64> {
    match node {
        Node::Integer(value) => Ok(*value),
        other => wrong(place, format!("is {}; expected an integer", other.kind())),
    }
}

fn positive(node: &Node, place: &Place) -> Checked<i64> {
    match integer(node, place)? {
        value if value > 0 => Ok(value),
        value => wrong(place, format!("is {value}; expected a positive integer")),
    }
}

fn one_of<'n>(node: &'n Node, place: &Place, allowed: &[&str]) -> Checked<&'n str> {
    let text = string(node, place)?;
    if allowed.contains(&text) {
        return Ok(text);
    }
    wrong(place, format!("is {text:?}; expected {}", allowed.join(" or ")))
}

fn digest(node: &Node, place: &Place) -> Checked<Digest> {
    let text = string(node, place)?;
    let mut bytes = Digest::default();
    if is_lowercase_hex(text) && hex::decode_to_slice(text, &mut bytes).is_ok() {
        return Ok(bytes);
    }
    wrong(place, "is no SHA-256; expected 64 lowercase hex digits")
}

fn is_lowercase_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn wrong<T>(place: &impl Display, what: impl Display) -> Checked<T> {
    Err(Refusal::breach(place, what))
}
