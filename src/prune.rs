//! Prune: forget outbox rows that every feed has planned, and syncs that are long over. Of a sync whose row says how a feed
//! stands the row stays; its body, which has people's names in it, goes like any other.
//!
//! Guarantees: a row that any feed's cursor doesn't see stays, unless it is older than retention, and then that feed is due
//! a snapshot instead; rows of transactions in progress stay; nobody who writes to the source waits, because no lock here
//! is one that an insert asks for, and rows that somebody else has locked are passed over. So any number of relays may
//! prune at once. What was pruned is noted as the horizon, together with the pruning itself.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use crate::config::Retention;
use crate::plan;

/// Outbox rows that one step takes at most.
const OUTBOX_PER_STEP_MAX: i64 = 5_000;
/// Feeds whose cursor one statement moves at most.
const FEEDS_PER_STEP_MAX: i64 = 2_000;
/// Syncs, and rows of each other kind, that one step takes at most; a sync goes with its body and its attempts.
const SYNCS_PER_STEP_MAX: i64 = 1_000;
/// A feed that is settled just then fails the statement that moves its cursor; it is tried again.
const TRIES_MAX: u32 = 5;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Outbox rows that are gone.
    pub outbox: u64,
    /// Settled syncs that are gone, with their attempts.
    pub syncs: u64,
    /// Bodies that are gone though their sync stays, with the answers to them.
    pub bodies: u64,
    /// Acknowledged alerts, drift, finished runs, acknowledged removals, settled holds and rows of the audit that are gone.
    pub notes: u64,
    /// Feeds whose cursors were moved up.
    pub cursors: u64,
    /// Of these, feeds that are due a snapshot: what they have yet to plan is too old to be kept.
    pub snapshots: u64,
    /// There is more to prune at once.
    pub more: bool,
}

impl std::ops::AddAssign for Pruned {
    fn add_assign(&mut self, step: Self) {
        self.outbox += step.outbox;
        self.syncs += step.syncs;
        self.bodies += step.bodies;
        self.notes += step.notes;
        self.cursors += step.cursors;
        self.snapshots += step.snapshots;
        self.more = step.more;
    }
}

/// One bounded step; `now` none: by the database's clock.
pub async fn step(conn: &mut PgConnection, retention: &Retention, now: Option<DateTime<Utc>>) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    let outbox_before = before(conn, retention.outbox, now).await?;
    let syncs_before = before(conn, retention.syncs, now).await?;
    prune_outbox(conn, outbox_before, &mut pruned)
        .await
        .context("pruning the outbox")?;
    prune_syncs(conn, syncs_before, &mut pruned)
        .await
        .context("pruning syncs")?;
    let audit_before = before(conn, retention.audit, now).await?;
    prune_audit(conn, audit_before, &mut pruned)
        .await
        .context("pruning the audit")?;
    Ok(pruned)
}

/// Since when nothing was pruned; none: nothing ever was.
pub async fn horizon(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar(include_str!("../sql/replay/horizon.sql"))
        .fetch_one(conn)
        .await?)
}

