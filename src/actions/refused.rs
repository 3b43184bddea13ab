//! Sending once more what a receiver refused.

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::audit::{self, Actor, Entry, LISTED_MAX};
use crate::fault::Fault;
use crate::inspect::withheld;
use crate::plan::{self, Released};
use crate::states::Withheld;

/// One refused unit, or (none) every one, is owed once more. Empty: nothing is refused.
///
/// # Errors
/// When this one is not refused.
pub async fn retry(conn: &mut PgConnection, by: &Actor, receiver: &str, unit_id: Option<i64>) -> Result<Vec<Released>> {
    let mut tx = conn.begin().await?;
    let released = plan::retry_refused(&mut tx, receiver, unit_id).await?;
    if released.is_empty() {
        return match unit_id {
            Some(unit_id) => Err(not_refused(&mut tx, receiver, unit_id).await?.into()),
            None => Ok(released),
        };
    }
    let listed: Vec<i64> = released.iter().take(LISTED_MAX).map(|unit| unit.unit_id).collect();
    let entry = Entry {
        action: "refused retry",
        receiver: Some(receiver),
        subject: unit_id.map_or_else(|| "every refused unit".to_owned(), |unit_id| format!("unit {unit_id}")),
        before: Some(json!({ "withheld": Withheld::Refused })),
        after: Some(json!({ "owed": "retry", "units": released.len(), "unit_ids": listed })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(released)
}

async fn not_refused(conn: &mut PgConnection, receiver: &str, unit_id: i64) -> Result<Fault> {
    let invalid = withheld::withheld(conn, Some(receiver), Withheld::Invalid).await?;
    Ok(Fault::usage(match invalid.iter().any(|unit| unit.unit_id == unit_id) {
        true => format!(
            "unit {unit_id} is not refused by {receiver} but can't be sealed as it is: it is sent once it is put right in \
             the source, or the receiver's requirements let it through; see `refused list --invalid`"
        ),
        false => format!("unit {unit_id} is not refused by {receiver}; see `refused list`"),
    }))
}
