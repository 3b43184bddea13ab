//! The rules of the contract that the sandbox can be made to break, one by one, so that whoever looks for a broken rule can be tested.

use serde::{Deserialize, Serialize};

/// A rule that is broken, by the name that `certify` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// A body that can't be read is acknowledged.
    Unreadable,
    /// Nobody has to prove who they are.
    Credentials,
    /// A unit that is there already is not replaced by a delta.
    Delta,
    /// Sync IDs are forgotten at once.
    SameAnswer,
    /// A known sync ID is answered as before, and applied again.
    AppliedOnce,
    /// What is older is applied.
    OlderSequence,
    /// What is older is not applied, and acknowledged as if it were.
    StaleAnswer,
    /// Removals are passed over.
    Removal,
    /// A removal of a unit that is not there is refused.
    UnknownRemoval,
    /// The unit that a removal names as the one that carries the code now goes as well.
    ReplacedBy,
    /// A snapshot in one part drops nothing.
    Snapshot,
    /// Every part of a snapshot counts as all of it.
    SnapshotParts,
    /// `keep` is passed over.
    Keep,
    /// A body without units changes nothing of the property.
    PropertyChange,
    /// Replays are acknowledged and not applied.
    Replay,
    /// No answer has a digest.
    Digest,
    /// What is packed is refused.
    Gzip,
}
