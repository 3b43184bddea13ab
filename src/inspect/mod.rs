//! What there is to see: a view and a function for each question, serialisable, so that whoever shows it shows the same.
//!
//! Reads only. Not its business: printing, and changing anything.

pub mod alerts;
pub mod drift;
pub mod duplicates;
pub mod feeds;
pub mod holds;
pub mod receivers;
pub mod syncs;
pub mod withheld;
