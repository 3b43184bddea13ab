//! Plan: compare the source with the ledger, seal what differs as syncs.
//!
//! One batch is one REPEATABLE READ transaction over many feeds of one receiver, by the right to plan for it, which is taken
//! before the snapshot and locked until the commit (`right.rs`). It guarantees: a feed's cursor moves to the transaction's snapshot only together
//! with the sealed sync, the ledger rows and the `owed` marks that account for every touched unit; a feed has at most
//! one open sync; what doesn't fit a request is marked owed, not forgotten. Nothing is sent here.
//!
//! Correctness does not depend on anybody telling the planner where to look: notices name properties for speed, the
//! sweep asks every feed by its own cursor.

mod ahead;
mod columns;
mod compare;
mod duplicate;
mod feed_delta;
mod feeds;
mod hold;
mod invalid;
mod pair;
mod pending;
mod rehearse;
mod right;
mod seal;
mod tidy;
mod unsettled;
mod walk;

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use crate::config::Receiver;
use crate::fault::{self, Fault};
use crate::payload::Shape;

use right::{Ended, Right};

pub(crate) use compare::{compare, compare_pairs, in_turns};
pub(crate) use feed_delta::{FeedDelta, Mode, News};
pub(crate) use feeds::{ChosenFeed, every_feed, foresee};
pub(crate) use hold::Grown;
pub(crate) use pair::Pair;
pub(crate) use rehearse::{Rehearsal, Rehearsed};
pub use right::{Turn, turn};
pub(crate) use right::{mark, try_mark};
pub use walk::{Look, Step, Walk, know_receiver, register};

/// How many feeds one transaction plans at most.
pub(crate) const FEEDS_PER_BATCH_MAX: i64 = 256;
/// How many units one transaction looks at, unless a single feed has more: what bounds the relay's memory.
const UNITS_PER_BATCH_MAX: i64 = 10_000;
/// So many properties are looked at by one statement that enrols.
const PROPERTIES_PER_LOOK: i64 = 2_000;
/// Serialisation failures are rare while one relay plans; after these in a row it is somebody else's turn.
const TRIES_MAX: u32 = 5;

/// Where to look for news.
#[derive(Clone, Copy, Debug)]
pub enum Where<'a> {
    /// Every feed, by its own cursor.
    Everywhere,
    /// The feeds of these properties.
    Properties(&'a [i64]),
}

impl<'a> Where<'a> {
    /// None: all.
    fn properties(self) -> Option<&'a [i64]> {
        match self {
            Self::Everywhere => None,
            Self::Properties(properties) => Some(properties),
        }
    }
}

/// Who is planned for, and how that receiver wants things told.
pub struct Scope {
    /// The receiver.
    pub receiver: Receiver,
    /// What its bodies look like.
    pub shape: Shape,
}

impl Scope {
    /// Of a receiver's settings and the statuses that mean available.
    pub fn new(receiver: &Receiver, available_status_ids: &[i64]) -> Self {
        Self {
            receiver: receiver.clone(),
            shape: Shape::new(receiver, available_status_ids),
        }
    }

    /// The same, were one request to hold everything.
    fn unlimited(&self) -> Self {
        Self {
            receiver: Receiver {
                units_per_request_max: u32::MAX as usize,
                body_bytes_max: usize::MAX / 2,
                ..self.receiver.clone()
            },
            shape: self.shape.clone(),
        }
    }
}

/// What one batch is to plan.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Where to look for news.
    pub place: Where<'a>,
    /// Only feeds beyond this one.
    pub after: i64,
    /// At most so many feeds.
    pub feeds_max: usize,
    /// The receiver is paused, this is to find out whether it answers again; the next probe is this much later.
    pub probe: Option<Duration>,
    /// The relay that plans, by its row.
    pub relay: i64,
    /// None: by the database's clock.
    pub now: Option<DateTime<Utc>>,
}

/// What one batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Feeds looked at.
    pub feeds: usize,
    /// Syncs sealed.
    pub syncs: usize,
    /// Units told in them.
    pub units: usize,
    /// Removals told in them.
    pub removed_units: usize,
    /// There may be more feeds beyond this one.
    pub more_after: Option<i64>,
    /// Another relay plans for this receiver, or a command marks; nothing was done.
    pub elsewhere: bool,
}

impl Planned {
    fn elsewhere() -> Self {
        Self {
            elsewhere: true,
            ..Self::default()
        }
    }
}

