//! What a body must look like, read from the contract alone, key by key and in order.
//!
//! A [`Shape`] is what was agreed with the sender; [`Shape::told`] reads a body into a [`Told`] or refuses it with the
//! place and the expectation. It knows no state: whether a well-formed body also fits what was told before is the
//! business of [`super::state`].
//!
//! | module | its business |
//! | --- | --- |
//! | `object` | keys and values, whatever the format |
//! | `metadata` | sync ID, time, place in the order |
//! | `unit` | a unit, in every shape |
//! | `removal` | a unit that went, and what the lists say together |
//! | `property`, `flat`, `single` | one format each |

mod flat;
mod metadata;
mod object;
mod property;
mod removal;
mod single;
mod unit;

use std::collections::HashSet;

use super::json::{Node, Place};
use super::options::{Batch, Format, Removed, SandboxOptions, UnitStyle};
use super::refusal::Refusal;
use super::told::{Order, Told, ToldProperty};

use object::{Checked, wrong};
use unit::{CONTENT_HASH, Frame, PROJECT_ID, PROJECT_NAME, PROPERTY_ADDRESS, PROPERTY_ID, UNIT_ID, UnitShape};

pub use unit::field_names;

/// What was agreed, ready to be checked against.
pub struct Shape {
    format: Format,
    batch: Batch,
    extensions: bool,
    removed: Removed,
    unit: UnitShape,
}

impl Shape {
    /// Works out what bodies look like; the error says which options don't go together.
    pub fn agreed(options: &SandboxOptions) -> Result<Self, String> {
        check_fields(&options.fields)?;
        check_together(options)?;
        let style = match options.format {
            Format::Property => options.unit_style,
            Format::Flat => UnitStyle::Flat,
            Format::Unit => UnitStyle::Nested,
        };
        let frame = frame(options.format, options.extensions);
        Ok(Self {
            format: options.format,
            batch: options.batch,
            extensions: options.extensions,
            removed: options.removed,
            unit: UnitShape::new(frame, style, &options.fields),
        })
    }

    /// Reads a body; `header` is the sync ID that came beside it.
    pub fn told(&self, body: &[u8], header: &str) -> Checked<Told> {
        let body: Node = serde_json::from_slice(body)
            .map_err(|error| Refusal::breach(Place::Root, format!("is not JSON: {error}")))?;
        match (self.format, self.batch, self.extensions) {
            (Format::Property, Batch::PerProperty, _) => property::per_property(&body, header, self),
            (Format::Property, Batch::AllProperties, _) => property::all_properties(&body, header, self),
            (Format::Flat, _, true) => flat::extended(&body, header, self),
            (Format::Flat, _, false) => flat::guide(&body, header, self),
            (Format::Unit, ..) => single::told(&body, header, self),
        }
    }
}

fn check_fields(fields: &[String]) -> Result<(), String> {
    for (index, name) in fields.iter().enumerate() {
        if !field_names().any(|known| known == name) {
            let known: Vec<_> = field_names().collect();
            return Err(format!(
                "fields: {name:?} is none that can be left out; expected {}",
                known.join(", ")
            ));
        }
        if fields[..index].contains(name) {
            return Err(format!("fields: {name:?} is there twice"));
        }
    }
    Ok(())
}

fn check_together(options: &SandboxOptions) -> Result<(), String> {
    if !options.extensions && options.removed == Removed::List {
        return Err("removed: a list of removals is an extension; expected unavailable".into());
    }
    if options.format == Format::Unit && options.batch == Batch::AllProperties {
        return Err("batch: all_properties doesn't go with format unit, which is one unit a request".into());
    }
    if options.format == Format::Flat && options.unit_style == UnitStyle::Nested {
        return Err("unit_style: nested doesn't go with format flat".into());
    }
    Ok(())
}

/// What is around a unit's fields.
fn frame(format: Format, extensions: bool) -> Frame {
    let after: &[&str] = match (format, extensions) {
        (Format::Unit, _) => &["sync_timestamp"],
        (_, true) => &[CONTENT_HASH],
        (_, false) => &[],
    };
    match format {
        Format::Property => Frame {
            before: &[],
            head: &[UNIT_ID],
            after,
        },
        Format::Flat => Frame {
            before: &[],
            head: &[PROPERTY_ID, UNIT_ID],
            after,
        },
        Format::Unit => Frame {
            before: if extensions { &["sync_metadata"] } else { &[] },
            head: &[UNIT_ID, PROJECT_ID, PROJECT_NAME, PROPERTY_ADDRESS],
            after,
        },
    }
}

/// A body is about something, and a snapshot in parts about one property.
fn says_something(properties: &[ToldProperty], place: &Place, order: Option<&Order>) -> Checked<()> {
    if properties.is_empty() {
        return wrong(place, "is empty; expected at least one element");
    }
    match removal::snapshot(order) {
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
fn each_property_once(properties: &[ToldProperty], key: &str) -> Checked<()> {
    let mut seen = HashSet::new();
    for told in properties {
        if !seen.insert(&told.project_id) {
            return wrong(
                &format_args!("{}{key}", told.place),
                "was told before in this body; expected each property once",
            );
        }
    }
    Ok(())
}
