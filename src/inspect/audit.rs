//! What persons had the relay change.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

/// One action.
#[derive(Serialize, FromRow)]
pub struct AuditView {
    /// `audit_id`
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub who: String,
    /// `command`, `page` or `api`.
    pub through: String,
    /// As the command is called that does it.
    pub action: String,
    /// None: about no receiver.
    pub receiver: Option<String>,
    /// To what.
    pub subject: String,
    /// What of it was so before.
    pub before: Option<Value>,
    /// What of it is so since.
    pub after: Option<Value>,
}

/// Those about every receiver and about none, or about this one, since then; the newest first.
pub async fn audit(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    since: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<Vec<AuditView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/audit.sql"))
        .bind(receiver)
        .bind(since)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
