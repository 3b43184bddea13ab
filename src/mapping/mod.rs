//! Mapping: what a receiver calls properties and units, where that is not what the source calls them.
//!
//! A property's external id stands in its feed, a unit's code in `rentsync.unit_mapping`; planning reads both, and a change of either is
//! news like any other. Here they are imported, exported and compared with a partner's own list. Not its business: how a code gets
//! into a body, see [`crate::payload`].

mod file;
mod import;
mod ours;
mod plain;
mod report;

pub use file::{Kind, read_theirs};
pub use import::{Imported, import};
pub use ours::{Ours, export};
pub use report::{Match, Pair, Report, compare, stored};
