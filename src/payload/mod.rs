//! What a receiver sees: the JSON of a unit and of a property, their hashes, and the bodies around them.
//!
//! A `Shape` is how one receiver wants its bodies. It makes a `SealableProperty` of a property and a `SealableUnit` of
//! a unit, and of those, in the end, the bytes of a `Body`.
//!
//! Pure; the same input gives the same bytes on every machine. Which units are sealed, and what was sealed before, is
//! not its business.

mod body;
mod compression;
mod content;
#[cfg(test)]
mod golden;
mod hash;
mod json;
mod layout;
mod objection;
mod personal;
mod removal;
#[cfg(test)]
mod samples;
mod shape;
mod size;

pub use body::{Body, PropertyPart};
pub(crate) use compression::compressed;
pub use compression::decompressed;
pub use hash::{Digest, Hash};
pub(crate) use objection::UNIT_CODE_BYTES_MAX;
pub(crate) use personal::{HIDDEN, hide_leads, leads, units_with_lead, without_lead};
pub use removal::{Removal, RemovalReason};
pub use shape::Shape;
pub use size::{ENVELOPE_BYTES, KEEP_BYTES};

/// A property as one receiver sees it.
pub struct SealableProperty {
    /// `projects.id`, whatever the receiver calls it.
    pub property_id: i64,
    /// SHA-256 of its own fields. Where they are sent with every unit or not at all it never changes.
    pub hash: Hash,
    /// Its id as JSON, as the receiver knows it.
    pub id: String,
    /// The JSON object of format "property".
    pub json: String,
    /// Name and address as JSON, for format "unit".
    name: String,
    address: String,
}

/// A unit as one receiver sees it.
pub struct SealableUnit {
    /// Its id.
    pub unit_id: i64,
    /// Its code as sent: what a removal will name it by.
    pub code: Option<String>,
    /// SHA-256 of its canonical bytes: its own JSON without `content_hash`.
    pub hash: Hash,
    /// The JSON object as it stands in the body. Format "unit" adds what belongs to the sync around it.
    pub json: String,
}
