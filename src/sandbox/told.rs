//! What a body says, whatever its format: the one form that [`super::check`] reads every shape
//! into and [`super::state`] applies.

use sha2::{Digest as _, Sha256};

/// A SHA-256 value: a content hash, a property's digest or a body's fingerprint.
pub type Digest = [u8; 32];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// One sync, as told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The same in header and body.
    pub sync_id: String,
    /// Rises within every property.
    pub sequence: i64,
    /// What absence means.
    pub sync_type: SyncType,
    /// What it says about each property; the default format has exactly one.
    pub properties: Vec<ToldProperty>,
}

/// What absence from the body means, and with it how the body is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncType {
    /// Absent units are unchanged.
    Delta,
    /// As a delta, but told again.
    Replay,
    /// Units absent from all parts are gone.
    Snapshot(Part),
}

impl SyncType {
    /// The word in the body.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Replay => "replay",
            Self::Snapshot(_) => "snapshot",
        }
    }

    /// Whether the told digest is that of the state right after this body.
    pub fn completes(&self) -> bool {
        match self {
            Self::Delta | Self::Replay => true,
            Self::Snapshot(part) => part.part == part.parts,
        }
    }
}

/// Which part of which snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Common to all parts.
    pub snapshot_id: String,
    /// From 1.
    pub part: i64,
    /// How many there are.
    pub parts: i64,
}

/// What is said about one property.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldProperty {
    /// Where in the body it stands, for messages: `$` where the body is one property.
    pub place: String,
    /// The property.
    pub project_id: i64,
    /// Its own fields as JSON text, in formats that have them.
    pub property: Option<String>,
    /// Units to insert or replace.
    pub upserts: Vec<Upsert>,
    /// Units to delete.
    pub removals: Vec<Removal>,
    /// Units that a snapshot must not drop though they are absent.
    pub keep: Vec<i64>,
    /// What the sender believes that the receiver holds afterwards.
    pub property_digest: Digest,
}

/// One unit, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsert {
    /// The unit.
    pub unit_id: i64,
    /// What a receiver keyed by code would know it by.
    pub unit_code: Option<String>,
    /// The unit's JSON text without `content_hash`; equal content has equal text.
    pub content: String,
    /// The sender's hash of the content.
    pub content_hash: Digest,
}

/// One unit that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The unit.
    pub unit_id: i64,
    /// How a receiver keyed by code should take it.
    pub code: RemovedCode,
}

/// What a removal says about the unit's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovedCode {
    /// The code goes with the unit.
    Freed(Option<String>),
    /// The code lives on in this unit.
    ReplacedBy(i64),
}
