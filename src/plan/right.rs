//! The right to plan for a receiver: a row in schema rentsync, where nobody without rights there can reach it.
//!
//! Taking it is a short transaction of its own; the plan's transaction then locks the row with its first statement, which takes
//! its snapshot, and gives it back as its last. So a plan under way is a lock on that row, which ends with the connection,
//! whatever ends that; the row itself says who planned last and when. What is taken and not locked is anybody's after five
//! seconds: a relay that stalls in between finds another number and does nothing. What is locked by a relay whose heart stopped
//! beating is anybody's as soon: whoever finds it so ends that session. A slow one lives, and keeps its plan.
//!
//! Commands that mark what is owed change the row instead: they wait for the plan under way, and a plan that waited for them
//! fails and starts anew with a snapshot that sees the marks.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, FromRow, PgConnection};

use super::failure::{is_locked_out, is_serialization_failure};
use crate::fault::{Fault, is_denied};

/// A batch takes seconds; longer than this something is wrong with whoever plans.
const PLAN_TAKES_MAX: Duration = Duration::from_secs(60);

/// The right as this relay took it.
pub(super) struct Right<'a> {
    receiver: &'a str,
    relay: i64,
    fence: i64,
}

/// How a plan ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It wrote something.
    Planned,
    /// It looked, and that was all.
    NothingToDo,
    /// It did not come to its end.
    Failed,
}

impl<'a> Right<'a> {
    /// None: somebody else plans, or marks.
    pub async fn take(conn: &mut PgConnection, receiver: &'a str, relay: i64) -> Result<Option<Self>> {
        let row: Option<(i64, String, String)> = sqlx::query_as(include_str!("../../sql/plan/take.sql"))
            .bind(receiver)
            .bind(relay)
            .fetch_optional(&mut *conn)
            .await
            .with_context(|| format!("taking the right to plan for receiver {receiver}"))?;
        if row.is_none() {
            end_dead(conn, receiver).await?;
        }
        Ok(row.map(|(fence, ..)| Self { receiver, relay, fence }))
    }

    /// The first statement of a plan's transaction. False: the right was lost meanwhile.
    pub async fn hold(&self, conn: &mut PgConnection) -> Result<bool> {
        let held: Option<(i64, String)> = sqlx::query_as(include_str!("../../sql/plan/hold_right.sql"))
            .bind(self.receiver)
            .bind(self.relay)
            .bind(self.fence)
            .fetch_optional(conn)
            .await?;
        Ok(held.is_some())
    }

    /// A transaction by this right. None: it was lost, a command marked meanwhile, or the source is locked; then nothing was done.
    pub async fn step<T>(
        &self,
        conn: &mut PgConnection,
        begin: &'static str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut tx = conn.begin_with(begin).await?;
        let done = match self.hold(&mut tx).await {
            Ok(true) => work(&mut tx).await,
            Ok(false) => return Ok(None),
            Err(error) => Err(error),
        };
        match done {
            Err(error) if is_serialization_failure(&error) || is_locked_out(&error) => Ok(None),
            Err(error) => Err(error),
            Ok(done) => {
                tx.commit().await?;
                Ok(Some(done))
            }
        }
    }

    pub async fn give_back(&self, conn: &mut PgConnection, ended: Ended) -> Result<()> {
        sqlx::query(include_str!("../../sql/plan/give_back.sql"))
            .bind(self.receiver)
            .bind(self.relay)
            .bind(self.fence)
            .bind(ended != Ended::Failed)
            .bind(ended == Ended::Planned)
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// Whoever died in the middle of a plan holds the right no longer than its heart is missed; the next turn takes it.
async fn end_dead(conn: &mut PgConnection, receiver: &str) -> Result<()> {
    let ended = sqlx::query_scalar(include_str!("../../sql/plan/end_dead.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await;
    let ended: Vec<bool> = match ended {
        // Not every host lets a role end its own sessions: then they end by their timeouts.
        Err(error) if is_denied(&error) => Vec::new(),
        ended => ended.with_context(|| format!("ending the plan of a relay that died, for receiver {receiver}"))?,
    };
    if ended.contains(&true) {
        tracing::warn!(
            receiver,
            "the relay that was planning has given no sign of life for 5 s: its plan was ended, another relay takes over"
        );
    }
    Ok(())
}

/// How the right to plan for a receiver stands.
#[derive(Clone, Debug, FromRow)]
pub struct Turn {
    /// Rises whenever it is taken.
    pub fence: i64,
    /// Who has it at this moment.
    pub holder: Option<String>,
    /// For how long.
    pub held_seconds: Option<f64>,
    /// That relay's heart beats.
    pub holder_lives: bool,
    /// When a plan last came to its end.
    pub planned_at: Option<DateTime<Utc>>,
    /// When this was asked.
    pub now: DateTime<Utc>,
}

/// How the right to plan for a receiver stands; none: nobody knows the receiver.
pub async fn turn(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<Option<Turn>> {
    Ok(sqlx::query_as(include_str!("../../sql/plan/turn.sql"))
        .bind(receiver)
        .bind(now)
        .fetch_optional(conn)
        .await?)
}

/// First statement of a transaction that marks what is owed or moves cursors; waits for a plan that is under way.
pub(crate) async fn mark(conn: &mut PgConnection, receiver: &str) -> Result<()> {
    let marked = sqlx::query(include_str!("../../sql/plan/mark.sql"))
        .bind(receiver)
        .bind(format!("{}ms", PLAN_TAKES_MAX.as_millis()))
        .execute(conn)
        .await
        .map_err(anyhow::Error::from);
    match marked {
        Err(error) if is_locked_out(&error) => Err(Fault::finding(format!(
            "a relay has been planning for receiver {receiver} for more than a minute; nothing was changed, try again when it \
             is done (`doctor` says who plans)"
        ))
        .into()),
        marked => marked.map(|_| ()),
    }
}

/// The same without waiting; false: somebody plans or marks just now.
pub(crate) async fn try_mark(conn: &mut PgConnection, receiver: &str) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/plan/try_mark.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// Has the properties planned at once, because of `op`. Part of the caller's transaction.
pub(crate) async fn notice(conn: &mut PgConnection, properties: &[i64], op: &str) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/notice.sql"))
        .bind(properties)
        .bind(op)
        .execute(conn)
        .await?;
    Ok(())
}

/// The caller's transaction is about to read the source, and gives up where that is locked.
pub(crate) async fn read_briefly(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/brief_locks.sql"))
        .execute(conn)
        .await?;
    Ok(())
}
