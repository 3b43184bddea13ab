//! Replay: tell a receiver again what it may have lost, in its present state.
//!
//! `mark` says what is owed again and sends nothing: the planner tells it in each feed's own order, as it tells
//! everything. It guarantees: whatever a request told, or anybody touched, within the window is told again at least once,
//! removals included that are long acknowledged and forgotten; what is owed already costs nothing more. `redeliver` sends
//! one sync's own bytes again. Not its business: whether the receiver applies what it is told.

mod asked;
mod redeliver;
mod wait;
mod window;

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::config::Receiver;
use crate::fault::Fault;
use crate::plan;

pub use asked::{Asked, AskedFeed};
pub use redeliver::{Redelivered, receiver_of, redeliver, state_of};
pub use wait::{KeptBack, Outcome, Progress, Undelivered, wait};
pub use window::Window;

/// A batch takes seconds; longer than this something is wrong with whoever plans.
const PLANNER_TAKES_MAX: Duration = Duration::from_secs(60);
/// Between tries to get a word in.
const PLANNER_ASK_EVERY: Duration = Duration::from_millis(20);

/// What a replay is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who may have lost something.
    pub receiver: &'a Receiver,
    /// When it was told that.
    pub window: Window,
    /// Of this property only.
    pub property: Option<i64>,
}

/// What [`mark`] would mark. Writes nothing.
pub async fn look(conn: &mut PgConnection, request: &Request<'_>) -> Result<Asked> {
    check_known(conn, request).await?;
    let mut tx = conn
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    let horizon = sqlx::query_scalar(include_str!("../../sql/replay/horizon.sql"))
        .fetch_one(&mut *tx)
        .await?;
    check_horizon(request.window.since, horizon)?;
    asked::read(&mut tx, request).await
}

/// Marks what the window asks for as owed, in one transaction, and has it planned at once.
pub async fn mark(conn: &mut PgConnection, request: &Request<'_>) -> Result<Asked> {
    check_known(conn, request).await?;
    let receiver = &request.receiver.name;
    lock_planning(conn, receiver).await?;
    let marked = mark_locked(conn, request).await;
    let unlocked = plan::unlock(conn, receiver).await;
    let marked = marked?;
    unlocked.map(|()| marked)
}

async fn mark_locked(conn: &mut PgConnection, request: &Request<'_>) -> Result<Asked> {
    let mut tx = conn.begin().await?;
    let horizon = sqlx::query_scalar(include_str!("../../sql/replay/hold_horizon.sql"))
        .fetch_one(&mut *tx)
        .await?;
    check_horizon(request.window.since, horizon)?;
    let asked = asked::read(&mut tx, request).await?;
    asked.owe(&mut tx, "replay").await?;
    tx.commit().await?;
    Ok(asked)
}

/// Waits for the right to plan for a receiver: marks made while a plan is under way would fail it.
async fn lock_planning(conn: &mut PgConnection, receiver: &str) -> Result<()> {
    let until = Instant::now() + PLANNER_TAKES_MAX;
    while !plan::try_lock(conn, receiver).await? {
        if Instant::now() >= until {
            return Err(Fault::finding(format!(
                "a relay has been planning for receiver {receiver} for more than a minute; nothing was marked, try again \
                 when it is done (pg_stat_activity shows what it does)"
            ))
            .into());
        }
        sleep(PLANNER_ASK_EVERY).await;
    }
    Ok(())
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
            "what was told before {} is pruned (retention), so a replay since {} would miss some of it: `snapshot` tells \
             everything, or replay --since {}",
            window::shown(horizon),
            window::shown(since),
            window::shown(horizon)
        ))
        .into()),
        _ => Ok(()),
    }
}
