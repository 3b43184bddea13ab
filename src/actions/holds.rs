//! Deciding about removals that wait for a person.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::audit::{self, Actor, Entry, LISTED_MAX};
use crate::hold::{self, Decided, Decision};

/// Decides about one hold of a receiver, or (`hold_id` none) about every open one. Empty: none is open.
pub async fn decide(
    conn: &mut PgConnection,
    by: &Actor,
    receiver: &str,
    hold_id: Option<i64>,
    decision: Decision,
) -> Result<Vec<Decided>> {
    let mut tx = conn.begin().await?;
    let before = match hold_id {
        Some(hold_id) => state(&mut tx, receiver, hold_id).await?,
        None => Some("open".to_owned()),
    };
    let decided = hold::decide(&mut tx, receiver, hold_id, decision, None).await?;
    if decided.is_empty() {
        return Ok(decided);
    }
    let holds: BTreeSet<i64> = decided.iter().map(|part| part.hold_id).collect();
    let properties: BTreeSet<i64> = decided.iter().filter_map(|part| part.property_id).collect();
    let entry = Entry {
        action: match decision {
            Decision::Approve => "holds approve",
            Decision::Reject => "holds reject",
        },
        receiver: Some(receiver),
        subject: hold_id.map_or_else(|| "every open hold".to_owned(), |hold_id| format!("hold {hold_id}")),
        before: Some(json!({ "state": before })),
        after: Some(json!({
            "state": decision.as_str(),
            "holds": holds.len(),
            "hold_ids": holds.iter().take(LISTED_MAX).collect::<Vec<_>>(),
            "units": decided.iter().map(|part| part.units).sum::<i64>(),
            "property_ids": properties.iter().take(LISTED_MAX).collect::<Vec<_>>(),
        })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(decided)
}

async fn state(conn: &mut PgConnection, receiver: &str, hold_id: i64) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/audit/hold.sql"))
        .bind(hold_id)
        .bind(receiver)
        .fetch_optional(conn)
        .await?)
}
