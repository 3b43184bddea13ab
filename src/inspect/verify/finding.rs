//! What a verification finds, and how many of what there are.

use anyhow::Result;
use serde::Serialize;

use crate::difference::Difference;
use crate::plan::{ChosenFeed, Scope};

/// Something that is not simply equal and acknowledged.
#[derive(Serialize)]
pub struct Finding {
    /// The receiver.
    pub receiver: String,
    /// The property.
    pub property_id: i64,
    /// The unit; none: the property itself.
    pub unit_id: Option<i64>,
    /// drift, digest, waiting, or why it is withheld: held, guarded, rejected, refused, invalid, elsewhere.
    pub finding: &'static str,
    /// In words.
    pub because: Option<String>,
    /// SHA-256 of what was sealed last.
    pub ledger_hash: Option<String>,
    /// SHA-256 of what the source has.
    pub source_hash: Option<String>,
    /// Which fields differ, where what was sealed last is still kept.
    pub fields: Vec<Difference>,
}

/// How many of what there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Feeds looked at.
    pub feeds: usize,
    /// Units on either side.
    pub units: usize,
    /// Equal, and acknowledged.
    pub equal: usize,
    /// Acknowledged as removed, or never sealed: deleted, or of a property that is inactive, disabled or not covered.
    pub removed: usize,
    /// Yet to be sealed, or sealed and not yet acknowledged.
    pub waiting: usize,
    /// Held, refused, invalid, or still at the receiver under another property.
    pub withheld: usize,
    /// Units and properties that differ though nothing announced it.
    pub drift: usize,
    /// Properties whose digest the receiver answered.
    pub digests: usize,
    /// Of these, how many are not ours.
    pub digests_differing: usize,
}

/// Where findings go, one after another.
pub type Sink<'a> = &'a mut (dyn FnMut(Finding) -> Result<()> + Send);

/// Of which nothing is said yet.
pub(super) fn about(scope: &Scope, feed: &ChosenFeed, unit_id: Option<i64>, finding: &'static str) -> Finding {
    Finding {
        receiver: scope.receiver.name.clone(),
        property_id: feed.property_id,
        unit_id,
        finding,
        because: None,
        ledger_hash: None,
        source_hash: None,
        fields: Vec::new(),
    }
}
