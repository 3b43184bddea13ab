//! Whether a receiver is sent to, and sending it everything again.

use anyhow::Result;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::unknown_receiver;
use crate::audit::{self, Actor, Entry};
use crate::deliver::breaker;
use crate::fault::Fault;
use crate::inspect::receivers::{self, ReceiverStanding};
use crate::source_identity::{self, Resynced};

/// Nothing is sent to it until a person says so.
pub async fn pause(conn: &mut PgConnection, by: &Actor, receiver: &str) -> Result<()> {
    let mut tx = conn.begin().await?;
    let before = standing(&mut tx, receiver).await?;
    if breaker::open(&mut tx, receiver, "paused by command", None, None)
        .await?
        .is_none()
    {
        return Err(unknown_receiver(receiver));
    }
    note(&mut tx, by, ("receivers pause", receiver), before).await?;
    tx.commit().await?;
    Ok(())
}

/// It is sent to at once.
///
/// # Errors
/// When it waits for a person to accept this database, which a resync does.
pub async fn resume(conn: &mut PgConnection, by: &Actor, receiver: &str) -> Result<()> {
    let mut tx = conn.begin().await?;
    if source_identity::waits(&mut tx, receiver).await? {
        return Err(Fault::usage(format!(
            "receiver {receiver} was fed from another database than this one: `receivers resync {receiver}` if this is the \
             right one; it sends everything again"
        ))
        .into());
    }
    let before = standing(&mut tx, receiver).await?;
    if breaker::close(&mut tx, receiver, true, false).await?.is_none() {
        return Err(unknown_receiver(receiver));
    }
    note(&mut tx, by, ("receivers resume", receiver), before).await?;
    tx.commit().await?;
    Ok(())
}

/// It is sent everything again from this database.
pub async fn resync(conn: &mut PgConnection, by: &Actor, receiver: &str) -> Result<Resynced> {
    let here = source_identity::Server::ask(conn).await?;
    let mut tx = conn.begin().await?;
    let before = standing(&mut tx, receiver).await?;
    let Some(done) = source_identity::resync_with(&mut tx, receiver, &here, None).await? else {
        return Err(unknown_receiver(receiver));
    };
    let entry = Entry {
        action: "receivers resync",
        receiver: Some(receiver),
        subject: format!("receiver {receiver}"),
        before,
        after: Some(json!({
            "because": done.paused_because,
            "accepted_this_database": done.accepted,
            "syncs_given_up": done.syncs,
            "feeds_due_a_snapshot": done.feeds,
            "changes_removed": done.changes,
            "sequence": done.sequence,
        })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(done)
}

async fn note(
    conn: &mut PgConnection,
    by: &Actor,
    (action, receiver): (&str, &str),
    before: Option<Value>,
) -> Result<()> {
    let entry = Entry {
        action,
        receiver: Some(receiver),
        subject: format!("receiver {receiver}"),
        before,
        after: standing(conn, receiver).await?,
    };
    audit::write(conn, by, &entry).await
}

async fn standing(conn: &mut PgConnection, receiver: &str) -> Result<Option<Value>> {
    let standing = receivers::standing(conn, receiver, None).await?;
    let said = |ReceiverStanding { sending, .. }| json!({ "state": sending.state, "because": sending.because, "next_probe": sending.next_probe });
    Ok(standing.map(said))
}
