//! What came in: one entry per request, also of those refused or hit by a fault.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::received::{Part, PropertyId, ReceivedSync, SyncType};

/// Entries that are kept; the oldest go first.
const ENTRIES_MAX: usize = 100_000;

/// One request to the endpoint. What could not be read is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncLogEntry {
    /// From the header; a body that names another is refused.
    pub sync_id: Option<String>,
    /// Its place in the order.
    pub sequence: Option<i64>,
    /// The property it is about, the first of several; null also where its id is a text.
    pub project_id: Option<i64>,
    /// All properties it is about, whatever the format.
    pub property_ids: Vec<PropertyId>,
    /// `delta`, `snapshot` or `replay`.
    pub sync_type: Option<&'static str>,
    /// The snapshot it belongs to.
    pub snapshot_id: Option<String>,
    /// Which part of it.
    pub part: Option<i64>,
    /// How many parts that has.
    pub parts: Option<i64>,
    /// How many upserts it carries.
    pub units: usize,
    /// How many removals it carries.
    pub removed: usize,
    /// The body's size, unpacked; packed where it could not be unpacked.
    pub bytes: usize,
    /// How it was packed on the wire: `none` or `gzip`.
    pub encoding: Option<&'static str>,
    /// The status answered; null where the connection was closed without an answer.
    pub status: Option<u16>,
    /// It changed what the sandbox holds.
    pub applied: bool,
    /// Its sync ID was known and it got the same answer again.
    pub repeat: bool,
    /// A newer one had been applied.
    pub stale: bool,
    /// The body's digest is not that of what the sandbox holds after it.
    pub digest_mismatch: bool,
    /// When it came in.
    pub received_at: DateTime<Utc>,
    /// Why it was not simply applied: the refusal, the fault, or both.
    pub reason: Option<String>,
}

impl SyncLogEntry {
    /// A request of which nothing is known yet.
    pub(super) fn arrived(received_at: DateTime<Utc>) -> Self {
        Self {
            sync_id: None,
            sequence: None,
            project_id: None,
            property_ids: Vec::new(),
            sync_type: None,
            snapshot_id: None,
            part: None,
            parts: None,
            units: 0,
            removed: 0,
            bytes: 0,
            encoding: None,
            status: None,
            applied: false,
            repeat: false,
            stale: false,
            digest_mismatch: false,
            received_at,
            reason: None,
        }
    }

    /// Takes over what a body says.
    pub(super) fn describe(&mut self, sync: &ReceivedSync) {
        self.property_ids = sync
            .properties
            .iter()
            .map(|property| property.project_id.clone())
            .collect();
        self.project_id = match self.property_ids.first() {
            Some(PropertyId::Integer(id)) => Some(*id),
            _ => None,
        };
        if let Some(order) = &sync.order {
            self.sequence = Some(order.sequence);
            self.sync_type = Some(order.sync_type.name());
            self.describe_parts(&order.sync_type);
        }
        self.units = sync.properties.iter().map(|p| p.upserts.len()).sum();
        self.removed = sync.properties.iter().map(|p| p.removals.len()).sum();
    }

    fn describe_parts(&mut self, sync_type: &SyncType) {
        let (snapshot_id, part, parts) = match sync_type {
            SyncType::Snapshot(Part {
                snapshot_id,
                part,
                parts,
            }) => (Some(snapshot_id.clone()), *part, *parts),
            // Read from a body that said so too.
            SyncType::Delta | SyncType::Replay => (None, 1, 1),
        };
        self.snapshot_id = snapshot_id;
        (self.part, self.parts) = (Some(part), Some(parts));
    }

    /// Adds to the reason.
    pub(super) fn because(&mut self, reason: impl std::fmt::Display) {
        self.reason = Some(match self.reason.take() {
            Some(before) => format!("{before}; {reason}"),
            None => reason.to_string(),
        });
    }
}

/// The latest entries, oldest first.
#[derive(Default)]
pub struct Log(VecDeque<SyncLogEntry>);

impl Log {
    /// Adds an entry.
    pub fn push(&mut self, entry: SyncLogEntry) {
        if self.0.len() == ENTRIES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    /// All of them.
    pub fn entries(&self) -> Vec<SyncLogEntry> {
        self.0.iter().cloned().collect()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
