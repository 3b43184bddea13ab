//! Replay: send a receiver again what it may have lost, in its present state.
//!
//! `mark` says what is owed again and sends nothing: the planner seals it in each feed's own order, as it seals
//! everything. It guarantees: whatever a request carried, or anybody touched, within the window is sent again at least once,
//! removals included that are long acknowledged and forgotten; what is owed already costs nothing more. `redeliver` sends
//! one sync's own bytes again. Not its business: whether the receiver applies what it is sent.

mod overtaken;
mod redeliver;
mod selection;
mod wait;
mod window;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use crate::fault::Fault;
use crate::plan;
use crate::states::Owed;

pub(crate) use overtaken::owe_overtaken;
pub use redeliver::{Redelivered, receiver_of, redeliver, state_of};
pub use selection::{Request, SelectedFeed, Selection};
pub use wait::{Outcome, Progress, Undelivered, Withholding, stuck, wait};
pub use window::Window;

/// What [`mark`] would mark. Writes nothing.
pub async fn look(conn: &mut PgConnection, request: &Request<'_>) -> Result<Selection> {
    check_known(conn, request).await?;
    let mut tx = conn
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    let horizon = sqlx::query_scalar(include_str!("../../sql/replay/horizon.sql"))
        .fetch_one(&mut *tx)
        .await?;
    check_horizon(request.window.since, horizon)?;
    selection::read(&mut tx, request).await
}

/// Marks what the window asks for as owed, in one transaction, and has it planned at once.
pub async fn mark(conn: &mut PgConnection, request: &Request<'_>) -> Result<Selection> {
    check_known(conn, request).await?;
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, &request.receiver.name).await?;
    let horizon = sqlx::query_scalar(include_str!("../../sql/replay/hold_horizon.sql"))
        .fetch_one(&mut *tx)
        .await?;
    check_horizon(request.window.since, horizon)?;
    let asked = selection::read(&mut tx, request).await?;
    asked.owe(&mut tx, Owed::Replay).await?;
    tx.commit().await?;
    Ok(asked)
}

async fn check_known(conn: &mut PgConnection, request: &Request<'_>) -> Result<()> {
    let (receiver, property): (bool, bool) = sqlx::query_as(include_str!("../../sql/replay/known_feed.sql"))
        .bind(&request.receiver.name)
        .bind(request.property)
        .fetch_one(conn)
        .await?;
    let name = &request.receiver.name;
    match (receiver, property, request.property) {
        (false, ..) => Err(Fault::usage(format!(
            "no receiver {name} has been run against this database; see `receivers list`"
        ))
        .into()),
        (true, false, Some(id)) => Err(Fault::usage(format!(
            "property {id} has no feed to receiver {name}; see `feeds list`"
        ))
        .into()),
        _ => Ok(()),
    }
}

fn check_horizon(since: DateTime<Utc>, horizon: Option<DateTime<Utc>>) -> Result<()> {
    match horizon {
        Some(horizon) if since < horizon => Err(Fault::usage(format!(
            "what was sent before {} is pruned (retention), so a replay since {} would miss some of it: `snapshot` sends \
             everything, or replay --since {}",
            window::shown(horizon),
            window::shown(since),
            window::shown(horizon)
        ))
        .into()),
        _ => Ok(()),
    }
}
