//! What this process has the server do: closing a connection ends no statement that is under way, so a command that is
//! interrupted says so on another connection.
//!
//! A session is known by its process and by when it began: numbers are given out again, and another relay's statement is not
//! ours to end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

/// How many sessions are remembered, the newest: a command has one or two, a relay makes new ones now and then.
const SESSIONS_MAX: usize = 64;
/// Whoever interrupts a command waits no longer than this for the server.
const CANCEL_MAX: Duration = Duration::from_secs(1);

struct Session {
    /// How to reach the same server.
    options: PgConnectOptions,
    pid: i32,
    since: DateTime<Utc>,
}

static SESSIONS: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// This process has this session; `options` reach the same server.
pub(super) async fn remember(options: PgConnectOptions, conn: &mut PgConnection) -> Result<()> {
    let (pid, since) = sqlx::query_as(include_str!("../../sql/connection/session.sql"))
        .fetch_one(conn)
        .await?;
    let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if sessions.len() == SESSIONS_MAX {
        sessions.remove(0);
    }
    sessions.push(Session { options, pid, since });
    Ok(())
}

/// Ends what this process's sessions have under way, as far as the server can be asked.
pub async fn cancel() {
    let sessions = std::mem::take(&mut *SESSIONS.lock().unwrap_or_else(PoisonError::into_inner));
    let Some(newest) = sessions.last() else { return };
    let options = newest.options.clone();
    let (pids, since): (Vec<i32>, Vec<DateTime<Utc>>) =
        sessions.iter().map(|session| (session.pid, session.since)).unzip();
    let cancelling = async {
        let mut conn = PgConnection::connect_with(&options).await?;
        sqlx::query(include_str!("../../sql/connection/cancel.sql"))
            .bind(pids)
            .bind(since)
            .execute(&mut conn)
            .await
    };
    match tokio::time::timeout(CANCEL_MAX, cancelling).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!("a statement could not be cancelled: {error}"),
        Err(_) => tracing::debug!("a statement could not be cancelled within {CANCEL_MAX:?}"),
    }
}

/// Whether it is what a statement says that was cancelled (`query_canceled`).
pub fn is_cancelled(error: &anyhow::Error) -> bool {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    let code = cause.and_then(|cause| cause.as_database_error()?.code());
    code.is_some_and(|code| code == "57014")
}
