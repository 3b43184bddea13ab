//! Units that went, and what else a body's lists say together.

use std::collections::HashSet;

use super::super::json::{Node, Place};
use super::super::options::Removed;
use super::super::received::{Order, Part, ReceivedProperty, Removal, RemovedCode, SyncType};
use super::object::{Checked, Object, entries, has, integer, one_of, optional_string, wrong};
use super::shape::Shape;

const REASONS: [&str; 4] = ["deleted", "moved", "property_inactive", "feed_disabled"];

/// One removal. Its own keys are `before`, the unit's code or `replaced_by`, `after`; the object goes to `more` for what
/// the shape adds.
pub fn removal<'n, 'a, T>(
    node: &'n Node<'a>,
    place: &Place,
    (before, after): (&[&str], &[&str]),
    more: impl FnOnce(&Object<'n, 'a, '_>) -> Checked<T>,
) -> Checked<(T, Removal)> {
    let found = entries(node, place)?;
    let replaced = has(found, "replaced_by");
    if replaced && has(found, "unit_code") {
        return wrong(place, "has unit_code and replaced_by; expected exactly one of them");
    }
    let code_key = if replaced { "replaced_by" } else { "unit_code" };
    let object = Object::with(node, place, &[before, &[code_key], after].concat())?;
    let more = more(&object)?;
    object.read("reason", |node, place| one_of(node, place, &REASONS))?;
    let removal = Removal {
        place: place.to_string(),
        unit_id: object.read("unit_id", integer)?,
        code: if replaced {
            RemovedCode::ReplacedBy(object.read(code_key, integer)?)
        } else {
            RemovedCode::Freed(object.read(code_key, optional_string)?)
        },
    };
    Ok((more, removal))
}

/// Whether a list of removals may have elements.
pub fn removals_are_due(node: &Node, place: &Place, order: Option<&Order>, shape: &Shape) -> Checked<()> {
    let Node::Array(elements) = node else { return Ok(()) };
    if elements.is_empty() {
        return Ok(());
    }
    if shape.removed == Removed::Unavailable {
        return wrong(
            place,
            "is not empty; expected [], as removed units are sent as unavailable",
        );
    }
    if snapshot(order).is_some() {
        return wrong(place, "is not empty; expected [], as a snapshot removes by absence");
    }
    Ok(())
}

/// The snapshot that a body is a part of.
pub fn snapshot(order: Option<&Order>) -> Option<&Part> {
    match &order?.sync_type {
        SyncType::Snapshot(part) => Some(part),
        SyncType::Delta | SyncType::Replay => None,
    }
}

/// `keep` speaks of what a snapshot would drop.
pub fn keep_is_due(received: &ReceivedProperty, order: Option<&Order>) -> Checked<()> {
    match order {
        Some(order) if received.whole.is_none() && !received.keep.is_empty() => wrong(
            &format_args!("{}.keep", received.place),
            format!("is not empty; expected [], as this is a {}", order.sync_type.name()),
        ),
        _ => Ok(()),
    }
}

/// A body names a unit once: as present, as removed or to be kept.
pub fn each_unit_once(received: &ReceivedProperty) -> Checked<()> {
    let mut seen = HashSet::new();
    let mut once = |unit_id: i64, place: &dyn Fn() -> String| {
        if seen.insert(unit_id) {
            return Ok(());
        }
        wrong(
            &place(),
            format!("{unit_id} is in this body already; expected each unit once"),
        )
    };
    for unit in &received.upserts {
        once(unit.unit_id, &|| format!("{}.unit_id", unit.place))?;
    }
    for unit in &received.removals {
        once(unit.unit_id, &|| format!("{}.unit_id", unit.place))?;
    }
    for (index, unit_id) in received.keep.iter().enumerate() {
        once(*unit_id, &|| format!("{}.keep[{index}]", received.place))?;
    }
    Ok(())
}

/// A body is about something, and a snapshot in parts about one property.
pub fn says_something(properties: &[ReceivedProperty], place: &Place, order: Option<&Order>) -> Checked<()> {
    if properties.is_empty() {
        return wrong(place, "is empty; expected at least one element");
    }
    match snapshot(order) {
        Some(part) if part.parts > 1 && properties.len() > 1 => wrong(
            place,
            format!(
                "has {} elements; expected one, as a snapshot in parts travels alone",
                properties.len()
            ),
        ),
        _ => Ok(()),
    }
}

/// `key` is where in an element its id stands.
pub fn each_property_once(properties: &[ReceivedProperty], key: &str) -> Checked<()> {
    let mut seen = HashSet::new();
    for received in properties {
        if !seen.insert(&received.project_id) {
            return wrong(
                &format_args!("{}{key}", received.place),
                "is in this body already; expected each property once",
            );
        }
    }
    Ok(())
}
