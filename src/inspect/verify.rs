//! Verify: source against ledger, and the receiver's own word where it gives one. Writes nothing, sends nothing.
//!
//! The comparison is the planner's, in batches of feeds, each in a read-only REPEATABLE READ transaction of its own: what a
//! batch says held at one moment, and none of them keeps the database from cleaning up. What differs is sorted: what a
//! plan is yet to seal waits, what somebody objects to is withheld, and the rest is drift, which nobody announced.
//! Memory holds the ids of one batch and the contents of a handful of units.
//!
//! It sees what the relay noted, not what the receiver holds: that takes the receiver's digest.

mod delivery;
mod finding;
mod sorting;

use std::collections::HashMap;

use anyhow::Result;
use sqlx::{Connection, PgConnection};

use crate::fault::Fault;
use crate::inspect::receivers;
use crate::payload::Hash;
use crate::plan::{
    ChosenFeed, Differing, FeedDelta, Mode, Scope, compare_sides, differing, every_feed, read_briefly, without_values,
};

use delivery::{Delivery, deliveries, property_fields};
use finding::about;
use sorting::{Sorting, property_drifted};

pub use crate::difference::Difference;
pub(crate) use delivery::property_differences;
pub use finding::{Counts, Finding, Sink};

/// Units whose contents are looked at together.
const DETAILED_AT_ONCE: usize = 100;

/// Compares every feed of a receiver, or the one of `property_id`.
pub async fn verify(
    conn: &mut PgConnection,
    scope: &Scope,
    property_id: Option<i64>,
    report: Sink<'_>,
) -> Result<Counts> {
    check_settings(conn, scope).await?;
    let mut counts = Counts::default();
    let mut after = Some(0);
    while let Some(from) = after {
        let mut tx = conn
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        read_briefly(&mut tx).await?;
        after = verify_batch(&mut tx, scope, property_id, from, &mut counts, report)
            .await
            .map_err(without_values)?;
        tx.rollback().await?;
    }
    if let (Some(property_id), 0) = (property_id, counts.feeds) {
        let receiver = &scope.receiver.name;
        return Err(Fault::usage(format!(
            "property {property_id} has no feed to receiver {receiver}; see `feeds list`"
        ))
        .into());
    }
    Ok(counts)
}

/// With other settings than it was sealed with, everything would look different.
async fn check_settings(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    let receiver = &scope.receiver.name;
    let standing = receivers::standing(conn, receiver, None).await?;
    match standing.filter(|standing| standing.settings.is_some()) {
        None => Err(Fault::usage(format!(
            "receiver {receiver} was never run against this database: there is nothing to verify yet"
        ))
        .into()),
        Some(standing) if standing.settings_differ(&scope.shape) => Err(Fault::usage(format!(
            "receiver {receiver} was last run with other settings than these (source.available_status_ids, \
             receivers.{receiver}): verify with those, or run the relay with these first"
        ))
        .into()),
        Some(_) => Ok(()),
    }
}

async fn verify_batch(
    conn: &mut PgConnection,
    scope: &Scope,
    property_id: Option<i64>,
    after: i64,
    counts: &mut Counts,
    report: Sink<'_>,
) -> Result<Option<i64>> {
    let (feeds, more_after) = every_feed(conn, &scope.receiver, property_id, after).await?;
    let deliveries = deliveries(conn, &feeds).await?;
    let mut sorting = Sorting {
        scope,
        deliveries: &deliveries,
        counts,
        report,
        yet_to_compare: HashMap::new(),
        drifted: HashMap::new(),
    };
    let mut deltas = feeds
        .into_iter()
        .map(|feed| FeedDelta::of(feed, Mode::ResendAll, scope))
        .collect::<Result<Vec<_>>>()?;
    let nothing = |_: &FeedDelta| Vec::new();
    compare_sides(conn, scope, &mut deltas, nothing, |delta, pair| {
        sorting.sort(delta, &pair)
    })
    .await?;
    let drifted = std::mem::take(&mut sorting.drifted);
    for delta in &deltas {
        sorting.feed(delta)?;
        if property_drifted(delta, scope) {
            sorting.counts.drift += 1;
            let finding = drifted_property(conn, scope, delta, &deliveries[&delta.feed.feed_id]).await?;
            (sorting.report)(finding)?;
        }
        for units in drifted
            .get(&delta.feed.feed_id)
            .into_iter()
            .flat_map(|units| units.chunks(DETAILED_AT_ONCE))
        {
            for found in differing(conn, scope, &delta.feed, units).await? {
                (sorting.report)(drifted_unit(scope, &delta.feed, found))?;
            }
        }
    }
    Ok(more_after)
}

fn drifted_unit(scope: &Scope, feed: &ChosenFeed, found: Differing) -> Finding {
    Finding {
        because: found.because.map(str::to_owned),
        ledger_hash: found.ledger_hash.map(|hash| hash.to_string()),
        source_hash: found.source_hash.map(|hash| hash.to_string()),
        fields: found.fields,
        ..about(scope, feed, Some(found.unit_id), "drift")
    }
}

async fn drifted_property(
    conn: &mut PgConnection,
    scope: &Scope,
    delta: &FeedDelta,
    delivery: &Delivery,
) -> Result<Finding> {
    let fields = property_fields(conn, delta, delivery).await?;
    Ok(Finding {
        because: fields
            .is_none()
            .then(|| "what was sealed last is no longer kept".to_owned()),
        ledger_hash: delta.feed.property_hash.as_ref().map(Hash::to_string),
        source_hash: Some(delta.property.hash.to_string()),
        fields: fields.unwrap_or_default(),
        ..about(scope, &delta.feed, None, "drift")
    })
}
