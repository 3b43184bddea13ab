//! The body of one sync, format "property", one property a request.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Digest;
use crate::sync::{self, SyncId, SyncType};

/// Why a unit is no longer part of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It, or its whole property, is gone.
    Deleted,
    /// It belongs to another property now.
    Moved,
    /// Its property is inactive, or outside the receiver's portfolio.
    PropertyInactive,
    /// The feed was disabled.
    FeedDisabled,
}

impl Reason {
    /// As the contract and the database say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Moved => "moved",
            Self::PropertyInactive => "property_inactive",
            Self::FeedDisabled => "feed_disabled",
        }
    }

    /// The reverse of [`Reason::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Deleted, Self::Moved, Self::PropertyInactive, Self::FeedDisabled]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// A unit that the receiver should drop.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The unit that went.
    pub unit_id: i64,
    /// As it was told last: the receiver may know nothing else.
    pub unit_code: Option<String>,
    /// The present unit that carries its code now. Then the code isn't told, lest the living be dropped by it.
    pub replaced_by: Option<i64>,
    /// Why it went.
    pub reason: Reason,
}

/// Everything that one body says.
pub struct Body<'a> {
    /// Its sync ID.
    pub sync_id: &'a SyncId,
    /// When it was sealed.
    pub sealed_at: DateTime<Utc>,
    /// Why it was sealed.
    pub sync_type: SyncType,
    /// Its number.
    pub sequence: i64,
    /// The property's own fields.
    pub property: &'a RawValue,
    /// Units to put in or replace.
    pub units: &'a [&'a RawValue],
    /// Units to drop.
    pub removed_units: &'a [Removal],
    /// What the receiver should hold afterwards.
    pub property_digest: Digest,
}

impl Body<'_> {
    /// The bytes, as they are sent on every attempt.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Envelope {
            sync_metadata: Metadata {
                sync_id: self.sync_id.as_str(),
                sync_timestamp: sync::timestamp(self.sealed_at),
                source: "aigent",
                sync_type: self.sync_type.as_str(),
                sequence: self.sequence,
                snapshot_id: None,
                part: 1,
                parts: 1,
            },
            property: self.property,
            units: self.units,
            removed_units: self.removed_units.iter().map(Removed::from).collect(),
            keep: [],
            property_digest: self.property_digest.to_string(),
        })
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    sync_metadata: Metadata<'a>,
    property: &'a RawValue,
    units: &'a [&'a RawValue],
    removed_units: Vec<Removed<'a>>,
    keep: [i64; 0],
    property_digest: String,
}

#[derive(Serialize)]
struct Metadata<'a> {
    sync_id: &'a str,
    sync_timestamp: String,
    source: &'static str,
    sync_type: &'static str,
    sequence: i64,
    snapshot_id: Option<uuid::Uuid>,
    part: u32,
    parts: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Removed<'a> {
    Gone {
        unit_id: i64,
        unit_code: Option<&'a str>,
        reason: &'a str,
    },
    Replaced {
        unit_id: i64,
        replaced_by: i64,
        reason: &'a str,
    },
}

impl<'a> From<&'a Removal> for Removed<'a> {
    fn from(removal: &'a Removal) -> Self {
        let (unit_id, reason) = (removal.unit_id, removal.reason.as_str());
        match removal.replaced_by {
            Some(replaced_by) => Self::Replaced {
                unit_id,
                replaced_by,
                reason,
            },
            None => Self::Gone {
                unit_id,
                unit_code: removal.unit_code.as_deref(),
                reason,
            },
        }
    }
}
