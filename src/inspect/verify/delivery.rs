//! What a feed's syncs say of it: what is under way, both sides' digests, and how its property was sealed last.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use crate::difference::{Difference, differences, sealed_property};
use crate::plan::{ChosenFeed, FeedDelta};

/// What a feed's syncs say of it, as `sql/verify/deliveries.sql` has it.
#[derive(FromRow)]
pub(super) struct Delivery {
    feed_id: i64,
    pub property_sequence: Option<i64>,
    /// What was sealed in this sync or a later one is not acknowledged.
    pub under_way: Option<i64>,
    newest: Option<i64>,
    our_digest: Option<String>,
    their_digest: Option<String>,
}

impl Delivery {
    /// The newest sync, our digest after it, and the receiver's; none where they can't be compared.
    pub fn digests(&self) -> Option<(i64, &str, &str)> {
        Some((self.newest?, self.our_digest.as_deref()?, self.their_digest.as_deref()?))
    }
}

/// Of each feed.
pub(super) async fn deliveries(conn: &mut PgConnection, feeds: &[ChosenFeed]) -> Result<HashMap<i64, Delivery>> {
    let rows: Vec<Delivery> = sqlx::query_as(include_str!("../../../sql/verify/deliveries.sql"))
        .bind(feeds.iter().map(|feed| feed.feed_id).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|delivery| (delivery.feed_id, delivery)).collect())
}

/// Which of a property's own fields differ from those sealed last; none: what was sealed is no longer kept, or nothing was.
pub(crate) async fn property_differences(
    conn: &mut PgConnection,
    delta: &FeedDelta,
) -> Result<Option<Vec<Difference>>> {
    let deliveries = deliveries(conn, std::slice::from_ref(&delta.feed)).await?;
    match deliveries.get(&delta.feed.feed_id) {
        Some(delivery) => property_fields(conn, delta, delivery).await,
        None => Ok(None),
    }
}

pub(super) async fn property_fields(
    conn: &mut PgConnection,
    delta: &FeedDelta,
    delivery: &Delivery,
) -> Result<Option<Vec<Difference>>> {
    let Some(sequence) = delivery.property_sequence else {
        return Ok(None);
    };
    let Some(sealed) = sealed_property(conn, sequence, &delta.property.id).await? else {
        return Ok(None);
    };
    let present = serde_json::from_str(&delta.property.json)?;
    Ok(Some(differences(&sealed, &present)))
}
