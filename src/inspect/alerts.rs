//! Which alerts there are.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// An alert, open or over.
#[derive(Serialize, FromRow)]
pub struct AlertView {
    /// `alert_id`
    pub id: i64,
    /// What it is about.
    pub kind: String,
    /// None: about no receiver.
    pub receiver: Option<String>,
    /// None: about no single property.
    pub property_id: Option<i64>,
    /// How often it happened.
    pub times: i32,
    /// The first time.
    pub raised_at: DateTime<Utc>,
    /// The last time.
    pub last_at: DateTime<Utc>,
    /// When a person acknowledged it, or it was over.
    pub acked_at: Option<DateTime<Utc>>,
    /// What happened and what to do.
    pub message: String,
}

/// The alerts of one kind about a receiver.
#[derive(Serialize, FromRow)]
pub struct AlertCount {
    /// Empty: about none.
    pub receiver: String,
    /// What they are about.
    pub kind: String,
    /// How often they were raised.
    pub times: i64,
    /// How many are open.
    pub open: i64,
}

/// Of every receiver and kind of which there is one.
pub async fn by_kind(conn: &mut PgConnection) -> Result<Vec<AlertCount>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/alerts_by_kind.sql"))
        .fetch_all(conn)
        .await?)
}

/// The newest first; `all`: also those that are acknowledged or over.
pub async fn alerts(conn: &mut PgConnection, receiver: Option<&str>, all: bool, limit: i64) -> Result<Vec<AlertView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/alerts.sql"))
        .bind(receiver)
        .bind(all)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// Since when an alert has not been open. None: there is none, or it is open.
pub async fn acknowledged_at(conn: &mut PgConnection, alert_id: i64) -> Result<Option<DateTime<Utc>>> {
    let at: Option<Option<DateTime<Utc>>> = sqlx::query_scalar(include_str!("../../sql/inspect/acknowledged_at.sql"))
        .bind(alert_id)
        .fetch_optional(conn)
        .await?;
    Ok(at.flatten())
}
