//! What there is to see: a view and a function for each question, serialisable, so that whoever shows it shows the same.
//!
//! Reads only. Not its business: printing, and changing anything.
//!
//! | question | its answer |
//! | --- | --- |
//! | how does a receiver stand | `receivers`: whether it may be sent to, and what there is to do for it |
//! | why is a unit there as it is | `explain` in words with its history; `unit` is the answer itself, which `verify` counts |
//! | does the source differ from what was sealed | `verify`; `drift` is what snapshots found |
//! | what would be sent now | `preview` |
//! | which are there | `alerts`, `audit`, `duplicates`, `feeds`, `holds`, `syncs`, `withheld` |

pub mod alerts;
pub mod audit;
pub mod drift;
pub mod duplicates;
pub mod explain;
pub mod feeds;
pub mod holds;
pub mod preview;
pub mod receivers;
pub mod syncs;
mod unit;
pub mod verify;
pub mod withheld;
