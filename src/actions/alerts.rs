//! Saying of alerts that they are known.

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::alert;
use crate::audit::{self, Actor, Entry};
use crate::fault::Fault;
use crate::inspect::alerts;
use crate::words;

/// One alert.
///
/// # Errors
/// When it is not open.
pub async fn acknowledge(conn: &mut PgConnection, by: &Actor, alert_id: i64) -> Result<()> {
    let mut tx = conn.begin().await?;
    if alert::acknowledge(&mut tx, Some(alert_id), None).await? == 0 {
        return Err(not_open(&mut tx, alert_id).await?.into());
    }
    note(&mut tx, by, None, format!("alert {alert_id}"), 1).await?;
    tx.commit().await?;
    Ok(())
}

/// Every one that is open, about every receiver or about this one. Says how many.
pub async fn acknowledge_all(conn: &mut PgConnection, by: &Actor, receiver: Option<&str>) -> Result<i64> {
    let mut tx = conn.begin().await?;
    let known = alert::acknowledge(&mut tx, None, receiver).await?;
    if known > 0 {
        note(&mut tx, by, receiver, "every open alert".to_owned(), known).await?;
        tx.commit().await?;
    }
    Ok(known)
}

async fn note(conn: &mut PgConnection, by: &Actor, receiver: Option<&str>, subject: String, alerts: i64) -> Result<()> {
    let entry = Entry {
        action: "alerts ack",
        receiver,
        subject,
        before: Some(json!({ "state": "open" })),
        after: Some(json!({ "state": "acknowledged", "alerts": alerts })),
    };
    audit::write(conn, by, &entry).await
}

async fn not_open(conn: &mut PgConnection, alert_id: i64) -> Result<Fault> {
    let acknowledged_at = alerts::acknowledged_at(conn, alert_id).await?;
    Ok(Fault::usage(match acknowledged_at {
        Some(at) => format!(
            "alert {alert_id} is not open: acknowledged, or over by itself, since {}",
            words::moment(at)
        ),
        None => format!("no alert {alert_id}; see `alerts list`"),
    }))
}
