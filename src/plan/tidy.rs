//! What holds go by, kept right beside the plans: once with every sweep, in steps that each cost what changed.
//!
//! Removals that were told more than 24 hours ago count no longer; changes that no batch had to ask for are counted as read; holds
//! that need nobody any more, because of other settings, end. Every step is a transaction behind the planning lock.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use super::hold::{self, CLEARED_MAX, OVER_THE_WHOLE};
use super::{Scope, ahead};

/// So many removals are forgotten by one statement.
const EXPIRED_MAX: i64 = 2_000;
/// So many holds are looked at by one statement.
const HOLDS_MAX: i64 = 500;

/// Does all of it. `anew`: counts everything again first.
pub(super) async fn tidy(conn: &mut PgConnection, scope: &Scope, anew: bool, now: Option<DateTime<Utc>>) -> Result<()> {
    if anew {
        recount(conn, scope).await?;
    }
    while expire(conn, scope, now).await? == EXPIRED_MAX {}
    let mut tx = conn.begin_with("begin isolation level repeatable read").await?;
    ahead::keep_up(&mut tx, scope, now).await?;
    hold::gather(&mut tx, scope, &[]).await?;
    tx.commit().await?;
    clear_all(conn, scope, now).await?;
    hold::say(conn, scope, now).await
}

async fn recount(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    sqlx::query(include_str!("../../sql/hold/recount.sql"))
        .bind(&scope.receiver.name)
        .execute(conn)
        .await
        .context("counting units and removals anew")?;
    Ok(())
}

async fn expire(conn: &mut PgConnection, scope: &Scope, now: Option<DateTime<Utc>>) -> Result<i64> {
    sqlx::query_scalar(include_str!("../../sql/hold/expire.sql"))
        .bind(&scope.receiver.name)
        .bind(now)
        .bind(EXPIRED_MAX)
        .fetch_one(conn)
        .await
        .context("forgetting removals of more than a day ago")
}

async fn clear_all(conn: &mut PgConnection, scope: &Scope, now: Option<DateTime<Utc>>) -> Result<()> {
    let mut after = OVER_THE_WHOLE - 1;
    loop {
        let holds: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/hold/open.sql"))
            .bind(&scope.receiver.name)
            .bind(after)
            .bind(HOLDS_MAX)
            .fetch_all(&mut *conn)
            .await?;
        let Some(last) = holds.last().copied() else {
            return Ok(());
        };
        while hold::clear(conn, scope, &holds, now).await? == CLEARED_MAX {}
        after = last;
    }
}
