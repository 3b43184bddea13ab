//! What a receiver passes over that isn't as strict as this one: keys that it doesn't know, and a time's fraction of a second.

use std::borrow::Cow;

use super::super::json::Node;
use super::unit::field_names;

/// Every key that some body has, beside the flat names of a unit's fields.
const KEYS: [&str; 36] = [
    "sync_metadata",
    "sync_id",
    "sync_timestamp",
    "source",
    "sync_type",
    "sequence",
    "snapshot_id",
    "part",
    "parts",
    "property",
    "properties",
    "property_id",
    "project_id",
    "project_name",
    "address",
    "property_address",
    "project_group_id",
    "is_active",
    "is_lease_up",
    "units",
    "unit_id",
    "content_hash",
    "removed_units",
    "removed",
    "reason",
    "replaced_by",
    "keep",
    "property_digest",
    "status",
    "id",
    "name",
    "availability",
    "pricing",
    "specifications",
    "attributes",
    "lead_assignment",
];

/// The body without what is passed over.
pub fn known_of(body: &mut Node) {
    match body {
        Node::Array(items) => items.iter_mut().for_each(known_of),
        Node::Object(entries) => {
            entries.retain(|(key, _)| KEYS.contains(&key.as_ref()) || field_names().any(|name| name == key));
            for (key, value) in entries {
                match value {
                    Node::Text(time) if key == "sync_timestamp" => *time = to_the_second(time),
                    _ => known_of(value),
                }
            }
        }
        _ => {}
    }
}

fn to_the_second<'a>(time: &Cow<'a, str>) -> Cow<'a, str> {
    match time.split_once('.') {
        Some((second, fraction)) if is_fraction(fraction) => Cow::Owned(format!("{second}Z")),
        _ => time.clone(),
    }
}

fn is_fraction(text: &str) -> bool {
    let digits = text.strip_suffix('Z').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}
