//! How source and feed stand to the unit that is asked for, as read under one snapshot.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::inspect::receivers::ReceiverStanding;
use crate::plan::{ChosenFeed, Scope, UnitSides};
use crate::states::SyncState;

/// Where the source has the unit.
#[derive(FromRow)]
pub(super) struct Home {
    pub property_id: Option<i64>,
    pub property_exists: bool,
    pub is_active: bool,
    pub project_group_id: Option<i64>,
}

/// How the feed stands, and what is known of the unit in it, as `sql/explain/feed.sql` has it.
#[derive(Default, FromRow)]
pub(super) struct FeedStanding {
    pub paused_because: Option<String>,
    pub snapshot_due: Option<String>,
    pub cooldown_until: Option<DateTime<Utc>>,
    pub wakes_when_any_is_acknowledged: bool,
    pub is_unreadable: bool,
    pub is_new: bool,
    /// The open hold that the unit's removal waits in.
    pub hold_id: Option<i64>,
    pub withheld_at: Option<DateTime<Utc>>,
    /// The sync that it was sealed in last.
    pub last_sequence: Option<i64>,
    pub last_sync_id: Option<String>,
    pub last_state: Option<SyncState>,
    pub last_sealed_at: Option<DateTime<Utc>>,
    pub last_settled_at: Option<DateTime<Utc>>,
    pub open_sync_id: Option<String>,
    pub open_attempts: i32,
    pub open_due_at: Option<DateTime<Utc>>,
    pub open_is_leased: bool,
    pub purged_at: Option<DateTime<Utc>>,
    pub purged_sequence: Option<i64>,
    pub elsewhere: Option<i64>,
}

/// A feed, and the unit's two sides in it.
pub(super) struct Fed {
    pub feed: ChosenFeed,
    pub standing: FeedStanding,
    pub pair: UnitSides,
}

/// What was asked, and what is the same for every part.
pub(super) struct UnitQuestion<'a> {
    pub scope: &'a Scope,
    pub unit_id: i64,
    pub now: Option<DateTime<Utc>>,
    /// None: it was never run.
    pub receiver: Option<&'a ReceiverStanding>,
    /// Sessions of relays on this database.
    pub relays: i64,
    /// What was before may have been pruned.
    pub known_since: Option<DateTime<Utc>>,
    pub home: Option<&'a Home>,
}
