//! What happened to one unit in one feed, in time order: changes, syncs and their tries, what was noted of it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use super::standing::Fed;
use crate::difference;
use crate::states::SyncState;

/// Of each kind the newest so many: a unit that is edited every minute would fill pages.
const NEWEST: i64 = 100;

/// Something that happened.
#[derive(Serialize)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[allow(missing_docs)] // the columns of the tables they come from
pub enum What {
    Change(Change),
    Sync(Sync),
    Attempt(Attempt),
    /// A snapshot found that it differed though no change had announced it.
    Drift {
        differs: Option<String>,
    },
    /// Something objects to sending it.
    Withheld {
        because: String,
    },
    /// Its removal was acknowledged.
    #[serde(rename = "removal_taken")]
    RemovalAcknowledged {
        sequence: Option<i64>,
    },
}

/// A row of the outbox.
#[derive(Serialize, FromRow)]
#[allow(missing_docs)]
pub struct Change {
    #[serde(skip)]
    pub occurred_at: DateTime<Utc>,
    pub transaction: String,
    pub op: String,
    /// The unit, its whole property, or every property.
    pub of: String,
    /// Whether the feed has looked at it; none: there is no feed, or it was never planned.
    pub is_planned: Option<bool>,
}

/// A sync that carries the unit or its removal.
#[derive(Serialize, FromRow)]
#[allow(missing_docs)]
pub struct Sync {
    pub sequence: i64,
    pub sync_id: String,
    pub sync_type: String,
    pub part: i32,
    pub parts: i32,
    pub probe: bool,
    pub state: SyncState,
    #[serde(skip)]
    pub sealed_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub redelivered_at: Option<DateTime<Utc>>,
    pub is_gone: bool,
    /// The unit that carries its code now, where its removal names one.
    #[sqlx(default)]
    pub replaced_by: Option<i64>,
}

/// A try of one.
#[derive(Serialize, FromRow)]
#[allow(missing_docs)]
pub struct Attempt {
    #[serde(skip)]
    pub sequence: i64,
    pub sync_id: String,
    pub attempt: i32,
    pub relay: String,
    #[serde(skip)]
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// None: under way, or its relay died.
    pub outcome: Option<String>,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub answer: Option<String>,
}

/// What happened, in no order yet.
#[derive(Default)]
pub(super) struct Timeline {
    entries: Vec<Entry>,
    pub older_left_out: bool,
    /// Acknowledged syncs that carry the unit or, true, its removal, the newest first.
    acknowledged: Vec<(i64, bool)>,
}

impl Timeline {
    /// Of a property, and its feed if it has one.
    pub async fn read(conn: &mut PgConnection, property_id: i64, feed_id: Option<i64>, unit_id: i64) -> Result<Self> {
        let mut timeline = Self::default();
        let changes: Vec<Change> = sqlx::query_as(include_str!("../../../sql/explain/changes.sql"))
            .bind(property_id)
            .bind(feed_id)
            .bind(unit_id)
            .bind(NEWEST)
            .fetch_all(&mut *conn)
            .await?;
        timeline.extend(changes, |change| (change.occurred_at, What::Change(change)));
        if let Some(feed_id) = feed_id {
            timeline.read_syncs(conn, feed_id, unit_id).await?;
        }
        Ok(timeline)
    }

    async fn read_syncs(&mut self, conn: &mut PgConnection, feed_id: i64, unit_id: i64) -> Result<()> {
        let mut syncs: Vec<Sync> = sqlx::query_as(include_str!("../../../sql/explain/syncs.sql"))
            .bind(feed_id)
            .bind(unit_id)
            .bind(NEWEST)
            .fetch_all(&mut *conn)
            .await?;
        for sync in syncs.iter_mut().filter(|sync| sync.is_gone) {
            sync.replaced_by = difference::replaced_by(conn, sync.sequence, unit_id).await?;
        }
        let acknowledged = syncs.iter().filter(|sync| sync.state == SyncState::Delivered);
        self.acknowledged = acknowledged.map(|sync| (sync.sequence, sync.is_gone)).collect();
        let attempts: Vec<Attempt> = sqlx::query_as(include_str!("../../../sql/explain/attempts.sql"))
            .bind(syncs.iter().map(|sync| sync.sequence).collect::<Vec<_>>())
            .fetch_all(&mut *conn)
            .await?;
        let drift: Vec<(DateTime<Utc>, Option<String>)> =
            sqlx::query_as(include_str!("../../../sql/explain/drift.sql"))
                .bind(feed_id)
                .bind(unit_id)
                .bind(NEWEST)
                .fetch_all(&mut *conn)
                .await?;
        self.extend(syncs, |sync| (sync.sealed_at, What::Sync(sync)));
        self.extend(drift, |(found_at, differs)| (found_at, What::Drift { differs }));
        let attempts = attempts.into_iter().map(|attempt| Entry {
            at: attempt.started_at,
            what: What::Attempt(attempt),
        });
        self.entries.extend(attempts);
        Ok(())
    }

    fn extend<T>(&mut self, rows: Vec<T>, entry: impl Fn(T) -> (DateTime<Utc>, What)) {
        self.older_left_out |= i64::try_from(rows.len()).is_ok_and(|rows| rows >= NEWEST);
        // The newest comes first; what happened at the same moment stays in order.
        let entries = rows.into_iter().rev().map(entry);
        self.entries.extend(entries.map(|(at, what)| Entry { at, what }));
    }

    /// What the ledger notes of it.
    pub fn note(&mut self, fed: &Fed) {
        let withheld = fed.pair.ledger.as_ref().and_then(|row| row.withheld.as_ref());
        if let (Some(at), Some(kept)) = (fed.standing.withheld_at, withheld) {
            let because = format!("{}: {}", kept.kind.as_str(), kept.because);
            self.entries.push(Entry {
                at,
                what: What::Withheld { because },
            });
        }
        if let Some(at) = fed.standing.purged_at {
            let sequence = fed.standing.purged_sequence;
            self.entries.push(Entry {
                at,
                what: What::RemovalAcknowledged { sequence },
            });
        }
    }

    /// The content hash that was acknowledged last before sync `unacknowledged`, where the body has it.
    pub async fn acknowledged_hash(
        &self,
        conn: &mut PgConnection,
        unit_id: i64,
        unacknowledged: Option<i64>,
    ) -> Result<Option<String>> {
        let newest = self
            .acknowledged
            .iter()
            .find(|(sequence, _)| Some(*sequence) != unacknowledged);
        match newest {
            Some((sequence, false)) => difference::sealed_hash(conn, *sequence, unit_id).await,
            Some((_, true)) | None => Ok(None),
        }
    }

    pub fn in_order(mut self) -> Vec<Entry> {
        self.entries.sort_by_key(|entry| entry.at);
        self.entries
    }
}
