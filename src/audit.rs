//! Audit: who had the relay change what, one row for each action, written in the action's own transaction.
//!
//! So there is no change without its row, and no row of a change that failed. What a person does goes through
//! [`crate::actions`], from wherever it is asked; `install` and `uninstall` write theirs themselves. What the relay decides by itself
//! (a breaker that opens, a hold, retention) is no person's word and leaves none. A row holds ids, counts, states and settings, never a
//! lead's name or a secret. Not its business: showing rows, see [`crate::inspect`].

mod os_user;

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::PgConnection;

pub use crate::states::Through;

/// Ids that a row lists at most; the counts beside them are of all.
pub const LISTED_MAX: usize = 100;

/// Who asks for something, and through what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// As it is noted.
    pub who: String,
    /// Where it was asked.
    pub through: Through,
}

impl Actor {
    /// Whoever runs this process: `alice on host1`, behind sudo `alice as root on host1`.
    pub fn of_command() -> Self {
        Self {
            who: os_user::running_this(),
            through: Through::Command,
        }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// As the command is called that does it; what only the page does, in the same manner.
    pub action: &'a str,
    /// About which receiver, where it is about one.
    pub receiver: Option<&'a str>,
    /// To what: `unit 12345`.
    pub subject: String,
    /// What of it was so before.
    pub before: Option<Value>,
    /// What of it is so since.
    pub after: Option<Value>,
}

/// Notes what was done. Part of the caller's transaction, which does it.
pub async fn write(conn: &mut PgConnection, by: &Actor, entry: &Entry<'_>) -> Result<()> {
    sqlx::query(include_str!("../sql/audit/write.sql"))
        .bind(&by.who)
        .bind(by.through.as_str())
        .bind(entry.action)
        .bind(entry.receiver)
        .bind(&entry.subject)
        .bind(&entry.before)
        .bind(&entry.after)
        .execute(conn)
        .await
        .context("noting in the audit what was done, without which nothing is done")?;
    Ok(())
}

/// Whether this schema has a place for it: an older release's has none.
pub(crate) async fn is_there(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../sql/audit/is_there.sql"))
        .fetch_one(conn)
        .await?)
}