async fn before(
    conn: &mut PgConnection,
    retention: std::time::Duration,
    now: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>> {
    Ok(sqlx::query_scalar(include_str!("../sql/prune/before.sql"))
        .bind(now)
        .bind(retention.as_secs_f64())
        .fetch_one(conn)
        .await?)
}

async fn prune_outbox(conn: &mut PgConnection, before: DateTime<Utc>, pruned: &mut Pruned) -> Result<()> {
    let newest: Option<String> = sqlx::query_scalar(include_str!("../sql/prune/oldest_changes.sql"))
        .bind(before)
        .bind(OUTBOX_PER_STEP_MAX)
        .fetch_one(&mut *conn)
        .await?;
    let Some(newest) = newest else {
        return Ok(());
    };
    let receivers: Vec<String> = sqlx::query_scalar(include_str!("../sql/prune/held_back_by.sql"))
        .bind(&newest)
        .fetch_all(&mut *conn)
        .await?;
    for receiver in receivers {
        move_cursors(conn, &receiver, &newest, before, pruned).await?;
    }
    let gone: i64 = sqlx::query_scalar(include_str!("../sql/prune/outbox.sql"))
        .bind(before)
        .bind(OUTBOX_PER_STEP_MAX)
        .fetch_one(conn)
        .await?;
    pruned.outbox += gone.unsigned_abs();
    pruned.more |= gone == OUTBOX_PER_STEP_MAX;
    Ok(())
}

/// Between two plans, like everything that moves a cursor; where a relay plans just now, the next step does it.
async fn move_cursors(
    conn: &mut PgConnection,
    receiver: &str,
    newest: &str,
    before: DateTime<Utc>,
    pruned: &mut Pruned,
) -> Result<()> {
    let mut tries = 1;
    let (moved, snapshots) = loop {
        match move_marked(conn, receiver, newest, before).await {
            Err(error) if plan::is_serialization_failure(&error) && tries < TRIES_MAX => tries += 1,
            Err(error) if plan::is_serialization_failure(&error) => return Ok(()),
            outcome => break outcome?,
        }
    };
    if snapshots > 0 {
        tracing::warn!(
            receiver,
            feeds = snapshots,
            "feeds have changes to plan that are older than retention.outbox: these are pruned, the feeds are due a snapshot"
        );
    }
    pruned.cursors += moved.unsigned_abs();
    pruned.snapshots += snapshots.unsigned_abs();
    pruned.more |= moved == FEEDS_PER_STEP_MAX;
    Ok(())
}

async fn move_marked(
    conn: &mut PgConnection,
    receiver: &str,
    newest: &str,
    before: DateTime<Utc>,
) -> Result<(i64, i64)> {
    let mut tx = conn.begin_with("begin isolation level repeatable read").await?;
    if !plan::try_mark(&mut tx, receiver).await? {
        return Ok((0, 0));
    }
    let moved = sqlx::query_as(include_str!("../sql/prune/move_cursors.sql"))
        .bind(receiver)
        .bind(newest)
        .bind(before)
        .bind(FEEDS_PER_STEP_MAX)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(moved)
}

async fn prune_audit(conn: &mut PgConnection, before: DateTime<Utc>, pruned: &mut Pruned) -> Result<()> {
    let gone: i64 = sqlx::query_scalar(include_str!("../sql/prune/audit.sql"))
        .bind(before)
        .bind(SYNCS_PER_STEP_MAX)
        .fetch_one(conn)
        .await?;
    pruned.notes += gone.unsigned_abs();
    pruned.more |= gone == SYNCS_PER_STEP_MAX;
    Ok(())
}

async fn prune_syncs(conn: &mut PgConnection, before: DateTime<Utc>, pruned: &mut Pruned) -> Result<()> {
    let gone: i64 = sqlx::query_scalar(include_str!("../sql/prune/syncs.sql"))
        .bind(before)
        .bind(SYNCS_PER_STEP_MAX)
        .fetch_one(&mut *conn)
        .await?;
    pruned.syncs += gone.unsigned_abs();
    pruned.more |= gone == SYNCS_PER_STEP_MAX;
    // What is about to go as a whole need not be emptied first.
    if gone < SYNCS_PER_STEP_MAX {
        let emptied: i64 = sqlx::query_scalar(include_str!("../sql/prune/bodies.sql"))
            .bind(before)
            .bind(SYNCS_PER_STEP_MAX)
            .fetch_one(&mut *conn)
            .await?;
        pruned.bodies += emptied.unsigned_abs();
        pruned.more |= emptied == SYNCS_PER_STEP_MAX;
    }
    for notes in [
        include_str!("../sql/prune/alerts.sql"),
        include_str!("../sql/prune/drift.sql"),
        include_str!("../sql/prune/snapshot_runs.sql"),
        include_str!("../sql/prune/purged_tombstones.sql"),
        include_str!("../sql/prune/removed.sql"),
        include_str!("../sql/prune/holds.sql"),
    ] {
        let done = sqlx::query(notes)
            .bind(before)
            .bind(SYNCS_PER_STEP_MAX)
            .execute(&mut *conn)
            .await?;
        pruned.notes += done.rows_affected();
        pruned.more |= done.rows_affected() == SYNCS_PER_STEP_MAX.unsigned_abs();
    }
    Ok(())
}
