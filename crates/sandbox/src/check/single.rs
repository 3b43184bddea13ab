//! Format "unit": one unit a request, or one that went.
//!
//! Absence says nothing here, so a snapshot drops nothing: it sends every unit, and every removal.

use super::super::json::{Node, Place};
use super::super::options::Removed;
use super::super::received::{ReceivedDigest, ReceivedProperty, ReceivedSync, Removal, Upsert};
use super::metadata::{lone_header, metadata, sync_timestamp};
use super::object::{Checked, entries, has, property_id, value, wrong};
use super::removal::removal;
use super::shape::Shape;

/// The keys around a removal's code.
const REMOVED: (&[&str], &[&str]) = (&["sync_metadata", "unit_id", "project_id"], &["removed", "reason"]);

/// With extensions or without.
pub fn one_unit(body: &Node, header: &str, shape: &Shape) -> Checked<ReceivedSync> {
    let root = Place::Root;
    if !shape.extensions {
        lone_header(header)?;
    }
    let knows_removals = shape.extensions && shape.removed == Removed::List;
    let (project_id, upserts, removals) = if knows_removals && has(entries(body, &root)?, "removed") {
        let (project_id, removal) = removed(body, &root)?;
        (project_id, vec![], vec![removal])
    } else {
        let (project_id, unit) = present(body, &root, header, shape)?;
        (project_id, vec![unit], vec![])
    };
    let order = if shape.extensions {
        let meta = value(entries(body, &root)?, "sync_metadata");
        metadata(meta, &root.key("sync_metadata"), header, true)?
    } else {
        None
    };
    Ok(ReceivedSync {
        sync_id: header.to_owned(),
        order,
        properties: vec![ReceivedProperty {
            place: root.to_string(),
            project_id,
            property: None,
            upserts,
            removals,
            whole: None,
            keep: vec![],
            property_digest: ReceivedDigest::Nowhere,
        }],
    })
}

type Of<T> = (super::super::received::PropertyId, T);

fn present(body: &Node, root: &Place, header: &str, shape: &Shape) -> Checked<Of<Upsert>> {
    let unit = shape.unit.read(body, root)?;
    let timestamp = value(entries(body, root)?, "sync_timestamp");
    sync_timestamp(timestamp, &root.key("sync_timestamp"), header)?;
    Ok((unit.property("project_id", root)?, unit.upsert(root)?))
}

fn removed(body: &Node, root: &Place) -> Checked<Of<Removal>> {
    removal(body, root, REMOVED, |object| {
        object.read("removed", |node, place| match node {
            Node::Bool(true) => Ok(()),
            other => wrong(place, format!("is {}, or false; expected true", other.kind())),
        })?;
        object.read("project_id", property_id)
    })
}
