//! Whether a receiver is at rest: everything told, nothing under way.

use anyhow::Result;
use sqlx::PgConnection;

/// How many of the receiver's feeds are paused because it rejects everything about them: at rest, and nothing to be content
/// with.
pub async fn paused_feeds(conn: &mut PgConnection, receiver: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../sql/status/paused_feeds.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// How many of the receiver's feeds are new, behind, busy, resting or owing. Zero when it is at rest.
pub async fn unsettled(conn: &mut PgConnection, receiver: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../sql/status/unsettled.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// How many of the receiver's feeds are paused for whatever reason; of this property only, where one is named.
pub async fn paused_by_anyone(conn: &mut PgConnection, receiver: &str, property_id: Option<i64>) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../sql/status/paused_by_anyone.sql"))
        .bind(receiver)
        .bind(property_id)
        .fetch_one(conn)
        .await?)
}

/// Units and removals that are owed or in a sync that is not acknowledged, and units that are withheld.
pub async fn unacknowledged(conn: &mut PgConnection, receiver: &str) -> Result<(i64, i64)> {
    Ok(sqlx::query_as(include_str!("../sql/status/unacknowledged.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}
