//! Planning one batch: choose, compare, seal, in one transaction by the right to plan.

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};

use super::aside::set_aside;
use super::choose::choose;
use super::chosen::read_properties;
use super::compare::compare;
use super::failure::{is_about_a_value, is_locked_out, is_serialization_failure, without_values};
use super::right::{Ended, Right};
use super::scope::{Batch, Planned, Scope};
use super::seal::seal;
use crate::fault::Fault;

/// Serialisation failures are rare while one relay plans; after these in a row it is somebody else's turn.
const TRIES_MAX: u32 = 5;

/// How a batch reads the source.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    AllAtOnce,
    /// Something in it can't be read: what it is gets found first.
    InHalves,
}

/// Plans the next batch of feeds.
pub async fn plan_batch(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>) -> Result<Planned> {
    let receiver = &scope.receiver.name;
    let Some(right) = Right::take(conn, receiver, batch.relay).await? else {
        return Ok(Planned::without_right());
    };
    let planned = plan_by(conn, scope, batch, &right).await;
    if planned.is_err() {
        // Where even this fails the right is anybody's after some seconds.
        right.give_back(conn, Ended::Failed).await.ok();
    }
    planned
        .map_err(without_values)
        .with_context(|| format!("planning for receiver {receiver}"))
}

async fn plan_by(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>, right: &Right<'_>) -> Result<Planned> {
    let mut tries = 1;
    let mut reading = Reading::AllAtOnce;
    loop {
        match plan_once(conn, scope, batch, right, reading).await {
            Err(error) if is_serialization_failure(&error) && tries < TRIES_MAX => tries += 1,
            Err(error) if is_about_a_value(&error) && reading == Reading::AllAtOnce => reading = Reading::InHalves,
            // Somebody has the source to themselves, or commands mark without end: planning waits without standing in their
            // way, and where that lasts an alert says so.
            Err(error) if is_locked_out(&error) || is_serialization_failure(&error) => {
                right.give_back(conn, Ended::Failed).await?;
                return Ok(Planned::without_right());
            }
            outcome => return outcome,
        }
    }
}

async fn plan_once(
    conn: &mut PgConnection,
    scope: &Scope,
    batch: &Batch<'_>,
    right: &Right<'_>,
    reading: Reading,
) -> Result<Planned> {
    let mut tx = conn.begin_with("begin isolation level repeatable read").await?;
    if !right.hold(&mut tx).await? {
        return Ok(Planned::without_right());
    }
    let planned = plan_held(&mut tx, scope, batch, reading).await?;
    if planned.feeds == 0 {
        tx.rollback().await?;
        right.give_back(conn, Ended::NothingToDo).await?;
        return Ok(planned);
    }
    right.give_back(&mut tx, Ended::Planned).await?;
    tx.commit().await?;
    Ok(planned)
}

/// Of no feed where nothing is to be written.
async fn plan_held(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>, reading: Reading) -> Result<Planned> {
    let paused = check_receiver(conn, scope).await?;
    if paused && batch.probe.is_none() {
        return Ok(Planned::default());
    }
    let (feeds, more_after) = choose(conn, &scope.receiver, batch).await?;
    if feeds.is_empty() {
        return Ok(Planned {
            more_after,
            ..Planned::default()
        });
    }
    let of = feeds.len();
    let feeds = match reading {
        Reading::AllAtOnce => feeds,
        Reading::InHalves => set_aside(conn, scope, feeds, batch.now).await?,
    };
    let aside = of - feeds.len();
    let feeds = read_properties(conn, &scope.receiver, feeds).await?;
    let mut tx = scope.plan_in(conn, batch.now);
    let compared = compare(&mut tx, feeds).await?;
    let more_after = compared.more_after.or(more_after);
    let planned = seal(&mut tx, compared, paused).await?;
    if paused && planned.syncs > 0 && !claim_probe(conn, scope, batch).await? {
        return Ok(Planned::default());
    }
    Ok(Planned {
        more_after,
        feeds: planned.feeds + aside,
        ..planned
    })
}

/// Whether the receiver is paused. Of two relays with different settings the one that registered last plans: the other
/// would seal bodies of its own shape.
async fn check_receiver(conn: &mut PgConnection, scope: &Scope) -> Result<bool> {
    let (agreed, paused, restored): (bool, bool, bool) =
        sqlx::query_as(include_str!("../../sql/plan/check_settings.sql"))
            .bind(&scope.receiver.name)
            .bind(scope.shape.fingerprint())
            .fetch_one(conn)
            .await?;
    if !agreed {
        return Err(Fault::finding(
            "another relay was started with other settings for this receiver: stop that one, or restart this one with its settings",
        )
        .into());
    }
    if restored {
        // Whoever connects next sees to it.
        return Err(Fault::finding(
            "a dump was restored in place of the database: what is known of it is looked at again",
        )
        .into());
    }
    Ok(paused)
}

async fn claim_probe(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>) -> Result<bool> {
    let done = sqlx::query(include_str!("../../sql/plan/claim_probe.sql"))
        .bind(&scope.receiver.name)
        .bind(batch.now)
        .bind(batch.probe.unwrap_or_default().as_secs_f64())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
