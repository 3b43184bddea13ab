//! What a person asks of plans: which properties a receiver is to have, and what is sent once more.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

/// A unit that is owed again.
#[derive(FromRow)]
pub struct Released {
    /// Its property.
    pub property_id: i64,
    /// The source's id.
    pub unit_id: i64,
    /// Nothing of it is planned until `feeds resume`.
    pub feed_is_paused: bool,
}

/// Refused units, or this one, are owed once more.
pub async fn retry_refused(conn: &mut PgConnection, receiver: &str, unit_id: Option<i64>) -> Result<Vec<Released>> {
    Ok(sqlx::query_as(include_str!("../../sql/plan/retry_refused.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_all(conn)
        .await?)
}

/// What changes of a feed; what is not said stays.
#[derive(Clone, Copy, Default)]
pub struct FeedChange<'a> {
    /// Whether the receiver is to have the property.
    pub enabled: Option<bool>,
    /// Whether nothing is planned for it.
    pub paused: Option<bool>,
    /// What the receiver calls it.
    pub external_id: Option<&'a str>,
}

/// Changes a feed, and makes it where it is enabled and not there. False: there is no such feed, or no such receiver.
pub async fn set_feed(
    conn: &mut PgConnection,
    receiver: &str,
    property_id: i64,
    change: FeedChange<'_>,
) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/plan/set_feed.sql"))
        .bind(receiver)
        .bind(property_id)
        .bind(change.enabled)
        .bind(change.paused)
        .bind(change.external_id)
        .fetch_one(conn)
        .await?)
}

/// Plans every paused property of a receiver again. Says which.
pub async fn resume_feeds(conn: &mut PgConnection, receiver: &str) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/plan/resume_feeds.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}

/// Whether a receiver holds units of a property under another id than this: it would keep them beside those under this one.
pub async fn has_another_name(
    conn: &mut PgConnection,
    receiver: &str,
    property_id: i64,
    external_id: &str,
) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/plan/another_name.sql"))
        .bind(receiver)
        .bind(property_id)
        .bind(external_id)
        .fetch_one(conn)
        .await?)
}
