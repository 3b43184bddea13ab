//! A person's decision about a hold: removals that were too many to be sent unasked.
//!
//! Which removals wait is the planner's business (`plan/guard.rs`). Here they are let go or kept, between two plans, so
//! that none adds to what was decided. It guarantees: a decision names a hold by a number that changes whenever a unit
//! joins, so it is about the units that were shown, or fewer; what is approved is owed and sealed at once.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Connection, FromRow, PgConnection};

use crate::alert::{self, Kind};
use crate::fault::Fault;
use crate::plan;
use crate::words;

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The units are gone indeed: remove them.
    Approve,
    /// They are to stay at the receiver until they are back in the source.
    Reject,
}

impl Decision {
    /// As the database says it of a hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }
}

/// One property's part of a hold that was decided about.
#[derive(Debug, FromRow)]
pub struct Decided {
    /// The hold.
    pub hold_id: i64,
    /// The property; none where no unit was left.
    pub property_id: Option<i64>,
    /// How many units.
    pub units: i64,
    /// What it owes is sealed after the feed is resumed.
    pub feed_is_paused: bool,
}

/// Decides about one hold of a receiver, or (`hold_id` none) about every open one. An error where that one isn't open.
pub async fn decide(
    conn: &mut PgConnection,
    receiver: &str,
    hold_id: Option<i64>,
    decision: Decision,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Decided>> {
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, receiver).await?;
    let decided: Vec<Decided> = sqlx::query_as(include_str!("../sql/hold/settle.sql"))
        .bind(receiver)
        .bind(hold_id)
        .bind(decision.as_str())
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
    if let (Some(hold_id), []) = (hold_id, decided.as_slice()) {
        return Err(not_open(&mut tx, receiver, hold_id).await?.into());
    }
    if decision == Decision::Approve {
        let properties: Vec<i64> = decided.iter().filter_map(|part| part.property_id).collect();
        plan::notice(&mut tx, &properties, "approve").await?;
    }
    resolve_alert(&mut tx, receiver, now).await?;
    tx.commit().await?;
    Ok(decided)
}

async fn resolve_alert(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<()> {
    let open: i64 = sqlx::query_scalar(include_str!("../sql/hold/count.sql"))
        .bind(receiver)
        .bind(false)
        .fetch_one(&mut *conn)
        .await?;
    match open {
        0 => alert::resolve(conn, receiver, &[Kind::Hold], now).await,
        _ => Ok(()),
    }
}

async fn not_open(conn: &mut PgConnection, receiver: &str, hold_id: i64) -> Result<Fault> {
    let standing: Option<(String, DateTime<Utc>)> = sqlx::query_as(include_str!("../sql/hold/settled.sql"))
        .bind(hold_id)
        .bind(receiver)
        .fetch_optional(conn)
        .await?;
    Ok(Fault::usage(match standing {
        Some((state, at)) => format!(
            "hold {hold_id} of receiver {receiver} is not open: {state} at {}",
            words::moment(at)
        ),
        None => format!(
            "receiver {receiver} has no hold {hold_id}: where units joined it since you looked it has another number; see \
             `holds list`"
        ),
    }))
}
