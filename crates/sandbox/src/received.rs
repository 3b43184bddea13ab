//! A body as it was received, whatever its format: the one form that [`super::check`] reads every shape
//! into and [`super::state`] applies.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value: a content hash, a property's digest or a body's fingerprint.
pub type Digest = [u8; 32];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// What a property is known by: AiGent's own id, or a text that was agreed instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PropertyId {
    /// AiGent's own.
    Integer(i64),
    /// The partner's.
    Text(String),
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => write!(f, "{id}"),
            Self::Text(id) => f.write_str(id),
        }
    }
}

impl From<i64> for PropertyId {
    fn from(id: i64) -> Self {
        Self::Integer(id)
    }
}

impl From<&str> for PropertyId {
    fn from(id: &str) -> Self {
        Self::Text(id.to_owned())
    }
}

/// One sync, as received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedSync {
    /// The same in header and body.
    pub sync_id: String,
    /// Its place in the order; none without extensions, where the later request wins.
    pub order: Option<Order>,
    /// What it says about each property; at least one.
    pub properties: Vec<ReceivedProperty>,
}

/// A sync's place in the order of its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Rises within every property.
    pub sequence: i64,
    /// What the sync is.
    pub sync_type: SyncType,
}

/// What a sync is by its own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncType {
    /// What changed.
    Delta,
    /// What changed before, sent again.
    Replay,
    /// All there is, or a part of it.
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
pub struct ReceivedProperty {
    /// Where in the body it stands, for messages: `$` where the body is one property.
    pub place: String,
    /// The property.
    pub project_id: PropertyId,
    /// Its own fields as JSON text, in formats that have them.
    pub property: Option<String>,
    /// Units to insert or replace.
    pub upserts: Vec<Upsert>,
    /// Units to delete.
    pub removals: Vec<Removal>,
    /// Where absence means something: units absent from all parts of this are gone.
    pub whole: Option<Part>,
    /// Units that a snapshot must not drop though they are absent.
    pub keep: Vec<i64>,
    /// What the sender says that the receiver holds afterwards.
    pub property_digest: ReceivedDigest,
}

/// What a body says of a property's digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReceivedDigest {
    /// Its shape has no place for one.
    #[default]
    Nowhere,
    /// `null`: something of the property is owed or withheld.
    Null,
    /// This one.
    Is(Digest),
}

impl ReceivedProperty {
    /// Whether the received digest is that of the state right after this body.
    pub fn completes(&self) -> bool {
        self.whole.as_ref().is_none_or(|whole| whole.part == whole.parts)
    }
}

/// One unit, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsert {
    /// Where in the body it stands, for messages.
    pub place: String,
    /// The unit.
    pub unit_id: i64,
    /// What a receiver keyed by code would know it by.
    pub unit_code: Option<String>,
    /// The unit's JSON text without `content_hash`; equal content has equal text.
    pub content: String,
    /// The sender's hash of the content, in shapes that have it.
    pub content_hash: Option<Digest>,
}

/// One unit that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Where in the body it stands, for messages.
    pub place: String,
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
