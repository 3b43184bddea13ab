//! What is done about the names of a unit's lead.

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::audit::{self, Actor, Entry};
use crate::erase::{self, Erased};

/// Erases everything that is kept of them for one receiver. The search that comes first runs in the same transaction, which reads
/// until then, and holds nothing but the tables' being there.
pub async fn erase(conn: &mut PgConnection, by: &Actor, receiver: &str, unit_id: i64) -> Result<Erased> {
    let mut tx = conn.begin().await?;
    let erased = erase::erase(&mut tx, receiver, unit_id, None).await?;
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
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(erased)
}
