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

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::fault::Fault;
use crate::plan;
use crate::states::Owed;

pub(crate) use overtaken::owe_overtaken;
pub use redeliver::{Redelivered, receiver_of, redeliver, state_of};
pub use selection::{Request, SelectedFeed, Selection};
pub use wait::{Outcome, Progress, Undelivered, Withholding, stuck, wait};
pub use window::Window;

/// Marking so many takes a fraction of a second, and planning waits for it.
const FEEDS_PER_TRANSACTION_MAX: usize = 256;

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
    selection::read(&mut tx, request, None).await
}

/// Marks what the window asks for as owed, and has it planned at once.
///
/// What that is, is read first, which takes as long as it takes; then so many feeds at a time are read once more and marked, each time
/// in a transaction, and as long a pause, so that planning goes on in between.
///
/// # Errors
/// When something fails. What was marked by then is sent again all the same, and the error says so.
pub async fn mark(conn: &mut PgConnection, request: &Request<'_>) -> Result<Selection> {
    mark_and(conn, request, async |_, _| Ok(())).await
}

/// The same, and in its first transaction what else follows from it.
pub(crate) async fn mark_and(
    conn: &mut PgConnection,
    request: &Request<'_>,
    also: impl AsyncFn(&mut PgConnection, &Selection) -> Result<()>,
) -> Result<Selection> {
    let asked = look(conn, request).await?;
    let feeds = asked.feed_ids();
    let mut took = Duration::ZERO;
    for (done, slice) in feeds.chunks(FEEDS_PER_TRANSACTION_MAX).enumerate() {
        let marked = mark_some(conn, request, slice, async |conn| match done {
            0 => also(conn, &asked).await,
            _ => Ok(()),
        });
        let done = done * FEEDS_PER_TRANSACTION_MAX;
        if done > 0 {
            // Plans never wait for the right: without a pause they would find it by luck alone.
            sleep(took).await;
        }
        let begin = Instant::now();
        marked.await.with_context(|| match done {
            0 => "nothing was marked".to_owned(),
            _ => format!(
                "{done} of {} properties are marked and sent again; the same replay once more marks the others",
                feeds.len()
            ),
        })?;
        took = begin.elapsed();
    }
    Ok(asked)
}

async fn mark_some(
    conn: &mut PgConnection,
    request: &Request<'_>,
    feeds: &[i64],
    also: impl AsyncFnOnce(&mut PgConnection) -> Result<()>,
) -> Result<()> {
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, &request.receiver.name).await?;
    let horizon = sqlx::query_scalar(include_str!("../../sql/replay/hold_horizon.sql"))
        .fetch_one(&mut *tx)
        .await?;
    check_horizon(request.window.since, horizon)?;
    let asked = selection::read(&mut tx, request, Some(feeds)).await?;
    asked.owe(&mut tx, Owed::Replay).await?;
    also(&mut tx).await?;
    Ok(tx.commit().await?)
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
