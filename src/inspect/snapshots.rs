//! Which snapshots were begun, and how far each is.

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// A run.
#[derive(Serialize, FromRow)]
pub struct RunView {
    /// `run_id`
    pub id: i64,
    /// Who is sent it.
    pub receiver: String,
    /// Who or what asked for it.
    pub reason: String,
    /// Only this property.
    pub property_id: Option<i64>,
    /// The night that it is the scheduled run of.
    pub scheduled_for: Option<NaiveDate>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When every feed was done.
    pub finished_at: Option<DateTime<Utc>>,
    /// Feeds that it began with.
    pub feeds: i32,
    /// Of these, done.
    pub feeds_done: i32,
    /// Units delivered.
    pub units: i64,
    /// Differences that no change had announced.
    pub drift: i64,
    /// Feeds that fell back to deltas.
    pub failures: i32,
    /// The run that took its feeds over.
    pub superseded_by: Option<i64>,
}

/// The newest first.
pub async fn runs(conn: &mut PgConnection, receiver: Option<&str>, limit: i64) -> Result<Vec<RunView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/snapshot_runs.sql"))
        .bind(receiver)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
