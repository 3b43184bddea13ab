//! How a receiver stands.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// Whether a receiver may be sent to, and what its breaker goes by.
#[derive(Serialize, FromRow)]
pub struct Sending {
    /// `paused`, `waiting` or `sending`.
    pub state: String,
    /// Paused since then.
    pub since: Option<DateTime<Utc>>,
    /// While paused; none where only a person ends it.
    pub next_probe: Option<DateTime<Utc>>,
    /// Probes that failed since it was paused.
    pub failed_probes: i32,
    /// What its breaker counts.
    pub failures_in_a_row: i32,
    /// How many requests at once it bears; none where that is as many as the settings allow.
    pub concurrency: Option<i32>,
    /// Nothing is sent before.
    pub wait_until: Option<DateTime<Utc>>,
    /// Why it is paused.
    pub because: Option<String>,
}

/// A receiver and whether it may be sent to.
#[derive(Serialize, FromRow)]
pub struct ReceiverView {
    /// Its name in the settings.
    pub receiver: String,
    /// Whether it may be sent to.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub sending: Sending,
}

/// How a receiver stands, with all that is under way.
#[derive(Serialize, FromRow)]
pub struct ReceiverStatus {
    /// Its name in the settings.
    pub receiver: String,
    /// Whether it may be sent to.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub sending: Sending,
    /// This is another database than it was told from.
    pub waits_for_resync: bool,
    /// Properties that it is to have.
    pub feeds: i64,
    /// With changes beyond their cursor.
    pub feeds_behind: i64,
    /// That wait after a failure.
    pub feeds_cooling_down: i64,
    /// That a person or a rejection paused.
    pub feeds_paused: i64,
    /// Units sealed.
    pub units_told: i64,
    /// Units that are due, for whatever reason.
    pub units_owed: i64,
    /// Of these, units that a replay asked for.
    pub units_replayed: i64,
    /// Units that are withheld, for whatever reason.
    pub units_withheld: i64,
    /// Of all that is not delivered.
    pub oldest_change: Option<DateTime<Utc>>,
    /// Syncs that are sealed and not settled.
    pub open_syncs: i64,
    /// Of these, syncs of type replay and redelivered ones.
    pub open_replays: i64,
    /// When the first of them is due.
    pub next_try: Option<DateTime<Utc>>,
    /// When it last acknowledged one.
    pub last_delivered: Option<DateTime<Utc>>,
    /// Holds that wait for a person.
    pub holds: i64,
    /// Alerts that are open.
    pub alerts: i64,
}

/// Every receiver, or this one.
pub async fn receivers(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<ReceiverView>> {
    Ok(sqlx::query_as(include_str!("../../sql/status/receivers.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}

/// How every receiver stands, or this one.
pub async fn status(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<ReceiverStatus>> {
    Ok(sqlx::query_as(include_str!("../../sql/status/status.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}

/// Whether a relay ever ran for a receiver of this name.
pub async fn is_known(conn: &mut PgConnection, receiver: &str) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/status/is_known.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}
