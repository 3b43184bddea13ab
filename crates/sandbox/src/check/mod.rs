//! What a body must look like, read from the contract alone, key by key and in order.
//!
//! A [`Shape`] is what was agreed with the sender; [`Shape::read`] reads a body into a [`ReceivedSync`] or refuses it with the
//! place and the expectation. It knows no state: whether a well-formed body also fits what was received before is the
//! business of [`super::state`].
//!
//! | module | its business |
//! | --- | --- |
//! | `shape` | what was agreed |
//! | `object` | keys and values, whatever the format |
//! | `lenient` | what a receiver that is less strict passes over |
//! | `metadata` | sync ID, time, place in the order |
//! | `unit` | a unit, in every shape |
//! | `removal` | a unit that went, and what the lists say together |
//! | `property`, `flat`, `single` | one format each |

mod flat;
mod lenient;
mod metadata;
mod object;
mod property;
mod removal;
mod shape;
mod single;
mod unit;

use super::json::{Node, Place};
use super::options::{Batch, Format};
use super::received::ReceivedSync;
use super::refusal::Refusal;

use object::Checked;

pub use shape::Shape;
pub use unit::field_names;

impl Shape {
    /// Reads a body; `header` is the sync ID that came beside it.
    pub fn read(&self, body: &[u8], header: &str) -> Checked<ReceivedSync> {
        let mut body: Node = serde_json::from_slice(body)
            .map_err(|error| Refusal::breach(Place::Root, format!("is not JSON: {error}")))?;
        if self.lenient {
            lenient::known_of(&mut body);
        }
        match (self.format, self.batch, self.extensions) {
            (Format::Property, Batch::PerProperty, _) => property::per_property(&body, header, self),
            (Format::Property, Batch::AllProperties, _) => property::all_properties(&body, header, self),
            (Format::Flat, _, true) => flat::extended(&body, header, self),
            (Format::Flat, _, false) => flat::guide(&body, header, self),
            (Format::Unit, ..) => single::one_unit(&body, header, self),
        }
    }
}
