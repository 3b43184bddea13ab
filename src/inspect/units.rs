//! Which units the ledger has of a feed.

use anyhow::Result;
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// A unit as the ledger has it.
#[derive(Serialize, FromRow)]
pub struct UnitView {
    /// The source's id.
    pub unit_id: i64,
    /// As it was sealed last.
    pub unit_code: Option<String>,
    /// Why it was removed; none: it is there.
    pub removed: Option<String>,
    /// Why it is due.
    pub owed: Option<String>,
    /// Whose objection withholds it.
    pub withheld: Option<String>,
    /// In words.
    pub withheld_because: Option<String>,
    /// The number of the sync that it was sealed in last; none: it never was.
    pub sequence: Option<i64>,
}

/// Those with ids beyond `after`, in their order.
pub async fn units(conn: &mut PgConnection, feed_id: i64, after: i64, limit: i64) -> Result<Vec<UnitView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/units_of_feed.sql"))
        .bind(feed_id)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
