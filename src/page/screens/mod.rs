//! The screens, in the order of need: each reads what `inspect` answers and says how it looks.

pub(super) mod alerts;
pub(super) mod audit;
pub(super) mod doctor;
pub(super) mod hold;
pub(super) mod holds;
pub(super) mod overview;
pub(super) mod preview;
pub(super) mod properties;
pub(super) mod property;
pub(super) mod receivers;
pub(super) mod search;
pub(super) mod snapshots;
pub(super) mod sync;
pub(super) mod syncs;
pub(super) mod unit;
pub(super) mod withheld;
