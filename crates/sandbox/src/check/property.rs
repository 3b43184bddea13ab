//! Format "property": a property with its units, or several in one body.

use super::super::json::{Entries, Node, Place};
use super::super::received::{Order, PropertyId, ReceivedDigest, ReceivedProperty, ReceivedSync, Removal};
use super::metadata::metadata;
use super::object::{Checked, Kind, Object, each, integer, property_id, received_digest};
use super::removal::{
    each_property_once, each_unit_once, keep_is_due, removal, removals_are_due, says_something, snapshot,
};
use super::shape::Shape;

const GUIDE: [&str; 2] = ["property", "units"];
const EXTENDED: [&str; 5] = ["property", "units", "removed_units", "keep", "property_digest"];
/// Within a body about several properties nothing is kept: a snapshot that has to keep units travels otherwise.
const EXTENDED_ELEMENT: [&str; 4] = ["property", "units", "removed_units", "property_digest"];

const PROPERTY: [(&str, Kind); 6] = [
    ("project_id", Kind::Property),
    ("project_name", Kind::Text),
    ("address", Kind::Text),
    ("project_group_id", Kind::Integer),
    ("is_active", Kind::Bool),
    ("is_lease_up", Kind::Bool),
];
/// How many of `PROPERTY`'s the guide has.
const GUIDE_PROPERTY: usize = 3;

/// batch = "per_property".
pub fn per_property(body: &Node, header: &str, shape: &Shape) -> Checked<ReceivedSync> {
    let root = Place::Root;
    let own: &[&str] = if shape.extensions { &EXTENDED } else { &GUIDE };
    let object = Object::with(body, &root, &[&["sync_metadata"], own].concat())?;
    let order = object.read("sync_metadata", |node, place| {
        metadata(node, place, header, shape.extensions)
    })?;
    let mut received = about(&object, &root, order.as_ref(), shape)?;
    if shape.extensions {
        received.keep = object.read("keep", |node, place| each(node, place, integer))?;
    }
    keep_is_due(&received, order.as_ref())?;
    each_unit_once(&received)?;
    Ok(ReceivedSync {
        sync_id: header.to_owned(),
        order,
        properties: vec![received],
    })
}

/// batch = "all_properties".
pub fn all_properties(body: &Node, header: &str, shape: &Shape) -> Checked<ReceivedSync> {
    let root = Place::Root;
    let object = Object::with(body, &root, &["sync_metadata", "properties"])?;
    let order = object.read("sync_metadata", |node, place| {
        metadata(node, place, header, shape.extensions)
    })?;
    let keys: &[&str] = if shape.extensions { &EXTENDED_ELEMENT } else { &GUIDE };
    let properties = object.read("properties", |node, place| {
        each(node, place, |node, place| {
            let received = about(&Object::with(node, place, keys)?, place, order.as_ref(), shape)?;
            each_unit_once(&received)?;
            Ok(received)
        })
    })?;
    says_something(&properties, &root.key("properties"), order.as_ref())?;
    each_property_once(&properties, ".property.project_id")?;
    Ok(ReceivedSync {
        sync_id: header.to_owned(),
        order,
        properties,
    })
}

/// What is said about one property, `keep` apart.
fn about(object: &Object, place: &Place, order: Option<&Order>, shape: &Shape) -> Checked<ReceivedProperty> {
    let (project_id, property) = object.read("property", |node, place| project(node, place, shape.extensions))?;
    let unit = |node: &Node, place: &Place| shape.unit.read(node, place)?.upsert(place);
    let mut received = ReceivedProperty {
        place: place.to_string(),
        project_id,
        property: Some(property),
        upserts: object.read("units", |node, place| each(node, place, unit))?,
        removals: vec![],
        whole: snapshot(order).cloned(),
        keep: vec![],
        property_digest: ReceivedDigest::Nowhere,
    };
    if shape.extensions {
        received.removals = object.read("removed_units", |node, place| {
            removals_are_due(node, place, order, shape)?;
            each(node, place, removed)
        })?;
        received.property_digest = object.read("property_digest", received_digest)?;
    }
    Ok(received)
}

/// `property`; answers its id and its text.
fn project(node: &Node, place: &Place, extensions: bool) -> Checked<(PropertyId, String)> {
    let table = if extensions {
        &PROPERTY
    } else {
        &PROPERTY[..GUIDE_PROPERTY]
    };
    let keys: Vec<_> = table.iter().map(|(key, _)| *key).collect();
    let object = Object::with(node, place, &keys)?;
    object.typed(table)?;
    let project_id = object.read("project_id", property_id)?;
    Ok((project_id, Entries(object.entries()).text()))
}

fn removed(node: &Node, place: &Place) -> Checked<Removal> {
    let (_, removal) = removal(node, place, (&["unit_id"], &["reason"]), |_| Ok(()))?;
    Ok(removal)
}
