//! What is done about the names of a unit's lead.

use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, FromRow, PgConnection};

use crate::audit::{self, Actor, Entry};
use crate::erase::{self, Erased};
use crate::fault::Fault;

/// Erases everything that is kept of them for one receiver.
pub async fn erase(conn: &mut PgConnection, by: &Actor, receiver: &str, unit_id: i64) -> Result<Erased> {
    erase::erase_and(conn, receiver, unit_id, None, async |tx, erased| {
        let entry = Entry {
            action: "erase",
            receiver: Some(receiver),
            subject: format!("unit {unit_id}"),
            before: None,
            after: Some(json!({
                "bodies": erased.bodies,
                "answers": erased.answers,
                "texts": erased.texts,
                "syncs_given_up": erased.given_up,
                "left": erased.proof.left(),
            })),
        };
        audit::write(tx, by, &entry).await
    })
    .await
}

/// As the source has them at present.
#[derive(Serialize, FromRow)]
pub struct Lead {
    /// `lead_first_name`
    pub lead_first_name: Option<String>,
    /// `lead_last_name`
    pub lead_last_name: Option<String>,
}

/// Shows them to somebody, and notes that.
///
/// # Errors
/// When the source has no such unit.
pub async fn show(conn: &mut PgConnection, by: &Actor, unit_id: i64) -> Result<Lead> {
    let mut tx = conn.begin().await?;
    let lead: Option<Lead> = sqlx::query_as(include_str!("../../sql/audit/lead.sql"))
        .bind(unit_id)
        .fetch_optional(&mut *tx)
        .await?;
    let lead = lead.ok_or_else(|| Fault::usage(format!("the source has no unit {unit_id}")))?;
    let entry = Entry {
        action: "leads show",
        receiver: None,
        subject: format!("unit {unit_id}"),
        before: None,
        after: None,
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(lead)
}
