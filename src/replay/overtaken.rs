//! Old bytes that arrive after newer ones: what they say that is not so any more is owed, so that the receiver ends as it should.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection};

use super::selection::{Tombstone, rules};
use super::{SelectedFeed, Selection};
use crate::config::Receiver;
use crate::plan;
use crate::states::Owed;
use crate::unit::Columns;

/// These syncs were sent under leases that count no longer, and may have arrived only now. Where newer ones were sealed meanwhile,
/// what they carry is owed. Says of which properties.
pub(crate) async fn owe_overtaken(conn: &mut PgConnection, receiver: &Receiver, late: &[i64]) -> Result<Vec<i64>> {
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, &receiver.name).await?;
    let overtaken_syncs: Vec<(i64, bool)> = sqlx::query_as(include_str!("../../sql/replay/late.sql"))
        .bind(late)
        .fetch_all(&mut *tx)
        .await?;
    let mut properties = Vec::new();
    for (sequence, snapshot) in overtaken_syncs {
        let overtaken = overtaken(&mut tx, receiver, sequence, snapshot).await?;
        overtaken.owe(&mut tx, Owed::InDoubt).await?;
        properties.extend(overtaken.feeds.iter().map(|feed| feed.property_id));
    }
    tx.commit().await?;
    if !properties.is_empty() {
        tracing::warn!(
            receiver = receiver.name,
            "requests to properties {properties:?} were under way when this relay's leases ended, and newer ones were sent since: what \
             they carried is sent once more"
        );
    }
    Ok(properties)
}

/// What the old bytes say of the feeds that is not so any more.
pub(super) async fn overtaken(
    conn: &mut PgConnection,
    receiver: &Receiver,
    sequence: i64,
    snapshot: bool,
) -> Result<Selection> {
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