/// Plans the next batch of feeds.
pub async fn plan_batch(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>) -> Result<Planned> {
    let receiver = &scope.receiver.name;
    let Some(right) = Right::take(conn, receiver, batch.relay).await? else {
        return Ok(Planned::elsewhere());
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

/// Enrols active properties that have no feed yet; `properties` limits where to look. So many at a time that no statement takes
/// longer for being asked of a large portfolio.
pub async fn enroll(conn: &mut PgConnection, receiver: &Receiver, properties: Option<&[i64]>) -> Result<()> {
    let mut after: Option<i64> = None;
    loop {
        after = sqlx::query_scalar(include_str!("../../sql/plan/enroll.sql"))
            .bind(&receiver.name)
            .bind(&receiver.property_groups)
            .bind(properties)
            .bind(after)
            .bind(PROPERTIES_PER_LOOK)
            .fetch_one(&mut *conn)
            .await
            .context("enrolling new properties")?;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn plan_by(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>, right: &Right<'_>) -> Result<Planned> {
    let mut tries = 1;
    loop {
        match plan_once(conn, scope, batch, right).await {
            Err(error) if is_serialization_failure(&error) && tries < TRIES_MAX => tries += 1,
            // Somebody has the source to themselves, or commands mark without end: planning waits without standing in their
            // way, and where that lasts an alert says so.
            Err(error) if is_locked_out(&error) || is_serialization_failure(&error) => {
                right.give_back(conn, Ended::Failed).await?;
                return Ok(Planned::elsewhere());
            }
            outcome => return outcome,
        }
    }
}

/// The caller's transaction is about to read the source, and gives up where that is locked.
pub(crate) async fn read_briefly(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/brief_locks.sql"))
        .execute(conn)
        .await?;
    Ok(())
}

async fn plan_once(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>, right: &Right<'_>) -> Result<Planned> {
    let mut tx = conn.begin_with("begin isolation level repeatable read").await?;
    if !right.hold(&mut tx).await? {
        return Ok(Planned::elsewhere());
    }
    let planned = plan_held(&mut tx, scope, batch).await?;
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
async fn plan_held(conn: &mut PgConnection, scope: &Scope, batch: &Batch<'_>) -> Result<Planned> {
    let paused = check_receiver(conn, scope).await?;
    if paused && batch.probe.is_none() {
        return Ok(Planned::default());
    }
    let (feeds, more_after) = feeds::choose(conn, &scope.receiver, batch).await?;
    if feeds.is_empty() {
        return Ok(Planned {
            more_after,
            ..Planned::default()
        });
    }
    let compared = compare::compare(conn, scope, feeds, batch.now).await?;
    let more_after = compared.more_after.or(more_after);
    let planned = seal::seal(conn, scope, compared, paused, batch.now).await?;
    if paused && planned.syncs > 0 && !claim_probe(conn, scope, batch).await? {
        return Ok(Planned::default());
    }
    Ok(Planned { more_after, ..planned })
}

/// Whether the receiver is paused. Of two relays with different settings the one that registered last plans: the other
/// would tell things its own way.
async fn check_receiver(conn: &mut PgConnection, scope: &Scope) -> Result<bool> {
    let (agreed, paused): (bool, bool) = sqlx::query_as(include_str!("../../sql/plan/check_settings.sql"))
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

/// PostgreSQL quotes the value that it could not read (class 22), and a value may be somebody's name.
pub(crate) fn without_values(error: anyhow::Error) -> anyhow::Error {
    match database_code(&error) {
        Some(code) if code == "22021" || code == "22P05" => Fault::finding(format!(
            "a text of the source has no equivalent in UTF-8 (SQLSTATE {code}): it holds bytes that its database's encoding \
             gives no meaning; `select * from rentsync.source_unit()` with client_encoding UTF8 shows which"
        ))
        .into(),
        Some(code) if code.starts_with("22") => Fault::finding(format!(
            "a source function failed on a value (SQLSTATE {code}); `select * from rentsync.source_unit()` and \
             `rentsync.source_property()` show which"
        ))
        .into(),
        Some(code) if code.starts_with("42") => error.context("nothing can be planned; `doctor` says what to do"),
        _ => error,
    }
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

pub(crate) fn is_locked_out(error: &anyhow::Error) -> bool {
    database_error(error).is_some_and(fault::is_locked_out)
}

pub(crate) fn is_serialization_failure(error: &anyhow::Error) -> bool {
    database_code(error).is_some_and(|code| code == "40001")
}

pub(crate) fn database_code(error: &anyhow::Error) -> Option<String> {
    let refusal = database_error(error)?.as_database_error()?;
    refusal.code().map(|code| code.into_owned())
}

fn database_error(error: &anyhow::Error) -> Option<&sqlx::Error> {
    error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>())
}
