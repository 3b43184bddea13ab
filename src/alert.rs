//! Alerts: what a person should know. One row each, and one line in the log when it is new.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// What there is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The receiver is not to be sent to: 401, 403, 404, 410, a redirect, a bad certificate.
    Paused,
    /// A sync was refused.
    Rejected,
    /// A sync was tried as often as the schedule allows.
    Exhausted,
    /// The receiver's numbering is ahead of ours.
    Stale,
    /// Planning fails: a source function, a right, a table.
    Plan,
}

impl Kind {
    /// As the table and the log say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::Stale => "stale",
            Self::Plan => "plan",
        }
    }
}

/// An alert before it is raised.
#[derive(Clone, Debug)]
pub struct Alert {
    /// What there is to know.
    pub kind: Kind,
    /// About which receiver.
    pub receiver: String,
    /// About which property, where it is about one.
    pub property_id: Option<i64>,
    /// What happened and what to do about it; no field's value, no secret.
    pub message: String,
}

/// Writes the alert; the same one again only counts up until somebody acknowledges it.
pub async fn raise(conn: &mut PgConnection, alert: &Alert, now: Option<DateTime<Utc>>) -> Result<()> {
    let times: i32 = sqlx::query_scalar(include_str!("../sql/alert/raise.sql"))
        .bind(alert.kind.as_str())
        .bind(&alert.receiver)
        .bind(alert.property_id)
        .bind(&alert.message)
        .bind(now)
        .fetch_one(conn)
        .await?;
    if times == 1 {
        tracing::error!(
            alert = alert.kind.as_str(),
            receiver = alert.receiver,
            property_id = alert.property_id,
            "{}",
            alert.message
        );
    }
    Ok(())
}
