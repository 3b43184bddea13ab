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
//! | what was sealed of a unit and what is there, field by field | `versions` |
//! | what the last day was like | `hours` |
//! | how long one property's changes take | `lag` |
//! | which are there | `alerts`, `audit`, `duplicates`, `feeds`, `holds`, `snapshots`, `syncs`, `units`, `withheld` |
//! | where is what a person has a name of | `search` |

pub mod alerts;
pub mod audit;
pub mod drift;
pub mod duplicates;
pub mod explain;
pub mod feeds;
pub mod holds;
pub mod hours;
pub mod lag;
pub mod preview;
pub mod receivers;
pub mod search;
pub mod snapshots;
pub mod syncs;
mod unit;
pub mod units;
pub mod verify;
pub mod versions;
pub mod withheld;
