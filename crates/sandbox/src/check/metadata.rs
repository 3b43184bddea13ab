//! `sync_metadata`: which sync a body is, its place in the order, what absence from it means.

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::super::json::{Node, Place};
use super::super::received::{Order, Part, SyncType};
use super::object::{Checked, Object, is_lowercase_hex, one_of, positive, string, wrong};

const GUIDE: [&str; 3] = ["sync_id", "sync_timestamp", "source"];

const EXTENDED: [&str; 8] = [
    "sync_id",
    "sync_timestamp",
    "source",
    "sync_type",
    "sequence",
    "snapshot_id",
    "part",
    "parts",
];

/// The whole object; `header` is the sync ID beside the body. Without extensions there is no order.
pub fn metadata(node: &Node, place: &Place, header: &str, extensions: bool) -> Checked<Option<Order>> {
    let keys: &[&str] = if extensions { &EXTENDED } else { &GUIDE };
    let object = Object::with(node, place, keys)?;
    object.read("sync_id", |node, place| sync_id(node, place, header))?;
    object.read("sync_timestamp", |node, place| sync_timestamp(node, place, header))?;
    object.read("source", |node, place| one_of(node, place, &["aigent"]))?;
    extensions.then(|| order(&object, place)).transpose()
}

fn order(object: &Object, place: &Place) -> Checked<Order> {
    let names = ["delta", "snapshot", "replay"];
    let name = object.read("sync_type", |node, place| one_of(node, place, &names))?;
    let sequence = object.read("sequence", positive)?;
    let (part, parts) = (object.read("part", positive)?, object.read("parts", positive)?);
    if part > parts {
        return wrong(
            &place.key("part"),
            format!("is {part} of {parts}; expected at most parts"),
        );
    }
    let sync_type = match name {
        "snapshot" => SyncType::Snapshot(Part {
            snapshot_id: object.read("snapshot_id", snapshot_uuid)?,
            part,
            parts,
        }),
        "delta" => SyncType::Delta,
        _ => SyncType::Replay,
    };
    of_no_snapshot(object, &sync_type, parts, place)?;
    Ok(Order { sequence, sync_type })
}

/// A delta or replay belongs to no snapshot and has no parts.
fn of_no_snapshot(object: &Object, sync_type: &SyncType, parts: i64, place: &Place) -> Checked<()> {
    if matches!(sync_type, SyncType::Snapshot(_)) {
        return Ok(());
    }
    object.read("snapshot_id", |node, place| match node {
        Node::Null => Ok(()),
        other => wrong(
            place,
            format!("is {}; expected null, as this is a {}", other.kind(), sync_type.name()),
        ),
    })?;
    if parts != 1 {
        return wrong(
            &place.key("parts"),
            format!("is {parts}; expected 1, as only a snapshot has parts"),
        );
    }
    Ok(())
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

/// `sync-YYYY-MM-DD-HH-MM-SS-<32 hex>`, the same as in the header.
fn sync_id(node: &Node, place: &Place, header: &str) -> Checked<()> {
    let id = string(node, place)?;
    well_formed(id, place)?;
    if id != header {
        return wrong(
            place,
            format!("is {id:?}; expected the header X-Aigent-Sync-ID's {header:?}"),
        );
    }
    Ok(())
}

/// The sync ID of a body that has none.
pub fn lone_header(header: &str) -> Checked<()> {
    well_formed(header, &"header X-Aigent-Sync-ID")
}

fn well_formed(id: &str, place: &impl std::fmt::Display) -> Checked<()> {
    if sync_id_time(id).is_some() {
        return Ok(());
    }
    wrong(
        place,
        format!("is {id:?}; expected sync-YYYY-MM-DD-HH-MM-SS-<32 lowercase hex digits> with a real UTC time"),
    )
}

/// The time in a sync ID, if all of the ID is well-formed.
fn sync_id_time(id: &str) -> Option<NaiveDateTime> {
    let rest = id.strip_prefix("sync-")?;
    let (time, unique) = (rest.get(..19)?, rest.get(19..)?.strip_prefix('-')?);
    (unique.len() == 32 && is_lowercase_hex(unique)).then_some(())?;
    exact_time(time, "%Y-%m-%d-%H-%M-%S")
}

/// The same second as in the sync ID, as the guide writes it.
pub fn sync_timestamp(node: &Node, place: &Place, sync_id: &str) -> Checked<()> {
    let text = string(node, place)?;
    let Some(time) = exact_time(text, "%Y-%m-%dT%H:%M:%SZ") else {
        return wrong(
            place,
            format!("is {text:?}; expected a UTC time like 2025-01-15T02:00:00Z"),
        );
    };
    if Some(time) != sync_id_time(sync_id) {
        return wrong(
            place,
            format!("is {text:?}; expected the second that the sync ID names"),
        );
    }
    Ok(())
}

/// Parses a time that has exactly this form; chrono alone would take missing zeros and signs.
fn exact_time(text: &str, form: &str) -> Option<NaiveDateTime> {
    let time = NaiveDateTime::parse_from_str(text, form).ok()?;
    (time.format(form).to_string() == text).then_some(time)
}
