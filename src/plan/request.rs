//! Requests: which deltas share one, and the bytes that it says.

use anyhow::Result;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::feed_delta::FeedDelta;
use super::scope::{Mode, Scope};
use crate::config;
use crate::payload::{Body, ENVELOPE_BYTES, PropertyPart, SealableUnit};
use crate::sync::{SyncId, SyncType};

/// What the envelope of one sync says.
pub(super) struct Header {
    pub sequence: i64,
    pub sealed_at: DateTime<Utc>,
    pub snapshot_id: Option<Uuid>,
    pub part: u32,
    pub parts: u32,
}

/// Which deltas go together: each by itself, or as many as a request holds of those that may.
pub(super) fn in_bodies(deltas: Vec<FeedDelta>, scope: &Scope) -> Vec<Vec<FeedDelta>> {
    let alone = scope.receiver.batch == config::Batch::PerProperty;
    let mut bodies: Vec<Vec<FeedDelta>> = Vec::new();
    let mut deltas = deltas;
    // Of one kind, numbered alike, and is_bisected together or not at all.
    let place = |delta: &FeedDelta| {
        (
            delta.feed.bisection,
            delta.mode == Mode::Snapshot,
            delta.feed.sequence_offset,
        )
    };
    deltas.sort_by_key(|delta| (place(delta), delta.feed.feed_id));
    for delta in deltas {
        match bodies.last_mut() {
            Some(body) if !alone && goes_with(body, &delta, scope) => body.push(delta),
            _ => bodies.push(vec![delta]),
        }
    }
    bodies
}

fn goes_with(body: &[FeedDelta], delta: &FeedDelta, scope: &Scope) -> bool {
    let kind = |delta: &FeedDelta| (delta.feed.bisection, sync_type(delta), delta.feed.sequence_offset);
    let all = || body.iter().chain([delta]);
    let entries: usize = all().map(FeedDelta::entries).sum();
    let bytes: usize = all().map(|delta| delta.room.body_bytes - ENVELOPE_BYTES).sum();
    kind(&body[0]) == kind(delta)
        && entries <= scope.receiver.units_per_request_max
        && ENVELOPE_BYTES + bytes <= scope.receiver.body_bytes_max
}

pub(super) fn sync_type(delta: &FeedDelta) -> SyncType {
    match delta.mode {
        Mode::Snapshot | Mode::Part => SyncType::Snapshot,
        Mode::Delta if delta.replay && delta.entries() > 0 => SyncType::Replay,
        Mode::Delta | Mode::ResendAll => SyncType::Delta,
    }
}

/// The bytes that one sync says of these feeds.
pub(super) fn body(scope: &Scope, header: &Header, sync_id: &SyncId, deltas: &[FeedDelta]) -> Result<Vec<u8>> {
    let units: Vec<Vec<&SealableUnit>> = deltas
        .iter()
        .map(|delta| delta.upserts.iter().map(|upsert| &upsert.unit).collect())
        .collect();
    let sync_type = sync_type(&deltas[0]);
    let properties: Vec<_> = deltas
        .iter()
        .zip(&units)
        .map(|(delta, units)| PropertyPart {
            property: &delta.property,
            units,
            removed_units: &delta.remove,
            keep: if sync_type == SyncType::Snapshot {
                &delta.keep
            } else {
                &[]
            },
            property_digest: delta.digest_sent(),
        })
        .collect();
    scope.shape.body(&Body {
        sync_id,
        sealed_at: header.sealed_at,
        sync_type,
        sequence: header.sequence + deltas[0].feed.sequence_offset,
        snapshot_id: header.snapshot_id,
        part: header.part,
        parts: header.parts,
        properties: &properties,
    })
}
