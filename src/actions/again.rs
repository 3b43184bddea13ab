//! Having sent again what a receiver may have lost.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::audit::{self, Actor, Entry};
use crate::config::Receiver;
use crate::replay::{self, Redelivered, Request, SelectedFeed, Selection};
use crate::snapshot::{self, Run};

/// Begins a snapshot of one property or of all, at `now` (none: by the database's clock).
pub async fn snapshot(
    conn: &mut PgConnection,
    by: &Actor,
    receiver: &str,
    property_id: Option<i64>,
    now: Option<DateTime<Utc>>,
) -> Result<Run> {
    let mut tx = conn.begin().await?;
    let run_id = snapshot::begin(&mut tx, receiver, "command", property_id, now).await?;
    let run = snapshot::run(&mut tx, run_id).await?;
    let entry = Entry {
        action: "snapshot",
        receiver: Some(receiver),
        subject: property_id.map_or_else(|| "every property".to_owned(), |id| format!("property {id}")),
        before: None,
        after: Some(json!({ "run_id": run_id, "feeds": run.feeds })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(run)
}

/// Marks what a window asks for. No row where nothing was sent or touched in it.
pub async fn replay(conn: &mut PgConnection, by: &Actor, request: &Request<'_>) -> Result<Selection> {
    replay::mark_and(conn, request, async |conn, asked| {
        let sum = |of: fn(&SelectedFeed) -> usize| asked.feeds.iter().map(of).sum::<usize>();
        let entry = Entry {
            action: "replay",
            receiver: Some(&request.receiver.name),
            subject: request
                .property
                .map_or_else(|| "every property".to_owned(), |id| format!("property {id}")),
            before: None,
            after: Some(json!({
                "since": request.window.since,
                "until": request.window.until,
                "feeds": asked.feeds.len(),
                "units": sum(|feed| feed.units),
                "removals": sum(|feed| feed.removals),
            })),
        };
        audit::write(conn, by, &entry).await
    })
    .await
}

/// Opens a settled sync again, over later ones only where `force` says so.
pub async fn redeliver(
    conn: &mut PgConnection,
    by: &Actor,
    receiver: &Receiver,
    sync_id: &str,
    force: bool,
) -> Result<Redelivered> {
    let mut tx = conn.begin().await?;
    let before = replay::state_of(&mut tx, sync_id).await?;
    let opened = replay::redeliver(&mut tx, receiver, sync_id, force, None).await?;
    let entry = Entry {
        action: "redeliver",
        receiver: Some(&receiver.name),
        subject: sync_id.to_owned(),
        before: Some(json!({ "state": before })),
        after: Some(json!({ "state": "open", "over_later_ones": opened.forced })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(opened)
}
