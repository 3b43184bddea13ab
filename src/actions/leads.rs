//! What is done about the names of a unit's lead.

use anyhow::Result;
use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, Actor, Entry};
use crate::erase::{self, Erased};

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
