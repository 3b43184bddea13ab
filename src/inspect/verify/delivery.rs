//! What a feed's syncs say of it: what is under way, which digests were told, what its property was told as.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::PgConnection;

use crate::difference::{Difference, differences, property_told};
use crate::plan::{ChosenFeed, FeedDelta};

/// What a feed's syncs say of it, as `sql/verify/deliveries.sql` has it.
pub(super) struct Delivery {
    pub property_sequence: Option<i64>,
    /// What was told by this sync or a later one is not acknowledged.
    pub under_way: Option<i64>,
    /// The newest sync, our digest after it, and the receiver's.
    pub digests: Option<(i64, String, String)>,
}

/// Of each feed.
pub(super) async fn deliveries(conn: &mut PgConnection, feeds: &[ChosenFeed]) -> Result<HashMap<i64, Delivery>> {
    type Row = (
        i64,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<String>,
        Option<String>,
    );
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../../sql/verify/deliveries.sql"))
        .bind(feeds.iter().map(|feed| feed.feed_id).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let delivery = |(feed_id, property_sequence, under_way, newest, ours, said): Row| {
        let digests = newest
            .zip(ours.zip(said))
            .map(|(newest, (ours, said))| (newest, ours, said));
        (
            feed_id,
            Delivery {
                property_sequence,
                under_way,
                digests,
            },
        )
    };
    Ok(rows.into_iter().map(delivery).collect())
}

/// Which of a property's own fields differ from those told last; none: what was told is no longer kept, or nothing was.
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
    let Some(told) = property_told(conn, sequence, &delta.property.id).await? else {
        return Ok(None);
    };
    let present = serde_json::from_str(&delta.property.json)?;
    Ok(Some(differences(&told, &present)))
}
