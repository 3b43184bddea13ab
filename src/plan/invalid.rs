//! What can't be sealed as it is: one alert for a receiver, when such units come to be.

use anyhow::{Context, Result};

use super::feed_delta::FeedDelta;
use super::observed::ValidityChanges;
use super::scope::PlanTx;
use crate::alert::{self, Alert, Kind};
use crate::words;

/// Of all feeds of a batch.
pub(super) fn validity(deltas: &[FeedDelta]) -> ValidityChanges {
    deltas
        .iter()
        .fold(ValidityChanges::default(), |sum, delta| ValidityChanges {
            invalid: sum.invalid + delta.observed.validity.invalid,
            valid: sum.valid + delta.observed.validity.valid,
        })
}

/// Of properties that were compared whole, those of which nothing can be sealed as they are, and why; and the others.
pub(super) struct Unspeakable {
    properties: Vec<(i64, String)>,
    others: Vec<i64>,
}

impl Unspeakable {
    /// Of a batch.
    pub fn of(deltas: &[FeedDelta]) -> Self {
        let whole = || deltas.iter().filter(|delta| delta.is_compared_whole());
        let objection = |delta: &FeedDelta| Some((delta.feed.property_id, delta.objection.clone()?));
        let others = whole().filter(|delta| delta.objection.is_none());
        Self {
            properties: whole().filter_map(objection).collect(),
            others: others.map(|delta| delta.feed.property_id).collect(),
        }
    }
}

/// An alert for each such property, because it may have no unit to say it; over once it is put right.
pub(super) async fn note_properties(tx: &mut PlanTx<'_>, unspeakable: Unspeakable) -> Result<()> {
    let receiver = &tx.scope.receiver.name;
    if !unspeakable.others.is_empty() {
        alert::resolve_of(tx.conn, receiver, Kind::Invalid, &unspeakable.others, tx.now).await?;
    }
    for (property_id, because) in unspeakable.properties {
        let alert = Alert {
            kind: Kind::Invalid,
            receiver: receiver.clone(),
            property_id: Some(property_id),
            message: format!(
                "property {property_id} can't be sealed as the source has it: {because}. At the receiver it and its units stay as \
                 they were sealed last; put it right in the source, and all of it is sent"
            ),
        };
        alert::raise(tx.conn, &alert, tx.now).await?;
    }
    Ok(())
}

/// Raises the alert where units came to be invalid; it is over with the last. Once the ledger says so.
pub(super) async fn note(tx: &mut PlanTx<'_>, validity: ValidityChanges) -> Result<()> {
    if validity.invalid + validity.valid == 0 {
        return Ok(());
    }
    let receiver = &tx.scope.receiver.name;
    let (units, properties): (i64, i64) = sqlx::query_as(include_str!("../../sql/plan/invalid.sql"))
        .bind(receiver)
        .fetch_one(&mut *tx.conn)
        .await
        .context("counting units that can't be sealed")?;
    if units == 0 {
        return alert::resolve(tx.conn, receiver, &[Kind::Invalid], tx.now).await;
    }
    if validity.invalid == 0 {
        return Ok(());
    }
    let alert = Alert {
        kind: Kind::Invalid,
        receiver: receiver.clone(),
        property_id: None,
        message: format!(
            "{} of {} can't be sealed as the source has it. At the receiver it stays as it was sealed last, if it \
             ever was. See `refused list --invalid` for the reasons; each is sent once it is put right in the source, or \
             the settings of receivers.{receiver} let it through (require, body_bytes_max)",
            words::count(units, "unit", "units"),
            words::count(properties, "property", "properties")
        ),
    };
    alert::raise(tx.conn, &alert, tx.now).await
}
