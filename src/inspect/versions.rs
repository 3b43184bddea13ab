//! Both versions of a unit, field by field: as it was sealed last for a receiver, and as the source has it for that receiver now.
//!
//! The comparison is the planner's own, in a read-only REPEATABLE READ transaction, as in `explain`. No lead's name is in it.

use anyhow::Result;
use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::delta::Present;
use crate::difference::{Bodies, Side, sides};
use crate::plan::{FeedDelta, Mode, Scope, compare_sides, every_feed, read_briefly, without_values};

/// A unit's two versions in one property's feed.
#[derive(Serialize)]
pub struct Versions {
    /// The receiver.
    pub receiver: String,
    /// The property.
    pub property_id: i64,
    /// What was sealed last is still kept, so that a field without it had none.
    pub is_sealed_kept: bool,
    /// Why there is nothing to show of the source's side.
    pub not_present: Option<String>,
    /// Each field of either.
    pub fields: Vec<Side>,
}

/// None: the property has no feed to this receiver.
pub async fn versions(
    conn: &mut PgConnection,
    scope: &Scope,
    property_id: i64,
    unit_id: i64,
) -> Result<Option<Versions>> {
    let mut tx = conn
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    read_briefly(&mut tx).await?;
    let versions = read(&mut tx, scope, property_id, unit_id)
        .await
        .map_err(without_values)?;
    tx.rollback().await?;
    Ok(versions)
}

async fn read(conn: &mut PgConnection, scope: &Scope, property_id: i64, unit_id: i64) -> Result<Option<Versions>> {
    let (mut feeds, _) = every_feed(conn, &scope.receiver, Some(property_id), 0).await?;
    let Some(feed) = feeds.pop() else { return Ok(None) };
    let mut delta = [FeedDelta::of(feed, Mode::Part, scope)?];
    let (mut present, mut not_present, mut bodies) = (None, None, Bodies::default());
    compare_sides(
        conn,
        scope,
        &mut delta,
        |_| vec![unit_id],
        |_, pair| {
            match pair.source {
                Present::Content(unit) => present = Some(serde_json::from_str(&unit.json)?),
                Present::Invalid(because) => not_present = Some(format!("it can't be sealed as it is: {because}")),
                Present::Absent(reason) => {
                    not_present = Some(format!("the source has it no more ({})", reason.as_str()))
                }
            }
            let row = pair.ledger.as_ref().filter(|row| row.last_sealed.hash().is_some());
            match row {
                Some(row) => bodies.want(row.last_sealed.sequence(), unit_id, row.content.as_deref()),
                None => Ok(()),
            }
        },
    )
    .await?;
    let sent = bodies.read(conn).await?;
    let sealed = sent.unit(unit_id);
    Ok(Some(Versions {
        receiver: scope.receiver.name.clone(),
        property_id,
        is_sealed_kept: sealed.is_some(),
        not_present,
        fields: sides(sealed, present.as_ref()),
    }))
}
