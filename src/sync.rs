//! What a sync is called.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// `sync-YYYY-MM-DD-HH-MM-SS-<uuid>`: unique, sorts by time, the same in header and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncId(String);

impl SyncId {
    /// A new one, for a body sealed at this moment.
    pub fn new(sealed_at: DateTime<Utc>) -> Self {
        let seconds = u64::try_from(sealed_at.timestamp()).unwrap_or(0);
        let moment = Timestamp::from_unix(NoContext, seconds, sealed_at.timestamp_subsec_nanos());
        Self::with(sealed_at, Uuid::new_v7(moment))
    }

    /// The same with a UUID that was drawn elsewhere, for bodies that have to be the same again.
    pub fn with(sealed_at: DateTime<Utc>, uuid: Uuid) -> Self {
        Self(format!(
            "sync-{}-{}",
            sealed_at.format("%Y-%m-%d-%H-%M-%S"),
            uuid.simple()
        ))
    }

    /// As it is sent and stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `sync_timestamp`: to the second, UTC, with a Z.
pub fn timestamp(sealed_at: DateTime<Utc>) -> String {
    sealed_at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Why a sync was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncType {
    /// What changed since the last one.
    Delta,
    /// Every unit of a property, in place of what the receiver holds.
    Snapshot,
    /// What the receiver may have lost, in its present state.
    Replay,
}

impl SyncType {
    /// As the body and the table `rentsync.sync` say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Snapshot => "snapshot",
            Self::Replay => "replay",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_id_names_its_moment_to_the_second_and_never_repeats() {
        let sealed_at = DateTime::parse_from_rfc3339("2025-01-15T02:00:00.999Z")
            .unwrap()
            .to_utc();
        let (one, other) = (SyncId::new(sealed_at), SyncId::new(sealed_at));
        assert!(one.as_str().starts_with("sync-2025-01-15-02-00-00-"));
        assert_eq!(one.as_str().len(), "sync-2025-01-15-02-00-00-".len() + 32);
        assert_ne!(one, other);
        assert_eq!(timestamp(sealed_at), "2025-01-15T02:00:00Z");
    }
}
