//! What snapshots found that no change had announced.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// A difference between source and ledger.
#[derive(Serialize, FromRow)]
pub struct DriftView {
    /// `drift_id`
    pub id: i64,
    /// Who was sent something else.
    pub receiver: String,
    /// Its property.
    pub property_id: i64,
    /// None: the property itself.
    pub unit_id: Option<i64>,
    /// The run that found it.
    pub run_id: Option<i64>,
    /// Of what was sealed last; none where nothing was.
    pub ledger_hash: Option<String>,
    /// Of what the source had; none where it had nothing.
    pub source_hash: Option<String>,
    /// Which fields.
    pub differs: Option<String>,
    /// When.
    pub found_at: DateTime<Utc>,
}

/// The newest first.
pub async fn found(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    property_id: Option<i64>,
    limit: i64,
) -> Result<Vec<DriftView>> {
    Ok(sqlx::query_as(include_str!("../../sql/verify/found.sql"))
        .bind(receiver)
        .bind(property_id)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
