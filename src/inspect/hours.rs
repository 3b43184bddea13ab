//! What the last 24 hours were like, hour by hour.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// One hour.
#[derive(Clone, Debug, Serialize, FromRow)]
pub struct Hour {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Requests that began in it.
    pub requests: i64,
    /// Of these, not acknowledged.
    pub failed: i64,
    /// Seconds from a change to its acknowledgement, of half of what was delivered in it no more; none: no change was.
    pub lag_p50: Option<f64>,
    /// The same of 99 of 100.
    pub lag_p99: Option<f64>,
}

/// The last 24, the oldest first, of every receiver or of this one.
pub async fn hours(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<Hour>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/hours.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}
