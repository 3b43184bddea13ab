//! What holds go by, kept right beside the plans: once with every sweep, in steps that each cost what changed.
//!
//! Removals that were sealed more than 24 hours ago count no longer; changes that no batch had to ask for are counted as read; holds
//! that need nobody any more, because of other settings, end; digests that were not ours twice within an hour get their snapshot; what
//! was refused is owed once more when it is due. Every step is a transaction by the right to plan.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::ahead;
use super::aside;
use super::guard::{self, CLEARED_MAX, OVER_THE_WHOLE};
use super::right::Right;
use super::scope::Scope;

const FRESH: &str = "begin isolation level read committed";
const AS_ONE: &str = "begin isolation level repeatable read";

/// So many removals are forgotten by one statement.
const EXPIRED_MAX: i64 = 2_000;
/// Of so many feeds one sweep lets refused units go, or ends searches.
const FEEDS_MAX: i64 = 500;
/// So many holds are looked at by one statement.
const HOLDS_MAX: i64 = 500;

/// Does all of it; `anew`: counts everything again first. False: the right went to somebody else on the way, the next sweep does
/// the rest.
pub(super) async fn tidy(
    conn: &mut PgConnection,
    scope: &Scope,
    right: &Right<'_>,
    anew: bool,
    now: Option<DateTime<Utc>>,
) -> Result<bool> {
    if anew
        && right
            .step(conn, FRESH, async |tx| recount(tx, scope).await)
            .await?
            .is_none()
    {
        return Ok(false);
    }
    loop {
        match right.step(conn, FRESH, async |tx| expire(tx, scope, now).await).await? {
            None => return Ok(false),
            Some(EXPIRED_MAX) => {}
            Some(_) => break,
        }
    }
    let keep_up = async |conn: &mut PgConnection| {
        let mut tx = scope.plan_in(conn, now);
        ahead::keep_up(&mut tx).await?;
        guard::gather(&mut tx, &[]).await
    };
    if right.step(conn, AS_ONE, keep_up).await?.is_none() || !clear_all(conn, scope, right, now).await? {
        return Ok(false);
    }
    guard::say(&mut scope.plan_in(conn, now)).await?;
    aside::resolve(conn, scope, now).await?;
    let mismatched = async |tx: &mut PgConnection| snapshot_again(tx, scope, now).await;
    if right.step(conn, FRESH, mismatched).await?.is_none() {
        return Ok(false);
    }
    let refused = async |tx: &mut PgConnection| {
        end_searches(&mut *tx, scope).await?;
        let_go(tx, scope, now).await
    };
    Ok(right.step(conn, FRESH, refused).await?.is_some())
}

async fn snapshot_again(conn: &mut PgConnection, scope: &Scope, now: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/snapshot_again.sql"))
        .bind(&scope.receiver.name)
        .bind(now)
        .execute(conn)
        .await
        .context("making snapshots due again")?;
    Ok(())
}

/// What the receiver refused is owed again by itself, less and less often. Says of how many feeds.
async fn let_go(conn: &mut PgConnection, scope: &Scope, now: Option<DateTime<Utc>>) -> Result<i64> {
    sqlx::query_scalar(include_str!("../../sql/plan/let_go.sql"))
        .bind(&scope.receiver.name)
        .bind(now)
        .bind(FEEDS_MAX)
        .fetch_one(conn)
        .await
        .context("letting go what was refused and is due again")
}

/// What stood alone in a search that nothing would end is owed again. Says of how many feeds.
async fn end_searches(conn: &mut PgConnection, scope: &Scope) -> Result<i64> {
    sqlx::query_scalar(include_str!("../../sql/plan/end_searches.sql"))
        .bind(&scope.receiver.name)
        .bind(FEEDS_MAX)
        .fetch_one(conn)
        .await
        .context("ending searches for bad units")
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

async fn clear_all(
    conn: &mut PgConnection,
    scope: &Scope,
    right: &Right<'_>,
    now: Option<DateTime<Utc>>,
) -> Result<bool> {
    let mut after = OVER_THE_WHOLE - 1;
    loop {
        let holds: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/hold/open.sql"))
            .bind(&scope.receiver.name)
            .bind(after)
            .bind(HOLDS_MAX)
            .fetch_all(&mut *conn)
            .await?;
        let Some(last) = holds.last().copied() else {
            return Ok(true);
        };
        loop {
            let clear = async |conn: &mut PgConnection| guard::clear(&mut scope.plan_in(conn, now), &holds).await;
            match right.step(conn, FRESH, clear).await? {
                None => return Ok(false),
                Some(CLEARED_MAX) => {}
                Some(_) => break,
            }
        }
        after = last;
    }
}
