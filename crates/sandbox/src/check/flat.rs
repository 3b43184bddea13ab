//! Format "flat": one row a unit, each with its property's id.

use std::collections::HashMap;

use super::super::json::{Node, Place};
use super::super::options::Batch;
use super::super::received::{Order, PropertyId, ReceivedDigest, ReceivedProperty, ReceivedSync, Removal, Upsert};
use super::metadata::{lone_header, metadata, sync_timestamp};
use super::object::{Checked, Object, each, integer, property_id, received_digest, wrong};
use super::removal::{
    each_property_once, each_unit_once, keep_is_due, removal, removals_are_due, says_something, snapshot,
};
use super::shape::Shape;

const EXTENDED: [&str; 5] = [
    "sync_timestamp",
    "sync_metadata",
    "units",
    "removed_units",
    "properties",
];
const GUIDE: [&str; 2] = ["sync_timestamp", "units"];

/// With extensions `properties` says what the body is about.
pub fn extended(body: &Node, header: &str, shape: &Shape) -> Checked<ReceivedSync> {
    let root = Place::Root;
    let object = Object::with(body, &root, &EXTENDED)?;
    let order = object.read("sync_metadata", |node, place| metadata(node, place, header, true))?;
    object.read("sync_timestamp", |node, place| sync_timestamp(node, place, header))?;
    let order = order.as_ref();
    let mut properties = object.read("properties", |node, place| {
        let properties = each(node, place, |node, place| property(node, place, order))?;
        says_something(&properties, place, order)?;
        one_if_agreed(properties.len(), place, shape)?;
        Ok(properties)
    })?;
    each_property_once(&properties, ".property_id")?;
    let indexes: HashMap<_, _> = (0..)
        .zip(&properties)
        .map(|(index, received)| (received.project_id.clone(), index))
        .collect();
    for (project_id, unit) in object.read("units", |node, place| rows(node, place, shape))? {
        let index = listed(&indexes, &project_id, &unit.place)?;
        properties[index].upserts.push(unit);
    }
    let removals = object.read("removed_units", |node, place| {
        removals_are_due(node, place, order, shape)?;
        each(node, place, removed)
    })?;
    for (project_id, unit) in removals {
        let index = listed(&indexes, &project_id, &unit.place)?;
        properties[index].removals.push(unit);
    }
    for received in &properties {
        keep_is_due(received, order)?;
        each_unit_once(received)?;
    }
    Ok(ReceivedSync {
        sync_id: header.to_owned(),
        order: order.cloned(),
        properties,
    })
}

/// Without extensions the rows are all there is.
pub fn guide(body: &Node, header: &str, shape: &Shape) -> Checked<ReceivedSync> {
    lone_header(header)?;
    let root = Place::Root;
    let object = Object::with(body, &root, &GUIDE)?;
    object.read("sync_timestamp", |node, place| sync_timestamp(node, place, header))?;
    let (mut properties, mut indexes) = (Vec::new(), HashMap::new());
    for (project_id, unit) in object.read("units", |node, place| rows(node, place, shape))? {
        let index = *indexes.entry(project_id.clone()).or_insert(properties.len());
        if index == properties.len() {
            properties.push(nothing_about(project_id, root.to_string()));
        }
        if index > 0 && shape.batch == Batch::PerProperty {
            return wrong(
                &format_args!("{}.property_id", unit.place),
                "is another than in the rows before; expected one property a request",
            );
        }
        properties[index].upserts.push(unit);
    }
    says_something(&properties, &root.key("units"), None)?;
    properties.iter().try_for_each(each_unit_once)?;
    Ok(ReceivedSync {
        sync_id: header.to_owned(),
        order: None,
        properties,
    })
}

/// Rows of `units`, each with its property.
fn rows(node: &Node, place: &Place, shape: &Shape) -> Checked<Vec<(PropertyId, Upsert)>> {
    each(node, place, |node, place| {
        let unit = shape.unit.read(node, place)?;
        Ok((unit.property("property_id", place)?, unit.upsert(place)?))
    })
}

fn removed(node: &Node, place: &Place) -> Checked<(PropertyId, Removal)> {
    removal(node, place, (&["property_id", "unit_id"], &["reason"]), |object| {
        object.read("property_id", property_id)
    })
}

/// One element of `properties`.
fn property(node: &Node, place: &Place, order: Option<&Order>) -> Checked<ReceivedProperty> {
    let object = Object::with(node, place, &["property_id", "property_digest", "keep"])?;
    let project_id = object.read("property_id", property_id)?;
    Ok(ReceivedProperty {
        whole: snapshot(order).cloned(),
        keep: object.read("keep", |node, place| each(node, place, integer))?,
        property_digest: object.read("property_digest", received_digest)?,
        ..nothing_about(project_id, place.to_string())
    })
}

fn nothing_about(project_id: PropertyId, place: String) -> ReceivedProperty {
    ReceivedProperty {
        place,
        project_id,
        property: None,
        upserts: vec![],
        removals: vec![],
        whole: None,
        keep: vec![],
        property_digest: ReceivedDigest::Nowhere,
    }
}

/// Which property a row at `place` belongs to.
fn listed(indexes: &HashMap<PropertyId, usize>, project_id: &PropertyId, place: &str) -> Checked<usize> {
    match indexes.get(project_id) {
        Some(index) => Ok(*index),
        None => wrong(
            &format_args!("{place}.property_id"),
            format!("is {project_id}; expected one that $.properties lists"),
        ),
    }
}

fn one_if_agreed(count: usize, place: &Place, shape: &Shape) -> Checked<()> {
    if shape.batch == Batch::PerProperty && count > 1 {
        return wrong(place, format!("has {count} elements; expected one property a request"));
    }
    Ok(())
}
