//! The receiver's row. Whoever leases or settles locks it first of all: whoever opens the breaker locks it and then its syncs, and nobody
//! may go the other way.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::config::Receiver;

/// How the receiver stands: a row of `sql/deliver/lock_receiver.sql`.
#[derive(FromRow)]
pub(super) struct LockedReceiver {
    /// How many requests at once it bears; none: as many as the settings allow.
    pub concurrency: Option<i32>,
    /// When the next request may begin.
    pub paced_until: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    pub is_paused: bool,
    /// It failed since it last acknowledged anything.
    pub has_failed: bool,
}

/// None where there is no such receiver.
pub(super) async fn lock_receiver(
    conn: &mut PgConnection,
    receiver: &Receiver,
    now: Option<DateTime<Utc>>,
) -> Result<Option<LockedReceiver>> {
    Ok(sqlx::query_as(include_str!("../../sql/deliver/lock_receiver.sql"))
        .bind(&receiver.name)
        .bind(now)
        .fetch_optional(conn)
        .await?)
}
