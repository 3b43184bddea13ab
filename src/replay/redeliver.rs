//! One sync's own bytes once more, under its own sync ID.
//!
//! It takes its feeds' one open slot, so nothing of them is planned beside it. What came after it stands corrected by what
//! is owed then: units in their present state, removals that are forgotten, a snapshot where it was one. The lead of a unit
//! that was removed since is told nobody again, so a sync that names one is not redelivered, forced or not.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection};

use super::selection::{Tombstone, rules};
use super::{SelectedFeed, Selection};
use crate::config::Receiver;
use crate::delta::Present;
use crate::fault::Fault;
use crate::payload::decompressed;
use crate::payload::units_with_lead;
use crate::plan::{self, FeedDelta, Mode, Scope, compare_sides, every_feed};
use crate::states::{Owed, SyncState};
use crate::unit::Columns;

/// A sync that is open again.
#[derive(Debug)]
pub struct Redelivered {
    /// The feeds it is about.
    pub feeds: Vec<i64>,
    /// Later syncs were overruled: what this one tells is told anew after it.
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
    let sync: Option<(i64, String, String, SyncState)> = sqlx::query_as(include_str!("../../sql/replay/lock_sync.sql"))
        .bind(sync_id)
        .fetch_optional(&mut *tx)
        .await?;
    let Some((sequence, _, sync_type, state)) = sync.filter(|(_, of, ..)| *of == receiver.name) else {
        return Err(Fault::usage(format!(
            "receiver {} has no sync {sync_id}: never sealed here, or pruned; see `syncs list`",
            receiver.name
        ))
        .into());
    };
    if matches!(state, SyncState::Open | SyncState::Waiting) {
        return Err(Fault::finding(format!("{sync_id} is not settled ({state}): it is sent by itself")).into());
    }
    let forced = check_way(&mut tx, receiver, sequence, sync_id, force).await?;
    check_body(&mut tx, receiver, sequence, sync_id).await?;
    let feeds = sqlx::query_scalar(include_str!("../../sql/replay/reopen.sql"))
        .bind(sequence)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
    if forced {
        let overtaken = overtaken(&mut tx, receiver, sequence, sync_type == "snapshot").await?;
        overtaken.owe(&mut tx, Owed::InDoubt).await?;
    }
    tx.commit().await?;
    Ok(Redelivered { feeds, forced })
}

/// Says whether later syncs are overruled.
async fn check_way(
    conn: &mut PgConnection,
    receiver: &Receiver,
    sequence: i64,
    sync_id: &str,
    force: bool,
) -> Result<bool> {
    type Row = (Option<String>, Option<String>, Option<String>, Option<String>);
    let (paused, unsettled, later, state): Row = sqlx::query_as(include_str!("../../sql/replay/in_the_way.sql"))
        .bind(sequence)
        .fetch_one(conn)
        .await?;
    let name = &receiver.name;
    if let Some(because) = paused {
        return Err(Fault::finding(format!(
            "receiver {name} is paused ({because}), nothing is sent to it: `receivers resume {name}` first"
        ))
        .into());
    }
    if let Some(other) = unsettled {
        return Err(Fault::finding(format!(
            "{other} of the same property is not settled, and only one may be under way: try again when it is (`syncs show \
             {other}`)"
        ))
        .into());
    }
    match (later, state) {
        (Some(later), Some(state)) if !force => Err(Fault::finding(format!(
            "{later} of the same property came after {sync_id} (it is {state}): `replay` tells the present state instead; \
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
            "the body of {sync_id} was {}: there is nothing to send again; `replay` or `snapshot` tells the present state",
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
                 again; `replay` tells the present state"
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

/// What the old bytes say of the feeds that is not so any more.
async fn overtaken(conn: &mut PgConnection, receiver: &Receiver, sequence: i64, snapshot: bool) -> Result<Selection> {
    let (removals, global) = rules(receiver);
    let rows = sqlx::query(include_str!("../../sql/replay/overtaken.sql"))
        .bind(sequence)
        .bind(removals)
        .bind(global)
        .fetch_all(conn)
        .await?;
    let mut overtaken: BTreeMap<i64, SelectedFeed> = BTreeMap::new();
    for row in &rows {
        let (feed_id, property_id, unit) = read(row)?;
        let feed = overtaken.entry(feed_id).or_default();
        (feed.feed_id, feed.property_id) = (feed_id, property_id);
        // Its property's fields are old as well; and a snapshot drops whatever is newer.
        (feed.property, feed.snapshot) = (true, snapshot);
        match unit {
            Some(Ok(unit_id)) => feed.owe.push(unit_id),
            Some(Err(gone)) => feed.tombstones.push(gone),
            None => {}
        }
    }
    Ok(Selection {
        feeds: overtaken.into_values().collect(),
    })
}

/// A unit that the ledger knows, or a removal that it has forgotten; neither for the feed itself.
type Overtaken = (i64, i64, Option<std::result::Result<i64, Tombstone>>);

fn read(row: &PgRow) -> sqlx::Result<Overtaken> {
    let mut columns = Columns::of(row);
    let (feed_id, property_id) = (columns.next()?, columns.next()?);
    let unit_id: Option<i64> = columns.next()?;
    let (is_known, is_purged): (bool, bool) = (columns.next()?, columns.next()?);
    let (unit_code, sequence) = (columns.next()?, columns.next()?);
    let unit = unit_id.and_then(|unit_id| match (is_known, is_purged) {
        (true, _) => Some(Ok(unit_id)),
        (false, true) => Some(Err(Tombstone {
            unit_id,
            unit_code,
            sequence,
        })),
        (false, false) => None,
    });
    Ok((feed_id, property_id, unit))
}
