//! One sync's own bytes once more, under its own sync ID.
//!
//! It takes its feeds' one open slot, so nothing of them is planned beside it. What came after it stands corrected by what
//! is owed then: units in their present state, removals that are forgotten, a snapshot where it was one. The lead of a unit
//! that was removed since goes to nobody again, so a sync that names one is not redelivered, forced or not.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, FromRow, PgConnection};

use super::overtaken::overtaken;
use crate::config::Receiver;
use crate::delta::Present;
use crate::fault::Fault;
use crate::payload::decompressed;
use crate::payload::units_with_lead;
use crate::plan::{self, FeedDelta, Mode, Scope, compare_sides, every_feed};
use crate::states::{Owed, SyncState};

/// A sync that is open again.
#[derive(Debug)]
pub struct Redelivered {
    /// The feeds it is about.
    pub feeds: Vec<i64>,
    /// Later syncs were overruled: what this one carries is sent anew after it.
    pub forced: bool,
}

/// Whose sync this is; none: never sealed here, or pruned.
pub async fn receiver_of(conn: &mut PgConnection, sync_id: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/replay/receiver_of.sql"))
        .bind(sync_id)
        .fetch_optional(conn)
        .await?)
}

/// The sync's state, as `syncs list` has it.
pub async fn state_of(conn: &mut PgConnection, sync_id: &str) -> Result<Option<SyncState>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/replay/state.sql"))
        .bind(sync_id)
        .fetch_optional(conn)
        .await?)
}

/// A sync that is locked.
#[derive(FromRow)]
struct LockedSync {
    sequence: i64,
    receiver: String,
    sync_type: String,
    state: SyncState,
}

/// Opens a settled sync again; over later ones only where `force` says so.
///
/// # Errors
/// When something stands in the way, in one sentence that says what.
pub async fn redeliver(
    conn: &mut PgConnection,
    receiver: &Receiver,
    sync_id: &str,
    force: bool,
    now: Option<DateTime<Utc>>,
) -> Result<Redelivered> {
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, &receiver.name).await?;
    let sync: Option<LockedSync> = sqlx::query_as(include_str!("../../sql/replay/lock_sync.sql"))
        .bind(sync_id)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(sync) = sync.filter(|sync| sync.receiver == receiver.name) else {
        return Err(Fault::usage(format!(
            "receiver {} has no sync {sync_id}: never sealed here, or pruned; see `syncs list`",
            receiver.name
        ))
        .into());
    };
    if matches!(sync.state, SyncState::Open | SyncState::Waiting) {
        return Err(Fault::finding(format!(
            "{sync_id} is not settled ({}): it is sent by itself",
            sync.state
        ))
        .into());
    }
    let forced = check_way(&mut tx, receiver, sync.sequence, sync_id, force).await?;
    check_body(&mut tx, receiver, sync.sequence, sync_id).await?;
    let feeds = sqlx::query_scalar(include_str!("../../sql/replay/reopen.sql"))
        .bind(sync.sequence)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
    if forced {
        let overtaken = overtaken(&mut tx, receiver, sync.sequence, sync.sync_type == "snapshot").await?;
        overtaken.owe(&mut tx, Owed::InDoubt).await?;
    }
    tx.commit().await?;
    Ok(Redelivered { feeds, forced })
}

/// Says whether later syncs are overruled.
/// What stands in the way of sending a sync again.
#[derive(FromRow)]
struct InTheWay {
    paused_because: Option<String>,
    unsettled: Option<String>,
    later_id: Option<String>,
    later_state: Option<String>,
}

async fn check_way(
    conn: &mut PgConnection,
    receiver: &Receiver,
    sequence: i64,
    sync_id: &str,
    force: bool,
) -> Result<bool> {
    let way: InTheWay = sqlx::query_as(include_str!("../../sql/replay/in_the_way.sql"))
        .bind(sequence)
        .fetch_one(conn)
        .await?;
    let name = &receiver.name;
    if let Some(because) = way.paused_because {
        return Err(Fault::finding(format!(
            "receiver {name} is paused ({because}), nothing is sent to it: `receivers resume {name}` first"
        ))
        .into());
    }
    if let Some(other) = way.unsettled {
        return Err(Fault::finding(format!(
            "{other} of the same property is not settled, and only one may be under way: try again when it is (`syncs show \
             {other}`)"
        ))
        .into());
    }
    match (way.later_id, way.later_state) {
        (Some(later), Some(state)) if !force => Err(Fault::finding(format!(
            "{later} of the same property came after {sync_id} (it is {state}): `replay` sends the present state instead; \
             --force sends the old one all the same, and the present state after it"
        ))
        .into()),
        (later, _) => Ok(later.is_some()),
    }
}

/// Refuses bytes that are gone, and bytes that name the lead of a unit that was removed since.
async fn check_body(conn: &mut PgConnection, receiver: &Receiver, sequence: i64, sync_id: &str) -> Result<()> {
    let (body, gone): (Option<Vec<u8>>, Option<String>) = sqlx::query_as(include_str!("../../sql/replay/body.sql"))
        .bind(sequence)
        .fetch_one(&mut *conn)
        .await?;
    let Some(body) = body else {
        return Err(Fault::finding(format!(
            "the body of {sync_id} was {}: there is nothing to send again; `replay` or `snapshot` sends the present state",
            gone.unwrap_or_default()
        ))
        .into());
    };
    let body = serde_json::from_slice(&decompressed(&body)?).ok();
    let with_lead = units_with_lead(&body.with_context(|| format!("the body of {sync_id} is no JSON"))?);
    if with_lead.is_empty() {
        return Ok(());
    }
    let about: Vec<(i64, Vec<i64>)> = sqlx::query_as(include_str!("../../sql/replay/about.sql"))
        .bind(sequence)
        .fetch_all(&mut *conn)
        .await?;
    for (property_id, units) in about {
        let named: Vec<i64> = units
            .into_iter()
            .filter(|unit_id| with_lead.contains(unit_id))
            .collect();
        if let Some(unit_id) = removed_since(conn, receiver, property_id, named).await? {
            return Err(Fault::finding(format!(
                "{sync_id} names the lead of unit {unit_id}, which is gone from property {property_id} since: it is not sent \
                 again; `replay` sends the present state"
            ))
            .into());
        }
    }
    Ok(())
}

/// The first of these units that a plan would find gone from its feed.
async fn removed_since(
    conn: &mut PgConnection,
    receiver: &Receiver,
    property_id: i64,
    units: Vec<i64>,
) -> Result<Option<i64>> {
    // Which status means available makes no difference to what is gone.
    let scope = Scope::new(receiver, &[]);
    let (feeds, _) = every_feed(conn, receiver, Some(property_id), 0).await?;
    let mut removed = None;
    for feed in feeds {
        let mut part = [FeedDelta::of(feed, Mode::Part, &scope)?];
        compare_sides(
            conn,
            &scope,
            &mut part,
            |_| units.clone(),
            |_, pair| {
                if matches!(pair.source, Present::Absent(_)) {
                    removed.get_or_insert(pair.unit_id);
                }
                Ok(())
            },
        )
        .await?;
    }
    Ok(removed)
}
